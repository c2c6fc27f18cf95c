use std::fs;
use std::io::Write;
use std::sync::Arc;

use notify::event::{CreateKind, EventKind, Flag};

use super::super::listen::EVENTS;
use super::*;
use crate::config::Settings;
use crate::control::api::SourceStatus;
use crate::convert::Command;
use crate::secret::{KeySource, SealedStore, Secrets};
use crate::store::Store;

const SOON: Duration = Duration::from_secs(20);

/// A source that is watched, without anybody who works on its files.
struct Bench {
    folder: tempfile::TempDir,
    agent: Agent,
    ear: Ear,
    files: mpsc::Receiver<Candidate>,
    /// What was handed over stays in work, so that it is not found again.
    held: Vec<Candidate>,
    stop: CancellationToken,
}

impl Bench {
    /// Watches with events that the test makes, and looks through the folder only once an hour by itself.
    async fn start(source: &str, before: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let text = format!(
            "version = 1\n[storage]\nfolder = \"{path}/state\"\n[intake]\nrescan_seconds = 3600\nsettle_seconds = 1\n\
             [[sources]]\nname = \"line\"\nconverter = \"wats-json\"\nfolder = \"{path}/in\"\n{source}",
        );
        crate::files::replace_file(&folder.path().join("default.toml"), 0o640, text.as_bytes()).unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let settings = Settings::load(&folder.path().join("default.toml")).unwrap();
        let store = Store::open(&settings.database()).await.unwrap();
        let source = super::super::wanted(&settings).remove("line").unwrap();
        let key = KeySource::File(folder.path().join("machine.key"));
        let secrets = Secrets::new(SealedStore::new(folder.path().join("secrets"), key));
        let agent = Agent::new(settings, store, secrets, Timestamp::now());
        let (sender, files) = mpsc::channel(100);
        let stop = CancellationToken::new();
        let (ear, events) = Ear::new();
        let bench = Self { folder, agent, ear, files, held: Vec::new(), stop };
        for name in before {
            bench.write(name);
        }
        let shares = Arc::new(Shares::new(Command { program: "/nonexistent".into(), arguments: Vec::new() }));
        let place = source.place().unwrap();
        let (agent, stop) = (bench.agent.clone(), bench.stop.clone());
        let mut watching = Watching::new(agent, Arc::new(source), place, sender, shares, stop);
        watching.listens = true;
        tokio::spawn(async move { watching.follow(events).await.map(|_| ()) });
        bench
    }

    fn write(&self, name: &str) {
        let path = self.folder.path().join("in").join(name);
        fs::File::create(path).unwrap().write_all(name.as_bytes()).unwrap();
    }

    fn age(&self, name: &str, seconds: u64) {
        let path = self.folder.path().join("in").join(name);
        let time = std::time::SystemTime::now() - Duration::from_secs(seconds);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_times(fs::FileTimes::new().set_modified(time)).unwrap();
    }

    async fn next(&mut self) -> String {
        let next = tokio::time::timeout(SOON, self.files.recv());
        let file = next.await.expect("no file in time").unwrap();
        let name = file.path.file_name().unwrap().to_str().unwrap().to_owned();
        self.held.push(file);
        name
    }

    async fn until(&self, holds: impl Fn(&SourceHealth) -> bool) {
        let reached = async {
            while !holds(&self.agent.source_health("line")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let health = || self.agent.source_health("line");
        tokio::time::timeout(SOON, reached).await.unwrap_or_else(|_| panic!("not in time: {:?}", health()));
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn the_start_takes_the_oldest_first() {
    let mut bench = Bench::start("", &["b.json", "a.json", "c.json"]).await;
    for (name, age) in [("a.json", 100), ("b.json", 5000), ("c.json", 300)] {
        bench.age(name, age);
    }
    assert_eq!([bench.next().await, bench.next().await, bench.next().await], ["b.json", "c.json", "a.json"]);
}

#[tokio::test]
async fn an_overflow_of_the_systems_events_is_healed_by_a_look_through_the_folder() {
    let mut bench = Bench::start("", &["first.json"]).await;
    assert_eq!(bench.next().await, "first.json");
    // Nobody tells of this one, and the next look is an hour away.
    bench.write("lost.json");
    bench.ear.hear(Ok(notify::Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    assert_eq!(bench.next().await, "lost.json");
    bench.write("error.json");
    bench.ear.hear(Err(notify::Error::generic("the watch broke")));
    assert_eq!(bench.next().await, "error.json");
}

#[tokio::test]
async fn more_events_than_fit_are_healed_by_a_look_through_the_folder() {
    let mut bench = Bench::start("", &["first.json"]).await;
    assert_eq!(bench.next().await, "first.json");
    bench.write("last.json");
    let inside = bench.folder.path().join("in");
    for number in 0..=EVENTS {
        let event = notify::Event::new(EventKind::Create(CreateKind::File));
        bench.ear.hear(Ok(event.add_path(inside.join(format!("{number}.png")))));
    }
    assert_eq!(bench.next().await, "last.json");
}

#[tokio::test]
async fn a_source_to_which_no_events_come_finds_out_and_polls() {
    let mut bench = Bench::start("intake = { poll_seconds = 1 }", &["first.json"]).await;
    assert_eq!(bench.next().await, "first.json");
    bench.until(|it| it.detection.by == Means::Events).await;
    for name in ["a.json", "b.json", "c.json"] {
        bench.write(name);
        bench.age(name, 0);
    }
    // Longer than any event takes; then one look shows that none came.
    tokio::time::sleep(EVENT_TIME).await;
    bench.ear.hear(Ok(notify::Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    bench.until(|it| it.detection.by == Means::Polling && it.detection.missed == 3).await;
    let mut found = [bench.next().await, bench.next().await, bench.next().await];
    found.sort();
    assert_eq!(found, ["a.json", "b.json", "c.json"]);
    // From now on nobody needs to tell.
    bench.write("d.json");
    assert_eq!(bench.next().await, "d.json");
}

#[tokio::test]
async fn a_scheduled_source_is_looked_through_at_its_times_only() {
    let mut bench = Bench::start("intake = { schedule = { every_minutes = 60 } }", &["before.json"]).await;
    assert_eq!(bench.next().await, "before.json");
    bench.until(|it| it.detection.by == Means::Schedule).await;
    let settings = Arc::clone(&bench.agent.settings());
    let source = super::super::wanted(&settings).remove("line").unwrap();
    let schedule = source.settings.intake.schedule.unwrap();
    let now = Timestamp::now();
    assert!(!schedule::is_due(&schedule, &TimeZone::UTC, Some(now), now));
}

#[tokio::test]
async fn files_that_cannot_be_read_or_moved_are_named_and_not_given_up() {
    let mut bench = Bench::start("", &["a.json", "b.json"]).await;
    bench.age("a.json", 100);
    assert_eq!([bench.next().await, bench.next().await], ["a.json", "b.json"]);
    bench.held[0].ends(Outcome::Unreadable(Duration::from_secs(2)));
    bench.held[1].ends(Outcome::Immovable);
    bench.held.clear();
    let said =
        |health: &SourceHealth, words: &str| health.trouble.as_ref().is_some_and(|it| it.contains(words));
    bench.ear.hear(Ok(notify::Event::new(EventKind::Other).set_flag(Flag::Rescan)));
    bench.until(|it| said(it, "1 files cannot be read") && said(it, "a.json")).await;
    bench.until(|it| said(it, "1 files are done with but cannot be moved away")).await;
    assert_eq!(bench.next().await, "a.json");
}

/// What a status shows is what was found out.
#[test]
fn a_status_without_a_word_on_detection_is_read_too() {
    let status = serde_json::json!({
        "settings": {"name": "line", "converter": "wats-json"}, "folder": "/in", "state": "watching",
        "trouble": null, "files_converted": 0, "files_failed": 0, "last_file": null, "last_error": null,
    });
    let status: SourceStatus = serde_json::from_value(status).unwrap();
    assert_eq!(status.detection.by, Means::Events);
}
