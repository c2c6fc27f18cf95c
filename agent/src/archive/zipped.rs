//! Archived files that are compressed: a ZIP file with the one file in it, which says that it is ours.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::files::{Folders, Stamp, folder_of};
use crate::system;

/// By this a file of ours is told from a tester's own ZIP file.
const MARK: &[u8] = b"archived by wats-agent";
const ENDING: &str = ".zip";

/// Where the compressed file lies, beside where the plain one would.
pub(crate) fn beside(target: &Path) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(ENDING);
    PathBuf::from(name)
}

/// Compresses `from` to `to`, and removes it only when that is safe.
///
/// # Errors
/// When it cannot be read or written, or changes meanwhile; it then lies where it was.
pub(super) fn put_away(from: &Path, stamp: Stamp, to: &Path, folders: &mut Folders) -> io::Result<()> {
    // Left by a crash between compressing and removing: it is whole, or it would not have its name.
    if fs::symlink_metadata(to).is_err() {
        let mut original = system::open_plain(from)?;
        if Stamp::of(&original.metadata()?) != stamp {
            return Err(io::Error::other("the file changed before it was compressed"));
        }
        let draft = tempfile::Builder::new().prefix(".wats-draft-").tempfile_in(folder_of(to))?;
        let mut archive = ZipWriter::new(draft);
        archive.set_raw_comment(MARK.into())?;
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        archive
            .start_file(name, SimpleFileOptions::default().compression_method(CompressionMethod::Deflated))?;
        let size = io::copy(&mut original, &mut archive)?;
        if size != stamp.size || Stamp::of(&original.metadata()?) != stamp {
            return Err(io::Error::other("the file changed while it was compressed"));
        }
        let mut draft = archive.finish()?;
        draft.flush()?;
        draft.as_file().sync_all()?;
        draft.persist_noclobber(to).map_err(|error| error.error)?;
        crate::files::sync_folder(folder_of(to))?;
    }
    fs::remove_file(from)?;
    folders.changed(folder_of(from));
    Ok(())
}

/// The content of a file that was compressed here; `None` for any other.
///
/// # Errors
/// When it is damaged, or cannot be read.
pub(crate) fn read(path: &Path, largest: u64) -> io::Result<Option<Vec<u8>>> {
    if path.extension().is_none_or(|it| it != "zip") {
        return Ok(None);
    }
    let file = system::open_plain(path)?;
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let Ok(mut archive) = ZipArchive::new(file) else { return Ok(None) };
    if archive.comment() != MARK || archive.len() != 1 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    archive.by_index(0)?.take(largest + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::other("it is larger than it was"));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compressed_once_and_read_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.csv"), folder.path().join("7-a.csv.zip"));
        let content = b"1;2;3\n".repeat(1000);
        crate::files::replace_file(&from, 0o640, &content).unwrap();
        let stamp = Stamp::of(&fs::metadata(&from).unwrap());
        let mut folders = Folders::default();
        let wrong = Stamp { size: 1, ..stamp };
        assert!(put_away(&from, wrong, &to, &mut folders).is_err());
        assert!(from.exists() && !to.exists());
        put_away(&from, stamp, &to, &mut folders).unwrap();
        assert!(!from.exists() && fs::metadata(&to).unwrap().len() < 1000);
        assert_eq!(read(&to, 1 << 20).unwrap().unwrap(), content);
        assert!(read(&to, 100).is_err());

        let others = folder.path().join("tester.zip");
        crate::files::replace_file(&others, 0o640, b"PK no archive").unwrap();
        assert!(read(&others, 1 << 20).unwrap().is_none());
    }
}
