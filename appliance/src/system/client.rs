//! The client of the system daemon: one function for each row of the table in [`api`](super::api).

use std::{path::Path, time::Duration};

use reqwest::{Method, Response};
use serde::{Serialize, de::DeserializeOwned};

use super::api::{Host, HostNameChange, Power, PowerAction, Problem, TimeZoneChange, UpdateKind, Updates};

/// Where the daemon listens.
pub const SOCKET: &str = "/run/wats-appliance/system.sock";

/// Speaks with the system daemon over its Unix socket. Clones share the connections.
#[derive(Debug, Clone)]
pub struct SystemClient {
    http: reqwest::Client,
}

/// What became of a request that was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    #[error(
        "The system service of this machine does not answer. It may be restarting: try again in a minute."
    )]
    Unreachable(#[source] reqwest::Error),
    /// The daemon's own words: a name that is no host name, a run that is going on already.
    #[error("{message}")]
    Refused { message: String },
    /// The daemon tried and failed; the words are the daemon's, too.
    #[error("{message}")]
    Failed { message: String },
    #[error("The system service of this machine gave an answer that is not understood.")]
    Answer(#[source] reqwest::Error),
}

impl SystemClient {
    /// No connection is made yet.
    pub fn new(socket: &Path) -> Result<Self, SystemError> {
        let http = reqwest::Client::builder()
            .unix_socket(socket)
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .build()
            .map_err(SystemError::Unreachable)?;
        Ok(Self { http })
    }

    pub async fn host(&self) -> Result<Host, SystemError> {
        self.get("/v1/host").await
    }

    pub async fn set_host_name(&self, host_name: &str) -> Result<(), SystemError> {
        let change = HostNameChange { host_name: host_name.to_owned() };
        self.send(Method::PUT, "/v1/host-name", Some(&change)).await.map(drop)
    }

    pub async fn time_zones(&self) -> Result<Vec<String>, SystemError> {
        self.get("/v1/time-zones").await
    }

    pub async fn set_time_zone(&self, time_zone: &str) -> Result<(), SystemError> {
        let change = TimeZoneChange { time_zone: time_zone.to_owned() };
        self.send(Method::PUT, "/v1/time-zone", Some(&change)).await.map(drop)
    }

    pub async fn updates(&self) -> Result<Updates, SystemError> {
        self.get("/v1/updates").await
    }

    /// Starts a run; [`updates`](Self::updates) shows how it goes.
    pub async fn start_updates(&self, kind: UpdateKind) -> Result<(), SystemError> {
        let path = match kind {
            UpdateKind::Check => "/v1/updates/check",
            UpdateKind::Install => "/v1/updates/install",
        };
        self.send(Method::POST, path, None::<&()>).await.map(drop)
    }

    pub async fn power(&self, action: PowerAction) -> Result<(), SystemError> {
        self.send(Method::POST, "/v1/power", Some(&Power { action })).await.map(drop)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, SystemError> {
        self.send(Method::GET, path, None::<&()>).await?.json().await.map_err(SystemError::Answer)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Response, SystemError> {
        // The host is not looked up: the connection goes to the socket.
        let mut request = self.http.request(method, format!("http://system{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(SystemError::Unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let Problem { message } = response.json().await.map_err(SystemError::Answer)?;
        Err(if status.is_client_error() {
            SystemError::Refused { message }
        } else {
            SystemError::Failed { message }
        })
    }
}
