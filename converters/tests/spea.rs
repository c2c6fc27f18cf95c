//! SPEA: samples of Bitron's files, real ones of a 3030, and the corners of both.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use serde_json::Value;
use support::convert::*;
use wats::report::Status;
use wats_converters::ErrorKind;

#[test]
fn samples() {
    support::check_but("spea", "spea", "", |name, reports| {
        if name == "edge-interrupted.csv" {
            // A server refuses a terminated step with a failed measurement.
            let steps = reports[0]["root"]["steps"].as_array_mut().unwrap();
            let interrupted = &mut steps.last_mut().unwrap()["steps"][0];
            assert_eq!(interrupted["status"], "T");
            interrupted["booleanMeas"] = Value::Null;
        }
    });
}

#[test]
fn real_files_of_a_3030() {
    for (conversion, units) in real_files("spea-3030", "spea") {
        assert_eq!(conversion.warnings, Vec::<String>::new());
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!((report.sn.as_str(), report.pn.as_str()), (unit.serial.as_str(), "PN1"));
            let steps = leaves(report);
            assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
            let call = report.root.as_ref().unwrap().seq_call.as_ref().unwrap();
            assert_eq!((call.name.as_deref(), call.version.as_deref()), (Some("23462-TS"), Some("1.0.2")));
        }
        // The last one passed although discharges had to be repeated.
        let last = conversion.reports.last().unwrap();
        assert_eq!(last.root.as_ref().unwrap().status, Status::Passed);
        assert_eq!(last.uut.as_ref().unwrap().exec_time.unwrap().get(), 438.0);
        let meas = &step(last, "CAN-Initialisierung").numeric_meas[0];
        assert_eq!(
            (meas.comp_op.as_str(), meas.low_limit.unwrap().get(), meas.value.get()),
            ("GE", 1.0, 1.0)
        );
    }
}

const HEAD: &str = "START;F;P;3;PN7;anna;07/31/2025;10:00:00\n";
const TAIL: &str = "BOARDRESULT;PASS\nEND;PASS;07/31/2025;10:00:10\n";

fn unit(lines: &str) -> String {
    format!("{HEAD}LOT;L1\nSN;S1\n{lines}{TAIL}")
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log("spea");
    fails("spea", &file("a.csv", b"ANL;1;R1;1;1;R1;;PASS;1;0;2;V\n"), "there is no line START;");
}

#[test]
fn a_file_may_break_off_anywhere() {
    may_break_off_anywhere("spea", "spea-3030/testdata_SN9871234012.excerpt.csv");
    let whole = unit("ANL;1;R1;1;1;R1;;PASS;1;0;2;V\n");
    for at in 0..whole.len() - 1 {
        if let Err(error) = convert("spea", &file("a.csv", &whole.as_bytes()[..at])) {
            assert!(matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat), "{at}: {error}");
        } else {
            panic!("a report from the first {at} bytes");
        }
    }
    // Without its last line end it is whole all the same.
    assert!(convert("spea", &file("a.csv", whole.trim_end().as_bytes())).is_ok());
    let two = format!("{whole}{HEAD}SN;S2\nANL;1;R1");
    let conversion = convert("spea", &file("a.csv", two.as_bytes())).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    warns(&conversion, "the last test, from line 7 on, has no END line: the 1 before it are taken");
}

#[test]
fn several_units_stand_in_their_order_and_one_that_was_given_up_is_named() {
    let given_up = format!("{HEAD}SN;S0\nANL;1;R1;1;1;R1;;PASS;1;0;2;V\n");
    let without_end = unit("").replace("END;PASS;07/31/2025;10:00:10\n", "").replace("S1", "S2");
    let text = format!("{given_up}{}\r\n{without_end}{}", unit(""), unit("").replace("S1", "S3"));
    let conversion = convert("spea", &file("a.log", text.replace('\n', "\r\n").as_bytes())).unwrap();
    let serials: Vec<&str> = conversion.reports.iter().map(|report| report.sn.as_str()).collect();
    assert_eq!(serials, ["S1", "S2", "S3"]);
    warns(&conversion, "the test from line 1 on has neither BOARDRESULT nor END and is left out");
    warns(&conversion, "has no END line");
    assert_eq!(conversion.reports[1].uut.as_ref().unwrap().exec_time, None);
}

#[test]
fn dates_are_read_in_one_order_in_the_zone_of_the_station() {
    let start = |text: &str| {
        let report = convert("spea", &file("a.csv", text.as_bytes())).unwrap().reports.remove(0);
        report.start.unwrap().as_str().to_owned()
    };
    assert_eq!(start(&unit("")), "2025-07-31T10:00:00+02:00");
    let ambiguous = unit("").replace("07/31/2025", "03/02/2025");
    assert_eq!(start(&ambiguous), "2025-03-02T10:00:00+01:00");
    assert_eq!(start(&format!("FORMAT;ddmm\n{ambiguous}")), "2025-02-03T10:00:00+01:00");
    // Each test of an appended log has its own.
    let both = format!("FORMAT;mmdd\n{ambiguous}FORMAT;ddmm\n{ambiguous}");
    let both = convert("spea", &file("a.csv", both.as_bytes())).unwrap().reports;
    let starts: Vec<&str> = both.iter().map(|it| it.start.as_ref().unwrap().as_str()).collect();
    assert_eq!(starts, ["2025-03-02T10:00:00+01:00", "2025-02-03T10:00:00+01:00"]);
    // Another unit of the file tells which it is.
    let telling = unit("").replace("07/31/2025", "31/03/2025");
    assert_eq!(start(&format!("{ambiguous}{telling}")), "2025-02-03T10:00:00+01:00");
    // So does the end of a test that ran past midnight.
    let past = unit("").replacen("07/31/2025", "12/05/2025", 1).replace("07/31/2025", "13/05/2025");
    assert_eq!(start(&past), "2025-05-12T10:00:00+02:00");
    let conversion = convert("spea", &file("a.csv", unit("").replace("07/31", "99/99").as_bytes())).unwrap();
    warns(&conversion, "no start time that can be read");
}

#[test]
fn limits_and_values_in_every_spelling() {
    let shown = |format: &str, lines: &[&str]| -> (Vec<String>, Vec<String>) {
        let text = format!("{format}{}", unit(&lines.join("\n")).replace("BOARD", "\nBOARD"));
        let conversion = convert("spea", &file("a.csv", text.as_bytes())).unwrap();
        let limit = |it: Option<wats::report::Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
        let steps = leaves(&conversion.reports[0]);
        let shown = steps.iter().map(|step| match step.numeric_meas.first() {
            Some(m) => {
                format!(
                    "{} {} {} {} {}",
                    step.status.letter(),
                    m.value.get(),
                    m.comp_op,
                    limit(m.low_limit),
                    limit(m.high_limit)
                )
            }
            None => format!("{} {} {:?}", step.status.letter(), step.step_type, step.report_text),
        });
        (shown.collect(), conversion.warnings)
    };
    let (steps, warnings) = shown(
        "",
        &[
            "ANL;1;R1;1;1;R1;;PASS;1,5;0;2,5;kOhm;1 2;7",
            "ANL;1;R2;1;1;R2;;FAIL(+);-NAN;1e10;2;V",
            "ANL;1;R3;1;1;R3;;INTERRUPTED;3;1;2;V",
            "ANL;1;R4;1;1;R4;;PASS;over;;;V",
            "ANL;1;R5;1;1;R5;;PASS",
            "ANL;1;R6;1",
            "FUNC;1;Close;1;1;Close lid;;FAIL;9;0;0;",
        ],
    );
    assert_eq!(
        steps,
        [
            "P 1.5 GELE 0 2.5",
            "F NaN LE 2 -",
            "T ET_NLT Some(\"INTERRUPTED: measured 3 V, limits 1 to 2\")",
            "P ET_PFT None",
            "P ET_PFT None",
            "F Action None",
            "D Action Some(\"9: ANL;1;R6;1\")",
        ]
    );
    assert_eq!(
        warnings,
        [
            "line 7: \"over\" is no number and is read as 0",
            "1 lines are no test lines with at least 8 fields, the first is line 9: kept as text, without a verdict",
            "2 numbers with a decimal comma were read as with a point",
        ]
    );
    let (steps, _) = shown(
        "FORMAT;mmdd\n",
        &[
            "ANL;1;R1;1;1;R1;;PASS;1;0;2;V",
            "ANL;1;R1;1;1;R1;;PASS;3;2;0;V",
            "ANL;1;R1;1;1;R1;;PASS;-0.5;-1;0;V",
            "ANL;1;R1;1;1;R1;;PASS;4;0;0;V",
            "ANL;1;R1;1;1;END;;PASS;Automatic;0;17;V",
        ],
    );
    assert_eq!(steps, ["P 1 LE 2 -", "P 3 GE 2 -", "P -0.5 GELE -1 0", "P 4 LOG - -", "P ET_PFT None"]);
}

#[test]
fn words_of_a_verdict_may_be_small() {
    let text = unit(["pass", "Pass(2)", "fail(+)", "interrupted"].map(line_with).concat().as_str());
    let conversion = convert("spea", &file("a.csv", text.as_bytes())).unwrap();
    let letters: String = leaves(&conversion.reports[0]).iter().map(|it| it.status.letter()).collect();
    assert_eq!(letters, "PPFT");
}

fn line_with(result: &str) -> String {
    format!("ANL;1;R1;1;1;R1;;{result};1;0;2;V\n")
}

#[test]
fn a_verdict_that_differs_or_is_missing_is_named() {
    let text = unit("").replace("END;PASS", "END;FAIL");
    let conversion = convert("spea", &file("a.csv", text.as_bytes())).unwrap();
    warns(&conversion, "BOARDRESULT and END differ; BOARDRESULT counts");
    assert_eq!(conversion.reports[0].result, Status::Passed);
    let conversion = convert("spea", &file("a.csv", format!("FORMAT;mmdd\n{text}").as_bytes())).unwrap();
    assert_eq!(conversion.reports[0].result, Status::Failed);
    let lower = unit("").replace("PASS", "pass");
    assert_eq!(convert("spea", &file("a.csv", lower.as_bytes())).unwrap().reports[0].result, Status::Passed);
    let silent =
        unit("ANL;1;R1;1;1;R1;;FAIL;1;0;2;V\n").replace(";PASS\n", ";\n").replace("END;PASS", "END;");
    let conversion = convert("spea", &file("a.csv", silent.as_bytes())).unwrap();
    warns(&conversion, "states no result");
    assert_eq!(conversion.reports[0].result, Status::Failed);
}

#[test]
fn what_is_not_known_is_kept_and_a_3030_takes_its_part_number_from_the_settings() {
    let text = unit("NOTE;hot;board\nNOTE;again\n").replace("SN;S1\n", "");
    let conversion = convert("spea", &file("a.csv", text.as_bytes())).unwrap();
    warns(&conversion, "lines \"NOTE\" are not known (2): the first is kept as misc info");
    warns(&conversion, "has no serial number: UNKNOWN is used");
    let report = &conversion.reports[0];
    assert!(report.misc_infos.iter().any(|info| info.text.as_deref() == Some("hot;board")));
    assert_eq!((report.sn.as_str(), report.machine_name.as_str()), ("UNKNOWN", "U62P-ICT-03"));

    let input = file("a.csv", format!("FORMAT;mmdd\n{}", unit("ANL;1;R1;1;1;R1;;PASS;1;0;2;V\n")).as_bytes());
    recognised(&input, "spea");
    for (given, part_number) in [("A9", "A9"), ("", "PN7")] {
        let report = convert_with("spea", &input, &[("partNumber", given)]).unwrap().reports.remove(0);
        assert_eq!((report.pn.as_str(), report.machine_name.as_str()), (part_number, "ST1"));
    }
    let report =
        convert_with("spea", &input, &[("dialect", "bitron"), ("location", "")]).unwrap().reports.remove(0);
    assert_eq!((report.machine_name.as_str(), report.location.as_str()), ("U62P-ICT-03", "Lab"));
}

#[test]
fn a_3030_is_known_by_its_start_line_as_well() {
    let text = unit("ANL;1;R1;1;1;R1;;PASS;1;0;2;V\n");
    for (start, part_number) in
        [("START;F;P;1.2;P;", "PN1"), ("START;F;P;1;P;", "P"), ("START;F;P;1.2;Q;", "Q")]
    {
        let text = text.replace("START;F;P;3;PN7;", start);
        let report = convert("spea", &file("a.csv", text.as_bytes())).unwrap().reports.remove(0);
        assert_eq!(report.pn, part_number, "{start}");
    }
}
