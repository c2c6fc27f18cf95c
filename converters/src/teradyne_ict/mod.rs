//! Teradyne in-circuit testers: logs of the GR228X line, and records with words for verdicts.
//!
//! `log` tells which lines are one unit, `lines` reads a test line, `records` the other style; `usual` stands in for the
//! arguments' regular expressions.

mod lines;
mod log;
mod records;
mod usual;

use jiff::ZonedDateTime;
use wats::report::{MiscInfo, Report, Status, Text, Time, Uut};

use self::log::{Patterns, Program, Run, Stamp, stem};
pub(crate) use self::records::are_these as has_words_for_verdicts;
use self::usual::{PART_NUMBER, PROGRAM, SOCKET};
use crate::kit::leftover::Unknown;
use crate::kit::pattern;
use crate::kit::{build, header, text, time};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};

pub(crate) struct TeradyneIct;

const ABOUT: About = About {
    name: "teradyne-ict",
    title: "Teradyne in-circuit test (GR228X and others)",
    vendor: "Teradyne",
    description: "Logs of Teradyne in-circuit testers, of the GR228X line as well: a report for each line @. \
                  Records in braces with words for verdicts are read too; those of the i3070 itself have a converter of their own.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.log", "*.txt"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "20",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "stationName",
            description: "Name of the station where the log has no WATS_stationName; empty: Teradyne ICT",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator where the log has no WATS_operator",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence where the log has no WATS_sequenceVersion",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units where the log has no WATS_partRevision",
            default: "1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "units",
            description: "file: values keep the prefix that the log gives them, as in K(R); base: all are in Ohm, F, H, V, A, Hz, s",
            default: "file",
            kind: ArgumentKind::Choice(&["file", "base"]),
        },
        Argument {
            name: "startProgramRegEx",
            description: "Regular expression that finds the line of a program, and its path as the group Program",
            default: PROGRAM.pattern,
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partNumberRegEx",
            description: "Regular expression that finds the part number in the program's file name without its ending, as the group PartNumber",
            default: PART_NUMBER.pattern,
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "socketNumberRegEx",
            description: "Regular expression that finds the line with the position on a panel, and its letter or number as the group Socket",
            default: SOCKET.pattern,
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Let the tester write its log (`.LOG` or `.txt`) into the watched folder, a new one for each board or batch, because a file is taken \
                once it no longer grows. Each test begins with a line `@` with date, time and `SN` with the serial number, and ends with the line \
                of its event. The test program can log `WATS_partNumber=…`, `WATS_partRevision=…`, `WATS_sequenceName=…`, \
                `WATS_sequenceVersion=…`, `WATS_operator=…` and `WATS_stationName=…` behind that line.",
        mapping: &[
            (
                "the line with .obc[",
                "pn, from the file's name by partNumberRegEx; name of the root: the whole path",
            ),
            ("@ line", "start; sn: the word behind SN, or the start time where there is none"),
            (
                "WATS_… lines",
                "pn, rev, name and version of the root, uut.user, machineName; others: misc infos",
            ),
            ("TOP_OF_LOOP-A … H", "uut.testSocketIndex 1 … 8"),
            (
                "the event",
                "result: `\"` passed; `/` and `]` failed; `?`, `!` and none before the next test terminated; `*` and `&` error",
            ),
            ("time of the event less start", "uut.execTime and the root's totTime"),
            (
                "(S, (O, (B, (C, (F",
                "a text step that failed, with the nodes as its value; a list over 100 characters in the reportText",
            ),
            ("a component", "a step, in a group for each run of names that begin with the same character"),
            ("its value, limits and type", "a numeric test; without a value pass/fail"),
            (
                "=, #, <, >, %",
                "passed, measured and not judged (passed without a verdict of its own), below, above, failed",
            ),
            ("the message behind ====", "reportText"),
            ("other lines", "the reportText of a step without a verdict, with a warning"),
            (
                "records BATCH, BLOCK, BTEST with P, F, M:, L:, H:",
                "pn; a pass/fail step; a numeric test in a group by its first character",
            ),
        ],
        limits: &[
            "Lines of the types IS and VS without a value set up a source: they are no tests and are left out, unless they failed.",
            "Limits of a test without a value are not taken over, nor is the date behind the program's name.",
            "M is milli and MEG is mega, as the tester writes them.",
            "A file sn.config beside the log is not looked at.",
            "Records have neither serial number nor time: the time of the file stands in for both.",
        ],
    },
};

impl Converter for TeradyneIct {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..50_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        if records::are_these(&text) {
            return Qualification::new(0.9, "records BTEST or BLOCK with words for verdicts");
        }
        let program = text.lines().any(|line| (PROGRAM.find)(line.trim()).is_some());
        let start = text.lines().any(log::is_start);
        match (program, start) {
            (true, true) => Qualification::new(0.95, "a program .obc[ and a line @ with a date"),
            (true, false) => Qualification::new(0.7, "a program .obc["),
            (false, true) if text.lines().any(|line| log::is_event(line) || lines::is_test(line.trim())) => {
                Qualification::new(0.9, "a line @ with a date, and tests or an event after it")
            }
            (false, true) => Qualification::new(0.7, "a line @ with a date"),
            (false, false) => Qualification::none("neither a program .obc[ nor a line @ with a date"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        if records::are_these(&decoded) {
            let report = records::report(&decoded, input, arguments, &mut warnings)?;
            return Ok(Conversion { reports: vec![report], warnings });
        }
        let patterns = Patterns {
            program: pattern::of(arguments, "startProgramRegEx", "Program", Some(PROGRAM))?,
            part_number: pattern::of(arguments, "partNumberRegEx", "PartNumber", Some(PART_NUMBER))?,
            socket: pattern::of(arguments, "socketNumberRegEx", "Socket", Some(SOCKET))?,
        };
        let runs = log::runs(&decoded, &patterns, &mut warnings)?;
        let file = File { input, arguments, patterns: &patterns };
        let mut reports = Vec::with_capacity(runs.len());
        for run in &runs {
            let report = file.report(run, &mut warnings);
            reports.push(report.map_err(|error| error.at_line(run.line, None))?);
        }
        Ok(Conversion { reports, warnings })
    }
}

/// What all units of a file share.
struct File<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    patterns: &'a Patterns,
}

impl File<'_> {
    fn report(&self, run: &Run<'_>, warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
        let set = |name: &str| {
            let found = run.settings.iter().rev().find(|(key, value)| *key == name && !value.is_empty());
            found.map(|(_, value)| *value)
        };
        let argument = |name: &str| self.arguments.text(name);
        let program = run.program.unwrap_or_else(|| {
            warnings.push(format!("no program stands before line {}: the file's name is used", run.line));
            Program::new(stem(&self.input.file_name), self.patterns)
        });
        let start = self.time(run.start, run, warnings);
        let end = (!run.end.written.is_empty()).then(|| self.time(run.end, run, warnings)).flatten();
        let seconds = start.as_ref().zip(end.as_ref());
        let seconds = seconds.and_then(|(from, to)| time::between(from.timestamp(), to.timestamp()));
        let start = start.map_or_else(|| time::of_file(self.input), |start| Time::from_zoned(&start));
        let serial = run.serial.map_or_else(
            || {
                warnings
                    .push(format!("line {}: no serial number behind SN: the start time is used", run.line));
                digits(&start)
            },
            Text::from,
        );
        let part_number = set("partNumber").or(program.part_number).unwrap_or_else(|| {
            let name = program.name();
            warnings.push(format!("partNumberRegEx finds no part number in \"{name}\": all of it is used"));
            name
        });
        let revision = set("partRevision").unwrap_or_else(|| argument("partRevision"));
        let mut report = Report::without_root(part_number, serial, revision);
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.machine_name = set("stationName").unwrap_or_else(|| station(self.arguments)).into();
        report.start = Some(start);
        report.result = match run.event {
            '"' => Status::Passed,
            '?' | '!' => Status::Terminated,
            '*' | '&' => Status::Error,
            _ => Status::Failed,
        };
        report.uut = Some(Uut {
            user: Some(set("operator").unwrap_or_else(|| argument("operator")).into()),
            exec_time: seconds,
            test_socket_index: socket(run, warnings),
            ..Uut::default()
        });
        report.misc_infos = infos(run, warnings);
        let steps = lines::steps(&run.tests, argument("units") == "base", warnings);
        let sequence = set("sequenceName").unwrap_or(program.path);
        let version = set("sequenceVersion").unwrap_or_else(|| argument("sequenceVersion"));
        let mut root = build::sequence(sequence, sequence, version, steps);
        // The event decides: a board may fail although all its components are within their limits.
        root.status = report.result;
        root.tot_time = seconds;
        report.root = Some(root);
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    fn time(&self, stamp: Stamp<'_>, run: &Run<'_>, warnings: &mut Vec<String>) -> Option<ZonedDateTime> {
        let time = stamp.time.and_then(|time| time::zoned(time, &self.input.station.time_zone));
        if time.is_none() {
            warnings.push(format!(
                "the test from line {} on: \"{}\" is no time like 31-JUL-23  14:18:51",
                run.line, stamp.written
            ));
        }
        time
    }
}

fn station(arguments: &Arguments) -> &str {
    match arguments.text("stationName") {
        "" => "Teradyne ICT",
        name => name,
    }
}

/// A time as a serial number: YYYYMMDDHHMMSS.
fn digits(time: &Time) -> Text {
    time.as_str().chars().filter(char::is_ascii_digit).take(14).collect()
}

/// The position on the panel: A is 1.
fn socket(run: &Run<'_>, warnings: &mut Vec<String>) -> Option<i32> {
    let first = *run.sockets.first()?;
    if run.sockets.iter().any(|other| *other != first) {
        warnings.push(format!(
            "the test from line {} on names several positions on the panel ({}): the first is used",
            run.line,
            run.sockets.join(", ")
        ));
    }
    if let Ok(number) = first.parse::<i16>() {
        return Some(i32::from(number));
    }
    let letter = first.bytes().next()?.to_ascii_uppercase();
    letter.is_ascii_uppercase().then(|| i32::from(letter - b'A') + 1)
}

/// What the log says beside what a report has a place for.
fn infos(run: &Run<'_>, warnings: &mut Vec<String>) -> Vec<MiscInfo> {
    const KNOWN: &[&str] =
        &["partNumber", "partRevision", "sequenceName", "sequenceVersion", "operator", "stationName"];
    let mut unknown = Unknown::default();
    for (name, value) in run.settings.iter().filter(|(name, _)| !KNOWN.contains(name)) {
        unknown.add(name, value);
    }
    if let Some(note) = run.note {
        unknown.add("Start line", note);
    }
    unknown.warn(warnings);
    unknown.infos().collect()
}
