//! The form for the WATS server: the wizard's step and the server page have the same one.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use wats_agent::control::api::{
    Check, CheckStep, ConnectionTest, Credential, Outcome, ServerChange, ServerSettings, UserPassword,
};

use crate::forms::FormErrors;
use crate::words::{Badge, Tone};

/// What was typed. Secrets are not shown again.
#[derive(Debug, Clone, Deserialize)]
pub struct ServerForm {
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub credential_kind: CredentialKind,
    #[serde(default)]
    pub token: SecretString,
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub password: SecretString,
    #[serde(default)]
    pub proxy: String,
    #[serde(default)]
    pub proxy_user: String,
    #[serde(default)]
    pub proxy_password: SecretString,
    #[serde(default)]
    pub extra_ca: String,
    pub action: Action,
}

/// What the server is convinced with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    #[default]
    Token,
    User,
}

/// Which button was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    Test,
    Save,
    /// In the wizard: go on without a server, or with one that does not answer yet.
    Skip,
}

/// What the form shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerFields {
    pub url: String,
    pub by_user: bool,
    pub user: String,
    pub proxy: String,
    pub proxy_user: String,
    pub extra_ca: String,
    /// A secret is stored: its field may stay empty.
    pub has_credential: bool,
    pub has_proxy_credential: bool,
}

impl From<ServerSettings> for ServerFields {
    fn from(settings: ServerSettings) -> Self {
        Self {
            url: settings.url.unwrap_or_default(),
            by_user: false,
            user: String::new(),
            proxy: settings.proxy.unwrap_or_default(),
            proxy_user: String::new(),
            extra_ca: settings.extra_ca.unwrap_or_default(),
            has_credential: settings.has_credential,
            has_proxy_credential: settings.has_proxy_credential,
        }
    }
}

impl ServerForm {
    /// The form as it was typed, without the secrets, beside what is stored.
    pub fn fields(&self, stored: &ServerSettings) -> ServerFields {
        ServerFields {
            url: self.url.clone(),
            by_user: self.credential_kind == CredentialKind::User,
            user: self.user.clone(),
            proxy: self.proxy.clone(),
            proxy_user: self.proxy_user.clone(),
            extra_ca: self.extra_ca.clone(),
            has_credential: stored.has_credential,
            has_proxy_credential: stored.has_proxy_credential,
        }
    }

    /// What the agent is asked for, or what is missing.
    ///
    /// # Errors
    /// Messages at the fields.
    pub fn change(&self, stored: &ServerSettings) -> Result<ServerChange, FormErrors> {
        let mut errors = FormErrors::default();
        let url = self.url.trim();
        if url.is_empty() {
            errors.add("url", "Enter the address of your WATS server, for example https://company.wats.com.");
        }
        let credential = self.credential(stored.has_credential, &mut errors);
        let proxy_credential = pair(&self.proxy_user, &self.proxy_password);
        if proxy_credential.is_none() && !self.proxy_user.trim().is_empty() {
            errors.add("proxy_password", "Enter the password of the proxy's user.");
        }
        let given = |text: &str| Some(text.trim()).filter(|it| !it.is_empty()).map(str::to_owned);
        if errors.is_empty() {
            Ok(ServerChange {
                url: url.to_owned(),
                proxy: given(&self.proxy),
                extra_ca: given(&self.extra_ca),
                credential,
                proxy_credential,
            })
        } else {
            Err(errors)
        }
    }

    fn credential(&self, stored: bool, errors: &mut FormErrors) -> Option<Credential> {
        match self.credential_kind {
            CredentialKind::Token => {
                // People paste the whole header.
                let typed = self.token.expose_secret().trim();
                let token = typed.strip_prefix("Basic ").unwrap_or(typed).trim();
                if token.is_empty() && !stored {
                    errors.add("token", "Enter the token, or choose user name and password.");
                }
                (!token.is_empty()).then(|| Credential::Token(token.to_owned().into()))
            }
            CredentialKind::User => {
                let credential = pair(&self.user, &self.password);
                let nothing = self.user.trim().is_empty() && self.password.expose_secret().is_empty();
                if credential.is_none() && !(nothing && stored) {
                    let field = if self.user.trim().is_empty() { "user" } else { "password" };
                    errors.add(field, "Enter both the user name and the password.");
                }
                credential.map(Credential::User)
            }
        }
    }

    /// The form's field for a member that the agent names.
    pub fn field_of(&self, member: &str) -> Option<String> {
        let field = match member.split('.').next().unwrap_or_default() {
            "credential" => match self.credential_kind {
                CredentialKind::Token => "token",
                CredentialKind::User => "password",
            },
            "proxy_credential" => "proxy_password",
            "url" => "url",
            "proxy" => "proxy",
            "extra_ca" => "extra_ca",
            _ => return None,
        };
        Some(field.to_owned())
    }
}

fn pair(user: &str, password: &SecretString) -> Option<UserPassword> {
    let user = user.trim();
    let whole = !user.is_empty() && !password.expose_secret().is_empty();
    whole.then(|| UserPassword { user: user.to_owned(), password: password.clone() })
}

/// One line of a connection test's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRow {
    pub badge: Badge,
    pub step: &'static str,
    pub message: String,
    pub advice: Option<String>,
}

/// The answer to a connection test, as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestResult {
    pub passed: bool,
    pub checks: Vec<CheckRow>,
}

impl From<ConnectionTest> for TestResult {
    fn from(test: ConnectionTest) -> Self {
        Self { passed: test.passed(), checks: test.checks.into_iter().map(CheckRow::from).collect() }
    }
}

impl From<Check> for CheckRow {
    fn from(check: Check) -> Self {
        let (tone, word) = match check.outcome {
            Outcome::Ok => (Tone::Good, "OK"),
            Outcome::Warning => (Tone::Attention, "Note"),
            Outcome::Failed => (Tone::Bad, "Failed"),
        };
        let step = match check.step {
            CheckStep::Address => "Address",
            CheckStep::Dns => "Name (DNS)",
            CheckStep::Tcp => "Connection",
            CheckStep::Proxy => "Proxy",
            CheckStep::Tls => "Encryption (TLS)",
            CheckStep::Clock => "Clock",
            CheckStep::Version => "Server version",
            CheckStep::Credential => "Credential",
            CheckStep::Rights => "Rights",
        };
        Self { badge: Badge::new(tone, word), step, message: check.message, advice: check.advice }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(has_credential: bool) -> ServerSettings {
        ServerSettings { url: None, proxy: None, extra_ca: None, has_credential, has_proxy_credential: false }
    }

    fn form(pairs: &[(&str, &str)]) -> ServerForm {
        let mut object = serde_json::Map::new();
        object.insert("action".to_owned(), "save".into());
        for (name, value) in pairs {
            object.insert((*name).to_owned(), (*value).into());
        }
        serde_json::from_value(object.into()).unwrap()
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let errors = form(&[]).change(&stored(false)).unwrap_err();
        assert!(errors.at("url").contains("https://company.wats.com"));
        assert!(errors.at("token").contains("token"));
        let errors = form(&[("url", "https://w"), ("credential_kind", "user"), ("user", "u")])
            .change(&stored(true))
            .unwrap_err();
        assert_eq!(errors.at("password"), "Enter both the user name and the password.");
    }

    #[test]
    fn an_empty_secret_keeps_the_stored_one() {
        let change = form(&[("url", " https://w ")]).change(&stored(true)).unwrap();
        assert_eq!(change.url, "https://w");
        assert!(change.credential.is_none());
    }

    #[test]
    fn a_pasted_header_is_a_token() {
        let change = form(&[("url", "https://w"), ("token", "Basic abc= ")]).change(&stored(false)).unwrap();
        match change.credential {
            Some(Credential::Token(token)) => assert_eq!(token.expose_secret(), "abc="),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let form = form(&[("token", "SECRET-1"), ("password", "SECRET-2"), ("proxy_password", "SECRET-3")]);
        assert!(!format!("{form:?}").contains("SECRET-"));
        assert!(!format!("{:?}", form.fields(&stored(false))).contains("SECRET-"));
    }
}
