//! After the database was rebuilt: archived files that it does not know go back into their folders, to be taken again.
//!
//! Their reports get the ids that they had, so what the server has already is replaced by itself.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{moves, retention, zipped};
use crate::Agent;
use crate::config::Settings;
use crate::control::api::{SourceSettings, Unit};
use crate::control::upload::numbered;
use crate::files::{self, Folders, Stamp};
use crate::intake;
use crate::store::{self, Phase, Rescue};

/// No source takes a larger file.
const LARGEST: u64 = 1 << 30;

/// The name of this part's alarm.
pub(crate) const ALARM: &str = "rescue";

/// Ends a rescue that was begun when the database was opened, and keeps its alarm up.
///
/// # Errors
/// When the archive cannot be read, or the record cannot be written; to be started again.
pub(crate) async fn run(agent: Agent) -> Result<(), String> {
    let storage = agent.settings().storage_folder();
    let words = |error: io::Error| format!("the archive cannot be looked through: {error}");
    let Some(mut rescue) = Rescue::read(&storage).map_err(words)? else { return Ok(()) };
    agent.set_alarm(ALARM, Some(rescue.words()));
    if rescue.phase == Phase::Done {
        return Ok(());
    }
    let archive = agent.settings().archive_folder();
    let known = agent.store().archived_places().await.map_err(|error| crate::error_chain(&error))?;
    let known: HashSet<PathBuf> =
        known.iter().filter_map(|kept_at| retention::place(&archive, kept_at)).collect();
    let files = tokio::task::spawn_blocking(move || unknown(&archive, &known));
    let files = files.await.map_err(|error| error.to_string())?.map_err(words)?;
    let contents = files.iter().filter_map(|it| it.sha256.clone()).collect();
    let sources = agent.store().sources_of(&contents).await.map_err(|error| crate::error_chain(&error))?;
    for Unknown { path, sha256 } in files {
        let settings = agent.settings();
        let Some(source) = source_of(&settings, &path, sha256.and_then(|it| sources.get(&it))) else {
            rescue.unplaced += 1;
            tracing::warn!("{} belongs to no source that is known", path.display());
            continue;
        };
        let file = path.clone();
        let moved = tokio::task::spawn_blocking(move || put_back(&settings, &source, &file)).await;
        match moved.map_err(io::Error::other).flatten() {
            Ok(()) => rescue.put_back += 1,
            Err(error) => {
                rescue.unplaced += 1;
                tracing::error!(%error, "{} cannot be put back into its folder", path.display());
            }
        }
    }
    rescue.phase = Phase::Done;
    rescue.write(&storage).map_err(words)?;
    tracing::warn!("{}", rescue.words());
    agent.set_alarm(ALARM, Some(rescue.words()));
    Ok(())
}

/// An archived file, or folder of a unit, that the database does not know.
struct Unknown {
    path: PathBuf,
    /// Of a file that could be read.
    sha256: Option<String>,
}

/// All of them, in the order in which they came: of two reports with one id the later must win again.
fn unknown(archive: &Path, known: &HashSet<PathBuf>) -> io::Result<Vec<Unknown>> {
    let mut found: Vec<PathBuf> = Vec::new();
    let days = match fs::read_dir(archive) {
        Ok(days) => days,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    for day in days {
        let day = day?.path();
        if !day.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&day)? {
            let path = entry?.path();
            if store::number(&path).is_some() && !known.contains(&path) {
                found.push(path);
            }
        }
    }
    found.sort_by_key(|path| store::number(path));
    let content = |path: &Path| match zipped::read(path, LARGEST) {
        Ok(Some(bytes)) => Some(bytes),
        _ => fs::read(path).ok(),
    };
    let read = |path: PathBuf| Unknown { sha256: content(&path).map(|it| files::sha256(&it)), path };
    Ok(found.into_iter().map(read).collect())
}

/// The source that the ledger names for the content; else the only one whose patterns the name fits.
fn source_of(settings: &Settings, file: &Path, by_ledger: Option<&String>) -> Option<SourceSettings> {
    if let Some(source) = by_ledger.and_then(|name| settings.source(name)) {
        return Some(source.clone());
    }
    let (name, is_unit) = (own_name(file), file.is_dir());
    let fits = |source: &&SourceSettings| match settings.effective(source).unit() {
        Unit::File => !is_unit && intake::takes(&settings.effective(source), &name),
        Unit::FileAndFolder | Unit::Folder => is_unit,
    };
    let mut fitting = settings.config.sources.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    }
}

/// The name without the number that the archive put before it, and without what compressing added.
fn own_name(archived: &Path) -> String {
    let plain = matches!(zipped::read(archived, LARGEST), Ok(Some(_))).then(|| archived.with_extension(""));
    let archived = plain.as_deref().unwrap_or(archived);
    let name = archived.file_name().unwrap_or_default().to_string_lossy().into_owned();
    name.split_once('-').map_or(name.clone(), |(_, own)| own.to_owned())
}

/// Moves an archived file, or what is in the folder of a unit, into the folder of its source, over nothing.
fn put_back(settings: &Settings, source: &SourceSettings, archived: &Path) -> io::Result<()> {
    let folder = settings.folder_of(source);
    fs::create_dir_all(&folder)?;
    if archived.is_dir() {
        // The head last: until it is there, nobody takes what is not all there.
        let mut parts: Vec<PathBuf> =
            fs::read_dir(archived)?.map(|entry| entry.map(|it| it.path())).collect::<io::Result<_>>()?;
        parts.sort_by_key(|part| part.is_file());
        for part in &parts {
            let to = folder.join(part.file_name().unwrap_or_default());
            if fs::symlink_metadata(&to).is_ok() {
                let words = format!("{} is there already", to.display());
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, words));
            }
        }
        for part in &parts {
            fs::rename(part, folder.join(part.file_name().unwrap_or_default()))?;
        }
        fs::remove_dir(archived)?;
        return files::sync_folder(&folder);
    }
    if let Some(bytes) = zipped::read(archived, LARGEST)? {
        return put_unzipped_back(&folder, source, archived, &bytes);
    }
    let (name, stamp) = (own_name(archived), Stamp::of(&fs::symlink_metadata(archived)?));
    let mut to = folder.join(&name);
    for number in 2.. {
        let mut folders = Folders::default();
        match moves::move_file(archived, stamp, &to, &mut folders).and_then(|()| folders.sync()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {
                to = folder.join(numbered(&name, number));
            }
            moved => return moved.and_then(|()| intake::mark(&to, source)),
        }
    }
    Ok(())
}

/// The content of a compressed file, under the name that it had.
fn put_unzipped_back(
    folder: &Path,
    source: &SourceSettings,
    archived: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let name = own_name(archived);
    for number in 1.. {
        let to = folder.join(numbered(&name, number));
        match files::create_file(&to, 0o660, bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 10_000 => {}
            made => {
                made?;
                fs::remove_file(archived)?;
                return intake::mark(&to, source);
            }
        }
    }
    Ok(())
}

/// A person has seen what was done: the alarm ends, the record goes to the damaged files.
///
/// # Errors
/// When the record cannot be moved.
pub(crate) fn confirm(agent: &Agent) -> io::Result<Option<Rescue>> {
    let storage = agent.settings().storage_folder();
    let Some(rescue) = Rescue::read(&storage)? else { return Ok(None) };
    if rescue.phase == Phase::Done {
        rescue.confirm(&storage)?;
        agent.set_alarm(ALARM, None);
    }
    Ok(Some(rescue))
}
