//! `@BATCH` and `@BTEST`: what they say of a board as a whole.

use jiff::tz::TimeZone;
use wats::report::{MiscInfo, Status, Step, Time};

use crate::kit::records::Record;
use crate::kit::{build, time, tree};

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub(super) uut_type: &'a str,
    pub(super) uut_rev: &'a str,
    pub(super) fixture: &'a str,
    testhead: &'a str,
    testhead_type: &'a str,
    process_step: &'a str,
    pub(super) batch_id: &'a str,
    pub(super) operator: &'a str,
    pub(super) controller: &'a str,
    pub(super) testplan: &'a str,
    pub(super) testplan_rev: &'a str,
    panel_type: &'a str,
    panel_rev: &'a str,
    pub(super) version_label: &'a str,
}

impl<'a> Batch<'a> {
    pub(super) fn new(record: &Record<'a>) -> Self {
        let field = |index| record.field(index);
        Self {
            uut_type: field(0),
            uut_rev: field(1),
            fixture: field(2),
            testhead: field(3),
            testhead_type: field(4),
            process_step: field(5),
            batch_id: field(6),
            operator: field(7),
            controller: field(8),
            testplan: field(9),
            testplan_rev: field(10),
            panel_type: field(11),
            panel_rev: field(12),
            version_label: field(13),
        }
    }

    /// What a report has no place for.
    pub(super) fn infos(&self) -> impl Iterator<Item = MiscInfo> + use<> {
        // The version label takes the place of the UUT type.
        let uut_type = if self.version_label.is_empty() { "" } else { self.uut_type };
        infos([
            ("UUT type", uut_type),
            ("UUT type revision", self.uut_rev),
            ("Process step", self.process_step),
            ("Testhead", self.testhead),
            ("Testhead type", self.testhead_type),
            ("Parent panel type", self.panel_type),
            ("Parent panel type revision", self.panel_rev),
        ])
    }
}

/// The status of a board that was not tested.
pub(super) const CROSSED_OUT: i32 = 13;

#[derive(Debug, Clone, Copy)]
pub(super) struct Board<'a> {
    pub(super) line: usize,
    pub(super) id: &'a str,
    written_status: &'a str,
    pub(super) status: Option<i32>,
    pub(super) start: &'a str,
    pub(super) duration: &'a str,
    pub(super) end: &'a str,
    pub(super) number: Option<i32>,
    others: [(&'static str, &'a str); 7],
}

impl<'a> Board<'a> {
    pub(super) fn new(record: &Record<'a>) -> Self {
        let field = |index| record.field(index);
        Self {
            line: record.line,
            id: field(0),
            written_status: field(1),
            status: field(1).parse().ok(),
            start: field(2),
            duration: field(3),
            end: field(9),
            number: field(11).parse::<i16>().ok().map(i32::from),
            others: [
                ("Multiple test", field(4)),
                ("Log level", field(5)),
                ("Log set", field(6)),
                ("Learning", field(7)),
                ("Known good", field(8)),
                ("Status qualifier", field(10)),
                ("Parent panel id", field(12)),
            ],
        }
    }

    pub(super) fn infos(&self) -> impl Iterator<Item = MiscInfo> + use<> {
        infos(self.others)
    }

    /// The board's verdict; that of its steps where it has none.
    pub(super) fn result(&self, steps: &[Step], warnings: &mut Vec<String>) -> Status {
        match self.status {
            Some(0) => Status::Passed,
            Some(11 | 12 | 80) => Status::Error,
            Some(81 | 82) => Status::Terminated,
            Some(_) => Status::Failed,
            None => {
                warnings.push(format!(
                    "line {}: \"{}\" is no status of a board: its tests decide",
                    self.line, self.written_status
                ));
                tree::rolled_up(steps)
            }
        }
    }

    /// Reads `240131081502`. Years from 69 on are of the last century.
    pub(super) fn time(&self, written: &str, zone: &TimeZone, warnings: &mut Vec<String>) -> Option<Time> {
        let digits = written.len() == 12 && written.bytes().all(|byte| byte.is_ascii_digit());
        let read = digits.then(|| time::parse_as(written, &["%y%m%d%H%M%S"], zone)).flatten();
        if read.is_none() && !written.is_empty() {
            warnings.push(format!("line {}: \"{written}\" is no time like 240131081502", self.line));
        }
        read
    }
}

fn infos<const N: usize>(pairs: [(&'static str, &str); N]) -> impl Iterator<Item = MiscInfo> + use<N> {
    let infos: Vec<MiscInfo> = pairs
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| build::info(name, text))
        .collect();
    infos.into_iter()
}

/// What a board's status means; nothing for one that passed.
pub(super) fn meaning(status: i32) -> Option<&'static str> {
    Some(match status {
        0 => return None,
        1 => "failed",
        2 => "pins",
        3 => "in learning",
        4 => "shorts",
        6 => "analog",
        7 => "power supplies",
        8 => "digital or boundary scan",
        9 => "functional",
        10 => "pre-shorts",
        11 => "board handler",
        12 => "barcode",
        CROSSED_OUT => "crossed out, not tested",
        14 => "TestJet or VTEP",
        15 => "polarity",
        16 => "ConnectCheck",
        17 => "analog cluster",
        80 => "runtime error",
        81 | 82 => "aborted",
        90..=99 => "user-defined",
        _ => "unknown status",
    })
}
