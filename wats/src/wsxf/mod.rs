//! WSXF, the XML form of a report.
//!
//! Absent attributes and empty ones are the same, as in the server's own exports. What has no place in the model
//! (`StepIndex`, `module_time`, `Filename`, orders of measurements, `PropertyLoader`, `ReportInfo`) is not kept.

mod read;
mod write;

pub use read::read;
pub use write::write;

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
