//! Steps that ran several times: one summary and its iterations, as the server demands, or plain steps.

use std::collections::BTreeMap;

use wats::report::{Loop, Step, Text};

use super::verdict;

/// Turns with more steps in a sequence are not compared: each is looked for among all of the summary's.
const MOST_CHILDREN: usize = 2000;

/// Numbers the loops among the steps of a sequence; what the server would not take as a loop becomes plain steps.
pub(crate) fn settle(steps: &mut [Step], warnings: &mut Vec<String>) {
    for (name, members) in groups(steps) {
        renumber(steps, &name, &members, warnings);
    }
}

/// Like [`settle`], but loops that a server takes stay as they are.
pub(crate) fn mend(steps: &mut [Step], warnings: &mut Vec<String>) {
    for (name, members) in groups(steps) {
        let turns = || members.iter().filter_map(|at| steps.get(*at)?.loop_.as_ref());
        let summaries = turns().filter(|turn| turn.idx.is_none()).count();
        let is_whole = summaries == 0 || (summaries == 1 && members.len() > 1);
        if !is_whole || !is_taken(steps, &members) {
            renumber(steps, &name, &members, warnings);
        }
    }
}

/// The steps with a loop, by the name that all of a loop have.
fn groups(steps: &[Step]) -> BTreeMap<Text, Vec<usize>> {
    let mut groups: BTreeMap<Text, Vec<usize>> = BTreeMap::new();
    for (at, step) in steps.iter().enumerate().filter(|(_, step)| step.loop_.is_some()) {
        groups.entry(step.name.clone()).or_default().push(at);
    }
    groups
}

fn renumber(steps: &mut [Step], name: &str, members: &[usize], warnings: &mut Vec<String>) {
    if number(steps, members) {
        return;
    }
    warnings.push(format!(
        "step {name}: its {} results are no loop with its turns; kept as steps",
        members.len()
    ));
    for at in members {
        if let Some(step) = steps.get_mut(*at) {
            unloop(step);
        }
    }
}

/// A plain step, which says in words what its loop said.
fn unloop(step: &mut Step) {
    let text = match step.loop_.take().map(|turn| *turn) {
        Some(Loop { idx: Some(index), .. }) => format!("Loop index {index}"),
        Some(Loop { num: Some(runs), passed, failed, .. }) => {
            let count = |count: Option<i32>| count.unwrap_or_default();
            format!("Loop of {runs}: {} passed, {} failed", count(passed), count(failed))
        }
        _ => return,
    };
    verdict::add_text(step, &text);
}

/// Numbers one loop, from 0; false when it is none.
fn number(steps: &mut [Step], members: &[usize]) -> bool {
    let mut summaries = 0;
    let mut iterations = 0;
    for at in members {
        let Some(turn) = steps.get_mut(*at).and_then(|step| step.loop_.as_mut()) else { continue };
        if turn.idx.is_some() {
            turn.idx = Some(iterations);
            iterations += 1;
        } else {
            summaries += 1;
        }
    }
    if summaries != 1 || iterations == 0 || iterations > i32::from(i16::MAX) {
        return false;
    }
    for at in members {
        let Some(turn) = steps.get_mut(*at).and_then(|step| step.loop_.as_mut()) else { continue };
        if turn.idx.is_none() {
            turn.num = Some(iterations);
            turn.ending_index = Some(iterations - 1);
        }
    }
    is_taken(steps, members)
}

/// Whether a server takes the steps as a loop.
fn is_taken(steps: &[Step], members: &[usize]) -> bool {
    let wide = |step: &Step| step.walk().any(|inner| inner.children().len() > MOST_CHILDREN);
    if members.iter().filter_map(|at| steps.get(*at)).any(wide) {
        return false;
    }
    let members: Vec<&Step> = members.iter().filter_map(|at| steps.get(*at)).collect();
    wats::validate::is_loop(&members)
}

#[cfg(test)]
mod tests {
    use wats::report::{Loop, Status};

    use super::*;

    fn run(name: &str, kind: &str, idx: Option<i32>) -> Step {
        let turn = Loop { idx, num: idx.is_none().then_some(9), ..Loop::default() };
        Step { loop_: Some(Box::new(turn)), ..Step::new(kind, name, Status::Passed) }
    }

    #[test]
    fn a_summary_and_its_iterations_are_a_loop_and_others_are_not() {
        let mut steps = vec![
            run("A", "Action", None),
            run("A", "Action", Some(1)),
            run("A", "Action", Some(5)),
            run("B", "Action", None),
            run("C", "Action", None),
            run("C", "ET_PFT", Some(0)),
            Step::new("Action", "A", Status::Done),
        ];
        let mut warnings = Vec::new();
        settle(&mut steps, &mut warnings);
        let shown: Vec<_> = steps
            .iter()
            .map(|step| step.loop_.as_ref().map(|turn| (turn.idx, turn.num, turn.ending_index)))
            .collect();
        let summary = Some((None, Some(2), Some(1)));
        let turn = |idx| Some((Some(idx), None, None));
        assert_eq!(shown, [summary, turn(0), turn(1), None, None, None, None]);
        assert_eq!(warnings.len(), 2);
        let before = steps.clone();
        mend(&mut steps, &mut warnings);
        assert_eq!((steps == before, warnings.len()), (true, 2));
        let texts: Vec<_> = steps.iter().filter_map(|step| step.report_text.as_deref()).collect();
        assert_eq!(texts, ["Loop of 9: 0 passed, 0 failed", "Loop of 1: 0 passed, 0 failed", "Loop index 0"]);
    }
}
