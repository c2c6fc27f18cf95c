//! The step tree: verdicts of measurements, and of sequences that state none.

use wats::report::{Status, Step};

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
