//! Putting a finished file or unit away, with its marker and the folders that it leaves empty.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::disk;
use super::names::Names;
use super::settings::Unit;
use super::wire;
use crate::archive::{self, Places, units};
use crate::control::api::{After, FileState};
use crate::files::{Folders, Stamp};
use crate::store::Known;

/// A finished file and what is to become of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Away {
    id: i64,
    #[serde(with = "wire::path")]
    path: PathBuf,
    stamp: Stamp,
    sha256: String,
    received_at: Timestamp,
    error: Option<String>,
    source: String,
    converter: String,
    #[serde(with = "wire::path")]
    archive: PathBuf,
    after: After,
}

impl Away {
    pub(super) fn new(file: &Known, source: &super::Source, archive: PathBuf) -> Self {
        Self {
            id: file.id,
            path: file.path.clone(),
            stamp: file.stamp,
            sha256: file.sha256.clone(),
            received_at: file.received_at,
            error: file.error.clone(),
            source: source.settings.name.clone(),
            converter: source.settings.converter.clone(),
            archive,
            after: file.after.unwrap_or(source.settings.after),
        }
    }
}

/// Puts it away and answers where it lies now; `None` where it was, or gone. That survives a power cut once `folders`
/// are on disk.
///
/// # Errors
/// When it could not be moved; it then lies where it was.
pub(super) fn put_away(
    folder: &Path,
    names: &Names,
    order: Away,
    folders: &mut Folders,
) -> io::Result<Option<PathBuf>> {
    let places = Places {
        source: &order.source,
        converter: &order.converter,
        folder,
        archive: &order.archive,
        after: order.after,
    };
    let file = Known {
        id: order.id,
        state: if order.error.is_some() { FileState::Failed } else { FileState::Converted },
        put_away: false,
        path: order.path,
        stamp: order.stamp,
        sha256: order.sha256,
        received_at: order.received_at,
        error: order.error,
        after: None,
        left_by: None,
    };
    let unit = names.rules.unit;
    let key = match unit {
        Unit::Folder => file.path.parent().unwrap_or(&file.path).to_owned(),
        Unit::File | Unit::FileAndFolder => file.path.clone(),
    };
    let kept_at = if unit == Unit::File {
        archive::put_away(places, &file, folders)?
    } else {
        let seen = disk::look(folder, names, &key).filter(|seen| seen.stamp == file.stamp);
        let members =
            seen.map_or(Vec::new(), |seen| std::iter::once(seen.head).chain(seen.companions).collect());
        units::put_away(places, &file, folder, &members)?
    };
    if unit == Unit::File && names.rules.marker.is_none() {
        return Ok(kept_at);
    }
    // What is still there is another file than the one that was put away, or was kept.
    if fs::symlink_metadata(&file.path).is_err() {
        clean(names, &key)?;
    }
    Ok(kept_at)
}

/// Removes the marker, which has done its work, and folders of the unit that hold nothing any more.
fn clean(names: &Names, key: &Path) -> io::Result<()> {
    for marker in disk::markers(names, key) {
        if fs::symlink_metadata(&marker).is_ok_and(|it| it.is_file()) {
            fs::remove_file(marker)?;
        }
    }
    match names.rules.unit {
        Unit::File => {}
        Unit::FileAndFolder => remove_empty(&key.with_extension("")),
        Unit::Folder => remove_empty(key),
    }
    Ok(())
}

/// One that holds something that we do not know stays.
fn remove_empty(folder: &Path) {
    if !fs::symlink_metadata(folder).is_ok_and(|it| it.is_dir()) {
        return;
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        remove_empty(&entry.path());
    }
    fs::remove_dir(folder).ok();
}
