//! A Unix socket, at which the kernel says which user calls.

use std::io;
use std::path::Path;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use nix::unistd::{Uid, User};
use reqwest::ClientBuilder;
use tokio::net::{UnixListener, UnixStream};

use super::Standing;
use crate::control::limit::Client;
use crate::system;

/// The open socket.
pub(in super::super) type Door = UnixListener;

/// True when a process answers there.
pub(in super::super) async fn is_served(socket: &Path) -> bool {
    UnixStream::connect(socket).await.is_ok()
}

/// Opens the socket for this user alone, over the rest of a dead process.
pub(in super::super) fn open(socket: &Path) -> io::Result<Door> {
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let door = UnixListener::bind(socket)?;
    system::set_mode(socket, 0o600)?;
    Ok(door)
}

/// Lets the members of this user's group reach the socket, or nobody but this user.
pub(in super::super) fn open_to_group(socket: &Path, group: bool) -> io::Result<()> {
    system::set_mode(socket, if group { 0o660 } else { 0o600 })
}

/// A client of the socket.
pub(in super::super) fn reach(client: ClientBuilder, socket: &Path) -> ClientBuilder {
    client.unix_socket(socket)
}

/// The user at the other end, as the kernel says; `None` when it does not.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Peer(pub(in super::super) Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

impl Peer {
    pub(in super::super) fn name(self) -> Option<String> {
        let uid = self.0?;
        let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        Some(known.map_or_else(|| format!("user {uid}"), |user| user.name))
    }

    /// Whose share of requests it takes from.
    pub(in super::super) fn client(self) -> Client {
        self.0.map_or(Client::Stranger, Client::User)
    }

    pub(in super::super) fn standing(self, allowed: &[String]) -> Standing {
        let Some(uid) = self.0.map(Uid::from_raw) else { return Standing::Refused };
        if uid.is_root() || uid == Uid::effective() {
            return Standing::Person;
        }
        match User::from_uid(uid) {
            Ok(Some(user)) if allowed.contains(&user.name) => Standing::Service,
            _ => Standing::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_the_agent_and_named_users_may_call() {
        assert_eq!(Peer(Some(0)).standing(&[]), Standing::Person);
        assert_eq!(Peer(Some(Uid::effective().as_raw())).standing(&[]), Standing::Person);
        assert_eq!(Peer(None).standing(&["root".to_owned()]), Standing::Refused);
        // Debian's and Ubuntu's user for everything that owns nothing.
        let nobody = Peer(Some(User::from_name("nobody").unwrap().unwrap().uid.as_raw()));
        assert_eq!(nobody.standing(&["wats-console".to_owned()]), Standing::Refused);
        assert_eq!(nobody.standing(&["nobody".to_owned()]), Standing::Service);
    }
}
