//! The report model: one run of one process on one unit, as WSJF names it.
//!
//! Every object keeps members that the model does not know in `extra`, so that a report can pass
//! through without losing or inventing anything. Texts that the format leaves open (step types,
//! comparison operators) stay texts.

#![warn(missing_docs)]

mod depth;
mod extra;
mod header;
mod rare;
mod read_step;
mod scalar;
mod step;

pub(crate) use depth::at_most;
pub use extra::Extra;
pub(crate) use extra::{forget_misspelt, saw_misspelt};
pub use header::{
    AdditionalData, Asset, AssetStats, BinaryData, Failure, IndexedProperty, MiscInfo, Property,
    PropertyArray, RefUur, Report, ReportType, SubUnit, Uur, Uut,
};
pub use rare::{Rare, RareMembers};
pub use scalar::{Double, Status, Time};
pub use step::{
    Attachment, BooleanMeas, CallExe, Chart, Formats, Group, Loop, MessagePopup, NumericMeas, SequenceCall,
    Series, Step, StringMeas,
};

/// A text of the report of which there are very many, most of them short: up to 24 bytes stand in place.
pub type Text = compact_str::CompactString;

/// A list that most steps do not have: an empty one takes up the room of a pointer.
pub type List<T> = thin_vec::ThinVec<T>;
