//! The box in which foreign converters run, and the stricter one of our own.
//!
//! [`start`] runs a program in a box: our own binary is started with a hidden subcommand, which sets one layer after
//! the other, from the outside in, says through a pipe which of them hold, and becomes the program. [`enter_native`]
//! puts the calling process into the strictest box. [`probe`] says which layers this machine allows.
//!
//! Each layer is one file, stands alone, and is reported whether it holds: see [`Layer`].

#[cfg(any(windows, test))]
mod command_line;
mod layers;
mod noted;
mod plan;
mod remedy;
mod start;
mod status;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;

/// The system that this is.
#[cfg(target_os = "linux")]
use linux as here;
#[cfg(target_os = "macos")]
use macos as here;
#[cfg(windows)]
use windows as here;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use layers::{Layer, LayerState, Layers};
pub use start::{Boxed, SandboxError, helper, probe, start, start_with};

pub(crate) use here::take_over_control_group;
pub use here::{enter_native, help};
pub(crate) use status::{concerns, look};

/// The hidden subcommand that becomes the program in the box.
pub(crate) const SUBCOMMAND: &str = "sandboxed";

/// What a program in a box may see and take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub kind: Kind,
    /// What it may read and execute.
    pub see: Vec<See>,
    /// Its working directory, the temporary folder and the home of the program, and the one place to write.
    ///
    /// Where the box has a file system of its own it is a fresh one in memory, of at most
    /// [`Limits::scratch_bytes`], and the folder `here` stays untouched; elsewhere it is `here`.
    /// [`Boxed::empty_scratch`] empties it.
    pub scratch: See,
    /// More places to write: real folders, for [`Part::Files`] alone.
    pub write: Vec<See>,
    pub limits: Limits,
    /// What a person trusts it with.
    pub lifted: BTreeSet<Part>,
    /// The whole environment, but for `HOME` and `TMPDIR`, which are the scratch folder.
    pub environment: Vec<(OsString, OsString)>,
    pub missing_layers: MissingLayers,
    /// Layers that are left out, to show what the others stop. Only tests set it: no configuration leads here.
    #[doc(hidden)]
    pub without: BTreeSet<Layer>,
}

impl Profile {
    /// A box with nothing to see but a scratch folder, and the usual limits.
    pub fn new(kind: Kind, scratch: See) -> Self {
        Self {
            kind,
            see: Vec::new(),
            scratch,
            write: Vec::new(),
            limits: Limits::default(),
            lifted: BTreeSet::new(),
            environment: Vec::new(),
            missing_layers: MissingLayers::default(),
            without: BTreeSet::new(),
        }
    }
}

/// Which system calls a program needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A Python interpreter.
    Python,
    /// Any other program.
    Program,
}

/// A file or folder, and where the program sees it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct See {
    pub here: PathBuf,
    /// Absolute. Where the box has no file system of its own the program sees it at `here`: [`Boxed::path`] says which.
    pub inside: PathBuf,
}

impl See {
    /// At the same place inside as here.
    pub fn same(path: impl Into<PathBuf>) -> Self {
        let here = path.into();
        Self { inside: here.clone(), here }
    }

    pub fn at(here: impl Into<PathBuf>, inside: impl Into<PathBuf>) -> Self {
        Self { here: here.into(), inside: inside.into() }
    }
}

/// A part of the box that `trusted` may lift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "SandboxPart")]
pub enum Part {
    /// It may use the network.
    Network,
    /// It may start processes.
    Processes,
    /// It may take as much memory as it wants.
    Memory,
    /// It may take as much processor time as it wants.
    Time,
    /// It sees more files: whatever is in [`Profile::see`] and [`Profile::write`] besides the usual.
    Files,
    /// It may use the system calls that no converter needs; those that break out stay refused.
    SystemCalls,
}

/// What a program may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Processor time over the whole life of the process. For one that converts many files, give twice what one file
    /// may take and replace it once [`Boxed::cpu_used`] says that half is gone: no file gets less then.
    pub cpu: Duration,
    /// Address space of each process; also of all together where there is a memory controller.
    pub memory_bytes: u64,
    pub open_files: u64,
    /// Processes at a time; the threads of each do not count.
    pub processes: u32,
    /// All files in the scratch folder together where it is in memory, and each file everywhere.
    pub scratch_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(120),
            memory_bytes: 512 << 20,
            open_files: 50,
            processes: 1,
            scratch_bytes: 256 << 20,
        }
    }
}

/// What a layer means that the machine does not allow: the setting `sandbox.missing_layers`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingLayers {
    /// The program is started without, and log, health and `wats-agent sandbox status` say so.
    #[default]
    Warn,
    /// The program is not started.
    Refuse,
}
