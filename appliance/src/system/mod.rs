//! The privileged side of the appliance, one file per subject.

pub mod api;
pub mod client;
