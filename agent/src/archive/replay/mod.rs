//! Runs archived sources again through the present converter, says what changes, and sends that.
//!
//! A request works on a part of the files, for a few seconds, and ends with where the next one goes on. So nothing is
//! remembered between requests: whoever asks may stop at any moment and begin anew, and what was stored before is
//! found equal then. Conversions have one worker of their own, so that no new file waits for an old one.

mod diff;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::read::{Reading, read};
use crate::Agent;
use crate::config::Settings;
use crate::control::api::{
    Change, ConverterKind, FileReplay, LEAST_PRIORITY, ReplayMark, ReplayOutcome, ReplayPart, ReplayRequest,
    ReportReplay, Unit,
};
use crate::control::disk;
use crate::convert::{Answer, Command, ConvertFailure, Job, Limits, Order, Pool};
use crate::store::{Archived, NewReport, StoreError};
use diff::differences;

/// A request works about so long, and on at most so many files.
const PART: Duration = Duration::from_secs(5);
const FILES: u32 = 500;
/// The reports of one file, together.
const ANSWER_BYTES: usize = 512 << 20;

/// Runs archived sources again. Cheap to clone; all clones share the worker.
#[derive(Debug, Clone)]
pub struct Replayer {
    agent: Agent,
    pool: Option<Pool>,
}

/// Why a part could not be worked on. What was done before it stands.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no worker process could be started")]
    NoWorker(#[source] io::Error),
    #[error("the many reports of a file could not be kept on the disk of the queue")]
    Spool(#[source] io::Error),
    #[error("the disk of the queue is nearly full: make room, then go on")]
    NoRoom,
}

impl Replayer {
    pub fn new(agent: Agent) -> Self {
        let time = Duration::from_secs(agent.settings().config.convert.time_limit_seconds.into());
        let limits = Limits { workers: 1, time, answer_bytes: ANSWER_BYTES };
        let command = |program| Command { program, arguments: vec!["worker".to_owned()] };
        let pool = std::env::current_exe().ok().map(|program| {
            Pool::new(command(program), limits, agent.settings().storage_folder())
                .with_plugins(agent.plugins().clone())
        });
        Self { agent, pool }
    }

    /// Works on the next part of the files.
    ///
    /// # Errors
    /// When the database or the machine refuses; the part can be asked for again.
    pub async fn part(&self, wish: &ReplayRequest) -> Result<ReplayPart, ReplayError> {
        let (store, started) = (self.agent.store(), Instant::now());
        let files = store.archived(&wish.converter, wish.from, wish.to, wish.after, FILES).await?;
        let whole = u32::try_from(files.len()).unwrap_or(u32::MAX) < FILES;
        let (count, mut part) = (files.len(), ReplayPart { files: Vec::new(), left: 0, next: None });
        let mut last = wish.after;
        for file in files {
            if started.elapsed() >= PART {
                break;
            }
            last = Some(ReplayMark { received_at: file.received_at, id: file.id });
            let outcome = self.file(&file, wish.dry_run).await?;
            part.files.push(FileReplay {
                id: file.id,
                name: file.name,
                source: file.source,
                received_at: file.received_at,
                outcome,
            });
        }
        if !whole || part.files.len() < count {
            part.next = last;
            part.left = store.archived_count(&wish.converter, wish.from, wish.to, last).await?;
        }
        Ok(part)
    }

    async fn file(&self, file: &Archived, dry_run: bool) -> Result<ReplayOutcome, ReplayError> {
        let settings = self.agent.settings();
        let unit = unit(&settings, file);
        let (bytes, companions) = match read(file, unit).await {
            Reading::Whole { bytes, companions } => (bytes, companions),
            Reading::Missing => return Ok(ReplayOutcome::Missing),
            Reading::Damaged => return Ok(ReplayOutcome::Damaged),
            Reading::Failed(error) => return Ok(ReplayOutcome::Unreadable { error: error.to_string() }),
        };
        let mut job = job(&settings, file);
        if unit == Unit::Folder {
            job.folder =
                file.place.parent().and_then(Path::file_name).map(|it| it.to_string_lossy().into_owned());
        }
        // A map of texts always has a JSON form.
        let arguments = serde_json::to_string(&job.arguments).unwrap_or_default();
        let reports = match self.convert(&file.source, Order { job, bytes, companions }).await? {
            Ok(reports) => reports,
            Err(error) => return Ok(ReplayOutcome::Failed { error }),
        };
        let (judged, changed) = self.compare(file, reports).await?;
        if !dry_run && !changed.is_empty() {
            if disk(&settings.storage_folder()).free_bytes < settings.least_free_bytes() {
                return Err(ReplayError::NoRoom);
            }
            let count = changed.len();
            let present = Archived { arguments, ..file.clone() };
            let version = settings.plugin_version(&file.converter);
            self.agent.store().replayed(present, changed, version, Timestamp::now()).await?;
            tracing::info!(file.id = file.id, reports = count, "converted {} again", file.name);
            self.agent.wake_delivery();
        }
        Ok(ReplayOutcome::Converted { reports: judged })
    }

    /// The reports of a content, or the words why there are none.
    async fn convert(
        &self,
        source: &str,
        order: Order,
    ) -> Result<Result<Vec<NewReport>, String>, ReplayError> {
        let missing = || ReplayError::NoWorker(io::Error::other("this program was not found"));
        let pool = self.pool.as_ref().ok_or_else(missing)?;
        let turn = pool.turn(source, &order.job.converter, LEAST_PRIORITY).await;
        let mut orders = [order];
        pool.ask_plugins(&mut orders).await;
        let mut answers = pool.convert(&turn, &mut orders).await;
        let made = match answers.pop().unwrap_or(Err(ConvertFailure::Garbled)) {
            Ok(Answer::Reports { reports, .. }) => Ok(reports),
            Ok(Answer::Refused { words, .. }) => Err(words),
            Ok(Answer::Plugin(verdict)) => verdict.made.reports(),
            Ok(Answer::Outdone) => Err("no converter took the file".to_owned()),
            Err(ConvertFailure::NoWorker(source)) => return Err(ReplayError::NoWorker(source)),
            Err(ConvertFailure::NoRoom(source)) => return Err(ReplayError::Spool(source)),
            Err(failure) => Err(failure.to_string()),
        };
        match made {
            Ok(reports) => Ok(Ok(reports.all().await.map_err(ReplayError::Spool)?)),
            Err(words) => Ok(Err(words)),
        }
    }

    /// Each report with what becomes of it, and those to be sent.
    async fn compare(
        &self,
        file: &Archived,
        reports: Vec<NewReport>,
    ) -> Result<(Vec<ReportReplay>, Vec<NewReport>), ReplayError> {
        let store = self.agent.store();
        let (mut judged, mut changed) = (Vec::with_capacity(reports.len()), Vec::new());
        let ids: BTreeSet<_> = reports.iter().map(|report| report.id).collect();
        for report in reports {
            let change = match store.report(report.id).await? {
                None => Change::New,
                // What cannot be read as JSON was not written by a converter of ours.
                Some(known) => match serde_json::from_slice(&report.body.wsjf().unwrap_or_default()) {
                    Ok(body) if known.body == body => Change::Equal,
                    Ok(body) => {
                        let (differences, more) = differences(&known.body, &body);
                        Change::Changed { differences, more }
                    }
                    Err(_) => Change::Changed { differences: Vec::new(), more: 0 },
                },
            };
            let is_equal = matches!(change, Change::Equal);
            judged.push(ReportReplay { id: report.id, serial_number: report.serial_number.clone(), change });
            if !is_equal {
                changed.push(report);
            }
        }
        for (id, serial_number) in store.reports_of(file.id).await? {
            if !ids.contains(&id) {
                judged.push(ReportReplay { id, serial_number, change: Change::Gone });
            }
        }
        Ok((judged, changed))
    }
}

/// The present settings of the file's source, where it still has the converter.
fn source<'a>(settings: &'a Settings, file: &Archived) -> Option<&'a crate::control::api::SourceSettings> {
    settings.source(&file.source).filter(|source| source.converter == file.converter)
}

/// What belonged to a file.
pub(super) fn unit(settings: &Settings, file: &Archived) -> Unit {
    let declared = || match settings.plugins.find(&file.converter).map(|it| it.converter.info.kind) {
        Some(ConverterKind::Folder) => Some(Unit::Folder),
        Some(_) => Some(Unit::File),
        None => wats_converters::find(&file.converter).map(|it| it.unit().into()),
    };
    source(settings, file)
        .map(|source| settings.effective(source).unit())
        .or_else(declared)
        .unwrap_or(Unit::File)
}

/// As when the file came, but with the present settings.
fn job(settings: &Settings, file: &Archived) -> Job {
    let recorded = || serde_json::from_str::<BTreeMap<_, _>>(&file.arguments).unwrap_or_default();
    Job {
        converter: file.converter.clone(),
        arguments: source(settings, file).map_or_else(recorded, |source| source.arguments.clone()),
        file_name: file.name.clone(),
        sha256: file.sha256.clone(),
        modified: file.modified,
        station: settings.config.station.clone(),
        now: file.received_at,
        folder: None,
        rival: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::files::Stamp;
    use crate::secret::{KeySource, SealedStore, Secrets};
    use crate::store::{Attempt, Body, Due, Finished, Ledger, Made, NewFile, Sent, Store, Waiting};

    fn report(id: u128, value: &str) -> NewReport {
        NewReport {
            id: Uuid::from_u128(id),
            serial_number: format!("SN-{id}"),
            part_number: "P".to_owned(),
            process_code: Some(10),
            result: "P".to_owned(),
            body: Body::new(format!("{{\"sn\":\"SN-{id}\",\"value\":{value}}}").as_bytes()),
        }
    }

    async fn bench(folder: &Path) -> Replayer {
        let path = folder.join("default.toml");
        let text = format!(
            "version = 1\n[storage]\nfolder = \"{0}\"\n[[sources]]\nname = \"line\"\nconverter = \"wats-text\"\n\
             [sources.arguments]\ndefaultOperationTypeCode = \"50\"\n",
            folder.display()
        );
        crate::files::replace_file(&path, 0o640, text.as_bytes()).unwrap();
        let settings = Settings::load(&path).unwrap();
        let store = Store::open(&settings.database()).await.unwrap();
        let secrets =
            Secrets::new(SealedStore::new(folder.join("secrets"), KeySource::File(folder.join("key"))));
        Replayer { agent: Agent::new(settings, store, secrets, Timestamp::UNIX_EPOCH), pool: None }
    }

    async fn add(store: &Store, converter: &str, second: i64, reports: Vec<NewReport>) -> i64 {
        let now = Timestamp::from_second(second).unwrap();
        let file = NewFile {
            source: "line".to_owned(),
            converter: converter.to_owned(),
            arguments: r#"{"defaultOperationTypeCode":"10"}"#.to_owned(),
            path: format!("/in/{second}.txt").into(),
            stamp: Stamp { device: 1, inode: second.unsigned_abs(), size: 5, modified_ns: 7 },
            sha256: format!("{second:064}"),
            received_at: now,
            note: None,
        };
        let finished = Finished { file, made: Made::Reports(reports.into()) };
        let id = store.finish(Arc::from([finished]), now).await.unwrap()[0].id;
        store.put_away(vec![(id, Some(format!("/archive/{id}-{second}.txt").into()))]).await.unwrap();
        id
    }

    async fn take(store: &Store, now: Timestamp) -> Vec<Due> {
        let all = |waiting: Vec<Waiting>| waiting.into_iter().flat_map(|(_, reports)| reports).collect();
        store.take_due(now, 10, all).await.unwrap()
    }

    async fn ends(store: &Store, due: &Due, now: Timestamp) {
        let sent = Sent::Accepted { answer: "ok".to_owned() };
        store.sent(Arc::from([Attempt { report: due.head.clone(), sent, at: now }])).await.unwrap();
    }

    #[tokio::test]
    async fn each_report_is_equal_changed_new_or_gone_and_only_what_differs_is_sent() {
        let folder = tempfile::tempdir().unwrap();
        let replayer = bench(folder.path()).await;
        let store = replayer.agent.store();
        let now = Timestamp::from_second(100).unwrap();
        let id = add(store, "wats-text", 10, vec![report(1, "1.5"), report(2, "2"), report(3, "3")]).await;
        for due in take(store, now).await {
            ends(store, &due, now).await;
        }
        let file = store.archived_file(id).await.unwrap().unwrap();
        let given = vec![report(1, "1.50"), report(2, "2.25"), report(4, "4")];
        let (judged, changed) = replayer.compare(&file, given).await.unwrap();
        let words: Vec<_> = judged
            .iter()
            .map(|report| match &report.change {
                Change::Changed { differences, more: 0 } => {
                    format!("{} {}", report.serial_number, differences[0])
                }
                change => format!("{} {change:?}", report.serial_number),
            })
            .collect();
        assert_eq!(words, ["SN-1 Equal", "SN-2 value: 2, now 2.25", "SN-4 New", "SN-3 Gone"]);
        assert_eq!(changed.iter().map(|it| it.serial_number.as_str()).collect::<Vec<_>>(), ["SN-2", "SN-4"]);

        store.replayed(file, changed, None, now).await.unwrap();
        // Behind everything else: under a name that no source has.
        let mut due = take(store, now).await;
        due.sort_by_key(|due| due.head.id);
        assert!(due.iter().all(|it| it.head.source == "line (replayed)"), "{due:?}");
        assert_eq!(due.iter().map(|it| it.head.id.as_u128()).collect::<Vec<_>>(), [2, 4]);
        ends(store, &due[0], now).await;

        let ledger = Ledger::open(&folder.path().join("agent.db")).await.unwrap();
        let records = ledger.find("SN-2").await.unwrap();
        let events: Vec<_> = records.iter().map(|it| it.event.word()).collect();
        assert_eq!(events, ["converted", "acknowledged", "replayed", "acknowledged"]);
        assert_eq!(records[3].report_sha256, records[2].report_sha256, "of the new content");
        assert_ne!(records[2].report_sha256, records[0].report_sha256);
        assert!(records.iter().all(|it| it.source == "line"), "{records:?}");
    }

    #[tokio::test]
    async fn files_are_found_by_converter_and_time_and_a_part_goes_on_where_the_last_ended() {
        let folder = tempfile::tempdir().unwrap();
        let replayer = bench(folder.path()).await;
        let store = replayer.agent.store();
        for second in 10..16 {
            add(store, "wats-text", second, vec![report(second.unsigned_abs().into(), "1")]).await;
        }
        add(store, "wats-json", 12, vec![report(99, "1")]).await;
        let (from, to) = (Timestamp::from_second(11).unwrap(), Timestamp::from_second(15).unwrap());
        let names = |files: Vec<Archived>| files.into_iter().map(|it| it.name).collect::<Vec<_>>();
        let first = store.archived("wats-text", from, to, None, 3).await.unwrap();
        let mark = ReplayMark { received_at: first[2].received_at, id: first[2].id };
        assert_eq!(names(first), ["11.txt", "12.txt", "13.txt"]);
        assert_eq!(store.archived_count("wats-text", from, to, Some(mark)).await.unwrap(), 1);
        assert_eq!(names(store.archived("wats-text", from, to, Some(mark), 3).await.unwrap()), ["14.txt"]);
    }

    #[tokio::test]
    async fn the_present_arguments_hold_unless_the_source_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let replayer = bench(folder.path()).await;
        let id = add(replayer.agent.store(), "wats-text", 10, vec![report(1, "1")]).await;
        let mut file = replayer.agent.store().archived_file(id).await.unwrap().unwrap();
        let settings = replayer.agent.settings();
        assert_eq!(job(&settings, &file).arguments["defaultOperationTypeCode"], "50");
        file.source = "removed".to_owned();
        assert_eq!(job(&settings, &file).arguments["defaultOperationTypeCode"], "10");
    }
}
