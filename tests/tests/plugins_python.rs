//! Python converter files of every style, run by the host that the package ships, over its pipes.
//!
//! Each report that they make must be one that our reader takes and a server accepts.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test stops at what it did not expect"
)]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use wats::validate::{Strictness, problems};
use wats_agent::plugins::environment;

fn support() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/python")
}

/// The host with one of the made plug-ins.
struct Host {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    /// Inputs, scratch folder and what is written to standard error.
    folder: TempDir,
}

impl Host {
    fn start(plugin: &str) -> Self {
        Self::start_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins").join(plugin), &[])
    }

    fn start_file(plugin: &Path, options: &[&str]) -> Self {
        Self::start_with("python3", plugin, options)
    }

    fn start_with(python: &str, plugin: &Path, options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("scratch")).unwrap();
        let errors = fs::File::create(folder.path().join("stderr")).unwrap();
        let mut child = Command::new(python)
            .args(["-I", "-B"])
            .arg(support().join("host/wats_plugin_host.py"))
            .args(options)
            .arg(plugin)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { requests: child.stdin.take(), child, answers, folder }
    }

    /// Sends a line, and reads up to the last answer.
    fn send(&mut self, line: &str) -> Vec<Value> {
        let requests = self.requests.as_mut().unwrap();
        requests.write_all(line.as_bytes()).unwrap();
        requests.write_all(b"\n").unwrap();
        let mut answers = Vec::new();
        loop {
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "the host ended: {}", self.errors());
            let answer: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            let last = !matches!(answer["answer"].as_str().unwrap(), "report" | "warning" | "log");
            answers.push(answer);
            if last {
                return answers;
            }
        }
    }

    fn ask(&mut self, request: &Value) -> Vec<Value> {
        self.send(&request.to_string())
    }

    fn described(&mut self) -> Value {
        self.ask(&json!({"request": "describe", "protocol": 1})).pop().unwrap()
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn request(&self, what: &str, converter: &str, path: &Path, arguments: &Value) -> Value {
        json!({
            "request": what, "protocol": 1, "converter": converter, "path": path,
            "scratch": self.folder.path().join("scratch"), "modified": "2026-01-31T12:00:00Z",
            "arguments": arguments,
            "station": {"name": "ST1", "location": "Oslo", "purpose": "Production",
                "time_zone": "Europe/Oslo", "operator": "nina"},
        })
    }

    /// Converts a file of that content. All reports are checked.
    fn convert_with(&mut self, converter: &str, name: &str, content: &str, arguments: &Value) -> Converted {
        let path = self.file(name, content);
        let request = self.request("convert", converter, &path, arguments);
        let answers = self.ask(&request);
        let of = |kind: &str| answers.iter().filter(|a| a["answer"] == kind).cloned().collect::<Vec<_>>();
        let reports: Vec<Value> = of("report").into_iter().map(|a| a["report"].clone()).collect();
        for report in &reports {
            accepted(report);
        }
        let warnings = of("warning").iter().map(|a| a["text"].as_str().unwrap().to_owned()).collect();
        Converted { reports, warnings, logs: of("log"), last: answers.last().unwrap().clone() }
    }

    fn convert(&mut self, converter: &str, content: &str) -> Converted {
        self.convert_with(converter, "a.txt", content, &json!({}))
    }

    fn errors(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap()
    }

    /// Ends standard input; returns what was written to standard error.
    fn end(mut self) -> String {
        drop(self.requests.take());
        assert!(self.child.wait().unwrap().success(), "{}", self.errors());
        self.errors()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It ended already where the test went well.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

struct Converted {
    reports: Vec<Value>,
    warnings: Vec<String>,
    logs: Vec<Value>,
    last: Value,
}

impl Converted {
    fn error(&self) -> &str {
        assert_eq!(self.last["answer"], "failed", "{}", self.last);
        self.last["error"].as_str().unwrap()
    }

    fn only(&self) -> &Value {
        assert_eq!(self.reports.len(), 1, "{}", self.last);
        &self.reports[0]
    }

    fn step(&self, name: &str) -> &Value {
        let steps = self.only()["root"]["steps"].as_array().unwrap();
        steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}"))
    }
}

/// Our reader takes it the quick way, and no documented rule is broken.
fn accepted(report: &Value) {
    let text = report.to_string();
    let mut read = wats::wsjf::read_plain(text.as_bytes()).unwrap_or_else(|| {
        panic!("{:?}: {text}", wats::wsjf::read(text.as_bytes()).map(|_| "only read the long way"))
    });
    // The agent gives one that is the same at every conversion of the file.
    read.id.get_or_insert_with(uuid::Uuid::nil);
    let found = problems(&read, Strictness::Documented);
    assert!(found.is_empty(), "{found:?}: {text}");
}

#[test]
fn the_contract_of_the_compatibility_packages_holds_and_steps_are_judged_alike() {
    for file in ["tests/test_contract.py", "tests/test_bridge.py"] {
        let output = Command::new("python3").args(["-I", "-B"]).arg(support().join(file)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_file_converter_is_described_recognises_and_converts() {
    let mut host = Host::start("acme_log.py");
    let described = host.described();
    assert_eq!(
        described,
        json!({"answer": "described", "protocol": 1, "persistent": true, "converters": [{
        "name": "acme-log", "title": "ACME Log", "version": "2.1.0", "description": "Log files of the ACME testers",
        "author": "Test engineering", "kind": "file", "patterns": ["*.log", "*.acme"], "hooks": false,
        "arguments": [
            {"name": "process_code", "type": "integer", "default": 10, "help": "Operation", "required": false,
                "min": 1, "max": 999},
            {"name": "mode", "type": "choice", "default": "normal", "help": "", "required": false,
                "choices": ["normal", "zip"]},
            {"name": "api_key", "type": "password", "help": "", "required": false},
        ]}]})
    );

    let content = "ACME;S1;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\nI=2.0=0.0=1.0\n";
    let path = host.file("a.log", content);
    let request = host.request("recognise", "acme-log", &path, &json!({}));
    assert_eq!(
        host.ask(&request),
        [json!({"answer": "recognised", "confidence": 0.9, "reason": "begins with ACME",
            "detected": {"serial_number": "S1"}})]
    );

    let converted =
        host.convert_with("acme-log", "a.log", content, &json!({"process_code": "20", "mode": "zip"}));
    assert_eq!(converted.last, json!({"answer": "done", "after": "zip"}));
    let report = converted.only();
    assert_eq!((&report["processCode"], &report["result"]), (&json!(20), &json!("F")));
    assert_eq!(report["start"], "2026-01-31T12:00:00+01:00");
    assert_eq!(report["uut"], json!({"user": "kari", "execTime": 12.5, "testSocketIndex": 1}));
    assert!(report.get("id").is_none(), "the agent derives it from the file");
    assert_eq!(converted.logs, [json!({"answer": "log", "level": "info", "text": "2 steps"})]);
    assert!(converted.warnings.is_empty(), "the script set the result itself: {:?}", converted.warnings);

    let wrong = host.convert_with("acme-log", "a.log", content, &json!({"process_code": 1000}));
    assert_eq!(wrong.error(), "the argument process_code is wrong: 1000 is more than 999");
    let foreign = host.convert_with("acme-log", "a.log", "other\n", &json!({}));
    assert_eq!(
        foreign.last,
        json!({"answer": "rejected", "reason": "does not begin with ACME", "confidence": 0.0})
    );
    let unsure = host.convert_with("acme-log", "a.log", &content.replace("ACME;", "ACME?;"), &json!({}));
    assert!(unsure.warnings[0].contains("not sure that the file is its own (confidence 0.40)"));

    let torn =
        host.convert_with("acme-log", "a.log", "ACME;S1;P1;2026-01-31 12:00:00\nU=5,0=4=6\n", &json!({}));
    assert_eq!(
        torn.error(),
        "ValueError: could not convert string to float: '5,0' (acme_log.py, line 84 in convert: passed = float(low) <= float(value) <= float(high))"
    );
    assert!(host.end().contains("Traceback"));
}

#[test]
fn every_kind_of_step_that_the_model_makes_is_accepted() {
    let mut host = Host::start("every_step.py");
    assert_eq!(host.described()["converters"][0]["description"], "Uses every method that makes a step.");
    let converted = host.convert("every_step", "");
    assert_eq!(converted.last, json!({"answer": "done"}));
    assert_eq!(converted.only()["id"], "6fa459ea-ee8a-3ca4-894e-db77e160355e");
    assert_eq!(converted.step("infinite")["numericMeas"][0]["value"], "Infinity");
    let upper = &converted.step("upper limit alone")["numericMeas"][0];
    assert_eq!((&upper["lowLimit"], upper.get("highLimit")), (&json!(2.0), None));
    assert_eq!(converted.step("multi numeric")["numericMeas"][1]["name"], "a #2");
    assert_eq!(converted.step("chart")["chart"]["series"][0]["ydata"], "0.0;0.5;1.25");
    assert_eq!(converted.step("sequence")["steps"][1]["stepType"], "NI_Flow_If");
    assert_eq!(converted.only()["assets"], json!([{"assetSN": "DMM-1", "usageCount": 2}]));
    host.end();
}

#[test]
fn the_older_style_with_its_own_words_becomes_a_report() {
    let mut host = Host::start("dictionary_old.py");
    let described = host.described();
    let converter = &described["converters"][0];
    assert_eq!(converter["patterns"], json!(["*.brd", "*.txt"]));
    assert_eq!(converter["hooks"], true);
    assert_eq!(converter["arguments"][0]["type"], "float");
    assert_eq!(converter["arguments"][2]["choices"], json!(["a", "b"]));

    for _ in 0..2 {
        let converted = host.convert_with("board-tester", "S7.brd", "I1 1.0\nI2 3.0\n", &json!({"limit": 2}));
        assert_eq!(converted.last, json!({"answer": "done", "after": "delete"}));
        let report = converted.only();
        let expected = json!({"user": "k.lund", "batchSN": "WO-1", "execTime": 3.5, "testSocketIndex": 1});
        assert_eq!((&report["uut"], &report["result"]), (&expected, &json!("F")));
        assert_eq!(report["start"], "2025-03-11T07:42:18+01:00");
        assert_eq!(report["machineName"], "ST1");
        assert_eq!(report["subUnits"][0], json!({"partType": "Sub", "pn": "40", "sn": "CB", "rev": "B"}));
        assert_eq!(report["miscInfos"][0], json!({"description": "Order", "text": "SO-1"}));
        let step = &report["root"]["steps"][0]["steps"][1];
        assert_eq!(
            step["numericMeas"][0],
            json!({"status": "F", "value": 3.0, "unit": "A", "compOp": "LE", "lowLimit": 2.0})
        );
        let request = host.request("settled", "board-tester", Path::new("S7.brd"), &json!({}));
        let mut stored = request.clone();
        stored["outcome"] = json!("stored");
        assert_eq!(host.ask(&stored), [json!({"answer": "done"})]);
    }
    let empty = host.convert_with("board-tester", "e.brd", "", &json!({}));
    assert_eq!(empty.last, json!({"answer": "rejected", "reason": "the file is empty", "confidence": 0.0}));
    let torn = host.convert_with("board-tester", "t.brd", "?", &json!({}));
    assert!(
        torn.error().starts_with("AttributeError: 'NoneType' object has no attribute 'group'"),
        "{}",
        torn.error()
    );
    let mut failed = host.request("settled", "board-tester", Path::new("t.brd"), &json!({}));
    failed["outcome"] = json!("failed");
    failed["error"] = json!("torn");
    assert_eq!(host.ask(&failed), [json!({"answer": "done"})]);
    let errors = host.end();
    assert!(errors.contains("stored S7.brd success") && errors.contains("not stored t.brd torn"), "{errors}");
}

#[test]
fn the_style_of_the_guide_is_understood() {
    let mut host = Host::start("third_style.py");
    let path = host.file("a.guide", "");
    let request = host.request("recognise", "guide", &path, &json!({}));
    assert_eq!(host.ask(&request)[0]["confidence"], 0.7);
    let converted = host.convert_with("guide", "a.guide", "S1 P1\n", &json!({}));
    let report = converted.only();
    assert_eq!((&report["pn"], &report["sn"], &report["result"]), (&json!("P1"), &json!("S1"), &json!("P")));
    assert_eq!(report["uut"], json!({"user": "me", "execTime": 1}));
    assert_eq!(converted.step("U")["numericMeas"][0]["compOp"], "GELE");
    assert_eq!(converted.step("flag")["stepType"], "ET_PFT");
    assert_eq!(converted.step("word")["stepType"], "ET_SVT");
    let nothing = host.convert_with("guide", "a.guide", "", &json!({}));
    assert_eq!(nothing.last, json!({"answer": "skipped", "reason": "convert returned nothing"}));
    let other = host.convert_with("guide", "a.txt", "S1 P1\n", &json!({}));
    assert_eq!(other.last["answer"], "rejected");
    host.end();
}

#[test]
fn every_result_has_its_answer() {
    let mut host = Host::start("results.py");
    let sizes = [("several", 3), ("wronglist", 2), ("plain", 1), ("later", 1)];
    for (word, count) in sizes {
        let converted = host.convert("results", word);
        assert_eq!((converted.reports.len(), &converted.last), (count, &json!({"answer": "done"})), "{word}");
    }
    assert_eq!(host.convert("results", "several").warnings, ["line 7"]);
    let last = [
        ("failed", json!({"answer": "failed", "error": "line 3 has no value"})),
        (
            "suspended",
            json!({"answer": "not-yet", "reason": "the second file is missing", "retry_after": 120}),
        ),
        (
            "incomplete",
            json!({"answer": "not-yet", "reason": "waits for the second file", "retry_after": 90}),
        ),
        ("skipped", json!({"answer": "skipped", "reason": "calibration"})),
        ("rejected", json!({"answer": "rejected", "reason": "not mine", "confidence": 0.1})),
        ("foreign", json!({"answer": "rejected", "reason": "not mine", "confidence": 0.0})),
        ("delete", json!({"answer": "done", "after": "delete"})),
        ("keep", json!({"answer": "done", "after": "keep"})),
    ];
    for (word, expected) in last {
        assert_eq!(host.convert("results", word).last, expected, "{word}");
    }
    assert!(host.convert("results", "unsure").warnings[0].contains("confidence 0.30"));
    host.end();
}

#[test]
fn what_goes_wrong_is_said_in_words_that_help() {
    let mut host = Host::start("results.py");
    let errors = [
        (
            "nothing",
            "the converter gave no report: return a ConverterResult with one, or a skipped_result where there is nothing to report",
        ),
        (
            "empty",
            "the converter gave no report: return a ConverterResult with one, or a skipped_result where there is nothing to report",
        ),
        ("number", "the converter must return a ConverterResult, a report or a dictionary, and returned int"),
        (
            "raises",
            "ConverterError: the header is torn (results.py, line 78 in _raises: raise ConverterError(\"the header is torn\"))",
        ),
        ("divides", "ZeroDivisionError: division by zero (results.py, line 81 in _divides: return 1 / 0)"),
        (
            "exits",
            "the converter ended the program (sys.exit(3)): return a result instead (results.py, line 84 in _exits: raise SystemExit(3))",
        ),
        ("misses", "KeyError: there is no 'serial' (results.py, line 87 in _misses: return {}[\"serial\"])"),
        (
            "imports",
            "ModuleNotFoundError: No module named 'acme_measurement_library' (results.py, line 90 in _imports: import acme_measurement_library). Hint: a converter imports what is installed for the interpreter of the setting plugins.python, and what is in its own folder",
        ),
        (
            "deep",
            "RecursionError: a function calls itself without end (results.py, line 95 in _deep: return self._deep())",
        ),
        ("nopart", "the report cannot be sent: pn: is missing: part number of the unit"),
        (
            "badvalue",
            "the report cannot be sent: root: step 'Main': step 'U': measurement 1: value: must be a number, and is '5,1': write the decimal point as '.'",
        ),
        ("twice", "the report cannot be sent: pn: is given twice, under two names: 'P' and 'Q'"),
    ];
    for (word, expected) in errors {
        assert_eq!(host.convert("results", word).error(), expected, "{word}");
    }
    let mended = host.convert("results", "contradiction");
    assert_eq!(mended.step("U")["numericMeas"][0]["status"], "F");
    assert!(mended.warnings[0].contains("both are reported as F"), "{:?}", mended.warnings);

    // The program goes on after each, and after requests that are none.
    assert_eq!(host.convert("results", "plain").reports.len(), 1);
    for (line, part) in [
        ("{", "the request is no JSON"),
        ("[]", "no JSON object"),
        (r#"{"request": "sing", "protocol": 1}"#, "\"sing\" is not known"),
        (r#"{"request": "describe", "protocol": 2}"#, "protocol 2 is not known"),
    ] {
        let answer = host.send(line).pop().unwrap();
        assert_eq!(answer["answer"], "error");
        assert!(answer["text"].as_str().unwrap().replace('\'', "\"").contains(part), "{answer}");
    }
    let unknown = host.convert("other", "plain");
    assert_eq!(unknown.error(), "the plug-in has no converter 'other': it has results");
    host.end();
}

#[test]
fn the_standard_library_works() {
    let mut host = Host::start("library.py");
    let converted = host.convert("library", "");
    let value = |name: &str| converted.step(name)["numericMeas"][0]["value"].clone();
    assert_eq!(value("csv"), 2);
    assert_eq!(value("zip"), 5);
    assert_eq!(value("sqlite"), 6.0);
    assert_eq!(value("decimal"), 0.333_333);
    assert_eq!(value("temporary files in the working directory"), 1);
    assert_eq!(value("hours from UTC"), 2.0, "local time is that of the station");
    assert_eq!(converted.only()["start"], "2026-07-01T12:00:00+02:00");
    host.end();
}

#[test]
fn odd_values_are_made_fit_or_refused_with_their_place() {
    let mut host = Host::start("odd_values.py");
    let limit = host.described()["converters"][0]["arguments"][0].clone();
    assert_eq!((&limit["type"], limit.get("max"), &limit["min"]), (&json!("float"), None, &json!(0.5)));
    let converted = host.convert("odd_values", "fine");
    let value = |name: &str| converted.step(name)["numericMeas"][0]["value"].clone();
    assert_eq!(
        (value("nan"), value("inf"), value("minus")),
        (json!("NaN"), json!("Infinity"), json!("-Infinity"))
    );
    assert_eq!((value("decimal"), value("numpy"), value("text")), (json!(1.5), json!(2.5), json!(1.25)));
    let text = |name: &str| converted.step(name)["stringMeas"][0]["value"].clone();
    assert_eq!((text("enum"), text("path"), text("date")), (json!("red"), json!("a/b"), json!("2026-01-02")));
    assert_eq!(text("long").as_str().unwrap().len(), 100);
    assert_eq!(text("control"), "ab");
    assert_eq!(converted.step("file")["attachment"]["data"], "AAE=");
    assert_eq!(converted.step("curve")["chart"]["series"][0]["xdata"], "1.0;2.0");
    assert_eq!(converted.only()["miscInfos"], json!([{"description": "order", "text": "5"}]));
    assert!(
        converted.warnings.iter().any(|words| words.contains("'somethingElse' is no member of a report"))
    );
    for (word, part) in [
        ("bytes", "value: must be a text, and is bytes: decode them first"),
        ("object", "value: must be a text, and is object"),
        ("list", "must be a number, and is list ([1])"),
        ("status", "status: must be a status (P, F, D, S, E, T or their words), and is 'NOK'"),
        ("cycle", "steps are nested more than 50 deep"),
    ] {
        let refused = host.convert("odd_values", word);
        assert!(refused.error().contains(part), "{word}: {}", refused.error());
    }
    host.end();
}

#[test]
fn nothing_that_is_printed_reaches_the_protocol() {
    let mut host = Host::start("noisy.py");
    let converted = host.convert("noisy", "");
    assert_eq!(converted.reports.len(), 1);
    assert_eq!(converted.last, json!({"answer": "done"}));
    let said: Vec<_> = converted.logs.iter().map(|log| (log["level"].clone(), log["text"].clone())).collect();
    assert_eq!(said, [(json!("warning"), json!("logged 1")), (json!("info"), json!("said"))]);
    let errors = host.end();
    for part in ["loaded", "printed", "written", "forged", "on standard error", "UserWarning: old"] {
        assert!(errors.contains(part), "{part} is not in {errors}");
    }
}

#[test]
fn a_file_does_not_see_what_the_one_before_it_left() {
    let mut host = Host::start("leaky.py");
    let state = |converted: &Converted| converted.only()["root"]["steps"].clone();
    let first = state(&host.convert("leaky", "look"));
    let leaving = host.convert("leaky", "leave");
    assert_eq!(state(&leaving), first);
    assert_eq!(leaving.last, json!({"answer": "done"}));
    assert_eq!(state(&host.convert("leaky", "look")), first);

    for (word, part) in [("thread", "a thread that still runs"), ("file", "an open file or connection")] {
        let mut host = Host::start("leaky.py");
        let converted = host.convert("leaky", word);
        assert_eq!(converted.last, json!({"answer": "done", "restart": true}), "{word}");
        assert!(converted.logs[0]["text"].as_str().unwrap().contains(part), "{:?}", converted.logs);
    }
    host.end();
}

#[test]
fn a_converter_that_starts_a_program_reads_what_to_do_and_one_that_is_trusted_starts_it() {
    let words = "the sandbox does not let converters start other programs; ask an administrator to trust the plug-in with `processes`";
    let mut host = Host::start("starts_programs.py");
    for way in ["run", "output", "system", "popen", "spawn", "fork"] {
        let error = host.convert("starter", way).last["error"].as_str().unwrap().to_owned();
        assert!(error.contains(words) && error.contains("starts_programs.py, line "), "{way}: {error}");
        assert_eq!(error.matches("processes`").count(), 1, "said once: {error}");
        let caught = host.convert("starter", &format!("caught {way}"));
        assert_eq!(caught.last["error"], format!("caught: [Errno 1] {words}"), "{way}");
    }
    host.end();
    let made = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/starts_programs.py");
    let mut trusted = Host::start_file(&made, &["--lifted", "processes"]);
    for way in ["run", "output", "system", "popen"] {
        assert_eq!(trusted.convert("starter", way).last["error"], "it was started", "{way}");
    }
    trusted.end();
}

#[test]
fn a_folder_is_one_source() {
    let mut host = Host::start("panel_folder.py");
    let converter = host.described()["converters"][0].clone();
    assert_eq!(converter["kind"], "folder");
    assert_eq!(converter["patterns"], json!(["panel*"]));
    assert_eq!(converter["readiness_marker"], "COMPLETE.marker");
    assert_eq!((&converter["min_files"], &converter["expected_files"]), (&json!(2), &json!(["*.xml"])));

    let folder = host.folder.path().join("panel7");
    fs::create_dir(&folder).unwrap();
    for name in ["a", "b"] {
        fs::write(folder.join(format!("{name}.xml")), format!("<r><v name='{name}'>1.5</v></r>")).unwrap();
    }
    let request = host.request("recognise", "panel", &folder, &json!({}));
    let waiting = host.ask(&request).pop().unwrap();
    assert_eq!((&waiting["answer"], &waiting["ready"]), (&json!("recognised"), &json!(false)));
    fs::write(folder.join("COMPLETE.marker"), "rev 3").unwrap();
    let request = host.request("convert", "panel", &folder, &json!({}));
    let answers = host.ask(&request);
    assert_eq!(answers[0]["report"]["rev"], "rev 3", "{answers:?}");
    assert_eq!(answers[0]["report"]["sn"], "panel7");
    assert_eq!(answers[0]["report"]["root"]["steps"].as_array().unwrap().len(), 2);
    accepted(&answers[0]["report"]);
    host.end();
}

#[test]
fn a_scheduled_converter_runs() {
    let mut host = Host::start("nightly.py");
    let converter = host.described()["converters"][0].clone();
    assert_eq!((&converter["kind"], &converter["interval_seconds"]), (&json!("scheduled"), &json!(21600)));
    assert_eq!(converter["run_on_startup"], true);
    let mut request = host.request("convert", "nightly-database", Path::new(""), &json!({"rows": 3}));
    request.as_object_mut().unwrap().remove("path");
    request.as_object_mut().unwrap().remove("modified");
    let answers = host.ask(&request);
    let reports: Vec<_> = answers.iter().filter(|a| a["answer"] == "report").collect();
    assert_eq!(reports.len(), 3);
    reports.iter().for_each(|answer| accepted(&answer["report"]));
    assert_eq!(reports[0]["report"]["result"], "P");
    assert_eq!(reports[1]["report"]["result"], "F", "1 V is over the limit of 0.5 V");
    assert!(
        answers.contains(&json!({"answer": "warning", "text": "one of the results failed: one row is torn"}))
    );
    assert!(answers.contains(&json!({"answer": "log", "level": "info", "text": "4 results"})));
    assert_eq!(answers.last().unwrap(), &json!({"answer": "done"}));
    host.end();
}

#[test]
fn a_repair_points_at_the_test_in_the_same_file() {
    let mut host = Host::start("repair.py");
    let converted = host.convert("repair", "");
    assert_eq!(converted.reports.len(), 2);
    let (test, repair) = (&converted.reports[0], &converted.reports[1]);
    assert_eq!(repair["uur"]["refUUT"], test["id"]);
    assert_eq!((&repair["uur"]["processCode"], &repair["type"]), (&json!(10), &json!("R")));
    assert!(test["id"].is_string());
    host.end();
}

#[test]
fn the_csv_examples_convert() {
    let mut host = Host::start("csv_examples.py");
    let described = host.described();
    let names: Vec<_> =
        described["converters"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
    assert_eq!(names, [json!("our-csv-tests"), json!("our-first-row")]);
    let tests = "serial_number,part_number,test_name,value,unit,status,low_limit,high_limit\n\
        S1,P1,U,5.2,V,P,4.5,5.5\nS1,P1,Version,a,,P,,\nS2,P1,U,9,V,FAIL,,5.5\nS2,P1,Lamp,,,-,,\n";
    let converted = host.convert_with("our-csv-tests", "a.csv", tests, &json!({}));
    let found: Vec<_> = converted.reports.iter().map(|r| (r["sn"].clone(), r["result"].clone())).collect();
    assert_eq!(found, [(json!("S1"), json!("P")), (json!("S2"), json!("F"))]);
    assert_eq!(converted.reports[1]["root"]["steps"][0]["numericMeas"][0]["lowLimit"], 5.5);
    let semicolon = host.convert_with(
        "our-csv-tests",
        "a.csv",
        "sn;pn;name;value\nS;P;T;1\n",
        &json!({"delimiter": ";"}),
    );
    assert_eq!(semicolon.only()["root"]["steps"][0]["numericMeas"][0]["value"], 1.0);

    let row = host.convert_with("our-first-row", "a.csv", "part,serial,result\nP1,S1,ok\n", &json!({}));
    assert_eq!((&row.only()["sn"], &row.only()["result"]), (&json!("S1"), &json!("P")));
    let waiting = host.convert_with("our-first-row", "a.csv", "part,serial,result\nP1,,ok\n", &json!({}));
    assert_eq!(waiting.last["answer"], "not-yet");
    host.end();
}

#[test]
fn a_standard_converter_names_the_one_to_use_instead() {
    let mut host = Host::start("our_seica.py");
    assert_eq!(host.described()["converters"][0]["name"], "our-seica");
    let converted = host.convert("our-seica", "");
    assert!(
        converted.error().contains("built into the appliance as the converter \"seica-xml\""),
        "{}",
        converted.last
    );
    host.end();
}

#[test]
fn an_instance_is_new_for_each_file_unless_it_is_loaded_once() {
    let mut host = Host::start("loaded_once.py");
    let arguments = host.described()["converters"][0]["arguments"].clone();
    assert_eq!(
        arguments[1],
        json!({"name": "factor", "type": "float", "default": 1.0, "help": "", "required": false})
    );
    let value = |converted: &Converted, name: &str| converted.step(name)["numericMeas"][0]["value"].clone();
    for calls in 1..3 {
        let converted = host.convert_with("loaded_once", "a.txt", "", &json!({"factor": 2}));
        assert_eq!((value(&converted, "loads"), value(&converted, "calls")), (json!(1), json!(calls)));
        assert_eq!(value(&converted, "factor"), 2.0);
    }
    let other = host.convert_with("loaded_once", "a.txt", "", &json!({"factor": 3, "delimiter": ","}));
    assert_eq!((value(&other, "calls"), value(&other, "factor")), (json!(1), json!(3.0)));
    let errors = host.end();
    assert!(errors.contains("unloaded 2.0") && errors.contains("unloaded 3.0"), "{errors}");
}

#[test]
fn a_folder_of_several_files_is_a_plugin() {
    let mut host = Host::start("boards");
    assert_eq!(host.convert("boards", "1 2.5\n").step("value 2")["numericMeas"][0]["value"], 2.5);
    let torn = host.convert("boards", "x\n");
    assert!(
        torn.error().contains("(helpers/reading.py, line 3 in numbers: yield number, float(line))"),
        "{}",
        torn.last
    );
    host.end();
}

#[test]
fn a_huge_report_comes_in_one_line() {
    let mut host = Host::start("huge.py");
    let converted = host.convert("huge", "");
    let report = converted.only();
    assert_eq!(report["root"]["steps"].as_array().unwrap().len(), 11);
    assert_eq!(report["root"]["steps"][9]["steps"].as_array().unwrap().len(), 1000);
    assert_eq!(report["root"]["steps"][10]["attachment"]["data"].as_str().unwrap().len(), 8_000_000);
    host.end();
}

/// Ids that a model made up, for two reports that refer to each other.
fn without_ids(mut report: Value) -> Value {
    report.as_object_mut().unwrap().remove("id");
    if let Some(uur) = report["uur"].as_object_mut() {
        uur.remove("refUUT");
    }
    report
}

#[tokio::test]
async fn the_published_package_gives_the_reports_that_ours_gives() {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pywats-environment");
    let (system, requirements) = (Path::new("/usr/bin/python3"), support().join("pywats/requirements.txt"));
    if !environment::is_current(system, &requirements, &environment).unwrap() {
        let supply = environment::Supply::Index;
        environment::make(system, &requirements, &supply, &environment, Duration::from_secs(600))
            .await
            .unwrap();
    }
    let python = environment::python(&environment);
    let log = "ACME;S1;P1;2026-01-31 12:00:00\nU=5.0=4.9=5.1\nI=2.0=0.0=1.0\n";
    let cases = [
        ("acme_log.py", "acme-log", log),
        ("dictionary_old.py", "board-tester", "I1 1.0\nI2 3.0\n"),
        ("third_style.py", "guide", "S1 P1\n"),
        ("results.py", "results", "several"),
        ("results.py", "results", "later"),
        ("results.py", "results", "suspended"),
        ("results.py", "results", "incomplete"),
        ("odd_values.py", "odd_values", "fine"),
        ("loaded_once.py", "loaded_once", ""),
        ("noisy.py", "noisy", ""),
        ("repair.py", "repair", ""),
        ("every_step.py", "every_step", ""),
    ];
    for (plugin, converter, content) in cases {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins").join(plugin);
        let name = if plugin == "third_style.py" { "a.guide" } else { "a.brd" };
        let mut theirs = Host::start_with(python.to_str().unwrap(), &file, &["--environment", "pywats"]);
        let mut ours = Host::start_with("/usr/bin/python3", &file, &["--environment", "compat"]);
        assert_eq!(theirs.described(), ours.described(), "{plugin}");
        let theirs = theirs.convert_with(converter, name, content, &json!({}));
        let ours = ours.convert_with(converter, name, content, &json!({}));
        assert_eq!(theirs.last, ours.last, "{plugin} {content}");
        assert_eq!(theirs.warnings, ours.warnings, "{plugin} {content}");
        let reports = |made: Converted| made.reports.into_iter().map(without_ids).collect::<Vec<_>>();
        let (mut theirs, ours) = (reports(theirs), reports(ours));
        if plugin == "every_step.py" {
            // Theirs throws the name of the called file away, and writes whole numbers of a curve without a point.
            let steps = theirs[0]["root"]["steps"].as_array_mut().unwrap();
            steps[9]["seqCall"]["name"] = json!("s.seq");
            steps[10]["chart"]["series"][0]["xdata"] = json!("0.0;1.0;2.0");
        }
        assert_eq!(theirs, ours, "{plugin} {content}");
    }
    // The report builder is ours in either case.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/nightly.py");
    let mut host = Host::start_with(python.to_str().unwrap(), &file, &["--environment", "pywats"]);
    let request = json!({"request": "convert", "protocol": 1, "converter": "nightly-database", "arguments": {},
        "station": {"name": "ST1", "location": "Oslo", "purpose": "Production"}});
    let answers = host.ask(&request);
    let reports: Vec<_> = answers.iter().filter(|answer| answer["answer"] == "report").collect();
    assert_eq!(reports.len(), 2, "{answers:?}");
    reports.iter().for_each(|answer| accepted(&answer["report"]));
}

#[test]
fn a_file_that_cannot_be_loaded_says_why() {
    let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/missing.py");
    let cases = [
        (
            "python2.py",
            "python2.py cannot be loaded: SyntaxError: Missing parentheses in call to 'print'. Did you mean print(...)? (python2.py, line 6: print \"converting\", source.path)",
        ),
        (
            "nothing.py",
            "nothing.py has no converter: no class that derives from FileConverter, FolderConverter, ScheduledConverter or ConverterBase and has all that it must have (Unfinished lacks convert)",
        ),
        ("missing.py", "there is no file"),
    ];
    for (plugin, expected) in cases {
        let mut host = Host::start(plugin);
        let described = host.described();
        assert_eq!(described["answer"], "error");
        assert!(described["text"].as_str().unwrap().starts_with(expected), "{described}");
        assert!(host.convert("x", "").error().starts_with(expected));
        host.end();
    }
    assert!(!missing.exists());
}
