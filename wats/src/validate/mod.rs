//! The server's rules for a report, answered with the server's own words.
//!
//! A server collects all problems of a report and answers with one line each, `path: text.`; the
//! order of the lines is that of the walk below, which is how a genuine server walks.

mod blame;
mod members;

use std::collections::{HashMap, HashSet};
use std::fmt;

pub use blame::blamed;

use crate::report::{Report, ReportType, Status, Step};

/// One rule that a report breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in the server's grammar: `root -> step Measure -> loop Retry -> Index 2`.
    pub path: String,
    /// Which rule, without the final full stop.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}.", self.path, self.text)
    }
}

/// Which rules count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Those that a server was seen to enforce.
    Observed,
    /// Also those that its documentation states.
    Documented,
}

/// All problems of a report, in the server's order; empty when it would be accepted.
///
/// What only the server knows (process codes, repair categories) is not looked at.
pub fn problems(report: &Report, strictness: Strictness) -> Vec<Problem> {
    let mut found = Found { problems: Vec::new(), strictness };
    found.header(report);
    if strictness == Strictness::Documented {
        found.header_members(report);
    }
    if let Some(root) = &report.root {
        if strictness == Strictness::Documented {
            found.step_ids(root);
        }
        found.step(&mut "root".to_owned(), root);
    }
    found.problems
}

/// Whether a server takes steps of one name as a loop: one summary, and its iterations that match it. Where there is no
/// summary, or no iteration, there is nothing to match.
pub fn is_loop(members: &[&Step]) -> bool {
    let mut found = Found { problems: Vec::new(), strictness: Strictness::Observed };
    found.one_loop(&mut String::new(), members);
    found.problems.is_empty()
}

struct Found {
    problems: Vec<Problem>,
    strictness: Strictness,
}

impl Found {
    fn add(&mut self, path: &str, text: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), text: text.into() });
    }

    /// Required members and lengths. A server has been seen to enforce the required ones.
    fn header(&mut self, report: &Report) {
        let texts = [
            ("pn", &report.pn),
            ("sn", &report.sn),
            ("rev", &report.rev),
            ("machineName", &report.machine_name),
            ("location", &report.location),
            ("purpose", &report.purpose),
        ];
        for (name, text) in texts {
            if text.trim().is_empty() && name != "rev" {
                self.add(name, "A value is required");
            }
            if text.chars().count() > 100 {
                self.add(name, "The value is longer than 100 characters");
            }
        }
        if report.id.is_none() {
            self.add("id", "A value is required");
        }
        if report.process_code.is_none() {
            self.add("processCode", "A value is required");
        }
        match &report.start {
            None => self.add("start", "A value is required"),
            Some(start) if start.instant().is_none() => {
                self.add("start", "The value is no date with an offset")
            }
            Some(_) => {}
        }
        match report.report_type {
            ReportType::Test => self.uut(report),
            ReportType::Repair => {
                if report.uur.is_none() {
                    self.add("uur", "A value is required");
                }
                if report.sub_units.is_empty() {
                    self.add("subUnits", "A value is required");
                }
            }
        }
    }

    fn uut(&mut self, report: &Report) {
        if report.uut.is_none() {
            self.add("uut", "A value is required");
        }
        if matches!(report.result, Status::Done | Status::Skipped | Status::Unknown) {
            self.add("result", "The value must be one of P, F, E, T");
        }
        let Some(root) = &report.root else {
            self.add("root", "A value is required");
            return;
        };
        if self.strictness == Strictness::Documented {
            if root.seq_call.is_none() {
                self.add("root", "The root step is required to be a sequence call");
            }
            if root.status != report.result {
                self.add("root", "Status is required to match the result of the report");
            }
        }
    }

    /// Ids of steps: all or none, each once.
    fn step_ids(&mut self, root: &Step) {
        let ids: Vec<Option<i32>> = root.walk().map(|step| step.id).collect();
        let given: Vec<i32> = ids.iter().copied().flatten().collect();
        if !given.is_empty() && given.len() != ids.len() {
            self.add("root", "id is required in every step or in none");
        }
        let mut seen = HashSet::new();
        for id in given {
            if !seen.insert(id) {
                self.add("root", format!("id {id} is required to be unique"));
            }
        }
    }

    /// First each loop among the children, in order of appearance, then every child.
    fn step(&mut self, path: &mut String, step: &Step) {
        if step.status != Status::Skipped {
            self.measurements(path, step);
        }
        if self.strictness == Strictness::Documented {
            self.documented(path, step);
        }
        self.loops(path, step.children());
        for child in step.children() {
            below(path, ["step ", &child.name], |path| self.step(path, child));
        }
    }

    fn measurements(&mut self, path: &str, step: &Step) {
        let mut statuses = measurements(step);
        match (statuses.next(), statuses.next()) {
            (Some(only), None) => {
                if only != step.status {
                    self.add(path, "Status cannot be different from measurement status");
                }
                return;
            }
            (Some(_), Some(_)) if self.strictness == Strictness::Documented => {}
            _ => return,
        }
        let any_failed = measurements(step).any(|status| status == Status::Failed);
        if step.status == Status::Failed && !any_failed {
            self.add(path, "Status cannot be failed when no measurement failed");
        }
        if step.status == Status::Passed && any_failed {
            self.add(path, "Status cannot be passed when a measurement failed");
        }
        let names: Vec<Option<&str>> = names(step).collect();
        if names.iter().any(|name| name.is_none_or(str::is_empty)) {
            self.add(path, "Each of several measurements is required to have a name");
        } else if names.iter().collect::<HashSet<_>>().len() != names.len() {
            self.add(path, "Names of measurements are required to be unique");
        }
    }

    /// That a step must have some data is documented, too, but servers take actions and flow control without.
    fn documented(&mut self, path: &str, step: &Step) {
        if step.status == Status::Unknown {
            self.add(path, "status must be one of P, F, D, S, E, T");
        }
        // What a skipped step carries is not looked at.
        if step.status != Status::Skipped {
            self.step_members(path, step);
        }
        let kinds = [
            step.seq_call.is_some(),
            !step.numeric_meas.is_empty(),
            !step.string_meas.is_empty(),
            !step.boolean_meas.is_empty(),
        ];
        if kinds.iter().filter(|present| **present).count() > 1 {
            self.add(path, "At most one of seqCall, numericMeas, stringMeas, booleanMeas is allowed");
        }
        if step.rare.chart.is_some() && step.rare.attachment.is_some() {
            self.add(path, "Chart and attachment cannot both be present");
        }
        if step.seq_call.is_none() && !step.children().is_empty() {
            self.add(path, "Steps are allowed only with seqCall");
        }
        let mut seen = HashSet::new();
        for child in step.children().iter().filter(|child| child.loop_.is_none()) {
            if !seen.insert(&child.name) {
                self.add(path, format!("Step name {} is required to be unique", child.name));
            }
        }
    }

    fn loops(&mut self, path: &mut String, children: &[Step]) {
        let mut order: Vec<&str> = Vec::new();
        let mut members: HashMap<&str, Vec<&Step>> = HashMap::new();
        for child in children.iter().filter(|child| child.loop_.is_some()) {
            let group = members.entry(&child.name).or_default();
            if group.is_empty() {
                order.push(&child.name);
            }
            group.push(child);
        }
        for name in order {
            if let Some(group) = members.get(name) {
                below(path, ["loop ", name], |path| self.one_loop(path, group));
            }
        }
    }

    fn one_loop(&mut self, path: &mut String, members: &[&Step]) {
        let index = |step: &Step| step.loop_.as_ref().and_then(|l| l.idx);
        let Some(summary) = members.iter().find(|step| index(step).is_none()) else { return };
        let iterations = || members.iter().filter_map(|step| index(step).map(|idx| (idx, *step)));
        let Some(highest) = iterations().map(|(idx, _)| idx).max() else { return };
        let counts = summary.loop_.as_ref();
        let ending_index = counts.and_then(|counts| counts.ending_index);
        if ending_index != Some(highest) {
            self.add(path, "endingIndex is required to be the same as highest index");
        }
        if counts.and_then(|counts| counts.num) != ending_index.map(|ending| ending.saturating_add(1)) {
            self.add(path, "num is required to be one more than endingIndex");
        }
        for (idx, iteration) in iterations() {
            let matches = |path: &mut String| self.matches_summary(path, summary, iteration);
            below(path, ["Index ", &idx.to_string()], matches);
        }
    }

    fn matches_summary(&mut self, path: &mut String, summary: &Step, iteration: &Step) {
        if summary.step_type != iteration.step_type {
            self.add(path, "stepType is required to match Summary step");
        }
        let (numbers, of_it) = (&summary.numeric_meas, &iteration.numeric_meas);
        if !numbers.iter().map(|m| &m.name).eq(of_it.iter().map(|m| &m.name)) {
            self.add(path, "numericMeas is required to match Summary step");
        }
        let (texts, of_it) = (&summary.string_meas, &iteration.string_meas);
        if !texts.iter().map(|m| &m.name).eq(of_it.iter().map(|m| &m.name)) {
            self.add(path, "stringMeas is required to match Summary step");
        }
        let (flags, of_it) = (&summary.boolean_meas, &iteration.boolean_meas);
        if !flags.iter().map(|m| &m.name).eq(of_it.iter().map(|m| &m.name)) {
            self.add(path, "booleanMeas is required to match Summary step");
        }
        for (a, b) in numbers.iter().zip(&iteration.numeric_meas) {
            let path = || measurement_path(path, "numericMeas", a.name.as_deref());
            if a.comp_op != b.comp_op {
                self.add(&path(), "compOp is required to match Summary step");
            }
            if a.low_limit != b.low_limit || a.high_limit != b.high_limit {
                self.add(&path(), "limit is required to match Summary step");
            }
        }
        for (a, b) in texts.iter().zip(&iteration.string_meas) {
            let path = || measurement_path(path, "stringMeas", a.name.as_deref());
            if a.comp_op != b.comp_op {
                self.add(&path(), "compOp is required to match Summary step");
            }
            if a.limit != b.limit {
                self.add(&path(), "limit is required to match Summary step");
            }
        }
        for child in summary.children() {
            match iteration.children().iter().find(|candidate| candidate.name == child.name) {
                Some(matched) => {
                    let matches = |path: &mut String| self.matches_summary(path, child, matched);
                    below(path, ["step ", &child.name], matches);
                }
                None => self.add(path, format!("step {} in Summary step requires a match", child.name)),
            }
        }
    }
}

/// Goes one level down a path, and back.
fn below(path: &mut String, part: [&str; 2], look: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(" -> ");
    path.extend(part);
    look(path);
    path.truncate(length);
}

/// A single measurement has no name, and the server then writes nothing but the space.
fn measurement_path(path: &str, list: &str, name: Option<&str>) -> String {
    format!("{path} -> {list} {}", name.unwrap_or_default())
}

fn measurements(step: &Step) -> impl Iterator<Item = Status> + '_ {
    let numeric = step.numeric_meas.iter().map(|m| m.status);
    let string = step.string_meas.iter().map(|m| m.status);
    numeric.chain(string).chain(step.boolean_meas.iter().map(|m| m.status))
}

fn names(step: &Step) -> impl Iterator<Item = Option<&str>> + '_ {
    let numeric = step.numeric_meas.iter().map(|m| m.name.as_deref());
    let string = step.string_meas.iter().map(|m| m.name.as_deref());
    numeric.chain(string).chain(step.boolean_meas.iter().map(|m| m.name.as_deref()))
}
