//! One watched folder: events, looks through it, and waiting until files are complete.

mod begin;
mod ended;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::disk::{Look, Seen};
use super::hearing::{Hearing, Means};
use super::listen::{Ear, Event, Events};
use super::names::Whose;
use super::pick::{self, Kept};
use super::reach::{Place, blocking};
use super::settings::Unit;
use super::settle::{Rules, Settling, Verdict};
use super::share::Shares;
use super::share::mounts::{self, Mount};
use super::{Candidate, Outcome, Source, schedule};
use crate::control::api::{self, SourceState};
use crate::files::Stamp;
use crate::{Agent, SourceHealth};

/// How long a file rests after its writer closed it.
const CLOSED: Duration = Duration::from_millis(5);
/// How much longer a file rests whose other files seem to be missing.
const LONELY: Duration = Duration::from_secs(10);
/// How long until a folder that cannot be watched is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// Between two looks through a folder that events ask for.
const BREATH: Duration = Duration::from_secs(1);
/// An event that has not come so long after the change does not come any more.
const EVENT_TIME: Duration = Duration::from_secs(1);
/// How often a folder is looked through where events do not reach us.
const POLL: u32 = 5;
/// How often a schedule is looked at.
const SCHEDULE: Duration = Duration::from_secs(20);

/// So many files of a network mount are worked on at once.
const REMOTE_AT_ONCE: usize = 8;
/// And so many of a local folder, on all stages together: a source with very many, or with a slow converter, fills
/// no place that others need.
const LOCAL_AT_ONCE: usize = 1024;

/// What comes after watching for a while.
enum Next {
    Stop,
    /// Begin anew: the folder is another one, or on another mount.
    Again,
}

pub(super) struct Watching {
    agent: Agent,
    source: Arc<Source>,
    place: Place,
    files: mpsc::Sender<Candidate>,
    shares: Arc<Shares>,
    stop: CancellationToken,
    /// The network mount that the folder was on.
    mount: Option<Mount>,
    /// Device and inode of the folder that is listened to.
    folder: Option<(u64, u64)>,
    /// How many candidates are being worked on.
    out: usize,
    settling: Settling,
    ready: VecDeque<(PathBuf, Seen, Duration)>,
    /// How candidates say that they have ended.
    done: mpsc::UnboundedSender<(PathBuf, Outcome)>,
    ended: mpsc::UnboundedReceiver<(PathBuf, Outcome)>,
    kept: Arc<Kept>,
    /// Those of `kept` that could not be moved away, and when that is tried again.
    immovable: Vec<(PathBuf, Stamp)>,
    unreadable: BTreeSet<PathBuf>,
    /// Why no events come, where they should.
    deaf: Option<String>,
    move_at: Option<Instant>,
    more: bool,
    hearing: Hearing,
    listens: bool,
    /// Changes before this can have no event.
    listens_since: Timestamp,
    looked_through: Option<Timestamp>,
    taken_up: bool,
    trouble: Option<String>,
    unsaid: bool,
}

impl Watching {
    pub(super) fn new(
        agent: Agent,
        source: Arc<Source>,
        place: Place,
        files: mpsc::Sender<Candidate>,
        shares: Arc<Shares>,
        stop: CancellationToken,
    ) -> Self {
        let (done, ended) = mpsc::unbounded_channel();
        Self {
            agent,
            source,
            place,
            files,
            shares,
            stop,
            mount: None,
            folder: None,
            out: 0,
            settling: Settling::default(),
            ready: VecDeque::new(),
            done,
            ended,
            kept: Arc::default(),
            immovable: Vec::new(),
            unreadable: BTreeSet::new(),
            deaf: None,
            move_at: None,
            more: false,
            hearing: Hearing::default(),
            listens: false,
            listens_since: Timestamp::now(),
            looked_through: None,
            taken_up: false,
            trouble: None,
            unsaid: true,
        }
    }

    /// Watches, again and again if the folder goes away, until told to stop.
    pub(super) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let stop = self.stop.clone();
            let watched = tokio::select! {
                () = stop.cancelled() => return,
                watched = self.watch() => watched,
            };
            let error = match watched {
                Ok(Next::Stop) => return,
                Ok(Next::Again) => continue,
                Err(error) => error,
            };
            let folder = self.source.folder.display();
            let trouble = format!("the folder {folder} cannot be watched: {error}");
            // Once, however long it lasts.
            if self.trouble.as_ref() != Some(&trouble) {
                tracing::error!(source.name = self.name(), "{trouble}");
            }
            self.trouble = Some(trouble);
            self.say(SourceState::Failed);
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn watch(&mut self) -> io::Result<Next> {
        self.connect().await?;
        self.place.prepare().await?;
        if !self.taken_up {
            self.take_up().await?;
            self.taken_up = true;
        }
        let (ear, events) = Ear::new();
        let _watcher = self.listen(ear).await;
        self.folder = None;
        self.follow(events).await
    }

    /// Takes files until told to stop, or until the folder cannot be read.
    async fn follow(&mut self, mut heard: Events) -> io::Result<Next> {
        let mut next_scan = Instant::now();
        let mut asked_for = false;
        let files = self.files.clone();
        loop {
            let now = Instant::now();
            if self.settling.next_look().is_some_and(|at| at <= now) {
                self.look(now).await?;
            }
            let drained = self.more && self.settling.len() < pick::MOST / 2;
            if next_scan <= now || drained {
                // What has come by now was heard, and is not to be counted as missed.
                while let Ok(event) = heard.events.try_recv() {
                    asked_for |= self.event(event);
                }
                if (self.is_due() || asked_for) && !self.scan().await? {
                    return Ok(Next::Again);
                }
                asked_for = false;
                next_scan = Instant::now() + self.interval();
            }
            let wake = self.settling.next_look().unwrap_or(next_scan).min(next_scan);
            let lost = heard.lost.clone();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ok(Next::Stop),
                Some((path, outcome)) = self.ended.recv() => {
                    self.work_ended(&path, outcome).await;
                    while let Ok((path, outcome)) = self.ended.try_recv() {
                        self.work_ended(&path, outcome).await;
                    }
                }
                permit = files.reserve(), if self.may_send() => {
                    let Ok(permit) = permit else { return Ok(Next::Stop) };
                    if let Some((key, seen, unchanged)) = self.ready.pop_front() {
                        self.out += 1;
                        self.say_seen(&seen);
                        permit.send(self.candidate(key, seen, unchanged));
                    }
                }
                Some(event) = heard.events.recv() => {
                    // All that have come: then one look serves them.
                    let mut asks = self.event(event);
                    while let Ok(event) = heard.events.try_recv() {
                        asks |= self.event(event);
                    }
                    if asks {
                        asked_for = true;
                        next_scan = next_scan.min(Instant::now() + BREATH);
                    }
                }
                () = lost.notified() => {
                    tracing::info!(source.name = self.name(), "events were lost: the folder is looked through");
                    asked_for = true;
                    next_scan = Instant::now();
                }
                () = tokio::time::sleep_until(wake) => {}
            }
            if self.unsaid && self.ready.is_empty() {
                self.say(SourceState::Watching);
            }
        }
    }

    /// Only so many are worked on at once.
    fn may_send(&self) -> bool {
        let most = if self.place.share.is_some() { REMOTE_AT_ONCE } else { LOCAL_AT_ONCE };
        !self.ready.is_empty() && self.out < most
    }

    fn say_seen(&self, seen: &Seen) {
        self.agent.events().say(|| api::Event::FileSeen {
            source: self.name().to_owned(),
            name: seen.head.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            size_bytes: seen.stamp.size,
        });
    }

    fn candidate(&self, key: PathBuf, seen: Seen, unchanged: Duration) -> Candidate {
        Candidate {
            source: self.source.clone(),
            path: seen.head.clone(),
            stamp: seen.stamp,
            unchanged,
            key,
            seen,
            place: self.place.clone(),
            done: self.done.clone(),
            outcome: Outcome::Done,
        }
    }

    /// How long until the folder is looked through again, or its schedule looked at.
    fn interval(&self) -> Duration {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        match self.means() {
            Means::Schedule => SCHEDULE,
            Means::Events => seconds(self.source.intake.rescan_seconds),
            Means::Polling | Means::Both => {
                let poll = self.source.settings.intake.poll_seconds.unwrap_or(POLL);
                seconds(poll.min(self.source.intake.rescan_seconds))
            }
        }
    }

    fn is_due(&self) -> bool {
        let Some(schedule) = &self.source.settings.intake.schedule else { return true };
        let station = &self.agent.settings().config.station;
        let zone = TimeZone::get(&station.time_zone).unwrap_or(TimeZone::UTC);
        // More than fit at once are taken up as there is room.
        self.more || schedule::is_due(schedule, &zone, self.looked_through, Timestamp::now())
    }

    fn means(&self) -> Means {
        let settings = &self.source.settings.intake;
        if settings.schedule.is_some() {
            return Means::Schedule;
        }
        self.hearing.means(settings.watch, self.listens, self.mount.is_some())
    }

    /// Takes note of an event; true when only a look through the folder can tell what it means.
    fn event(&mut self, event: Event) -> bool {
        let Ok(below) = event.path.strip_prefix(&self.source.folder) else { return false };
        let rules = &self.place.names.rules;
        let (key, closed) = match rules.unit {
            Unit::File | Unit::FileAndFolder => {
                let deep = below.parent().is_some_and(|it| it != Path::new(""));
                if deep
                    && !(rules.recursive && below.ancestors().skip(1).all(|it| self.place.names.enters(it)))
                {
                    return false;
                }
                if self.place.names.whose(below) != Whose::Ours {
                    let marker = rules.marker.is_some() && !self.place.names.belongs(below.as_os_str());
                    return marker || (rules.recursive && event.may_be_folder);
                }
                (event.path, event.closed && !self.source.settings.intake.ignore_close)
            }
            Unit::Folder => {
                let Some(top) = below.components().next() else { return false };
                if !self.place.names.is_unit(Path::new(&top)) {
                    return false;
                }
                (self.source.folder.join(top), false)
            }
        };
        if self.settling.len() >= pick::MOST && !self.settling.contains(&key) {
            self.more = true;
        } else {
            self.settling.heard(key, closed, Instant::now());
        }
        false
    }

    /// Looks at the files that are due.
    async fn look(&mut self, now: Instant) -> io::Result<()> {
        let looks = self.place.look(self.settling.due(now)).await?;
        let settings = &self.source.settings.intake;
        let quiet = settings.quiet_seconds.unwrap_or(self.source.intake.settle_seconds);
        let found = Duration::from_secs(quiet.into());
        let rules = Rules { closed: CLOSED, found, lonely: found + LONELY };
        let clock = Timestamp::now();
        let mut ready = Vec::new();
        for (key, seen) in looks {
            let by_event = self.settling.is_by_event(&key);
            let look = seen.as_ref().map(|seen| (seen.stamp, seen.look));
            if let Verdict::Ready(unchanged) = self.settling.looked(&key, look, Instant::now(), rules)
                && let Some(seen) = seen
            {
                let changed = Timestamp::from_nanosecond(seen.changed_ns.into()).unwrap_or(clock);
                if changed >= self.listens_since {
                    self.hearing.complete(clock.duration_since(changed).try_into().unwrap_or_default());
                    self.unsaid = true;
                }
                if by_event && seen.look == Look::Plain {
                    self.hearing.heard();
                }
                ready.push((key, seen, unchanged));
            }
        }
        ready.sort_by_key(|(_, seen, _)| seen.stamp.modified_ns);
        self.ready.extend(ready);
        Ok(())
    }

    /// Looks through the folder; false when it is another one than before.
    async fn scan(&mut self) -> io::Result<bool> {
        let began = Timestamp::now();
        let folder = self.source.folder.clone();
        if blocking(move || mounts::network(&folder)).await? != self.mount {
            tracing::warn!(
                source.name = self.name(),
                "something was mounted or taken away: the folder is watched anew"
            );
            return Ok(false);
        }
        let immovable = self.immovable.len();
        self.release_immovable();
        let (picked, others) = self.place.list(self.kept.clone()).await?;
        if *self.folder.get_or_insert(others.folder) != others.folder {
            tracing::warn!(
                source.name = self.name(),
                "the folder was replaced by another: it is watched anew"
            );
            return Ok(false);
        }
        self.looked_through = Some(began);
        self.more = picked.more;
        self.kept = Arc::new(picked.kept);
        let now = Instant::now();
        for (path, changed_ns) in picked.files {
            if self.settling.contains(&path) || self.settling.len() >= pick::MOST {
                continue;
            }
            let changed = Timestamp::from_nanosecond(changed_ns.into()).unwrap_or(began);
            let waited: Duration = began.duration_since(changed).try_into().unwrap_or_default();
            if self.listens && changed >= self.listens_since && waited >= EVENT_TIME {
                self.hearing.missed();
            }
            self.settling.found(path, now);
        }
        self.unreadable.retain(|path| self.settling.contains(path));
        self.trouble = self.remarks(others, immovable);
        self.say(SourceState::Watching);
        Ok(true)
    }

    fn name(&self) -> &str {
        &self.source.settings.name
    }

    fn say(&mut self, state: SourceState) {
        self.unsaid = false;
        let detection = self.hearing.detection(self.means(), self.mount.as_ref().map(|it| it.kind.clone()));
        let health = SourceHealth { state, trouble: self.trouble.clone(), detection };
        self.agent.set_source_health(self.name(), health);
    }
}
