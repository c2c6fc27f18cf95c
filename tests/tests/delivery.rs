//! From the queue to the server: who goes first, how fast, and what each kind of answer leads to.
//!
//! The numbers in the names are those of the reference client's weaknesses that are beaten.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::{Duration, Instant};

use wats_agent::control::api::{Credential, Link, QueueCounts, ReportQuery, ReportState, ServerChange};
use wats_tests::sim::{Fault, FaultKind, TOKEN};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

fn report(serial: &str, process: u32) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nOperationTypeCode\t{process}\n\
         UUTStatus\tPassed\nStartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

async fn queue(station: &Station) -> QueueCounts {
    station.control().unwrap().status().await.unwrap().queue
}

fn fault(times: Option<u64>, kind: FaultKind) -> Fault {
    Fault { route: "report".to_owned(), skip: 0, times, kind }
}

async fn tell_server(station: &Station) {
    let change = ServerChange {
        url: station.sim.base_url(),
        proxy: None,
        extra_ca: None,
        credential: Some(Credential::Token(TOKEN.to_owned().into())),
        proxy_credential: None,
    };
    station.control().unwrap().change_server(&change).await.unwrap();
}

/// One upload at a time shows the order: the urgent report does not wait for the import before it.
#[tokio::test]
async fn weakness_24_a_bulk_import_starves_nobody_and_priorities_reach_the_upload() {
    let sources = [("bulk", "wats-text"), ("equal", "wats-text"), ("urgent", "wats-text")];
    let station = Station::start_without_server(&sources, "[delivery]\nuploads = 1\n").await.unwrap();
    let control = station.control().unwrap();
    for source in control.sources().await.unwrap() {
        let mut settings = source.settings;
        settings.priority = if settings.name == "urgent" { 1 } else { 5 };
        control.change_source(&settings.name.clone(), &settings).await.unwrap();
    }
    for number in 0..60 {
        station.drop_file("bulk", &format!("{number}.txt"), &report(&format!("B-{number:02}"), 10)).unwrap();
    }
    station.until("the import", SOON, async || queue(&station).await.queued == 60).await.unwrap();
    for number in 0..8 {
        station.drop_file("equal", &format!("{number}.txt"), &report(&format!("E-{number}"), 10)).unwrap();
        station.drop_file("urgent", &format!("{number}.txt"), &report(&format!("U-{number}"), 10)).unwrap();
    }
    station.until("the others", SOON, async || queue(&station).await.queued == 76).await.unwrap();
    tell_server(&station).await;
    station.until("all sent", SOON, async || queue(&station).await.sent == 76).await.unwrap();
    let order: Vec<String> = station.sim.reports().into_iter().map(|report| report.sn).collect();
    let last = |prefix: &str| order.iter().rposition(|sn| sn.starts_with(prefix)).unwrap();
    assert!(last("U-") <= 12, "urgent reports waited: {order:?}");
    assert!(last("E-") <= 8 + 2 * 8 + 2, "the equal source did not get its turns: {order:?}");
    assert_eq!(last("B-"), 75, "the import came last: {order:?}");
}

#[tokio::test]
async fn the_server_gets_no_more_requests_a_minute_than_is_configured() {
    let station = Station::start_with(
        &[("text", "wats-text")],
        "[delivery]\nrequests_per_minute = 10\n[server]\nregister = false\n",
    )
    .await
    .unwrap();
    for number in 0..20 {
        station.drop_file("text", &format!("{number}.txt"), &report(&format!("S-{number}"), 10)).unwrap();
    }
    // The others of the ten asked for the server's version: when it became known, and with its credential.
    station.until("the first", SOON, async || (8..=9).contains(&station.sim.stats().posts)).await.unwrap();
    station
        .until("the rest", SOON, async || {
            let queue = queue(&station).await;
            queue.sent + queue.queued == 20 && queue.sent >= 8
        })
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!((8..=9).contains(&station.sim.stats().posts), "{:?}", station.sim.stats());
    assert_eq!(station.control().unwrap().status().await.unwrap().server.link, Link::Online);
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_gets_it() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    let busy = FaultKind::Status {
        code: 429,
        retry_after: Some("4".to_owned()),
        location: None,
        body: String::new(),
        content_type: None,
    };
    station.sim.set_faults(vec![fault(Some(1), busy)]);
    let asked = Instant::now();
    station.drop_file("text", "a.txt", &report("S-1", 10)).unwrap();
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_secs(4), "came back after {:?}", asked.elapsed());
}

#[tokio::test]
async fn a_login_page_with_status_200_is_no_acknowledgement() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    station.sim.set_faults(vec![fault(None, FaultKind::Html)]);
    station.drop_file("text", "a.txt", &report("S-1", 10)).unwrap();
    station
        .until("the page is seen for what it is", SOON, async || {
            let server = station.control().unwrap().status().await.unwrap().server;
            server.trouble.is_some_and(|words| words.contains("a login page"))
        })
        .await
        .unwrap();
    assert_eq!((queue(&station).await.sent, station.sim.reports().len()), (0, 0));
    station.sim.set_faults(Vec::new());
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    assert_eq!(station.sim.reports()[0].receive_count, 1);
}

#[tokio::test]
async fn weakness_10_a_refused_report_is_a_dead_letter_with_the_servers_words_and_stops_nobody() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    station.drop_file("text", "a.txt", &report("S-1", 12_345)).unwrap();
    station.drop_file("text", "b.txt", &report("S-2", 10)).unwrap();
    station
        .until("both judged", SOON, async || {
            let queue = queue(&station).await;
            (queue.sent, queue.rejected) == (1, 1)
        })
        .await
        .unwrap();
    let control = station.control().unwrap();
    let refused = ReportQuery { state: Some(ReportState::Rejected), ..ReportQuery::default() };
    let refused = control.reports(&refused).await.unwrap();
    let detail = control.report(refused[0].id).await.unwrap();
    assert!(format!("{detail:?}").contains("Process code must be a valid value"), "{detail:?}");
    // A person who has mended the cause sends it again by hand, and is told by the server if she has not.
    control.retry_report(refused[0].id).await.unwrap();
    station.until("refused again", SOON, async || queue(&station).await.rejected == 1).await.unwrap();
    assert_eq!(station.sim.stats().posts, 3);
}

#[tokio::test]
async fn weakness_12_an_agent_without_a_server_converts_and_queues_and_recovers_by_itself() {
    let mut station = Station::start(&[("text", "wats-text")]).await.unwrap();
    station.stop_agent().unwrap();
    station.sim.set_faults(vec![
        fault(None, FaultKind::DropBefore),
        Fault { route: "version".to_owned(), skip: 0, times: None, kind: FaultKind::DropBefore },
    ]);
    station.run_agent().await.unwrap();
    for number in 0..3 {
        station.drop_file("text", &format!("{number}.txt"), &report(&format!("S-{number}"), 10)).unwrap();
    }
    station
        .until("queued, and the server away", SOON, async || {
            let status = station.control().unwrap().status().await.unwrap();
            let waiting = status.queue.queued + status.queue.sending;
            waiting == 3 && status.server.link == Link::Offline && status.server.trouble.is_some()
        })
        .await
        .unwrap();
    station.sim.set_faults(Vec::new());
    station.until("sent", SOON, async || queue(&station).await.sent == 3).await.unwrap();
    let server = station.control().unwrap().status().await.unwrap().server;
    assert_eq!((server.link, server.trouble), (Link::Online, None));
}

#[tokio::test]
async fn weakness_05_an_agent_ends_in_time_with_an_upload_that_hangs_and_loses_nothing() {
    let mut station = Station::start(&[("text", "wats-text")]).await.unwrap();
    station.sim.set_faults(vec![fault(None, FaultKind::Latency { milliseconds: 60_000 })]);
    station.drop_file("text", "a.txt", &report("S-1", 10)).unwrap();
    station.until("on its way", SOON, async || queue(&station).await.sending == 1).await.unwrap();
    let took = station.stop_agent().unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
    station.sim.set_faults(Vec::new());
    station.run_agent().await.unwrap();
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    assert_eq!(station.sim.reports().len(), 1);
}
