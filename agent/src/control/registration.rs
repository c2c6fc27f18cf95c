//! This machine as a client of the server: shown, registered, taken back.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use wats::client::Token;

use super::api::{RegisterWish, Registration};
use super::refusal::Refusal;
use super::routes::{Control, Wish};
use crate::agent::Agent;
use crate::registration::{self, RegisterError};

pub(super) async fn show(State(control): State<Control>) -> Json<Registration> {
    Json(control.agent.registration())
}

pub(super) async fn register(
    State(control): State<Control>,
    Wish(wish): Wish<RegisterWish>,
) -> Result<Json<Registration>, Refusal> {
    let agent = &control.agent;
    let token = wish.token.as_ref().map(Token::from_base64).transpose();
    let token = token.map_err(|error| Refusal::field("token", error.to_string()))?;
    let registered = registration::register(agent, &agent.settings(), token).await?;
    switch(agent, true).await?;
    let shown = Registration {
        state: super::api::RegistrationState::Registered,
        client_id: Some(registered.id),
        registered_at: Some(registered.registered_at),
        trouble: None,
        ..agent.registration()
    };
    agent.set_registration(shown.clone());
    agent.registering().notify_one();
    Ok(Json(shown))
}

pub(super) async fn unregister(State(control): State<Control>) -> Result<StatusCode, Refusal> {
    // First, or it would be registered again at once.
    switch(&control.agent, false).await?;
    registration::unregister(&control.agent).await?;
    tracing::info!("this machine is no client of the server any more");
    Ok(StatusCode::NO_CONTENT)
}

async fn switch(agent: &Agent, on: bool) -> Result<(), Refusal> {
    if agent.settings().config.server.register == on {
        return Ok(());
    }
    let changed = agent.change(|config| {
        config.server.register = on;
        Ok(())
    });
    Ok(changed.await?)
}

impl From<RegisterError> for Refusal {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Secret(error) => error.into(),
            RegisterError::Store(error) => error.into(),
            error => Self::new(StatusCode::CONFLICT, crate::error_chain(&error)),
        }
    }
}
