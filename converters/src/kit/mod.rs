//! What formats share.
