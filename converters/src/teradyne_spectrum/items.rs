//! The notation: `( KEY: body )`, where a body is a word, a quoted text, or further items.

use wats::report::Text;

use crate::{ConvertError, ErrorKind};

/// Items may nest this deep; far more than any genuine file needs, and little enough for the stack.
const MAX_DEPTH: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) key: &'a str,
    /// Where it begins and where it ends, from 1.
    pub(super) lines: (usize, usize),
    /// The whole body as it stands in the file.
    pub(super) raw: &'a str,
    pub(super) items: Vec<Item<'a>>,
}

impl<'a> Item<'a> {
    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// The key in capitals.
    pub(super) fn name(&self) -> Text {
        let mut name = Text::from(self.key);
        name.make_ascii_uppercase();
        name
    }

    /// The body as a text: without quotes, its lines joined as the tester breaks them, without a blank.
    pub(super) fn text(&self) -> String {
        let body = self.raw.trim();
        let inner = body.strip_prefix('"').map_or(body, |rest| rest.strip_suffix('"').unwrap_or(rest));
        inner.lines().map(str::trim).collect::<String>().trim().to_owned()
    }

    /// The first item of that key among its own.
    pub(super) fn child(&self, key: &str) -> Option<&Item<'a>> {
        self.items.iter().find(|item| item.is(key))
    }

    /// The first word behind `key:` anywhere in the body.
    pub(super) fn word(&self, key: &str) -> Option<&'a str> {
        let (_, rest) = self.raw.split_once(&format!("{key}:"))?;
        let word = rest.split([')', '(', ',', '\n']).next()?.trim().trim_matches('"');
        (!word.is_empty()).then_some(word)
    }
}

/// The items of a file, up to where it cannot be read any further.
pub(super) struct Parsed<'a> {
    pub(super) items: Vec<Item<'a>>,
    /// The key of the outermost item that is broken, and what is wrong.
    pub(super) error: Option<(&'a str, ConvertError)>,
    /// Lines with text outside of all items.
    pub(super) outside: usize,
}

pub(super) fn parse(text: &str) -> Parsed<'_> {
    let mut reader = Reader { text, at: 0, line: 1 };
    let mut parsed = Parsed { items: Vec::new(), error: None, outside: 0 };
    loop {
        reader.blanks();
        let Some(next) = reader.rest().chars().next() else { return parsed };
        if let Some((key, _)) = reader.key() {
            match reader.item(0) {
                Ok(item) => parsed.items.push(item),
                Err(error) => {
                    parsed.error = Some((key, error));
                    return parsed;
                }
            }
        } else if next == ')' {
            // A bracket too many closes nothing.
            reader.skip(1);
        } else {
            let length = reader.rest().find('\n').unwrap_or(reader.rest().len());
            reader.skip(length.max(1));
            parsed.outside += 1;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, length: usize) {
        let skipped = self.text.get(self.at..self.at + length).unwrap_or_default();
        self.line += skipped.bytes().filter(|byte| *byte == b'\n').count();
        self.at += length;
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.skip(rest.len() - rest.trim_start().len());
    }

    /// The key of the item that begins here, and how long its beginning is.
    fn key(&self) -> Option<(&'a str, usize)> {
        let rest = self.rest().strip_prefix('(')?;
        let body = rest.trim_start();
        let length = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|it| *it > 0)?;
        let (key, after) = body.split_at_checked(length)?;
        let after = after.trim_start_matches(' ').strip_prefix(':')?;
        Some((key, 1 + rest.len() - after.len()))
    }

    fn broken(&self, line: usize, key: &str) -> ConvertError {
        ConvertError::new(ErrorKind::NotYet, format!("the file ends inside of ({key}: …)"))
            .at_line(line, None)
            .expected("a closing bracket")
            .help("Perhaps it was still being written; drop the whole file again.")
    }

    /// Reads an item; the caller has seen its key.
    fn item(&mut self, depth: usize) -> Result<Item<'a>, ConvertError> {
        let begin = self.line;
        let Some((key, length)) = self.key() else { return Err(self.broken(begin, "")) };
        if depth > MAX_DEPTH {
            let problem = format!("items are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_line(begin, None));
        }
        self.skip(length);
        let mut item = Item { key, lines: (begin, begin), raw: "", items: Vec::new() };
        let start = self.at;
        let leading = self.rest().len() - self.rest().trim_start().len();
        // Log lines and quoted texts may have brackets of their own.
        let end = if item.is("USER") {
            Some(self.rest().find('\n').map_or(self.rest(), |end| self.rest().get(..end).unwrap_or_default()))
                .and_then(|line| line.rfind(')'))
        } else if self.rest().trim_start().starts_with('"') {
            let quoted = self.rest().get(leading + 1..).unwrap_or_default();
            let Some(length) = closing_quote(quoted) else { return Err(self.broken(begin, key)) };
            Some(leading + 1 + length)
        } else {
            None
        };
        match end {
            Some(end) => {
                item.raw = self.rest().get(..end).unwrap_or_default();
                self.skip(end + 1);
            }
            None => {
                let end = self.body(&mut item, depth)?;
                item.raw = self.text.get(start..end).unwrap_or_default();
            }
        }
        item.lines.1 = self.line;
        Ok(item)
    }

    /// Reads up to the closing bracket, and answers with where it stands. Brackets in words come in pairs.
    fn body(&mut self, item: &mut Item<'a>, depth: usize) -> Result<usize, ConvertError> {
        let mut open = 0_usize;
        loop {
            let Some(next) = self.rest().find(['(', ')']) else {
                return Err(self.broken(item.lines.0, item.key));
            };
            self.skip(next);
            if self.rest().starts_with(')') {
                let at = self.at;
                self.skip(1);
                match open.checked_sub(1) {
                    Some(fewer) => open = fewer,
                    None => return Ok(at),
                }
            } else if self.key().is_some() {
                item.items.push(self.item(depth + 1)?);
            } else {
                open += 1;
                self.skip(1);
            }
        }
    }
}

/// Where the bracket stands that follows a text's closing quote.
fn closing_quote(quoted: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let quote = from + quoted.get(from..)?.find('"')?;
        let after = quoted.get(quote + 1..)?;
        if after.trim_start().starts_with(')') {
            return Some(quote + 1 + after.len() - after.trim_start().len());
        }
        from = quote + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(item: &Item<'_>) -> String {
        let inner: Vec<String> = item.items.iter().map(shown).collect();
        format!("{}={}[{}]", item.key, item.text(), inner.join(" "))
    }

    #[test]
    fn bodies_are_words_texts_or_items() {
        for (text, expected) in [
            ("(A: \"x (y\" )", "A=x (y[]"),
            ("( A : b c )", "A=b c[]"),
            ("(A: C:\\Program Files (x86)\\t.exe)", "A=C:\\Program Files (x86)\\t.exe[]"),
            ("(A:\n (B: 1) , (C: 2))", "A=(B: 1) , (C: 2)[B=1[] C=2[]]"),
            ("(USER: a ( b: c)\n", "USER=a ( b: c[]"),
            ("(A: \"he said \"no\" to it\")", "A=he said \"no\" to it[]"),
            ("(A: \"one\n  two\")", "A=onetwo[]"),
            ("(A: )", "A=[]"),
        ] {
            let parsed = parse(text);
            assert!(parsed.error.is_none(), "{text}");
            assert_eq!(shown(&parsed.items[0]), expected);
        }
        let parsed = parse("x\n(A: 1)) (B: 2\n(C: 3)");
        assert_eq!((parsed.items.len(), parsed.outside), (1, 1));
        assert!(parsed.error.unwrap().1.to_string().starts_with("line 2: the file ends inside of (B: …)"));
        let deep = "(A: ".repeat(100_000);
        assert_eq!(parse(&deep).error.unwrap().1.kind, ErrorKind::TooLarge);
        let item = &parse("(N: (NODE: 12 TPNAME: TP_5V))").items[0];
        assert_eq!((item.word("TPNAME"), item.word("X")), (Some("TP_5V"), None));
    }
}
