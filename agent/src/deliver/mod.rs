//! Sends the queue: up to so many reports at once, each until the server has it or refuses it.
//!
//! When a report is due stands in the database, so a restart forgets nothing. A report counts as sent
//! only after that is on disk; whatever ends in between is sent again under the same id, which replaces.

mod gate;
pub(crate) mod pace;
pub(crate) mod uplink;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wats::client::{Client, SubmitError, Verdict};

use crate::config::Settings;
use crate::control::api::{Event, LEAST_PRIORITY, Link, USUAL_PRIORITY};
use crate::events::brief;
use crate::metrics::{self, Stage};
use crate::service::Pulse;
use crate::store::{Attempt, Due, DueHead, Sent, StoreError, is_replayed};
use crate::turns::Turns;
use crate::{Agent, error_chain};
use gate::{Gate, backoff, jitter};
use pace::{Pace, SharedPace};

/// The loop turns at least so often.
const TURN: Duration = Duration::from_secs(5);
/// The server is asked for its version so often: it may be updated while the agent runs.
const ASK_VERSION: Duration = Duration::from_secs(5 * 60);
/// After a stop was asked for, uploads in hand get so long to end.
const LAST_UPLOADS: Duration = Duration::from_secs(5);
/// Seconds that the clocks may differ between two turns before the one of the wall counts as set.
const CLOCK_SET: u64 = 30;
/// No attempt postpones a report for longer than this, but for a `Retry-After`, which the next attempt asks for again.
const LATEST: SignedDuration = SignedDuration::from_mins(16);
/// Reports that were sent in less may be more the next time, up to so many times as many as are sent at once.
const SOON_SENT: Duration = Duration::from_millis(30);
const LARGEST_BATCH: u32 = 8;
/// A report that alone gets a server error so often is put aside.
const SERVER_ERRORS: u32 = 10;

/// Sends reports until `stop` fires.
///
/// # Errors
/// When the database does not answer; to be started again.
pub async fn run(agent: Agent, pulse: &Pulse, stop: &CancellationToken) -> Result<(), StoreError> {
    // Of an earlier turn of this part that crashed.
    agent.store().give_all_back();
    *agent.pace().lock() = resumed_pace(&agent).await?;
    let settings = agent.watch_settings();
    let mut delivery = Delivery {
        pace: agent.pace().clone(),
        agent,
        settings,
        client: None,
        gate: Gate::default(),
        turns: Turns::default(),
        next: VecDeque::new(),
        more: true,
        batch: (1, Instant::now()),
        uploads: JoinSet::new(),
        running: HashMap::new(),
        ended: Vec::new(),
        recording: JoinSet::new(),
        version_at: None,
        asking: JoinSet::new(),
        clock: Clock::new(),
    };
    // What waits longer than any attempt postpones was postponed by a clock that was wrong.
    let now = Timestamp::now();
    let latest = now.saturating_add(LATEST).unwrap_or(Timestamp::MAX);
    delivery.agent.store().due_that_waits_beyond(latest, now).await?;
    delivery.connect();
    let result = delivery.turn(pulse, stop).await;
    delivery.end().await;
    result
}

struct Delivery {
    agent: Agent,
    settings: watch::Receiver<Arc<Settings>>,
    /// `None` while address or credential are missing or unusable.
    client: Option<Client>,
    gate: Gate,
    pace: SharedPace,
    turns: Turns,
    /// Taken from the queue, to be sent as soon as that may be.
    next: VecDeque<Due>,
    /// The queue may hold more that is due.
    more: bool,
    /// How many times as many reports as are sent at once are taken together, and when they were taken last.
    batch: (u32, Instant),
    uploads: JoinSet<(Attempt, Ended)>,
    /// Which report each upload is of, should it crash.
    running: HashMap<task::Id, Uuid>,
    /// Uploads that have ended and are still to be recorded.
    ended: Vec<Attempt>,
    /// At most one commit at a time: what ends meanwhile goes into the next.
    recording: JoinSet<Result<(), StoreError>>,
    /// When the server's version is asked for next.
    version_at: Option<Instant>,
    asking: JoinSet<()>,
    clock: Clock,
}

/// The clock of the wall next to one that nobody sets.
struct Clock {
    wall: Timestamp,
    steady: Instant,
}

impl Clock {
    fn new() -> Self {
        Self { wall: Timestamp::now(), steady: Instant::now() }
    }

    /// True once after somebody has set the clock by more than [`CLOCK_SET`].
    fn has_jumped(&mut self) -> bool {
        let now = Self::new();
        let by_wall = now.wall.duration_since(self.wall).as_secs();
        let by_steady = i64::try_from((now.steady - self.steady).as_secs()).unwrap_or(i64::MAX);
        *self = now;
        by_wall.abs_diff(by_steady) > CLOCK_SET
    }
}

/// How an upload ended, for the gate.
enum Ended {
    /// The server gave an answer about the report: it is there and lets us in.
    Answered {
        accepted: bool,
    },
    Held {
        why: String,
    },
    Failed {
        why: String,
        retry_after: Option<Duration>,
    },
}

impl Delivery {
    async fn turn(&mut self, pulse: &Pulse, stop: &CancellationToken) -> Result<(), StoreError> {
        let agent = self.agent.clone();
        while !stop.is_cancelled() {
            pulse.beat();
            if self.clock.has_jumped() {
                // Reports that were postponed by the other clock might wait for ever.
                tracing::warn!("the clock was set: all waiting reports are due now");
                agent.store().all_due(Timestamp::now()).await?;
                self.more = true;
            }
            // Before looking, or what comes in between is missed.
            let woken = agent.delivery().notified();
            self.start_uploads().await?;
            self.record();
            self.ask_version();
            let wait = self.until_next().await?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => self.more = true,
                Some(ended) = self.uploads.join_next_with_id() => {
                    self.upload_ended(ended);
                    while let Some(ended) = self.uploads.try_join_next_with_id() {
                        self.upload_ended(ended);
                    }
                }
                Some(recorded) = self.recording.join_next() => recorded_well(recorded)?,
                changed = self.settings.changed() => {
                    if changed.is_err() { return Ok(()) }
                    self.gate = Gate::default();
                    self.connect();
                    self.give_back();
                    agent.store().all_due(Timestamp::now()).await?;
                }
                () = tokio::time::sleep(wait) => self.more = true,
            }
        }
        Ok(())
    }

    /// Sends as many reports as may be sent now.
    async fn start_uploads(&mut self) -> Result<(), StoreError> {
        let Some(client) = self.client.clone() else { return Ok(()) };
        let settings = self.settings.borrow().clone();
        let (now, limits) = (Instant::now(), &settings.config.delivery);
        let running = u32::try_from(self.uploads.len()).unwrap_or(u32::MAX);
        if limits.paused {
            return Ok(());
        }
        let free = self.gate.permits(now, limits.uploads).saturating_sub(running);
        let paced = self.pace.lock().free(now, limits.requests_per_minute);
        let free = free.min(paced);
        if free == 0 {
            return Ok(());
        }
        let wanted = usize::try_from(free).unwrap_or(usize::MAX);
        if self.next.len() < wanted && self.more {
            let batch = self.batch();
            self.take(&settings, limits.uploads.saturating_mul(batch).min(paced)).await?;
        }
        for _ in 0..free {
            let Some(due) = self.next.pop_front() else { break };
            self.pace.lock().count(now);
            let id = due.head.id;
            let task = self.uploads.spawn(upload(self.agent.clone(), client.clone(), due));
            self.running.insert(task.id(), id);
        }
        Ok(())
    }

    /// More at once while they are sent quickly: looking for them costs as much for few as for many.
    fn batch(&mut self) -> u32 {
        let (batch, taken) = self.batch;
        let quick = taken.elapsed() < SOON_SENT;
        self.batch = (if quick { (batch * 2).min(LARGEST_BATCH) } else { 1 }, Instant::now());
        self.batch.0
    }

    /// Takes reports from the queue, those of the sources in turn: no more than are soon sent, so that one that is
    /// more urgent need not wait long behind them.
    async fn take(&mut self, settings: &Settings, most: u32) -> Result<(), StoreError> {
        // A probe takes the oldest report, due or not.
        let is_probe = self.gate.is_closed();
        let (until, most) = if is_probe { (Timestamp::MAX, 1) } else { (Timestamp::now(), most) };
        let priority = |name: &str| {
            if is_replayed(name) {
                return LEAST_PRIORITY;
            }
            let source = settings.config.sources.iter().find(|source| source.name == name);
            source.map_or(USUAL_PRIORITY, |source| source.priority)
        };
        let turns = &mut self.turns;
        let choose = |waiting| turns.choose(waiting, usize::try_from(most).unwrap_or(usize::MAX), priority);
        let taken = self.agent.store().take_due(until, most, choose).await?;
        self.more = !taken.is_empty();
        self.next.extend(taken);
        Ok(())
    }

    /// What was taken and not tried goes back to the queue.
    fn give_back(&mut self) {
        self.agent.store().give_back(self.next.drain(..).map(|due| due.head.id));
        self.more = true;
    }

    /// Records all uploads that have ended since the last commit began.
    fn record(&mut self) {
        if self.ended.is_empty() || !self.recording.is_empty() {
            return;
        }
        let attempts: Arc<[Attempt]> = std::mem::take(&mut self.ended).into();
        let accepted = attempts.iter().filter(|it| matches!(it.sent, Sent::Accepted { .. })).count();
        match (&*attempts, accepted) {
            ([one], 1) => {
                let (id, attempts) = (one.report.id, one.report.attempts);
                tracing::info!(report.id = %id, attempts, "the server has report {id}");
            }
            (_, 1..) => tracing::info!("the server has {accepted} more reports"),
            _ => {}
        }
        self.recording.spawn(record(self.agent.clone(), attempts));
    }

    /// Asks for the server's version when it is time. No answer is no news: uploads say how the server is.
    fn ask_version(&mut self) {
        while self.asking.try_join_next().is_some() {}
        let now = Instant::now();
        let Some(client) = self.client.clone() else { return };
        if !self.asking.is_empty() || self.version_at.is_some_and(|at| at > now) {
            return;
        }
        self.version_at = Some(now + ASK_VERSION);
        self.pace.lock().count(now);
        let agent = self.agent.clone();
        self.asking.spawn(async move {
            if let Ok(version) = client.version().await {
                agent.update_link(|link| link.version = Some(version));
            }
        });
    }

    async fn until_next(&mut self) -> Result<Duration, StoreError> {
        let paused = self.settings.borrow().config.delivery.paused;
        if self.client.is_none() || paused || !self.uploads.is_empty() || !self.recording.is_empty() {
            return Ok(TURN);
        }
        if let Some(at) = self.gate.opens_at() {
            return Ok(at.saturating_duration_since(Instant::now()).min(TURN));
        }
        let (now, limit) = (Instant::now(), self.settings.borrow().config.delivery.requests_per_minute);
        if let Some(at) = self.pace.lock().opens_at(now, limit) {
            return Ok(at.saturating_duration_since(now).min(TURN));
        }
        let due = self.agent.store().next_due().await?;
        let wait = due.map(|due| due.duration_since(Timestamp::now()).max(SignedDuration::ZERO));
        Ok(wait.and_then(|wait| Duration::try_from(wait).ok()).map_or(TURN, |wait| wait.min(TURN)))
    }

    fn upload_ended(&mut self, ended: Result<(task::Id, (Attempt, Ended)), task::JoinError>) {
        match ended {
            Ok((task, (attempt, ended))) => {
                self.running.remove(&task);
                self.ended.push(attempt);
                self.hear(ended);
            }
            Err(error) => {
                tracing::error!(%error, "an upload crashed");
                self.agent.store().give_back(self.running.remove(&error.id()));
                self.hear(Ended::Failed { why: "an upload crashed".to_owned(), retry_after: None });
            }
        }
    }

    /// What an upload says of the server.
    fn hear(&mut self, ended: Ended) {
        let now = Instant::now();
        match ended {
            Ended::Answered { accepted } => {
                let was_closed = self.gate.is_closed();
                self.gate.answered();
                self.agent.update_link(|link| {
                    link.link = Link::Online;
                    link.trouble = None;
                    if accepted {
                        link.last_success = Some(Timestamp::now());
                    }
                });
                if was_closed {
                    tracing::info!("the server answers again");
                    let agent = self.agent.clone();
                    self.asking.spawn(async move {
                        if let Err(error) = agent.store().all_due(Timestamp::now()).await {
                            tracing::error!(%error, "waiting reports stay postponed");
                        }
                        agent.wake_delivery();
                    });
                }
            }
            Ended::Held { why } => {
                if !self.gate.is_closed() {
                    tracing::error!("deliveries are held: {why}");
                }
                self.gate.held(now);
                self.give_back();
                self.agent.update_link(|link| {
                    link.link = Link::Held;
                    link.trouble = Some(why);
                });
            }
            Ended::Failed { why, retry_after } => {
                self.gate.failed(now, retry_after, jitter());
                let closed = self.gate.is_closed();
                if closed {
                    self.give_back();
                }
                self.agent.update_link(|link| {
                    if closed {
                        link.link = Link::Offline;
                    }
                    link.trouble = Some(why);
                });
            }
        }
    }

    /// Builds the client for the settings in force.
    fn connect(&mut self) {
        let settings = self.settings.borrow_and_update().clone();
        let (client, link, trouble) = match uplink::client(&settings.config.server, self.agent.secrets()) {
            Ok(Some(client)) => (Some(client), Link::Unknown, None),
            Ok(None) => (None, Link::NotConfigured, None),
            Err(error) => {
                let why = error_chain(&*error);
                tracing::error!("nothing can be sent: {why}");
                (None, Link::Held, Some(why))
            }
        };
        self.client = client;
        self.version_at = None;
        self.asking = JoinSet::new();
        self.agent.update_link(|state| {
            // The same server with other settings beside it has not become unknown.
            if state.link != Link::Online || link != Link::Unknown {
                state.link = link;
            }
            state.trouble = trouble;
        });
    }

    /// Lets the uploads in hand end, and gives the others back.
    async fn end(&mut self) {
        self.give_back();
        let all = async {
            while let Some(ended) = self.uploads.join_next_with_id().await {
                self.upload_ended(ended);
            }
        };
        if tokio::time::timeout(LAST_UPLOADS, all).await.is_err() {
            self.uploads.shutdown().await;
        }
        // What the server has acknowledged need not be sent again at the next start.
        while self.recording.join_next().await.is_some() {}
        self.record();
        while self.recording.join_next().await.is_some() {}
    }
}

/// An error that no waiting mends ends this part, which is then started again.
fn recorded_well(recorded: Result<Result<(), StoreError>, task::JoinError>) -> Result<(), StoreError> {
    match recorded {
        Ok(recorded) => recorded,
        Err(error) => {
            tracing::error!(%error, "recording what the server answered crashed");
            Err(StoreError::Closed)
        }
    }
}

/// Records what came of uploads.
///
/// The answers must not be lost to a full disk: until they are stored the reports count as being sent.
async fn record(agent: Agent, attempts: Arc<[Attempt]>) -> Result<(), StoreError> {
    while let Err(error) = agent.store().sent(attempts.clone()).await {
        if !error.may_pass() {
            return Err(error);
        }
        agent.set_trouble("database", Some(error_chain(&error)));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    agent.set_trouble("database", None);
    for attempt in attempts.iter() {
        agent.events().say(|| event(attempt));
    }
    // What was postponed may be due sooner than anything that was known.
    agent.wake_delivery();
    Ok(())
}

/// The pace with the requests of the last minute that are known from before the start.
async fn resumed_pace(agent: &Agent) -> Result<Pace, StoreError> {
    let (now, instant) = (Timestamp::now(), Instant::now());
    let then = now.saturating_sub(SignedDuration::try_from(pace::WINDOW).unwrap_or_default()).unwrap_or(now);
    let ages = agent.store().sent_since(then).await?.into_iter().filter_map(|at| {
        // A clock that was set back makes them lie ahead: they count as made now.
        let age = Duration::try_from(now.duration_since(at)).unwrap_or_default();
        instant.checked_sub(age)
    });
    Ok(Pace::resumed(ages))
}

/// Sends one report.
async fn upload(agent: Agent, client: Client, due: Due) -> (Attempt, Ended) {
    let Due { head: report, body } = due;
    let started = Instant::now();
    let result = client.submit_wsjf(report.id, body).await;
    metrics::took(Stage::Upload, started.elapsed());
    let at = Timestamp::now();
    let (sent, ended) = match result {
        Ok(accepted) => (Sent::Accepted { answer: accepted.answer }, Ended::Answered { accepted: true }),
        Err(error) => judge(&agent, &error, &report, at),
    };
    metrics::report(match &sent {
        Sent::Accepted { .. } => "acknowledged",
        Sent::Rejected { .. } => "refused",
        Sent::Postponed { .. } => "postponed",
        Sent::GivenBack { .. } => "held",
    });
    if let Sent::Accepted { .. } = &sent {
        let waited = Duration::try_from(at.duration_since(report.stored_at)).unwrap_or_default();
        metrics::took(Stage::Queue, waited);
    }
    if let Sent::Rejected { error, .. } = &sent {
        let (id, words) = (report.id, error.lines().next().unwrap_or_default());
        tracing::warn!(report.id = %id, "report {id} was rejected: {words}");
    }
    (Attempt { report, sent, at }, ended)
}

fn event(attempt: &Attempt) -> Event {
    let report_id = attempt.report.id;
    match &attempt.sent {
        Sent::Accepted { .. } => Event::ReportAcknowledged { report_id },
        Sent::Rejected { error, .. } => Event::ReportRefused { report_id, error: brief(error) },
        Sent::Postponed { error, due_at, .. } => {
            Event::ReportPostponed { report_id, error: brief(error), due_at: *due_at }
        }
        Sent::GivenBack { error } => {
            Event::ReportHeld { report_id, error: brief(error.as_deref().unwrap_or_default()) }
        }
    }
}

/// What an error means for the report, and for the server.
fn judge(agent: &Agent, error: &SubmitError, report: &DueHead, now: Timestamp) -> (Sent, Ended) {
    let (attempts, stored_at) = (report.attempts, report.stored_at);
    let words = error_chain(error);
    let answer = match error {
        SubmitError::Rejected { message, .. }
        | SubmitError::Forbidden { message }
        | SubmitError::ServerTrouble { message, .. } => message.clone(),
        SubmitError::NotWats { excerpt } => excerpt.clone(),
        _ => words.clone(),
    };
    match error.verdict() {
        Verdict::Reject => (Sent::Rejected { error: words, answer }, Ended::Answered { accepted: false }),
        Verdict::Hold => (Sent::GivenBack { error: Some(words.clone()) }, Ended::Held { why: words }),
        Verdict::Retry { retry_after } => {
            let others_pass = agent.server().last_success.is_some_and(|at| at > stored_at);
            let status_500 = matches!(error, SubmitError::ServerTrouble { status: 500, .. });
            if status_500 && attempts >= SERVER_ERRORS && others_pass {
                let error = format!("{words} (tried {attempts} times, while other reports were accepted)");
                return (Sent::Rejected { error, answer }, Ended::Answered { accepted: false });
            }
            let pause = backoff(attempts, jitter()).max(retry_after.unwrap_or_default());
            let due_at = now.saturating_add(pause).unwrap_or(now);
            let sent = Sent::Postponed { error: words.clone(), answer, due_at };
            (sent, Ended::Failed { why: words, retry_after })
        }
    }
}
