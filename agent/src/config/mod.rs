//! The configuration of one agent: one TOML file, read as a whole, checked as a whole.
//!
//! [`Settings`] is a file that was read and found right, with the places that follow from its name.

mod defaults;
pub mod environment;
pub mod history;
mod keys;
mod load;
pub mod pywats;
mod restart;
mod save;
#[cfg(test)]
mod tests;
mod validate;
mod words;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::control::api::{Part, Paused, PythonPackages, SourceSettings, Station};
use crate::plugins::Catalogue;
use crate::sandbox::MissingLayers;
use crate::system;

pub use environment::Environment;
pub(crate) use load::read_text;
pub use load::{ConfigError, Document, Mistake};
pub(crate) use restart::keep_until_restart;
pub use save::{SaveError, render};
pub use validate::{problems, source_problems, station_problems};

/// The file's content. Keys that are not here are errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Version of this schema: 1.
    pub version: u32,
    pub station: Station,
    pub server: Server,
    pub delivery: Delivery,
    pub intake: Intake,
    pub convert: Convert,
    pub health: Health,
    pub control: Control,
    pub retention: Retention,
    pub storage: Storage,
    pub plugins: Plugins,
    pub sandbox: Sandbox,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceSettings>,
}

/// Where reports go. The credential is not here: it is in the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// `https://customer.wats.com`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `http://host:port`, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Servers that are reached without the proxy: names with all below them, addresses, networks like 10.0.0.0/8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proxy_bypass: Vec<String>,
    /// Extra root certificates, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_ca: Option<String>,
    /// Register this machine as a client, where the server has that, and tell how it fares.
    pub register: bool,
}

/// How reports are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// A person has paused it: reports wait in the queue.
    #[serde(skip_serializing_if = "is_false")]
    pub paused: bool,
    /// How many reports are on their way at once: 1 to 64.
    pub uploads: u32,
    /// How many requests the server gets in any minute: 0, for no limit, to 100000.
    pub requests_per_minute: u32,
}

/// When a file is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// A person has paused it: no source takes files.
    #[serde(skip_serializing_if = "is_false")]
    pub paused: bool,
    /// How long a file that was found by looking must stay unchanged: 1 to 3600.
    pub settle_seconds: u32,
    /// A larger file is refused and kept: 1024 to 1 GiB.
    pub max_file_bytes: u64,
    /// How often every folder is looked through for what events missed: 1 to 86400.
    pub rescan_seconds: u32,
    /// How long a network mount may be silent before it counts as dead: 1 to 600.
    pub share_timeout_seconds: u32,
}

/// How files are converted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Convert {
    /// Worker processes: 1 to 64.
    pub workers: u32,
    /// A file that takes longer is an error: 1 to 3600.
    pub time_limit_seconds: u32,
}

/// The health endpoints for probes and load balancers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    pub listen: SocketAddr,
}

/// The control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// The Unix socket; by default `/run/wats-agent/<instance>.sock`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// Users, besides root and the agent's own, who may use it.
    pub allow_users: Vec<String>,
    /// An address of this machine where it is served as well, like `127.0.0.1:8765`; by default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// How many requests each client has in a minute: 0, for no limit, to 1000000.
    pub requests_per_minute: u32,
    /// The same for each of `allow_users`: programs that ask for many people, like the console.
    pub service_requests_per_minute: u32,
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// How long what is delivered is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Archived files and their reports are kept so many days: 0, for ever, to 36500.
    pub days: u32,
    /// The archive may take so much of its file system in per cent, then the oldest go: 0, no limit, to 90.
    pub percent: u32,
}

/// Where the agent keeps its own things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Database and archive; by default `/var/lib/wats-agent/<instance>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The file with the machine key, where systemd does not hand one over. Made if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_key: Option<PathBuf>,
    /// With less room than so many MB no new files are taken: 16 to 1000000.
    pub least_free_mb: u32,
}

/// Customers' own converters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Plugins {
    /// Where they lie; by default `plugins` in the storage folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// What Python converters are run with.
    pub support: PathBuf,
    pub python: PathBuf,
    /// A file that its converter says is not complete is tried so often, then it is an error: 1 to 10000.
    pub attempts: u32,
    /// What one of them answers to a file, all its reports together, in MB: 1 to 1024.
    pub answer_mb: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enabled: Vec<EnabledPlugin>,
}

/// A plug-in that a person has enabled, with exactly this content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnabledPlugin {
    /// A name in the plug-in folder: `acme.py`.
    pub file: String,
    /// Of the content; another content has to be enabled again.
    pub sha256: String,
    /// What the sandbox does not hold back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted: Vec<Part>,
    #[serde(default, skip_serializing_if = "is_auto")]
    pub environment: PythonPackages,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_auto(environment: &PythonPackages) -> bool {
    *environment == PythonPackages::Auto
}

/// The box in which foreign converters run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sandbox {
    /// What a layer means that this machine does not allow.
    pub missing_layers: MissingLayers,
    /// A file may take so long: 1 to 3600.
    pub seconds: u32,
    /// And so much processor time: 1 to 3600.
    pub processor_seconds: u32,
    /// The memory of a converter: 128 to 65536.
    pub memory_mb: u32,
}

/// A configuration that was found right, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The instance: the file's name without `.toml`.
    pub instance: String,
    pub path: PathBuf,
    pub config: Config,
    /// What the enabled plug-ins can do, as they were found when this was read.
    pub plugins: Arc<Catalogue>,
}

impl Settings {
    /// What a person has paused as a whole.
    pub fn paused(&self) -> Paused {
        Paused { intake: self.config.intake.paused, delivery: self.config.delivery.paused }
    }

    /// With fewer free bytes than this no new files are taken.
    pub fn least_free_bytes(&self) -> u64 {
        u64::from(self.config.storage.least_free_mb) << 20
    }

    /// The folder with the database and the archive.
    pub fn storage_folder(&self) -> PathBuf {
        match &self.config.storage.folder {
            Some(folder) => folder.clone(),
            None => system::places().storage.join(&self.instance),
        }
    }

    pub fn database(&self) -> PathBuf {
        self.storage_folder().join("agent.db")
    }

    pub fn archive_folder(&self) -> PathBuf {
        self.storage_folder().join("archive")
    }

    /// The control API's socket.
    pub fn socket(&self) -> PathBuf {
        match &self.config.control.socket {
            Some(socket) => socket.clone(),
            None => system::places().sockets.join(format!("{}.sock", self.instance)),
        }
    }

    /// Where plug-ins lie.
    pub fn plugins_folder(&self) -> PathBuf {
        match &self.config.plugins.folder {
            Some(folder) => folder.clone(),
            None => self.storage_folder().join("plugins"),
        }
    }

    /// The folder that a source watches.
    pub fn folder_of(&self, source: &SourceSettings) -> PathBuf {
        match &source.folder {
            Some(folder) => PathBuf::from(folder),
            None => system::places().sources.join(&self.instance).join(&source.name),
        }
    }

    /// The source of that name.
    pub fn source(&self, name: &str) -> Option<&SourceSettings> {
        self.config.sources.iter().find(|source| source.name == name)
    }
}
