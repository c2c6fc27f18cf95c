//! Customers' own converters: dropped into the folder, enabled by a person, and converted by in the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use wats_agent::control::api::{
    EnablePlugin, FileDetail, FileQuery, FileState, Part, PluginState, PluginTry, SourceSettings,
    SourceState, TrialOutcome,
};
use wats_agent::control::client::ControlClient;
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Where the plug-ins of the repository lie: those of the tests, or the examples.
fn made(name: &str) -> PathBuf {
    let tests = root().join("tests/plugins").join(name);
    if tests.exists() { tests } else { root().join("docs/examples/plugins").join(name) }
}

async fn station(more: &str) -> Station {
    let support = root().join("agent/python");
    let config = format!("[plugins]\nsupport = {support:?}\n{more}");
    Station::start_with(&[], &config).await.unwrap()
}

/// Drops a plug-in into the folder as a person does.
fn drop_plugin(station: &Station, name: &str) {
    let folder = station.folder().join("storage/plugins");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(made(name), folder.join(name)).unwrap();
}

async fn enable(control: &ControlClient, file: &str, trusted: &[Part]) {
    let sha256 = control.plugin(file).await.unwrap().sha256.unwrap();
    let wish = EnablePlugin { sha256, trusted: trusted.to_vec(), ..EnablePlugin::default() };
    assert_eq!(control.enable_plugin(file, &wish).await.unwrap().state, PluginState::Enabled);
}

fn source(station: &Station, name: &str, converter: &str) -> SourceSettings {
    fs::create_dir_all(station.source(name)).unwrap();
    let settings = serde_json::json!({"name": name, "converter": converter, "folder": station.source(name)});
    serde_json::from_value(settings).unwrap()
}

async fn serials(station: &Station, expected: &[&str]) {
    let sorted = || {
        let mut serials: Vec<String> = station.sim.reports().into_iter().map(|it| it.sn).collect();
        serials.sort();
        serials
    };
    station.until(&format!("{expected:?} at the server"), SOON, async || sorted() == expected).await.unwrap();
}

fn body(station: &Station, serial: &str) -> Value {
    let reports = station.sim.reports();
    let report = reports.iter().find(|it| it.sn == serial).expect("the report");
    serde_json::from_slice(&station.sim.body(report.id).unwrap()).unwrap()
}

/// The newest file of that name, once it is dealt with.
async fn file(station: &Station, name: &str) -> FileDetail {
    let control = station.control().unwrap();
    let found = async || {
        let all = control.files(&FileQuery::default()).await.unwrap();
        all.into_iter().find(|it| it.name == name && it.state != FileState::Claimed)
    };
    station.until(&format!("{name} is dealt with"), SOON, async || found().await.is_some()).await.unwrap();
    control.file(found().await.unwrap().id).await.unwrap()
}

fn log(file: &FileDetail) -> String {
    file.log.iter().map(|line| format!("{}: {}\n", line.level.as_str(), line.text)).collect()
}

/// A station with the plug-in that answers as its input says, and a source for it.
async fn answering(more: &str) -> Station {
    let station = station(more).await;
    drop_plugin(&station, "answers");
    let control = station.control().unwrap();
    enable(&control, "answers", &[]).await;
    control.add_source(&source(&station, "line", "plugin:answers")).await.unwrap();
    station
}

#[tokio::test]
async fn a_file_written_for_pywats_is_dropped_looked_at_enabled_and_converts() {
    let station = station("").await;
    let control = station.control().unwrap();
    drop_plugin(&station, "acme_log.py");
    let found = control.plugins().await.unwrap();
    assert_eq!((found.len(), &*found[0].file, found[0].state), (1, "acme_log.py", PluginState::Disabled));
    assert!(!found[0].described, "nothing runs that nobody asked for");
    // Before it is enabled no source can have it.
    let wanted = source(&station, "line", "plugin:acme-log");
    let refused = control.add_source(&wanted).await.unwrap_err();
    assert_eq!(refused.field(), Some("converter"));
    assert!(refused.to_string().contains("none is enabled"), "{refused}");

    let check = control.check_plugin("acme_log.py").await.unwrap();
    assert_eq!((check.problems.as_slice(), check.persistent), (&[][..], true));
    assert_eq!(check.converters[0].name, "plugin:acme-log");
    assert_eq!(check.converters[0].arguments[0].rule.max.as_deref(), Some("999"));
    assert!(control.plugin_source("acme_log.py", None).await.unwrap().contains("class AcmeLogConverter"));

    let sample = b"ACME;S0;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\n".to_vec();
    let wish = PluginTry { file_name: "a.log".to_owned(), ..PluginTry::default() };
    let trial = control.try_plugin("acme_log.py", &wish, sample.clone()).await.unwrap();
    assert_eq!(trial.outcome, TrialOutcome::Converted, "{trial:?}");
    assert_eq!(trial.reports[0]["sn"], "S0");

    let other = EnablePlugin { sha256: "0".repeat(64), ..EnablePlugin::default() };
    assert!(
        control.enable_plugin("acme_log.py", &other).await.unwrap_err().to_string().contains("not the one")
    );
    enable(&control, "acme_log.py", &[]).await;
    assert!(control.converters().await.unwrap().iter().any(|it| it.name == "plugin:acme-log"));
    let mut wrong = wanted.clone();
    wrong.arguments.insert("process_code".to_owned(), "1000".to_owned());
    let refused = control.add_source(&wrong).await.unwrap_err();
    assert_eq!(refused.field(), Some("arguments.process_code"), "{refused}");
    let mut right = wanted;
    right.arguments.insert("mode".to_owned(), "zip".to_owned());
    control.add_source(&right).await.unwrap();

    station.drop_file("line", "a.log", b"ACME;S1;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\n").unwrap();
    serials(&station, &["S1"]).await;
    let converted = file(&station, "a.log").await;
    assert!(log(&converted).contains("info: 1 steps"), "{}", log(&converted));
    station.until("archived", SOON, async || !station.source("line").join("a.log").exists()).await.unwrap();
    // As the script wants it: compressed.
    let archive = station.folder().join("storage/archive");
    let zipped = async || {
        let days = fs::read_dir(&archive).into_iter().flatten().flatten();
        let mut names = days.flat_map(|day| fs::read_dir(day.path()).into_iter().flatten().flatten());
        names.any(|it| it.file_name().to_string_lossy().ends_with("-a.log.zip"))
    };
    station.until("zipped", SOON, zipped).await.unwrap();

    let (code, said) = station.agent_command(&["ledger", "find", "S1", "--json"]).unwrap();
    assert_eq!(code, 0, "{said}");
    let sha256 = control.plugin("acme_log.py").await.unwrap().sha256.unwrap();
    assert!(
        said.contains(&format!("2.1.0 (SHA-256 {sha256})")) && said.contains("plugin:acme-log"),
        "{said}"
    );

    // Again, from the compressed file: nothing changes.
    let replay =
        ["replay", "--converter", "plugin:acme-log", "--from", "2020-01-01", "--to", "2100-01-01", "--json"];
    let (code, said) = station.agent_command(&replay).unwrap();
    assert!(code == 0 && said.contains("\"equal\""), "{code}: {said}");
}

/// `open`, `import` and `class`: what the reference's sandbox breaks.
#[tokio::test]
async fn weakness_08_customers_scripts_run_unchanged() {
    let station = station("").await;
    let control = station.control().unwrap();
    let script = "import csv\nimport json\nimport os\nimport sqlite3\nimport tempfile\nfrom pathlib import Path\n\n\
        from pywats_client.converters.base import ConverterBase, ConverterResult\n\n\n\
        class Rows(ConverterBase):\n\
        \x20   name = \"Rows\"\n\n\
        \x20   @property\n    def supported_extensions(self):\n        return [\".csv\"]\n\n\
        \x20   def convert_file(self, file_path, args):\n\
        \x20       with open(file_path) as file:\n            row = next(csv.DictReader(file))\n\
        \x20       with tempfile.NamedTemporaryFile(\"w+\") as scratch:\n            json.dump(row, scratch)\n\
        \x20       print(\"a message that belongs to nobody\")\n\
        \x20       return ConverterResult.success_result(report={\"type\": \"T\", \"pn\": row[\"pn\"], \"sn\": row[\"sn\"], \"rev\": \"A\",\n\
        \x20           \"processCode\": 10, \"result\": \"P\", \"root\": {\"stepType\": \"SequenceCall\", \"group\": \"M\", \"name\": \"M\", \"status\": \"P\", \"steps\": []}})\n";
    let uploaded = control.upload_plugin("rows.py", script.as_bytes().to_vec()).await.unwrap();
    assert_eq!(uploaded.state, PluginState::Disabled);
    let mode = fs::metadata(station.folder().join("storage/plugins/rows.py")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0, "a Python file is read, not started");
    enable(&control, "rows.py", &[]).await;
    control.add_source(&source(&station, "line", "plugin:rows")).await.unwrap();
    for number in 0..5 {
        station
            .drop_file("line", &format!("{number}.csv"), format!("sn,pn\nS{number},P\n").as_bytes())
            .unwrap();
    }
    serials(&station, &["S0", "S1", "S2", "S3", "S4"]).await;
    let converted = file(&station, "3.csv").await;
    assert!(log(&converted).contains("output: a message that belongs to nobody"), "{}", log(&converted));
}

/// By the kernel, not by names: the same calls under other names are refused, too.
#[tokio::test]
async fn weakness_09_what_a_script_must_not_reach_it_does_not_reach() {
    let station = station("").await;
    let control = station.control().unwrap();
    let storage = station.folder().join("storage");
    let script = format!(
        "import importlib\nfrom pywats_client.converters import FileConverter, ConverterResult\n\n\
         def tried(what):\n    try:\n        return repr(what())\n    except BaseException as error:\n        return type(error).__name__\n\n\n\
         class Spy(FileConverter):\n    name = \"Spy\"\n\n\
         \x20   def convert(self, source, context):\n\
         \x20       o, net, sub = (importlib.import_module(it) for it in (\"os\", \"sock\" + \"et\", \"sub\" + \"process\"))\n\
         \x20       found = [\n\
         \x20           tried(lambda: getattr(o, \"listdir\")({storage:?})),\n\
         \x20           tried(lambda: open(\"/etc/shadow\").read()),\n\
         \x20           tried(lambda: net.create_connection((\"127.0.0.1\", {port}), 2)),\n\
         \x20           tried(lambda: sub.run([\"/bin/true\"])),\n\
         \x20           tried(lambda: o.kill({agent}, 0)),\n\
         \x20           tried(lambda: open(source.path, \"w\")),\n\
         \x20           tried(lambda: sorted(o.listdir(source.path.parent))),\n\
         \x20           tried(lambda: sorted(it for it in o.environ if \"TOKEN\" in it or \"WATS_A\" in it)),\n\
         \x20       ]\n\
         \x20       return ConverterResult.failed_result(\" | \".join(found))\n",
        port = station.sim.address().port(),
        agent = std::process::id(),
    );
    control.upload_plugin("spy.py", script.into_bytes()).await.unwrap();
    enable(&control, "spy.py", &[]).await;
    control.add_source(&source(&station, "line", "plugin:spy")).await.unwrap();
    station.drop_file("line", "a.txt", b"x").unwrap();
    let failed = file(&station, "a.txt").await;
    let words = failed.record.error.clone().unwrap();
    let found: Vec<&str> = words.lines().next().unwrap().split(" | ").collect();
    assert_eq!(found.len(), 8, "{words}");
    for (at, what) in ["storage", "shadow", "network", "process", "signal", "write"].iter().enumerate() {
        assert!(found[at].ends_with("Error"), "{what}: {}", found[at]);
    }
    assert_eq!(&found[6..], ["['a.txt']", "[]"], "only its own input, and no secret");
}

#[tokio::test]
async fn every_answer_has_its_consequence() {
    let station = answering("attempts = 3\n").await;
    let here = |name: &str| station.source("line").join(name).exists();
    for (name, content) in [
        ("several.txt", "report A\nreport B\n{\"answer\": \"done\"}\n"),
        ("kept.txt", "report C\n{\"answer\": \"done\", \"after\": \"keep\"}\n"),
        ("deleted.txt", "report D\n{\"answer\": \"done\", \"after\": \"delete\"}\n"),
        ("failed.txt", "report E\n{\"answer\": \"failed\", \"error\": \"no limits\", \"line\": 7}\n"),
        ("skipped.txt", "{\"answer\": \"skipped\", \"reason\": \"a calibration\"}\n"),
        ("rejected.txt", "{\"answer\": \"rejected\", \"reason\": \"another tester\", \"confidence\": 0.1}\n"),
        ("waits.txt", "{\"answer\": \"not-yet\", \"reason\": \"the other half\", \"retry_after\": 0.1}\n"),
        (
            "warned.txt",
            "{\"answer\": \"warning\", \"text\": \"line 3\"}\nerror on the way\nreport F\n{\"answer\": \"done\"}\n",
        ),
        ("none.txt", "{\"answer\": \"done\"}\n"),
    ] {
        station.drop_file("line", name, content.as_bytes()).unwrap();
    }
    serials(&station, &["A", "B", "C", "D", "F"]).await;
    assert_eq!(file(&station, "several.txt").await.record.reports, 2);
    let words = async |name: &str| file(&station, name).await.record.error.unwrap();
    assert_eq!(words("failed.txt").await, "line 7: no limits");
    assert!(words("waits.txt").await.starts_with("the other half. It was tried 3 times"));
    assert!(words("none.txt").await.contains("made no report"));
    for (name, outcome, reason) in [
        ("skipped.txt", TrialOutcome::Skipped, "a calibration"),
        ("rejected.txt", TrialOutcome::Rejected, "another tester (confidence 0.1)"),
    ] {
        let left = file(&station, name).await.record.left.unwrap();
        assert_eq!((left.outcome, &*left.reason), (outcome, reason));
    }
    let warned = log(&file(&station, "warned.txt").await);
    assert!(warned.contains("warning: line 3") && warned.contains("output: on the way"), "{warned}");
    station.until("deleted", SOON, async || !here("deleted.txt") && !here("several.txt")).await.unwrap();
    assert!(here("kept.txt") && here("skipped.txt") && here("rejected.txt"));
    assert!(!here("failed.txt") && here("error/failed.txt.error.txt"));
}

#[tokio::test]
async fn what_was_left_or_kept_is_not_converted_again_after_a_restart_nor_when_its_content_comes_again() {
    let mut station = answering("").await;
    station.drop_file("line", "skipped.txt", b"{\"answer\": \"skipped\", \"reason\": \"r\"}\n").unwrap();
    station
        .drop_file("line", "kept.txt", b"report K\n{\"answer\": \"done\", \"after\": \"keep\"}\n")
        .unwrap();
    serials(&station, &["K"]).await;
    file(&station, "skipped.txt").await;
    station.stop_agent().unwrap();
    station.run_agent().await.unwrap();
    let control = station.control().unwrap();
    station.drop_file("line", "last.txt", b"report L\n{\"answer\": \"done\"}\n").unwrap();
    serials(&station, &["K", "L"]).await;
    let all = control.files(&FileQuery::default()).await.unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(station.source("line").join("kept.txt").exists());
}

#[tokio::test]
async fn a_program_that_crashes_floods_or_talks_nonsense_fails_its_file_alone() {
    let station = answering("").await;
    for (name, content, words) in [
        ("crash.txt", "error last words\ncrash\n", "it ended before its last answer"),
        ("exit.txt", "exit\n", "it ended without a last answer"),
        ("nonsense.txt", "hello\n", "no JSON object: \"hello\""),
        ("unknown.txt", "{\"answer\": \"maybe\"}\n", "\"maybe\", which the plug-in protocol does not have"),
        (
            "rules.txt",
            "{\"answer\": \"report\", \"report\": {\"sn\": \"1\", \"type\": \"T\"}}\n{\"answer\": \"done\"}\n",
            "has no part number",
        ),
        ("flood.txt", "flood\n", "its answer is larger than 64 MB, which plugins.answer_mb allows"),
        ("more.txt", "report M\n{\"answer\": \"done\"}\n{\"answer\": \"done\"}\n", ""),
    ] {
        station.drop_file("line", name, content.as_bytes()).unwrap();
        let detail = file(&station, name).await;
        let error = detail.record.error.clone().unwrap_or_default();
        assert!(error.contains(words), "{name}: {error}");
        if name == "crash.txt" {
            assert!(log(&detail).contains("last words"), "{}", log(&detail));
        }
        let good = format!("good-{name}");
        station
            .drop_file("line", &good, format!("report G-{name}\n{{\"answer\": \"done\"}}\n").as_bytes())
            .unwrap();
        assert_eq!(file(&station, &good).await.record.reports, 1, "after {name}");
    }
}

#[tokio::test]
async fn a_warm_worker_sees_nothing_of_the_file_before_and_no_secret_is_recorded() {
    let station = answering("").await;
    let control = station.control().unwrap();
    let mut settings = source(&station, "line", "plugin:answers");
    settings.arguments.insert("key".to_owned(), "s3cret".to_owned());
    control.change_source("line", &settings).await.unwrap();
    for number in 0..4 {
        let name = format!("{number}.txt");
        let content = format!("others\nnumber\nkey\nreport S{number}\n{{\"answer\": \"done\"}}\n");
        station.drop_file("line", &name, content.as_bytes()).unwrap();
        let log = log(&file(&station, &name).await);
        assert!(log.contains(&format!("info: sees {name}\n")), "{log}");
        assert!(log.contains(&format!("info: file {}\n", number + 1)), "the same process: {log}");
        assert!(log.contains("info: key of 6\n"), "{log}");
    }
    serials(&station, &["S0", "S1", "S2", "S3"]).await;
    let (_, said) = station.agent_command(&["ledger", "find", "S1", "--json"]).unwrap();
    assert!(said.contains("(hidden)") && !said.contains("s3cret"), "{said}");
}

#[tokio::test]
async fn a_changed_plug_in_does_not_run_until_it_is_enabled_again() {
    let station = answering("").await;
    let control = station.control().unwrap();
    station.drop_file("line", "a.txt", b"report A\n{\"answer\": \"done\"}\n").unwrap();
    serials(&station, &["A"]).await;
    let path = station.folder().join("storage/plugins/answers");
    let text = fs::read_to_string(&path).unwrap();
    control.upload_plugin("answers", text.replace("1.2.3", "1.3.0").into_bytes()).await.unwrap();
    assert_eq!(control.plugin("answers").await.unwrap().state, PluginState::Changed);
    let state = async || control.source("line").await.unwrap();
    station
        .until("the source stops", SOON, async || state().await.state == SourceState::Failed)
        .await
        .unwrap();
    assert!(state().await.trouble.unwrap().contains("has changed since it was enabled"));
    station.drop_file("line", "b.txt", b"report B\n{\"answer\": \"done\"}\n").unwrap();

    enable(&control, "answers", &[Part::Time]).await;
    assert_eq!(control.plugin("answers").await.unwrap().trusted, [Part::Time]);
    serials(&station, &["A", "B"]).await;

    // By hand, without the agent being told.
    fs::remove_file(&path).unwrap();
    station.until("it is missed", SOON, async || state().await.state == SourceState::Failed).await.unwrap();
    assert_eq!(control.plugin("answers").await.unwrap().state, PluginState::Missing);
    let refused = control.delete_plugin("answers").await.unwrap_err().to_string();
    assert!(refused.contains("line"), "a source uses it: {refused}");
    control.remove_source("line").await.unwrap();
    control.delete_plugin("answers").await.unwrap();
    assert!(control.plugins().await.unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_a_plug_in_is_refused_and_one_that_lies_shows_its_error() {
    let station = station("").await;
    let control = station.control().unwrap();
    for name in ["..", ".hidden.py", "a b.py", "é.py", "a\\b.py"] {
        let refused = control.upload_plugin(name, b"x".to_vec()).await.unwrap_err();
        assert!(!refused.to_string().is_empty(), "{name}");
    }
    let large = vec![b'#'; 9 << 20];
    assert!(control.upload_plugin("large.py", large).await.is_err());
    assert!(fs::read_dir(station.folder().join("storage/plugins")).is_err(), "nothing was written");
    for (name, content, words) in [
        ("liar", "#!/bin/sh\necho '{\"answer\": \"described\", \"protocol\": 7}'\n", "\"protocol\" is 7"),
        ("silent", "#!/bin/sh\nexit 0\n", "it ended without a last answer"),
        ("chatty", "#!/bin/sh\necho hello\n", "no JSON object: \"hello\""),
        ("broken.py", "def (\n", "line 1"),
        ("empty.py", "x = 1\n", ""),
    ] {
        control.upload_plugin(name, content.as_bytes().to_vec()).await.unwrap();
        let check = control.check_plugin(name).await.unwrap();
        let all = check.problems.join("; ");
        assert!(!check.problems.is_empty() && all.contains(words), "{name}: {all}");
        let sha256 = control.plugin(name).await.unwrap().sha256.unwrap();
        let wish = EnablePlugin { sha256, ..EnablePlugin::default() };
        let refused = control.enable_plugin(name, &wish).await.unwrap_err().to_string();
        assert!(refused.contains("cannot be enabled"), "{name}: {refused}");
    }
    assert!(control.plugins().await.unwrap().iter().all(|it| it.state == PluginState::Disabled));
    control.upload_plugin("reach.py", b"import os\n\nos.system('true')\n".to_vec()).await.unwrap();
    let reaches = control.plugin_findings("reach.py").await.unwrap();
    assert!(reaches.read && reaches.unreadable.is_empty(), "{reaches:?}");
    assert!(reaches.findings.iter().any(|it| it.line == 3 && it.what.contains("os.system")), "{reaches:?}");
    assert!(!control.plugin_findings("broken.py").await.unwrap().unreadable.is_empty());
    assert!(!control.plugin_findings("silent").await.unwrap().read);
    assert_eq!(control.status().await.unwrap().sources.len(), 0);
}

#[tokio::test]
async fn folders_schedules_hooks_and_recognised_files_have_their_plug_ins() {
    let station = answering("").await;
    let control = station.control().unwrap();
    let mut unit = source(&station, "lots", "plugin:lots");
    unit.intake.quiet_seconds = Some(1);
    control.add_source(&unit).await.unwrap();
    control.add_source(&source(&station, "hooked", "plugin:hooked")).await.unwrap();
    control.add_source(&source(&station, "any", "auto")).await.unwrap();

    let lot = station.source("lots").join("lot-7");
    fs::create_dir_all(&lot).unwrap();
    fs::create_dir_all(station.source("lots").join("other")).unwrap();
    fs::copy(made("answers"), lot.join("program.bin")).unwrap();
    let write = |name: &str, text: &str| {
        std::io::Write::write_all(&mut fs::File::create(lot.join(name)).unwrap(), text.as_bytes()).unwrap();
    };
    write("1.txt", "report LOT-1\n");
    write("2.txt", "report LOT-2\n{\"answer\": \"done\"}\n");
    write("COMPLETE", "");
    station.drop_file("any", "one.txt", b"report ANY-1\n{\"answer\": \"done\"}\n").unwrap();
    station.drop_file("any", "none.txt", b"nobody knows this\n").unwrap();
    station.drop_file("hooked", "a.txt", b"report H-1\n{\"answer\": \"done\"}\n").unwrap();
    serials(&station, &["ANY-1", "H-1", "LOT-1", "LOT-2"]).await;
    station.until("the lot is put away", SOON, async || !lot.exists()).await.unwrap();
    let (_, said) = station.agent_command(&["ledger", "find", "ANY-1", "--json"]).unwrap();
    assert!(said.contains("1.2.3 (SHA-256"), "{said}");
    assert!(file(&station, "none.txt").await.record.error.unwrap().contains("no format fits"));
    // A process that converted a file heard what became of it. Which one gets the next file is not said: one of the next.
    let mut told = false;
    for number in 2..30 {
        let serial = format!("H-{number}");
        let content = format!("report {serial}\n{{\"answer\": \"done\"}}\n");
        station.drop_file("hooked", &format!("{number}.txt"), content.as_bytes()).unwrap();
        let came = async || station.sim.reports().iter().any(|it| it.sn == serial);
        station.until("the next file at the server", SOON, came).await.unwrap();
        let text = body(&station, &serial)["miscInfos"][0]["text"].clone();
        told = text.as_str().is_some_and(|it| it.contains("stored"));
        if told {
            break;
        }
    }
    assert!(told, "no process heard of its file");

    control.add_source(&source(&station, "night", "plugin:nightly")).await.unwrap();
    let ran = async || station.sim.reports().iter().filter(|it| it.sn.starts_with("RUN-")).count() >= 2;
    station.until("two runs at the server", SOON, ran).await.unwrap();
    control.remove_source("night").await.unwrap();
    // What a run gave again was not sent again.
    assert!(station.sim.reports().iter().all(|it| it.receive_count == 1));
}

#[tokio::test]
async fn the_packages_of_a_plug_in_come_from_its_own_wheels_where_there_is_no_internet() {
    let station = station("").await;
    let control = station.control().unwrap();
    let folder = station.folder().join("storage/plugins/boards");
    fs::create_dir_all(folder.join("wheels")).unwrap();
    let put = |name: &str, text: &str| {
        std::io::Write::write_all(&mut fs::File::create(folder.join(name)).unwrap(), text.as_bytes())
            .unwrap();
    };
    put(
        "main.py",
        "import tinylib\nfrom pywats_client.converters import ConverterResult, FileConverter\n\n\n\
         class Boards(FileConverter):\n    name = \"boards\"\n\n    def convert(self, source, context):\n\
         \x20       return ConverterResult.failed_result(\"tinylib says \" + tinylib.word())\n",
    );
    put("requirements.txt", "tinylib==1.0\n");
    let wheel = fs::File::create(folder.join("wheels/tinylib-1.0-py3-none-any.whl")).unwrap();
    let mut wheel = zip::ZipWriter::new(wheel);
    for (name, text) in [
        ("tinylib.py", "def word():\n    return 'hello'\n"),
        ("tinylib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinylib\nVersion: 1.0\n"),
        (
            "tinylib-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (
            "tinylib-1.0.dist-info/RECORD",
            "tinylib.py,,\ntinylib-1.0.dist-info/METADATA,,\ntinylib-1.0.dist-info/WHEEL,,\ntinylib-1.0.dist-info/RECORD,,\n",
        ),
    ] {
        wheel.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut wheel, text.as_bytes()).unwrap();
    }
    wheel.finish().unwrap();
    enable(&control, "boards", &[]).await;
    control.add_source(&source(&station, "line", "plugin:boards")).await.unwrap();
    station.drop_file("line", "a.txt", b"x").unwrap();
    let error = file(&station, "a.txt").await.record.error.unwrap();
    assert!(error.contains("tinylib says hello"), "{error}");

    // A single file has what it asks for beside it, and belongs together with it.
    let plugins = station.folder().join("storage/plugins");
    fs::rename(folder.join("wheels"), plugins.join("wheels")).unwrap();
    fs::copy(folder.join("requirements.txt"), plugins.join("single.requirements.txt")).unwrap();
    let single = fs::read_to_string(folder.join("main.py")).unwrap().replace("\"boards\"", "\"single\"");
    let uploaded = control.upload_plugin("single.py", single.into_bytes()).await.unwrap();
    let files = ["single.py", "single.requirements.txt", "wheels/tinylib-1.0-py3-none-any.whl"];
    assert_eq!(uploaded.files, files);
    enable(&control, "single.py", &[]).await;
    control.add_source(&source(&station, "other", "plugin:single")).await.unwrap();
    station.drop_file("other", "b.txt", b"x").unwrap();
    let error = file(&station, "b.txt").await.record.error.unwrap();
    assert!(error.contains("tinylib says hello"), "{error}");
    fs::remove_file(plugins.join("single.requirements.txt")).unwrap();
    assert_eq!(control.plugin("single.py").await.unwrap().state, PluginState::Changed);
}

#[test]
fn the_examples_are_right_and_convert() {
    let folder = tempfile::tempdir().unwrap();
    let agent = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("wats-agent");
    let built = Command::new("rustc")
        .args(["--edition", "2024", "-o"])
        .arg(folder.path().join("panel"))
        .arg(made("panel.rs"))
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let csv = "serial;part;operator;start\n100;PCB-7;anna;2026-01-31T12:00:00\nVout;5.3;4.9;5.1;V\nIcc;0.12;;0.2;A\n";
    for (program, name, content, expected) in [
        (made("acme-csv"), "a.csv", csv, vec![("100", "F")]),
        (made("pass-fail.sh"), "a.pf", "S1 P1 pass\n", vec![("S1", "P")]),
        (folder.path().join("panel"), "a.panel", "PCB\nB1 pass\nB2 fail\n", vec![("B1", "P"), ("B2", "F")]),
    ] {
        let sample = folder.path().join(name);
        std::io::Write::write_all(&mut fs::File::create(&sample).unwrap(), content.as_bytes()).unwrap();
        let mut check = Command::new(&agent);
        let check = check.args(["plugin", "check", "--json", "--sample"]).arg(&sample).arg(&program);
        let output = check.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{program:?}: {said} {}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_str(&said).unwrap();
        let reports = answer["trial"]["reports"].as_array().unwrap();
        let found: Vec<_> =
            reports.iter().map(|it| (it["sn"].as_str().unwrap(), it["result"].as_str().unwrap())).collect();
        assert_eq!(found, expected, "{program:?}");
    }
    // A wrong sample is 10, with the line.
    let sample = folder.path().join("wrong.csv");
    std::io::Write::write_all(&mut fs::File::create(&sample).unwrap(), csv.replace("5.3", "?").as_bytes())
        .unwrap();
    let mut check = Command::new(&agent);
    let output =
        check.args(["plugin", "check", "--sample"]).arg(&sample).arg(made("acme-csv")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(10), "{said}");
    assert!(said.contains("line 3: '?' is no number"), "{said}");
}
