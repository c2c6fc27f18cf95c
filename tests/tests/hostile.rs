//! Hostile programs as converters of a running agent: what becomes of their files, of the agent, and of everybody else's.
//!
//! `UPDATE_EXPECT=1 cargo test -p wats-tests --test hostile` writes the second table of `docs/security/sandbox.md` anew.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at what it did not expect, and says what it measured"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wats_agent::control::api::{EnablePlugin, FileDetail, FileQuery, FileState, HealthLevel};
use wats_tests::console::{Appliance, Browser};
use wats_tests::hostile::{ATTACKS, Arsenal, Attack, Loose};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(120);
/// Whatever a hostile converter does, the next file of another source is at the server after so long; on a quiet
/// machine it takes a hundredth of it, and the table says how long it took.
const NEXT: Duration = Duration::from_secs(60);
/// What the box's scratch folder holds at most.
const SCRATCH: u64 = 256 << 20;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nOperationTypeCode\t10\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

/// What is to be read in the table.
struct Row {
    attack: &'static Attack,
    words: String,
    next: Duration,
}

/// Sends files of another source one after the other, and takes the time of the slowest.
struct Others<'a> {
    station: &'a Station,
    count: u32,
}

impl Others<'_> {
    async fn next(&mut self) -> Duration {
        self.count += 1;
        let serial = format!("NEXT-{}", self.count);
        let started = Instant::now();
        self.station.drop_file("others", &format!("{serial}.txt"), &report(&serial)).unwrap();
        while !self.station.sim.reports().iter().any(|it| it.sn == serial) {
            assert!(started.elapsed() < SOON, "{serial} does not arrive: {}", self.station.log_end());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        started.elapsed()
    }
}

/// The file of a source, once it is dealt with.
async fn dealt_with(station: &Station, source: &str) -> Option<FileDetail> {
    let control = station.control().unwrap();
    let query = FileQuery { source: Some(source.to_owned()), ..FileQuery::default() };
    let all = control.files(&query).await.unwrap();
    let id = all.into_iter().find(|it| it.state != FileState::Claimed)?.id;
    Some(control.file(id).await.unwrap())
}

async fn enable(station: &Station, file: &str) {
    let control = station.control().unwrap();
    let sha256 = control.plugin(file).await.unwrap().sha256.unwrap();
    control.enable_plugin(file, &EnablePlugin { sha256, ..EnablePlugin::default() }).await.unwrap();
    let folder = station.source(file);
    std::fs::create_dir_all(&folder).unwrap();
    let source = serde_json::json!({"name": file, "converter": format!("plugin:{file}"), "folder": folder});
    control.add_source(&serde_json::from_value(source).unwrap()).await.unwrap();
}

/// Health and console, while or after something hostile runs.
async fn is_well(station: &Station) {
    let ready = reqwest::get(format!("{}/health/ready", station.health_url())).await.unwrap();
    assert_eq!(ready.status(), 200, "{}", station.log_end());
    let health = station.control().unwrap().status().await.unwrap().health;
    assert_ne!(health.level, HealthLevel::Failed, "{:?}", health.reasons);
}

async fn let_loose(
    attack: &'static Attack,
    mut loose: Loose,
    others: &mut Others<'_>,
    browser: &Browser,
    secret: &str,
) -> Row {
    let station = others.station;
    let control = station.control().unwrap();
    let name = loose.name.clone();
    enable(station, &name).await;
    station.drop_file(&name, "input.txt", b"mine").unwrap();
    let started = Instant::now();
    while !loose.look() && dealt_with(station, &name).await.is_none() {
        assert!(started.elapsed() < SOON, "{name} is not started: {}", station.log_end());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // Files of others, all the while, and one after it.
    let mut next = Duration::ZERO;
    let file = loop {
        let file = dealt_with(station, &name).await;
        loose.look();
        next = next.max(others.next().await);
        if let Some(file) = file {
            break file;
        }
        assert!(started.elapsed() < SOON, "{name} is not dealt with: {}", station.log_end());
    };
    is_well(station).await;
    assert!(next < NEXT, "{name}: the next file of another source took {next:?}");

    assert_eq!((file.record.state, file.record.reports), (FileState::Failed, 0), "{name}: {file:?}");
    let words = file.record.error.clone().unwrap();
    let said: String = file.log.iter().map(|line| format!("{}\n", line.text)).collect();
    let page = browser.get(&format!("/queue/files/{}", file.record.id)).await.unwrap();
    assert_eq!(page.status, 200);
    let first = escaped(words.lines().next().unwrap());
    assert!(page.text.contains(&first), "{name}: {first:?} is not on the page: {}", page.text);

    control.remove_source(&name).await.unwrap();
    control.disable_plugin(&name).await.unwrap();
    let mut seen = loose.done(&format!("{words}\n{said}")).await;
    // The limits of this agent are not those of the other table.
    if seen.scratch_bytes <= SCRATCH {
        seen.scratch_bytes = 0;
    }
    // The kernel counts no threads of root, who the agent is in some places where tests are run.
    if nix::unistd::Uid::effective().is_root() {
        seen.threads = 0;
    }
    assert!(!attack.succeeded(&seen), "{name} succeeded: {seen:?}");
    assert!(!seen.lives_on, "{name} lives on");
    assert!(!page.text.contains(secret), "{name}: the page shows the secret");
    assert_eq!(std::fs::read(station.source(&name).join("error/input.txt")).unwrap(), b"mine", "{name}");
    Row { attack, words, next }
}

/// As the console writes a text.
fn escaped(text: &str) -> String {
    let mut all = String::new();
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '"' | '\'' => all += &format!("&#{};", u32::from(letter)),
            other => all.push(other),
        }
    }
    all
}

/// The words of a row, without what differs from run to run.
fn short(words: &str) -> String {
    let line = words.lines().next().unwrap_or_default().replace('|', "\\|");
    // Whichever comes first on a machine that is busy.
    if line.contains("processor time") || line.contains("took longer than") {
        let time = "took longer, or used more processor time, than the sandbox allows";
        return format!("the plug-in {time}");
    }
    let line = match line.char_indices().nth(240) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    };
    // Folders that had other names the time before.
    let mut parts = line.split("/tmp/.tmp");
    let mut all = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        all += "/tmp/…";
        all += part.get(6..).unwrap_or_default();
    }
    all.replace('<', "&lt;")
}

/// The table stands between two comments. The times are of the run that wrote it.
fn compare(rows: &[Row], base: Duration) {
    let path = root().join("docs/security/sandbox.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- made by the test of a running agent -->\n", "<!-- until here, too -->");
    let from = page.find(start).expect("the page has no place for the table") + start.len();
    let to = from + page[from..].find(end).expect("the table has no end");
    let ms = |time: Duration| format!("{} ms", time.as_millis());
    let mut table =
        "| Attack | What the console says of its file | The next file of another source |\n|---|---|---|\n"
            .to_owned();
    for Row { attack, words, next } in rows {
        table += &format!("| {} | {} | {} |\n", attack.does, short(words), ms(*next));
    }
    table += &format!("| *nothing, undisturbed* | | {} |\n", ms(base));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        expect_test::expect_file![&path].assert_eq(&format!("{}{table}{}", &page[..from], &page[to..]));
        return;
    }
    // The words are of one version of Python and one speed of the machine; what must hold is asserted for each.
    let attacks = |table: &str| {
        let first = |line: &str| line.split('|').nth(1).map(str::to_owned);
        table.lines().filter_map(first).collect::<Vec<_>>()
    };
    assert_eq!(attacks(&page[from..to]), attacks(&table), "UPDATE_EXPECT=1 writes the table anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_hostile_converters_stays_well_and_goes_on_with_everybody_elses_files() {
    let arsenal = Arsenal::full().unwrap();
    let support = root().join("agent/python");
    let config = format!(
        "[plugins]\nsupport = {support:?}\n[sandbox]\nseconds = 4\nprocessor_seconds = 1\nmemory_mb = 128\n"
    );
    let mut appliance = Appliance::start_with(&[("others", "wats-text")], &config).await.unwrap();
    let secret = format!("secret-{}", uuid::Uuid::new_v4());
    // In the environment of the agent, where some of them look.
    appliance.station.stop_agent().unwrap();
    appliance.station.set_environment(vec![("WATS_PLANTED", secret.clone().into())]);
    appliance.station.run_agent().await.unwrap();
    let browser = appliance.set_up().await.unwrap();
    let station = &appliance.station;
    let agent = station.agent().unwrap();
    let plugins = station.folder().join("storage/plugins");

    let mut others = Others { station, count: 0 };
    let mut undisturbed = Vec::new();
    for _ in 0..7 {
        undisturbed.push(others.next().await);
    }
    undisturbed.sort();
    let base = undisturbed[undisturbed.len() / 2];
    let mut rows = Vec::new();
    for attack in ATTACKS {
        let loose = Loose::put(&arsenal, attack, agent, &secret, &plugins).unwrap();
        let row = let_loose(attack, loose, &mut others, &browser, &secret).await;
        eprintln!("{}: {:?} {}", attack.file, row.next, row.words.lines().next().unwrap_or_default());
        rows.push(row);
    }
    assert_eq!(station.agent(), Some(agent), "the same agent all the while");
    is_well(station).await;
    let slowest = rows.iter().map(|it| it.next).max().unwrap();
    eprintln!("undisturbed {base:?}, slowest beside {} hostile ones {slowest:?}", rows.len());
    compare(&rows, base);
}

/// What a plug-in answers is read as hostile as any file: refused in words, or a report that the server takes.
#[tokio::test(flavor = "multi_thread")]
async fn hostile_reports_are_refused_in_words_or_valid_and_shown_as_text() {
    // A million steps take a build for tests longer than that.
    let config = "[sandbox]\nmemory_mb = 2048\n[convert]\ntime_limit_seconds = 20\n";
    let appliance = Appliance::start_with(&[("others", "wats-text")], config).await.unwrap();
    let browser = appliance.set_up().await.unwrap();
    let station = &appliance.station;
    let plugins = station.folder().join("storage/plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::copy(root().join("tests/plugins/hostile_content"), plugins.join("hostile_content")).unwrap();
    let control = station.control().unwrap();
    let sha256 = control.plugin("hostile_content").await.unwrap().sha256.unwrap();
    control
        .enable_plugin("hostile_content", &EnablePlugin { sha256, ..EnablePlugin::default() })
        .await
        .unwrap();
    std::fs::create_dir_all(station.source("line")).unwrap();
    let source = serde_json::json!({"name": "line", "converter": "plugin:hostile-content", "folder": station.source("line")});
    control.add_source(&serde_json::from_value(source).unwrap()).await.unwrap();
    for path in ["/plugins", "/plugins/hostile_content", "/converters/add"] {
        is_harmless(&browser.get(path).await.unwrap().text);
    }

    // `None`: a report that is valid as it is. Otherwise what the words must hold; nothing: it may be either.
    let cases: [(&str, Option<&str>); 17] = [
        ("script", None),
        ("long", Some("")),
        ("longer", Some("")),
        ("nan", Some("no JSON object")),
        ("infinite", Some("")),
        ("deep", Some("nested more than 50 deep")),
        ("tower", Some("")),
        ("types", Some("")),
        ("number-text", Some("")),
        ("million", Some("")),
        ("attachments", Some("larger than 64 MB, which plugins.answer_mb allows")),
        ("control", Some("")),
        ("surrogate", Some("")),
        ("id", Some("")),
        ("same-id", Some("the same id")),
        ("twice", Some("")),
        ("many", Some("more than 10000 reports")),
    ];
    let mut others = Others { station, count: 0 };
    for (name, refusal) in cases {
        let file_name = format!("{name}.txt");
        station.drop_file("line", &file_name, name.as_bytes()).unwrap();
        let mut found = None;
        let dealt = async || {
            let query = FileQuery { source: Some("line".to_owned()), ..FileQuery::default() };
            let all = control.files(&query).await.unwrap();
            all.into_iter().any(|it| it.name == file_name && it.state != FileState::Claimed)
        };
        station.until(name, Duration::from_secs(180), dealt).await.unwrap();
        let query = FileQuery { source: Some("line".to_owned()), ..FileQuery::default() };
        for it in control.files(&query).await.unwrap() {
            if it.name == file_name {
                found = Some(control.file(it.id).await.unwrap());
            }
        }
        let file = found.unwrap();
        let words = file.record.error.clone().unwrap_or_default();
        let next = others.next().await;
        eprintln!("{name}: {} reports, next {next:?}: {}", file.record.reports, short(&words));
        match refusal {
            // Whether a server would take it is the server's affair.
            Some("") if words.is_empty() => assert_eq!(file.record.reports, 1, "{name}"),
            Some(expected) => {
                assert!(!words.is_empty() && file.record.reports == 0, "{name} was taken");
                assert!(words.contains(expected), "{name}: {words}");
                assert!(words.len() < 64 << 10, "{name}: {} bytes of words", words.len());
                assert!(
                    words.chars().all(|it| !it.is_control() || it == '\n' || it == '\t'),
                    "{name}: {words:?}"
                );
            }
            None => assert_eq!((file.record.reports, words.as_str()), (1, ""), "{name}"),
        }
        let page = browser.get(&format!("/queue/files/{}", file.record.id)).await.unwrap();
        assert_eq!(page.status, 200, "{name}");
        is_harmless(&page.text);
        is_well(station).await;
    }
    // Also where its report is shown.
    let script = async || station.sim.reports().iter().any(|it| it.sn.contains("<script>"));
    station.until("the report with a script in its serial number", SOON, script).await.unwrap();
    let list = browser.get("/queue?state=sent").await.unwrap().text;
    is_harmless(&list);
    is_harmless(&browser.get("/").await.unwrap().text);
    let report = list.split("/queue/reports/").skip(1).filter_map(|it| it.split('"').next());
    let mut shown = 0;
    for id in report.take(40) {
        let page = browser.get(&format!("/queue/reports/{id}")).await.unwrap();
        is_harmless(&page.text);
        shown += usize::from(page.text.contains("&#60;script&#62;"));
    }
    assert!(shown > 0, "no page shows the report with the script");
}

/// Nothing of a report is taken for HTML.
#[track_caller]
fn is_harmless(page: &str) {
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
}
