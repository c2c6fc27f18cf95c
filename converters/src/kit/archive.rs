//! Packed files, opened so that a small one cannot grow without bound.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;
use zip::result::ZipError;

use crate::{ConvertError, ErrorKind};

/// A packed file may give this many times its size…
const GROWTH: u64 = 100;
/// …and this many bytes more. Testers' files grow 5 to 30 times; a bomb grows a thousandfold.
const ROOM: u64 = 16 << 20;
/// Entries of a ZIP archive.
const MAX_ENTRIES: usize = 10_000;

fn allowance(packed: usize) -> u64 {
    u64::try_from(packed).unwrap_or(u64::MAX).saturating_mul(GROWTH).saturating_add(ROOM)
}

/// True for the beginning of a ZIP archive.
pub(crate) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// True for the beginning of a file packed by gzip.
pub(crate) fn is_gzip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x1f\x8b\x08")
}

/// A file packed by gzip, unpacked while it is read.
///
/// Reading ends with [`io::ErrorKind::UnexpectedEof`] where the file breaks off, and with
/// [`io::ErrorKind::FileTooLarge`] where it has given more than it has any right to.
pub(crate) struct Gunzip<'a> {
    from: MultiGzDecoder<&'a [u8]>,
    left: u64,
}

impl<'a> Gunzip<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { from: MultiGzDecoder::new(bytes), left: allowance(bytes.len()) }
    }
}

impl Read for Gunzip<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(to)?;
        self.left = u64::try_from(read)
            .ok()
            .and_then(|read| self.left.checked_sub(read))
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

/// What is said of a packed file that unpacks to too much.
pub(crate) fn most() -> String {
    format!("at most {GROWTH} times the size of the file and {} MB", ROOM >> 20)
}

/// A ZIP archive; its entries are found by their names without folders, in any letter case.
pub(crate) struct Archive<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    indexes: HashMap<String, usize>,
    /// How many bytes may still be unpacked, over all entries.
    left: u64,
}

impl<'a> Archive<'a> {
    /// Reads the list of entries.
    ///
    /// # Errors
    /// For a file that is no archive, ends before its list of entries, or has too many of them.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, ConvertError> {
        if !is_zip(bytes) {
            return Err(ConvertError::new(ErrorKind::WrongFormat, "the file is no ZIP archive"));
        }
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            ConvertError::new(
                ErrorKind::NotYet,
                format!("the list of the archive's entries is damaged or missing ({error})"),
            )
            .expected("a complete ZIP archive")
            .help("Perhaps the file was still being written or copied; drop the whole file again.")
        })?;
        if zip.len() > MAX_ENTRIES {
            let problem = format!("the archive has {} entries", zip.len());
            return Err(
                ConvertError::new(ErrorKind::TooLarge, problem).expected(format!("at most {MAX_ENTRIES}"))
            );
        }
        let mut indexes = HashMap::new();
        for index in 0..zip.len() {
            if let Some(Ok(name)) = zip.name_for_index(index) {
                indexes.entry(plain(&name)).or_insert(index);
            }
        }
        Ok(Self { zip, indexes, left: allowance(bytes.len()) })
    }

    /// The names of all entries: without folders, in lower case.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.indexes.keys().map(String::as_str)
    }

    /// Unpacks an entry; `None` when there is none of that name.
    ///
    /// # Errors
    /// For an entry that is encrypted, damaged, or larger than the archive has any right to.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ConvertError> {
        let Some(index) = self.indexes.get(&plain(name)) else { return Ok(None) };
        let damaged = |error: &dyn std::fmt::Display| {
            ConvertError::new(
                ErrorKind::Malformed,
                format!("the entry \"{name}\" cannot be unpacked: {error}"),
            )
        };
        let entry = self.zip.by_index(*index).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => {
                ConvertError::new(ErrorKind::Malformed, format!("the entry \"{name}\" is encrypted"))
                    .expected("an archive without password")
            }
            other => damaged(&other),
        })?;
        let mut bytes = Vec::new();
        entry.take(self.left.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        self.left = u64::try_from(bytes.len()).ok().and_then(|read| self.left.checked_sub(read)).ok_or_else(
            || {
                ConvertError::new(
                    ErrorKind::TooLarge,
                    format!("the entry \"{name}\" unpacks to far more than a genuine archive"),
                )
                .expected(most())
            },
        )?;
        Ok(Some(bytes))
    }
}

fn plain(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase()
}
