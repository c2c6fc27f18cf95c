use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::*;
use crate::config::Settings;
use crate::control::api::{
    Credential, Event, FileQuery, HealthLevel, Link, Paused, ReportQuery, ReportState, ServerChange,
    SourceSettings, Station, UserPassword,
};
use crate::control::client::{ControlClient, ControlError};
use crate::files::Stamp;
use crate::secret::{KeySource, SealedStore, Secrets};
use crate::store::{Attempt, Body, Finished, Made, NewFile, NewReport, Sent, Store, Waiting};

mod described;
mod doors;
mod letters;

/// An agent without its loops, behind a real socket.
struct Bench {
    folder: tempfile::TempDir,
    agent: Agent,
    client: ControlClient,
    stop: CancellationToken,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let text = format!(
            "version = 1\n[storage]\nfolder = \"{0}/state\"\n[intake]\nmax_file_bytes = 5000000\n\
             [control]\nrequests_per_minute = 0\n[[sources]]\nname = \"line\"\nconverter = \"wats-json\"\nfolder = \"{0}/in\"\n",
            path.display()
        );
        crate::files::replace_file(&path.join("default.toml"), 0o640, text.as_bytes()).unwrap();
        fs::create_dir(path.join("state")).unwrap();
        let settings = Settings::load(&path.join("default.toml")).unwrap();
        let store = Store::open(&settings.database()).await.unwrap();
        let key = KeySource::File(path.join("machine.key"));
        let secrets = Secrets::new(SealedStore::new(path.join("state/secrets"), key));
        let agent = Agent::new(settings, store, secrets, jiff::Timestamp::now());
        let socket = path.join("agent.sock");
        let listener = listen(&socket).await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, agent.clone(), Vitals::default(), stop.clone()));
        Self { agent, client: ControlClient::new(socket).unwrap(), stop, folder }
    }

    fn inbox(&self) -> PathBuf {
        self.folder.path().join("in")
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.inbox())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Asks without the typed client: method and path, and a token or none.
    async fn ask(&self, method: Method, path: &str, token: Option<&str>) -> reqwest::Response {
        let http = reqwest::Client::builder().unix_socket(self.client.socket()).build().unwrap();
        let request = http.request(method, format!("http://agent{path}"));
        match token {
            Some(token) => request.bearer_auth(token).send().await.unwrap(),
            None => request.send().await.unwrap(),
        }
    }

    fn token(&self) -> String {
        fs::read_to_string(Token::file(self.client.socket())).unwrap().trim().to_owned()
    }

    fn mode(&self, path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Changes the table [control].
    async fn control(&self, edit: impl FnOnce(&mut crate::config::Control)) {
        self.agent
            .change(|config| {
                edit(&mut config.control);
                Ok(())
            })
            .await
            .unwrap();
    }

    /// A file with reports of these serial numbers, all refused by the server.
    async fn refused(&self, serials: &[&str]) -> Vec<Uuid> {
        let store = self.agent.store();
        let now = jiff::Timestamp::now();
        let file = NewFile {
            source: "line".to_owned(),
            converter: "wats-json".to_owned(),
            arguments: "{}".to_owned(),
            path: self.inbox().join("refused.json"),
            stamp: Stamp { device: 1, inode: 1, size: 1, modified_ns: 1 },
            sha256: "ab".repeat(32),
            received_at: now,
            note: None,
        };
        let report = |(index, serial): (usize, &&str)| NewReport {
            id: Uuid::from_u128(index as u128 + 1),
            serial_number: (*serial).to_owned(),
            part_number: "PCB".to_owned(),
            process_code: Some(10),
            result: "P".to_owned(),
            body: Body::new(br#"{"sn":"x"}"#),
        };
        let reports: Vec<_> = serials.iter().enumerate().map(report).collect();
        let ids = reports.iter().map(|report| report.id).collect();
        store.finish([Finished { file, made: Made::Reports(reports.into()) }].into(), now).await.unwrap();
        let all = |waiting: Vec<Waiting>| waiting.into_iter().flat_map(|(_, reports)| reports).collect();
        for due in store.take_due(now, 100, all).await.unwrap() {
            let sent = Sent::Rejected { error: "no".into(), answer: "root -> step: no.".into() };
            store.sent([Attempt { report: due.head, sent, at: now }].into()).await.unwrap();
        }
        ids
    }

    async fn state(&self, id: Uuid) -> ReportState {
        self.client.report(id).await.unwrap().record.state
    }

    async fn upload(&self, name: &str, content: Vec<u8>) -> Result<String, ControlError> {
        let pieces = content.chunks(64 * 1024).map(|piece| Ok::<_, io::Error>(Bytes::copy_from_slice(piece)));
        let pieces: Vec<_> = pieces.collect();
        self.client.upload("line", name, stream::iter(pieces)).await.map(|stored| stored.name)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn server(url: &str, credential: Option<Credential>) -> ServerChange {
    ServerChange { url: url.into(), proxy: None, extra_ca: None, credential, proxy_credential: None }
}

fn user(name: &str, password: &str) -> Option<Credential> {
    Some(Credential::User(UserPassword { user: name.into(), password: SecretString::from(password) }))
}

#[tokio::test]
async fn a_fresh_agent_says_what_is_missing() {
    let bench = Bench::start().await;
    let status = bench.client.status().await.unwrap();
    assert_eq!(status.instance, "default");
    assert_eq!(status.server.link, Link::NotConfigured);
    assert_ne!(status.health.level, HealthLevel::Ok);
    assert!(status.health.reasons.contains(&"no WATS server is set up".to_owned()), "{:?}", status.health);
    assert!(status.memory_bytes > 0 && status.disk.total_bytes > 0 && status.config_writable);
    assert!(bench.client.converters().await.unwrap().iter().any(|it| it.name == "wats-json"));
    assert!(bench.client.files(&FileQuery::default()).await.unwrap().is_empty());
    assert!(bench.client.reports(&ReportQuery::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn sources_are_added_changed_paused_and_removed() {
    let bench = Bench::start().await;
    let mut source: SourceSettings =
        serde_json::from_value(serde_json::json!({"name": "two", "converter": "wats-json"})).unwrap();
    source.folder = Some(bench.folder.path().join("two").display().to_string());
    assert_eq!(bench.client.add_source(&source).await.unwrap().settings, source);
    assert!(bench.client.pause_source("two").await.unwrap().settings.paused);
    assert!(!bench.client.resume_source("two").await.unwrap().settings.paused);
    let again = bench.client.add_source(&source).await.unwrap_err();
    assert_eq!(again.field(), Some("name"), "{again}");
    let wrong = SourceSettings { converter: "no-such".into(), ..source.clone() };
    assert_eq!(bench.client.change_source("two", &wrong).await.unwrap_err().field(), Some("converter"));
    bench.client.remove_source("two").await.unwrap();
    assert!(bench.client.remove_source("two").await.unwrap_err().is_not_found());
    assert_eq!(bench.client.sources().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_is_stored_whole_and_never_over_another_file() {
    let bench = Bench::start().await;
    let stored = bench
        .client
        .upload("line", "a.json", stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"abc"))]))
        .await
        .unwrap();
    assert_eq!((stored.name.as_str(), stored.size_bytes), ("a.json", 3));
    assert_eq!(stored.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(bench.upload("a.json", b"other".to_vec()).await.unwrap(), "a-2.json");
    assert_eq!(bench.files(), ["a-2.json", "a.json"]);
    assert_eq!(fs::read(bench.inbox().join("a.json")).unwrap(), b"abc");
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let bench = Bench::start().await;
    for name in ["../a.json", "a/b.json", "..\\a", ".hidden", "a\u{1}b", &"x".repeat(201)] {
        let error = bench.upload(name, b"x".to_vec()).await.unwrap_err();
        assert_eq!(error.field(), Some("file"), "{name:?}: {error}");
    }
    assert!(!bench.folder.path().join("a.json").exists());
    let unknown = bench.client.upload("none", "a", stream::iter([Ok::<_, io::Error>(Bytes::new())])).await;
    assert!(unknown.unwrap_err().is_not_found());
}

#[tokio::test]
async fn an_upload_that_is_too_large_or_breaks_off_leaves_nothing() {
    let bench = Bench::start().await;
    let error = bench.upload("big.json", vec![b'x'; 6_000_000]).await.unwrap_err();
    assert!(
        matches!(&error, ControlError::Refused { status: 413, .. } | ControlError::Broken(_)),
        "{error:?}"
    );
    let pieces = stream::iter([Ok(Bytes::from_static(b"half")), Err(io::Error::other("gone"))]);
    assert!(matches!(bench.client.upload("line", "half.json", pieces).await, Err(ControlError::Upload(_))));
    // The server hears of the end of a connection a moment after the client.
    while !bench.files().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_credential_is_sealed_and_never_comes_back() {
    let bench = Bench::start().await;
    let settings =
        bench.client.change_server(&server("https://wats.example", user("me", "hunter2"))).await.unwrap();
    assert!(settings.has_credential && !settings.has_proxy_credential);
    let token = bench.agent.secrets().server_token().unwrap().unwrap();
    assert_eq!(token.expose().expose_secret(), "bWU6aHVudGVyMg==");
    let config = fs::read_to_string(bench.folder.path().join("default.toml")).unwrap();
    assert!(config.contains("https://wats.example") && !config.contains("hunter2"), "{config}");
    let shown = serde_json::to_string(&bench.client.server().await.unwrap()).unwrap();
    assert!(!shown.contains("bWU6"), "{shown}");
    // Leaving the credential out keeps it, for the same server only.
    assert!(bench.client.change_server(&server("https://wats.example/", None)).await.unwrap().has_credential);
    let other = bench.client.change_server(&server("https://evil.example", None)).await.unwrap_err();
    assert_eq!(other.field(), Some("credential"));
    let other = bench.client.test_server(&server("https://evil.example", None)).await.unwrap_err();
    assert_eq!(other.field(), Some("credential"));
}

#[tokio::test]
async fn wrong_server_settings_name_their_field_and_change_nothing() {
    let bench = Bench::start().await;
    let good = || server("https://wats.example", user("me", "pw"));
    for (change, field) in [
        (ServerChange { url: "nonsense".into(), ..good() }, "url"),
        (ServerChange { proxy: Some("nonsense".into()), ..good() }, "proxy"),
        (ServerChange { extra_ca: Some("nonsense".into()), ..good() }, "extra_ca"),
        (ServerChange { credential: Some(Credential::Token("%%".into())), ..good() }, "credential"),
        (ServerChange { credential: user("a:b", "x"), ..good() }, "credential"),
    ] {
        let error = bench.client.change_server(&change).await.unwrap_err();
        assert_eq!(error.field(), Some(field), "{error}");
    }
    let after = bench.client.server().await.unwrap();
    assert!(after.url.is_none() && !after.has_credential);
}

#[tokio::test]
async fn the_station_is_changed_and_checked() {
    let bench = Bench::start().await;
    let station = Station {
        name: "ICT 3".into(),
        location: "Hall 2".into(),
        purpose: "Production".into(),
        time_zone: "Europe/Oslo".into(),
    };
    assert_eq!(bench.client.change_station(&station).await.unwrap(), station);
    assert_eq!(bench.client.station().await.unwrap(), station);
    let wrong = Station { time_zone: "Mars/Olympus".into(), ..station };
    assert_eq!(bench.client.change_station(&wrong).await.unwrap_err().field(), Some("time_zone"));
}

#[tokio::test]
async fn what_does_not_exist_is_said_in_words() {
    let bench = Bench::start().await;
    for error in [
        bench.client.report(Uuid::nil()).await.unwrap_err(),
        bench.client.retry_report(Uuid::nil()).await.unwrap_err(),
        bench.client.discard_report(Uuid::nil()).await.unwrap_err(),
        bench.client.retry_file(7).await.unwrap_err(),
    ] {
        assert!(error.is_not_found() && error.to_string().starts_with("there is no"), "{error}");
    }
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_a_living_one_is_not() {
    let bench = Bench::start().await;
    let socket = bench.client.socket().to_owned();
    assert!(matches!(listen(&socket).await, Err(ServeError::Taken { .. })));
    let stale = bench.folder.path().join("stale.sock");
    drop(listen(&stale).await.unwrap());
    assert!(stale.exists());
    listen(&stale).await.unwrap();
}

#[tokio::test]
async fn what_is_paused_as_a_whole_stays_so_and_is_said() {
    let bench = Bench::start().await;
    assert_eq!(bench.client.pause_intake().await.unwrap(), Paused { intake: true, delivery: false });
    assert_eq!(bench.client.pause_delivery().await.unwrap(), Paused { intake: true, delivery: true });
    let status = bench.client.status().await.unwrap();
    assert_eq!(status.paused, Paused { intake: true, delivery: true });
    let said = status.health.reasons.join("\n");
    assert!(said.contains("taking files is paused") && said.contains("sending is paused"), "{said}");
    // A restart reads it from the file.
    let read = || Settings::load(&bench.folder.path().join("default.toml")).unwrap().paused();
    assert_eq!(read(), Paused { intake: true, delivery: true });
    assert_eq!(bench.client.resume_intake().await.unwrap(), Paused { intake: false, delivery: true });
    assert_eq!(bench.client.resume_delivery().await.unwrap(), Paused::default());
    assert_eq!(read(), Paused::default());
}

#[tokio::test]
async fn what_happens_is_heard_as_it_happens_until_the_agent_ends() {
    let bench = Bench::start().await;
    let mut events = Box::pin(bench.client.events().await.unwrap());
    bench.agent.set_trouble("disk", Some("nearly full".to_owned()));
    bench.agent.set_trouble("disk", Some("nearly full".to_owned()));
    bench.agent.set_trouble("disk", None);
    bench.agent.update_link(|link| link.link = Link::Online);
    bench.agent.update_link(|link| link.last_success = Some(jiff::Timestamp::now()));
    let mut next = async || events.next().await.unwrap().unwrap().event;
    let (part, trouble) = ("disk".to_owned(), "nearly full".to_owned());
    assert_eq!(next().await, Event::TroubleRaised { part: part.clone(), trouble });
    assert_eq!(next().await, Event::TroubleCleared { part });
    assert_eq!(next().await, Event::ServerLink { link: Link::Online, trouble: None });
    bench.client.pause_source("line").await.unwrap();
    assert_eq!(next().await, Event::SettingsChanged);
    bench.stop.cancel();
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_follower_that_is_too_slow_is_told_how_much_it_missed_and_slows_nobody() {
    let bench = Bench::start().await;
    let mut events = Box::pin(bench.client.events().await.unwrap());
    // Far more than fits into the socket's buffers and the queue.
    let trouble = || Event::TroubleRaised { part: "p".repeat(400), trouble: "t".repeat(400) };
    for _ in 0..20_000 {
        bench.agent.events().say(trouble);
        tokio::task::yield_now().await;
    }
    let mut heard = 0_u64;
    let missed = loop {
        match events.next().await.unwrap().unwrap().event {
            Event::Missed { count } => break count,
            _ => heard += 1,
        }
    };
    assert!(missed > 0 && heard + missed <= 20_000, "{heard} heard, {missed} missed");
}

#[tokio::test]
async fn only_so_many_follow_at_once() {
    let bench = Bench::start().await;
    let mut followers = Vec::new();
    let refused = loop {
        match bench.client.events().await {
            Ok(events) => followers.push(events),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, ControlError::Refused { status: 503, .. }), "{refused:?}");
    assert_eq!(followers.len(), 32);
    followers.clear();
    // The server hears of the end of a connection a moment after the client.
    while bench.client.events().await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_instances_beside_the_agent_are_listed() {
    let bench = Bench::start().await;
    let shown: serde_json::Value =
        bench.ask(Method::GET, "/v1/instances", Some(&bench.token())).await.json().await.unwrap();
    assert_eq!((&shown[0]["name"], &shown[0]["sources"]), (&"default".into(), &1.into()), "{shown}");
}
