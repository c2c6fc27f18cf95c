//! The health endpoints for probes and load balancers: plain HTTP, no secrets, no network in a request.
//!
//! | Path | 200 when |
//! |---|---|
//! | `/health/live` | every loop of the agent turned lately |
//! | `/health/ready` | it can take files: the store answers, the disk has room, no part has crashed |
//! | `/health` | it does its job: alive, ready, nothing failed |
//! | `/health/details` | as `/health`, with every part and its reasons |
//! | `/metrics` | always: counters and histograms for Prometheus |
//!
//! Otherwise 503 with the reasons. Requests for health answer from a picture that is made beside them, once a second
//! while somebody asks: however often that is, neither disk nor database notice.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::agent::Agent;
use crate::control::api::{HealthLevel, SandboxStatus, SourceState, Status};
use crate::control::{disk, status};
use crate::metrics;
use crate::service::Vitals;

/// How long until a port that was taken is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// The name of this part among the agent's troubles.
const PART: &str = "health";

/// The picture is made anew so often while somebody asks, and while nobody does.
const FRESH: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(5);
/// Somebody asks who asked so lately.
const LATELY: Duration = Duration::from_secs(30);

#[derive(Debug, Clone)]
struct Watched {
    agent: Agent,
    vitals: Vitals,
    picture: watch::Sender<Option<Arc<Picture>>>,
    started: Instant,
    /// Seconds after `started` of the last request.
    asked: Arc<AtomicU64>,
}

/// How the agent was a moment ago.
#[derive(Debug)]
struct Picture {
    status: Result<Status, String>,
    /// Why files could not be taken in, loops that hang aside.
    not_ready: Vec<String>,
}

impl Watched {
    fn new(agent: &Agent, vitals: Vitals) -> Self {
        let picture = watch::Sender::new(None);
        Self { agent: agent.clone(), vitals, picture, started: Instant::now(), asked: Arc::default() }
    }

    /// The newest picture; only before there is one it is made for the request.
    async fn picture(&self) -> Arc<Picture> {
        self.asked.store(self.started.elapsed().as_secs(), Ordering::Relaxed);
        let known = self.picture.borrow().clone();
        match known {
            Some(picture) => picture,
            None => self.renew().await,
        }
    }

    async fn renew(&self) -> Arc<Picture> {
        let picture =
            Arc::new(Picture { status: current(self).await, not_ready: not_ready(&self.agent).await });
        self.picture.send_replace(Some(picture.clone()));
        picture
    }

    /// Renews the picture until `stop` fires.
    async fn keep_fresh(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            self.renew().await;
            metrics::upkeep();
            let asked = Duration::from_secs(self.asked.load(Ordering::Relaxed));
            let is_asked = self.started.elapsed().saturating_sub(asked) < LATELY;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(if is_asked { FRESH } else { IDLE }) => {}
            }
        }
    }
}

/// Serves the health endpoints at the configured address until `stop` fires.
///
/// An address that is taken is a trouble in the agent's status and tried again, not the agent's end.
pub async fn serve(agent: Agent, vitals: Vitals, stop: CancellationToken) {
    let mut settings = agent.watch_settings();
    let watched = Watched::new(&agent, vitals);
    let app = router(watched.clone());
    let _fresh = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(watched.keep_fresh(stop.clone())));
    while !stop.is_cancelled() {
        let address = settings.borrow_and_update().config.health.listen;
        // The agent itself holds the other end.
        let mut moved = pin!(settings.wait_for(|it| it.config.health.listen != address));
        match TcpListener::bind(address).await {
            Ok(listener) => {
                agent.set_trouble(PART, None);
                let served =
                    axum::serve(listener, app.clone()).with_graceful_shutdown(stop.clone().cancelled_owned());
                tokio::select! {
                    served = served.into_future() => if let Err(error) = served {
                        agent.set_trouble(PART, Some(words(address, &error)));
                    },
                    _ = &mut moved => {
                        tracing::info!("the health address is another one now");
                        continue;
                    }
                }
            }
            Err(error) => {
                let words = words(address, &error);
                tracing::error!("{words}");
                agent.set_trouble(PART, Some(words));
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            _ = moved => {}
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}

fn words(address: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("the health address {address} is taken by another program: change [health] listen")
        }
        _ => format!("the health address {address} cannot be served: {error}"),
    }
}

fn router(watched: Watched) -> Router {
    Router::new()
        .route("/", get(health))
        .route("/health", get(health))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/details", get(details))
        .route("/metrics", get(exposition))
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({"error": "not found"}))))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, Duration::from_secs(10)))
        .with_state(watched)
}

type Answer = (StatusCode, Json<Value>);

fn answer(good: &str, bad: &str, reasons: &[String]) -> Answer {
    if reasons.is_empty() {
        (StatusCode::OK, Json(json!({"status": good})))
    } else {
        let body = json!({"status": bad, "reason": reasons.join("; "), "reasons": reasons});
        (StatusCode::SERVICE_UNAVAILABLE, Json(body))
    }
}

async fn live(State(watched): State<Watched>) -> Answer {
    answer("alive", "stuck", &stuck(&watched.vitals))
}

async fn ready(State(watched): State<Watched>) -> Answer {
    answer("ready", "not ready", &reasons(&watched, &*watched.picture().await))
}

/// What hangs now, and what was wrong in the picture.
fn reasons(watched: &Watched, picture: &Picture) -> Vec<String> {
    let mut reasons = stuck(&watched.vitals);
    reasons.extend(picture.not_ready.iter().cloned());
    reasons
}

async fn exposition(State(watched): State<Watched>) -> ([(HeaderName, &'static str); 1], String) {
    let picture = watched.picture().await;
    let text = metrics::exposition(picture.status.as_ref().ok(), Timestamp::now());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

async fn health(State(watched): State<Watched>) -> Answer {
    let hangs = stuck(&watched.vitals);
    if !hangs.is_empty() {
        return answer("ok", "unhealthy", &hangs);
    }
    match &watched.picture().await.status {
        Ok(status) if status.health.level == HealthLevel::Failed => {
            answer("ok", "unhealthy", &status.health.reasons)
        }
        Ok(status) if status.health.level == HealthLevel::Attention => {
            (StatusCode::OK, Json(json!({"status": "ok", "attention": status.health.reasons})))
        }
        Ok(_) => answer("ok", "unhealthy", &[]),
        Err(reason) => answer("ok", "unhealthy", std::slice::from_ref(reason)),
    }
}

async fn details(State(watched): State<Watched>) -> Answer {
    let now = Timestamp::now();
    let picture = watched.picture().await;
    let status = match &picture.status {
        Ok(status) => status,
        Err(reason) => return answer("ok", "unhealthy", std::slice::from_ref(reason)),
    };
    let hangs = stuck(&watched.vitals);
    let failed = status.health.level == HealthLevel::Failed || !hangs.is_empty();
    let code = if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (code, Json(describe(status, &watched.agent.sandbox(), &hangs, &reasons(&watched, &picture), now)))
}

/// Every part with what is wrong with it.
fn describe(
    status: &Status,
    sandbox: &SandboxStatus,
    stuck: &[String],
    not_ready: &[String],
    now: Timestamp,
) -> Value {
    let sources: Vec<Value> = status
        .sources
        .iter()
        .map(|source| {
            json!({
                "name": source.settings.name,
                "state": source.state,
                "reason": source.trouble,
                "files_converted": source.files_converted,
                "files_failed": source.files_failed,
            })
        })
        .collect();
    let working = status.sources.iter().filter(|source| source.state == SourceState::Watching).count();
    let seconds_since = |then: Timestamp| now.duration_since(then).as_secs().max(0);
    json!({
        "healthy": status.health.level != HealthLevel::Failed,
        "status": status.health.level,
        "reasons": status.health.reasons,
        "timestamp": now,
        "instance": status.instance,
        "version": status.version,
        "uptime_seconds": seconds_since(status.started_at),
        "paused": status.paused,
        "live": {"ok": stuck.is_empty(), "reasons": stuck},
        "ready": {"ok": not_ready.is_empty(), "reasons": not_ready},
        "server": {
            "link": status.server.link,
            "version": status.server.version,
            "last_success": status.server.last_success,
            "reason": status.server.trouble,
        },
        "queue": {
            "queued": status.queue.queued,
            "sending": status.queue.sending,
            "rejected": status.queue.rejected,
            "sent": status.queue.sent,
            "failed_files": status.queue.failed_files,
            "oldest_pending_seconds": status.queue.oldest_queued.map(seconds_since),
            "seconds_to_drained": status.forecast.seconds_to_drained,
            "arriving_per_minute": status.forecast.arriving_per_minute,
            "delivered_per_minute": status.forecast.delivered_per_minute,
        },
        "intake": {"watching": working, "sources": sources},
        "disk": {
            "free_bytes": status.disk.free_bytes,
            "total_bytes": status.disk.total_bytes,
            "seconds_to_full": status.forecast.seconds_to_full,
        },
        "sandbox": {"missing": sandbox.missing(), "reason": sandbox.trouble},
        "memory_bytes": status.memory_bytes,
    })
}

async fn current(watched: &Watched) -> Result<Status, String> {
    status(&watched.agent, &watched.vitals, Timestamp::now())
        .await
        .map_err(|error| format!("the database does not answer: {error}"))
}

fn stuck(vitals: &Vitals) -> Vec<String> {
    vitals.stuck().iter().map(ToString::to_string).collect()
}

/// Why files cannot be taken in now, loops that hang aside.
async fn not_ready(agent: &Agent) -> Vec<String> {
    let mut reasons = Vec::new();
    if agent.store().is_closed() {
        reasons.push("the database is closed".to_owned());
    } else if let Err(error) = agent.store().queue_counts(Timestamp::now()).await {
        reasons.push(format!("the database does not answer: {error}"));
    }
    let free = disk(&agent.settings().storage_folder()).free_bytes;
    if free < agent.settings().least_free_bytes() {
        reasons.push(format!("only {} MB are free on the disk of the queue", free / 1_000_000));
    }
    reasons.extend(agent.troubles());
    reasons
}

#[cfg(test)]
mod tests;
