//! Reads the source of a Python plug-in before it runs, and says what it imports and calls that a person should know of.
//!
//! It informs the person who enables a plug-in; the sandbox is what protects. Source can hide what it does: a name that
//! is put together while the program runs (`getattr(os, "sys" + "tem")`), a module reached through another one's
//! attributes, code in a data file. Such ways are named where they can be seen, and followed nowhere.

mod rules;
mod walk;

use serde::{Deserialize, Serialize};

pub use rules::Reach;

/// A larger file is not read: no converter is that long.
pub const MAX_SOURCE: usize = 512 * 1024;

/// A source may nest so deep that taking its tree apart needs this much of a stack.
const STACK: usize = 256 * 1024 * 1024;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Usual in a converter, and harmless in the sandbox.
    Note,
    /// Reaches for something that the sandbox refuses or limits: the converter may fail there.
    Warning,
    /// Reaches for what a converter has no use for, or hides what it does.
    Danger,
}

/// One place in the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub severity: Severity,
    pub reach: Reach,
    /// What stands there, with its full name: `import subprocess`, `os.system(…)`.
    pub what: String,
    /// What that means for whoever enables the plug-in.
    pub meaning: String,
    /// The documented rules of the pyWATS client refuse the file for this.
    pub blocked_by_client: bool,
}

/// Why a source could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// From 1; 0 where it is about the whole file.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub words: String,
    /// The text of the line.
    pub excerpt: String,
}

/// What was found in a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// In the order of the source.
    pub findings: Vec<Finding>,
    /// Set where the source is no Python 3: then there are no findings.
    pub unreadable: Option<Unreadable>,
}

impl Reading {
    /// The highest severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Reads the source of one file.
pub fn read(source: &[u8]) -> Reading {
    let text = match decode(source) {
        Ok(text) => text,
        Err(unreadable) => return Reading { findings: Vec::new(), unreadable: Some(unreadable) },
    };
    // The tree of a hostile source is as deep as the source is long, and it is taken apart by recursion.
    let reading = std::thread::Builder::new()
        .name("reading".to_owned())
        .stack_size(STACK)
        .spawn(move || walk::read(&text))
        .map(std::thread::JoinHandle::join);
    match reading {
        Ok(Ok(reading)) => reading,
        Ok(Err(_)) | Err(_) => whole("the source cannot be analysed on this machine"),
    }
}

fn whole(words: &str) -> Reading {
    let unreadable = Unreadable { line: 0, column: 0, words: words.to_owned(), excerpt: String::new() };
    Reading { findings: Vec::new(), unreadable: Some(unreadable) }
}

/// The text of a source, in UTF-8 or in the single-byte encoding that its first lines name.
fn decode(source: &[u8]) -> Result<String, Unreadable> {
    let wrong =
        |line, words: &str| Unreadable { line, column: 1, words: words.to_owned(), excerpt: String::new() };
    if source.len() > MAX_SOURCE {
        return Err(wrong(0, &format!("the file is longer than {} KB and was not read", MAX_SOURCE / 1024)));
    }
    let source = source.strip_prefix(b"\xef\xbb\xbf").unwrap_or(source);
    if source.contains(&0) {
        return Err(wrong(1, "the file holds zero bytes: it is no Python source"));
    }
    match std::str::from_utf8(source) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let mut first = source.split(|byte| *byte == b'\n').take(2);
            let single = ["latin-1", "latin1", "iso-8859-1", "iso8859-1", "cp1252", "windows-1252"];
            let named = first.any(|line| {
                let line = String::from_utf8_lossy(line).to_lowercase();
                line.starts_with('#')
                    && line.contains("coding")
                    && single.iter().any(|name| line.contains(name))
            });
            if named {
                // What differs between these encodings stands in texts and comments only.
                return Ok(source.iter().map(|byte| char::from(*byte)).collect());
            }
            let before = source.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            Err(wrong(
                line,
                "the file is not text in UTF-8: save it as UTF-8, or name its encoding in the first line",
            ))
        }
    }
}

#[cfg(test)]
mod tests;
