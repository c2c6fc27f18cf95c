//! The appliance's web console: server-rendered pages over HTTPS.
//!
//! The console decides nothing about reports and has no rights on the machine. It asks the agent through
//! its control API and the system daemon through its system API, and keeps accounts, sessions and the
//! wizard's progress in the appliance's state.
//!
//! To add a page: a file in `pages/` with a `routes()` function, a folder of the same name in `templates/`,
//! and one line in [`pages`]. The extractor in a handler's signature says who may call it:
//! [`SignedIn`](access::SignedIn) for everything after the wizard, [`Configuring`](access::Configuring)
//! for the wizard's steps. A handler returns a template whose field `frame` is a [`Frame`](frame::Frame), or
//! a [`PageError`](error::PageError). Forms are POST, then 303, then GET; a wrong form comes back with
//! status 422, the typed values, and a message at the field. No page needs JavaScript.

pub mod access;
mod args;
pub mod arguments;
pub mod assets;
mod certificate;
pub mod error;
pub mod forms;
pub mod frame;
mod layers;
pub mod pages;
mod serve;
pub mod server_form;
pub mod words;

use std::path::Path;

use wats_agent::control::client::{ControlClient, ControlError};
use wats_appliance::state::setup_code::SetupCodeFile;
use wats_appliance::state::{State, StateError};
use wats_appliance::system::client::{SystemClient, SystemError};

pub use args::Args;
pub use layers::app;
pub use serve::run;

/// What every page works with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Console {
    pub state: State,
    pub agent: ControlClient,
    pub system: SystemClient,
    pub setup_code: SetupCodeFile,
    /// The certificate that browsers see, PEM.
    pub certificate: std::path::PathBuf,
}

/// Why the console cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error("could not open the console's state")]
    State(#[from] StateError),
    #[error("could not set up the agent's client")]
    Agent(#[from] ControlError),
    #[error("could not set up the system daemon's client")]
    System(#[from] SystemError),
}

impl Console {
    /// Opens the state in `state_dir`; agent and system daemon are asked only when a page needs them.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub async fn open(
        state_dir: &Path,
        agent_socket: &Path,
        system_socket: &Path,
    ) -> Result<Self, SetupError> {
        Ok(Self {
            state: State::open(&state_dir.join("appliance.db")).await?,
            agent: ControlClient::new(agent_socket)?,
            system: SystemClient::new(system_socket)?,
            setup_code: SetupCodeFile::new(state_dir.join("setup-code")),
            certificate: state_dir.join("tls/cert.pem"),
        })
    }
}
