//! Is a folder on a network mount? Answered from the kernel's list of mounts, without touching the mount.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// How many links are followed before a loop is assumed, as the kernel does.
const MOST_LINKS: usize = 40;

/// A mount whose server may be dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Mount {
    pub(in super::super) point: PathBuf,
    /// The type of its file system: `cifs`, `nfs4`.
    pub(in super::super) kind: String,
}

/// The network mount that a folder is on, links on the way followed; `None`: a local disk.
///
/// # Errors
/// When the list of mounts cannot be read, or links go round.
pub(in super::super) fn network(folder: &Path) -> io::Result<Option<Mount>> {
    on(&mounted(&fs::read("/proc/self/mountinfo")?), folder)
}

/// The network mount that `/etc/fstab` wants on the way to a folder and that is not there.
pub(in super::super) fn missing(folder: &Path) -> Option<Mount> {
    let wanted = wanted(&fs::read("/etc/fstab").unwrap_or_default());
    let there = mounted(&fs::read("/proc/self/mountinfo").ok()?);
    wanted.into_iter().find_map(|(point, kind)| {
        let missing = folder.starts_with(&point) && is_network(&kind) && !there.contains_key(&point);
        missing.then_some(Mount { point, kind })
    })
}

/// Mount points and types; the last mount on a point is the one in force.
fn mounted(mountinfo: &[u8]) -> BTreeMap<PathBuf, String> {
    mountinfo
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|byte| *byte == b' ');
            let point = path(fields.nth(4)?);
            let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
            Some((point, String::from_utf8_lossy(kind).into_owned()))
        })
        .collect()
}

fn wanted(fstab: &[u8]) -> BTreeMap<PathBuf, String> {
    fstab
        .split(|byte| *byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
            if fields.next()?.starts_with(b"#") {
                return None;
            }
            Some((path(fields.next()?), String::from_utf8_lossy(fields.next()?).into_owned()))
        })
        .collect()
}

/// Spaces and the like are written as `\040`.
fn path(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        let octal = after.get(..3).filter(|_| *first == b'\\');
        let code = octal.and_then(|it| u8::from_str_radix(str::from_utf8(it).ok()?, 8).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

/// Goes down to the folder and stops before it would step into a network mount: a dead one would not answer.
fn on(mounts: &BTreeMap<PathBuf, String>, folder: &Path) -> io::Result<Option<Mount>> {
    let mut way: Vec<OsString> = parts(folder);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(next) = way.pop() {
        at.push(next);
        if let Some(kind) = mounts.get(&at).filter(|kind| is_network(kind)) {
            return Ok(Some(Mount { point: at, kind: kind.clone() }));
        }
        if let Ok(target) = fs::read_link(&at) {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::other("links go round in a circle"));
            }
            at.pop();
            let target = at.join(target);
            at = PathBuf::from("/");
            way.extend(parts(&target));
        }
    }
    Ok(None)
}

/// The names of a path, the last first; `..` takes the name before it away.
fn parts(path: &Path) -> Vec<OsString> {
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => parts.push(name.to_owned()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::CurDir => {}
        }
    }
    parts.reverse();
    parts
}

fn is_network(kind: &str) -> bool {
    const KINDS: [&str; 17] = [
        "9p",
        "afs",
        "autofs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse",
        "gfs2",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "prl_fs",
        "smb3",
        "smbfs",
    ];
    KINDS.contains(&kind) || ["fuse.", "vboxsf", "vmhgfs", "virtiofs"].iter().any(|it| kind.starts_with(it))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
40 22 0:40 / /mnt/line\\0403 rw,relatime shared:2 master:1 - cifs //nas/results rw,vers=3.1.1\n\
41 22 0:41 / /home rw - nfs4 nas:/home rw\n\
42 22 0:42 / /auto rw - autofs systemd-1 rw\n\
43 22 8:17 / /disk rw - fuseblk /dev/sdb1 rw\n";

    fn kind(folder: &str) -> Option<String> {
        on(&mounted(MOUNTINFO.as_bytes()), Path::new(folder)).unwrap().map(|it| it.kind)
    }

    #[test]
    fn the_type_of_the_mount_says_whether_a_folder_is_on_the_network() {
        assert_eq!(kind("/mnt/line 3/in").as_deref(), Some("cifs"));
        assert_eq!(kind("/mnt/line 3").as_deref(), Some("cifs"));
        assert_eq!(kind("/home/a").as_deref(), Some("nfs4"));
        assert_eq!(kind("/auto/x").as_deref(), Some("autofs"));
        for local in ["/mnt/line", "/mnt/line 33", "/disk/x", "/homes", "/"] {
            assert_eq!(kind(local), None, "{local}");
        }
        assert!(is_network("fuse.sshfs") && !is_network("fuseblk") && !is_network("tmpfs"));
    }

    #[test]
    fn a_link_that_leads_to_a_share_is_found_without_going_there() {
        let folder = tempfile::tempdir().unwrap();
        let place = fs::canonicalize(folder.path()).unwrap();
        std::os::unix::fs::symlink("/mnt/line 3/results", place.join("absolute")).unwrap();
        std::os::unix::fs::symlink("absolute", place.join("relative")).unwrap();
        std::os::unix::fs::symlink("round", place.join("round")).unwrap();
        let mounts = mounted(MOUNTINFO.as_bytes());
        let found = on(&mounts, &place.join("relative/today")).unwrap().unwrap();
        assert_eq!(found.point, Path::new("/mnt/line 3"));
        assert!(on(&mounts, &place.join("round/x")).is_err());
    }

    #[test]
    fn what_fstab_wants_is_read() {
        let fstab =
            "# a comment\n//nas/results /mnt/line\\0403 cifs credentials=/root/c 0 0\n/dev/sda1 / ext4 rw\n";
        let wanted = wanted(fstab.as_bytes());
        assert_eq!(wanted.get(Path::new("/mnt/line 3")).map(String::as_str), Some("cifs"));
        assert_eq!(wanted.len(), 2);
    }

    #[test]
    fn this_machines_mounts_are_read() {
        assert!(!mounted(&fs::read("/proc/self/mountinfo").unwrap()).is_empty());
        assert_eq!(network(Path::new("/proc/self")).unwrap(), None);
    }
}
