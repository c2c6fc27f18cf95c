//! From a dropped file to a report on the server, and what bad files and bad servers get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use wats_agent::control::api::Link;
use wats_tests::sim::{Fault, FaultKind};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(30);

fn text_report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

fn json_report(serial: &str) -> Vec<u8> {
    format!(
        "{{\"type\":\"T\",\"pn\":\"PCB-1\",\"sn\":\"{serial}\",\"rev\":\"A\",\"result\":\"P\",\"processCode\":10,\
         \"start\":\"2026-01-02T03:04:05Z\",\"root\":{{\"stepType\":\"SequenceCall\",\"name\":\"Main\",\"status\":\"P\",\"steps\":[]}}}}"
    )
    .into_bytes()
}

fn xml_report(serial: &str) -> Vec<u8> {
    format!(
        "<Reports xmlns=\"http://wats.virinco.com/schemas/WATS/Report/wsxf\"><Report type=\"UUT\" SN=\"{serial}\" PN=\"PCB-1\" Rev=\"A\" \
         Result=\"Passed\" MachineName=\"S\" Location=\"L\" Purpose=\"P\" Start=\"2026-01-02T03:04:05+00:00\">\
         <UUT UserLoginName=\"op\"/><Process Code=\"10\"/>\
         <Step Group=\"Main\" Name=\"Main\" StepType=\"SequenceCall\" Status=\"Passed\"><SequenceCall Name=\"n\" Version=\"1\" Filepath=\"p\"/></Step>\
         </Report></Reports>"
    )
    .into_bytes()
}

fn serials(station: &Station) -> Vec<String> {
    let mut serials: Vec<String> = station.sim.reports().into_iter().map(|r| r.sn).collect();
    serials.sort();
    serials
}

#[tokio::test]
async fn a_file_of_each_kind_becomes_a_report_and_leaves_its_folder() {
    let station =
        Station::start(&[("json", "wats-json"), ("text", "wats-text"), ("xml", "wats-xml")]).await.unwrap();
    station.drop_file("json", "a.json", &json_report("J-1")).unwrap();
    station.drop_file("text", "a.txt", &text_report("T-1")).unwrap();
    station.drop_file("xml", "a.xml", &xml_report("X-1")).unwrap();
    station.until("three reports", SOON, async || serials(&station) == ["J-1", "T-1", "X-1"]).await.unwrap();
    for (source, name) in [("json", "a.json"), ("text", "a.txt"), ("xml", "a.xml")] {
        station.until("archived", SOON, async || !station.source(source).join(name).exists()).await.unwrap();
    }
    let stored = station.sim.reports();
    assert!(stored.iter().all(|r| r.receive_count == 1 && r.result == "P"), "{stored:?}");
}

#[tokio::test]
async fn a_bad_file_goes_to_the_error_folder_with_its_reason_and_stops_nobody() {
    let station = Station::start(&[("json", "wats-json"), ("text", "wats-text")]).await.unwrap();
    let nameless = String::from_utf8(json_report("R-1")).unwrap().replace("\"PCB-1\"", "\"\"");
    for (name, content, words) in [
        ("half.json", &b"{\"type\":\"T\",\"sn\":\"1\""[..], "line 1"),
        ("binary.json", &b"MZ\x90\0\0\0"[..], "binary"),
        ("other.json", &b"[1,2]"[..], "JSON object"),
        ("nameless.json", nameless.as_bytes(), "no part number"),
    ] {
        station.drop_file("json", name, content).unwrap();
        let error = station.source("json").join("error").join(format!("{name}.error.txt"));
        let kept = station.source("json").join("error").join(name);
        station.until(name, SOON, async || error.is_file() && kept.is_file()).await.unwrap();
        let said = std::fs::read_to_string(&error).unwrap();
        assert!(said.contains(words), "{name}: {said}");
        assert_eq!(std::fs::read(station.source("json").join("error").join(name)).unwrap(), content);
    }
    let failed = station.control().unwrap().status().await.unwrap().queue.failed_files;
    assert_eq!(failed, 4);
    station.drop_file("text", "good.txt", &text_report("T-1")).unwrap();
    station.until("the good file", SOON, async || serials(&station) == ["T-1"]).await.unwrap();
}

#[tokio::test]
async fn a_huge_file_an_empty_one_and_a_half_written_one_are_set_aside_with_their_reason() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    let folder = station.source("text");
    // Sparse: it has the size without the blocks.
    let huge = std::fs::File::create(folder.join("huge.txt")).unwrap();
    huge.set_len((1 << 30) + 1).unwrap();
    drop(huge);
    station.drop_file("text", "empty.txt", b"").unwrap();
    let whole = text_report("T-1");
    station.drop_file("text", "half.txt", &whole[..whole.len() / 2]).unwrap();
    station.drop_file("text", "good.txt", &text_report("T-2")).unwrap();
    station.until("the good file", SOON, async || serials(&station) == ["T-2"]).await.unwrap();
    for (name, words) in [
        ("huge.txt", "too large: 1073741825 bytes"),
        ("empty.txt", "the file is empty"),
        ("half.txt", "ends in the middle"),
    ] {
        let error = folder.join("error").join(format!("{name}.error.txt"));
        // Its reason comes first.
        station.until(name, SOON, async || folder.join("error").join(name).is_file()).await.unwrap();
        let said = std::fs::read_to_string(&error).unwrap();
        assert!(said.contains(words), "{name}: {said}");
    }
    assert_eq!(serials(&station), ["T-2"]);
}

#[tokio::test]
async fn the_same_content_is_one_report_whatever_its_name() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    for name in ["a.txt", "b.txt"] {
        station.drop_file("text", name, &text_report("T-1")).unwrap();
        station.until("taken", SOON, async || !station.source("text").join(name).exists()).await.unwrap();
    }
    station.until("sent", SOON, async || serials(&station) == ["T-1"]).await.unwrap();
    assert_eq!(station.sim.stats().posts, 1);
}

#[tokio::test]
async fn reports_wait_for_a_server_that_is_down_and_a_lost_answer_duplicates_nothing() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    let fault = |times, kind| Fault { route: "report".to_owned(), skip: 0, times, kind };
    station.sim.set_faults(vec![fault(Some(1), FaultKind::DropAfter), fault(None, FaultKind::status(503))]);
    station.drop_file("text", "a.txt", &text_report("T-1")).unwrap();
    station.drop_file("text", "b.txt", &text_report("T-2")).unwrap();
    station.until("tried", SOON, async || station.sim.stats().posts >= 1).await.unwrap();
    station.sim.set_faults(Vec::new());
    station
        .until("both", Duration::from_secs(90), async || {
            let queue = station.control().unwrap().status().await.map(|s| s.queue);
            queue.is_ok_and(|q| q.sent == 2 && q.queued == 0)
        })
        .await
        .unwrap();
    assert_eq!(serials(&station), ["T-1", "T-2"]);
}

#[tokio::test]
async fn a_refused_credential_holds_the_queue_and_blames_no_report() {
    let station = Station::start(&[("text", "wats-text")]).await.unwrap();
    let refused = FaultKind::status(401);
    station.sim.set_faults(vec![Fault { route: "report".to_owned(), skip: 0, times: None, kind: refused }]);
    station.drop_file("text", "a.txt", &text_report("T-1")).unwrap();
    station
        .until("held", SOON, async || {
            station.control().unwrap().status().await.is_ok_and(|s| s.server.link == Link::Held)
        })
        .await
        .unwrap();
    let status = station.control().unwrap().status().await.unwrap();
    assert_eq!((status.queue.queued + status.queue.sending, status.queue.rejected), (1, 0));
    assert!(status.server.trouble.is_some());
}
