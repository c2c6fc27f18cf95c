//! What a request is refused with: a status and words for a person.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::api::Problem;
use crate::agent::ChangeError;
use crate::config::SaveError;
use crate::config::history::HistoryError;
use crate::secret::SecretError;
use crate::store::{LedgerError, MoveError, StoreError};

/// A request that is not carried out.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    problem: Problem,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, problem: Problem { message: message.into(), field: None } }
    }

    /// What was asked for does not exist.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// One member of the request is wrong.
    pub(super) fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let problem = Problem { message: message.into(), field: Some(field.into()) };
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, problem }
    }

    /// Something failed on our side: logged here, once, with all its causes.
    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let words = chain(error);
        tracing::error!("a request to the control API failed: {words}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, words)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.problem)).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::DiskFull => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            error => Self::internal(&error),
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Store(error) => error.into(),
            LedgerError::Flaw(_) => Self::internal(&error),
        }
    }
}

impl From<MoveError> for Refusal {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Unknown { .. } => Self::not_found(error.to_string()),
            MoveError::Illegal { .. } => {
                Self::new(StatusCode::CONFLICT, format!("this cannot be done now: {error}"))
            }
            MoveError::Store(error) => error.into(),
        }
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Invalid { problems } => match problems.into_iter().next() {
                Some(problem) => Self { status: StatusCode::UNPROCESSABLE_ENTITY, problem },
                None => Self::new(StatusCode::UNPROCESSABLE_ENTITY, "the settings are not right"),
            },
            ChangeError::Wrong { ref mistakes } => {
                let field = mistakes.first().map(|mistake| mistake.key.clone()).filter(|key| !key.is_empty());
                let problem = Problem { message: error.to_string(), field };
                Self { status: StatusCode::UNPROCESSABLE_ENTITY, problem }
            }
            ChangeError::UnknownSource { .. } | ChangeError::History(HistoryError::Unknown { .. }) => {
                Self::not_found(error.to_string())
            }
            ChangeError::Unloaded { .. } | ChangeError::History(HistoryError::Damaged { .. }) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            ChangeError::Save(SaveError::ReadOnly { .. }) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            ChangeError::Save(error) => Self::internal(&error),
            error @ (ChangeError::History(_) | ChangeError::SetAside(_)) => Self::internal(&error),
        }
    }
}

impl From<SecretError> for Refusal {
    fn from(error: SecretError) -> Self {
        Self::internal(&error)
    }
}

/// An error with every cause: `a: b: c`.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
