//! Teradyne in-circuit testers: samples, a real log of a GR228X, and the corners of logs and of records.
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
use wats::Report;
use wats::report::{Double, Status};
use wats_converters::{Conversion, ErrorKind, find};

const NAME: &str = "teradyne-ict";

#[test]
fn samples() {
    support::check("teradyne-ict", NAME, "");
}

/// The steps with their values, as `R1(R) P 5 K(R) GELE 4 6`.
fn shown(report: &Report) -> Vec<String> {
    let limit = |it: Option<Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let of = |step: &wats::report::Step| match step.numeric_meas.first() {
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
        None => format!("{} {} {}", step.name, step.status.letter(), step.step_type),
    };
    report.root.as_ref().unwrap().walk().skip(1).map(of).collect()
}

#[test]
fn a_real_log_of_a_gr228x() {
    for (conversion, units) in real_files("teradyne-gr228x", NAME) {
        assert_eq!(conversion.warnings, Vec::<String>::new());
        let path = real(&units[0].path);
        let text = std::fs::read_to_string(path).unwrap();
        let mut blocks = text.split('@').skip(1);
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!(
                (report.sn.as_str(), Some(report.pn.as_str())),
                (unit.serial.as_str(), unit.part_number.as_deref())
            );
            let steps = leaves(report);
            // What sets up a source is no test.
            let block = blocks.next().unwrap();
            let set_ups =
                block.lines().filter(|line| line.ends_with("#(,)IS") || line.ends_with("#(,)VS")).count();
            assert_eq!(Some(steps.len() + set_ups), unit.rows, "{unit:?}");
            assert_eq!(Some(failed(&steps)), unit.failed_rows, "{unit:?}");
            let start = report.start.as_ref().unwrap().instant().unwrap();
            let seconds = report.uut.as_ref().unwrap().exec_time.unwrap().get();
            let end = unit.notes.rsplit("end=").next().unwrap();
            let end: jiff::Timestamp = format!("{end}Z").parse().unwrap();
            assert_eq!(end.duration_since(start).as_secs_f64(), seconds);
        }
        // The second unit failed although all its components are good.
        let failed = shown(&conversion.reports[1]);
        assert_eq!(failed[0], "OPENS test, failed F ET_SVT");
        assert!(
            failed.contains(&"C206(CP) P 10.212763 n(CP) GELE 7.999999 12.000001".to_owned()),
            "{failed:?}"
        );
        assert!(failed.contains(&"PS_OFF(V) P ET_PFT".to_owned()));
        let contacts = step(&conversion.reports[0], "CONTACT fixture failure");
        assert_eq!(contacts.string_meas[0].value.as_deref(), Some("300,301,303"));
    }
}

#[test]
fn values_in_base_units() {
    let input = support::input(&real("teradyne-gr228x/43420_BIO2.LOG"));
    let conversion = convert_with(NAME, &input, &[("units", "base")]).unwrap();
    let steps = shown(&conversion.reports[1]);
    for expected in [
        "R402(R) P 45131532 Ohm GE 500000 -",
        "R211(R) P 10.636159 Ohm LOG - -",
        "R211(AR) P 10.636159  GELE 8.049 12.855",
        "K500_RLY1_NO(V) P 0.062061187000000006 V GELE -0.5 0.5",
    ] {
        let expected = expected.replace("0.062061187000000006", &(62.061187 / 1e3).to_string());
        assert!(steps.contains(&expected), "{expected} in {steps:?}");
    }
}

const PROGRAM: &str = "C:\\p\\B7_x.obc[01-JAN-24  00:00:00\n";

fn unit(serial: &str, lines: &str, event: &str) -> String {
    format!("@31-JUL-24  10:00:00 SN {serial}\n{lines}{event}31-JUL-24  10:00:09\n")
}

fn read(text: &str) -> Conversion {
    let input = file("log_7.txt", text.as_bytes());
    recognised(&input, NAME);
    convert(NAME, &input).unwrap()
}

#[test]
fn lines_of_every_kind() {
    let lines = "R1=4.7K(4.5,5MEG)R\nR2<1(2,)\nC1>5N(,4N)CP == too big\nC2%(,)CP\nC3%(1,2)VS\nC4#(,)IS\nC5#(,)CP\nR3=5(1,2)XY\n\
                 D1%\nR4=+-(1,2)R\nodd words = here\n(S A B +\n(S C\n(Z x\n";
    let conversion = read(&format!("{PROGRAM}{}", unit("S1", lines, "/")));
    assert_eq!(
        shown(&conversion.reports[0]),
        [
            "R-Group1 F SequenceCall",
            "R1(R) P 4.7 K(R) GELE 0.0045 5000",
            "R2 F 1  GE 2 -",
            "C-Group1 F SequenceCall",
            "C1(CP) F 5 n(CP) LE 4 -",
            "C2(CP) F ET_PFT",
            "C3(VS) F ET_PFT",
            "C5(CP) D Action",
            "R-Group2 P SequenceCall",
            "R3(XY) P 5 (XY) GELE 1 2",
            "D-Group1 F SequenceCall",
            "D1 F ET_PFT",
            "SHORTS test, failed F ET_SVT",
            "SHORTS test, failed F ET_SVT",
            "Lines that are no tests D Action",
        ]
    );
    let report = &conversion.reports[0];
    assert_eq!(step(report, "C1(CP)").report_text.as_deref(), Some("too big"));
    let kept = step(report, "Lines that are no tests").report_text.clone().unwrap();
    assert_eq!(kept, "12: R4=+-(1,2)R\n13: odd words = here\n16: (Z x");
    warns(&conversion, "3 lines are no tests of a Teradyne in-circuit tester, the first is line 12");
}

#[test]
fn a_long_list_of_nodes_is_kept_whole() {
    let nodes = "N12345,".repeat(40);
    let conversion = read(&format!("{PROGRAM}{}", unit("S1", &format!("(O {nodes}\n"), "/")));
    let opens = step(&conversion.reports[0], "OPENS test, failed");
    assert_eq!(opens.string_meas[0].value.as_ref().unwrap().len(), 100);
    assert_eq!(opens.report_text.as_deref(), Some(nodes.as_str()));
    assert_eq!(conversion.warnings, Vec::<String>::new());
}

#[test]
fn each_event_has_its_verdict() {
    let events = ["\"", "/", "?", "!", "*", "&", "]"];
    let text: String = events.iter().map(|event| unit("S", "R1=1(,)R\n", event)).collect();
    let conversion = read(&format!("{PROGRAM}{text}]31-jul-24  11:00:00\n"));
    let results: String = conversion.reports.iter().map(|report| report.result.letter()).collect();
    assert_eq!(results, "PFTTEEF");
    for report in &conversion.reports {
        assert_eq!(report.root.as_ref().unwrap().status, report.result);
        assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-07-31T10:00:00+02:00");
    }
    // A unit that was given up before its first test is a unit all the same.
    let conversion = read(&format!("{PROGRAM}{}", unit("S1", "", "?")));
    assert_eq!((conversion.reports.len(), shown(&conversion.reports[0]).len()), (1, 0));
}

#[test]
fn the_program_can_log_what_a_report_needs() {
    let settings = "WATS_partNumber=PN 9\nWATS_partRevision=C WATS_sequenceName=Main\nWATS_sequenceVersion=7 WATS_operator=ann lee\n\
                    WATS_stationName=ICT4\nWATS_shift=2\nTOP_OF_LOOP-C\n";
    let text = format!(
        "{PROGRAM}{}{}",
        unit("S1 extra", settings, "\""),
        unit("S2", "TOP_OF_LOOP-A\nTOP_OF_LOOP-B\n", "\"")
    );
    let conversion = read(&text);
    let shown = |report: &Report| {
        let uut = report.uut.as_ref().unwrap();
        let call = report.root.as_ref().unwrap().seq_call.clone().unwrap();
        format!(
            "{} {} {} {} {:?} {:?} {:?} {:?}",
            report.pn,
            report.rev,
            report.machine_name,
            report.sn,
            uut.user.as_ref().unwrap(),
            uut.test_socket_index,
            call.name.unwrap(),
            call.version.unwrap()
        )
    };
    assert_eq!(shown(&conversion.reports[0]), "PN 9 C ICT4 S1 \"ann lee\" Some(3) \"Main\" \"7\"");
    assert_eq!(
        shown(&conversion.reports[1]),
        "B7 1 Teradyne ICT S2 \"\" Some(1) \"C:\\\\p\\\\B7_x.obc\" \"1.0\""
    );
    let infos = &conversion.reports[0].misc_infos;
    assert_eq!((infos[0].text.as_deref(), infos[1].text.as_deref()), (Some("2"), Some("extra")));
    warns(&conversion, "lines \"shift\" are not known (1)");
    warns(&conversion, "names several positions on the panel (A, B): the first is used");
    let given = [
        ("stationName", "T1"),
        ("operator", "bo"),
        ("sequenceVersion", "2"),
        ("partRevision", "D"),
        ("partNumberRegEx", "_(?P<PartNumber>.*)"),
        ("operationTypeCode", "40"),
    ];
    let conversion = convert_with(NAME, &file("a.log", text.as_bytes()), &given).unwrap();
    assert_eq!(shown(&conversion.reports[1]), "x D T1 S2 \"bo\" Some(1) \"C:\\\\p\\\\B7_x.obc\" \"2\"");
    assert_eq!(conversion.reports[1].process_code, Some(40));
    let error =
        convert_with(NAME, &file("a.log", text.as_bytes()), &[("socketNumberRegEx", "(")]).unwrap_err();
    assert!(error.to_string().contains("the argument socketNumberRegEx is \"(\""), "{error}");
}

#[test]
fn what_is_missing_is_replaced_and_said() {
    let text = "@31-JUL-24  10:00:00\nR1=1(,)R\n\"31-JUL-24  09:00:00\n@32-JUL-24  10:00:00 SN S2\n\"31-JUL-24  10:00:00\n";
    let conversion = read(text);
    let (first, second) = (&conversion.reports[0], &conversion.reports[1]);
    assert_eq!((first.sn.as_str(), first.pn.as_str()), ("20240731100000", "log"));
    assert_eq!(first.uut.as_ref().unwrap().exec_time, None);
    assert_eq!(second.start.as_ref().unwrap().as_str(), "2026-01-02T04:04:05+01:00");
    warns(&conversion, "line 1: no serial number behind SN");
    warns(&conversion, "no program stands before line 1");
    warns(&conversion, "\"32-JUL-24  10:00:00\" is no time");
}

#[test]
fn a_log_that_breaks_off_gives_what_is_complete() {
    may_break_off_anywhere(NAME, "teradyne-gr228x/43420_BIO2.LOG");
    let text = format!("{PROGRAM}{}{}", unit("S1", "R1=1(,)R\n", "\""), unit("S2", "R1=1(,)R\n", "/"));
    let first = PROGRAM.len() + unit("S1", "R1=1(,)R\n", "\"").len();
    for at in 0..text.len() {
        match convert(NAME, &file("a.log", &text.as_bytes()[..at])) {
            Ok(conversion) => {
                // The line end may be missing, nothing else.
                assert!(at + 1 >= first, "{at}");
                let complete = if at + 1 == text.len() { 2 } else { 1 };
                assert_eq!(conversion.reports.len(), complete, "{at}");
            }
            Err(error) => {
                assert!(
                    at + 1 < first && matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat),
                    "{at} {error}"
                );
            }
        }
    }
    let conversion = convert(NAME, &file("a.log", &text.as_bytes()[..text.len() - 3])).unwrap();
    warns(&conversion, "the last test, from line 5 on, is not complete: the 1 before it are taken");
    let lost = text.replace("\"31-JUL-24  10:00:09\n", "");
    let conversion = read(&format!("note\n{lost}"));
    let told: Vec<_> = conversion.reports.iter().map(|it| (it.sn.as_str(), it.result)).collect();
    assert_eq!(told, [("S1", Status::Terminated), ("S2", Status::Failed)]);
    assert_eq!(conversion.reports[0].uut.as_ref().unwrap().exec_time, None);
    warns(&conversion, "the test from line 3 on has no line that ends it: terminated");
    warns(&conversion, "1 lines belong to no test and are left out, the first is line 1");
}

#[test]
fn what_is_no_test_log_is_refused() {
    refuses_what_is_no_log(NAME);
    fails(NAME, &file("a.log", PROGRAM.as_bytes()), "the log has a program, and no test of a unit");
}

const RECORDS: &str = "{@BATCH|PN5|x}\n{@BLOCK|power|P}\n{@BTEST|R1|R|M:100.5|L:90|H:110|P}{@BTEST|C1|CP|H:2U|M:3U|FAIL}\n\
                       {@BTEST|R2|RA|PASS|why}\n{@BTEST|R3|DC|M:5|L:6}\n{@BTEST||R|P}\n{@A-JUM|0}\n{@BLOCK|fan|E}\n";

#[test]
fn records_with_words_for_verdicts() {
    let input = file("board.one.txt", RECORDS.as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let report = &conversion.reports[0];
    assert_eq!(
        shown(report),
        [
            "power P ET_PFT",
            "fan F ET_PFT",
            "R-Group F SequenceCall",
            "R1(R) P 100.5 ohm GELE 90 110",
            "R2(RA) P ET_PFT",
            "R3(DC) F 5 V GE 6 -",
            "C-Group F SequenceCall",
            &format!("C1(CP) F {} F LE {} -", 3.0 / 1e6, 2.0 / 1e6),
            "Lines that are no tests D Action",
        ]
    );
    assert_eq!((report.pn.as_str(), report.sn.as_str()), ("PN5", "20260102040405"));
    assert_eq!((report.result, report.root.as_ref().unwrap().name.as_str()), (Status::Failed, "board"));
    assert_eq!(step(report, "R2(RA)").report_text.as_deref(), Some("why"));
    warns(&conversion, "lines \"A-JUM\" are not known (1)");
    warns(&conversion, "the time of the file is used");
    let cut = file("a.txt", &RECORDS.as_bytes()[..RECORDS.len() - 3]);
    assert_eq!(convert(NAME, &cut).unwrap_err().kind, ErrorKind::NotYet);
}

#[test]
fn a_file_is_claimed_by_what_it_has() {
    for (text, confidence) in [
        (PROGRAM, 0.7),
        ("@31-JUL-24  10:00:00 SN A\n", 0.7),
        ("@31-JUL-24  10:00:00 SN A\nR1=1(,)R\n", 0.9),
        ("@\nModel: M\n", 0.0),
        ("path.obc[\n", 0.0),
        ("{@BLOCK|1%r101|0\n{@A-RES|0|1{@LIM2|2|1}}}\n", 0.0),
        ("{@BTEST|SN1|0|240131081502|43}\n", 0.0),
        ("{@BTEST|SN1|6|240131081502|43||||||P|F}\n", 0.0),
        ("{@BLOCK|F}\n", 0.0),
    ] {
        let found = find(NAME).unwrap().qualify(&file("a.txt", text.as_bytes())).confidence;
        assert_eq!(found, confidence, "{text}");
    }
}
