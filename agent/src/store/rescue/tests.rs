use std::fs::File;
use std::os::unix::fs::FileExt;

use uuid::Uuid;

use super::super::tests::{file, report};
use super::super::{Finished, Ledger, Made, NewReport, Store};
use super::*;
use crate::ledger::{Check, Sound};

const FILES: u32 = 80;
const PAGE: usize = 4096;

struct Bench {
    folder: tempfile::TempDir,
    now: Timestamp,
}

impl Bench {
    /// A database with some files, one report each, closed.
    async fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            now: Timestamp::from_second(1_800_000_000).unwrap(),
        };
        let store = bench.open().await;
        for number in 1..=FILES {
            let name = format!("f{number}");
            let body = "x".repeat(1000);
            let id = bench.finish(&store, &name, report(u128::from(number), &body)).await;
            let kept_at = bench.archive().join("2027-01-15").join(format!("{id}-{name}"));
            store.put_away(vec![(id, Some(kept_at))]).await.unwrap();
        }
        store.close().await;
        bench
    }

    async fn finish(&self, store: &Store, name: &str, report: NewReport) -> i64 {
        let finished = Finished { file: file(name, name), made: Made::Reports(vec![report].into()) };
        store.finish(std::sync::Arc::from([finished]), self.now).await.unwrap()[0].id
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("agent.db")
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    async fn open(&self) -> Store {
        open(&self.database(), &self.archive(), self.now).await.unwrap()
    }

    fn rescue(&self) -> Option<Rescue> {
        Rescue::read(self.folder.path()).unwrap()
    }

    async fn verified(&self) -> Sound {
        use futures_util::StreamExt;
        let ledger = Ledger::open(&self.database()).await.unwrap();
        let written = ledger.written().await.unwrap();
        let mut check = Check::new(None);
        let mut records = std::pin::pin!(ledger.records(Timestamp::MIN, Timestamp::MAX));
        while let Some(record) = records.next().await {
            check.next(&record.unwrap()).unwrap();
        }
        check.end(written).unwrap()
    }
}

#[tokio::test]
async fn a_whole_database_is_left_alone() {
    let bench = Bench::new().await;
    bench.open().await.close().await;
    assert_eq!(bench.rescue(), None);
}

/// Whatever page is spoilt: all is there that was elsewhere, what is there is whole, and the ledger says what is not.
#[tokio::test]
async fn any_page_may_be_spoilt() {
    let bench = Bench::new().await;
    let whole = fs::read(bench.database()).unwrap();
    let pages = whole.len() / PAGE;
    assert!(pages > 30, "{pages} pages");
    let (mut rebuilt, mut most) = (0, 0);
    for page in 0..pages {
        // As in a real instance, but for the files that the archive would hold.
        for ending in ["-wal", "-shm"] {
            fs::remove_file(beside(&bench.database(), ending)).ok();
        }
        let file = File::create(bench.database()).unwrap();
        file.write_all_at(&whole, 0).unwrap();
        file.write_all_at(&[0xa5; PAGE], u64::try_from(page * PAGE).unwrap()).unwrap();
        drop(file);
        let store = bench.open().await;
        if let Some(rescue) = bench.rescue() {
            rebuilt += 1;
            let rows = rescue.rows.get("report").copied().unwrap_or(0);
            most = rows.max(most);
            let sound = bench.verified().await;
            let lost: i64 = sound.lost.iter().map(|it| it.to - it.from + 1).sum();
            assert!(lost <= i64::from(FILES), "page {page}: {sound:?}");
            let kept = store.archived_places().await.unwrap().len();
            let counts = store.queue_counts(bench.now).await.unwrap();
            assert!(counts.queued >= u64::try_from(kept).unwrap(), "page {page}: a file without its report");
            let aside = rescue.set_aside.clone().unwrap();
            assert_eq!(
                fs::metadata(aside.join("agent.db")).unwrap().len(),
                u64::try_from(whole.len()).unwrap()
            );
            // What was lost can be stored anew.
            bench.finish(&store, "new", report(4711, "new")).await;
            rescue.confirm(bench.folder.path()).unwrap();
            store.close().await;
            fs::remove_dir_all(aside).unwrap();
        } else {
            // A page that is not in use, or that only a vote of all would find out: nothing may be missing.
            let counts = store.queue_counts(bench.now).await.unwrap();
            assert_eq!(counts.queued, u64::from(FILES), "page {page}");
            store.close().await;
        }
    }
    assert!(rebuilt > pages / 2, "only {rebuilt} of {pages} were noticed");
    assert_eq!(most, u64::from(FILES), "an index that is spoilt costs no report");
}

#[tokio::test]
async fn a_database_that_was_deleted_under_the_agent_is_saved_as_it_was() {
    let bench = Bench::new().await;
    let store = bench.open().await;
    assert!(!store.is_torn());
    for ending in ["", "-wal", "-shm"] {
        fs::remove_file(beside(&bench.database(), ending)).unwrap();
    }
    assert!(store.is_torn());
    bench.finish(&store, "late", report(4711, "late")).await;
    store.save().await.unwrap();
    store.close().await;
    let store = bench.open().await;
    assert_eq!(store.queue_counts(bench.now).await.unwrap().queued, u64::from(FILES) + 1);
    assert!(store.report(Uuid::from_u128(4711)).await.unwrap().is_some());
    let rescue = bench.rescue().unwrap();
    assert!(rescue.why.contains("deleted while the agent ran"), "{}", rescue.why);
    assert_eq!(bench.verified().await.lost, []);
}

#[tokio::test]
async fn records_that_are_missing_at_the_end_are_noticed_by_the_archive() {
    let bench = Bench::new().await;
    let day = bench.archive().join("2027-01-15");
    fs::create_dir_all(&day).unwrap();
    File::create(day.join(format!("{FILES}-known.txt"))).unwrap();
    bench.open().await.close().await;
    assert_eq!(bench.rescue(), None);
    File::create(day.join("500-lost.txt")).unwrap();
    let store = bench.open().await;
    assert!(bench.rescue().unwrap().why.contains("newest records"));
    let id = bench.finish(&store, "new", report(4711, "new")).await;
    assert!(id > 500, "the number {id} is in the name of another file");
}
