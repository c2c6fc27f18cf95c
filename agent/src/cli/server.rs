//! `server` and `station`: where reports go, and as whom. Secrets come from files, never from the command line.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use secrecy::SecretString;

use super::exit::CheckFailed;
use super::print::show;
use super::read_input;
use crate::config::Settings;
use crate::control::api::{
    ConnectionTest, Credential, Outcome, ServerChange, ServerSettings, Station, UserPassword,
};

/// What can be done with the connection to the server.
#[derive(Debug, Subcommand)]
pub(super) enum ServerCommand {
    /// Show the settings, without the secret.
    Show,
    /// Change what the options say; everything else stays.
    Set(Wish),
    /// Try the connection, with the options in the place of what is set; nothing is kept.
    Test(Wish),
}

/// Settings of the server.
#[derive(Debug, clap::Args)]
pub(super) struct Wish {
    /// Its address, like https://customer.wats.com.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// A file with the token, as the server gave it; - reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// A user name, in the place of a token.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    user: Option<String>,
    /// A file with the user's password; - reads standard input.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// A proxy, like http://proxy:8080.
    #[arg(long, value_name = "URL", conflicts_with = "no_proxy")]
    proxy: Option<String>,
    /// Use no proxy.
    #[arg(long)]
    no_proxy: bool,
    /// A user name for the proxy.
    #[arg(long, value_name = "NAME", requires = "proxy_password_file")]
    proxy_user: Option<String>,
    /// A file with the password for the proxy; - reads standard input.
    #[arg(long, value_name = "FILE", requires = "proxy_user")]
    proxy_password_file: Option<PathBuf>,
    /// A file with extra root certificates, PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "no_ca")]
    ca: Option<PathBuf>,
    /// Use no extra root certificates.
    #[arg(long)]
    no_ca: bool,
}

impl Wish {
    fn change(&self, present: ServerSettings) -> anyhow::Result<ServerChange> {
        let Some(url) = self.url.clone().or(present.url) else {
            bail!("no server is set up yet: give its address with --url");
        };
        let user_password = |user: &Option<String>, file: &Option<PathBuf>| match (user, file) {
            (Some(user), Some(file)) => {
                Ok(Some(UserPassword { user: user.clone(), password: secret(file)? }))
            }
            _ => anyhow::Ok(None),
        };
        let credential = match &self.token_file {
            Some(file) => Some(Credential::Token(secret(file)?)),
            None => user_password(&self.user, &self.password_file)?.map(Credential::User),
        };
        let extra_ca = match &self.ca {
            Some(file) => Some(text(file)?),
            None => present.extra_ca.filter(|_| !self.no_ca),
        };
        Ok(ServerChange {
            url,
            proxy: self.proxy.clone().or(present.proxy).filter(|_| !self.no_proxy),
            extra_ca,
            credential,
            proxy_credential: user_password(&self.proxy_user, &self.proxy_password_file)?,
        })
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    let bytes = read_input(file).with_context(|| format!("could not read {}", file.display()))?;
    String::from_utf8(bytes).map_err(|_| anyhow::anyhow!("{} is no text in UTF-8", file.display()))
}

/// The one line of a file.
fn secret(file: &Path) -> anyhow::Result<SecretString> {
    Ok(text(file)?.trim_end_matches(['\r', '\n']).into())
}

/// Does what was asked for with the server.
pub(super) async fn run(settings: &Settings, command: &ServerCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    let present = client.server().await?;
    match command {
        ServerCommand::Show => show(json, &present, describe),
        ServerCommand::Set(wish) => {
            show(json, &client.change_server(&wish.change(present)?).await?, describe)
        }
        ServerCommand::Test(wish) => {
            let test = client.test_server(&wish.change(present)?).await?;
            show(json, &test, steps)?;
            if test.passed() {
                Ok(())
            } else {
                Err(CheckFailed("the server cannot be used yet".to_owned()).into())
            }
        }
    }
}

fn describe(server: &ServerSettings) -> String {
    let known = |it: bool| if it { "is kept" } else { "none" };
    format!(
        "address           {}\ncredential        {}\nproxy             {}\nproxy credential  {}\nextra roots       {}\n",
        server.url.as_deref().unwrap_or("not set up"),
        known(server.has_credential),
        server.proxy.as_deref().unwrap_or("none"),
        known(server.has_proxy_credential),
        known(server.extra_ca.is_some()),
    )
}

fn steps(test: &ConnectionTest) -> String {
    let mut text = String::new();
    for check in &test.checks {
        let outcome = match check.outcome {
            Outcome::Ok => "ok",
            Outcome::Warning => "warning",
            Outcome::Failed => "failed",
        };
        text += &format!("{outcome:<8}  {}\n", check.message);
        if let Some(advice) = &check.advice {
            text += &format!("          {advice}\n");
        }
    }
    text
}

/// What can be done with the station.
#[derive(Debug, Subcommand)]
pub(super) enum StationCommand {
    /// Show it.
    Show,
    /// Change what the options say; everything else stays.
    Set {
        #[arg(long)]
        name: Option<String>,
        #[arg(long)]
        location: Option<String>,
        #[arg(long)]
        purpose: Option<String>,
        /// In which local times in files are read, like Europe/Oslo.
        #[arg(long)]
        time_zone: Option<String>,
    },
}

/// Does what was asked for with the station.
pub(super) async fn station(settings: &Settings, command: &StationCommand, json: bool) -> anyhow::Result<()> {
    let client = super::client(settings)?;
    let mut station = client.station().await?;
    if let StationCommand::Set { name, location, purpose, time_zone } = command {
        let Station { name: a, location: b, purpose: c, time_zone: d } = &mut station;
        for (place, wish) in [(a, name), (b, location), (c, purpose), (d, time_zone)] {
            if let Some(wish) = wish {
                place.clone_from(wish);
            }
        }
        station = client.change_station(&station).await?;
    }
    show(json, &station, |it| {
        format!(
            "name       {}\nlocation   {}\npurpose    {}\ntime zone  {}\n",
            it.name, it.location, it.purpose, it.time_zone
        )
    })
}
