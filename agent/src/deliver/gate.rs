//! When reports may be sent at all: the circuit breaker, and how long to wait. Decides, touches nothing.

use std::time::{Duration, Instant};

/// So many failures in a row close the gate.
const FAILURES: u32 = 5;
/// A queue that is held for a person tries one report so often.
const HELD: Duration = Duration::from_secs(60);
/// The first wait of a report, doubled at each attempt.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The same for the gate, which opens for one report at a time.
const FIRST_PROBE: Duration = Duration::from_secs(2);
const LONGEST_PROBE: Duration = Duration::from_secs(60);

/// ```text
///   Open ── failures in a row, "slow down" ──► Closed until … ── one report ──► Open
///     └──── credential, rights, address ─────────▲   └─ failed again: closed for longer
/// ```
#[derive(Debug, Default)]
pub(super) struct Gate {
    failures: u32,
    closed_until: Option<Instant>,
}

impl Gate {
    /// How many reports may be on their way now.
    pub(super) fn permits(&self, now: Instant, most: u32) -> u32 {
        match self.closed_until {
            None => most,
            Some(until) if until <= now => 1,
            Some(_) => 0,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed_until.is_some()
    }

    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.closed_until
    }

    /// The server spoke about a report: it is there.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// A person must act; until then one report now and then shows whether she has.
    pub(super) fn held(&mut self, now: Instant) {
        self.closed_until = Some(now + HELD);
    }

    /// `jitter` is between 0 and 1.
    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>, jitter: f64) {
        self.failures = self.failures.saturating_add(1);
        let beyond = self.failures.saturating_sub(FAILURES);
        let probe = spread(doubled(FIRST_PROBE, beyond, LONGEST_PROBE), jitter);
        match retry_after {
            Some(pause) => self.closed_until = Some(now + pause.max(probe)),
            None if self.failures >= FAILURES || self.is_closed() => self.closed_until = Some(now + probe),
            None => {}
        }
    }
}

/// How long a report waits after so many attempts; `jitter` is between 0 and 1.
pub(super) fn backoff(attempts: u32, jitter: f64) -> Duration {
    spread(doubled(FIRST, attempts.saturating_sub(1), LONGEST), jitter)
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(20)).min(longest)
}

/// Up to a fifth shorter, so that many agents do not come back at the same moment.
fn spread(wait: Duration, jitter: f64) -> Duration {
    wait.mul_f64(1.0 - 0.2 * jitter.clamp(0.0, 1.0))
}

/// A number between 0 and 1.
pub(super) fn jitter() -> f64 {
    let mut byte = [0];
    // Without randomness the wait is just not spread.
    getrandom::fill(&mut byte).ok();
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_report_waits_twice_as_long_each_time_up_to_a_limit() {
        let waits: Vec<_> = [1, 2, 3, 8, 9, 1000].map(|it| backoff(it, 0.0).as_secs()).to_vec();
        assert_eq!(waits, [5, 10, 20, 640, 900, 900]);
        assert_eq!(backoff(1, 1.0), 4 * SECOND);
    }

    #[test]
    fn five_failures_in_a_row_close_the_gate_and_one_report_at_a_time_tries_it() {
        let mut gate = Gate::default();
        let mut now = Instant::now();
        for _ in 0..4 {
            gate.failed(now, None, 0.0);
        }
        assert_eq!(gate.permits(now, 4), 4);
        gate.answered();
        for _ in 0..5 {
            gate.failed(now, None, 0.0);
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            assert_eq!(gate.permits(now, 4), 0);
            let until = gate.opens_at().unwrap();
            waits.push((until - now).as_secs());
            now = until;
            assert_eq!(gate.permits(now, 4), 1);
            gate.failed(now, None, 0.0);
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
        gate.answered();
        assert_eq!(gate.permits(now, 4), 4);
    }

    #[test]
    fn a_server_that_asks_for_a_pause_gets_it() {
        let mut gate = Gate::default();
        let now = Instant::now();
        gate.failed(now, Some(30 * SECOND), 0.0);
        assert_eq!(gate.permits(now + 29 * SECOND, 4), 0);
        assert_eq!(gate.permits(now + 30 * SECOND, 4), 1);
    }

    #[test]
    fn a_held_queue_is_tried_every_minute() {
        let mut gate = Gate::default();
        let now = Instant::now();
        gate.held(now);
        assert_eq!(gate.permits(now + 59 * SECOND, 4), 0);
        assert_eq!(gate.permits(now + 60 * SECOND, 4), 1);
    }
}
