//! Converters: one tester's file format each, from bytes to WATS reports.
//!
//! Pure functions: a converter gets the file's bytes and everything else that it may know in an
//! [`Input`] and answers with a [`Conversion`] or a [`ConvertError`]. There are no files, no clock
//! and no network in this crate; whoever calls it has read the file and will store the reports.
//!
//! Start with [`Converter`]; [`catalogue`] lists them all. One file per format, and `kit` has what
//! formats share: text decoding, numbers, local times, limits, and the building of step trees.

mod argument;
mod catalogue;
mod converter;
mod error;
mod input;
mod keysight_testexec_sl;
mod kit;
mod klippel;
mod listen_soundcheck;
pub mod places;
mod seica_xml;
mod spea;
mod takaya;
mod teradyne_spectrum;
mod wats_json;
mod wats_text;
mod wats_xml;
mod xjtag;

pub use argument::{Argument, ArgumentError, ArgumentKind, Arguments};
pub use catalogue::{catalogue, choose, find};
pub use converter::{About, Conversion, Converter, Manual, Qualification, Unit};
pub use error::{ConvertError, ErrorKind, Place};
pub use input::{Companion, Input, Station};
