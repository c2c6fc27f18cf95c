//! What the simulated server keeps.

use std::collections::HashMap;
use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use wats::Report;

/// A stored report in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    pub id: Uuid,
    #[serde(rename = "type")]
    pub report_type: String,
    pub sn: String,
    pub pn: String,
    pub process_code: Option<i32>,
    pub result: String,
    /// How often this id came.
    pub receive_count: u32,
}

/// Counts since the start, or since the last `DELETE /_sim/reports`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Different ids that are stored.
    pub unique: usize,
    /// Submissions that reached the server, whatever became of them.
    pub posts: u64,
    /// Submissions that were answered with 400.
    pub rejected: u64,
}

#[derive(Debug)]
pub(super) struct Stored {
    pub header: Header,
    pub report: Report,
    pub body: Vec<u8>,
    pub content_type: &'static str,
    pub received: Instant,
    pub number: i64,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    reports: HashMap<Uuid, Stored>,
    next_number: i64,
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
    pub(super) fn accept(
        &mut self,
        id: Uuid,
        report: Report,
        body: Vec<u8>,
        content_type: &'static str,
    ) -> i64 {
        let before = self.reports.get(&id);
        let receive_count = before.map_or(1, |b| b.header.receive_count + 1);
        let number = before.map_or(self.next_number + 1, |b| b.number);
        self.next_number = self.next_number.max(number);
        let kind = serde_json::to_value(report.report_type).ok();
        let header = Header {
            id,
            report_type: kind.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned(),
            sn: report.sn.clone(),
            pn: report.pn.clone(),
            process_code: report.process_code,
            result: report.result.letter().to_owned(),
            receive_count,
        };
        let stored = Stored { header, report, body, content_type, received: Instant::now(), number };
        self.reports.insert(id, stored);
        number
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Stored> {
        self.reports.get(&id)
    }

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
