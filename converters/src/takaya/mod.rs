//! Takaya flying probe testers: three file formats of one family.
//!
//! Here is what they share: quantities with units, what a function compares with, and how steps are made and
//! grouped. `frame` reads the blocks of both `.ATD` formats; the other files are one format each.

mod apt94xx;
mod atd;
mod atdx;
mod frame;

pub(crate) use apt94xx::TakayaApt94xx;
pub(crate) use atd::TakayaAtd;
pub(crate) use atdx::TakayaAtdx;

use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use wats::report::{Double, NumericMeas, Status, Step, Text, Time};

use crate::kit::text::joined;
use crate::kit::{build, time};

/// A number with its unit, as the file shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quantity<'a> {
    value: f64,
    /// What the unit's prefix stands for.
    factor: f64,
    /// The prefix of an ohm, which is spelled out; the prefixes of other units stand in the unit.
    prefix: &'a str,
    unit: &'a str,
}

impl<'a> Quantity<'a> {
    fn new(value: f64, unit: &'a str) -> Self {
        let (factor, base) = split(unit);
        match unit.trim().strip_suffix(['O', 'o', 'Ω']) {
            Some(prefix) if base == "Ohm" => Self { value, factor, prefix, unit: base },
            _ => Self { value, factor, prefix: "", unit: unit.trim() },
        }
    }

    /// The value in a unit with that prefix.
    fn scaled(&self, factor: f64) -> f64 {
        if self.factor == factor { self.value } else { self.value * self.factor / factor }
    }
}

/// What the prefix of a unit stands for, and the unit without it. `O` is Ohm.
fn split(unit: &str) -> (f64, &str) {
    let unit = unit.trim();
    let mut letters = unit.chars();
    let (first, rest) = (letters.next(), letters.as_str());
    let name = |written| if matches!(written, "O" | "o" | "Ω") { "Ohm" } else { written };
    if rest.is_empty() {
        return (1.0, name(unit));
    }
    let factor = match first {
        // Only resistances are that large; the testers write milli with a capital as well.
        Some('M') if name(rest) == "Ohm" || rest.eq_ignore_ascii_case("hz") => 1e6,
        Some('M' | 'm') => 1e-3,
        Some('K' | 'k') => 1e3,
        Some('G') => 1e9,
        Some('U' | 'u' | 'µ' | 'μ') => 1e-6,
        Some('N' | 'n') => 1e-9,
        Some('P' | 'p') => 1e-12,
        _ => return (1.0, name(unit)),
    };
    (factor, name(rest))
}

/// What a measured value is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Function {
    /// The reference with its tolerance.
    Within,
    /// Less than this, in base units; `None`: than the reference.
    Short(Option<f64>),
    /// More than this, in base units; `None`: than the reference.
    Open(Option<f64>),
    AtMost,
    AtLeast,
    /// The step was jumped.
    Jump,
    /// Another one: there is nothing to compare with.
    Other,
}

impl Function {
    /// The codes of `.ATD` files. Shorts and opens are judged by fixed resistances, whatever the reference.
    fn from_atd(code: &str) -> Self {
        match code.trim() {
            "**" | "D" => Self::Within,
            "SH" => Self::Short(Some(10.0)),
            "OP" => Self::Open(Some(100.0)),
            "E" => Self::AtMost,
            "F" => Self::AtLeast,
            "JP" => Self::Jump,
            _ => Self::Other,
        }
    }
}

/// A step line of any of the formats.
#[derive(Debug)]
struct Row<'a> {
    parts: &'a str,
    name: Text,
    /// What has no place of its own in a report.
    text: String,
    function: Function,
    /// As the tester judged it.
    status: Status,
    reference: Option<Quantity<'a>>,
    /// Percent; negative where the limit is below the reference.
    tolerances: (Option<f64>, Option<f64>),
    /// The first try and the second.
    values: [Option<Quantity<'a>>; 2],
    seconds: Option<f64>,
}

impl Row<'_> {
    /// True for a step that was judged and shows no value.
    fn lacks_value(&self) -> bool {
        self.status != Status::Skipped && self.values.iter().all(Option::is_none)
    }

    /// The step that shows the last try, or the first.
    fn step(self, in_units_of_reference: bool) -> Step {
        let value = self.values.iter().rev().flatten().next();
        let is_measured = self.status != Status::Skipped || value.is_some();
        let measured = is_measured.then(|| self.measurement(value, in_units_of_reference));
        let mut step = Step::new("ET_NLT", self.name, self.status);
        step.numeric_meas = measured.into_iter().collect();
        step.tot_time = self.seconds.map(Double::new);
        step.report_text = Some(self.text).filter(|text| !text.is_empty()).map(Into::into);
        step
    }

    fn measurement(&self, value: Option<&Quantity<'_>>, in_units_of_reference: bool) -> NumericMeas {
        let reference = self.reference.as_ref();
        let shown = if in_units_of_reference { reference.or(value) } else { value.or(reference) };
        let factor = shown.map_or(1.0, |shown| shown.factor);
        let value = value.map_or(f64::NAN, |value| value.scaled(factor));
        let (operator, low, high) = self.limits(factor);
        let mut measurement = build::number(None, self.status, value, "", (low, high));
        measurement.unit =
            Some(shown.map_or_else(Text::default, |shown| joined(&[shown.prefix, shown.unit])));
        if let (Some(operator), Some(limit)) = (operator, low.or(high)) {
            measurement.comp_op = operator.into();
            measurement.low_limit = Some(Double::new(limit));
            measurement.high_limit = None;
        }
        measurement
    }

    /// The one-limit operator, when the limits do not tell it, and the limits in a unit with that prefix.
    fn limits(&self, factor: f64) -> (Option<&'static str>, Option<f64>, Option<f64>) {
        let reference = self.reference.as_ref().map(|reference| reference.scaled(factor));
        let of = |fixed: Option<f64>| fixed.map(|fixed| fixed / factor).or(reference);
        let with = |percent: Option<f64>| Some(reference? * (1.0 + percent? / 100.0));
        match self.function {
            Function::Within => match (with(self.tolerances.1), with(self.tolerances.0)) {
                // The tolerance below a negative reference is the larger one.
                (Some(low), Some(high)) => (None, Some(low.min(high)), Some(low.max(high))),
                (low, high) => (None, low, high),
            },
            Function::Short(fixed) => (Some("LT"), of(fixed), None),
            Function::Open(fixed) => (Some("GT"), of(fixed), None),
            Function::AtMost => (Some("LE"), reference, None),
            Function::AtLeast => (Some("GE"), reference, None),
            Function::Jump | Function::Other => (None, None, None),
        }
    }
}

/// True for a designator such as `R12` or `C154*`.
fn is_designator(parts: &str) -> bool {
    letters(parts).is_some()
}

/// The letters before the digits of a designator.
fn letters(parts: &str) -> Option<&str> {
    let length = parts.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, rest) = parts.split_at_checked(length).filter(|_| length > 0)?;
    rest.as_bytes().first().is_some_and(u8::is_ascii_digit).then_some(letters)
}

/// The letters of a designator; other texts as they are.
fn component(parts: &str) -> &str {
    match letters(parts) {
        Some(letters) => letters,
        None if parts.is_empty() => "Other",
        None => parts,
    }
}

/// The steps of a board as they come: in one list, or in a sequence for each type of component, in order of appearance.
struct Grouped {
    by_component: bool,
    places: HashMap<String, usize>,
    groups: Vec<(String, Vec<Step>)>,
    /// Where the step before went to: mostly the next goes there too.
    last: usize,
}

impl Grouped {
    /// For about so many steps.
    fn new(by_component: bool, count: usize) -> Self {
        let groups = if by_component { Vec::new() } else { vec![(String::new(), Vec::with_capacity(count))] };
        Self { by_component, places: HashMap::new(), groups, last: 0 }
    }

    fn add(&mut self, parts: &str, step: Step) {
        let name = if self.by_component { component(parts) } else { "" };
        if self.groups.get(self.last).is_none_or(|(last, _)| last != name) {
            self.last = match self.places.get(name) {
                Some(place) => *place,
                None => *self.places.entry(name.to_owned()).or_insert(self.groups.len()),
            };
        }
        match self.groups.get_mut(self.last) {
            Some((_, inner)) => inner.push(step),
            None => self.groups.push((name.to_owned(), vec![step])),
        }
    }

    fn steps(self) -> Vec<Step> {
        let mut groups = self.groups;
        if !self.by_component {
            return groups.pop().map(|(_, steps)| apart(steps)).unwrap_or_default();
        }
        let sequence = |(name, steps): (String, _)| build::sequence(&name, &name, "1.0.0", apart(steps));
        groups.into_iter().map(sequence).collect()
    }
}

/// Loops are told apart by their names alone, so that a second one of a name gets a number.
fn apart(mut steps: Vec<Step>) -> Vec<Step> {
    let mut seen: HashMap<Text, usize> = HashMap::new();
    for step in &mut steps {
        let Some(turn) = &step.loop_ else { continue };
        let count = seen.entry(step.name.clone()).or_default();
        // The summary is the first of its loop.
        *count += usize::from(turn.idx.is_none());
        if *count > 1 {
            step.name = format!("{} ({count})", step.name.chars().take(90).collect::<Text>()).into();
        }
    }
    steps
}

/// Adds a line `name: said` to a report text; the name has its colon and its blank.
fn say(text: &mut String, name: &str, said: [&str; 2]) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(name);
    text.push_str(said[0]);
    if !said[1].is_empty() {
        if !said[0].is_empty() {
            text.push(' ');
        }
        text.push_str(said[1]);
    }
}

/// Says how many steps that were judged have no value.
fn warn_of_missing(count: usize, serial: &str, warnings: &mut Vec<String>) {
    if count > 0 {
        warnings.push(format!("{serial}: {count} steps have a verdict and no value; NaN stands for it"));
    }
}

/// `d/M/yyyy HH:mm:ss` or `dd/MM/yy HH:mm:ss`, in the station's zone.
fn moment(written: &str, zone: &TimeZone) -> Option<Time> {
    let (numbers, count) = time::numbers::<6>(written)?;
    let [day, month, year, hour, minute, second] = Some(numbers).filter(|_| count == 6)?;
    let year = if year < 100 { year + 2000 } else { year };
    let small = |number: i16| i8::try_from(number).ok();
    let date = Date::new(year, small(month)?, small(day)?).ok()?;
    let afternoon = written.to_ascii_uppercase().contains("PM") && hour < 12;
    let hour = if afternoon { hour + 12 } else { hour };
    let time = jiff::civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    time::local(DateTime::from_parts(date, time), zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_told_from_units() {
        for (unit, factor, base) in [
            ("O", 1.0, "Ohm"),
            ("KO", 1e3, "Ohm"),
            ("MO", 1e6, "Ohm"),
            ("mO", 1e-3, "Ohm"),
            ("nF", 1e-9, "F"),
            ("UF", 1e-6, "F"),
            ("PF", 1e-12, "F"),
            ("MV", 1e-3, "V"),
            ("mH", 1e-3, "H"),
            ("V", 1.0, "V"),
            ("", 1.0, ""),
            ("%", 1.0, "%"),
        ] {
            assert_eq!(split(unit), (factor, base), "{unit}");
        }
        for (written, prefix, unit) in [(" KO ", "K", "Ohm"), ("uH", "", "uH")] {
            let quantity = Quantity::new(1.0, written);
            assert_eq!((quantity.prefix, quantity.unit), (prefix, unit));
        }
    }

    #[test]
    fn designators_are_told_from_other_texts() {
        for (parts, type_) in [("R12", "R"), ("C154*", "C"), ("G2G3", "G"), ("*", "*"), ("", "Other")] {
            assert_eq!(component(parts), type_);
        }
        assert_eq!(component("POWER_SHORTS"), "POWER_SHORTS");
        assert!(!is_designator("1R") && !is_designator("*") && !is_designator("R"));
    }

    #[test]
    fn dates_have_the_day_first() {
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        for (written, read) in [
            ("20/4/2023 13:02:39", Some("2023-04-20T13:02:39+02:00")),
            ("01/02/24 08:00:00", Some("2024-02-01T08:00:00+01:00")),
            ("1/2/2024 1:00:00 PM", Some("2024-02-01T13:00:00+01:00")),
            ("13/13/2024 08:00:00", None),
            ("20/4/2023", None),
            ("99999999/1/1 1:1:1", None),
        ] {
            assert_eq!(moment(written, &oslo).as_ref().map(Time::as_str), read, "{written}");
        }
    }
}
