//! SIGKILL at random moments, while files come in and the server fails.

use std::time::Duration;

use rand::RngExt;

use super::Plan;
use super::line::{Count, Line};
use super::server::random_faults;

const FILES_A_KILL: usize = 10;

/// Kills the agent again and again; each time new files come, and the server fails in another way.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut random = plan.random();
    let mut line = Line::start().await?;
    let kills = plan.pick(50, 1000);
    for kill in 1..=kills {
        line.drop_files(FILES_A_KILL)?;
        if kill % 7 == 0 {
            line.drop_bad_file()?;
        }
        line.station.sim.set_faults(random_faults(&mut random));
        // The first milliseconds are as interesting as the others: there the work of the life before is taken up.
        let longest = if random.random_bool(0.3) { 150 } else { 2000 };
        tokio::time::sleep(Duration::from_millis(random.random_range(0..longest))).await;
        line.station.kill_agent()?;
        line.station.spawn_agent()?;
        plan.progress(kill, kills);
    }
    line.station.sim.set_faults(Vec::new());
    let count = line.judge().await?;
    Ok(Count { faults: kills, ..count })
}
