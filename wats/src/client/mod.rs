//! The WATS API as this product uses it: version, processes, submitting reports, and being a registered client.
//!
//! A [`Client`] holds one server's settings; build a new one when they change. Nothing here retries
//! or waits: [`SubmitError::verdict`] says what should happen next, and the caller does it.

mod answer;
mod error;
mod registration;
mod settings;
mod words;

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, REFERER};
use reqwest::{Method, StatusCode, redirect};
use serde::Deserialize;
use url::Url;
use uuid::Uuid;

pub use answer::Accepted;
pub use error::{SubmitError, Verdict};
pub use registration::{ClientUpdate, Computer, ConverterState, DiskState, Registration};
pub use settings::{ClientSettings, InvalidSettings, ProxyCredential, Token};

/// Used where the caller has no reason to choose others.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Used where the caller has no reason to choose others.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers are read up to this size; a longer one is not from a WATS server.
const MAX_ANSWER: usize = 8 << 20;

/// The slowest upload, in bytes a second, that is waited for.
const SLOWEST_UPLOAD: u64 = 16 << 10;

/// The usual limit of the web server below WATS, which says 404 to what is larger.
const WEB_SERVER_LIMIT: usize = 30_000_000;

/// A typed client of one WATS server. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Token,
    read_timeout: Duration,
}

impl fmt::Debug for Client {
    /// Only the address: what the HTTP client would print holds the proxy's credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

/// One operation that the server knows, as far as a client needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    pub code: i32,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub is_test_operation: bool,
    #[serde(default)]
    pub is_repair_operation: bool,
}

struct Body {
    content_type: &'static str,
    bytes: Vec<u8>,
}

/// An answer with its body, whatever its status.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// # Errors
    /// When the proxy address or the extra certificates cannot be used.
    pub fn new(settings: ClientSettings) -> Result<Self, InvalidSettings> {
        let mut http = reqwest::Client::builder()
            .user_agent(settings.user_agent)
            .connect_timeout(settings.connect_timeout)
            // A redirect leads to a login page or to another server; neither acknowledges a report.
            .redirect(redirect::Policy::none());
        if let Some(proxy) = settings.proxy {
            http = http.proxy(proxy.into_reqwest()?);
        }
        if let Some(pem) = &settings.extra_ca {
            let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|source| InvalidSettings::ExtraCa { source })?;
            if roots.is_empty() {
                return Err(InvalidSettings::NoCertificate);
            }
            http = http.tls_certs_merge(roots);
        }
        let http = http.build().map_err(|source| InvalidSettings::Client { source })?;
        Ok(Self { http, base: settings.url, token: settings.token, read_timeout: settings.read_timeout })
    }

    /// The server's version, for example `2026.1.5.324`.
    ///
    /// # Errors
    /// As [`Client::submit_wsjf`].
    pub async fn version(&self) -> Result<String, SubmitError> {
        let answer = self.call(Method::GET, "/api/App/Version", None).await?;
        answer::version(&answer.success()?)
    }

    /// The active operations of the server.
    ///
    /// # Errors
    /// As [`Client::submit_wsjf`].
    pub async fn processes(&self) -> Result<Vec<Process>, SubmitError> {
        let answer = self.call(Method::GET, "/api/App/Processes", None).await?;
        let body = answer.success()?;
        serde_json::from_slice(&body).map_err(|_| SubmitError::NotWats { excerpt: words::excerpt(&body) })
    }

    /// Sends one report in WSJF. `id` is the id inside it: the server must answer with the same one.
    ///
    /// # Errors
    /// Whatever is no acknowledgement; [`SubmitError::verdict`] says what it means for the report.
    pub async fn submit_wsjf(&self, id: Uuid, report: Vec<u8>) -> Result<Accepted, SubmitError> {
        self.submit(id, "/api/Report/WSJF", Body { content_type: "application/json", bytes: report }).await
    }

    /// Sends one report in WSXF, a document with exactly one `Report`.
    ///
    /// # Errors
    /// As [`Client::submit_wsjf`].
    pub async fn submit_wsxf(&self, id: Uuid, report: Vec<u8>) -> Result<Accepted, SubmitError> {
        self.submit(id, "/api/Report/WSXF", Body { content_type: "application/xml", bytes: report }).await
    }

    async fn submit(&self, id: Uuid, path: &str, body: Body) -> Result<Accepted, SubmitError> {
        let size = body.bytes.len();
        let answer = self.call(Method::POST, path, Some(body)).await?;
        match answer.success() {
            Ok(body) => answer::accepted(id, &body),
            // One large report must not look like a wrong address, which holds all the others.
            Err(SubmitError::WrongAddress { status: 404 }) if size > WEB_SERVER_LIMIT => {
                let message = format!("the report has {size} bytes, which is more than the server takes");
                Err(SubmitError::Rejected { status: 404, message })
            }
            Err(error) => Err(error),
        }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Body>) -> Result<Answer, SubmitError> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(query);
        let size = body.as_ref().map_or(0, |body| body.bytes.len());
        let mut request = self
            .http
            .request(method, url)
            .timeout(self.read_timeout.saturating_add(upload_allowance(size)))
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, self.token.header());
        if path.starts_with("/api/internal/") {
            request = request.header(REFERER, self.base.as_str());
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, body.content_type).body(body.bytes);
        }
        let mut response = request.send().await.map_err(SubmitError::from_transport)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(SubmitError::from_transport)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(SubmitError::NotWats { excerpt: "an answer of more than 8 MiB".to_owned() });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, body })
    }
}

/// How much longer a request may take because of what it carries.
fn upload_allowance(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / SLOWEST_UPLOAD)
}

impl Answer {
    /// The body of a 2xx answer that can come from a WATS server; everything else as its error.
    fn success(self) -> Result<Vec<u8>, SubmitError> {
        if !self.status.is_success() {
            return Err(SubmitError::from_status(self.status, &self.headers, &self.body));
        }
        if words::is_html(&self.headers, &self.body) {
            return Err(SubmitError::NotWats { excerpt: words::excerpt(&self.body) });
        }
        Ok(self.body)
    }
}
