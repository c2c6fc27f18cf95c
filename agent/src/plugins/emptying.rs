//! Emptying a folder that a hostile program may have filled.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FchmodatFlags, Mode, SFlag, fchmodat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

/// More than this is not the rest of a conversion: whoever holds the folder gives it up.
const MOST: usize = 100_000;

/// Removes everything in `folder`, however deep, whatever its modes, following no link.
///
/// Folders are moved up before they are looked into, so that no depth costs a descriptor or stack.
///
/// # Errors
/// When something cannot be removed, there is too much of it, or somebody goes on filling the folder.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let top = File::from(openat(nix::fcntl::AT_FDCWD, folder, flags, Mode::empty())?);
    let (mut removed, mut number) = (0, 0_u64);
    loop {
        let names = names(&top)?;
        if names.is_empty() {
            return Ok(());
        }
        for name in names {
            removed += 1;
            if removed > MOST {
                return Err(io::Error::other("there is too much in the folder"));
            }
            if !is_folder(&top, &name)? {
                unlinkat(&top, name.as_os_str(), UnlinkatFlags::NoRemoveDir)?;
                continue;
            }
            open_up(&top, &name)?;
            let inner = File::from(openat(&top, name.as_os_str(), flags, Mode::empty())?);
            for inside in self::names(&inner)? {
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
                    match fstatat(&top, moved.as_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
                        Err(Errno::ENOENT) => {
                            renameat(&inner, inside.as_os_str(), &top, moved.as_str())?;
                            break;
                        }
                        Err(error) => return Err(error.into()),
                        Ok(_) => {}
                    }
                }
            }
            unlinkat(&top, name.as_os_str(), UnlinkatFlags::RemoveDir)?;
        }
    }
}

/// True when there is nothing in the folder.
pub(crate) fn is_empty(folder: &Path) -> io::Result<bool> {
    Ok(std::fs::read_dir(folder)?.next().is_none())
}

fn names(folder: &File) -> io::Result<Vec<OsString>> {
    // By descriptor, whatever lies on the way to it by now.
    let flags = OFlag::O_DIRECTORY | OFlag::O_RDONLY | OFlag::O_CLOEXEC;
    let mut open = Dir::openat(folder, ".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in open.iter().take(MOST) {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            names.push(name.to_owned());
        }
    }
    Ok(names)
}

fn is_folder(folder: &File, name: &OsStr) -> io::Result<bool> {
    let look = fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok(look.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits())
}

/// Gives us the right to look into a folder of ours that denies it.
fn open_up(folder: &File, name: &OsStr) -> io::Result<()> {
    Ok(fchmodat(folder, name, Mode::S_IRWXU, FchmodatFlags::NoFollowSymlink)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

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
        assert!(!is_empty(at).unwrap());
        empty(at).unwrap();
        assert!(is_empty(at).unwrap());
        assert_eq!(fs::read(&precious).unwrap(), b"stays");
    }
}
