//! The routes of the control API.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use bytes::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tower_http::timeout::TimeoutLayer;
use uuid::Uuid;

use super::api::{
    ArgumentInfo, ConverterInfo, FileDetail, FileQuery, FileRecord, FileState, ReportDetail, ReportQuery,
    ReportRecord, ReportState, SourceSettings, SourceState, SourceStatus, Station, Status, StoredFile, Unit,
};
use super::refusal::Refusal;
use super::status::{sources, status};
use super::{configuration, registration, replay, server_settings, upload};
use crate::agent::Agent;
use crate::archive::complaints::complaints;
use crate::archive::put_back;
use crate::archive::replay::Replayer;
use crate::files::Stamp;
use crate::intake;
use crate::service::Vitals;
use crate::store::{Phase, Rescue};

/// No request but an upload takes longer; the connection test ends itself after 30 s.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(40);
/// The largest body that is not a file: settings with a bundle of certificates.
const BODY_LIMIT: usize = 1024 * 1024;

type Answer<T> = Result<Json<T>, Refusal>;

/// What the routes work on.
#[derive(Debug, Clone)]
pub(super) struct Control {
    pub(super) agent: Agent,
    pub(super) vitals: Vitals,
    pub(super) replayer: Replayer,
}

/// Every route, without the check who may call it.
pub(super) fn router(control: Control) -> Router {
    Router::new()
        .route("/v1/status", get(show_status))
        .route("/v1/converters", get(list_converters))
        .route("/v1/sources", get(list_sources).post(add_source))
        .route("/v1/sources/{name}", put(change_source).delete(remove_source))
        .route("/v1/sources/{name}/pause", post(pause_source))
        .route("/v1/sources/{name}/resume", post(resume_source))
        .route("/v1/files", get(list_files))
        .route("/v1/files/{id}", get(show_file))
        .route("/v1/files/{id}/retry", post(retry_file))
        .route("/v1/reports", get(list_reports))
        .route("/v1/reports/{id}", get(show_report))
        .route("/v1/reports/{id}/retry", post(retry_report))
        .route("/v1/reports/{id}/discard", post(discard_report))
        .route("/v1/station", get(show_station).put(change_station))
        .route("/v1/server", get(server_settings::show).put(server_settings::change))
        .route("/v1/server/test", post(server_settings::test))
        .merge(configuration::routes())
        .route(
            "/v1/registration",
            get(registration::show).put(registration::register).delete(registration::unregister),
        )
        .route("/v1/rescue", get(show_rescue))
        .route("/v1/rescue/confirm", post(confirm_rescue))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, PATIENCE))
        // After the layer: an upload takes the time it takes.
        .route("/v1/sources/{name}/files/{file}", put(upload_file))
        // So do conversions.
        .route("/v1/replay", post(replay::part))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .fallback(async || Refusal::not_found("the control API has no such route"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this route does not take that method")
        })
        .with_state(control)
}

/// A JSON body; what is wrong with it is said without repeating it, because it may hold a secret.
pub(super) struct Wish<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Wish<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|error| Refusal::new(error.status(), "the request's body is too large or broke off"))?;
        serde_json::from_slice(&body).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let words = format!("the request is not what this route takes, at line {line}, column {column}");
            Refusal::new(StatusCode::BAD_REQUEST, words)
        })
    }
}

async fn show_status(State(control): State<Control>) -> Answer<Status> {
    Ok(Json(status(&control.agent, &control.vitals, Timestamp::now()).await?))
}

async fn list_converters() -> Json<Vec<ConverterInfo>> {
    Json(converters())
}

/// The catalogue, as a person sees it.
pub fn converters() -> Vec<ConverterInfo> {
    let argument = |argument: &wats_converters::Argument| ArgumentInfo {
        name: argument.name.to_owned(),
        description: argument.description.to_owned(),
        default: argument.default.to_owned(),
    };
    wats_converters::selectable()
        .map(|converter| {
            let about = converter.about();
            ConverterInfo {
                name: about.name.to_owned(),
                title: about.title.to_owned(),
                description: about.description.to_owned(),
                version: about.version.to_owned(),
                file_patterns: about.file_patterns.iter().map(|it| (*it).to_owned()).collect(),
                arguments: about.arguments.iter().map(argument).collect(),
            }
        })
        .collect()
}

async fn list_sources(State(control): State<Control>) -> Answer<Vec<SourceStatus>> {
    Ok(Json(sources(&control.agent).await?))
}

async fn add_source(
    State(control): State<Control>,
    Wish(source): Wish<SourceSettings>,
) -> Answer<SourceStatus> {
    let name = source.name.clone();
    control.agent.add_source(source).await?;
    tracing::info!(source = %name, "added source {name}");
    one_source(&control.agent, &name).await
}

async fn change_source(
    State(control): State<Control>,
    Path(name): Path<String>,
    Wish(source): Wish<SourceSettings>,
) -> Answer<SourceStatus> {
    let new_name = source.name.clone();
    control.agent.replace_source(&name, source).await?;
    tracing::info!(source = %new_name, "changed source {new_name}");
    one_source(&control.agent, &new_name).await
}

async fn remove_source(
    State(control): State<Control>,
    Path(name): Path<String>,
) -> Result<StatusCode, Refusal> {
    control.agent.remove_source(&name).await?;
    tracing::info!(source = %name, "removed source {name}");
    Ok(StatusCode::NO_CONTENT)
}

async fn pause_source(State(control): State<Control>, Path(name): Path<String>) -> Answer<SourceStatus> {
    control.agent.pause_source(&name, true).await?;
    one_source(&control.agent, &name).await
}

async fn resume_source(State(control): State<Control>, Path(name): Path<String>) -> Answer<SourceStatus> {
    control.agent.pause_source(&name, false).await?;
    one_source(&control.agent, &name).await
}

async fn one_source(agent: &Agent, name: &str) -> Answer<SourceStatus> {
    let found = sources(agent).await?.into_iter().find(|source| source.settings.name == name);
    found.map(Json).ok_or_else(|| no_source(name))
}

fn no_source(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no source {name:?}"))
}

async fn upload_file(
    State(control): State<Control>,
    Path((source, file)): Path<(String, String)>,
    headers: HeaderMap,
    content: Body,
) -> Answer<StoredFile> {
    let settings = control.agent.settings();
    let watched = settings.source(&source).ok_or_else(|| no_source(&source))?;
    check_answers(&control.agent, watched)?;
    let folder = settings.folder_of(watched);
    let announced =
        headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()).and_then(|it| it.parse().ok());
    let limit = watched.intake.max_file_bytes.unwrap_or(settings.config.intake.max_file_bytes);
    let stored =
        upload::store(&folder, &file, content, announced, limit, settings.least_free_bytes()).await?;
    tracing::info!(source = %source, size_bytes = stored.size_bytes, "stored an upload as {}", stored.name);
    Ok(Json(stored))
}

/// Refuses what would wait for a dead network mount.
fn check_answers(agent: &Agent, source: &SourceSettings) -> Result<(), Refusal> {
    let health = agent.source_health(&source.name);
    if health.state == SourceState::Failed && health.detection.network.is_some() {
        let words = health.trouble.unwrap_or_else(|| "the network mount does not answer".to_owned());
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words));
    }
    Ok(())
}

fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(error) => Err(Refusal::new(StatusCode::BAD_REQUEST, error.body_text())),
    }
}

async fn list_files(
    State(control): State<Control>,
    wanted: Result<Query<FileQuery>, QueryRejection>,
) -> Answer<Vec<FileRecord>> {
    Ok(Json(control.agent.store().files(&query(wanted)?).await?))
}

async fn show_file(State(control): State<Control>, Path(id): Path<i64>) -> Answer<FileDetail> {
    let found = control.agent.store().file_detail(id).await?;
    found.map(Json).ok_or_else(|| Refusal::not_found(format!("there is no file {id}")))
}

/// Puts a failed file back into the folder that it came from, to be taken again.
async fn retry_file(State(control): State<Control>, Path(id): Path<i64>) -> Result<StatusCode, Refusal> {
    let agent = &control.agent;
    let unknown = || Refusal::not_found(format!("there is no file {id}"));
    let file = agent.store().file(id).await?.ok_or_else(unknown)?;
    if file.state != FileState::Failed {
        return Err(Refusal::new(StatusCode::CONFLICT, "only a file that failed can be tried again"));
    }
    let settings = agent.settings();
    let source = settings.source(&file.source).ok_or_else(|| no_source(&file.source))?;
    check_answers(agent, source)?;
    let folder = settings.folder_of(source);
    let lies_at = agent.store().whereabouts(id).await?.ok_or_else(unknown)?;
    let found_at = agent.store().found_at(id).await?.ok_or_else(unknown)?;
    // Into the folder below that it came from, unless the source has another folder now.
    let came_from = found_at.parent().filter(|it| it.starts_with(&folder)).unwrap_or(&folder).to_owned();
    let source = source.clone();
    let moved = tokio::task::spawn_blocking(move || {
        let put_back = match source.unit() {
            Unit::File => put_back(&lies_at, &came_from, &file.name)?,
            unit => intake::put_unit_back(&lies_at, &folder, unit)?,
        };
        // Its marker went when it was put away.
        intake::mark(&put_back.0, &source)?;
        Ok(put_back)
    });
    let moved = moved.await;
    let (path, stamp) =
        moved.map_err(|error| Refusal::internal(&error))?.map_err(|error: std::io::Error| {
            let words = format!("the file cannot be put back into its folder: {error}");
            Refusal::new(StatusCode::CONFLICT, words)
        })?;
    agent.store().reclaim(id, path, stamp).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Moves the file to its folder, over nothing that lies there, and removes the words beside it.
fn put_back(
    lies_at: &std::path::Path,
    folder: &std::path::Path,
    name: &str,
) -> std::io::Result<(std::path::PathBuf, Stamp)> {
    std::fs::create_dir_all(folder)?;
    let mut to = folder.join(name);
    for number in 2.. {
        // A hard link refuses to overwrite, which a rename does not.
        match std::fs::hard_link(lies_at, &to) {
            Ok(()) => break,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && number < 10_000 => {
                to = folder.join(upload::numbered(name, number));
            }
            Err(error) => return Err(error),
        }
    }
    crate::files::sync_folder(folder)?;
    std::fs::remove_file(lies_at)?;
    let mut words = lies_at.as_os_str().to_owned();
    words.push(".error.txt");
    if let Err(error) = std::fs::remove_file(&words)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "could not remove {}", words.display());
    }
    Ok((to.clone(), Stamp::of(&std::fs::metadata(&to)?)))
}

async fn list_reports(
    State(control): State<Control>,
    wanted: Result<Query<ReportQuery>, QueryRejection>,
) -> Answer<Vec<ReportRecord>> {
    Ok(Json(control.agent.store().reports(&query(wanted)?).await?))
}

async fn show_report(State(control): State<Control>, Path(id): Path<Uuid>) -> Answer<ReportDetail> {
    let found = control.agent.store().report(id).await?;
    let mut report = found.ok_or_else(|| Refusal::not_found(format!("there is no report {id}")))?;
    if matches!(report.record.state, ReportState::Rejected | ReportState::Discarded) {
        report.complaints = complaints(&control.agent, &report).await?;
    }
    Ok(Json(report))
}

async fn retry_report(State(control): State<Control>, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    control.agent.store().retry_report(id, Timestamp::now()).await?;
    control.agent.wake_delivery();
    Ok(StatusCode::NO_CONTENT)
}

async fn discard_report(State(control): State<Control>, Path(id): Path<Uuid>) -> Result<StatusCode, Refusal> {
    control.agent.store().discard_report(id, Timestamp::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was done about a damaged database, until somebody confirms it.
async fn show_rescue(State(control): State<Control>) -> Answer<Option<Rescue>> {
    let rescue = Rescue::read(&control.agent.settings().storage_folder());
    rescue.map(Json).map_err(|error| Refusal::internal(&error))
}

async fn confirm_rescue(State(control): State<Control>) -> Result<StatusCode, Refusal> {
    match put_back::confirm(&control.agent).map_err(|error| Refusal::internal(&error))? {
        None => Err(Refusal::not_found("there is nothing to confirm: the database was not rebuilt")),
        Some(rescue) if rescue.phase != Phase::Done => Err(Refusal::new(
            StatusCode::CONFLICT,
            "the archive is still being looked through: try again later",
        )),
        Some(_) => Ok(StatusCode::NO_CONTENT),
    }
}

async fn show_station(State(control): State<Control>) -> Json<Station> {
    Json(control.agent.settings().config.station.clone())
}

async fn change_station(State(control): State<Control>, Wish(station): Wish<Station>) -> Answer<Station> {
    control.agent.set_station(station.clone()).await?;
    Ok(Json(station))
}
