//! One conversion: converter, checks, ids. Pure; the worker and the command line call it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wats::validate::{self, Strictness};
use wats_converters::{Arguments, Companion, Conversion, Converter, ErrorKind, Input};

use crate::control::api::Station;
use crate::store::NewReport;

/// The namespace of report ids that are derived from a file's content.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f4c_1f0e_52c3_4c0d_9d61_7a1b_1c5e_02b7);

/// At most so many broken rules are named; the rest is counted.
const NAMED_PROBLEMS: usize = 50;

/// Everything about a file but its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    pub converter: String,
    pub arguments: BTreeMap<String, String>,
    pub file_name: String,
    /// SHA-256 of the bytes, from which ids are derived.
    pub sha256: String,
    pub modified: Timestamp,
    pub station: Station,
    pub now: Timestamp,
}

/// What a conversion gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Reports {
        reports: Vec<NewReport>,
        /// What was repaired or left out, in sentences.
        warnings: Vec<String>,
    },
    Refused {
        /// What is wrong and where, for a test engineer.
        words: String,
        /// The file may not be complete yet.
        not_yet: bool,
    },
}

/// Converts a file: reports that the server's rules allow, each with an id, or the reason why not.
pub fn convert(job: &Job, bytes: Vec<u8>, companions: Vec<Companion>) -> Answer {
    let refused = |words: String| Answer::Refused { words, not_yet: false };
    let Some(converter) = wats_converters::find(&job.converter) else {
        return refused(format!("there is no converter {:?}", job.converter));
    };
    let arguments = match Arguments::new(converter.about().arguments, &job.arguments) {
        Ok(arguments) => arguments,
        Err(error) => return refused(format!("the converter's settings are wrong: {error}")),
    };
    let input = match job.input(bytes) {
        Ok(input) => Input { companions, ..input },
        Err(words) => return refused(words),
    };
    // A converter's bug is the error of this file and of no other.
    match catch_unwind(AssertUnwindSafe(|| converter.convert(&input, &arguments))) {
        Ok(Ok(conversion)) => finish(job, conversion),
        Ok(Err(error)) => {
            Answer::Refused { not_yet: error.kind == ErrorKind::NotYet, words: error.to_string() }
        }
        Err(_) => refused(format!(
            "the converter {} crashed on this file: please report it, with the file if you may",
            job.converter
        )),
    }
}

impl Job {
    /// What a converter sees.
    ///
    /// # Errors
    /// When the station's time zone is not known on this machine.
    pub fn input(&self, bytes: Vec<u8>) -> Result<Input, String> {
        let time_zone = TimeZone::get(&self.station.time_zone)
            .map_err(|_| format!("the time zone {:?} of the station is not known", self.station.time_zone))?;
        Ok(Input {
            file_name: self.file_name.clone(),
            bytes,
            companions: Vec::new(),
            modified: self.modified,
            station: wats_converters::Station {
                name: self.station.name.clone(),
                location: self.station.location.clone(),
                purpose: self.station.purpose.clone(),
                time_zone,
            },
            now: self.now,
        })
    }

    /// The same content always gets the same id, so that the server knows it again.
    fn derived_id(&self, index: usize) -> Uuid {
        let name = format!("{}\n{}\n{index}", self.converter, self.sha256);
        Uuid::new_v5(&NAMESPACE, name.as_bytes())
    }
}

/// Gives every report its id and checks it.
fn finish(job: &Job, conversion: Conversion) -> Answer {
    let refused = |words: String| Answer::Refused { words, not_yet: false };
    if conversion.reports.is_empty() {
        return refused("the file holds no report".to_owned());
    }
    let several = conversion.reports.len() > 1;
    let mut ids = BTreeSet::new();
    let mut reports = Vec::with_capacity(conversion.reports.len());
    for (index, mut report) in conversion.reports.into_iter().enumerate() {
        let which =
            if several { format!("report {} ({})", index + 1, report.sn) } else { "the report".into() };
        let id = *report.id.get_or_insert_with(|| job.derived_id(index));
        if !ids.insert(id) {
            return refused(format!("{which} has the same id {id} as one before it in the file"));
        }
        match ready(id, report, &which) {
            Ok(report) => reports.push(report),
            Err(words) => return refused(words),
        }
    }
    Answer::Reports { reports, warnings: conversion.warnings }
}

/// A report as it goes into the queue: completed, checked, and written.
///
/// # Errors
/// When it breaks the server's rules, in words.
pub(crate) fn ready(id: Uuid, mut report: wats::Report, which: &str) -> Result<NewReport, String> {
    report.id = Some(id);
    // The server's documentation demands it beside the local time.
    if report.start_utc.is_none() {
        report.start_utc = report.start.as_ref().and_then(wats::report::Time::utc);
    }
    let problems = validate::problems(&report, Strictness::Observed);
    if !problems.is_empty() {
        return Err(broken_rules(which, &problems));
    }
    let body = wats::wsjf::write(&report).map_err(|error| format!("{which} cannot be written: {error}"))?;
    Ok(NewReport {
        id,
        serial_number: report.sn,
        part_number: report.pn,
        process_code: report.process_code.map(i64::from),
        result: report.result.letter().to_owned(),
        body,
    })
}

fn broken_rules(which: &str, problems: &[validate::Problem]) -> String {
    let mut words = format!("{which} breaks the server's rules:");
    for problem in problems.iter().take(NAMED_PROBLEMS) {
        words.push_str(&format!("\n{problem}"));
    }
    if problems.len() > NAMED_PROBLEMS {
        words.push_str(&format!("\nand {} more", problems.len() - NAMED_PROBLEMS));
    }
    words
}

/// The converter that is surest that the file is its own.
pub(crate) fn choose(job: &Job, bytes: Vec<u8>) -> Result<&'static dyn Converter, String> {
    let input = job.input(bytes)?;
    wats_converters::choose(&input).ok_or_else(|| {
        let known: Vec<_> = wats_converters::catalogue().iter().map(|it| it.about().name).collect();
        format!("no converter knows this file; name one with --converter: {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(converter: &str) -> Job {
        Job {
            converter: converter.to_owned(),
            arguments: BTreeMap::new(),
            file_name: "a.json".to_owned(),
            sha256: "00".to_owned(),
            modified: Timestamp::UNIX_EPOCH,
            station: Station {
                name: "st".to_owned(),
                location: "lab".to_owned(),
                purpose: "test".to_owned(),
                time_zone: "Europe/Oslo".to_owned(),
            },
            now: Timestamp::UNIX_EPOCH,
        }
    }

    fn words(answer: Answer) -> String {
        match answer {
            Answer::Refused { words, .. } => words,
            Answer::Reports { reports, .. } => format!("{} reports", reports.len()),
        }
    }

    #[test]
    fn what_cannot_be_converted_says_why() {
        assert_eq!(words(convert(&job("none"), Vec::new(), Vec::new())), "there is no converter \"none\"");
        let mut wrong = job("wats-json");
        wrong.arguments.insert("nonsense".to_owned(), "1".to_owned());
        assert!(
            words(convert(&wrong, Vec::new(), Vec::new()))
                .starts_with("the converter's settings are wrong: ")
        );
        assert!(!words(convert(&job("wats-json"), b"{".to_vec(), Vec::new())).contains("crashed"));
    }

    #[test]
    fn ids_are_the_documents_own_or_the_same_at_every_conversion() {
        let job = job("wats-json");
        let conversion = || Conversion {
            reports: vec![wats::Report::uut("p", "1", "A"), wats::Report::uut("p", "2", "A")],
            warnings: Vec::new(),
        };
        let ids = |conversion: Conversion| match finish(&job, complete(conversion)) {
            Answer::Reports { reports, .. } => reports.into_iter().map(|r| r.id).collect::<Vec<_>>(),
            Answer::Refused { words, .. } => panic!("{words}"),
        };
        let derived = ids(conversion());
        assert_eq!(derived, ids(conversion()));
        assert_ne!(derived[0], derived[1]);

        let mut own = conversion();
        own.reports[1].id = Some(Uuid::from_u128(7));
        assert_eq!(ids(own), [derived[0], Uuid::from_u128(7)]);

        let mut twice = complete(conversion());
        twice.reports[1].id = Some(derived[0]);
        assert!(words(finish(&job, twice)).contains("the same id"));
    }

    /// Fills in what the server's rules ask for.
    fn complete(mut conversion: Conversion) -> Conversion {
        for report in &mut conversion.reports {
            report.process_code = Some(10);
            report.machine_name = "st".to_owned();
            report.location = "lab".to_owned();
            report.purpose = "test".to_owned();
            report.start = Some(wats::report::Time::from_text("2026-01-01T00:00:00+01:00"));
        }
        conversion
    }

    #[test]
    fn a_report_that_breaks_the_rules_names_them() {
        let mut conversion =
            complete(Conversion { reports: vec![wats::Report::uut("p", "1", "A")], warnings: Vec::new() });
        conversion.reports[0].sn = String::new();
        let words = words(finish(&job("wats-json"), conversion));
        assert!(words.starts_with("the report breaks the server's rules:\n"), "{words}");
    }
}
