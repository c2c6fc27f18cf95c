//! Is a folder on a network mount? Answered by its path, without touching the mount.

use std::io;
use std::path::{Component, Path, PathBuf, Prefix};

use crate::system::windows::raw;

/// A mount whose server may be dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mount {
    pub(in super::super) point: PathBuf,
    /// How it is reached.
    pub(in super::super) kind: String,
}

/// The share or network drive that a folder is on; `None`: a local disk.
///
/// # Errors
/// When the path cannot be asked about.
pub(in super::super) fn network(folder: &Path) -> io::Result<Option<Mount>> {
    let Some(Component::Prefix(prefix)) = folder.components().next() else { return Ok(None) };
    let mut point = prefix.as_os_str().to_owned();
    point.push(r"\");
    let point = PathBuf::from(point);
    let kind = match prefix.kind() {
        Prefix::UNC(..) | Prefix::VerbatimUNC(..) => "smb",
        Prefix::Disk(_) | Prefix::VerbatimDisk(_) if raw::is_remote(&point)? => "network drive",
        _ => return Ok(None),
    };
    Ok(Some(Mount { point, kind: kind.to_owned() }))
}

/// A share has no folder that could stay empty without it.
pub(in super::super) fn missing(_folder: &Path) -> Option<Mount> {
    None
}
