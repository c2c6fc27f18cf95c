//! Rows of separated cells, with quotes as in RFC 4180.

use std::borrow::Cow;

use crate::kit::text;
use crate::{ConvertError, ErrorKind};
use encoding_rs::{UTF_16LE, WINDOWS_1252};

/// A row of a file, without the quotes; one serves for all rows that are read.
#[derive(Debug, Default)]
pub(super) struct Row<'a> {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<Cow<'a, str>>,
    /// True when the file ends without a line end after it.
    pub(super) is_last: bool,
}

impl Row<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| text::is_blank(cell))
    }
}

/// Goes through the rows of a text.
pub(super) struct Rows<'a> {
    rest: &'a str,
    delimiter: char,
    line: usize,
}

/// The text of a file; a byte-order mark counts more than the encoding that was set.
pub(super) fn decode<'b>(bytes: &'b [u8], encoding: &str) -> Result<Cow<'b, str>, ConvertError> {
    let marked = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    match encoding {
        "utf-16" if !marked => Ok(UTF_16LE.decode_without_bom_handling(bytes).0),
        "latin-1" | "cp1252" if !marked => Ok(WINDOWS_1252.decode_without_bom_handling(bytes).0),
        _ => text::decode(bytes),
    }
}

/// The delimiter that was set; `None` for Auto.
pub(super) fn named(setting: &str) -> Result<Option<char>, ConvertError> {
    let mut characters = setting.chars();
    match (characters.next(), characters.next()) {
        _ if setting.eq_ignore_ascii_case("auto") => Ok(None),
        _ if setting.eq_ignore_ascii_case("tab") || setting == "\\t" => Ok(Some('\t')),
        (Some(delimiter), None) if delimiter != '"' => Ok(Some(delimiter)),
        (None, _) => Ok(None),
        _ => Err(ConvertError::new(ErrorKind::Missing, format!("the argument delimiter is \"{setting}\""))
            .expected("one character, Tab or Auto")),
    }
}

/// The delimiter with which a row has the most cells that are titles.
pub(super) fn delimiter(titles: &str, is_title: &dyn Fn(&str) -> bool) -> char {
    let known = |delimiter: &char| cells(titles, *delimiter).iter().filter(|cell| is_title(cell)).count();
    let is_there = |sign: &u8| memchr::memchr(*sign, titles.as_bytes()).is_some();
    let mut there = [b'|', b'\t', b';', b','].into_iter().filter(is_there).map(char::from);
    match (there.next(), there.next()) {
        (None, _) => ',',
        (Some(only), None) => only,
        // The last of equal ones is taken.
        (Some(first), Some(second)) => {
            [first, second].into_iter().chain(there).max_by_key(known).unwrap_or(',')
        }
    }
}

/// The cells of a row that is a line.
pub(super) fn cells(line: &str, delimiter: char) -> Vec<Cow<'_, str>> {
    let mut row = Row::default();
    let is_whole = Rows::new(line, delimiter).read(&mut row).is_ok();
    if is_whole { row.cells } else { Vec::new() }
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, delimiter: char) -> Self {
        Self { rest: text, delimiter, line: 1 }
    }

    /// What stands between the quotes at the beginning of a cell.
    fn quoted(&mut self, begun: usize) -> Result<Cow<'a, str>, ConvertError> {
        let mut cell = Cow::Borrowed("");
        while let Some(rest) = self.rest.strip_prefix('"') {
            let Some((inside, rest)) = rest.split_once('"') else {
                return Err(ConvertError::new(
                    ErrorKind::NotYet,
                    "a quote is not closed before the file ends",
                )
                .at_line(begun, None)
                .expected("a second \"")
                .help("Perhaps the file was still being written; drop the whole file again."));
            };
            self.line += text::count(inside, b'\n');
            cell += inside;
            self.rest = rest;
            // Two quotes in a row stand for one.
            if rest.starts_with('"') {
                cell += "\"";
            }
        }
        Ok(cell)
    }

    /// The text up to what ends a cell, and that; `None` at the end of the file.
    fn plain(&mut self) -> (&'a str, Option<char>) {
        let (text, rest) = match self.rest.find([self.delimiter, '\n']) {
            Some(end) => self.rest.split_at(end),
            None => (self.rest, ""),
        };
        let mut characters = rest.chars();
        let ends = characters.next();
        self.rest = characters.as_str();
        (text.strip_suffix('\r').unwrap_or(text), ends)
    }

    /// Reads the next row; false at the end of the file.
    ///
    /// # Errors
    /// For a quote that is not closed.
    pub(super) fn read(&mut self, row: &mut Row<'a>) -> Result<bool, ConvertError> {
        row.cells.clear();
        row.line = self.line;
        let Some(line) = text::lines(self.rest).next() else { return Ok(false) };
        if let (Ok(delimiter @ ..=0x7f), None) =
            (u8::try_from(self.delimiter), memchr::memchr(b'"', line.as_bytes()))
        {
            // Nearly all rows.
            let ended = line.strip_suffix('\n');
            text::each_cell(ended.unwrap_or(line), delimiter, |cell| {
                row.cells.push(Cow::Borrowed(cell.strip_suffix('\r').unwrap_or(cell)));
            });
            row.is_last = ended.is_none();
            self.rest = self.rest.get(line.len()..).unwrap_or_default();
            self.line += 1;
            return Ok(true);
        }
        loop {
            let quoted = self.rest.starts_with('"').then(|| self.quoted(row.line)).transpose()?;
            let (plain, ends) = self.plain();
            row.cells.push(match quoted {
                Some(quoted) => quoted + plain,
                None => Cow::Borrowed(plain),
            });
            if ends != Some(self.delimiter) {
                self.line += 1;
                row.is_last = ends.is_none();
                return Ok(true);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_delimiters_quotes_and_line_ends() {
        let text = "a,\"b,\"\"c\"\"\nd\",\r\n\"\",e\n,\nx";
        let (mut rows, mut row, mut shown) = (Rows::new(text, ','), Row::default(), Vec::new());
        while rows.read(&mut row).unwrap() {
            shown.push((row.line, std::mem::take(&mut row.cells), row.is_last));
        }
        assert_eq!(
            shown,
            [
                (1, vec!["a".into(), "b,\"c\"\nd".into(), "".into()], false),
                (3, vec!["".into(), "e".into()], false),
                (4, vec!["".into(), "".into()], false),
                (5, vec!["x".into()], true)
            ]
        );
        assert_eq!(Rows::new("a,\"b", ',').read(&mut row).unwrap_err().kind, ErrorKind::NotYet);
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_titles() {
        let is_title = |title: &str| ["sn", "pn"].contains(&title);
        for (row, delimiter) in
            [("sn;pn", ';'), ("sn\tpn", '\t'), ("sn,pn", ','), ("a b", ','), ("sn|pn", '|')]
        {
            assert_eq!(super::delimiter(row, &is_title), delimiter, "{row}");
        }
        assert_eq!(named("Tab").unwrap(), Some('\t'));
        assert!(named(",;").is_err());
    }
}
