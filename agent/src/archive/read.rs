//! Reading an archived file, or a unit, and making sure that it is the one that was converted.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use wats_converters::Companion;

use crate::control::api::Unit;
use crate::files::sha256;
use crate::intake::{self, Content};
use crate::store::Archived;
use crate::system;

/// A file that was left where it was found may lie on a mount that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Of a unit: its parts together may be larger than its head.
const LARGEST: u64 = 1 << 30;

/// What was read.
#[derive(Debug)]
pub(super) enum Reading {
    Whole {
        bytes: Vec<u8>,
        companions: Vec<Companion>,
    },
    /// Deleted by retention, by its source's settings, or by a person.
    Missing,
    /// Not what was converted.
    Damaged,
    Failed(io::Error),
}

/// Reads a file from where it lies now.
pub(super) async fn read(file: &Archived, unit: Unit) -> Reading {
    let (place, size, hash) = (file.place.clone(), file.size_bytes, file.sha256.clone());
    let reading = tokio::task::spawn_blocking(move || match unit {
        Unit::File => plain(&place, size, &hash),
        unit => whole_unit(&place, unit, &hash),
    });
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(reading)) => reading,
        Ok(Err(error)) => Reading::Failed(io::Error::other(error)),
        Err(_) => Reading::Failed(io::Error::other("its folder does not answer")),
    }
}

fn plain(place: &Path, size: u64, hash: &str) -> Reading {
    match super::zipped::read(place, size) {
        Ok(None) => {}
        Ok(Some(bytes)) if sha256(&bytes) == hash => return Reading::Whole { bytes, companions: Vec::new() },
        // A tester's own archive of that kind would have been named otherwise.
        Ok(Some(_)) => return Reading::Damaged,
        Err(error) => return failed(error),
    }
    let read = || {
        let file = system::open_plain(place)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.len() != size {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(size).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    match read() {
        Ok(Some(bytes)) if sha256(&bytes) == hash => Reading::Whole { bytes, companions: Vec::new() },
        Ok(_) => Reading::Damaged,
        Err(error) => failed(error),
    }
}

fn whole_unit(head: &Path, unit: Unit, hash: &str) -> Reading {
    match intake::read_unit(head, unit, LARGEST) {
        Ok(Content::Read { bytes, companions, sha256 }) if sha256 == hash => {
            Reading::Whole { bytes, companions }
        }
        Ok(_) => Reading::Damaged,
        Err(error) => failed(error),
    }
}

fn failed(error: io::Error) -> Reading {
    if error.kind() == io::ErrorKind::NotFound { Reading::Missing } else { Reading::Failed(error) }
}
