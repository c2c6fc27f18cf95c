//! XML reports of TestStand: the real files, and corners of the format that they do not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::{
    convert, convert_with, fails, file, leaves, may_break_off_anywhere, real_files, recognised,
    refuses_what_is_no_log, step, warns,
};
use wats::Report;
use wats::report::{Group, Status, Step};
use wats_converters::Conversion;

const NAME: &str = "teststand-xml";

fn prop(name: &str, inside: &str) -> String {
    format!("<Prop Name='{name}' Type='Obj' Flags='0x0'>{inside}</Prop>")
}

fn value(name: &str, text: &str) -> String {
    format!("<Prop Name='{name}' Type='String' Flags='0x0'><Value>{text}</Value></Prop>")
}

fn list(name: &str, elements: &[String]) -> String {
    let elements: String =
        elements.iter().enumerate().map(|(at, it)| format!("<Value ID='[{at}]'>{it}</Value>")).collect();
    format!(
        "<Prop Name='{name}' Type='Array' LBound='[0]' HBound='[9]' ElementType='Obj' Flags='0x0'>{elements}</Prop>"
    )
}

/// A result of a step of that type and status, with these properties and these in its TS.
fn result(name: &str, kind: &str, status: &str, inside: &str, ts: &str) -> String {
    let ts =
        format!("{}{}{}{ts}", value("StepName", name), value("StepType", kind), value("StepGroup", "Main"));
    format!("<Prop Type='TEResult' Flags='0x0'>{}{inside}{}</Prop>", value("Status", status), prop("TS", &ts))
}

fn call(results: &[String]) -> String {
    let file = format!(
        "{}{}{}",
        value("SequenceFile", "a.seq"),
        value("Sequence", "Sub"),
        value("SequenceFileVersion", "2.1")
    );
    prop("SequenceCall", &format!("{}{file}", list("ResultList", results)))
}

const UNIT: &str = "<Prop Name='UUT' Type='Obj'><Prop Name='SerialNumber' Type='String'><Value>S1</Value></Prop>\
    <Prop Name='PartNumber' Type='String'><Value>P1</Value></Prop></Prop>";

/// A report with these results in its main sequence.
fn report_of(results: &[String]) -> String {
    let ts = format!("{}{}{}", value("StartTime", "100"), value("TotalTime", "2.5"), call(results));
    let date = prop(
        "StartDate",
        &format!("{}{}{}", value("Year", "2022"), value("Month", "7"), value("MonthDay", "1")),
    );
    let time = prop(
        "StartTime",
        &format!(
            "{}{}{}{}",
            value("Hours", "15"),
            value("Minutes", "47"),
            value("Seconds", "48"),
            value("Milliseconds", "927")
        ),
    );
    format!(
        "<Report Type='UUT' UUTResult='Passed'>{UNIT}{date}{time}{}</Report>",
        result("MainSequence Callback", "SequenceCall", "Passed", "", &ts)
    )
}

fn document(results: &[String]) -> String {
    format!("<?xml version='1.0' encoding='utf-8'?><Reports>{}</Reports>", report_of(results))
}

fn converted(results: &[String]) -> Conversion {
    convert(NAME, &file("a.xml", document(results).as_bytes())).unwrap_or_else(|error| panic!("{error}"))
}

fn report(results: &[String]) -> Report {
    converted(results).reports.remove(0)
}

fn shown(step: &Step) -> String {
    let limits = |it: &wats::report::NumericMeas| {
        [it.low_limit, it.high_limit]
            .iter()
            .flatten()
            .map(|it| it.get().to_string())
            .collect::<Vec<_>>()
            .join("..")
    };
    let numbers = step.numeric_meas.iter().map(|it| {
        let name = it.name.as_deref().unwrap_or_default();
        let unit = it.unit.as_deref().unwrap_or_default();
        format!("{name}={}{unit} {} {} {}", it.value.get(), it.comp_op, limits(it), it.status.letter())
    });
    let texts = step.string_meas.iter().map(|it| {
        let name = it.name.as_deref().unwrap_or_default();
        let limit = it.limit.as_deref().unwrap_or("-");
        format!(
            "{name}={} {} {limit} {}",
            it.value.as_deref().unwrap_or_default(),
            it.comp_op,
            it.status.letter()
        )
    });
    let flags = step
        .boolean_meas
        .iter()
        .map(|it| format!("{} {}", it.name.as_deref().unwrap_or_default(), it.status.letter()));
    let all: Vec<String> = numbers.chain(texts).chain(flags).map(|it| it.trim().to_owned()).collect();
    format!("{} {}: {}", step.step_type, step.status.letter(), all.join("; ")).trim_end().to_owned()
}

#[track_caller]
fn check(result: String, expected: &str) {
    let report = report(&[result]);
    assert_eq!(leaves(&report).iter().map(|it| shown(it)).collect::<Vec<_>>(), [expected]);
}

#[test]
fn real_files_say_what_stands_in_them() {
    let files = real_files("teststand-xml", NAME);
    for (conversion, units) in &files {
        let (report, unit) = (&conversion.reports[0], &units[0]);
        assert_eq!(report.sn, unit.serial);
        assert_eq!(report.pn, unit.part_number.clone().unwrap_or("NA".to_owned()));
        let steps: Vec<&Step> = report.root.as_ref().unwrap().walk().skip(1).collect();
        let count = |name: &str| {
            let word =
                unit.notes.split([' ', ',']).find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.unwrap().parse::<usize>().unwrap()
        };
        assert_eq!(steps.len(), count("root"));
        assert_eq!(steps.iter().filter(|it| !it.numeric_meas.is_empty()).count(), count("Numeric"));
        assert_eq!(steps.iter().filter(|it| !it.boolean_meas.is_empty()).count(), count("PassFail"));
        assert!(steps.iter().all(|it| it.status != Status::Failed));
    }
    assert_eq!(files.len(), 2);
    let dump = &files.iter().find(|(_, units)| units[0].path.contains("TSWith")).unwrap().0.reports[0];
    assert_eq!(dump.id.unwrap().to_string(), "f4fb0a29-93b1-4f7f-ada7-672b382774ab");
    assert_eq!((dump.process_code, dump.rev.as_str()), (Some(60), "1.0"));
    assert_eq!((dump.location.as_str(), dump.purpose.as_str()), ("Norautron Horten", "PCBA Test"));
    assert_eq!(dump.uut.as_ref().unwrap().exec_time.unwrap().get(), 0.053_923_3);
    // The start of the engine and 214.4463569 s.
    let first = &dump.root.as_ref().unwrap().children()[0];
    assert_eq!(first.start.as_ref().unwrap().as_str(), "2022-06-23T10:55:04.440357+02:00");
    assert_eq!(first.ts_guid.as_deref(), Some("ID#:YUT20dHy7BGprpAbDrcYlD"));
    let call = dump.root.as_ref().unwrap().seq_call.as_ref().unwrap();
    assert_eq!((call.name.as_deref(), call.version.as_deref()), (Some("MainSequence"), Some("0.0.0.0")));

    let plain = files.iter().find(|(_, units)| units[0].path.contains("TsWithout")).unwrap();
    let plain = &plain.0.reports[0];
    assert_eq!(shown(step(plain, "Video Test")), "ET_NLT P: =5microseconds GTLT 0..10 P");
    assert_eq!(shown(step(plain, "Keyboard Test")), "ET_NLT P: =6 GT 5 P");
    let if_ = step(plain, "If");
    assert_eq!((if_.step_type.as_str(), if_.report_text.as_deref()), ("NI_Flow_If", Some("{True}")));
    assert_eq!(step(plain, "Turn Vacuum Table Off").group, Group::Cleanup);
}

#[test]
fn the_header_is_read_with_all_that_a_unit_has() {
    let unit = prop(
        "UUT",
        &[
            value("SerialNumber", "S2"),
            value("UUTPartNumber", "P2"),
            value("PartNumber", "other"),
            value("UUTPartRevisionNumber", "C"),
            value("UUTOperationType", "60"),
            value("Comment", "hi"),
            value("UUT_Fixture_ID", "F1"),
            value("BatchSerialNumber", "B1"),
            value("TestSocketIndex", "3"),
            value("UUTLoopIndex", "4"),
            value("Custom", "kept"),
            value("Empty", ""),
            prop("AdditionalData", &format!("{}{}", value("Lot", "7"), prop("Made", &value("In", "Oslo")))),
            prop(
                "MiscUUTResult",
                &format!(
                    "{}{}",
                    list(
                        "Misc_UUT_Info",
                        &[prop(
                            "",
                            &format!(
                                "{}{}{}",
                                value("Description", "Fw"),
                                value("Data_String", "1.2"),
                                value("Data_Numeric", "5")
                            )
                        )]
                    ),
                    list(
                        "UUT_Part_Info",
                        &[
                            prop(
                                "",
                                &format!(
                                    "{}{}{}{}",
                                    value("Part_Type", "PCBA"),
                                    value("Part_Number", "PN"),
                                    value("Part_Serial_Number", "SN"),
                                    value("Part_Revision_Number", "R")
                                )
                            ),
                            prop("", "")
                        ]
                    )
                ),
            ),
        ]
        .concat(),
    );
    let station = prop(
        "StationInfo",
        &format!(
            "{}{}{}",
            value("StationID", "ST9"),
            value("LoginName", "me"),
            prop("AdditionalData", &value("Line", "A"))
        ),
    );
    let text = document(&[]).replace(UNIT, &format!("{unit}{station}"));
    let conversion =
        convert_with(NAME, &file("a.xml", text.as_bytes()), &[("location", "not used")]).unwrap();
    let report = &conversion.reports[0];
    assert_eq!(
        (report.sn.as_str(), report.pn.as_str(), report.rev.as_str(), report.process_code),
        ("S2", "P2", "C", Some(60))
    );
    assert_eq!((report.machine_name.as_str(), report.location.as_str()), ("ST9", "Lab"));
    // In the station's zone, in summer.
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2022-07-01T15:47:48.927+02:00");
    let uut = report.uut.as_ref().unwrap();
    assert_eq!(
        (uut.user.as_deref(), uut.comment.as_deref(), uut.fixture_id.as_deref()),
        (Some("me"), Some("hi"), Some("F1"))
    );
    assert_eq!(
        (uut.batch_sn.as_deref(), uut.test_socket_index, uut.batch_loop_index),
        (Some("B1"), Some(3), Some(4))
    );
    assert_eq!(uut.exec_time.unwrap().get(), 2.5);
    let info = &report.misc_infos[0];
    assert_eq!(
        (info.description.as_deref(), info.text.as_deref(), info.numeric),
        (Some("Fw"), Some("1.2"), Some(5))
    );
    assert_eq!((report.sub_units.len(), report.sub_units[0].sn.as_deref()), (1, Some("SN")));
    let names: Vec<_> = report.additional_data.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["Station info", "AdditionalData", "Custom"]);
    warns(&conversion, "elements Custom are not known");

    let given = [("convertAdditionalDataToMiscInfo", "true")];
    let report = convert_with(NAME, &file("a.xml", text.as_bytes()), &given).unwrap().reports.remove(0);
    let infos: Vec<_> = report.misc_infos.iter().filter_map(|it| it.description.as_deref()).collect();
    assert_eq!(infos, ["Fw", "Lot", "Made.In"]);
    // Without anything about the station the arguments stand in, then the settings.
    let given = [("location", "Hall 2"), ("partRevision", "9"), ("operationTypeCode", "70")];
    let report =
        convert_with(NAME, &file("a.xml", document(&[]).as_bytes()), &given).unwrap().reports.remove(0);
    assert_eq!(
        (report.location.as_str(), report.purpose.as_str(), report.machine_name.as_str()),
        ("Hall 2", "Production", "ST1")
    );
    assert_eq!((report.rev.as_str(), report.process_code), ("9", Some(70)));
}

#[test]
fn measurements_become_what_they_are() {
    let limits =
        |low: &str, high: &str| prop("Limits", &format!("{}{}", value("Low", low), value("High", high)));
    let numeric = |inside: &str| {
        result("N", "NumericLimitTest", "Failed", &format!("{}{inside}", value("Numeric", "5")), "")
    };
    check(
        numeric(&format!("{}{}{}", value("Units", "V"), limits("1", "2"), value("Comp", "GELE"))),
        "ET_NLT F: =5V GELE 1..2 F",
    );
    check(numeric(&format!("{}{}", limits("9", ""), value("Comp", "LT"))), "ET_NLT F: =5 LT 9 F");
    check(numeric(&value("Comp", "LOG")), "ET_NLT F: =5 LOG  F");
    let raw = prop(
        "RawLimits",
        &format!("{}{}{}", value("Nominal", "-100"), value("Low", "9"), value("High", "11")),
    );
    let threshold = prop(
        "Limits",
        &format!("{}{}{}", value("Low", "-109"), value("High", "-89"), value("ThresholdType", "PERCENTAGE")),
    );
    check(numeric(&format!("{raw}{threshold}{}", value("Comp", "EQT"))), "ET_NLT F: =5 GELE -109..-89 F");
    check(
        result("N", "NumericLimitTest", "Passed", &value("Numeric", "-1.#IND"), ""),
        "ET_NLT P: =NaN LOG  P",
    );
    check(result("N", "MyTest", "Passed", &value("Numeric", "0x1F"), ""), "MyTest P: =31 LOG  P");
    let text = format!(
        "{}{}{}",
        value("String", "x"),
        prop("Limits", &value("String", "X")),
        value("Comp", "IgnoreCase")
    );
    check(result("T", "StringValueTest", "Passed", &text, ""), "ET_SVT P: =x IGNORECASE X P");
    check(result("P", "PassFailTest", "Failed", &value("PassFail", "False"), ""), "ET_PFT F: F");
    check(result("P", "PassFailTest", "Skipped", &value("PassFail", "False"), ""), "ET_PFT S:");
    check(result("P", "PassFailTest", "Done", &value("PassFail", "True"), ""), "ET_PFT P: P");
    let entry =
        |name: &str, inside: &str, status: &str| prop(name, &format!("{inside}{}", value("Status", status)));
    let several = list(
        "Measurement",
        &[
            entry(
                "A",
                &format!("{}{}{}", value("Data", "1"), limits("0", "2"), value("Comp", "GELE")),
                "Passed",
            ),
            entry(
                "A",
                &format!("{}{}{}", value("Data", "3"), limits("0", "2"), value("Comp", "GELE")),
                "odd",
            ),
        ],
    );
    check(
        result("M", "NI_MultipleNumericLimitTest", "Failed", &several, ""),
        "ET_MNLT F: A=1 GELE 0..2 P; A #2=3 GELE 0..2 F",
    );
    let flags = list(
        "Measurement",
        &[
            entry("", &format!("{}{}", value("MeasName", "B1"), value("PassFail", "True")), "Passed"),
            entry("", &format!("{}{}", value("MeasName", "B2"), value("PassFail", "False")), "Failed"),
        ],
    );
    check(result("M", "ET_MPFT", "Failed", &flags, ""), "ET_MPFT F: B1 P; B2 F");
    let texts = list(
        "Measurement",
        &[entry(
            "",
            &format!("{}{}{}", value("MeasName", "S"), value("StringData", "x"), value("StringLimit", "y")),
            "Failed",
        )],
    );
    check(result("M", "ET_MSVT", "Failed", &texts, ""), "ET_SVT F: =x EQ y F");
}

#[test]
fn what_a_step_did_is_kept() {
    let inside = [
        value("ButtonHit", "2"),
        value("Response", "yes"),
        value("ExitCode", "3"),
        value("ReportText", "text"),
        prop(
            "Error",
            &format!("{}{}{}", value("Code", "-17"), value("Msg", "broke"), value("Occurred", "True")),
        ),
        prop("AttachedFileData", &value("FileName", "a.csv")),
        value("XMLString", "&lt;a/>"),
        prop("AdditionalResults", &value("More", "1")),
        value("NumPropertiesRead", "4"),
        value("Mine", "5"),
    ]
    .concat();
    let conversion = converted(&[result(
        "A",
        "Action",
        "Error",
        &inside,
        &format!("{}{}", value("StepCausedSequenceFailure", "True"), value("StartTime", "101.5")),
    )]);
    let step = step(&conversion.reports[0], "A");
    let popup = step.rare.message_popup.as_ref().unwrap();
    assert_eq!((popup.button, popup.response.as_deref()), (Some(2), Some("yes")));
    assert_eq!(step.rare.call_exe.as_ref().unwrap().exit_code.unwrap().get(), 3.0);
    assert_eq!((step.error_code, step.rare.error_message.as_deref()), (Some(-17), Some("broke")));
    assert_eq!(step.report_text.as_deref(), Some("text\nAttached file: a.csv"));
    assert_eq!(step.rare.attachment.as_ref().unwrap().data.as_deref(), Some("PGEvPg=="));
    assert_eq!((step.caused_seq_failure, step.status), (Some(true), Status::Error));
    // The main sequence began at 100 s, with the report.
    assert_eq!(step.start.as_ref().unwrap().as_str(), "2022-07-01T15:47:50.427+02:00");
    let names: Vec<_> = step.rare.additional_results.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["More", "NumPropertiesRead", "Mine"]);
    warns(&conversion, "elements Mine are not known");
    warns(&conversion, "the attached file a.csv is not in the report");
}

#[test]
fn charts_have_their_points_in_rows_or_columns() {
    let chart = |cells: &[(&str, &str)]| {
        let cells: String =
            cells.iter().map(|(id, value)| format!("<Value ID='{id}'>{value}</Value>")).collect();
        let data = format!("<Prop Name='PlotData' Type='Array' ElementType='Number'>{cells}</Prop>");
        let plots = list("Plots", &[prop("", &format!("{}{data}", value("PlotName", "P")))]);
        let inside =
            prop("Chart", &format!("{}{}{plots}", value("ChartLabel", "C"), value("ChartType", "LineLogX")));
        let report = report(&[result("G", "ET_A", "Done", &inside, "")]);
        let chart = step(&report, "G").rare.chart.clone().unwrap();
        let series = &chart.series[0];
        (chart.chart_type.unwrap(), series.xdata.clone(), series.ydata.clone().unwrap())
    };
    let two = chart(&[
        ("[0][0]", "1"),
        ("[0][1]", "2"),
        ("[0][2]", "3"),
        ("[1][0]", "4"),
        ("[1][1]", "INF"),
        ("[1][2]", "NaN"),
    ]);
    assert_eq!(two, ("LineLogX".into(), Some("1.0;2.0;3.0".into()), "4.0;Infinity;NaN".into()));
    let columns = chart(&[
        ("[0][0]", "1"),
        ("[0][1]", "4"),
        ("[1][0]", "2"),
        ("[1][1]", "5"),
        ("[2][0]", "3"),
        ("[2][1]", "6"),
    ]);
    assert_eq!((columns.1.as_deref(), columns.2.as_str()), (Some("1.0;2.0;3.0"), "4.0;5.0;6.0"));
    let flat = chart(&[("[0]", "1"), ("[18446744073709551615]", "4")]);
    assert_eq!((flat.1, flat.2.as_str()), (None, "1.0;4.0"));
}

#[test]
fn sequences_nest_and_a_measuring_step_with_a_call_becomes_two() {
    let inner = result("Inner", "PassFailTest", "Failed", &value("PassFail", "False"), "");
    let sequence = result("Call", "SequenceCall", "Failed", "", &call(std::slice::from_ref(&inner)));
    let after = prop("PostAction", &list("ResultList", std::slice::from_ref(&inner)));
    let measuring = result("N", "NumericLimitTest", "Passed", &value("Numeric", "5"), &after);
    let report = report(&[sequence, measuring]);
    let all: Vec<String> = report
        .root
        .as_ref()
        .unwrap()
        .walk()
        .map(|it| format!("{} {} {}", it.name, it.step_type, it.status.letter()))
        .collect();
    assert_eq!(
        all,
        [
            "MainSequence Callback SequenceCall P",
            "Call SequenceCall F",
            "Inner ET_PFT F",
            "N ET_NLT P",
            "N SequenceCall P",
            "Inner ET_PFT F"
        ]
    );
    let call = &report.root.as_ref().unwrap().children()[0].seq_call.as_ref().unwrap();
    assert_eq!(
        (call.path.as_deref(), call.name.as_deref(), call.version.as_deref()),
        (Some("a.seq"), Some("Sub"), Some("2.1"))
    );
}

#[test]
fn loops_are_numbered() {
    let turn = |ts: &str| result("L", "PassFailTest", "Passed", &value("PassFail", "True"), ts);
    let counts = format!(
        "{}{}{}{}",
        value("NumLoops", "2"),
        value("NumPassed", "2"),
        value("NumFailed", "0"),
        value("EndingLoopIndex", "2")
    );
    let report = report(&[turn(&counts), turn(&value("LoopIndex", "0")), turn(&value("LoopIndex", "1"))]);
    let loops: Vec<_> = leaves(&report)
        .iter()
        .map(|it| it.loop_.as_ref().map(|it| (it.idx, it.num, it.ending_index)))
        .collect();
    assert_eq!(
        loops,
        [Some((None, Some(2), Some(1))), Some((Some(0), None, None)), Some((Some(1), None, None))]
    );
}

#[test]
fn every_report_of_a_unit_counts_and_others_do_not() {
    let one = report_of(&[result("A", "Action", "Done", "", "")]);
    let stylesheet = "<?xml:stylesheet type=\"text/xsl\" href=\"a.xsl\">\n";
    let all = format!(
        "{stylesheet}<?xml version='1.0'?><Reports>{one}<Report Type='Batch' BatchSerialNumber='1'/>{}</Reports>",
        one.replace(">S1<", ">S2<").replace("UUTResult='Passed'", "UUTResult='Failed'").replacen(
            "<Value>Passed",
            "<Value>Failed",
            1
        )
    );
    let input = file("a.xml", all.as_bytes());
    recognised(&input, NAME);
    let conversion = convert(NAME, &input).unwrap();
    let shown: Vec<_> = conversion.reports.iter().map(|it| (it.sn.as_str(), it.result.letter())).collect();
    assert_eq!(shown, [("S1", "P"), ("S2", "F")]);
}

#[test]
fn a_main_sequence_without_a_known_status_has_that_of_the_report_or_of_its_steps() {
    let failing = result("A", "PassFailTest", "Failed", "", "");
    let whole = document(std::slice::from_ref(&failing));
    let main = value("Status", "Passed");
    assert_eq!(whole.matches(&main).count(), 1);
    for (of_main, of_report, expected) in [
        ("Running", "Failed", "F"),
        ("Running", "Terminated", "T"),
        ("Running", "odd", "F"),
        ("", "Error", "E"),
        ("Passed", "Failed", "P"),
        ("Done", "Failed", "F"),
        ("Done", "Done", "P"),
    ] {
        let text = whole.replace(&main, &value("Status", of_main));
        let text = text.replace("UUTResult='Passed'", &format!("UUTResult='{of_report}'"));
        let report = convert(NAME, &file("a.xml", text.as_bytes())).unwrap().reports.remove(0);
        let root = report.root.as_ref().unwrap().status.letter();
        assert_eq!((report.result.letter(), root), (expected, expected), "{of_main} {of_report}");
    }
}

#[test]
fn a_unit_that_was_stopped_early_has_a_verdict_and_no_steps() {
    let text = format!("<Reports><Report Type='UUT' UUTResult='Terminated'>{UNIT}</Report></Reports>");
    let conversion = convert(NAME, &file("a.xml", text.as_bytes())).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.result, report.root.as_ref().unwrap().children().len()), (Status::Terminated, 0));
    warns(&conversion, "the time of the file is used");
}

#[test]
fn years_are_found_in_the_words_of_any_language() {
    let with = |year: &str, text: &str| {
        let date = format!("{}{}", value("Text", text), value("ShortText", "01.07.2022"));
        let text = document(&[]).replace(
            "<Prop Name='StartDate' Type='Obj' Flags='0x0'>",
            &format!("<Prop Name='StartDate' Type='Obj' Flags='0x0'>{date}"),
        );
        let text = text.replace("<Value>2022</Value>", &format!("<Value>{year}</Value>"));
        convert(NAME, &file("a.xml", text.as_bytes())).unwrap().reports[0]
            .start
            .as_ref()
            .unwrap()
            .as_str()
            .to_owned()
    };
    let expected = "2022-07-01T15:47:48.927+02:00";
    assert_eq!(with("2022", ""), expected);
    assert_eq!(with("122", "fredag 1. juli 2022"), expected);
    assert_eq!(with("22", "fredag 1. juli"), expected);
}

#[test]
fn a_start_is_taken_from_where_it_can_be_read() {
    let start = |infos: &str, year: &str| {
        let text = document(&[]).replace("UUTResult='Passed'>", &format!("UUTResult='Passed'>{infos}"));
        let text = text.replace("<Value>2022</Value>", &format!("<Value>{year}</Value>"));
        let report = convert(NAME, &file("a.xml", text.as_bytes())).unwrap().reports.remove(0);
        report.start.unwrap().as_str().to_owned()
    };
    let info = |key: &str, value: &str| format!("<ReportInfo key='{key}' value='{value}'/>");
    let expected = "2022-07-01T15:47:48.927+02:00";
    assert_eq!(start(&info("Start", "yesterday"), "2022"), expected);
    assert_eq!(start(&info("StartUTC", "2022-07-01T13:47:48"), "2022"), "2022-07-01T13:47:48+00:00");
    // Years since 1900, and nothing else to tell.
    assert_eq!(start("", "122"), expected);
}

#[test]
fn broken_and_hostile_files_are_refused_in_words() {
    let whole = document(&[]);
    let bad = |text: &str| file("a.xml", text.as_bytes());
    fails(
        NAME,
        &bad("<Reports/>"),
        "/Reports: there is no Report of a unit; expected an element Report with Type='UUT'",
    );
    fails(
        NAME,
        &bad(
            "<Reports><Report Type='Batch'><BatchTable><UUThref FileName='u.xml'/></BatchTable></Report></Reports>",
        ),
        "the overview of a batch: the reports of its units are in the files that it names",
    );
    fails(NAME, &bad("<TSReport/>"), "/TSReport: there is no property UUT; expected an element Prop");
    fails(
        NAME,
        &bad(&format!("<Reports><Report>{UNIT}</Report></Reports>")),
        "/Reports/Report: the report has neither a result nor steps",
    );
    fails(NAME, &bad("<R/>"), "the root element is R; expected Reports or TSReport");
    fails(NAME, &bad(&whole.replace(">S1<", "><")), "/Reports/Report/Prop[1]: the file has no serial number");
    fails(NAME, &bad(whole.split("</Report>").next().unwrap()), "ends in the middle");
    fails(NAME, &bad("<!DOCTYPE a [<!ENTITY b 'c'>]><Reports>&b;</Reports>"), "DTD");
    fails(NAME, &bad(&document(&["<Prop Type='TEResult'>".repeat(50_000)])), "nested more than 200 deep");
    let mut nested = result("A", "Action", "Done", "", "");
    for _ in 0..30 {
        nested = result("S", "SequenceCall", "Passed", "", &call(&[nested]));
    }
    assert!(convert(NAME, &bad(&document(&[nested]))).is_ok());
    let conversion = converted(&[result("A", "Action", "Running", "", "")]);
    warns(&conversion, "the status \"Running\" is not known");
}

#[test]
fn files_of_others_and_broken_ones_are_never_a_panic() {
    refuses_what_is_no_log(NAME);
    for (_, units) in real_files("teststand-xml", NAME) {
        may_break_off_anywhere(NAME, &units[0].path);
    }
}
