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

/// [`ClientUpdate`] as servers took it first: what is more than the station stands in an XML text.
#[derive(Debug, Serialize)]
struct OlderUpdate<'a> {
    name: &'a str,
    location: &'a str,
    purpose: &'a str,
    miscinfo: String,
    /// Minutes east of Greenwich.
    utcoffset: i32,
}

impl ClientUpdate {
    /// The XML text of the older form.
    fn misc_info(&self) -> std::io::Result<String> {
        let mut xml = quick_xml::Writer::new(Vec::new());
        xml.create_element("miscinfo").write_inner_content(|xml| {
            xml.create_element("Modules").write_inner_content(|xml| {
                let module = [("ModuleID", "7"), ("ModuleName", "wats-agent"), ("Version", &self.version)];
                xml.create_element("version").with_attributes(module).write_empty().map(drop)
            })?;
            xml.create_element("computer").write_inner_content(|xml| self.computer.write(xml))?;
            for converter in &self.converters {
                converter.write(xml)?;
            }
            let total = self.pending_total.to_string();
            xml.create_element("pending").with_attribute(("total", total.as_str())).write_empty()?;
            text(xml, "ClientStatus", self.status)
        })?;
        String::from_utf8(xml.into_inner()).map_err(std::io::Error::other)
    }
}

type Xml = quick_xml::Writer<Vec<u8>>;

fn text(xml: &mut Xml, name: &str, text: &str) -> std::io::Result<()> {
    let text = quick_xml::events::BytesText::new(text);
    xml.create_element(name).write_text_content(text).map(drop)
}

impl Computer {
    fn write(&self, xml: &mut Xml) -> std::io::Result<()> {
        for (name, value) in [
            ("OSVersion", &self.os_version),
            ("CLRVersion", &self.python_version),
            ("CSName", &self.computer_name),
            ("OSArchitecture", &self.os_architecture),
            ("Domain", &self.domain),
            ("TotalPhysicalMemory", &self.total_physical_memory),
        ] {
            text(xml, name, value)?;
        }
        for disk in &self.disks {
            let attributes = [
                ("Name", disk.name.as_str()),
                ("DriveType", disk.drive_type),
                ("SystemDrive", if disk.system_drive { "true" } else { "false" }),
                ("VolumeLabel", &disk.volume_label),
                ("DriveFormat", &disk.drive_format),
                ("TotalSize", &disk.total_size),
                ("AvailableFreeSpace", &disk.available_free_space),
                ("TotalFreeSpace", &disk.total_free_space),
            ];
            xml.create_element("disk").with_attributes(attributes).write_empty()?;
        }
        Ok(())
    }
}

impl ConverterState {
    fn write(&self, xml: &mut Xml) -> std::io::Result<()> {
        let attributes = [
            ("name", self.name.as_str()),
            ("state", self.state),
            ("version", &self.version),
            ("total", &self.total),
            ("error", &self.error),
            ("class", &self.class),
            ("Filter", &self.filter),
            ("Path", &self.path),
            ("PostProcessAction", &self.post_process_action),
        ];
        xml.create_element("converter").with_attributes(attributes).write_empty().map(drop)
    }
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

    /// Says how the client fares in the older form, which other pages of the server read.
    ///
    /// # Errors
    /// As [`Client::ping`].
    pub async fn update_client_older(
        &self,
        update: &ClientUpdate,
        utc_offset_minutes: i32,
    ) -> Result<(), SubmitError> {
        let ClientUpdate { name, location, purpose, .. } = update;
        let older = OlderUpdate {
            name,
            location,
            purpose,
            // Writing to memory does not fail.
            miscinfo: update.misc_info().unwrap_or_default(),
            utcoffset: utc_offset_minutes,
        };
        let bytes = serde_json::to_vec(&older).unwrap_or_default();
        let body = Body { content_type: "application/json", bytes };
        self.call(Method::POST, "/api/internal/Client/Update", Some(body)).await?.success().map(drop)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_is_xml_whatever_the_names_hold() {
        let update = ClientUpdate {
            name: "ST1".to_owned(),
            location: String::new(),
            purpose: String::new(),
            version: "0.1.0".to_owned(),
            status: "Online",
            pending_total: 3,
            computer: Computer {
                os_version: "Debian <12> & \"more\"".to_owned(),
                disks: vec![DiskState {
                    name: "/".to_owned(),
                    drive_type: "Fixed",
                    system_drive: true,
                    volume_label: String::new(),
                    drive_format: String::new(),
                    total_size: "2".to_owned(),
                    available_free_space: "1".to_owned(),
                    total_free_space: "1".to_owned(),
                }],
                ..Computer::default()
            },
            converters: vec![ConverterState {
                name: "a<b>\"&".to_owned(),
                state: "Running",
                version: "1".to_owned(),
                total: "5".to_owned(),
                error: "0".to_owned(),
                class: "wats-text".to_owned(),
                filter: "*.txt;*.log".to_owned(),
                path: "/srv".to_owned(),
                post_process_action: "Archive".to_owned(),
            }],
        };
        let xml = update.misc_info().unwrap();
        let document = roxmltree::Document::parse(&xml).unwrap();
        let root = document.root_element();
        let find = |name| root.descendants().find(|it| it.has_tag_name(name)).unwrap();
        assert_eq!(root.tag_name().name(), "miscinfo");
        assert_eq!(find("version").attribute("ModuleID"), Some("7"));
        assert_eq!(find("OSVersion").text(), Some("Debian <12> & \"more\""));
        assert_eq!(find("disk").attribute("SystemDrive"), Some("true"));
        assert_eq!(find("converter").attribute("name"), Some("a<b>\"&"));
        assert_eq!(find("pending").attribute("total"), Some("3"));
        assert_eq!(find("ClientStatus").text(), Some("Online"));
    }
}
