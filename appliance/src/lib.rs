//! The appliance's own state, its privileged system daemon, provisioning and screen.

pub mod files;
pub mod state;
pub mod system;
