//! The steps of a run: groups and the functions in them.

use std::collections::BTreeMap;

use roxmltree::Node;
use wats::report::{Double, Status, Step, Text};

use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, text, xml};

/// What a run may hold beside its groups.
const OF_RUN: &[&str] = &["text-output", "summary", "header", "testruninfo", "snippets"];
/// What a function may hold.
const OF_FUNCTION: &[&str] =
    &["html-output", "text-output", "conntest-errors", "circuit-refs", "plain-text", "result", "time-taken"];

/// The groups of a run, or those within a group, with their functions.
pub(super) fn groups(parent: Node<'_, '_>, warnings: &mut Vec<String>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
    for node in parent.children().filter(Node::is_element) {
        if is(node, "testgroup") {
            let name = attribute(node, "name").unwrap_or("Group");
            let file = format!("{}.seq", name.replace(' ', "_"));
            let inner = groups(node, warnings);
            steps.push(build::sequence(name, &file, "1.0", inner));
        } else if is(node, "testfunction") {
            steps.extend(function(node, warnings));
        } else if !is(parent, "testrun") || !known(node, OF_RUN) {
            *unknown.entry(node.tag_name().name()).or_default() += 1;
        }
    }
    for (name, count) in unknown {
        warnings.push(format!("{count} elements {name} are not known and left out"));
    }
    steps
}

fn function(node: Node<'_, '_>, warnings: &mut Vec<String>) -> Option<Step> {
    let name = attribute(node, "name").unwrap_or("Function");
    let Some(word) = child(node, "result").and_then(|result| attribute(result, "value")) else {
        warnings.push(format!("the function {name} has no result: it is left out"));
        return None;
    };
    let mut step = match word.to_ascii_lowercase().as_str() {
        "not run" | "skipped" => {
            // The server does not look at what a skipped step measured.
            let mut step = build::pass_fail(name, Status::Passed);
            step.status = Status::Skipped;
            step
        }
        "passed" => build::pass_fail(name, Status::Passed),
        // A measurement of its own could only have passed or failed.
        "aborted" => Step::new("ET_PFT", name, Status::Terminated),
        _ => build::pass_fail(name, Status::Failed),
    };
    step.tot_time = seconds(node, name, warnings);
    step.report_text = texts(node);
    for other in node.children().filter(Node::is_element).filter(|other| !known(*other, OF_FUNCTION)) {
        let element = other.tag_name().name();
        warnings.push(format!("the function {name}: the element {element} is not known and left out"));
    }
    Some(step)
}

/// All that a function said, and the errors of a connection test.
fn texts(node: Node<'_, '_>) -> Option<Text> {
    let mut lines: Vec<Text> = children(node, "text-output").filter_map(xml::text).collect();
    if lines.is_empty() {
        lines.extend(child(node, "plain-text").and_then(xml::text));
    }
    let errors = children(node, "conntest-errors").flat_map(|errors| errors.descendants());
    for error in errors.filter(|element| is(*element, "error-message")).filter_map(xml::text) {
        if !lines.iter().any(|line| line.contains(error.as_str())) {
            lines.push(error);
        }
    }
    (!lines.is_empty()).then(|| lines.join("\n")).map(Into::into)
}

/// The element `time-taken`, which is in milliseconds.
pub(super) fn seconds(node: Node<'_, '_>, what: &str, warnings: &mut Vec<String>) -> Option<Double> {
    let written = child(node, "time-taken").and_then(xml::text)?;
    let milliseconds = text::number(&written).filter(|number| number.is_finite() && *number >= 0.0);
    if milliseconds.is_none() {
        warnings.push(format!("{what}: the time \"{written}\" is no number of milliseconds"));
    }
    milliseconds.map(|milliseconds| Double(milliseconds / 1000.0))
}

fn known(node: Node<'_, '_>, names: &[&str]) -> bool {
    names.iter().any(|name| node.tag_name().name().eq_ignore_ascii_case(name))
}
