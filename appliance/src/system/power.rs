//! Restart and switch off.

use std::time::Duration;

use super::api::PowerAction;
use super::runner::{Call, Runner};

/// Long enough for the answer to reach the browser.
const GRACE: Duration = Duration::from_secs(1);

/// Does it a moment later, so that whoever asked still gets an answer.
pub fn later(runner: Runner, action: PowerAction) {
    let verb = match action {
        PowerAction::Restart => "reboot",
        PowerAction::SwitchOff => "poweroff",
    };
    tokio::spawn(async move {
        tokio::time::sleep(GRACE).await;
        if let Err(error) = runner.run(Call::new("/usr/bin/systemctl").arguments([verb])).await {
            tracing::error!("{verb} failed: {error}");
        }
    });
}
