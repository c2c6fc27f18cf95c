//! The wizard's last page.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use wats_agent::control::api::Status;
use wats_appliance::state::wizard::WizardStep;

use super::{Steps, elsewhere};
use crate::Console;
use crate::access::Configuring;
use crate::error::PageError;
use crate::frame::Frame;
use crate::pages::redirect_with_notice;

#[derive(Template, WebTemplate)]
#[template(path = "setup/done.html")]
struct DonePage {
    frame: Frame,
    steps: Steps,
    status: Status,
}

pub(super) async fn show(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Done).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let status = console.agent.status().await?;
    Ok(DonePage { frame: user.frame("Ready"), steps, status }.into_response())
}

pub(super) async fn finish(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    if let Err(elsewhere) = elsewhere(&console, WizardStep::Done).await? {
        return Ok(elsewhere.into_response());
    }
    let now = Timestamp::now();
    console.state.complete_wizard_step(now, WizardStep::Done, &()).await?;
    console.state.record(now, Some(user.user()), "wizard-finished", "The machine is set up.").await?;
    Ok(redirect_with_notice(
        "/",
        "The machine is set up. Drop a file into one of its folders, or upload one.",
    ))
}
