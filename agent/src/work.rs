//! The way of files: read, converted, recorded, put away. What waits for a disk or a process is done for several at once.
//!
//! ```text
//!   intake ──► group of one source ──► turn at a worker: read, convert ──► record ──► put away
//! ```
//!
//! A group waits for its source's turn only, so one that is slow holds up none of the others; what is recorded comes
//! from all sources together, because a commit takes as long for many as for one.

mod plugin;
mod record;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Agent;
use crate::control::api::{After, FileState, Unit};
use crate::convert::{Answer, ConvertFailure, Job, Order, Pool};
use crate::intake::{Candidate, Content, Outcome, Source};
use crate::metrics::{self, Stage};
use crate::store::{Finished, Made, NewFile, StoreError};
use crate::system;
use record::{Done, Memory, Recorder};

/// How long an empty or cut off file may rest before it counts as an error: its writer may be slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long until something that the machine refused is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// The contents in memory at once, in KiB; a larger file waits until it is alone.
const MEMORY_KIB: u32 = 256 * 1024;
/// Files of a source that are read and converted together, at most; and their bytes, unless it is one.
const GROUP: usize = 64;
const GROUP_BYTES: u64 = 4 << 20;
/// A group that took less may be larger the next time, and smaller that took more.
const QUICK: Duration = Duration::from_millis(50);
const SLOW: Duration = Duration::from_millis(500);

/// Works on files; cheap to clone, all clones share the limits.
#[derive(Debug, Clone)]
pub struct Work {
    agent: Agent,
    pool: Pool,
    memory: Arc<Semaphore>,
    /// How many files of each source go together: one, until it turns out to be quick.
    sizes: Arc<Mutex<HashMap<String, usize>>>,
}

impl Work {
    pub fn new(agent: Agent, pool: Pool) -> Self {
        let memory = Arc::new(Semaphore::new(usize::try_from(MEMORY_KIB).unwrap_or(usize::MAX)));
        Self { agent, pool, memory, sizes: Arc::default() }
    }

    /// Works on files until `stop` fires. What was begun and not recorded is found again at the next start.
    ///
    /// # Errors
    /// When a stage crashed; to be started again.
    pub async fn run(
        self,
        files: Arc<tokio::sync::Mutex<mpsc::Receiver<Candidate>>>,
        stop: CancellationToken,
    ) -> Result<(), String> {
        let mut files = files.lock().await;
        let mut stages = JoinSet::new();
        let recorder = Recorder::start(&self.agent, &mut stages);
        let mut groups = JoinSet::new();
        let mut came = Vec::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                Some(ended) = stages.join_next() => {
                    return Err(ended.err().map_or_else(|| "recording ended".to_owned(), |error| error.to_string()));
                }
                // A crash of one is that of its files, which are found again.
                Some(_) = groups.join_next() => {}
                count = files.recv_many(&mut came, 4 * GROUP) => {
                    if count == 0 {
                        return Ok(());
                    }
                    for group in self.grouped(came.drain(..)) {
                        groups.spawn(self.clone().group(group, recorder.clone()));
                    }
                }
            }
        }
    }

    /// Puts files of one source together, in their order.
    fn grouped(&self, files: impl Iterator<Item = Candidate>) -> Vec<Vec<Candidate>> {
        let sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut groups: Vec<Vec<Candidate>> = Vec::new();
        for file in files {
            let most = if file.is_remote() || file.source.alone {
                1
            } else {
                sizes.get(file.source_name()).copied().unwrap_or(1)
            };
            let own = |group: &&mut Vec<Candidate>| group.first().is_some_and(|it| it.is_beside(&file));
            match groups.iter_mut().rev().find(own) {
                Some(group) if group.len() < most && bytes(group) + file.stamp.size <= GROUP_BYTES => {
                    group.push(file);
                }
                _ => groups.push(vec![file]),
            }
        }
        groups
    }

    /// The whole way of a group up to the recorder, whatever happens on it.
    async fn group(self, files: Vec<Candidate>, recorder: Recorder) {
        let Some(source) = files.first().map(|file| file.source.clone()) else { return };
        let files = match self.known(files, &source, &recorder).await {
            Ok(files) => files,
            Err(()) => return,
        };
        let Some(first) = files.first() else { return };
        // Those of a network mount have a memory of their own, so that nobody waits behind them.
        let is_remote = first.is_remote();
        let turn =
            self.pool.turn(&source.settings.name, &source.settings.converter, source.settings.priority).await;
        let kib = if is_remote { 0 } else { bytes(&files) / 1024 + 1 };
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(MEMORY_KIB);
        // The semaphore is never closed.
        let memory: Memory = Arc::new(self.memory.clone().acquire_many_owned(kib).await.ok());
        let _remote = first.own_memory().await;
        let (files, orders): (Vec<_>, Vec<_>) =
            self.read(files, &memory, &recorder).await.into_iter().unzip();
        if !self.forget_failed(&source, &orders).await {
            return again(files);
        }
        let (files, mut orders) =
            plugin::not_left_before(&self.agent, files, orders, &memory, &recorder).await;
        let started = Instant::now();
        self.pool.ask_plugins(&mut orders).await;
        let answers = self.pool.convert(&turn, &mut orders).await;
        drop(turn);
        self.took(&source.settings.name, started.elapsed(), orders.len());
        for ((file, order), answer) in files.into_iter().zip(orders).zip(answers) {
            self.answered(file, order.job, answer, &memory, &recorder).await;
        }
    }

    /// Those that are new. Others that were dealt with before go on from there.
    async fn known(
        &self,
        files: Vec<Candidate>,
        source: &Source,
        recorder: &Recorder,
    ) -> Result<Vec<Candidate>, ()> {
        let places: Vec<_> = files.iter().map(|file| (file.path.as_path(), file.stamp)).collect();
        let known = match self.agent.store().known(&source.settings.name, &places).await {
            Ok(known) => known,
            Err(error) => {
                tracing::error!(%error, "could not look up {} files; they are tried again", files.len());
                again(files);
                return Err(());
            }
        };
        let mut new = Vec::with_capacity(files.len());
        for (mut file, known) in files.into_iter().zip(known) {
            match known.filter(|known| known.state != FileState::Claimed) {
                Some(known) if plugin::stays(&known, source) => file.ends(Outcome::Left),
                Some(known) if !known.put_away => recorder.put_away(file, known).await,
                // Any other that was put away has been brought back: it is treated as new.
                Some(known)
                    if known.state == FileState::Converted && source.settings.after == After::Keep =>
                {
                    file.ends(Outcome::Done);
                }
                _ => new.push(file),
            }
        }
        if !self.has_room() {
            again(new);
            return Err(());
        }
        Ok(new)
    }

    /// Those that could be read, ready to be converted.
    async fn read(
        &self,
        files: Vec<Candidate>,
        memory: &Memory,
        recorder: &Recorder,
    ) -> Vec<(Candidate, Order)> {
        let (mut full, mut empty) = (Vec::with_capacity(files.len()), Vec::new());
        for file in files {
            if file.stamp.size > 0 { full.push(file) } else { empty.push(file) }
        }
        for mut file in empty {
            if file.unchanged < PATIENCE {
                file.ends(Outcome::Later(PATIENCE.saturating_sub(file.unchanged)));
            } else {
                self.fails(file, String::new(), "the file is empty".to_owned(), memory, recorder).await;
            }
        }
        let contents = match full.first() {
            Some(_) => Candidate::read(&full).await,
            None => Vec::new(),
        };
        let (station, now) = (self.agent.settings().config.station.clone(), Timestamp::now());
        let mut read = Vec::with_capacity(full.len());
        for (mut file, content) in full.into_iter().zip(contents) {
            match content {
                Ok(Content::Read { bytes, companions, sha256 }) => {
                    let settings = &file.source.settings;
                    let job = Job {
                        converter: settings.converter.clone(),
                        arguments: settings.arguments.clone(),
                        file_name: file_name(&file),
                        sha256,
                        modified: file.stamp.modified(),
                        station: station.clone(),
                        now,
                        folder: folder_name(&file),
                        rival: None,
                    };
                    read.push((file, Order { job, bytes, companions }));
                }
                Ok(Content::TooLarge) => {
                    let words = too_large(file.stamp.size, &file.source);
                    self.fails(file, String::new(), words, memory, recorder).await;
                }
                // What it has become is found by an event or the next scan.
                Ok(Content::Changed) => file.ends(Outcome::Later(Duration::from_millis(500))),
                Err(error) => {
                    tracing::error!(%error, "{} cannot be read; it is tried again", file.path.display());
                    file.ends(Outcome::Unreadable(AGAIN));
                }
            }
        }
        read
    }

    /// A failed file that its owner took from the error folder and dropped again takes its place.
    async fn forget_failed(&self, source: &Source, orders: &[Order]) -> bool {
        let (store, name) = (self.agent.store(), &source.settings.name);
        let forgotten = async {
            let contents = orders.iter().map(|order| order.job.sha256.as_str());
            for (id, kept_at) in store.failed_twins(name, contents).await? {
                if !kept_at.exists() {
                    store.forget(id).await?;
                }
            }
            Ok::<_, StoreError>(())
        };
        match forgotten.await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "could not look up {} files; they are tried again", orders.len());
                false
            }
        }
    }

    async fn answered(
        &self,
        mut file: Candidate,
        job: Job,
        answer: Result<Answer, ConvertFailure>,
        memory: &Memory,
        recorder: &Recorder,
    ) {
        match answer {
            Ok(Answer::Plugin(verdict)) => plugin::answered(file, job, *verdict, memory, recorder).await,
            Ok(Answer::Reports { reports, warnings }) => {
                let new = new_file(&file, job.sha256, job.now);
                let finished = Finished { file: new, made: Made::Reports(reports) };
                recorder
                    .record(Done { file, finished, warnings, memory: memory.clone(), settle: None })
                    .await;
            }
            Ok(Answer::Refused { not_yet: true, .. }) if file.unchanged < PATIENCE => {
                file.ends(Outcome::Later(PATIENCE.saturating_sub(file.unchanged)));
            }
            Ok(Answer::Outdone) => file.ends(Outcome::Later(AGAIN)),
            Err(failure @ (ConvertFailure::NoWorker(_) | ConvertFailure::NoRoom(_))) => {
                let error = std::error::Error::source(&failure).map(ToString::to_string);
                tracing::error!(error, "{failure}; {} is tried again", file_name(&file));
                file.ends(Outcome::Later(AGAIN));
            }
            Ok(Answer::Refused { words, .. }) => self.fails(file, job.sha256, words, memory, recorder).await,
            Err(failure) => self.fails(file, job.sha256, failure.to_string(), memory, recorder).await,
        }
    }

    async fn fails(
        &self,
        file: Candidate,
        sha256: String,
        words: String,
        memory: &Memory,
        recorder: &Recorder,
    ) {
        let finished =
            Finished { file: new_file(&file, sha256, Timestamp::now()), made: Made::Failed(words) };
        let memory = memory.clone();
        recorder.record(Done { file, finished, warnings: Vec::new(), memory, settle: None }).await;
    }

    /// Lets the source's groups grow while they are quick: what is sent to a worker together is answered together.
    fn took(&self, source: &str, time: Duration, files: usize) {
        let Ok(count) = u32::try_from(files.max(1)) else { return };
        for _ in 0..files {
            metrics::took(Stage::Convert, time / count);
        }
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        let size = sizes.entry(source.to_owned()).or_insert(1);
        if time > SLOW {
            *size = 1;
        } else if time < QUICK && files >= *size {
            *size = (*size * 2).min(GROUP);
        }
    }

    /// False while the disk is nearly full: better no file taken than one half kept.
    fn has_room(&self) -> bool {
        let settings = self.agent.settings();
        let folder = settings.storage_folder();
        let full = system::room(&folder).is_ok_and(|(free, _)| free < settings.least_free_bytes());
        let words = full.then(|| {
            format!(
                "the disk of {} is nearly full: no more files are taken until there is room",
                folder.display()
            )
        });
        self.agent.set_trouble("disk", words);
        !full
    }
}

/// Nothing can be done with them now.
fn again(files: Vec<Candidate>) {
    for mut file in files {
        file.ends(Outcome::Later(AGAIN));
    }
}

fn bytes(files: &[Candidate]) -> u64 {
    files.iter().map(|file| file.stamp.size).fold(0, u64::saturating_add)
}

/// What was not done, why, and what a person can do.
fn too_large(size: u64, source: &Source) -> String {
    let (limit, name) = (source.max_file_bytes(), &source.settings.name);
    format!(
        "the file is too large: {size} bytes; the source {name} takes at most {limit}. It is kept here, and nothing \
         of it was sent. Let the tester begin new files more often, or cut this one into smaller ones; or raise \
         intake.max_file_bytes of the source (at most {most}) and put the file into its folder again",
        most = 1 << 30,
    )
}

fn file_name(file: &Candidate) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Of a unit that is a folder, its name.
fn folder_name(file: &Candidate) -> Option<String> {
    let folder = file.path.parent().filter(|_| file.source.settings.unit() == Unit::Folder)?;
    Some(folder.file_name()?.to_string_lossy().into_owned())
}

fn new_file(file: &Candidate, sha256: String, now: Timestamp) -> NewFile {
    let settings = &file.source.settings;
    NewFile {
        source: settings.name.clone(),
        converter: settings.converter.clone(),
        // A map of texts can always be written.
        arguments: serde_json::to_string(&file.source.recorded_arguments).unwrap_or_default(),
        path: file.path.clone(),
        stamp: file.stamp,
        sha256,
        received_at: now,
        note: None,
    }
}
