//! `wats-sim`: the WATS server simulator as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use wats::validate::Strictness;
use wats_tests::sim::{Behaviour, POWERLESS_TOKEN, RejectionShape, Sim, SimSettings, Tls};

/// A WATS server to test against; it keeps what it gets in memory.
///
/// docs/simulator.md says how to look into it and how to make it fail.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Address and port; port 0 takes a free one. The first line on standard output says which.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDR:PORT")]
    listen: SocketAddr,
    /// The credential that is accepted: base64 of user:password. It is no secret here.
    #[arg(long)]
    token: String,
    /// A credential that is known and lacks every right.
    #[arg(long, default_value = POWERLESS_TOKEN, value_name = "TOKEN")]
    powerless_token: String,
    /// Serve HTTPS, with a certificate of an authority that is made at each start.
    #[arg(long)]
    tls: bool,
    /// Write that authority's certificate to a file. Implies --tls.
    #[arg(long, value_name = "FILE")]
    tls_ca_out: Option<PathBuf>,
    /// A further name or address for the certificate; may be given several times. Implies --tls.
    #[arg(long, value_name = "NAME")]
    tls_name: Vec<String>,
    /// Which rules for reports count.
    #[arg(long, value_enum, default_value_t = Rules::Observed)]
    strictness: Rules,
    /// How long a report cannot be read back, in milliseconds.
    #[arg(long, default_value_t = 0, value_name = "MILLISECONDS")]
    processing_delay: u64,
    /// The shape of the answer to a report that breaks the rules.
    #[arg(long, value_enum, default_value_t = RejectionShape::Message)]
    rejection: RejectionShape,
    /// Answer more requests than this in 60 seconds with 429.
    #[arg(long, num_args = 0..=1, default_missing_value = "500", value_name = "REQUESTS")]
    rate_limit: Option<u64>,
    /// Let clients register, as servers after 2026.1 do.
    #[arg(long)]
    registration: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rules {
    /// Those that servers were seen to enforce.
    Observed,
    /// Also those that are only documented.
    Documented,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let https = args.tls || args.tls_ca_out.is_some() || !args.tls_name.is_empty();
    let sim = Sim::start(SimSettings {
        listen: args.listen,
        token: args.token,
        powerless_token: args.powerless_token,
        strictness: match args.strictness {
            Rules::Observed => Strictness::Observed,
            Rules::Documented => Strictness::Documented,
        },
        behaviour: Behaviour {
            rejection: args.rejection,
            processing_delay_ms: args.processing_delay,
            requests_per_minute: args.rate_limit,
            registration: args.registration,
            ..Behaviour::default()
        },
        tls: https.then_some(Tls { names: args.tls_name, ca_out: args.tls_ca_out }),
    })
    .await?;
    writeln!(std::io::stdout(), "wats-sim listens on {}", sim.base_url())?;
    sim.run().await;
    Ok(())
}
