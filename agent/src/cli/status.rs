//! `status`, `pause`, `resume` and `events`: the agent as a whole.

use clap::ValueEnum;
use futures_util::StreamExt;
use serde_json::Value;

use super::exit::AgentEnded;
use super::print::{print, show};
use super::register;
use crate::config::Settings;
use crate::control::api::{HealthLevel, Notice, Paused, Status};
use crate::control::client::{ControlClient, ControlError};

/// What can be paused as a whole; a single source: `wats-agent sources pause`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// Taking files.
    Intake,
    /// Sending reports.
    Delivery,
    /// Both.
    All,
}

/// Shows the agent at a glance.
pub(super) async fn status(settings: &Settings, json: bool) -> anyhow::Result<()> {
    show(json, &super::client(settings)?.status().await?, describe)
}

/// Pauses or resumes.
pub(super) async fn pause(settings: &Settings, part: Part, pause: bool, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    let mut now = Paused::default();
    if part != Part::Delivery {
        now = if pause { client.pause_intake().await? } else { client.resume_intake().await? };
    }
    if part != Part::Intake {
        now = if pause { client.pause_delivery().await? } else { client.resume_delivery().await? };
    }
    show(json, &now, |now| {
        let word = |paused| if paused { "paused" } else { "goes on" };
        format!("intake: {}\ndelivery: {}\n", word(now.intake), word(now.delivery))
    })
}

/// Prints what happens, until the agent ends.
pub(super) async fn events(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let client: ControlClient = super::client(settings)?;
    let mut events = Box::pin(client.events().await?);
    while let Some(notice) = events.next().await {
        let notice = match notice {
            // Killed, with no time for a proper end.
            Err(ControlError::Broken(_)) => break,
            notice => notice?,
        };
        print(&if json { serde_json::to_string(&notice)? + "\n" } else { line(&notice)? })?;
    }
    Err(AgentEnded.into())
}

/// `2026-01-31T06:30:00Z file-converted source=line name=a.json …`
fn line(notice: &Notice) -> anyhow::Result<String> {
    let mut text = format!("{} {}", notice.at, notice.event.word());
    if let Value::Object(members) = serde_json::to_value(&notice.event)? {
        for (name, value) in members.iter().filter(|(name, value)| *name != "event" && !value.is_null()) {
            match value {
                Value::String(word) if !word.contains([' ', '"']) && !word.is_empty() => {
                    text += &format!(" {name}={word}");
                }
                value => text += &format!(" {name}={value}"),
            }
        }
    }
    Ok(text + "\n")
}

fn describe(status: &Status) -> String {
    let health = match status.health.level {
        HealthLevel::Ok => "ok",
        HealthLevel::Attention => "needs attention",
        HealthLevel::Failed => "failed",
    };
    let mut text = format!("{} ({}): {health}\n", status.instance, status.version);
    for reason in &status.health.reasons {
        text += &format!("  - {reason}\n");
    }
    let queue = &status.queue;
    text += &format!("server   {}\n", status.server.url.as_deref().unwrap_or("not set up"));
    text += &register::describe(&status.registration);
    text += &format!(
        "reports  {} queued, {} sending, {} rejected, {} sent\n",
        queue.queued, queue.sending, queue.rejected, queue.sent
    );
    let waiting = queue.queued + queue.sending;
    if waiting > 0 {
        text += &match status.forecast.seconds_to_drained {
            Some(seconds) => format!("         all are sent in about {}\n", span(seconds)),
            None => "         when all are sent is not foreseeable\n".to_owned(),
        };
    }
    text += &format!("files    {} failed\n", queue.failed_files);
    text += &format!("disk     {} MB free", status.disk.free_bytes / 1_000_000);
    text += &match status.forecast.seconds_to_full {
        Some(0) => ": too little, no more files are taken\n".to_owned(),
        Some(seconds) => format!(": full in about {}\n", span(seconds)),
        None => ", when it is full is not foreseeable\n".to_owned(),
    };
    for source in &status.sources {
        text += &format!(
            "source   {} in {}: {} converted, {} failed\n",
            source.settings.name, source.folder, source.files_converted, source.files_failed
        );
        let detection = &source.detection;
        if let (Some(median), Some(most)) = (detection.latency_p50_ms, detection.latency_p99_ms) {
            text +=
                &format!("         files are known to be complete after {median} ms, 99 % after {most} ms\n");
        }
    }
    text
}

/// `12 s`, `4 min`, `3 h`, `5 days`.
fn span(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5_999 => format!("{} min", seconds.div_ceil(60)),
        6_000..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::Event;

    #[test]
    fn an_event_is_one_line() {
        let at = "2026-01-31T06:30:00Z".parse().unwrap();
        let event = Event::FileFailed {
            source: "line".to_owned(),
            name: "a.json".to_owned(),
            file_id: 7,
            error: "it is \"no\" JSON".to_owned(),
        };
        assert_eq!(
            line(&Notice { at, event }).unwrap(),
            "2026-01-31T06:30:00Z file-failed source=line name=a.json file_id=7 error=\"it is \\\"no\\\" JSON\"\n"
        );
        assert_eq!(
            line(&Notice { at, event: Event::SettingsChanged }).unwrap(),
            "2026-01-31T06:30:00Z settings-changed\n"
        );
    }
}
