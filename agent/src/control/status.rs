//! The whole agent at a glance, and the one word for its health.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;

use super::api::{
    ConfigState, Disk, Health, HealthLevel, Link, Paused, QueueCounts, ReportQuery, ServerState,
    SourceSettings, SourceState, SourceStatus, Station, Status,
};
use crate::agent::Agent;
use crate::forecast::Look;
use crate::metrics;
use crate::sandbox;
use crate::service::Vitals;
use crate::store::{Newest, SourceTotals, StoreError};
use crate::system;

/// Older servers are said to miss parts of the API.
const OLDEST_SERVER: [u64; 4] = [2025, 3, 9, 824];

/// Gathers everything that a person is shown first.
///
/// # Errors
/// When the database does not answer.
pub async fn status(agent: &Agent, vitals: &Vitals, now: Timestamp) -> Result<Status, StoreError> {
    let settings = agent.settings();
    let queue = agent.store().queue_counts(now).await?;
    let sources = sources(agent).await?;
    let newest = ReportQuery { limit: Some(10), ..ReportQuery::default() };
    let last_reports = agent.store().reports(&newest).await?;
    let server = server_state(agent);
    let disk = disk(&settings.storage_folder());
    let forecast = agent.foresee(Look {
        at: Instant::now(),
        free_bytes: disk.free_bytes,
        pending: queue.queued + queue.sending,
        departed: metrics::departed(),
    });
    let mut failures = agent.troubles();
    failures.extend(vitals.stuck().iter().map(ToString::to_string));
    let config = agent.config_state();
    let mut health =
        judge(failures, &server, settings.paused(), queue, disk, settings.least_free_bytes(), &sources);
    attend(&mut health, agent.alarms());
    attend(&mut health, unsaid(&settings.config.station).into_iter().collect());
    attend(&mut health, concerns(&config));
    attend(&mut health, sandbox::concerns(&agent.sandbox(), settings.config.sandbox.missing_layers));
    Ok(Status {
        instance: settings.instance.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: agent.started_at(),
        health,
        server,
        paused: settings.paused(),
        registration: agent.registration(),
        queue,
        station: settings.config.station.clone(),
        sources,
        last_reports,
        disk,
        forecast,
        memory_bytes: system::own_memory(),
        config_writable: settings.is_writable(),
        config,
    })
}

/// What the station's settings lack: the server takes no report without it, and not every file says it.
fn unsaid(station: &Station) -> Option<String> {
    let named = [("location", &station.location), ("purpose", &station.purpose)];
    let missing: Vec<_> =
        named.into_iter().filter(|(_, text)| text.trim().is_empty()).map(|(name, _)| name).collect();
    (!missing.is_empty()).then(|| {
        let missing = missing.join(" and no ");
        format!("the station has no {missing}: a file that does not say it either cannot be converted")
    })
}

/// What a person should do about the configuration file.
fn concerns(config: &ConfigState) -> Vec<String> {
    let mut concerns = Vec::new();
    if !config.problems.is_empty() {
        let words = config.problems.join("; ");
        concerns.push(format!("the configuration file is wrong, the one of before stays in force: {words}"));
    }
    if !config.restart.is_empty() {
        concerns.push(format!("these settings hold from the next start on: {}", config.restart.join(", ")));
    }
    concerns
}

/// Adds reasons why a person should look.
fn attend(health: &mut Health, reasons: Vec<String>) {
    if !reasons.is_empty() {
        health.level = health.level.max(HealthLevel::Attention);
        health.reasons.extend(reasons);
    }
}

/// The server as deliveries have seen it, and whether it is configured at all.
pub(super) fn server_state(agent: &Agent) -> ServerState {
    let mut state = agent.server();
    let token = agent.secrets().server_token();
    if state.url.is_none() || matches!(token, Ok(None)) {
        state.link = Link::NotConfigured;
        state.trouble = None;
    } else if let Err(error) = token {
        state.link = Link::Held;
        state.trouble = Some(error.to_string());
    }
    state
}

/// Every source as it is now, in the order of the configuration.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn sources(agent: &Agent) -> Result<Vec<SourceStatus>, StoreError> {
    let mut totals = agent.store().source_totals().await?;
    let mut list = Vec::new();
    for source in &agent.settings().config.sources {
        let totals = totals.remove(&source.name).unwrap_or_default();
        list.push(source_status(agent, source, totals).await?);
    }
    Ok(list)
}

async fn source_status(
    agent: &Agent,
    source: &SourceSettings,
    totals: SourceTotals,
) -> Result<SourceStatus, StoreError> {
    let health = agent.source_health(&source.name);
    Ok(SourceStatus {
        folder: agent.settings().folder_of(source).display().to_string(),
        state: if source.paused { SourceState::Paused } else { health.state },
        trouble: health.trouble,
        detection: health.detection,
        files_converted: totals.converted,
        files_failed: totals.failed,
        last_file: agent.store().last_file(&source.name, Newest::Any).await?,
        last_error: agent.store().last_file(&source.name, Newest::Failed).await?,
        settings: source.clone(),
    })
}

/// Decides the one word, with the reasons, worst first.
fn judge(
    failures: Vec<String>,
    server: &ServerState,
    paused: Paused,
    queue: QueueCounts,
    disk: Disk,
    least_free: u64,
    sources: &[SourceStatus],
) -> Health {
    let mut failed = failures;
    let mut look = Vec::new();
    if disk.free_bytes < least_free {
        failed.push(format!("only {} MB are free on the disk of the queue", disk.free_bytes / 1_000_000));
    }
    if paused.intake {
        look.push("taking files is paused: nothing is converted until it is resumed".to_owned());
    }
    if paused.delivery {
        look.push("sending is paused: reports wait until it is resumed".to_owned());
    }
    let trouble = server.trouble.as_deref().unwrap_or("the reason is not known");
    match server.link {
        Link::Held => look.push(format!("nothing is sent until a person acts: {trouble}")),
        Link::Offline => look.push(format!("the server cannot be reached: {trouble}")),
        Link::NotConfigured => look.push("no WATS server is set up".to_owned()),
        Link::Unknown | Link::Online => {}
    }
    if let Some(version) = server.version.as_deref().filter(|version| is_old(version)) {
        let oldest = OLDEST_SERVER.map(|part| part.to_string()).join(".");
        look.push(format!(
            "the server's version {version} is older than {oldest}: reports are sent, but it may not know all of them"
        ));
    }
    for source in sources {
        let name = &source.settings.name;
        match (source.state, source.trouble.as_deref()) {
            (SourceState::Failed, trouble) => {
                look.push(format!("source {name} does not work: {}", trouble.unwrap_or("see the log")));
            }
            (SourceState::Paused, _) if paused.intake && !source.settings.paused => {}
            (SourceState::Paused, _) => look.push(format!("source {name} is paused")),
            (SourceState::Watching, Some(trouble)) => look.push(format!("source {name}: {trouble}")),
            (SourceState::Watching, None) => {}
        }
    }
    if queue.rejected > 0 {
        look.push(match queue.rejected {
            1 => "1 report was refused by the server".to_owned(),
            many => format!("{many} reports were refused by the server"),
        });
    }
    if queue.failed_files > 0 {
        look.push(match queue.failed_files {
            1 => "1 file could not be converted".to_owned(),
            many => format!("{many} files could not be converted"),
        });
    }
    let level = match (failed.is_empty(), look.is_empty()) {
        (false, _) => HealthLevel::Failed,
        (true, false) => HealthLevel::Attention,
        (true, true) => HealthLevel::Ok,
    };
    failed.extend(look);
    Health { level, reasons: failed }
}

/// True for a version of numbers and dots that is too old; one that is written otherwise is not judged.
fn is_old(version: &str) -> bool {
    let parts: Option<Vec<u64>> = version.trim().split('.').map(|part| part.parse().ok()).collect();
    parts.is_some_and(|parts| parts.as_slice() < OLDEST_SERVER.as_slice())
}

/// The file system of `folder`; without one there is no room.
pub fn disk(folder: &Path) -> Disk {
    let (free_bytes, total_bytes) = system::room(folder).unwrap_or_default();
    Disk { free_bytes, total_bytes }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: u64 = 256 << 20;
    const GOES_ON: Paused = Paused { intake: false, delivery: false };
    const ROOM: Disk = Disk { free_bytes: 10_000_000_000, total_bytes: 20_000_000_000 };

    fn server(link: Link, trouble: Option<&str>) -> ServerState {
        ServerState { url: None, link, version: None, last_success: None, trouble: trouble.map(Into::into) }
    }

    #[test]
    fn an_agent_without_trouble_is_ok() {
        let health =
            judge(Vec::new(), &server(Link::Online, None), GOES_ON, QueueCounts::default(), ROOM, LEAST, &[]);
        assert_eq!(health, Health { level: HealthLevel::Ok, reasons: Vec::new() });
    }

    #[test]
    fn failures_come_before_what_a_person_should_look_at() {
        let queue = QueueCounts { rejected: 2, failed_files: 1, ..QueueCounts::default() };
        let full = Disk { free_bytes: 5_000_000, ..ROOM };
        let held = server(Link::Held, Some("the server does not accept our credential (401)"));
        let health = judge(vec!["the intake crashed".to_owned()], &held, GOES_ON, queue, full, LEAST, &[]);
        assert_eq!(health.level, HealthLevel::Failed);
        assert_eq!(
            health.reasons,
            [
                "the intake crashed",
                "only 5 MB are free on the disk of the queue",
                "nothing is sent until a person acts: the server does not accept our credential (401)",
                "2 reports were refused by the server",
                "1 file could not be converted",
            ]
        );
    }

    #[test]
    fn what_a_person_paused_is_said() {
        let online = server(Link::Online, None);
        let queue = QueueCounts::default();
        for (intake, delivery, words) in
            [(true, false, "taking files is paused"), (false, true, "sending is paused")]
        {
            let health = judge(Vec::new(), &online, Paused { intake, delivery }, queue, ROOM, LEAST, &[]);
            assert_eq!(health.level, HealthLevel::Attention);
            assert!(
                health.reasons.len() == 1 && health.reasons[0].starts_with(words),
                "{:?}",
                health.reasons
            );
        }
    }

    #[test]
    fn what_the_station_lacks_is_said_before_a_file_fails() {
        let station = |location: &str, purpose: &str| Station {
            location: location.to_owned(),
            purpose: purpose.to_owned(),
            ..Station::default()
        };
        assert_eq!(unsaid(&station("Oslo", "Production")), None);
        for (station, words) in [
            (station("", " "), "the station has no location and no purpose: "),
            (station("Oslo", ""), "the station has no purpose: "),
        ] {
            let said = unsaid(&station).unwrap();
            assert!(said.starts_with(words), "{said}");
        }
    }

    #[test]
    fn a_server_that_is_away_asks_for_attention_only() {
        let away = server(Link::Offline, Some("timed out"));
        let health = judge(Vec::new(), &away, GOES_ON, QueueCounts::default(), ROOM, LEAST, &[]);
        assert_eq!(health.level, HealthLevel::Attention);
    }

    #[test]
    fn an_old_server_is_warned_about_and_never_refused() {
        for (version, warned) in [
            ("2025.3.9.823", true),
            ("2024.12.31.999", true),
            ("2025.3.9.824", false),
            ("2026.1.5.324", false),
            ("v7-beta", false),
        ] {
            let mut server = server(Link::Online, None);
            server.version = Some(version.to_owned());
            let health = judge(Vec::new(), &server, GOES_ON, QueueCounts::default(), ROOM, LEAST, &[]);
            assert_eq!(health.level == HealthLevel::Attention, warned, "{version}: {:?}", health.reasons);
            assert_ne!(health.level, HealthLevel::Failed);
        }
    }

    #[test]
    fn memory_and_disk_of_this_machine_are_seen() {
        assert!(system::own_memory() > 100_000);
        let disk = disk(Path::new("/"));
        assert!(disk.total_bytes >= disk.free_bytes && disk.total_bytes > 0);
    }
}
