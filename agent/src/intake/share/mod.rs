//! A network mount, reached through helper processes, so that a dead server stops nobody but itself.
//!
//! Every answer has a time limit. When one passes, the mount counts as dead: all its helpers are killed, whoever
//! waits for one is told, and for a while that grows with each failure nobody asks again.

mod helper;
#[cfg_attr(windows, path = "mounts_windows.rs")]
#[cfg_attr(target_os = "macos", path = "mounts_macos.rs")]
pub(super) mod mounts;
mod protocol;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::away::Away;
use super::disk::{End, Others, Seen};
use super::names::Names;
use super::pick::{Kept, Picked, Picker};
use super::reach::{Content, Gathering, blocking};
use crate::convert::{Command, frame};
use crate::system;
use protocol::{Frame, Reply, Request, WirePath, Wish};

pub use helper::run;

/// How many helpers of a mount look, and how many read and move files, at once.
const LOOKING: usize = 2;
const WORKING: usize = 3;
/// Moving a file may mean copying it, of which nothing is heard until it is done.
const MOVE_TIME: Duration = Duration::from_secs(600);
/// How long a dead mount is left alone: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// So many helpers that cannot be killed may wait in the kernel; then no more are started.
const MOST_STUCK: usize = 3;
/// At most so many paths are asked for at once.
const PATHS: usize = 500;
/// Contents of a mount's files in memory at once, in KiB: what waits for a dead server must not take the room
/// of others.
pub(super) const MEMORY_KIB: u32 = 64 * 1024;

/// All network mounts in use, by mount point.
#[derive(Debug)]
pub struct Shares {
    helper: Command,
    shares: Mutex<BTreeMap<PathBuf, Weak<Share>>>,
}

impl Shares {
    /// `helper` starts a helper process.
    pub fn new(helper: Command) -> Self {
        Self { helper, shares: Mutex::default() }
    }

    /// The mount at `point`; sources on the same one share it.
    pub(super) fn at(&self, point: &Path, kind: &str, silence: Duration) -> Arc<Share> {
        let mut shares = lock(&self.shares);
        shares.retain(|_, share| share.strong_count() > 0);
        let same = shares.get(point).and_then(Weak::upgrade).filter(|it| it.silence == silence);
        same.unwrap_or_else(|| {
            let what = if kind.is_empty() {
                format!("the folder {}", point.display())
            } else {
                format!("the network mount {} ({kind})", point.display())
            };
            let share = Arc::new(Share::new(self.helper.clone(), what, silence));
            shares.insert(point.to_owned(), Arc::downgrade(&share));
            share
        })
    }
}

/// One network mount.
#[derive(Debug)]
pub(super) struct Share {
    helper: Command,
    /// As a person knows it.
    what: String,
    /// How long a helper may be silent.
    silence: Duration,
    looking: Semaphore,
    working: Semaphore,
    pub(super) memory: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    idle: Vec<Helper>,
    /// Killed, but the kernel waits for the server first.
    stuck: Vec<Child>,
    /// Fires when the mount dies; a fresh one comes in its place.
    alive: CancellationToken,
    failures: u32,
    not_before: Option<Instant>,
}

#[derive(Debug)]
struct Helper {
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
}

impl Share {
    fn new(helper: Command, what: String, silence: Duration) -> Self {
        let state = State {
            idle: Vec::new(),
            stuck: Vec::new(),
            alive: CancellationToken::new(),
            failures: 0,
            not_before: None,
        };
        Self {
            helper,
            what,
            silence,
            looking: Semaphore::new(LOOKING),
            working: Semaphore::new(WORKING),
            memory: Arc::new(Semaphore::new(usize::try_from(MEMORY_KIB).unwrap_or(usize::MAX))),
            state: Mutex::new(state),
        }
    }

    /// Makes the folder if it is not there.
    pub(super) async fn prepare(&self, folder: &Path, names: &Names) -> io::Result<()> {
        self.ask(&self.looking, folder, names, Wish::Prepare, self.silence, |_| {}).await.map(|_| ())
    }

    pub(super) async fn list(
        &self,
        folder: &Path,
        names: &Names,
        kept: Arc<Kept>,
    ) -> io::Result<(Picked, Others)> {
        let mut picker = Picker::new(kept);
        let each = |frame: Frame| {
            if let Frame::Reply(Reply::Files(files)) = frame {
                files.into_iter().for_each(|(path, stamp, changed)| picker.take(path.0, stamp, changed));
            }
        };
        match self.ask(&self.looking, folder, names, Wish::List, self.silence, each).await? {
            Reply::Listed(others) => Ok((picker.picked(), others)),
            _ => Err(self.nonsense()),
        }
    }

    pub(super) async fn look(
        &self,
        folder: &Path,
        names: &Names,
        paths: Vec<PathBuf>,
    ) -> io::Result<Vec<(PathBuf, Option<Seen>)>> {
        let mut looks = Vec::with_capacity(paths.len());
        for paths in paths.chunks(PATHS) {
            let wish = Wish::Look { paths: paths.iter().cloned().map(WirePath).collect() };
            match self.ask(&self.looking, folder, names, wish, self.silence, |_| {}).await? {
                Reply::Looked(seen) if seen.len() == paths.len() => {
                    looks.extend(paths.iter().cloned().zip(seen.into_iter().map(|it| it.map(Seen::from))));
                }
                _ => return Err(self.nonsense()),
            }
        }
        Ok(looks)
    }

    pub(super) async fn read(
        &self,
        folder: &Path,
        names: &Names,
        path: &Path,
        seen: &Seen,
        limit: u64,
    ) -> io::Result<Content> {
        let mut gathering = Gathering::new(seen, names.rules.unit);
        let mut left = seen.stamp.size;
        let mut too_much = false;
        let wish = Wish::Read { path: WirePath(path.to_owned()), stamp: seen.stamp, limit };
        let each = |frame: Frame| {
            if let Frame::Piece(number, bytes) = frame {
                // A helper is no more trusted than its server.
                match left.checked_sub(bytes.len() as u64) {
                    Some(rest) => {
                        left = rest;
                        gathering.add(number, &bytes);
                    }
                    None => too_much = true,
                }
            }
        };
        let reply = self.ask(&self.working, folder, names, wish, self.silence, each).await?;
        let Reply::Read(end) = reply else { return Err(self.nonsense()) };
        let end = if too_much { End::Changed } else { end };
        let seen = seen.clone();
        // Hashing a large file takes a while.
        blocking(move || Ok(gathering.content(end, &seen))).await
    }

    pub(super) async fn put_away(
        &self,
        folder: &Path,
        names: &Names,
        order: Away,
    ) -> io::Result<Option<PathBuf>> {
        let limit = self.silence.max(MOVE_TIME);
        match self.ask(&self.working, folder, names, Wish::PutAway(order), limit, |_| {}).await? {
            Reply::PutAway(kept_at) => Ok(kept_at.map(|it| it.0)),
            _ => Err(self.nonsense()),
        }
    }
}

impl Share {
    /// Asks a helper and answers with the last reply; `each` gets what comes before it.
    async fn ask(
        &self,
        turns: &Semaphore,
        folder: &Path,
        names: &Names,
        wish: Wish,
        silence: Duration,
        mut each: impl FnMut(Frame),
    ) -> io::Result<Reply> {
        let alive = self.alive()?;
        let request = Request { folder: folder.to_owned(), rules: names.rules.clone(), wish };
        let request = serde_json::to_vec(&request)?;
        let asked = async {
            // The semaphore is never closed.
            let _turn = turns.acquire().await.ok();
            let mut helper = self.helper()?;
            let answer = self.converse(&mut helper, &request, silence, &mut each).await;
            match &answer {
                Ok(_) => lock(&self.state).idle.push(helper),
                Err(_) => self.end(helper).await,
            }
            answer
        };
        tokio::select! {
            biased;
            answer = asked => {
                match answer? {
                    Reply::Failed { code: Some(code), .. } => Err(io::Error::from_raw_os_error(code)),
                    Reply::Failed { words, .. } => Err(io::Error::other(words)),
                    reply => {
                        let mut state = lock(&self.state);
                        state.failures = 0;
                        state.not_before = None;
                        Ok(reply)
                    }
                }
            }
            () = alive.cancelled() => Err(self.dead()),
        }
    }

    async fn converse(
        &self,
        helper: &mut Helper,
        request: &[u8],
        silence: Duration,
        each: &mut impl FnMut(Frame),
    ) -> io::Result<Reply> {
        let sent = tokio::time::timeout(silence, frame::send(&mut helper.requests, request));
        sent.await.map_err(|_| self.died())??;
        loop {
            let next = frame::receive(&mut helper.answers, frame::LIMIT);
            let next = tokio::time::timeout(silence, next).await.map_err(|_| self.died())??;
            match protocol::frame(next)? {
                Frame::Reply(reply) if reply.is_last() => return Ok(reply),
                other => each(other),
            }
        }
    }

    /// Refuses while the mount is left alone.
    fn alive(&self) -> io::Result<CancellationToken> {
        let state = lock(&self.state);
        match state.not_before {
            Some(at) if at > Instant::now() => Err(self.dead()),
            _ => Ok(state.alive.clone()),
        }
    }

    fn helper(&self) -> io::Result<Helper> {
        let mut state = lock(&self.state);
        while let Some(mut helper) = state.idle.pop() {
            if matches!(helper.child.try_wait(), Ok(None)) {
                return Ok(helper);
            }
        }
        state.stuck.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if state.stuck.len() >= MOST_STUCK {
            return Err(io::Error::other(format!(
                "{}: {} helper processes wait in the kernel for its server and cannot be ended; no more are started",
                self.what,
                state.stuck.len(),
            )));
        }
        Helper::start(&self.helper)
    }

    /// The mount does not answer: everybody who waits for it is told.
    fn died(&self) -> io::Error {
        let mut state = lock(&self.state);
        state.failures = state.failures.saturating_add(1);
        let doublings = state.failures.saturating_sub(1).min(8);
        let pause = FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE);
        state.not_before = Some(Instant::now() + pause);
        std::mem::take(&mut state.alive).cancel();
        let idle = std::mem::take(&mut state.idle);
        state.stuck.extend(idle.into_iter().map(|mut helper| {
            helper.child.start_kill().ok();
            helper.child
        }));
        drop(state);
        self.dead()
    }

    fn dead(&self) -> io::Error {
        let words = format!(
            "{} has not answered for {} s; it is tried again by itself",
            self.what,
            self.silence.as_secs()
        );
        io::Error::new(io::ErrorKind::TimedOut, words)
    }

    /// Kills a helper that is of no use any more.
    async fn end(&self, mut helper: Helper) {
        helper.child.start_kill().ok();
        if tokio::time::timeout(Duration::from_secs(1), helper.child.wait()).await.is_err() {
            lock(&self.state).stuck.push(helper.child);
        }
    }

    fn nonsense(&self) -> io::Error {
        io::Error::other(format!("the helper of {} answered something else than was asked", self.what))
    }
}

impl Helper {
    fn start(command: &Command) -> io::Result<Self> {
        let mut child = system::bare(&mut tokio::process::Command::new(&command.program))
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the helper has no pipe");
        let requests = child.stdin.take().ok_or_else(missing)?;
        let answers = child.stdout.take().ok_or_else(missing)?;
        Ok(Self { child, requests, answers })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
