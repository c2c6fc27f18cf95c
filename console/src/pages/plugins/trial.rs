//! Trying a plug-in on a sample: nothing of it is kept.

use std::collections::BTreeMap;

use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::Value;
use wats_agent::control::api::{
    After, ConverterInfo, ConverterKind, LARGEST_SAMPLE, PluginInfo, PluginTrial, PluginTry, TrialOutcome,
};
use wats_agent::plugins::PREFIX;

use super::page::{Shown, plugin_page};
use super::sent;
use super::words::{LogRow, log_rows};
use crate::Console;
use crate::access::SignedIn;
use crate::arguments::{self, ArgumentField};
use crate::error::{PageError, agent_words, sentence};
use crate::forms::FormErrors;
use crate::words::{Badge, Tone, count};

/// So many reports are shown, and so much of each.
const MOST_REPORTS: usize = 10;
const LONGEST_REPORT: usize = 100_000;

/// The form of a trial.
pub(super) struct TrialForm {
    /// Without `plugin:`.
    pub converter: String,
    pub arguments: Vec<ArgumentField>,
    /// `false`: it runs at its own times and takes no file.
    pub takes_file: bool,
    pub accept: String,
    /// The other converters that can be tried: name and title.
    pub others: Vec<(String, String)>,
    pub largest: usize,
}

impl TrialForm {
    pub(super) fn new(
        plugin: &PluginInfo,
        converter: &ConverterInfo,
        typed: &BTreeMap<String, String>,
        errors: &FormErrors,
    ) -> Self {
        let short = |it: &ConverterInfo| it.name.strip_prefix(PREFIX).unwrap_or(&it.name).to_owned();
        let others = plugin.converters.iter();
        let others = others.filter(|it| it.kind != ConverterKind::Folder && it.name != converter.name);
        Self {
            converter: short(converter),
            arguments: arguments::fields(&converter.arguments, typed, errors),
            takes_file: converter.kind == ConverterKind::File,
            accept: converter.file_patterns.join(" "),
            others: others.map(|it| (short(it), it.title.clone())).collect(),
            largest: LARGEST_SAMPLE >> 20,
        }
    }
}

/// What came of a sample.
pub(super) struct Trial {
    pub file: String,
    pub badge: Badge,
    pub tone: &'static str,
    pub reason: String,
    pub took: String,
    pub after: Option<&'static str>,
    pub reports: Vec<TriedReport>,
    /// So many more reports came.
    pub more: usize,
    pub log: Vec<LogRow>,
}

/// One report as it would be sent.
pub(super) struct TriedReport {
    pub serial: String,
    pub part: String,
    pub result: Badge,
    pub steps: String,
    pub json: String,
    /// It is longer than what is shown.
    pub cut: bool,
}

impl Trial {
    fn new(file: String, trial: PluginTrial) -> Self {
        let reports = trial.reports.len();
        let badge = match trial.outcome {
            TrialOutcome::Converted => Badge::new(Tone::Good, count(reports as u64, "report", "reports")),
            TrialOutcome::Failed => Badge::new(Tone::Bad, "Failed"),
            TrialOutcome::NotYet => Badge::new(Tone::Busy, "Not complete yet"),
            TrialOutcome::Skipped => Badge::new(Tone::Quiet, "Nothing to be done"),
            TrialOutcome::Rejected => Badge::new(Tone::Attention, "Not its kind of file"),
        };
        Self {
            file,
            tone: badge.tone.class(),
            badge,
            reason: trial.reason.as_deref().map(sentence).unwrap_or_default(),
            took: format!("{} ms", trial.milliseconds),
            after: trial.after.map(|it| match it {
                After::Archive => "moved to the archive",
                After::Zip => "archived, compressed",
                After::Delete => "deleted",
                After::Keep => "left where it is",
            }),
            reports: trial.reports.iter().take(MOST_REPORTS).map(TriedReport::new).collect(),
            more: reports.saturating_sub(MOST_REPORTS),
            log: log_rows(trial.log),
        }
    }
}

impl TriedReport {
    fn new(report: &Value) -> Self {
        let text = |name: &str| match report.get(name).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => "–".to_owned(),
        };
        let result = match report.get("result").and_then(Value::as_str) {
            Some("P" | "Passed") => Badge::new(Tone::Good, "Passed"),
            Some("F" | "Failed") => Badge::new(Tone::Bad, "Failed"),
            Some("E" | "Error") => Badge::new(Tone::Bad, "Error"),
            Some("T" | "Terminated") => Badge::new(Tone::Attention, "Terminated"),
            _ => Badge::new(Tone::Quiet, "No result"),
        };
        let whole = serde_json::to_string_pretty(report).unwrap_or_default();
        let json: String = whole.chars().take(LONGEST_REPORT).collect();
        let steps = report.get("root").map_or(0, steps);
        Self {
            serial: text("sn"),
            part: text("pn"),
            result,
            steps: count(steps, "step", "steps"),
            cut: json.len() < whole.len(),
            json,
        }
    }
}

/// All steps below one.
fn steps(step: &Value) -> u64 {
    let below = step.get("steps").and_then(Value::as_array);
    below.map_or(0, |all| all.iter().map(|it| 1 + steps(it)).sum())
}

pub(super) async fn try_out(
    user: SignedIn,
    console: State<Console>,
    Path(file): Path<String>,
    form: Multipart,
) -> Result<Response, PageError> {
    let plugin = console.agent.plugin(&file).await?;
    let sent = sent(form, LARGEST_SAMPLE).await?;
    let wanted = sent.texts.get("converter").cloned().unwrap_or_default();
    let mut converters = plugin.converters.iter();
    let converter =
        converters.find(|it| it.name.strip_prefix(PREFIX) == Some(wanted.as_str())).ok_or_else(|| {
            PageError::Conflict(
                "The plug-in has no such converter any more. Go back, and reload the page.".to_owned(),
            )
        })?;
    let arguments = arguments::read(&converter.arguments, &sent.texts, &BTreeMap::new());
    let mut shown =
        Shown { converter: Some(wanted.clone()), arguments: arguments.clone(), ..Shown::default() };
    let sample = match sent.file {
        Some(it) => match it.bytes {
            Some(bytes) => Ok((it.name, bytes)),
            None => {
                Err(format!("{} is larger than {} MB: try a smaller sample.", it.name, LARGEST_SAMPLE >> 20))
            }
        },
        None if converter.kind == ConverterKind::Scheduled => Ok((String::new(), Vec::new())),
        None => Err("Choose a sample file.".to_owned()),
    };
    let tried = match sample {
        Ok((name, bytes)) => {
            let detail = if name.is_empty() { file.clone() } else { format!("{file} with {name}.") };
            console.state.record(Timestamp::now(), Some(user.user()), "plugin-tried", &detail).await?;
            let wish = PluginTry {
                file_name: name.clone(),
                converter: Some(wanted),
                arguments: Some(serde_json::json!(arguments).to_string()),
            };
            match console.agent.try_plugin(&file, &wish, bytes).await {
                Ok(trial) => Ok(Trial::new(name, trial)),
                Err(error) => Err(agent_words(&error)),
            }
        }
        Err(words) => Err(words),
    };
    let status = match tried {
        Ok(trial) => {
            shown.trial = Some(trial);
            StatusCode::OK
        }
        Err(words) => {
            shown.errors.add("sample", words);
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    Ok((status, plugin_page(&user, &console, &file, shown).await?).into_response())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_is_told_in_a_line() {
        let report =
            json!({"pn": "P", "sn": "", "result": "F", "root": {"steps": [{"steps": [{}, {}]}, {}]}});
        let told = TriedReport::new(&report);
        assert_eq!((told.part.as_str(), told.serial.as_str()), ("P", "–"));
        assert_eq!((told.result.word.as_str(), told.steps.as_str()), ("Failed", "4 steps"));
        assert!(!told.cut);
        let odd = TriedReport::new(&json!("no object"));
        assert_eq!((odd.result.word.as_str(), odd.steps.as_str()), ("No result", "0 steps"));
    }

    #[test]
    fn no_more_is_shown_than_a_page_can_bear() {
        let trial = PluginTrial {
            outcome: TrialOutcome::Converted,
            reason: None,
            reports: vec![json!({"sn": "x".repeat(LONGEST_REPORT)}); MOST_REPORTS + 2],
            after: None,
            log: Vec::new(),
            milliseconds: 1,
        };
        let shown = Trial::new("a.log".to_owned(), trial);
        assert_eq!((shown.reports.len(), shown.more, shown.badge.word.as_str()), (10, 2, "12 reports"));
        assert!(shown.reports.iter().all(|it| it.cut && it.json.chars().count() == LONGEST_REPORT));
    }
}
