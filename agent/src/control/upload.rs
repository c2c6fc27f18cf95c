//! A file that comes over the control API, into the folder of a source, whole or not at all.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

use super::api::StoredFile;
use super::refusal::Refusal;
use super::status::disk;
use crate::{files, system};

/// Drafts begin with a dot, so that no source takes them for a file.
const DRAFT: &str = ".wats-upload-";
/// A sender that says nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the free room is looked at again.
const LOOK_EVERY: u64 = 32 * 1024 * 1024;

/// Stores `content` in `folder`; on disk under its answered name when this returns.
///
/// `least_free` bytes stay free on the disk.
pub(super) async fn store(
    folder: &Path,
    name: &str,
    content: Body,
    announced: Option<u64>,
    limit: u64,
    least_free: u64,
) -> Result<StoredFile, Refusal> {
    check_name(name)?;
    if announced.is_some_and(|size| size > limit) {
        return Err(too_large(limit));
    }
    let there = folder.to_owned();
    let draft = in_time(folder, move || {
        std::fs::create_dir_all(&there).map_err(|error| failed(&there, &error))?;
        check_room(&there, announced.unwrap_or(0), least_free)?;
        system::draft_mode(tempfile::Builder::new().prefix(DRAFT), 0o660)
            .tempfile_in(&there)
            .map_err(|error| failed(&there, &error))
    });
    let (file, draft) = draft.await?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let (mut size_bytes, mut hash, mut look_at) = (0_u64, Sha256::new(), LOOK_EVERY);
    let mut content = content.into_data_stream();
    while let Some(piece) = tokio::time::timeout(SILENCE, content.next())
        .await
        .map_err(|_| Refusal::new(StatusCode::REQUEST_TIMEOUT, "the upload stood still for too long"))?
    {
        let piece = piece
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "the upload broke off; nothing was stored"))?;
        size_bytes += piece.len() as u64;
        if size_bytes > limit {
            return Err(too_large(limit));
        }
        if size_bytes >= look_at {
            let there = folder.to_owned();
            in_time(folder, move || check_room(&there, 0, least_free)).await?;
            look_at = size_bytes + LOOK_EVERY;
        }
        hash.update(&piece);
        file.write_all(&piece).await.map_err(|error| failed(folder, &error))?;
    }
    file.flush().await.map_err(|error| failed(folder, &error))?;
    file.sync_all().await.map_err(|error| failed(folder, &error))?;
    drop(file);

    let (folder, name) = (folder.to_owned(), name.to_owned());
    let placed = tokio::task::spawn_blocking(move || {
        let name = place(draft, &folder, &name)?;
        files::sync_folder(&folder).map(|()| name).map_err(|error| failed(&folder, &error))
    });
    let name = placed.await.map_err(|error| Refusal::internal(&error))??;
    let sha256 = files::hex(&hash.finalize());
    Ok(StoredFile { name, size_bytes, sha256 })
}

/// Removes what uploads left behind that a power cut or a kill broke off.
///
/// # Errors
/// When the folder cannot be read or one cannot be removed.
pub(crate) fn remove_drafts(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(DRAFT) {
            continue;
        }
        // One that is being written is younger: a sender that is silent for longer has been given up.
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if age > 2 * SILENCE {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Does what may wait for a dead network mount, and waits for it only so long.
async fn in_time<T: Send + 'static>(
    folder: &Path,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::time::timeout(SILENCE, tokio::task::spawn_blocking(work)).await;
    let done = done.map_err(|_| {
        let words = format!("the folder {} does not answer: is its network mount alive?", folder.display());
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words)
    })?;
    done.map_err(|error| Refusal::internal(&error))?
}

/// The name must be one that any file system takes, and that cannot lead elsewhere.
fn check_name(name: &str) -> Result<(), Refusal> {
    let wrong = if name.is_empty() || name.len() > 200 {
        "a file name must have 1 to 200 bytes"
    } else if name.starts_with('.') {
        "a file name must not begin with a dot"
    } else if name.contains(['/', '\\']) || name.contains(char::is_control) {
        "a file name must not contain slashes or control characters"
    } else {
        return Ok(());
    };
    Err(Refusal::field("file", wrong))
}

/// Gives the draft its name, or the first free one after it: `a.json`, `a-2.json`, `a-3.json`.
fn place(mut draft: TempPath, folder: &Path, name: &str) -> Result<String, Refusal> {
    for number in 1..10_000 {
        let name = numbered(name, number);
        match draft.persist_noclobber(folder.join(&name)) {
            Ok(()) => return Ok(name),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => draft = error.path,
            Err(error) => return Err(failed(folder, &error.error)),
        }
    }
    Err(Refusal::new(StatusCode::CONFLICT, format!("too many files are called {name:?}")))
}

/// `name` itself, or with a number before its ending.
pub(crate) fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, ending))) => format!("{stem}-{number}.{ending}"),
        (_, None) => format!("{name}-{number}"),
    }
}

fn check_room(folder: &Path, needed: u64, least_free: u64) -> Result<(), Refusal> {
    let free = disk(folder).free_bytes;
    if free < least_free.saturating_add(needed) {
        let words = format!("the disk is too full for this file: {} MB are free", free / 1_000_000);
        return Err(Refusal::new(StatusCode::INSUFFICIENT_STORAGE, words));
    }
    Ok(())
}

fn too_large(limit: u64) -> Refusal {
    let words = format!("the file is larger than {} MB, the most that is taken", limit / 1_000_000);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, words)
}

fn failed(folder: &Path, error: &std::io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Refusal::new(StatusCode::INSUFFICIENT_STORAGE, "the disk is full; nothing was stored")
        }
        _ => {
            let folder: PathBuf = folder.to_owned();
            tracing::error!(%error, "could not store an upload in {}", folder.display());
            let words = format!("the folder {} cannot be written: {error}", folder.display());
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, words)
        }
    }
}
