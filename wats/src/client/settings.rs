//! What it takes to reach a server.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{CONNECT_TIMEOUT, READ_TIMEOUT};

/// How to reach one server, and as whom.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    pub(super) url: Url,
    pub(super) token: Token,
    pub(super) proxy: Option<Proxy>,
    pub(super) extra_ca: Option<String>,
    pub(super) user_agent: String,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

/// Settings that cannot be used, with the reason.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSettings {
    #[error("the server address is no web address: write it as https://server.example.com")]
    Url,
    #[error("a user name cannot be empty or hold a colon")]
    UserName,
    #[error("the token is not what the WATS server shows: base64 of a name and a secret joined by ':'")]
    Token,
    #[error("the proxy address is no web address: write it as http://proxy.example.com:8080")]
    Proxy,
    #[error("the proxy address holds a name or a password: enter them in their own fields")]
    ProxyCredential,
    #[error("the extra certificates cannot be read: paste them in PEM form")]
    ExtraCa {
        #[source]
        source: reqwest::Error,
    },
    #[error("the extra certificates hold none: paste them in PEM form, with their BEGIN CERTIFICATE lines")]
    NoCertificate,
    #[error("the HTTP client cannot be built")]
    Client {
        #[source]
        source: reqwest::Error,
    },
}

impl ClientSettings {
    /// Settings with the default timeouts, without proxy and extra certificates.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(url: &str, token: Token, user_agent: impl Into<String>) -> Result<Self, InvalidSettings> {
        Ok(Self {
            url: base_url(url)?,
            token,
            proxy: None,
            extra_ca: None,
            user_agent: user_agent.into(),
            connect_timeout: CONNECT_TIMEOUT,
            read_timeout: READ_TIMEOUT,
        })
    }

    /// Sends everything through a proxy instead of those that the environment names.
    ///
    /// # Errors
    /// When the address is none, or has a name or a password in it.
    pub fn with_proxy(
        mut self,
        address: &str,
        credential: Option<ProxyCredential>,
    ) -> Result<Self, InvalidSettings> {
        let url = Url::parse(address.trim())
            .ok()
            .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host())
            .ok_or(InvalidSettings::Proxy)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidSettings::ProxyCredential);
        }
        self.proxy = Some(Proxy { url, credential, bypass: String::new() });
        Ok(self)
    }

    /// Reaches some servers without the proxy: names with all below them, addresses, networks like `10.0.0.0/8`; `*` is every name.
    pub fn with_proxy_bypass(mut self, names: &[String]) -> Self {
        if let Some(proxy) = &mut self.proxy {
            proxy.bypass = names.join(",");
        }
        self
    }

    /// Adds root certificates (PEM) to those of the system.
    pub fn with_extra_ca(mut self, pem: impl Into<String>) -> Self {
        self.extra_ca = Some(pem.into());
        self
    }

    /// How long to wait for a connection, and for the whole of a request with its answer. A large report
    /// is given more time, by its size.
    pub fn with_timeouts(mut self, connect: Duration, read: Duration) -> Self {
        (self.connect_timeout, self.read_timeout) = (connect, read);
        self
    }
}

/// The address without a trailing `/` and `/api`, which people paste along.
///
/// # Errors
/// When it is no `http` or `https` address with a host.
pub(super) fn base_url(address: &str) -> Result<Url, InvalidSettings> {
    let mut address = address.trim().trim_end_matches('/');
    if let Some(end) = address.len().checked_sub(4)
        && let (Some(start), Some("/api")) =
            (address.get(..end), address.get(end..).map(str::to_lowercase).as_deref())
    {
        address = start;
    }
    let url = Url::parse(address).map_err(|_| InvalidSettings::Url)?;
    let usable = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if usable { Ok(url) } else { Err(InvalidSettings::Url) }
}

/// The whole credential of a client: base64 of `user:password`. It cannot be printed.
#[derive(Debug, Clone)]
pub struct Token(SecretString);

impl Token {
    /// A token as the server's web page shows it.
    ///
    /// # Errors
    /// When it does not decode to a text with a `:`.
    pub fn from_base64(text: &SecretString) -> Result<Self, InvalidSettings> {
        let text = text.expose_secret().trim();
        let decoded = STANDARD.decode(text).map_err(|_| InvalidSettings::Token)?;
        if !decoded.contains(&b':') {
            return Err(InvalidSettings::Token);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// Joins a user name and a password. Only the first colon separates, so the password may contain some.
    ///
    /// # Errors
    /// When the name is empty or has a colon.
    pub fn from_user(user: &str, password: &SecretString) -> Result<Self, InvalidSettings> {
        if user.is_empty() || user.contains(':') {
            return Err(InvalidSettings::UserName);
        }
        Ok(Self(SecretString::from(STANDARD.encode(format!("{user}:{}", password.expose_secret())))))
    }

    /// The text to keep in a credential store.
    pub fn expose(&self) -> &SecretString {
        &self.0
    }

    pub(super) fn header(&self) -> HeaderValue {
        // Base64 has no character that a header refuses.
        let mut value = HeaderValue::from_str(&format!("Basic {}", self.0.expose_secret()))
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        value.set_sensitive(true);
        value
    }
}

/// Who we are to the proxy.
#[derive(Debug, Clone)]
pub struct ProxyCredential {
    pub user: String,
    pub password: SecretString,
}

#[derive(Debug, Clone)]
pub(super) struct Proxy {
    url: Url,
    credential: Option<ProxyCredential>,
    /// Joined by commas.
    bypass: String,
}

impl Proxy {
    pub(super) fn into_reqwest(self) -> Result<reqwest::Proxy, InvalidSettings> {
        let proxy = reqwest::Proxy::all(self.url).map_err(|_| InvalidSettings::Proxy)?;
        let proxy = proxy.no_proxy(reqwest::NoProxy::from_string(&self.bypass));
        Ok(match self.credential {
            Some(ProxyCredential { user, password }) => proxy.basic_auth(&user, password.expose_secret()),
            None => proxy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_paste_them() {
        for (pasted, base) in [
            ("https://acme.wats.com", "https://acme.wats.com/"),
            (" https://acme.wats.com/api/ ", "https://acme.wats.com/"),
            ("http://wats.local:8081/API", "http://wats.local:8081/"),
            ("https://host/wats/api", "https://host/wats"),
        ] {
            assert_eq!(base_url(pasted).unwrap().as_str(), base, "{pasted}");
        }
        for wrong in ["", "acme.wats.com", "ftp://x", "https://", "https://u:p@x", "https://x/?a=1"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_checked_and_cannot_be_printed() {
        let token = Token::from_base64(&SecretString::from(" dXNlcjpzZWNyZXQ= ")).unwrap();
        assert_eq!(token.header().to_str().unwrap(), "Basic dXNlcjpzZWNyZXQ=");
        assert!(!format!("{token:?}").contains("dXNlcj"));
        assert!(!format!("{:?}", token.header()).contains("dXNlcj"));
        for wrong in ["", "not base64!", "bm9jb2xvbg=="] {
            assert!(Token::from_base64(&SecretString::from(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_user_name_and_a_password_make_a_token() {
        let password = SecretString::from("se:cret");
        let joined = Token::from_user("user", &password).unwrap();
        assert_eq!(joined.expose().expose_secret(), "dXNlcjpzZTpjcmV0");
        for wrong in ["", "us:er"] {
            assert!(Token::from_user(wrong, &password).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_proxy_address_names_a_proxy_and_nobody() {
        let settings = || {
            let token = Token::from_user("user", &SecretString::from("secret")).unwrap();
            ClientSettings::new("http://server", token, "test").unwrap()
        };
        assert!(settings().with_proxy(" http://proxy.local:3128 ", None).is_ok());
        for wrong in ["", "proxy.local:3128", "socks5://proxy", "http://me:secret@proxy.local"] {
            let error = settings().with_proxy(wrong, None).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn settings_show_no_secret() {
        let token = Token::from_user("user", &SecretString::from("secret")).unwrap();
        let credential = ProxyCredential { user: "me".to_owned(), password: "hidden".into() };
        let settings = ClientSettings::new("http://server", token, "test")
            .unwrap()
            .with_proxy("http://proxy:3128", Some(credential))
            .unwrap();
        let shown = format!("{settings:?} {:?}", super::super::Client::new(settings.clone()).unwrap());
        assert!(shown.contains("http://server/"), "{shown}");
        for secret in ["secret", "hidden", "dXNlcjpzZWNyZXQ", "bWU6aGlkZGVu"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
