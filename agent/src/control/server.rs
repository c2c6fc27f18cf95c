//! The control API on its Unix socket, and on an address of this machine where that is switched on.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::access::{Guard, tcp_door, unix_door};
use super::door::{self, Door, Peer};
use super::routes::{Control, router};
use super::token::Token;
use crate::agent::Agent;
use crate::service::Vitals;
use crate::system;

/// How long until an address that was taken is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(30);
/// The name of the address among the agent's troubles.
const PART: &str = "control";

/// Why the control API is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("another process already serves {}: is this instance running twice?", socket.display())]
    Taken { socket: PathBuf },
    #[error("could not listen on {}", socket.display())]
    Listen { socket: PathBuf, source: io::Error },
    #[error("could not keep the token of the control API in {}", path.display())]
    Token { path: PathBuf, source: io::Error },
    #[error("the control API ended")]
    Serve(#[source] io::Error),
}

/// The open socket, with the token beside it. Nobody is let in yet.
#[derive(Debug)]
pub struct Listener {
    door: Door,
    socket: PathBuf,
    token: Token,
}

/// Opens the socket for this user alone, over the rest of a dead process but never over a living one.
///
/// # Errors
/// When another process answers there, or the folder cannot be written.
pub async fn listen(socket: &Path) -> Result<Listener, ServeError> {
    let failed = |source| ServeError::Listen { socket: socket.to_owned(), source };
    if door::is_served(socket).await {
        return Err(ServeError::Taken { socket: socket.to_owned() });
    }
    system::make_folder(crate::files::folder_of(socket), 0o750).map_err(failed)?;
    let path = Token::file(socket);
    let token = Token::keep(&path, 0o600).map_err(|source| ServeError::Token { path, source })?;
    let door = door::open(socket).map_err(failed)?;
    Ok(Listener { door, socket: socket.to_owned(), token })
}

/// Serves the control API until `stop` fires; requests in hand are finished.
///
/// # Errors
/// When the socket fails.
pub async fn serve(
    listener: Listener,
    agent: Agent,
    vitals: Vitals,
    stop: CancellationToken,
) -> Result<(), ServeError> {
    let Listener { door, socket, token } = listener;
    let guard = Guard::new(agent.clone(), token);
    let routes = router(Control::new(agent.clone(), vitals, stop.clone()));
    let app = routes.clone().layer(from_fn_with_state(guard.clone(), unix_door));
    let served = axum::serve(door, app.into_make_service_with_connect_info::<Peer>())
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    let both = async {
        let tcp = routes.layer(from_fn_with_state(guard, tcp_door));
        let tcp = async {
            serve_tcp(&agent, &tcp, &stop).await;
            Ok(())
        };
        tokio::try_join!(async { served.await.map_err(ServeError::Serve) }, tcp).map(drop)
    };
    tokio::select! {
        ended = both => ended,
        () = keep_modes(&agent, &socket) => Ok(()),
    }
}

/// Lets the users that the configuration names reach socket and token through the group, and nobody while it
/// names none. That they are in the group makes them no callers: the kernel's word for who they are is checked.
async fn keep_modes(agent: &Agent, socket: &Path) {
    let mut settings = agent.watch_settings();
    loop {
        let alone = settings.borrow_and_update().config.control.allow_users.is_empty();
        let token = system::set_mode(&Token::file(socket), if alone { 0o600 } else { 0o640 });
        if let Err(error) = door::open_to_group(socket, !alone).and(token) {
            tracing::error!(%error, "could not set who may open {}", socket.display());
        }
        if settings.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Serves `app` at the address that the settings name, as long as they do, until `stop` fires.
///
/// An address that is taken is a trouble in the agent's status and tried again, not the agent's end.
async fn serve_tcp(agent: &Agent, app: &Router, stop: &CancellationToken) {
    let mut settings = agent.watch_settings();
    while !stop.is_cancelled() {
        let address = settings.borrow_and_update().config.control.listen;
        let other = settings.wait_for(|settings| settings.config.control.listen != address);
        let Some(address) = address else {
            agent.set_trouble(PART, None);
            tokio::select! {
                () = stop.cancelled() => return,
                _ = other => continue,
            }
        };
        let served = async {
            let listener = TcpListener::bind(address).await?;
            agent.set_trouble(PART, None);
            tracing::info!("the control API is served on {address} as well");
            axum::serve(listener, app.clone()).with_graceful_shutdown(stop.clone().cancelled_owned()).await
        };
        let failed = tokio::select! {
            served = served => served,
            _ = other => continue,
        };
        let Err(error) = failed else { return };
        let words =
            format!("the control API's address {address} cannot be served: {error}; see [control] listen");
        tracing::error!("{words}");
        agent.set_trouble(PART, Some(words));
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(TRY_AGAIN) => {}
        }
    }
}

#[cfg(test)]
mod tests;
