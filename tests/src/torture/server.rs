//! The server fails in random sequences, all the ways that the simulator knows.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;

use super::Plan;
use super::line::{Count, Line};
use crate::sim::{Fault, FaultKind};

const FILES_A_TURN: usize = 5;

/// A few faults, each for a few requests. What needs a person, a refused credential, comes in a test of its own.
pub(super) fn random_faults(random: &mut StdRng) -> Vec<Fault> {
    let count = random.random_range(0..4);
    (0..count)
        .map(|_| Fault {
            route: if random.random_bool(0.9) { "report" } else { "" }.to_owned(),
            skip: random.random_range(0..4),
            times: Some(random.random_range(1..4)),
            kind: random_kind(random),
        })
        .collect()
}

fn random_kind(random: &mut StdRng) -> FaultKind {
    let status = |code, retry_after: Option<&str>| FaultKind::Status {
        code,
        retry_after: retry_after.map(ToOwned::to_owned),
        location: None,
        body: String::new(),
        content_type: None,
    };
    match random.random_range(0..16) {
        0 => FaultKind::Latency { milliseconds: random.random_range(1..800) },
        1 => FaultKind::DropBefore,
        2 => FaultKind::DropDuring,
        3 | 4 => FaultKind::DropAfter,
        5 => FaultKind::Html,
        6 => FaultKind::SlowRead { milliseconds: random.random_range(1..50) },
        7 => FaultKind::SlowAnswer { milliseconds: random.random_range(1..50) },
        8 => FaultKind::WrongId,
        9 => FaultKind::Empty,
        10 => FaultKind::Truncated,
        11 => status(429, Some("1")),
        12 => status(302, None),
        13 => status(500, None),
        14 => status(502, None),
        _ => status(503, Some("1")),
    }
}

/// One sequence of faults after the other, while files come in.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut random = plan.random();
    let mut line = Line::start().await?;
    let turns = plan.pick(40, 600);
    let mut faults = 0;
    for turn in 1..=turns {
        let sequence = random_faults(&mut random);
        faults += sequence.iter().filter_map(|it| it.times).sum::<u64>();
        line.station.sim.set_faults(sequence);
        line.drop_files(FILES_A_TURN)?;
        tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
        plan.progress(turn, turns);
    }
    line.station.sim.set_faults(Vec::new());
    let count = line.judge().await?;
    Ok(Count { faults, ..count })
}
