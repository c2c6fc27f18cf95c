//! Test runs: sequences, tests with values, and tests with only a grade.

use roxmltree::Node;
use wats::report::{BooleanMeas, Double, Extra, Group, NumericMeas, Status, Step, StringMeas, Text};
use wats::wsjf::MAX_DEPTH;

use super::Reading;
use super::values::{self, Kind, Zero};
use crate::kit::time::seconds;
use crate::kit::xml::{attribute, children};
use crate::kit::{build, property, text, tree, verdict, xml};
use crate::{ConvertError, ErrorKind};

impl Reading<'_> {
    /// A test run as its steps: what it measured, and a sequence call of the runs below it.
    pub(super) fn run(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Vec<Step>, ConvertError> {
        if depth >= MAX_DEPTH {
            let problem = format!("test runs are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_path(xml::path(node)));
        }
        let name = attribute(node, "name").unwrap_or("TestRun");
        let grade = self.grade(node, name);
        let mut below = Vec::new();
        for inner in children(node, "TestRun") {
            below.extend(self.run(inner, depth + 1)?);
        }
        let has_runs = !below.is_empty();
        let mut steps = Vec::new();
        let properties = values::of_properties(node);
        let comparison = properties.iter().find(|it| is_comparison(**it)).and_then(|it| xml::text(*it));
        for (element, group) in [("SetUp", Group::Setup), ("Result", Group::Main)] {
            let mut found = Vec::new();
            children(node, element).for_each(|values| values::gather(values, &mut found));
            if !found.is_empty() {
                let mut step = self.measuring(name, grade, &found, comparison.as_deref());
                step.group = group;
                steps.push(step);
            }
        }
        if has_runs {
            let status = grade.unwrap_or_else(|| tree::rolled_up(&below));
            let version = attribute(node, "version").unwrap_or("1.0.0");
            steps.push(Step { status, ..build::sequence(name, name, version, below) });
        } else if steps.is_empty() {
            steps.push(build::pass_fail(name, Status::Passed));
            if let Some(step) = steps.last_mut() {
                step.status = grade.unwrap_or(Status::Done);
            }
        }
        // Times, notes and errors belong to the run; its last step stands for it.
        if let Some(step) = steps.last_mut() {
            self.common(node, &properties, step);
        }
        for step in &mut steps {
            if step.seq_call.is_none() {
                verdict::agree(step, &mut self.warnings);
            }
        }
        Ok(steps)
    }

    fn grade(&mut self, node: Node<'_, '_>, name: &str) -> Option<Status> {
        let written = attribute(node, "grade")?;
        let grade = values::grade(written);
        if grade.is_none() {
            self.warnings
                .push(format!("test run {name}: the grade \"{written}\" is not known; read as Error"));
        }
        Some(grade.unwrap_or(Status::Error))
    }

    /// One step with all values of a kind; the first kind of number, flag and text that there is. Others are text.
    fn measuring(
        &mut self,
        name: &str,
        grade: Option<Status>,
        found: &[Node<'_, '_>],
        comparison: Option<&str>,
    ) -> Step {
        // A number without a value is none.
        let measured = |node: &Node<'_, '_>| {
            let has_value = || {
                let written = xml::raw_text(*node);
                !["", "null"].iter().any(|none| none.eq_ignore_ascii_case(written.trim()))
            };
            Some(values::kind(*node)).filter(|kind| *kind != Kind::Number || has_value())
        };
        let kinds: Vec<Option<Kind>> = found.iter().map(measured).collect();
        let of_kind = |kind: Kind| kinds.iter().filter(|it| **it == Some(kind)).count();
        let main = [Kind::Number, Kind::Flag, Kind::Text].into_iter().find(|kind| of_kind(*kind) > 0);
        let count = main.map_or(0, of_kind);
        let mut step = Step::new("ET_PFT", name, grade.unwrap_or(Status::Passed));
        let mut names = build::Names::default();
        if main == Some(Kind::Number) {
            step.numeric_meas.reserve_exact(count);
        }
        for (node, kind) in found.iter().zip(&kinds) {
            if kind.is_none() || *kind != main {
                self.beside(*node, &mut step);
                continue;
            }
            let own = attribute(*node, "grade").and_then(values::grade).map(|grade| match grade {
                Status::Passed | Status::Skipped => grade,
                _ => Status::Failed,
            });
            let meas_name = (count > 1).then(|| names.unique(values::name(*node)));
            match kind {
                Some(Kind::Number) => {
                    let mut number = self.number(*node, grade, own, comparison);
                    number.name = meas_name;
                    // Limits of what the value can be at all have no place of their own.
                    for limit in ["ldil", "udil"] {
                        if let Some(written) = attribute(*node, limit) {
                            let name = values::name(*node);
                            verdict::add_named(&mut step, &format!("{name} {limit}"), written);
                        }
                    }
                    step.numeric_meas.push(number);
                }
                Some(Kind::Flag) => {
                    let word = xml::text(*node).unwrap_or_default().to_ascii_lowercase();
                    let is_true = ["true", "1", "yes"].contains(&word.as_str());
                    let value = if is_true { Status::Passed } else { Status::Failed };
                    let status =
                        own.unwrap_or(if grade == Some(Status::Passed) { Status::Passed } else { value });
                    if status != value {
                        verdict::add_named(&mut step, values::name(*node), &word);
                    }
                    step.boolean_meas.push(BooleanMeas { name: meas_name, status, extra: Extra::new() });
                }
                _ => {
                    let measured = string(*node, meas_name, grade, own);
                    let written = measured.value.as_deref().unwrap_or_default();
                    if written.chars().count() > 100 {
                        verdict::add_named(&mut step, values::name(*node), written);
                    }
                    step.string_meas.push(measured);
                }
            }
        }
        step.step_type = match (main, count) {
            (Some(Kind::Number), 1) => "ET_NLT",
            (Some(Kind::Number), _) => "ET_MNLT",
            (Some(Kind::Text), 1) => "ET_SVT",
            (Some(Kind::Text), _) => "ET_MSVT",
            (Some(Kind::Flag), 2..) => "ET_MPFT",
            _ => "ET_PFT",
        }
        .into();
        match main {
            None => {
                let status = step.status;
                step.boolean_meas = build::pass_fail(name, status).boolean_meas;
            }
            Some(_) if grade.is_none() => {
                let numbers = step.numeric_meas.iter().map(|it| it.status);
                let texts = step.string_meas.iter().map(|it| it.status);
                let mut all = numbers.chain(texts).chain(step.boolean_meas.iter().map(|it| it.status));
                if all.any(|status| status == Status::Failed) {
                    step.status = Status::Failed;
                }
            }
            Some(_) => {}
        }
        step
    }

    fn number(
        &mut self,
        node: Node<'_, '_>,
        grade: Option<Status>,
        own: Option<Status>,
        comparison: Option<&str>,
    ) -> NumericMeas {
        let written = xml::raw_text(node);
        let written = written.trim();
        let value = text::number(written).unwrap_or_else(|| {
            let name = values::name(node);
            self.warnings.push(format!("value {name}: \"{written}\" is no number; NaN is sent"));
            f64::NAN
        });
        let zero = match self.arguments.text("zeroLimits") {
            "None" => Zero::None,
            "Limit" => Zero::Limit,
            _ => Zero::Auto,
        };
        let graded = own.or(grade).unwrap_or(Status::Done);
        let (comp_op, low, high) = values::limits(node, comparison, zero, value, graded);
        let status = own.unwrap_or_else(|| match grade {
            // The tester's word goes before the limits.
            Some(Status::Passed | Status::Skipped | Status::Done) => Status::Passed,
            _ => tree::numeric(&comp_op, value, low, high),
        });
        NumericMeas {
            comp_op,
            low_limit: low.map(Double::new),
            high_limit: high.map(Double::new),
            ..build::number(None, status, value, attribute(node, "uom").unwrap_or_default(), (None, None))
        }
    }

    /// A value that is no measurement of the step: a line of its report text, or a result beside it.
    fn beside(&mut self, node: Node<'_, '_>, step: &mut Step) {
        let name = values::name(node);
        match values::kind(node) {
            Kind::Attachment => {
                self.attachments += 1;
                let place = attribute(node, "fqn").unwrap_or_default();
                verdict::add_text(step, &format!("Attachment {name}: {place}"));
            }
            Kind::Other if node.children().any(|it| it.is_element()) => {
                step.rare.additional_results.push(property::named(name, vec![property::of_element(node, 0)]));
            }
            _ => {
                let text = xml::text(node).unwrap_or_default();
                verdict::add_named(step, name, &text);
            }
        }
    }

    /// Times, properties and errors of a run.
    fn common(&mut self, node: Node<'_, '_>, properties: &[Node<'_, '_>], step: &mut Step) {
        let (start, end) = (self.time(node, "start-time"), self.time(node, "end-time"));
        step.tot_time = seconds(start.as_ref(), end.as_ref());
        step.start = start;
        for value in properties.iter().filter(|it| !is_comparison(**it)) {
            self.beside(*value, step);
        }
        let mut errors = Vec::new();
        for inner in node.children().filter(Node::is_element) {
            match inner.tag_name().name() {
                "Error" => {
                    for message in children(inner, "Message") {
                        let name = attribute(message, "name").map(Text::from);
                        errors.extend([name, xml::text(message)].into_iter().flatten());
                    }
                    errors.extend(xml::text(inner));
                }
                "Property" | "SetUp" | "Result" | "TestRun" => {}
                name => {
                    self.unknown.add(inner);
                    step.rare
                        .additional_results
                        .push(property::named(name, vec![property::of_element(inner, 0)]));
                }
            }
        }
        if !errors.is_empty() {
            step.rare.error_message = Some(errors.join("\n").into());
        }
    }
}

fn is_comparison(value: Node<'_, '_>) -> bool {
    ["Comparison", "COMP"].iter().any(|name| name.eq_ignore_ascii_case(values::name(value)))
}

fn string(node: Node<'_, '_>, name: Option<Text>, grade: Option<Status>, own: Option<Status>) -> StringMeas {
    let value = xml::text(node).unwrap_or_default();
    let limit = attribute(node, "usl").or_else(|| attribute(node, "lsl")).map(ToOwned::to_owned);
    let comp_op = if limit.is_some() { "IGNORECASE" } else { "LOG" };
    let status = own.unwrap_or_else(|| match grade {
        Some(Status::Passed | Status::Skipped | Status::Done) => Status::Passed,
        _ => tree::string(comp_op, &value, limit.as_deref().unwrap_or_default()),
    });
    StringMeas {
        comp_op: comp_op.into(),
        name,
        status,
        value: Some(value),
        limit: limit.map(Into::into),
        extra: Extra::new(),
    }
}
