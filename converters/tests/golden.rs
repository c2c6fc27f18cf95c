//! Every sample of a format gives the reports that a correct converter must deliver.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wats::report::Time;
use wats_converters::{Arguments, Input, Station, choose, find};

fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(folder);
    assert!(folder.is_dir(), "the samples are missing: expected them in {}", folder.display());
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn input(path: &Path) -> Input {
    Input {
        file_name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: std::fs::read(path).unwrap(),
        modified: "2026-01-02T03:04:05Z".parse().unwrap(),
        station: Station {
            name: "@station".to_owned(),
            location: "@location".to_owned(),
            purpose: "@purpose".to_owned(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        now: "2026-01-02T03:05:00Z".parse().unwrap(),
    }
}

/// Nulls and empty lists dropped, numbers as doubles, times as instants, fresh ids as their placeholder.
fn normal(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut kept: Vec<(String, Value)> = members
                .iter()
                .filter(|(_, v)| !v.is_null() && v.as_array().is_none_or(|list| !list.is_empty()))
                .filter(|(k, v)| !(*k == "id" && **v == "@uuid"))
                .map(|(k, v)| (k.clone(), normal(v)))
                .collect();
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(kept))
        }
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Number(n) => Value::from(n.as_f64().unwrap()),
        Value::String(text) if text == "@file-time" => Value::from("2026-01-02T03:04:05Z +00:00"),
        Value::String(text) => match Time::from_text(text.as_str()).instant() {
            // Equal times have the same instant and the same offset, which Z and +00:00 are.
            Some(instant) if text.len() >= 19 => {
                let tail = text.replace('Z', "+00:00");
                Value::from(format!("{instant} {}", &tail[tail.len() - 6..]))
            }
            _ => Value::from(text.as_str()),
        },
        other => other.clone(),
    }
}

fn check(folder: &str, converter: &str, extension: &str) {
    let mut checked = 0;
    let inputs = samples(&format!("converters/{folder}")).into_iter().filter(|path| {
        let name = path.to_string_lossy();
        name.ends_with(extension) && !name.ends_with(".expected.json") && !name.ends_with(".intended.json")
    });
    for path in inputs {
        let intended: Value =
            serde_json::from_slice(&std::fs::read(path.with_extension("intended.json")).unwrap()).unwrap();
        let given: BTreeMap<String, String> = serde_json::from_value(intended["arguments"].clone()).unwrap();
        let input = input(&path);
        assert_eq!(choose(&input).unwrap().about().name, converter, "{}", path.display());
        let converter = find(converter).unwrap();
        let arguments = Arguments::new(converter.about().arguments, &given).unwrap();
        let reports = converter
            .convert(&input, &arguments)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            .reports;
        for report in &reports {
            // Ids are given by whoever stores the reports.
            let problems = wats::validate::problems(report, wats::validate::Strictness::Observed);
            assert!(problems.iter().all(|p| p.path == "id"), "{}: {problems:?}", path.display());
        }
        let reports: Vec<Value> =
            reports.iter().map(|report| serde_json::to_value(report).unwrap()).collect();
        let shown = |value: &Value| serde_json::to_string_pretty(&normal(value)).unwrap();
        assert_eq!(shown(&Value::Array(reports)), shown(&intended["reports"]), "{}", path.display());
        checked += 1;
    }
    assert!(checked >= 3, "only {checked} samples in {folder}");
}

#[test]
fn wats_text() {
    check("wats-text", "wats-text", ".txt");
}

#[test]
fn wats_json() {
    check("wats-json", "wats-json", ".json");
}

#[test]
fn wats_xml() {
    check("wats-xml", "wats-xml", ".xml");
}

/// The same report, exported by a server in both formats.
#[test]
fn a_genuine_xml_export_has_the_steps_of_its_json_export() {
    let converted = |name: &str, converter: &str| {
        let path = samples("reports").into_iter().find(|path| path.ends_with(name)).unwrap();
        let converter = find(converter).unwrap();
        let arguments = Arguments::defaults(converter.about().arguments);
        converter.convert(&input(&path), &arguments).unwrap().reports.remove(0)
    };
    let xml = converted("uut-wsxf-export.xml", "wats-xml");
    let json = converted("uut-wsjf-export.json", "wats-json");
    assert_eq!((&xml.id, &xml.sn, &xml.start), (&json.id, &json.sn, &json.start));
    let shown = |report: &wats::Report| {
        let steps: Vec<Value> = report
            .root
            .as_ref()
            .unwrap()
            .walk()
            .map(|step| {
                let mut step = step.clone();
                step.steps = None;
                step.seq_call = None;
                step.additional_results.clear();
                if let Some(chart) = &mut step.chart {
                    chart.series.iter_mut().for_each(|series| (series.xdata, series.ydata) = (None, None));
                }
                normal(&serde_json::to_value(step).unwrap())
            })
            .collect();
        assert_eq!(steps.len(), 186);
        serde_json::to_string_pretty(&steps).unwrap()
    };
    assert_eq!(shown(&xml), shown(&json));
}

/// Python clients write the verdict of a pass/fail measurement a second time, which the server does not know.
fn drop_boolean_values(step: &mut Value) {
    let Some(members) = step.as_object_mut() else { return };
    for measurement in members.get_mut("booleanMeas").and_then(Value::as_array_mut).into_iter().flatten() {
        measurement.as_object_mut().unwrap().remove("value");
    }
    members.get_mut("root").into_iter().for_each(drop_boolean_values);
    members
        .get_mut("steps")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .for_each(drop_boolean_values);
}

#[test]
fn genuine_and_generated_reports_convert_as_json() {
    let converter = find("wats-json").unwrap();
    let arguments = Arguments::defaults(converter.about().arguments);
    let all = samples("reports").into_iter().chain(samples("reports/generated"));
    let all: Vec<PathBuf> = all.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    assert!(all.len() >= 14);
    for path in all {
        let conversion = converter
            .convert(&input(&path), &arguments)
            .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert_eq!(conversion.reports.len(), 1, "{}", path.display());
        // The other three have step types, loops or assets in a spelling that is mended.
        let mut before: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        drop_boolean_values(&mut before);
        let after = serde_json::to_value(&conversion.reports[0]).unwrap();
        let mended = ["new_report_example", "uut-loop-pywats", "uut-header-subunits"];
        if !mended.iter().any(|name| path.to_string_lossy().contains(name)) {
            let shown = |value: &Value| serde_json::to_string_pretty(&normal(value)).unwrap();
            assert_eq!(shown(&after), shown(&before), "{}", path.display());
        }
    }
}
