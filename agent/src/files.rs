//! Files that appear whole or not at all.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::{Result, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::system;

/// Puts `bytes` at `path` in one step, over what was there; on disk when this returns.
pub fn replace_file(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let draft = draft(path, mode, bytes)?;
    draft.persist(path).map_err(|e| e.error)?;
    sync_folder(folder_of(path))
}

/// Puts `bytes` at `path` in one step if nothing is there; on disk when this returns.
///
/// # Errors
///
/// [`std::io::ErrorKind::AlreadyExists`] when something is there: it stays as it is.
pub fn create_file(path: &Path, mode: u32, bytes: &[u8]) -> Result<()> {
    let draft = draft(path, mode, bytes)?;
    draft.persist_noclobber(path).map_err(|e| e.error)?;
    sync_folder(folder_of(path))
}

/// Makes the names in a folder, new and gone, survive a power cut.
pub fn sync_folder(folder: &Path) -> Result<()> {
    system::sync_folder(folder)
}

/// Folders in which names came or went, to be put on disk together: that takes as long for many files as for one.
#[derive(Debug, Default)]
pub struct Folders(BTreeSet<PathBuf>);

impl Folders {
    /// Names in the folder have changed.
    pub fn changed(&mut self, folder: &Path) {
        if !self.0.contains(folder) {
            self.0.insert(folder.to_owned());
        }
    }

    /// Makes the names survive a power cut, the folders in the order of their paths.
    ///
    /// # Errors
    /// Of the first folder that cannot be put on disk.
    pub fn sync(self) -> Result<()> {
        self.0.iter().try_for_each(|folder| sync_folder(folder))
    }
}

fn draft(path: &Path, mode: u32, bytes: &[u8]) -> Result<NamedTempFile> {
    let mut draft = system::draft_mode(tempfile::Builder::new().prefix(".wats-draft-"), mode)
        .tempfile_in(folder_of(path))?;
    draft.write_all(bytes)?;
    // The umask took its part when the file was made: a shared file must still get all it was given.
    system::set_mode_of(draft.as_file(), draft.path(), mode)?;
    draft.as_file().sync_all()?;
    Ok(draft)
}

/// The folder that a path is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The SHA-256 of a content, lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case hexadecimal, two digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |it: u8| char::from_digit(u32::from(it), 16).unwrap_or_default();
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Set in a process that looks after a network mount.
static ON_A_SHARE: AtomicBool = AtomicBool::new(false);

/// Says that all files that this process looks at lie on a network mount.
pub(crate) fn look_after_a_share() {
    ON_A_SHARE.store(true, Ordering::Relaxed);
}

/// True in a process that looks after a network mount.
pub(crate) fn are_on_a_share() -> bool {
    ON_A_SHARE.load(Ordering::Relaxed)
}

/// By what a file is recognised as unchanged without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Nanoseconds since 1970.
    pub modified_ns: i64,
}

impl Stamp {
    /// How a file looks now.
    pub fn of(metadata: &Metadata) -> Self {
        // Not all network file systems keep the number of a file, and a mount gets another device each time:
        // there a file is known by size and time.
        let (device, inode) = if are_on_a_share() { (0, 0) } else { system::identity(metadata) };
        Self { device, inode, size: metadata.len(), modified_ns: system::modified_ns(metadata) }
    }

    /// When the file was last written, as far as the file system says.
    pub fn modified(&self) -> Timestamp {
        Timestamp::from_nanosecond(self.modified_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_with_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.toml");
        replace_file(&path, 0o640, b"one").unwrap();
        replace_file(&path, 0o664, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o664);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }

    #[test]
    fn what_is_there_is_not_overwritten_by_create() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        create_file(&path, 0o600, b"one").unwrap();
        assert_eq!(create_file(&path, 0o600, b"two").unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft stays behind");
    }
}
