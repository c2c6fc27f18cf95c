//! Who may call, and how often.

use reqwest::header::{HOST, ORIGIN, RETRY_AFTER};

use super::*;

/// The status of the answer to `GET /v1/status`, over TCP.
async fn over_tcp(address: &str, token: &str, headers: &[(reqwest::header::HeaderName, &str)]) -> u16 {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.get(format!("http://{address}/v1/status")).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn without_the_token_nobody_is_answered() {
    let bench = Bench::start().await;
    let wrong = "0".repeat(64);
    for (path, token) in [("/v1/status", None), ("/v1/status", Some(wrong.as_str())), ("/v1/none", Some("x"))]
    {
        let answer = bench.ask(Method::GET, path, token).await;
        assert_eq!(answer.status(), 401, "{token:?}");
        assert_eq!(answer.headers()["www-authenticate"], "Bearer");
        let words = answer.text().await.unwrap();
        assert!(words.contains("token") && !words.contains(&bench.token()), "{words}");
    }
    assert_eq!(bench.ask(Method::GET, "/v1/status", Some(&bench.token())).await.status(), 200);
}

#[tokio::test]
async fn socket_and_token_are_the_agent_s_alone_until_the_configuration_names_others() {
    let bench = Bench::start().await;
    let (socket, token) = (bench.client.socket().to_owned(), Token::file(bench.client.socket()));
    assert_eq!((bench.mode(&socket), bench.mode(&token)), (0o600, 0o600));
    bench.control(|control| control.allow_users = vec!["nobody".to_owned()]).await;
    while (bench.mode(&socket), bench.mode(&token)) != (0o660, 0o640) {
        tokio::task::yield_now().await;
    }
    bench.control(|control| control.allow_users.clear()).await;
    while (bench.mode(&socket), bench.mode(&token)) != (0o600, 0o600) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_address_on_this_machine_is_switched_on_and_off_and_takes_no_web_pages() {
    let bench = Bench::start().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    bench.control(|control| control.listen = Some(address)).await;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
    let (token, address) = (bench.token(), address.to_string());
    assert_eq!(over_tcp(&address, &token, &[]).await, 200);
    assert_eq!(over_tcp(&address, &token, &[(HOST, "localhost")]).await, 200);
    assert_eq!(over_tcp(&address, "wrong", &[]).await, 401);
    assert_eq!(over_tcp(&address, &token, &[(HOST, "evil.example")]).await, 421);
    assert_eq!(over_tcp(&address, &token, &[(ORIGIN, "http://evil.example")]).await, 403);
    assert_eq!(over_tcp(&address, &token, &[(ORIGIN, "http://localhost")]).await, 403);
    bench.control(|control| control.listen = None).await;
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_a_trouble_and_one_of_the_network_is_refused() {
    let bench = Bench::start().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bench.control(|control| control.listen = Some(taken.local_addr().unwrap())).await;
    while bench.agent.troubles().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(bench.agent.troubles()[0].contains("cannot be served"), "{:?}", bench.agent.troubles());
    let network = bench.agent.change(|config| {
        config.control.listen = Some("0.0.0.0:8765".parse().unwrap());
        Ok(())
    });
    let words = network.await.unwrap_err().to_string();
    assert!(words.contains("is not on this machine alone"), "{words}");
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back_and_our_client_does() {
    let bench = Bench::start().await;
    bench.control(|control| control.requests_per_minute = 60).await;
    let token = bench.token();
    let mut answers = 0;
    let refused = loop {
        let answer = bench.ask(Method::GET, "/v1/station", Some(&token)).await;
        if answer.status() != 200 {
            break answer;
        }
        answers += 1;
    };
    assert!(answers >= 60, "{answers}");
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()[RETRY_AFTER], "1");
    assert!(refused.text().await.unwrap().contains("too many requests"));
    bench.client.station().await.unwrap();
}

#[tokio::test]
async fn what_the_path_holds_is_refused_in_words_when_it_makes_no_sense() {
    let bench = Bench::start().await;
    for path in
        ["/v1/files/seven", "/v1/reports/seven", "/v1/reports?state=lost", "/v1/ledger", "/v1/files?more=1"]
    {
        let answer = bench.ask(Method::GET, path, Some(&bench.token())).await;
        assert_eq!(answer.status(), 400, "{path}");
        let problem: crate::control::api::Problem = answer.json().await.unwrap();
        assert!(!problem.message.is_empty(), "{path}");
    }
}
