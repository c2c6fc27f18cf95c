//! The simulator, seen through our own client: what it accepts, refuses, and how it fails on demand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;
use wats::client::{Client, ClientSettings, SubmitError, Token, Verdict};
use wats_tests::sim::{
    Behaviour, Fault, FaultKind, POWERLESS_TOKEN, RejectionShape, Sim, SimSettings, TOKEN, Tls,
};

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

async fn get(sim: &Sim, path: &str) -> reqwest::Response {
    let url = format!("{}{path}", sim.base_url());
    let request = reqwest::Client::new().get(url).header("authorization", format!("basic {TOKEN}"));
    request.send().await.unwrap()
}

async fn get_json(sim: &Sim, path: &str) -> Value {
    let answer = get(sim, path).await;
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

fn samples() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/reports");
    assert!(folder.is_dir(), "the sample reports are missing: {}", folder.display());
    folder
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
    assert_eq!(sim.bodies(id), [report(id), report(id)]);
    sim.clear();
    assert_eq!((sim.reports().len(), sim.stats().posts), (0, 0));
}

#[tokio::test]
async fn credentials_and_rights_are_checked_on_every_route() {
    let (sim, client) = bench().await;
    assert_eq!(client.version().await.unwrap(), "2026.1.5.324");
    assert!(client.processes().await.unwrap().iter().any(|p| p.code == 500 && p.is_repair_operation));
    let stranger = client_of(&sim, "eDp5");
    assert!(matches!(stranger.version().await, Err(SubmitError::Unauthorised)));
    let powerless = client_of(&sim, POWERLESS_TOKEN);
    assert!(powerless.version().await.is_ok());
    assert!(matches!(powerless.processes().await, Err(SubmitError::Forbidden { .. })));
}

#[tokio::test]
async fn a_report_that_breaks_the_rules_is_refused_in_each_shape_with_the_servers_lines() {
    let (sim, client) = bench().await;
    let body = std::fs::read(samples().join("uut-wsjf-export.json")).unwrap();
    let expected = std::fs::read_to_string(samples().join("uut-wsjf-export.rejection.txt")).unwrap();
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
    let cases: Vec<(FaultKind, Option<bool>)> = vec![
        (FaultKind::Latency { milliseconds: 2_000 }, None),
        (FaultKind::SlowRead { milliseconds: 2_000 }, None),
        (FaultKind::SlowAnswer { milliseconds: 2_000 }, Some(true)),
        (FaultKind::status(500), Some(false)),
        (FaultKind::status(503), Some(false)),
        (FaultKind::DropBefore, Some(false)),
        (FaultKind::DropDuring, Some(false)),
        (FaultKind::DropAfter, Some(true)),
        (FaultKind::Html, Some(false)),
        (FaultKind::WrongId, Some(true)),
        (FaultKind::Truncated, Some(true)),
    ];
    for (kind, is_stored) in cases {
        let id = Uuid::new_v4();
        let shown = format!("{kind:?}");
        sim.set_faults(once(kind));
        let error = client.submit_wsjf(id, report(id)).await.expect_err(&shown);
        assert!(matches!(error.verdict(), Verdict::Retry { .. }), "{shown}: {error}");
        if let Some(is_stored) = is_stored {
            assert_eq!(sim.reports().iter().any(|r| r.id == id), is_stored, "{shown}");
        }
        client.submit_wsjf(id, report(id)).await.expect(&shown);
        assert_eq!(sim.reports().iter().filter(|r| r.id == id).count(), 1, "{shown}");
    }
    sim.set_faults(once(FaultKind::Empty));
    let id = Uuid::new_v4();
    assert_eq!(client.submit_wsjf(id, report(id)).await.unwrap().id, None);
    assert!(sim.body(id).is_some());
}

#[tokio::test]
async fn refusals_on_demand_reject_or_hold_as_on_a_genuine_server() {
    let (sim, client) = bench().await;
    for (code, verdict) in [
        (401, Verdict::Hold),
        (403, Verdict::Hold),
        (404, Verdict::Hold),
        (409, Verdict::Reject),
        (413, Verdict::Reject),
    ] {
        sim.set_faults(once(FaultKind::status(code)));
        let error = client.submit_wsjf(Uuid::new_v4(), Vec::new()).await.unwrap_err();
        assert_eq!(error.verdict(), verdict, "{code}");
    }
    let redirect = FaultKind::Status {
        code: 302,
        retry_after: None,
        location: Some("https://login.example.com/".to_owned()),
        body: String::new(),
        content_type: None,
    };
    sim.set_faults(once(redirect));
    let error = client.submit_wsjf(Uuid::new_v4(), Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("https://login.example.com/"), "{error}");
    assert_eq!(sim.stats().posts, 0);
}

#[tokio::test]
async fn throttling_names_the_time_to_wait() {
    let (sim, client) = bench().await;
    let FaultKind::Status { code, location, body, content_type, .. } = FaultKind::status(429) else {
        panic!()
    };
    let retry_after = Some("7".to_owned());
    sim.set_faults(once(FaultKind::Status { code, retry_after, location, body, content_type }));
    let error = client.submit_wsjf(Uuid::new_v4(), Vec::new()).await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::Retry { retry_after: Some(Duration::from_secs(7)) });
    sim.set_behaviour(Behaviour { requests_per_minute: Some(2), ..Behaviour::default() });
    assert!(client.version().await.is_ok());
    assert!(client.version().await.is_ok());
    assert!(matches!(client.version().await, Err(SubmitError::Throttled { retry_after: Some(_) })));
}

#[tokio::test]
async fn intake_is_asynchronous_and_paths_match_in_any_case() {
    let (sim, client) = bench().await;
    sim.set_behaviour(Behaviour { processing_delay_ms: 60_000, ..Behaviour::default() });
    let id = Uuid::new_v4();
    client.submit_wsjf(id, report(id)).await.unwrap();
    assert_eq!(get(&sim, &format!("/API/report/Wsjf/{id}")).await.status(), 404);
    let state = get_json(&sim, &format!("/api/internal/Report/GetReportState/{id}")).await;
    assert_eq!((&state["State"], &state["ReceiveCount"]), (&json!("Pending"), &json!(1)));
    sim.set_behaviour(Behaviour::default());
    let back = get_json(&sim, &format!("/api/Report/WSJF/{}", id.to_string().to_uppercase())).await;
    assert_eq!(back["startUTC"], "2026-01-30T21:01:41Z");
    assert_eq!(back["processName"], "SW Debug");
    assert_eq!(back["assetStats"], json!([]));
    assert!(back["origin"].is_string());
    let found = get_json(&sim, "/api/Report/Query/Header?%24filter=serialNumber+eq+'SN-1'&%24top=5").await;
    assert_eq!((&found[0]["uuid"], &found[0]["receiveCount"]), (&json!(id), &json!(1)));
    assert_eq!(get(&sim, "/api/Report/Query/Header?%24filter=serialNumber").await.status(), 400);
    assert_eq!(get(&sim, "/api/Nowhere").await.status(), 404);
}

#[tokio::test]
async fn a_start_in_the_future_waits_in_quarantine() {
    let (sim, client) = bench().await;
    let id = Uuid::new_v4();
    let mut early: Value = serde_json::from_slice(&report(id)).unwrap();
    early["start"] = json!("2999-01-01T00:00:00Z");
    client.submit_wsjf(id, serde_json::to_vec(&early).unwrap()).await.unwrap();
    let state = get_json(&sim, &format!("/api/internal/Report/GetReportState/{id}")).await;
    assert_eq!(
        (&state["State"], &state["ProcessAtUtc"]),
        (&json!("Quarantined"), &json!("2999-01-01T00:00:00Z"))
    );
    assert_eq!(get(&sim, &format!("/api/Report/Wsjf/{id}")).await.status(), 404);
    assert_eq!(sim.reports().len(), 1);
}

#[tokio::test]
async fn a_report_in_xml_is_taken_and_read_back_in_both_formats() {
    let (sim, client) = bench().await;
    let id = Uuid::new_v4();
    let document = format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<Reports xmlns="http://wats.virinco.com/schemas/WATS/Report/wsxf"><Report type="UUT" ID="{id}"
 Start="2026-01-30T22:01:41+01:00" Start_utc="2026-01-30T21:01:41Z" Result="Passed" SN="SN-X" PN="PCB-1" Rev="A"
 MachineName="ST1" Location="Lab" Purpose="Production"><UUT UserLoginName="op"/><Process Code="10"/>
 <Step Group="Main" Name="Main" StepType="SequenceCall" Status="Passed"><SequenceCall Name="n" Version="1"/></Step>
 </Report></Reports>"#
    );
    assert_eq!(client.submit_wsxf(id, document.clone().into_bytes()).await.unwrap().id, Some(id));
    let back = get_json(&sim, &format!("/api/Report/Wsjf/{id}")).await;
    assert_eq!((&back["sn"], &back["processCode"]), (&json!("SN-X"), &json!(10)));
    assert_eq!(get(&sim, &format!("/api/Report/Wsxf/{id}")).await.text().await.unwrap(), document);
    let nothing = client.submit_wsxf(id, b"<Reports/>".to_vec()).await.unwrap_err();
    assert_eq!(nothing.verdict(), Verdict::Reject, "{nothing}");
}

#[tokio::test]
async fn a_body_larger_than_the_web_servers_limit_is_refused() {
    let (sim, client) = bench().await;
    let error = client.submit_wsjf(Uuid::new_v4(), vec![b' '; 30_000_001]).await.unwrap_err();
    // The server answers while the client still sends, so the answer may be lost with the connection.
    let is_413 = matches!(&error, SubmitError::Rejected { status: 413, .. });
    assert!(is_413 || matches!(error, SubmitError::Interrupted(_)), "{error:?}");
    assert_eq!(sim.stats().posts, 0);
}

#[tokio::test]
async fn files_are_given_out_one_by_one() {
    let (sim, client) = bench().await;
    let id = Uuid::new_v4();
    let mut with_file: Value = serde_json::from_slice(&report(id)).unwrap();
    with_file["root"]["steps"] = json!([{
        "group": "M", "stepType": "Action", "name": "Photo", "status": "P",
        "attachment": {"name": "a.txt", "contentType": "text/plain", "data": "aGVsbG8="},
    }]);
    client.submit_wsjf(id, serde_json::to_vec(&with_file).unwrap()).await.unwrap();
    let file = get(&sim, &format!("/api/Report/Attachment?reportId={id}&stepId=2")).await;
    assert_eq!(file.headers()["content-type"], "text/plain");
    assert_eq!(file.text().await.unwrap(), "hello");
    let bare = get_json(&sim, &format!("/api/Report/Wsjf/{id}?includeAttachments=false")).await;
    assert!(bare["root"]["steps"][0].get("attachment").is_none(), "{bare}");
    let listed = get_json(&sim, "/api/Report/Query/Header?%24expand=attachments").await;
    assert_eq!(listed[0]["attachments"], json!([{"stepId": 2, "filename": "a.txt"}]));
}

#[tokio::test]
async fn a_repair_needs_a_category_and_a_code_that_the_server_knows() {
    let (_sim, client) = bench().await;
    let good = std::fs::read(samples().join("uur_example.json")).unwrap();
    let mut repair: Value = serde_json::from_slice(&good).unwrap();
    let id: Uuid = repair["id"].as_str().unwrap().parse().unwrap();
    client.submit_wsjf(id, good).await.unwrap();
    repair["subUnits"][0]["failures"][0]["category"] = json!("Bad luck");
    let error = client.submit_wsjf(id, serde_json::to_vec(&repair).unwrap()).await.unwrap_err();
    assert!(error.to_string().ends_with("Category must be a valid value."), "{error}");
}

#[tokio::test]
async fn scripts_look_into_the_simulator_and_switch_faults_over_http() {
    let (sim, client) = bench().await;
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}/_sim/{path}", sim.base_url());
    let put = async |body: Value| http.put(url("faults")).json(&body).send().await.unwrap().status().as_u16();
    assert_eq!(
        put(json!({"faults": [{"route": "report", "times": 1, "kind": "status", "code": 503}]})).await,
        204
    );
    let id = Uuid::new_v4();
    assert!(client.submit_wsjf(id, report(id)).await.is_err());
    assert!(client.submit_wsjf(id, report(id)).await.is_ok());
    assert_eq!(put(json!({"faults": [{"kind": "meteor"}]})).await, 422);
    let listed: Value = http.get(url("reports")).send().await.unwrap().json().await.unwrap();
    let expected = json!([{
        "id": id, "type": "T", "sn": "SN-1", "pn": "PCB-1", "processCode": 10, "result": "P", "receiveCount": 1,
    }]);
    assert_eq!(listed, expected);
    let body = http.get(url(&format!("reports/{id}"))).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(body, report(id));
    let stats: Value = http.get(url("stats")).send().await.unwrap().json().await.unwrap();
    assert_eq!(stats, json!({"unique": 1, "posts": 1, "rejected": 0}));
    assert_eq!(http.delete(url("reports")).send().await.unwrap().status(), 204);
    let listed: Value = http.get(url("reports")).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn https_needs_the_simulators_own_authority() {
    let folder = tempfile::tempdir().unwrap();
    let ca_out = folder.path().join("ca.pem");
    let tls = Tls { names: Vec::new(), ca_out: Some(ca_out.clone()) };
    let sim = Sim::start(SimSettings { tls: Some(tls), ..SimSettings::default() }).await.unwrap();
    let stranger = client_of(&sim, TOKEN);
    assert!(matches!(stranger.version().await, Err(SubmitError::Unreachable(_))));
    let ca = std::fs::read_to_string(ca_out).unwrap();
    assert_eq!(Some(ca.as_str()), sim.ca_pem());
    let token = Token::from_base64(&SecretString::from(TOKEN)).unwrap();
    let settings = ClientSettings::new(&sim.base_url(), token, "test").unwrap().with_extra_ca(ca);
    let client = Client::new(settings).unwrap();
    assert_eq!(client.version().await.unwrap(), "2026.1.5.324");
    sim.set_faults(once(FaultKind::DropAfter));
    let id = Uuid::new_v4();
    let error = client.submit_wsjf(id, report(id)).await.unwrap_err();
    assert!(matches!(error, SubmitError::Interrupted(_)), "{error:?}");
    assert!(sim.body(id).is_some());
}

#[tokio::test]
async fn a_token_that_is_none_does_not_start() {
    for token in ["", "secret", "bm9jb2xvbg=="] {
        let settings = SimSettings { token: token.to_owned(), ..SimSettings::default() };
        assert!(Sim::start(settings).await.is_err(), "{token}");
    }
}
