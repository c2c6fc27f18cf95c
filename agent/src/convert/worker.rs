//! The worker process: reads a job and a file from standard input, answers on standard output.
//!
//! It opens no file and no connection, and the kernel sees to that (see [`crate::sandbox`]); what it needs comes
//! through the pipe.

use std::io::{self, BufReader, BufWriter, Write};

use serde::{Deserialize, Serialize};
use wats::Report;
use wats_converters::Companion;

use super::frame;
use super::job::{Ended, Job, convert_each};
use crate::sandbox;
use crate::store::NewReport;
use crate::system;

/// The address space of a worker: a file that needs more is an error, the machine goes on.
const MEMORY: u64 = 4 << 30;

/// The first message of a request; the file follows, then its companions, one message each.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request<J> {
    pub(super) job: J,
    /// Their names.
    pub(super) companions: Vec<String>,
}

/// A message of an answer: any number of reports, each as soon as it is complete, then how it ended.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Head {
    /// The WSJF follows in messages of its own; an empty one ends it.
    Report(NewReport<()>),
    Done {
        warnings: Vec<String>,
    },
    /// The reports before it may not be used.
    Refused {
        words: String,
        not_yet: bool,
    },
    /// The rival is surer of the file.
    Outdone,
}

/// Answers jobs until standard input ends.
///
/// # Errors
/// When the other side talks nonsense or is gone.
pub fn run() -> io::Result<()> {
    // Before anything is read, and before there is a second thread.
    sandbox::enter_native(MEMORY)?;
    system::end_with_the_agent()?;
    let (input, output) = system::own_pipes()?;
    let mut requests = BufReader::with_capacity(frame::AT_ONCE, input);
    let mut answers = BufWriter::with_capacity(frame::AT_ONCE, output);
    loop {
        // Several jobs may come at once: their answers go back together.
        if requests.buffer().is_empty() {
            answers.flush()?;
        }
        let job = match frame::read(&mut requests) {
            Ok(job) => job,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let Request::<Job> { job, companions } = serde_json::from_slice(&job)?;
        let bytes = frame::read(&mut requests)?;
        let mut others = Vec::with_capacity(companions.len());
        for name in companions {
            others.push(Companion { name, bytes: frame::read(&mut requests)? });
        }
        answer(&mut answers, &job, bytes, others)?;
    }
}

/// Converts and answers; there is never more than one report in memory for formats that are read unit by unit.
fn answer(to: &mut impl Write, job: &Job, bytes: Vec<u8>, companions: Vec<Companion>) -> io::Result<()> {
    let mut pipe = Ok(());
    let ended = convert_each(job, bytes, companions, &mut |report| {
        let (head, body) = report.split();
        pipe = serde_json::to_vec(&Head::Report(head))
            .map_err(io::Error::from)
            .and_then(|head| frame::write(to, &head))
            .and_then(|()| write_body(to, &body));
        pipe.as_ref().copied().map_err(ToString::to_string)
    });
    pipe?;
    let head = match ended {
        Ended::Whole { warnings } => Head::Done { warnings },
        Ended::Refused { words, not_yet } => Head::Refused { words, not_yet },
        Ended::Outdone => Head::Outdone,
    };
    frame::write(to, &serde_json::to_vec(&head)?)
}

fn write_body(to: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut pieces = frame::Pieces::new(to);
    wats::wsjf::write_to(report, &mut pieces).map_err(io::Error::other)?;
    pieces.end()
}
