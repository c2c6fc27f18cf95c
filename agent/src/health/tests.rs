use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;

use super::*;
use crate::config::Settings;
use crate::secret::{KeySource, SealedStore, Secrets};
use crate::store::Store;

async fn agent(folder: &tempfile::TempDir, listen: SocketAddr) -> Agent {
    let path = folder.path();
    let text = format!(
        "version = 1\n[health]\nlisten = \"{listen}\"\n[storage]\nfolder = \"{}/state\"\n",
        path.display()
    );
    crate::files::replace_file(&path.join("default.toml"), 0o640, text.as_bytes()).unwrap();
    std::fs::create_dir(path.join("state")).unwrap();
    let settings = Settings::load(&path.join("default.toml")).unwrap();
    let store = Store::open(&settings.database()).await.unwrap();
    let secrets = Secrets::new(SealedStore::new(path.join("secrets"), KeySource::Nowhere));
    Agent::new(settings, store, secrets, Timestamp::now())
}

async fn ask(agent: &Agent, vitals: &Vitals, path: &str) -> (u16, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(Watched::new(agent, vitals.clone())).oneshot(request).await.unwrap();
    let code = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (code, serde_json::from_slice(&body).unwrap())
}

fn anywhere() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

#[tokio::test]
async fn a_fresh_agent_is_alive_ready_and_tells_what_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, vitals) = (agent(&folder, anywhere()).await, Vitals::default());
    let _pulse = vitals.watch("intake", Duration::from_secs(60));
    assert_eq!(ask(&agent, &vitals, "/health/live").await, (200, json!({"status": "alive"})));
    assert_eq!(ask(&agent, &vitals, "/health/ready").await, (200, json!({"status": "ready"})));
    let station =
        "the station has no location and no purpose: a file that does not say it either cannot be converted";
    let attention = json!({"status": "ok", "attention": ["no WATS server is set up", station]});
    assert_eq!(ask(&agent, &vitals, "/health").await, (200, attention.clone()));
    assert_eq!(ask(&agent, &vitals, "/").await, (200, attention));
    assert_eq!(ask(&agent, &vitals, "/other").await.0, 404);
    let (code, details) = ask(&agent, &vitals, "/health/details").await;
    assert_eq!((code, &details["healthy"]), (200, &json!(true)), "{details}");
    for part in ["server", "queue", "intake", "disk", "live", "ready", "uptime_seconds"] {
        assert!(!details[part].is_null(), "{part} in {details}");
    }
    assert!(details["queue"]["oldest_pending_seconds"].is_null());
}

#[tokio::test]
async fn a_loop_that_hangs_is_not_alive() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, vitals) = (agent(&folder, anywhere()).await, Vitals::default());
    let _pulse = vitals.watch("intake", Duration::ZERO);
    for path in ["/health/live", "/health/ready", "/health", "/health/details"] {
        let (code, body) = ask(&agent, &vitals, path).await;
        assert_eq!(code, 503, "{path}");
        let reasons = body["reasons"].to_string();
        assert!(reasons.contains("the intake loop has not turned"), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_part_that_failed_or_a_closed_store_is_not_ready_but_alive() {
    let folder = tempfile::tempdir().unwrap();
    let (agent, vitals) = (agent(&folder, anywhere()).await, Vitals::default());
    agent.set_trouble("intake", Some("the intake crashed".to_owned()));
    assert_eq!(ask(&agent, &vitals, "/health/live").await.0, 200);
    let (code, body) = ask(&agent, &vitals, "/health/ready").await;
    assert_eq!((code, &body["reason"]), (503, &json!("the intake crashed")));
    agent.set_trouble("intake", None);
    assert_eq!(ask(&agent, &vitals, "/health/ready").await.0, 200);
    agent.store().close().await;
    for path in ["/health/ready", "/health", "/health/details"] {
        assert_eq!(ask(&agent, &vitals, path).await.0, 503, "{path}");
    }
    assert_eq!(ask(&agent, &vitals, "/health/live").await.0, 200);
}

#[tokio::test]
async fn a_port_that_is_taken_is_a_trouble_and_not_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let agent = agent(&folder, other.local_addr().unwrap()).await;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(agent.clone(), Vitals::default(), stop.clone()));
    while agent.troubles().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(agent.troubles()[0].contains("is taken by another program"), "{:?}", agent.troubles());
    stop.cancel();
    serving.await.unwrap();
}
