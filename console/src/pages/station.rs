//! The station that reports are sent as.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Deserialize;
use wats_agent::control::api::Station;
use wats_appliance::state::accounts::UserName;

use super::redirect_with_notice;
use crate::Console;
use crate::access::SignedIn;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::{Frame, Nav};

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/station", get(show).post(save))
}

/// What a station is called, where it stands and what for; the wizard asks for the same.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) location: String,
    pub(super) purpose: String,
}

impl From<Station> for Described {
    fn from(station: Station) -> Self {
        Self { name: station.name, location: station.location, purpose: station.purpose }
    }
}

/// Has the agent send reports as this station; says at which field it cannot be.
///
/// # Errors
/// When what was done cannot be recorded.
pub(super) async fn change(
    console: &Console,
    user: &UserName,
    typed: &Described,
    time_zone: &str,
) -> Result<FormErrors, PageError> {
    let station = Station {
        name: typed.name.trim().to_owned(),
        location: typed.location.trim().to_owned(),
        purpose: typed.purpose.trim().to_owned(),
        time_zone: time_zone.to_owned(),
    };
    let mut errors = FormErrors::default();
    for (field, text, words) in [
        ("name", &station.name, "Enter a name. It stands in every report as the station."),
        ("location", &station.location, "Enter a location. The server takes no report without one."),
        ("purpose", &station.purpose, "Enter a purpose. The server takes no report without one."),
    ] {
        if text.is_empty() {
            errors.add(field, words);
        }
    }
    if !errors.is_empty() {
        return Ok(errors);
    }
    if let Err(error) = console.agent.change_station(&station).await {
        errors.add_agent_error(&error, |member| {
            let member = member.rsplit('.').next().unwrap_or_default();
            ["name", "location", "purpose"].contains(&member).then(|| member.to_owned())
        });
        return Ok(errors);
    }
    let detail = format!("{}, {}, {}.", station.name, station.location, station.purpose);
    console.state.record(Timestamp::now(), Some(user), "station-changed", &detail).await?;
    Ok(errors)
}

#[derive(Template, WebTemplate)]
#[template(path = "station.html")]
struct StationPage {
    frame: Frame,
    station: Described,
    time_zone: String,
    errors: FormErrors,
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let station = console.agent.station().await?;
    let page = StationPage {
        frame: user.frame("Station", Nav::Station),
        time_zone: station.time_zone.clone(),
        station: station.into(),
        errors: FormErrors::default(),
    };
    Ok(page.into_response())
}

async fn save(
    user: SignedIn,
    console: State<Console>,
    Form(typed): Form<Described>,
) -> Result<Response, PageError> {
    let time_zone = console.agent.station().await?.time_zone;
    let errors = change(&console, user.user(), &typed, &time_zone).await?;
    if errors.is_empty() {
        return Ok(redirect_with_notice("/station", "Saved. Reports are made for this station from now on."));
    }
    let page = StationPage { frame: user.frame("Station", Nav::Station), station: typed, time_zone, errors };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
