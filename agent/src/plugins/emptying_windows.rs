//! Emptying a folder that a hostile program may have filled.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that is emptied again and again.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self(folder.to_owned()))
    }

    /// True when there is nothing in the folder.
    pub(crate) fn is_empty(&mut self) -> io::Result<bool> {
        Ok(fs::read_dir(&self.0)?.next().is_none())
    }

    /// Removes everything in it; see [`empty`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        empty(&self.0)
    }
}

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
    if fs::read_dir(folder)?.next().is_none() {
        Ok(())
    } else {
        Err(io::Error::other("somebody goes on filling the folder"))
    }
}
