//! What the parts of a running agent share: settings in force, store, credentials, and their own state.

mod change;
mod file;
pub(crate) mod reload;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::config::history::History;
use crate::config::{Document, Environment, Settings};
use crate::control::api::{
    ConfigOrigin, ConfigState, Event, Forecast, Link, Registration, SandboxStatus, ServerState, SourceState,
};
use crate::deliver::pace::SharedPace;
use crate::events::{Events, brief};
use crate::forecast::{Forecaster, Look};
use crate::intake::Detection;
use crate::plugins::Plugins;
use crate::secret::Secrets;
use crate::store::Store;
pub use change::ChangeError;
use file::ConfigFile;

/// The running agent as its parts see it. Cheap to clone; all clones are the same.
#[derive(Debug, Clone)]
pub struct Agent(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    started_at: Timestamp,
    settings: watch::Sender<Arc<Settings>>,
    plugins: Plugins,
    /// Held from reading the settings to putting the changed ones into force.
    file: tokio::sync::Mutex<ConfigFile>,
    environment: Environment,
    history: History,
    config: Mutex<ConfigState>,
    store: Store,
    secrets: Secrets,
    delivery: Notify,
    events: Events,
    pace: SharedPace,
    registration: Mutex<Registration>,
    registering: Notify,
    forecaster: Mutex<Forecaster>,
    link: Mutex<LinkState>,
    sources: Mutex<BTreeMap<String, SourceHealth>>,
    troubles: Mutex<BTreeMap<&'static str, String>>,
    alarms: Mutex<BTreeMap<&'static str, String>>,
    sandbox: Mutex<SandboxStatus>,
}

/// What deliveries have shown of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkState {
    pub link: Link,
    pub version: Option<String>,
    pub last_success: Option<Timestamp>,
    /// Why deliveries are held or failing, in plain words.
    pub trouble: Option<String>,
}

/// How a source fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHealth {
    pub state: SourceState,
    /// Why it has failed, or what a person should know although it works.
    pub trouble: Option<String>,
    /// How its files are noticed.
    pub detection: Detection,
}

impl SourceHealth {
    /// A source with nothing more to say.
    pub fn new(state: SourceState) -> Self {
        Self { state, trouble: None, detection: Detection::default() }
    }
}

impl Agent {
    /// An agent whose configuration file is written, but never looked at.
    pub fn new(settings: Settings, store: Store, secrets: Secrets, now: Timestamp) -> Self {
        let file = ConfigFile { text: None, settings, refused: None };
        Self::with(file, Environment::default(), store, secrets, now)
    }

    /// An agent that keeps to its configuration file, with the environment where that leaves something open.
    pub fn of_file(
        document: Document,
        environment: Environment,
        store: Store,
        secrets: Secrets,
        now: Timestamp,
    ) -> Self {
        let text = Some(document.text.clone());
        let file = ConfigFile { text, settings: document.settings, refused: None };
        let agent = Self::with(file, environment, store, secrets, now);
        agent.remember(&document.text, ConfigOrigin::File);
        agent
    }

    fn with(
        file: ConfigFile,
        environment: Environment,
        store: Store,
        secrets: Secrets,
        now: Timestamp,
    ) -> Self {
        let mut settings = file.settings.clone();
        environment.fill(&mut settings.config);
        settings.find_plugins();
        let history = History::new(&settings.storage_folder());
        let settings = watch::Sender::new(Arc::new(settings));
        Self(Arc::new(Shared {
            started_at: now,
            history,
            plugins: Plugins::new(settings.subscribe()),
            settings,
            file: tokio::sync::Mutex::new(file),
            environment,
            config: Mutex::default(),
            store,
            secrets,
            delivery: Notify::new(),
            events: Events::default(),
            pace: SharedPace::default(),
            registration: Mutex::default(),
            registering: Notify::new(),
            forecaster: Mutex::default(),
            link: Mutex::new(LinkState {
                link: Link::Unknown,
                version: None,
                last_success: None,
                trouble: None,
            }),
            sources: Mutex::default(),
            troubles: Mutex::default(),
            alarms: Mutex::default(),
            sandbox: Mutex::default(),
        }))
    }

    pub fn started_at(&self) -> Timestamp {
        self.0.started_at
    }

    /// What the environment said at the start.
    pub(crate) fn environment(&self) -> &Environment {
        &self.0.environment
    }

    pub fn store(&self) -> &Store {
        &self.0.store
    }

    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.0.settings.borrow().clone()
    }

    /// The warm workers of customers' own converters.
    pub fn plugins(&self) -> &Plugins {
        &self.0.plugins
    }

    /// Tells when other settings come into force, or credentials changed.
    pub fn watch_settings(&self) -> watch::Receiver<Arc<Settings>> {
        self.0.settings.subscribe()
    }

    /// Looks at the enabled plug-ins again; sources whose plug-in changed begin anew.
    pub(crate) fn find_plugins(&self) {
        let mut settings = Settings::clone(&self.settings());
        settings.find_plugins();
        self.0.settings.send_if_modified(|current| {
            // Somebody may have changed the configuration meanwhile, and has looked himself then.
            let changed = current.config == settings.config && current.plugins != settings.plugins;
            if changed {
                *current = settings.into();
            }
            changed
        });
    }

    /// To be called after a credential was stored or forgotten: it is in force at once.
    pub fn credentials_changed(&self) {
        self.0.settings.send_modify(|_| {});
    }

    /// Says that the queue has something new to look at.
    pub fn wake_delivery(&self) {
        self.0.delivery.notify_one();
    }

    pub fn delivery(&self) -> &Notify {
        &self.0.delivery
    }

    /// Where what happens is said, and followed.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    /// How many requests the server gets, counted for all parts together.
    pub(crate) fn pace(&self) -> &SharedPace {
        &self.0.pace
    }

    /// How this machine stands as a client of the server.
    pub fn registration(&self) -> Registration {
        lock(&self.0.registration).clone()
    }

    pub(crate) fn set_registration(&self, registration: Registration) {
        *lock(&self.0.registration) = registration;
    }

    /// Fires when a person has registered the machine, or taken it back.
    pub(crate) fn registering(&self) -> &Notify {
        &self.0.registering
    }
}

/// What the parts say about themselves.
impl Agent {
    /// The server as deliveries have seen it.
    pub fn server(&self) -> ServerState {
        let url = self.settings().config.server.url.clone();
        let LinkState { link, version, last_success, trouble } = lock(&self.0.link).clone();
        ServerState { url, link, version, last_success, trouble }
    }

    /// Changes what is known of the server.
    pub fn update_link(&self, update: impl FnOnce(&mut LinkState)) {
        let mut state = lock(&self.0.link);
        let before = (state.link, state.trouble.clone());
        update(&mut state);
        if before != (state.link, state.trouble.clone()) {
            let (link, trouble) = (state.link, state.trouble.as_deref().map(brief));
            self.events().say(|| Event::ServerLink { link, trouble });
        }
    }

    /// How the source of that name fares; watching with nothing to say, if it was not heard of.
    pub fn source_health(&self, name: &str) -> SourceHealth {
        let known = lock(&self.0.sources).get(name).cloned();
        known.unwrap_or(SourceHealth::new(SourceState::Watching))
    }

    pub fn set_source_health(&self, name: &str, health: SourceHealth) {
        let said = (health.state, health.trouble.clone());
        let before = lock(&self.0.sources).insert(name.to_owned(), health);
        if before.is_none_or(|before| (before.state, before.trouble) != said) {
            let (state, trouble) = said;
            self.events().say(|| Event::Source { source: name.to_owned(), state, trouble });
        }
    }

    pub fn forget_source_health(&self, name: &str) {
        lock(&self.0.sources).remove(name);
    }

    /// What is to be expected, seen from this look and those before it.
    pub fn foresee(&self, look: Look) -> Forecast {
        let settings = self.settings();
        let mut forecaster = lock(&self.0.forecaster);
        forecaster.look(look);
        let pace = settings.config.delivery.requests_per_minute;
        forecaster.foresee(look, settings.least_free_bytes(), pace)
    }

    /// What keeps the agent from its work as a whole: a full disk, a part that crashed.
    pub fn troubles(&self) -> Vec<String> {
        lock(&self.0.troubles).values().cloned().collect()
    }

    /// What a person must know although the agent goes on, until she confirms that she does.
    pub fn alarms(&self) -> Vec<String> {
        lock(&self.0.alarms).values().cloned().collect()
    }

    /// Raises the alarm of a part of the agent, or ends it.
    pub fn set_alarm(&self, part: &'static str, alarm: Option<String>) {
        match alarm {
            Some(words) => lock(&self.0.alarms).insert(part, words),
            None => lock(&self.0.alarms).remove(part),
        };
    }

    /// Which layers the sandbox of foreign converters has on this machine.
    pub fn sandbox(&self) -> SandboxStatus {
        lock(&self.0.sandbox).clone()
    }

    pub(crate) fn set_sandbox(&self, sandbox: SandboxStatus) {
        *lock(&self.0.sandbox) = sandbox;
    }

    /// Says what is wrong with a part of the agent; `None` when nothing is any more.
    pub fn set_trouble(&self, part: &'static str, trouble: Option<String>) {
        let mut troubles = lock(&self.0.troubles);
        if troubles.get(part) == trouble.as_ref() {
            return;
        }
        let said = trouble.clone();
        match trouble {
            Some(words) => troubles.insert(part, words),
            None => troubles.remove(part),
        };
        self.events().say(|| match said {
            Some(trouble) => Event::TroubleRaised { part: part.to_owned(), trouble },
            None => Event::TroubleCleared { part: part.to_owned() },
        });
    }
}

/// A panic while the lock was held cannot have left these half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
