//! A converter's arguments: declared by it, set by a person, checked once.

use std::collections::BTreeMap;

/// One thing that a person can set about a converter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argument {
    /// As in the configuration: `defaultProcessCode`.
    pub name: &'static str,
    pub description: &'static str,
    pub default: &'static str,
    pub kind: ArgumentKind,
}

/// Which values an argument takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    /// Any text.
    Text,
    /// A process (operation) code: 1 to 32767.
    ProcessCode,
    /// One of these words; letter case does not matter.
    Choice(&'static [&'static str]),
    /// Yes or no: `true` or `false`.
    Flag,
    /// A whole number, from the first to the second, both included.
    Whole(i64, i64),
}

/// The arguments in force: every declared one has a valid value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments {
    /// In the order of their declaration: among so few a name is found fastest by going through them.
    values: Vec<(&'static str, String)>,
}

/// An argument that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    #[error("there is no argument {name:?}; known: {known}")]
    Unknown { name: String, known: String },
    #[error("argument {name:?} is {value:?}; expected {expected}")]
    Invalid { name: &'static str, value: String, expected: String },
}

impl ArgumentError {
    /// The argument that is wrong.
    pub fn argument(&self) -> &str {
        match self {
            Self::Unknown { name, .. } => name,
            Self::Invalid { name, .. } => name,
        }
    }
}

impl Arguments {
    /// Checks what a person has set against what a converter declares; the rest has its default.
    ///
    /// # Errors
    /// For a name that is not declared and a value that does not fit its kind.
    pub fn new(declared: &[Argument], given: &BTreeMap<String, String>) -> Result<Self, ArgumentError> {
        if let Some(name) = given.keys().find(|name| !declared.iter().any(|a| a.name == **name)) {
            let known: Vec<_> = declared.iter().map(|argument| argument.name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(ArgumentError::Unknown { name: name.clone(), known });
        }
        let mut values = Vec::with_capacity(declared.len());
        for argument in declared {
            let value = given.get(argument.name).map_or(argument.default, |value| value.trim());
            values.push((argument.name, argument.check(value)?));
        }
        Ok(Self { values })
    }

    /// Every argument at its default.
    pub fn defaults(declared: &[Argument]) -> Self {
        let values = declared.iter().map(|a| (a.name, a.default.to_owned())).collect();
        Self { values }
    }

    /// The value of an argument; empty for one that was not declared.
    pub fn text(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// The value of a [`ArgumentKind::Flag`] argument.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == "true"
    }

    /// The value of a [`ArgumentKind::Whole`] argument.
    pub fn whole(&self, name: &str) -> Option<i64> {
        self.text(name).parse().ok()
    }

    /// The value of a [`ArgumentKind::ProcessCode`] argument.
    pub fn process_code(&self, name: &str) -> Option<i16> {
        self.text(name).parse().ok()
    }
}

impl Argument {
    /// The value as it is used, if it fits the kind.
    fn check(&self, value: &str) -> Result<String, ArgumentError> {
        let invalid =
            |expected: String| ArgumentError::Invalid { name: self.name, value: value.to_owned(), expected };
        match self.kind {
            ArgumentKind::Text => Ok(value.to_owned()),
            ArgumentKind::ProcessCode => match value.parse::<i16>() {
                Ok(code) if code > 0 => Ok(code.to_string()),
                _ => Err(invalid("a process code from 1 to 32767".to_owned())),
            },
            ArgumentKind::Choice(words) => words
                .iter()
                .find(|word| word.eq_ignore_ascii_case(value))
                .map(|word| (*word).to_owned())
                .ok_or_else(|| invalid(format!("one of {}", words.join(", ")))),
            ArgumentKind::Flag => match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok("true".to_owned()),
                "false" | "no" | "off" | "0" => Ok("false".to_owned()),
                _ => Err(invalid("true or false".to_owned())),
            },
            ArgumentKind::Whole(least, most) => match value.parse::<i64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.to_string()),
                _ => Err(invalid(format!("a whole number from {least} to {most}"))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &[Argument] = &[
        Argument { name: "code", description: "", default: "10", kind: ArgumentKind::ProcessCode },
        Argument {
            name: "mode",
            description: "",
            default: "Active",
            kind: ArgumentKind::Choice(&["Active", "Import"]),
        },
        Argument { name: "flat", description: "", default: "false", kind: ArgumentKind::Flag },
        Argument { name: "panel", description: "", default: "1", kind: ArgumentKind::Whole(1, 64) },
    ];

    fn check(given: &[(&str, &str)], expected: &str) {
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let answer = match Arguments::new(DECLARED, &given) {
            Ok(arguments) => format!("{} {}", arguments.text("code"), arguments.text("mode")),
            Err(error) => error.to_string(),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn arguments_are_checked_against_their_declaration() {
        check(&[], "10 Active");
        check(&[("code", " 030 "), ("mode", "import")], "30 Import");
        check(&[("code", "0")], "argument \"code\" is \"0\"; expected a process code from 1 to 32767");
        check(&[("mode", "x")], "argument \"mode\" is \"x\"; expected one of Active, Import");
        check(&[("flat", "maybe")], "argument \"flat\" is \"maybe\"; expected true or false");
        check(&[("panel", "65")], "argument \"panel\" is \"65\"; expected a whole number from 1 to 64");
        check(&[("cod", "1")], "there is no argument \"cod\"; known: code, mode, flat, panel");
    }
}
