//! Limits of the process itself, which every Linux has.

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::utsname::uname;

use crate::sandbox::{Part, Profile};

/// Threads of one process.
const THREADS: u64 = 64;
/// Processes and threads of a program that may start processes: enough for a compiler, too few for a bomb.
const TASKS: u64 = 512;

/// How many processes and threads a box may have.
pub(super) fn tasks(profile: &Profile) -> u64 {
    if profile.lifted.contains(&Part::Processes) {
        TASKS
    } else {
        THREADS.saturating_mul(profile.limits.processes.into())
    }
}

/// Sets every limit that is not lifted, soft and hard alike: what is hard cannot be raised again.
///
/// `own_count`: this process is in a user namespace of its own.
pub(super) fn set(profile: &Profile, own_count: bool) -> nix::Result<String> {
    let limits = &profile.limits;
    let is_lifted = |part| profile.lifted.contains(&part);
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_MEMLOCK, 0)?;
    lower(Resource::RLIMIT_MSGQUEUE, 0)?;
    lower(Resource::RLIMIT_NICE, 0)?;
    lower(Resource::RLIMIT_RTPRIO, 0)?;
    lower(Resource::RLIMIT_NOFILE, limits.open_files)?;
    lower(Resource::RLIMIT_FSIZE, limits.scratch_bytes)?;
    if !is_lifted(Part::Memory) {
        lower(Resource::RLIMIT_AS, limits.memory_bytes)?;
    }
    if !is_lifted(Part::Time) {
        lower(Resource::RLIMIT_CPU, limits.cpu.as_secs().max(1))?;
        // A second earlier comes the signal that says why.
        let (_, most) = getrlimit(Resource::RLIMIT_CPU)?;
        setrlimit(Resource::RLIMIT_CPU, (most - 1).max(1), most)?;
    }
    let counted = own_count && counts_by_namespace();
    if counted {
        // The keeper is one of them.
        lower(Resource::RLIMIT_NPROC, tasks(profile) + 1)?;
    }
    Ok(if counted { String::new() } else { "not of processes, which would count all of the user".to_owned() })
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, value: u64) -> nix::Result<()> {
    let (_, most) = getrlimit(resource)?;
    let value = value.min(most);
    setrlimit(resource, value, value)
}

/// Before Linux 5.14 the limit of processes counts all of the user, whatever namespace they are in.
fn counts_by_namespace() -> bool {
    let release = uname().map(|it| it.release().to_string_lossy().into_owned());
    release.is_ok_and(|release| at_least(&release, (5, 14)))
}

fn at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|it: char| !it.is_ascii_digit()).map_while(|it| it.parse().ok());
    numbers.next().zip(numbers.next()).is_some_and(|it| it >= wanted)
}

/// The address space of this process, and no core file.
pub(super) fn set_memory(bytes: u64) -> Result<(), Errno> {
    lower(Resource::RLIMIT_AS, bytes)?;
    lower(Resource::RLIMIT_CORE, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_compared_by_number() {
        assert!(at_least("5.15.0-91-generic", (5, 14)));
        assert!(at_least("6.1.0-13-amd64", (5, 14)));
        assert!(!at_least("5.4.0", (5, 14)));
        assert!(!at_least("4.19", (5, 14)));
        assert!(!at_least("odd", (5, 14)));
    }
}
