//! `/_sim/…`: how scripts look into the simulator and switch faults. No credential is asked for.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use uuid::Uuid;

use super::{Faults, FaultsChange, Header, Registered, Shared, Stats};

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/reports", get(reports).delete(clear))
        .route("/reports/{id}", get(body))
        .route("/stats", get(stats))
        .route("/clients", get(clients))
        .route("/faults", get(faults).put(set_faults))
        .with_state(shared)
}

async fn reports(State(sim): State<Arc<Shared>>) -> Json<Vec<Header>> {
    Json(sim.store().headers())
}

async fn clear(State(sim): State<Arc<Shared>>) -> StatusCode {
    sim.store().clear();
    StatusCode::NO_CONTENT
}

async fn body(State(sim): State<Arc<Shared>>, Path(id): Path<Uuid>) -> Response {
    match sim.store().get(id) {
        Some(stored) => {
            ([(header::CONTENT_TYPE, stored.format.content_type())], stored.body.clone()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn stats(State(sim): State<Arc<Shared>>) -> Json<Stats> {
    Json(sim.store().stats())
}

async fn clients(State(sim): State<Arc<Shared>>) -> Json<Vec<Registered>> {
    Json(sim.clients().clone())
}

async fn faults(State(sim): State<Arc<Shared>>) -> Json<Faults> {
    Json(sim.faults().clone())
}

async fn set_faults(State(sim): State<Arc<Shared>>, Json(change): Json<FaultsChange>) -> StatusCode {
    sim.faults().change(change);
    StatusCode::NO_CONTENT
}
