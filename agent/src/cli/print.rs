//! What a command answers, on standard output.

use std::io::{self, Write};

use anyhow::Context;
use serde::Serialize;

/// Shows the value as JSON, or in words.
pub(super) fn show<T: Serialize>(
    json: bool,
    value: &T,
    words: impl FnOnce(&T) -> String,
) -> anyhow::Result<()> {
    if json { print_json(value) } else { print(&words(value)) }
}

pub(super) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value).context("writing JSON")?;
    print(&(text + "\n"))
}

/// Writes to standard output; a reader that has seen enough is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("writing the answer"),
        _ => Ok(()),
    }
}
