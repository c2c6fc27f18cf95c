//! Steps and their measurements brought to agree, as the server demands; the step's status is the tester's word.

use std::collections::HashSet;

use wats::report::{NumericMeas, Status, Step, StringMeas, Text};

use super::build::Names;

/// Makes the measurements agree with the step's status.
///
/// - The only measurement of a step has its status: Done becomes Passed. A step in Error or Terminated cannot have
///   one, so that its value moves to the report text.
/// - Of several one has failed if the step has, and none if the step passed.
pub(crate) fn agree(step: &mut Step, warnings: &mut Vec<String>) {
    if step.status == Status::Skipped {
        return;
    }
    match statuses(step).count() {
        0 => {}
        1 => single(step, warnings),
        _ => several(step, warnings),
    }
}

fn single(step: &mut Step, warnings: &mut Vec<String>) {
    match step.status {
        Status::Error | Status::Terminated => move_to_text(step, warnings),
        status => {
            let status = if status == Status::Failed { status } else { Status::Passed };
            step.status = status;
            statuses(step).for_each(|measured| *measured = status);
        }
    }
}

fn move_to_text(step: &mut Step, warnings: &mut Vec<String>) {
    let text = match (step.numeric_meas.pop(), step.string_meas.pop()) {
        (Some(number), _) => Some(shown_number(&number)),
        (None, Some(text)) => Some(shown_text(&text)),
        (None, None) => None,
    };
    step.boolean_meas.clear();
    if let Some(text) = text {
        let (name, status) = (&step.name, step.status.word());
        warnings.push(format!(
            "step {name}: the status is {status}, with which no server takes a value: it is in the report text"
        ));
        add_text(step, &text);
    }
}

/// Adds a line to the step's report text.
pub(crate) fn add_text(step: &mut Step, text: &str) {
    line(step, text.len()).push_str(text);
}

/// Adds a line `name: text` to the step's report text.
pub(crate) fn add_named(step: &mut Step, name: &str, text: &str) {
    let line = line(step, name.len() + ": ".len() + text.len());
    line.push_str(name);
    line.push_str(": ");
    line.push_str(text);
}

/// The step's report text with room for a line of that length.
fn line(step: &mut Step, length: usize) -> &mut Text {
    let all = step.report_text.get_or_insert_default();
    all.reserve(length + 1);
    if !all.is_empty() {
        all.push('\n');
    }
    all
}

fn shown_number(number: &NumericMeas) -> String {
    let limits: Vec<String> =
        [number.low_limit, number.high_limit].iter().flatten().map(|limit| limit.get().to_string()).collect();
    let unit = number.unit.as_deref().unwrap_or_default();
    let value = format!("Value {} {unit}", number.value.get());
    format!("{} ({})", value.trim_end(), format!("{} {}", number.comp_op, limits.join(", ")).trim_end())
}

fn shown_text(text: &StringMeas) -> String {
    let value = text.value.as_deref().unwrap_or_default();
    match &text.limit {
        Some(limit) => format!("Value \"{value}\" ({} \"{limit}\")", text.comp_op),
        None => format!("Value \"{value}\""),
    }
}

fn several(step: &mut Step, warnings: &mut Vec<String>) {
    let any_failed = statuses(step).any(|status| *status == Status::Failed);
    let name = &step.name;
    match step.status {
        Status::Passed if any_failed => {
            warnings.push(format!("step {name} passed although measurements failed: they count as passed"));
            statuses(step)
                .filter(|status| **status == Status::Failed)
                .for_each(|status| *status = Status::Passed);
        }
        Status::Failed if !any_failed => {
            warnings
                .push(format!("step {name} failed although no measurement did: the last counts as failed"));
            if let Some(last) = statuses(step).last() {
                *last = Status::Failed;
            }
        }
        _ => {}
    }
}

/// The statuses of all measurements of a step.
pub(crate) fn statuses(step: &mut Step) -> impl Iterator<Item = &mut Status> {
    let numbers = step.numeric_meas.iter_mut().map(|it| &mut it.status);
    let texts = step.string_meas.iter_mut().map(|it| &mut it.status);
    numbers.chain(texts).chain(step.boolean_meas.iter_mut().map(|it| &mut it.status))
}

/// The names of all measurements of a step.
fn names(step: &mut Step) -> impl Iterator<Item = &mut Option<Text>> {
    let numbers = step.numeric_meas.iter_mut().map(|it| &mut it.name);
    let texts = step.string_meas.iter_mut().map(|it| &mut it.name);
    numbers.chain(texts).chain(step.boolean_meas.iter_mut().map(|it| &mut it.name))
}

/// True when measurements of a step have no name, or the name of another.
pub(crate) fn has_equal_names(step: &mut Step) -> bool {
    let mut seen: HashSet<&str> = HashSet::new();
    names(step).any(|name| match &*name {
        Some(name) if !name.is_empty() => !seen.insert(name),
        _ => true,
    })
}

/// Gives every measurement of a step a name of its own.
pub(crate) fn name_apart(step: &mut Step) {
    let mut given = Names::default();
    for name in names(step) {
        *name = Some(given.unique(name.as_deref().unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::build;

    fn agreed(status: Status, measured: &[Status]) -> (String, Vec<String>) {
        let number = |status: &Status| build::number(None, *status, 1.5, "V", (Some(1.0), Some(2.0)));
        let mut step = build::numeric("A", status, measured.iter().map(number).collect::<Vec<_>>());
        let mut warnings = Vec::new();
        agree(&mut step, &mut warnings);
        let all: String = step.numeric_meas.iter().map(|it| it.status.letter()).collect();
        (format!("{} {all} {}", step.status.letter(), step.report_text.unwrap_or_default()), warnings)
    }

    #[test]
    fn the_step_decides() {
        use Status::*;
        for (status, measured, expected, warned) in [
            (Done, &[Failed][..], "P P ", false),
            (Failed, &[Passed], "F F ", false),
            (Skipped, &[Passed], "S P ", false),
            (Error, &[Passed], "E  Value 1.5 V (GELE 1, 2)", true),
            (Error, &[Passed, Failed], "E PF ", false),
            (Passed, &[Passed, Failed], "P PP ", true),
            (Failed, &[Passed, Failed], "F PF ", false),
            (Failed, &[Passed, Passed], "F PF ", true),
        ] {
            let (shown, warnings) = agreed(status, measured);
            assert_eq!((shown.as_str(), !warnings.is_empty()), (expected, warned), "{status:?} {measured:?}");
        }
    }
}
