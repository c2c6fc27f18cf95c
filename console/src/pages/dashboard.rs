//! The first page: is all well, and if not, what to do.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use wats_agent::control::api::{
    FileRecord, Health, HealthLevel, Link, ReportRecord, ReportState, SourceState, SourceStatus, Status,
};

use crate::Console;
use crate::access::SignedIn;
use crate::error::{PageError, agent_words, sentence};
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Moment, Tone, size, span};

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/", get(show)).route("/dashboard/live", get(live))
}

#[derive(Template, WebTemplate)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    frame: Frame,
    live: Live,
}

/// The part that refreshes itself.
#[derive(Template, WebTemplate)]
#[template(path = "dashboard_live.html")]
struct Live {
    verdict: Verdict,
    /// `None` while the agent does not answer.
    now: Option<Now>,
}

/// Is all well?
struct Verdict {
    tone: Tone,
    headline: String,
    reasons: Vec<String>,
}

struct Now {
    link: Badge,
    link_advice: Option<LinkAdvice>,
    server: String,
    last_success: Option<Moment>,
    waiting: u64,
    oldest: Option<Moment>,
    /// When nothing waits any more, while something does.
    drained: Option<String>,
    refused: u64,
    failed_files: u64,
    sent_today: u64,
    sources: Vec<SourceRow>,
    reports: Vec<ReportRow>,
    disk: Meter,
    memory: Meter,
}

struct LinkAdvice {
    words: String,
    action: &'static str,
}

/// One source in a table.
pub(super) struct SourceRow {
    pub(super) name: String,
    pub(super) converter: String,
    pub(super) folder: String,
    pub(super) badge: Badge,
    pub(super) trouble: Option<String>,
    pub(super) converted: u64,
    pub(super) failed: u64,
    pub(super) paused: bool,
    pub(super) last: Option<FileNote>,
    pub(super) last_error: Option<FileNote>,
}

/// A file, in a word.
pub(super) struct FileNote {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) at: Moment,
    pub(super) error: Option<String>,
}

/// One report in a table.
pub(super) struct ReportRow {
    pub(super) id: String,
    pub(super) serial: String,
    pub(super) part: String,
    pub(super) file: String,
    pub(super) file_id: i64,
    pub(super) source: String,
    pub(super) result: Badge,
    pub(super) state: Badge,
    pub(super) attempts: u32,
    pub(super) at: Moment,
    pub(super) due: Option<Moment>,
    pub(super) error: Option<String>,
}

/// How full something is.
pub(super) struct Meter {
    pub(super) percent: u64,
    pub(super) words: String,
}

impl Meter {
    pub(super) fn new(used: u64, total: u64, words: String) -> Self {
        Self { percent: (used.saturating_mul(100)).checked_div(total).unwrap_or(0).min(100), words }
    }
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let frame = user.frame("Dashboard", Nav::Dashboard);
    Ok(DashboardPage { frame, live: now(&console).await }.into_response())
}

async fn live(_: SignedIn, console: State<Console>) -> Response {
    now(&console).await.into_response()
}

async fn now(console: &Console) -> Live {
    match console.agent.status().await {
        Ok(status) => Live {
            verdict: verdict(&status.health),
            now: Some(Now::new(status, Timestamp::now(), machine_memory())),
        },
        Err(error) => Live {
            verdict: Verdict {
                tone: Tone::Bad,
                headline: "The agent does not answer".to_owned(),
                reasons: vec![agent_words(&error)],
            },
            now: None,
        },
    }
}

/// Used and total memory of the machine, in bytes; zero where it cannot be known.
pub(super) fn machine_memory() -> (u64, u64) {
    let Ok(mut system) = sysinfo::System::new() else { return (0, 0) };
    system.refresh_memory();
    (system.used_memory(), system.total_memory())
}

fn verdict(health: &Health) -> Verdict {
    let (tone, headline) = match health.level {
        HealthLevel::Ok => (Tone::Good, "All is well"),
        HealthLevel::Attention => (Tone::Attention, "Something needs your attention"),
        HealthLevel::Failed => (Tone::Bad, "The agent cannot do its work"),
    };
    let reasons = health.reasons.iter().map(|reason| sentence(reason)).collect();
    Verdict { tone, headline: headline.to_owned(), reasons }
}

/// The connection to the server, in a word.
pub(super) fn link_badge(link: Link) -> Badge {
    match link {
        Link::Online => Badge::new(Tone::Good, "Online"),
        Link::Unknown => Badge::new(Tone::Quiet, "Nothing sent yet"),
        Link::NotConfigured => Badge::new(Tone::Attention, "Not set up"),
        Link::Offline => Badge::new(Tone::Bad, "Offline"),
        Link::Held => Badge::new(Tone::Bad, "On hold"),
    }
}

fn link_advice(link: Link, trouble: Option<&str>) -> Option<LinkAdvice> {
    let why = trouble.map(sentence).unwrap_or_default();
    let (words, action) = match link {
        Link::Online | Link::Unknown => return None,
        Link::NotConfigured => {
            ("Reports are kept here until this machine knows its server.".to_owned(), "Set up the server")
        }
        Link::Offline => (
            format!("{why} Reports are kept here and sent by themselves when the server is back."),
            "Test the connection",
        ),
        Link::Held => (
            format!("{why} No report is lost; sending goes on once this is put right."),
            "Correct the settings",
        ),
    };
    Some(LinkAdvice { words: words.trim().to_owned(), action })
}

impl Now {
    fn new(status: Status, now: Timestamp, (memory_used, memory_total): (u64, u64)) -> Self {
        let disk_used = status.disk.total_bytes.saturating_sub(status.disk.free_bytes);
        Self {
            link: link_badge(status.server.link),
            link_advice: link_advice(status.server.link, status.server.trouble.as_deref()),
            server: status.server.url.unwrap_or_default(),
            last_success: status.server.last_success.map(|at| Moment::new(at, now)),
            waiting: status.queue.queued + status.queue.sending,
            oldest: status.queue.oldest_queued.map(|at| Moment::new(at, now)),
            drained: (status.queue.queued + status.queue.sending > 0)
                .then(|| drained(status.forecast.seconds_to_drained)),
            refused: status.queue.rejected,
            failed_files: status.queue.failed_files,
            sent_today: status.queue.sent_today,
            sources: status.sources.into_iter().map(|source| SourceRow::new(source, now)).collect(),
            reports: status.last_reports.into_iter().map(|report| ReportRow::new(report, now)).collect(),
            disk: Meter::new(
                disk_used,
                status.disk.total_bytes,
                format!(
                    "{} free of {}; {}",
                    size(status.disk.free_bytes),
                    size(status.disk.total_bytes),
                    full(status.forecast.seconds_to_full)
                ),
            ),
            memory: Meter::new(
                memory_used,
                memory_total,
                format!(
                    "{} of {}; the agent uses {}",
                    size(memory_used),
                    size(memory_total),
                    size(status.memory_bytes)
                ),
            ),
        }
    }
}

fn drained(seconds: Option<u64>) -> String {
    match seconds {
        Some(seconds) => format!("All sent in about {}", span(seconds)),
        None => "When all are sent is not foreseeable".to_owned(),
    }
}

fn full(seconds: Option<u64>) -> String {
    match seconds {
        Some(0) => "that is too little to take more files".to_owned(),
        Some(seconds) => format!("full in about {} if it goes on like this", span(seconds)),
        None => "when it is full is not foreseeable".to_owned(),
    }
}

impl SourceRow {
    pub(super) fn new(source: SourceStatus, now: Timestamp) -> Self {
        let badge = match source.state {
            SourceState::Watching => Badge::new(Tone::Good, "Watching"),
            SourceState::Paused => Badge::new(Tone::Attention, "Paused"),
            SourceState::Failed => Badge::new(Tone::Bad, "Failed"),
        };
        Self {
            name: source.settings.name,
            converter: source.settings.converter,
            folder: source.folder,
            badge,
            trouble: source.trouble.as_deref().map(sentence),
            converted: source.files_converted,
            failed: source.files_failed,
            paused: source.state == SourceState::Paused,
            last: source.last_file.map(|file| FileNote::new(file, now)),
            last_error: source.last_error.map(|file| FileNote::new(file, now)),
        }
    }
}

impl FileNote {
    fn new(file: FileRecord, now: Timestamp) -> Self {
        Self { id: file.id, at: Moment::new(file.received_at, now), error: file.error, name: file.name }
    }
}

impl ReportRow {
    pub(super) fn new(report: ReportRecord, now: Timestamp) -> Self {
        Self {
            id: report.id.to_string(),
            serial: report.serial_number,
            part: report.part_number,
            file: report.file_name,
            file_id: report.file_id,
            source: report.source,
            result: result_badge(&report.result),
            state: state_badge(report.state),
            attempts: report.attempts,
            at: Moment::new(report.sent_at.unwrap_or(report.stored_at), now),
            due: report.due_at.map(|at| Moment::new(at, now)),
            error: report.error.as_deref().map(sentence),
        }
    }
}

/// The result of the unit's test, in a word.
fn result_badge(result: &str) -> Badge {
    match result {
        "P" => Badge::new(Tone::Good, "Passed"),
        "F" => Badge::new(Tone::Bad, "Failed"),
        "E" => Badge::new(Tone::Attention, "Error"),
        "T" => Badge::new(Tone::Attention, "Terminated"),
        other => Badge::new(Tone::Quiet, other),
    }
}

/// Where a report stands, in a word.
pub(super) fn state_badge(state: ReportState) -> Badge {
    match state {
        ReportState::Queued => Badge::new(Tone::Busy, "Waiting"),
        ReportState::Sending => Badge::new(Tone::Busy, "Being sent"),
        ReportState::Sent => Badge::new(Tone::Good, "On the server"),
        ReportState::Rejected => Badge::new(Tone::Bad, "Refused"),
        ReportState::Discarded => Badge::new(Tone::Quiet, "Given up"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_that_needs_a_person_says_what_to_do() {
        assert!(link_advice(Link::Online, None).is_none());
        let held = link_advice(Link::Held, Some("the server refused the token")).unwrap();
        assert_eq!(
            held.words,
            "The server refused the token. No report is lost; sending goes on once this is put right."
        );
        assert_eq!(link_advice(Link::NotConfigured, None).unwrap().action, "Set up the server");
    }

    #[test]
    fn what_is_not_foreseeable_is_said() {
        assert_eq!(drained(Some(600)), "All sent in about 10 min");
        assert_eq!(drained(None), "When all are sent is not foreseeable");
        assert_eq!(full(Some(0)), "that is too little to take more files");
        assert_eq!(full(Some(200_000)), "full in about 2 days if it goes on like this");
        assert_eq!(full(None), "when it is full is not foreseeable");
    }

    #[test]
    fn a_meter_never_leaves_its_scale() {
        assert_eq!(Meter::new(5, 10, String::new()).percent, 50);
        assert_eq!(Meter::new(5, 0, String::new()).percent, 0);
        assert_eq!(Meter::new(20, 10, String::new()).percent, 100);
    }
}
