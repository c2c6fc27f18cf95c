//! When the server is asked again. Decides, touches nothing.

use std::time::Duration;

use wats::client::{SubmitError, Verdict};

use super::RegisterError;

/// The server hears so often that the machine lives, and how it fares.
pub(super) const PING: Duration = Duration::from_secs(5 * 60);
pub(super) const UPDATE: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The first pause after a failure, doubled at each.
const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// How long to wait after so many failures in a row.
pub(super) fn after(error: &RegisterError, failures: u32) -> Duration {
    match error {
        RegisterError::Unsupported | RegisterError::Refused { .. } => DAY,
        RegisterError::Denied { .. } | RegisterError::Server(SubmitError::Unauthorised) => UPDATE,
        RegisterError::Server(error) => match error.verdict() {
            Verdict::Retry { retry_after } => doubled(failures).max(retry_after.unwrap_or_default()),
            Verdict::Hold | Verdict::Reject => UPDATE,
        },
        RegisterError::NoServer
        | RegisterError::NoRoom
        | RegisterError::Settings(_)
        | RegisterError::Secret(_)
        | RegisterError::Store(_) => doubled(failures),
    }
}

fn doubled(failures: u32) -> Duration {
    FIRST.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_clients_is_asked_once_a_day_and_one_in_trouble_sooner() {
        assert_eq!(after(&RegisterError::Unsupported, 1), DAY);
        assert_eq!(after(&RegisterError::Denied { message: String::new() }, 7), UPDATE);
        let busy = |pause| RegisterError::Server(SubmitError::Throttled { retry_after: pause });
        let waits: Vec<_> = [1, 2, 3, 5, 100].map(|failures| after(&busy(None), failures).as_secs()).to_vec();
        assert_eq!(waits, [60, 120, 240, 900, 900]);
        assert_eq!(after(&busy(Some(DAY)), 1), DAY);
        assert_eq!(after(&RegisterError::Server(SubmitError::TimedOut), 1), FIRST);
    }
}
