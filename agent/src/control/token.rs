//! The control API's token: a secret in a file that only those who may call can read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::{files, system};

/// 256 bits, as hexadecimal digits.
const DIGITS: usize = 64;

/// What every caller must show. It cannot be printed.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// Where the token of the agent behind `socket` lies: beside it, `default.sock.token`.
    pub fn file(socket: &Path) -> PathBuf {
        let mut path = socket.as_os_str().to_owned();
        path.push(".token");
        path.into()
    }

    /// The token in the file, or a new one if there is none that can be trusted.
    ///
    /// # Errors
    /// When the file cannot be written, or the system has no randomness.
    pub(super) fn keep(path: &Path, mode: u32) -> io::Result<Self> {
        if let Some(token) = trusted(path) {
            system::set_mode(path, mode)?;
            return Ok(token);
        }
        let mut bytes = [0; DIGITS / 2];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let text = files::hex(&bytes);
        files::replace_file(path, mode, format!("{text}\n").as_bytes())?;
        Ok(Self(text.into()))
    }

    /// The token in the file as a client reads it; `None` where there is none for this user.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let mut text = String::new();
        File::open(path).ok()?.take(1024).read_to_string(&mut text).ok()?;
        let text = text.trim_ascii();
        let fits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned().into()))
    }

    /// True for the same token; how long the answer takes says nothing of how much of it is right.
    pub(super) fn is(&self, shown: &str) -> bool {
        self.0.expose_secret().as_bytes().ct_eq(shown.as_bytes()).into()
    }

    pub(super) fn header(&self) -> String {
        format!("Bearer {}", self.0.expose_secret())
    }
}

/// The token in a file that nobody else can have written or read.
fn trusted(path: &Path) -> Option<Token> {
    let file = system::open_plain(path).ok()?;
    // The owner's group may read it, where the configuration lets its members in.
    system::is_ours_alone(&file).then(|| Token::read(path)).flatten()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_token_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = Token::file(&folder.path().join("agent.sock"));
        assert_eq!(path, folder.path().join("agent.sock.token"));
        let token = Token::keep(&path, 0o600).unwrap();
        assert_eq!(mode(&path), 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.trim().len() == DIGITS && token.is(text.trim()), "{text}");
        assert!(!token.is("") && !token.is(&"0".repeat(DIGITS)) && !token.is(&text));
        assert!(Token::keep(&path, 0o640).unwrap().is(text.trim()));
        assert_eq!(mode(&path), 0o640);
        assert_eq!(Token::read(&path).unwrap().header(), format!("Bearer {}", text.trim()));
        assert!(!format!("{token:?}").contains(text.trim()));
    }

    #[test]
    fn a_file_that_others_could_have_written_or_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let known = "ab".repeat(DIGITS / 2);
        for unsafe_mode in [0o644, 0o660, 0o602] {
            files::replace_file(&path, unsafe_mode, known.as_bytes()).unwrap();
            assert!(!Token::keep(&path, 0o600).unwrap().is(&known), "{unsafe_mode:o}");
        }
        let elsewhere = folder.path().join("elsewhere");
        files::replace_file(&elsewhere, 0o600, known.as_bytes()).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(!Token::keep(&path, 0o600).unwrap().is(&known));
        assert!(std::fs::symlink_metadata(&path).unwrap().is_file());
        files::replace_file(&path, 0o600, b"nonsense").unwrap();
        assert!(Token::keep(&path, 0o600).is_ok() && Token::read(&path).is_some());
    }
}
