//! What is done for plug-ins all the time: noticing that they changed, ending idle processes, and running those that
//! run at their times.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use super::schedule::Scheduler;
use super::shelf::Shelf;
use super::{content, emptying, manage};
use crate::config::Settings;
use crate::convert::Pool;
use crate::{Agent, error_chain};

/// How often the clock is looked at, and the folder in a number of looks.
const LOOK: Duration = Duration::from_secs(1);
const FOLDER_EVERY: u32 = 2;
const TIDY_EVERY: u32 = 30;

/// Looks after the plug-ins until `stop` fires.
pub async fn run(agent: Agent, pool: Pool, stop: CancellationToken) {
    let work = agent.settings().plugin_work_folder();
    // Left by processes of an agent that was killed.
    let cleared = tokio::task::spawn_blocking(move || clear(&work)).await;
    if let Ok(Err(error)) = cleared {
        tracing::warn!(%error, "could not remove what plug-ins left behind");
    }
    let (mut scheduler, mut seen, mut looks) = (Scheduler::new(agent.clone(), pool), None, 0_u32);
    let mut asked = BTreeSet::new();
    while !stop.is_cancelled() {
        if looks % FOLDER_EVERY == 0 {
            let settings = agent.settings();
            let now = tokio::task::spawn_blocking(move || fingerprint(&settings)).await.ok();
            if now != seen && seen.is_some() {
                let other = agent.clone();
                // Reads and hashes them.
                tokio::task::spawn_blocking(move || other.find_plugins()).await.ok();
            }
            seen = now;
            describe(&agent, &mut asked).await;
        }
        if looks % TIDY_EVERY == 0 {
            let agent = agent.clone();
            let tidied = tokio::task::spawn_blocking(move || {
                agent.plugins().tidy();
                let settings = agent.settings();
                let enabled: Vec<_> =
                    settings.config.plugins.enabled.iter().map(|it| it.sha256.clone()).collect();
                Shelf::of(&settings.storage_folder()).tidy(|sha256| enabled.iter().any(|it| it == sha256));
            });
            if let Err(error) = tidied.await {
                tracing::error!(%error, "looking after the plug-ins crashed");
            }
        }
        agent.set_trouble("plug-ins started", agent.plugins().trouble());
        scheduler.look().await;
        looks = looks.wrapping_add(1);
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    scheduler.end().await;
}

/// Asks those that a person has enabled, with exactly this content, and whose answer is not known here: the
/// configuration came from another machine, or the answer was lost. Each content is asked once.
async fn describe(agent: &Agent, asked: &mut BTreeSet<String>) {
    let settings = agent.settings();
    let silent = settings.plugins.iter().filter(|it| it.description.is_none());
    let mut heard = false;
    for plugin in silent.map(|it| it.plugin.clone()) {
        let is_it =
            manage::show(&settings, &plugin.file).is_ok_and(|it| it.sha256.as_ref() == Some(&plugin.sha256));
        if !is_it || !asked.insert(plugin.sha256.clone()) {
            continue;
        }
        match manage::check(&settings, &plugin.file, None, None).await {
            Ok(check) if check.problems.is_empty() => heard = true,
            Ok(check) => tracing::error!("the plug-in {}: {}", plugin.file, check.problems.join("; ")),
            Err(error) => tracing::error!("the plug-in {}: {}", plugin.file, error_chain(&error)),
        }
    }
    if heard {
        let agent = agent.clone();
        tokio::task::spawn_blocking(move || agent.find_plugins()).await.ok();
    }
}

fn clear(work: &Path) -> std::io::Result<()> {
    match emptying::empty(work) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

type Fingerprint = BTreeMap<String, Vec<(std::path::PathBuf, Option<(SystemTime, u64)>)>>;

/// How the enabled plug-ins look, without reading them.
fn fingerprint(settings: &Settings) -> Fingerprint {
    let folder = settings.plugins_folder();
    let look = |path: &Path| {
        let metadata = fs::symlink_metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    let one = |file: &String| {
        let path = folder.join(file);
        let mut all = vec![(path.clone(), look(&path))];
        let mut folders = vec![path];
        while let Some(place) = folders.pop() {
            for entry in fs::read_dir(&place).into_iter().flatten().flatten().take(2000) {
                let path = entry.path();
                if entry.file_type().is_ok_and(|it| it.is_dir()) && all.len() < 4000 {
                    folders.push(path.clone());
                }
                all.push((path.clone(), look(&path)));
            }
        }
        // What a single file asks for, beside it.
        for beside in content::beside(file) {
            let path = folder.join(beside);
            all.push((path.clone(), look(&path)));
        }
        all.sort();
        all
    };
    settings.config.plugins.enabled.iter().map(|it| (it.file.clone(), one(&it.file))).collect()
}
