//! What a good answer says.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::SubmitError;
use super::words::{excerpt, text};

/// The server has the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The id under which the server keeps it; `None` when its answer was empty.
    pub id: Option<Uuid>,
    /// The answer as it came, for the record.
    pub answer: String,
}

/// Reads an acknowledgement: an object, a list with one, a JSON text, or nothing.
pub(super) fn accepted(sent: Uuid, body: &[u8]) -> Result<Accepted, SubmitError> {
    let answer = text(body);
    if answer.is_empty() {
        return Ok(Accepted { id: None, answer });
    }
    let not_wats = || SubmitError::NotWats { excerpt: excerpt(body) };
    let parsed: Value = serde_json::from_str(&answer).map_err(|_| not_wats())?;
    let one = match &parsed {
        Value::Array(list) if list.len() == 1 => list.first().ok_or_else(not_wats)?,
        other => other,
    };
    let id = match one {
        Value::String(text) => Some(text.as_str()),
        // `ID` is what the client sent, `uuid` what the server makes of it.
        Value::Object(members) => member(members, "id").or_else(|| member(members, "uuid")),
        _ => None,
    };
    let got: Uuid = id.and_then(|id| id.trim().parse().ok()).ok_or_else(not_wats)?;
    if got == sent { Ok(Accepted { id: Some(got), answer }) } else { Err(SubmitError::OtherId { sent, got }) }
}

/// A text among the members, whatever the case of its name.
fn member<'a>(members: &'a Map<String, Value>, wanted: &str) -> Option<&'a str> {
    members.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).find_map(|(_, value)| value.as_str())
}

/// Reads the version: a JSON text, plain text, or an object that has one.
pub(super) fn version(body: &[u8]) -> Result<String, SubmitError> {
    let text = text(body);
    let version = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(members)) => member(&members, "version").unwrap_or_default().trim().to_owned(),
        Ok(Value::String(version)) => version.trim().to_owned(),
        _ => text,
    };
    let is_version = version.split('.').all(|part| part.parse::<u32>().is_ok());
    if is_version { Ok(version) } else { Err(SubmitError::NotWats { excerpt: excerpt(body) }) }
}

/// One member of an object that is a text; an answer of another form is not from a WATS server.
pub(super) fn text_member(body: &[u8], wanted: &str) -> Result<Option<String>, SubmitError> {
    match serde_json::from_str::<Value>(&text(body)) {
        Ok(Value::Object(members)) => Ok(member(&members, wanted).map(|text| text.trim().to_owned())),
        _ => Err(SubmitError::NotWats { excerpt: excerpt(body) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "61bb0a30-33d1-5a9f-a9da-91d47ab85011";
    const OTHER: &str = "aaaaaaaa-33d1-5a9f-a9da-91d47ab85011";

    #[test]
    fn every_shape_of_acknowledgement_is_read() {
        let id: Uuid = ID.parse().unwrap();
        let upper = ID.to_uppercase();
        for body in [
            format!(r#"{{"ID":"{ID}","uuid":"{ID}","Report_ID":1}}"#),
            format!(r#"{{"uuid":"{OTHER}","id":"{ID}"}}"#),
            format!(r#"{{"ID":null,"uuid":"{ID}"}}"#),
            format!(r#"[{{"uuid":"{upper}"}}]"#),
            format!("\u{feff}\"{ID}\"\r\n"),
        ] {
            assert_eq!(accepted(id, body.as_bytes()).unwrap().id, Some(id), "{body}");
        }
        assert_eq!(accepted(id, b" ").unwrap().id, None);
    }

    #[test]
    fn an_answer_about_another_report_acknowledges_nothing() {
        let error = accepted(ID.parse().unwrap(), format!("\"{OTHER}\"").as_bytes()).unwrap_err();
        assert!(matches!(error, SubmitError::OtherId { .. }), "{error}");
    }

    #[test]
    fn an_answer_without_an_id_acknowledges_nothing() {
        for broken in ["{", "[]", r#"{"ok":true}"#, "42", "null", "OK", r#""OK""#, r#"["a","b"]"#] {
            let answer = accepted(ID.parse().unwrap(), broken.as_bytes());
            assert!(matches!(answer, Err(SubmitError::NotWats { .. })), "{broken}");
        }
    }

    #[test]
    fn a_version_is_numbers_joined_by_dots_and_a_login_page_is_none() {
        for body in ["\"2026.1.5.324\"", "2026.1.5.324\n", "{\"Version\":\"2026.1.5.324\"}"] {
            assert_eq!(version(body.as_bytes()).unwrap(), "2026.1.5.324");
        }
        for wrong in ["Sign in", "", "{}", "null", "2026.x", "\"\""] {
            assert!(version(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
