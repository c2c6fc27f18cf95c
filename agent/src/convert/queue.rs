//! Who converts next: sources take turns, and none of them gets all workers.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::turns::Turns;

/// The places at the workers. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    count: u32,
    /// Less than none while there are more turns than places since these became fewer.
    free: i64,
    taken: HashMap<String, u32>,
    waiting: BTreeMap<String, Waiting>,
    turns: Turns,
}

#[derive(Debug, Default)]
struct Waiting {
    priority: u32,
    asked: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to use a worker, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    source: String,
    queue: Queue,
}

impl Queue {
    /// So many places, of which a source gets all but one.
    pub(super) fn new(count: u32) -> Self {
        let count = count.max(1);
        let places = Places {
            count,
            free: count.into(),
            taken: HashMap::new(),
            waiting: BTreeMap::new(),
            turns: Turns::default(),
        };
        Self(Arc::new(Mutex::new(places)))
    }

    /// More places from now on, or fewer once the turns beyond have ended.
    pub(super) fn set_places(&self, count: u32) {
        let count = count.max(1);
        self.change(|places| {
            places.free += i64::from(count) - i64::from(places.count);
            places.count = count;
        });
    }

    /// Waits for the source's next turn.
    pub(super) async fn turn(&self, source: &str, priority: u32) -> Turn {
        loop {
            let (ask, answer) = oneshot::channel();
            self.change(|places| {
                let waiting = places.waiting.entry(source.to_owned()).or_default();
                waiting.priority = priority;
                waiting.asked.push_back(ask);
            });
            // Whoever asks is answered; only a crash while the places were changed could lose a question.
            if let Ok(turn) = answer.await {
                return turn;
            }
        }
    }

    /// Changes something and gives the places that are then free to those that wait.
    fn change(&self, change: impl FnOnce(&mut Places)) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut places);
        let mut gone = Vec::new();
        while let Some((source, ask)) = places.next() {
            // Who does not wait any more gives the turn back, which needs the lock.
            gone.extend(ask.send(Turn { source, queue: self.clone() }).err());
        }
        drop(places);
        drop(gone);
    }
}

impl Places {
    /// Takes a place for the source whose turn it is.
    fn next(&mut self) -> Option<(String, oneshot::Sender<Turn>)> {
        if self.free <= 0 {
            return None;
        }
        let Self { count, taken, waiting, turns, .. } = self;
        // One with a slow converter leaves room for the others.
        let most = count.saturating_sub(1).max(1);
        let may = |source: &str| taken.get(source).copied().unwrap_or(0) < most;
        let able =
            waiting.iter().filter(|(source, _)| may(source)).map(|(name, it)| (name.as_str(), it.priority));
        let source = turns.next(able)?.to_owned();
        let asked = &mut waiting.get_mut(&source)?.asked;
        let ask = asked.pop_front();
        if asked.is_empty() {
            waiting.remove(&source);
        }
        self.free -= 1;
        *self.taken.entry(source.clone()).or_default() += 1;
        Some((source, ask?))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let source = std::mem::take(&mut self.source);
        self.queue.change(|places| {
            places.free += 1;
            if let Some(taken) = places.taken.get_mut(&source) {
                *taken -= 1;
                if *taken == 0 {
                    places.taken.remove(&source);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn asks(queue: &Queue, source: &str, priority: u32) -> Option<Turn> {
        // A turn that is to be had comes at once.
        match pin!(queue.turn(source, priority)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn one_source_leaves_a_worker_to_the_others_and_who_gave_up_waiting_takes_none() {
        let queue = Queue::new(3);
        let slow: Vec<_> = (0..2).map(|_| asks(&queue, "slow", 5).unwrap()).collect();
        assert!(asks(&queue, "slow", 5).is_none());
        let other = asks(&queue, "other", 5).unwrap();
        assert!(asks(&queue, "third", 5).is_none(), "all workers are busy");
        drop(other);
        let third = asks(&queue, "third", 5).unwrap();
        drop((slow, third));
        assert_eq!(queue.0.lock().unwrap().free, 3);
        assert!(asks(&queue, "slow", 5).is_some());
    }

    #[test]
    fn workers_become_more_at_once_and_fewer_as_turns_end() {
        let queue = Queue::new(1);
        let first = asks(&queue, "a", 5).unwrap();
        assert!(asks(&queue, "b", 5).is_none());
        queue.set_places(3);
        let more = [asks(&queue, "b", 5).unwrap(), asks(&queue, "c", 5).unwrap()];
        queue.set_places(2);
        drop(first);
        assert!(asks(&queue, "d", 5).is_none(), "two are busy");
        drop(more);
        let both = (asks(&queue, "d", 5).unwrap(), asks(&queue, "e", 5).unwrap());
        assert!(asks(&queue, "f", 5).is_none());
        drop(both);
    }

    #[tokio::test]
    async fn weakness_24_conversions_take_turns_by_priority() {
        let queue = Queue::new(1);
        let busy = queue.turn("busy", 5).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = tokio::task::JoinSet::new();
        for number in 0..12 {
            let (source, priority) = [("bulk", 6), ("bulk", 6), ("urgent", 5)][number % 3];
            let (queue, order) = (queue.clone(), order.clone());
            waiting.spawn(async move {
                let turn = queue.turn(source, priority).await;
                order.lock().unwrap().push(source);
                drop(turn);
            });
        }
        while queue.0.lock().unwrap().waiting.values().map(|it| it.asked.len()).sum::<usize>() < 12 {
            tokio::task::yield_now().await;
        }
        drop(busy);
        waiting.join_all().await;
        let order = order.lock().unwrap().clone();
        let urgent = order.iter().take(6).filter(|source| **source == "urgent").count();
        assert_eq!((order.len(), urgent), (12, 4), "{order:?}");
    }
}
