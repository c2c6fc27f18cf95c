//! `wats-agent instances`: every instance of this machine, and whether an agent runs on it.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

use crate::config::Settings;

/// One instance, as its configuration and the lock in its folder show it.
#[derive(Debug, Serialize)]
struct Instance {
    name: String,
    config: PathBuf,
    state: State,
    /// Of the agent that runs on it.
    process: Option<u32>,
    /// How many sources it has; absent where the configuration is wrong.
    sources: Option<usize>,
    /// What is wrong with the configuration, or why the state is not known.
    trouble: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Running,
    Stopped,
    /// The lock may not be looked at: not root, and not the agent's user.
    Unknown,
}

/// Lists the instances whose configurations lie beside `config`.
#[expect(clippy::print_stdout, reason = "this is the answer of the command")]
pub(super) fn list(config: &Path, json: bool) -> anyhow::Result<()> {
    let folder = crate::files::folder_of(config);
    let entries = fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut configs: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml") && path.is_file())
        .collect();
    configs.sort();
    let instances: Vec<Instance> = configs.into_iter().map(look).collect();
    if json {
        println!("{}", serde_json::to_string_pretty(&instances)?);
    } else if instances.is_empty() {
        println!("there is no configuration in {}", folder.display());
    } else {
        instances.iter().for_each(|it| println!("{}", describe(it)));
    }
    Ok(())
}

fn look(config: PathBuf) -> Instance {
    let name = config.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let settings = match Settings::load(&config) {
        Ok(settings) => settings,
        Err(error) => {
            // The agent may run with the configuration of before.
            let storage = Settings::whereabouts(&config).map(|it| it.storage_folder());
            let (state, process, _) =
                storage.map_or((State::Unknown, None, None), |it| holder(&it.join("lock")));
            return Instance {
                name,
                config,
                state,
                process,
                sources: None,
                trouble: Some(error.to_string()),
            };
        }
    };
    let (state, process, trouble) = holder(&settings.storage_folder().join("lock"));
    Instance { name, config, state, process, sources: Some(settings.config.sources.len()), trouble }
}

/// Whether somebody holds the lock, and who says that it is him.
fn holder(lock: &Path) -> (State, Option<u32>, Option<String>) {
    let file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (State::Stopped, None, None),
        Err(error) => return (State::Unknown, None, Some(format!("{}: {error}", lock.display()))),
    };
    // A shared lock, given back at once: it keeps nobody from starting but for this moment.
    match file.try_lock_shared() {
        Ok(()) => (State::Stopped, None, None),
        Err(TryLockError::WouldBlock) => {
            let written = fs::read_to_string(lock).unwrap_or_default();
            (State::Running, written.trim().parse().ok(), None)
        }
        Err(TryLockError::Error(error)) => {
            (State::Unknown, None, Some(format!("{}: {error}", lock.display())))
        }
    }
}

fn describe(instance: &Instance) -> String {
    let state = match (instance.state, instance.process) {
        (State::Running, Some(process)) => format!("runs, process {process}"),
        (State::Running, None) => "runs".to_owned(),
        (State::Stopped, _) => "does not run".to_owned(),
        (State::Unknown, _) => "not known".to_owned(),
    };
    let sources = instance.sources.map(|it| format!(", sources: {it}")).unwrap_or_default();
    let trouble = instance.trouble.as_ref().map(|it| format!("\n  {it}")).unwrap_or_default();
    format!("{}: {state}{sources}, {}{trouble}", instance.name, instance.config.display())
}
