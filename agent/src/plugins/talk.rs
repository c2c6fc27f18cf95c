//! Talking to a program by lines, with limits on everything that it says.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::protocol::{self, End, Line, LineError};
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
/// An answer that is larger waits until no other such one is in memory: many at once would be more than a small
/// machine has.
const LARGE: usize = 4 << 20;
static ROOM_FOR_A_LARGE_ONE: Semaphore = Semaphore::const_new(1);

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
    /// No other large answer is taken as long as this is held: until the reports have been handed on.
    pub(super) room: Option<Room>,
}

/// The right to hold a large answer.
pub(crate) type Room = SemaphorePermit<'static>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    /// It ended, or closed its output.
    #[error("it ended before its last answer")]
    Ended,
    #[error("its answer is larger than {} MB, which plugins.answer_mb allows: let it make smaller reports", limit >> 20)]
    TooLong { limit: usize },
    #[error("it gave no last answer in time")]
    Slow,
    #[error("it answered more than {MOST_REPORTS} reports")]
    TooMany,
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("nobody waits for its answer any more")]
    Stopped,
    #[error("it did not read its request")]
    Deaf(#[source] io::Error),
}

/// The pipes of a program.
#[derive(Debug)]
pub(super) struct Talk {
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    errors: Tail,
    /// What it may answer to one request.
    largest: usize,
}

impl Talk {
    /// `None` when the program was started without pipes.
    pub(super) fn of(child: &mut Child, largest: usize) -> Option<Self> {
        let (requests, answers) = (child.stdin.take()?, child.stdout.take()?);
        let errors = Tail { from: child.stderr.take()?, kept: VecDeque::new() };
        Some(Self { requests, answers: BufReader::with_capacity(AT_ONCE, answers), errors, largest })
    }

    /// Sends a request and takes lines until one that ends the answer, for so long; while the answer waits for room,
    /// which is not the program's fault, no time passes.
    pub(super) async fn ask(&mut self, request: &[u8], time: Duration) -> Result<Answered, Broken> {
        let Self { requests, answers, errors, largest } = self;
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
        let waits = Waits::default();
        let both = async { tokio::try_join!(asking, receive(answers, *largest, &waits)) };
        tokio::select! {
            biased;
            answered = both => answered.map(|((), answered)| answered),
            () = waits.out_of(time) => Err(Broken::Slow),
            // Only the others end.
            () = errors.follow() => Err(Broken::Ended),
        }
    }

    /// True when it has said something that nobody asked for: what comes next could not be told apart.
    pub(super) fn is_out_of_step(&mut self) -> bool {
        !self.answers.buffer().is_empty() || system::read_now(self.answers.get_mut(), &mut [0]) > 0
    }

    /// The end of what it has written to standard error since the last request.
    pub(super) fn standard_error(&mut self) -> String {
        self.errors.text()
    }
}

/// How long an answer has waited for room.
#[derive(Debug, Default)]
struct Waits(Mutex<Waited>);

#[derive(Debug, Default)]
struct Waited {
    before: Duration,
    since: Option<Instant>,
}

impl Waits {
    async fn for_room(&self) -> Result<Room, Broken> {
        self.waited().since = Some(Instant::now());
        // Never closed.
        let room = ROOM_FOR_A_LARGE_ONE.acquire().await.map_err(|_| Broken::Ended)?;
        let so_far = self.so_far();
        *self.waited() = Waited { before: so_far, since: None };
        Ok(room)
    }

    fn so_far(&self) -> Duration {
        let waited = self.waited();
        waited.before + waited.since.map_or(Duration::ZERO, |it| it.elapsed())
    }

    fn waited(&self) -> MutexGuard<'_, Waited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when so much time has passed besides the waiting.
    async fn out_of(&self, time: Duration) {
        let started = Instant::now();
        loop {
            let left = (time + self.so_far()).saturating_sub(started.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left).await;
        }
    }
}

async fn receive(
    answers: &mut BufReader<ChildStdout>,
    limit: usize,
    waits: &Waits,
) -> Result<Answered, Broken> {
    let (mut reports, mut count, mut taken) = (Vec::new(), 0, Taken { bytes: 0, limit, room: None });
    let (mut log, mut more) = (Vec::new(), 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A huge report is there twice at most.
        line.shrink_to(AT_ONCE);
        read_line(answers, &mut line, &mut taken, waits).await?;
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
                return Ok(Answered { reports, log, last, restart, room: taken.room });
            }
        }
    }
}

/// What has been read of an answer.
struct Taken {
    bytes: usize,
    limit: usize,
    room: Option<Room>,
}

/// Reads a line.
async fn read_line(
    from: &mut BufReader<ChildStdout>,
    line: &mut Vec<u8>,
    taken: &mut Taken,
    waits: &Waits,
) -> Result<(), Broken> {
    loop {
        let piece = from.fill_buf().await.map_err(|_| Broken::Ended)?;
        if piece.is_empty() {
            // A last line may lack its end.
            return if line.is_empty() { Err(Broken::Ended) } else { Ok(()) };
        }
        let end = piece.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(piece.len(), |at| at + 1);
        taken.bytes += count;
        if taken.bytes > taken.limit {
            return Err(Broken::TooLong { limit: taken.limit });
        }
        line.extend_from_slice(piece.get(..count).unwrap_or_default());
        from.consume(count);
        if taken.bytes > LARGE && taken.room.is_none() {
            taken.room = Some(waits.for_room().await?);
        }
        if end.is_some() {
            return Ok(());
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

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use tokio::process::Command;

    use super::*;

    /// A program that answers so many bytes to whatever it is asked.
    fn saying(bytes: usize, largest: usize) -> (Child, Talk) {
        let script = format!(
            "read -r line; printf '{{\"answer\": \"log\", \"text\": \"'; head -c {bytes} /dev/zero | tr '\\0' x; \
             printf '\"}}\\n{{\"answer\": \"done\"}}\\n'; read -r line"
        );
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).kill_on_drop(true);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let talk = Talk::of(&mut child, largest).unwrap();
        (child, talk)
    }

    #[tokio::test]
    async fn large_answers_are_taken_one_at_a_time_and_waiting_is_not_the_programs_fault() {
        let long = Duration::from_secs(60);
        let (_one, mut first) = saying(2 * LARGE, 64 << 20);
        let first = first.ask(b"go\n", long).await.unwrap();
        assert!(first.room.is_some());

        let (_other, mut second) = saying(2 * LARGE, 64 << 20);
        let second = second.ask(b"go\n", Duration::from_secs(2));
        tokio::pin!(second);
        // It had two seconds, and waits for longer than that.
        tokio::select! {
            answered = &mut second => panic!("two at once: {answered:?}"),
            () = tokio::time::sleep(Duration::from_secs(3)) => {}
        }
        // A small one goes on meanwhile.
        let (_small, mut third) = saying(1000, 64 << 20);
        assert!(third.ask(b"go\n", long).await.unwrap().room.is_none());
        drop(first);
        assert!(second.await.unwrap().room.is_some());

        let (_huge, mut fourth) = saying(3 << 20, 2 << 20);
        let words = fourth.ask(b"go\n", long).await.unwrap_err().to_string();
        assert!(
            words.starts_with("its answer is larger than 2 MB, which plugins.answer_mb allows"),
            "{words}"
        );
    }
}
