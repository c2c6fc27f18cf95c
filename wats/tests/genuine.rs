//! Genuine reports of a server, and reports that another client would post, pass through unchanged.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wats::report::{Report, Time};
use wats::validate::{Strictness, problems};
use wats::wsjf;

fn samples() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/reports");
    assert!(folder.is_dir(), "the sample reports are missing: expected them in {}", folder.display());
    folder
}

fn json_samples() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = [samples(), samples().join("generated")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    found.sort();
    assert!(found.len() >= 14, "only {} sample reports found", found.len());
    found
}

fn read(name: &str) -> Report {
    wsjf::read(&std::fs::read(samples().join(name)).unwrap()).unwrap()
}

/// The equality of reports: nulls and empty lists dropped, numbers as doubles, times as instants.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members
                .iter()
                .filter(|(_, v)| !v.is_null() && v.as_array().is_none_or(|a| !a.is_empty()))
                .map(|(k, v)| (k.clone(), normal(v)));
            let mut sorted: Vec<_> = kept.collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(sorted))
        }
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Number(n) => Value::from(n.as_f64().unwrap()),
        Value::String(text) => match Time::from_text(text.as_str()).instant() {
            Some(instant) if text.len() >= 19 => Value::from(instant.to_string()),
            _ => Value::from(text.as_str()),
        },
        other => other.clone(),
    }
}

#[test]
fn every_sample_passes_through_wsjf_unchanged() {
    for path in json_samples() {
        let bytes = std::fs::read(&path).unwrap();
        let before: Value = wsjf::parse(&bytes).unwrap();
        let report = wsjf::read(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let after: Value = serde_json::from_slice(&wsjf::write(&report).unwrap()).unwrap();
        assert_eq!(normal(&before), normal(&after), "{}", path.display());
    }
}

#[test]
fn the_rejected_export_is_rejected_with_the_servers_own_lines() {
    let expected = std::fs::read_to_string(samples().join("uut-wsjf-export.rejection.txt")).unwrap();
    let answered: Vec<String> = problems(&read("uut-wsjf-export.json"), Strictness::Observed)
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected: Vec<&str> = expected.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(expected.len(), 50);
    assert_eq!(answered, expected);
}

#[test]
fn generated_reports_satisfy_the_rules_that_servers_enforce() {
    for path in json_samples().iter().filter(|p| p.to_string_lossy().contains("generated")) {
        let report = wsjf::read(&std::fs::read(path).unwrap()).unwrap();
        let found = problems(&report, Strictness::Observed);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

/// The two with members of a Python client's own dialect are bridged by its converter.
#[test]
fn generated_reports_satisfy_the_documented_rules() {
    let mut checked = 0;
    for path in json_samples().iter().filter(|p| p.to_string_lossy().contains("generated")) {
        let name = path.to_string_lossy();
        if name.contains("uut-header") || name.contains("uut-loop") {
            continue;
        }
        let report = wsjf::read(&std::fs::read(path).unwrap()).unwrap();
        let found = problems(&report, Strictness::Documented);
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        checked += 1;
    }
    assert!(checked >= 9, "only {checked} samples");
}
