//! When the disk is full, and when the queue is empty, if all goes on as it does. Decides, touches nothing.
//!
//! Both come from what was seen over the last minutes, by the monotonic clock. What nobody can foresee is not said: too
//! little was seen, nothing moves, or it would take longer than anybody plans.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::control::api::Forecast;

/// Rates are those of this time: long enough to even out a burst of uploads at the beginning of each minute.
const WINDOW: Duration = Duration::from_secs(10 * 60);
/// Less than this says nothing.
const LEAST: Duration = Duration::from_secs(30);
/// Two looks are not closer than this.
const APART: Duration = Duration::from_secs(5);
/// The queue is judged by less, because a server that was away and is back changes everything.
const QUEUE_WINDOW: Duration = Duration::from_secs(3 * 60);
/// Nobody plans further ahead.
const HORIZON: f64 = 90.0 * 24.0 * 3600.0;
/// What a file system gains and loses by itself.
const NOISE_BYTES: u64 = 1 << 20;

/// What was seen at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    pub at: Instant,
    pub free_bytes: u64,
    /// Reports that wait or are on their way.
    pub pending: u64,
    /// Reports that have left the queue since the start.
    pub departed: u64,
}

/// The looks of the last minutes.
#[derive(Debug, Default)]
pub struct Forecaster {
    looks: VecDeque<Look>,
}

impl Forecaster {
    /// Remembers a look, and forgets those that are too old.
    pub fn look(&mut self, look: Look) {
        if self.looks.back().is_some_and(|last| look.at.saturating_duration_since(last.at) < APART) {
            return;
        }
        self.looks.push_back(look);
        while self.looks.front().is_some_and(|first| look.at.saturating_duration_since(first.at) > WINDOW) {
            self.looks.pop_front();
        }
    }

    /// What is foreseen at `now`: the intake stops at `least_free` bytes, and the server takes at most so many reports a
    /// minute, or any number with 0.
    pub fn foresee(&self, now: Look, least_free: u64, per_minute: u32) -> Forecast {
        let mut forecast = Forecast {
            seconds_to_full: self.seconds_to_full(now, least_free),
            seconds_to_drained: (now.pending == 0).then_some(0),
            ..Forecast::default()
        };
        let Some((first, seconds)) = self.since(now, QUEUE_WINDOW) else { return forecast };
        let departed = now.departed.saturating_sub(first.departed);
        // What came is what left and what there is more than before.
        let arrived = (departed + now.pending).saturating_sub(first.pending);
        let (departing, arriving) = (as_f64(departed) / seconds, as_f64(arrived) / seconds);
        forecast.delivered_per_minute = Some(departing * 60.0);
        forecast.arriving_per_minute = Some(arriving * 60.0);
        if now.pending > 0 {
            // A burst after a rest is faster than the pace can stay.
            let lasting =
                if per_minute == 0 { departing } else { departing.min(f64::from(per_minute) / 60.0) };
            forecast.seconds_to_drained = within_horizon(as_f64(now.pending) / (lasting - arriving));
        }
        forecast
    }

    fn seconds_to_full(&self, now: Look, least_free: u64) -> Option<u64> {
        if now.free_bytes <= least_free {
            return Some(0);
        }
        let (first, seconds) = self.since(now, WINDOW)?;
        let used = first.free_bytes.checked_sub(now.free_bytes).filter(|used| *used >= NOISE_BYTES)?;
        within_horizon(as_f64(now.free_bytes - least_free) * seconds / as_f64(used))
    }

    /// The oldest look of a time, and how many seconds ago it was.
    fn since(&self, now: Look, window: Duration) -> Option<(Look, f64)> {
        let ago = |look: &&Look| now.at.saturating_duration_since(look.at);
        let first = self.looks.iter().find(|look| ago(look) <= window)?;
        let ago = ago(&first);
        (ago >= LEAST).then_some((*first, ago.as_secs_f64()))
    }
}

/// Whole seconds, rounded up, of a time that somebody plans with.
fn within_horizon(seconds: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie in the horizon"
    )]
    (0.0..=HORIZON).contains(&seconds).then(|| seconds.ceil() as u64)
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no more than 53 bits")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    /// One look every ten seconds; `at` gives free bytes, pending and departed by the number of the look.
    fn seen(count: u64, at: impl Fn(u64) -> (u64, u64, u64)) -> (Forecaster, Look) {
        let (start, mut forecaster) = (Instant::now(), Forecaster::default());
        let look = |number: u64| {
            let (free_bytes, pending, departed) = at(number);
            Look { at: start + Duration::from_secs(10 * number), free_bytes, pending, departed }
        };
        (0..count).for_each(|number| forecaster.look(look(number)));
        (forecaster, look(count))
    }

    fn foresee(count: u64, per_minute: u32, at: impl Fn(u64) -> (u64, u64, u64)) -> Forecast {
        let (forecaster, now) = seen(count, at);
        forecaster.foresee(now, GB, per_minute)
    }

    #[test]
    fn a_disk_that_fills_steadily_is_full_when_the_intake_stops() {
        // 1 MB a second; 5 GB free after the looks, of which 4 may be used.
        let forecast = foresee(30, 500, |n| (5 * GB + (30 - n) * 10_000_000, 0, 0));
        assert_eq!(forecast.seconds_to_full, Some(4000));
        assert_eq!(forecast.seconds_to_drained, Some(0), "nothing waits");
        assert_eq!(foresee(30, 500, |_| (GB / 2, 0, 0)).seconds_to_full, Some(0), "it is full");
    }

    #[test]
    fn a_disk_at_rest_or_that_gains_room_is_not_foreseeable() {
        assert_eq!(foresee(30, 500, |_| (5 * GB, 0, 0)).seconds_to_full, None);
        assert_eq!(
            foresee(30, 500, |n| (5 * GB + n * GB, 0, 0)).seconds_to_full,
            None,
            "retention makes room"
        );
        assert_eq!(foresee(30, 500, |n| (5 * GB - n * 1000, 0, 0)).seconds_to_full, None, "noise");
        assert_eq!(foresee(60, 500, |n| (8_000 * GB - n * 100_000, 0, 0)).seconds_to_full, None, "in years");
    }

    #[test]
    fn a_queue_drains_by_what_leaves_more_than_comes() {
        // Each ten seconds 50 leave and 20 come.
        let forecast = foresee(30, 0, |n| (5 * GB, 1200 - 30 * n, 50 * n));
        assert_eq!(forecast.seconds_to_drained, Some(100));
        assert_eq!((forecast.delivered_per_minute, forecast.arriving_per_minute), (Some(300.0), Some(120.0)));
        let growing = foresee(30, 0, |n| (5 * GB, 100 + 10 * n, 5 * n));
        assert_eq!(growing.seconds_to_drained, None, "more comes than leaves");
        let away = foresee(30, 0, |_| (5 * GB, 100, 0));
        assert_eq!((away.seconds_to_drained, away.delivered_per_minute), (None, Some(0.0)), "no server");
    }

    #[test]
    fn a_burst_does_not_promise_more_than_the_pace_allows() {
        // 500 left at once at the beginning; from then on the pace lets 500 a minute through.
        let forecast = foresee(4, 500, |n| (5 * GB, 10_000 - 500 * n.min(1), 500 * n.min(1)));
        assert_eq!(forecast.delivered_per_minute, Some(750.0));
        assert_eq!(forecast.seconds_to_drained, Some(1140));
    }

    #[test]
    fn too_little_was_seen_to_say_anything() {
        let forecast = foresee(2, 500, |n| (5 * GB - n * GB, 100 - n, n));
        assert_eq!((forecast.seconds_to_full, forecast.seconds_to_drained), (None, None));
        let now = Look { at: Instant::now(), free_bytes: 5 * GB, pending: 0, departed: 0 };
        assert_eq!(Forecaster::default().foresee(now, GB, 500).seconds_to_drained, Some(0));
    }

    #[test]
    fn the_past_is_forgotten_and_looks_that_are_too_close_are_not_kept() {
        // An import that ended long ago.
        let forecast = foresee(200, 500, |n| (if n < 50 { 9 * GB - n * 50_000_000 } else { 6 * GB }, 0, 0));
        assert_eq!(forecast.seconds_to_full, None);
        let (mut forecaster, now) = seen(200, |_| (5 * GB, 0, 0));
        assert!(forecaster.looks.len() <= 61);
        let before = forecaster.looks.len();
        (0..100).for_each(|_| forecaster.look(Look { at: now.at - Duration::from_secs(9), ..now }));
        assert_eq!(forecaster.looks.len(), before);
    }
}
