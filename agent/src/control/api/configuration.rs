//! The configuration as the control API shows it: what is in force, its history, and what became of a change.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// By what a configuration came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigOrigin {
    /// A person changed the file.
    File,
    /// The console, or another client of the control API.
    Api,
    RollBack,
    /// `wats-agent import-pywats`.
    Import,
}

impl ConfigOrigin {
    /// As a person reads it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "API",
            Self::RollBack => "roll-back",
            Self::Import => "import",
        }
    }
}

/// One configuration of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigVersionInfo {
    /// Counts up; never given twice.
    pub number: u64,
    /// When it came into force.
    #[schemars(with = "Time")]
    pub at: Timestamp,
    pub origin: ConfigOrigin,
    /// The user of the system who asked for it, where the control API was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// SHA-256 of the text, lower-case hexadecimal.
    pub sha256: String,
}

/// One configuration of the history, with its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigVersion {
    #[serde(flatten)]
    pub info: ConfigVersionInfo,
    pub text: String,
}

/// How the file and what is in force stand to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ConfigState {
    /// What is in force; `None` while it could not be written into the history.
    pub version: Option<ConfigVersionInfo>,
    /// Why the file, as it lies there now, is not in force: file, line and key. Empty: it is.
    pub problems: Vec<String>,
    /// Keys whose new values hold from the next start on.
    pub restart: Vec<String>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    pub path: String,
    /// False when the file cannot be replaced.
    pub writable: bool,
    /// The text of the file that is in force.
    pub text: String,
    /// Every key with the value that holds now, those of the environment included.
    pub in_force: String,
    pub state: ConfigState,
}

/// How `PUT /v1/config` is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigWish {
    /// Only check it and say what would change.
    pub dry_run: bool,
    /// Also over an edit of the file that is not in force; a copy of that is kept.
    pub replace: bool,
    /// It was made of another program's configuration.
    pub import: bool,
}

/// A configuration of the history shall be in force again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollBack {
    pub number: u64,
    /// Only say what would change.
    #[serde(default)]
    pub dry_run: bool,
    /// Also over an edit of the file that is not in force; a copy of that is kept.
    #[serde(default)]
    pub replace: bool,
}

/// What a whole new configuration changes, or would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigChange {
    /// A unified diff of the file; empty when nothing changes.
    pub diff: String,
    /// Keys whose new values hold from the next start on.
    pub restart: Vec<String>,
    /// What is in force now; `None` after a dry run.
    pub version: Option<ConfigVersionInfo>,
    /// Where the copy of an edit lies that was replaced.
    pub set_aside: Option<String>,
}
