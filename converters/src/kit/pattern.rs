//! Regular expressions that a person sets as arguments.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use memchr::memmem;
use regex::Regex;

use crate::{Arguments, ConvertError, ErrorKind};

/// What is looked for.
pub(crate) enum Pattern {
    Usual(Usual),
    /// What a person has set, and what it should find as a named group.
    Set(Arc<Regex>, &'static str),
}

/// What finds the same as the usual expression of an argument, in a fraction of the time.
pub(crate) struct Usual {
    pub(crate) pattern: &'static str,
    /// Where it finds something, this stands.
    pub(crate) mark: &'static str,
    pub(crate) find: fn(&str) -> Option<&str>,
}

impl Pattern {
    /// False when it finds nothing in any part of a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Usual(usual) => memmem::find(text.as_bytes(), usual.mark.as_bytes()).is_some(),
            Self::Set(..) => true,
        }
    }

    /// What the named group finds in a text, or the whole expression where there is no such group.
    pub(crate) fn find<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (expression, group) = match self {
            Self::Usual(usual) => return (usual.find)(text),
            Self::Set(expression, group) => (expression, group),
        };
        // To tell that there is nothing takes less time than to look for groups.
        let found = expression.is_match(text).then(|| expression.captures(text))??;
        let part = found.name(group).or_else(|| found.get(0))?.as_str();
        (!part.is_empty()).then_some(part)
    }
}

/// The expression of an argument; `group` is what it should find as a named group.
///
/// # Errors
/// For what is no regular expression.
pub(crate) fn of(
    arguments: &Arguments,
    name: &str,
    group: &'static str,
    usual: Option<Usual>,
) -> Result<Pattern, ConvertError> {
    let pattern = arguments.text(name);
    if let Some(usual) = usual.filter(|usual| usual.pattern == pattern) {
        return Ok(Pattern::Usual(usual));
    }
    let expression = compiled(pattern).map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim();
        ConvertError::new(ErrorKind::Missing, format!("the argument {name} is \"{pattern}\": {reason}"))
            .expected(format!("a regular expression with a group {group}"))
    })?;
    Ok(Pattern::Set(expression, group))
}

/// The expression, compiled once for all files: compiling takes longer than a small file does, and a copy would have to
/// build anew what a search builds up.
fn compiled(pattern: &str) -> Result<Arc<Regex>, regex::Error> {
    static KNOWN: LazyLock<RwLock<HashMap<String, Arc<Regex>>>> = LazyLock::new(RwLock::default);
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return Ok(Arc::clone(known));
    }
    let regex = Arc::new(Regex::new(pattern)?);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    // Settings change seldom; what was known is not needed for ever.
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(pattern.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

/// As many compiled expressions are kept.
const MOST_KNOWN: usize = 100;
