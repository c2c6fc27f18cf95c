//! Service managers that want to hear nothing: that of Windows is spoken to where the process begins, launchd never.

use std::convert::Infallible;

use tokio_util::sync::CancellationToken;

use super::Vitals;

/// Says nothing.
#[derive(Debug, Clone)]
pub struct Notifier(());

impl Notifier {
    pub fn from_environment() -> Self {
        Self(())
    }

    pub fn ready(&self, _status: &str) {}

    pub fn stopping(&self) {}

    /// Nobody restarts a process that hangs: its log says which loop does. Returns when `stop` fires.
    pub async fn watch(&self, vitals: &Vitals, stop: &CancellationToken) {
        let _: Option<Infallible> = stop.run_until_cancelled(complain(vitals)).await;
    }
}

async fn complain(vitals: &Vitals) -> Infallible {
    let mut complained = false;
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(10)).await;
        let stuck = vitals.stuck();
        if !stuck.is_empty() && !complained {
            let names: Vec<String> = stuck.iter().map(ToString::to_string).collect();
            tracing::error!("the agent hangs: {}", names.join(", "));
        }
        complained = !stuck.is_empty();
    }
}
