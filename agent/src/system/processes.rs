//! This machine and its processes where there is no `/proc`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System};

/// The system's name and version, for people.
pub(crate) fn system_name() -> String {
    System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned())
}

/// The memory of this machine in bytes; 0 where the system does not say.
pub(crate) fn machine_memory() -> u64 {
    let Ok(mut system) = System::new() else { return 0 };
    system.refresh_memory();
    system.total_memory()
}

/// The disk of the system, and whether a folder is on it, too.
pub(crate) fn system_disk(folder: &Path) -> (PathBuf, bool) {
    if cfg!(windows) {
        let mut root = std::env::var_os("SystemDrive").unwrap_or_else(|| "C:".into());
        root.push(r"\");
        let root = PathBuf::from(root);
        let same = folder.starts_with(&root);
        (root, same)
    } else {
        // What is mounted elsewhere has a disk of its own.
        (PathBuf::from("/"), !folder.starts_with("/Volumes"))
    }
}

/// Resident memory of this process and its direct children; 0 where the system does not say.
pub(crate) fn own_memory() -> u64 {
    resident(std::process::id())
}

/// The resident memory of a process and all that it started.
pub(crate) fn resident(process: u32) -> u64 {
    sum(process, ProcessRefreshKind::nothing().with_memory(), Process::memory).unwrap_or(0)
}

/// The processor time of a process and all that it started; nothing where the system does not say.
pub(crate) fn processor_time(process: u32) -> Option<Duration> {
    let kind = ProcessRefreshKind::nothing().with_cpu();
    sum(process, kind, Process::accumulated_cpu_time).map(Duration::from_millis)
}

fn sum(process: u32, kind: ProcessRefreshKind, figure: impl Fn(&Process) -> u64) -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let top = Pid::from_u32(process);
    let belongs = |it: &Process| {
        // No process is that deep below another; a number that was used again could make a circle.
        let line = std::iter::successors(Some(it), |at| system.process(at.parent()?));
        line.take(16).any(|at| at.pid() == top)
    };
    let all = system.processes().values();
    Some(all.filter(|it| it.thread_kind().is_none() && belongs(it)).map(figure).sum())
}
