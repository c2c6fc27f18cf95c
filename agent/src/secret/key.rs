//! The machine key: where it comes from, and how it is made.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{files, system};

/// The name under which systemd hands the key over: `LoadCredential=machine-key:…`.
const CREDENTIAL: &str = "machine-key";

const KEY_BYTES: usize = 32;

/// Why there is no usable machine key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "no machine key was given, so credentials cannot be kept: start the agent through its systemd unit, \
         or name a key file with --machine-key"
    )]
    NotGiven,
    #[error(
        "the machine key {} is missing, so the stored credentials cannot be read: \
         put the key back from a backup, or enter the credentials again",
        path.display()
    )]
    Missing { path: PathBuf },
    #[error("the machine key {} cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the machine key {} could not be made", path.display())]
    Make { path: PathBuf, source: std::io::Error },
    #[error("the machine key {} is damaged: it must be one line of 64 hexadecimal digits", path.display())]
    Damaged { path: PathBuf },
    #[error("the machine key {} can be read by other users: run 'chmod 600' on it", path.display())]
    TooOpen { path: PathBuf },
}

/// Where this process finds the machine key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// Handed over by the service manager; never made by us.
    Credential(PathBuf),
    /// A file that an administrator named; made when something is sealed for the first time.
    File(PathBuf),
    /// Nobody named a key.
    Nowhere,
}

impl KeySource {
    /// A file that was named counts most, then what systemd put into `$CREDENTIALS_DIRECTORY`.
    pub fn find(named: Option<&Path>, credentials_directory: Option<&Path>) -> Self {
        match (named, credentials_directory) {
            (Some(file), _) => Self::File(file.to_owned()),
            (None, Some(folder)) => Self::Credential(folder.join(CREDENTIAL)),
            (None, None) => Self::Nowhere,
        }
    }

    /// Reads the key, to open what was sealed.
    pub fn load(&self) -> Result<MachineKey, KeyError> {
        match self {
            Self::Nowhere => Err(KeyError::NotGiven),
            Self::Credential(path) => MachineKey::read(path),
            Self::File(path) => {
                // Systemd sees to the rights of its credentials; here nobody else did.
                let metadata = fs::metadata(path).map_err(|source| read_error(path, source))?;
                if system::is_open_to_others(&metadata) {
                    return Err(KeyError::TooOpen { path: path.clone() });
                }
                MachineKey::read(path)
            }
        }
    }

    /// Reads the key, to seal something; a named file that is not there yet is made.
    pub fn load_or_make(&self) -> Result<MachineKey, KeyError> {
        if let Self::File(path) = self {
            make_key(path)?;
        }
        self.load()
    }
}

/// The key of this machine; wiped from memory when it is dropped, and not printable.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MachineKey([u8; KEY_BYTES]);

impl std::fmt::Debug for MachineKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MachineKey([REDACTED])")
    }
}

impl MachineKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let file = fs::File::open(path).map_err(|source| read_error(path, source))?;
        let mut text = Zeroizing::new(String::with_capacity(256));
        let damaged = || KeyError::Damaged { path: path.to_owned() };
        match file.take(200).read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(damaged()),
            Err(source) => return Err(read_error(path, source)),
        }
        let digits = text.trim_ascii_end().as_bytes();
        let mut key = Self([0; KEY_BYTES]);
        if digits.len() != 2 * KEY_BYTES {
            return Err(damaged());
        }
        for (byte, pair) in key.0.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
            let [high, low] = *pair;
            *byte = digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low).ok_or_else(damaged)?;
        }
        Ok(key)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Tells keys apart without saying anything about them: the first bytes of a hash of the key.
    pub(super) fn id(&self) -> [u8; 8] {
        let hash = Sha256::new().chain_update(b"wats-agent machine key id\0").chain_update(self.0).finalize();
        let mut id = [0; 8];
        id.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        id
    }
}

/// What [`make_key`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    New,
    /// A good key was there already and stays.
    WasThere,
}

/// Makes a machine key at `path`, for its owner alone, unless there is one; on disk when this returns.
///
/// # Errors
///
/// A damaged key that is there is reported and stays: credentials may be sealed with what it was.
pub fn make_key(path: &Path) -> Result<Made, KeyError> {
    let failed = |source| KeyError::Make { path: path.to_owned(), source };
    if fs::exists(path).map_err(failed)? {
        return MachineKey::read(path).map(|_| Made::WasThere);
    }
    let mut key = MachineKey([0; KEY_BYTES]);
    getrandom::fill(&mut key.0).map_err(|error| failed(std::io::Error::other(error)))?;
    let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES + 1));
    for byte in key.0 {
        text.extend([byte >> 4, byte & 0xf].iter().filter_map(|d| char::from_digit(u32::from(*d), 16)));
    }
    text.push('\n');
    match files::create_file(path, 0o600, text.as_bytes()) {
        Ok(()) => Ok(Made::New),
        // Another process was faster: its key is the key.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            MachineKey::read(path).map(|_| Made::WasThere)
        }
        Err(source) => Err(failed(source)),
    }
}

fn read_error(path: &Path, source: std::io::Error) -> KeyError {
    let path = path.to_owned();
    if source.kind() == ErrorKind::NotFound {
        KeyError::Missing { path }
    } else {
        KeyError::Read { path, source }
    }
}
