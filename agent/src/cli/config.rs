//! `wats-agent config`: what is in force, what was, and going back. Asks the agent; without one it reads the files.

use std::fmt::Write;

use clap::Subcommand;
use serde_json::json;

use super::client;
use super::print::{print, print_json};
use crate::config::history::{History, diff};
use crate::config::{Document, Settings};
use crate::control::api::{
    ConfigChange, ConfigOrigin, ConfigState, ConfigVersion, ConfigVersionInfo, Configuration, RollBack,
};
use crate::control::client::{ControlClient, ControlError};

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show the configuration that is in force.
    Show {
        /// Every key with the value that holds, also those that the file leaves out.
        #[arg(long)]
        all: bool,
    },
    /// List the configurations that were in force, newest first.
    History,
    /// Show what changed between two configurations of the history.
    Diff {
        /// The number of the older one; without it, the last but one.
        from: Option<u64>,
        /// The number of the newer one; without it, the last.
        to: Option<u64>,
    },
    /// Put a configuration of the history into force again.
    Rollback {
        /// Its number, as `history` lists it.
        number: u64,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
        /// Also over an edit of the file that is not in force; a copy of it is kept.
        #[arg(long)]
        replace: bool,
    },
}

/// Does what was asked for.
pub(super) async fn run(settings: &Settings, command: &ConfigCommand, json: bool) -> anyhow::Result<()> {
    let shelf =
        Shelf { client: client(settings)?, settings, history: History::new(&settings.storage_folder()) };
    match *command {
        ConfigCommand::Show { all } => {
            let shown = shelf.show().await?;
            if json {
                return print_json(&shown);
            }
            print(if all { &shown.in_force } else { &shown.text })
        }
        ConfigCommand::History => {
            let list = shelf.list().await?;
            if json { print_json(&list) } else { print(&table(&list)) }
        }
        ConfigCommand::Diff { from, to } => {
            let (from, to) = shelf.pair(from, to).await?;
            let (from, to) = (shelf.version(from).await?, shelf.version(to).await?);
            let name = |it: &ConfigVersion| format!("{} {}", it.info.number, it.info.at);
            let text = diff((&name(&from), &from.text), (&name(&to), &to.text));
            if json {
                return print_json(&json!({"from": from.info, "to": to.info, "diff": text}));
            }
            print(if text.is_empty() { "they are the same\n" } else { &text })
        }
        ConfigCommand::Rollback { number, dry_run, replace } => {
            let change = shelf.roll_back(RollBack { number, dry_run, replace }).await?;
            if json { print_json(&change) } else { print(&describe(number, dry_run, &change)) }
        }
    }
}

/// Where configurations are had from.
struct Shelf<'a> {
    client: ControlClient,
    settings: &'a Settings,
    history: History,
}

impl Shelf<'_> {
    async fn show(&self) -> anyhow::Result<Configuration> {
        match self.client.config().await {
            Err(ControlError::Unreachable { .. }) => {}
            answer => return Ok(answer?),
        }
        let Document { text, settings } = Document::load(&self.settings.path)?;
        let state = ConfigState { version: self.history.newest(), ..ConfigState::default() };
        Ok(Configuration {
            path: settings.path.display().to_string(),
            writable: settings.is_writable(),
            text,
            in_force: toml::to_string_pretty(&settings.config)?,
            state,
        })
    }

    async fn list(&self) -> anyhow::Result<Vec<ConfigVersionInfo>> {
        match self.client.config_history().await {
            Err(ControlError::Unreachable { .. }) => Ok(self.history.list()?),
            answer => Ok(answer?),
        }
    }

    async fn version(&self, number: u64) -> anyhow::Result<ConfigVersion> {
        match self.client.config_version(number).await {
            Err(ControlError::Unreachable { .. }) => Ok(self.history.version(number)?),
            answer => Ok(answer?),
        }
    }

    /// The two to compare: those named, else the last and the one before.
    async fn pair(&self, from: Option<u64>, to: Option<u64>) -> anyhow::Result<(u64, u64)> {
        if let (Some(from), Some(to)) = (from, to) {
            return Ok((from, to));
        }
        let mut newest = self.list().await?.into_iter().map(|it| it.number);
        let none = || anyhow::anyhow!("the history holds fewer than two configurations");
        let to = newest.next().ok_or_else(none)?;
        match from {
            Some(from) => Ok((from, to)),
            None => Ok((newest.next().ok_or_else(none)?, to)),
        }
    }

    async fn roll_back(&self, wish: RollBack) -> anyhow::Result<ConfigChange> {
        match self.client.roll_back_config(&wish).await {
            Err(ControlError::Unreachable { .. }) => {}
            answer => return Ok(answer?),
        }
        // No agent: the file is replaced, and taken at the next start.
        let ConfigVersion { text, .. } = self.history.version(wish.number)?;
        let settings = Settings::parse(&self.settings.path, &text)?;
        let present = crate::config::read_text(&settings.path).unwrap_or_default();
        let diff = diff(("present", &present), ("new", &text));
        let mut change = ConfigChange { diff, restart: Vec::new(), version: None, set_aside: None };
        if wish.dry_run {
            return Ok(change);
        }
        if Settings::parse(&settings.path, &present).is_err() && !present.is_empty() {
            change.set_aside = Some(self.history.set_aside(&present)?.display().to_string());
        }
        settings.write(&text)?;
        let by = crate::system::user_name();
        let now = jiff::Timestamp::now();
        change.version = Some(self.history.add(&text, ConfigOrigin::RollBack, by, now)?);
        Ok(change)
    }
}

fn table(list: &[ConfigVersionInfo]) -> String {
    if list.is_empty() {
        return "there is no configuration in the history yet: the agent has not run\n".to_owned();
    }
    let mut text = String::new();
    for it in list {
        let by = it.by.as_deref().unwrap_or("-");
        let (origin, hash) = (it.origin.as_str(), it.sha256.get(..12).unwrap_or_default());
        // Writing into a text cannot fail.
        writeln!(text, "{:>6}  {:.0}  {origin:<9}  {by:<14}  {hash}", it.number, it.at).ok();
    }
    text
}

fn describe(number: u64, dry_run: bool, change: &ConfigChange) -> String {
    let mut text = change.diff.clone();
    if change.diff.is_empty() {
        text.push_str("nothing changes: it is the one that is there\n");
    }
    if let Some(copy) = &change.set_aside {
        text.push_str(&format!("the file that was replaced is kept as {copy}\n"));
    }
    if !change.restart.is_empty() {
        text.push_str(&format!("from the next start on: {}\n", change.restart.join(", ")));
    }
    text.push_str(&match (dry_run, &change.version) {
        (true, _) => "nothing was changed: this was a dry run\n".to_owned(),
        (false, Some(version)) => {
            format!("configuration {number} is in force again, as number {}\n", version.number)
        }
        (false, None) => format!("configuration {number} is in force again\n"),
    });
    text
}
