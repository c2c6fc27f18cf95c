//! The setup code: shown on the machine's screen until somebody has claimed the machine with it.

use std::{
    io,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{State, StateError};
use crate::files::{self, Owner};

/// 32 characters, so that five random bits pick one; without I, O, 0 and 1, which look alike on a screen.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH: usize = 12;
const GROUP: usize = 4;

/// Twelve characters in groups, `XXXX-XXXX-XXXX`: 60 random bits. Not shown by `Debug`.
#[derive(Debug, Clone)]
pub struct SetupCode(SecretString);

impl SetupCode {
    /// A new code, from the operating system's randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes)?;
        let characters: Vec<char> = bytes
            .iter()
            .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map(char::from))
            .collect();
        Ok(Self(SecretString::from(grouped(&characters))))
    }

    /// A code as it was typed or stored: any case, with or without the dashes. `None`: not a code.
    pub fn parse(text: &str) -> Option<Self> {
        let characters: Vec<char> = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let known = |c: &char| ALPHABET.iter().any(|known| char::from(*known) == *c);
        (characters.len() == LENGTH && characters.iter().all(known))
            .then(|| Self(SecretString::from(grouped(&characters))))
    }

    /// The code in groups, for the machine's own screen.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Compares in constant time.
    pub fn is(&self, typed: &str) -> bool {
        let Some(typed) = Self::parse(typed) else { return false };
        let (ours, theirs) = (Sha256::digest(self.expose()), Sha256::digest(typed.expose()));
        ours.ct_eq(&theirs).into()
    }
}

fn grouped(characters: &[char]) -> String {
    let groups: Vec<String> = characters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// Where the code is kept: made by provisioning, read by console and screen, deleted by the claim.
#[derive(Debug, Clone)]
pub struct SetupCodeFile {
    path: PathBuf,
}

impl SetupCodeFile {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The code, or `None` when there is no file, or none with a code in it.
    pub fn read(&self) -> io::Result<Option<SetupCode>> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => Ok(SetupCode::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn write(&self, code: &SetupCode, owner: Owner) -> io::Result<()> {
        files::replace_owned_file(&self.path, 0o600, owner, format!("{}\n", code.expose()).as_bytes())
    }

    /// Deletes the file; it is no error when it is gone already.
    pub fn delete(&self) -> io::Result<()> {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whose machine this is.
///
/// ```text
///   NotReady ──provisioning──► Unclaimed ──first administrator──► Claimed
/// ```
#[derive(Debug, Clone)]
pub enum Claim {
    /// Nobody's, and it has no setup code yet.
    NotReady,
    /// Nobody's; whoever has the code can claim it.
    Unclaimed(SetupCode),
    Claimed,
}

/// Why it is not known whose machine this is.
#[derive(Debug, thiserror::Error)]
pub enum ClaimCheckError {
    #[error("could not read the setup code")]
    Read(#[source] io::Error),
    #[error(transparent)]
    State(#[from] StateError),
}

impl State {
    /// An account decides; a code file that outlived it (a power cut in the claim) means nothing.
    pub async fn claim(&self, file: &SetupCodeFile) -> Result<Claim, ClaimCheckError> {
        if self.is_claimed().await? {
            return Ok(Claim::Claimed);
        }
        Ok(match file.read().map_err(ClaimCheckError::Read)? {
            Some(code) => Claim::Unclaimed(code),
            None => Claim::NotReady,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, bench};
    use super::*;

    #[test]
    fn a_code_has_three_groups_of_unambiguous_characters() {
        for _ in 0..200 {
            let code = SetupCode::random().unwrap();
            let groups: Vec<_> = code.expose().split('-').collect();
            assert_eq!(groups.iter().map(|g| g.len()).collect::<Vec<_>>(), [4, 4, 4]);
            assert!(!code.expose().contains(['0', 'O', '1', 'I']));
            assert!(SetupCode::parse(code.expose()).is_some());
            assert!(!format!("{code:?}").contains(code.expose()));
        }
    }

    #[test]
    fn a_code_may_be_typed_in_any_case_without_dashes_and_with_spaces() {
        let code = SetupCode::parse("ABCD-EFGH-JKLM").unwrap();
        for typed in ["ABCD-EFGH-JKLM", "abcdefghjklm", " abcd efgh jklm ", "ABCD EFGH-jklm"] {
            assert!(code.is(typed), "{typed}");
        }
        for typed in
            ["", "ABCD-EFGH-JKLN", "ABCD-EFGH-JKL", "ABCD-EFGH-JKLMM", "ÄBCD-EFGH-JKLM", "0BCD-EFGH-JKLM"]
        {
            assert!(!code.is(typed), "{typed}");
        }
    }

    #[test]
    fn a_damaged_file_holds_no_code() {
        let folder = tempfile::tempdir().unwrap();
        let file = SetupCodeFile::new(folder.path().join("setup-code"));
        assert!(file.read().unwrap().is_none());
        for bytes in [&b""[..], b"ABCD", b"\xff\xfe\x00"] {
            files::replace_file(file.path(), 0o600, bytes).unwrap();
            assert!(file.read().unwrap().is_none());
        }
        file.delete().unwrap();
        file.delete().unwrap();
    }

    #[tokio::test]
    async fn a_code_file_that_outlived_the_claim_means_nothing() {
        use super::super::accounts::{NewPassword, UserName};
        let bench = bench().await;
        let file = SetupCodeFile::new(bench.folder.path().join("setup-code"));
        assert!(matches!(bench.state.claim(&file).await.unwrap(), Claim::NotReady));
        file.write(&SetupCode::random().unwrap(), Owner::default()).unwrap();
        assert!(matches!(bench.state.claim(&file).await.unwrap(), Claim::Unclaimed(_)));
        let name = UserName::try_from("anna".to_owned()).unwrap();
        let password = NewPassword::new("correct horse battery".to_owned().into(), &name).unwrap();
        bench.state.create_first_admin(at(0), &name, password).await.unwrap();
        assert!(matches!(bench.state.claim(&file).await.unwrap(), Claim::Claimed));
    }
}
