//! The attacks, and by what one knows that one succeeded.

use std::time::Duration;

use wats_agent::sandbox::{Kind, Limits};

use super::{Seen, holds};

/// What a box gets here: little, so that a bomb goes off early.
const MEMORY: u64 = 128 << 20;
const SCRATCH: u64 = 8 << 20;
const CPU: Duration = Duration::from_secs(1);

/// One hostile converter.
#[derive(Debug)]
pub struct Attack {
    /// In `tests/hostile/`.
    pub file: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    succeeded: fn(&Seen) -> bool,
}

impl Attack {
    /// Whether it did harm.
    pub fn succeeded(&self, seen: &Seen) -> bool {
        (self.succeeded)(seen)
    }

    /// It takes nothing but processor time.
    pub fn computes(&self) -> bool {
        self.file.starts_with("endless")
    }

    pub(super) fn kind(&self) -> Kind {
        if self.file.ends_with(".py") { Kind::Python } else { Kind::Program }
    }

    pub(super) fn limit(&self, limits: &mut Limits) {
        (limits.memory_bytes, limits.scratch_bytes) = (MEMORY, SCRATCH);
        // On a busy machine another might run into it.
        if self.computes() {
            limits.cpu = CPU;
        }
    }
}

/// A descriptor or a program of one of its processes is of this sort.
fn opened(seen: &Seen, sort: &str) -> bool {
    seen.open.iter().any(|it| it.contains(sort))
}

/// Something else than the loopback that every network namespace has.
fn names_an_interface(answer: &[u8]) -> bool {
    let Ok(all) = std::fs::read_dir("/sys/class/net") else { return false };
    let names = all.filter_map(|it| it.ok()?.file_name().into_string().ok());
    names.filter(|it| it != "lo").any(|it| holds(answer, &it))
}

/// All of them.
#[rustfmt::skip] // a table
pub const ATTACKS: &[Attack] = &[
    Attack { file: "read-token.py", does: "reads the server's token", succeeded: |seen| seen.secret },
    Attack { file: "read-database.py", does: "reads the database", succeeded: |seen| seen.secret },
    Attack { file: "read-shadow.py", does: "reads `/etc/shadow`", succeeded: |seen| holds(&seen.output, "shadow:") },
    Attack { file: "read-other-input.py", does: "reads another input", succeeded: |seen| seen.secret },
    Attack { file: "read-environment.py", does: "reads the agent's environment", succeeded: |seen| seen.secret },
    Attack { file: "read-command-line.py", does: "reads the agent's command line", succeeded: |seen| seen.secret },
    Attack { file: "read-memory.c", does: "reads the agent's memory", succeeded: |seen| seen.secret },
    Attack { file: "ptrace.c", does: "debugs the agent (`ptrace`)", succeeded: |seen| seen.secret },
    Attack { file: "kill-agent.py", does: "ends the agent", succeeded: |seen| seen.agent_ended },
    Attack { file: "write-outside.sh", does: "writes outside", succeeded: |seen| seen.planted },
    Attack { file: "write-through-link.py", does: "writes outside through a symbolic link", succeeded: |seen| seen.planted },
    Attack { file: "write-through-hard-link.py", does: "writes outside through a hard link", succeeded: |seen| seen.planted },
    Attack { file: "write-through-dots.py", does: "writes outside through `..`", succeeded: |seen| seen.planted },
    Attack { file: "change-input.py", does: "changes its input", succeeded: |seen| seen.input_changed },
    Attack { file: "connect-tcp.py", does: "connects by TCP", succeeded: |seen| seen.reached.contains("tcp") },
    Attack { file: "connect-udp.py", does: "sends by UDP", succeeded: |seen| seen.reached.contains("udp") },
    Attack { file: "connect-unix.py", does: "connects to a Unix socket", succeeded: |seen| seen.reached.contains("unix") },
    Attack { file: "connect-unix-pair.py", does: "sends to a Unix socket from a socket pair", succeeded: |seen| seen.reached.contains("datagrams") },
    Attack { file: "connect-abstract.py", does: "connects to an abstract socket", succeeded: |seen| seen.reached.contains("abstract") },
    Attack { file: "netlink.py", does: "asks for the network interfaces (netlink)", succeeded: |seen| names_an_interface(&seen.output) },
    Attack { file: "io-uring.c", does: "uses `io_uring`", succeeded: |seen| opened(seen, "io_uring") },
    Attack { file: "bpf.c", does: "uses `bpf`", succeeded: |seen| opened(seen, "bpf-map") },
    Attack { file: "userfaultfd.c", does: "uses `userfaultfd`", succeeded: |seen| opened(seen, "[userfaultfd]") },
    Attack { file: "perf-event.c", does: "uses `perf_event_open`", succeeded: |seen| opened(seen, "perf_event") },
    Attack { file: "keyctl.c", does: "leaves a key in the user's keyring", succeeded: |seen| seen.key_left },
    Attack { file: "new-namespaces.c", does: "makes new namespaces", succeeded: |seen| seen.new_namespace },
    Attack { file: "clone3.c", does: "starts a process by `clone3`", succeeded: |seen| seen.processes > 1 },
    Attack { file: "memfd-exec.c", does: "executes a program in memory (`memfd`)", succeeded: |seen| opened(seen, "memfd:") },
    Attack { file: "scratch-exec.py", does: "executes a program that it wrote", succeeded: |seen| opened(seen, "/planted") },
    Attack { file: "fork-bomb.sh", does: "fork bomb", succeeded: |seen| seen.processes > 8 },
    Attack { file: "thread-bomb.c", does: "thread bomb", succeeded: |seen| seen.threads > 100 },
    Attack { file: "memory-bomb.c", does: "memory bomb", succeeded: |seen| seen.memory_bytes > MEMORY * 3 / 2 },
    Attack { file: "zip-bomb.py", does: "zip bomb", succeeded: |seen| seen.memory_bytes > MEMORY * 3 / 2 },
    Attack { file: "disk-bomb.py", does: "disk bomb, of many files", succeeded: |seen| seen.scratch_bytes > SCRATCH * 2 },
    Attack { file: "big-file.py", does: "disk bomb, of one file", succeeded: |seen| seen.scratch_bytes > SCRATCH * 2 },
    Attack { file: "descriptor-bomb.c", does: "descriptor bomb", succeeded: |seen| seen.descriptors > 64 },
    Attack { file: "output-bomb.py", does: "output bomb", succeeded: |seen| seen.lives_on },
    Attack { file: "endless-loop.c", does: "endless loop without system calls", succeeded: |seen| seen.cpu > CPU * 5 / 4 },
    Attack { file: "endless-calls.py", does: "endless loop with system calls", succeeded: |seen| seen.cpu > CPU * 5 / 4 },
    Attack { file: "ignore-sigterm.py", does: "ignores every signal", succeeded: |seen| seen.lives_on },
    Attack { file: "double-fork.py", does: "leaves a process behind (double fork)", succeeded: |seen| seen.lives_on },
];
