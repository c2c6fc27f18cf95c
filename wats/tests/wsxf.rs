//! XML documents of a server are read as its JSON documents are, and reports survive the way through XML.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its samples must stop")]
use std::path::{Path, PathBuf};

use serde_json::Value;
use wats::report::Report;
use wats::{wsjf, wsxf};

fn samples() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/reports");
    assert!(folder.is_dir(), "the sample reports are missing: expected them in {}", folder.display());
    folder
}

/// Without nulls, empty texts and empty lists, which XML cannot tell from absence.
fn normal(value: Value) -> Value {
    let empty = |value: &Value| {
        value.is_null() || *value == "" || value.as_array().is_some_and(|items| items.is_empty())
    };
    match value {
        Value::Object(members) => {
            let mut kept: Vec<(String, Value)> =
                members.into_iter().map(|(name, member)| (name, normal(member))).collect();
            kept.retain(|(_, member)| !empty(member));
            kept.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(kept.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(normal).collect()),
        other => other,
    }
}

fn shown(report: &Report) -> String {
    let mut value = serde_json::to_value(report).unwrap();
    let members = value.as_object_mut().unwrap();
    // Output of a server, which has no place in XML or is made anew.
    for name in ["assetStats", "startUTC", "processCodeFormat"] {
        members.remove(name);
    }
    serde_json::to_string_pretty(&normal(value)).unwrap()
}

#[test]
fn the_two_exports_of_one_report_are_read_alike() {
    let xml = wsxf::read(&std::fs::read(samples().join("uut-wsxf-export.xml")).unwrap()).unwrap();
    let json = wsjf::read(&std::fs::read(samples().join("uut-wsjf-export.json")).unwrap()).unwrap();
    assert_eq!(xml.start_utc, json.start_utc);
    let (mut xml, mut json) = (xml, json);
    only_the_model(xml.root.as_mut().unwrap());
    only_the_model(json.root.as_mut().unwrap());
    xml.extra.clear();
    xml.misc_infos.iter_mut().for_each(|info| info.extra.clear());
    assert_eq!(shown(&xml), shown(&json));
}

/// Takes out what only one of the two formats has.
fn only_the_model(step: &mut wats::report::Step) {
    step.rare.additional_results.clear();
    step.rare.extra.clear();
    step.seq_call.iter_mut().for_each(|call| call.extra.clear());
    step.numeric_meas.iter_mut().for_each(|meas| meas.extra.clear());
    step.string_meas.iter_mut().for_each(|meas| meas.extra.clear());
    step.boolean_meas.iter_mut().for_each(|meas| meas.extra.clear());
    step.rare.call_exe.iter_mut().for_each(|exe| exe.extra.clear());
    step.rare.message_popup.iter_mut().for_each(|popup| popup.extra.clear());
    step.rare.chart.iter_mut().for_each(|chart| chart.extra.clear());
    step.steps.iter_mut().flatten().for_each(only_the_model);
}

/// An element as text: attributes in order of name, numbers and ids in one spelling, no white space between elements.
fn element(node: roxmltree::Node<'_, '_>, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    if let Some(text) = node.text().filter(|text| node.is_text() && !text.trim().is_empty()) {
        out.push_str(&format!("{pad}{text:?}\n"));
    }
    if node.is_element() {
        let name = |namespace: Option<&str>, local: &str| match namespace {
            Some(namespace) => format!("{{{namespace}}}{local}"),
            None => local.to_owned(),
        };
        let mut attributes: Vec<String> = node
            .attributes()
            .map(|a| {
                let value = a.value().parse::<f64>().map_or(a.value().to_uppercase(), |n| n.to_string());
                format!("{}={value:?}", name(a.namespace(), a.name()))
            })
            .collect();
        attributes.sort();
        let tag = name(node.tag_name().namespace(), node.tag_name().name());
        out.push_str(&format!("{pad}{tag} {}\n", attributes.join(" ")));
        // The order of elements of different names has no meaning; that of one name has.
        let mut inner: Vec<_> = node.children().collect();
        inner.sort_by_key(|child| child.tag_name().name().to_owned());
        inner.into_iter().for_each(|child| element(child, depth + 1, out));
    }
}

fn tree(document: &str) -> String {
    let mut out = String::new();
    element(roxmltree::Document::parse(document).unwrap().root_element(), 0, &mut out);
    out
}

#[test]
fn a_genuine_export_is_written_as_it_was_read() {
    let document = std::fs::read_to_string(samples().join("uut-wsxf-export.xml")).unwrap();
    let written = wsxf::write(&wsxf::read(document.as_bytes()).unwrap());
    assert_eq!(tree(&written), tree(&document));
    // Through JSON, too.
    let json = wsjf::write(&wsxf::read(document.as_bytes()).unwrap()).unwrap();
    assert_eq!(tree(&wsxf::write(&wsjf::read(&json).unwrap())), tree(&document));
}

#[test]
fn what_only_xml_has_survives() {
    let document = r##"<Reports xmlns="http://wats.virinco.com/schemas/WATS/Report/wsxf" xmlns:x="urn:x">
<Report type="UUT" ID="33A2D408-3FC8-480B-B554-6866C77FD91C" Start="2026-01-30T22:01:41+01:00"
 Start_utc="2026-01-30T21:01:41Z" Result="Passed" SN="1" PN="2" Rev="" MachineName="m" Location="l" Purpose="p"
 x:own="1" New="n &lt; &quot;">
<UUT UserLoginName="" ParameterBaseVersion="7"><Comment x:lang="en">c</Comment></UUT><Process Code="10" Extra="e" />
<AdditionalData Name="Rig" Idx="0"><Prop Name="A" Type="String" Flags="8"><Value x:v="1">1</Value></Prop>
<Free Unit="V">12<Inner Name="Inner" /></Free></AdditionalData>
<MiscInfo Typedef="" Description="d" idx="0" order_no="0">t</MiscInfo>
<PartInfo PartType="B" PN="3" SN="4" Rev="5" order_no="0" idx="0" />
<ReportInfo key="k" value="v" /><ReportInfo key="k2" value="v2"><x:a b="c">t<Step />u</x:a></ReportInfo>
<SPCData><![CDATA[<raw>]]></SPCData>
<Step Id="1" Group="Main" Name="Root" StepType="SequenceCall" Status="Passed" StepIndex="0" module_time="0.5">
<PropertyLoader Read="3" Applied="2" MeasIndex="0" />
<SequenceCall Name="N" Version="1" Filename="F" Filepath="P" MeasIndex="0" />
<Step Group="Main" Name="A" StepType="ET_NLT" Status="Passed" Idx="4"><NumericLimit NumericValue="1" Units=""
 CompOperator="LOG" Status="Passed" MeasIndex="0" MeasOrderNumber="-1" /><Chart idx="0" ChartType="Line" PlotName="x"
 Label="l" XLabel="" XUnit="" YLabel="" YUnit="" DataType="XYG"><Series Name="s" DataType="XYG"><ydata>1;2</ydata>
 </Series></Chart></Step></Step></Report></Reports>"##;
    let report = wsxf::read(document.as_bytes()).unwrap();
    assert_eq!(tree(&wsxf::write(&report)), tree(document));
    let props = &report.additional_data[0].props;
    assert_eq!((props[1].name.as_deref(), props[1].value.as_deref()), (Some("Free"), Some("12")));
    assert_eq!(report.sub_units[0].sn.as_deref(), Some("4"));
}

#[test]
fn what_only_xml_repairs_have_survives() {
    let document = r##"<Reports xmlns="http://wats.virinco.com/schemas/WATS/Report/wsxf">
<Report type="UUR" ID="33A2D408-3FC8-480B-B554-6866C77FD91C" Start="2026-01-30T22:01:41+01:00"
 Start_utc="2026-01-30T21:01:41Z" Result="Passed" SN="1" PN="2" Rev="" MachineName="m" Location="l" Purpose="p">
<UUR UserLoginName="u" Active="true" ReferencedUUT="33A2D408-3FC8-480B-B554-6866C77FD91D">
<Children>33A2D408-3FC8-480B-B554-6866C77FD91E</Children><Comment>c</Comment><Process Code="10" /></UUR>
<Process Code="500" /><ReportUnitHierarchy Idx="0" PartType="Main" PN="2" SN="1" />
<Failures Category="c" Code="d" Idx="7" PartIdx="0" Failcode="9"><Comment>one</Comment><Comment>two</Comment></Failures>
<Binary FailIdx="7" BinaryDataIndex="0"><Data size="3" FileName="a.txt" ContentType="text/plain">YWJj</Data></Binary>
<Binary FailIdx="-1"><Data FileName="b.txt" ContentType="text/plain">YWJj</Data></Binary></Report></Reports>"##;
    let report = wsxf::read(document.as_bytes()).unwrap();
    let failure = &report.sub_units[0].failures.as_ref().unwrap()[0];
    assert_eq!(failure.attachments.as_ref().unwrap().len(), 1);
    assert_eq!(report.binary_data.len(), 1);
    assert_eq!(tree(&wsxf::write(&report)), tree(document));
}

#[test]
fn a_file_of_several_reports_is_read_and_written_in_order() {
    let reports: Vec<Report> = ["1", "2", "3"].iter().map(|sn| Report::uut("P", *sn, "A")).collect();
    let back = wsxf::read_all(wsxf::write_all(&reports).as_bytes()).unwrap();
    assert_eq!(back.iter().map(|report| report.sn.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(wsxf::read_all(b"<Reports/>").unwrap().is_empty());
    let faulty = "<Reports><Report Result='Passed'/><Report Result='Fine'/></Reports>";
    assert_eq!(
        wsxf::read_all(faulty.as_bytes()).unwrap_err().to_string(),
        "/Reports/Report[2]/@Result: \"Fine\" is no status"
    );
}

/// What was kept may come from a JSON document of anybody.
#[test]
fn kept_names_cannot_break_the_document() {
    let mut report = Report::uut("P", "S", "A");
    for name in ["@a b", "@x><y", "@", "@{u}}a\"", "@xmlns", "@SN", "@ª", "@{http://www.w3.org/2000/xmlns/}p"]
    {
        report.extra.insert(name.to_owned(), "v\"><z".into());
    }
    report.extra.insert("#".to_owned(), serde_json::json!([{"<": "a><b"}, {"<": "ok", "#": ["<&"]}, 5]));
    let back = wsxf::read(wsxf::write(&report).as_bytes()).unwrap();
    assert_eq!(back.sn, "S");
    assert_eq!(serde_json::json!(back.extra), serde_json::json!({"#": [{"<": "ok", "#": ["<&"]}]}));
}

#[test]
fn every_sample_survives_the_way_through_xml() {
    let mut checked = 0;
    for folder in [samples(), samples().join("generated")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let mut report = wsjf::read(&std::fs::read(&path).unwrap()).unwrap();
            let mut back = wsxf::read(wsxf::write(&report).as_bytes())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for report in [&mut report, &mut back] {
                known_losses(report);
            }
            assert_eq!(shown(&back), shown(&report), "{}", path.display());
            checked += 1;
        }
    }
    assert!(checked >= 14, "only {checked} samples found");
}

/// Members that only JSON has.
fn known_losses(report: &mut Report) {
    fn step(this: &mut wats::report::Step) {
        this.rare.extra.clear();
        if let Some(turn) = &mut this.loop_ {
            turn.extra.clear();
        }
        if let Some(file) = &mut this.rare.attachment {
            file.extra.clear();
        }
        this.boolean_meas.iter_mut().for_each(|meas| meas.extra.clear());
        this.steps.iter_mut().flatten().for_each(step);
    }
    report.extra.clear();
    for asset in &mut report.assets {
        asset.extra.clear();
    }
    if let Some(uur) = &mut report.uur {
        uur.extra.clear();
    }
    if let Some(uut) = &mut report.uut {
        uut.extra.clear();
        uut.ref_uurs = None;
    }
    if let Some(root) = &mut report.root {
        step(root);
    }
}

#[test]
fn texts_with_markup_and_line_ends_survive() {
    let mut report = Report::uut("P<&>\"1\"", "S'1\t2", "A\nB");
    let root = report.root.as_mut().unwrap();
    root.report_text = Some("a < b\r\n& \"c\" ]]> µ".into());
    let back = wsxf::read(wsxf::write(&report).as_bytes()).unwrap();
    assert_eq!((&back.pn, &back.sn, &back.rev), (&report.pn, &report.sn, &report.rev));
    assert_eq!(back.root.unwrap().report_text, report.root.unwrap().report_text);
}

#[test]
fn what_is_no_report_is_named_with_its_place() {
    for (document, expected) in [
        ("<Reports/>", "the document holds 0 reports; the server takes one at a time"),
        (
            "<Reports><Report Result='Passed'/><Report/></Reports>",
            "the document holds 2 reports; the server takes one at a time",
        ),
        (
            "<Reports><Report type='X' Result='Passed'/></Reports>",
            "/Reports/Report/@type: \"X\" is no UUT or UUR",
        ),
        ("<Reports><Report/></Reports>", "/Reports/Report/@Result: a value is required"),
        (
            "<Reports><Report Result='Passed'><Step Name='A' Status='Passed' Id='x'/></Report></Reports>",
            "/Reports/Report/Step[A]/@Id: \"x\" is no whole number",
        ),
        ("<a><b></a>", "the document is no well-formed XML: expected 'b' tag, not 'a' (line 1, column 7)"),
    ] {
        assert_eq!(wsxf::read(document.as_bytes()).unwrap_err().to_string(), expected);
    }
    let deep = "<a>".repeat(100_000);
    assert!(matches!(wsxf::read(deep.as_bytes()), Err(wsxf::WsxfError::TooDeep)));
}
