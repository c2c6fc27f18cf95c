//! The helper's side on macOS: starts the program with limits in a session of its own, and ends it as a group.
//!
//! ```text
//! agent ── helper: waits, looks at the program's memory, and ends the group when the agent has gone
//!            └─ program: session, limits, then executes
//! ```

use std::io::{self, Write};
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal, killpg, raise};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, setsid};

use super::noted::{insist, note, note_absent};
use super::plan::{Outcome, Plan, command};
use super::{Kind, Layer, Layers, Part, Profile, See};
use crate::convert::frame;
use crate::system;

/// How often the program's memory, and whether the agent lives, is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// A code above this says by which signal a program ended, as in a shell.
const KILLED: i32 = 128;

/// What this system has nothing like, or nothing that is used.
const ABSENT: [(Layer, &str); 10] = [
    (
        Layer::ControlGroup,
        "macOS has no groups of that kind: the helper looks at the program's memory instead",
    ),
    (Layer::Users, "macOS has no user namespaces: the program may what its user may"),
    (Layer::Mounts, "the program sees the disk as it is"),
    (Layer::Processes, "other processes can be seen, and one that leaves its session lives on"),
    (Layer::Network, "connections are not stopped"),
    (Layer::Ipc, "shared memory of others can be opened where its rights allow it"),
    (Layer::HostName, "the host's name can be read"),
    (
        Layer::Privileges,
        "macOS has no way to forbid gaining rights by executing; run the agent as a user of its own",
    ),
    (Layer::Landlock, "is part of Linux"),
    (Layer::SystemCalls, "macOS has no list of allowed system calls"),
];

/// There is none here.
pub(crate) fn take_over_control_group() -> Result<(), String> {
    Err("macOS has none".to_owned())
}

/// Becomes the program of the plan on standard input.
///
/// # Errors
/// When the plan cannot be read, the outcome cannot be told, or the program cannot be executed after all.
pub fn help() -> io::Result<()> {
    close_all_but_the_usual()?;
    // Both close by themselves when the program is executed.
    let (mut input, mut output) = system::own_pipes()?;
    let Plan { profile, run } = serde_json::from_slice(&frame::read(&mut input)?)?;
    let mut tell = |outcome: &Outcome| {
        frame::write(&mut output, &serde_json::to_vec(outcome)?)?;
        output.flush()
    };
    match build(&profile) {
        Ok(layers) => {
            let command = run.map(|run| command(&profile, &layers, &run));
            tell(&Outcome::Ready { layers })?;
            command.map_or(Ok(()), |mut command| Err(command.exec()))
        }
        Err(words) => tell(&Outcome::Refused { words }),
    }
}

/// Returns in the inner process alone; the one around it waits for its end in here.
fn build(profile: &Profile) -> Result<Layers, String> {
    let mut layers = Layers::default();
    note_absent(&mut layers, &ABSENT);
    #[expect(unsafe_code, reason = "the helper has a single thread")]
    // SAFETY: no other thread exists that could hold a lock in the child.
    let forked = unsafe { nix::unistd::fork() };
    match forked.map_err(|error| format!("could not start a process for the box: {error}"))? {
        ForkResult::Parent { child } => keep(child, profile),
        ForkResult::Child => {}
    }
    setsid().map_err(|error| format!("could not make a session: {error}"))?;
    note(profile, &mut layers, Layer::Limits, || limit(profile).map(|detail| ((), detail)));
    insist(profile, &layers)?;
    Ok(layers)
}

/// Sets every limit that is not lifted, soft and hard alike: what is hard cannot be raised again.
fn limit(profile: &Profile) -> nix::Result<String> {
    let limits = &profile.limits;
    let is_lifted = |part| profile.lifted.contains(&part);
    lower(Resource::RLIMIT_CORE, 0)?;
    lower(Resource::RLIMIT_NOFILE, limits.open_files)?;
    lower(Resource::RLIMIT_FSIZE, limits.scratch_bytes)?;
    if !is_lifted(Part::Time) {
        lower(Resource::RLIMIT_CPU, limits.cpu.as_secs().max(1))?;
    }
    // It counts all of the user: none more is the one number that means the same everywhere.
    if !is_lifted(Part::Processes) && limits.processes <= 1 {
        no_more_processes()?;
    }
    // The system takes a limit of the address space, and does not keep to it.
    Ok("processor time, open files, file size, processes; memory is looked at by the helper".to_owned())
}

/// Lowers a limit; one that is lower already stays.
fn lower(resource: Resource, value: u64) -> nix::Result<()> {
    let (_, most) = getrlimit(resource)?;
    let value = value.min(most);
    setrlimit(resource, value, value)
}

/// This process starts no other.
fn no_more_processes() -> nix::Result<()> {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    #[expect(unsafe_code, reason = "the safe wrapper leaves this limit out on macOS")]
    // SAFETY: the structure lives until the call returns.
    let done = unsafe { libc::setrlimit(libc::RLIMIT_NPROC, &raw const none) };
    Errno::result(done).map(drop)
}

fn close_all_but_the_usual() -> io::Result<()> {
    let open: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .filter_map(|it| it.ok()?.file_name().to_str()?.parse().ok())
        .filter(|it| *it > 2)
        .collect();
    for descriptor in open {
        // The one of the folder itself is closed already.
        nix::unistd::close(descriptor).ok();
    }
    Ok(())
}

/// The helper's rest of life: ends as the program does, and ends the program with its group when told to, when it takes
/// too much memory, or when the agent has gone.
fn keep(program: Pid, profile: &Profile) -> ! {
    let most = (!profile.lifted.contains(&Part::Memory)).then_some(profile.limits.memory_bytes);
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    let watching = signals.thread_block().map_err(io::Error::from).and_then(|()| {
        std::thread::Builder::new().spawn(move || {
            signals.wait().ok();
            end(program)
        })?;
        let agent = std::os::unix::process::parent_id();
        std::thread::Builder::new().spawn(move || {
            let too_large =
                || most.is_some_and(|most| system::resident(program.as_raw().unsigned_abs()) > most);
            while std::os::unix::process::parent_id() == agent && !too_large() {
                std::thread::sleep(LOOK);
            }
            end(program)
        })
    });
    if watching.is_err() {
        end(program);
    }
    loop {
        match waitpid(program, None) {
            Ok(WaitStatus::Exited(_, code)) => {
                killpg(program, Signal::SIGKILL).ok();
                std::process::exit(code)
            }
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                killpg(program, Signal::SIGKILL).ok();
                end_by(signal)
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => end(program),
        }
    }
}

/// Ends the program's group, and this process.
fn end(program: Pid) -> ! {
    killpg(program, Signal::SIGKILL).ok();
    end_by(Signal::SIGKILL)
}

/// Ends this process by the signal that ended the program.
fn end_by(signal: Signal) -> ! {
    setrlimit(Resource::RLIMIT_CORE, 0, 0).ok();
    let mut only = SigSet::empty();
    only.add(signal);
    only.thread_unblock().ok();
    raise(signal).ok();
    // One that is ignored here.
    std::process::exit(KILLED + signal as i32)
}

/// Puts this process into the box of our own converters: it writes no file and starts no process.
///
/// # Errors
/// When a limit cannot be set.
pub fn enter_native(_memory_bytes: u64) -> io::Result<Layers> {
    let mut layers = Layers::default();
    // Only says which layers are left out: none.
    let profile = Profile::new(Kind::Program, See::same(PathBuf::new()));
    note(&profile, &mut layers, Layer::Limits, || {
        lower(Resource::RLIMIT_CORE, 0)?;
        lower(Resource::RLIMIT_FSIZE, 0)?;
        no_more_processes()?;
        Ok::<_, Errno>(((), "no file is written, no process is started".to_owned()))
    });
    Ok(layers)
}

/// The processor time of a helper and what it started.
pub(super) fn used_by(helper: u32) -> Option<Duration> {
    system::processor_time(helper)
}

/// The scratch folder lies where it is seen.
pub(super) fn scratch_of(_helper: u32, _inside: &Path) -> io::Result<PathBuf> {
    Err(io::ErrorKind::Unsupported.into())
}
