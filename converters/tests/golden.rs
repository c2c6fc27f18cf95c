//! Every sample of a format gives the reports that a correct converter must deliver.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

mod support;

use std::path::PathBuf;

use serde_json::Value;
use support::{check, input, normal, samples};
use wats_converters::{Arguments, find};

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

#[test]
fn seica_xml() {
    check("seica-xml", "seica-xml", "ml");
}

#[test]
fn keysight_testexec_sl() {
    check("keysight-testexec-sl", "keysight-testexec-sl", ".xml");
}

#[test]
fn atml() {
    check("atml", "atml", ".xml");
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
                step.rare.additional_results.clear();
                if let Some(chart) = &mut step.rare.chart {
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
        // The others have step types, loops or assets in a spelling that is mended, or loops that no server takes.
        let mut before: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        drop_boolean_values(&mut before);
        let after = serde_json::to_value(&conversion.reports[0]).unwrap();
        let problems = wats::validate::problems(&conversion.reports[0], wats::validate::Strictness::Observed);
        assert_eq!(problems, [], "{}", path.display());
        let mended = ["new_report_example", "uut-loop-pywats", "uut-header-subunits", "uut-wsjf-export"];
        if !mended.iter().any(|name| path.to_string_lossy().contains(name)) {
            let shown = |value: &Value| serde_json::to_string_pretty(&normal(value)).unwrap();
            assert_eq!(shown(&after), shown(&before), "{}", path.display());
        }
    }
}
