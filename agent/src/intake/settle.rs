//! Is a file complete? Decides from what was seen of it, and when; touches nothing.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::disk::Look;
use crate::files::Stamp;

/// How long a file must stay unchanged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// After its writer has closed it or moved it here, or when its marker is there.
    pub(super) closed: Duration,
    /// When no event told of its end: found by looking, or written to again.
    pub(super) found: Duration,
    /// When files that belong to it seem to be missing.
    pub(super) lonely: Duration,
}

impl Rules {
    fn quiet(&self, look: Look, closed: bool) -> Duration {
        match look {
            Look::Marked => self.closed,
            Look::Plain if closed => self.closed,
            Look::Plain | Look::Several | Look::Unmarked => self.found,
            Look::Lonely => self.lonely,
        }
    }
}

/// The files that wait until they are complete, or are being worked on.
#[derive(Debug, Default)]
pub(super) struct Settling {
    files: HashMap<Arc<Path>, Waiting>,
    /// The same files, by when they are to be looked at.
    looks: BTreeSet<(Instant, Arc<Path>)>,
}

#[derive(Debug)]
struct Waiting {
    stamp: Option<Stamp>,
    /// Since when it looks like this.
    since: Instant,
    closed: bool,
    /// When to look again; `None` while it is being worked on.
    look_at: Option<Instant>,
    /// By an event, before any look through the folder.
    by_event: bool,
    /// An event told of it while it was worked on, and whether the last one said that its writer is done.
    heard: Option<bool>,
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

    /// True when an event told of the file before it was found.
    pub(super) fn is_by_event(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|it| it.by_event)
    }

    /// A file was found by looking through the folder.
    pub(super) fn found(&mut self, path: PathBuf, now: Instant) {
        self.seen(path, false, false, now);
    }

    /// An event told of a file; `closed` when it says that its writer is done.
    pub(super) fn heard(&mut self, path: PathBuf, closed: bool, now: Instant) {
        self.seen(path, closed, true, now);
    }

    fn seen(&mut self, path: PathBuf, closed: bool, by_event: bool, now: Instant) {
        let path: Arc<Path> = path.into();
        match self.files.get_mut(&path) {
            None => {
                let look_at = Some(now);
                let waiting = Waiting { stamp: None, since: now, closed, look_at, by_event, heard: None };
                self.files.insert(path.clone(), waiting);
                self.looks.insert((now, path));
            }
            // While it is worked on it is left alone: a change shows when that ends.
            Some(waiting) if waiting.look_at.is_some() => {
                waiting.closed = closed;
                self.look_again(&path, Some(now));
            }
            Some(waiting) if by_event => waiting.heard = Some(closed),
            Some(_) => {}
        }
    }

    /// A file is being worked on that was complete before the agent started.
    pub(super) fn working(&mut self, path: &Path, now: Instant) {
        self.found(path.to_owned(), now);
        self.look_again(path, None);
    }

    /// The files that should be looked at now.
    pub(super) fn due(&self, now: Instant) -> Vec<PathBuf> {
        self.looks.iter().take_while(|(at, _)| *at <= now).map(|(_, path)| path.to_path_buf()).collect()
    }

    /// When the next look is due.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.looks.first().map(|(at, _)| *at)
    }

    /// What a look showed. A file that is ready counts as worked on from now on.
    pub(super) fn looked(
        &mut self,
        path: &Path,
        seen: Option<(Stamp, Look)>,
        now: Instant,
        rules: Rules,
    ) -> Verdict {
        // One that lacks its marker is found again when the marker comes.
        let Some((stamp, look)) = seen.filter(|(_, look)| *look != Look::Unmarked) else {
            self.done(path, now);
            return Verdict::Wait;
        };
        let Some(waiting) = self.files.get_mut(path) else { return Verdict::Wait };
        if waiting.stamp != Some(stamp) {
            // A change after the close came from somebody who has not closed yet.
            waiting.closed = waiting.closed && waiting.stamp.is_none();
            waiting.stamp = Some(stamp);
            waiting.since = now;
        }
        let quiet = rules.quiet(look, waiting.closed);
        let unchanged = now.saturating_duration_since(waiting.since);
        if unchanged >= quiet {
            self.look_again(path, None);
            return Verdict::Ready(unchanged);
        }
        // What is missing may come sooner.
        let at = (waiting.since + quiet).min(now + rules.found);
        self.look_again(path, Some(at));
        Verdict::Wait
    }

    /// The work on a file has ended, or it is not wanted any more; answers what it was when it was looked at.
    ///
    /// If an event told of it meanwhile there may be another one in its place, which is looked at.
    pub(super) fn done(&mut self, path: &Path, now: Instant) -> Option<Stamp> {
        self.look_again(path, None);
        let done = self.files.remove(path)?;
        if let Some(closed) = done.heard {
            self.heard(path.to_owned(), closed, now);
        }
        done.stamp
    }

    /// The file was not complete after all: look at it again in a while.
    pub(super) fn later(&mut self, path: &Path, at: Instant) {
        if let Some(waiting) = self.files.get_mut(path) {
            waiting.heard = None;
        }
        self.look_again(path, Some(at));
    }

    fn look_again(&mut self, path: &Path, at: Option<Instant>) {
        let Some((path, waiting)) = self.files.get_key_value(path) else { return };
        let path = path.clone();
        if let Some(before) = waiting.look_at {
            self.looks.remove(&(before, path.clone()));
        }
        if let Some(at) = at {
            self.looks.insert((at, path.clone()));
        }
        if let Some(waiting) = self.files.get_mut(&path) {
            waiting.look_at = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        closed: Duration::from_millis(200),
        found: Duration::from_secs(2),
        lonely: Duration::from_secs(12),
    };

    /// Plays events and looks: `c`losed, `s`een, `1`/`2`… a look that shows that content, `-` gone.
    fn check(play: &[(u64, char)], expected: &str) {
        let start = Instant::now();
        let path = Path::new("/in/a.json");
        let mut settling = Settling::default();
        let mut shown = String::new();
        for (ms, what) in play {
            let now = start + Duration::from_millis(*ms);
            match what {
                'c' => settling.heard(path.to_owned(), true, now),
                's' => settling.found(path.to_owned(), now),
                look => {
                    let stamp = look.to_digit(10).map(|size| Stamp {
                        device: 1,
                        inode: 1,
                        size: size.into(),
                        modified_ns: 0,
                    });
                    shown.push(match settling.looked(path, stamp.map(|it| (it, Look::Plain)), now, RULES) {
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
    fn what_lies_around_a_file_decides_how_long_it_must_rest() {
        let path = Path::new("/in/a.json");
        let stamp = Stamp { device: 1, inode: 1, size: 1, modified_ns: 0 };
        for (look, closed, rests_ms) in [
            (Look::Plain, true, 200),
            (Look::Plain, false, 2000),
            (Look::Marked, false, 200),
            (Look::Several, true, 2000),
            (Look::Lonely, true, 2000),
        ] {
            let start = Instant::now();
            let mut settling = Settling::default();
            settling.heard(path.to_owned(), closed, start);
            assert_eq!(settling.looked(path, Some((stamp, look)), start, RULES), Verdict::Wait);
            assert_eq!(settling.next_look(), Some(start + Duration::from_millis(rests_ms)), "{look:?}");
        }
        let (start, mut settling) = (Instant::now(), Settling::default());
        settling.found(path.to_owned(), start);
        for (second, verdict) in [(0, Verdict::Wait), (11, Verdict::Wait), (12, Verdict::Ready(RULES.lonely))]
        {
            let now = start + Duration::from_secs(second);
            assert_eq!(settling.looked(path, Some((stamp, Look::Lonely)), now, RULES), verdict, "{second}");
        }
        let mut settling = Settling::default();
        settling.found(path.to_owned(), Instant::now());
        let look = settling.looked(path, Some((stamp, Look::Unmarked)), Instant::now(), RULES);
        assert!(look == Verdict::Wait && !settling.contains(path));
    }

    /// A line that writes one line a minute into an open file: never quiet, never closed, for an hour.
    #[test]
    fn weakness_06_a_file_that_is_written_slowly_over_an_hour_is_taken_when_it_is_whole() {
        let start = Instant::now();
        let path = Path::new("/in/a.json");
        let stamp = |size| Stamp { device: 1, inode: 1, size, modified_ns: 0 };
        let rules = Rules { found: Duration::from_secs(90), ..RULES };
        let mut settling = Settling::default();
        settling.found(path.to_owned(), start);
        let mut taken = None;
        for second in 0..3800 {
            let now = start + Duration::from_secs(second);
            let size = 1 + (second / 60).min(60);
            if settling.next_look().is_some_and(|at| at <= now)
                && matches!(
                    settling.looked(path, Some((stamp(size), Look::Plain)), now, rules),
                    Verdict::Ready(_)
                )
            {
                taken = Some((second, size));
            }
        }
        let (second, size) = taken.unwrap();
        assert_eq!(size, 61, "taken before it was whole");
        assert!((3600 + 90..=3600 + 180).contains(&second), "{second}");
    }

    #[test]
    fn a_file_in_work_is_not_looked_at() {
        let now = Instant::now();
        let mut settling = Settling::default();
        let path = PathBuf::from("/in/a");
        settling.heard(path.clone(), true, now);
        assert_eq!(settling.due(now), std::slice::from_ref(&path));
        let stamp = Stamp { device: 1, inode: 1, size: 1, modified_ns: 0 };
        settling.looked(&path, Some((stamp, Look::Plain)), now, RULES);
        let later = now + Duration::from_secs(1);
        assert_eq!(
            settling.looked(&path, Some((stamp, Look::Plain)), later, RULES),
            Verdict::Ready(Duration::from_secs(1))
        );
        settling.heard(path.clone(), true, later);
        assert!(settling.due(later + RULES.found).is_empty());
        settling.later(&path, later);
        assert_eq!(settling.due(later), std::slice::from_ref(&path));
        assert_eq!(settling.done(&path, later), Some(stamp));
        assert_eq!(settling.len(), 0);
    }

    #[test]
    fn what_takes_the_place_of_a_file_in_work_is_looked_at_when_that_ends() {
        let now = Instant::now();
        let mut settling = Settling::default();
        let path = PathBuf::from("/in/a");
        settling.working(&path, now);
        settling.heard(path.clone(), true, now);
        assert_eq!(settling.next_look(), None);
        settling.done(&path, now);
        assert_eq!(settling.due(now), std::slice::from_ref(&path));
        settling.done(&path, now);
        assert_eq!(settling.len(), 0);
    }

    /// Testers that write every result under one name may be quicker than the file before is put away.
    #[test]
    fn what_came_while_the_one_before_was_in_work_rests_as_its_events_say() {
        let path = PathBuf::from("/in/a");
        let stamp = |inode| Some((Stamp { device: 1, inode, size: 1, modified_ns: 0 }, Look::Plain));
        for (closed, rests) in [(true, RULES.closed), (false, RULES.found)] {
            let now = Instant::now();
            let mut settling = Settling::default();
            settling.heard(path.clone(), true, now);
            settling.looked(&path, stamp(1), now, RULES);
            let now = now + RULES.closed;
            assert_eq!(settling.looked(&path, stamp(1), now, RULES), Verdict::Ready(RULES.closed));
            settling.heard(path.clone(), !closed, now);
            settling.heard(path.clone(), closed, now);
            settling.done(&path, now);
            assert_eq!(settling.looked(&path, stamp(2), now, RULES), Verdict::Wait);
            assert_eq!(settling.next_look(), Some(now + rests));
        }
    }
}
