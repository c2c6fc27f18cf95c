//! The appliance's own state, its privileged system daemon, provisioning and screen.

pub mod cli;
pub mod files;
pub mod provision;
pub mod state;
pub mod system;
pub mod tty;
