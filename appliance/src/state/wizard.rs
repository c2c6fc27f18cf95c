//! How far the first-boot wizard has come, and what was typed so far.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use super::{State, StateError};

/// The pages of the wizard after the machine was claimed, in their order.
///
/// Setup code and account come before: those are done when the machine
/// [is claimed](State::is_claimed).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WizardStep {
    Machine,
    Server,
    Station,
    Converters,
    /// The last page was seen: the wizard is over for good.
    Done,
}

impl WizardStep {
    pub const ALL: [Self; 5] = [Self::Machine, Self::Server, Self::Station, Self::Converters, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Machine => "machine",
            Self::Server => "server",
            Self::Station => "station",
            Self::Converters => "converters",
            Self::Done => "done",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

/// The steps that are done, with the answers given there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WizardProgress {
    done: BTreeMap<WizardStep, serde_json::Value>,
}

impl WizardProgress {
    /// The first step that is not done; `None` when the wizard is over.
    pub fn next(&self) -> Option<WizardStep> {
        WizardStep::ALL.into_iter().find(|step| !self.done.contains_key(step))
    }

    pub fn is_done(&self, step: WizardStep) -> bool {
        self.done.contains_key(&step)
    }

    pub fn is_over(&self) -> bool {
        self.is_done(WizardStep::Done)
    }

    /// What was answered at a step, to fill the form in again; `None` when the step is not done, or its
    /// answers are of another version and do not fit.
    pub fn answers<T: DeserializeOwned>(&self, step: WizardStep) -> Option<T> {
        self.done.get(&step).and_then(|answers| T::deserialize(answers).ok())
    }
}

impl State {
    pub async fn wizard(&self) -> Result<WizardProgress, StateError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT step, answers FROM wizard_step")
            .fetch_all(&self.readers)
            .await
            .map_err(StateError::query("read the wizard's progress"))?;
        let mut done = BTreeMap::new();
        for (step, answers) in rows {
            let answers = serde_json::from_str(&answers)
                .map_err(|error| StateError::Stored { what: "the wizard", source: error.into() })?;
            if let Some(step) = WizardStep::parse(&step) {
                done.insert(step, answers);
            }
        }
        Ok(WizardProgress { done })
    }

    /// Marks a step as done and keeps its answers. Doing it again replaces them.
    ///
    /// The answers are stored in clear: no token, no password.
    pub async fn complete_wizard_step(
        &self,
        now: Timestamp,
        step: WizardStep,
        answers: &impl Serialize,
    ) -> Result<(), StateError> {
        let answers = serde_json::to_string(answers)
            .map_err(|error| StateError::Stored { what: "the wizard", source: error.into() })?;
        sqlx::query(
            "INSERT INTO wizard_step (step, done_at, answers) VALUES (?1, ?2, ?3)
             ON CONFLICT (step) DO UPDATE SET done_at = excluded.done_at, answers = excluded.answers",
        )
        .bind(step.as_str())
        .bind(now.as_millisecond())
        .bind(answers)
        .execute(&self.writer)
        .await
        .map_err(StateError::query("keep the wizard's progress"))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, bench};
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Machine {
        host_name: String,
    }

    #[tokio::test]
    async fn the_wizard_is_resumed_where_it_was_left() {
        let bench = bench().await;
        assert_eq!(bench.state.wizard().await.unwrap().next(), Some(WizardStep::Machine));
        let answers = Machine { host_name: "wats-1".into() };
        bench.state.complete_wizard_step(at(0), WizardStep::Machine, &answers).await.unwrap();
        bench.state.close().await;

        let state = State::open(&bench.folder.path().join("appliance.db")).await.unwrap();
        let progress = state.wizard().await.unwrap();
        assert_eq!(progress.next(), Some(WizardStep::Server));
        assert_eq!(progress.answers(WizardStep::Machine), Some(answers));
        assert_eq!(progress.answers::<Machine>(WizardStep::Server), None);
    }

    #[tokio::test]
    async fn a_step_done_again_keeps_the_newer_answers() {
        let bench = bench().await;
        for name in ["first", "second"] {
            let answers = Machine { host_name: name.into() };
            bench.state.complete_wizard_step(at(0), WizardStep::Machine, &answers).await.unwrap();
        }
        let kept: Machine = bench.state.wizard().await.unwrap().answers(WizardStep::Machine).unwrap();
        assert_eq!(kept.host_name, "second");
    }

    #[tokio::test]
    async fn the_wizard_is_over_after_its_last_step() {
        let bench = bench().await;
        for step in WizardStep::ALL {
            let progress = bench.state.wizard().await.unwrap();
            assert!(!progress.is_over());
            assert_eq!(progress.next(), Some(step));
            bench.state.complete_wizard_step(at(0), step, &()).await.unwrap();
        }
        let progress = bench.state.wizard().await.unwrap();
        assert!(progress.is_over());
        assert_eq!(progress.next(), None);
    }

    #[test]
    fn every_step_reads_back_from_its_name() {
        for step in WizardStep::ALL {
            assert_eq!(WizardStep::parse(step.as_str()), Some(step));
        }
    }
}
