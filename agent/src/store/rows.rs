//! Words and times as they stand in the tables.

use jiff::Timestamp;
use uuid::Uuid;

use crate::control::api::{FileState, ReportState};

/// A time as the tables keep it: milliseconds, UTC.
pub(super) fn ms(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// A time from a table; one that no calendar knows reads as 1970.
pub(super) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

impl FileState {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Converted => "converted",
            Self::Failed => "failed",
        }
    }
}

impl ReportState {
    pub(super) const ALL: [Self; 5] =
        [Self::Queued, Self::Sending, Self::Sent, Self::Rejected, Self::Discarded];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Rejected => "rejected",
            Self::Discarded => "discarded",
        }
    }

    /// Which moves are legal; see the drawing at the type.
    pub fn can_become(self, next: Self) -> bool {
        use ReportState::{Discarded, Queued, Rejected, Sending, Sent};
        matches!(
            (self, next),
            (Queued, Sending) | (Sending, Sent | Queued | Rejected) | (Rejected, Queued | Discarded)
        )
    }
}

pub(super) fn file_state(word: &str) -> Result<FileState, sqlx::Error> {
    [FileState::Claimed, FileState::Converted, FileState::Failed]
        .into_iter()
        .find(|state| state.word() == word)
        .ok_or_else(|| unknown_state(word))
}

pub(super) fn report_state(word: &str) -> Result<ReportState, sqlx::Error> {
    ReportState::ALL.into_iter().find(|state| state.word() == word).ok_or_else(|| unknown_state(word))
}

pub(super) fn uuid(text: &str) -> Result<Uuid, sqlx::Error> {
    text.parse().map_err(|error: uuid::Error| sqlx::Error::Decode(error.into()))
}

fn unknown_state(word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("the database has an unknown state {word:?}").into())
}
