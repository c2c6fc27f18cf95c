//! The system daemon: the operations of [`api`](super::api) on a Unix socket, for root and the console only.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::serve::IncomingStream;
use axum::{Json, Router};
use jiff::Timestamp;
use nix::unistd::{Group, Uid, User, chown};
use serde::de::DeserializeOwned;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use super::api::{Host, HostNameChange, Power, Problem, TimeZoneChange, UpdateKind, Updates};
use super::host::{HostError, HostSettings};
use super::power;
use super::runner::Runner;
use super::updates::{UpdateError, UpdateService};

/// No operation takes longer; an update is only started.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest body is a host name.
const BODY_LIMIT: usize = 4096;

/// What the operations work on.
#[derive(Debug, Clone)]
pub struct Daemon {
    host: HostSettings,
    updates: UpdateService,
    runner: Runner,
    /// Names of the users, besides root, who may call.
    allowed: Vec<String>,
}

/// Why the daemon does not serve.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error("another process already serves {}", socket.display())]
    Taken { socket: PathBuf },
    #[error("could not listen on {}", socket.display())]
    Listen { socket: PathBuf, source: io::Error },
    #[error("the system API ended")]
    Serve(#[source] io::Error),
}

impl Daemon {
    /// `root` is `/` but in tests; `state_dir` keeps the progress of updates.
    pub fn new(runner: Runner, root: &Path, state_dir: &Path, allowed: Vec<String>) -> Self {
        Self {
            host: HostSettings::new(runner.clone(), root),
            updates: UpdateService::new(runner.clone(), root, state_dir),
            runner,
            allowed,
        }
    }
}

/// Opens the socket: mode 0660, for `group` if there is one of that name; over the rest of a dead process
/// but never over a living one.
///
/// # Errors
/// When another process answers there, or the folder cannot be written.
pub async fn listen(socket: &Path, group: &str) -> Result<UnixListener, DaemonError> {
    let failed = |source| DaemonError::Listen { socket: socket.to_owned(), source };
    if UnixStream::connect(socket).await.is_ok() {
        return Err(DaemonError::Taken { socket: socket.to_owned() });
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(failed)?;
    if let Ok(Some(group)) = Group::from_name(group) {
        chown(socket, None, Some(group.gid)).map_err(|error| failed(error.into()))?;
    }
    std::fs::set_permissions(socket, Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}

/// Serves until `stop` fires; requests in hand are finished.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: UnixListener,
    daemon: Daemon,
    stop: CancellationToken,
) -> Result<(), DaemonError> {
    let app = Router::new()
        .route("/v1/host", get(show_host))
        .route("/v1/host-name", put(set_host_name))
        .route("/v1/time-zones", get(list_time_zones))
        .route("/v1/time-zone", put(set_time_zone))
        .route("/v1/updates", get(show_updates))
        .route("/v1/updates/check", post(check_updates))
        .route("/v1/updates/install", post(install_updates))
        .route("/v1/power", post(set_power))
        .fallback(async || Refusal::new(StatusCode::NOT_FOUND, "there is no such operation"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this operation is not called like that")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, PATIENCE))
        .layer(from_fn_with_state(daemon.clone(), check_peer))
        .with_state(daemon);
    axum::serve(listener, app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(DaemonError::Serve)
}

/// The user at the other end, as the kernel says; `None` when it does not.
#[derive(Debug, Clone, Copy)]
struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

/// Lets root and the named users in, and writes down what they asked for and how it went.
async fn check_peer(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !may_call(peer, &daemon.allowed) {
        tracing::warn!(user.id = ?peer.0, "refused a request by user {:?}", peer.0);
        return Refusal::new(StatusCode::FORBIDDEN, "this user may not use the system service")
            .into_response();
    }
    let what = format!("{} {}", request.method(), request.uri().path());
    let changes = request.method() != Method::GET;
    let response = next.run(request).await;
    if changes {
        tracing::info!(user.id = ?peer.0, status = response.status().as_u16(), "{what}");
    }
    response
}

fn may_call(peer: Peer, allowed: &[String]) -> bool {
    let Some(uid) = peer.0.map(Uid::from_raw) else { return false };
    uid.is_root() || matches!(User::from_uid(uid), Ok(Some(user)) if allowed.contains(&user.name))
}

/// What an operation is refused with.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// Something failed here: the cause goes to the log, the words to the person.
    fn failed(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        let causes: String = causes.map(|cause| format!(": {cause}")).collect();
        tracing::error!("an operation failed: {error}{causes}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, format!("The system refused: {error}{causes}."))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Problem { message: self.message })).into_response()
    }
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Self {
        match error {
            HostError::HostName(_) | HostError::TimeZone(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
            }
            error => Self::failed(&error),
        }
    }
}

impl From<UpdateError> for Refusal {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Running | UpdateError::DiskFull => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            error => Self::failed(&error),
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::new(StatusCode::BAD_REQUEST, format!("the request is not understood: {error}"))
    })
}

type Body = axum::body::Bytes;

async fn show_host(State(daemon): State<Daemon>) -> Json<Host> {
    Json(daemon.host.host())
}

async fn set_host_name(State(daemon): State<Daemon>, body: Body) -> Result<StatusCode, Refusal> {
    let HostNameChange { host_name } = parse(&body)?;
    daemon.host.set_host_name(host_name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn list_time_zones(State(daemon): State<Daemon>) -> Result<Json<Vec<String>>, Refusal> {
    Ok(Json(daemon.host.time_zones().await?))
}

async fn set_time_zone(State(daemon): State<Daemon>, body: Body) -> Result<StatusCode, Refusal> {
    let TimeZoneChange { time_zone } = parse(&body)?;
    daemon.host.set_time_zone(time_zone).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show_updates(State(daemon): State<Daemon>) -> Result<Json<Updates>, Refusal> {
    Ok(Json(daemon.updates.updates(Timestamp::now()).await?))
}

async fn check_updates(State(daemon): State<Daemon>) -> Result<StatusCode, Refusal> {
    daemon.updates.start(UpdateKind::Check, Timestamp::now()).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn install_updates(State(daemon): State<Daemon>) -> Result<StatusCode, Refusal> {
    daemon.updates.start(UpdateKind::Install, Timestamp::now()).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn set_power(State(daemon): State<Daemon>, body: Body) -> Result<StatusCode, Refusal> {
    let Power { action } = parse(&body)?;
    power::later(daemon.runner.clone(), action);
    Ok(StatusCode::ACCEPTED)
}

#[cfg(test)]
mod tests;
