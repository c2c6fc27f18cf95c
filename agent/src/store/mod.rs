//! The agent's database: input files, reports, and how far each has come.
//!
//! Nothing outside this module writes SQL. Reading goes through a few read-only connections; every
//! change goes through one writer that puts many changes into one transaction, because a commit waits
//! for the disk. A change is durable when its call returns.

mod bulk;
mod dead_letters;
mod error;
mod files;
mod ledger;
mod lists;
mod reports;
mod retention;
mod rows;
mod sending;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use error::StoreError;
pub use files::{Finished, Known, Made, NewFile, Recorded};
pub use ledger::{Ledger, LedgerError};
pub use lists::{Newest, SourceTotals};
pub use reports::{Attempt, Due, DueHead, MoveError, NewReport, Sent, Waiting};
pub use retention::Delivered;
use sending::Sending;
use writer::Writer;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");

/// The open database. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct Store {
    readers: SqlitePool,
    writer: Writer,
    sending: Sending,
}

impl Store {
    /// Opens the database, makes it if it is not there, and brings it to this version.
    ///
    /// # Errors
    /// When the file cannot be used, or was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: path.to_owned(), source: Arc::new(source) };
        let mut connection = options(path).connect().await.map_err(failed)?;
        MIGRATIONS
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|source| StoreError::Migrate { path: path.to_owned(), source: Arc::new(source) })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options(path).read_only(true))
            .await
            .map_err(failed)?;
        Ok(Self { readers, writer: Writer::start(connection), sending: Sending::default() })
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

/// The one place for how the database is opened.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit that was answered must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .disable_statement_logging()
}
