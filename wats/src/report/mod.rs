//! The report model: one run of one process on one unit, as WSJF names it.
//!
//! Every object keeps members that the model does not know in `extra`, so that a report can pass
//! through without losing or inventing anything. Texts that the format leaves open (step types,
//! comparison operators) stay texts.

#![warn(missing_docs)]

mod header;
mod scalar;
mod step;

use std::cell::Cell;

use serde::{Deserialize, Deserializer};

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

thread_local! {
    /// Whether a report that was read on this thread had a member that the model does not know.
    static STRAYS: Cell<bool> = const { Cell::new(false) };
}

/// To be called before a report is read, if [`saw_strays`] is asked afterwards.
pub(crate) fn forget_strays() {
    STRAYS.set(false);
}

/// True when any member, at any depth, of the report that was read last is unknown to the model.
pub(crate) fn saw_strays() -> bool {
    STRAYS.get()
}

/// Reads the unknown members of one object. Which object has some is seen here, and nowhere else without a walk
/// through the whole report.
fn extra<'de, D: Deserializer<'de>>(from: D) -> Result<Extra, D::Error> {
    let extra = Extra::deserialize(from)?;
    if !extra.is_empty() {
        STRAYS.set(true);
    }
    Ok(extra)
}
