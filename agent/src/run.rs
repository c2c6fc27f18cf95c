//! Starts the parts of the agent, restarts one that crashes, and ends them together.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::agent::reload;
use crate::archive::{put_back, retention};
use crate::config::{Document, Environment, Settings};
use crate::convert::{Command, Limits, Pool};
use crate::intake::Shares;
use crate::secret::{KeySource, SealedStore, Secrets};
use crate::service::{Notifier, Vitals};
use crate::store::{self, Store};
use crate::work::Work;
use crate::{Agent, control, deliver, error_chain, health, intake, plugins, registration, sandbox, system};

/// Complete files that wait to be worked on; each source has only so many on their way at all.
const FILES_WAITING: usize = 256;
/// The reports of one file, together.
const ANSWER_BYTES: usize = 512 << 20;
/// How long the parts may take to end.
const FAREWELL: Duration = Duration::from_secs(8);
/// After so long everything that the start needs has been done.
#[cfg(target_os = "linux")]
const STARTED: Duration = Duration::from_secs(20);
/// How often a large database is looked through.
const CHECK: Duration = Duration::from_secs(24 * 3600);
/// How long until a part that crashed is started again.
const RESTART: Duration = Duration::from_secs(2);

/// Runs the agent until `stop` fires; everything is given back within ten seconds.
///
/// # Errors
/// When it cannot start: another one runs, or database or socket cannot be used.
pub async fn run(
    document: Document,
    environment: Environment,
    machine_key: Option<PathBuf>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    crate::metrics::start();
    // Before there is any child, which would have to be moved along.
    let group = sandbox::take_over_control_group();
    let settings = &document.settings;
    let storage = settings.storage_folder();
    fs::create_dir_all(&storage).with_context(|| format!("could not make {}", storage.display()))?;
    let _only = lock(&storage)?;
    system::tie_children().context("could not tie the processes that the agent starts to it")?;
    system::protect(&storage, &settings.plugins_see())
        .with_context(|| format!("could not protect {}", storage.display()))?;
    let database = settings.database();
    let store = store::open_or_rescue(&database, &settings.archive_folder(), Timestamp::now()).await?;
    let named = || settings.config.storage.machine_key.clone();
    let machine_key = machine_key.or_else(named).or_else(|| system::places().machine_key);
    let secrets = secrets(&storage, machine_key.as_deref()).with_given_token(environment.token.clone());
    let agent = Agent::of_file(document, environment, store.clone(), secrets, Timestamp::now());
    let listener = control::listen(&agent.settings().socket()).await?;

    if let Err(words) = group {
        tracing::debug!("foreign converters get no control group: {words}");
    }
    let notifier = Notifier::from_environment();
    let vitals = Vitals::default();
    let mut parts = JoinSet::new();
    let looking = agent.clone();
    parts.spawn(async move { looking.set_sandbox(sandbox::look().await) });
    start_work(&agent, &vitals, &stop, &mut parts).await?;
    let serving = control::serve(listener, agent.clone(), vitals.clone(), stop.clone());
    parts.spawn(async move {
        if let Err(error) = serving.await {
            tracing::error!("{}", error_chain(&error));
        }
    });
    parts.spawn(health::serve(agent.clone(), vitals.clone(), stop.clone()));
    {
        let (notifier, stop) = (notifier.clone(), stop.clone());
        parts.spawn(async move { notifier.watch(&vitals, &stop).await });
    }
    #[cfg(target_os = "linux")]
    {
        let stop = stop.clone();
        parts.spawn(async move {
            if stop.run_until_cancelled(tokio::time::sleep(STARTED)).await.is_some() {
                system::let_go_of_code();
            }
        });
    }
    let settings = agent.settings();
    let sources = settings.config.sources.len();
    tracing::info!("agent {} {} watches {sources} sources", settings.instance, env!("CARGO_PKG_VERSION"));
    notifier.ready(&format!("watching {sources} sources"));

    let failed = tokio::select! {
        () = stop.cancelled() => None,
        // The store is good for nothing any more: systemd starts a fresh agent, which mends it.
        why = failed(&store, &database) => Some(why),
    };
    notifier.stopping();
    stop.cancel();
    let ended = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL, ended).await.is_err() {
        tracing::warn!("some work did not end in time; it is taken up at the next start");
        parts.abort_all();
    }
    tokio::time::timeout(Duration::from_secs(1), store.close()).await.ok();
    if let Some(why) = failed {
        bail!("{why}");
    }
    tracing::info!("the agent has ended");
    Ok(())
}

async fn start_work(
    agent: &Agent,
    vitals: &Vitals,
    stop: &CancellationToken,
    parts: &mut JoinSet<()>,
) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("could not find this program")?;
    let itself = |word: &str| Command { program: program.clone(), arguments: vec![word.to_owned()] };
    let mut settings = agent.watch_settings();
    let (limited, spool) = {
        let settings = settings.borrow_and_update();
        (limits(&settings), settings.storage_folder())
    };
    let pool = Pool::new(itself("worker"), limited, spool).with_plugins(agent.plugins().clone());
    let (limited, inner) = (pool.clone(), stop.clone());
    parts.spawn(async move {
        while let Some(Ok(())) = inner.run_until_cancelled(settings.changed()).await {
            limited.set_limits(limits(&settings.borrow_and_update()));
        }
    });
    let work = Work::new(agent.clone(), pool.clone());
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("plug-ins", agent.clone(), stop.clone(), move || {
        let (agent, pool, stop) = (other.clone(), pool.clone(), inner.clone());
        async move {
            plugins::run(agent, pool, stop).await;
            Ok(())
        }
    }));
    let (sender, files) = mpsc::channel(FILES_WAITING);
    let files = Arc::new(Mutex::new(files));
    let inner = stop.clone();
    parts.spawn(supervise("conversion", agent.clone(), stop.clone(), move || {
        work.clone().run(files.clone(), inner.clone())
    }));
    let pulse = Arc::new(vitals.watch("intake", Duration::from_secs(60)));
    let shares = Arc::new(Shares::new(itself("share")));
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("intake", agent.clone(), stop.clone(), move || {
        let (agent, sender, pulse, stop) = (other.clone(), sender.clone(), pulse.clone(), inner.clone());
        let shares = shares.clone();
        async move {
            intake::run(agent, sender, shares, &pulse, stop).await;
            Ok(())
        }
    }));
    let pulse = Arc::new(vitals.watch("delivery", Duration::from_secs(60)));
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("delivery", agent.clone(), stop.clone(), move || {
        let (agent, pulse, stop) = (other.clone(), pulse.clone(), inner.clone());
        async move { deliver::run(agent, &pulse, &stop).await.map_err(|error| error_chain(&error)) }
    }));
    let pulse = Arc::new(vitals.watch("configuration", Duration::from_secs(60)));
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("configuration", agent.clone(), stop.clone(), move || {
        let (agent, pulse, stop) = (other.clone(), pulse.clone(), inner.clone());
        async move { reload::run(agent, &pulse, &stop).await.map_err(|error| error_chain(&error)) }
    }));
    parts.spawn(check_now_and_then(agent.store().clone(), stop.clone()));
    let other = agent.clone();
    parts.spawn(supervise("rescue", agent.clone(), stop.clone(), move || put_back::run(other.clone())));
    let pulse = Arc::new(vitals.watch("retention", Duration::from_secs(30 * 60)));
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("retention", agent.clone(), stop.clone(), move || {
        let (agent, pulse, stop) = (other.clone(), pulse.clone(), inner.clone());
        async move { retention::run(agent, &pulse, &stop).await.map_err(|error| error_chain(&error)) }
    }));
    let pulse = Arc::new(vitals.watch("registration", Duration::from_secs(120)));
    let (other, inner) = (agent.clone(), stop.clone());
    parts.spawn(supervise("registration", agent.clone(), stop.clone(), move || {
        let (agent, pulse, stop) = (other.clone(), pulse.clone(), inner.clone());
        async move {
            registration::run(agent, &pulse, &stop).await;
            Ok(())
        }
    }));
    Ok(())
}

fn limits(settings: &Settings) -> Limits {
    Limits {
        workers: settings.config.convert.workers,
        time: Duration::from_secs(settings.config.convert.time_limit_seconds.into()),
        answer_bytes: ANSWER_BYTES,
    }
}

/// Runs a part of the agent, and starts it again when it crashes or gives up.
async fn supervise<F>(name: &'static str, agent: Agent, stop: CancellationToken, part: impl Fn() -> F)
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    while !stop.is_cancelled() {
        // A task of its own, so that a panic ends there.
        let why = match tokio::spawn(part()).await {
            Ok(Ok(())) => return,
            Ok(Err(why)) => why,
            Err(error) => error.to_string(),
        };
        tracing::error!("the {name} failed and is started again: {why}");
        agent.set_trouble(name, Some(format!("the {name} failed and is started again: {why}")));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(RESTART) => agent.set_trouble(name, None),
        }
    }
}

/// Returns when the store can store nothing any more, or what it stores is lost; answers why.
async fn failed(store: &Store, database: &Path) -> String {
    loop {
        if store.is_closed() {
            return "the database failed".to_owned();
        }
        if store::damage_was_seen() {
            let words = "damage was found in the database: it is rebuilt at the next start";
            if let Err(error) = store::suspect(database, words) {
                tracing::error!(%error, "could not note that the database is damaged");
            }
            return words.to_owned();
        }
        if store.is_torn() {
            return match store.save().await {
                Ok(saved) => format!(
                    "the database was deleted or replaced; all of it was saved as {}",
                    saved.display()
                ),
                Err(error) => {
                    format!(
                        "the database was deleted or replaced, and cannot be saved: {}",
                        error_chain(&error)
                    )
                }
            };
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Looks through a large database while the agent runs: a small one was looked through before it started.
async fn check_now_and_then(store: Store, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if store.is_large() {
            // Damage is noted where it is met; another failure shows elsewhere, too.
            if let Err(error) = store.check().await {
                tracing::error!("looking through the database: {}", error_chain(&error));
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(CHECK) => {}
        }
    }
}

/// Credentials lie sealed beside the database.
fn secrets(storage: &Path, machine_key: Option<&Path>) -> Secrets {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let key = KeySource::find(machine_key, credentials.as_deref());
    Secrets::new(SealedStore::new(storage.join("secrets"), key))
}

/// Another agent runs on the instance.
#[derive(Debug, thiserror::Error)]
#[error("another agent, process {process}, runs in {}: stop it first, or give this one a configuration of its own", storage.display())]
pub struct InstanceTaken {
    /// Its number, as it wrote it down itself.
    pub process: String,
    pub storage: PathBuf,
}

/// The kernel holds the lock as long as this process lives, and no longer: a file that a killed agent left behind
/// stops nobody. The process's number in it is for people only.
fn lock(storage: &Path) -> anyhow::Result<File> {
    let path = storage.join("lock");
    let open = File::options().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.with_context(|| format!("could not make {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {
            let noted = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
            noted.with_context(|| format!("could not write {}", path.display()))?;
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let process = fs::read_to_string(&path).unwrap_or_default().trim().to_owned();
            let process = if process.is_empty() { "of unknown number".to_owned() } else { process };
            Err(InstanceTaken { process, storage: storage.to_owned() }.into())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("could not lock {}", path.display()))
        }
    }
}
