//! `queue`: the reports that wait, were sent, or were refused.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use jiff::Timestamp;
use uuid::Uuid;

use super::print::{print, show};
use super::read_input;
use crate::config::Settings;
use crate::control::api::{Changed, ReportDetail, ReportQuery, ReportRecord, ReportState};

/// What can be done with the queue of reports.
#[derive(Debug, Subcommand)]
pub(super) enum QueueCommand {
    /// List reports, newest first.
    List {
        /// Only reports in this state: queued, sending, sent, rejected or discarded.
        #[arg(long, value_parser = state)]
        state: Option<ReportState>,
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only what comes after this report in the list: the last one of the page before.
        #[arg(long, value_name = "ID")]
        before: Option<Uuid>,
    },
    /// Show one report: what came of it, the server's words, and with --json its content.
    Show { id: Uuid },
    /// Send a refused report, or a waiting one, now; or all refused ones.
    Retry {
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        #[command(flatten)]
        many: Many,
    },
    /// Give a refused report up, or all; it is kept for the record.
    Discard {
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        #[command(flatten)]
        many: Many,
    },
    /// Put a corrected content in the place of a refused report's, and send it.
    ///
    /// Take the content from `queue show --json`, member `body`, and keep its id.
    Correct {
        id: Uuid,
        /// The whole report in WSJF; - reads standard input.
        file: PathBuf,
    },
}

/// Which reports, beside their state.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// Only those from this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those of this serial number.
    #[arg(long, value_name = "NUMBER")]
    serial: Option<String>,
    /// Only those of this part number.
    #[arg(long, value_name = "NUMBER")]
    part: Option<String>,
    /// Only those stored at this time or later, like 2026-01-31T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Only those stored before this time.
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
}

/// All refused reports that fit.
#[derive(Debug, clap::Args)]
pub(super) struct Many {
    /// All refused reports, or those that the other options leave.
    #[arg(long, conflicts_with = "id")]
    all: bool,
    #[command(flatten)]
    which: Which,
}

impl Which {
    fn query(&self) -> ReportQuery {
        ReportQuery {
            source: self.source.clone(),
            serial_number: self.serial.clone(),
            part_number: self.part.clone(),
            from: self.from,
            to: self.to,
            ..ReportQuery::default()
        }
    }
}

fn state(word: &str) -> Result<ReportState, String> {
    use ReportState::{Discarded, Queued, Rejected, Sending, Sent};
    let all = [Queued, Sending, Sent, Rejected, Discarded];
    all.into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| "it is queued, sending, sent, rejected or discarded".to_owned())
}

/// Does what was asked for with the queue.
pub(super) async fn run(settings: &Settings, command: &QueueCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    match command {
        QueueCommand::List { state, which, limit, before } => {
            let query = ReportQuery { state: *state, limit: Some(*limit), before: *before, ..which.query() };
            show(json, &client.reports(&query).await?, |reports| table(reports))
        }
        QueueCommand::Show { id } => show(json, &client.report(*id).await?, describe),
        QueueCommand::Retry { id: Some(id), .. } => {
            client.retry_report(*id).await?;
            one(json, &format!("{id} is sent again\n"))
        }
        QueueCommand::Discard { id: Some(id), .. } => {
            client.discard_report(*id).await?;
            one(json, &format!("{id} is given up\n"))
        }
        QueueCommand::Retry { id: None, many } => {
            let changed = client.retry_reports(&many.which.query()).await?;
            show(json, &changed, |it| format!("{} reports are sent again\n", it.count))
        }
        QueueCommand::Discard { id: None, many } => {
            let mut all = Changed { more: true, ..Changed::default() };
            while all.more {
                let changed = client.discard_reports(&many.which.query()).await?;
                all = Changed { count: all.count + changed.count, ..changed };
            }
            show(json, &all, |it| format!("{} reports are given up\n", it.count))
        }
        QueueCommand::Correct { id, file } => {
            let body = read_input(file).with_context(|| format!("could not read {}", file.display()))?;
            client.correct_report(*id, body).await?;
            one(json, &format!("{id} is corrected and sent again\n"))
        }
    }
}

/// A single change has no more to say than that it was made.
fn one(json: bool, words: &str) -> anyhow::Result<()> {
    if json {
        show(true, &Changed { count: 1, ..Changed::default() }, |_| String::new())
    } else {
        print(words)
    }
}

fn describe(report: &ReportDetail) -> String {
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
    text
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
