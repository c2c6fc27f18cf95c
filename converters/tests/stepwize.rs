//! StepWize: the real file, and corners of the format that it does not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::{
    convert, convert_with, failed, fails, file, leaves, may_break_off_anywhere, real_files,
    refuses_what_is_no_log, step, warns,
};
use wats::report::Status;
use wats_converters::{Conversion, Input};

const NAME: &str = "stepwize";

fn result(elements: &[(&str, &str)]) -> String {
    let elements: String = elements.iter().map(|(name, text)| format!("<{name}>{text}</{name}>")).collect();
    format!(
        "<Config_and_Data_Result>{elements}<startDateTime>2025-07-16T13:36:53.500</startDateTime>\
         <endDateTime>2025-07-16T13:36:55.000</endDateTime></Config_and_Data_Result>"
    )
}

fn number(step: &str, name: &str, mode: &str, outcomes: (&str, &str)) -> String {
    result(&[
        ("stepName", step),
        ("subItemName", name),
        ("dataType", "0"),
        ("stepValue", "1.5000000000000000E+0"),
        ("lowerLimit", "1.0E+0"),
        ("upperLimit", "2.0E+0"),
        ("limitMode", mode),
        ("units", "V"),
        ("stepOutcome", outcomes.0),
        ("measurementOutcome", outcomes.1),
        ("assetID", "A1"),
        ("operatorStamp", "me"),
        ("SI_Prefix", "kilo [k] 10^3"),
    ])
}

fn document(verdict: &str, results: &[String]) -> Input {
    let text = format!(
        "<ConfigAndResultsDataFile><XMLFileType>x</XMLFileType><ConfigandResultsData><partNumber>P1</partNumber>\
         <revision>B</revision><serialNumber>S1</serialNumber><sourceFile>seq.xml</sourceFile><operation>Final Test</operation>\
         <sequencePF>{verdict}</sequencePF><build></build><Config_and_Result_Data>{}</Config_and_Result_Data>\
         </ConfigandResultsData></ConfigAndResultsDataFile>",
        results.concat()
    );
    file("20250716_133653_CONFIG_AND_RESULTS.XSPC", text.as_bytes())
}

fn converted(verdict: &str, results: &[String]) -> Conversion {
    convert(NAME, &document(verdict, results)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_real_file_says_what_stands_in_it() {
    let files = real_files("stepwize", NAME);
    assert_eq!(files.len(), 1);
    let (conversion, units) = &files[0];
    let (report, unit) = (&conversion.reports[0], &units[0]);
    assert_eq!(conversion.warnings, Vec::<String>::new());
    assert_eq!(
        (report.sn.as_str(), report.pn.as_str()),
        (unit.serial.as_str(), unit.part_number.as_deref().unwrap())
    );
    assert_eq!(Some(report.rev.as_str()), unit.revision.as_deref());
    let steps = leaves(report);
    assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows));
    assert_eq!(steps.iter().filter(|it| !it.numeric_meas.is_empty()).count(), 35);
    assert_eq!(report.uut.as_ref().unwrap().exec_time.unwrap().get(), 2633.429);
    // A sub item without a name, and limits of one side.
    let current = &step(report, "Measure Current Draw").numeric_meas[0];
    assert_eq!(
        (current.value.get(), current.comp_op.as_str(), current.low_limit.unwrap().get()),
        (0.073_432_393_372_058_87, "LE", 0.25)
    );
    assert_eq!(step(report, "iteration").numeric_meas[0].comp_op, "LOG");
    let voltage = &step(report, "Verify 24 VDC PS Voltage").numeric_meas[0];
    assert_eq!((voltage.comp_op.as_str(), voltage.high_limit.unwrap().get()), ("GELE", 24.1));
    let groups: Vec<_> = report.root.as_ref().unwrap().children().iter().map(|it| it.name.as_str()).collect();
    assert_eq!((groups.len(), groups[0]), (16, "Unlatch All"));
    let info = |name: &str| {
        report.misc_infos.iter().find(|it| it.description.as_deref() == Some(name)).unwrap().text.as_deref()
    };
    assert_eq!((info("operation"), info("assetID")), (Some("SW Debug"), Some("SN_PCB-001, VSI_PCB-001")));
}

#[test]
fn what_step_or_measurement_calls_failed_is_failed() {
    let conversion = converted(
        "Fail",
        &[
            number("A", "low", "Value >= LL", ("Fail", "Pass")),
            number("A", "high", "Value &lt; UL", ("Pass", "Fail")),
            number("A", "inside", "Value &lt; UL", ("Pass", "Performed- Record Only")),
            number("A", "note", "Value > LL", ("Fail", "Performed- Record Only")),
            result(&[("stepName", "B"), ("dataType", "1"), ("stepOutcome", "Pass")]),
            result(&[
                ("stepName", "B"),
                ("subItemName", "what"),
                ("dataType", "2"),
                ("stepOutcome", "Pass"),
                ("stringValue", "read back"),
                ("stepNotes", "noted"),
            ]),
        ],
    );
    let report = &conversion.reports[0];
    let shown: Vec<String> = leaves(report)
        .iter()
        .map(|it| {
            let op = it.numeric_meas.first().map_or("-", |it| it.comp_op.as_str());
            format!("{} {} {} {op}", it.name, it.step_type, it.status.letter())
        })
        .collect();
    assert_eq!(
        shown,
        [
            "low ET_NLT F GE",
            "high ET_NLT F LT",
            "inside ET_NLT P LOG",
            "note ET_NLT F LOG",
            "B ET_PFT P -",
            "what Action P -"
        ]
    );
    let root = report.root.as_ref().unwrap();
    let groups: Vec<_> = root.children().iter().map(|it| (it.name.as_str(), it.status)).collect();
    assert_eq!(groups, [("A", Status::Failed), ("B", Status::Passed)]);
    assert_eq!(step(report, "what").report_text.as_deref(), Some("read back\nnoted"));
    assert_eq!(step(report, "low").tot_time.unwrap().get(), 1.5);
    // In the station's zone, in summer; the prefix changes no value.
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-07-16T13:36:53.5+02:00");
    assert_eq!(step(report, "low").numeric_meas[0].value.get(), 1.5);
    assert_eq!(
        (report.machine_name.as_str(), root.seq_call.as_ref().unwrap().name.as_deref()),
        ("A1", Some("seq.xml"))
    );
}

#[test]
fn verdicts_of_the_run_are_kept() {
    let passed = [number("A", "x", "Value >= LL", ("Pass", "Pass"))];
    for (word, result, root) in
        [("Pass", "P", "P"), ("Fail", "F", "F"), ("Incomplete", "T", "T"), ("odd", "P", "P")]
    {
        let conversion = converted(word, &passed);
        let report = &conversion.reports[0];
        assert_eq!(
            (report.result.letter(), report.root.as_ref().unwrap().status.letter()),
            (result, root),
            "{word}"
        );
        assert_eq!(
            conversion.warnings.iter().filter(|it| it.contains("sequencePF")).count(),
            usize::from(word == "odd")
        );
    }
}

#[test]
fn an_operation_has_its_process_code_by_argument() {
    let input = document("Pass", &[]);
    let code = |given: &[(&str, &str)]| convert_with(NAME, &input, given).unwrap();
    assert_eq!(code(&[]).reports[0].process_code, Some(10));
    let codes = [("operationCodes", "SW Debug=70; final test = 60; bad; x=0")];
    let conversion = code(&codes);
    assert_eq!(conversion.reports[0].process_code, Some(60));
    warns(&conversion, "operationCodes: \"bad\" is no name and code");
    warns(&conversion, "operationCodes: \"x=0\" is no name and code");
    assert_eq!(code(&[("operator", "me")]).reports[0].uut.as_ref().unwrap().user.as_deref(), Some("me"));
}

#[test]
fn what_is_not_understood_is_kept_and_said() {
    let mut odd = number("A", "odd", "Value ~ LL", ("Pass", "Pass")).replace("1.5000000000000000E+0", "many");
    odd = odd.replace("<units>", "<newThing>kept</newThing><units>");
    let text = result(&[
        ("stepName", "A"),
        ("subItemName", "text"),
        ("dataType", "3"),
        ("stringValue", "abc"),
        ("Expected_String", "ABC"),
        ("Case_Sensitive", "F"),
        ("stepOutcome", "Pass"),
    ]);
    let conversion = converted("Pass", &[odd, text]);
    let report = &conversion.reports[0];
    let odd = step(report, "odd");
    assert!(odd.numeric_meas[0].value.get().is_nan());
    assert_eq!(
        (odd.numeric_meas[0].comp_op.as_str(), odd.report_text.as_deref()),
        ("LOG", Some("Value ~ LL (LL 1, UL 2)"))
    );
    assert_eq!(odd.rare.additional_results[0].props[0].value.as_deref(), Some("kept"));
    let text = &step(report, "text").string_meas[0];
    assert_eq!(
        (text.value.as_deref(), text.comp_op.as_str(), text.limit.as_deref()),
        (Some("abc"), "IGNORECASE", Some("ABC"))
    );
    for expected in [
        "the limit mode \"Value ~ LL\" is not known",
        "stepValue \"many\" is no number",
        "the data type \"3\" is not known",
        "elements newThing are not known",
    ] {
        warns(&conversion, expected);
    }
}

#[test]
fn each_unit_of_a_file_has_a_report() {
    let one =
        String::from_utf8(document("Pass", &[number("A", "a", "None", ("Pass", "Pass"))]).bytes).unwrap();
    let (before, inside) = one.split_once("<ConfigandResultsData>").unwrap();
    let (inside, after) = inside.rsplit_once("</ConfigandResultsData>").unwrap();
    let unit = format!("<ConfigandResultsData>{inside}</ConfigandResultsData>");
    let second = unit.replace("S1", "S2").replace(">Pass</sequencePF", ">Fail</sequencePF");
    let two = format!("{before}{unit}{second}{after}");
    let conversion = convert(NAME, &file("a.xspc", two.as_bytes())).unwrap();
    let shown: Vec<_> = conversion.reports.iter().map(|it| (it.sn.as_str(), it.result.letter())).collect();
    assert_eq!(shown, [("S1", "P"), ("S2", "F")]);
}

#[test]
fn broken_and_hostile_files_are_refused_in_words() {
    let whole = String::from_utf8(document("Pass", &[]).bytes).unwrap();
    let bad = |text: &str| file("a.xspc", text.as_bytes());
    fails(NAME, &bad("<R/>"), "the root element is R; expected ConfigAndResultsDataFile");
    fails(
        NAME,
        &bad("<ConfigAndResultsDataFile/>"),
        "/ConfigAndResultsDataFile: there is no element ConfigandResultsData",
    );
    fails(
        NAME,
        &bad(&whole.replace("sequencePF", "x")),
        "/ConfigAndResultsDataFile/ConfigandResultsData: there is no element sequencePF; expected Pass, Fail or Incomplete",
    );
    fails(
        NAME,
        &bad(&whole.replace("<serialNumber>S1", "<serialNumber>")),
        "/ConfigandResultsData: the file has no serial number",
    );
    fails(NAME, &bad(whole.split("</ConfigandResultsData>").next().unwrap()), "ends in the middle");
    fails(NAME, &bad(&format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{whole}")), "DTD");
    fails(NAME, &bad(&whole.replace("<build>", &"<build>".repeat(100_000))), "nested more than 200 deep");
    warns(&convert(NAME, &bad(&whole)).unwrap(), "the time of the file is used");
}

#[test]
fn files_of_others_and_broken_ones_are_never_a_panic() {
    refuses_what_is_no_log(NAME);
    may_break_off_anywhere(NAME, &real_files("stepwize", NAME)[0].1[0].path);
}
