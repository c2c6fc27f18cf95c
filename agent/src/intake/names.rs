//! Which names below a folder are meant for us.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;

use globset::{GlobSet, GlobSetBuilder};
use serde::{Deserialize, Serialize};

use super::settings::{SourceIntake, Unit, glob};
use crate::archive::ERROR_FOLDER;

/// What a source says about names; a helper process is told the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NameRules {
    /// Of file names; letter case does not matter.
    pub(super) patterns: Vec<String>,
    pub(super) unit: Unit,
    pub(super) recursive: bool,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) marker: Option<String>,
}

impl NameRules {
    pub(super) fn new(patterns: Vec<String>, unit: Unit, intake: &SourceIntake) -> Self {
        Self {
            patterns,
            unit,
            recursive: intake.recursive && unit == Unit::File,
            include: intake.include.clone(),
            exclude: intake.exclude.clone(),
            marker: intake.ready_marker.clone(),
        }
    }
}

/// The rules, ready for use.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) rules: NameRules,
    include: GlobSet,
    exclude: GlobSet,
}

/// What a name is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    /// It fits no pattern: somebody may have expected that it is taken.
    Stranger,
    /// Excluded, unfinished, hidden, or a marker: meant to be left alone.
    Nobodys,
}

impl Names {
    /// # Errors
    /// When a pattern is none, which the configuration's check finds first.
    pub(super) fn new(rules: NameRules) -> Result<Self, globset::Error> {
        let set = |patterns: &[String]| {
            let mut set = GlobSetBuilder::new();
            for pattern in patterns {
                set.add(glob(pattern)?);
            }
            set.build()
        };
        Ok(Self { include: set(&rules.include)?, exclude: set(&rules.exclude)?, rules })
    }

    /// Judges a file, by its path below the folder.
    pub(super) fn whose(&self, path: &Path) -> Whose {
        let name = text(path);
        if is_temporary(&name) || self.is_marker(&name) || self.exclude.is_match(path) {
            return Whose::Nobodys;
        }
        if !self.is_included(path) {
            return Whose::Nobodys;
        }
        if fits(&name, &self.rules.patterns) { Whose::Ours } else { Whose::Stranger }
    }

    /// True for a folder, by its path below the watched one, that is looked into or is a unit.
    pub(super) fn enters(&self, path: &Path) -> bool {
        let own = path == Path::new(ERROR_FOLDER);
        !own && !is_temporary(&text(path)) && !self.exclude.is_match(path)
    }

    /// True for a folder that is a unit.
    pub(super) fn is_unit(&self, path: &Path) -> bool {
        self.enters(path) && self.is_included(path)
    }

    /// True for a file of a unit that belongs to its content.
    pub(super) fn belongs(&self, name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        !is_temporary(&name) && !self.is_marker(&name)
    }

    fn is_included(&self, path: &Path) -> bool {
        self.rules.include.is_empty() || self.include.is_match(path)
    }

    fn is_marker(&self, name: &str) -> bool {
        match &self.rules.marker {
            Some(marker) => match marker.strip_prefix('*') {
                Some(end) => name.len() > end.len() && name.ends_with(end),
                None => name == marker,
            },
            None => false,
        }
    }
}

/// The last part of a path, for comparing with patterns.
pub(super) fn text(path: &Path) -> Cow<'_, str> {
    path.file_name().unwrap_or_default().to_string_lossy()
}

/// True for names that programs give to files they have not finished, and for hidden ones.
pub(super) fn is_temporary(name: &str) -> bool {
    let lower = name.to_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || [".tmp", ".part", ".partial", ".crdownload", ".filepart"].iter().any(|end| lower.ends_with(end))
}

/// True when one of the patterns fits; `*` is any text, `?` one character, letter case does not matter.
pub(crate) fn fits(name: &str, patterns: &[String]) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    patterns.iter().any(|pattern| {
        let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
        fits_one(&name, &pattern)
    })
}

/// Goes back only to the last `*`, so that no pattern takes long.
fn fits_one(name: &[char], pattern: &[char]) -> bool {
    let (mut at, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, at));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(at) == Some(c) => {
                at += 1;
                p += 1;
            }
            _ => match &mut star {
                Some((star, taken)) => {
                    *taken += 1;
                    (p, at) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_people_expect() {
        let fits = |name: &str, pattern: &str| fits(name, &[pattern.to_owned()]);
        for (name, pattern) in
            [("a.json", "*.json"), ("A.JSON", "*.json"), ("a", "*"), ("ab12.x", "a?1*.x"), ("aXbXc", "a*b*c")]
        {
            assert!(fits(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("a.json.bak", "*.json"), ("", "?"), ("ab", "a"), ("abd", "a*c")] {
            assert!(!fits(name, pattern), "{name} {pattern}");
        }
    }

    fn names(unit: Unit, intake: &SourceIntake) -> Names {
        Names::new(NameRules::new(vec!["*.txt".to_owned()], unit, intake)).unwrap()
    }

    fn list(patterns: &[&str]) -> Vec<String> {
        patterns.iter().map(|&it| it.to_owned()).collect()
    }

    #[test]
    fn paths_are_included_and_excluded_at_any_depth_unless_a_folder_is_named() {
        let intake = SourceIntake {
            include: list(&["line-?/**", "*.TXT"]),
            exclude: list(&["*-draft.txt", "old/", "line-2/tmp/**"]),
            ..SourceIntake::default()
        };
        let names = names(Unit::File, &intake);
        for (path, whose) in [
            ("a.txt", Whose::Ours),
            ("line-1/b.csv", Whose::Stranger),
            ("c.csv", Whose::Nobodys),
            ("deep/down/a.txt", Whose::Ours),
            ("deep/a-draft.txt", Whose::Nobodys),
            ("old/a.txt", Whose::Nobodys),
            ("line-2/tmp/x/a.txt", Whose::Nobodys),
            (".a.txt", Whose::Nobodys),
        ] {
            assert_eq!(names.whose(Path::new(path)), whose, "{path}");
        }
        assert!(!names.enters(Path::new("error")) && names.enters(Path::new("line-1/error")));
        assert!(!names.enters(Path::new(".git")));
    }

    #[test]
    fn markers_are_no_files() {
        let beside = names(
            Unit::File,
            &SourceIntake { ready_marker: Some("*.done".into()), ..SourceIntake::default() },
        );
        assert_eq!(beside.whose(Path::new("a.txt.done")), Whose::Nobodys);
        assert!(!beside.belongs(OsStr::new("a.done")) && beside.belongs(OsStr::new("a.txt")));
        let inside = SourceIntake { ready_marker: Some("COMPLETE".into()), ..SourceIntake::default() };
        assert!(!names(Unit::Folder, &inside).belongs(OsStr::new("COMPLETE")));
    }

    #[test]
    fn unfinished_and_hidden_names_are_not_ours() {
        for name in [".a.json", "a.json.tmp", "a.PART", "~$a.json", ".wats-draft-x"] {
            assert!(is_temporary(name), "{name}");
        }
        assert!(!is_temporary("a.json"));
    }
}
