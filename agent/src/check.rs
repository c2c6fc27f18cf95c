//! The connection test: step by step from the address to the rights, ending with the first that fails.
//!
//! Each step says in plain words what was seen and, where it is not well, what a person can do.

mod tls;

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::DATE;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;
use wats::client::{Client, ClientSettings, InvalidSettings, ProxyCredential, SubmitError, Token};

use crate::control::api::{Check, CheckStep, ConnectionTest, Outcome, UserPassword};

/// No step takes longer.
const STEP: Duration = Duration::from_secs(10);
/// The whole does not take longer.
const WHOLE: Duration = Duration::from_secs(30);
/// Clocks may differ so much before a person should know, in seconds.
const CLOCK_TOLERANCE: i64 = 5 * 60;
/// The oldest server that the agent is made for.
const OLDEST_SERVER: [u32; 4] = [2025, 3, 9, 824];

/// What is tried.
#[derive(Debug, Clone)]
pub struct Target {
    pub url: String,
    pub proxy: Option<String>,
    pub proxy_credential: Option<UserPassword>,
    /// Servers that are reached without that proxy.
    pub proxy_bypass: Vec<String>,
    pub extra_ca: Option<String>,
    /// `None` when none was given: then the test ends where one is needed.
    pub token: Option<Token>,
}

/// Tries the connection; takes half a minute at most.
pub async fn run(target: &Target) -> ConnectionTest {
    let mut test = Test { checks: Vec::new(), step: CheckStep::Address };
    if timeout(WHOLE, test.steps(target)).await.is_err() {
        let (message, advice) = ("This took too long and was given up.", SLOW);
        test.checks.push(Check {
            step: test.step,
            outcome: Outcome::Failed,
            message: message.to_owned(),
            advice: Some(advice.to_owned()),
        });
    }
    ConnectionTest { checks: test.checks }
}

const SLOW: &str =
    "Ask the network's administrator whether a firewall or a proxy stands in between, and try again.";
const ADDRESS: &str = "Compare the address with the one in your browser when you use WATS; \
                       it looks like https://company.wats.com.";

/// A step failed and was written down: nothing after it makes sense.
struct Stop;
type Go<T = ()> = Result<T, Stop>;

struct Test {
    checks: Vec<Check>,
    step: CheckStep,
}

impl Test {
    fn ok(&mut self, message: impl Into<String>) {
        self.checks.push(Check {
            step: self.step,
            outcome: Outcome::Ok,
            message: message.into(),
            advice: None,
        });
    }

    fn warn(&mut self, message: impl Into<String>, advice: impl Into<String>) {
        let (message, advice) = (message.into(), Some(advice.into()));
        self.checks.push(Check { step: self.step, outcome: Outcome::Warning, message, advice });
    }

    fn fail<T>(&mut self, message: impl Into<String>, advice: impl Into<String>) -> Go<T> {
        let (message, advice) = (message.into(), Some(advice.into()));
        self.checks.push(Check { step: self.step, outcome: Outcome::Failed, message, advice });
        Err(Stop)
    }

    async fn steps(&mut self, target: &Target) -> Go {
        let (url, settings) = self.address(target)?;
        match proxy_to(&url, target) {
            None => self.direct(&url).await?,
            Some((proxy, credential)) => self.proxy(&url, &proxy, credential.as_ref()).await?,
        }
        self.probe(&url, target).await?;
        let Some(token) = &target.token else {
            self.step = CheckStep::Credential;
            return self.fail(
                "No token and no user name with password is set.",
                "Enter a token: it is made in WATS under the menu of your user.",
            );
        };
        let client = match settings(token.clone()).and_then(Client::new) {
            Ok(client) => client,
            Err(error) => return self.fail(sentence(&error.to_string()), ADDRESS),
        };
        self.version(&client).await?;
        self.rights(&client).await
    }

    /// Step 1. Answers the address, and how to make the settings for a token.
    fn address<'a>(
        &mut self,
        target: &'a Target,
    ) -> Go<(Url, impl FnOnce(Token) -> Result<ClientSettings, InvalidSettings> + 'a)> {
        self.step = CheckStep::Address;
        let checked = Token::from_user("nobody", &SecretString::from(""))
            .and_then(|nobody| settings_for(target, nobody))
            .and_then(Client::new);
        match (checked, Url::parse(target.url.trim())) {
            (Err(error @ (InvalidSettings::Proxy | InvalidSettings::ProxyCredential)), _) => {
                self.step = CheckStep::Proxy;
                self.fail(sentence(&error.to_string()), "Write it as http://proxy.example.com:8080.")
            }
            (Err(error @ (InvalidSettings::ExtraCa { .. } | InvalidSettings::NoCertificate)), _) => {
                self.step = CheckStep::Tls;
                self.fail(
                    sentence(&error.to_string()),
                    "Ask for the root certificate as a PEM file; it begins with -----BEGIN CERTIFICATE-----.",
                )
            }
            (Ok(_), Ok(url)) => {
                if url.scheme() == "http" {
                    self.warn(
                        format!(
                            "{url} is not encrypted: the credential and the results can be read on the way."
                        ),
                        "Use https:// if the server offers it.",
                    );
                } else {
                    self.ok(format!("{url} is a web address."));
                }
                Ok((url, move |token| settings_for(target, token)))
            }
            _ => self.fail("This is no web address.", ADDRESS),
        }
    }

    /// Steps 2 and 3 without a proxy: the name, and whether something listens there.
    async fn direct(&mut self, url: &Url) -> Go {
        self.step = CheckStep::Dns;
        let (host, port) = place(url);
        let addresses = match resolve(&host, port).await {
            Ok(addresses) => addresses,
            Err(words) => {
                return self.fail(
                    format!("The name {host} cannot be found: {words}."),
                    "Check the spelling of the address and the name servers (DNS) in the network settings.",
                );
            }
        };
        let shown: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
        self.ok(format!("{host} is {}.", shown.join(", ")));

        self.step = CheckStep::Tcp;
        match connect(&addresses).await {
            Ok((_, address)) => {
                self.ok(format!("{address} takes connections."));
                Ok(())
            }
            Err(words) => self.fail(
                format!("Port {port} of {host} cannot be reached: {words}."),
                "Check the port in the address, and ask the network's administrator whether a firewall is in \
                 between or a proxy must be used.",
            ),
        }
    }

    /// Steps 2 and 3 with a proxy: it looks the name up and connects for us.
    async fn proxy(&mut self, url: &Url, proxy: &str, credential: Option<&UserPassword>) -> Go {
        self.step = CheckStep::Proxy;
        let Ok(proxy) = Url::parse(proxy.trim()) else {
            return self.fail("The proxy's address is no web address.", "Write it as http://proxy:8080.");
        };
        let (host, port) = place(&proxy);
        let connected = match resolve(&host, port).await {
            Ok(addresses) => connect(&addresses).await,
            Err(words) => Err(words),
        };
        let stream = match connected {
            Ok((stream, _)) => stream,
            Err(words) => {
                return self.fail(
                    format!("The proxy {host}:{port} cannot be reached: {words}."),
                    "Check the proxy's name and port with the network's administrator.",
                );
            }
        };
        // Through a proxy that is itself reached by TLS, and for plain http, the next step shows the rest.
        if proxy.scheme() != "http" || url.scheme() != "https" {
            self.ok(format!("The proxy {host}:{port} takes connections."));
            return Ok(());
        }
        let answered = timeout(STEP, tunnel(stream, &place(url), credential)).await;
        match answered.unwrap_or(Err("it did not answer in time".to_owned())) {
            Ok(200..=299) => {
                self.ok(format!("The proxy {host}:{port} connects us to the server."));
                Ok(())
            }
            Ok(407) => self.wants_credential(credential.is_some()),
            Ok(403) => self.fail(
                "The proxy does not allow connections to this server (403).",
                "Ask the network's administrator to allow the server's address and port in the proxy.",
            ),
            Ok(code @ 500..) => self.fail(
                format!("The proxy cannot reach the server (status {code})."),
                "Check the server's address; the proxy looks up its name and connects to it.",
            ),
            Ok(code) => self.fail(
                format!("The proxy refuses to connect us to the server (status {code})."),
                "Check with the network's administrator that this is a proxy for HTTPS.",
            ),
            Err(words) => self.fail(
                format!("What answers on {host}:{port} is no web proxy: {words}."),
                "Check the proxy's name and port with the network's administrator.",
            ),
        }
    }

    fn wants_credential<T>(&mut self, given: bool) -> Go<T> {
        self.step = CheckStep::Proxy;
        if given {
            self.fail(
                "The proxy does not accept the user name and password (407).",
                "Enter the proxy's user name and password again.",
            )
        } else {
            self.fail(
                "The proxy asks for a user name and password (407).",
                "Enter the user name and password for the proxy.",
            )
        }
    }

    /// Steps 4 and 5, one request without a credential: encryption and the clock.
    async fn probe(&mut self, url: &Url, target: &Target) -> Go {
        self.step = if url.scheme() == "https" { CheckStep::Tls } else { CheckStep::Version };
        let client = match probe_client(target) {
            Ok(client) => client,
            Err(_) => return self.fail("The settings do not fit together.", ADDRESS),
        };
        let answer = match client.get(url.clone()).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let (message, advice) = tls::explain(&error, &place(url).0);
                return self.fail(message, advice);
            }
        };
        if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return self.wants_credential(target.proxy_credential.is_some());
        }
        if url.scheme() == "https" {
            self.ok("The connection is encrypted, and the server's certificate is trusted.");
        }
        self.step = CheckStep::Clock;
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        if let Some(server) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) {
            self.clock(Timestamp::now().as_second() - server.timestamp().as_second());
        }
        Ok(())
    }

    /// `ahead`: by how many seconds this machine's clock is ahead of the server's.
    fn clock(&mut self, ahead: i64) {
        if ahead.abs() <= CLOCK_TOLERANCE {
            return self.ok("The clocks of this machine and of the server agree.");
        }
        let by = match ahead.abs() {
            seconds @ ..7200 => format!("{} minutes", seconds / 60),
            seconds @ ..172_800 => format!("{} hours", seconds / 3600),
            seconds => format!("{} days", seconds / 86_400),
        };
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        self.warn(
            format!("This machine's clock is {by} {side} the server's."),
            "Set a time server (NTP) that this machine can reach; wrong times end up in reports, and \
             certificates may be refused.",
        );
    }

    /// Step 6.
    async fn version(&mut self, client: &Client) -> Go {
        self.step = CheckStep::Version;
        match client.version().await {
            Ok(version) => {
                let found: Vec<u32> = version.split('.').map_while(|part| part.parse().ok()).collect();
                let padded = |at| found.get(at).copied().unwrap_or(0);
                if [padded(0), padded(1), padded(2), padded(3)] < OLDEST_SERVER {
                    self.warn(
                        format!("The server is WATS {version}, older than 2025.3.9.824."),
                        "Reports can be sent; plan an update of the server.",
                    );
                } else {
                    self.ok(format!("The server is WATS {version}."));
                }
                Ok(())
            }
            Err(error) => self.explain(&error),
        }
    }

    /// Steps 7 and 8, one request that needs both.
    async fn rights(&mut self, client: &Client) -> Go {
        self.step = CheckStep::Credential;
        match client.processes().await {
            Ok(processes) => {
                self.ok("The server accepts the credential.");
                self.step = CheckStep::Rights;
                self.ok(format!("The credential may read the {} processes of the server.", processes.len()));
                Ok(())
            }
            Err(error) => {
                if matches!(error, SubmitError::Forbidden { .. }) {
                    self.ok("The server knows the credential.");
                }
                self.explain(&error)
            }
        }
    }

    /// Why the server did not answer what it was asked, under the step that it belongs to.
    fn explain<T>(&mut self, error: &SubmitError) -> Go<T> {
        match error {
            SubmitError::Unauthorised => {
                self.step = CheckStep::Credential;
                self.fail(
                    "The server does not accept the credential (401).",
                    "Enter the token again, complete and without spaces, or make a new one in WATS; it may have \
                     been revoked.",
                )
            }
            SubmitError::Forbidden { message } => {
                self.step = CheckStep::Rights;
                self.fail(
                    format!("The credential lacks a right (403): {}", sentence(message)),
                    "Ask the WATS administrator to give the token's user the role for sending reports.",
                )
            }
            SubmitError::WrongAddress { status } => {
                self.fail(format!("There is no WATS server at this address (status {status})."), ADDRESS)
            }
            SubmitError::NotWats { .. } => self.fail(
                "Something answers, but it is not WATS: a sign-in page, a proxy or another web site.",
                "Open the address in a browser in the same network and see what comes; a guest network's or a \
                 proxy's page must be passed first, or this machine be exempted from it.",
            ),
            SubmitError::ProxyRefused => self.wants_credential(false),
            SubmitError::Throttled { .. } => self.fail(
                "The server asks to come back later (429).",
                "Wait a minute and try again.",
            ),
            SubmitError::ServerTrouble { status, message, .. } => self.fail(
                format!("The server has trouble (status {status}): {}", sentence(message)),
                "Try again later; if it stays, tell the WATS administrator.",
            ),
            SubmitError::Rejected { status, message } => {
                self.fail(format!("The server refuses (status {status}): {}", sentence(message)), ADDRESS)
            }
            SubmitError::Unreachable(_) | SubmitError::Interrupted(_) => self.fail("The connection broke off.", SLOW),
            SubmitError::TimedOut => self.fail("The server did not answer in time.", SLOW),
            SubmitError::OtherId { .. } => self.fail("The server's answer makes no sense.", ADDRESS),
        }
    }
}

fn settings_for(target: &Target, token: Token) -> Result<ClientSettings, InvalidSettings> {
    let agent = concat!("wats-agent/", env!("CARGO_PKG_VERSION"));
    let mut settings = ClientSettings::new(&target.url, token, agent)?.with_timeouts(STEP, STEP);
    if let Some(proxy) = &target.proxy {
        let credential = target
            .proxy_credential
            .as_ref()
            .map(|it| ProxyCredential { user: it.user.clone(), password: it.password.clone() });
        settings = settings.with_proxy(proxy, credential)?.with_proxy_bypass(&target.proxy_bypass);
    }
    Ok(match &target.extra_ca {
        Some(pem) => settings.with_extra_ca(pem.clone()),
        None => settings,
    })
}

/// The proxy that the HTTP client takes to the server, if any: the one that is set, else that of the environment.
fn proxy_to(url: &Url, target: &Target) -> Option<(String, Option<UserPassword>)> {
    let uri = url.as_str().parse().ok()?;
    if let Some(proxy) = &target.proxy {
        let rules = Matcher::builder().all(proxy.trim().to_owned()).no(target.proxy_bypass.join(","));
        // An address that the rules do not understand is complained about by the step for the proxy.
        let bypassed = rules.build().intercept(&uri).is_none() && Url::parse(proxy.trim()).is_ok();
        return (!bypassed).then(|| (proxy.clone(), target.proxy_credential.clone()));
    }
    let through = Matcher::from_env().intercept(&uri)?;
    let words = through.basic_auth().and_then(|it| it.to_str().ok()?.strip_prefix("Basic "));
    let words = words.and_then(|it| String::from_utf8(STANDARD.decode(it).ok()?).ok());
    let credential = words.as_deref().and_then(|it| it.split_once(':'));
    let credential = credential
        .map(|(user, password)| UserPassword { user: user.to_owned(), password: password.to_owned().into() });
    Some((through.uri().to_string(), credential))
}

/// A client as the real one, but without the credential.
fn probe_client(target: &Target) -> Result<reqwest::Client, reqwest::Error> {
    let mut client = reqwest::Client::builder()
        .connect_timeout(STEP)
        .timeout(STEP)
        .redirect(reqwest::redirect::Policy::none());
    if let Some(proxy) = &target.proxy {
        let mut proxy = reqwest::Proxy::all(proxy.trim())?;
        if let Some(credential) = &target.proxy_credential {
            proxy = proxy.basic_auth(&credential.user, credential.password.expose_secret());
        }
        let bypass = reqwest::NoProxy::from_string(&target.proxy_bypass.join(","));
        client = client.proxy(proxy.no_proxy(bypass));
    }
    if let Some(pem) = &target.extra_ca {
        client = client.tls_certs_merge(reqwest::Certificate::from_pem_bundle(pem.as_bytes())?);
    }
    client.build()
}

/// Host, without the brackets of IPv6, and port.
fn place(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    (host, url.port_or_known_default().unwrap_or(443))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    match timeout(STEP, tokio::net::lookup_host((host, port))).await {
        Err(_) => Err("the name servers do not answer".to_owned()),
        Ok(Err(_)) => Err("no name server knows it".to_owned()),
        Ok(Ok(addresses)) => {
            let addresses: Vec<_> = addresses.collect();
            if addresses.is_empty() { Err("it has no address".to_owned()) } else { Ok(addresses) }
        }
    }
}

/// Connects to the first address that takes us, within one step's time for all.
async fn connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), String> {
    let mut words = "it has no address".to_owned();
    let tries = async {
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Some((stream, *address)),
                Err(error) => {
                    words = match error.kind() {
                        std::io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
                        std::io::ErrorKind::NetworkUnreachable | std::io::ErrorKind::HostUnreachable => {
                            "there is no way to that network".to_owned()
                        }
                        _ => error.to_string(),
                    }
                }
            }
        }
        None
    };
    match timeout(STEP, tries).await {
        Ok(Some(connected)) => Ok(connected),
        Ok(None) => Err(words),
        Err(_) => Err("there is no answer".to_owned()),
    }
}

/// Asks a proxy for a connection; answers its status.
async fn tunnel(
    mut stream: TcpStream,
    (host, port): &(String, u16),
    credential: Option<&UserPassword>,
) -> Result<u16, String> {
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some(UserPassword { user, password }) = credential {
        let basic = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
        request.push_str(&format!("Proxy-Authorization: Basic {basic}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|_| "it closed the connection".to_owned())?;
    let mut head = Vec::new();
    while !head.contains(&b'\n') && head.len() < 1024 {
        match stream.read_buf(&mut head).await {
            Ok(0) => return Err("it closed the connection".to_owned()),
            Ok(_) => {}
            Err(_) => return Err("the connection broke off".to_owned()),
        }
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.split_ascii_whitespace();
    match (words.next(), words.next().and_then(|code| code.parse().ok())) {
        (Some(protocol), Some(code)) if protocol.starts_with("HTTP/1") => Ok(code),
        _ => Err("it does not speak HTTP".to_owned()),
    }
}

/// With a capital letter and a full stop.
fn sentence(words: &str) -> String {
    let words = words.trim().trim_end_matches('.');
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[cfg(test)]
mod tests;
