//! From XML to the step tree.

use super::WsxfError;
use super::element::{Element, text_child};
use super::read::additional_data;
use crate::report::*;

/// Recursion is bounded by the limit on nesting.
pub(super) fn step(node: &Element<'_, '_>) -> Result<Step, WsxfError> {
    // White space at the ends of a name is kept: the server keeps it, too.
    let mut step = Step::new(node.required("StepType"), node.required("Name"), node.status("Status")?);
    step.id = node.int("Id")?;
    let group = node.parsed("Group", "Setup, Main or Cleanup", |word| match word {
        "Setup" => Some(Group::Setup),
        "Main" => Some(Group::Main),
        "Cleanup" => Some(Group::Cleanup),
        _ => None,
    })?;
    step.group = group.unwrap_or_default();
    step.start = node.time("Start");
    step.tot_time = node.double("total_time")?;
    step.error_code = node.int("StepErrorCode")?;
    step.ts_guid = node.owned("TSGuid").map(Into::into);
    let mut extra = Extra::new();
    step.report_text = text_child(node, "ReportText", &mut extra);
    step.caused_seq_failure = node.flag("StepCausedSequenceFailure")?;
    step.caused_uut_failure = node.flag("StepCausedUUTFailure")?;
    step.loop_ = node.child("Loop").map(|turn| self::turn(&turn)).transpose()?.map(Box::new);
    step.seq_call = node.child("SequenceCall").map(|call| {
        Box::new(SequenceCall {
            path: call.owned("Filepath"),
            name: call.owned("Name"),
            version: call.owned("Version"),
            extra: call.rest(),
        })
    });
    let inner = node.children(&["Step"]).iter().map(self::step).collect::<Result<Vec<Step>, WsxfError>>()?;
    step.steps = Some(inner).filter(|inner| !inner.is_empty() || step.seq_call.is_some());
    measurements(node, &mut step)?;
    step.rare = rare(node, extra)?.into();
    Ok(step)
}

fn turn(node: &Element<'_, '_>) -> Result<Loop, WsxfError> {
    Ok(Loop {
        idx: node.int("index")?,
        num: node.int("num")?,
        ending_index: node.int("ending_index")?,
        passed: node.int("passed")?,
        failed: node.int("failed")?,
        extra: node.rest(),
    })
}

fn measurements(node: &Element<'_, '_>, step: &mut Step) -> Result<(), WsxfError> {
    for meas in node.children(&["NumericLimit"]) {
        step.numeric_meas.push(NumericMeas {
            comp_op: meas.required("CompOperator"),
            name: meas.owned("Name"),
            status: meas.status("Status")?,
            unit: meas.owned("Units"),
            value: meas.double("NumericValue")?.unwrap_or(Double::new(f64::NAN)),
            high_limit: meas.double("HighLimit")?,
            low_limit: meas.double("LowLimit")?,
            formats: Formats {
                value: meas.owned("NumericValueFormat"),
                high_limit: meas.owned("HighLimitFormat"),
                low_limit: meas.owned("LowLimitFormat"),
            }
            .boxed(),
            extra: meas.rest(),
        });
    }
    for meas in node.children(&["PassFail"]) {
        let (name, status) = (meas.owned("Name"), meas.status("Status")?);
        step.boolean_meas.push(BooleanMeas { name, status, extra: meas.rest() });
    }
    for meas in node.children(&["StringValue"]) {
        step.string_meas.push(StringMeas {
            comp_op: meas.required("CompOperator"),
            name: meas.owned("Name"),
            status: meas.status("Status")?,
            value: meas.owned("StringValue"),
            limit: meas.owned("StringLimit"),
            extra: meas.rest(),
        });
    }
    Ok(())
}

fn rare(node: &Element<'_, '_>, mut extra: Extra) -> Result<RareMembers, WsxfError> {
    let mut rare = RareMembers {
        tot_time_format: node.owned("total_timeFormat"),
        error_code_format: node.owned("StepErrorCodeFormat"),
        error_message: node.owned("StepErrorMessage"),
        interactive_exe_num: node.int("InteractiveExeNum")?,
        chart: node.child("Chart").map(|chart| Box::new(self::chart(&chart))),
        additional_results: node.children(&["AdditionalResults"]).iter().map(additional_data).collect(),
        ..RareMembers::default()
    };
    if let Some(exe) = node.child("Callexe") {
        let (exit_code, exit_code_format) = (exe.double("ExitCode")?, exe.owned("ExitCodeFormat"));
        rare.call_exe = Some(Box::new(CallExe { exit_code, exit_code_format, extra: exe.rest() }));
    }
    if let Some(popup) = node.child("MessagePopup") {
        rare.message_popup = Some(Box::new(MessagePopup {
            response: popup.owned("Response"),
            button: popup.int("Button")?,
            button_format: popup.owned("ButtonFormat"),
            extra: popup.rest(),
        }));
    }
    rare.attachment = node.child("Attachment").map(|file| {
        Box::new(Attachment {
            name: file.owned("Name"),
            content_type: file.owned("ContentType"),
            data: file.text(),
            extra: file.rest(),
        })
    });
    extra.extend(node.rest());
    Ok(RareMembers { extra, ..rare })
}

fn chart(node: &Element<'_, '_>) -> Chart {
    let series = |series: &Element<'_, '_>| {
        let mut extra = Extra::new();
        let ydata = text_child(series, "ydata", &mut extra);
        let xdata = text_child(series, "xdata", &mut extra);
        let (data_type, name) = (series.owned("DataType"), series.owned("Name"));
        extra.extend(series.rest());
        Series { data_type, name, xdata, ydata, extra }
    };
    Chart {
        chart_type: node.owned("ChartType"),
        label: node.owned("Label"),
        x_label: node.owned("XLabel"),
        x_unit: node.owned("XUnit"),
        y_label: node.owned("YLabel"),
        y_unit: node.owned("YUnit"),
        series: node.children(&["Series"]).iter().map(series).collect(),
        extra: node.rest(),
    }
}
