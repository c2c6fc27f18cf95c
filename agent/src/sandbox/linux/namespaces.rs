//! Namespaces: users first, which gives an ordinary process the right to make the others.

use std::fs::File;
use std::io::{self, Write};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, getgid, getuid, sethostname};

use crate::sandbox::{Layer, LayerState, Layers, Part, Profile};

/// Enters every namespace but that of mounts, which the keeper enters so that the helper keeps its files. That of
/// processes holds for children only.
pub(super) fn enter(profile: &Profile, layers: &mut Layers) {
    super::note(profile, layers, Layer::Users, users);
    super::note(profile, layers, Layer::Processes, || other(CloneFlags::CLONE_NEWPID));
    if profile.lifted.contains(&Part::Network) {
        layers.set(Layer::Network, LayerState::Lifted);
    } else {
        super::note(profile, layers, Layer::Network, || other(CloneFlags::CLONE_NEWNET));
    }
    super::note(profile, layers, Layer::Ipc, || other(CloneFlags::CLONE_NEWIPC));
    super::note(profile, layers, Layer::HostName, || {
        other(CloneFlags::CLONE_NEWUTS)?;
        // A unit may forbid it; then the box keeps the name, and still cannot change it outside.
        let kept = sethostname("converter").err().map(|_| "keeps the host's name".to_owned());
        Ok::<_, String>(((), kept.unwrap_or_default()))
    });
}

/// A namespace in which this process has its own number and no right over anything outside.
pub(super) fn users() -> Result<((), String), String> {
    // Some systems let one enter and then allow nothing in it: that would be half a box. A child finds out.
    let works = match super::fork()? {
        ForkResult::Child => std::process::exit(i32::from(enter_users().is_err())),
        ForkResult::Parent { child } => waitpid(child, None),
    };
    if !matches!(works, Ok(WaitStatus::Exited(_, 0))) {
        return Err("the system forbids user namespaces to ordinary programs".to_owned());
    }
    enter_users().map_err(|error| format!("could not enter a user namespace: {error}"))?;
    Ok(((), String::new()))
}

fn enter_users() -> io::Result<()> {
    let (user, group) = (getuid(), getgid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    let write = |file: &str, text: &str| {
        File::options().write(true).open(format!("/proc/self/{file}"))?.write_all(text.as_bytes())
    };
    write("setgroups", "deny")?;
    write("uid_map", &format!("{user} {user} 1"))?;
    write("gid_map", &format!("{group} {group} 1"))
}

fn other(which: CloneFlags) -> Result<((), String), String> {
    match unshare(which) {
        Ok(()) => Ok(((), String::new())),
        Err(error) => Err(format!("the system forbids this namespace: {error}")),
    }
}

/// No network.
pub(super) fn network() -> Result<((), String), String> {
    other(CloneFlags::CLONE_NEWNET)
}
