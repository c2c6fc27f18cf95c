//! The command line.

mod config;
mod convert;
mod exit;
mod import;
mod input_files;
mod instances;
mod ledger;
mod plugin;
mod print;
mod queue;
mod recognise;
#[cfg(test)]
mod reference;
mod register;
mod replay;
mod rescue;
mod sandbox;
mod server;
mod sources;
mod status;

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use clap::{CommandFactory, Subcommand};
use clap_complete::Shell;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::{Document, Environment, Settings, environment};
use crate::control::client::ControlClient;
use crate::convert::worker;
use crate::secret::Made;
use crate::service::Hosted;
pub use exit::Exit;
use print::show;

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
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
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
    ///
    /// Without a configuration, `Unknown` stands for a location and a purpose that the file does not say.
    Convert(convert::Args),
    /// Say which format files have, how sure that is, and why; 10 when one has none that is known.
    #[command(alias = "recognize")]
    Recognise(recognise::Args),
    /// List the converters and their arguments.
    Converters,
    /// Check, try and enable customers' own converters.
    Plugin {
        #[command(subcommand)]
        command: plugin::PluginCommand,
    },
    /// Check the configuration file and say everything that is wrong in it.
    CheckConfig,
    /// Show the configuration in force and its history, compare, go back.
    Config {
        #[command(subcommand)]
        command: config::ConfigCommand,
    },
    /// Show how the running agent fares.
    Status,
    /// Take no files, or send no reports, until it is resumed; also over a restart.
    Pause {
        #[arg(value_enum)]
        part: status::Part,
    },
    /// Go on with what was paused.
    Resume {
        #[arg(value_enum)]
        part: status::Part,
    },
    /// Show what happens in the running agent, as it happens.
    Events,
    /// Look at and change the watched folders of the running agent.
    Sources {
        #[command(subcommand)]
        command: sources::SourcesCommand,
    },
    /// Put files into the folder of a source of the running agent.
    Upload {
        source: String,
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Look at the running agent's input files, and convert again those that failed.
    Files {
        #[command(subcommand)]
        command: input_files::FilesCommand,
    },
    /// Look at the running agent's queue of reports, and send again, correct or give up.
    Queue {
        #[command(subcommand)]
        command: queue::QueueCommand,
    },
    /// Look at, change and try the running agent's connection to the WATS server.
    Server {
        #[command(subcommand)]
        command: server::ServerCommand,
    },
    /// Look at and change the station that the running agent sends reports as.
    Station {
        #[command(subcommand)]
        command: server::StationCommand,
    },
    /// List the instances of this machine, whose configurations lie beside this one's.
    Instances,
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
    /// Look at the sandbox in which foreign converters run.
    Sandbox {
        #[command(subcommand)]
        command: sandbox::SandboxCommand,
    },
    /// Print the completions of this command line for a shell.
    Completions { shell: Shell },
    /// Make the machine key, under which credentials are kept; one that is there stays.
    MakeKey { path: PathBuf },
    /// Convert what comes on standard input; started by the agent itself.
    #[command(hide = true)]
    Worker,
    /// Become the program that standard input names, in a box; started by the agent itself.
    #[command(hide = true)]
    Sandboxed,
    /// Look after a network mount as standard input says; started by the agent itself.
    #[command(hide = true)]
    Share,
}

/// Does what was asked for.
///
/// # Errors
/// What went wrong, to be shown as one message.
pub fn run(args: Args) -> anyhow::Result<()> {
    let json = args.json;
    let config = args.config.clone().unwrap_or_else(environment::default_path);
    match args.command {
        Command::Run { machine_key } => run_agent(&config, machine_key),
        Command::Convert(command) => convert::run(&command, args.config.as_deref()),
        Command::Recognise(command) => recognise::run(&command, args.config.as_deref(), json),
        Command::Converters => convert::list(args.config.as_deref(), json),
        Command::Plugin { command: ref plugin @ plugin::PluginCommand::Check { .. } } => {
            plugin::check(plugin, args.config.as_deref(), json)
        }
        Command::CheckConfig => check_config(&config, json),
        Command::Instances => instances::list(&config, json),
        Command::ImportPywats(command) => import::run(&config, &command, json),
        Command::MakeKey { path } => make_key(&path, json),
        Command::Completions { shell } => completions(shell),
        Command::Worker => worker::run().context("talking to the agent"),
        Command::Sandboxed => Ok(crate::sandbox::help()?),
        Command::Share => crate::intake::share::run().context("talking to the agent"),
        command => ask(&Settings::whereabouts(&config)?, &command, json),
    }
}

/// What is asked of a running agent, or of its database.
#[tokio::main(flavor = "current_thread")]
async fn ask(settings: &Settings, command: &Command, json: bool) -> anyhow::Result<()> {
    match command {
        Command::Config { command } => config::run(settings, command, json).await,
        Command::Status => status::status(settings, json).await,
        Command::Pause { part } => status::pause(settings, *part, true, json).await,
        Command::Resume { part } => status::pause(settings, *part, false, json).await,
        Command::Events => status::events(settings, json).await,
        Command::Sources { command } => sources::run(settings, command, json).await,
        Command::Plugin { command } => plugin::run(settings, command, json).await,
        Command::Upload { source, files } => sources::upload(settings, source, files, json).await,
        Command::Files { command } => input_files::run(settings, command, json).await,
        Command::Queue { command } => queue::run(settings, command, json).await,
        Command::Server { command } => server::run(settings, command, json).await,
        Command::Station { command } => server::station(settings, command, json).await,
        Command::Ledger { command } => ledger::run(settings, command, json).await,
        Command::Register { token_stdin } => register::register(settings, *token_stdin, json).await,
        Command::Unregister => register::unregister(settings, json).await,
        Command::Replay(command) => replay::run(settings, command, json).await,
        Command::Sandbox { command } => sandbox::run(settings, command, json).await,
        Command::Rescue { confirm } => rescue::run(settings, *confirm, json).await,
        Command::Run { .. }
        | Command::Convert(_)
        | Command::Recognise(_)
        | Command::Converters
        | Command::CheckConfig
        | Command::ImportPywats(_)
        | Command::Instances
        | Command::MakeKey { .. }
        | Command::Completions { .. }
        | Command::Worker
        | Command::Sandboxed
        | Command::Share => Ok(()),
    }
}

fn client(settings: &Settings) -> anyhow::Result<ControlClient> {
    ControlClient::new(settings.socket()).context("setting up the control client")
}

/// The content of a file, or of standard input where it is called `-`.
fn read_input(file: &Path) -> std::io::Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content)?;
        return Ok(content);
    }
    std::fs::read(file)
}

fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "wats-agent", &mut text);
    print::print(&String::from_utf8_lossy(&text))
}

fn make_key(path: &Path, as_json: bool) -> anyhow::Result<()> {
    let is_new = matches!(crate::secret::make_key(path)?, Made::New);
    show(as_json, &json!({"path": path.display().to_string(), "is_new": is_new}), |_| {
        let words = if is_new { "was made" } else { "is there already" };
        format!("the machine key {} {words}\n", path.display())
    })
}

fn run_agent(config: &Path, machine_key: Option<PathBuf>) -> anyhow::Result<()> {
    let log = || Ok(Settings::whereabouts(config)?.storage_folder().join("agent.log"));
    let config = config.to_owned();
    crate::service::host(log, move |hosted| run_hosted(&config, machine_key, hosted))
}

fn run_hosted(config: &Path, machine_key: Option<PathBuf>, hosted: Option<Hosted>) -> anyhow::Result<()> {
    let usual = |_| EnvFilter::new(environment::log_level());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(usual);
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let stop = match hosted {
        None => {
            log.with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).init();
            None
        }
        Some(Hosted { stop, log: file }) => {
            log.with_writer(Mutex::new(file)).with_ansi(false).init();
            Some(stop)
        }
    };
    let environment = Environment::read()?;
    let document = Document::load_or_last(config)?;
    let runtime = tokio::runtime::Runtime::new().context("could not start the threads")?;
    let result = runtime.block_on(async {
        let stop = stop.map_or_else(stop_on_signal, Ok).context("could not listen for signals")?;
        crate::run(document, environment, machine_key, stop).await
    });
    // A thread that waits for a disk that does not answer must not be waited for.
    runtime.shutdown_timeout(GOODBYE);
    result
}

/// Cancelled when the system, or a person at the terminal, ends this process.
fn stop_on_signal() -> std::io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let mut told = crate::system::Stop::listen()?;
    let cancelled = stop.clone();
    tokio::spawn(async move {
        told.wait().await;
        cancelled.cancel();
    });
    Ok(stop)
}

fn check_config(config: &Path, as_json: bool) -> anyhow::Result<()> {
    let settings = Settings::load(config)?;
    let sources = settings.config.sources.len();
    let answer =
        json!({"config": config.display().to_string(), "instance": settings.instance, "sources": sources});
    show(as_json, &answer, |_| format!("{} is right: instance {}\n", config.display(), settings.instance))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        super::Args::command().debug_assert();
    }
}
