//! Teradyne Spectrum: samples of items in lines, a real file of nested ones, and the corners of both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::*;
use wats::report::Status;
use wats_converters::{Conversion, ErrorKind, find};

const NAME: &str = "teradyne-spectrum";

#[test]
fn samples() {
    support::check("teradyne-spectrum-ict", NAME, ".txt");
}

#[test]
fn a_real_file() {
    for (conversion, units) in real_files("teradyne-spectrum", NAME) {
        let (report, unit) = (&conversion.reports[0], &units[0]);
        assert_eq!(
            (report.sn.as_str(), Some(report.pn.as_str())),
            (unit.serial.as_str(), unit.part_number.as_deref())
        );
        let steps = leaves(report);
        assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
        let values = steps.iter().filter(|step| !step.numeric_meas.is_empty()).count();
        let sections = report.root.as_ref().unwrap().children();
        let mains: usize = sections.iter().map(|section| section.children().len()).sum();
        assert_eq!(
            unit.notes,
            format!("STEP={mains} PAGE={} MEASVAL={values} sections={}", steps.len(), sections.len())
        );
        let track = &step(report, "FU1_IN").numeric_meas[0];
        assert_eq!((track.value.get(), track.unit.as_deref()), (193.4001, Some("mOhm")));
        assert_eq!((track.low_limit.unwrap().get(), track.high_limit.unwrap().get()), (2.24e-6, 250.0));
        assert!(
            step(report, "C1")
                .report_text
                .as_ref()
                .unwrap()
                .starts_with("CAPACITOR 4n7 TOP 3.326 2.831\nNominal value: 4.6999993 nF")
        );
        assert_eq!(sections[0].children()[0].tot_time.unwrap().get(), 16.0);
        assert_eq!(report.uut.as_ref().unwrap().exec_time.unwrap().get(), 26.0);
        assert_eq!(
            conversion.warnings,
            [
                "USER lines that nothing names stand in the text of the root: version; userInfoAddMiscInfo makes misc infos of them"
            ]
        );
        assert_eq!(report.root.as_ref().unwrap().report_text.as_deref(), Some("version: V2.0.0.0"));
    }
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
    fails(NAME, &file("a.txt", b"(OTHER: 1)"), "there is neither PROGRAM_NAME nor a step");
    fails(NAME, &file("a.txt", b"(PROGRAM_NAME: \"P\")"), "the program has no step");
    let deep = "(A:".repeat(1_000_000);
    assert_eq!(convert(NAME, &file("a.txt", deep.as_bytes())).unwrap_err().kind, ErrorKind::TooLarge);
}

#[test]
fn a_real_file_that_breaks_off_waits() {
    may_break_off_anywhere(NAME, "teradyne-spectrum/sample_ict_data.excerpt.txt");
    let whole = support::input(&real("teradyne-spectrum/sample_ict_data.excerpt.txt"));
    // Behind its start time and before its verdict there is no report at any point.
    let text = String::from_utf8(whole.bytes.clone()).unwrap();
    let begin = text.find("(USER:  StartTime").unwrap() + 60;
    let end = text.find("(USER:  STATUS").unwrap();
    for at in (begin..end).step_by(997) {
        let mut input = whole.clone();
        input.bytes.truncate(at);
        assert_eq!(convert(NAME, &input).unwrap_err().kind, ErrorKind::NotYet, "{at}");
    }
}

const HEAD: &str = "(PROGRAM_NAME: \"PB1_Rev\")\n(USER: Serialnumber:S1)\n(USER: Operator: ann)\n";

fn shown(conversion: &Conversion) -> Vec<String> {
    let limit = |it: Option<wats::report::Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let of = |step: &&wats::report::Step| {
        let values: Vec<String> = step
            .numeric_meas
            .iter()
            .map(|m| {
                format!(
                    " {}{} {} {} {} {}",
                    m.name.as_ref().map_or(String::new(), |name| format!("[{name} {}] ", m.status.letter())),
                    m.value.get(),
                    m.unit.as_ref().unwrap(),
                    m.comp_op,
                    limit(m.low_limit),
                    limit(m.high_limit)
                )
            })
            .collect();
        format!("{} {}{}", step.name, step.status.letter(), values.concat())
    };
    leaves(&conversion.reports[0]).iter().map(of).collect()
}

#[test]
fn items_line_by_line() {
    let text = format!(
        "{HEAD}(USER: free words (as they come)\n(SNAME: \"lost\")\n(TYPE: A) (TIME: 07/01/2025 10:00:00)\n(SNAME: \"One\")\n\
         (DESC: \"about one\") (PAGE: 1)\n(TYPE: x) (PAGE_NAME: \"R1\") (COMMENT: \"Analysis Comments: why Testable.\") (STAT: PASS)\n\
         (LOLIM: (VAL: 1) (SCALE: k) (UNIT: O) ) (HIGH: (VAL: 0,002) (SCALE: meg) (UNIT: O) )\n(MEASVAL: (VAL: 1500) (UNIT: O) )\n\
         (TYPE: A) (TIME: 07/01/2025 10:00:05)\n(SNAME: \"Two\")\n(PAGE_NAME: \"D1\") (STAT: ERROR) (HILIM: (VAL: 3) (UNIT: V) )\n\
         (GROUP_NAME: g1) (STAT: FAIL) (MEASVAL: (VAL: 5) (UNIT: V) )\n(GROUP_NAME: g2) (STAT: PASS) (MEASVAL: (VAL: 1) (UNIT: V) )\n\
         (SECTION_NAME: \"S\")\n(TYPE: A) (TIME: 07/01/2025 10:00:07)\n(PAGE_NAME: \"F1\") (STAT: Pass)\n(MEAS_VAL: (VAL: 7) ) (THRESH: 6)\n\
         (TYPE: A) (TIME: 07/01/2025 10:00:09)\n(SNAME: \"Four\")\n(PAGE_NAME: \"Ext\") (STAT: Pass)\n(PROG_NAME: C:\\a (b)\\c.exe)\n\
         (USER: STATUS: BOARD PASSED)\n"
    );
    let input = file("a.txt", text.replace('\n', "\r\n").as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    assert_eq!(
        shown(&conversion),
        [
            "R1 P 1500 Ohm GELE 1000 2000",
            "D1 F",
            "g1 F 5 V LE 3 -",
            "g2 P 1 V LE 3 -",
            "F1 P 7  GE 6 -",
            "Ext P",
        ]
    );
    let report = &conversion.reports[0];
    assert_eq!(step(report, "R1").report_text.as_deref(), Some("about one\nwhy"));
    assert_eq!(step(report, "Ext").report_text.as_deref(), Some("EXT_PROG: C:\\a (b)\\c.exe"));
    // A failed step fails the board, whatever the log line says.
    assert_eq!((report.result, report.machine_name.as_str()), (Status::Failed, "TeradyneSpectrum"));
    let root = report.root.as_ref().unwrap();
    assert_eq!(root.report_text.as_deref(), Some("free words (as they come"));
    let names: Vec<&str> = root.children().iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["R1", "Two", "S"]);
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-07-01T10:00:00+02:00");
    warns(&conversion, "1 numbers with a decimal comma");
    warns(&conversion, "items that belong to no page are left out: SNAME");
}

fn nested(pages: &str, status: &str) -> String {
    format!(
        "(SECTION_NAME: \"S\")\n(STEP:\n (TYPE: RAW) (TIME: 07/01/2025 10:00:00 )\n (SNAME: \"One\")\n (DESC: \"about\") {pages} (STAT: {status}))\n"
    )
}

#[test]
fn nested_pages() {
    let jumper = "(PAGE: (PAGE_NAME: \"J1\") (STAT: FAIL) (INTC: (TYPE: LOWR) (STAT: FAIL) (HILIM: (VAL: 5) (UNIT: O) )\n\
         (INTC_RESULT: (STAT: PASS)(MEASVAL: (VAL: 1) (UNIT: O) ) (LOWR_FROM_NODES: (TPNUM: 1) (TPNAME: A) ) (LOWR_TO_NODES: (TPNAME: B) ))\n\
         (INTC_RESULT: (STAT: FAIL)(MEASVAL: (VAL: 9) (UNIT: O) ) (LOWR_FROM_NODES: (TPNUM: 1) (TPNAME: A) ) (LOWR_TO_NODES: (TPNAME: B) )) ))";
    let digital = "(PAGE: (PAGE_NAME:\n\"U1\")\n(STAT:\nPASS) (FSCAN: (FSCAN_PIN: (STAT: FAIL) (TPNAME: T1) (MEAS_VAL: (VAL: 3) ) (THRESH: 4))))";
    let bad = "(PAGE: (PAGE_NAME: \"V\") (STAT: PASS) (ANA: (MEASVAL: (VAL: OVER) (UNIT: V)) (LOLIM: (VAL: 1) (UNIT: V))))";
    let text = format!(
        "{HEAD}{}{}(USER:  STATUS: BOARD PASSED)\n",
        nested(&format!("{jumper} {digital}"), "FAIL"),
        nested(bad, "PASS").replace("\"S\"", "\"S2\"")
    );
    let conversion = convert(NAME, &file("a.txt", text.as_bytes())).unwrap();
    assert_eq!(
        shown(&conversion),
        ["J1 F [A - B P] 1 Ohm LE 5 - [A - B 2 F] 9 Ohm LE 5 -", "U1 P", "T1 F 3  GE 4 -", "V P"]
    );
    let report = &conversion.reports[0];
    assert_eq!(report.result, Status::Passed, "the tester's verdict counts");
    let said = step(report, "J1").report_text.clone().unwrap();
    assert!(said.starts_with("(INTC: (TYPE: LOWR) (STAT: FAIL)"), "{said}");
    assert_eq!(
        step(report, "V").report_text.as_deref(),
        Some("about\nLow limit: 1 V\nMeasured: (VAL: OVER) (UNIT: V)")
    );
    // The server's documented rules hold as well.
    let mut report = report.clone();
    report.id = Some(Default::default());
    let problems = wats::validate::problems(&report, wats::validate::Strictness::Documented);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn each_interconnection_has_its_own_limits_and_units_must_fit() {
    let intc = |limit: &str, value: &str| {
        format!(
            "(INTC: (TYPE: LOWR) (STAT: PASS) (HILIM: (VAL: {limit}) (UNIT: O)) (INTC_RESULT: (STAT: PASS)(MEASVAL: (VAL: {value}) (UNIT: O))))"
        )
    };
    let pages = format!(
        "(PAGE: (PAGE_NAME: \"J\") (STAT: PASS) {}{}) \
         (PAGE: (PAGE_NAME: \"S\") (STAT: PASS) (INTC: (STAT: PASS) (LOLIM: (VAL: 5) (UNIT: O))) (INTC: (STAT: PASS) (LOLIM: (VAL: 7) (UNIT: O)))) \
         (PAGE: (PAGE_NAME: \"U\") (STAT: PASS) (ANA: (LOLIM: (VAL: 1) (UNIT: V)) (MEASVAL: (VAL: 2) (SCALE: m) (UNIT: F)) (HILIM: (VAL: 1) (SCALE: u) (UNIT: F)))) \
         (PAGE: (PAGE_NAME: \"D\") (STAT: PASS) (DIGITAL: (CAPTURE: (RESULT: (STAT: PASS) (VAL: 3) (LOW: 1) (HIGH: 4)))))",
        intc("5", "1"),
        intc("9", "8")
    );
    let text = format!("{HEAD}{}", nested(&pages, "PASS"));
    let input = file("a.txt", text.as_bytes());
    let conversion = convert(NAME, &input).unwrap();
    assert_eq!(
        shown(&conversion),
        ["J P [1 P] 1 Ohm LE 5 - [2 P] 8 Ohm LE 9 -", "S P", "U P 2 mF LE 0.001 -", "D P"]
    );
    let said = |name: &str| step(&conversion.reports[0], name).report_text.clone().unwrap();
    assert_eq!(said("S"), "Low limit: 7 Ohm\nLow limit: 5 Ohm");
    assert_eq!(said("U"), "Low limit: 1 V");
    assert_eq!(said("D"), "RESULT: (STAT: PASS) (VAL: 3) (LOW: 1) (HIGH: 4)");
    let conversion = convert_with(NAME, &input, &[("units", "base")]).unwrap();
    assert_eq!(shown(&conversion)[2], "U P 0.002 F LE 0.000001 -");
}

#[test]
fn the_words_of_the_status_decide() {
    let steps = nested("(PAGE: (PAGE_NAME: \"P\") (STAT: FAIL))", "FAIL");
    for (words, result) in [
        ("BOARD PASSED", "P"),
        ("board failed", "F"),
        ("BOARD ABORTED", "T"),
        ("ERROR 7", "E"),
        ("BOARD GONE", "F"),
    ] {
        let text = format!("{HEAD}{steps}(USER: STATUS: {words})\n");
        let conversion = convert(NAME, &file("a.txt", text.as_bytes())).unwrap();
        assert_eq!(conversion.reports[0].result.letter(), result, "{words}");
        assert_eq!(conversion.warnings.iter().any(|it| it.contains("is no verdict")), words == "BOARD GONE");
    }
}

#[test]
fn runs_follow_each_other_and_the_last_may_break_off() {
    let run = |serial: &str| {
        format!("{}{}", HEAD.replace("S1", serial), nested("(PAGE: (PAGE_NAME: \"P\") (STAT: PASS))", "PASS"))
    };
    let text = format!("{}{}", run("S1"), run("S2"));
    let conversion = convert(NAME, &file("a.txt", text.as_bytes())).unwrap();
    let serials: Vec<&str> = conversion.reports.iter().map(|report| report.sn.as_str()).collect();
    assert_eq!(serials, ["S1", "S2"]);
    let conversion = convert(NAME, &file("a.txt", &text.as_bytes()[..text.len() - 5])).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    warns(
        &conversion,
        "the last run is not complete (the file ends inside of (STAT: …)): the 1 before it are taken",
    );
    let begun = format!("{text}(PROGRAM_NAME: \"P");
    assert_eq!(convert(NAME, &file("a.txt", begun.as_bytes())).unwrap().reports.len(), 2);
    let error = convert(NAME, &file("a.txt", &text.as_bytes()[..text.len() / 2 - 5])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotYet);
}

#[test]
fn settings_name_the_part_number_and_what_is_kept() {
    let text = format!(
        "{}(USER: Line: L7)\n(USER: Other: )\n(USER: Shift: 2)\n(USER: Rev: 3)\n{}",
        HEAD.replace("(USER: Serialnumber:S1)\n", ""),
        nested("(PAGE: (PAGE_NAME: \"P\") (STAT: PASS))", "PASS")
    );
    let input = file("a.txt", text.as_bytes());
    let given = [
        ("programNameToPartNumberRegEx", r"^(?P<PartNumber>[A-Z]+\d+)_"),
        ("userInfoStationName", "line"),
        ("userInfoSequenceVersion", "Rev"),
        ("userInfoAddMiscInfo", "Shift; Other"),
    ];
    let conversion = convert_with(NAME, &input, &given).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.pn.as_str(), report.machine_name.as_str()), ("PB1", "L7"));
    assert_eq!(report.sn, "20260102040500");
    warns(&conversion, "there is no USER line Serialnumber");
    // A line that was asked for and is empty is nothing to tell of.
    assert!(!conversion.warnings.iter().any(|warning| warning.contains("that nothing names")));
    let version = report.root.as_ref().unwrap().seq_call.as_ref().unwrap().version.as_deref();
    assert_eq!((version, report.misc_infos.last().unwrap().text.as_deref()), (Some("3"), Some("2")));
    let error = convert_with(NAME, &input, &[("programNameToPartNumberRegEx", "(")]).unwrap_err();
    assert!(error.to_string().contains("expected a regular expression with a group PartNumber"), "{error}");
    let conversion = convert_with(NAME, &input, &[("programNameToPartNumberRegEx", "xyz")]).unwrap();
    assert_eq!(conversion.reports[0].pn, "PB1_Rev");
    warns(&conversion, "finds no part number in \"PB1_Rev\"");
}

#[test]
fn a_file_is_claimed_by_what_it_has() {
    for (text, least, most) in [
        ("(PROGRAM_NAME: \"P\")", 0.8, 0.9),
        ("(PAGE_NAME: \"P\") (STAT: PASS)", 0.6, 0.8),
        ("(PAGE_NAME: \"P\")", 0.0, 0.0),
        ("PROGRAM_NAME: P", 0.0, 0.0),
    ] {
        let confidence = find(NAME).unwrap().qualify(&file("a.txt", text.as_bytes())).confidence;
        assert!((least..=most).contains(&confidence), "{text} {confidence}");
    }
}
