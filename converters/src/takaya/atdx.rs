//! ATDX: semicolon-separated steps of groups, each group with its headers; attempts follow each other.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use wats::report::{Report, Status, Step, Time, Uut};

use super::{Function, Quantity, Row, grouped, is_designator, moment, unread, warn_of_missing};
use crate::kit::decimal::Decimals;
use crate::kit::{build, header, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
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

#[derive(Debug, Clone, Default)]
struct Head<'a> {
    station: &'a str,
    model: &'a str,
    serial: &'a str,
    date: &'a str,
    others: Vec<(&'a str, &'a str)>,
}

#[derive(Debug)]
struct Group<'a> {
    line: usize,
    head: Head<'a>,
    number: &'a str,
    side: &'a str,
    verdict: &'a str,
    titles: Option<&'a str>,
    steps: Vec<(usize, &'a str)>,
}

/// The groups of each attempt, in the order of the file.
fn attempts<'a>(text: &'a str, warnings: &mut Vec<String>) -> Result<Vec<Vec<Group<'a>>>, ConvertError> {
    let groups = groups(text, warnings)?;
    let mut attempts: Vec<Vec<Group<'a>>> = Vec::new();
    for group in groups {
        let goes_on = attempts.last().is_some_and(|attempt| {
            attempt.iter().all(|other| (other.number, other.side) != (group.number, group.side))
                && attempt.first().is_some_and(|first| first.head.serial == group.head.serial)
        });
        match attempts.last_mut() {
            Some(attempt) if goes_on => attempt.push(group),
            _ => attempts.push(vec![group]),
        }
    }
    // Without an end mark, a broken last line is all that tells of a file that is not whole.
    let whole = attempts.last().and_then(|attempt| attempt.last()).is_some_and(Group::is_whole);
    if !whole {
        let broken = attempts.pop().unwrap_or_default();
        let line = broken.first().map_or(1, |group| group.line);
        if attempts.is_empty() {
            return Err(ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of a group")
                .at_line(line, None)
                .expected("steps with all columns in the last group as well")
                .help("Perhaps it was still being written; drop the whole file again."));
        }
        warnings.push(format!(
            "the last attempt, from line {line} on, is not complete: the {} before it are taken",
            attempts.len()
        ));
    }
    Ok(attempts)
}

fn groups<'a>(text: &'a str, warnings: &mut Vec<String>) -> Result<Vec<Group<'a>>, ConvertError> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut head: Option<Head<'a>> = None;
    let mut in_head = false;
    let mut unknown = HashSet::new();
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end())) {
        if line.trim_matches(['-', ' ']).is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if line.contains(TITLE) {
                head = Some(Head::default());
            }
            in_head = line.contains(TITLE);
            continue;
        }
        let Some(head) = &mut head else {
            return Err(ConvertError::new(
                ErrorKind::WrongFormat,
                "the file does not begin with a main header",
            )
            .expected("############\"Main header\"############, as in ATDX files")
            .help("Check that the right converter is set for this folder."));
        };
        if line.starts_with("Group No.") {
            groups.push(Group::new(number, head.clone(), line));
            in_head = false;
            continue;
        }
        match groups.last_mut() {
            _ if in_head => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let (name, value) = (name.trim(), value.trim());
                match name.to_ascii_lowercase().as_str() {
                    "tester id" => head.station = value,
                    "model" => head.model = value,
                    "serial number" => head.serial = value,
                    "test date" => head.date = value,
                    _ => {
                        if unknown.insert(name) {
                            warnings.push(format!(
                                "the line \"{name}\" of the header is not known: kept as misc info"
                            ));
                        }
                        head.others.push((name, value));
                    }
                }
            }
            Some(group) if line.starts_with("Order;") => group.titles = Some(line),
            Some(group) => group.steps.push((number, line)),
            None => warnings.push(format!("line {number} stands before the first group and is left out")),
        }
    }
    if groups.is_empty() {
        return Err(ConvertError::new(ErrorKind::NotYet, "the file has no group of tests")
            .expected("a line Group No.: after the headers")
            .help("Perhaps it was still being written; drop the whole file again."));
    }
    Ok(groups)
}

impl<'a> Group<'a> {
    /// Reads `Group No.: 1 Side: A FAIL`.
    fn new(line: usize, head: Head<'a>, written: &'a str) -> Self {
        let words: Vec<&str> = written.split([' ', ':', '\t']).filter(|word| !word.is_empty()).collect();
        let after = |name: &str| {
            let place = words.iter().position(|word| *word == name)?;
            words.get(place + 1).copied()
        };
        let side = after("Side").unwrap_or_default();
        let number = after("No.").unwrap_or_default();
        let verdict = words.last().copied().filter(|word| ![side, number, "Side"].contains(word));
        Self {
            line,
            head,
            number,
            side,
            verdict: verdict.unwrap_or_default(),
            titles: None,
            steps: Vec::new(),
        }
    }

    /// False when the last line of the group has lost its end, or a group that was tested shows no step.
    fn is_whole(&self) -> bool {
        let count = |line: &str| line.split(';').count();
        match (self.titles, self.steps.last()) {
            (Some(titles), Some((_, last))) => count(last) >= count(titles),
            (Some(_), None) => !matches!(self.verdict, "" | "PASS" | "FAIL"),
            (None, _) => false,
        }
    }

    fn status(&self, steps: &[Step]) -> Status {
        match self.verdict {
            "" => tree::rolled_up(steps),
            "PASS" => Status::Passed,
            _ => Status::Failed,
        }
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
    let mut report = Report::uut(part_number, head.serial, arguments.text("partRevision"));
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    head.station.clone_into(&mut report.machine_name);
    report.uut = Some(Uut { user: Some(arguments.text("operator").to_owned()), ..Uut::default() });
    let later = arguments.whole("attemptSeconds").unwrap_or_default() * (attempt - 1);
    report.start = moment(head.date, &input.station.time_zone).map(|start| delayed(start, later, input));
    if report.start.is_none() && !head.date.is_empty() {
        warnings.push(format!("the date \"{}\" is none like 25/5/2025 12:26:55", head.date));
    }
    if !suffix.trim().is_empty() {
        report.misc_infos.push(build::info("barcode_suffix", suffix.trim()));
    }
    report.misc_infos.push(build::info("Attempt", &attempt.to_string()));
    for (name, value) in &head.others {
        report.misc_infos.push(build::info(if name.is_empty() { "Header" } else { name }, value));
    }

    let mut sequences = Vec::with_capacity(groups.len());
    for group in groups {
        let steps = steps(group, arguments, decimals, warnings);
        let name = format!("Group {}", group.number);
        let mut sequence = build::sequence(&name, &name, "1.0.0", steps);
        sequence.status = group.status(sequence.children());
        sequence.report_text = Some(format!("Side: {}", group.side)).filter(|_| !group.side.is_empty());
        sequences.push(sequence);
    }
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

fn steps(
    group: &Group<'_>,
    arguments: &Arguments,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Vec<Step> {
    let titles: Vec<&str> = group.titles.unwrap_or(TITLES).split(';').map(str::trim).collect();
    let columns = Columns::new(&titles);
    let in_units_of_reference = arguments.text("UnitCalcPreference") == "Limits";
    let mut steps = Vec::with_capacity(group.steps.len());
    let mut missing = 0;
    for (number, line) in &group.steps {
        let cells: Vec<&str> = line.split(';').map(str::trim).collect();
        if cells.len() <= columns.judge {
            steps.push((String::new(), unread(*number, line, "an ATDX file", warnings)));
            continue;
        }
        let row = columns.row(&titles, &cells, decimals);
        missing += usize::from(row.lacks_value());
        let step = row.step(in_units_of_reference);
        steps.push((row.parts, step));
    }
    warn_of_missing(missing, &format!("{}, group {}", group.head.serial, group.number), warnings);
    grouped(steps, arguments.flag("GroupByComponentType"))
}

/// The columns as the tester writes them.
const TITLES: &str = "Order;Aux;M.Aux;Parts;Value;Unit;Comment;Loc.;EL;Reference;Unit;Func;+%;Unit;-%;Unit;Test.Base(Test1);Unit;\
     Test.Base(Test2);Unit;Judge;H-pin;Netname-H-pin;L-pin;Netname-L-pin";

/// Where the columns stand: by their titles, else in the order of the format.
struct Columns {
    parts: usize,
    comment: usize,
    reference: usize,
    function: usize,
    plus: usize,
    minus: usize,
    tests: [usize; 2],
    judge: usize,
    high_net: usize,
    low_net: usize,
    order: usize,
}

impl Columns {
    fn new(titles: &[&str]) -> Self {
        let usual: Vec<&str> = TITLES.split(';').collect();
        let of = |title: &str| {
            let place = |titles: &[&str]| titles.iter().position(|it| *it == title);
            place(titles).or_else(|| place(&usual)).unwrap_or(0)
        };
        Self {
            parts: of("Parts"),
            comment: of("Comment"),
            reference: of("Reference"),
            function: of("Func"),
            plus: of("+%"),
            minus: of("-%"),
            tests: [of("Test.Base(Test1)"), of("Test.Base(Test2)")],
            judge: of("Judge"),
            high_net: of("Netname-H-pin"),
            low_net: of("Netname-L-pin"),
            order: of("Order"),
        }
    }

    fn row(&self, titles: &[&str], cells: &[&str], decimals: &mut Decimals) -> Row {
        let at = |column: usize| cells.get(column).copied().unwrap_or_default();
        let mut quantity = |column: usize| quantity(at(column), at(column + 1), decimals);
        let reference = quantity(self.reference);
        let values = self.tests.map(&mut quantity);
        let function = match at(self.function) {
            "EQ" => Function::Within,
            "SH" => Function::Short(None),
            "OP" => Function::Open(None),
            "LE" => Function::AtMost,
            "GE" => Function::AtLeast,
            "JP" => Function::Jump,
            _ => Function::Other,
        };
        let parts = at(self.parts);
        let what = if is_designator(parts) { parts } else { at(self.comment) };
        let what = [what, parts, at(self.order)].into_iter().find(|it| !it.is_empty()).unwrap_or("Step");
        // Both tolerances are written without a sign.
        let percent = |column: usize| text::number(at(column).trim_end_matches('%')).map(f64::abs);
        Row {
            parts: parts.to_owned(),
            name: format!("{what}_{}_{}", at(self.high_net), at(self.low_net)),
            text: said(titles, cells),
            function,
            status: match at(self.judge) {
                _ if function == Function::Jump => Status::Skipped,
                "PASS" => Status::Passed,
                word if word.eq_ignore_ascii_case("skip") || word.eq_ignore_ascii_case("untested") => {
                    Status::Skipped
                }
                _ => Status::Failed,
            },
            reference,
            tolerances: (percent(self.plus), percent(self.minus).map(|minus| -minus)),
            values,
            seconds: None,
        }
    }
}

/// Every column that says something, a unit after its value.
fn said(titles: &[&str], cells: &[&str]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (index, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.trim_matches('-').is_empty()) {
        match titles.get(index).copied().unwrap_or_default() {
            "Unit" => {
                if let Some(line) = lines.last_mut() {
                    line.push_str(&format!(" {cell}"));
                }
            }
            title if title.starts_with("G-P") && *cell == "0" => {}
            "" => lines.push((*cell).to_owned()),
            title => lines.push(format!("{title}: {cell}")),
        }
    }
    lines.join("\n")
}

/// A number with the unit of the next column, or an impedance: magnitude, unit in brackets, bar, phase.
fn quantity(written: &str, unit: &str, decimals: &mut Decimals) -> Option<Quantity> {
    let (number, unit) = match written.split_once('[') {
        Some((number, rest)) => (number, rest.split(']').next().unwrap_or_default()),
        None => (written, unit),
    };
    Some(Quantity::new(decimals.read(number)?, unit))
}
