//! Who may call the control API, and how often: the doors before every route.
//!
//! At the Unix socket the kernel says which user calls, over TCP nobody does; the token is asked for at both.
//! A converter runs as the agent's own user, so being that user is not enough.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::door::{Peer, Standing};
use super::limit::{Client, Limiter};
use super::refusal::Refusal;
use super::token::Token;
use crate::agent::Agent;

tokio::task_local! {
    /// Who asked for what this task does.
    static CALLER: Peer;
}

/// The name of the user whose request is being carried out; over TCP nobody knows.
pub(crate) fn caller() -> Option<String> {
    CALLER.try_with(|peer| peer.name()).ok()?
}

/// What both doors know.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    agent: Agent,
    token: Arc<Token>,
    limiter: Arc<Limiter>,
}

impl Guard {
    pub(super) fn new(agent: Agent, token: Token) -> Self {
        Self { agent, token: Arc::new(token), limiter: Arc::default() }
    }

    /// Takes a request from the client's share.
    fn count(&self, client: Client, per_minute: u32) -> Result<(), Box<Response>> {
        self.limiter.take(client, per_minute, Instant::now()).map_err(|wait| Box::new(too_often(wait)))
    }

    fn check_token(&self, headers: &HeaderMap) -> Result<(), Box<Response>> {
        let shown = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let shown = shown.and_then(|it| it.strip_prefix("Bearer "));
        if shown.is_some_and(|shown| self.token.is(shown.trim())) {
            return Ok(());
        }
        let words = match shown {
            Some(_) => "the token is not that of this agent",
            None => "the request shows no token: send Authorization: Bearer with that of the agent",
        };
        let header = (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        Err(Box::new(refuse(StatusCode::UNAUTHORIZED, words, [header])))
    }
}

/// The Unix socket's door: a user who may call, with the token.
pub(super) async fn unix_door(
    State(guard): State<Guard>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    match knock(&guard, peer, request.headers()) {
        Ok(()) => CALLER.scope(peer, next.run(request)).await,
        Err(refused) => *refused,
    }
}

fn knock(guard: &Guard, peer: Peer, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let settings = guard.agent.settings();
    let control = &settings.config.control;
    let caller = peer.standing(&control.allow_users);
    let per_minute = match caller {
        Standing::Service => control.service_requests_per_minute,
        Standing::Person | Standing::Refused => control.requests_per_minute,
    };
    guard.count(peer.client(), per_minute)?;
    if caller == Standing::Refused {
        tracing::warn!("refused a request to the control API by {peer:?}");
        let words =
            "this user may not use the control API: allow_users in the agent's configuration names who may";
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, words, [])));
    }
    guard.check_token(headers)
}

/// The door of the address on this machine: the token, and no web page behind the request.
pub(super) async fn tcp_door(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let per_minute = guard.agent.settings().config.control.requests_per_minute;
    let checked = from_no_page(&request).and_then(|()| guard.check_token(request.headers()));
    let counted = match &checked {
        Ok(()) => guard.count(Client::Tcp, per_minute),
        Err(_) => guard.count(Client::Stranger, per_minute),
    };
    match counted.and(checked) {
        Ok(()) => next.run(request).await,
        Err(refused) => *refused,
    }
}

/// Refuses what a browser sends for a page of somebody else, also where that page's name leads to this machine.
fn from_no_page(request: &Request) -> Result<(), Box<Response>> {
    if request.headers().contains_key(ORIGIN) {
        let words = "the control API takes no requests from web pages";
        return Err(Box::new(refuse(StatusCode::FORBIDDEN, words, [])));
    }
    let named = request.headers().get(HOST).and_then(|it| it.to_str().ok());
    let host = named.or_else(|| request.uri().authority().map(|it| it.as_str()));
    if host.is_some_and(is_this_machine) {
        return Ok(());
    }
    let words = "the request is for another host: the control API is called by 127.0.0.1 or localhost";
    Err(Box::new(refuse(StatusCode::MISDIRECTED_REQUEST, words, [])))
}

/// True for the names under which only this machine can be meant, with or without a port.
fn is_this_machine(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |it| it.0);
    name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn too_often(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let words =
        format!("too many requests: ask again in {seconds} s, or raise requests_per_minute in [control]");
    let header = (RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    refuse(StatusCode::TOO_MANY_REQUESTS, words, [header])
}

fn refuse<const N: usize>(
    status: StatusCode,
    words: impl Into<String>,
    headers: [(HeaderName, HeaderValue); N],
) -> Response {
    (headers, Refusal::new(status, words)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_s_own_names_are_taken() {
        for host in ["127.0.0.1:8765", "127.0.0.1", "localhost:8765", "LOCALHOST", "[::1]:8765", "[::1]"] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in
            ["", "evil.example:8765", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1:8765"]
        {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
