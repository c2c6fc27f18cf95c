//! Asking a plug-in what it is, and trying it on a sample: what an author, and whoever enables it, looks at.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::json;
use wats_converters::Companion;

use super::argument;
use super::description::Description;
use super::driver::{Stop, apart};
use super::order::{Asking, Wanted, judged, output};
use super::pool::Made;
use super::process::{PluginError, Process, Program, Runtime};
use crate::control::api::{
    ArgumentType, ConverterInfo, ConverterKind, LogLevel, LogLine, PluginCheck, PluginLanguage, PluginTrial,
    Station, TrialOutcome,
};
use crate::convert::{Ended, Job, convert_each};
use crate::error_chain;
use crate::files::sha256;

/// The reports of a sample are read here and shown; those of a file, which may be larger, are read by a worker.
const LARGEST_SHOWN: usize = 16 << 20;

/// A sample to be converted.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Without it, the only one.
    pub converter: Option<String>,
    pub arguments: BTreeMap<String, String>,
    pub file_name: String,
    /// Of a sample that is a folder, its name; `file_name` then is its first file.
    pub folder: Option<String>,
    pub bytes: Vec<u8>,
    pub companions: Vec<Companion>,
    pub station: Station,
}

/// What a plug-in said it is.
#[derive(Debug, Clone)]
pub struct Described {
    pub description: Result<Description, Vec<String>>,
    pub standard_error: String,
}

/// Asks a plug-in, in a fresh box, what it is.
///
/// # Errors
/// When it could not be started; that it does not answer, or lies, is in the answer.
pub async fn describe(program: &Program, runtime: &Runtime) -> Result<Described, PluginError> {
    let (program, runtime) = (program.clone(), runtime.clone());
    apart(move |stop| described(&program, &runtime, stop)).await
}

fn described(program: &Program, runtime: &Runtime, stop: &Stop) -> Result<Described, PluginError> {
    let mut process = Process::start(program, runtime, stop)?;
    match process.describe() {
        Ok((description, standard_error)) => Ok(Described { description, standard_error }),
        Err(PluginError::Broken { words, standard_error, .. }) => {
            Ok(Described { description: Err(vec![words]), standard_error })
        }
        Err(error @ PluginError::TooLong { .. }) => {
            let words =
                format!("{error}: a program answers describe before it does anything that takes long");
            Ok(Described { description: Err(vec![words]), standard_error: process.standard_error() })
        }
        Err(error) => Err(error),
    }
}

/// Looks at a plug-in as its author would want it: all that is wrong, and a sample if there is one.
///
/// # Errors
/// When it could not be started.
pub async fn check(
    program: &Program,
    runtime: &Runtime,
    sample: Option<&Sample>,
) -> Result<(PluginCheck, Option<Description>), PluginError> {
    let (program, runtime, sample) = (program.clone(), runtime.clone(), sample.cloned());
    apart(move |stop| checked(&program, &runtime, sample.as_ref(), stop)).await
}

fn checked(
    program: &Program,
    runtime: &Runtime,
    sample: Option<&Sample>,
    stop: &Stop,
) -> Result<(PluginCheck, Option<Description>), PluginError> {
    let described = described(program, runtime, stop)?;
    let (mut problems, mut remarks) = (Vec::new(), Vec::new());
    let description = match described.description {
        Ok(description) => Some(description),
        Err(words) => {
            problems = words;
            if program.content.language == PluginLanguage::Program
                && problems.iter().any(|it| it.contains("no JSON object"))
            {
                remarks.push("a program answers on standard output with one JSON object on each line, and nothing else".to_owned());
            }
            None
        }
    };
    let mut check = PluginCheck {
        problems,
        remarks,
        persistent: description.as_ref().is_some_and(|it| it.persistent),
        converters: description
            .iter()
            .flat_map(|it| &it.converters)
            .map(|it| super::catalogue::info(it, &program.name))
            .collect(),
        standard_error: described.standard_error,
        trial: None,
    };
    let Some(description) = description else { return Ok((check, None)) };
    if !description.persistent {
        check.remarks.push(
            "it is started anew for each file: with \"persistent\": true it would be faster".to_owned(),
        );
    }
    for converter in &description.converters {
        check.remarks.extend(remarks_on(&converter.info));
    }
    // What the protocol asks of every program.
    check.problems.extend(manners(program, runtime, &description, stop)?);
    if let Some(sample) = sample {
        check.trial = Some(tried(program, runtime, &description, sample, stop)?);
    }
    Ok((check, Some(description)))
}

fn remarks_on(info: &ConverterInfo) -> Vec<String> {
    let mut remarks = Vec::new();
    if info.kind == ConverterKind::File && info.file_patterns == ["*"] {
        remarks.push(format!(
            "converter {}: it takes files of any name; \"patterns\" like *.log would leave others alone",
            info.name
        ));
    }
    for argument in
        info.arguments.iter().filter(|it| it.rule.kind == ArgumentType::Password && !it.default.is_empty())
    {
        remarks.push(format!(
            "converter {}: the password {:?} has a default, which everybody can read",
            info.name, argument.name
        ));
    }
    remarks
}

/// Does the program behave between requests: unknown ones, and a second describe?
fn manners(
    program: &Program,
    runtime: &Runtime,
    description: &Description,
    stop: &Stop,
) -> Result<Vec<String>, PluginError> {
    let mut process = Process::start(program, runtime, stop)?;
    match process.unknown() {
        Ok(true) => {}
        Ok(false) => {
            return Ok(vec![
                "it must answer a request that it does not know by {\"answer\": \"error\", \"text\": …}"
                    .to_owned(),
            ]);
        }
        Err(error) => {
            return Ok(vec![format!(
                "it must answer a request that it does not know by \"error\", and go on: {error}"
            )]);
        }
    }
    if !description.persistent {
        return Ok(Vec::new());
    }
    match process.describe() {
        Ok((Ok(again), _)) if again == *description => Ok(Vec::new()),
        Ok((Ok(_), _)) => Ok(vec!["it describes itself otherwise when it is asked again".to_owned()]),
        Ok((Err(words), _)) => Ok(words),
        Err(error) => {
            Ok(vec![format!("it says that it is persistent, and does not answer a second request: {error}")])
        }
    }
}

/// Converts a sample; nothing of it is kept.
///
/// # Errors
/// When the plug-in could not be started.
pub async fn try_out(
    program: &Program,
    runtime: &Runtime,
    description: &Description,
    sample: &Sample,
) -> Result<PluginTrial, PluginError> {
    let (program, runtime) = (program.clone(), runtime.clone());
    let (description, sample) = (description.clone(), sample.clone());
    apart(move |stop| tried(&program, &runtime, &description, &sample, stop)).await
}

fn tried(
    program: &Program,
    runtime: &Runtime,
    description: &Description,
    sample: &Sample,
    stop: &Stop,
) -> Result<PluginTrial, PluginError> {
    let started = Instant::now();
    let failed = |words: String, log| PluginTrial {
        outcome: TrialOutcome::Failed,
        reason: Some(words),
        reports: Vec::new(),
        after: None,
        log,
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let Some(converter) =
        description.converter(sample.converter.as_deref().map(|it| super::name_of(it).unwrap_or(it)))
    else {
        let names: Vec<_> = description.converters.iter().map(|it| it.info.name.as_str()).collect();
        let words = match &sample.converter {
            Some(name) => format!("the plug-in has no converter {name:?}; it has {}", names.join(", ")),
            None => format!("the plug-in has several converters: name one of {}", names.join(", ")),
        };
        return Ok(failed(words, Vec::new()));
    };
    let arguments = match argument::values(&converter.info.arguments, &sample.arguments) {
        Ok(arguments) => arguments,
        Err(wrong) => {
            let words: Vec<_> = wrong.into_iter().map(|(_, words)| words).collect();
            return Ok(failed(words.join("; "), Vec::new()));
        }
    };
    let now = Timestamp::now();
    let job = Job {
        converter: format!("{}{}", super::PREFIX, converter.info.name),
        arguments: sample.arguments.clone(),
        file_name: sample.file_name.clone(),
        sha256: sha256(&sample.bytes),
        modified: now,
        station: sample.station.clone(),
        now,
        folder: sample.folder.clone(),
        rival: None,
    };
    let wanted =
        Wanted { converter, arguments, job: &job, bytes: &sample.bytes, companions: &sample.companions };
    let mut process = Process::start(program, runtime, stop)?;
    let (raw, made, after, mut log, _room) = match wanted.ask(&mut process) {
        Ok((_, _, answered)) => {
            let (raw, made, after) = judged(answered.reports, answered.last);
            (raw, made, after, answered.log, answered.room)
        }
        Err(Asking::Plugin(error @ PluginError::Start { .. })) => return Err(error),
        Err(error) => {
            let mut log = Vec::new();
            if let Asking::Plugin(PluginError::Broken { standard_error, .. }) = &error {
                log = output(standard_error);
            }
            return Ok(failed(error_chain(&error), log));
        }
    };
    let mut trial = failed(String::new(), Vec::new());
    trial.after = after;
    match made {
        Made::Failed(words) => trial.reason = Some(words),
        Made::NotYet { reason, wait } => {
            trial.outcome = TrialOutcome::NotYet;
            trial.reason = Some(format!("{reason}; to be tried again in {} s", wait.as_secs()));
        }
        Made::Left(left) => {
            trial.outcome = left.outcome;
            trial.reason = Some(left.reason);
        }
        Made::Reports(_) if raw.len() > LARGEST_SHOWN => {
            trial.reason = Some(format!(
                "the reports of the sample are larger than {} MB: try a smaller one",
                LARGEST_SHOWN >> 20
            ));
        }
        Made::Reports(_) => {
            let mut reports = Vec::new();
            let ended = convert_each(&job, raw, Vec::new(), &mut |report| {
                reports.push(serde_json::to_value(&report.body).map_err(|error| error.to_string())?);
                Ok(())
            });
            match ended {
                Ended::Whole { warnings } => {
                    log.extend(warnings.into_iter().map(|text| LogLine { level: LogLevel::Warning, text }));
                    trial.outcome = TrialOutcome::Converted;
                    trial.reason = None;
                    trial.reports = reports;
                }
                Ended::Refused { words, .. } => {
                    trial.reason = Some(format!("what the plug-in made of the file cannot be used: {words}"));
                }
                Ended::Outdone => trial.reason = Some("no converter took the file".to_owned()),
            }
        }
    }
    trial.log = log;
    Ok(trial)
}

/// A sample from a file.
pub fn sample(file: &Path, bytes: Vec<u8>, station: Station) -> Sample {
    Sample {
        converter: None,
        arguments: BTreeMap::new(),
        file_name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        folder: None,
        bytes,
        companions: Vec::new(),
        station,
    }
}

impl Process {
    /// Sends a request that no program knows; true when it is answered as the protocol says.
    fn unknown(&mut self) -> Result<bool, PluginError> {
        let mut members = serde_json::Map::new();
        members.insert("note".to_owned(), json!("this request does not exist"));
        self.refuses("no-such-request", &members)
    }
}
