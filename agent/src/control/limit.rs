//! How often each client may ask.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// With more clients than that, those that have been quiet for a minute are forgotten.
const CLIENTS: usize = 256;

/// Whose requests count together. None of it can be chosen by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// A user of this machine at the Unix socket, as the kernel says.
    User(u32),
    /// All over TCP that show the token.
    Tcp,
    /// All whom nobody vouches for: they can use up nobody's share but their own.
    Stranger,
}

/// The requests that each client has left.
#[derive(Debug, Default)]
pub(super) struct Limiter(Mutex<HashMap<Client, Bucket>>);

/// Holds as many requests as a minute allows, and fills up again in a minute.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Limiter {
    /// Takes one request; 0 is no limit.
    ///
    /// # Errors
    /// With the time after which the client may ask again.
    pub(super) fn take(&self, client: Client, per_minute: u32, now: Instant) -> Result<(), Duration> {
        if per_minute == 0 {
            return Ok(());
        }
        let (most, each) = (f64::from(per_minute), 60.0 / f64::from(per_minute));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= CLIENTS && !buckets.contains_key(&client) {
            buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < Duration::from_secs(60));
        }
        let bucket = buckets.entry(client).or_insert(Bucket { left: most, at: now });
        let came = now.saturating_duration_since(bucket.at).as_secs_f64() / each;
        bucket.left = (bucket.left + came).min(most);
        bucket.at = bucket.at.max(now);
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.left) * each));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_its_minute_s_worth_and_then_one_by_one() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        let ask = |client, after: u64| limiter.take(client, 100, start + Duration::from_millis(after));
        for _ in 0..100 {
            ask(Client::User(1), 0).unwrap();
        }
        let wait = ask(Client::User(1), 0).unwrap_err();
        assert!(wait > Duration::from_millis(500) && wait <= Duration::from_millis(600), "{wait:?}");
        // Nobody else has less for it.
        ask(Client::User(2), 0).unwrap();
        ask(Client::Tcp, 0).unwrap();
        ask(Client::User(1), 601).unwrap();
        ask(Client::User(1), 602).unwrap_err();
        // However long it was quiet, a minute's worth is all it has.
        let later = (0..200).filter(|_| ask(Client::User(1), 600_000).is_ok()).count();
        assert_eq!(later, 100);
        // A clock that stands still, or jumps back, neither gives nor takes.
        ask(Client::User(1), 0).unwrap_err();
    }

    #[test]
    fn no_limit_is_none_and_many_clients_are_not_remembered_for_ever() {
        let (limiter, start) = (Limiter::default(), Instant::now());
        assert!((0..10_000).all(|_| limiter.take(Client::Tcp, 0, start).is_ok()));
        for user in 0..2000 {
            limiter.take(Client::User(user), 1, start + Duration::from_secs(61) * user).unwrap();
        }
        assert!(limiter.0.lock().unwrap().len() <= CLIENTS);
    }
}
