//! Whoever asks and the program that answers, kept on one CPU while they take turns.
//!
//! Only one of the two has something to do at a time. On two CPUs each turn would wake one that has gone idle
//! meanwhile, which takes tens of microseconds, on a virtual machine more than a hundred; on one CPU it is a change from
//! one task to the other, and the other CPUs are free for what was made of the files before.

use std::fs::{self, File};
use std::future::Future;
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::pin::pin;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use crate::sandbox::Boxed;

/// Whoever works longer than this for one answer is let go where there is more room, and is not held for the next.
const QUICK: Duration = Duration::from_millis(3);
/// What the folder of the tasks of a process with one thread has for links: itself, the one above, and the thread.
const ONE_THREAD: u64 = 3;
/// This thread.
const SELF: Pid = Pid::from_raw(0);

/// A program that can be held on the CPU of whoever asks it.
#[derive(Debug)]
pub(super) struct OneCpu {
    program: Pid,
    /// Where its threads are listed.
    tasks: PathBuf,
    /// The same, open: asking how many there are costs little.
    folder: File,
    /// Its last answer was.
    quick: bool,
}

/// This thread and the program are on one CPU for as long as this lives.
#[derive(Debug)]
struct Held<'a> {
    who: &'a OneCpu,
    /// Where they were allowed to be before: the thread, and the program.
    before: (CpuSet, CpuSet),
    only: CpuSet,
    /// It is let go of on the thread that was held.
    _here: PhantomData<*const ()>,
}

impl OneCpu {
    /// `None` for a program that may start others, which would stay where it was held; and where the system does not
    /// say which process it is.
    pub(super) fn of(boxed: &Boxed) -> Option<Self> {
        Self::of_process(boxed.program_alone()?)
    }

    fn of_process(program: u32) -> Option<Self> {
        let tasks = PathBuf::from(format!("/proc/{program}/task"));
        let folder = File::open(&tasks).ok()?;
        Some(Self { program: Pid::from_raw(program.try_into().ok()?), tasks, folder, quick: false })
    }

    /// Waits for an answer with both on one CPU, until it turns out to take long.
    ///
    /// Not for the first one: what counts the CPUs when it is loaded finds them all.
    pub(super) async fn hold<T>(&mut self, answer: impl Future<Output = T>) -> T {
        let started = Instant::now();
        let quick = std::mem::take(&mut self.quick);
        let answer = match quick.then(|| self.held()).flatten() {
            Some(held) => until_slow(held, answer).await,
            None => answer.await,
        };
        self.quick = started.elapsed() < QUICK;
        answer
    }

    /// `None` where nothing is gained, or the system does not allow it: then they stay as they are.
    fn held(&self) -> Option<Held<'_>> {
        // Threads work at the same time, on as many CPUs as there are.
        if self.threads() != Some(ONE_THREAD) {
            return None;
        }
        let before = (sched_getaffinity(SELF).ok()?, sched_getaffinity(self.program).ok()?);
        let here = sched_getcpu().ok()?;
        let mut only = CpuSet::new();
        only.set(here).ok()?;
        if before.0 == only || !before.1.is_set(here).ok()? {
            return None;
        }
        sched_setaffinity(SELF, &only).ok()?;
        let held = Held { who: self, before, only, _here: PhantomData };
        sched_setaffinity(self.program, &only).ok().map(|()| held)
    }

    fn threads(&self) -> Option<u64> {
        self.folder.metadata().ok().map(|it| it.nlink())
    }
}

async fn until_slow<T>(held: Held<'_>, answer: impl Future<Output = T>) -> T {
    let mut answer = pin!(answer);
    if let Ok(answer) = tokio::time::timeout(QUICK, answer.as_mut()).await {
        return answer;
    }
    drop(held);
    answer.await
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let (own, program) = self.before;
        // What has ended need not be let go.
        sched_setaffinity(self.who.program, &program).ok();
        if self.who.threads() != Some(ONE_THREAD) {
            // Those that it started meanwhile were where it was.
            for task in fs::read_dir(&self.who.tasks).into_iter().flatten().flatten() {
                let task = task.file_name().to_str().and_then(|it| it.parse().ok()).map(Pid::from_raw);
                if let Some(task) = task.filter(|it| sched_getaffinity(*it) == Ok(self.only)) {
                    sched_setaffinity(task, &program).ok();
                }
            }
        }
        if let Err(error) = sched_setaffinity(SELF, &own) {
            tracing::warn!(%error, "a thread stays on one CPU");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn allowed(process: u32) -> CpuSet {
        sched_getaffinity(Pid::from_raw(process.try_into().unwrap())).unwrap()
    }

    fn start(script: &str) -> Child {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-I", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    fn number_of(set: &CpuSet) -> usize {
        (0..CpuSet::count()).filter(|it| set.is_set(*it).unwrap()).count()
    }

    #[test]
    fn both_are_on_one_cpu_and_then_where_they_were() {
        let mut child = start("input()");
        let (own, program) = (sched_getaffinity(SELF).unwrap(), allowed(child.id()));
        let one = OneCpu::of_process(child.id()).unwrap();
        let held = one.held();
        assert_eq!(held.is_some(), number_of(&own) > 1, "with a single CPU there is nothing to gain");
        if let Some(held) = held {
            assert_eq!(number_of(&held.only), 1);
            assert_eq!(sched_getaffinity(SELF).unwrap(), held.only);
            assert_eq!(allowed(child.id()), held.only);
        }
        assert_eq!((sched_getaffinity(SELF).unwrap(), allowed(child.id())), (own, program));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(one.held().is_none(), "it has ended");
        assert_eq!(sched_getaffinity(SELF).unwrap(), own);
    }

    #[test]
    fn threads_that_were_started_meanwhile_are_let_go_as_well_and_none_is_held_after() {
        let script =
            "import threading; input(); threading.Thread(target=input).start(); print('two', flush=True)";
        let mut child = start(script);
        let program = allowed(child.id());
        let one = OneCpu::of_process(child.id()).unwrap();
        let held = one.held();
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), b"go\n").unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
        drop(held);
        let tasks: Vec<u32> = fs::read_dir(format!("/proc/{}/task", child.id()))
            .unwrap()
            .map(|it| it.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(tasks.len(), 2);
        assert!(tasks.into_iter().all(|task| allowed(task) == program));
        assert!(one.held().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
