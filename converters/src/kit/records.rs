//! Records in braces, as in-circuit testers log them: `{@NAME|field|field{@CHILD|field}}`.
//!
//! A field ends at the next special character or line end. `~n|` begins one of exactly n characters, whatever they are,
//! and `\n|` a list; a backslash without a number is part of a path. Ctrl-D stands where the tester was cut off; what
//! comes before it and after it is valid.

use crate::{ConvertError, ErrorKind};

/// Records may nest this deep; far more than any genuine file needs.
const MAX_DEPTH: usize = 100;
const CUT: char = '\u{4}';

/// True for a sign that ends a field.
fn is_special(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'|' | b'~' | b'\\' | b'\n' | 4)
}

/// True for a text that begins with a list: a backslash and a number. One of no items may have another behind it.
fn is_list(text: &str) -> bool {
    /// No record has as many lists one behind the other.
    const MOST: usize = 8;
    let mut rest = text;
    for _ in 0..MOST {
        let Some(counted) = rest.strip_prefix('\\') else { return false };
        rest = counted.trim_start_matches(|c: char| c.is_ascii_digit());
        if rest.len() == counted.len() {
            return false;
        }
        match rest.bytes().next() {
            Some(b'\\') => {}
            Some(next) => return next == b'\r' || is_special(next),
            None => return true,
        }
    }
    true
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Record<'a> {
    /// With its `@`.
    pub(crate) name: &'a str,
    /// Where it begins, from 1.
    pub(crate) line: usize,
    pub(crate) fields: Vec<&'a str>,
    pub(crate) lists: Vec<Vec<&'a str>>,
    pub(crate) children: Vec<Record<'a>>,
    /// Where the tester was cut off in it.
    pub(crate) cut: Option<usize>,
    /// False when the file ends before its closing brace.
    pub(crate) complete: bool,
}

impl<'a> Record<'a> {
    /// A field without the blanks around it; empty when it is missing.
    pub(crate) fn field(&self, index: usize) -> &'a str {
        self.fields.get(index).map_or("", |field| field.trim())
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// All that it holds in one line, for a person.
    pub(crate) fn shown(&self) -> String {
        let mut text = self.name.trim_start_matches('@').to_owned();
        for field in self.fields.iter().map(|field| field.trim()).filter(|field| !field.is_empty()) {
            text.push(' ');
            text.push_str(field);
        }
        for list in &self.lists {
            text.push_str(&format!(" [{}]", list.join(", ")));
        }
        for child in &self.children {
            text.push_str(&format!(" ({})", child.shown()));
        }
        text
    }
}

/// The records of a file, and what stands between them.
#[derive(Debug, Default)]
pub(crate) struct Parsed<'a> {
    pub(crate) records: Vec<Record<'a>>,
    /// Texts and braces that belong to no record, and the line of the first.
    pub(crate) stray: usize,
    pub(crate) first_stray: Option<usize>,
    /// The line where the record begins in which the file ends.
    pub(crate) open: Option<usize>,
}

/// Which records may hold one of that name; `None` when any may.
fn holders(name: &str) -> Option<&'static [&'static str]> {
    match name.to_ascii_uppercase().as_str() {
        "@BATCH" => Some(&[]),
        "@BTEST" => Some(&["@BATCH"]),
        "@BLOCK" => Some(&["@BATCH", "@BTEST"]),
        _ => None,
    }
}

/// Reads all records.
///
/// # Errors
/// When they are nested deeper than in any genuine file.
pub(crate) fn parse(text: &str) -> Result<Parsed<'_>, ConvertError> {
    let mut reader =
        Reader { text, at: 0, line: 1, stack: Vec::new(), parsed: Parsed::default(), cut: false };
    while let Some(next) = reader.rest().chars().next() {
        reader.next(next)?;
    }
    let cut = reader.cut;
    reader.parsed.open = reader.stack.last().filter(|_| !cut).map(|record| record.line);
    while reader.close(cut) {}
    Ok(reader.parsed)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    stack: Vec<Record<'a>>,
    parsed: Parsed<'a>,
    /// True from a Ctrl-D up to the next record.
    cut: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_default();
        self.line += taken.bytes().filter(|byte| *byte == b'\n').count();
        self.at += length;
        taken
    }

    /// Up to the next special character.
    fn word(&mut self) -> &'a str {
        let mut length = 0;
        loop {
            let rest = self.rest().get(length..).unwrap_or_default();
            length += rest.bytes().position(is_special).unwrap_or(rest.len());
            let next = self.rest().get(length..).unwrap_or_default();
            if !next.starts_with('\\') || is_list(next) {
                return self.take(length);
            }
            length += 1;
        }
    }

    fn next(&mut self, next: char) -> Result<(), ConvertError> {
        let line = self.line;
        match next {
            '{' => {
                self.take(1);
                let name = self.word().trim();
                self.open(name, line)?;
            }
            '}' => {
                self.take(1);
                if !self.close(true) {
                    self.stray(line);
                }
            }
            '|' => {
                self.take(1);
                let field = self.word();
                self.field(field, line);
            }
            '~' => match self.literal() {
                Some(field) => self.field(field, line),
                None => self.text(line),
            },
            '\\' if is_list(self.rest()) => {
                self.take(1);
                self.word();
                match self.stack.last_mut() {
                    Some(record) => record.lists.push(Vec::new()),
                    None => self.stray(line),
                }
            }
            CUT => {
                self.take(1);
                if let Some(record) = self.stack.last_mut() {
                    record.cut = Some(line);
                    self.close(true);
                }
                self.cut = true;
            }
            blank if blank.is_whitespace() => {
                self.take(blank.len_utf8());
            }
            _ => self.text(line),
        }
        Ok(())
    }

    fn open(&mut self, name: &'a str, line: usize) -> Result<(), ConvertError> {
        if let Some(holders) = holders(name) {
            // A closing brace is missing where the tester was cut off.
            while self.stack.last().is_some_and(|top| !holders.iter().any(|holder| top.is(holder))) {
                self.close(true);
            }
        }
        if self.stack.len() >= MAX_DEPTH {
            let problem = format!("records are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_line(line, None));
        }
        self.cut = false;
        self.stack.push(Record { name, line, ..Record::default() });
        Ok(())
    }

    /// Ends the innermost record; false when there is none.
    fn close(&mut self, complete: bool) -> bool {
        let Some(mut record) = self.stack.pop() else { return false };
        record.complete = complete;
        match self.stack.last_mut() {
            Some(parent) => parent.children.push(record),
            None => self.parsed.records.push(record),
        }
        true
    }

    fn field(&mut self, field: &'a str, line: usize) {
        match self.stack.last_mut() {
            Some(record) => match record.lists.last_mut() {
                Some(list) => list.push(field.trim()),
                None => record.fields.push(field),
            },
            None => self.stray(line),
        }
    }

    /// Reads `~n|` and the n characters behind it.
    fn literal(&mut self) -> Option<&'a str> {
        let rest = self.rest().strip_prefix('~')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, rest) = rest.split_at_checked(digits)?;
        let rest = rest.strip_prefix('|')?;
        let count: usize = count.parse().ok()?;
        let length = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
        let begin = self.rest().len() - rest.len();
        self.take(begin);
        Some(self.take(length))
    }

    fn text(&mut self, line: usize) {
        let first = self.rest().chars().next().map_or(0, char::len_utf8);
        self.take(first);
        self.word();
        self.stray(line);
    }

    fn stray(&mut self, line: usize) {
        self.parsed.stray += 1;
        self.parsed.first_stray.get_or_insert(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let parsed = parse(text).unwrap();
        let all: Vec<String> = parsed.records.iter().map(Record::shown).collect();
        format!("{} stray={} open={:?}", all.join("; "), parsed.stray, parsed.open)
    }

    #[test]
    fn records_hold_fields_lists_and_records() {
        for (text, expected) in [
            ("{@A|1| b {@B|2}\n}\n{@C}", "A 1 b (B 2); C stray=0 open=None"),
            ("{@RPT~5|a}|b\n}", "RPT a}|b stray=0 open=None"),
            ("{@DPIN|u7\\2|n1|101|n2|102\\1|u8}", "DPIN u7 [n1, 101, n2, 102] [u8] stray=0 open=None"),
            (
                "{@A|C:\\pn\\a.tpn|\\\\srv\\2024\\b|c\\0\\1|u8}",
                "A C:\\pn\\a.tpn \\\\srv\\2024\\b c [] [u8] stray=0 open=None",
            ),
            ("note\n{@A||x}}", "A x stray=2 open=None"),
            ("{@A|1\n{@B|2", "A 1 (B 2) stray=0 open=Some(2)"),
            ("{@BATCH|p\n{@BTEST|1\n{@BTEST|2}}", "BATCH p (BTEST 1) (BTEST 2) stray=0 open=None"),
            ("{@A|1{@B|2\u{4}{@C|3}}", "A 1 (B 2) (C 3) stray=0 open=None"),
            ("{@A|1{@B|2\u{4}\n", "A 1 (B 2) stray=0 open=None"),
            ("{@A~99999999999999999999|x}", "A x stray=1 open=None"),
            ("é|ü", " stray=2 open=None"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        let parsed = parse("{@A|1{@B|2\u{4}{@C|3}}").unwrap();
        assert_eq!(parsed.records[0].children[0].cut, Some(1));
        assert_eq!(
            parse(&format!("{{@A{}}}", "\\1".repeat(100_000))).unwrap().records[0].lists.len(),
            100_000
        );
        assert_eq!(parse(&"{@A".repeat(1_000_000)).unwrap_err().kind, ErrorKind::TooLarge);
    }
}
