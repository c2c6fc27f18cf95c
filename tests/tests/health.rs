//! Health and metrics of a running agent, as a probe and Prometheus see them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use wats_agent::control::api::{Credential, ServerChange};
use wats_tests::sim::{Fault, FaultKind, TOKEN};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

fn report(serial: &str, process: u32) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nOperationTypeCode\t{process}\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

/// Every sample of the text format: name with labels, and value. Whatever does not fit the format stops the test.
async fn metrics(station: &Station) -> BTreeMap<String, f64> {
    let response = reqwest::get(format!("{}/metrics", station.health_url())).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = response.text().await.unwrap();
    let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("wats_"), "{line}");
            (name.to_owned(), value.parse().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn weakness_20_every_counter_counts() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    station.sim.set_faults(vec![Fault {
        route: "report".to_owned(),
        skip: 0,
        times: Some(1),
        kind: FaultKind::status(503),
    }]);
    station.drop_file("line", "good.txt", &report("S-1", 10)).unwrap();
    station.drop_file("line", "refused.txt", &report("S-2", 12_345)).unwrap();
    station.drop_file("line", "bad.txt", b"no report").unwrap();
    station
        .until("all judged", SOON, async || {
            let queue = station.control().unwrap().status().await.unwrap().queue;
            (queue.sent, queue.rejected, queue.failed_files) == (1, 1, 1)
        })
        .await
        .unwrap();
    station.drop_file("line", "again.txt", &report("S-1", 10)).unwrap();
    let twice = "wats_files_total{source=\"line\",outcome=\"duplicate\"}";
    station.until("the duplicate", SOON, async || metrics(&station).await.contains_key(twice)).await.unwrap();
    station
        .until("the gauges", SOON, async || {
            // Made up to a second ago: the last thing that happened is waited for.
            let metrics = metrics(&station).await;
            let reports = |state: &str| metrics[&format!("wats_queue_reports{{state=\"{state}\"}}")];
            let ended = (reports("sent"), reports("rejected")) == (1.0, 1.0);
            ended && metrics["wats_failed_files"] == 1.0 && metrics["wats_server_online"] == 1.0
        })
        .await
        .unwrap();
    let metrics = metrics(&station).await;
    for (name, expected) in [
        ("wats_files_total{source=\"line\",outcome=\"converted\"}", 2.0),
        ("wats_files_total{source=\"line\",outcome=\"failed\"}", 1.0),
        (twice, 1.0),
        ("wats_reports_total{outcome=\"acknowledged\"}", 1.0),
        ("wats_reports_total{outcome=\"refused\"}", 1.0),
        ("wats_reports_total{outcome=\"postponed\"}", 1.0),
        ("wats_stage_seconds_count{stage=\"convert\"}", 4.0),
        ("wats_stage_seconds_count{stage=\"store\"}", 2.0),
        ("wats_stage_seconds_count{stage=\"upload\"}", 3.0),
        ("wats_stage_seconds_count{stage=\"queue\"}", 1.0),
        ("wats_queue_reports{state=\"rejected\"}", 1.0),
        ("wats_queue_reports{state=\"queued\"}", 0.0),
        ("wats_failed_files", 1.0),
        ("wats_server_online", 1.0),
        ("wats_oldest_pending_seconds", 0.0),
    ] {
        assert_eq!(metrics.get(name), Some(&expected), "{name} in {metrics:#?}");
    }
    assert!(metrics["wats_disk_free_bytes"] > 0.0 && metrics["wats_memory_bytes"] > 1e6);
    assert!(metrics.keys().any(|name| name.starts_with("wats_build_info{version=")));
}

#[tokio::test]
async fn weakness_13_health_says_what_is_wrong_and_when_it_was_mended() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let ask = async |path: &str| {
        let response = reqwest::get(format!("{}{path}", station.health_url())).await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    for path in ["/health", "/health/live", "/health/ready", "/health/details"] {
        assert_eq!(ask(path).await.0, 200, "{path}");
    }
    let fault = FaultKind::status(401);
    station.sim.set_faults(vec![Fault { route: "report".to_owned(), skip: 0, times: None, kind: fault }]);
    station.drop_file("line", "a.txt", &report("S-1", 10)).unwrap();
    let attention = async || ask("/health").await.1["attention"].to_string();
    station
        .until("the reason", SOON, async || attention().await.contains("does not accept our credential"))
        .await
        .unwrap();
    let details = ask("/health/details").await.1;
    assert_eq!(details["queue"]["queued"], 1);
    assert!(details["queue"]["oldest_pending_seconds"].is_number(), "{details}");
    assert!(details["disk"]["free_bytes"].as_u64().unwrap() > 0);
    station.sim.set_faults(Vec::new());
    // A person who rotates the credential is not kept waiting for the next try.
    let control = station.control().unwrap();
    let change = ServerChange {
        url: station.sim.base_url(),
        proxy: None,
        extra_ca: None,
        credential: Some(Credential::Token(TOKEN.to_owned().into())),
        proxy_credential: None,
    };
    control.change_server(&change).await.unwrap();
    station.until("mended", SOON, async || attention().await == "null").await.unwrap();
    station
        .until("the success", SOON, async || {
            ask("/health/details").await.1["server"]["last_success"].is_string()
        })
        .await
        .unwrap();
}
