//! The bodies of reports as they lie in the database: packed, since steps repeat the same names. A packed one is about a
//! fifth of the size, and so is what a commit writes.

use sqlx::error::BoxDynError;

/// What a packed body begins with; JSON never does. The length and a block of LZ4 follow.
const PACKED: &[u8] = b"\x01L4";
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
        Self { packed: pack(wsjf), sha256: crate::files::sha256(wsjf) }
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
    let Some(packed) = stored.strip_prefix(PACKED) else { return Ok(stored) };
    let damaged = |why: BoxDynError| sqlx::Error::Decode(why);
    let (length, block) =
        packed.split_first_chunk::<4>().ok_or_else(|| damaged("a body is cut off".into()))?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|error| damaged(error.into()))?;
    if length > block.len().saturating_mul(MOST) {
        return Err(damaged("a body has an impossible length".into()));
    }
    lz4_flex::block::decompress(block, length).map_err(|error| damaged(error.into()))
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
    fn damage_is_an_error() {
        let packed = pack(&b"{\"a\":1}".repeat(100));
        assert!(unpack(packed[..packed.len() - 1].to_vec()).is_err());
        assert!(unpack(packed[..5].to_vec()).is_err());
        let mut long = packed.clone();
        long[3..7].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(long).is_err());
    }
}
