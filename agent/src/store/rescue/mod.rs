//! A damaged database: noticed, set aside, and rebuilt from what can be read of it.
//!
//! ```text
//!   damage seen ──► SettingAside ──► PuttingBack ──► Done ──► confirmed by a person: forgotten
//!                   the files move    archived files that
//!                   to a folder,      the new database does
//!                   rows are read     not know are taken
//!                   out of them       in once more
//! ```
//!
//! Each step can be done again after a crash; how far it has come stands in a file beside the database. Nothing that
//! was set aside is ever changed or deleted. Reports keep their ids, so what is sent once more replaces itself.

mod salvage;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions, Connection};

use super::{Store, StoreError, options};
use crate::files::{self, folder_of};

/// The file in which a rescue is recorded until a person confirms it.
const RECORD: &str = "rescue.json";
/// A database up to this size is checked as a whole before each start; a larger one while the agent runs.
pub(super) const SMALL: u64 = 32 << 20;
/// A file whose name begins with the number of a file lies in a folder of one of the newest days.
const NEWEST_DAYS: usize = 2;

/// What was done about a damaged database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rescue {
    #[schemars(with = "crate::control::api::Time")]
    pub at: Timestamp,
    /// What was wrong, in plain words.
    pub why: String,
    /// The folder in which the damaged files lie; absent when there was nothing to set aside.
    pub set_aside: Option<PathBuf>,
    pub phase: Phase,
    /// How many rows of each table could be read.
    pub rows: BTreeMap<String, u64>,
    /// Archived files that were put into their folders again.
    pub put_back: u64,
    /// Archived files of which nobody knows any more which source they came from: they stay in the archive.
    pub unplaced: u64,
    /// Files whose reports were lost and that are in no archive.
    pub gone: u64,
}

/// How far a rescue has come; see the drawing above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    SettingAside,
    PuttingBack,
    Done,
}

impl Rescue {
    /// The rescue that no person has confirmed yet.
    ///
    /// # Errors
    /// When the record is there and cannot be read.
    pub fn read(storage: &Path) -> io::Result<Option<Self>> {
        match fs::read(storage.join(RECORD)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the record.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, storage: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        files::replace_file(&storage.join(RECORD), 0o640, &bytes)
    }

    /// A person has seen it: the record goes to what was set aside.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn confirm(&self, storage: &Path) -> io::Result<()> {
        if let Some(folder) = &self.set_aside {
            let bytes = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
            files::replace_file(&folder.join(RECORD), 0o640, &bytes)?;
        }
        fs::remove_file(storage.join(RECORD))?;
        files::sync_folder(storage)
    }

    /// For health, until it is confirmed.
    pub fn words(&self) -> String {
        let at = self.at.strftime("%Y-%m-%d %H:%M UTC");
        let rows = |table: &str| self.rows.get(table).copied().unwrap_or(0);
        let mut words = format!(
            "{why} ({at}): it was rebuilt with {files} files, {reports} reports and {records} records of the ledger",
            why = self.why,
            files = rows("file"),
            reports = rows("report"),
            records = rows("ledger"),
        );
        match self.phase {
            Phase::Done => {
                words.push_str(&format!(", and {} archived files were taken in once more", self.put_back))
            }
            Phase::SettingAside | Phase::PuttingBack => {
                words.push_str("; the archive is being looked through")
            }
        }
        if self.unplaced > 0 {
            words.push_str(&format!(
                ". {} archived files belong to no source that is known: put them into their folders by hand",
                self.unplaced
            ));
        }
        if self.gone > 0 {
            words.push_str(&format!(
                ". The reports of {} files that were not archived may be lost: the ledger names them",
                self.gone
            ));
        }
        if let Some(folder) = &self.set_aside {
            words.push_str(&format!(". The damaged one lies in {}", folder.display()));
        }
        words.push_str(". When you have seen this: wats-agent rescue --confirm");
        words
    }
}

/// Opens the database; a damaged one is set aside and rebuilt first.
///
/// # Errors
/// When the disk fails, or the database was made by a newer version.
pub async fn open(database: &Path, archive: &Path, now: Timestamp) -> Result<Store, StoreError> {
    let storage = folder_of(database);
    let failed =
        |source| StoreError::Rescue { path: database.to_owned(), source: std::sync::Arc::new(source) };
    let begun = Rescue::read(storage).map_err(failed)?.filter(|it| it.phase == Phase::SettingAside);
    let rescue = match begun {
        Some(rescue) => Some(rescue),
        None => begin(database, archive, now).await?,
    };
    if let Some(mut rescue) = rescue {
        tracing::error!("{}", rescue.why);
        rescue.write(storage).map_err(failed)?;
        if let Some(folder) = &rescue.set_aside {
            set_aside(database, folder).map_err(failed)?;
        }
        let newest = newest_archived(archive).map_err(failed)?;
        salvage::rebuild(database, &mut rescue, newest).await?;
        rescue.phase = Phase::PuttingBack;
        rescue.write(storage).map_err(failed)?;
    }
    forget_suspicion(database).map_err(failed)?;
    Store::open(database).await
}

/// Looks whether the database is whole, and says what is to be done when it is not.
async fn begin(database: &Path, archive: &Path, now: Timestamp) -> Result<Option<Rescue>, StoreError> {
    let failed =
        |source| StoreError::Rescue { path: database.to_owned(), source: std::sync::Arc::new(source) };
    let saved = beside(database, SAVED);
    let mut why = None;
    if saved.exists() && !database.exists() {
        fs::rename(&saved, database).map_err(failed)?;
        files::sync_folder(folder_of(database)).map_err(failed)?;
        why = Some(("the database was deleted while the agent ran, and saved from memory".to_owned(), false));
    }
    if database.exists()
        && let Some(words) = damage(database).await?
    {
        why = Some((format!("the database was damaged ({words})"), true));
    }
    if why.is_none() {
        let newest = newest_archived(archive).map_err(failed)?;
        if newest > last_file(database).await? {
            let exists = database.exists();
            let words =
                if exists { "the database has lost its newest records" } else { "the database was gone" };
            why = Some((words.to_owned(), exists));
        }
    }
    Ok(why.map(|(why, aside)| Rescue {
        at: now,
        why,
        set_aside: aside
            .then(|| folder_of(database).join(format!("damaged-{}", now.strftime("%Y%m%dT%H%M%SZ")))),
        phase: Phase::SettingAside,
        rows: BTreeMap::new(),
        put_back: 0,
        unplaced: 0,
        gone: 0,
    }))
}

/// What is wrong with a database that is there; `None` when nothing is, as far as a look tells.
async fn damage(database: &Path) -> Result<Option<String>, StoreError> {
    let looked = async {
        let mut connection = options(database).connect().await?;
        let suspected = beside(database, SUSPECT).exists();
        let small = fs::metadata(database).is_ok_and(|it| it.len() <= SMALL);
        let words = match (suspected, small) {
            (true, _) => check(&mut connection, "PRAGMA integrity_check(1)").await?,
            (false, true) => check(&mut connection, "PRAGMA quick_check(1)").await?,
            (false, false) => {
                sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await?;
                None
            }
        };
        connection.close().await?;
        Ok::<_, sqlx::Error>(words)
    };
    match looked.await {
        Ok(words) => Ok(words),
        Err(error) => match StoreError::from(error) {
            StoreError::Damaged(error) => Ok(Some(error.to_string())),
            _ => Ok(None),
        },
    }
}

/// Asks SQLite to look through the whole database.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    pragma: &'static str,
) -> Result<Option<String>, sqlx::Error> {
    let words: String = sqlx::query_scalar(pragma).fetch_one(connection).await?;
    Ok((words != "ok").then(|| words.lines().next().unwrap_or_default().to_owned()))
}

/// The highest number that a file ever got; 0 without a database.
async fn last_file(database: &Path) -> Result<i64, StoreError> {
    if !database.exists() {
        return Ok(0);
    }
    let mut connection = options(database).connect().await.map_err(StoreError::from)?;
    let query = "SELECT seq FROM sqlite_sequence WHERE name = 'file'";
    // Without the table nothing was ever stored.
    let last: Option<i64> = sqlx::query_scalar(query).fetch_optional(&mut connection).await.unwrap_or(None);
    connection.close().await.map_err(StoreError::from)?;
    Ok(last.unwrap_or(0))
}

/// The highest number of a file in the archive; 0 when it is empty.
fn newest_archived(archive: &Path) -> io::Result<i64> {
    let names = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(folder) {
            Ok(entries) => entries.map(|entry| entry.map(|it| it.path())).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    };
    let mut days: Vec<_> = names(archive)?.into_iter().filter(|it| it.is_dir()).collect();
    days.sort();
    let mut newest = 0;
    for day in days.iter().rev().take(NEWEST_DAYS) {
        newest = names(day)?.iter().filter_map(|it| number(it)).fold(newest, i64::max);
    }
    Ok(newest)
}

/// The number of an archived file, that its name begins with.
pub(crate) fn number(archived: &Path) -> Option<i64> {
    archived.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

/// Moves the damaged files away, whatever of them is still there.
fn set_aside(database: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for ending in ["-wal", "-shm", ""] {
        let from = beside(database, ending);
        match fs::rename(&from, folder.join(from.file_name().unwrap_or_default())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    files::sync_folder(folder)?;
    files::sync_folder(folder_of(database))
}

/// What is added to the database's name for the file that says that it may be damaged.
const SUSPECT: &str = ".suspect";
/// And for the copy that was saved when somebody had deleted it under the running agent.
pub(super) const SAVED: &str = ".saved";

pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Notes that the database is to be looked at closely before it is used again.
///
/// # Errors
/// Those of the file system.
pub fn suspect(database: &Path, words: &str) -> io::Result<()> {
    files::replace_file(&beside(database, SUSPECT), 0o640, words.as_bytes())
}

fn forget_suspicion(database: &Path) -> io::Result<()> {
    match fs::remove_file(beside(database, SUSPECT)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
