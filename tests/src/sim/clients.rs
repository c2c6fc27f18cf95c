//! Clients that register and say how they fare; a server without them answers 404.

use std::collections::HashMap;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::api::{Api, nothing};

/// A client that has registered.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Registered {
    pub id: String,
    #[serde(skip)]
    pub(super) passcode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    pub location: String,
    pub purpose: String,
    /// How often it has registered.
    pub registrations: u32,
    pub pings: u32,
    /// What it said of itself, in the order in which it came.
    pub updates: Vec<Value>,
    /// The XML texts of the older form.
    pub older_updates: Vec<String>,
    /// It has said goodbye since it was last heard.
    pub gone: bool,
}

impl Registered {
    /// True for its credential.
    pub(super) fn is(&self, given: &[u8]) -> bool {
        format!("{}:{}", self.id, self.passcode).as_bytes() == given
    }
}

pub(super) fn routes(api: Api) -> Router<Api> {
    Router::new()
        .route("/api/client/register", post(register))
        .route("/api/client/update", put(update))
        .route("/api/internal/client/update", post(older_update))
        .route("/api/internal/client/ping", get(ping))
        .route("/api/internal/client/serverinfo", get(server_info))
        .route("/api/internal/auth/disconnect/{id}", get(disconnect))
        .layer(from_fn_with_state(api, where_there_are))
}

/// A server without them does not know the addresses.
async fn where_there_are(State(api): State<Api>, request: Request, next: Next) -> Response {
    let are = api.sim.faults().behaviour.registration;
    if are { next.run(request).await } else { nothing(request).await }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "Message": message }))).into_response()
}

async fn register(State(api): State<Api>, Query(query): Query<HashMap<String, String>>) -> Response {
    let given = |name: &str| query.get(name).cloned().unwrap_or_default();
    if given("type") != "python" {
        return refused(StatusCode::BAD_REQUEST, "Client type is not valid.");
    }
    if given("id").is_empty() {
        return refused(StatusCode::BAD_REQUEST, "A client id is required.");
    }
    // What a client of the older kind is called.
    if given("id").starts_with("MAC-") {
        return refused(StatusCode::CONFLICT, "The client exists with another type.");
    }
    let passcode = Uuid::new_v4().to_string();
    let mut clients = api.sim.clients();
    let known = clients.iter().position(|client| client.id == given("id"));
    let mut client = known.map_or_else(Registered::default, |at| clients.remove(at));
    client.id = given("id");
    client.passcode.clone_from(&passcode);
    client.kind = given("type");
    (client.name, client.location, client.purpose) = (given("name"), given("location"), given("purpose"));
    client.registrations += 1;
    client.gone = false;
    clients.push(client);
    Json(passcode).into_response()
}

/// Whoever calls, by the credential; a token that is no client's is let in and changes nobody.
fn as_caller(api: &Api, headers: &HeaderMap, change: impl FnOnce(&mut Registered)) {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split_once(' ').map(|(_, token)| STANDARD.decode(token.trim()).unwrap_or_default());
    let given = given.unwrap_or_default();
    if let Some(client) = api.sim.clients().iter_mut().find(|client| client.is(&given)) {
        client.gone = false;
        change(client);
    }
}

async fn update(State(api): State<Api>, headers: HeaderMap, Json(update): Json<Value>) -> StatusCode {
    as_caller(&api, &headers, |client| client.updates.push(update));
    StatusCode::OK
}

async fn older_update(State(api): State<Api>, headers: HeaderMap, Json(update): Json<Value>) -> Response {
    let Some(xml) = update.get("miscinfo").and_then(Value::as_str).map(str::to_owned) else {
        return refused(StatusCode::BAD_REQUEST, "miscinfo is missing.");
    };
    as_caller(&api, &headers, |client| client.older_updates.push(xml));
    Json(json!({ "Name": update.get("name") })).into_response()
}

async fn ping(State(api): State<Api>, headers: HeaderMap) -> Json<Value> {
    as_caller(&api, &headers, |client| client.pings += 1);
    Json(json!({ "ServerName": "wats-sim", "ServerTime": jiff::Timestamp::now().to_string() }))
}

async fn server_info() -> Json<Value> {
    Json(json!({ "Name": "wats-sim", "SiteCode": "SIM", "Version": super::api::VERSION }))
}

async fn disconnect(State(api): State<Api>, Path(id): Path<String>, headers: HeaderMap) -> StatusCode {
    as_caller(&api, &headers, |client| client.gone = client.id.eq_ignore_ascii_case(&id));
    StatusCode::OK
}
