//! The shim that stands between an agent and the C library, and the file by which it is told what to do.
//!
//! Renames that the agent makes by other ways than the C library pass it by: for a kill that loses nothing, because
//! the calls before and after such a rename are counted.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

const SOURCE: &str = include_str!("shim.c");

/// The numbers in the control file, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Calls that change something, so far.
    Calls,
    /// The call at which the process is killed; 0: none.
    KillAt,
    /// Writes to a disk, so far: bytes, names, sizes, and waiting for the disk.
    Writes,
    /// The first write that fails; 0: none.
    FailFrom,
    /// How many fail from there on.
    FailCount,
    /// With which error number.
    FailError,
    /// How many have failed.
    Failed,
    /// Nanoseconds by which the clock of the wall is moved, with a sign.
    ClockOffset,
    /// How often a clock was looked at.
    ClockReads,
}

const FIELDS: usize = 9;

/// A compiled shim and its control file.
#[derive(Debug)]
pub struct Shim {
    library: PathBuf,
    path: PathBuf,
    control: File,
}

impl Shim {
    /// Compiles the shim into `folder`.
    ///
    /// # Errors
    /// When there is no C compiler, with what it said.
    pub fn build(folder: &Path) -> anyhow::Result<Self> {
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        std::io::Write::write_all(&mut File::create(&source)?, SOURCE.as_bytes())?;
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&library, &source])
            .output()
            .context("the C compiler cc could not be started: './just torture' installs it")?;
        ensure!(output.status.success(), "cc said: {}", String::from_utf8_lossy(&output.stderr));
        let path = folder.join("shim.control");
        let control = File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
        control.set_len(u64::try_from(FIELDS * 8)?)?;
        Ok(Self { library, path, control })
    }

    /// What an agent needs in its environment to run behind the shim. Its workers do not inherit it.
    pub fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![("LD_PRELOAD", self.library.clone()), ("TORTURE_CONTROL", self.path.clone())]
    }

    /// # Errors
    /// Those of the file system.
    pub fn get(&self, field: Field) -> anyhow::Result<u64> {
        let mut bytes = [0; 8];
        self.control.read_exact_at(&mut bytes, place(field))?;
        Ok(u64::from_ne_bytes(bytes))
    }

    /// # Errors
    /// Those of the file system.
    pub fn set(&self, field: Field, value: u64) -> anyhow::Result<()> {
        Ok(self.control.write_all_at(&value.to_ne_bytes(), place(field))?)
    }

    /// Nothing is counted, nothing goes wrong.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn reset(&self) -> anyhow::Result<()> {
        self.control.write_all_at(&[0; FIELDS * 8], 0)?;
        Ok(())
    }

    /// The process that runs behind it is killed at its `call`th call that changes something.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn kill_at(&self, call: u64) -> anyhow::Result<()> {
        self.reset()?;
        self.set(Field::KillAt, call)
    }

    /// So many writes from the `first` on fail.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn fail(&self, first: u64, count: u64, error: nix::errno::Errno) -> anyhow::Result<()> {
        self.reset()?;
        self.set(Field::FailCount, count)?;
        self.set(Field::FailError, u64::try_from(error as i32)?)?;
        self.set(Field::FailFrom, first)
    }

    /// Writes succeed again.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn lift(&self) -> anyhow::Result<()> {
        self.set(Field::FailFrom, 0)
    }

    /// Moves the clock by so many seconds.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn move_clock(&self, seconds: i64) -> anyhow::Result<()> {
        self.set(Field::ClockOffset, (seconds * 1_000_000_000).cast_unsigned())
    }
}

fn place(field: Field) -> u64 {
    field as u64 * 8
}
