//! A named pipe, which the system opens for the agent's own user, the system and administrators alone.
//!
//! Its name is made of the path that stands for the socket: nothing lies there but the token beside it.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use reqwest::ClientBuilder;
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer};

use super::Standing;
use crate::control::limit::Client;
use crate::files::sha256;
use crate::system::windows::raw;

/// All rights for the system, administrators and whoever made it; a program with low integrity cannot open it.
const DESCRIPTOR: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)S:(ML;;NWNR;;;ME)";
/// How long until a pipe that could not be made is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// All instances are in use for a moment.
const BUSY: i32 = 231;

/// The pipe, with an instance that waits for the next caller.
#[derive(Debug)]
pub(in super::super) struct Door {
    name: OsString,
    next: NamedPipeServer,
}

fn name(socket: &Path) -> OsString {
    let path = std::path::absolute(socket).unwrap_or_else(|_| socket.to_owned());
    // No name holds a backslash, and none differs from another by case alone.
    let text = path.to_string_lossy().to_lowercase();
    let hash = sha256(text.as_bytes());
    OsString::from(format!(r"\\.\pipe\wats-agent-{}", hash.get(..32).unwrap_or(&hash)))
}

/// True when a process answers there.
pub(in super::super) async fn is_served(socket: &Path) -> bool {
    match ClientOptions::new().open(name(socket)) {
        Ok(_) => true,
        Err(error) => error.raw_os_error() == Some(BUSY),
    }
}

/// Opens the pipe for this user alone, and nobody else who took its name before.
pub(in super::super) fn open(socket: &Path) -> io::Result<Door> {
    let name = name(socket);
    let next = raw::pipe(&name, true, DESCRIPTOR)?;
    Ok(Door { name, next })
}

/// The pipe's own rights stay.
#[expect(clippy::unnecessary_wraps, reason = "as on the other systems")]
pub(in super::super) fn open_to_group(_socket: &Path, _group: bool) -> io::Result<()> {
    Ok(())
}

/// A client of the pipe.
pub(in super::super) fn reach(client: ClientBuilder, socket: &Path) -> ClientBuilder {
    client.windows_named_pipe(name(socket))
}

impl Listener for Door {
    type Io = NamedPipeServer;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let connected = self.next.connect().await;
            // The next instance first: without one a caller would find no pipe.
            match raw::pipe(&self.name, false, DESCRIPTOR) {
                Ok(next) => {
                    let caller = std::mem::replace(&mut self.next, next);
                    if connected.is_ok() {
                        return (caller, ());
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "could not make another instance of the control API's pipe");
                    tokio::time::sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(())
    }
}

/// Somebody whom the pipe let in.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Peer;

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(_stream: IncomingStream<'_, Door>) -> Self {
        Self
    }
}

impl Peer {
    #[expect(clippy::unused_self, reason = "as on the other systems")]
    pub(in super::super) fn name(self) -> Option<String> {
        None
    }

    /// Whose share of requests it takes from: all have one.
    #[expect(clippy::unused_self, reason = "as on the other systems")]
    pub(in super::super) fn client(self) -> Client {
        Client::User(0)
    }

    /// Nobody else can have opened the pipe.
    #[expect(clippy::unused_self, reason = "as on the other systems")]
    pub(in super::super) fn standing(self, _allowed: &[String]) -> Standing {
        Standing::Person
    }
}
