//! Which names in a folder are meant for us.

/// True for names that programs give to files they have not finished, and for hidden ones.
pub(super) fn is_temporary(name: &str) -> bool {
    let lower = name.to_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || [".tmp", ".part", ".partial", ".crdownload", ".filepart"].iter().any(|end| lower.ends_with(end))
}

/// True when one of the patterns fits; `*` is any text, `?` one character, letter case does not matter.
pub(super) fn fits(name: &str, patterns: &[String]) -> bool {
    let name: Vec<char> = name.to_lowercase().chars().collect();
    patterns.iter().any(|pattern| {
        let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
        fits_one(&name, &pattern)
    })
}

/// Goes back only to the last `*`, so that no pattern takes long.
fn fits_one(name: &[char], pattern: &[char]) -> bool {
    let (mut at, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, at));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(at) == Some(c) => {
                at += 1;
                p += 1;
            }
            _ => match &mut star {
                Some((star, taken)) => {
                    *taken += 1;
                    (p, at) = (*star + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_as_people_expect() {
        let fits = |name: &str, pattern: &str| fits(name, &[pattern.to_owned()]);
        for (name, pattern) in
            [("a.json", "*.json"), ("A.JSON", "*.json"), ("a", "*"), ("ab12.x", "a?1*.x"), ("aXbXc", "a*b*c")]
        {
            assert!(fits(name, pattern), "{name} {pattern}");
        }
        for (name, pattern) in [("a.json.bak", "*.json"), ("", "?"), ("ab", "a"), ("abd", "a*c")] {
            assert!(!fits(name, pattern), "{name} {pattern}");
        }
    }

    #[test]
    fn unfinished_and_hidden_names_are_not_ours() {
        for name in [".a.json", "a.json.tmp", "a.PART", "~$a.json", ".wats-draft-x"] {
            assert!(is_temporary(name), "{name}");
        }
        assert!(!is_temporary("a.json"));
    }
}
