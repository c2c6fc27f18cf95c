//! The one door through which other programs are started.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// More of a program's output is not kept.
const OUTPUT_LIMIT: u64 = 4 << 20;
/// So much of what it said on standard error stands in an error.
const TAIL: usize = 600;

/// Starts programs: by absolute path, without a shell, in an environment of its own.
#[derive(Debug, Clone)]
pub struct Runner {
    root: PathBuf,
}

/// One program with its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    program: &'static str,
    arguments: Vec<String>,
    limit: Duration,
}

impl Call {
    /// `program` is an absolute path.
    pub fn new(program: &'static str) -> Self {
        Self { program, arguments: Vec::new(), limit: Duration::from_secs(30) }
    }

    #[must_use]
    pub fn arguments<I: IntoIterator<Item = S>, S: Into<String>>(mut self, arguments: I) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// After so long it is killed.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.program)?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

/// Why a program did not do what it was started for.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("could not start {call}")]
    Start { call: String, source: io::Error },
    #[error("{call} did not end in time")]
    TimedOut { call: String },
    #[error("{call} failed ({status}): {said}")]
    Failed { call: String, status: ExitStatus, said: String },
    #[error("could not read what {call} said")]
    Output { call: String, source: io::Error },
}

impl CallError {
    /// What the program itself said, if it came so far.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Failed { said, .. } => Some(said),
            _ => None,
        }
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self { root: PathBuf::from("/") }
    }
}

impl Runner {
    /// Takes programs from below `root`, as tests do.
    pub fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Runs a program to its end and gives what it wrote to standard output.
    ///
    /// # Errors
    /// When it cannot be started, takes too long, or ends with a failure.
    pub async fn run(&self, call: Call) -> Result<String, CallError> {
        let mut output = String::new();
        self.lines(call, |line| {
            output.push_str(line);
            output.push('\n');
        })
        .await?;
        Ok(output)
    }

    /// Runs a program to its end; `each` sees the lines of its standard output as they come.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn lines(&self, call: Call, each: impl FnMut(&str)) -> Result<(), CallError> {
        let name = call.to_string();
        let mut child =
            self.start(&call).map_err(|source| CallError::Start { call: name.clone(), source })?;
        let limit = call.limit;
        match tokio::time::timeout(limit, attend(&mut child, each)).await {
            Err(_) => {
                child.kill().await.ok();
                Err(CallError::TimedOut { call: name })
            }
            Ok(Err(source)) => Err(CallError::Output { call: name, source }),
            Ok(Ok((status, _))) if status.success() => Ok(()),
            Ok(Ok((status, said))) => Err(CallError::Failed { call: name, status, said: tail(&said) }),
        }
    }

    fn start(&self, call: &Call) -> io::Result<Child> {
        let program = self.root.join(call.program.trim_start_matches('/'));
        Command::new(program)
            .args(&call.arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive")
            // Ubuntu's needrestart would ask which services to restart.
            .env("NEEDRESTART_MODE", "a")
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// Reads both outputs to their end, and waits.
async fn attend(child: &mut Child, mut each: impl FnMut(&str)) -> io::Result<(ExitStatus, String)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read_lines = async {
        let Some(stdout) = stdout else { return Ok(()) };
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        // A line without an end must not fill the memory.
        while (&mut reader).take(64 << 10).read_until(b'\n', &mut line).await? > 0 {
            each(String::from_utf8_lossy(&line).trim_end_matches('\n'));
            line.clear();
        }
        Ok::<(), io::Error>(())
    };
    let (lines, said) = tokio::join!(read_lines, read_bounded(stderr));
    lines?;
    Ok((child.wait().await?, said?))
}

async fn read_bounded(from: Option<impl AsyncRead + Unpin>) -> io::Result<String> {
    let Some(mut from) = from else { return Ok(String::new()) };
    let mut kept = Vec::new();
    (&mut from).take(OUTPUT_LIMIT).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

fn tail(said: &str) -> String {
    let said = said.trim();
    let skip = said.chars().count().saturating_sub(TAIL);
    said.chars().skip(skip).collect()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "files of a test are thrown away")]
pub(crate) mod testing {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Puts a shell script in the place of a program, below `root`.
    pub(crate) fn script(root: &Path, program: &str, body: &str) {
        let path = root.join(program.trim_start_matches('/'));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::testing::script;
    use super::*;

    async fn run(body: &str, limit: Duration) -> Result<String, String> {
        let root = tempfile::tempdir().unwrap();
        script(root.path(), "/bin/thing", body);
        let call = Call::new("/bin/thing").arguments(["a b", "$HOME;"]).limit(limit);
        Runner::below(root.path()).run(call).await.map_err(|error| error.to_string())
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn arguments_arrive_as_they_are_and_the_environment_is_ours() {
        let said = run(r#"echo "$1|$2|$LC_ALL|${HOME:-none}""#, LONG).await.unwrap();
        assert_eq!(said, "a b|$HOME;|C.UTF-8|none\n");
    }

    #[tokio::test]
    async fn a_failure_carries_the_command_and_its_words() {
        let error = run("echo 'no such thing' >&2; exit 3", LONG).await.unwrap_err();
        assert_eq!(error, "/bin/thing a b $HOME; failed (exit status: 3): no such thing");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_killed() {
        let error = run("exec sleep 1000", Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(error, "/bin/thing a b $HOME; did not end in time");
    }

    #[tokio::test]
    async fn much_output_on_standard_error_neither_blocks_nor_fills_the_error() {
        let error = run("head -c 9000000 /dev/zero | tr '\\0' x >&2; exit 1", LONG).await.unwrap_err();
        assert!(error.len() < 800, "{}", error.len());
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let error = Runner::default().run(Call::new("/no/such/program")).await.unwrap_err();
        assert_eq!(error.to_string(), "could not start /no/such/program");
    }
}
