//! What can be made to go wrong while the simulator runs.

use serde::{Deserialize, Serialize};

/// The body of `PUT /_sim/faults`, and the state in force.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Faults {
    pub faults: Vec<Fault>,
    pub behaviour: Behaviour,
}

/// One thing that goes wrong, on which requests, and how often.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// The beginning of the path, lower case, without `/api/`: `report`, `app/version`. Absent: all.
    #[serde(default)]
    pub route: String,
    /// Requests to let through first.
    #[serde(default)]
    pub skip: u64,
    /// How many requests it hits; absent: all until it is cleared.
    #[serde(default)]
    pub times: Option<u64>,
    #[serde(flatten)]
    pub kind: FaultKind,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum FaultKind {
    /// Waits before doing what it would do anyway.
    Latency { milliseconds: u64 },
    /// Answers this status instead of doing anything.
    Status {
        code: u16,
        /// The text of a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<String>,
        #[serde(default)]
        body: String,
    },
    /// Closes the connection before anything is stored.
    DropBefore,
    /// Stores the report and closes the connection without an answer.
    DropAfter,
    /// Answers a login page with status 200; nothing is stored.
    Html,
    /// Reads the request only after this while.
    SlowRead { milliseconds: u64 },
    /// Stores the report and acknowledges another id.
    WrongId,
    /// Stores the report and answers 200 without a body.
    Empty,
    /// Stores the report and answers half a JSON document.
    Truncated,
}

/// How the server behaves where nothing is wrong.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Behaviour {
    /// The shape of the answer to a report that breaks the rules.
    pub rejection: RejectionShape,
    /// How long a stored report cannot be read back.
    pub processing_delay_ms: u64,
    /// Requests allowed in 60 seconds; more are answered with 429.
    pub requests_per_minute: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectionShape {
    /// `{"Message": "…"}`
    #[default]
    Message,
    /// A JSON text.
    String,
    /// Plain text.
    Text,
}

impl Faults {
    pub fn replace(&mut self, faults: Vec<Fault>) {
        self.faults = faults;
    }

    /// The fault that hits a request to `route`, which counts as one of its times.
    pub(super) fn take(&mut self, route: &str) -> Option<FaultKind> {
        for fault in self.faults.iter_mut().filter(|fault| route.starts_with(&fault.route)) {
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &mut fault.times {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            return Some(fault.kind.clone());
        }
        None
    }
}
