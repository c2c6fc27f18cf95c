//! What the server's answer means.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::Value;
use uuid::Uuid;

/// The server has the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The id under which the server keeps it; `None` when its answer was empty.
    pub id: Option<Uuid>,
    /// The answer as it came, for the record.
    pub answer: String,
}

/// Why a call to the server gave no acknowledgement.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    #[error("the server refused the report: {message}")]
    Rejected { status: u16, message: String },
    #[error("the server does not accept our credential (401)")]
    Unauthorised,
    #[error("the server denies us the right to do this (403): {message}")]
    Forbidden { message: String },
    #[error("there is no WATS API at this address (status {status})")]
    WrongAddress { status: u16 },
    #[error("the server asks us to slow down (429)")]
    Throttled { retry_after: Option<Duration> },
    #[error("the server is in trouble (status {status}): {message}")]
    ServerTrouble { status: u16, message: String, retry_after: Option<Duration> },
    #[error("the server cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the answer is not from a WATS server, perhaps from a proxy or a login page: {excerpt}")]
    NotWats { excerpt: String },
    #[error("the server acknowledged report {got}, and report {sent} was sent")]
    OtherId { sent: Uuid, got: Uuid },
}

/// What should happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The report is at fault: a person must look at it, sending it again changes nothing.
    Reject,
    /// Credential, rights or address are at fault: hold all reports until a person acts.
    Hold,
    /// Nobody is at fault: send the same report again later, not before `retry_after`.
    Retry { retry_after: Option<Duration> },
}

impl SubmitError {
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Rejected { .. } => Verdict::Reject,
            Self::Unauthorised | Self::Forbidden { .. } | Self::WrongAddress { .. } => Verdict::Hold,
            Self::Throttled { retry_after } | Self::ServerTrouble { retry_after, .. } => {
                Verdict::Retry { retry_after: *retry_after }
            }
            Self::Unreachable(_) | Self::TimedOut | Self::NotWats { .. } | Self::OtherId { .. } => {
                Verdict::Retry { retry_after: None }
            }
        }
    }

    pub(super) fn from_transport(error: reqwest::Error) -> Self {
        // The address is logged where it matters; an error must not carry what may stand in it.
        let error = error.without_url();
        if error.is_timeout() { Self::TimedOut } else { Self::Unreachable(error) }
    }

    pub(super) fn from_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let code = status.as_u16();
        let message = message(body);
        match code {
            401 => Self::Unauthorised,
            403 => Self::Forbidden { message },
            404 | 405 => Self::WrongAddress { status: code },
            429 => Self::Throttled { retry_after: retry_after(headers) },
            408 | 425 | 500.. => {
                Self::ServerTrouble { status: code, message, retry_after: retry_after(headers) }
            }
            // A redirect: to a login page, or from http to https.
            300..=399 => Self::NotWats { excerpt: format!("a redirect (status {code})") },
            _ => Self::Rejected { status: code, message },
        }
    }
}

/// Seconds or an HTTP date; nonsense counts as absent.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // The server's own clock tells how far away its date is, however wrong ours may be.
    let now = headers.get("date")?.to_str().ok()?;
    let now = jiff::fmt::rfc2822::parse(now).ok()?.timestamp();
    Duration::try_from(at.duration_since(now)).ok()
}

/// The words in an error body, whichever of its shapes it has.
fn message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim().trim_start_matches('\u{feff}');
    if text.is_empty() {
        return "no reason was given".to_owned();
    }
    let words = match serde_json::from_str::<Value>(text) {
        Ok(Value::String(words)) => words,
        Ok(Value::Object(members)) => ["message", "detail", "error", "errors", "title"]
            .iter()
            .find_map(|wanted| {
                let found = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1;
                Some(found.as_str().map_or_else(|| found.to_string(), ToOwned::to_owned))
            })
            .unwrap_or_else(|| text.to_owned()),
        _ if text.starts_with('<') => excerpt(body),
        _ => text.to_owned(),
    };
    words.replace("\r\n", "\n").trim().to_owned()
}

/// The beginning of a body, on one line, for a message.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(120).collect()
}

pub(super) fn looks_like_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().contains("html") || body.trim_ascii_start().starts_with(b"<")
}

pub(super) fn version(body: &[u8]) -> Result<String, SubmitError> {
    let text = String::from_utf8_lossy(body);
    let version = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(members)) => members
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("version"))
            .and_then(|(_, v)| v.as_str())
            .unwrap_or_default()
            .to_owned(),
        Ok(Value::String(text)) => text,
        _ => text.trim().to_owned(),
    };
    let is_version = !version.is_empty() && version.split('.').all(|part| part.parse::<u32>().is_ok());
    if is_version { Ok(version) } else { Err(SubmitError::NotWats { excerpt: excerpt(body) }) }
}

/// Reads an acknowledgement: an object, a list with one, a JSON text, or nothing.
pub(super) fn accepted(sent: Uuid, body: &[u8]) -> Result<Accepted, SubmitError> {
    let answer = String::from_utf8_lossy(body).trim().to_owned();
    if answer.is_empty() {
        return Ok(Accepted { id: None, answer });
    }
    let not_wats = || SubmitError::NotWats { excerpt: excerpt(body) };
    let parsed: Value = serde_json::from_str(&answer).map_err(|_| not_wats())?;
    let one = match &parsed {
        Value::Array(list) => list.first().ok_or_else(not_wats)?,
        other => other,
    };
    let text = match one {
        Value::String(text) => Some(text.as_str()),
        Value::Object(members) => members
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("id") || name.eq_ignore_ascii_case("uuid"))
            .and_then(|(_, id)| id.as_str()),
        _ => None,
    };
    let got: Uuid = text.and_then(|t| t.trim().parse().ok()).ok_or_else(not_wats)?;
    if got == sent { Ok(Accepted { id: Some(got), answer }) } else { Err(SubmitError::OtherId { sent, got }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "61bb0a30-33d1-5a9f-a9da-91d47ab85011";

    #[test]
    fn every_shape_of_acknowledgement_is_read() {
        let id: Uuid = ID.parse().unwrap();
        let upper = ID.to_uppercase();
        for body in [
            format!(r#"{{"ID":"{ID}","uuid":"{ID}","Report_ID":1}}"#),
            format!(r#"[{{"uuid":"{upper}"}}]"#),
            format!(r#""{ID}""#),
        ] {
            assert_eq!(accepted(id, body.as_bytes()).unwrap().id, Some(id), "{body}");
        }
        assert_eq!(accepted(id, b"").unwrap().id, None);
        assert!(matches!(
            accepted(Uuid::nil(), format!("\"{ID}\"").as_bytes()),
            Err(SubmitError::OtherId { .. })
        ));
        for broken in ["{", "[]", "{\"ok\":true}", "42"] {
            assert!(matches!(accepted(id, broken.as_bytes()), Err(SubmitError::NotWats { .. })), "{broken}");
        }
    }

    #[test]
    fn every_shape_of_error_gives_the_servers_words() {
        for body in ["{\"Message\":\"a: b.\\r\\nc: d.\"}", "\"a: b.\\nc: d.\"", "a: b.\r\nc: d.\n"] {
            assert_eq!(message(body.as_bytes()), "a: b.\nc: d.", "{body}");
        }
        assert_eq!(message(b""), "no reason was given");
    }

    #[test]
    fn every_status_has_a_verdict() {
        let verdict = |code: u16| {
            SubmitError::from_status(StatusCode::from_u16(code).unwrap(), &HeaderMap::new(), b"x").verdict()
        };
        for code in [400, 409, 413, 415, 422] {
            assert_eq!(verdict(code), Verdict::Reject, "{code}");
        }
        for code in [401, 403, 404, 405] {
            assert_eq!(verdict(code), Verdict::Hold, "{code}");
        }
        for code in [302, 307, 408, 425, 429, 500, 502, 503, 504] {
            assert_eq!(verdict(code), Verdict::Retry { retry_after: None }, "{code}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            headers.insert("date", "Tue, 24 Nov 2026 10:00:00 GMT".parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(with("30"), Some(Duration::from_secs(30)));
        assert_eq!(with("Tue, 24 Nov 2026 10:02:00 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(with("soon"), None);
        assert_eq!(with("-5"), None);
    }

    #[test]
    fn a_version_is_four_numbers_and_a_login_page_is_none() {
        for body in ["\"2026.1.5.324\"", "2026.1.5.324", "{\"Version\":\"2026.1.5.324\"}"] {
            assert_eq!(version(body.as_bytes()).unwrap(), "2026.1.5.324");
        }
        assert!(version(b"Sign in").is_err());
        assert!(version(b"").is_err());
    }
}
