//! Emptying a folder that a hostile program may have filled.

use std::fs;
use std::io;
use std::path::Path;

/// Removes everything in `folder`, however deep, following no link.
///
/// # Errors
/// When something cannot be removed, or somebody goes on filling the folder.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let removed = if kind.is_dir() {
            // Goes by open folders, so that no link can be put in the way.
            fs::remove_dir_all(&path)
        } else if kind.is_symlink() {
            fs::remove_file(&path).or_else(|_| fs::remove_dir(&path))
        } else {
            fs::remove_file(&path)
        };
        removed?;
    }
    if is_empty(folder)? { Ok(()) } else { Err(io::Error::other("somebody goes on filling the folder")) }
}

/// True when there is nothing in the folder.
pub(crate) fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(fs::read_dir(folder)?.next().is_none())
}
