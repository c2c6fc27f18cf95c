//! A system daemon that changes nothing: the same API on a Unix socket, for tests of the console and the demo.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use tokio::net::UnixListener;
use wats_appliance::system::api::{
    Host, HostNameChange, PackageUpdate, Power, PowerAction, Problem, TimeZoneChange, UpdateKind, UpdateRun,
    UpdateState, Updates,
};
use wats_appliance::system::host::HostName;

/// How long a simulated update takes.
const UPDATE: Duration = Duration::from_secs(6);

/// What the machine would be by now. Clones share it.
#[derive(Debug, Clone)]
pub struct SystemSim(Arc<Mutex<Machine>>);

#[derive(Debug)]
struct Machine {
    host_name: String,
    time_zone: String,
    available: Vec<PackageUpdate>,
    checked_at: Option<Timestamp>,
    run: Option<(UpdateKind, Timestamp, Instant)>,
    power: Vec<PowerAction>,
}

impl Default for SystemSim {
    fn default() -> Self {
        let update = |package: &str, installed: &str, candidate: &str, security| PackageUpdate {
            package: package.to_owned(),
            installed: Some(installed.to_owned()),
            candidate: candidate.to_owned(),
            security,
        };
        Self(Arc::new(Mutex::new(Machine {
            host_name: "wats-appliance".to_owned(),
            time_zone: "UTC".to_owned(),
            available: vec![
                update("openssl", "3.0.17-1~deb12u2", "3.0.17-1~deb12u3", true),
                update("tzdata", "2025a-0+deb12u1", "2025b-0+deb12u2", false),
                update("wats-agent", "0.1.0-1", "0.1.1-1", false),
            ],
            checked_at: None,
            run: None,
            power: Vec::new(),
        })))
    }
}

impl SystemSim {
    /// Serves on `socket` until the runtime ends.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn serve(&self, socket: &Path) -> anyhow::Result<()> {
        let listener = UnixListener::bind(socket)?;
        let app = Router::new()
            .route("/v1/host", get(host))
            .route("/v1/host-name", put(set_host_name))
            .route("/v1/time-zones", get(time_zones))
            .route("/v1/time-zone", put(set_time_zone))
            .route("/v1/updates", get(updates))
            .route("/v1/updates/check", post(async |sim: State<Self>| start(sim, UpdateKind::Check)))
            .route("/v1/updates/install", post(async |sim: State<Self>| start(sim, UpdateKind::Install)))
            .route("/v1/power", post(set_power))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(())
    }

    pub fn host_name(&self) -> String {
        self.with(|machine| machine.host_name.clone())
    }

    /// What was asked for, in its order. Nothing happens.
    pub fn power(&self) -> Vec<PowerAction> {
        self.with(|machine| machine.power.clone())
    }

    fn with<T>(&self, look: impl FnOnce(&mut Machine) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn refused(status: StatusCode, message: &str) -> Response {
    (status, Json(Problem { message: message.to_owned() })).into_response()
}

async fn host(State(sim): State<SystemSim>) -> Json<Host> {
    sim.with(|machine| {
        Json(Host {
            host_name: machine.host_name.clone(),
            time_zone: machine.time_zone.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operating_system: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            uptime_seconds: 93_784,
            addresses: ["192.0.2.17".parse(), "2001:db8::17".parse()].into_iter().flatten().collect(),
            reboot_required: false,
        })
    })
}

async fn set_host_name(State(sim): State<SystemSim>, Json(change): Json<HostNameChange>) -> Response {
    match HostName::try_from(change.host_name) {
        Ok(name) => {
            sim.with(|machine| machine.host_name = name.as_str().to_owned());
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

const ZONES: [&str; 5] = ["Europe/Berlin", "Europe/Oslo", "America/New_York", "Asia/Shanghai", "UTC"];

async fn time_zones() -> Json<[&'static str; 5]> {
    Json(ZONES)
}

async fn set_time_zone(State(sim): State<SystemSim>, Json(change): Json<TimeZoneChange>) -> Response {
    if !ZONES.contains(&change.time_zone.as_str()) {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "There is no such time zone.");
    }
    sim.with(|machine| machine.time_zone = change.time_zone);
    StatusCode::NO_CONTENT.into_response()
}

async fn updates(State(sim): State<SystemSim>) -> Json<Updates> {
    sim.with(|machine| {
        let run = machine.run.map(|(kind, started_at, since)| {
            let part = (since.elapsed().as_secs_f64() / UPDATE.as_secs_f64()).min(1.0);
            let is_over = part >= 1.0;
            if is_over && kind == UpdateKind::Install {
                machine.available.clear();
            }
            if is_over && kind == UpdateKind::Check {
                machine.checked_at = Some(started_at);
            }
            UpdateRun {
                kind,
                state: if is_over { UpdateState::Succeeded } else { UpdateState::Running },
                started_at,
                ended_at: is_over.then(Timestamp::now),
                percent: part * 100.0,
                step: "Unpacking openssl (3.0.17-1~deb12u3)".to_owned(),
                log: vec!["Reading package lists...".to_owned(), "Setting up openssl ...".to_owned()],
                error: None,
            }
        });
        let available = machine.available.clone();
        Json(Updates { available, checked_at: machine.checked_at, run, reboot_required: false })
    })
}

fn start(State(sim): State<SystemSim>, kind: UpdateKind) -> Response {
    sim.with(|machine| {
        if machine.run.is_some_and(|(_, _, since)| since.elapsed() < UPDATE) {
            return refused(StatusCode::CONFLICT, "Updates are being fetched or installed already.");
        }
        machine.run = Some((kind, Timestamp::now(), Instant::now()));
        StatusCode::ACCEPTED.into_response()
    })
}

async fn set_power(State(sim): State<SystemSim>, Json(wish): Json<Power>) -> StatusCode {
    sim.with(|machine| machine.power.push(wish.action));
    StatusCode::ACCEPTED
}
