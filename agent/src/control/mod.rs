//! The control API: the one way in for the console and the command line.

pub mod api;
pub mod client;
