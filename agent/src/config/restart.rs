//! What a running agent cannot change: it holds until the next start.

use super::Config;

/// Leaves in `wanted` what needs a restart as it is in `running`; answers the keys of what was asked for otherwise.
pub(crate) fn keep_until_restart(running: &Config, wanted: &mut Config) -> Vec<&'static str> {
    let mut waiting = Vec::new();
    keep(&mut waiting, "control.socket", &running.control.socket, &mut wanted.control.socket);
    keep(&mut waiting, "storage.folder", &running.storage.folder, &mut wanted.storage.folder);
    keep(&mut waiting, "storage.machine_key", &running.storage.machine_key, &mut wanted.storage.machine_key);
    waiting
}

fn keep<T: Clone + PartialEq>(
    waiting: &mut Vec<&'static str>,
    key: &'static str,
    running: &T,
    wanted: &mut T,
) {
    if wanted != running {
        waiting.push(key);
        wanted.clone_from(running);
    }
}
