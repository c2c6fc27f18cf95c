//! `register` and `unregister`: this machine as a client of the server.

use anyhow::Context;
use serde_json::json;
use zeroize::Zeroizing;

use super::print::show;
use crate::config::Settings;
use crate::control::api::{RegisterWish, Registration, RegistrationState};

/// Registers this machine at the server.
pub(super) async fn register(settings: &Settings, token_stdin: bool, json: bool) -> anyhow::Result<()> {
    let mut wish = RegisterWish::default();
    if token_stdin {
        let mut line = Zeroizing::new(String::new());
        std::io::stdin().read_line(&mut line).context("reading the token from standard input")?;
        wish.token = Some(line.trim().into());
    }
    show(json, &super::client(settings)?.register(&wish).await?, describe)
}

/// Takes the registration back.
pub(super) async fn unregister(settings: &Settings, json: bool) -> anyhow::Result<()> {
    super::client(settings)?.unregister().await?;
    show(json, &json!({"registered": false}), |_| {
        "this machine is no client of the server any more, and does not register again by itself\n".to_owned()
    })
}

pub(super) fn describe(registration: &Registration) -> String {
    let words = match registration.state {
        RegistrationState::Unknown => return String::new(),
        RegistrationState::Off => "no: switched off".to_owned(),
        RegistrationState::Registered => {
            let id = registration.client_id.as_deref().unwrap_or_default();
            match registration.updated_at {
                Some(at) => format!("as {id}, last told at {at}"),
                None => format!("as {id}"),
            }
        }
        RegistrationState::Unsupported => "no: the server has no such clients".to_owned(),
        RegistrationState::Denied | RegistrationState::Failed => "no".to_owned(),
    };
    match &registration.trouble {
        Some(trouble) => format!("client   {words}: {trouble}\n"),
        None => format!("client   {words}\n"),
    }
}
