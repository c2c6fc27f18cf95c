//! What the control API says: the JSON bodies, shared by its server and its clients.
//!
//! HTTP and JSON over the agent's Unix socket. A refused request answers 4xx with a [`Problem`].
//! `docs/control-api.json`, made from these types, says which route takes and answers which.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use configuration::{
    ConfigChange, ConfigOrigin, ConfigState, ConfigVersion, ConfigVersionInfo, ConfigWish, Configuration,
    RollBack,
};
mod configuration;
mod events;
mod ledger;
mod plugins;

pub use crate::intake::settings::{Schedule, SourceIntake, Unit, Watch};
pub use crate::intake::{Detection, Means};
pub use crate::ledger::Record as LedgerRecord;
pub use events::{Event, Notice};
pub use ledger::{LedgerCheck, LedgerFormat, LedgerQuery, LedgerSpan, LedgerVerify};
pub use plugins::{
    EnablePlugin, FindingSeverity, LARGEST_SAMPLE, LeftAlone, LogLevel, LogLine, Part, PluginCheck,
    PluginFinding, PluginFindings, PluginInfo, PluginLanguage, PluginSource, PluginState, PluginTrial,
    PluginTry, PythonPackages, TrialOutcome,
};

/// Why a request was refused, in words for the person at the keyboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    pub message: String,
    /// The member of the request body that is wrong, where one is: `folder`, `arguments.defaultProcessCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The whole agent at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    pub instance: String,
    pub version: String,
    #[schemars(with = "Time")]
    pub started_at: Timestamp,
    pub health: Health,
    pub server: ServerState,
    /// What a person has paused as a whole; single sources say it themselves.
    #[serde(default)]
    pub paused: Paused,
    #[serde(default)]
    pub registration: Registration,
    pub queue: QueueCounts,
    pub station: Station,
    pub sources: Vec<SourceStatus>,
    /// The newest reports, newest first; at most ten.
    pub last_reports: Vec<ReportRecord>,
    pub disk: Disk,
    /// When the disk is full and the queue is empty, if all goes on as it does.
    #[serde(default)]
    pub forecast: Forecast,
    /// Resident memory of the agent and its workers, in bytes.
    pub memory_bytes: u64,
    /// False when the configuration file cannot be written: settings are then read only.
    pub config_writable: bool,
    /// Whether the file is what is in force.
    #[serde(default)]
    pub config: ConfigState,
}

/// What a person has paused. It stays so until it is resumed, also over a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Paused {
    /// No source takes files; what was taken is finished.
    pub intake: bool,
    /// No report is sent; they wait in the queue.
    pub delivery: bool,
}

/// The sandbox of foreign converters on this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxStatus {
    /// From the outside in; empty until the agent has looked.
    pub layers: Vec<SandboxLayer>,
    /// Why there is no sandbox at all.
    pub trouble: Option<String>,
}

impl SandboxStatus {
    /// The names of the layers that this machine does not allow.
    pub fn missing(&self) -> Vec<&str> {
        self.layers.iter().filter(|it| !it.holds).map(|it| it.name.as_str()).collect()
    }
}

/// A layer of the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxLayer {
    pub name: String,
    /// What it is for.
    pub protects: String,
    pub holds: bool,
    /// How much of it there is, or why there is none.
    pub detail: String,
    /// What to do on this machine, where it is missing; empty otherwise.
    pub remedy: String,
}

/// One word for the agent, and why when it is not [`HealthLevel::Ok`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    pub level: HealthLevel,
    /// Sentences for a person, worst first; empty when all is well.
    pub reasons: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HealthLevel {
    Ok,
    /// Works, but a person should look: held queue, failed files, a paused source.
    Attention,
    /// Cannot do its job.
    Failed,
}

/// What the agent knows of the server from its own traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerState {
    pub url: Option<String>,
    pub link: Link,
    /// As the server last said, for example `2026.1.5.324`.
    pub version: Option<String>,
    #[schemars(with = "Option<Time>")]
    pub last_success: Option<Timestamp>,
    /// Why deliveries are held or failing, in plain words.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// No server address or no credential yet.
    NotConfigured,
    /// Nothing was sent yet since the start.
    Unknown,
    Online,
    /// Cannot be reached; tried again by itself.
    Offline,
    /// Reached, but it refuses our credential or rights: nothing is sent until a person acts.
    Held,
}

/// This machine as a client of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registration {
    pub state: RegistrationState,
    /// What the server knows the machine by.
    pub client_id: Option<String>,
    /// The server's own name, where it told one.
    pub server_name: Option<String>,
    #[schemars(with = "Option<Time>")]
    pub registered_at: Option<Timestamp>,
    /// When the server last heard how the machine fares.
    #[schemars(with = "Option<Time>")]
    pub updated_at: Option<Timestamp>,
    /// What went wrong, and what a person can do.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrationState {
    /// Not tried yet, or no server is set up.
    #[default]
    Unknown,
    /// The settings say no.
    Off,
    Registered,
    /// The server knows no clients of our kind: it is older than 2026.3.
    Unsupported,
    /// The token lacks the right, or the id is taken: a person must act.
    Denied,
    /// It went wrong; tried again by itself.
    Failed,
}

/// A wish to register this machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterWish {
    /// A token with the right to register, base64 of `user:password`; without it, the one that reports are sent with.
    #[serde(default, serialize_with = "expose_option")]
    #[schemars(with = "Option<String>")]
    pub token: Option<SecretString>,
}

fn expose_option<S: serde::Serializer>(secret: &Option<SecretString>, to: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => to.serialize_some(secret.expose_secret()),
        None => to.serialize_none(),
    }
}

/// How many reports are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueueCounts {
    pub queued: u64,
    pub sending: u64,
    pub rejected: u64,
    pub sent: u64,
    /// Reports acknowledged in the last 24 hours.
    pub sent_today: u64,
    /// Files whose conversion failed.
    pub failed_files: u64,
    #[schemars(with = "Option<Time>")]
    pub oldest_queued: Option<Timestamp>,
}

/// Free and total bytes of the file system that holds the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Disk {
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// What the last minutes let expect. `None`: that is not foreseeable.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forecast {
    /// Until there is so little room that no more files are taken.
    pub seconds_to_full: Option<u64>,
    /// Until no report waits; 0 when none does.
    pub seconds_to_drained: Option<u64>,
    pub arriving_per_minute: Option<f64>,
    pub delivered_per_minute: Option<f64>,
}

/// The station that reports are sent as, where the file does not name one.
///
/// What is left out is that of this machine: its host name, its time zone, no location, no purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Station {
    pub name: String,
    pub location: String,
    pub purpose: String,
    /// IANA name: the zone in which local times in files are read.
    pub time_zone: String,
}

/// One entry of the catalogue: a converter that a source can use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConverterInfo {
    /// Stable name, as in the configuration: `wats-json`.
    pub name: String,
    /// As users know the format: `WATS Standard JSON (WSJF)`.
    pub title: String,
    /// One or two sentences: which files, from where.
    pub description: String,
    pub version: String,
    /// Patterns of file names that it usually takes: `*.json`.
    pub file_patterns: Vec<String>,
    pub arguments: Vec<ArgumentInfo>,
    /// The plug-in whose converter it is, its name in the plug-in folder; `None`: it is one of the agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// What it converts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kind: ConverterKind,
}

/// What a converter converts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConverterKind {
    #[default]
    File,
    /// A folder with all that is in it.
    Folder,
    /// Nothing that is found in a folder: it runs at its times.
    Scheduled,
}

/// One argument of a converter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArgumentInfo {
    pub name: String,
    pub description: String,
    pub default: String,
    #[serde(flatten)]
    pub rule: ArgumentRule,
}

/// Which values an argument takes. In the settings of a source every value is a text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArgumentRule {
    #[serde(rename = "type", default)]
    pub kind: ArgumentType,
    /// It has no default and must be set.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// Of a `choice`: the values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// The least and the largest number, as texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// A regular expression that a text must fit from its start; only the converter itself checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// What kind of value an argument is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArgumentType {
    #[default]
    String,
    Integer,
    Float,
    /// `true` or `false`.
    Boolean,
    Path,
    Choice,
    /// A text that is shown to nobody.
    Password,
}

/// A folder that is watched, and what happens to its files: the part that a person sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// Lower-case letters, digits and dashes; unique in the instance.
    pub name: String,
    /// Name of a converter in the catalogue.
    pub converter: String,
    /// Absolute path. `None`: `/srv/wats/<instance>/<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Patterns of file names; empty: those of the converter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_patterns: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub after: After,
    #[serde(default, skip_serializing_if = "is_default")]
    pub paused: bool,
    /// From 1, the most urgent, to 10: who goes first where several sources wait. A source gets twice the turns of
    /// one that is one step behind it; nobody waits for ever.
    #[serde(default = "usual_priority", skip_serializing_if = "is_usual_priority")]
    pub priority: u32,
    /// How files are found, and when one is taken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub intake: SourceIntake,
}

/// The priority of a source that names none.
pub const USUAL_PRIORITY: u32 = 5;
/// The one that goes behind all others.
pub const LEAST_PRIORITY: u32 = 10;

fn usual_priority() -> u32 {
    USUAL_PRIORITY
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_usual_priority(priority: &u32) -> bool {
    *priority == USUAL_PRIORITY
}

impl SourceSettings {
    /// What belongs together: as set, or as the converter says. Of a plug-in's converter only
    /// [`crate::config::Settings::effective`] knows.
    pub fn unit(&self) -> Unit {
        let declared = || wats_converters::find(&self.converter).map(|it| it.unit().into());
        self.intake.unit.or_else(declared).unwrap_or(Unit::File)
    }
}

/// What becomes of a source file once its reports are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum After {
    /// Moved into the agent's archive.
    #[default]
    Archive,
    /// Left where it is; it is known by its content and not converted again.
    Keep,
    Delete,
    /// Moved into the agent's archive, compressed. A unit of several files is archived as it is.
    Zip,
}

impl After {
    pub const ALL: [Self; 4] = [Self::Archive, Self::Keep, Self::Delete, Self::Zip];

    /// The word used in JSON, in the configuration and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Keep => "keep",
            Self::Delete => "delete",
            Self::Zip => "zip",
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A source as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceStatus {
    pub settings: SourceSettings,
    /// The folder in force, absolute.
    pub folder: String,
    pub state: SourceState,
    /// Why the state is [`SourceState::Failed`], or what a person should look at.
    pub trouble: Option<String>,
    /// How new files are noticed, and how fast.
    #[serde(default)]
    pub detection: Detection,
    pub files_converted: u64,
    pub files_failed: u64,
    pub last_file: Option<FileRecord>,
    pub last_error: Option<FileRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SourceState {
    Watching,
    Paused,
    /// The folder cannot be read, or the converter cannot run.
    Failed,
}

/// An uploaded file that is safely on disk in its source's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StoredFile {
    pub name: String,
    pub size_bytes: u64,
    /// SHA-256 of the content, lower-case hexadecimal.
    pub sha256: String,
}

/// One input file and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRecord {
    pub id: i64,
    pub source: String,
    pub converter: String,
    pub name: String,
    pub size_bytes: u64,
    pub sha256: String,
    pub state: FileState,
    #[schemars(with = "Time")]
    pub received_at: Timestamp,
    /// How many reports it gave.
    pub reports: u64,
    /// The same words that stand in the `.error.txt` beside a failed file.
    pub error: Option<String>,
    /// Why its converter left it where it was; it then gave no report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<LeftAlone>,
}

/// A file with its reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileDetail {
    pub record: FileRecord,
    /// In the order of the file.
    pub reports: Vec<ReportRecord>,
    /// The file whose reports stand for this one's: it had the same content and came first.
    pub duplicate_of: Option<i64>,
    /// What a plug-in said while it converted the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

/// Claimed is a failed one that a person had tried again, until that has ended.
///
/// ```text
///   new ──► Converted ◄──┐
///    │                   │
///    └────► Failed ──► Claimed
///              ▲          │
///              └──────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileState {
    Claimed,
    Converted,
    Failed,
}

impl FileState {
    /// The word used in JSON, in queries and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Converted => "converted",
            Self::Failed => "failed",
        }
    }
}

/// Which files to list; everything left out does not narrow the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileQuery {
    pub state: Option<FileState>,
    pub source: Option<String>,
    /// Of the content, in lower-case hexadecimal.
    pub sha256: Option<String>,
    /// At most so many; the agent answers with at most 1000, and with 100 when nothing is said.
    pub limit: Option<u32>,
    /// Only what comes after this file in the list: the last one of the page before.
    pub before: Option<i64>,
}

/// One report in the queue, or sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportRecord {
    pub id: Uuid,
    pub file_id: i64,
    pub source: String,
    pub file_name: String,
    pub serial_number: String,
    pub part_number: String,
    pub process_code: Option<i64>,
    /// `P`, `F`, `E` or `T`.
    pub result: String,
    pub state: ReportState,
    pub attempts: u32,
    #[schemars(with = "Time")]
    pub stored_at: Timestamp,
    #[schemars(with = "Option<Time>")]
    pub sent_at: Option<Timestamp>,
    /// When it is tried next, if it waits.
    #[schemars(with = "Option<Time>")]
    pub due_at: Option<Timestamp>,
    /// The last thing that went wrong, in words.
    pub error: Option<String>,
}

/// ```text
///   Queued ──► Sending ──► Sent
///     ▲           │
///     ├─ transient┤
///     └─ retry ── └──► Rejected ──► Discarded
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReportState {
    Queued,
    Sending,
    Sent,
    /// Refused by the server for what is in it: a person must look.
    Rejected,
    /// Given up by a person; kept for the record.
    Discarded,
}

impl ReportState {
    /// The word used in JSON, in queries and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Discarded => "discarded",
        }
    }
}

/// Which reports to list; everything left out does not narrow the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    pub state: Option<ReportState>,
    pub source: Option<String>,
    pub serial_number: Option<String>,
    pub part_number: Option<String>,
    /// Stored at this time or later.
    #[schemars(with = "Option<Time>")]
    pub from: Option<Timestamp>,
    /// Stored before this time.
    #[schemars(with = "Option<Time>")]
    pub to: Option<Timestamp>,
    /// At most so many; the agent answers with at most 1000, and with 100 when nothing is said.
    pub limit: Option<u32>,
    /// Only what comes after this report in the list: the last one of the page before.
    pub before: Option<Uuid>,
}

/// How many were changed together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changed {
    pub count: u64,
    /// How many should have been changed and could not: the log says why.
    #[serde(default)]
    pub failed: u64,
    /// True when there are more: ask again.
    #[serde(default)]
    pub more: bool,
}

/// A report with its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDetail {
    pub record: ReportRecord,
    /// The WSJF document that is, or was, sent.
    pub body: serde_json::Value,
    /// The server's whole answer to the last attempt.
    pub server_answer: Option<String>,
    /// Of a refused report: the answer line by line, with the places in the source file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub complaints: Vec<Complaint>,
}

/// One thing that the server found wrong with a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Complaint {
    /// The server's own.
    pub words: String,
    /// Where the step that is meant stands in the source file; `None` where that is not certain.
    pub source: Option<SourceLine>,
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceLine {
    /// Both count from 1; the column in characters.
    pub line: u64,
    pub column: u64,
    /// What stands there, cut when it is long.
    pub text: String,
}

impl std::fmt::Display for SourceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // In a line that fits on a screen the step is seen at once.
        match self.column {
            ..=200 => write!(f, "line {}: {}", self.line, self.text),
            column => write!(f, "line {}, column {column}: {}", self.line, self.text),
        }
    }
}

/// A wish to convert archived files again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Files that this converter has converted.
    pub converter: String,
    /// Received at this moment or later.
    #[schemars(with = "Time")]
    pub from: Timestamp,
    /// Received before this moment.
    #[schemars(with = "Time")]
    pub to: Timestamp,
    /// Only say what would change.
    pub dry_run: bool,
    /// Go on after this file.
    #[serde(default)]
    pub after: Option<ReplayMark>,
}

/// How far a replay has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayMark {
    #[schemars(with = "Time")]
    pub received_at: Timestamp,
    pub id: i64,
}

/// A part of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayPart {
    /// Oldest first.
    pub files: Vec<FileReplay>,
    /// So many files are left after these.
    pub left: u64,
    /// To be asked for next; `None` after the last.
    pub next: Option<ReplayMark>,
}

/// An archived file, and what it gives now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileReplay {
    pub id: i64,
    pub name: String,
    pub source: String,
    #[schemars(with = "Time")]
    pub received_at: Timestamp,
    #[serde(flatten)]
    pub outcome: ReplayOutcome,
}

/// What came of converting a file again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum ReplayOutcome {
    Converted {
        reports: Vec<ReportReplay>,
    },
    /// The converter refuses it now; its reports stay as they are.
    Failed {
        error: String,
    },
    /// The file is not there any more.
    Missing,
    /// The file is not the one that was converted: its checksum is another.
    Damaged,
    Unreadable {
        error: String,
    },
}

/// A report, and whether it changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportReplay {
    pub id: Uuid,
    pub serial_number: String,
    #[serde(flatten)]
    pub change: Change,
}

/// What becomes of a report when its file is converted again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// Nothing: it is not sent.
    Equal,
    Changed {
        differences: Vec<Difference>,
        /// So many differences are not named.
        more: u64,
    },
    New,
    /// The file does not give it any more; it stays on the server.
    Gone,
}

/// One member of a report that changes: `root.steps[0 "Vout"].numericMeas[0].value`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    pub path: String,
    /// JSON, cut when it is long; `None` where there was nothing.
    pub before: Option<String>,
    pub after: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let before = self.before.as_deref().unwrap_or("absent before");
        write!(f, "{}: {before}, now {}", self.path, self.after.as_deref().unwrap_or("absent"))
    }
}

/// The server settings in force; never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServerSettings {
    pub url: Option<String>,
    /// `http://host:port`, without a password.
    pub proxy: Option<String>,
    /// Extra root certificates, PEM.
    pub extra_ca: Option<String>,
    pub has_credential: bool,
    pub has_proxy_credential: bool,
}

/// A wish to change or to try server settings. Credentials that are `None` stay as they are.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerChange {
    pub url: String,
    #[serde(default)]
    pub proxy: Option<String>,
    #[serde(default)]
    pub extra_ca: Option<String>,
    #[serde(default)]
    pub credential: Option<Credential>,
    #[serde(default)]
    pub proxy_credential: Option<UserPassword>,
}

/// What the server is convinced with.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Ready for the header: base64 of `user:password`.
    Token(
        #[serde(serialize_with = "expose")]
        #[schemars(with = "String")]
        SecretString,
    ),
    User(UserPassword),
}

/// A user name with its password.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserPassword {
    pub user: String,
    #[serde(serialize_with = "expose")]
    #[schemars(with = "String")]
    pub password: SecretString,
}

/// Secrets travel over the Unix socket only, in one direction: towards the agent.
fn expose<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

/// The answer to a connection test: its steps in order, ending with the first that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionTest {
    pub checks: Vec<Check>,
}

impl ConnectionTest {
    /// True when nothing failed; warnings do not count.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.outcome != Outcome::Failed)
    }
}

/// One step of a connection test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    pub step: CheckStep,
    pub outcome: Outcome,
    /// What was seen, in plain words.
    pub message: String,
    /// What the person can do about it.
    pub advice: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStep {
    Address,
    Dns,
    Tcp,
    Proxy,
    Tls,
    Clock,
    Version,
    Credential,
    Rights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Ok,
    Warning,
    Failed,
}

/// One instance of this machine, as its configuration and the lock in its folder show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    pub name: String,
    /// Its configuration file.
    pub config: String,
    pub state: InstanceState,
    /// Of the agent that runs on it.
    pub process: Option<u32>,
    /// How many sources it has; absent where the configuration is wrong.
    pub sources: Option<usize>,
    /// What is wrong with the configuration, or why the state is not known.
    pub trouble: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    Running,
    Stopped,
    /// The lock may not be looked at: not root, and not the agent's user.
    Unknown,
}

/// How a [`Timestamp`] is described to readers of the schema: RFC 3339, `2026-01-31T06:30:00Z`.
pub(crate) struct Time;

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "date-time"})
    }
}
