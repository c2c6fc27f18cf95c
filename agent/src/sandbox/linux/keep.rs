//! Waiting for a box's end, and ending all of it.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill, killpg, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, gettid};

use super::cgroup::Group;

/// What a box that has to be ended gets for that.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The processes whose parent this one is, orphans of the box among them.
#[derive(Debug)]
pub(super) struct Children(File);

impl Children {
    /// Orphans come to this process from now on, whatever sessions and groups they made.
    pub(super) fn adopt() -> io::Result<Self> {
        prctl::set_child_subreaper(true)?;
        File::open(format!("/proc/self/task/{}/children", gettid())).map(Self)
    }

    fn now(&self) -> Vec<Pid> {
        let mut text = String::new();
        let mut file = &self.0;
        if file.rewind().and_then(|()| file.read_to_string(&mut text)).is_err() {
            return Vec::new();
        }
        text.split_whitespace().filter_map(|it| it.parse().ok()).map(Pid::from_raw).collect()
    }
}

/// The helper's rest of life: ends as the box ends, and ends the box when told to, or when nobody reads its answers
/// any more, as after the agent's death.
pub(super) fn until_the_end(first: Pid, group: Option<&Group>, children: &Children) -> ! {
    let status = wait(first);
    end_all(first, group, children);
    std::process::exit(end_as(status.unwrap_or(WaitStatus::Signaled(first, Signal::SIGKILL, false))))
}

/// `None` when the box is to be ended.
fn wait(first: Pid) -> Option<WaitStatus> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block().ok()?;
    let heard = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).ok()?;
    let answers = io::stdout();
    loop {
        if let Some(status) = collect(first) {
            return Some(status);
        }
        let mut awaited =
            [PollFd::new(heard.as_fd(), PollFlags::POLLIN), PollFd::new(answers.as_fd(), PollFlags::empty())];
        match poll(&mut awaited, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
        let nobody_reads = awaited.get(1).and_then(PollFd::any).unwrap_or(true);
        while let Ok(Some(signal)) = heard.read_signal() {
            if i32::try_from(signal.ssi_signo) != Ok(Signal::SIGCHLD as i32) {
                return None;
            }
        }
        if nobody_reads {
            return collect(first);
        }
    }
}

/// Takes notice of all that have ended; answers how the first did.
fn collect(first: Pid) -> Option<WaitStatus> {
    let mut ended = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(status @ (WaitStatus::Exited(who, _) | WaitStatus::Signaled(who, ..))) => {
                if who == first {
                    ended = Some(status);
                }
            }
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return ended,
        }
    }
}

fn end_all(first: Pid, group: Option<&Group>, children: &Children) {
    let started = Instant::now();
    loop {
        if let Some(group) = group {
            group.kill();
        }
        // The first of a process namespace takes all of it along.
        kill(first, Signal::SIGKILL).ok();
        killpg(first, Signal::SIGKILL).ok();
        let left = children.now();
        left.iter().for_each(|it| {
            kill(*it, Signal::SIGKILL).ok();
        });
        collect(first);
        if children.now().is_empty() || started.elapsed() > LONGEST_END {
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    if let Some(group) = group {
        group.remove();
    }
}

/// The keeper's life inside a process namespace: collects what has ended, and ends as the program does.
pub(super) fn until_it_ends(program: Pid) -> ! {
    loop {
        match waitpid(None, None) {
            Ok(WaitStatus::Exited(who, code)) if who == program => std::process::exit(code),
            Ok(WaitStatus::Signaled(who, signal, _)) if who == program => {
                std::process::exit(KILLED + signal as i32)
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => std::process::exit(KILLED + Signal::SIGKILL as i32),
        }
    }
}

/// A code above this says by which signal a program ended, as in a shell.
const KILLED: i32 = 128;

/// Ends this process by the signal that ended the box; answers the code where that was none.
fn end_as(status: WaitStatus) -> i32 {
    let signal = match status {
        WaitStatus::Exited(_, code) if code > KILLED => Signal::try_from(code - KILLED).ok(),
        WaitStatus::Signaled(_, signal, _) => Some(signal),
        WaitStatus::Exited(_, code) => return code,
        _ => None,
    };
    let signal = signal.unwrap_or(Signal::SIGKILL);
    setrlimit(Resource::RLIMIT_CORE, 0, 0).ok();
    let mut only = SigSet::empty();
    only.add(signal);
    only.thread_unblock().ok();
    raise(signal).ok();
    // One that is ignored here.
    KILLED + signal as i32
}
