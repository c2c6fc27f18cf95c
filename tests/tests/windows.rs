//! The agent for Windows, as far as Wine shows it: commands, the pipeline, the named pipe, and a plug-in in its box.
//!
//! `./just windows` builds what it needs; without it, or without Wine, this says that it is left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use wats_tests::sim::{Sim, SimSettings, TOKEN};

/// Wine takes its time, the first time above all.
const SOON: Duration = Duration::from_secs(120);

/// A folder of its own in a Windows that all tests share.
struct Windows {
    folder: tempfile::TempDir,
    agent: PathBuf,
}

impl Windows {
    /// `None`, and a word about it, where something is missing.
    fn here() -> Option<Self> {
        let missing = |what: &str| {
            eprintln!(
                "LEFT OUT: the agent for Windows is not tried, because {what}; ./just windows brings it"
            );
            None
        };
        let agent = std::env::current_exe().unwrap();
        let target = agent.ancestors().nth(3).unwrap();
        let agent = target.join("x86_64-pc-windows-gnu/debug/wats-agent.exe");
        if !agent.is_file() {
            return missing("it was not built");
        }
        for program in ["wine", "x86_64-w64-mingw32-gcc"] {
            let there = Command::new(program).arg("--version").stdout(Stdio::null()).status();
            if !there.is_ok_and(|it| it.success()) {
                return missing(&format!("{program} is not here"));
            }
        }
        // Where the program is looked for the library is, too; the agent's own processes have no other folders.
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("windows");
        fs::create_dir_all(&place).unwrap();
        let copy = place.join("wats-agent.exe");
        fs::copy(agent, &copy).unwrap();
        compile(
            "bcryptprimitives.c",
            &place.join("bcryptprimitives.dll"),
            &["-shared", "-Os"],
            &["-ladvapi32"],
        );
        Some(Self { folder: tempfile::tempdir().unwrap(), agent: copy })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Wine shows the whole disk as drive Z.
    fn path(&self, name: &str) -> String {
        format!("Z:{}", self.at(name).display()).replace('/', "\\")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("wine");
        command
            .arg(&self.agent)
            .args(arguments)
            // Made at the first use, which takes a minute.
            .env("WINEPREFIX", Path::new(env!("CARGO_TARGET_TMPDIR")).join("wine"))
            .env("WINEDEBUG", "-all")
            .env("WATS_TEST_SECRET", "must not be seen")
            .env_remove("DISPLAY")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let answer = self.run(arguments);
        let text = String::from_utf8_lossy(&answer.stdout);
        serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{arguments:?}: {error}: {text}\n{}", String::from_utf8_lossy(&answer.stderr))
        })
    }

    /// Builds the plug-in that the tests have.
    fn plug_in(&self, name: &str) -> String {
        compile("plug-in.c", &self.at(name), &["-Wall", "-Os"], &[]);
        self.path(name)
    }

    /// A configuration with one source, and the agent on it.
    fn agent(&self, sim: &Sim) -> (Running<'_>, String) {
        let config = self.path("line.toml");
        let text = format!(
            "version = 1\n[station]\nname = 'ST1'\nlocation = 'Lab'\npurpose = 'Production'\ntime_zone = 'UTC'\n\
             [server]\nurl = '{}'\nregister = false\n[health]\nlisten = '127.0.0.1:0'\n\
             [intake]\nsettle_seconds = 1\nrescan_seconds = 1\n\
             [control]\nsocket = '{}'\nrequests_per_minute = 0\n\
             [storage]\nfolder = '{}'\nmachine_key = '{}'\n\
             [[sources]]\nname = 'text'\nconverter = 'wats-text'\nfolder = '{}'\n",
            sim.base_url(),
            self.path("control"),
            self.path("storage"),
            self.path("machine.key"),
            self.path("in"),
        );
        put(&self.at("line.toml"), text.as_bytes());
        fs::create_dir(self.at("in")).unwrap();
        let log = fs::File::create(self.at("agent.log")).unwrap();
        let mut command = self.command(&["--config", &config, "run"]);
        let child = command.env("PYWATS_API_TOKEN", TOKEN).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        (Running { child, windows: self }, config)
    }
}

fn compile(source: &str, to: &Path, options: &[&str], libraries: &[&str]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("windows").join(source);
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    let built = compiler.args(options).arg("-o").arg(to).arg(source).args(libraries).status();
    assert!(built.unwrap().success());
}

struct Running<'a> {
    child: Child,
    windows: &'a Windows,
}

impl Running<'_> {
    fn log(&self) -> String {
        fs::read_to_string(self.windows.at("agent.log")).unwrap_or_default()
    }

    async fn until(&mut self, what: &str, mut is: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the agent ended while waiting for {what}: {ended:?}\n{}", self.log());
            assert!(started.elapsed() < SOON, "there is no {what}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Running<'_> {
    /// Ctrl-C, which Wine makes of this signal; the agent ends what it has in hand and then itself.
    async fn stop(&mut self) {
        use nix::sys::signal::{Signal, kill};
        kill(nix::unistd::Pid::from_raw(self.child.id().cast_signed()), Signal::SIGINT).unwrap();
        let started = Instant::now();
        loop {
            match self.child.try_wait().unwrap() {
                Some(ended) => return assert!(ended.success(), "{ended}\n{}", self.log()),
                None => assert!(started.elapsed() < SOON, "it does not stop\n{}", self.log()),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn put(path: &Path, content: &[u8]) {
    use std::io::Write;
    fs::File::create(path).unwrap().write_all(content).unwrap();
}

fn report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n\
         NumericLimitTest\tVout\t\t5.01\t4.9\t5.1\tGELE\tV\tPassed\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

#[test]
fn it_says_its_version_and_which_layers_its_box_has() {
    let Some(windows) = Windows::here() else { return };
    let version = windows.run(&["--version"]);
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("wats-agent "), "{version:?}");
    let config = windows.path("none.toml");
    let status = windows.json(&["--config", &config, "--json", "sandbox", "status"]);
    let layers = status["layers"].as_array().unwrap();
    let holds = |name: &str| layers.iter().find(|it| it["name"] == name).unwrap()["holds"] == true;
    assert!(holds("control-group") && holds("privileges") && holds("limits"), "{status}");
    assert!(!holds("network") && !holds("mounts"), "what Windows has not is not said to hold: {status}");
}

#[test]
fn a_plug_in_converts_in_its_box_and_sees_only_what_is_listed() {
    let Some(windows) = Windows::here() else { return };
    let plug_in = windows.plug_in("plug-in.exe");
    put(&windows.at("a.log"), b"SN-77\r\n");
    let sample = windows.path("a.log");
    let checked = windows.json(&["--json", "plugin", "check", &plug_in, "--sample", &sample]);
    let text = checked.to_string();
    assert!(text.contains("SN-77"), "{text}");
    let seen = "WATS_TEST_SECRET no; PYWATS_SANDBOX yes; TEMP yes; SystemRoot yes; scratch yes";
    assert!(text.contains(seen), "{text}");
}

#[test]
fn a_plug_in_ends_with_all_that_it_started_when_the_agent_is_killed() {
    let Some(windows) = Windows::here() else { return };
    let name = format!("forever-{}.exe", std::process::id());
    let plug_in = windows.plug_in(&name);
    put(&windows.at("a.log"), b"forever\r\n");
    let sample = windows.path("a.log");
    let mut checking = windows.command(&["plugin", "check", &plug_in, "--sample", &sample]);
    let mut checking = checking.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    // It and its child.
    while running(&name) < 2 {
        assert!(
            checking.try_wait().unwrap().is_none() && started.elapsed() < SOON,
            "the plug-in does not run"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    checking.kill().unwrap();
    checking.wait().unwrap();
    let killed = Instant::now();
    while running(&name) > 0 {
        assert!(killed.elapsed() < SOON, "{} processes of the plug-in live on", running(&name));
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many processes run a program of that name; those of the agent only name it.
fn running(name: &str) -> usize {
    let all = fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|it| fs::read(it.path().join("cmdline")).ok())
        .map(|it| String::from_utf8_lossy(&it).into_owned())
        .filter(|it| it.contains(name) && !it.contains("wats-agent.exe"))
        .count()
}

#[tokio::test]
async fn a_dropped_file_becomes_a_report_and_the_pipe_answers_those_who_may() {
    let Some(windows) = Windows::here() else { return };
    let sim = Sim::start(SimSettings::default()).await.unwrap();
    let (mut agent, config) = windows.agent(&sim);
    put(&windows.at("in/a.tmp"), &report("W-1"));
    fs::rename(windows.at("in/a.tmp"), windows.at("in/a.txt")).unwrap();
    agent.until("report", || sim.reports().iter().any(|it| it.sn == "W-1")).await;
    agent.until("archived file", || !windows.at("in/a.txt").exists()).await;
    let status = windows.json(&["--config", &config, "--json", "status"]);
    assert_eq!(status["instance"], "line", "{status}");
    let again = windows.run(&["--config", &config, "run"]);
    let words = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && words.contains("another agent"), "{words}");
    // A file that cannot be converted lies in the error folder, with the reason beside it.
    put(&windows.at("in/b.txt"), b"--Header-Start--\nnonsense\n");
    let there = windows.at("in/error/b.txt.error.txt");
    agent.until("reason", || there.exists()).await;
    agent.stop().await;
    let verified = windows.json(&["--config", &config, "--json", "ledger", "verify"]);
    assert!(verified["records"].as_u64() >= Some(2), "{verified}");
}
