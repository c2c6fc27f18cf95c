//! The station that reports are sent as.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use wats_agent::control::api::Station;
use wats_appliance::state::wizard::WizardStep;

use super::{Steps, elsewhere, machine, path};
use crate::Console;
use crate::access::Configuring;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::Frame;
use crate::pages::station::{Described, change};

#[derive(Template, WebTemplate)]
#[template(path = "setup/station.html")]
struct StationPage {
    frame: Frame,
    steps: Steps,
    station: Described,
    time_zone: String,
    errors: FormErrors,
}

/// The zone that was chosen for the machine is the station's, too.
async fn time_zone(console: &Console, station: &Station) -> Result<String, PageError> {
    let answers: Option<machine::Answers> = console.state.wizard().await?.answers(WizardStep::Machine);
    Ok(answers.map_or_else(|| station.time_zone.clone(), |answers| answers.time_zone))
}

pub(super) async fn show(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Station).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let station = console.agent.station().await?;
    let time_zone = time_zone(&console, &station).await?;
    let page = StationPage {
        frame: user.frame("Describe the station"),
        steps,
        station: station.into(),
        time_zone,
        errors: FormErrors::default(),
    };
    Ok(page.into_response())
}

pub(super) async fn save(
    user: Configuring,
    console: State<Console>,
    Form(typed): Form<Described>,
) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Station).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let time_zone = time_zone(&console, &console.agent.station().await?).await?;
    let errors = change(&console, user.user(), &typed, &time_zone).await?;
    if errors.is_empty() {
        let now = Timestamp::now();
        let station = console.agent.station().await?;
        console.state.complete_wizard_step(now, WizardStep::Station, &station).await?;
        return Ok(Redirect::to(path(WizardStep::Converters)).into_response());
    }
    let page =
        StationPage { frame: user.frame("Describe the station"), steps, station: typed, time_zone, errors };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
