//! A test line: stations that drop files into the folders of one agent, and the count of what became of them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use uuid::Uuid;
use wats_agent::control::api::{HealthLevel, Status};

use super::shim::Shim;
use crate::station::Station;

/// How long an agent may take to be healthy again once the cause is gone, with everything delivered.
const PATIENCE: Duration = Duration::from_secs(120);
/// As systemd waits before it starts an agent again.
const RESTART: Duration = Duration::from_millis(200);
/// Quick to look, quick to settle, and no limit on requests: what is measured is loss, not pace.
const CONFIG: &str = "[delivery]\nuploads = 4\nrequests_per_minute = 0\n";

/// An agent with two sources, and what must come of all that was dropped.
#[derive(Debug)]
pub struct Line {
    pub station: Station,
    /// The serial numbers of all good files.
    dropped: BTreeSet<String>,
    bad_files: usize,
    /// How often the agent ended by itself and was started again, as systemd does.
    pub restarts: u64,
    /// Beginnings of what health may say in the end.
    pub allowed: Vec<&'static str>,
}

/// What came of a fault.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// How often the fault came.
    pub faults: u64,
    /// Good files that were dropped, one report each.
    pub files: usize,
    /// Reports that the server got, the same one each time it came.
    pub posts: u64,
    /// Different reports at the server.
    pub reports: usize,
    /// Files whose report the server does not have, or whose acknowledgement the ledger does not know.
    pub lost: usize,
    /// Reports at the server beyond one for each file, and reports that came with different contents.
    pub duplicated: usize,
    /// Records of the ledger, all verified.
    pub records: u64,
    /// How long it took at most until all was delivered and the agent healthy.
    pub healthy_after: Duration,
}

impl Count {
    /// Adds what came of another round.
    pub fn add(&mut self, other: &Self) {
        self.faults += other.faults;
        self.files += other.files;
        self.posts += other.posts;
        self.reports += other.reports;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.records += other.records;
        self.healthy_after = self.healthy_after.max(other.healthy_after);
    }
}

impl Line {
    /// # Errors
    /// When the agent does not start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with("").await
    }

    /// [`Self::start`] with more lines for the configuration.
    ///
    /// # Errors
    /// When the agent does not start.
    pub async fn start_with(config: &str) -> anyhow::Result<Self> {
        let sources = [("json", "wats-json"), ("text", "wats-text")];
        let station = Station::start_with(&sources, &format!("{CONFIG}{config}")).await?;
        Ok(Self { station, dropped: BTreeSet::new(), bad_files: 0, restarts: 0, allowed: Vec::new() })
    }

    /// A line whose agent runs behind a shim from its next start on. It does not run now.
    ///
    /// # Errors
    /// When the agent does not start, or there is no C compiler.
    pub async fn behind_shim() -> anyhow::Result<(Self, Shim)> {
        let mut line = Self::start().await?;
        line.station.stop_agent()?;
        let shim = Shim::build(line.station.folder())?;
        line.station.set_environment(shim.environment());
        Ok((line, shim))
    }

    /// Drops so many good files, each with a serial number of its own, into the sources by turns.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_files(&mut self, count: usize) -> anyhow::Result<()> {
        for _ in 0..count {
            let serial = format!("SN-{:05}", self.dropped.len());
            if self.dropped.len().is_multiple_of(2) {
                self.station.drop_file("text", &format!("{serial}.txt"), &text_report(&serial))?;
            } else {
                self.station.drop_file("json", &format!("{serial}.json"), &json_report(&serial))?;
            }
            self.dropped.insert(serial);
        }
        Ok(())
    }

    /// Drops a good file of about so many bytes.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_large_file(&mut self, bytes: usize) -> anyhow::Result<()> {
        let serial = format!("SN-{:05}", self.dropped.len());
        let mut content = json_report(&serial);
        content.resize(content.len() + bytes, b' ');
        self.station.drop_file("json", &format!("{serial}.json"), &content)?;
        self.dropped.insert(serial);
        Ok(())
    }

    /// Drops a file that is no report.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_bad_file(&mut self) -> anyhow::Result<()> {
        self.bad_files += 1;
        let name = format!("bad-{}.json", self.bad_files);
        self.station.drop_file("json", &name, format!("[{}]", self.bad_files).as_bytes())
    }

    /// Drops a file again that was dropped before, under another name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_copy(&mut self) -> anyhow::Result<()> {
        let serial = self.dropped.first().context("nothing was dropped")?;
        self.station.drop_file("text", "copy.txt", &text_report(serial))
    }

    /// Forgets everything: the files, the database, the archive, and what the server has. No agent may run.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn clear(&mut self) -> anyhow::Result<()> {
        self.dropped.clear();
        self.bad_files = 0;
        self.station.sim.clear();
        self.station.sim.set_faults(Vec::new());
        for source in ["json", "text"] {
            empty(&self.station.source(source))?;
        }
        let storage = self.station.folder().join("storage");
        for entry in std::fs::read_dir(storage)? {
            let entry = entry?;
            // The credential stays.
            if entry.file_name() != "secrets" {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// As systemd does: starts the agent again when it has ended by itself.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn keep_running(&mut self) -> anyhow::Result<()> {
        if self.station.agent_ended()?.is_some() {
            self.restarts += 1;
            tokio::time::sleep(RESTART).await;
            self.station.spawn_agent()?;
        }
        Ok(())
    }

    /// The agent's status; `None` while it does not answer.
    pub async fn status(&self) -> Option<Status> {
        let control = self.station.control().ok()?;
        tokio::time::timeout(Duration::from_secs(5), control.status()).await.ok()?.ok()
    }

    /// Waits until `holds` says so of the agent's status, starting the agent again when it ends.
    ///
    /// # Errors
    /// When it does not in time, with the last status and the end of the agent's log.
    pub async fn until(&mut self, what: &str, holds: impl Fn(&Self, &Status) -> bool) -> anyhow::Result<()> {
        // As long as reports arrive it is only a matter of time: the long form leaves thousands to be done.
        let (mut moved, mut arrived, mut last) = (Instant::now(), 0, None);
        while moved.elapsed() < PATIENCE {
            self.keep_running().await?;
            let now = self.station.sim.stats().unique;
            if now > arrived {
                (moved, arrived) = (Instant::now(), now);
            }
            if let Some(status) = self.status().await {
                if holds(self, &status) {
                    return Ok(());
                }
                last = Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let last = last.map(|it| format!("{:?} {:?}", it.health, it.queue));
        let missing = self.missing();
        let log = self.station.log_end();
        bail!(
            "nothing arrived for {PATIENCE:?}: {what}. The server lacks {missing:?}. The last status was {last:?}, the log\n{log}"
        )
    }

    /// The cause is gone: waits until the agent is healthy and all is delivered, stops it, and counts.
    ///
    /// # Errors
    /// When it does not become healthy by itself, does not end in time, or its ledger is wrong.
    pub async fn judge(&mut self) -> anyhow::Result<Count> {
        let started = Instant::now();
        self.until("delivered and healthy", |line, status| line.is_through(status)).await?;
        let healthy_after = started.elapsed();
        let took = self.station.stop_agent()?;
        ensure!(took < Duration::from_secs(10), "the agent took {took:?} to end");
        self.count(healthy_after)
    }

    fn is_through(&self, status: &Status) -> bool {
        let allowed = |reason: &String| self.allowed.iter().any(|it| reason.starts_with(it));
        let bad = self.bad_files > 0;
        let expected =
            |reason: &String| allowed(reason) || (bad && reason.contains("could not be converted"));
        let healthy = status.health.level != HealthLevel::Failed
            && status.health.reasons.iter().all(expected)
            && status.queue.queued + status.queue.sending == 0;
        healthy && self.has_done_its_files()
    }

    /// Serial numbers that were dropped and that the server does not have.
    pub fn missing(&self) -> Vec<String> {
        let there: HashSet<String> = self.station.sim.reports().into_iter().map(|it| it.sn).collect();
        self.dropped.iter().filter(|it| !there.contains(*it)).cloned().collect()
    }

    /// True when the server has all reports and no file lies in its folder; asks the agent nothing.
    pub fn has_done_its_files(&self) -> bool {
        self.missing().is_empty() && self.left_in_folders() == 0
    }

    /// Files that still lie in the watched folders.
    pub fn left_in_folders(&self) -> usize {
        let files = |source| std::fs::read_dir(self.station.source(source)).into_iter().flatten().flatten();
        ["json", "text"].into_iter().flat_map(files).filter(|it| it.path().is_file()).count()
    }

    /// Counts at the simulator and in the ledger.
    fn count(&self, healthy_after: Duration) -> anyhow::Result<Count> {
        let (code, said) = self.station.agent_command(&["ledger", "verify", "--json"])?;
        ensure!(code == 0, "the ledger is wrong: {said}");
        let verdict: Value = serde_json::from_str(&said).context("the answer of ledger verify")?;
        let (code, said) = self.station.agent_command(&["ledger", "export", "--format", "json"])?;
        ensure!(code == 0, "the ledger cannot be read: {said}");
        let mut acknowledged = HashSet::new();
        for line in said.lines() {
            let record: Value = serde_json::from_str(line).context("a record of the ledger")?;
            if record.get("event").is_some_and(|event| event == "acknowledged") {
                let serial = record.get("serial_number").and_then(Value::as_str);
                acknowledged.insert(serial.unwrap_or_default().to_owned());
            }
        }
        let reports = self.station.sim.reports();
        let mut ids: HashMap<&str, HashSet<Uuid>> = HashMap::new();
        for report in &reports {
            ids.entry(&report.sn).or_default().insert(report.id);
        }
        let lost =
            self.dropped.iter().filter(|it| !ids.contains_key(it.as_str()) || !acknowledged.contains(*it));
        let bodies = |id| self.station.sim.bodies(id).into_iter().collect::<HashSet<_>>().len();
        let beyond: usize = ids.values().map(|it| it.len() - 1).sum();
        let changed: usize = reports.iter().map(|it| bodies(it.id).saturating_sub(1)).sum();
        Ok(Count {
            faults: 1,
            files: self.dropped.len(),
            posts: self.station.sim.stats().posts,
            reports: reports.len(),
            lost: lost.count(),
            duplicated: beyond + changed,
            records: verdict.get("records").and_then(Value::as_u64).context("records")?,
            healthy_after,
        })
    }
}

/// A converted file: its report gets an id that is derived from its content.
fn text_report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

/// A file that brings its own id.
fn json_report(serial: &str) -> Vec<u8> {
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, serial.as_bytes());
    format!(
        "{{\"type\":\"T\",\"id\":\"{id}\",\"pn\":\"PCB-1\",\"sn\":\"{serial}\",\"rev\":\"A\",\"result\":\"P\",\"processCode\":10,\
         \"start\":\"2026-01-02T03:04:05Z\",\
         \"root\":{{\"stepType\":\"SequenceCall\",\"name\":\"Main\",\"status\":\"P\",\"steps\":[]}}}}"
    )
    .into_bytes()
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

fn empty(folder: &Path) -> std::io::Result<()> {
    std::fs::read_dir(folder)?.try_for_each(|entry| remove(&entry?.path()))
}
