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

pub(super) fn file(name: &str, sha256: &str) -> NewFile {
    NewFile {
        source: "line".to_owned(),
        converter: "wats-json".to_owned(),
        arguments: "{}".to_owned(),
        path: PathBuf::from("/in").join(name),
        stamp: Stamp { device: u64::MAX, inode: 7, size: 3, modified_ns: 5 },
        sha256: sha256.to_owned(),
        received_at: Timestamp::UNIX_EPOCH,
        note: None,
    }
}

pub(super) fn report(id: u128, body: &str) -> NewReport {
    NewReport {
        id: Uuid::from_u128(id),
        serial_number: format!("SN-{id}"),
        part_number: "P".to_owned(),
        process_code: Some(10),
        result: "P".to_owned(),
        body: Body::new(format!("{{\"a\":\"{body}\"}}").as_bytes()),
    }
}

impl Bench {
    pub(super) async fn converted(&self, name: &str, reports: Vec<NewReport>) -> i64 {
        let recorded = self.finish(file(name, name), Made::Reports(reports.into())).await.unwrap();
        assert_eq!(recorded.duplicate_of, None);
        recorded.id
    }

    async fn failed(&self, name: &str, sha256: &str, words: &str) -> i64 {
        self.finish(file(name, sha256), Made::Failed(words.to_owned())).await.unwrap().id
    }

    async fn finish(&self, file: NewFile, made: Made) -> Result<Recorded, StoreError> {
        Ok(self.store.finish(Arc::from([Finished { file, made }]), self.now).await?[0])
    }

    async fn known(&self, file: &NewFile) -> Option<Known> {
        self.store.known("line", &[(&file.path, file.stamp)]).await.unwrap().pop().unwrap()
    }

    pub(super) async fn ledger(&self) -> Ledger {
        Ledger::open(&self.folder.path().join("agent.db")).await.unwrap()
    }

    pub(super) async fn state(&self, id: u128) -> ReportState {
        self.store.report(Uuid::from_u128(id)).await.unwrap().unwrap().record.state
    }

    pub(super) async fn take(&self) -> Vec<Due> {
        let all = |waiting: Vec<Waiting>| waiting.into_iter().flat_map(|(_, reports)| reports).collect();
        self.store.take_due(self.now, 10, all).await.unwrap()
    }

    pub(super) async fn ends(&self, due: &Due, sent: Sent) {
        let attempt = Attempt { report: due.head.clone(), sent, at: self.now };
        self.store.sent(Arc::from([attempt])).await.unwrap();
    }
}

fn accepted() -> Sent {
    Sent::Accepted { answer: "ok".to_owned() }
}

pub(super) fn rejected() -> Sent {
    Sent::Rejected { error: "no".to_owned(), answer: "root: no.".to_owned() }
}

#[tokio::test]
async fn a_recorded_file_is_known_until_it_is_put_away_and_after() {
    let bench = bench().await;
    let new = file("b", "b");
    assert_eq!(bench.known(&new).await, None);
    let id = bench.converted("b", vec![report(1, "x")]).await;
    let known = bench.known(&new).await.unwrap();
    assert_eq!((known.id, known.state, known.put_away), (id, FileState::Converted, false));
    assert_eq!(known.stamp, new.stamp);
    let touched = NewFile { stamp: Stamp { modified_ns: 6, ..new.stamp }, ..new.clone() };
    assert_eq!(bench.known(&touched).await, None, "another file at the same place");
    assert_eq!(bench.store.unfinished("line").await.unwrap().len(), 1);
    bench.store.put_away(vec![(id, Some(PathBuf::from("/archive/b")))]).await.unwrap();
    assert_eq!(bench.store.unfinished("line").await.unwrap().len(), 0);
    assert_eq!(bench.store.whereabouts(id).await.unwrap(), Some(PathBuf::from("/archive/b")));
    assert!(bench.known(&new).await.unwrap().put_away);
}

#[tokio::test]
async fn files_of_one_commit_are_answered_in_their_order() {
    let bench = bench().await;
    let done = |number: u128| {
        let made = match number % 3 {
            0 => Made::Failed("no".to_owned()),
            _ => Made::Reports(vec![report(2 * number, "x"), report(2 * number + 1, "x")].into()),
        };
        Finished { file: file(&format!("f{number}"), &format!("h{}", number % 10)), made }
    };
    let all: Vec<Finished> = (0..100).map(done).collect();
    let recorded = bench.store.finish(all.into(), bench.now).await.unwrap();
    let ids: Vec<i64> = recorded.iter().map(|it| it.id).collect();
    assert_eq!(ids, (1..=100).collect::<Vec<i64>>());
    // Of the files with one content the first that gave reports is the one that counts.
    assert_eq!(recorded[14].duplicate_of, Some(recorded[4].id));
    let totals = &bench.store.source_totals().await.unwrap()["line"];
    assert_eq!((totals.converted, totals.failed), (66, 34));
    assert_eq!(bench.take().await.len(), 10);
    let moved: Vec<_> = ids.iter().map(|id| (*id, Some(PathBuf::from(format!("/kept/{id}"))))).collect();
    bench.store.put_away(moved).await.unwrap();
    assert_eq!(bench.store.whereabouts(77).await.unwrap(), Some(PathBuf::from("/kept/77")));
}

#[tokio::test]
async fn a_file_with_very_many_reports_is_recorded_from_the_disk_in_their_order() {
    let bench = bench().await;
    let mut reports = Reports::default();
    for id in 1..=7 {
        reports.push(report(id, &format!("body {id}")));
        if id % 3 == 0 {
            reports.spool(bench.folder.path()).unwrap();
        }
    }
    let recorded = bench.finish(file("lot", "lot"), Made::Reports(reports.clone())).await.unwrap();
    let sent: Vec<_> = bench.take().await.into_iter().map(|due| (due.head.id.as_u128(), due.body)).collect();
    let made: Vec<_> = (1..=7).map(|id| (id, format!("{{\"a\":\"body {id}\"}}").into_bytes())).collect();
    assert_eq!(sent, made);
    let ledger = bench.ledger().await;
    ledger.verify(None).await.unwrap();
    for id in 1..=7 {
        let found = ledger.find(&format!("SN-{id}")).await.unwrap();
        assert_eq!(found.iter().map(|it| it.seq).collect::<Vec<_>>(), [id]);
    }
    let again = bench.finish(file("twin", "lot"), Made::Reports(reports)).await.unwrap();
    assert_eq!(again.duplicate_of, Some(recorded.id));
    assert_eq!(bench.take().await.len(), 0, "its reports are there already");
}

#[tokio::test]
async fn the_same_content_is_recognised_under_another_name_but_not_with_other_arguments() {
    let bench = bench().await;
    let id = bench.converted("a", vec![report(1, "x")]).await;
    let again = bench.finish(file("b", "a"), Made::Reports(vec![report(1, "x")].into())).await.unwrap();
    assert_eq!(again.duplicate_of, Some(id));
    let other = NewFile { arguments: "{\"x\":\"1\"}".to_owned(), ..file("c", "a") };
    let other = bench.finish(other, Made::Reports(vec![report(2, "x")].into())).await.unwrap();
    assert_eq!(other.duplicate_of, None);
    assert_eq!(bench.store.queue_counts(bench.now).await.unwrap().queued, 2);
}

#[tokio::test]
async fn contents_whose_hashes_begin_alike_are_told_apart() {
    let bench = bench().await;
    let (one, two) = ("0123456789", "0123456780");
    let id = bench.converted(one, vec![report(1, "x")]).await;
    let other = bench.converted(two, vec![report(2, "x")]).await;
    let again = bench.finish(file("again", one), Made::Reports(vec![report(1, "x")].into())).await.unwrap();
    assert_eq!(again.duplicate_of, Some(id));
    let of = async |sha256: &str| {
        let query = FileQuery { sha256: Some(sha256.to_owned()), ..FileQuery::default() };
        bench.store.files(&query).await.unwrap().iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(of(one).await, [again.id, id]);
    assert_eq!(of(two).await, [other]);
    assert_eq!(of("01234567").await, [0; 0]);
}

#[tokio::test]
async fn a_serial_number_is_found_in_every_part_of_the_ledger() {
    let bench = bench().await;
    assert_eq!(bench.ledger().await.find("SN-1").await.unwrap(), []);
    for part in 0..3 {
        let others = (1..5000).map(|id| report(5000 * part + id, "x"));
        let same = NewReport { serial_number: "again".to_owned(), ..report(5000 * part, "x") };
        bench.converted(&format!("{part}"), others.chain([same]).collect()).await;
    }
    let ledger = bench.ledger().await;
    let numbers = ledger.find("again").await.unwrap().iter().map(|it| it.seq).collect::<Vec<_>>();
    assert_eq!(numbers, [5000, 10_000, 15_000]);
    for (id, seq) in [(1, 1), (4095, 4095), (4096, 4096), (14_999, 14_999)] {
        let found = ledger.find(&format!("SN-{id}")).await.unwrap();
        assert_eq!(found.iter().map(|it| it.seq).collect::<Vec<_>>(), [seq]);
    }
}

#[tokio::test]
async fn a_failed_file_can_be_tried_again_under_its_number() {
    let bench = bench().await;
    let id = bench.failed("a", "x", "line 1: no").await;
    bench.store.put_away(vec![(id, Some(PathBuf::from("/in/error/a")))]).await.unwrap();
    let twins = bench.store.failed_twins("line", ["x", "y"]).await.unwrap();
    assert_eq!(twins, [(id, PathBuf::from("/in/error/a"))]);
    let failed = bench.store.last_file("line", Newest::Failed).await.unwrap().unwrap();
    assert_eq!(failed.error.unwrap(), "line 1: no");

    let again = file("a", "x");
    assert!(bench.store.reclaim(id, again.path.clone(), again.stamp).await.unwrap());
    assert!(!bench.store.reclaim(id, again.path.clone(), again.stamp).await.unwrap());
    assert_eq!(bench.store.last_file("line", Newest::Failed).await.unwrap(), None);
    assert_eq!(bench.converted("a", vec![report(1, "x")]).await, id);
    let empty = bench.failed("z", "", "empty").await;
    assert_eq!(empty, id + 1);
    let totals = bench.store.source_totals().await.unwrap();
    assert_eq!(totals["line"], SourceTotals { converted: 1, failed: 1 });
    assert_eq!(bench.store.last_file("line", Newest::Any).await.unwrap().unwrap().id, empty);
    bench.store.forget(empty).await.unwrap();
    assert!(bench.store.file(empty).await.unwrap().is_none());
}

#[tokio::test]
async fn a_report_is_taken_once_oldest_first_and_sent() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x"), report(2, "x")]).await;
    let due = bench.take().await;
    assert_eq!(
        due.iter().map(|it| (it.head.id.as_u128(), it.head.attempts)).collect::<Vec<_>>(),
        [(1, 1), (2, 1)]
    );
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
    assert_eq!(again.iter().map(|it| (it.head.id.as_u128(), it.head.attempts)).collect::<Vec<_>>(), [(2, 1)]);
    assert_eq!(bench.store.next_due().await.unwrap(), Some(due_at));
    let far = bench.now + SignedDuration::from_hours(9000);
    bench.store.due_that_waits_beyond(far, bench.now).await.unwrap();
    assert!(bench.take().await.is_empty(), "nothing waits that long");
    bench.store.all_due(bench.now).await.unwrap();
    assert_eq!(bench.take().await[0].head.attempts, 2);
}

#[tokio::test]
async fn what_was_being_sent_at_a_crash_is_queued_again() {
    let bench = bench().await;
    bench.converted("a", vec![report(1, "x")]).await;
    bench.take().await;
    assert_eq!((bench.take().await.len(), bench.state(1).await), (0, ReportState::Sending));
    bench.store.give_all_back();
    assert_eq!(bench.state(1).await, ReportState::Queued);
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
    // A size that the table refuses: its change fails, the others of the same moment stand.
    let wrong = NewFile { stamp: Stamp { size: u64::MAX, ..file("w", "w").stamp }, ..file("w", "w") };
    let (wrong, right) = tokio::join!(
        bench.finish(wrong, Made::Reports(vec![report(9, "x")].into())),
        bench.finish(file("a", "x"), Made::Failed("no".to_owned())),
    );
    assert!(matches!(wrong, Err(StoreError::Query(_))) && right.is_ok());
    assert!(bench.store.report(Uuid::from_u128(9)).await.unwrap().is_none());

    let pages = |statement: &'static str| {
        bench.store.writer.write(move |db| Box::pin(async move { sqlx::query(statement).execute(db).await }))
    };
    pages("PRAGMA max_page_count = 1").await.unwrap();
    // Nothing that could be packed.
    let large: String = (0..1 << 14).map(|it: u32| crate::files::sha256(&it.to_le_bytes())).collect();
    let full = bench.finish(file("b", "y"), Made::Reports(vec![report(2, &large)].into())).await;
    assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
    pages("PRAGMA max_page_count = 1000000").await.unwrap();
    bench.finish(file("b", "y"), Made::Reports(vec![report(2, &large)].into())).await.unwrap();
    assert_eq!(bench.state(2).await, ReportState::Queued);
}

#[tokio::test]
async fn a_closed_store_says_so_and_keeps_what_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    let store = Store::open(&path).await.unwrap();
    let failed = |name| -> Arc<[Finished]> {
        Arc::from([Finished { file: file(name, name), made: Made::Failed("no".to_owned()) }])
    };
    store.finish(failed("a"), Timestamp::UNIX_EPOCH).await.unwrap();
    store.close().await;
    assert!(store.is_closed());
    assert!(matches!(store.finish(failed("b"), Timestamp::UNIX_EPOCH).await, Err(StoreError::Closed)));
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
async fn verified(database: &Path) -> Result<crate::ledger::Sound, crate::ledger::Flaw> {
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
    assert_eq!(verified(&database).await.unwrap().records, 0);
    bench.converted("a", vec![report(1, "one"), report(2, "two")]).await;
    bench.failed("bad", "bad", "line 3: no number").await;
    bench.finish(file("again", "a"), Made::Reports(vec![report(1, "one")].into())).await.unwrap();
    for due in bench.take().await {
        let sent = if due.head.id == Uuid::from_u128(1) { accepted() } else { rejected() };
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
    assert_eq!(verified(&database).await.unwrap().records, 7);
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
    assert_eq!(verified(&database).await.unwrap().records, 5);
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

#[tokio::test]
async fn a_long_queue_is_counted_seldom_and_a_short_one_each_time() {
    let bench = bench().await;
    let queued = async || bench.store.queue_counts(bench.now).await.unwrap().queued;
    bench.converted("first", vec![report(1, "x")]).await;
    assert_eq!(queued().await, 1);
    bench.converted("second", vec![report(2, "x")]).await;
    assert_eq!(queued().await, 2);
    bench.converted("many", (3..=20_001).map(|id| report(id, "x")).collect()).await;
    assert_eq!(queued().await, 20_001);
    // What is being sent is known without counting.
    bench.take().await;
    let counts = bench.store.queue_counts(bench.now).await.unwrap();
    assert_eq!((counts.queued, counts.sending), (19_991, 10));
    bench.store.give_all_back();
    bench.converted("one more", vec![report(20_002, "x")]).await;
    let until = Instant::now() + Duration::from_secs(60);
    while queued().await < 20_002 {
        assert!(Instant::now() < until, "the queue was not counted again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is asked for every file and at every turn must not read all files or the whole queue.
#[tokio::test]
async fn weakness_23_files_and_queue_are_asked_by_their_indexes() {
    use sqlx::Row;
    let bench = bench().await;
    for (query, table, uses) in [
        (reports::NEXT_DUE, "report", "INDEX report_due"),
        (reports::ALL_DUE, "report", "INDEX report_due"),
        (lists::OLDEST_QUEUED, "report", "INDEX report_state (state=?)"),
        (reports::QUEUED_SOURCES, "report", "COVERING INDEX report_due"),
        (reports::SIZES, "b", "INTEGER PRIMARY KEY"),
        (reports::TAKEN, "r", "INTEGER PRIMARY KEY"),
        (reports::TAKEN, "b", "INTEGER PRIMARY KEY"),
        (files::KNOWN, "f", "INDEX file_place (source=? AND modified_ns=? AND path=?)"),
        (files::GIVERS, "f", "INDEX file_content (<expr>=?)"),
        (ledger::FIND, "l", "INDEX ledger_serial (<expr>=? AND serial_number=?)"),
        (notes::LEFT_BEFORE, "f", "INDEX file_content (<expr>=?)"),
        (lists::OF_CONTENT, "file", "INDEX file_content (<expr>=?"),
    ] {
        let plan = format!("EXPLAIN QUERY PLAN {query}");
        let rows = sqlx::query(sqlx::AssertSqlSafe(plan)).fetch_all(&bench.store.readers).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get::<String, _>("detail")).collect();
        let of_table: Vec<&String> =
            steps.iter().filter(|step| step.split(' ').nth(1) == Some(table)).collect();
        assert!(!of_table.is_empty(), "{steps:?}");
        assert!(of_table.iter().all(|step| step.contains(uses)), "{steps:?}");
    }
}
