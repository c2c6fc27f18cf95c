//! `wats-sim`: the WATS server simulator as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use wats::validate::Strictness;
use wats_tests::sim::{Sim, SimSettings};

/// A WATS server to test against; it keeps what it gets in memory.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Address and port; port 0 takes a free one and says which.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// The credential that is accepted: base64 of user:password. It is no secret here.
    #[arg(long)]
    token: String,
    /// Serve HTTPS and write the certificate authority to this file.
    #[arg(long, value_name = "FILE")]
    tls_ca_out: Option<PathBuf>,
    /// Also refuse what the documentation forbids but servers were seen to accept.
    #[arg(long)]
    strict: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let sim = Sim::start(SimSettings {
        listen: args.listen,
        token: args.token,
        strictness: if args.strict { Strictness::Documented } else { Strictness::Observed },
        tls_ca_out: args.tls_ca_out,
        ..SimSettings::default()
    })
    .await?;
    writeln!(std::io::stdout(), "wats-sim listens on {}", sim.base_url())?;
    sim.run().await;
    Ok(())
}
