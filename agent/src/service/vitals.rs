//! Whether the agent's loops turn.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The loops that must turn for the agent to be alive. Clones share one list.
///
/// A loop that died, by a panic or by returning, stops beating like one that hangs.
#[derive(Debug, Clone, Default)]
pub struct Vitals(Arc<Mutex<Vec<Loop>>>);

#[derive(Debug)]
struct Loop {
    name: &'static str,
    limit: Duration,
    last: Instant,
}

/// The beat of one loop.
#[derive(Debug)]
pub struct Pulse {
    vitals: Vitals,
    at: usize,
}

/// A loop that has not turned for longer than it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub name: &'static str,
    pub silent_for: Duration,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} loop has not turned for {} s", self.name, self.silent_for.as_secs())
    }
}

impl Vitals {
    /// Expects a beat at least every `limit` from now on.
    pub fn watch(&self, name: &'static str, limit: Duration) -> Pulse {
        let mut loops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loops.push(Loop { name, limit, last: Instant::now() });
        Pulse { vitals: self.clone(), at: loops.len() - 1 }
    }

    /// The loops that are silent for too long; none when the agent is alive.
    pub fn stuck(&self) -> Vec<Stuck> {
        self.stuck_at(Instant::now())
    }

    fn stuck_at(&self, now: Instant) -> Vec<Stuck> {
        let loops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loops
            .iter()
            .map(|l| (l, now.saturating_duration_since(l.last)))
            .filter(|(l, silent_for)| *silent_for > l.limit)
            .map(|(l, silent_for)| Stuck { name: l.name, silent_for })
            .collect()
    }
}

impl Pulse {
    /// Says that the loop turned.
    pub fn beat(&self) {
        self.beat_at(Instant::now());
    }

    fn beat_at(&self, now: Instant) {
        let mut loops = self.vitals.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = loops.get_mut(self.at) {
            mine.last = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_loop_that_stops_beating_is_named_after_its_limit() {
        let vitals = Vitals::default();
        let intake = vitals.watch("intake", 10 * SECOND);
        let delivery = vitals.watch("delivery", 60 * SECOND);
        let start = Instant::now();
        for turn in 1..=4 {
            let now = start + turn * 9 * SECOND;
            assert_eq!(vitals.stuck_at(now), []);
            intake.beat_at(now);
        }
        drop(intake);
        let now = start + 51 * SECOND;
        assert_eq!(vitals.stuck_at(now), [Stuck { name: "intake", silent_for: 15 * SECOND }]);
        assert_eq!(vitals.stuck_at(now)[0].to_string(), "the intake loop has not turned for 15 s");
        delivery.beat_at(now);
        assert_eq!(vitals.stuck_at(now + 50 * SECOND).len(), 1);
        assert_eq!(vitals.stuck_at(now + 61 * SECOND).len(), 2);
    }
}
