//! A WATS server to test against: it takes reports, checks them by the server's rules, and fails on demand.
//!
//! Reports are kept in memory with every body that came. `docs/simulator.md` describes the faults.

mod api;
mod control;
mod faults;
mod store;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt;
use wats::validate::Strictness;

pub use faults::{Behaviour, Fault, FaultKind, Faults, RejectionShape};
use store::Store;
pub use store::{Header, Stats};

/// How to start a simulator.
#[derive(Debug, Clone)]
pub struct SimSettings {
    pub listen: SocketAddr,
    /// The credential that is accepted: base64 of `user:password`.
    pub token: String,
    /// A second credential that is known but lacks the right to submit.
    pub powerless_token: Option<String>,
    pub strictness: Strictness,
    /// With HTTPS: where to write the certificate authority that signed the certificate.
    pub tls_ca_out: Option<PathBuf>,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: TOKEN.to_owned(),
            powerless_token: Some("bm9ib2R5OnNlY3JldA==".to_owned()),
            strictness: Strictness::Observed,
            tls_ca_out: None,
        }
    }
}

/// The credential of the default settings: `station:secret`.
pub const TOKEN: &str = "c3RhdGlvbjpzZWNyZXQ=";

/// A running simulator; dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    https: bool,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    settings: SimSettings,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    /// # Errors
    /// When the address is taken, or the certificate cannot be written.
    pub async fn start(settings: SimSettings) -> anyhow::Result<Self> {
        let tls = match &settings.tls_ca_out {
            Some(path) => Some(tls::make(path).await.context("making the certificate")?),
            None => None,
        };
        let listener = std::net::TcpListener::bind(settings.listen)
            .with_context(|| format!("listening on {}", settings.listen))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let https = tls.is_some();
        let shared = Arc::new(Shared {
            settings,
            store: Mutex::new(Store::default()),
            faults: Mutex::new(Faults::default()),
        });
        let router = router(shared.clone());
        let task = match tls {
            Some(config) => {
                let server = axum_server::from_tcp_rustls(listener, config)?;
                tokio::spawn(async move {
                    if let Err(error) = server.serve(router.into_make_service()).await {
                        tracing::error!(%error, "the simulator stopped");
                    }
                })
            }
            None => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(async move {
                    if let Err(error) = axum::serve(listener, router).await {
                        tracing::error!(%error, "the simulator stopped");
                    }
                })
            }
        };
        Ok(Self { address, https, shared, task })
    }

    /// `http://127.0.0.1:PORT`
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is stored, oldest first.
    pub fn reports(&self) -> Vec<Header> {
        self.shared.store().headers()
    }

    pub fn stats(&self) -> Stats {
        self.shared.store().stats()
    }

    /// Puts faults in the place of those before; an empty list heals the server.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.faults().replace(faults);
    }

    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.faults().behaviour = behaviour;
    }

    /// Serves until the process ends.
    pub async fn run(mut self) {
        // An error of the task was logged where it arose.
        if (&mut self.task).await.is_err() {
            tracing::error!("the simulator's task was cancelled");
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The server's routes match without regard to case, so paths are lowered before they are matched.
fn router(shared: Arc<Shared>) -> Router {
    let inner = Router::new()
        .nest("/_sim", control::routes(shared.clone()))
        .merge(api::routes(shared))
        .layer(axum::extract::DefaultBodyLimit::disable());
    Router::new().fallback(move |request: Request| lowered(inner.clone(), request))
}

async fn lowered(inner: Router, mut request: Request) -> Response {
    let uri = request.uri();
    let lower = match uri.query() {
        Some(query) => format!("{}?{query}", uri.path().to_ascii_lowercase()),
        None => uri.path().to_ascii_lowercase(),
    };
    if let Ok(uri) = lower.parse() {
        *request.uri_mut() = uri;
    }
    match inner.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
