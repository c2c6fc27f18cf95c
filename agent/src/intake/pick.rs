//! Choosing from a folder's files: the oldest first, and never more than fit.

use std::collections::{BinaryHeap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::files::Stamp;

/// At most so many files wait at once; the next look finds the rest.
pub(super) const MOST: usize = 40_000;

/// Files that stay in their folder and were dealt with.
pub(super) type Kept = HashSet<(PathBuf, Stamp)>;

/// Takes files one after the other and keeps the oldest.
#[derive(Debug, Default)]
pub(super) struct Picker {
    kept: Arc<Kept>,
    still_kept: Kept,
    oldest: BinaryHeap<(i64, PathBuf, i64)>,
    more: bool,
}

/// What was chosen.
#[derive(Debug, Default)]
pub(super) struct Picked {
    /// Oldest first, each with the time in nanoseconds when it last changed or came.
    pub(super) files: Vec<(PathBuf, i64)>,
    /// There are more than these.
    pub(super) more: bool,
    /// What is still there of what was kept.
    pub(super) kept: Kept,
}

impl Picker {
    pub(super) fn new(kept: Arc<Kept>) -> Self {
        Self { kept, ..Self::default() }
    }

    pub(super) fn take(&mut self, path: PathBuf, stamp: Stamp, changed_ns: i64) {
        if !self.kept.is_empty() {
            let file = (path, stamp);
            if self.kept.contains(&file) {
                self.still_kept.insert(file);
                return;
            }
            return self.choose(file.0, stamp, changed_ns);
        }
        self.choose(path, stamp, changed_ns);
    }

    fn choose(&mut self, path: PathBuf, stamp: Stamp, changed_ns: i64) {
        self.oldest.push((stamp.modified_ns, path, changed_ns));
        if self.oldest.len() > MOST {
            self.oldest.pop();
            self.more = true;
        }
    }

    pub(super) fn picked(self) -> Picked {
        let files = self.oldest.into_sorted_vec();
        let files = files.into_iter().map(|(_, path, changed_ns)| (path, changed_ns)).collect();
        Picked { files, more: self.more, kept: self.still_kept }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(modified_ns: i64) -> Stamp {
        Stamp { device: 1, inode: 1, size: 1, modified_ns }
    }

    #[test]
    fn the_oldest_are_chosen_and_what_was_kept_is_not() {
        let path = |number: i64| PathBuf::from(format!("/in/{number}"));
        let gone = (path(-1), stamp(-1));
        let mut picker = Picker::new(Arc::new(HashSet::from([(path(3), stamp(3)), gone])));
        let most = i64::try_from(MOST).unwrap();
        for number in (0..most + 5).rev() {
            picker.take(path(number), stamp(number), 0);
        }
        let picked = picker.picked();
        assert_eq!(picked.files.len(), MOST);
        assert!(picked.more);
        assert_eq!(picked.files[..4], [0, 1, 2, 4].map(|number| (path(number), 0)));
        assert_eq!(picked.kept, HashSet::from([(path(3), stamp(3))]), "what has gone is forgotten");
    }
}
