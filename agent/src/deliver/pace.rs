//! How many requests a minute the server gets. Decides, touches nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The window over which requests are counted, as servers count them.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

/// The requests of the last minute; in no minute, wherever it begins, are there more than the limit.
#[derive(Debug, Default)]
pub(super) struct Pace {
    sent: VecDeque<Instant>,
}

impl Pace {
    /// Begins with requests that were made before, oldest first: a restart is no way around the limit.
    pub(super) fn resumed(sent: impl IntoIterator<Item = Instant>) -> Self {
        Self { sent: sent.into_iter().collect() }
    }

    /// How many requests may be made now. A limit of 0 is none.
    pub(super) fn free(&mut self, now: Instant, limit: u32) -> u32 {
        if limit == 0 {
            self.sent.clear();
            return u32::MAX;
        }
        while self.sent.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            self.sent.pop_front();
        }
        limit.saturating_sub(u32::try_from(self.sent.len()).unwrap_or(u32::MAX))
    }

    /// Counts a request.
    pub(super) fn count(&mut self, now: Instant) {
        self.sent.push_back(now);
    }

    /// When there is room for another request; `None` when there is now.
    pub(super) fn opens_at(&mut self, now: Instant, limit: u32) -> Option<Instant> {
        if self.free(now, limit) > 0 {
            return None;
        }
        // With a limit that was lowered, more than one must leave the window.
        let beyond = self.sent.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
        self.sent.get(beyond).map(|at| *at + WINDOW)
    }
}

/// One pace for all who ask the server: it counts their requests together. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedPace(Arc<Mutex<Pace>>);

impl SharedPace {
    pub(super) fn lock(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request if there is room for it.
    pub(crate) fn take(&self, now: Instant, limit: u32) -> bool {
        let mut pace = self.lock();
        let free = pace.free(now, limit) > 0;
        if free {
            pace.count(now);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn no_minute_has_more_requests_than_the_limit() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let mut made = Vec::new();
        for tenth in 0..3000_u32 {
            let now = start + SECOND / 10 * tenth;
            if pace.free(now, 20) > 0 {
                pace.count(now);
                made.push(now);
            }
        }
        assert_eq!(made.len(), 100);
        for (index, first) in made.iter().enumerate() {
            let within = made[index..].iter().filter(|at| **at - *first < WINDOW).count();
            assert!(within <= 20, "{within} requests in a minute");
        }
    }

    #[test]
    fn it_says_when_there_is_room_again_and_a_restart_remembers() {
        let start = Instant::now();
        let mut pace = Pace::resumed((0..5).map(|second| start + SECOND * second));
        let now = start + SECOND * 10;
        assert_eq!((pace.free(now, 6), pace.opens_at(now, 6)), (1, None));
        assert_eq!((pace.free(now, 5), pace.opens_at(now, 5)), (0, Some(start + WINDOW)));
        assert_eq!(pace.opens_at(now, 3), Some(start + WINDOW + SECOND * 2));
        assert_eq!(pace.free(start + WINDOW, 5), 1);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        (0..1000).for_each(|_| pace.count(now));
        assert_eq!((pace.free(now, 0), pace.opens_at(now, 0)), (u32::MAX, None));
    }
}
