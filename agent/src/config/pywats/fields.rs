//! The keys of one object, read leniently: the client accepts a number as a text and the other way round.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Outcome, Row};

/// More of a value is not shown.
const SHOWN: usize = 80;

/// One object of a configuration, and what became of its keys.
pub(super) struct Fields<'a> {
    file: &'a str,
    /// `converters[0].`
    prefix: String,
    content: &'a Map<String, Value>,
    seen: BTreeSet<&'a str>,
    rows: Vec<Row>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(file: &'a str, prefix: impl Into<String>, content: &'a Map<String, Value>) -> Self {
        Self { file, prefix: prefix.into(), content, seen: BTreeSet::new(), rows: Vec::new() }
    }

    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    /// The object below a key.
    pub(super) fn below(&self, key: &str, content: &'a Map<String, Value>) -> Self {
        Self::new(self.file, format!("{}{key}.", self.prefix), content)
    }

    /// Takes back what was said of a key, because it turned out otherwise; of all keys for an empty one.
    pub(super) fn retract(&mut self, key: &str) {
        let (prefix, key) = (&self.prefix, format!("{}{key}", self.prefix));
        self.rows.retain(|row| match row.outcome {
            Outcome::NotTaken => true,
            _ if key == *prefix => false,
            _ => row.key != key,
        });
    }

    pub(super) fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// A value that is there and not null; its key counts as dealt with.
    pub(super) fn value(&mut self, key: &str) -> Option<&'a Value> {
        let (key, value) = self.content.get_key_value(key)?;
        self.seen.insert(key);
        (!value.is_null()).then_some(value)
    }

    /// A text that is not empty; a number is one, too.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        let text = match self.value(key)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return self.misfit(key, "a text"),
        };
        (!text.is_empty()).then_some(text)
    }

    /// A text that nobody may see.
    pub(super) fn secret(&mut self, key: &str) -> Option<secrecy::SecretString> {
        match self.value(key)? {
            Value::String(text) if text.trim().is_empty() => None,
            Value::String(text) => Some(text.trim().into()),
            _ => {
                self.not_taken(key, "it is no text: enter it in the console");
                None
            }
        }
    }

    /// A number, or a text that is one.
    pub(super) fn number(&mut self, key: &str) -> Option<f64> {
        let number = match self.value(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|it: &f64| it.is_finite()).or_else(|| self.misfit(key, "a number"))
    }

    /// True or false, or what is meant by it.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_i64().map(|it| it != 0),
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" | "" => Some(false),
                _ => self.misfit(key, "true or false"),
            },
            _ => self.misfit(key, "true or false"),
        }
    }

    /// A list of texts, or one text with commas.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        let words: Vec<&str> = match self.value(key)? {
            Value::String(text) => text.split([',', ';']).collect(),
            Value::Array(items) if items.iter().all(Value::is_string) => {
                items.iter().filter_map(Value::as_str).collect()
            }
            _ => return self.misfit(key, "a list of texts"),
        };
        let words = words.into_iter().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        Some(words.collect())
    }

    fn misfit<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        self.not_taken(key, format!("it is not {expected}: the default holds"));
        None
    }

    pub(super) fn taken(&mut self, key: &str, to: impl Into<String>) {
        self.row(Outcome::Taken, key, to, "");
    }

    pub(super) fn translated(&mut self, key: &str, to: impl Into<String>, why: impl Into<String>) {
        self.row(Outcome::Translated, key, to, why);
    }

    pub(super) fn not_taken(&mut self, key: &str, why: impl Into<String>) {
        self.row(Outcome::NotTaken, key, "", why);
    }

    fn row(&mut self, outcome: Outcome, key: &str, to: impl Into<String>, why: impl Into<String>) {
        let from = self.content.get(key).map(|value| shown(key, value)).unwrap_or_default();
        let (file, key) = (self.file.to_owned(), format!("{}{key}", self.prefix));
        self.rows.push(Row { outcome, file, key, from, to: to.into(), why: why.into() });
    }

    /// Says of everything that nobody asked for that it is not known.
    pub(super) fn unknown(&mut self, why: &str) {
        let keys: Vec<&str> =
            self.content.keys().map(String::as_str).filter(|key| !self.seen.contains(key)).collect();
        for key in keys {
            self.not_taken(key, why);
        }
    }
}

/// A value as it is shown: short, on one line, and no secret.
fn shown(key: &str, value: &Value) -> String {
    let key = key.to_lowercase();
    let hidden = ["token", "pass", "secret", "auth_value"].iter().any(|word| key.contains(word));
    if hidden && !matches!(value, Value::Bool(_) | Value::Null) {
        return "(hidden)".to_owned();
    }
    let text = match value {
        // What is inside has rows of its own, or may hold anything.
        Value::Object(_) => "{…}".to_owned(),
        Value::Array(items) if !items.iter().all(Value::is_string) => "[…]".to_owned(),
        // A user and a password stand before it in an address.
        Value::String(text) if text.contains('@') => {
            format!("\"(hidden){}\"", text.rfind('@').and_then(|at| text.get(at..)).unwrap_or_default())
        }
        value => value.to_string(),
    };
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { '�' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
