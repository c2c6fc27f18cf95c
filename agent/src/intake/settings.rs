//! How a source finds its files, and when it takes one: the part of its settings that a person writes.

use globset::{Glob, GlobBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The table `intake` of a source. What is left out is as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceIntake {
    /// Also the folders below; only for single files, see [`Unit`].
    #[serde(skip_serializing_if = "is_default")]
    pub recursive: bool,
    /// Only files whose path below the folder fits one of these: `line-?/**`, `*.xml`. Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// No files, and no folders, whose path below the folder fits one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// How long size and time must stay unchanged: 1 to 86400. `None`: `intake.settle_seconds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_seconds: Option<u32>,
    /// A writer that closes the file is not done yet: only the quiet time counts. For testers that open
    /// and close a file several times.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_close: bool,
    /// A file beside it says that a file is complete: `*.done` is `a.txt.done` or `a.done`. In a unit that is
    /// a folder, the name of a file in it: `COMPLETE.marker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_marker: Option<String>,
    /// A larger file, or unit, is refused and kept. `None`: `intake.max_file_bytes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// What belongs together. `None`: what the converter says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// How new files are noticed.
    #[serde(skip_serializing_if = "is_default")]
    pub watch: Watch,
    /// How often a folder is looked through where events do not reach us: 1 to 3600. `None`: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_seconds: Option<u32>,
    /// Look only then, instead of all the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
}

/// What belongs together and is converted, claimed and put away as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Each file by itself.
    File,
    /// A file, and all in the folder beside it that has its name without the ending.
    FileAndFolder,
    /// A folder in the watched folder: the first file in it that fits the patterns, and all others.
    Folder,
}

impl From<wats_converters::Unit> for Unit {
    fn from(unit: wats_converters::Unit) -> Self {
        match unit {
            wats_converters::Unit::File => Self::File,
            wats_converters::Unit::FileAndFolder => Self::FileAndFolder,
            wats_converters::Unit::Folder => Self::Folder,
        }
    }
}

/// How new files are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Watch {
    /// By what turns out to work.
    #[default]
    Auto,
    /// By the system's events, with a look through the folder now and then.
    Events,
    /// By looking through the folder, in a process of its own, as on a network mount.
    Poll,
}

/// When a scheduled source is looked through: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Every so many minutes, from the start on: 1 to 1440.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// Each day at these times of the station's time zone: `06:30`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A pattern of paths below a folder. Letter case does not matter; one without `/` fits at any depth.
pub(super) fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    let text = match pattern.trim_end_matches('/') {
        // A folder: all in it.
        folder if folder.len() < pattern.len() && folder.contains('/') => format!("{folder}/**"),
        folder if folder.len() < pattern.len() => format!("**/{folder}/**"),
        name if !name.contains('/') => format!("**/{name}"),
        path => path.to_owned(),
    };
    GlobBuilder::new(&text).literal_separator(true).case_insensitive(true).build()
}

impl SourceIntake {
    /// What is wrong, with the keys of this table. `unit` is the one in force.
    pub fn problems(&self, unit: Unit) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut wrong = |key: &str, words: String| found.push((key.to_owned(), words));
        for (key, patterns) in [("include", &self.include), ("exclude", &self.exclude)] {
            for (index, pattern) in patterns.iter().enumerate() {
                let words = match glob(pattern) {
                    _ if pattern.is_empty() || pattern.starts_with('/') => {
                        format!("{pattern:?} is no path below the folder, like line-?/**/*.xml")
                    }
                    Err(error) => format!("{pattern:?} is no pattern: {}", error.kind()),
                    Ok(_) => continue,
                };
                wrong(&format!("{key}[{index}]"), words);
            }
        }
        let ranges = [
            ("quiet_seconds", self.quiet_seconds.map(u64::from), 1, 86_400),
            ("poll_seconds", self.poll_seconds.map(u64::from), 1, 3600),
            ("max_file_bytes", self.max_file_bytes, 1024, 1 << 30),
        ];
        for (key, value, least, most) in ranges {
            if let Some(value) = value.filter(|value| !(least..=most).contains(value)) {
                wrong(key, format!("{value} is out of range: {least} to {most}"));
            }
        }
        if self.recursive && unit != Unit::File {
            wrong("recursive", "cannot be combined with units of several files".to_owned());
        }
        if let Some(marker) = &self.ready_marker {
            let fits = !marker.contains('/')
                && !marker.starts_with('.')
                && match unit {
                    Unit::Folder => !marker.is_empty() && !marker.contains('*'),
                    Unit::File | Unit::FileAndFolder => {
                        marker.strip_prefix('*').is_some_and(|end| end.len() > 1 && !end.contains('*'))
                    }
                };
            if !fits {
                let example = if unit == Unit::Folder { "COMPLETE.marker" } else { "*.done" };
                wrong("ready_marker", format!("{marker:?} is no marker, like {example}"));
            }
        }
        if let Some(schedule) = &self.schedule {
            found.extend(schedule.problems());
        }
        found
    }
}

impl Schedule {
    fn problems(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        if self.every_minutes.is_some() != self.at.is_empty() {
            let words = "say either every_minutes = 15 or at = [\"06:30\"]".to_owned();
            found.push(("schedule".to_owned(), words));
        }
        if let Some(minutes) = self.every_minutes.filter(|it| !(1..=1440).contains(it)) {
            let words = format!("{minutes} is out of range: 1 to 1440");
            found.push(("schedule.every_minutes".to_owned(), words));
        }
        for (index, time) in self.at.iter().enumerate() {
            if super::schedule::time_of_day(time).is_none() {
                let words = format!("{time:?} is no time of day, like 06:30");
                found.push((format!("schedule.at[{index}]"), words));
            }
        }
        found
    }
}
