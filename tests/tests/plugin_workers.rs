//! When the process of a plug-in is replaced by a fresh one, and what that keeps from the files after it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use wats_agent::config::Settings;
use wats_agent::control::api::Station;
use wats_agent::convert::{self, Answer, Job, Limits, Order, Pool};
use wats_agent::plugins::{Made, Plugins, Verdict, content, manage};

/// The plug-in that answers as its input says, without an agent around it.
struct Line {
    _folder: tempfile::TempDir,
    pool: Pool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

impl Line {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("storage/plugins");
        std::fs::create_dir_all(&plugins).unwrap();
        std::fs::copy(root().join("tests/plugins/answers"), plugins.join("answers")).unwrap();
        let sha256 = content::read(&plugins, "answers").unwrap().sha256;
        let text = format!(
            "version = 1\n[storage]\nfolder = {:?}\n[[plugins.enabled]]\nfile = \"answers\"\nsha256 = {sha256:?}\n",
            folder.path().join("storage"),
        );
        let parsed = || Settings::parse(&folder.path().join("line.toml"), &text).unwrap();
        let agent = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("wats-agent");
        let check = manage::check(&parsed(), "answers", None, Some(agent.clone())).await.unwrap();
        assert!(check.problems.is_empty(), "{:?}", check.problems);
        let plugins = Plugins::fixed(parsed(), Some(agent.clone()));
        let command = convert::Command { program: agent, arguments: vec!["worker".to_owned()] };
        let limits = Limits { workers: 1, time: Duration::from_secs(60), answer_bytes: 64 << 20 };
        Self { pool: Pool::new(command, limits, std::env::temp_dir()).with_plugins(plugins), _folder: folder }
    }

    /// Converts files, each of these lines and a report.
    async fn convert(&self, contents: &[String]) -> Vec<Verdict> {
        let mut orders: Vec<Order> = contents.iter().map(|it| order(it)).collect();
        let turn = self.pool.turn("line", "plugin:answers", 5).await;
        let answers = self.pool.convert(&turn, &mut orders).await;
        let verdict = |answer| match answer {
            Ok(Answer::Plugin(verdict)) => *verdict,
            other => panic!("not by the plug-in: {other:?}"),
        };
        answers.into_iter().map(verdict).collect()
    }

    /// Which file of its process one is that is converted now.
    async fn number(&self) -> u32 {
        number(&self.convert(&["number\nreport S\n{\"answer\": \"done\"}\n".to_owned()]).await[0])
    }

    async fn one(&self, lines: &str) -> Verdict {
        self.convert(&[format!("{lines}\nreport S\n{{\"answer\": \"done\"}}\n")]).await.remove(0)
    }
}

fn order(content: &str) -> Order {
    let job = Job {
        converter: "plugin:answers".to_owned(),
        arguments: Default::default(),
        file_name: "a.txt".to_owned(),
        sha256: wats_agent::files::sha256(content.as_bytes()),
        modified: Timestamp::UNIX_EPOCH,
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Test".to_owned(),
            ..Station::default()
        },
        now: Timestamp::UNIX_EPOCH,
        folder: None,
        rival: None,
    };
    Order { job, bytes: content.as_bytes().to_vec(), companions: Vec::new() }
}

fn number(verdict: &Verdict) -> u32 {
    said(verdict, "file ")
}

fn said(verdict: &Verdict, what: &str) -> u32 {
    let log: Vec<_> = verdict.note.log.iter().map(|it| it.text.as_str()).collect();
    let found = log.iter().find_map(|it| it.strip_prefix(what)?.parse().ok());
    found.unwrap_or_else(|| panic!("{:?}: {log:?}", verdict.made))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_replaced_after_five_thousand_files() {
    let line = Line::new().await;
    let content = "number\nreport S\n{\"answer\": \"done\"}\n".to_owned();
    let mut numbers = Vec::new();
    for _ in 0..79 {
        numbers.extend(line.convert(&vec![content.clone(); 64]).await.iter().map(number));
    }
    let expected: Vec<u32> = (1..=5000).chain(1..=56).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_has_grown_is_replaced_and_one_that_has_not_stays() {
    let line = Line::new().await;
    assert_eq!(number(&line.one("number").await), 1);
    for _ in 0..62 {
        line.one("number").await;
    }
    assert_eq!(line.number().await, 64, "nothing has grown");
    // More than the 128 MB that a process may grow by.
    line.one("grow 160").await;
    let mut last = 65;
    for _ in 0..40 {
        let now = line.number().await;
        if now == 1 {
            // At the next look, and not a moment in the middle of a file.
            assert_eq!(last, 96);
            return;
        }
        last = now;
    }
    panic!("it was not replaced by its file {last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_failed_or_asks_for_it_is_replaced_and_one_whose_file_is_wrong_stays() {
    let line = Line::new().await;
    assert_eq!(line.number().await, 1);
    // The file is wrong, not the process.
    let wrong = line.convert(&["{\"answer\": \"failed\", \"error\": \"no limits\"}\n".to_owned()]).await;
    assert!(matches!(&wrong[0].made, Made::Failed(words) if words == "no limits"));
    assert_eq!(line.number().await, 3);
    for breaking in ["crash", "exit", "hello", "{\"answer\": \"maybe\"}"] {
        let verdict = line.one(breaking).await;
        assert!(matches!(verdict.made, Made::Failed(_)), "{breaking}: {:?}", verdict.made);
        assert_eq!(line.number().await, 1, "after {breaking}");
        assert_eq!(line.number().await, 2, "after {breaking}");
    }
    let asks = line.convert(&["report S\n{\"answer\": \"done\", \"restart\": true}\n".to_owned()]).await;
    assert!(matches!(&asks[0].made, Made::Reports(reports) if reports.len() == 1));
    assert_eq!(line.number().await, 1, "it asked for it");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_held_on_one_cpu_for_quick_answers_and_let_go_when_one_takes_long() {
    let line = Line::new().await;
    let all = said(&line.one("cpus").await, "cpus ");
    if all == 1 {
        return;
    }
    // On a busy machine few answers are quick. This one returns if it is held and let go, and at once if it is not.
    let mut held = false;
    for _ in 0..10_000 {
        if said(&line.one("cpus spread").await, "cpus ") == 1 {
            held = true;
            break;
        }
    }
    assert!(held, "it was never held");
    assert_eq!(said(&line.one("cpus").await, "cpus "), all, "the one before took long");
}
