//! What the simulated server keeps.

use std::collections::HashMap;

use axum::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;
use wats::Report;
use wats::report::{ReportType, Time};

/// A stored report in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    pub id: Uuid,
    /// `T` or `R`.
    #[serde(rename = "type")]
    pub report_type: &'static str,
    pub sn: String,
    pub pn: String,
    pub process_code: Option<i32>,
    /// One letter, as in the report.
    pub result: &'static str,
    /// How often this id came.
    pub receive_count: u32,
}

/// Counts since the start, or since the last `DELETE /_sim/reports`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Different ids that are stored.
    pub unique: usize,
    /// Submissions that were read to their end, whatever became of them.
    pub posts: u64,
    /// Submissions that were answered with 400.
    pub rejected: u64,
}

/// In which format a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Wsjf,
    Wsxf,
}

impl Format {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Wsjf => "application/json",
            Self::Wsxf => "application/xml",
        }
    }
}

/// Bytes rather than the parsed report, so that there is room for very many.
#[derive(Debug)]
pub(super) struct Stored {
    pub header: Header,
    pub revision: String,
    pub station: String,
    pub location: String,
    pub purpose: String,
    pub start: Option<Timestamp>,
    pub body: Bytes,
    /// The bodies that this one replaced, oldest first.
    pub earlier: Vec<Bytes>,
    pub format: Format,
    pub received: Timestamp,
    /// Place in the order of arrival of the different ids.
    pub number: i32,
}

/// ```text
///   Pending ──► Processed
///      ▲
///   Quarantined   (until a start in the future has come)
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Intake {
    Pending,
    Quarantined,
    Processed,
}

impl Stored {
    pub(super) fn process_at(&self, delay_ms: u64) -> Timestamp {
        let delay = SignedDuration::from_millis(i64::try_from(delay_ms).unwrap_or(i64::MAX));
        let due = self.received.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.start.map_or(due, |start| due.max(start))
    }

    pub(super) fn intake(&self, delay_ms: u64) -> Intake {
        let now = Timestamp::now();
        if self.process_at(delay_ms) <= now {
            Intake::Processed
        } else if self.start.is_some_and(|start| start > now) {
            Intake::Quarantined
        } else {
            Intake::Pending
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Store {
    reports: HashMap<Uuid, Stored>,
    last_number: i32,
    posts: u64,
    rejected: u64,
}

impl Store {
    pub(super) fn count_post(&mut self) {
        self.posts += 1;
    }

    pub(super) fn count_rejection(&mut self) {
        self.rejected += 1;
    }

    /// The same id replaces the report that was there and counts on.
    pub(super) fn accept(&mut self, id: Uuid, report: &Report, body: Bytes, format: Format) -> i32 {
        let before = self.reports.remove(&id);
        let receive_count = before.as_ref().map_or(1, |before| before.header.receive_count + 1);
        let number = before.as_ref().map_or(self.last_number + 1, |before| before.number);
        self.last_number = self.last_number.max(number);
        let earlier = before.map(|before| {
            let mut bodies = before.earlier;
            bodies.push(before.body);
            bodies
        });
        let header = Header {
            id,
            report_type: if report.report_type == ReportType::Test { "T" } else { "R" },
            sn: report.sn.to_string(),
            pn: report.pn.to_string(),
            process_code: report.process_code,
            result: report.result.letter(),
            receive_count,
        };
        let stored = Stored {
            header,
            revision: report.rev.to_string(),
            station: report.machine_name.to_string(),
            location: report.location.to_string(),
            purpose: report.purpose.to_string(),
            start: report.start.as_ref().and_then(Time::instant),
            body,
            earlier: earlier.unwrap_or_default(),
            format,
            received: Timestamp::now(),
            number,
        };
        self.reports.insert(id, stored);
        number
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Stored> {
        self.reports.get(&id)
    }

    /// In the order of arrival.
    pub(super) fn all(&self) -> Vec<&Stored> {
        let mut all: Vec<&Stored> = self.reports.values().collect();
        all.sort_by_key(|stored| stored.number);
        all
    }

    pub(super) fn headers(&self) -> Vec<Header> {
        self.all().into_iter().map(|stored| stored.header.clone()).collect()
    }

    pub(super) fn stats(&self) -> Stats {
        Stats { unique: self.reports.len(), posts: self.posts, rejected: self.rejected }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
