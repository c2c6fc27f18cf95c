//! What happens in the agent, as it is told to whoever follows it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Link, SourceState, Time};

/// One thing that happened, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    #[schemars(with = "Time")]
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened. Words are cut to their first line; the whole is with the file or the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A complete file is on its way to its converter.
    FileSeen { source: String, name: String, size_bytes: u64 },
    /// A file's reports are stored for sending.
    FileConverted { source: String, name: String, file_id: i64, reports: u64 },
    /// A file has the content of one that was converted before.
    FileDuplicate { source: String, name: String, file_id: i64, duplicate_of: i64 },
    /// A file could not be converted.
    FileFailed { source: String, name: String, file_id: i64, error: String },
    /// The server has the report.
    ReportAcknowledged { report_id: Uuid },
    /// The server refused the report for good: a person must look.
    ReportRefused { report_id: Uuid, error: String },
    /// The report could not be sent now and is tried again.
    ReportPostponed {
        report_id: Uuid,
        error: String,
        #[schemars(with = "Time")]
        due_at: Timestamp,
    },
    /// The report waits because nothing can be sent: it is not at fault.
    ReportHeld { report_id: Uuid, error: String },
    /// The server can be reached or not, or another thing is wrong with it.
    ServerLink { link: Link, trouble: Option<String> },
    /// A source works, is paused or has failed, or another thing is wrong with it.
    Source { source: String, state: SourceState, trouble: Option<String> },
    /// Something keeps a part of the agent from its work.
    TroubleRaised { part: String, trouble: String },
    /// What kept that part from its work is over.
    TroubleCleared { part: String },
    /// Other settings, or another credential, are in force.
    SettingsChanged,
    /// Whoever follows was too slow, and so many events were left out here.
    Missed { count: u64 },
}

impl Event {
    /// The word for its kind, as in the member `event`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::FileSeen { .. } => "file-seen",
            Self::FileConverted { .. } => "file-converted",
            Self::FileDuplicate { .. } => "file-duplicate",
            Self::FileFailed { .. } => "file-failed",
            Self::ReportAcknowledged { .. } => "report-acknowledged",
            Self::ReportRefused { .. } => "report-refused",
            Self::ReportPostponed { .. } => "report-postponed",
            Self::ReportHeld { .. } => "report-held",
            Self::ServerLink { .. } => "server-link",
            Self::Source { .. } => "source",
            Self::TroubleRaised { .. } => "trouble-raised",
            Self::TroubleCleared { .. } => "trouble-cleared",
            Self::SettingsChanged => "settings-changed",
            Self::Missed { .. } => "missed",
        }
    }
}
