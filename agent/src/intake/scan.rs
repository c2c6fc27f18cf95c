//! Looking through a folder: the oldest files first, and never more than fit.

use std::collections::BinaryHeap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::names;

/// At most so many files wait at once; the next scan finds the rest.
pub(super) const MOST: usize = 10_000;

/// What a look through a folder found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Oldest first.
    pub(super) files: Vec<PathBuf>,
    /// There are more than these.
    pub(super) more: bool,
    /// How many files fit no pattern, and the name of one.
    pub(super) strangers: (usize, Option<String>),
}

/// Lists the files that are meant for us and that `known` does not hold.
pub(super) fn scan(
    folder: &Path,
    patterns: &[String],
    known: impl Fn(&Path, &fs::Metadata) -> bool,
) -> io::Result<Found> {
    let mut oldest = BinaryHeap::new();
    let mut found = Found::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // It may have gone since it was listed.
        let Ok(metadata) = entry.metadata() else { continue };
        if !metadata.is_file() || names::is_temporary(&name) {
            continue;
        }
        if !names::fits(&name, patterns) {
            found.strangers.0 += 1;
            found.strangers.1.get_or_insert(name);
            continue;
        }
        let path = entry.path();
        if known(&path, &metadata) {
            continue;
        }
        oldest.push((metadata.modified().ok(), path));
        if oldest.len() > MOST {
            oldest.pop();
            found.more = true;
        }
    }
    found.files = oldest.into_sorted_vec().into_iter().map(|(_, path)| path).collect();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::replace_file;

    #[test]
    fn files_are_found_oldest_first_and_links_folders_and_temporary_names_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b.json", "a.json", "c.json.tmp", ".d.json", "e.png", "known.json"] {
            replace_file(&path(name), 0o644, b"x").unwrap();
        }
        fs::create_dir(path("error.json")).unwrap();
        std::os::unix::fs::symlink(path("a.json"), path("link.json")).unwrap();
        let old = fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH);
        fs::File::options().write(true).open(path("b.json")).unwrap().set_times(old).unwrap();

        let found = scan(folder.path(), &["*.json".to_owned()], |path, _| path.ends_with("known.json"));
        let found = found.unwrap();
        assert_eq!(found.files, [path("b.json"), path("a.json")]);
        assert_eq!(found.strangers, (1, Some("e.png".to_owned())));
        assert!(!found.more);
    }
}
