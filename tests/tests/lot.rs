//! A lot with very many parts goes through the agent, and takes no more of its memory than a small one.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not expect")]

#[allow(dead_code, reason = "made files of other tests need more of it")]
#[path = "../../converters/tests/support/stdf.rs"]
mod stdf;

use std::time::Duration;

use stdf::Stdf;
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(180);
/// Together they are some 40 MB as they are queued.
const PARTS: u32 = 8_000;
const TESTS: u32 = 100;

/// What the agent held at its worst, in bytes.
fn most(station: &Station) -> u64 {
    let status = format!("/proc/{}/status", station.agent().unwrap());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

fn lot(name: &str, parts: u32) -> Vec<u8> {
    let mut lot = Stdf::lot(false);
    for part in 0..parts {
        lot.pir(1);
        for test in 0..TESTS {
            // No two values are the same, as with real ones.
            let value = f32::from_bits((part * TESTS + test).wrapping_mul(2_654_435_761) >> 9 | 0x3f80_0000);
            lot.short_ptr(1, test, 0, value, &format!("test {test}"));
        }
        lot.prr(1, 0, &format!("{name} {part}"));
    }
    lot.mrr();
    lot.bytes
}

#[tokio::test]
async fn a_large_lot_is_taken_whole_and_its_reports_wait_on_the_disk() {
    let station = Station::start_without_server(&[("lots", "stdf")], "").await.unwrap();
    let control = station.control().unwrap();
    let waits = async |count| control.status().await.is_ok_and(|status| status.queue.queued == count);
    station.drop_file("lots", "small.stdf", &lot("small", PARTS / 10)).unwrap();
    let mut expected = u64::from(PARTS / 10);
    station.until("the small lot", SOON, async || waits(expected).await).await.unwrap();
    let early = most(&station);
    let large = lot("large", PARTS);
    let size = large.len() as u64;
    station.drop_file("lots", "large.stdf", &large).unwrap();
    expected += u64::from(PARTS);
    station.until("the large lot", SOON, async || waits(expected).await).await.unwrap();
    let late = most(&station);
    let database = std::fs::metadata(station.database()).unwrap().len();
    let wal = std::fs::metadata(station.database().with_extension("db-wal")).map_or(0, |it| it.len());
    println!("{early} bytes, then {late}; the database {database} bytes, its log {wal}");
    assert!(database + wal > 36 << 20, "the lot is too small to show anything: {database} and {wal} bytes");
    // The file is in memory while it is handed to a worker, and a batch of reports when it is written and when it is read.
    assert!(late - early < size + (24 << 20), "{early} bytes with the small lot, {late} with the large one");
}
