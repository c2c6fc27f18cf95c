//! The configuration of an agent that runs: broken while files come in, and mended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use serde_json::Value;
use wats_agent::control::api::HealthLevel;
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(30);

fn report(serial: &str) -> Vec<u8> {
    format!(
        "--Header-Start--\nSerialNumber\t{serial}\nPartNumber\tPCB-1\nRevision\tA\nUUTStatus\tPassed\n\
         StartDateTime\t2026-01-02T03:04:05\n--Step-Data-Start--\n--Step-Data-End--\n--UUT-End--\n"
    )
    .into_bytes()
}

async fn health(station: &Station) -> Value {
    let answer = reqwest::get(format!("{}/health", station.health_url())).await.unwrap();
    assert_eq!(answer.status(), 200, "a wrong file is no failure");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn weakness_19_a_configuration_that_breaks_while_the_agent_runs_stops_nothing_and_is_taken_when_mended()
{
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let control = station.control().unwrap();
    let path = station.source("test.toml");
    let right = std::fs::read_to_string(&path).unwrap();
    let second = station.source("second");
    std::fs::create_dir(&second).unwrap();
    // A second source, with a slip.
    let broken =
        format!("{right}\n[[sources]]\nname = \"second\"\nconvertor = \"wats-text\"\nfolder = {second:?}\n");
    let line = broken.lines().position(|line| line.starts_with("convertor")).unwrap() + 1;
    wats_agent::files::replace_file(&path, 0o640, broken.as_bytes()).unwrap();

    let problem = format!(
        "{}: line {line}: sources[1].convertor: unknown key; did you mean \"converter\"?",
        path.display()
    );
    station
        .until("health says so", SOON, async || {
            health(&station).await["attention"].to_string().contains(&problem.replace('"', "\\\""))
        })
        .await
        .unwrap();
    let status = control.status().await.unwrap();
    assert_eq!(status.health.level, HealthLevel::Attention, "{:?}", status.health);
    assert!(status.config.problems.iter().any(|it| it.starts_with(&problem)), "{:?}", status.config);
    // The old one is in force: its source works, the new one is not there.
    station.drop_file("line", "a.txt", &report("T-1")).unwrap();
    std::fs::File::create(second.join("b.txt"))
        .and_then(|mut file| std::io::Write::write_all(&mut file, &report("T-2")))
        .unwrap();
    let sent = |wanted: usize| {
        let station = &station;
        async move { station.sim.reports().len() == wanted }
    };
    station.until("the first source's report", SOON, async || sent(1).await).await.unwrap();
    assert_eq!(control.sources().await.unwrap().len(), 1);

    wats_agent::files::replace_file(&path, 0o640, broken.replace("convertor", "converter").as_bytes())
        .unwrap();
    station.until("the second source's report", SOON, async || sent(2).await).await.unwrap();
    station
        .until("health is well", SOON, async || health(&station).await.get("attention").is_none())
        .await
        .unwrap();
    let (code, said) = station.agent_command(&["config", "diff"]).unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("+name = \"second\""), "{said}");

    // And in the end it goes back, while the agent runs.
    let history = control.config_history().await.unwrap();
    let (code, said) =
        station.agent_command(&["config", "rollback", &history[1].number.to_string()]).unwrap();
    assert_eq!(code, 0, "{said}");
    assert_eq!(control.sources().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_address_of_the_health_endpoints_and_the_workers_change_while_the_agent_runs() {
    let station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let path = station.source("test.toml");
    let right = std::fs::read_to_string(&path).unwrap();
    // Held until the agent is told: nobody else gets the port.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (old, new) = (station.health_url(), format!("http://{}", taken.local_addr().unwrap()));
    let moved = right.replace(old.trim_start_matches("http://"), new.trim_start_matches("http://"))
        + "\n[convert]\nworkers = 5\ntime_limit_seconds = 77\n";
    drop(taken);
    wats_agent::files::replace_file(&path, 0o640, moved.as_bytes()).unwrap();
    let answers =
        async |url: &str| reqwest::get(format!("{url}/health/live")).await.is_ok_and(|it| it.status() == 200);
    station.until("the new address", SOON, async || answers(&new).await).await.unwrap();
    assert!(!answers(&old).await, "nobody listens at the old address");
    let state = station.control().unwrap().status().await.unwrap().config;
    assert!(state.problems.is_empty() && state.restart.is_empty(), "{state:?}");
    station.drop_file("line", "a.txt", &report("T-1")).unwrap();
    station.until("the report", SOON, async || station.sim.reports().len() == 1).await.unwrap();
}
