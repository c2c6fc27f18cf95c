//! Memory, processes and processor weight, by cgroup v2, where a group was delegated to the agent.
//!
//! A group that hands controllers on may hold no process itself. So the agent, once, moves itself into a group
//! `agent` below its own, and each box gets one beside it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::sandbox::{Part, Profile};

/// Where the agent is, below the group that was delegated to it.
const AGENT: &str = "agent";
/// What a box needs of the kernel; the weight is welcome, too.
const NEEDED: [&str; 2] = ["memory", "pids"];
/// Beside the 100 of the agent itself.
const WEIGHT: &str = "50";

/// The group of one box.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
    processes: File,
}

impl Group {
    pub(super) fn make(profile: &Profile) -> Result<(Self, String), String> {
        let above = delegated()?;
        let folder = above.join(format!("box-{}", std::process::id()));
        let made = || -> io::Result<Self> {
            fs::create_dir(&folder)?;
            if !profile.lifted.contains(&Part::Memory) {
                set(&folder, "memory.max", &profile.limits.memory_bytes.to_string())?;
                // Absent without swap.
                set(&folder, "memory.swap.max", "0").ok();
                set(&folder, "memory.oom.group", "1").ok();
            }
            set(&folder, "pids.max", &(super::limits::tasks(profile) + 1).to_string())?;
            set(&folder, "cpu.weight", WEIGHT).ok();
            let processes = File::options().write(true).open(folder.join("cgroup.procs"))?;
            Ok(Self { folder: folder.clone(), processes })
        };
        match made() {
            Ok(group) => Ok((group, "memory, pids".to_owned())),
            Err(error) => {
                fs::remove_dir(&folder).ok();
                Err(format!("could not set up the control group {}: {error}", folder.display()))
            }
        }
    }

    /// Moves this process in.
    pub(super) fn enter(&self) -> Result<(), String> {
        (&self.processes)
            .write_all(b"0")
            .map_err(|error| format!("could not enter the control group: {error}"))
    }

    pub(super) fn kill(&self) {
        // Absent before Linux 5.14; the other ways of ending a box remain.
        set(&self.folder, "cgroup.kill", "1").ok();
    }

    pub(super) fn remove(&self) {
        // One that cannot be removed is empty, and goes with the agent's own group.
        fs::remove_dir(&self.folder).ok();
    }
}

/// Prepares the group that systemd delegated to the agent for boxes. To be called once, before any child is started.
///
/// # Errors
/// Why there will be no control groups: in words, since nothing else fails.
pub(crate) fn take_over() -> Result<(), String> {
    let own = own()?;
    let held = read(&own, "cgroup.procs")?;
    if held.split_whitespace().ne([std::process::id().to_string().as_str()]) {
        return Err(format!("the control group {} is not the agent's alone", own.display()));
    }
    lacking(&read(&own, "cgroup.controllers")?)?;
    let prepare = || -> io::Result<()> {
        let agent = own.join(AGENT);
        if !agent.is_dir() {
            fs::create_dir(&agent)?;
        }
        set(&agent, "cgroup.procs", "0")?;
        for controller in NEEDED {
            set(&own, "cgroup.subtree_control", &format!("+{controller}"))?;
        }
        set(&own, "cgroup.subtree_control", "+cpu").ok();
        Ok(())
    };
    prepare().map_err(|error| {
        format!("the control group {} is not delegated to the agent: {error}", own.display())
    })
}

/// The folder below which boxes get their groups.
fn delegated() -> Result<PathBuf, String> {
    let own = own()?;
    let above = match own.parent() {
        Some(above) if own.ends_with(AGENT) => above.to_owned(),
        _ => return Err("no control group is delegated to the agent: the unit needs Delegate=".to_owned()),
    };
    lacking(&read(&above, "cgroup.subtree_control")?)?;
    Ok(above)
}

fn lacking(controllers: &str) -> Result<(), String> {
    let there: Vec<_> = controllers.split_whitespace().collect();
    let lacking: Vec<_> = NEEDED.into_iter().filter(|it| !there.contains(it)).collect();
    if lacking.is_empty() {
        Ok(())
    } else {
        Err(format!("cgroup v2 has no controller {} here", lacking.join(", ")))
    }
}

/// The group of this process.
fn own() -> Result<PathBuf, String> {
    let groups = read(Path::new("/proc/self"), "cgroup")?;
    let mounts = read(Path::new("/proc/self"), "mountinfo")?;
    find(&groups, &mounts).ok_or_else(|| "there is no cgroup v2 on this machine".to_owned())
}

fn find(groups: &str, mounts: &str) -> Option<PathBuf> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    // 30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw
    let mount = mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        kind.starts_with("cgroup2 ").then(|| place.split(' ').nth(4))?
    })?;
    Some(Path::new(mount).join(group))
}

fn read(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    fs::read_to_string(&path).map_err(|error| format!("could not read {}: {error}", path.display()))
}

fn set(folder: &Path, name: &str, value: &str) -> io::Result<()> {
    File::options().write(true).open(folder.join(name))?.write_all(value.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_beside_those_of_version_1() {
        let mounts = "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      31 23 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let groups = "2:memory:/a\n0::/system.slice/wats-agent@default.service/agent\n";
        let found = find(groups, mounts).unwrap();
        assert_eq!(found, Path::new("/sys/fs/cgroup/unified/system.slice/wats-agent@default.service/agent"));
        assert_eq!(find("2:memory:/a\n", mounts), None);
        assert_eq!(find(groups, "30 23 0:26 / / rw - ext4 x rw\n"), None);
    }

    #[test]
    fn a_controller_that_lacks_is_named() {
        assert_eq!(lacking("cpuset cpu memory pids"), Ok(()));
        assert_eq!(lacking("hugetlb pids").unwrap_err(), "cgroup v2 has no controller memory here");
    }
}
