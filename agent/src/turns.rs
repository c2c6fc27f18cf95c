//! Whose turn it is: sources take turns by their priority. Decides, touches nothing.
//!
//! Stride scheduling: each turn that a source gets moves its mark on by a step, which doubles from one priority
//! to the next; the source with the lowest mark is next. So of two busy sources one priority apart the more
//! important gets twice as many, and the less important always goes on: nobody starves.

use std::collections::HashMap;

/// The most important priority; 10 is the least.
const FIRST: u32 = 1;

/// Where each source stands.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    marks: HashMap<String, u64>,
    /// The mark of the last turn: who comes back after a rest starts here, without credit for it.
    now: u64,
}

impl Turns {
    /// Which of the sources that wait, each with its priority, is next; `None` when none waits.
    pub(crate) fn next<'a>(&mut self, waiting: impl Iterator<Item = (&'a str, u32)>) -> Option<&'a str> {
        let mark = |source: &str| self.marks.get(source).copied().unwrap_or(0).max(self.now);
        // Of equal marks the name decides, so that the choice is the same every time.
        let (source, priority) = waiting.min_by(|(a, _), (b, _)| (mark(a), *a).cmp(&(mark(b), *b)))?;
        let mark = mark(source);
        let step = 1 << priority.saturating_sub(FIRST).min(9);
        self.now = mark;
        self.marks.insert(source.to_owned(), mark.saturating_add(step));
        Some(source)
    }

    /// Chooses up to `limit` of what waits at each source. Each source's are in its own order, which is kept.
    pub(crate) fn choose<T>(
        &mut self,
        waiting: Vec<(String, Vec<T>)>,
        limit: usize,
        priority: impl Fn(&str) -> u32,
    ) -> Vec<T> {
        let mut queues: Vec<_> =
            waiting.into_iter().map(|(source, all)| (priority(&source), source, all.into_iter())).collect();
        let mut chosen = Vec::new();
        while chosen.len() < limit {
            queues.retain(|(.., queue)| queue.len() > 0);
            let sources = queues.iter().map(|(priority, source, _)| (source.as_str(), *priority));
            let Some(next) = self.next(sources).map(ToOwned::to_owned) else { break };
            let queue = queues.iter_mut().find(|(_, source, _)| *source == next);
            chosen.extend(queue.and_then(|(.., queue)| queue.next()));
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `rounds` turns each of the sources gets, all of them always having something to send.
    fn shares(priorities: &[(&str, u32)], rounds: usize) -> Vec<usize> {
        let mut turns = Turns::default();
        let mut shares = vec![0; priorities.len()];
        for _ in 0..rounds {
            let waiting = (0..).zip(priorities).map(|(seq, (source, _))| ((*source).to_owned(), vec![seq]));
            let priority = |name: &str| priorities.iter().find(|(it, _)| *it == name).unwrap().1;
            for seq in turns.choose(waiting.collect(), 1, priority) {
                shares[seq] += 1;
            }
        }
        shares
    }

    #[test]
    fn equal_sources_share_equally_and_a_more_important_one_gets_more() {
        assert_eq!(shares(&[("a", 5), ("b", 5), ("c", 5)], 300), [100, 100, 100]);
        assert_eq!(shares(&[("a", 4), ("b", 5)], 300), [200, 100]);
        let far = shares(&[("urgent", 1), ("bulk", 10)], 1026);
        assert_eq!(far, [1024, 2], "even the least important goes on");
    }

    #[test]
    fn a_source_that_rested_has_no_credit_for_it() {
        let mut turns = Turns::default();
        let waiting = |source: &str, reports: std::ops::Range<i64>| (source.to_owned(), reports.collect());
        turns.choose(vec![waiting("busy", 0..500)], 500, |_| 5);
        let chosen = turns.choose(vec![waiting("busy", 500..520), waiting("rested", 1000..1020)], 20, |_| 5);
        assert_eq!(chosen.iter().filter(|seq| **seq >= 1000).count(), 10);
    }

    #[test]
    fn the_order_within_a_source_is_kept_and_no_more_is_chosen_than_there_is() {
        let waiting = vec![("a".to_owned(), vec![7, 3, 9]), ("b".to_owned(), vec![])];
        assert_eq!(Turns::default().choose(waiting, 10, |_| 5), [7, 3, 9]);
    }
}
