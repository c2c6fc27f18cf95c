//! Why a program ended before its last answer, in words that say what to do.

use std::process::ExitStatus;
use std::time::Duration;

use crate::sandbox::Limits;
#[cfg(unix)]
use crate::system::signal_of;

/// What a program or its runtime writes when the sandbox has refused it something, and what that means.
const REFUSALS: [(&[&str], &str); 6] = [
    (
        &["fork", "start new thread", "vfork", "clone"],
        "the sandbox does not let converters start other programs; ask an administrator to trust it with `processes`",
    ),
    (
        &["MemoryError", "annot allocate memory", "ut of memory", "bad_alloc"],
        "the sandbox allows no more memory: sandbox.memory_mb says how much, and `memory` in the plug-in's `trusted` lifts it",
    ),
    (&["Too many open files"], "the sandbox allows 50 open files at a time"),
    (&["No space left on device", "File too large"], "the scratch folder holds 256 MB"),
    (
        &["socket", "etwork is unreachable", "onnection refused", "ame resolution"],
        "a converter has no network; ask an administrator to trust it with `network`",
    ),
    (
        &["Operation not permitted", "Permission denied", "Read-only file system", "irectory nonexistent"],
        "a converter reads its input, and writes only in its working directory",
    ),
];

/// How a program ended that had not answered yet. `took` is for how long it had worked, `limits` what its box allows.
pub(super) fn words(
    status: Option<ExitStatus>,
    took: Duration,
    limits: &Limits,
    standard_error: &str,
) -> String {
    let Some(status) = status else { return "it closed its output before its last answer".to_owned() };
    if let Some(words) = by_signal(status, took, limits) {
        return words;
    }
    let ended = match status.success() {
        true => "it ended without a last answer".to_owned(),
        false => format!("it ended before its last answer ({status})"),
    };
    match refusal(standard_error) {
        Some(meaning) => format!("{ended}. What it wrote to standard error looks like a refusal: {meaning}"),
        None => ended,
    }
}

/// Windows has no signals: its codes say less.
#[cfg(not(unix))]
fn by_signal(_status: ExitStatus, took: Duration, limits: &Limits) -> Option<String> {
    (took >= limits.cpu).then(|| too_much_time(limits))
}

/// What the signal says that ended it.
#[cfg(unix)]
fn by_signal(status: ExitStatus, took: Duration, limits: &Limits) -> Option<String> {
    use nix::sys::signal::Signal;
    let memory = limits.memory_bytes >> 20;
    match signal_of(status) {
        Some(Signal::SIGXCPU) => Some(too_much_time(limits)),
        // One that ignores the first signal gets the other; so does whoever the kernel ends for want of memory.
        Some(Signal::SIGKILL) if took >= limits.cpu.saturating_sub(Duration::from_secs(2)) => {
            Some(too_much_time(limits))
        }
        Some(Signal::SIGKILL) => Some(format!(
            "it was killed, as the kernel does with programs that need more memory than there is; the sandbox allows {memory} MB (sandbox.memory_mb)"
        )),
        Some(Signal::SIGXFSZ) => {
            Some("it wrote a file that is larger than the scratch folder may be".to_owned())
        }
        Some(signal @ (Signal::SIGSEGV | Signal::SIGABRT | Signal::SIGBUS | Signal::SIGILL)) => {
            Some(format!(
                "it ended before its last answer: it crashed ({signal}), as some programs do that get no more than the {memory} MB which the sandbox allows (sandbox.memory_mb)"
            ))
        }
        _ => None,
    }
}

fn too_much_time(limits: &Limits) -> String {
    // The process had twice what a file may take.
    format!(
        "it used more processor time than the sandbox allows, {} s for a file: sandbox.processor_seconds says how much, and `time` in the plug-in's `trusted` lifts it",
        limits.cpu.as_secs() / 2
    )
}

fn refusal(standard_error: &str) -> Option<&'static str> {
    let end = standard_error.lines().rev().take(5).collect::<Vec<_>>().join("\n");
    REFUSALS.iter().find(|(signs, _)| signs.iter().any(|it| end.contains(it))).map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn each_end_is_told_with_the_limit_and_what_to_do() {
        let limits = Limits { cpu: Duration::from_secs(240), ..Limits::default() };
        let said = |raw: i32, took: u64, errors: &str| {
            words(Some(ExitStatus::from_raw(raw)), Duration::from_secs(took), &limits, errors)
        };
        for (raw, took, errors, expected) in [
            (24, 239, "", "120 s for a file: sandbox.processor_seconds"),
            (9, 240, "", "120 s for a file"),
            (9, 3, "", "allows 512 MB (sandbox.memory_mb)"),
            (11, 0, "", "it crashed (SIGSEGV)"),
            (25, 0, "", "larger than the scratch folder"),
            (0, 0, "", "it ended without a last answer"),
            (1 << 8, 0, "", "it ended before its last answer (exit status: 1)"),
            (2 << 8, 0, "sh: 3: Cannot fork\n", "trust it with `processes`"),
            (1 << 8, 0, "MemoryError\n", "sandbox.memory_mb"),
            (
                1 << 8,
                0,
                "/plugin/x: 3: cannot create /etc/x: Read-only file system\n",
                "only in its working directory",
            ),
        ] {
            let words = said(raw, took, errors);
            assert!(words.contains(expected), "{raw} {errors}: {words}");
        }
        assert!(words(None, Duration::ZERO, &limits, "").contains("closed its output"));
    }
}
