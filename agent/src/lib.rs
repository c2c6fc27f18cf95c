//! Watches folders, converts result files to WATS reports and delivers them.
//!
//! The modules are the way of a report: [`intake`] finds a file and waits until it is complete;
//! [`work`] claims it, has it converted in a worker process ([`convert`]), makes its reports durable
//! ([`store`]) and only then puts it away ([`archive`]); [`deliver`] sends the reports. [`Agent`] is what
//! these share, and [`run()`] starts them all.

mod agent;
pub mod archive;
pub mod check;
pub mod cli;
pub mod config;
pub mod control;
pub mod convert;
pub mod deliver;
pub mod events;
pub mod files;
pub mod forecast;
pub mod health;
pub mod instances;
pub mod intake;
pub mod ledger;
mod metrics;
pub mod plugins;
pub mod reading;
pub mod registration;
mod run;
pub mod sandbox;
pub mod secret;
pub mod service;
pub mod store;
mod system;
mod turns;
pub mod work;

use std::error::Error;

pub use agent::{Agent, ChangeError, LinkState, SourceHealth};
pub use run::{InstanceTaken, run};

/// An error with every cause, on one line: `a: b: c`.
pub fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
