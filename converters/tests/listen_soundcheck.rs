//! Listen SoundCheck: real files of two countries, and the corners.
#![allow(
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::*;
use wats::report::Status;
use wats_converters::{Conversion, ErrorKind};

const NAME: &str = "listen-soundcheck";

#[test]
fn real_files_of_two_countries() {
    for (conversion, units) in real_files("listen-soundcheck", NAME) {
        let commas = |warning: &&String| {
            !warning.contains("with a decimal comma") && !warning.contains("disturb searches")
        };
        assert_eq!(conversion.warnings.iter().filter(commas).count(), 0, "{:?}", conversion.warnings);
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!(
                (report.sn.as_str(), Some(report.pn.as_str())),
                (unit.serial.as_str(), unit.part_number.as_deref())
            );
            let steps = leaves(report);
            assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
            let curves = steps.iter().filter(|step| step.rare.chart.is_some()).count();
            assert_eq!(unit.notes, format!("result rows={} curves={curves}", steps.len() - curves));
        }
    }
}

#[test]
fn real_curves_have_their_axes_and_all_points() {
    let input = support::input(&real("listen-soundcheck/Data logging example 12-01-2021.txt"));
    let conversion = convert(NAME, &input).unwrap();
    let charts: Vec<_> =
        leaves(&conversion.reports[0]).iter().map(|step| step.rare.chart.clone().unwrap()).collect();
    assert_eq!(charts[0].chart_type.as_deref(), Some("LineLogX"));
    assert_eq!(
        (charts[0].x_unit.as_deref(), charts[0].y_unit.as_deref()),
        (Some("Hz"), Some("dB re 1 V/sqrt(Hz)"))
    );
    assert_eq!(charts[0].series[0].xdata.as_deref(), Some("100.0;400.0;2000.0;6000.0;7000.0;10000.0"));
    assert_eq!(charts[1].series[0].ydata.as_deref(), Some("-4.0;-2.0;-5.0;-5.0"));
    // The third has no title of its own.
    assert_eq!(charts[2].label, charts[1].label);
    assert_eq!(charts[2].series[0].ydata.as_ref().unwrap().split(';').count(), 2205);
    warns(&conversion, "numbers with a decimal comma");
}

const US: &str = "Serial #:\tOperator: \tTime: \tLot #: \tName\tMargin\tUnit\tResult\tTolerance\tLimits\n";
const EU: &str = "Serial #:\tTime: \tLot #: \tFR\t\tx data lin\ty data dB\tz data lin\t\tx axis lin\ty axis log\tz axis lin\t\tHz\tV\tdeg.\t\n";

fn row(serial: &str, time: &str, rest: &str) -> String {
    format!("{serial}\tann\t{time}\tLOT\t{rest}\n")
}

const NOON: &str = "7/22/2025 12:00:00 PM";

fn summary(conversion: &Conversion) -> Vec<String> {
    let of = |report: &wats::Report| {
        let names: Vec<&str> = leaves(report).iter().map(|step| step.name.as_str()).collect();
        format!("{} {} {}", report.sn, report.result.letter(), names.join(","))
    };
    conversion.reports.iter().map(of).collect()
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
    fails(
        NAME,
        &file("a.txt", row("S1", NOON, "A\t1\tdB\tPASS\t\t").as_bytes()),
        "does not begin with titles",
    );
    let error = convert(NAME, &file("a.txt", US.as_bytes())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotYet);
}

#[test]
fn a_real_file_may_break_off_anywhere() {
    may_break_off_anywhere(NAME, "listen-soundcheck/Complete test 7-22-2020 (002).txt");
    may_break_off_anywhere(NAME, "listen-soundcheck/Data logging example 12-01-2021.txt");
}

#[test]
fn results_with_every_word_and_limit() {
    let rows = [
        "A\t1.5\tdB\tPASS\tMax/Min\t2.0/1.0",
        "B\t3\tdB\tFail\tMax/Min\t2.0/",
        "C\t3\tdB\tpassed\tTolerance curves\tFloating Limits",
        "D\t---\tdB\tPASS\t\t",
        "E\t3\tdB\tDone\tMax/Min\t2.0/1.0",
        "F\t3\tdB\tSkipped\tMax/Min\t2.0/1.0",
        "G\t1\t\tOK?\t\t\tmore",
        "H\t1.095,50\tdB\tPASS\tMax/Min\t2.0/1.0",
        "only text",
    ];
    let text = format!("{US}{}", rows.map(|rest| row("S1", NOON, rest)).concat());
    let input = file("a.txt", text.replace('\n', "\r\n").as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let report = &conversion.reports[0];
    let limit = |it: Option<wats::report::Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let shown: Vec<String> = leaves(report)
        .iter()
        .map(|step| {
            let meas = step.numeric_meas.first().map_or(step.step_type.to_string(), |m| {
                format!("{} {} {} {}", m.value.get(), m.comp_op, limit(m.low_limit), limit(m.high_limit))
            });
            format!(
                "{} {} {meas} {}",
                step.name,
                step.status.letter(),
                step.report_text.as_deref().unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "A P 1.5 GELE 1 2 -",
            "B F 3 LE 2 - -",
            "C P 3 LOG - - Tolerance curves, Floating Limits",
            "D P ET_PFT ---, dB",
            "E D ET_NLT Done, 3, dB, 2.0/1.0",
            "F S 3 GELE 1 2 -",
            "G E ET_NLT OK?, 1, more",
            "H P ET_PFT 1.095,50, dB, 2.0/1.0",
            "Lines that are no tests D Action 10: S1\tann\t7/22/2025 12:00:00 PM\tLOT\tonly text",
        ]
    );
    assert_eq!(report.result, Status::Error);
    assert_eq!(report.uut.as_ref().unwrap().user.as_deref(), Some("ann"));
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-07-22T12:00:00+02:00");
    warns(&conversion, "1 lines are no results or curves, the first is line 10");
}

#[test]
fn units_are_told_by_serial_number_lot_and_what_comes_again() {
    let later = "7/22/2025 12:05:00 PM";
    let a = "A\t1\tdB\tPASS\t\t";
    let b = "B\t1\tdB\tFAIL\t\t";
    let text = [
        US.to_owned(),
        row("S1", NOON, a),
        row("S1", later, b),
        row("S1", later, a),
        row("S2", later, a),
        row("S2", later, a),
        row("S1", later, a),
        row("S1", later, a).replace("LOT", "LOT2"),
        row("", later, a),
    ];
    let conversion = convert(NAME, &file("a.txt", text.concat().as_bytes())).unwrap();
    assert_eq!(summary(&conversion), ["S1 F A,B", "S1 P A", "S2 P A,A", "S1 P A", "S1 P A", "UNKNOWN P A"]);
    warns(&conversion, "a unit has no serial number: UNKNOWN is used");
}

#[test]
fn columns_are_read_by_their_titles() {
    let text = "Serial #:\tTime:\tFixture:\tLot #:\tName\tResult\tMargin\tUnit\nS1\t2025-07-22 12:00:00\tF7\t\tA\tPASS\t1,25\tdB\n";
    let input = file("a.txt", text.as_bytes());
    let conversion = convert_with(NAME, &input, &[("partNumber", "P1")]).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.pn.as_str(), report.misc_infos[0].text.as_deref()), ("P1", Some("F7")));
    assert_eq!(step(report, "A").numeric_meas[0].value.get(), 1.25);
    assert_eq!(report.uut.as_ref().unwrap().user.as_deref(), Some("oper"));
    warns(&conversion, "1 numbers with a decimal comma");
}

#[test]
fn dates_follow_what_the_file_tells() {
    let start = |time: &str, value: &str, order: &str| {
        let text = format!("{US}{}", row("S1", time, &format!("A\t{value}\tdB\tPASS\t\t")));
        let conversion =
            convert_with(NAME, &file("a.txt", text.as_bytes()), &[("dateOrder", order)]).unwrap();
        conversion.reports[0].start.as_ref().unwrap().as_str()[..10].to_owned()
    };
    assert_eq!(start("3/4/2025 10:00:00", "1.0", "auto"), "2025-03-04");
    assert_eq!(start("3/4/2025 10:00:00", "1,0", "auto"), "2025-04-03");
    assert_eq!(start("3/4/2025 10:00:00 AM", "1.0", "auto"), "2025-03-04");
    assert_eq!(start("03.04.2025 10:00:00", "1.0", "auto"), "2025-04-03");
    assert_eq!(start("13/4/2025 10:00:00", "1.0", "auto"), "2025-04-13");
    assert_eq!(start("3/4/2025 10:00:00", "1.0", "day"), "2025-04-03");
    // Of the file.
    assert_eq!(start("noon", "1.0", "auto"), "2026-01-02");
}

#[test]
fn curves_without_their_other_half_are_named() {
    let data = |numbers: &str| format!("S1\t12-01-2021 09:08:35\tP\t{numbers}\t\t\n");
    let text = [
        EU.to_owned(),
        data("1\t2\t3"),
        data("4\t5"),
        data("7\t8"),
        EU.replace("FR", "THD"),
        data("1\t2"),
        data("3\tNaN"),
    ];
    let conversion = convert(NAME, &file("a.txt", text.concat().as_bytes())).unwrap();
    assert_eq!(summary(&conversion), ["S1 P FR,THD"]);
    warns(&conversion, "line 3: curve FR has 3 x and 2 y values");
    warns(&conversion, "line 4 has numbers without a second line to them: left out");
    let chart = step(&conversion.reports[0], "THD").rare.chart.clone().unwrap();
    assert_eq!(
        (chart.chart_type.as_deref(), chart.series[0].ydata.as_deref()),
        (Some("LineLogY"), Some("3.0;NaN"))
    );
}

#[test]
fn a_last_line_without_its_end_costs_its_unit_alone() {
    let a = "A\t1\tdB\tPASS\tMax/Min\t2.0/1.0";
    let text = format!("{US}{}{}", row("S1", NOON, a), row("S2", NOON, a));
    assert_eq!(convert(NAME, &file("a.txt", text.trim_end().as_bytes())).unwrap().reports.len(), 2);
    let conversion = convert(NAME, &file("a.txt", &text.as_bytes()[..text.len() - 10])).unwrap();
    assert_eq!(conversion.reports.len(), 1);
    warns(&conversion, "the last unit, S2, ends in the middle of line 3: the 1 before it are taken");
    // Whose line it is tells its serial number.
    for (rest, left) in [("S2\tann", 1), ("S1\tann", 0), ("S", 0), ("T", 1)] {
        let text = format!("{US}{}{rest}", row("S1", NOON, a));
        let reports = convert(NAME, &file("a.txt", text.as_bytes())).map_or(0, |it| it.reports.len());
        assert_eq!(reports, left, "{rest}");
    }
    let first = US.len() + row("S1", NOON, a).len();
    for at in 0..first - 10 {
        let error = convert(NAME, &file("a.txt", &text.as_bytes()[..at])).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat), "{at}: {error}");
    }
}
