//! How watching begins: how the folder is reached, what was left undone, and whether events come.

use std::io;
use std::time::Duration;

use jiff::Timestamp;
use notify::RecommendedWatcher;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::super::disk::{Look, Seen};
use super::super::listen::{self, Ear};
use super::super::reach::blocking;
use super::super::settings::{Unit, Watch};
use super::super::share::mounts::{self, Mount};
use super::Watching;
use crate::control::api::FileState;

/// How long listening may take to begin.
const LISTEN_TIME: Duration = Duration::from_secs(10);

impl Watching {
    /// Finds out how the folder is reached: by this process, or by helpers because it is on a network mount.
    pub(super) async fn connect(&mut self) -> io::Result<()> {
        let folder = self.source.folder.clone();
        let (mount, missing) =
            blocking(move || Ok((mounts::network(&folder)?, mounts::missing(&folder)))).await?;
        let gone = missing.or_else(|| self.mount.clone().filter(|_| mount.is_none()));
        if let Some(Mount { point, kind }) = gone {
            let words =
                format!("the network mount {} ({kind}) is not there; mount it again", point.display());
            return Err(io::Error::other(words));
        }
        let silence = Duration::from_secs(self.source.intake.share_timeout_seconds.into());
        self.place.share = match &mount {
            Some(mount) => Some(self.shares.at(&mount.point, &mount.kind, silence)),
            None if self.source.settings.intake.watch == Watch::Poll => {
                Some(self.shares.at(&self.source.folder, "", silence))
            }
            None => None,
        };
        self.mount = mount;
        Ok(())
    }

    /// Takes up what was done but not put away when the agent ended.
    pub(super) async fn take_up(&mut self) -> io::Result<()> {
        let store = self.agent.store().clone();
        let unfinished = store.unfinished(self.name()).await.map_err(io::Error::other)?;
        for file in unfinished {
            let key = match self.place.names.rules.unit {
                Unit::Folder => file.path.parent().unwrap_or(&file.path).to_owned(),
                Unit::File | Unit::FileAndFolder => file.path.clone(),
            };
            if file.state == FileState::Claimed {
                let looks = self.place.look(vec![key]).await?;
                // One that is there is found again.
                if looks.iter().all(|(_, seen)| seen.is_none()) {
                    let path = file.path.display();
                    tracing::warn!(
                        source.name = self.name(),
                        "{path} was taken away before it was converted"
                    );
                    store.forget(file.id).await.map_err(io::Error::other)?;
                }
                continue;
            }
            self.settling.working(&key, Instant::now());
            let (head, stamp) = (file.path, file.stamp);
            let seen = Seen { head, stamp, changed_ns: 0, companions: Vec::new(), look: Look::Plain };
            self.ready.push_back((key, seen, Duration::ZERO));
        }
        Ok(())
    }

    /// Listens to events, where that is wanted and possible.
    pub(super) async fn listen(&mut self, ear: Ear) -> Option<RecommendedWatcher> {
        let settings = &self.source.settings.intake;
        if settings.watch == Watch::Poll || settings.schedule.is_some() {
            self.listens = false;
            return None;
        }
        let folder = self.source.folder.clone();
        let below = self.place.names.rules.recursive || self.place.names.rules.unit == Unit::Folder;
        // A thread of its own: on a mount that dies now it would wait, and must not be waited for.
        let (sender, watcher) = oneshot::channel();
        let thread = std::thread::Builder::new().name("listen".to_owned());
        let started = thread.spawn(move || sender.send(listen::listen(&folder, below, ear)).is_ok());
        let watcher = match started {
            Ok(_) => match tokio::time::timeout(LISTEN_TIME, watcher).await {
                Ok(Ok(watcher)) => watcher,
                Ok(Err(_)) => Err(io::Error::other("the thread that listens crashed")),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            },
            Err(error) => Err(error),
        };
        self.listens = watcher.is_ok();
        self.listens_since = Timestamp::now();
        match watcher {
            Ok(watcher) => {
                self.deaf = None;
                Some(watcher)
            }
            Err(error) => {
                let words = format!("no events come from the folder ({error}): it is looked through instead");
                tracing::warn!(source.name = self.name(), "{words}");
                // On a network mount none are expected.
                self.deaf = self.mount.is_none().then_some(words);
                None
            }
        }
    }
}
