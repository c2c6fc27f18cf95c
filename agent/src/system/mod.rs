//! What the agent asks of the operating system beyond the standard library, in the same words on each of them.
//!
//! `unix` is what Linux and macOS have in common, and `linux`, `macos` and `windows` the rest. Modes are those of Unix: where
//! a system has none, one for the owner alone keeps others out, and every other leaves a file to its folder's rights.

#[cfg(target_os = "linux")]
mod code;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "linux"))]
mod processes;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
pub(crate) mod windows;

use std::path::PathBuf;

#[cfg(target_os = "linux")]
pub(crate) use code::let_go_of_code;
#[cfg(target_os = "linux")]
pub(crate) use linux::*;
#[cfg(target_os = "macos")]
pub(crate) use macos::*;
#[cfg(not(target_os = "linux"))]
pub(crate) use processes::*;
#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// Where things lie that the configuration does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    /// Configurations, one file for each instance.
    pub(crate) configurations: PathBuf,
    /// The folder of each instance, with its database.
    pub(crate) storage: PathBuf,
    /// The control API's sockets.
    pub(crate) sockets: PathBuf,
    /// The folders of sources, below one for each instance.
    pub(crate) sources: PathBuf,
    /// What Python plug-ins are run with.
    pub(crate) support: PathBuf,
    pub(crate) python: PathBuf,
    /// The machine key, where no service manager hands one over.
    pub(crate) machine_key: Option<PathBuf>,
}
