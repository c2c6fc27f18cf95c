//! Moving a file without overwriting another, also to another file system.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::files::{self, Folders, Stamp, folder_of};
use crate::system;

/// Moves `from` to `to`, on disk when `folders` are.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is something else at `to`. Also when it is another file by now, which
/// then lies where it was.
pub(super) fn move_file(from: &Path, stamp: Stamp, to: &Path, folders: &mut Folders) -> io::Result<()> {
    let renamed = system::rename_new(from, to);
    let is_renamed = renamed.is_ok();
    match renamed {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy_over(from, stamp, to)?,
        // A hard link does not replace either.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => match fs::hard_link(from, to) {
            Ok(()) => fs::remove_file(from)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
            Err(_) => copy_over(from, stamp, to)?,
        },
        Err(error) => return Err(error),
    }
    folders.changed(folder_of(to));
    folders.changed(folder_of(from));
    // Its owner may have written it anew just before: nobody has read that yet.
    if is_renamed && Stamp::of(&fs::symlink_metadata(to)?) != stamp {
        system::rename_new(to, from)?;
        return Err(io::Error::other("the file was written anew while it was being put away"));
    }
    Ok(())
}

/// Copies to another file system, and removes the original only when the copy is safe.
fn copy_over(from: &Path, stamp: Stamp, to: &Path) -> io::Result<()> {
    // Left by a crash between copying and removing: the copy is whole, or it would not have its name.
    let copied = fs::symlink_metadata(to).is_ok_and(|it| it.is_file() && it.len() == stamp.size);
    if !copied {
        let mut original = open_same(from, stamp)?;
        let mut copy = tempfile::Builder::new().prefix(".wats-draft-").tempfile_in(folder_of(to))?;
        let size = io::copy(&mut original, copy.as_file_mut())?;
        if size != stamp.size || Stamp::of(&original.metadata()?) != stamp {
            return Err(io::Error::other("the file changed while it was copied"));
        }
        copy.as_file().sync_all()?;
        copy.persist_noclobber(to).map_err(|error| error.error)?;
        files::sync_folder(folder_of(to))?;
    }
    fs::remove_file(from)
}

fn open_same(path: &Path, stamp: Stamp) -> io::Result<File> {
    let file = system::open_plain(path)?;
    if Stamp::of(&file.metadata()?) != stamp {
        return Err(io::Error::other("the file changed before it was copied"));
    }
    Ok(file)
}
