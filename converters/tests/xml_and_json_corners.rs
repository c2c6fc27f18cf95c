//! Corners of WATS Standard XML and JSON that field files have.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at what it did not expect")]
#![allow(clippy::needless_pass_by_value, reason = "expectations are written where they are passed")]

use expect_test::{Expect, expect};
use wats_converters::{Arguments, Conversion, ConvertError, Input, Station, choose, find};

fn input(bytes: &[u8]) -> Input {
    Input {
        file_name: "unit".to_owned(),
        bytes: bytes.to_vec(),
        companions: Vec::new(),
        modified: "2026-01-02T03:04:05Z".parse().unwrap(),
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Production".to_owned(),
            time_zone: jiff::tz::TimeZone::get("Europe/Oslo").unwrap(),
        },
        now: "2026-01-02T03:05:00Z".parse().unwrap(),
    }
}

fn convert(converter: &str, text: &str) -> Result<Conversion, ConvertError> {
    let converter = find(converter).unwrap();
    converter.convert(&input(text.as_bytes()), &Arguments::defaults(converter.about().arguments))
}

/// The steps in one line each, then the warnings; or the error.
fn check(converter: &str, text: &str, expected: Expect) {
    let shown = match convert(converter, text) {
        Err(error) => format!("error: {error}\n"),
        Ok(conversion) => {
            let mut shown = String::new();
            for report in &conversion.reports {
                let header = (&report.machine_name, &report.start, report.process_code);
                let (machine, start, code) = (header.0, header.1.as_ref().unwrap(), header.2);
                shown += &format!("{} {} {machine} {start} {code:?}\n", report.sn, report.result.letter());
                for step in report.root.iter().flat_map(|root| root.walk()) {
                    shown += &format!("  {} {} {}", step.step_type, step.name, step.status.letter());
                    for meas in &step.numeric_meas {
                        let (low, high) = (meas.low_limit.map(|l| l.get()), meas.high_limit.map(|l| l.get()));
                        shown += &format!(" [{} {} {low:?} {high:?}]", meas.value.get(), meas.comp_op);
                    }
                    shown += "\n";
                }
            }
            conversion.warnings.iter().for_each(|warning| shown += &format!("! {warning}\n"));
            shown
        }
    };
    expected.assert_eq(&shown);
}

#[test]
fn an_xml_report_with_little_in_it_is_completed() {
    check(
        "wats-xml",
        r#"<r:Reports xmlns:r="http://wats.virinco.com/schemas/WATS/Report/wrml"><!-- x --><r:Report sn="S1" PN="P" start="2025-07-01 10:00:00">
           <r:Step Name="Group"><r:Step Name="V" StepType="NumericLimitTest"><r:NumericLimit NumericValue="" CompOperator="LE" HighLimit="3"/></r:Step>
           <r:Step Name="W" StepType="ET_NLT"><r:NumericLimit NumericValue="4" LowLimit="1" HighLimit="3" Name="a"/><r:NumericLimit NumericValue="2" Name="b"/></r:Step></r:Step>
           </r:Report></r:Reports>"#,
        expect![[r#"
            S1 F ST1 2025-07-01T10:00:00+02:00 Some(10)
              SequenceCall Group F
              ET_NLT V F [NaN LE Some(3.0) None]
              ET_MNLT W F [4 GELE Some(1.0) Some(3.0)] [2 LOG None None]
            ! /Reports/Report[1]: step V: the value "" is no number; NaN is sent
            ! /Reports/Report[1]: the result "" is not known; Failed is what the steps say
        "#]],
    );
}

#[test]
fn xml_that_is_no_report_is_refused_with_a_place() {
    check(
        "wats-xml",
        "<Reports><Report SN='1' PN='2' type='XYZ'/></Reports>",
        expect![[r#"
            error: /Reports/Report[1]/@type: "XYZ" is no type of report; expected UUT for a test or UUR for a repair
        "#]],
    );
    check(
        "wats-xml",
        "<Reports><Report SN='1' PN='2' Result='Passed'/><Report SN='' PN='2' Result='Passed'/></Reports>",
        expect![[r#"
            error: /Reports/Report[2]: the file has no serial number. A report without it cannot be told from another unit's.
        "#]],
    );
    check(
        "wats-xml",
        "<Reports>\n<Report SN='1'>\n</Reports>",
        expect![[r#"
            error: line 3, column 1: the XML is damaged: expected 'Report' tag, not 'Reports', at "</Reports>"; expected a well-formed XML document
        "#]],
    );
    check(
        "wats-xml",
        "<Reports><Report",
        expect![[r#"
            error: line 1: the file ends in the middle of the document. Perhaps it was still being written; drop the whole file again.
        "#]],
    );
    check(
        "wats-xml",
        "<TestResults/>",
        expect![[r#"
            error: the element TestResults holds no Report; expected Report elements under a Reports element. Check that the right converter is set for this folder.
        "#]],
    );
    let deep = format!(
        "<Reports><Report SN='1' PN='2' Result='Passed'>{}{}</Report></Reports>",
        "<Step Name='a'>".repeat(60),
        "</Step>".repeat(60)
    );
    check(
        "wats-xml",
        &deep,
        expect![[r#"
            error: /Reports/Report[1]: steps are nested more than 50 deep
        "#]],
    );
}

#[test]
fn a_repair_keeps_its_failures_and_files() {
    let text = r#"<Reports><Report type="UUR" ID="{6F2B0C1E-0C2B-4E0B-9C64-1D4B6B0B1A01}" SN="1" PN="2" Rev="A" Result="Passed" Start="2025-01-01T08:00:00Z">
        <UUR UserLoginName="eva" ConfirmDate="2025-01-01T09:00:00" ReferencedUUT="6F2B0C1E-0C2B-4E0B-9C64-1D4B6B0B1A02"><Comment>Lifted pin</Comment><Process Code="10"/></UUR>
        <Process Code="500" Name="Repair"/>
        <ReportUnitHierarchy Idx="0" PartType="Main" PN="2" SN="1" Rev="A"/><ReportUnitHierarchy Idx="1" ParentIDX="0" PartType="PCBA" PN="3" SN="4" Rev="B"/>
        <Failures Idx="0" PartIdx="1" Category="Component" Code="Lifted" CompRef="R12"><Comment>seen</Comment></Failures>
        <Binary FailIdx="0"><Data FileName="a.png" ContentType="image/png">aGVs
        bG8=</Data></Binary><Binary><Data FileName="b.txt" ContentType="text/plain">aGk=</Data></Binary></Report></Reports>"#;
    let conversion = convert("wats-xml", text).unwrap();
    let report = serde_json::to_value(&conversion.reports[0]).unwrap();
    assert_eq!(report["id"], "6f2b0c1e-0c2b-4e0b-9c64-1d4b6b0b1a01");
    assert_eq!((&report["type"], &report["processCode"]), (&"R".into(), &500.into()));
    assert_eq!(report["uur"]["processCode"], 10);
    assert_eq!(report["uur"]["confirmDate"], "2025-01-01T09:00:00+00:00");
    let failure = &report["subUnits"][1]["failures"][0];
    assert_eq!((&failure["code"], &failure["comRef"]), (&"Lifted".into(), &"R12".into()));
    assert_eq!(failure["attachments"][0]["data"], "aGVsbG8=");
    assert_eq!(report["binaryData"][0]["name"], "b.txt");
    assert!(report.get("root").is_none() && report.get("uut").is_none());
    assert!(conversion.warnings.is_empty(), "{:?}", conversion.warnings);
}

#[test]
fn a_json_report_as_a_script_writes_it_is_mended() {
    check(
        "wats-json",
        r#"[{"Type":"uut","SerialNumber":"S1","partNumber":"P/1","result":null,"processCode":"","start":"2025-01-05T10:00:00","miscInfos":null,
            "root":{"stepType":"SequenceCall","name":"Main \"NaN","steps":[
             {"stepType":"NumericLimitTest","name":"V","errorCode":"17","group":null,"numericMeas":[{"compOp":"LOG","value":NaN},{"compOp":"LOG","value":-Infinity}]},
             {"stepType":"ET_PFT","name":"B","booleanMeas":[{"value":false}]}]}}]"#,
        expect![[r#"
            S1 F ST1 2025-01-05T10:00:00+01:00 Some(10)
              SequenceCall Main "NaN F
              ET_NLT V P [NaN LOG None None] [-inf LOG None None]
              ET_PFT B F
            ! step V: measurements had no name, or equal ones: they are told apart by numbers
            ! the part number "P/1" has characters that disturb searches on the server
        "#]],
    );
}

#[test]
fn loops_of_python_clients_get_the_servers_members() {
    let text = r#"{"type":"T","sn":"1","pn":"2","result":"P","start":"2025-01-05T10:00:00Z","root":{"stepType":"SequenceCall","name":"M","status":"P","steps":[
        {"stepType":"Action","name":"L","status":"P","loop":{"n":2}},{"stepType":"Action","name":"L","status":"F","loop":{"i":0}},
        {"stepType":"Action","name":"L","status":"P","loop":{"i":1}}]}}"#;
    let report = convert("wats-json", text).unwrap().reports.remove(0);
    let summary = report.root.as_ref().unwrap().children()[0].loop_.clone().unwrap();
    assert_eq!(
        (summary.num, summary.ending_index, summary.passed, summary.failed),
        (Some(2), Some(1), Some(1), Some(1))
    );
    assert_eq!(report.root.as_ref().unwrap().children()[2].loop_.as_ref().unwrap().idx, Some(1));
}

#[test]
fn a_list_of_reports_gives_what_each_of_them_gives() {
    let one = |serial: &str, more: &str| {
        format!(
            r#" {{"type":"T","sn":"{serial}","pn":"2","processCode":10,"result":"P","start":"2025-01-05T10:00:00Z"{more},
                "root":{{"stepType":"SequenceCall","name":"M","status":"P","steps":[{{"stepType":"Action","name":"A","status":"P"}}]}}}}"#
        )
    };
    // The second is written in a way that only the longer way of reading knows.
    for more in ["", r#","MISCINFOS":[{"description":"D","text":"x"}]"#] {
        let (first, second) = (one("1", ""), one("2", more));
        let alone = [&first, &second].map(|text| convert("wats-json", text).unwrap().reports.remove(0));
        let list = convert("wats-json", &format!(" [{first},{second}]")).unwrap();
        assert_eq!((list.reports.as_slice(), list.warnings.len()), (&alone[..], 0), "{:?}", list.warnings);
    }
    assert!(convert("wats-json", " []").unwrap_err().to_string().contains("empty"));
}

#[test]
fn over_long_texts_cost_a_warning_and_not_the_unit() {
    let long = "x".repeat(300);
    let text = format!(
        r#"{{"type":"T","sn":"1","pn":"2","result":"P","start":"2025-01-05T10:00:00Z","miscInfos":[{{"description":"D","text":"{long}"}}],
           "root":{{"stepType":"SequenceCall","name":"{long}\u0001","status":"P"}}}}"#
    );
    let conversion = convert("wats-json", &text).unwrap();
    let report = &conversion.reports[0];
    assert_eq!(report.root.as_ref().unwrap().name, "x".repeat(100));
    assert_eq!(report.misc_infos[0].text.as_deref(), Some("x".repeat(100).as_str()));
    assert!(conversion.warnings.len() >= 3, "{:?}", conversion.warnings);
}

#[test]
fn the_converter_is_chosen_by_content() {
    for (text, expected) in [
        ("<?xml version='1.0'?><Reports><Report/></Reports>", Some("wats-xml")),
        ("<Reports xmlns='http://wats.virinco.com/schemas/WATS/Report/wsxf'/>", Some("wats-xml")),
        ("<TestResults/>", None),
        ("{\"type\":\"T\",\"root\":{}}", Some("wats-json")),
        ("{\"any\":1}", None),
        ("--Header-Start--\n--Step-Data-Start--", Some("wats-text")),
        ("hello", None),
        ("", None),
    ] {
        let chosen = choose(&input(text.as_bytes())).map(|converter| converter.about().name);
        assert_eq!(chosen, expected, "{text}");
    }
}

/// What contradicts itself is taken at its worst, and stays in words.
#[test]
fn contradictions_become_what_a_server_takes() {
    check(
        "wats-xml",
        r#"<Reports><Report SN="1" PN="2" Result="Passed" Start="2025-01-01T08:00:00Z">
           <Step Name="Main" StepType="SequenceCall" Status="Failed"><SequenceCall Name="a.seq"/>
           <Step Name="A" StepType="ET_NLT" Status="Passed"><NumericLimit NumericValue="5" CompOperator="LT" LowLimit="3" Status="Failed"/></Step>
           <Step Name="B" StepType="ET_NLT" Status="Error"><NumericLimit NumericValue="5" CompOperator="LOG" Status="Passed"/></Step>
           <Step Name="C" StepType="ET_PFT" Status="Broken"><PassFail Status="Failed"/></Step></Step></Report></Reports>"#,
        expect![[r#"
            1 F ST1 2025-01-01T08:00:00Z Some(10)
              SequenceCall Main F
              ET_NLT A F [5 LT Some(3.0) None]
              ET_NLT B E
              ET_PFT C F
            ! /Reports/Report[1]: step C: the status "Broken" is not known
            ! step B: the status is Error, with which no server takes a value: it is in the report text
            ! step A and 1 more: its status contradicts that of its measurements; the worse one counts, what the file states is in the report text
            ! the report contradicts itself (Result Passed, main sequence Failed): it counts as Failed
        "#]],
    );
    check(
        "wats-json",
        r#"{"type":"T","sn":"1","pn":"2","result":"F","processCode":10,"start":"2025-01-05T10:00:00Z","root":{"stepType":"SequenceCall","name":"M","status":"P","steps":[
           {"stepType":"ET_NLT","name":"A","status":"D","numericMeas":[{"status":"F","compOp":"LE","value":5,"highLimit":3}]}]}}"#,
        expect![[r#"
            1 F ST1 2025-01-05T10:00:00Z Some(10)
              SequenceCall M F
              ET_NLT A F [5 LE Some(3.0) None]
            ! step A: its status contradicts that of its measurements; the worse one counts, what the file states is in the report text
            ! step A: operator and limits are brought to the form in which servers take them
            ! the report contradicts itself (Result Failed, main sequence Passed): it counts as Failed
        "#]],
    );
}

#[test]
fn what_xml_holds_beside_is_kept() {
    let text = r#"<Reports><Report SN="1" PN="2" Result="Passed" Start="2025-01-01T08:00:00Z"><MiscInfo>free</MiscInfo>
        <ReportInfo key="K" value="V"/><Odd a="1">x</Odd><Step Name="M" StepType="SequenceCall" Status="Passed">
        <Step Name="L" StepType="NI_PropertyLoader" Status="Done"><PropertyLoader Read="3" Applied="2"/><New/></Step></Step></Report></Reports>"#;
    let conversion = convert("wats-xml", text).unwrap();
    let report = &conversion.reports[0];
    let infos: Vec<_> = report
        .misc_infos
        .iter()
        .map(|it| (it.description.as_deref().unwrap(), it.text.as_deref().unwrap()))
        .collect();
    assert_eq!(infos, [("MiscInfo", "free"), ("K", "V")]);
    assert_eq!(report.additional_data[0].name.as_deref(), Some("Odd"));
    let loader = &report.root.as_ref().unwrap().children()[0];
    let names: Vec<_> = loader.rare.additional_results.iter().map(|it| it.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["PropertyLoader", "New"]);
    assert_eq!(conversion.warnings.len(), 3, "{:?}", conversion.warnings);
}

#[test]
fn a_repair_without_units_is_one_of_its_unit() {
    let xml = "<Reports><Report type='UUR' SN='1' PN='2' Rev='A' Result='Passed' Start='2025-01-01T08:00:00Z'><UUR/></Report></Reports>";
    let json = r#"{"type":"R","sn":"1","pn":"2","rev":"A","result":"P","start":"2025-01-01T08:00:00Z","uur":{"user":"x","processCode":10}}"#;
    for (converter, text) in [("wats-xml", xml), ("wats-json", json)] {
        let report = convert(converter, text).unwrap().reports.remove(0);
        let unit = &report.sub_units[0];
        assert_eq!(
            (unit.idx, unit.part_type.as_deref(), unit.sn.as_deref()),
            (Some(0), Some("Main"), Some("1"))
        );
        assert_eq!(report.process_code, Some(500), "{converter}");
    }
}

#[test]
fn json_of_other_programs_is_understood() {
    let text = r#"{"sn":17,"pn":"2","startUTC":"2025-01-05T10:00:00","result":"Done","root":{"stepType":"SequenceCall","id":"1","group":"Main","status":"Passed","steps":[
        {"stepType":"ET_NLT","name":"A","group":"setup","numericMeas":[{"value":null}]}]}}"#;
    let conversion = convert("wats-json", text).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((report.sn.as_str(), report.result.letter()), ("17", "P"));
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2025-01-05T10:00:00+00:00");
    let root = report.root.as_ref().unwrap();
    assert_eq!((root.name.as_str(), root.id, root.children()[0].id), ("SequenceCall", Some(1), Some(2)));
    assert_eq!(root.children()[0].group, wats::report::Group::Setup);
    assert!(root.children()[0].numeric_meas[0].value.get().is_nan());
    let error = convert("wats-json", "{\"sn\":\n 1,}").unwrap_err().to_string();
    assert_eq!(
        error,
        "line 2, column 4: the JSON is damaged: trailing comma, at \"}\"; expected a JSON document"
    );
}

#[test]
fn a_number_that_is_none_is_named_with_its_step() {
    let xml = "<Reports><Report SN='1' PN='2' Result='Passed'><UUT ExecutionTime='soon'/><Step Name='r' StepType='SequenceCall' Status='Passed'>\
        <Step Name='A' StepType='ET_NLT' Status='Passed'><NumericLimit NumericValue='x' LowLimit='y' HighLimit='2' CompOperator='GELE' Status='Passed'/></Step></Step></Report></Reports>";
    assert_eq!(
        convert("wats-xml", xml).unwrap().warnings[..3],
        [
            "/Reports/Report[1]: ExecutionTime \"soon\" is no number; left out",
            "/Reports/Report[1]: step A: the value \"x\" is no number; NaN is sent",
            "/Reports/Report[1]: step A: LowLimit \"y\" is no number; left out",
        ]
    );
}

#[test]
fn a_run_that_was_skipped_is_terminated() {
    let xml = "<Reports><Report SN='1' PN='2' Result='Skipped'><Step Name='r' StepType='SequenceCall' Status='Skipped'/></Report></Reports>";
    let json = r#"{"sn":"1","pn":"2","result":"S","root":{"name":"r","status":"S"}}"#;
    for (converter, text) in [("wats-xml", xml), ("wats-json", json)] {
        let report = convert(converter, text).unwrap().reports.remove(0);
        let root = report.root.as_ref().unwrap().status;
        assert_eq!((report.result.letter(), root.letter()), ("T", "T"), "{converter}");
    }
}

#[test]
fn an_id_that_is_none_and_a_blank_result_cost_no_unit() {
    let text = r#"{"id":"7","sn":"1","pn":"2","result":"","root":{"name":"r","status":"F"}}"#;
    let conversion = convert("wats-json", text).unwrap();
    assert_eq!(conversion.reports[0].result, wats::report::Status::Failed);
    assert_eq!(conversion.warnings[0], "id \"7\" is no report id; left out");
}

/// Servers refuse their own exports for how they count their loops.
#[test]
fn loops_of_a_servers_export_are_counted_as_servers_demand() {
    let turn = |attributes: &str| {
        format!("<Step Name='L' StepType='Action' Status='Done'><Loop {attributes}/></Step>")
    };
    let text = format!(
        "<Reports><Report SN='1' PN='2' Result='Passed' Start='2025-01-01T08:00:00Z'><Step Name='M' StepType='SequenceCall' Status='Passed'>{}{}{}</Step></Report></Reports>",
        turn("num='2' ending_index='2' passed='2' failed='0'"),
        turn("index='0'"),
        turn("index='1'"),
    );
    let report = convert("wats-xml", &text).unwrap().reports.remove(0);
    let summary = report.root.as_ref().unwrap().children()[0].loop_.clone().unwrap();
    assert_eq!((summary.num, summary.ending_index), (Some(2), Some(1)));
}

/// Pieces of both formats, whole and broken, in any order.
const PIECES: &[&str] = &[
    "<Step",
    "<Step Name='a' StepType='SequenceCall'>",
    "</Step>",
    "<NumericLimit NumericValue='1' LowLimit='x'/>",
    "<PassFail/>",
    "<Chart><Series><ydata>1;b</ydata></Series></Chart>",
    "<Loop num='1'/>",
    " Status='é'",
    ">",
    "&#1;",
    "<![CDATA[",
    "<UUR/>",
    "<Failures PartIdx='7'/>",
    "<Binary FailIdx='-3'/>",
    "{\"steps\":[",
    "{\"name\":\"\\\"",
    "\"loop\":{\"i\":0,\"n\":\"x\"},",
    "NaN",
    "]",
    "}",
    ",",
    "\"status\":7",
];

proptest::proptest! {
    #[test]
    fn no_document_panics_and_every_report_can_be_written(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..30)) {
        let inner = pieces.concat();
        for (converter, text) in [
            ("wats-xml", format!("<Reports><Report SN='1' PN='2' Result='F'>{inner}</Report></Reports>")),
            ("wats-xml", format!("<Reports><Report SN='1' PN='2' type='UUR'>{inner}</Report></Reports>")),
            ("wats-json", format!("{{\"sn\":\"1\",\"pn\":\"2\",\"root\":{{\"name\":\"r\",{inner}}}}}")),
            ("wats-json", format!("{{\"sn\":\"1\",\"pn\":\"2\",\"root\":{{\"name\":\"r\",\"steps\":[{inner}]}}}}")),
        ] {
            if let Ok(conversion) = convert(converter, &text) {
                for report in conversion.reports {
                    proptest::prop_assert!(wats::wsjf::read(&wats::wsjf::write(&report).unwrap()).is_ok());
                }
            }
        }
    }
}
