//! Questions for people: pages of files and reports, and how many of each.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::notes::left;
use super::rows::{file_state, ms, report_state, time, uuid};
use super::{Store, StoreError, body, bulk};
use crate::control::api::{
    FileDetail, FileQuery, FileRecord, FileState, QueueCounts, ReportDetail, ReportQuery, ReportRecord,
    ReportState,
};

/// The longest page, whatever is asked for.
pub(super) const PAGE_LIMIT: u32 = 1000;
/// The page when nothing is said.
const PAGE: u32 = 100;

/// What came of the files of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTotals {
    pub converted: u64,
    pub failed: u64,
}

/// Which file of a source is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newest {
    Any,
    Failed,
}

macro_rules! select_files {
    ($condition:literal) => {
        concat!(
            "SELECT id, source, converter, name, size_bytes, sha256, state, received_at, reports, error,
                    n.outcome, n.reason
               FROM file LEFT JOIN file_note n ON n.file_id = id ",
            $condition
        )
    };
}

macro_rules! select_reports {
    ($($condition:tt)*) => {
        concat!(
            "SELECT r.id, r.file_id, f.source, f.name AS file_name, r.serial_number, r.part_number,
                    r.process_code, r.result, r.state, r.attempts, r.stored_at, r.sent_at, r.due_at, r.error
               FROM report r JOIN file f ON f.id = r.file_id ",
            $($condition)*
        )
    };
}

/// What a [`ReportQuery`] narrows beside the state, as the parameters 4 to 8.
macro_rules! matching {
    () => {
        " AND (?4 IS NULL OR r.source = ?4) AND (?5 IS NULL OR r.serial_number = ?5)
          AND (?6 IS NULL OR r.part_number = ?6)
          AND (?7 IS NULL OR r.stored_at >= ?7) AND (?8 IS NULL OR r.stored_at < ?8)"
    };
}
pub(super) use matching;

/// The index has the beginning of each hash. Without the plus SQLite would put the parameter in the place of the column
/// everywhere, and find nothing left to look up.
pub(super) const OF_CONTENT: &str = select_files!(
    "WHERE substr(sha256, 1, 8) = substr(?5, 1, 8) AND +sha256 = ?5 AND id < ?1
       AND state = coalesce(?3, state) AND source = coalesce(?4, source)
     ORDER BY id DESC LIMIT ?2"
);

/// The first in the order of storing: none that waits has been sent.
pub(super) const OLDEST_QUEUED: &str = "
  SELECT stored_at FROM report INDEXED BY report_state WHERE state = 'queued' ORDER BY sent_at, seq LIMIT 1";

/// So many reports are counted each time.
const COUNTED_SOON: u64 = 20_000;
/// More are counted again after so many times as long as it took.
const COUNTED_AGAIN: u32 = 20;

impl Store {
    /// A page of files, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn files(&self, filter: &FileQuery) -> Result<Vec<FileRecord>, StoreError> {
        let query = match (filter.sha256.is_some(), filter.state.is_some(), filter.source.is_some()) {
            (true, _, _) => OF_CONTENT,
            (_, false, false) => select_files!("WHERE id < ?1 ORDER BY id DESC LIMIT ?2"),
            // Nearly all are converted; the others are found by their index.
            (_, true, false) if filter.state == Some(FileState::Converted) => {
                select_files!("WHERE id < ?1 AND +state = ?3 ORDER BY id DESC LIMIT ?2")
            }
            (_, true, false) => select_files!(
                "WHERE id < ?1 AND state = ?3 AND state <> 'converted' ORDER BY id DESC LIMIT ?2"
            ),
            (_, false, true) => select_files!("WHERE id < ?1 AND source = ?4 ORDER BY id DESC LIMIT ?2"),
            (_, true, true) => {
                select_files!("WHERE id < ?1 AND state = ?3 AND source = ?4 ORDER BY id DESC LIMIT ?2")
            }
        };
        let rows: Vec<FileRow> = sqlx::query_as(query)
            .bind(filter.before.unwrap_or(i64::MAX))
            .bind(filter.limit.unwrap_or(PAGE).min(PAGE_LIMIT))
            .bind(filter.state.map(FileState::word))
            .bind(filter.source.as_deref())
            .bind(filter.sha256.as_deref())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(|row| row.record().map_err(StoreError::from)).collect()
    }

    /// One file.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn file(&self, id: i64) -> Result<Option<FileRecord>, StoreError> {
        let row: Option<FileRow> =
            sqlx::query_as(select_files!("WHERE id = ?1")).bind(id).fetch_optional(&self.readers).await?;
        row.map(FileRow::record).transpose().map_err(StoreError::from)
    }

    /// One file with its reports.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn file_detail(&self, id: i64) -> Result<Option<FileDetail>, StoreError> {
        let Some(record) = self.file(id).await? else { return Ok(None) };
        let duplicate_of: Option<i64> = sqlx::query_scalar("SELECT duplicate_of FROM file WHERE id = ?1")
            .bind(id)
            .fetch_one(&self.readers)
            .await?;
        let rows: Vec<ReportRow> =
            sqlx::query_as(select_reports!("WHERE r.file_id = ?1 ORDER BY r.seq LIMIT ?2"))
                .bind(id)
                .bind(PAGE_LIMIT)
                .fetch_all(&self.readers)
                .await?;
        let sending = self.sending.all();
        let reports = rows.into_iter().map(|row| row.record(&sending).map_err(StoreError::from));
        let log = self.log_of(id).await?;
        Ok(Some(FileDetail { record, reports: reports.collect::<Result<_, _>>()?, duplicate_of, log }))
    }

    /// The newest file of a source, or its newest failed one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_file(&self, source: &str, newest: Newest) -> Result<Option<FileRecord>, StoreError> {
        // Each state has its newest at the end of the index; all files of the source are never looked at.
        let row: Option<FileRow> = sqlx::query_as(select_files!(
            "WHERE id = (SELECT max(newest) FROM (
                SELECT max(id) AS newest FROM file WHERE source = ?1 AND state = 'failed'
                UNION ALL SELECT max(id) FROM file WHERE source = ?1 AND state = 'converted' AND ?2
                UNION ALL SELECT max(id) FROM file WHERE source = ?1 AND state = 'claimed' AND ?2))"
        ))
        .bind(source)
        .bind(newest == Newest::Any)
        .fetch_optional(&self.readers)
        .await?;
        row.map(FileRow::record).transpose().map_err(StoreError::from)
    }

    /// How many files of each source were converted and failed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn source_totals(&self) -> Result<BTreeMap<String, SourceTotals>, StoreError> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT source, sum(state = 'converted'), sum(state = 'failed') FROM file GROUP BY source",
        )
        .fetch_all(&self.readers)
        .await?;
        let totals = |(source, converted, failed): (String, i64, i64)| {
            (source, SourceTotals { converted: converted.unsigned_abs(), failed: failed.unsigned_abs() })
        };
        Ok(rows.into_iter().map(totals).collect())
    }

    /// A page of reports, newest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reports(&self, filter: &ReportQuery) -> Result<Vec<ReportRecord>, StoreError> {
        let before: i64 = match filter.before {
            None => i64::MAX,
            Some(id) => {
                let seq = sqlx::query_scalar("SELECT seq FROM report WHERE id = ?1")
                    .bind(id.to_string())
                    .fetch_optional(&self.readers)
                    .await?;
                seq.unwrap_or(i64::MAX)
            }
        };
        let sending = self.sending.all();
        let (query, state) = match filter.state {
            None => (select_reports!("WHERE r.seq < ?1", matching!(), " ORDER BY r.seq DESC LIMIT ?2"), None),
            // They still stand in the queue.
            Some(ReportState::Sending) => (
                select_reports!(
                    "WHERE r.id IN (SELECT value FROM json_each(?9)) AND r.seq < ?1 AND r.state = ?3",
                    matching!(),
                    " ORDER BY r.seq DESC LIMIT ?2"
                ),
                Some(ReportState::Queued),
            ),
            Some(ReportState::Queued) => (
                select_reports!(
                    "WHERE r.seq < ?1 AND r.state = ?3 AND r.id NOT IN (SELECT value FROM json_each(?9))",
                    matching!(),
                    " ORDER BY r.seq DESC LIMIT ?2"
                ),
                filter.state,
            ),
            Some(_) => (
                select_reports!(
                    "WHERE r.seq < ?1 AND r.state = ?3",
                    matching!(),
                    " ORDER BY r.seq DESC LIMIT ?2"
                ),
                filter.state,
            ),
        };
        let rows: Vec<ReportRow> = sqlx::query_as(query)
            .bind(before)
            .bind(filter.limit.unwrap_or(PAGE).min(PAGE_LIMIT))
            .bind(state.map(ReportState::word))
            .bind(filter.source.as_deref())
            .bind(filter.serial_number.as_deref())
            .bind(filter.part_number.as_deref())
            .bind(filter.from.map(ms))
            .bind(filter.to.map(ms))
            .bind(bulk::list(sending.keys()))
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(|row| row.record(&sending).map_err(StoreError::from)).collect()
    }

    /// One report with its body and the server's answer.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report(&self, id: Uuid) -> Result<Option<ReportDetail>, StoreError> {
        let row: Option<ReportRow> = sqlx::query_as(select_reports!("WHERE r.id = ?1"))
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let record = row.record(&self.sending.all())?;
        let (body, server_answer): (Vec<u8>, Option<String>) =
            sqlx::query_as("SELECT body, answer FROM report JOIN report_body USING (seq) WHERE id = ?1")
                .bind(id.to_string())
                .fetch_one(&self.readers)
                .await?;
        let body = serde_json::from_slice(&body::unpack(body)?)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(Some(ReportDetail { record, body, server_answer, complaints: Vec::new() }))
    }

    /// How many reports are in which state.
    ///
    /// With so many that counting takes a while, the numbers are some moments old: looking must not slow the work.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn queue_counts(&self, now: Timestamp) -> Result<QueueCounts, StoreError> {
        let mut counted = self.counted.lock().await;
        if let Some((counts, until)) = &*counted
            && Instant::now() < *until
        {
            return Ok(self.without_sending(*counts));
        }
        let started = Instant::now();
        let counts = self.count(now).await?;
        let all = counts.queued + counts.rejected + counts.sent;
        let until = Instant::now() + started.elapsed() * COUNTED_AGAIN;
        *counted = (all > COUNTED_SOON).then_some((counts, until));
        drop(counted);
        Ok(self.without_sending(counts))
    }

    /// Those that are being sent still stand in the queue.
    fn without_sending(&self, mut counts: QueueCounts) -> QueueCounts {
        counts.sending = (self.sending.all().len() as u64).min(counts.queued);
        counts.queued -= counts.sending;
        counts
    }

    async fn count(&self, now: Timestamp) -> Result<QueueCounts, StoreError> {
        let states: Vec<(String, i64)> = sqlx::query_as("SELECT state, count(*) FROM report GROUP BY state")
            .fetch_all(&self.readers)
            .await?;
        let oldest_queued: Option<i64> =
            sqlx::query_scalar(OLDEST_QUEUED).fetch_optional(&self.readers).await?;
        let (failed_files, sent_today): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM file INDEXED BY file_unconverted
                      WHERE state = 'failed' AND state <> 'converted'),
                    (SELECT count(*) FROM report WHERE state = 'sent' AND sent_at > ?1)",
        )
        .bind(ms(now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(now)))
        .fetch_one(&self.readers)
        .await?;
        let mut counts = QueueCounts {
            failed_files: failed_files.unsigned_abs(),
            sent_today: sent_today.unsigned_abs(),
            oldest_queued: oldest_queued.map(time),
            ..QueueCounts::default()
        };
        for (state, count) in states {
            let place = match report_state(&state)? {
                ReportState::Queued => &mut counts.queued,
                ReportState::Rejected => &mut counts.rejected,
                ReportState::Sent => &mut counts.sent,
                ReportState::Sending | ReportState::Discarded => continue,
            };
            *place = count.unsigned_abs();
        }
        Ok(counts)
    }
}

#[derive(sqlx::FromRow)]
struct FileRow {
    id: i64,
    source: String,
    converter: String,
    name: String,
    size_bytes: i64,
    sha256: String,
    state: String,
    received_at: i64,
    reports: i64,
    error: Option<String>,
    outcome: Option<String>,
    reason: Option<String>,
}

impl FileRow {
    fn record(self) -> Result<FileRecord, sqlx::Error> {
        Ok(FileRecord {
            id: self.id,
            source: self.source,
            converter: self.converter,
            name: self.name,
            size_bytes: self.size_bytes.unsigned_abs(),
            sha256: self.sha256,
            state: file_state(&self.state)?,
            received_at: time(self.received_at),
            reports: self.reports.unsigned_abs(),
            error: self.error,
            left: left(self.outcome.as_deref(), self.reason),
        })
    }
}

#[derive(sqlx::FromRow)]
struct ReportRow {
    id: String,
    file_id: i64,
    source: String,
    file_name: String,
    serial_number: String,
    part_number: String,
    process_code: Option<i64>,
    result: String,
    state: String,
    attempts: u32,
    stored_at: i64,
    sent_at: Option<i64>,
    due_at: i64,
    error: Option<String>,
}

impl ReportRow {
    fn record(self, sending: &HashMap<Uuid, i64>) -> Result<ReportRecord, sqlx::Error> {
        let id = uuid(&self.id)?;
        let state = match report_state(&self.state)? {
            ReportState::Queued if sending.contains_key(&id) => ReportState::Sending,
            state => state,
        };
        Ok(ReportRecord {
            id,
            file_id: self.file_id,
            source: self.source,
            file_name: self.file_name,
            serial_number: self.serial_number,
            part_number: self.part_number,
            process_code: self.process_code,
            result: self.result,
            state,
            attempts: self.attempts,
            stored_at: time(self.stored_at),
            sent_at: self.sent_at.map(time),
            due_at: (state == ReportState::Queued).then(|| time(self.due_at)),
            error: self.error,
        })
    }
}
