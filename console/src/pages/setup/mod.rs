//! The first-boot wizard: setup code, administrator, then the steps of [`WizardStep`].
//!
//! It can be left at any point: `/setup` leads to the first step that is not done.

mod claim;
mod converters;
mod machine;
mod server;
mod station;
mod summary;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use wats_appliance::state::wizard::{WizardProgress, WizardStep};

use crate::Console;
use crate::access::{Claiming, Configuring, Refused};
use crate::error::PageError;

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/setup", get(enter))
        .merge(claim::routes())
        .route("/setup/machine", get(machine::show).post(machine::save))
        .route("/setup/server", get(server::show).post(server::save))
        .route("/setup/station", get(station::show).post(station::save))
        .route("/setup/converters", get(converters::show).post(converters::save))
        .route("/setup/done", get(summary::show).post(summary::finish))
}

/// Leads to where the wizard stands.
async fn enter(
    console: State<Console>,
    claiming: Result<Claiming, Refused>,
    configuring: Option<Configuring>,
) -> Result<Response, PageError> {
    if claiming.is_ok() {
        return Ok(Redirect::to("/setup/account").into_response());
    }
    if configuring.is_some() {
        let next = console.state.wizard().await?.next();
        return Ok(Redirect::to(next.map_or("/", path)).into_response());
    }
    if console.state.is_claimed().await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    Ok(claim::code_page(String::new()).into_response())
}

fn path(step: WizardStep) -> &'static str {
    match step {
        WizardStep::Machine => "/setup/machine",
        WizardStep::Server => "/setup/server",
        WizardStep::Station => "/setup/station",
        WizardStep::Converters => "/setup/converters",
        WizardStep::Done => "/setup/done",
    }
}

fn label(step: WizardStep) -> &'static str {
    match step {
        WizardStep::Machine => "Machine",
        WizardStep::Server => "WATS server",
        WizardStep::Station => "Station",
        WizardStep::Converters => "Converters",
        WizardStep::Done => "Done",
    }
}

/// The list of steps at the top of the wizard's pages.
struct Steps(Vec<StepEntry>);

struct StepEntry {
    label: &'static str,
    path: &'static str,
    is_done: bool,
    is_here: bool,
}

impl Steps {
    /// The list as seen at a step. Steps that are not done, and come after the first such, are no links.
    fn at(here: WizardStep, progress: &WizardProgress) -> Self {
        let entry = |step| StepEntry {
            label: label(step),
            path: path(step),
            is_done: progress.is_done(step),
            is_here: step == here,
        };
        Self(WizardStep::ALL.into_iter().map(entry).collect())
    }

    /// The step before this one, to go back to.
    fn back(&self) -> &'static str {
        let here = self.0.iter().position(|entry| entry.is_here).unwrap_or_default();
        here.checked_sub(1).and_then(|before| self.0.get(before)).map_or("", |entry| entry.path)
    }
}

/// Where a step's page sends somebody who cannot be there: the wizard is over, or an earlier step is not
/// done. `None`: may stay.
async fn elsewhere(console: &Console, here: WizardStep) -> Result<Result<Steps, Redirect>, PageError> {
    let progress = console.state.wizard().await?;
    Ok(match progress.next() {
        None => Err(Redirect::to("/")),
        Some(next) if next < here => Err(Redirect::to(path(next))),
        Some(_) => Ok(Steps::at(here, &progress)),
    })
}
