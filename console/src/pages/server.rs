//! The WATS server: change, test, rotate the credential.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use wats_agent::control::api::{ServerSettings, ServerState};
use wats_appliance::state::accounts::UserName;

use super::dashboard::link_badge;
use super::redirect_with_notice;
use crate::Console;
use crate::access::SignedIn;
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::{Frame, Nav};
use crate::server_form::{Action, ServerFields, ServerForm, TestResult};
use crate::words::{Badge, Moment};

pub(super) fn routes() -> Router<Console> {
    Router::new().route("/server", get(show).post(save))
}

/// The answer to "Test connection", put into the page that asked.
#[derive(Template, WebTemplate)]
#[template(path = "server_test.html")]
pub(super) struct TestFragment {
    pub(super) errors: FormErrors,
    pub(super) result: Option<TestResult>,
}

#[derive(Template, WebTemplate)]
#[template(path = "server.html")]
struct ServerPage {
    frame: Frame,
    link: Badge,
    version: Option<String>,
    last_success: Option<Moment>,
    trouble: Option<String>,
    form: ServerFields,
    errors: FormErrors,
    result: Option<TestResult>,
}

impl ServerPage {
    fn new(user: &SignedIn, server: ServerState, form: ServerFields) -> Self {
        Self {
            frame: user.frame("WATS server", Nav::Server),
            link: link_badge(server.link),
            version: server.version,
            last_success: server.last_success.map(|at| Moment::new(at, Timestamp::now())),
            trouble: server.trouble,
            form,
            errors: FormErrors::default(),
            result: None,
        }
    }
}

async fn show(user: SignedIn, console: State<Console>) -> Result<Response, PageError> {
    let stored = console.agent.server().await?;
    let server = console.agent.status().await?.server;
    Ok(ServerPage::new(&user, server, stored.into()).into_response())
}

async fn save(
    user: SignedIn,
    console: State<Console>,
    headers: HeaderMap,
    Form(typed): Form<ServerForm>,
) -> Result<Response, PageError> {
    let stored = console.agent.server().await?;
    let (errors, result) = match typed.action {
        Action::Test | Action::Skip => test(&console, &typed, &stored).await,
        Action::Save => match save_and_test(&console, user.user(), &typed, &stored).await? {
            (_, Some(result)) if result.passed => {
                return Ok(redirect_with_notice("/server", "Saved. The server accepts this machine."));
            }
            other => other,
        },
    };
    if headers.contains_key("hx-request") {
        return Ok(TestFragment { errors, result }.into_response());
    }
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let server = console.agent.status().await?.server;
    let stored = console.agent.server().await?;
    let mut page = ServerPage::new(&user, server, typed.fields(&stored));
    page.errors = errors;
    page.result = result;
    Ok((status, page).into_response())
}

/// Tries what was typed, and keeps nothing.
pub(super) async fn test(
    console: &Console,
    typed: &ServerForm,
    stored: &ServerSettings,
) -> (FormErrors, Option<TestResult>) {
    let change = match typed.change(stored) {
        Ok(change) => change,
        Err(errors) => return (errors, None),
    };
    match console.agent.test_server(&change).await {
        Ok(test) => (FormErrors::default(), Some(test.into())),
        Err(error) => {
            let mut errors = FormErrors::default();
            errors.add_agent_error(&error, |member| typed.field_of(member));
            (errors, None)
        }
    }
}

/// Keeps what was typed, then tries it: what was saved stays, whatever the test says, so that no secret
/// has to be typed again.
pub(super) async fn save_and_test(
    console: &Console,
    user: &UserName,
    typed: &ServerForm,
    stored: &ServerSettings,
) -> Result<(FormErrors, Option<TestResult>), PageError> {
    let mut change = match typed.change(stored) {
        Ok(change) => change,
        Err(errors) => return Ok((errors, None)),
    };
    let mut errors = FormErrors::default();
    if let Err(error) = console.agent.change_server(&change).await {
        errors.add_agent_error(&error, |member| typed.field_of(member));
        return Ok((errors, None));
    }
    let what = if change.credential.is_some() { ", with a new credential" } else { "" };
    let detail = format!("{}{what}.", change.url);
    console.state.record(Timestamp::now(), Some(user), "server-changed", &detail).await?;
    // Now with what is stored.
    change.credential = None;
    change.proxy_credential = None;
    match console.agent.test_server(&change).await {
        Ok(test) => Ok((errors, Some(test.into()))),
        Err(error) => {
            errors.add_agent_error(&error, |member| typed.field_of(member));
            Ok((errors, None))
        }
    }
}
