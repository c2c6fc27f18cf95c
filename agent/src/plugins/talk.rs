//! Talking to a program by lines, with limits on everything that it says.

use std::collections::VecDeque;
use std::io;

use futures_util::FutureExt;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::protocol::{self, End, LARGEST_ANSWER, Line, LineError};
use crate::control::api::{LogLevel, LogLine};
use crate::system;

/// So many reports of one file.
const MOST_REPORTS: usize = 10_000;
/// So many lines of a log are kept; the rest is counted.
const MOST_LINES: usize = 500;
/// The end of standard error that is kept, of each file.
const TAIL: usize = 16 << 10;
/// What is read at once.
const AT_ONCE: usize = 64 << 10;

/// Everything that a program answered to one request.
#[derive(Debug)]
pub(super) struct Answered {
    /// As they were written, in their order: a JSON array; empty when there are none.
    pub(super) reports: Vec<u8>,
    pub(super) log: Vec<LogLine>,
    /// The line that ended the answer.
    pub(super) last: End,
    /// It wants to be started anew before the next file.
    pub(super) restart: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It ended, or closed its output.
    #[error("it ended before its last answer")]
    Ended,
    #[error("its answer is larger than {} MB", LARGEST_ANSWER >> 20)]
    TooLong,
    #[error("it answered more than {MOST_REPORTS} reports")]
    TooMany,
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("it did not read its request")]
    Deaf(#[source] io::Error),
}

/// The pipes of a program.
#[derive(Debug)]
pub(super) struct Talk {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    errors: Tail,
}

impl Talk {
    /// `None` when the program was started without pipes.
    pub(super) fn of(child: &mut Child) -> Option<Self> {
        let (requests, answers) = (child.stdin.take()?, child.stdout.take()?);
        let errors = Tail { from: child.stderr.take()?, kept: VecDeque::new() };
        Some(Self { requests, answers: BufReader::with_capacity(AT_ONCE, answers), errors })
    }

    /// Sends a request and takes lines until one that ends the answer.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Answered, Broken> {
        let Self { requests, answers, errors } = self;
        // What is still there belongs to the request before.
        errors.catch_up();
        errors.kept.clear();
        // Both at once: a program that answers early must not wait for us while we wait for it.
        let asking = async {
            let sent = async {
                requests.write_all(request).await?;
                requests.flush().await
            };
            match sent.await {
                // One that has ended shows in its answers, which may be all there.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Broken::Deaf(error)),
                _ => Ok(()),
            }
        };
        let both = async { tokio::try_join!(asking, receive(answers)) };
        tokio::select! {
            biased;
            answered = both => answered.map(|((), answered)| answered),
            // Only the other one ends.
            () = errors.follow() => Err(Broken::Ended),
        }
    }

    /// True when it has said something that nobody asked for: what comes next could not be told apart.
    pub(super) fn is_out_of_step(&mut self) -> bool {
        !self.answers.buffer().is_empty()
            || matches!(self.answers.fill_buf().now_or_never(), Some(Ok([_, ..]) | Err(_)))
    }

    /// The end of what it has written to standard error since the last request.
    pub(super) fn standard_error(&mut self) -> String {
        self.errors.text()
    }
}

async fn receive(answers: &mut BufReader<ChildStdout>) -> Result<Answered, Broken> {
    let (mut reports, mut count, mut left) = (Vec::new(), 0, LARGEST_ANSWER);
    let (mut log, mut more) = (Vec::new(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A huge report is there twice at most.
        line.shrink_to(AT_ONCE);
        let read = read_line(answers, &mut line, left).await?;
        left = left.saturating_sub(read);
        match protocol::read(line.trim_ascii_end())? {
            Line::Report(_) if count >= MOST_REPORTS => return Err(Broken::TooMany),
            Line::Report(report) => {
                count += 1;
                reports.push(if count == 1 { b'[' } else { b',' });
                reports.extend_from_slice(report.get().as_bytes());
            }
            Line::Log { .. } if log.len() >= MOST_LINES => more += 1,
            Line::Log { level, text } => log.push(LogLine { level, text }),
            Line::End(last) => {
                if more > 0 {
                    let text = format!("and {more} lines more, which are not kept");
                    log.push(LogLine { level: LogLevel::Info, text });
                }
                if count > 0 {
                    reports.push(b']');
                }
                let restart = protocol::wants_restart(line.trim_ascii_end());
                return Ok(Answered { reports, log, last, restart });
            }
        }
    }
}

/// Reads a line of at most so many bytes.
async fn read_line(
    from: &mut BufReader<ChildStdout>,
    line: &mut Vec<u8>,
    most: usize,
) -> Result<usize, Broken> {
    loop {
        let piece = from.fill_buf().await.map_err(|_| Broken::Ended)?;
        if piece.is_empty() {
            // A last line may lack its end.
            return if line.is_empty() { Err(Broken::Ended) } else { Ok(line.len()) };
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(piece.len(), |at| at + 1);
        if line.len() + count > most {
            return Err(Broken::TooLong);
        }
        line.extend_from_slice(piece.get(..count).unwrap_or_default());
        from.consume(count);
        if end.is_some() {
            return Ok(line.len());
        }
    }
}

/// The end of what a program writes to standard error.
#[derive(Debug)]
struct Tail {
    from: ChildStderr,
    kept: VecDeque<u8>,
}

impl Tail {
    /// Takes what comes, so that the program does not wait for a full pipe; never ends.
    async fn follow(&mut self) {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = self.from.read(&mut piece).await {
            self.keep(piece.get(..read).unwrap_or_default());
        }
        std::future::pending::<()>().await;
    }

    /// Takes what is there already: all that was written before an answer that has come.
    fn catch_up(&mut self) {
        let mut piece = [0; 4096];
        // The pipe does not block. A program that writes faster than this is waited for no longer.
        for _ in 0..256 {
            match system::read_now(&mut self.from, &mut piece) {
                0 => return,
                read => self.keep(piece.get(..read).unwrap_or_default()),
            }
        }
    }

    fn keep(&mut self, piece: &[u8]) {
        self.kept.extend(piece);
        let surplus = self.kept.len().saturating_sub(TAIL);
        self.kept.drain(..surplus);
    }

    fn text(&mut self) -> String {
        self.catch_up();
        String::from_utf8_lossy(self.kept.make_contiguous()).trim_end().to_owned()
    }
}
