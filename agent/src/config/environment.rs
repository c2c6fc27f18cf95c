//! The environment variables of a container: used where the configuration leaves a value as it is by default.

use std::ffi::OsString;
use std::path::PathBuf;

use secrecy::SecretString;
use wats::client::Token;

use super::load::ConfigError;
use super::{Config, Health, validate};
use crate::control::api::Station;
use crate::system;

/// What the environment says. Nothing of it is ever written into a file.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `PYWATS_SERVER_URL`, else `PYWATS_SERVICE_ADDRESS`, else `WATS_SERVER_URL`.
    pub url: Option<String>,
    /// `PYWATS_API_TOKEN`: used while none is kept.
    pub token: Option<Token>,
    /// `WATS_REGISTER_TOKEN`: this machine registers at the server with it, should the other have no right to.
    pub register_token: Option<Token>,
    /// `PYWATS_STATION`, or else `PYWATS_STATION_NAME`.
    pub station: Option<String>,
    /// `PYWATS_HEALTH_PORT`.
    pub health_port: Option<u16>,
}

impl Environment {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// When one has a value that cannot be used; it is named, and not repeated if it may be a secret.
    pub fn read() -> Result<Self, ConfigError> {
        Self::from(|name| std::env::var_os(name))
    }

    fn from(get: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let mut found = Self::default();
        if let Some((variable, url)) =
            first(&get, &["PYWATS_SERVER_URL", "PYWATS_SERVICE_ADDRESS", "WATS_SERVER_URL"])?
        {
            let url = server_url(&url);
            if let Some(message) = validate::url_problem(&url) {
                return Err(ConfigError::Environment { variable, message });
            }
            found.url = Some(url);
        }
        found.token = token(&get, "PYWATS_API_TOKEN")?;
        found.register_token = token(&get, "WATS_REGISTER_TOKEN")?;
        if let Some((variable, name)) = first(&get, &["PYWATS_STATION", "PYWATS_STATION_NAME"])? {
            let station = Station { name: name.trim().to_owned(), ..Station::default() };
            if let Some(problem) = validate::station_problems(&station).into_iter().next() {
                return Err(ConfigError::Environment { variable, message: problem.message });
            }
            found.station = Some(station.name);
        }
        if let Some((variable, port)) = first(&get, &["PYWATS_HEALTH_PORT"])? {
            let message = || format!("{port:?} is no port: 1 to 65535");
            let port = port.trim().parse().ok().filter(|port| *port > 0);
            found.health_port =
                Some(port.ok_or_else(|| ConfigError::Environment { variable, message: message() })?);
        }
        Ok(found)
    }

    /// Puts in what the configuration leaves open.
    pub(crate) fn fill(&self, config: &mut Config) {
        if config.server.url.is_none() {
            config.server.url.clone_from(&self.url);
        }
        if let Some(station) = &self.station
            && config.station.name == Station::default().name
        {
            config.station.name.clone_from(station);
        }
        if let Some(port) = self.health_port
            && config.health == Health::default()
        {
            config.health.listen.set_port(port);
        }
    }

    /// Takes out what came from here and only passed through the hands of whoever changed something else.
    pub(crate) fn take_out(&self, before: &Config, changed: &mut Config) {
        if before.server.url.is_none() && self.url.is_some() && changed.server.url == self.url {
            changed.server.url = None;
        }
        let usual = Station::default().name;
        if before.station.name == usual && self.station.as_ref() == Some(&changed.station.name) {
            changed.station.name = usual;
        }
    }
}

/// The configuration file where the command line names none: `PYWATS_CONFIG`, else that of `PYWATS_INSTANCE_ID`.
pub fn default_path() -> PathBuf {
    path_from(|name| std::env::var_os(name))
}

fn path_from(get: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let set = |name: &str| get(name).filter(|value| !value.is_empty());
    if let Some(path) = set("PYWATS_CONFIG") {
        return path.into();
    }
    let instance = set("PYWATS_INSTANCE_ID").and_then(|id| id.into_string().ok());
    let instance =
        instance.filter(|id| !id.contains(['/', '\\', '.', ':'])).unwrap_or_else(|| "default".to_owned());
    system::places().configurations.join(format!("{instance}.toml"))
}

/// What is logged, as `PYWATS_LOG_LEVEL` names it: DEBUG, INFO, WARNING, ERROR or CRITICAL.
pub fn log_level() -> &'static str {
    let level = std::env::var("PYWATS_LOG_LEVEL").unwrap_or_default();
    level_named(&level)
}

fn level_named(level: &str) -> &'static str {
    match level.trim().to_ascii_uppercase().as_str() {
        "DEBUG" => "debug",
        "WARNING" | "WARN" => "warn",
        "ERROR" | "CRITICAL" => "error",
        _ => "info",
    }
}

fn token(
    get: &impl Fn(&str) -> Option<OsString>,
    variable: &'static str,
) -> Result<Option<Token>, ConfigError> {
    let Some((variable, token)) = first(get, &[variable])? else { return Ok(None) };
    let token = Token::from_base64(&SecretString::from(token));
    token.map(Some).map_err(|error| ConfigError::Environment { variable, message: error.to_string() })
}

/// The first variable that is set and not empty.
fn first(
    get: &impl Fn(&str) -> Option<OsString>,
    names: &[&'static str],
) -> Result<Option<(&'static str, String)>, ConfigError> {
    for &variable in names {
        let Some(value) = get(variable).filter(|value| !value.is_empty()) else { continue };
        let value = value.into_string().map_err(|_| {
            let message = "it is no UTF-8 text".to_owned();
            ConfigError::Environment { variable, message }
        })?;
        if !value.trim().is_empty() {
            return Ok(Some((variable, value)));
        }
    }
    Ok(None)
}

/// An address as people paste it: without the `/api` at its end.
pub(crate) fn server_url(address: &str) -> String {
    let address = address.trim().trim_end_matches('/');
    let end = address.len().saturating_sub(4);
    match (address.get(..end), address.get(end..)) {
        (Some(start), Some(tail)) if tail.eq_ignore_ascii_case("/api") => {
            start.trim_end_matches('/').to_owned()
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, ConfigError> {
        Environment::from(|name| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_environment_fills_what_the_configuration_leaves_open() {
        let environment = read(&[
            ("PYWATS_SERVER_URL", "https://acme.wats.com/api/"),
            ("PYWATS_STATION", " ST7 "),
            ("PYWATS_STATION_NAME", "ignored"),
            ("PYWATS_HEALTH_PORT", "9090"),
            ("PYWATS_API_TOKEN", "dXNlcjpzZWNyZXQ="),
        ])
        .unwrap();
        let mut config = Config::default();
        environment.fill(&mut config);
        assert_eq!(config.server.url.as_deref(), Some("https://acme.wats.com"));
        assert_eq!((config.station.name.as_str(), config.health.listen.port()), ("ST7", 9090));
        assert!(!format!("{environment:?}").contains("dXNlcj"), "{environment:?}");

        let mut own = Config::default();
        own.server.url = Some("https://other".to_owned());
        own.station.name = "mine".to_owned();
        own.health.listen.set_port(1);
        let before = own.clone();
        environment.fill(&mut own);
        assert_eq!(own, before);
    }

    #[test]
    fn what_came_from_the_environment_is_not_saved_when_something_else_is_changed() {
        let environment =
            read(&[("PYWATS_SERVICE_ADDRESS", "https://a"), ("PYWATS_STATION_NAME", "ST7")]).unwrap();
        let before = Config::default();
        let mut changed = before.clone();
        environment.fill(&mut changed);
        changed.station.location = "Lab".to_owned();
        environment.take_out(&before, &mut changed);
        assert_eq!((changed.server.url, changed.station.name), (None, before.station.name));
        assert_eq!(changed.station.location, "Lab");
    }

    #[test]
    fn a_variable_that_cannot_be_used_is_named_and_a_secret_is_not_repeated() {
        for (name, value) in [
            ("PYWATS_SERVER_URL", "acme.wats.com"),
            ("PYWATS_API_TOKEN", "c2VjcmV0"),
            ("PYWATS_STATION", "a\u{7}b"),
            ("PYWATS_HEALTH_PORT", "70000"),
            ("WATS_REGISTER_TOKEN", "no token"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert!(!name.ends_with("TOKEN") || !error.contains(value), "{error}");
        }
        assert!(read(&[("PYWATS_SERVER_URL", " "), ("PYWATS_API_TOKEN", "")]).unwrap().token.is_none());
        let other = [("WATS_SERVER_URL", "https://wats.example/api"), ("WATS_REGISTER_TOKEN", "dTpw")];
        let read = read(&other).unwrap();
        assert_eq!(read.url.as_deref(), Some("https://wats.example"));
        assert!(read.register_token.is_some() && read.token.is_none());
    }

    #[test]
    fn the_file_and_the_log_level_can_be_named() {
        let path = |variables: &[(&str, &str)]| {
            path_from(|name| {
                variables.iter().find(|(it, _)| *it == name).map(|(_, value)| OsString::from(value))
            })
        };
        assert_eq!(path(&[]), PathBuf::from("/etc/wats-agent/default.toml"));
        assert_eq!(path(&[("PYWATS_INSTANCE_ID", "line2")]), PathBuf::from("/etc/wats-agent/line2.toml"));
        let both = [("PYWATS_INSTANCE_ID", "line2"), ("PYWATS_CONFIG", "/c/x.toml")];
        assert_eq!(path(&both), PathBuf::from("/c/x.toml"));
        assert_eq!(path(&[("PYWATS_INSTANCE_ID", "../x")]), PathBuf::from("/etc/wats-agent/default.toml"));
        for (level, ours) in [("CRITICAL", "error"), ("warning", "warn"), ("", "info"), ("loud", "info")] {
            assert_eq!(level_named(level), ours);
        }
    }
}
