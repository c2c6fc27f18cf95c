//! What macOS alone has.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Component, Path};

use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::Places;

/// Below the folders that macOS has for programs of all users.
pub(crate) fn places() -> Places {
    let own = Path::new("/Library/Application Support/wats-agent");
    Places {
        configurations: own.to_owned(),
        storage: own.join("instances"),
        sockets: own.join("sockets"),
        sources: "/Users/Shared/wats".into(),
        support: own.join("python"),
        python: "/usr/bin/python3".into(),
        machine_key: Some(own.join("machine-key")),
    }
}

/// Opens a file below `folder` to read. Somebody may have put a link or a pipe there, or a link in the place of a
/// folder on the way: none is followed or waited for.
pub(crate) fn open_below(folder: &Path, path: &Path) -> io::Result<File> {
    let Ok(below) = path.strip_prefix(folder) else { return super::open_plain(path) };
    let usual = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut at = File::open(folder)?;
    let mut way = below.components().peekable();
    while let Some(part) = way.next() {
        let Component::Normal(name) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
        let last = way.peek().is_none();
        let flags = usual | if last { OFlag::O_NONBLOCK } else { OFlag::O_DIRECTORY };
        at = File::from(openat(&at, name, flags, Mode::empty())?);
    }
    Ok(at)
}

/// What a file below `folder` looks like, with no link followed on the way.
pub(crate) fn look_below(folder: &Path, path: &Path) -> io::Result<Metadata> {
    open_below(folder, path)?.metadata()
}

/// The system decides by itself how much a pipe holds.
pub(crate) fn widen<P>(_pipe: &P) {}

/// Gives a file another name in one step, over nothing that has it.
///
/// # Errors
/// Always: a hard link does the same here.
pub(crate) fn rename_new(_from: &Path, _to: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
