//! The control API on its Unix socket: who may call, and how the socket comes and goes.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::serve::IncomingStream;
use nix::unistd::{Uid, User};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::refusal::Refusal;
use super::routes::{Control, router};
use crate::agent::Agent;
use crate::archive::replay::Replayer;
use crate::service::Vitals;

/// Why the control API is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("another process already serves {}: is this instance running twice?", socket.display())]
    Taken { socket: PathBuf },
    #[error("could not listen on {}", socket.display())]
    Listen { socket: PathBuf, source: io::Error },
    #[error("the control API ended")]
    Serve(#[source] io::Error),
}

/// Opens the socket: mode 0660, over the rest of a dead process but never over a living one.
///
/// # Errors
/// When another process answers there, or the folder cannot be written.
pub async fn listen(socket: &Path) -> Result<UnixListener, ServeError> {
    let failed = |source| ServeError::Listen { socket: socket.to_owned(), source };
    if UnixStream::connect(socket).await.is_ok() {
        return Err(ServeError::Taken { socket: socket.to_owned() });
    }
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let listener = UnixListener::bind(socket).map_err(failed)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}

/// Serves the control API until `stop` fires; requests in hand are finished.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: UnixListener,
    agent: Agent,
    vitals: Vitals,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let replayer = Replayer::new(agent.clone());
    let app = router(Control { agent: agent.clone(), vitals, replayer })
        .layer(from_fn_with_state(agent, check_peer));
    axum::serve(listener, app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .map_err(ServeError::Serve)
}

tokio::task_local! {
    /// Who asked for what this task does.
    static CALLER: Peer;
}

/// The name of the user whose request is being carried out.
pub(crate) fn caller() -> Option<String> {
    let uid = CALLER.try_with(|peer| peer.0).ok()??;
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    Some(known.map_or_else(|| format!("user {uid}"), |user| user.name))
}

/// The user at the other end, as the kernel says; `None` when it does not.
#[derive(Debug, Clone, Copy)]
struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

async fn check_peer(
    State(agent): State<Agent>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if may_call(peer, &agent.settings().config.control.allow_users) {
        return CALLER.scope(peer, next.run(request)).await;
    }
    tracing::warn!(user.id = ?peer.0, "refused a request to the control API by user {:?}", peer.0);
    Refusal::new(StatusCode::FORBIDDEN, "this user may not use the control API").into_response()
}

/// Root, the agent's own user, and the users that the configuration names.
fn may_call(peer: Peer, allowed: &[String]) -> bool {
    let Some(uid) = peer.0.map(Uid::from_raw) else { return false };
    if uid.is_root() || uid == Uid::effective() {
        return true;
    }
    match User::from_uid(uid) {
        Ok(Some(user)) => allowed.contains(&user.name),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
