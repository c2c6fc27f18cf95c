//! Everything that a converter may know besides its arguments.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A file, and where and when it is read.
#[derive(Debug, Clone)]
pub struct Input {
    /// The file's name without folders.
    pub file_name: String,
    pub bytes: Vec<u8>,
    /// The files of the unit's folder, for formats that spread a unit over a folder; else empty.
    pub companions: Vec<Companion>,
    /// When the file was last written: stands in where the file has no time of its own.
    pub modified: Timestamp,
    pub station: Station,
    /// The moment of conversion.
    pub now: Timestamp,
}

/// A file that belongs to the one being read.
#[derive(Debug, Clone)]
pub struct Companion {
    /// Its name, with folders below the unit's folder before it, joined by `/`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The station's own settings: they stand in for what a file does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Station {
    pub name: String,
    pub location: String,
    pub purpose: String,
    /// The zone in which local times in files are read.
    pub time_zone: TimeZone,
}
