//! What a file costs that a Python plug-in converts: warm and in the sandbox, beside the same function without either.
//!
//! `./just bench plugins` builds the agent for release and runs this. The tables are those of `docs/performance.md`.
#![allow(clippy::print_stdout, reason = "this is what the program is for")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use jiff::Timestamp;
use wats_agent::config::Settings;
use wats_agent::control::api::Station;
use wats_agent::convert::{self, Answer, Job, Limits, Order, Pool};
use wats_agent::plugins::{Made, Plugins, content, manage};

/// The cost of a file that a plug-in converts.
#[derive(Debug, Parser)]
struct Args {
    /// So many files in each run.
    #[arg(long, default_value_t = 2000)]
    files: u32,
    /// So many runs, of which the middle one counts.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// So many fresh processes.
    #[arg(long, default_value_t = 40)]
    fresh: u32,
}

/// Runs the function in one plain interpreter; prints seconds and processor seconds per file, without and with writing
/// JSON.
const LOOP: &str = r#"
import json, sys, time
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from bench_csv import report_of
paths = sys.argv[3:]
for write in (lambda report: None, json.dumps):
    for path in paths[:50]:
        write(report_of(path))
    started, used = time.perf_counter(), time.process_time()
    for path in paths:
        write(report_of(path))
    print((time.perf_counter() - started) / len(paths), (time.process_time() - used) / len(paths))
"#;

/// One file in a fresh plain interpreter.
const ONCE: &str = r#"
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from bench_csv import report_of
print(json.dumps(report_of(sys.argv[3])))
"#;

const PYTHON: &str = "/usr/bin/python3";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bench = Bench::new(args.files)?;
    let (mut alone, mut json, mut warm, mut grouped) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (plugins, pool) = bench.pool().await?;
    for run in 0..args.runs {
        println!("run {} of {} …", run + 1, args.runs);
        let (function, with_json) = bench.plain_loop()?;
        alone.push(function);
        json.push(with_json);
        warm.push(bench.converted(&pool, 1).await?);
        grouped.push(bench.converted(&pool, 32).await?);
    }
    let fresh_plain = bench.fresh_plain(args.fresh)?;
    let fresh_boxed = bench.fresh_boxed(args.fresh).await?;
    drop(plugins);
    let [alone, json, warm, grouped] = [alone, json, warm, grouped].map(middle);
    println!("\n{} files of {} bytes, 40 steps each\n", args.files, bench.size);
    println!("| What a file costs | µs | against the loop | µs of a processor | against the loop |");
    println!("|---|---|---|---|---|");
    let row = |what: &str, cost: Cost| {
        let used = cost.used.map_or("| | |".to_owned(), |used| {
            let against = us(used) / json.used.map_or(f64::NAN, us);
            format!("| {:.0} | {against:.2} × |", us(used))
        });
        println!("| {what} | {:.0} | {:.2} × {used}", us(cost.time), us(cost.time) / us(json.time));
    };
    row("the function in a loop, one plain interpreter: to a dictionary", alone);
    row("the same, to JSON", json);
    row("a warm, sandboxed plug-in, one file at a time, its reports read and checked", warm);
    row("the same, in groups of 32 as the pipeline has them", grouped);
    row("a fresh plain interpreter for each file", Cost { time: fresh_plain, used: None });
    row("a fresh sandboxed plug-in for each file", Cost { time: fresh_boxed, used: None });
    let (ratio, cheaper) = (us(grouped.time) / us(json.time), us(fresh_boxed) / us(grouped.time));
    println!(
        "\nwarm against the loop: {ratio:.2} × (goal: under 3); cheaper than fresh: {cheaper:.0} × (goal: 20)"
    );
    if ratio >= 3.0 || cheaper < 20.0 {
        bail!("a goal is missed");
    }
    Ok(())
}

/// Of one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    time: Duration,
    /// Processor time, of everything that had a hand in it.
    used: Option<Duration>,
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn middle(mut costs: Vec<Cost>) -> Cost {
    costs.sort();
    costs.get(costs.len() / 2).copied().unwrap_or_default()
}

/// The processor time of this process and of everything that it has started, also of what has ended.
fn used_by_all() -> anyhow::Result<Duration> {
    let mut ticks = 0;
    let mut processes = vec![std::process::id().to_string()];
    while let Some(process) = processes.pop() {
        let place = Path::new("/proc").join(&process);
        let stat = std::fs::read_to_string(place.join("stat")).unwrap_or_default();
        // utime and stime, and those of children that have ended; the name in brackets may hold spaces.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(4));
        ticks += fields.into_iter().flatten().filter_map(|it| it.parse::<u64>().ok()).sum::<u64>();
        for task in std::fs::read_dir(place.join("task")).into_iter().flatten().flatten() {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            processes.extend(children.split_whitespace().map(str::to_owned));
        }
    }
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)?.context("no clock")?;
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

struct Bench {
    folder: tempfile::TempDir,
    repository: PathBuf,
    agent: PathBuf,
    files: Vec<PathBuf>,
    size: usize,
}

impl Bench {
    fn new(count: u32) -> anyhow::Result<Self> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let own = std::env::current_exe()?;
        let agent = own.parent().context("this program lies nowhere")?.join("wats-agent");
        ensure!(agent.is_file(), "{} is missing: './just bench plugins' builds it", agent.display());
        let folder = tempfile::tempdir()?;
        let mut files = Vec::new();
        let mut size = 0;
        for number in 0..count {
            let path = folder.path().join(format!("in/{number}.csv"));
            std::fs::create_dir_all(folder.path().join("in"))?;
            let content = csv(number);
            size = content.len();
            std::fs::File::create(&path)?.write_all(content.as_bytes())?;
            files.push(path);
        }
        Ok(Self { folder, repository, agent, files, size })
    }

    fn plain(&self, script: &str, files: &[PathBuf]) -> Command {
        let mut command = Command::new(PYTHON);
        command.args(["-I", "-B", "-c", script]);
        command.arg(self.repository.join("tests/plugins")).arg(self.repository.join("agent/python/compat"));
        command.args(files).stdin(Stdio::null());
        command
    }

    fn plain_loop(&self) -> anyhow::Result<(Cost, Cost)> {
        let output = self.plain(LOOP, &self.files).output()?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let seconds = |text: &str| text.parse().ok().map(Duration::from_secs_f64);
        let mut times = said.lines().filter_map(|line| {
            let (time, used) = line.split_once(' ')?;
            Some(Cost { time: seconds(time)?, used: Some(seconds(used)?) })
        });
        match (times.next(), times.next()) {
            (Some(function), Some(json)) => Ok((function, json)),
            _ => bail!("the loop failed: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }

    fn fresh_plain(&self, count: u32) -> anyhow::Result<Duration> {
        let started = Instant::now();
        for file in self.files.iter().cycle().take(count as usize) {
            let output = self.plain(ONCE, std::slice::from_ref(file)).output()?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(started.elapsed() / count)
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let root = self.folder.path();
        let plugins = root.join("storage/plugins");
        std::fs::create_dir_all(&plugins)?;
        std::fs::copy(self.repository.join("tests/plugins/bench_csv.py"), plugins.join("bench_csv.py"))?;
        let content = content::read(&plugins, "bench_csv.py")?;
        let text = format!(
            "version = 1\n[storage]\nfolder = {:?}\n[plugins]\nsupport = {:?}\npython = {PYTHON:?}\n\
             [[plugins.enabled]]\nfile = \"bench_csv.py\"\nsha256 = {:?}\n",
            root.join("storage"),
            self.repository.join("agent/python"),
            content.sha256
        );
        Ok(Settings::parse(&root.join("bench.toml"), &text)?)
    }

    /// The plug-in as the agent has it: it has said what it is, and its reports go to a worker.
    async fn pool(&self) -> anyhow::Result<(Plugins, Pool)> {
        let settings = self.settings()?;
        // `check` remembers what the plug-in said, as enabling does.
        let helper = Some(self.agent.clone());
        let check = manage::check(&settings, "bench_csv.py", None, helper).await?;
        ensure!(check.problems.is_empty(), "{:?}", check.problems);
        self.fresh_pool()
    }

    async fn converted(&self, pool: &Pool, group: usize) -> anyhow::Result<Cost> {
        let turn = pool.turn("bench", "plugin:bench", 5).await;
        let mut orders = self.files.iter().map(|file| order(file)).collect::<anyhow::Result<Vec<_>>>()?;
        for order in orders.iter_mut().take(50) {
            take(pool.convert(&turn, std::slice::from_mut(order)).await)?;
        }
        // What was converted has let go of its bytes.
        let mut orders = self.files.iter().map(|file| order(file)).collect::<anyhow::Result<Vec<_>>>()?;
        let (started, before) = (Instant::now(), used_by_all()?);
        for orders in orders.chunks_mut(group) {
            take(pool.convert(&turn, orders).await)?;
        }
        let (time, used) = (started.elapsed(), used_by_all()?.saturating_sub(before));
        let files = u32::try_from(orders.len())?;
        Ok(Cost { time: time / files, used: Some(used / files) })
    }

    async fn fresh_boxed(&self, count: u32) -> anyhow::Result<Duration> {
        let started = Instant::now();
        for file in self.files.iter().cycle().take(count as usize) {
            // Without what another has started.
            let (_plugins, pool) = self.fresh_pool()?;
            let turn = pool.turn("bench", "plugin:bench", 5).await;
            take(pool.convert(&turn, &mut [order(file)?]).await)?;
        }
        Ok(started.elapsed() / count)
    }

    fn fresh_pool(&self) -> anyhow::Result<(Plugins, Pool)> {
        let plugins = Plugins::fixed(self.settings()?, Some(self.agent.clone()));
        let command = convert::Command { program: self.agent.clone(), arguments: vec!["worker".to_owned()] };
        let limits = Limits { workers: 1, time: Duration::from_secs(60), answer_bytes: 64 << 20 };
        Ok((plugins.clone(), Pool::new(command, limits, std::env::temp_dir()).with_plugins(plugins)))
    }
}

/// Every answer must be one report.
fn take(answers: Vec<Result<Answer, convert::ConvertFailure>>) -> anyhow::Result<()> {
    for answer in answers {
        match answer? {
            Answer::Plugin(verdict) => match verdict.made {
                Made::Reports(reports) => ensure!(reports.len() == 1, "{} reports", reports.len()),
                made => bail!("not converted: {made:?}"),
            },
            other => bail!("not by the plug-in: {other:?}"),
        }
    }
    Ok(())
}

fn order(file: &Path) -> anyhow::Result<Order> {
    let bytes = std::fs::read(file)?;
    let job = Job {
        converter: "plugin:bench".to_owned(),
        arguments: Default::default(),
        file_name: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: wats_agent::files::sha256(&bytes),
        modified: Timestamp::UNIX_EPOCH,
        station: Station { name: "ST1".to_owned(), location: "Lab".to_owned(), ..Station::default() },
        now: Timestamp::UNIX_EPOCH,
        folder: None,
        rival: None,
    };
    Ok(Order { job, bytes, companions: Vec::new() })
}

/// About 10 kB with 40 rows.
fn csv(number: u32) -> String {
    let mut text = "serial,part,start,test,value,low,high,unit,remark\n".to_owned();
    for row in 0..40 {
        let value = 5.0 + f64::from((number + row) % 10) / 100.0;
        text.push_str(&format!(
            "SN-{number:06},PCB-7,2026-01-31T12:00:00,Measurement of supply {row:02},{value:.3},4.900,5.100,V,{}\n",
            "remark of the tester that nobody reads ".repeat(4)
        ));
    }
    text
}
