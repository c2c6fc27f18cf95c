//! `wats-image`: makes the three files that hypervisors import from the one baked disk, and checks them.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Exports and checks the appliance's images.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make wats-appliance-VERSION.{qcow2,ova,vhd} and SHA256SUMS, and check them.
    Export {
        /// The baked disk.
        #[arg(long)]
        from: PathBuf,
        #[arg(long)]
        version: String,
        #[arg(long)]
        into: PathBuf,
    },
    /// Check the files that an export made.
    Verify {
        #[arg(long)]
        version: String,
        #[arg(long)]
        into: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Export { from, version, into } => {
            wats_image::export(&from, &into, &version)?;
            wats_image::verify(&into, &version)
        }
        Command::Verify { version, into } => wats_image::verify(&into, &version),
    }
}

#[cfg(test)]
#[test]
fn the_command_line_is_sound() {
    use clap::CommandFactory;
    Args::command().debug_assert();
}
