//! The table `ledger`: only ever added to.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};

use super::rows::{ms, time};
use super::{StoreError, bulk, options};
use crate::ledger::{Check, Event, Flaw, Record, Sound};

/// Adds records after the last one.
pub(super) async fn append(db: &mut SqliteConnection, mut records: Vec<Record>) -> Result<(), sqlx::Error> {
    if records.is_empty() {
        return Ok(());
    }
    let last: Option<(i64, String)> =
        sqlx::query_as("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *db)
            .await?;
    let (mut last, mut previous) = last.unwrap_or_default();
    for record in &mut records {
        last += 1;
        record.seq = last;
        // As the table keeps it, or the hash would not be found again.
        record.at = time(ms(record.at));
        record.hash = record.expected_hash(&previous);
        previous.clone_from(&record.hash);
    }
    bulk::rows(
        db,
        "INSERT INTO ledger (seq, at, event, source, file_name, file_sha256, file_bytes, converter,
                             converter_version, arguments, report_id, report_sha256, serial_number, part_number,
                             result, words, hash) ",
        &records,
        "",
        |row, record| {
            row.push_bind(record.seq)
                .push_bind(ms(record.at))
                .push_bind(record.event.word())
                .push_bind(record.source.clone())
                .push_bind(record.file_name.clone())
                .push_bind(record.file_sha256.clone())
                .push_bind(record.file_bytes)
                .push_bind(record.converter.clone())
                .push_bind(record.converter_version.clone())
                .push_bind(record.arguments.clone())
                .push_bind(record.report_id.clone())
                .push_bind(record.report_sha256.clone())
                .push_bind(record.serial_number.clone())
                .push_bind(record.part_number.clone())
                .push_bind(record.result.clone())
                .push_bind(record.words.clone())
                .push_bind(record.hash.clone());
        },
    )
    .await
}

/// The index has the serial numbers of each 4096 records apart.
pub(super) const FIND: &str = "
  WITH RECURSIVE part (number) AS (
    SELECT 0
    UNION ALL
    SELECT number + 1 FROM part WHERE number < (SELECT max(seq) / 4096 FROM ledger)
  )
  SELECT l.*
    FROM part
    CROSS JOIN ledger AS l INDEXED BY ledger_serial
      ON seq / 4096 = part.number AND serial_number = ?1
   ORDER BY seq";

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    event: String,
    source: String,
    file_name: Option<String>,
    file_sha256: Option<String>,
    file_bytes: Option<i64>,
    converter: Option<String>,
    converter_version: Option<String>,
    arguments: Option<String>,
    report_id: Option<String>,
    report_sha256: Option<String>,
    serial_number: Option<String>,
    part_number: Option<String>,
    result: Option<String>,
    words: Option<String>,
    hash: String,
}

impl Row {
    fn record(self) -> Result<Record, LedgerError> {
        let Some(event) = Event::from_word(&self.event) else {
            return Err(Flaw::Unreadable { seq: self.seq, word: self.event }.into());
        };
        Ok(Record {
            seq: self.seq,
            at: time(self.at),
            event,
            source: self.source,
            file_name: self.file_name,
            file_sha256: self.file_sha256,
            file_bytes: self.file_bytes,
            converter: self.converter,
            converter_version: self.converter_version,
            arguments: self.arguments,
            report_id: self.report_id,
            report_sha256: self.report_sha256,
            serial_number: self.serial_number,
            part_number: self.part_number,
            result: self.result,
            words: self.words,
            hash: self.hash,
        })
    }
}

/// Why records cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The ledger of an instance, for reading; the agent may run meanwhile.
#[derive(Debug, Clone)]
pub struct Ledger {
    readers: SqlitePool,
}

impl Ledger {
    /// # Errors
    /// When there is no database, or it may not be read.
    pub async fn open(database: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { path: database.to_owned(), source: Arc::new(source) };
        let options = options(database).read_only(true).create_if_missing(false);
        let readers =
            SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(failed)?;
        Ok(Self { readers })
    }

    /// The number of the last record that was ever written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn written(&self) -> Result<i64, LedgerError> {
        let query = "SELECT seq FROM sqlite_sequence WHERE name = 'ledger'";
        let seq: Option<i64> = sqlx::query_scalar(query).fetch_optional(&self.readers).await?;
        Ok(seq.unwrap_or(0))
    }

    /// Computes every hash again; `noted` is the last hash of an earlier check.
    ///
    /// # Errors
    /// With the first flaw, or when the database does not answer.
    pub async fn verify(&self, noted: Option<String>) -> Result<Sound, LedgerError> {
        // Before the records: what is added meanwhile is no flaw.
        let written = self.written().await?;
        let mut check = Check::new(noted);
        let mut records = pin!(self.records(Timestamp::MIN, Timestamp::MAX));
        while let Some(record) = records.next().await {
            check.next(&record?)?;
        }
        Ok(check.end(written)?)
    }

    /// The records of a time, `from` included and `to` not, in their order. They are read one by one.
    pub fn records(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Stream<Item = Result<Record, LedgerError>> + '_ {
        sqlx::query_as::<_, Row>("SELECT * FROM ledger WHERE at >= ?1 AND at < ?2 ORDER BY seq")
            .bind(ms(from))
            .bind(ms(to))
            .fetch(&self.readers)
            .map(|row| row?.record())
    }

    /// All records about a serial number, in their order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(&self, serial_number: &str) -> Result<Vec<Record>, LedgerError> {
        let rows: Vec<Row> = sqlx::query_as(FIND).bind(serial_number).fetch_all(&self.readers).await?;
        rows.into_iter().map(Row::record).collect()
    }
}
