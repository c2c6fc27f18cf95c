//! What runs the agent as a service, and how the agent speaks to it.

#[cfg_attr(not(target_os = "linux"), path = "silent.rs")]
mod systemd;
mod vitals;
#[cfg(windows)]
mod windows;

use std::fs::File;

use tokio_util::sync::CancellationToken;

pub use systemd::Notifier;
pub use vitals::{Pulse, Stuck, Vitals};
#[cfg(windows)]
pub(crate) use windows::host;

/// What a service manager gives that hosts the process, instead of signals and a place for standard error.
#[derive(Debug)]
pub struct Hosted {
    /// Fires when the service is to stop.
    pub stop: CancellationToken,
    pub log: File,
}

/// Does the work. What manages services here sends signals and reads standard error.
#[cfg(not(windows))]
pub(crate) fn host(
    _log: impl FnOnce() -> anyhow::Result<std::path::PathBuf>,
    work: impl FnOnce(Option<Hosted>) -> anyhow::Result<()> + Send + 'static,
) -> anyhow::Result<()> {
    work(None)
}
