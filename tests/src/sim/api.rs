//! `/api/…`: what a client of a WATS server sees. Paths arrive here in lower case.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde_json::{Value, json};
use uuid::Uuid;

use super::catalogue::{self, Kind};
use super::{Shared, clients, gate, read, submit};

pub(super) const VERSION: &str = "2026.1.5.324";

#[derive(Debug, Clone)]
pub(super) struct Api {
    pub sim: Arc<Shared>,
    /// When the requests of the last minute came.
    recent: Arc<Mutex<VecDeque<Instant>>>,
}

impl Api {
    pub(super) fn recent(&self) -> MutexGuard<'_, VecDeque<Instant>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes(sim: Arc<Shared>) -> Router {
    let api = Api { sim, recent: Arc::default() };
    Router::new()
        .route("/api/app/version", get(async || Json(VERSION)))
        .route("/api/app/processes", get(processes))
        .route("/api/systemstatus", get(async || Json(json!({ "Status": "Online", "Version": VERSION }))))
        .route("/api/internal/process/getprocesses", get(async || Json(catalogue::internal())))
        .route("/api/internal/process/getprocess/{id}", get(process))
        .route(
            "/api/internal/process/getrepairoperations",
            get(async || Json(catalogue::repair_operations())),
        )
        .route("/api/internal/process/getrepairoperation/{id}", get(repair_operation))
        .route("/api/report/wsjf", post(submit::wsjf))
        .route("/api/report/wsxf", post(submit::wsxf))
        .route("/api/report/wsjf/{id}", get(read::wsjf))
        .route("/api/report/wsxf/{id}", get(read::wsxf))
        .route("/api/report/attachment", get(read::attachment))
        .route("/api/report/query/header", get(read::headers))
        .route("/api/internal/report/getreportstate/{id}", get(read::state))
        .merge(clients::routes(api.clone()))
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(api.clone(), gate::gate))
        .with_state(api)
}

pub(super) async fn nothing(request: Request) -> Response {
    let message =
        format!("No HTTP resource was found that matches the request URI '{}'.", request.uri().path());
    (StatusCode::NOT_FOUND, Json(json!({ "Message": message }))).into_response()
}

async fn processes(State(_): State<Api>, Query(query): Query<HashMap<String, String>>) -> Json<Vec<Value>> {
    let wanted = |name: &str| flag(&query, name).is_none_or(|wanted| wanted);
    Json(catalogue::public(|kind| match kind {
        Kind::Test => wanted("includeTestOperations"),
        Kind::Repair => wanted("includeRepairOperations"),
        Kind::Wip => wanted("includeWipOperations"),
    }))
}

/// A query parameter that is `true` or `false`; its name matches without regard to case.
pub(super) fn flag(query: &HashMap<String, String>, wanted: &str) -> Option<bool> {
    let value = query.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted))?.1;
    value.to_ascii_lowercase().parse().ok()
}

async fn process(Path(id): Path<Uuid>) -> Result<Json<Value>, StatusCode> {
    catalogue::internal_one(id).map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn repair_operation(Path(id): Path<Uuid>) -> Result<Json<Value>, StatusCode> {
    catalogue::repair_operation(id).map(Json).ok_or(StatusCode::NOT_FOUND)
}
