//! What a person does with reports that the server refused: many at once, or one corrected.

use jiff::Timestamp;

use super::lists::{PAGE_LIMIT, matching};
use super::reports::{self, NewReport, note_discard};
use super::rows::{ms, report_state};
use super::{MoveError, Store, StoreError};
use crate::control::api::{ReportQuery, ReportState};
use crate::ledger::{Event, Record};

impl Store {
    /// Queues all reports again that are in `state` and fit the rest of the query; answers how many.
    ///
    /// Of the queue itself, makes them due now.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn retry_reports(
        &self,
        filter: ReportQuery,
        state: ReportState,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let change = concat!(
            "UPDATE report SET state = 'queued', attempts = 0, due_at = ?1
              WHERE id IN (SELECT r.id FROM report r WHERE r.state = ?3 AND r.state IN ('rejected', 'queued')",
            matching!(),
            " ORDER BY r.seq DESC LIMIT ?2)"
        );
        self.writer
            .write(move |db| {
                let filter = filter.clone();
                Box::pin(async move {
                    let changed = sqlx::query(change)
                        .bind(ms(now))
                        .bind(filter.limit.map_or(-1, i64::from))
                        .bind(state.word())
                        .bind(filter.source)
                        .bind(filter.serial_number)
                        .bind(filter.part_number)
                        .bind(filter.from.map(ms))
                        .bind(filter.to.map(ms));
                    Ok(changed.execute(db).await?.rows_affected())
                })
            })
            .await
    }

    /// Gives up refused reports that fit the query, up to a page of them; answers how many. Each is in the ledger.
    ///
    /// # Errors
    /// When it could not be stored.
    pub async fn discard_reports(&self, filter: ReportQuery, now: Timestamp) -> Result<u64, StoreError> {
        let change = concat!(
            "UPDATE report SET state = 'discarded', due_at = ?1
              WHERE id IN (SELECT r.id FROM report r WHERE r.state = ?3",
            matching!(),
            " ORDER BY r.seq DESC LIMIT ?2) RETURNING id"
        );
        self.writer
            .write(move |db| {
                let filter = filter.clone();
                Box::pin(async move {
                    let ids: Vec<String> = sqlx::query_scalar(change)
                        .bind(ms(now))
                        .bind(filter.limit.unwrap_or(PAGE_LIMIT).min(PAGE_LIMIT))
                        .bind(ReportState::Rejected.word())
                        .bind(filter.source)
                        .bind(filter.serial_number)
                        .bind(filter.part_number)
                        .bind(filter.from.map(ms))
                        .bind(filter.to.map(ms))
                        .fetch_all(&mut *db)
                        .await?;
                    for id in &ids {
                        note_discard(db, id, now).await?;
                    }
                    Ok(u64::try_from(ids.len()).unwrap_or(u64::MAX))
                })
            })
            .await
    }

    /// Puts a corrected content in the place of a refused one, and queues it. Both hashes are in the ledger.
    ///
    /// # Errors
    /// When there is no such report, it is in another state, or it could not be stored.
    pub async fn correct_report(&self, report: NewReport, now: Timestamp) -> Result<(), MoveError> {
        let id = report.id;
        let refused = self.writer.write(move |db| Box::pin(correct(db, report.clone(), now))).await?;
        match refused {
            None => Ok(()),
            Some(None) => Err(MoveError::Unknown { id }),
            Some(Some(state)) => Err(MoveError::Illegal { state }),
        }
    }
}

/// `None` when it was done, else the state that the report is in.
async fn correct(
    db: &mut sqlx::SqliteConnection,
    report: NewReport,
    now: Timestamp,
) -> Result<Option<Option<ReportState>>, sqlx::Error> {
    let id = report.id.to_string();
    let hash = report.body.sha256().to_owned();
    let found: Option<(i64, String)> = sqlx::query_as("SELECT seq, state FROM report WHERE id = ?1")
        .bind(&id)
        .fetch_optional(&mut *db)
        .await?;
    let Some((old, state)) = found else { return Ok(Some(None)) };
    let state = report_state(&state)?;
    if state != ReportState::Rejected {
        return Ok(Some(Some(state)));
    }
    sqlx::query("DELETE FROM report_body WHERE seq = ?1").bind(old).execute(&mut *db).await?;
    let (seq, source): (i64, String) = sqlx::query_as(
        "UPDATE report SET seq = (SELECT max(seq) + 1 FROM report), serial_number = ?2, part_number = ?3,
                process_code = ?4, result = ?5, state = 'queued', attempts = 0, due_at = ?6, error = NULL,
                answer = NULL
          WHERE seq = ?1 RETURNING seq, source",
    )
    .bind(old)
    .bind(&report.serial_number)
    .bind(&report.part_number)
    .bind(report.process_code)
    .bind(&report.result)
    .bind(ms(now))
    .fetch_one(&mut *db)
    .await?;
    reports::store_body(db, seq, &report.body).await?;
    let mut record = Record::new(Event::Corrected, source);
    record.at = now;
    record.report_id = Some(id);
    record.report_sha256 = Some(hash);
    record.serial_number = Some(report.serial_number);
    record.part_number = Some(report.part_number);
    record.result = Some(report.result);
    super::ledger::append(db, vec![record]).await?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{Bench, bench, rejected, report};

    async fn refused(bench: &Bench, ids: &[u128]) {
        bench.converted(&format!("{ids:?}"), ids.iter().map(|&id| report(id, "x")).collect()).await;
        for due in bench.take().await {
            bench.ends(&due, rejected()).await;
        }
    }

    fn of(serial: &str) -> ReportQuery {
        ReportQuery { serial_number: Some(serial.to_owned()), ..ReportQuery::default() }
    }

    #[tokio::test]
    async fn refused_reports_are_sent_again_together_or_as_a_query_narrows_it() {
        let bench = bench().await;
        refused(&bench, &[1, 2, 3]).await;
        let retry = |query: ReportQuery| bench.store.retry_reports(query, ReportState::Rejected, bench.now);
        assert_eq!(retry(of("SN-2")).await.unwrap(), 1);
        assert_eq!(bench.state(2).await, ReportState::Queued);
        assert_eq!(bench.state(1).await, ReportState::Rejected);
        let elsewhere = ReportQuery { source: Some("other".to_owned()), ..ReportQuery::default() };
        assert_eq!(retry(elsewhere).await.unwrap(), 0);
        let late = ReportQuery { from: Some(Timestamp::MAX), ..ReportQuery::default() };
        assert_eq!(retry(late).await.unwrap(), 0);
        assert_eq!(retry(ReportQuery::default()).await.unwrap(), 2);
        assert_eq!(bench.take().await.len(), 3);
        // What is on its way or sent is never touched.
        let sending = bench.store.retry_reports(ReportQuery::default(), ReportState::Sending, bench.now);
        assert_eq!(sending.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn refused_reports_are_given_up_together_and_each_is_in_the_ledger() {
        let bench = bench().await;
        refused(&bench, &[1, 2, 3]).await;
        let one = ReportQuery { limit: Some(1), ..ReportQuery::default() };
        assert_eq!(bench.store.discard_reports(one, bench.now).await.unwrap(), 1);
        assert_eq!(bench.store.discard_reports(of("SN-1"), bench.now).await.unwrap(), 1);
        assert_eq!(
            [bench.state(1).await, bench.state(2).await],
            [ReportState::Discarded, ReportState::Rejected]
        );
        for (serial, last) in
            [("SN-1", Event::Discarded), ("SN-2", Event::Refused), ("SN-3", Event::Discarded)]
        {
            let records = bench.ledger().await.find(serial).await.unwrap();
            assert_eq!(records.last().unwrap().event, last, "{serial}");
        }
        assert_eq!(bench.ledger().await.verify(None).await.unwrap().records, 8);
    }

    #[tokio::test]
    async fn a_corrected_report_keeps_its_id_and_both_contents_are_in_the_ledger() {
        let bench = bench().await;
        refused(&bench, &[1, 2]).await;
        let mut better = report(1, "better");
        better.serial_number = "SN-1B".to_owned();
        bench.store.correct_report(better.clone(), bench.now).await.unwrap();
        let detail = bench.store.report(better.id).await.unwrap().unwrap();
        assert_eq!(detail.record.state, ReportState::Queued);
        assert_eq!((detail.record.serial_number.as_str(), detail.record.attempts), ("SN-1B", 0));
        assert_eq!(detail.body["a"], "better");
        let again = bench.store.correct_report(better, bench.now).await;
        assert!(matches!(again, Err(MoveError::Illegal { state: ReportState::Queued })));
        let unknown = bench.store.correct_report(report(9, "x"), bench.now).await;
        assert!(matches!(unknown, Err(MoveError::Unknown { .. })));

        for due in bench.take().await {
            assert_eq!(due.body, report(1, "better").body.wsjf().unwrap());
            bench.ends(&due, super::super::Sent::Accepted { answer: "ok".to_owned() }).await;
        }
        let ledger = bench.ledger().await;
        let (first, second) = (ledger.find("SN-1").await.unwrap(), ledger.find("SN-1B").await.unwrap());
        let events = |records: &[Record]| records.iter().map(|it| it.event).collect::<Vec<_>>();
        assert_eq!(events(&first), [Event::Converted, Event::Refused]);
        assert_eq!(events(&second), [Event::Corrected, Event::Acknowledged]);
        assert_eq!(second[0].report_sha256, second[1].report_sha256);
        assert_ne!(first[0].report_sha256, second[0].report_sha256);
        assert_eq!(first[0].report_id, second[0].report_id);
        ledger.verify(None).await.unwrap();
    }
}
