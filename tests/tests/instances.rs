//! Instances on one machine: who runs, and that nobody runs twice.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use serde_json::Value;
use wats_tests::station::Station;

#[tokio::test]
async fn weakness_25_an_instance_has_one_agent_and_a_killed_one_leaves_nothing_that_stops_the_next() {
    let mut station = Station::start(&[("line", "wats-text")]).await.unwrap();
    let listed = || {
        let (code, said) = station.agent_command(&["instances", "--json"]).unwrap();
        assert_eq!(code, 0, "{said}");
        let list: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(list.as_array().unwrap().len(), 1, "{said}");
        list[0].clone()
    };
    let running = listed();
    assert_eq!((&running["name"], &running["state"]), (&"test".into(), &"running".into()));
    assert_eq!(running["sources"], 1);
    let process = running["process"].as_u64().unwrap();

    let (code, said) = station.agent_command(&["run"]).unwrap();
    assert_eq!(code, 4, "{said}");
    assert!(said.contains(&format!("another agent, process {process}, runs in")), "{said}");

    station.kill_agent().unwrap();
    let (_, said) = station.agent_command(&["instances"]).unwrap();
    assert!(said.starts_with("test: does not run, sources: 1"), "{said}");
    station.run_agent().await.unwrap();
    let (_, said) = station.agent_command(&["instances"]).unwrap();
    assert!(said.starts_with("test: runs, process "), "{said}");
}
