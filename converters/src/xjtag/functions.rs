//! The steps of a run: groups and the functions in them.

use std::borrow::Cow;

use roxmltree::Node;
use wats::report::{Double, Status, Step, Text};

use crate::kit::leftover::Elements;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, property, text, tree, xml};

/// What a run may hold beside its groups.
const OF_RUN: &[&str] = &["text-output", "summary", "header", "testruninfo", "snippets"];
/// What a function may hold.
const OF_FUNCTION: &[&str] =
    &["html-output", "text-output", "conntest-errors", "circuit-refs", "plain-text", "result", "time-taken"];

/// What stands for `>>>>` in texts.
const ESCAPED_MARK: &str = "&gt;&gt;&gt;&gt;";

/// Fills the sequence of a run, or of a group in it, with the groups and functions below.
pub(super) fn groups(
    parent: Node<'_, '_>,
    sequence: &mut Step,
    unknown: &mut Elements,
    warnings: &mut Vec<String>,
) {
    let mut steps = Vec::with_capacity(parent.children().filter(Node::is_element).count());
    for node in parent.children().filter(Node::is_element) {
        if is(node, "testgroup") {
            let name = attribute(node, "name").unwrap_or("Group");
            let file = format!("{}.seq", name.replace(' ', "_"));
            let mut group = build::sequence(name, &file, "1.0", Vec::new());
            groups(node, &mut group, unknown, warnings);
            steps.push(group);
        } else if is(node, "testfunction") {
            steps.extend(function(node, unknown, warnings));
        } else if !is(parent, "testrun") || !known(node, OF_RUN) {
            keep(node, sequence, unknown);
        }
    }
    sequence.status = tree::rolled_up(&steps);
    sequence.steps = Some(steps);
}

fn keep(node: Node<'_, '_>, step: &mut Step, unknown: &mut Elements) {
    unknown.add(node);
    let name = node.tag_name().name();
    step.rare.additional_results.push(property::named(name, vec![property::of_element(node, 0)]));
}

fn function(node: Node<'_, '_>, unknown: &mut Elements, warnings: &mut Vec<String>) -> Option<Step> {
    let name = attribute(node, "name").unwrap_or("Function");
    let Some(word) = child(node, "result").and_then(|result| attribute(result, "value")) else {
        warnings.push(format!("the function {name} has no result: it is left out"));
        return None;
    };
    let mut lower = Text::from(word);
    lower.make_ascii_lowercase();
    let mut step = match lower.as_str() {
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
        keep(other, &mut step, unknown);
    }
    Some(step)
}

/// All that a function said, and the errors of a connection test.
fn texts(node: Node<'_, '_>) -> Option<Text> {
    let mut lines: Vec<Cow<'_, str>> = children(node, "text-output").filter_map(xml::own_text).collect();
    if lines.is_empty() {
        lines.extend(child(node, "plain-text").and_then(xml::own_text));
    }
    for element in children(node, "conntest-errors").flat_map(|errors| errors.descendants()) {
        let said = match element.tag_name().name() {
            "error-message" => xml::own_text(element),
            "net" => net(element).map(Cow::Owned),
            _ => None,
        };
        if let Some(said) = said.filter(|said| !lines.iter().any(|line| line.contains(&**said))) {
            lines.push(said);
        }
    }
    // Older versions say only in HTML what went wrong.
    let passed = child(node, "result").and_then(|it| attribute(it, "value")).is_some_and(|it| it == "Passed");
    if lines.is_empty() && !passed {
        let html = children(node, "html-output").filter_map(xml::own_text);
        lines.extend(html.map(|it| without_tags(&it)).filter(|it| !it.is_empty()).map(Cow::Owned));
    }
    if lines.is_empty() {
        return None;
    }
    // Exports write this mark escaped inside of what is not escaped.
    let text = lines.join("\n");
    Some(if text.contains(ESCAPED_MARK) { text.replace(ESCAPED_MARK, ">>>>").into() } else { text.into() })
}

/// A net with an error, and its pins: `NET_A12: U1.3, U2.4`.
fn net(node: Node<'_, '_>) -> Option<String> {
    let pins: Vec<String> = children(node, "pin")
        .filter_map(|pin| Some(format!("{}.{}", attribute(pin, "component")?, attribute(pin, "pin")?)))
        .collect();
    let name = attribute(node, "name")?;
    Some(if pins.is_empty() { name.to_owned() } else { format!("{name}: {}", pins.join(", ")) })
}

/// The text of HTML, a line for each of its pieces.
fn without_tags(html: &str) -> String {
    let pieces = html.split('<').enumerate().filter_map(|(number, piece)| match number {
        0 => Some(piece),
        _ => piece.split_once('>').map(|(_, text)| text),
    });
    let pieces: Vec<&str> = pieces.map(str::trim).filter(|piece| !piece.is_empty()).collect();
    let text = pieces.join("\n");
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", " "), ("&amp;", "&")];
    named.iter().fold(text, |text, (name, sign)| text.replace(name, sign))
}

/// The element `time-taken`, which is in milliseconds.
pub(super) fn seconds(node: Node<'_, '_>, what: &str, warnings: &mut Vec<String>) -> Option<Double> {
    let written = child(node, "time-taken").and_then(xml::text)?;
    let milliseconds = text::number(&written).filter(|number| number.is_finite() && *number >= 0.0);
    if milliseconds.is_none() {
        warnings.push(format!("{what}: the time \"{written}\" is no number of milliseconds"));
    }
    milliseconds.map(|milliseconds| Double::new(milliseconds / 1000.0))
}

fn known(node: Node<'_, '_>, names: &[&str]) -> bool {
    names.iter().any(|name| node.tag_name().name().eq_ignore_ascii_case(name))
}
