//! Customers' own converters: plug-ins, as they are looked at, tried and enabled.
//!
//! The way of a page: `GET /v1/plugins` lists what lies in the plug-in folder. `PUT /v1/plugins/{plugin}` puts a file there,
//! `POST …/check` asks it in the sandbox what it is and says what is wrong with it, `GET …/findings` says what its source
//! reaches for, `POST …/try` converts a sample and keeps nothing. `POST …/enable`, with the SHA-256 that the person saw, lets
//! sources use it as `plugin:NAME`, each NAME being one of `converters`; from then on `GET /v1/converters` lists these, too.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConverterInfo, Time};
pub use crate::sandbox::Part;

/// A sample that is tried has at most so many bytes.
pub const LARGEST_SAMPLE: usize = 64 << 20;

/// A file or folder in the plug-in folder, or one that was enabled and is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginInfo {
    /// Its name in the plug-in folder: `acme.py`.
    pub file: String,
    pub state: PluginState,
    /// Why it cannot be used as it is, and what to do; also for one that is enabled.
    pub trouble: Option<String>,
    pub language: PluginLanguage,
    /// Of the content that lies there now; `None` when nothing does, or it cannot be read.
    pub sha256: Option<String>,
    /// Of the content that a person enabled.
    pub enabled_sha256: Option<String>,
    pub size_bytes: u64,
    /// It lies there as a folder, and is uploaded as an archive `NAME.zip`.
    pub is_folder: bool,
    /// Its files, of one that is a folder relative to that; what belongs to the content that is enabled.
    pub files: Vec<String>,
    /// The one of them that is run.
    pub entry: Option<String>,
    #[schemars(with = "Option<Time>")]
    pub modified: Option<Timestamp>,
    /// What the sandbox does not hold back.
    pub trusted: Vec<Part>,
    pub environment: PythonPackages,
    /// True when it was asked what it is, and answered: `converters` then is what it can do.
    pub described: bool,
    /// It answers many requests; otherwise it is started for each file.
    pub persistent: bool,
    pub converters: Vec<ConverterInfo>,
    /// The sources that use one of its converters.
    pub sources: Vec<String>,
}

/// How a plug-in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginState {
    /// Never enabled, or not any more: it does not run but when a person checks or tries it.
    Disabled,
    Enabled,
    /// Another content than the one that was enabled: it does not run until it is enabled again.
    Changed,
    /// It was enabled, and has gone from the folder.
    Missing,
    /// Nothing that could be run.
    Unusable,
}

impl PluginState {
    /// The word used in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::Changed => "changed",
            Self::Missing => "missing",
            Self::Unusable => "unusable",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginLanguage {
    /// A Python file with converter classes: run by the agent's host program.
    Python,
    /// Anything that speaks the plug-in protocol itself.
    Program,
}

impl Part {
    pub const ALL: [Self; 6] =
        [Self::Network, Self::Processes, Self::Memory, Self::Time, Self::Files, Self::SystemCalls];

    /// The word used in the configuration, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Memory => "memory",
            Self::Time => "time",
            Self::Files => "files",
            Self::SystemCalls => "system-calls",
        }
    }
}

/// Whose `pywats` packages a Python plug-in imports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PythonPackages {
    /// The real ones where they are installed, else the agent's own.
    #[default]
    Auto,
    /// The real ones.
    Pywats,
    /// The agent's own.
    Compat,
}

impl PythonPackages {
    /// The word used in the configuration, in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Pywats => "pywats",
            Self::Compat => "compat",
        }
    }
}

/// A wish to enable a plug-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnablePlugin {
    /// Of the content that the person saw; refused with 409 when another lies there by now.
    pub sha256: String,
    #[serde(default)]
    pub trusted: Vec<Part>,
    #[serde(default)]
    pub environment: PythonPackages,
}

/// What was found out about a plug-in by asking it, in the sandbox, what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginCheck {
    /// What is wrong, each with what to do about it; empty when it can be enabled.
    pub problems: Vec<String>,
    /// What works, and could be better.
    pub remarks: Vec<String>,
    pub persistent: bool,
    pub converters: Vec<ConverterInfo>,
    /// The end of what it wrote to standard error.
    pub standard_error: String,
    /// Of the sample, where one was given.
    pub trial: Option<PluginTrial>,
}

/// Which source is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginSource {
    /// One of the plug-in's `files`; the one that is run where it is left out.
    pub file: Option<String>,
}

/// What a sample is tried with; the sample itself is the body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginTry {
    /// The sample's file name.
    pub file_name: String,
    /// One of the plug-in's converters; may be left out where it has only one.
    pub converter: Option<String>,
    /// The converter's arguments, a JSON object of texts.
    pub arguments: Option<String>,
}

/// What came of a sample. Nothing of it is kept or sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PluginTrial {
    pub outcome: TrialOutcome,
    /// Why, when it is not `converted`.
    pub reason: Option<String>,
    /// The reports as they would be sent, in WSJF.
    pub reports: Vec<serde_json::Value>,
    /// What the plug-in wants done with the file: `archive`, `zip`, `delete`, `keep`.
    pub after: Option<super::After>,
    /// What it said on the way, the end of its standard error included.
    pub log: Vec<LogLine>,
    pub milliseconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    Converted,
    Failed,
    NotYet,
    Skipped,
    Rejected,
}

impl TrialOutcome {
    /// The word used in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converted => "converted",
            Self::Failed => "failed",
            Self::NotYet => "not-yet",
            Self::Skipped => "skipped",
            Self::Rejected => "rejected",
        }
    }
}

/// A line of a conversion's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    pub level: LogLevel,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    /// A piece of the program's standard error.
    Output,
}

impl LogLevel {
    /// The word used in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Output => "output",
        }
    }
}

/// A file that a plug-in has left where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftAlone {
    /// `skipped`: nothing to be done; `rejected`: not its kind of file.
    pub outcome: TrialOutcome,
    pub reason: String,
}

/// What the source of a plug-in reaches for, as reading it shows. It informs; the sandbox is what protects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginFindings {
    /// False when the source is not of a language that can be read: nothing is known then.
    pub read: bool,
    /// In the order of the source.
    pub findings: Vec<PluginFinding>,
    /// Why a Python source could not be read, with its place; it will not run either.
    pub unreadable: Vec<String>,
}

/// One place in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginFinding {
    /// Of a plug-in that is a folder, the file in it.
    pub file: String,
    /// Both from 1; the column in characters.
    pub line: u64,
    pub column: u64,
    pub severity: FindingSeverity,
    /// What stands there: `import socket`.
    pub what: String,
    /// What that means, for a person.
    pub meaning: String,
    /// The documented rules of the pyWATS client refuse the file for this.
    pub blocked_by_client: bool,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingSeverity {
    /// Usual in a converter, and harmless in the sandbox.
    Note,
    /// Reaches for what the sandbox refuses or limits: the converter may fail there.
    Warning,
    /// Reaches for what a converter has no use for, or hides what it does.
    Danger,
}
