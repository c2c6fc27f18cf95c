//! Sending, as a person holds it up and mends it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use futures_util::StreamExt;
use wats_agent::control::api::{Event, ReportQuery, ReportState};
use wats_tests::sim::{Fault, FaultKind};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

fn report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nOperationTypeCode\t10\n\
         UUTStatus\tPassed\nStartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn paused_deliveries_wait_over_a_restart_and_go_on_when_resumed() {
    let mut station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let control = station.control().unwrap();
    control.pause_delivery().await.unwrap();
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    let queued = async || control.status().await.unwrap().queue.queued == 1;
    station.until("queued", SOON, queued).await.unwrap();
    station.stop_agent().unwrap();
    station.run_agent().await.unwrap();
    // A second report goes the whole way to the queue while the first one waits.
    station.drop_file("line", "b.txt", &report("S-2")).unwrap();
    let both = async || control.status().await.unwrap().queue.queued == 2;
    station.until("both queued", SOON, both).await.unwrap();
    assert!(control.status().await.unwrap().paused.delivery && station.sim.reports().is_empty());
    control.resume_delivery().await.unwrap();
    station.until("sent", SOON, async || station.sim.reports().len() == 2).await.unwrap();
}

#[tokio::test]
async fn a_refused_report_is_heard_of_corrected_and_sent_under_its_id() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let control = station.control().unwrap();
    let refusal = Fault { route: "report".to_owned(), skip: 0, times: Some(1), kind: FaultKind::status(400) };
    station.sim.set_faults(vec![refusal]);
    let mut events = Box::pin(control.events().await.unwrap());
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    let mut heard = Vec::new();
    let id = loop {
        let event = events.next().await.unwrap().unwrap().event;
        heard.push(event.word());
        if let Event::ReportRefused { report_id, .. } = event {
            break report_id;
        }
    };
    let at = |word: &str| heard.iter().position(|it| *it == word);
    assert!(at("file-seen").is_some() && at("file-seen") < at("file-converted"), "{heard:?}");

    let dead = ReportQuery { state: Some(ReportState::Rejected), ..ReportQuery::default() };
    assert_eq!(control.reports(&dead).await.unwrap()[0].id, id);
    let mut body = control.report(id).await.unwrap().body;
    body["sn"] = "S-1-mended".into();
    control.correct_report(id, body.to_string().into_bytes()).await.unwrap();
    loop {
        let event = events.next().await.unwrap().unwrap().event;
        if event == (Event::ReportAcknowledged { report_id: id }) {
            break;
        }
    }
    let sent = station.sim.reports();
    assert_eq!((sent.len(), sent[0].sn.as_str()), (1, "S-1-mended"));
    let (code, said) = station.agent_command(&["ledger", "find", "S-1-mended", "--json"]).unwrap();
    let records: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &records[0]["event"], &records[1]["event"]),
        (0, &"corrected".into(), &"acknowledged".into())
    );
}
