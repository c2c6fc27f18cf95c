//! The credentials of the agent, kept sealed through the keyring API.
//!
//! A server has no desktop keyring, and the kernel's forgets at reboot, so [`SealedStore`] is a credential
//! store of our own behind that API. Its key, the [machine key](MachineKey), never lies in the same folder:
//! systemd hands it to the service, or an administrator names a file.

mod key;
mod sealed;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use keyring_core::{CredentialStore, Entry};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use wats::client::Token;
use zeroize::Zeroizing;

use crate::control::api::UserPassword;

pub use key::{KeyError, KeySource, MachineKey, Made, make_key};
pub use sealed::{SealError, SealedStore};

/// What stands as `service` in every entry.
const SERVICE: &str = "wats-agent";
const SERVER_TOKEN: &str = "server-token";
const PROXY_CREDENTIAL: &str = "proxy-credential";
const REGISTERED_CLIENT: &str = "registered-client";

/// Why a credential could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The machine key is missing or unusable; the credential itself may be fine.
    #[error(transparent)]
    Key(KeyError),
    #[error(transparent)]
    Seal(SealError),
    #[error("the stored {what} is not in a form that this version understands: enter it again")]
    Content { what: &'static str },
    /// What another store behind the keyring API says.
    #[error("the credential store failed")]
    Store(#[source] keyring_core::Error),
}

/// This machine as a client of one server. It cannot be printed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// The server's address: a passcode never goes to another.
    pub url: String,
    pub id: String,
    #[serde(serialize_with = "expose")]
    pub passcode: SecretString,
    pub registered_at: Timestamp,
}

/// Into the sealed store, and nowhere else.
fn expose<S: serde::Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose_secret())
}

/// The agent's credentials by name, in whichever keyring store it was given.
#[derive(Clone)]
pub struct Secrets {
    store: Arc<CredentialStore>,
    /// From the environment: used while none is kept, and never kept.
    given: Option<Token>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Keeps credentials in `store`: a [`SealedStore`] on servers.
    pub fn new(store: Arc<CredentialStore>) -> Self {
        Self { store, given: None }
    }

    /// With a token for the server that is used while none is kept.
    pub fn with_given_token(mut self, token: Option<Token>) -> Self {
        self.given = token;
        self
    }

    /// The token for the WATS server; `None` when none was given yet.
    pub fn server_token(&self) -> Result<Option<Token>, SecretError> {
        let Some(text) = self.read(SERVER_TOKEN)? else { return Ok(self.given.clone()) };
        Token::from_base64(&text).map(Some).map_err(|_| SecretError::Content { what: "server token" })
    }

    pub fn set_server_token(&self, token: &Token) -> Result<(), SecretError> {
        self.write(SERVER_TOKEN, token.expose().expose_secret())
    }

    /// Forgets the token; no matter if there is none.
    pub fn forget_server_token(&self) -> Result<(), SecretError> {
        self.forget(SERVER_TOKEN)
    }

    /// What the proxy is convinced with; `None` when it asks for nothing.
    pub fn proxy_credential(&self) -> Result<Option<UserPassword>, SecretError> {
        let Some(text) = self.read(PROXY_CREDENTIAL)? else { return Ok(None) };
        serde_json::from_str(text.expose_secret())
            .map(Some)
            .map_err(|_| SecretError::Content { what: "proxy credential" })
    }

    pub fn set_proxy_credential(&self, credential: &UserPassword) -> Result<(), SecretError> {
        let text = serde_json::to_string(credential)
            .map(Zeroizing::new)
            .map_err(|_| SecretError::Content { what: "proxy credential" })?;
        self.write(PROXY_CREDENTIAL, &text)
    }

    /// Forgets the proxy's credential; no matter if there is none.
    pub fn forget_proxy_credential(&self) -> Result<(), SecretError> {
        self.forget(PROXY_CREDENTIAL)
    }

    /// What the server gave this machine when it registered; `None` when it has not.
    pub fn registered_client(&self) -> Result<Option<RegisteredClient>, SecretError> {
        let Some(text) = self.read(REGISTERED_CLIENT)? else { return Ok(None) };
        serde_json::from_str(text.expose_secret())
            .map(Some)
            .map_err(|_| SecretError::Content { what: "registration" })
    }

    pub fn set_registered_client(&self, client: &RegisteredClient) -> Result<(), SecretError> {
        let text = serde_json::to_string(client)
            .map(Zeroizing::new)
            .map_err(|_| SecretError::Content { what: "registration" })?;
        self.write(REGISTERED_CLIENT, &text)
    }

    /// Forgets the registration; no matter if there is none.
    pub fn forget_registered_client(&self) -> Result<(), SecretError> {
        self.forget(REGISTERED_CLIENT)
    }

    fn entry(&self, name: &str) -> Result<Entry, SecretError> {
        self.store.build(SERVICE, name, None).map_err(own_error)
    }

    fn read(&self, name: &'static str) -> Result<Option<SecretString>, SecretError> {
        let bytes: SecretSlice<u8> = match self.entry(name)?.get_secret() {
            Ok(bytes) => bytes.into(),
            Err(keyring_core::Error::NoEntry) => return Ok(None),
            Err(error) => return Err(own_error(error)),
        };
        match std::str::from_utf8(bytes.expose_secret()) {
            Ok(text) => Ok(Some(text.into())),
            Err(_) => Err(SecretError::Content { what: name }),
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), SecretError> {
        self.entry(name)?.set_secret(text.as_bytes()).map_err(own_error)
    }

    fn forget(&self, name: &str) -> Result<(), SecretError> {
        match self.entry(name)?.delete_credential() {
            Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
            Err(error) => Err(own_error(error)),
        }
    }
}

/// The keyring API carries a store's own errors boxed; ours come back out with their types.
fn own_error(error: keyring_core::Error) -> SecretError {
    use keyring_core::Error as Keyring;
    match error {
        Keyring::NoStorageAccess(cause) => match cause.downcast::<KeyError>() {
            Ok(key) => SecretError::Key(*key),
            Err(cause) => SecretError::Store(Keyring::NoStorageAccess(cause)),
        },
        Keyring::PlatformFailure(cause) => match cause.downcast::<SealError>() {
            Ok(seal) => SecretError::Seal(*seal),
            Err(cause) => SecretError::Store(Keyring::PlatformFailure(cause)),
        },
        // These carry the stored bytes or other entries, which have no place in an error of ours.
        Keyring::BadEncoding(_) | Keyring::BadDataFormat(..) => SecretError::Content { what: "credential" },
        error => SecretError::Store(error),
    }
}

#[cfg(test)]
mod tests;
