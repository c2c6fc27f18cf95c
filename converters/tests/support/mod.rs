//! What the tests of all formats share: the samples, and how reports are compared.
#![allow(dead_code, reason = "every test file uses a part of it")]
#![allow(clippy::string_slice, reason = "a test stops at what it did not expect")]

pub(crate) mod convert;
pub(crate) mod stdf;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use wats::report::Time;
use wats_converters::{Arguments, Companion, Input, Station, choose, find};

/// The files of a folder of samples, by name.
pub(crate) fn samples(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(folder);
    assert!(folder.is_dir(), "the samples are missing: expected them in {}", folder.display());
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// A file as a station in UTC reads it.
pub(crate) fn input(path: &Path) -> Input {
    Input {
        file_name: path.file_name().unwrap().to_string_lossy().into_owned(),
        bytes: std::fs::read(path).unwrap(),
        companions: companions(path),
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

/// The files of the folder beside a file that has its name without the ending, with their folders below that.
fn companions(path: &Path) -> Vec<Companion> {
    let root = path.with_extension("");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else {
                let name = entry.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Companion { name, bytes: std::fs::read(&entry).unwrap() });
            }
        }
    }
    found
}

/// Nulls and empty lists dropped, numbers as doubles, times as instants, fresh ids as their placeholder.
pub(crate) fn normal(value: &Value) -> Value {
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

/// Compares every sample of a folder with the reports that a correct converter must deliver.
pub(crate) fn check(folder: &str, converter: &str, extension: &str) {
    check_but(folder, converter, extension, |_, _| {});
}

/// Like [`check`], for samples whose intended reports a server would refuse: `mend` makes them right.
pub(crate) fn check_but(folder: &str, converter: &str, extension: &str, mend: impl Fn(&str, &mut Value)) {
    let mut checked = 0;
    let inputs = samples(&format!("converters/{folder}")).into_iter().filter(|path| {
        let name = path.to_string_lossy();
        let beside = [".expected.json", ".intended.json", ".note.md"];
        path.is_file() && name.ends_with(extension) && !beside.iter().any(|other| name.ends_with(other))
    });
    for path in inputs {
        let mut intended: Value =
            serde_json::from_slice(&std::fs::read(path.with_extension("intended.json")).unwrap()).unwrap();
        mend(&path.file_name().unwrap().to_string_lossy(), &mut intended["reports"]);
        let given: BTreeMap<String, Value> = serde_json::from_value(intended["arguments"].clone()).unwrap();
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let given: BTreeMap<String, String> =
            given.into_iter().map(|(name, value)| (name, text(value))).collect();
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

/// A row of `ground-truth-uuts.tsv`: what stands in a real file about one unit.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Below `samples/real`.
    pub(crate) path: String,
    pub(crate) serial: String,
    pub(crate) part_number: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) operator: Option<String>,
    pub(crate) station: Option<String>,
    /// `P`, `F`, `T` or `E`.
    pub(crate) result: String,
    pub(crate) start_time: Option<String>,
    pub(crate) rows: Option<usize>,
    pub(crate) failed_rows: Option<usize>,
    pub(crate) notes: String,
}

/// The ground truth of all real files of a folder, in file order.
pub(crate) fn units(folder: &str) -> Vec<Unit> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/real/ground-truth-uuts.tsv");
    let table = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut units = Vec::new();
    for line in table.lines().skip(1).filter(|line| line.starts_with(&format!("{folder}/"))) {
        let cells: Vec<&str> = line.split('\t').collect();
        let some = |at: usize| cells.get(at).filter(|cell| **cell != "-").map(|cell| (*cell).to_owned());
        units.push(Unit {
            path: cells[0].to_owned(),
            serial: cells[2].to_owned(),
            part_number: some(3),
            revision: some(4),
            operator: some(5),
            station: some(6),
            result: cells[7].to_owned(),
            start_time: some(8),
            rows: some(9).and_then(|rows| rows.parse().ok()),
            failed_rows: some(10).and_then(|rows| rows.parse().ok()),
            notes: some(11).unwrap_or_default(),
        });
    }
    assert!(!units.is_empty(), "no unit of {folder} in {}", path.display());
    units
}
