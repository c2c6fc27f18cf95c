//! Two agents on one instance, and whatever a killed one leaves behind: lock and socket.

use std::fs::File;
use std::io::Write;

use anyhow::ensure;

use super::Plan;
use super::line::{Count, Line};

const FILES: usize = 20;

/// Each round: a second agent is sent away while the first works, and a killed one stops nobody.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut line = Line::start().await?;
    let rounds = plan.pick(5, 100);
    for round in 1..=rounds {
        line.drop_files(FILES)?;
        for _ in 0..3 {
            let (code, said) = line.station.agent_command(&["run"])?;
            ensure!(code == 4 && said.contains("another agent, process"), "{code}: {said}");
        }
        ensure!(line.status().await.is_some(), "the second agent took the socket of the first");
        line.station.kill_agent()?;
        // The number in a lock is for people only: that of a living process, or no number at all, stops nobody.
        let lock = line.station.folder().join("storage/lock");
        let words = if round % 2 == 0 { std::process::id().to_string() } else { "no number".to_owned() };
        File::create(lock)?.write_all(words.as_bytes())?;
        line.station.run_agent().await?;
        plan.progress(round, rounds);
    }
    let count = line.judge().await?;
    Ok(Count { faults: rounds * 4, ..count })
}
