//! What the machine's own screen shows: where its console is, and while it is nobody's the setup code.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::provision::fingerprint;
use crate::state::setup_code::SetupCodeFile;
use crate::system::host;

/// How often it is looked whether something has changed.
const LOOK: Duration = Duration::from_secs(2);

/// What stands on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    pub host_name: String,
    pub addresses: Vec<IpAddr>,
    pub fingerprint: Option<String>,
    /// While the machine is nobody's.
    pub setup_code: Option<String>,
}

impl Screen {
    /// The machine as it is now. What cannot be read is shown as not there yet.
    pub fn now(state_dir: &Path) -> Self {
        let code = SetupCodeFile::new(state_dir.join("setup-code")).read().ok().flatten();
        let host_name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            host_name: host_name.trim().to_owned(),
            addresses: host::addresses(),
            fingerprint: fingerprint(state_dir),
            setup_code: code.map(|code| code.expose().to_owned()),
        }
    }

    /// The text: plain lines, the same for every terminal.
    pub fn text(&self) -> String {
        let mut text = format!("WATS Appliance {}  -  {}\n\n", env!("CARGO_PKG_VERSION"), self.host_name);
        if self.addresses.is_empty() {
            text.push_str("Waiting for a network address.\n");
        }
        for address in &self.addresses {
            let host = match address {
                IpAddr::V4(v4) => v4.to_string(),
                IpAddr::V6(v6) => format!("[{v6}]"),
            };
            // Writing into a String cannot fail.
            writeln!(text, "Open: https://{host}/").ok();
        }
        match &self.fingerprint {
            Some(fingerprint) => writeln!(text, "Certificate SHA-256: {fingerprint}").ok(),
            None => writeln!(text, "The certificate is being made.").ok(),
        };
        if let Some(code) = &self.setup_code {
            writeln!(text, "\nSetup code: {code}\n\nType it on the first page to make this machine yours.")
                .ok();
        }
        text.push_str("\nEnter: sign in here (accounts come from your platform's user data).\n");
        text
    }
}

/// Shows the screen on standard output, again whenever it changes, until somebody presses Enter; then
/// becomes the login prompt.
///
/// # Errors
/// When the terminal cannot be written, or the login prompt cannot be started.
pub fn show(state_dir: &Path, line: &str) -> io::Result<()> {
    let enter = enter_pressed();
    let mut shown = None;
    loop {
        let screen = Screen::now(state_dir);
        if shown.as_ref() != Some(&screen) {
            print(&screen.text(), is_serial(line))?;
            shown = Some(screen);
        }
        match enter.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            // Without a keyboard there is nobody to sign in.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
            Ok(()) => return Err(Command::new("/sbin/agetty").args(["--noclear", "-", "linux"]).exec()),
        }
    }
}

/// A screen is cleared; on a serial line, which may be a log, lines only follow lines.
fn print(text: &str, serial: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if !serial {
        out.write_all(b"\x1b[2J\x1b[H")?;
    }
    // The terminal may be in a mode where a line feed does not go back to the left.
    write!(out, "\r\n{}", text.replace('\n', "\r\n"))?;
    out.flush()
}

fn is_serial(line: &str) -> bool {
    !line.strip_prefix("tty").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Speaks once for each line that is typed; ends with standard input.
fn enter_pressed() -> std::sync::mpsc::Receiver<()> {
    let (pressed, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while io::stdin().read_line(&mut line).is_ok_and(|read| read > 0) {
            line.clear();
            if pressed.send(()).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_new_machine_shows_where_and_with_which_code() {
        let screen = Screen {
            host_name: "wats-1".to_owned(),
            addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
            fingerprint: Some("AA:BB".to_owned()),
            setup_code: Some("ABCD-EFGH-JKLM".to_owned()),
        };
        expect![[r#"
            WATS Appliance 0.1.0  -  wats-1

            Open: https://192.0.2.7/
            Open: https://[2001:db8::7]/
            Certificate SHA-256: AA:BB

            Setup code: ABCD-EFGH-JKLM

            Type it on the first page to make this machine yours.

            Enter: sign in here (accounts come from your platform's user data).
        "#]]
        .assert_eq(&screen.text());
    }

    #[test]
    fn a_claimed_machine_without_a_network_shows_no_code() {
        let screen = Screen {
            host_name: "wats-1".to_owned(),
            addresses: Vec::new(),
            fingerprint: None,
            setup_code: None,
        };
        assert!(screen.text().contains("Waiting for a network address."));
        assert!(!screen.text().contains("Setup code"));
    }

    #[test]
    fn virtual_terminals_are_screens_and_others_are_serial_lines() {
        assert!(!is_serial("tty1"));
        assert!(is_serial("ttyS0") && is_serial("hvc0") && is_serial(""));
    }
}
