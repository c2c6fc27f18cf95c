//! What becomes of files, good and odd, in the folders of a real agent.
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
use std::os::unix::fs::symlink;
use std::time::Duration;

use support::{Bench, report, write};
use wats_agent::control::api::{FileState, SourceState};

#[tokio::test]
async fn folders_below_are_looked_into_by_patterns() {
    let bench =
        Bench::start("intake = { recursive = true, include = [\"line-?/**\"], exclude = [\"draft/\"] }")
            .await;
    for (path, serial) in [("line-1/a.json", "1"), ("line-2/deep/b.json", "2"), ("line-1/draft/c.json", "3")]
    {
        bench.drop_file(path, &report(serial));
    }
    bench.drop_file("other/d.json", &report("4"));
    bench.until("two reports", async || bench.serials().await == ["1", "2"]).await;
    // A folder that comes as a whole, with its files in it.
    fs::create_dir_all(bench.path("../elsewhere/x")).unwrap();
    write(bench.path("../elsewhere/x/e.json"), report("5"));
    fs::rename(bench.path("../elsewhere"), bench.path("line-3")).unwrap();
    bench.until("three reports", async || bench.serials().await == ["1", "2", "5"]).await;
    assert!(bench.path("line-1/draft/c.json").exists() && bench.path("other/d.json").exists());
    assert!(!bench.path("line-2/deep/b.json").exists());
}

#[tokio::test]
async fn weakness_16_a_file_and_its_folder_are_converted_and_put_away_as_one() {
    let bench = Bench::start("intake = { unit = \"file-and-folder\" }").await;
    bench.drop_file("u 1.0/Sound-a.txt", b"one");
    bench.drop_file("u 1.0/below/b.txt", b"two");
    bench.drop_file("u 1.0.json", &report("1"));
    bench
        .until("put away", async || !bench.path("u 1.0").exists() && !bench.path("u 1.0.json").exists())
        .await;
    assert_eq!(bench.serials().await, ["1"]);
    let kept = bench.archived();
    assert_eq!(kept, ["1-u 1.0/u 1.0.json", "1-u 1.0/u 1.0/Sound-a.txt", "1-u 1.0/u 1.0/below/b.txt"]);
    // The same head with another companion is another unit.
    bench.drop_file("u 1.0/Sound-a.txt", b"other");
    bench.drop_file("u 1.0.json", &report("1"));
    bench.until("a second file", async || bench.files().await.len() == 2).await;
    let files = bench.files().await;
    assert_ne!(files[0].sha256, files[1].sha256);
}

#[tokio::test]
async fn weakness_16_a_folder_is_one_unit_when_its_marker_is_there_and_comes_back_on_retry() {
    let bench =
        Bench::start("intake = { unit = \"folder\", ready_marker = \"COMPLETE\", quiet_seconds = 1 }").await;
    bench.drop_file("sn-1/result.json", b"{\"type\": nonsense");
    bench.drop_file("sn-1/curve.csv", b"1;2");
    bench
        .until("said to wait", async || {
            bench.source().await.trouble.is_some_and(|it| it.contains("wait for their marker COMPLETE"))
        })
        .await;
    assert!(bench.files().await.is_empty());
    bench.drop_file("sn-1/COMPLETE", b"");
    bench
        .until("refused", async || {
            bench.path("error/1-sn-1.error.txt").exists() && !bench.path("sn-1").exists()
        })
        .await;
    assert_eq!(fs::read(bench.path("error/1-sn-1/sn-1/curve.csv")).unwrap(), b"1;2");
    write(bench.path("error/1-sn-1/sn-1/result.json"), report("7"));
    let failed = bench.files().await.remove(0);
    assert_eq!(failed.state, FileState::Failed);
    // Where it lies now is recorded a moment after it was moved.
    bench.until("put back", async || bench.client.retry_file(failed.id).await.is_ok()).await;
    bench.until("converted", async || bench.serials().await == ["7"] && !bench.path("sn-1").exists()).await;
    assert!(!bench.path("error/1-sn-1").exists() && !bench.path("error/1-sn-1.error.txt").exists());
}

#[tokio::test]
async fn weakness_06_files_are_not_taken_while_they_are_written() {
    let bench = Bench::start("intake = { quiet_seconds = 1 }").await;
    let whole = report("1");
    let (first, second) = whole.split_at(whole.len() / 2);
    let mut file = fs::File::create(bench.path("slow.json")).unwrap();
    std::io::Write::write_all(&mut file, first).unwrap();
    // What comes later is taken at once; the open file rests.
    bench.drop_file("quick.json", &report("2"));
    bench.until("the quick one", async || bench.serials().await == ["2"]).await;
    std::io::Write::write_all(&mut file, second).unwrap();
    drop(file);
    bench.until("both", async || bench.serials().await == ["1", "2"]).await;
    assert!(bench.files().await.iter().all(|it| it.state == FileState::Converted));
}

#[tokio::test]
async fn weakness_06_a_marker_says_that_a_file_is_complete() {
    let bench = Bench::start("intake = { ready_marker = \"*.done\" }").await;
    bench.drop_file("a.json", &report("1"));
    bench.drop_file("b.json", &report("2"));
    bench.drop_file("a.json.done", b"");
    bench.until("the marked one", async || bench.serials().await == ["1"]).await;
    bench.until("the marker went with it", async || !bench.path("a.json.done").exists()).await;
    assert!(bench.path("b.json").exists());
    bench.drop_file("b.done", b"");
    bench.until("the other", async || bench.serials().await == ["1", "2"]).await;
}

#[tokio::test]
async fn weakness_24_a_file_over_the_limit_is_kept_and_says_what_to_do() {
    let bench = Bench::start("intake = { max_file_bytes = 2000 }").await;
    let large = vec![b' '; 2001];
    bench.drop_file("large.json", &large);
    bench.drop_file("small.json", &report("1"));
    bench.until("refused", async || bench.path("error/large.json").exists()).await;
    assert_eq!(fs::read(bench.path("error/large.json")).unwrap(), large);
    let words = fs::read_to_string(bench.path("error/large.json.error.txt")).unwrap();
    assert!(words.contains("2001 bytes") && words.contains("raise intake.max_file_bytes"), "{words}");
    bench.until("the small one", async || bench.serials().await == ["1"]).await;

    // More than the agent takes at all; the file has no blocks, and nobody reads it.
    let bench = Bench::start("").await;
    fs::File::create(bench.path("../huge")).unwrap().set_len((1 << 30) + 1).unwrap();
    fs::rename(bench.path("../huge"), bench.path("huge.json")).unwrap();
    bench.until("refused", async || bench.path("error/huge.json").exists()).await;
    assert_eq!(fs::metadata(bench.path("error/huge.json")).unwrap().len(), (1 << 30) + 1);
}

#[tokio::test]
async fn an_empty_file_waits_for_its_writer_and_then_says_so() {
    let bench = Bench::start("").await;
    bench.drop_file("empty.json", b"");
    bench.drop_file("late.json", b"");
    bench.until("taken note of", async || bench.files().await.is_empty()).await;
    bench.drop_file("late.json", &report("1"));
    bench.until("the late one", async || bench.serials().await == ["1"]).await;
    bench.until("refused", async || bench.path("error/empty.json.error.txt").exists()).await;
    // It is not given up: with content it is a file like any other.
    bench.drop_file("empty.json", &report("2"));
    bench.until("both", async || bench.serials().await == ["1", "2"]).await;
}

#[tokio::test]
async fn renamed_rewritten_deleted_and_of_the_same_name() {
    let bench = Bench::start("intake = { quiet_seconds = 1, ignore_close = true }").await;
    // All of them tiny.
    assert!(report("0").len() < 1024);
    bench.drop_file("gone.json", &report("0"));
    bench.drop_file("before.json.tmp", &report("1"));
    bench.drop_file("named.json", &report("2"));
    bench.drop_file("written.json", &report("3"));
    fs::remove_file(bench.path("gone.json")).unwrap();
    fs::rename(bench.path("before.json.tmp"), bench.path("after.json")).unwrap();
    fs::rename(bench.path("named.json"), bench.path("renamed.json")).unwrap();
    bench.drop_file("written.json", &report("4"));
    bench.until("three", async || bench.serials().await == ["1", "2", "4"]).await;
    // The same name again, with other content, and with the same.
    bench.until("room", async || !bench.path("written.json").exists()).await;
    bench.drop_file("written.json", &report("5"));
    bench.until("the other content", async || bench.serials().await == ["1", "2", "4", "5"]).await;
    bench.until("room", async || !bench.path("written.json").exists()).await;
    bench.drop_file("written.json", &report("5"));
    bench.until("taken", async || !bench.path("written.json").exists()).await;
    assert_eq!(bench.serials().await, ["1", "2", "4", "5"]);
}

#[tokio::test]
async fn links_are_not_followed_and_odd_names_are_taken() {
    let bench = Bench::start("intake = { recursive = true }").await;
    fs::create_dir(bench.path("../secret")).unwrap();
    write(bench.path("../secret/a.json"), report("1"));
    symlink(bench.path("../secret/a.json"), bench.path("link.json")).unwrap();
    symlink(bench.path("../secret"), bench.path("folder")).unwrap();
    let names = [&b"caf\xe9.json"[..], b"deep/\xff\xfe.json", "größe µ\n.json".as_bytes()];
    for (name, serial) in names.into_iter().zip(["2", "3", "4"]) {
        bench.drop_file(OsStr::from_bytes(name), &report(serial));
    }
    bench.until("three", async || bench.serials().await == ["2", "3", "4"]).await;
    bench.until("put away", async || !bench.path("größe µ\n.json").exists()).await;
    assert!(bench.path("../secret/a.json").exists() && bench.path("link.json").exists());
}

#[tokio::test]
async fn a_folder_that_vanishes_is_red_and_is_taken_up_when_it_comes_back() {
    let bench = Bench::start("").await;
    bench.drop_file("a.json", &report("1"));
    bench.until("the first", async || bench.serials().await == ["1"]).await;
    fs::rename(bench.path(""), bench.path("../away")).unwrap();
    // Something else of its name: it cannot be made again.
    write(bench.path("../in"), b"");
    bench.until("red", async || bench.source().await.state == SourceState::Failed).await;
    assert!(bench.source().await.trouble.unwrap().contains("cannot be watched"));
    fs::remove_file(bench.path("../in")).unwrap();
    write(bench.path("../away/b.json"), report("2"));
    fs::rename(bench.path("../away"), bench.path("../in")).unwrap();
    bench.until("green", async || bench.source().await.state == SourceState::Watching).await;
    bench.until("the second", async || bench.serials().await == ["1", "2"]).await;
    bench.drop_file("c.json", &report("3"));
    bench.until("the third", async || bench.serials().await == ["1", "2", "3"]).await;
}

#[tokio::test]
async fn files_that_were_there_before_the_start_are_taken() {
    let mut bench = Bench::start("").await;
    bench.stop();
    for (age, serial) in [(10_u64, "1"), (3000, "2"), (200, "3")] {
        bench.drop_file(format!("{serial}.json"), &report(serial));
        let time = std::time::SystemTime::now() - Duration::from_secs(age);
        let file = fs::File::options().write(true).open(bench.path(format!("{serial}.json"))).unwrap();
        file.set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    }
    bench.run().await;
    bench.until("all", async || bench.serials().await == ["1", "2", "3"]).await;
    let detection = bench.source().await.detection;
    assert_eq!(detection.missed, 0, "what was there before the start could not be heard: {detection:?}");
}

#[tokio::test]
async fn latencies_are_shown_and_a_closed_file_is_known_to_be_complete_at_once() {
    let bench = Bench::start("intake = { quiet_seconds = 60 }").await;
    for number in 0..20 {
        bench.drop_file(format!("../{number}"), &report(&number.to_string()));
        fs::rename(bench.path(format!("../{number}")), bench.path(format!("{number}.json"))).unwrap();
    }
    bench.until("all", async || bench.serials().await.len() == 20).await;
    bench.until("shown", async || bench.source().await.detection.heard == 20).await;
    let detection = bench.source().await.detection;
    assert!(
        detection.latency_p50_ms.unwrap() < 5000 && detection.latency_p99_ms.unwrap() < 20_000,
        "{detection:?}"
    );
}

#[tokio::test]
async fn files_that_cannot_be_moved_away_hold_up_nobody_and_are_converted_once() {
    let bench = Bench::start("").await;
    // No archive can be made where a file is in the way.
    write(bench.path("../state/archive"), "");
    for serial in ["1", "2"] {
        bench.drop_file(format!("{serial}.json"), &report(serial));
        bench.until(serial, async || bench.serials().await.contains(&serial.to_owned())).await;
    }
    let reasons = bench.client.status().await.unwrap().health.reasons;
    assert!(reasons.iter().any(|it| it.contains("cannot be moved away")), "{reasons:?}");
    fs::remove_file(bench.path("../state/archive")).unwrap();
    bench.until("moved", async || bench.archived() == ["1-1.json", "2-2.json"]).await;
    assert_eq!(bench.serials().await, ["1", "2"]);
    assert_eq!(bench.files().await.len(), 2);
    assert!(!bench.path("1.json").exists() && !bench.path("2.json").exists());
}
