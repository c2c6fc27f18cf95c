//! The words in an answer, whichever of its shapes it has.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

/// A rejection of a large report may have many lines; more than this much text helps nobody.
const LONGEST_MESSAGE: usize = 100_000;

/// The text of a body in UTF-8, without a byte-order mark and surrounding white space.
pub(super) fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_start_matches('\u{feff}').trim().to_owned()
}

/// The words in an error body, one problem on each line.
pub(super) fn message(body: &[u8]) -> String {
    let text = text(body);
    let words = match serde_json::from_str::<Value>(&text) {
        Ok(Value::String(words)) => words,
        Ok(Value::Object(members)) => Some(of_object(&members)).filter(|w| !w.is_empty()).unwrap_or(text),
        Ok(Value::Array(items)) => lines(&Value::Array(items)).join("\n"),
        _ if text.starts_with('<') => excerpt(body),
        _ => text,
    };
    let words: String = words.replace("\r\n", "\n").trim().chars().take(LONGEST_MESSAGE).collect();
    if words.is_empty() { "no reason was given".to_owned() } else { words }
}

/// What one server calls `Message`, another calls `title`; the details, where there are any, come after it.
fn of_object(members: &Map<String, Value>) -> String {
    let found = |wanted: &&str| {
        let value = members.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1;
        Some(lines(value)).filter(|lines| !lines.is_empty())
    };
    let headline = ["message", "error", "detail", "title"].iter().find_map(found).unwrap_or_default();
    let details = ["messageDetail", "exceptionMessage", "modelState", "errors"].iter().filter_map(found);
    headline.into_iter().chain(details.flatten()).collect::<Vec<_>>().join("\n")
}

fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::String(text) => {
            Some(text.trim()).filter(|t| !t.is_empty()).map(ToOwned::to_owned).into_iter().collect()
        }
        Value::Array(items) => items.iter().flat_map(lines).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| lines(value).into_iter().map(move |line| format!("{name}: {line}")))
            .collect(),
        other => vec![other.to_string()],
    }
}

pub(super) fn is_html(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.to_ascii_lowercase().contains("html") || text(body).starts_with('<')
}

/// The beginning of a body on one line, or the title of a page.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = text(body);
    let line = title(&text).unwrap_or(&text).split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(120).collect()
}

fn title(page: &str) -> Option<&str> {
    // ASCII lower case keeps every byte where it is.
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower.get(start..)?.find("</title>")?;
    page.get(start..end).filter(|title| !title.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: &str) {
        assert_eq!(message(body.as_bytes()), expected, "{body}");
    }

    #[test]
    fn every_shape_of_error_gives_the_servers_words() {
        for body in [
            r#"{"Message":"a: b.\r\nc: d."}"#,
            r#"{"message":"a: b.\nc: d."}"#,
            r#"{"error":["a: b.","c: d."]}"#,
            r#"{"detail":"a: b.\nc: d.","title":"Bad request"}"#,
            r#"{"errors":["a: b.","c: d."]}"#,
            r#""a: b.\nc: d.""#,
            r#"["a: b.", "c: d."]"#,
            "\u{feff}a: b.\r\nc: d.\n",
        ] {
            check(body, "a: b.\nc: d.");
        }
    }

    #[test]
    fn details_follow_the_headline() {
        check(
            r#"{"Message":"The request is invalid.","ModelState":{"report.sn":["is required"]}}"#,
            "The request is invalid.\nreport.sn: is required",
        );
        check(
            r#"{"title":"Errors occurred.","status":400,"errors":{"pn":["too long","odd"],"sn":["empty"]}}"#,
            "Errors occurred.\npn: too long\npn: odd\nsn: empty",
        );
        check(r#"{"Message":"An error has occurred.","ExceptionMessage":"x"}"#, "An error has occurred.\nx");
    }

    #[test]
    fn a_body_without_words_says_so_and_a_strange_one_is_shown() {
        for empty in ["", " \r\n", r#""""#, "[]"] {
            check(empty, "no reason was given");
        }
        check(r#"{"Message":"","code":7}"#, r#"{"Message":"","code":7}"#);
        check("{\"Message\":\"cut o", "{\"Message\":\"cut o");
    }

    #[test]
    fn of_a_page_the_title_is_shown() {
        check("<html><TITLE>502 Bad\n Gateway</TITLE><body>…</body>", "502 Bad Gateway");
        check("<p>closed</p>", "<p>closed</p>");
    }

    #[test]
    fn a_message_without_end_is_cut() {
        assert_eq!(message("ä".repeat(LONGEST_MESSAGE + 5).as_bytes()).chars().count(), LONGEST_MESSAGE);
    }
}
