//! SigmaQuest unit reports: the real file, and corners of the format that it does not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::{
    convert, convert_with, failed, fails, file, leaves, may_break_off_anywhere, real_files,
    refuses_what_is_no_log, step, warns,
};
use wats::report::{Group, Status, Step};
use wats_converters::{Conversion, Input};

const NAME: &str = "sigmaquest-xml";

fn document(runs: &str) -> Input {
    let text = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><UnitReport xmlns="urn:unitreport-schema" mode="D" start-time="2025-07-01T10:00:00+02:00" end-time="2025-07-01T10:00:09+02:00">
        <Station name="ST7"><Property><ValueString name="Location">Hall 2</ValueString><ValueString name="Test Software">4.2</ValueString></Property></Station>
        <Operator name="me"/><Category name="C"><Property><ValueString name="Order">77</ValueString></Property>
        <Product part-no="P1" serial-no="S1" version="B" factory-order="F9"><Product part-no="P2" serial-no="S2" name="Board"/></Product></Category>{runs}</UnitReport>"#
    );
    file("unit.xml", text.as_bytes())
}

fn run(name: &str, grade: &str, inside: &str) -> String {
    format!(
        r#"<TestRun name="{name}" grade="{grade}" start-time="2025-07-01T10:00:01+02:00" end-time="2025-07-01T10:00:03.5+02:00">{inside}</TestRun>"#
    )
}

/// The file with these runs below the top one.
fn converted(inside: &str) -> Conversion {
    convert(NAME, &document(&run("Top", "PASS", inside))).unwrap_or_else(|error| panic!("{error}"))
}

fn double(name: &str, limits: &str, text: &str) -> String {
    format!(
        r#"<Result><Property><ValueDouble name="{name}" {limits}>{text}</ValueDouble></Property></Result>"#
    )
}

fn shown(step: &Step) -> String {
    let numbers = step.numeric_meas.iter().map(|it| {
        let limits: Vec<String> =
            [it.low_limit, it.high_limit].iter().flatten().map(|it| it.get().to_string()).collect();
        let name = it.name.as_deref().unwrap_or_default();
        format!("{name}={} {} {} {}", it.value.get(), it.comp_op, limits.join(".."), it.status.letter())
    });
    let texts = step.string_meas.iter().map(|it| {
        let name = it.name.as_deref().unwrap_or_default();
        format!(
            "{name}={} {} {} {}",
            it.value.as_deref().unwrap(),
            it.comp_op,
            it.limit.as_deref().unwrap_or("-"),
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
fn check(run: &str, expected: &str) {
    let conversion = converted(run);
    let steps = leaves(&conversion.reports[0]);
    assert_eq!(steps.iter().map(|it| shown(it)).collect::<Vec<_>>(), [expected]);
}

#[test]
fn the_real_file_says_what_stands_in_it() {
    let files = real_files("sigmaquest-xml", NAME);
    assert_eq!(files.len(), 1);
    let (conversion, units) = &files[0];
    let (report, unit) = (&conversion.reports[0], &units[0]);
    assert_eq!(
        (report.sn.as_str(), Some(report.pn.as_str())),
        (unit.serial.as_str(), unit.part_number.as_deref())
    );
    let steps = leaves(report);
    assert_eq!((steps.len(), Some(failed(&steps))), (49, unit.failed_rows));
    assert_eq!(report.root.as_ref().unwrap().walk().count(), 55);
    // Two have the text null, and the value of a pending run stands in its text.
    let rows: usize = steps.iter().map(|it| it.numeric_meas.len()).sum();
    assert_eq!((rows + 3, unit.rows), (175, Some(175)));
    assert_eq!(steps.iter().filter(|it| it.status == Status::Error).count(), 5);
    let ends = steps.iter().filter(|it| it.status == Status::Passed);
    assert!(ends.flat_map(|it| &it.numeric_meas).all(|it| it.status == Status::Passed));
    assert_eq!(shown(step(report, "Probe Tune")), "ET_NLT P: =936360 GE 100000 P");
    assert_eq!(
        shown(step(report, "Align RF Generator")),
        "ET_MNLT P: MS1 value=-3.4359 LE -2.4 P; MS2 value=-3.2405 LE -2.4 P"
    );
    assert_eq!(shown(step(report, "RF Breakdown")), "ET_NLT P: =-0.5437 GELE -5..5 P");
    assert!(
        step(report, "Vacuum Check")
            .report_text
            .as_ref()
            .unwrap()
            .starts_with("Attachment DHR: //OP2_TestResults")
    );
    assert_eq!(report.uut.as_ref().unwrap().exec_time.unwrap().get(), 16102.0);
    warns(conversion, "26 attached files are on other machines");
    warns(conversion, "step Low Mass Resolution failed although no measurement did");
    warns(conversion, "step High Mass Ion Energy: the status is Error");
}

#[test]
fn the_header_is_read_with_all_that_a_unit_has() {
    let conversion = converted(&run("A", "PASS", ""));
    let report = &conversion.reports[0];
    assert_eq!((report.sn.as_str(), report.pn.as_str(), report.rev.as_str()), ("S1", "P1", "B"));
    assert_eq!(
        (report.machine_name.as_str(), report.location.as_str(), report.purpose.as_str()),
        ("ST7", "Hall 2", "Production")
    );
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-07-01T10:00:00+02:00");
    let uut = report.uut.as_ref().unwrap();
    assert_eq!((uut.user.as_deref(), uut.exec_time.unwrap().get()), (Some("me"), 9.0));
    let part = &report.sub_units[0];
    assert_eq!(
        (part.part_type.as_deref(), part.pn.as_deref(), part.sn.as_deref()),
        (Some("Board"), Some("P2"), Some("S2"))
    );
    let infos: Vec<_> = report
        .misc_infos
        .iter()
        .map(|it| (it.description.as_deref().unwrap(), it.text.as_deref().unwrap()))
        .collect();
    assert_eq!(
        infos,
        [
            ("Mode", "D"),
            ("factory-order", "F9"),
            ("Location", "Hall 2"),
            ("Test Software", "4.2"),
            ("Order", "77")
        ]
    );
    let root = report.root.as_ref().unwrap();
    let call = root.seq_call.as_ref().unwrap();
    assert_eq!((root.name.as_str(), call.version.as_deref()), ("Top", Some("4.2")));
    assert_eq!(step(report, "A").tot_time.unwrap().get(), 2.5);
}

#[test]
fn values_become_measurements_by_their_kind() {
    check(&run("A", "PASS", &double("v", r#"lsl="1" usl="2" uom="V""#, "1,5")), "ET_NLT P: =1.5 GELE 1..2 P");
    check(&run("A", "FAIL", &double("v", r#"usl="2""#, "2.5")), "ET_NLT F: =2.5 LE 2 F");
    check(&run("A", "PASS", &double("v", r#"lsl="1""#, "2.5")), "ET_NLT P: =2.5 GE 1 P");
    check(&run("A", "PASS", &double("v", "", "five")), "ET_NLT P: =NaN LOG  P");
    check(&run("A", "PASS", &double("v", "", "null")), "ET_PFT P: P");
    let two =
        format!("{}{}", double("v", r#"lsl="1" usl="2""#, "1.5"), double("v", r#"lsl="1" usl="2""#, "3"));
    check(&run("A", "FAIL", &two), "ET_MNLT F: v=1.5 GELE 1..2 P; v #2=3 GELE 1..2 F");
    // The tester's word goes before the limits, a value's own grade before its run's.
    check(&run("A", "PASS", &two), "ET_MNLT P: v=1.5 GELE 1..2 P; v #2=3 GELE 1..2 P");
    let graded = two.replacen("name=\"v\"", "name=\"v\" grade=\"FAIL\"", 1).replace("3</", "1.6</");
    check(&run("A", "FAIL", &graded), "ET_MNLT F: v=1.5 GELE 1..2 F; v #2=1.6 GELE 1..2 P");
    let text = r#"<Result><ValueString name="t" usl="OK">ok</ValueString></Result>"#;
    check(&run("A", "PASS", text), "ET_SVT P: =ok IGNORECASE OK P");
    let flags = r#"<Result><ValueBoolean name="a">true</ValueBoolean><ValueRecord name="r"><ValueBoolean name="b">false</ValueBoolean></ValueRecord></Result>"#;
    check(&run("A", "FAIL", flags), "ET_MPFT F: a P; b F");
    let comparison = r#"<Property><ValueString name="Comparison">E (equal)</ValueString></Property>"#;
    check(
        &run("A", "PASS", &format!("{}{comparison}", double("v", r#"lsl="1" usl="1""#, "1"))),
        "ET_NLT P: =1 EQ 1 P",
    );
    let less = comparison.replace("E (equal)", "LT (less)");
    check(
        &run("A", "PASS", &format!("{}{less}", double("v", r#"lsl="1" usl="2""#, "1"))),
        "ET_NLT P: =1 LT 2 P",
    );
    // A limit of 0 is one where the comparison with it gives the grade.
    let more = comparison.replace("E (equal)", "GE");
    let to_zero = |grade: &str, value: &str| {
        run("A", grade, &format!("{}{more}", double("v", r#"lsl="0" usl="0""#, value)))
    };
    check(&to_zero("PASS", "4"), "ET_NLT P: =4 GE 0 P");
    check(&to_zero("FAIL", "-4"), "ET_NLT F: =-4 GE 0 F");
    check(&to_zero("PASS", "-4"), "ET_NLT P: =-4 LOG  P");
}

#[test]
fn a_flag_that_its_grade_contradicts_stays_in_words() {
    let flag = r#"<Result><ValueBoolean name="a">false</ValueBoolean></Result>"#;
    let report = converted(&run("A", "PASS", flag)).reports.remove(0);
    let step = step(&report, "A");
    assert_eq!((step.status, step.report_text.as_deref()), (Status::Passed, Some("a: false")));
}

#[test]
fn grades_become_statuses() {
    for (grade, status) in [
        ("PASS", Status::Passed),
        ("DONE all", Status::Passed),
        ("Failed", Status::Failed),
        ("INCOMPLETE", Status::Terminated),
        ("ABORTED", Status::Terminated),
        ("SKIPPED", Status::Skipped),
        ("PENDING", Status::Error),
        ("odd", Status::Error),
    ] {
        let conversion = converted(&run("A", grade, ""));
        assert_eq!(step(&conversion.reports[0], "A").status, status, "{grade}");
        assert_eq!(conversion.warnings.len(), usize::from(grade == "odd"), "{:?}", conversion.warnings);
        let top =
            convert(NAME, &document(&run("Top", grade, &run("A", "PASS", "")))).unwrap().reports.remove(0);
        let result = if status == Status::Skipped { Status::Terminated } else { status };
        assert_eq!((top.result, top.root.unwrap().status), (result, result));
    }
}

#[test]
fn runs_nest_and_one_with_values_of_its_own_has_a_step_beside_its_sequence() {
    let set_up = double("v", "", "1").replace("Result>", "SetUp>");
    let inside = format!("{}{}", run("Inner", "PASS", ""), double("own", "", "2"));
    let conversion = converted(&format!(
        "{}{}",
        run("Both", "PASS", &format!("{set_up}{}", double("r", "", "3"))),
        run("Outer", "FAIL", &inside)
    ));
    let root = conversion.reports[0].root.as_ref().unwrap();
    let all: Vec<String> =
        root.walk().map(|it| format!("{} {} {}", it.name, it.step_type, it.status.letter())).collect();
    assert_eq!(
        all,
        [
            "Top SequenceCall P",
            "Both ET_NLT P",
            "Both ET_NLT P",
            "Outer ET_NLT F",
            "Outer SequenceCall F",
            "Inner ET_PFT P"
        ]
    );
    assert_eq!((root.children()[0].group, root.children()[1].group), (Group::Setup, Group::Main));
}

#[test]
fn a_top_run_without_runs_is_a_root_with_one_step() {
    let report =
        convert(NAME, &document(&run("Top", "FAIL", &double("v", "", "2")))).unwrap().reports.remove(0);
    let root = report.root.as_ref().unwrap();
    assert_eq!((report.result, root.status, root.children().len()), (Status::Failed, Status::Failed, 1));
    let two = convert(NAME, &document(&format!("{}{}", run("A", "PASS", ""), run("B", "FAIL", ""))))
        .unwrap()
        .reports
        .remove(0);
    assert_eq!((two.result, two.root.as_ref().unwrap().children().len()), (Status::Failed, 2));
}

#[test]
fn what_is_no_measurement_is_kept_in_words() {
    let inside = r#"<Result><ValueDouble name="v">1</ValueDouble><ValueString name="serial">x</ValueString><ValueArray name="curve"><ValueDouble>1</ValueDouble></ValueArray></Result>
        <Property><ValueString name="Fail Notes">bad joint</ValueString><ValueAttachment name="Plot" fqn="//server/a.html"/></Property>
        <Error><Message name="E1">broke</Message></Error><Novel>kept</Novel>"#;
    let conversion = converted(&run("A", "FAIL", inside));
    let step = step(&conversion.reports[0], "A");
    assert_eq!(
        step.report_text.as_deref(),
        Some("serial: x\nFail Notes: bad joint\nAttachment Plot: //server/a.html")
    );
    assert_eq!(step.rare.error_message.as_deref(), Some("E1\nbroke"));
    let names: Vec<_> = step.rare.additional_results.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["curve", "Novel"]);
    warns(&conversion, "elements Novel are not known");
    warns(&conversion, "1 attached files");
    let long = "y".repeat(150);
    let conversion = converted(&run(
        "A",
        "PASS",
        &format!(r#"<Result><ValueString name="t">{long}</ValueString></Result>"#),
    ));
    assert!(
        support::convert::step(&conversion.reports[0], "A").report_text.as_ref().unwrap().ends_with(&long)
    );
}

#[test]
fn zeros_are_limits_as_the_argument_says() {
    let input = document(&run("Top", "PASS", &run("A", "PASS", &double("v", r#"lsl="0" usl="5""#, "1"))));
    for (given, expected) in [("Auto", "GELE 0..5"), ("None", "LE 5"), ("Limit", "GELE 0..5")] {
        let report = convert_with(NAME, &input, &[("zeroLimits", given)]).unwrap().reports.remove(0);
        assert_eq!(shown(step(&report, "A")), format!("ET_NLT P: =1 {expected} P"));
    }
}

#[test]
fn broken_and_hostile_files_are_refused_in_words() {
    let whole = String::from_utf8(document(&run("Top", "PASS", "")).bytes).unwrap();
    let bad = |text: &str| file("a.xml", text.as_bytes());
    fails(NAME, &bad("<R/>"), "the root element is R; expected UnitReport");
    fails(
        NAME,
        &bad("<UnitReport/>"),
        "/UnitReport: there is no element Product; expected a Product with part-no",
    );
    fails(
        NAME,
        &bad("<UnitReport><Category><Product/></Category></UnitReport>"),
        "/UnitReport: there is no element TestRun",
    );
    fails(
        NAME,
        &bad(&whole.replace("serial-no=\"S1\"", "")),
        "/UnitReport/Category/Product: the file has no serial number",
    );
    fails(NAME, &bad(whole.split("</UnitReport>").next().unwrap()), "ends in the middle");
    fails(NAME, &bad("<!DOCTYPE a [<!ENTITY b 'c'>]><UnitReport>&b;</UnitReport>"), "DTD");
    let nested = |depth: usize| (0..depth).fold(String::new(), |inside, _| run("R", "PASS", &inside));
    fails(NAME, &document(&nested(60)), "test runs are nested more than 50 deep");
    assert!(convert(NAME, &document(&nested(45))).is_ok());
}

#[test]
fn files_of_others_and_broken_ones_are_never_a_panic() {
    refuses_what_is_no_log(NAME);
    may_break_off_anywhere(NAME, &real_files("sigmaquest-xml", NAME)[0].1[0].path);
}
