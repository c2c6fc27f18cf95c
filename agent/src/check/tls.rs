//! What is wrong with an encrypted connection, in plain words.

use rustls::{CertificateError, Error};

/// What was seen, and what a person can do.
pub(super) fn explain(error: &reqwest::Error, host: &str) -> (String, String) {
    let (message, advice) = match find(error) {
        Some(error) => explain_tls(error, host),
        None if error.is_timeout() => (
            "The server did not answer in time.".to_owned(),
            "Ask the network's administrator whether a firewall or a proxy stands in between, and try again.",
        ),
        None => (
            "The server closed the connection before it was set up.".to_owned(),
            "Check that the address and its port are those of WATS, and that https:// or http:// is right.",
        ),
    };
    (message, advice.to_owned())
}

/// The TLS library's error among the causes, which is packed into an input/output error.
fn find<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    std::iter::successors(Some(error), |cause| (*cause).source()).find_map(|cause| {
        let packed = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause.downcast_ref().or_else(|| find(packed?))
    })
}

fn explain_tls(error: &Error, host: &str) -> (String, &'static str) {
    const ROOT: &str = "Add your company's root certificate (PEM) under extra certificates.";
    const CLOCK: &str = "Check the clock of this machine first; if it is right, ask the server's administrator to \
                         renew the certificate.";
    const NOT_TLS: &str = "Check the port in the address; perhaps it must begin with http://.";
    let Error::InvalidCertificate(problem) = error else {
        return match error {
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
                ("What answers there does not speak TLS, the encryption of https://.".to_owned(), NOT_TLS)
            }
            Error::AlertReceived(_) | Error::PeerIncompatible(_) | Error::PeerMisbehaved(_) => (
                "The server and this machine cannot agree on how to encrypt.".to_owned(),
                "The server must offer TLS 1.2 or 1.3: ask its administrator.",
            ),
            other => (format!("The encrypted connection failed: {other}."), NOT_TLS),
        };
    };
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("The server's certificate has expired.".to_owned(), CLOCK)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("The server's certificate is not valid yet.".to_owned(), CLOCK)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("The server's certificate is for another name than {host}."),
            "Use the name that the certificate is for, or ask the server's administrator for one with this name.",
        ),
        CertificateError::Revoked => (
            "The server's certificate was revoked.".to_owned(),
            "Do not connect; tell the server's administrator.",
        ),
        CertificateError::UnknownIssuer | CertificateError::Other(_) => (
            "The server's certificate is signed by someone whom this machine does not know.".to_owned(),
            ROOT,
        ),
        other => (format!("The server's certificate cannot be trusted: {other}."), ROOT),
    }
}
