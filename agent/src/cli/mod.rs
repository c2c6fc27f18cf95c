//! The command line.

mod config;
mod convert;
mod import;
mod instances;
mod ledger;
mod recognise;
mod remote;
mod replay;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{Document, Environment, Settings, environment};
use crate::control::client::ControlError;
use crate::convert::worker;
use crate::secret::Made;

/// How long threads may take to end.
const GOODBYE: Duration = Duration::from_secs(1);

/// Watches folders, converts test results to WATS reports and delivers them.
#[derive(Debug, clap::Parser)]
#[command(name = "wats-agent", version)]
pub struct Args {
    /// The configuration file; its name is the instance's name. Without it $PYWATS_CONFIG, else
    /// /etc/wats-agent/default.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// Reads the command line; a wrong one ends the process with an explanation.
    pub fn read() -> Self {
        clap::Parser::parse()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent until it is told to stop.
    Run {
        /// Keep credentials under the key in this file, instead of the one systemd hands over.
        #[arg(long, value_name = "FILE")]
        machine_key: Option<PathBuf>,
    },
    /// Convert one file and print its reports as a JSON array.
    Convert(convert::Args),
    /// Say which format files have, how sure that is, and why; 5 when one has none that is known.
    #[command(alias = "recognize")]
    Recognise(recognise::Args),
    /// List the converters and their arguments.
    Converters {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Check the configuration file and say everything that is wrong in it.
    CheckConfig,
    /// Show the configuration in force and its history, compare, go back.
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Show how the running agent fares.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Look at the running agent's queue of reports, and send again or give up.
    Queue {
        #[command(subcommand)]
        command: remote::QueueCommand,
    },
    /// List the instances of this machine, whose configurations lie beside this one's.
    Instances {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Answer from the receipt ledger: what became of every file, provably.
    Ledger {
        #[command(subcommand)]
        command: ledger::LedgerCommand,
    },
    /// Read a pyWATS client's configuration and say what was taken, what was translated and what could not be.
    ImportPywats(import::Args),
    /// Register this machine as a client of the server, anew if it was registered before.
    Register {
        /// Read a token with the right to register from standard input, instead of using the agent's own.
        #[arg(long)]
        token_stdin: bool,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Take the registration back: the server hears no more of this machine but its reports.
    Unregister,
    /// Convert archived files again and send the reports that change.
    Replay(replay::Args),
    /// Show what was done about a damaged database, or confirm that you have seen it.
    Rescue {
        /// End the alarm.
        #[arg(long)]
        confirm: bool,
    },
    /// Make the machine key, under which credentials are kept; one that is there stays.
    MakeKey { path: PathBuf },
    /// Convert what comes on standard input; started by the agent itself.
    #[command(hide = true)]
    Worker,
    /// Look after a network mount as standard input says; started by the agent itself.
    #[command(hide = true)]
    Share,
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong, to be shown as one message.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = args.config.clone().unwrap_or_else(environment::default_path);
    match args.command {
        Command::Run { machine_key } => run_agent(&config, machine_key),
        Command::Convert(command) => convert::run(&command, args.config.as_deref()),
        Command::Recognise(command) => recognise::run(&command, args.config.as_deref()),
        Command::Converters { json } => convert::list(json),
        Command::CheckConfig => check_config(&config),
        Command::Config { command } => config::run(&Settings::whereabouts(&config)?, &command),
        Command::Status { json } => remote::status(&Settings::whereabouts(&config)?, json),
        Command::Queue { command } => remote::queue(&Settings::whereabouts(&config)?, &command),
        Command::Instances { json } => instances::list(&config, json),
        Command::Ledger { command } => ledger::run(&Settings::whereabouts(&config)?, &command),
        Command::ImportPywats(command) => import::run(&config, &command),
        Command::Register { token_stdin, json } => {
            remote::register(&Settings::whereabouts(&config)?, token_stdin, json)
        }
        Command::Unregister => remote::unregister(&Settings::whereabouts(&config)?),
        Command::Replay(command) => replay::run(&Settings::whereabouts(&config)?, &command),
        Command::Rescue { confirm } => remote::rescue(&Settings::whereabouts(&config)?, confirm),
        Command::MakeKey { path } => make_key(&path),
        Command::Worker => worker::run().context("talking to the agent"),
        Command::Share => crate::intake::share::run().context("talking to the agent"),
    }
}

/// What the process ends with: 3 when the agent that was asked does not run, 4 when another one runs on the
/// instance, 5 when a file was not recognised, else 1.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<crate::InstanceTaken>() {
        return 4;
    }
    if error.is::<recognise::NotRecognised>() {
        return 5;
    }
    match error.downcast_ref::<ControlError>() {
        Some(ControlError::Unreachable { .. }) => 3,
        _ => 1,
    }
}

#[expect(clippy::print_stdout, reason = "this is the answer of the command")]
fn make_key(path: &std::path::Path) -> anyhow::Result<()> {
    let words = match crate::secret::make_key(path)? {
        Made::New => "was made",
        Made::WasThere => "is there already",
    };
    println!("the machine key {} {words}", path.display());
    Ok(())
}

fn run_agent(config: &std::path::Path, machine_key: Option<PathBuf>) -> anyhow::Result<()> {
    let usual = |_| EnvFilter::new(environment::log_level());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(usual);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let environment = Environment::read()?;
    let document = Document::load_or_last(config)?;
    let runtime = tokio::runtime::Runtime::new().context("could not start the threads")?;
    let result = runtime.block_on(async {
        let stop = stop_on_signal().context("could not listen for signals")?;
        crate::run(document, environment, machine_key, stop).await
    });
    // A thread that waits for a disk that does not answer must not be waited for.
    runtime.shutdown_timeout(GOODBYE);
    result
}

/// Cancelled by SIGTERM, or by Ctrl-C at a terminal.
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cancelled = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        cancelled.cancel();
    });
    Ok(stop)
}

#[expect(clippy::print_stdout, reason = "this is the answer of the command")]
fn check_config(config: &std::path::Path) -> anyhow::Result<()> {
    let settings = Settings::load(config)?;
    println!("{} is right: instance {}", config.display(), settings.instance);
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        super::Args::command().debug_assert();
    }
}
