use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::*;
use crate::control::api::{FileQuery, FileState, ReportQuery, ReportState};
use crate::files::Stamp;

pub(super) struct Bench {
    folder: tempfile::TempDir,
    pub(super) store: Store,
    pub(super) now: Timestamp,
}

pub(super) async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("agent.db")).await.unwrap();
    Bench { folder, store, now: Timestamp::from_second(1_800_000_000).unwrap() }
}

fn file(name: &str, sha256: &str) -> NewFile {
    NewFile {
        source: "line".to_owned(),
        converter: "wats-json".to_owned(),
        arguments: "{}".to_owned(),
        path: PathBuf::from("/in").join(name),
        stamp: Stamp { device: u64::MAX, inode: 7, size: 3, modified_ns: 5 },
        sha256: sha256.to_owned(),
        received_at: Timestamp::UNIX_EPOCH,
    }
}

pub(super) fn report(id: u128, body: &str) -> NewReport {
    NewReport {
        id: Uuid::from_u128(id),
        serial_number: format!("SN-{id}"),
        part_number: "P".to_owned(),
        process_code: Some(10),
        result: "P".to_owned(),
        body: format!("{{\"a\":\"{body}\"}}").into_bytes(),
    }
}

impl Bench {
    pub(super) async fn converted(&self, name: &str, reports: Vec<NewReport>) -> i64 {
        let Claim::Convert { id } = self.store.claim(file(name, name)).await.unwrap() else { panic!() };
        assert_eq!(self.store.converted(id, reports, self.now).await.unwrap(), None);
        id
    }

    pub(super) async fn ledger(&self) -> Ledger {
        Ledger::open(&self.folder.path().join("agent.db")).await.unwrap()
    }

    pub(super) async fn state(&self, id: u128) -> ReportState {
        self.store.report(Uuid::from_u128(id)).await.unwrap().unwrap().record.state
    }

    pub(super) async fn take(&self) -> Vec<Due> {
        let all = |waiting: Vec<Waiting>| waiting.into_iter().flat_map(|it| it.reports).collect();
        self.store.take_due(self.now, 10, all).await.unwrap()
    }

    pub(super) async fn ends(&self, due: &Due, sent: Sent) {
        self.store.sent(due.id, due.seq, sent, self.now).await.unwrap();
    }
}

fn accepted() -> Sent {
    Sent::Accepted { answer: "ok".to_owned() }
}

pub(super) fn rejected() -> Sent {
    Sent::Rejected { error: "no".to_owned(), answer: "root: no.".to_owned() }
}

#[tokio::test]
async fn a_claimed_file_is_claimed_once_and_known_afterwards() {
    let bench = bench().await;
    let first = bench.store.claim(file("a", "x")).await.unwrap();
    assert_eq!(bench.store.claim(file("a", "x")).await.unwrap(), first, "after a crash");
    let id = bench.converted("b", vec![report(1, "x")]).await;
    let new = file("b", "b");
    let known = bench.store.known("line", &new.path, new.stamp).await.unwrap().unwrap();
    assert_eq!((known.id, known.state, known.put_away), (id, FileState::Converted, false));
    assert_eq!(known.stamp, new.stamp);
    assert_eq!(bench.store.unfinished("line").await.unwrap().len(), 2);
    bench.store.put_away(id, Some(PathBuf::from("/archive/b"))).await.unwrap();
    assert_eq!(bench.store.unfinished("line").await.unwrap().len(), 1);
    assert_eq!(bench.store.whereabouts(id).await.unwrap(), Some(PathBuf::from("/archive/b")));
}

#[tokio::test]
async fn another_content_at_the_same_place_replaces_the_claim() {
    let bench = bench().await;
    bench.store.claim(file("a", "x")).await.unwrap();
    bench.store.claim(file("a", "y")).await.unwrap();
    let files = bench.store.files(&FileQuery::default()).await.unwrap();
    assert_eq!(files.iter().map(|file| file.sha256.as_str()).collect::<Vec<_>>(), ["y"]);
}

#[tokio::test]
async fn the_same_content_is_recognised_under_another_name_but_not_with_other_arguments() {
    let bench = bench().await;
    let id = bench.converted("a", vec![report(1, "x")]).await;
    let Claim::Duplicate { of, .. } = bench.store.claim(file("b", "a")).await.unwrap() else { panic!() };
    assert_eq!(of, id);
    let other = NewFile { arguments: "{\"x\":\"1\"}".to_owned(), ..file("c", "a") };
    assert!(matches!(bench.store.claim(other).await.unwrap(), Claim::Convert { .. }));
    assert_eq!(bench.store.queue_counts(bench.now).await.unwrap().queued, 1);
}

#[tokio::test]
async fn of_two_files_with_the_same_content_at_once_only_one_gives_reports() {
    let bench = bench().await;
    let Claim::Convert { id: one } = bench.store.claim(file("a", "x")).await.unwrap() else { panic!() };
    let Claim::Convert { id: two } = bench.store.claim(file("b", "x")).await.unwrap() else { panic!() };
    let first = bench.store.converted(one, vec![report(1, "x")], bench.now).await.unwrap();
    let second = bench.store.converted(two, vec![report(1, "x")], bench.now).await.unwrap();
    assert_eq!((first, second), (None, Some(one)));
}

#[tokio::test]
async fn a_failed_file_can_be_claimed_again() {
    let bench = bench().await;
    let Claim::Convert { id } = bench.store.claim(file("a", "x")).await.unwrap() else { panic!() };
    bench.store.failed(id, "line 1: no".to_owned()).await.unwrap();
    bench.store.put_away(id, Some(PathBuf::from("/in/error/a"))).await.unwrap();
    let twin = bench.store.failed_twin("line", "x").await.unwrap();
    assert_eq!(twin, Some((id, PathBuf::from("/in/error/a"))));
    assert_eq!(
        bench.store.last_file("line", Some(FileState::Failed)).await.unwrap().unwrap().error.unwrap(),
        "line 1: no"
    );

    let again = file("a", "x");
    assert!(bench.store.reclaim(id, again.path.clone(), again.stamp).await.unwrap());
    assert!(!bench.store.reclaim(id, again.path.clone(), again.stamp).await.unwrap());
    assert_eq!(bench.store.claim(again).await.unwrap(), Claim::Convert { id });
    assert_eq!(bench.store.refuse(file("z", ""), "empty".to_owned()).await.unwrap(), id + 1);
    let totals = bench.store.source_totals().await.unwrap();
    assert_eq!(totals["line"], SourceTotals { converted: 0, failed: 1 });
    bench.store.forget(id + 1).await.unwrap();
    assert!(bench.store.file(id + 1).await.unwrap().is_none());
}

#[tokio::test]
async fn a_report_is_taken_once_oldest_first_and_sent() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x"), report(2, "x")]).await;
    let due = bench.take().await;
    assert_eq!(due.iter().map(|it| (it.id.as_u128(), it.attempts)).collect::<Vec<_>>(), [(1, 1), (2, 1)]);
    assert_eq!(bench.take().await, []);
    bench.ends(&due[0], accepted()).await;
    bench.ends(&due[1], rejected()).await;
    assert_eq!((bench.state(1).await, bench.state(2).await), (ReportState::Sent, ReportState::Rejected));
    let counts = bench.store.queue_counts(bench.now).await.unwrap();
    assert_eq!((counts.sent, counts.sent_today, counts.rejected, counts.queued), (1, 1, 1, 0));
    let detail = bench.store.report(Uuid::from_u128(2)).await.unwrap().unwrap();
    assert_eq!(detail.server_answer.unwrap(), "root: no.");
    assert_eq!(detail.body["a"], "x");
}

#[tokio::test]
async fn a_postponed_report_waits_and_a_given_back_one_does_not() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x"), report(2, "x")]).await;
    let due = bench.take().await;
    let due_at = bench.now + SignedDuration::from_secs(5);
    bench.ends(&due[0], Sent::Postponed { error: "off".to_owned(), answer: String::new(), due_at }).await;
    bench.ends(&due[1], Sent::GivenBack { error: None }).await;
    let again = bench.take().await;
    assert_eq!(again.iter().map(|it| (it.id.as_u128(), it.attempts)).collect::<Vec<_>>(), [(2, 1)]);
    assert_eq!(bench.store.next_due().await.unwrap(), Some(due_at));
    bench.store.all_due(bench.now).await.unwrap();
    assert_eq!(bench.take().await[0].attempts, 2);
}

#[tokio::test]
async fn what_was_being_sent_at_a_crash_is_queued_again() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x")]).await;
    bench.take().await;
    assert_eq!(bench.store.requeue_interrupted().await.unwrap(), 1);
    assert_eq!(bench.take().await.len(), 1);
}

#[tokio::test]
async fn a_new_content_under_a_known_id_is_sent_after_the_old_one_that_is_on_its_way() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "old")]).await;
    let old = bench.take().await;
    bench.converted("b", vec![report(1, "new")]).await;
    assert_eq!(bench.take().await, [], "not while the old one is on its way");
    bench.ends(&old[0], accepted()).await;
    let new = bench.take().await;
    assert_eq!(new[0].body, b"{\"a\":\"new\"}");
    bench.ends(&new[0], accepted()).await;
    bench.converted("c", vec![report(1, "new")]).await;
    assert_eq!(bench.state(1).await, ReportState::Sent, "the server has this very content");
}

#[tokio::test]
async fn a_person_can_retry_and_discard_what_was_rejected_and_nothing_else() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x"), report(2, "x")]).await;
    let due = bench.take().await;
    bench.ends(&due[0], rejected()).await;
    bench.ends(&due[1], accepted()).await;
    let id = Uuid::from_u128(1);
    bench.store.retry_report(id, bench.now).await.unwrap();
    let due = bench.take().await;
    bench.ends(&due[0], rejected()).await;
    bench.store.discard_report(id, bench.now).await.unwrap();
    assert_eq!(bench.state(1).await, ReportState::Discarded);
    for (id, words) in [(1, "the report is discarded"), (2, "the report is sent")] {
        let refused = bench.store.retry_report(Uuid::from_u128(id), bench.now).await;
        assert_eq!(refused.unwrap_err().to_string(), words);
    }
    let unknown = bench.store.discard_report(Uuid::nil(), bench.now).await;
    assert!(matches!(unknown, Err(MoveError::Unknown { .. })));
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let bench = bench().await;
    for name in ["a", "b", "c"] {
        bench.converted(name, vec![report(u128::from(name.as_bytes()[0]), "x")]).await;
    }
    let query = ReportQuery { limit: Some(2), ..ReportQuery::default() };
    let page = bench.store.reports(&query).await.unwrap();
    assert_eq!(page.iter().map(|it| it.file_name.as_str()).collect::<Vec<_>>(), ["c", "b"]);
    let query =
        ReportQuery { before: Some(page[1].id), state: Some(ReportState::Queued), ..ReportQuery::default() };
    assert_eq!(bench.store.reports(&query).await.unwrap()[0].file_name, "a");
    for (state, source, count) in [
        (None, None, 3),
        (Some(FileState::Failed), None, 0),
        (None, Some("line"), 3),
        (Some(FileState::Converted), Some("x"), 0),
    ] {
        let query = FileQuery { state, source: source.map(str::to_owned), ..FileQuery::default() };
        assert_eq!(bench.store.files(&query).await.unwrap().len(), count, "{query:?}");
    }
}

#[tokio::test]
async fn a_change_that_fails_is_undone_alone_and_a_full_disk_loses_nothing() {
    let bench = bench().await;
    let Claim::Convert { id } = bench.store.claim(file("a", "x")).await.unwrap() else { panic!() };
    // Nobody claimed 99: its change fails, the others of the same moment stand.
    let (wrong, right) = tokio::join!(
        bench.store.converted(99, vec![report(9, "x")], bench.now),
        bench.store.failed(id, "no".to_owned()),
    );
    assert!(wrong.is_err() && right.is_ok());
    assert!(bench.store.report(Uuid::from_u128(9)).await.unwrap().is_none());

    let pages = |statement: &'static str| {
        bench.store.writer.write(move |db| Box::pin(async move { sqlx::query(statement).execute(db).await }))
    };
    pages("PRAGMA max_page_count = 1").await.unwrap();
    let Ok(Claim::Convert { id }) = bench.store.claim(file("b", "y")).await else { panic!() };
    let large = "x".repeat(1 << 20);
    let full = bench.store.converted(id, vec![report(2, &large)], bench.now).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    pages("PRAGMA max_page_count = 1000000").await.unwrap();
    assert_eq!(bench.store.converted(id, vec![report(2, &large)], bench.now).await.unwrap(), None);
    assert_eq!(bench.state(2).await, ReportState::Queued);
}

#[tokio::test]
async fn a_closed_store_says_so_and_keeps_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    let store = Store::open(&path).await.unwrap();
    store.claim(file("a", "x")).await.unwrap();
    store.close().await;
    assert!(store.is_closed());
    assert!(matches!(store.claim(file("b", "y")).await, Err(StoreError::Closed)));
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.files(&FileQuery::default()).await.unwrap().len(), 1);
}

#[test]
fn only_the_drawn_moves_are_legal() {
    use ReportState::{Discarded, Queued, Rejected, Sending, Sent};
    let legal: Vec<_> = ReportState::ALL
        .iter()
        .flat_map(|&from| ReportState::ALL.map(|to| (from, to)))
        .filter(|(from, to)| from.can_become(*to))
        .collect();
    let drawn = [
        (Queued, Sending),
        (Sending, Queued),
        (Sending, Sent),
        (Sending, Rejected),
        (Rejected, Queued),
        (Rejected, Discarded),
    ];
    assert_eq!(legal, drawn);
}

/// The check of the whole ledger.
async fn verified(database: &Path) -> Result<(i64, String), crate::ledger::Flaw> {
    use futures_util::StreamExt;
    let ledger = Ledger::open(database).await.unwrap();
    let written = ledger.written().await.unwrap();
    let mut check = crate::ledger::Check::new(None);
    let mut records = std::pin::pin!(ledger.records(Timestamp::MIN, Timestamp::MAX));
    while let Some(record) = records.next().await {
        check.next(&record.unwrap())?;
    }
    check.end(written)
}

#[tokio::test]
async fn weakness_15_the_ledger_answers_which_file_a_serial_number_came_from() {
    use crate::ledger::Event;
    let bench = bench().await;
    let database = bench.folder.path().join("agent.db");
    assert_eq!(verified(&database).await.unwrap().0, 0);
    bench.converted("a", vec![report(1, "one"), report(2, "two")]).await;
    let Claim::Convert { id } = bench.store.claim(file("bad", "bad")).await.unwrap() else { panic!() };
    bench.store.failed(id, "line 3: no number".to_owned()).await.unwrap();
    bench.store.claim(file("again", "a")).await.unwrap();
    for due in bench.take().await {
        let sent = if due.id == Uuid::from_u128(1) { accepted() } else { rejected() };
        bench.ends(&due, sent).await;
    }
    bench.store.discard_report(Uuid::from_u128(2), bench.now).await.unwrap();
    let ledger = Ledger::open(&database).await.unwrap();
    let events = async |serial: &str| {
        let records = ledger.find(serial).await.unwrap();
        records.iter().map(|it| (it.event, it.words.clone())).collect::<Vec<_>>()
    };
    let ok = |words: &str| Some(words.to_owned());
    assert_eq!(events("SN-1").await, [(Event::Converted, None), (Event::Acknowledged, ok("ok"))]);
    assert_eq!(
        events("SN-2").await,
        [(Event::Converted, None), (Event::Refused, ok("root: no.")), (Event::Discarded, None)]
    );
    let made = &ledger.find("SN-1").await.unwrap()[0];
    assert_eq!((made.file_name.as_deref(), made.file_sha256.as_deref()), (Some("a"), Some("a")));
    assert_eq!(made.report_sha256.as_deref(), Some(crate::files::sha256(b"{\"a\":\"one\"}").as_str()));
    assert_eq!(made.converter_version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    // Two reports made, a failure, a duplicate, an acknowledgement, a refusal, a report given up.
    assert_eq!(verified(&database).await.unwrap().0, 7);
}

#[tokio::test]
async fn a_ledger_that_was_tampered_with_is_found_out() {
    use crate::ledger::Flaw;
    use sqlx::{ConnectOptions, Executor};
    let bench = bench().await;
    let database = bench.folder.path().join("agent.db");
    bench.converted("a", (1..=5).map(|id| report(id, "x")).collect()).await;
    let mut raw = options(&database).connect().await.unwrap();
    for change in ["UPDATE ledger SET result = 'F' WHERE seq = 2", "DELETE FROM ledger WHERE seq = 2"] {
        let refused = raw.execute(change).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
    assert_eq!(verified(&database).await.unwrap().0, 5);
    // Whoever owns the machine can take the locks off; the hashes remain.
    raw.execute("DROP TRIGGER ledger_is_not_changed; DROP TRIGGER ledger_is_not_shortened").await.unwrap();
    raw.execute("UPDATE ledger SET result = 'F' WHERE seq = 2").await.unwrap();
    assert_eq!(verified(&database).await, Err(Flaw::Changed { seq: 2 }));
    raw.execute("UPDATE ledger SET result = 'P' WHERE seq = 2").await.unwrap();
    raw.execute("DELETE FROM ledger WHERE seq = 5").await.unwrap();
    assert_eq!(verified(&database).await, Err(Flaw::Missing { from: 5, to: 5 }));
    raw.execute("DELETE FROM ledger WHERE seq = 3").await.unwrap();
    assert_eq!(verified(&database).await, Err(Flaw::Missing { from: 3, to: 3 }));
}

/// What the queue is asked at every turn must not read the whole queue: each statement uses its own index.
#[tokio::test]
async fn weakness_23_the_queue_is_asked_by_its_indexes() {
    use sqlx::Row;
    let bench = bench().await;
    for (query, index) in [
        (
            "SELECT min(due_at) FROM report INDEXED BY report_next_due WHERE state = 'queued'",
            "report_next_due",
        ),
        ("SELECT min(stored_at) FROM report INDEXED BY report_old WHERE state = 'queued'", "report_old"),
        (reports::QUEUED_SOURCES, "report_due"),
    ] {
        let plan = format!("EXPLAIN QUERY PLAN {query}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(plan)).fetch_all(&bench.store.readers).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>("detail")).collect();
        let of_reports: Vec<&String> = steps.iter().filter(|step| step.contains("report")).collect();
        assert!(!of_reports.is_empty());
        for step in of_reports {
            let covering = format!("USING COVERING INDEX {index}");
            assert!(step.contains(&covering), "{step}");
        }
    }
}
