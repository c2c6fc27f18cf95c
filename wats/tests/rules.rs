//! Every documented rule is answered when it is broken, and by nothing else.

#![recursion_limit = "256"]
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use serde_json::{Value, json};
use wats::validate::{Strictness, problems};
use wats::wsjf;

fn test_report() -> Value {
    json!({
        "type": "T", "id": "33a2d408-3fc8-480b-b554-6866c77fd91c", "pn": "P", "sn": "S", "rev": "A",
        "processCode": 10, "result": "P", "machineName": "m", "location": "l", "purpose": "p",
        "start": "2026-01-30T22:01:41+01:00",
        "uut": {"user": "u", "execTime": 1.0},
        "miscInfos": [{"description": "d", "text": "t"}],
        "subUnits": [{"partType": "B", "pn": "1", "sn": "2"}],
        "assets": [{"assetSN": "a", "usageCount": 1}],
        "additionalData": [{"name": "n", "props": []}],
        "root": {"stepType": "SequenceCall", "name": "Main", "group": "M", "status": "P", "id": 1,
            "seqCall": {"path": "p", "name": "n", "version": "1"}, "steps": [
                {"stepType": "ET_NLT", "name": "A", "group": "M", "status": "P", "id": 2, "totTime": 0.5,
                 "numericMeas": [{"compOp": "GELE", "status": "P", "value": 1.0, "lowLimit": 0.0, "highLimit": 2.0}]},
                {"stepType": "ET_MSVT", "name": "B", "group": "M", "status": "P", "id": 3,
                 "stringMeas": [{"name": "x", "compOp": "EQ", "status": "P", "value": "v", "limit": "v"},
                                {"name": "y", "compOp": "IgnoreCase", "status": "P", "value": "v", "limit": "V"}],
                 "chart": {"chartType": "Line", "label": "l", "xLabel": "x", "yLabel": "y",
                           "series": [{"dataType": "XYG", "name": "s", "xdata": "1.0;2.0", "ydata": "3.0;4.0"}]}},
                {"stepType": "ET_PFT", "name": "C", "group": "M", "status": "P", "id": 4,
                 "booleanMeas": [{"status": "P"}],
                 "attachment": {"name": "f", "contentType": "text/plain", "data": "YQ=="}},
                {"stepType": "MessagePopup", "name": "D", "group": "M", "status": "D", "id": 5,
                 "messagePopup": {"response": "ok", "button": 1}}
            ]}
    })
}

fn repair_report() -> Value {
    json!({
        "type": "R", "id": "33a2d408-3fc8-480b-b554-6866c77fd91c", "pn": "P", "sn": "S", "rev": "A",
        "processCode": 500, "result": "P", "machineName": "m", "location": "l", "purpose": "p",
        "start": "2026-01-30T22:01:41+01:00",
        "uur": {"user": "u", "processCode": 10, "refUUT": null, "confirmDate": "2026-01-30T21:01:41Z",
                "finalizeDate": "2026-01-30T21:01:41Z", "execTime": 0.0},
        "subUnits": [
            {"partType": "Main", "pn": "P", "sn": "S", "idx": 0, "failures": [
                {"category": "Component", "code": "Broken", "refStepId": 0,
                 "attachments": [{"name": "a", "contentType": "text/plain", "data": "YQ=="}]}]},
            {"partType": "B", "pn": "1", "sn": "2", "idx": 1, "parentIdx": 0}],
        "binaryData": [{"name": "a", "contentType": "text/plain", "data": "YQ=="}]
    })
}

fn answered(report: &Value) -> Vec<String> {
    let report = wsjf::from_value(report.clone()).unwrap();
    problems(&report, Strictness::Documented).iter().map(ToString::to_string).collect()
}

/// Sets the member at the pointer, or takes it out.
fn broken(mut report: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, member) = pointer.rsplit_once('/').unwrap();
    let parent = report.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(members), Some(value)) => drop(members.insert(member.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(member).unwrap()),
        (Value::Array(items), Some(value)) => items.insert(member.parse().unwrap(), value),
        (other, _) => unreachable!("{other}"),
    }
    report
}

fn long(length: usize) -> Value {
    Value::from("µ".repeat(length))
}

#[test]
fn a_report_that_keeps_the_rules_has_no_problems() {
    assert_eq!(answered(&test_report()), Vec::<String>::new());
    assert_eq!(answered(&repair_report()), Vec::<String>::new());
}

#[test]
fn a_broken_rule_of_a_test_report_is_answered() {
    let a = "root -> step A";
    let numeric = "root -> step A -> numericMeas ";
    let chart = "root -> step B -> chart";
    let points: String = vec!["1.0"; 10_001].join(";");
    for (pointer, value, expected) in [
        ("/sn", Some(json!("")), "sn: A value is required.".to_owned()),
        (
            "/processCode",
            Some(json!(40000)),
            "processCode: The value must be a whole number from -32768 to 32767.".into(),
        ),
        ("/start", Some(json!("2026-01-30T22:01:41")), "start: The value is no date with an offset.".into()),
        ("/uut/user", Some(long(101)), "uut: user is longer than 100 characters.".into()),
        ("/uut/comment", Some(long(5001)), "uut: comment is longer than 5000 characters.".into()),
        ("/uut/execTime", Some(json!(-1.0)), "uut: execTime cannot be negative.".into()),
        (
            "/uut/testSocketIndex",
            Some(json!(32768)),
            "uut: testSocketIndex must be a whole number from -32768 to 32767.".into(),
        ),
        ("/miscInfos/0/text", None, "miscInfos -> Index 0: text or numeric is required.".into()),
        (
            "/miscInfos/0/numeric",
            Some(json!(-32769)),
            "miscInfos -> Index 0: numeric must be a whole number from -32768 to 32767.".into(),
        ),
        (
            "/miscInfos/0/description",
            Some(long(101)),
            "miscInfos -> Index 0: description is longer than 100 characters.".into(),
        ),
        ("/subUnits/0/sn", None, "subUnits -> Index 0: sn is required.".into()),
        (
            "/subUnits/0/partType",
            Some(long(51)),
            "subUnits -> Index 0: partType is longer than 50 characters.".into(),
        ),
        ("/assets/0/usageCount", None, "assets -> Index 0: usageCount is required.".into()),
        ("/additionalData/0/name", None, "additionalData -> Index 0: name is required.".into()),
        (
            "/binaryData",
            Some(json!([{"name": "a"}])),
            "binaryData: Files are allowed only in a repair report.".into(),
        ),
        ("/root/steps/0/id", Some(json!(3)), "root: id 3 is required to be unique.".into()),
        ("/root/steps/0/id", None, "root: id is required in every step or in none.".into()),
        (
            "/root/steps/0/errorMessage",
            Some(long(201)),
            format!("{a}: errorMessage is longer than 200 characters."),
        ),
        (
            "/root/steps/0/reportText",
            Some(long(100_001)),
            format!("{a}: reportText is longer than 100000 characters."),
        ),
        ("/root/steps/0/totTime", Some(json!(-0.5)), format!("{a}: totTime cannot be negative.")),
        ("/root/steps/0/start", Some(json!("yesterday")), format!("{a}: start is no date with an offset.")),
        (
            "/root/steps/0/numericMeas/0/unit",
            Some(long(21)),
            format!("{numeric}: unit is longer than 20 characters."),
        ),
        ("/root/steps/0/numericMeas/0/compOp", Some(json!("LOG")), format!("{numeric}: LOG takes no limit.")),
        (
            "/root/steps/0/numericMeas/0/compOp",
            Some(json!("LE")),
            format!("{numeric}: LE takes its limit in lowLimit."),
        ),
        ("/root/steps/0/numericMeas/0/highLimit", None, format!("{numeric}: GELE takes both limits.")),
        (
            "/root/steps/0/loop",
            Some(json!({"idx": 70000})),
            format!("{a}: idx must be a whole number from -32768 to 32767."),
        ),
        ("/root/steps/1/name", Some(json!("A")), "root: Step name A is required to be unique.".into()),
        (
            "/root/steps/1/stringMeas/0/value",
            Some(long(101)),
            "root -> step B -> stringMeas x: value is longer than 100 characters.".into(),
        ),
        (
            "/root/steps/1/stringMeas/1/name",
            Some(json!("x")),
            "root -> step B: Names of measurements are required to be unique.".into(),
        ),
        (
            "/root/steps/1/stringMeas/1/name",
            None,
            "root -> step B: Each of several measurements is required to have a name.".into(),
        ),
        (
            "/root/steps/1/stringMeas/1/status",
            Some(json!("F")),
            "root -> step B: Status cannot be passed when a measurement failed.".into(),
        ),
        (
            "/root/steps/1/status",
            Some(json!("F")),
            "root -> step B: Status cannot be failed when no measurement failed.".into(),
        ),
        (
            "/root/steps/1/stringMeas/1/status",
            Some(json!("D")),
            "root -> step B -> stringMeas y: status must be one of P, F, S.".into(),
        ),
        (
            "/root/steps/1/chart/xLabel",
            Some(long(51)),
            format!("{chart}: xLabel is longer than 50 characters."),
        ),
        (
            "/root/steps/1/chart/series/0/xdata",
            Some(json!("1.0")),
            format!("{chart} -> series s: xdata and ydata are required to have the same number of points."),
        ),
        (
            "/root/steps/1/chart/series/0",
            Some(json!({"dataType": "XYG", "name": "t", "ydata": points})),
            format!("{chart} -> series t: More than 10000 points."),
        ),
        (
            "/root/steps/2/chart",
            Some(json!({"chartType": "Line"})),
            "root -> step C: Chart and attachment cannot both be present.".into(),
        ),
        (
            "/root/steps/2/steps",
            Some(json!([{"stepType": "Action", "name": "X", "status": "D", "id": 9}])),
            "root -> step C: Steps are allowed only with seqCall.".into(),
        ),
        (
            "/root/steps/3/messagePopup/button",
            Some(json!(32768)),
            "root -> step D: button must be a whole number from -32768 to 32767.".into(),
        ),
        (
            "/root/steps/3/name",
            Some(long(101)),
            format!("root -> step {}: name is longer than 100 characters.", "µ".repeat(101)),
        ),
        ("/root/seqCall/version", Some(long(31)), "root: version is longer than 30 characters.".into()),
        ("/result", Some(json!("F")), "root: Status is required to match the result of the report.".into()),
    ] {
        assert_eq!(answered(&broken(test_report(), pointer, value)), [expected], "{pointer}");
    }
    let mut many = test_report();
    let series = json!({"dataType": "XYG", "name": "s", "ydata": "1.0"});
    *many.pointer_mut("/root/steps/1/chart/series").unwrap() = Value::Array(vec![series; 11]);
    assert_eq!(answered(&many), [format!("{chart}: More than 10 series.")]);
}

#[test]
fn a_broken_rule_of_a_repair_is_answered() {
    let failure = "subUnits -> Index 0 -> failures -> Index 0";
    for (pointer, value, expected) in [
        ("/uur/processCode", None, "uur: processCode is required.".to_owned()),
        ("/uur/confirmDate", None, "uur: confirmDate is required.".into()),
        ("/uur/finalizeDate", Some(json!("soon")), "uur: finalizeDate is no date with an offset.".into()),
        ("/uur/execTime", None, "uur: execTime is required.".into()),
        ("/subUnits/1/idx", None, "subUnits -> Index 1: idx is required.".into()),
        ("/subUnits/1/idx", Some(json!(0)), "subUnits -> Index 1: idx 0 is required to be unique.".into()),
        ("/subUnits/1/parentIdx", Some(json!(7)), "subUnits -> Index 1: parentIdx names no unit.".into()),
        ("/subUnits/1/replacedIdx", Some(json!(7)), "subUnits -> Index 1: replacedIdx names no unit.".into()),
        ("/subUnits/0/failures/0/code", None, format!("{failure}: code is required.")),
        (
            "/subUnits/0/failures/0/comRef",
            Some(long(51)),
            format!("{failure}: comRef is longer than 50 characters."),
        ),
        (
            "/subUnits/0/failures/0/attachments/0/data",
            None,
            format!("{failure} -> attachments -> Index 0: data is required."),
        ),
        ("/binaryData/0/contentType", None, "binaryData -> Index 0: contentType is required.".into()),
        ("/uut", Some(json!({"user": "u"})), "uur: A repair report cannot have uut or root.".into()),
    ] {
        assert_eq!(answered(&broken(repair_report(), pointer, value)), [expected], "{pointer}");
    }
    let mut other = repair_report();
    *other.pointer_mut("/subUnits").unwrap() = json!([{"partType": "B", "pn": "1", "sn": "2", "idx": 1}]);
    assert_eq!(answered(&other), ["subUnits: The repaired unit, with idx 0, is required."]);
}

#[test]
fn what_a_skipped_step_carries_is_not_looked_at() {
    let mut report = broken(test_report(), "/root/steps/0/numericMeas/0/compOp", Some(json!("?")));
    assert_eq!(answered(&report).len(), 1);
    report = broken(report, "/root/steps/0/status", Some(json!("S")));
    assert_eq!(answered(&report), Vec::<String>::new());
}
