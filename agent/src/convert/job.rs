//! One conversion: converter, checks, ids. Pure; the worker and the command line call it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wats::Report;
use wats::validate::{self, Strictness};
use wats_converters::{Arguments, Companion, ConvertError, ErrorKind, Input};

use crate::control::api::Station;
use crate::plugins::{self, Verdict};
use crate::store::{NewReport, Reports};

/// Who reads the reports of plug-ins.
const WATS_JSON: &str = "wats-json";

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
    /// Of a unit that is a folder, its name.
    pub folder: Option<String>,
    /// Of a file whose format is to be recognised: the plug-in that is surest of it. One of our formats has to be surer.
    pub rival: Option<Rival>,
}

/// A plug-in's converter that says a file is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    /// As a source names it: `plugin:acme`.
    pub converter: String,
    pub confidence: f64,
    pub reason: String,
}

/// What a conversion gave.
#[derive(Debug)]
pub enum Answer {
    Reports {
        reports: Reports,
        /// What was repaired or left out, in sentences.
        warnings: Vec<String>,
    },
    Refused {
        /// What is wrong and where, for a test engineer.
        words: String,
        /// The file may not be complete yet.
        not_yet: bool,
    },
    /// The rival is surer of the file.
    Outdone,
    /// What a plug-in made of the file.
    Plugin(Box<Verdict>),
}

/// How a conversion ended whose reports were handed over one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All reports were handed over.
    Whole { warnings: Vec<String> },
    /// None of them may be used.
    Refused { words: String, not_yet: bool },
    /// The rival is surer of the file; there are none.
    Outdone,
}

/// Converts a file: all its reports, or the reason why not.
pub fn convert(job: &Job, bytes: Vec<u8>, companions: Vec<Companion>) -> Answer {
    let mut reports = Reports::default();
    let ended = convert_each(job, bytes, companions, &mut |report| {
        reports.push(report.packed().map_err(|error| error.to_string())?);
        Ok(())
    });
    match ended {
        Ended::Whole { warnings } => Answer::Reports { reports, warnings },
        Ended::Refused { words, not_yet } => Answer::Refused { words, not_yet },
        Ended::Outdone => Answer::Outdone,
    }
}

/// Converts a file and hands over each report as soon as it is complete: one that the server's rules allow, with an id.
///
/// An error of `each` ends the conversion; its words are those of the refusal.
pub(crate) fn convert_each(
    job: &Job,
    bytes: Vec<u8>,
    companions: Vec<Companion>,
    each: &mut dyn FnMut(NewReport<Report>) -> Result<(), String>,
) -> Ended {
    let refused = |words: String| Ended::Refused { words, not_yet: false };
    // What a plug-in made of a file is WATS JSON, and read like any other: its arguments were the plug-in's.
    let of_plugin = plugins::name_of(&job.converter).is_some();
    let Some(converter) = wats_converters::find(if of_plugin { WATS_JSON } else { &job.converter }) else {
        return refused(format!("there is no converter {:?}", job.converter));
    };
    let none = BTreeMap::new();
    let given = if of_plugin { &none } else { &job.arguments };
    let arguments = match Arguments::new(converter.about().arguments, given) {
        Ok(arguments) => arguments,
        Err(error) => return refused(format!("the converter's settings are wrong: {error}")),
    };
    let input = match job.input(bytes) {
        Ok(input) => Input { companions, ..input },
        Err(words) => return refused(words),
    };
    if let Some(rival) = &job.rival {
        let ours = catch_unwind(AssertUnwindSafe(|| wats_converters::recognise(&input)));
        let ours = ours.ok().and_then(|it| it.chosen().map(|it| it.answer.confidence));
        // A person has enabled the plug-in on purpose: of equally sure ones it is taken.
        if ours.is_none_or(|ours| ours <= rival.confidence) {
            return Ended::Outdone;
        }
    }
    let mut finish = Finish { job, ids: BTreeSet::new() };
    let mut broken = None;
    // A converter's bug is the error of this file and of no other.
    let converted = catch_unwind(AssertUnwindSafe(|| {
        converter.convert_each(input, &arguments, &mut |report| {
            finish.one(report).and_then(&mut *each).map_err(|words| {
                broken = Some(words);
                // Only ends the conversion.
                ConvertError::new(ErrorKind::Malformed, "a report of the file cannot be used")
            })
        })
    }));
    match (converted, broken) {
        (_, Some(words)) => refused(words),
        (Ok(Ok(_)), None) if finish.ids.is_empty() => refused("the file holds no report".to_owned()),
        (Ok(Ok(warnings)), None) => Ended::Whole { warnings },
        (Ok(Err(error)), None) => {
            Ended::Refused { not_yet: error.kind == ErrorKind::NotYet, words: error.to_string() }
        }
        (Err(_), None) => refused(format!(
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
struct Finish<'a> {
    job: &'a Job,
    /// Of the reports before.
    ids: BTreeSet<Uuid>,
}

impl Finish<'_> {
    fn one(&mut self, report: Report) -> Result<NewReport<Report>, String> {
        let index = self.ids.len();
        let id = report.id.unwrap_or_else(|| self.job.derived_id(index));
        if !self.ids.insert(id) {
            return Err(format!(
                "{} has the same id {id} as one before it in the file",
                which(index, &report)
            ));
        }
        let which = which(index, &report);
        ready(id, report, &which)
    }
}

fn which(index: usize, report: &Report) -> String {
    // The words go to terminals, too.
    let serial: String = report.sn.chars().filter(|it| !it.is_control()).take(100).collect();
    format!("report {} ({serial})", index + 1)
}

/// A report as the server gets it: completed and checked.
///
/// # Errors
/// When it breaks the server's rules, in words.
pub(crate) fn ready(id: Uuid, mut report: Report, which: &str) -> Result<NewReport<Report>, String> {
    report.id = Some(id);
    // The server's documentation demands it beside the local time.
    if report.start_utc.is_none() {
        report.start_utc = report.start.as_ref().and_then(wats::report::Time::utc);
    }
    let problems = validate::problems(&report, Strictness::Observed);
    if !problems.is_empty() {
        return Err(broken_rules(which, &problems));
    }
    Ok(NewReport {
        id,
        serial_number: report.sn.clone().into(),
        part_number: report.pn.clone().into(),
        process_code: report.process_code.map(i64::from),
        result: report.result.letter().to_owned(),
        body: report,
    })
}

/// Members that the station's settings stand in for.
const STATION_SETTINGS: [&str; 3] = ["machineName", "location", "purpose"];

fn broken_rules(which: &str, problems: &[validate::Problem]) -> String {
    let mut words = format!("{which} breaks the server's rules:");
    for problem in problems.iter().take(NAMED_PROBLEMS) {
        words.push_str(&format!("\n{problem}"));
    }
    if problems.len() > NAMED_PROBLEMS {
        words.push_str(&format!("\nand {} more", problems.len() - NAMED_PROBLEMS));
    }
    let missing =
        |it: &validate::Problem| it.text.contains("required") && STATION_SETTINGS.contains(&it.path.as_str());
    if problems.iter().any(missing) {
        words.push_str(
            "\nWhat a file does not say of the station is taken from the station's settings: complete them.",
        );
    }
    words
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
            folder: None,
            rival: None,
        }
    }

    fn words(answer: Answer) -> String {
        match answer {
            Answer::Refused { words, .. } => words,
            Answer::Reports { reports, .. } => format!("{} reports", reports.len()),
            Answer::Outdone | Answer::Plugin(_) => "nothing of ours".to_owned(),
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

    fn finish(job: &Job, reports: Vec<Report>) -> Result<Vec<NewReport<Report>>, String> {
        let mut finish = Finish { job, ids: BTreeSet::new() };
        reports.into_iter().map(|report| finish.one(report)).collect()
    }

    #[test]
    fn ids_are_the_documents_own_or_the_same_at_every_conversion() {
        let job = job("wats-json");
        let reports = || vec![complete("1"), complete("2")];
        let ids = |reports| finish(&job, reports).unwrap().into_iter().map(|r| r.id).collect::<Vec<_>>();
        let derived = ids(reports());
        assert_eq!(derived, ids(reports()));
        assert_ne!(derived[0], derived[1]);

        let mut own = reports();
        own[1].id = Some(Uuid::from_u128(7));
        assert_eq!(ids(own), [derived[0], Uuid::from_u128(7)]);

        let mut twice = reports();
        twice[1].id = Some(derived[0]);
        assert!(finish(&job, twice).unwrap_err().contains("the same id"));
    }

    /// With what the server's rules ask for.
    fn complete(serial: &str) -> Report {
        let mut report = Report::uut("p", serial, "A");
        report.process_code = Some(10);
        report.machine_name = "st".into();
        report.location = "lab".into();
        report.purpose = "test".into();
        report.start = Some(wats::report::Time::from_text("2026-01-01T00:00:00+01:00"));
        report
    }

    #[test]
    fn a_report_that_breaks_the_rules_names_them() {
        let words = finish(&job("wats-json"), vec![complete("")]).unwrap_err();
        assert!(words.starts_with("report 1 () breaks the server's rules:\n"), "{words}");
        assert!(!words.contains("settings"), "{words}");
        let nowhere = Report { location: "".into(), ..complete("1") };
        let words = finish(&job("wats-json"), vec![nowhere]).unwrap_err();
        assert!(words.contains("location: ") && words.ends_with("complete them."), "{words}");
    }

    #[test]
    fn whoever_takes_the_reports_can_end_the_conversion() {
        let file = br#"{"pn": "p", "sn": "1", "start": "2026-01-01T00:00:00Z",
            "root": {"stepType": "SequenceCall", "name": "m", "status": "P", "group": "M"}}"#;
        let ended =
            convert_each(&job("wats-json"), file.to_vec(), Vec::new(), &mut |_| Err("no room".to_owned()));
        assert_eq!(ended, Ended::Refused { words: "no room".to_owned(), not_yet: false });
    }
}
