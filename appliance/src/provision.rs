//! What each machine makes for itself at boot: its certificate, and while it is nobody's its setup code.
//!
//! Run as the console's user before the console starts, so that everything belongs to that user. Run again
//! it changes nothing that is right.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use sha2::{Digest as _, Sha256};
use x509_parser::pem::Pem;

use crate::files::{self, Owner};
use crate::state::setup_code::{SetupCode, SetupCodeFile};
use crate::state::{State, StateError};

/// Browsers take no longer ones; the appliance makes a new one in time.
const VALID: SignedDuration = SignedDuration::from_hours(24 * 800);
/// The clock of a new machine may be ahead of those who look at it.
const MARGIN: SignedDuration = SignedDuration::from_hours(24 * 2);
/// A certificate that ends sooner is renewed.
const RENEW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// By this the appliance knows certificates of its own making.
const ORGANISATION: &str = "WATS Appliance, self-signed";

/// Why a machine could not be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error("could not write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("could not make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("could not make a setup code")]
    Random(#[source] getrandom::Error),
    #[error("could not find out whether this machine is claimed")]
    State(#[from] StateError),
}

/// What the certificate is made for.
#[derive(Debug, Clone)]
pub struct Identity {
    pub host_name: String,
    pub addresses: Vec<IpAddr>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisioned {
    pub new_certificate: bool,
    pub new_code: bool,
}

/// Makes what is missing below `state_dir`.
///
/// # Errors
/// When a file or the database cannot be written.
pub async fn provision(
    state_dir: &Path,
    identity: &Identity,
    now: Timestamp,
) -> Result<Provisioned, ProvisionError> {
    make_folder(state_dir)?;
    make_folder(&state_dir.join("tls"))?;
    let new_certificate = !is_good_pair(state_dir, now);
    if new_certificate {
        make_certificate(state_dir, identity, now)?;
    }
    let state = State::open(&state_dir.join("appliance.db")).await?;
    let is_claimed = state.is_claimed().await?;
    state.close().await;
    let new_code = make_code(&SetupCodeFile::new(state_dir.join("setup-code")), is_claimed)?;
    Ok(Provisioned { new_certificate, new_code })
}

fn make_folder(path: &Path) -> Result<(), ProvisionError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| ProvisionError::Write { path: path.to_owned(), source })
}

/// A code while the machine is nobody's, and none afterwards.
fn make_code(file: &SetupCodeFile, is_claimed: bool) -> Result<bool, ProvisionError> {
    let failed = |source| ProvisionError::Write { path: file.path().to_owned(), source };
    if is_claimed {
        // What a power cut between claim and deletion left.
        file.delete().map_err(failed)?;
        return Ok(false);
    }
    if file.read().map_err(failed)?.is_some() {
        return Ok(false);
    }
    let code = SetupCode::random().map_err(ProvisionError::Random)?;
    file.write(&code, Owner::default()).map_err(failed)?;
    Ok(true)
}

/// True when certificate and key can be used. A certificate that somebody else made is never replaced for
/// its age: its owner must.
fn is_good_pair(state_dir: &Path, now: Timestamp) -> bool {
    let Ok(pem) = std::fs::read(state_dir.join("tls/cert.pem")) else { return false };
    let Ok(key) = std::fs::read_to_string(state_dir.join("tls/key.pem")) else { return false };
    let Some(Ok(block)) = Pem::iter_from_buffer(&pem).next() else { return false };
    let Ok(certificate) = block.parse_x509() else { return false };
    let is_ours = certificate
        .subject()
        .iter_organization()
        .any(|organisation| organisation.as_str().is_ok_and(|it| it == ORGANISATION));
    if !is_ours {
        return true;
    }
    let Ok(key) = KeyPair::from_pem(&key) else { return false };
    let belongs = certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw();
    let ends = certificate.validity().not_after.timestamp();
    belongs && ends > now.as_second() + RENEW.as_secs()
}

fn make_certificate(state_dir: &Path, identity: &Identity, now: Timestamp) -> Result<(), ProvisionError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = parameters(identity, now)?.self_signed(&key)?;
    // The key first: a certificate without its key is found out at the next boot, and made anew.
    for (name, content) in [("key.pem", key.serialize_pem()), ("cert.pem", certificate.pem())] {
        let path = state_dir.join("tls").join(name);
        files::replace_file(&path, 0o600, content.as_bytes())
            .map_err(|source| ProvisionError::Write { path, source })?;
    }
    Ok(())
}

fn parameters(identity: &Identity, now: Timestamp) -> Result<CertificateParams, rcgen::Error> {
    let host = identity.host_name.as_str();
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !host.is_empty() && host != "localhost" {
        names.extend([host.to_owned(), format!("{}.local", host.split('.').next().unwrap_or(host))]);
    }
    names.extend(identity.addresses.iter().map(ToString::to_string));
    let mut parameters = CertificateParams::new(names)?;
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, ORGANISATION);
    name.push(DnType::CommonName, if host.is_empty() { "wats-appliance" } else { host });
    parameters.distinguished_name = name;
    let (from, to) = (now.saturating_sub(MARGIN).unwrap_or(now), now.saturating_add(VALID).unwrap_or(now));
    let ((year, month, date), (last_year, last_month, last_date)) = (day(from), day(to));
    parameters.not_before = rcgen::date_time_ymd(year, month, date);
    parameters.not_after = rcgen::date_time_ymd(last_year, last_month, last_date);
    Ok(parameters)
}

/// The day of a moment, UTC.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let day = at.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    (day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
}

/// The fingerprint of this machine's certificate. `None`: there is none yet.
pub fn fingerprint(state_dir: &Path) -> Option<String> {
    let pem = std::fs::read(state_dir.join("tls/cert.pem")).ok()?;
    let block = Pem::iter_from_buffer(&pem).next()?.ok()?;
    Some(fingerprint_of(&block.contents))
}

/// SHA-256 of a certificate in DER, as browsers show it: `AA:BB:…`.
pub fn fingerprint_of(der: &[u8]) -> String {
    Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files of a test are thrown away")]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use secrecy::SecretString;
    use x509_parser::extensions::GeneralName;

    use super::*;
    use crate::state::accounts::{NewPassword, UserName};

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    async fn run(folder: &Path, seconds: i64) -> Provisioned {
        let identity =
            Identity { host_name: "wats-1".to_owned(), addresses: vec!["192.0.2.7".parse().unwrap()] };
        provision(folder, &identity, at(seconds)).await.unwrap()
    }

    const NOTHING: Provisioned = Provisioned { new_certificate: false, new_code: false };

    #[tokio::test]
    async fn a_new_machine_gets_certificate_and_code_once() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        assert_eq!(run(&state_dir, NOW).await, Provisioned { new_certificate: true, new_code: true });
        let before = (fingerprint(&state_dir).unwrap(), std::fs::read(state_dir.join("setup-code")).unwrap());
        assert_eq!(run(&state_dir, NOW + 60).await, NOTHING);
        let after = (fingerprint(&state_dir).unwrap(), std::fs::read(state_dir.join("setup-code")).unwrap());
        assert_eq!(before, after);
        assert_eq!((before.0.len(), before.1.len()), (95, 15));
        for file in ["tls/key.pem", "tls/cert.pem", "setup-code"] {
            assert_eq!(std::fs::metadata(state_dir.join(file)).unwrap().mode() & 0o777, 0o600, "{file}");
        }
        assert_eq!(std::fs::metadata(&state_dir).unwrap().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn the_certificate_names_the_machine_and_is_short_lived() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), NOW).await;
        let pem = std::fs::read(folder.path().join("tls/cert.pem")).unwrap();
        let block = Pem::iter_from_buffer(&pem).next().unwrap().unwrap();
        let certificate = block.parse_x509().unwrap();
        let validity = certificate.validity();
        let days = (validity.not_after.timestamp() - validity.not_before.timestamp()) / 86_400;
        assert!((800..=825).contains(&days), "{days}");
        assert!(validity.not_before.timestamp() < NOW - 86_400);
        let names = certificate.subject_alternative_name().unwrap().unwrap();
        let names: Vec<_> = names
            .value
            .general_names
            .iter()
            .map(|name| match name {
                GeneralName::DNSName(name) => (*name).to_owned(),
                GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
                other => format!("{other:?}"),
            })
            .collect();
        for expected in ["wats-1", "wats-1.local", "localhost", "[192, 0, 2, 7]", "[127, 0, 0, 1]"] {
            assert!(names.iter().any(|name| name == expected), "{expected} in {names:?}");
        }
    }

    #[tokio::test]
    async fn a_damaged_or_ending_certificate_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), NOW).await;
        std::fs::write(folder.path().join("tls/key.pem"), "damaged").unwrap();
        assert!(run(folder.path(), NOW).await.new_certificate);
        let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        std::fs::write(folder.path().join("tls/key.pem"), other.serialize_pem()).unwrap();
        assert!(run(folder.path(), NOW).await.new_certificate);
        assert!(!run(folder.path(), NOW + 86_400 * 760).await.new_certificate);
        assert!(run(folder.path(), NOW + 86_400 * 780).await.new_certificate);
    }

    #[tokio::test]
    async fn a_certificate_of_the_company_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), NOW).await;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let theirs = CertificateParams::new(vec!["wats.factory.example".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        std::fs::write(folder.path().join("tls/cert.pem"), theirs.pem()).unwrap();
        std::fs::write(folder.path().join("tls/key.pem"), key.serialize_pem()).unwrap();
        assert_eq!(run(folder.path(), NOW + 86_400 * 3_000).await, NOTHING);
    }

    #[tokio::test]
    async fn a_claimed_machine_has_no_code() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), NOW).await;
        let state = State::open(&folder.path().join("appliance.db")).await.unwrap();
        let name = UserName::try_from("admin".to_owned()).unwrap();
        let password = NewPassword::new(SecretString::from("a long enough one".to_owned()), &name).unwrap();
        state.create_first_admin(at(NOW), &name, password).await.unwrap();
        assert_eq!(run(folder.path(), NOW).await, NOTHING);
        assert!(!folder.path().join("setup-code").exists());
        state.remove_accounts(at(NOW)).await.unwrap();
        assert!(run(folder.path(), NOW).await.new_code);
    }
}
