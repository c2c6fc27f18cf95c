//! The privileged side of the appliance, one file per subject.

pub mod api;
pub mod apt;
pub mod client;
pub mod daemon;
pub mod host;
pub mod power;
pub mod runner;
pub mod updates;
