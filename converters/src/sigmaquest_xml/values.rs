//! Values, by whatever element they stand in, and their limits.

use roxmltree::Node;
use wats::report::{Status, Text};

use crate::kit::xml::{attribute, children, is};
use crate::kit::{text, tree};

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Flag,
    Attachment,
    /// A list, a point in time, or what is not known.
    Other,
}

pub(super) fn kind(node: Node<'_, '_>) -> Kind {
    const KINDS: [(&str, Kind); 5] = [
        ("ValueDouble", Kind::Number),
        ("ValueInteger", Kind::Number),
        ("ValueString", Kind::Text),
        ("ValueBoolean", Kind::Flag),
        ("ValueAttachment", Kind::Attachment),
    ];
    let name = node.tag_name().name();
    KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Kind::Other, |(_, kind)| *kind)
}

pub(super) fn name<'a>(node: Node<'a, '_>) -> &'a str {
    attribute(node, "name").unwrap_or("Value")
}

/// The values in the properties of an element, in records of them as well.
pub(super) fn of_properties<'a, 'd>(node: Node<'a, 'd>) -> Vec<Node<'a, 'd>> {
    let mut found = Vec::new();
    children(node, "Property").for_each(|property| gather(property, &mut found));
    found
}

/// Adds the values in an element and in its properties, in document order. Records are opened; readers have bounded the
/// depth.
pub(super) fn gather<'a, 'd>(node: Node<'a, 'd>, found: &mut Vec<Node<'a, 'd>>) {
    for inner in node.children().filter(Node::is_element) {
        if is(inner, "Property") || is(inner, "ValueRecord") {
            gather(inner, found);
        } else if begins_with_value(inner.tag_name().name()) {
            found.push(inner);
        }
    }
}

fn begins_with_value(name: &str) -> bool {
    name.get(.."value".len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case("value"))
}

/// The status that a grade stands for; `None` for a word that is not known.
pub(super) fn grade(written: &str) -> Option<Status> {
    let mut word = Text::from(written.split_whitespace().next().unwrap_or_default());
    word.make_ascii_uppercase();
    match word.as_str() {
        "PASS" | "PASSED" | "DONE" => Some(Status::Passed),
        "FAIL" | "FAILED" => Some(Status::Failed),
        "INCOMPLETE" | "ABORTED" => Some(Status::Terminated),
        "SKIPPED" => Some(Status::Skipped),
        "PENDING" | "ERROR" => Some(Status::Error),
        _ => None,
    }
}

/// How a limit of 0 is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    Auto,
    None,
    Limit,
}

/// Operator and limits of a number as a server wants them.
pub(super) fn limits(
    node: Node<'_, '_>,
    comparison: Option<&str>,
    zero: Zero,
    value: f64,
    status: Status,
) -> (Text, Option<f64>, Option<f64>) {
    let limit = |name: &str| attribute(node, name).and_then(text::number).filter(|limit| !limit.is_nan());
    let operator = comparison.map(operator).unwrap_or_default();
    let (mut low, mut high) = (limit("lsl"), limit("usl"));
    let is_single = ["LE", "LT", "GE", "GT", "EQ", "NE"].contains(&operator.as_str());
    let at_zero = || tree::numeric(&operator, value, Some(0.0), None);
    // A comparison with 0 that gives the grade is meant.
    if !(zero == Zero::Auto && is_single && [at_zero(), Status::Done].contains(&status)) {
        (low, high) = without_zeros(low, high, zero, value, status);
    }
    match operator.as_str() {
        "LE" | "LT" => tree::limits(&operator, high.or(low), None),
        "GE" | "GT" | "EQ" | "NE" => tree::limits(&operator, low.or(high), None),
        _ => tree::limits(&operator, low, high),
    }
}

/// The operator in a comparison such as `LE (less or equal)`.
fn operator(written: &str) -> Text {
    let mut word = Text::from(written.split('(').next().unwrap_or_default().trim());
    word.make_ascii_uppercase();
    if word == "E" { Text::const_new("EQ") } else { word }
}

/// Writers put 0 where there is no limit.
fn without_zeros(
    low: Option<f64>,
    high: Option<f64>,
    zero: Zero,
    value: f64,
    status: Status,
) -> (Option<f64>, Option<f64>) {
    let is_zero = |limit: &f64| *limit == 0.0;
    let (low_zero, high_zero) = (low.is_some_and(|it| is_zero(&it)), high.is_some_and(|it| is_zero(&it)));
    match zero {
        Zero::Limit => (low, high),
        Zero::None => (low.filter(|it| !is_zero(it)), high.filter(|it| !is_zero(it))),
        Zero::Auto if low_zero && high_zero => (None, None),
        Zero::Auto => {
            let passed = status == Status::Passed;
            let no_low = low_zero && (high.is_some_and(|high| high < 0.0) || (passed && value < 0.0));
            let no_high = high_zero && (low.is_some_and(|low| low > 0.0) || (passed && value > 0.0));
            (low.filter(|_| !no_low), high.filter(|_| !no_high))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_are_limits_only_where_they_make_sense() {
        let (p, f) = (Status::Passed, Status::Failed);
        for (low, high, value, status, expected) in [
            (0.0, -2.4, -3.4, p, (None, Some(-2.4))),
            (2.19e11, 0.0, 5.4e13, p, (Some(2.19e11), None)),
            (0.0, 20.0, 5.0, p, (Some(0.0), Some(20.0))),
            (0.0, 20.0, -5.0, p, (None, Some(20.0))),
            (0.0, 20.0, -5.0, f, (Some(0.0), Some(20.0))),
            (-5.0, 0.0, 1.0, p, (Some(-5.0), None)),
            (0.0, 0.0, 0.5, p, (None, None)),
            (-1.0, 1.0, 5.0, p, (Some(-1.0), Some(1.0))),
        ] {
            assert_eq!(
                without_zeros(Some(low), Some(high), Zero::Auto, value, status),
                expected,
                "{low} {high} {value}"
            );
        }
        assert_eq!(without_zeros(Some(0.0), Some(0.0), Zero::Limit, 1.0, p), (Some(0.0), Some(0.0)));
        assert_eq!(without_zeros(Some(0.0), Some(5.0), Zero::None, 1.0, p), (None, Some(5.0)));
    }
}
