//! `/api/…`: what a client of a WATS server sees. Paths arrive here in lower case.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use serde_json::{Value, json};
use uuid::Uuid;
use wats::report::{Report, ReportType, Time};
use wats::{validate, wsjf};

use super::Shared;
use super::faults::{FaultKind, RejectionShape};

/// The usual limit of the web server that WATS runs on.
const MAX_BODY: usize = 30_000_000;

const VERSION: &str = "2026.1.5.324";

/// Code, name, is a test operation, is a repair operation: what a fresh server is set up with.
const PROCESSES: &[(i32, &str, bool, bool)] = &[
    (10, "SW Debug", true, false),
    (30, "FCT", true, false),
    (50, "PCBA test", true, false),
    (90, "Burn In test", true, false),
    (100, "End of line test", true, false),
    (500, "Repair", false, true),
    (510, "RMA Repair", false, true),
];

#[derive(Debug, Clone)]
struct Api {
    sim: Arc<Shared>,
    recent: Arc<Mutex<VecDeque<Instant>>>,
}

pub(super) fn routes(sim: Arc<Shared>) -> Router {
    let api = Api { sim, recent: Arc::default() };
    Router::new()
        .route("/api/app/version", get(async || Json(VERSION)))
        .route("/api/app/processes", get(processes))
        .route("/api/internal/process/getprocesses", get(internal_processes))
        .route("/api/report/wsjf", post(submit_wsjf))
        .route("/api/report/wsjf/{id}", get(read_back))
        .route("/api/report/query/header", get(query_header))
        .route("/api/internal/report/getreportstate/{id}", get(report_state))
        .fallback(nothing)
        .layer(middleware::from_fn_with_state(api.clone(), gate))
        .with_state(api)
}

async fn nothing(request: Request) -> Response {
    let message =
        format!("No HTTP resource was found that matches the request URI '{}'.", request.uri().path());
    (StatusCode::NOT_FOUND, Json(json!({ "Message": message }))).into_response()
}

/// A response that never comes: the connection is closed. The unwinding ends the connection's task,
/// and `resume_unwind` says nothing on standard error.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the simulator drops this connection on purpose"))
}

/// Rate, credential, and the faults that replace or delay the whole request.
async fn gate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let route = request.uri().path().trim_start_matches("/api/").to_owned();
    let fault = api.sim.faults().take(&route);
    match fault {
        Some(FaultKind::Latency { milliseconds }) => {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Some(FaultKind::Status { code, retry_after, body }) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = (status, body).into_response();
            if let Some(value) = retry_after.and_then(|text| text.parse().ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            return response;
        }
        Some(FaultKind::DropBefore) => hang_up(),
        Some(FaultKind::Html) => return Html("<html><body>Please sign in</body></html>").into_response(),
        Some(after) => {
            request.extensions_mut().insert(after);
        }
        None => {}
    }
    if !within_rate(&api) {
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "5")]).into_response();
    }
    if let Err(status) = authorised(&api, request.headers(), &route) {
        return status.into_response();
    }
    next.run(request).await
}

fn within_rate(api: &Api) -> bool {
    let Some(limit) = api.sim.faults().behaviour.requests_per_minute else { return true };
    let mut recent = api.recent.lock().unwrap_or_else(PoisonError::into_inner);
    while recent.front().is_some_and(|at| at.elapsed() > Duration::from_secs(60)) {
        recent.pop_front();
    }
    let allowed = u64::try_from(recent.len()).is_ok_and(|count| count < limit);
    if allowed {
        recent.push_back(Instant::now());
    }
    allowed
}

fn authorised(api: &Api, headers: &HeaderMap, route: &str) -> Result<(), StatusCode> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Basic ")).ok_or(StatusCode::UNAUTHORIZED)?;
    let settings = &api.sim.settings;
    if token == settings.token {
        Ok(())
    } else if settings.powerless_token.as_deref() == Some(token) {
        if route == "app/version" { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
    } else {
        Err(StatusCode::UNAUTHORIZED)
    }
}

async fn processes() -> Json<Value> {
    Json(PROCESSES.iter().map(|(code, name, test, repair)| json!({
        "code": code, "name": name, "isTestOperation": test, "isRepairOperation": repair, "isWipOperation": false,
        "processIndex": code, "state": 1,
    })).collect())
}

async fn internal_processes() -> Json<Value> {
    Json(
        PROCESSES
            .iter()
            .map(|(code, name, test, repair)| {
                json!({
                    "Code": code, "ProcessID": Uuid::from_u128(u128::from(code.unsigned_abs())), "Name": name,
                    "Description": null, "ProcessIndex": code, "State": 1, "Properties": 0,
                    "IsTestOperation": test, "IsWIPOperation": false, "IsRepairOperation": repair,
                })
            })
            .collect(),
    )
}

async fn submit_wsjf(State(api): State<Api>, request: Request) -> Response {
    let fault = request.extensions().get::<FaultKind>().cloned();
    let pause = match fault {
        Some(FaultKind::SlowRead { milliseconds }) => Duration::from_millis(milliseconds),
        _ => Duration::ZERO,
    };
    let body = match read_slowly(request.into_body(), pause).await {
        Some(body) => body,
        None => return (StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.").into_response(),
    };
    api.sim.store().count_post();
    let report = match wsjf::read(&body) {
        Ok(report) => report,
        Err(error) => return reject(&api, &error.to_string()),
    };
    let mut lines: Vec<String> =
        validate::problems(&report, api.sim.settings.strictness).iter().map(ToString::to_string).collect();
    lines.extend(process_problem(&report));
    if !lines.is_empty() {
        return reject(&api, &lines.join("\n"));
    }
    let Some(id) = report.id else { return reject(&api, "id: A value is required.") };
    let number = api.sim.store().accept(id, report, body, "application/json");
    let answered =
        if matches!(fault, Some(FaultKind::WrongId)) { Uuid::from_u128(!id.as_u128()) } else { id };
    let answer = json!({ "ID": answered, "uuid": answered, "Report_ID": number });
    match fault {
        Some(FaultKind::DropAfter) => hang_up(),
        Some(FaultKind::Empty) => StatusCode::OK.into_response(),
        Some(FaultKind::Truncated) => {
            let text = answer.to_string();
            let half: String = text.chars().take(text.len() / 2).collect();
            ([(header::CONTENT_TYPE, "application/json")], half).into_response()
        }
        _ => Json(answer).into_response(),
    }
}

/// The body, pausing before each piece of it; `None` when it is larger than a server takes.
async fn read_slowly(body: Body, pause: Duration) -> Option<Vec<u8>> {
    let mut pieces = body.into_data_stream();
    let mut read = Vec::new();
    while let Some(piece) = pieces.next().await {
        tokio::time::sleep(pause).await;
        read.extend_from_slice(&piece.ok()?);
        if read.len() > MAX_BODY {
            return None;
        }
    }
    Some(read)
}

fn process_problem(report: &Report) -> Option<String> {
    let code = report.process_code?;
    let fits = PROCESSES.iter().any(|(known, _, test, repair)| {
        *known == code && if report.report_type == ReportType::Test { *test } else { *repair }
    });
    (!fits).then(|| "processCode: The value is no operation of this kind on the server.".to_owned())
}

fn reject(api: &Api, problems: &str) -> Response {
    api.sim.store().count_rejection();
    let shape = api.sim.faults().behaviour.rejection;
    match shape {
        RejectionShape::Message => {
            (StatusCode::BAD_REQUEST, Json(json!({ "Message": problems }))).into_response()
        }
        RejectionShape::String => (StatusCode::BAD_REQUEST, Json(json!(problems))).into_response(),
        RejectionShape::Text => (StatusCode::BAD_REQUEST, problems.to_owned()).into_response(),
    }
}

/// A stored report with what the server adds to it; nothing while it is being processed.
async fn read_back(State(api): State<Api>, Path(id): Path<String>) -> Response {
    match find(&api, &id, |stored| with_additions(&stored.report)) {
        Some(report) => Json(report).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn report_state(State(api): State<Api>, Path(id): Path<String>) -> Response {
    let Some(id) = parse_id(&id) else { return StatusCode::NOT_FOUND.into_response() };
    let delay = Duration::from_millis(api.sim.faults().behaviour.processing_delay_ms);
    match api.sim.store().get(id) {
        Some(stored) => Json(json!({
            "uuid": id, "State": state(stored, delay), "ReceiveCount": stored.header.receive_count, "Attempts": 0,
        }))
        .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn state(stored: &super::store::Stored, delay: Duration) -> &'static str {
    let in_future =
        stored.report.start.as_ref().and_then(Time::instant).is_some_and(|t| t > jiff::Timestamp::now());
    if in_future {
        "Quarantined"
    } else if stored.received.elapsed() < delay {
        "Pending"
    } else {
        "Processed"
    }
}

fn parse_id(text: &str) -> Option<Uuid> {
    text.parse().ok()
}

fn find<T>(api: &Api, id: &str, shape: impl Fn(&super::store::Stored) -> T) -> Option<T> {
    let delay = Duration::from_millis(api.sim.faults().behaviour.processing_delay_ms);
    let store = api.sim.store();
    let stored = store.get(parse_id(id)?)?;
    (state(stored, delay) == "Processed").then(|| shape(stored))
}

fn with_additions(report: &Report) -> Report {
    let mut report = report.clone();
    report.start_utc = report.start_utc.or_else(|| report.start.as_ref().and_then(Time::utc));
    report.origin.get_or_insert_with(|| "simulator".to_owned());
    let name = PROCESSES.iter().find(|(code, ..)| Some(*code) == report.process_code);
    report.process_name = report.process_name.or_else(|| name.map(|(_, name, ..)| (*name).to_owned()));
    report
}

/// The OData subset that clients use: `eq` comparisons joined by `and`, `$top`, `$skip`.
async fn query_header(State(api): State<Api>, request: Request<Body>) -> Response {
    let query: Vec<(String, String)> = url_pairs(request.uri().query().unwrap_or_default());
    let option = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let filters: Vec<(String, String)> = option("$filter")
        .map(|filter| filter.split(" and ").filter_map(equality).collect())
        .unwrap_or_default();
    let top = option("$top").and_then(|t| t.parse().ok()).unwrap_or(10).min(10_000);
    let skip = option("$skip").and_then(|t| t.parse().ok()).unwrap_or(0);
    let delay = Duration::from_millis(api.sim.faults().behaviour.processing_delay_ms);
    let store = api.sim.store();
    let rows = store.all().into_iter().rev().filter(|stored| state(stored, delay) == "Processed").map(row);
    let matching = rows.filter(|row| {
        filters.iter().all(|(name, wanted)| {
            let found = row.as_object().and_then(|o| o.iter().find(|(k, _)| k.eq_ignore_ascii_case(name)));
            found.is_some_and(|(_, v)| match v {
                Value::String(text) => text.eq_ignore_ascii_case(wanted),
                other => *wanted == format!("{other}"),
            })
        })
    });
    Json(matching.skip(skip).take(top).collect::<Vec<Value>>()).into_response()
}

fn equality(part: &str) -> Option<(String, String)> {
    let (name, value) = part.split_once(" eq ")?;
    let value = value.trim();
    let text = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
    Some((name.trim().to_owned(), text.map_or_else(|| value.to_owned(), |t| t.replace("''", "'"))))
}

fn url_pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes()).map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
}

fn row(stored: &super::store::Stored) -> Value {
    let report = &stored.report;
    json!({
        "uuid": stored.header.id, "serialNumber": report.sn, "partNumber": report.pn, "revision": report.rev,
        "reportType": stored.header.report_type, "result": report.result.word(), "stationName": report.machine_name,
        "location": report.location, "purpose": report.purpose, "processCode": report.process_code,
        "start": report.start.as_ref().and_then(Time::utc), "receiveCount": stored.header.receive_count,
        "reportSize": stored.body.len() / 1024, "timeStamp": stored.number,
    })
}
