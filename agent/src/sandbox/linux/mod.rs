//! The helper's side on Linux: sets the layers on itself and becomes the program.
//!
//! ```text
//! agent ── helper: control group, namespaces; waits, and ends the box when the agent has gone
//!            └─ keeper: first process of the namespace, gives the box its files; collects what has ended
//!                 └─ program: privileges, limits, Landlock, system calls, then executes
//! ```
//!
//! Where process namespaces are forbidden there is no keeper.

mod cgroup;
mod cpu;
mod files;
mod keep;
mod landlock;
mod limits;
mod namespaces;
mod native;
mod privileges;
mod system_calls;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, setsid};

use self::cgroup::Group;
use super::noted::{insist, note};
use super::plan::{Outcome, Plan, Run, command};
use super::{Layer, Layers, Profile};
use crate::convert::frame;

pub(crate) use cgroup::take_over as take_over_control_group;
pub(super) use cpu::{program_of, scratch_of, used_by};
pub use native::enter as enter_native;

/// Becomes the program of the plan on standard input.
///
/// # Errors
/// When the plan cannot be read, the outcome cannot be told, or the program cannot be executed after all.
pub fn help() -> io::Result<()> {
    close_all_but_the_usual()?;
    let Plan { profile, run } = serde_json::from_slice(&frame::read(&mut own(io::stdin().as_fd())?)?)?;
    match build(&profile, run.as_ref()) {
        Ok((layers, command)) => {
            tell(&Outcome::Ready { layers })?;
            match command {
                Some(mut command) => Err(command.exec()),
                None => Ok(()),
            }
        }
        Err(words) => tell(&Outcome::Refused { words }),
    }
}

/// Returns in the innermost process alone; those around it wait for its end in here.
fn build(profile: &Profile, run: Option<&Run>) -> Result<(Layers, Option<Command>), String> {
    let mut layers = Layers::default();
    // A session of its own: what a terminal sends to the agent's is not for this one.
    setsid().map_err(|error| format!("could not leave the agent's session: {error}"))?;
    let children =
        keep::Children::adopt().map_err(|error| format!("could not become the box's keeper: {error}"))?;
    let group = note(profile, &mut layers, Layer::ControlGroup, || Group::make(profile));
    namespaces::enter(profile, &mut layers);
    let alone = layers.holds(Layer::Processes);
    if let ForkResult::Parent { child } = fork()? {
        keep::until_the_end(child, group.as_ref(), &children);
    }
    end_with_the_parent()?;
    if let Some(group) = &group {
        group.enter()?;
    }
    match note(profile, &mut layers, Layer::Mounts, || files::gather(profile)) {
        Some(gathered) => gathered.furnish(profile, alone)?,
        None => files::are_there(profile)?,
    }
    if alone {
        if let ForkResult::Parent { child } = fork()? {
            keep::until_it_ends(child);
        }
        end_with_the_parent()?;
    }
    setsid().map_err(|error| format!("could not make a session: {error}"))?;
    let command = run.map(|run| command(profile, &layers, run));
    note(profile, &mut layers, Layer::Privileges, || privileges::give_up().map(|detail| ((), detail)));
    let places = landlock::places(profile, &layers);
    let own_count = layers.holds(Layer::Users);
    note(profile, &mut layers, Layer::Landlock, || {
        landlock::restrict(profile, &places).map(|detail| ((), detail))
    });
    note(profile, &mut layers, Layer::Limits, || limits::set(profile, own_count).map(|detail| ((), detail)));
    note(profile, &mut layers, Layer::SystemCalls, || {
        system_calls::restrict(profile).map(|detail| ((), detail))
    });
    insist(profile, &layers)?;
    Ok((layers, command))
}

fn tell(outcome: &Outcome) -> io::Result<()> {
    frame::write(&mut own(io::stdout().as_fd())?, &serde_json::to_vec(outcome)?)
}

/// Unbuffered: what follows the first message is the program's.
fn own(fd: BorrowedFd<'_>) -> io::Result<File> {
    fd.try_clone_to_owned().map(File::from)
}

fn close_all_but_the_usual() -> io::Result<()> {
    #[expect(unsafe_code, reason = "there is no safe wrapper")]
    // SAFETY: nothing has been opened yet that anything in this process would use.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if closed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn fork() -> Result<ForkResult, String> {
    #[expect(unsafe_code, reason = "the helper has a single thread")]
    // SAFETY: no other thread exists that could hold a lock in the child.
    let forked = unsafe { nix::unistd::fork() };
    forked.map_err(|error| format!("could not start a process for the box: {error}"))
}

/// The kernel ends this process when the one that made it has ended.
fn end_with_the_parent() -> Result<(), String> {
    prctl::set_pdeathsig(Signal::SIGKILL).map_err(|error| format!("could not be tied to the agent: {error}"))
}
