//! A share disappears in the middle of reading: its helpers hang as with a dead server, are killed, and the folder
//! is gone for a while.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use rand::RngExt;
use wats_agent::control::api::Watch;

use super::Plan;
use super::line::{Count, Line};

const FILES: usize = 5;

/// Both sources are reached as network mounts are. Helpers that are stopped are to the agent what such are that wait
/// for a dead server.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut random = plan.random();
    let mut line = Line::start().await?;
    let control = line.station.control()?;
    for source in control.sources().await? {
        let mut settings = source.settings;
        settings.intake.watch = Watch::Poll;
        settings.intake.poll_seconds = Some(1);
        control.change_source(&settings.name.clone(), &settings).await?;
    }
    let rounds = plan.pick(9, 200);
    for round in 1..=rounds {
        line.drop_files(FILES)?;
        // Large enough to be caught while it is read.
        line.drop_large_file(4_000_000)?;
        let until = Instant::now() + Duration::from_millis(random.random_range(500..2500));
        match round % 3 {
            0 => {
                while Instant::now() < until {
                    line.station.helpers("share").into_iter().for_each(|it| {
                        kill(it, Signal::SIGSTOP).ok();
                    });
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            1 => {
                while Instant::now() < until {
                    line.station.helpers("share").into_iter().for_each(|it| {
                        kill(it, Signal::SIGKILL).ok();
                    });
                    tokio::time::sleep(Duration::from_millis(random.random_range(1..60))).await;
                }
            }
            _ => {
                let (folder, away) = (line.station.source("json"), line.station.folder().join("away"));
                fs::rename(&folder, &away)?;
                tokio::time::sleep_until(until.into()).await;
                // The agent may have made an empty one in its place, as below a mount that is gone.
                fs::remove_dir(&folder).ok();
                fs::rename(&away, &folder)?;
            }
        }
        plan.progress(round, rounds);
    }
    let count = line.judge().await?;
    Ok(Count { faults: rounds, ..count })
}
