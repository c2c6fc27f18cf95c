use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, DATE};
use axum::response::{IntoResponse, Response};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const SECRET: &str = "hunter2-very-secret";

fn target(url: impl Into<String>) -> Target {
    Target {
        url: url.into(),
        proxy: None,
        proxy_credential: None,
        proxy_bypass: Vec::new(),
        extra_ca: None,
        token: Some(Token::from_user("me", &SecretString::from(SECRET)).unwrap()),
    }
}

/// The outcome as lines: step, outcome, message. Every failure and warning must have an advice.
async fn lines(target: &Target) -> String {
    let test = run(target).await;
    let shown = format!("{test:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("bWU6"), "the secret is in {shown}");
    let mut text = String::new();
    for check in test.checks {
        assert_eq!(check.advice.is_some(), check.outcome != Outcome::Ok, "{check:?}");
        text += &format!("{:?} {:?}: {}\n", check.step, check.outcome, check.message);
    }
    text
}

async fn last(target: &Target) -> String {
    lines(target).await.lines().last().unwrap_or_default().to_owned()
}

/// A server that answers each path with a status and a body, over plain HTTP; answers its address.
async fn server(answers: &[(&'static str, u16, &'static str)], date: Option<&'static str>) -> String {
    let answers: BTreeMap<_, _> = answers.iter().map(|(path, code, body)| (*path, (*code, *body))).collect();
    let app = Router::new().fallback(move |request: Request| {
        let (code, body) = answers.get(request.uri().path()).copied().unwrap_or((404, "\"?\""));
        let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
        let mut response: Response =
            (StatusCode::from_u16(code).unwrap(), [(CONTENT_TYPE, kind)], body).into_response();
        if let Some(date) = date {
            response.headers_mut().insert(DATE, date.parse().unwrap());
        }
        async move { response }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

const VERSION: (&str, u16, &str) = ("/api/App/Version", 200, "\"2026.1.5.324\"");

#[tokio::test]
async fn a_good_server_passes_every_step() {
    let url = server(&[VERSION, ("/api/App/Processes", 200, "[{\"code\":10},{\"code\":50}]")], None).await;
    let text = lines(&target(format!("{url}/api/"))).await;
    let steps: Vec<_> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(
        steps,
        ["Address Warning", "Dns Ok", "Tcp Ok", "Clock Ok", "Version Ok", "Credential Ok", "Rights Ok"],
        "{text}"
    );
    assert!(text.contains("may read the 2 processes"), "{text}");
    // A proxy that is dead, but not for this server.
    for bypass in ["127.0.0.1", "127.0.0.0/8"] {
        let (proxy, proxy_bypass) =
            (Some("http://127.0.0.1:1".to_owned()), vec!["x".to_owned(), bypass.to_owned()]);
        let text = lines(&Target { proxy, proxy_bypass, ..target(&url) }).await;
        assert!(text.contains("may read the 2 processes") && !text.contains("Proxy"), "{bypass}: {text}");
    }
}

#[tokio::test]
async fn the_address_the_port_and_the_credential_are_named_when_missing() {
    for wrong in ["", "wats.example", "ftp://wats.example", "https://"] {
        assert_eq!(last(&target(wrong)).await, "Address Failed: This is no web address.", "{wrong}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let text = last(&target(format!("https://{address}"))).await;
    assert!(text.starts_with("Tcp Failed") && text.contains("nothing listens there"), "{text}");
    let url = server(&[VERSION], None).await;
    let text = last(&Target { token: None, ..target(url) }).await;
    assert_eq!(text, "Credential Failed: No token and no user name with password is set.");
}

#[tokio::test]
async fn what_the_server_says_ends_up_under_its_step() {
    let processes = "/api/App/Processes";
    for (answers, expected) in [
        (vec![VERSION, (processes, 401, "")], "Credential Failed: The server does not accept the credential"),
        (vec![(VERSION.0, 401, "")], "Credential Failed: The server does not accept the credential"),
        (vec![VERSION, (processes, 403, "\"no\"")], "Rights Failed: The credential lacks a right (403): No."),
        (vec![], "Version Failed: There is no WATS server at this address (status 404)."),
        (
            vec![(VERSION.0, 200, "<html>Sign in</html>")],
            "Version Failed: Something answers, but it is not WATS",
        ),
        (vec![(VERSION.0, 302, "")], "Version Failed: Something answers, but it is not WATS"),
        (vec![(VERSION.0, 503, "")], "Version Failed: The server has trouble (status 503)"),
        (vec![("/", 407, "")], "Proxy Failed: The proxy asks for a user name and password (407)."),
    ] {
        let url = server(&answers, None).await;
        let text = last(&target(url)).await;
        assert!(text.starts_with(expected), "{answers:?}: {text}");
    }
}

#[tokio::test]
async fn an_old_server_and_a_wrong_clock_are_warnings() {
    let answers = [("/api/App/Version", 200, "\"2025.3.9.823\""), ("/api/App/Processes", 200, "[]")];
    let url = server(&answers, Some("Tue, 01 Jan 2019 10:00:00 GMT")).await;
    let text = lines(&target(url)).await;
    assert!(text.contains("Clock Warning: This machine's clock is "), "{text}");
    assert!(text.contains("days ahead of the server's"), "{text}");
    assert!(text.contains("Version Warning: The server is WATS 2025.3.9.823, older than"), "{text}");
    assert!(text.ends_with("Rights Ok: The credential may read the 0 processes of the server.\n"), "{text}");
}

/// A proxy that answers every CONNECT with one line; answers its address.
async fn proxy(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|n| n > 0) {}
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn a_proxy_is_told_from_the_server() {
    let credential = || UserPassword { user: "p".into(), password: SecretString::from(SECRET) };
    let through = |proxy: String| Target { proxy: Some(proxy), ..target("https://wats.example") };
    for (answer, expected) in [
        ("HTTP/1.1 407 Auth\r\n\r\n", "Proxy Failed: The proxy asks for a user name and password (407)."),
        (
            "HTTP/1.1 403 No\r\n\r\n",
            "Proxy Failed: The proxy does not allow connections to this server (403).",
        ),
        ("HTTP/1.1 502 Bad\r\n\r\n", "Proxy Failed: The proxy cannot reach the server (status 502)."),
        ("SSH-2.0-OpenSSH\r\n", "Proxy Failed: What answers on 127.0.0.1"),
    ] {
        let text = last(&through(proxy(answer).await)).await;
        assert!(text.starts_with(expected), "{answer}: {text}");
    }
    let given =
        Target { proxy_credential: Some(credential()), ..through(proxy("HTTP/1.1 407 Auth\r\n\r\n").await) };
    assert!(last(&given).await.contains("does not accept the user name and password"));
    let text = last(&through("nonsense".into())).await;
    assert!(text.starts_with("Proxy Failed"), "{text}");
    let text = last(&through("http://127.0.0.1:1".into())).await;
    assert!(text.starts_with("Proxy Failed: The proxy 127.0.0.1:1 cannot be reached"), "{text}");
}

/// A TLS server for `name` whose certificate ends in `year`; answers its address and its root.
async fn tls_server(name: &str, year: i32) -> (String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|n| n > 0) {}
            let answer = "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_err() {
                return;
            }
        }
    });
    (url, authority.pem())
}

#[tokio::test]
async fn each_kind_of_bad_certificate_has_its_words() {
    let (url, root) = tls_server("localhost", 2090).await;
    let text = last(&target(&url)).await;
    assert!(text.starts_with("Tls Failed: The server's certificate is signed by someone"), "{text}");
    let text = lines(&Target { extra_ca: Some(root.clone()), ..target(&url) }).await;
    assert!(text.contains("Tls Ok: "), "{text}");
    assert!(text.contains("Version Failed: There is no WATS server"), "{text}");

    let (url, root) = tls_server("localhost", 2021).await;
    let text = last(&Target { extra_ca: Some(root), ..target(&url) }).await;
    assert_eq!(text, "Tls Failed: The server's certificate has expired.");

    let (url, root) = tls_server("other.example", 2090).await;
    let text = last(&Target { extra_ca: Some(root), ..target(&url) }).await;
    assert_eq!(text, "Tls Failed: The server's certificate is for another name than localhost.");

    let plain = server(&[], None).await.replace("http://", "https://");
    let text = last(&target(&plain)).await;
    assert_eq!(text, "Tls Failed: What answers there does not speak TLS, the encryption of https://.");

    let text = last(&Target { extra_ca: Some("nonsense".into()), ..target(&url) }).await;
    assert!(text.starts_with("Tls Failed: The extra certificates hold none"), "{text}");
}
