//! What apt offers, and the run that fetches or installs it.
//!
//! The run is a transient unit of its own, `wats-appliance-update.service`, so that it goes on when it
//! restarts console and daemon. It writes how far it is into a file, which the daemon reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::api::{PackageUpdate, UpdateKind, UpdateRun, UpdateState, Updates};
use super::apt::{Phase, parse_progress, parse_simulation};
use super::runner::{Call, CallError, Runner};
use crate::files;

const UNIT: &str = "wats-appliance-update.service";
const APT_GET: &str = "/usr/bin/apt-get";
/// New packages may come (a kernel is one); none is ever removed. `dist-upgrade` would remove the console itself
/// where a repository is only half up to date.
const UPGRADE: [&str; 2] = ["--with-new-pkgs", "upgrade"];
/// A run that did not write its first line by then has vanished.
const START_PATIENCE: i64 = 30;
/// So many lines of apt's output are kept.
const LOG_LINES: usize = 200;
/// The file is written at most so often: progress comes in hundreds of lines.
const WRITE_EVERY: Duration = Duration::from_millis(500);
/// Downloads over a slow line, and a big kernel in an emulated machine.
const RUN_LIMIT: Duration = Duration::from_secs(4 * 3600);
/// Less free space than this, and dpkg may stop half way.
const ROOM: u64 = 500 << 20;

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    #[error("Updates are being fetched or installed already.")]
    Running,
    #[error("The disk has less than 500 MB free: make room first, or give the machine a larger disk.")]
    DiskFull,
    #[error("could not start the update")]
    Start(#[source] CallError),
    #[error("could not ask apt what it offers")]
    Offer(#[source] CallError),
    #[error("could not write {path}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// What the file with the progress holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    run: UpdateRun,
    /// When the package lists were last fetched.
    checked_at: Option<Timestamp>,
}

/// What apt offered, and the files that this depended on.
type Offer = (Stamp, Vec<PackageUpdate>);
type Stamp = (Option<SystemTime>, Option<SystemTime>);

/// The daemon's side: asks and starts.
#[derive(Debug, Clone)]
pub struct UpdateService {
    runner: Runner,
    root: PathBuf,
    file: PathBuf,
    offer: Arc<Mutex<Option<Offer>>>,
    starting: Arc<Mutex<()>>,
}

impl UpdateService {
    /// `state_dir` holds the file with the progress.
    pub fn new(runner: Runner, root: &Path, state_dir: &Path) -> Self {
        Self {
            runner,
            root: root.to_owned(),
            file: state_dir.join("update.json"),
            offer: Arc::default(),
            starting: Arc::default(),
        }
    }

    /// What is offered, and how the run goes.
    ///
    /// # Errors
    /// When apt does not answer.
    pub async fn updates(&self, now: Timestamp) -> Result<Updates, UpdateError> {
        let record = self.record(now).await;
        let run = record.as_ref().map(|record| record.run.clone());
        let is_running = run.as_ref().is_some_and(|run| run.state == UpdateState::Running);
        Ok(Updates {
            available: self.offered(is_running).await?,
            checked_at: record.and_then(|record| record.checked_at),
            run,
            reboot_required: self.root.join("run/reboot-required").exists(),
        })
    }

    /// The record; a run that has vanished is shown as failed.
    async fn record(&self, now: Timestamp) -> Option<Record> {
        let mut record = read(&self.file)?;
        let age = now.as_second() - record.run.started_at.as_second();
        // A clock that was set back makes the age negative: then only the unit counts.
        let is_new = (0..START_PATIENCE).contains(&age);
        if record.run.state == UpdateState::Running && !is_new && !self.is_active().await {
            // It may have ended between the two looks.
            record = read(&self.file)?;
            if record.run.state == UpdateState::Running {
                record.run.state = UpdateState::Failed;
                record.run.ended_at = Some(now);
                record.run.error = Some(
                    "The update broke off: the machine was switched off or the update was ended. \
                     Install again: what was begun is completed first."
                        .to_owned(),
                );
            }
        }
        Some(record)
    }

    async fn is_active(&self) -> bool {
        let call = Call::new("/usr/bin/systemctl").arguments(["is-active", "--quiet", UNIT]);
        self.runner.run(call).await.is_ok()
    }

    /// Asks apt, unless nothing has changed since the last time, or apt is busy.
    async fn offered(&self, is_running: bool) -> Result<Vec<PackageUpdate>, UpdateError> {
        let mut known = self.offer.lock().await;
        let stamp = self.stamp();
        match &*known {
            Some((of, offer)) if is_running || *of == stamp => return Ok(offer.clone()),
            None if is_running => return Ok(Vec::new()),
            _ => {}
        }
        let call = Call::new(APT_GET)
            .arguments(["--simulate", "-q", "-o", "Debug::NoLocking=1"])
            .arguments(UPGRADE)
            .limit(Duration::from_secs(50));
        let offer = parse_simulation(&self.runner.run(call).await.map_err(UpdateError::Offer)?);
        *known = Some((stamp, offer.clone()));
        Ok(offer)
    }

    fn stamp(&self) -> Stamp {
        let modified = |path: &str| std::fs::metadata(self.root.join(path)).and_then(|it| it.modified()).ok();
        (modified("var/lib/dpkg/status"), modified("var/lib/apt/lists"))
    }

    /// Starts a run; it is in the record when this returns.
    ///
    /// # Errors
    /// When one goes on already, the disk is full, or systemd refuses.
    pub async fn start(&self, kind: UpdateKind, now: Timestamp) -> Result<(), UpdateError> {
        let _only = self.starting.lock().await;
        let record = self.record(now).await;
        if record.as_ref().is_some_and(|it| it.run.state == UpdateState::Running) || self.is_active().await {
            return Err(UpdateError::Running);
        }
        if kind == UpdateKind::Install && free_space(&self.root).is_some_and(|free| free < ROOM) {
            return Err(UpdateError::DiskFull);
        }
        let checked_at = record.and_then(|record| record.checked_at);
        write(&self.file, &Record { run: new_run(kind, now), checked_at })?;
        let word = match kind {
            UpdateKind::Check => "check",
            UpdateKind::Install => "install",
        };
        let call = Call::new("/usr/bin/systemd-run").arguments([
            format!("--unit={UNIT}"),
            "--collect".to_owned(),
            "--description=Appliance update".to_owned(),
            "/usr/bin/wats-appliance".to_owned(),
            "update-run".to_owned(),
            word.to_owned(),
        ]);
        let started = self.runner.run(call).await;
        if let Err(error) = started {
            let mut run = new_run(kind, now);
            run.state = UpdateState::Failed;
            run.ended_at = Some(now);
            run.error = Some(format!("It could not be started: {error}"));
            write(&self.file, &Record { run, checked_at })?;
            return Err(UpdateError::Start(error));
        }
        Ok(())
    }
}

fn new_run(kind: UpdateKind, now: Timestamp) -> UpdateRun {
    UpdateRun {
        kind,
        state: UpdateState::Running,
        started_at: now,
        ended_at: None,
        percent: 0.0,
        step: "Starting".to_owned(),
        log: Vec::new(),
        error: None,
    }
}

/// Bytes free for root on the file system of `path`.
fn free_space(path: &Path) -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs(path).ok()?;
    Some(stat.blocks_available() as u64 * stat.fragment_size() as u64)
}

/// A file that is damaged is like none: the next run makes a new one.
fn read(file: &Path) -> Option<Record> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

fn write(file: &Path, record: &Record) -> Result<(), UpdateError> {
    let bytes = serde_json::to_vec(record).unwrap_or_default();
    files::replace_file(file, 0o600, &bytes)
        .map_err(|source| UpdateError::Write { path: file.to_owned(), source })
}

/// The run's own side: does it, and writes how far it is. Started as a unit of its own.
///
/// # Errors
/// When the file with the progress cannot be written. That apt failed is no error here: it is in the file.
pub async fn run(runner: &Runner, state_dir: &Path, kind: UpdateKind) -> Result<(), UpdateError> {
    let file = state_dir.join("update.json");
    let checked_at = read(&file).and_then(|record| record.checked_at);
    let mut record = Record { run: new_run(kind, Timestamp::now()), checked_at };
    write(&file, &record)?;
    let mut written = Instant::now();
    let mut result = Ok(());
    for call in calls(kind) {
        result = runner
            .lines(call, |line| {
                take(&mut record.run, line);
                if written.elapsed() >= WRITE_EVERY {
                    written = Instant::now();
                    // The next one, or the last one below, says that the disk is full.
                    write(&file, &record).ok();
                }
            })
            .await;
        if result.is_err() {
            break;
        }
    }
    let now = Timestamp::now();
    record.run.ended_at = Some(now);
    match result {
        Ok(()) => {
            record.run.state = UpdateState::Succeeded;
            record.run.percent = 100.0;
            record.run.step = "Done".to_owned();
            if kind == UpdateKind::Check {
                record.checked_at = Some(now);
            }
        }
        Err(error) => {
            record.run.state = UpdateState::Failed;
            record.run.error = Some(failure(&error, &record.run.log));
        }
    }
    write(&file, &record)
}

fn calls(kind: UpdateKind) -> Vec<Call> {
    let apt = |arguments: &[&str]| {
        let common = ["-q", "-o", "APT::Status-Fd=1", "-o", "DPkg::Lock::Timeout=120"];
        Call::new(APT_GET).arguments(common).arguments(arguments.iter().copied()).limit(RUN_LIMIT)
    };
    match kind {
        // Without it apt is content with lists that it could not fetch.
        UpdateKind::Check => vec![apt(&["-o", "APT::Update::Error-Mode=any", "update"])],
        UpdateKind::Install => vec![
            // What a power cut left half installed.
            Call::new("/usr/bin/dpkg")
                .arguments(["--configure", "-a", "--force-confdef", "--force-confold"])
                .limit(RUN_LIMIT),
            apt(&[
                "--yes",
                "-o",
                "Dpkg::Use-Pty=0",
                "-o",
                "Dpkg::Options::=--force-confdef",
                "-o",
                "Dpkg::Options::=--force-confold",
            ])
            .arguments(UPGRADE),
        ],
    }
}

/// Puts one line of apt's output into the run.
fn take(run: &mut UpdateRun, line: &str) {
    match parse_progress(line) {
        Some(progress) => {
            run.step = progress.step;
            run.percent = match (run.kind, progress.phase) {
                (UpdateKind::Check, _) => progress.percent,
                // The download is the first half.
                (UpdateKind::Install, Phase::Download) => progress.percent / 2.0,
                (UpdateKind::Install, Phase::Install) => 50.0 + progress.percent / 2.0,
            };
        }
        None if line.trim().is_empty() => {}
        None => {
            run.log.push(line.chars().filter(|c| !c.is_control()).take(500).collect());
            let over = run.log.len().saturating_sub(LOG_LINES);
            run.log.drain(..over);
        }
    }
}

/// The sentence of apt that matters, and what to do.
fn failure(error: &CallError, log: &[String]) -> String {
    let said = error.said().unwrap_or_default();
    let lines = || said.lines().chain(log.iter().map(String::as_str));
    let cause =
        lines().find_map(|line| line.strip_prefix("E: ")).map_or_else(|| error.to_string(), str::to_owned);
    let network = ["Could not resolve", "Failed to fetch", "Could not connect", "Temporary failure"];
    let advice = if lines().any(|line| network.iter().any(|word| line.contains(word))) {
        " Check that this machine reaches the repositories: network, name server and proxy."
    } else {
        ""
    };
    format!("{cause}{advice}")
}

#[cfg(test)]
mod tests;
