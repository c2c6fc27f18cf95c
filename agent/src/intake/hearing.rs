//! Do events reach us? Judged by comparing what they tell with what looking through the folder finds.

use std::collections::VecDeque;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::settings::Watch;

/// How many of the last files are compared.
const LAST: usize = 20;
/// With fewer than that nothing is concluded.
const ENOUGH: usize = 3;
/// How many latencies are kept.
const LATENCIES: usize = 1000;

/// By what new files are noticed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Means {
    /// The system's events; the folder is looked through now and then.
    #[default]
    Events,
    /// Looking through the folder.
    Polling,
    /// Events where they come, and looking because some do not.
    Both,
    /// Looking at the times of the schedule.
    Schedule,
}

/// How new files of a source are noticed, and how fast.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Detection {
    pub by: Means,
    /// The type of the network mount that the folder is on: `cifs`, `nfs4`. `None`: a local disk.
    pub network: Option<String>,
    /// Since the source was started: files that an event told of first.
    pub heard: u64,
    /// And files of which no event told, although one should have come.
    pub missed: u64,
    /// From the file's last change, or its coming into the folder, to knowing that it is complete: the
    /// median of the last 1000 files, in milliseconds. The quiet time is part of it.
    pub latency_p50_ms: Option<u64>,
    /// What 99 of 100 of these files do not exceed.
    pub latency_p99_ms: Option<u64>,
}

/// What was heard, what was missed, and how long it took.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    last: VecDeque<bool>,
    heard: u64,
    missed: u64,
    latencies: VecDeque<u64>,
}

impl Hearing {
    /// An event told of a file first.
    pub(super) fn heard(&mut self) {
        self.heard += 1;
        self.remember(true);
    }

    /// A look found a file of which an event should have told.
    pub(super) fn missed(&mut self) {
        self.missed += 1;
        self.remember(false);
    }

    fn remember(&mut self, heard: bool) {
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(heard);
    }

    /// A file was found complete, so long after it changed.
    pub(super) fn complete(&mut self, after: Duration) {
        if self.latencies.len() == LATENCIES {
            self.latencies.pop_front();
        }
        self.latencies.push_back(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    }

    /// The means in force: on the network something is looked at in any case, because others' writes
    /// give no events there.
    pub(super) fn means(&self, watch: Watch, listens: bool, network: bool) -> Means {
        let heard = self.last.iter().filter(|heard| **heard).count();
        let judged = self.last.len() >= ENOUGH;
        match watch {
            Watch::Poll => Means::Polling,
            _ if !listens => Means::Polling,
            Watch::Events => Means::Events,
            Watch::Auto if judged && heard == 0 => Means::Polling,
            Watch::Auto if network || (judged && heard < self.last.len()) => Means::Both,
            Watch::Auto => Means::Events,
        }
    }

    pub(super) fn detection(&self, by: Means, network: Option<String>) -> Detection {
        let mut sorted: Vec<u64> = self.latencies.iter().copied().collect();
        sorted.sort_unstable();
        let percentile = |of: usize| {
            let at = (sorted.len() * of).div_ceil(100).saturating_sub(1);
            sorted.get(at).copied()
        };
        Detection {
            by,
            network,
            heard: self.heard,
            missed: self.missed,
            latency_p50_ms: percentile(50),
            latency_p99_ms: percentile(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `h`eard, `m`issed.
    fn hearing(play: &str) -> Hearing {
        let mut hearing = Hearing::default();
        for what in play.chars() {
            if what == 'h' { hearing.heard() } else { hearing.missed() }
        }
        hearing
    }

    #[test]
    fn each_source_finds_out_whether_events_reach_it() {
        for (play, network, means) in [
            ("", false, Means::Events),
            ("", true, Means::Both),
            ("mm", false, Means::Events),
            ("mmm", false, Means::Polling),
            ("mmm", true, Means::Polling),
            ("hhm", false, Means::Both),
            ("hhh", true, Means::Both),
            ("mmmhhhhhhhhhhhhhhhhhhhh", false, Means::Events),
        ] {
            assert_eq!(hearing(play).means(Watch::Auto, true, network), means, "{play} {network}");
        }
        assert_eq!(hearing("mmm").means(Watch::Events, true, false), Means::Events);
        assert_eq!(hearing("hhh").means(Watch::Poll, true, false), Means::Polling);
        assert_eq!(hearing("hhh").means(Watch::Auto, false, false), Means::Polling);
    }

    #[test]
    fn percentiles_are_of_the_last_files() {
        let mut hearing = Hearing::default();
        assert_eq!(hearing.detection(Means::Events, None).latency_p50_ms, None);
        for ms in 1..=2000 {
            hearing.complete(Duration::from_millis(ms));
        }
        let detection = hearing.detection(Means::Events, None);
        assert_eq!((detection.latency_p50_ms, detection.latency_p99_ms), (Some(1500), Some(1990)));
    }
}
