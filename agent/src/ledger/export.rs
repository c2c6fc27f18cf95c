//! Records as CSV or JSON.

use std::io::{self, Write};

use super::Record;
use crate::control::api::LedgerFormat;

/// Adds one record to an export; before the first in CSV stand the names of the columns.
///
/// # Errors
/// Those of `out`.
pub fn write(format: LedgerFormat, is_first: bool, record: &Record, out: &mut impl Write) -> io::Result<()> {
    match format {
        LedgerFormat::Json => {
            serde_json::to_writer(&mut *out, record)?;
            out.write_all(b"\n")
        }
        LedgerFormat::Csv => {
            let mut table = csv::WriterBuilder::new().has_headers(is_first).from_writer(out);
            table.serialize(record).map_err(io::Error::other)?;
            table.flush()
        }
    }
}
