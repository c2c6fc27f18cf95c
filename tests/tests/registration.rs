//! The machine as a client of the server: where the server has that, and quietly not where it has not.
//!
//! The simulated server answers while the test waits for a program, so it needs a thread of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::time::Duration;

use wats_agent::control::api::{
    Credential, HealthLevel, RegisterWish, Registration, RegistrationState, ServerChange,
};
use wats_tests::sim::{Behaviour, Fault, FaultKind, POWERLESS_TOKEN, Registered, TOKEN};
use wats_tests::station::Station;

const SOON: Duration = Duration::from_secs(30);

/// A station whose server has clients, if it is `new`.
async fn station(new: bool, token: &str, config: &str) -> Station {
    let station = Station::start_without_server(&[("line", "wats-text")], config).await.unwrap();
    station.sim.set_behaviour(Behaviour { registration: new, ..Behaviour::default() });
    let change = ServerChange {
        url: station.sim.base_url(),
        proxy: None,
        extra_ca: None,
        credential: Some(Credential::Token(token.to_owned().into())),
        proxy_credential: None,
    };
    station.control().unwrap().change_server(&change).await.unwrap();
    station
}

async fn reaches(station: &Station, state: RegistrationState) -> Registration {
    let control = station.control().unwrap();
    station
        .until("the registration", SOON, async || control.registration().await.unwrap().state == state)
        .await
        .unwrap();
    control.registration().await.unwrap()
}

fn only_client(station: &Station) -> Registered {
    let mut clients = station.sim.clients();
    assert_eq!(clients.len(), 1, "{clients:?}");
    clients.remove(0)
}

async fn updates(station: &Station, count: usize) {
    let has = async || station.sim.clients().first().is_some_and(|it| it.updates.len() >= count);
    station.until("the update", SOON, has).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_registers_says_how_it_fares_and_says_goodbye() {
    let mut station = station(true, TOKEN, "").await;
    station.drop_file("line", "bad.txt", b"no report").unwrap();
    let shown = reaches(&station, RegistrationState::Registered).await;
    updates(&station, 1).await;
    let older = async || station.sim.clients().first().is_some_and(|it| !it.older_updates.is_empty());
    station.until("the update in the older form", SOON, older).await.unwrap();
    let client = only_client(&station);
    assert!(client.id.ends_with("-TEST"), "{client:?}");
    assert!(client.older_updates[0].contains("<converter name=\"line\""), "{:?}", client.older_updates);
    assert_eq!(shown.client_id.as_ref(), Some(&client.id));
    assert_eq!(
        (client.name.as_str(), client.location.as_str(), client.purpose.as_str()),
        ("ST1", "Lab", "Production")
    );
    let update = &client.updates[0];
    assert_eq!(
        (&update["status"], &update["name"], &update["pendingTotal"]),
        (&"Online".into(), &"ST1".into(), &0.into())
    );
    assert!(update["version"].as_str().unwrap().chars().all(|c| c.is_ascii_digit() || c == '.'));
    assert_eq!(update["computer"]["disks"][0]["systemDrive"], true);
    assert!(update["computer"]["totalPhysicalMemory"].as_str().unwrap().parse::<u64>().unwrap() > 1 << 20);
    assert_eq!(
        (&update["converters"][0]["name"], &update["converters"][0]["class"]),
        (&"line".into(), &"wats-text".into())
    );
    assert!(station.agent_command(&["status"]).unwrap().1.contains(&format!("client   as {}", client.id)));

    // A report goes on being sent with the token of the person.
    let report = b"--Header-Start--\nSerialNumber\tS-1\nPartNumber\tP\nUUTStatus\tPassed\nStartDateTime\t2026-01-02T03:04:05\n\
        --Step-Data-Start--\nActionStep\tA\n--Step-Data-End--\n--UUT-End--\n";
    station.drop_file("line", "a.txt", report).unwrap();
    let control = station.control().unwrap();
    station.until("sent", SOON, async || control.status().await.unwrap().queue.sent == 1).await.unwrap();

    // Paused: told at once, with the true state and totals.
    control.pause_source("line").await.unwrap();
    let last = || only_client(&station).updates.pop().unwrap()["converters"][0].clone();
    station.until("the pause is told", SOON, async || last()["state"] == "Disabled").await.unwrap();
    let paused = last();
    assert_eq!(
        (&paused["state"], &paused["total"], &paused["error"]),
        (&"Disabled".into(), &"1".into(), &"1".into())
    );

    let took = station.stop_agent().unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
    let client = only_client(&station);
    assert!(client.gone, "it said goodbye: {client:?}");
    assert_eq!(client.updates.last().unwrap()["status"], "Offline");

    // It is known again after a start, with the passcode that it kept.
    station.run_agent().await.unwrap();
    reaches(&station, RegistrationState::Registered).await;
    station.until("back", SOON, async || !only_client(&station).gone).await.unwrap();
    assert_eq!(only_client(&station).registrations, 1);
    let secrets = std::fs::read_dir(station.socket().parent().unwrap().join("storage")).unwrap();
    assert!(secrets.count() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_clients_is_asked_once_and_nobody_hears_of_it() {
    let station = station(false, TOKEN, "").await;
    let shown = reaches(&station, RegistrationState::Unsupported).await;
    assert_eq!(shown.trouble, None);
    let status = station.control().unwrap().status().await.unwrap();
    assert_eq!(
        (status.health.level, status.health.reasons.len()),
        (HealthLevel::Ok, 0),
        "{:?}",
        status.health
    );
    assert!(station.sim.clients().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_the_right_is_said_in_status_and_another_token_registers() {
    let station = station(true, POWERLESS_TOKEN, "").await;
    let shown = reaches(&station, RegistrationState::Denied).await;
    assert!(shown.trouble.unwrap().contains("CS_RegisterClient"));
    assert!(station.agent_command(&["status"]).unwrap().1.contains("CS_RegisterClient"));
    assert!(station.sim.clients().is_empty());

    let wish = RegisterWish { token: Some(TOKEN.to_owned().into()) };
    station.control().unwrap().register(&wish).await.unwrap();
    updates(&station, 1).await;
    let shown = reaches(&station, RegistrationState::Registered).await;
    assert_eq!(shown.trouble, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passcode_that_became_worthless_is_renewed() {
    let station = station(true, TOKEN, "").await;
    updates(&station, 1).await;
    station.sim.forget_passcodes();
    let control = station.control().unwrap();
    // A change of the station is told at once.
    let mut place = control.station().await.unwrap();
    place.location = "Hall 2".to_owned();
    control.change_station(&place).await.unwrap();
    updates(&station, 2).await;
    let client = only_client(&station);
    assert_eq!((client.registrations, client.location.as_str()), (2, "Hall 2"));
    reaches(&station, RegistrationState::Registered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_switches_it_off_and_on_again() {
    let station = station(true, TOKEN, "[server]\nregister = false\n").await;
    reaches(&station, RegistrationState::Off).await;
    assert!(station.sim.clients().is_empty());
    let (code, said) = station.agent_command(&["register"]).unwrap();
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("client   as "), "{said}");
    updates(&station, 1).await;

    let (code, said) = station.agent_command(&["unregister"]).unwrap();
    assert_eq!(code, 0, "{said}");
    reaches(&station, RegistrationState::Off).await;
    let client = only_client(&station);
    assert_eq!((client.gone, client.registrations), (true, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_delays_nothing_and_its_end_is_in_time() {
    let mut station = station(true, TOKEN, "").await;
    updates(&station, 1).await;
    let slow = |route: &str| Fault {
        route: route.to_owned(),
        skip: 0,
        times: None,
        kind: FaultKind::Latency { milliseconds: 60_000 },
    };
    station.sim.set_faults(vec![slow("client"), slow("internal")]);
    let took = station.stop_agent().unwrap();
    assert!(took < Duration::from_secs(10), "{took:?}");
}
