//! A whole appliance on this machine: agent, console with TLS, simulated system daemon and WATS server; and a
//! client that uses the console as a browser without JavaScript does.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, StatusCode};
use wats_appliance::provision::{Identity, fingerprint_of, provision};

use crate::station::Station;
use crate::system::SystemSim;

/// The appliance; dropping it ends its processes.
#[derive(Debug)]
pub struct Appliance {
    pub station: Station,
    pub system: SystemSim,
    console: Child,
    state_dir: PathBuf,
    _folder: tempfile::TempDir,
    pub address: SocketAddr,
    pub redirect: SocketAddr,
}

impl Appliance {
    /// A machine that nobody has claimed, whose agent watches these `(name, converter)` and knows no server.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(sources: &[(&str, &str)]) -> anyhow::Result<Self> {
        Self::start_with(sources, "").await
    }

    /// [`Self::start`] with more lines for the agent's configuration: whole tables, as TOML.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_with(sources: &[(&str, &str)], config: &str) -> anyhow::Result<Self> {
        let station = Station::start_without_server(sources, config).await?;
        let folder = tempfile::tempdir()?;
        let state_dir = folder.path().join("state");
        let identity = Identity { host_name: "wats-appliance".to_owned(), addresses: Vec::new() };
        provision(&state_dir, &identity, Timestamp::now()).await?;
        let system = SystemSim::default();
        let system_socket = folder.path().join("system.sock");
        system.serve(&system_socket)?;
        let (address, redirect) = (free_address()?, free_address()?);
        let console = Command::new(crate::station::program("wats-console")?)
            .args(["--listen", &address.to_string(), "--redirect-listen", &redirect.to_string()])
            .args([Path::new("--state-dir"), &state_dir, Path::new("--system-socket"), &system_socket])
            .args([Path::new("--agent-socket"), &station.socket()])
            .stdin(Stdio::null())
            .spawn()
            .context("starting wats-console")?;
        let appliance = Self { station, system, console, state_dir, _folder: folder, address, redirect };
        let started = Instant::now();
        while std::net::TcpStream::connect(address).is_err() {
            ensure!(started.elapsed() < Duration::from_secs(30), "the console does not listen");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(appliance)
    }

    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Goes through the wizard; the browser is signed in then.
    ///
    /// # Errors
    /// When a step does not lead to the next one.
    pub async fn set_up(&self) -> anyhow::Result<Browser> {
        let browser = self.browser()?;
        let answers = WizardAnswers {
            setup_code: &self.setup_code()?,
            server: &self.station.sim.base_url(),
            token: crate::sim::TOKEN,
            converter: "wats-text",
        };
        browser.complete_wizard(&answers).await?;
        Ok(browser)
    }

    /// What the machine's screen would show.
    ///
    /// # Errors
    /// When there is no code, because the machine is claimed.
    pub fn setup_code(&self) -> anyhow::Result<String> {
        let code =
            std::fs::read_to_string(self.state_dir.join("setup-code")).context("reading the setup code")?;
        Ok(code.trim().to_owned())
    }

    /// A browser that trusts exactly this machine's certificate.
    ///
    /// # Errors
    /// When the certificate cannot be read.
    pub fn browser(&self) -> anyhow::Result<Browser> {
        let pem = std::fs::read(self.state_dir.join("tls/cert.pem"))?;
        Browser::new(&format!("https://localhost:{}", self.address.port()), &pem)
    }
}

impl Drop for Appliance {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then say so, and there is nothing left to do.
        let _killed = self.console.kill();
        let _ended = self.console.wait();
    }
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?)
}

/// A page that came back.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: StatusCode,
    /// Where it sends to, if it does.
    pub location: String,
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

/// Keeps cookies, follows no redirect by itself.
#[derive(Debug, Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
}

impl Browser {
    /// `certificate` is the one certificate that is trusted, PEM.
    ///
    /// # Errors
    /// When the certificate is none.
    pub fn new(base: &str, certificate: &[u8]) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .tls_certs_only([reqwest::Certificate::from_pem(certificate)?])
            .no_proxy()
            .timeout(Duration::from_secs(120))
            .build()?;
        Ok(Self { http, base: base.to_owned() })
    }

    /// A browser for a machine whose screen shows this fingerprint: no other certificate is trusted.
    ///
    /// # Errors
    /// When the machine does not answer, or answers with another certificate.
    pub async fn pinned(base: &str, fingerprint: &str) -> anyhow::Result<Self> {
        let curious = reqwest::Client::builder()
            .tls_danger_accept_invalid_certs(true)
            .tls_info(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let answer = curious.get(format!("{base}/setup")).send().await?;
        let info = answer.extensions().get::<reqwest::tls::TlsInfo>();
        let der = info.and_then(reqwest::tls::TlsInfo::peer_certificate).context("no certificate came")?;
        let seen = fingerprint_of(der);
        ensure!(seen == fingerprint, "the screen shows {fingerprint}, the connection has {seen}");
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            BASE64_STANDARD.encode(der)
        );
        Self::new(base, pem.as_bytes())
    }

    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Page> {
        page(self.http.get(format!("{}{path}", self.base)).send().await?).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Page> {
        self.post_from(path, fields, &[]).await
    }

    /// Sends a form with further headers.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_from(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Page> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut request = self
            .http
            .request(Method::POST, format!("{}{path}", self.base))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        page(request.send().await?).await
    }

    /// Uploads one file.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn upload(&self, source: &str, name: &str, content: Vec<u8>) -> anyhow::Result<Page> {
        self.post_file("/upload", &[("source", source)], name, content).await
    }

    /// Sends a form with a file in its field `file`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_file(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        name: &str,
        content: Vec<u8>,
    ) -> anyhow::Result<Page> {
        let mut form = Form::new();
        for (field, text) in fields {
            form = form.text((*field).to_owned(), (*text).to_owned());
        }
        let form = form.part("file", Part::bytes(content).file_name(name.to_owned()));
        page(self.http.post(format!("{}{path}", self.base)).multipart(form).send().await?).await
    }

    /// Goes through the wizard from the setup code to the dashboard.
    ///
    /// # Errors
    /// When a step does not lead to the next one; with its page.
    pub async fn complete_wizard(&self, answers: &WizardAnswers<'_>) -> anyhow::Result<()> {
        let steps: [Step<'_>; 7] = [
            ("/setup", vec![("code", answers.setup_code)], "/setup/account"),
            (
                "/setup/account",
                vec![("user_name", "admin"), ("password", PASSWORD), ("password_again", PASSWORD)],
                "/setup/machine",
            ),
            ("/setup/machine", vec![("host_name", "line-4"), ("time_zone", "Europe/Oslo")], "/setup/server"),
            (
                "/setup/server",
                vec![
                    ("url", answers.server),
                    ("credential_kind", "token"),
                    ("token", answers.token),
                    ("action", "save"),
                ],
                "/setup/station",
            ),
            (
                "/setup/station",
                vec![("name", "LINE-4"), ("location", "Hall 2"), ("purpose", "Production")],
                "/setup/converters",
            ),
            ("/setup/converters", vec![("converter[]", answers.converter)], "/setup/done"),
            ("/setup/done", vec![], "/"),
        ];
        for (path, fields, next) in steps {
            let page = self.post(path, &fields).await.with_context(|| format!("sending {path}"))?;
            if page.status != StatusCode::SEE_OTHER || page.location != next {
                bail!("{path} led to {} {:?}:\n{}", page.status, page.location, page.text);
            }
        }
        Ok(())
    }
}

/// The administrator's password in tests.
pub const PASSWORD: &str = "correct horse battery";

/// A step's path, its fields, and the path that it leads to.
type Step<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);

/// What the wizard is told.
#[derive(Debug, Clone, Copy)]
pub struct WizardAnswers<'a> {
    pub setup_code: &'a str,
    pub server: &'a str,
    pub token: &'a str,
    pub converter: &'a str,
}

async fn page(response: Response) -> anyhow::Result<Page> {
    let headers = response.headers().clone();
    let location = headers.get("location").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    Ok(Page { status: response.status(), location, text: response.text().await?, headers })
}
