//! The step tree: verdicts of measurements, and of sequences that state none.

use wats::report::{Status, Step, Text};

use crate::kit::points::Points;
use crate::kit::text;

/// The verdict of a value by its operator; the limit of a one-limit operator is the low one.
pub(crate) fn numeric(op: &str, value: f64, low: Option<f64>, high: Option<f64>) -> Status {
    let (l, h) = (low.unwrap_or(f64::NAN), high.unwrap_or(f64::NAN));
    let passed = match op {
        "EQ" => value == l,
        "NE" => value != l,
        "GT" => value > l,
        "GE" => value >= l,
        "LT" => value < l,
        "LE" => value <= l,
        "GTLT" => value > l && value < h,
        "GTLE" => value > l && value <= h,
        "GELT" => value >= l && value < h,
        "GELE" => value >= l && value <= h,
        "LTGT" => value < l || value > h,
        "LTGE" => value < l || value >= h,
        "LEGT" => value <= l || value > h,
        "LEGE" => value <= l || value >= h,
        _ => true,
    };
    verdict(passed)
}

/// The verdict of a text by its operator.
pub(crate) fn string(op: &str, value: &str, limit: &str) -> Status {
    verdict(match op {
        "EQ" | "CASESENSIT" => value == limit,
        "NE" => value != limit,
        "IGNORECASE" => value.eq_ignore_ascii_case(limit) || value.to_lowercase() == limit.to_lowercase(),
        _ => true,
    })
}

/// The operator and the limits as the server wants them.
///
/// Without a known operator the limits decide. The one limit of a one-limit operator is the low one, in whichever
/// column the file has it; a range with one side open is a one-limit operator.
pub(crate) fn limits(
    operator: &str,
    low: Option<f64>,
    high: Option<f64>,
) -> (Text, Option<f64>, Option<f64>) {
    let mut written = Text::from(text::trimmed(operator));
    written.make_ascii_uppercase();
    let single = |operator: &str, limit: Option<f64>| match limit {
        Some(limit) => (operator.into(), Some(limit), None),
        // Nothing to compare with: the value is only logged.
        None => ("LOG".into(), None, None),
    };
    match (written.as_str(), low, high) {
        ("LOG", ..) => ("LOG".into(), None, None),
        ("EQT", ..) => single("EQ", low.or(high)),
        (op @ ("EQ" | "NE" | "GE" | "GT" | "LE" | "LT"), ..) => single(op, low.or(high)),
        (op @ ("GELE" | "GELT" | "GTLE" | "GTLT" | "LEGE" | "LEGT" | "LTGE" | "LTGT"), Some(_), Some(_)) => {
            (op.into(), low, high)
        }
        (op @ ("GELE" | "GELT" | "GTLE" | "GTLT" | "LEGE" | "LEGT" | "LTGE" | "LTGT"), ..) => {
            let (first, second) = op.split_at_checked(2).unwrap_or((op, op));
            if high.is_some() { single(second, high) } else { single(first, low) }
        }
        _ => {
            let (operator, low, high) = by_limits(low, high);
            (operator.into(), low, high)
        }
    }
}

/// The operator that the limits decide, and the limits as the server wants them. One at infinity, behind which no number
/// lies, is none.
pub(crate) fn by_limits(low: Option<f64>, high: Option<f64>) -> (&'static str, Option<f64>, Option<f64>) {
    let (low, high) =
        (low.filter(|low| *low != f64::NEG_INFINITY), high.filter(|high| *high != f64::INFINITY));
    match (low, high) {
        (Some(_), Some(_)) => ("GELE", low, high),
        (Some(_), None) => ("GE", low, None),
        (None, Some(_)) => ("LE", high, None),
        (None, None) => ("LOG", None, None),
    }
}

/// The operator of a text test; without a known one the limit decides.
pub(crate) fn string_operator(written: &str, limit: Option<&str>) -> &'static str {
    let mut written = Text::from(written.trim());
    written.make_ascii_uppercase();
    match written.as_str() {
        "LOG" => "LOG",
        "EQ" => "EQ",
        "NE" => "NE",
        "CASESENSIT" | "CASESENIT" | "CASESENSITIVE" => "CASESENSIT",
        "IGNORECASE" | "IGNORECAS" => "IGNORECASE",
        _ if limit.is_some() => "EQ",
        _ => "LOG",
    }
}

/// The points of a series: numbers joined by semicolons, each with at least one decimal.
pub(crate) fn points(text: &str) -> Option<String> {
    let mut points = Points::default();
    text.trim_end_matches(';').split(';').all(|point| points.add_written(point)).then(|| points.text())
}

/// The name under which the server knows a step type.
pub(crate) fn step_type(written: &str) -> &str {
    if written.starts_with("ET_") {
        return written;
    }
    LONG_TYPES
        .iter()
        .find(|(long, _)| long.eq_ignore_ascii_case(written))
        .map_or(written, |(_, short)| *short)
}

const LONG_TYPES: &[(&str, &str)] = &[
    ("NumericLimitTest", "ET_NLT"),
    ("MultiNumericLimitTest", "ET_MNLT"),
    ("MultipleNumericLimitTest", "ET_MNLT"),
    ("PassFailTest", "ET_PFT"),
    ("MultiBooleanTest", "ET_MPFT"),
    ("MultiplePassFailTest", "ET_MPFT"),
    ("StringValueTest", "ET_SVT"),
    ("MultiStringTest", "ET_MSVT"),
    ("MultipleStringValueTest", "ET_MSVT"),
    ("WATS_SeqCall", "SequenceCall"),
];

fn verdict(passed: bool) -> Status {
    if passed { Status::Passed } else { Status::Failed }
}

/// The verdict of a sequence that states none: Error if a direct child is in error, else Failed if one failed.
pub(crate) fn rolled_up(children: &[Step]) -> Status {
    let any = |status| children.iter().any(|child| child.status == status);
    if any(Status::Error) {
        Status::Error
    } else if any(Status::Failed) {
        Status::Failed
    } else {
        Status::Passed
    }
}

/// The root's verdict: that of its children; where they passed, a report that did not gives its own.
pub(crate) fn root(children: &[Step], result: Status) -> Status {
    match (rolled_up(children), result) {
        (Status::Passed, Status::Failed | Status::Error | Status::Terminated) => result,
        (status, _) => status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_stand_where_the_server_wants_them() {
        for (written, low, high, expected) in [
            ("GELE", Some(1.0), Some(2.0), "GELE Some(1.0) Some(2.0)"),
            ("le", None, Some(2.0), "LE Some(2.0) None"),
            ("LE", Some(1.0), None, "LE Some(1.0) None"),
            ("GELT", None, Some(2.0), "LT Some(2.0) None"),
            ("LTGT", Some(1.0), None, "LT Some(1.0) None"),
            ("LOG", Some(1.0), None, "LOG None None"),
            ("EQ", None, None, "LOG None None"),
            ("", Some(1.0), Some(2.0), "GELE Some(1.0) Some(2.0)"),
            ("what", Some(1.0), None, "GE Some(1.0) None"),
            ("", None, Some(2.0), "LE Some(2.0) None"),
            ("", None, None, "LOG None None"),
            ("", Some(f64::NEG_INFINITY), Some(2.0), "LE Some(2.0) None"),
            ("", Some(1.0), Some(f64::INFINITY), "GE Some(1.0) None"),
            ("GELE", Some(1.0), Some(f64::INFINITY), "GELE Some(1.0) Some(inf)"),
        ] {
            let (operator, low, high) = limits(written, low, high);
            assert_eq!(format!("{operator} {low:?} {high:?}"), expected, "{written}");
        }
    }
}
