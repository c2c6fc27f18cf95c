//! What the reader of the schema says, in the words of a person who writes the file.

/// Names the nearest key for an unknown one, and kinds of values as people call them.
pub(super) fn of_schema(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (unknown, known) = quoted(rest);
        let nearest = nearest(unknown, &known).map(|it| format!("did you mean {it:?}? "));
        return format!("unknown key; {}known here: {}", nearest.unwrap_or_default(), known.join(", "));
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        let (unknown, known) = quoted(rest);
        return format!("{unknown:?} is none of: {}", known.join(", "));
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        return format!("the key {} is missing", rest.replace('`', "\""));
    }
    let mut words = message.to_owned();
    for (kind, name) in [
        ("expected u32", "expected a whole number"),
        ("expected u64", "expected a whole number"),
        ("expected a boolean", "expected true or false"),
        ("expected a string", "expected a text in quotes"),
        ("expected a sequence", "expected a list in []"),
        ("expected path string", "expected a path in quotes"),
    ] {
        words = words.replace(kind, name);
    }
    words
}

/// The words in backquotes: the first one, and the others.
fn quoted(text: &str) -> (&str, Vec<&str>) {
    let mut words = text.split('`').skip(1).step_by(2);
    (words.next().unwrap_or_default(), words.collect())
}

/// The known key that is most alike; `None` when none is.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let distance = |it: &str| strsim::damerau_levenshtein(&plain(unknown), &plain(it));
    let best = known.iter().copied().min_by_key(|it| distance(it))?;
    let longest = unknown.chars().count().max(best.chars().count());
    let part = || known.iter().copied().find(|it| unknown.len() > 2 && it.contains(&plain(unknown)));
    (distance(best) * 3 <= longest + 1).then_some(best).or_else(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_told_the_nearest_one() {
        for (unknown, nearest) in [
            ("urll", Some("url")),
            ("Proxy", Some("proxy")),
            ("extra-ca", Some("extra_ca")),
            ("prxoy", Some("proxy")),
            ("ca", None),
            ("bypass", Some("proxy_bypass")),
            ("token", None),
        ] {
            let known = ["url", "proxy", "proxy_bypass", "extra_ca"];
            assert_eq!(super::nearest(unknown, &known), nearest, "{unknown}");
        }
        assert_eq!(of_schema("unknown field `a`, there are no fields"), "unknown key; known here: ");
    }
}
