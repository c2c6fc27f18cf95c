//! What a plug-in said of a file, and what follows from it.

use super::new_file;
use super::record::{Done, Memory, Recorder};
use crate::Agent;
use crate::control::api::{After, FileState, LogLevel};
use crate::convert::{Job, Order};
use crate::intake::{Candidate, Outcome, Source};
use crate::plugins::{Made as Given, Verdict};
use crate::store::{Finished, Known, Made, Note};

/// True for a file that stays where it is because a plug-in said so: it is not converted again.
///
/// One that another version of the plug-in left alone is: that may know better.
pub(super) fn stays(known: &Known, source: &Source) -> bool {
    let is_done = known.put_away && known.state == FileState::Converted;
    match &known.left_by {
        Some(program) => is_done && source.program.as_ref() == Some(program),
        None => is_done && known.after == Some(After::Keep),
    }
}

/// Those whose content the same plug-in has not left alone before: it would say the same again.
pub(super) async fn not_left_before(
    agent: &Agent,
    files: Vec<Candidate>,
    orders: Vec<Order>,
    memory: &Memory,
    recorder: &Recorder,
) -> (Vec<Candidate>, Vec<Order>) {
    let Some(program) = files.first().and_then(|file| file.source.program.clone()) else {
        return (files, orders);
    };
    let mut others = (Vec::with_capacity(files.len()), Vec::with_capacity(orders.len()));
    for (file, order) in files.into_iter().zip(orders) {
        let new = new_file(&file, order.job.sha256.clone(), order.job.now);
        match agent.store().left_before(&new, &program).await {
            Ok(Some(left)) => {
                let found = agent.settings();
                let version =
                    found.plugins.find(&order.job.converter).map(|it| it.converter.info.version.clone());
                let note = Note {
                    version: version.unwrap_or_default(),
                    program: program.clone(),
                    ..Note::default()
                };
                let verdict = Verdict { made: Given::Left(left), note, settle: None };
                answered(file, order.job, verdict, memory, recorder).await;
            }
            Ok(None) => {
                others.0.push(file);
                others.1.push(order);
            }
            // Asking the plug-in again does no harm.
            Err(error) => {
                tracing::warn!(%error, "could not look up what was said of a content before");
                others.0.push(file);
                others.1.push(order);
            }
        }
    }
    others
}

/// Records what came of a file, or leaves it for later.
pub(super) async fn answered(
    mut file: Candidate,
    job: Job,
    verdict: Verdict,
    memory: &Memory,
    recorder: &Recorder,
) {
    let Verdict { made, note, settle } = verdict;
    let (made, note) = match made {
        Given::NotYet { reason, wait } => {
            tracing::info!("{} is tried again in {} s: {reason}", super::file_name(&file), wait.as_secs());
            return file.ends(Outcome::Later(wait));
        }
        Given::Reports(reports) => (Made::Reports(reports), note),
        Given::Failed(words) => (Made::Failed(words), note),
        // It gives no report, and nobody but a person takes it away.
        Given::Left(left) => {
            (Made::Reports(Vec::new().into()), Note { left: Some(left), after: Some(After::Keep), ..note })
        }
    };
    let warnings = note.log.iter().filter(|line| line.level == LogLevel::Warning);
    let warnings = warnings.map(|line| line.text.clone()).collect();
    let mut new = new_file(&file, job.sha256, job.now);
    new.note = Some(Box::new(note));
    let finished = Finished { file: new, made };
    recorder.record(Done { file, finished, warnings, memory: memory.clone(), settle }).await;
}
