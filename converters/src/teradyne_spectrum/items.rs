//! The notation: `( KEY: body )`, where a body is a word, a quoted text, or further items.

use std::borrow::Cow;

use crate::kit::text;
use crate::{ConvertError, ErrorKind};

/// Items may nest this deep; far more than any genuine file needs, and little enough for the stack.
const MAX_DEPTH: usize = 100;

#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) key: &'a str,
    /// The whole body as it stands in the file.
    pub(super) raw: &'a str,
    pub(super) items: Vec<Item<'a>>,
}

impl<'a> Item<'a> {
    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    /// The key in capitals, as nearly all are written.
    pub(super) fn name(&self) -> Cow<'a, str> {
        match self.key.bytes().any(|byte| byte.is_ascii_lowercase()) {
            true => Cow::Owned(self.key.to_ascii_uppercase()),
            false => Cow::Borrowed(self.key),
        }
    }

    /// The body as a text: without quotes, its lines joined as the tester breaks them, without a blank.
    pub(super) fn text(&self) -> Cow<'a, str> {
        let body = text::trimmed(self.raw);
        let inner = body.strip_prefix('"').map_or(body, |rest| rest.strip_suffix('"').unwrap_or(rest));
        match inner.contains('\n') {
            true => Cow::Owned(inner.lines().map(str::trim).collect::<String>().trim().to_owned()),
            false => Cow::Borrowed(text::trimmed(inner)),
        }
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

/// An item that is in no other.
#[derive(Debug)]
pub(super) struct Outer<'a> {
    pub(super) item: Item<'a>,
    /// Where it begins and where it ends, from 1.
    pub(super) lines: (usize, usize),
}

/// The items of a file, up to where it cannot be read any further.
pub(super) struct Parsed<'a> {
    pub(super) items: Vec<Outer<'a>>,
    /// The key of the outermost item that is broken, and what is wrong.
    pub(super) error: Option<(&'a str, ConvertError)>,
    /// Lines with text outside of all items.
    pub(super) outside: usize,
}

pub(super) fn parse(text: &str) -> Parsed<'_> {
    let mut reader = Reader { text, at: 0 };
    let mut parsed = Parsed { items: Vec::new(), error: None, outside: 0 };
    // Up to where lines are counted, and how many have begun there.
    let (mut counted, mut line) = (0, 1);
    loop {
        reader.blanks();
        let Some(next) = reader.rest().chars().next() else { return parsed };
        if let Some((key, length)) = reader.key() {
            let begin = reader.at;
            match reader.item(key, length, 0) {
                Ok(item) => {
                    let mut line_at = |at| {
                        line += text::count(text.get(counted..at).unwrap_or_default(), b'\n');
                        counted = at;
                        line
                    };
                    let lines = (line_at(begin), line_at(reader.at));
                    parsed.items.push(Outer { item, lines });
                }
                Err(error) => {
                    parsed.error = Some((key, *error));
                    return parsed;
                }
            }
        } else if next == ')' {
            // A bracket too many closes nothing.
            reader.at += 1;
        } else {
            let length = reader.rest().find('\n').unwrap_or(reader.rest().len());
            reader.at += length.max(1);
            parsed.outside += 1;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - text::trimmed_start(rest).len();
    }

    /// The key of the item that begins here, and how long its beginning is.
    fn key(&self) -> Option<(&'a str, usize)> {
        let rest = self.rest().strip_prefix('(')?;
        let body = text::trimmed_start(rest);
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = body.bytes().take_while(is_part).count();
        let (key, after) = body.split_at_checked(length).filter(|_| length > 0)?;
        let after = after.trim_start_matches(' ').strip_prefix(':')?;
        Some((key, 1 + rest.len() - after.len()))
    }

    /// The line in which an item begins that cannot be read.
    fn line(&self, begin: usize) -> usize {
        1 + text::count(self.text.get(..begin).unwrap_or_default(), b'\n')
    }

    fn broken(&self, begin: usize, key: &str) -> Box<ConvertError> {
        ConvertError::new(ErrorKind::NotYet, format!("the file ends inside of ({key}: …)"))
            .at_line(self.line(begin), None)
            .expected("a closing bracket")
            .help("Perhaps it was still being written; drop the whole file again.")
            .into()
    }

    /// Reads an item with a beginning of that length.
    ///
    /// Its errors are boxed because there are very many items and the larger of the two outcomes is what each moves.
    fn item(&mut self, key: &'a str, length: usize, depth: usize) -> Result<Item<'a>, Box<ConvertError>> {
        let begin = self.at;
        if depth > MAX_DEPTH {
            let problem = format!("items are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem)
                .at_line(self.line(begin), None)
                .into());
        }
        self.at += length;
        let mut item = Item { key, raw: "", items: Vec::new() };
        let rest = self.rest();
        // Log lines and quoted texts may have brackets of their own.
        let end = if item.is("USER") {
            rest.split('\n').next().and_then(|line| line.rfind(')'))
        } else if let Some(quoted) = text::trimmed_start(rest).strip_prefix('"') {
            let Some(length) = closing_quote(quoted) else { return Err(self.broken(begin, key)) };
            Some(rest.len() - quoted.len() + length)
        } else {
            None
        };
        let end = match end {
            Some(end) => {
                self.at += end + 1;
                end
            }
            None => self.body(&mut item, begin, depth)?,
        };
        item.raw = rest.get(..end).unwrap_or_default();
        Ok(item)
    }

    /// Reads up to the closing bracket, and answers with how long the body is. Brackets in words come in pairs.
    fn body(&mut self, item: &mut Item<'a>, begin: usize, depth: usize) -> Result<usize, Box<ConvertError>> {
        let start = self.at;
        let mut open = 0_usize;
        loop {
            let bracket = self.rest().bytes().position(|byte| matches!(byte, b'(' | b')'));
            let Some(next) = bracket else { return Err(self.broken(begin, item.key)) };
            self.at += next;
            if let Some((key, length)) = self.key() {
                item.items.push(self.item(key, length, depth + 1)?);
                continue;
            }
            let closes = self.rest().starts_with(')');
            self.at += 1;
            match open.checked_sub(1) {
                _ if !closes => open += 1,
                Some(fewer) => open = fewer,
                None => return Ok(self.at - 1 - start),
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
            assert_eq!(shown(&parsed.items[0].item), expected);
        }
        let parsed = parse("x\n(A: 1)) (B: 2\n(C: 3)");
        assert_eq!((parsed.items.len(), parsed.outside), (1, 1));
        assert!(parsed.error.unwrap().1.to_string().starts_with("line 2: the file ends inside of (B: …)"));
        let deep = "(A: ".repeat(100_000);
        assert_eq!(parse(&deep).error.unwrap().1.kind, ErrorKind::TooLarge);
        let parsed = parse("\n(N: (NODE: 12\n TPNAME: TP_5V))\n (O: 1)");
        assert_eq!((parsed.items[0].lines, parsed.items[1].lines), ((2, 3), (4, 4)));
        let item = &parsed.items[0].item;
        assert_eq!((item.word("TPNAME"), item.word("X")), (Some("TP_5V"), None));
    }
}
