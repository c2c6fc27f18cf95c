//! The worker pool with the real worker, and with workers that misbehave.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use wats_agent::control::api::Station;
use wats_agent::convert::{Answer, Command, ConvertFailure, Job, Limits, Order, Pool};

fn job() -> Job {
    Job {
        converter: "wats-json".to_owned(),
        arguments: BTreeMap::new(),
        file_name: "a.json".to_owned(),
        sha256: "00".to_owned(),
        modified: Timestamp::UNIX_EPOCH,
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Test".to_owned(),
            time_zone: "UTC".to_owned(),
        },
        now: Timestamp::UNIX_EPOCH,
        folder: None,
        rival: None,
    }
}

/// Converts one file.
async fn convert(pool: &Pool, bytes: &[u8]) -> Result<Answer, ConvertFailure> {
    let turn = pool.turn("line", "wats-json", 5).await;
    pool.convert(&turn, &mut [order(bytes)]).await.pop().unwrap()
}

fn order(bytes: &[u8]) -> Order {
    Order { job: job(), bytes: bytes.to_vec(), companions: Vec::new() }
}

fn limits(time: Duration) -> Limits {
    Limits { workers: 2, time, answer_bytes: 1 << 20 }
}

/// A pool whose workers run a line of shell instead.
fn misbehaving(script: &str) -> Pool {
    let command = Command { program: PathBuf::from("/bin/sh"), arguments: vec!["-c".into(), script.into()] };
    Pool::new(command, limits(Duration::from_millis(700)), std::env::temp_dir())
}

fn real() -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_wats-agent"));
    Pool::new(
        Command { program, arguments: vec!["worker".into()] },
        limits(Duration::from_secs(30)),
        std::env::temp_dir(),
    )
}

const REPORT: &str = r#"{"type":"T","pn":"PCB-1","sn":"SN-1","rev":"A","processCode":10,"result":"P",
    "machineName":"ST1","location":"Lab","purpose":"Test","start":"2026-01-30T22:01:41+01:00","uut":{"user":"op"},
    "root":{"group":"M","stepType":"SequenceCall","name":"Main","status":"P",
            "seqCall":{"path":"p","name":"n","version":"1"},"steps":[]}}"#;

#[tokio::test]
async fn a_worker_converts_file_after_file_and_a_bad_one_is_only_its_own_error() {
    let pool = real();
    for _ in 0..3 {
        let Answer::Reports { reports, .. } = convert(&pool, REPORT.as_bytes()).await.unwrap() else {
            panic!("refused")
        };
        let reports = reports.all().await.unwrap();
        assert_eq!(reports.iter().map(|it| it.serial_number.as_str()).collect::<Vec<_>>(), ["SN-1"]);
        let refused = convert(&pool, b"[nonsense]").await.unwrap();
        assert!(matches!(refused, Answer::Refused { .. }), "{refused:?}");
    }
}

#[tokio::test]
async fn weakness_22_a_worker_that_hangs_is_stopped_in_time() {
    let failure = convert(&misbehaving("sleep 60"), b"x").await.unwrap_err();
    assert!(matches!(failure, ConvertFailure::TimedOut { .. }), "{failure}");
}

#[tokio::test]
async fn a_worker_that_crashes_says_how() {
    let failure = convert(&misbehaving("exit 3"), b"x").await.unwrap_err();
    assert!(failure.to_string().contains("exit status: 3"), "{failure}");
    let failure = convert(&misbehaving("kill -SEGV $$"), b"x").await.unwrap_err();
    assert!(failure.to_string().contains("signal: 11"), "{failure}");
}

#[tokio::test]
async fn a_worker_that_talks_nonsense_is_not_believed() {
    for script in ["printf '\\005\\000\\000\\000hello'; sleep 5", "cat; sleep 5"] {
        let failure = convert(&misbehaving(script), b"x").await.unwrap_err();
        assert!(matches!(failure, ConvertFailure::Garbled), "{script}: {failure}");
    }
    let long = convert(&misbehaving("printf '\\377\\377\\377\\177'; sleep 5"), b"x").await.unwrap_err();
    assert!(matches!(long, ConvertFailure::TooLong { .. }), "{long}");
}

#[tokio::test]
async fn a_worker_that_cannot_be_started_is_not_the_files_fault() {
    let command = Command { program: PathBuf::from("/nonexistent"), arguments: Vec::new() };
    let failure = convert(&Pool::new(command, limits(Duration::from_secs(1)), std::env::temp_dir()), b"x")
        .await
        .unwrap_err();
    assert!(matches!(failure, ConvertFailure::NoWorker(_)), "{failure}");
}

#[tokio::test]
async fn files_that_are_converted_together_are_answered_each_for_itself() {
    let pool = real();
    let mut files: Vec<Order> = (0..200)
        .map(|number| if number % 7 == 3 { order(b"nonsense") } else { order(REPORT.as_bytes()) })
        .collect();
    let turn = pool.turn("line", "wats-json", 5).await;
    let answers = pool.convert(&turn, &mut files).await;
    assert_eq!(answers.len(), 200);
    for (number, answer) in answers.into_iter().enumerate() {
        let refused = matches!(answer.unwrap(), Answer::Refused { .. });
        assert_eq!(refused, number % 7 == 3, "{number}");
    }
}

/// The first worker dies of whatever it is; those after it are real.
#[tokio::test]
async fn of_files_that_were_together_with_a_worker_that_crashed_none_is_blamed_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let (flag, program) = (folder.path().join("died"), env!("CARGO_BIN_EXE_wats-agent"));
    let script = format!("if [ -e {0} ]; then exec {program} worker; fi; : > {0}; exit 9", flag.display());
    let command = Command { program: PathBuf::from("/bin/sh"), arguments: vec!["-c".into(), script] };
    let pool = Pool::new(command, limits(Duration::from_secs(30)), std::env::temp_dir());
    let turn = pool.turn("line", "wats-json", 5).await;
    let mut files = [REPORT.as_bytes(), b"nonsense", REPORT.as_bytes()].map(order);
    let answers: Vec<bool> = pool
        .convert(&turn, &mut files)
        .await
        .into_iter()
        .map(|answer| matches!(answer.unwrap(), Answer::Reports { .. }))
        .collect();
    assert_eq!(answers, [true, false, true]);
}
