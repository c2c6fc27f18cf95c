//! One process of a plug-in, in its box.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use wats_converters::Companion;

use super::content::Content;
use super::description::Description;
use super::driver::{Driver, Stop};
use super::ending;
use super::environment;
use super::input::WorkFolder;
use super::one_cpu::OneCpu;
use super::protocol::{self, End};
use super::talk::{Answered, Broken, Talk};
use crate::config::Settings;
use crate::control::api::{Part, PluginLanguage, PythonPackages};
use crate::convert::Job;
use crate::sandbox::{self, Boxed, Kind, Limits, MissingLayers, Profile, See};
use crate::system;

/// A program has so long to say what it is, or whether a file is its own.
const QUICK: Duration = Duration::from_secs(30);
/// A plug-in that is trusted with time is not waited for longer than this.
const ENDLESS: Duration = Duration::from_secs(24 * 3600);

/// A process is replaced after so many files, so that no leak can grow for ever, and seldom enough for the tenth of a second
/// that a new one takes not to count;
const FILES: u32 = 5000;
/// when it has worked so long, so that the limit of its processor time is never another file's fault;
const BUSY: Duration = Duration::from_secs(60);
/// and when it has grown by so much since its first file. That is looked at now and then.
const GROWTH: u64 = 128 << 20;
const LOOK_EVERY: u32 = 32;

/// In a plug-in that is a folder: the file that is run, unless it is the only one.
pub(super) const MAIN: &str = "main.py";

/// Where things are inside the box.
const PLUGIN: &str = "/plugin";
const INPUT: &str = "/input";
const SCRATCH: &str = "/scratch";
/// What programs need of the system to run; what is not there is left out.
const SYSTEM: [&str; 9] = [
    "/usr",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/alternatives",
    "/etc/mime.types",
    "/etc/timezone",
];
/// What one that is trusted with files sees besides: where people keep data, and never the agent's own folders.
const DATA: [&str; 5] = ["/home", "/srv", "/mnt", "/media", "/data"];
/// And what one that is trusted with the network needs to find a server and believe it.
const NETWORK: [&str; 5] =
    ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates"];

/// What plug-ins are run with.
#[derive(Debug, Clone)]
pub struct Runtime {
    pub python: PathBuf,
    /// The host program and the agent's own `pywats` packages.
    pub support: PathBuf,
    /// Where inputs are put.
    pub work: PathBuf,
    pub missing_layers: MissingLayers,
    /// What one file may take.
    pub limits: Limits,
    /// And how long.
    pub time: Duration,
    /// What it may be answered by, all reports together.
    pub answer_bytes: usize,
    /// Who puts a program into its box; `None`: this very program.
    pub helper: Option<PathBuf>,
}

/// A plug-in, ready to be run.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its name in the plug-in folder.
    pub name: String,
    /// The folder that holds the copy of it under that name.
    pub folder: PathBuf,
    pub content: Content,
    pub trusted: Vec<Part>,
    pub environment: PythonPackages,
}

/// Why a plug-in gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// Nothing ran: not the file's fault.
    #[error("the plug-in {name} could not be started")]
    Start { name: String, source: Box<dyn std::error::Error + Send + Sync> },
    #[error(
        "the plug-in {name} took longer than {} s and was stopped: sandbox.seconds says how long a file may take, and \"time\" in the plug-in's `trusted` lifts it",
        limit.as_secs()
    )]
    TooLong { name: String, limit: Duration },
    /// It ended, or what it said is no answer.
    #[error("the plug-in {name} failed: {words}")]
    Broken { name: String, words: String, standard_error: String },
}

impl Runtime {
    pub fn of(settings: &Settings) -> Self {
        let (plugins, sandbox) = (&settings.config.plugins, &settings.config.sandbox);
        Self {
            python: plugins.python.clone(),
            support: plugins.support.clone(),
            work: settings.plugin_work_folder(),
            missing_layers: sandbox.missing_layers,
            limits: Limits {
                cpu: Duration::from_secs(sandbox.processor_seconds.into()),
                memory_bytes: u64::from(sandbox.memory_mb) << 20,
                ..Limits::default()
            },
            time: Duration::from_secs(sandbox.seconds.into()),
            answer_bytes: usize::try_from(plugins.answer_mb).unwrap_or(usize::MAX) << 20,
            helper: None,
        }
    }
}

impl Program {
    /// The file that names the packages it needs, and the environment of its own in which they are; `None` when it asks
    /// for none. Both are of exactly this content.
    pub(super) fn requirements(&self) -> Option<(PathBuf, PathBuf)> {
        let file = self.content.place(&self.folder, &self.name).join(self.content.requirements()?);
        Some((file, self.folder.with_file_name("packages")))
    }

    /// How long it may take for one file.
    fn limit(&self, runtime: &Runtime) -> Duration {
        if self.trusted.contains(&Part::Time) { ENDLESS } else { runtime.time }
    }

    fn profile(&self, runtime: &Runtime, work: &WorkFolder) -> Profile {
        let is_python = self.content.language == PluginLanguage::Python;
        let kind = if is_python { Kind::Python } else { Kind::Program };
        let mut profile = Profile::new(kind, See::at(work.scratch(), SCRATCH));
        let system = SYSTEM.iter().map(PathBuf::from).filter(|path| path.exists());
        profile.see = system.map(See::same).collect();
        profile.see.push(See::at(&self.folder, PLUGIN));
        profile.see.push(See::at(work.input(), INPUT));
        if is_python {
            profile.see.push(See::same(&runtime.support));
            profile.see.extend(self.requirements().map(|(_, packages)| See::same(packages)));
            profile.see.extend(python_home(&runtime.python).into_iter().map(See::same));
        }
        let trusts = |part| self.trusted.contains(&part);
        let more = if trusts(Part::Files) { &DATA[..] } else { &[] };
        let net = if trusts(Part::Network) { &NETWORK[..] } else { &[] };
        profile.see.extend(more.iter().chain(net).map(PathBuf::from).filter(|it| it.exists()).map(See::same));
        profile.limits = runtime.limits;
        // Twice what one file may take: it is replaced before half is gone.
        profile.limits.cpu *= 2;
        profile.lifted = self.trusted.iter().copied().collect();
        let usual = [
            ("PATH", system::PROGRAM_PATH),
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C.UTF-8"),
            ("PYTHONUTF8", "1"),
            // As the reference client has it: scripts look at it.
            ("PYWATS_SANDBOX", "1"),
        ];
        profile.environment = usual.map(|(name, value)| (name.into(), value.into())).to_vec();
        profile.missing_layers = runtime.missing_layers;
        profile
    }
}

/// Where the modules of an interpreter lie that is not the system's own.
fn python_home(python: &Path) -> Vec<PathBuf> {
    let real = fs::canonicalize(python).unwrap_or_else(|_| python.to_owned());
    let home = |path: &Path| path.parent().and_then(Path::parent).map(Path::to_owned);
    let mut homes: Vec<PathBuf> = [home(python), home(&real)].into_iter().flatten().collect();
    // Never more than the interpreter: nobody keeps one directly below the root.
    homes.retain(|it| it.components().count() > 1 && !it.starts_with("/usr"));
    homes.dedup();
    homes
}

/// A process of a plug-in that waits for requests. Whoever asks it waits for the answer on a thread of his own.
#[derive(Debug)]
pub(super) struct Process {
    talk: Talk,
    boxed: Boxed,
    driver: Driver,
    one_cpu: Option<OneCpu>,
    /// Of whoever asks now.
    stop: Stop,
    name: String,
    limit: Duration,
    /// What its box allows.
    limits: Limits,
    /// It is replaced when it has worked so long.
    most_busy: Duration,
    files: u32,
    busy: Duration,
    first_size: Option<u64>,
    /// It asked to be started anew before the next file.
    wants_restart: bool,
    pub(super) idle_since: Instant,
    /// After the box: it is removed when its program is told to end.
    work: WorkFolder,
}

impl Process {
    pub(super) fn start(program: &Program, runtime: &Runtime, stop: &Stop) -> Result<Self, PluginError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| PluginError::Start {
            name: program.name.clone(),
            source,
        };
        let work = WorkFolder::make(&runtime.work).map_err(|error| failed(error.into()))?;
        let profile = program.profile(runtime, &work);
        let place = Path::new(PLUGIN).join(&program.name);
        let (start, arguments): (PathBuf, Vec<OsString>) = match program.content.language {
            PluginLanguage::Program if program.content.is_folder => {
                (place.join(&program.content.entry), Vec::new())
            }
            PluginLanguage::Program => (place, Vec::new()),
            PluginLanguage::Python => {
                let host = runtime.support.join("host/wats_plugin_host.py");
                if !host.is_file() {
                    let words =
                        format!("{} is missing: is the setting plugins.support right?", host.display());
                    return Err(failed(words.into()));
                }
                let mut arguments: Vec<OsString> = vec!["-I".into(), "-B".into(), host.into()];
                arguments.extend(["--environment".into(), program.environment.as_str().into()]);
                for part in &program.trusted {
                    arguments.extend(["--lifted".into(), part.as_str().into()]);
                }
                // A folder stands for its main.py.
                let is_main = program.content.entry == Path::new(MAIN);
                let own = program.content.is_folder && !is_main;
                arguments.push(if own { place.join(&program.content.entry) } else { place }.into());
                let python = match program.requirements() {
                    None => runtime.python.clone(),
                    Some((_, packages)) => environment::python(&packages),
                };
                if fs::symlink_metadata(&python).is_err() && python != runtime.python {
                    let words =
                        "the packages that it asks for are not installed: enable it on a running agent";
                    return Err(failed(words.into()));
                }
                (python, arguments)
            }
        };
        let helper = match &runtime.helper {
            Some(helper) => helper.clone(),
            None => sandbox::helper().map_err(|error| failed(error.into()))?,
        };
        let driver = Driver::new().map_err(|error| failed(error.into()))?;
        let started = driver.wait(stop, sandbox::start_with(&helper, &profile, &start, &arguments));
        let started = started.ok_or_else(|| failed("nobody waits for it any more".into()))?;
        let mut boxed = started.map_err(|error| failed(error.into()))?;
        let talk = Talk::of(&mut boxed.child, runtime.answer_bytes)
            .ok_or_else(|| failed("it has no pipes".into()))?;
        Ok(Self {
            talk,
            boxed,
            driver,
            one_cpu: None,
            stop: stop.clone(),
            name: program.name.clone(),
            limit: program.limit(runtime),
            limits: profile.limits,
            most_busy: BUSY.min(runtime.limits.cpu),
            files: 0,
            busy: Duration::ZERO,
            first_size: None,
            wants_restart: false,
            idle_since: Instant::now(),
            work,
        })
    }

    /// Asks what the program is; the answer with what it wrote to standard error.
    pub(super) fn describe(&mut self) -> Result<(Result<Description, Vec<String>>, String), PluginError> {
        let answered = self.ask("describe", &Map::new(), QUICK)?;
        let described = match answered.last {
            End::Described(members) => Description::read(&members),
            End::Error { text } => Err(vec![format!("it answered an error to describe: {text}")]),
            other => Err(vec![format!("it must answer describe by \"described\", not by {}", word(&other))]),
        };
        Ok((described, self.talk.standard_error()))
    }

    /// Whether a file is its own; `None` when it has no answer of its own.
    pub(super) fn recognise(
        &mut self,
        members: &Map<String, Value>,
    ) -> Result<Option<protocol::Recognised>, PluginError> {
        let answered = self.ask("recognise", members, QUICK)?;
        match answered.last {
            End::Recognised(answer) => Ok(Some(answer)),
            End::Error { .. } => Ok(None),
            other => {
                let words = format!("it must answer recognise by \"recognised\", not by {}", word(&other));
                Err(self.broken(words))
            }
        }
    }

    /// Has a file converted, or a scheduled converter run.
    pub(super) fn convert(&mut self, members: &Map<String, Value>) -> Result<Answered, PluginError> {
        let limit = self.limit;
        let answered = self.ask("convert", members, limit)?;
        match answered.last {
            End::Last(_) => Ok(answered),
            End::Error { text } => Err(self.broken(format!("it answered an error to convert: {text}"))),
            other => {
                let words = format!(
                    "it must end its answer to convert by done, failed, not-yet, skipped or rejected, not by {}",
                    word(&other)
                );
                Err(self.broken(words))
            }
        }
    }

    /// Says what became of the file that was converted last.
    pub(super) fn settled(&mut self, members: &Map<String, Value>) -> Result<(), PluginError> {
        self.ask("settled", members, QUICK).map(drop)
    }

    /// True when it answers a request by saying that it does not know it.
    pub(super) fn refuses(
        &mut self,
        request: &str,
        members: &Map<String, Value>,
    ) -> Result<bool, PluginError> {
        Ok(matches!(self.ask(request, members, QUICK)?.last, End::Error { .. }))
    }

    fn ask(
        &mut self,
        request: &str,
        members: &Map<String, Value>,
        limit: Duration,
    ) -> Result<Answered, PluginError> {
        let line = match protocol::request(request, members) {
            Ok(line) => line,
            Err(error) => return Err(self.broken(format!("its request cannot be written: {error}"))),
        };
        let started = Instant::now();
        let Self { talk, driver, one_cpu, stop, .. } = self;
        // Not before its program runs, and not for one that is used once.
        if self.files == 1 {
            *one_cpu = OneCpu::of(&self.boxed);
        }
        let asked = talk.ask(&line, limit);
        let answered = match one_cpu {
            Some(one_cpu) => driver.wait(stop, one_cpu.hold(asked)),
            None => driver.wait(stop, asked),
        };
        let answered = answered.unwrap_or(Err(Broken::Stopped));
        self.busy += started.elapsed();
        match answered {
            Ok(answered) => {
                self.wants_restart |= answered.restart;
                Ok(answered)
            }
            Err(Broken::Ended) => {
                // Its last words come with the end.
                let Self { boxed, driver, stop, .. } = self;
                let ended = async { tokio::time::timeout(Duration::from_secs(2), boxed.child.wait()).await };
                let status = driver.wait(stop, ended).and_then(Result::ok).and_then(Result::ok);
                let said = self.talk.standard_error();
                let words = ending::words(status, self.busy, &self.limits, &said);
                Err(self.broken(words))
            }
            Err(Broken::Slow) => Err(PluginError::TooLong { name: self.name.clone(), limit }),
            Err(broken) => Err(self.broken(broken.to_string())),
        }
    }

    fn broken(&mut self, words: String) -> PluginError {
        PluginError::Broken { name: self.name.clone(), words, standard_error: self.talk.standard_error() }
    }

    /// Puts an input where the program sees it; answers the path below the input folder, and the one inside.
    pub(super) fn put(
        &self,
        job: &Job,
        bytes: &[u8],
        companions: &[Companion],
    ) -> io::Result<(PathBuf, PathBuf)> {
        let below = self.work.put(job, bytes, companions)?;
        let inside = self.boxed.path(&Path::new(INPUT).join(&below));
        Ok((below, inside))
    }

    /// The scratch folder as the program sees it.
    pub(super) fn scratch(&self) -> PathBuf {
        self.boxed.path(Path::new(SCRATCH))
    }

    /// Takes the input and everything in the scratch folder away; false when the process must not be used again.
    pub(super) fn clear(&mut self, below: Option<&Path>) -> bool {
        let cleared = below.map_or(Ok(()), |below| self.work.clear(below));
        let emptied = self.boxed.empty_scratch();
        if let Err(error) = cleared.and(emptied) {
            tracing::info!(%error, "a process of the plug-in {} left what cannot be removed: it is replaced", self.name);
            return false;
        }
        true
    }

    pub(super) fn standard_error(&mut self) -> String {
        self.talk.standard_error()
    }

    /// From now on it works for whoever has this.
    pub(super) fn work_for(&mut self, stop: &Stop) {
        self.stop = stop.clone();
    }

    /// How many files it has converted.
    pub(super) fn files(&self) -> u32 {
        self.files
    }

    /// True when it is fit for another file.
    pub(super) fn is_fit(&mut self) -> bool {
        !self.wants_restart
            && self.files < FILES
            && self.busy < self.most_busy
            && !self.has_grown()
            && matches!(self.boxed.child.try_wait(), Ok(None))
            && !self.talk.is_out_of_step()
    }

    /// Counts a file.
    pub(super) fn count(&mut self) {
        self.files += 1;
        self.idle_since = Instant::now();
    }

    fn has_grown(&mut self) -> bool {
        if self.files != 1 && !self.files.is_multiple_of(LOOK_EVERY) {
            return false;
        }
        let Some(size) = self.boxed.child.id().map(system::resident) else { return true };
        size > *self.first_size.get_or_insert(size) + GROWTH
    }
}

fn word(line: &End) -> &'static str {
    match line {
        End::Described(_) => "\"described\"",
        End::Recognised(_) => "\"recognised\"",
        End::Last(_) => "an answer that ends a conversion",
        End::Error { .. } => "\"error\"",
    }
}
