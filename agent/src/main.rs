//! The program `wats-agent`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = wats_agent::cli::Args::read();
    match wats_agent::cli::run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "the one error of a command belongs to its user")]
            {
                eprintln!("wats-agent: {error:#}");
            }
            ExitCode::from(wats_agent::cli::Exit::of(&error).code())
        }
    }
}
