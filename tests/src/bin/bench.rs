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
use clap::Parser;
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;
use wats::client::{Client, ClientSettings, Token};
use wats_agent::control::api::{Credential, ServerChange};
use wats_tests::sim::{Sim, SimSettings, TOKEN};
use wats_tests::station::Station;

/// As many commits as the agent's conversions can be in flight at once.
const GROUP: usize = 16;
/// As in the configuration of the measured agent.
const UPLOADS: usize = 16;
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures the pipeline: small files to durable, and to acknowledged.
#[derive(Debug, Parser)]
struct Args {
    /// Files in each round.
    #[arg(long, default_value_t = 3000)]
    files: usize,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut table = Table::default();
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        let files: Vec<Vec<u8>> = (0..args.files).map(|_| small_report()).collect();
        table.add("bare: read, hash, commit in groups of 16, files/s", bare_commits(&files).await?);
        let to_durable = to_durable(&files).await?;
        table.add("agent: dropped to durable, files/s", to_durable.rate);
        table.add("bare: HTTP client, 16 at once, posts/s", bare_posts(&files).await?);
        let to_acknowledged = to_acknowledged(&files).await?;
        table.add("agent: dropped to acknowledged, files/s", to_acknowledged.rate);
        table.add("agent: CPU seconds for 1,000 files", to_acknowledged.cpu_per_thousand);
        table.add("agent: resident memory at the end, MB", to_acknowledged.memory_mb);
        table.add("agent: one file dropped to acknowledged, idle, ms", one_file().await?);
    }
    let size = small_report().len();
    println!("{} files of {size} bytes, {} rounds, median (least to most):\n", args.files, args.rounds);
    print!("{}", table.markdown());
    println!();
    println!("- durable: {:.0} % of the bare commits", 100.0 * table.ratio(1, 0));
    println!("- acknowledged: {:.0} % of the bare posts", 100.0 * table.ratio(3, 2));
    Ok(())
}

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

    fn median(&self, row: usize) -> f64 {
        let sorted = self.rows.get(row).map(|(_, values)| Self::sorted(values)).unwrap_or_default();
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn ratio(&self, row: usize, of: usize) -> f64 {
        self.median(row) / self.median(of)
    }

    fn markdown(&self) -> String {
        let mut text = String::from("| Measure | Median | Range |\n|---|---|---|\n");
        for (row, (name, values)) in self.rows.iter().enumerate() {
            let sorted = Self::sorted(values);
            let (least, most) = (sorted.first().unwrap_or(&f64::NAN), sorted.last().unwrap_or(&f64::NAN));
            text.push_str(&format!("| {name} | {:.2} | {least:.2} to {most:.2} |\n", self.median(row)));
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
            let sha256: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
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
    let (files, next) = (Arc::new(files.to_vec()), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let posts = (0..UPLOADS).map(|_| {
        let (client, files, next) = (client.clone(), files.clone(), next.clone());
        tokio::spawn(async move {
            while let Some(body) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let id = wats::wsjf::read(body)?.id.context("the report has an id")?;
                client.submit_wsjf(id, body.clone()).await?;
            }
            anyhow::Ok(())
        })
    });
    for post in posts.collect::<Vec<_>>() {
        post.await??;
    }
    let rate = per_second(files.len(), started.elapsed());
    ensure!(sim.stats().unique == files.len(), "the simulator has {} reports", sim.stats().unique);
    Ok(rate)
}

/// The agent without a limit on requests.
async fn station() -> anyhow::Result<Station> {
    let config = format!("[delivery]\nuploads = {UPLOADS}\nrequests_per_minute = 0\n");
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
    let (control, all) = (station.control()?, u64::try_from(files.len())?);
    measure(&station, files, async || control.status().await.is_ok_and(|it| it.queue.queued == all)).await
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
