//! The configuration as a whole: show it, replace it, its history, and going back.

use axum::extract::rejection::{QueryRejection, StringRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use super::api::{
    ConfigChange, ConfigOrigin, ConfigVersion, ConfigVersionInfo, ConfigWish, Configuration, RollBack,
};
use super::refusal::Refusal;
use super::routes::{Control, Wish};

type Answer<T> = Result<Json<T>, Refusal>;

pub(super) fn routes() -> Router<Control> {
    Router::new()
        .route("/v1/config", get(show).put(replace))
        .route("/v1/config/history", get(history))
        .route("/v1/config/history/{number}", get(version))
        .route("/v1/config/rollback", post(roll_back))
}

async fn show(State(control): State<Control>) -> Json<Configuration> {
    Json(control.agent.configuration().await)
}

async fn history(State(control): State<Control>) -> Answer<Vec<ConfigVersionInfo>> {
    Ok(Json(control.agent.config_history()?))
}

async fn version(State(control): State<Control>, Path(number): Path<u64>) -> Answer<ConfigVersion> {
    Ok(Json(control.agent.config_version(number)?))
}

async fn replace(
    State(control): State<Control>,
    wish: Result<Query<ConfigWish>, QueryRejection>,
    text: Result<String, StringRejection>,
) -> Answer<ConfigChange> {
    let Query(wish) = wish.map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, error.body_text()))?;
    // What is wrong is said without repeating the text.
    let words = "the body must be the text of a configuration file, in UTF-8, of at most 1 MiB";
    let text = text.map_err(|error| Refusal::new(error.status(), words))?;
    let origin = if wish.import { ConfigOrigin::Import } else { ConfigOrigin::Api };
    Ok(Json(control.agent.replace_config(text, origin, wish).await?))
}

async fn roll_back(State(control): State<Control>, Wish(wish): Wish<RollBack>) -> Answer<ConfigChange> {
    let RollBack { number, dry_run, replace } = wish;
    let change = control.agent.roll_back(number, ConfigWish { dry_run, replace, import: false }).await?;
    if !dry_run {
        tracing::info!("configuration {number} is in force again");
    }
    Ok(Json(change))
}
