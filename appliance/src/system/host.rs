//! What the machine is called, where it stands, and what it is.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::api::Host;
use super::runner::{Call, CallError, Runner};
use crate::files;

/// A name that a machine may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

/// Why a text is no host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHostName {
    #[error("Enter a name.")]
    Empty,
    #[error("The name is too long: 63 characters at most.")]
    TooLong,
    #[error("A name has letters without accents, digits and dashes only, and no dash at its ends.")]
    Characters,
    #[error("A name that is all digits looks like an address: add a letter.")]
    Number,
}

impl HostName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for HostName {
    type Error = InvalidHostName;

    /// Also takes names with a domain: `wats.factory.example`.
    fn try_from(text: String) -> Result<Self, InvalidHostName> {
        let name = text.trim().to_ascii_lowercase();
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if name.is_empty() {
            Err(InvalidHostName::Empty)
        } else if name.len() > 63 {
            Err(InvalidHostName::TooLong)
        } else if !name.split('.').all(is_label) {
            Err(InvalidHostName::Characters)
        } else if name.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            Err(InvalidHostName::Number)
        } else {
            Ok(Self(name))
        }
    }
}

/// Why the machine was not changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error(transparent)]
    HostName(#[from] InvalidHostName),
    #[error("There is no time zone {0:?}. Choose one from the list, for example Europe/Oslo.")]
    TimeZone(String),
    #[error("could not change the system")]
    Call(#[from] CallError),
    #[error("could not change {path}")]
    File { path: PathBuf, source: std::io::Error },
}

/// The machine's own files and tools, below a root that is `/` but in tests.
#[derive(Debug, Clone)]
pub struct HostSettings {
    runner: Runner,
    root: PathBuf,
}

impl HostSettings {
    pub fn new(runner: Runner, root: &Path) -> Self {
        Self { runner, root: root.to_owned() }
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// The machine as it is now. What cannot be read is empty.
    pub fn host(&self) -> Host {
        let os_release = self.read("etc/os-release");
        let pretty = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
        let uptime = self.read("proc/uptime");
        let seconds = uptime.split('.').next().and_then(|text| text.parse().ok());
        Host {
            host_name: self.read("proc/sys/kernel/hostname").trim().to_owned(),
            time_zone: self.time_zone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operating_system: pretty.unwrap_or("Linux").trim_matches('"').to_owned(),
            uptime_seconds: seconds.unwrap_or_default(),
            addresses: addresses(),
            reboot_required: self.root.join("run/reboot-required").exists(),
        }
    }

    fn time_zone(&self) -> String {
        let link = std::fs::read_link(self.root.join("etc/localtime")).unwrap_or_default();
        let path = link.to_string_lossy();
        path.split_once("zoneinfo/").map_or("UTC", |(_, zone)| zone).to_owned()
    }

    /// # Errors
    /// When the name is none, or the system refuses.
    pub async fn set_host_name(&self, name: String) -> Result<(), HostError> {
        let name = HostName::try_from(name)?;
        let call = Call::new("/usr/bin/hostnamectl").arguments(["set-hostname", name.as_str()]);
        self.runner.run(call).await?;
        let path = self.root.join("etc/hosts");
        let hosts = hosts_with(&self.read("etc/hosts"), name.as_str());
        files::replace_file(&path, 0o644, hosts.as_bytes()).map_err(|source| HostError::File { path, source })
    }

    /// The IANA names that this system knows.
    ///
    /// # Errors
    /// When the system does not say.
    pub async fn time_zones(&self) -> Result<Vec<String>, HostError> {
        let call = Call::new("/usr/bin/timedatectl").arguments(["list-timezones", "--no-pager"]);
        let list = self.runner.run(call).await?;
        Ok(list.lines().map(str::to_owned).collect())
    }

    /// # Errors
    /// When there is no such zone, or the system refuses.
    pub async fn set_time_zone(&self, zone: String) -> Result<(), HostError> {
        let zone = zone.trim().to_owned();
        if !self.time_zones().await?.contains(&zone) {
            return Err(HostError::TimeZone(zone));
        }
        let call = Call::new("/usr/bin/timedatectl").arguments(["set-timezone", &zone]);
        self.runner.run(call).await?;
        Ok(())
    }
}

/// The addresses under which others reach this machine, IPv4 first.
pub fn addresses() -> Vec<IpAddr> {
    let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() else { return Vec::new() };
    let mut found: Vec<IpAddr> = networks
        .values()
        .flat_map(|network| network.ip_networks().iter().map(|it| it.addr))
        .filter(is_global)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn is_global(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

/// The hosts file with this machine's name, so that it finds itself without a name server.
fn hosts_with(hosts: &str, name: &str) -> String {
    let short = name.split('.').next().unwrap_or(name);
    let mine = if short == name { format!("127.0.1.1 {name}") } else { format!("127.0.1.1 {name} {short}") };
    let is_mine = |line: &&str| line.split_whitespace().next() == Some("127.0.1.1");
    let mut lines: Vec<&str> = hosts.lines().filter(|line| !is_mine(line)).collect();
    if lines.is_empty() {
        lines.push("127.0.0.1 localhost");
    }
    lines.insert(1.min(lines.len()), &mine);
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files of a test are thrown away")]
mod tests {
    use super::super::runner::testing::script;
    use super::*;

    fn check(text: &str, expected: Result<&str, InvalidHostName>) {
        let parsed = HostName::try_from(text.to_owned());
        assert_eq!(parsed.as_ref().map(HostName::as_str).map_err(|error| *error), expected, "{text:?}");
    }

    #[test]
    fn host_names_are_checked() {
        check(" WATS-1 ", Ok("wats-1"));
        check("wats.factory.example", Ok("wats.factory.example"));
        check("", Err(InvalidHostName::Empty));
        check(&"a".repeat(64), Err(InvalidHostName::TooLong));
        for bad in ["a b", "-a", "a-", "a..b", "a;reboot", "ä", "a_b", "$(id)"] {
            check(bad, Err(InvalidHostName::Characters));
        }
        check("10.0.0.1", Err(InvalidHostName::Number));
    }

    #[test]
    fn the_hosts_file_has_one_line_for_this_machine() {
        let hosts = hosts_with("127.0.0.1 localhost\n127.0.1.1 old\n::1 localhost\n", "wats.x");
        assert_eq!(hosts, "127.0.0.1 localhost\n127.0.1.1 wats.x wats\n::1 localhost\n");
        assert_eq!(hosts_with(&hosts, "new"), "127.0.0.1 localhost\n127.0.1.1 new\n::1 localhost\n");
        assert_eq!(hosts_with("", "new"), "127.0.0.1 localhost\n127.0.1.1 new\n");
    }

    fn machine() -> (tempfile::TempDir, HostSettings) {
        let root = tempfile::tempdir().unwrap();
        let log = root.path().join("log");
        for folder in ["etc", "proc/sys/kernel", "run"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        script(root.path(), "/usr/bin/hostnamectl", &format!("echo hostnamectl \"$@\" >> {}", log.display()));
        let zones = format!(
            "[ \"$1\" = list-timezones ] && printf 'Europe/Oslo\\nUTC\\n' || echo timedatectl \"$@\" >> {}",
            log.display()
        );
        script(root.path(), "/usr/bin/timedatectl", &zones);
        let settings = HostSettings::new(Runner::below(root.path()), root.path());
        (root, settings)
    }

    #[tokio::test]
    async fn name_and_zone_are_set_by_the_systems_own_tools() {
        let (root, settings) = machine();
        settings.set_host_name("Line-4".to_owned()).await.unwrap();
        settings.set_time_zone("Europe/Oslo".to_owned()).await.unwrap();
        let refused = settings.set_time_zone("Europe/Atlantis".to_owned()).await.unwrap_err();
        assert!(refused.to_string().contains("Europe/Atlantis"));
        let log = std::fs::read_to_string(root.path().join("log")).unwrap();
        assert_eq!(log, "hostnamectl set-hostname line-4\ntimedatectl set-timezone Europe/Oslo\n");
        let hosts = std::fs::read_to_string(root.path().join("etc/hosts")).unwrap();
        assert_eq!(hosts, "127.0.0.1 localhost\n127.0.1.1 line-4\n");
    }

    #[test]
    fn the_facts_come_from_the_systems_files() {
        let (root, settings) = machine();
        std::fs::write(root.path().join("etc/os-release"), "NAME=x\nPRETTY_NAME=\"Ubuntu 22.04.5 LTS\"\n")
            .unwrap();
        std::fs::write(root.path().join("proc/sys/kernel/hostname"), "wats\n").unwrap();
        std::fs::write(root.path().join("proc/uptime"), "3661.20 7000.0\n").unwrap();
        std::fs::write(root.path().join("run/reboot-required"), "").unwrap();
        std::os::unix::fs::symlink("../usr/share/zoneinfo/Europe/Oslo", root.path().join("etc/localtime"))
            .unwrap();
        let host = settings.host();
        assert_eq!(host.operating_system, "Ubuntu 22.04.5 LTS");
        assert_eq!((host.host_name.as_str(), host.time_zone.as_str()), ("wats", "Europe/Oslo"));
        assert_eq!((host.uptime_seconds, host.reboot_required), (3661, true));
    }
}
