//! Why a file could not be converted, in words for a test engineer.

use std::fmt;

/// A refused file: what is wrong, where, what was expected, and what can be done about it.
///
/// Its text is one line: `line 12, column 4: "abc" is no number; expected a decimal number. Help.`
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConvertError {
    pub kind: ErrorKind,
    /// What is wrong, without a full stop.
    pub problem: String,
    pub place: Option<Place>,
    /// What would have been right.
    pub expected: Option<String>,
    /// A sentence: what the reader can do.
    pub help: Option<String>,
}

/// What sort of trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The file is another format: binary, or without the marks of this one.
    WrongFormat,
    /// The file ends in the middle of something: its writer may not be done yet.
    NotYet,
    /// The format is right, its content is damaged.
    Malformed,
    /// Something is missing that neither the station's settings nor an argument can replace.
    Missing,
    /// Larger or more deeply nested than any genuine file.
    TooLarge,
}

/// Where in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Both count from 1.
    Line { line: usize, column: Option<usize> },
    /// A byte of a binary file, from 0, and its record, from 1.
    Record { record: usize, offset: u64 },
    /// A JSON or XML path, such as `root.steps[2].status` or `/Reports/Report[1]/@Start`.
    Path(String),
}

impl ConvertError {
    pub fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        Self { kind, problem: problem.into(), place: None, expected: None, help: None }
    }

    #[must_use]
    pub fn at_line(mut self, line: usize, column: Option<usize>) -> Self {
        self.place = Some(Place::Line { line, column });
        self
    }

    #[must_use]
    pub fn at_record(mut self, record: usize, offset: u64) -> Self {
        self.place = Some(Place::Record { record, offset });
        self
    }

    #[must_use]
    pub fn at_path(mut self, path: impl Into<String>) -> Self {
        self.place = Some(Place::Path(path.into()));
        self
    }

    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if let Some(place) = &self.place {
            text.push_str(&format!("{place}: "));
        }
        text.push_str(&self.problem);
        if let Some(expected) = &self.expected {
            text.push_str(&format!("; expected {expected}"));
        }
        if let Some(help) = &self.help {
            text.push_str(&format!(". {help}"));
        }
        // Texts from the file may hold anything; the message stays one line.
        for c in text.chars() {
            if c.is_control() { write!(f, " ")? } else { write!(f, "{c}")? }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column: Some(column) } => write!(f, "line {line}, column {column}"),
            Self::Line { line, column: None } => write!(f, "line {line}"),
            Self::Record { record, offset } => write!(f, "record {record} at byte {offset}"),
            Self::Path(path) => write!(f, "{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn an_error_is_one_line_with_place_expectation_and_help() {
        let error = ConvertError::new(ErrorKind::Malformed, "\"a\nb\" is no number")
            .at_line(12, Some(4))
            .expected("a decimal number")
            .help("Correct the value and drop the file again.");
        expect![[r#"line 12, column 4: "a b" is no number; expected a decimal number. Correct the value and drop the file again."#]]
            .assert_eq(&error.to_string());
    }
}
