//! Uploading result files to a converter.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use wats_agent::control::api::{FileQuery, FileState, SourceStatus};
use wats_agent::control::client::ControlError;

use super::dashboard::state_badge;
use super::queue::file_badge;
use crate::Console;
use crate::access::SignedIn;
use crate::error::{PageError, agent_words, sentence};
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Tone, size};

/// Apart from the other pages: no limit on the size, which is the agent's, and none on the time.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/upload", get(show).post(upload))
        .route("/upload/state", get(state))
        .layer(DefaultBodyLimit::disable())
}

#[derive(Template, WebTemplate)]
#[template(path = "upload/page.html")]
struct UploadPage {
    frame: Frame,
    sources: Vec<SourceChoice>,
    rows: UploadRows,
    error: String,
}

/// What became of the files: shown in the page, or sent alone to the page's script.
#[derive(Template, WebTemplate)]
#[template(path = "upload/rows.html")]
struct UploadRows {
    rows: Vec<UploadRow>,
}

struct SourceChoice {
    name: String,
    label: String,
    chosen: bool,
}

/// One uploaded file and where it stands.
struct UploadRow {
    name: String,
    size: String,
    badge: Badge,
    words: String,
    /// The file's page, once the agent knows it.
    link: Option<String>,
    /// Where to ask for its state until it is settled.
    refresh: Option<String>,
}

impl UploadRow {
    /// On disk, and not taken by the agent yet.
    fn waiting(stored: &Stored) -> Self {
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("source", &stored.source)
            .append_pair("sha256", &stored.sha256)
            .append_pair("name", &stored.name)
            .append_pair("size", &stored.size.to_string())
            .finish();
        Self {
            name: stored.name.clone(),
            size: size(stored.size),
            badge: Badge::new(Tone::Busy, "Stored"),
            words: "It is on this machine's disk and waits for its turn.".to_owned(),
            link: None,
            refresh: Some(format!("/upload/state?{query}")),
        }
    }

    fn refused(name: String, words: String) -> Self {
        Self {
            name,
            size: String::new(),
            badge: Badge::new(Tone::Bad, "Not stored"),
            words,
            link: None,
            refresh: None,
        }
    }
}

fn choices(sources: Vec<SourceStatus>, chosen: &str) -> Vec<SourceChoice> {
    let choice = |source: SourceStatus| SourceChoice {
        chosen: source.settings.name == chosen,
        label: format!("{} ({})", source.settings.name, source.settings.converter),
        name: source.settings.name,
    };
    sources.into_iter().map(choice).collect()
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let sources = choices(console.agent.sources().await?, "");
    let rows = UploadRows { rows: Vec::new() };
    let frame = user.frame("Upload", Nav::Upload);
    Ok(UploadPage { frame, sources, rows, error: String::new() }.into_response())
}

/// Passes each file on to the agent as it comes: the form's field `source` stands before its files.
async fn upload(
    user: SignedIn,
    console: State<Console>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Result<Response, PageError> {
    let mut source = String::new();
    let mut rows = Vec::new();
    let mut error = String::new();
    loop {
        match form.next_field().await {
            Ok(None) => break,
            Ok(Some(field)) if field.name() == Some("source") => {
                source = field.text().await.unwrap_or_default()
            }
            Ok(Some(field)) if field.name() == Some("file") => {
                // A form that was sent without choosing a file has one without a name.
                if field.file_name().is_some_and(|name| !name.is_empty()) {
                    rows.push(store(&console, &source, field).await);
                }
            }
            Ok(Some(_)) => {}
            Err(broken) => {
                error = broken_words(&broken);
                break;
            }
        }
    }
    if rows.is_empty() && error.is_empty() {
        error = "Choose at least one file.".to_owned();
    }
    let stored = rows.iter().filter(|row| row.refresh.is_some()).count();
    if stored > 0 {
        let detail = format!("{stored} for {source}.");
        console.state.record(Timestamp::now(), Some(user.user()), "files-uploaded", &detail).await?;
    }
    let status = if stored == rows.len() && error.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let rows = UploadRows { rows };
    if headers.contains_key("hx-request") {
        if rows.rows.is_empty() {
            return Ok((status, error).into_response());
        }
        return Ok((status, rows).into_response());
    }
    let sources = choices(console.agent.sources().await?, &source);
    let page = UploadPage { frame: user.frame("Upload", Nav::Upload), sources, rows, error };
    Ok((status, page).into_response())
}

async fn store(console: &Console, source: &str, field: Field<'_>) -> UploadRow {
    let name = base_name(field.file_name().unwrap_or_default()).to_owned();
    if source.is_empty() {
        return UploadRow::refused(name, "Choose a converter first.".to_owned());
    }
    match console.agent.upload(source, &name, field).await {
        Ok(stored) => UploadRow::waiting(&Stored {
            source: source.to_owned(),
            sha256: stored.sha256,
            name: stored.name,
            size: stored.size_bytes,
        }),
        Err(ControlError::Upload(_)) => UploadRow::refused(
            name,
            "The upload broke off; nothing was stored. Upload the file again.".to_owned(),
        ),
        Err(error) => UploadRow::refused(name, agent_words(&error)),
    }
}

/// Some browsers send a path; only its last part is a name here.
pub(super) fn base_name(sent: &str) -> &str {
    sent.rsplit(['/', '\\']).next().unwrap_or_default()
}

fn broken_words(error: &MultipartError) -> String {
    sentence(&format!("the upload broke off ({})", error.status()))
}

#[derive(Deserialize)]
struct Stored {
    source: String,
    sha256: String,
    name: String,
    size: u64,
}

/// Where one uploaded file stands now.
async fn state(_: SignedIn, console: State<Console>, stored: Query<Stored>) -> Result<Response, PageError> {
    let row = row_of(&console, &stored.0).await?;
    Ok(UploadRows { rows: vec![row] }.into_response())
}

async fn row_of(console: &Console, stored: &Stored) -> Result<UploadRow, PageError> {
    let mut row = UploadRow::waiting(stored);
    let query = FileQuery {
        source: Some(stored.source.clone()),
        sha256: Some(stored.sha256.clone()),
        limit: Some(1),
        ..FileQuery::default()
    };
    let Some(file) = console.agent.files(&query).await?.pop() else { return Ok(row) };
    row.link = Some(format!("/queue/files/{}", file.id));
    row.badge = file_badge(file.state);
    row.words = match file.state {
        FileState::Claimed => "It is being converted.".to_owned(),
        FileState::Failed => {
            row.refresh = None;
            file.error.unwrap_or_default()
        }
        FileState::Converted => {
            let mut detail = console.agent.file(file.id).await?;
            let mut words = String::new();
            if let Some(first) = detail.duplicate_of {
                words = "The same content was here before; it gives no new report. ".to_owned();
                detail = console.agent.file(first).await?;
            }
            // The report that is furthest behind speaks for all.
            let behind = detail.reports.iter().min_by_key(|report| {
                use wats_agent::control::api::ReportState as S;
                match report.state {
                    S::Rejected => 0,
                    S::Queued => 1,
                    S::Sending => 2,
                    S::Discarded => 3,
                    S::Sent => 4,
                }
            });
            if let Some(report) = behind {
                row.badge = state_badge(report.state);
                words.push_str(&match &report.error {
                    Some(error) => sentence(error),
                    None => format!("Serial number {}, part {}.", report.serial_number, report.part_number),
                });
                if matches!(row.badge.tone, Tone::Good | Tone::Bad | Tone::Quiet) {
                    row.refresh = None;
                }
            } else {
                row.refresh = None;
            }
            words
        }
    };
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn a_path_that_a_browser_sends_is_no_part_of_the_name() {
        assert_eq!(base_name("a.txt"), "a.txt");
        assert_eq!(base_name("C:\\results\\a.txt"), "a.txt");
        assert_eq!(base_name("../../etc/passwd"), "passwd");
    }
}
