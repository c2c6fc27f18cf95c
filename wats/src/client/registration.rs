//! This machine as a client of the server: registering, showing that it lives, saying how it fares.
//!
//! Servers up to 2026.1 have none of this and answer with [`SubmitError::WrongAddress`].

use reqwest::Method;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::{Body, Client, SubmitError, answer, words};

/// The kind of client that servers know for programs like this one.
const KIND: &str = "python";

/// Who registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Known to the server for ever; another registration of it makes the passcode before worthless.
    pub id: String,
    pub name: String,
    pub location: String,
    pub purpose: String,
}

impl Registration {
    fn query(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("id", &self.id).append_pair("type", KIND).append_pair("name", &self.name);
        query.append_pair("location", &self.location).append_pair("purpose", &self.purpose);
        query.finish()
    }
}

/// How a client fares. Numbers are texts where the server wants them so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientUpdate {
    pub name: String,
    pub location: String,
    pub purpose: String,
    /// Digits and dots only.
    pub version: String,
    /// `Online` or `Offline`.
    pub status: &'static str,
    /// Reports that wait.
    pub pending_total: u64,
    pub computer: Computer,
    pub converters: Vec<ConverterState>,
}

/// The machine that a client runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Computer {
    pub os_version: String,
    /// The runtime of the client, whatever it is.
    pub python_version: String,
    pub os_architecture: String,
    pub computer_name: String,
    pub domain: String,
    /// In bytes, as a text.
    pub total_physical_memory: String,
    pub disks: Vec<DiskState>,
}

/// A disk, its sizes in bytes as texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskState {
    pub name: String,
    /// `Fixed`, `Network`, `Removable` or `CDRom`.
    pub drive_type: &'static str,
    pub system_drive: bool,
    pub volume_label: String,
    pub drive_format: String,
    pub total_size: String,
    pub available_free_space: String,
    pub total_free_space: String,
}

/// What a converter did and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConverterState {
    pub name: String,
    /// `Running` or `Disabled`.
    pub state: &'static str,
    pub version: String,
    /// Files that were converted, as a text.
    pub total: String,
    /// Files that failed, as a text.
    pub error: String,
    pub class: String,
    /// Patterns of file names, joined by `;`.
    pub filter: String,
    pub path: String,
    pub post_process_action: String,
}

/// The calls are answered like [`Client::submit_wsjf`], with the same errors.
impl Client {
    /// Registers a client with a token that has the right to do so; the passcode makes its credential.
    ///
    /// # Errors
    /// [`SubmitError::Rejected`] with 409 when the id belongs to a client of another kind.
    pub async fn register(&self, who: &Registration) -> Result<SecretString, SubmitError> {
        let path = format!("/api/Client/Register?{}", who.query());
        let body = self.call(Method::POST, &path, None).await?.success()?;
        let text = words::text(&body);
        let passcode = match serde_json::from_str::<Value>(&text) {
            Ok(Value::String(passcode)) => passcode,
            // Plain text, perhaps all digits.
            Ok(Value::Number(_)) | Err(_) => text.trim_matches('"').to_owned(),
            Ok(_) => String::new(),
        };
        let passcode = passcode.trim();
        if passcode.is_empty() || passcode.contains(char::is_whitespace) {
            // Not even an excerpt: it may be the better part of a secret.
            return Err(SubmitError::NotWats { excerpt: "no passcode".to_owned() });
        }
        Ok(passcode.into())
    }

    /// Shows that the client lives.
    ///
    /// # Errors
    /// When the server does not answer like one that knows us.
    pub async fn ping(&self) -> Result<(), SubmitError> {
        self.call(Method::GET, "/api/internal/Client/Ping", None).await?.success().map(drop)
    }

    /// The server's name, where it tells one.
    ///
    /// # Errors
    /// As [`Client::ping`].
    pub async fn server_name(&self) -> Result<Option<String>, SubmitError> {
        let body = self.call(Method::GET, "/api/internal/Client/ServerInfo", None).await?.success()?;
        answer::text_member(&body, "name")
    }

    /// Says how the client fares.
    ///
    /// # Errors
    /// As [`Client::ping`].
    pub async fn update_client(&self, update: &ClientUpdate) -> Result<(), SubmitError> {
        // A struct of texts and numbers always has a JSON form.
        let bytes = serde_json::to_vec(update).unwrap_or_default();
        let body = Body { content_type: "application/json", bytes };
        self.call(Method::PUT, "/api/Client/Update", Some(body)).await?.success().map(drop)
    }

    /// Says goodbye.
    ///
    /// # Errors
    /// As [`Client::ping`].
    pub async fn disconnect(&self, id: &str) -> Result<(), SubmitError> {
        let mut address = self.base.clone();
        if let Ok(mut segments) = address.path_segments_mut() {
            segments.clear().push(id);
        }
        let path = format!("/api/internal/Auth/Disconnect{}", address.path());
        self.call(Method::GET, &path, None).await?.success().map(drop)
    }
}
