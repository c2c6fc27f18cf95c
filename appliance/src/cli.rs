//! The command line.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use nix::unistd::{Gid, Uid, User, setgid, setgroups, setuid};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::provision::{Identity, fingerprint, provision};
use crate::state::State;
use crate::system::api::UpdateKind;
use crate::system::daemon::{Daemon, listen, serve};
use crate::system::runner::Runner;
use crate::system::{client, host, updates};
use crate::tty;

/// Looks after the WATS appliance: what needs root, what is made at first boot, the machine's screen.
#[derive(Debug, clap::Parser)]
#[command(name = "wats-appliance", version)]
pub struct Args {
    /// Folder of the appliance's own state, which belongs to the console.
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/wats-appliance")]
    state_dir: PathBuf,
    /// Folder of the system daemon's state, which belongs to root.
    #[arg(long, global = true, value_name = "DIR", default_value = "/var/lib/wats-appliance-system")]
    system_state_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the operations that need root to the web console.
    Daemon {
        #[arg(long, value_name = "PATH", default_value = client::SOCKET)]
        socket: PathBuf,
        /// A user, besides root, who may call; can be given several times.
        #[arg(long = "allow-user", value_name = "NAME", default_value = "wats-console")]
        allow_users: Vec<String>,
    },
    /// Make what is missing: the certificate, and the setup code of a machine that nobody has claimed.
    Provision,
    /// Show the appliance's address and setup code on this terminal, and ask for a login after Enter.
    Tty {
        /// Name of the terminal: tty1, ttyS0.
        line: String,
    },
    /// Show addresses, certificate fingerprint, and whether the machine is claimed.
    Status,
    /// Remove all accounts and make a new setup code, for an administrator who is locked out.
    ResetAdmin,
    /// Fetch or install updates; started by the daemon as a unit of its own.
    #[command(hide = true)]
    UpdateRun { kind: Kind },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Check,
    Install,
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong, to be shown as one message.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (state_dir, system_dir) = (args.state_dir, args.system_state_dir);
    match args.command {
        Command::Daemon { socket, allow_users } => daemon(&socket, &system_dir, allow_users).await,
        Command::Provision => {
            let identity = identity();
            let done = provision(&state_dir, &identity, Timestamp::now()).await?;
            if done.new_certificate {
                tracing::info!("made a certificate: SHA-256 {}", fingerprint(&state_dir).unwrap_or_default());
            }
            if done.new_code {
                tracing::info!("made a setup code; it is on the machine's screen");
            }
            Ok(())
        }
        Command::Tty { line } => tty::show(&state_dir, &line).context("showing the screen"),
        Command::Status => status(&state_dir).await,
        Command::ResetAdmin => reset_admin(&state_dir).await,
        Command::UpdateRun { kind } => {
            let kind = match kind {
                Kind::Check => UpdateKind::Check,
                Kind::Install => UpdateKind::Install,
            };
            Ok(updates::run(&Runner::default(), &system_dir, kind).await?)
        }
    }
}

fn identity() -> Identity {
    let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Identity { host_name: host_name.trim().to_owned(), addresses: host::addresses() }
}

async fn daemon(socket: &Path, system_dir: &Path, allowed: Vec<String>) -> anyhow::Result<()> {
    let listener = listen(socket, "wats-console").await?;
    let daemon = Daemon::new(Runner::default(), Path::new("/"), system_dir, allowed);
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
        notify(&[NotifyState::Stopping]);
        token.cancel();
    });
    if let Some(patience) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            loop {
                notify(&[NotifyState::Watchdog]);
                tokio::time::sleep(patience / 3).await;
            }
        });
    }
    notify(&[NotifyState::Ready]);
    tracing::info!("serving {}", socket.display());
    Ok(serve(listener, daemon, stop).await?)
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "could not notify systemd");
    }
}

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
async fn status(state_dir: &Path) -> anyhow::Result<()> {
    become_owner_of(state_dir)?;
    for address in host::addresses() {
        println!("Address:             {address}");
    }
    println!("Certificate SHA-256: {}", fingerprint(state_dir).unwrap_or_else(|| "none yet".to_owned()));
    let state = State::open(&state_dir.join("appliance.db")).await?;
    println!("Claimed:             {}", if state.is_claimed().await? { "yes" } else { "no" });
    state.close().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what the command is for")]
async fn reset_admin(state_dir: &Path) -> anyhow::Result<()> {
    become_owner_of(state_dir)?;
    let now = Timestamp::now();
    let state = State::open(&state_dir.join("appliance.db")).await?;
    state.remove_accounts(now).await?;
    state.close().await;
    provision(state_dir, &identity(), now).await?;
    println!(
        "All accounts are removed. The machine's screen shows a new setup code; everything else is as it was."
    );
    Ok(())
}

/// What is written below the console's folder must belong to the console, or it could not write it any
/// more: root becomes that user, for good.
fn become_owner_of(state_dir: &Path) -> anyhow::Result<()> {
    let found = std::fs::metadata(state_dir)
        .with_context(|| format!("there is no appliance state in {}", state_dir.display()))?;
    let (owner, group) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    if Uid::effective() == owner {
        return Ok(());
    }
    if !Uid::effective().is_root() {
        let name = User::from_uid(owner).ok().flatten().map_or_else(|| owner.to_string(), |user| user.name);
        bail!("run this as root or as {name}");
    }
    setgroups(&[]).and_then(|()| setgid(group)).and_then(|()| setuid(owner)).context("leaving root's rights")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Args::command().debug_assert();
    }
}
