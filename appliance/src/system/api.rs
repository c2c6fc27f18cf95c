//! What the system daemon offers: a closed set of typed operations, and their JSON bodies.
//!
//! HTTP and JSON over `/run/wats-appliance/system.sock`; the peer's user id is checked on every
//! connection. A refused request answers 4xx with a [`Problem`].
//!
//! | Method and path | Body | Answer |
//! |---|---|---|
//! | `GET /v1/host` | | [`Host`] |
//! | `PUT /v1/host-name` | [`HostNameChange`] | 204 |
//! | `GET /v1/time-zones` | | list of IANA names |
//! | `PUT /v1/time-zone` | [`TimeZoneChange`] | 204 |
//! | `GET /v1/updates` | | [`Updates`] |
//! | `POST /v1/updates/check` | | 202; progress in [`Updates`] |
//! | `POST /v1/updates/install` | | 202; progress in [`Updates`] |
//! | `POST /v1/power` | [`Power`] | 202 |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a request was refused, in words for the person at the keyboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub message: String,
}

/// The machine as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    pub host_name: String,
    /// IANA name.
    pub time_zone: String,
    /// Of the appliance package.
    pub version: String,
    /// For example `Ubuntu 22.04.5 LTS`.
    pub operating_system: String,
    pub uptime_seconds: u64,
    /// Global addresses of the machine, IPv4 first.
    pub addresses: Vec<std::net::IpAddr>,
    pub reboot_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostNameChange {
    pub host_name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeZoneChange {
    pub time_zone: String,
}

/// Restart or switch off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    pub action: PowerAction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PowerAction {
    Restart,
    SwitchOff,
}

/// What apt offers, and the run that is going on or was the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Updates {
    pub available: Vec<PackageUpdate>,
    /// When the package lists were last fetched.
    pub checked_at: Option<Timestamp>,
    pub run: Option<UpdateRun>,
    pub reboot_required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageUpdate {
    pub package: String,
    /// `None`: newly installed by the update.
    pub installed: Option<String>,
    pub candidate: String,
    pub security: bool,
}

/// One run of apt. It goes on when console and daemon are restarted by it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UpdateRun {
    pub kind: UpdateKind,
    pub state: UpdateState,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// 0 to 100.
    pub percent: f64,
    /// What apt is doing: `Unpacking wats-console`.
    pub step: String,
    /// The last lines of apt's output.
    pub log: Vec<String>,
    /// Why it failed, in words.
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateKind {
    Check,
    Install,
}

/// ```text
///   Running ──► Succeeded
///      └──────► Failed      (apt said no, or the run vanished: power cut, kill)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateState {
    Running,
    Succeeded,
    Failed,
}
