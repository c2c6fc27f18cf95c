//! The plug-in protocol, version 1, on our side: the lines that are sent, and those that may come back.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::control::api::{After, LogLevel, Station};

/// A text of an answer is cut after so many characters.
const LONGEST_TEXT: usize = 4000;

/// The station as a plug-in sees it.
#[must_use]
pub(super) fn station(station: &Station) -> Value {
    json!({
        "name": station.name, "location": station.location, "purpose": station.purpose,
        "time_zone": station.time_zone, "operator": "",
    })
}

/// One line that a program answered.
#[derive(Debug)]
pub enum Line<'a> {
    /// One report, WATS JSON as it was written.
    Report(&'a RawValue),
    Log {
        level: LogLevel,
        text: String,
    },
    /// The line that ends an answer.
    End(End),
}

/// A line that ends an answer.
#[derive(Debug)]
pub enum End {
    /// To `describe`; taken apart by [`super::description::Description`].
    Described(Map<String, Value>),
    Recognised(Recognised),
    /// To `convert`, or to `settled`.
    Last(Last),
    /// The program does not know the request.
    Error {
        text: String,
    },
}

/// The answer to `recognise`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    pub confidence: f64,
    pub reason: String,
    /// False while the file is not complete.
    pub ready: bool,
    pub missing: Vec<String>,
    pub retry_after: Option<f64>,
}

/// How a conversion ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Last {
    Done { after: Option<After> },
    Failed { error: String, line: Option<u64> },
    NotYet { reason: String, retry_after: Option<f64> },
    Skipped { reason: String },
    Rejected { reason: String },
}

/// What a program answered that is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error(
        "it answered a line that is no JSON object: {shown:?} ({reason}); print to standard error what is not for the agent"
    )]
    NoJson { shown: String, reason: String },
    #[error("its answer lacks \"answer\", which says what it is: {shown:?}")]
    NoKind { shown: String },
    #[error(
        "it answered {answer:?}, which the plug-in protocol does not have; known: described, recognised, report, warning, log, done, failed, not-yet, skipped, rejected, error"
    )]
    UnknownKind { answer: String },
    #[error("its answer {answer:?} {what}")]
    Member { answer: &'static str, what: String },
}

/// Only what decides how a line is read; the report stays as it was written.
#[derive(Deserialize)]
struct Head<'a> {
    answer: Option<Value>,
    #[serde(borrow)]
    report: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Request<'a> {
    request: &'a str,
    protocol: u32,
    #[serde(flatten)]
    members: &'a Map<String, Value>,
}

/// A request, as one line.
pub(super) fn request(name: &str, members: &Map<String, Value>) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Request { request: name, protocol: 1, members })?;
    line.push(b'\n');
    Ok(line)
}

/// Takes a line apart.
///
/// # Errors
/// When it is no answer; the words are for the plug-in's author.
pub fn read(line: &[u8]) -> Result<Line<'_>, LineError> {
    let head: Head<'_> = serde_json::from_slice(line)
        .map_err(|error| LineError::NoJson { shown: beginning(line), reason: error.to_string() })?;
    let Some(answer) = head.answer else { return Err(LineError::NoKind { shown: beginning(line) }) };
    let Some(kind) = answer.as_str() else {
        return Err(LineError::UnknownKind { answer: cut(&answer.to_string(), 80) });
    };
    if kind == "report" {
        let wrong = |what: &str| LineError::Member { answer: "report", what: what.to_owned() };
        let report = head.report.ok_or_else(|| wrong("lacks \"report\", the report in WATS JSON"))?;
        if !report.get().trim_start().starts_with('{') {
            return Err(wrong("has a \"report\" that is no JSON object"));
        }
        return Ok(Line::Report(report));
    }
    let members: Map<String, Value> = serde_json::from_slice(line)
        .map_err(|error| LineError::NoJson { shown: beginning(line), reason: error.to_string() })?;
    let it = Members { of: &members };
    match kind {
        "described" => Ok(Line::End(End::Described(members))),
        "recognised" | "recognized" => recognised(&it).map(|it| Line::End(End::Recognised(it))),
        "warning" => Ok(Line::Log { level: LogLevel::Warning, text: it.text("warning", "text")? }),
        "log" => Ok(Line::Log { level: level(&it)?, text: it.text("log", "text")? }),
        "done" => Ok(Line::End(End::Last(Last::Done { after: after(&it)? }))),
        "failed" => {
            let line = members.get("line").and_then(Value::as_u64).filter(|line| *line > 0);
            Ok(Line::End(End::Last(Last::Failed { error: it.text("failed", "error")?, line })))
        }
        "not-yet" => {
            let reason = it.text("not-yet", "reason")?;
            Ok(Line::End(End::Last(Last::NotYet { reason, retry_after: it.seconds("not-yet")? })))
        }
        "skipped" => Ok(Line::End(End::Last(Last::Skipped { reason: it.text("skipped", "reason")? }))),
        "rejected" => {
            let reason = it.text("rejected", "reason")?;
            let reason = match members.get("confidence").and_then(Value::as_f64) {
                Some(confidence) => format!("{reason} (confidence {confidence})"),
                None => reason,
            };
            Ok(Line::End(End::Last(Last::Rejected { reason })))
        }
        "error" => Ok(Line::End(End::Error { text: it.text("error", "text")? })),
        other => Err(LineError::UnknownKind { answer: cut(other, 80) }),
    }
}

/// True when the program of a last answer wants to be started anew before the next file.
pub(super) fn wants_restart(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Restart {
        #[serde(default)]
        restart: bool,
    }
    // One that cannot be told is not kept either.
    serde_json::from_slice::<Restart>(line).map_or(true, |it| it.restart)
}

fn recognised(it: &Members<'_>) -> Result<Recognised, LineError> {
    let wrong = |what: &str| LineError::Member { answer: "recognised", what: what.to_owned() };
    let confidence = it.of.get("confidence").and_then(Value::as_f64);
    let confidence = confidence.filter(|it| (0.0..=1.0).contains(it));
    let ready = match it.of.get("ready") {
        None | Some(Value::Null) => true,
        Some(Value::Bool(ready)) => *ready,
        Some(_) => return Err(wrong("has a \"ready\" that is neither true nor false")),
    };
    let missing = it.of.get("missing").and_then(Value::as_array).into_iter().flatten();
    Ok(Recognised {
        confidence: confidence.ok_or_else(|| wrong("lacks \"confidence\", a number from 0 to 1"))?,
        reason: it
            .of
            .get("reason")
            .and_then(Value::as_str)
            .map(|it| cut(it, LONGEST_TEXT))
            .unwrap_or_default(),
        ready,
        missing: missing.filter_map(Value::as_str).take(100).map(|it| cut(it, 200)).collect(),
        retry_after: it.seconds("recognised")?,
    })
}

fn level(it: &Members<'_>) -> Result<LogLevel, LineError> {
    match it.of.get("level").map(|level| level.as_str().unwrap_or_default()) {
        Some("debug") => Ok(LogLevel::Debug),
        None | Some("info") => Ok(LogLevel::Info),
        Some("warning") => Ok(LogLevel::Warning),
        Some("error") => Ok(LogLevel::Error),
        Some(_) => {
            let what = "has a \"level\" that is none of debug, info, warning, error".to_owned();
            Err(LineError::Member { answer: "log", what })
        }
    }
}

fn after(it: &Members<'_>) -> Result<Option<After>, LineError> {
    match it.of.get("after").map(|after| after.as_str().unwrap_or_default()) {
        None => Ok(None),
        Some("move") => Ok(Some(After::Archive)),
        Some("zip") => Ok(Some(After::Zip)),
        Some("delete") => Ok(Some(After::Delete)),
        Some("keep") => Ok(Some(After::Keep)),
        Some(_) => {
            let what = "has an \"after\" that is none of move, zip, delete, keep".to_owned();
            Err(LineError::Member { answer: "done", what })
        }
    }
}

struct Members<'a> {
    of: &'a Map<String, Value>,
}

impl Members<'_> {
    fn text(&self, answer: &'static str, key: &str) -> Result<String, LineError> {
        match self.of.get(key) {
            Some(Value::String(text)) => Ok(cut(text, LONGEST_TEXT)),
            Some(_) => Err(LineError::Member { answer, what: format!("has a {key:?} that is no text") }),
            None => Err(LineError::Member { answer, what: format!("lacks {key:?}, a text for a person") }),
        }
    }

    fn seconds(&self, answer: &'static str) -> Result<Option<f64>, LineError> {
        match self.of.get("retry_after") {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64().filter(|it| *it >= 0.0) {
                Some(seconds) => Ok(Some(seconds)),
                None => {
                    let what = "has a \"retry_after\" that is no number of seconds".to_owned();
                    Err(LineError::Member { answer, what })
                }
            },
        }
    }
}

fn beginning(line: &[u8]) -> String {
    cut(&String::from_utf8_lossy(line.get(..200).unwrap_or(line)), 80)
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        match read(line.as_bytes()) {
            Ok(Line::Report(report)) => format!("report {report}"),
            Ok(Line::End(End::Described(members))) => format!("described with {} members", members.len()),
            Ok(Line::End(end)) => format!("{end:?}"),
            Ok(line) => format!("{line:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_line_of_the_protocols_page_is_understood() {
        for (line, expected) in [
            (r#"{"answer": "described", "protocol": 1}"#, "described with 2 members"),
            (
                r#"{"answer": "report", "report": {"pn": "1", "big": 1e999}}"#,
                r#"report {"pn": "1", "big": 1e999}"#,
            ),
            (r#"{"answer": "warning", "text": "line 7"}"#, r#"Log { level: Warning, text: "line 7" }"#),
            (r#"{"answer": "log", "level": "debug", "text": "x"}"#, r#"Log { level: Debug, text: "x" }"#),
            (r#"{"answer": "done"}"#, "Last(Done { after: None })"),
            (r#"{"answer": "done", "after": "move"}"#, "Last(Done { after: Some(Archive) })"),
            (
                r#"{"answer": "failed", "error": "e", "line": 7}"#,
                r#"Last(Failed { error: "e", line: Some(7) })"#,
            ),
            (
                r#"{"answer": "not-yet", "reason": "r", "retry_after": 60}"#,
                r#"Last(NotYet { reason: "r", retry_after: Some(60.0) })"#,
            ),
            (r#"{"answer": "skipped", "reason": "r"}"#, r#"Last(Skipped { reason: "r" })"#),
            (
                r#"{"answer": "rejected", "reason": "r", "confidence": 0.1}"#,
                r#"Last(Rejected { reason: "r (confidence 0.1)" })"#,
            ),
            (
                r#"{"answer": "recognised", "confidence": 0.9, "reason": "begins", "ready": false, "missing": ["b"]}"#,
                r#"Recognised(Recognised { confidence: 0.9, reason: "begins", ready: false, missing: ["b"], retry_after: None })"#,
            ),
            (r#"{"answer": "error", "text": "what?"}"#, r#"Error { text: "what?" }"#),
        ] {
            assert_eq!(shown(line), expected);
        }
    }

    #[test]
    fn each_mistake_of_an_answer_has_its_own_words() {
        for (line, expected) in [
            ("hello", "no JSON object: \"hello\""),
            ("[1]", "no JSON object"),
            ("", "no JSON object"),
            (r#"{"answer": "done"} {"#, "no JSON object"),
            ("{}", "lacks \"answer\""),
            (r#"{"answer": 7}"#, "answered \"7\""),
            (r#"{"answer": "finished"}"#, "answered \"finished\", which the plug-in protocol does not have"),
            (r#"{"answer": "report"}"#, "lacks \"report\""),
            (r#"{"answer": "report", "report": [1]}"#, "no JSON object"),
            (r#"{"answer": "done", "after": "burn"}"#, "none of move, zip, delete, keep"),
            (r#"{"answer": "failed"}"#, "\"failed\" lacks \"error\""),
            (r#"{"answer": "not-yet", "reason": "r", "retry_after": "soon"}"#, "no number of seconds"),
            (r#"{"answer": "not-yet", "reason": "r", "retry_after": -1}"#, "no number of seconds"),
            (r#"{"answer": "recognised", "confidence": 7}"#, "a number from 0 to 1"),
            (r#"{"answer": "log", "level": "loud", "text": "x"}"#, "none of debug, info"),
            (r#"{"answer": "warning", "text": 7}"#, "that is no text"),
        ] {
            let shown = shown(line);
            assert!(shown.contains(expected), "{line}: {shown}");
        }
        assert!(read(&[0xff, 0xfe, b'{']).is_err());
        let deep = format!(r#"{{"answer": "described", "x": {}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
        assert!(read(deep.as_bytes()).is_err(), "a tower of brackets is no answer");
    }
}
