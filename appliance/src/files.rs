//! Files that appear whole or not at all.

use std::{
    fs::{File, Permissions},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use nix::unistd::{Gid, Uid};

/// Who owns a new file; `None` leaves the user or group of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    pub user: Option<Uid>,
    pub group: Option<Gid>,
}

/// Writes a file so that a reader, or a power cut, sees the old or the new content and nothing between.
pub fn replace_file(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    replace_owned_file(path, mode, Owner::default(), bytes)
}

/// [`replace_file`], with owner and group set before the file gets its name.
pub fn replace_owned_file(path: &Path, mode: u32, owner: Owner, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut draft = tempfile::Builder::new()
        .prefix(".draft-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    draft.write_all(bytes)?;
    nix::unistd::fchown(draft.as_file(), owner.user, owner.group)?;
    // After the owner, because changing that clears mode bits; and not at creation, where the umask applies.
    draft.as_file().set_permissions(Permissions::from_mode(mode))?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_the_new_content_and_mode_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("thing");
        replace_file(&path, 0o600, b"old").unwrap();
        replace_file(&path, 0o640, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(replace_file(&folder.path().join("no/thing"), 0o600, b"").is_err());
    }
}
