//! Results of a test: what of them are measurements, with which limits and verdicts.

use roxmltree::Node;
use wats::report::{BooleanMeas, Double, Extra, NumericMeas, Status, StringMeas, Text};

use super::limits::Limits;
use super::measured::Results;
use super::{Reading, data};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, property, teststand, tree, xml};

/// Step types that list their measurements by name, even a single one.
const LISTS: [&str; 3] = ["NI_MultipleNumericLimitTest", "ET_MNLT", "WATS_XYGMNLT"];

/// What an `Outcome` says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) status: Status,
    value: &'a str,
    qualifier: Option<&'a str>,
    understood: bool,
}

impl Outcome<'_> {
    /// The verdict over a whole run: one that was aborted is terminated, whoever is named to have done it.
    pub(super) fn of_run(self) -> Option<Status> {
        let aborted = !self.understood && self.value.eq_ignore_ascii_case("aborted");
        match self.status {
            _ if aborted => Some(Status::Terminated),
            Status::Done if !self.understood => None,
            Status::Done => Some(Status::Passed),
            status => Some(status),
        }
    }

    /// The outcome in words, when its status says less.
    pub(super) fn unread(self) -> Option<Text> {
        let qualifier = self.qualifier.map(|it| format!(" ({it})")).unwrap_or_default();
        (!self.understood).then(|| format!("Outcome {}{qualifier}", self.value)).map(Into::into)
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
        let mut results = Results { is_list: LISTS.contains(&kind), ..Results::default() };
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
                    results.version = Some(data::written(datum).trim().to_owned())
                        .filter(|it| !it.is_empty())
                        .map(Into::into);
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
            // A number without limits in a step that lists several is logged.
            let listed =
                kind == "NI_MultipleNumericLimitTest" && candidate.datum.is_some_and(data::is_number);
            let counts = if any_compared {
                candidate.compared || listed
            } else {
                measures(kind, candidate.datum, of_test.is_some() || beside.is_some())
            };
            let is_measured =
                |datum: &Node<'_, '_>| counts && is(*datum, "Datum") && !data::is_complex(*datum);
            let datum = candidate.datum.filter(is_measured);
            let is_missing = counts && candidate.datum.is_none() && was_run(candidate.node);
            if datum.is_none() && !is_missing {
                rest.push(candidate);
                continue;
            }
            let limits = match &beside {
                Some(limits) => limits.clone(),
                None => self.limits(child(candidate.node, "TestLimits").or(of_test), candidate.node),
            };
            match datum {
                Some(datum) => self.measurement(&candidate, datum, &limits, &mut results),
                // It has limits, and nothing to compare with them.
                None if limits.operator != "LOG" && limits.text.is_none() => {
                    let own = own_status(candidate.node);
                    results.numbers.push((number_measurement(candidate.name, f64::NAN, "", &limits), own));
                }
                None => {
                    rest.push(candidate);
                    continue;
                }
            }
            beside_the_value(&candidate, &mut results);
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
        let own = own_status(candidate.node);
        if limits.text.is_some() || data::is_text(datum) {
            results.texts_measured.push((text_measurement(name, &data::written(datum), limits), own));
            return;
        }
        if data::is_flag(datum) && limits.operator == "LOG" {
            let status = if data::truth(&data::written(datum)) { Status::Passed } else { Status::Failed };
            let name = Some(name.to_owned());
            results
                .flags
                .push((BooleanMeas { name: name.map(Into::into), status, extra: Extra::new() }, own));
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
                results
                    .flags
                    .push((BooleanMeas { name: Some(name.into()), status, extra: Extra::new() }, own));
            } else if let Some(value) = written("StringData") {
                let limit = written("StringLimit").filter(|_| !operator.eq_ignore_ascii_case("LOG"));
                let limits =
                    Limits { operator: operator.into(), low: None, high: None, text: limit.map(Into::into) };
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
}

/// What a result says of itself.
fn own_status(result: Node<'_, '_>) -> Option<Status> {
    child(result, "Outcome").map(outcome).map(|outcome| match outcome.status {
        Status::Failed | Status::Error | Status::Terminated => Status::Failed,
        Status::Skipped => Status::Skipped,
        _ => Status::Passed,
    })
}

/// False for a result of a test that was skipped.
fn was_run(result: Node<'_, '_>) -> bool {
    let of_test = result.parent().and_then(|test| child(test, "Outcome"));
    of_test.is_none_or(|it| outcome(it).status != Status::Skipped)
}

/// What a result that is a measurement has besides its value: a description, whom it suspects, further limits.
fn beside_the_value(candidate: &Candidate<'_, '_>, results: &mut Results) {
    let node = candidate.node;
    let description = child(node, "Description").and_then(xml::text);
    results.texts.extend(description.map(|text| format!("{}: {text}", candidate.name)));
    let limits = child(node, "TestLimits").into_iter().flat_map(|it| children(it, "Limits"));
    let unread = |(at, limits): &(usize, Node<'_, '_>)| *at > 0 || child(*limits, "Mask").is_some();
    let unread = limits.enumerate().filter(unread).map(|(_, limits)| limits);
    for other in children(node, "Indictments").chain(unread) {
        let name = other.tag_name().name();
        results.additional.push(property::named(name, vec![property::of_element(other, 0)]));
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
pub(super) fn is_own(kind: &str) -> bool {
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
        return Some(Limits { operator: operator.into(), low: None, high: None, text: text.map(Into::into) });
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

fn number_measurement(name: &str, value: f64, unit: &str, limits: &Limits) -> NumericMeas {
    NumericMeas {
        comp_op: limits.operator.clone(),
        low_limit: limits.low.map(Double::new),
        high_limit: limits.high.map(Double::new),
        ..build::number(Some(name), Status::Passed, value, unit, (None, None))
    }
}

fn text_measurement(name: &str, value: &str, limits: &Limits) -> StringMeas {
    StringMeas {
        comp_op: tree::string_operator(&limits.operator, limits.text.as_deref()).into(),
        name: Some(name.into()),
        status: Status::Passed,
        value: Some(value.into()),
        limit: limits.text.clone(),
        extra: Extra::new(),
    }
}
