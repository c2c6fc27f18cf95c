//! Every configuration that came into force, newest last: plain files that a person can read without the agent.
//!
//! `<storage>/config-history/000012.toml` is a comment line that says when and by whom, and below it the text. They
//! appear whole, survive a power cut, and the oldest go.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::control::api::{ConfigOrigin, ConfigVersion, ConfigVersionInfo};
use crate::{files, system};

/// So many are kept.
const KEPT: usize = 100;
/// What stands before the description in the first line.
const MARK: &str = "# wats-agent configuration: ";

/// The history of one instance.
#[derive(Debug, Clone)]
pub struct History {
    folder: PathBuf,
}

/// Why a configuration of the history cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("there is no configuration {number} in the history")]
    Unknown { number: u64 },
    #[error("configuration {number} of the history is not as it was written: {}", path.display())]
    Damaged { number: u64, path: PathBuf },
    #[error("could not read the history of configurations in {}", folder.display())]
    Read { folder: PathBuf, source: io::Error },
}

impl History {
    /// The history in the storage folder of an instance.
    pub fn new(storage: &Path) -> Self {
        Self { folder: storage.join("config-history") }
    }

    /// What is there, newest first; what cannot be read is left out.
    ///
    /// # Errors
    /// When the folder cannot be read; that there is none yet is no error.
    pub fn list(&self) -> Result<Vec<ConfigVersionInfo>, HistoryError> {
        let numbers = self.numbers()?;
        Ok(numbers.into_iter().rev().filter_map(|number| self.info(number)).collect())
    }

    /// The newest.
    pub fn newest(&self) -> Option<ConfigVersionInfo> {
        self.numbers().ok()?.into_iter().rev().find_map(|number| self.info(number))
    }

    /// One configuration with its text.
    ///
    /// # Errors
    /// When it is not there, or was changed.
    pub fn version(&self, number: u64) -> Result<ConfigVersion, HistoryError> {
        let path = self.path(number);
        let content = match fs::read_to_string(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(HistoryError::Unknown { number });
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(HistoryError::Damaged { number, path });
            }
            Err(source) => return Err(HistoryError::Read { folder: self.folder.clone(), source }),
        };
        let damaged = || HistoryError::Damaged { number, path: path.clone() };
        let (first, text) = content.split_once('\n').ok_or_else(damaged)?;
        let info = describe(first).ok_or_else(damaged)?;
        if info.number != number || info.sha256 != files::sha256(text.as_bytes()) {
            return Err(damaged());
        }
        Ok(ConfigVersion { info, text: text.to_owned() })
    }

    /// Keeps a text as the newest, and lets the oldest go. The same text twice in a row is kept once.
    ///
    /// # Errors
    /// When the disk refuses it.
    pub fn add(
        &self,
        text: &str,
        origin: ConfigOrigin,
        by: Option<String>,
        at: jiff::Timestamp,
    ) -> io::Result<ConfigVersionInfo> {
        let sha256 = files::sha256(text.as_bytes());
        if let Some(newest) = self.newest().filter(|it| it.sha256 == sha256) {
            return Ok(newest);
        }
        system::make_folder(&self.folder, 0o700)?;
        let numbers = self.numbers().map_err(io::Error::other)?;
        let number = numbers.last().map_or(1, |last| last + 1);
        let info = ConfigVersionInfo { number, at, origin, by, sha256 };
        let first = serde_json::to_string(&info).map_err(io::Error::other)?;
        files::create_file(&self.path(number), 0o600, format!("{MARK}{first}\n{text}").as_bytes())?;
        let surplus = (numbers.len() + 1).saturating_sub(KEPT);
        for old in numbers.into_iter().take(surplus) {
            fs::remove_file(self.path(old))?;
        }
        Ok(info)
    }

    /// Keeps a text that a person wrote and that never came into force.
    ///
    /// # Errors
    /// When the disk refuses it.
    pub fn set_aside(&self, text: &str) -> io::Result<PathBuf> {
        system::make_folder(&self.folder, 0o700)?;
        let path = self.folder.join("replaced.toml");
        files::replace_file(&path, 0o600, text.as_bytes())?;
        Ok(path)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:06}.toml"))
    }

    /// Oldest first.
    fn numbers(&self) -> Result<Vec<u64>, HistoryError> {
        let failed = |source| HistoryError::Read { folder: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut numbers = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|it| it.strip_suffix(".toml")).and_then(|it| it.parse().ok());
            numbers.extend(number);
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn info(&self, number: u64) -> Option<ConfigVersionInfo> {
        let mut first = String::new();
        BufReader::new(fs::File::open(self.path(number)).ok()?).read_line(&mut first).ok()?;
        describe(&first).filter(|info| info.number == number)
    }
}

fn describe(first_line: &str) -> Option<ConfigVersionInfo> {
    serde_json::from_str(first_line.trim_end().strip_prefix(MARK)?).ok()
}

/// What changes from one text to another, as a unified diff; empty when they are the same.
pub fn diff(from: (&str, &str), to: (&str, &str)) -> String {
    let diff = similar::TextDiff::from_lines(from.1, to.1);
    diff.unified_diff().context_radius(3).header(from.0, to.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn configurations_are_kept_in_order_without_repeating_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(folder.path());
        assert!(history.list().unwrap().is_empty() && history.newest().is_none());
        for number in 0..105 {
            let text = format!("version = 1\n# {number}\n");
            for _ in 0..2 {
                history.add(&text, ConfigOrigin::Api, Some("eva".to_owned()), Timestamp::UNIX_EPOCH).unwrap();
            }
        }
        let list = history.list().unwrap();
        assert_eq!((list.len(), list[0].number, list[99].number), (100, 105, 6));
        assert_eq!(list[0].by.as_deref(), Some("eva"));
        let version = history.version(105).unwrap();
        assert_eq!((version.text.as_str(), &version.info), ("version = 1\n# 104\n", &list[0]));
        assert!(matches!(history.version(5), Err(HistoryError::Unknown { number: 5 })));
    }

    #[test]
    fn a_changed_or_broken_file_of_the_history_is_never_taken_for_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::new(folder.path());
        history.add("version = 1\n", ConfigOrigin::File, None, Timestamp::UNIX_EPOCH).unwrap();
        let path = history.path(1);
        let whole = fs::read_to_string(&path).unwrap();
        for broken in
            [whole.replace("version = 1", "version = 2"), whole.chars().take(30).collect(), String::new()]
        {
            files::replace_file(&path, 0o600, broken.as_bytes()).unwrap();
            assert!(matches!(history.version(1), Err(HistoryError::Damaged { .. })), "{broken}");
        }
        assert!(history.list().unwrap().is_empty());
        files::replace_file(&path, 0o600, b"\xff\xfe\n").unwrap();
        assert!(matches!(history.version(1), Err(HistoryError::Damaged { .. })));
        // The next one does not take its number.
        assert_eq!(history.add("a = 1", ConfigOrigin::File, None, Timestamp::UNIX_EPOCH).unwrap().number, 2);
    }

    #[test]
    fn a_diff_shows_what_changes() {
        assert_eq!(diff(("a", "x = 1\n"), ("b", "x = 1\n")), "");
        let text = diff(("a", "x = 1\ny = 2\n"), ("b", "x = 1\ny = 3\n"));
        assert!(text.contains("-y = 2\n+y = 3\n"), "{text}");
    }
}
