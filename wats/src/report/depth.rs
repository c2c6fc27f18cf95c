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
pub(super) fn below<T, E: de::Error>(read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let left = LEFT.get();
    let next = left.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
    LEFT.set(next);
    let answer = read();
    LEFT.set(left);
    answer
}

/// The same for a member.
pub(super) fn member<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    below(|| T::deserialize(from))
}
