//! Keysight i3070: made files by the description of its log records. No genuine one is public.
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
use wats::validate::{Strictness, problems};
use wats_converters::{Conversion, ErrorKind, find};

const NAME: &str = "keysight-i3070";

const BATCH: &str = "{@BATCH|PCA77|B|12|1||ict|WO7|anna|i3070-3|pca77.tpn|4|PAN|2|PCA77-B\n";

fn board(id: &str, status: &str, number: &str, records: &str) -> String {
    format!("{{@BTEST|{id}|{status}|240731081502|43|0|all||n|n|240731081545||{number}|P9\n{records}}}\n")
}

fn read(records: &str) -> Conversion {
    let text = format!("{BATCH}{}}}\n", board("SN0001", "6", "1", records));
    let input = file("board0001", text.as_bytes());
    recognised(&input, NAME);
    convert(NAME, &input).unwrap()
}

/// The steps, each number as `[name] P 1 kΩ GELE 0.9 1.1`.
fn shown(report: &Report) -> Vec<String> {
    let limit = |it: Option<Double>| it.map_or("-".to_owned(), |it| it.get().to_string());
    let of = |step: &wats::report::Step| {
        let numbers: Vec<String> = step
            .numeric_meas
            .iter()
            .map(|m| {
                let name =
                    m.name.as_ref().map_or(String::new(), |name| format!("[{name}] {} ", m.status.letter()));
                let unit = m.unit.as_ref().unwrap();
                format!(
                    " {name}{} {unit} {} {} {}",
                    m.value.get(),
                    m.comp_op,
                    limit(m.low_limit),
                    limit(m.high_limit)
                )
            })
            .collect();
        let kind = if numbers.is_empty() && step.seq_call.is_none() {
            format!(" {}", step.step_type)
        } else {
            String::new()
        };
        format!("{} {}{kind}{}", step.name, step.status.letter(), numbers.concat())
    };
    report.root.as_ref().unwrap().walk().skip(1).map(of).collect()
}

#[test]
fn a_board_with_tests_of_most_kinds() {
    let conversion = read(
        "{@BLOCK|1%r101|0\n{@A-RES|0|1.006789E+03{@LIM3|1.000000E+03|1.050000E+03|9.500000E+02}}\n}\n\
         {@BLOCK|1%u3|1\n{@A-MEA|0|3.301000E+00|vcc{@LIM2|3.450000E+00|3.150000E+00}}\n\
         {@A-MEA|1|1.102000E+00|vref{@LIM2|1.300000E+00|1.200000E+00}}\n}\n\
         {@D-T|0|0|0|0|1%u7\n}\n{@TS|0|0|0|0|shorts\n}\n{@RPT|vref low}\n{@RPT~7|a|{b}\nc|}\n",
    );
    assert_eq!(conversion.warnings, Vec::<String>::new());
    let report = &conversion.reports[0];
    assert_eq!(
        shown(report),
        [
            "A-RES P",
            "r101 P 1.006789 kΩ GELE 0.95 1.05",
            "A-MEA F",
            "u3 F [vcc] P 3.301  GELE 3.15 3.45 [vref] F 1.102  GELE 1.2 1.3",
            "D-T P",
            "u7 P [Pin count] P 0  LOG - - [Test substatus] P 0  LOG - - [Failing vector number] P 0  LOG - - \
             [Test status] P 0  LOG - -",
            "TS P",
            "shorts P [Shorts count] P 0  LOG - - [Opens count] P 0  LOG - - [Phantoms count] P 0  LOG - - \
             [Test status] P 0  LOG - -",
        ]
    );
    assert_eq!(step(report, "r101").report_text.as_deref(), Some("Nominal value: 1 kΩ"));
    assert_eq!((report.pn.as_str(), report.sn.as_str(), report.rev.as_str()), ("PCA77-B", "SN0001", "4"));
    assert_eq!((report.result, report.machine_name.as_str()), (Status::Failed, "i3070-3"));
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-07-31T08:15:02+02:00");
    let uut = report.uut.as_ref().unwrap();
    assert_eq!(uut.comment.as_deref(), Some("vref low\na|{b}\nc"));
    assert_eq!(
        (uut.user.as_deref(), uut.batch_sn.as_deref(), uut.fixture_id.as_deref()),
        (Some("anna"), Some("WO7"), Some("12"))
    );
    assert_eq!((uut.exec_time.unwrap().get(), uut.test_socket_index), (43.0, Some(1)));
    assert_eq!((uut.error_code, uut.error_message.as_deref()), (Some(6), Some("analog")));
    let root = report.root.as_ref().unwrap();
    let call = root.seq_call.as_ref().unwrap();
    assert_eq!(
        (root.name.as_str(), call.version.as_deref(), root.status),
        ("pca77.tpn", Some("4"), Status::Failed)
    );
    let infos: Vec<String> = report
        .misc_infos
        .iter()
        .map(|it| format!("{}={}", it.description.as_ref().unwrap(), it.text.as_ref().unwrap()))
        .collect();
    assert_eq!(
        infos.join(" "),
        "UUT type=PCA77 UUT type revision=B Process step=ict Testhead=1 Parent panel type=PAN Parent panel type revision=2 \
         Multiple test=0 Log level=all Learning=n Known good=n Parent panel id=P9"
    );
    let mut report = report.clone();
    report.id = Some(Default::default());
    assert_eq!(problems(&report, Strictness::Documented), []);
}

#[test]
fn analog_tests_in_every_form() {
    let analog = |records: &str| read(&format!("{{@BLOCK|3%a%b|1\n{records}\n}}"));
    for (records, expected) in [
        ("{@A-CAP|00|9.5E-08{@LIM2|1.1E-07|9E-08}}", "a b P 95 nF GELE 90 110"),
        ("{@A-RES|1|52{@LIM2|50|47}}", "a b F 52 Ω GELE 47 50"),
        ("{@A-RES|0|480{@LIM2|500|470}}", "a b P 0.48 kΩ GELE 0.47 0.5"),
        ("{@A-JUM|0|1.5{@LIM2|5|}}", "a b P 1.5 Ω LE 5 -"),
        ("{@A-FUS|0|1.5{@LIM3||5|0}}", "a b P 1.5 A GELE 0 5"),
        ("{@A-DIO|0|6,5E-01}", "a b P 0.65 V LOG - -"),
        ("{@A-ZEN|2|+5.1{@LIM2||4.7}}", "a b F 5.1 V GE 4.7 -"),
        ("{@A-RES|0||x{@LIM2|2|1}}", "a b P ET_PFT"),
        ("{@A-RES|11|5{@LIM2|2|1}}", "a b T ET_NLT"),
        ("{@A-NPN|what|x{@LIM2|2|1}}", "a b F ET_PFT"),
        ("{@A-MEA|0|1|x{@LIM2|2|1}}", "a b P 1  GELE 1 2"),
    ] {
        assert_eq!(shown(&analog(records).reports[0])[1], expected, "{records}");
    }
    let conversion =
        analog("{@A-RES|3|5{@LIM2|2000|1000}{@NOTE|n|t}}{@A-RES|11|5|two{@LIM2|2000|1000}}{@A-RES|0|7}");
    let report = &conversion.reports[0];
    assert_eq!(shown(report)[1..], ["a b F 0.005 kΩ GELE 1 2", "a b two T ET_NLT", "a b P 7 Ω LOG - -"]);
    assert_eq!(step(report, "a b").rare.error_message.as_deref(), Some("detector timeout"));
    assert_eq!(step(report, "a b").report_text.as_deref(), Some("NOTE n t"));
    assert_eq!(
        step(report, "a b two").report_text.as_deref(),
        Some("Measured: 0.005 kΩ\nLow limit: 1 kΩ\nHigh limit: 2 kΩ")
    );
    assert_eq!(report.uut.as_ref().unwrap().test_socket_index, Some(3));
    // The same subtest twice, and one that says why it failed.
    let conversion = analog("{@A-RES|0|5|s{@LIM2|6|4}}{@A-RES|2|5|s{@LIM2|6|4}}");
    assert_eq!(shown(&conversion.reports[0])[1], "a b F [s] P 5 Ω GELE 4 6 [s #2] F 5 Ω GELE 4 6");
    let conversion = analog("{@A-NPN|what|x{@LIM2|2|1}}");
    warns(&conversion, "\"what\" is no status of a test: it counts as failed");
    warns(&conversion, "\"x\" is no number");
    let input = file(
        "b",
        format!("{BATCH}{}}}", board("S", "0", "", "{@BLOCK|r|0{@A-RES|0|1E3{@LIM2|2E3|5E2}}}")).as_bytes(),
    );
    let conversion = convert_with(NAME, &input, &[("numberFormatMode", "base")]).unwrap();
    assert_eq!(shown(&conversion.reports[0])[1], "r P 1000 Ω GELE 500 2000");
}

#[test]
fn records_may_stand_anywhere_and_long_designators_stay_apart() {
    let long = "n".repeat(120);
    let one = format!("{{@A-MEA|0|1.0|{long}{{@LIM2|2|0}}}}");
    let records = format!("{{@BLOCK|1%u3|0{one}{one}}}");
    let text = format!("{{user|x}}{BATCH}{}}}", board("SN1", "0", "1", &records)).replace('\n', "");
    let input = file("board", text.as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let step = leaves(&conversion.reports[0])[0].clone();
    let names: Vec<_> = step.numeric_meas.iter().map(|it| it.name.clone().unwrap()).collect();
    assert!(names[0] != names[1] && names.iter().all(|it| it.len() <= 100), "{names:?}");
    let text = text.replace("pca77.tpn", r"C:\i3070\boards\pca77.tpn");
    let root = convert(NAME, &file("board", text.as_bytes())).unwrap().reports.remove(0).root.unwrap();
    assert_eq!(root.name, r"C:\i3070\boards\pca77.tpn");
    // Tests of another board than the one that began are told apart.
    let conversion = read("{@BLOCK|3%r1|0}\n{@BLOCK|4%r1|0}\n{@BLOCK|4%r2|0}\n");
    let names: Vec<String> = leaves(&conversion.reports[0]).iter().map(|it| it.name.to_string()).collect();
    assert_eq!(names, ["r1", "4 r1", "4 r2"]);
    assert_eq!(conversion.warnings.len(), 1);
    warns(&conversion, "the designator \"4%r1\" is of another position on the panel than 3");
}

#[test]
fn digital_and_vectorless_tests_keep_their_pins() {
    let conversion = read(
        "{@TS|1|1|0|0|shorts\n{@TS-S|1|0|n1{@TS-D\\2|n2|3.5|n3|4.5}}{@TS-O|n4|n5|99}}\n{@TS|20|0|0|0|learnt}\n\
         {@TJET|07|0002|1%u1{@DPIN|u1\\2|n1|3|n2|4}}\n{@CCHK|00|0000|u2}\n{@PF|pins|1|3{@PIN\\2|10101|10102}}\n\
         {@BS-CON|bs|7|1|2{@BS-O|u1|2|u3|4}}\n{@PRB|1|1|prb}\n{@PCHK|1|c7}\n{@ARRAY|arr|1|2|100}\n\
         {@BLOCK|u9|8{@D-T|1|x|17|2|{@DPIN|u9\\1|n9|1\\1|u8}}{@INDICT|vtep\\2|u1|u2}}\n\
         {@D-PLD|prog.jed|program|5|bad id|12{@EXPRT|key|value}}\n{@BLOCK|u10|1}\n{@BLOCK|u11|0}\n",
    );
    assert_eq!(
        shown(&conversion.reports[0]).iter().map(|line| line.replace("  LOG - -", "")).collect::<Vec<_>>(),
        [
            "TS F",
            "shorts F [Shorts count] P 1 [Opens count] P 0 [Phantoms count] P 0 [Test status] F 1",
            "learnt P [Shorts count] P 0 [Opens count] P 0 [Phantoms count] P 0 [Test status] P 20",
            "TJET F",
            "u1 F [Pin count] P 2 [Test status] F 7",
            "CCHK P",
            "u2 P [Pin count] P 0 [Test status] P 0",
            "PF F",
            "pins F [Total pins] P 3 [Test status] F 1",
            "BS-CON F",
            "bs F [Shorts count] P 1 [Opens count] P 2 [Test status] F 7",
            "PRB F",
            "prb F [Pin count] P 1 [Test status] F 1",
            "PCHK F",
            "c7 F ET_PFT",
            "ARRAY F",
            "arr F [Failures] P 2 [Samples] P 100 [Test status] F 1",
            "D-T F",
            "u9 F [Pin count] P 2 [Test substatus] P NaN [Failing vector number] P 17 [Test status] F 1",
            "INDICT P",
            "u9 D Action",
            "D-PLD F",
            "prog.jed F ET_PFT",
            "BLOCK F",
            "u10 F ET_PFT",
            "u11 P ET_PFT",
        ]
    );
    let report = &conversion.reports[0];
    let text = |name: &str| step(report, name).report_text.clone().unwrap();
    assert_eq!(text("shorts"), "TS-S 1 0 n1 (TS-D [n2, 3.5, n3, 4.5])\nTS-O n4 n5 99");
    assert_eq!(text("u1"), "DPIN u1 [n1, 3, n2, 4]");
    assert_eq!(text("pins"), "PIN [10101, 10102]");
    assert_eq!(text("u9"), "DPIN u9 [n9, 1] [u8]");
    assert_eq!(text("prog.jed"), "D-PLD prog.jed program 5 bad id 12 (EXPRT key value)");
    let indicted = leaves(report).into_iter().find(|it| it.step_type == "Action").unwrap();
    assert_eq!(indicted.report_text.as_deref(), Some("vtep\nu1, u2"));
    warns(&conversion, "Test substatus \"x\" is no number");
}

#[test]
fn each_status_of_a_board_has_its_verdict() {
    for (status, result) in [
        ("0", "P"),
        ("00", "P"),
        ("1", "F"),
        ("3", "F"),
        ("10", "F"),
        ("11", "E"),
        ("12", "E"),
        ("17", "F"),
        ("80", "E"),
        ("81", "T"),
        ("82", "T"),
        ("95", "F"),
    ] {
        let text = format!("{BATCH}{}}}", board("S", status, "", ""));
        let conversion = convert(NAME, &file("a", text.as_bytes())).unwrap();
        assert_eq!(conversion.reports[0].result.letter(), result, "{status}");
    }
    let text = format!("{BATCH}{}{}}}", board("S1", "13", "1", ""), board("S2", "", "2", "{@PCHK|1|c}"));
    let conversion = convert(NAME, &file("a", text.as_bytes())).unwrap();
    assert_eq!((conversion.reports.len(), conversion.reports[0].result), (1, Status::Failed));
    warns(&conversion, "line 2: the board was crossed out and not tested: no report of it");
    warns(&conversion, "\"\" is no status of a board: its tests decide");
    let text = format!("{BATCH}{}}}", board("S1", "13", "1", ""));
    fails(NAME, &file("a", text.as_bytes()), "all boards of the file were crossed out");
}

#[test]
fn panels_and_batches_give_all_their_boards() {
    let first =
        format!("{BATCH}{}{}}}\n", board("S1", "0", "1", "{@BLOCK|7%r|0}"), board("S2", "1", "2", ""));
    let second =
        format!("{{@BATCH|PX\n{}}}\n{}", board("S3", "0", "", "{@BLOCK|5%r|0}"), board("S4", "0", "1", ""));
    let text = format!("{first}{second}{{@AID|x}}{{@NEWS|y}}\n}}\n");
    let input = file("a.log", text.as_bytes());
    recognised(&input, NAME);
    let conversion = convert_with(NAME, &input, &[("partNumber", "PZ")]).unwrap();
    let shown: Vec<String> = conversion
        .reports
        .iter()
        .map(|report| {
            let uut = report.uut.as_ref().unwrap();
            format!(
                "{} {} {} {} {} {:?}",
                report.sn,
                report.pn,
                report.rev,
                report.machine_name,
                uut.user.as_ref().unwrap(),
                uut.test_socket_index
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "S1 PCA77-B 4 i3070-3 anna Some(1)",
            "S2 PCA77-B 4 i3070-3 anna Some(2)",
            "S3 PX 1.0 ST1 sysoper Some(5)",
            "S4 PZ 1.0 ST1 sysoper Some(1)",
        ]
    );
    warns(&conversion, "records outside of boards are left out: @NEWS");
    warns(&conversion, "1 texts or braces belong to no record");
    fails(NAME, &file("a", board("S4", "0", "1", "").as_bytes()), "the file has no part number");
}

#[test]
fn what_is_missing_void_or_unknown_is_said() {
    let text = format!(
        "{BATCH}{{@BTEST||0|890131081502||||||||||\n{{@PCHK|1|old}}{{@RPT|old}}{{@RETEST|240131081502}}\n{{@PCHK|0|new}}{{OWN|a|b}}{{@AID|z}}\n\
         {{@RPT|{}}}}}}}",
        "long ".repeat(1100)
    );
    let conversion = convert(NAME, &file("a", text.as_bytes())).unwrap();
    let report = &conversion.reports[0];
    assert_eq!(
        (report.sn.as_str(), report.start.as_ref().unwrap().as_str()),
        ("890131081502", "1989-01-31T08:15:02+01:00")
    );
    assert_eq!(shown(report), ["PCHK P", "new P ET_PFT"]);
    assert_eq!(report.uut.as_ref().unwrap().comment.as_ref().unwrap().len(), 5000);
    assert_eq!(report.root.as_ref().unwrap().report_text.as_ref().unwrap().len(), 5499);
    warns(&conversion, "the board has no id: its start time is used as the serial number");
    warns(&conversion, "line 3: the board was tested again: 1 tests before are void and left out");
    warns(&conversion, "lines \"OWN\" are not known (1)");
    let text = format!("{BATCH}{{@BTEST||0|31.01.2024\n}}}}");
    let conversion = convert(NAME, &file("a", text.as_bytes())).unwrap();
    warns(&conversion, "\"31.01.2024\" is no time like 240131081502");
}

#[test]
fn a_tester_that_was_cut_off_and_a_file_that_breaks_off() {
    // Ctrl-D: what is before it is valid, and so is what follows.
    let cut = format!(
        "{BATCH}{{@BTEST|S1|6|240731081502|43\n{{@BLOCK|r1|1{{@A-RES|1|5\u{4}\n{}",
        board("S2", "0", "2", "")
    );
    let conversion = convert(NAME, &file("a", cut.as_bytes())).unwrap();
    let serials: Vec<&str> = conversion.reports.iter().map(|report| report.sn.as_str()).collect();
    assert_eq!(serials, ["S1", "S2"]);
    assert_eq!(shown(&conversion.reports[0])[1], "r1 F 5 Ω LOG - -");
    warns(&conversion, "line 3: the tester was cut off in this record");

    let text = format!(
        "{BATCH}{}{}}}\n",
        board("S1", "0", "1", "{@BLOCK|r|0{@A-RES|0|1{@LIM2|2|1}}}\n"),
        board("S2", "1", "2", "")
    );
    let one = text.find("{@BTEST|S2").unwrap() - 1;
    let two = text.len() - 3;
    for at in 0..text.len() {
        let input = file("a", &text.as_bytes()[..at]);
        match convert(NAME, &input) {
            Ok(conversion) => {
                assert!(at >= one, "{at}");
                assert_eq!(conversion.reports.len(), if at >= two { 2 } else { 1 }, "{at}");
                assert!(!conversion.warnings.is_empty() || at >= text.len() - 1, "{at}");
            }
            Err(error) => {
                assert!(
                    at < one && matches!(error.kind, ErrorKind::NotYet | ErrorKind::WrongFormat),
                    "{at} {error}"
                );
            }
        }
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 0x15;
        drop(convert(NAME, &file("a", &bytes)));
    }
    let conversion = convert(NAME, &file("a", &text.as_bytes()[..two - 5])).unwrap();
    warns(
        &conversion,
        "the last board is not complete, its record of line 5 has no end: the 1 before it are taken",
    );
    let error = convert(NAME, &file("a", &text.as_bytes()[..one - 5])).unwrap_err();
    assert!(error.to_string().starts_with("line 3: the file ends before the closing brace"), "{error}");
}

#[test]
fn what_is_no_log_is_refused() {
    refuses_what_is_no_log(NAME);
    let deep = format!("{BATCH}{}", "{@A".repeat(500_000));
    assert_eq!(convert(NAME, &file("a", deep.as_bytes())).unwrap_err().kind, ErrorKind::TooLarge);
    fails(NAME, &file("a", b"{@BATCH|P}"), "there is no record @BTEST");
    for text in [
        "{@A-RES|0|1}",
        "text {@BATCH|P}",
        "\"{@BATCH|P}",
        "{@BTEST|R1|R|M:1|P}",
        "{\"@BATCH\": 1}",
        "{@BATCHES|1}",
    ] {
        assert!(!find(NAME).unwrap().qualify(&file("a", text.as_bytes())).is_yes(), "{text}");
    }
}
