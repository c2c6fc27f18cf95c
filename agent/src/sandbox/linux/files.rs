//! A file system that holds only what the profile lists.
//!
//! Each place is taken as a mount of its own, made read-only before it is attached anywhere, and hung into an empty
//! file system in memory, which then becomes the root. What was the root is let go.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Component, Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

use crate::sandbox::{Profile, See};

/// What no program does without.
const DEVICES: [&str; 5] = ["null", "zero", "full", "random", "urandom"];
/// Folders over which the new root can be made.
const BASES: [&str; 3] = ["/tmp", "/run", "/var"];

const READ_ONLY: u64 = 1;
const NO_SET_ID: u64 = 2;
const NO_DEVICES: u64 = 4;
const NO_EXECUTION: u64 = 8;

const OPEN_TREE_CLONE: libc::c_int = 1;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_int = 4;
const AT_RECURSIVE: libc::c_int = 0x8000;

/// Everything the box will hold, taken but not yet hung anywhere.
#[derive(Debug)]
pub(super) struct Gathered {
    places: Vec<(OwnedFd, PathBuf)>,
}

/// Leaves the mounts of all others and takes what the profile lists.
pub(super) fn gather(profile: &Profile) -> Result<(Gathered, String), String> {
    let forbidden = |error: nix::Error| format!("the system forbids this namespace: {error}");
    unshare(CloneFlags::CLONE_NEWNS).map_err(forbidden)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).map_err(forbidden)?;
    // Where this is not allowed nothing has been lost yet.
    attributes(&clone(Path::new("/dev/null"))?, READ_ONLY)
        .map_err(|error| format!("the system does not let mounts be changed: {error}"))?;
    let mut places = Vec::new();
    let listed = profile.see.iter().map(|it| (it, READ_ONLY | NO_SET_ID | NO_DEVICES));
    let listed = listed.chain(profile.write.iter().map(|it| (it, NO_SET_ID | NO_DEVICES | NO_EXECUTION)));
    for (See { here, inside }, wanted) in listed {
        places.push((taken(here, wanted)?, inside.clone()));
    }
    for device in DEVICES {
        let path = Path::new("/dev").join(device);
        places.push((taken(&path, READ_ONLY | NO_SET_ID | NO_EXECUTION)?, path));
    }
    // A place inside another comes after it.
    places.sort_by_key(|(_, inside)| inside.components().count());
    Ok((Gathered { places }, String::new()))
}

/// Without a file system of its own: whether what the profile lists is there at all.
pub(super) fn are_there(profile: &Profile) -> Result<(), String> {
    let places = profile.see.iter().chain(&profile.write).chain([&profile.scratch]);
    for See { here, .. } in places {
        fs::metadata(here).map_err(|error| cannot_show(here, &error))?;
    }
    Ok(())
}

fn cannot_show(here: &Path, error: &io::Error) -> String {
    format!("{} cannot be shown to the program: {error}", here.display())
}

impl Gathered {
    /// Hangs everything into a new root and makes it this process's.
    pub(super) fn furnish(self, profile: &Profile, has_processes: bool) -> Result<(), String> {
        let base = BASES.map(Path::new).into_iter().find(|it| it.is_dir());
        let base = base.ok_or("there is no folder over which the box could be made")?;
        self.hang(base, profile, has_processes)
            .map_err(|error| format!("could not give the box its files: {error}"))
    }

    fn hang(self, base: &Path, profile: &Profile, has_processes: bool) -> io::Result<()> {
        let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("box"), base, Some("tmpfs"), safe, Some("size=1m,nr_inodes=4k,mode=755"))?;
        chdir(base)?;
        for (place, inside) in &self.places {
            let target = below(inside)?;
            if is_folder(place)? {
                folder(&target)?;
            } else {
                folder(target.parent().unwrap_or(Path::new("")))?;
                if !target.exists() {
                    File::create_new(&target)?;
                }
            }
            hang(place, &target)?;
        }
        let scratch = below(&profile.scratch.inside)?;
        folder(&scratch)?;
        let size = format!("size={},nr_inodes=64k,mode=700", profile.limits.scratch_bytes);
        mount(Some("scratch"), &scratch, Some("tmpfs"), safe | MsFlags::MS_NOEXEC, Some(size.as_str()))?;
        // Emptied with the scratch folder.
        for usual in ["tmp", "var/tmp"] {
            if !Path::new(usual).exists() {
                folder(Path::new(usual).parent().unwrap_or(Path::new("")))?;
                symlink(&profile.scratch.inside, usual)?;
            }
        }
        // While the old one is still there: the kernel gives no fuller view of processes than there was.
        if has_processes {
            processes()?;
        }
        pivot_root(".", ".")?;
        umount2(".", MntFlags::MNT_DETACH)?;
        chdir("/")?;
        let root = File::open("/")?;
        set_attributes(root.as_raw_fd(), READ_ONLY | NO_SET_ID | NO_DEVICES | NO_EXECUTION, 0)
    }
}

/// /proc with nothing but the processes of the box; a system that allows none leaves the box without.
fn processes() -> io::Result<()> {
    folder(Path::new("proc"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    if mount(Some("proc"), "proc", Some("proc"), flags, Some("subset=pid")).is_ok() {
        for (name, number) in [("stdin", 0), ("stdout", 1), ("stderr", 2)] {
            symlink(format!("/proc/self/fd/{number}"), Path::new("dev").join(name))?;
        }
        symlink("/proc/self/fd", "dev/fd")?;
    }
    Ok(())
}

/// A path inside, below the folder that becomes the root.
fn below(inside: &Path) -> io::Result<PathBuf> {
    let mut below = PathBuf::new();
    for part in inside.components() {
        match part {
            Component::RootDir => {}
            Component::Normal(part) => below.push(part),
            _ => return Err(io::Error::other(format!("{} is no plain path", inside.display()))),
        }
    }
    if below.as_os_str().is_empty() {
        return Err(io::Error::other("the whole file system cannot be shown"));
    }
    Ok(below)
}

fn folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(path)
}

fn is_folder(place: &OwnedFd) -> io::Result<bool> {
    let about = nix::sys::stat::fstat(place)?;
    Ok(about.st_mode & libc::S_IFMT == libc::S_IFDIR)
}

fn taken(here: &Path, wanted: u64) -> Result<OwnedFd, String> {
    let place = clone(here)?;
    attributes(&place, wanted).map_err(|error| cannot_show(here, &error))?;
    Ok(place)
}

/// The place with all that is mounted below it.
fn clone(here: &Path) -> Result<OwnedFd, String> {
    let path = std::ffi::CString::new(here.as_os_str().as_bytes())
        .map_err(|_| format!("{} is no path", here.display()))?;
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC | AT_RECURSIVE;
    #[expect(unsafe_code, reason = "there is no safe wrapper")]
    // SAFETY: the path ends with a zero and lives through the call; a descriptor that comes back is nobody else's.
    let opened = unsafe {
        let fd = libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags);
        RawFd::try_from(fd).ok().filter(|fd| *fd >= 0).map(|fd| OwnedFd::from_raw_fd(fd))
    };
    opened.ok_or_else(|| cannot_show(here, &io::Error::last_os_error()))
}

fn attributes(place: &OwnedFd, wanted: u64) -> io::Result<()> {
    set_attributes(place.as_raw_fd(), wanted, AT_RECURSIVE)
}

fn set_attributes(place: RawFd, wanted: u64, depth: libc::c_int) -> io::Result<()> {
    // struct mount_attr: set, clear, propagation, user namespace.
    let attributes: [u64; 4] = [wanted, 0, 0, 0];
    let flags = libc::AT_EMPTY_PATH | depth;
    #[expect(unsafe_code, reason = "there is no safe wrapper")]
    // SAFETY: the kernel reads as many bytes as it is told.
    let done = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            place,
            c"".as_ptr(),
            flags,
            attributes.as_ptr(),
            size_of_val(&attributes),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn hang(place: &OwnedFd, target: &Path) -> io::Result<()> {
    let path = std::ffi::CString::new(target.as_os_str().as_bytes())?;
    #[expect(unsafe_code, reason = "there is no safe wrapper")]
    // SAFETY: both paths end with a zero and live through the call.
    let done = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            place.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            MOVE_MOUNT_F_EMPTY_PATH,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
