//! `bench`: how fast the pipeline is, next to what this machine can do at all, measured in the same run.
//!
//! Rates of one run are comparable with each other only: the machine may be busy with other things. Each row is the
//! median of several rounds that take turns.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;
use wats::client::{Client, ClientSettings, Token};
use wats_agent::control::api::{Credential, ServerChange};
use wats_tests::sim::{Sim, SimSettings, TOKEN};
use wats_tests::station::Station;

/// Files in one commit of the bare loop. The agent's own commits hold what came meanwhile: from one to 256.
const GROUP: usize = 32;
/// As in the configuration of the measured agent.
const UPLOADS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures the pipeline next to what this machine can do at all.
#[derive(Debug, Parser)]
struct Args {
    /// Files in each round.
    #[arg(long, default_value_t = 20_000)]
    files: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Files in the queue when it is long; 0 leaves that part out.
    #[arg(long, default_value_t = 100_000)]
    backlog: usize,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Small files to durable.
    Durable,
    /// Small files to acknowledged.
    Acknowledged,
    /// One file on an idle system.
    Latency,
    /// An agent that has nothing to do.
    Idle,
    /// One report of 50 MB.
    Large,
    /// The health endpoint.
    Health,
    /// A long queue.
    Backlog,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let mut table = Table::default();
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        let files: Vec<Vec<u8>> = (0..args.files).map(|_| small_report()).collect();
        if wanted(Part::Durable) {
            table.add(BARE_COMMITS, bare_commits(&files).await?);
            table.add(DURABLE, to_durable(&files).await?.rate);
        }
        if wanted(Part::Acknowledged) {
            table.add(BARE_POSTS, bare_posts(&files).await?);
            let run = to_acknowledged(&files).await?;
            table.add(ACKNOWLEDGED, run.rate);
            table.add("agent: CPU seconds for 1,000 files", run.cpu_per_thousand);
            table.add("agent: resident memory at the end, MB", run.memory_mb);
        }
        if wanted(Part::Latency) {
            table.add("agent: one file dropped to acknowledged, idle, ms", one_file().await?);
        }
        if wanted(Part::Idle) {
            idle(&mut table).await?;
        }
        if wanted(Part::Large) {
            large(&mut table).await?;
        }
        if wanted(Part::Health) {
            table.add("agent: /health, answers/s", health_rate().await?);
        }
    }
    if wanted(Part::Backlog) && args.backlog > 0 {
        backlog(&mut table, args.backlog, args.files).await?;
    }
    println!("{} files of {} bytes, {} rounds:\n", args.files, small_report().len(), args.rounds);
    print!("{}", table.markdown());
    println!();
    for (what, of, bare) in [
        ("durable", DURABLE, BARE_COMMITS),
        ("acknowledged", ACKNOWLEDGED, BARE_POSTS),
        ("durable with a long queue", LONG_DURABLE, SHORT_DURABLE),
        ("acknowledged from a long queue", LONG_DRAIN, SHORT_DRAIN),
    ] {
        if let Some(ratio) = table.ratio(of, bare) {
            println!("- {what}: {:.0} % of \"{bare}\"", 100.0 * ratio);
        }
    }
    Ok(())
}

const BARE_COMMITS: &str = "bare: read, hash, commit in groups of 32, files/s";
const DURABLE: &str = "agent: dropped to durable, files/s";
const BARE_POSTS: &str = "bare: HTTP client, 16 at once, posts/s";
const ACKNOWLEDGED: &str = "agent: dropped to acknowledged, files/s";
const BARE_LARGE: &str = "bare: HTTP client, one report of 50 MB to acknowledged, s";
const SHORT_DURABLE: &str = "agent: dropped to durable, empty queue, files/s";
const LONG_DURABLE: &str = "agent: dropped to durable, long queue, files/s";
const SHORT_DRAIN: &str = "agent: acknowledged from a short queue, reports/s";
const LONG_DRAIN: &str = "agent: acknowledged from a long queue, reports/s";

/// Rows in the order in which they came, each with its rounds.
#[derive(Debug, Default)]
struct Table {
    rows: Vec<(&'static str, Vec<f64>)>,
}

impl Table {
    fn add(&mut self, name: &'static str, value: f64) {
        eprintln!("  {name}: {value:.2}");
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => self.rows.push((name, vec![value])),
        }
    }

    fn sorted(values: &[f64]) -> Vec<f64> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn median(values: &[f64]) -> f64 {
        let sorted = Self::sorted(values);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    /// Of two rows, if both were measured.
    fn ratio(&self, row: &str, of: &str) -> Option<f64> {
        let median =
            |name| self.rows.iter().find(|(it, _)| *it == name).map(|(_, values)| Self::median(values));
        Some(median(row)? / median(of)?)
    }

    fn markdown(&self) -> String {
        let mut text = String::from("| Measure | Median | Range |\n|---|---|---|\n");
        for (name, values) in &self.rows {
            let sorted = Self::sorted(values);
            let (least, most) = (sorted.first().unwrap_or(&f64::NAN), sorted.last().unwrap_or(&f64::NAN));
            text.push_str(&format!("| {name} | {:.2} | {least:.2} to {most:.2} |\n", Self::median(values)));
        }
        text
    }
}

/// A WSJF report with 40 steps, about 10 kB; no two are alike.
fn small_report() -> Vec<u8> {
    let id = Uuid::new_v4();
    let steps: Vec<String> = (0..40)
        .map(|step| {
            format!(
                "{{\"stepType\":\"ET_NLT\",\"name\":\"Measure voltage of rail {step:02}\",\"group\":\"M\",\"status\":\"P\",\
                 \"totTime\":0.0125,\"numericMeas\":[{{\"compOp\":\"GELE\",\"status\":\"P\",\"unit\":\"V\",\
                 \"value\":3.3{step:02},\"lowLimit\":3.2,\"highLimit\":3.5}}]}}"
            )
        })
        .collect();
    format!(
        "{{\"type\":\"T\",\"id\":\"{id}\",\"pn\":\"PCB-1\",\"sn\":\"{id}\",\"rev\":\"A\",\"processCode\":10,\"result\":\"P\",\
         \"machineName\":\"ST1\",\"location\":\"Lab\",\"purpose\":\"Production\",\"start\":\"2026-01-02T03:04:05+00:00\",\
         \"uut\":{{\"user\":\"op\"}},\"root\":{{\"stepType\":\"SequenceCall\",\"name\":\"Main\",\"group\":\"M\",\"status\":\"P\",\
         \"seqCall\":{{\"path\":\"p\",\"name\":\"n\",\"version\":\"1\"}},\"steps\":[{}]}}}}",
        steps.join(",")
    )
    .into_bytes()
}

fn per_second(count: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of files are small")]
    let count = count as f64;
    count / took.as_secs_f64()
}

/// Puts the files into a folder under names that no source looks at.
fn stage(folder: &Path, files: &[Vec<u8>]) -> anyhow::Result<Vec<PathBuf>> {
    let name = |number: usize| folder.join(format!("{number}.json.tmp"));
    let staged = files.iter().enumerate().map(|(number, content)| {
        let path = name(number);
        std::io::Write::write_all(&mut std::fs::File::create(&path)?, content)?;
        Ok(path)
    });
    staged.collect()
}

async fn bare_commits(files: &[Vec<u8>]) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let paths = stage(folder.path(), files)?;
    let mut db = SqliteConnectOptions::new()
        .filename(folder.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE file (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL, body BLOB NOT NULL)")
        .execute(&mut db)
        .await?;
    let started = Instant::now();
    for group in paths.chunks(GROUP) {
        let mut change = db.begin().await?;
        for path in group {
            let body = std::fs::read(path)?;
            let sha256 = wats_agent::files::sha256(&body);
            sqlx::query("INSERT INTO file (sha256, body) VALUES (?1, ?2)")
                .bind(sha256)
                .bind(body)
                .execute(&mut *change)
                .await?;
        }
        change.commit().await?;
    }
    Ok(per_second(files.len(), started.elapsed()))
}

async fn bare_posts(files: &[Vec<u8>]) -> anyhow::Result<f64> {
    let sim = Sim::start(SimSettings::default()).await?;
    let token = Token::from_base64(&TOKEN.to_owned().into())?;
    let client = Client::new(ClientSettings::new(&sim.base_url(), token, "bench")?)?;
    let posts: Vec<_> = files
        .iter()
        .map(|body| Ok((wats::wsjf::read(body)?.id.context("the report has an id")?, body.clone())))
        .collect::<anyhow::Result<_>>()?;
    let (posts, next) = (Arc::new(posts), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let senders = (0..UPLOADS).map(|_| {
        let (client, posts, next) = (client.clone(), posts.clone(), next.clone());
        tokio::spawn(async move {
            while let Some((id, body)) = posts.get(next.fetch_add(1, Ordering::Relaxed)) {
                client.submit_wsjf(*id, body.clone()).await?;
            }
            anyhow::Ok(())
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await??;
    }
    let rate = per_second(files.len(), started.elapsed());
    ensure!(sim.stats().unique == files.len(), "the simulator has {} reports", sim.stats().unique);
    Ok(rate)
}

/// The agent without a limit on requests, looking through its folders as often as is usual.
async fn station() -> anyhow::Result<Station> {
    let config = format!("[intake]\n[delivery]\nuploads = {UPLOADS}\nrequests_per_minute = 0\n");
    Station::start_without_server(&[("json", "wats-json")], &config).await
}

async fn tell_server(station: &Station) -> anyhow::Result<()> {
    let change = ServerChange {
        url: station.sim.base_url(),
        proxy: None,
        extra_ca: None,
        credential: Some(Credential::Token(TOKEN.to_owned().into())),
        proxy_credential: None,
    };
    station.control()?.change_server(&change).await?;
    Ok(())
}

fn drop_all(paths: &[PathBuf]) -> anyhow::Result<()> {
    for path in paths {
        std::fs::rename(path, path.with_extension(""))?;
    }
    Ok(())
}

struct Run {
    rate: f64,
    cpu_per_thousand: f64,
    memory_mb: f64,
}

/// Measures from the first drop until `ended` holds.
async fn measure(station: &Station, files: &[Vec<u8>], ended: impl AsyncFn() -> bool) -> anyhow::Result<Run> {
    let paths = stage(&station.source("json"), files)?;
    let (started, used) = (Instant::now(), station.agent_usage()?);
    drop_all(&paths)?;
    station.until("all files are through", PATIENCE, ended).await?;
    let (took, now) = (started.elapsed(), station.agent_usage()?);
    #[expect(clippy::cast_precision_loss, reason = "counts and megabytes are small")]
    let (thousands, memory_mb) = (files.len() as f64 / 1000.0, now.memory_bytes as f64 / 1e6);
    let cpu = now.cpu.saturating_sub(used.cpu).as_secs_f64();
    Ok(Run { rate: per_second(files.len(), took), cpu_per_thousand: cpu / thousands, memory_mb })
}

async fn to_durable(files: &[Vec<u8>]) -> anyhow::Result<Run> {
    let station = station().await?;
    durable(&station, files, files.len()).await
}

/// Until so many reports are committed, looked up in the agent's database, which the agent does not notice.
async fn durable(station: &Station, files: &[Vec<u8>], all: usize) -> anyhow::Result<Run> {
    let database = SqliteConnectOptions::new().filename(station.database()).read_only(true).connect().await?;
    let (database, all) = (tokio::sync::Mutex::new(database), i64::try_from(all)?);
    let newest = async || {
        let newest = sqlx::query_scalar("SELECT max(seq) FROM report");
        let newest: Option<i64> = newest.fetch_one(&mut *database.lock().await).await.ok()?;
        newest
    };
    measure(station, files, async || newest().await == Some(all)).await
}

async fn to_acknowledged(files: &[Vec<u8>]) -> anyhow::Result<Run> {
    let station = station().await?;
    tell_server(&station).await?;
    measure(&station, files, async || station.sim.stats().unique == files.len()).await
}

/// The median of 20 single files.
async fn one_file() -> anyhow::Result<f64> {
    let station = station().await?;
    tell_server(&station).await?;
    let mut took = Vec::new();
    for number in 1..=20 {
        let report = small_report();
        let paths = stage(&station.source("json"), &[report])?;
        let started = Instant::now();
        drop_all(&paths)?;
        while station.sim.stats().unique < number {
            ensure!(started.elapsed() < PATIENCE, "the file did not arrive");
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        took.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let sorted = Table::sorted(&took);
    Ok(sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN))
}

/// An agent that watches one folder and has nothing to do.
async fn idle(table: &mut Table) -> anyhow::Result<()> {
    let mut station = station().await?;
    station.kill_agent()?;
    let started = Instant::now();
    station.spawn_agent()?;
    let ready = format!("{}/health/ready", station.health_url());
    let http = reqwest::Client::new();
    while !http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
        ensure!(started.elapsed() < PATIENCE, "the agent is not ready");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    table.add("agent: ready after its start, ms", started.elapsed().as_secs_f64() * 1000.0);
    tokio::time::sleep(FORGOTTEN).await;
    let before = station.agent_usage()?;
    tokio::time::sleep(IDLE).await;
    let after = station.agent_usage()?;
    let cpu = after.cpu_of_threads.saturating_sub(before.cpu_of_threads);
    let cpu = cpu.as_secs_f64() / IDLE.as_secs_f64();
    table.add("agent: CPU while idle, % of a core", cpu * 100.0);
    table.add("agent: resident memory while idle, MB", megabytes(after.memory_bytes));
    Ok(())
}

/// After so long an agent whose health nobody asks for looks at itself less often.
const FORGOTTEN: Duration = Duration::from_secs(35);
/// How long an idle agent is watched.
const IDLE: Duration = Duration::from_secs(30);

#[expect(clippy::cast_precision_loss, reason = "megabytes are small")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// One report of 50 MB, from its drop to its acknowledgement, and the most memory that was seen meanwhile.
async fn large(table: &mut Table) -> anyhow::Result<()> {
    let station = station().await?;
    let limits = wats_tests::sim::Behaviour { max_body: Some(100_000_000), ..Default::default() };
    station.sim.set_behaviour(limits.clone());
    let sim = Sim::start(SimSettings::default()).await?;
    sim.set_behaviour(limits);
    let report = large_report();
    table.add(BARE_LARGE, bare_post(&sim, report.clone()).await?);
    drop(sim);
    tell_server(&station).await?;
    let paths = stage(&station.source("json"), &[report])?;
    let started = Instant::now();
    drop_all(&paths)?;
    let mut most = 0;
    while station.sim.stats().unique < 1 {
        ensure!(started.elapsed() < PATIENCE, "the large file did not arrive");
        most = most.max(station.agent_usage()?.memory_bytes);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    table.add("agent: one report of 50 MB to acknowledged, s", started.elapsed().as_secs_f64());
    table.add("agent: most memory with one report of 50 MB, MB", megabytes(most));
    Ok(())
}

/// One report, straight from memory; seconds.
async fn bare_post(sim: &Sim, report: Vec<u8>) -> anyhow::Result<f64> {
    let token = Token::from_base64(&TOKEN.to_owned().into())?;
    let client = Client::new(ClientSettings::new(&sim.base_url(), token, "bench")?)?;
    let id = wats::wsjf::read(&report)?.id.context("the report has an id")?;
    let started = Instant::now();
    client.submit_wsjf(id, report).await?;
    Ok(started.elapsed().as_secs_f64())
}

/// As the small one, with so many steps that it has 50 MB.
fn large_report() -> Vec<u8> {
    let small = String::from_utf8(small_report()).unwrap_or_default();
    let Some((head, rest)) = small.split_once("\"steps\":[") else { return Vec::new() };
    let Some((steps, tail)) = rest.split_once("]}]}}") else { return Vec::new() };
    let steps = format!("{steps}]}}");
    let mut report = format!("{head}\"steps\":[");
    while report.len() < 50_000_000 {
        report.push_str(&steps);
        report.push(',');
    }
    report.push_str(&steps);
    report.push_str("]}}");
    report.push_str(tail);
    report.into_bytes()
}

/// Two connections ask one after the other, as a load balancer would, for three seconds.
async fn health_rate() -> anyhow::Result<f64> {
    let station = station().await?;
    let address = station.health_url().trim_start_matches("http://").to_owned();
    let until = Instant::now() + Duration::from_secs(3);
    let askers = (0..2).map(|_| {
        let address = address.clone();
        tokio::spawn(async move {
            let mut line = tokio::net::TcpStream::connect(&address).await?;
            let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\n\r\n");
            let (mut answer, mut count) = (vec![0; 4096], 0_usize);
            while Instant::now() < until {
                line.write_all(request.as_bytes()).await?;
                let read = line.read(&mut answer).await?;
                let text = answer.get(..read).unwrap_or_default();
                ensure!(text.starts_with(b"HTTP/1.1 200 "), "the agent is not healthy");
                count += 1;
            }
            Ok(count)
        })
    });
    let mut all = 0;
    for asker in askers.collect::<Vec<_>>() {
        all += asker.await??;
    }
    Ok(per_second(all, Duration::from_secs(3)))
}

/// The same rates with an empty queue and with a long one, and what a long one takes.
async fn backlog(table: &mut Table, length: usize, files: usize) -> anyhow::Result<()> {
    let few: Vec<Vec<u8>> = (0..files).map(|_| small_report()).collect();
    table.add(SHORT_DURABLE, to_durable(&few).await?.rate);
    let short = station().await?;
    fill(&short, files).await?;
    table.add(SHORT_DRAIN, drain(&short, files).await?);
    drop(short);

    let mut station = station().await?;
    fill(&station, length).await?;
    let more: Vec<Vec<u8>> = (0..files).map(|_| small_report()).collect();
    let run = durable(&station, &more, length + files).await?;
    table.add(LONG_DURABLE, run.rate);
    station.kill_agent()?;
    let started = Instant::now();
    station.run_agent().await?;
    table.add("agent: ready with a long queue, s", started.elapsed().as_secs_f64());
    table.add("agent: resident memory with a long queue, MB", megabytes(station.agent_usage()?.memory_bytes));
    table.add(LONG_DRAIN, drain(&station, files).await?);
    Ok(())
}

/// Puts so many reports into the queue.
async fn fill(station: &Station, count: usize) -> anyhow::Result<()> {
    for done in (0..count).step_by(5000) {
        let part: Vec<Vec<u8>> = (done..count.min(done + 5000)).map(|_| small_report()).collect();
        durable(station, &part, done + part.len()).await?;
    }
    Ok(())
}

/// The rate at which the first `count` reports of the queue are acknowledged.
async fn drain(station: &Station, count: usize) -> anyhow::Result<f64> {
    tell_server(station).await?;
    let started = Instant::now();
    while station.sim.stats().unique < count {
        ensure!(started.elapsed() < PATIENCE, "the queue does not drain");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(per_second(count, started.elapsed()))
}
