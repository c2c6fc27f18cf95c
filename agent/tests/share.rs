//! Network mounts: their helpers are stopped, killed and started again, and nobody else waits for them.
//!
//! A folder that is polled is reached as a network mount is. A helper that is stopped is to the agent what one is
//! that waits for a dead server; real servers are not part of these tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

#[path = "support/mod.rs"]
mod support;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use support::{Bench, report, write};
use wats_agent::control::api::{Means, SourceState};

const POLLED: &str = "intake = { watch = \"poll\", poll_seconds = 1 }";
const LOCAL: &str = "[[sources]]\nname = \"local\"\nconverter = \"wats-json\"\nfolder = \"{}/local\"\n";

/// Stops every helper as soon as it runs, as long as `dead` says so.
async fn keep_stopped(bench: &Bench, dead: &AtomicBool) {
    while dead.load(Ordering::Relaxed) {
        for helper in bench.helpers() {
            kill(helper, Signal::SIGSTOP).ok();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn weakness_06_a_dead_mount_turns_its_source_red_and_slows_nothing_else() {
    let bench = Bench::start_with(POLLED, LOCAL).await;
    bench.drop_file("a.json", &report("remote-1"));
    bench.until("the mount works", async || bench.serials().await == ["remote-1"]).await;
    assert_eq!(bench.source().await.detection.by, Means::Polling);

    let dead = Arc::new(AtomicBool::new(true));
    let play = async {
        for number in 0..20 {
            bench.drop_file(format!("{number}.json"), &report(&format!("remote-{number}-late")));
        }
        let mut slowest = Duration::ZERO;
        let mut number = 0;
        let red = async || bench.source().await.state == SourceState::Failed;
        let began = Instant::now();
        // While the mount is dying, and for a while after.
        while !red().await || began.elapsed() < Duration::from_secs(8) {
            assert!(began.elapsed() < Duration::from_secs(30), "the source never turned red");
            number += 1;
            let dropped = Instant::now();
            write(bench.path(format!("../local/{number}.json")), report(&format!("local-{number}")));
            bench.until("local", async || bench.serials().await.contains(&format!("local-{number}"))).await;
            let asked = Instant::now();
            bench.client.status().await.unwrap();
            assert!(asked.elapsed() < Duration::from_secs(1), "the status took {:?}", asked.elapsed());
            slowest = slowest.max(dropped.elapsed());
        }
        assert!(slowest < Duration::from_secs(2), "a local file took {slowest:?}");
        assert!(number > 20, "only {number} local files in that time");
        let source = bench.source().await;
        let trouble = source.trouble.unwrap();
        assert!(trouble.contains("has not answered for 2 s"), "{trouble}");
        let local = bench.client.sources().await.unwrap().remove(1);
        assert_eq!((local.state, local.trouble), (SourceState::Watching, None));
        let reasons = bench.client.status().await.unwrap().health.reasons;
        assert!(reasons.iter().any(|it| it.starts_with("source line does not work")), "{reasons:?}");
        dead.store(false, Ordering::Relaxed);
    };
    tokio::join!(keep_stopped(&bench, &dead), play);
    bench.until("green again", async || bench.source().await.state == SourceState::Watching).await;
    bench
        .until("nothing was lost", async || {
            let serials = bench.serials().await;
            (0..20).all(|number| serials.contains(&format!("remote-{number}-late")))
        })
        .await;
    assert!(bench.helpers().len() <= 5, "{:?}", bench.helpers());
}

#[tokio::test]
async fn helpers_that_are_killed_are_started_again_and_nothing_is_lost() {
    let bench = Bench::start(POLLED).await;
    for number in 0..30 {
        bench.drop_file(format!("{number}.json"), &report(&number.to_string()));
        for helper in bench.helpers() {
            kill(helper, Signal::SIGKILL).ok();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bench.until("all", async || bench.serials().await.len() == 30).await;
    let left = || fs::read_dir(bench.path("")).unwrap().flatten().filter(|it| it.path().is_file()).count();
    bench.until("put away", async || left() == 0).await;
    assert!(!bench.path("error").exists());
}

#[tokio::test]
async fn large_files_odd_names_and_units_come_through_a_helper_as_they_are() {
    let bench = Bench::start(POLLED).await;
    let padded = [report("1"), vec![b' '; 5_000_000]].concat();
    bench.drop_file("large.json", &padded);
    bench.drop_file(OsStr::from_bytes(b"caf\xe9.json"), &report("2"));
    bench.drop_file("bad.json", b"{");
    bench.until("both", async || bench.serials().await == ["1", "2"]).await;
    bench.until("the bad one", async || bench.path("error/bad.json").exists()).await;
    let files = bench.files().await;
    let large = files.iter().find(|it| it.name == "large.json").unwrap();
    assert_eq!(large.sha256, wats_agent::files::sha256(&padded));

    let unit = "intake = { watch = \"poll\", poll_seconds = 1, unit = \"file-and-folder\" }";
    let bench = Bench::start(unit).await;
    bench.drop_file("u/a.txt", b"one");
    bench.drop_file("u.json", &report("3"));
    bench.until("put away", async || bench.archived() == ["1-u/u.json", "1-u/u/a.txt"]).await;
    assert_eq!(bench.serials().await, ["3"]);
}

#[tokio::test]
async fn helpers_end_with_the_agent_that_started_them() {
    let mut bench = Bench::start(POLLED).await;
    bench.until("a helper", async || !bench.helpers().is_empty()).await;
    let helpers = bench.helpers();
    bench.stop();
    let gone = |pid: &nix::unistd::Pid| kill(*pid, None).is_err();
    let began = Instant::now();
    while !helpers.iter().all(gone) {
        assert!(began.elapsed() < Duration::from_secs(10), "{helpers:?} live on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
