//! The table `report`: the queue, and what was sent.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;
use wats::Report;
use wats::wsjf::{self, WsjfError};

use super::body::{self, Body};
use super::replay::source_of;
use super::rows::{ms, report_state, time, uuid};
use super::{Store, StoreError, bulk, ledger};
use crate::control::api::ReportState;
use crate::ledger::{Event, Record};

/// The bodies that are taken from the queue together, in bytes as they lie there.
const TAKEN_BYTES: u64 = 4 << 20;

/// A report as it comes from a converter, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewReport<B = Body> {
    pub id: Uuid,
    pub serial_number: String,
    pub part_number: String,
    pub process_code: Option<i64>,
    /// `P`, `F`, `E` or `T`.
    pub result: String,
    /// The report itself, or its WSJF as it goes into the queue; nothing where it follows.
    #[serde(skip)]
    pub body: B,
}

impl<B> NewReport<B> {
    /// Everything but the body, and the body.
    pub(crate) fn split(self) -> (NewReport<()>, B) {
        let Self { id, serial_number, part_number, process_code, result, body } = self;
        (NewReport { id, serial_number, part_number, process_code, result, body: () }, body)
    }

    /// With another body.
    pub(crate) fn with<C>(self, body: C) -> NewReport<C> {
        let Self { id, serial_number, part_number, process_code, result, body: _ } = self;
        NewReport { id, serial_number, part_number, process_code, result, body }
    }
}

impl NewReport<Report> {
    /// As it goes into the queue.
    ///
    /// # Errors
    /// When the JSON writer fails, which no report that was read can cause.
    pub fn packed(self) -> Result<NewReport, WsjfError> {
        let body = Body::new(&wsjf::write(&self.body)?);
        Ok(self.with(body))
    }
}

/// A report that was taken from the queue to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub head: DueHead,
    pub body: Vec<u8>,
}

/// A report that is being sent, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueHead {
    pub id: Uuid,
    /// Which content: a newer one under the same id has a higher number.
    pub seq: i64,
    /// How often it was tried, this time included.
    pub attempts: u32,
    pub stored_at: Timestamp,
    pub source: String,
    pub serial_number: String,
    pub part_number: String,
    pub result: String,
    /// Of the body, lower-case hexadecimal.
    pub sha256: String,
}

/// A source, and its reports that are due, in their order: numbers as in [`DueHead::seq`].
pub type Waiting = (String, Vec<i64>);

/// An attempt to send a report that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub report: DueHead,
    pub sent: Sent,
    pub at: Timestamp,
}

/// What came of an attempt to send a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The server has it.
    Accepted { answer: String },
    /// The server will never take it as it is.
    Rejected { error: String, answer: String },
    /// To be tried again.
    Postponed { error: String, answer: String, due_at: Timestamp },
    /// Not the report's fault, or never tried: as if it had not been taken.
    GivenBack { error: Option<String> },
}

/// Why a person's wish for a report was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MoveError {
    #[error("there is no report {id}")]
    Unknown { id: Uuid },
    #[error("the report is {}", state.word())]
    Illegal { state: ReportState },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Takes reports that are due; until [`Self::sent`] says what came of them they are being sent.
    ///
    /// `choose` gets, of each source, up to `limit` reports, the longest due first, and answers with those to take.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_due(
        &self,
        now: Timestamp,
        limit: u32,
        choose: impl FnOnce(Vec<Waiting>) -> Vec<i64>,
    ) -> Result<Vec<Due>, StoreError> {
        let sending = self.sending.all();
        let busy: HashSet<i64> = sending.values().copied().collect();
        // What is being sent still stands in the queue.
        let limit = limit.saturating_add(u32::try_from(sending.len()).unwrap_or(u32::MAX));
        let mut reader = self.readers.acquire().await?;
        let sources: Vec<String> = sqlx::query_scalar(QUEUED_SOURCES).fetch_all(&mut *reader).await?;
        let mut waiting = Vec::with_capacity(sources.len());
        for source in sources {
            let due = "SELECT seq FROM report WHERE state = 'queued' AND source = ?1 AND due_at <= ?2
                        ORDER BY due_at, seq LIMIT ?3";
            let due = sqlx::query_scalar(due).bind(&source).bind(ms(now)).bind(limit);
            let mut reports: Vec<i64> = due.fetch_all(&mut *reader).await?;
            reports.retain(|seq| !busy.contains(seq));
            waiting.push((source, reports));
        }
        let mut chosen = choose(waiting);
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let sizes: Vec<i64> =
            sqlx::query_scalar(SIZES).bind(bulk::list(&chosen)).fetch_all(&mut *reader).await?;
        chosen.truncate(fitting(&sizes));
        let rows: Vec<DueRow> =
            sqlx::query_as(TAKEN).bind(bulk::list(&chosen)).fetch_all(&mut *reader).await?;
        drop(reader);
        let mut taken = rows.into_iter().map(DueRow::due).collect::<Result<Vec<_>, _>>()?;
        // Not while an older content of it is on its way, which might arrive later.
        taken.retain(|due| !sending.contains_key(&due.head.id));
        taken.sort_by_key(|due| chosen.iter().position(|seq| *seq == due.head.seq));
        self.sending.add(taken.iter().map(|due| (due.head.id, due.head.seq)));
        Ok(taken)
    }

    /// Gives reports back that were taken and not tried.
    pub fn give_back(&self, reports: impl IntoIterator<Item = Uuid>) {
        self.sending.remove(reports);
    }

    /// Forgets that reports were being sent: whoever sent them is gone.
    ///
    /// The server may have them: the same id replaces, so nothing is counted twice.
    pub fn give_all_back(&self) {
        self.sending.clear();
    }

    /// When reports were acknowledged since `then`, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn sent_since(&self, then: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
        let query = "SELECT sent_at FROM report WHERE state = 'sent' AND sent_at > ?1 ORDER BY sent_at";
        let times: Vec<i64> = sqlx::query_scalar(query).bind(ms(then)).fetch_all(&self.readers).await?;
        Ok(times.into_iter().map(time).collect())
    }

    /// When the next waiting report is due; `None` when none waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let sending = bulk::list(self.sending.all().keys());
        let due: Option<i64> = sqlx::query_scalar(NEXT_DUE).bind(sending).fetch_one(&self.readers).await?;
        Ok(due.map(time))
    }

    /// Records what came of attempts, all or nothing.
    ///
    /// A report that got a new content meanwhile stays in the queue, whatever came of the old.
    ///
    /// # Errors
    /// When it could not be stored; the reports then still count as being sent.
    pub async fn sent(&self, attempts: Arc<[Attempt]>) -> Result<(), StoreError> {
        let ended = attempts.clone();
        self.writer.write(move |db| Box::pin(record(db, attempts.clone()))).await?;
        self.sending.remove(ended.iter().map(|attempt| attempt.report.id));
        Ok(())
    }

    /// Makes every waiting report due now: the server is back, or the settings changed.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn all_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.due_that_waits_beyond(now, now).await
    }

    /// Makes the waiting reports due now that would wait until after `beyond`.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn due_that_waits_beyond(&self, beyond: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    sqlx::query(ALL_DUE).bind(ms(now)).bind(ms(beyond)).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Queues a rejected report again, or makes a waiting one due now.
    ///
    /// # Errors
    /// When there is no such report, it is in another state, or it could not be stored.
    pub async fn retry_report(&self, id: Uuid, now: Timestamp) -> Result<(), MoveError> {
        let change = "UPDATE report SET state = 'queued', attempts = 0, due_at = ?2
                       WHERE id = ?1 AND state IN ('rejected', 'queued')";
        self.move_report(id, now, change, false).await
    }

    /// Gives a rejected report up; it is kept for the record.
    ///
    /// # Errors
    /// When there is no such report, it is in another state, or it could not be stored.
    pub async fn discard_report(&self, id: Uuid, now: Timestamp) -> Result<(), MoveError> {
        let change =
            "UPDATE report SET state = 'discarded', due_at = ?2 WHERE id = ?1 AND state = 'rejected'";
        self.move_report(id, now, change, true).await
    }

    async fn move_report(
        &self,
        id: Uuid,
        now: Timestamp,
        change: &'static str,
        discards: bool,
    ) -> Result<(), MoveError> {
        if self.sending.contains(id) {
            return Err(MoveError::Illegal { state: ReportState::Sending });
        }
        let refused = self
            .writer
            .write(move |db| {
                Box::pin(async move {
                    let id = id.to_string();
                    let changed = sqlx::query(change).bind(&id).bind(ms(now)).execute(&mut *db).await?;
                    if changed.rows_affected() > 0 {
                        if discards {
                            note_discard(db, &id, now).await?;
                        }
                        return Ok(None);
                    }
                    let state: Option<String> = sqlx::query_scalar("SELECT state FROM report WHERE id = ?1")
                        .bind(id)
                        .fetch_optional(db)
                        .await?;
                    Ok(Some(state.map(|state| report_state(&state)).transpose()?))
                })
            })
            .await?;
        match refused {
            None => Ok(()),
            Some(None) => Err(MoveError::Unknown { id }),
            Some(Some(state)) => Err(MoveError::Illegal { state }),
        }
    }
}

/// A report of a file as it goes into the queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    pub(super) file_id: i64,
    pub(super) source: &'a str,
    pub(super) report: &'a NewReport,
}

/// Puts reports of files into the queue. A new content under a known id takes the place of the old one.
pub(super) async fn store(
    db: &mut SqliteConnection,
    reports: &[Stored<'_>],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if reports.is_empty() {
        return Ok(());
    }
    let ids = reports.iter().map(|it| it.report.id);
    let known: Vec<String> =
        sqlx::query_scalar("SELECT id FROM report WHERE id IN (SELECT value FROM json_each(?1))")
            .bind(bulk::list(ids))
            .fetch_all(&mut *db)
            .await?;
    let mut known: HashSet<String> = known.into_iter().collect();
    let (mut new, mut renewed) = (Vec::with_capacity(reports.len()), Vec::new());
    for report in reports {
        let list = if known.insert(report.report.id.to_string()) { &mut new } else { &mut renewed };
        list.push(*report);
    }
    let first: i64 =
        sqlx::query_scalar("SELECT coalesce(max(seq), 0) + 1 FROM report").fetch_one(&mut *db).await?;
    let new: Vec<_> = (first..).zip(new).collect();
    bulk::rows(
        db,
        "INSERT INTO report (seq, id, file_id, source, serial_number, part_number, process_code, result, state, stored_at,
                             due_at) ",
        &new,
        "",
        |row, (seq, Stored { file_id, source, report, .. })| {
            row.push_bind(*seq)
                .push_bind(report.id.to_string())
                .push_bind(*file_id)
                .push_bind((*source).to_owned())
                .push_bind(report.serial_number.clone())
                .push_bind(report.part_number.clone())
                .push_bind(report.process_code)
                .push_bind(report.result.clone())
                .push_bind(ReportState::Queued.word())
                .push_bind(ms(now))
                .push_bind(ms(now));
        },
    )
    .await?;
    bulk::rows(db, "INSERT INTO report_body (seq, body, sha256) ", &new, "", |row, (seq, it)| {
        let body = &it.report.body;
        row.push_bind(*seq).push_bind(body.packed().to_owned()).push_bind(body.sha256().to_owned());
    })
    .await?;
    for report in renewed {
        renew(db, report, now).await?;
    }
    Ok(())
}

/// Writes a single body.
pub(super) async fn store_body(db: &mut SqliteConnection, seq: i64, body: &Body) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO report_body (seq, body, sha256) VALUES (?1, ?2, ?3)")
        .bind(seq)
        .bind(body.packed())
        .bind(body.sha256())
        .execute(db)
        .await?;
    Ok(())
}

/// Another file gave a report that is known: nothing changes when it is the same, and was not refused.
async fn renew(
    db: &mut SqliteConnection,
    Stored { file_id, source, report }: Stored<'_>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    // One of an earlier version has no hash, and is not packed.
    let seq: Option<i64> = sqlx::query_scalar(
        "SELECT seq FROM report JOIN report_body USING (seq)
          WHERE id = ?1
            AND (sha256 IS NOT ?2 AND body <> ?3 OR state IN ('rejected', 'discarded'))",
    )
    .bind(report.id.to_string())
    .bind(report.body.sha256())
    .bind(report.body.wsjf()?)
    .fetch_optional(&mut *db)
    .await?;
    let Some(old) = seq else { return Ok(()) };
    // A new number: what is on its way of the old content no longer speaks for this report.
    sqlx::query("DELETE FROM report_body WHERE seq = ?1").bind(old).execute(&mut *db).await?;
    let seq: i64 = sqlx::query_scalar(
        "UPDATE report SET seq = (SELECT max(seq) + 1 FROM report), file_id = ?2, source = ?3, serial_number = ?4,
                part_number = ?5, process_code = ?6, result = ?7, state = 'queued', attempts = 0, stored_at = ?8,
                due_at = ?8, sent_at = NULL, error = NULL, answer = NULL
          WHERE seq = ?1 RETURNING seq",
    )
    .bind(old)
    .bind(file_id)
    .bind(source.to_owned())
    .bind(report.serial_number.clone())
    .bind(report.part_number.clone())
    .bind(report.process_code)
    .bind(report.result.clone())
    .bind(ms(now))
    .fetch_one(&mut *db)
    .await?;
    store_body(db, seq, &report.body).await
}

/// The sources with a report in the queue, each found by one step in the index.
///
/// Here and elsewhere the index is named, because SQLite prefers one over all states and then reads every
/// report of the queue; the statement fails to prepare should the index ever be missing.
macro_rules! with_queued_sources {
    ($statement:literal) => {
        concat!(
            "WITH RECURSIVE queued (source) AS (
               SELECT min(source) FROM report INDEXED BY report_due WHERE state = 'queued'
               UNION ALL
               SELECT (SELECT min(source) FROM report INDEXED BY report_due
                        WHERE state = 'queued' AND source > queued.source)
                 FROM queued WHERE queued.source IS NOT NULL
             ) ",
            $statement
        )
    };
}

pub(super) const QUEUED_SOURCES: &str =
    with_queued_sources!("SELECT source FROM queued WHERE source IS NOT NULL");

pub(super) const ALL_DUE: &str = with_queued_sources!(
    "UPDATE report INDEXED BY report_due SET due_at = ?1
      WHERE state = 'queued' AND source IN (SELECT source FROM queued) AND due_at > ?2"
);

/// The first of each source, and of these the first.
pub(super) const NEXT_DUE: &str = with_queued_sources!(
    "SELECT min((SELECT due_at FROM report INDEXED BY report_due
                  WHERE state = 'queued' AND source = queued.source
                    AND id NOT IN (SELECT value FROM json_each(?1))
                  ORDER BY due_at LIMIT 1))
       FROM queued"
);

/// How long the bodies are as they lie there, which SQLite knows without reading them.
pub(super) const SIZES: &str = "
  SELECT length(body)
    FROM json_each(?1) AS chosen
    CROSS JOIN report_body AS b ON b.seq = chosen.value
   ORDER BY chosen.key";

/// How many reports of these sizes fit into memory together; one always does.
fn fitting(sizes: &[i64]) -> usize {
    let mut bytes = 0;
    let fit = sizes.iter().take_while(|size| {
        bytes += size.unsigned_abs();
        bytes <= TAKEN_BYTES
    });
    fit.count().max(1)
}

pub(super) const TAKEN: &str = "
  SELECT r.id, r.seq, attempts, stored_at, source, serial_number, part_number, result, body, sha256
    FROM json_each(?1) AS chosen
    CROSS JOIN report AS r ON r.seq = chosen.value
    CROSS JOIN report_body AS b ON b.seq = r.seq
   WHERE state = 'queued'";

#[derive(sqlx::FromRow)]
struct DueRow {
    id: String,
    seq: i64,
    attempts: u32,
    stored_at: i64,
    source: String,
    serial_number: String,
    part_number: String,
    result: String,
    body: Vec<u8>,
    sha256: Option<String>,
}

impl DueRow {
    fn due(self) -> Result<Due, sqlx::Error> {
        let body = body::unpack(self.body)?;
        let head = DueHead {
            id: uuid(&self.id)?,
            seq: self.seq,
            attempts: self.attempts.saturating_add(1),
            stored_at: time(self.stored_at),
            source: self.source,
            serial_number: self.serial_number,
            part_number: self.part_number,
            result: self.result,
            sha256: self.sha256.unwrap_or_else(|| crate::files::sha256(&body)),
        };
        Ok(Due { head, body })
    }
}

async fn record(db: &mut SqliteConnection, attempts: Arc<[Attempt]>) -> Result<(), sqlx::Error> {
    let accepted: Vec<(&Attempt, &String)> = attempts
        .iter()
        .filter_map(|attempt| match &attempt.sent {
            Sent::Accepted { answer } => Some((attempt, answer)),
            _ => None,
        })
        .collect();
    bulk::rows(
        db,
        "UPDATE report SET state = 'sent', attempts = attempts + 1, sent_at = done.column2, error = NULL,
                answer = done.column3 FROM (",
        &accepted,
        ") AS done WHERE seq = done.column1 AND state = 'queued'",
        |row, (attempt, answer)| {
            row.push_bind(attempt.report.seq).push_bind(ms(attempt.at)).push_bind((*answer).clone());
        },
    )
    .await?;
    for attempt in &*attempts {
        change(db, attempt).await?;
    }
    ledger::append(db, attempts.iter().filter_map(receipt).collect()).await
}

/// What is rare comes one by one.
async fn change(db: &mut SqliteConnection, attempt: &Attempt) -> Result<(), sqlx::Error> {
    let query = match &attempt.sent {
        Sent::Accepted { .. } | Sent::GivenBack { error: None } => return Ok(()),
        Sent::Rejected { error, answer } => sqlx::query(
            "UPDATE report SET state = 'rejected', attempts = attempts + 1, error = ?2, answer = ?3
              WHERE seq = ?1 AND state = 'queued'",
        )
        .bind(attempt.report.seq)
        .bind(error)
        .bind(answer),
        Sent::Postponed { error, answer, due_at } => sqlx::query(
            "UPDATE report SET attempts = attempts + 1, error = ?2, answer = ?3, due_at = ?4
              WHERE seq = ?1 AND state = 'queued'",
        )
        .bind(attempt.report.seq)
        .bind(error)
        .bind(answer)
        .bind(ms(*due_at)),
        Sent::GivenBack { error: Some(error) } => {
            sqlx::query("UPDATE report SET error = ?2 WHERE seq = ?1 AND state = 'queued'")
                .bind(attempt.report.seq)
                .bind(error)
        }
    };
    query.execute(db).await?;
    Ok(())
}

/// What the ledger keeps of an attempt: final answers.
fn receipt(attempt: &Attempt) -> Option<Record> {
    let (event, words) = match &attempt.sent {
        Sent::Accepted { answer } => (Event::Acknowledged, answer),
        Sent::Rejected { error, answer } if answer.is_empty() => (Event::Refused, error),
        Sent::Rejected { answer, .. } => (Event::Refused, answer),
        Sent::Postponed { .. } | Sent::GivenBack { .. } => return None,
    };
    let words = Some(words.clone());
    Some(Record { at: attempt.at, words, ..about(&attempt.report, event) })
}

/// Records in the ledger that a person gave a report up.
pub(super) async fn note_discard(
    db: &mut SqliteConnection,
    id: &str,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let row: DueRow = sqlx::query_as(
        "SELECT id, seq, attempts, stored_at, source, serial_number, part_number, result, body, sha256
           FROM report JOIN report_body USING (seq) WHERE id = ?1",
    )
    .bind(id)
    .fetch_one(&mut *db)
    .await?;
    let record = Record { at: now, ..about(&row.due()?.head, Event::Discarded) };
    ledger::append(db, vec![record]).await
}

/// A record about a report.
fn about(report: &DueHead, event: Event) -> Record {
    let mut record = Record::new(event, source_of(&report.source).to_owned());
    record.report_id = Some(report.id.to_string());
    record.report_sha256 = Some(report.sha256.clone());
    record.serial_number = Some(report.serial_number.clone());
    record.part_number = Some(report.part_number.clone());
    record.result = Some(report.result.clone());
    record
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_fit_and_a_large_one_alone() {
        let (small, large) = (1000, 5 << 20);
        assert_eq!(fitting(&[small; 100]), 100);
        assert_eq!(fitting(&[large, small]), 1);
        assert_eq!(fitting(&[small, small, large, small]), 2);
        assert_eq!(fitting(&[]), 1);
    }
}
