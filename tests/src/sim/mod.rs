//! A WATS server to test against: it takes reports, checks them by the server's rules, and fails on demand.
//!
//! Reports are kept in memory with every body that came. `docs/simulator.md` describes the faults.

mod api;
mod catalogue;
mod clients;
mod control;
mod faults;
mod gate;
mod odata;
mod read;
mod store;
mod submit;
mod tls;

use std::fs::Permissions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tower::ServiceExt;
use uuid::Uuid;
use wats::validate::Strictness;

pub use clients::Registered;
pub use faults::{Behaviour, Fault, FaultKind, Faults, FaultsChange, RejectionShape};
use store::Store;
pub use store::{Header, Stats};

/// How to start a simulator.
#[derive(Debug, Clone)]
pub struct SimSettings {
    pub listen: SocketAddr,
    /// The credential that is accepted: base64 of `user:password`.
    pub token: String,
    /// A second credential that is known and lacks every right: all it may ask for is the version.
    pub powerless_token: String,
    pub strictness: Strictness,
    pub behaviour: Behaviour,
    /// HTTPS, with a certificate of an authority that was made for it: [`Sim::ca_pem`].
    pub tls: Option<Tls>,
}

/// How to serve HTTPS.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Names and addresses in the certificate besides those of this machine on the loopback.
    pub names: Vec<String>,
    /// Where to write the authority's certificate.
    pub ca_out: Option<PathBuf>,
}

impl Default for SimSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            token: TOKEN.to_owned(),
            powerless_token: POWERLESS_TOKEN.to_owned(),
            strictness: Strictness::Observed,
            behaviour: Behaviour::default(),
            tls: None,
        }
    }
}

/// The credential of the default settings: `station:secret`.
pub const TOKEN: &str = "c3RhdGlvbjpzZWNyZXQ=";

/// The one without rights: `nobody:secret`.
pub const POWERLESS_TOKEN: &str = "bm9ib2R5OnNlY3JldA==";

/// A running simulator; dropping it stops it.
#[derive(Debug)]
pub struct Sim {
    address: SocketAddr,
    ca_pem: Option<String>,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    settings: SimSettings,
    store: Mutex<Store>,
    clients: Mutex<Vec<Registered>>,
    faults: Mutex<Faults>,
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn clients(&self) -> MutexGuard<'_, Vec<Registered>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sim {
    /// # Errors
    /// When the address is taken, or the certificate cannot be written.
    pub async fn start(settings: SimSettings) -> anyhow::Result<Self> {
        check_token(&settings.token)?;
        check_token(&settings.powerless_token)?;
        let tls = match &settings.tls {
            Some(tls) => Some(identity(tls, settings.listen).await.context("making the certificate")?),
            None => None,
        };
        let listener = std::net::TcpListener::bind(settings.listen)
            .with_context(|| format!("listening on {}", settings.listen))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let faults = Faults { faults: Vec::new(), behaviour: settings.behaviour.clone() };
        let shared = Arc::new(Shared {
            settings,
            store: Mutex::new(Store::default()),
            clients: Mutex::default(),
            faults: Mutex::new(faults),
        });
        let router = router(shared.clone());
        let ca_pem = tls.as_ref().map(|identity| identity.ca_pem.clone());
        let task = match tls {
            Some(identity) => {
                let server = axum_server::from_tcp_rustls(listener, identity.config)?;
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
        Ok(Self { address, ca_pem, shared, task })
    }

    /// `http://127.0.0.1:PORT`, or `https`.
    pub fn base_url(&self) -> String {
        format!("{}://{}", if self.ca_pem.is_some() { "https" } else { "http" }, self.address)
    }

    /// With HTTPS: the authority that a client must trust, PEM.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is stored, oldest first.
    pub fn reports(&self) -> Vec<Header> {
        self.shared.store().headers()
    }

    /// The body that is stored under an id, byte for byte as it came.
    pub fn body(&self, id: Uuid) -> Option<Bytes> {
        self.shared.store().get(id).map(|stored| stored.body.clone())
    }

    /// Every body that came under an id, in the order in which they came.
    pub fn bodies(&self, id: Uuid) -> Vec<Bytes> {
        let store = self.shared.store();
        store.get(id).map(|s| s.earlier.iter().chain([&s.body]).cloned().collect()).unwrap_or_default()
    }

    /// The clients that have registered, in their order.
    pub fn clients(&self) -> Vec<Registered> {
        self.shared.clients().clone()
    }

    /// As if somebody else had registered all clients anew: their passcodes are worthless.
    pub fn forget_passcodes(&self) {
        self.shared.clients().iter_mut().for_each(|client| client.passcode = Uuid::new_v4().to_string());
    }

    pub fn stats(&self) -> Stats {
        self.shared.store().stats()
    }

    /// Forgets all reports and counts.
    pub fn clear(&self) {
        self.shared.store().clear();
    }

    /// Puts faults in the place of those before; an empty list heals the server.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.shared.faults().change(FaultsChange { faults, behaviour: None });
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

/// What is no credential would only ever show as 401.
fn check_token(token: &str) -> anyhow::Result<()> {
    let decoded = STANDARD.decode(token).context("the token is no base64")?;
    anyhow::ensure!(decoded.contains(&b':'), "the token is not base64 of user:password");
    Ok(())
}

async fn identity(settings: &Tls, listen: SocketAddr) -> anyhow::Result<tls::Identity> {
    let identity = tls::make(listen.ip(), &settings.names).await?;
    if let Some(path) = &settings.ca_out {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Everybody may read a certificate.
        let mut file =
            tempfile::Builder::new().permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
        file.write_all(identity.ca_pem.as_bytes())?;
        file.persist(path)?;
    }
    Ok(identity)
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
