//! Who is asking: the session cookie, and the extractors that admit a request to a page.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use jiff::Timestamp;
use wats_appliance::state::accounts::{Account, UserName};
use wats_appliance::state::sessions::{Purpose, SessionToken};

use crate::Console;
use crate::error::PageError;
use crate::frame::{Frame, Nav, Notice};

/// The prefix keeps every other host from setting it, and plain HTTP from seeing it.
const COOKIE: &str = "__Host-session";

/// The cookie of a new session. It ends with the browser; the state ends it earlier.
pub fn session_cookie(token: &SessionToken) -> Cookie<'static> {
    Cookie::build((COOKIE, token.expose().to_owned()))
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .build()
}

/// Makes the browser forget its session.
pub fn no_session_cookie() -> Cookie<'static> {
    let mut cookie = Cookie::build((COOKIE, "")).path("/").secure(true).http_only(true).build();
    cookie.make_removal();
    cookie
}

/// The token in the request, whether it is worth something or not.
pub fn token(jar: &CookieJar) -> Option<&str> {
    jar.get(COOKIE).map(Cookie::value)
}

/// Somebody with an account, whether the wizard is over or not.
#[derive(Debug, Clone)]
pub struct Configuring {
    pub account: Account,
    notice: Option<Notice>,
}

/// Somebody with an account, on a machine whose wizard is over.
#[derive(Debug, Clone)]
pub struct SignedIn(Configuring);

/// Somebody who entered the right setup code on a machine without an administrator.
#[derive(Debug, Clone, Copy)]
pub struct Claiming;

impl Configuring {
    pub fn user(&self) -> &UserName {
        &self.account.user_name
    }

    /// The frame of a page without navigation: a step of the wizard.
    pub fn frame(&self, title: impl Into<String>) -> Frame {
        Frame::new(title, None, Some(self.user().as_str()), self.notice.clone())
    }
}

impl SignedIn {
    pub fn user(&self) -> &UserName {
        self.0.user()
    }

    pub fn account(&self) -> &Account {
        &self.0.account
    }

    pub fn frame(&self, title: impl Into<String>, nav: Nav) -> Frame {
        Frame::new(title, Some(nav), Some(self.user().as_str()), self.0.notice.clone())
    }
}

/// Why a request is sent elsewhere.
#[derive(Debug)]
pub enum Refused {
    To(String),
    Error(PageError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::To(path) => Redirect::to(&path).into_response(),
            Self::Error(error) => error.into_response(),
        }
    }
}

impl<E: Into<PageError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

async fn purpose(parts: &Parts, console: &Console) -> Result<Option<Purpose>, PageError> {
    let jar = CookieJar::from_headers(&parts.headers);
    let Some(token) = token(&jar) else { return Ok(None) };
    Ok(console.state.session(Timestamp::now(), token).await?.map(|session| session.purpose))
}

impl FromRequestParts<Console> for Configuring {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Refused> {
        match purpose(parts, console).await? {
            Some(Purpose::SignedIn(account)) => {
                let notice = Notice::of(&CookieJar::from_headers(&parts.headers));
                Ok(Self { account, notice })
            }
            _ if !console.state.is_claimed().await? => Err(Refused::To("/setup".to_owned())),
            _ => Err(Refused::To(sign_in_path(parts))),
        }
    }
}

impl FromRequestParts<Console> for SignedIn {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Refused> {
        let configuring =
            <Configuring as FromRequestParts<Console>>::from_request_parts(parts, console).await?;
        if console.state.wizard().await?.is_over() {
            Ok(Self(configuring))
        } else {
            Err(Refused::To("/setup".to_owned()))
        }
    }
}

impl OptionalFromRequestParts<Console> for Configuring {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Option<Self>, Refused> {
        match <Self as FromRequestParts<Console>>::from_request_parts(parts, console).await {
            Ok(found) => Ok(Some(found)),
            Err(Refused::To(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl FromRequestParts<Console> for Claiming {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Refused> {
        match purpose(parts, console).await? {
            Some(Purpose::Setup) if !console.state.is_claimed().await? => Ok(Self),
            _ => Err(Refused::To("/setup".to_owned())),
        }
    }
}

/// Where to sign in, and to come back to the page that was asked for.
fn sign_in_path(parts: &Parts) -> String {
    let wanted = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    if parts.method != Method::GET || wanted == "/" || !is_local(wanted) {
        return "/sign-in".to_owned();
    }
    let escaped: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    format!("/sign-in?next={escaped}")
}

/// True for a path on this machine: nobody can be sent elsewhere with it.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.contains(|c: char| c.is_control())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_paths_on_this_machine_are_local() {
        for path in ["/", "/queue?state=sent", "/queue/files/1"] {
            assert!(is_local(path), "{path}");
        }
        for path in ["", "queue", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb"] {
            assert!(!is_local(path), "{path}");
        }
    }
}
