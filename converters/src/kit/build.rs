//! Steps as most converters make them.

use std::collections::HashMap;

use compact_str::format_compact;
use wats::report::{
    BooleanMeas, Double, Extra, List, MiscInfo, NumericMeas, SequenceCall, Status, Step, Text,
};

use super::tree;

/// A sequence that takes its verdict from its steps. `file` is what it was called from.
pub(crate) fn sequence(name: &str, file: &str, version: &str, steps: Vec<Step>) -> Step {
    let mut step = Step::new("SequenceCall", name, tree::rolled_up(&steps));
    step.seq_call = Some(Box::new(SequenceCall {
        path: Some(file.into()),
        name: Some(file.into()),
        version: Some(version.into()),
        extra: Extra::new(),
    }));
    step.steps = Some(steps);
    step
}

/// A number, whose operator follows from the limits that there are.
#[inline]
pub(crate) fn number(
    name: Option<&str>,
    status: Status,
    value: f64,
    unit: &str,
    limits: (Option<f64>, Option<f64>),
) -> NumericMeas {
    let (operator, low, high) = tree::by_limits(limits.0, limits.1);
    NumericMeas {
        comp_op: operator.into(),
        name: name.map(Text::from),
        status,
        unit: Some(unit.into()),
        value: Double::new(value),
        high_limit: high.map(Double::new),
        low_limit: low.map(Double::new),
        formats: None,
        extra: Extra::new(),
    }
}

/// A list of one, as most steps have it, made where it stays.
#[inline]
pub(crate) fn only<T>(entry: T) -> List<T> {
    let mut list = List::with_capacity(1);
    list.push(entry);
    list
}

/// A step with numbers: one without a name, or several with names.
pub(crate) fn numeric(name: &str, status: Status, numbers: impl Into<List<NumericMeas>>) -> Step {
    let numbers = numbers.into();
    let kind = if numbers.len() > 1 { "ET_MNLT" } else { "ET_NLT" };
    let mut step = Step::new(kind, name, status);
    step.numeric_meas = numbers;
    step
}

/// A step that only passed or failed.
pub(crate) fn pass_fail(name: &str, status: Status) -> Step {
    let mut step = Step::new("ET_PFT", name, status);
    step.boolean_meas = only(BooleanMeas { name: None, status, extra: Extra::new() });
    step
}

/// Names for the measurements of a step: the server wants them to differ.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// How often a name was asked for, so that many equal ones are not counted through each time. One that was given
    /// instead of another counts as asked for.
    asked: HashMap<Text, u32>,
}

impl Names {
    /// The name, or the name with a number behind it.
    pub(crate) fn unique(&mut self, name: &str) -> Text {
        let name = Text::from(if name.is_empty() { "Measurement" } else { name });
        // A server takes 100 characters: names that are the same so far are the same.
        let short = if name.len() <= 90 { name.clone() } else { name.chars().take(90).collect() };
        let is_short = short.len() == name.len();
        let mut count = self.asked.get(&short).copied().unwrap_or_default();
        let given = loop {
            count += 1;
            let candidate = if count == 1 { name.clone() } else { format_compact!("{short} #{count}") };
            // A short name is free when nobody has asked for it.
            if (count == 1 && is_short) || !self.asked.contains_key(&candidate) {
                break candidate;
            }
        };
        if count > 1 || !is_short {
            self.asked.insert(given.clone(), 1);
        }
        self.asked.insert(short, count);
        given
    }
}

/// A misc info of a report.
pub(crate) fn info(name: &str, text: &str) -> MiscInfo {
    MiscInfo { description: Some(name.into()), text: Some(text.into()), ..MiscInfo::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_measurements_differ() {
        let mut names = Names::default();
        let given = ["A", "A #2", "A", "", "A", ""].map(|name| names.unique(name));
        assert_eq!(given, ["A", "A #2", "A #3", "Measurement", "A #4", "Measurement #2"]);
        let long = "x".repeat(200);
        assert_ne!(names.unique(&long), names.unique(&long));
    }
}
