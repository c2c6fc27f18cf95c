//! WATS Standard JSON: the server's own format, from files.

use serde_json::{Map, Value};
use wats::report::{Report, Status, Step};
use wats::wsjf::{self, WsjfError};

use crate::kit::{header, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input,
    Qualification,
};

/// Passes a document through, with its alternative spellings and gaps mended.
pub(crate) struct WatsJson;

const ABOUT: About = About {
    name: "wats-json",
    title: "WATS Standard JSON (WSJF)",
    description: "One report as a JSON object, or a list of them, as WATS clients and TestStand plug-ins write it.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.json", "*.wsjf"],
    arguments: &[Argument {
        name: "defaultProcessCode",
        description: "Process code of reports that name none",
        default: "10",
        kind: ArgumentKind::ProcessCode,
    }],
};

impl Converter for WatsJson {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let Ok(document) = wsjf::parse(&input.bytes) else { return Qualification::none("no JSON") };
        let first = match &document {
            Value::Array(list) => list.first(),
            other => Some(other),
        };
        let Some(Value::Object(members)) = first else { return Qualification::none("no JSON object") };
        let kind = member(members, "type").and_then(Value::as_str).and_then(report_type);
        if kind.is_some() && (has(members, "root") || has(members, "uur")) {
            Qualification::new(0.98, "a JSON object with the members of a WATS report")
        } else if ["sn", "serialNumber", "pn", "partNumber"].iter().any(|name| has(members, name)) {
            Qualification::new(0.7, "a JSON object with a serial or part number")
        } else {
            // Any JSON file would qualify; the reader would then find no unit in it.
            Qualification::new(0.3, "a JSON object without a serial number")
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = text::decode(&input.bytes)?;
        let document = wsjf::parse(decoded.as_bytes()).map_err(explain)?;
        let documents = match document {
            Value::Array(list) if !list.is_empty() => list,
            Value::Array(_) => {
                return Err(ConvertError::new(ErrorKind::Malformed, "the list of reports is empty"));
            }
            one => vec![one],
        };
        let reports =
            documents.into_iter().map(|document| one_report(document, input, arguments, &mut warnings));
        let reports = reports.collect::<Result<Vec<Report>, ConvertError>>()?;
        Ok(Conversion { reports, warnings })
    }
}

fn explain(error: WsjfError) -> ConvertError {
    match error {
        WsjfError::Syntax { line, column, reason } if reason.starts_with("EOF") => {
            ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of the report")
                .at_line(line, Some(column))
                .help("Perhaps it was still being written; drop the whole file again.")
        }
        WsjfError::Syntax { line, column, reason } => ConvertError::new(ErrorKind::Malformed, reason)
            .at_line(line, Some(column))
            .expected("a JSON document"),
        WsjfError::Content { path, reason } => ConvertError::new(ErrorKind::Malformed, reason).at_path(path),
        WsjfError::TooDeep => ConvertError::new(ErrorKind::TooLarge, error.to_string()),
        other => ConvertError::new(ErrorKind::Malformed, other.to_string()),
    }
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members
        .get(name)
        .or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v))
}

fn has(members: &Map<String, Value>, name: &str) -> bool {
    member(members, name).is_some()
}

/// Takes the member out, whatever the case of its name.
fn take(members: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let key = members.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
    members.remove(&key)
}

fn report_type(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "t" | "u" | "uut" | "test" | "" => Some("T"),
        "r" | "uur" | "repair" => Some("R"),
        _ => None,
    }
}

fn one_report(
    mut document: Value,
    input: &Input,
    arguments: &Arguments,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let Some(members) = document.as_object_mut() else {
        return Err(ConvertError::new(ErrorKind::WrongFormat, "the document is no JSON object")
            .expected("a report as one JSON object")
            .help("Check that the right converter is set for this folder."));
    };
    if !["sn", "serialNumber", "pn", "partNumber", "root", "uur"].iter().any(|name| has(members, name)) {
        return Err(ConvertError::new(
            ErrorKind::WrongFormat,
            "the JSON object has none of a report's members",
        )
        .expected("at least a serial number, a part number and a step tree")
        .help("Check that the right converter is set for this folder."));
    }
    header_members(members, arguments)?;
    if let Some(root) = members.get_mut("root") {
        steps_members(root);
    }
    let mut report = wsjf::from_value(document).map_err(explain)?;
    if let Some(start) = report.start.take() {
        report.start = time::parse(start.as_str(), &input.station.time_zone);
    }
    header::complete(&mut report, input, warnings)?;
    if report.report_type == wats::report::ReportType::Test {
        let result = report.result;
        let root = report.root.get_or_insert_with(|| Step::sequence("MainSequence Callback"));
        if root.seq_call.is_none() {
            root.seq_call = Step::sequence(root.name.as_str()).seq_call;
        }
        if root.children().is_empty() && root.status == Status::Passed && root.steps.is_none() {
            root.status = result;
        }
    }
    Ok(report)
}

fn header_members(members: &mut Map<String, Value>, arguments: &Arguments) -> Result<(), ConvertError> {
    for (other, name) in [("partNumber", "pn"), ("serialNumber", "sn"), ("partRevision", "rev")] {
        if let Some(value) = take(members, other) {
            take(members, name);
            members.insert(name.to_owned(), value);
        }
    }
    if let Some(parts) = take(members, "uutParts") {
        members.insert("subUnits".to_owned(), parts);
    }
    let kind = take(members, "type").unwrap_or_else(|| "T".into());
    let letter = kind.as_str().and_then(report_type).ok_or_else(|| {
        ConvertError::new(ErrorKind::Malformed, format!("{kind} is no type of report"))
            .at_path("type")
            .expected("T for a test or R for a repair")
    })?;
    members.insert("type".to_owned(), letter.into());
    let result = take(members, "result").unwrap_or_else(|| "P".into());
    members.insert("result".to_owned(), status(result));
    let code = match take(members, "processCode") {
        Some(Value::String(text)) => text.trim().parse::<i32>().map(Value::from).map_err(|_| {
            ConvertError::new(ErrorKind::Malformed, format!("\"{text}\" is no process code"))
                .at_path("processCode")
                .expected("a whole number")
        })?,
        Some(Value::Null) | None => {
            arguments.process_code("defaultProcessCode").map_or(Value::Null, Value::from)
        }
        Some(code) => code,
    };
    members.insert("processCode".to_owned(), code);
    Ok(())
}

/// Words for statuses become letters; anything else is left for the reader to refuse by name.
fn status(value: Value) -> Value {
    match value.as_str().and_then(Status::from_word) {
        Some(known) => known.letter().into(),
        None => value,
    }
}

/// Mends every step below. The parser has bounded the depth.
fn steps_members(step: &mut Value) {
    let Some(members) = step.as_object_mut() else { return };
    let name = member(members, "name").and_then(Value::as_str).unwrap_or("Sequence").to_owned();
    if let Some(kind) = take(members, "stepType") {
        let kind = kind.as_str().map(|written| tree::step_type(written).into()).unwrap_or(kind);
        members.insert("stepType".to_owned(), kind);
    }
    let is_sequence = members.get("stepType").is_some_and(|kind| kind == "SequenceCall");
    if is_sequence && !has(members, "seqCall") {
        members.insert(
            "seqCall".to_owned(),
            serde_json::json!({ "path": name, "name": name, "version": "1.0.0" }),
        );
    }
    if let Some(given) = take(members, "status") {
        members.insert("status".to_owned(), status(given));
    }
    for list in ["numericMeas", "stringMeas", "booleanMeas"] {
        let Some(mut measurements) = take(members, list) else { continue };
        for measurement in measurements.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
        {
            if let Some(given) = take(measurement, "status") {
                measurement.insert("status".to_owned(), status(given));
            }
            // Some clients write the verdict of a pass/fail measurement twice; the status counts.
            if list == "booleanMeas" {
                take(measurement, "value");
            }
        }
        members.insert(list.to_owned(), measurements);
    }
    if let Some(mut children) = take(members, "steps") {
        children.as_array_mut().into_iter().flatten().for_each(steps_members);
        members.insert("steps".to_owned(), children);
    }
}
