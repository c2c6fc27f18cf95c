//! From a file's bytes to reports, in a worker process behind a pool.

mod by_plugin;
pub(crate) mod frame;
mod job;
mod pool;
mod queue;
pub mod worker;

pub use job::{Answer, Job, Rival, convert};
pub(crate) use job::{Ended, convert_each, ready};
pub use pool::{Command, ConvertFailure, Limits, Order, Pool};
pub use queue::Turn;
