//! The configuration file beside what is in force: taken in when it is right, left alone when it is not.

use jiff::Timestamp;

use super::{Agent, ChangeError, lock};
use crate::config::history::diff;
use crate::config::{ConfigError, Settings, keep_until_restart, read_text};
use crate::control::api::{
    ConfigChange, ConfigOrigin, ConfigState, ConfigVersion, ConfigVersionInfo, ConfigWish, Configuration,
};

/// What is known of the file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// The text that was last loaded or saved; `None` for an agent that does not look.
    pub(super) text: Option<String>,
    /// What it says, without the environment.
    pub(super) settings: Settings,
    /// A text that was refused, so that it is complained about once.
    pub(super) refused: Option<Result<String, String>>,
}

impl Agent {
    /// How the configuration file and what is in force stand to each other.
    pub fn config_state(&self) -> ConfigState {
        lock(&self.0.config).clone()
    }

    /// The configuration in force.
    pub async fn configuration(&self) -> Configuration {
        let file = self.0.file.lock().await;
        let settings = self.settings();
        let all = |settings: &Settings| toml::to_string_pretty(&settings.config).unwrap_or_default();
        Configuration {
            path: settings.path.display().to_string(),
            writable: settings.is_writable(),
            text: file.text.clone().unwrap_or_else(|| all(&file.settings)),
            in_force: all(&settings),
            state: self.config_state(),
        }
    }

    /// Every configuration that was in force, newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn config_history(&self) -> Result<Vec<ConfigVersionInfo>, ChangeError> {
        Ok(self.0.history.list()?)
    }

    /// One of them.
    ///
    /// # Errors
    /// When there is none of that number, or it was changed.
    pub fn config_version(&self, number: u64) -> Result<ConfigVersion, ChangeError> {
        Ok(self.0.history.version(number)?)
    }

    /// Replaces the whole file and puts it into force.
    ///
    /// # Errors
    /// When the text is wrong, the file cannot be written, or holds an edit that is not in force.
    pub async fn replace_config(
        &self,
        text: String,
        origin: ConfigOrigin,
        wish: ConfigWish,
    ) -> Result<ConfigChange, ChangeError> {
        let mut file = self.0.file.lock().await;
        let mut set_aside = None;
        if !wish.dry_run {
            match self.take_edit(&mut file) {
                Err(ChangeError::Unloaded { .. }) if wish.replace => {
                    if let Ok(edit) = read_text(&file.settings.path) {
                        let path = self.0.history.set_aside(&edit).map_err(ChangeError::SetAside)?;
                        set_aside = Some(path.display().to_string());
                    }
                }
                done => done?,
            }
        }
        let settings = match Settings::parse(&file.settings.path, &text) {
            Ok(settings) => settings,
            Err(ConfigError::Wrong { mistakes, .. }) => return Err(ChangeError::Wrong { mistakes }),
            Err(error) => return Err(ChangeError::Unloaded { why: vec![error.to_string()] }),
        };
        let before = file.text.clone().unwrap_or_default();
        let diff = diff(("in force", &before), ("new", &text));
        if wish.dry_run {
            let restart = self.in_force(&settings).1;
            return Ok(ConfigChange { diff, restart, version: None, set_aside });
        }
        settings.write(&text)?;
        self.put_into_force(&mut file, text, settings, origin);
        let ConfigState { version, restart, .. } = self.config_state();
        Ok(ConfigChange { diff, restart, version, set_aside })
    }

    /// Puts a configuration of the history into force again.
    ///
    /// # Errors
    /// As [`Self::replace_config`]; also when there is none of that number.
    pub async fn roll_back(&self, number: u64, wish: ConfigWish) -> Result<ConfigChange, ChangeError> {
        let version = self.config_version(number)?;
        self.replace_config(version.text, ConfigOrigin::RollBack, wish).await
    }

    /// Looks at the file again, if it says what was read from it a moment ago.
    pub(super) async fn look_at_file(&self, read: Result<String, String>) {
        let mut file = self.0.file.lock().await;
        let now = read_text(&file.settings.path).map_err(|error| error.to_string());
        // Otherwise it changes right now: it is looked at when it rests.
        if now == read {
            self.take(&mut file, read).ok();
        }
    }

    /// Takes in what a person wrote into the file since it was last looked at.
    pub(super) fn take_edit(&self, file: &mut ConfigFile) -> Result<(), ChangeError> {
        if file.text.is_none() {
            return Ok(());
        }
        let read = read_text(&file.settings.path).map_err(|error| error.to_string());
        self.take(file, read).map_err(|why| ChangeError::Unloaded { why })
    }

    fn take(&self, file: &mut ConfigFile, read: Result<String, String>) -> Result<(), Vec<String>> {
        if file.text.is_some() && read.as_ref().ok() == file.text.as_ref() {
            if file.refused.take().is_some() {
                tracing::info!("the configuration file is again the one that is in force");
                lock(&self.0.config).problems.clear();
            }
            return Ok(());
        }
        if file.refused.as_ref() == Some(&read) {
            return Err(self.config_state().problems);
        }
        let path = file.settings.path.clone();
        let checked = match &read {
            Err(error) => Err(vec![format!("{}: cannot be read: {error}", path.display())]),
            // A file that is just being written is empty at first.
            Ok(text) if text.trim().is_empty() => {
                let words = "is empty: for an agent with nothing set up write version = 1";
                Err(vec![format!("{}: {words}", path.display())])
            }
            Ok(text) => Settings::parse(&path, text).map_err(|error| match error {
                ConfigError::Wrong { mistakes, .. } => {
                    mistakes.iter().map(|mistake| format!("{}: {mistake}", path.display())).collect()
                }
                error => vec![error.to_string()],
            }),
        };
        match (checked, read) {
            (Ok(settings), Ok(text)) => {
                self.put_into_force(file, text, settings, ConfigOrigin::File);
                Ok(())
            }
            (Err(problems), read) => {
                let words = problems.join("; ");
                tracing::error!(
                    "the configuration file is wrong, and the configuration of before stays in force: {words}"
                );
                file.refused = Some(read);
                lock(&self.0.config).problems.clone_from(&problems);
                Err(problems)
            }
            (Ok(_), Err(error)) => Err(vec![error]),
        }
    }

    /// The settings that a file leads to now, and the keys that have to wait.
    fn in_force(&self, file: &Settings) -> (Settings, Vec<String>) {
        let mut settings = file.clone();
        self.0.environment.fill(&mut settings.config);
        let waiting = keep_until_restart(&self.settings().config, &mut settings.config);
        settings.find_plugins();
        (settings, waiting.into_iter().map(str::to_owned).collect())
    }

    /// What is on disk is in force from here on.
    pub(super) fn put_into_force(
        &self,
        file: &mut ConfigFile,
        text: String,
        settings: Settings,
        origin: ConfigOrigin,
    ) {
        let (in_force, restart) = self.in_force(&settings);
        self.remember(&text, origin);
        {
            let mut state = lock(&self.0.config);
            state.problems.clear();
            state.restart.clone_from(&restart);
        }
        let what = changes(&self.settings(), &in_force);
        if !what.is_empty() {
            tracing::info!(origin = origin.as_str(), "the configuration changed: {}", what.join(", "));
        }
        if !restart.is_empty() {
            tracing::warn!("these settings hold from the next start on: {}", restart.join(", "));
        }
        // An agent that does not look at its file goes on like that.
        file.text = file.text.is_some().then_some(text);
        file.settings = settings;
        file.refused = None;
        self.0.settings.send_if_modified(|current| {
            let changed = **current != in_force;
            if changed {
                *current = in_force.into();
            }
            changed
        });
    }

    /// Writes a configuration that came into force into the history. That it does not work hinders nothing else.
    pub(super) fn remember(&self, text: &str, origin: ConfigOrigin) {
        let by = crate::control::caller().filter(|_| origin != ConfigOrigin::File);
        let kept = self.0.history.add(text, origin, by, Timestamp::now());
        if let Err(error) = &kept {
            tracing::warn!(%error, "could not keep the configuration in the history");
        }
        lock(&self.0.config).version = kept.ok();
    }
}

/// What is another in the new settings, in words.
fn changes(before: &Settings, after: &Settings) -> Vec<String> {
    let (Ok(old), Ok(new)) = (toml::Table::try_from(&before.config), toml::Table::try_from(&after.config))
    else {
        return Vec::new();
    };
    let tables = new.iter().filter(|(key, value)| *key != "sources" && old.get(*key) != Some(value));
    let mut words: Vec<String> = tables.map(|(key, _)| key.clone()).collect();
    for source in &after.config.sources {
        match before.source(&source.name) {
            None => words.push(format!("source {} is new", source.name)),
            Some(old) if old != source => words.push(format!("source {}", source.name)),
            Some(_) => {}
        }
    }
    let gone = before.config.sources.iter().filter(|it| after.source(&it.name).is_none());
    words.extend(gone.map(|it| format!("source {} is gone", it.name)));
    words
}
