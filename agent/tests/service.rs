//! The program as systemd runs it: notifications, a stop that ends it, and its command line beside it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use wats_agent::control::api::{FileQuery, FileRecord, FileState};
use wats_agent::control::client::ControlClient;

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wats-agent"));
    command.arg("--config").arg(folder.join("line1.toml"));
    command
}

fn ask(folder: &Path, arguments: &[&str]) -> Output {
    program(folder).args(arguments).output().unwrap()
}

fn configure(folder: &Path) {
    let text = format!(
        "version = 1\n[health]\nlisten = \"127.0.0.1:0\"\n[control]\nsocket = \"{0}/agent.sock\"\nrequests_per_minute = 0\n\
         [storage]\nfolder = \"{0}/state\"\nmachine_key = \"{0}/key\"\n[intake]\nsettle_seconds = 1\n\
         rescan_seconds = 1\n[[sources]]\nname = \"line\"\nconverter = \"wats-json\"\nfolder = \"{0}/in\"\n",
        folder.display()
    );
    wats_agent::files::replace_file(&folder.join("line1.toml"), 0o640, text.as_bytes()).unwrap();
}

/// Reads all notifications, as systemd does, so that the agent never waits for a reader.
fn notifications(socket: UnixDatagram) -> Receiver<String> {
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = socket.recv(&mut buffer) {
            if sender.send(String::from_utf8_lossy(&buffer[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    heard
}

/// Waits for a notification that contains `wanted`.
fn hear(heard: &Receiver<String>, wanted: &str) {
    while !heard.recv_timeout(Duration::from_secs(20)).unwrap().contains(wanted) {}
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits for the only file to be in a state that `fits`.
async fn file(client: &ControlClient, fits: impl Fn(&FileRecord) -> bool) -> FileRecord {
    for _ in 0..200 {
        let files = client.files(&FileQuery::default()).await.unwrap();
        if let Some(found) = files.into_iter().find(&fits) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no such file: {:?}", client.files(&FileQuery::default()).await);
}

#[tokio::test]
async fn the_service_notifies_systemd_takes_uploads_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path);
    let notify = UnixDatagram::bind(path.join("notify")).unwrap();
    let notify = notifications(notify);
    let child = program(path)
        .arg("run")
        .env("NOTIFY_SOCKET", path.join("notify"))
        .env("WATCHDOG_USEC", "300000")
        .env_remove("WATCHDOG_PID")
        .spawn()
        .unwrap();
    let mut running = Running(child);
    hear(&notify, "READY=1");
    hear(&notify, "WATCHDOG=1");

    let client = ControlClient::new(path.join("agent.sock")).unwrap();
    let content = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))]);
    client.upload("line", "bad.json", content).await.unwrap();
    // The failure is recorded first and the file put away after it.
    let put_away =
        || path.join("in/error/bad.json.error.txt").exists() && path.join("in/error/bad.json").exists();
    let failed = file(&client, |file| file.state == FileState::Failed && put_away()).await;
    assert!(failed.error.is_some(), "{failed:?}");
    client.retry_file(failed.id).await.unwrap();
    file(&client, |file| file.state == FileState::Failed && put_away()).await;

    let status = ask(path, &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["instance"], "line1");
    assert!(ask(path, &["queue", "list"]).status.success());
    let unknown = ask(path, &["queue", "retry", "00000000-0000-0000-0000-000000000000"]);
    assert_eq!(unknown.status.code(), Some(6));

    let pid = nix::unistd::Pid::from_raw(running.0.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    hear(&notify, "STOPPING=1");
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn an_agent_that_does_not_run_is_said_so_with_its_own_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path());
    for arguments in [&["status"][..], &["queue", "list", "--json"]] {
        let output = ask(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(3));
        let words = String::from_utf8(output.stderr).unwrap();
        assert!(words.contains("the agent does not run"), "{words}");
    }
}

#[test]
fn a_machine_key_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("machine.key");
    for words in ["was made", "is there already"] {
        let output = ask(folder.path(), &["make-key", key.to_str().unwrap()]);
        assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().contains(words));
    }
}
