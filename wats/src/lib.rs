//! The WATS world as a library: reports, their two formats, the server's rules, and its API.
//!
//! - [`report`] is the model of a test (UUT) and a repair (UUR) report.
//! - [`wsjf`] reads and writes its JSON form, which is what the server takes.
//! - [`wsxf`] reads and writes its XML form.
//! - [`validate`] knows the server's rules and answers in the server's own words.
//! - [`client`] talks to the server.
//!
//! There are no files, no database and no policy in here: what to do with a refused report is the
//! agent's business.

pub mod client;
pub mod report;
pub mod validate;
pub mod wsjf;
pub mod wsxf;

pub use report::Report;
