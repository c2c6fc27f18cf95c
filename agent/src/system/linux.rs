//! What Linux alone has.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, FcntlArg, OFlag, OpenHow, RenameFlags, ResolveFlag, fcntl, openat2, renameat2};

use super::Places;

/// By the file system's standard, as the package makes them.
pub(crate) fn places() -> Places {
    Places {
        configurations: "/etc/wats-agent".into(),
        storage: "/var/lib/wats-agent".into(),
        sockets: "/run/wats-agent".into(),
        sources: "/srv/wats".into(),
        support: "/usr/lib/wats-agent/python".into(),
        python: "/usr/bin/python3".into(),
        // Systemd hands it over.
        machine_key: None,
    }
}

/// Opens a file below `folder` to read. Somebody may have put a link or a pipe there, or a link in the place of a
/// folder on the way: none is followed or waited for.
pub(crate) fn open_below(folder: &Path, path: &Path) -> io::Result<File> {
    open(folder, path, OFlag::O_NONBLOCK)
}

/// What a file below `folder` looks like, with no link followed on the way.
pub(crate) fn look_below(folder: &Path, path: &Path) -> io::Result<Metadata> {
    open(folder, path, OFlag::O_PATH)?.metadata()
}

fn open(folder: &Path, path: &Path, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    match path.strip_prefix(folder) {
        Ok(below) if below.parent().is_some_and(|it| it != Path::new("")) => {
            let top = File::open(folder)?;
            let inside = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
            Ok(File::from(openat2(&top, below, OpenHow::new().flags(flags).resolve(inside))?))
        }
        _ => File::options().read(true).custom_flags(flags.bits()).open(path),
    }
}

/// Gives a file another name in one step, over nothing that has it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], [`io::ErrorKind::CrossesDevices`], and [`io::ErrorKind::Unsupported`] where the file
/// system cannot do it.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use nix::errno::Errno;
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        Ok(()) => Ok(()),
        // Some network file systems cannot rename like this.
        Err(Errno::EINVAL | Errno::ENOSYS) => Err(io::ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
    }
}

/// Lets a pipe hold as much as the system allows an ordinary user, so that both sides wake up less often.
pub(crate) fn widen(pipe: &impl AsFd) {
    const MOST: i32 = 1 << 20;
    // A system that allows less leaves it as it is, which only costs time.
    fcntl(pipe, FcntlArg::F_SETPIPE_SZ(MOST)).ok();
}

/// The system's name and version, for people.
pub(crate) fn system_name() -> String {
    named(&fs::read_to_string("/etc/os-release").unwrap_or_default())
}

/// The name and version in `/etc/os-release`.
fn named(os_release: &str) -> String {
    let name = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.map_or_else(|| "Linux".to_owned(), |name| name.trim_matches('"').to_owned())
}

/// The memory of this machine in bytes; 0 where the system does not say.
pub(crate) fn machine_memory() -> u64 {
    total(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

/// The bytes of `MemTotal` in `/proc/meminfo`; 0 where it says nothing.
fn total(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// The disk of the system, and whether a folder is on it, too.
pub(crate) fn system_disk(folder: &Path) -> (PathBuf, bool) {
    let device = |path: &Path| fs::metadata(path).ok().map(|it| super::identity(&it).0);
    let root = Path::new("/");
    (root.to_owned(), device(folder) == device(root))
}

/// Resident memory of this process and its direct children; 0 where the system does not say.
pub(crate) fn own_memory() -> u64 {
    let mut pids = vec!["self".to_owned()];
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        pids.extend(children.split_ascii_whitespace().map(ToOwned::to_owned));
    }
    pids.iter()
        .filter_map(|pid| {
            let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
        })
        .map(|kilobytes| kilobytes * 1024)
        .sum()
}

/// The resident memory of a process and all that it started.
pub(crate) fn resident(process: u32) -> u64 {
    resident_below(process, 0)
}

fn resident_below(process: u32, depth: u32) -> u64 {
    let read = |path: String| fs::read_to_string(path).unwrap_or_default();
    let statm = read(format!("/proc/{process}/statm"));
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
    let children = read(format!("/proc/{process}/task/{process}/children"));
    let below = if depth < 4 {
        children
            .split_whitespace()
            .take(64)
            .filter_map(|it| it.parse().ok())
            .map(|it| resident_below(it, depth + 1))
            .sum()
    } else {
        0
    };
    pages * 4096 + below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_read_and_nonsense_is_not() {
        assert_eq!(
            named("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
            "Debian GNU/Linux 12 (bookworm)"
        );
        assert_eq!(named(""), "Linux");
        assert_eq!(total("MemTotal:       16318480 kB\nMemFree: 1 kB\n"), 16_318_480 * 1024);
        assert_eq!(total("MemTotal: lots\n"), 0);
    }
}
