//! Results of a test: what of them are measurements, with which limits and verdicts.

use std::collections::HashSet;

use roxmltree::Node;
use wats::report::{AdditionalData, BooleanMeas, Double, Extra, NumericMeas, Status, Step, StringMeas};

use super::{Reading, data};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, property, teststand, tree};

/// What an `Outcome` says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) status: Status,
    value: &'a str,
    qualifier: Option<&'a str>,
    understood: bool,
}

impl Outcome<'_> {
    /// The outcome in words, when its status says less.
    pub(super) fn unread(self) -> Option<String> {
        let qualifier = self.qualifier.map(|it| format!(" ({it})")).unwrap_or_default();
        (!self.understood).then(|| format!("Outcome {}{qualifier}", self.value))
    }
}

/// Reads an `Outcome` or `ActionOutcome`. What an `Aborted` or `UserDefined` one means is in its qualifier.
pub(super) fn outcome<'a>(node: Node<'a, '_>) -> Outcome<'a> {
    let value = attribute(node, "value").unwrap_or_default();
    let qualifier = attribute(node, "qualifier");
    let status = match (value.to_ascii_lowercase().as_str(), qualifier) {
        ("notstarted", _) => Some(Status::Skipped),
        ("aborted" | "userdefined", Some(qualifier)) => Status::from_word(qualifier),
        ("aborted", None) => Some(Status::Terminated),
        (word, _) => Status::from_word(word),
    };
    let status = status.filter(|status| *status != Status::Unknown);
    Outcome { status: status.unwrap_or(Status::Done), value, qualifier, understood: status.is_some() }
}

/// What the results of a test are.
#[derive(Debug, Default)]
pub(super) struct Results {
    /// The status is the result's own one, where it has one.
    numbers: Vec<(NumericMeas, Option<Status>)>,
    texts_measured: Vec<(StringMeas, Option<Status>)>,
    flags: Vec<(BooleanMeas, Option<Status>)>,
    /// Report texts.
    pub(super) texts: Vec<String>,
    /// Version of the sequence file.
    pub(super) version: Option<String>,
    pub(super) additional: Vec<AdditionalData>,
}

impl Results {
    pub(super) fn has_measurements(&self) -> bool {
        !(self.numbers.is_empty() && self.texts_measured.is_empty() && self.flags.is_empty())
    }

    /// The step with the measurements; without a stated status they decide.
    pub(super) fn step(&self, name: &str, stated: Option<Status>, warnings: &mut Vec<String>) -> Step {
        let count = self.numbers.len() + self.texts_measured.len() + self.flags.len();
        let single = count == 1;
        let of_step = if stated == Some(Status::Failed) { Status::Failed } else { Status::Passed };
        let mut taken = HashSet::new();
        let mut name_of = |name: &Option<String>| {
            (!single).then(|| build::unique(name.as_deref().unwrap_or_default(), &mut taken))
        };
        let mut step = Step::new("", name, stated.unwrap_or(Status::Passed));
        for (number, own) in &self.numbers {
            let judged = || {
                let limit = |limit: Option<Double>| limit.map(|limit| limit.0);
                let (low, high) = (limit(number.low_limit), limit(number.high_limit));
                tree::numeric(&number.comp_op, number.value.0, low, high)
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
        let multiple = |one: &str, several: &str| if single { one.to_owned() } else { several.to_owned() };
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
    step.additional_results.push(property::named("Further measurements", props));
    // Only one may be left, which then has no name.
    if let [only] = step.numeric_meas.as_mut_slice() {
        only.name = None;
    }
    if let ([], [only]) = (step.numeric_meas.as_slice(), step.string_meas.as_mut_slice()) {
        only.name = None;
    }
}

/// Limits as a server wants them.
#[derive(Debug, Clone, PartialEq)]
struct Limits {
    operator: String,
    low: Option<f64>,
    high: Option<f64>,
    /// The limit of a text.
    text: Option<String>,
}

impl Limits {
    fn none() -> Self {
        Self { operator: "LOG".to_owned(), low: None, high: None, text: None }
    }

    fn numeric(operator: &str, low: Option<f64>, high: Option<f64>) -> Self {
        let (operator, low, high) = tree::limits(operator, low, high);
        Self { operator, low, high, text: None }
    }
}

/// A result that may be a measurement.
struct Candidate<'a, 'd> {
    node: Node<'a, 'd>,
    name: &'a str,
    datum: Option<Node<'a, 'd>>,
    /// It has limits, or says that it has none on purpose.
    compared: bool,
}

impl Reading<'_> {
    /// Sorts the results of a test. Those with limits are measurements; where none has any, numbers and texts are,
    /// if the step's type is one that measures or is not known.
    pub(super) fn results(
        &mut self,
        nodes: &[Node<'_, '_>],
        of_test: Option<Node<'_, '_>>,
        kind: &str,
    ) -> Results {
        let mut results = Results::default();
        let mut candidates = Vec::new();
        for node in nodes {
            let name = attribute(*node, "name").or_else(|| attribute(*node, "ID")).unwrap_or_default();
            let datum = child(*node, "TestData").and_then(data::value);
            let collection = datum.filter(|it| is(*it, "Collection"));
            match (name, datum, collection) {
                ("ReportText", Some(datum), None) => {
                    let text = data::written(datum);
                    if !text.trim().is_empty() {
                        results.texts.push(text.into_owned());
                    }
                }
                ("SeqFileVersion", Some(datum), None) => {
                    results.version =
                        Some(data::written(datum).trim().to_owned()).filter(|it| !it.is_empty());
                }
                ("Measurement", _, Some(list)) => self.list(list, &mut results),
                _ => {
                    let compared = child(*node, "TestLimits").is_some() || is_log(*node);
                    candidates.push(Candidate { node: *node, name, datum, compared });
                }
            }
        }
        let any_compared = candidates.iter().any(|it| it.compared);
        let beside = if any_compared { None } else { take_limits(&mut candidates, kind) };
        let mut rest = Vec::new();
        for candidate in candidates {
            let counts = if any_compared {
                candidate.compared
            } else {
                measures(kind, candidate.datum, of_test.is_some() || beside.is_some())
            };
            match candidate.datum.filter(|datum| counts && is(*datum, "Datum")) {
                Some(datum) => {
                    let limits = match &beside {
                        Some(limits) => limits.clone(),
                        None => self.limits(child(candidate.node, "TestLimits").or(of_test), candidate.node),
                    };
                    self.measurement(&candidate, datum, &limits, &mut results);
                }
                None => rest.push(candidate),
            }
        }
        // The verdict says what a pass/fail test's own flag says.
        rest.retain(|it| !(it.name == "PassFail" && it.datum.is_some_and(data::is_flag)));
        for candidate in rest {
            let property = match candidate.datum {
                Some(datum) => data::property(candidate.name, datum, 0),
                None => property::of_element(candidate.node, 0),
            };
            results.additional.push(property::named(candidate.name, vec![property]));
        }
        results
    }

    fn measurement(
        &mut self,
        candidate: &Candidate<'_, '_>,
        datum: Node<'_, '_>,
        limits: &Limits,
        results: &mut Results,
    ) {
        let name = candidate.name;
        let own = child(candidate.node, "Outcome").map(outcome).map(|outcome| match outcome.status {
            Status::Failed | Status::Error | Status::Terminated => Status::Failed,
            Status::Skipped => Status::Skipped,
            _ => Status::Passed,
        });
        if limits.text.is_some() || data::is_text(datum) {
            results.texts_measured.push((text_measurement(name, &data::written(datum), limits), own));
            return;
        }
        if data::is_flag(datum) && limits.operator == "LOG" {
            let status = if data::truth(&data::written(datum)) { Status::Passed } else { Status::Failed };
            let name = Some(name.to_owned());
            results.flags.push((BooleanMeas { name, status, extra: Extra::new() }, own));
            return;
        }
        let value = data::number(datum).unwrap_or_else(|| {
            let written = data::written(datum);
            if !written.trim().is_empty() {
                self.warnings.push(format!("result {name}: \"{written}\" is no number; NaN is sent"));
            }
            f64::NAN
        });
        results.numbers.push((number_measurement(name, value, data::unit(datum), limits), own));
    }

    /// A list of measurements as WATS steps for TestStand write it: each a collection with a status of its own.
    fn list(&mut self, list: Node<'_, '_>, results: &mut Results) {
        for (position, (item_name, item)) in data::items(list).enumerate() {
            let Some(entry) = data::value(item).filter(|it| is(*it, "Collection")) else {
                results.additional.push(property::named(item_name, vec![data::of_item(item_name, item, 0)]));
                continue;
            };
            let written = |name: &str| data::item(entry, name).map(|it| data::written(it).into_owned());
            let name = written("MeasName").or_else(|| written("Name")).filter(|it| !it.is_empty());
            let name = name.unwrap_or_else(|| format!("Measurement {position}"));
            let own = written("Status").map(|word| match Status::from_word(&word) {
                Some(Status::Passed | Status::Done) => Status::Passed,
                Some(Status::Skipped) => Status::Skipped,
                _ => Status::Failed,
            });
            let operator = written("Comp").unwrap_or_default();
            if let Some(flag) = written("PassFail") {
                let status = if data::truth(&flag) { Status::Passed } else { Status::Failed };
                results.flags.push((BooleanMeas { name: Some(name), status, extra: Extra::new() }, own));
            } else if let Some(value) = written("StringData") {
                let limit = written("StringLimit").filter(|_| !operator.eq_ignore_ascii_case("LOG"));
                let limits = Limits { operator, low: None, high: None, text: limit };
                results.texts_measured.push((text_measurement(&name, &value, &limits), own));
            } else if let Some(value) = written("Data") {
                let inner = data::item(entry, "Limits").unwrap_or(entry);
                let limit =
                    |name: &str| data::item(inner, name).and_then(data::number).filter(|it| !it.is_nan());
                let limits = Limits::numeric(&operator, limit("Low"), limit("High"));
                let value = teststand::number(&value).unwrap_or(f64::NAN);
                let unit = written("Units").unwrap_or_default();
                results.numbers.push((number_measurement(&name, value, &unit, &limits), own));
            } else {
                results.additional.push(property::named(&name, vec![data::property(&name, entry, 0)]));
            }
        }
    }

    /// The limits in `TestLimits`; properties of TestStand stand there or beside it.
    fn limits(&mut self, test_limits: Option<Node<'_, '_>>, result: Node<'_, '_>) -> Limits {
        let Some(limits) = test_limits.and_then(|it| child(it, "Limits")) else { return Limits::none() };
        let extensions = [child(limits, "Extension"), child(result, "Extension")];
        let properties = extensions.into_iter().flatten().find_map(|it| child(it, "TSLimitProperties"));
        if let Some(pair) = child(limits, "LimitPair") {
            return pair_of(pair);
        }
        if let Some(single) = child(limits, "SingleLimit") {
            let operator = attribute(single, "comparator").unwrap_or_default();
            return match child(single, "Datum") {
                Some(datum) if data::is_text(datum) => self.text_limit(operator, datum),
                datum => Limits::numeric(operator, datum.and_then(data::number), None),
            };
        }
        if let Some(expected) = child(limits, "Expected") {
            let operator = attribute(expected, "comparator").unwrap_or("EQ");
            return match child(expected, "Datum") {
                Some(datum) if data::is_text(datum) => self.text_limit(operator, datum),
                Some(datum) => around(datum, properties)
                    .unwrap_or_else(|| Limits::numeric(operator, data::number(datum), None)),
                None => Limits::none(),
            };
        }
        let known = |node: &Node<'_, '_>| is(*node, "Extension") || is(*node, "Description");
        for other in limits.children().filter(|node| node.is_element() && !known(node)) {
            self.unknown.add(other);
        }
        Limits::none()
    }

    fn text_limit(&mut self, operator: &str, datum: Node<'_, '_>) -> Limits {
        let operator = match operator.to_ascii_uppercase().as_str() {
            "CIEQ" => "IGNORECASE",
            "NE" => "NE",
            "REGULAREXPRESSIONIGNORECASE" => {
                self.patterns += 1;
                "IGNORECASE"
            }
            "REGULAREXPRESSIONCASESENSITIVE" => {
                self.patterns += 1;
                "CASESENSIT"
            }
            _ => "CASESENSIT",
        };
        let text = Some(data::written(datum).into_owned());
        Limits { operator: operator.to_owned(), low: None, high: None, text }
    }
}

/// True for a result that is logged on purpose.
fn is_log(result: Node<'_, '_>) -> bool {
    let extension = child(result, "Extension").and_then(|it| child(it, "TSLimitProperties"));
    extension.is_some_and(|it| child(it, "IsComparisonTypeLog").is_some())
}

/// Whether a value without limits is a measurement of a step of that type.
fn measures(kind: &str, datum: Option<Node<'_, '_>>, test_has_limits: bool) -> bool {
    let Some(datum) = datum else { return false };
    match kind {
        _ if test_has_limits => true,
        "NumericLimitTest" | "NI_MultipleNumericLimitTest" | "ET_NLT" | "ET_MNLT" | "WATS_XYGMNLT" => {
            data::is_number(datum)
        }
        "StringValueTest" | "ET_SVT" | "ET_MSVT" => data::is_text(datum),
        // A type of the customer's own, or none at all.
        other if !is_own(other) => false,
        _ => data::is_number(datum),
    }
}

/// False for the step types of TestStand and WATS that do not measure.
fn is_own(kind: &str) -> bool {
    let others = [
        "PassFailTest",
        "SequenceCall",
        "Action",
        "Statement",
        "Label",
        "Goto",
        "MessagePopup",
        "CallExecutable",
        "AdditionalResults",
        "GroupTest",
    ];
    !(kind.starts_with("NI_")
        || kind.starts_with("ET_")
        || kind.starts_with("WATS_")
        || others.contains(&kind))
}

/// Limits in a result of their own, called `Limits`, as version 2.02 has them for some step types.
fn take_limits(candidates: &mut Vec<Candidate<'_, '_>>, kind: &str) -> Option<Limits> {
    let at = candidates.iter().position(|it| it.name == "Limits")?;
    let collection = candidates.get(at)?.datum.filter(|it| is(*it, "Collection"))?;
    let values = candidates.iter().filter(|it| measures(kind, it.datum, false) && it.name != "Comp").count();
    if values != 1 {
        return None;
    }
    candidates.remove(at);
    let compared = candidates.iter().position(|it| it.name == "Comp").map(|at| candidates.remove(at));
    let compared = compared.and_then(|it| it.datum).or_else(|| data::item(collection, "Comp"));
    let operator = compared.map(|it| data::written(it).trim().to_owned()).unwrap_or_default();
    if let Some(text) = data::item(collection, "String") {
        let text = Some(data::written(text).into_owned());
        return Some(Limits { operator, low: None, high: None, text });
    }
    let number = |name: &str| data::item(collection, name).and_then(data::number);
    let (low, high) = (number("Low"), number("High"));
    if operator.eq_ignore_ascii_case("EQT") {
        let threshold = data::item(collection, "ThresholdType").map(data::written).unwrap_or_default();
        let limits = match (number("Nominal"), low, high) {
            (Some(nominal), Some(low), Some(high)) => teststand::threshold(&threshold, nominal, low, high),
            _ => None,
        };
        if let Some((low, high)) = limits {
            return Some(Limits::numeric("GELE", Some(low), Some(high)));
        }
    }
    Some(Limits::numeric(&operator, low, high))
}

/// Two limits: inside of them (AND) or outside (OR), in whichever order they are written.
fn pair_of(pair: Node<'_, '_>) -> Limits {
    let mut limits = children(pair, "Limit").map(|limit| {
        let comparator = attribute(limit, "comparator").unwrap_or_default().to_ascii_uppercase();
        (comparator, child(limit, "Datum").and_then(data::number))
    });
    let (Some(mut first), Some(mut second)) = (limits.next(), limits.next()) else { return Limits::none() };
    let rising = |comparator: &str| comparator.starts_with('G');
    let outside = match attribute(pair, "operator").map(str::to_ascii_uppercase).as_deref() {
        Some("AND") => Some(false),
        Some("OR") => Some(true),
        _ => None,
    };
    let opposed = rising(&first.0) != rising(&second.0);
    if opposed && outside.is_some_and(|outside| outside == rising(&first.0)) {
        std::mem::swap(&mut first, &mut second);
    }
    Limits::numeric(&format!("{}{}", first.0, second.0), first.1, second.1)
}

/// Limits around a nominal value, if TestStand says how far.
fn around(nominal: Node<'_, '_>, properties: Option<Node<'_, '_>>) -> Option<Limits> {
    let properties = properties?;
    let kind = data::setting(properties, "ThresholdType")?;
    let raw = child(properties, "RawLimits")?;
    let number = |name: &'static str| data::setting(raw, name).and_then(|it| teststand::number(&it));
    let nominal = number("Nominal").or_else(|| data::number(nominal))?;
    let limits = match (number("Low"), number("High")) {
        (Some(low), Some(high)) => teststand::threshold(&kind, nominal, low, high),
        _ => None,
    };
    let (low, high) = limits.or_else(|| Some((number("ThresholdLow")?, number("ThresholdHigh")?)))?;
    Some(Limits::numeric("GELE", Some(low), Some(high)))
}

fn number_measurement(name: &str, value: f64, unit: &str, limits: &Limits) -> NumericMeas {
    NumericMeas {
        comp_op: limits.operator.clone(),
        low_limit: limits.low.map(Double),
        high_limit: limits.high.map(Double),
        ..build::number(Some(name), Status::Passed, value, unit, (None, None))
    }
}

fn text_measurement(name: &str, value: &str, limits: &Limits) -> StringMeas {
    StringMeas {
        comp_op: tree::string_operator(&limits.operator, limits.text.as_deref()).to_owned(),
        name: Some(name.to_owned()),
        status: Status::Passed,
        value: Some(value.to_owned()),
        limit: limits.text.clone(),
        extra: Extra::new(),
    }
}
