//! The table `file`: what was found, what came of it, where it lies now.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::notes::{self, Note};
use super::reports::{self, NewReport, Stored};
use super::rows::ms;
use super::spool::Reports;
use super::{Store, StoreError, bulk, ledger};
use crate::control::api::{After, FileState};
use crate::files::{Stamp, hex};
use crate::ledger::{Event, Record};
use crate::system;

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
    /// What a plug-in said about it.
    pub note: Option<Box<Note>>,
}

/// A file that was worked on, and what came of it.
#[derive(Debug, Clone)]
pub struct Finished {
    pub file: NewFile,
    pub made: Made,
}

/// What a file gave.
#[derive(Debug, Clone)]
pub enum Made {
    Reports(Reports),
    /// Nothing, with the words for a person.
    Failed(String),
}

/// How a finished file was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    pub id: i64,
    /// The file with the same content that was quicker: its reports are the only ones.
    pub duplicate_of: Option<i64>,
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
    /// What a plug-in wants done with it, instead of what the source says.
    pub after: Option<After>,
    /// The plug-in, by its SHA-256, that left it where it is.
    pub left_by: Option<String>,
}

impl Store {
    /// What is known of files of a source as they lie there now, one answer for each.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known(
        &self,
        source: &str,
        files: &[(&Path, Stamp)],
    ) -> Result<Vec<Option<Known>>, StoreError> {
        let wanted =
            files.iter().map(|(path, stamp)| (hex(&system::bytes(path.as_os_str())), stamp.modified_ns));
        let rows: Vec<KnownRow> =
            sqlx::query_as(KNOWN).bind(source).bind(bulk::list(wanted)).fetch_all(&self.readers).await?;
        let rows = rows.into_iter().map(KnownRow::known).collect::<Result<Vec<_>, _>>()?;
        let newest =
            |path: &Path, stamp| rows.iter().rfind(|it| it.path == path && it.stamp == stamp).cloned();
        Ok(files.iter().map(|(path, stamp)| newest(path, *stamp)).collect())
    }

    /// The files of a source that were not finished when the agent ended, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn unfinished(&self, source: &str) -> Result<Vec<Known>, StoreError> {
        let rows: Vec<KnownRow> = sqlx::query_as(
            "SELECT id, state, put_away, path, device, inode, size_bytes, modified_ns, sha256, received_at, error,
                    n.after, n.program, n.outcome
               FROM file LEFT JOIN file_note n ON n.file_id = id WHERE source = ?1 AND put_away = 0 ORDER BY id",
        )
        .bind(source)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|row| row.known().map_err(StoreError::from)).collect()
    }

    /// Failed files of a source with one of these contents, and where they were put.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn failed_twins(
        &self,
        source: &str,
        contents: impl IntoIterator<Item = &str>,
    ) -> Result<Vec<(i64, PathBuf)>, StoreError> {
        let rows: Vec<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT id, coalesce(kept_at, path) FROM file INDEXED BY file_failed
              WHERE sha256 IN (SELECT value FROM json_each(?1)) AND source = ?2 AND state = 'failed'
                AND put_away = 1",
        )
        .bind(bulk::list(contents))
        .bind(source)
        .fetch_all(&self.readers)
        .await?;
        Ok(rows.into_iter().map(|(id, path)| (id, to_path(path))).collect())
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

    /// Records files with all that came of them, all or nothing: after this they are the agent's responsibility, and
    /// may be put away. One answer for each, in their order.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn finish(&self, files: Arc<[Finished]>, now: Timestamp) -> Result<Vec<Recorded>, StoreError> {
        self.writer.write(move |db| Box::pin(finish(db, files.clone(), now))).await
    }

    /// Records that finished files were put away, and where they lie now; `None`: where it was, or gone.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn put_away(&self, files: impl Into<Arc<[(i64, Option<PathBuf>)]>>) -> Result<(), StoreError> {
        let files = files.into();
        self.writer
            .write(move |db| {
                let files = files.clone();
                Box::pin(async move {
                    bulk::rows(
                        db,
                        "UPDATE file SET put_away = 1, kept_at = done.column2 FROM (",
                        &files,
                        ") AS done WHERE id = done.column1 AND state <> 'claimed'",
                        |row, (id, kept_at)| {
                            let kept_at =
                                kept_at.as_ref().map(|path| system::bytes(path.as_os_str()).into_owned());
                            row.push_bind(*id).push_bind(kept_at);
                        },
                    )
                    .await
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
        let path = system::into_bytes(path.into_os_string());
        self.writer
            .write(move |db| {
                let path = path.clone();
                Box::pin(async move {
                    let changed = sqlx::query(change)
                        .bind(id)
                        .bind(path)
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

/// Here and elsewhere a cross join says in which order the tables are read: SQLite would have all files go past the
/// few that are asked for.
pub(super) const KNOWN: &str = "
  SELECT f.id, state, put_away, f.path, device, inode, size_bytes, modified_ns, sha256, received_at, error,
         n.after, n.program, n.outcome
    FROM json_each(?2) AS wanted
    CROSS JOIN file AS f INDEXED BY file_place
      ON source = ?1 AND f.path = unhex(wanted.value ->> 0) AND modified_ns = wanted.value ->> 1
    LEFT JOIN file_note AS n ON n.file_id = f.id
   ORDER BY f.id";

/// The index has the beginning of each hash.
pub(super) const GIVERS: &str = "
  SELECT f.id, sha256, converter, arguments
    FROM json_each(?1) AS wanted
    CROSS JOIN file AS f INDEXED BY file_content
      ON substr(sha256, 1, 8) = substr(wanted.value, 1, 8) AND sha256 = wanted.value
   WHERE state = 'converted' AND duplicate_of IS NULL AND reports > 0";

/// Who gave reports from which content: the same content under the same converter gives them once.
type Givers = HashMap<(String, String, String), i64>;

fn content(file: &NewFile) -> (String, String, String) {
    (file.sha256.clone(), file.converter.clone(), file.arguments.clone())
}

async fn finish(
    db: &mut SqliteConnection,
    files: Arc<[Finished]>,
    now: Timestamp,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let mut claims = claims(db).await?;
    let mut givers = givers(db, &files).await?;
    let mut next: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'file'")
            .fetch_one(&mut *db)
            .await?;
    let (mut rows, mut noted) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    let (mut reports, mut records) = (Vec::new(), Vec::with_capacity(files.len()));
    let mut many = Vec::new();
    for finished in &*files {
        let Finished { file, made } = finished;
        let id = match claims.take(db, file).await? {
            Some(id) => id,
            None => {
                next += 1;
                next - 1
            }
        };
        let duplicate_of = match made {
            Made::Reports(_) => givers.get(&content(file)).copied(),
            Made::Failed(_) => None,
        };
        let record = Record { at: now, ..about(file) };
        match made {
            Made::Failed(words) => {
                records.push(Record { event: Event::Failed, words: Some(words.clone()), ..record });
            }
            Made::Reports(_) if duplicate_of.is_some() => {
                records.push(Record { event: Event::Duplicate, ..record });
            }
            Made::Reports(made) if made.is_empty() => {
                let left = file.note.as_ref().and_then(|note| note.left.as_ref());
                let words = left.map(|it| format!("{}: {}", it.outcome.as_str(), it.reason));
                records.push(Record { event: Event::LeftAlone, words, ..record });
            }
            Made::Reports(made) => {
                givers.insert(content(file), id);
                for report in made.last() {
                    reports.push(Stored { file_id: id, source: &file.source, report });
                    records.push(about_report(&record, report));
                }
                if made.batches() > 0 {
                    many.push((id, made, file, record));
                }
            }
        }
        rows.push((Recorded { id, duplicate_of }, file, made));
        noted.push((Recorded { id, duplicate_of }, finished));
    }
    bulk::rows(
        db,
        "INSERT INTO file (id, source, converter, arguments, path, name, device, inode, size_bytes, modified_ns, sha256,
                           state, received_at, reports, error, duplicate_of) ",
        &rows,
        "",
        |row, (recorded, file, made)| {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let (state, count, error) = match made {
                Made::Failed(words) => (FileState::Failed, 0, Some(words.clone())),
                Made::Reports(_) if recorded.duplicate_of.is_some() => (FileState::Converted, 0, None),
                Made::Reports(reports) => {
                    (FileState::Converted, i64::try_from(reports.len()).unwrap_or(i64::MAX), None)
                }
            };
            row.push_bind(recorded.id)
                .push_bind(file.source.clone())
                .push_bind(file.converter.clone())
                .push_bind(file.arguments.clone())
                .push_bind(system::bytes(file.path.as_os_str()).into_owned())
                .push_bind(name)
                .push_bind(file.stamp.device.cast_signed())
                .push_bind(file.stamp.inode.cast_signed())
                .push_bind(file.stamp.size.cast_signed())
                .push_bind(file.stamp.modified_ns)
                .push_bind(file.sha256.clone())
                .push_bind(state.word())
                .push_bind(ms(file.received_at))
                .push_bind(count)
                .push_bind(error)
                .push_bind(recorded.duplicate_of);
        },
    )
    .await?;
    notes::store(db, &noted).await?;
    for (file_id, made, file, record) in many {
        for number in 0..made.batches() {
            let batch = made.batch(number).await?;
            let stored = batch.iter().map(|report| Stored { file_id, source: &file.source, report });
            reports::store(db, &stored.collect::<Vec<_>>(), now).await?;
            ledger::append(db, batch.iter().map(|report| about_report(&record, report)).collect()).await?;
        }
    }
    reports::store(db, &reports, now).await?;
    ledger::append(db, records).await?;
    Ok(rows.into_iter().map(|(recorded, ..)| recorded).collect())
}

/// A record about a file; what happened is still to be said.
fn about(file: &NewFile) -> Record {
    let native = || wats_converters::find(&file.converter).map(|it| it.about().version.to_owned());
    let version = file.note.as_ref().map(|note| note.version()).or_else(native);
    let mut record = Record::new(Event::Converted, file.source.clone());
    record.file_name = Some(file.path.file_name().unwrap_or_default().to_string_lossy().into_owned());
    record.file_sha256 = Some(file.sha256.clone());
    record.file_bytes = Some(file.stamp.size.cast_signed());
    record.converter = Some(file.converter.clone());
    record.converter_version = version;
    record.arguments = Some(file.arguments.clone());
    record
}

/// The record of a file about one of its reports.
fn about_report(file: &Record, report: &NewReport) -> Record {
    Record {
        report_id: Some(report.id.to_string()),
        report_sha256: Some(report.body.sha256().to_owned()),
        serial_number: Some(report.serial_number.clone()),
        part_number: Some(report.part_number.clone()),
        result: Some(report.result.clone()),
        ..file.clone()
    }
}

/// Those that gave reports from the contents of these files before.
async fn givers(db: &mut SqliteConnection, files: &[Finished]) -> Result<Givers, sqlx::Error> {
    let contents = files.iter().map(|it| it.file.sha256.as_str());
    let rows: Vec<(i64, String, String, String)> =
        sqlx::query_as(GIVERS).bind(bulk::list(contents)).fetch_all(db).await?;
    Ok(rows
        .into_iter()
        .map(|(id, sha256, converter, arguments)| ((sha256, converter, arguments), id))
        .collect())
}

/// Files that a person sent on their way again: their records are taken up, not doubled.
struct Claims {
    any: bool,
}

async fn claims(db: &mut SqliteConnection) -> Result<Claims, sqlx::Error> {
    let query = "SELECT EXISTS (SELECT 1 FROM file INDEXED BY file_unconverted
                                 WHERE state = 'claimed' AND state <> 'converted')";
    Ok(Claims { any: sqlx::query_scalar(query).fetch_one(db).await? })
}

impl Claims {
    /// The number of the claim of this very content at this place. It, and claims of what lay there before, are
    /// removed.
    async fn take(&mut self, db: &mut SqliteConnection, file: &NewFile) -> Result<Option<i64>, sqlx::Error> {
        if !self.any {
            return Ok(None);
        }
        let removed: Vec<(i64, bool)> = sqlx::query_as(
            "DELETE FROM file INDEXED BY file_unconverted
              WHERE source = ?1 AND path = ?2 AND state = 'claimed' AND state <> 'converted'
             RETURNING id, inode = ?3 AND modified_ns = ?4",
        )
        .bind(&file.source)
        .bind(&*system::bytes(file.path.as_os_str()))
        .bind(file.stamp.inode.cast_signed())
        .bind(file.stamp.modified_ns)
        .fetch_all(db)
        .await?;
        Ok(removed.into_iter().find_map(|(id, is_same)| is_same.then_some(id)))
    }
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
    after: Option<String>,
    program: Option<String>,
    outcome: Option<String>,
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
            after: notes::after(self.after.as_deref()),
            left_by: self.outcome.and(self.program),
        })
    }
}

fn to_path(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(system::from_bytes(bytes))
}
