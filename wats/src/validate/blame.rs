//! Which steps a server's complaint is about.

use crate::report::{Report, Step};

/// What may follow a step in a path: a measurement of it.
const MEASUREMENTS: [&str; 3] = [" -> numericMeas ", " -> stringMeas ", " -> booleanMeas "];

/// The steps that a line of a rejection names: `root -> step Measure -> loop Retry -> Index 2: text.`
///
/// More than one where siblings share a name, none where it names no step of this report. Names may hold anything, also
/// what looks like the grammar, so the line is read along the steps that there are.
pub fn blamed<'r>(report: &'r Report, line: &str) -> Vec<&'r Step> {
    let (Some(root), Some(rest)) = (&report.root, line.strip_prefix("root")) else { return Vec::new() };
    let mut found = Found { steps: Vec::new(), shortest: usize::MAX };
    found.follow(root, rest);
    found.steps
}

/// The steps whose paths leave the least of the line.
struct Found<'r> {
    steps: Vec<&'r Step>,
    shortest: usize,
}

impl<'r> Found<'r> {
    fn follow(&mut self, step: &'r Step, rest: &str) {
        let ends = rest.starts_with(": ") || MEASUREMENTS.iter().any(|it| rest.starts_with(it));
        if ends && rest.len() <= self.shortest {
            if rest.len() < self.shortest {
                self.steps.clear();
            }
            self.shortest = rest.len();
            self.steps.push(step);
        }
        if let Some(rest) = rest.strip_prefix(" -> step ") {
            for child in step.children() {
                if let Some(rest) = rest.strip_prefix(child.name.as_str()) {
                    self.follow(child, rest);
                }
            }
        }
        if let Some(rest) = rest.strip_prefix(" -> loop ") {
            for child in step.children() {
                let Some(member) = &child.loop_ else { continue };
                let Some(rest) = rest.strip_prefix(child.name.as_str()) else { continue };
                match member.idx {
                    None => self.follow(child, rest),
                    Some(index) => {
                        if let Some(rest) = rest.strip_prefix(&format!(" -> Index {index}")) {
                            self.follow(child, rest);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Loop, Status};

    fn step(name: &str, children: Vec<Step>) -> Step {
        let text = format!(r#"{{"name":{name:?},"status":"P"}}"#);
        let mut step: Step = serde_json::from_str(&text).unwrap();
        step.status = Status::Passed;
        step.steps = Some(children);
        step
    }

    fn looped(name: &str, index: Option<i32>, id: i32) -> Step {
        let mut step = step(name, vec![step("inner", Vec::new())]);
        step.id = Some(id);
        step.loop_ = Some(Box::new(Loop { idx: index, ..Loop::default() }));
        step
    }

    fn report() -> Report {
        let mut report = Report::uut("p", "s", "r");
        let children = vec![
            step("a", vec![step("x", Vec::new())]),
            step("a -> step x", Vec::new()),
            step("odd: name", Vec::new()),
            step("odd", Vec::new()),
            looped("retry", None, 10),
            looped("retry", Some(0), 11),
            looped("retry", Some(1), 12),
        ];
        report.root = Some(step("Main", children));
        report
    }

    #[track_caller]
    fn check(line: &str, expected: &[&str]) {
        let report = report();
        let names: Vec<_> = blamed(&report, line)
            .iter()
            .map(|step| match step.id {
                Some(id) => format!("{} {id}", step.name),
                None => step.name.to_string(),
            })
            .collect();
        assert_eq!(names, expected, "{line}");
    }

    #[test]
    fn a_path_is_followed_along_the_steps_that_there_are() {
        check("root: Something is wrong.", &["Main"]);
        check("root -> step a: wrong.", &["a"]);
        check("root -> step odd: name: wrong.", &["odd: name"]);
        check("root -> step odd: wrong.", &["odd"]);
        check("root -> step a -> numericMeas : limit is wrong.", &["a"]);
        check("root -> step a -> numericMeas Vout: limit is wrong.", &["a"]);
        check("root -> step a -> step x: both are meant.", &["x", "a -> step x"]);
    }

    #[test]
    fn loops_are_their_summary_or_one_iteration() {
        check("root -> loop retry: num is wrong.", &["retry 10"]);
        check("root -> loop retry -> Index 1: stepType is wrong.", &["retry 12"]);
        check("root -> loop retry -> Index 1 -> step inner: wrong.", &["inner"]);
        check("root -> step retry: wrong.", &["retry 10", "retry 11", "retry 12"]);
    }

    #[test]
    fn what_names_no_step_blames_none() {
        for line in ["", "sn: A value is required.", "root -> step b: wrong.", "rooted: x.", "root -> step a"]
        {
            check(line, &[]);
        }
    }
}
