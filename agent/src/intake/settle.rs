//! Is a file complete? Decides from what was seen of it, and when; touches nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::files::Stamp;

/// How long a file must stay unchanged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// After its writer has closed it or moved it here.
    pub(super) closed: Duration,
    /// When no event told of its end: found by looking, or written to again.
    pub(super) found: Duration,
}

/// The files that wait until they are complete, or are being worked on.
#[derive(Debug, Default)]
pub(super) struct Settling {
    files: HashMap<PathBuf, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    stamp: Option<Stamp>,
    /// Since when it looks like this.
    since: Instant,
    closed: bool,
    /// When to look again; `None` while it is being worked on.
    look_at: Option<Instant>,
}

/// What a look at a file means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Complete, and unchanged for so long.
    Ready(Duration),
    /// Look again later.
    Wait,
}

impl Settling {
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    pub(super) fn contains(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// A file was found, or an event came; `closed` when it says that its writer is done.
    pub(super) fn seen(&mut self, path: PathBuf, closed: bool, now: Instant) {
        let entry =
            self.files.entry(path).or_insert(Waiting { stamp: None, since: now, closed, look_at: Some(now) });
        // While it is worked on it is left alone: a change shows when that ends.
        if entry.look_at.is_some() {
            entry.closed = closed;
            entry.look_at = Some(now);
        }
    }

    /// The files that should be looked at now.
    pub(super) fn due(&self, now: Instant) -> Vec<PathBuf> {
        let due = |waiting: &Waiting| waiting.look_at.is_some_and(|at| at <= now);
        self.files.iter().filter(|(_, waiting)| due(waiting)).map(|(path, _)| path.clone()).collect()
    }

    /// When the next look is due.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.files.values().filter_map(|waiting| waiting.look_at).min()
    }

    /// What a look showed. A file that is ready counts as worked on from now on.
    pub(super) fn looked(
        &mut self,
        path: &Path,
        stamp: Option<Stamp>,
        now: Instant,
        rules: Rules,
    ) -> Verdict {
        let Some(stamp) = stamp else {
            self.files.remove(path);
            return Verdict::Wait;
        };
        let Some(waiting) = self.files.get_mut(path) else { return Verdict::Wait };
        if waiting.stamp != Some(stamp) {
            // A change after the close came from somebody who has not closed yet.
            waiting.closed = waiting.closed && waiting.stamp.is_none();
            waiting.stamp = Some(stamp);
            waiting.since = now;
        }
        let quiet = if waiting.closed { rules.closed } else { rules.found };
        let unchanged = now.saturating_duration_since(waiting.since);
        if unchanged >= quiet {
            waiting.look_at = None;
            return Verdict::Ready(unchanged);
        }
        waiting.look_at = Some(waiting.since + quiet);
        Verdict::Wait
    }

    /// The work on a file has ended, or it is not wanted any more.
    pub(super) fn done(&mut self, path: &Path) {
        self.files.remove(path);
    }

    /// The file was not complete after all: look at it again in a while.
    pub(super) fn later(&mut self, path: &Path, at: Instant) {
        if let Some(waiting) = self.files.get_mut(path) {
            waiting.look_at = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules { closed: Duration::from_millis(200), found: Duration::from_secs(2) };

    /// Plays events and looks: `c`losed, `s`een, `1`/`2`… a look that shows that content, `-` gone.
    fn check(play: &[(u64, char)], expected: &str) {
        let start = Instant::now();
        let path = Path::new("/in/a.json");
        let mut settling = Settling::default();
        let mut shown = String::new();
        for (ms, what) in play {
            let now = start + Duration::from_millis(*ms);
            match what {
                'c' => settling.seen(path.to_owned(), true, now),
                's' => settling.seen(path.to_owned(), false, now),
                look => {
                    let stamp = look.to_digit(10).map(|size| Stamp {
                        device: 1,
                        inode: 1,
                        size: size.into(),
                        modified_ns: 0,
                    });
                    shown.push(match settling.looked(path, stamp, now, RULES) {
                        Verdict::Ready(_) => 'R',
                        Verdict::Wait if settling.contains(path) => 'w',
                        Verdict::Wait => 'x',
                    });
                }
            }
        }
        assert_eq!(shown, expected, "{play:?}");
    }

    #[test]
    fn a_closed_file_is_ready_after_a_short_quiet_time() {
        check(&[(0, 'c'), (0, '1'), (100, '1'), (200, '1')], "wwR");
    }

    #[test]
    fn a_found_file_must_stay_unchanged_for_longer() {
        check(&[(0, 's'), (0, '1'), (200, '1'), (1999, '1'), (2000, '1')], "wwwR");
        check(&[(0, 's'), (0, '1'), (1900, '2'), (2000, '2'), (3900, '2')], "wwwR");
    }

    #[test]
    fn a_closed_file_that_is_written_again_must_be_closed_again_or_rest() {
        check(&[(0, 'c'), (0, '1'), (150, '2'), (350, '2'), (2150, '2')], "wwwR");
        check(&[(0, 'c'), (0, '1'), (150, '2'), (160, 'c'), (360, '2')], "wwR");
    }

    #[test]
    fn a_file_that_vanished_is_forgotten() {
        check(&[(0, 'c'), (0, '1'), (100, '-'), (200, '1')], "wxx");
    }

    #[test]
    fn a_file_in_work_is_not_looked_at() {
        let now = Instant::now();
        let mut settling = Settling::default();
        let path = PathBuf::from("/in/a");
        settling.seen(path.clone(), true, now);
        assert_eq!(settling.due(now), std::slice::from_ref(&path));
        let stamp = Stamp { device: 1, inode: 1, size: 1, modified_ns: 0 };
        settling.looked(&path, Some(stamp), now, RULES);
        let later = now + Duration::from_secs(1);
        assert_eq!(settling.looked(&path, Some(stamp), later, RULES), Verdict::Ready(Duration::from_secs(1)));
        settling.seen(path.clone(), true, later);
        assert!(settling.due(later + RULES.found).is_empty());
        settling.later(&path, later);
        assert_eq!(settling.due(later), std::slice::from_ref(&path));
        settling.done(&path);
        assert_eq!(settling.len(), 0);
    }
}
