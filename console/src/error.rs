//! The one error page, and the one place where a status code is chosen.

use askama::Template;
use askama_web::WebTemplate;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wats_agent::control::client::ControlError;
use wats_agent::error_chain;
use wats_appliance::state::StateError;
use wats_appliance::system::client::SystemError;

use crate::frame::Frame;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error("There is no such page.")]
    NotFound,
    /// The request cannot come from one of our pages; in words.
    #[error("{0}")]
    BadRequest(String),
    /// What was asked for is not possible now; in words.
    #[error("{0}")]
    Conflict(String),
    #[error("the console's state failed")]
    State(#[from] StateError),
    #[error("the agent refused or failed")]
    Agent(#[from] ControlError),
    #[error("the system service refused or failed")]
    System(#[from] SystemError),
    #[error("reading a file failed")]
    File(#[from] std::io::Error),
}

#[derive(Template, WebTemplate)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    message: String,
}

impl PageError {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::State(_) | Self::File(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Agent(error) if error.is_not_found() => StatusCode::NOT_FOUND,
            Self::Agent(ControlError::Refused { status, .. }) => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            Self::Agent(ControlError::Unreachable { .. }) | Self::System(SystemError::Unreachable(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Agent(_) => StatusCode::BAD_GATEWAY,
            Self::System(SystemError::Refused { .. }) => StatusCode::CONFLICT,
            Self::System(_) => StatusCode::BAD_GATEWAY,
        }
    }

    /// What a person is told.
    fn message(&self) -> String {
        match self {
            Self::NotFound | Self::BadRequest(_) | Self::Conflict(_) => self.to_string(),
            Self::State(_) | Self::File(_) => {
                "That did not work because of an error inside the console. The cause is in its log."
                    .to_owned()
            }
            Self::Agent(error) => agent_words(error),
            Self::System(error) => error.to_string(),
        }
    }
}

/// What to tell a person when the agent did not do what was asked.
pub fn agent_words(error: &ControlError) -> String {
    match error {
        ControlError::Unreachable { .. } => {
            "The agent does not run. It is started again by itself: try once more in a minute. Files that are \
             dropped meanwhile are found when it is back."
                .to_owned()
        }
        ControlError::Denied { .. } => {
            "The agent does not let the console in: allow_users in its configuration must name wats-console."
                .to_owned()
        }
        error => sentence(&error.to_string()),
    }
}

/// Errors begin small and end without a stop; a page shows sentences.
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut sentence: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    sentence.push_str(characters.as_str());
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            tracing::error!("a page failed: {}", error_chain(&self));
        }
        let title = if status == StatusCode::NOT_FOUND { "Not found" } else { "That did not work" };
        (status, ErrorPage { frame: Frame::plain(title), message: self.message() }).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn errors_are_shown_as_sentences() {
        assert_eq!(sentence("the agent refused"), "The agent refused.");
        assert_eq!(sentence("Is it?"), "Is it?");
        assert_eq!(sentence(""), ".");
    }
}
