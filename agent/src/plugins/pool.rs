//! Warm workers for plug-ins, and what comes of a file that one of them converts.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wats_converters::Companion;

use super::catalogue::Found;
use super::description::Converter;
use super::driver::{Stop, apart};
use super::order::{AGAIN, Asking, Wanted, judged, lacking, output};
use super::process::{PluginError, Process, Program, Runtime};
use super::shelf::Shelf;
use super::talk::{Answered, Room};
use super::{Enabled, argument};
use crate::config::Settings;
use crate::control::api::{ConverterKind, LeftAlone};
use crate::convert::{ConvertFailure, Job, Rival};
use crate::error_chain;
use crate::intake::fits;
use crate::store::{Note, Reports};

/// A process that nobody needs is ended after so long.
const IDLE: Duration = Duration::from_secs(120);
/// Processes of a plug-in with hooks: each waits until its file is recorded.
const HOOKED: usize = 8;
/// So many files that are not complete are counted.
const MOST_COUNTED: usize = 10_000;

/// What came of a file.
#[derive(Debug)]
pub struct Verdict {
    pub made: Made,
    pub note: Note,
    /// To be told once the file is recorded.
    pub settle: Option<Settle>,
}

/// What a plug-in made of a file.
#[derive(Debug)]
pub enum Made {
    Reports(Reports),
    /// The file is wrong, in words.
    Failed(String),
    NotYet {
        reason: String,
        wait: Duration,
    },
    Left(LeftAlone),
}

/// A verdict whose reports are still as the plug-in wrote them: a JSON array.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) reports: Vec<u8>,
    pub(crate) verdict: Verdict,
    /// Held as long as large reports are in memory.
    pub(crate) room: Option<Room>,
}

/// The plug-ins of an instance. Cheap to clone; all clones share the processes.
#[derive(Debug, Clone)]
pub struct Plugins(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: watch::Receiver<Arc<Settings>>,
    helper: Option<PathBuf>,
    idle: Mutex<HashMap<String, Vec<Process>>>,
    hooked: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// How often a content was not complete, by converter and hash.
    attempts: Mutex<HashMap<(String, String), u32>>,
    /// Those that could not be started the last time, and why.
    troubles: Mutex<BTreeMap<String, String>>,
}

/// A process with the input's path inside, if it can still be used; the input's place; and what came of it.
type Ran = (Option<(Process, PathBuf)>, Option<PathBuf>, Result<Answered, PluginError>);

/// A process that waits to hear what became of the file that it converted last.
#[derive(Debug)]
pub struct Settle {
    process: Process,
    below: PathBuf,
    members: Map<String, Value>,
    key: String,
    plugins: Plugins,
    _permit: OwnedSemaphorePermit,
}

impl Plugins {
    /// The plug-ins that the settings enable, whatever these become.
    pub fn new(settings: watch::Receiver<Arc<Settings>>) -> Self {
        Self::with(settings, None)
    }

    /// The plug-ins of settings that do not change. `helper` is the agent's program where this one is another.
    pub fn fixed(settings: Settings, helper: Option<PathBuf>) -> Self {
        // A channel without a sender keeps its last value.
        Self::with(watch::channel(Arc::new(settings)).1, helper)
    }

    fn with(settings: watch::Receiver<Arc<Settings>>, helper: Option<PathBuf>) -> Self {
        Self(Arc::new(Shared {
            settings,
            helper,
            idle: Mutex::default(),
            hooked: Mutex::default(),
            attempts: Mutex::default(),
            troubles: Mutex::default(),
        }))
    }

    fn settings(&self) -> Arc<Settings> {
        self.0.settings.borrow().clone()
    }

    fn runtime(&self, settings: &Settings) -> Runtime {
        Runtime { helper: self.0.helper.clone(), ..Runtime::of(settings) }
    }

    /// True when there is one that can be asked.
    pub(crate) fn has_any(&self) -> bool {
        self.settings().plugins.iter().any(|it| it.trouble.is_none())
    }

    /// Has a file converted by the plug-in that the job names, or a scheduled converter run; waits for that.
    ///
    /// # Errors
    /// When the plug-in cannot run now, which is not the file's fault.
    pub(crate) fn convert(
        &self,
        job: &Job,
        bytes: &[u8],
        companions: &[Companion],
        stop: &Stop,
    ) -> Result<Raw, ConvertFailure> {
        let settings = self.settings();
        if let Some(trouble) = settings.plugins.trouble(&job.converter) {
            return Err(unready(trouble));
        }
        let Some(Found { enabled, converter }) = settings.plugins.find(&job.converter) else {
            return Err(unready(format!("there is no converter {}", job.converter)));
        };
        let mut note = Note {
            version: converter.info.version.clone(),
            program: enabled.plugin.sha256.clone(),
            ..Note::default()
        };
        let arguments = match argument::values(&converter.info.arguments, &job.arguments) {
            Ok(arguments) => arguments,
            Err(wrong) => {
                let words: Vec<_> = wrong.into_iter().map(|(_, words)| words).collect();
                let words = format!("the converter's settings are wrong: {}", words.join("; "));
                return Ok(Raw::failed(words, note));
            }
        };
        if let Some(reason) = lacking(&converter.folder, job, companions) {
            let made = Made::NotYet { reason, wait: AGAIN };
            return Ok(Raw {
                reports: Vec::new(),
                verdict: Verdict { made, note, settle: None },
                room: None,
            });
        }
        let wanted = Wanted { converter, arguments, job, bytes, companions };
        // A process that only one file may use until that is recorded.
        let permit = if converter.hooks && converter.info.kind != ConverterKind::Scheduled {
            let permit = stop.run_until_cancelled(self.hooked(enabled).acquire_owned());
            // The semaphore is never closed.
            Handle::current().block_on(permit).and_then(Result::ok)
        } else {
            None
        };
        let (process, below, answer) = self.run(&settings, enabled, &wanted, stop)?;
        let mut raw = Raw {
            reports: Vec::new(),
            verdict: Verdict { made: Made::Reports(Reports::default()), note: Note::default(), settle: None },
            room: None,
        };
        match answer {
            Ok(answered) => {
                note.log = answered.log;
                let (reports, made, after) = judged(answered.reports, answered.last);
                raw.reports = reports;
                raw.room = answered.room;
                raw.verdict.made = match made {
                    Made::NotYet { reason, wait } => {
                        self.counted(job, reason, wait, settings.config.plugins.attempts)
                    }
                    made => made,
                };
                note.after = after;
            }
            Err(error) => {
                if let PluginError::Broken { standard_error, .. } = &error {
                    note.log.extend(output(standard_error));
                }
                raw.verdict.made = Made::Failed(error.to_string());
            }
        }
        raw.verdict.note = note;
        if let Some(process) = process {
            let settles = matches!(raw.verdict.made, Made::Reports(_) | Made::Failed(_));
            match permit.filter(|_| settles).zip(below.clone()) {
                Some((permit, below)) => {
                    let path = process.1;
                    let mut members = Map::new();
                    members.insert("converter".to_owned(), json!(converter.info.name));
                    members.insert("path".to_owned(), json!(path));
                    raw.verdict.settle = Some(Settle {
                        process: process.0,
                        below,
                        members,
                        key: key(enabled),
                        plugins: self.clone(),
                        _permit: permit,
                    });
                }
                None => self.put_back(&key(enabled), process.0, below.as_deref(), is_persistent(enabled)),
            }
        }
        Ok(raw)
    }

    /// Asks a process; one that was warm and broke is not this file's fault, so a fresh one is asked then.
    fn run(
        &self,
        settings: &Settings,
        enabled: &Enabled,
        wanted: &Wanted<'_>,
        stop: &Stop,
    ) -> Result<Ran, ConvertFailure> {
        loop {
            let mut process = self.take(settings, enabled, stop)?;
            let was_warm = process.files() > 0;
            match wanted.ask(&mut process) {
                Ok((below, inside, answered)) => {
                    return Ok((Some((process, inside)), below, Ok(answered)));
                }
                Err(Asking::Input(error)) => return Err(ConvertFailure::NoWorker(error)),
                Err(Asking::Plugin(error)) => {
                    crate::metrics::worker_lost();
                    let broken = matches!(error, PluginError::Broken { .. });
                    let again = was_warm && broken && !stop.is_cancelled();
                    tracing::warn!(file.name = wanted.job.file_name, "{error}");
                    if !again {
                        return Ok((None, None, Err(error)));
                    }
                }
            }
        }
    }

    /// How sure the plug-ins are that a file is theirs: the surest that is surer than a guess. Waits for their answers.
    pub(crate) fn surest(&self, job: &Job, bytes: &[u8], stop: &Stop) -> Option<Rival> {
        let settings = self.settings();
        let mut best: Option<Rival> = None;
        for enabled in settings.plugins.iter().filter(|it| it.trouble.is_none()) {
            for converter in enabled.description.iter().flat_map(|it| &it.converters) {
                let Some(rival) = self.recognised(&settings, enabled, converter, job, bytes, stop) else {
                    continue;
                };
                if rival.confidence > wats_converters::Qualification::NO
                    && best.as_ref().is_none_or(|best| rival.confidence > best.confidence)
                {
                    best = Some(rival);
                }
            }
        }
        best
    }

    /// What each enabled converter says of a file whose name fits its patterns, the surest first.
    pub async fn recognise(&self, job: Job, bytes: Vec<u8>) -> Vec<Rival> {
        let plugins = self.clone();
        apart(move |stop| plugins.all_sure(&job, &bytes, stop)).await
    }

    fn all_sure(&self, job: &Job, bytes: &[u8], stop: &Stop) -> Vec<Rival> {
        let settings = self.settings();
        let mut all = Vec::new();
        for enabled in settings.plugins.iter().filter(|it| it.trouble.is_none()) {
            for converter in enabled.description.iter().flat_map(|it| &it.converters) {
                all.extend(self.recognised(&settings, enabled, converter, job, bytes, stop));
            }
        }
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        all
    }

    fn recognised(
        &self,
        settings: &Settings,
        enabled: &Enabled,
        converter: &Converter,
        job: &Job,
        bytes: &[u8],
        stop: &Stop,
    ) -> Option<Rival> {
        let info = &converter.info;
        if info.kind != ConverterKind::File || !fits(&job.file_name, &info.file_patterns) {
            return None;
        }
        // One that must be told something cannot take part.
        let arguments = argument::values(&info.arguments, &Default::default()).ok()?;
        let wanted = Wanted { converter, arguments, job, bytes, companions: &[] };
        let mut process = self.take(settings, enabled, stop).ok()?;
        let asked = wanted.recognise(&mut process);
        let (below, answer) = match asked {
            Ok(answered) => answered,
            Err(error) => {
                tracing::warn!(file.name = job.file_name, "{error}");
                return None;
            }
        };
        self.put_back(&key(enabled), process, Some(&below), is_persistent(enabled));
        let named = |confidence, reason| Rival {
            converter: format!("{}{}", super::PREFIX, info.name),
            confidence,
            reason,
        };
        Some(match answer {
            Some(answer) => named(answer.confidence, answer.reason),
            None => named(wats_converters::Qualification::NO, "the file's name fits its patterns".to_owned()),
        })
    }

    /// A warm process, or a fresh one.
    fn take(&self, settings: &Settings, enabled: &Enabled, stop: &Stop) -> Result<Process, ConvertFailure> {
        let key = key(enabled);
        loop {
            let idle = lock(&self.0.idle).get_mut(&key).and_then(Vec::pop);
            let Some(mut process) = idle else { break };
            if process.is_fit() {
                process.work_for(stop);
                return Ok(process);
            }
        }
        let plugin = &enabled.plugin;
        let shelf = Shelf::of(&settings.storage_folder());
        let content = match shelf.copy(&plugin.file, &plugin.sha256) {
            Some(copy) => copy,
            // The copy was lost or damaged: what a person enabled is taken again, and nothing else.
            None => {
                let folder = settings.plugins_folder();
                let read = super::content::read(&folder, &plugin.file).map_err(|error| {
                    unready(format!("the plug-in {} cannot be used: {error}", plugin.file))
                })?;
                if read.sha256 != plugin.sha256 {
                    return Err(unready(format!(
                        "the plug-in {} has changed since it was enabled",
                        plugin.file
                    )));
                }
                let copy =
                    shelf.take(&folder, &plugin.file, &read).map_err(|error| unready(error_chain(&error)))?;
                (copy, read)
            }
        };
        let (folder, content) = content;
        let program = Program {
            name: plugin.file.clone(),
            folder,
            content,
            trusted: plugin.trusted.clone(),
            environment: plugin.environment,
        };
        let started = Process::start(&program, &self.runtime(settings), stop);
        let mut troubles = lock(&self.0.troubles);
        match started {
            Ok(process) => {
                troubles.remove(&plugin.file);
                Ok(process)
            }
            Err(error) => {
                let words = error_chain(&error);
                // That nobody waited for it is no trouble of its own.
                if !stop.is_cancelled() {
                    troubles.insert(plugin.file.clone(), words.clone());
                }
                Err(unready(words))
            }
        }
    }

    /// What a person must know of plug-ins that cannot be started; their files wait.
    pub(crate) fn trouble(&self) -> Option<String> {
        let troubles = lock(&self.0.troubles);
        (!troubles.is_empty()).then(|| troubles.values().cloned().collect::<Vec<_>>().join("; "))
    }

    /// Keeps a process for the next file, if it is fit for one.
    fn put_back(&self, key: &str, mut process: Process, below: Option<&Path>, persistent: bool) {
        process.count();
        // Also of one that is not kept: its input goes now.
        let cleared = process.clear(below);
        if persistent && cleared && process.is_fit() {
            lock(&self.0.idle).entry(key.to_owned()).or_default().push(process);
        }
    }

    /// Ends processes that nobody needs any more.
    pub(crate) fn tidy(&self) {
        let settings = self.settings();
        let enabled: Vec<String> =
            settings.plugins.iter().filter(|it| it.trouble.is_none()).map(key).collect();
        let mut gone = Vec::new();
        {
            let mut idle = lock(&self.0.idle);
            for (key, processes) in idle.iter_mut() {
                let (stay, go): (Vec<_>, Vec<_>) = std::mem::take(processes)
                    .into_iter()
                    .partition(|it| enabled.contains(key) && it.idle_since.elapsed() < IDLE);
                *processes = stay;
                gone.extend(go);
            }
            idle.retain(|_, processes| !processes.is_empty());
        }
        // Ending them takes time, which nobody must wait for.
        drop(gone);
    }

    fn hooked(&self, enabled: &Enabled) -> Arc<Semaphore> {
        lock(&self.0.hooked).entry(key(enabled)).or_insert_with(|| Arc::new(Semaphore::new(HOOKED))).clone()
    }

    /// Counts that a content was not complete: after so many times it is an error.
    fn counted(&self, job: &Job, reason: String, wait: Duration, most: u32) -> Made {
        let mut attempts = lock(&self.0.attempts);
        if attempts.len() >= MOST_COUNTED {
            attempts.clear();
        }
        let key = (job.converter.clone(), job.sha256.clone());
        let count = attempts.entry(key.clone()).or_default();
        *count += 1;
        if *count < most {
            return Made::NotYet { reason, wait };
        }
        let count = *count;
        attempts.remove(&key);
        Made::Failed(format!("{reason}. It was tried {count} times: plugins.attempts says how often"))
    }
}

impl Made {
    /// The reports, or the words why there are none.
    pub(crate) fn reports(self) -> Result<Reports, String> {
        match self {
            Self::Reports(reports) => Ok(reports),
            Self::Failed(words) => Err(words),
            Self::NotYet { reason, .. } => Err(format!("it is not complete: {reason}")),
            Self::Left(left) => Err(format!("{}: {}", left.outcome.as_str(), left.reason)),
        }
    }
}

impl Settle {
    /// Tells the plug-in what became of the file, and gives its process back.
    pub(crate) async fn tell(self, error: Option<String>) {
        apart(move |stop| self.tell_now(error.as_deref(), stop)).await;
    }

    fn tell_now(mut self, error: Option<&str>, stop: &Stop) {
        self.process.work_for(stop);
        let outcome = if error.is_none() { "stored" } else { "failed" };
        self.members.insert("outcome".to_owned(), json!(outcome));
        if let Some(error) = error {
            self.members.insert("error".to_owned(), json!(error));
        }
        match self.process.settled(&self.members) {
            Ok(()) => self.plugins.put_back(&self.key, self.process, Some(&self.below), true),
            Err(error) => tracing::warn!("after a file was recorded: {error}"),
        }
    }
}

impl Raw {
    fn failed(words: String, note: Note) -> Self {
        let verdict = Verdict { made: Made::Failed(words), note, settle: None };
        Self { reports: Vec::new(), verdict, room: None }
    }
}

fn unready(words: String) -> ConvertFailure {
    ConvertFailure::NoWorker(io::Error::other(words))
}

fn is_persistent(enabled: &Enabled) -> bool {
    enabled.description.as_ref().is_some_and(|it| it.persistent)
}

/// Processes of equal keys can stand for each other.
fn key(enabled: &Enabled) -> String {
    let plugin = &enabled.plugin;
    let trusted: Vec<_> = plugin.trusted.iter().map(|it| it.as_str()).collect();
    format!("{} {} {} {}", plugin.file, plugin.sha256, trusted.join(","), plugin.environment.as_str())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
