//! What was measured in a test, and the step that it makes.

use wats::report::{AdditionalData, BooleanMeas, Double, NumericMeas, Status, Step, StringMeas, Text};

use crate::kit::{build, property, tree};

/// What the results of a test are.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// The status is the result's own one, where it has one.
    pub(super) numbers: Vec<(NumericMeas, Option<Status>)>,
    pub(super) texts_measured: Vec<(StringMeas, Option<Status>)>,
    pub(super) flags: Vec<(BooleanMeas, Option<Status>)>,
    /// Report texts.
    pub(super) texts: Vec<String>,
    /// Version of the sequence file.
    pub(super) version: Option<Text>,
    pub(super) additional: Vec<AdditionalData>,
    /// The step's type lists measurements: even a single one has its name.
    pub(super) is_list: bool,
}

impl Results {
    pub(super) fn has_measurements(&self) -> bool {
        !(self.numbers.is_empty() && self.texts_measured.is_empty() && self.flags.is_empty())
    }

    /// The step with the measurements; without a stated status they decide.
    pub(super) fn step(&self, name: &str, stated: Option<Status>, warnings: &mut Vec<String>) -> Step {
        let count = self.numbers.len() + self.texts_measured.len() + self.flags.len();
        let single = count == 1;
        let named = !single || self.is_list;
        let of_step = if stated == Some(Status::Failed) { Status::Failed } else { Status::Passed };
        let mut names = build::Names::default();
        let mut name_of =
            |name: &Option<Text>| named.then(|| names.unique(name.as_deref().unwrap_or_default()));
        let mut step = Step::new("", name, stated.unwrap_or(Status::Passed));
        for (number, own) in &self.numbers {
            let judged = || {
                let limit = |limit: Option<Double>| limit.map(|limit| limit.get());
                let (low, high) = (limit(number.low_limit), limit(number.high_limit));
                tree::numeric(&number.comp_op, number.value.get(), low, high)
            };
            let by_limits = stated.is_none() || (!single && number.comp_op == "GELE");
            let status = own.unwrap_or_else(|| if by_limits { judged() } else { of_step });
            step.numeric_meas.push(NumericMeas { name: name_of(&number.name), status, ..number.clone() });
        }
        for (text, own) in &self.texts_measured {
            let judged = || {
                let limit = text.limit.as_deref().unwrap_or_default();
                tree::string(&text.comp_op, text.value.as_deref().unwrap_or_default(), limit)
            };
            let status = own.unwrap_or_else(|| if stated.is_none() { judged() } else { of_step });
            step.string_meas.push(StringMeas { name: name_of(&text.name), status, ..text.clone() });
        }
        for (flag, own) in &self.flags {
            let status = own.unwrap_or(flag.status);
            step.boolean_meas.push(BooleanMeas { name: name_of(&flag.name), status, ..flag.clone() });
        }
        // A step has one kind of measurements; the numbers are worth the most.
        let kinds = [!self.numbers.is_empty(), !self.texts_measured.is_empty(), !self.flags.is_empty()];
        if kinds.iter().filter(|present| **present).count() > 1 {
            warnings.push(format!(
                "step {name} has measurements of several kinds: one is kept as such, the others as additional results"
            ));
            keep_one_kind(&mut step);
        }
        let multiple = |one, several| Text::const_new(if named { several } else { one });
        step.step_type = match (step.numeric_meas.is_empty(), step.string_meas.is_empty()) {
            (false, _) => multiple("ET_NLT", "ET_MNLT"),
            (_, false) => multiple("ET_SVT", "ET_MSVT"),
            _ => multiple("ET_PFT", "ET_MPFT"),
        };
        if stated.is_none() {
            let failed = step.numeric_meas.iter().map(|it| it.status);
            let failed = failed.chain(step.string_meas.iter().map(|it| it.status));
            let mut failed = failed.chain(step.boolean_meas.iter().map(|it| it.status));
            if failed.any(|status| status == Status::Failed) {
                step.status = Status::Failed;
            }
        }
        step
    }
}

fn keep_one_kind(step: &mut Step) {
    let mut props = Vec::new();
    if !step.numeric_meas.is_empty() {
        for text in step.string_meas.drain(..) {
            let name = text.name.unwrap_or_default();
            props.push(property::value(&name, "String", text.value.as_deref().unwrap_or_default()));
        }
    }
    for flag in step.boolean_meas.drain(..) {
        let value = if flag.status == Status::Failed { "False" } else { "True" };
        props.push(property::value(flag.name.as_deref().unwrap_or_default(), "Bool", value));
    }
    step.rare.additional_results.push(property::named("Further measurements", props));
    // Only one may be left, which then has no name.
    if let [only] = step.numeric_meas.as_mut_slice() {
        only.name = None;
    }
    if let ([], [only]) = (step.numeric_meas.as_slice(), step.string_meas.as_mut_slice()) {
        only.name = None;
    }
}
