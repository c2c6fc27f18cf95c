//! ATML: the real files, and corners of the format that they do not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::{
    convert, convert_with, fails, file, leaves, may_break_off_anywhere, real_files, refuses_what_is_no_log,
    step, warns,
};
use wats::Report;
use wats::report::{Group, Status, Step};
use wats_converters::Conversion;

const NAME: &str = "atml";

/// A file of one unit with these elements in its result set.
fn unit(inside: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="utf-8"?>
<tr:TestResults xmlns:tr="urn:IEEE-1636.1:2013:TestResults" xmlns:c="urn:IEEE-1671:2010:Common"
    xmlns:ts="www.ni.com/TestStand/ATMLTestResults/3.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<tr:ResultSet name="a.seq#Main" startDateTime="2025-07-01T10:00:00" endDateTime="2025-07-01T10:00:05.5">
<tr:Outcome value="Passed"/>{inside}</tr:ResultSet>
<tr:UUT><c:SerialNumber>S1</c:SerialNumber></tr:UUT></tr:TestResults>"#
    )
}

fn converted(inside: &str) -> Conversion {
    convert(NAME, &file("report.xml", unit(inside).as_bytes())).unwrap_or_else(|error| panic!("{error}"))
}

fn report(inside: &str) -> Report {
    converted(inside).reports.remove(0)
}

/// A step of that type with that outcome.
fn test(kind: &str, outcome: &str, inside: &str) -> String {
    format!(
        r#"<tr:Test ID="1" name="T"><tr:Extension><ts:TSStepProperties><ts:StepType>{kind}</ts:StepType>
        <ts:StepGroup>Main</ts:StepGroup></ts:TSStepProperties></tr:Extension>{outcome}{inside}</tr:Test>"#
    )
}

fn number(name: &str, value: &str, limits: &str) -> String {
    format!(
        r#"<tr:TestResult name="{name}"><tr:TestData><c:Datum xsi:type="c:double" value="{value}"/></tr:TestData>{limits}</tr:TestResult>"#
    )
}

fn limits(inside: &str) -> String {
    format!("<tr:TestLimits><tr:Limits>{inside}</tr:Limits></tr:TestLimits>")
}

fn pair(operator: &str, first: (&str, &str), second: (&str, &str)) -> String {
    let limit = |(comparator, value): (&str, &str)| {
        format!(
            r#"<c:Limit comparator="{comparator}"><c:Datum xsi:type="c:double" value="{value}"/></c:Limit>"#
        )
    };
    limits(&format!(r#"<c:LimitPair operator="{operator}">{}{}</c:LimitPair>"#, limit(first), limit(second)))
}

const PASSED: &str = r#"<tr:Outcome value="Passed"/>"#;
const FAILED: &str = r#"<tr:Outcome value="Failed"/>"#;

fn shown(step: &Step) -> String {
    let numbers = step.numeric_meas.iter().map(|it| {
        let limits: Vec<String> =
            [it.low_limit, it.high_limit].iter().flatten().map(|it| it.get().to_string()).collect();
        format!(
            "{}={} {} {} {}",
            it.name.as_deref().unwrap_or_default(),
            it.value.get(),
            it.comp_op,
            limits.join(".."),
            it.status.letter()
        )
    });
    let texts = step.string_meas.iter().map(|it| {
        format!(
            "{}={:?} {} {:?} {}",
            it.name.as_deref().unwrap_or_default(),
            it.value.as_deref().unwrap_or_default(),
            it.comp_op,
            it.limit.as_deref().unwrap_or_default(),
            it.status.letter()
        )
    });
    let flags = step
        .boolean_meas
        .iter()
        .map(|it| format!("{} {}", it.name.as_deref().unwrap_or_default(), it.status.letter()));
    let all: Vec<String> = numbers.chain(texts).chain(flags).map(|it| it.trim().to_owned()).collect();
    format!("{} {}: {}", step.step_type, step.status.letter(), all.join("; ")).trim_end().to_owned()
}

#[track_caller]
fn check(step_xml: &str, expected: &str) {
    let report = report(step_xml);
    let steps = leaves(&report);
    assert_eq!(steps.iter().map(|step| shown(step)).collect::<Vec<_>>(), [expected]);
}

#[test]
fn real_files_say_what_stands_in_them() {
    let mut looked = 0;
    for (conversion, units) in real_files("atml", NAME) {
        for (report, unit) in conversion.reports.iter().zip(&units) {
            assert_eq!(report.sn, unit.serial);
            assert_eq!(report.pn, unit.part_number.clone().unwrap_or("NA".to_owned()));
            let note = |name: &str| {
                let word = unit.notes.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
                word.unwrap_or_else(|| panic!("no {name} in {}", unit.notes)).to_owned()
            };
            let count = |name: &str| note(name).parse::<usize>().unwrap();
            let uut = report.uut.as_ref().unwrap();
            let socket = uut.test_socket_index.map_or("-".to_owned(), |index| index.to_string());
            assert_eq!(
                (socket, uut.batch_sn.as_deref().unwrap_or("-").to_owned()),
                (note("socket"), note("batchSN"))
            );
            let end: jiff::Timestamp = format!("{}Z", note("end")).parse().unwrap();
            let start = report.start.as_ref().unwrap().instant().unwrap();
            assert!((uut.exec_time.unwrap().get() - end.duration_since(start).as_secs_f64()).abs() < 1e-6);

            let root = report.root.as_ref().unwrap();
            let groups = root.walk().skip(1).filter(|step| step.seq_call.is_some()).count();
            // Version 2.02 has the root as a group. The rich file has two groups that measure, and the summary of a
            // loop of sequence calls, which it writes as a test.
            let of_root = usize::from(unit.path.contains("2.02"));
            let rich = unit.serial == "1498.2141822";
            let (measuring, summary) = if rich { (2, 1) } else { (0, 0) };
            assert_eq!(groups + of_root, count("TestGroup") + summary, "{}", unit.path);
            let tests = count("Test") + count("SessionAction") + measuring - summary;
            assert_eq!(leaves(report).len(), tests, "{}", unit.path);
            let limited = |step: &&Step| {
                step.numeric_meas.iter().filter(|it| it.comp_op != "LOG").count()
                    + step
                        .string_meas
                        .iter()
                        .filter(|it| it.comp_op != "LOG" && step.step_type == "ET_SVT")
                        .count()
            };
            let rows: usize = leaves(report).iter().map(limited).sum();
            assert_eq!(Some(rows), unit.rows, "{}", unit.path);
            looked += 1;
        }
    }
    assert_eq!(looked, 7);
}

#[test]
fn the_rich_real_file_has_its_kinds_of_steps() {
    let files = real_files("atml", NAME);
    let report = files.iter().flat_map(|(it, _)| &it.reports).find(|it| it.sn == "1498.2141822").unwrap();
    for (name, expected) in [
        (
            "Multiple String value test",
            "ET_MSVT F: Measurement 0=\"Response 0\" EQ \"limit 0\" F; Measurement 1=\"Response 1\" LOG \"\" P; Measurement 2=\"Response 2\" EQ \"limit 2\" F",
        ),
        ("Multiple Pass/Fail test", "ET_MPFT F: Meas TRUE P; Meas FALSE F; Meas TRUE #2 P"),
        ("NLT with NAN", "ET_NLT F: =NaN GELE 9..11 F"),
        ("NLT with INF", "ET_NLT F: =inf GELE 9..11 F"),
        ("NLT with unvalid step status", "ET_NLT P: =0 GELE 9..11 P"),
        ("NLT with negative EQT limits PPM", "ET_NLT F: =5 GELE -100.0009..-99.9989 F"),
        ("EQT - DELTA", "ET_NLT P: =0 GELE -5..15 P"),
        ("LTGE", "ET_NLT P: =0 LTGE 9..11 P"),
        ("LOG", "ET_NLT P: =0 LOG  P"),
        ("My Custome Numeric Limit Test", "ET_NLT F: =0 GELE 9..11 F"),
        ("My Custome Step", "MyCustomeStep D:"),
        ("Goto", "Goto S:"),
        ("Semaphore", "NI_Semaphore S:"),
    ] {
        assert_eq!(shown(step(report, name)), expected, "{name}");
    }
    let popup = step(report, "Message Popup").rare.message_popup.as_ref().unwrap();
    assert_eq!((popup.button, popup.response.as_deref()), (Some(2), Some("Response text")));
    assert_eq!(step(report, "Call Executable").rare.call_exe.as_ref().unwrap().exit_code.unwrap().get(), 0.0);
    let text = step(report, "Report Text with new line").report_text.as_deref().unwrap();
    assert!(text.starts_with("6 lines to follow below ending with \":\":\r\n=========\r\n"), "{text}");
    assert_eq!(
        step(report, "NLT with unvalid step status").report_text.as_deref(),
        Some("Outcome Aborted (Tommy)")
    );
    assert_eq!(report.additional_data[0].name.as_deref(), Some("Station info"));
    let infos: Vec<_> = report
        .misc_infos
        .iter()
        .map(|it| (it.description.as_deref().unwrap(), it.text.as_deref().unwrap()))
        .collect();
    assert_eq!(infos, [("Manufacturer.Name", "Virinco"), ("Location", "Norway")]);
    let call =
        report.root.as_ref().unwrap().walk().find(|it| it.name == "WATS steps (WATS seq call)").unwrap();
    assert_eq!(call.seq_call.as_ref().unwrap().version.as_deref(), Some("19.0.0.22"));
}

#[test]
fn version_2_02_has_its_root_in_a_group() {
    let files = real_files("atml", NAME);
    let (conversion, _) = files.iter().find(|(_, units)| units[0].path.contains("2.02")).unwrap();
    let root = conversion.reports[0].root.as_ref().unwrap();
    assert_eq!((root.name.as_str(), root.children().len()), ("MainSequence", 19));
    assert!(root.seq_call.as_ref().unwrap().path.as_ref().unwrap().ends_with("VIC.seq"));
    let call = root.children().iter().find(|it| it.seq_call.is_some()).unwrap();
    assert_eq!((call.name.as_str(), call.children().len()), ("CPU Test", 4));
    let first = &root.children()[0];
    assert_eq!((first.group, first.ts_guid.as_deref()), (Group::Setup, Some("ID#:QdJzwgx36RGCbgAVXQFyUA")));
}

#[test]
fn limits_are_read_in_every_form() {
    let numeric = |limits: &str| test("NumericLimitTest", FAILED, &number("Numeric", "5", limits));
    check(&numeric(&pair("AND", ("GE", "1"), ("LE", "2"))), "ET_NLT F: =5 GELE 1..2 F");
    check(&numeric(&pair("AND", ("LT", "2"), ("GT", "1"))), "ET_NLT F: =5 GTLT 1..2 F");
    check(&numeric(&pair("OR", ("GT", "9"), ("LE", "2"))), "ET_NLT F: =5 LEGT 2..9 F");
    check(&numeric(&pair("", ("LT", "2"), ("GT", "9"))), "ET_NLT F: =5 LTGT 2..9 F");
    check(&numeric(&pair("AND", ("what", "1"), ("EQ", "2"))), "ET_NLT F: =5 GELE 1..2 F");
    let single = |comparator: &str| {
        limits(&format!(
            r#"<c:SingleLimit comparator="{comparator}"><c:Datum value="0x0A"/></c:SingleLimit>"#
        ))
    };
    check(&numeric(&single("GT")), "ET_NLT F: =5 GT 10 F");
    check(&numeric(&limits(r#"<c:Expected><c:Datum value="4"/></c:Expected>"#)), "ET_NLT F: =5 EQ 4 F");
    check(
        &numeric(&limits(r#"<c:Expected comparator="NE"><c:Datum value="5"/></c:Expected>"#)),
        "ET_NLT F: =5 NE 5 F",
    );
    let properties = r#"<c:Extension><ts:TSLimitProperties><ts:ThresholdType>delta</ts:ThresholdType><ts:RawLimits>
        <ts:Nominal value="9"/><ts:Low value="1"/><ts:High value="2"/></ts:RawLimits></ts:TSLimitProperties></c:Extension>"#;
    let expected = r#"<c:Expected comparator="EQ"><c:Datum value="9"/></c:Expected>"#;
    check(&numeric(&limits(&format!("{expected}{properties}"))), "ET_NLT F: =5 GELE 8..11 F");
    // Beside a pair the threshold means nothing.
    let beside =
        pair("AND", ("GE", "1"), ("LE", "2")).replace("</tr:Limits>", &format!("{properties}</tr:Limits>"));
    check(&numeric(&beside), "ET_NLT F: =5 GELE 1..2 F");
    check(&numeric(""), "ET_NLT F: =5 LOG  F");
    let log = "<tr:Extension><ts:TSLimitProperties><ts:IsComparisonTypeLog value='true'/></ts:TSLimitProperties></tr:Extension>";
    check(&numeric(log), "ET_NLT F: =5 LOG  F");
    check(&numeric("<tr:TestLimits><tr:Extension/></tr:TestLimits>"), "ET_NLT F: =5 LOG  F");
}

#[test]
fn several_numbers_are_judged_by_their_limits_or_as_their_step() {
    let low = pair("AND", ("GE", "1"), ("LE", "2"));
    let high = pair("AND", ("GE", "4"), ("LE", "6"));
    let over = limits(r#"<c:SingleLimit comparator="GT"><c:Datum value="1"/></c:SingleLimit>"#);
    let three = format!("{}{}{}", number("A", "5", &low), number("A", "5", &high), number("", "5", &over));
    check(
        &test("NI_MultipleNumericLimitTest", FAILED, &three),
        "ET_MNLT F: A=5 GELE 1..2 F; A #2=5 GELE 4..6 P; Measurement=5 GT 1 F",
    );
    // Results without limits beside others with them are no measurements.
    let report =
        report(&test("ET_MNLT", PASSED, &format!("{}{}", number("A", "5", &high), number("B", "7", ""))));
    assert_eq!(shown(step(&report, "T")), "ET_MNLT P: A=5 GELE 4..6 P");
    // A list of TestStand's own logs them.
    let two = format!("{}{}", number("A", "5", &high), number("B", "7", ""));
    check(&test("NI_MultipleNumericLimitTest", PASSED, &two), "ET_MNLT P: A=5 GELE 4..6 P; B=7 LOG  P");
    assert_eq!(step(&report, "T").rare.additional_results[0].props[0].value.as_deref(), Some("7"));
}

#[test]
fn what_a_result_has_besides_its_value_is_kept() {
    let high = pair("AND", ("GE", "4"), ("LE", "6"));
    let further = high.replace("</tr:Limits>", "</tr:Limits><tr:Limits><c:Mask/></tr:Limits>");
    let more = r#"<tr:Description>at 20 V</tr:Description><tr:Indictments><tr:Indictment name="R1"/></tr:Indictments></tr:TestResult>"#;
    let result = number("A", "5", &further).replace("</tr:TestResult>", more);
    let report = report(&test("NumericLimitTest", PASSED, &result));
    let step = step(&report, "T");
    assert_eq!(shown(step), "ET_NLT P: =5 GELE 4..6 P");
    assert_eq!(step.report_text.as_deref(), Some("A: at 20 V"));
    let kept: Vec<_> = step.rare.additional_results.iter().filter_map(|it| it.name.as_deref()).collect();
    assert_eq!(kept, ["Indictments", "Limits"]);
}

#[test]
fn limits_without_a_value_stay_with_no_number() {
    let result = format!(
        r#"<tr:TestResult ID="A" name="A">{}</tr:TestResult>"#,
        pair("AND", ("GE", "4"), ("LE", "6"))
    );
    check(&test("NumericLimitTest", FAILED, &result), "ET_NLT F: =NaN GELE 4..6 F");
    let skipped = test("NumericLimitTest", r#"<tr:Outcome value="NotStarted"/>"#, &result);
    check(&skipped, "ET_NLT S:");
}

#[test]
fn an_outcome_of_a_result_goes_before_that_of_its_step() {
    let over = limits(r#"<c:SingleLimit comparator="GT"><c:Datum value="9"/></c:SingleLimit>"#);
    let with = |outcome: &str| {
        number("A", "5", &over).replace("</tr:TestResult>", &format!("{outcome}</tr:TestResult>"))
    };
    let both = format!("{}{}", with(PASSED), with(FAILED));
    check(&test("ET_MNLT", FAILED, &both), "ET_MNLT F: A=5 GT 9 P; A #2=5 GT 9 F");
    // Without any outcome the limits decide.
    check(&test("ET_MNLT", "", &number("A", "5", &over)), "ET_MNLT F: A=5 GT 9 F");
}

#[test]
fn steps_of_any_type_become_what_they_hold() {
    let high = pair("AND", ("GE", "4"), ("LE", "6"));
    check(&test("Customer_Test", PASSED, &number("A", "5", &high)), "ET_NLT P: =5 GELE 4..6 P");
    check(&test("Customer_Test", PASSED, &number("A", "5", "")), "ET_NLT P: =5 LOG  P");
    check(&test("Customer_Test", FAILED, ""), "ET_PFT F: F");
    check(&test("Customer_Test", r#"<tr:Outcome value="NotStarted"/>"#, ""), "ET_PFT S: P");
    check(&test("PassFailTest", PASSED, &number("A", "5", "")), "ET_PFT P: P");
    check(&test("NI_Wait", PASSED, ""), "ET_PFT P: P");
    check(&test("NumericLimitTest", FAILED, ""), "ET_NLT F:");
    check(&test("NumericLimitTest", FAILED, &number("A", "five", &high)), "ET_NLT F: =NaN GELE 4..6 F");
    let text = |comparator: &str, limit: &str| {
        let limits = limits(&format!(
            r#"<c:Expected comparator="{comparator}"><c:Datum xsi:type="c:string"><c:Value>{limit}</c:Value></c:Datum></c:Expected>"#
        ));
        let data = "<tr:TestData><c:Datum xsi:type='c:string'><c:Value> x </c:Value></c:Datum></tr:TestData>";
        test(
            "StringValueTest",
            PASSED,
            &format!("<tr:TestResult name='String'>{data}{limits}</tr:TestResult>"),
        )
    };
    check(&text("EQ", " x "), r#"ET_SVT P: =" x " CASESENSIT " x " P"#);
    check(&text("CIEQ", "X"), r#"ET_SVT P: =" x " IGNORECASE "X" P"#);
    check(&text("NE", "y"), r#"ET_SVT P: =" x " NE "y" P"#);
    let conversion = converted(&text("RegularExpressionIgnoreCase", "x*"));
    assert_eq!(shown(step(&conversion.reports[0], "T")), r#"ET_SVT P: =" x " IGNORECASE "x*" P"#);
    warns(&conversion, "1 texts were compared with a regular expression");
}

#[test]
fn outcomes_become_statuses() {
    for (outcome, status) in [
        ("value='Passed'", Status::Passed),
        ("value='Failed'", Status::Failed),
        ("value='Aborted'", Status::Terminated),
        ("value='Aborted' qualifier='Error'", Status::Error),
        ("value='UserDefined' qualifier='Skipped'", Status::Skipped),
        ("value='NotStarted'", Status::Skipped),
        ("value='Error'", Status::Error),
        ("value='Inconclusive'", Status::Passed),
    ] {
        let report = report(&test("PassFailTest", &format!("<tr:Outcome {outcome}/>"), ""));
        assert_eq!(step(&report, "T").status, status, "{outcome}");
    }
    for (outcome, result) in
        [("Done", "P"), ("Failed", "F"), ("Aborted", "T"), ("Error", "E"), ("NotStarted", "T")]
    {
        let file_text = unit("").replace("\"Passed\"", &format!("\"{outcome}\""));
        let report = convert(NAME, &file("a.xml", file_text.as_bytes())).unwrap().reports.remove(0);
        assert_eq!((report.result.letter(), report.root.unwrap().status.letter()), (result, result));
    }
}

/// A run that somebody stopped did not pass, whatever is written into its qualifier.
#[test]
fn a_run_that_was_aborted_is_terminated_and_one_without_a_verdict_is_judged_by_its_steps() {
    for (outcome, result) in [
        ("value=\"Aborted\" qualifier=\"Tommy\"", "T"),
        ("value=\"Aborted\" qualifier=\"Failed\"", "F"),
        ("value=\"UserDefined\" qualifier=\"Grade B\"", "F"),
        ("value=\"Inconclusive\"", "F"),
    ] {
        let failed = test("PassFailTest", FAILED, "");
        let text =
            unit(&failed).replace("<tr:Outcome value=\"Passed\"/>", &format!("<tr:Outcome {outcome}/>"));
        let report = convert(NAME, &file("a.xml", text.as_bytes())).unwrap().reports.remove(0);
        assert_eq!(
            (report.result.letter(), report.root.unwrap().status.letter()),
            (result, result),
            "{outcome}"
        );
    }
}

#[test]
fn numbers_of_other_bases_are_read_and_complex_ones_kept_beside() {
    let high = pair("AND", ("GE", "0"), ("LE", "200"));
    for (kind, written, read) in [
        ("hexadecimal", "0xA5", "165"),
        ("hexadecimal", "a5", "165"),
        ("hexadecimal", "10", "16"),
        ("octal", "0o17", "15"),
        ("binary", "0b0101", "5"),
        ("binary", "000", "0"),
        ("integer", "-0x10", "-16"),
        ("double", "-INF", "-inf"),
        ("double", "IND", "NaN"),
    ] {
        let text = number("A", written, &high).replacen(
            "xsi:type=\"c:double\"",
            &format!("xsi:type=\"c:{kind}\""),
            1,
        );
        check(&test("NumericLimitTest", PASSED, &text), &format!("ET_NLT P: ={read} GELE 0..200 P"));
    }
    let complex = number("Z", "", &high).replacen("value=\"\"", "real=\"1\" imaginary=\"2\"", 1);
    let report = report(&test("MyType", PASSED, &complex));
    let step = step(&report, "T");
    assert_eq!(
        (shown(step).as_str(), step.rare.additional_results[0].name.as_deref()),
        ("ET_PFT P: P", Some("Z"))
    );
}

#[test]
fn a_value_of_a_step_in_error_is_in_its_report_text() {
    let high = pair("AND", ("GE", "4"), ("LE", "6"));
    let conversion =
        converted(&test("NumericLimitTest", "<tr:Outcome value='Error'/>", &number("A", "5", &high)));
    let step = step(&conversion.reports[0], "T");
    assert_eq!(
        (shown(step).as_str(), step.report_text.as_deref()),
        ("ET_NLT E:", Some("Value 5 (GELE 4, 6)"))
    );
    warns(&conversion, "step T: the status is Error");
}

#[test]
fn a_group_without_properties_is_a_sequence_and_one_with_a_measurement_also_a_step() {
    let inside = format!(
        r#"<tr:TestGroup ID="x_PostAction" name="a.seq#Post"><tr:Outcome value="Done"/>{}</tr:TestGroup>
        <tr:TestGroup name="b.seq#Sub" callerName="Call"><tr:Outcome value="Failed"/>{}</tr:TestGroup>"#,
        test("PassFailTest", PASSED, ""),
        number("N", "5", &pair("AND", ("GE", "1"), ("LE", "2")))
    );
    let report = report(&inside);
    let shown: Vec<String> = report
        .root
        .as_ref()
        .unwrap()
        .children()
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.step_type, it.status.letter()))
        .collect();
    assert_eq!(shown, ["Post SequenceCall D", "Call ET_NLT F", "Call SequenceCall F"]);
}

#[test]
fn loops_are_a_summary_and_its_iterations() {
    let turn = |inside: &str| {
        test("PassFailTest", PASSED, "").replace(
            "</ts:TSStepProperties>",
            &format!("<ts:LoopingProperties>{inside}</ts:LoopingProperties></ts:TSStepProperties>"),
        )
    };
    let summary = "<ts:NumLoops value='2'/><ts:NumPassed value='2'/><ts:NumFailed value='0'/><ts:EndingLoopIndex value='2'/>";
    let all = format!(
        "{}{}{}",
        turn(summary),
        turn("<ts:LoopIndex value='0'/>"),
        turn("<ts:LoopIndex value='1'/>")
    );
    let report = report(&all);
    let loops: Vec<_> = leaves(&report)
        .iter()
        .map(|it| it.loop_.as_ref().map(|it| (it.idx, it.num, it.ending_index, it.passed)))
        .collect();
    assert_eq!(
        loops,
        [
            Some((None, Some(2), Some(1), Some(2))),
            Some((Some(0), None, None, None)),
            Some((Some(1), None, None, None))
        ]
    );
    // A summary alone is no loop.
    let conversion = converted(&turn(summary));
    assert!(leaves(&conversion.reports[0])[0].loop_.is_none());
    warns(&conversion, "its 1 results are no loop");
}

#[test]
fn what_is_not_known_is_kept_and_said() {
    let inside = test(
        "PassFailTest",
        PASSED,
        r#"<tr:Calibrated by="me"><x>deep</x></tr:Calibrated><tr:Events><tr:Event><tr:Message>broke</tr:Message>
        <tr:Data name="Code"><c:Datum xsi:type="c:integer" value="-17"/></tr:Data></tr:Event></tr:Events>
        <tr:Parameters><tr:Parameter name="Volt"><tr:Data><c:Datum xsi:type="c:double" value="3"/></tr:Data></tr:Parameter></tr:Parameters>
        <tr:TestResult name="List"><tr:TestData><c:IndexedArray xsi:type="ts:TS_doubleArray"><ts:Element position="[0]" value="1"/></c:IndexedArray></tr:TestData></tr:TestResult>"#,
    );
    let file_text = unit(&inside).replace("<tr:UUT>", "<tr:WorkOrder><c:No>7</c:No></tr:WorkOrder><tr:UUT>");
    let conversion = convert(NAME, &file("a.xml", file_text.as_bytes())).unwrap();
    let report = &conversion.reports[0];
    let step = step(report, "T");
    assert_eq!((step.rare.error_message.as_deref(), step.error_code), (Some("broke"), Some(-17)));
    let names: Vec<_> = step.rare.additional_results.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["List", "Volt", "Calibrated"]);
    assert!(step.rare.additional_results[0].props[0].array.is_some());
    assert_eq!(report.additional_data[0].name.as_deref(), Some("WorkOrder"));
    warns(
        &conversion,
        "elements Calibrated are not known (1, the first is /TestResults/ResultSet/Test/Calibrated)",
    );
    warns(&conversion, "elements WorkOrder are not known");
}

#[test]
fn limits_of_version_2_02_may_stand_in_a_result_of_their_own() {
    let list = |items: &str| {
        format!(
            "<tr:TestResult ID='Limits'><tr:TestData><c:Collection>{items}</c:Collection></tr:TestData></tr:TestResult>"
        )
    };
    let item = |name: &str, value: &str| {
        format!("<c:Item name='{name}'><c:Datum xsi:type='c:double' value='{value}'/></c:Item>")
    };
    let numeric = number("Numeric", "5", "").replace("name=", "ID=");
    let both = list(&format!("{}{}{}", item("Nominal", "0"), item("Low", "1"), item("High", "6")));
    check(&test("ET_NLT", PASSED, &format!("{numeric}{both}")), "ET_NLT P: =5 GELE 1..6 P");
    let comp = "<tr:TestResult ID='Comp'><tr:TestData><c:Datum xsi:type='c:string'><c:Value>GT</c:Value></c:Datum></tr:TestData></tr:TestResult>";
    check(&test("ET_NLT", PASSED, &format!("{numeric}{comp}{both}")), "ET_NLT P: =5 GT 1 P");
}

#[test]
fn a_collection_has_a_report_for_each_unit_and_arguments_stand_in() {
    let one = unit(&test("PassFailTest", PASSED, ""));
    let body = one.split_once("?>").unwrap().1;
    let all = format!(
        "<trc:TestResultsCollection xmlns:trc='urn:IEEE-1636.1:2013:TestResultsCollection'><trc:Extension/>{body}{}</trc:TestResultsCollection>",
        body.replace("<c:SerialNumber>S1</c:SerialNumber>", "")
    );
    let conversion = convert_with(
        NAME,
        &file("a.xml", all.as_bytes()),
        &[("partNumber", "P7"), ("partRevision", "C"), ("operator", "me"), ("operationTypeCode", "50")],
    )
    .unwrap();
    let shown: Vec<_> = conversion
        .reports
        .iter()
        .map(|it| {
            (it.sn.as_str(), it.pn.as_str(), it.rev.as_str(), it.process_code, it.machine_name.as_str())
        })
        .collect();
    assert_eq!(shown, [("S1", "P7", "C", Some(50), "ST1"), ("NA", "P7", "C", Some(50), "ST1")]);
    let first = &conversion.reports[0];
    assert_eq!(first.uut.as_ref().unwrap().user.as_deref(), Some("me"));
    // In the station's zone, in summer.
    assert_eq!(first.start.as_ref().unwrap().as_str(), "2025-07-01T10:00:00+02:00");
    assert_eq!(first.uut.as_ref().unwrap().exec_time.unwrap().get(), 5.5);
    warns(&conversion, "the file has no serial number");
}

#[test]
fn a_declared_code_page_is_obeyed() {
    let text =
        unit(&test("PassFailTest", PASSED, "")).replace("utf-8", "iso-8859-1").replace("S1", "S\u{b5}");
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    assert_eq!(convert(NAME, &file("a.xml", &bytes)).unwrap().reports[0].sn, "S\u{b5}");
}

#[test]
fn a_start_that_cannot_be_read_is_the_time_of_the_file() {
    let text = unit("").replace("2025-07-01T10:00:00\"", "yesterday\"");
    let conversion = convert(NAME, &file("a.xml", text.as_bytes())).unwrap();
    assert_eq!(conversion.reports[0].start.as_ref().unwrap().as_str(), "2026-01-02T04:04:05+01:00");
    warns(&conversion, "/TestResults/ResultSet/@startDateTime: \"yesterday\" is no time");
}

#[test]
fn broken_and_hostile_files_are_refused_in_words() {
    let whole = unit("");
    let bad = |text: &str| file("a.xml", text.as_bytes());
    fails(
        NAME,
        &bad("<TestResults/>"),
        "/TestResults: there is no element UUT; expected Personnel, ResultSet and UUT",
    );
    fails(NAME, &bad("<TestResults><UUT/></TestResults>"), "there is no element ResultSet");
    fails(NAME, &bad("<TestResultsCollection/>"), "/TestResultsCollection: there is no element TestResults");
    fails(NAME, &bad("<Reports/>"), "the root element is Reports; expected TestResults");
    fails(NAME, &bad(&whole.replace("</tr:UUT>", "</tr:UU>")), "line 6, column");
    fails(NAME, &bad(whole.split("</tr:UUT>").next().unwrap()), "ends in the middle");
    fails(NAME, &bad("<!DOCTYPE a [<!ENTITY b 'c'>]><TestResults>&b;</TestResults>"), "DTD");
    let group = "<tr:TestGroup name='g'>";
    let deep = |depth: usize| unit(&format!("{}{}", group.repeat(depth), "</tr:TestGroup>".repeat(depth)));
    fails(NAME, &bad(&deep(60)), "groups are nested more than 50 deep");
    fails(NAME, &bad(&deep(100_000)), "nested more than 200 deep");
    assert!(convert(NAME, &bad(&deep(45))).is_ok());
    let long = "x".repeat(1_000_000);
    let conversion =
        converted(&test("PassFailTest", PASSED, "").replace("name=\"T\"", &format!("name=\"{long}\"")));
    warns(&conversion, "step name: cut to 100 characters");
}

#[test]
fn files_of_others_and_broken_ones_are_never_a_panic() {
    refuses_what_is_no_log(NAME);
    for (_, units) in real_files("atml", NAME) {
        may_break_off_anywhere(NAME, &units[0].path);
    }
}
