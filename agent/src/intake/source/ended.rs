//! What comes after the work on a file: most have gone, some stay.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::super::Outcome;
use super::super::disk::Others;
use super::Watching;
use crate::control::api::After;
use crate::files::Stamp;

/// How long until a file that could not be moved away is tried again, at the next look after that.
const MOVE_AGAIN: Duration = Duration::from_secs(15);

impl Watching {
    pub(super) async fn work_ended(&mut self, key: &Path, outcome: Outcome) {
        self.out = self.out.saturating_sub(1);
        self.unreadable.remove(key);
        match outcome {
            Outcome::Later(time) => self.settling.later(key, Instant::now() + time),
            Outcome::Unreadable(time) => {
                self.settling.later(key, Instant::now() + time);
                self.unreadable.insert(key.to_owned());
            }
            Outcome::Done => {
                let done = self.settling.done(key, Instant::now());
                // Also what a plug-in wanted kept.
                if self.source.settings.after == After::Keep || self.source.program.is_some() {
                    self.keep(key, done).await;
                }
            }
            Outcome::Left => {
                let done = self.settling.done(key, Instant::now());
                self.keep(key, done).await;
            }
            Outcome::Immovable => {
                let done = self.settling.done(key, Instant::now());
                let kept = self.keep(key, done).await;
                self.immovable.extend(kept);
                self.move_at.get_or_insert(Instant::now() + MOVE_AGAIN);
            }
        }
    }

    /// Remembers a file that is still there as it was `done`, so that it is not found again; answers how it looks. Another
    /// that has taken its place meanwhile is looked at like any new one.
    async fn keep(&mut self, key: &Path, done: Option<Stamp>) -> Option<(PathBuf, Stamp)> {
        let (key, seen) = self.place.look(vec![key.to_owned()]).await.ok()?.pop()?;
        let stamp = seen?.stamp;
        if done.is_some_and(|done| done != stamp) {
            self.settling.found(key, Instant::now());
            return None;
        }
        let kept = (key, stamp);
        Arc::make_mut(&mut self.kept).insert(kept.clone());
        Some(kept)
    }

    /// Lets the next look find again what could not be moved.
    pub(super) fn release_immovable(&mut self) {
        if self.move_at.is_some_and(|at| at <= Instant::now()) {
            self.move_at = None;
            let kept = Arc::make_mut(&mut self.kept);
            for file in self.immovable.drain(..) {
                kept.remove(&file);
            }
        }
    }

    /// What a person should know of files that are not taken.
    pub(super) fn remarks(&self, others: Others, immovable: usize) -> Option<String> {
        let mut remarks = Vec::new();
        if immovable > 0 {
            remarks.push(format!(
                "{immovable} files are done with but cannot be moved away: give the agent the right to write here"
            ));
        }
        if let Some(path) = self.unreadable.first() {
            let (count, path) = (self.unreadable.len(), path.display());
            remarks.push(format!(
                "{count} files cannot be read and are tried again, for example {path}: look at their rights"
            ));
        }
        remarks.extend(self.deaf.clone());
        if let Some(name) = others.stranger {
            let patterns = self.place.names.rules.patterns.join(", ");
            let count = others.strangers;
            remarks
                .push(format!("{count} files do not fit {patterns} and are left alone, for example {name}"));
        }
        if let Some(name) = others.unmarked_one {
            let marker = self.place.names.rules.marker.as_deref().unwrap_or_default();
            let count = others.unmarked;
            remarks.push(format!("{count} files wait for their marker {marker}, for example {name}"));
        }
        remarks.extend(others.unreadable);
        (!remarks.is_empty()).then(|| remarks.join("; "))
    }
}
