//! What runs the agent as a service, and how the agent speaks to it.

#[cfg_attr(not(target_os = "linux"), path = "silent.rs")]
mod systemd;
mod vitals;

pub use systemd::Notifier;
pub use vitals::{Pulse, Stuck, Vitals};
