//! What happens to a source file once it is done with: archive, keep, delete, or the error folder.
//!
//! Everything here can be done again after a crash, and nothing is ever overwritten. A file is only
//! touched while it is still the one that was claimed.

pub mod complaints;
mod moves;
pub(crate) mod put_back;
mod read;
pub mod replay;
pub mod retention;
pub(crate) mod units;
pub(crate) mod zipped;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::control::api::After;
use crate::files::{self, Folders, Stamp, folder_of};
use crate::store::Known;
use crate::system;

/// The folder, in a watched folder, for files that could not be converted.
pub const ERROR_FOLDER: &str = "error";
/// What is added to a failed file's name for the file that says why.
const ERROR_ENDING: &str = ".error.txt";
/// File systems allow 255 bytes; the rest is for what we add.
const NAME_BYTES: usize = 200;

/// Where files go.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    pub source: &'a str,
    pub converter: &'a str,
    /// The watched folder.
    pub folder: &'a Path,
    pub archive: &'a Path,
    pub after: After,
}

/// Puts a finished file away and answers where it lies now; `None` where it was, or gone. That survives a power cut
/// once `folders` are on disk.
///
/// # Errors
/// When it could not be moved; it then lies where it was.
pub fn put_away(places: Places<'_>, file: &Known, folders: &mut Folders) -> io::Result<Option<PathBuf>> {
    match (&file.error, places.after) {
        (Some(words), _) => to_error_folder(places, file, words, folders).map(Some),
        (None, After::Keep) => Ok(None),
        (None, After::Delete) => {
            if is_still(&file.path, file.stamp) {
                fs::remove_file(&file.path)?;
                folders.changed(folder_of(&file.path));
            }
            Ok(None)
        }
        (None, After::Archive | After::Zip) => {
            let day = file.received_at.strftime("%Y-%m-%d").to_string();
            let folder = places.archive.join(day);
            if !folder.is_dir() {
                fs::create_dir_all(&folder)?;
                folders.changed(places.archive);
            }
            let mut target = folder.join(numbered(file.id, &file.path));
            if places.after == After::Zip {
                target = zipped::beside(&target);
                if is_still(&file.path, file.stamp) {
                    zipped::put_away(&file.path, file.stamp, &target, folders)?;
                    return Ok(Some(target));
                }
            }
            if is_still(&file.path, file.stamp) {
                moves::move_file(&file.path, file.stamp, &target, folders)?;
                return Ok(Some(target));
            }
            Ok(target.exists().then_some(target))
        }
    }
}

fn to_error_folder(
    places: Places<'_>,
    file: &Known,
    words: &str,
    folders: &mut Folders,
) -> io::Result<PathBuf> {
    let folder = places.folder.join(ERROR_FOLDER);
    match fs::create_dir(&folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !fs::symlink_metadata(&folder)?.is_dir() {
        return Err(io::Error::other(format!("{} is no folder", folder.display())));
    }
    let plain = folder.join(&*short_name(&file.path));
    let by_number = folder.join(numbered(file.id, &file.path));
    if !is_still(&file.path, file.stamp) {
        // Moved already before a crash, or taken away by somebody.
        let moved = [&by_number, &plain].into_iter().find(|place| is_still(place, file.stamp));
        return Ok(moved.unwrap_or(&by_number).clone());
    }
    let target = if fs::symlink_metadata(&plain).is_err() { plain } else { by_number };
    // The reason first: whoever sees the file in the error folder finds the reason beside it.
    files::replace_file(&reason_beside(&target), 0o664, reason(places, file, words).as_bytes())?;
    moves::move_file(&file.path, file.stamp, &target, folders)?;
    Ok(target)
}

fn reason(places: Places<'_>, file: &Known, words: &str) -> String {
    format!(
        "{words}\n\n\
         File:      {}\n\
         Source:    {}\n\
         Converter: {}\n\
         Received:  {}\n\
         SHA-256:   {}\n\n\
         Nothing of this file was sent. Correct the file, or the settings of the source, and put the file\n\
         into {} again; or choose \"retry\" in the console.\n",
        file.path.file_name().unwrap_or_default().to_string_lossy(),
        places.source,
        places.converter,
        file.received_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        if file.sha256.is_empty() { "not read" } else { &file.sha256 },
        places.folder.display(),
    )
}

fn reason_beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ERROR_ENDING);
    PathBuf::from(name)
}

/// A name that no other file of this agent has.
fn numbered(id: i64, path: &Path) -> OsString {
    let mut name = OsString::from(format!("{id}-"));
    name.push(short_name(path));
    name
}

/// The file's name, or the end of a very long one: the ending says what it is.
fn short_name(path: &Path) -> Cow<'_, OsStr> {
    system::tail(path.file_name().unwrap_or_default(), NAME_BYTES)
}

/// True while the file at `path` is the one that was claimed.
fn is_still(path: &Path, stamp: Stamp) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && Stamp::of(&it) == stamp)
}

#[cfg(test)]
mod tests;
