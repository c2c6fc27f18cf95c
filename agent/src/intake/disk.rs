//! What is done on the disk: listing a folder, looking at a file or unit, reading it once.
//!
//! Everything here may wait for a dead server and is therefore only called from a thread that may wait, or
//! in a helper process (see [`super::share`]).

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::names::{self, Names, Whose};
use super::settings::Unit;
use crate::control::upload;
use crate::files::{self, Stamp};
use crate::system::{self, changed_ns};

/// Below a folder that deep nothing is looked for: a loop of mounts must end.
const DEEPEST: usize = 64;
/// A unit has at most so many files.
const MOST_MEMBERS: usize = 10_000;

/// A file, or a unit of several, as it lies there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The file that names the unit.
    pub(super) head: PathBuf,
    /// Of the whole unit: any change of any of its files changes it.
    pub(super) stamp: Stamp,
    /// When it last changed or came here, in nanoseconds since 1970.
    pub(super) changed_ns: i64,
    /// The other files, sorted by path.
    pub(super) companions: Vec<PathBuf>,
    pub(super) look: Look,
}

/// What its surroundings say of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Look {
    /// Its marker is there.
    Marked,
    /// Its marker is still to come.
    Unmarked,
    /// Nothing but itself.
    Plain,
    /// One of several files: that one of them was closed does not say that all are there.
    Several,
    /// The folder that belongs to it is not there, or is empty.
    Lonely,
}

/// What a folder holds beside the files that were passed on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Others {
    /// How many fit no pattern, and the name of one.
    pub(super) strangers: usize,
    pub(super) stranger: Option<String>,
    /// How many lack their marker, and the name of one.
    pub(super) unmarked: usize,
    pub(super) unmarked_one: Option<String>,
    /// Folders that could not be read, and why.
    pub(super) unreadable: Option<String>,
    /// Device and inode of the folder: others when it was replaced, or a share was mounted on it.
    pub(super) folder: (u64, u64),
}

/// Makes the folder if it is not there, and clears away what broken uploads left in it.
///
/// # Errors
/// When it cannot be made. That something cannot be cleared away hinders nobody.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    if let Err(error) = upload::remove_drafts(folder) {
        tracing::warn!(%error, "could not remove the rest of an upload in {}", folder.display());
    }
    Ok(())
}

/// Passes on every file, or unit, that is meant for us: its path, stamp, and when it changed.
///
/// # Errors
/// When the folder itself cannot be read, or `each` fails.
pub(super) fn list(
    folder: &Path,
    names: &Names,
    mut each: impl FnMut(PathBuf, Stamp, i64) -> io::Result<()>,
) -> io::Result<Others> {
    let itself = fs::metadata(folder)?;
    let mut others = Others { folder: system::identity(&itself), ..Others::default() };
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((place, depth)) = folders.pop() {
        let entries = match fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                // It may have gone since it was listed.
                if error.kind() != io::ErrorKind::NotFound {
                    others.unreadable = Some(format!("{} cannot be read: {error}", place.display()));
                }
                continue;
            }
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            // Does not follow links. It may have gone since it was listed.
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            let below = path.strip_prefix(folder).unwrap_or(&path);
            if kind.is_dir() {
                let deeper = names.rules.recursive && depth < DEEPEST && names.enters(below);
                if names.rules.unit == Unit::Folder && names.is_unit(below) {
                    pass_unit(folder, names, path, &mut others, &mut each)?;
                } else if deeper {
                    folders.push((path, depth + 1));
                }
            } else if kind.is_file() && names.rules.unit != Unit::Folder {
                match names.whose(below) {
                    Whose::Nobodys => {}
                    Whose::Stranger => {
                        others.strangers += 1;
                        others.stranger.get_or_insert_with(|| names::text(below).into_owned());
                    }
                    Whose::Ours if names.rules.unit == Unit::File && names.rules.marker.is_none() => {
                        let Ok(metadata) = entry.metadata() else { continue };
                        each(path, Stamp::of(&metadata), changed_ns(&metadata))?;
                    }
                    Whose::Ours => pass_unit(folder, names, path, &mut others, &mut each)?,
                }
            }
        }
    }
    Ok(others)
}

/// Passes on what is more than its own metadata.
fn pass_unit(
    folder: &Path,
    names: &Names,
    path: PathBuf,
    others: &mut Others,
    each: &mut impl FnMut(PathBuf, Stamp, i64) -> io::Result<()>,
) -> io::Result<()> {
    match look(folder, names, &path) {
        Some(seen) if seen.look == Look::Unmarked => {
            others.unmarked += 1;
            others.unmarked_one.get_or_insert_with(|| names::text(&path).into_owned());
        }
        Some(seen) => each(path, seen.stamp, seen.changed_ns)?,
        None if path.is_dir() => {
            others.strangers += 1;
            others.stranger.get_or_insert_with(|| names::text(&path).into_owned());
        }
        None => {}
    }
    Ok(())
}

/// Looks at the file or unit at `path`; `None` when there is none of ours. Links are not followed.
pub(super) fn look(folder: &Path, names: &Names, path: &Path) -> Option<Seen> {
    match names.rules.unit {
        Unit::File => {
            let (stamp, changed_ns) = file(folder, path)?;
            let look = marked(names, path).unwrap_or(Look::Plain);
            Some(Seen { head: path.to_owned(), stamp, changed_ns, companions: Vec::new(), look })
        }
        Unit::FileAndFolder => {
            let (stamp, changed_ns) = file(folder, path)?;
            let beside = path.with_extension("");
            let mut members = Vec::new();
            if beside != path {
                gather(&beside, names, &mut members);
            }
            let plain = if members.is_empty() { Look::Lonely } else { Look::Several };
            let look = marked(names, path).unwrap_or(plain);
            Some(whole(path.to_owned(), stamp, changed_ns, members, look))
        }
        Unit::Folder => {
            let mut members = Vec::new();
            gather(path, names, &mut members);
            let is_head = |member: &Member| {
                member.path.parent() == Some(path)
                    && names::fits(&names::text(&member.path), &names.rules.patterns)
            };
            let at = members.iter().position(is_head)?;
            let head = members.remove(at);
            let look = match &names.rules.marker {
                Some(marker) if path.join(marker).is_file() => Look::Marked,
                Some(_) => Look::Unmarked,
                None => Look::Several,
            };
            Some(whole(head.path, head.stamp, head.changed_ns, members, look))
        }
    }
}

struct Member {
    path: PathBuf,
    stamp: Stamp,
    changed_ns: i64,
}

/// One stamp for all: the fingerprint of all stamps stands where a file has its inode.
fn whole(head: PathBuf, stamp: Stamp, changed_ns: i64, members: Vec<Member>, look: Look) -> Seen {
    if members.is_empty() {
        return Seen { head, stamp, changed_ns, companions: Vec::new(), look };
    }
    let mut print = Sha256::new();
    add(&mut print, &head, stamp);
    let mut all = stamp;
    let mut changed_ns = changed_ns;
    for member in &members {
        add(&mut print, &member.path, member.stamp);
        all.size = all.size.saturating_add(member.stamp.size);
        all.modified_ns = all.modified_ns.max(member.stamp.modified_ns);
        changed_ns = changed_ns.max(member.changed_ns);
    }
    all.inode = print.finalize().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let companions = members.into_iter().map(|member| member.path).collect();
    Seen { head, stamp: all, changed_ns, companions, look }
}

fn add(print: &mut Sha256, path: &Path, stamp: Stamp) {
    print.update(system::bytes(path.as_os_str()));
    // No path holds a zero byte.
    print.update([0]);
    for number in [stamp.inode, stamp.size, stamp.modified_ns.cast_unsigned()] {
        print.update(number.to_le_bytes());
    }
}

/// All regular files of a folder and those below, sorted by path.
fn gather(folder: &Path, names: &Names, members: &mut Vec<Member>) {
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((place, depth)) = folders.pop() {
        // Nothing there yet, or a link.
        if !fs::symlink_metadata(&place).is_ok_and(|it| it.is_dir()) {
            continue;
        }
        for entry in fs::read_dir(&place).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let path = entry.path();
            if metadata.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
                continue;
            }
            // One that its writer has for itself counts as it was listed: the next look is another one.
            let metadata = if metadata.is_file() && files::are_on_a_share() {
                fresh(folder, &path).unwrap_or(metadata)
            } else {
                metadata
            };
            if metadata.is_file() && names.belongs(&entry.file_name()) && members.len() < MOST_MEMBERS {
                let (stamp, changed_ns) = (Stamp::of(&metadata), changed_ns(&metadata));
                members.push(Member { path, stamp, changed_ns });
            }
        }
    }
    members.sort_by(|one, other| one.path.cmp(&other.path));
}

/// Whether the marker beside a file is there; `None` when none is asked for.
fn marked(names: &Names, path: &Path) -> Option<Look> {
    names.rules.marker.as_ref()?;
    let there = markers(names, path).iter().any(|it| fs::symlink_metadata(it).is_ok());
    Some(if there { Look::Marked } else { Look::Unmarked })
}

/// Where the marker of a file or unit may lie.
pub(super) fn markers(names: &Names, path: &Path) -> Vec<PathBuf> {
    let Some(marker) = &names.rules.marker else { return Vec::new() };
    let Some(end) = marker.strip_prefix('*') else { return vec![path.join(marker)] };
    [path, &path.with_extension("")]
        .into_iter()
        .map(|it| {
            let mut name = it.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        })
        .collect()
}

/// The look of the regular file at `path`; links are not followed, not even on the way from `folder`.
fn file(folder: &Path, path: &Path) -> Option<(Stamp, i64)> {
    let metadata = if files::are_on_a_share() {
        fresh(folder, path)?
    } else if path.parent() == Some(folder) {
        fs::symlink_metadata(path).ok()?
    } else {
        system::look_below(folder, path).ok()?
    };
    metadata.is_file().then(|| (Stamp::of(&metadata), changed_ns(&metadata)))
}

/// As the server sees it now: only opening makes a network file system ask, instead of answering from memory. A
/// writer that has the file for itself makes opening fail: it is not complete.
fn fresh(folder: &Path, path: &Path) -> Option<Metadata> {
    match system::open_below(folder, path) {
        Ok(file) => file.metadata().ok(),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::ExecutableFileBusy) =>
        {
            None
        }
        // What is wrong shows when it is read.
        Err(_) => fs::symlink_metadata(path).ok(),
    }
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    /// All was read.
    Whole,
    /// It is another one than before, changed while it was read, or is gone.
    Changed,
    /// It is larger than the limit; it was not read.
    TooLarge,
}

/// What is read at once.
const PIECE: usize = 1 << 20;

/// Reads the file or unit at `path` as long as it looks like `stamp`: the head first, then the companions.
///
/// `each` gets the number of a file and a piece of it; the pieces of a file come one after the other.
///
/// # Errors
/// When a file cannot be opened or read, or `each` fails.
pub(super) fn read(
    folder: &Path,
    names: &Names,
    path: &Path,
    stamp: Stamp,
    limit: u64,
    mut each: impl FnMut(usize, &[u8]) -> io::Result<()>,
) -> io::Result<End> {
    let Some(seen) = look(folder, names, path) else { return Ok(End::Changed) };
    if seen.stamp != stamp {
        return Ok(End::Changed);
    }
    if stamp.size > limit {
        return Ok(End::TooLarge);
    }
    let size = usize::try_from(stamp.size).unwrap_or(PIECE).clamp(1, PIECE);
    let mut piece = vec![0; size];
    let mut left = stamp.size;
    for (number, member) in std::iter::once(&seen.head).chain(&seen.companions).enumerate() {
        let mut file = match system::open_below(folder, member) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(End::Changed),
            Err(error) => return Err(error),
        };
        let before = file.metadata()?;
        if !before.is_file() {
            return Ok(End::Changed);
        }
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            match left.checked_sub(read as u64) {
                Some(rest) => left = rest,
                // It grew.
                None => return Ok(End::Changed),
            }
            each(number, piece.get(..read).unwrap_or_default())?;
        }
        if Stamp::of(&file.metadata()?) != Stamp::of(&before) {
            return Ok(End::Changed);
        }
    }
    let unchanged = left == 0 && look(folder, names, path).is_some_and(|it| it.stamp == stamp);
    Ok(if unchanged { End::Whole } else { End::Changed })
}
