//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Serves the appliance's web console.
#[derive(Debug, Clone, clap::Parser)]
#[command(name = "wats-console", version)]
pub struct Args {
    /// Where to serve HTTPS. Without it every address of the machine, port 443.
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where plain HTTP is answered with a redirect to HTTPS. Without it every address, port 80.
    #[arg(long, value_name = "ADDR:PORT")]
    pub redirect_listen: Option<SocketAddr>,
    /// Folder with the database, the certificate (tls/cert.pem, tls/key.pem) and the setup code.
    #[arg(long, value_name = "DIR", default_value = "/var/lib/wats-appliance")]
    pub state_dir: PathBuf,
    /// The system daemon's socket.
    #[arg(long, value_name = "PATH", default_value = wats_appliance::system::client::SOCKET)]
    pub system_socket: PathBuf,
    /// The agent's control socket.
    #[arg(long, value_name = "PATH", default_value = "/run/wats-agent/default.sock")]
    pub agent_socket: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Args::command().debug_assert();
    }
}
