//! Signing in and out.

use askama::Template;
use askama_web::WebTemplate;
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum_extra::extract::CookieJar;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use wats_appliance::state::accounts::SignInError;

use crate::Console;
use crate::access::{Configuring, is_local, no_session_cookie, session_cookie, token};
use crate::error::PageError;
use crate::forms::Form;
use crate::frame::Frame;
use crate::layers::rate_limited;

pub(super) fn routes() -> Router<Console> {
    let attempts = Router::new().route("/sign-in", post(sign_in));
    Router::new()
        .route("/sign-in", get(show))
        .route("/sign-out", post(sign_out))
        // Each attempt costs a password hash; the state limits them per account besides.
        .merge(rate_limited(attempts, 1, 20))
}

#[derive(Template, WebTemplate)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    user_name: String,
    /// Where to go afterwards; a path on this machine.
    next: String,
    error: String,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

async fn show(
    console: State<Console>,
    signed_in: Option<Configuring>,
    wanted: Query<Wanted>,
) -> Result<Response, PageError> {
    if !console.state.is_claimed().await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    let next = local_or_home(&wanted.next);
    if signed_in.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let page =
        SignInPage { frame: Frame::plain("Sign in"), user_name: String::new(), next, error: String::new() };
    Ok(page.into_response())
}

#[derive(Deserialize)]
struct Credentials {
    user_name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

async fn sign_in(
    console: State<Console>,
    jar: CookieJar,
    Form(typed): Form<Credentials>,
) -> Result<Response, PageError> {
    let now = Timestamp::now();
    let (status, error) = match console.state.verify_password(now, &typed.user_name, typed.password).await {
        Ok(account) => {
            // A session that was there before must not become this account's.
            if let Some(token) = token(&jar) {
                console.state.end_session(token).await?;
            }
            let token = console.state.start_session_of(now, &account).await?;
            console.state.record(now, Some(&account.user_name), "signed-in", "").await?;
            let to = Redirect::to(&local_or_home(&typed.next));
            return Ok((jar.add(session_cookie(&token)), to).into_response());
        }
        Err(SignInError::State(error)) => return Err(error.into()),
        Err(error @ SignInError::TooMany { .. }) => (StatusCode::TOO_MANY_REQUESTS, error),
        Err(error @ SignInError::Wrong) => {
            // What was typed as a name may be a password.
            console.state.record(now, None, "sign-in-refused", "Wrong user name or password.").await?;
            (StatusCode::UNPROCESSABLE_ENTITY, error)
        }
    };
    let page = SignInPage {
        frame: Frame::plain("Sign in"),
        user_name: typed.user_name,
        next: local_or_home(&typed.next),
        error: error.to_string(),
    };
    Ok((status, page).into_response())
}

async fn sign_out(console: State<Console>, jar: CookieJar) -> Result<Response, PageError> {
    if let Some(token) = token(&jar) {
        console.state.end_session(token).await?;
    }
    Ok((jar.add(no_session_cookie()), Redirect::to("/sign-in")).into_response())
}

fn local_or_home(path: &str) -> String {
    if is_local(path) { path.to_owned() } else { "/".to_owned() }
}
