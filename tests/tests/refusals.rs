//! What the server refuses is said with the line of the source file, where that is certain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use wats_agent::control::api::{Complaint, ReportDetail, ReportQuery, ReportState};
use wats_tests::sim::{Fault, FaultKind};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

const ANSWER: &str = "root -> step Vout -> numericMeas : limit is wrong.\nroot -> step Group -> step Vin: Status is odd.\nsn: The value is odd.";

const TEXT: &[u8] =
    b"--Header-Start--\nSerialNumber\tS-1\nPartNumber\tPCB-1\nOperationTypeCode\t10\nUUTStatus\tPassed\n\
    StartDateTime\t2026-01-02T03:04:05\nComment\tVout\n--Step-Data-Start--\n\
    NumericLimitTest\tIout\t\t1\t0\t2\tGELE\tA\tPassed\n\
    NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n";

const JSON: &str = r#"{
  "type": "T", "id": "33a2d408-3fc8-480b-b554-6866c77fd91c", "pn": "PCB-1", "sn": "S-1", "rev": "A", "processCode": 10,
  "result": "P", "machineName": "ST", "location": "Lab", "purpose": "Test", "start": "2026-01-02T03:04:05+01:00",
  "root": {"stepType": "SequenceCall", "name": "Main", "status": "P", "group": "M", "seqCall": {"path": "", "name": "", "version": ""}, "steps": [
    {"stepType": "ET_NLT", "name": "Vout", "status": "P", "group": "M",
     "numericMeas": [{"compOp": "GELE", "status": "P", "unit": "V", "value": 5.01, "lowLimit": 4.9, "highLimit": 5.1}]},
    {"stepType": "SequenceCall", "name": "Group", "status": "P", "group": "M", "seqCall": {"path": "", "name": "", "version": ""}, "steps": [
      {"stepType": "ET_A", "name": "Vin", "status": "P", "group": "M"}
    ]}
  ]},
  "uut": {"user": "op"}
}
"#;

async fn refused(converter: &str, name: &str, content: &[u8]) -> (Station, ReportDetail) {
    let station = Station::start(&[("line", converter)]).await.unwrap();
    let refusal = FaultKind::Status {
        code: 400,
        retry_after: None,
        location: None,
        body: ANSWER.to_owned(),
        content_type: None,
    };
    station.sim.set_faults(vec![Fault { route: "report".to_owned(), skip: 0, times: None, kind: refusal }]);
    station.drop_file("line", name, content).unwrap();
    let control = station.control().unwrap();
    station
        .until("refused", SOON, async || control.status().await.unwrap().queue.rejected == 1)
        .await
        .unwrap();
    let query = ReportQuery { state: Some(ReportState::Rejected), ..ReportQuery::default() };
    let report = control.reports(&query).await.unwrap().remove(0);
    // The file is put away a moment after its report is stored.
    station.until("archived", SOON, async || !station.source("line").join(name).exists()).await.unwrap();
    let detail = control.report(report.id).await.unwrap();
    (station, detail)
}

fn lines(detail: &ReportDetail) -> Vec<Option<u64>> {
    detail.complaints.iter().map(|it| it.source.as_ref().map(|it| it.line)).collect()
}

#[tokio::test]
async fn a_refused_step_of_a_text_file_is_shown_with_its_line() {
    let (station, detail) = refused("wats-text", "a.txt", TEXT).await;
    assert_eq!(lines(&detail), [Some(10), None, None]);
    let Complaint { words, source } = &detail.complaints[0];
    assert_eq!(words, "root -> step Vout -> numericMeas : limit is wrong.");
    assert_eq!(source.as_ref().unwrap().text, "NumericLimitTest Vout  5.01 4.9 5.1 GELE V Passed");
    let (code, said) = station.agent_command(&["queue", "show", &detail.record.id.to_string()]).unwrap();
    assert_eq!(code, 0);
    assert!(said.contains("limit is wrong.\n            line 10: NumericLimitTest Vout"), "{said}");
    assert!(said.contains("sn: The value is odd."), "{said}");

    // Without its file the words are all there is.
    let archive = station.socket().parent().unwrap().join("storage/archive");
    std::fs::remove_dir_all(archive).unwrap();
    let detail = station.control().unwrap().report(detail.record.id).await.unwrap();
    assert_eq!(lines(&detail), [None, None, None]);
}

#[tokio::test]
async fn a_refused_step_of_a_json_file_is_shown_with_its_line() {
    let (_station, detail) = refused("wats-json", "a.json", JSON.as_bytes()).await;
    assert_eq!(lines(&detail), [Some(5), Some(8), None]);
}

#[tokio::test]
async fn a_refused_step_of_an_xml_file_is_shown_with_its_line() {
    let report: wats::Report = serde_json::from_str(JSON).unwrap();
    let xml = wats::wsxf::write(&report).replace("><", ">\n<");
    let (_station, detail) = refused("wats-xml", "a.xml", xml.as_bytes()).await;
    for (complaint, name) in detail.complaints.iter().zip(["Vout", "Vin"]) {
        let source = complaint.source.as_ref().unwrap();
        let line = xml.lines().nth(usize::try_from(source.line).unwrap() - 1).unwrap();
        assert!(line.starts_with("<Step") && line.contains(&format!("Name=\"{name}\"")), "{line}");
    }
}
