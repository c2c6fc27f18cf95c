//! What the usual regular expressions of the arguments find, without them.

use crate::kit::pattern::Usual;

/// The line of a program, and its path.
pub(super) const PROGRAM: Usual =
    Usual { pattern: r"(?i)^(?P<Program>(?:[a-z]:|[\\/]).*\.obc)\[", mark: "[", find: program };

/// The part number in the name of a program.
pub(super) const PART_NUMBER: Usual =
    Usual { pattern: "^(?P<PartNumber>[^_]+)", mark: "", find: part_number };

/// The position on a panel.
pub(super) const SOCKET: Usual =
    Usual { pattern: "TOP_OF_LOOP-(?P<Socket>[A-H])", mark: "TOP_OF_LOOP-", find: socket };

fn program(line: &str) -> Option<&str> {
    let is_path = matches!(line.as_bytes(), [b'\\' | b'/', ..] | [b'a'..=b'z' | b'A'..=b'Z', b':', ..]);
    let is_program = |path: &&str| {
        path.as_bytes().last_chunk().is_some_and(|ending: &[u8; 4]| ending.eq_ignore_ascii_case(b".obc"))
    };
    let mut before = line.rmatch_indices('[').filter_map(|(at, _)| line.get(..at));
    if is_path { before.find(is_program) } else { None }
}

fn part_number(name: &str) -> Option<&str> {
    name.split('_').next().filter(|part| !part.is_empty())
}

fn socket(line: &str) -> Option<&str> {
    let mut behind = line.match_indices(SOCKET.mark).filter_map(|(at, mark)| line.get(at + mark.len()..));
    behind.find_map(|rest| rest.get(..1).filter(|letter| ("A"..="H").contains(letter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_found_as_by_the_expressions() {
        for usual in [PROGRAM, PART_NUMBER, SOCKET] {
            let expression = regex::Regex::new(usual.pattern).unwrap();
            for text in [
                r"M:\ICT\W005506\W005506_Merged.obc[14-SEP-20  12:01:45",
                r"\\server\a.OBC[b.obc[c",
                "/a/b.obc[",
                "/.obc[",
                "x:.obc[",
                "c:a.obc",
                "1:a.obc[",
                "a.obc[",
                ".obc[",
                "c:[µ.obc[",
                "_a",
                "µ_a",
                "",
                "TOP_OF_LOOP-A",
                "(TOP_OF_LOOP-I TOP_OF_LOOP-H)",
                "TOP_OF_LOOP-",
                "TOP_OF_LOOP-µ",
            ] {
                let groups = expression.captures(text);
                let found = groups.as_ref().and_then(|groups| groups.get(1)).map(|group| group.as_str());
                assert_eq!((usual.find)(text), found, "{text:?} {}", usual.pattern);
                assert!(found.is_none() || text.contains(usual.mark), "{text:?} {}", usual.pattern);
            }
        }
    }
}
