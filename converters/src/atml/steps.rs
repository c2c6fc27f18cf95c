//! Test groups, session actions and tests: the steps.

use std::borrow::Cow;

use roxmltree::Node;
use wats::report::{AdditionalData, CallExe, Double, Extra, MessagePopup, Status, Step, Text, Time};
use wats::wsjf::MAX_DEPTH;

use super::measured::Results;
use super::results::{self, Outcome};
use super::{Reading, data};
use crate::kit::time::seconds;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, loops, property, teststand, tree, verdict, xml};
use crate::{ConvertError, ErrorKind};

/// Step types whose verdict is all there is, whatever results they have beside it.
const PASS_FAIL: [&str; 7] =
    ["PassFailTest", "ET_PFT", "ET_MPFT", "ET_XMLPFT", "NI_Wait", "SequenceCall", "WATS_SeqCall"];

/// What stands below a group, a test or an action, by its purpose.
#[derive(Default)]
struct Parts<'a, 'd> {
    outcome: Option<Node<'a, 'd>>,
    properties: Option<Node<'a, 'd>>,
    results: Vec<Node<'a, 'd>>,
    limits: Option<Node<'a, 'd>>,
    data: Option<Node<'a, 'd>>,
    events: Vec<Node<'a, 'd>>,
    description: Option<Node<'a, 'd>>,
    parameters: Option<Node<'a, 'd>>,
    others: Vec<Node<'a, 'd>>,
}

impl<'a, 'd> Parts<'a, 'd> {
    fn of(node: Node<'a, 'd>) -> Self {
        let mut parts = Self::default();
        for inner in node.children().filter(Node::is_element) {
            match inner.tag_name().name() {
                "Outcome" | "ActionOutcome" => parts.outcome = Some(inner),
                "TestResult" => parts.results.push(inner),
                "TestLimits" => parts.limits = Some(inner),
                "Data" => parts.data = Some(inner),
                "Description" => parts.description = Some(inner),
                "Parameters" => parts.parameters = Some(inner),
                "Events" => parts.events = children(inner, "Event").collect(),
                "Extension" => {
                    for extension in inner.children().filter(Node::is_element) {
                        if is(extension, "TSStepProperties") {
                            parts.properties = Some(extension);
                        } else if !is(extension, "TSResultSetProperties") {
                            parts.others.push(extension);
                        }
                    }
                }
                "TestGroup" | "Test" | "SessionAction" => {}
                _ => parts.others.push(inner),
            }
        }
        parts
    }

    fn setting(&self, name: &'static str) -> Option<Text> {
        self.properties.and_then(|properties| data::setting(properties, name))
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        self.setting(name).and_then(|written| teststand::number(&written))
    }
}

impl Reading<'_> {
    /// Fills a sequence call from its group; answers with measurements that the group has itself.
    pub(super) fn sequence(
        &mut self,
        node: Node<'_, '_>,
        step: &mut Step,
        depth: usize,
    ) -> Result<Vec<Step>, ConvertError> {
        if depth >= MAX_DEPTH {
            let problem = format!("groups are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_path(xml::path(node)));
        }
        let parts = Parts::of(node);
        let outcome = parts.outcome.map(results::outcome);
        let results = self.results(&parts.results, parts.limits, "");
        let mut own = Vec::new();
        if results.has_measurements() {
            let mut measuring = self.measuring(&step.name, "", outcome, &results);
            measuring.group =
                parts.setting("StepGroup").and_then(|it| teststand::group(&it)).unwrap_or_default();
            verdict::agree(&mut measuring, &mut self.warnings);
            own.push(measuring);
        }
        let mut steps = Vec::new();
        for inner in node.children().filter(Node::is_element) {
            match inner.tag_name().name() {
                "TestGroup" => self.group(inner, depth, &mut steps)?,
                "Test" => steps.push(self.test(inner)),
                "SessionAction" => steps.push(self.action(inner)),
                _ => {}
            }
        }
        loops::settle(&mut steps, &mut self.warnings);
        step.status = outcome.map_or_else(|| tree::rolled_up(&steps), |outcome| outcome.status);
        step.steps = Some(steps);
        if let (Some(call), Some(version)) = (&mut step.seq_call, &results.version) {
            call.version = Some(version.clone());
        }
        self.finish(node, &parts, results, step);
        Ok(own)
    }

    fn group(&mut self, node: Node<'_, '_>, depth: usize, steps: &mut Vec<Step>) -> Result<(), ConvertError> {
        let full_name = attribute(node, "name").unwrap_or_default();
        let name = caller(node).unwrap_or_else(|| match full_name.split_once('#') {
            Some((_, name)) if !name.is_empty() => name,
            _ => full_name,
        });
        let name = if name.is_empty() { "TestGroup" } else { name };
        let file = if full_name.is_empty() { name } else { full_name };
        let mut step = build::sequence(name, file, "1.0.0", Vec::new());
        let own = self.sequence(node, &mut step, depth + 1)?;
        steps.extend(own);
        steps.push(step);
        Ok(())
    }

    fn action(&mut self, node: Node<'_, '_>) -> Step {
        let parts = Parts::of(node);
        let kind = parts.setting("StepType");
        let status = parts.outcome.map(results::outcome);
        let name = name_of(node, "Action");
        let kind = kind.as_deref().unwrap_or("Action");
        let mut step =
            Step::new(tree::step_type(kind), name, status.map_or(Status::Done, |outcome| outcome.status));
        let results = self.results(&parts.results, parts.limits, kind);
        if results.has_measurements() {
            step = self.measuring(name, kind, status, &results);
        }
        self.finish(node, &parts, results, &mut step);
        step
    }

    fn test(&mut self, node: Node<'_, '_>) -> Step {
        let parts = Parts::of(node);
        let kind = parts.setting("StepType").unwrap_or_default();
        let outcome = parts.outcome.map(results::outcome);
        let results = self.results(&parts.results, parts.limits, &kind);
        let name = name_of(node, "Test");
        let is_summary = parts.properties.and_then(|it| child(it, "LoopingProperties")).is_some();
        let mut step = if is_summary && ["SequenceCall", "WATS_SeqCall"].contains(&kind.as_str()) {
            // Its turns are groups.
            let status = outcome.map_or(Status::Done, |outcome| outcome.status);
            Step { status, ..build::sequence(name, name, "1.0.0", Vec::new()) }
        } else {
            self.measuring(name, &kind, outcome, &results)
        };
        self.finish(node, &parts, results, &mut step);
        step
    }

    /// A step by what was measured; without measurements it is a verdict, or an action that was skipped.
    fn measuring(&mut self, name: &str, kind: &str, outcome: Option<Outcome<'_>>, results: &Results) -> Step {
        let status = outcome.map(|outcome| outcome.status);
        if results.has_measurements() {
            return results.step(name, status, &mut self.warnings);
        }
        let status = status.unwrap_or(Status::Done);
        let numeric =
            ["NumericLimitTest", "NI_MultipleNumericLimitTest", "ET_NLT", "ET_MNLT"].contains(&kind);
        if numeric {
            return Step::new("ET_NLT", name, status);
        }
        if ["StringValueTest", "ET_SVT", "ET_MSVT"].contains(&kind) {
            return Step::new("ET_SVT", name, status);
        }
        // Steps that do nothing to judge appear as tests when they were skipped, and keep their kind.
        let judged = match status {
            Status::Skipped => results::is_own(kind),
            status => status != Status::Done,
        };
        if judged || kind.is_empty() || PASS_FAIL.contains(&kind) {
            let mut step = build::pass_fail(name, status);
            let measured = if status == Status::Failed { Status::Failed } else { Status::Passed };
            step.boolean_meas.iter_mut().for_each(|it| it.status = measured);
            return step;
        }
        Step::new(tree::step_type(kind), name, status)
    }

    /// What groups, tests and actions have in common.
    fn finish(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>, results: Results, step: &mut Step) {
        let outcome = parts.outcome.map(results::outcome);
        for text in results.texts {
            verdict::add_text(step, &text);
        }
        add_results(step, results.additional);
        self.data(parts, step);
        if let Some(text) = parts.description.and_then(xml::text) {
            verdict::add_text(step, &text);
        }
        if let Some(text) = outcome.and_then(|outcome| outcome.unread()) {
            verdict::add_text(step, &text);
        }
        for other in &parts.others {
            self.unknown.add(*other);
            let name = other.tag_name().name();
            step.rare.additional_results.push(property::named(name, vec![property::of_element(*other, 0)]));
        }
        for event in &parts.events {
            error(*event, step);
        }
        step.group = match parts.setting("StepGroup") {
            None => step.group,
            Some(word) => teststand::group(&word).unwrap_or_else(|| {
                self.warnings.push(format!("step {}: the group \"{word}\" is read as Main", step.name));
                step.group
            }),
        };
        let start = self.step_time(node, "startDateTime");
        let end = self.step_time(node, "endDateTime");
        let total = parts.number("TotalTime").filter(|seconds| *seconds >= 0.0).map(Double::new);
        step.tot_time = total.or_else(|| seconds(start.as_ref(), end.as_ref()));
        step.start = start;
        let id = attribute(node, "testReferenceID").map(ToOwned::to_owned);
        let guid = parts.setting("StepId").or(id.filter(|id| id.starts_with("ID#:")).map(Into::into));
        step.ts_guid = guid.map(Into::into);
        let caused = parts.setting("StepCausedSequenceFailure");
        step.caused_seq_failure = caused.filter(|it| data::truth(it)).map(|_| true);
        let interactive = parts.number("InteractiveExecutionId").and_then(teststand::whole);
        step.rare.set(|rare| &mut rare.interactive_exe_num, interactive);
        let looping = parts.properties.and_then(|it| child(it, "LoopingProperties"));
        let setting = |name| data::setting(looping?, name).and_then(|written| teststand::number(&written));
        teststand::set_turn(step, teststand::turn(setting));
        verdict::agree(step, &mut self.warnings);
    }

    /// Data beside the results: report text, answers of popups and programs, and whatever else a step wrote.
    fn data(&mut self, parts: &Parts<'_, '_>, step: &mut Step) {
        let parameters = parts.parameters.into_iter().flat_map(|it| children(it, "Parameter"));
        for parameter in parameters {
            let name =
                attribute(parameter, "name").or_else(|| attribute(parameter, "ID")).unwrap_or("Parameter");
            let props = match child(parameter, "Data") {
                Some(inner) => vec![data::of_item(name, inner, 0)],
                None => vec![property::of_element(parameter, 0)],
            };
            step.rare.additional_results.push(property::named(name, props));
        }
        let Some(node) = parts.data else { return };
        let Some(collection) = data::value(node).filter(|value| is(*value, "Collection")) else {
            step.rare.additional_results.push(property::named("Data", vec![data::of_item("Data", node, 0)]));
            return;
        };
        let mut popup =
            MessagePopup { response: None, button: None, button_format: None, extra: Extra::new() };
        let mut others = Vec::new();
        for (name, item) in data::items(collection) {
            let written = data::value(item).filter(|value| is(*value, "Datum")).map(data::written);
            let number = written.as_deref().and_then(teststand::number);
            match (name, written) {
                ("ReportText", Some(text)) => {
                    if !text.trim().is_empty() {
                        verdict::add_text(step, &text);
                    }
                }
                // Steps of sequence calls that have no group.
                ("SeqFileVersion", Some(text)) if text.trim().is_empty() => {}
                ("ButtonHit", Some(_)) if number.and_then(teststand::whole).is_some() => {
                    popup.button = number.and_then(teststand::whole);
                }
                ("Response", Some(text)) => popup.response = Some(Cow::into_owned(text).into()),
                ("ExitCode", Some(_)) if number.is_some() => {
                    step.rare.call_exe = Some(Box::new(CallExe {
                        exit_code: number.map(Double::new),
                        exit_code_format: None,
                        extra: Extra::new(),
                    }));
                }
                _ => others.push(data::of_item(name, item, 0)),
            }
        }
        if popup.button.is_some() || popup.response.is_some() {
            step.rare.message_popup = Some(Box::new(popup));
        }
        add_results(step, others.into_iter().map(named_by_itself).collect());
    }

    fn step_time(&mut self, node: Node<'_, '_>, name: &str) -> Option<Time> {
        self.times.read(attribute(node, name)?)
    }
}

fn add_results(step: &mut Step, results: Vec<AdditionalData>) {
    if !results.is_empty() {
        step.rare.additional_results.extend(results);
    }
}

fn named_by_itself(property: wats::report::Property) -> AdditionalData {
    let name = property.name.clone().unwrap_or_default();
    property::named(&name, vec![property])
}

fn name_of<'a>(node: Node<'a, '_>, default: &'a str) -> &'a str {
    attribute(node, "name").or_else(|| attribute(node, "ID")).unwrap_or(default)
}

/// The name of the step that called a sequence; version 2.02 has it as `SequenceCallStepName = 'CPU Test'`.
fn caller<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    if let Some(name) = attribute(node, "callerName") {
        return Some(name);
    }
    let (_, quoted) = attribute(node, "userDefinedType")?.split_once("SequenceCallStepName")?;
    let quoted = quoted.trim_start().strip_prefix('=')?.trim();
    let name = quoted.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')).unwrap_or(quoted);
    Some(name).filter(|name| !name.is_empty())
}

/// What happened during a step: messages become its error message, a whole number its error code.
fn error(event: Node<'_, '_>, step: &mut Step) {
    let messages: Vec<Text> = children(event, "Message").filter_map(xml::text).collect();
    if !messages.is_empty() {
        let all = step.rare.error_message.get_or_insert_default();
        if !all.is_empty() {
            all.push('\n');
        }
        all.push_str(&messages.join("\n"));
    }
    for inner in children(event, "Data") {
        let name = attribute(inner, "name").unwrap_or("Event");
        let number = data::value(inner).and_then(data::number).and_then(teststand::whole);
        match number.filter(|_| name.to_ascii_lowercase().contains("code")) {
            Some(code) if step.error_code.is_none() => step.error_code = Some(code),
            _ => {
                step.rare.additional_results.push(property::named(name, vec![data::of_item(name, inner, 0)]))
            }
        }
    }
}
