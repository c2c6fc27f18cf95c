//! Watches folders, converts result files to WATS reports and delivers them.

pub mod control;
pub mod files;
pub mod secret;
pub mod service;
