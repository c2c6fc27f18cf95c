//! The appliance's program: see the library.

use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stderr, reason = "the one place where an error is shown")]
async fn main() -> ExitCode {
    let args = wats_appliance::cli::Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
    match wats_appliance::cli::run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wats-appliance: {error:#}");
            ExitCode::FAILURE
        }
    }
}
