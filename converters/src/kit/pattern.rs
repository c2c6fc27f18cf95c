//! Regular expressions that a person sets as arguments.

use regex::Regex;

use crate::{Arguments, ConvertError, ErrorKind};

/// The expression of an argument; `group` is what it should find as a named group.
///
/// # Errors
/// For what is no regular expression.
pub(crate) fn of(arguments: &Arguments, name: &str, group: &str) -> Result<Regex, ConvertError> {
    let pattern = arguments.text(name);
    Regex::new(pattern).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        ConvertError::new(ErrorKind::Missing, format!("the argument {name} is \"{pattern}\": {reason}"))
            .expected(format!("a regular expression with a group {group}"))
    })
}

/// What the named group finds in a text, or the whole expression where there is no such group.
pub(crate) fn find<'a>(pattern: &Regex, group: &str, text: &'a str) -> Option<&'a str> {
    // Telling that there is nothing is much faster than looking for groups.
    let found = pattern.is_match(text).then(|| pattern.captures(text))??;
    let part = found.name(group).or_else(|| found.get(0))?.as_str();
    (!part.is_empty()).then_some(part)
}
