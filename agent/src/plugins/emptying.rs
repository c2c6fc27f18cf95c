//! Emptying a folder that a hostile program may have filled.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, renameat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// More than this is not the rest of a conversion: whoever holds the folder gives it up.
const MOST: usize = 100_000;
/// By descriptor, whatever lies on the way to a folder by now.
const FLAGS: OFlag =
    OFlag::O_DIRECTORY.union(OFlag::O_NOFOLLOW).union(OFlag::O_RDONLY).union(OFlag::O_CLOEXEC);

/// A folder that is emptied again and again: it is opened once, so that looking into it costs little.
#[derive(Debug)]
pub(crate) struct Place(Dir);

impl Place {
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self(Dir::open(folder, FLAGS, Mode::empty())?))
    }

    /// True when there is nothing in the folder.
    pub(crate) fn is_empty(&mut self) -> io::Result<bool> {
        for entry in self.0.iter() {
            if !is_own(entry?.file_name().to_bytes()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes everything in it, however deep, whatever its modes, following no link.
    ///
    /// Folders are moved up before they are looked into, so that no depth costs a descriptor or stack.
    ///
    /// # Errors
    /// When something cannot be removed, there is too much of it, or somebody goes on filling the folder.
    pub(crate) fn empty(&mut self) -> io::Result<()> {
        let (mut removed, mut number) = (0, 0_u64);
        loop {
            let names = names(&mut self.0)?;
            let top = &self.0;
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                removed += 1;
                if removed > MOST {
                    return Err(io::Error::other("there is too much in the folder"));
                }
                if !is_folder(top, &name)? {
                    unlinkat(top, name.as_os_str(), UnlinkatFlags::NoRemoveDir)?;
                    continue;
                }
                open_up(top, &name)?;
                let mut inner = Dir::openat(top, name.as_os_str(), FLAGS, Mode::empty())?;
                for inside in self::names(&mut inner)? {
                    removed += 1;
                    if removed > MOST {
                        return Err(io::Error::other("there is too much in the folder"));
                    }
                    if !is_folder(&inner, &inside)? {
                        unlinkat(&inner, inside.as_os_str(), UnlinkatFlags::NoRemoveDir)?;
                        continue;
                    }
                    open_up(&inner, &inside)?;
                    // A name that nothing in the top folder has.
                    loop {
                        number += 1;
                        let moved = format!(".up-{number}");
                        match fstatat(top, moved.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                            Err(Errno::ENOENT) => {
                                renameat(&inner, inside.as_os_str(), top, moved.as_str())?;
                                break;
                            }
                            Err(error) => return Err(error.into()),
                            Ok(_) => {}
                        }
                    }
                }
                unlinkat(top, name.as_os_str(), UnlinkatFlags::RemoveDir)?;
            }
        }
    }
}

/// Removes everything in `folder`; see [`Place::empty`].
///
/// # Errors
/// As there, and when the folder cannot be opened.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    Place::open(folder)?.empty()
}

fn names(folder: &mut Dir) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in folder.iter().take(MOST) {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !is_own(name) {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

/// The folder itself, and the one above.
fn is_own(name: &[u8]) -> bool {
    name == b"." || name == b".."
}

fn is_folder(folder: &Dir, name: &OsStr) -> io::Result<bool> {
    let look = fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok(look.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits())
}

/// Gives us the right to look into a folder of ours that denies it.
fn open_up(folder: &Dir, name: &OsStr) -> io::Result<()> {
    Ok(fchmodat(folder, name, Mode::S_IRWXU, FchmodatFlags::NoFollowSymlink)?)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::PermissionsExt;

    use nix::fcntl::openat;

    use super::*;

    #[test]
    fn links_modes_and_depth_hinder_nothing_and_what_links_point_to_stays() {
        let outside = tempfile::tempdir().unwrap();
        let precious = outside.path().join("precious");
        crate::files::replace_file(&precious, 0o640, b"stays").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::os::unix::fs::symlink(outside.path(), at.join("link")).unwrap();
        std::os::unix::fs::symlink(&precious, at.join("to-file")).unwrap();
        fs::hard_link(&precious, at.join("hard")).unwrap();
        nix::unistd::mkfifo(&at.join("pipe"), Mode::S_IRWXU).unwrap();
        fs::create_dir_all(at.join("locked/inner")).unwrap();
        crate::files::replace_file(&at.join("locked/inner/a"), 0o600, b"x").unwrap();
        fs::set_permissions(at.join("locked/inner"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(at.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::create_dir(at.join(".up-1")).unwrap();
        // Deeper than a path can be written.
        let mut place = File::open(at).unwrap();
        for _ in 0..3000 {
            nix::sys::stat::mkdirat(&place, "d", Mode::S_IRWXU).unwrap();
            let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY;
            place = File::from(openat(&place, "d", flags, Mode::empty()).unwrap());
        }
        let mut held = Place::open(at).unwrap();
        assert!(!held.is_empty().unwrap());
        held.empty().unwrap();
        assert!(held.is_empty().unwrap());
        // The same folder once more, and by its path.
        fs::create_dir_all(at.join("again/inner")).unwrap();
        assert!(!held.is_empty().unwrap());
        empty(at).unwrap();
        assert!(held.is_empty().unwrap());
        assert_eq!(fs::read(&precious).unwrap(), b"stays");
    }
}
