//! What Windows has.

pub(crate) mod raw;

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
use std::os::windows::io::AsHandle;
use std::path::{Component, Path, PathBuf};
use std::sync::Once;

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT, FILE_READ_ATTRIBUTES,
};
use windows_sys::Win32::System::Threading::CREATE_NO_WINDOW;

use super::Places;
use raw::Labelled;

/// Between the beginning of the system's time, 1601, and 1970, in its unit of 100 ns.
const EPOCH: i64 = 116_444_736_000_000_000;

/// For this user, the system and administrators; a program that runs with low integrity cannot even read it. Of a
/// folder also for all that comes into it.
fn private(is_folder: bool) -> io::Result<String> {
    let (user, below) = (raw::user_sid()?, if is_folder { "OICI" } else { "" });
    let all = format!("(A;{below};FA;;;SY)(A;{below};FA;;;BA)(A;{below};FA;;;{user})");
    Ok(format!("D:P{all}S:(ML;{below};NWNR;;;ME)"))
}

/// A folder that a program of this user with low integrity may read (`ME`) or write (`LW`).
fn shared(level: &str) -> io::Result<String> {
    let user = raw::user_sid()?;
    let all = format!("(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{user})");
    Ok(format!("D:P{all}S:(ML;OICI;NW;;;{level})"))
}

/// In the folder for the data of all users.
pub(crate) fn places() -> Places {
    let from =
        |name: &str, usual: &str| PathBuf::from(std::env::var_os(name).unwrap_or_else(|| usual.into()));
    let own = from("ProgramData", r"C:\ProgramData").join("wats-agent");
    let program = std::env::current_exe().ok().and_then(|it| it.parent().map(Path::to_owned));
    Places {
        configurations: own.clone(),
        storage: own.join("instances"),
        sockets: own.join("control"),
        sources: own.join("sources"),
        support: program.unwrap_or_else(|| own.clone()).join("python"),
        python: from("ProgramFiles", r"C:\Program Files").join(r"Python312\python.exe"),
        machine_key: Some(own.join("machine-key")),
    }
}

/// The time when it was made stands for a number, which only an open file has: it stays while a file is renamed.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (0, metadata.creation_time())
}

/// Disk and number of the file at a path: unlike the time of making, a file that takes its place has another number.
pub(crate) fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    raw::file_number(&File::options().access_mode(FILE_READ_ATTRIBUTES).open(path)?)
}

/// When it was last written, in nanoseconds since 1970.
pub(crate) fn modified_ns(metadata: &Metadata) -> i64 {
    since_1970(metadata.last_write_time())
}

/// When it last changed or came here, in nanoseconds since 1970.
pub(crate) fn changed_ns(metadata: &Metadata) -> i64 {
    since_1970(metadata.last_write_time().max(metadata.creation_time()))
}

fn since_1970(time: u64) -> i64 {
    time.cast_signed().saturating_sub(EPOCH).saturating_mul(100)
}

/// A name or path as bytes that [`from_bytes`] takes back: UTF-8, or a zero byte and its UTF-16, as it is for a name
/// that no text can stand for. No name holds a zero byte.
pub(crate) fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
    match name.to_str() {
        Some(text) => Cow::Borrowed(text.as_bytes()),
        None => Cow::Owned(std::iter::once(0).chain(name.encode_wide().flat_map(u16::to_le_bytes)).collect()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as on the other systems")]
pub(crate) fn into_bytes(name: OsString) -> Vec<u8> {
    bytes(&name).into_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "as on the other systems")]
pub(crate) fn from_bytes(bytes: Vec<u8>) -> OsString {
    if let Some((0, units)) = bytes.split_first() {
        let units: Vec<u16> = units.as_chunks().0.iter().map(|it| u16::from_le_bytes(*it)).collect();
        return OsString::from_wide(&units);
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// The end of a name, at most so many bytes.
pub(crate) fn tail(name: &OsStr, most: usize) -> Cow<'_, OsStr> {
    if name.len() <= most {
        return Cow::Borrowed(name);
    }
    let text = name.to_string_lossy();
    let start = (text.len().saturating_sub(most)..text.len()).find(|at| text.is_char_boundary(*at));
    Cow::Owned(start.and_then(|it| text.get(it..)).unwrap_or_default().into())
}

/// Opens a file to read; a link is not followed.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    no_link(File::options().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?)
}

fn no_link(file: File) -> io::Result<File> {
    if file.metadata()?.is_symlink() {
        return Err(io::Error::other("it is a link"));
    }
    Ok(file)
}

/// Opens a file below `folder` to read. Somebody may have put a link there, or a link in the place of a folder on the
/// way: none is followed.
pub(crate) fn open_below(folder: &Path, path: &Path) -> io::Result<File> {
    let file = open_plain(path)?;
    lies_below(folder, path, &file)?;
    Ok(file)
}

/// What a file below `folder` looks like, with no link followed on the way; also while its writer has it for himself.
pub(crate) fn look_below(folder: &Path, path: &Path) -> io::Result<Metadata> {
    let flags = FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS;
    let file = File::options().access_mode(FILE_READ_ATTRIBUTES).custom_flags(flags).open(path)?;
    lies_below(folder, path, &file)?;
    file.metadata()
}

/// The system says where an open file really lies: elsewhere, a link led there.
fn lies_below(folder: &Path, path: &Path, file: &File) -> io::Result<()> {
    let Ok(below) = path.strip_prefix(folder) else { return Ok(()) };
    if below.components().count() < 2 {
        return Ok(());
    }
    if below.components().any(|it| !matches!(it, Component::Normal(_))) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let open = File::options()
        .access_mode(FILE_READ_ATTRIBUTES)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(folder)?;
    let (top, real) = (raw::final_path(&open)?, raw::final_path(file)?);
    // The names on the disk may differ in case, and a short one may stand for a long one: what counts is the depth.
    let depth = real.strip_prefix(&top).map(|it| it.components().count());
    if depth.is_ok_and(|depth| depth == below.components().count()) {
        return Ok(());
    }
    Err(io::Error::other("a link lies on the way to it"))
}

/// The system decides by itself how much a pipe holds.
pub(crate) fn widen<P>(_pipe: &P) {}

/// Gives a file another name in one step, over nothing that has it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] and [`io::ErrorKind::CrossesDevices`].
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    raw::rename_new(from, to)
}

/// Creates a file where there is nothing yet, with the rights of its folder.
pub(crate) fn create_new(path: &Path, _mode: u32) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}

/// Makes the names in a folder, new and gone, survive a power cut as far as the file system has a way to.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    let open = File::options().write(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(folder);
    match open.and_then(|it| it.sync_all()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        // Shares, and disks that are not NTFS, cannot; NTFS keeps names in a journal.
        _ => Ok(()),
    }
}

/// Sets who may use a file or folder: one for its owner alone is closed to other users.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    if mode & 0o077 != 0 {
        return Ok(());
    }
    close(path, &private(path.is_dir())?)
}

/// Sets the rights of what others must not read or write, and its label, which keeps out programs of low integrity.
fn close(path: &Path, descriptor: &str) -> io::Result<()> {
    static ONCE: Once = Once::new();
    if let Labelled::No(error) = raw::set_security(path, descriptor)? {
        ONCE.call_once(|| {
            tracing::warn!(
                "{} takes no label of integrity ({error}): a plug-in in its sandbox may read what the agent's user may",
                path.display()
            );
        });
    }
    Ok(())
}

/// Sets who may use an open file.
pub(crate) fn set_mode_of(_file: &File, path: &Path, mode: u32) -> io::Result<()> {
    set_mode(path, mode)
}

/// The mode with which a temporary file or folder is made: that of its folder.
pub(crate) fn draft_mode<'a, 'b>(
    builder: &'a mut tempfile::Builder<'b, 'static>,
    _mode: u32,
) -> &'a mut tempfile::Builder<'b, 'static> {
    builder
}

/// Makes a folder, and those above it, unless it is there.
pub(crate) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    set_mode(path, mode)
}

/// Keeps other users out of the agent's own folder, and the programs in its sandbox from reading it, but for the
/// folders `open`. What lies in a folder already keeps its rights: so this comes before anything else.
pub(crate) fn protect(folder: &Path, open: &[PathBuf]) -> io::Result<()> {
    close(folder, &private(true)?)?;
    for folder in open {
        fs::create_dir_all(folder)?;
        close(folder, &shared("ME")?)?;
    }
    Ok(())
}

/// Lets a program with low integrity write in a folder, which is empty as yet.
pub(crate) fn open_to_the_box(folder: &Path) -> io::Result<Labelled> {
    raw::set_security(folder, &shared("LW")?)
}

/// No metadata says so here.
pub(crate) fn is_open_to_others(_metadata: &Metadata) -> bool {
    false
}

/// Never sure: whoever asks makes a new one.
pub(crate) fn is_ours_alone(_file: &File) -> bool {
    false
}

/// True for a file that can be run as a program.
pub(crate) fn is_executable(path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file() && path.extension().is_some_and(|it| it.eq_ignore_ascii_case("exe"))
}

/// The mode of a file that is there: none that would change its rights.
pub(crate) fn mode(_metadata: &Metadata) -> u32 {
    0o644
}

/// A file keeps the rights of its folder.
pub(crate) fn keep_owner(_path: &Path, _before: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Where programs that a plug-in may start lie.
pub(crate) const PROGRAM_PATH: &str = r"C:\Windows\System32;C:\Windows";

/// True when this process may write a file, or put files into a folder.
pub(crate) fn may_write(path: &Path) -> bool {
    if path.is_dir() {
        return tempfile::Builder::new().prefix(".wats-draft-").tempfile_in(path).is_ok();
    }
    File::options().append(true).open(path).is_ok()
}

/// The name of this machine, as the system knows it.
pub(crate) fn host_name() -> Option<String> {
    let name = std::env::var("COMPUTERNAME").ok().or_else(|| sysinfo::System::host_name().ok());
    name.filter(|name| !name.is_empty())
}

/// The name of the user that this process runs as.
pub(crate) fn user_name() -> Option<String> {
    std::env::var("USERNAME").ok()
}

/// Free and all bytes of the file system of a folder.
pub(crate) fn room(folder: &Path) -> io::Result<(u64, u64)> {
    raw::room(folder)
}

/// Reads what is there already from a pipe; nothing where that would have to be waited for.
pub(crate) fn read_now(pipe: &mut (impl AsyncRead + Unpin), piece: &mut [u8]) -> usize {
    pipe.read(piece).now_or_never().and_then(Result::ok).unwrap_or(0)
}

/// Standard input and output of this process, without a buffer.
pub(crate) fn own_pipes() -> io::Result<(File, File)> {
    let input = io::stdin().as_handle().try_clone_to_owned()?;
    Ok((input.into(), io::stdout().as_handle().try_clone_to_owned()?.into()))
}

/// A program of ours gets none of this process's environment but where the system's libraries are.
pub(crate) fn bare(command: &mut tokio::process::Command) -> &mut tokio::process::Command {
    command.env_clear().current_dir(r"\");
    command.creation_flags(CREATE_NO_WINDOW);
    for name in ["SystemRoot", "SystemDrive", "ProgramData"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// Ends a helper: the system ends what it looks after.
pub(crate) fn ask_to_end(child: &mut tokio::process::Child) {
    child.start_kill().ok();
}

/// The system ends all children of this process when it ends, however it does.
///
/// # Errors
/// When the system does not allow it.
pub(crate) fn tie_children() -> io::Result<()> {
    let job = raw::Job::new(&raw::JobLimits::default())?;
    job.take_this_process()?;
    // Open as long as this process lives.
    std::mem::forget(job);
    Ok(())
}

/// Nothing to do: see [`tie_children`].
pub(crate) fn end_with_the_agent() -> io::Result<()> {
    Ok(())
}

/// Tells when this process is to end: by Ctrl-C, by closing its window, or as the system shuts down.
#[derive(Debug)]
pub(crate) struct Stop {
    interrupt: CtrlC,
    quit: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Stop {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            quit: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.quit.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}

/// Tells when a person asks to read the configuration again. There is no such signal here: the file is watched.
#[derive(Debug)]
pub(crate) struct Reread;

impl Reread {
    #[expect(clippy::unnecessary_wraps, reason = "as on the other systems")]
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    pub(crate) async fn wait(&mut self) {
        std::future::pending::<()>().await;
    }
}
