//! A certificate authority of its own, and a certificate for this machine signed by it.

use std::path::Path;

use anyhow::Context;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

pub(super) async fn make(ca_out: &Path) -> anyhow::Result<RustlsConfig> {
    // A second installation in one process is refused, and harmless.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "WATS simulator CA");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let names = ["localhost", "127.0.0.1", "::1", "10.0.2.2"].map(ToOwned::to_owned);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;

    let mut file = tempfile::NamedTempFile::new_in(ca_out.parent().context("the path has no folder")?)?;
    std::io::Write::write_all(&mut file, authority.pem().as_bytes())?;
    file.persist(ca_out)?;
    Ok(RustlsConfig::from_pem(certificate.pem().into_bytes(), key.serialize_pem().into_bytes()).await?)
}
