//! XML documents of a server are read as its JSON documents are, and reports survive the way through XML.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its samples must stop")]
use std::path::{Path, PathBuf};

use serde_json::Value;
use wats::report::Report;
use wats::{wsjf, wsxf};

fn samples() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/reports");
    assert!(folder.is_dir(), "the sample reports are missing: expected them in {}", folder.display());
    folder
}

/// Without nulls, empty texts and empty lists, which XML cannot tell from absence.
fn normal(value: Value) -> Value {
    let empty = |value: &Value| {
        value.is_null() || *value == "" || value.as_array().is_some_and(|items| items.is_empty())
    };
    match value {
        Value::Object(members) => {
            let mut kept: Vec<(String, Value)> =
                members.into_iter().map(|(name, member)| (name, normal(member))).collect();
            kept.retain(|(_, member)| !empty(member));
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(normal).collect()),
        other => other,
    }
}

fn shown(report: &Report) -> String {
    let mut value = serde_json::to_value(report).unwrap();
    let members = value.as_object_mut().unwrap();
    // Output of a server, which has no place in XML or is made anew.
    for name in ["assetStats", "startUTC", "processCodeFormat"] {
        members.remove(name);
    }
    serde_json::to_string_pretty(&normal(value)).unwrap()
}

#[test]
fn the_two_exports_of_one_report_are_read_alike() {
    let xml = wsxf::read(&std::fs::read(samples().join("uut-wsxf-export.xml")).unwrap()).unwrap();
    let json = wsjf::read(&std::fs::read(samples().join("uut-wsjf-export.json")).unwrap()).unwrap();
    assert_eq!(xml.start_utc, json.start_utc);
    let (mut xml, mut json) = (xml, json);
    without_xml_free_trees(xml.root.as_mut().unwrap());
    without_xml_free_trees(json.root.as_mut().unwrap());
    assert_eq!(shown(&xml), shown(&json));
}

fn without_xml_free_trees(step: &mut wats::report::Step) {
    step.additional_results.clear();
    step.steps.iter_mut().flatten().for_each(without_xml_free_trees);
}

#[test]
fn every_sample_survives_the_way_through_xml() {
    let mut checked = 0;
    for folder in [samples(), samples().join("generated")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let mut report = wsjf::read(&std::fs::read(&path).unwrap()).unwrap();
            let mut back = wsxf::read(wsxf::write(&report).as_bytes())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for report in [&mut report, &mut back] {
                known_losses(report);
            }
            assert_eq!(shown(&back), shown(&report), "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 14, "only {checked} samples found");
}

/// Members that the model keeps without knowing them, and arrays of additional data, have no XML form.
fn known_losses(report: &mut Report) {
    fn self_prop(prop: &mut wats::report::Property) {
        prop.array = None;
        for inner in prop.props.iter_mut().flatten() {
            self_prop(inner);
        }
    }
    fn step(this: &mut wats::report::Step) {
        this.extra.clear();
        if let Some(turn) = &mut this.loop_ {
            turn.extra.clear();
        }
        if let Some(file) = &mut this.attachment {
            file.extra.clear();
        }
        this.boolean_meas.iter_mut().for_each(|meas| meas.extra.clear());
        this.steps.iter_mut().flatten().for_each(step);
    }
    report.extra.clear();
    for asset in &mut report.assets {
        asset.extra.clear();
    }
    for data in &mut report.additional_data {
        data.props.iter_mut().for_each(self_prop);
    }
    if let Some(uur) = &mut report.uur {
        uur.extra.clear();
    }
    if let Some(uut) = &mut report.uut {
        uut.extra.clear();
        uut.ref_uurs = None;
    }
    if let Some(root) = &mut report.root {
        step(root);
    }
}

#[test]
fn texts_with_markup_and_line_ends_survive() {
    let mut report = Report::uut("P<&>\"1\"", "S'1\t2", "A\nB");
    let root = report.root.as_mut().unwrap();
    root.report_text = Some("a < b\r\n& \"c\" ]]> µ".to_owned());
    let back = wsxf::read(wsxf::write(&report).as_bytes()).unwrap();
    assert_eq!((&back.pn, &back.sn, &back.rev), (&report.pn, &report.sn, &report.rev));
    assert_eq!(back.root.unwrap().report_text, report.root.unwrap().report_text);
}

#[test]
fn what_is_no_report_is_named_with_its_place() {
    for (document, expected) in [
        ("<Reports/>", "the document holds 0 reports; the server takes one at a time"),
        (
            "<Reports><Report Result='Passed'/><Report/></Reports>",
            "the document holds 2 reports; the server takes one at a time",
        ),
        (
            "<Reports><Report type='X' Result='Passed'/></Reports>",
            "/Reports/Report/@type: \"X\" is no UUT or UUR",
        ),
        ("<Reports><Report/></Reports>", "/Reports/Report/@Result: a value is required"),
        (
            "<Reports><Report Result='Passed'><Step Name='A' Status='Passed' Id='x'/></Report></Reports>",
            "/Reports/Report/Step[A]/@Id: \"x\" is no whole number",
        ),
        ("<a><b></a>", "the document is no well-formed XML: expected 'b' tag, not 'a' (line 1, column 7)"),
    ] {
        assert_eq!(wsxf::read(document.as_bytes()).unwrap_err().to_string(), expected);
    }
    let deep = "<a>".repeat(100_000);
    assert!(matches!(wsxf::read(deep.as_bytes()), Err(wsxf::WsxfError::TooDeep)));
}
