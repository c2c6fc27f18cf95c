//! One watched folder: events, scans, and waiting until files are complete.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::scan::{self, Found};
use super::settle::{Rules, Settling, Verdict};
use super::{Candidate, Outcome, Source, names, read};
use crate::control::api::{After, SourceState};
use crate::files::Stamp;
use crate::{Agent, SourceHealth};

/// How long a file rests after its writer closed it.
const CLOSED: Duration = Duration::from_millis(200);
/// How long until a folder that cannot be watched is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// Events that wait to be looked at; when there are more the folder is scanned instead.
const EVENTS: usize = 4096;

pub(super) struct Watching {
    agent: Agent,
    source: Arc<Source>,
    patterns: Vec<String>,
    files: mpsc::Sender<Candidate>,
    stop: CancellationToken,
    settling: Settling,
    ready: VecDeque<(PathBuf, Stamp, Duration)>,
    /// How candidates say that they have ended.
    done: mpsc::UnboundedSender<(PathBuf, Outcome)>,
    ended: mpsc::UnboundedReceiver<(PathBuf, Outcome)>,
    /// Files that stay in the folder and were dealt with.
    kept: Arc<HashSet<(PathBuf, Stamp)>>,
    more: bool,
}

/// What an event says of a file.
struct Event {
    path: PathBuf,
    closed: bool,
}

impl Watching {
    pub(super) fn new(
        agent: Agent,
        source: Arc<Source>,
        files: mpsc::Sender<Candidate>,
        stop: CancellationToken,
    ) -> Self {
        let (done, ended) = mpsc::unbounded_channel();
        Self {
            patterns: source.patterns(),
            agent,
            source,
            files,
            stop,
            settling: Settling::default(),
            ready: VecDeque::new(),
            done,
            ended,
            kept: Arc::default(),
            more: false,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.source.settings.paused
    }

    /// A paused source does nothing until it is changed.
    pub(super) async fn wait(self) {
        self.stop.cancelled().await;
    }

    /// Watches, again and again if the folder goes away, until told to stop.
    pub(super) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let Err(error) = self.watch().await else { return };
            let folder = self.source.folder.display();
            self.say(SourceState::Failed, Some(format!("the folder {folder} cannot be watched: {error}")));
            tracing::error!(source.name = self.name(), "the folder {folder} cannot be watched: {error}");
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn watch(&mut self) -> io::Result<()> {
        let folder = self.source.folder.clone();
        blocking(move || std::fs::create_dir_all(&folder)).await?;
        let lost = Arc::new(AtomicBool::new(false));
        let (sender, mut events) = mpsc::channel(EVENTS);
        let _watcher = watcher(&self.source.folder, sender, lost.clone())?;
        self.scan().await?;

        let every = Duration::from_secs(self.source.intake.rescan_seconds.into());
        let mut next_scan = Instant::now() + every;
        let files = self.files.clone();
        loop {
            let wake = self.settling.next_look().unwrap_or(next_scan).min(next_scan);
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(()),
                Some((path, outcome)) = self.ended.recv() => self.work_ended(&path, outcome),
                permit = files.reserve(), if !self.ready.is_empty() => {
                    let Ok(permit) = permit else { return Ok(()) };
                    if let Some((path, stamp, unchanged)) = self.ready.pop_front() {
                        permit.send(Candidate {
                            source: self.source.clone(),
                            path,
                            stamp,
                            unchanged,
                            done: self.done.clone(),
                            outcome: Outcome::Done,
                        });
                    }
                }
                Some(event) = events.recv() => self.event(event),
                () = tokio::time::sleep_until(wake.into()) => {}
            }
            let now = Instant::now();
            if self.settling.next_look().is_some_and(|at| at <= now) {
                self.look(now).await?;
            }
            let drained = self.more && self.settling.len() < scan::MOST / 2;
            if next_scan <= now || drained || lost.swap(false, Ordering::Relaxed) {
                self.scan().await?;
                next_scan = Instant::now() + every;
            }
        }
    }

    fn event(&mut self, event: Event) {
        let name = event.path.file_name().unwrap_or_default().to_string_lossy();
        let ours = event.path.parent() == Some(&self.source.folder)
            && !names::is_temporary(&name)
            && names::fits(&name, &self.patterns);
        if !ours {
            return;
        }
        if self.settling.len() >= scan::MOST && !self.settling.contains(&event.path) {
            self.more = true;
        } else {
            self.settling.seen(event.path, event.closed, Instant::now());
        }
    }

    fn work_ended(&mut self, path: &Path, outcome: Outcome) {
        match outcome {
            Outcome::Later(time) => self.settling.later(path, Instant::now() + time),
            Outcome::Done => {
                self.settling.done(path);
                // A file that is kept, or could not be moved, is still there.
                if let Some(stamp) = read::stamp(path)
                    && self.source.settings.after == After::Keep
                {
                    Arc::make_mut(&mut self.kept).insert((path.to_owned(), stamp));
                }
            }
        }
    }

    /// Looks at the files that are due.
    async fn look(&mut self, now: Instant) -> io::Result<()> {
        let due = self.settling.due(now);
        let looks =
            blocking(move || Ok(due.into_iter().map(|path| (read::stamp(&path), path)).collect::<Vec<_>>()));
        let rules =
            Rules { closed: CLOSED, found: Duration::from_secs(self.source.intake.settle_seconds.into()) };
        let mut ready = Vec::new();
        for (stamp, path) in looks.await? {
            if let Verdict::Ready(unchanged) = self.settling.looked(&path, stamp, Instant::now(), rules)
                && let Some(stamp) = stamp
            {
                ready.push((path, stamp, unchanged));
            }
        }
        ready.sort_by_key(|(_, stamp, _)| stamp.modified_ns);
        self.ready.extend(ready);
        Ok(())
    }

    async fn scan(&mut self) -> io::Result<()> {
        let (folder, patterns, kept) = (self.source.folder.clone(), self.patterns.clone(), self.kept.clone());
        let found = blocking(move || {
            scan::scan(&folder, &patterns, |path, metadata| {
                !kept.is_empty() && kept.contains(&(path.to_owned(), Stamp::of(metadata)))
            })
        });
        let Found { files, more, strangers } = found.await?;
        self.more = more;
        let now = Instant::now();
        for path in files {
            if !self.settling.contains(&path) && self.settling.len() < scan::MOST {
                self.settling.seen(path, false, now);
            }
        }
        let trouble = strangers.1.map(|name| {
            let patterns = self.patterns.join(", ");
            format!("{} files do not fit {patterns} and are left alone, for example {name}", strangers.0)
        });
        self.say(SourceState::Watching, trouble);
        Ok(())
    }

    fn name(&self) -> &str {
        &self.source.settings.name
    }

    fn say(&self, state: SourceState, trouble: Option<String>) {
        self.agent.set_source_health(self.name(), SourceHealth { state, trouble });
    }
}

/// Runs what may wait for a disk or a dead share away from the tasks that must not wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Listens to the folder. The callback only passes on: it runs on the watcher's own thread.
fn watcher(
    folder: &Path,
    events: mpsc::Sender<Event>,
    lost: Arc<AtomicBool>,
) -> io::Result<RecommendedWatcher> {
    let handler = move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return lost.store(true, Ordering::Relaxed) };
        if event.need_rescan() {
            lost.store(true, Ordering::Relaxed);
        }
        let closed = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => true,
            EventKind::Create(_) | EventKind::Modify(ModifyKind::Data(_)) => false,
            _ => return,
        };
        for path in event.paths {
            if events.try_send(Event { path, closed }).is_err() {
                lost.store(true, Ordering::Relaxed);
            }
        }
    };
    let mut watcher = notify::recommended_watcher(handler).map_err(io::Error::other)?;
    watcher.watch(folder, RecursiveMode::NonRecursive).map_err(io::Error::other)?;
    Ok(watcher)
}
