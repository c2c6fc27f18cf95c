//! `system-sim SOCKET`: a system daemon that changes nothing, for the demo.

use std::path::PathBuf;

use anyhow::Context;
use wats_tests::system::SystemSim;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let socket: PathBuf = std::env::args_os().nth(1).context("usage: system-sim SOCKET")?.into();
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    SystemSim::default().serve(&socket)?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
