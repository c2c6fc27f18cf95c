//! Teradyne Nano 51e: made files by the description of the format. No genuine one is public.
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

const NAME: &str = "teradyne-nano-51e";
const FILE: &str = "A%PN123%20240115%SN0001_NG_20240731081502.csv";
const HEAD: &str = "Name,Value,Low,High,Result\n";

fn read(rows: &str) -> Conversion {
    let input = file(FILE, format!("{HEAD}{rows}").as_bytes());
    recognised(&input, NAME);
    convert(NAME, &input).unwrap()
}

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

const ROWS: &str = "R101[Resistors],4.71kOhm,4465Ohm,4.935kOhm,PASS\nC7[Capacitors],81.2nF,90nF,0.11uF,FAIL\nR102[Resistors],1e3Ohm,900,1100,PASS\n";

#[test]
fn a_file_with_its_name() {
    let conversion = read(ROWS);
    assert_eq!(conversion.warnings, Vec::<String>::new());
    let report = &conversion.reports[0];
    assert_eq!(
        shown(report),
        [
            "Resistors P SequenceCall",
            "R101 P 4.71 kOhm GELE 4.465 4.935",
            "R102 P 1000 Ohm GELE 900 1100",
            "Capacitors F SequenceCall",
            "C7 F 81.2 nF GELE 90 110",
        ]
    );
    assert_eq!((report.pn.as_str(), report.sn.as_str(), report.result), ("PN123", "SN0001", Status::Failed));
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-07-31T08:15:02+02:00");
    assert_eq!(
        (report.process_code, report.uut.as_ref().unwrap().user.as_deref()),
        (Some(30), Some("sysoper"))
    );
    let info = &report.misc_infos[0];
    assert_eq!(
        (info.description.as_deref(), info.text.as_deref()),
        (Some("SMT Production Date"), Some("20240115"))
    );
    let root = report.root.as_ref().unwrap();
    assert_eq!((root.name.as_str(), root.status), ("PN123", Status::Failed));
    let mut report = report.clone();
    report.id = Some(Default::default());
    assert_eq!(problems(&report, Strictness::Documented), []);

    let given = [
        ("groupSteps", "false"),
        ("revision", "B"),
        ("sequenceFileName", "nano.prg"),
        ("sequenceVersion", "3"),
        ("operator", "ann"),
        ("operationTypeCode", "40"),
    ];
    let input = file(&FILE.replace("_NG_", "_OK_"), format!("{HEAD}{ROWS}").as_bytes());
    let report = convert_with(NAME, &input, &given).unwrap().reports.remove(0);
    // The tester's verdict counts.
    assert_eq!((report.result, report.rev.as_str(), report.process_code), (Status::Passed, "B", Some(40)));
    assert_eq!(shown(&report).iter().filter(|line| line.contains("SequenceCall")).count(), 0);
    let call = report.root.as_ref().unwrap().seq_call.clone().unwrap();
    assert_eq!((call.name.as_deref(), call.version.as_deref()), (Some("nano.prg"), Some("3")));
}

#[test]
fn values_and_limits_of_every_kind() {
    let conversion = read(
        "A[g],5%,,10%,PASS\nB[g],5,1V,,PASS\nC[g],5mV,1A,10mV,FAIL\nD[g],OVER,1kOhm,x,FAIL\nE[g],1E+3,,,SKIP,more,columns\n\
         F,7V,,,PASS\n[g],1,2,3,PASS\nG[g],1,2\n\nH[g],-5uA,-0.006mA,-4uA,pass\n",
    );
    let report = &conversion.reports[0];
    assert_eq!(
        shown(report),
        [
            "g F SequenceCall",
            "A P 5 % LE 10 -",
            "B P 5 V GE 1 -",
            "C F 5 mV LE 10 -",
            "D F ET_PFT",
            "E F 1000  LOG - -",
            "H P -5 uA GELE -6 -4",
            "F P 7 V LOG - -",
            "[g] P 1  GELE 2 3",
            "Lines that are no tests D Action",
        ]
    );
    let text = |name: &str| step(report, name).report_text.clone().unwrap();
    assert_eq!(text("C"), "Low limit: 1A");
    assert_eq!(text("D"), "Measured: OVER\nHigh limit: x\nLow limit: 1kOhm");
    assert_eq!(text("E"), "Result: SKIP\nmore\ncolumns");
    assert_eq!(text("Lines that are no tests"), "9: G[g],1,2");
    warns(&conversion, "line 4: Low limit \"1A\" has another unit than \"5mV\"");
    warns(&conversion, "line 5: Measured \"OVER\" is no number with a unit");
    warns(&conversion, "1 lines are no rows name[group]");
}

#[test]
fn decimal_commas_and_other_separators() {
    let semicolons = "Name;Value;Low;High;Result\r\nR1[R];4,71kOhm;4,465kOhm;4,935kOhm;PASS\r\n";
    let commas = "Name,Value,Low,High,Result\nR1[R],4,71kOhm,4,465kOhm,4,935kOhm,PASS\n";
    let quoted = "Name,Value,Low,High,Result\n\"R1[R]\",\"4,71kOhm\",\"4,465kOhm\",\"4,935kOhm\",\"PASS\"\n";
    for text in [semicolons, commas, quoted] {
        let input = file(FILE, text.as_bytes());
        recognised(&input, NAME);
        let conversion = convert(NAME, &input).unwrap();
        assert_eq!(shown(&conversion.reports[0])[1], "R1 P 4.71 kOhm GELE 4.465 4.935", "{text}");
        warns(&conversion, "3 numbers with a decimal comma");
    }
    // Without a line of titles, and as Windows writes it.
    let input = file(FILE, b"R1[\xb5],4.71\xb5A,4\xb5A,5\xb5A,PASS\n");
    recognised(&input, NAME);
    assert_eq!(shown(&convert(NAME, &input).unwrap().reports[0])[1], "R1 P 4.71 µA GELE 4 5");
}

#[test]
fn the_name_is_needed() {
    let text = format!("{HEAD}{ROWS}");
    for name in ["log.csv", "A%PN123%20240115%SN0001_NG.csv", "A%PN123%20240115%SN0001_NG_20240731081502.txt"]
    {
        let input = file(name, text.as_bytes());
        assert!(!find(NAME).unwrap().qualify(&input).is_yes(), "{name}");
        fails(
            NAME,
            &input,
            "has no part number, serial number, status and time; expected a name like A%PN123%",
        );
    }
    let passed = convert(NAME, &file(&FILE.replace("_NG_", "_ok_"), text.as_bytes())).unwrap();
    assert_eq!((passed.reports[0].result, passed.warnings.len()), (Status::Passed, 0));
    let input = file(&FILE.replace("_NG_2024", "_HOLD_9999").replace("0731", "9931"), text.as_bytes());
    let conversion = convert(NAME, &input).unwrap();
    warns(&conversion, "the status \"HOLD\" of the file name is neither OK nor NG: failed");
    warns(&conversion, "no start time that can be read");
    assert_eq!(conversion.reports[0].misc_infos[1].text.as_deref(), Some("HOLD"));
    for bytes in [&b""[..], b"\0\x01binary", b"hello\n", b"Name,Value,Low,High,Result\n", b"<a/>"] {
        let input = file(FILE, bytes);
        assert!(!find(NAME).unwrap().qualify(&input).is_yes());
        assert!(!convert(NAME, &input).unwrap_err().problem.is_empty());
    }
}

#[test]
fn a_file_that_breaks_off_waits() {
    let text = format!("{HEAD}{ROWS}");
    for at in 0..=text.len() {
        let input = file(FILE, &text.as_bytes()[..at]);
        let rows = text[..at].matches("PASS\n").count() + text[..at].matches("FAIL\n").count();
        let at_end = text[at..].starts_with('\n') || text[..at].ends_with('\n');
        match convert(NAME, &input) {
            Ok(conversion) => {
                assert!(at_end, "{at}");
                let rows = rows + usize::from(text[at..].starts_with('\n'));
                assert_eq!(leaves(&conversion.reports[0]).len(), rows, "{at}");
            }
            Err(error) => {
                assert!(matches!(error.kind, ErrorKind::NotYet), "{at} {error}");
                assert!(!at_end || rows == 0, "{at} {error}");
            }
        }
        let mut bytes = text.clone().into_bytes();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 0x15;
        }
        drop(convert(NAME, &file(FILE, &bytes)));
    }
    let cut = file(FILE, &text.as_bytes()[..text.len() - 2]);
    let error = convert(NAME, &cut).unwrap_err();
    assert!(error.to_string().starts_with("line 4, column 36: the file ends inside of a row"), "{error}");
}

#[test]
fn many_odd_rows_are_read_to_their_end() {
    let rows: String =
        (0..50_000).map(|at| format!("R{at}[G{}],{at}Ohm,1,2,PASS\n\"odd {at}\n", at % 100)).collect();
    let conversion = convert(NAME, &file(FILE, format!("{HEAD}{rows}").as_bytes())).unwrap();
    assert_eq!(leaves(&conversion.reports[0]).len(), 50_001);
    assert_eq!(conversion.warnings.len(), 1);
}
