//! The fixed VHD: a raw disk with a footer of 512 bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, ensure};

/// Reads the footer as Hyper-V and Azure do: fixed, whole MiB, the right size and checksum.
///
/// # Errors
/// With the first thing that is wrong.
pub fn check(vhd: &Path, capacity: u64) -> anyhow::Result<()> {
    let mut file = File::open(vhd).with_context(|| format!("opening {}", vhd.display()))?;
    let length = file.metadata()?.len();
    ensure!(
        length == capacity + 512,
        "the VHD has {length} bytes; a fixed one of this disk has {}",
        capacity + 512
    );
    file.seek(SeekFrom::End(-512))?;
    let mut footer = [0; 512];
    file.read_exact(&mut footer)?;
    footer_is_right(&footer, capacity)
}

fn footer_is_right(footer: &[u8; 512], capacity: u64) -> anyhow::Result<()> {
    let long = |at: usize| footer.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes);
    let word = |at: usize| footer.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    ensure!(footer.starts_with(b"conectix"), "the VHD has no footer");
    ensure!(word(60) == Some(2), "the VHD is not a fixed one");
    ensure!(
        long(48) == Some(capacity),
        "the VHD's footer names {:?} bytes, and the disk has {capacity}",
        long(48)
    );
    ensure!(capacity.is_multiple_of(1 << 20), "the VHD's size is no whole number of MiB");
    let sum: u32 =
        footer.iter().enumerate().filter(|(at, _)| !(64..68).contains(at)).map(|(_, b)| u32::from(*b)).sum();
    ensure!(word(64) == Some(!sum), "the checksum of the VHD's footer is wrong");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(capacity: u64) -> [u8; 512] {
        let mut footer = [0; 512];
        footer[..8].copy_from_slice(b"conectix");
        footer[48..56].copy_from_slice(&capacity.to_be_bytes());
        footer[60..64].copy_from_slice(&2_u32.to_be_bytes());
        let sum: u32 = footer.iter().map(|b| u32::from(*b)).sum();
        footer[64..68].copy_from_slice(&(!sum).to_be_bytes());
        footer
    }

    #[test]
    fn a_wrong_footer_is_found() {
        let good = footer(8 << 20);
        assert!(footer_is_right(&good, 8 << 20).is_ok());
        assert!(footer_is_right(&good, 9 << 20).is_err());
        assert!(footer_is_right(&footer((8 << 20) + 512), (8 << 20) + 512).is_err());
        for at in [0, 50, 63, 66] {
            let mut bad = good;
            bad[at] ^= 1;
            assert!(footer_is_right(&bad, 8 << 20).is_err(), "byte {at}");
        }
    }
}
