//! What the program ends with, decided in this one place.

use super::recognise::NotRecognised;
use crate::config::ConfigError;
use crate::control::client::ControlError;
use crate::ledger::Flaw;

/// A kind of end that a script can tell from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    Error = 1,
    Usage = 2,
    NotRunning = 3,
    InstanceTaken = 4,
    Configuration = 5,
    NotFound = 6,
    Refused = 7,
    NotAllowed = 8,
    TryLater = 9,
    CheckFailed = 10,
}

impl Exit {
    pub const ALL: [Self; 11] = [
        Self::Done,
        Self::Error,
        Self::Usage,
        Self::NotRunning,
        Self::InstanceTaken,
        Self::Configuration,
        Self::NotFound,
        Self::Refused,
        Self::NotAllowed,
        Self::TryLater,
        Self::CheckFailed,
    ];

    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for the manual.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Error => "an error that has no code of its own; the words on standard error say which",
            Self::Usage => "the command line is wrong",
            Self::NotRunning => "the agent that was asked does not run, or ended meanwhile",
            Self::InstanceTaken => "another agent runs on the instance",
            Self::Configuration => "the configuration cannot be read, or is wrong",
            Self::NotFound => "what was asked for is not there: a source, a file, a report",
            Self::Refused => {
                "the agent refused: a value is wrong, or it is not possible in the present state"
            }
            Self::NotAllowed => "this user may not talk to the agent",
            Self::TryLater => "not now: the agent is busy, was asked too often, or did not answer in time",
            Self::CheckFailed => {
                "a check found something: the ledger was changed, the server's test failed, a file's format is not known"
            }
        }
    }

    /// Which end an error is.
    pub fn of(error: &anyhow::Error) -> Self {
        if error.is::<crate::InstanceTaken>() {
            return Self::InstanceTaken;
        }
        if error.is::<ConfigError>() {
            return Self::Configuration;
        }
        if error.is::<AgentEnded>() {
            return Self::NotRunning;
        }
        if error.is::<CheckFailed>() || error.is::<Flaw>() || error.is::<NotRecognised>() {
            return Self::CheckFailed;
        }
        match error.downcast_ref::<ControlError>() {
            Some(ControlError::Unreachable { .. }) => Self::NotRunning,
            Some(ControlError::Denied { .. }) => Self::NotAllowed,
            Some(ControlError::TimedOut(_)) => Self::TryLater,
            Some(ControlError::Refused { status, .. }) => match status {
                401 | 403 => Self::NotAllowed,
                404 => Self::NotFound,
                408 | 429 | 503 => Self::TryLater,
                400..=499 => Self::Refused,
                _ => Self::Error,
            },
            _ => Self::Error,
        }
    }
}

/// Something that was to be checked is not right.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct CheckFailed(pub(super) String);

/// The agent whose events were followed ended.
#[derive(Debug, thiserror::Error)]
#[error("the agent has ended, and its events with it")]
pub(super) struct AgentEnded;

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;
    use crate::control::api::Problem;

    #[test]
    fn every_code_is_said_once_and_in_order() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes, (0..=10).collect::<Vec<_>>());
    }

    #[test]
    fn the_kind_of_an_error_shows_through_its_context() {
        let refused = |status| {
            let problem = Problem { message: "no".to_owned(), field: None };
            anyhow::Error::from(ControlError::Refused { status, problem }).context("asking")
        };
        for (status, exit) in [
            (404, Exit::NotFound),
            (422, Exit::Refused),
            (409, Exit::Refused),
            (401, Exit::NotAllowed),
            (403, Exit::NotAllowed),
            (429, Exit::TryLater),
            (503, Exit::TryLater),
            (500, Exit::Error),
        ] {
            assert_eq!(Exit::of(&refused(status)), exit, "{status}");
        }
        assert_eq!(Exit::of(&anyhow!("anything")), Exit::Error);
        assert_eq!(Exit::of(&AgentEnded.into()), Exit::NotRunning);
        let flaw = Err::<(), _>(Flaw::Changed { seq: 1 }).context("the ledger is not as it was written");
        assert_eq!(Exit::of(&flaw.unwrap_err()), Exit::CheckFailed);
        let path = std::path::Path::new("/nowhere/a.toml");
        let config = crate::config::Settings::load(path).map(drop);
        assert_eq!(Exit::of(&config.context("starting").unwrap_err()), Exit::Configuration);
    }
}
