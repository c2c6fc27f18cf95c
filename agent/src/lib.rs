//! Watches folders, converts result files to WATS reports and delivers them.

mod agent;
pub mod check;
pub mod config;
pub mod control;
pub mod files;
pub mod health;
pub mod secret;
pub mod service;
pub mod store;

pub use agent::{Agent, ChangeError, LinkState, SourceHealth};
