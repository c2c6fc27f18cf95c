//! The groups of an ATDX file, each with the header before it, and the attempts that they make up.

use std::collections::HashSet;

use wats::report::{Status, Step};

use super::TITLE;
use crate::kit::leftover::Unknown;
use crate::kit::tree;
use crate::{ConvertError, ErrorKind};

#[derive(Debug, Clone, Default)]
pub(super) struct Head<'a> {
    pub(super) station: &'a str,
    pub(super) model: &'a str,
    pub(super) serial: &'a str,
    pub(super) date: &'a str,
    pub(super) unknown: Unknown,
}

#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) line: usize,
    pub(super) head: Head<'a>,
    pub(super) number: &'a str,
    pub(super) side: &'a str,
    verdict: &'a str,
    pub(super) titles: Option<&'a str>,
    pub(super) steps: Vec<(usize, &'a str)>,
}

/// The groups of each attempt, in the order of the file.
pub(super) fn attempts<'a>(
    text: &'a str,
    warnings: &mut Vec<String>,
) -> Result<Vec<Vec<Group<'a>>>, ConvertError> {
    let groups = groups(text, warnings)?;
    let mut attempts: Vec<Vec<Group<'a>>> = Vec::new();
    let mut seen = HashSet::new();
    for group in groups {
        let first = attempts.last().and_then(|attempt| attempt.first());
        let goes_on = first.is_some_and(|first| first.head.serial == group.head.serial)
            && seen.insert((group.number, group.side));
        match attempts.last_mut() {
            Some(attempt) if goes_on => attempt.push(group),
            _ => {
                seen = HashSet::from([(group.number, group.side)]);
                attempts.push(vec![group]);
            }
        }
    }
    // Without an end mark, a broken last line is all that tells of a file that is not whole.
    let whole = attempts.last().and_then(|attempt| attempt.last()).is_some_and(Group::is_whole);
    if !whole {
        let broken = attempts.pop().unwrap_or_default();
        let line = broken.first().map_or(1, |group| group.line);
        if attempts.is_empty() {
            return Err(ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of a group")
                .at_line(line, None)
                .expected("steps with all columns in the last group as well")
                .help("Perhaps it was still being written; drop the whole file again."));
        }
        warnings.push(format!(
            "the last attempt, from line {line} on, is not complete: the {} before it are taken",
            attempts.len()
        ));
    }
    Ok(attempts)
}

fn groups<'a>(text: &'a str, warnings: &mut Vec<String>) -> Result<Vec<Group<'a>>, ConvertError> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut head: Option<Head<'a>> = None;
    let mut in_head = false;
    // Headers repeat before every group, and are warned about once.
    let mut unknown = Unknown::default();
    let mut before = 0;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end())) {
        if line.trim_matches(['-', ' ']).is_empty() {
            continue;
        }
        if line.starts_with('#') {
            if line.contains(TITLE) {
                head = Some(Head::default());
            }
            in_head = line.contains(TITLE);
            continue;
        }
        let Some(head) = &mut head else {
            return Err(ConvertError::new(
                ErrorKind::WrongFormat,
                "the file does not begin with a main header",
            )
            .expected("############\"Main header\"############, as in ATDX files")
            .help("Check that the right converter is set for this folder."));
        };
        if line.starts_with("Group No.") {
            groups.push(Group::new(number, head.clone(), line));
            in_head = false;
            continue;
        }
        match groups.last_mut() {
            _ if in_head => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let (name, value) = (name.trim(), value.trim());
                match name.to_ascii_lowercase().as_str() {
                    "tester id" => head.station = value,
                    "model" => head.model = value,
                    "serial number" => head.serial = value,
                    "test date" => head.date = value,
                    _ => {
                        head.unknown.add(name, value);
                        unknown.add(name, value);
                    }
                }
            }
            Some(group) if line.starts_with("Order;") => group.titles = Some(line),
            Some(group) => group.steps.push((number, line)),
            None => before += 1,
        }
    }
    unknown.warn(warnings);
    if before > 0 {
        warnings.push(format!("{before} lines stand before the first group and are left out"));
    }
    if groups.is_empty() {
        return Err(ConvertError::new(ErrorKind::NotYet, "the file has no group of tests")
            .expected("a line Group No.: after the headers")
            .help("Perhaps it was still being written; drop the whole file again."));
    }
    Ok(groups)
}

impl<'a> Group<'a> {
    /// Reads `Group No.: 1 Side: A FAIL`.
    fn new(line: usize, head: Head<'a>, written: &'a str) -> Self {
        let words: Vec<&str> = written.split([' ', ':', '\t']).filter(|word| !word.is_empty()).collect();
        let after = |name: &str| {
            let place = words.iter().position(|word| *word == name)?;
            words.get(place + 1).copied()
        };
        let side = after("Side").unwrap_or_default();
        let number = after("No.").unwrap_or_default();
        let verdict = words.last().copied().filter(|word| ![side, number, "Side"].contains(word));
        Self {
            line,
            head,
            number,
            side,
            verdict: verdict.unwrap_or_default(),
            titles: None,
            steps: Vec::new(),
        }
    }

    /// False when the last line of the group has lost its end, or a group that was tested shows no step.
    fn is_whole(&self) -> bool {
        let count = |line: &str| line.split(';').count();
        match (self.titles, self.steps.last()) {
            (Some(titles), Some((_, last))) => count(last) >= count(titles),
            (Some(_), None) => !matches!(self.verdict, "" | "PASS" | "FAIL"),
            (None, _) => false,
        }
    }

    /// As the tester judged it.
    pub(super) fn status(&self, steps: &[Step]) -> Status {
        match self.verdict {
            "" => tree::rolled_up(steps),
            "PASS" => Status::Passed,
            _ => Status::Failed,
        }
    }
}
