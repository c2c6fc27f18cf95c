//! The configuration file is broken while the agent runs: the settings in force stay in force.

use std::fs;

use super::Plan;
use super::line::{Count, Line};

const FILES: usize = 10;

const BROKEN: [&str; 5] = [
    "",
    "version = 1\n[station\n",
    "version = 99\n",
    "\u{0}\u{1}\u{2}",
    "version = 1\n[[sources]]\nname = \"text\"\nconverter = \"no-such\"\n",
];

pub(super) async fn run(plan: Plan) -> anyhow::Result<Count> {
    let mut line = Line::start().await?;
    let path = line.station.folder().join("test.toml");
    let whole = fs::read(&path)?;
    let rounds = plan.pick(1, 20);
    let mut faults = 0;
    for round in 1..=rounds {
        for broken in BROKEN {
            faults += 1;
            replace(&path, broken.as_bytes())?;
            line.drop_files(FILES)?;
            line.until("delivered with the settings in force", |line, _| line.has_done_its_files()).await?;
            replace(&path, &whole)?;
        }
        plan.progress(round, rounds);
    }
    let count = line.judge().await?;
    Ok(Count { faults, ..count })
}

/// As an editor does: another file under the same name.
fn replace(path: &std::path::Path, content: &[u8]) -> anyhow::Result<()> {
    let draft = path.with_extension("draft");
    std::io::Write::write_all(&mut fs::File::create(&draft)?, content)?;
    Ok(fs::rename(draft, path)?)
}
