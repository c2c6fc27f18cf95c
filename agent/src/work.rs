//! The way of one file: read, claim, convert, store, put away.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wats_converters::Companion;

use crate::Agent;
use crate::control::api::{After, Event, FileState};
use crate::convert::{Answer, ConvertFailure, Job, Pool};
use crate::events::brief;
use crate::files::Stamp;
use crate::intake::{Candidate, Content, Outcome, Source};
use crate::metrics::{self, Stage};
use crate::store::{Claim, Known, NewFile, StoreError};

/// How long an empty or cut off file may rest before it counts as an error: its writer may be slow.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long until something that the machine refused is tried again.
const AGAIN: Duration = Duration::from_secs(5);
/// The contents in memory at once, in KiB; a larger file waits until it is alone.
const MEMORY_KIB: u32 = 256 * 1024;

/// Works on files; cheap to clone, all clones share the limits.
#[derive(Debug, Clone)]
pub struct Work {
    pub agent: Agent,
    pub pool: Pool,
    memory: Arc<Semaphore>,
}

impl Work {
    pub fn new(agent: Agent, pool: Pool) -> Self {
        let memory = Arc::new(Semaphore::new(usize::try_from(MEMORY_KIB).unwrap_or(usize::MAX)));
        Self { agent, pool, memory }
    }

    /// Works on files one after the other, until `stop` fires.
    pub async fn run(
        self,
        files: Arc<tokio::sync::Mutex<mpsc::Receiver<Candidate>>>,
        stop: CancellationToken,
    ) {
        // Those on network mounts, which may have to wait: nobody waits behind them.
        let mut aside = JoinSet::new();
        loop {
            let next = async { files.lock().await.recv().await };
            let file = tokio::select! {
                // What was claimed is taken up again at the next start.
                () = stop.cancelled() => return,
                Some(_) = aside.join_next() => continue,
                file = next => match file { Some(file) => file, None => return },
            };
            if file.is_remote() {
                let work = self.clone();
                aside.spawn(async move { work.all(file).await });
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.all(file) => {}
            }
        }
    }

    /// The whole way of a file, whatever happens on it.
    async fn all(&self, mut file: Candidate) {
        match self.one(&file).await {
            Ok(outcome) => file.ends(outcome),
            Err(error) => {
                let name = file.path.display();
                tracing::error!(%error, "could not work on {name}; it is tried again");
                file.ends(match error {
                    WorkError::Read(_) => Outcome::Unreadable(AGAIN),
                    _ => Outcome::Later(AGAIN),
                });
            }
        }
    }

    async fn one(&self, file: &Candidate) -> Result<Outcome, WorkError> {
        let (store, source) = (self.agent.store(), &*file.source);
        let known = store.known(&source.settings.name, &file.path, file.stamp).await?;
        if let Some(known) = known
            && known.state != FileState::Claimed
        {
            if !known.put_away {
                return Ok(self.put_away(file, known).await?);
            }
            // Any other that was put away has been brought back: it is treated as new.
            if known.state == FileState::Converted && source.settings.after == After::Keep {
                return Ok(Outcome::Done);
            }
        }
        if !self.has_room() {
            return Ok(Outcome::Later(AGAIN));
        }
        if file.stamp.size == 0 {
            if file.unchanged < PATIENCE {
                return Ok(Outcome::Later(PATIENCE.saturating_sub(file.unchanged)));
            }
            return self.refuse(file, "the file is empty".to_owned()).await;
        }
        let _remote = file.own_memory().await;
        let kib = if file.is_remote() { 0 } else { file.stamp.size / 1024 + 1 };
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(MEMORY_KIB);
        // The semaphore is never closed.
        let _memory = self.memory.acquire_many(kib).await.ok();
        match file.read().await {
            Ok(Content::Read { bytes, companions, sha256 }) => {
                self.convert(file, bytes, companions, sha256).await
            }
            Ok(Content::TooLarge) => self.refuse(file, too_large(file.stamp.size, source)).await,
            // What it has become is found by an event or the next scan.
            Ok(Content::Changed) => Ok(Outcome::Later(Duration::from_millis(500))),
            Err(source) => Err(WorkError::Read(source)),
        }
    }

    async fn convert(
        &self,
        file: &Candidate,
        bytes: Vec<u8>,
        companions: Vec<Companion>,
        sha256: String,
    ) -> Result<Outcome, WorkError> {
        let (store, source) = (self.agent.store(), &*file.source);
        // A failed file that its owner took from the error folder and dropped again takes its place.
        if let Some((id, kept_at)) = store.failed_twin(&source.settings.name, &sha256).await?
            && !kept_at.exists()
        {
            store.forget(id).await?;
        }
        let now = Timestamp::now();
        let new = new_file(file, sha256.clone(), now)?;
        let name = file_name(file);
        let (id, answer) = match store.claim(new).await? {
            Claim::Duplicate { id, of } => {
                tracing::info!(
                    file.id = id,
                    "{name} has the content of file {of}, which was converted before"
                );
                metrics::file(&source.settings.name, "duplicate");
                self.say_duplicate(file, id, of);
                return self.finish(file, known(file, id, FileState::Converted, sha256, now)).await;
            }
            Claim::Convert { id } => {
                let job = Job {
                    converter: source.settings.converter.clone(),
                    arguments: source.settings.arguments.clone(),
                    file_name: name.clone(),
                    sha256: sha256.clone(),
                    modified: file.stamp.modified(),
                    station: self.agent.settings().config.station.clone(),
                    now,
                };
                let started = Instant::now();
                let answer = self.pool.convert(&job, &bytes, &companions).await;
                metrics::took(Stage::Convert, started.elapsed());
                (id, answer)
            }
        };
        drop((bytes, companions));
        match answer {
            Ok(Answer::Reports { reports, warnings }) => {
                let (count, started) = (reports.len(), Instant::now());
                let twin = store.converted(id, reports, Timestamp::now()).await?;
                metrics::took(Stage::Store, started.elapsed());
                match twin {
                    None => tracing::info!(file.id = id, reports = count, "converted {name}"),
                    Some(of) => tracing::info!(file.id = id, "{name} has the content of file {of}"),
                }
                metrics::file(&source.settings.name, if twin.is_none() { "converted" } else { "duplicate" });
                match twin {
                    None => self.agent.events().say(|| Event::FileConverted {
                        source: source.settings.name.clone(),
                        name: name.clone(),
                        file_id: id,
                        reports: u64::try_from(count).unwrap_or(u64::MAX),
                    }),
                    Some(of) => self.say_duplicate(file, id, of),
                }
                for warning in warnings {
                    tracing::warn!(file.id = id, "{name}: {warning}");
                }
                self.agent.wake_delivery();
                self.finish(file, known(file, id, FileState::Converted, sha256, now)).await
            }
            Ok(Answer::Refused { not_yet: true, .. }) if file.unchanged < PATIENCE => {
                Ok(Outcome::Later(PATIENCE.saturating_sub(file.unchanged)))
            }
            Err(ConvertFailure::NoWorker(source)) => Err(WorkError::NoWorker(source)),
            Ok(Answer::Refused { words, .. }) => self.fail(file, id, words, sha256, now).await,
            Err(failure) => self.fail(file, id, failure.to_string(), sha256, now).await,
        }
    }

    async fn refuse(&self, file: &Candidate, words: String) -> Result<Outcome, WorkError> {
        let now = Timestamp::now();
        let id = self.agent.store().refuse(new_file(file, String::new(), now)?, words.clone()).await?;
        tracing::warn!(file.id = id, "{} was not converted: {}", file_name(file), first_line(&words));
        metrics::file(&file.source.settings.name, "failed");
        self.say_failed(file, id, &words);
        let failed = Known { error: Some(words), ..known(file, id, FileState::Failed, String::new(), now) };
        self.finish(file, failed).await
    }

    async fn fail(
        &self,
        file: &Candidate,
        id: i64,
        words: String,
        sha256: String,
        now: Timestamp,
    ) -> Result<Outcome, WorkError> {
        tracing::warn!(file.id = id, "{} was not converted: {}", file_name(file), first_line(&words));
        self.agent.store().failed(id, words.clone()).await?;
        metrics::file(&file.source.settings.name, "failed");
        self.say_failed(file, id, &words);
        let failed = Known { error: Some(words), ..known(file, id, FileState::Failed, sha256, now) };
        self.finish(file, failed).await
    }

    fn say_duplicate(&self, file: &Candidate, id: i64, of: i64) {
        self.agent.events().say(|| Event::FileDuplicate {
            source: file.source.settings.name.clone(),
            name: file_name(file),
            file_id: id,
            duplicate_of: of,
        });
    }

    fn say_failed(&self, file: &Candidate, id: i64, words: &str) {
        self.agent.events().say(|| Event::FileFailed {
            source: file.source.settings.name.clone(),
            name: file_name(file),
            file_id: id,
            error: brief(words),
        });
    }

    async fn finish(&self, file: &Candidate, known: Known) -> Result<Outcome, WorkError> {
        Ok(self.put_away(file, known).await?)
    }

    /// Puts a finished file away; one that cannot be moved is tried again later.
    async fn put_away(&self, file: &Candidate, known: Known) -> Result<Outcome, StoreError> {
        let (id, archive) = (known.id, self.agent.settings().archive_folder());
        let mut moved = file.put_away(&known, archive.clone()).await;
        if moved.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // Somebody was quicker, perhaps a process of an agent that was killed: now it shows where it lies.
            moved = file.put_away(&known, archive).await;
        }
        match moved {
            Ok(kept_at) => {
                self.agent.store().put_away(id, kept_at).await?;
                self.agent.set_trouble("archive", None);
                Ok(Outcome::Done)
            }
            Err(error) => {
                let path = known.path.display();
                let words = format!(
                    "{path} is done with but cannot be moved away: {error}. Give the agent the right to write into \
                     its folder, or let the source keep its files"
                );
                tracing::warn!(file.id = id, "{words}");
                // That of a network mount is its source's own.
                if !file.is_remote() {
                    self.agent.set_trouble("archive", Some(words));
                }
                Ok(Outcome::Immovable)
            }
        }
    }

    /// False while the disk is nearly full: better no file taken than one half kept.
    fn has_room(&self) -> bool {
        let settings = self.agent.settings();
        let folder = settings.storage_folder();
        let free = nix::sys::statvfs::statvfs(&folder).map(|it| it.blocks_available() * it.fragment_size());
        let full = free.is_ok_and(|free| free < settings.least_free_bytes());
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

/// Why a file could not be worked on now. It is tried again.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("no worker process could be started: {0}")]
    NoWorker(#[source] io::Error),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("its source's arguments cannot be written")]
    Arguments(#[from] serde_json::Error),
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

/// A log line is one line; the rest is with the file.
fn first_line(words: &str) -> &str {
    words.lines().next().unwrap_or_default()
}

fn file_name(file: &Candidate) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn new_file(file: &Candidate, sha256: String, now: Timestamp) -> Result<NewFile, WorkError> {
    let settings = &file.source.settings;
    Ok(NewFile {
        source: settings.name.clone(),
        converter: settings.converter.clone(),
        arguments: serde_json::to_string(&settings.arguments)?,
        path: file.path.clone(),
        stamp: file.stamp,
        sha256,
        received_at: now,
    })
}

fn known(file: &Candidate, id: i64, state: FileState, sha256: String, now: Timestamp) -> Known {
    let (path, stamp): (PathBuf, Stamp) = (file.path.clone(), file.stamp);
    Known { id, state, put_away: false, path, stamp, sha256, received_at: now, error: None }
}
