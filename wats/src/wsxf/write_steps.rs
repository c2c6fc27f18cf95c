//! From the step tree to XML.

use super::write::{additional_data, double, flag, int, text, time, word};
use super::xml::Xml;
use crate::report::*;

pub(super) fn step(xml: &mut Xml, step: &Step) {
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
        ("total_timeFormat", step.rare.tot_time_format.clone()),
        ("TSGuid", step.ts_guid.as_deref().map(Text::from)),
        ("StepErrorCode", int(step.error_code)),
        ("StepErrorCodeFormat", step.rare.error_code_format.clone()),
        ("StepErrorMessage", step.rare.error_message.clone()),
        ("Start", time(step.start.as_ref())),
        ("InteractiveExeNum", int(step.rare.interactive_exe_num)),
        ("StepCausedSequenceFailure", flag(step.caused_seq_failure)),
        ("StepCausedUUTFailure", flag(step.caused_uut_failure)),
    ];
    xml.open("Step", &attributes, &step.rare.extra, |xml| {
        if let Some(turn) = &step.loop_ {
            let attributes = [
                ("index", int(turn.idx)),
                ("num", int(turn.num)),
                ("passed", int(turn.passed)),
                ("failed", int(turn.failed)),
                ("ending_index", int(turn.ending_index)),
            ];
            xml.empty("Loop", &attributes, &turn.extra);
        }
        xml.text("ReportText", step.report_text.as_ref(), &step.rare.extra);
        step_data(xml, step);
        // Before the steps below this one, where the schema has all data.
        xml.kept_elements(&step.rare.extra);
        step.children().iter().for_each(|child| self::step(xml, child));
    });
}

fn step_data(xml: &mut Xml, step: &Step) {
    if let Some(call) = &step.seq_call {
        let attributes =
            [("Name", call.name.clone()), ("Version", call.version.clone()), ("Filepath", call.path.clone())];
        xml.empty("SequenceCall", &attributes, &call.extra);
    }
    for meas in &step.numeric_meas {
        let format =
            |of: fn(&Formats) -> &Option<Text>| meas.formats.as_deref().and_then(|it| of(it).clone());
        let attributes = [
            ("Name", meas.name.clone()),
            ("NumericValue", double(Some(meas.value))),
            ("NumericValueFormat", format(|it| &it.value)),
            ("Units", meas.unit.clone()),
            ("CompOperator", text(&meas.comp_op)),
            ("HighLimit", double(meas.high_limit)),
            ("HighLimitFormat", format(|it| &it.high_limit)),
            ("LowLimit", double(meas.low_limit)),
            ("LowLimitFormat", format(|it| &it.low_limit)),
            ("Status", word(meas.status)),
        ];
        xml.empty("NumericLimit", &attributes, &meas.extra);
    }
    for meas in &step.boolean_meas {
        let attributes = [("Name", meas.name.clone()), ("Status", word(meas.status))];
        xml.empty("PassFail", &attributes, &meas.extra);
    }
    for meas in &step.string_meas {
        let attributes = [
            ("Name", meas.name.clone()),
            ("CompOperator", text(&meas.comp_op)),
            ("StringLimit", meas.limit.clone()),
            ("StringValue", meas.value.clone()),
            ("Status", word(meas.status)),
        ];
        xml.empty("StringValue", &attributes, &meas.extra);
    }
    if let Some(exe) = &step.rare.call_exe {
        let attributes =
            [("ExitCode", double(exe.exit_code)), ("ExitCodeFormat", exe.exit_code_format.clone())];
        xml.empty("Callexe", &attributes, &exe.extra);
    }
    if let Some(popup) = &step.rare.message_popup {
        let attributes = [
            ("Button", int(popup.button)),
            ("ButtonFormat", popup.button_format.clone()),
            ("Response", popup.response.clone()),
        ];
        xml.empty("MessagePopup", &attributes, &popup.extra);
    }
    if let Some(chart) = &step.rare.chart {
        write_chart(xml, chart);
    }
    if let Some(file) = &step.rare.attachment {
        let attributes = [("Name", file.name.clone()), ("ContentType", file.content_type.clone())];
        xml.element("Attachment", &attributes, &file.extra, |xml| {
            xml.escaped(file.data.as_deref().unwrap_or_default(), false);
        });
    }
    for data in &step.rare.additional_results {
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
    xml.element("Chart", &attributes, &chart.extra, |xml| {
        for series in &chart.series {
            let attributes = [("Name", series.name.clone()), ("DataType", series.data_type.clone())];
            xml.element("Series", &attributes, &series.extra, |xml| {
                xml.text("ydata", series.ydata.as_ref(), &series.extra);
                xml.text("xdata", series.xdata.as_ref(), &series.extra);
            });
        }
    });
}
