//! The appliance's own state, its privileged system daemon, provisioning and screen.

pub mod system;
