//! Start, stop and watchdog messages to systemd.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

use super::Vitals;

/// Speaks to the service manager that started this process; silent when none did.
#[derive(Debug, Clone)]
pub struct Notifier {
    /// How long systemd waits for a sign of life before it restarts us.
    watchdog: Option<Duration>,
}

impl Notifier {
    /// Finds out from the environment whether systemd wants to hear from us.
    pub fn from_environment() -> Self {
        Self { watchdog: sd_notify::watchdog_enabled() }
    }

    /// The agent does its work from now on.
    pub fn ready(&self, status: &str) {
        send(&[NotifyState::Ready, NotifyState::Status(&one_line(status))]);
    }

    /// The agent reads its configuration again; [`Notifier::ready`] ends that.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => send(&[NotifyState::Reloading, now]),
            Err(error) => tracing::debug!(%error, "could not read the clock for systemd"),
        }
    }

    /// One line for `systemctl status`.
    pub fn status(&self, status: &str) {
        send(&[NotifyState::Status(&one_line(status))]);
    }

    /// The agent hands back what it has in hand and ends.
    pub fn stopping(&self) {
        send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
    }

    /// Gives systemd its signs of life, for as long as every loop turns; returns when `stop` fires.
    pub async fn watch(&self, vitals: &Vitals, stop: &CancellationToken) {
        let Some(patience) = self.watchdog else { return stop.cancelled().await };
        let mut ticks = tokio::time::interval(patience / 3);
        let mut complained = false;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let stuck = vitals.stuck();
            if stuck.is_empty() {
                // Not on this thread: a service manager that hangs must not hold up the agent's work.
                let told = tokio::task::spawn_blocking(|| send(&[NotifyState::Watchdog])).await;
                if let Err(error) = told {
                    tracing::warn!(%error, "could not notify systemd");
                }
            } else if !complained {
                let names: Vec<String> = stuck.iter().map(ToString::to_string).collect();
                tracing::error!(
                    "no sign of life for systemd, it will restart the agent: {}",
                    names.join(", ")
                );
            }
            complained = !stuck.is_empty();
        }
    }
}

/// A line break would start another message.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn send(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "could not notify systemd");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_cannot_smuggle_in_a_message() {
        assert_eq!(one_line("held: no\nREADY=1"), "held: no READY=1");
    }
}
