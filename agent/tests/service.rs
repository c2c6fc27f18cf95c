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
async fn weakness_21_the_service_notifies_systemd_takes_uploads_and_stops_when_told() {
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

/// An agent of a folder that `configure` made.
async fn run(folder: &Path, variables: &[(&str, &str)]) -> (Running, ControlClient) {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("agent.log")).unwrap();
    let child = program(folder).arg("run").envs(variables.iter().copied()).stderr(log).spawn().unwrap();
    let running = Running(child);
    let client = ControlClient::new(folder.join("agent.sock")).unwrap();
    until("the agent answers", async || client.status().await.is_ok()).await;
    (running, client)
}

async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not in time: {what}");
}

fn edit(folder: &Path, change: impl FnOnce(String) -> String) {
    let path = folder.join("line1.toml");
    let text = change(std::fs::read_to_string(&path).unwrap());
    // In place, as a shell's redirection does.
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn the_configuration_is_shown_compared_and_put_back_with_and_without_an_agent() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path);
    let (running, client) = run(path, &[]).await;
    edit(path, |text| text + "[delivery]\nuploads = 9\n");
    until("taken", async || client.config().await.unwrap().text.contains("uploads = 9")).await;

    let list: serde_json::Value =
        serde_json::from_slice(&ask(path, &["config", "history", "--json"]).stdout).unwrap();
    assert_eq!((&list[0]["number"], &list[1]["origin"]), (&2.into(), &"file".into()));
    let diff = said(&ask(path, &["config", "diff"]));
    assert!(diff.contains("+[delivery]\n+uploads = 9\n"), "{diff}");
    let dry = ask(path, &["config", "rollback", "1", "--dry-run"]);
    assert!(dry.status.success() && said(&dry).contains("nothing was changed"), "{}", said(&dry));

    // A broken file: the commands still find the agent, and going back needs to be meant.
    edit(path, |text| text.replace("uploads = 9", "uploads = 99"));
    until("noticed", async || !client.status().await.unwrap().config.problems.is_empty()).await;
    assert!(said(&ask(path, &["status"])).contains("line 18: delivery.uploads: 99 is out of range"));
    let refused = ask(path, &["config", "rollback", "1"]);
    assert!(!refused.status.success() && said(&refused).contains("--replace"), "{}", said(&refused));
    let done = ask(path, &["config", "rollback", "1", "--replace", "--json"]);
    let done: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&done["version"]["number"], &done["version"]["origin"]), (&3.into(), &"roll-back".into()));
    assert!(done["version"]["by"].is_string(), "{done}");
    assert!(client.status().await.unwrap().config.problems.is_empty());

    drop(running);
    let shown = said(&ask(path, &["config", "show", "--all"]));
    assert!(shown.contains("requests_per_minute = 500"), "{shown}");
    assert!(ask(path, &["config", "rollback", "2"]).status.success());
    assert!(std::fs::read_to_string(path.join("line1.toml")).unwrap().contains("uploads = 9"));
    let list = said(&ask(path, &["config", "history"]));
    assert_eq!(list.lines().count(), 4, "{list}");
    assert!(said(&ask(path, &["config", "rollback", "77"])).contains("there is no configuration 77"));
}

#[tokio::test]
async fn a_hangup_and_a_whole_text_through_the_api_are_taken_and_a_wrong_text_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path);
    let (running, client) = run(path, &[]).await;
    let before = client.config().await.unwrap();
    let wish = wats_agent::control::api::ConfigWish::default();
    let text = before.text.clone() + "[delivery]\nuplods = 3\nrequests_per_minute = -1\n";
    let error = client.replace_config(text, wish).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains("line 18: delivery.uplods: unknown key; did you mean \"uploads\"?"), "{words}");
    assert!(words.contains("line 19: delivery.requests_per_minute"), "{words}");
    assert_eq!(client.config().await.unwrap(), before);
    let text = before.text.clone() + "# ours\n[delivery]\nuploads = 3\n";
    let change = client.replace_config(text.clone(), wish).await.unwrap();
    assert!(change.diff.contains("+uploads = 3") && change.version.unwrap().number == 2);
    assert_eq!(std::fs::read_to_string(path.join("line1.toml")).unwrap(), text);
    assert!(client.config().await.unwrap().in_force.contains("uploads = 3"));

    edit(path, |text| text.replace("uploads = 3", "uploads = 4"));
    let pid = nix::unistd::Pid::from_raw(running.0.id().try_into().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGHUP).unwrap();
    until("taken", async || client.config().await.unwrap().in_force.contains("uploads = 4")).await;
}

/// Takes one request and answers its head.
fn listener() -> (u16, Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = [0; 4096];
            let length = std::io::Read::read(&mut stream, &mut head).unwrap_or(0);
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n").ok();
            if sender.send(String::from_utf8_lossy(&head[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    (port, heard)
}

#[tokio::test]
async fn the_variables_of_a_container_are_used_and_stay_out_of_files_and_workers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path);
    let (server_port, server) = listener();
    let (proxy_port, proxy) = listener();
    let (url, through) =
        (format!("http://127.0.0.1:{server_port}/api"), format!("http://127.0.0.1:{proxy_port}"));
    let token = "ZW52OnNlY3JldA==";
    let mut variables = vec![
        ("PYWATS_SERVER_URL", url.as_str()),
        ("PYWATS_API_TOKEN", token),
        ("PYWATS_STATION", "ST-ENV"),
        ("http_proxy", through.as_str()),
        ("RUST_LOG", "trace"),
    ];
    let (running, client) = run(path, &variables).await;
    // The registration may be first.
    let mut heads = std::iter::repeat_with(|| proxy.recv_timeout(Duration::from_secs(30)).unwrap());
    let head = heads.find(|head| head.starts_with("GET ")).unwrap();
    assert!(head.starts_with(&format!("GET http://127.0.0.1:{server_port}/api/")), "{head}");
    assert!(head.to_lowercase().contains(&format!("authorization: basic {token}").to_lowercase()), "{head}");
    let status = client.status().await.unwrap();
    assert_eq!(
        (status.station.name.as_str(), status.server.url.as_deref()),
        ("ST-ENV", url.strip_suffix("/api"))
    );
    assert!(client.server().await.unwrap().has_credential);

    // A worker, and everything that was written.
    let content = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{}"))]);
    client.upload("line", "bad.json", content).await.unwrap();
    file(&client, |file| file.state == FileState::Failed).await;
    let children = std::fs::read_dir(format!("/proc/{}/task", running.0.id())).unwrap();
    let children =
        children.flatten().filter_map(|it| std::fs::read_to_string(it.path().join("children")).ok());
    let workers: Vec<String> =
        children.flat_map(|it| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert!(!workers.is_empty());
    for worker in workers {
        // Nothing of the agent's: only what its allocator is told.
        let environment = std::fs::read(format!("/proc/{worker}/environ")).unwrap_or_default();
        let environment = String::from_utf8(environment).unwrap();
        let names = environment.split_terminator('\0').map(|it| it.split_once('=').unwrap().0);
        assert_eq!(names.filter(|name| !name.starts_with("MALLOC_")).count(), 0, "{environment:?}");
    }
    let station = client.station().await.unwrap();
    let station = wats_agent::control::api::Station { location: "Lab".to_owned(), ..station };
    client.change_station(&station).await.unwrap();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if let Ok(content) = std::fs::read(&entry) {
                let found = |word: &str| content.windows(word.len()).any(|it| it == word.as_bytes());
                assert!(!found(token), "{}", entry.display());
                assert!(
                    entry.extension().is_none_or(|it| it != "toml") || !found("ST-ENV"),
                    "{}",
                    entry.display()
                );
            }
        }
    }
    drop(running);

    variables.push(("NO_PROXY", "127.0.0.0/8"));
    let (_running, client) = run(path, &variables).await;
    let mut heads = std::iter::repeat_with(|| server.recv_timeout(Duration::from_secs(30)).unwrap());
    let head = heads.find(|head| head.starts_with("GET ")).unwrap();
    assert!(head.starts_with("GET /api/"), "{head}");
    drop(client);
}

#[tokio::test]
async fn what_the_agent_logs_holds_no_token_and_a_bad_variable_is_named() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path());
    for (name, value) in [("PYWATS_API_TOKEN", "bm9jb2xvbg=="), ("PYWATS_HEALTH_PORT", "none")] {
        let output = program(folder.path()).arg("run").env(name, value).output().unwrap();
        let words = said(&output);
        assert!(!output.status.success() && words.contains(name), "{words}");
        assert!(!words.contains("bm9jb2xvbg=="), "{words}");
    }
}

#[tokio::test]
async fn a_pywats_configuration_is_shown_written_and_applied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    configure(path);
    let token = "dXNlcjpzZWNyZXQ=";
    let client_file = path.join("config_default.json");
    let content = serde_json::json!({
        "service_address": "https://acme.wats.com/api",
        "api_token": token,
        "location": "Oslo",
        "converters": [
            {"name": "Text", "module_path": "pywats_client.converters.standard.WATSStandardTextConverter",
             "watch_folder": path.join("text")},
            {"name": "Mine", "module_path": "mine.py", "watch_folder": path.join("mine")}
        ]
    });
    wats_agent::files::replace_file(&client_file, 0o600, content.to_string().as_bytes()).unwrap();
    let client_file = client_file.to_str().unwrap();
    let before = std::fs::read_to_string(path.join("line1.toml")).unwrap();

    let dry = ask(path, &["import-pywats", client_file]);
    let words = said(&dry);
    assert!(dry.status.success(), "{words}");
    for expected in
        ["Taken as it is (", "Translated (", "Not taken (", "needs a plug-in", "name = \"text\"", "--apply"]
    {
        assert!(words.contains(expected), "{expected}: {words}");
    }
    assert!(!words.contains(token), "{words}");
    assert_eq!(std::fs::read_to_string(path.join("line1.toml")).unwrap(), before);

    let new = path.join("line9.toml");
    let written = ask(path, &["import-pywats", client_file, "--output", new.to_str().unwrap(), "--json"]);
    let answer: serde_json::Value = serde_json::from_slice(&written.stdout).unwrap();
    assert_eq!((&answer["has_credential"], &answer["applied"]), (&true.into(), &false.into()));
    assert_eq!(answer["config"], std::fs::read_to_string(&new).unwrap());
    assert!(!ask(path, &["import-pywats", client_file, "--output", new.to_str().unwrap()]).status.success());

    assert_eq!(ask(path, &["import-pywats", client_file, "--apply"]).status.code(), Some(3));
    let (_running, client) = run(path, &[]).await;
    let applied = ask(path, &["import-pywats", client_file, "--apply"]);
    assert!(applied.status.success(), "{}", said(&applied));
    let server = client.server().await.unwrap();
    assert_eq!((server.url.as_deref(), server.has_credential), (Some("https://acme.wats.com"), true));
    let sources = client.sources().await.unwrap();
    let names: Vec<_> = sources.iter().map(|it| it.settings.name.as_str()).collect();
    assert_eq!(names, ["line", "text"]);
    assert_eq!(client.config_history().await.unwrap()[0].origin.as_str(), "import");
    let nothing = ask(path, &["import-pywats", path.join("line1.toml").to_str().unwrap()]);
    assert!(
        !nothing.status.success() && said(&nothing).contains("nothing could be taken"),
        "{}",
        said(&nothing)
    );
}
