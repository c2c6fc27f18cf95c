//! Putting away a unit of several files, so that it appears as one and nothing of it is lost on the way.
//!
//! All files are linked or copied into a draft, the draft gets its name in one step, and only then the
//! originals go, the head first: without it what is left is no unit. Each step can be done again.

use std::fs::{self, File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};

use super::{ERROR_ENDING, ERROR_FOLDER, Places, numbered, reason, reason_beside};
use crate::control::api::After;
use crate::files::{self, folder_of};
use crate::store::Known;
use crate::system;

/// Puts a finished unit away and answers where its head lies now; `None` where it was, or gone.
///
/// `base` is the folder whose files and folders the unit consists of. `members` are its files, the head first,
/// while it is the one that was claimed; else empty.
///
/// # Errors
/// When it could not be moved; it then lies where it was.
pub(crate) fn put_away(
    places: Places<'_>,
    file: &Known,
    base: &Path,
    members: &[PathBuf],
) -> io::Result<Option<PathBuf>> {
    let around = match (&file.error, places.after) {
        (None, After::Keep) => return Ok(None),
        (None, After::Delete) => {
            members.iter().try_for_each(|member| remove(member))?;
            files::sync_folder(base)?;
            return Ok(None);
        }
        (None, After::Archive | After::Zip) => {
            places.archive.join(file.received_at.strftime("%Y-%m-%d").to_string())
        }
        (Some(_), _) => base.join(ERROR_FOLDER),
    };
    let below = file.path.strip_prefix(base).map_err(io::Error::other)?;
    let target = around.join(numbered(file.id, &unit_name(below)));
    let head = target.join(below);
    if !target.exists() {
        if members.is_empty() {
            // It changed, or somebody took it away.
            return Ok(file.error.is_some().then_some(head));
        }
        fs::create_dir_all(&around)?;
        if let Some(words) = &file.error {
            files::replace_file(&reason_beside(&target), 0o664, reason(places, file, words).as_bytes())?;
        }
        copy(base, members, &around, &target)?;
    }
    let mut copied = Vec::new();
    walk(&target, &mut copied)?;
    // The head first.
    copied.sort_by_key(|copy| (*copy != head, copy.clone()));
    for copy in copied {
        let original = base.join(copy.strip_prefix(&target).map_err(io::Error::other)?);
        if is_same(&original, &copy) {
            remove(&original)?;
        }
    }
    files::sync_folder(base)?;
    Ok(Some(head))
}

/// Puts a failed unit back into `base`, over nothing that lies there. `head` is where its head lies.
///
/// Answers where the head lies now.
///
/// # Errors
/// When something of that name is there, or it cannot be moved.
pub(crate) fn put_back(head: &Path, base: &Path) -> io::Result<PathBuf> {
    let errors = base.join(ERROR_FOLDER);
    let below = head
        .strip_prefix(&errors)
        .map_err(|_| io::Error::other(format!("{} does not lie in {}", head.display(), errors.display())))?;
    let kept = errors.join(below.components().next().ok_or(io::ErrorKind::NotFound)?);
    let there = base.join(head.strip_prefix(&kept).map_err(io::Error::other)?);
    let mut parts: Vec<_> = fs::read_dir(&kept)?.collect::<io::Result<_>>()?;
    // The head last: until it is there, nobody takes what is not all there.
    parts.sort_by_key(|part| head.starts_with(part.path()));
    for part in &parts {
        let to = base.join(part.file_name());
        if fs::symlink_metadata(&to).is_ok() {
            let words = format!("{} is there already", to.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
        }
    }
    for part in &parts {
        fs::rename(part.path(), base.join(part.file_name()))?;
    }
    fs::remove_dir(&kept)?;
    let mut words = kept.into_os_string();
    words.push(ERROR_ENDING);
    match fs::remove_file(words) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    files::sync_folder(base)?;
    Ok(there)
}

/// Of the folder that it is, or of its head without the ending.
fn unit_name(below: &Path) -> PathBuf {
    match below.iter().next() {
        Some(top) if Path::new(top) != below => PathBuf::from(top),
        _ => below.with_extension(""),
    }
}

fn copy(base: &Path, members: &[PathBuf], around: &Path, target: &Path) -> io::Result<()> {
    let draft = tempfile::Builder::new().prefix(".wats-draft-").tempdir_in(around)?;
    for member in members {
        let to = draft.path().join(member.strip_prefix(base).map_err(io::Error::other)?);
        fs::create_dir_all(folder_of(&to))?;
        // A link where the file system can, else a copy with the original's time, by which it is known.
        if fs::hard_link(member, &to).is_err() {
            let original = File::open(member)?;
            let metadata = original.metadata()?;
            let mut copy = File::create_new(&to)?;
            io::copy(&mut &original, &mut copy)?;
            copy.set_times(FileTimes::new().set_modified(metadata.modified()?))?;
            copy.sync_all()?;
            if !is_same(member, &to) {
                return Err(io::Error::other("a file of the unit changed while it was copied"));
            }
        }
        files::sync_folder(folder_of(&to))?;
    }
    system::set_mode(draft.path(), 0o770)?;
    fs::rename(draft.path(), target)?;
    // It has another name now, under which nothing removes it.
    let _renamed = draft.keep();
    files::sync_folder(around)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() { walk(&entry.path(), found)? } else { found.push(entry.path()) }
    }
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    let look = |path| fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file);
    match (look(one), look(other)) {
        (Some(one), Some(other)) => {
            one.len() == other.len()
                && one.modified().ok().is_some_and(|it| other.modified().is_ok_and(|o| it == o))
        }
        _ => false,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
