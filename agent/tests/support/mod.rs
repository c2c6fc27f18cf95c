//! A real agent with one source, in a folder of its own.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::unistd::Pid;
use wats_agent::control::api::{FileQuery, FileRecord, ReportQuery, SourceStatus};
use wats_agent::control::client::ControlClient;

const SOON: Duration = Duration::from_secs(40);

/// A report that the server's rules allow.
pub(crate) fn report(serial: &str) -> Vec<u8> {
    format!(
        "{{\"type\":\"T\",\"pn\":\"PCB-1\",\"sn\":\"{serial}\",\"rev\":\"A\",\"result\":\"P\",\"processCode\":10,\
         \"start\":\"2026-01-02T03:04:05Z\",\"root\":{{\"stepType\":\"SequenceCall\",\"name\":\"Main\",\"status\":\"P\",\"steps\":[]}}}}"
    )
    .into_bytes()
}

/// Writes a file as a tester does, and closes it.
pub(crate) fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    fs::File::create(path).unwrap().write_all(content.as_ref()).unwrap();
}

/// An agent that watches the folder `in`.
pub(crate) struct Bench {
    folder: tempfile::TempDir,
    agent: Option<Child>,
    pub(crate) client: ControlClient,
}

impl Bench {
    /// Starts one whose source has these settings, in TOML.
    pub(crate) async fn start(source: &str) -> Self {
        Self::start_with(source, "").await
    }

    /// With more sources, or other tables.
    pub(crate) async fn start_with(source: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "version = 1\n[station]\nname = \"ST1\"\nlocation = \"Lab\"\npurpose = \"Test\"\ntime_zone = \"UTC\"\n\
             [health]\nlisten = \"127.0.0.1:0\"\n[control]\nsocket = \"{0}/agent.sock\"\nrequests_per_minute = 0\n\
             [storage]\nfolder = \"{0}/state\"\nmachine_key = \"{0}/key\"\n\
             [intake]\nsettle_seconds = 1\nrescan_seconds = 1\nshare_timeout_seconds = 2\n\
             [[sources]]\nname = \"line\"\nconverter = \"wats-json\"\nfolder = \"{0}/in\"\n{source}\n{1}",
            folder.path().display(),
            more.replace("{}", &folder.path().display().to_string()),
        );
        write(folder.path().join("test.toml"), text);
        fs::create_dir(folder.path().join("in")).unwrap();
        let client = ControlClient::new(folder.path().join("agent.sock")).unwrap();
        let mut bench = Self { folder, agent: None, client };
        bench.run().await;
        bench
    }

    pub(crate) async fn run(&mut self) {
        let child = Command::new(env!("CARGO_BIN_EXE_wats-agent"))
            .arg("--config")
            .arg(self.folder.path().join("test.toml"))
            .arg("run")
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.agent = Some(child);
        self.until("running", async || self.client.status().await.is_ok()).await;
    }

    /// The program with this instance's configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wats-agent"));
        command
            .arg("--config")
            .arg(self.folder.path().join("test.toml"))
            .args(arguments)
            .stdin(Stdio::null());
        command
    }

    /// Kills the agent, as a power cut would.
    pub(crate) fn stop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill().unwrap();
            agent.wait().unwrap();
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.agent.as_ref().unwrap().id()
    }

    /// The helper processes of network mounts that run.
    pub(crate) fn helpers(&self) -> Vec<Pid> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap();
        let children =
            tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<String> = children.collect();
        let children = children.iter().flat_map(|it| it.split_ascii_whitespace());
        let is_helper =
            |pid: &str| fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|it| it.ends_with(b"\0share\0"));
        children.filter(|pid| is_helper(pid)).map(|pid| Pid::from_raw(pid.parse().unwrap())).collect()
    }

    /// A path below the watched folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        let mut path = self.folder.path().join("in");
        for part in name.as_ref().components() {
            match part {
                std::path::Component::ParentDir => assert!(path.pop()),
                part => path.push(part),
            }
        }
        path
    }

    /// Writes a file and closes it; the folders are made.
    pub(crate) fn drop_file(&self, name: impl AsRef<Path>, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(path, content);
    }

    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let reached = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(SOON, reached).await.is_err() {
            let (files, source) =
                (self.client.files(&FileQuery::default()).await, self.client.sources().await);
            panic!("not in time: {what}\n{files:#?}\n{source:#?}");
        }
    }

    /// Of all reports, sorted.
    pub(crate) async fn serials(&self) -> Vec<String> {
        let query = ReportQuery { limit: Some(1000), ..ReportQuery::default() };
        let reports = self.client.reports(&query).await.unwrap();
        let mut serials: Vec<_> = reports.into_iter().map(|it| it.serial_number).collect();
        serials.sort();
        serials
    }

    pub(crate) async fn files(&self) -> Vec<FileRecord> {
        self.client.files(&FileQuery::default()).await.unwrap()
    }

    pub(crate) async fn source(&self) -> SourceStatus {
        self.client.sources().await.unwrap().remove(0)
    }

    /// All files of the archive, below the folder of the day.
    pub(crate) fn archived(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.path().join("state/archive")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        let root = self.folder.path().join("state/archive");
        let below = |path: PathBuf| {
            let path = path.strip_prefix(&root).unwrap().components().skip(1).collect::<PathBuf>();
            path.display().to_string()
        };
        let mut found: Vec<_> = found.into_iter().map(below).collect();
        found.sort();
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop();
    }
}
