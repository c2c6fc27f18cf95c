//! ATD of Takaya's APT-94xx: real files, and the corners.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::*;
use wats::report::Status;
use wats_converters::ErrorKind;

const NAME: &str = "takaya-apt94xx";

#[test]
fn real_files_of_both_firmwares() {
    for (conversion, units) in real_files("takaya-apt94xx", NAME) {
        assert_eq!(conversion.warnings, Vec::<String>::new());
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!(
                (report.sn.as_str(), Some(report.pn.as_str())),
                (unit.serial.as_str(), unit.part_number.as_deref())
            );
            assert_eq!(Some(report.rev.as_str()), unit.revision.as_deref());
            let steps: Vec<_> = leaves(report)
                .into_iter()
                .filter(|step| step.loop_.as_ref().is_none_or(|it| it.idx.is_none()))
                .collect();
            assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
            let skipped = steps.iter().filter(|step| step.status == Status::Skipped).count();
            let second =
                report.misc_infos.iter().find(|info| info.description.as_deref() == Some("Operator 2"));
            let second = second.map_or("-", |info| info.text.as_deref().unwrap());
            let batch = report.uut.as_ref().unwrap().batch_sn.as_ref().unwrap();
            assert_eq!(unit.notes, format!("batch={batch} jumped={skipped} operator2={second}"));
        }
    }
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
}

#[test]
fn a_real_file_may_break_off_anywhere() {
    may_break_off_anywhere(NAME, "takaya-apt94xx/11111-BV0001 (AT33).ATD");
}

fn line(parts: &str, values: [&str; 3], judgement: &str, tail: &str) -> String {
    format!(
        "000001 \"{parts}   \" \"P1-2   \" \"COMM   \" 326   330   \"{}\" \"{}\" \"{}\" +5% -10% \"{judgement}  \" \"DC-CC\" \"Range 3\" \"15.0 ms\" {tail}",
        values[0], values[1], values[2]
    )
}

const NONE: &str = "........";
const NEW: &str = "\"( -, N, N, +) \" 0     0     ";

fn block(model: &str, serial: &str, lines: &[String]) -> String {
    format!(
        "@\n* PASS *\nD.T:1\nModel:{model}\nDATE 02/01/24 08:00:00\n\n@\n\n* GROUP No.1 *\n* PASS *\nD.T:1\nSerial No.:{serial}\n\n{}\n@\n",
        lines.join("\n")
    )
}

#[test]
fn functions_judgements_and_second_tries() {
    let function = |code: &str| format!("{NEW}\"{code}\"");
    let lines = [
        line("R1", ["1.00 KO ", " 990.0 O ", NONE], "PASS", &function("**")),
        line("R2", ["1.00 KO ", " 2.00 KO ", "1.01 KO "], "PASS", &function("**")),
        line(
            "C1*",
            ["100.0 nF", "0.200 UF", NONE],
            "FAIL",
            "\"( -, N, N, +) \" \"**\" 0     0   C:\\P\\A.SW",
        ),
        line("D1", ["0.3 V", "0.2 V", "0.2 V"], "FAIL", &function("F ")),
        line("J1", ["400.0 O  ", "409.5 O  ", "409.5 O"], "SHORT", &function("OP")),
        line("*", [NONE, NONE, NONE], "......", &function("JP")),
        "000007 \"R3\" \"x\"".to_owned(),
        "000008 \"R4\" \"x\" \"y\" 1 2 \"1.0 O\" \"1.0 O\" \"....\" +5% -5% \"PASS\" \"DC".to_owned(),
    ];
    let input = file("a.atd", block("AB12B_PANEL_V3.SW9", "B1 - S1", &lines).as_bytes());
    recognised(&input, NAME);
    let conversion = convert_with(NAME, &input, &[("GroupByComponentType", "no")]).unwrap();
    let report = &conversion.reports[0];
    let limit = |it: Option<wats::report::Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let shown: Vec<String> = leaves(report)
        .iter()
        .map(|step| {
            let loop_ =
                step.loop_.as_ref().map_or(String::new(), |it| format!(" {:?}/{:?}", it.idx, it.passed));
            let meas = step.numeric_meas.first().map_or(String::new(), |m| {
                format!(
                    " {} {} {} {} {}",
                    m.value.get(),
                    m.unit.as_ref().unwrap(),
                    m.comp_op,
                    limit(m.low_limit),
                    limit(m.high_limit)
                )
            });
            format!("{} {}{meas}{loop_}", step.name, step.status.letter())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "R1_COMM P 990 OHM GELE 900 1050",
            "R2_COMM P 1.01 KOHM GELE 0.9 1.05 None/Some(1)",
            "R2_COMM F 2 KOHM GELE 0.9 1.05 Some(0)/None",
            "R2_COMM P 1.01 KOHM GELE 0.9 1.05 Some(1)/None",
            "C1*_COMM F 0.2 UF GELE 0.09000000000000002 0.10500000000000002",
            "D1_COMM F 0.2 V GE 0.3 - None/Some(0)",
            "D1_COMM F 0.2 V GE 0.3 - Some(0)/None",
            "D1_COMM F 0.2 V GE 0.3 - Some(1)/None",
            "J1_COMM F 409.5 OHM GT 100 - None/Some(1)",
            "J1_COMM P 409.5 OHM GT 100 - Some(0)/None",
            "J1_COMM F 409.5 OHM GT 100 - Some(1)/None",
            "COMM_P1-2 S",
            "Lines that are no tests D",
        ]
    );
    warns(&conversion, "2 lines are no steps of an APT-94xx file, the first is line 20");
    let uut = report.uut.as_ref().unwrap();
    assert!((uut.exec_time.unwrap().get() - 0.09).abs() < 1e-9);
    assert_eq!(report.process_code, Some(31));
    assert_eq!(
        (report.pn.as_str(), report.rev.as_str(), report.machine_name.as_str()),
        ("AB12", "V3.SW9", "ST1")
    );
    let call = report.root.as_ref().unwrap().seq_call.as_ref().unwrap();
    assert_eq!((call.name.as_deref(), call.version.as_deref()), (Some("SW9"), Some("V3")));
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-01-02T08:00:00+01:00");
    // Documented rules as well, but for names, which may repeat.
    let grouped = convert(NAME, &input).unwrap();
    let mut report = grouped.reports[0].clone();
    report.id = Some(wats::report::Report::uut("", "", "").id.unwrap_or_default());
    let problems = wats::validate::problems(&report, wats::validate::Strictness::Documented);
    assert!(problems.iter().all(|problem| problem.text.contains("required to be unique")), "{problems:?}");
}

#[test]
fn numbers_may_have_exponents_and_units_without_a_blank() {
    let lines = [
        line("R1", ["1.0E+3 O", "9.9e-1 KO", NONE], "PASS", &format!("{NEW}\"**\"")),
        line("C1", ["100nF", "98.2nF", NONE], "PASS", &format!("{NEW}\"**\"")),
    ];
    let text = block("A_V1.S", "S1", &lines);
    let conversion = convert(NAME, &file("a.ATD", text.as_bytes())).unwrap();
    let shown: Vec<_> = leaves(&conversion.reports[0])
        .iter()
        .map(|step| step.numeric_meas[0].clone())
        .map(|it| format!("{} {} {:.3}", it.value.get(), it.unit.unwrap(), it.low_limit.unwrap().get()))
        .collect();
    assert_eq!(shown, ["0.99 KOHM 0.900", "98.2 NF 90.000"]);
}

#[test]
fn loops_of_one_name_are_kept_apart() {
    let twice = |low: &str| line("L1", [low, "2.00 O ", "2.00 O"], "PASS", &format!("{NEW}\"**\""));
    let input =
        file("a.atd", block("P_1.S", "S1", &[twice("2.0 O"), twice("1.9 O"), twice("2.1 O")]).as_bytes());
    let conversion = convert(NAME, &input).unwrap();
    let names: Vec<&str> =
        leaves(&conversion.reports[0]).iter().step_by(3).map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["L1_COMM", "L1_COMM (2)", "L1_COMM (3)"]);
}

#[test]
fn blocks_are_reports_of_their_own() {
    let lines = [line("R1", ["1.00 KO ", " 990.0 O ", NONE], "PASS", &format!("{NEW}\"**\""))];
    let text = format!(
        "{}{}",
        block("P_1.S", "B - S1 (FP1 - OP1)", &lines),
        block("P_1.S", "B - S1 (FP1 - OP1)", &lines)
    );
    let input = file("a.atd", text.as_bytes());
    let conversion = convert_with(NAME, &input, &[("stationNameFromOperator", "true")]).unwrap();
    assert_eq!(conversion.reports.len(), 2);
    for report in &conversion.reports {
        let user = report.uut.as_ref().unwrap().user.as_deref();
        assert_eq!((report.machine_name.as_str(), user), ("FP1", Some("OP1")));
    }
    let cut = text.trim_end().trim_end_matches('@');
    assert_eq!(convert(NAME, &file("a.atd", cut.as_bytes())).unwrap().reports.len(), 1);
    let half = &text.as_bytes()[..text.len() / 2 - 3];
    assert_eq!(convert(NAME, &file("a.atd", half)).unwrap_err().kind, ErrorKind::NotYet);
}
