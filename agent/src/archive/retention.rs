//! Forgets delivered files by age and by the room that they take, so that the disk never fills up with the past.
//!
//! Only what the server acknowledged, or a person gave up, is ever forgotten. What waits or was refused stays, and
//! so do the files of the error folders. The ledger still knows of everything.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::Agent;
use crate::control::disk;
use crate::files;
use crate::service::Pulse;
use crate::store::{Delivered, Store, StoreError};

/// How often it is looked for what may go.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// So many files are looked at in one go, with a breath between.
const BATCH: u32 = 200;

/// What may be kept.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    /// Older files go.
    since: Option<Timestamp>,
    /// The archive may take so many bytes.
    bytes: Option<u64>,
}

/// What went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Swept {
    files: u64,
    bytes: u64,
}

/// Keeps the archive within its limits until `stop` fires.
///
/// # Errors
/// When the database does not answer; to be started again.
pub async fn run(agent: Agent, pulse: &Pulse, stop: &CancellationToken) -> Result<(), StoreError> {
    let mut settings = agent.watch_settings();
    while !stop.is_cancelled() {
        pulse.beat();
        let now = Timestamp::now();
        let (archive, allowance) = {
            let settings = settings.borrow_and_update();
            let limits = &settings.config.retention;
            let age = SignedDuration::from_hours(24 * i64::from(limits.days));
            let archive = settings.archive_folder();
            let total = disk(&settings.storage_folder()).total_bytes;
            let allowance = Allowance {
                since: (limits.days > 0).then(|| now.saturating_sub(age).unwrap_or(now)),
                bytes: room(total, limits.percent),
            };
            (archive, allowance)
        };
        let swept = sweep(agent.store(), &archive, allowance, now, pulse, stop).await?;
        if swept.files > 0 {
            tracing::info!(files = swept.files, bytes = swept.bytes, "forgot delivered files");
        }
        tokio::select! {
            () = stop.cancelled() => {}
            // Without its senders there are no settings that could change.
            _ = settings.changed() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    Ok(())
}

/// What the archive may take. A file system that does not tell its size, which shows as 0, limits nothing: no file
/// goes for a question that was not answered.
fn room(total: u64, percent: u32) -> Option<u64> {
    (percent > 0 && total > 0).then(|| total / 100 * u64::from(percent))
}

/// Forgets what is older than allowed, then the oldest until the rest takes no more room than allowed.
async fn sweep(
    store: &Store,
    archive: &Path,
    allowance: Allowance,
    now: Timestamp,
    pulse: &Pulse,
    stop: &CancellationToken,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    let mut over = match allowance.bytes {
        Some(limit) => store.archived_bytes().await?.saturating_sub(limit),
        None => 0,
    };
    let mut last = None;
    while !stop.is_cancelled() {
        pulse.beat();
        let before = if over > 0 { now } else { allowance.since.unwrap_or(Timestamp::MIN) };
        let batch = store.delivered(before, last, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        for file in batch {
            last = Some((file.received_at, file.id));
            let is_old = allowance.since.is_some_and(|since| file.received_at < since);
            let takes_room = file.kept_at.is_some();
            if !is_old && (over == 0 || !takes_room) {
                continue;
            }
            if forget(store, archive, &file).await? {
                swept.files += 1;
                if takes_room {
                    swept.bytes = swept.bytes.saturating_add(file.size_bytes);
                    over = over.saturating_sub(file.size_bytes);
                }
            }
        }
    }
    Ok(swept)
}

/// The file goes first, on disk as well: a record without a file does no harm, a file without a record would stay for ever.
async fn forget(store: &Store, archive: &Path, file: &Delivered) -> Result<bool, StoreError> {
    // One that still lies where it was found would be converted again.
    if file.kept_at.is_none() && !has_gone(&file.path).await {
        return Ok(false);
    }
    if let Some(place) = file.kept_at.as_deref().and_then(|kept_at| place(archive, kept_at)) {
        let removed = tokio::task::spawn_blocking({
            let place = place.clone();
            move || remove(&place)
        });
        if let Err(error) = removed.await.map_err(io::Error::other).flatten() {
            tracing::warn!(%error, "could not delete {}; it is tried again", place.display());
            return Ok(false);
        }
    }
    store.forget_delivered(file.id).await
}

/// True when surely nothing is there: a network mount that does not answer says nothing.
async fn has_gone(path: &Path) -> bool {
    match tokio::time::timeout(Duration::from_secs(5), tokio::fs::symlink_metadata(path)).await {
        Ok(Err(error)) => error.kind() == io::ErrorKind::NotFound,
        Ok(Ok(_)) | Err(_) => false,
    }
}

/// The entry of a day's folder in which the file lies; `None` for one that does not lie in the archive.
pub(super) fn place(archive: &Path, kept_at: &Path) -> Option<PathBuf> {
    let mut below = kept_at.strip_prefix(archive).ok()?.components();
    match (below.next()?, below.next()?) {
        (Component::Normal(day), Component::Normal(entry)) => Some(archive.join(day).join(entry)),
        _ => None,
    }
}

/// Removes a file, or the folder of a unit, and the day's folder when it was the last.
fn remove(place: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(place) {
        Ok(it) if it.is_dir() => fs::remove_dir_all(place),
        Ok(_) => fs::remove_file(place),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(day) = place.parent() else { return Ok(()) };
    // Others lie in it, most of the time.
    let gone = match fs::remove_dir(day) {
        Ok(()) => day.parent(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => day.parent(),
        Err(_) => Some(day),
    };
    // After a power cut the file must not be back without its record.
    match gone.map_or(Ok(()), files::sync_folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::files::Stamp;
    use crate::service::Vitals;
    use crate::store::{Attempt, Finished, Made, NewFile, NewReport, Sent, Waiting};

    const DAY: i64 = 24 * 3600;

    struct Bench {
        folder: tempfile::TempDir,
        store: Store,
        now: Timestamp,
    }

    impl Bench {
        async fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("agent.db")).await.unwrap();
            Self { folder, store, now: Timestamp::from_second(1_800_000_000).unwrap() }
        }

        fn archive(&self) -> PathBuf {
            self.folder.path().join("archive")
        }

        /// A file of 100 bytes that was received so many days ago and lies in the archive; its report is queued.
        #[expect(clippy::disallowed_methods, reason = "the content does not matter")]
        async fn file(&self, name: &str, days: i64) -> PathBuf {
            let received_at = self.now.saturating_sub(SignedDuration::from_secs(days * DAY)).unwrap();
            let new = NewFile {
                source: "line".to_owned(),
                converter: "wats-text".to_owned(),
                arguments: "{}".to_owned(),
                path: self.folder.path().join("in").join(name),
                stamp: Stamp { device: 1, inode: 1, size: 100, modified_ns: 1 },
                sha256: name.to_owned(),
                received_at,
                note: None,
            };
            let report = NewReport {
                id: uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()),
                serial_number: name.to_owned(),
                part_number: "P".to_owned(),
                process_code: None,
                result: "P".to_owned(),
                body: crate::store::Body::new(b"{}"),
            };
            let finished = Finished { file: new, made: Made::Reports(vec![report].into()) };
            let id = self.store.finish(Arc::from([finished]), received_at).await.unwrap()[0].id;
            let kept_at = self.archive().join(format!("day-{days}")).join(format!("{id}-{name}"));
            fs::create_dir_all(kept_at.parent().unwrap()).unwrap();
            fs::write(&kept_at, [b'x'; 100]).unwrap();
            self.store.put_away(vec![(id, Some(kept_at.clone()))]).await.unwrap();
            kept_at
        }

        async fn all_end_as(&self, sent: Sent) {
            let all = |waiting: Vec<Waiting>| waiting.into_iter().flat_map(|(_, reports)| reports).collect();
            for due in self.store.take_due(self.now, 100, all).await.unwrap() {
                let attempt = Attempt { report: due.head, sent: sent.clone(), at: self.now };
                self.store.sent(Arc::from([attempt])).await.unwrap();
            }
        }

        async fn sweep(&self, days: Option<i64>, bytes: Option<u64>) -> Swept {
            let since =
                days.map(|days| self.now.saturating_sub(SignedDuration::from_secs(days * DAY)).unwrap());
            let pulse = Vitals::default().watch("retention", Duration::from_secs(1));
            let stop = CancellationToken::new();
            sweep(&self.store, &self.archive(), Allowance { since, bytes }, self.now, &pulse, &stop)
                .await
                .unwrap()
        }
    }

    fn accepted() -> Sent {
        Sent::Accepted { answer: String::new() }
    }

    #[tokio::test]
    async fn weakness_14_delivered_files_go_when_they_are_old_and_nothing_else_does() {
        let bench = Bench::new().await;
        let old = bench.file("old", 100).await;
        let young = bench.file("young", 5).await;
        bench.all_end_as(accepted()).await;
        let refused = bench.file("refused", 100).await;
        bench.all_end_as(Sent::Rejected { error: "no".to_owned(), answer: String::new() }).await;
        let waiting = bench.file("waiting", 100).await;
        assert_eq!(bench.sweep(Some(90), None).await, Swept { files: 1, bytes: 100 });
        assert!(!old.exists() && !old.parent().unwrap().join("100").exists());
        assert!(young.exists() && refused.exists() && waiting.exists());
        assert_eq!(bench.sweep(Some(90), None).await, Swept::default());
        assert_eq!(bench.sweep(None, None).await, Swept::default(), "without limits nothing goes");
    }

    #[tokio::test]
    async fn weakness_14_the_oldest_go_first_when_the_archive_takes_too_much_room() {
        let bench = Bench::new().await;
        let mut files = Vec::new();
        for days in [4, 3, 2, 1] {
            files.push(bench.file(&format!("f{days}"), days).await);
        }
        bench.all_end_as(accepted()).await;
        assert_eq!(bench.sweep(Some(90), Some(250)).await, Swept { files: 2, bytes: 200 });
        assert_eq!(files.iter().map(|it| it.exists()).collect::<Vec<_>>(), [false, false, true, true]);
        assert!(!files[0].parent().unwrap().exists(), "the empty folder of the day goes, too");
        assert_eq!(bench.store.archived_bytes().await.unwrap(), 200);
    }

    #[tokio::test]
    async fn a_file_that_still_lies_where_it_was_found_stays_known() {
        let bench = Bench::new().await;
        bench.file("kept", 100).await;
        bench.all_end_as(accepted()).await;
        let there = bench.folder.path().join("in/kept");
        fs::create_dir_all(there.parent().unwrap()).unwrap();
        fs::copy(bench.folder.path().join("agent.db"), &there).unwrap();
        bench.store.put_away(vec![(1, None)]).await.unwrap();
        assert_eq!(bench.sweep(Some(90), None).await, Swept::default());
        fs::remove_file(there).unwrap();
        assert_eq!(bench.sweep(Some(90), None).await, Swept { files: 1, bytes: 0 });
    }

    #[test]
    fn a_file_system_that_does_not_tell_its_size_costs_no_file() {
        assert_eq!(room(0, 50), None);
        assert_eq!(room(1000, 0), None);
        assert_eq!(room(1000, 50), Some(500));
    }

    #[test]
    fn nothing_outside_the_archive_is_ever_deleted() {
        let archive = Path::new("/var/lib/wats-agent/x/archive");
        assert!(remove(&archive.join("never/was")).is_ok(), "what is gone already is no trouble");
        let at = |path: &str| place(archive, Path::new(path));
        assert_eq!(at("/etc/passwd"), None);
        assert_eq!(at("/var/lib/wats-agent/x/archive"), None);
        assert_eq!(at("/var/lib/wats-agent/x/archive/2026-01-01"), None);
        assert_eq!(at("/var/lib/wats-agent/x/archive/../agent.db"), None);
        assert_eq!(at("/var/lib/wats-agent/x/archive/d/1-unit/a/b.txt"), Some(archive.join("d/1-unit")));
    }
}
