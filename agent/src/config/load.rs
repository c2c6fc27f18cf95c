//! Reading the file, and saying precisely what is wrong in it.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Config, Settings, validate};
use crate::control::api::Problem;

/// Why the agent has no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read the configuration {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {} needs a name like default.toml: letters, digits, '-' and '_'", path.display())]
    Name { path: PathBuf },
    #[error("{}", lines(path, mistakes))]
    Wrong { path: PathBuf, mistakes: Vec<Mistake> },
}

/// One thing that is wrong in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Counts from 1; `None` for what the file lacks altogether.
    pub line: Option<usize>,
    /// `sources[0].folder`; empty where no key can be named.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}", self.message)
    }
}

fn lines(path: &Path, mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(|mistake| format!("{}: {mistake}", path.display())).collect();
    lines.join("\n")
}

impl Settings {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// When it cannot be read, and with every mistake in it: file, line and key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Checks the text of a configuration file.
    ///
    /// # Errors
    /// With every mistake in it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let instance = instance_name(path).ok_or_else(|| ConfigError::Name { path: path.to_owned() })?;
        let wrong = |mistakes| ConfigError::Wrong { path: path.to_owned(), mistakes };

        let document = DeTable::parse(text).map_err(|error| wrong(vec![syntax_mistake(text, &error)]))?;
        let keys = Keys::of(text, &document);
        let config: Config = toml::from_str(text).map_err(|error| wrong(vec![keys.mistake(&error)]))?;

        let settings = Self { instance, path: path.to_owned(), config };
        let problems = validate::problems(&settings);
        if !problems.is_empty() {
            return Err(wrong(problems.into_iter().map(|problem| keys.place(problem)).collect()));
        }
        Ok(settings)
    }
}

/// The instance is the file's name without its ending.
fn instance_name(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let fine = stem.starts_with(|c: char| c.is_ascii_alphanumeric())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    fine.then(|| stem.to_owned())
}

fn syntax_mistake(text: &str, error: &toml::de::Error) -> Mistake {
    let line = error.span().map(|span| line_of(text, span.start));
    Mistake { line, key: String::new(), message: error.message().to_owned() }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

/// Where each key of the document stands.
struct Keys<'a> {
    text: &'a str,
    /// Path, place of the key, place of the value.
    entries: Vec<(String, Range<usize>, Range<usize>)>,
}

impl<'a> Keys<'a> {
    fn of(text: &'a str, document: &Spanned<DeTable<'_>>) -> Self {
        let mut keys = Self { text, entries: Vec::new() };
        keys.table("", document.get_ref());
        keys
    }

    fn table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref();
            let path = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
            self.value(&path, key.span(), value);
        }
    }

    fn value(&mut self, path: &str, key: Range<usize>, value: &Spanned<DeValue<'_>>) {
        self.entries.push((path.to_owned(), key, value.span()));
        match value.get_ref() {
            DeValue::Table(table) => self.table(path, table),
            DeValue::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{path}[{index}]"), item.span(), item);
                }
            }
            _ => {}
        }
    }

    /// A mistake that reading into the schema found: it has a place, the key is looked up.
    fn mistake(&self, error: &toml::de::Error) -> Mistake {
        let Some(span) = error.span() else {
            return Mistake { line: None, key: String::new(), message: error.message().to_owned() };
        };
        let holds = |range: &Range<usize>| range.start <= span.start && span.end <= range.end;
        let key = self
            .entries
            .iter()
            .filter(|(_, key, value)| holds(key) || holds(value))
            .min_by_key(|(path, key, value)| {
                let narrowest = if holds(key) { key.len() } else { value.len() };
                (narrowest, usize::MAX - path.len())
            })
            .map_or(String::new(), |(path, ..)| path.clone());
        Mistake { line: Some(line_of(self.text, span.start)), key, message: error.message().to_owned() }
    }

    /// A problem that checking found: it has a key, the line is looked up, or that of its parent.
    fn place(&self, problem: Problem) -> Mistake {
        let key = problem.field.unwrap_or_default();
        let mut parent = key.as_str();
        let mut line = None;
        while line.is_none() && !parent.is_empty() {
            line = self.entries.iter().find(|(path, ..)| path == parent).map(|(_, at, _)| at.start);
            parent = parent.rfind(['.', '[']).and_then(|end| parent.get(..end)).unwrap_or("");
        }
        Mistake { line: line.map(|at| line_of(self.text, at)), key, message: problem.message }
    }
}
