//! What every `/api` request passes: faults, credential, rate.

use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::Api;
use super::faults::FaultKind;

/// A response that never comes: the connection is closed. The unwinding ends the connection's task,
/// and `resume_unwind` says nothing on standard error.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the simulator drops this connection on purpose"))
}

pub(super) async fn gate(State(api): State<Api>, request: Request, next: Next) -> Response {
    let route = request.uri().path().trim_start_matches("/api/").to_owned();
    let hit = api.sim.faults().take(&route);
    tokio::time::sleep(hit.delay).await;
    let request = match &hit.kind {
        Some(FaultKind::Status { code, retry_after, location, body, content_type }) => {
            let kind = content_type.as_deref().unwrap_or("text/plain; charset=utf-8");
            return status(
                *code,
                body,
                &[
                    (header::CONTENT_TYPE, Some(kind)),
                    (header::RETRY_AFTER, retry_after.as_deref()),
                    (header::LOCATION, location.as_deref()),
                ],
            );
        }
        Some(FaultKind::Html) => return Html("<html><body>Please sign in</body></html>").into_response(),
        Some(FaultKind::DropBefore) => hang_up(),
        Some(FaultKind::DropDuring) => request.map(|body| {
            Body::from_stream(body.into_data_stream().map(|_| -> Result<Bytes, axum::Error> { hang_up() }))
        }),
        Some(FaultKind::SlowRead { milliseconds }) => {
            let pause = Duration::from_millis(*milliseconds);
            request.map(|body| slowly(body, pause))
        }
        _ => request,
    };
    let response = match admit(&api, request.headers(), &route) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal,
    };
    match hit.kind {
        Some(FaultKind::DropAfter) => hang_up(),
        Some(FaultKind::Empty) => StatusCode::OK.into_response(),
        Some(FaultKind::Truncated) => with_body(response, |body| body.slice(..body.len() / 2)).await,
        Some(FaultKind::WrongId) => with_body(response, other_id).await,
        Some(FaultKind::SlowAnswer { milliseconds }) => {
            in_pieces(response, Duration::from_millis(milliseconds)).await
        }
        _ => response,
    }
}

fn status(code: u16, body: &str, headers: &[(header::HeaderName, Option<&str>)]) -> Response {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_owned()).into_response();
    for (name, value) in headers {
        if let Some(value) = value.and_then(|text| text.parse().ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn slowly(body: Body, pause: Duration) -> Body {
    Body::from_stream(body.into_data_stream().then(move |piece| async move {
        tokio::time::sleep(pause).await;
        piece
    }))
}

/// Another body in the place of the one that was made; its length is told anew.
async fn with_body(response: Response, change: impl FnOnce(Bytes) -> Bytes) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    // The bodies are our own and in memory.
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(head, Body::from(change(body)))
}

async fn in_pieces(response: Response, pause: Duration) -> Response {
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let size = body.len().div_ceil(10).max(1);
    let pieces: Vec<Bytes> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let pieces = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, axum::Error>));
    Response::from_parts(head, slowly(Body::from_stream(pieces), pause))
}

fn other_id(body: Bytes) -> Bytes {
    let Ok(Value::Object(mut answer)) = serde_json::from_slice(&body) else { return body };
    for name in ["ID", "uuid"] {
        if let Some(id) = answer.get_mut(name) {
            *id = json!(Uuid::new_v4());
        }
    }
    Bytes::from(Value::Object(answer).to_string())
}

#[expect(clippy::result_large_err, reason = "the error is the answer, made once a request")]
fn admit(api: &Api, headers: &HeaderMap, route: &str) -> Result<(), Response> {
    authorise(api, headers, route).map_err(IntoResponse::into_response)?;
    if within_rate(api) {
        return Ok(());
    }
    let message = json!({ "Message": "API calls quota exceeded." });
    Err((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "5")], Json(message)).into_response())
}

fn authorise(api: &Api, headers: &HeaderMap, route: &str) -> Result<(), (StatusCode, String)> {
    let unknown = || (StatusCode::UNAUTHORIZED, String::new());
    let given =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(unknown)?;
    let (scheme, given) = given.split_once(' ').ok_or_else(unknown)?;
    let given = STANDARD.decode(given.trim()).map_err(|_| unknown())?;
    let is = |token: &str| STANDARD.decode(token).is_ok_and(|known| known == given);
    let settings = &api.sim.settings;
    if !scheme.eq_ignore_ascii_case("basic") {
        Err(unknown())
    } else if api.sim.clients().iter().any(|client| client.is(&given)) {
        Ok(())
    } else if is(&settings.token) || (route == "app/version" && is(&settings.powerless_token)) {
        Ok(())
    } else if is(&settings.powerless_token) {
        let message = json!({ "Message": "Authorization has been denied for this request." });
        Err((StatusCode::FORBIDDEN, message.to_string()))
    } else {
        Err(unknown())
    }
}

fn within_rate(api: &Api) -> bool {
    let Some(limit) = api.sim.faults().behaviour.requests_per_minute else { return true };
    let mut recent = api.recent();
    while recent.front().is_some_and(|at| at.elapsed() > Duration::from_secs(60)) {
        recent.pop_front();
    }
    let allowed = u64::try_from(recent.len()).is_ok_and(|count| count < limit);
    if allowed {
        recent.push_back(Instant::now());
    }
    allowed
}
