//! Notices that the configuration file changed, and has it looked at once it rests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Agent;
use crate::config::read_text;
use crate::files::folder_of;
use crate::service::Pulse;
use crate::system::Reread;

/// The file is read so often where no event tells of it: on a network mount, or behind a link into another folder.
const POLL: Duration = Duration::from_secs(5);
/// Editors write in several steps: the file counts as written when it says the same after this time.
const REST: Duration = Duration::from_millis(200);
/// One that never rests is looked at after so many of these times.
const LOOKS: u32 = 50;

/// Takes in every change of the configuration file until `stop` fires. SIGHUP has it looked at as well.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) async fn run(agent: Agent, pulse: &Pulse, stop: &CancellationToken) -> std::io::Result<()> {
    let path = agent.settings().path.clone();
    let mut hangup = Reread::listen()?;
    let changed = Arc::new(Notify::new());
    let _watcher = listen(&path, &changed);
    while !stop.is_cancelled() {
        pulse.beat();
        let rested = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            rested = rested(&path) => rested,
        };
        agent.look_at_file(rested).await;
        tokio::select! {
            () = stop.cancelled() => {}
            () = changed.notified() => {}
            () = hangup.wait() => tracing::info!("asked to read the configuration again"),
            () = tokio::time::sleep(POLL) => {}
        }
    }
    Ok(())
}

/// The folder, not the file: editors and container platforms put another file, or another link, into its place.
fn listen(path: &Path, changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let heard = changed.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // That we read it ourselves is no news.
        if !event.is_ok_and(|event| event.kind.is_access() && !is_close(&event)) {
            heard.notify_one();
        }
    });
    let watching = watcher.and_then(|mut watcher| {
        watcher.watch(folder_of(path), RecursiveMode::NonRecursive)?;
        Ok(watcher)
    });
    watching
        .inspect_err(|error| {
            tracing::info!(%error, "no events of the configuration's folder; it is looked at every {} s", POLL.as_secs());
        })
        .ok()
}

fn is_close(event: &notify::Event) -> bool {
    use notify::event::{AccessKind, AccessMode, EventKind};
    matches!(event.kind, EventKind::Access(AccessKind::Close(AccessMode::Write)))
}

/// The text of the file, once it is the same twice, or as it is after a while.
async fn rested(path: &Path) -> Result<String, String> {
    let mut last = read(path.to_owned()).await;
    for _ in 0..LOOKS {
        tokio::time::sleep(REST).await;
        let now = read(path.to_owned()).await;
        if now == last {
            return now;
        }
        last = now;
    }
    last
}

async fn read(path: PathBuf) -> Result<String, String> {
    let read = tokio::task::spawn_blocking(move || read_text(&path).map_err(|error| error.to_string()));
    read.await.unwrap_or_else(|error| Err(error.to_string()))
}
