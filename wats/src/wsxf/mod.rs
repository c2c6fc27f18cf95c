//! WSXF, the XML form of a report.
//!
//! Absent attributes and empty ones are the same to the model, as in the server's own exports. What has no place
//! in the model (`StepIndex`, `module_time`, `Filename`, orders of measurements, `PropertyLoader`, `ReportInfo`,
//! empty attributes, anything unknown) is kept in `extra` under names that no JSON report has (`element` tells
//! which), so that a document that was read is written with nothing lost and nothing invented. Comments and the
//! attributes of the `Reports` element are not kept.

mod element;
mod read;
mod read_steps;
mod write;
mod write_steps;
mod xml;

pub use read::{read, read_all};
pub use write::{write, write_all};

/// The namespace of the format.
pub const NAMESPACE: &str = "http://wats.virinco.com/schemas/WATS/Report/wsxf";

/// Why a document is no report.
#[derive(Debug, thiserror::Error)]
pub enum WsxfError {
    #[error("the document is not text in UTF-8 (byte {at} is not)")]
    Encoding { at: usize },
    #[error("the document is no well-formed XML: {reason} (line {line}, column {column})")]
    Syntax { line: u32, column: u32, reason: String },
    #[error("the document holds {found} reports; the server takes one at a time")]
    NotOne { found: usize },
    #[error("{path}: {reason}")]
    Content { path: String, reason: String },
    #[error("elements are nested more than {} deep", read::MAX_DEPTH)]
    TooDeep,
}
