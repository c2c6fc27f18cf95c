//! Limits of the process itself, which every Linux has.

use nix::sys::resource::{Resource, setrlimit};

use crate::sandbox::{Part, Profile};

/// Sets every limit that is not lifted, soft and hard alike: what is hard cannot be raised again.
pub(super) fn set(profile: &Profile) -> nix::Result<String> {
    let limits = &profile.limits;
    let is_lifted = |part| profile.lifted.contains(&part);
    let fixed = |resource, value| setrlimit(resource, value, value);
    fixed(Resource::RLIMIT_CORE, 0)?;
    fixed(Resource::RLIMIT_MEMLOCK, 0)?;
    fixed(Resource::RLIMIT_NOFILE, limits.open_files)?;
    fixed(Resource::RLIMIT_FSIZE, limits.scratch_bytes)?;
    if !is_lifted(Part::Memory) {
        fixed(Resource::RLIMIT_AS, limits.memory_bytes)?;
    }
    if !is_lifted(Part::Time) {
        fixed(Resource::RLIMIT_CPU, limits.cpu.as_secs().max(1))?;
    }
    Ok(String::new())
}
