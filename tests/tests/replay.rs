//! Archived sources are converted again: what would change is said first, and only that is sent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

/// A report that names no operation: that comes from the source's arguments.
fn report(serial: &str) -> Vec<u8> {
    report_with(serial, "")
}

fn report_with(serial: &str, header: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\n{header}UUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

fn archived(station: &Station, name: &str) -> PathBuf {
    let archive = station.socket().parent().unwrap().join("storage/archive");
    let days = std::fs::read_dir(archive).unwrap();
    let mut files = days.flat_map(|day| std::fs::read_dir(day.unwrap().path()).unwrap());
    files
        .find_map(|file| Some(file.unwrap().path()).filter(|it| it.to_string_lossy().ends_with(name)))
        .unwrap()
}

fn replay(station: &Station, more: &[&str]) -> (i32, String) {
    let command = ["replay", "--converter", "wats-text", "--from", "2026-01-01"];
    station.agent_command(&[&command, more].concat()).unwrap()
}

fn totals(station: &Station, more: &[&str]) -> Value {
    let (code, said) = replay(station, &[&["--json"], more].concat());
    assert_eq!(code, 0, "{said}");
    // Progress is on standard error, behind the answer.
    let answer = serde_json::Deserializer::from_str(&said).into_iter::<Value>().next().unwrap().unwrap();
    answer["totals"].clone()
}

async fn sent(station: &Station, count: u64) {
    station
        .until("sent", SOON, async || {
            let queue = station.control().unwrap().status().await.unwrap().queue;
            queue.sent == count && queue.queued + queue.sending == 0
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_corrected_converter_sends_what_changed_under_the_same_id_and_nothing_else() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    for number in 0..4 {
        station.drop_file("line", &format!("{number}.txt"), &report(&format!("S-{number}"))).unwrap();
    }
    station.drop_file("line", "whole.txt", &report_with("S-whole", "OperationTypeCode\t30\n")).unwrap();
    sent(&station, 5).await;
    assert_eq!(totals(&station, &["--dry-run"])["equal"], 5);

    let control = station.control().unwrap();
    let mut settings = control.sources().await.unwrap().remove(0).settings;
    settings.arguments.insert("defaultOperationTypeCode".to_owned(), "50".to_owned());
    control.change_source("line", &settings).await.unwrap();
    std::fs::remove_file(archived(&station, "2.txt")).unwrap();
    let damaged = archived(&station, "3.txt");
    std::fs::copy(archived(&station, "1.txt"), &damaged).unwrap();

    let before = station.sim.stats().posts;
    let (code, said) = replay(&station, &["--dry-run"]);
    assert_eq!(code, 0, "{said}");
    for words in [
        "0.txt (file ",
        "processCode: 10, now 50",
        "2.txt (file ",
        "not there any more",
        "not what was converted, its checksum is another",
        "5 files: 1 reports equal, 2 changed, 0 new, 0 gone",
        "2 reports would be sent",
    ] {
        assert!(said.contains(words), "{words:?} is missing in {said}");
    }
    assert!(!said.contains("whole.txt"), "nothing changes in it: {said}");
    assert_eq!(station.sim.stats().posts, before);

    let changed = totals(&station, &[]);
    assert_eq!((&changed["changed"], &changed["equal"]), (&2.into(), &1.into()), "{changed}");
    station.until("both sent again", SOON, async || station.sim.stats().posts == before + 2).await.unwrap();
    sent(&station, 5).await;
    let codes: Vec<_> =
        station.sim.reports().iter().map(|it| (it.sn.clone(), it.process_code, it.receive_count)).collect();
    assert!(codes.contains(&("S-0".to_owned(), Some(50), 2)), "{codes:?}");
    assert!(codes.contains(&("S-2".to_owned(), Some(10), 1)), "{codes:?}");
    assert_eq!(codes.len(), 5, "the same ids");

    // Once more: what was done is found equal, so nothing is sent.
    assert_eq!(totals(&station, &[])["equal"], 3);
    assert_eq!(station.sim.stats().posts, before + 2);
    let (code, said) = station.agent_command(&["ledger", "verify"]).unwrap();
    assert_eq!(code, 0, "{said}");
    let (_, said) = station.agent_command(&["ledger", "export"]).unwrap();
    assert_eq!(said.matches(",replayed,").count(), 2, "{said}");
}

#[tokio::test]
async fn a_file_that_is_refused_now_keeps_its_report_and_says_why() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    sent(&station, 1).await;
    let control = station.control().unwrap();
    let mut place = control.station().await.unwrap();
    place.location = String::new();
    control.change_station(&place).await.unwrap();
    let (code, said) = replay(&station, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("breaks the server's rules"), "{said}");
    assert!(said.contains("1 files are refused by the converter now"), "{said}");
    sent(&station, 1).await;
    assert_eq!(station.sim.stats().posts, 1);
}

#[tokio::test]
async fn what_cannot_be_done_is_said() {
    let mut station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let (code, said) = replay(&station, &["--to", "2025-12-31"]);
    assert_eq!(code, 7);
    assert!(said.contains("is not after"), "{said}");
    let (_, said) =
        station.agent_command(&["replay", "--converter", "none", "--from", "2026-01-01"]).unwrap();
    assert!(said.contains("there is no converter \"none\"; known: "), "{said}");
    let (_, said) = replay(&station, &[]);
    assert!(said.contains("has converted no file that is still known"), "{said}");
    station.stop_agent().unwrap();
    assert_eq!(replay(&station, &[]).0, 3, "no agent runs");
}
