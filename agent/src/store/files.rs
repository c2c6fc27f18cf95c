//! The table `file`: what was found, what came of it, where it lies now.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::reports::{self, NewReport};
use super::rows::ms;
use super::{Store, StoreError, ledger};
use crate::control::api::FileState;
use crate::files::Stamp;
use crate::ledger::{Event, Record};

/// A settled file.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub source: String,
    pub converter: String,
    /// The source's arguments as a JSON object with sorted keys.
    pub arguments: String,
    pub path: PathBuf,
    pub stamp: Stamp,
    /// Lower-case hexadecimal; empty where the content was not read.
    pub sha256: String,
    pub received_at: Timestamp,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// To be converted, under this number.
    Convert { id: i64 },
    /// The same content was converted before: only the file must be put away.
    Duplicate { id: i64, of: i64 },
}

/// A file that was seen before, as it is on disk now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub id: i64,
    pub state: FileState,
    /// It needs no more care.
    pub put_away: bool,
    pub path: PathBuf,
    pub stamp: Stamp,
    pub sha256: String,
    pub received_at: Timestamp,
    pub error: Option<String>,
}

impl Store {
    /// What is known of a file as it lies there now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known(&self, source: &str, path: &Path, stamp: Stamp) -> Result<Option<Known>, StoreError> {
        let row: Option<KnownRow> = sqlx::query_as(
            "SELECT id, state, put_away, path, device, inode, size_bytes, modified_ns, sha256, received_at, error
               FROM file
              WHERE source = ?1 AND path = ?2 AND device = ?3 AND inode = ?4 AND size_bytes = ?5
                AND modified_ns = ?6
              ORDER BY id DESC LIMIT 1",
        )
        .bind(source)
        .bind(path.as_os_str().as_bytes())
        .bind(stamp.device.cast_signed())
        .bind(stamp.inode.cast_signed())
        .bind(stamp.size.cast_signed())
        .bind(stamp.modified_ns)
        .fetch_optional(&self.readers)
        .await?;
        row.map(KnownRow::known).transpose().map_err(StoreError::from)
    }

    /// The files of a source that were not finished when the agent ended, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unfinished(&self, source: &str) -> Result<Vec<Known>, StoreError> {
        let rows: Vec<KnownRow> = sqlx::query_as(
            "SELECT id, state, put_away, path, device, inode, size_bytes, modified_ns, sha256, received_at, error
               FROM file WHERE source = ?1 AND put_away = 0 ORDER BY id",
        )
        .bind(source)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.known().map_err(StoreError::from)).collect()
    }

    /// The newest failed file of a source with this content, and where it was put.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn failed_twin(
        &self,
        source: &str,
        sha256: &str,
    ) -> Result<Option<(i64, PathBuf)>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT id, coalesce(kept_at, path) FROM file INDEXED BY file_failed
              WHERE sha256 = ?1 AND source = ?2 AND state = 'failed' AND put_away = 1
              ORDER BY id DESC LIMIT 1",
        )
        .bind(sha256)
        .bind(source)
        .fetch_optional(&self.readers)
        .await?;
        Ok(row.map(|(id, path)| (id, to_path(path))))
    }

    /// Where a file lies now, as far as the agent knows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn whereabouts(&self, id: i64) -> Result<Option<PathBuf>, StoreError> {
        let path: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT coalesce(kept_at, path) FROM file WHERE id = ?1")
                .bind(id)
                .fetch_optional(&self.readers)
                .await?;
        Ok(path.map(to_path))
    }

    /// Where a file lay when it was found.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn found_at(&self, id: i64) -> Result<Option<PathBuf>, StoreError> {
        let path: Option<Vec<u8>> = sqlx::query_scalar("SELECT path FROM file WHERE id = ?1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        Ok(path.map(to_path))
    }

    /// Records a file: after this it is the agent's responsibility.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn claim(&self, file: NewFile) -> Result<Claim, StoreError> {
        self.writer.write(|db| Box::pin(claim(db, file))).await
    }

    /// Records a file that cannot even be tried: too large, empty. Answers its number.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn refuse(&self, file: NewFile, error: String) -> Result<i64, StoreError> {
        self.writer.write(|db| Box::pin(refuse(db, file, error))).await
    }

    /// Stores all reports of a file and marks it converted, both or neither.
    ///
    /// Answers the number of another file with the same content that was quicker, if there is one:
    /// then nothing more was stored than that.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn converted(
        &self,
        id: i64,
        reports: Vec<NewReport>,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        self.writer.write(move |db| Box::pin(converted(db, id, reports, now))).await
    }

    /// Marks a claimed file failed, with the words for a person.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn failed(&self, id: i64, error: String) -> Result<(), StoreError> {
        let change = "UPDATE file SET state = 'failed', error = ?2 WHERE id = ?1 AND state = 'claimed'";
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let changed = sqlx::query(change).bind(id).bind(&error).execute(&mut *db).await?;
                    if changed.rows_affected() > 0 { failure(db, id, error).await } else { Ok(()) }
                })
            })
            .await
    }

    /// Records that a finished file was put away, and where it lies now; `None`: where it was, or gone.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn put_away(&self, id: i64, kept_at: Option<PathBuf>) -> Result<(), StoreError> {
        let change = "UPDATE file SET put_away = 1, kept_at = ?2 WHERE id = ?1 AND state <> 'claimed'";
        let kept_at = kept_at.map(|path| path.into_os_string().into_vec());
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    sqlx::query(change).bind(id).bind(kept_at).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Makes a failed file a claimed one again, now that it lies at `path`.
    ///
    /// Answers false when it is not failed any more.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn reclaim(&self, id: i64, path: PathBuf, stamp: Stamp) -> Result<bool, StoreError> {
        let change =
            "UPDATE file SET state = 'claimed', error = NULL, put_away = 0, kept_at = NULL, path = ?2,
                             device = ?3, inode = ?4, size_bytes = ?5, modified_ns = ?6
                       WHERE id = ?1 AND state = 'failed'";
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let changed = sqlx::query(change)
                        .bind(id)
                        .bind(path.into_os_string().into_vec())
                        .bind(stamp.device.cast_signed())
                        .bind(stamp.inode.cast_signed())
                        .bind(stamp.size.cast_signed())
                        .bind(stamp.modified_ns)
                        .execute(db)
                        .await?;
                    Ok(changed.rows_affected() > 0)
                })
            })
            .await
    }

    /// Forgets a file that gave no reports: its content is gone, or comes again as another file.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn forget(&self, id: i64) -> Result<(), StoreError> {
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM file WHERE id = ?1 AND state <> 'converted'")
                        .bind(id)
                        .execute(db)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn claim(db: &mut SqliteConnection, file: NewFile) -> Result<Claim, sqlx::Error> {
    if let Some(id) = drop_old_claims(db, &file).await? {
        return Ok(Claim::Convert { id });
    }
    match converted_twin(db, &file.sha256, &file.converter, &file.arguments).await? {
        None => Ok(Claim::Convert { id: insert(db, file, FileState::Claimed, None).await? }),
        Some(of) => {
            let id = insert(db, file, FileState::Claimed, None).await?;
            mark_duplicate(db, id, of).await?;
            Ok(Claim::Duplicate { id, of })
        }
    }
}

async fn refuse(db: &mut SqliteConnection, file: NewFile, error: String) -> Result<i64, sqlx::Error> {
    let id = match drop_old_claims(db, &file).await? {
        None => insert(db, file, FileState::Failed, Some(error.clone())).await?,
        Some(id) => {
            let change = "UPDATE file SET state = 'failed', error = ?2 WHERE id = ?1";
            sqlx::query(change).bind(id).bind(&error).execute(&mut *db).await?;
            id
        }
    };
    failure(db, id, error).await?;
    Ok(id)
}

/// Records in the ledger that a file could not be converted.
async fn failure(db: &mut SqliteConnection, id: i64, error: String) -> Result<(), sqlx::Error> {
    let mut record = ledger::about_file(db, Event::Failed, id).await?;
    record.words = Some(error);
    ledger::append(db, record).await
}

async fn converted(
    db: &mut SqliteConnection,
    id: i64,
    reports: Vec<NewReport>,
    now: Timestamp,
) -> Result<Option<i64>, sqlx::Error> {
    let (sha256, converter, arguments): (String, String, String) =
        sqlx::query_as("SELECT sha256, converter, arguments FROM file WHERE id = ?1 AND state = 'claimed'")
            .bind(id)
            .fetch_one(&mut *db)
            .await?;
    if let Some(twin) = converted_twin(db, &sha256, &converter, &arguments).await? {
        mark_duplicate(db, id, twin).await?;
        return Ok(Some(twin));
    }
    let count = i64::try_from(reports.len()).unwrap_or(i64::MAX);
    let about = ledger::about_file(db, Event::Converted, id).await?;
    for report in reports {
        let mut record = Record { at: now, ..about.clone() };
        record.report_id = Some(report.id.to_string());
        record.report_sha256 = Some(crate::files::sha256(&report.body));
        record.serial_number = Some(report.serial_number.clone());
        record.part_number = Some(report.part_number.clone());
        record.result = Some(report.result.clone());
        reports::store(db, id, report, now).await?;
        ledger::append(db, record).await?;
    }
    sqlx::query("UPDATE file SET state = 'converted', reports = ?2 WHERE id = ?1")
        .bind(id)
        .bind(count)
        .execute(db)
        .await?;
    Ok(None)
}

/// Finds the claim of this very content at this place, and forgets claims of what lay there before.
async fn drop_old_claims(db: &mut SqliteConnection, file: &NewFile) -> Result<Option<i64>, sqlx::Error> {
    let claims: Vec<(i64, bool)> = sqlx::query_as(
        "SELECT id, sha256 = ?3 AND inode = ?4 AND modified_ns = ?5 FROM file
          WHERE source = ?1 AND path = ?2 AND state = 'claimed'",
    )
    .bind(&file.source)
    .bind(file.path.as_os_str().as_bytes())
    .bind(&file.sha256)
    .bind(file.stamp.inode.cast_signed())
    .bind(file.stamp.modified_ns)
    .fetch_all(&mut *db)
    .await?;
    let mut same = None;
    for (id, is_same) in claims {
        if is_same && same.is_none() {
            same = Some(id);
            // The source may have got another converter or other arguments since.
            sqlx::query("UPDATE file SET converter = ?2, arguments = ?3 WHERE id = ?1")
                .bind(id)
                .bind(&file.converter)
                .bind(&file.arguments)
                .execute(&mut *db)
                .await?;
        } else {
            sqlx::query("DELETE FROM file WHERE id = ?1").bind(id).execute(&mut *db).await?;
        }
    }
    Ok(same)
}

/// The file whose reports this content already gave.
async fn converted_twin(
    db: &mut SqliteConnection,
    sha256: &str,
    converter: &str,
    arguments: &str,
) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT id FROM file
          WHERE sha256 = ?1 AND converter = ?2 AND arguments = ?3 AND state = 'converted'
            AND duplicate_of IS NULL LIMIT 1",
    )
    .bind(sha256)
    .bind(converter)
    .bind(arguments)
    .fetch_optional(db)
    .await
}

async fn mark_duplicate(db: &mut SqliteConnection, id: i64, of: i64) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE file SET state = 'converted', duplicate_of = ?2 WHERE id = ?1")
        .bind(id)
        .bind(of)
        .execute(&mut *db)
        .await?;
    let record = ledger::about_file(db, Event::Duplicate, id).await?;
    ledger::append(db, record).await
}

async fn insert(
    db: &mut SqliteConnection,
    file: NewFile,
    state: FileState,
    error: Option<String>,
) -> Result<i64, sqlx::Error> {
    let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    sqlx::query_scalar(
        "INSERT INTO file (source, converter, arguments, path, name, device, inode, size_bytes, modified_ns,
                           sha256, state, received_at, error)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id",
    )
    .bind(file.source)
    .bind(file.converter)
    .bind(file.arguments)
    .bind(file.path.into_os_string().into_vec())
    .bind(name)
    .bind(file.stamp.device.cast_signed())
    .bind(file.stamp.inode.cast_signed())
    .bind(file.stamp.size.cast_signed())
    .bind(file.stamp.modified_ns)
    .bind(file.sha256)
    .bind(state.word())
    .bind(ms(file.received_at))
    .bind(error)
    .fetch_one(db)
    .await
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    id: i64,
    state: String,
    put_away: bool,
    path: Vec<u8>,
    device: i64,
    inode: i64,
    size_bytes: i64,
    modified_ns: i64,
    sha256: String,
    received_at: i64,
    error: Option<String>,
}

impl KnownRow {
    fn known(self) -> Result<Known, sqlx::Error> {
        Ok(Known {
            id: self.id,
            state: super::rows::file_state(&self.state)?,
            put_away: self.put_away,
            path: to_path(self.path),
            stamp: Stamp {
                device: self.device.cast_unsigned(),
                inode: self.inode.cast_unsigned(),
                size: self.size_bytes.cast_unsigned(),
                modified_ns: self.modified_ns,
            },
            sha256: self.sha256,
            received_at: super::rows::time(self.received_at),
            error: self.error,
        })
    }
}

fn to_path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}
