//! Showing, changing and trying the connection to the WATS server.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use wats::client::{Client, ClientSettings, InvalidSettings, ProxyCredential, Token};

use super::api::{ConnectionTest, Credential, Problem, ServerChange, ServerSettings, UserPassword};
use super::refusal::Refusal;
use super::routes::{Control, Wish};
use crate::agent::{Agent, ChangeError};
use crate::check::{self, Target};

pub(super) async fn show(State(control): State<Control>) -> Json<ServerSettings> {
    Json(settings(&control.agent))
}

pub(super) async fn change(
    State(control): State<Control>,
    Wish(change): Wish<ServerChange>,
) -> Result<Json<ServerSettings>, Refusal> {
    let agent = &control.agent;
    let token = token(agent, &change)?;
    validate(&change, token.as_ref())?;
    if change.credential.is_some()
        && let Some(token) = &token
    {
        agent.secrets().set_server_token(token)?;
    }
    match (&change.proxy, &change.proxy_credential) {
        (None, _) => agent.secrets().forget_proxy_credential()?,
        (Some(_), Some(credential)) => agent.secrets().set_proxy_credential(credential)?,
        (Some(_), None) => {}
    }
    let ServerChange { url, proxy, extra_ca, .. } = change;
    let changed = agent.change(|config| {
        config.server.url = Some(url.trim().to_owned());
        config.server.proxy = proxy;
        config.server.extra_ca = extra_ca;
        Ok(())
    });
    changed.await.map_err(without_prefix)?;
    agent.credentials_changed();
    agent.wake_delivery();
    tracing::info!("the server settings were changed");
    Ok(Json(settings(agent)))
}

pub(super) async fn test(
    State(control): State<Control>,
    Wish(change): Wish<ServerChange>,
) -> Result<Json<ConnectionTest>, Refusal> {
    let agent = &control.agent;
    let token = token(agent, &change)?;
    let proxy_credential = match (&change.proxy, change.proxy_credential) {
        (None, _) => None,
        (Some(_), Some(given)) => Some(given),
        // The stored one is for the stored proxy, and for no other.
        (Some(proxy), None) if agent.settings().config.server.proxy.as_ref() == Some(proxy) => {
            agent.secrets().proxy_credential()?
        }
        (Some(_), None) => None,
    };
    let target = Target {
        url: change.url,
        proxy: change.proxy,
        proxy_credential,
        proxy_bypass: agent.settings().config.server.proxy_bypass.clone(),
        extra_ca: change.extra_ca,
        token,
    };
    Ok(Json(check::run(&target).await))
}

fn settings(agent: &Agent) -> ServerSettings {
    let server = agent.settings().config.server.clone();
    ServerSettings {
        url: server.url,
        proxy: server.proxy,
        extra_ca: server.extra_ca,
        has_credential: matches!(agent.secrets().server_token(), Ok(Some(_))),
        has_proxy_credential: matches!(agent.secrets().proxy_credential(), Ok(Some(_))),
    }
}

/// The token that is given, or the stored one if the server stays the same.
///
/// A stored token never goes to another server: whoever may change the address could read it there.
fn token(agent: &Agent, change: &ServerChange) -> Result<Option<Token>, Refusal> {
    match &change.credential {
        Some(Credential::Token(text)) => Token::from_base64(text)
            .map(Some)
            .map_err(|error| Refusal::field("credential", error.to_string())),
        Some(Credential::User(UserPassword { user, password })) => {
            if password.expose_secret().is_empty() {
                return Err(Refusal::field("credential", "the password is empty"));
            }
            Token::from_user(user, password)
                .map(Some)
                .map_err(|error| Refusal::field("credential", error.to_string()))
        }
        None => {
            let stored = agent.secrets().server_token()?;
            let origin = |url: &str| url::Url::parse(url.trim()).ok().map(|url| url.origin());
            let known = agent.settings().config.server.url.as_deref().and_then(origin);
            if stored.is_some() && known.is_some() && known != origin(&change.url) {
                let words = "this is another server: enter the token, or user name and password, for it";
                return Err(Refusal::field("credential", words));
            }
            Ok(stored)
        }
    }
}

/// Finds what is wrong before anything is stored.
fn validate(change: &ServerChange, token: Option<&Token>) -> Result<(), Refusal> {
    let field = |error: &InvalidSettings| match error {
        InvalidSettings::Url => Some("url"),
        InvalidSettings::Token | InvalidSettings::UserName => Some("credential"),
        InvalidSettings::Proxy | InvalidSettings::ProxyCredential => Some("proxy"),
        InvalidSettings::ExtraCa { .. } | InvalidSettings::NoCertificate => Some("extra_ca"),
        InvalidSettings::Client { .. } => None,
    };
    let refuse = |error: InvalidSettings| match field(&error) {
        Some(field) => Refusal::field(field, error.to_string()),
        None => Refusal::internal(&error),
    };
    // Without a token the rest can be checked all the same.
    let nobody = || Token::from_user("nobody", &SecretString::from(""));
    let token = token.cloned().map_or_else(nobody, Ok).map_err(refuse)?;
    let mut settings = ClientSettings::new(&change.url, token, "wats-agent").map_err(refuse)?;
    if let Some(proxy) = &change.proxy {
        let credential = change
            .proxy_credential
            .as_ref()
            .map(|it| ProxyCredential { user: it.user.clone(), password: it.password.clone() });
        settings = settings.with_proxy(proxy, credential).map_err(refuse)?;
    }
    if let Some(pem) = &change.extra_ca {
        settings = settings.with_extra_ca(pem.clone());
    }
    Client::new(settings).map(drop).map_err(refuse)
}

/// The keys of the file as those of the request: `server.url` is `url` here.
fn without_prefix(error: ChangeError) -> Refusal {
    match error {
        ChangeError::Invalid { problems } => match problems.into_iter().next() {
            Some(Problem { message, field: Some(field) }) => {
                Refusal::field(field.trim_start_matches("server."), message)
            }
            Some(Problem { message, field: None }) => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, message),
            None => Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "the settings are not right"),
        },
        error => error.into(),
    }
}
