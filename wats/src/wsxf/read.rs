//! From XML to a report.

use roxmltree::{Document, Node};
use uuid::Uuid;

use super::WsxfError;
use crate::report::*;

/// Elements may nest this deep; far more than a report needs, and little enough for the stack.
pub(super) const MAX_DEPTH: usize = 200;

/// Reads a document that holds exactly one report. DTDs are refused.
///
/// # Errors
/// What is wrong, with line and column for syntax and the path of the attribute for content.
pub fn read(document: &[u8]) -> Result<Report, WsxfError> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let text = std::str::from_utf8(document).map_err(|e| WsxfError::Encoding { at: e.valid_up_to() })?;
    check_depth(text)?;
    let document = Document::parse(text).map_err(|error| {
        let (pos, shown) = (error.pos(), error.to_string());
        let reason = shown.rsplit_once(" at ").map_or(shown.as_str(), |(reason, _)| reason).to_owned();
        WsxfError::Syntax { line: pos.row, column: pos.col, reason }
    })?;
    let root = document.root_element();
    let reports: Vec<Node<'_, '_>> =
        if is(root, "Report") { vec![root] } else { children(root, "Report").collect() };
    match reports.as_slice() {
        [one] => report(*one),
        several => Err(WsxfError::NotOne { found: several.len() }),
    }
}

/// The tree parser's own stack is not bounded, so the depth is looked at first.
fn check_depth(text: &str) -> Result<(), WsxfError> {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        match reader.read_event() {
            Ok(quick_xml::events::Event::Start(_)) => depth += 1,
            Ok(quick_xml::events::Event::End(_)) => depth = depth.saturating_sub(1),
            // What is damaged is named better by the tree parser, which stops at the same place.
            Ok(quick_xml::events::Event::Eof) | Err(_) => return Ok(()),
            Ok(_) => {}
        }
        if depth > MAX_DEPTH {
            return Err(WsxfError::TooDeep);
        }
    }
}

fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

fn children<'a, 'd>(node: Node<'a, 'd>, name: &'static str) -> impl Iterator<Item = Node<'a, 'd>> {
    node.children().filter(move |child| is(*child, name))
}

fn child<'a, 'd>(node: Node<'a, 'd>, name: &'static str) -> Option<Node<'a, 'd>> {
    children(node, name).next()
}

fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attribute(name).filter(|value| !value.is_empty())
}

fn owned(node: Node<'_, '_>, name: &str) -> Option<String> {
    attribute(node, name).map(ToOwned::to_owned)
}

fn content(node: Node<'_, '_>) -> Option<String> {
    let all: String = node.children().filter(Node::is_text).filter_map(|part| part.text()).collect();
    Some(all).filter(|text| !text.is_empty())
}

/// An attribute through a parser; present and unreadable is an error that names it.
fn parsed<T>(
    node: Node<'_, '_>,
    name: &str,
    expected: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, WsxfError> {
    let Some(value) = attribute(node, name) else { return Ok(None) };
    let bad = || WsxfError::Content {
        path: format!("{}/@{name}", path(node)),
        reason: format!("\"{value}\" is no {expected}"),
    };
    parse(value.trim()).map(Some).ok_or_else(bad)
}

fn path(node: Node<'_, '_>) -> String {
    let mut parts: Vec<String> = node
        .ancestors()
        .filter(Node::is_element)
        .map(|element| {
            let name = element.tag_name().name();
            match attribute(element, "Name") {
                Some(own) if name == "Step" => format!("{name}[{own}]"),
                _ => name.to_owned(),
            }
        })
        .collect();
    parts.reverse();
    format!("/{}", parts.join("/"))
}

fn int(node: Node<'_, '_>, name: &str) -> Result<Option<i32>, WsxfError> {
    parsed(node, name, "whole number", |text| text.parse().ok())
}

fn double(node: Node<'_, '_>, name: &str) -> Result<Option<Double>, WsxfError> {
    parsed(node, name, "number", Double::parse)
}

fn uuid(node: Node<'_, '_>, name: &str) -> Result<Option<Uuid>, WsxfError> {
    parsed(node, name, "uuid", |text| Uuid::parse_str(text).ok())
}

fn flag(node: Node<'_, '_>, name: &str) -> Result<Option<bool>, WsxfError> {
    parsed(node, name, "true or false", |text| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

fn status(node: Node<'_, '_>, name: &str) -> Result<Status, WsxfError> {
    parsed(node, name, "status", Status::from_word)?.ok_or_else(|| WsxfError::Content {
        path: format!("{}/@{name}", path(node)),
        reason: "a value is required".to_owned(),
    })
}

fn time(node: Node<'_, '_>, name: &str) -> Option<Time> {
    attribute(node, name).map(Time::from_text)
}

fn report(node: Node<'_, '_>) -> Result<Report, WsxfError> {
    let mut report = Report::uut(
        attribute(node, "PN").unwrap_or_default(),
        attribute(node, "SN").unwrap_or_default(),
        attribute(node, "Rev").unwrap_or_default(),
    );
    let kind = parsed(node, "type", "UUT or UUR", |word| match word {
        "UUT" => Some(ReportType::Test),
        "UUR" => Some(ReportType::Repair),
        _ => None,
    })?;
    report.report_type = kind.unwrap_or(ReportType::Test);
    report.id = uuid(node, "ID")?;
    report.product_name = owned(node, "ProductName");
    report.result = status(node, "Result")?;
    report.machine_name = owned(node, "MachineName").unwrap_or_default();
    report.location = owned(node, "Location").unwrap_or_default();
    report.purpose = owned(node, "Purpose").unwrap_or_default();
    report.origin = owned(node, "origin");
    report.start = time(node, "Start");
    report.start_utc = time(node, "Start_utc");
    if let Some(process) = child(node, "Process") {
        report.process_code = int(process, "Code")?;
        report.process_code_format = owned(process, "CodeFormat");
        report.process_name = owned(process, "Name");
    }
    report.uut = child(node, "UUT").map(uut).transpose()?;
    report.uur = child(node, "UUR").map(uur).transpose()?;
    report.root = child(node, "Step").map(step).transpose()?;
    report.misc_infos = children(node, "MiscInfo").map(misc_info).collect::<Result<_, _>>()?;
    let units = node.children().filter(|unit| is(*unit, "ReportUnitHierarchy") || is(*unit, "PartInfo"));
    report.sub_units = units.map(sub_unit).collect::<Result<_, _>>()?;
    report.assets = children(node, "Asset")
        .map(|asset| {
            Ok(Asset {
                asset_sn: owned(asset, "AssetSN"),
                usage_count: int(asset, "UsageCount")?,
                usage_count_format: owned(asset, "UsageCountFormat"),
                ..Asset::default()
            })
        })
        .collect::<Result<_, WsxfError>>()?;
    report.additional_data = children(node, "AdditionalData").map(additional_data).collect();
    failures(node, &mut report)?;
    Ok(report)
}

fn uut(node: Node<'_, '_>) -> Result<Uut, WsxfError> {
    Ok(Uut {
        user: owned(node, "UserLoginName"),
        exec_time: double(node, "ExecutionTime")?,
        exec_time_format: owned(node, "ExecutionTimeFormat"),
        test_socket_index: int(node, "TestSocketIndex")?,
        test_socket_index_format: owned(node, "TestSocketIndexFormat"),
        batch_sn: owned(node, "BatchSN"),
        comment: child(node, "Comment").and_then(content),
        error_code: int(node, "ErrorCode")?,
        error_code_format: owned(node, "ErrorCodeFormat"),
        error_message: owned(node, "ErrorMessage"),
        fixture_id: owned(node, "FixtureId"),
        batch_fail_count: int(node, "BatchFailCount")?,
        batch_fail_count_format: owned(node, "BatchFailCountFormat"),
        batch_loop_index: int(node, "BatchLoopIndex")?,
        batch_loop_index_format: owned(node, "BatchLoopIndexFormat"),
        step_id_caused_uut_failure: int(node, "StepIdCausedUUTFailure")?,
        ..Uut::default()
    })
}

fn uur(node: Node<'_, '_>) -> Result<Uur, WsxfError> {
    let process = child(node, "Process");
    let ids: Vec<Uuid> = children(node, "Children")
        .filter_map(content)
        .filter_map(|text| Uuid::parse_str(text.trim()).ok())
        .collect();
    Ok(Uur {
        user: owned(node, "UserLoginName"),
        comment: child(node, "Comment").and_then(content),
        process_code: process.map(|process| int(process, "Code")).transpose()?.flatten(),
        process_code_format: process.and_then(|process| owned(process, "CodeFormat")),
        process_name: process.and_then(|process| owned(process, "Name")),
        ref_uut: uuid(node, "ReferencedUUT")?,
        confirm_date: time(node, "ConfirmDate"),
        finalize_date: time(node, "FinalizeDate"),
        exec_time: double(node, "ExecutionTime")?,
        parent: uuid(node, "Parent")?,
        children: Some(ids).filter(|ids| !ids.is_empty()),
        ..Uur::default()
    })
}

fn misc_info(node: Node<'_, '_>) -> Result<MiscInfo, WsxfError> {
    Ok(MiscInfo {
        description: owned(node, "Description"),
        text: content(node),
        numeric: int(node, "Numeric")?,
        numeric_format: owned(node, "NumericFormat"),
        typedef: owned(node, "Typedef"),
        id: uuid(node, "Id")?,
        ..MiscInfo::default()
    })
}

fn sub_unit(node: Node<'_, '_>) -> Result<SubUnit, WsxfError> {
    Ok(SubUnit {
        part_type: owned(node, "PartType"),
        pn: owned(node, "PN"),
        sn: owned(node, "SN"),
        rev: owned(node, "Rev"),
        idx: int(node, "Idx")?,
        parent_idx: int(node, "ParentIDX")?,
        position: int(node, "Position")?,
        replaced_idx: int(node, "ReplacedIDX")?,
        ..SubUnit::default()
    })
}

/// Failures stand beside the units in XML and inside them in the model; so do the files of failures.
fn failures(node: Node<'_, '_>, report: &mut Report) -> Result<(), WsxfError> {
    let mut files: Vec<(Option<i32>, BinaryData)> = Vec::new();
    for binary in children(node, "Binary") {
        let data = child(binary, "Data").unwrap_or(binary);
        let file = BinaryData {
            id: uuid(data, "BinaryDataGUID")?,
            name: owned(data, "FileName"),
            content_type: owned(data, "ContentType"),
            data: content(data),
            ..BinaryData::default()
        };
        files.push((int(binary, "FailIdx")?.filter(|index| *index >= 0), file));
    }
    for failed in children(node, "Failures") {
        let index = int(failed, "Idx")?;
        let part = int(failed, "PartIdx")?.unwrap_or(0);
        let mine: Vec<BinaryData> =
            files.extract_if(.., |(at, _)| at.is_some() && *at == index).map(|(_, file)| file).collect();
        let failure = Failure {
            category: owned(failed, "Category"),
            code: owned(failed, "Code"),
            comment: child(failed, "Comment").and_then(content),
            com_ref: owned(failed, "CompRef"),
            func_block: owned(failed, "FunctionBlock"),
            ref_step_id: int(failed, "StepID")?,
            ref_step_name: owned(failed, "StepName"),
            art_number: owned(failed, "ArticleNumber"),
            art_rev: owned(failed, "ArticleRevision"),
            art_vendor: owned(failed, "ArticleVendor"),
            art_description: owned(failed, "ArticleDescription"),
            attachments: Some(mine).filter(|files| !files.is_empty()),
            ..Failure::default()
        };
        let unit = report.sub_units.iter_mut().find(|unit| unit.idx == Some(part));
        let unit = unit.ok_or_else(|| WsxfError::Content {
            path: format!("{}/@PartIdx", path(failed)),
            reason: format!("there is no unit with index {part}"),
        })?;
        unit.failures.get_or_insert_default().push(failure);
    }
    report.binary_data = files.into_iter().map(|(_, file)| file).collect();
    Ok(())
}

/// Recursion is bounded by [`MAX_DEPTH`].
fn step(node: Node<'_, '_>) -> Result<Step, WsxfError> {
    let kind = attribute(node, "StepType").unwrap_or_default();
    // White space at the ends of a name is kept: the server keeps it, too.
    let mut step = Step::new(kind, attribute(node, "Name").unwrap_or_default(), status(node, "Status")?);
    step.id = int(node, "Id")?;
    let group = parsed(node, "Group", "Setup, Main or Cleanup", |word| match word {
        "Setup" => Some(Group::Setup),
        "Main" => Some(Group::Main),
        "Cleanup" => Some(Group::Cleanup),
        _ => None,
    })?;
    step.group = group.unwrap_or_default();
    step.start = time(node, "Start");
    step.tot_time = double(node, "total_time")?;
    step.tot_time_format = owned(node, "total_timeFormat");
    step.error_code = int(node, "StepErrorCode")?;
    step.error_code_format = owned(node, "StepErrorCodeFormat");
    step.error_message = owned(node, "StepErrorMessage");
    step.report_text = child(node, "ReportText").and_then(content);
    step.ts_guid = owned(node, "TSGuid");
    step.caused_seq_failure = flag(node, "StepCausedSequenceFailure")?;
    step.caused_uut_failure = flag(node, "StepCausedUUTFailure")?;
    step.interactive_exe_num = int(node, "InteractiveExeNum")?;
    step.loop_ = child(node, "Loop").map(turn).transpose()?;
    step.seq_call = child(node, "SequenceCall").map(|call| SequenceCall {
        path: owned(call, "Filepath"),
        name: owned(call, "Name"),
        version: owned(call, "Version"),
        ..SequenceCall::default()
    });
    let inner = children(node, "Step").map(self::step).collect::<Result<Vec<Step>, WsxfError>>()?;
    step.steps = Some(inner).filter(|inner| !inner.is_empty() || step.seq_call.is_some());
    data(node, &mut step)?;
    Ok(step)
}

fn turn(node: Node<'_, '_>) -> Result<Loop, WsxfError> {
    Ok(Loop {
        idx: int(node, "index")?,
        num: int(node, "num")?,
        ending_index: int(node, "ending_index")?,
        passed: int(node, "passed")?,
        failed: int(node, "failed")?,
        ..Loop::default()
    })
}

fn data(node: Node<'_, '_>, step: &mut Step) -> Result<(), WsxfError> {
    for meas in children(node, "NumericLimit") {
        step.numeric_meas.push(NumericMeas {
            comp_op: owned(meas, "CompOperator").unwrap_or_default(),
            name: owned(meas, "Name"),
            status: status(meas, "Status")?,
            unit: owned(meas, "Units"),
            value: double(meas, "NumericValue")?.unwrap_or(Double(f64::NAN)),
            value_format: owned(meas, "NumericValueFormat"),
            high_limit: double(meas, "HighLimit")?,
            high_limit_format: owned(meas, "HighLimitFormat"),
            low_limit: double(meas, "LowLimit")?,
            low_limit_format: owned(meas, "LowLimitFormat"),
            extra: Extra::new(),
        });
    }
    for meas in children(node, "PassFail") {
        step.boolean_meas.push(BooleanMeas {
            name: owned(meas, "Name"),
            status: status(meas, "Status")?,
            extra: Extra::new(),
        });
    }
    for meas in children(node, "StringValue") {
        step.string_meas.push(StringMeas {
            comp_op: owned(meas, "CompOperator").unwrap_or_default(),
            name: owned(meas, "Name"),
            status: status(meas, "Status")?,
            value: owned(meas, "StringValue"),
            limit: owned(meas, "StringLimit"),
            extra: Extra::new(),
        });
    }
    if let Some(exe) = child(node, "Callexe") {
        step.call_exe = Some(CallExe {
            exit_code: double(exe, "ExitCode")?,
            exit_code_format: owned(exe, "ExitCodeFormat"),
            ..CallExe::default()
        });
    }
    if let Some(popup) = child(node, "MessagePopup") {
        step.message_popup = Some(MessagePopup {
            response: owned(popup, "Response"),
            button: int(popup, "Button")?,
            button_format: owned(popup, "ButtonFormat"),
            ..MessagePopup::default()
        });
    }
    step.chart = child(node, "Chart").map(|chart| Chart {
        chart_type: owned(chart, "ChartType"),
        label: owned(chart, "Label"),
        x_label: owned(chart, "XLabel"),
        x_unit: owned(chart, "XUnit"),
        y_label: owned(chart, "YLabel"),
        y_unit: owned(chart, "YUnit"),
        series: children(chart, "Series")
            .map(|series| Series {
                data_type: owned(series, "DataType"),
                name: owned(series, "Name"),
                xdata: child(series, "xdata").and_then(content),
                ydata: child(series, "ydata").and_then(content),
                ..Series::default()
            })
            .collect(),
        ..Chart::default()
    });
    step.attachment = child(node, "Attachment").map(|file| Attachment {
        name: owned(file, "Name"),
        content_type: owned(file, "ContentType"),
        data: content(file),
        ..Attachment::default()
    });
    step.additional_results = children(node, "AdditionalResults").map(additional_data).collect();
    Ok(())
}

fn additional_data(node: Node<'_, '_>) -> AdditionalData {
    AdditionalData {
        name: owned(node, "Name"),
        props: node.children().filter(Node::is_element).map(property).collect(),
        ..AdditionalData::default()
    }
}

fn property(node: Node<'_, '_>) -> Property {
    let inner: Vec<Property> =
        node.children().filter(|inner| inner.is_element() && !is(*inner, "Value")).map(property).collect();
    Property {
        name: owned(node, "Name").or_else(|| Some(node.tag_name().name().to_owned())),
        property_type: owned(node, "Type"),
        value: child(node, "Value").and_then(content).or_else(|| content(node).filter(|_| inner.is_empty())),
        flags: attribute(node, "Flags").and_then(|flags| flags.parse().ok()),
        num_format: owned(node, "NumFormat"),
        comment: owned(node, "Comment"),
        props: Some(inner).filter(|inner| !inner.is_empty()),
        ..Property::default()
    }
}
