//! A test station in a temporary folder: the real agent program, its folders, and a simulated server.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::unistd::Pid;
use wats_agent::control::api::{Credential, ServerChange, SourceSettings};
use wats_agent::control::client::ControlClient;

use crate::sim::{Sim, SimSettings, TOKEN};

/// The agent, the folders that it watches, and the server that it delivers to.
#[derive(Debug)]
pub struct Station {
    folder: tempfile::TempDir,
    pub sim: Sim,
    agent: Option<Child>,
    health: SocketAddr,
    environment: Vec<(&'static str, PathBuf)>,
}

/// Processor time and memory of the agent with its workers. What they all have in memory of the program counts once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub cpu: Duration,
    /// Of the threads that there are now, to the nanosecond.
    pub cpu_of_threads: Duration,
    pub memory_bytes: u64,
}

impl Station {
    /// Sets up one source for each `(name, converter)`, starts the agent, and tells it the server and its token.
    ///
    /// # Errors
    /// When the agent was not built or does not start.
    pub async fn start(sources: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_with(sources, "").await
    }

    /// [`Self::start`] with more lines for the configuration: whole tables, as TOML.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(sources: &[(&str, &str)], config: &str) -> anyhow::Result<Self> {
        let station = Self::start_without_server(sources, config).await?;
        let change = ServerChange {
            url: station.sim.base_url(),
            proxy: None,
            extra_ca: None,
            credential: Some(Credential::Token(TOKEN.to_owned().into())),
            proxy_credential: None,
        };
        station.control()?.change_server(&change).await.context("telling the agent its server")?;
        Ok(station)
    }

    /// [`Self::start`], but the agent knows no server yet.
    ///
    /// # Errors
    /// When the agent was not built or does not start.
    pub async fn start_without_server(sources: &[(&str, &str)], extra: &str) -> anyhow::Result<Self> {
        let sim = Sim::start(SimSettings::default()).await?;
        let (folder, health) = (tempfile::tempdir()?, free_address()?);
        let mut station = Self { folder, sim, agent: None, health, environment: Vec::new() };
        let root = station.folder.path();
        let mut config = format!(
            "version = 1\n[station]\nname = \"ST1\"\nlocation = \"Lab\"\npurpose = \"Production\"\ntime_zone = \"UTC\"\n\
             [health]\nlisten = \"{1}\"\n[control]\nsocket = \"{0}/agent.sock\"\nallow_users = []\nrequests_per_minute = 0\n\
             [storage]\nfolder = \"{0}/storage\"\nmachine_key = \"{0}/machine.key\"\n",
            root.display(),
            station.health
        );
        if !extra.contains("[intake]") {
            config.push_str("[intake]\nsettle_seconds = 1\nrescan_seconds = 1\n");
        }
        config.push_str(extra);
        config.push('\n');
        for (name, converter) in sources {
            let settings = SourceSettings {
                name: (*name).to_owned(),
                converter: (*converter).to_owned(),
                folder: Some(root.join(name).display().to_string()),
                file_patterns: Vec::new(),
                arguments: std::collections::BTreeMap::new(),
                after: wats_agent::control::api::After::default(),
                paused: false,
                priority: wats_agent::control::api::USUAL_PRIORITY,
                intake: Default::default(),
            };
            std::fs::create_dir_all(root.join(name))?;
            config.push_str("[[sources]]\n");
            config.push_str(&format!(
                "name = {:?}\nconverter = {:?}\nfolder = {:?}\n",
                settings.name,
                settings.converter,
                settings.folder.unwrap_or_default()
            ));
        }
        let mut file = std::fs::File::create(root.join("test.toml"))?;
        file.write_all(config.as_bytes())?;
        station.run_agent().await?;
        Ok(station)
    }

    /// The address of the agent's health endpoints: `http://127.0.0.1:PORT`.
    pub fn health_url(&self) -> String {
        format!("http://{}", self.health)
    }

    /// The folder of a source.
    pub fn source(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// # Errors
    /// When the client cannot be made.
    pub fn control(&self) -> anyhow::Result<ControlClient> {
        Ok(ControlClient::new(self.socket())?)
    }

    /// The agent's control socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// Drops a file as a careful tester does: written under another name, then renamed.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn drop_file(&self, source: &str, name: &str, content: &[u8]) -> anyhow::Result<()> {
        let draft = self.source(source).join(format!("{name}.tmp"));
        std::fs::File::create(&draft)?.write_all(content)?;
        Ok(std::fs::rename(draft, self.source(source).join(name))?)
    }

    /// What the agent finds in its environment from its next start on, besides that of the tests.
    pub fn set_environment(&mut self, environment: Vec<(&'static str, PathBuf)>) {
        self.environment = environment;
    }

    /// Everything of the station lies below.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The agent's process, while one runs.
    pub fn agent(&self) -> Option<Pid> {
        self.agent.as_ref().and_then(|it| i32::try_from(it.id()).ok()).map(Pid::from_raw)
    }

    /// The agent's database.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("storage/agent.db")
    }

    /// Starts the agent and waits until it answers.
    ///
    /// # Errors
    /// When it does not within 20 seconds, with what it said.
    pub async fn run_agent(&mut self) -> anyhow::Result<()> {
        self.spawn_agent()?;
        let control = self.control()?;
        self.until("the agent answers", Duration::from_secs(20), async || control.status().await.is_ok())
            .await
    }

    /// Starts the agent, which may end as soon as it likes.
    ///
    /// # Errors
    /// When it was not built.
    pub fn spawn_agent(&mut self) -> anyhow::Result<()> {
        let log =
            std::fs::File::options().create(true).append(true).open(self.folder.path().join("agent.log"))?;
        let agent = Command::new(program("wats-agent")?)
            .arg("--config")
            .arg(self.folder.path().join("test.toml"))
            .args(["run", "--machine-key"])
            .arg(self.folder.path().join("machine.key"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        self.agent = Some(agent);
        Ok(())
    }

    /// How the agent ended; `None` while it runs, or when none was started.
    ///
    /// # Errors
    /// Those of the system.
    pub fn agent_ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let Some(agent) = &mut self.agent else { return Ok(None) };
        let ended = agent.try_wait()?;
        if ended.is_some() {
            self.agent = None;
        }
        Ok(ended)
    }

    /// True as long as an agent was started and was neither stopped nor seen to have ended.
    pub fn is_running(&self) -> bool {
        self.agent.is_some()
    }

    /// What the agent and its workers have used since it started.
    ///
    /// # Errors
    /// When it does not run.
    pub fn agent_usage(&self) -> anyhow::Result<Usage> {
        let id = self.agent.as_ref().context("the agent does not run")?.id();
        let mut pids = children(id);
        pids.push(id.to_string());
        let mut usage = Usage::default();
        let mut of_files = 0;
        for pid in pids {
            // A worker may end between the list and this; the agent then counts its time among that of its ended children.
            let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            // The name in brackets may hold spaces.
            let fields: Vec<u64> = stat
                .rsplit_once(')')
                .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect())
                .unwrap_or_default();
            let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0);
            // utime, stime, and those of children that have ended: ticks of 10 ms.
            let ticks = field(14) + field(15) + field(16) + field(17);
            usage.cpu += Duration::from_millis(ticks * 10);
            usage.cpu_of_threads += of_threads(&pid);
            // Resident pages of 4 KiB; of these the ones of files, which is the program.
            let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
            let mut pages = statm.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0_u64));
            let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
            usage.memory_bytes += resident.saturating_sub(shared) * 4096;
            of_files = of_files.max(shared * 4096);
        }
        usage.memory_bytes += of_files;
        Ok(usage)
    }

    /// The processes that the agent has started to do this: `worker`, `share`.
    pub fn helpers(&self, word: &str) -> Vec<Pid> {
        let Some(agent) = &self.agent else { return Vec::new() };
        let is_one = |pid: &String| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).nth(1) == Some(word.as_bytes())
        };
        let helpers = children(agent.id()).into_iter().filter(is_one);
        helpers.filter_map(|pid| pid.parse().ok().map(Pid::from_raw)).collect()
    }

    /// Runs the agent's program with this instance's configuration; answers its exit code and all that it printed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn agent_command(&self, arguments: &[&str]) -> anyhow::Result<(i32, String)> {
        let output = Command::new(program("wats-agent")?)
            .arg("--config")
            .arg(self.folder.path().join("test.toml"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()?;
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code().unwrap_or(-1), said))
    }

    /// SIGKILL: the agent has no chance to tidy up.
    ///
    /// # Errors
    /// When there is no agent to kill.
    pub fn kill_agent(&mut self) -> anyhow::Result<()> {
        let mut agent = self.agent.take().context("the agent does not run")?;
        agent.kill()?;
        agent.wait()?;
        Ok(())
    }

    /// SIGTERM, as systemd stops it; answers how long it took to end.
    ///
    /// # Errors
    /// When there is no agent, or it has not ended after 30 seconds.
    pub fn stop_agent(&mut self) -> anyhow::Result<Duration> {
        let started = Instant::now();
        self.end_agent()?;
        Ok(started.elapsed())
    }

    /// SIGTERM; answers how the agent ended.
    ///
    /// # Errors
    /// As [`Self::stop_agent`].
    pub fn end_agent(&mut self) -> anyhow::Result<ExitStatus> {
        let mut agent = self.agent.take().context("the agent does not run")?;
        let pid = Pid::from_raw(i32::try_from(agent.id())?);
        let started = Instant::now();
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
        loop {
            if let Some(status) = agent.try_wait()? {
                return Ok(status);
            }
            if started.elapsed() > Duration::from_secs(30) {
                agent.kill()?;
                agent.wait()?;
                bail!("the agent did not end. It said:\n{}", self.log_end());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// When it does not within `limit`, with the end of the agent's log.
    pub async fn until(
        &self,
        what: &str,
        limit: Duration,
        condition: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !condition().await {
            if started.elapsed() > limit {
                bail!("not within {} s: {what}. The agent said:\n{}", limit.as_secs(), self.log_end());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// The last lines that the agent wrote.
    pub fn log_end(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("agent.log")).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(30).collect();
        end.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        if let Some(agent) = &mut self.agent {
            // It may have ended by itself; there is nothing left to do then.
            let _killed = agent.kill();
            let _ended = agent.wait();
        }
    }
}

/// What the threads of a process have run so far: the first number of each `schedstat`, in nanoseconds.
fn of_threads(pid: &str) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_one = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        stat.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(tasks.map(of_one).sum())
}

/// The processes that a process has started and that still run.
fn children(process: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let lines = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lines.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// An address that nobody listened on a moment ago.
fn free_address() -> std::io::Result<SocketAddr> {
    std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// A program of this build: it lies beside this program, or beside the folder of the test programs.
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.parent().context("this program lies nowhere")?;
    let profile = if beside.ends_with("deps") { beside.parent().unwrap_or(beside) } else { beside };
    let program = profile.join(name);
    ensure!(
        program.is_file(),
        "{} is missing: 'cargo build --workspace' makes it, as './just test' does",
        program.display()
    );
    Ok(program)
}
