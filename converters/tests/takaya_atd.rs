//! Takaya's tab-separated ATD: real files, and the corners.
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

const NAME: &str = "takaya-atd";

#[test]
fn real_files() {
    for (conversion, units) in support::convert::real_files("takaya-atd", NAME) {
        assert_eq!(conversion.warnings, Vec::<String>::new());
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!(
                (report.sn.as_str(), Some(report.pn.as_str())),
                (unit.serial.as_str(), unit.part_number.as_deref())
            );
            let steps = leaves(report);
            assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
            let skipped = steps.iter().filter(|step| step.status == Status::Skipped).count();
            let seconds = report.uut.as_ref().unwrap().exec_time.unwrap().get();
            assert_eq!(unit.notes, format!("jumped={skipped} test_time_s={seconds}"));
        }
    }
}

#[test]
fn a_second_try_in_another_unit_is_brought_to_one() {
    let input = support::input(&real("takaya-atd/V682793_H_TOP-20230821081637.ATD"));
    let shown = |preference: &str| {
        let conversion = convert_with(NAME, &input, &[("UnitCalcPreference", preference)]).unwrap();
        let report = &conversion.reports[0];
        let found = step(report, "R809_+3.3V_$22N2422");
        let meas = &found.numeric_meas[0];
        assert!(found.report_text.as_ref().unwrap().contains("Test value 1: 0.387 KO"));
        assert_eq!((found.status, meas.comp_op.as_str()), (Status::Failed, "GELE"));
        format!(
            "{} {} {} {}",
            meas.value.get(),
            meas.unit.as_ref().unwrap(),
            meas.low_limit.unwrap().get(),
            meas.high_limit.unwrap().get()
        )
    };
    assert_eq!(shown("Base"), "399.7 Ohm 750.5 821.6");
    assert_eq!(shown("Measures"), "399.7 Ohm 750.5 821.6");
    assert_eq!(shown("Limits"), "0.3997 KOhm 0.7505 0.8216000000000001");
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
}

#[test]
fn a_real_file_may_break_off_anywhere() {
    may_break_off_anywhere(NAME, "takaya-atd/PB2939800_E_BOT-20230420130239.ATD");
}

const TITLES: &str = "Group_No.\tStep_number\tParts\tValue\tUnit\tComment\tLocation\tH-pin\tNet_name\tL-pin\tNet_name\tG-P1\tNet_name\t\
     G-P2\tNet_name\tJudgement\tRef._Value_(EL)\tRef._Value_(Fig)\tRef._Value_(Char)\tUnit\tTest_Value_1_(EL)\tTest_Value_1_(Fig)\t\
     Test_Value_1_(Char)\tUnit\tTest_Value_2_(EL)\tTest_Value_2_(Fig)\tTest_Value_2_(Char)\tUnit\tDate_of_test\tTime_of_test\tMeasuring_mode\t\
     Measuring_range\tMeasuring_time\tTolerance_(+)%\tTolerance_(-)%\tFunction";

/// A step line: parts, judgement, reference, two tests (number, shown, unit), tolerances, function.
fn line(parts: &str, judgement: &str, values: [&str; 3], plus: &str, minus: &str, function: &str) -> String {
    let values = values.map(|value| {
        let pieces: Vec<&str> = value.split(' ').collect();
        match pieces.as_slice() {
            [number, shown, unit] => format!("R \t{number}\t{shown}\t{unit}"),
            _ => "* \t0\t........\t".to_owned(),
        }
    });
    format!(
        "01\t000001\t{parts}   \t*\t\tCOMM  \t*\t1\tNA   \t2\tNB   \t0\t*\t0\t*\t{judgement} \t{}\t1/2/2024\t9:00:00\tDC\tRange 1\t1.5 ms\t\
         {plus}\t{minus}\t{function}",
        values.join("\t")
    )
}

fn block(head: &str, groups: &[(&str, &str, &[String])]) -> String {
    let mut text = format!(
        "@\n* PASS *\nD.T:1 D.P:1\nModel:M1.SWX\nDATE 1/7/2024 9:00:00\n\nTest time:12 s\nTest ID :T4\n{head}@\n"
    );
    for (index, (verdict, serial, lines)) in groups.iter().enumerate() {
        text.push_str(&format!(
            "\n* GROUP No.{}   *\n* {verdict} *\nD.T:1\nSerial No.:{serial}\n\n{TITLES}\n{}\n",
            index + 1,
            lines.join("\n")
        ));
    }
    text + "@\n"
}

#[test]
fn functions_judgements_and_units() {
    let lines = [
        line("R1", "PASS", ["1000 1.0 KO", "1010 1.01 KO", ""], "+1%", "-2%", "**"),
        line("C2*", "HIGH-NG", ["1E-7 100.0 nF", "2E-7 0.2 UF", ""], "+10%", "-10%", "**"),
        line("J1", "PASS", ["0.5 0.5 O", "0.6 0.6 O", ""], "+50%", "-50%", "SH"),
        line("J2", "PASS", ["400 400 O", "9E5 0.9 MO", ""], "+50%", "-50%", "OP"),
        line("D1", "PASS", ["0.7 0,7 V", "0.6 0,6 V", ""], "+5%", "-5%", "E "),
        line("D1", "PASS", ["0.3 0.3 V", "0.6 0.6 V", ""], "+5%", "-5%", "F "),
        line("D1", "PASS", ["-0.5 -0.5 V", "-0.5 -0.5 V", ""], "+10%", "-10%", "D"),
        line("*", "......", ["5 5 O", "", ""], "+5%", "-5%", "JP"),
        line("R9", "PASS", ["", "5 5 O", ""], "+5%", "-5%", "**"),
        line("R8", "PASS", ["5 5 O", "", ""], "+5%", "-5%", "**"),
        "01\t000099\tR7".to_owned(),
    ];
    let input = file("a.atd", block("", &[("PASS", "S1", &lines)]).as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let report = &conversion.reports[0];
    let limit = |it: Option<wats::report::Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let shown: Vec<String> = leaves(report)
        .iter()
        .map(|step| match step.numeric_meas.first() {
            Some(m) => format!(
                "{} {} {} {} {} {} {}",
                step.name,
                step.status.letter(),
                m.value.get(),
                m.unit.as_ref().unwrap(),
                m.comp_op,
                limit(m.low_limit),
                limit(m.high_limit)
            ),
            None => format!("{} {}", step.name, step.status.letter()),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "R1_NA_NB P 1010 Ohm GELE 980 1010",
            "C2*_NA_NB F 0.0000002 F GELE 0.00000009 0.00000011",
            "J1_NA_NB P 0.6 Ohm LT 10 -",
            "J2_NA_NB P 900000 Ohm GT 100 -",
            "D1_NA_NB P 0.6 V LE 0.7 -",
            "D1_NA_NB P 0.6 V GE 0.3 -",
            "D1_NA_NB P -0.5 V GELE -0.55 -0.45",
            "COMM_NA_NB S",
            "R9_NA_NB P 5 Ohm LOG - -",
            "R8_NA_NB P NaN Ohm GELE 4.75 5.25",
            "Lines that are no tests D",
        ]
    );
    assert_eq!(step(report, "R1_NA_NB").tot_time.unwrap().get(), 0.0015);
    let text = step(report, "C2*_NA_NB").report_text.clone().unwrap();
    assert!(text.contains("Judgement: HIGH-NG\n") && text.contains("H-pin: 1 NA\n"), "{text}");
    // The tester's verdict counts; that of the steps is told.
    assert_eq!(report.result, Status::Passed);
    assert!(report.misc_infos.iter().any(|info| info.text.as_deref() == Some("PASS; by its steps: Failed")));
    warns(&conversion, "S1: 1 steps have a verdict and no value");
    warns(&conversion, "2 numbers with a decimal comma");
    warns(&conversion, "1 lines are no steps of a tab-separated ATD file, the first is line 27");
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-07-01T09:00:00+02:00");

    let conversion = convert_with(NAME, &input, &[("GroupByComponentType", "true")]).unwrap();
    let groups: Vec<String> = conversion.reports[0]
        .root
        .as_ref()
        .unwrap()
        .children()
        .iter()
        .map(|group| format!("{} {} {}", group.name, group.status.letter(), group.children().len()))
        .collect();
    assert_eq!(groups, ["R P 3", "C F 1", "J P 2", "D P 3", "* P 1", "Lines that are no tests D 0"]);
}

#[test]
fn a_panel_gives_a_report_for_each_board_that_has_a_serial_number() {
    let lines = [line("R1", "PASS", ["5 5 O", "5 5 O", ""], "+5%", "-5%", "**")];
    let text = block(
        "User name :ann\nRecipe: 7\n",
        &[("FAIL", "S4", &lines), ("NO-TEST", "", &[]), ("PASS", "S2", &lines)],
    );
    let conversion = convert(NAME, &file("x_DEBUG.ATD", text.replace('\n', "\r\n").as_bytes())).unwrap();
    let shown: Vec<String> = conversion
        .reports
        .iter()
        .map(|report| {
            let uut = report.uut.as_ref().unwrap();
            format!(
                "{} {} {} {} {} {:?} {:?}",
                report.sn,
                report.result.letter(),
                report.machine_name,
                report.pn,
                uut.user.as_ref().unwrap(),
                uut.test_socket_index,
                report.process_code
            )
        })
        .collect();
    assert_eq!(shown, ["S4 F T4 M1.SWX ann Some(1) Some(10)", "S2 P T4 M1.SWX ann Some(3) Some(10)"]);
    warns(&conversion, "is left out: the file has no serial number");
    warns(&conversion, "lines \"Recipe\" are not known (1)");
    fails(
        NAME,
        &file("a.atd", block("", &[("PASS", "", &lines)]).as_bytes()),
        "the file has no serial number",
    );
}

#[test]
fn what_is_not_complete_gives_no_report() {
    let lines = [line("R1", "PASS", ["5 5 O", "5 5 O", ""], "+5%", "-5%", "**")];
    let text = block("", &[("PASS", "S1", &lines), ("PASS", "S2", &lines)]);
    let cut = text.trim_end().trim_end_matches('@');
    let conversion = convert(NAME, &file("a.atd", cut.as_bytes())).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    warns(&conversion, "is not complete: the 1 before it are taken");
    for at in 0..text.find("* GROUP No.2").unwrap() {
        let error = convert(NAME, &file("a.atd", &text.as_bytes()[..at])).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat), "{at}: {error}");
    }
    // Blocks may follow each other with one line @ between them, or two.
    let two = format!("{}{}", text.trim_end().trim_end_matches('@'), text);
    assert_eq!(convert(NAME, &file("a.atd", two.as_bytes())).unwrap().reports.len(), 4);
    assert_eq!(convert(NAME, &file("a.atd", format!("{text}{text}").as_bytes())).unwrap().reports.len(), 4);
}
