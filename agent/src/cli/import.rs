//! `wats-agent import-pywats`: what a pyWATS client was set up to do, as a configuration of ours.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use serde_json::json;

use super::client;
use super::print::{print, print_json};
use crate::config::pywats::{Import, Outcome, Row};
use crate::config::{Config, Document, Settings, render};
use crate::control::api::{ConfigWish, Credential, ServerChange};
use crate::control::client::ControlClient;

/// What `import-pywats` is asked.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Configuration files of a pyWATS client: config_<instance>.json, client_config.json, config.json, pywats_api.json,
    /// client_credentials.json. What an earlier one says counts.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Put it into force in the running agent, credentials included.
    #[arg(long, conflicts_with = "output")]
    apply: bool,
    /// Write the configuration into this new file, without credentials.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Does what was asked for.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn run(config: &Path, args: &Args, as_json: bool) -> anyhow::Result<()> {
    let agent = match args.apply {
        true => Some(client(&Settings::whereabouts(config)?)?),
        false => None,
    };
    let base = base(config, args, agent.as_ref()).await?;
    let import = Import::of(&args.files, &base.settings);
    let text = render(&import.config, &base.text)?;
    let document = Settings::parse(&base.settings.path, &text);
    if !as_json {
        print(&describe(&import))?;
    }
    if !import.took_anything() {
        bail!("nothing could be taken: see above, or the rows of --json");
    }
    document.context("what was taken does not fit the configuration that it is put into")?;
    if let Some(agent) = &agent {
        apply(agent, &import, text.clone()).await?;
    }
    if let Some(output) = &args.output {
        let written = crate::files::create_file(output, 0o640, text.as_bytes());
        written.with_context(|| format!("could not write {}: is it there already?", output.display()))?;
    }
    if as_json {
        return print_json(&json!({
            "files": import.files,
            "rows": import.rows,
            "config": text,
            "has_credential": import.token.is_some(),
            "has_proxy_credential": import.proxy_credential.is_some(),
            "applied": args.apply,
        }));
    }
    print(&match (&args.output, args.apply) {
        (_, true) => {
            "\nIt is in force. Compare it with the client, and stop that: two would take the same files.\n"
                .to_owned()
        }
        (Some(output), _) => {
            format!("\nThe configuration is in {}; credentials are not in it.\n", output.display())
        }
        (None, _) => {
            format!("\nNothing was changed. --apply puts this into force, --output FILE writes it:\n\n{text}")
        }
    })
}

/// The configuration that it is put into: that of the agent, that of the file, or an empty one.
async fn base(config: &Path, args: &Args, agent: Option<&ControlClient>) -> anyhow::Result<Document> {
    if let Some(agent) = agent {
        let text = agent.config().await?.text;
        return Ok(Document { settings: Settings::parse(config, &text)?, text });
    }
    let path = args.output.as_deref().unwrap_or(config);
    match Document::load(config) {
        Ok(document) => {
            let settings = Settings::parse(path, &document.text)?;
            Ok(Document { settings, ..document })
        }
        Err(crate::config::ConfigError::Read { .. }) => {
            let text = "version = 1\n".to_owned();
            Ok(Document { settings: Settings::parse(path, &text)?, text })
        }
        Err(error) => Err(error.into()),
    }
}

async fn apply(agent: &ControlClient, import: &Import, text: String) -> anyhow::Result<()> {
    agent.replace_config(text, ConfigWish { import: true, ..ConfigWish::default() }).await?;
    if import.token.is_none() && import.proxy_credential.is_none() {
        return Ok(());
    }
    let Config { server, .. } = &import.config;
    let Some(url) = server.url.clone() else {
        bail!(
            "the configuration is in force, but no server is known that the credential is for: enter both in the console"
        );
    };
    let credential = import
        .token
        .as_ref()
        .map(|token| Credential::Token(token.expose().expose_secret().to_owned().into()));
    let change = ServerChange {
        url,
        proxy: server.proxy.clone(),
        extra_ca: server.extra_ca.clone(),
        credential,
        proxy_credential: import.proxy_credential.clone(),
    };
    agent.change_server(&change).await.context("the configuration is in force, but not the credential")?;
    Ok(())
}

fn describe(import: &Import) -> String {
    let mut text = String::new();
    for (outcome, title) in [
        (Outcome::Taken, "Taken as it is"),
        (Outcome::Translated, "Translated"),
        (Outcome::NotTaken, "Not taken"),
    ] {
        let rows: Vec<&Row> = import.rows.iter().filter(|row| row.outcome == outcome).collect();
        if rows.is_empty() {
            continue;
        }
        text.push_str(&format!("{title} ({})\n", rows.len()));
        for row in rows {
            text.push_str(&line(row));
        }
    }
    text
}

fn line(row: &Row) -> String {
    if row.key.is_empty() {
        return format!("  {}: {}\n", row.file, row.why);
    }
    let mut line = format!("  {} = {}\n", row.key, row.from);
    let why = if row.why.is_empty() { String::new() } else { format!(" ({})", row.why) };
    match row.to.is_empty() {
        true => line.push_str(&format!("      {}\n", row.why)),
        false => line.push_str(&format!("      -> {}{why}\n", row.to)),
    }
    line
}
