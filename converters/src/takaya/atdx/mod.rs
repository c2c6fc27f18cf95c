//! ATDX: semicolon-separated steps of groups, each group with its headers; attempts follow each other.
//!
//! `groups` reads the file into attempts, `columns` a step line; the reports are made here.

mod columns;
mod groups;

use std::collections::HashMap;

use jiff::SignedDuration;
use wats::report::{Report, Step, Time, Uut};

use self::columns::{Columns, TITLES};
use self::groups::{Group, attempts};
use super::{Grouped, moment, warn_of_missing};
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, header, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};

pub(crate) struct TakayaAtdx;

const ABOUT: About = About {
    name: "takaya-atdx",
    title: "Takaya flying probe (ATDX)",
    vendor: "Takaya",
    description: "ATDX files of Takaya flying probe testers; one report for each attempt, with a sequence for each group.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.atdx"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "30",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "GroupByComponentType",
            description: "Put the steps of a group in a sequence for each type of component",
            default: "true",
            kind: ArgumentKind::Flag,
        },
        Argument {
            name: "UnitCalcPreference",
            description: "Units of the values: Measures (as measured) or Limits (as the reference)",
            default: "Measures",
            kind: ArgumentKind::Choice(&["Measures", "Limits"]),
        },
        Argument {
            name: "attemptSeconds",
            description: "Seconds by which each further attempt starts later than the one before it: the file has one date for all",
            default: "30",
            kind: ArgumentKind::Whole(0, 3600),
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the test sequence",
            default: "MainSequence",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator; the files have none",
            default: "",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Switch on the saving of test data as `.atdx` in the tester's settings, and let it write into the watched folder.",
        mapping: &[
            ("Tester ID:", "machineName"),
            ("Model:, up to the first blank", "pn and the version of the root sequence"),
            ("Model:, the rest", "misc info barcode_suffix"),
            ("Serial number :", "sn"),
            ("Test Date:, day first", "start; of further attempts later by `attemptSeconds` each"),
            ("a group that the attempt has already", "a new report: the next attempt"),
            ("Group No.:, Side:", "a sequence `Group n`, with the side as its report text"),
            ("verdict of a group", "status of its sequence; result: failed when that of a group is"),
            ("Parts (else Comment), nets of H-pin and L-pin", "name of the step"),
            ("Judge", "status: PASS; SKIP and UnTested skipped; anything else failed"),
            ("Test2, else Test1", "the value; of an impedance its magnitude; NaN when there is none"),
            (
                "Func, Reference, tolerances",
                "limits: EQ within the tolerances, LE at most, GE at least, SH less, OP more than the reference; JP skipped",
            ),
            ("the other columns", "reportText of the step"),
        ],
        limits: &[
            "The format has no end mark: a file that breaks off between two lines cannot be told from a whole one.",
            "The side is not part of the step names.",
        ],
    },
};

const TITLE: &str = "\"Main header\"";

impl Converter for TakayaAtdx {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        if !(first.starts_with('#') && first.contains(TITLE)) {
            return Qualification::none("does not begin with a line \"Main header\"");
        }
        if text.contains("\"Group header\"") {
            Qualification::new(0.95, "a main header and a group header, as in ATDX files")
        } else {
            Qualification::new(0.6, "a main header, as in ATDX files, and no group")
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let attempts = attempts(&decoded, &mut warnings)?;
        let mut decimals = Decimals::default();
        let mut reports = Vec::with_capacity(attempts.len());
        let mut earlier: HashMap<(&str, &str), i64> = HashMap::new();
        for groups in &attempts {
            let Some(first) = groups.first() else { continue };
            let count = earlier.entry((first.head.serial, first.head.date)).or_default();
            *count += 1;
            let report = report(groups, *count, input, arguments, &mut decimals, &mut warnings);
            reports.push(report.map_err(|error| error.at_line(first.line, None))?);
        }
        warnings.extend(decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

fn report(
    groups: &[Group<'_>],
    attempt: i64,
    input: &Input,
    arguments: &Arguments,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let head = groups.first().map(|group| group.head.clone()).unwrap_or_default();
    let (part_number, suffix) = head.model.split_once(' ').unwrap_or((head.model, ""));
    let mut report = Report::without_root(part_number, head.serial, arguments.text("partRevision"));
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    report.machine_name = head.station.into();
    report.uut = Some(Uut { user: Some(arguments.text("operator").into()), ..Uut::default() });
    let later = arguments.whole("attemptSeconds").unwrap_or_default() * (attempt - 1);
    report.start = moment(head.date, &input.station.time_zone).map(|start| delayed(start, later, input));
    if report.start.is_none() && !head.date.is_empty() {
        warnings.push(format!("the date \"{}\" is none like 25/5/2025 12:26:55", head.date));
    }
    if !suffix.trim().is_empty() {
        report.misc_infos.push(build::info("barcode_suffix", suffix.trim()));
    }
    report.misc_infos.push(build::info("Attempt", &attempt.to_string()));
    report.misc_infos.extend(head.unknown.infos());

    let mut sequences = Vec::with_capacity(groups.len());
    let mut odd = Odd::default();
    for group in groups {
        let steps = steps(group, arguments, decimals, &mut odd);
        let name = format!("Group {}", group.number);
        let mut sequence = build::sequence(&name, &name, "1.0.0", steps);
        sequence.status = group.status(sequence.children());
        sequence.report_text =
            Some(format!("Side: {}", group.side)).filter(|_| !group.side.is_empty()).map(Into::into);
        sequences.push(sequence);
    }
    warn_of_missing(odd.without_value, head.serial, warnings);
    sequences.extend(odd.unread.step("steps of an ATDX file", warnings));
    report.result = tree::rolled_up(&sequences);
    let name = match arguments.text("sequenceName") {
        "" => "MainSequence",
        given => given,
    };
    let version = if part_number.is_empty() { "1.0.0" } else { part_number };
    report.root = Some(build::sequence(name, name, version, sequences));
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}

fn delayed(start: Time, seconds: i64, input: &Input) -> Time {
    let later =
        start.instant().and_then(|instant| instant.checked_add(SignedDuration::from_secs(seconds)).ok());
    match later {
        Some(later) if seconds > 0 => {
            Time::from_zoned(&later.to_zoned_datetime(input.station.time_zone.clone()))
        }
        _ => start,
    }
}

/// What an attempt has of steps that say less than they should.
#[derive(Default)]
struct Odd {
    without_value: usize,
    unread: Unread,
}

fn steps(group: &Group<'_>, arguments: &Arguments, decimals: &mut Decimals, odd: &mut Odd) -> Vec<Step> {
    let titles: Vec<&str> = group.titles.unwrap_or(TITLES).split(';').map(str::trim).collect();
    let columns = Columns::new(&titles);
    let in_units_of_reference = arguments.text("UnitCalcPreference") == "Limits";
    let mut grouped = Grouped::new(arguments.flag("GroupByComponentType"), group.steps.len());
    let mut cells: Vec<&str> = Vec::with_capacity(titles.len());
    for (number, line) in &group.steps {
        text::cells(line, b';', &mut cells);
        if cells.len() <= columns.judge {
            odd.unread.add(*number, line);
            continue;
        }
        let row = columns.row(&cells, decimals);
        odd.without_value += usize::from(row.lacks_value());
        grouped.add(row.parts, row.step(in_units_of_reference));
    }
    grouped.steps()
}
