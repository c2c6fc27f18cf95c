//! STDF V4: the real lot, and made files for what it does not have.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use std::io::Write as _;

use expect_test::{Expect, expect};
use support::convert::{
    convert, convert_with, failed, fails, file, leaves, real_files, recognised, step, warns,
};
use support::stdf::{F, Stdf};
use wats::Report;
use wats::report::Status;
use wats_converters::{Conversion, ErrorKind};

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    to.write_all(bytes).unwrap();
    to.finish().unwrap()
}

fn read(stdf: &Stdf) -> Conversion {
    convert("stdf", &file("lot.stdf", &stdf.bytes)).unwrap()
}

fn info<'a>(report: &'a Report, name: &str) -> &'a str {
    let found = report.misc_infos.iter().find(|it| it.description.as_deref() == Some(name));
    found.and_then(|it| it.text.as_deref()).unwrap_or("none")
}

/// Each step with its status, measurements and text, indented.
fn tree(report: &Report) -> String {
    fn show(step: &wats::report::Step, depth: usize, to: &mut String) {
        to.push_str(&format!(
            "{}{} {} {}",
            "  ".repeat(depth),
            step.status.letter(),
            step.step_type,
            step.name
        ));
        for it in &step.numeric_meas {
            let limit =
                |it: Option<wats::report::Double>| it.map_or(String::new(), |it| format!(" {}", it.get()));
            to.push_str(&format!(
                " [{}{} {}{} {}{}{}]",
                it.name.as_deref().map_or(String::new(), |name| format!("{name}: ")),
                it.status.letter(),
                it.value.get(),
                it.unit.as_deref().map_or(String::new(), |unit| format!(" {unit}")),
                it.comp_op,
                limit(it.low_limit),
                limit(it.high_limit)
            ));
        }
        step.boolean_meas.iter().for_each(|it| to.push_str(&format!(" [{}]", it.status.letter())));
        if let Some(text) = &step.report_text {
            to.push_str(&format!(" \"{}\"", text.replace('\n', " | ")));
        }
        to.push('\n');
        step.children().iter().for_each(|child| show(child, depth + 1, to));
    }
    let mut shown = String::new();
    show(report.root.as_ref().unwrap(), 0, &mut shown);
    shown
}

#[track_caller]
fn check(report: &Report, expected: &Expect) {
    expected.assert_eq(&tree(report));
}

#[test]
fn the_real_lot_has_what_stands_in_it() {
    let (conversion, units) = real_files("stdf", "stdf").remove(0);
    assert_eq!(units.len(), 1569);
    for (report, unit) in conversion.reports.iter().zip(&units) {
        assert_eq!(
            (report.sn.as_str(), Some(report.pn.as_str())),
            (unit.serial.as_str(), unit.part_number.as_deref())
        );
        let tests: Vec<_> = leaves(report).into_iter().filter(|step| step.step_type != "Action").collect();
        assert_eq!(
            (Some(tests.len()), Some(failed(&tests))),
            (unit.rows, unit.failed_rows),
            "{}",
            unit.serial
        );
        let notes = ["HardBin", "SoftBin", "XCoordinate", "YCoordinate"].map(|name| info(report, name));
        let [hard, soft, x, y] = notes;
        assert_eq!(format!("hbin={hard} sbin={soft} x={x} y={y}"), unit.notes);
    }
    let second = &conversion.reports[1];
    let osc = step(second, "1270 - Freq at 8v      <> FQ_1");
    let expected = expect![[r#"
        Some("hz") 96587.47 GELE Some(Double(93000.0)) Some(Double(107000.0))"#]];
    let it = &osc.numeric_meas[0];
    expected.assert_eq(&format!(
        "{:?} {} {} {:?} {:?}",
        it.unit,
        it.value.get(),
        it.comp_op,
        it.low_limit,
        it.high_limit
    ));
    assert_eq!(
        ["LotId", "WaferId", "TestTemperature", "HandlerType", "HardBinName", "TestCode"]
            .map(|name| info(second, name)),
        ["GAL-LOT", "GAL-LOT-02", "none", "electrogl", "none", "E38"]
    );
    warns(&conversion, "only running numbers");
    assert_eq!(conversion.warnings.len(), 1, "{:?}", conversion.warnings);
}

#[test]
fn both_byte_orders_give_the_same_and_packed_as_well() {
    let made = |big| {
        let mut stdf = Stdf::lot(big);
        stdf.record(
            (1, 80),
            &[
                F::U1(1),
                F::U1(0),
                F::U1(2),
                F::U1(0),
                F::U1(1),
                F::Cn("Handler"),
                F::Cn("H7"),
                F::Cn(""),
                F::Cn(""),
            ],
        );
        stdf.record((2, 10), &[F::U1(1), F::U1(255), F::U4(1_000_000_000), F::Cn("W05")]);
        stdf.pir(1);
        stdf.ptr(1, 1000, 1.25, "Vcc", 0x0e, (1.0, 1.5));
        stdf.prr(1, 0, "A1");
        stdf.record((1, 40), &[F::U1(255), F::U1(1), F::U2(1), F::U4(1), F::C1('P'), F::Cn("Good")]);
        stdf.record((1, 30), &[F::U1(255), F::U1(0), F::U4(1)]);
        stdf.mrr();
        stdf
    };
    let (big, little) = (made(true), made(false));
    let [mut one, mut two] = [&big, &little].map(read);
    assert_eq!(one.warnings, Vec::<String>::new());
    for (conversion, cpu) in [(&mut one, "1"), (&mut two, "2")] {
        assert_eq!(info(&conversion.reports[0], "CpuType"), cpu);
        conversion.reports[0].misc_infos.remove(0);
        assert!(conversion.reports[0].id.is_some());
    }
    // The id is that of the bytes.
    one.reports[0].id = two.reports[0].id;
    assert_eq!(one, two);
    let report = &one.reports[0];
    let shown: Vec<String> = report
        .misc_infos
        .iter()
        .map(|it| format!("{}={}", it.description.as_deref().unwrap(), it.text.as_deref().unwrap()))
        .collect();
    expect![[r#"StdfVersion=4 HandlerType=Handler HandlerId=H7 SetupTime=2001-09-09T01:00:00+02:00 StationNumber=3 ModeCode=P LotId=LOT7 NodeName=tester-3 TesterType=A530 FinishTime=2001-09-09T04:46:40+02:00 Disposition=R UserDescription=well done HardBin=1 HardBinName=Good SoftBin=5 WaferId=W05 XCoordinate=-3 YCoordinate=7 PartId=A1 Head=1 Site=1 TestCount=2"#]]
    .assert_eq(&shown.join(" "));
    let uut = report.uut.as_ref().unwrap();
    assert_eq!(
        (
            report.start.as_ref().unwrap().as_str(),
            &*report.machine_name,
            uut.exec_time.unwrap().get(),
            uut.test_socket_index
        ),
        ("2001-09-09T03:46:40+02:00", "tester-3", 1.5, Some(1))
    );
    let gz = file("lot.stdf.gz", &packed(&little.bytes));
    recognised(&gz, "stdf");
    recognised(&file("noname", &big.bytes), "stdf");
    let mut three = convert("stdf", &gz).unwrap();
    three.reports[0].misc_infos.remove(0);
    assert_eq!(two, three);
}

#[test]
fn interleaved_sites_are_kept_apart_and_take_over_from_the_first_record() {
    let mut stdf = Stdf::lot(true);
    stdf.pir(0);
    stdf.pir(1);
    stdf.ptr(0, 10, 1.2, "Supply: Vdd", 0x0e, (1.0, 2.0));
    stdf.short_ptr(1, 10, 0x80, 2.5, "");
    stdf.short_ptr(0, 11, 0, 7.0, "Id");
    stdf.ptr(1, 10, 0.9, "", 0x4e, (0.0, 2.0));
    stdf.short_ptr(1, 10, 0, 1.1, "Supply: Vdd");
    stdf.short_ptr(0, 10, 0, 1.3, "Other");
    stdf.prr(1, 8, "B");
    stdf.pir(1);
    stdf.short_ptr(1, 10, 0, 1.9, "");
    stdf.prr(1, 0, "C");
    stdf.prr(0, 0, "A");
    stdf.mrr();
    let conversion = read(&stdf);
    let serials: Vec<&str> = conversion.reports.iter().map(|it| it.sn.as_str()).collect();
    assert_eq!(serials, ["B", "C", "A"]);
    check(
        &conversion.reports[0],
        &expect![[r#"
            F SequenceCall job_final
              F SequenceCall Supply
                F ET_NLT 10 - Vdd [F 2.5 V GELE 1 2]
                P ET_NLT 10 - Vdd [P 0.9 V LE 2]
                P ET_NLT 10 - Vdd [P 1.1 V GELE 1 2]
        "#]],
    );
    check(
        &conversion.reports[2],
        &expect![[r#"
            P SequenceCall job_final
              P SequenceCall Supply
                P ET_NLT 10 - Vdd [P 1.2 V GELE 1 2]
              P ET_NLT 11 - Id [P 7 LOG]
              P ET_NLT 10 - Other [P 1.3 V GELE 1 2]
        "#]],
    );
    assert_eq!(conversion.warnings, Vec::<String>::new());
}

#[test]
fn the_flags_of_a_test_decide_its_status() {
    let mut stdf = Stdf::lot(false);
    stdf.pir(0);
    stdf.ptr(0, 1, 1.5, "V", 0x0e, (1.0, 2.0));
    for (number, flags) in
        [0x80, 0x81, 0x01, 0x02, 0x04, 0x10, 0x20, 0x40, 0xc0, 0xa0].into_iter().enumerate()
    {
        stdf.short_ptr(0, 1, flags, 1.5 + f32::from(u8::try_from(number).unwrap()), "");
    }
    for flags in [0, 0x80, 0x10, 0x20, 0x40] {
        stdf.record((15, 20), &[F::U4(50), F::U1(1), F::U1(0), F::U1(flags), F::U1(255)]);
    }
    stdf.prr(0, 4, "A");
    stdf.pir(0);
    stdf.prr(0, 16, "B");
    stdf.mrr();
    let conversion = read(&stdf);
    assert_eq!(conversion.reports[1].result, Status::Error);
    check(
        &conversion.reports[0],
        &expect![[r#"
            T SequenceCall job_final
              P ET_NLT 1 - V [P 1.5 V GELE 1 2]
              F ET_NLT 1 - V [F 1.5 V GELE 1 2]
              F ET_NLT 1 - V [F 2.5 V GELE 1 2] "Alarm"
              P ET_NLT 1 - V [P 3.5 V GELE 1 2] "Alarm"
              P ET_NLT 1 - V [P NaN V GELE 1 2] "The tester says that the result is invalid"
              P ET_NLT 1 - V [P 5.5 V GELE 1 2] "The tester says that the result is unreliable"
              S ET_NLT 1 - V
              T ET_NLT 1 - V "Aborted | Value 7.5 V"
              P ET_NLT 1 - V [P 8.5 V LOG] "The tester did not judge the value; limits: 1 to 2 V"
              P ET_NLT 1 - V [P 9.5 V LOG] "The tester did not judge the value; limits: 1 to 2 V"
              F ET_NLT 1 - V [F 10.5 V GELE 1 2] "Aborted"
              P ET_PFT 50 [P]
              F ET_PFT 50 [F]
              S ET_PFT 50
              T ET_PFT 50 "Aborted"
              D ET_PFT 50
        "#]],
    );
}

#[test]
fn multiple_and_functional_tests_name_their_pins() {
    let mut stdf = Stdf::lot(true);
    for (index, name) in [(1, "CLK"), (2, "RST"), (9, "OUT")] {
        stdf.record(
            (1, 60),
            &[F::U2(index), F::U2(0), F::Cn("ch"), F::Cn("phy"), F::Cn(name), F::U1(1), F::U1(0)],
        );
        stdf.record(
            (1, 60),
            &[F::U2(index), F::U2(0), F::Cn("ch"), F::Cn("phy"), F::Cn("later"), F::U1(1), F::U1(1)],
        );
    }
    stdf.pir(0);
    let head = |flags| [F::U4(70), F::U1(1), F::U1(0), F::U1(flags), F::U1(0)];
    let mut full: Vec<F<'_>> = head(0).into();
    full.extend([
        F::U2(3),
        F::U2(3),
        F::Raw(&[0x21, 0x03]),
        F::R4(0.1),
        F::R4(0.2),
        F::R4(0.3),
        F::Cn("Leak"),
        F::Cn(""),
    ]);
    full.extend([F::U1(0x0c), F::I1(0), F::I1(0), F::I1(0), F::R4(0.0), F::R4(0.25), F::R4(1.0), F::R4(0.5)]);
    full.extend([F::U2(1), F::U2(2), F::U2(7), F::Cn("A"), F::Cn("V")]);
    stdf.record((15, 15), &full);
    let mut short: Vec<F<'_>> = head(0x80).into();
    short.extend([F::U2(0), F::U2(2), F::R4(0.1), F::R4(0.4)]);
    stdf.record((15, 15), &short);
    let mut single: Vec<F<'_>> = head(0x80).into();
    single.extend([F::U2(0), F::U2(1), F::R4(0.1)]);
    stdf.record((15, 15), &single);
    stdf.record((15, 15), &head(0));
    let mut functional: Vec<F<'_>> = vec![F::U4(80), F::U1(1), F::U1(0), F::U1(0x80), F::U1(0b1111_0110)];
    functional.extend([F::U4(1000), F::U4(0), F::U4(0), F::U4(2), F::Raw(&[0; 8]), F::I2(0)]);
    functional.extend([F::U2(1), F::U2(1), F::U2(2), F::Raw(&[1]), F::U2(2), F::Raw(&[1])]);
    functional.extend([F::U2(12), F::Raw(&[0b0000_0010, 0b10]), F::Cn("pat_7"), F::Cn("ts1"), F::Cn("")]);
    functional.extend([F::Cn("Scan"), F::Cn("AL1"), F::Cn("prog"), F::Cn("res")]);
    stdf.record((15, 20), &functional);
    stdf.prr(0, 8, "A");
    stdf.mrr();
    check(
        &read(&stdf).reports[0],
        &expect![[r#"
            F SequenceCall job_final
              P ET_MNLT 70 - Leak [CLK: P 0.1 A GELE 0 0.25] [RST: P 0.2 A GELE 0 0.25] [Pin 7: P 0.3 A GELE 0 0.25] "Input from 1 in steps of 0.5 V"
              F ET_MNLT 70 - Leak [CLK: P 0.1 A GELE 0 0.25] [RST: F 0.4 A GELE 0 0.25] "Input from 1 in steps of 0.5 V"
              F ET_NLT 70 - Leak [F 0.1 A GELE 0 0.25] "Input from 1 in steps of 0.5 V"
              P ET_PFT 70 - Leak [P] "Input from 1 in steps of 0.5 V"
              F ET_PFT 80 - Scan [F] "Alarm AL1 | Cycles: 1000 | Failing pins: 2 | Vector: pat_7 | Time set: ts1 | Program: prog | Result: res | Pins that failed: CLK, OUT"
        "#]],
    );
}

#[test]
fn texts_sections_and_names_from_behind_the_parts_are_taken_over() {
    let mut stdf = Stdf::lot(false);
    stdf.record((50, 30), &[F::Cn("before")]);
    stdf.pir(0);
    stdf.record((20, 10), &[F::Cn("contact")]);
    stdf.short_ptr(0, 5, 0, 1.0, "");
    stdf.record((50, 30), &[F::Cn("inside")]);
    stdf.record((20, 20), &[]);
    stdf.record(
        (50, 10),
        &[F::U2(4), F::Raw(&[10]), F::Cn("KEY"), F::Raw(&[0, 3]), F::U4(77), F::Raw(&[13, 0x2f])],
    );
    stdf.record((20, 10), &[F::Cn("left open")]);
    stdf.prr(0, 0, "A");
    stdf.pir(0);
    stdf.short_ptr(0, 6, 0, 1.0, "");
    stdf.prr(0, 0, "B");
    stdf.record((50, 30), &[F::Cn("after")]);
    stdf.record((180, 7), &[F::Raw(&[1, 2, 3])]);
    stdf.record(
        (10, 30),
        &[F::U1(255), F::U1(0), F::C1('P'), F::U4(5), F::U4(1), F::U4(0), F::U4(0), F::Cn("Named")],
    );
    stdf.record((1, 30), &[F::U1(255), F::U1(0), F::U4(3)]);
    stdf.mrr();
    stdf.bytes.extend([0; 101]);
    let conversion = read(&stdf);
    check(
        &conversion.reports[0],
        &expect![[r#"
            P SequenceCall job_final
              D Action Datalog "before"
              P SequenceCall contact
                P ET_NLT 5 - Named [P 1 LOG]
              D Action Datalog "inside"
              D Action Generic data "KEY 77 15"
        "#]],
    );
    check(
        &conversion.reports[1],
        &expect![[r#"
            P SequenceCall job_final
              P ET_NLT 6 [P 1 LOG]
        "#]],
    );
    expect![[r#"
        records of type 180.7 are not known (1): skipped
        1 texts behind the last part belong to none and are left out: after
        the lot counts 3 parts (PCR), and 2 are in the file"#]]
    .assert_eq(&conversion.warnings.join("\n"));
}

#[test]
fn the_serial_number_is_made_as_the_argument_says() {
    let mut stdf = Stdf::lot(true);
    stdf.record((2, 10), &[F::U1(1), F::U1(255), F::U4(0), F::Cn("W1")]);
    stdf.pir(0);
    stdf.prr(0, 0, "");
    stdf.record((2, 20), &[F::U1(1), F::U1(255)]);
    stdf.pir(0);
    stdf.prr(0, 0, "P2");
    stdf.pir(0);
    stdf.prr(0, 0, "");
    stdf.mrr();
    for (rule, expected) in [
        ("PartId", ["W1.-3.7", "P2", "LOT7.CHIP-1#WF3"]),
        ("WaferCoordinates", ["W1.-3.7", "P2", "LOT7.CHIP-1#WF3"]),
        ("Running", ["LOT7.CHIP-1#WF1", "LOT7.CHIP-1#WF2", "LOT7.CHIP-1#WF3"]),
    ] {
        let input = file("lot.std", &stdf.bytes);
        let conversion = convert_with("stdf", &input, &[("serialNumber", rule)]).unwrap();
        let serials: Vec<&str> = conversion.reports.iter().map(|it| it.sn.as_str()).collect();
        assert_eq!(serials, expected, "{rule}");
    }
    let local = convert_with("stdf", &file("lot.std", &stdf.bytes), &[("times", "Local")]).unwrap();
    assert_eq!(local.reports[0].start.as_ref().unwrap().as_str(), "2001-09-09T01:46:40+02:00");
}

/// At whatever byte a file ends, its complete parts are there, and a warning says where it broke off.
#[test]
fn a_file_that_breaks_off_gives_its_complete_parts() {
    let mut stdf = Stdf::lot(false);
    let mut ends = Vec::new();
    for id in ["A", "B", "C"] {
        stdf.pir(0);
        stdf.ptr(0, 1, 1.5, "V", 0x0e, (1.0, 2.0));
        stdf.prr(0, 0, id);
        ends.push(stdf.bytes.len());
    }
    stdf.mrr();
    let all = read(&stdf);
    let ids: std::collections::BTreeSet<_> = all.reports.iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), 3);
    for at in 0..stdf.bytes.len() {
        let whole = ends.iter().filter(|end| **end <= at).count();
        let cut = convert("stdf", &file("lot.stdf", &stdf.bytes[..at]));
        match cut {
            Ok(conversion) => {
                assert!(whole > 0, "{at}");
                // What stands in the MRR is missing.
                let serials: Vec<&str> = conversion.reports.iter().map(|it| it.sn.as_str()).collect();
                assert_eq!(serials, &["A", "B", "C"][..whole], "{at}");
                // So that the whole file, when it comes, takes their place.
                assert_eq!(conversion.reports[0].id, all.reports[0].id);
                assert_eq!(conversion.reports[0].root, all.reports[0].root);
                assert!(!conversion.warnings.is_empty(), "{at}");
            }
            Err(error) => {
                assert_eq!(whole, 0, "{at} {error}");
                assert!(
                    matches!(error.kind, ErrorKind::NotYet | ErrorKind::Missing | ErrorKind::WrongFormat),
                    "{error:?}"
                );
            }
        }
    }
    let cut = convert("stdf", &file("lot.stdf", &stdf.bytes[..ends[1] + 20])).unwrap();
    warns(&cut, "breaks off in record 10 at byte 230: the 2 parts before it");
    let gz = packed(&stdf.bytes);
    let cut = convert("stdf", &file("lot.stdf.gz", &gz[..gz.len() - 9])).unwrap();
    warns(&cut, "the file breaks off in record");
    assert_eq!(convert("stdf", &file("l.stdf", &stdf.bytes[..70])).unwrap_err().kind, ErrorKind::NotYet);
    let whole_records = convert("stdf", &file("lot.stdf", &stdf.bytes[..ends[2]])).unwrap();
    warns(&whole_records, "no MRR record");
}

#[test]
fn a_record_may_end_before_any_of_its_fields() {
    let counts = [F::U4(5), F::U4(6), F::U4(7), F::U4(8), F::U4(1), F::U4(2), F::U2(3), F::U2(2), F::U2(1)];
    let mut stdf = Stdf::lot(true);
    stdf.pir(0);
    for end in 0..=counts.len() {
        let mut fields = vec![F::U4(7), F::U1(1), F::U1(0), F::U1(0x80), F::U1(0xff)];
        fields.extend(counts.iter().take(end).map(|it| match it {
            F::U2(it) => F::U2(*it),
            F::U4(it) => F::U4(*it),
            _ => F::Raw(&[]),
        }));
        stdf.record((15, 20), &fields);
    }
    // A test of several pins that ends before its values.
    stdf.record((15, 15), &[F::U4(8), F::U1(1), F::U1(0), F::U1(0x80), F::U1(0), F::U2(2), F::U2(2)]);
    stdf.prr(0, 8, "A");
    stdf.mrr();
    let conversion = read(&stdf);
    assert_eq!(conversion.warnings, Vec::<String>::new());
    let steps = leaves(&conversion.reports[0]);
    assert_eq!(steps.len(), counts.len() + 2);
    assert!(steps.iter().all(|it| it.status == Status::Failed), "{}", tree(&conversion.reports[0]));
}

#[test]
fn what_is_damaged_is_named_with_its_place() {
    let mut stdf = Stdf::lot(true);
    stdf.pir(0);
    let at = stdf.bytes.len();
    stdf.record(
        (15, 10),
        &[F::U4(1), F::U1(1), F::U1(0), F::U1(0), F::U1(0), F::R4(1.0), F::U1(200), F::Raw(b"abc")],
    );
    stdf.prr(0, 0, "A");
    stdf.mrr();
    fails(
        "stdf",
        &file("a.stdf", &stdf.bytes),
        &format!(
            "record 4 at byte {at}: the PTR record says that its field at byte 13 has 200 bytes, and 3 are left"
        ),
    );
    fails(
        "stdf",
        &file("a.stdf", b"\0\x02\0\x0a\x01\x03"),
        "the FAR record says version 3; expected STDF version 4",
    );
    fails("stdf", &file("a.stdf", b"\0\x02\x01\x0a\x01\x03"), "does not begin with a whole FAR record");
    fails("stdf", &file("a.stdf", b""), "does not begin with a whole FAR record");
    let mut headless = Stdf::new(true);
    headless.pir(0);
    headless.prr(0, 0, "A");
    fails("stdf", &file("a.stdf", &headless.bytes), "a part ends before a MIR record");
    let mut nameless = Stdf::new(true);
    nameless.mir(&["LOT"]);
    nameless.pir(0);
    nameless.prr(0, 0, "A");
    let input = file("a.stdf", &nameless.bytes);
    fails("stdf", &input, "the file has no part number. Set the argument partNumber of the source.");
    assert_eq!(convert_with("stdf", &input, &[("partNumber", "X")]).unwrap().reports[0].pn, "X");
    let mut bad = packed(&stdf.bytes);
    let middle = bad.len() / 2;
    bad[middle..middle + 8].fill(0xff);
    assert!(convert("stdf", &file("a.stdf.gz", &bad)).is_err());
    // A gigabyte of nothing, behind a right beginning.
    let mut bomb = Stdf::lot(true);
    for _ in 0..1200 {
        bomb.record((180, 1), &[F::Raw(&[0; 65535])]);
    }
    let bomb = packed(&bomb.bytes);
    fails("stdf", &file("a.stdf.gz", &bomb), "unpacks to far more than a genuine one");
}

#[test]
fn parts_without_beginning_or_end_are_told_of() {
    let mut stdf = Stdf::lot(true);
    stdf.short_ptr(2, 1, 0, 1.0, "V");
    stdf.prr(2, 0, "A");
    stdf.prr(3, 0, "B");
    stdf.pir(0);
    stdf.pir(0);
    stdf.prr(0, 0, "C");
    stdf.pir(5);
    stdf.mrr();
    let conversion = read(&stdf);
    assert_eq!(conversion.reports.len(), 3);
    expect![[r#"
        a part on head 1, site 2 has tests, but no PIR record before them
        a part on head 1, site 3 ends that has no PIR record
        a part on head 1, site 0 has no PRR record before the next begins: it is left out
        1 parts began and have no PRR record: they are left out"#]]
    .assert_eq(&conversion.warnings.join("\n"));
}

#[test]
fn joined_files_are_read_as_their_lots() {
    let mut one = Stdf::lot(true);
    one.pir(0);
    one.ptr(0, 1, 1.5, "V", 0x0e, (1.0, 2.0));
    one.prr(0, 0, "A");
    one.mrr();
    let mut two = Stdf::new(false);
    two.mir(&["LOT8", "CHIP-2"]);
    two.pir(0);
    two.short_ptr(0, 1, 0, 1.5, "");
    two.prr(0, 0, "B");
    two.mrr();
    one.bytes.extend(two.bytes);
    let conversion = read(&one);
    let shown: Vec<String> = conversion.reports.iter().map(|it| format!("{} {}", it.pn, it.sn)).collect();
    assert_eq!(shown, ["CHIP-1 A", "CHIP-2 B"]);
    check(
        &conversion.reports[1],
        &expect![[r#"
            P SequenceCall MainSequence
              P ET_NLT 1 [P 1.5 LOG]
        "#]],
    );
}

#[test]
fn scan_tests_of_v4_2007_are_steps() {
    let scanned = |big| {
        let mut stdf = Stdf::lot(big);
        stdf.record((0, 30), &[F::U1(1), F::Cn("V4-2007.1")]);
        stdf.record((1, 91), &[F::U2(1), F::U2(1)]);
        stdf.pir(0);
        for (goes_on, flags) in [(1, 0), (0, 0x80)] {
            stdf.record(
                (15, 30),
                &[
                    F::U1(goes_on),
                    F::U4(77),
                    F::U1(1),
                    F::U1(0),
                    F::U2(1),
                    F::U1(flags),
                    F::Cn("BITMAP"),
                    F::Cn("chain: scan 1"),
                    F::Cn("OVR"),
                    F::Cn("prog"),
                    F::Cn("3 of 9"),
                    F::U1(0),
                    F::U1(0),
                ],
            );
        }
        stdf.record((15, 30), &[F::U1(0), F::U4(78), F::U1(1), F::U1(0), F::U2(1), F::U1(0x40)]);
        stdf.prr(0, 8, "A");
        stdf.mrr();
        read(&stdf)
    };
    for big in [true, false] {
        assert_eq!(scanned(big).warnings, Vec::<String>::new());
        assert_eq!(tree(&scanned(big).reports[0]), tree(&scanned(true).reports[0]));
    }
    check(
        &scanned(true).reports[0],
        &expect![[r#"
        F SequenceCall job_final
          F SequenceCall chain
            F ET_PFT 77 - scan 1 [F] "Alarm OVR | Log: BITMAP | Program: prog | Result: 3 of 9"
          D ET_PFT 78
    "#]],
    );
}
