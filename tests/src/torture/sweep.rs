//! The same small work again and again, with something else going wrong each time; a few stations at once.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures_util::future::try_join_all;

use super::Plan;
use super::line::{Count, Line};
use super::shim::{Field, Shim};

/// How long the small work may take.
const WORK: Duration = Duration::from_secs(60);
/// Stations at once: most of the time each waits for a file to settle.
const STATIONS: usize = 4;

/// How much the small work does when nothing goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) calls: u64,
    pub(super) writes: u64,
}

/// Does `round` for each of the points that `points` makes of the work's size, on a line that has never seen a file.
pub(super) async fn sweep<P: Copy + std::fmt::Debug>(
    plan: Plan,
    points: impl Fn(Size) -> Vec<P>,
    round: impl AsyncFn(&mut Line, &Shim, P) -> anyhow::Result<bool>,
) -> anyhow::Result<Count> {
    let (mut line, shim) = Line::behind_shim().await?;
    let points = points(size(&mut line, &shim).await?);
    drop((line, shim));
    let (next, round, points) = (std::cell::Cell::new(0), &round, &points);
    let station = async || {
        let (mut line, shim) = Line::behind_shim().await?;
        let mut total = Count::default();
        loop {
            let number = next.replace(next.get() + 1);
            let Some(&point) = points.get(number) else { return anyhow::Ok(total) };
            prepare(&mut line)?;
            let judged = async {
                let harmed = round(&mut line, &shim, point).await?;
                let count = line.judge().await?;
                ensure!(count.lost + count.duplicated == 0, "{count:?}");
                anyhow::Ok(Count { faults: harmed.into(), ..count })
            };
            total.add(&judged.await.map_err(|error| error.context(format!("at {point:?}")))?);
            plan.progress(u64::try_from(number)?, u64::try_from(points.len())?);
        }
    };
    let mut total = Count::default();
    for count in try_join_all((0..STATIONS).map(|_| station())).await? {
        total.add(&count);
    }
    Ok(total)
}

/// Good files, a bad one, and one with a content that was there before: every way that a file can go.
fn prepare(line: &mut Line) -> anyhow::Result<()> {
    line.clear()?;
    line.drop_files(3)?;
    line.drop_bad_file()?;
    line.drop_copy()
}

async fn size(line: &mut Line, shim: &Shim) -> anyhow::Result<Size> {
    prepare(line)?;
    shim.reset()?;
    line.station.spawn_agent()?;
    ensure!(until_done_or_dead(line).await?, "the agent ended by itself: {}", line.station.log_end());
    line.station.end_agent()?;
    let size = Size { calls: shim.get(Field::Calls)?, writes: shim.get(Field::Writes)? };
    ensure!(size.writes > 50, "only {size:?} were counted: does the shim stand where it should?");
    Ok(size)
}

/// Waits until the small work is done, without asking the agent anything; false when the agent has ended before.
pub(super) async fn until_done_or_dead(line: &mut Line) -> anyhow::Result<bool> {
    let started = Instant::now();
    while !line.has_done_its_files() {
        if line.station.agent_ended()?.is_some() {
            return Ok(false);
        }
        if started.elapsed() > WORK {
            bail!("the work was not done in {WORK:?}: {}", line.station.log_end());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(true)
}
