//! What waits, what was refused and why, what was sent.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use uuid::Uuid;
use wats_agent::control::api::{
    Changed, Complaint, FileQuery, FileRecord, FileState, ReportQuery, ReportState,
};

use super::dashboard::ReportRow;
use super::plugins::{LogRow, log_rows};
use super::redirect_with_notice;
use crate::Console;
use crate::access::SignedIn;
use crate::error::{PageError, sentence};
use crate::forms::Form;
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Moment, Tone, count, size};

/// Rows on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/queue", get(list))
        .route("/queue/retry-all", post(retry_all))
        .route("/queue/files/{id}", get(show_file))
        .route("/queue/files/{id}/retry", post(retry_file))
        .route("/queue/reports/{id}", get(show_report))
        .route("/queue/reports/{id}/retry", post(retry_report))
        .route("/queue/reports/{id}/discard", post(discard_report))
        .route("/queue/reports/{id}/report.json", get(download))
}

/// The tabs of the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tab {
    #[default]
    Waiting,
    Refused,
    FailedFiles,
    Sent,
    GivenUp,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Waiting, Self::Refused, Self::FailedFiles, Self::Sent, Self::GivenUp];

    fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::FailedFiles => "failed-files",
            Self::Sent => "sent",
            Self::GivenUp => "given-up",
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Refused => "Refused",
            Self::FailedFiles => "Failed files",
            Self::Sent => "Sent",
            Self::GivenUp => "Given up",
        }
    }

    fn empty(&self) -> &'static str {
        match self {
            Self::Waiting => "Nothing waits: every report is on the server, or has been looked at.",
            Self::Refused => "The server refused no report.",
            Self::FailedFiles => "No file failed.",
            Self::Sent => "No report was sent yet. Drop a file into a converter's folder, or upload one.",
            Self::GivenUp => "No report was given up.",
        }
    }

    fn state(self) -> Option<ReportState> {
        match self {
            Self::Waiting => Some(ReportState::Queued),
            Self::Refused => Some(ReportState::Rejected),
            Self::FailedFiles => None,
            Self::Sent => Some(ReportState::Sent),
            Self::GivenUp => Some(ReportState::Discarded),
        }
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "queue/list.html")]
struct ListPage {
    frame: Frame,
    tabs: Vec<TabEntry>,
    tab: Tab,
    reports: Vec<ReportRow>,
    files: Vec<FileRow>,
    /// The next page's address, when there is one.
    more: Option<String>,
}

struct TabEntry {
    word: &'static str,
    label: &'static str,
    count: Option<u64>,
    is_here: bool,
}

/// One failed file in a table.
struct FileRow {
    id: i64,
    name: String,
    source: String,
    at: Moment,
    error: String,
}

impl FileRow {
    fn new(file: FileRecord, now: Timestamp) -> Self {
        Self {
            id: file.id,
            name: file.name,
            source: file.source,
            at: Moment::new(file.received_at, now),
            error: file.error.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    state: Tab,
    before: Option<String>,
}

async fn list(user: SignedIn, console: State<Console>, wanted: Query<Wanted>) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let tab = wanted.state;
    let queue = console.agent.status().await?.queue;
    let tabs = Tab::ALL.into_iter().map(|it| TabEntry {
        word: it.word(),
        label: it.label(),
        count: match it {
            Tab::Waiting => Some(queue.queued + queue.sending),
            Tab::Refused => Some(queue.rejected),
            Tab::FailedFiles => Some(queue.failed_files),
            Tab::Sent => Some(queue.sent),
            Tab::GivenUp => None,
        },
        is_here: it == tab,
    });
    let mut page = ListPage {
        frame: user.frame("Queue", Nav::Queue),
        tabs: tabs.collect(),
        tab,
        reports: Vec::new(),
        files: Vec::new(),
        more: None,
    };
    // A mark that is none of ours gives the first page.
    let before = wanted.before.as_deref();
    let last = match tab.state() {
        Some(state) => {
            let before = before.and_then(|it| it.parse().ok());
            page.reports = reports(&console, state, before, now).await?;
            page.reports.last().map(|row| row.id.clone())
        }
        None => {
            let query = FileQuery {
                state: Some(FileState::Failed),
                limit: Some(ROWS),
                before: before.and_then(|it| it.parse().ok()),
                ..FileQuery::default()
            };
            let files = console.agent.files(&query).await?;
            page.files = files.into_iter().map(|file| FileRow::new(file, now)).collect();
            page.files.last().map(|row| row.id.to_string())
        }
    };
    if page.reports.len().max(page.files.len()) >= ROWS as usize {
        page.more = last.map(|last| format!("/queue?state={}&before={last}", tab.word()));
    }
    Ok(page.into_response())
}

async fn reports(
    console: &Console,
    state: ReportState,
    before: Option<Uuid>,
    now: Timestamp,
) -> Result<Vec<ReportRow>, PageError> {
    let mut found = Vec::new();
    if state == ReportState::Queued && before.is_none() {
        let on_their_way = ReportQuery { state: Some(ReportState::Sending), ..ReportQuery::default() };
        found = console.agent.reports(&on_their_way).await?;
    }
    let query = ReportQuery { state: Some(state), limit: Some(ROWS), before, ..ReportQuery::default() };
    found.extend(console.agent.reports(&query).await?);
    Ok(found.into_iter().map(|report| ReportRow::new(report, now)).collect())
}

#[derive(Template, WebTemplate)]
#[template(path = "queue/file.html")]
struct FilePage {
    frame: Frame,
    file: FileRecord,
    badge: Badge,
    size: String,
    received: Moment,
    reports: Vec<ReportRow>,
    duplicate_of: Option<i64>,
    /// Why its converter left it where it was.
    left: Option<String>,
    log: Vec<LogRow>,
}

async fn show_file(
    user: SignedIn,
    console: State<Console>,
    Path(id): Path<i64>,
) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let detail = console.agent.file(id).await?;
    let left = detail.record.left.as_ref();
    let page = FilePage {
        frame: user.frame(detail.record.name.clone(), Nav::Queue),
        badge: match left {
            Some(_) => Badge::new(Tone::Quiet, "Left where it is"),
            None => file_badge(detail.record.state),
        },
        left: left.map(|it| sentence(&it.reason)),
        log: log_rows(detail.log),
        size: size(detail.record.size_bytes),
        received: Moment::new(detail.record.received_at, now),
        reports: detail.reports.into_iter().map(|report| ReportRow::new(report, now)).collect(),
        duplicate_of: detail.duplicate_of,
        file: detail.record,
    };
    Ok(page.into_response())
}

/// Where a file stands, in a word.
pub(super) fn file_badge(state: FileState) -> Badge {
    match state {
        FileState::Claimed => Badge::new(Tone::Busy, "Being converted"),
        FileState::Converted => Badge::new(Tone::Good, "Converted"),
        FileState::Failed => Badge::new(Tone::Bad, "Failed"),
    }
}

#[derive(Template, WebTemplate)]
#[template(path = "queue/report.html")]
struct ReportPage {
    frame: Frame,
    report: ReportRow,
    process_code: String,
    can_retry: bool,
    can_discard: bool,
    answer: Option<String>,
    complaints: Vec<ComplaintRow>,
    body: String,
}

/// One line of the server's refusal.
struct ComplaintRow {
    words: String,
    /// Where it stands in the source file.
    place: Option<String>,
    text: String,
}

impl From<Complaint> for ComplaintRow {
    fn from(complaint: Complaint) -> Self {
        let place = complaint.source.as_ref().map(|it| match it.column {
            ..=200 => format!("Line {}", it.line),
            column => format!("Line {}, column {column}", it.line),
        });
        let text = complaint.source.map(|it| it.text).unwrap_or_default();
        Self { words: complaint.words, place, text }
    }
}

async fn show_report(
    user: SignedIn,
    console: State<Console>,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let detail = console.agent.report(id).await?;
    let state = detail.record.state;
    let page = ReportPage {
        frame: user.frame(format!("Report of {}", detail.record.serial_number), Nav::Queue),
        process_code: detail.record.process_code.map_or_else(|| "–".to_owned(), |code| code.to_string()),
        can_retry: matches!(state, ReportState::Queued | ReportState::Rejected),
        can_discard: state == ReportState::Rejected,
        answer: detail.server_answer.filter(|answer| !answer.trim().is_empty()),
        complaints: if detail.complaints.iter().any(|it| it.source.is_some()) {
            detail.complaints.into_iter().map(ComplaintRow::from).collect()
        } else {
            Vec::new()
        },
        body: serde_json::to_string_pretty(&detail.body).unwrap_or_default(),
        report: ReportRow::new(detail.record, Timestamp::now()),
    };
    Ok(page.into_response())
}

/// The report as it is sent, to be kept or looked at elsewhere.
async fn download(_: SignedIn, console: State<Console>, Path(id): Path<Uuid>) -> Result<Response, PageError> {
    let detail = console.agent.report(id).await?;
    let body = serde_json::to_string_pretty(&detail.body).unwrap_or_default();
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{id}.json\""))
        .map_err(|_| PageError::NotFound)?;
    let kind = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)], body).into_response())
}

async fn retry_file(
    user: SignedIn,
    console: State<Console>,
    Path(id): Path<i64>,
) -> Result<Response, PageError> {
    let name = console.agent.file(id).await?.record.name;
    console.agent.retry_file(id).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "file-retried", &name).await?;
    Ok(redirect_with_notice(&format!("/queue/files/{id}"), format!("{name} is converted again.")))
}

async fn retry_report(
    user: SignedIn,
    console: State<Console>,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    console.agent.retry_report(id).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "report-retried", &id.to_string()).await?;
    Ok(redirect_with_notice(&format!("/queue/reports/{id}"), "The report is sent again."))
}

async fn discard_report(
    user: SignedIn,
    console: State<Console>,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    console.agent.discard_report(id).await?;
    console.state.record(Timestamp::now(), Some(user.user()), "report-given-up", &id.to_string()).await?;
    Ok(redirect_with_notice(
        &format!("/queue/reports/{id}"),
        "Given up. The report is kept here for the record.",
    ))
}

#[derive(Deserialize)]
struct RetryAll {
    state: Tab,
}

/// Tries everything of a tab again.
async fn retry_all(
    user: SignedIn,
    console: State<Console>,
    Form(wish): Form<RetryAll>,
) -> Result<Response, PageError> {
    let Changed { count: tried, failed, more } = match wish.state {
        Tab::Refused => console.agent.retry_reports(&ReportQuery::default()).await?,
        Tab::FailedFiles => console.agent.retry_files(&FileQuery::default()).await?,
        Tab::Waiting | Tab::Sent | Tab::GivenUp => {
            return Err(PageError::BadRequest("Only what failed can be tried again.".to_owned()));
        }
    };
    let what = match wish.state {
        Tab::Refused => count(tried, "report is sent again", "reports are sent again"),
        _ => count(tried, "file is converted again", "files are converted again"),
    };
    console.state.record(Timestamp::now(), Some(user.user()), "retried-all", &what).await?;
    let why = match (failed, more) {
        (0, false) => "",
        (0, true) => " There are more: try again.",
        _ => " Others could not be put back into their folders: the agent's log says why.",
    };
    Ok(redirect_with_notice(&format!("/queue?state={}", wish.state.word()), format!("{what}.{why}")))
}
