//! A plug-in as it lies in its folder: which file is run, and the hash of all that belongs to it.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::process::MAIN;
use crate::control::api::PluginLanguage;
use crate::{files, system};

/// All files of a plug-in together.
pub const LARGEST: u64 = 64 << 20;
/// And so many of them, in folders that deep.
pub(super) const MOST_FILES: usize = 2000;
pub(super) const DEEPEST: usize = 16;

/// What a Python plug-in asks for, as pip reads it; and the folder with the packages, where they came with it.
const REQUIREMENTS: &str = "requirements.txt";
pub(super) const WHEELS: &str = "wheels";

/// A plug-in that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub language: PluginLanguage,
    /// What is run, relative to the plug-in's own folder, or its own name.
    pub entry: PathBuf,
    /// Of one file alone its bytes' hash, so that anybody can check it; of several that of all names and bytes.
    pub sha256: String,
    pub size_bytes: u64,
    /// Relative paths, sorted; of a single file its name, and what lies beside it for it.
    pub files: Vec<PathBuf>,
    /// It lies there as a folder.
    pub is_folder: bool,
}

/// Why something in the plug-in folder cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error(
        "{0:?} is no name of a plug-in: use letters, digits, '-', '_' and '.', not at the start, at most 64"
    )]
    Name(String),
    #[error("{0:?} is not taken for a plug-in: with that ending it is a file beside one")]
    Beside(String),
    #[error("there is no plug-in {0:?} in the folder")]
    Missing(String),
    #[error(
        "{0:?} is neither a .py file nor an executable one: a program needs its executable bit, like chmod +x"
    )]
    NotExecutable(String),
    #[error(
        "the folder {0:?} has neither a main.py, nor a single .py file, nor an executable file of its own name"
    )]
    NoEntry(String),
    #[error("{} is a link or no file: a plug-in consists of plain files", path.display())]
    NoFile { path: PathBuf },
    #[error("the plug-in is larger than {} MB, or has more than {MOST_FILES} files", LARGEST >> 20)]
    TooLarge,
    #[error("{} cannot be read", path.display())]
    Read { path: PathBuf, source: io::Error },
}

/// Checks a name in the plug-in folder: it becomes part of paths.
///
/// # Errors
/// When it could lead elsewhere, or is hidden.
pub fn check_name(name: &str) -> Result<(), ContentError> {
    let fine = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if fine { Ok(()) } else { Err(ContentError::Name(name.to_owned())) }
}

/// Everything in the plug-in folder that could be meant as a plug-in, sorted; an absent folder holds none.
///
/// # Errors
/// When the folder cannot be read.
pub fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !is_beside(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Hidden and half-written files, and what lies beside a plug-in for a person or its environment.
pub(super) fn is_beside(name: &str) -> bool {
    let others = [".txt", ".md", ".tmp", ".part", "~", ".whl", ".pyc"];
    name.starts_with('.')
        || name == "__pycache__"
        || name == WHEELS
        || others.iter().any(|end| name.ends_with(end))
}

/// Reads the plug-in of that name.
///
/// # Errors
/// When there is none, or it is nothing that could be run.
pub fn read(folder: &Path, name: &str) -> Result<Content, ContentError> {
    check_name(name)?;
    let path = folder.join(name);
    let Ok(metadata) = fs::symlink_metadata(&path) else {
        return Err(ContentError::Missing(name.to_owned()));
    };
    if metadata.is_dir() {
        return read_folder(&path, name);
    }
    if !metadata.is_file() {
        return Err(ContentError::NoFile { path });
    }
    let is_python = is_python_file(&path);
    if !is_python && !system::is_executable(&path, &metadata) {
        return Err(ContentError::NotExecutable(name.to_owned()));
    }
    let mut all = vec![PathBuf::from(name)];
    if let Some(requirements) = is_python.then(|| requirements_beside(folder, name)).flatten() {
        all.push(requirements);
        if is_real_folder(&folder.join(WHEELS)) {
            gather(folder, Path::new(WHEELS), 0, &mut all)?;
        }
        all.sort();
    }
    let (sha256, size_bytes) = match all.as_slice() {
        [_] => {
            let bytes = read_file(&path, LARGEST)?;
            (files::sha256(&bytes), bytes.len() as u64)
        }
        _ => hash_of(folder, &all)?,
    };
    Ok(Content {
        language: language(is_python),
        entry: name.into(),
        sha256,
        size_bytes,
        files: all,
        is_folder: false,
    })
}

/// What a Python file asks for, in a file beside it: its own, or the one for all in the plug-in folder.
fn requirements_beside(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_file = |it: &PathBuf| fs::symlink_metadata(folder.join(it)).is_ok_and(|it| it.is_file());
    let [own, of_all, _] = beside(name);
    [own, of_all].into_iter().find(is_file)
}

/// What may belong to a single Python file in the plug-in folder: what it asks for, what all of them ask for, and the
/// packages.
pub(super) fn beside(name: &str) -> [PathBuf; 3] {
    [Path::new(name).with_extension(REQUIREMENTS), REQUIREMENTS.into(), WHEELS.into()]
}

fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| it.is_dir())
}

impl Content {
    /// Where its files lie, when the plug-in folder is this one.
    pub(super) fn place(&self, folder: &Path, name: &str) -> PathBuf {
        if self.is_folder { folder.join(name) } else { folder.to_owned() }
    }

    /// The file that names the packages that a Python plug-in asks for.
    pub(super) fn requirements(&self) -> Option<&Path> {
        let asks = |it: &&PathBuf| {
            let name = it.file_name().unwrap_or_default().to_string_lossy();
            let own = !self.is_folder && name.ends_with(&format!(".{REQUIREMENTS}"));
            it.components().count() == 1 && (name == REQUIREMENTS || own)
        };
        let python = self.language == PluginLanguage::Python;
        self.files.iter().find(asks).filter(|_| python).map(PathBuf::as_path)
    }
}

/// One hash of several files, and their size together.
fn hash_of(place: &Path, all: &[PathBuf]) -> Result<(String, u64), ContentError> {
    let (mut hash, mut size) = (Sha256::new(), 0_u64);
    for file in all {
        let bytes = read_file(&place.join(file), LARGEST - size)?;
        size += bytes.len() as u64;
        let executable = if is_executable(&place.join(file)) { 'x' } else { '-' };
        // No path holds a line feed here that could be taken for another's: each ends with a zero byte.
        hash.update(format!("{} {executable} {}\0", files::sha256(&bytes), file.display()));
    }
    Ok((files::hex(&hash.finalize()), size))
}

fn read_folder(path: &Path, name: &str) -> Result<Content, ContentError> {
    let mut all = Vec::new();
    gather(path, Path::new(""), 0, &mut all)?;
    all.sort();
    let own = |entry: &str| all.iter().any(|it| it == Path::new(entry));
    let mut python = all.iter().filter(|it| it.components().count() == 1 && is_python_file(it));
    let (entry, is_python) = match (python.next(), python.next()) {
        _ if own(MAIN) => (PathBuf::from(MAIN), true),
        _ if own(name) && is_executable(&path.join(name)) => (PathBuf::from(name), false),
        (Some(only), None) => (only.clone(), true),
        _ => return Err(ContentError::NoEntry(name.to_owned())),
    };
    let (sha256, size_bytes) = hash_of(path, &all)?;
    Ok(Content { language: language(is_python), entry, sha256, size_bytes, files: all, is_folder: true })
}

fn gather(root: &Path, below: &Path, depth: usize, all: &mut Vec<PathBuf>) -> Result<(), ContentError> {
    let folder = root.join(below);
    let failed = |source| ContentError::Read { path: folder.clone(), source };
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (name, kind) = (entry.file_name(), entry.file_type().map_err(failed)?);
        // What Python and people leave behind is no part of the plug-in.
        if name.to_string_lossy().starts_with('.') || name == "__pycache__" {
            continue;
        }
        let path = below.join(&name);
        if kind.is_dir() && depth < DEEPEST {
            gather(root, &path, depth + 1, all)?;
        } else if kind.is_file() {
            all.push(path);
        } else {
            return Err(ContentError::NoFile { path: root.join(path) });
        }
        if all.len() > MOST_FILES {
            return Err(ContentError::TooLarge);
        }
    }
    Ok(())
}

/// Reads a plain file, no link and no pipe, of at most so many bytes.
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>, ContentError> {
    let read = || {
        let file = system::open_plain(path)?;
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Ok(Some(bytes)) if bytes.len() as u64 > limit => Err(ContentError::TooLarge),
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(ContentError::NoFile { path: path.to_owned() }),
        Err(source) => Err(ContentError::Read { path: path.to_owned(), source }),
    }
}

pub(super) fn is_executable(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|it| system::is_executable(path, &it))
}

fn is_python_file(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("py"))
}

fn language(is_python: bool) -> PluginLanguage {
    if is_python { PluginLanguage::Python } else { PluginLanguage::Program }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, mode: u32, bytes: &[u8]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        files::replace_file(&path, mode, bytes).unwrap();
    }

    #[test]
    fn a_plug_in_is_a_python_file_a_program_or_a_folder_with_one() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        put(at, "acme.py", 0o644, b"import csv\n");
        put(at, "acme", 0o755, b"#!/bin/sh\n");
        put(at, "plain", 0o644, b"#!/bin/sh\n");
        put(at, "line/main.py", 0o644, b"");
        put(at, "line/lib/util.py", 0o644, b"x = 1\n");
        put(at, "line/__pycache__/util.pyc", 0o644, b"junk");
        put(at, "prog/prog", 0o755, b"#!/bin/sh\n");
        put(at, "empty/readme.txt", 0o644, b"");
        put(at, "notes.txt", 0o644, b"");
        put(at, "wheels/a.whl", 0o644, b"");
        std::os::unix::fs::symlink("/etc/passwd", at.join("link.py")).unwrap();
        assert_eq!(names(at).unwrap(), ["acme", "acme.py", "empty", "line", "link.py", "plain", "prog"]);
        for (name, expected) in [
            ("acme.py", "Python acme.py"),
            ("acme", "Program acme"),
            ("line", "Python main.py"),
            ("prog", "Program prog"),
            ("plain", "chmod +x"),
            ("empty", "neither a main.py"),
            ("link.py", "is a link"),
            ("nothing", "there is no plug-in"),
            ("../acme", "is no name"),
            (".hidden", "is no name"),
        ] {
            let shown = match read(at, name) {
                Ok(content) => format!("{:?} {}", content.language, content.entry.display()),
                Err(error) => error.to_string(),
            };
            assert!(shown.contains(expected), "{name}: {shown}");
        }
        let alone = read(at, "acme.py").unwrap();
        assert_eq!((&alone.sha256, alone.requirements()), (&files::sha256(b"import csv\n"), None));
        // What it asks for belongs to it: other packages would be another plug-in.
        put(at, "requirements.txt", 0o644, b"numpy\n");
        let with_all = read(at, "acme.py").unwrap();
        assert_eq!(with_all.requirements(), Some(Path::new("requirements.txt")));
        put(at, "acme.requirements.txt", 0o644, b"numpy==2\n");
        let with_own = read(at, "acme.py").unwrap();
        assert_eq!(with_own.requirements(), Some(Path::new("acme.requirements.txt")));
        assert_eq!(with_own.files.len(), 3, "the wheels, too");
        assert!(alone.sha256 != with_all.sha256 && with_all.sha256 != with_own.sha256);
        assert_eq!(read(at, "acme").unwrap().files.len(), 1, "a program asks for nothing");
        assert!(names(at).unwrap().iter().all(|it| !it.contains("requirements")));
        let before = read(at, "line").unwrap();
        put(at, "line/__pycache__/other.pyc", 0o644, b"junk");
        assert_eq!(read(at, "line").unwrap(), before, "what Python leaves behind changes nothing");
        put(at, "line/lib/util.py", 0o644, b"x = 2\n");
        assert_ne!(read(at, "line").unwrap().sha256, before.sha256);
    }
}
