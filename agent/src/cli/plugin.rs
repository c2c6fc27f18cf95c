//! `plugin`: customers' own converters.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;

use super::convert::{key_value, read, stand_in};
use super::exit::CheckFailed;
use super::print::show;
use crate::config::{Config, Environment, Settings};
use crate::control::api::{
    ArgumentRule, ConverterInfo, EnablePlugin, LogLine, Part, PluginCheck, PluginInfo, PluginState,
    PluginTrial, PluginTry, PythonPackages, TrialOutcome,
};
use crate::plugins::check::{self, Sample};
use crate::plugins::{Runtime, manage};
use crate::system;

/// A sample has at most so many bytes.
const LARGEST_SAMPLE: u64 = 64 << 20;

/// What can be done with plug-ins.
#[derive(Debug, Subcommand)]
pub(super) enum PluginCommand {
    /// List what lies in the plug-in folder, and how it stands.
    List,
    /// Say what is wrong with a plug-in, wherever it lies; 10 when something is. Needs no agent.
    Check {
        /// A .py file, a program, or a folder with one.
        path: PathBuf,
        /// Convert this file, too.
        #[arg(long, value_name = "FILE")]
        sample: Option<PathBuf>,
        /// Of a plug-in with several converters, the one for the sample.
        #[arg(long, value_name = "NAME")]
        converter: Option<String>,
        /// An argument of the converter; can be given several times.
        #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = key_value)]
        arguments: Vec<(String, String)>,
        /// Lift a part of the sandbox; can be given several times.
        #[arg(long, value_name = "PART", value_parser = part)]
        trust: Vec<Part>,
    },
    /// Convert a sample with a plug-in of the running agent and keep nothing of it; 10 when it is not converted.
    Try {
        /// Its name in the plug-in folder.
        name: String,
        file: PathBuf,
        /// Of a plug-in with several converters, the one to use.
        #[arg(long, value_name = "NAME")]
        converter: Option<String>,
        /// An argument of the converter; can be given several times.
        #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = key_value)]
        arguments: Vec<(String, String)>,
    },
    /// Put a plug-in of one file into the plug-in folder of the running agent.
    Upload { file: PathBuf },
    /// Let sources of the running agent use a plug-in, with exactly its present content.
    Enable {
        /// Its name in the plug-in folder.
        file: String,
        /// Only with this content, as `plugin list --json` shows it.
        #[arg(long, value_name = "HEX")]
        sha256: Option<String>,
        /// Lift a part of the sandbox; can be given several times.
        #[arg(long, value_name = "PART", value_parser = part)]
        trust: Vec<Part>,
        /// Whose pywats packages a Python plug-in imports: auto, pywats or compat.
        #[arg(long, value_name = "WHOSE", value_parser = packages, default_value = "auto")]
        packages: PythonPackages,
    },
    /// Let no source use a plug-in any more; their files wait.
    Disable {
        /// Its name in the plug-in folder.
        file: String,
    },
    /// Remove a plug-in that no source uses.
    Remove {
        /// Its name in the plug-in folder.
        file: String,
    },
}

fn part(word: &str) -> Result<Part, String> {
    let known: Vec<_> = Part::ALL.iter().map(|it| it.as_str()).collect();
    let found = Part::ALL.into_iter().find(|it| it.as_str() == word);
    found.ok_or_else(|| format!("it is one of {}", known.join(", ")))
}

fn packages(word: &str) -> Result<PythonPackages, String> {
    [PythonPackages::Auto, PythonPackages::Pywats, PythonPackages::Compat]
        .into_iter()
        .find(|it| it.as_str() == word)
        .ok_or_else(|| "it is auto, pywats or compat".to_owned())
}

/// Does what was asked for with the plug-ins.
pub(super) async fn run(settings: &Settings, command: &PluginCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    match command {
        PluginCommand::List => show(json, &client.plugins().await?, |all| match all.as_slice() {
            [] => format!(
                "no plug-in lies in {}: put a .py file or a program there, or use 'wats-agent plugin upload'\n",
                settings.plugins_folder().display()
            ),
            all => all.iter().map(describe).collect(),
        }),
        PluginCommand::Try { name, file, converter, arguments } => {
            let wish = PluginTry {
                file_name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                converter: converter.clone(),
                arguments: Some(arguments_json(arguments)),
            };
            let (bytes, _) = read(file, LARGEST_SAMPLE)?;
            let trial = client.try_plugin(name, &wish, bytes).await?;
            show(json, &trial, tried)?;
            judge(&trial)
        }
        PluginCommand::Upload { file } => {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let content =
                std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
            show(json, &client.upload_plugin(&name, content).await?, describe)
        }
        PluginCommand::Enable { file, sha256, trust, packages } => {
            let sha256 = match sha256 {
                Some(sha256) => sha256.clone(),
                None => match client.plugin(file).await?.sha256 {
                    Some(sha256) => sha256,
                    None => bail!("there is nothing to enable: see 'wats-agent plugin list'"),
                },
            };
            let wish = EnablePlugin { sha256, trusted: trust.clone(), environment: *packages };
            show(json, &client.enable_plugin(file, &wish).await?, describe)
        }
        PluginCommand::Disable { file } => {
            client.disable_plugin(file).await?;
            done(json, file, "is disabled")
        }
        PluginCommand::Remove { file } => {
            client.delete_plugin(file).await?;
            done(json, file, "is removed")
        }
        // Needs no agent.
        PluginCommand::Check { .. } => Ok(()),
    }
}

fn done(as_json: bool, file: &str, what: &str) -> anyhow::Result<()> {
    show(as_json, &json!({"file": file}), |_| format!("{file} {what}\n"))
}

/// `plugin check`: without a daemon, and with a configuration only where one is named.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn check(command: &PluginCommand, config: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let PluginCommand::Check { path, sample, converter, arguments, trust } = command else { return Ok(()) };
    let mut settings = match config {
        Some(path) => Settings::load(path)?,
        None => Settings {
            instance: "default".to_owned(),
            path: PathBuf::new(),
            config: Config::default(),
            plugins: Default::default(),
        },
    };
    Environment::read()?.fill(&mut settings.config);
    stand_in(&mut settings.config.station);
    let mut program = manage::program_at(path)?;
    program.trusted.clone_from(trust);
    let work = tempfile::tempdir().context("making a temporary folder")?;
    let runtime = Runtime { work: work.path().to_owned(), ..Runtime::of(&settings) };
    system::tie_children().context("could not tie the plug-in's processes to this one")?;
    let sample = match sample {
        Some(file) => {
            let (bytes, _) = read(file, LARGEST_SAMPLE)?;
            let mut sample: Sample = check::sample(file, bytes, settings.config.station.clone());
            sample.converter.clone_from(converter);
            sample.arguments = arguments.iter().cloned().collect();
            Some(sample)
        }
        None => None,
    };
    let (checked, _) = check::check(&program, &runtime, sample.as_ref()).await?;
    show(json, &checked, |it| checked_words(&path.display().to_string(), it))?;
    if !checked.problems.is_empty() {
        let count = checked.problems.len();
        return Err(CheckFailed(format!("{}: {count} things are wrong", path.display())).into());
    }
    checked.trial.as_ref().map_or(Ok(()), judge)
}

fn judge(trial: &PluginTrial) -> anyhow::Result<()> {
    if trial.outcome == TrialOutcome::Converted {
        return Ok(());
    }
    let reason = trial.reason.as_deref().unwrap_or_default();
    Err(CheckFailed(format!("the sample was not converted ({}): {reason}", trial.outcome.as_str())).into())
}

fn arguments_json(arguments: &[(String, String)]) -> String {
    let members = arguments.iter().map(|(name, value)| (name.clone(), json!(value)));
    serde_json::Value::Object(members.collect()).to_string()
}

fn describe(plugin: &PluginInfo) -> String {
    let mut text = format!("{:<24}  {}", plugin.file, plugin.state.as_str());
    if !plugin.trusted.is_empty() {
        let parts: Vec<_> = plugin.trusted.iter().map(|it| it.as_str()).collect();
        text += &format!(", TRUSTED with {}", parts.join(", "));
    }
    text.push('\n');
    if let Some(trouble) = &plugin.trouble {
        text += &format!("    {trouble}\n");
    }
    if let Some(sha256) = &plugin.sha256 {
        text += &format!("    SHA-256 {sha256}\n");
    }
    text.extend(plugin.converters.iter().map(converter));
    if plugin.state == PluginState::Disabled && !plugin.described {
        text += &format!("    not asked yet what it is: 'wats-agent plugin enable {}' does\n", plugin.file);
    }
    if !plugin.sources.is_empty() {
        text += &format!("    used by {}\n", plugin.sources.join(", "));
    }
    text
}

fn converter(converter: &ConverterInfo) -> String {
    let mut text = format!("    {}  {} ({})", converter.name, converter.title, converter.version);
    text += &format!("  {}\n", converter.file_patterns.join(", "));
    for argument in &converter.arguments {
        let ArgumentRule { required, .. } = argument.rule;
        let default = if required { "must be set".to_owned() } else { format!("{:?}", argument.default) };
        text += &format!("        {} = {default}: {}\n", argument.name, argument.description);
    }
    text
}

fn checked_words(path: &str, check: &PluginCheck) -> String {
    let mut text = match check.problems.len() {
        0 => format!("{path}: nothing is wrong\n"),
        _ => format!("{path}:\n"),
    };
    text.extend(check.problems.iter().map(|it| format!("    wrong: {it}\n")));
    text.extend(check.remarks.iter().map(|it| format!("    remark: {it}\n")));
    text.extend(check.converters.iter().map(converter));
    if !check.problems.is_empty() && !check.standard_error.is_empty() {
        text +=
            &format!("    standard error:\n        {}\n", check.standard_error.replace('\n', "\n        "));
    }
    if let Some(trial) = &check.trial {
        text += &tried(trial);
    }
    text
}

fn tried(trial: &PluginTrial) -> String {
    let mut text = format!("{} in {} ms", trial.outcome.as_str(), trial.milliseconds);
    if let Some(reason) = &trial.reason {
        text += &format!(": {reason}");
    }
    text.push('\n');
    text.extend(trial.log.iter().map(log_line));
    for report in &trial.reports {
        text += &serde_json::to_string_pretty(report).unwrap_or_default();
        text.push('\n');
    }
    text
}

/// A line of a conversion's log.
pub(super) fn log_line(line: &LogLine) -> String {
    format!("{:<8} {}\n", line.level.as_str(), line.text)
}
