//! A certificate authority of its own, and a certificate for this machine signed by it.

use std::net::IpAddr;

use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Names under which tests reach the simulator; the last one is the host as QEMU's guests see it.
const NAMES: [&str; 4] = ["localhost", "127.0.0.1", "::1", "10.0.2.2"];

/// What HTTPS needs, and what a client must trust.
pub(super) struct Identity {
    pub config: RustlsConfig,
    pub ca_pem: String,
}

pub(super) async fn make(listen: IpAddr, more_names: &[String]) -> anyhow::Result<Identity> {
    // A second installation in one process is refused, and harmless.
    let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();

    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "WATS simulator CA");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let mut names: Vec<String> = NAMES.map(ToOwned::to_owned).to_vec();
    names.push(listen.to_string());
    names.extend_from_slice(more_names);
    names.sort();
    names.dedup();
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let config =
        RustlsConfig::from_pem(certificate.pem().into_bytes(), key.serialize_pem().into_bytes()).await?;
    Ok(Identity { config, ca_pem: authority.pem() })
}
