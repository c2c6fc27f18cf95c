//! The system's events of a folder.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind, RenameMode};
use notify::{Config, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, mpsc};

/// Events that wait to be looked at; when there are more the folder is looked through instead.
pub(super) const EVENTS: usize = 32_768;

/// What an event says of a file.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) path: PathBuf,
    /// Its writer has closed it, or moved it here.
    pub(super) closed: bool,
    /// It may be a folder that came with files in it.
    pub(super) may_be_folder: bool,
}

/// Where events go, and the word that some were lost.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    events: mpsc::Sender<Event>,
    lost: Arc<Notify>,
}

/// The other end of an [`Ear`].
#[derive(Debug)]
pub(super) struct Events {
    pub(super) events: mpsc::Receiver<Event>,
    /// Told when events were lost: the folder must be looked through.
    pub(super) lost: Arc<Notify>,
}

impl Ear {
    pub(super) fn new() -> (Self, Events) {
        let (sender, events) = mpsc::channel(EVENTS);
        let lost = Arc::new(Notify::new());
        (Self { events: sender, lost: lost.clone() }, Events { events, lost })
    }

    /// Only passes on: runs on the watcher's own thread.
    pub(super) fn hear(&self, event: notify::Result<notify::Event>) {
        let Ok(event) = event else { return self.lost.notify_one() };
        if event.need_rescan() {
            self.lost.notify_one();
        }
        let (closed, may_be_folder) = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => (true, false),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)) => (true, true),
            EventKind::Create(_) => (false, true),
            EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => (false, false),
            // Where the system does not say which name was the new one.
            EventKind::Modify(ModifyKind::Name(RenameMode::Any)) => (false, true),
            _ => return,
        };
        for path in event.paths {
            if self.events.try_send(Event { path, closed, may_be_folder }).is_err() {
                self.lost.notify_one();
            }
        }
    }
}

/// Lets the watcher's thread rest while events come one after the other, so that it finds several when it wakes up: waking
/// up costs it, and whoever listens, more than an event does.
#[derive(Debug)]
struct Rest {
    last: Instant,
}

impl Rest {
    const LONG: Duration = Duration::from_millis(1);
    /// Events that were read together come closer than that.
    const TOGETHER: Duration = Duration::from_micros(50);
    /// What comes after such a silence does not wait.
    const SILENCE: Duration = Duration::from_millis(3);

    fn after_an_event(&mut self) {
        let silence = self.last.elapsed();
        if silence > Self::TOGETHER && silence < Self::SILENCE {
            thread::sleep(Self::LONG);
        }
        self.last = Instant::now();
    }
}

/// Listens to the folder until the answer is dropped.
///
/// # Errors
/// When the system has no more watches, or the folder is not there.
pub(super) fn listen(folder: &Path, below: bool, ear: Ear) -> io::Result<RecommendedWatcher> {
    let config = Config::default().with_follow_symlinks(false);
    let mut rest = Rest { last: Instant::now() };
    let hear = move |event| {
        ear.hear(event);
        rest.after_an_event();
    };
    let mut watcher = RecommendedWatcher::new(hear, config).map_err(io::Error::other)?;
    let mode = if below { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
    watcher.watch(folder, mode).map_err(io::Error::other)?;
    Ok(watcher)
}
