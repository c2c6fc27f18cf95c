//! `files`: the input files and what came of them.

use clap::Subcommand;

use super::print::{print, show};
use crate::config::Settings;
use crate::control::api::{Changed, FileDetail, FileQuery, FileRecord, FileState};

/// What can be done with the input files.
#[derive(Debug, Subcommand)]
pub(super) enum FilesCommand {
    /// List input files, newest first.
    List {
        /// Only files in this state: claimed, converted or failed.
        #[arg(long, value_parser = state)]
        state: Option<FileState>,
        /// Only files of this source.
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// Only files with this content.
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only what comes after this file in the list: the last one of the page before.
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
    },
    /// Show one file with its reports.
    Show { id: i64 },
    /// Convert a failed file again, or all.
    Retry {
        #[arg(required_unless_present = "all")]
        id: Option<i64>,
        /// All failed files, or those of the source.
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// Only files of this source.
        #[arg(long, value_name = "NAME", requires = "all")]
        source: Option<String>,
    },
}

fn state(word: &str) -> Result<FileState, String> {
    [FileState::Claimed, FileState::Converted, FileState::Failed]
        .into_iter()
        .find(|state| state.as_str() == word)
        .ok_or_else(|| "it is claimed, converted or failed".to_owned())
}

/// Does what was asked for with the files.
pub(super) async fn run(settings: &Settings, command: &FilesCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    match command {
        FilesCommand::List { state, source, sha256, limit, before } => {
            let query = FileQuery {
                state: *state,
                source: source.clone(),
                sha256: sha256.clone(),
                limit: Some(*limit),
                before: *before,
            };
            show(json, &client.files(&query).await?, |files| files.iter().map(line).collect())
        }
        FilesCommand::Show { id } => show(json, &client.file(*id).await?, describe),
        FilesCommand::Retry { id: Some(id), .. } => {
            client.retry_file(*id).await?;
            if json {
                return show(true, &Changed { count: 1, ..Changed::default() }, |_| String::new());
            }
            print(&format!("file {id} is converted again\n"))
        }
        FilesCommand::Retry { id: None, source, .. } => {
            let query = FileQuery { source: source.clone(), ..FileQuery::default() };
            let mut all = Changed { more: true, ..Changed::default() };
            while all.more {
                let changed = client.retry_files(&query).await?;
                all = Changed {
                    count: all.count + changed.count,
                    failed: changed.failed,
                    // What cannot be put back would be found again and again.
                    more: changed.more && changed.count > 0,
                };
            }
            show(json, &all, |it| match it.failed {
                0 => format!("{} files are converted again\n", it.count),
                failed => {
                    format!(
                        "{} files are converted again, {failed} could not be put back: see the log\n",
                        it.count
                    )
                }
            })
        }
    }
}

fn line(file: &FileRecord) -> String {
    let error = file.error.as_deref().and_then(|words| words.lines().next()).unwrap_or_default();
    let state = file.left.as_ref().map_or(file.state.as_str(), |left| left.outcome.as_str());
    let error = file.left.as_ref().map_or(error, |left| left.reason.as_str());
    let (id, source, name) = (file.id, &file.source, &file.name);
    format!("{id:>8}  {state:<9}  {source:<16}  {name}  {error}").trim_end().to_owned() + "\n"
}

fn describe(file: &FileDetail) -> String {
    let record = &file.record;
    let mut text = line(record);
    text += &format!("received   {}\n", record.received_at);
    text += &format!("content    {} bytes, SHA-256 {}\n", record.size_bytes, record.sha256);
    text += &format!("converter  {}\n", record.converter);
    if let Some(words) = &record.error {
        text += &format!("error      {}\n", words.replace('\n', "\n           "));
    }
    if let Some(left) = &record.left {
        text += &format!("left       {}: {}\n", left.outcome.as_str(), left.reason);
    }
    if let Some(first) = file.duplicate_of {
        text += &format!("the same content as file {first}\n");
    }
    for report in &file.reports {
        text += &format!("report     {}  {}  {}\n", report.id, report.state.as_str(), report.serial_number);
    }
    text.extend(file.log.iter().map(|line| format!("log        {}", super::plugin::log_line(line))));
    text
}
