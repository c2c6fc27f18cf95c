//! Reads the configuration of a pyWATS client, in every form in which it is found, and translates it to ours.
//!
//! Nothing is dropped in silence: every key that says anything ends up in a [`Row`] of what was taken as it is, what was
//! translated, or what could not be taken, with what to do about it.

mod converters;
mod fields;
mod hosts;
mod proxy;
mod read;
mod rest;
mod server;
mod standard;
mod station;
mod times;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Serialize;

use super::{Config, Settings};
use crate::control::api::UserPassword;
use fields::Fields;
pub use read::{FileRead, read};

/// What was made of a pyWATS client's files.
#[derive(Debug)]
pub struct Import {
    /// The configuration that it was put into.
    pub config: Config,
    /// For the sealed store, never for a file.
    pub token: Option<wats::client::Token>,
    /// For the sealed store as well.
    pub proxy_credential: Option<UserPassword>,
    pub files: Vec<FileRead>,
    pub rows: Vec<Row>,
    /// Of the sources that were made.
    names: Vec<String>,
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub outcome: Outcome,
    pub file: String,
    /// `converters[0].watch_folder`; empty for the file as a whole.
    pub key: String,
    /// What stands there; never a secret.
    pub from: String,
    /// The key of ours and its value; empty where nothing was taken.
    pub to: String,
    /// Why it is another, or why it could not be taken, and what to do.
    pub why: String,
}

/// How a key of a pyWATS client fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Taken,
    Translated,
    NotTaken,
}

impl Import {
    /// Reads files, and puts what they say into a configuration. What an earlier file says counts.
    pub fn of(files: &[PathBuf], base: &Settings) -> Self {
        let mut import = Self {
            config: base.config.clone(),
            token: None,
            proxy_credential: None,
            files: Vec::new(),
            rows: Vec::new(),
            names: Vec::new(),
        };
        let mut settled = Settled::default();
        for path in files {
            let (file, content) = read(path);
            let name = file.read_from.clone();
            if let Some(words) = &file.trouble {
                let outcome = if content.is_some() { Outcome::Translated } else { Outcome::NotTaken };
                import.rows.push(Row::of_file(outcome, &name, words));
            }
            import.files.push(file);
            if let Some(content) = content {
                let mut fields = Fields::new(&name, "", &content);
                import.take(base, &mut settled, &mut fields);
                import.rows.extend(fields.into_rows());
            }
        }
        import
    }

    fn take(&mut self, base: &Settings, settled: &mut Settled, fields: &mut Fields<'_>) {
        server::take(self, settled, fields);
        proxy::take(self, settled, fields);
        station::take(self, settled, fields);
        rest::delivery(self, settled, fields);
        rest::instance(base, fields);
        rest::without_counterpart(fields);
        converters::take(self, base, fields);
        fields.unknown("the agent does not know this key: it has no effect");
    }

    /// True when something was taken over.
    pub fn took_anything(&self) -> bool {
        self.token.is_some()
            || self.rows.iter().any(|row| row.outcome != Outcome::NotTaken && !row.key.is_empty())
    }
}

impl Row {
    fn of_file(outcome: Outcome, file: &str, why: &str) -> Self {
        let (file, why) = (file.to_owned(), why.to_owned());
        Self { outcome, file, key: String::new(), from: String::new(), to: String::new(), why }
    }
}

/// What an earlier file has decided.
#[derive(Debug, Default)]
struct Settled(BTreeSet<&'static str>);

impl Settled {
    /// True for the first who says it; what comes later is named as left aside.
    fn first(&mut self, what: &'static str, fields: &mut Fields<'_>, key: &str) -> bool {
        let first = self.0.insert(what);
        if !first {
            fields.not_taken(key, format!("{what} is known already, from what stands before"));
        }
        first
    }
}
