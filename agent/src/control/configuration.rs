//! The configuration as a whole: show it, replace it, its history, and going back.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::StringRejection;

use super::api::{
    ConfigChange, ConfigOrigin, ConfigVersion, ConfigVersionInfo, ConfigWish, Configuration, RollBack,
};
use super::refusal::Refusal;
use super::routes::{Answer, Asked, At, Control, Wish};

pub(super) async fn show(State(control): State<Control>) -> Json<Configuration> {
    Json(control.agent.configuration().await)
}

pub(super) async fn history(State(control): State<Control>) -> Answer<Vec<ConfigVersionInfo>> {
    Ok(Json(control.agent.config_history()?))
}

pub(super) async fn version(State(control): State<Control>, At(number): At<u64>) -> Answer<ConfigVersion> {
    Ok(Json(control.agent.config_version(number)?))
}

pub(super) async fn replace(
    State(control): State<Control>,
    Asked(wish): Asked<ConfigWish>,
    text: Result<String, StringRejection>,
) -> Answer<ConfigChange> {
    // What is wrong is said without repeating the text.
    let words = "the body must be the text of a configuration file, in UTF-8, of at most 1 MiB";
    let text = text.map_err(|error| Refusal::new(error.status(), words))?;
    let origin = if wish.import { ConfigOrigin::Import } else { ConfigOrigin::Api };
    Ok(Json(control.agent.replace_config(text, origin, wish).await?))
}

pub(super) async fn roll_back(
    State(control): State<Control>,
    Wish(wish): Wish<RollBack>,
) -> Answer<ConfigChange> {
    let RollBack { number, dry_run, replace } = wish;
    let change = control.agent.roll_back(number, ConfigWish { dry_run, replace, import: false }).await?;
    if !dry_run {
        tracing::info!("configuration {number} is in force again");
    }
    Ok(Json(change))
}
