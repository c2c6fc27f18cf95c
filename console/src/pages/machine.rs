//! Name, time zone, addresses, and power of the machine.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use serde::Deserialize;
use wats_appliance::state::accounts::UserName;
use wats_appliance::system::api::{Host, PowerAction};
use wats_appliance::system::client::SystemError;

use super::redirect_with_notice;
use crate::Console;
use crate::access::SignedIn;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::{Frame, Nav};
use crate::words::span;

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/machine", get(show).post(save)).route("/machine/power", post(power))
}

/// What a machine is called and where it stands; the wizard asks for the same.
#[derive(Debug, Clone, Deserialize)]
pub struct NameAndZone {
    pub host_name: String,
    pub time_zone: String,
}

/// Has the system daemon set what differs; says at which field it refused.
///
/// # Errors
/// When the daemon does not answer or fails.
pub(super) async fn apply(
    console: &Console,
    user: &UserName,
    typed: &NameAndZone,
) -> Result<FormErrors, PageError> {
    let host = console.system.host().await?;
    let mut errors = FormErrors::default();
    let (host_name, time_zone) = (typed.host_name.trim(), typed.time_zone.trim());
    if host_name != host.host_name {
        match console.system.set_host_name(host_name).await {
            Ok(()) => {
                let detail = format!("From {} to {host_name}.", host.host_name);
                console.state.record(Timestamp::now(), Some(user), "host-name-changed", &detail).await?;
            }
            Err(SystemError::Refused { message }) => errors.add("host_name", message),
            Err(error) => return Err(error.into()),
        }
    }
    if time_zone != host.time_zone {
        let mut station = console.agent.station().await?;
        match console.system.set_time_zone(time_zone).await {
            Ok(()) => {
                // Unless somebody chose another for it.
                if station.time_zone == host.time_zone {
                    time_zone.clone_into(&mut station.time_zone);
                    console.agent.change_station(&station).await?;
                }
                let detail = format!("From {} to {time_zone}.", host.time_zone);
                console.state.record(Timestamp::now(), Some(user), "time-zone-changed", &detail).await?;
            }
            Err(SystemError::Refused { message }) => errors.add("time_zone", message),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(errors)
}

#[derive(Template, WebTemplate)]
#[template(path = "machine.html")]
struct MachinePage {
    frame: Frame,
    host: Host,
    uptime: String,
    host_name: String,
    time_zone: String,
    time_zones: Vec<String>,
    errors: FormErrors,
}

async fn page(
    user: &SignedIn,
    console: &Console,
    typed: Option<NameAndZone>,
    errors: FormErrors,
) -> Result<MachinePage, PageError> {
    let host = console.system.host().await?;
    let typed = typed.unwrap_or_else(|| NameAndZone {
        host_name: host.host_name.clone(),
        time_zone: host.time_zone.clone(),
    });
    Ok(MachinePage {
        frame: user.frame("Machine", Nav::Machine),
        uptime: span(host.uptime_seconds),
        host,
        host_name: typed.host_name,
        time_zone: typed.time_zone,
        time_zones: console.system.time_zones().await?,
        errors,
    })
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    Ok(page(&user, &console, None, FormErrors::default()).await?.into_response())
}

async fn save(
    user: SignedIn,
    console: State<Console>,
    Form(typed): Form<NameAndZone>,
) -> Result<Response, PageError> {
    let errors = apply(&console, user.user(), &typed).await?;
    if errors.is_empty() {
        return Ok(redirect_with_notice("/machine", "Saved."));
    }
    let page = page(&user, &console, Some(typed), errors).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

#[derive(Deserialize)]
struct PowerWish {
    action: PowerAction,
}

#[derive(Template, WebTemplate)]
#[template(path = "power.html")]
struct PowerPage {
    frame: Frame,
    restarts: bool,
}

async fn power(
    user: SignedIn,
    console: State<Console>,
    Form(wish): Form<PowerWish>,
) -> Result<Response, PageError> {
    let (action, restarts) = match wish.action {
        PowerAction::Restart => ("restarted", true),
        PowerAction::SwitchOff => ("switched-off", false),
    };
    console.state.record(Timestamp::now(), Some(user.user()), action, "From the console.").await?;
    console.system.power(wish.action).await?;
    let title = if restarts { "Restarting" } else { "Switching off" };
    Ok(PowerPage { frame: Frame::plain(title), restarts }.into_response())
}
