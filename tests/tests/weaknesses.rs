//! Weaknesses of the reference client that no other test is named after; docs/reliability.md has all of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use wats_agent::control::api::{After, Credential, QueueCounts, ServerChange};
use wats_tests::sim::{Fault, FaultKind, Sim, SimSettings, TOKEN, Tls};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

fn report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

async fn queue(station: &Station) -> QueueCounts {
    station.control().unwrap().status().await.unwrap().queue
}

fn body(station: &Station, serial: &str) -> Value {
    let reports = station.sim.reports();
    let report = reports.iter().find(|it| it.sn == serial).expect("the report");
    serde_json::from_slice(&station.sim.body(report.id).unwrap()).unwrap()
}

fn fault(kind: FaultKind) -> Vec<Fault> {
    vec![Fault { route: "report".to_owned(), skip: 0, times: None, kind }]
}

fn server(url: String, extra_ca: Option<String>) -> ServerChange {
    let credential = Some(Credential::Token(TOKEN.to_owned().into()));
    ServerChange { url, proxy: None, extra_ca, credential, proxy_credential: None }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn weakness_01_a_converter_that_does_not_exist_is_refused_by_name_and_every_other_loads() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let control = station.control().unwrap();
    let mut settings = control.sources().await.unwrap().remove(0).settings;
    for converter in control.converters().await.unwrap() {
        settings.name = format!("of-{}", converter.name);
        settings.converter = converter.name;
        settings.folder = Some(station.folder().join("in").join(&settings.name).display().to_string());
        control.add_source(&settings).await.unwrap();
    }
    settings.name = "another".to_owned();
    settings.folder = Some(station.folder().join("in/another").display().to_string());
    settings.converter = "no-such-converter".to_owned();
    let refused = control.add_source(&settings).await.unwrap_err().to_string();
    assert!(refused.contains("no-such-converter"), "{refused}");
    let failed = || async {
        let sources = control.sources().await.unwrap();
        sources.into_iter().filter_map(|it| it.trouble).collect::<Vec<_>>()
    };
    assert_eq!(failed().await, Vec::<String>::new());
}

#[tokio::test]
async fn weakness_02_and_03_what_is_queued_is_sent_and_no_file_is_an_error_because_the_server_is_away() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    station.sim.set_faults(fault(FaultKind::DropBefore));
    for number in 0..5 {
        station.drop_file("line", &format!("{number}.txt"), &report(&format!("S-{number}"))).unwrap();
    }
    station
        .until("durable", SOON, async || {
            let it = queue(&station).await;
            it.queued + it.sending == 5
        })
        .await
        .unwrap();
    station.until("archived", SOON, async || files(&station.source("line")).is_empty()).await.unwrap();
    assert_eq!(queue(&station).await.failed_files, 0);
    station.sim.set_faults(Vec::new());
    station.until("sent", SOON, async || queue(&station).await.sent == 5).await.unwrap();
    assert_eq!(station.sim.reports().len(), 5);
}

#[test]
fn weakness_04_the_program_needs_nothing_but_itself() {
    let program = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("wats-agent");
    for arguments in [["--version"], ["converters"]] {
        let output = std::process::Command::new(&program)
            .args(arguments)
            .env_clear()
            .current_dir("/")
            .output()
            .unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{output:?}");
    }
}

#[tokio::test]
async fn weakness_07_a_report_that_was_accepted_just_before_a_crash_is_not_there_twice() {
    let mut station = Station::start(&[("line", "wats-text")]).await.unwrap();
    // The server has it, and its answer takes longer than the agent lives.
    station.sim.set_faults(fault(FaultKind::SlowAnswer { milliseconds: 5000 }));
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    station.until("accepted", SOON, async || station.sim.reports().len() == 1).await.unwrap();
    station.kill_agent().unwrap();
    station.sim.set_faults(Vec::new());
    station.run_agent().await.unwrap();
    station.until("acknowledged", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    let reports = station.sim.reports();
    assert_eq!((reports.len(), reports[0].receive_count), (1, 2), "sent again under the same id");
    let bodies = station.sim.bodies(reports[0].id);
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn weakness_11_what_is_set_for_a_source_counts() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let control = station.control().unwrap();
    let mut settings = control.sources().await.unwrap().remove(0).settings;
    settings.after = After::Delete;
    settings.arguments.insert("defaultOperationTypeCode".to_owned(), "50".to_owned());
    settings.file_patterns = vec!["*.result".to_owned()];
    control.change_source("line", &settings).await.unwrap();
    station.drop_file("line", "other.txt", &report("S-1")).unwrap();
    station.drop_file("line", "a.result", &report("S-2")).unwrap();
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    station.until("deleted", SOON, async || !station.source("line").join("a.result").exists()).await.unwrap();
    assert_eq!(body(&station, "S-2")["processCode"], 50);
    assert!(station.source("line").join("other.txt").exists());
    let archive = station.folder().join("storage/archive");
    assert!(!archive.exists() || files(&archive).is_empty());
    settings.arguments.insert("noSuchArgument".to_owned(), "1".to_owned());
    let refused = control.change_source("line", &settings).await.unwrap_err().to_string();
    assert!(refused.contains("noSuchArgument"), "{refused}");
}

#[tokio::test]
async fn weakness_17_no_credential_is_in_any_file_or_answer() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    let control = station.control().unwrap();
    let settings = control.server().await.unwrap();
    assert!(settings.has_credential);
    let said = format!("{settings:?}{}", serde_json::to_string(&control.status().await.unwrap()).unwrap());
    let decoded = "station:secret";
    assert!(!said.contains(TOKEN) && !said.contains(decoded));
    let all = files(station.folder());
    assert!(all.len() > 5, "{all:?}");
    for path in all.into_iter().filter(|it| it.is_file()) {
        let content = fs::read(&path).unwrap();
        for secret in [TOKEN, decoded] {
            let found = content.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!found, "a credential is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn weakness_18_a_private_authority_is_trusted_when_it_is_given_and_only_then() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let settings = SimSettings { tls: Some(Tls::default()), ..SimSettings::default() };
    let private = Sim::start(settings).await.unwrap();
    let control = station.control().unwrap();
    control.change_server(&server(private.base_url(), None)).await.unwrap();
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    station
        .until("refused to trust", SOON, async || {
            control.status().await.unwrap().server.trouble.is_some_and(|it| it.contains("certificate"))
        })
        .await
        .unwrap();
    assert_eq!(private.reports().len(), 0);
    let ca = private.ca_pem().map(ToOwned::to_owned);
    control.change_server(&server(private.base_url(), ca)).await.unwrap();
    station.until("sent", SOON, async || private.reports().len() == 1).await.unwrap();
}

#[tokio::test]
async fn weakness_19_a_wrong_configuration_is_refused_with_the_key_and_lost_settings_are_impossible() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let path = station.folder().join("test.toml");
    let whole = fs::read_to_string(&path).unwrap();
    for (wrong, named) in [
        (whole.replace("settle_seconds = 1", "settle_secnds = 1"), "settle_secnds"),
        (whole.replace("settle_seconds = 1", "settle_seconds = \"1\""), "settle_seconds"),
        (whole.replace("name = \"ST1\"", "name = "), "line"),
    ] {
        assert_ne!(wrong, whole);
        std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), wrong.as_bytes()).unwrap();
        let (code, said) = station.agent_command(&["check-config"]).unwrap();
        assert!(code == 5 && said.contains(named), "{code}: {said}");
    }
    std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), whole.as_bytes()).unwrap();
    let (code, said) = station.agent_command(&["check-config"]).unwrap();
    assert_eq!(code, 0, "{said}");
}

#[tokio::test]
async fn weakness_25_the_station_is_in_every_report() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    station.drop_file("line", "a.txt", &report("S-1")).unwrap();
    station.until("sent", SOON, async || queue(&station).await.sent == 1).await.unwrap();
    let body = body(&station, "S-1");
    assert_eq!(
        (&body["machineName"], &body["location"], &body["purpose"]),
        (&"ST1".into(), &"Lab".into(), &"Production".into())
    );
}
