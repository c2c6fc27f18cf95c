//! `sources` and `upload`: the watched folders.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use clap::Subcommand;
use serde_json::{Map, Value, json};
use tokio::io::AsyncReadExt;

use super::convert::key_value;
use super::print::{print, show};
use super::read_input;
use crate::config::Settings;
use crate::control::api::{Changed, SourceSettings, SourceState, SourceStatus, StoredFile};
use crate::control::client::{ControlClient, ControlError};

/// So much of a file is read at once.
const PIECE: usize = 64 * 1024;
/// A file that the agent has no time for now is tried again so often, after so long.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// What can be done with the watched folders.
#[derive(Debug, Subcommand)]
pub(super) enum SourcesCommand {
    /// List the watched folders.
    List,
    /// Show one with all its settings.
    Show { name: String },
    /// Watch another folder.
    Add {
        /// Lower-case letters, digits and dashes.
        name: String,
        #[command(flatten)]
        wish: Wish,
    },
    /// Change what the options say; everything else stays.
    Change {
        name: String,
        #[command(flatten)]
        wish: Wish,
    },
    /// Stop watching; the files stay where they are.
    Remove { name: String },
    /// Take no files of this source.
    Pause { name: String },
    /// Take files of this source again.
    Resume { name: String },
}

/// Settings of a source.
#[derive(Debug, clap::Args)]
pub(super) struct Wish {
    /// The converter: see `wats-agent converters`.
    #[arg(long, value_name = "NAME")]
    converter: Option<String>,
    /// The folder, an absolute path; without it /srv/wats/INSTANCE/NAME.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
    /// A pattern of file names, like *.xml; can be given several times.
    #[arg(long = "pattern", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// An argument of the converter; can be given several times.
    #[arg(long = "arg", value_name = "KEY=VALUE", value_parser = key_value)]
    arguments: Vec<(String, String)>,
    /// What becomes of a file once its reports are stored.
    #[arg(long, value_parser = ["archive", "keep", "delete", "zip"])]
    after: Option<String>,
    /// From 1, the most urgent, to 10.
    #[arg(long)]
    priority: Option<u32>,
    /// All settings as JSON, in the form of `sources show --json`, member `settings`; the other options go over
    /// it. - reads standard input.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
}

impl Wish {
    /// The settings, with `present` where there are some already.
    fn settings(&self, name: &str, present: Option<&SourceSettings>) -> anyhow::Result<SourceSettings> {
        let mut members: Map<String, Value> = match (&self.settings, present) {
            (Some(file), _) => {
                let text = read_input(file).with_context(|| format!("could not read {}", file.display()))?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} is no JSON object", file.display()))?
            }
            (None, Some(present)) => {
                serde_json::from_value(serde_json::to_value(present)?).context("the present settings")?
            }
            (None, None) => Map::new(),
        };
        members.entry("name").or_insert(json!(name));
        let wishes = [
            ("converter", self.converter.as_ref().map(|it| json!(it))),
            ("folder", self.folder.as_ref().map(|it| json!(it))),
            ("file_patterns", (!self.patterns.is_empty()).then(|| json!(self.patterns))),
            ("after", self.after.as_ref().map(|it| json!(it))),
            ("priority", self.priority.map(|it| json!(it))),
        ];
        for (member, value) in wishes {
            if let Some(value) = value {
                members.insert(member.to_owned(), value);
            }
        }
        if !self.arguments.is_empty() {
            let arguments = members.entry("arguments").or_insert(json!({}));
            let arguments = arguments.as_object_mut().context("arguments is no JSON object")?;
            arguments.extend(self.arguments.iter().map(|(key, value)| (key.clone(), json!(value))));
        }
        serde_json::from_value(Value::Object(members)).context("the settings of the source are not right")
    }
}

/// Does what was asked for with the sources.
pub(super) async fn run(settings: &Settings, command: &SourcesCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    let one = match command {
        SourcesCommand::List => {
            return show(json, &client.sources().await?, |sources| match sources.as_slice() {
                [] => "no folder is watched: wats-agent sources add NAME --converter NAME\n".to_owned(),
                sources => sources.iter().map(line).collect(),
            });
        }
        SourcesCommand::Remove { name } => {
            client.remove_source(name).await?;
            if json {
                return show(true, &Changed { count: 1, ..Changed::default() }, |_| String::new());
            }
            return print(&format!("{name} is watched no more; its files stay where they are\n"));
        }
        SourcesCommand::Show { name } => client.source(name).await?,
        SourcesCommand::Add { name, wish } => client.add_source(&wish.settings(name, None)?).await?,
        SourcesCommand::Change { name, wish } => {
            let present = client.source(name).await?.settings;
            client.change_source(name, &wish.settings(name, Some(&present))?).await?
        }
        SourcesCommand::Pause { name } => client.pause_source(name).await?,
        SourcesCommand::Resume { name } => client.resume_source(name).await?,
    };
    show(json, &one, describe)
}

/// Puts files into the folder of a source.
pub(super) async fn upload(
    settings: &Settings,
    source: &str,
    files: &[PathBuf],
    json: bool,
) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    let mut stored: Vec<StoredFile> = Vec::new();
    for file in files {
        let one = send_in_time(&client, source, file)
            .await
            .with_context(|| format!("could not upload {}", file.display()))?;
        if !json {
            print(&format!("{} is stored as {}, {} bytes\n", file.display(), one.name, one.size_bytes))?;
        }
        stored.push(one);
    }
    if json { show(true, &stored, |_| String::new()) } else { Ok(()) }
}

/// Sends the file; when many came before it, once the agent takes more.
async fn send_in_time(client: &ControlClient, source: &str, path: &Path) -> anyhow::Result<StoredFile> {
    for _ in 0..TRIES {
        match send(client, source, path).await {
            Err(error) if is_too_often(&error) => tokio::time::sleep(PAUSE).await,
            sent => return sent,
        }
    }
    send(client, source, path).await
}

fn is_too_often(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<ControlError>(), Some(ControlError::Refused { status: 429, .. }))
}

async fn send(client: &ControlClient, source: &str, path: &Path) -> anyhow::Result<StoredFile> {
    let name = path.file_name().context("it has no name")?.to_str().context("its name is not in UTF-8")?;
    let file = tokio::fs::File::open(path).await?;
    let content = futures_util::stream::try_unfold(file, |mut file| async {
        let mut piece = vec![0; PIECE];
        let length = file.read(&mut piece).await?;
        piece.truncate(length);
        Ok::<_, std::io::Error>((length > 0).then(|| (Bytes::from(piece), file)))
    });
    Ok(client.upload(source, name, content).await?)
}

fn line(source: &SourceStatus) -> String {
    let trouble = source.trouble.as_ref().map(|it| format!(": {it}")).unwrap_or_default();
    format!(
        "{:<20}  {:<8}  {:<16}  {}{trouble}\n",
        source.settings.name,
        state(source.state),
        source.settings.converter,
        source.folder
    )
}

fn describe(source: &SourceStatus) -> String {
    let mut text = line(source);
    text += &format!("files      {} converted, {} failed\n", source.files_converted, source.files_failed);
    text += &format!("priority   {}\n", source.settings.priority);
    for (key, value) in &source.settings.arguments {
        text += &format!("argument   {key} = {value:?}\n");
    }
    text
}

fn state(state: SourceState) -> &'static str {
    match state {
        SourceState::Watching => "watching",
        SourceState::Paused => "paused",
        SourceState::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(arguments: &[&str]) -> Wish {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            wish: Wish,
        }
        let line = std::iter::once("x").chain(arguments.iter().copied());
        <Line as clap::Parser>::parse_from(line).wish
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let first =
            wish(&["--converter", "wats-json", "--arg", "a=1", "--pattern", "*.x", "--priority", "3"]);
        let first = first.settings("line", None).unwrap();
        let change = wish(&["--arg", "b=2", "--after", "keep"]).settings("line", Some(&first)).unwrap();
        let arguments: Vec<_> =
            change.arguments.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(arguments, ["a=1", "b=2"]);
        assert_eq!((change.priority, change.file_patterns.as_slice()), (3, ["*.x".to_owned()].as_slice()));
        assert_eq!(change.after, crate::control::api::After::Keep);
    }

    #[test]
    fn what_is_missing_or_unknown_is_said() {
        let error = wish(&[]).settings("line", None).unwrap_err();
        assert!(format!("{error:#}").contains("missing field `converter`"), "{error:#}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.json");
        crate::files::replace_file(&file, 0o600, br#"{"converter":"wats-json","folders":"/x"}"#).unwrap();
        let error = wish(&["--settings", file.to_str().unwrap()]).settings("line", None).unwrap_err();
        assert!(format!("{error:#}").contains("folders"), "{error:#}");
    }
}
