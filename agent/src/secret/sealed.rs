//! A credential store behind the keyring API: one sealed file an entry.
//!
//! A file is `version (1) | id of the key (8) | nonce (24) | ciphertext and tag`, sealed with
//! XChaCha20-Poly1305. The header and the entry's name are bound in as associated data, so files cannot
//! take each other's place.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use keyring_core::api::{CredentialApi, CredentialStoreApi};
use keyring_core::{Credential, Entry, Error, Result};

use super::key::{KeyError, KeySource, MachineKey};
use crate::{files, system};

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + 8 + NONCE_BYTES;
/// Far above any credential; whatever is larger is not ours.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a sealed credential cannot be opened or kept, although there is a key.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error(
        "the stored {name} was sealed with another machine key: the key was replaced, or the files come from \
         another machine; enter the credential again"
    )]
    WrongKey { name: String },
    #[error("the stored {name} is damaged or was changed by someone: enter the credential again")]
    Damaged { name: String },
    #[error("the stored {name} was written by a newer version of the agent")]
    Newer { name: String },
    #[error("the sealed credential {} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the sealed credential {} cannot be written", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the operating system gave no random numbers")]
    Random,
}

/// Keeps every entry in a file of its own in one folder, sealed under the machine key.
#[derive(Debug, Clone)]
pub struct SealedStore {
    folder: PathBuf,
    key: KeySource,
}

impl SealedStore {
    /// Keeps entries in `folder`, which is made when the first one is written.
    pub fn new(folder: impl Into<PathBuf>, key: KeySource) -> Arc<Self> {
        Arc::new(Self { folder: folder.into(), key })
    }
}

impl CredentialStoreApi for SealedStore {
    fn vendor(&self) -> String {
        "wats-agent sealed store".to_owned()
    }

    fn id(&self) -> String {
        format!("version {VERSION} in {}", self.folder.display())
    }

    fn build(&self, service: &str, user: &str, modifiers: Option<&HashMap<&str, &str>>) -> Result<Entry> {
        if modifiers.is_some_and(|list| !list.is_empty()) {
            return Err(Error::NotSupportedByStore("the sealed store knows no modifiers".to_owned()));
        }
        for (what, name) in [("service", service), ("user", user)] {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
                let rule = "must be 1 to 64 lower-case letters, digits or dashes";
                return Err(Error::Invalid(what.to_owned(), rule.to_owned()));
            }
        }
        let entry = SealedEntry { store: self.clone(), service: service.to_owned(), user: user.to_owned() };
        Ok(Entry::new_with_credential(Arc::new(entry)))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// One entry, whether or not anything is stored for it.
#[derive(Debug, Clone)]
struct SealedEntry {
    store: SealedStore,
    service: String,
    user: String,
}

impl SealedEntry {
    fn path(&self) -> PathBuf {
        self.store.folder.join(format!("{}.{}.sealed", self.service, self.user))
    }

    /// What is bound to the content without being hidden.
    fn associated(&self, header: &[u8]) -> Vec<u8> {
        [header, self.service.as_bytes(), b"/", self.user.as_bytes()].concat()
    }

    fn seal(&self, key: &MachineKey, secret: &[u8]) -> std::result::Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let mut file = vec![VERSION];
        file.extend(key.id());
        file.extend(nonce);
        let aad = self.associated(&file);
        let sealed = XChaCha20Poly1305::new(key.bytes().into())
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: &aad })
            .map_err(|_| SealError::Damaged { name: self.user.clone() })?;
        file.extend(sealed);
        Ok(file)
    }

    fn open(&self, key: &MachineKey, file: &[u8]) -> std::result::Result<Vec<u8>, SealError> {
        let name = || self.user.clone();
        let damaged = || SealError::Damaged { name: name() };
        let (header, sealed) = file.split_at_checked(HEADER_BYTES).ok_or_else(damaged)?;
        let (version, rest) = header.split_first().ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(if *version > VERSION { SealError::Newer { name: name() } } else { damaged() });
        }
        let (id, nonce) = rest.split_at_checked(8).ok_or_else(damaged)?;
        if id != key.id() {
            return Err(SealError::WrongKey { name: name() });
        }
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| damaged())?;
        let aad = self.associated(header);
        XChaCha20Poly1305::new(key.bytes().into())
            .decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &aad })
            .map_err(|_| damaged())
    }

    fn read(&self) -> Result<Vec<u8>> {
        let path = self.path();
        let read = || -> std::io::Result<Vec<u8>> {
            if fs::metadata(&path)?.len() > MAX_BYTES {
                return Ok(Vec::new()); // too short to be one of ours, like it
            }
            fs::read(&path)
        };
        read().map_err(|source| match source.kind() {
            ErrorKind::NotFound => Error::NoEntry,
            _ => seal_error(SealError::Read { path: path.clone(), source }),
        })
    }
}

impl CredentialApi for SealedEntry {
    fn set_secret(&self, secret: &[u8]) -> Result<()> {
        let key = self.store.key.load_or_make().map_err(key_error)?;
        let file = self.seal(&key, secret).map_err(seal_error)?;
        let path = self.path();
        system::make_folder(&self.store.folder, 0o700)
            .and_then(|()| files::replace_file(&path, 0o600, &file))
            .map_err(|source| seal_error(SealError::Write { path, source }))
    }

    fn get_secret(&self) -> Result<Vec<u8>> {
        let file = self.read()?; // first: without an entry the key does not matter
        let key = self.store.key.load().map_err(key_error)?;
        self.open(&key, &file).map_err(seal_error)
    }

    fn delete_credential(&self) -> Result<()> {
        let path = self.path();
        fs::remove_file(&path).and_then(|()| files::sync_folder(&self.store.folder)).map_err(|source| {
            match source.kind() {
                ErrorKind::NotFound => Error::NoEntry,
                _ => seal_error(SealError::Write { path, source }),
            }
        })
    }

    fn get_credential(&self) -> Result<Option<Arc<Credential>>> {
        self.read().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        Some((self.service.clone(), self.user.clone()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn key_error(error: KeyError) -> Error {
    Error::NoStorageAccess(Box::new(error))
}

fn seal_error(error: SealError) -> Error {
    Error::PlatformFailure(Box::new(error))
}
