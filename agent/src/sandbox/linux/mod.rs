//! The helper's side on Linux: sets the layers on itself and becomes the program.

mod limits;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::plan::{Outcome, Plan, Run, seen};
use super::{Layer, Layers, Profile};
use crate::convert::frame;

/// Becomes the program of the plan on standard input.
///
/// # Errors
/// When the plan cannot be read or the outcome cannot be told; what else goes wrong is the outcome.
pub fn help() -> io::Result<()> {
    let own = |fd: BorrowedFd<'_>| fd.try_clone_to_owned().map(File::from);
    let plan: Plan = serde_json::from_slice(&frame::read(&mut own(io::stdin().as_fd())?)?)?;
    let mut layers = Layers::default();
    let privileges = || nix::sys::prctl::set_no_new_privs().map(|()| String::new());
    layers.note(Layer::Privileges, privileges());
    layers.note(Layer::Limits, limits::set(&plan.profile));
    let outcome = Outcome::Ready { layers: layers.clone() };
    frame::write(&mut own(io::stdout().as_fd())?, &serde_json::to_vec(&outcome)?)?;
    match plan.run {
        Some(run) => Err(become_it(&plan.profile, &layers, &run)),
        None => Ok(()),
    }
}

fn become_it(profile: &Profile, layers: &Layers, run: &Run) -> io::Error {
    let scratch = seen(profile, layers, &profile.scratch.inside);
    Command::new(seen(profile, layers, &run.program))
        .args(run.arguments.iter().map(|it| seen(profile, layers, it.as_ref())))
        .env_clear()
        .envs(profile.environment.iter().map(|(name, value)| (name, value)))
        .env("HOME", &scratch)
        .env("TMPDIR", &scratch)
        .current_dir(&scratch)
        .exec()
}

/// Puts this process into the strictest box: no file, no connection, no process, and few system calls.
///
/// # Errors
/// When a limit cannot be set.
pub fn enter_native() -> io::Result<Layers> {
    let mut layers = Layers::default();
    let privileges = nix::sys::prctl::set_no_new_privs().map(|()| String::new());
    layers.note(Layer::Privileges, privileges);
    Ok(layers)
}
