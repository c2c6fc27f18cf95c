//! Takaya's ATDX: a real file, and the corners.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::*;
use wats::report::{Double, Status};
use wats_converters::{Conversion, ErrorKind};

const NAME: &str = "takaya-atdx";
const REAL: &str = "takaya-atdx/WO250319-0162__20250525_122655.excerpt.atdx";

#[test]
fn a_real_file() {
    let input = support::input(&real(REAL));
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let units = support::units("takaya-atdx");
    assert_eq!(conversion.reports.len(), units.len());
    for (index, (report, unit)) in conversion.reports.iter().zip(units).enumerate() {
        assert_eq!(
            (report.sn.as_str(), Some(report.pn.as_str())),
            (unit.serial.as_str(), unit.part_number.as_deref())
        );
        assert_eq!(Some(report.machine_name.as_str()), unit.station.as_deref());
        assert_eq!(report.result.letter(), unit.result);
        let steps = leaves(report);
        assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
        let groups: Vec<&str> =
            report.root.as_ref().unwrap().children().iter().map(|group| group.status.letter()).collect();
        assert!(unit.notes.contains(&format!("groups={}", groups.join("+"))), "{unit:?} {groups:?}");
        // All attempts carry the date of the first.
        let stated: jiff::Timestamp = format!("{}Z", unit.start_time.unwrap()).parse().unwrap();
        let later = report.start.as_ref().unwrap().instant().unwrap().duration_since(stated);
        assert_eq!(later.as_secs(), 30 * i64::try_from(index).unwrap());
    }
    let missing =
        conversion.warnings.iter().filter(|warning| !warning.contains("steps have a verdict and no value"));
    assert_eq!(missing.count(), 0, "{:?}", conversion.warnings);
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
}

#[test]
fn a_real_file_may_break_off_anywhere() {
    may_break_off_anywhere(NAME, REAL);
}

const TITLES: &str = "Order;Aux;M.Aux;Parts;Value;Unit;Comment;Loc.;EL;Reference;Unit;Func;+%;Unit;-%;Unit;Test.Base(Test1);Unit;Test.Base(Test2);Unit;Judge;\
     H-pin;Netname-H-pin;L-pin;Netname-L-pin;G-P1;Netname-G-P1";

/// A step: parts, `reference;unit;function;+;;-;;test 1;unit;test 2;unit;judge`.
fn line(parts: &str, values: &str) -> String {
    format!("7;ICOP;;{parts};10;KO;COMM;L;R;{values};1;NA;2;NB;0;\n")
}

fn group(head: &str, title: &str, lines: &str) -> String {
    format!(
        "#####\"Main header\"####\nTester ID:  T9\nModel: PN-1 X 2\nSerial number : S1  \n{head}Test Date: 1/7/2025 12:00:00\n-----\n\n\n\
         #####\"Group header\"####\nGroup No.: {title} \n------\n\n{TITLES}\n{lines}\n"
    )
}

fn shown(conversion: &Conversion) -> Vec<String> {
    let limit = |it: Option<Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let shown = |step: &&wats::report::Step| {
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
        format!("{} {}{meas}", step.name, step.status.letter())
    };
    leaves(&conversion.reports[0]).iter().map(shown).collect()
}

#[test]
fn functions_judgements_and_units() {
    let lines = [
        line("R1", "10.0;KO;EQ;20.0;;10.0;;12;KO;;;PASS"),
        line("R1", "100;O;EQ;20.0;;10.0;;36514.5;O;550.00;KO;OPEN"),
        line("L1", "500;uH;EQ;50;;50;;0.5;mH;;;UPPER"),
        line("C1", "18.280[KO]|-7.8;;EQ;30.0;;30.0;;33.000[O]<|-16.6;;18.101[KO]|-7.0;;PASS"),
        line("C1", "3.000[O]|-3.5;;LE;-----;;-----;;2,5[O]|-1.9;;;;PASS"),
        line("POWER", "50;O;GE;----;;----;;60;O;;;PASS"),
        line("D1", "100;O;OP;----;;----;;55000;O;;;PASS"),
        line("D1", "10;O;SH;----;;----;;5500;O;55;O;LOWER"),
        line("D1", "0.65;V;EQ;25.0;;25.0;;;;;;SKIP"),
        line("D1", "0.65;V;EQ;25.0;;25.0;;0.6;V;;;UnTested"),
        line("D1", "0.65;V;JP;25.0;;25.0;;;;;;PASS"),
        line("D1", ";;EQ;----;;----;;;;;;UNMEASURED"),
        "9;odd;line\n".to_owned(),
        line("", "1;V;EQ;1;;1;;1;V;;;PASS"),
    ];
    let input = file(
        "a.atdx",
        format!("\u{feff}{}", group("Shift: 2\n", "1 Side: A PASS", &lines.concat())).as_bytes(),
    );
    recognised(&input, NAME);
    let flat = [("GroupByComponentType", "false")];
    let conversion = convert_with(NAME, &input, &flat).unwrap();
    assert_eq!(
        shown(&conversion),
        [
            "R1_NA_NB P 12 KOhm GELE 9 12",
            "R1_NA_NB F 550 KOhm GELE 0.09000000000000001 0.12",
            "L1_NA_NB F 0.5 mH GELE 0.25 0.75",
            "C1_NA_NB P 18.101 KOhm GELE 12.796 23.764000000000003",
            "C1_NA_NB P 2.5 Ohm LE 3 -",
            "COMM_NA_NB P 60 Ohm GE 50 -",
            "D1_NA_NB P 55000 Ohm GT 100 -",
            "D1_NA_NB F 55 Ohm LT 10 -",
            "D1_NA_NB S",
            "D1_NA_NB S 0.6 V GELE 0.48750000000000004 0.8125",
            "D1_NA_NB S",
            "D1_NA_NB F NaN  LOG - -",
            "COMM_NA_NB P 1 V GELE 0.99 1.01",
            "Lines that are no tests D",
        ]
    );
    warns(&conversion, "1 lines are no steps of an ATDX file, the first is line 27");
    warns(&conversion, "S1: 1 steps have a verdict and no value");
    warns(&conversion, "1 numbers with a decimal comma");
    warns(&conversion, "lines \"Shift\" are not known (1)");
    let report = &conversion.reports[0];
    // The tester's verdict counts.
    assert_eq!(
        (report.result, report.root.as_ref().unwrap().children()[0].status),
        (Status::Passed, Status::Passed)
    );
    assert_eq!((report.pn.as_str(), report.machine_name.as_str()), ("PN-1", "T9"));
    let infos: Vec<&str> = report.misc_infos.iter().filter_map(|info| info.text.as_deref()).collect();
    assert_eq!(infos, ["X 2", "1", "2"]);
    let text = step(report, "L1_NA_NB").report_text.clone().unwrap();
    assert!(
        text.contains("Aux: ICOP\n") && text.contains("Test.Base(Test1): 0.5 mH\nJudge: UPPER"),
        "{text}"
    );
    let limits = convert_with(NAME, &input, &[flat[0], ("UnitCalcPreference", "Limits")]).unwrap();
    assert_eq!(shown(&limits)[1], "R1_NA_NB F 550000 Ohm GELE 90 120");
    let grouped = convert(NAME, &input).unwrap();
    let names: Vec<&str> = grouped.reports[0].root.as_ref().unwrap().children()[0]
        .children()
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(names, ["R", "L", "C", "POWER", "D", "Other"]);
}

#[test]
fn attempts_are_told_by_their_groups_and_serial_numbers() {
    let lines = line("R1", "10.0;KO;EQ;20.0;;10.0;;12;KO;;;PASS");
    let of = |title: &str| group("", title, &lines);
    let text = [
        of("1 Side: A FAIL"),
        of("2 Side: A PASS"),
        of("2 Side: A PASS"),
        of("1 Side: A PASS"),
        of("1 Side: B PASS"),
        of("1 Side: A PASS").replace("S1", "S2"),
        of("3 Side: A"),
    ];
    let conversion = convert(NAME, &file("a.atdx", text.concat().as_bytes())).unwrap();
    let shown: Vec<String> = conversion
        .reports
        .iter()
        .map(|report| {
            let groups: Vec<&str> =
                report.root.as_ref().unwrap().children().iter().map(|group| group.name.as_str()).collect();
            format!(
                "{} {} {} {}",
                report.sn,
                report.result.letter(),
                report.start.as_ref().unwrap().as_str(),
                groups.join(",")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "S1 F 2025-07-01T12:00:00+02:00 Group 1,Group 2",
            "S1 P 2025-07-01T12:00:30+02:00 Group 2,Group 1,Group 1",
            "S2 P 2025-07-01T12:00:00+02:00 Group 1",
            "S1 P 2025-07-01T12:01:00+02:00 Group 3",
        ]
    );
    let input = file("a.atdx", text.concat().as_bytes());
    let conversion = convert_with(NAME, &input, &[("attemptSeconds", "0")]).unwrap();
    assert!(conversion.reports.iter().all(|report| report.start == conversion.reports[0].start));
}

#[test]
fn what_is_not_complete_gives_no_report() {
    let lines = line("R1", "10.0;KO;EQ;20.0;;10.0;;12;KO;;;PASS");
    let whole = group("", "1 Side: A PASS", &lines);
    let text = format!("{whole}{}", whole.trim_end());
    assert_eq!(convert(NAME, &file("a.atdx", text.as_bytes())).unwrap().reports.len(), 2);
    let conversion = convert(NAME, &file("a.atdx", &text.as_bytes()[..text.len() - 4])).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    warns(&conversion, "the last attempt, from line 25 on, is not complete: the 1 before it are taken");
    for at in 0..whole.trim_end().len() {
        let error = convert(NAME, &file("a.atdx", &whole.as_bytes()[..at])).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat), "{at}: {error}");
    }
    fails(NAME, &file("a.atdx", whole.replace("S1", "").as_bytes()), "the file has no serial number");
}
