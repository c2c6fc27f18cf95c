//! Reading a settled file once, and noticing when it was not settled.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

use crate::files::{Stamp, sha256};

/// What a file turned out to be.
#[derive(Debug)]
pub enum Content {
    Read {
        bytes: Vec<u8>,
        sha256: String,
    },
    /// Larger than the limit; it was not read.
    TooLarge,
    /// It is another one than before, changed while it was read, or is gone.
    Changed,
}

/// The look of the regular file at `path`; links are not followed.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::symlink_metadata(path).ok()?;
    metadata.is_file().then(|| Stamp::of(&metadata))
}

/// Reads the file that looks like `stamp`.
///
/// # Errors
/// When it cannot be opened or read.
pub fn read(path: &Path, stamp: Stamp, limit: u64) -> io::Result<Content> {
    // Somebody may have put a link or a pipe there since: neither is followed or waited for.
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).bits();
    let mut file = match File::options().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::Changed),
        Err(error) => return Err(error),
    };
    let before = file.metadata()?;
    if !before.is_file() || Stamp::of(&before) != stamp {
        return Ok(Content::Changed);
    }
    if stamp.size > limit {
        return Ok(Content::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(stamp.size).unwrap_or(0));
    file.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    let unchanged = Stamp::of(&file.metadata()?) == stamp && bytes.len() as u64 == stamp.size;
    if !unchanged {
        return Ok(Content::Changed);
    }
    let sha256 = sha256(&bytes);
    Ok(Content::Read { bytes, sha256 })
}
