//! Tells whoever follows what happens. Where nobody does, it costs a look at a counter.

use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::broadcast;

use crate::control::api::{Event, Notice};

/// So many events wait for a follower; one that is slower misses the oldest and is told how many.
const WAITING: usize = 1024;
/// The longest words in an event.
const WORDS: usize = 500;

/// The one place where events are said. Never waits for who follows.
#[derive(Debug)]
pub struct Events(broadcast::Sender<Arc<Notice>>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Events {
    /// Says what happened; `event` is made only when somebody follows.
    pub fn say(&self, event: impl FnOnce() -> Event) {
        if self.0.receiver_count() > 0 {
            let notice = Notice { at: Timestamp::now(), event: event() };
            // The last one may have left at this moment.
            self.0.send(Arc::new(notice)).ok();
        }
    }

    /// Everything that is said from now on.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.0.subscribe()
    }
}

/// The first line of what may be a whole page.
pub(crate) fn brief(words: &str) -> String {
    words.lines().next().unwrap_or_default().chars().take(WORDS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_not_even_made_while_nobody_follows() {
        let events = Events::default();
        events.say(|| panic!("nobody listens"));
        let mut follower = events.follow();
        events.say(|| Event::SettingsChanged);
        assert_eq!(follower.try_recv().unwrap().event, Event::SettingsChanged);
        drop(follower);
        events.say(|| panic!("nobody listens any more"));
    }

    #[test]
    fn a_slow_follower_misses_the_oldest_and_stops_nobody() {
        let events = Events::default();
        let mut slow = events.follow();
        for _ in 0..WAITING + 7 {
            events.say(|| Event::SettingsChanged);
        }
        assert_eq!(slow.try_recv(), Err(broadcast::error::TryRecvError::Lagged(7)));
        assert!(slow.try_recv().is_ok());
    }

    #[test]
    fn words_are_cut_to_a_line() {
        assert_eq!(brief("one\ntwo"), "one");
        assert_eq!(brief(&"ö".repeat(9000)).chars().count(), WORDS);
        assert_eq!(brief(""), "");
    }
}
