//! What apt says: its simulation of an upgrade, and its progress lines.

use super::api::PackageUpdate;

/// The packages that a simulated upgrade would install (`apt-get --simulate upgrade`).
pub fn parse_simulation(output: &str) -> Vec<PackageUpdate> {
    output.lines().filter_map(parse_install_line).collect()
}

/// `Inst NAME [INSTALLED] (CANDIDATE ORIGIN:SUITE, ORIGIN:SUITE [ARCH]) []`; no `[INSTALLED]` for a new one.
fn parse_install_line(line: &str) -> Option<PackageUpdate> {
    let rest = line.strip_prefix("Inst ")?;
    let (package, rest) = rest.split_once(' ')?;
    let (installed, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (installed, rest) = rest.split_once(']')?;
            (Some(installed.to_owned()), rest.trim_start())
        }
        None => (None, rest),
    };
    let inner = rest.strip_prefix('(')?;
    let (inner, _) = inner.split_once(')')?;
    let (candidate, origins) = inner.split_once(' ').unwrap_or((inner, ""));
    // Debian: Debian-Security:12/stable-security; Ubuntu: Ubuntu:22.04/jammy-security.
    let security = origins.to_ascii_lowercase().contains("security");
    Some(PackageUpdate { package: package.to_owned(), installed, candidate: candidate.to_owned(), security })
}

/// One line that apt writes to `APT::Status-Fd`.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// Of the phase, download or installation: 0 to 100.
    pub percent: f64,
    pub phase: Phase,
    pub step: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Download,
    Install,
}

/// `dlstatus:NUMBER:PERCENT:WORDS` or `pmstatus:PACKAGE:PERCENT:WORDS`; `None` for any other line.
pub fn parse_progress(line: &str) -> Option<Progress> {
    let mut parts = line.splitn(4, ':');
    let phase = match parts.next()? {
        "dlstatus" => Phase::Download,
        "pmstatus" => Phase::Install,
        _ => return None,
    };
    let _package = parts.next()?;
    let percent: f64 = parts.next()?.trim().parse().ok()?;
    let step = parts.next()?.trim().to_owned();
    percent.is_finite().then_some(Progress { percent: percent.clamp(0.0, 100.0), phase, step })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &str) -> Vec<String> {
        let words = |update: PackageUpdate| {
            let installed = update.installed.as_deref().unwrap_or("new");
            let security = if update.security { " security" } else { "" };
            format!("{} {installed} {}{security}", update.package, update.candidate)
        };
        parse_simulation(output).into_iter().map(words).collect()
    }

    #[test]
    fn debians_simulation_is_read() {
        let output = "\
NOTE: This is only a simulation!
Reading package lists...
The following packages have been kept back:
  linux-image-amd64
Inst libc6 [2.36-9+deb12u10] (2.36-9+deb12u13 Debian-Security:12/oldstable-security [amd64]) []
Inst base-files [12.4+deb12u5] (12.4+deb12u11 Debian:12.11/oldstable [amd64])
Inst libfoo2 (1:2.0-1 Debian:12.11/oldstable, Debian-Security:12/oldstable-security [amd64])
Inst wats-agent [0.1.0-1] (0.1.1-1 WATS Appliance:stable [amd64])
Conf libc6 (2.36-9+deb12u13 Debian-Security:12/oldstable-security [amd64])
";
        assert_eq!(
            shown(output),
            [
                "libc6 2.36-9+deb12u10 2.36-9+deb12u13 security",
                "base-files 12.4+deb12u5 12.4+deb12u11",
                "libfoo2 new 1:2.0-1 security",
                "wats-agent 0.1.0-1 0.1.1-1",
            ]
        );
    }

    #[test]
    fn ubuntus_simulation_is_read() {
        let output = "\
Inst openssl [3.0.2-0ubuntu1.15] (3.0.2-0ubuntu1.18 Ubuntu:22.04/jammy-updates, Ubuntu:22.04/jammy-security [amd64])
Inst tzdata [2024a-0ubuntu0.22.04] (2025b-0ubuntu0.22.04 Ubuntu:22.04/jammy-updates [all])
";
        assert_eq!(
            shown(output),
            [
                "openssl 3.0.2-0ubuntu1.15 3.0.2-0ubuntu1.18 security",
                "tzdata 2024a-0ubuntu0.22.04 2025b-0ubuntu0.22.04",
            ]
        );
    }

    #[test]
    fn what_is_no_installation_is_passed_over() {
        assert_eq!(shown("Inst\nInst x\nInst x [1\nInst x [1] 2\nRemv y [1]\n"), [""; 0]);
    }

    #[test]
    fn progress_lines_are_read_and_others_are_not() {
        let line = parse_progress("pmstatus:libc6:36.5:Unpacking libc6:amd64 (amd64)").unwrap();
        assert_eq!(
            (line.percent, line.phase, line.step.as_str()),
            (36.5, Phase::Install, "Unpacking libc6:amd64 (amd64)")
        );
        let line = parse_progress("dlstatus:1:120:Retrieving file 1 of 4").unwrap();
        assert_eq!((line.percent, line.phase), (100.0, Phase::Download));
        for other in ["Get:1 http://deb.debian.org", "pmerror:x:1:no", "pmstatus:x:NaN:a", "pmstatus:x"] {
            assert_eq!(parse_progress(other), None, "{other}");
        }
    }
}
