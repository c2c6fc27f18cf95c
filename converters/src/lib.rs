//! Converters: one tester's file format each, from bytes to WATS reports.
//!
//! Pure functions: a converter gets the file's bytes and everything else that it may know in an
//! [`Input`] and answers with a [`Conversion`] or a [`ConvertError`]. There are no files, no clock
//! and no network in this crate; whoever calls it has read the file and will store the reports.
//!
//! Start with [`Converter`]; [`catalogue`] lists them all. One file per format, and `kit` has what
//! formats share: text decoding, numbers, local times, limits, and the building of step trees.

mod argument;
mod atml;
mod auto;
mod catalogue;
mod converter;
mod error;
mod example_csv;
mod input;
mod keysight_i3070;
mod keysight_testexec_sl;
mod kit;
mod klippel;
mod listen_soundcheck;
pub mod places;
mod recognise;
mod saki_xml;
mod seica_xml;
mod sigmaquest_xml;
mod spea;
mod stdf;
mod stepwize;
mod takaya;
mod teradyne_ict;
mod teradyne_nano51e;
mod teradyne_spectrum;
mod teststand_xml;
mod wats_json;
mod wats_text;
mod wats_xml;
mod xjtag;

pub use argument::{Argument, ArgumentError, ArgumentKind, Arguments};
pub use catalogue::{catalogue, find, selectable};
pub use converter::{About, Conversion, Converter, Manual, Qualification, Unit};
pub use error::{ConvertError, ErrorKind, Place};
pub use input::{Companion, Input, Station};
pub use recognise::{Candidate, Recognition, choose, recognise};
