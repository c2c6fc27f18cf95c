//! Watches folders, converts result files to WATS reports and delivers them.

pub mod control;
