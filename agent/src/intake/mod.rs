//! Finds files in the watched folders and passes them on when they are complete.

mod away;
mod disk;
mod hearing;
mod listen;
mod names;
mod pick;
mod reach;
mod schedule;
pub mod settings;
mod settle;
pub mod share;
mod source;
mod wire;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::Agent;
use crate::config::Settings;
use crate::control::api::{ConverterKind, SourceSettings, SourceState};
use crate::files::Stamp;
use crate::service::Pulse;
use crate::store::Known;
use crate::{SourceHealth, config, plugins};

use away::Away;
use disk::Seen;
pub use hearing::{Detection, Means};
pub(crate) use names::fits;
use names::{NameRules, Names};
use reach::Place;
pub use reach::{Content, mark, put_unit_back, read_unit};
pub use share::Shares;
use source::Watching;

/// A source as its files see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub settings: SourceSettings,
    pub folder: PathBuf,
    pub intake: config::Intake,
    /// Its arguments as they stand in records: without passwords.
    pub recorded_arguments: BTreeMap<String, String>,
    /// The plug-in of its converter, by its SHA-256: another content looks at all files anew.
    pub program: Option<String>,
    /// Its files are converted one by one.
    pub alone: bool,
    /// It runs at its times, and has no folder to watch.
    pub scheduled: bool,
    /// Why its converter cannot run now: its files stay where they are.
    pub trouble: Option<String>,
}

/// A complete file, or unit of several, on its way to a converter.
#[derive(Debug)]
pub struct Candidate {
    pub source: Arc<Source>,
    /// The file that names the unit.
    pub path: PathBuf,
    /// Of the whole unit.
    pub stamp: Stamp,
    /// How long it was seen unchanged.
    pub unchanged: Duration,
    /// Under which path the source knows it: of a unit that is a folder, the folder.
    key: PathBuf,
    seen: Seen,
    place: Place,
    done: mpsc::UnboundedSender<(PathBuf, Outcome)>,
    outcome: Outcome,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Dealt with, or not there any more.
    Done,
    /// To be looked at again after this time.
    Later(Duration),
    /// It could not be read, although it is there: looked at again after this time, and said so.
    Unreadable(Duration),
    /// Done with, but it could not be moved away: tried again in a while, and no others wait for that.
    Immovable,
    /// Done with, and it stays where it is.
    Left,
}

impl Candidate {
    /// Reads files of one source, each as it was seen; one answer for each.
    ///
    /// # Errors
    /// Of a file: when it cannot be opened or read.
    pub async fn read(files: &[Self]) -> Vec<io::Result<Content>> {
        let Some(first) = files.first() else { return Vec::new() };
        let wanted = files.iter().map(|file| (file.key.clone(), file.seen.clone())).collect();
        answers(files.len(), first.place.read(wanted, first.source.max_file_bytes()).await)
    }

    /// Puts files of one source away that are done with; answers for each where it lies now, `None` where it was, or
    /// gone.
    ///
    /// # Errors
    /// Of a file: when it could not be moved; it then lies where it was.
    pub async fn put_away(files: &[(Self, Known)], archive: &Path) -> Vec<io::Result<Option<PathBuf>>> {
        let Some((first, _)) = files.first() else { return Vec::new() };
        let order = |(_, known): &(Self, Known)| Away::new(known, &first.source, archive.to_owned());
        answers(files.len(), first.place.put_away(files.iter().map(order).collect()).await)
    }

    /// True when it lies on a network mount: whoever works on it may have to wait for a dead server.
    pub fn is_remote(&self) -> bool {
        self.place.share.is_some()
    }

    /// The name of its source.
    pub fn source_name(&self) -> &str {
        &self.source.settings.name
    }

    /// True for a file of the same source as it is now: they can be read and put away together.
    pub fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// Waits until its mount's files in memory leave room for it; `None` for a local file.
    pub async fn own_memory(&self) -> Option<OwnedSemaphorePermit> {
        let share = self.place.share.as_ref()?;
        let kib = u32::try_from(self.stamp.size / 1024 + 1).unwrap_or(u32::MAX).min(share::MEMORY_KIB);
        // The semaphore is never closed.
        share.memory.clone().acquire_many_owned(kib).await.ok()
    }

    /// Says what became of it; the source hears of it when the candidate is dropped.
    pub fn ends(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

/// As many answers as were asked for: a crash on the way gives one for all.
fn answers<T>(count: usize, mut given: Vec<io::Result<T>>) -> Vec<io::Result<T>> {
    let missing = count.saturating_sub(given.len());
    given.extend((0..missing).map(|_| Err(io::Error::other("reading or moving the files crashed"))));
    given
}

/// Also a crash of whoever worked on it tells the source that the file is free again.
impl Drop for Candidate {
    fn drop(&mut self) {
        // A source that was removed does not care.
        self.done.send((std::mem::take(&mut self.key), self.outcome)).ok();
    }
}

/// True when the source takes files of that name.
pub(crate) fn takes(settings: &SourceSettings, name: &str) -> bool {
    fits(name, &patterns(settings))
}

/// The patterns in force.
fn patterns(settings: &SourceSettings) -> Vec<String> {
    if !settings.file_patterns.is_empty() {
        return settings.file_patterns.clone();
    }
    let converter = wats_converters::find(&settings.converter);
    converter.map_or(Vec::new(), |it| it.about().file_patterns.iter().map(|&p| p.to_owned()).collect())
}

impl Source {
    /// A larger file, or unit, is refused.
    pub fn max_file_bytes(&self) -> u64 {
        self.settings.intake.max_file_bytes.unwrap_or(self.intake.max_file_bytes)
    }

    fn place(&self) -> Result<Place, globset::Error> {
        let rules = NameRules::new(patterns(&self.settings), self.settings.unit(), &self.settings.intake);
        Ok(Place { folder: self.folder.clone(), names: Arc::new(Names::new(rules)?), share: None })
    }
}

struct Running {
    source: Arc<Source>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Watches all sources of the settings in force, until `stop` fires.
pub async fn run(
    agent: Agent,
    files: mpsc::Sender<Candidate>,
    shares: Arc<Shares>,
    pulse: &Pulse,
    stop: CancellationToken,
) {
    let mut changes = agent.watch_settings();
    let mut running: BTreeMap<String, Running> = BTreeMap::new();
    while !stop.is_cancelled() {
        let settings = changes.borrow_and_update().clone();
        let wanted = wanted(&settings);
        let old: Vec<String> = running
            .iter()
            .filter(|(name, it)| it.task.is_finished() || wanted.get(*name) != Some(&*it.source))
            .map(|(name, _)| name.clone())
            .collect();
        for name in old {
            if let Some(Running { stop, task, .. }) = running.remove(&name) {
                stop.cancel();
                if task.await.is_err_and(|error| error.is_panic()) {
                    tracing::error!(source.name = name, "watching {name} crashed; it is started again");
                }
                agent.forget_source_health(&name);
            }
        }
        for (name, source) in wanted {
            if source.settings.paused {
                agent.set_source_health(&name, SourceHealth::new(SourceState::Paused));
            }
            running.entry(name).or_insert_with(|| start(&agent, source, &files, &shares, &stop));
        }
        pulse.beat();
        tokio::select! {
            () = stop.cancelled() => {}
            changed = changes.changed() => if changed.is_err() { break },
            // Also looks whether one has crashed.
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
    }
    for (_, Running { task, .. }) in running {
        task.await.ok();
    }
}

fn wanted(settings: &Settings) -> BTreeMap<String, Source> {
    let sources = settings.config.sources.iter().map(|it| {
        let found = settings.plugins.find(&it.converter);
        let declared = found.map_or(&[][..], |it| &it.converter.info.arguments);
        let mut source = Source {
            settings: settings.effective(it),
            folder: settings.folder_of(it),
            intake: settings.config.intake.clone(),
            recorded_arguments: plugins::argument::shown(declared, &it.arguments),
            program: found.map(|it| it.enabled.plugin.sha256.clone()),
            alone: found.is_some_and(|it| it.converter.hooks),
            scheduled: found.is_some_and(|it| it.converter.info.kind == ConverterKind::Scheduled),
            trouble: settings.plugins.trouble(&it.converter),
        };
        source.settings.paused |= source.intake.paused;
        (it.name.clone(), source)
    });
    sources.collect()
}

fn start(
    agent: &Agent,
    source: Source,
    files: &mpsc::Sender<Candidate>,
    shares: &Arc<Shares>,
    stop: &CancellationToken,
) -> Running {
    let (source, stop) = (Arc::new(source), stop.child_token());
    let (agent, files, watched, until) = (agent.clone(), files.clone(), source.clone(), stop.clone());
    let shares = shares.clone();
    let task = tokio::spawn(async move {
        if watched.settings.paused {
            // It does nothing until it is changed.
            return until.cancelled().await;
        }
        if let Some(trouble) = watched.trouble.clone() {
            tracing::error!(source.name = watched.settings.name, "{trouble}");
            let health = SourceHealth { trouble: Some(trouble), ..SourceHealth::new(SourceState::Failed) };
            agent.set_source_health(&watched.settings.name, health);
            return until.cancelled().await;
        }
        if watched.scheduled {
            return until.cancelled().await;
        }
        match watched.place() {
            Ok(place) => Watching::new(agent, watched, place, files, shares, until).run().await,
            Err(error) => {
                let trouble = Some(format!("the patterns of the source are wrong: {error}"));
                let health = SourceHealth { trouble, ..SourceHealth::new(SourceState::Failed) };
                agent.set_source_health(&watched.settings.name, health);
                until.cancelled().await;
            }
        }
    });
    Running { source, stop, task }
}
