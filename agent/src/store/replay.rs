//! What is converted again from the archive.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::reports::{self, NewReport, Stored};
use super::rows::{ms, time, uuid};
use super::{Store, StoreError, ledger};
use crate::control::api::ReplayMark;
use crate::ledger::{Event, Record};
use crate::system;

/// What is added to a source's name for its reports that were converted again: they wait for turns of their own. No source
/// has such a name.
const REPLAYED: &str = " (replayed)";

/// True for the turns of reports that were converted again.
pub fn is_replayed(source: &str) -> bool {
    source.ends_with(REPLAYED)
}

/// The source, without what was added.
pub(super) fn source_of(name: &str) -> &str {
    name.strip_suffix(REPLAYED).unwrap_or(name)
}

/// A converted file, with all that is needed to convert it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub id: i64,
    pub source: String,
    pub converter: String,
    /// A JSON object.
    pub arguments: String,
    pub name: String,
    /// Where it lies, or lay.
    pub place: PathBuf,
    pub size_bytes: u64,
    pub modified: Timestamp,
    pub sha256: String,
    pub received_at: Timestamp,
}

/// Holds for what was converted and put away by one converter in a time, after a mark.
///
/// A copy of a content adds nothing to the first file of it.
const ARCHIVED: &str =
    "file WHERE state = 'converted' AND put_away = 1 AND duplicate_of IS NULL AND converter = ?1
    AND received_at >= ?2 AND received_at < ?3 AND (received_at, id) > (?4, ?5)";

impl Store {
    /// Files that one converter has converted, received from `from` on and before `to`, oldest first, after `mark`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived(
        &self,
        converter: &str,
        from: Timestamp,
        to: Timestamp,
        mark: Option<ReplayMark>,
        limit: u32,
    ) -> Result<Vec<Archived>, StoreError> {
        let (at, id) = before_all_or(mark);
        let query = format!("SELECT {COLUMNS} FROM {ARCHIVED} ORDER BY received_at, id LIMIT ?6");
        let rows: Vec<Row> = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .bind(converter)
            .bind(ms(from))
            .bind(ms(to))
            .bind(at)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        Ok(rows.into_iter().map(Row::archived).collect())
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived_count(
        &self,
        converter: &str,
        from: Timestamp,
        to: Timestamp,
        mark: Option<ReplayMark>,
    ) -> Result<u64, StoreError> {
        let (at, id) = before_all_or(mark);
        let query = format!("SELECT count(*) FROM {ARCHIVED}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
            .bind(converter)
            .bind(ms(from))
            .bind(ms(to))
            .bind(at)
            .bind(id)
            .fetch_one(&self.readers)
            .await?;
        Ok(count.unsigned_abs())
    }

    /// One converted file.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn archived_file(&self, id: i64) -> Result<Option<Archived>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM file WHERE id = ?1 AND state = 'converted'");
        let row: Option<Row> =
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(&self.readers).await?;
        Ok(row.map(Row::archived))
    }

    /// The reports that a file gave, with their serial numbers, in its order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reports_of(&self, file_id: i64) -> Result<Vec<(Uuid, String)>, StoreError> {
        let query = "SELECT id, serial_number FROM report WHERE file_id = ?1 ORDER BY seq";
        let rows: Vec<(String, String)> =
            sqlx::query_as(query).bind(file_id).fetch_all(&self.readers).await?;
        rows.into_iter().map(|(id, serial)| Ok((uuid(&id)?, serial))).collect()
    }

    /// Puts what a file gives now, with its arguments, into the queue, behind everything else; all of it or nothing.
    /// `version` is that of a plug-in's converter.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn replayed(
        &self,
        file: Archived,
        reports: Vec<NewReport>,
        version: Option<String>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let replayed = Arc::new((file, reports, version));
        self.writer
            .write(move |db| {
                let replayed = replayed.clone();
                Box::pin(async move {
                    self::replayed(db, &replayed.0, &replayed.1, replayed.2.clone(), now).await
                })
            })
            .await
    }
}

async fn replayed(
    db: &mut SqliteConnection,
    file: &Archived,
    reports: &[NewReport],
    version: Option<String>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let lane = format!("{}{REPLAYED}", file.source);
    let stored: Vec<_> =
        reports.iter().map(|report| Stored { file_id: file.id, source: &lane, report }).collect();
    reports::store(db, &stored, now).await?;
    let records = reports.iter().map(|report| {
        let mut record = Record { at: now, ..Record::new(Event::Replayed, file.source.clone()) };
        record.file_name = Some(file.name.clone());
        record.file_sha256 = Some(file.sha256.clone());
        record.file_bytes = Some(file.size_bytes.cast_signed());
        record.converter = Some(file.converter.clone());
        let native = || wats_converters::find(&file.converter).map(|it| it.about().version.to_owned());
        record.converter_version = version.clone().or_else(native);
        record.arguments = Some(file.arguments.clone());
        record.report_id = Some(report.id.to_string());
        record.report_sha256 = Some(report.body.sha256().to_owned());
        record.serial_number = Some(report.serial_number.clone());
        record.part_number = Some(report.part_number.clone());
        record.result = Some(report.result.clone());
        record
    });
    ledger::append(db, records.collect()).await
}

/// What a mark stands for in the order of the files; without one, what comes before them all.
fn before_all_or(mark: Option<ReplayMark>) -> (i64, i64) {
    mark.map_or((i64::MIN, 0), |mark| (ms(mark.received_at), mark.id))
}

const COLUMNS: &str = "id, source, converter, arguments, name, coalesce(kept_at, path) AS place, size_bytes,
    modified_ns, sha256, received_at";

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    source: String,
    converter: String,
    arguments: String,
    name: String,
    place: Vec<u8>,
    size_bytes: i64,
    modified_ns: i64,
    sha256: String,
    received_at: i64,
}

impl Row {
    fn archived(self) -> Archived {
        Archived {
            id: self.id,
            source: self.source,
            converter: self.converter,
            arguments: self.arguments,
            name: self.name,
            place: PathBuf::from(system::from_bytes(self.place)),
            size_bytes: self.size_bytes.cast_unsigned(),
            modified: Timestamp::from_nanosecond(self.modified_ns.into()).unwrap_or(Timestamp::UNIX_EPOCH),
            sha256: self.sha256,
            received_at: time(self.received_at),
        }
    }
}
