//! Customers' own converters: plug-ins, from the upload to the enabling.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use bytes::Bytes;

use super::api::{
    EnablePlugin, PluginCheck, PluginFindings, PluginInfo, PluginSource, PluginTrial, PluginTry,
};
use super::refusal::Refusal;
use super::routes::{Answer, Asked, At, Control, Wish};
use crate::plugins::check::Sample;
use crate::plugins::content::ContentError;
use crate::plugins::manage::{self, ManageError, UnpackError};

/// Reads the folder away from the tasks that must not wait for a disk.
async fn blocking<T: Send + 'static>(
    control: &Control,
    work: impl FnOnce(&crate::config::Settings) -> Result<T, ManageError> + Send + 'static,
) -> Result<T, Refusal> {
    let settings = control.agent.settings();
    let done = tokio::task::spawn_blocking(move || work(&settings)).await;
    Ok(done.map_err(|error| Refusal::internal(&error))??)
}

pub(super) async fn list(State(control): State<Control>) -> Answer<Vec<PluginInfo>> {
    Ok(Json(blocking(&control, manage::list).await?))
}

pub(super) async fn show(State(control): State<Control>, At(plugin): At<String>) -> Answer<PluginInfo> {
    Ok(Json(blocking(&control, move |settings| manage::show(settings, &plugin)).await?))
}

pub(super) async fn upload(
    State(control): State<Control>,
    At(plugin): At<String>,
    content: Bytes,
) -> Answer<PluginInfo> {
    let agent = control.agent.clone();
    let uploaded = blocking(&control, move |settings| manage::upload(settings, &plugin, &content)).await?;
    // One that was enabled has another content now.
    tokio::task::spawn_blocking(move || agent.find_plugins())
        .await
        .map_err(|error| Refusal::internal(&error))?;
    Ok(Json(uploaded))
}

pub(super) async fn source(
    State(control): State<Control>,
    At(plugin): At<String>,
    Asked(wish): Asked<PluginSource>,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let of = wish.file;
    let text = blocking(&control, move |settings| manage::source(settings, &plugin, of.as_deref())).await?;
    // Whatever it is, a browser shows it as text.
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text))
}

pub(super) async fn findings(
    State(control): State<Control>,
    At(plugin): At<String>,
) -> Answer<PluginFindings> {
    Ok(Json(blocking(&control, move |settings| manage::findings(settings, &plugin)).await?))
}

pub(super) async fn check(State(control): State<Control>, At(plugin): At<String>) -> Answer<PluginCheck> {
    Ok(Json(manage::check(&control.agent.settings(), &plugin, None, None).await?))
}

pub(super) async fn try_out(
    State(control): State<Control>,
    At(plugin): At<String>,
    Asked(wish): Asked<PluginTry>,
    bytes: Bytes,
) -> Answer<PluginTrial> {
    let arguments = match &wish.arguments {
        Some(text) => serde_json::from_str(text)
            .map_err(|_| Refusal::field("arguments", "arguments must be a JSON object of texts"))?,
        None => Default::default(),
    };
    let settings = control.agent.settings();
    let sample = Sample {
        converter: wish.converter,
        arguments,
        file_name: wish.file_name,
        folder: None,
        bytes: bytes.to_vec(),
        companions: Vec::new(),
        station: settings.config.station.clone(),
    };
    Ok(Json(manage::try_out(&settings, &plugin, &sample).await?))
}

pub(super) async fn enable(
    State(control): State<Control>,
    At(plugin): At<String>,
    Wish(wish): Wish<EnablePlugin>,
) -> Answer<PluginInfo> {
    Ok(Json(manage::enable(&control.agent, &plugin, wish).await?))
}

pub(super) async fn disable(
    State(control): State<Control>,
    At(plugin): At<String>,
) -> Result<StatusCode, Refusal> {
    manage::disable(&control.agent, &plugin).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn delete(
    State(control): State<Control>,
    At(plugin): At<String>,
) -> Result<StatusCode, Refusal> {
    manage::delete(&control.agent, &plugin).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ManageError> for Refusal {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Unknown(_)
            | ManageError::NoFile { .. }
            | ManageError::Content(ContentError::Missing(_)) => Self::not_found(error.to_string()),
            ManageError::Content(ContentError::TooLarge) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string())
            }
            ManageError::Content(ContentError::Read { .. })
            | ManageError::Shelf(_)
            | ManageError::Plugin(_)
            | ManageError::Write { .. } => Self::internal(&error),
            ManageError::Environment(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, super::refusal::chain(&error))
            }
            ManageError::Unpack { source: UnpackError::Write { .. }, .. } => Self::internal(&error),
            ManageError::Content(_) => Self::field("plugin", error.to_string()),
            ManageError::Other { .. } | ManageError::Used { .. } => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            ManageError::Wrong { .. }
            | ManageError::Folder(_)
            | ManageError::File(_)
            | ManageError::Unpack { .. }
            | ManageError::NoText(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            ManageError::Change(error) => error.into(),
        }
    }
}
