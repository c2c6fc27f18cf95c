//! A few long-lived worker processes, and what happens when one misbehaves.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wats_converters::Companion;

use super::frame;
use super::job::{Answer, Job};
use super::queue::{Queue, Turn};
use super::worker::{Head, Request};
use crate::metrics;
use crate::plugins::Plugins;
use crate::store::{Packer, Reports};
use crate::system;

/// A worker is replaced after so many files, so that no converter's leak can grow for ever.
const RECYCLE_AFTER: u32 = 10_000;
/// And after a file of this size, whose memory may not come back.
const LARGE_FILE: usize = 32 << 20;
/// Of a worker's memory the allocator of glibc keeps so many bytes for the next file, which it would give back to the
/// system after each; a large piece goes back at once.
const KEEPS_MEMORY: [(&str, &str); 2] =
    [("MALLOC_TRIM_THRESHOLD_", "16777216"), ("MALLOC_MMAP_THRESHOLD_", "1048576")];
/// So many bytes of a file's reports are kept in memory.
const IN_MEMORY: usize = 8 << 20;
/// The last words of a worker that are kept for the log.
const LAST_WORDS: usize = 4096;

/// How a worker is started.
#[derive(Debug, Clone)]
pub struct Command {
    pub program: PathBuf,
    pub arguments: Vec<String>,
}

/// What a worker may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub workers: u32,
    /// For files that are sent together, from the first byte to the last of the answer.
    pub time: Duration,
    /// The reports of one file, together and packed; and one that is not packed.
    pub answer_bytes: usize,
}

/// Why a worker gave no answer. The next file gets a fresh one.
#[derive(Debug, thiserror::Error)]
pub enum ConvertFailure {
    #[error("the conversion took longer than {} s and was stopped", limit.as_secs())]
    TimedOut { limit: Duration },
    #[error("the conversion ended abnormally ({how}): the file may need too much memory")]
    Crashed { how: String },
    #[error("the reports of the file are larger than {} MB together", limit >> 20)]
    TooLong { limit: usize },
    #[error("the converter answered in a way that cannot be understood")]
    Garbled,
    /// Not the file's fault: it can be tried again.
    #[error("no worker process could be started")]
    NoWorker(#[source] io::Error),
    /// Not the file's fault either.
    #[error("its many reports could not be written to the disk")]
    NoRoom(#[source] io::Error),
}

/// A file to be converted.
#[derive(Debug)]
pub struct Order {
    pub job: Job,
    pub bytes: Vec<u8>,
    pub companions: Vec<Companion>,
}

/// The pool. Cheap to clone; all clones share the workers.
#[derive(Debug, Clone)]
pub struct Pool {
    command: Command,
    limits: Arc<Mutex<Limits>>,
    /// The folder where the reports of a file wait that has very many.
    spool: PathBuf,
    queue: Queue,
    /// Those whose files plug-ins convert have places of their own: one that hangs takes none from our converters.
    foreign: Queue,
    idle: Arc<Mutex<Vec<Worker>>>,
    /// Those that convert what a plug-in does.
    pub(super) plugins: Option<Plugins>,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    requests: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
    last_words: LastWords,
    files: u32,
}

impl Pool {
    /// A pool that starts workers when there is work. In the folder `spool` the reports of a file wait that has very many.
    pub fn new(command: Command, limits: Limits, spool: PathBuf) -> Self {
        let (queue, foreign) = (Queue::new(limits.workers), Queue::new(limits.workers));
        let limits = Arc::new(Mutex::new(limits));
        Self { command, limits, spool, queue, foreign, idle: Arc::default(), plugins: None }
    }

    /// Other limits, for what begins from now on.
    pub fn set_limits(&self, limits: Limits) {
        *lock(&self.limits) = limits;
        self.queue.set_places(limits.workers);
        self.foreign.set_places(limits.workers);
    }

    /// With the plug-ins that convert what a source leaves to them.
    #[must_use]
    pub fn with_plugins(self, plugins: Plugins) -> Self {
        Self { plugins: Some(plugins), ..self }
    }

    /// Waits until files of this source, which has this converter, may be converted; held until they are.
    pub async fn turn(&self, source: &str, converter: &str, priority: u32) -> Turn {
        let is_foreign = crate::plugins::name_of(converter).is_some();
        let queue = if is_foreign { &self.foreign } else { &self.queue };
        queue.turn(source, priority).await
    }

    /// Converts files one after the other, with one answer for each. The bytes of one that is alone are gone afterwards.
    ///
    /// # Errors
    /// Of a file: when the worker crashed, hung or answered nonsense; it is gone then, and others go on. A file is
    /// blamed only when it was alone with its worker.
    pub async fn convert(&self, _turn: &Turn, files: &mut [Order]) -> Vec<Result<Answer, ConvertFailure>> {
        self.by_all(files).await
    }

    /// Converts files by our own converters.
    pub(super) async fn by_ours(&self, files: &mut [Order]) -> Vec<Result<Answer, ConvertFailure>> {
        let mut answers = Vec::with_capacity(files.len());
        if files.len() > 1 {
            let mut together = Vec::new();
            // Whoever broke it shows when those without an answer are tried alone.
            if let Err(failure) = self.try_all(files, &mut together).await {
                tracing::info!(
                    "a worker failed among {} files ({failure}): the rest is tried one by one",
                    files.len()
                );
            }
            answers.extend(together.into_iter().map(Ok));
        }
        for file in files.iter_mut().skip(answers.len()) {
            let mut alone = Vec::new();
            let tried = self.try_all(std::slice::from_mut(file), &mut alone).await;
            answers.push(tried.and_then(|()| alone.pop().ok_or(ConvertFailure::Garbled)));
        }
        answers
    }

    /// Converts files in one worker; those that were answered stand in `answers`, whatever happens then.
    async fn try_all(&self, files: &mut [Order], answers: &mut Vec<Answer>) -> Result<(), ConvertFailure> {
        let limits = *lock(&self.limits);
        let idle = lock(&self.idle).pop();
        // One that died while it waited is not this file's fault.
        let alive = idle.and_then(|mut it| matches!(it.child.try_wait(), Ok(None)).then_some(it));
        let mut worker = match alive {
            Some(worker) => worker,
            None => Worker::start(&self.command).map_err(ConvertFailure::NoWorker)?,
        };
        let large = files.iter().any(|file| file.bytes.len() >= LARGE_FILE);
        let work = worker.work(files, limits.answer_bytes, &self.spool, answers);
        match tokio::time::timeout(limits.time, work).await {
            Ok(Ok(())) => {
                worker.files = worker.files.saturating_add(u32::try_from(files.len()).unwrap_or(u32::MAX));
                let mut idle = lock(&self.idle);
                if worker.files < RECYCLE_AFTER && !large && idle.len() < limits.workers as usize {
                    idle.push(worker);
                }
                Ok(())
            }
            Ok(Err(failure)) => {
                metrics::worker_lost();
                Err(worker.explain(failure, files).await)
            }
            // Dropping the worker kills it.
            Err(_) => {
                metrics::worker_lost();
                Err(ConvertFailure::TimedOut { limit: limits.time })
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the talk with a worker ended.
enum Broken {
    Pipe,
    TooLong { limit: usize },
    Garbled,
    NoRoom(io::Error),
}

impl Worker {
    fn start(command: &Command) -> io::Result<Self> {
        let mut child = system::bare(&mut tokio::process::Command::new(&command.program))
            .args(&command.arguments)
            .envs(KEEPS_MEMORY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the worker has no pipe");
        let (requests, answers) = child.stdin.take().zip(child.stdout.take()).ok_or_else(missing)?;
        system::widen(&requests);
        system::widen(&answers);
        let requests = BufWriter::with_capacity(frame::AT_ONCE, requests);
        let answers = BufReader::with_capacity(frame::AT_ONCE, answers);
        let last_words = LastWords::of(child.stderr.take().ok_or_else(missing)?);
        Ok(Self { child, requests, answers, last_words, files: 0 })
    }

    async fn work(
        &mut self,
        files: &mut [Order],
        limit: usize,
        spool: &Path,
        done: &mut Vec<Answer>,
    ) -> Result<(), Broken> {
        let Self { requests, answers, .. } = self;
        let count = files.len();
        let asking = async {
            // What is wrong shows in the answers.
            if ask(requests, files).await.is_err() {
                std::future::pending::<()>().await;
            }
            Ok(())
        };
        // Both at once: a worker that answers early must not wait for us while we wait for it.
        let answering = async {
            for _ in 0..count {
                done.push(receive(answers, limit, spool).await?);
            }
            Ok(())
        };
        tokio::try_join!(asking, answering).map(|_| ())
    }

    /// Says how the worker ended, and logs its last words.
    async fn explain(mut self, broken: Broken, files: &[Order]) -> ConvertFailure {
        let failure = match broken {
            Broken::TooLong { limit } => ConvertFailure::TooLong { limit },
            Broken::Garbled => ConvertFailure::Garbled,
            Broken::NoRoom(error) => ConvertFailure::NoRoom(error),
            Broken::Pipe => {
                let ended = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
                let how = match ended {
                    Ok(Ok(status)) => status.to_string(),
                    _ => "its pipe was closed".to_owned(),
                };
                ConvertFailure::Crashed { how }
            }
        };
        let job = files.first().map(|file| &file.job);
        tracing::warn!(
            file.name = job.map(|it| it.file_name.as_str()),
            converter = job.map(|it| it.converter.as_str()),
            last_words = self.last_words.take(),
            "a worker was given up: {failure}"
        );
        failure
    }
}

async fn ask(requests: &mut BufWriter<ChildStdin>, files: &mut [Order]) -> io::Result<()> {
    let alone = files.len() == 1;
    for Order { job, bytes, companions } in files {
        let names = companions.iter().map(|it| it.name.clone()).collect();
        let order = serde_json::to_vec(&Request { job: &*job, companions: names })?;
        frame::send(requests, &order).await?;
        frame::send(requests, bytes).await?;
        // The worker has it, and nobody else will ask for it.
        if alone && job.rival.is_none() {
            *bytes = Vec::new();
        }
        for companion in companions {
            frame::send(requests, &companion.bytes).await?;
        }
    }
    requests.flush().await
}

async fn receive(answers: &mut BufReader<ChildStdout>, limit: usize, spool: &Path) -> Result<Answer, Broken> {
    let broken = |error: io::Error, limit| match error.kind() {
        io::ErrorKind::InvalidData => Broken::TooLong { limit },
        _ => Broken::Pipe,
    };
    let (mut left, mut reports) = (limit, Reports::default());
    loop {
        let head = frame::receive(answers, left).await.map_err(|error| broken(error, limit))?;
        left = left.saturating_sub(head.len());
        match serde_json::from_slice(&head).map_err(|_| Broken::Garbled)? {
            Head::Report(head) => {
                let (mut body, mut left_of_body) = (Packer::default(), limit);
                loop {
                    let piece = frame::receive(answers, left_of_body);
                    let piece = piece.await.map_err(|error| broken(error, limit))?;
                    if piece.is_empty() {
                        break;
                    }
                    left_of_body = left_of_body.saturating_sub(piece.len());
                    body.add(piece);
                }
                // What they take here, for a lot of very many parts a fraction of what is sent.
                let body = body.body();
                left = left.checked_sub(body.bytes()).ok_or(Broken::TooLong { limit })?;
                reports.push(head.with(body));
                if reports.bytes_in_memory() >= IN_MEMORY {
                    reports = spooled(reports, spool.to_owned()).await.map_err(Broken::NoRoom)?;
                }
            }
            Head::Done { warnings } => return Ok(Answer::Reports { reports, warnings }),
            Head::Refused { words, not_yet } => return Ok(Answer::Refused { words, not_yet }),
            Head::Outdone => return Ok(Answer::Outdone),
        }
    }
}

async fn spooled(mut reports: Reports, spool: PathBuf) -> io::Result<Reports> {
    let written = tokio::task::spawn_blocking(move || reports.spool(&spool).map(|()| reports));
    written.await.map_err(io::Error::other)?
}

/// The end of what a worker wrote to standard error.
#[derive(Debug)]
struct LastWords {
    words: watch::Receiver<Vec<u8>>,
    reader: JoinHandle<()>,
}

impl LastWords {
    fn of(mut from: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, words) = watch::channel(Vec::new());
        let reader = tokio::spawn(async move {
            let mut chunk = [0; 1024];
            while let Ok(read @ 1..) = from.read(&mut chunk).await {
                sender.send_modify(|words| {
                    words.extend_from_slice(chunk.get(..read).unwrap_or_default());
                    words.drain(..words.len().saturating_sub(LAST_WORDS));
                });
            }
        });
        Self { words, reader }
    }

    fn take(&self) -> String {
        String::from_utf8_lossy(&self.words.borrow()).trim().to_owned()
    }
}

impl Drop for LastWords {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
