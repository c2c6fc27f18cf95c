//! The client against small servers on the loopback address.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::any;
use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;
use wats::client::{Client, ClientSettings, ProxyCredential, SubmitError, Token, Verdict};

const ID: Uuid = Uuid::from_u128(7);

/// One request as a server saw it.
#[derive(Debug, Clone)]
struct Seen {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// A server that answers every request alike and remembers what came.
struct Peer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Peer {
    async fn that_answers(answer: impl Fn() -> Response + Clone + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let log = seen.clone();
        let handler = async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            log.lock().unwrap().push(Seen {
                method: head.method,
                uri: head.uri,
                headers: head.headers,
                body,
            });
            answer()
        };
        let router = Router::new().fallback(any(handler)).layer(DefaultBodyLimit::disable());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, seen }
    }

    fn client(&self) -> Client {
        Client::new(settings(&format!("http://{}", self.address))).unwrap()
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn settings(url: &str) -> ClientSettings {
    let token = Token::from_user("station", &SecretString::from("secret")).unwrap();
    let short = Duration::from_millis(300);
    ClientSettings::new(url, token, "wats-test/1.0").unwrap().with_timeouts(short, short)
}

/// A server below HTTP: reads the head of one request, writes `answer`, and closes.
async fn raw_peer(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _read = stream.read(&mut head).await.unwrap();
            stream.write_all(answer).await.unwrap();
        }
    });
    address
}

async fn submit(client: &Client) -> Result<Option<Uuid>, SubmitError> {
    client.submit_wsjf(ID, b"{}".to_vec()).await.map(|accepted| accepted.id)
}

fn acknowledgement() -> Response {
    axum::Json(serde_json::json!({ "ID": ID, "uuid": ID, "Report_ID": 1 })).into_response()
}

#[tokio::test]
async fn a_report_is_posted_with_its_credential_type_and_length() {
    let peer = Peer::that_answers(acknowledgement).await;
    let client = peer.client();
    assert_eq!(client.submit_wsjf(ID, b"{\"a\":1}".to_vec()).await.unwrap().id, Some(ID));
    assert_eq!(client.submit_wsxf(ID, b"<Reports/>".to_vec()).await.unwrap().id, Some(ID));
    let seen = peer.seen();
    let [json, xml] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((json.method.as_str(), json.uri.path()), ("POST", "/api/Report/WSJF"));
    assert_eq!(xml.uri.path(), "/api/Report/WSXF");
    assert_eq!((json.body.as_ref(), xml.body.as_ref()), (b"{\"a\":1}".as_ref(), b"<Reports/>".as_ref()));
    assert_eq!(json.header("authorization"), "Basic c3RhdGlvbjpzZWNyZXQ=");
    assert_eq!(json.header("accept"), "application/json");
    assert_eq!(
        (json.header("content-type"), xml.header("content-type")),
        ("application/json", "application/xml")
    );
    assert_eq!(json.header("content-length"), "7");
    assert_eq!(json.header("user-agent"), "wats-test/1.0");
}

#[tokio::test]
async fn the_path_of_the_address_is_kept() {
    let peer = Peer::that_answers(|| "\"2026.1.5.324\"".into_response()).await;
    let client = Client::new(settings(&format!("http://{}/wats/api/", peer.address))).unwrap();
    assert_eq!(client.version().await.unwrap(), "2026.1.5.324");
    assert_eq!(peer.seen()[0].uri.path(), "/wats/api/App/Version");
}

#[tokio::test]
async fn processes_are_read_and_a_page_in_their_place_is_refused() {
    let list = r#"[{"code":10,"name":"SW Debug","isTestOperation":true,"isRepairOperation":false,"state":1},
                   {"code":500,"name":null,"isRepairOperation":true}]"#;
    let peer = Peer::that_answers(move || list.into_response()).await;
    let found = peer.client().processes().await.unwrap();
    let shown: Vec<_> = found.iter().map(|p| (p.code, p.is_test_operation, p.is_repair_operation)).collect();
    assert_eq!(shown, [(10, true, false), (500, false, true)]);
    let page = Peer::that_answers(|| axum::response::Html("<h1>Sign in</h1>").into_response()).await;
    assert!(matches!(page.client().processes().await, Err(SubmitError::NotWats { .. })));
}

#[tokio::test]
async fn a_page_or_a_redirect_acknowledges_nothing_even_where_its_end_would() {
    let page = Peer::that_answers(|| axum::response::Html(format!("\"{ID}\"")).into_response()).await;
    let good = Peer::that_answers(acknowledgement).await;
    let target = format!("http://{}/api/Report/WSJF", good.address);
    let redirect = Peer::that_answers(move || Redirect::temporary(&target).into_response()).await;
    for peer in [page, redirect] {
        let error = submit(&peer.client()).await.unwrap_err();
        assert!(matches!(error, SubmitError::NotWats { .. }), "{error}");
    }
    assert!(good.seen().is_empty(), "the redirect was followed");
}

#[tokio::test]
async fn an_endless_answer_is_not_read() {
    let peer = Peer::that_answers(|| {
        let piece = Bytes::from(vec![b' '; 1 << 20]);
        let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        Response::new(Body::from_stream(endless))
    })
    .await;
    let error = submit(&peer.client()).await.unwrap_err();
    assert!(matches!(error, SubmitError::NotWats { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_never_ends_or_never_comes_runs_out_of_time() {
    let silent = Peer::that_answers(|| {
        Response::new(Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>()))
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let deaf = Client::new(settings(&format!("http://{}", listener.local_addr().unwrap()))).unwrap();
    for client in [silent.client(), deaf] {
        let began = Instant::now();
        let error = submit(&client).await.unwrap_err();
        assert!(matches!(error, SubmitError::TimedOut), "{error}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_large_report_has_time_to_be_sent() {
    // The server takes longer than the time for a small report, and less than that for this one.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let size = 200_000;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let began = Instant::now();
        let (mut read, mut buffer) = (0, vec![0; 1 << 16]);
        while read < size {
            read += stream.read(&mut buffer).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(600).saturating_sub(began.elapsed())).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    });
    let client = Client::new(settings(&format!("http://{address}"))).unwrap();
    assert_eq!(client.submit_wsjf(ID, vec![b' '; size]).await.unwrap().id, None);
}

#[tokio::test]
async fn no_server_and_a_broken_connection_are_told_apart() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = submit(&Client::new(settings(&format!("http://{gone}"))).unwrap()).await.unwrap_err();
    assert!(matches!(error, SubmitError::Unreachable(_)), "{error:?}");
    for cut in [b"".as_slice(), b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"ID"] {
        let address = raw_peer(cut).await;
        let error = submit(&Client::new(settings(&format!("http://{address}"))).unwrap()).await.unwrap_err();
        assert!(matches!(error, SubmitError::Interrupted(_)), "{error:?}");
        assert_eq!(error.verdict(), Verdict::Retry { retry_after: None });
    }
}

#[tokio::test]
async fn what_the_web_server_finds_too_large_is_the_reports_fault_and_not_the_addresss() {
    let peer = Peer::that_answers(|| StatusCode::NOT_FOUND.into_response()).await;
    assert_eq!(submit(&peer.client()).await.unwrap_err().verdict(), Verdict::Hold);
    let error = peer.client().submit_wsjf(ID, vec![b' '; 30_000_001]).await.unwrap_err();
    assert_eq!(error.verdict(), Verdict::Reject, "{error}");
}

#[tokio::test]
async fn requests_go_through_the_proxy_with_its_credential() {
    let proxy = Peer::that_answers(acknowledgement).await;
    let credential = ProxyCredential { user: "me".to_owned(), password: "hidden".into() };
    let settings = settings("http://wats.invalid")
        .with_proxy(&format!("http://{}", proxy.address), Some(credential))
        .unwrap();
    assert_eq!(submit(&Client::new(settings).unwrap()).await.unwrap(), Some(ID));
    let seen = proxy.seen();
    assert_eq!(seen[0].uri.to_string(), "http://wats.invalid/api/Report/WSJF");
    assert_eq!(seen[0].header("proxy-authorization"), "Basic bWU6aGlkZGVu");
}

#[tokio::test]
async fn a_proxy_that_refuses_us_holds_the_queue_for_both_schemes() {
    let address = raw_peer(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    for server in ["http://wats.invalid", "https://wats.invalid"] {
        let settings = settings(server).with_proxy(&format!("http://{address}"), None).unwrap();
        let error = submit(&Client::new(settings).unwrap()).await.unwrap_err();
        assert!(matches!(error, SubmitError::ProxyRefused), "{server}: {error:?}");
        assert_eq!(error.verdict(), Verdict::Hold);
    }
}

#[test]
fn certificates_that_are_none_are_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
    for pem in ["", "hello", broken] {
        assert!(Client::new(settings("https://server").with_extra_ca(pem)).is_err(), "{pem}");
    }
}
