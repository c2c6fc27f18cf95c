//! Why the database did not do what it was asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// True once SQLite has found damage in the database, whichever question it was that met it.
static DAMAGE_SEEN: AtomicBool = AtomicBool::new(false);

/// True once this process has met damage in its database.
pub fn damage_was_seen() -> bool {
    DAMAGE_SEEN.load(Ordering::Relaxed)
}

/// A question or a change that the database did not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("could not open the database {}", path.display())]
    Open { path: PathBuf, source: Arc<sqlx::Error> },
    #[error("could not bring the database {} to this version", path.display())]
    Migrate { path: PathBuf, source: Arc<sqlx::migrate::MigrateError> },
    /// Nothing was stored; it can be tried again once there is room.
    #[error("the disk that holds the database is full")]
    DiskFull,
    /// Nothing was stored; the disk refuses to write.
    #[error("the disk that holds the database fails")]
    Disk(#[source] Arc<sqlx::Error>),
    /// What is in the file is no whole database any more: it is rebuilt at the next start.
    #[error("the database is damaged")]
    Damaged(#[source] Arc<sqlx::Error>),
    #[error("could not set aside or rebuild the database {}", path.display())]
    Rescue { path: PathBuf, source: Arc<std::io::Error> },
    #[error("the database refused")]
    Query(#[source] Arc<sqlx::Error>),
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// True when the same change may succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::DiskFull | Self::Disk(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        // The primary result code is the low byte: 10 is an I/O error, 11 and 26 damage, 13 a full disk.
        let code = error.as_database_error().and_then(|it| it.code()?.parse::<i32>().ok());
        match code.map(|code| code & 0xff) {
            Some(13) => Self::DiskFull,
            Some(10) => Self::Disk(Arc::new(error)),
            Some(11 | 26) => {
                DAMAGE_SEEN.store(true, Ordering::Relaxed);
                Self::Damaged(Arc::new(error))
            }
            _ => Self::Query(Arc::new(error)),
        }
    }
}
