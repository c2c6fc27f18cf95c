//! The agent's database: input files, reports, and how far each has come.
//!
//! Nothing outside this module writes SQL. Reading goes through a few read-only connections; every
//! change goes through one writer that puts many changes into one transaction, because a commit waits
//! for the disk. A change is durable when its call returns.

mod body;
mod bulk;
mod dead_letters;
mod error;
mod files;
mod ledger;
mod lists;
mod notes;
mod replay;
mod reports;
mod rescue;
mod retention;
mod rows;
mod sending;
mod spool;
#[cfg(test)]
mod tests;
mod writer;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::control::api::QueueCounts;
use crate::system;
pub use body::Body;
pub(crate) use body::Packer;
pub use error::{StoreError, damage_was_seen};
pub use files::{Finished, Known, Made, NewFile, Recorded};
pub use ledger::{Ledger, LedgerError};
pub use lists::{Newest, SourceTotals};
pub use notes::Note;
pub(crate) use notes::version as plugin_version;
pub use replay::{Archived, is_replayed};
pub use reports::{Attempt, Due, DueHead, MoveError, NewReport, Sent, Waiting};
pub(crate) use rescue::number;
pub use rescue::{Phase, Rescue, open as open_or_rescue, suspect};
pub use retention::Delivered;
use sending::Sending;
pub use spool::Reports;
use writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// The open database. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct Store {
    path: Arc<Path>,
    /// The file that was opened, and its log.
    itself: [Option<(u64, u64)>; 2],
    readers: SqlitePool,
    writer: Writer,
    sending: Sending,
    /// The reports as they were counted last, and until when that will do.
    counted: Arc<tokio::sync::Mutex<Option<(QueueCounts, Instant)>>>,
}

impl Store {
    /// Opens the database, makes it if it is not there, and brings it to this version.
    ///
    /// # Errors
    /// When the file cannot be used, or was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        // A group of files with its reports has room.
        let mut connection = options(path).pragma("cache_size", "-8000").connect().await.map_err(failed)?;
        MIGRATIONS
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|source| StoreError::Migrate { path: path.to_owned(), source: Arc::new(source) })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            // There is no network between that could have broken: a question would cost as much as the query.
            .test_before_acquire(false)
            .connect_with(options(path).read_only(true))
            .await
            .map_err(failed)?;
        let itself = files_of(path);
        let writer = Writer::start(connection);
        Ok(Self {
            path: Arc::from(path),
            itself,
            readers,
            writer,
            sending: Sending::default(),
            counted: Arc::default(),
        })
    }

    /// Has SQLite look through the whole database, which takes as long as reading it.
    ///
    /// # Errors
    /// When it is damaged, or does not answer.
    pub async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.readers.acquire().await?;
        match rescue::check(&mut connection, "PRAGMA quick_check(1)").await? {
            None => Ok(()),
            Some(words) => Err(StoreError::Damaged(Arc::new(sqlx::Error::Protocol(words)))),
        }
    }

    /// True when the database is too large to be checked before each start.
    pub fn is_large(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|it| it.len() > rescue::SMALL)
    }

    /// True when somebody has deleted or replaced the files under us: what is stored now goes nowhere.
    pub fn is_torn(&self) -> bool {
        files_of(&self.path) != self.itself
    }

    /// Writes all that a torn database holds to a file beside it, which the next start takes up.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn save(&self) -> Result<PathBuf, StoreError> {
        let (draft, saved) =
            (rescue::beside(&self.path, ".saved-draft"), rescue::beside(&self.path, rescue::SAVED));
        let failed = |source| StoreError::Rescue { path: saved.clone(), source: Arc::new(source) };
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let into = draft.to_string_lossy().into_owned();
        // Through a reader: these, too, still have the old files open, and the writer may be in the middle of a change.
        let mut reader = self.readers.acquire().await?;
        sqlx::query("VACUUM INTO ?1").bind(into).execute(&mut *reader).await?;
        // Windows flushes only what is open to be written.
        let written = fs::File::options().write(true).open(&draft);
        written.and_then(|it| it.sync_all()).map_err(failed)?;
        fs::rename(&draft, &saved).map_err(failed)?;
        crate::files::sync_folder(crate::files::folder_of(&saved)).map_err(failed)?;
        Ok(saved)
    }

    /// Finishes what was asked for and closes the database.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// True once the writer is gone: nothing can be stored any more.
    pub fn is_closed(&self) -> bool {
        self.writer.is_closed()
    }
}

/// Device and inode of the database and of its log.
fn files_of(path: &Path) -> [Option<(u64, u64)>; 2] {
    let id = |path: &Path| system::identity_of(path).ok();
    [id(path), id(&rescue::beside(path, "-wal"))]
}

/// The one place for how the database is opened.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What a statement might have to undo stays in memory.
        .pragma("temp_store", "memory")
        // A page that changes with every file, or for some file every moment, is written into the database once for many
        // changes. So the log has up to 64 MB, which a start reads in a fraction of a second.
        .pragma("wal_autocheckpoint", "16000")
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging()
}
