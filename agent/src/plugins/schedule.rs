//! Converters that run at their times: no file makes them run, and their reports are a file's in all other ways.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use super::cron::Cron;
use super::description::{Converter, Schedule};
use super::{Made, Verdict, argument};
use crate::Agent;
use crate::SourceHealth;
use crate::config::Settings;
use crate::control::api::{ConverterKind, SourceSettings, SourceState};
use crate::convert::{ConvertFailure, Job, Pool};
use crate::files::Stamp;
use crate::store::{Finished, Made as Recorded, NewFile, StoreError};

/// A run that was missed is made up for when it was so long ago at most: the machine was off, or the clock was set.
const MISSED: SignedDuration = SignedDuration::from_hours(24);

/// Runs scheduled converters, each source once at a time.
#[derive(Debug)]
pub(super) struct Scheduler {
    agent: Agent,
    pool: Pool,
    last: BTreeMap<String, Timestamp>,
    running: JoinSet<String>,
    busy: Vec<String>,
}

impl Scheduler {
    pub(super) fn new(agent: Agent, pool: Pool) -> Self {
        Self { agent, pool, last: BTreeMap::new(), running: JoinSet::new(), busy: Vec::new() }
    }

    /// Starts what is due.
    pub(super) async fn look(&mut self) {
        while let Some(ended) = self.running.try_join_next() {
            match ended {
                Ok(source) => self.busy.retain(|it| *it != source),
                Err(error) => {
                    tracing::error!(%error, "a scheduled converter's run crashed");
                    self.busy.clear();
                }
            }
        }
        let (settings, now) = (self.agent.settings(), Timestamp::now());
        for source in &settings.config.sources {
            let Some(found) = settings.plugins.find(&source.converter) else { continue };
            let able = found.enabled.trouble.is_none() && !source.paused && !settings.config.intake.paused;
            if found.converter.info.kind != ConverterKind::Scheduled
                || !able
                || self.busy.contains(&source.name)
            {
                continue;
            }
            let zone = TimeZone::get(&settings.config.station.time_zone).unwrap_or(TimeZone::UTC);
            let last = self.last.get(&source.name).copied();
            if last.is_none() && !found.converter.run_on_startup {
                // From now on.
                self.last.insert(source.name.clone(), now);
                continue;
            }
            if last.is_none_or(|last| is_due(found.converter, &zone, last, now)) {
                self.last.insert(source.name.clone(), now);
                self.busy.push(source.name.clone());
                let run = once(self.agent.clone(), self.pool.clone(), settings.clone(), source.clone());
                self.running.spawn(run);
            }
        }
    }

    /// Ends those that run.
    pub(super) async fn end(&mut self) {
        self.running.shutdown().await;
    }
}

/// True when a run is due at `now`, the last one having begun at `last`.
fn is_due(converter: &Converter, zone: &TimeZone, last: Timestamp, now: Timestamp) -> bool {
    // A clock that was set back must not stop it until it has caught up.
    if now < last {
        return matches!(converter.schedule, Some(Schedule::Every(_)));
    }
    match &converter.schedule {
        None => false,
        Some(Schedule::Every(seconds)) => now.duration_since(last).as_secs_f64() >= *seconds,
        Some(Schedule::Cron(text)) => {
            let Ok(cron) = Cron::read(text) else { return false };
            let mut from = last.max(now.checked_sub(MISSED).unwrap_or(last));
            // Each minute that began since.
            while let Ok(next) =
                from.checked_add(SignedDuration::from_secs(60 - from.as_second().rem_euclid(60)))
            {
                if next > now {
                    return false;
                }
                if cron.fits(&next.to_zoned_datetime(zone.clone())) {
                    return true;
                }
                from = next;
            }
            false
        }
    }
}

async fn once(agent: Agent, pool: Pool, settings: Arc<Settings>, source: SourceSettings) -> String {
    let trouble = match run(&agent, &pool, &settings, &source).await {
        Ok(None) => None,
        Ok(Some(words)) | Err(words) => {
            tracing::warn!(source.name = source.name, "the scheduled converter of {}: {words}", source.name);
            Some(words)
        }
    };
    let health = SourceHealth { trouble, ..SourceHealth::new(SourceState::Watching) };
    agent.set_source_health(&source.name, health);
    source.name
}

/// Runs the converter of a source once and records its reports; words when there is something to say.
async fn run(
    agent: &Agent,
    pool: &Pool,
    settings: &Settings,
    source: &SourceSettings,
) -> Result<Option<String>, String> {
    let now = Timestamp::now();
    let name = format!("{}.run", now.strftime("%Y%m%d-%H%M%S"));
    let job = Job {
        converter: source.converter.clone(),
        arguments: source.arguments.clone(),
        file_name: name.clone(),
        sha256: String::new(),
        modified: now,
        station: settings.config.station.clone(),
        now,
        folder: None,
        rival: None,
    };
    let turn = pool.turn(&source.name, &source.converter, source.priority).await;
    let (verdict, sha256) = match pool.run_scheduled(&job).await {
        Ok(ran) => ran,
        Err(ConvertFailure::NoWorker(error)) => return Err(format!("it could not be run: {error}")),
        Err(failure) => return Err(failure.to_string()),
    };
    drop(turn);
    let Verdict { made, note, settle: _ } = *verdict;
    let reports = match made {
        Made::Reports(reports) => reports,
        // A run may find nothing to do.
        Made::Left(_) => return Ok(None),
        Made::NotYet { reason, .. } => return Ok(Some(format!("not yet: {reason}"))),
        Made::Failed(words) => return Ok(Some(words)),
    };
    let declared = settings.plugin_arguments(&source.converter).unwrap_or_default();
    let shown = argument::shown(declared, &source.arguments);
    let size = reports.bytes() as u64;
    let modified_ns = i64::try_from(now.as_nanosecond()).unwrap_or(0);
    let count = reports.len();
    let file = NewFile {
        source: source.name.clone(),
        converter: source.converter.clone(),
        // A map of texts can always be written.
        arguments: serde_json::to_string(&shown).unwrap_or_default(),
        // Nothing lies there: it is under this name that a person finds the run.
        path: PathBuf::from("/scheduled").join(&source.name).join(name),
        stamp: Stamp { device: 0, inode: 0, size, modified_ns },
        sha256,
        received_at: now,
        note: Some(Box::new(note)),
    };
    let finished = Finished { file, made: Recorded::Reports(reports) };
    let words = |error: StoreError| format!("its reports could not be stored: {error}");
    let recorded = loop {
        match agent.store().finish(Arc::from([finished.clone()]), Timestamp::now()).await {
            // A disk that fails is waited for: a run is not found again.
            Err(error) if error.may_pass() => tokio::time::sleep(Duration::from_secs(5)).await,
            recorded => break recorded.map_err(words)?,
        }
    };
    let ids: Vec<_> = recorded.iter().map(|it| (it.id, None)).collect();
    agent.store().put_away(ids).await.map_err(words)?;
    agent.wake_delivery();
    tracing::info!(
        source.name = source.name,
        reports = count,
        "the scheduled converter of {} ran",
        source.name
    );
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugins::description::Description;

    fn converter(schedule: &serde_json::Value) -> Converter {
        let mut members = serde_json::json!({"name": "s", "kind": "scheduled"});
        members.as_object_mut().unwrap().extend(schedule.as_object().unwrap().clone());
        let answer = serde_json::json!({"protocol": 1, "converters": [members]});
        Description::read(answer.as_object().unwrap()).unwrap().converters.remove(0)
    }

    #[test]
    fn runs_are_due_by_interval_or_by_cron_in_the_stations_zone() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let oslo = TimeZone::get("Europe/Oslo").unwrap();
        let every = converter(&serde_json::json!({"interval_seconds": 90}));
        let cron = converter(&serde_json::json!({"cron": "30 6 * * *"}));
        for (converter, last, now, expected) in [
            (&every, "2026-01-01T12:00:00Z", "2026-01-01T12:01:29Z", false),
            (&every, "2026-01-01T12:00:00Z", "2026-01-01T12:01:30Z", true),
            (&every, "2026-01-01T12:00:00Z", "2025-01-01T12:00:00Z", true),
            (&cron, "2026-01-01T05:29:59Z", "2026-01-01T05:30:00Z", true),
            (&cron, "2026-01-01T05:30:00Z", "2026-01-01T05:31:00Z", false),
            (&cron, "2026-01-01T05:30:20Z", "2026-01-01T05:30:40Z", false),
            (&cron, "2026-01-01T05:31:00Z", "2026-01-02T08:00:00Z", true),
            (&cron, "2026-01-01T05:31:00Z", "2026-01-01T05:20:00Z", false),
        ] {
            assert_eq!(is_due(converter, &oslo, at(last), at(now)), expected, "{last} {now}");
        }
    }
}
