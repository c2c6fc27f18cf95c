//! The certificate that browsers see.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use wats_appliance::provision::fingerprint_of;
use x509_parser::pem::Pem;

/// What a person compares and watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// SHA-256 of the DER form, as browsers show it: `AA:BB:…`.
    pub(crate) fingerprint: String,
    pub(crate) expires: Option<Timestamp>,
}

/// Reads the first certificate of a PEM file.
///
/// # Errors
/// When the file cannot be read, or its first block is no certificate.
pub(crate) fn read(path: &Path) -> io::Result<Certificate> {
    let bytes = std::fs::read(path)?;
    let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let first = Pem::iter_from_buffer(&bytes)
        .next()
        .ok_or_else(|| damaged("no certificate in the file"))?
        .map_err(|_| damaged("the file is not PEM"))?;
    let expires = first
        .parse_x509()
        .map_err(|_| damaged("the first block is no certificate"))?
        .validity()
        .not_after
        .timestamp();
    Ok(Certificate {
        fingerprint: fingerprint_of(&first.contents),
        expires: Timestamp::from_second(expires).ok(),
    })
}
