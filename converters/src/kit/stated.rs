//! Reports of files that state everything themselves, as WATS's own formats do: what contradicts itself, or is written
//! in a way that no server takes, is brought into order, and what the file said stays in words.

use std::collections::HashSet;

use wats::report::{NumericMeas, Report, ReportType, Status, Step, SubUnit, Text};

use super::{loops, tree, verdict};

/// Makes a report one that a server takes. Nothing that was stated to have failed passes afterwards.
pub(crate) fn settle(report: &mut Report, warnings: &mut Vec<String>) {
    match report.report_type {
        ReportType::Test => test(report, warnings),
        ReportType::Repair => repair(report, warnings),
    }
}

/// Every repair is one of a unit, which stands first among the sub units.
fn repair(report: &mut Report, warnings: &mut Vec<String>) {
    if report.sub_units.is_empty() {
        report.sub_units.push(SubUnit {
            part_type: Some("Main".into()),
            pn: Some(report.pn.clone()),
            sn: Some(report.sn.clone()),
            rev: Some(report.rev.clone()),
            idx: Some(0),
            ..SubUnit::default()
        });
    }
    if report.process_code.is_none() {
        report.process_code = Some(500);
        warnings.push("the repair names no process: 500, the usual code of repairs, is used".to_owned());
    }
}

fn test(report: &mut Report, warnings: &mut Vec<String>) {
    let Some(root) = &mut report.root else { return };
    let mut changes = Changes::default();
    changes.step(root, warnings);
    changes.warn(warnings);
    if !changes.ids.are_numbers(root) {
        let mut next = 1;
        number(root, &mut next);
        warnings
            .push("the ids of steps are missing in some, or not unique: all are numbered anew".to_owned());
    }
    let (result, of_root) = (report.result, root.status);
    if result == of_root && is_result(result) {
        return;
    }
    let agreed = match (is_result(result), is_result(of_root)) {
        // A unit that failed must not pass because one of the two says so.
        (true, true) if result == Status::Passed => of_root,
        (true, _) => result,
        (false, true) => of_root,
        (false, false) => match tree::rolled_up(root.children()) {
            // A unit that was skipped has not passed.
            Status::Passed if [result, of_root].contains(&Status::Skipped) => Status::Terminated,
            rolled_up => rolled_up,
        },
    };
    let said = format!("Result {}, main sequence {}", result.word(), of_root.word());
    let harmless = |status| matches!(status, Status::Passed | Status::Done);
    if !(harmless(result) && harmless(of_root) && agreed == Status::Passed) {
        let why = if result == of_root { "has a result that no server takes" } else { "contradicts itself" };
        warnings.push(format!("the report {why} ({said}): it counts as {}", agreed.word()));
        verdict::add_text(root, &said);
    }
    (report.result, root.status) = (agreed, agreed);
}

fn is_result(status: Status) -> bool {
    matches!(status, Status::Passed | Status::Failed | Status::Error | Status::Terminated)
}

/// The ids of the steps that were gone through so far.
#[derive(Default)]
struct Ids {
    last: Option<i32>,
    /// A step had none, or one that is no larger than that of a step before it.
    missing: bool,
    unordered: bool,
}

impl Ids {
    fn add(&mut self, id: Option<i32>) {
        match id {
            None => self.missing = true,
            Some(id) => {
                self.unordered |= self.last.is_some_and(|last| last >= id);
                self.last = Some(id);
            }
        }
    }

    /// True when all steps have ids that differ, or none has one.
    fn are_numbers(&self, root: &Step) -> bool {
        if self.last.is_none() || self.missing {
            return self.last.is_none();
        }
        // Nearly all number them in the order of the document.
        let mut seen = HashSet::new();
        !self.unordered || root.walk().all(|step| step.id.is_some_and(|id| seen.insert(id)))
    }
}

/// Numbers the steps in the order of the document. Readers have bounded the depth.
fn number(step: &mut Step, next: &mut i32) {
    step.id = Some(*next);
    *next = next.saturating_add(1);
    step.steps.iter_mut().flatten().for_each(|child| number(child, next));
}

/// What was changed in the steps of a report: of each kind the first step and how many there are.
#[derive(Default)]
struct Changes {
    ids: Ids,
    statuses: Said,
    unknown: Said,
    operators: Said,
    names: Said,
}

#[derive(Default)]
struct Said {
    first: Option<Text>,
    count: usize,
}

impl Said {
    fn add(&mut self, step: &Text) {
        self.first.get_or_insert_with(|| step.clone());
        self.count += 1;
    }

    fn warn(&self, what: &str, warnings: &mut Vec<String>) {
        if let Some(first) = &self.first {
            let more = if self.count > 1 { format!(" and {} more", self.count - 1) } else { String::new() };
            warnings.push(format!("step {first}{more}: {what}"));
        }
    }
}

impl Changes {
    /// Mends a step and all below it. Readers have bounded the depth.
    fn step(&mut self, step: &mut Step, warnings: &mut Vec<String>) {
        self.ids.add(step.id);
        for number in step.numeric_meas.iter_mut().filter(|it| !is_usual(it)) {
            let limit = |limit: Option<wats::report::Double>| limit.map(|limit| limit.get());
            let (low, high) = (limit(number.low_limit), limit(number.high_limit));
            let (operator, low, high) = tree::limits(&number.comp_op, low, high);
            number.comp_op = operator;
            (number.low_limit, number.high_limit) = (low.map(Into::into), high.map(Into::into));
            self.operators.add(&step.name);
        }
        for text in step.string_meas.iter_mut().filter(|it| !is_text_operator(&it.comp_op)) {
            text.comp_op = tree::string_operator(&text.comp_op, text.limit.as_deref()).into();
            self.operators.add(&step.name);
        }
        self.measured(step, warnings);
        let children = step.steps.as_deref_mut().unwrap_or_default();
        for child in &mut *children {
            self.step(child, warnings);
        }
        loops::mend(children, warnings);
        if step.status == Status::Unknown {
            // Servers export such a status, and take none.
            step.status = if children.is_empty() { Status::Done } else { tree::rolled_up(children) };
            self.unknown.add(&step.name);
        }
    }

    /// The status of a step and those of its measurements: with one they are equal, of several one failed if the step
    /// did, and each has a name of its own.
    fn measured(&mut self, step: &mut Step, warnings: &mut Vec<String>) {
        let mut count = 0;
        let mut worst = Status::Skipped;
        for status in verdict::statuses(step) {
            count += 1;
            worst = worse(worst, *status);
        }
        if count == 0 || step.status == Status::Skipped {
            return;
        }
        let stated = step.status;
        if count == 1 {
            if worst == stated {
                return;
            }
            step.status = worse(worst, stated);
            verdict::agree(step, warnings);
        } else {
            if verdict::has_equal_names(step) {
                verdict::name_apart(step);
                self.names.add(&step.name);
            }
            match (stated, worst) {
                (Status::Passed, Status::Failed) => step.status = Status::Failed,
                (Status::Failed, Status::Passed | Status::Skipped) => verdict::agree(step, warnings),
                (Status::Unknown, Status::Failed | Status::Passed) => step.status = worst,
                _ => return,
            }
        }
        // Done is how a step passes that judges nothing.
        if !(stated == Status::Done && worst == Status::Passed) {
            let whose = if count == 1 { "its measurement" } else { "of its measurements the worst" };
            verdict::add_text(step, &format!("Stated: {}, {whose} {}", stated.word(), worst.word()));
            self.statuses.add(&step.name);
        }
    }

    fn warn(&self, warnings: &mut Vec<String>) {
        let kept = "what the file states is in the report text";
        self.statuses.warn(
            &format!("its status contradicts that of its measurements; the worse one counts, {kept}"),
            warnings,
        );
        self.unknown
            .warn("its status is not known; Done, or what its own steps give, stands for it", warnings);
        self.operators
            .warn("operator and limits are brought to the form in which servers take them", warnings);
        self.names.warn("measurements had no name, or equal ones: they are told apart by numbers", warnings);
    }
}

/// The one of two statuses that says more against the unit.
fn worse(a: Status, b: Status) -> Status {
    let rank = |status| match status {
        Status::Skipped => 0,
        Status::Unknown | Status::Done => 1,
        Status::Passed => 2,
        Status::Failed => 3,
        Status::Terminated => 4,
        Status::Error => 5,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// True for an operator that stands with its limits as servers take it.
fn is_usual(number: &NumericMeas) -> bool {
    let (low, high) = (number.low_limit.is_some(), number.high_limit.is_some());
    match number.comp_op.as_str() {
        "LOG" => true,
        "EQ" | "NE" | "GT" | "GE" | "LT" | "LE" => low,
        "GTLT" | "GTLE" | "GELT" | "GELE" | "LTGT" | "LTGE" | "LEGT" | "LEGE" => low && high,
        _ => false,
    }
}

/// Servers read these in any letter case.
fn is_text_operator(operator: &str) -> bool {
    ["LOG", "EQ", "NE", "CASESENSIT", "IGNORECASE"].iter().any(|it| it.eq_ignore_ascii_case(operator))
}

#[cfg(test)]
mod tests {
    use wats::report::BooleanMeas;
    use wats::validate::{Strictness, problems};

    use super::*;
    use crate::kit::build;

    fn flags(status: Status, measured: &[(Option<&str>, Status)]) -> Step {
        let flag = |(name, status): &(Option<&str>, Status)| BooleanMeas {
            name: name.map(Text::from),
            status: *status,
            extra: wats::report::Extra::new(),
        };
        let mut step = Step::new("ET_PFT", "A", status);
        step.boolean_meas = measured.iter().map(flag).collect();
        step
    }

    fn settled(result: Status, root: Status, step: Step) -> (Report, Vec<String>) {
        let mut report = Report::uut("P", "S", "");
        report.result = result;
        report.root = Some(Step { status: root, steps: Some(vec![step]), ..Step::sequence("Main") });
        let mut warnings = Vec::new();
        settle(&mut report, &mut warnings);
        let found = problems(&report, Strictness::Documented);
        assert!(found.iter().all(|it| !it.path.starts_with("root")), "{found:?}");
        (report, warnings)
    }

    #[test]
    fn of_statuses_that_contradict_each_other_the_worse_counts() {
        use Status::*;
        for (status, measured, expected, text) in [
            (Passed, &[Passed][..], "P P", None),
            (Skipped, &[Failed], "S F", None),
            (Done, &[Passed], "P P", None),
            (Done, &[Failed], "F F", Some("Stated: Done, its measurement Failed")),
            (Passed, &[Failed], "F F", Some("Stated: Passed, its measurement Failed")),
            (Failed, &[Passed], "F F", Some("Stated: Failed, its measurement Passed")),
            (Passed, &[Skipped], "P P", Some("Stated: Passed, its measurement Skipped")),
            (Error, &[Passed], "E ", Some("Stated: Error, its measurement Passed")),
            (Passed, &[Passed, Failed], "F PF", Some("Stated: Passed, of its measurements the worst Failed")),
            (Failed, &[Passed, Passed], "F PF", Some("Stated: Failed, of its measurements the worst Passed")),
            (Done, &[Passed, Failed], "D PF", None),
        ] {
            let measured: Vec<_> = measured.iter().map(|it| (Some("m"), *it)).collect();
            let (report, _) = settled(Passed, Passed, flags(status, &measured));
            let step = &report.root.as_ref().unwrap().children()[0];
            let all: String = step.boolean_meas.iter().map(|it| it.status.letter()).collect();
            assert_eq!(format!("{} {all}", step.status.letter()), expected, "{status:?} {measured:?}");
            assert_eq!(step.report_text.as_deref(), text, "{status:?} {measured:?}");
        }
    }

    #[test]
    fn result_and_main_sequence_are_one() {
        use Status::*;
        for (result, root, expected, warned) in [
            (Passed, Passed, Passed, false),
            (Passed, Done, Passed, false),
            (Done, Done, Failed, true),
            (Passed, Failed, Failed, true),
            (Failed, Passed, Failed, true),
            (Error, Failed, Error, true),
            (Skipped, Terminated, Terminated, true),
            (Unknown, Skipped, Failed, true),
        ] {
            let (report, warnings) = settled(result, root, flags(Failed, &[(None, Failed)]));
            assert_eq!((report.result, report.root.unwrap().status), (expected, expected));
            assert_eq!(!warnings.is_empty(), warned, "{result:?} {root:?} {warnings:?}");
        }
    }

    #[test]
    fn a_unit_that_was_skipped_has_not_passed() {
        let (report, warnings) =
            settled(Status::Skipped, Status::Skipped, flags(Status::Passed, &[(None, Status::Passed)]));
        assert_eq!(report.result, Status::Terminated);
        assert_eq!(
            warnings,
            [
                "the report has a result that no server takes (Result Skipped, main sequence Skipped): it counts as Terminated"
            ]
        );
    }

    #[test]
    fn a_status_that_is_not_known_becomes_one_that_servers_take() {
        use Status::*;
        let inner = vec![Step::new("Action", "inner", Unknown), Step::new("Action", "bad", Error)];
        let outer = Step { status: Unknown, ..build::sequence("outer", "outer", "1", inner) };
        let (report, warnings) = settled(Passed, Passed, outer);
        let root = report.root.unwrap();
        let outer = &root.children()[0];
        let inner: Vec<_> = outer.children().iter().map(|it| it.status).collect();
        assert_eq!((outer.status, inner), (Error, vec![Done, Error]));
        assert_eq!(
            warnings,
            [
                "step inner and 1 more: its status is not known; Done, or what its own steps give, stands for it"
            ]
        );
        let several = flags(Unknown, &[(Some("a"), Passed), (Some("b"), Failed)]);
        let (report, _) = settled(Passed, Passed, several);
        assert_eq!(report.root.unwrap().children()[0].status, Failed);
    }

    #[test]
    fn names_and_ids_are_told_apart() {
        let mut step = flags(Status::Passed, &[(None, Status::Passed), (Some("a"), Status::Passed)]);
        step.boolean_meas.push(step.boolean_meas[1].clone());
        step.id = Some(7);
        let (report, warnings) = settled(Status::Passed, Status::Passed, step);
        let root = report.root.unwrap();
        let names: Vec<_> = root.children()[0].boolean_meas.iter().map(|it| it.name.as_deref()).collect();
        assert_eq!(names, [Some("Measurement"), Some("a"), Some("a #2")]);
        assert_eq!((root.id, root.children()[0].id), (Some(1), Some(2)));
        assert_eq!(warnings.len(), 2, "{warnings:?}");
    }

    #[test]
    fn operators_stand_with_their_limits() {
        let mut step = Step::new("ET_NLT", "A", Status::Passed);
        step.numeric_meas = [build::number(None, Status::Passed, 1.0, "V", (None, None))].into();
        step.numeric_meas[0].comp_op = "le".into();
        step.numeric_meas[0].high_limit = Some(2.0.into());
        let (report, warnings) = settled(Status::Passed, Status::Passed, step);
        let number = report.root.unwrap().children()[0].numeric_meas[0].clone();
        assert_eq!(
            (number.comp_op.as_str(), number.low_limit, number.high_limit),
            ("LE", Some(2.0.into()), None)
        );
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn a_repair_has_the_repaired_unit() {
        let mut report = Report::uut("P", "S", "B");
        (report.report_type, report.root, report.uut) = (ReportType::Repair, None, None);
        let mut warnings = Vec::new();
        settle(&mut report, &mut warnings);
        let unit = &report.sub_units[0];
        assert_eq!((unit.idx, unit.sn.as_deref(), report.process_code), (Some(0), Some("S"), Some(500)));
    }
}
