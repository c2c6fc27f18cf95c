//! Changing the settings through the control API, one by one.

use super::Agent;
use crate::config::history::HistoryError;
use crate::config::{Config, Mistake, SaveError, problems, render, source_problems, station_problems};
use crate::control::api::{ConfigOrigin, Paused, Problem, SourceSettings, Station};
use crate::plugins::name_of;

/// Why a change of the settings was not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("{}", words(problems))]
    Invalid { problems: Vec<Problem> },
    /// A whole text with its mistakes: line and key.
    #[error("{}", lines(mistakes))]
    Wrong { mistakes: Vec<Mistake> },
    #[error("there is no source {name:?}")]
    UnknownSource { name: String },
    #[error(
        "the configuration file was changed by hand and is not in force, because it is wrong. Nothing was saved, so \
         that this edit is not lost: mend the file, or replace it by an earlier configuration with 'wats-agent config \
         rollback --replace'. {}", why.join("; ")
    )]
    Unloaded { why: Vec<String> },
    #[error(transparent)]
    Save(#[from] SaveError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("could not keep a copy of the file that is to be replaced; nothing was changed")]
    SetAside(#[source] std::io::Error),
}

fn words(problems: &[Problem]) -> String {
    let words: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    words.join("; ")
}

fn lines(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Changing the settings: checked, written to the file, and only then in force.
impl Agent {
    /// Replaces the station.
    ///
    /// # Errors
    /// When it is not right or the file cannot be written; the old one then stays in force.
    pub async fn set_station(&self, station: Station) -> Result<(), ChangeError> {
        let wrong = station_problems(&station);
        if !wrong.is_empty() {
            return Err(ChangeError::Invalid { problems: wrong });
        }
        self.change(|config| {
            config.station = station;
            Ok(())
        })
        .await
    }

    /// Adds a source; it is watched at once.
    ///
    /// # Errors
    /// When it is not right or the file cannot be written.
    pub async fn add_source(&self, source: SourceSettings) -> Result<(), ChangeError> {
        self.check_source(&source, None)?;
        self.change(|config| {
            config.sources.push(source);
            Ok(())
        })
        .await
    }

    /// Replaces the source of that name.
    ///
    /// # Errors
    /// When there is none, the new one is not right, or the file cannot be written.
    pub async fn replace_source(&self, name: &str, source: SourceSettings) -> Result<(), ChangeError> {
        self.check_source(&source, Some(name))?;
        self.change_source(name, |place| *place = source).await
    }

    /// Pauses or resumes the source of that name.
    ///
    /// # Errors
    /// When there is none, or the file cannot be written.
    pub async fn pause_source(&self, name: &str, paused: bool) -> Result<(), ChangeError> {
        self.change_source(name, |source| source.paused = paused).await
    }

    /// Pauses or resumes taking files, or sending reports, as a whole; it stays so over a restart.
    ///
    /// # Errors
    /// When the file cannot be written; nothing is then changed.
    pub async fn pause(&self, paused: Paused) -> Result<(), ChangeError> {
        if self.settings().paused() == paused {
            return Ok(());
        }
        self.change(|config| {
            config.intake.paused = paused.intake;
            config.delivery.paused = paused.delivery;
            Ok(())
        })
        .await
    }

    /// Stops watching a folder; its files stay where they are.
    ///
    /// # Errors
    /// When there is none of that name, or the file cannot be written.
    pub async fn remove_source(&self, name: &str) -> Result<(), ChangeError> {
        self.change(|config| {
            let before = config.sources.len();
            config.sources.retain(|source| source.name != name);
            if config.sources.len() == before { Err(unknown_source(name)) } else { Ok(()) }
        })
        .await
    }

    /// Changes anything in the configuration.
    ///
    /// What a person wrote into the file meanwhile is taken in first, and not overwritten if it is wrong.
    ///
    /// # Errors
    /// What `edit` says, all that is then wrong in the whole, or that the file cannot be written.
    pub async fn change(
        &self,
        edit: impl FnOnce(&mut Config) -> Result<(), ChangeError>,
    ) -> Result<(), ChangeError> {
        let mut file = self.0.file.lock().await;
        self.take_edit(&mut file)?;
        let mut settings = file.settings.clone();
        edit(&mut settings.config)?;
        self.0.environment.take_out(&file.settings.config, &mut settings.config);
        settings.find_plugins();
        let wrong = problems(&settings);
        if !wrong.is_empty() {
            return Err(ChangeError::Invalid { problems: wrong });
        }
        let before = file.text.as_deref().unwrap_or_default();
        let text = render(&settings.config, before).map_err(SaveError::from)?;
        settings.write(&text)?;
        self.put_into_force(&mut file, text, settings, ConfigOrigin::Api);
        Ok(())
    }

    async fn change_source(
        &self,
        name: &str,
        edit: impl FnOnce(&mut SourceSettings),
    ) -> Result<(), ChangeError> {
        self.change(|config| {
            let place = config.sources.iter_mut().find(|source| source.name == name);
            edit(place.ok_or_else(|| unknown_source(name))?);
            Ok(())
        })
        .await
    }

    /// Checks one source before the whole, so that the keys of the problems are those of the source.
    fn check_source(&self, source: &SourceSettings, replaced: Option<&str>) -> Result<(), ChangeError> {
        let settings = self.settings();
        let mut others = settings.config.sources.clone();
        if let Some(name) = replaced {
            others.retain(|other| other.name != name);
        }
        let mut wrong = source_problems(&settings, source, &others);
        // In a file it may name a plug-in that is still to be enabled; who asks now is told.
        if let Some(name) =
            name_of(&source.converter).filter(|_| settings.plugins.find(&source.converter).is_none())
        {
            wrong.push(Problem {
                field: Some("converter".to_owned()),
                message: settings.plugins.unknown(name),
            });
        }
        if wrong.is_empty() { Ok(()) } else { Err(ChangeError::Invalid { problems: wrong }) }
    }
}

fn unknown_source(name: &str) -> ChangeError {
    ChangeError::UnknownSource { name: name.to_owned() }
}
