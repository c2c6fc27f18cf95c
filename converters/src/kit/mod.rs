//! What formats share.

pub(crate) mod archive;
pub(crate) mod build;
pub(crate) mod decimal;
pub(crate) mod header;
pub(crate) mod leftover;
pub(crate) mod lengths;
pub(crate) mod tally;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod tree;
pub(crate) mod xml;
