//! The report model: one run of one process on one unit, as WSJF names it.
//!
//! Every object keeps members that the model does not know in `extra`, so that a report can pass
//! through without losing or inventing anything. Texts that the format leaves open (step types,
//! comparison operators) stay texts.

#![warn(missing_docs)]

mod header;
mod scalar;
mod step;

pub use header::{
    AdditionalData, Asset, AssetStats, BinaryData, Failure, IndexedProperty, MiscInfo, Property,
    PropertyArray, RefUur, Report, ReportType, SubUnit, Uur, Uut,
};
pub use scalar::{Double, Status, Time};
pub use step::{
    Attachment, BooleanMeas, CallExe, Chart, Group, Loop, MessagePopup, NumericMeas, SequenceCall, Series,
    Step, StringMeas,
};

/// Members that the model does not know, in the order in which they came.
pub type Extra = serde_json::Map<String, serde_json::Value>;
