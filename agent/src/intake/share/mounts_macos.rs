//! Is a folder on a network mount? Answered from the system's list of mounts, without touching the mount.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the kernel knows of its mounts; it asks none of them.
const MOUNT: &str = "/sbin/mount";

/// A mount whose server may be dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mount {
    pub(in super::super) point: PathBuf,
    /// The type of its file system: `smbfs`, `nfs`.
    pub(in super::super) kind: String,
}

/// The network mount that a folder is on; `None`: a local disk.
///
/// # Errors
/// When the list of mounts cannot be had.
pub(in super::super) fn network(folder: &Path) -> io::Result<Option<Mount>> {
    let listed = Command::new(MOUNT).env_clear().output()?;
    if !listed.status.success() {
        return Err(io::Error::other(format!("{MOUNT} ended with {}", listed.status)));
    }
    let text = String::from_utf8_lossy(&listed.stdout);
    Ok(text.lines().filter_map(mount).find(|it| is_network(&it.kind) && folder.starts_with(&it.point)))
}

/// Network mounts come and go with their folders here.
pub(in super::super) fn missing(_folder: &Path) -> Option<Mount> {
    None
}

/// A line like `//tester@nas/results on /Volumes/results (smbfs, nodev, nosuid)`.
fn mount(line: &str) -> Option<Mount> {
    let (line, about) = line.rsplit_once(" (")?;
    let (_, point) = line.split_once(" on ")?;
    let kind = about.split([',', ')']).next()?;
    Some(Mount { point: point.into(), kind: kind.to_owned() })
}

fn is_network(kind: &str) -> bool {
    ["afpfs", "autofs", "ftp", "macfuse", "nfs", "osxfuse", "smbfs", "webdav"].contains(&kind)
}
