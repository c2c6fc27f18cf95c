//! What Linux and macOS have in common.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::{AccessFlags, Uid, User};
use tokio::signal::unix::{self, SignalKind, signal};

/// Device and inode: what stays the same while a file is renamed.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Device and inode of the file at a path.
pub(crate) fn identity_of(path: &Path) -> io::Result<(u64, u64)> {
    Ok(identity(&fs::metadata(path)?))
}

/// When it was last written, in nanoseconds since 1970.
pub(crate) fn modified_ns(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec())
}

/// When it last changed or came here, in nanoseconds since 1970.
pub(crate) fn changed_ns(metadata: &Metadata) -> i64 {
    metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec())
}

/// A name or path as bytes that [`from_bytes`] takes back.
pub(crate) fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Borrowed(name.as_bytes())
}

pub(crate) fn into_bytes(name: OsString) -> Vec<u8> {
    name.into_vec()
}

pub(crate) fn from_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

/// The end of a name, at most so many bytes.
pub(crate) fn tail(name: &OsStr, most: usize) -> Cow<'_, OsStr> {
    let bytes = name.as_bytes();
    Cow::Borrowed(OsStr::from_bytes(bytes.get(bytes.len().saturating_sub(most)..).unwrap_or(bytes)))
}

/// Opens a file to read. Somebody may have put a link or a pipe there: none is followed or waited for.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits()).open(path)
}

/// Creates a file where there is nothing yet.
pub(crate) fn create_new(path: &Path, mode: u32) -> io::Result<File> {
    File::options().write(true).create_new(true).mode(mode).open(path)
}

/// Makes the names in a folder, new and gone, survive a power cut.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Sets who may use a file or folder.
pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Sets who may use an open file, whatever lies at its path by now.
pub(crate) fn set_mode_of(file: &File, _path: &Path, mode: u32) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(mode))
}

/// The mode with which a temporary file or folder is made; the umask takes its part.
pub(crate) fn draft_mode<'a, 'b>(
    builder: &'a mut tempfile::Builder<'b, 'static>,
    mode: u32,
) -> &'a mut tempfile::Builder<'b, 'static> {
    builder.permissions(Permissions::from_mode(mode))
}

/// Makes a folder, and those above it, unless it is there.
pub(crate) fn make_folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// Keeps other programs of this machine out of the agent's own folder, but for the folders `open`. Here their modes do.
pub(crate) fn protect(_folder: &Path, _open: &[PathBuf]) -> io::Result<()> {
    Ok(())
}

/// True when others than the owner and its group could have read or written a file.
pub(crate) fn is_open_to_others(metadata: &Metadata) -> bool {
    metadata.mode() & 0o027 != 0
}

/// True when nobody but this user, and members of its group as readers, can have written or read the file.
pub(crate) fn is_ours_alone(file: &File) -> bool {
    file.metadata()
        .is_ok_and(|it| it.is_file() && it.uid() == Uid::effective().as_raw() && !is_open_to_others(&it))
}

/// True for a file that can be run as a program.
pub(crate) fn is_executable(_path: &Path, metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.mode() & 0o111 != 0
}

/// The mode of a file that is there.
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    metadata.mode() & 0o777
}

/// Written by root, a file must stay that of whom it belonged to.
pub(crate) fn keep_owner(path: &Path, before: &Metadata) -> io::Result<()> {
    if Uid::effective().is_root() {
        std::os::unix::fs::chown(path, Some(before.uid()), Some(before.gid()))?;
    }
    Ok(())
}

/// Where programs that a plug-in may start lie.
pub(crate) const PROGRAM_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// True when this process may write a file, or put files into a folder.
pub(crate) fn may_write(path: &Path) -> bool {
    nix::unistd::access(path, AccessFlags::W_OK).is_ok()
}

/// The name of this machine, as the system knows it.
pub(crate) fn host_name() -> Option<String> {
    let name = nix::sys::utsname::uname().ok().map(|it| it.nodename().to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty())
}

/// The name of the user that this process runs as.
pub(crate) fn user_name() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|it| it.name)
}

/// Free and all bytes of the file system of a folder.
pub(crate) fn room(folder: &Path) -> io::Result<(u64, u64)> {
    let it = nix::sys::statvfs::statvfs(folder)?;
    let (free, all) = (wide(it.blocks_available()), wide(it.blocks()));
    Ok((free.saturating_mul(it.fragment_size()), all.saturating_mul(it.fragment_size())))
}

/// The systems count blocks in numbers of different width.
fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

/// Reads what is there already from a pipe that does not block; nothing where that would have to be waited for.
pub(crate) fn read_now(pipe: &mut impl AsFd, piece: &mut [u8]) -> usize {
    nix::unistd::read(&*pipe, piece).unwrap_or(0)
}

/// Standard input and output of this process, without a buffer.
pub(crate) fn own_pipes() -> io::Result<(File, File)> {
    let (input, output) =
        (io::stdin().as_fd().try_clone_to_owned()?, io::stdout().as_fd().try_clone_to_owned()?);
    Ok((input.into(), output.into()))
}

/// A program of ours gets none of this process's environment.
pub(crate) fn bare(command: &mut tokio::process::Command) -> &mut tokio::process::Command {
    command.env_clear().current_dir("/")
}

/// Asks a helper to end what it looks after, and itself.
pub(crate) fn ask_to_end(child: &mut tokio::process::Child) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    // `None` once it was waited for: the number may be another's by then.
    if let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) {
        kill(Pid::from_raw(id), Signal::SIGTERM).ok();
    }
}

/// The signal that ended a process.
pub(crate) fn signal_of(status: ExitStatus) -> Option<nix::sys::signal::Signal> {
    status.signal().and_then(|it| it.try_into().ok())
}

/// Children of this process end with it by themselves; see [`end_with_the_agent`].
pub(crate) fn tie_children() -> io::Result<()> {
    Ok(())
}

/// Ends this process when the agent that started it has gone.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn end_with_the_agent() -> io::Result<()> {
    // When the agent is killed this process would only see it at its next read, which a conversion
    // that never ends does not come to.
    let agent = std::os::unix::process::parent_id();
    std::thread::Builder::new().spawn(move || {
        while std::os::unix::process::parent_id() == agent {
            std::thread::sleep(Duration::from_secs(1));
        }
        std::process::exit(1);
    })?;
    Ok(())
}

/// Tells when this process is to end: by SIGTERM, or by Ctrl-C at a terminal.
#[derive(Debug)]
pub(crate) struct Stop {
    terminate: unix::Signal,
    interrupt: unix::Signal,
}

impl Stop {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Tells when a person asks to read the configuration again: by SIGHUP.
#[derive(Debug)]
pub(crate) struct Reread(unix::Signal);

impl Reread {
    pub(crate) fn listen() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    pub(crate) async fn wait(&mut self) {
        self.0.recv().await;
    }
}
