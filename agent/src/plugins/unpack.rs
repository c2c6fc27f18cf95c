//! A plug-in of several files that came as a ZIP archive: unpacked aside, and put in place when it is whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor, Read, Write};
use std::path::{Component, Path, PathBuf};

use zip::ZipArchive;
use zip::result::ZipError;

use super::content::{DEEPEST, LARGEST, MOST_FILES};
use super::process::MAIN;
use crate::{files, system};

/// Why an archive is no plug-in.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    #[error("it is no ZIP archive that can be read ({0}): pack the folder with the converter's files anew")]
    NoArchive(ZipError),
    #[error("its entry {0:?} leads out of the plug-in's folder, or has a name that no file here can have")]
    Name(String),
    #[error("its entry {0:?} is a link: a plug-in consists of plain files")]
    Link(String),
    #[error("its entry {0:?} is encrypted: pack it without a password")]
    Encrypted(String),
    #[error("it has {0:?} twice")]
    Twice(String),
    #[error("it holds no file")]
    Empty,
    #[error("unpacked it is larger than {} MB, or has more than {MOST_FILES} files", LARGEST >> 20)]
    TooLarge,
    #[error("its folders are nested more than {DEEPEST} deep")]
    TooDeep,
    #[error("could not write it into the plug-in folder {}", folder.display())]
    Write { folder: PathBuf, source: io::Error },
}

/// Unpacks an archive to `folder/name`, in place of the folder that may be there.
///
/// # Errors
/// When it is no archive, or holds what no plug-in may: nothing has changed then.
pub(super) fn unpack(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), UnpackError> {
    let failed = |source| UnpackError::Write { folder: folder.to_owned(), source };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(UnpackError::NoArchive)?;
    let entries = entries(&mut archive)?;
    fs::create_dir_all(folder).map_err(failed)?;
    // Hidden, so that nobody takes it for a plug-in meanwhile.
    let draft = tempfile::Builder::new().prefix(".draft-").tempdir_in(folder).map_err(failed)?;
    let place = draft.path().join("new");
    make_folder(&place).map_err(failed)?;
    let has_main = entries.iter().any(|it| it.path == Path::new(MAIN));
    let mut left = LARGEST;
    for entry in entries {
        // Archives that were made on Windows do not say what can be run.
        let is_program = entry.executable || (!has_main && entry.path == Path::new(name));
        let path = place.join(&entry.path);
        make_folder(files::folder_of(&path)).map_err(failed)?;
        let file = archive.by_index(entry.index).map_err(UnpackError::NoArchive)?;
        let mut to = match system::create_new(&path, if is_program { 0o755 } else { 0o644 }) {
            Ok(to) => to,
            // Also a file where another entry needs a folder.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(UnpackError::Twice(entry.path.display().to_string()));
            }
            Err(error) => return Err(failed(error)),
        };
        // What the archive says of a size is not believed.
        let mut content = file.take(left + 1);
        let mut piece = vec![0; 64 << 10];
        loop {
            let read =
                content.read(&mut piece).map_err(|error| UnpackError::NoArchive(ZipError::Io(error)))?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or(UnpackError::TooLarge)?;
            to.write_all(piece.get(..read).unwrap_or_default()).map_err(failed)?;
        }
        to.sync_all().map_err(failed)?;
    }
    let target = folder.join(name);
    let put = || {
        if target.exists() {
            fs::rename(&target, draft.path().join("old"))?;
        }
        fs::rename(&place, &target)?;
        files::sync_folder(folder)
    };
    put().map_err(failed)
}

/// A file of the archive.
struct Entry {
    index: usize,
    path: PathBuf,
    executable: bool,
}

/// The files of the archive, without the one folder in which all of them may lie.
fn entries(archive: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<Entry>, UnpackError> {
    // Folders count, too: an archive may consist of nothing else.
    if archive.len() > 2 * MOST_FILES {
        return Err(UnpackError::TooLarge);
    }
    let mut entries = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(UnpackError::NoArchive)?;
        let name = entry.name().map_err(UnpackError::NoArchive)?.into_owned();
        let shown = || name.chars().take(200).collect::<String>();
        let path = PathBuf::from(&name);
        if entry.encrypted() {
            return Err(UnpackError::Encrypted(shown()));
        }
        if entry.is_symlink() {
            return Err(UnpackError::Link(shown()));
        }
        let is_plain = |part: &Component<'_>| matches!(part, Component::Normal(part) if part.len() <= 200);
        let odd = |c: char| c == '\\' || c == ':' || c.is_control();
        if !path.components().all(|part| is_plain(&part)) || name.contains(odd) {
            return Err(UnpackError::Name(shown()));
        }
        if path.components().count() > DEEPEST {
            return Err(UnpackError::TooDeep);
        }
        if !entry.is_dir() && !is_left_behind(&path) {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            entries.push(Entry { index, path, executable });
        }
    }
    if entries.len() > MOST_FILES {
        return Err(UnpackError::TooLarge);
    }
    let tops: BTreeSet<_> =
        entries.iter().filter_map(|it| it.path.iter().next()).map(ToOwned::to_owned).collect();
    let nested = entries.iter().all(|it| it.path.components().count() > 1);
    if tops.len() == 1 && nested {
        for entry in &mut entries {
            entry.path = entry.path.components().skip(1).collect();
        }
    }
    if entries.is_empty() { Err(UnpackError::Empty) } else { Ok(entries) }
}

/// What systems and Python put into archives, and no plug-in consists of.
fn is_left_behind(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name.starts_with('.') || name == "__pycache__" || name == "__MACOSX"
    })
}

fn make_folder(path: &Path) -> io::Result<()> {
    system::make_folder(path, 0o755)
}

#[cfg(test)]
mod tests {
    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;
    use crate::plugins::content;

    fn zipped(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
        let mut to = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes, mode) in files {
            to.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
            to.write_all(bytes).unwrap();
        }
        to.finish().unwrap().into_inner()
    }

    #[test]
    fn an_archive_becomes_a_folder_and_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let all: &[(&str, &[u8], u32)] = &[
            ("acme-1.2/main.py", b"import util\n", 0o644),
            ("acme-1.2/lib/util.py", b"", 0o644),
            ("acme-1.2/__pycache__/util.pyc", b"x", 0o644),
            ("acme-1.2/.DS_Store", b"x", 0o644),
        ];
        unpack(at, "acme", &zipped(all)).unwrap();
        let read = content::read(at, "acme").unwrap();
        assert_eq!((read.entry.to_str(), read.files.len()), (Some("main.py"), 2));
        unpack(at, "acme", &zipped(&[("other.py", b"x = 1\n", 0o644), ("requirements.txt", b"", 0o644)]))
            .unwrap();
        let read = content::read(at, "acme").unwrap();
        assert_eq!(read.entry.to_str(), Some("other.py"), "a folder with one .py file needs no main.py");
        // Packed where nothing says what can be run.
        unpack(at, "prog", &zipped(&[("prog", b"#!/bin/sh\n", 0o644)])).unwrap();
        assert_eq!(content::read(at, "prog").unwrap().entry.to_str(), Some("prog"));
        assert_eq!(content::names(at).unwrap(), ["acme", "prog"], "nothing is left of the drafts");
    }

    #[test]
    fn what_is_hostile_in_an_archive_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        unpack(at, "acme", &zipped(&[("main.py", b"kept", 0o644)])).unwrap();
        let mut link = ZipWriter::new(Cursor::new(Vec::new()));
        link.add_symlink("main.py", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        let bomb = zipped(&[("main.py", &vec![0; usize::try_from(LARGEST).unwrap() + 1], 0o644)]);
        assert!(bomb.len() < 1 << 20, "it is small as long as nobody unpacks it");
        let many: Vec<String> = (0..=MOST_FILES).map(|it| format!("{it}.py")).collect();
        let many: Vec<(&str, &[u8], u32)> = many.iter().map(|it| (it.as_str(), &b""[..], 0o644)).collect();
        let deep = format!("{}main.py", "a/".repeat(DEEPEST));
        // The sizes in its directory are lies.
        let mut cut = zipped(&[("main.py", b"x = 1\n", 0o644)]);
        cut.truncate(cut.len() / 2);
        for (bytes, expected) in [
            (b"no archive".to_vec(), "no ZIP archive"),
            (cut, "no ZIP archive"),
            (zipped(&[]), "holds no file"),
            (zipped(&[("../outside.py", b"x", 0o644)]), "leads out"),
            (zipped(&[("/etc/cron.d/x", b"x", 0o644)]), "leads out"),
            (zipped(&[("a/../../b.py", b"x", 0o644)]), "leads out"),
            (zipped(&[("a\\..\\b.py", b"x", 0o644)]), "leads out"),
            (zipped(&[("C:b.py", b"x", 0o644)]), "leads out"),
            (zipped(&[("a", b"x", 0o644), ("a/b.py", b"x", 0o644)]), ""),
            (link.finish().unwrap().into_inner(), "is a link"),
            (bomb, "larger than 64 MB"),
            (zipped(&many), "more than 2000 files"),
            (zipped(&[(&deep, b"x", 0o644)]), "nested more than"),
        ] {
            let words = unpack(at, "acme", &bytes).unwrap_err().to_string();
            assert!(words.contains(expected), "{expected}: {words}");
            let names: Vec<_> = fs::read_dir(at).unwrap().map(|it| it.unwrap().file_name()).collect();
            assert_eq!(names, ["acme"], "{expected}");
            assert_eq!(fs::read(at.join("acme/main.py")).unwrap(), b"kept");
        }
    }
}
