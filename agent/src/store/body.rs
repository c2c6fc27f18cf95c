//! The bodies of reports as they lie in the database: packed, since steps repeat the same names. A packed one is about a
//! fifth of the size, and so is what a commit writes.

use sha2::{Digest, Sha256};
use sqlx::error::BoxDynError;

use crate::files::{hex, sha256};

/// What a packed body begins with; JSON never does. The length and a block of LZ4 follow.
const PACKED: &[u8] = b"\x01L4";
/// What a long one begins with: blocks follow, each with its length, its packed length, and its LZ4.
const BLOCKS: &[u8] = b"\x01LB";
/// A block is packed once it has so many bytes.
const BLOCK: usize = 1 << 20;
/// LZ4 cannot shorten more than this: a length beyond it is a fault of the disk, not memory to be asked for.
const MOST: usize = 256;

/// A report as it is sent, packed, with the hash of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    packed: Vec<u8>,
    sha256: String,
}

impl Body {
    /// Of WSJF.
    pub fn new(wsjf: &[u8]) -> Self {
        Self { packed: pack(wsjf), sha256: sha256(wsjf) }
    }

    /// Of what [`Self::packed`] and [`Self::sha256`] gave.
    pub(super) fn stored(packed: Vec<u8>, sha256: String) -> Self {
        Self { packed, sha256 }
    }

    /// As it lies in the database.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Of the WSJF, lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How much memory it takes.
    pub fn bytes(&self) -> usize {
        self.packed.len()
    }

    /// The WSJF.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn wsjf(&self) -> Result<Vec<u8>, sqlx::Error> {
        unpack(self.packed.clone())
    }
}

/// Packs WSJF that comes in pieces: a long one is never in memory as a whole.
#[derive(Debug, Default)]
pub(crate) struct Packer {
    hash: Sha256,
    blocks: Vec<u8>,
    /// Not packed yet.
    rest: Vec<u8>,
}

impl Packer {
    pub(crate) fn add(&mut self, piece: Vec<u8>) {
        self.hash.update(&piece);
        if self.rest.is_empty() {
            self.rest = piece;
        } else {
            self.rest.extend_from_slice(&piece);
        }
        if self.rest.len() >= BLOCK {
            self.pack_rest();
        }
    }

    pub(crate) fn body(mut self) -> Body {
        if !self.blocks.is_empty() && !self.rest.is_empty() {
            self.pack_rest();
        }
        let packed = if self.blocks.is_empty() { pack(&self.rest) } else { self.blocks };
        Body { packed, sha256: hex(&self.hash.finalize()) }
    }

    fn pack_rest(&mut self) {
        if self.blocks.is_empty() {
            self.blocks.extend_from_slice(BLOCKS);
        }
        let block = lz4_flex::block::compress(&self.rest);
        for length in [self.rest.len(), block.len()] {
            // A piece is far shorter than this number can say.
            self.blocks.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        }
        self.blocks.extend_from_slice(&block);
        self.rest.clear();
    }
}

/// As it is written.
fn pack(body: &[u8]) -> Vec<u8> {
    let Ok(length) = u32::try_from(body.len()) else { return body.to_owned() };
    let block = lz4_flex::block::compress(body);
    let mut packed = Vec::with_capacity(PACKED.len() + 4 + block.len());
    packed.extend_from_slice(PACKED);
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&block);
    packed
}

/// As it was; one that an earlier version wrote is not packed.
///
/// # Errors
/// When it is damaged.
pub(super) fn unpack(stored: Vec<u8>) -> Result<Vec<u8>, sqlx::Error> {
    if let Some(packed) = stored.strip_prefix(PACKED) {
        let (length, block) = length(packed)?;
        check(length, block)?;
        return lz4_flex::block::decompress(block, length).map_err(|error| damaged(error.into()));
    }
    let Some(mut rest) = stored.strip_prefix(BLOCKS) else { return Ok(stored) };
    let mut body = Vec::new();
    while !rest.is_empty() {
        let (unpacked, after) = length(rest)?;
        let (packed, after) = length(after)?;
        let (block, after) = after.split_at_checked(packed).ok_or_else(cut_off)?;
        check(unpacked, block)?;
        let start = body.len();
        body.resize(start + unpacked, 0);
        let place = body.get_mut(start..).unwrap_or_default();
        let written =
            lz4_flex::block::decompress_into(block, place).map_err(|error| damaged(error.into()))?;
        body.truncate(start + written);
        rest = after;
    }
    Ok(body)
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), sqlx::Error> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut_off)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|error| damaged(error.into()))?;
    Ok((length, rest))
}

fn check(length: usize, block: &[u8]) -> Result<(), sqlx::Error> {
    if length > block.len().saturating_mul(MOST) {
        return Err(damaged("a body has an impossible length".into()));
    }
    Ok(())
}

fn cut_off() -> sqlx::Error {
    damaged("a body is cut off".into())
}

fn damaged(why: BoxDynError) -> sqlx::Error {
    sqlx::Error::Decode(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_what_is_older_stays() {
        let body = "{\"name\":\"Measure voltage\"},".repeat(300).into_bytes();
        let packed = pack(&body);
        assert!(packed.len() * 5 < body.len(), "{} of {}", packed.len(), body.len());
        assert_eq!(unpack(packed).unwrap(), body);
        assert_eq!(unpack(pack(b"")).unwrap(), b"");
        assert_eq!(unpack(b"{}".to_vec()).unwrap(), b"{}");
    }

    #[test]
    fn a_long_one_that_comes_in_pieces_is_packed_in_blocks() {
        let body: Vec<u8> = (0..400_000_u32).flat_map(|at| format!("{at},").into_bytes()).collect();
        assert!(body.len() > 2 * BLOCK);
        let mut packer = Packer::default();
        body.chunks(100_000).for_each(|piece| packer.add(piece.to_vec()));
        let packed = packer.body();
        assert!(packed.packed().starts_with(BLOCKS));
        assert_eq!(packed.sha256(), sha256(&body));
        assert_eq!(packed.wsjf().unwrap(), body);
        // A cut is seen but between blocks: there the hash, and the JSON, tell.
        assert!(unpack(packed.packed()[..packed.bytes() - 1].to_vec()).is_err());
        // A short one is as if it had come whole.
        let mut packer = Packer::default();
        [b"ab".to_vec(), b"c".to_vec()].into_iter().for_each(|piece| packer.add(piece));
        assert_eq!(packer.body(), Body::new(b"abc"));
        assert_eq!(Packer::default().body(), Body::new(b""));
    }

    #[test]
    fn damage_is_an_error() {
        let packed = pack(&b"{\"a\":1}".repeat(100));
        assert!(unpack(packed[..packed.len() - 1].to_vec()).is_err());
        assert!(unpack(packed[..5].to_vec()).is_err());
        let mut long = packed.clone();
        long[3..7].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(long).is_err());
    }
}
