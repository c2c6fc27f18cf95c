//! Rows of separated cells, with quotes as in RFC 4180.

use std::borrow::Cow;

use encoding_rs::{UTF_16LE, WINDOWS_1252};
use wats::report::Text;

use crate::kit::text;
use crate::{ConvertError, ErrorKind};

/// A row of a file, without the quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) cells: Vec<Text>,
    /// True when the file ends without a line end after it.
    pub(super) is_last: bool,
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
    let mut there = ['|', '\t', ';', ','].into_iter().filter(|delimiter| titles.contains(*delimiter));
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
pub(super) fn cells(line: &str, delimiter: char) -> Vec<Text> {
    let row = Rows::new(line, delimiter).next();
    row.and_then(Result::ok).map(|row| row.cells).unwrap_or_default()
}

impl<'a> Rows<'a> {
    pub(super) fn new(text: &'a str, delimiter: char) -> Self {
        Self { rest: text, delimiter, line: 1 }
    }

    /// A cell, and what ends it; `None` at the end of the file.
    fn cell(&mut self, begun: usize) -> Result<(Text, Option<char>), ConvertError> {
        let mut cell = Text::default();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            loop {
                let Some((inside, rest)) = self.rest.split_once('"') else {
                    return Err(ConvertError::new(
                        ErrorKind::NotYet,
                        "a quote is not closed before the file ends",
                    )
                    .at_line(begun, None)
                    .expected("a second \"")
                    .help("Perhaps the file was still being written; drop the whole file again."));
                };
                self.line += inside.matches('\n').count();
                cell.push_str(inside);
                self.rest = rest;
                match self.rest.strip_prefix('"') {
                    Some(rest) => {
                        cell.push('"');
                        self.rest = rest;
                    }
                    None => break,
                }
            }
        }
        let delimiter = self.delimiter;
        let end = match u8::try_from(delimiter) {
            Ok(delimiter) if delimiter.is_ascii() => {
                self.rest.bytes().position(|byte| byte == delimiter || byte == b'\n')
            }
            _ => self.rest.find([delimiter, '\n']),
        };
        let (text, rest) = match end {
            Some(end) => self.rest.split_at(end),
            None => (self.rest, ""),
        };
        cell.push_str(text.strip_suffix('\r').unwrap_or(text));
        let mut characters = rest.chars();
        let ends = characters.next();
        self.rest = characters.as_str();
        Ok((cell, ends))
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, ConvertError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            match self.cell(line) {
                Err(error) => {
                    self.rest = "";
                    return Some(Err(error));
                }
                Ok((cell, ends)) => {
                    cells.push(cell);
                    if ends == Some(self.delimiter) {
                        continue;
                    }
                    self.line += 1;
                    return Some(Ok(Row { line, cells, is_last: ends.is_none() }));
                }
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
        let rows: Vec<Row> = Rows::new(text, ',').map(Result::unwrap).collect();
        let shown: Vec<(usize, Vec<&str>, bool)> = rows
            .iter()
            .map(|row| (row.line, row.cells.iter().map(Text::as_str).collect(), row.is_last))
            .collect();
        assert_eq!(
            shown,
            [
                (1, vec!["a", "b,\"c\"\nd", ""], false),
                (3, vec!["", "e"], false),
                (4, vec!["", ""], false),
                (5, vec!["x"], true)
            ]
        );
        assert_eq!(Rows::new("a,\"b", ',').next().unwrap().unwrap_err().kind, ErrorKind::NotYet);
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
