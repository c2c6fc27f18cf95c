//! `torture`: everything that must not lose or duplicate a report, done to the real agent, and counted.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is what the program is for")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{bail, ensure};
use clap::Parser;
use wats_tests::torture::{FAULTS, Plan, table};

/// Does to the agent what it must survive, and counts what became of the files.
#[derive(Debug, Parser)]
struct Args {
    /// Only these faults; all when none is named. `--list` says which there are.
    faults: Vec<String>,
    /// The long form: a thousand kills, every single call.
    #[arg(long)]
    long: bool,
    /// Repeats a run with its dice.
    #[arg(long)]
    seed: Option<u64>,
    /// Say which faults there are.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.list {
        FAULTS.iter().for_each(|fault| println!("{:10} {}", fault.name, fault.what));
        return Ok(());
    }
    if let Some(unknown) = args.faults.iter().find(|name| FAULTS.iter().all(|fault| fault.name != **name)) {
        bail!("there is no fault {unknown:?}: --list says which there are");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let plan = Plan { seed: args.seed.unwrap_or(now), long: args.long, progress };
    eprintln!("seed {}", plan.seed);
    let (mut counts, mut failed) = (Vec::new(), Vec::new());
    for fault in FAULTS.iter().filter(|it| args.faults.is_empty() || args.faults.iter().any(|n| n == it.name))
    {
        let started = Instant::now();
        eprintln!("{}: {}", fault.name, fault.what);
        match fault.run(plan).await {
            Ok(count) => {
                eprintln!("{}: {} s", fault.name, started.elapsed().as_secs());
                if count.lost + count.duplicated > 0 {
                    failed.push(fault.name);
                }
                counts.push((fault.name, count));
            }
            Err(error) => {
                eprintln!("{} FAILED: {error:#}", fault.name);
                failed.push(fault.name);
            }
        }
    }
    println!("\n{}\nseed {}", table(&counts), plan.seed);
    ensure!(failed.is_empty(), "failed: {}; repeat with --seed {}", failed.join(", "), plan.seed);
    Ok(())
}

fn progress(done: u64, of: u64) {
    eprintln!("  {done} of {of}");
}
