//! The WATS server.

use askama::Template;
use askama_web::WebTemplate;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use wats_appliance::state::wizard::WizardStep;

use super::{Steps, elsewhere, path};
use crate::Console;
use crate::access::Configuring;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::Frame;
use crate::pages::server::{TestFragment, save_and_test, test};
use crate::server_form::{Action, ServerFields, ServerForm, TestResult};

#[derive(Template, WebTemplate)]
#[template(path = "setup/server.html")]
struct ServerPage {
    frame: Frame,
    steps: Steps,
    form: ServerFields,
    errors: FormErrors,
    result: Option<TestResult>,
    /// Saved, although the test did not pass: one may go on all the same.
    saved: bool,
}

pub(super) async fn show(user: Configuring, console: State<Console>) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Server).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let stored = console.agent.server().await?;
    let page = ServerPage {
        frame: user.frame("Connect to the WATS server"),
        steps,
        form: stored.into(),
        errors: FormErrors::default(),
        result: None,
        saved: false,
    };
    Ok(page.into_response())
}

pub(super) async fn save(
    user: Configuring,
    console: State<Console>,
    headers: HeaderMap,
    Form(typed): Form<ServerForm>,
) -> Result<Response, PageError> {
    let steps = match elsewhere(&console, WizardStep::Server).await? {
        Ok(steps) => steps,
        Err(elsewhere) => return Ok(elsewhere.into_response()),
    };
    let stored = console.agent.server().await?;
    let mut saved = false;
    let (errors, result) = match typed.action {
        Action::Skip => return done(&console, "skipped").await,
        Action::Test => test(&console, &typed, &stored).await,
        Action::Save => match save_and_test(&console, user.user(), &typed, &stored).await? {
            (_, Some(result)) if result.passed => return done(&console, "connected").await,
            (errors, result) => {
                saved = errors.is_empty();
                (errors, result)
            }
        },
    };
    if headers.contains_key("hx-request") {
        return Ok(TestFragment { errors, result }.into_response());
    }
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let stored = console.agent.server().await?;
    let page = ServerPage {
        frame: user.frame("Connect to the WATS server"),
        steps,
        form: typed.fields(&stored),
        errors,
        result,
        saved,
    };
    Ok((status, page).into_response())
}

async fn done(console: &Console, how: &str) -> Result<Response, PageError> {
    console.state.complete_wizard_step(Timestamp::now(), WizardStep::Server, &how).await?;
    Ok(Redirect::to(path(WizardStep::Station)).into_response())
}
