//! SIGKILL at every call that changes something: a small work is killed at the first such call, then at the second,
//! and so on; the life after it ends the work, whatever was left half done.

use std::os::unix::process::ExitStatusExt;

use super::Plan;
use super::line::{Count, Line};
use super::shim::Shim;
use super::sweep::{sweep, until_done_or_dead};

/// From an empty folder: database, claims, conversions, files moved to archive and error folder, uploads, receipts, end.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let most = plan.pick(60, u64::MAX);
    // Which call is which differs a little from life to life; some more than were counted may come.
    sweep(plan, |size| every(size.calls + size.calls / 20, most), kill_at).await
}

/// The numbers up to `last`, or about `most` of them.
pub(super) fn every(last: u64, most: u64) -> Vec<u64> {
    let step = usize::try_from(last.div_ceil(most)).unwrap_or(1).max(1);
    (1..=last).step_by(step).collect()
}

async fn kill_at(line: &mut Line, shim: &Shim, call: u64) -> anyhow::Result<bool> {
    shim.kill_at(call)?;
    line.station.spawn_agent()?;
    let killed = if until_done_or_dead(line).await? {
        // It may still be killed while it ends.
        line.station.end_agent()?.signal().is_some()
    } else {
        true
    };
    shim.reset()?;
    line.station.spawn_agent()?;
    Ok(killed)
}
