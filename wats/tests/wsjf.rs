//! What a server takes is read, what it keeps is kept, and nothing that arrives stops the reader.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]
use proptest::prelude::*;
use serde_json::{Value, json};
use wats::report::Status;
use wats::validate::{Strictness, problems};
use wats::wsjf::{self, WsjfError};
use wats::wsxf;

fn small() -> Value {
    json!({
        "type": "T", "pn": "P", "sn": "S", "rev": "A", "result": "P", "machineName": "M", "location": "L",
        "purpose": "U", "processCode": 10, "start": "2026-01-30T22:01:41.4707353+01:00",
        "root": { "stepType": "SequenceCall", "name": "Root", "group": "M", "status": "P", "steps": [
            { "stepType": "ET_NLT", "name": "A", "group": "M", "status": "P",
              "numericMeas": [{ "compOp": "LOG", "status": "P", "value": "-Infinity" }] },
        ] },
    })
}

fn written(document: &Value) -> Value {
    let report = wsjf::read(&serde_json::to_vec(document).unwrap()).unwrap();
    serde_json::from_slice(&wsjf::write(&report).unwrap()).unwrap()
}

#[test]
fn lists_that_are_null_are_as_good_as_absent() {
    let mut document = small();
    for name in ["miscInfos", "subUnits", "assets", "assetStats", "binaryData", "additionalData"] {
        document[name] = Value::Null;
    }
    for name in ["steps", "numericMeas", "stringMeas", "booleanMeas", "additionalResults"] {
        document["root"]["steps"][0][name] = Value::Null;
    }
    document["root"]["chart"] = json!({ "chartType": "Line", "series": null });
    document["root"]["additionalResults"] = json!([{ "name": "N", "props": null }]);
    let read = wsjf::read(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert!(read.misc_infos.is_empty() && read.root.unwrap().rare.chart.as_ref().unwrap().series.is_empty());
}

/// The quick way in gives what the long one gives, or nothing.
#[test]
fn the_quick_reader_agrees_with_the_long_one() {
    let check = |document: &Value, quick: bool| {
        let text = document.to_string();
        let read = wsjf::read_plain(text.as_bytes());
        assert_eq!(read.is_some(), quick, "{text}");
        let list = wsjf::read_plain_list(format!("[{text}, {text}]").as_bytes());
        assert_eq!(list.is_some(), quick, "{text}");
        if let Some(read) = read {
            assert_eq!(read, wsjf::from_value(document.clone()).unwrap(), "{text}");
            assert_eq!(list, Some(vec![read.clone(), read]), "{text}");
        }
    };
    check(&small(), true);
    for (place, value, quick) in [
        ("/root/steps/0/numericMeas/0/name", Value::Null, true),
        ("/root/steps/0/numericMeas/0/HighLimit", json!(5), false),
        ("/root/steps/0/numericMeas/0/pn", Value::Null, false),
        ("/root/steps/0/steps", Value::Null, true),
        ("/root/steps/0/numericMeas", Value::Null, false),
        ("/root/steps/0/unheardOf", json!({ "a": null, "PN": 1 }), true),
        ("/root/steps/0/numericMeas/0/sn", json!("a known name elsewhere"), true),
        ("/root/steps/0/numericMeas/0/uut", json!({ "COMMENT": null }), false),
        ("/miscInfos", json!([{ "description": "d", "text": "t" }]), true),
        ("/miscInfos", json!([{ "description": "d", "Text": "t" }]), false),
        ("/SN", json!("other"), false),
        ("/sn", Value::Null, false),
        ("/processCode", json!("10"), false),
    ] {
        let mut document = small();
        let (parent, name) = place.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[name] = value;
        check(&document, quick);
    }
}

/// Every member of a step comes back, those that most steps do not have and unknown ones included; one that stands there
/// twice counts as it stands last, in both ways in.
#[test]
fn a_step_is_read_and_written_with_all_its_members() {
    let step = json!({
        "id": 7, "group": "C", "stepType": "ET_A", "name": "n", "status": "F", "start": "2026-01-30T22:01:41Z",
        "totTime": 0.5, "totTimeFormat": "%f", "errorCode": -17, "errorCodeFormat": "%d", "errorMessage": "e",
        "reportText": "r", "tsGuid": "ID#:1", "causedSeqFailure": true, "causedUUTFailure": false,
        "interactiveExeNum": 3, "interactiveExeNumFormat": "%x",
        "loop": { "idx": null, "num": 2, "endingIndex": 1, "passed": 1, "failed": 1 },
        "seqCall": { "path": "p", "name": "n", "version": "1" }, "steps": [],
        "numericMeas": [
            { "compOp": "GE", "name": "a", "status": "P", "unit": "V", "value": 1.5, "valueFormat": "%.1f",
              "highLimit": null, "lowLimit": "Infinity", "lowLimitFormat": "%g" },
            { "compOp": "LOG", "name": "b", "status": "P", "unit": null, "value": 2.5, "highLimit": 3.5,
              "highLimitFormat": "%e", "lowLimit": null },
        ],
        "stringMeas": [{ "compOp": "EQ", "name": null, "status": "P", "value": "v", "limit": "v" }],
        "booleanMeas": [{ "name": null, "status": "P" }],
        "callExe": { "exitCode": 1.5, "exitCodeFormat": "%u" },
        "messagePopup": { "response": "yes", "button": 1 },
        "chart": { "chartType": "Line", "label": "l", "xLabel": "x", "xUnit": "s", "yLabel": "y", "yUnit": "V" },
        "attachment": { "name": "f", "contentType": "text/plain", "data": "QQ==" },
        "additionalResults": [{ "name": "more", "props": [] }], "unheardOf": [1],
    });
    let mut document = small();
    document["root"]["steps"] = json!([step, { "name": "next", "status": "P" }]);
    let after = written(&document);
    assert_eq!(after["root"]["steps"][0], step);
    assert_eq!(
        after["root"]["steps"][1],
        json!({ "group": "M", "stepType": "", "name": "next", "status": "P" })
    );

    let members = step.to_string();
    let members = members.trim_matches(['{', '}']);
    let before = r#""tsGuid":"x","steps":[{"status":"P"}],"booleanMeas":[{"status":"F"}]"#;
    let root = format!(r#"{{{before},{members},"errorMessage":null}}"#);
    let text = format!(r#"{{"type":"T","result":"P","root":{root}}}"#);
    let read = wsjf::read_plain(text.as_bytes()).unwrap();
    assert_eq!(read, wsjf::from_value(serde_json::from_str(&text).unwrap()).unwrap());
    let root = read.root.unwrap();
    assert_eq!((root.ts_guid.as_deref(), root.rare.error_message.as_ref()), (Some("ID#:1"), None));
    assert_eq!(
        (root.children().len(), root.boolean_meas.len(), root.boolean_meas[0].status),
        (0, 1, Status::Passed)
    );
}

#[test]
fn what_is_wrong_with_a_step_is_said_by_its_path() {
    let number = json!([{ "status": "P", "value": [] }]);
    for (member, value, path, reason) in [
        (
            "numericMeas",
            number,
            "root.steps[0].numericMeas[0].value",
            "invalid type: sequence, expected a number",
        ),
        ("errorCode", json!("7"), "root.steps[0].errorCode", "invalid type: string \"7\", expected i32"),
        ("steps", json!([{ "name": "n" }]), "root.steps[0].steps[0]", "missing field `status`"),
        ("steps", json!([3]), "root.steps[0].steps[0]", "invalid type: integer `3`, expected struct Step"),
        ("steps", json!(3), "root.steps[0].steps", "invalid type: integer `3`, expected a sequence"),
    ] {
        let mut document = small();
        document["root"]["steps"][0][member] = value;
        let error = wsjf::from_value(document).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{path}: {reason}")), "{error}");
    }
}

#[test]
fn unknown_members_are_kept_to_the_letter_and_known_ones_in_any_case() {
    let mut document = small();
    document["Custom"] = json!({ "Name": 1, "ID": [{ "Status": "x" }] });
    let known = document.as_object_mut().unwrap().remove("pn").unwrap();
    document["PN"] = known;
    let after = written(&document);
    assert_eq!(after["Custom"], document["Custom"]);
    assert_eq!(after["pn"], "P");
}

#[test]
fn numbers_and_times_are_written_as_they_came() {
    let mut document = small();
    for value in [json!(0.1), json!(-0.0), json!(5e-324), json!(f64::MAX), json!("NaN"), json!("Infinity")] {
        document["root"]["steps"][0]["numericMeas"][0]["value"] = value.clone();
        let after = written(&document);
        let shown = after["root"]["steps"][0]["numericMeas"][0]["value"].to_string();
        assert_eq!(shown, value.to_string());
        assert_eq!(after["start"], document["start"]);
    }
}

#[test]
fn steps_are_taken_to_the_limit_and_refused_beyond_it() {
    let nested = |levels: usize| {
        let head = r#"{"type":"T","result":"P","root":"#;
        let open = r#"{"name":"n","status":"P","steps":["#.repeat(levels);
        format!("{head}{open}{}}}", "]}".repeat(levels))
    };
    assert!(wsjf::read(nested(wsjf::MAX_DEPTH).as_bytes()).is_ok());
    let beyond = wsjf::read(nested(wsjf::MAX_DEPTH + 1).as_bytes());
    assert!(matches!(beyond, Err(WsjfError::TooDeep)), "{beyond:?}");
    assert!(wsjf::read(nested(100_000).as_bytes()).is_err());
}

fn check_nothing_stops_the_readers(document: &[u8]) {
    for report in [wsjf::read(document).ok(), wsxf::read(document).ok()].into_iter().flatten() {
        problems(&report, Strictness::Documented);
        assert!(wsjf::read(&wsjf::write(&report).unwrap()).is_ok());
    }
}

proptest! {
    #[test]
    fn no_bytes_stop_the_readers(document in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_nothing_stops_the_readers(&document);
    }

    #[test]
    fn no_damaged_report_stops_the_readers(
        at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<proptest::sample::Index>(), xml in any::<bool>(),
    ) {
        let json = serde_json::to_vec(&small()).unwrap();
        let mut document = if xml { wsxf::write(&wsjf::read(&json).unwrap()).into_bytes() } else { json };
        let place = at.index(document.len());
        document[place] = byte;
        check_nothing_stops_the_readers(&document);
        document.truncate(cut.index(document.len()));
        check_nothing_stops_the_readers(&document);
    }
}
