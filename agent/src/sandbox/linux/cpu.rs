//! What /proc says of a box: which process is its program, what its processes have used of the processor, and the way to
//! its scratch folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

/// Deeper than any box.
const DEEPEST: u32 = 16;

/// What a process and its descendants have used of the processor.
pub(in super::super) fn used_by(process: u32) -> Option<Duration> {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok()??;
    let ticks = ticks(process, DEEPEST)?;
    Some(Duration::from_millis(ticks.saturating_mul(1000) / u64::try_from(per_second).ok()?.max(1)))
}

/// The ticks of a process, of its children that ended, and of those that live.
fn ticks(process: u32, depth: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut total = of_stat(&stat)?;
    if depth > 0 {
        for child in children(process)? {
            // One that has just ended stands in its parent's figures at the next look.
            total = total.saturating_add(ticks(child, depth - 1).unwrap_or(0));
        }
    }
    Some(total)
}

/// The children of a process that has one thread.
fn children(process: u32) -> Option<Vec<u32>> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    Some(children.split_whitespace().filter_map(|it| it.parse().ok()).collect())
}

/// The process of a box's program. `kept`: there is a keeper between it and the helper.
pub(in super::super) fn program_of(helper: u32, kept: bool) -> Option<u32> {
    let below = |process| children(process)?.first().copied();
    let first = below(helper)?;
    if kept { below(first) } else { Some(first) }
}

/// Where this process reaches the scratch folder of a box: through the first process in there.
pub(in super::super) fn scratch_of(helper: u32, inside: &Path) -> io::Result<PathBuf> {
    let ended = || io::Error::other("the box has ended");
    let first = children(helper).and_then(|all| all.first().copied()).ok_or_else(ended)?;
    let inside = inside.strip_prefix("/").unwrap_or(inside);
    Ok(Path::new("/proc").join(first.to_string()).join("root").join(inside))
}

fn of_stat(stat: &str) -> Option<u64> {
    // The name in brackets may hold anything; utime, stime, cutime and cstime are fields 14 to 17 of proc_pid_stat(5).
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().skip(11).take(4).map(|it| it.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_spaces_is_no_trouble() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 10 20 300 4000 20 0 1 0";
        assert_eq!(of_stat(stat), Some(4330));
        assert_eq!(of_stat("42 nonsense"), None);
    }

    #[test]
    fn this_process_has_used_something_of_what_the_machine_has() {
        let used = used_by(std::process::id()).unwrap();
        assert!(used < Duration::from_secs(3600), "{used:?}");
        assert_eq!(used_by(u32::MAX), None);
    }
}
