//! Killed twenty times at random moments, the agent loses nothing and duplicates nothing.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and names its seed"
)]

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wats_tests::station::Station;

const FILES: usize = 500;
const KILLS: usize = 20;

#[tokio::test]
async fn twenty_kills_during_five_hundred_files_lose_and_duplicate_nothing() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut station = Station::start(&[("text", "wats-text")]).await.unwrap();

    let mut dropped = 0;
    for round in 1..=KILLS {
        // Each round has new files, and what the kills before it left undone.
        while dropped < FILES * round / KILLS {
            dropped += 1;
            let report = format!(
                "--Header-Start--\nSerialNumber\tSN-{dropped:04}\nPartNumber\tPCB-1\nStartDateTime\t2026-01-02T03:04:05\n\
                 --Step-Data-Start--\nPassFailTest\tRelay\t\tTrue\n--Step-Data-End--\n--UUT-End--\n"
            );
            station.drop_file("text", &format!("{dropped:04}.txt"), report.as_bytes()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..700))).await;
        station.kill_agent().unwrap();
        station.run_agent().await.unwrap();
    }
    assert_eq!(dropped, FILES);

    station
        .until("all are delivered", Duration::from_secs(120), async || {
            let status = station.control().unwrap().status().await;
            status.is_ok_and(|s| s.queue.queued + s.queue.sending == 0 && s.queue.sent == FILES as u64)
        })
        .await
        .unwrap();
    let reports = station.sim.reports();
    let serials: HashSet<&str> = reports.iter().map(|r| r.sn.as_str()).collect();
    assert_eq!(serials.len(), FILES, "lost {}", FILES - serials.len());
    assert_eq!(reports.len(), FILES, "duplicated {}", reports.len().saturating_sub(FILES));
    let left =
        std::fs::read_dir(station.source("text")).unwrap().filter(|e| e.as_ref().unwrap().path().is_file());
    assert_eq!(left.count(), 0, "files are left in the folder");
}
