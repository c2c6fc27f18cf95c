//! Every part of the machine in detail.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use wats_agent::control::api::{HealthLevel, SandboxStatus, Status};
use wats_appliance::system::api::Host;

use super::dashboard::{Meter, link_badge, machine_memory};
use crate::access::SignedIn;
use crate::error::{PageError, agent_words, sentence};
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Moment, Tone, count, size, span};
use crate::{Console, certificate};

/// So many lines of the audit log are shown.
const AUDIT_LINES: u32 = 30;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/health", get(show)).route("/health/parts", get(parts_only))
}

#[derive(Template, WebTemplate)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    parts: Parts,
    audit: Vec<AuditLine>,
}

/// The part that refreshes itself.
#[derive(Template, WebTemplate)]
#[template(path = "health_parts.html")]
struct Parts(Vec<Part>);

/// One part of the machine: how it fares, and its figures.
struct Part {
    name: &'static str,
    badge: Badge,
    words: Vec<String>,
    facts: Vec<(&'static str, String)>,
    meter: Option<Meter>,
}

impl Part {
    /// For links from other pages: `/health#sandbox`.
    fn id(&self) -> String {
        self.name.to_ascii_lowercase().replace(' ', "-")
    }
}

struct AuditLine {
    at: Moment,
    user: String,
    action: String,
    detail: String,
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let audit = console.state.audit_log(AUDIT_LINES).await?.into_iter().map(|entry| AuditLine {
        at: Moment::new(entry.at, now),
        user: entry.user_name.unwrap_or_else(|| "–".to_owned()),
        action: sentence(&entry.action.replace('-', " ")),
        detail: entry.detail,
    });
    let frame = user.frame("Health", Nav::Health);
    Ok(HealthPage { frame, parts: parts(&console, now).await, audit: audit.collect() }.into_response())
}

async fn parts_only(_: SignedIn, console: State<Console>) -> Response {
    parts(&console, Timestamp::now()).await.into_response()
}

async fn parts(console: &Console, now: Timestamp) -> Parts {
    let (status, sandbox, host) =
        tokio::join!(console.agent.status(), console.agent.sandbox(), console.system.host());
    let mut parts = Vec::new();
    match status {
        Ok(status) => {
            parts.extend([agent(&status, now), server(&status, now), queue(&status, now), disk(&status)])
        }
        Err(error) => parts.push(Part {
            name: "Agent",
            badge: Badge::new(Tone::Bad, "No answer"),
            words: vec![agent_words(&error)],
            facts: Vec::new(),
            meter: None,
        }),
    }
    if let Ok(status) = sandbox {
        parts.push(sandboxed(&status));
    }
    parts.push(memory());
    parts.push(match host {
        Ok(host) => system(&host),
        Err(error) => Part {
            name: "System",
            badge: Badge::new(Tone::Bad, "No answer"),
            words: vec![error.to_string()],
            facts: Vec::new(),
            meter: None,
        },
    });
    parts.push(certificate(console, now));
    Parts(parts)
}

fn agent(status: &Status, now: Timestamp) -> Part {
    let badge = match status.health.level {
        HealthLevel::Ok => Badge::new(Tone::Good, "Good"),
        HealthLevel::Attention => Badge::new(Tone::Attention, "Needs attention"),
        HealthLevel::Failed => Badge::new(Tone::Bad, "Failed"),
    };
    let settings =
        if status.config_writable { "Can be changed here" } else { "Read only: its file cannot be written" };
    Part {
        name: "Agent",
        badge,
        words: status.health.reasons.iter().map(|reason| sentence(reason)).collect(),
        facts: vec![
            ("Instance", status.instance.clone()),
            ("Version", status.version.clone()),
            ("Running since", Moment::new(status.started_at, now).ago),
            ("Station", status.station.name.clone()),
            ("Memory", size(status.memory_bytes)),
            ("Settings", settings.to_owned()),
        ],
        meter: None,
    }
}

fn server(status: &Status, now: Timestamp) -> Part {
    let server = &status.server;
    let ago = |at| Moment::new(at, now).ago;
    Part {
        name: "WATS server",
        badge: link_badge(server.link),
        words: server.trouble.as_deref().map(sentence).into_iter().collect(),
        facts: vec![
            ("Address", server.url.clone().unwrap_or_else(|| "not set".to_owned())),
            ("Version", server.version.clone().unwrap_or_else(|| "not known yet".to_owned())),
            ("Last report accepted", server.last_success.map_or_else(|| "none yet".to_owned(), ago)),
        ],
        meter: None,
    }
}

fn queue(status: &Status, now: Timestamp) -> Part {
    let queue = &status.queue;
    let badge = if queue.rejected + queue.failed_files > 0 {
        Badge::new(Tone::Attention, "Needs attention")
    } else {
        Badge::new(Tone::Good, "Good")
    };
    let oldest = queue.oldest_queued.map_or_else(|| "–".to_owned(), |at| Moment::new(at, now).ago);
    Part {
        name: "Queue",
        badge,
        words: Vec::new(),
        facts: vec![
            ("Waiting", (queue.queued + queue.sending).to_string()),
            ("Oldest waiting", oldest),
            ("Refused by the server", queue.rejected.to_string()),
            ("Files that failed", queue.failed_files.to_string()),
            ("Sent in 24 hours", queue.sent_today.to_string()),
            ("Sent in all", queue.sent.to_string()),
        ],
        meter: None,
    }
}

/// The sandbox of customers' own converters: what holds, and what to do about what does not.
fn sandboxed(sandbox: &SandboxStatus) -> Part {
    let missing = sandbox.missing();
    let badge = match (&sandbox.trouble, missing.len() as u64) {
        (Some(_), _) => Badge::new(Tone::Bad, "None"),
        (None, _) if sandbox.layers.is_empty() => Badge::new(Tone::Busy, "Being looked at"),
        (None, 0) => Badge::new(Tone::Good, "Complete"),
        (None, lacks) => Badge::new(Tone::Attention, count(lacks, "layer missing", "layers missing")),
    };
    let mut words = Vec::new();
    if let Some(trouble) = &sandbox.trouble {
        words.push(format!("Converters of your own do not run: {}", sentence(trouble)));
    }
    let lacking = sandbox.layers.iter().filter(|it| !it.holds);
    words.extend(lacking.map(|it| {
        let words = sentence(&format!("the layer {} ({}) is missing: {}", it.name, it.protects, it.detail));
        format!("{words} {}", sentence(&format!("to do: {}", it.remedy)))
    }));
    let holds = sandbox.layers.iter().filter(|it| it.holds).map(|it| it.name.as_str());
    let holds: Vec<_> = holds.collect();
    Part {
        name: "Sandbox",
        badge,
        words,
        facts: if holds.is_empty() { Vec::new() } else { vec![("Holds", holds.join(", "))] },
        meter: None,
    }
}

/// The badge of something that fills up.
fn fill(percent: u64) -> Badge {
    match percent {
        0..=84 => Badge::new(Tone::Good, "Good"),
        85..=94 => Badge::new(Tone::Attention, "Filling up"),
        _ => Badge::new(Tone::Bad, "Almost full"),
    }
}

fn disk(status: &Status) -> Part {
    let disk = status.disk;
    let words = format!("{} free of {}", size(disk.free_bytes), size(disk.total_bytes));
    let meter = Meter::new(disk.total_bytes.saturating_sub(disk.free_bytes), disk.total_bytes, words);
    Part {
        name: "Disk",
        badge: fill(meter.percent),
        words: Vec::new(),
        facts: Vec::new(),
        meter: Some(meter),
    }
}

fn memory() -> Part {
    let (used, total) = machine_memory();
    let meter = Meter::new(used, total, format!("{} used of {}", size(used), size(total)));
    let facts = match sysinfo::System::load_average() {
        Ok(load) => vec![
            ("Load, 1 min", format!("{:.2}", load.one)),
            ("Load, 15 min", format!("{:.2}", load.fifteen)),
        ],
        Err(_) => Vec::new(),
    };
    Part {
        name: "Memory and processor",
        badge: fill(meter.percent),
        words: Vec::new(),
        facts,
        meter: Some(meter),
    }
}

fn system(host: &Host) -> Part {
    let badge = if host.reboot_required {
        Badge::new(Tone::Attention, "Restart needed")
    } else {
        Badge::new(Tone::Good, "Good")
    };
    let addresses: Vec<String> = host.addresses.iter().map(ToString::to_string).collect();
    Part {
        name: "System",
        badge,
        words: Vec::new(),
        facts: vec![
            ("Name", host.host_name.clone()),
            ("Addresses", addresses.join(", ")),
            ("Time zone", host.time_zone.clone()),
            ("Operating system", host.operating_system.clone()),
            ("Appliance", host.version.clone()),
            ("Up for", span(host.uptime_seconds)),
        ],
        meter: None,
    }
}

fn certificate(console: &Console, now: Timestamp) -> Part {
    let (badge, facts, words) = match certificate::read(&console.certificate) {
        Ok(found) => {
            let left = found.expires.map(|at| at.as_second() - now.as_second());
            let badge = match left {
                Some(..=0) => Badge::new(Tone::Bad, "Expired"),
                Some(..2_592_000) => Badge::new(Tone::Attention, "Expires soon"),
                _ => Badge::new(Tone::Good, "Good"),
            };
            let expires = found.expires.map_or_else(|| "–".to_owned(), |at| Moment::new(at, now).ago);
            (badge, vec![("SHA-256", found.fingerprint), ("Expires", expires)], Vec::new())
        }
        Err(error) => (Badge::new(Tone::Bad, "Unreadable"), Vec::new(), vec![sentence(&error.to_string())]),
    };
    Part { name: "Certificate", badge, words, facts, meter: None }
}
