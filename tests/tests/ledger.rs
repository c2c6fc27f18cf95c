//! The receipt ledger as an auditor asks it: by the program, beside a running agent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use serde_json::Value;
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(30);

fn report(serial: &str, process: u32) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nOperationTypeCode\t{process}\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

#[tokio::test]
async fn is_serial_x_on_the_server_and_which_file_was_it() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
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
    let ledger = |arguments: &[&str]| station.agent_command(&[&["ledger"], arguments].concat()).unwrap();

    let (code, said) = ledger(&["find", "S-1"]);
    assert_eq!(code, 0);
    assert!(said.contains("S-1: on the server since 20"), "{said}");
    assert!(said.contains("good.txt from source line"), "{said}");
    let (_, said) = ledger(&["find", "S-2"]);
    assert!(said.contains("refused by the server"), "{said}");
    assert!(said.contains("Process code must be a valid value"), "{said}");
    assert_eq!(ledger(&["find", "S-3"]), (0, "S-3 is in no record\n".to_owned()));

    let (code, said) = ledger(&["verify", "--json"]);
    assert_eq!(code, 0, "{said}");
    let verdict: Value = serde_json::from_str(&said).unwrap();
    // Two reports made, one failure, one acknowledgement, one refusal.
    assert_eq!(verdict["records"], 5);
    let head = verdict["hash"].as_str().unwrap();
    assert_eq!(ledger(&["verify", "--noted", head]).0, 0);
    let (code, said) = ledger(&["verify", "--noted", &"0".repeat(64)]);
    assert_eq!(code, 10);
    assert!(said.contains("is in no record"), "{said}");

    let (_, table) = ledger(&["export"]);
    assert_eq!(table.lines().count(), 6, "{table}");
    assert!(table.starts_with("seq,at,event,source,file_name,file_sha256,"), "{table}");
    let (_, lines) = ledger(&["export", "--format", "json"]);
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.iter().filter(|it| it["event"] == "converted").count(), 2);
    assert_eq!(ledger(&["export", "--to", "2000-01-01T00:00:00Z"]).1, "");
}
