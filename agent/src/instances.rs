//! Every instance of this machine, and whether an agent runs on it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::Settings;
use crate::control::api::{Instance, InstanceState};

/// The instances whose configurations lie beside `config`.
///
/// # Errors
/// When the folder cannot be read.
pub fn all(config: &Path) -> io::Result<Vec<Instance>> {
    let mut configs: Vec<PathBuf> = fs::read_dir(crate::files::folder_of(config))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml") && path.is_file())
        .collect();
    configs.sort();
    Ok(configs.iter().map(|config| look(config)).collect())
}

fn look(path: &Path) -> Instance {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let config = path.display().to_string();
    let settings = match Settings::load(path) {
        Ok(settings) => settings,
        Err(error) => {
            // The agent may run with the configuration of before.
            let storage = Settings::whereabouts(path).map(|it| it.storage_folder());
            let (state, process, _) =
                storage.map_or((InstanceState::Unknown, None, None), |it| holder(&it.join("lock")));
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
fn holder(lock: &Path) -> (InstanceState, Option<u32>, Option<String>) {
    use InstanceState::{Running, Stopped, Unknown};
    let file = match File::open(lock) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return (Stopped, None, None),
        Err(error) => return (Unknown, None, Some(format!("{}: {error}", lock.display()))),
    };
    // A shared lock, given back at once: it keeps nobody from starting but for this moment.
    match file.try_lock_shared() {
        Ok(()) => (Stopped, None, None),
        Err(TryLockError::WouldBlock) => {
            let written = fs::read_to_string(lock).unwrap_or_default();
            (Running, written.trim().parse().ok(), None)
        }
        Err(TryLockError::Error(error)) => (Unknown, None, Some(format!("{}: {error}", lock.display()))),
    }
}
