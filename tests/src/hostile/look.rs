//! What shows of a program from outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::holds;

/// What an attack did.
#[derive(Debug, Default)]
pub struct Seen {
    pub output: Vec<u8>,
    pub errors: String,
    /// The secret is in what it answered.
    pub secret: bool,
    /// Where something of it arrived.
    pub reached: BTreeSet<&'static str>,
    /// A file outside was made or changed.
    pub planted: bool,
    pub input_changed: bool,
    pub agent_ended: bool,
    pub key_left: bool,
    /// All its processes together.
    pub processes: usize,
    pub threads: usize,
    pub memory_bytes: u64,
    pub descriptors: usize,
    /// What the descriptors and programs of its processes are.
    pub open: BTreeSet<String>,
    /// One of its processes is in a user namespace of its own.
    pub new_namespace: bool,
    pub scratch_bytes: u64,
    pub cpu: Duration,
    /// Something of it was still there when its box had been dropped.
    pub lives_on: bool,
}

fn place(process: u32) -> PathBuf {
    Path::new("/proc").join(process.to_string())
}

/// The file system that a process sees.
pub(super) fn root_of(process: u32) -> PathBuf {
    place(process).join("root")
}

/// Every process whose environment holds the canary.
pub(super) fn with_canary(canary: &str) -> Vec<u32> {
    let Ok(all) = fs::read_dir("/proc") else { return Vec::new() };
    all.filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok())
        .filter(|it| fs::read(place(*it).join("environ")).is_ok_and(|it| holds(&it, canary)))
        .collect()
}

pub(super) fn namespace_of(process: Option<u32>) -> Option<PathBuf> {
    fs::read_link(place(process?).join("ns/user")).ok()
}

pub(super) fn at_process(process: u32, own_namespace: Option<&Path>, seen: &mut Seen) {
    let place = place(process);
    let links = |folder: &str| -> Vec<String> {
        let Ok(found) = fs::read_dir(place.join(folder)) else { return Vec::new() };
        found
            .filter_map(|it| fs::read_link(it.ok()?.path()).ok())
            .map(|it| it.display().to_string())
            .collect()
    };
    let descriptors = links("fd");
    seen.processes += 1;
    seen.threads += fs::read_dir(place.join("task")).map_or(0, Iterator::count);
    seen.descriptors = seen.descriptors.max(descriptors.len());
    seen.open.extend(descriptors);
    seen.open.extend(fs::read_link(place.join("exe")).ok().map(|it| it.display().to_string()));
    let status = fs::read_to_string(place.join("status")).unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    seen.memory_bytes += resident.unwrap_or(0) << 10;
    let namespace = namespace_of(Some(process));
    seen.new_namespace |= namespace.is_some() && namespace.as_deref() != own_namespace;
}

/// The files of a folder, together.
pub(super) fn size(folder: &Path) -> u64 {
    let Ok(found) = fs::read_dir(folder) else { return 0 };
    found.filter_map(|it| Some(it.ok()?.metadata().ok()?.len())).sum()
}

pub(super) fn end(process: u32) {
    if let Ok(process) = i32::try_from(process) {
        kill(Pid::from_raw(process), Signal::SIGKILL).ok();
    }
}
