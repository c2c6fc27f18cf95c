//! What runs the agent as a service, and how the agent speaks to it.

mod signals;
mod systemd;
mod vitals;

pub use signals::stop_on_terminate;
pub use systemd::Notifier;
pub use vitals::{Pulse, Stuck, Vitals};
