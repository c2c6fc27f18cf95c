//! From XML to reports: the document, and what all reports have.

use roxmltree::Document;
use uuid::Uuid;

use super::WsxfError;
use super::element::{Element, is, keep, text_child};
use super::read_steps::step;
use crate::report::*;

/// Elements may nest this deep; far more than a report needs, and little enough for the stack.
pub(super) const MAX_DEPTH: usize = 200;

/// Reads a document that holds exactly one report, as the server takes it. DTDs are refused.
///
/// # Errors
/// What is wrong, with line and column for syntax and the path of the attribute for content.
pub fn read(document: &[u8]) -> Result<Report, WsxfError> {
    parse(document, |elements| match elements {
        [only] => report(only),
        several => Err(WsxfError::NotOne { found: several.len() }),
    })
}

/// Reads all reports of a document, as files hold them, in their order. There may be none.
///
/// # Errors
/// As [`read`]; one faulty report is the document's error.
pub fn read_all(document: &[u8]) -> Result<Vec<Report>, WsxfError> {
    parse(document, |elements| elements.iter().map(report).collect())
}

/// Parses the document and hands over its reports' elements.
fn parse<T>(
    document: &[u8],
    read: impl Fn(&[Element<'_, '_>]) -> Result<T, WsxfError>,
) -> Result<T, WsxfError> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let text = std::str::from_utf8(document).map_err(|e| WsxfError::Encoding { at: e.valid_up_to() })?;
    check_depth(text)?;
    let document = Document::parse(text).map_err(|error| {
        let (pos, shown) = (error.pos(), error.to_string());
        let reason = shown.rsplit_once(" at ").map_or(shown.as_str(), |(reason, _)| reason).to_owned();
        WsxfError::Syntax { line: pos.row, column: pos.col, reason }
    })?;
    let root = document.root_element();
    if is(root, &["Report"]) {
        return read(&[Element::new(root)]);
    }
    read(&Element::new(root).children(&["Report"]))
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

fn report(node: &Element<'_, '_>) -> Result<Report, WsxfError> {
    let mut report = Report::uut(node.required("PN"), node.required("SN"), node.required("Rev"));
    let kind = node.parsed("type", "UUT or UUR", |word| match word {
        "UUT" => Some(ReportType::Test),
        "UUR" => Some(ReportType::Repair),
        _ => None,
    })?;
    report.report_type = kind.unwrap_or(ReportType::Test);
    report.id = node.uuid("ID")?;
    report.product_name = node.owned("ProductName");
    report.result = node.status("Result")?;
    report.machine_name = node.required("MachineName");
    report.location = node.required("Location");
    report.purpose = node.required("Purpose");
    report.origin = node.owned("origin");
    report.start = node.time("Start");
    report.start_utc = node.time("Start_utc");
    if let Some(process) = node.child("Process") {
        report.process_code = process.int("Code")?;
        report.process_code_format = process.owned("CodeFormat");
        report.process_name = process.owned("Name");
        keep(&mut report.extra, "Process", process.rest());
    }
    report.uut = node.child("UUT").map(|uut| self::uut(&uut)).transpose()?;
    report.uur = node.child("UUR").map(|uur| self::uur(&uur)).transpose()?;
    report.root = node.child("Step").map(|root| step(&root)).transpose()?;
    report.misc_infos = node.children(&["MiscInfo"]).iter().map(misc_info).collect::<Result<_, _>>()?;
    let units = node.children(&["ReportUnitHierarchy", "PartInfo"]);
    report.sub_units = units.iter().map(sub_unit).collect::<Result<_, _>>()?;
    report.assets = node.children(&["Asset"]).iter().map(asset).collect::<Result<_, _>>()?;
    report.additional_data = node.children(&["AdditionalData"]).iter().map(additional_data).collect();
    failures(node, &mut report)?;
    report.extra.extend(node.rest());
    Ok(report)
}

fn uut(node: &Element<'_, '_>) -> Result<Uut, WsxfError> {
    let mut extra = Extra::new();
    let comment = text_child(node, "Comment", &mut extra);
    let mut uut = Uut {
        user: node.owned("UserLoginName"),
        exec_time: node.double("ExecutionTime")?,
        exec_time_format: node.owned("ExecutionTimeFormat"),
        test_socket_index: node.int("TestSocketIndex")?,
        test_socket_index_format: node.owned("TestSocketIndexFormat"),
        batch_sn: node.owned("BatchSN"),
        comment,
        error_code: node.int("ErrorCode")?,
        error_code_format: node.owned("ErrorCodeFormat"),
        error_message: node.owned("ErrorMessage"),
        fixture_id: node.owned("FixtureId"),
        batch_fail_count: node.int("BatchFailCount")?,
        batch_fail_count_format: node.owned("BatchFailCountFormat"),
        batch_loop_index: node.int("BatchLoopIndex")?,
        batch_loop_index_format: node.owned("BatchLoopIndexFormat"),
        step_id_caused_uut_failure: node.int("StepIdCausedUUTFailure")?,
        ref_uurs: None,
        extra,
    };
    uut.extra.extend(node.rest());
    Ok(uut)
}

fn uur(node: &Element<'_, '_>) -> Result<Uur, WsxfError> {
    let mut uur = Uur {
        user: node.owned("UserLoginName"),
        ref_uut: node.uuid("ReferencedUUT")?,
        confirm_date: node.time("ConfirmDate"),
        finalize_date: node.time("FinalizeDate"),
        exec_time: node.double("ExecutionTime")?,
        parent: node.uuid("Parent")?,
        ..Uur::default()
    };
    uur.comment = text_child(node, "Comment", &mut uur.extra);
    if let Some(process) = node.child("Process") {
        uur.process_code = process.int("Code")?;
        uur.process_code_format = process.owned("CodeFormat");
        uur.process_name = process.owned("Name");
        keep(&mut uur.extra, "Process", process.rest());
    }
    let children = node.children(&["Children"]);
    if !children.is_empty() {
        let id = |child: &Element<'_, '_>| {
            let text = child.text().unwrap_or_default();
            Uuid::parse_str(text.trim()).map_err(|_| WsxfError::Content {
                path: "/Reports/Report/UUR/Children".to_owned(),
                reason: format!("\"{text}\" is no uuid"),
            })
        };
        uur.children = Some(children.iter().map(id).collect::<Result<_, _>>()?);
    }
    uur.extra.extend(node.rest());
    Ok(uur)
}

fn misc_info(node: &Element<'_, '_>) -> Result<MiscInfo, WsxfError> {
    Ok(MiscInfo {
        description: node.owned("Description"),
        text: node.text(),
        numeric: node.int("Numeric")?,
        numeric_format: node.owned("NumericFormat"),
        typedef: node.owned("Typedef"),
        id: node.uuid("Id")?,
        extra: node.rest(),
    })
}

fn sub_unit(node: &Element<'_, '_>) -> Result<SubUnit, WsxfError> {
    let mut unit = SubUnit {
        part_type: node.owned("PartType"),
        pn: node.owned("PN"),
        sn: node.owned("SN"),
        rev: node.owned("Rev"),
        idx: node.int("Idx")?,
        parent_idx: node.int("ParentIDX")?,
        position: node.int("Position")?,
        replaced_idx: node.int("ReplacedIDX")?,
        ..SubUnit::default()
    };
    if node.name() == "PartInfo" {
        unit.extra.insert("<".to_owned(), node.name().into());
    }
    unit.extra.extend(node.rest());
    Ok(unit)
}

fn asset(node: &Element<'_, '_>) -> Result<Asset, WsxfError> {
    Ok(Asset {
        asset_sn: node.owned("AssetSN"),
        usage_count: node.int("UsageCount")?,
        usage_count_format: node.owned("UsageCountFormat"),
        extra: node.rest(),
    })
}

/// Failures stand beside the units in XML and inside them in the model; so do the files of failures.
fn failures(node: &Element<'_, '_>, report: &mut Report) -> Result<(), WsxfError> {
    let mut files: Vec<(Option<i32>, BinaryData)> =
        node.children(&["Binary"]).iter().map(binary).collect::<Result<_, _>>()?;
    for failed in node.children(&["Failures"]) {
        let index = failed.int("Idx")?;
        // Kept until it is clear whether the writer would give the same numbers.
        failed.keep("Idx");
        let part = failed.int("PartIdx")?.unwrap_or(0);
        let mine: Vec<BinaryData> =
            files.extract_if(.., |(at, _)| at.is_some() && *at == index).map(|(_, file)| file).collect();
        let mut failure = Failure {
            category: failed.owned("Category"),
            code: failed.owned("Code"),
            com_ref: failed.owned("CompRef"),
            func_block: failed.owned("FunctionBlock"),
            ref_step_id: failed.int("StepID")?,
            ref_step_name: failed.owned("StepName"),
            art_number: failed.owned("ArticleNumber"),
            art_rev: failed.owned("ArticleRevision"),
            art_vendor: failed.owned("ArticleVendor"),
            art_description: failed.owned("ArticleDescription"),
            attachments: Some(mine).filter(|files| !files.is_empty()),
            ..Failure::default()
        };
        failure.comment = text_child(&failed, "Comment", &mut failure.extra);
        failure.extra.extend(failed.rest());
        let unit = report.sub_units.iter_mut().find(|unit| unit.idx == Some(part));
        let unit =
            unit.ok_or_else(|| failed.wrong("PartIdx", format!("there is no unit with index {part}")))?;
        unit.failures.get_or_insert_default().push(failure);
    }
    let all = report.sub_units.iter_mut().flat_map(|unit| unit.failures.iter_mut().flatten());
    let all: Vec<&mut Failure> = all.collect();
    let running = |(at, failure): (usize, &&mut Failure)| {
        let idx = failure.extra.get("@Idx").and_then(|idx| idx.as_str());
        idx.is_none_or(|idx| idx.parse() == Ok(at))
    };
    if all.iter().enumerate().all(running) {
        all.into_iter().for_each(|failure| drop(failure.extra.remove("@Idx")));
    }
    report.binary_data = files
        .into_iter()
        .map(|(index, mut file)| {
            if let Some(index) = index {
                let rest = file.extra.entry("<Binary").or_insert_with(|| Extra::new().into());
                if let Some(rest) = rest.as_object_mut() {
                    rest.insert("@FailIdx".to_owned(), index.to_string().into());
                }
            }
            file
        })
        .collect();
    Ok(())
}

/// A file, with the index of the failure that it belongs to.
fn binary(node: &Element<'_, '_>) -> Result<(Option<i32>, BinaryData), WsxfError> {
    let index = node.int("FailIdx")?;
    let data = node.child("Data");
    let data = data.as_ref().unwrap_or(node);
    let mut file = BinaryData {
        id: data.uuid("BinaryDataGUID")?,
        name: data.owned("FileName"),
        content_type: data.owned("ContentType"),
        data: data.text(),
        extra: Extra::new(),
    };
    file.extra = data.rest();
    if !std::ptr::eq(data, node) {
        keep(&mut file.extra, "Binary", node.rest());
    }
    Ok((index, file))
}

pub(super) fn additional_data(node: &Element<'_, '_>) -> AdditionalData {
    AdditionalData {
        name: node.owned("Name"),
        props: node.others().iter().map(property).collect(),
        extra: node.rest(),
    }
}

/// A property from any element: `Prop` has its name in an attribute, another is a property of its own name.
fn property(node: &Element<'_, '_>) -> Property {
    let mut extra = Extra::new();
    let mut name = node.owned("Name");
    if node.name() != "Prop" {
        extra.insert("<".to_owned(), node.name().into());
        if name.is_none() {
            name = Some(node.name().into());
        } else if name.as_deref() == Some(node.name()) {
            node.keep("Name");
        }
    }
    let array = node.child("Array").map(|array| self::array(&array));
    let value = match node.child("Value") {
        Some(value) => {
            let text = value.text();
            keep(&mut extra, "Value", value.rest());
            text
        }
        None => {
            let text = node.text().filter(|text| !text.trim().is_empty());
            if text.is_some() {
                extra.insert("<Value".to_owned(), false.into());
            }
            text
        }
    };
    let flags = node.attribute("Flags").and_then(|flags| flags.parse().ok());
    if flags.is_none() {
        node.keep("Flags");
    }
    let inner: Vec<Property> = node.others().iter().map(property).collect();
    let mut property = Property {
        name,
        property_type: node.owned("Type"),
        flags,
        value,
        num_format: node.owned("NumFormat"),
        comment: node.owned("Comment"),
        props: Some(inner).filter(|inner| !inner.is_empty()),
        array,
        extra,
    };
    property.extra.extend(node.rest());
    property
}

/// The elements of an array, in a form of our own: no export with one is known.
fn array(node: &Element<'_, '_>) -> PropertyArray {
    let number = |text: &str| text.parse::<i32>().ok();
    let item = |item: &Element<'_, '_>| {
        let indexes = item.attribute("Indexes").unwrap_or_default();
        IndexedProperty {
            text: item.owned("Text"),
            indexes: indexes.split_whitespace().filter_map(number).collect(),
            value: item.child("Prop").map(|value| Box::new(property(&value))),
            extra: item.rest(),
        }
    };
    PropertyArray {
        dimension: node.attribute("Dimension").and_then(number),
        element_type: node.owned("Type"),
        indexes: node.children(&["Item"]).iter().map(item).collect(),
        extra: node.rest(),
    }
}
