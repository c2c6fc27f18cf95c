//! Listens, with TLS; redirects plain HTTP; speaks to systemd.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Args, Console, app};

/// A client that has not sent its request's head by then is let go.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// Requests in hand get so long to end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often the certificate's files are looked at.
const CERTIFICATE_CHECK: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When state, certificate or port cannot be used; the words name it.
pub async fn run(args: Args) -> anyhow::Result<()> {
    // A second call finds the first one's provider, which is the same.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let console = Console::open(&args.state_dir, &args.agent_socket, &args.system_socket).await?;
    let files = TlsFiles::below(&args.state_dir);
    let tls = files.load().await?;
    let secure = listen(args.listen, 443)?;
    let plain = listen(args.redirect_listen, 80)?;
    let secure_port = secure.local_addr().context("asking for the port")?.port();
    tracing::info!("serving https on {}, redirecting from {}", secure.local_addr()?, plain.local_addr()?);

    let stop = stop_at_signal()?;
    let mut parts = JoinSet::new();
    let handle = Handle::new();
    let mut server = axum_server::from_tcp_rustls(secure, tls.clone())?.handle(handle.clone());
    server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
    let service = app(console.clone()).into_make_service_with_connect_info::<SocketAddr>();
    parts.spawn(async move { server.serve(service).await.context("serving https") });

    let redirect_handle = Handle::new();
    let mut server = axum_server::from_tcp(plain)?.handle(redirect_handle.clone());
    server.http_builder().http1().header_read_timeout(HEAD_PATIENCE);
    let service = redirects(secure_port).into_make_service();
    parts.spawn(async move { server.serve(service).await.context("redirecting http") });

    let stopping = stop.clone();
    parts.spawn(async move {
        stopping.cancelled().await;
        notify(&[NotifyState::Stopping]);
        handle.graceful_shutdown(Some(FAREWELL));
        redirect_handle.graceful_shutdown(Some(FAREWELL));
        Ok(())
    });
    parts.spawn(reload_certificate(files, tls, stop.clone()));
    parts.spawn(signs_of_life(console.clone(), stop.clone()));
    notify(&[NotifyState::Ready]);

    while let Some(ended) = parts.join_next().await {
        // One part that fails takes the others with it: systemd starts us again.
        ended.context("a part of the console crashed")??;
        if !stop.is_cancelled() && parts.len() < 3 {
            anyhow::bail!("a part of the console ended by itself");
        }
    }
    console.state.close().await;
    Ok(())
}

/// Every address of the machine, or the one that was asked for.
fn listen(wanted: Option<SocketAddr>, port: u16) -> anyhow::Result<TcpListener> {
    let bind = |address: SocketAddr| {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok::<_, io::Error>(listener)
    };
    let failed = |address| move || format!("could not listen on {address}");
    match wanted {
        Some(address) => bind(address).with_context(failed(address)),
        // A machine without IPv6 has only the other.
        None => {
            let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
            let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            bind(v6).or_else(|_| bind(v4)).with_context(failed(v4))
        }
    }
}

/// Sends every plain request to the same host's HTTPS port.
fn redirects(port: u16) -> Router {
    Router::new().fallback(async move |request: Request| redirect(&request, port))
}

fn redirect(request: &Request, port: u16) -> Response {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(mut target) = url::Url::parse(&format!("https://{host}")) else {
        return (StatusCode::BAD_REQUEST, "Use https:// and the machine's name or address.\n")
            .into_response();
    };
    // What stands behind an `@` or a `/` in a Host header is not a host.
    let is_host = !host.is_empty() && !host.contains(['@', '/', '\\', '?', '#']);
    if !is_host || target.set_port(Some(port)).is_err() {
        return (StatusCode::BAD_REQUEST, "Use https:// and the machine's name or address.\n")
            .into_response();
    }
    target.set_path(request.uri().path());
    target.set_query(request.uri().query());
    Redirect::permanent(target.as_str()).into_response()
}

#[derive(Debug, Clone)]
struct TlsFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl TlsFiles {
    fn below(state_dir: &Path) -> Self {
        Self { certificate: state_dir.join("tls/cert.pem"), key: state_dir.join("tls/key.pem") }
    }

    async fn load(&self) -> anyhow::Result<RustlsConfig> {
        RustlsConfig::from_pem_file(&self.certificate, &self.key).await.with_context(|| {
            format!(
                "could not use the certificate {} with its key {}; 'wats-appliance provision' makes new ones",
                self.certificate.display(),
                self.key.display()
            )
        })
    }

    /// Changes when one of the files does.
    fn stamp(&self) -> (Option<SystemTime>, Option<SystemTime>) {
        let modified = |path: &Path| std::fs::metadata(path).and_then(|it| it.modified()).ok();
        (modified(&self.certificate), modified(&self.key))
    }
}

/// Takes a replaced certificate over without a restart. A damaged one is said in the log, and the old one
/// stays in use.
async fn reload_certificate(
    files: TlsFiles,
    tls: RustlsConfig,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut seen = files.stamp();
    while stop.run_until_cancelled(tokio::time::sleep(CERTIFICATE_CHECK)).await.is_some() {
        let now = files.stamp();
        if now == seen {
            continue;
        }
        seen = now;
        match tls.reload_from_pem_file(&files.certificate, &files.key).await {
            Ok(()) => tracing::info!("the certificate was replaced"),
            Err(error) => tracing::error!("the new certificate cannot be used, the old one stays: {error}"),
        }
    }
    Ok(())
}

/// Tells systemd that the console works, for as long as its database answers.
async fn signs_of_life(console: Console, stop: CancellationToken) -> anyhow::Result<()> {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        stop.cancelled().await;
        return Ok(());
    };
    while stop.run_until_cancelled(tokio::time::sleep(patience / 3)).await.is_some() {
        match console.state.is_claimed().await {
            Ok(_) => notify(&[NotifyState::Watchdog]),
            Err(error) => {
                tracing::error!("the database does not answer: {}", wats_agent::error_chain(&error))
            }
        }
    }
    Ok(())
}

fn stop_at_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        token.cancel();
    });
    Ok(stop)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "could not notify systemd");
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn check(host: &str, path: &str, expected: &str) {
        let request = Request::builder().uri(path).header(header::HOST, host).body(Body::empty()).unwrap();
        let response = redirect(&request, 8443);
        let to = response.headers().get(header::LOCATION).map_or("none", |it| it.to_str().unwrap());
        assert_eq!(to, expected, "{host}{path}");
    }

    #[test]
    fn plain_requests_are_sent_to_https_on_the_same_host() {
        check("wats-1", "/queue?state=sent", "https://wats-1:8443/queue?state=sent");
        check("192.0.2.7:80", "/", "https://192.0.2.7:8443/");
        check("[2001:db8::1]", "/", "https://[2001:db8::1]:8443/");
        check("", "/", "none");
        check("user@evil.example", "/", "none");
        check("evil.example/x", "/", "none");
    }
}
