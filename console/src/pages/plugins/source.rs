//! The source of a plug-in, with what was found in it at its lines.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::{Path, Query, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use wats_agent::control::api::{FindingSeverity, PluginFinding};

use super::path;
use crate::Console;
use crate::access::SignedIn;
use crate::error::{PageError, agent_words, sentence};
use crate::frame::{Frame, Nav};

/// So many lines are shown; all of them can be downloaded.
const MOST_LINES: usize = 10_000;

#[derive(Template, WebTemplate)]
#[template(path = "plugins/source.html")]
struct SourcePage {
    frame: Frame,
    file: String,
    path: String,
    /// Of a plug-in with several files, each with its place and whether it is the one that is shown.
    files: Vec<(String, String, bool)>,
    /// Where the one that is shown can be had.
    download: String,
    lines: Vec<Line>,
    cut: bool,
    /// Why there is nothing to be seen.
    error: String,
}

struct Line {
    number: u64,
    text: String,
    findings: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// One of the plug-in's files.
    file: Option<String>,
}

/// Where a file of a plug-in is shown, or can be had.
pub(super) fn place(plugin: &str, what: &str, file: Option<&str>) -> String {
    let mut place = format!("{}/{what}", path(plugin));
    if let Some(file) = file {
        place.push_str("?file=");
        place.extend(url::form_urlencoded::byte_serialize(file.as_bytes()));
    }
    place
}

fn lines(source: &str, findings: &[PluginFinding]) -> Vec<Line> {
    let line = |(number, text): (u64, &str)| Line {
        number,
        text: text.to_owned(),
        findings: findings
            .iter()
            .filter(|it| it.line == number && it.severity > FindingSeverity::Note)
            .map(|it| sentence(&it.meaning))
            .collect(),
    };
    (1..).zip(source.lines()).take(MOST_LINES).map(line).collect()
}

pub(super) async fn show(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let found = console.agent.plugin(&file).await?;
    let chosen = wanted.file.or(found.entry).unwrap_or_else(|| file.clone());
    let of = found.files.contains(&chosen).then_some(chosen.as_str());
    if of.is_none() && chosen != file {
        return Err(PageError::NotFound);
    }
    let several = found.files.iter().filter(|_| found.files.len() > 1);
    let mut page = SourcePage {
        frame: user.frame(format!("Source of {file}"), Nav::Converters),
        path: path(&file),
        files: several.map(|it| (it.clone(), place(&file, "source", Some(it)), *it == chosen)).collect(),
        download: place(&file, "download", of.filter(|_| found.files.len() > 1)),
        lines: Vec::new(),
        cut: false,
        error: String::new(),
        file: found.file,
    };
    match console.agent.plugin_source(&file, of).await {
        Ok(source) => {
            let mut findings = console.agent.plugin_findings(&file).await?;
            findings.findings.retain(|it| it.file == chosen);
            page.lines = lines(&source, &findings.findings);
            page.cut = source.lines().nth(MOST_LINES).is_some();
        }
        Err(error) => page.error = agent_words(&error),
    }
    Ok(page.into_response())
}

/// The source as a file. Whatever it is, no browser shows it as a page of ours.
pub(super) async fn download(
    _: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let source = console.agent.plugin_source(&file, wanted.file.as_deref()).await?;
    let name = wanted.file.unwrap_or(file);
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, disposition)], source).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_stands_at_its_line() {
        let finding = PluginFinding {
            file: "a.py".to_owned(),
            line: 2,
            column: 1,
            severity: FindingSeverity::Warning,
            blocked_by_client: false,
            what: "import socket".to_owned(),
            meaning: "The network.".to_owned(),
        };
        let lines = lines("import csv\nimport socket\n", &[finding]);
        let shown: Vec<_> = lines.iter().map(|it| (it.number, it.text.as_str(), it.findings.len())).collect();
        assert_eq!(shown, [(1, "import csv", 0), (2, "import socket", 1)]);
    }
}
