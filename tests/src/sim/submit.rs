//! Taking a report: parse, check by the server's rules, store, acknowledge.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use serde_json::json;
use wats::Report;
use wats::validate;

use super::api::Api;
use super::catalogue;
use super::faults::RejectionShape;
use super::store::Format;

/// The usual limit of the web server that WATS runs on.
const MAX_BODY: usize = 30_000_000;

pub(super) async fn wsjf(State(api): State<Api>, headers: HeaderMap, body: Body) -> Response {
    submit(&api, Format::Wsjf, &headers, body).await
}

pub(super) async fn wsxf(State(api): State<Api>, headers: HeaderMap, body: Body) -> Response {
    submit(&api, Format::Wsxf, &headers, body).await
}

async fn submit(api: &Api, format: Format, headers: &HeaderMap, body: Body) -> Response {
    let limit = api.sim.faults().behaviour.max_body.unwrap_or(MAX_BODY);
    let body = match receive(headers, body, limit).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    api.sim.store().count_post();
    let report = match read(format, &body) {
        Ok(report) => report,
        Err(problem) => return reject(api, &problem),
    };
    let strictness = api.sim.settings.strictness;
    let mut lines: Vec<String> =
        validate::problems(&report, strictness).iter().map(ToString::to_string).collect();
    lines.extend(catalogue::problems(&report, strictness));
    match report.id {
        Some(id) if lines.is_empty() => {
            let number = api.sim.store().accept(id, &report, body, format);
            Json(json!({ "ID": id, "uuid": id, "Report_ID": number })).into_response()
        }
        _ => reject(api, &lines.join("\n")),
    }
}

async fn receive(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Response> {
    let too_large = || (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.").into_response();
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut pieces = body.into_data_stream();
    let mut read = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
        if read.len() + piece.len() > limit {
            return Err(too_large());
        }
        read.extend_from_slice(&piece);
    }
    Ok(read.into())
}

/// The report in a body, or why there is none.
pub(super) fn read(format: Format, body: &[u8]) -> Result<Report, String> {
    match format {
        Format::Wsjf => wats::wsjf::read(body).map_err(|error| error.to_string()),
        Format::Wsxf => wats::wsxf::read(body).map_err(|error| error.to_string()),
    }
}

fn reject(api: &Api, problems: &str) -> Response {
    api.sim.store().count_rejection();
    let status = StatusCode::BAD_REQUEST;
    match api.sim.faults().behaviour.rejection {
        RejectionShape::Message => (status, Json(json!({ "Message": problems }))).into_response(),
        RejectionShape::String => (status, Json(json!(problems))).into_response(),
        RejectionShape::Text => (status, problems.to_owned()).into_response(),
    }
}
