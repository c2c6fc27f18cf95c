//! `recognise`: which format files have, without a daemon, a configuration or special rights.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use wats_converters::{Candidate, Qualification, Recognition};

use super::convert::read;
use crate::config::{Config, Settings};
use crate::convert::{Job, Rival};
use crate::plugins::Plugins;

/// What `recognise` is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Also say why every other format does not fit.
    #[arg(long)]
    all: bool,
    /// The files to look at.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Some files have no format that is known. The answer has been given already.
#[derive(Debug, thiserror::Error)]
#[error("{count} of {all} files were not recognised")]
pub(super) struct NotRecognised {
    count: usize,
    all: usize,
}

#[derive(Serialize)]
struct Answer {
    file: String,
    /// The format's name; `null` when none fits.
    converter: Option<String>,
    /// In words: why this one, or why none, or why the file could not be read.
    reason: String,
    /// The surest first.
    candidates: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    converter: String,
    title: String,
    confidence: f64,
    reason: String,
    fits_name: bool,
}

/// Says what each file is.
///
/// # Errors
/// When a file could not be read or was not recognised; the others have been answered all the same.
#[expect(clippy::print_stdout, reason = "this is the answer of the command")]
pub(super) fn run(args: &Args, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let settings = config.map(Settings::load).transpose()?;
    let config = settings.as_ref().map_or_else(Config::default, |it| it.config.clone());
    // Those that the named configuration enables take part.
    let plugins =
        settings.filter(|it| it.plugins.converters().next().is_some()).map(|it| Plugins::fixed(it, None));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut answers, mut unreadable, mut unknown) = (Vec::new(), None, 0);
    for path in &args.files {
        let shown = path.display().to_string();
        let answer = match recognise(path, &config) {
            Ok((recognition, job, bytes)) => {
                let rivals = match &plugins {
                    Some(plugins) => runtime.block_on(plugins.recognise(job, bytes)),
                    None => Vec::new(),
                };
                let answer = Answer::new(shown.clone(), &recognition, &rivals);
                if !json {
                    print!("{}", in_words(&shown, &recognition, &rivals, args.all));
                }
                answer
            }
            Err(error) => {
                let reason = format!("{error:#}");
                if !json {
                    println!("{shown}: could not be read");
                }
                unreadable.get_or_insert(error);
                answers.push(Answer { file: shown, converter: None, reason, candidates: Vec::new() });
                continue;
            }
        };
        unknown += usize::from(answer.converter.is_none());
        answers.push(answer);
    }
    if json {
        println!("{}", serde_json::to_string_pretty(&answers)?);
    }
    match unreadable {
        Some(error) => Err(error),
        None if unknown > 0 => Err(NotRecognised { count: unknown, all: args.files.len() }.into()),
        None => Ok(()),
    }
}

fn recognise(path: &Path, config: &Config) -> anyhow::Result<(Recognition, Job, Vec<u8>)> {
    let (bytes, stamp) = read(path, config.intake.max_file_bytes)?;
    let job = Job {
        converter: String::new(),
        arguments: Default::default(),
        file_name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: String::new(),
        modified: stamp.modified(),
        station: config.station.clone(),
        now: Timestamp::now(),
        folder: None,
        rival: None,
    };
    let input = job.input(bytes).map_err(anyhow::Error::msg)?;
    Ok((wats_converters::recognise(&input), job, input.bytes))
}

/// The plug-in's converter that is at least as sure as ours, and surer than a guess.
fn plugin<'a>(recognition: &Recognition, rivals: &'a [Rival]) -> Option<&'a Rival> {
    let ours = recognition.chosen().map_or(Qualification::NO, |it| it.answer.confidence);
    rivals.first().filter(|it| it.confidence > Qualification::NO && it.confidence >= ours)
}

fn in_words(file: &str, recognition: &Recognition, rivals: &[Rival], all: bool) -> String {
    let mut words = match recognition.chosen() {
        _ if plugin(recognition, rivals).is_some() => plugin(recognition, rivals)
            .map(|it| {
                format!("{file}: {} ({:.0} %)\n    {}\n", it.converter, it.confidence * 100.0, it.reason)
            })
            .unwrap_or_default(),
        Some(chosen) => format!(
            "{file}: {}, {} ({:.0} %)\n    {}\n",
            chosen.name(),
            chosen.converter.about().title,
            chosen.answer.confidence * 100.0,
            chosen.answer.message
        ),
        None => format!("{file}: not recognised\n    {}\n", recognition.refusal()),
    };
    if all {
        let others = recognition.candidates.iter().skip(usize::from(recognition.chosen().is_some()));
        others.for_each(|other| words.push_str(&format!("    {other}\n")));
    } else {
        recognition.rivals().for_each(|rival| words.push_str(&format!("    nearly as sure: {rival}\n")));
    }
    words
}

impl Answer {
    fn new(file: String, recognition: &Recognition, rivals: &[Rival]) -> Self {
        let chosen = recognition.chosen();
        let said = |it: &Candidate| Said {
            converter: it.name().to_owned(),
            title: it.converter.about().title.to_owned(),
            confidence: it.answer.confidence,
            reason: it.answer.message.clone(),
            fits_name: it.fits_name,
        };
        let of_plugin = |it: &Rival| Said {
            converter: it.converter.clone(),
            title: it.converter.clone(),
            confidence: it.confidence,
            reason: it.reason.clone(),
            fits_name: true,
        };
        let mut candidates: Vec<Said> = rivals.iter().map(of_plugin).collect();
        candidates.extend(recognition.candidates.iter().map(said));
        // A stable order: of equally sure ones the plug-ins come first, as they are taken first.
        candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        if let Some(plugin) = plugin(recognition, rivals) {
            let (converter, reason) = (Some(plugin.converter.clone()), plugin.reason.clone());
            return Self { file, converter, reason, candidates };
        }
        Self {
            file,
            converter: chosen.map(|it| it.name().to_owned()),
            reason: chosen.map_or_else(|| recognition.refusal(), |it| it.answer.message.clone()),
            candidates,
        }
    }
}
