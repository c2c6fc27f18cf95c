//! `convert` and `converters`: work without a daemon, a configuration or special rights.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use wats_converters::Companion;

use super::print::show;
use crate::config::{Config, Environment, Settings};
use crate::control::api::{Station, TrialOutcome, Unit};
use crate::control::converters;
use crate::convert::{Ended, Job, convert_each};
use crate::files::{Stamp, sha256};
use crate::intake::{self, Content};
use crate::plugins::{check, manage, name_of};

/// Fills in what the server asks of every report and only the station's own settings could say, so that a file can be
/// looked at by somebody who has no station.
pub(super) fn stand_in(station: &mut Station) {
    for text in [&mut station.location, &mut station.purpose] {
        if text.is_empty() {
            "Unknown".clone_into(text);
        }
    }
}

/// What `convert` is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The converter's name; without it, the one that is surest of the file.
    #[arg(long, value_name = "NAME")]
    converter: Option<String>,
    /// An argument of the converter; can be given several times.
    #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = key_value)]
    arguments: Vec<(String, String)>,
    /// The file to convert.
    file: PathBuf,
}

pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}

/// Prints the reports of a file, and beside them the warnings.
#[expect(clippy::print_stderr, reason = "this is the answer of the command")]
pub(super) fn run(args: &Args, config: Option<&Path>) -> anyhow::Result<()> {
    let settings = config.map(Settings::load).transpose()?;
    let mut config = settings.as_ref().map_or_else(Config::default, |it| it.config.clone());
    Environment::read()?.fill(&mut config);
    if settings.is_none() {
        stand_in(&mut config.station);
    }
    let shown = args.file.display().to_string();
    let (bytes, stamp) = read(&args.file, config.intake.max_file_bytes)?;
    let arguments: BTreeMap<_, _> = args.arguments.iter().cloned().collect();
    let mut job = Job {
        converter: args.converter.clone().unwrap_or_default(),
        arguments,
        file_name: args.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: sha256(&bytes),
        modified: stamp.modified(),
        station: config.station,
        now: Timestamp::now(),
        folder: None,
        rival: None,
    };
    if args.converter.is_none() {
        let input = job.input(bytes.clone()).map_err(|words| anyhow::anyhow!("{shown}: {words}"))?;
        let recognition = wats_converters::recognise(&input);
        let Some(chosen) = recognition.chosen() else {
            bail!("{shown}: {}; name a converter with --converter", recognition.refusal());
        };
        job.converter = chosen.name().to_owned();
    }
    if let Some(settings) = settings.filter(|_| name_of(&job.converter).is_some()) {
        return by_plugin(&settings, &job, &bytes, &shown);
    }
    let converter = wats_converters::find(&job.converter);
    let unit = converter.map_or(Unit::File, |it| it.unit().into());
    let (bytes, companions, sha256) = match unit {
        Unit::File => (bytes, Vec::new(), job.sha256),
        _ => read_unit(&args.file, unit, config.intake.max_file_bytes)?,
    };
    job.sha256 = sha256;
    // All reports or none: they wait in a file without a name, as a lot may have very many.
    let mut kept = BufWriter::new(tempfile::tempfile().context("making a temporary file")?);
    let mut before: &[u8] = b"[";
    let ended = convert_each(&job, bytes, companions, &mut |report| {
        let words = |error: &dyn std::fmt::Display| format!("a temporary file could not be written: {error}");
        kept.write_all(before).map_err(|error| words(&error))?;
        before = b",\n";
        wats::wsjf::write_to(&report.body, &mut kept).map_err(|error| words(&error))
    });
    match ended {
        Ended::Refused { words, .. } => bail!("{shown}: {words}"),
        Ended::Outdone => bail!("{shown}: no converter took it"),
        Ended::Whole { warnings } => {
            kept.write_all(b"]\n").context("writing the reports")?;
            let mut kept = kept.into_inner().context("writing the reports")?;
            kept.rewind().context("reading the reports")?;
            std::io::copy(&mut kept, &mut std::io::stdout().lock()).context("writing the reports")?;
            warnings.iter().for_each(|warning| eprintln!("{shown}: {warning}"));
            Ok(())
        }
    }
}

/// Converts a file by a plug-in that the configuration enables, in the sandbox.
#[expect(clippy::print_stderr, reason = "this is the answer of the command")]
fn by_plugin(settings: &Settings, job: &Job, bytes: &[u8], shown: &str) -> anyhow::Result<()> {
    let Some(found) = settings.plugins.find(&job.converter) else {
        bail!("{}", settings.plugins.unknown(name_of(&job.converter).unwrap_or_default()));
    };
    if let Some(trouble) = &found.enabled.trouble {
        bail!("{trouble}");
    }
    let (file, name) = (found.enabled.plugin.file.clone(), found.converter.info.name.clone());
    let mut sample = check::sample(Path::new(&job.file_name), bytes.to_vec(), job.station.clone());
    sample.converter = Some(name);
    sample.arguments.clone_from(&job.arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let trial = runtime.block_on(manage::try_out(settings, &file, &sample))?;
    trial.log.iter().for_each(|line| eprint!("{shown}: {}", super::plugin::log_line(line)));
    if trial.outcome != TrialOutcome::Converted {
        bail!("{shown}: {}: {}", trial.outcome.as_str(), trial.reason.unwrap_or_default());
    }
    super::print::print_json(&trial.reports)
}

pub(super) fn read(path: &Path, limit: u64) -> anyhow::Result<(Vec<u8>, Stamp)> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("could not open {shown}"))?;
    let metadata = file.metadata().with_context(|| format!("could not look at {shown}"))?;
    if !metadata.is_file() {
        bail!("{shown} is no file");
    }
    if metadata.len() > limit {
        bail!("{shown} has {} bytes; at most {limit} are converted", metadata.len());
    }
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("could not read {shown}"))?;
    if bytes.is_empty() {
        bail!("{shown} is empty");
    }
    Ok((bytes, Stamp::of(&metadata)))
}

/// The file with the others of its unit.
fn read_unit(path: &Path, unit: Unit, limit: u64) -> anyhow::Result<(Vec<u8>, Vec<Companion>, String)> {
    let shown = path.display();
    let content = intake::read_unit(path, unit, limit).with_context(|| format!("could not read {shown}"))?;
    match content {
        Content::Read { bytes, companions, sha256 } => Ok((bytes, companions, sha256)),
        Content::TooLarge => {
            bail!("{shown} and its folder are too large; at most {limit} bytes are converted")
        }
        Content::Changed => bail!("{shown} or its folder changed while they were read"),
    }
}

/// Prints the catalogue, with the plug-ins of a configuration where one is named.
pub(super) fn list(config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let all = match config {
        Some(path) => Settings::load(path)?.converters(),
        None => converters(),
    };
    show(json, &all, |catalogue| {
        let mut text = String::new();
        for converter in catalogue {
            text += &format!("{}  {} ({})\n", converter.name, converter.title, converter.version);
            text += &format!("    {}\n", converter.description);
            for argument in &converter.arguments {
                text +=
                    &format!("    {} = {:?}: {}\n", argument.name, argument.default, argument.description);
            }
        }
        text
    })
}
