//! This machine as a client of the server, where the server has such clients: registered, heard now and then, told of.
//!
//! Reports do not depend on it: they are sent with the token that a person has entered. A server that knows no clients is
//! asked once a day; one that denies the right is not troubled either. Every request counts for the pace of deliveries.

mod figures;
mod plan;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use wats::client::{Client, ClientUpdate, SubmitError, Token};

use crate::config::Settings;
use crate::control::api::{Registration, RegistrationState};
use crate::deliver::uplink;
use crate::secret::RegisteredClient;
use crate::service::Pulse;
use crate::{Agent, error_chain};
use plan::{PING, UPDATE, after};

/// No answer in this time is none.
const PATIENCE: Duration = Duration::from_secs(15);
/// All of the goodbye, within what the agent has for its end.
const GOODBYE: Duration = Duration::from_secs(3);
/// The loop turns at least so often.
const TURN: Duration = Duration::from_secs(30);
/// How long until it is looked again whether the pace has room.
const NO_ROOM: Duration = Duration::from_secs(5);
/// A passcode that became worthless is renewed at most so often: another machine may use the same id.
const RENEW: Duration = Duration::from_secs(60 * 60);

/// Registers, shows that the machine lives and tells how it fares, until `stop` fires.
pub async fn run(agent: Agent, pulse: &Pulse, stop: &CancellationToken) {
    let mut settings = agent.watch_settings();
    let mut registrar = Registrar { agent: agent.clone(), failures: 0, updated: None, renewed: None };
    let mut next = Instant::now();
    let mut version = None;
    while !stop.is_cancelled() {
        pulse.beat();
        // Before looking, or what comes in between is missed.
        let asked = agent.registering().notified();
        let known = agent.server().version;
        if known != version {
            // Another server, or an updated one: it may have clients now.
            version = known;
            if agent.registration().state == RegistrationState::Unsupported {
                next = Instant::now();
            }
        }
        if Instant::now() >= next {
            let in_force = settings.borrow_and_update().clone();
            let pause = tokio::select! {
                () = stop.cancelled() => break,
                pause = registrar.turn(&in_force) => pause,
            };
            next = Instant::now() + pause;
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = asked => (next, registrar.updated) = (Instant::now(), None),
            // Station, server and sources are what the server is told.
            changed = settings.changed() => {
                if changed.is_err() { return }
                (next, registrar.updated, registrar.failures) = (Instant::now(), None, 0);
            }
            () = tokio::time::sleep(next.saturating_duration_since(Instant::now()).min(TURN)) => {}
        }
    }
    tokio::time::timeout(GOODBYE, registrar.goodbye()).await.ok();
}

struct Registrar {
    agent: Agent,
    /// In a row.
    failures: u32,
    /// When the server was told last how the machine fares.
    updated: Option<Instant>,
    renewed: Option<Instant>,
}

impl Registrar {
    /// Does what is due now; answers how long there is nothing to do then.
    async fn turn(&mut self, settings: &Settings) -> Duration {
        if !settings.config.server.register {
            self.agent
                .set_registration(Registration { state: RegistrationState::Off, ..Registration::default() });
            return UPDATE;
        }
        let result = match registered(&self.agent, settings) {
            Ok(Some(client)) => self.tell(settings, &client).await,
            Ok(None) => self.register(settings).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(pause) => {
                self.failures = 0;
                pause
            }
            Err(RegisterError::NoServer) => {
                self.agent.set_registration(Registration::default());
                UPDATE
            }
            Err(RegisterError::NoRoom) => NO_ROOM,
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.failed(&error);
                after(&error, self.failures)
            }
        }
    }

    async fn register(&mut self, settings: &Settings) -> Result<Duration, RegisterError> {
        let token = self.agent.environment().register_token.clone();
        let client = register(&self.agent, settings, token).await?;
        self.tell(settings, &client).await
    }

    /// Tells the server how the machine fares, when it is time, or only that it lives.
    async fn tell(
        &mut self,
        settings: &Settings,
        registered: &RegisteredClient,
    ) -> Result<Duration, RegisterError> {
        let client = client_of(&self.agent, settings, registered)?;
        let mut shown = Registration {
            state: RegistrationState::Registered,
            client_id: Some(registered.id.clone()),
            registered_at: Some(registered.registered_at),
            trouble: None,
            ..self.agent.registration()
        };
        let told = if self.updated.is_none_or(|at| at.elapsed() >= UPDATE) {
            if shown.server_name.is_none() {
                // It tells its name or not; the update says whether we are known.
                shown.server_name = ask(&self.agent, client.server_name()).await.ok().flatten();
            }
            let update = figures::update(&self.agent, settings, "Online").await?;
            tell_older(&self.agent, settings, &client, &update).await;
            let told = ask(&self.agent, client.update_client(&update)).await;
            if told.is_ok() {
                self.updated = Some(Instant::now());
                shown.updated_at = Some(Timestamp::now());
            }
            told
        } else {
            ask(&self.agent, client.ping()).await
        };
        match told {
            // Somebody registered the id anew: the passcode is worth nothing any more.
            Err(RegisterError::Server(SubmitError::Unauthorised))
                if self.renewed.is_none_or(|at| at.elapsed() >= RENEW) =>
            {
                tracing::warn!(
                    "the server knows client {} with another passcode: it is registered anew",
                    registered.id
                );
                self.renewed = Some(Instant::now());
                self.agent.secrets().forget_registered_client()?;
                self.updated = None;
                return Ok(Duration::ZERO);
            }
            told => told?,
        }
        self.agent.set_registration(shown);
        Ok(PING)
    }

    /// Says what went wrong, once.
    fn failed(&self, error: &RegisterError) {
        let state = error.state();
        let words = (state != RegistrationState::Unsupported).then(|| error_chain(error));
        let before = self.agent.registration();
        if before.state != state || before.trouble != words {
            match &words {
                Some(words) => tracing::warn!("this machine is no client of the server: {words}"),
                None => tracing::info!("the server has no clients that register"),
            }
        }
        self.agent.set_registration(Registration { state, trouble: words, ..before });
    }

    /// Best effort: whoever stops has little time.
    async fn goodbye(&self) {
        let settings = self.agent.settings();
        if self.agent.registration().state == RegistrationState::Registered {
            goodbye(&self.agent, &settings).await;
        }
    }
}

/// Why the machine is no client of the server.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("no WATS server is set up: enter its address and a token first")]
    NoServer,
    #[error("the server gets no more requests in this minute")]
    NoRoom,
    #[error("the server has no clients that register, as it is older than 2026.3")]
    Unsupported,
    #[error(
        "the server denies the token the right to register clients ({message}): give its user the permission \
         CS_RegisterClient, register with another token (wats-agent register --token-stdin), or switch it off with \
         register = false below [server]"
    )]
    Denied { message: String },
    #[error("the server does not register {id}: {message}")]
    Refused { id: String, message: String },
    #[error(transparent)]
    Server(SubmitError),
    #[error("the settings of the server cannot be used: {0}")]
    Settings(Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Secret(#[from] crate::secret::SecretError),
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl RegisterError {
    fn state(&self) -> RegistrationState {
        match self {
            Self::NoServer | Self::NoRoom => RegistrationState::Unknown,
            Self::Unsupported => RegistrationState::Unsupported,
            Self::Denied { .. } | Self::Refused { .. } => RegistrationState::Denied,
            Self::Server(_) | Self::Settings(_) | Self::Secret(_) | Self::Store(_) => {
                RegistrationState::Failed
            }
        }
    }
}

/// Asks the server something, within the pace and a time.
async fn ask<T>(
    agent: &Agent,
    call: impl Future<Output = Result<T, SubmitError>>,
) -> Result<T, RegisterError> {
    if !agent.pace().take(Instant::now(), agent.settings().config.delivery.requests_per_minute) {
        return Err(RegisterError::NoRoom);
    }
    let answer = tokio::time::timeout(PATIENCE, call).await.unwrap_or(Err(SubmitError::TimedOut));
    answer.map_err(|error| match error {
        SubmitError::WrongAddress { .. } => RegisterError::Unsupported,
        SubmitError::Forbidden { message } => RegisterError::Denied { message },
        error => RegisterError::Server(error),
    })
}

/// What the server gave this machine, if it is the server and the name of now.
fn registered(agent: &Agent, settings: &Settings) -> Result<Option<RegisteredClient>, RegisterError> {
    let Some(url) = &settings.config.server.url else { return Err(RegisterError::NoServer) };
    let known = agent.secrets().registered_client()?;
    Ok(known.filter(|client| client.url == *url && client.id == figures::client_id(settings)))
}

/// Registers this machine, and keeps what the server gives it.
///
/// # Errors
/// When the server refuses, or cannot be asked.
pub(crate) async fn register(
    agent: &Agent,
    settings: &Settings,
    token: Option<Token>,
) -> Result<RegisteredClient, RegisterError> {
    let server = &settings.config.server;
    let client = match token {
        Some(token) => uplink::client_as(server, agent.secrets(), token),
        None => uplink::client(server, agent.secrets()),
    };
    let client = client.map_err(RegisterError::Settings)?.ok_or(RegisterError::NoServer)?;
    let Some(url) = server.url.clone() else { return Err(RegisterError::NoServer) };
    let who = figures::who(settings);
    let passcode = match ask(agent, client.register(&who)).await {
        Err(RegisterError::Server(SubmitError::Rejected { message, .. })) => {
            return Err(RegisterError::Refused { id: who.id, message });
        }
        passcode => passcode?,
    };
    let registered = RegisteredClient { url, id: who.id, passcode, registered_at: Timestamp::now() };
    agent.secrets().set_registered_client(&registered)?;
    tracing::info!("registered at the server as client {}", registered.id);
    Ok(registered)
}

/// The typed client that speaks as the registered one.
fn client_of(agent: &Agent, settings: &Settings, it: &RegisteredClient) -> Result<Client, RegisterError> {
    let passcode: &SecretString = &it.passcode;
    let token = Token::from_user(&it.id, passcode).map_err(|error| RegisterError::Settings(error.into()))?;
    let client = uplink::client_as(&settings.config.server, agent.secrets(), token);
    client.map_err(RegisterError::Settings)?.ok_or(RegisterError::NoServer)
}

/// Servers have two places for the same; one that has only the other is no worse for it, and whether we are known is said by
/// the other, too.
async fn tell_older(agent: &Agent, settings: &Settings, client: &Client, update: &ClientUpdate) {
    let told = ask(agent, client.update_client_older(update, figures::utc_offset(settings))).await;
    if let Err(error) = told {
        tracing::debug!("the server took no older form of the update: {}", error_chain(&error));
    }
}

/// Tells the server that this machine goes. It may be gone itself.
async fn goodbye(agent: &Agent, settings: &Arc<Settings>) {
    let Ok(Some(registered)) = registered(agent, settings) else { return };
    let Ok(client) = client_of(agent, settings, &registered) else { return };
    let told = async {
        let update = figures::update(agent, settings, "Offline").await?;
        tell_older(agent, settings, &client, &update).await;
        ask(agent, client.update_client(&update)).await?;
        ask(agent, client.disconnect(&registered.id)).await
    };
    if let Err(error) = told.await {
        tracing::debug!("the server was not told that this machine goes: {}", error_chain(&error));
    }
}

/// Takes the registration back: the server hears no more of this machine.
///
/// # Errors
/// When the credential cannot be forgotten.
pub(crate) async fn unregister(agent: &Agent) -> Result<(), RegisterError> {
    let settings = agent.settings();
    tokio::time::timeout(GOODBYE, goodbye(agent, &settings)).await.ok();
    agent.secrets().forget_registered_client()?;
    Ok(())
}
