//! The pages, one file for each that the user sees.

pub mod converters;
pub mod dashboard;
pub mod health;
pub mod machine;
pub mod plugins;
pub mod queue;
pub mod server;
pub mod setup;
pub mod sign_in;
pub mod station;
pub mod updates;
pub mod upload;

use axum::Router;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;

use crate::Console;
use crate::frame::Notice;

/// Every page but those whose requests have no limit on time and size: the upload, and what runs a plug-in.
pub fn routes() -> Router<Console> {
    Router::new()
        .merge(setup::routes())
        .merge(sign_in::routes())
        .merge(dashboard::routes())
        .merge(health::routes())
        .merge(converters::routes())
        .merge(plugins::routes())
        .merge(queue::routes())
        .merge(server::routes())
        .merge(station::routes())
        .merge(updates::routes())
        .merge(machine::routes())
}

/// Sends the browser to another page, which shows the notice.
fn redirect_with_notice(path: &str, notice: impl Into<String>) -> Response {
    (CookieJar::new().add(Notice::new(notice).cookie()), Redirect::to(path)).into_response()
}
