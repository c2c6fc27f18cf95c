//! Customers' own converters: programs and Python files that are not ours, run in the sandbox.
//!
//! A plug-in lies in the plug-in folder as a [`content`]; asked what it is, it answers a [`description`]. A person enables
//! exactly that content: a copy of it lies on the shelf, and nothing but that copy ever runs. The [`Catalogue`] is
//! what the enabled ones can do; it is part of the settings in force. [`Plugins`] keeps warm workers for them and has
//! files converted, in the words of `docs/plugin-protocol.md` ([`protocol`]).

pub mod argument;
pub mod catalogue;
pub mod check;
pub mod content;
mod cron;
pub mod description;
mod driver;
#[cfg_attr(windows, path = "emptying_windows.rs")]
mod emptying;
mod ending;
pub mod environment;
mod input;
pub mod manage;
#[cfg_attr(not(target_os = "linux"), path = "one_cpu_elsewhere.rs")]
mod one_cpu;
mod order;
mod pool;
mod process;
pub mod protocol;
mod run;
pub mod schedule;
mod shelf;
mod talk;
mod unpack;

pub use catalogue::{Catalogue, Enabled, Found};
pub(crate) use driver::{Stop, apart};
pub(crate) use emptying::Place;
pub use pool::{Made, Plugins, Settle, Verdict};
pub use process::{PluginError, Program, Runtime};
pub use run::run;
pub(crate) use talk::Room;

/// What stands before the name of a plug-in's converter where a source names it.
pub const PREFIX: &str = "plugin:";

/// The plug-in's converter that a source's converter names; `None`: it is one of our own.
pub fn name_of(converter: &str) -> Option<&str> {
    converter.strip_prefix(PREFIX)
}
