//! The sources: watched folders, and files that are uploaded into them.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};

use super::api::{SourceSettings, SourceState, SourceStatus, StoredFile};
use super::refusal::Refusal;
use super::routes::{Answer, At, Control, Wish};
use super::status::sources;
use super::upload;
use crate::agent::Agent;

pub(super) async fn list(State(control): State<Control>) -> Answer<Vec<SourceStatus>> {
    Ok(Json(sources(&control.agent).await?))
}

pub(super) async fn add(
    State(control): State<Control>,
    Wish(source): Wish<SourceSettings>,
) -> Answer<SourceStatus> {
    let name = source.name.clone();
    control.agent.add_source(source).await?;
    tracing::info!(source = %name, "added source {name}");
    one_source(&control.agent, &name).await
}

pub(super) async fn change(
    State(control): State<Control>,
    At(name): At<String>,
    Wish(source): Wish<SourceSettings>,
) -> Answer<SourceStatus> {
    let new_name = source.name.clone();
    control.agent.replace_source(&name, source).await?;
    tracing::info!(source = %new_name, "changed source {new_name}");
    one_source(&control.agent, &new_name).await
}

pub(super) async fn remove(
    State(control): State<Control>,
    At(name): At<String>,
) -> Result<StatusCode, Refusal> {
    control.agent.remove_source(&name).await?;
    tracing::info!(source = %name, "removed source {name}");
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn pause(State(control): State<Control>, At(name): At<String>) -> Answer<SourceStatus> {
    control.agent.pause_source(&name, true).await?;
    one_source(&control.agent, &name).await
}

pub(super) async fn resume(State(control): State<Control>, At(name): At<String>) -> Answer<SourceStatus> {
    control.agent.pause_source(&name, false).await?;
    one_source(&control.agent, &name).await
}

pub(super) async fn show(State(control): State<Control>, At(name): At<String>) -> Answer<SourceStatus> {
    one_source(&control.agent, &name).await
}

async fn one_source(agent: &Agent, name: &str) -> Answer<SourceStatus> {
    let found = sources(agent).await?.into_iter().find(|source| source.settings.name == name);
    found.map(Json).ok_or_else(|| no_source(name))
}

pub(super) fn no_source(name: &str) -> Refusal {
    Refusal::not_found(format!("there is no source {name:?}"))
}

pub(super) async fn upload(
    State(control): State<Control>,
    At((source, file)): At<(String, String)>,
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
pub(super) fn check_answers(agent: &Agent, source: &SourceSettings) -> Result<(), Refusal> {
    let health = agent.source_health(&source.name);
    if health.state == SourceState::Failed && health.detection.network.is_some() {
        let words = health.trouble.unwrap_or_else(|| "the network mount does not answer".to_owned());
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words));
    }
    Ok(())
}
