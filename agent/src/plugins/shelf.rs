//! What was taken from the plug-in folder: a copy of each content that is run, and what it said it is.
//!
//! The copy is known by its hash and looked at before each start, so that no other content than the one that a person
//! enabled, or asked to be checked, is ever run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::content::{self, Content, ContentError};
use super::description::Description;
use crate::files;

/// The folder of the copy in that of a content, and the answer beside it.
const COPY: &str = "plug-in";
const DESCRIPTION: &str = "description.json";
/// Contents that are not enabled are kept until there are so many.
const MOST: usize = 20;
/// An answer of a plug-in is not larger.
const LARGEST_ANSWER: u64 = 8 << 20;

/// Why a plug-in could not be taken to the shelf.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error("the plug-in was changed while it was read: try again")]
    Changing,
    #[error("could not keep a copy of the plug-in in {}", folder.display())]
    Write { folder: PathBuf, source: io::Error },
}

/// The shelf of an instance.
#[derive(Debug, Clone)]
pub(super) struct Shelf(PathBuf);

impl Shelf {
    pub(super) fn of(storage: &Path) -> Self {
        Self(storage.join("plugin-copies"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// The folder with the copy of a content: it holds the plug-in under its name. Made where it is not there.
    pub(super) fn take(&self, folder: &Path, name: &str, content: &Content) -> Result<PathBuf, ShelfError> {
        let place = self.0.join(&content.sha256);
        let copy = place.join(COPY);
        if content::read(&copy, name).is_ok_and(|it| it.sha256 == content.sha256) {
            return Ok(copy);
        }
        let failed = |source| ShelfError::Write { folder: place.clone(), source };
        fs::create_dir_all(&place).map_err(failed)?;
        let draft = tempfile::Builder::new().prefix(".draft-").tempdir_in(&place).map_err(failed)?;
        for file in &content.files {
            let from = content.place(folder, name).join(file);
            let to = content.place(draft.path(), name).join(file);
            let bytes = content::read_file(&from, content::LARGEST)?;
            let mode = if content::is_executable(&from) { 0o555 } else { 0o444 };
            fs::create_dir_all(files::folder_of(&to)).map_err(failed)?;
            files::replace_file(&to, mode, &bytes).map_err(failed)?;
        }
        if content::read(draft.path(), name)?.sha256 != content.sha256 {
            return Err(ShelfError::Changing);
        }
        // A damaged copy of before, or one under another name.
        match fs::remove_dir_all(&copy) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        fs::rename(draft.path(), &copy).map_err(failed)?;
        let _renamed = draft.keep();
        files::sync_folder(&place).map_err(failed)?;
        Ok(copy)
    }

    /// Where the copy of a content lies, if it is there and the one that it should be.
    pub(super) fn copy(&self, name: &str, sha256: &str) -> Option<(PathBuf, Content)> {
        let copy = self.0.join(sha256).join(COPY);
        let content = content::read(&copy, name).ok().filter(|it| it.sha256 == sha256)?;
        Some((copy, content))
    }

    /// What a content said it is.
    pub(super) fn description(&self, sha256: &str) -> Option<Description> {
        // It becomes part of a path.
        if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let bytes = content::read_file(&self.0.join(sha256).join(DESCRIPTION), LARGEST_ANSWER).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Remembers what a content said it is.
    pub(super) fn describe(&self, sha256: &str, description: &Description) -> Result<(), ShelfError> {
        let folder = self.0.join(sha256);
        let write = || {
            fs::create_dir_all(&folder)?;
            files::replace_file(&folder.join(DESCRIPTION), 0o640, &serde_json::to_vec(description)?)
        };
        write().map_err(|source| ShelfError::Write { folder: folder.clone(), source })
    }

    /// Removes the oldest contents that nobody needs any more; that one cannot be removed hinders nobody.
    pub(super) fn tidy(&self, needed: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        let mut others: Vec<_> = entries
            .flatten()
            .filter(|it| !needed(&it.file_name().to_string_lossy()))
            .filter_map(|it| Some((it.metadata().ok()?.modified().ok()?, it.path())))
            .collect();
        others.sort();
        let surplus = others.len().saturating_sub(MOST);
        for (_, path) in others.into_iter().take(surplus) {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::debug!(%error, "could not remove {}", path.display());
            }
        }
    }
}
