//! What the appliance itself remembers: accounts, sessions, the wizard's progress, the audit log.
//!
//! One SQLite database, `/var/lib/wats-appliance/appliance.db`, opened by the console. Every
//! statement is in this folder, one file per table; callers see typed functions of [`State`]. The
//! time is always an argument, so that expiry can be tested without waiting.

pub mod accounts;
pub mod audit;
pub mod sessions;
pub mod setup_attempts;
pub mod setup_code;
pub mod wizard;

use std::{path::Path, sync::Arc, time::Duration};

use jiff::Timestamp;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Semaphore;

/// How many passwords are hashed at once; each takes 19 MiB for a moment.
const HASHES_AT_ONCE: usize = 2;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The open database. Clones share it.
#[derive(Debug, Clone)]
pub struct State {
    writer: SqlitePool,
    readers: SqlitePool,
    hashing: Arc<Semaphore>,
}

/// The database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("could not open the appliance's database {path}")]
    Open {
        path: String,
        #[source]
        source: sqlx::Error,
    },
    #[error("could not bring the appliance's database {path} up to date")]
    Migrate {
        path: String,
        #[source]
        source: sqlx::migrate::MigrateError,
    },
    #[error("could not {attempted}")]
    Query {
        attempted: &'static str,
        #[source]
        source: sqlx::Error,
    },
    #[error("could not read back what is stored about {what}")]
    Stored {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("could not get random bytes from the operating system")]
    Random(#[source] getrandom::Error),
    #[error("could not hash the password")]
    Hash(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StateError {
    /// For `map_err`: says what was being attempted when a statement failed.
    fn query(attempted: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { attempted, source }
    }
}

impl State {
    /// Opens the database, makes it when it is missing, and brings its tables up to date.
    ///
    /// # Errors
    /// The folder is missing or not writable, the file is not a database, or it was made by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StateError> {
        let shown = || path.display().to_string();
        let failed = |source| StateError::Open { path: shown(), source };
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(failed)?;
        MIGRATIONS.run(&writer).await.map_err(|source| StateError::Migrate { path: shown(), source })?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await
            .map_err(failed)?;
        Ok(Self { writer, readers, hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)) })
    }

    /// Closes every connection; what was committed is on disk already.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A time from a column. The columns hold only what [`Timestamp::as_millisecond`] gave.
fn time(millisecond: i64) -> Result<Timestamp, StateError> {
    Timestamp::from_millisecond(millisecond)
        .map_err(|source| StateError::Stored { what: "a time", source: source.into() })
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) struct Bench {
        pub(crate) state: State,
        pub(crate) folder: tempfile::TempDir,
    }

    pub(crate) async fn bench() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("appliance.db")).await.unwrap();
        Bench { state, folder }
    }

    /// `seconds` after an arbitrary moment.
    pub(crate) fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_opened_database_promises_that_a_commit_survives_a_power_cut() {
        let bench = testing::bench().await;
        let (journal,): (String,) =
            sqlx::query_as("PRAGMA journal_mode").fetch_one(&bench.state.writer).await.unwrap();
        let (synchronous,): (i64,) =
            sqlx::query_as("PRAGMA synchronous").fetch_one(&bench.state.writer).await.unwrap();
        let (foreign_keys,): (i64,) =
            sqlx::query_as("PRAGMA foreign_keys").fetch_one(&bench.state.writer).await.unwrap();
        assert_eq!((journal.as_str(), synchronous, foreign_keys), ("wal", 2, 1));
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("appliance.db");
        crate::files::replace_file(&path, 0o600, b"this is not a database, it is a text that is long enough")
            .unwrap();
        let error = State::open(&path).await.unwrap_err();
        assert!(error.to_string().contains("appliance.db"), "{error}");
    }

    #[tokio::test]
    async fn opening_twice_keeps_what_is_there() {
        let bench = testing::bench().await;
        let now = testing::at(0);
        bench.state.record(now, None, "tested", "first").await.unwrap();
        bench.state.close().await;
        let again = State::open(&bench.folder.path().join("appliance.db")).await.unwrap();
        assert_eq!(again.audit_log(10).await.unwrap().len(), 1);
    }
}
