//! Corners of Seica and TestExec SL that the samples do not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::collections::BTreeMap;

use wats::report::Status;
use wats_converters::{Arguments, Conversion, ConvertError, Input, Station, find};

fn input(bytes: &[u8]) -> Input {
    Input {
        file_name: "unit-7.xml".to_owned(),
        bytes: bytes.to_vec(),
        companions: Vec::new(),
        modified: "2026-01-02T03:04:05Z".parse().unwrap(),
        station: Station {
            name: "ST".to_owned(),
            location: "L".to_owned(),
            purpose: "P".to_owned(),
            time_zone: jiff::tz::TimeZone::get("Europe/Oslo").unwrap(),
        },
        now: "2026-01-02T03:05:00Z".parse().unwrap(),
    }
}

fn convert(name: &str, bytes: &[u8], given: &[(&str, &str)]) -> Result<Conversion, ConvertError> {
    let converter = find(name).unwrap();
    let given: BTreeMap<String, String> =
        given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    converter.convert(&input(bytes), &Arguments::new(converter.about().arguments, &given).unwrap())
}

const BOARD: &str = r#"<R><ST NM="P1_B"/><BI BCP="S1" SD="19-07-2025 10:30:02"><TEST F="" NM="A" MR="1,5" ML="1" MH="x" TR="0"/>
<TEST F="G" NM="B" TR="2"/><NEW/></BI><EXTRA>kept</EXTRA></R>"#;

#[test]
fn a_seica_board_without_an_end_takes_its_verdict_from_its_tests() {
    let conversion = convert("seica-xml", BOARD.as_bytes(), &[]).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.pn.as_str(), report.rev.as_str(), report.result), ("P1", "B", Status::Failed));
    // In the station's zone, in summer.
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-07-19T10:30:02+02:00");
    let root = report.root.as_ref().unwrap();
    let first = &root.children()[0];
    assert_eq!((first.step_type.as_str(), first.numeric_meas[0].comp_op.as_str()), ("ET_NLT", "GE"));
    assert_eq!(first.numeric_meas[0].value.get(), 1.5);
    assert_eq!(root.children()[1].children()[0].status, Status::Failed);
    let warned = conversion.warnings.join("\n");
    for words in ["MH \"x\" is no number", "/R/BI/NEW is not known", "/R/EXTRA is not known"] {
        assert!(warned.contains(words), "{words} in {warned}");
    }
    assert_eq!(report.misc_infos[0].text.as_deref(), Some("kept"));
}

#[test]
fn broken_and_foreign_files_are_refused_with_their_place() {
    for (converter, file, words) in [
        ("seica-xml", BOARD.split("MH=").next().unwrap(), "ends in the middle"),
        ("seica-xml", "<R><BI BCP='1'/></R>", "/R: there is no element ST"),
        ("seica-xml", "<R><ST NM='a'/></R>", "/R: there is no element BI"),
        ("seica-xml", "<R><ST NM='a'/><BI/></R>", "/R/BI[1]: the file has no serial number"),
        ("seica-xml", "<Reports/>", "the root element is Reports; expected R"),
        ("keysight-testexec-sl", "<TestResults><Header>", "ends in the middle"),
        ("keysight-testexec-sl", "<R/>", "the root element is R; expected TestResults or TestExecResults"),
        ("keysight-testexec-sl", "<Results/>", "the file has no part number"),
    ] {
        let error = convert(converter, file.as_bytes(), &[]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// Roots are shared between formats; what is inside tells them apart.
#[test]
fn files_of_relatives_are_not_claimed() {
    let shared = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples");
    let mut looked = 0;
    for folder in
        ["converters/atml", "real/atml", "real/teststand-xml", "converters/wats-xml", "real/saki-xml"]
    {
        for entry in std::fs::read_dir(shared.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("xml")) {
                let input = input(&std::fs::read(&path).unwrap());
                for name in ["seica-xml", "keysight-testexec-sl"] {
                    let answer = find(name).unwrap().qualify(&input);
                    assert!(!answer.is_yes(), "{name} claims {}: {answer:?}", path.display());
                }
                looked += 1;
            }
        }
    }
    assert!(looked >= 10, "only {looked} files");
}

#[test]
fn testexec_names_vary_and_what_is_missing_has_a_default() {
    let file = r#"<k:testexecsl xmlns:k="http://www.keysight.com/testexec" status="fail"><k:DUT SN="1" Model="M"/><k:Steps>
        <k:Step result="ok"><k:TestName>T1</k:TestName><k:Value>12.5 l/min</k:Value><k:Min>10</k:Min><k:Unit>l/min</k:Unit></k:Step>
        <k:Group><k:Title>G</k:Title><k:Test name="T2" status="NG"/></k:Group><k:Odd/></k:Steps></k:testexecsl>"#;
    let conversion = convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.sn.as_str(), report.pn.as_str(), report.result), ("1", "M", Status::Failed));
    assert_eq!(report.machine_name, "TestExec SL");
    let steps = report.root.as_ref().unwrap().children();
    assert_eq!((steps[0].name.as_str(), steps[0].numeric_meas[0].value.get()), ("T1", 12.5));
    assert_eq!(steps[0].numeric_meas[0].low_limit.unwrap().get(), 10.0);
    assert_eq!((steps[1].name.as_str(), steps[1].status), ("G", Status::Failed));
    assert!(conversion.warnings.iter().any(|it| it.contains("Odd")), "{:?}", conversion.warnings);
}

#[test]
fn testexec_arguments_change_what_is_reported() {
    let file = r#"<TestResults><UUT><PartNumber>P</PartNumber></UUT><Tests><Test name="A" status="pass"><Value>1</Value></Test>
        <Test name="B" status="fail"><Measurement><Value>2</Value></Measurement></Test></Tests></TestResults>"#;
    let steps = |given: &[(&str, &str)]| {
        let report = convert("keysight-testexec-sl", file.as_bytes(), given).unwrap().reports.remove(0);
        assert_eq!(report.sn, "unit-7", "the file's name");
        let steps = report.root.unwrap().steps.unwrap();
        steps.iter().map(|step| format!("{} {}", step.name, step.step_type)).collect::<Vec<_>>()
    };
    assert_eq!(steps(&[]), ["A ET_PFT", "B ET_PFT"]);
    assert_eq!(steps(&[("treatMissingLimitsAsPassFail", "false")]), ["A ET_NLT", "B ET_NLT"]);
    assert_eq!(steps(&[("includePassedMeasurements", "no")]), ["B ET_PFT"]);
}

#[test]
fn a_second_unit_of_testexec_is_not_passed_over() {
    let file = r#"<TestResults><UUT><SerialNumber>A</SerialNumber><PartNumber>P</PartNumber></UUT>
        <UUT><SerialNumber>B</SerialNumber></UUT><Tests><Test name="A" status="pass"/></Tests></TestResults>"#;
    let conversion = convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap();
    assert_eq!(conversion.reports[0].sn, "A");
    assert_eq!(
        conversion.warnings[0],
        "/TestResults holds 2 elements UUT, and one set of tests: it is reported of the first. Let each unit have a file of its own"
    );
}

#[test]
fn a_board_of_seica_without_tests_is_told_of() {
    let file = r#"<R><ST NM="P1"/><BI BCP="S1"><TEST NM="A" TR="0"/></BI><BI BCP="S2"/><ET NF="0"/></R>"#;
    let conversion = convert("seica-xml", file.as_bytes(), &[]).unwrap();
    assert_eq!(conversion.reports.len(), 2);
    let told: Vec<_> = conversion.warnings.iter().filter(|it| it.contains("no TEST")).collect();
    assert_eq!(told, ["board S2 has no TEST, and passes for want of one that failed"]);
}

#[test]
fn groups_of_testexec_have_the_verdict_that_they_state() {
    let group = |attributes: &str, inside: &str| {
        let file = format!(
            r#"<TestResults><UUT><PartNumber>P</PartNumber></UUT><Tests><Group {attributes}>{inside}<Test name="A" status="pass"/></Group></Tests></TestResults>"#
        );
        let conversion = convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap();
        assert_eq!(conversion.warnings.len(), 2, "serial number and start: {:?}", conversion.warnings);
        conversion.reports[0].root.as_ref().unwrap().children()[0].status
    };
    assert_eq!(group("", ""), Status::Passed);
    assert_eq!(group(r#"status="FAIL""#, ""), Status::Failed);
    assert_eq!(group("", "<Result>Aborted</Result>"), Status::Terminated);
    assert_eq!(group(r#"status="odd""#, "<Name>G</Name>"), Status::Passed);
}

#[test]
fn a_test_of_testexec_that_is_made_of_tests_is_a_group() {
    let file = r#"<TestResults><UUT><SerialNumber>S</SerialNumber><PartNumber>P</PartNumber></UUT><Tests><Test name="A" status="pass">
        <Step name="B" status="fail"><Value>3</Value><Max>2</Max></Step><Measurement name="C"><Value>1</Value></Measurement></Test></Tests></TestResults>"#;
    let report = convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap().reports.remove(0);
    let group = &report.root.as_ref().unwrap().children()[0];
    assert_eq!((group.name.as_str(), group.status, group.seq_call.is_some()), ("A", Status::Passed, true));
    let inner: Vec<_> = group.children().iter().map(|it| (it.name.as_str(), it.status)).collect();
    assert_eq!(inner, [("B", Status::Failed), ("C", Status::Passed)]);
}

#[test]
fn what_has_tests_in_it_is_a_group_whatever_its_name() {
    let file = r#"<TestResults><UUT><SerialNumber>S</SerialNumber><PartNumber>P</PartNumber></UUT><Tests>
        <Section name="Power"><Test name="A" status="fail"/></Section></Tests></TestResults>"#;
    let conversion = convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap();
    let group = &conversion.reports[0].root.as_ref().unwrap().children()[0];
    assert_eq!((group.name.as_str(), group.status, group.children().len()), ("Power", Status::Failed, 1));
    assert!(
        conversion.warnings[0].contains("Section among the tests is not known"),
        "{:?}",
        conversion.warnings
    );
}

#[test]
fn times_of_seica_may_have_other_signs_between_the_numbers() {
    for date in ["19-07-2025", "19/07/2025", "19.07.2025"] {
        let file = BOARD.replace("19-07-2025", date);
        let report = convert("seica-xml", file.as_bytes(), &[]).unwrap().reports.remove(0);
        assert!(report.start.unwrap().as_str().starts_with("2025-07-19T10:30:02"), "{date}");
    }
}

const PANEL: &str = r#"<R><ST NM="P1 B" LOT="L7"/><BI BCP="S1" SD="19-07-2025 10:30:02"><TEST F="" NM="A" MR="1" ML="0" MH="2" TR="0" XX="7"/></BI>
<BI BC="other" SD="19-07-2025 10:30:03"><TEST NM="A" MR="5" ML="0" MH="2" TR="1"/></BI><ET ED="19-07-2025 10:31:02" NF="1"/></R>"#;

#[test]
fn boards_of_a_panel_that_breaks_off_are_taken_when_they_are_complete() {
    let up_to = |end: &str| PANEL.split_inclusive(end).next().unwrap().to_owned();
    let whole = convert("seica-xml", PANEL.as_bytes(), &[]).unwrap();
    let of = |text: &str| convert("seica-xml", text.as_bytes(), &[]);
    let shown = |conversion: &Conversion| {
        let all = conversion.reports.iter().map(|it| format!("{} {}", it.sn, it.result.letter()));
        all.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(shown(&whole), "S1 P, other F");
    assert!(whole.warnings.iter().any(|it| it.contains("BC \"other\", is used")), "{:?}", whole.warnings);
    assert_eq!(whole.reports[0].misc_infos[0].description.as_deref(), Some("ST LOT"));
    let first = &whole.reports[0].root.as_ref().unwrap().children()[0];
    assert_eq!(first.report_text.as_deref(), Some("XX: 7"));
    for (text, expected) in [
        (up_to("<BI BC=\"other\""), "S1 P"),
        (up_to("NM=\"A\" MR=\"5\""), "S1 P"),
        (up_to("</BI>\n<BI BC=\"other\" SD=\"19-07-2025 10:30:03\">"), "S1 P"),
        (up_to("<ET "), "S1 P, other F"),
        (up_to("NF=\"1\"/>"), "S1 P, other F"),
    ] {
        let broken = of(&text).unwrap();
        assert_eq!(shown(&broken), expected, "{text}");
        assert!(broken.warnings.iter().any(|it| it.contains("breaks off")), "{:?}", broken.warnings);
    }
}

/// Its verdict is that of ET, which a passed board without it might not have had.
#[test]
fn a_single_board_that_breaks_off_needs_its_end() {
    let board = |end: &str| format!(r#"<R><ST NM="P"/><BI BCP="S1"><TEST NM="A" TR="0"/></BI>{end}"#);
    for end in ["", "<ET", "<ET NF=\"1\""] {
        let error = convert("seica-xml", board(end).as_bytes(), &[]).unwrap_err();
        assert_eq!(error.kind, wats_converters::ErrorKind::NotYet, "{error}");
    }
    for end in ["<ET NF=\"1\"/>", "<ET NF=\"1\"/></R"] {
        let conversion = convert("seica-xml", board(end).as_bytes(), &[]).unwrap();
        assert_eq!(conversion.reports[0].result, Status::Failed);
    }
}

fn testexec(inside: &str) -> Conversion {
    let file = format!("<TestResults><UUT><PartNumber>P</PartNumber></UUT>{inside}</TestResults>");
    convert("keysight-testexec-sl", file.as_bytes(), &[]).unwrap()
}

#[test]
fn testexec_values_are_found_wherever_a_test_has_them() {
    for (test, expected) in [
        (
            "<Measurements><Measurement><Value>3.3V</Value><Min>3</Min></Measurement></Measurements>",
            "ET_NLT P 3.3 GE",
        ),
        ("<Measurement>5.0</Measurement><LowLimit>4</LowLimit><HighLimit>6</HighLimit>", "ET_NLT P 5 GELE"),
        ("<Value/><MeasuredValue>2</MeasuredValue><UL>3 mA</UL>", "ET_NLT P 2 LE"),
        ("<Result>pass</Result><Data>7</Data><LL>1</LL>", "ET_NLT P 7 GE"),
        ("<Result>0.5</Result><LL>1</LL>", "ET_NLT F 0.5 GE"),
        ("<Result>1</Result><LL>1</LL>", "ET_PFT P"),
        ("<Value>READY</Value>", "ET_PFT P Value: READY"),
        ("<Status>fail</Status><Comment>by hand</Comment>", "ET_PFT F Comment: by hand"),
        (
            "<Measurement><Value>1</Value><LL>0</LL></Measurement><Measurement status='fail'><Value>2</Value></Measurement>",
            "ET_MNLT F 1 GE 2 LOG",
        ),
    ] {
        let conversion = testexec(&format!("<Tests><Test name='T'>{test}</Test></Tests>"));
        let step = conversion.reports[0].root.as_ref().unwrap().children()[0].clone();
        let mut shown = format!("{} {}", step.step_type, step.status.letter());
        for number in &step.numeric_meas {
            shown += &format!(" {} {}", number.value.get(), number.comp_op);
        }
        step.report_text.iter().for_each(|text| shown += &format!(" {text}"));
        assert_eq!(shown, expected, "{test}");
    }
}

#[test]
fn testexec_headers_may_leave_out_and_repeat() {
    let conversion = testexec(
        "<Header><Operator/><User>bob</User><StartTime>19/08/2025 06:12:44</StartTime><EndTime>2025-08-19 06:13:44.5</EndTime></Header>
         <Tests><Test name='A'/><Note lang='en'>warm <b>up</b></Note></Tests><Tests><Test name='B'/></Tests>
         <Summary><Status>Aborted</Status><Total>2</Total><Passed>2</Passed></Summary>",
    );
    let report = &conversion.reports[0];
    let uut = report.uut.as_ref().unwrap();
    assert_eq!((uut.user.as_deref(), uut.exec_time.unwrap().get()), (Some("bob"), 60.5));
    assert_eq!(report.result, Status::Terminated);
    let root = report.root.as_ref().unwrap();
    assert_eq!(root.children().iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    let note = report.misc_infos.iter().find(|it| it.description.as_deref() == Some("Note")).unwrap();
    assert_eq!(note.text.as_deref(), Some("lang=en warm up"));
}
