//! The command line against a running agent: every command, in words and in JSON, and what it ends with.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;
use support::{Bench, write};

/// Exit code, and what was said on standard output and error.
fn ask(bench: &Bench, line: &str) -> (i32, String, String) {
    let arguments: Vec<&str> = line.split(' ').collect();
    let output = bench.command(&arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn json(bench: &Bench, line: &str) -> Value {
    let (code, out, err) = ask(bench, &format!("{line} --json"));
    assert_eq!(code, 0, "{line}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{line}: {error}\n{out}"))
}

/// Answers with what it says in words, too.
#[track_caller]
fn words(bench: &Bench, line: &str) -> String {
    let (code, out, err) = ask(bench, line);
    assert_eq!(code, 0, "{line}: {err}");
    out
}

#[tokio::test]
async fn every_command_answers_in_words_and_in_json() {
    let bench = Bench::start("").await;
    bench.drop_file("bad.json", b"{}");
    bench.until("failed", async || bench.source().await.files_failed == 1).await;
    bench.drop_file("good.json", &support::report("SN-1"));
    bench.until("converted", async || bench.serials().await == ["SN-1"]).await;
    let report = json(&bench, "queue list")[0]["id"].as_str().unwrap().to_owned();
    let file = json(&bench, "files list --state failed")[0]["id"].to_string();
    let (show_report, show_file) = (format!("queue show {report}"), format!("files show {file}"));
    for line in [
        "status",
        "converters",
        "check-config",
        "instances",
        "sources list",
        "sources show line",
        "files list",
        &show_file,
        "queue list",
        "queue list --source line --serial SN-1 --limit 5",
        &show_report,
        "server show",
        "station show",
        "ledger verify",
        "ledger find SN-1",
        "sources pause line",
        "sources resume line",
        "pause intake",
        "resume all",
        "files retry --all",
        "queue retry --all",
        "queue discard --all",
        "station set --purpose Repair",
    ] {
        let answer = json(&bench, line);
        assert!(answer.is_object() || answer.is_array(), "{line}: {answer}");
        assert!(
            !words(&bench, line).is_empty() && serde_json::from_str::<Value>(&words(&bench, line)).is_err(),
            "{line}"
        );
    }
    assert_eq!(json(&bench, "station show")["purpose"], "Repair");
    assert_eq!(json(&bench, &show_report)["body"]["sn"], "SN-1");
    assert_eq!(json(&bench, "queue list --serial SN-2"), Value::Array(Vec::new()));
    assert!(words(&bench, "ledger export").starts_with("seq,at,"));
    assert!(words(&bench, "ledger export --json").starts_with('{'));
    assert!(words(&bench, "completions bash").contains("wats-agent"));
}

#[tokio::test]
async fn sources_are_made_changed_and_removed_and_files_uploaded() {
    let bench = Bench::start("").await;
    let folder = bench.path("../two").display().to_string();
    let add = format!("sources add two --converter wats-text --folder {folder} --pattern *.t --priority 2");
    assert_eq!(json(&bench, &add)["settings"]["priority"], 2);
    let changed = json(&bench, "sources change two --after keep");
    assert_eq!(
        (&changed["settings"]["after"], &changed["settings"]["priority"]),
        (&"keep".into(), &2.into())
    );
    let file = bench.path("../a.t");
    write(&file, "no result");
    let stored = json(&bench, &format!("upload two {}", file.display()));
    assert_eq!((&stored[0]["name"], &stored[0]["size_bytes"]), (&"a.t".into(), &9.into()));
    assert!(words(&bench, "sources remove two").contains("stay where they are"));
    assert!(bench.path("../two").exists());
}

#[tokio::test]
async fn what_happens_is_printed_as_it_happens() {
    let bench = Bench::start("").await;
    let mut child = bench.command(&["events", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |word: &str| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["event"] == word {
            return line;
        }
    };
    // It follows once it hears of a change.
    let mut paused = false;
    let heard = std::thread::scope(|threads| {
        let heard = threads.spawn(|| next("settings-changed"));
        while !heard.is_finished() {
            paused = !paused;
            words(&bench, if paused { "sources pause line" } else { "sources resume line" });
        }
        heard.join().unwrap()
    });
    assert!(heard["at"].is_string(), "{heard}");
    words(&bench, "sources resume line");
    bench.drop_file("bad.json", b"{}");
    assert_eq!(next("file-seen")["name"], "bad.json");
    assert_eq!(next("file-failed")["source"], "line");
    bench.drop_file("good.json", &support::report("SN-1"));
    assert_eq!(next("file-converted")["reports"], 1);
    bench.drop_file("again.json", &support::report("SN-1"));
    assert_eq!(next("file-duplicate")["name"], "again.json");
    let mut bench = bench;
    bench.stop();
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[tokio::test]
async fn the_exit_code_says_what_kind_of_end_it_was() {
    let mut bench = Bench::start("").await;
    let code = |bench: &Bench, line: &str| ask(bench, line).0;
    assert_eq!(code(&bench, "status"), 0);
    assert_eq!(code(&bench, "queue retry"), 2);
    assert_eq!(code(&bench, "run"), 4);
    assert_eq!(code(&bench, "sources show none"), 6);
    assert_eq!(code(&bench, "queue show 00000000-0000-0000-0000-000000000000"), 6);
    assert_eq!(code(&bench, "sources add line --converter wats-json"), 7);
    assert_eq!(code(&bench, "station set --time-zone Mars/Olympus"), 7);
    assert_eq!(code(&bench, "server test --url http://127.0.0.1:1"), 10);
    assert_eq!(code(&bench, &format!("ledger verify --noted {}", "0".repeat(64))), 10);
    std::fs::remove_file(bench.path("../agent.sock.token")).unwrap();
    let (refused, _, words) = ask(&bench, "status");
    assert_eq!(refused, 8, "{words}");
    bench.stop();
    assert_eq!(code(&bench, "status"), 3);
    write(bench.path("../test.toml"), "version = 7\n");
    assert_eq!(code(&bench, "check-config"), 5);
    std::fs::remove_file(bench.path("../test.toml")).unwrap();
    assert_eq!(code(&bench, "check-config"), 5);
}

#[tokio::test]
async fn a_secret_is_read_from_a_file_and_never_shown() {
    let bench = Bench::start("").await;
    let file = bench.path("../token");
    write(&file, "bWU6aHVudGVyMg==\n");
    let set = format!("server set --url https://wats.example --token-file {}", file.display());
    assert_eq!(json(&bench, &set)["has_credential"], true);
    for line in ["server show", "server show --json", "status --json"] {
        let (_, out, err) = ask(&bench, line);
        assert!(!out.contains("bWU6") && !err.contains("bWU6"), "{line}: {out}{err}");
    }
    // Another address keeps proxy and roots, and wants its own credential.
    assert_eq!(ask(&bench, "server set --url https://other.example").0, 7);
    assert_eq!(json(&bench, "server set --proxy http://proxy:8080")["proxy"], "http://proxy:8080");
    assert_eq!(json(&bench, "server set --no-proxy")["proxy"], Value::Null);
}

/// The intake is paused as a whole, over a restart, and loses nothing.
#[tokio::test]
async fn what_is_paused_stays_paused_over_a_restart_and_loses_nothing() {
    let mut bench = Bench::start("").await;
    words(&bench, "pause intake");
    bench
        .until("paused", async || {
            let source = bench.source().await;
            source.state == wats_agent::control::api::SourceState::Paused && !source.settings.paused
        })
        .await;
    bench.drop_file("a.json", &support::report("SN-1"));
    bench.stop();
    bench.run().await;
    assert!(words(&bench, "status").contains("taking files is paused"));
    assert!(bench.files().await.is_empty() && bench.path("a.json").exists());
    words(&bench, "resume intake");
    bench.until("converted", async || bench.serials().await == ["SN-1"]).await;
}

#[test]
fn a_file_is_looked_at_without_a_configuration_or_an_agent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    write(
        &file,
        b"--Header-Start--\nSerialNumber\tS-1\nPartNumber\tPCB-1\nUTCStartDateTime\t2026-01-02T03:04:05\n\
          --Step-Data-Start--\nPassFailTest\tLamp\t\tTrue\n--Step-Data-End--\n--UUT-End--\n",
    );
    let convert = |arguments: &[&std::ffi::OsStr]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wats-agent"));
        let output = command.arg("convert").args(arguments).output().unwrap();
        (output.status.code().unwrap(), output.stdout, String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, err) = convert(&[file.as_os_str()]);
    assert_eq!(code, 0, "{err}");
    let reports: Value = serde_json::from_slice(&out).unwrap();
    let said = ["sn", "location", "purpose"].map(|name| reports[0][name].as_str().unwrap());
    assert_eq!(said, ["S-1", "Unknown", "Unknown"]);
    // With a configuration it is what the agent would send, so that what is missing there is said.
    let config = folder.path().join("line.toml");
    write(&config, b"version = 1\n[station]\nname = \"ST\"\nlocation = \"Lab\"\n");
    let (code, _, err) = convert(&["--config".as_ref(), config.as_os_str(), file.as_os_str()]);
    assert_ne!(code, 0);
    assert!(err.contains("purpose: A value is required") && err.contains("complete them"), "{err}");
    assert!(!err.contains("location"), "{err}");
}
