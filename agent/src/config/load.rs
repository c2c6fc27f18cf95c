//! Reading the file, and saying precisely what is wrong in it.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::history::History;
use super::keys::Keys;
use super::{Config, Settings, validate};
use crate::plugins::Catalogue;

/// A larger file is no configuration.
const MAX_BYTES: u64 = 4 << 20;

/// Why the agent has no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("could not read the configuration {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the configuration file {} needs a name like default.toml: letters, digits, '-' and '_'", path.display())]
    Name { path: PathBuf },
    #[error(
        "{0} is JSON, as a pyWATS client has it: 'wats-agent import-pywats {0}' makes a configuration of it",
        path.display()
    )]
    Foreign { path: PathBuf },
    #[error("{}", lines(path, mistakes))]
    Wrong { path: PathBuf, mistakes: Vec<Mistake> },
    #[error("the environment variable {variable} is not right: {message}")]
    Environment { variable: &'static str, message: String },
}

/// A configuration file that was found right, with its text.
#[derive(Debug, Clone)]
pub struct Document {
    pub text: String,
    pub settings: Settings,
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
        Document::load(path).map(|it| it.settings)
    }

    /// Checks the text of a configuration file.
    ///
    /// # Errors
    /// With every mistake in it.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let instance = instance_name(path).ok_or_else(|| ConfigError::Name { path: path.to_owned() })?;
        if path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json")) {
            return Err(ConfigError::Foreign { path: path.to_owned() });
        }
        let mut keys = Keys::of(text);
        let (config, mut mistakes) = keys.read();
        let mut settings = Self { instance, path: path.to_owned(), config, plugins: Arc::default() };
        settings.find_plugins();
        if !keys.is_broken() {
            let problems = validate::problems(&settings);
            mistakes.extend(problems.into_iter().map(|problem| keys.place(problem)));
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        if mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(ConfigError::Wrong { path: path.to_owned(), mistakes })
        }
    }

    /// Looks at the enabled plug-ins as they lie in their folder now.
    pub(crate) fn find_plugins(&mut self) {
        self.plugins = Arc::new(Catalogue::of(self));
    }

    /// Where the agent of a configuration file is to be found, whatever else is wrong in it: a person must be able to
    /// ask a running agent although its file was broken meanwhile.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn whereabouts(path: &Path) -> Result<Self, ConfigError> {
        let instance = instance_name(path).ok_or_else(|| ConfigError::Name { path: path.to_owned() })?;
        let config = match read_text(path) {
            Ok(text) => Keys::of(&text).read().0,
            // The file may be gone or be no text, and the agent run all the same.
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData) =>
            {
                Config::default()
            }
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        };
        let mut settings = Self { instance, path: path.to_owned(), config, plugins: Arc::default() };
        settings.find_plugins();
        Ok(settings)
    }
}

impl Document {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let settings = Settings::parse(path, &text)?;
        Ok(Self { text, settings })
    }

    /// Reads the file; when it is wrong, the newest configuration of the history that is right stands in, so that a
    /// restart with a broken file stops no line.
    ///
    /// # Errors
    /// Those of the file, when nothing can stand in for it.
    pub fn load_or_last(path: &Path) -> Result<Self, ConfigError> {
        let wrong = match Self::load(path) {
            Err(error @ ConfigError::Wrong { .. }) => error,
            read => return read,
        };
        let history = History::new(&Settings::whereabouts(path)?.storage_folder());
        let earlier = history.list().unwrap_or_default();
        let right = earlier.iter().find_map(|info| {
            let text = history.version(info.number).ok()?.text;
            let settings = Settings::parse(path, &text).ok()?;
            Some((info.number, Self { text, settings }))
        });
        let (number, document) = right.ok_or(wrong)?;
        tracing::error!(
            "the configuration file is wrong: number {number} of the history is in force instead"
        );
        Ok(document)
    }
}

/// The text of a configuration file.
pub(crate) fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    if file.take(MAX_BYTES + 1).read_to_string(&mut text)? as u64 > MAX_BYTES {
        let words = format!("it is larger than {} MiB, which no configuration is", MAX_BYTES >> 20);
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, words));
    }
    Ok(text)
}

/// The instance is the file's name without its ending.
fn instance_name(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let fine = stem.starts_with(|c: char| c.is_ascii_alphanumeric())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    fine.then(|| stem.to_owned())
}
