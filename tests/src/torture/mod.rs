//! What an agent must survive, one fault in each file: nothing lost, nothing twice, healthy again by itself.
//!
//! Everything is done to the real program from outside. What is counted is what the simulator got and what the ledger
//! says.

mod clock;
mod configuration;
mod database;
mod disk;
mod kills;
pub mod line;
mod server;
mod share;
pub mod shim;
mod steps;
mod sweep;
mod twins;

use std::fmt::Write;

use futures_util::future::LocalBoxFuture;
use rand::SeedableRng;
use rand::rngs::StdRng;

pub use line::Count;

/// How much of a fault, and with which dice.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub seed: u64,
    /// The long form, that is run by hand.
    pub long: bool,
    /// Says how far it has come.
    pub progress: fn(u64, u64),
}

impl Plan {
    fn random(self) -> StdRng {
        StdRng::seed_from_u64(self.seed)
    }

    fn pick(self, short: u64, long: u64) -> u64 {
        if self.long { long } else { short }
    }

    fn progress(self, done: u64, of: u64) {
        (self.progress)(done, of);
    }
}

/// One kind of fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    pub name: &'static str,
    pub what: &'static str,
    run: fn(Plan) -> LocalBoxFuture<'static, anyhow::Result<Count>>,
}

impl Fault {
    /// # Errors
    /// When something is lost or the agent does not recover.
    pub async fn run(&self, plan: Plan) -> anyhow::Result<Count> {
        (self.run)(plan).await
    }
}

macro_rules! faults {
    ($($name:literal, $what:literal, $run:path;)*) => {
        &[$(Fault { name: $name, what: $what, run: |plan| Box::pin($run(plan)) }),*]
    };
}

/// All of them, in the order in which they are run.
pub const FAULTS: &[Fault] = faults! {
    "kills", "SIGKILL at random moments, the server failing as well", kills::run;
    "steps", "SIGKILL at every call that changes something", steps::run;
    "disk", "ENOSPC and EIO at every write, once and lasting", disk::run;
    "database", "the database file damaged, cut, or deleted", database::run;
    "clock", "the clock jumps a year both ways", clock::run;
    "server", "the server fails in random sequences", server::run;
    "share", "a share disappears while its files are read", share::run;
    "twins", "two agents on one instance, stale locks", twins::run;
    "configuration", "the configuration file broken while the agent runs", configuration::run;
};

/// The counts as a table in Markdown.
pub fn table(counts: &[(&'static str, Count)]) -> String {
    let mut text = String::from(
        "| Fault | Faults | Files | Reports at the server | Received | Lost | Duplicated | Ledger records, verified | \
         Healthy after, s |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for (name, it) in counts {
        let healthy = it.healthy_after.as_secs_f64();
        // Writing to a text cannot fail.
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {healthy:.1} |",
            it.faults, it.files, it.reports, it.posts, it.lost, it.duplicated, it.records
        )
        .ok();
    }
    text
}
