//! The tests of a board: blocks, analog measurements, shorts, digital and vectorless tests.

use wats::report::{Status, Step};

use super::analog::{self, Analog};
use crate::kit::build;
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unknown;
use crate::kit::records::Record;

/// What the records of a board become.
pub(super) struct Tests<'w> {
    decimals: &'w mut Decimals,
    prefixes: bool,
    warnings: &'w mut Vec<String>,
    /// Steps whose records have the same name and follow each other.
    pub(super) groups: Vec<(String, Vec<Step>)>,
    /// Messages of the test plan.
    pub(super) comments: Vec<String>,
    /// The position on the panel that designators name first.
    pub(super) socket: Option<i32>,
    /// True when a designator named another.
    several_sockets: bool,
    pub(super) unknown: Unknown,
}

/// A record with counts: where its status and its designator stand, and what else it counts.
struct Counts {
    name: &'static str,
    status: usize,
    designator: usize,
    counts: &'static [(&'static str, usize)],
}

const COUNTS: &[Counts] = &[
    Counts {
        name: "D-T",
        status: 0,
        designator: 4,
        counts: &[("Pin count", 3), ("Test substatus", 1), ("Failing vector number", 2)],
    },
    Counts {
        name: "TS",
        status: 0,
        designator: 4,
        counts: &[("Shorts count", 1), ("Opens count", 2), ("Phantoms count", 3)],
    },
    Counts { name: "TJET", status: 0, designator: 2, counts: &[("Pin count", 1)] },
    Counts { name: "CCHK", status: 0, designator: 2, counts: &[("Pin count", 1)] },
    Counts { name: "PRB", status: 0, designator: 2, counts: &[("Pin count", 1)] },
    Counts { name: "PF", status: 1, designator: 0, counts: &[("Total pins", 2)] },
    Counts { name: "BS-CON", status: 1, designator: 0, counts: &[("Shorts count", 2), ("Opens count", 3)] },
    Counts { name: "ARRAY", status: 1, designator: 0, counts: &[("Failures", 2), ("Samples", 3)] },
];

/// Alarms and network checks.
pub(super) fn is_no_board_data(record: &Record<'_>) -> bool {
    ["@ALM", "@AID", "@NETV"].iter().any(|name| record.is(name))
}

impl<'w> Tests<'w> {
    pub(super) fn new(decimals: &'w mut Decimals, prefixes: bool, warnings: &'w mut Vec<String>) -> Self {
        Self {
            decimals,
            prefixes,
            warnings,
            groups: Vec::new(),
            comments: Vec::new(),
            socket: None,
            several_sockets: false,
            unknown: Unknown::default(),
        }
    }

    /// Reads the records below `@BTEST`.
    pub(super) fn read(&mut self, records: &[Record<'_>]) {
        self.records(records, "");
    }

    fn records(&mut self, records: &[Record<'_>], block: &str) {
        let mut rest = records;
        while let Some((record, after)) = rest.split_first() {
            rest = after;
            let name = record.name.strip_prefix('@').unwrap_or_default().to_ascii_uppercase();
            if let Some(unit) = analog::unit(&name) {
                let same = after.iter().take_while(|next| next.is(record.name)).count();
                let (together, others) = records_of(rest, record, same);
                rest = others;
                self.analog(&name, unit, &together, block);
            } else if let Some(counts) = COUNTS.iter().find(|counts| counts.name == name) {
                self.counts(counts, record, block);
            } else {
                self.other(&name, record, block);
            }
        }
    }

    fn other(&mut self, name: &str, record: &Record<'_>, block: &str) {
        match name {
            "BLOCK" => self.block(record),
            "PCHK" => {
                let status = self.status(record, 0);
                let designator = self.designator(record.field(1));
                let name = named(&[&designator, block, "PCHK"]);
                self.push("PCHK", with_text(build::pass_fail(&name, status), record));
            }
            "D-PLD" => {
                let status = self.status(record, 2);
                let name = named(&[block, record.field(0), "D-PLD"]);
                let mut step = build::pass_fail(&name, status);
                step.report_text = Some(record.shown().into());
                self.push("D-PLD", step);
            }
            "INDICT" => {
                let step = Step::new("Action", named(&[block, "INDICT"]), Status::Done);
                self.push("INDICT", with_text(step, record));
            }
            "RPT" => {
                let lines = record.fields.iter().map(|text| text.trim_end().to_owned());
                self.comments.extend(lines.filter(|text| !text.is_empty()));
            }
            "RETEST" => {
                let count: usize = self.groups.iter().map(|(_, steps)| steps.len()).sum();
                self.warnings.push(format!(
                    "line {}: the board was tested again: {count} tests before are void and left out",
                    record.line
                ));
                self.groups.clear();
                self.comments.clear();
            }
            _ if is_no_board_data(record) => {}
            _ => {
                let shown = record.shown();
                let (name, text) = shown.split_once(' ').unwrap_or((&shown, ""));
                self.unknown.add(name, text);
            }
        }
    }

    /// A block with its tests; one without has a verdict of its own.
    fn block(&mut self, record: &Record<'_>) {
        let name = self.designator(record.field(0));
        let name = named(&[&name, "BLOCK"]);
        let counted = |groups: &[(String, Vec<Step>)]| {
            let steps = groups.iter().flat_map(|(_, steps)| steps);
            steps.fold((0, 0), |(all, bad), step| {
                (all + 1, bad + usize::from(!matches!(step.status, Status::Passed | Status::Done)))
            })
        };
        let before = counted(&self.groups);
        self.records(&record.children, &name);
        let after = counted(&self.groups);
        let status = self.status(record, 1);
        let none = after.0 <= before.0;
        if none || (status != Status::Passed && after.1 <= before.1) {
            let mut step = build::pass_fail(&name, status);
            step.report_text = (status != Status::Passed)
                .then(|| format!("Status of the block: {}", record.field(1)))
                .map(Into::into);
            self.push("BLOCK", step);
        }
        for text in record.fields.iter().skip(2).map(|field| field.trim()).filter(|text| !text.is_empty()) {
            self.unknown.add("BLOCK", text);
        }
    }

    fn analog(&mut self, kind: &str, unit: &str, records: &[&Record<'_>], block: &str) {
        let read: Vec<Analog<'_>> = records
            .iter()
            .map(|record| Analog::new(record, unit, self.prefixes, self.decimals, self.warnings))
            .collect();
        if read.len() > 1 && !block.is_empty() && read.iter().all(Analog::is_named_number) {
            self.push(kind, analog::together(block, &read));
            return;
        }
        for one in &read {
            let step = one.step(block, read.len() == 1);
            self.push(kind, step);
        }
    }

    fn counts(&mut self, counts: &Counts, record: &Record<'_>, block: &str) {
        let status = self.status(record, counts.status);
        let designator = self.designator(record.field(counts.designator));
        let name = named(&[&designator, block, counts.name]);
        let mut numbers = Vec::new();
        let last = ("Test status", counts.status);
        for (label, index) in counts.counts.iter().chain(std::iter::once(&last)) {
            // An empty number counts as 0.
            let written = Some(record.field(*index)).filter(|text| !text.is_empty()).unwrap_or("0");
            let number = self.decimals.read(written);
            if number.is_none() {
                self.warnings.push(format!("line {}: {label} \"{written}\" is no number", record.line));
            }
            // The counts judge nothing; the status does.
            let own = if *label == "Test status" { status } else { Status::Passed };
            numbers.push(build::number(Some(label), own, number.unwrap_or(f64::NAN), "", (None, None)));
        }
        let step = build::numeric(&name, status, numbers);
        self.push(counts.name, with_text(step, record));
    }

    fn push(&mut self, group: &str, step: Step) {
        match self.groups.last_mut() {
            Some((name, steps)) if name == group => steps.push(step),
            _ => self.groups.push((group.to_owned(), vec![step])),
        }
    }

    /// The status of a digital or vectorless test: 0 passed, also 20 of shorts, where they were learnt.
    fn status(&mut self, record: &Record<'_>, field: usize) -> Status {
        let written = record.field(field);
        match written.parse::<i32>() {
            Ok(0) => Status::Passed,
            Ok(20) if record.is("@TS") => Status::Passed,
            Ok(_) => Status::Failed,
            Err(_) if written.is_empty() => Status::Passed,
            Err(_) => {
                self.warnings.push(format!(
                    "line {}: \"{written}\" is no status of a test: it counts as failed",
                    record.line
                ));
                Status::Failed
            }
        }
    }

    /// A designator without the board's number before its first `%`, which is the position on the panel. A test of
    /// another position than the first keeps its number.
    fn designator(&mut self, written: &str) -> String {
        let parts = written.split_once('%');
        let numbered = parts.and_then(|(number, name)| Some((number.parse::<i16>().ok()?, name)));
        let name = match numbered {
            Some((number, name)) => {
                let first = *self.socket.get_or_insert(i32::from(number));
                if first == i32::from(number) {
                    name
                } else {
                    if !std::mem::replace(&mut self.several_sockets, true) {
                        self.warnings.push(format!(
                            "the designator \"{written}\" is of another position on the panel than {first}, with which \
                             the board began: {first} is used"
                        ));
                    }
                    written
                }
            }
            None => written,
        };
        name.replace('%', " ").trim().to_owned()
    }
}

/// A record and those of the same name that follow it, and the rest.
fn records_of<'r, 'a>(
    rest: &'r [Record<'a>],
    first: &'r Record<'a>,
    same: usize,
) -> (Vec<&'r Record<'a>>, &'r [Record<'a>]) {
    let (same, others) = rest.split_at_checked(same).unwrap_or((rest, &[]));
    (std::iter::once(first).chain(same).collect(), others)
}

/// The first name that there is.
fn named(names: &[&str]) -> String {
    names.iter().find(|name| !name.is_empty()).copied().unwrap_or_default().to_owned()
}

/// The step with the pins, nodes and devices of its record as text.
fn with_text(mut step: Step, record: &Record<'_>) -> Step {
    let mut lines: Vec<String> = record.children.iter().map(Record::shown).collect();
    lines.extend(record.lists.iter().map(|list| list.join(", ")));
    if record.is("@INDICT") {
        lines.insert(0, record.field(0).to_owned());
    }
    step.report_text = analog::text(&lines).map(Into::into);
    step
}
