//! Name and time zone of the machine.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use wats_appliance::state::wizard::WizardStep;

use super::{Steps, elsewhere, path};
use crate::Console;
use crate::access::Configuring;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::Frame;
use crate::pages::machine::{NameAndZone, apply};

#[derive(Template, WebTemplate)]
#[template(path = "setup/machine.html")]
struct MachinePage {
    frame: Frame,
    steps: Steps,
    host_name: String,
    time_zone: String,
    time_zones: Vec<String>,
    errors: FormErrors,
}

/// What the machine is called, kept with the wizard's progress.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answers {
    pub(super) host_name: String,
    pub(super) time_zone: String,
}

pub(super) async fn show(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Machine).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let host = console.system.host().await?;
    let page = MachinePage {
        frame: user.frame("Name this machine"),
        steps,
        host_name: host.host_name,
        time_zone: host.time_zone,
        time_zones: console.system.time_zones().await?,
        errors: FormErrors::default(),
    };
    Ok(page.into_response())
}

pub(super) async fn save(
    user: Configuring,
    console: State<Console>,
    Form(typed): Form<NameAndZone>,
) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Machine).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let errors = apply(&console, user.user(), &typed).await?;
    if errors.is_empty() {
        let answers = Answers { host_name: typed.host_name, time_zone: typed.time_zone };
        console.state.complete_wizard_step(Timestamp::now(), WizardStep::Machine, &answers).await?;
        return Ok(Redirect::to(path(WizardStep::Server)).into_response());
    }
    let page = MachinePage {
        frame: user.frame("Name this machine"),
        steps,
        host_name: typed.host_name,
        time_zone: typed.time_zone,
        time_zones: console.system.time_zones().await?,
        errors,
    };
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
