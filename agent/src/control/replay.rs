//! Converting archived files again.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::api::{ReplayPart, ReplayRequest};
use super::refusal::Refusal;
use super::routes::{Control, Wish};
use crate::archive::replay::ReplayError;

pub(super) async fn part(
    State(control): State<Control>,
    Wish(wish): Wish<ReplayRequest>,
) -> Result<Json<ReplayPart>, Refusal> {
    let settings = control.agent.settings();
    if wats_converters::find(&wish.converter).is_none() && settings.plugins.find(&wish.converter).is_none() {
        let mut known: Vec<_> =
            wats_converters::catalogue().iter().map(|it| it.about().name.to_owned()).collect();
        known.extend(settings.plugins.converters().map(|it| it.name));
        let words = format!("there is no converter {:?}; known: {}", wish.converter, known.join(", "));
        return Err(Refusal::field("converter", words));
    }
    if wish.from >= wish.to {
        return Err(Refusal::field("to", format!("{} is not after {}", wish.to, wish.from)));
    }
    Ok(Json(control.replayer.part(&wish).await?))
}

impl From<ReplayError> for Refusal {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::Store(error) => error.into(),
            ReplayError::NoRoom => Self::new(StatusCode::INSUFFICIENT_STORAGE, error.to_string()),
            ReplayError::NoWorker(_) | ReplayError::Spool(_) => Self::internal(&error),
        }
    }
}
