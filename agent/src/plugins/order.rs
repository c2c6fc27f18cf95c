//! One file for one plug-in: how it is asked for, and what the answer means.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};
use wats_converters::Companion;

use super::description::{Converter, FolderRule};
use super::pool::Made;
use super::process::{PluginError, Process};
use super::protocol::{self, End, Last};
use super::talk::Answered;
use crate::control::api::{After, ConverterKind, LeftAlone, LogLevel, LogLine, TrialOutcome};
use crate::convert::Job;
use crate::intake::fits;

/// A file that is not complete is looked at again after so long, where its converter does not say.
pub(super) const AGAIN: Duration = Duration::from_secs(60);
/// The longest time that a converter may ask for.
const LATEST: Duration = Duration::from_secs(24 * 3600);

/// One file for one converter.
pub(super) struct Wanted<'a> {
    pub(super) converter: &'a Converter,
    pub(super) arguments: Map<String, Value>,
    pub(super) job: &'a Job,
    pub(super) bytes: &'a [u8],
    pub(super) companions: &'a [Companion],
}

/// Why a process could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Asking {
    #[error("the input could not be written for the plug-in")]
    Input(#[source] io::Error),
    #[error(transparent)]
    Plugin(#[from] PluginError),
}

impl Wanted<'_> {
    /// Has the file converted; the input stays where the program sees it.
    pub(super) fn ask(&self, process: &mut Process) -> Result<(Option<PathBuf>, PathBuf, Answered), Asking> {
        let mut members = self.members();
        let (mut below, mut path) = (None, PathBuf::new());
        if self.converter.info.kind != ConverterKind::Scheduled {
            let put = process.put(self.job, self.bytes, self.companions);
            let (place, inside) = put.map_err(Asking::Input)?;
            members.insert("path".to_owned(), json!(inside));
            members.insert("modified".to_owned(), json!(self.job.modified));
            (below, path) = (Some(place), inside);
        }
        members.insert("scratch".to_owned(), json!(process.scratch()));
        let mut answered = process.convert(&members)?;
        answered.log.extend(output(&process.standard_error()));
        Ok((below, path, answered))
    }

    pub(super) fn recognise(
        &self,
        process: &mut Process,
    ) -> Result<(PathBuf, Option<protocol::Recognised>), Asking> {
        let mut members = self.members();
        let put = process.put(self.job, self.bytes, &[]);
        let (below, inside) = put.map_err(Asking::Input)?;
        members.insert("path".to_owned(), json!(inside));
        Ok((below, process.recognise(&members)?))
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("converter".to_owned(), json!(self.converter.info.name));
        members.insert("arguments".to_owned(), Value::Object(self.arguments.clone()));
        members.insert("station".to_owned(), protocol::station(&self.job.station));
        members
    }
}

/// What an answer means; the reports stay as they are only where they are to be used.
pub(super) fn judged(reports: Vec<u8>, last: End) -> (Vec<u8>, Made, Option<After>) {
    let End::Last(last) = last else {
        return (Vec::new(), Made::Failed("the plug-in gave no last answer".to_owned()), None);
    };
    let left = |outcome, reason| Made::Left(LeftAlone { outcome, reason });
    match last {
        // Nobody would miss such a file; a person has to know.
        Last::Done { .. } if reports.is_empty() => {
            (Vec::new(), Made::Failed("the plug-in made no report of the file".to_owned()), None)
        }
        Last::Done { after } => (reports, Made::Reports(Vec::new().into()), after),
        Last::Failed { error, line: Some(line) } => {
            (Vec::new(), Made::Failed(format!("line {line}: {error}")), None)
        }
        Last::Failed { error, line: None } => (Vec::new(), Made::Failed(error), None),
        Last::NotYet { reason, retry_after } => {
            let wait = retry_after.and_then(|it| Duration::try_from_secs_f64(it).ok()).unwrap_or(AGAIN);
            let wait = wait.clamp(Duration::from_millis(100), LATEST);
            (Vec::new(), Made::NotYet { reason, wait }, None)
        }
        Last::Skipped { reason } => (Vec::new(), left(TrialOutcome::Skipped, reason), None),
        Last::Rejected { reason } => (Vec::new(), left(TrialOutcome::Rejected, reason), None),
    }
}

/// What a folder lacks to be complete, as its converter says.
pub(super) fn lacking(rule: &FolderRule, job: &Job, companions: &[Companion]) -> Option<String> {
    job.folder.as_ref()?;
    // Files of the folder itself, not of those below.
    let own = companions.iter().map(|it| it.name.as_str()).filter(|name| !name.contains('/'));
    let names: Vec<&str> = own.chain([job.file_name.as_str()]).collect();
    if let Some(least) = rule.min_files.filter(|least| (names.len() as u64) < *least) {
        return Some(format!("the folder has {} files of at least {least}", names.len()));
    }
    let missing: Vec<&str> = rule
        .expected_files
        .iter()
        .filter(|pattern| !names.iter().any(|name| fits(name, std::slice::from_ref(pattern))))
        .map(String::as_str)
        .collect();
    (!missing.is_empty()).then(|| format!("the folder lacks {}", missing.join(", ")))
}

/// Lines that a program wrote to standard error.
pub(super) fn output(standard_error: &str) -> Vec<LogLine> {
    let lines: Vec<&str> = standard_error.lines().collect();
    let line = |text: &&str| LogLine { level: LogLevel::Output, text: text.chars().take(1000).collect() };
    lines.iter().skip(lines.len().saturating_sub(200)).map(line).collect()
}
