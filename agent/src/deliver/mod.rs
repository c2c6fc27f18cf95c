//! Sends the queue: up to so many reports at once, each until the server has it or refuses it.
//!
//! When a report is due stands in the database, so a restart forgets nothing. A report counts as sent
//! only after that is on disk; whatever ends in between is sent again under the same id, which replaces.

mod gate;
mod pace;
mod turns;
mod uplink;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wats::client::{Client, SubmitError, Verdict};

use crate::config::Settings;
use crate::control::api::{Event, Link, USUAL_PRIORITY};
use crate::events::brief;
use crate::metrics::{self, Stage};
use crate::service::Pulse;
use crate::store::{Due, Sent, StoreError};
use crate::{Agent, error_chain};
use gate::{Gate, backoff, jitter};
use pace::Pace;
use turns::Turns;

/// The loop turns at least so often.
const TURN: Duration = Duration::from_secs(5);
/// The server is asked for its version so often: it may be updated while the agent runs.
const ASK_VERSION: Duration = Duration::from_secs(5 * 60);
/// After a stop was asked for, uploads in hand get so long to end.
const LAST_UPLOADS: Duration = Duration::from_secs(5);
/// A report that alone gets a server error so often is put aside.
const SERVER_ERRORS: u32 = 10;

/// Sends reports until `stop` fires.
///
/// # Errors
/// When the database does not answer; to be started again.
pub async fn run(agent: Agent, pulse: &Pulse, stop: &CancellationToken) -> Result<(), StoreError> {
    let interrupted = agent.store().requeue_interrupted().await?;
    if interrupted > 0 {
        tracing::info!("{interrupted} reports were on their way when the agent ended; they are sent again");
    }
    let settings = agent.watch_settings();
    let mut delivery = Delivery {
        pace: resumed_pace(&agent).await?,
        agent,
        settings,
        client: None,
        gate: Gate::default(),
        turns: Arc::default(),
        uploads: JoinSet::new(),
        version_at: None,
        asking: JoinSet::new(),
    };
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
    pace: Pace,
    /// Shared with the change in the database in which the choice is made.
    turns: Arc<Mutex<Turns>>,
    uploads: JoinSet<Result<Ended, StoreError>>,
    /// When the server's version is asked for next.
    version_at: Option<Instant>,
    asking: JoinSet<()>,
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
            // Before looking, or what comes in between is missed.
            let woken = agent.delivery().notified();
            self.start_uploads().await?;
            self.ask_version();
            let wait = self.until_next().await?;
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken => {}
                Some(ended) = self.uploads.join_next() => self.ended(ended)?,
                changed = self.settings.changed() => {
                    if changed.is_err() { return Ok(()) }
                    self.gate = Gate::default();
                    self.connect();
                    agent.store().all_due(Timestamp::now()).await?;
                }
                () = tokio::time::sleep(wait) => {}
            }
        }
        Ok(())
    }

    /// Takes as many reports from the queue as may be sent now.
    async fn start_uploads(&mut self) -> Result<(), StoreError> {
        let Some(client) = &self.client else { return Ok(()) };
        let settings = self.settings.borrow().clone();
        let (now, limits) = (Instant::now(), &settings.config.delivery);
        let running = u32::try_from(self.uploads.len()).unwrap_or(u32::MAX);
        if limits.paused {
            return Ok(());
        }
        let free = self.gate.permits(now, limits.uploads).saturating_sub(running);
        let free = free.min(self.pace.free(now, limits.requests_per_minute));
        if free == 0 {
            return Ok(());
        }
        // A probe takes the oldest report, due or not.
        let until = if self.gate.is_closed() { Timestamp::MAX } else { Timestamp::now() };
        let turns = self.turns.clone();
        let choose = move |waiting| {
            let priority = |name: &str| {
                let source = settings.config.sources.iter().find(|source| source.name == name);
                source.map_or(USUAL_PRIORITY, |source| source.priority)
            };
            let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.choose(waiting, usize::try_from(free).unwrap_or(usize::MAX), priority)
        };
        for due in self.agent.store().take_due(until, free, choose).await? {
            self.pace.count(now);
            self.uploads.spawn(upload(self.agent.clone(), client.clone(), due));
        }
        Ok(())
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
        self.pace.count(now);
        let agent = self.agent.clone();
        self.asking.spawn(async move {
            if let Ok(version) = client.version().await {
                agent.update_link(|link| link.version = Some(version));
            }
        });
    }

    async fn until_next(&mut self) -> Result<Duration, StoreError> {
        let paused = self.settings.borrow().config.delivery.paused;
        if self.client.is_none() || paused || !self.uploads.is_empty() {
            return Ok(TURN);
        }
        if let Some(at) = self.gate.opens_at() {
            return Ok(at.saturating_duration_since(Instant::now()).min(TURN));
        }
        let (now, limit) = (Instant::now(), self.settings.borrow().config.delivery.requests_per_minute);
        if let Some(at) = self.pace.opens_at(now, limit) {
            return Ok(at.saturating_duration_since(now).min(TURN));
        }
        let due = self.agent.store().next_due().await?;
        let wait = due.map(|due| due.duration_since(Timestamp::now()).max(SignedDuration::ZERO));
        Ok(wait.and_then(|wait| Duration::try_from(wait).ok()).map_or(TURN, |wait| wait.min(TURN)))
    }

    /// What an upload says of the server.
    fn ended(
        &mut self,
        ended: Result<Result<Ended, StoreError>, tokio::task::JoinError>,
    ) -> Result<(), StoreError> {
        let ended = match ended {
            Ok(ended) => ended?,
            Err(error) => {
                tracing::error!(%error, "an upload crashed");
                Ended::Failed { why: "an upload crashed".to_owned(), retry_after: None }
            }
        };
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
                    self.uploads.spawn(all_due(self.agent.clone()));
                }
            }
            Ended::Held { why } => {
                if !self.gate.is_closed() {
                    tracing::error!("deliveries are held: {why}");
                }
                self.gate.held(now);
                self.agent.update_link(|link| {
                    link.link = Link::Held;
                    link.trouble = Some(why);
                });
            }
            Ended::Failed { why, retry_after } => {
                self.gate.failed(now, retry_after, jitter());
                let closed = self.gate.is_closed();
                self.agent.update_link(|link| {
                    if closed {
                        link.link = Link::Offline;
                    }
                    link.trouble = Some(why);
                });
            }
        }
        Ok(())
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
        let all = async { while self.uploads.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_UPLOADS, all).await.is_err() {
            self.uploads.shutdown().await;
        }
    }
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

async fn all_due(agent: Agent) -> Result<Ended, StoreError> {
    agent.store().all_due(Timestamp::now()).await?;
    Ok(Ended::Answered { accepted: false })
}

/// Sends one report and records what came of it.
async fn upload(agent: Agent, client: Client, due: Due) -> Result<Ended, StoreError> {
    let Due { id, seq, attempts, stored_at, body } = due;
    let started = Instant::now();
    let result = client.submit_wsjf(id, body).await;
    metrics::took(Stage::Upload, started.elapsed());
    let now = Timestamp::now();
    let (sent, ended) = match result {
        Ok(accepted) => {
            tracing::info!(report.id = %id, attempts, "the server has report {id}");
            (Sent::Accepted { answer: accepted.answer }, Ended::Answered { accepted: true })
        }
        Err(error) => judge(&agent, &error, attempts, stored_at, now),
    };
    metrics::report(match &sent {
        Sent::Accepted { .. } => "acknowledged",
        Sent::Rejected { .. } => "refused",
        Sent::Postponed { .. } => "postponed",
        Sent::GivenBack { .. } => "held",
    });
    if let Sent::Accepted { .. } = &sent {
        metrics::took(Stage::Queue, Duration::try_from(now.duration_since(stored_at)).unwrap_or_default());
    }
    if let Sent::Rejected { error, .. } = &sent {
        tracing::warn!(report.id = %id, "report {id} was rejected: {}", error.lines().next().unwrap_or_default());
    }
    // The answer must not be lost to a full disk: until it is stored the report counts as being sent.
    while let Err(error) = agent.store().sent(id, seq, sent.clone(), now).await {
        if !error.may_pass() {
            return Err(error);
        }
        agent.set_trouble("database", Some(error_chain(&error)));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    agent.set_trouble("database", None);
    agent.events().say(|| event(id, &sent));
    Ok(ended)
}

fn event(report_id: Uuid, sent: &Sent) -> Event {
    match sent {
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
fn judge(
    agent: &Agent,
    error: &SubmitError,
    attempts: u32,
    stored_at: Timestamp,
    now: Timestamp,
) -> (Sent, Ended) {
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
