//! What an attack is after, and where its traces show.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use nix::unistd::{Gid, Uid, chown};
use tempfile::TempDir;
use uuid::Uuid;
use wats_agent::sandbox::{Kind, Profile, See};

use super::look::{self, Seen};
use super::{Attack, holds, sources};
use crate::station::program;

/// Whom boxes belong to where the tests are run by root: nobody in particular, as the agent's own user is.
const ORDINARY: u32 = 65_534;

/// The attacks, ready to run, and the helper that boxes them.
#[derive(Debug)]
pub struct Arsenal {
    folder: TempDir,
    pub helper: PathBuf,
}

impl Arsenal {
    /// The helper alone, where an ordinary user can reach it.
    ///
    /// # Errors
    /// When the agent was not built.
    pub fn empty() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        open(folder.path())?;
        let (tools, attacks) = (folder.path().join("tools"), folder.path().join("attacks"));
        for place in [&tools, &attacks] {
            fs::create_dir(place)?;
            open(place)?;
        }
        let agent = tools.join("wats-agent");
        fs::copy(program("wats-agent")?, &agent)?;
        let helper = if Uid::effective().is_root() { as_ordinary_user(&tools, &agent)? } else { agent };
        Ok(Self { folder, helper })
    }

    /// With all attacks; compiles what has to be.
    ///
    /// # Errors
    /// When the agent was not built, or there is no C compiler.
    pub fn full() -> anyhow::Result<Self> {
        let arsenal = Self::empty()?;
        let attacks = arsenal.folder.path().join("attacks");
        for source in fs::read_dir(sources())? {
            let source = source?.path();
            let name = source.file_name().context("no name")?;
            if source.extension().is_some_and(|it| it == "c") {
                let target = attacks.join(name).with_extension("");
                let done =
                    Command::new("cc").args(["-O1", "-pthread", "-o"]).arg(target).arg(&source).status();
                ensure!(
                    done.context("starting the C compiler")?.success(),
                    "{} does not compile",
                    source.display()
                );
            } else {
                fs::copy(&source, attacks.join(name))?;
            }
        }
        Ok(arsenal)
    }

    /// Where the attacks lie, compiled.
    pub(super) fn attacks(&self) -> PathBuf {
        self.folder.path().join("attacks")
    }

    /// A folder that boxes may write to.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn scratch(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder)?;
        give(&folder)?;
        Ok(folder)
    }

    /// How an attack is started, as seen inside.
    pub(super) fn command(&self, attack: &Attack) -> (PathBuf, Vec<OsString>) {
        let file = Path::new("/hostile").join(attack.file);
        match attack.kind() {
            Kind::Python => {
                ("/usr/bin/python3".into(), vec!["-I".into(), "-B".into(), file.into_os_string()])
            }
            Kind::Program if attack.file.ends_with(".sh") => ("/bin/sh".into(), vec![file.into_os_string()]),
            Kind::Program => (file.with_extension(""), Vec::new()),
        }
    }
}

/// A helper that root starts and an ordinary user is.
fn as_ordinary_user(tools: &Path, agent: &Path) -> anyhow::Result<PathBuf> {
    let wrapper = tools.join("helper");
    let script = format!(
        "#!/bin/sh\nexec /usr/bin/setpriv --reuid {ORDINARY} --regid {ORDINARY} --clear-groups {} \"$@\"\n",
        agent.display()
    );
    fs::File::create_new(&wrapper)
        .and_then(|mut it| std::io::Write::write_all(&mut it, script.as_bytes()))?;
    open(&wrapper)?;
    Ok(wrapper)
}

fn open(path: &Path) -> anyhow::Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

/// Gives a path to the user that boxes belong to.
fn give(path: &Path) -> anyhow::Result<()> {
    if Uid::effective().is_root() {
        chown(path, Some(Uid::from_raw(ORDINARY)), Some(Gid::from_raw(ORDINARY)))?;
    }
    Ok(())
}

/// The machine that one attack is let loose on: secrets, another's input, sockets, and somebody who plays the agent.
#[derive(Debug)]
pub struct Yard {
    folder: TempDir,
    attacks: PathBuf,
    /// In the environment of everything that the attack starts.
    canary: String,
    secret: String,
    agent: Child,
    tcp: TcpListener,
    udp: UdpSocket,
    unix: UnixListener,
    datagrams: UnixDatagram,
    hidden: UnixListener,
    hidden_name: String,
}

impl Yard {
    pub(super) fn new(arsenal: &Arsenal) -> anyhow::Result<Self> {
        Self::with_secret(arsenal, format!("secret-{}", Uuid::new_v4()))
    }

    pub(super) fn with_secret(arsenal: &Arsenal, secret: String) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        give(folder.path())?;
        for name in ["scratch", "outside", "inputs"] {
            fs::create_dir(at(name))?;
            give(&at(name))?;
        }
        let contents = [
            ("token", &*secret),
            ("agent.db", &*secret),
            ("inputs/other.txt", &*secret),
            ("inputs/input.txt", "mine"),
            ("outside/kept", "kept"),
        ];
        for (name, content) in contents {
            fs::File::create_new(at(name))
                .and_then(|mut it| std::io::Write::write_all(&mut it, content.as_bytes()))?;
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600))?;
            give(&at(name))?;
        }
        let hidden_name = format!("hidden-{}", Uuid::new_v4());
        let yard = Self {
            attacks: arsenal.folder.path().join("attacks"),
            canary: format!("canary-{}", Uuid::new_v4()),
            agent: somebody(&secret)?,
            tcp: TcpListener::bind("127.0.0.1:0")?,
            udp: UdpSocket::bind("127.0.0.1:0")?,
            unix: UnixListener::bind(at("agent.sock"))?,
            datagrams: UnixDatagram::bind(at("datagrams.sock"))?,
            hidden: UnixListener::bind_addr(&SocketAddr::from_abstract_name(&hidden_name)?)?,
            hidden_name,
            secret,
            folder,
        };
        give(&yard.at("agent.sock"))?;
        give(&yard.at("datagrams.sock"))?;
        yard.tcp.set_nonblocking(true)?;
        yard.udp.set_nonblocking(true)?;
        yard.unix.set_nonblocking(true)?;
        yard.datagrams.set_nonblocking(true)?;
        yard.hidden.set_nonblocking(true)?;
        Ok(yard)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a converter gets: its runtime, its input, a scratch folder. The attacker knows where everything else is.
    pub(super) fn profile(&self, attack: &Attack) -> Profile {
        let mut profile = Profile::new(attack.kind(), See::at(self.at("scratch"), "/scratch"));
        let system = ["/usr", "/bin", "/lib", "/lib64"].map(Path::new);
        profile.see = system.into_iter().filter(|it| it.exists()).map(See::same).collect();
        profile.see.push(See::at(&self.attacks, "/hostile"));
        profile.see.push(See::at(self.at("inputs/input.txt"), "/input/input.txt"));
        let known = self.targets().into_iter();
        profile.environment = known.map(|(name, value)| (name.into(), value)).collect();
        profile.environment.push(("PATH".into(), "/usr/bin:/bin".into()));
        profile
    }

    /// Where everything is, as the attacker knows.
    pub(super) fn targets(&self) -> Vec<(&'static str, OsString)> {
        let text = |it: PathBuf| it.into_os_string();
        let port =
            |it: std::io::Result<std::net::SocketAddr>| it.map_or(String::new(), |it| it.port().to_string());
        vec![
            ("CANARY", self.canary.clone().into()),
            ("TOKEN", text(self.at("token"))),
            ("DATABASE", text(self.at("agent.db"))),
            ("OTHER", text(self.at("inputs/other.txt"))),
            ("INPUT", text(self.at("inputs/input.txt"))),
            ("OUTSIDE", text(self.at("outside"))),
            ("AGENT", self.agent.id().to_string().into()),
            ("TCP", port(self.tcp.local_addr()).into()),
            ("UDP", port(self.udp.local_addr()).into()),
            ("SOCKET", text(self.at("agent.sock"))),
            ("DATAGRAMS", text(self.at("datagrams.sock"))),
            ("ABSTRACT", self.hidden_name.clone().into()),
        ]
    }

    /// What the processes of the attack have, right now.
    pub(super) fn look_at_processes(&self, boxed: &wats_agent::sandbox::Boxed, seen: &mut Seen) {
        let own = look::namespace_of(boxed.child.id());
        for process in look::with_canary(&self.canary) {
            look::at_process(process, own.as_deref(), seen);
            seen.scratch_bytes = seen.scratch_bytes.max(look::size(&look::root_of(process).join("scratch")));
        }
        seen.scratch_bytes = seen.scratch_bytes.max(look::size(&self.at("scratch")));
        seen.key_left = self.key_was_left();
    }

    /// Whether a key of the attack lies where others of the same user find it.
    pub(super) fn key_was_left(&self) -> bool {
        let mut command = Command::new("/bin/cat");
        command.arg("/proc/keys").stdin(Stdio::null());
        if Uid::effective().is_root() {
            command.uid(ORDINARY).gid(ORDINARY);
        }
        command.output().is_ok_and(|it| holds(&it.stdout, &self.canary))
    }

    /// True once nothing of the attack is left; what is left after that is ended.
    pub(super) async fn is_empty_within(&self, patience: Duration) -> bool {
        let started = Instant::now();
        loop {
            let left = look::with_canary(&self.canary);
            if left.is_empty() {
                return true;
            }
            if started.elapsed() > patience {
                left.into_iter().for_each(look::end);
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the attack has left behind.
    pub(super) fn look_around(mut self, seen: &mut Seen) {
        seen.secret = holds(&seen.output, &self.secret);
        seen.agent_ended = !matches!(self.agent.try_wait(), Ok(None));
        let content = |name: &str| fs::read_to_string(self.at(name)).unwrap_or_default();
        seen.planted = self.at("outside/planted").exists() || content("outside/kept") != "kept";
        seen.input_changed = content("inputs/input.txt") != "mine";
        let mut reached = BTreeSet::new();
        let mut word = [0; 16];
        let heard = |mut from: Box<dyn Read>, word: &mut [u8]| from.read(word).is_ok();
        if self.tcp.accept().is_ok_and(|(it, _)| heard(Box::new(it), &mut word)) {
            reached.insert("tcp");
        }
        if self.udp.recv(&mut word).is_ok() {
            reached.insert("udp");
        }
        if self.datagrams.recv(&mut word).is_ok() {
            reached.insert("datagrams");
        }
        for (name, listener) in [("unix", &self.unix), ("abstract", &self.hidden)] {
            if listener.accept().is_ok_and(|(it, _)| heard(Box::new(it), &mut word)) {
                reached.insert(name);
            }
        }
        seen.reached = reached;
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        self.agent.kill().ok();
        self.agent.wait().ok();
    }
}

/// A process of the same user that holds a secret in its environment, on its command line and in its memory.
fn somebody(secret: &str) -> anyhow::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read nothing", secret]).env_clear().env("WATS_TOKEN", secret);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    if Uid::effective().is_root() {
        command.uid(ORDINARY).gid(ORDINARY);
    }
    command.spawn().context("starting somebody who plays the agent")
}
