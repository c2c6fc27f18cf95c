//! Addresses: of the server, of a proxy, and of what is reached without one.

use super::super::environment::server_url;
use super::super::validate::url_problem;

/// The server's address as ours is written, or what is wrong with it.
pub(super) fn server(address: &str) -> Result<String, String> {
    no_user(address)?;
    let url = server_url(address);
    let url = if url.contains("://") { url } else { format!("https://{url}") };
    match url_problem(&url) {
        None => Ok(url),
        Some(wrong) => Err(wrong),
    }
}

/// Words about an address would repeat the password in it.
fn no_user(address: &str) -> Result<(), String> {
    if address.contains('@') {
        return Err("a user name or password does not belong into the address".to_owned());
    }
    Ok(())
}

/// A proxy's address from host and port.
pub(super) fn proxy(host: &str, port: f64) -> Result<String, String> {
    no_user(host)?;
    if !(1.0..=65535.0).contains(&port) || port.fract() != 0.0 {
        return Err(format!("{port} is no port: 1 to 65535"));
    }
    let host = host.trim().trim_end_matches('/');
    let (scheme, host) = host.split_once("://").unwrap_or(("http", host));
    let host = match host.rsplit_once(':') {
        Some((name, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            // The port was written into the host.
            return checked(format!("{scheme}://{name}:{digits}"));
        }
        _ => host,
    };
    checked(format!("{scheme}://{host}:{port}"))
}

fn checked(url: String) -> Result<String, String> {
    match url_problem(&url) {
        None => Ok(url),
        Some(wrong) => Err(wrong),
    }
}

/// One entry of a bypass list as ours is written: `*.x.com` is `x.com`, `10.1.*` is `10.1.0.0/16`.
pub(super) fn bypass(entry: &str) -> Result<String, String> {
    let text = entry.trim();
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    if let Some(start) = name.strip_suffix(".*") {
        let parts: Vec<&str> = start.split('.').collect();
        if parts.len() <= 3 && parts.iter().all(|part| part.parse::<u8>().is_ok()) {
            let zeros = ".0".repeat(4 - parts.len());
            return Ok(format!("{start}{zeros}/{}", parts.len() * 8));
        }
    }
    if name == "*" {
        return Ok(name.to_owned());
    }
    let fine = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '[' | ']' | '_'));
    if fine {
        Ok(name.to_owned())
    } else {
        Err(format!("{entry:?} cannot be written as a name, address or network"))
    }
}
