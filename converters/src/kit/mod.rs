//! What formats share.

pub(crate) mod archive;
pub(crate) mod build;
pub(crate) mod decimal;
pub(crate) mod header;
pub(crate) mod leftover;
pub(crate) mod lengths;
pub(crate) mod loops;
pub(crate) mod pattern;
pub(crate) mod points;
pub(crate) mod property;
pub(crate) mod records;
pub(crate) mod si;
pub(crate) mod stated;
pub(crate) mod tally;
pub(crate) mod teststand;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod tree;
pub(crate) mod units;
pub(crate) mod verdict;
pub(crate) mod xml;
