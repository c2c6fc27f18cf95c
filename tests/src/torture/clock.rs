//! The clock of the wall jumps a year ahead and back, and a year back and ahead, while reports are on their way and
//! while they wait for a server that is down.

use anyhow::ensure;
use wats_agent::control::api::Link;

use super::Plan;
use super::line::{Count, Line};
use super::shim::{Field, Shim};
use crate::sim::{Fault, FaultKind};

const YEAR: i64 = 365 * 24 * 3600;
const FILES: usize = 10;

pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let (mut line, shim) = Line::behind_shim().await?;
    line.station.run_agent().await?;
    line.drop_files(FILES)?;
    line.until("delivered", |line, _| line.has_done_its_files()).await?;
    let mut jumps = 0;
    for round in 0..plan.pick(1, 20) {
        for years in [1, 0, -1, 0] {
            jump(&mut line, &shim, years).await?;
            jumps += 1;
        }
        // What is postponed while the clock is ahead must not wait for that year to come.
        for restart in [false, true] {
            let down = FaultKind::status(503);
            line.station.sim.set_faults(vec![Fault {
                route: "report".to_owned(),
                skip: 0,
                times: None,
                kind: down,
            }]);
            shim.move_clock(YEAR)?;
            line.drop_files(FILES)?;
            line.until("the server is away", |_, it| {
                it.server.trouble.is_some() && it.queue.queued + it.queue.sending == FILES as u64
            })
            .await?;
            if restart {
                line.station.stop_agent()?;
            }
            shim.move_clock(0)?;
            line.station.sim.set_faults(Vec::new());
            if restart {
                line.station.run_agent().await?;
            }
            line.until("delivered after the jump", |line, it| {
                line.has_done_its_files() && it.server.link == Link::Online
            })
            .await?;
            jumps += 2;
        }
        plan.progress(round + 1, plan.pick(1, 20));
    }
    let count = line.judge().await?;
    Ok(Count { faults: jumps, ..count })
}

async fn jump(line: &mut Line, shim: &Shim, years: i64) -> anyhow::Result<()> {
    line.drop_files(FILES)?;
    let looks = shim.get(Field::ClockReads)?;
    shim.move_clock(years * YEAR)?;
    line.drop_files(FILES)?;
    line.until("delivered after the jump", |line, _| line.has_done_its_files()).await?;
    ensure!(shim.get(Field::ClockReads)? > looks, "the agent does not look at the clock that was moved");
    let now = jiff::Timestamp::now().as_second() + years * YEAR;
    line.until("the agent has the moved time", |_, status| {
        status.last_reports.iter().any(|it| (it.stored_at.as_second() - now).abs() < YEAR / 2)
    })
    .await
}
