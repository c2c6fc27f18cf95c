//! Analog records: a measured value, and its limits in a record below.

use wats::report::{Status, Step};

use crate::kit::decimal::Decimals;
use crate::kit::records::Record;
use crate::kit::{build, si};

/// The analog records, with the unit of each.
const KINDS: &[(&str, &str)] = &[
    ("A-CAP", "F"),
    ("A-DIO", "V"),
    ("A-FUS", "A"),
    ("A-IND", "H"),
    ("A-JUM", "Ω"),
    ("A-MEA", ""),
    ("A-NFE", ""),
    ("A-NPN", ""),
    ("A-PFE", ""),
    ("A-PNP", ""),
    ("A-POT", "Ω"),
    ("A-RES", "Ω"),
    ("A-SWI", ""),
    ("A-ZEN", "V"),
];

/// The unit of an analog record; `None` for other records.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    KINDS.iter().find(|(kind, _)| *kind == name).map(|(_, unit)| *unit)
}

/// A measurement, read.
#[derive(Debug)]
pub(super) struct Analog<'a> {
    pub(super) subtest: &'a str,
    status: Status,
    /// Why it did not pass, where that is more than a value outside of its limits.
    reason: Option<&'static str>,
    value: Option<f64>,
    limits: (Option<f64>, Option<f64>),
    /// Power of ten of the unit's prefix.
    exponent: i32,
    unit: String,
    notes: Vec<String>,
}

impl<'a> Analog<'a> {
    pub(super) fn new(
        record: &Record<'a>,
        unit: &str,
        prefixes: bool,
        decimals: &mut Decimals,
        warnings: &mut Vec<String>,
    ) -> Self {
        let (status, reason) = status(record, warnings);
        let mut notes = Vec::new();
        let mut number = |what: &str, written: &str| {
            let number = decimals.read(written);
            if number.is_none() && !written.is_empty() {
                warnings.push(format!("line {}: \"{written}\" is no number", record.line));
                notes.push(format!("{what}: {written}"));
            }
            number
        };
        let value = number("Measured", record.field(1));
        let (mut nominal, mut limits) = (None, (None, None));
        for child in &record.children {
            if child.is("@LIM2") {
                limits = (number("Low limit", child.field(1)), number("High limit", child.field(0)));
            } else if child.is("@LIM3") {
                nominal = number("Nominal value", child.field(0));
                limits = (number("Low limit", child.field(2)), number("High limit", child.field(1)));
            }
        }
        let exponent = match limits.0 {
            Some(low) if prefixes && !unit.is_empty() => si::suitable(low),
            _ => 0,
        };
        let unit = format!("{}{unit}", si::symbol(exponent));
        let shown =
            |number: f64| format!("{} {unit}", si::rescale(number, 0, exponent)).trim_end().to_owned();
        notes.extend(nominal.map(|nominal| format!("Nominal value: {}", shown(nominal))));
        if value.is_none() || status == Status::Terminated {
            // Without a measurement, or with one that the server would not take, the numbers stand in the text.
            let numbers = [("Measured", value), ("Low limit", limits.0), ("High limit", limits.1)];
            let numbers =
                numbers.iter().filter_map(|(name, number)| Some(format!("{name}: {}", shown((*number)?))));
            notes.extend(numbers);
        }
        let others = record.children.iter().filter(|child| !child.is("@LIM2") && !child.is("@LIM3"));
        notes.extend(others.map(Record::shown));
        notes.extend(record.fields.iter().skip(3).map(|field| field.trim().to_owned()));
        Self { subtest: record.field(2), status, reason, value, limits, exponent, unit, notes }
    }

    /// True when it can be one of several numbers of a step.
    pub(super) fn is_named_number(&self) -> bool {
        !self.subtest.is_empty() && self.is_number()
    }

    fn is_number(&self) -> bool {
        self.value.is_some() && self.status != Status::Terminated
    }

    fn measurement(&self, name: Option<&str>) -> wats::report::NumericMeas {
        let scaled = |number: f64| si::rescale(number, 0, self.exponent);
        let limits = (self.limits.0.map(scaled), self.limits.1.map(scaled));
        build::number(name, self.status, scaled(self.value.unwrap_or(f64::NAN)), &self.unit, limits)
    }

    /// A step of its own; its subtest is added to the name where others have the same.
    pub(super) fn step(&self, block: &str, is_only: bool) -> Step {
        let own = [self.subtest, "Test"].into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let name = match (block, self.subtest) {
            ("", _) => own.to_owned(),
            (block, subtest) if !is_only && !subtest.is_empty() => format!("{block} {subtest}"),
            (block, _) => block.to_owned(),
        };
        let mut step = match (self.status, self.is_number()) {
            (Status::Terminated, _) => Step::new("ET_NLT", name, self.status),
            (_, true) => build::numeric(&name, self.status, [self.measurement(None)]),
            _ => build::pass_fail(&name, self.status),
        };
        step.rare.set(|rare| &mut rare.error_message, self.reason.map(Into::into));
        let mut notes = self.notes.clone();
        if is_only && !block.is_empty() && !self.subtest.is_empty() {
            notes.insert(0, format!("Subtest: {}", self.subtest));
        }
        step.report_text = text(&notes).map(Into::into);
        step
    }
}

/// Several measurements of a block as one step.
pub(super) fn together(block: &str, several: &[Analog<'_>]) -> Step {
    let failed = several.iter().any(|it| it.status == Status::Failed);
    let mut names = build::Names::default();
    let mut numbers = Vec::with_capacity(several.len());
    let mut notes = Vec::new();
    for analog in several {
        let name = names.unique(analog.subtest);
        numbers.push(analog.measurement(Some(name.as_str())));
        notes.extend(analog.notes.iter().map(|note| format!("{name}: {note}")));
        notes.extend(analog.reason.map(|reason| format!("{name}: {reason}")));
    }
    let mut step = build::numeric(block, if failed { Status::Failed } else { Status::Passed }, numbers);
    let reason = several.iter().find_map(|it| it.reason);
    step.rare.set(|rare| &mut rare.error_message, reason.map(Into::into));
    step.report_text = text(&notes).map(Into::into);
    step
}

/// The lines as a report text, without empty ones.
pub(super) fn text(lines: &[String]) -> Option<String> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The verdict of an analog test, and what its code means beyond failed.
fn status(record: &Record<'_>, warnings: &mut Vec<String>) -> (Status, Option<&'static str>) {
    match record.field(0).parse::<u32>() {
        Ok(0) => (Status::Passed, None),
        Ok(2) => (Status::Failed, Some("compliance limit")),
        Ok(3) => (Status::Failed, Some("detector timeout")),
        Ok(11) => (Status::Terminated, Some("aborted by the operator")),
        Ok(_) => (Status::Failed, None),
        // An empty number counts as 0.
        Err(_) if record.field(0).is_empty() => (Status::Passed, None),
        Err(_) => {
            warnings.push(format!(
                "line {}: \"{}\" is no status of a test: it counts as failed",
                record.line,
                record.field(0)
            ));
            (Status::Failed, None)
        }
    }
}
