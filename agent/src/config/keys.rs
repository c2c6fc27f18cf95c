//! Where each key of a configuration stands, and what can be read of it although some of it is wrong.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::load::Mistake;
use super::{Config, words};
use crate::control::api::Problem;

/// More is not said at once.
const MOST_MISTAKES: usize = 50;

/// A configuration's text, taken apart.
pub(super) struct Keys<'a> {
    text: &'a str,
    document: Spanned<DeTable<'a>>,
    entries: Vec<Entry>,
    syntax: Vec<Mistake>,
    /// Of the sources that could be read: which ones of the text they are.
    sources: Vec<usize>,
}

/// One key, or one item of a list.
struct Entry {
    steps: Vec<Step>,
    /// `sources[0].folder`.
    path: String,
    key: Range<usize>,
    value: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Item(usize),
}

impl<'a> Keys<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        let entries = entries(&document);
        let mistake = |error: &toml::de::Error| {
            let line = error.span().map(|span| line_of(text, span.start));
            Mistake { line, key: String::new(), message: error.message().to_owned() }
        };
        let mut syntax: Vec<Mistake> = errors.iter().take(MOST_MISTAKES).map(mistake).collect();
        // What follows from a mistake on the same line.
        syntax.dedup_by_key(|mistake| mistake.line);
        let sources = match document.get_ref().get("sources").map(Spanned::get_ref) {
            Some(DeValue::Array(items)) => (0..items.len()).collect(),
            _ => Vec::new(),
        };
        Self { text, document, entries, syntax, sources }
    }

    /// True when it is no TOML: what was read is then a guess.
    pub(super) fn is_broken(&self) -> bool {
        !self.syntax.is_empty()
    }

    /// Reads into the schema. What does not fit is left out and said, so that all of it is known at once.
    pub(super) fn read(&mut self) -> (Config, Vec<Mistake>) {
        let mut mistakes = self.syntax.clone();
        let mut rest = self.document.clone();
        loop {
            let error = match Config::deserialize(Deserializer::from(rest.clone())) {
                Ok(config) => return (config, mistakes),
                Err(error) => error,
            };
            if !self.is_broken() {
                mistakes.push(self.mistake(&error));
            }
            let left_out = error.span().is_some_and(|span| self.leave_out(&mut rest, &span));
            if !left_out || mistakes.len() >= MOST_MISTAKES {
                return (Config::default(), mistakes);
            }
        }
    }

    /// Takes the narrowest entry at a place out of the document.
    fn leave_out(&mut self, document: &mut Spanned<DeTable<'a>>, span: &Range<usize>) -> bool {
        let entries = entries(document);
        let Some(entry) = narrowest(&entries, span) else { return false };
        if let [Step::Key(name), Step::Item(index)] = entry.steps.as_slice()
            && name == "sources"
            && *index < self.sources.len()
        {
            self.sources.remove(*index);
        }
        remove(document.get_mut(), &entry.steps)
    }

    /// A mistake that reading into the schema found: it has a place, the key is looked up.
    fn mistake(&self, error: &toml::de::Error) -> Mistake {
        let message = words::of_schema(error.message());
        let Some(span) = error.span() else {
            return Mistake { line: None, key: String::new(), message };
        };
        let key = narrowest(&self.entries, &span).map_or(String::new(), |it| it.path.clone());
        Mistake { line: Some(line_of(self.text, span.start)), key, message }
    }

    /// A problem that checking found: it has a key, the line is looked up, or that of its parent.
    pub(super) fn place(&self, problem: Problem) -> Mistake {
        let key = self.as_written(problem.field.unwrap_or_default());
        let mut parent = key.as_str();
        let mut line = None;
        while line.is_none() && !parent.is_empty() {
            line = self.entries.iter().find(|it| it.path == parent).map(|it| it.key.start);
            parent = parent.rfind(['.', '[']).and_then(|end| parent.get(..end)).unwrap_or("");
        }
        Mistake { line: line.map(|at| line_of(self.text, at)), key, message: problem.message }
    }

    /// The key with the number that its source has in the text, where earlier ones could not be read.
    fn as_written(&self, key: String) -> String {
        let parts = key.strip_prefix("sources[").and_then(|rest| rest.split_once(']'));
        let number = parts.and_then(|(number, _)| number.parse::<usize>().ok());
        match (parts, number.and_then(|it| self.sources.get(it))) {
            (Some((_, rest)), Some(written)) => format!("sources[{written}]{rest}"),
            _ => key,
        }
    }
}

fn entries(document: &Spanned<DeTable<'_>>) -> Vec<Entry> {
    let mut found = Vec::new();
    table(&mut found, &[], document.get_ref());
    found
}

fn table(found: &mut Vec<Entry>, above: &[Step], table: &DeTable<'_>) {
    for (key, value) in table {
        let steps = [above, &[Step::Key(key.get_ref().to_string())]].concat();
        self::value(found, &steps, key.span(), value);
    }
}

fn value(found: &mut Vec<Entry>, steps: &[Step], key: Range<usize>, value: &Spanned<DeValue<'_>>) {
    found.push(Entry { path: path(steps), steps: steps.to_vec(), key, value: value.span() });
    match value.get_ref() {
        DeValue::Table(inner) => table(found, steps, inner),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let steps = [steps, &[Step::Item(index)]].concat();
                self::value(found, &steps, item.span(), item);
            }
        }
        _ => {}
    }
}

fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Key(name) if path.is_empty() => path.push_str(name),
            Step::Key(name) => path.push_str(&format!(".{name}")),
            Step::Item(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// Of the entries that hold a place, the innermost.
fn narrowest<'e>(entries: &'e [Entry], span: &Range<usize>) -> Option<&'e Entry> {
    let holds = |range: &Range<usize>| range.start <= span.start && span.end <= range.end;
    entries.iter().filter(|it| holds(&it.key) || holds(&it.value)).min_by_key(|it| {
        let width = if holds(&it.key) { it.key.len() } else { it.value.len() };
        (width, usize::MAX - it.path.len())
    })
}

fn remove(table: &mut DeTable<'_>, steps: &[Step]) -> bool {
    let Some((Step::Key(name), below)) = steps.split_first() else { return false };
    if below.is_empty() {
        return table.remove(name.as_str()).is_some();
    }
    table.get_mut(name.as_str()).is_some_and(|value| remove_below(value.get_mut(), below))
}

fn remove_below(value: &mut DeValue<'_>, steps: &[Step]) -> bool {
    match (value, steps.split_first()) {
        (DeValue::Table(table), Some((Step::Key(_), _))) => remove(table, steps),
        (DeValue::Array(items), Some((Step::Item(index), []))) if *index < items.len() => {
            let others = items.iter().enumerate().filter(|(at, _)| at != index);
            *items = others.map(|(_, item)| item.clone()).collect();
            true
        }
        (DeValue::Array(items), Some((Step::Item(index), below))) => {
            items.get_mut(*index).is_some_and(|item| remove_below(item.get_mut(), below))
        }
        _ => false,
    }
}

pub(super) fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
