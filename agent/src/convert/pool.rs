//! A few long-lived worker processes, and what happens when one misbehaves.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use wats_converters::Companion;

use super::frame;
use super::job::{Answer, Job};
use super::worker::{Head, Order};
use crate::metrics;

/// A worker is replaced after so many files, so that no converter's leak can grow for ever.
const RECYCLE_AFTER: u32 = 1000;
/// And after a file of this size, whose memory may not come back.
const LARGE_FILE: usize = 32 << 20;
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
    /// For one file, from sending it to the last byte of the answer.
    pub time: Duration,
    /// The reports of one file, together.
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
}

/// The pool. Cheap to clone; all clones share the workers.
#[derive(Debug, Clone)]
pub struct Pool {
    command: Command,
    limits: Limits,
    turns: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Worker>>>,
}

#[derive(Debug)]
struct Worker {
    child: Child,
    requests: ChildStdin,
    answers: ChildStdout,
    last_words: LastWords,
    files: u32,
}

impl Pool {
    /// A pool that starts workers when there is work.
    pub fn new(command: Command, limits: Limits) -> Self {
        let turns = Arc::new(Semaphore::new(usize::try_from(limits.workers).unwrap_or(1).max(1)));
        Self { command, limits, turns, idle: Arc::default() }
    }

    /// Converts one file.
    ///
    /// # Errors
    /// When the worker crashed, hung or answered nonsense; it is gone then, and others go on.
    pub async fn convert(
        &self,
        job: &Job,
        bytes: &[u8],
        companions: &[Companion],
    ) -> Result<Answer, ConvertFailure> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.ok();
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        // One that died while it waited is not this file's fault.
        let alive = idle.and_then(|mut it| matches!(it.child.try_wait(), Ok(None)).then_some(it));
        let mut worker = match alive {
            Some(worker) => worker,
            None => Worker::start(&self.command).map_err(ConvertFailure::NoWorker)?,
        };
        let work = worker.work(job, bytes, companions, self.limits.answer_bytes);
        match tokio::time::timeout(self.limits.time, work).await {
            Ok(Ok(answer)) => {
                worker.files += 1;
                if worker.files < RECYCLE_AFTER && bytes.len() < LARGE_FILE {
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                }
                Ok(answer)
            }
            Ok(Err(failure)) => {
                metrics::worker_lost();
                Err(worker.explain(failure, job).await)
            }
            // Dropping the worker kills it.
            Err(_) => {
                metrics::worker_lost();
                Err(ConvertFailure::TimedOut { limit: self.limits.time })
            }
        }
    }
}

/// Where the talk with a worker ended.
enum Broken {
    Pipe,
    TooLong { limit: usize },
    Garbled,
}

impl Worker {
    fn start(command: &Command) -> io::Result<Self> {
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("the worker has no pipe");
        let requests = child.stdin.take().ok_or_else(missing)?;
        let answers = child.stdout.take().ok_or_else(missing)?;
        let last_words = LastWords::of(child.stderr.take().ok_or_else(missing)?);
        Ok(Self { child, requests, answers, last_words, files: 0 })
    }

    async fn work(
        &mut self,
        job: &Job,
        bytes: &[u8],
        companions: &[Companion],
        limit: usize,
    ) -> Result<Answer, Broken> {
        let Self { requests, answers, .. } = self;
        let names = companions.iter().map(|it| it.name.clone()).collect();
        let order = serde_json::to_vec(&Order { job, companions: names }).map_err(|_| Broken::Garbled)?;
        // Both at once: a worker that answers early must not wait for us while we wait for it.
        let asking = async {
            frame::send(requests, &order).await?;
            frame::send(requests, bytes).await?;
            for companion in companions {
                frame::send(requests, &companion.bytes).await?;
            }
            Ok::<_, io::Error>(())
        };
        let (asked, answered) = tokio::join!(asking, receive(answers, limit));
        let answer = answered?;
        asked.map_err(|_| Broken::Pipe)?;
        Ok(answer)
    }

    /// Says how the worker ended, and logs its last words.
    async fn explain(mut self, broken: Broken, job: &Job) -> ConvertFailure {
        let failure = match broken {
            Broken::TooLong { limit } => ConvertFailure::TooLong { limit },
            Broken::Garbled => ConvertFailure::Garbled,
            Broken::Pipe => {
                let ended = tokio::time::timeout(Duration::from_secs(2), self.child.wait()).await;
                let how = match ended {
                    Ok(Ok(status)) => status.to_string(),
                    _ => "its pipe was closed".to_owned(),
                };
                ConvertFailure::Crashed { how }
            }
        };
        tracing::warn!(
            file.name = job.file_name,
            converter = job.converter,
            last_words = self.last_words.take(),
            "a worker was given up: {failure}"
        );
        failure
    }
}

async fn receive(answers: &mut ChildStdout, limit: usize) -> Result<Answer, Broken> {
    let broken = |error: io::Error, limit| match error.kind() {
        io::ErrorKind::InvalidData => Broken::TooLong { limit },
        _ => Broken::Pipe,
    };
    let (mut left, mut reports) = (limit, Vec::new());
    loop {
        let head = frame::receive(answers, left).await.map_err(|error| broken(error, limit))?;
        left = left.saturating_sub(head.len());
        match serde_json::from_slice(&head).map_err(|_| Broken::Garbled)? {
            Head::Report(head) => {
                let body = frame::receive(answers, left).await.map_err(|error| broken(error, limit))?;
                left = left.saturating_sub(body.len());
                reports.push(head.with_body(body));
            }
            Head::Done { warnings } => return Ok(Answer::Reports { reports, warnings }),
            Head::Refused { words, not_yet } => return Ok(Answer::Refused { words, not_yet }),
        }
    }
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
