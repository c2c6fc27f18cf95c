//! A command line as programs on Windows take it apart, which get it as one text.

use std::ffi::{OsStr, OsString};

/// The program and its arguments, quoted.
pub(super) fn of(program: &OsStr, arguments: &[OsString]) -> OsString {
    let mut line = OsString::new();
    for part in std::iter::once(program).chain(arguments.iter().map(OsString::as_os_str)) {
        if !line.is_empty() {
            line.push(" ");
        }
        line.push(quoted(&part.to_string_lossy()));
    }
    line
}

/// In quotes where that is needed; a quote, and the backslashes before one, get a backslash each.
fn quoted(part: &str) -> String {
    if !part.is_empty() && !part.contains([' ', '\t', '\n', '"']) {
        return part.to_owned();
    }
    let mut text = String::from("\"");
    let mut backslashes = 0;
    for letter in part.chars() {
        match letter {
            '\\' => backslashes += 1,
            '"' => {
                text.extend(std::iter::repeat_n('\\', 2 * backslashes + 1));
                backslashes = 0;
            }
            _ => {
                text.extend(std::iter::repeat_n('\\', backslashes));
                backslashes = 0;
            }
        }
        if letter != '\\' {
            text.push(letter);
        }
    }
    text.extend(std::iter::repeat_n('\\', 2 * backslashes));
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_arrives_as_it_was() {
        for (part, text) in [
            ("plain", "plain"),
            (r"C:\a\b", r"C:\a\b"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            (r#"say "it""#, r#""say \"it\"""#),
            (r"C:\a b\", r#""C:\a b\\""#),
            (r#"\\"x y"#, r#""\\\\\"x y""#),
        ] {
            assert_eq!(quoted(part), text);
        }
        let arguments = ["-I".into(), r"C:\my files\x.py".into()];
        assert_eq!(of(r"C:\py thon.exe".as_ref(), &arguments), r#""C:\py thon.exe" -I "C:\my files\x.py""#);
    }
}
