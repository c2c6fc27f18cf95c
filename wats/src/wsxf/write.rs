//! From a report to XML.

use super::NAMESPACE;
use crate::report::*;

/// Writes a report as a document of its own. Texts lose the characters that XML forbids.
///
/// Arrays in additional data have no known XML form and are left out; so are members that the model does not know.
pub fn write(report: &Report) -> String {
    let mut xml = Xml { out: String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>") };
    xml.element("Reports", &[("xmlns", Some(NAMESPACE.to_owned()))], |xml| write_report(xml, report));
    xml.out
}

/// An attribute, which is left out without a value.
type Attribute<'a> = (&'a str, Option<String>);

struct Xml {
    out: String,
}

impl Xml {
    fn element(&mut self, name: &str, attributes: &[Attribute<'_>], inner: impl FnOnce(&mut Self)) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            if let Some(value) = value {
                self.out.push_str(&format!(" {name}=\""));
                self.escaped(value, true);
                self.out.push('"');
            }
        }
        self.out.push('>');
        let start = self.out.len();
        inner(self);
        if self.out.len() == start {
            self.out.pop();
            self.out.push_str(" />");
        } else {
            self.out.push_str(&format!("</{name}>"));
        }
    }

    fn empty(&mut self, name: &str, attributes: &[Attribute<'_>]) {
        self.element(name, attributes, |_| {});
    }

    fn text(&mut self, name: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.element(name, &[], |xml| xml.escaped(text, false));
        }
    }

    fn escaped(&mut self, text: &str, attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if attribute => self.out.push_str("&quot;"),
                // Parsers turn raw line ends in attributes into spaces, and carriage returns everywhere into LF.
                '\n' | '\t' if attribute => self.out.push_str(&format!("&#{};", u32::from(c))),
                '\r' => self.out.push_str("&#13;"),
                '\n' | '\t' => self.out.push(c),
                '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
                c => self.out.push(c),
            }
        }
    }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn int(value: Option<i32>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn double(value: Option<Double>) -> Option<String> {
    value.map(|Double(value)| match value {
        value if value.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "INF".to_owned(),
        f64::NEG_INFINITY => "-INF".to_owned(),
        value if value != 0.0 && !(1e-5..1e16).contains(&value.abs()) => format!("{value:E}"),
        value => value.to_string(),
    })
}

fn flag(value: Option<bool>) -> Option<String> {
    value.map(|value| value.to_string())
}

fn uuid(value: Option<uuid::Uuid>) -> Option<String> {
    value.map(|value| value.to_string().to_uppercase())
}

fn time(value: Option<&Time>) -> Option<String> {
    value.map(|time| time.as_str().to_owned())
}

fn word(status: Status) -> Option<String> {
    text(status.word())
}

fn write_report(xml: &mut Xml, report: &Report) {
    let kind = match report.report_type {
        ReportType::Test => "UUT",
        ReportType::Repair => "UUR",
    };
    let start_utc = report.start_utc.clone().or_else(|| report.start.as_ref().and_then(Time::utc));
    let attributes = [
        ("type", text(kind)),
        ("ID", uuid(report.id)),
        ("Start", time(report.start.as_ref())),
        ("Start_utc", time(start_utc.as_ref())),
        ("Result", word(report.result)),
        ("SN", text(&report.sn)),
        ("PN", text(&report.pn)),
        ("Rev", text(&report.rev)),
        ("origin", report.origin.clone()),
        ("MachineName", text(&report.machine_name)),
        ("Location", text(&report.location)),
        ("Purpose", text(&report.purpose)),
        ("ProductName", report.product_name.clone()),
    ];
    xml.element("Report", &attributes, |xml| {
        if let Some(uut) = &report.uut {
            write_uut(xml, uut);
        }
        if let Some(uur) = &report.uur {
            write_uur(xml, uur);
        }
        xml.empty(
            "Process",
            &[
                ("Code", int(report.process_code)),
                ("CodeFormat", report.process_code_format.clone()),
                ("Name", report.process_name.clone()),
            ],
        );
        for data in &report.additional_data {
            additional_data(xml, "AdditionalData", data);
        }
        for asset in &report.assets {
            xml.empty(
                "Asset",
                &[
                    ("AssetSN", asset.asset_sn.clone()),
                    ("UsageCount", int(asset.usage_count)),
                    ("UsageCountFormat", asset.usage_count_format.clone()),
                ],
            );
        }
        for info in &report.misc_infos {
            misc_info(xml, info);
        }
        units(xml, report);
        if let Some(root) = &report.root {
            step(xml, root);
        }
    });
}

fn write_uut(xml: &mut Xml, uut: &Uut) {
    let attributes = [
        ("UserLoginName", uut.user.clone()),
        ("BatchSN", uut.batch_sn.clone()),
        ("TestSocketIndex", int(uut.test_socket_index)),
        ("TestSocketIndexFormat", uut.test_socket_index_format.clone()),
        ("ExecutionTime", double(uut.exec_time)),
        ("ExecutionTimeFormat", uut.exec_time_format.clone()),
        ("FixtureId", uut.fixture_id.clone()),
        ("ErrorCode", int(uut.error_code)),
        ("ErrorCodeFormat", uut.error_code_format.clone()),
        ("ErrorMessage", uut.error_message.clone()),
        ("BatchLoopIndex", int(uut.batch_loop_index)),
        ("BatchLoopIndexFormat", uut.batch_loop_index_format.clone()),
        ("BatchFailCount", int(uut.batch_fail_count)),
        ("BatchFailCountFormat", uut.batch_fail_count_format.clone()),
        ("StepIdCausedUUTFailure", int(uut.step_id_caused_uut_failure)),
    ];
    xml.element("UUT", &attributes, |xml| xml.text("Comment", uut.comment.as_ref()));
}

fn write_uur(xml: &mut Xml, uur: &Uur) {
    let attributes = [
        ("UserLoginName", uur.user.clone()),
        ("ConfirmDate", time(uur.confirm_date.as_ref())),
        ("FinalizeDate", time(uur.finalize_date.as_ref())),
        ("ExecutionTime", double(uur.exec_time)),
        ("ReferencedUUT", uuid(uur.ref_uut)),
        ("Parent", uuid(uur.parent)),
    ];
    xml.element("UUR", &attributes, |xml| {
        for id in uur.children.iter().flatten() {
            xml.text("Children", Some(&id.to_string().to_uppercase()));
        }
        xml.text("Comment", uur.comment.as_ref());
        xml.empty(
            "Process",
            &[
                ("Code", int(uur.process_code)),
                ("CodeFormat", uur.process_code_format.clone()),
                ("Name", uur.process_name.clone()),
            ],
        );
    });
}

fn misc_info(xml: &mut Xml, info: &MiscInfo) {
    let attributes = [
        ("Typedef", info.typedef.clone()),
        ("Id", uuid(info.id)),
        ("Description", info.description.clone()),
        ("Numeric", int(info.numeric)),
        ("NumericFormat", info.numeric_format.clone()),
    ];
    xml.element("MiscInfo", &attributes, |xml| {
        xml.escaped(info.text.as_deref().unwrap_or_default(), false);
    });
}

/// Units, then failures numbered through the report, then the files, which name their failure.
fn units(xml: &mut Xml, report: &Report) {
    for unit in &report.sub_units {
        let attributes = [
            ("Idx", int(unit.idx)),
            ("ParentIDX", int(unit.parent_idx)),
            ("ReplacedIDX", int(unit.replaced_idx)),
            ("PartType", unit.part_type.clone()),
            ("PN", unit.pn.clone()),
            ("SN", unit.sn.clone()),
            ("Rev", unit.rev.clone()),
            ("Position", int(unit.position)),
        ];
        xml.empty("ReportUnitHierarchy", &attributes);
    }
    let mut files: Vec<(Option<i32>, &BinaryData)> = Vec::new();
    let failures =
        report.sub_units.iter().flat_map(|unit| unit.failures.iter().flatten().map(move |f| (unit, f)));
    for (index, (unit, failure)) in (0_i32..).zip(failures) {
        let attributes = [
            ("Category", failure.category.clone()),
            ("Code", failure.code.clone()),
            ("Idx", int(Some(index))),
            ("PartIdx", int(unit.idx)),
            ("CompRef", failure.com_ref.clone()),
            ("StepID", int(failure.ref_step_id)),
            ("StepName", failure.ref_step_name.clone()),
            ("FunctionBlock", failure.func_block.clone()),
            ("ArticleNumber", failure.art_number.clone()),
            ("ArticleRevision", failure.art_rev.clone()),
            ("ArticleVendor", failure.art_vendor.clone()),
            ("ArticleDescription", failure.art_description.clone()),
        ];
        xml.element("Failures", &attributes, |xml| xml.text("Comment", failure.comment.as_ref()));
        files.extend(failure.attachments.iter().flatten().map(|file| (Some(index), file)));
    }
    files.extend(report.binary_data.iter().map(|file| (None, file)));
    for (failure, file) in files {
        xml.element("Binary", &[("FailIdx", int(failure))], |xml| {
            let attributes = [
                ("BinaryDataGUID", uuid(file.id)),
                ("ContentType", file.content_type.clone()),
                ("FileName", file.name.clone()),
            ];
            xml.element("Data", &attributes, |xml| {
                xml.escaped(file.data.as_deref().unwrap_or_default(), false);
            });
        });
    }
}

fn step(xml: &mut Xml, step: &Step) {
    let group = match step.group {
        Group::Setup => "Setup",
        Group::Main => "Main",
        Group::Cleanup => "Cleanup",
    };
    let attributes = [
        ("Id", int(step.id)),
        ("Group", text(group)),
        ("Name", text(&step.name)),
        ("StepType", text(&step.step_type)),
        ("Status", word(step.status)),
        ("total_time", double(step.tot_time)),
        ("total_timeFormat", step.tot_time_format.clone()),
        ("TSGuid", step.ts_guid.clone()),
        ("StepErrorCode", int(step.error_code)),
        ("StepErrorCodeFormat", step.error_code_format.clone()),
        ("StepErrorMessage", step.error_message.clone()),
        ("Start", time(step.start.as_ref())),
        ("InteractiveExeNum", int(step.interactive_exe_num)),
        ("StepCausedSequenceFailure", flag(step.caused_seq_failure)),
        ("StepCausedUUTFailure", flag(step.caused_uut_failure)),
    ];
    xml.element("Step", &attributes, |xml| {
        if let Some(turn) = &step.loop_ {
            let attributes = [
                ("index", int(turn.idx)),
                ("num", int(turn.num)),
                ("passed", int(turn.passed)),
                ("failed", int(turn.failed)),
                ("ending_index", int(turn.ending_index)),
            ];
            xml.empty("Loop", &attributes);
        }
        xml.text("ReportText", step.report_text.as_ref());
        step_data(xml, step);
        step.children().iter().for_each(|child| self::step(xml, child));
    });
}

fn step_data(xml: &mut Xml, step: &Step) {
    if let Some(call) = &step.seq_call {
        let attributes = [
            ("Name", call.name.clone()),
            ("Version", call.version.clone()),
            ("Filename", call.path.clone()),
            ("Filepath", call.path.clone()),
        ];
        xml.empty("SequenceCall", &attributes);
    }
    for (index, meas) in (0_i32..).zip(&step.numeric_meas) {
        let attributes = [
            ("Name", meas.name.clone()),
            ("NumericValue", double(Some(meas.value))),
            ("NumericValueFormat", meas.value_format.clone()),
            ("Units", meas.unit.clone()),
            ("CompOperator", text(&meas.comp_op)),
            ("HighLimit", double(meas.high_limit)),
            ("HighLimitFormat", meas.high_limit_format.clone()),
            ("LowLimit", double(meas.low_limit)),
            ("LowLimitFormat", meas.low_limit_format.clone()),
            ("Status", word(meas.status)),
            ("MeasIndex", int(Some(index))),
        ];
        xml.empty("NumericLimit", &attributes);
    }
    for (index, meas) in (0_i32..).zip(&step.boolean_meas) {
        let attributes =
            [("Name", meas.name.clone()), ("Status", word(meas.status)), ("MeasIndex", int(Some(index)))];
        xml.empty("PassFail", &attributes);
    }
    for (index, meas) in (0_i32..).zip(&step.string_meas) {
        let attributes = [
            ("Name", meas.name.clone()),
            ("CompOperator", text(&meas.comp_op)),
            ("StringLimit", meas.limit.clone()),
            ("StringValue", meas.value.clone()),
            ("Status", word(meas.status)),
            ("MeasIndex", int(Some(index))),
        ];
        xml.empty("StringValue", &attributes);
    }
    if let Some(exe) = &step.call_exe {
        let attributes =
            [("ExitCode", double(exe.exit_code)), ("ExitCodeFormat", exe.exit_code_format.clone())];
        xml.empty("Callexe", &attributes);
    }
    if let Some(popup) = &step.message_popup {
        let attributes = [
            ("Button", int(popup.button)),
            ("ButtonFormat", popup.button_format.clone()),
            ("Response", popup.response.clone()),
        ];
        xml.empty("MessagePopup", &attributes);
    }
    if let Some(chart) = &step.chart {
        write_chart(xml, chart);
    }
    if let Some(file) = &step.attachment {
        let attributes = [("Name", file.name.clone()), ("ContentType", file.content_type.clone())];
        xml.element("Attachment", &attributes, |xml| {
            xml.escaped(file.data.as_deref().unwrap_or_default(), false);
        });
    }
    for data in &step.additional_results {
        additional_data(xml, "AdditionalResults", data);
    }
}

fn write_chart(xml: &mut Xml, chart: &Chart) {
    let attributes = [
        ("ChartType", chart.chart_type.clone()),
        ("Label", chart.label.clone()),
        ("XLabel", chart.x_label.clone()),
        ("XUnit", chart.x_unit.clone()),
        ("YLabel", chart.y_label.clone()),
        ("YUnit", chart.y_unit.clone()),
    ];
    xml.element("Chart", &attributes, |xml| {
        for series in &chart.series {
            let attributes = [("Name", series.name.clone()), ("DataType", series.data_type.clone())];
            xml.element("Series", &attributes, |xml| {
                xml.text("ydata", series.ydata.as_ref());
                xml.text("xdata", series.xdata.as_ref());
            });
        }
    });
}

fn additional_data(xml: &mut Xml, name: &str, data: &AdditionalData) {
    xml.element(name, &[("Name", data.name.clone())], |xml| {
        data.props.iter().for_each(|prop| property(xml, prop));
    });
}

fn property(xml: &mut Xml, prop: &Property) {
    let attributes = [
        ("Name", prop.name.clone()),
        ("Type", prop.property_type.clone()),
        ("Flags", int(prop.flags)),
        ("NumFormat", prop.num_format.clone()),
        ("Comment", prop.comment.clone()),
    ];
    xml.element("Prop", &attributes, |xml| {
        xml.text("Value", prop.value.as_ref());
        prop.props.iter().flatten().for_each(|inner| property(xml, inner));
    });
}
