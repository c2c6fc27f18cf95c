//! The commands that ask a running agent: `status` and `queue`.

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::config::Settings;
use crate::control::api::{
    HealthLevel, RegisterWish, Registration, RegistrationState, ReportQuery, ReportRecord, ReportState,
    Status,
};
use crate::control::client::ControlClient;

/// What can be done with the queue of reports.
#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// List reports, newest first.
    List {
        /// Only reports in this state: queued, sending, sent, rejected or discarded.
        #[arg(long, value_parser = state)]
        state: Option<ReportState>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one report: what came of it, the server's words, and with --json its content.
    Show {
        id: Uuid,
        /// As JSON, with the content.
        #[arg(long)]
        json: bool,
    },
    /// Send a report again now.
    Retry { id: Uuid },
    /// Give a report up; it is kept for the record.
    Discard { id: Uuid },
}

fn state(word: &str) -> Result<ReportState, String> {
    use ReportState::{Discarded, Queued, Rejected, Sending, Sent};
    let all = [Queued, Sending, Sent, Rejected, Discarded];
    all.into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| "it is queued, sending, sent, rejected or discarded".to_owned())
}

/// Shows the agent at a glance.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn status(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let status = client(settings)?.status().await?;
    if json { print_json(&status) } else { print(&describe(&status)) }
}

/// Shows what was done about a damaged database, or confirms it.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn rescue(settings: &Settings, confirm: bool) -> anyhow::Result<()> {
    let client = client(settings)?;
    if confirm {
        client.confirm_rescue().await?;
        return print("confirmed\n");
    }
    match client.rescue().await? {
        Some(rescue) => print(&format!("{}\n", rescue.words())),
        None => print("the database was not rebuilt, or somebody has confirmed it\n"),
    }
}

/// Does what was asked for with the queue.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn queue(settings: &Settings, command: &QueueCommand) -> anyhow::Result<()> {
    let client = client(settings)?;
    match *command {
        QueueCommand::List { state, limit, json } => {
            let query = ReportQuery { state, limit: Some(limit), before: None };
            let reports = client.reports(&query).await?;
            if json { print_json(&reports) } else { print(&table(&reports)) }
        }
        QueueCommand::Show { id, json } => {
            let report = client.report(id).await?;
            if json {
                return print_json(&report);
            }
            let mut text = table(std::slice::from_ref(&report.record));
            text += &format!("file      {} of source {}\n", report.record.file_name, report.record.source);
            text += &format!("attempts  {}\n", report.record.attempts);
            let mut server = report.server_answer.clone();
            if !report.complaints.is_empty() {
                let lines = report.complaints.iter().map(|it| match &it.source {
                    Some(source) => format!("{}\n  {source}", it.words),
                    None => it.words.clone(),
                });
                server = Some(lines.collect::<Vec<_>>().join("\n"));
            }
            for (what, words) in [("error", &report.record.error), ("server", &server)] {
                if let Some(words) = words {
                    text += &format!("{what:<10}{}\n", words.replace('\n', "\n          "));
                }
            }
            print(&text)
        }
        QueueCommand::Retry { id } => {
            client.retry_report(id).await?;
            print(&format!("{id} is sent again\n"))
        }
        QueueCommand::Discard { id } => {
            client.discard_report(id).await?;
            print(&format!("{id} is given up\n"))
        }
    }
}

/// Registers this machine at the server.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn register(settings: &Settings, token_stdin: bool, json: bool) -> anyhow::Result<()> {
    let mut wish = RegisterWish::default();
    if token_stdin {
        let mut line = Zeroizing::new(String::new());
        std::io::stdin().read_line(&mut line).context("reading the token from standard input")?;
        wish.token = Some(line.trim().into());
    }
    let registration = client(settings)?.register(&wish).await?;
    if json { print_json(&registration) } else { print(&describe_registration(&registration)) }
}

/// Takes the registration back.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn unregister(settings: &Settings) -> anyhow::Result<()> {
    client(settings)?.unregister().await?;
    print("this machine is no client of the server any more, and does not register again by itself\n")
}

fn describe_registration(registration: &Registration) -> String {
    let words = match registration.state {
        RegistrationState::Unknown => return String::new(),
        RegistrationState::Off => "no: switched off".to_owned(),
        RegistrationState::Registered => {
            let id = registration.client_id.as_deref().unwrap_or_default();
            match registration.updated_at {
                Some(at) => format!("as {id}, last told at {at}"),
                None => format!("as {id}"),
            }
        }
        RegistrationState::Unsupported => "no: the server has no such clients".to_owned(),
        RegistrationState::Denied | RegistrationState::Failed => "no".to_owned(),
    };
    match &registration.trouble {
        Some(trouble) => format!("client   {words}: {trouble}\n"),
        None => format!("client   {words}\n"),
    }
}

pub(super) fn client(settings: &Settings) -> anyhow::Result<ControlClient> {
    ControlClient::new(settings.socket()).context("setting up the control client")
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
    text += &describe_registration(&status.registration);
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

fn table(reports: &[ReportRecord]) -> String {
    let mut text = String::new();
    for report in reports {
        text += &format!(
            "{}  {:<9}  {:<20}  {:<20}  {}\n",
            report.id,
            report.state.as_str(),
            report.serial_number,
            report.part_number,
            report.error.as_deref().and_then(|words| words.lines().next()).unwrap_or_default()
        );
    }
    text
}

pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("writing JSON")?;
    print(&(text + "\n"))
}

/// Writes to standard output; a reader that has seen enough is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("writing the answer")
        }
        _ => Ok(()),
    }
}
