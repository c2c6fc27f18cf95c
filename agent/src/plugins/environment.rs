//! The packages that a plug-in asks for, in a Python environment of its own.
//!
//! A `requirements.txt` beside a plug-in names them. They come from the package index, or from a folder of wheels that
//! was uploaded where there is no internet. Only wheels are taken: to build a package from its source would run its code
//! outside of every sandbox. The environment is made aside and put in place when it is whole, so that one that cannot
//! be made leaves the one before it in use.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::files;

/// Of a file of requirements.
const MAX_REQUIREMENTS: u64 = 64 * 1024;

/// Which requirements an environment was made of; inside it.
const MADE_OF: &str = "made-of";

/// So many lines of what pip says are shown.
const SHOWN: usize = 12;

/// What pip may see of the agent's own environment: the way to the index, and nothing secret.
const PASSED: &[&str] = &[
    "PATH",
    "LANG",
    "TMPDIR",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_CONFIG_FILE",
];

/// Where the packages come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Supply {
    /// The package index that pip knows.
    Index,
    /// A folder of wheels, without any network.
    Wheels(PathBuf),
}

/// Why there is no environment.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is longer than {} KB", MAX_REQUIREMENTS / 1024)]
    TooLong { path: PathBuf },
    #[error("line {line} of the requirements, {text:?}, cannot be used: {why}")]
    Requirement { line: usize, text: String, why: &'static str },
    #[error("{program} cannot be started: {source}. Is Python installed (setting plugins.python)?")]
    Start { program: PathBuf, source: io::Error },
    #[error(
        "Python cannot make an environment: {words}. Where it says that ensurepip is missing: install python3-venv"
    )]
    Make { words: String },
    #[error("pip cannot install the packages: {words}")]
    Install { words: String },
    #[error("the packages were not installed within {} seconds", limit.as_secs())]
    TooSlow { limit: Duration },
    #[error("the environment cannot be put in place at {path}: {source}")]
    Place { path: PathBuf, source: io::Error },
}

/// The interpreter of an environment, to be started in place of the system's.
pub fn python(environment: &Path) -> PathBuf {
    environment.join("bin/python3")
}

/// Whether the environment is there and was made of these requirements by this interpreter.
///
/// # Errors
/// When the requirements cannot be read or used.
pub fn is_current(python: &Path, requirements: &Path, environment: &Path) -> Result<bool, EnvironmentError> {
    let wanted = made_of(python, &read(requirements)?);
    let made = std::fs::read_to_string(environment.join(MADE_OF));
    Ok(made.is_ok_and(|made| made == wanted))
}

/// Makes the environment of a plug-in; what was at `environment` before is replaced once the new one is whole.
///
/// # Errors
/// What is wrong with the requirements, or what Python and pip say.
pub async fn make(
    python: &Path,
    requirements: &Path,
    supply: &Supply,
    environment: &Path,
    limit: Duration,
) -> Result<(), EnvironmentError> {
    if cfg!(windows) {
        // The interpreter of an environment starts another there, and a box has one process.
        let words = "on Windows a plug-in cannot have packages of its own: put them beside it".to_owned();
        return Err(EnvironmentError::Make { words });
    }
    let text = read(requirements)?;
    let aside = beside(environment, "new");
    let placed = |source| EnvironmentError::Place { path: environment.to_owned(), source };
    remove(&aside).map_err(placed)?;
    let made = tokio::time::timeout(limit, install(python, requirements, supply, &aside)).await;
    let made = made.unwrap_or(Err(EnvironmentError::TooSlow { limit }));
    let placed = made.and_then(|()| put_in_place(python, &text, &aside, environment).map_err(placed));
    if placed.is_err() {
        // The error that ended it says more than one of clearing away.
        remove(&aside).unwrap_or_default();
    }
    placed
}

async fn install(
    python: &Path,
    requirements: &Path,
    supply: &Supply,
    environment: &Path,
) -> Result<(), EnvironmentError> {
    let mut venv = command(python);
    venv.args(["-I", "-m", "venv"]).arg(environment);
    run(venv, python).await?.map_err(|words| EnvironmentError::Make { words })?;

    let inside = self::python(environment);
    let mut pip = command(&inside);
    pip.args([
        "-I",
        "-m",
        "pip",
        "install",
        "--only-binary=:all:",
        "--no-input",
        "--no-cache-dir",
        "--quiet",
    ])
    .args(["--disable-pip-version-check", "--no-warn-script-location"]);
    if let Supply::Wheels(folder) = supply {
        pip.args(["--no-index", "--find-links"]).arg(folder);
    }
    pip.arg("--requirement").arg(requirements);
    run(pip, &inside).await?.map_err(|words| EnvironmentError::Install { words })
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Runs a program to its end; `Err` inside is what it said when it failed.
async fn run(mut command: Command, program: &Path) -> Result<Result<(), String>, EnvironmentError> {
    let started = command.output().await;
    let output = started.map_err(|source| EnvironmentError::Start { program: program.to_owned(), source })?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(SHOWN)..).unwrap_or_default();
    Ok(Err(if last.is_empty() { format!("it ended with {}", output.status) } else { last.join("\n") }))
}

fn put_in_place(python: &Path, text: &str, aside: &Path, environment: &Path) -> io::Result<()> {
    files::replace_file(&aside.join(MADE_OF), 0o644, made_of(python, text).as_bytes())?;
    let old = beside(environment, "old");
    remove(&old)?;
    if environment.exists() {
        std::fs::rename(environment, &old)?;
    }
    std::fs::rename(aside, environment)?;
    files::sync_folder(files::folder_of(environment))?;
    remove(&old)
}

/// The text of the requirements, where every line is one that may be used.
fn read(path: &Path) -> Result<String, EnvironmentError> {
    let failed = |source| EnvironmentError::Read { path: path.to_owned(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_REQUIREMENTS {
        return Err(EnvironmentError::TooLong { path: path.to_owned() });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    for (index, line) in text.lines().enumerate() {
        if let Some(why) = refused(line.trim()) {
            let text = line.trim().chars().take(100).collect();
            return Err(EnvironmentError::Requirement { line: index + 1, text, why });
        }
    }
    Ok(text)
}

/// Why a line may not be used. Packages are named; where they come from is not the plug-in's to say.
fn refused(line: &str) -> Option<&'static str> {
    let named = line.split(['#', ';']).next().unwrap_or_default();
    if line.starts_with("--hash=") || named.is_empty() {
        return None;
    }
    if line.starts_with('-') {
        return Some("options are not taken, a line names one package");
    }
    if named.contains("://")
        || named.contains('@')
        || named.starts_with(['/', '.'])
        || named.ends_with(".whl")
    {
        return Some("a package is named, such as numpy==2.1.0, and not where it lies");
    }
    None
}

fn made_of(python: &Path, text: &str) -> String {
    // Another version of the interpreter needs other wheels; the program's true path has the version in its name.
    let program = python.canonicalize().unwrap_or_else(|_| python.to_owned());
    format!("{}\n{}\n", program.display(), files::sha256(text.as_bytes()))
}

fn beside(environment: &Path, ending: &str) -> PathBuf {
    let mut name = environment.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    environment.with_file_name(name)
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(300);

    /// A wheel with one module, made here.
    fn wheel(folder: &Path, name: &str, version: &str) {
        let file = std::fs::File::create(folder.join(format!("{name}-{version}-py3-none-any.whl"))).unwrap();
        let mut archive = Vec::new();
        let info = format!("{name}-{version}.dist-info");
        for (path, content) in [
            (format!("{name}.py"), format!("VERSION = '{version}'\n")),
            (
                format!("{info}/METADATA"),
                format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"),
            ),
            (
                format!("{info}/WHEEL"),
                "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
            ),
            (format!("{info}/RECORD"), String::new()),
        ] {
            archive.push((path, content));
        }
        zip(file, &archive);
    }

    /// A zip archive without compression: local headers, directory, end.
    fn zip(mut file: std::fs::File, entries: &[(String, String)]) {
        let (mut body, mut directory) = (Vec::new(), Vec::new());
        let le16 = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
        let le32 = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
        for (name, content) in entries {
            let at = body.len();
            let sum = crc(content.as_bytes()).to_le_bytes();
            let mut middle = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
            middle.extend(sum);
            middle.extend([le32(content.len()), le32(content.len())].concat());
            middle.extend([le16(name.len()), le16(0)].concat());
            body.extend(b"PK\x03\x04");
            body.extend(&middle);
            body.extend(name.as_bytes());
            body.extend(content.as_bytes());
            directory.extend(b"PK\x01\x02\x14\x00");
            directory.extend(&middle);
            directory.extend([0; 10]);
            directory.extend(le32(at));
            directory.extend(name.as_bytes());
        }
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend([le16(entries.len()), le16(entries.len())].concat());
        end.extend([le32(directory.len()), le32(body.len())].concat());
        end.extend([0, 0]);
        file.write_all(&[body, directory, end].concat()).unwrap();
    }

    fn crc(bytes: &[u8]) -> u32 {
        let mut sum = u32::MAX;
        for byte in bytes {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
            }
        }
        !sum
    }

    fn version(environment: &Path) -> String {
        let output = std::process::Command::new(python(environment))
            .args(["-I", "-c", "import acme_reader; print(acme_reader.VERSION)"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn an_environment_is_made_from_wheels_and_kept_when_the_next_cannot_be_made() {
        let folder = tempfile::TempDir::new().unwrap();
        let wheels = folder.path().join("wheels");
        std::fs::create_dir(&wheels).unwrap();
        wheel(&wheels, "acme_reader", "1.0");
        let requirements = folder.path().join("requirements.txt");
        let write = |text: &str| files::replace_file(&requirements, 0o644, text.as_bytes()).unwrap();
        let system = Path::new("/usr/bin/python3");
        let environment = folder.path().join("environment");
        let supply = Supply::Wheels(wheels.clone());

        write("# what it needs\nacme-reader==1.0\n");
        assert!(!is_current(system, &requirements, &environment).unwrap());
        make(system, &requirements, &supply, &environment, LIMIT).await.unwrap();
        assert_eq!(version(&environment), "1.0");
        assert!(is_current(system, &requirements, &environment).unwrap());

        write("acme-reader==2.0\n");
        assert!(!is_current(system, &requirements, &environment).unwrap());
        let error = make(system, &requirements, &supply, &environment, LIMIT).await.unwrap_err();
        assert!(error.to_string().contains("acme-reader==2.0"), "{error}");
        assert_eq!(version(&environment), "1.0");

        wheel(&wheels, "acme_reader", "2.0");
        make(system, &requirements, &supply, &environment, LIMIT).await.unwrap();
        assert_eq!(version(&environment), "2.0");
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 3, "{left:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_used_is_named() {
        let folder = tempfile::TempDir::new().unwrap();
        let requirements = folder.path().join("requirements.txt");
        let environment = folder.path().join("environment");
        let python = Path::new("/usr/bin/python3");
        for line in
            ["--index-url https://a", "-e .", "x @ https://a/x.whl", "git+https://a/x", "./x.whl", "/tmp/x"]
        {
            files::replace_file(&requirements, 0o644, format!("numpy\n{line}\n").as_bytes()).unwrap();
            let error = make(python, &requirements, &Supply::Index, &environment, LIMIT).await.unwrap_err();
            assert!(matches!(error, EnvironmentError::Requirement { line: 2, .. }), "{error}");
        }
        files::replace_file(&requirements, 0o644, b"numpy==2.0 ; python_version > '3.9'  # fast\n").unwrap();
        let missing = folder.path().join("python9");
        let error = make(&missing, &requirements, &Supply::Index, &environment, LIMIT).await.unwrap_err();
        assert!(matches!(error, EnvironmentError::Start { .. }), "{error}");
        assert!(!environment.exists());
    }
}
