//! The client for the settings and credentials in force.

use std::error::Error;

use wats::client::{Client, ClientSettings, ProxyCredential, Token};

use crate::config::Server;
use crate::secret::Secrets;

type Made = Result<Option<Client>, Box<dyn Error + Send + Sync>>;

/// `None` while there is no address or no credential.
pub(crate) fn client(server: &Server, secrets: &Secrets) -> Made {
    match secrets.server_token()? {
        Some(token) => client_as(server, secrets, token),
        None => Ok(None),
    }
}

/// A client with another credential; `None` while there is no address.
pub(crate) fn client_as(server: &Server, secrets: &Secrets, token: Token) -> Made {
    let Some(url) = &server.url else { return Ok(None) };
    let mut settings = ClientSettings::new(url, token, concat!("wats-agent/", env!("CARGO_PKG_VERSION")))?;
    if let Some(proxy) = &server.proxy {
        let credential = secrets.proxy_credential()?;
        let credential = credential.map(|it| ProxyCredential { user: it.user, password: it.password });
        settings = settings.with_proxy(proxy, credential)?.with_proxy_bypass(&server.proxy_bypass);
    }
    if let Some(pem) = &server.extra_ca {
        settings = settings.with_extra_ca(pem.clone());
    }
    Ok(Some(Client::new(settings)?))
}
