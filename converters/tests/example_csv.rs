//! Example CSV: the samples, and made files for the corners.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use expect_test::expect;
use serde_json::json;
use support::convert::{
    convert, convert_with, fails, file, leaves, recognised, refuses_what_is_no_log, warns,
};
use wats_converters::ErrorKind;

/// One step of `fail-csv` is excepted: its row has no verdict and no value, and the sample wants a step that is Done
/// around a measurement that Passed. Servers were seen to refuse that, as a step with one measurement must have its
/// status. The verdict that the file does not have is the one to leave out, so the step is Done without a measurement.
#[test]
fn samples() {
    support::check_but("example-csv", "example-csv", ".csv", |name, reports| {
        if name == "fail-csv.csv" {
            let step = &mut reports[0]["root"]["steps"][1];
            assert_eq!((&step["status"], &step["booleanMeas"][0]["status"]), (&json!("D"), &json!("P")));
            step["booleanMeas"] = json!([]);
        }
    });
}

#[test]
fn rows_are_gathered_by_unit_whatever_stands_between() {
    let text = "Serial Number\tPN\tname\tvalue\tlow_limit\thigh_limit\tstatus\tresult\tline\tgroup\n\
                A\tP1\tVolt\t5.5\t\t5\t\t?\tL1\tsetup\n\
                B\tP1\tVolt\t4.5\t1\t5\t-\t\tL1\t\n\
                \t\t\t\t\t\t\t\t\t\n\
                A\tP1\tAmps\tNaN\t1\t\tP\t\tL2\tcleanup\n\
                A\tP2\t\"Text, with \"\"quotes\"\"\"\tabc\t\t\tok\tFAIL\t\t\textra\n\
                A\tP2\t\t7\tx\t\t\t\t\t\n";
    let conversion = convert("example-csv", &file("a.csv", text.as_bytes())).unwrap();
    let shown: Vec<String> = conversion
        .reports
        .iter()
        .map(|report| {
            let steps: Vec<String> = leaves(report)
                .iter()
                .map(|step| {
                    let number =
                        step.numeric_meas.first().map(|it| format!("{} {}", it.value.get(), it.comp_op));
                    format!(
                        "{:?} {} {} {}",
                        step.group,
                        step.name,
                        step.status.letter(),
                        number.unwrap_or_default()
                    )
                })
                .collect();
            format!("{} {} {}: {}", report.sn, report.pn, report.result.letter(), steps.join(" / "))
        })
        .collect();
    expect![[r#"
        A P1 F: Setup Volt F 5.5 LE / Cleanup Amps P NaN GE
        B P1 P: Main Volt P 4.5 GELE
        A P2 F: Main Text, with "quotes" P  / Main Row 7 P 7 LOG"#]]
    .assert_eq(&shown.join("\n"));
    expect![[r#"
        column "line" is not known: kept as misc info (2 times)
        column "line" has several values in a unit: the first is kept
        column "Column 11" is not known: kept as misc info
        line 7: the limit "x" is no number and left out"#]]
    .assert_eq(&conversion.warnings.join("\n"));
}

#[test]
fn units_without_tests_have_a_report_too() {
    let input = file("a.csv", b"sn,pn,result,process\nA,P,Pass,20\nB,P,F,none");
    let conversion = convert_with("example-csv", &input, &[("operationTypeCode", "30")]).unwrap();
    let shown: Vec<_> = conversion.reports.iter().map(|it| (it.result.letter(), it.process_code)).collect();
    assert_eq!(shown, [("P", Some(20)), ("F", Some(30))]);
    warns(&conversion, "\"none\" is no process code");
}

#[test]
fn encodings_are_read_as_set_or_marked() {
    let text = "sn;pn;name;value;unit\nA;P;Strom;5;\u{b5}A\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let marked = [&b"\xff\xfe"[..], &utf16].concat();
    for (bytes, encoding) in [
        (text.as_bytes(), "Auto"),
        (text.as_bytes(), "utf-8"),
        (&utf16, "utf-16"),
        (&marked, "latin-1"),
        (&latin, "latin-1"),
        (&latin, "Auto"),
    ] {
        let conversion =
            convert_with("example-csv", &file("a.csv", bytes), &[("encoding", encoding)]).unwrap();
        let step = leaves(&conversion.reports[0])[0].clone();
        assert_eq!(step.numeric_meas[0].unit.as_deref(), Some("µA"), "{encoding}");
    }
    recognised(&file("a.csv", &marked), "example-csv");
}

#[test]
fn a_line_for_excel_and_numbers_that_are_not_finite() {
    let rows =
        "sep=;\r\nsn;pn;name;value;status;low_limit;high_limit\r\nA;P;V;inf;F;-Inf;5\r\nA;P;W;1,5;P;;\r\n";
    let input = file("a.csv", rows.as_bytes());
    recognised(&input, "example-csv");
    let conversion = convert("example-csv", &input).unwrap();
    let steps = leaves(&conversion.reports[0]);
    let measured = &steps[0].numeric_meas[0];
    assert_eq!(measured.value.get(), f64::INFINITY);
    // Behind a limit at infinity lies no number: it is none.
    assert_eq!(
        (&*measured.comp_op, measured.low_limit.unwrap().get(), measured.high_limit),
        ("LE", 5.0, None)
    );
    // A comma makes it a text.
    assert_eq!(steps[1].string_meas[0].value.as_deref(), Some("1,5"));
    assert_eq!(conversion.warnings, Vec::<String>::new());
}

#[test]
fn a_word_that_is_no_verdict_is_named() {
    let rows = "sn,pn,name,value,status\nA,P,V,5,NOK\nA,P,W,5,NOK\nA,P,X,5,-\nA,P,Y,5,ok\n";
    let conversion = convert("example-csv", &file("a.csv", rows.as_bytes())).unwrap();
    assert_eq!(
        conversion.warnings,
        ["the status \"NOK\" is none of P, PASS, PASSED, OK, F, FAIL and FAILED: read as Done (2 times)"]
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    fails("example-csv", &file("a.csv", b"sn,pn\nA,P\n,P\n"), "line 3: the row has no serial number");
    // Empty lines before the titles count.
    fails("example-csv", &file("a.csv", b"\n \nsn,pn\nA,P\n,P\n"), "line 5: the row has no serial number");
    recognised(&file("a.csv", b"\n \nsn,pn,name\nA,P,x\n"), "example-csv");
    fails(
        "example-csv",
        &file("a.csv", b"a,b\n1,2\n"),
        "line 1: the first row \"a,b\" does not name the columns",
    );
    let cut = convert("example-csv", &file("a.csv", b"sn,pn,name,value\nA,P,V,5\nA,P,V")).unwrap_err();
    assert_eq!(cut.kind, ErrorKind::NotYet);
    assert!(cut.to_string().starts_with("line 3: the last row ends after 3 of 4 columns"), "{cut}");
    let open = convert("example-csv", &file("a.csv", b"sn,pn,name\nA,P,\"V\n")).unwrap_err();
    assert_eq!(open.kind, ErrorKind::NotYet);
    assert_eq!(convert("example-csv", &file("a.csv", b"sn,pn\n")).unwrap_err().kind, ErrorKind::NotYet);
    let strict = [("skip_empty_rows", "false")];
    let error = convert_with("example-csv", &file("a.csv", b"sn,pn\nA,P\n\nA,P\n"), &strict).unwrap_err();
    assert!(error.to_string().starts_with("line 3: the row is empty"), "{error}");
    let error =
        convert_with("example-csv", &file("a.csv", b"sn,pn\nA,P\n"), &[("delimiter", "::")]).unwrap_err();
    assert!(error.to_string().contains("expected one character, Tab or Auto"), "{error}");
    refuses_what_is_no_log("example-csv");
}
