//! The database is damaged in every way that disks and people know: it is noticed, set aside, and rebuilt.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use rand::RngExt;
use rand::rngs::StdRng;

use super::Plan;
use super::line::{Count, Line};

const FILES: usize = 300;
const PAGE: u64 = 4096;

/// What happens to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Harm {
    Header,
    FirstPage,
    MiddlePage,
    SeveralPages,
    Cut,
    Emptied,
    Gone,
    LogGarbage,
    GoneWhileRunning,
    PagesWhileRunning,
}

const HARMS: [Harm; 10] = [
    Harm::Header,
    Harm::FirstPage,
    Harm::MiddlePage,
    Harm::SeveralPages,
    Harm::Cut,
    Harm::Emptied,
    Harm::Gone,
    Harm::LogGarbage,
    Harm::GoneWhileRunning,
    Harm::PagesWhileRunning,
];

/// Each harm comes while half of the reports are delivered and the others wait, so that both must be kept.
pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut random = plan.random();
    let mut total = Count::default();
    let rounds = plan.pick(1, 10);
    for round in 0..rounds {
        for (number, harm) in (0..).zip(HARMS) {
            let count = harmed(harm, &mut random).await;
            let count = count.map_err(|error| error.context(format!("{harm:?}")))?;
            ensure!(count.lost + count.duplicated == 0, "{harm:?}: {count:?}");
            total.add(&count);
            plan.progress(round * 10 + number + 1, rounds * 10);
        }
    }
    Ok(total)
}

async fn harmed(harm: Harm, random: &mut StdRng) -> anyhow::Result<Count> {
    let mut line = Line::start().await?;
    line.drop_files(FILES / 2)?;
    line.until("the first half is delivered", |line, status| {
        line.has_done_its_files() && status.queue.sending == 0
    })
    .await?;
    // An agent that ends leaves no log: before, the database file may hold nothing that can be harmed.
    line.station.stop_agent()?;
    line.station.run_agent().await?;
    // The second half waits, its files archived: what is lost of it would be lost for good.
    let away = crate::sim::FaultKind::status(503);
    line.station.sim.set_faults(vec![crate::sim::Fault {
        route: String::new(),
        skip: 0,
        times: None,
        kind: away,
    }]);
    line.drop_files(FILES / 2)?;
    line.until("the second half waits", |line, status| {
        line.left_in_folders() == 0 && status.queue.queued + status.queue.sending == (FILES / 2) as u64
    })
    .await?;
    let database = line.station.database();
    match harm {
        Harm::GoneWhileRunning => {
            for path in files(&database) {
                fs::remove_file(path)?;
            }
        }
        Harm::PagesWhileRunning => {
            spoil(&database, 1, 12, random)?;
            // Some are never read again: the next start finds those.
            line.drop_files(10)?;
            line.until("it goes on, or has noticed", |line, _| line.left_in_folders() == 0).await?;
            if line.station.agent_ended()?.is_none() && line.station.is_running() {
                line.station.stop_agent()?;
            }
        }
        // A log is left behind by a kill only.
        Harm::LogGarbage => {
            line.station.kill_agent()?;
            let log = database.with_extension("db-wal");
            let size = fs::metadata(&log)?.len();
            overwrite(&log, size / 2, &noise(size.div_ceil(2), random))?;
        }
        _ => {
            line.station.stop_agent()?;
            harm_at_rest(harm, &database, random)?;
        }
    }
    if line.station.agent_ended()?.is_none() && !line.station.is_running() {
        line.station.spawn_agent()?;
    }
    line.drop_files(10)?;
    line.station.sim.set_faults(Vec::new());
    line.allowed.push("the database ");
    // Those that make no difference need no alarm: a spoilt page may have been free.
    let must_alarm = !matches!(harm, Harm::MiddlePage | Harm::PagesWhileRunning | Harm::SeveralPages);
    let alarm = |line: &Line| line.station.folder().join("storage/rescue.json").exists();
    line.until("the database is rebuilt", |line, _| !must_alarm || alarm(line)).await?;
    let count = line.judge().await?;
    if alarm(&line) {
        check_alarm(&mut line).await?;
    }
    Ok(count)
}

/// The alarm survives a restart, says where the damaged files are, and ends when a person confirms it.
async fn check_alarm(line: &mut Line) -> anyhow::Result<()> {
    line.station.run_agent().await?;
    let (code, said) = line.station.agent_command(&["rescue"])?;
    ensure!(code == 0 && said.starts_with("the database "), "{code}: {said}");
    let status = line.status().await.context("the agent does not answer")?;
    ensure!(
        status.health.reasons.iter().any(|it| said.starts_with(it.as_str())),
        "no alarm: {:?}",
        status.health
    );
    let (code, said) = line.station.agent_command(&["rescue", "--confirm"])?;
    ensure!(code == 0, "{said}");
    let status = line.status().await.context("the agent does not answer")?;
    ensure!(!status.health.reasons.iter().any(|it| it.starts_with("the database ")), "{:?}", status.health);
    line.station.stop_agent()?;
    Ok(())
}

fn harm_at_rest(harm: Harm, database: &Path, random: &mut StdRng) -> anyhow::Result<()> {
    let size = fs::metadata(database)?.len();
    match harm {
        Harm::Header => overwrite(database, 0, &noise(100, random)),
        Harm::FirstPage => overwrite(database, 0, &noise(PAGE, random)),
        Harm::MiddlePage => spoil(database, 2, 1, random),
        Harm::SeveralPages => spoil(database, 1, 12, random),
        Harm::Cut => Ok(File::options().write(true).open(database)?.set_len(size / 2 / PAGE * PAGE)?),
        Harm::Emptied => Ok(File::options().write(true).open(database)?.set_len(0)?),
        _ => files(database).into_iter().try_for_each(|path| Ok(fs::remove_file(path)?)),
    }
}

/// The database and its log, as far as they are there.
fn files(database: &Path) -> Vec<PathBuf> {
    let all = [database.to_owned(), database.with_extension("db-wal"), database.with_extension("db-shm")];
    all.into_iter().filter(|it| it.exists()).collect()
}

/// Overwrites so many pages with noise, none before page `first`, counted from 0.
fn spoil(database: &Path, first: u64, pages: usize, random: &mut StdRng) -> anyhow::Result<()> {
    let last = fs::metadata(database)?.len() / PAGE;
    for _ in 0..pages {
        let page = random.random_range(first..last);
        overwrite(database, page * PAGE, &noise(PAGE, random))?;
    }
    Ok(())
}

fn noise(bytes: u64, random: &mut StdRng) -> Vec<u8> {
    (0..bytes).map(|_| random.random()).collect()
}

fn overwrite(path: &Path, at: u64, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}
