//! The input of one request, written where the program sees it, and taken away again.

use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use wats_converters::Companion;

use super::emptying::{self, Place};
use crate::convert::Job;
use crate::system;

/// The folders of one process: what it reads, and where it writes if the box has no file system of its own.
#[derive(Debug)]
pub(super) struct WorkFolder {
    folder: PathBuf,
    /// The input folder, to be looked into.
    input: Place,
}

impl WorkFolder {
    pub(super) fn make(work: &Path) -> io::Result<Self> {
        fs::create_dir_all(work)?;
        let folder = tempfile::Builder::new().prefix("box-").tempdir_in(work)?.keep();
        let input = folder.join("input");
        fs::create_dir(&input)?;
        fs::create_dir(folder.join("scratch"))?;
        Ok(Self { input: Place::open(&input)?, folder })
    }

    pub(super) fn input(&self) -> PathBuf {
        self.folder.join("input")
    }

    pub(super) fn scratch(&self) -> PathBuf {
        self.folder.join("scratch")
    }

    /// Puts a file, or a folder, where the program reads it; answers its path below the input folder.
    ///
    /// # Errors
    /// When a name cannot be used, or the disk is full.
    pub(super) fn put(&self, job: &Job, bytes: &[u8], companions: &[Companion]) -> io::Result<PathBuf> {
        let input = self.input();
        let Some(folder) = &job.folder else {
            let path = plain(Path::new(&job.file_name))?;
            write(&input.join(&path), bytes)?;
            // Those of a file are in the folder beside it that has its name.
            for companion in companions {
                let below = path.with_extension("").join(plain(Path::new(&companion.name))?);
                write_below(&input, &below, &companion.bytes)?;
            }
            return Ok(path);
        };
        let folder = plain(Path::new(folder))?;
        write_below(&input, &folder.join(plain(Path::new(&job.file_name))?), bytes)?;
        for companion in companions {
            let below = folder.join(plain(Path::new(&companion.name))?);
            write_below(&input, &below, &companion.bytes)?;
        }
        Ok(folder)
    }

    /// Takes away what was put.
    ///
    /// # Errors
    /// When something cannot be removed: the folder must not be used again then.
    pub(super) fn clear(&mut self, path: &Path) -> io::Result<()> {
        let alone = path.components().count() == 1 && fs::remove_file(self.input().join(path)).is_ok();
        // Only a file with others beside it has left more.
        if alone && self.input.is_empty()? { Ok(()) } else { self.input.empty() }
    }
}

/// A relative path without a way up.
fn plain(path: &Path) -> io::Result<PathBuf> {
    let fine = path.components().next().is_some()
        && path.components().all(|part| matches!(part, Component::Normal(_)));
    if fine {
        Ok(path.to_owned())
    } else {
        let words = format!("{} cannot be the name of an input", path.display());
        Err(io::Error::new(io::ErrorKind::InvalidInput, words))
    }
}

fn write_below(input: &Path, below: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = below.parent() {
        system::make_folder(&input.join(folder), 0o755)?;
    }
    write(&input.join(below), bytes)
}

/// Not on disk when this returns: it is a copy, and short-lived.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    system::create_new(path, 0o444)?.write_all(bytes)
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let folder = self.folder.clone();
        let remove = move |folder: &Path| {
            emptying::empty(folder)?;
            fs::remove_dir(folder)
        };
        if remove(&folder).is_err() {
            // Its program may still be ending. What stays all the same is removed at the next start.
            let later = std::thread::Builder::new().name("plugin-work".to_owned());
            let started = later.spawn(move || {
                for _ in 0..10 {
                    std::thread::sleep(std::time::Duration::from_millis(300));
                    if remove(&folder).is_ok() {
                        return;
                    }
                }
            });
            if let Err(error) = started {
                tracing::debug!(%error, "a work folder stays until the next start");
            }
        }
    }
}
