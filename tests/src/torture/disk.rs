//! A disk that is full or broken at every write: once, and until it is mended.

use std::time::{Duration, Instant};

use anyhow::bail;
use nix::errno::Errno;

use super::Plan;
use super::line::{Count, Line};
use super::shim::{Field, Shim};
use super::steps::every;
use super::sweep::sweep;

/// How long the agent may take to come to the fault, and to try again a few times.
const FAILING: Duration = Duration::from_secs(60);
/// So many failed writes are enough to have tried again.
const ENOUGH: u64 = 12;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
struct Point {
    write: u64,
    error: Errno,
    lasts: bool,
}

/// Each write in turn fails.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let most = plan.pick(10, u64::MAX);
    let kinds = [(Errno::ENOSPC, false), (Errno::ENOSPC, true), (Errno::EIO, false), (Errno::EIO, true)];
    let points = |size: super::sweep::Size| {
        let at = |(error, lasts)| {
            every(size.writes, most).into_iter().map(move |write| Point { write, error, lasts })
        };
        kinds.into_iter().flat_map(at).collect()
    };
    sweep(plan, points, fail).await
}

async fn fail(line: &mut Line, shim: &Shim, point: Point) -> anyhow::Result<bool> {
    let count = if point.lasts { u64::MAX / 2 } else { 1 };
    shim.fail(point.write, count, point.error)?;
    line.station.spawn_agent()?;
    let enough = if point.lasts { ENOUGH } else { 1 };
    let started = Instant::now();
    // A lasting fault at one of the last writes may meet nothing that is still to be done.
    while shim.get(Field::Failed)? < enough && !line.has_done_its_files() {
        line.keep_running().await?;
        if started.elapsed() > FAILING {
            if shim.get(Field::Failed)? > 0 {
                break;
            }
            bail!("nothing was written in {FAILING:?}: {}", line.station.log_end());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let failed = shim.get(Field::Failed)? > 0;
    shim.lift()?;
    Ok(failed)
}
