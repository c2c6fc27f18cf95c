//! The table `report`: the queue, and what was sent.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use uuid::Uuid;

use super::rows::{ms, report_state, time, uuid};
use super::{Store, StoreError, ledger};
use crate::control::api::ReportState;
use crate::ledger::{Event, Record};

/// A report as it comes from a converter, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    pub id: Uuid,
    pub serial_number: String,
    pub part_number: String,
    pub process_code: Option<i64>,
    /// `P`, `F`, `E` or `T`.
    pub result: String,
    /// WSJF.
    pub body: Vec<u8>,
}

/// A report that was taken from the queue to be sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub id: Uuid,
    /// Which content: a newer one under the same id has a higher number.
    pub seq: i64,
    /// How often it was tried, this time included.
    pub attempts: u32,
    pub stored_at: Timestamp,
    pub body: Vec<u8>,
}

/// The reports of one source that are due, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    pub source: String,
    /// Sequence numbers, as in [`Due`].
    pub reports: Vec<i64>,
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
    /// Takes reports that are due and marks them as being sent.
    ///
    /// `choose` gets, of each source, up to `limit` reports, the longest due first, and answers with those to take.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn take_due<F>(&self, now: Timestamp, limit: u32, choose: F) -> Result<Vec<Due>, StoreError>
    where
        F: FnOnce(Vec<Waiting>) -> Vec<i64> + Send + 'static,
    {
        self.writer.write(move |db| Box::pin(take_due(db, now, limit, choose))).await
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
        let query = "SELECT min(due_at) FROM report INDEXED BY report_next_due WHERE state = 'queued'";
        let due: Option<i64> = sqlx::query_scalar(query).fetch_one(&self.readers).await?;
        Ok(due.map(time))
    }

    /// Records what came of an attempt.
    ///
    /// If the report got a new content meanwhile it goes back to the queue, whatever came of the old.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn sent(&self, id: Uuid, seq: i64, sent: Sent, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(move |db| Box::pin(record(db, id, seq, sent, now))).await
    }

    /// Puts back into the queue what was being sent when the agent ended; answers how many.
    ///
    /// The server may have them: the same id replaces, so nothing is counted twice.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn requeue_interrupted(&self) -> Result<u64, StoreError> {
        self.writer
            .write(|db| {
                Box::pin(async move {
                    let change = "UPDATE report SET state = 'queued' WHERE state = 'sending'";
                    Ok(sqlx::query(change).execute(db).await?.rows_affected())
                })
            })
            .await
    }

    /// Makes every waiting report due now: the server is back, or the settings changed.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn all_due(&self, now: Timestamp) -> Result<(), StoreError> {
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    let change = "UPDATE report INDEXED BY report_next_due SET due_at = ?1
                                   WHERE state = 'queued' AND due_at > ?1";
                    sqlx::query(change).bind(ms(now)).execute(db).await?;
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
        self.move_report(id, now, change, None).await
    }

    /// Gives a rejected report up; it is kept for the record.
    ///
    /// # Errors
    /// When there is no such report, it is in another state, or it could not be stored.
    pub async fn discard_report(&self, id: Uuid, now: Timestamp) -> Result<(), MoveError> {
        let change =
            "UPDATE report SET state = 'discarded', due_at = ?2 WHERE id = ?1 AND state = 'rejected'";
        self.move_report(id, now, change, Some(Event::Discarded)).await
    }

    async fn move_report(
        &self,
        id: Uuid,
        now: Timestamp,
        change: &'static str,
        event: Option<Event>,
    ) -> Result<(), MoveError> {
        let refused = self
            .writer
            .write(move |db| {
                Box::pin(async move {
                    let id = id.to_string();
                    let changed = sqlx::query(change).bind(&id).bind(ms(now)).execute(&mut *db).await?;
                    if changed.rows_affected() > 0 {
                        if let Some(event) = event {
                            note(db, event, &id, None, now).await?;
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

/// Puts a report into the queue. A new content under a known id takes the place of the old one.
pub(super) async fn store(
    db: &mut SqliteConnection,
    file_id: i64,
    report: NewReport,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO report (id, file_id, serial_number, part_number, process_code, result, state, stored_at,
                             due_at, body, source)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?7, ?8, (SELECT source FROM file WHERE id = ?2))
         ON CONFLICT (id) DO UPDATE SET
           seq = (SELECT max(seq) + 1 FROM report), file_id = excluded.file_id, source = excluded.source,
           serial_number = excluded.serial_number, part_number = excluded.part_number,
           process_code = excluded.process_code, result = excluded.result,
           -- What is on its way is not overtaken: its end puts the new content into the queue.
           state = CASE report.state WHEN 'sending' THEN 'sending' ELSE 'queued' END,
           attempts = 0, stored_at = excluded.stored_at, due_at = excluded.due_at, sent_at = NULL,
           error = NULL, answer = NULL, body = excluded.body
         WHERE report.body <> excluded.body OR report.state IN ('rejected', 'discarded')",
    )
    .bind(report.id.to_string())
    .bind(file_id)
    .bind(report.serial_number)
    .bind(report.part_number)
    .bind(report.process_code)
    .bind(report.result)
    .bind(ms(now))
    .bind(report.body)
    .execute(db)
    .await?;
    Ok(())
}

/// The sources with a report in the queue, each found by one step in the index.
///
/// Here and elsewhere the index is named, because SQLite prefers one over all states and then reads every
/// report of the queue; the statement fails to prepare should the index ever be missing.
pub(super) const QUEUED_SOURCES: &str = "
  WITH RECURSIVE queued (source) AS (
    SELECT min(source) FROM report INDEXED BY report_due WHERE state = 'queued'
    UNION ALL
    SELECT (SELECT min(source) FROM report INDEXED BY report_due
             WHERE state = 'queued' AND source > queued.source)
      FROM queued WHERE queued.source IS NOT NULL
  )
  SELECT source FROM queued WHERE source IS NOT NULL";

async fn take_due(
    db: &mut SqliteConnection,
    now: Timestamp,
    limit: u32,
    choose: impl FnOnce(Vec<Waiting>) -> Vec<i64>,
) -> Result<Vec<Due>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        id: String,
        seq: i64,
        attempts: u32,
        stored_at: i64,
        body: Vec<u8>,
    }
    let sources: Vec<String> = sqlx::query_scalar(QUEUED_SOURCES).fetch_all(&mut *db).await?;
    let mut waiting = Vec::with_capacity(sources.len());
    for source in sources {
        let due = "SELECT seq FROM report WHERE state = 'queued' AND source = ?1 AND due_at <= ?2
                    ORDER BY due_at, seq LIMIT ?3";
        let due = sqlx::query_scalar(due).bind(&source).bind(ms(now)).bind(limit);
        waiting.push(Waiting { reports: due.fetch_all(&mut *db).await?, source });
    }
    let mut taken = Vec::new();
    for seq in choose(waiting) {
        let take = "UPDATE report SET state = 'sending', attempts = attempts + 1 WHERE seq = ?1
                    RETURNING id, seq, attempts, stored_at, body";
        let row: Row = sqlx::query_as(take).bind(seq).fetch_one(&mut *db).await?;
        taken.push(Due {
            id: uuid(&row.id)?,
            seq: row.seq,
            attempts: row.attempts,
            stored_at: time(row.stored_at),
            body: row.body,
        });
    }
    Ok(taken)
}

async fn record(
    db: &mut SqliteConnection,
    id: Uuid,
    seq: i64,
    sent: Sent,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let id = id.to_string();
    let receipt = match &sent {
        Sent::Accepted { answer } => Some((Event::Acknowledged, answer.clone())),
        Sent::Rejected { error, answer } if answer.is_empty() => Some((Event::Refused, error.clone())),
        Sent::Rejected { answer, .. } => Some((Event::Refused, answer.clone())),
        Sent::Postponed { .. } | Sent::GivenBack { .. } => None,
    };
    let query = match sent {
        Sent::Accepted { answer } => sqlx::query(
            "UPDATE report SET state = 'sent', sent_at = ?3, error = NULL, answer = ?4
              WHERE id = ?1 AND seq = ?2 AND state = 'sending'",
        )
        .bind(&id)
        .bind(seq)
        .bind(ms(now))
        .bind(answer),
        Sent::Rejected { error, answer } => sqlx::query(
            "UPDATE report SET state = 'rejected', error = ?3, answer = ?4
              WHERE id = ?1 AND seq = ?2 AND state = 'sending'",
        )
        .bind(&id)
        .bind(seq)
        .bind(error)
        .bind(answer),
        Sent::Postponed { error, answer, due_at } => sqlx::query(
            "UPDATE report SET state = 'queued', error = ?3, answer = ?4, due_at = ?5
              WHERE id = ?1 AND seq = ?2 AND state = 'sending'",
        )
        .bind(&id)
        .bind(seq)
        .bind(error)
        .bind(answer)
        .bind(ms(due_at)),
        Sent::GivenBack { error } => sqlx::query(
            "UPDATE report SET state = 'queued', attempts = max(attempts - 1, 0), error = coalesce(?3, error)
              WHERE id = ?1 AND seq = ?2 AND state = 'sending'",
        )
        .bind(&id)
        .bind(seq)
        .bind(error),
    };
    if query.execute(&mut *db).await?.rows_affected() == 0 {
        sqlx::query("UPDATE report SET state = 'queued' WHERE id = ?1 AND state = 'sending'")
            .bind(&id)
            .execute(db)
            .await?;
        return Ok(());
    }
    match receipt {
        Some((event, words)) => note(db, event, &id, Some(words), now).await,
        None => Ok(()),
    }
}

/// Records in the ledger what became of a report.
pub(super) async fn note(
    db: &mut SqliteConnection,
    event: Event,
    id: &str,
    words: Option<String>,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match ledger::about_report(db, event, id).await? {
        Some(record) => ledger::append(db, Record { at: now, words, ..record }).await,
        None => Ok(()),
    }
}
