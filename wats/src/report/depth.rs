//! How deep reports may be nested that are read in one go, which needs much of the stack for each level.

use std::cell::Cell;

use serde::{Deserialize, Deserializer, de};

thread_local! {
    /// How many levels may still be read.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Lets `read` go through at most so many levels of steps or properties.
pub(crate) fn at_most<T>(levels: usize, read: impl FnOnce() -> T) -> T {
    let before = LEFT.replace(levels);
    let answer = read();
    LEFT.set(before);
    answer
}

/// Reads what is one level further down.
pub(super) fn below<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    let left = LEFT.get();
    let next = left.checked_sub(1).ok_or_else(|| de::Error::custom("nested too deep"))?;
    LEFT.set(next);
    let answer = T::deserialize(from);
    LEFT.set(left);
    answer
}
