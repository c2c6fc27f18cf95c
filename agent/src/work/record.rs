//! The last two stages: recording what came of files, and putting them away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;

use super::{AGAIN, again};
use crate::Agent;
use crate::control::api::{Event, FileState};
use crate::events::brief;
use crate::intake::{Candidate, Outcome};
use crate::metrics::{self, Stage};
use crate::plugins::Settle;
use crate::store::{Finished, Known, Made, Recorded, StoreError};

/// Files that are recorded in one commit, at most, and their reports in bytes, unless it is one file.
const TOGETHER: usize = 256;
const TOGETHER_BYTES: usize = 16 << 20;

/// A file with all that came of it.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) file: Candidate,
    pub(super) finished: Finished,
    pub(super) warnings: Vec<String>,
    /// Its share of the memory for files on their way, kept until it is recorded.
    pub(super) memory: Memory,
    /// The plug-in that wants to hear of it.
    pub(super) settle: Option<Settle>,
}

/// A share of the memory, for the files of a group together.
pub(super) type Memory = Arc<Option<OwnedSemaphorePermit>>;

/// Where finished files go. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    done: mpsc::Sender<Done>,
    recorded: mpsc::Sender<(Candidate, Known)>,
}

impl Recorder {
    pub(super) fn start(agent: &Agent, stages: &mut JoinSet<()>) -> Self {
        let (done, to_record) = mpsc::channel(TOGETHER);
        let (recorded, to_put_away) = mpsc::channel(TOGETHER);
        stages.spawn(record(agent.clone(), to_record, recorded.clone()));
        stages.spawn(put_away(agent.clone(), to_put_away));
        Self { done, recorded }
    }

    /// Records what came of a file and then puts it away.
    pub(super) async fn record(&self, done: Done) {
        // Without a recorder, which is then started again, the file is free and found again.
        self.done.send(done).await.ok();
    }

    /// Puts a file away that was recorded before.
    pub(super) async fn put_away(&self, file: Candidate, known: Known) {
        self.recorded.send((file, known)).await.ok();
    }
}

async fn record(agent: Agent, mut done: mpsc::Receiver<Done>, recorded: mpsc::Sender<(Candidate, Known)>) {
    let mut came = Vec::with_capacity(TOGETHER);
    while done.recv_many(&mut came, TOGETHER).await > 0 {
        while !came.is_empty() {
            let mut bytes = 0;
            let fit = came.iter().take_while(|it| {
                bytes += size(&it.finished.made);
                bytes <= TOGETHER_BYTES
            });
            let count = fit.count().max(1);
            commit(&agent, came.drain(..count).collect(), &recorded).await;
        }
    }
}

fn size(made: &Made) -> usize {
    match made {
        Made::Reports(reports) => reports.bytes(),
        Made::Failed(words) => words.len(),
    }
}

/// Records files in one commit.
async fn commit(agent: &Agent, done: Vec<Done>, recorded: &mpsc::Sender<(Candidate, Known)>) {
    let (mut files, mut all, mut warnings, mut memory) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut settles = Vec::new();
    for Done { file, finished, warnings: of_it, memory: share, settle } in done {
        settles.extend(settle.map(|it| (all.len(), it)));
        files.push(file);
        all.push(finished);
        warnings.push(of_it);
        memory.push(share);
    }
    let all: Arc<[Finished]> = all.into();
    let started = Instant::now();
    let answers = match agent.store().finish(all.clone(), Timestamp::now()).await {
        Ok(answers) => answers.into_iter().map(Ok).collect(),
        // One that the database refuses must not take the others with it.
        Err(StoreError::Query(_)) if all.len() > 1 => one_by_one(agent, &all).await,
        Err(error) => {
            tracing::error!(%error, "could not record {} files; they are tried again", files.len());
            return again(files);
        }
    };
    drop(memory);
    let time = started.elapsed();
    tell(agent, &files, &all, &answers, &warnings, time);
    settled(settles, &all, &answers);
    agent.wake_delivery();
    for ((mut file, finished), answer) in files.into_iter().zip(all.iter()).zip(answers) {
        match answer {
            Ok(answer) => {
                // Whoever puts it away may be gone; the file then is found again and known.
                recorded.send((file, known(finished, answer))).await.ok();
            }
            Err(error) => {
                tracing::error!(%error, "could not record {}; it is tried again", finished.file.path.display());
                file.ends(Outcome::Later(AGAIN));
            }
        }
    }
}

/// Tells plug-ins what became of their files; nobody waits for them.
fn settled(settles: Vec<(usize, Settle)>, all: &[Finished], answers: &[Result<Recorded, StoreError>]) {
    for (at, settle) in settles {
        let error = match all.get(at).map(|it| &it.made) {
            Some(Made::Failed(words)) => Some(words.clone()),
            _ => None,
        };
        if answers.get(at).is_some_and(Result::is_ok) {
            tokio::spawn(settle.tell(error));
        }
    }
}

async fn one_by_one(agent: &Agent, all: &[Finished]) -> Vec<Result<Recorded, StoreError>> {
    let mut answers = Vec::with_capacity(all.len());
    for finished in all {
        let recorded = agent.store().finish(Arc::from([finished.clone()]), Timestamp::now()).await;
        answers.push(recorded.and_then(|it| it.first().copied().ok_or(StoreError::Closed)));
    }
    answers
}

/// Counts and logs what was recorded.
fn tell(
    agent: &Agent,
    files: &[Candidate],
    all: &[Finished],
    answers: &[Result<Recorded, StoreError>],
    warnings: &[Vec<String>],
    time: Duration,
) {
    let mut converted = (0, 0);
    for (((file, finished), answer), warnings) in files.iter().zip(all).zip(answers).zip(warnings) {
        let Ok(answer) = answer else { continue };
        let (id, name) = (answer.id, super::file_name(file));
        let outcome = match (&finished.made, answer.duplicate_of) {
            (Made::Failed(words), _) => {
                let words = words.lines().next().unwrap_or_default();
                tracing::warn!(file.id = id, "{name} was not converted: {words}");
                "failed"
            }
            (Made::Reports(_), Some(of)) => {
                tracing::info!(
                    file.id = id,
                    "{name} has the content of file {of}, which was converted before"
                );
                "duplicate"
            }
            (Made::Reports(reports), None) if reports.is_empty() => {
                let left = finished.file.note.as_ref().and_then(|note| note.left.as_ref());
                let reason = left.map(|it| it.reason.as_str()).unwrap_or_default();
                tracing::info!(file.id = id, "{name} was left where it is: {reason}");
                "left"
            }
            (Made::Reports(reports), None) => {
                metrics::took(Stage::Store, time);
                converted = (converted.0 + 1, converted.1 + reports.len());
                tracing::debug!(file.id = id, reports = reports.len(), "converted {name}");
                "converted"
            }
        };
        metrics::file(file.source_name(), outcome);
        agent.events().say(|| event(file, finished, *answer));
        for warning in warnings {
            tracing::warn!(file.id = id, "{name}: {warning}");
        }
    }
    match (converted, files.first()) {
        ((1, reports), Some(file)) if files.len() == 1 => {
            tracing::info!(reports, "converted {}", super::file_name(file));
        }
        ((1.., reports), _) => tracing::info!(reports, "converted {} files", converted.0),
        _ => {}
    }
}

fn event(file: &Candidate, finished: &Finished, recorded: Recorded) -> Event {
    let (source, name, file_id) = (file.source_name().to_owned(), super::file_name(file), recorded.id);
    match (&finished.made, recorded.duplicate_of) {
        (Made::Failed(words), _) => Event::FileFailed { source, name, file_id, error: brief(words) },
        (_, Some(duplicate_of)) => Event::FileDuplicate { source, name, file_id, duplicate_of },
        (Made::Reports(reports), None) => {
            let reports = u64::try_from(reports.len()).unwrap_or(u64::MAX);
            Event::FileConverted { source, name, file_id, reports }
        }
    }
}

fn known(finished: &Finished, recorded: Recorded) -> Known {
    let (state, error) = match &finished.made {
        Made::Reports(_) => (FileState::Converted, None),
        Made::Failed(words) => (FileState::Failed, Some(words.clone())),
    };
    let file = &finished.file;
    Known {
        id: recorded.id,
        state,
        put_away: false,
        path: file.path.clone(),
        stamp: file.stamp,
        sha256: file.sha256.clone(),
        received_at: file.received_at,
        error,
        after: file.note.as_ref().and_then(|note| note.after),
        left_by: None,
    }
}

async fn put_away(agent: Agent, mut recorded: mpsc::Receiver<(Candidate, Known)>) {
    let mut came = Vec::with_capacity(TOGETHER);
    // Those on network mounts, which may have to wait: nobody waits behind them.
    let mut aside = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = aside.join_next() => continue,
            count = recorded.recv_many(&mut came, TOGETHER) => if count == 0 { return },
        }
        let mut groups: Vec<Vec<(Candidate, Known)>> = Vec::new();
        for (file, known) in came.drain(..) {
            let own = |group: &&mut Vec<(Candidate, Known)>| {
                group.first().is_some_and(|(it, _)| it.is_beside(&file))
            };
            match groups.iter_mut().find(own) {
                Some(group) if !file.is_remote() => group.push((file, known)),
                _ => groups.push(vec![(file, known)]),
            }
        }
        for group in groups {
            if group.iter().any(|(file, _)| file.is_remote()) {
                let agent = agent.clone();
                aside.spawn(async move { move_away(&agent, group).await });
            } else {
                move_away(&agent, group).await;
            }
        }
    }
}

/// Puts files of one source away; those that cannot be moved are tried again later.
async fn move_away(agent: &Agent, mut files: Vec<(Candidate, Known)>) {
    let archive = agent.settings().archive_folder();
    let mut moved = Candidate::put_away(&files, &archive).await;
    for (file, moved) in files.iter_mut().zip(&mut moved) {
        if moved.is_err() {
            // It may have been moved, and only the waiting for the disk failed; or somebody was quicker, perhaps a
            // process of an agent that was killed. Nobody would find it in its folder again: now it shows where it lies.
            if let Some(again) = Candidate::put_away(std::slice::from_ref(file), &archive).await.pop() {
                *moved = again;
            }
        }
    }
    let mut gone = Vec::with_capacity(files.len());
    let mut all = true;
    for ((file, known), moved) in files.iter_mut().zip(moved) {
        match moved {
            Ok(kept_at) => {
                file.ends(Outcome::Done);
                gone.push((known.id, kept_at));
            }
            Err(error) => {
                let path = known.path.display();
                let words = format!(
                    "{path} is done with but cannot be moved away: {error}. Give the agent the right to write into \
                     its folder, or let the source keep its files"
                );
                tracing::warn!(file.id = known.id, "{words}");
                // That of a network mount is its source's own.
                if !file.is_remote() {
                    agent.set_trouble("archive", Some(words));
                }
                file.ends(Outcome::Immovable);
                all = false;
            }
        }
    }
    if gone.is_empty() {
        return;
    }
    if all {
        agent.set_trouble("archive", None);
    }
    // Those that are gone from their folder are not found there again: a disk that fails is waited for.
    let gone: Arc<[_]> = gone.into();
    let recorded = loop {
        match agent.store().put_away(gone.clone()).await {
            Err(error) if error.may_pass() => tokio::time::sleep(Duration::from_secs(1)).await,
            recorded => break recorded,
        }
    };
    if let Err(error) = recorded {
        tracing::error!(%error, "could not record where {} files lie now; that is found out again", files.len());
        for (file, _) in &mut files {
            file.ends(Outcome::Later(AGAIN));
        }
    }
}
