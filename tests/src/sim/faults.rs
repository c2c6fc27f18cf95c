//! What goes wrong while the simulator runs.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The state in force, as `GET /_sim/faults` shows it.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Faults {
    pub faults: Vec<Fault>,
    pub behaviour: Behaviour,
}

/// The body of `PUT /_sim/faults`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultsChange {
    /// Put in the place of those before; an empty list heals the server.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// Absent: stays as it is.
    #[serde(default)]
    pub behaviour: Option<Behaviour>,
}

/// One thing that goes wrong, on which requests, and how often.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// The beginning of the path without `/api/`, in any case: `report`, `app/version`. Empty: all.
    pub route: String,
    /// Requests to let through first.
    pub skip: u64,
    /// How many requests it hits; `None`: all until it is cleared.
    pub times: Option<u64>,
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl<'de> Deserialize<'de> for Fault {
    /// One flat object. Serde cannot refuse unknown members of flattened ones, so the two halves are read apart.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Aim {
            route: String,
            skip: u64,
            times: Option<u64>,
        }
        let (aim, kind): (Map<String, Value>, Map<String, Value>) = Map::deserialize(from)?
            .into_iter()
            .partition(|(name, _)| matches!(name.as_str(), "route" | "skip" | "times"));
        let Aim { route, skip, times } = Aim::deserialize(Value::Object(aim)).map_err(D::Error::custom)?;
        let given: Vec<String> = kind.keys().cloned().collect();
        let kind = FaultKind::deserialize(Value::Object(kind)).map_err(D::Error::custom)?;
        // Nor does it for kinds without members of their own.
        let known = serde_json::to_value(&kind).map_err(D::Error::custom)?;
        if let Some(unknown) = given.iter().find(|name| known.get(name).is_none()) {
            return Err(D::Error::custom(format!("unknown member {unknown}")));
        }
        Ok(Self { route, skip, times, kind })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum FaultKind {
    /// Waits before doing what it would do anyway; another fault may hit the same request.
    Latency { milliseconds: u64 },
    /// Answers this status instead of doing anything.
    Status {
        code: u16,
        /// The text of a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<String>,
        /// The text of a `Location` header.
        #[serde(default)]
        location: Option<String>,
        #[serde(default)]
        body: String,
        /// `text/plain` where it is absent.
        #[serde(default)]
        content_type: Option<String>,
    },
    /// Closes the connection before anything is read.
    DropBefore,
    /// Closes the connection when the first piece of the body is read.
    DropDuring,
    /// Does everything (stores the report) and closes the connection without an answer.
    DropAfter,
    /// Answers a login page with status 200 instead of doing anything.
    Html,
    /// Pauses before each piece of the request's body that it reads.
    SlowRead { milliseconds: u64 },
    /// Does everything, and pauses before each of the ten pieces of the answer's body.
    SlowAnswer { milliseconds: u64 },
    /// Does everything, and acknowledges another id.
    WrongId,
    /// Does everything, and answers 200 without a body.
    Empty,
    /// Does everything, and answers half of the body.
    Truncated,
}

impl FaultKind {
    /// Answers `code` with an empty body.
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after: None, location: None, body: String::new(), content_type: None }
    }
}

/// How the server behaves where nothing is wrong.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Behaviour {
    /// The shape of the answer to a report that breaks the rules.
    pub rejection: RejectionShape,
    /// How long a stored report cannot be read back.
    pub processing_delay_ms: u64,
    /// Requests allowed in 60 seconds; more are answered with 429. `None`: any number.
    pub requests_per_minute: Option<u64>,
    /// Gives `rev` and `partType` back without white space at their ends.
    pub trims: bool,
    /// The largest report in bytes; `None`: 30,000,000, the usual limit of the web server that WATS runs on.
    pub max_body: Option<usize>,
    /// Has the endpoints where clients register and say how they fare, as servers after 2026.1 do.
    pub registration: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
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

/// What hits one request.
#[derive(Debug, Default)]
pub(super) struct Hit {
    pub delay: Duration,
    pub kind: Option<FaultKind>,
}

impl Faults {
    pub(super) fn change(&mut self, change: FaultsChange) {
        self.faults = change.faults;
        if let Some(behaviour) = change.behaviour {
            self.behaviour = behaviour;
        }
    }

    /// All latencies and the first other fault that hit a request to `route`; this counts as one of their times.
    pub(super) fn take(&mut self, route: &str) -> Hit {
        let mut hit = Hit::default();
        for fault in self.faults.iter_mut().filter(|fault| fault.is_aimed_at(route)) {
            let is_latency = matches!(fault.kind, FaultKind::Latency { .. });
            if (hit.kind.is_some() && !is_latency) || !fault.fires() {
                continue;
            }
            match fault.kind {
                FaultKind::Latency { milliseconds } => hit.delay += Duration::from_millis(milliseconds),
                _ => hit.kind = Some(fault.kind.clone()),
            }
        }
        hit
    }
}

impl Fault {
    fn is_aimed_at(&self, route: &str) -> bool {
        let wanted = self.route.to_ascii_lowercase();
        let wanted = wanted.trim_start_matches('/');
        route.starts_with(wanted.strip_prefix("api/").unwrap_or(wanted))
    }

    fn fires(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FaultsChange, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn faults_are_read_and_a_misspelt_member_is_refused() {
        let text = r#"{"faults": [
            {"route": "report", "skip": 1, "times": 2, "kind": "status", "code": 429, "retry-after": "7"},
            {"kind": "drop-after"}], "behaviour": {"rejection": "text"}}"#;
        let change = read(text).unwrap();
        let [status, drop] = change.faults.as_slice() else { panic!("{change:?}") };
        assert!(
            matches!(&status.kind, FaultKind::Status { code: 429, retry_after: Some(s), .. } if s == "7")
        );
        assert_eq!((status.skip, status.times, drop.times), (1, Some(2), None));
        assert_eq!(change.behaviour.unwrap().rejection, RejectionShape::Text);
        for wrong in [
            r#"{"faults": [{"kind": "drop-after", "time": 1}]}"#,
            r#"{"faults": [{"kind": "status"}]}"#,
            r#"{"faults": [{"kind": "meteor"}]}"#,
            r#"{"fault": []}"#,
            r#"{"behaviour": {"speed": 1}}"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_fault_hits_the_requests_that_it_is_aimed_at() {
        let text = r#"{"faults": [
            {"route": "/api/Report", "skip": 1, "times": 1, "kind": "drop-before"},
            {"route": "report", "kind": "latency", "milliseconds": 5}]}"#;
        let mut faults = Faults::default();
        faults.change(read(text).unwrap());
        let hits: Vec<_> = ["app/version", "report/wsjf", "report/wsjf", "report/wsjf"]
            .map(|route| faults.take(route))
            .into();
        let kinds: Vec<_> = hits.iter().map(|hit| hit.kind.clone()).collect();
        assert_eq!(kinds, [None, None, Some(FaultKind::DropBefore), None]);
        let delays: Vec<_> = hits.iter().map(|hit| hit.delay.as_millis()).collect();
        assert_eq!(delays, [0, 5, 5, 5]);
    }
}
