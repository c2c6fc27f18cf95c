//! The dead letters, and the ledger that remembers what was done with them.

use super::*;

fn wsjf(id: Option<Uuid>, serial: &str) -> Vec<u8> {
    let mut report = serde_json::json!({
        "type": "T", "pn": "PCB", "sn": serial, "rev": "A", "result": "P", "processCode": 10,
        "machineName": "ST1", "uut": {}, "location": "Lab", "purpose": "Test", "start": "2026-01-02T03:04:05Z",
        "root": {"stepType": "SequenceCall", "name": "Main", "status": "P", "steps": []},
    });
    if let Some(id) = id {
        report["id"] = serde_json::json!(id);
    }
    report.to_string().into_bytes()
}

fn of(serial: &str) -> ReportQuery {
    ReportQuery { serial_number: Some(serial.to_owned()), ..ReportQuery::default() }
}

#[tokio::test]
async fn dead_letters_are_found_sent_again_and_given_up_one_or_many() {
    let bench = Bench::start().await;
    let ids = bench.refused(&["A", "B", "C", "D"]).await;
    let dead = ReportQuery { state: Some(ReportState::Rejected), limit: Some(3), ..ReportQuery::default() };
    let page = bench.client.reports(&dead).await.unwrap();
    assert_eq!(page.len(), 3);
    let rest = ReportQuery { before: Some(page[2].id), ..dead };
    assert_eq!(bench.client.reports(&rest).await.unwrap().len(), 1);
    assert_eq!(bench.client.reports(&of("B")).await.unwrap()[0].id, ids[1]);
    let shown = bench.client.report(ids[1]).await.unwrap();
    assert_eq!((shown.server_answer.as_deref(), &shown.body["sn"]), (Some("root -> step: no."), &"x".into()));

    bench.client.retry_report(ids[0]).await.unwrap();
    assert_eq!(bench.client.retry_reports(&of("B")).await.unwrap().count, 1);
    assert_eq!(bench.client.discard_reports(&of("C")).await.unwrap().count, 1);
    assert_eq!(bench.client.discard_reports(&ReportQuery::default()).await.unwrap().count, 1);
    let mut states = Vec::new();
    for id in ids {
        states.push(bench.state(id).await);
    }
    use ReportState::{Discarded, Queued};
    assert_eq!(states, [Queued, Queued, Discarded, Discarded]);
    for query in [
        ReportQuery { state: Some(ReportState::Sent), ..ReportQuery::default() },
        ReportQuery { before: Some(Uuid::nil()), ..ReportQuery::default() },
    ] {
        assert!(bench.client.retry_reports(&query).await.unwrap_err().field().is_some());
        assert!(bench.client.discard_reports(&query).await.unwrap_err().field().is_some());
    }
}

#[tokio::test]
async fn a_corrected_report_is_checked_by_the_rules_and_keeps_its_id() {
    let bench = Bench::start().await;
    let id = bench.refused(&["A"]).await[0];
    let correct = async |body: Vec<u8>| bench.client.correct_report(id, body).await;
    for (body, field) in [
        (b"nonsense".to_vec(), "body"),
        (wsjf(None, ""), "body"),
        (wsjf(Some(Uuid::from_u128(77)), "A2"), "id"),
    ] {
        assert_eq!(correct(body).await.unwrap_err().field(), Some(field));
    }
    assert_eq!(bench.state(id).await, ReportState::Rejected);
    correct(wsjf(None, "A2")).await.unwrap();
    let shown = bench.client.report(id).await.unwrap();
    assert_eq!((shown.record.state, shown.record.serial_number.as_str()), (ReportState::Queued, "A2"));
    assert_eq!(shown.body["id"], serde_json::json!(id));
    let again = correct(wsjf(Some(id), "A3")).await.unwrap_err();
    assert!(matches!(again, ControlError::Refused { status: 409, .. }), "{again}");
    let unknown = bench.client.correct_report(Uuid::nil(), wsjf(None, "A")).await.unwrap_err();
    assert!(unknown.is_not_found(), "{unknown}");
}

#[tokio::test]
async fn the_ledger_is_found_in_exported_and_verified() {
    let bench = Bench::start().await;
    let id = bench.refused(&["A", "B"]).await[0];
    bench.client.correct_report(id, wsjf(None, "A2")).await.unwrap();
    let token = bench.token();
    let get = async |path: &str| bench.ask(Method::GET, path, Some(&token)).await.text().await.unwrap();
    let found: serde_json::Value = serde_json::from_str(&get("/v1/ledger?serial_number=A2").await).unwrap();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["event"]), (1, &"corrected".into()));
    let table = get("/v1/ledger/export").await;
    assert!(table.starts_with("seq,at,event,") && table.lines().count() == 6, "{table}");
    let lines = get("/v1/ledger/export?format=json&to=2000-01-01T00:00:00Z").await;
    assert_eq!(lines, "");
    assert_eq!(get("/v1/ledger/export?format=json").await.lines().count(), 5);

    let http = reqwest::Client::builder().unix_socket(bench.client.socket()).build().unwrap();
    let verify = async |body: serde_json::Value| -> serde_json::Value {
        let request = http.post("http://agent/v1/ledger/verify").bearer_auth(&token).json(&body);
        request.send().await.unwrap().json().await.unwrap()
    };
    let sound = verify(serde_json::json!({})).await;
    assert_eq!((&sound["flaw"], &sound["records"]), (&serde_json::Value::Null, &5.into()), "{sound}");
    assert_eq!(verify(serde_json::json!({"noted": sound["hash"]})).await, sound);
    let flaw = verify(serde_json::json!({"noted": "ff"})).await;
    assert!(flaw["flaw"].as_str().unwrap().contains("is in no record"), "{flaw}");
}

#[tokio::test]
async fn failed_files_are_tried_again_together() {
    let bench = Bench::start().await;
    let store = bench.agent.store();
    fs::create_dir_all(bench.inbox().join("error")).unwrap();
    for name in ["a.json", "b.json", "gone.json"] {
        let new = NewFile {
            source: "line".to_owned(),
            converter: "wats-json".to_owned(),
            arguments: "{}".to_owned(),
            path: bench.inbox().join(name),
            stamp: Stamp { device: 1, inode: 1, size: 1, modified_ns: 1 },
            sha256: crate::files::sha256(name.as_bytes()),
            received_at: jiff::Timestamp::now(),
            note: None,
        };
        let failed = Finished { file: new, made: Made::Failed("no".to_owned()) };
        let id = store.finish([failed].into(), jiff::Timestamp::now()).await.unwrap()[0].id;
        let kept_at = bench.inbox().join("error").join(name);
        if name != "gone.json" {
            crate::files::replace_file(&kept_at, 0o600, name.as_bytes()).unwrap();
        }
        store.put_away(vec![(id, Some(kept_at))]).await.unwrap();
    }
    let elsewhere = FileQuery { source: Some("other".to_owned()), ..FileQuery::default() };
    assert_eq!(bench.client.retry_files(&elsewhere).await.unwrap().count, 0);
    let changed = bench.client.retry_files(&FileQuery::default()).await.unwrap();
    assert_eq!((changed.count, changed.failed, changed.more), (2, 1, false));
    assert!(bench.inbox().join("a.json").exists() && bench.inbox().join("b.json").exists());
}
