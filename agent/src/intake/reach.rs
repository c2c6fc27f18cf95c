//! How a source's folder is reached: by this process, or by a helper that can be killed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use wats_converters::Companion;

use super::away::{self, Away};
use super::disk::{self, End, Others, Seen};
use super::names::{NameRules, Names};
use super::pick::{Kept, Picked, Picker};
use super::settings::{SourceIntake, Unit};
use super::share::Share;
use crate::archive;
use crate::control::api::SourceSettings;
use crate::files::{Folders, Stamp};

/// A watched folder.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) names: Arc<Names>,
    /// Reached through helpers, because it is on a network mount.
    pub(super) share: Option<Arc<Share>>,
}

/// What a file or unit turned out to be.
#[derive(Debug)]
pub enum Content {
    Read {
        bytes: Vec<u8>,
        /// The unit's other files.
        companions: Vec<Companion>,
        /// Of the whole unit; of a single file, that of its bytes.
        sha256: String,
    },
    /// Larger than the limit; it was not read.
    TooLarge,
    /// It is another one than before, changed while it was read, or is gone.
    Changed,
}

impl Place {
    /// Makes the folder if it is not there.
    pub(super) async fn prepare(&self) -> io::Result<()> {
        if let Some(share) = &self.share {
            return share.prepare(&self.folder, &self.names).await;
        }
        let folder = self.folder.clone();
        blocking(move || disk::prepare(&folder)).await
    }

    /// Looks through the folder.
    pub(super) async fn list(&self, kept: Arc<Kept>) -> io::Result<(Picked, Others)> {
        if let Some(share) = &self.share {
            return share.list(&self.folder, &self.names, kept).await;
        }
        let place = self.clone();
        blocking(move || {
            let mut picker = Picker::new(kept);
            let others = disk::list(&place.folder, &place.names, |path, stamp, changed_ns| {
                picker.take(path, stamp, changed_ns);
                Ok(())
            })?;
            Ok((picker.picked(), others))
        })
        .await
    }

    /// Looks at some files or units.
    pub(super) async fn look(&self, paths: Vec<PathBuf>) -> io::Result<Vec<(PathBuf, Option<Seen>)>> {
        if let Some(share) = &self.share {
            return share.look(&self.folder, &self.names, paths).await;
        }
        let place = self.clone();
        blocking(move || {
            let look = |path: PathBuf| (disk::look(&place.folder, &place.names, &path), path);
            Ok(paths.into_iter().map(look).map(|(seen, path)| (path, seen)).collect())
        })
        .await
    }

    /// Reads files or units, each as it was seen; one answer for each.
    pub(super) async fn read(&self, files: Vec<(PathBuf, Seen)>, limit: u64) -> Vec<io::Result<Content>> {
        if let Some(share) = &self.share {
            let mut read = Vec::with_capacity(files.len());
            for (path, seen) in files {
                read.push(share.read(&self.folder, &self.names, &path, &seen, limit).await);
            }
            return read;
        }
        let place = self.clone();
        let read = move || Ok(files.iter().map(|(path, seen)| place.read_one(path, seen, limit)).collect());
        blocking(read).await.unwrap_or_else(|error| vec![Err(error)])
    }

    fn read_one(&self, path: &Path, seen: &Seen, limit: u64) -> io::Result<Content> {
        let mut gathering = Gathering::new(seen, self.names.rules.unit);
        let end = disk::read(&self.folder, &self.names, path, seen.stamp, limit, |number, piece| {
            gathering.add(number, piece);
            Ok(())
        })?;
        Ok(gathering.content(end, seen))
    }

    /// Puts finished files or units away; one answer for each.
    pub(super) async fn put_away(&self, orders: Vec<Away>) -> Vec<io::Result<Option<PathBuf>>> {
        if let Some(share) = &self.share {
            let mut done = Vec::with_capacity(orders.len());
            for order in orders {
                done.push(share.put_away(&self.folder, &self.names, order).await);
            }
            return done;
        }
        let place = self.clone();
        let put_away = move || {
            let mut folders = Folders::default();
            let mut done: Vec<_> = orders
                .into_iter()
                .map(|order| away::put_away(&place.folder, &place.names, order, &mut folders))
                .collect();
            if let Err(error) = folders.sync() {
                for one in &mut done {
                    *one = Err(io::Error::new(error.kind(), error.to_string()));
                }
            }
            Ok(done)
        };
        blocking(put_away).await.unwrap_or_else(|error| vec![Err(error)])
    }
}

/// Reads the unit that a file belongs to, as a source would; may wait for the disk.
///
/// # Errors
/// When a file cannot be read.
pub fn read_unit(file: &Path, unit: Unit, limit: u64) -> io::Result<Content> {
    let file = std::path::absolute(file)?;
    let (names, key) = alone(&file, unit)?;
    let folder = key.parent().unwrap_or(&key).to_owned();
    let Some(seen) = disk::look(&folder, &names, &key) else { return Ok(Content::Changed) };
    let mut gathering = Gathering::new(&seen, unit);
    let end = disk::read(&folder, &names, &key, seen.stamp, limit, |number, piece| {
        gathering.add(number, piece);
        Ok(())
    })?;
    Ok(gathering.content(end, &seen))
}

/// Puts a failed unit, whose head lies at `head`, back into the watched folder, and answers where its head
/// lies now and how it looks. May wait for the disk.
///
/// # Errors
/// When something of that name is there, or it cannot be moved.
pub fn put_unit_back(head: &Path, folder: &Path, unit: Unit) -> io::Result<(PathBuf, Stamp)> {
    let there = archive::units::put_back(head, folder)?;
    let (names, key) = alone(&there, unit)?;
    let seen = disk::look(folder, &names, &key).ok_or(io::ErrorKind::NotFound)?;
    Ok((there, seen.stamp))
}

/// Sets the marker of a file or unit, whose head lies at `head`, if its source asks for one.
///
/// # Errors
/// When it cannot be made.
pub fn mark(head: &Path, source: &SourceSettings) -> io::Result<()> {
    let (mut names, key) = alone(head, source.unit())?;
    names.rules.marker.clone_from(&source.intake.ready_marker);
    match disk::markers(&names, &key).first() {
        Some(marker) => crate::files::replace_file(marker, 0o664, b""),
        None => Ok(()),
    }
}

/// The rules by which a file is the head of a unit, and under which path the unit is known.
fn alone(head: &Path, unit: Unit) -> io::Result<(Names, PathBuf)> {
    let name = head.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rules = NameRules::new(vec![name], unit, &SourceIntake::default());
    let key = match unit {
        Unit::File | Unit::FileAndFolder => head,
        Unit::Folder => head.parent().unwrap_or(head),
    };
    Ok((Names::new(rules).map_err(io::Error::other)?, key.to_owned()))
}

/// Runs what may wait for a disk away from the tasks that must not wait.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// The files of a unit, as they come in pieces.
#[derive(Debug)]
pub(super) struct Gathering {
    files: Vec<Vec<u8>>,
    unit: Unit,
    /// The size of a file that has no companions.
    size: usize,
}

impl Gathering {
    pub(super) fn new(seen: &Seen, unit: Unit) -> Self {
        let size = if seen.companions.is_empty() { usize::try_from(seen.stamp.size).unwrap_or(0) } else { 0 };
        Self { files: vec![Vec::new(); 1 + seen.companions.len()], unit, size }
    }

    pub(super) fn add(&mut self, number: usize, piece: &[u8]) {
        if let Some(file) = self.files.get_mut(number) {
            if file.is_empty() {
                file.reserve_exact(self.size);
            }
            file.extend_from_slice(piece);
        }
    }

    pub(super) fn content(self, end: End, seen: &Seen) -> Content {
        match end {
            End::Changed => return Content::Changed,
            End::TooLarge => return Content::TooLarge,
            End::Whole => {}
        }
        let mut files = self.files.into_iter();
        let bytes = files.next().unwrap_or_default();
        let companions: Vec<Companion> = seen
            .companions
            .iter()
            .zip(files)
            .map(|(path, bytes)| Companion { name: companion_name(self.unit, &seen.head, path), bytes })
            .collect();
        let sha256 = hash(&bytes, &companions);
        Content::Read { bytes, companions, sha256 }
    }
}

/// The path below the unit's folder: that of the head, or the one beside it that has its name.
fn companion_name(unit: Unit, head: &Path, path: &Path) -> String {
    let folder = match unit {
        Unit::Folder => head.parent().unwrap_or(head).to_owned(),
        Unit::File | Unit::FileAndFolder => head.with_extension(""),
    };
    path.strip_prefix(&folder).unwrap_or(path).to_string_lossy().into_owned()
}

/// Of a single file the hash of its bytes, so that anybody can check it; of a unit that of all names and bytes.
fn hash(bytes: &[u8], companions: &[Companion]) -> String {
    let head = crate::files::sha256(bytes);
    if companions.is_empty() {
        return head;
    }
    let mut hash = Sha256::new();
    hash.update(&head);
    for companion in companions {
        hash.update(format!("\n{}\0{}", crate::files::sha256(&companion.bytes), companion.name));
    }
    crate::files::hex(&hash.finalize())
}
