//! The queue, what was sent, and what the server refused.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use super::api::{Changed, ReportDetail, ReportQuery, ReportRecord, ReportState};
use super::refusal::Refusal;
use super::routes::{Answer, Asked, At, Control, Wish};
use crate::archive::complaints::complaints;
use crate::convert::ready;
use crate::store::NewReport;

/// The largest report that is taken as a correction.
pub(super) const LARGEST: usize = 64 << 20;
/// So long one request goes on giving up; whoever asked asks again for the rest.
const TOGETHER: Duration = Duration::from_secs(20);

pub(super) async fn list(
    State(control): State<Control>,
    Asked(query): Asked<ReportQuery>,
) -> Answer<Vec<ReportRecord>> {
    Ok(Json(control.agent.store().reports(&query).await?))
}

pub(super) async fn show(State(control): State<Control>, At(id): At<Uuid>) -> Answer<ReportDetail> {
    let found = control.agent.store().report(id).await?;
    let mut report = found.ok_or_else(|| Refusal::not_found(format!("there is no report {id}")))?;
    if matches!(report.record.state, ReportState::Rejected | ReportState::Discarded) {
        report.complaints = complaints(&control.agent, &report).await?;
    }
    Ok(Json(report))
}

pub(super) async fn retry(State(control): State<Control>, At(id): At<Uuid>) -> Result<StatusCode, Refusal> {
    control.agent.store().retry_report(id, Timestamp::now()).await?;
    control.agent.wake_delivery();
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn discard(State(control): State<Control>, At(id): At<Uuid>) -> Result<StatusCode, Refusal> {
    control.agent.store().discard_report(id, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends again all refused reports that fit the query, or makes those of the queue due now.
pub(super) async fn retry_many(
    State(control): State<Control>,
    Wish(query): Wish<ReportQuery>,
) -> Answer<Changed> {
    let state = query.state.unwrap_or(ReportState::Rejected);
    if !matches!(state, ReportState::Rejected | ReportState::Queued) {
        return Err(Refusal::field("state", "only rejected and queued reports can be sent again"));
    }
    no_page(&query)?;
    let count = control.agent.store().retry_reports(query, state, Timestamp::now()).await?;
    tracing::info!("{count} {} reports are sent again at a person's wish", state.as_str());
    control.agent.wake_delivery();
    Ok(Json(Changed { count, ..Changed::default() }))
}

/// Gives up all refused reports that fit the query, a page at a time so that others can write in between.
pub(super) async fn discard_many(
    State(control): State<Control>,
    Wish(query): Wish<ReportQuery>,
) -> Answer<Changed> {
    if query.state.is_some_and(|state| state != ReportState::Rejected) {
        return Err(Refusal::field("state", "only rejected reports can be given up"));
    }
    no_page(&query)?;
    let (until, mut changed) = (Instant::now() + TOGETHER, Changed::default());
    loop {
        let count = control.agent.store().discard_reports(query.clone(), Timestamp::now()).await?;
        changed.count += count;
        changed.more = count > 0 && query.limit.is_none();
        if !changed.more || Instant::now() > until {
            tracing::info!("{} rejected reports were given up at a person's wish", changed.count);
            return Ok(Json(changed));
        }
    }
}

fn no_page(query: &ReportQuery) -> Result<(), Refusal> {
    match query.before {
        None => Ok(()),
        Some(_) => {
            Err(Refusal::field("before", "this is for lists; to change many, narrow them by from and to"))
        }
    }
}

/// Puts a corrected content in the place of a refused one, by the rules for every report, and sends it.
pub(super) async fn correct(
    State(control): State<Control>,
    At(id): At<Uuid>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Refusal> {
    let body = body.map_err(|error| {
        Refusal::new(error.status(), "the report is too large, or broke off; nothing was changed")
    })?;
    let report = tokio::task::spawn_blocking(move || corrected(id, &body)).await;
    let report = report.map_err(|error| Refusal::internal(&error))??;
    control.agent.store().correct_report(report, Timestamp::now()).await?;
    tracing::info!(report.id = %id, "report {id} was corrected by a person and is sent again");
    control.agent.wake_delivery();
    Ok(StatusCode::NO_CONTENT)
}

fn corrected(id: Uuid, body: &[u8]) -> Result<NewReport, Refusal> {
    let report = wats::wsjf::read(body).map_err(|error| Refusal::field("body", error.to_string()))?;
    if report.id.is_some_and(|other| other != id) {
        let words = format!("the id must stay {id}: under another one the server would keep both");
        return Err(Refusal::field("id", words));
    }
    let ready = ready(id, report, "the report").map_err(|words| Refusal::field("body", words))?;
    ready.packed().map_err(|error| Refusal::internal(&error))
}
