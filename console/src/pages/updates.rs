//! What apt offers, and installing it.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use wats_appliance::system::api::{PackageUpdate, UpdateKind, UpdateState, Updates};

use crate::Console;
use crate::access::SignedIn;
use crate::error::PageError;
use crate::frame::{Frame, Nav};
use crate::words::{Badge, Moment, Tone};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/updates", get(show))
        .route("/updates/run", get(run_only))
        .route("/updates/check", post(check))
        .route("/updates/install", post(install))
}

#[derive(Template, WebTemplate)]
#[template(path = "updates.html")]
struct UpdatesPage {
    frame: Frame,
    available: Vec<PackageUpdate>,
    security: usize,
    checked: Option<Moment>,
    reboot_required: bool,
    run: Run,
}

/// The run that goes on or was the last: the part that refreshes itself while it goes on.
#[derive(Template, WebTemplate)]
#[template(path = "updates_run.html")]
struct Run {
    shown: Option<RunView>,
}

struct RunView {
    title: &'static str,
    badge: Badge,
    is_running: bool,
    percent: u32,
    step: String,
    started: Moment,
    log: Vec<String>,
    error: Option<String>,
}

impl Run {
    fn new(updates: &Updates, now: Timestamp) -> Self {
        let shown = updates.run.as_ref().map(|run| {
            let badge = match run.state {
                UpdateState::Running => Badge::new(Tone::Busy, "Running"),
                UpdateState::Succeeded => Badge::new(Tone::Good, "Done"),
                UpdateState::Failed => Badge::new(Tone::Bad, "Failed"),
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to what a percentage is"
            )]
            let percent = run.percent.clamp(0.0, 100.0) as u32;
            RunView {
                title: match run.kind {
                    UpdateKind::Check => "Looking for updates",
                    UpdateKind::Install => "Installing updates",
                },
                badge,
                is_running: run.state == UpdateState::Running,
                percent,
                step: run.step.clone(),
                started: Moment::new(run.started_at, now),
                log: run.log.clone(),
                error: run.error.clone(),
            }
        });
        Self { shown }
    }

    fn is_running(&self) -> bool {
        self.shown.as_ref().is_some_and(|run| run.is_running)
    }
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let updates = console.system.updates().await?;
    let page = UpdatesPage {
        frame: user.frame("Updates", Nav::Updates),
        security: updates.available.iter().filter(|update| update.security).count(),
        checked: updates.checked_at.map(|at| Moment::new(at, now)),
        reboot_required: updates.reboot_required,
        run: Run::new(&updates, now),
        available: updates.available,
    };
    Ok(page.into_response())
}

async fn run_only(_: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let updates = console.system.updates().await?;
    let run = Run::new(&updates, Timestamp::now());
    if run.is_running() {
        return Ok(run.into_response());
    }
    // The list of what is left has changed: the whole page comes anew.
    Ok(([("hx-refresh", "true")], run).into_response())
}

async fn check(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    start(&user, &console, UpdateKind::Check, "updates-checked").await
}

async fn install(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    start(&user, &console, UpdateKind::Install, "updates-installed").await
}

async fn start(
    user: &SignedIn,
    console: &Console,
    kind: UpdateKind,
    action: &'static str,
) -> Result<Response, PageError> {
    console.system.start_updates(kind).await?;
    console.state.record(Timestamp::now(), Some(user.user()), action, "Started from the console.").await?;
    Ok(Redirect::to("/updates").into_response())
}
