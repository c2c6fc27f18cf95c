//! WSJF, the JSON form of a report.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::report::{self, Report, Step};

/// Steps may nest this deep. Real reports stay below ten; the cap keeps hostile ones off the stack.
pub const MAX_DEPTH: usize = 50;

/// Why a document is no report.
#[derive(Debug, thiserror::Error)]
pub enum WsjfError {
    #[error("the document is not text in UTF-8 (byte {at} is not)")]
    Encoding { at: usize },
    #[error("the document is no JSON: {reason} (line {line}, column {column})")]
    Syntax { line: usize, column: usize, reason: String },
    #[error("a report must be one JSON object, and this is {found}")]
    NotAnObject { found: &'static str },
    #[error("{path}: {reason}")]
    Content { path: String, reason: String },
    #[error("steps are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    #[error("the report cannot be written as JSON")]
    Write(#[source] serde_json::Error),
}

/// Reads one report. A byte-order mark is accepted; names match without regard to case.
///
/// # Errors
/// What is wrong and where: line and column for syntax, the path of the member for its content.
pub fn read(document: &[u8]) -> Result<Report, WsjfError> {
    match read_plain(document) {
        Some(report) => Ok(report),
        None => from_value(parse(document)?),
    }
}

/// Reads one report as most programs write it: every name of the format is in its spelling.
///
/// `None` for any other document, right or wrong: [`read`] takes the longer way, and says what is wrong. Where there
/// is an answer it is that of [`read`], in a part of its time.
pub fn read_plain(document: &[u8]) -> Option<Report> {
    plain(document)
}

/// The same of a list of reports, as plug-ins hand them over.
pub fn read_plain_list(document: &[u8]) -> Option<Vec<Report>> {
    plain(document)
}

fn plain<T: DeserializeOwned>(document: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(document).ok()?;
    report::forget_misspelt();
    let read = report::at_most(MAX_PLAIN_DEPTH, || serde_json::from_str(text)).ok()?;
    (!report::saw_misspelt()).then_some(read)
}

/// Levels of steps or properties that the quick reader takes.
const MAX_PLAIN_DEPTH: usize = 15;

/// Whether a member that the model does not know might be read otherwise in the longer way: its name is one of the
/// format's in another spelling, or other names may stand below it.
pub(crate) fn is_misspelt(name: &str, value: &Value) -> bool {
    canonical(name)
        .is_some_and(|known| known != name || value.is_null() || value.is_object() || value.is_array())
}

/// Parses the bytes as JSON, with errors that say where.
///
/// # Errors
/// As [`read`], before any look at the content.
pub fn parse(document: &[u8]) -> Result<Value, WsjfError> {
    let document = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
    let text = std::str::from_utf8(document).map_err(|e| WsjfError::Encoding { at: e.valid_up_to() })?;
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let shown = error.to_string();
        let reason = shown.split(" at line ").next().unwrap_or(&shown).to_owned();
        WsjfError::Syntax { line, column, reason }
    })
}

/// Reads one report from a parsed document.
///
/// # Errors
/// As [`read`], without syntax.
pub fn from_value(mut document: Value) -> Result<Report, WsjfError> {
    if !document.is_object() {
        let found = match document {
            Value::Array(_) => "a list",
            Value::String(_) => "a text",
            Value::Number(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Null | Value::Object(_) => "null",
        };
        return Err(WsjfError::NotAnObject { found });
    }
    canonical_names(&mut document);
    let report: Report = serde_path_to_error::deserialize(document).map_err(|error| {
        let path = match error.path().to_string() {
            root if root == "." => "the report".to_owned(),
            path => path,
        };
        WsjfError::Content { path, reason: error.inner().to_string() }
    })?;
    match &report.root {
        Some(root) if depth(root) > MAX_DEPTH => Err(WsjfError::TooDeep),
        _ => Ok(report),
    }
}

/// Writes a report as the server takes it.
///
/// # Errors
/// When the JSON writer fails, which no report that was read can cause.
pub fn write(report: &Report) -> Result<Vec<u8>, WsjfError> {
    serde_json::to_vec(report).map_err(WsjfError::Write)
}

/// Writes one report as JSON, in very many small pieces.
///
/// # Errors
/// When it cannot be written there.
pub fn write_to(report: &Report, to: impl std::io::Write) -> Result<(), WsjfError> {
    serde_json::to_writer(to, report).map_err(WsjfError::Write)
}

fn depth(root: &Step) -> usize {
    let mut deepest = 0;
    let mut stack = vec![(root, 1)];
    while let Some((step, level)) = stack.pop() {
        deepest = deepest.max(level);
        stack.extend(step.children().iter().map(|child| (child, level + 1)));
    }
    deepest
}

/// Every member name of the format. The server matches names without regard to case, so a name in
/// another case is brought to this spelling; one that is not here is kept as it came.
const NAMES: &[&str] = &[
    "type",
    "id",
    "pn",
    "sn",
    "rev",
    "productName",
    "processCode",
    "processCodeFormat",
    "processName",
    "result",
    "machineName",
    "location",
    "purpose",
    "origin",
    "start",
    "startUTC",
    "root",
    "uut",
    "uur",
    "miscInfos",
    "subUnits",
    "assets",
    "assetStats",
    "binaryData",
    "additionalData",
    "user",
    "execTime",
    "execTimeFormat",
    "testSocketIndex",
    "testSocketIndexFormat",
    "batchSN",
    "comment",
    "errorCode",
    "errorCodeFormat",
    "errorMessage",
    "fixtureId",
    "batchFailCount",
    "batchFailCountFormat",
    "batchLoopIndex",
    "batchLoopIndexFormat",
    "stepIdCausedUUTFailure",
    "refUURs",
    "refUUT",
    "confirmDate",
    "finalizeDate",
    "parent",
    "children",
    "group",
    "stepType",
    "name",
    "status",
    "totTime",
    "totTimeFormat",
    "reportText",
    "tsGuid",
    "causedSeqFailure",
    "causedUUTFailure",
    "interactiveExeNum",
    "interactiveExeNumFormat",
    "loop",
    "seqCall",
    "steps",
    "numericMeas",
    "stringMeas",
    "booleanMeas",
    "callExe",
    "messagePopup",
    "chart",
    "attachment",
    "additionalResults",
    "idx",
    "num",
    "endingIndex",
    "passed",
    "failed",
    "path",
    "version",
    "compOp",
    "unit",
    "value",
    "valueFormat",
    "highLimit",
    "highLimitFormat",
    "lowLimit",
    "lowLimitFormat",
    "limit",
    "exitCode",
    "exitCodeFormat",
    "response",
    "button",
    "buttonFormat",
    "chartType",
    "label",
    "xLabel",
    "xUnit",
    "yLabel",
    "yUnit",
    "series",
    "dataType",
    "xdata",
    "ydata",
    "contentType",
    "data",
    "description",
    "text",
    "numeric",
    "numericFormat",
    "typedef",
    "partType",
    "parentIdx",
    "position",
    "replacedIdx",
    "failures",
    "category",
    "code",
    "comRef",
    "funcBlock",
    "refStepId",
    "refStepName",
    "artNumber",
    "artRev",
    "artVendor",
    "artDescription",
    "attachments",
    "assetSN",
    "usageCount",
    "usageCountFormat",
    "props",
    "flags",
    "numFormat",
    "array",
    "dimension",
    "indexes",
];

/// Gives the format's members the names that the model knows, and takes out those that are null, which is the
/// same as absent for lists and texts too. What is below an unknown member is nobody's business and stays.
///
/// Recursion is bounded by the JSON parser, which refuses documents nested more than 128 deep.
fn canonical_names(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(canonical_names),
        Value::Object(members) => {
            for (key, mut member) in std::mem::take(members) {
                let name = canonical(&key);
                if name.is_some() {
                    if member.is_null() {
                        continue;
                    }
                    canonical_names(&mut member);
                }
                members.insert(name.map_or(key, ToOwned::to_owned), member);
            }
        }
        _ => {}
    }
}

fn canonical(key: &str) -> Option<&'static str> {
    static LOWER: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    let known = LOWER.get_or_init(|| NAMES.iter().map(|name| (name.to_ascii_lowercase(), *name)).collect());
    known.get(&key.to_ascii_lowercase()).copied()
}
