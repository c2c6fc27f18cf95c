//! The simulator, seen through our own client: what it accepts, refuses, and how it fails on demand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;
use wats::client::{Client, ClientSettings, SubmitError, Token, Verdict};
use wats_tests::sim::{Behaviour, Fault, FaultKind, RejectionShape, Sim, SimSettings, TOKEN};

fn report(id: Uuid) -> Vec<u8> {
    serde_json::to_vec(&json!({
        "type": "T", "id": id, "pn": "PCB-1", "sn": "SN-1", "rev": "A", "processCode": 10, "result": "P",
        "machineName": "ST1", "location": "Lab", "purpose": "Production", "start": "2026-01-30T22:01:41+01:00",
        "uut": {"user": "op"},
        "root": {"group": "M", "stepType": "SequenceCall", "name": "Main", "status": "P",
                 "seqCall": {"path": "p", "name": "n", "version": "1"}, "steps": []},
    }))
    .unwrap()
}

fn client_of(sim: &Sim, token: &str) -> Client {
    let token = Token::from_base64(&SecretString::from(token)).unwrap();
    let settings = ClientSettings::new(&sim.base_url(), token, "test")
        .unwrap()
        .with_timeouts(Duration::from_millis(500), Duration::from_millis(500));
    Client::new(settings).unwrap()
}

async fn bench() -> (Sim, Client) {
    let sim = Sim::start(SimSettings::default()).await.unwrap();
    let client = client_of(&sim, TOKEN);
    (sim, client)
}

fn once(kind: FaultKind) -> Vec<Fault> {
    vec![Fault { route: "report".to_owned(), skip: 0, times: Some(1), kind }]
}

#[tokio::test]
async fn the_same_id_replaces_the_report_and_is_counted() {
    let (sim, client) = bench().await;
    let id = Uuid::new_v4();
    for _ in 0..2 {
        assert_eq!(client.submit_wsjf(id, report(id)).await.unwrap().id, Some(id));
    }
    let stored = sim.reports();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].id, stored[0].receive_count, stored[0].sn.as_str()), (id, 2, "SN-1"));
    assert_eq!((sim.stats().unique, sim.stats().posts, sim.stats().rejected), (1, 2, 0));
}

#[tokio::test]
async fn credentials_and_rights_are_checked_on_every_route() {
    let (sim, client) = bench().await;
    assert_eq!(client.version().await.unwrap(), "2026.1.5.324");
    assert!(client.processes().await.unwrap().iter().any(|p| p.code == 500 && p.is_repair_operation));
    let stranger = client_of(&sim, "eDp5");
    assert!(matches!(stranger.version().await, Err(SubmitError::Unauthorised)));
    let powerless = client_of(&sim, "bm9ib2R5OnNlY3JldA==");
    assert!(powerless.version().await.is_ok());
    assert!(matches!(powerless.processes().await, Err(SubmitError::Forbidden { .. })));
}

#[tokio::test]
async fn a_report_that_breaks_the_rules_is_refused_in_each_shape_with_the_servers_lines() {
    let (sim, client) = bench().await;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/reports");
    let body = std::fs::read(samples.join("uut-wsjf-export.json")).unwrap();
    let expected = std::fs::read_to_string(samples.join("uut-wsjf-export.rejection.txt")).unwrap();
    for rejection in [RejectionShape::Message, RejectionShape::String, RejectionShape::Text] {
        sim.set_behaviour(Behaviour { rejection, ..Behaviour::default() });
        let error = client.submit_wsjf(Uuid::new_v4(), body.clone()).await.unwrap_err();
        assert_eq!(error.verdict(), Verdict::Reject);
        let SubmitError::Rejected { status: 400, message } = error else { panic!("{error}") };
        assert_eq!(message.lines().collect::<Vec<_>>(), expected.trim().lines().collect::<Vec<_>>());
    }
    assert_eq!(sim.stats().rejected, 3);
}

#[tokio::test]
async fn every_fault_is_no_acknowledgement_and_the_report_can_be_sent_again() {
    let (sim, client) = bench().await;
    let cases: Vec<(FaultKind, bool)> = vec![
        (FaultKind::Latency { milliseconds: 700 }, true),
        (FaultKind::SlowRead { milliseconds: 700 }, true),
        (FaultKind::Status { code: 503, retry_after: None, body: String::new() }, false),
        (FaultKind::DropBefore, false),
        (FaultKind::DropAfter, true),
        (FaultKind::Html, false),
        (FaultKind::WrongId, true),
        (FaultKind::Truncated, true),
    ];
    for (kind, may_be_stored) in cases {
        let id = Uuid::new_v4();
        let shown = format!("{kind:?}");
        sim.set_faults(once(kind));
        let error = client.submit_wsjf(id, report(id)).await.expect_err(&shown);
        assert!(matches!(error.verdict(), Verdict::Retry { .. }), "{shown}: {error}");
        if !may_be_stored {
            assert!(!sim.reports().iter().any(|r| r.id == id), "{shown}");
        }
        client.submit_wsjf(id, report(id)).await.expect(&shown);
        assert_eq!(sim.reports().iter().filter(|r| r.id == id).count(), 1, "{shown}");
    }
    sim.set_faults(once(FaultKind::Empty));
    let id = Uuid::new_v4();
    assert_eq!(client.submit_wsjf(id, report(id)).await.unwrap().id, None);
}

#[tokio::test]
async fn throttling_names_the_time_to_wait() {
    let (sim, client) = bench().await;
    sim.set_faults(once(FaultKind::Status {
        code: 429,
        retry_after: Some("7".to_owned()),
        body: String::new(),
    }));
    let error = client.submit_wsjf(Uuid::new_v4(), Vec::new()).await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::Retry { retry_after: Some(Duration::from_secs(7)) });
    sim.set_behaviour(Behaviour { requests_per_minute: Some(2), ..Behaviour::default() });
    assert!(client.version().await.is_ok());
    assert!(client.version().await.is_ok());
    assert!(matches!(client.version().await, Err(SubmitError::Throttled { .. })));
}

#[tokio::test]
async fn intake_is_asynchronous_and_paths_match_in_any_case() {
    let (sim, client) = bench().await;
    sim.set_behaviour(Behaviour { processing_delay_ms: 60_000, ..Behaviour::default() });
    let id = Uuid::new_v4();
    client.submit_wsjf(id, report(id)).await.unwrap();
    let get = async |path: String| {
        let url = format!("{}{path}", sim.base_url());
        reqwest::Client::new()
            .get(url)
            .header("authorization", format!("Basic {TOKEN}"))
            .send()
            .await
            .unwrap()
    };
    assert_eq!(get(format!("/API/report/Wsjf/{id}")).await.status(), 404);
    sim.set_behaviour(Behaviour::default());
    let back: serde_json::Value = get(format!("/api/Report/WSJF/{id}")).await.json().await.unwrap();
    assert_eq!(back["startUTC"], "2026-01-30T21:01:41Z");
    assert_eq!(back["processName"], "SW Debug");
    let found: serde_json::Value =
        get("/api/Report/Query/Header?%24filter=serialNumber+eq+'SN-1'&%24top=5".to_owned())
            .await
            .json()
            .await
            .unwrap();
    assert_eq!(found[0]["uuid"], json!(id));
}

#[tokio::test]
async fn https_needs_the_simulators_own_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let sim =
        Sim::start(SimSettings { tls_ca_out: Some(ca.clone()), ..SimSettings::default() }).await.unwrap();
    let stranger = client_of(&sim, TOKEN);
    assert!(matches!(stranger.version().await, Err(SubmitError::Unreachable(_))));
    let token = Token::from_base64(&SecretString::from(TOKEN)).unwrap();
    let settings = ClientSettings::new(&sim.base_url(), token, "test")
        .unwrap()
        .with_extra_ca(std::fs::read_to_string(ca).unwrap());
    assert_eq!(Client::new(settings).unwrap().version().await.unwrap(), "2026.1.5.324");
}
