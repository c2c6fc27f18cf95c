//! XML documents as trees, read without regard to prefixes and letter case.

use roxmltree::{Document, Error, Node, ParsingOptions};

use crate::{ConvertError, ErrorKind};

/// Elements may nest this deep; far more than any report needs, and little enough for the stack.
const MAX_DEPTH: usize = 200;

/// Removes what no XML document may hold, raw or as a character reference; says whether there was any.
pub(crate) fn clean(text: &str) -> (String, bool) {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    let mut removed = false;
    while let Some((before, after)) = rest.split_once("&#") {
        clean.push_str(before);
        let end = after.bytes().take(9).position(|b| b == b';');
        let reference = end.and_then(|end| after.split_at_checked(end));
        match reference {
            Some((digits, tail)) if code(digits).is_some_and(|code| !allowed(code)) => {
                removed = true;
                rest = tail.strip_prefix(';').unwrap_or(tail);
            }
            _ => {
                clean.push_str("&#");
                rest = after;
            }
        }
    }
    clean.push_str(rest);
    // Looked at byte by byte first, as nearly every document has none.
    let odd = clean.bytes().fold(false, |odd, byte| odd | ((byte < 0x20) & !matches!(byte, 0x9 | 0xA | 0xD)));
    if odd || clean.contains('\u{fffe}') || clean.contains('\u{ffff}') {
        clean.retain(|c| allowed(u32::from(c)));
        removed = true;
    }
    (clean, removed)
}

fn code(digits: &str) -> Option<u32> {
    match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse().ok(),
    }
}

fn allowed(code: u32) -> bool {
    matches!(code, 0x9 | 0xA | 0xD | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}

/// Parses a document. DTDs, and with them entities, are refused.
///
/// # Errors
/// With line and column for what is no well-formed XML.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, ConvertError> {
    if let Some(line) = too_deep(text) {
        return Err(ConvertError::new(
            ErrorKind::TooLarge,
            format!("elements are nested more than {MAX_DEPTH} deep"),
        )
        .at_line(line, None));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 20_000_000, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(explain)
}

/// The line where the nesting passes the limit. The parser's own stack is not bounded.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut offset = 0;
    let bytes = text.as_bytes();
    while let Some(tag) = find(bytes, offset, b"<") {
        let rest = bytes.get(tag..).unwrap_or_default();
        let skip = |from: usize, end: &[u8]| find(bytes, from, end).map_or(bytes.len(), |at| at + end.len());
        if rest.starts_with(b"<!--") {
            offset = skip(tag + 4, b"-->");
        } else if rest.starts_with(b"<![CDATA[") {
            offset = skip(tag + 9, b"]]>");
        } else if rest.starts_with(b"<?") {
            offset = skip(tag + 2, b"?>");
        } else if rest.starts_with(b"</") {
            depth = depth.saturating_sub(1);
            offset = skip(tag + 2, b">");
        } else {
            let end = tag_end(bytes, tag + 1);
            if bytes.get(end.wrapping_sub(1)) != Some(&b'/') {
                depth += 1;
            }
            if depth > MAX_DEPTH {
                return Some(bytes.get(..tag).unwrap_or_default().split(|b| *b == b'\n').count());
            }
            offset = end + 1;
        }
    }
    None
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

/// The position of the `>` that ends the tag; quoted attribute values may hold others.
fn tag_end(bytes: &[u8], from: usize) -> usize {
    let mut quote = None;
    for (index, byte) in bytes.iter().enumerate().skip(from) {
        match (quote, byte) {
            (None, b'>') => return index,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    bytes.len()
}

fn explain(error: Error) -> ConvertError {
    let pos = error.pos();
    let (line, column) = (pos.row as usize, pos.col as usize);
    match error {
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of the document")
                .help("Perhaps it was still being written; drop the whole file again.")
        }
        Error::NoRootNode => ConvertError::new(ErrorKind::WrongFormat, "the file is no XML document")
            .help("Check that the right converter is set for this folder."),
        Error::DtdDetected => {
            ConvertError::new(ErrorKind::Malformed, "the document has a DTD, which is not read")
                .help("Remove the <!DOCTYPE …> part.")
        }
        Error::NodesLimitReached => ConvertError::new(ErrorKind::TooLarge, "the document is too large"),
        other => {
            let shown = other.to_string();
            let reason = shown.rsplit_once(" at ").map_or(shown.as_str(), |(reason, _)| reason);
            ConvertError::new(ErrorKind::Malformed, format!("the XML is damaged: {reason}"))
                .at_line(line, Some(column))
                .expected("a well-formed XML document")
        }
    }
}

/// The text from the root element's name on.
pub(crate) fn root_tag(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        rest = if let Some(after) = rest.strip_prefix("<?") {
            after.split_once("?>")?.1.trim_start()
        } else if let Some(after) = rest.strip_prefix("<!--") {
            after.split_once("-->")?.1.trim_start()
        } else {
            return rest.strip_prefix('<').filter(|tag| !tag.starts_with('!'));
        };
    }
}

/// The name of the root element without its prefix, for a look at the beginning of a file.
pub(crate) fn root_name(text: &str) -> Option<&str> {
    let name = root_tag(text)?.split([' ', '\t', '\r', '\n', '/', '>']).next()?;
    name.rsplit(':').next()
}

/// An attribute that is there and not blank, trimmed.
pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let exact = node.attributes().find(|attribute| attribute.name() == name);
    exact
        .or_else(|| node.attributes().find(|attribute| attribute.name().eq_ignore_ascii_case(name)))
        .map(|attribute| attribute.value().trim())
        .filter(|value| !value.is_empty())
}

/// Like [`attribute`], owned.
pub(crate) fn owned(node: Node<'_, '_>, name: &str) -> Option<String> {
    attribute(node, name).map(ToOwned::to_owned)
}

/// True for an element of that local name, in any namespace.
pub(crate) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

/// The child elements of that name, in document order.
pub(crate) fn children<'a, 'd>(
    node: Node<'a, 'd>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'd>> + use<'a, 'd> {
    node.children().filter(move |child| is(*child, name))
}

/// The first child element of that name.
pub(crate) fn child<'a, 'd>(node: Node<'a, 'd>, name: &'static str) -> Option<Node<'a, 'd>> {
    children(node, name).next()
}

/// The element's own text, trimmed; `None` when it is blank.
pub(crate) fn text(node: Node<'_, '_>) -> Option<String> {
    let all: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    Some(all.trim().to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_are_removed_raw_and_as_references() {
        assert_eq!(clean("a&#x1;b\u{2}c&#10;&#;&#xZ;&"), ("abc&#10;&#;&#xZ;&".to_owned(), true));
        assert_eq!(clean("a&#181;"), ("a&#181;".to_owned(), false));
    }

    #[test]
    fn endless_nesting_is_refused_before_it_costs_stack() {
        let deep = "<a>\n".repeat(300_000);
        assert_eq!(parse(&deep).unwrap_err().kind, ErrorKind::TooLarge);
        let flat = format!("<a>{}</a>", "<b c='>'/><b><!-- <x> --></b>".repeat(5_000));
        assert!(parse(&flat).is_ok());
    }

    #[test]
    fn damage_is_named_with_its_place() {
        assert_eq!(parse("<a><b></a>").unwrap_err().place.unwrap().to_string(), "line 1, column 7");
        assert_eq!(parse("<a><b>").unwrap_err().kind, ErrorKind::NotYet);
        assert!(parse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").unwrap_err().to_string().contains("DTD"));
    }
}
