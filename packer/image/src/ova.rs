//! The OVA: a tar with the description first, then its manifest, then the disk.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use sha2::{Digest, Sha256};

use crate::ovf::{Machine, describe};
use crate::{hex, sha256};

/// Packs `vmdk` as `out`. The same inputs make the same bytes.
///
/// # Errors
/// When a file cannot be read or written.
pub fn pack(name: &str, vmdk: &Path, capacity: u64, out: &Path) -> anyhow::Result<()> {
    let disk_file = vmdk.file_name().and_then(OsStr::to_str).context("the disk's name is no text")?;
    let disk_file_bytes = fs::metadata(vmdk)?.len();
    let ovf = describe(Machine { name, disk_file, disk_file_bytes, capacity });
    let ovf_file = format!("{name}.ovf");
    let manifest = format!(
        "SHA256({ovf_file})= {}\nSHA256({disk_file})= {}\n",
        hex(&Sha256::digest(ovf.as_bytes())),
        sha256(vmdk)?
    );

    let draft = out.with_extension("part");
    let mut tar = tar::Builder::new(File::create(&draft)?);
    tar.append_data(&mut header(ovf.len() as u64), &ovf_file, ovf.as_bytes())?;
    tar.append_data(&mut header(manifest.len() as u64), format!("{name}.mf"), manifest.as_bytes())?;
    tar.append_data(&mut header(disk_file_bytes), disk_file, File::open(vmdk)?)?;
    tar.into_inner()?.sync_all()?;
    Ok(fs::rename(&draft, out)?)
}

fn header(size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_entry_type(tar::EntryType::Regular);
    header
}

/// Reads an OVA as an importer does: order, manifest, description, and the disk's kind.
///
/// # Errors
/// With the first thing that is wrong.
pub fn check(ova: &Path, capacity: u64) -> anyhow::Result<()> {
    let mut archive =
        tar::Archive::new(File::open(ova).with_context(|| format!("opening {}", ova.display()))?);
    let mut order = Vec::new();
    let mut hashes = BTreeMap::new();
    let (mut ovf, mut manifest, mut disk_start) = (String::new(), String::new(), Vec::new());
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut hash = Sha256::new();
        let mut block = vec![0; 1 << 20];
        loop {
            let read = entry.read(&mut block)?;
            let part = block.get(..read).unwrap_or_default();
            if part.is_empty() {
                break;
            }
            hash.update(part);
            match name.rsplit('.').next() {
                Some("ovf") => ovf.push_str(std::str::from_utf8(part)?),
                Some("mf") => manifest.push_str(std::str::from_utf8(part)?),
                _ if disk_start.is_empty() => disk_start = part.to_vec(),
                _ => {}
            }
        }
        hashes.insert(name.clone(), hex(&hash.finalize()));
        order.push(name);
    }
    let [ovf_name, mf_name, disk_name] = order.as_slice() else { bail!("the OVA holds {order:?}") };
    ensure!(
        ovf_name.ends_with(".ovf") && mf_name.ends_with(".mf") && disk_name.ends_with(".vmdk"),
        "the OVA's order is {order:?}; description, manifest and disk are expected"
    );
    for name in [ovf_name, disk_name] {
        let line = format!("SHA256({name})= {}", hashes.get(name).map_or("", String::as_str));
        ensure!(manifest.lines().any(|l| l == line), "the manifest has no right line for {name}");
    }
    ensure!(ovf.contains("<vssd:VirtualSystemType>vmx-15<"), "the description has another hardware version");
    ensure!(ovf.contains(&format!("ovf:href=\"{disk_name}\"")), "the description names another disk");
    ensure!(ovf.contains(&format!("ovf:capacity=\"{capacity}\"")), "the description names another capacity");
    stream_optimised(&disk_start)
}

/// A sparse VMDK with compressed grains and markers: version 3 and both flags, as `streamOptimized` has.
fn stream_optimised(start: &[u8]) -> anyhow::Result<()> {
    let word =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(start.get(at..at + 4)?.try_into().ok()?)) };
    ensure!(start.starts_with(b"KDMV"), "the disk is no sparse VMDK");
    let flags = word(8).context("the disk's header is cut short")?;
    ensure!(flags & 0x3_0000 == 0x3_0000, "the disk is not stream-optimised");
    Ok(())
}
