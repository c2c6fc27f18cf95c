//! Corners of WATS Standard Text that field files have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use proptest::prelude::*;
use wats_converters::{Arguments, Conversion, ConvertError, Input, Station, catalogue, find};

fn convert(converter: &str, bytes: &[u8]) -> Result<Conversion, ConvertError> {
    let converter = find(converter).unwrap();
    let input = Input {
        file_name: "unit.txt".to_owned(),
        bytes: bytes.to_vec(),
        companions: Vec::new(),
        modified: "2026-01-02T03:04:05Z".parse().unwrap(),
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Production".to_owned(),
            time_zone: jiff::tz::TimeZone::get("Europe/Oslo").unwrap(),
        },
        now: "2026-01-02T03:05:00Z".parse().unwrap(),
    };
    converter.convert(&input, &Arguments::defaults(converter.about().arguments))
}

fn with_steps(rows: &str) -> String {
    format!(
        "--Header-Start--\nSerialNumber\tS\nPartNumber\tP\n--Step-Data-Start--\n{rows}\n--Step-Data-End--\n--UUT-End--\n"
    )
}

fn check(rows: &str, expected: &str) {
    let conversion = convert("wats-text", with_steps(rows).as_bytes()).unwrap();
    let root = conversion.reports[0].root.as_ref().unwrap();
    let shown: Vec<String> = root
        .walk()
        .skip(1)
        .map(|step| {
            let count = step.numeric_meas.len() + step.string_meas.len() + step.boolean_meas.len();
            format!("{} {} {} {count}", step.step_type, step.name, step.status.letter())
        })
        .collect();
    assert_eq!(shown.join(" | "), expected);
}

#[test]
fn a_missing_verdict_is_computed_from_the_limits() {
    check("NumericLimitTest\tA\t\t5\t1\t4\tGELE\tV", "ET_NLT A F 1");
    check("NumericLimitTest\tA\t\t5\t1\t9\t\tV", "ET_NLT A P 1");
    check("StringValueTest\tA\t\tx\ty", "ET_SVT A F 1");
    check("PassFailTest\tA\t\tTrue", "ET_PFT A P 1");
    // A status that is not known is none.
    check("NumericLimitTest\tA\t\t5\t1\t4\tGELE\tV\tU", "ET_NLT A F 1");
}

#[test]
fn failures_rise_to_the_sequence_and_the_report() {
    let text = with_steps("SequenceCall\tGroup\nNumericLimitTest\tA\t\t5\t1\t4\tGELE\tV\nEndSequenceCall");
    let conversion = convert("wats-text", text.as_bytes()).unwrap();
    assert_eq!(conversion.reports[0].result.letter(), "F");
    assert_eq!(conversion.reports[0].root.as_ref().unwrap().status.letter(), "F");
}

#[test]
fn measurements_of_one_step_are_gathered_under_differing_names() {
    check(
        "NumericLimitTest\tVolt\ta\t1\nNumericLimitTest\t\tb\t2\nNumericLimitTest\tVolt\tb\t3",
        "ET_MNLT Volt P 3",
    );
    check(
        "NumericLimitTest\tVolt\ta\t1\nNumericLimitTest\tOther\tb\t2",
        "ET_MNLT Volt P 1 | ET_MNLT Other P 1",
    );
    // A row of a single measurement is a step of its own, named by what it has.
    check("NumericLimitTest\tVolt\t\t1\nNumericLimitTest\t\tb\t2", "ET_NLT Volt P 1 | ET_NLT b P 1");
}

#[test]
fn every_measurement_of_several_has_a_name_of_its_own() {
    let names = |rows: &str| {
        let report = convert("wats-text", with_steps(rows).as_bytes()).unwrap().reports.remove(0);
        let step = report.root.as_ref().unwrap().children()[0].clone();
        assert_eq!((step.step_type.as_str(), step.numeric_meas.len()), ("ET_MNLT", 2));
        step.numeric_meas.iter().map(|it| it.name.as_ref().unwrap().to_string()).collect::<Vec<_>>()
    };
    // The first did not know that it would be one of several.
    assert_eq!(names("NumericLimitTest\tVolt\t\t1\nMultipleNumericLimitTest\t\tb\t2"), ["Volt", "b"]);
    let long = "n".repeat(120);
    let [first, second] =
        names(&format!("NumericLimitTest\tV\t{long}\t1\nNumericLimitTest\t\t{long}\t2")).try_into().unwrap();
    assert!(first != second && first.len() <= 100 && second.len() <= 100, "{first} {second}");
}

#[test]
fn brackets_name_the_step_of_the_measurements_between_them() {
    check(
        "MultipleNumericLimitTest\tCells\nNumericLimitTest\t\ta\t1\nNumericLimitTest\t\tb\t2\nEndMultipleNumericLimitTest\n\
         NumericLimitTest\tOther\t\t3",
        "ET_MNLT Cells P 2 | ET_NLT Other P 1",
    );
    check(
        "MultipleNumericLimitTest\tCells\nNumericLimitTest\tCells\ta\t1\nNumericLimitTest\tCells\tb\t2\t3\t4\t\tV",
        "ET_MNLT Cells F 2",
    );
    // One of a test that was skipped has no measurements.
    check(
        "SequenceCall\tS\nMultipleNumericLimitTest\tA\t\t\t\t\t\t\tSkipped\nMultipleNumericLimitTest\tB\n\
         EndMultipleNumericLimitTest\nMultiplePassFailTest\tC\t\t\t\t\t\t\tFailed\nEndSequenceCall\n\
         MultipleNumericLimitTest\tD\nNumericLimitTest\tE\t\t1\nMultipleNumericLimitTest\tF",
        "SequenceCall S F 0 | Action A S 0 | Action B D 0 | Action C F 0 | Action D D 0 | ET_NLT E P 1 | Action F D 0",
    );
    check("MultipleNumericLimitTest\tA\t\t\t\t\t\t\tFailed\nNumericLimitTest\t\t\t1\t0\t2", "ET_NLT A P 1");
    // The only measurement of a step has its status.
    let one = "MultipleNumericLimitTest\tA\t\t\t\t\t\t\tFailed\nNumericLimitTest\t\ta\t1\t0\t2";
    check(one, "ET_MNLT A F 1");
    let report = convert("wats-text", with_steps(one).as_bytes()).unwrap().reports.remove(0);
    assert_eq!(report.root.as_ref().unwrap().children()[0].numeric_meas[0].status.letter(), "F");
    check(&one.replace("Failed", "Error"), "ET_MNLT A E 0");
    // What the bracket says of the step is the step's, and each measurement keeps its name.
    let rows = "MultipleNumericLimitTest\tCells\t\t\t\t\t\t\tFailed\t1.5\tfirst\t7\tboom\n\
                NumericLimitTest\t\ta\t1\t\t\t\t\tPassed\t\tof a\nNumericLimitTest\t\tb\t2\t\t\t\t\tPassed\t\tof b";
    check(rows, "ET_MNLT Cells F 2");
    let report = convert("wats-text", with_steps(rows).as_bytes()).unwrap().reports.remove(0);
    let step = &report.root.as_ref().unwrap().children()[0];
    let names: Vec<_> = step.numeric_meas.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!((step.tot_time.unwrap().get(), step.error_code), (1.5, Some(7)));
    assert_eq!(step.report_text.as_deref(), Some("first\nof a\nof b"));
    assert_eq!(step.rare.error_message.as_deref(), Some("boom"));
}

#[test]
fn stated_verdicts_are_kept_and_agree_with_their_measurement() {
    check("NumericLimitTest\tA\t\t5\t1\t9\tGELE\tV\tError", "ET_NLT A E 1");
    check("PassFailTest\tA\t\t\t\t\t\t\tPassed", "ET_PFT A P 1");
    check("PassFailTest\tA\t\tFALSE\t\t\t\t\tPassed", "ET_PFT A F 1");
    check(
        "numericlimittest\tA\ta\t1\t\t\t\t\tPassed\nNumericLimitTest\tA\tb\t2\t\t\t\t\tSkipped",
        "ET_MNLT A P 2",
    );
    let text = with_steps("NumericLimitTest\tA\t\t5\t1\t9\tGELE\tV\tError");
    let report = convert("wats-text", text.as_bytes()).unwrap().reports.remove(0);
    assert!(
        wats::validate::problems(&report, wats::validate::Strictness::Observed)
            .iter()
            .all(|p| p.path == "id")
    );
}

#[test]
fn charts_hang_on_the_step_above_them() {
    let text = with_steps(
        "NumericLimitTest\tA\t\t5\nChart\tLineLogX\tBode\tdB\tGain\tHz\tFrequency\nSeries\tCh1\tXYG\t1;2,5;3\t10;20;30\nSeries\tCh2\tXYG\t1",
    );
    let report = convert("wats-text", text.as_bytes()).unwrap().reports.remove(0);
    let chart = report.root.as_ref().unwrap().children()[0].rare.chart.clone().unwrap();
    let shown = serde_json::to_string(&chart).unwrap();
    expect_test::expect![[r#"{"chartType":"LineLogX","label":"Bode","xLabel":"Frequency","xUnit":"Hz","yLabel":"Gain","yUnit":"dB","series":[{"dataType":"XYG","name":"Ch1","xdata":"10.0;20.0;30.0","ydata":"1.0;2.5;3.0"},{"dataType":"XYG","name":"Ch2","xdata":null,"ydata":"1.0"}]}"#]]
        .assert_eq(&shown);
}

#[test]
fn several_reports_in_a_file_are_several_units() {
    let text = with_steps("ActionStep\tA").repeat(3);
    assert_eq!(convert("wats-text", text.as_bytes()).unwrap().reports.len(), 3);
}

#[test]
fn a_report_that_lacks_only_its_last_marker_is_used_and_one_that_breaks_off_is_not() {
    let whole = with_steps("ActionStep\tA");
    let footer = whole.split("--UUT-End--").next().unwrap();
    let conversion = convert("wats-text", footer.as_bytes()).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    assert!(conversion.warnings.iter().any(|w| w.contains("--UUT-End--")), "{:?}", conversion.warnings);
    let broken = whole.split("--Step-Data-End--").next().unwrap();
    let header = whole.split("PartNumber").next().unwrap();
    for text in [broken, header] {
        let error = convert("wats-text", text.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("ends in the middle of the report that begins at line 1"),
            "{error}"
        );
    }
    let two = format!("{whole}{broken}");
    let conversion = convert("wats-text", two.as_bytes()).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    assert!(conversion.warnings.iter().any(|w| w.contains("left out")), "{:?}", conversion.warnings);
}

#[test]
fn a_footer_that_breaks_off_gives_no_wrong_verdict() {
    let whole = with_steps("NumericLimitTest\tA\t\t5\t1\t4");
    let steps = whole.split("--UUT-End--").next().unwrap();
    for (footer, result) in [
        ("UUTStatus\tFailed", "F"),
        ("UUTStatus\tTerm", "T"),
        ("UUTStatus\tFaile", "F"),
        ("UUTStatus\tPas", "F"),
    ] {
        let conversion = convert("wats-text", format!("{steps}{footer}").as_bytes()).unwrap();
        assert_eq!(conversion.reports[0].result.letter(), result, "{footer}");
        assert!(conversion.warnings.iter().any(|it| it.contains("--UUT-End--")), "{:?}", conversion.warnings);
    }
    let conversion = convert("wats-text", format!("{steps}ExecutionTime\t12").as_bytes()).unwrap();
    assert_eq!(conversion.reports[0].uut.as_ref().unwrap().exec_time, None);
    assert!(
        conversion.warnings.iter().any(|it| it.contains("may have lost its end")),
        "{:?}",
        conversion.warnings
    );
}

#[test]
fn a_value_without_a_key_and_a_time_that_no_server_takes_are_named() {
    let text = with_steps("ActionStep\tA")
        .replace("PartNumber", "\tlost\nStartDateTime\t1899-12-30T00:00:00\nPartNumber");
    let conversion = convert("wats-text", text.as_bytes()).unwrap();
    let report = &conversion.reports[0];
    assert!(report.misc_infos.is_empty());
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2026-01-02T04:04:05+01:00");
    for words in ["\"lost\" has no key", "is before 1970"] {
        assert!(conversion.warnings.iter().any(|it| it.contains(words)), "{:?}", conversion.warnings);
    }
}

#[test]
fn a_number_of_nothing_but_control_characters_is_missing() {
    let unit = |serial: &str, station: &str| {
        format!(
            "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tP\nStationName\t{station}\n--Step-Data-Start--\n\
             PassFailTest\tA\t\tTrue\n--Step-Data-End--\n--UUT-End--\n"
        )
    };
    let error = convert("wats-text", unit("\u{1}\u{2} ", "S").as_bytes()).unwrap_err();
    assert!(error.to_string().contains("no serial number"), "{error}");
    let conversion = convert("wats-text", unit("S", "\u{1}").as_bytes()).unwrap();
    assert_eq!(conversion.reports[0].machine_name, "ST1");
}

#[test]
fn errors_say_where_and_what_to_do() {
    for (converter, bytes, expected) in [
        ("wats-text", &b"hello"[..], "there is no --Header-Start-- marker"),
        (
            "wats-text",
            b"--Header-Start--\nPartNumber\tP\n--UUT-End--",
            "line 1: the file has no serial number",
        ),
        ("wats-json", b"{\"type\":\"T\",\"sn\":\"1\",", "line 1, column 21: the file ends in the middle"),
        ("wats-json", b"[1]", "the document is no JSON object"),
        (
            "wats-json",
            b"{\"sn\":\"1\",\"pn\":\"2\",\"root\":{\"status\":\"P\",\"numericMeas\":[{\"status\":\"X\"}]}}",
            "root.numericMeas[0].status: ",
        ),
        ("wats-json", b"PK\x03\x04\0\0", "the file is binary"),
    ] {
        let error = convert(converter, bytes).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn endless_nesting_is_refused() {
    let text = with_steps(&"SequenceCall\tA\n".repeat(1000));
    assert!(convert("wats-text", text.as_bytes()).unwrap_err().to_string().contains("nested"));
    let json = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(convert("wats-json", json.as_bytes()).is_err());
}

proptest! {
    #[test]
    fn no_input_panics_and_every_report_can_be_written(bytes in prop::collection::vec(any::<u8>(), 0..400), rows in "[A-Za-z\t\n.,0-9-]{0,200}") {
        for converter in catalogue() {
            for input in [bytes.clone(), with_steps(&rows).into_bytes()] {
                if let Ok(conversion) = convert(converter.about().name, &input) {
                    for report in conversion.reports {
                        prop_assert!(wats::wsjf::read(&wats::wsjf::write(&report).unwrap()).is_ok());
                    }
                }
            }
        }
    }
}
