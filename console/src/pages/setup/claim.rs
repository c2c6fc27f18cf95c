//! The two steps that make the machine somebody's: the setup code, and the first administrator.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use wats_appliance::state::accounts::{ClaimError, NewPassword, UserName};
use wats_appliance::state::setup_attempts::SetupCodeError;

use crate::Console;
use crate::access::{Claiming, session_cookie};
use crate::error::PageError;
use crate::forms::{Form, FormErrors};
use crate::frame::Frame;
use crate::layers::rate_limited;

pub(super) fn routes() -> Router<Console> {
    let attempts = Router::new()
        .route("/setup", post(enter_code))
        .route("/setup/account", get(show_account).post(create_account));
    rate_limited(attempts, 1, 30)
}

#[derive(Template, WebTemplate)]
#[template(path = "setup/code.html")]
pub(super) struct CodePage {
    frame: Frame,
    error: String,
}

pub(super) fn code_page(error: String) -> CodePage {
    CodePage { frame: Frame::plain("Set up this machine"), error }
}

#[derive(Deserialize)]
struct Code {
    code: SecretString,
}

async fn enter_code(
    console: State<Console>,
    jar: CookieJar,
    Form(typed): Form<Code>,
) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let tried = console.state.try_setup_code(now, &console.setup_code, typed.code.expose_secret()).await;
    let (status, error) = match tried {
        Ok(()) => {
            let token = console.state.start_setup_session(now).await?;
            return Ok((jar.add(session_cookie(&token)), Redirect::to("/setup/account")).into_response());
        }
        Err(SetupCodeError::State(error)) => return Err(error.into()),
        Err(SetupCodeError::Read(error)) => return Err(error.into()),
        Err(SetupCodeError::AlreadyClaimed) => return Ok(Redirect::to("/sign-in").into_response()),
        Err(error @ SetupCodeError::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, error.to_string()),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    };
    Ok((status, code_page(error)).into_response())
}

#[derive(Template, WebTemplate)]
#[template(path = "setup/account.html")]
struct AccountPage {
    frame: Frame,
    user_name: String,
    errors: FormErrors,
}

fn account_page(user_name: String, errors: FormErrors) -> AccountPage {
    AccountPage { frame: Frame::plain("Create the administrator"), user_name, errors }
}

async fn show_account(_: Claiming) -> Response {
    account_page("admin".to_owned(), FormErrors::default()).into_response()
}

#[derive(Deserialize)]
struct NewAccount {
    user_name: String,
    password: SecretString,
    password_again: SecretString,
}

impl NewAccount {
    fn check(&self) -> Result<(UserName, NewPassword), FormErrors> {
        let mut errors = FormErrors::default();
        if self.password.expose_secret() != self.password_again.expose_secret() {
            errors.add("password_again", "The two passwords differ.");
        }
        let name = UserName::try_from(self.user_name.clone());
        match name {
            Err(error) => errors.add("user_name", error.to_string()),
            Ok(name) => match NewPassword::new(self.password.clone(), &name) {
                Err(error) => errors.add("password", error.to_string()),
                Ok(password) if errors.is_empty() => return Ok((name, password)),
                Ok(_) => {}
            },
        }
        Err(errors)
    }
}

async fn create_account(
    console: State<Console>,
    _: Claiming,
    jar: CookieJar,
    Form(typed): Form<NewAccount>,
) -> Result<Response, PageError> {
    let (name, password) = match typed.check() {
        Ok(checked) => checked,
        Err(errors) => {
            let page = account_page(typed.user_name, errors);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    let now = Timestamp::now();
    let account = match console.state.create_first_admin(now, &name, password).await {
        Ok(account) => account,
        Err(ClaimError::AlreadyClaimed) => return Ok(Redirect::to("/sign-in").into_response()),
        Err(ClaimError::State(error)) => return Err(error.into()),
    };
    // An account decides whose machine it is: a code that outlives this line opens nothing.
    if let Err(error) = console.setup_code.delete() {
        tracing::warn!("the setup code, which is of no use any more, could not be deleted: {error}");
    }
    let token = console.state.start_session_of(now, &account).await?;
    Ok((jar.add(session_cookie(&token)), Redirect::to("/setup/machine")).into_response())
}
