//! Writing the file.

use std::fs;
use std::io;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use super::{Config, Settings};
use crate::{files, system};

/// Why settings were not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    #[error("the settings cannot be written as TOML")]
    Form(#[from] toml_edit::ser::Error),
    #[error("the configuration file {path} is read only")]
    ReadOnly { path: String },
    #[error("could not write the configuration file {path}")]
    Write { path: String, source: io::Error },
}

impl Settings {
    /// Replaces the file by what is in here; afterwards it is on disk, or unchanged.
    ///
    /// # Errors
    /// When the file cannot be written; that it is read only is an error of its own.
    pub fn save(&self) -> Result<(), SaveError> {
        self.write(&render(&self.config, "")?)
    }

    /// Replaces the file by a text.
    ///
    /// # Errors
    /// As [`Self::save`].
    pub fn write(&self, text: &str) -> Result<(), SaveError> {
        let path = || self.path.display().to_string();
        if !self.is_writable() {
            return Err(SaveError::ReadOnly { path: path() });
        }
        self.replace(text).map_err(|source| SaveError::Write { path: path(), source })
    }

    fn replace(&self, text: &str) -> io::Result<()> {
        // Through a link, to where the file lies.
        let place = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let before = fs::metadata(&place).ok();
        let mode = before.as_ref().map_or(0o640, system::mode);
        files::replace_file(&place, mode, text.as_bytes())?;
        match before {
            // Written by root at the command line, it must stay the agent's.
            Some(it) => system::keep_owner(&place, &it),
            None => Ok(()),
        }
    }

    /// False when the file cannot be replaced, for example on a mount that is read only.
    pub fn is_writable(&self) -> bool {
        let place = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let file_fits = !place.exists() || system::may_write(&place);
        file_fits && system::may_write(files::folder_of(&place))
    }
}

/// The configuration as TOML: the text of before, with only those keys changed that have another value now, so that
/// comments and order stay as a person wrote them.
///
/// # Errors
/// When it cannot be written as TOML, which no configuration of ours causes.
pub fn render(config: &Config, before: &str) -> Result<String, toml_edit::ser::Error> {
    let pretty = toml_edit::ser::to_string_pretty(config)?;
    // A file with nothing in it gets all keys, as a reference for whoever opens it.
    if before.trim().is_empty() {
        return Ok(pretty);
    }
    let usual = toml_edit::ser::to_string_pretty(&Config::default())?;
    let (Ok(mut document), Ok(wanted), Ok(usual)) =
        (before.parse::<DocumentMut>(), pretty.parse::<DocumentMut>(), usual.parse::<DocumentMut>())
    else {
        return Ok(pretty);
    };
    merge(document.as_table_mut(), wanted.as_table(), Some(usual.as_table()));
    let text = document.to_string();
    // Whatever shape the text of before had: what is written is what was asked for.
    let is_right = toml::from_str::<Config>(&text).is_ok_and(|it| it == *config);
    Ok(if is_right { text } else { pretty })
}

/// Makes `table` say what `wanted` says. A key that is absent and has its usual value stays absent.
fn merge(table: &mut Table, wanted: &Table, usual: Option<&Table>) {
    let gone: Vec<String> =
        table.iter().map(|(key, _)| key.to_owned()).filter(|key| !wanted.contains_key(key)).collect();
    for key in gone {
        table.remove(&key);
    }
    for (key, new) in wanted {
        let usual = usual.and_then(|it| it.get(key));
        match (table.get_mut(key), new) {
            (None, new) if usual.is_some_and(|usual| same(usual, new)) => {}
            (None, Item::Table(new)) => {
                let mut inner = Table::new();
                merge(&mut inner, new, usual.and_then(Item::as_table));
                table.insert(key, Item::Table(inner));
            }
            (None, new) => {
                table.insert(key, unplaced(new.clone()));
            }
            (Some(old), new) if same(old, new) => {}
            (Some(Item::Table(old)), Item::Table(new)) => {
                merge(old, new, usual.and_then(Item::as_table));
            }
            (Some(Item::ArrayOfTables(old)), Item::ArrayOfTables(new)) => *old = merged_list(old, new),
            (Some(Item::Value(old)), Item::Value(new)) => {
                let decor = old.decor().clone();
                *old = new.clone();
                *old.decor_mut() = decor;
            }
            (Some(old), new) => *old = unplaced(new.clone()),
        }
    }
}

/// The tables of a list are recognised by their names.
fn merged_list(old: &ArrayOfTables, new: &ArrayOfTables) -> ArrayOfTables {
    let name = |table: &Table| table.get("name").and_then(Item::as_str).map(str::to_owned);
    let mut list = ArrayOfTables::new();
    for wanted in new {
        match old.iter().find(|it| name(it).is_some() && name(it) == name(wanted)) {
            Some(known) => {
                let mut table = known.clone();
                merge(&mut table, wanted, None);
                list.push(table);
            }
            None => {
                let mut table = wanted.clone();
                unplace(&mut table);
                list.push(table);
            }
        }
    }
    list
}

/// A table knows where in its own text it stood, which means nothing in another.
fn unplaced(mut item: Item) -> Item {
    match &mut item {
        Item::Table(table) => unplace(table),
        Item::ArrayOfTables(list) => list.iter_mut().for_each(unplace),
        _ => {}
    }
    item
}

fn unplace(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        *item = unplaced(std::mem::take(item));
    }
}

/// True when two items mean the same, whatever they look like.
fn same(one: &Item, other: &Item) -> bool {
    let plain = |item: &Item| toml::from_str::<toml::Table>(&format!("it = {}", inline(item))).ok();
    plain(one).is_some_and(|it| Some(it) == plain(other))
}

fn inline(item: &Item) -> String {
    item.clone().into_value().map(|it| it.to_string()).unwrap_or_default()
}
