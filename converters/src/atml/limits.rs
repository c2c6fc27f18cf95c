//! Limits in all their forms, as a server wants them.

use roxmltree::Node;
use wats::report::Text;

use super::{Reading, data};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{teststand, tree};

/// Limits as a server wants them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limits {
    pub(super) operator: Text,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
    /// The limit of a text.
    pub(super) text: Option<Text>,
}

impl Limits {
    pub(super) fn none() -> Self {
        Self { operator: "LOG".into(), low: None, high: None, text: None }
    }

    pub(super) fn numeric(operator: &str, low: Option<f64>, high: Option<f64>) -> Self {
        let (operator, low, high) = tree::limits(operator, low, high);
        Self { operator, low, high, text: None }
    }
}

impl Reading<'_> {
    /// The limits in `TestLimits`; properties of TestStand stand there or beside it.
    pub(super) fn limits(&mut self, test_limits: Option<Node<'_, '_>>, result: Node<'_, '_>) -> Limits {
        let Some(limits) = test_limits.and_then(|it| child(it, "Limits")) else { return Limits::none() };
        let of_expected = child(limits, "Expected").and_then(|expected| child(expected, "Extension"));
        let extensions = [child(limits, "Extension"), of_expected, child(result, "Extension")];
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
        Limits { operator: operator.into(), low: None, high: None, text: text.map(Into::into) }
    }
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
