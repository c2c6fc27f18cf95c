use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::control::api::{After, ConfigWish, SourceIntake, SourceSettings, Station, USUAL_PRIORITY};
use crate::files::replace_file;
use crate::secret::{KeySource, SealedStore};
use crate::service::Vitals;

/// An agent that keeps to its file, without its other loops.
struct Bench {
    folder: tempfile::TempDir,
    agent: Agent,
}

impl Bench {
    async fn start(text: &str) -> Self {
        Self::start_with(text, Environment::default()).await
    }

    async fn start_with(text: &str, environment: Environment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("default.toml");
        let text = text.replace("{}", &folder.path().display().to_string());
        replace_file(&path, 0o640, text.as_bytes()).unwrap();
        let agent = agent(folder.path(), environment).await;
        Self { folder, agent }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("default.toml")
    }

    /// As an editor writes it.
    fn edit(&self, change: impl FnOnce(String) -> String) {
        let text = change(self.text());
        replace_file(&self.path(), 0o640, text.as_bytes()).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    async fn look(&self) {
        let read = crate::config::read_text(&self.path()).map_err(|error| error.to_string());
        self.agent.look_at_file(read).await;
    }

    fn uploads(&self) -> u32 {
        self.agent.settings().config.delivery.uploads
    }
}

async fn agent(folder: &Path, environment: Environment) -> Agent {
    let document = Document::load_or_last(&folder.join("default.toml")).unwrap();
    fs::create_dir_all(document.settings.storage_folder()).unwrap();
    let store = Store::open(&document.settings.database()).await.unwrap();
    let secrets = Secrets::new(SealedStore::new(folder.join("s"), KeySource::File(folder.join("key"))));
    Agent::of_file(document, environment, store, secrets, Timestamp::now())
}

const TEXT: &str =
    "version = 1\n# as we agreed\n[delivery]\nuploads = 2 # few\n[storage]\nfolder = \"{}/state\"\n";

fn station(location: &str) -> Station {
    Station { location: location.to_owned(), ..Station::default() }
}

fn source(name: &str, folder: &Path) -> SourceSettings {
    SourceSettings {
        name: name.to_owned(),
        converter: "wats-json".to_owned(),
        folder: Some(folder.join(name).display().to_string()),
        file_patterns: Vec::new(),
        arguments: BTreeMap::new(),
        after: After::Archive,
        paused: false,
        priority: USUAL_PRIORITY,
        intake: SourceIntake::default(),
    }
}

#[tokio::test]
async fn weakness_19_a_wrong_edit_leaves_the_old_configuration_in_force_and_is_named_until_it_is_mended() {
    let bench = Bench::start(TEXT).await;
    bench.edit(|text| text.replace("uploads = 2", "uploads = 0\nuplaods = 3"));
    bench.look().await;
    bench.look().await;
    assert_eq!(bench.uploads(), 2);
    let problems = bench.agent.config_state().problems;
    let path = bench.path().display().to_string();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[1].starts_with(&format!(
            "{path}: line 5: delivery.uplaods: unknown key; did you mean \"uploads\"?"
        )),
        "{problems:?}"
    );
    assert!(
        problems[0].starts_with(&format!("{path}: line 4: delivery.uploads: 0 is out of range")),
        "{problems:?}"
    );

    bench.edit(|text| text.replace("uploads = 0\nuplaods = 3", "uploads = 3"));
    bench.look().await;
    assert_eq!((bench.uploads(), bench.agent.config_state().problems), (3, Vec::new()));
    // Broken and taken back: nothing is in force that was not.
    bench.edit(|text| format!("{text}["));
    bench.look().await;
    assert_eq!(bench.agent.config_state().problems.len(), 1);
    bench.edit(|text| text.trim_end_matches('[').to_owned());
    bench.look().await;
    assert!(bench.agent.config_state().problems.is_empty());
    assert_eq!(bench.agent.config_history().unwrap().len(), 2);
}

#[tokio::test]
async fn an_empty_file_and_one_that_is_gone_are_no_orders() {
    let bench = Bench::start(TEXT).await;
    replace_file(&bench.path(), 0o640, b" \n").unwrap();
    bench.look().await;
    assert!(bench.agent.config_state().problems[0].contains("is empty"));
    fs::remove_file(bench.path()).unwrap();
    bench.look().await;
    assert!(bench.agent.config_state().problems[0].contains("cannot be read"));
    assert_eq!(bench.uploads(), 2);
}

#[tokio::test]
async fn a_change_through_the_api_takes_a_right_edit_in_and_keeps_comments() {
    let bench = Bench::start(TEXT).await;
    bench.edit(|text| text.replace("uploads = 2", "uploads = 7"));
    bench.agent.set_station(station("Hall 2")).await.unwrap();
    bench.agent.add_source(source("a", bench.folder.path())).await.unwrap();
    bench.agent.add_source(source("b", bench.folder.path())).await.unwrap();
    bench.agent.remove_source("a").await.unwrap();
    let config = bench.agent.settings().config.clone();
    assert_eq!((config.delivery.uploads, config.station.location.as_str()), (7, "Hall 2"));
    let text = bench.text();
    assert!(text.contains("# as we agreed\n[delivery]\nuploads = 7 # few\n"), "{text}");
    assert!(!text.contains("settle_seconds"), "what is as usual stays out: {text}");
    assert_eq!(Settings::parse(&bench.path(), &text).unwrap().config, config);
    let history = bench.agent.config_history().unwrap();
    let origins: Vec<_> = history.iter().map(|it| it.origin).collect();
    use ConfigOrigin::{Api, File};
    assert_eq!(origins, [Api, Api, Api, Api, File, File]);
}

#[tokio::test]
async fn a_change_through_the_api_never_overwrites_an_edit_that_is_not_in_force() {
    let bench = Bench::start(TEXT).await;
    bench.edit(|text| text.replace("uploads = 2", "uploads = many"));
    let broken = bench.text();
    let error = bench.agent.set_station(station("Hall 2")).await.unwrap_err();
    assert!(matches!(error, ChangeError::Unloaded { .. }) && error.to_string().contains("line 4"), "{error}");
    assert_eq!(bench.text(), broken);

    let error = bench.agent.roll_back(1, ConfigWish::default()).await.unwrap_err();
    assert!(matches!(error, ChangeError::Unloaded { .. }), "{error}");
    let wish = ConfigWish { replace: true, ..ConfigWish::default() };
    let change = bench.agent.roll_back(1, wish).await.unwrap();
    assert_eq!(fs::read_to_string(change.set_aside.unwrap()).unwrap(), broken);
    assert!(bench.text().contains("uploads = 2") && bench.agent.config_state().problems.is_empty());
    bench.agent.set_station(station("Hall 2")).await.unwrap();
}

#[tokio::test]
async fn what_needs_a_restart_waits_for_it_and_is_named() {
    let bench = Bench::start(TEXT).await;
    let before = bench.agent.settings().config.clone();
    bench.edit(|text| {
        text.replace("/state\"", "/other\"\nleast_free_mb = 99").replace("uploads = 2", "uploads = 3")
            + "[control]\nsocket = \"/run/other.sock\"\n"
    });
    bench.look().await;
    let config = bench.agent.settings().config.clone();
    assert_eq!(
        (config.storage.folder, config.control.socket),
        (before.storage.folder, before.control.socket)
    );
    assert_eq!((config.storage.least_free_mb, config.delivery.uploads), (99, 3));
    assert_eq!(bench.agent.config_state().restart, ["control.socket", "storage.folder"]);
    // Saving something else does not forget them.
    bench.agent.set_station(station("Hall 2")).await.unwrap();
    assert!(bench.text().contains("/other\"") && bench.text().contains("/run/other.sock"));
}

#[tokio::test]
async fn going_back_is_tried_first_and_recorded() {
    let bench = Bench::start(TEXT).await;
    bench.agent.set_station(station("Hall 2")).await.unwrap();
    let dry = ConfigWish { dry_run: true, ..ConfigWish::default() };
    let would = bench.agent.roll_back(1, dry).await.unwrap();
    assert!(would.diff.contains("-location = \"Hall 2\"") && would.version.is_none(), "{}", would.diff);
    assert_eq!(bench.agent.settings().config.station.location, "Hall 2");
    let done = bench.agent.roll_back(1, ConfigWish::default()).await.unwrap();
    assert_eq!(done.version.map(|it| (it.number, it.origin)), Some((3, ConfigOrigin::RollBack)));
    assert_eq!(bench.agent.settings().config.station.location, "");
    assert!(matches!(bench.agent.roll_back(99, dry).await, Err(ChangeError::History(_))));
    let text = "version = 1\n[delivery]\nuploads = 0\n".to_owned();
    let error = bench.agent.replace_config(text, ConfigOrigin::Api, dry).await.unwrap_err();
    assert_eq!(error.to_string(), "line 3: delivery.uploads: 0 is out of range: 1 to 64");
}

#[tokio::test]
async fn a_start_with_a_broken_file_takes_the_last_configuration_that_was_right() {
    let bench = Bench::start(TEXT).await;
    bench.agent.set_station(station("Hall 2")).await.unwrap();
    bench.edit(|text| text.replace("uploads = 2", "uploads = many"));
    bench.agent.store().close().await;
    let again = agent(bench.folder.path(), Environment::default()).await;
    assert_eq!(again.settings().config.station.location, "Hall 2");
    let read = crate::config::read_text(&bench.path()).map_err(|error| error.to_string());
    again.look_at_file(read).await;
    assert!(again.config_state().problems[0].contains("line"), "{:?}", again.config_state());
    assert!(bench.text().contains("many"), "the edit is still there");
}

#[tokio::test]
async fn the_environment_stands_in_and_is_not_saved() {
    let environment = Environment { url: Some("https://env.example".to_owned()), ..Environment::default() };
    let bench = Bench::start_with(TEXT, environment).await;
    assert_eq!(bench.agent.settings().config.server.url.as_deref(), Some("https://env.example"));
    let through = bench.agent.settings().config.server.url.clone();
    bench
        .agent
        .change(|config| {
            config.server.url = through;
            config.delivery.uploads = 5;
            Ok(())
        })
        .await
        .unwrap();
    assert!(!bench.text().contains("env.example") && bench.text().contains("uploads = 5"));
    bench.edit(|text| text + "[server]\nurl = \"https://file.example\"\n");
    bench.look().await;
    assert_eq!(bench.agent.settings().config.server.url.as_deref(), Some("https://file.example"));
}

#[tokio::test]
async fn a_link_that_a_container_platform_moves_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let version = |name: &str, uploads: u32| {
        fs::create_dir(at.join(name)).unwrap();
        let text = TEXT
            .replace("{}", &at.display().to_string())
            .replace("uploads = 2", &format!("uploads = {uploads}"));
        replace_file(&at.join(name).join("default.toml"), 0o640, text.as_bytes()).unwrap();
    };
    version("..1", 2);
    version("..2", 9);
    symlink("..1", at.join("..data")).unwrap();
    symlink("..data/default.toml", at.join("default.toml")).unwrap();
    let agent = agent(at, Environment::default()).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let (other, inner) = (agent.clone(), stop.clone());
    let pulse = Vitals::default().watch("configuration", Duration::from_secs(60));
    let running = tokio::spawn(async move { reload::run(other, &pulse, &inner).await });
    let mut changes = agent.watch_settings();
    symlink("..2", at.join("..data_tmp")).unwrap();
    fs::rename(at.join("..data_tmp"), at.join("..data")).unwrap();
    let changed = changes.wait_for(|settings| settings.config.delivery.uploads == 9);
    tokio::time::timeout(Duration::from_secs(30), changed).await.unwrap().unwrap();
    // A save goes through the link, to where the file lies.
    agent.set_station(station("Hall 2")).await.unwrap();
    assert!(fs::symlink_metadata(at.join("default.toml")).unwrap().is_symlink());
    assert!(fs::read_to_string(at.join("..2/default.toml")).unwrap().contains("Hall 2"));
    stop.cancel();
    running.await.unwrap().unwrap();
}
