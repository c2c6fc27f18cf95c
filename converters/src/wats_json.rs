//! WATS Standard JSON: the server's own format, from files.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use uuid::Uuid;
use wats::report::{Report, ReportType, Status, Step, Time};
use wats::wsjf::{self, WsjfError};

use crate::kit::{header, stated, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

/// Passes a document through, with its alternative spellings and gaps mended.
pub(crate) struct WatsJson;

const ABOUT: About = About {
    name: "wats-json",
    title: "WATS Standard JSON (WSJF)",
    vendor: "WATS",
    description: "One report as a JSON object, or a list of them, as WATS clients and TestStand plug-ins write it.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.json", "*.wsjf"],
    arguments: &[Argument {
        name: "defaultProcessCode",
        description: "Process code of reports that name none",
        default: "10",
        kind: ArgumentKind::ProcessCode,
    }],
    manual: Manual {
        setup: "Let the station's program write its reports as WSJF files into the watched folder.",
        mapping: &[("every member", "the member of the same name")],
        limits: &[
            "Where statuses contradict each other the worse one counts: what the file states is in the report text then, and there is a warning.",
            "Loops that a server would refuse, as its own exports have them, are numbered anew or become plain steps.",
        ],
    },
};

impl Converter for WatsJson {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let Ok(decoded) = text::decode(&input.bytes) else { return Qualification::none("no text") };
        if !decoded.trim_start().starts_with(['{', '[']) {
            return Qualification::none("no JSON");
        }
        let read = wsjf::parse(decoded.as_bytes())
            .or_else(|error| wsjf::parse(words_quoted(&decoded).as_bytes()).map_err(|_| error));
        let document = match read {
            Ok(document) => document,
            Err(error) => {
                return Qualification::none(format!(
                    "begins like JSON, and cannot be read as a whole: {error}"
                ));
            }
        };
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
        let plain = match decoded.trim_start().starts_with('[') {
            true => wsjf::read_plain_list(decoded.as_bytes()),
            false => wsjf::read_plain(decoded.as_bytes()).map(|report| vec![report]),
        };
        let plain: Option<Vec<Report>> = plain.and_then(|reports| reports.into_iter().map(mended).collect());
        if let Some(reports) = plain.filter(|reports| !reports.is_empty()) {
            let reports = reports.into_iter().map(|report| completed(report, input, &mut warnings));
            return Ok(Conversion { reports: reports.collect::<Result<_, _>>()?, warnings });
        }
        // Python writes NaN and Infinity as bare words, which JSON does not know.
        let parsed = wsjf::parse(decoded.as_bytes());
        let parsed =
            parsed.or_else(|first| wsjf::parse(words_quoted(&decoded).as_bytes()).map_err(|_| first));
        let document = parsed.map_err(|error| explain(error, &decoded))?;
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

fn explain(error: WsjfError, text: &str) -> ConvertError {
    match error {
        WsjfError::Syntax { line, column, reason } if reason.starts_with("EOF") => {
            ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of the report")
                .at_line(line, Some(column))
                .help("Perhaps it was still being written; drop the whole file again.")
        }
        WsjfError::Syntax { line, column, reason } => {
            let found = text::excerpt(text, line, column);
            ConvertError::new(ErrorKind::Malformed, format!("the JSON is damaged: {reason}, at \"{found}\""))
                .at_line(line, Some(column))
                .expected("a JSON document")
        }
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
    tidy(&mut document);
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
    if let Some(mut root) = take(members, "root") {
        steps_members(&mut root, warnings);
        members.insert("root".to_owned(), root);
    }
    if let Some(mut assets) = take(members, "assets") {
        for asset in assets.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            rename(asset, "sn", "assetSN");
        }
        members.insert("assets".to_owned(), assets);
    }
    header_members(members, arguments, warnings)?;
    let report = wsjf::from_value(document).map_err(|error| explain(error, ""))?;
    completed(report, input, warnings)
}

/// Mends a report that was read without a detour; `None` for one of which only the document itself tells what to mend.
///
/// It does to the report what [`one_report`] does to the document: all that is mended shows in a member that is
/// missing or that the model does not know.
fn mended(mut report: Report) -> Option<Report> {
    let other_names = ["partNumber", "serialNumber", "partRevision", "uutParts"];
    let plain = !report.sn.is_empty()
        && !report.pn.is_empty()
        && report.process_code.is_some()
        && !report.extra.keys().any(|name| other_names.iter().any(|other| name.eq_ignore_ascii_case(other)));
    for asset in report.assets.iter_mut().filter(|asset| !asset.extra.is_empty()) {
        match asset.extra.shift_remove("sn") {
            Some(Value::String(number)) if asset.asset_sn.is_none() => asset.asset_sn = Some(number.into()),
            Some(_) => return None,
            None => {}
        }
    }
    (plain && report.root.as_mut().is_none_or(mended_step)).then_some(report)
}

/// Mends a step and all below it, which the reader has bounded in depth; false when that takes the document itself.
fn mended_step(step: &mut Step) -> bool {
    if step.step_type.is_empty() || step.name.is_empty() {
        return false;
    }
    let kind = tree::step_type(&step.step_type);
    if kind != step.step_type {
        step.step_type = kind.into();
    }
    if step.seq_call.is_none() && step.step_type == "SequenceCall" {
        step.seq_call = Step::sequence(step.name.as_str()).seq_call;
    }
    for flag in step.boolean_meas.iter_mut().filter(|flag| !flag.extra.is_empty()) {
        flag.extra.shift_remove("value");
    }
    // Loops of Python clients count what stands beside them.
    step.loop_.as_ref().is_none_or(|turn| turn.extra.is_empty())
        && step.steps.iter_mut().flatten().all(mended_step)
}

/// Fills in what the station knows, and brings into order what contradicts itself.
fn completed(mut report: Report, input: &Input, warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
    // Years before 1970 are how some writers say "not set".
    let is_set = |time: &Time| time.instant().is_some_and(|at| at.as_second() >= 0);
    report.start_utc = report.start_utc.and_then(|start| time::stated(start, &TimeZone::UTC)).filter(is_set);
    if let Some(start) = report.start.take() {
        report.start = time::stated(start.clone(), &input.station.time_zone).filter(is_set);
        if report.start.is_none() {
            warnings.push(format!("the start \"{start}\" is no time like 2026-01-30T22:01:41+01:00"));
        }
    }
    report.start = report.start.or_else(|| report.start_utc.clone());
    if let Some(root) = &mut report.root {
        step_starts(root, input);
    }
    if report.report_type == ReportType::Test {
        let result = report.result;
        let root = report.root.get_or_insert_with(|| Step::sequence("MainSequence Callback"));
        if root.seq_call.is_none() {
            root.seq_call = Step::sequence(root.name.as_str()).seq_call;
        }
        if root.children().is_empty() && root.status == Status::Passed {
            root.status = result;
        }
    }
    stated::settle(&mut report, warnings);
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}

fn header_members(
    members: &mut Map<String, Value>,
    arguments: &Arguments,
    warnings: &mut Vec<String>,
) -> Result<(), ConvertError> {
    if let Some(id) = take(members, "id") {
        if id.as_str().is_none_or(|id| id.trim().parse::<Uuid>().is_ok()) {
            members.insert("id".to_owned(), id);
        } else {
            warnings.push(format!("id {id} is no report id; left out"));
        }
    }
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
    // A result that is not stated must not turn a failed unit into a passed one.
    let of_root = members.get("root").and_then(|root| root.get("status")).cloned();
    let of_root = of_root.filter(|status| ["F", "E", "T"].iter().any(|bad| status == bad));
    let stated =
        take(members, "result").filter(|result| result.as_str().is_none_or(|it| !it.trim().is_empty()));
    let result = stated.or(of_root).unwrap_or_else(|| "P".into());
    members.insert("result".to_owned(), status(result));
    let code = match take(members, "processCode") {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            return Err(ConvertError::new(ErrorKind::Malformed, format!("\"{text}\" is no process code"))
                .at_path("processCode")
                .expected("a whole number"));
        }
        Some(Value::String(_)) | None => {
            // A repair has a code of another kind.
            let code = arguments.process_code("defaultProcessCode").filter(|_| letter == "T");
            code.map_or(Value::Null, Value::from)
        }
        Some(code) => code,
    };
    members.insert("processCode".to_owned(), code);
    Ok(())
}

fn rename(members: &mut Map<String, Value>, from: &str, to: &str) {
    if !has(members, to)
        && let Some(value) = take(members, from)
    {
        members.insert(to.to_owned(), value);
    }
}

/// Members that are whole numbers; some clients write them as texts or with a decimal point.
const WHOLE: &[&str] = &[
    "batchfailcount",
    "batchloopindex",
    "button",
    "endingindex",
    "errorcode",
    "failed",
    "idx",
    "interactiveexenum",
    "num",
    "numeric",
    "parentidx",
    "passed",
    "position",
    "processcode",
    "refstepid",
    "replacedidx",
    "testsocketindex",
    "usagecount",
];

/// Members that are texts; some clients write serial numbers and such as numbers.
const TEXTS: &[&str] = &[
    "batchsn",
    "limit",
    "partnumber",
    "partrevision",
    "pn",
    "rev",
    "serialnumber",
    "sn",
    "text",
    "user",
    "version",
];

/// Members that are null are as good as absent, whole numbers become numbers and texts texts. The parser has bounded
/// the depth.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            for (name, member) in members {
                let name = name.to_ascii_lowercase();
                if WHOLE.contains(&name.as_str())
                    && let Some(whole) = whole(member)
                {
                    *member = whole.into();
                }
                if TEXTS.contains(&name.as_str()) && (member.is_number() || member.is_boolean()) {
                    *member = member.to_string().into();
                }
                tidy(member);
            }
        }
        _ => {}
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
        Value::Number(number) => {
            number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64)
        }
        _ => None,
    }
}

/// The text with its bare words `NaN`, `Infinity` and `-Infinity` in quotes.
fn words_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let word = ["NaN", "-Infinity", "Infinity"].into_iter().find(|word| rest.starts_with(word));
        let length = match (next, word) {
            ('"', _) => string_length(rest),
            (_, Some(word)) => {
                quoted.push('"');
                quoted.push_str(word);
                quoted.push('"');
                rest = rest.strip_prefix(word).unwrap_or_default();
                continue;
            }
            _ => next.len_utf8(),
        };
        let (taken, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        quoted.push_str(taken);
        rest = after;
    }
    quoted
}

/// The length of the JSON string at the beginning, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// Times of steps without an offset are local, like that of the report.
fn step_starts(step: &mut Step, input: &Input) {
    if let Some(start) = step.start.take() {
        step.start = time::stated(start, &input.station.time_zone);
    }
    step.steps.iter_mut().flatten().for_each(|child| step_starts(child, input));
}

/// Words for statuses become letters; anything else is left for the reader to refuse by name.
fn status(value: Value) -> Value {
    match value.as_str().and_then(Status::from_word) {
        Some(known) => known.letter().into(),
        None => value,
    }
}

/// Mends every step below. The parser has bounded the depth.
fn steps_members(step: &mut Value, warnings: &mut Vec<String>) {
    let Some(members) = step.as_object_mut() else { return };
    let named = |name: &str| member(members, name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let name = named("name").or_else(|| named("stepType")).unwrap_or("Sequence").to_owned();
    take(members, "name");
    members.insert("name".to_owned(), name.as_str().into());
    if let Some(id) = take(members, "id").as_ref().and_then(whole) {
        members.insert("id".to_owned(), id.into());
    }
    // A word for the group begins with its letter.
    if let Some(group) = take(members, "group").filter(|group| group != "") {
        let letter = group.as_str().and_then(|word| word.trim().get(..1)).map(str::to_uppercase);
        members.insert("group".to_owned(), letter.map_or(group, Value::from));
    }
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
    let stated = take(members, "status").map(status);
    let mut below: Vec<Value> = Vec::new();
    for list in ["numericMeas", "stringMeas", "booleanMeas"] {
        let Some(mut measurements) = take(members, list) else { continue };
        for measurement in measurements.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut)
        {
            // Some clients write the verdict of a pass/fail measurement twice; the status counts.
            let value = if list == "booleanMeas" { take(measurement, "value") } else { None };
            let own = take(measurement, "status").map(status);
            let verdict = own.or_else(|| value.and_then(|value| value.as_bool()).map(letter));
            let verdict = verdict.or_else(|| stated.clone()).unwrap_or_else(|| letter(true));
            below.push(verdict.clone());
            measurement.insert("status".to_owned(), verdict);
            if list == "numericMeas" && !has(measurement, "value") {
                warnings.push(format!("step {name}: a measurement has no value; NaN is sent"));
                measurement.insert("value".to_owned(), "NaN".into());
            }
        }
        members.insert(list.to_owned(), measurements);
    }
    if let Some(mut children) = take(members, "steps") {
        if let Some(children) = children.as_array_mut() {
            children.iter_mut().for_each(|child| steps_members(child, warnings));
            python_loops(children);
            below.extend(children.iter().filter_map(|child| child.get("status").cloned()));
        }
        members.insert("steps".to_owned(), children);
    }
    // A step that states no status takes that of what is below it.
    let status = stated.unwrap_or_else(|| {
        let any = |letter: &str| below.iter().any(|status| status == letter);
        match (any("E"), any("F"), below.is_empty() && !is_sequence) {
            (true, ..) => "E",
            (_, true, _) => "F",
            (_, _, true) => "D",
            _ => "P",
        }
        .into()
    });
    members.insert("status".to_owned(), status);
}

fn letter(passed: bool) -> Value {
    if passed { "P" } else { "F" }.into()
}

/// Loops as Python clients write them, `{i}` in an iteration and `{n}` in the summary, get the server's members.
fn python_loops(steps: &mut [Value]) {
    let iterations: Vec<(Value, Value)> = steps
        .iter()
        .filter(|step| step.pointer("/loop/i").is_some())
        .map(|step| (step["name"].clone(), step["status"].clone()))
        .collect();
    for step in steps.iter_mut().filter_map(Value::as_object_mut) {
        let name = step.get("name").cloned().unwrap_or_default();
        let Some(turn) = step.get_mut("loop").and_then(Value::as_object_mut) else { continue };
        rename(turn, "i", "idx");
        if let Some(written) = take(turn, "n") {
            let of_this = iterations.iter().filter(|(other, _)| *other == name);
            let (passed, failed): (Vec<_>, Vec<_>) = of_this.partition(|(_, status)| *status == "P");
            let count = passed.len() + failed.len();
            let number = if count == 0 { written } else { count.into() };
            let ending = number.as_i64().map(|number| number - 1);
            for (member, value) in [
                ("num", number),
                ("endingIndex", ending.into()),
                ("passed", passed.len().into()),
                ("failed", failed.len().into()),
            ] {
                if !has(turn, member) {
                    turn.insert(member.to_owned(), value);
                }
            }
        }
    }
}
