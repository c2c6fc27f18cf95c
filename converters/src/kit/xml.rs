//! XML documents as trees, read without regard to prefixes and letter case.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;
use roxmltree::{Document, Error, Node, ParsingOptions};
use wats::report::Text;

use super::text as texts;
use crate::{ConvertError, ErrorKind, Input, Qualification};

/// Elements may nest this deep; far more than any report needs, and little enough for the stack.
const MAX_DEPTH: usize = 200;
/// With more declarations of namespaces than this, the depth is looked at before a document is parsed.
const MANY_NAMESPACES: usize = 1000;

/// Decodes a document and removes what it may not hold.
///
/// A byte-order mark decides, else the encoding that the document declares, else [`texts::decode`].
///
/// # Errors
/// As [`texts::decode`].
pub(crate) fn read<'b>(bytes: &'b [u8], warnings: &mut Vec<String>) -> Result<Cow<'b, str>, ConvertError> {
    let marked = [&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| bytes.starts_with(mark));
    let decoded = match declared_encoding(bytes).filter(|_| !marked) {
        Some(encoding) => texts::plain(encoding.decode_without_bom_handling(bytes).0)?,
        None => texts::decode(bytes)?,
    };
    let decoded = match clean(&decoded) {
        Some(clean) => {
            warnings.push("characters that XML forbids were removed".to_owned());
            Cow::Owned(clean)
        }
        None => decoded,
    };
    Ok(without_late_declaration(&decoded).map_or(decoded, Cow::Owned))
}

/// The text with blanks for a declaration that does not stand at its very beginning, where alone XML allows it; it has
/// told the encoding, which is all it is for.
fn without_late_declaration(text: &str) -> Option<String> {
    let rest = text.trim_start();
    let from = text.len() - rest.len();
    let end = rest.strip_prefix("<?xml ").filter(|_| from > 0)?.find("?>")? + "<?xml ".len() + "?>".len();
    let (before, after) = (text.get(..from)?, rest.get(end..)?);
    let blanks: String = rest.get(..end)?.chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
    Some(format!("{before}{blanks}{after}"))
}

/// The encoding in the XML declaration, when it is one in which the declaration itself can be read like this.
///
/// UTF-8 is not among them: a file that declares it and is none is read as Windows-1252.
fn declared_encoding(bytes: &[u8]) -> Option<&'static Encoding> {
    let beginning = String::from_utf8_lossy(bytes.get(..300).unwrap_or(bytes));
    let (declaration, _) = beginning.trim_start().strip_prefix("<?xml")?.split_once("?>")?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value.split(quote).nth(1)?;
    Encoding::for_label(label.as_bytes()).filter(|encoding| ![UTF_8, UTF_16LE, UTF_16BE].contains(encoding))
}

/// The text without what no XML document may hold, raw or as a character reference; `None` when it holds nothing such.
fn clean(text: &str) -> Option<String> {
    // Looked at byte by byte first, as nearly every document has none.
    let (mut odd, mut references) = (false, false);
    for byte in text.bytes() {
        // U+FFFE and U+FFFF begin with EF.
        odd |= ((byte < 0x20) & !matches!(byte, 0x9 | 0xA | 0xD)) | (byte == 0xEF);
        references |= byte == b'&';
    }
    let raw = odd && !text.chars().all(|c| allowed(u32::from(c)));
    let is_forbidden = |after: &str| forbidden_reference(after).is_some();
    let forbidden = references && text.split("&#").skip(1).any(is_forbidden);
    if !raw && !forbidden {
        return None;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#") {
        clean.push_str(before);
        rest = forbidden_reference(after).unwrap_or_else(|| {
            clean.push_str("&#");
            after
        });
    }
    clean.push_str(rest);
    clean.retain(|c| allowed(u32::from(c)));
    Some(clean)
}

/// What follows the character reference whose digits the text begins with, when it is one of a forbidden character.
fn forbidden_reference(text: &str) -> Option<&str> {
    let end = text.bytes().take(9).position(|b| b == b';')?;
    let (digits, tail) = text.split_at_checked(end)?;
    code(digits).filter(|code| !allowed(*code))?;
    tail.strip_prefix(';')
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
    let too_deep = || match too_deep(text) {
        Some(line) => {
            let problem = format!("elements are nested more than {MAX_DEPTH} deep");
            Err(ConvertError::new(ErrorKind::TooLarge, problem).at_line(line, None))
        }
        None => Ok(()),
    };
    // Each element that declares a namespace gets a list of all those around it.
    if memmem::find_iter(text.as_bytes(), "xmlns").nth(MANY_NAMESPACES).is_some() {
        too_deep()?;
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 20_000_000, ..ParsingOptions::default() };
    let parsed = Document::parse_with_options(text, options);
    // The tree tells quicker than the text.
    if parsed.as_ref().map_or(true, is_deep) {
        too_deep()?;
    }
    parsed.map_err(|error| explain(error, text))
}

/// True when anything, be it an empty element or a text, stands in as many elements as may be nested.
fn is_deep(document: &Document<'_>) -> bool {
    let mut depth = 0;
    let mut node = document.root();
    loop {
        if let Some(inner) = node.first_child() {
            depth += 1;
            if depth > MAX_DEPTH {
                return true;
            }
            node = inner;
            continue;
        }
        while node.next_sibling().is_none() {
            let Some(around) = node.parent() else { return false };
            depth -= 1;
            node = around;
        }
        let Some(next) = node.next_sibling() else { return false };
        node = next;
    }
}

/// Parses a document whose root has one of these local names; `expected` says of what kind of file it would be.
///
/// # Errors
/// As [`parse`], and for another root.
pub(crate) fn parse_as<'t>(
    text: &'t str,
    roots: &[&str],
    expected: &str,
) -> Result<Document<'t>, ConvertError> {
    let document = parse(text)?;
    let root = document.root_element();
    if roots.iter().any(|name| is(root, name)) {
        return Ok(document);
    }
    Err(wrong_root(root, &format!("{}, as in {expected}", roots.join(" or "))))
}

/// The line where the nesting passes the limit.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let deep = tags(text).find(|tag| {
        match tag.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Empty => {}
        }
        depth > MAX_DEPTH
    })?;
    Some(line_of(text, deep.inside))
}

/// The number of the line in which a part of the text begins.
fn line_of(text: &str, part: &str) -> usize {
    let begin = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    text.get(..begin).unwrap_or(text).split('\n').count()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    Empty,
}

/// The tag of an element, without a check whether it is well-formed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'t> {
    pub(super) kind: Kind,
    /// From behind its `<` or `</` to before its `>`.
    pub(super) inside: &'t str,
    /// All that follows it.
    pub(super) after: &'t str,
}

/// The tags of a document in their order, those that break off left out.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (_, tag) = rest.split_once('<')?;
            let after = |end: &str| tag.split_once(end).map(|(_, after)| after);
            let (kind, inside) = if tag.starts_with("!--") {
                rest = after("-->")?;
                continue;
            } else if tag.starts_with("![CDATA[") {
                rest = after("]]>")?;
                continue;
            } else if tag.starts_with('?') {
                rest = after("?>")?;
                continue;
            } else if let Some(tag) = tag.strip_prefix('/') {
                let (inside, after) = tag.split_once('>')?;
                rest = after;
                (Kind::Close, inside)
            } else {
                let (inside, after) = tag_end(tag)?;
                rest = after;
                (if inside.ends_with('/') { Kind::Empty } else { Kind::Open }, inside)
            };
            return Some(Tag { kind, inside, after: rest });
        }
    })
}

/// What stands in a tag, and behind the `>` that ends it; quoted attribute values may hold others.
fn tag_end(tag: &str) -> Option<(&str, &str)> {
    // With quotes of one kind it is enough to count them, which is much quicker than to follow them.
    let end = tag.find('>')?;
    let (inside, after) = (tag.get(..end)?, tag.get(end + 1..)?);
    let count = |quote: u8| inside.bytes().fold(0_usize, |count, byte| count + usize::from(byte == quote));
    let (double, single) = (count(b'"'), count(b'\''));
    if (double == 0 || single == 0) && (double + single).is_multiple_of(2) {
        return Some((inside, after));
    }
    let mut from = 0;
    let mut quote: Option<char> = None;
    while let Some(rest) = tag.get(from..) {
        let found = match quote {
            Some(open) => rest.find(open),
            None => rest.find(['>', '"', '\'']),
        };
        let at = found?;
        let end = from + at;
        match (quote, rest.get(at..).and_then(|it| it.chars().next())) {
            (None, Some('>')) => {
                return Some((tag.get(..end)?, tag.get(end + 1..)?));
            }
            (None, open) => quote = open,
            (Some(_), _) => quote = None,
        }
        from = end + 1;
    }
    None
}

fn explain(error: Error, text: &str) -> ConvertError {
    let pos = error.pos();
    let (line, column) = (pos.row as usize, pos.col as usize);
    match error {
        Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            let last = text.trim_end().lines();
            ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of the document")
                .at_line(last.count(), None)
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
            let found = texts::excerpt(text, line, column);
            if begins_again(&other, &found, text) {
                return ConvertError::new(
                    ErrorKind::Malformed,
                    format!("a second document begins, at \"{found}\""),
                )
                .at_line(line, Some(column))
                .expected("one XML document in a file")
                .help("Let the tester write each document into a file of its own, or split the file here.");
            }
            ConvertError::new(ErrorKind::Malformed, format!("the XML is damaged: {reason}, at \"{found}\""))
                .at_line(line, Some(column))
                .expected("a well-formed XML document")
        }
    }
}

/// True where behind the end of the document its beginning stands once more, as in files that were joined.
fn begins_again(error: &Error, found: &str, text: &str) -> bool {
    let name = |tag: &str| tag.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default().to_owned();
    match error {
        Error::UnexpectedDeclaration(_) => true,
        Error::UnknownToken(_) => {
            let root = root_tag(text).map(name).filter(|root| !root.is_empty());
            root.is_some() && found.strip_prefix('<').map(name) == root
        }
        _ => false,
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

/// The name, with its prefix, at the beginning of what stands in a tag.
pub(crate) fn tag_name(inside: &str) -> &str {
    inside.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default()
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The name of the root element without its prefix, for a look at the beginning of a file.
pub(crate) fn root_name(text: &str) -> Option<&str> {
    root_tag(text).map(tag_name).map(local)
}

/// The beginning of a document, looked at to say whose it is.
pub(crate) struct Beginning<'t> {
    pub(crate) text: &'t str,
    /// The name of the root element without its prefix.
    pub(crate) root: &'t str,
}

impl Beginning<'_> {
    /// True when an element of that local name begins in it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.text.split('<').skip(1).any(|tag| local(tag_name(tag)).eq_ignore_ascii_case(name))
    }
}

/// The answer of a format to whether a file is its own: `inside` gives it for documents with one of these roots.
pub(crate) fn qualify(
    input: &Input,
    roots: &[&str],
    inside: impl FnOnce(&Beginning<'_>) -> Qualification,
) -> Qualification {
    let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
    let Ok(text) = texts::decode(beginning) else { return Qualification::none("no text") };
    let Some(root) = root_name(&text) else { return Qualification::none("no XML") };
    if !roots.iter().any(|known| known.eq_ignore_ascii_case(root)) {
        let one_of = if roots.len() > 1 { "one of " } else { "" };
        let roots = roots.join(", ");
        return Qualification::none(format!("the root element is {root}, not {one_of}{roots}"));
    }
    inside(&Beginning { text: &text, root })
}

/// An attribute that is there and not blank, trimmed. One in the same letter case goes before others.
pub(crate) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let mut found = None;
    for attribute in node.attributes().filter(|it| it.name().len() == name.len()) {
        if attribute.name() == name {
            found = Some(attribute);
            break;
        }
        if found.is_none() && attribute.name().eq_ignore_ascii_case(name) {
            found = Some(attribute);
        }
    }
    found.map(|attribute| texts::trimmed(attribute.value())).filter(|value| !value.is_empty())
}

/// Like [`attribute`], owned.
pub(crate) fn owned(node: Node<'_, '_>, name: &str) -> Option<Text> {
    attribute(node, name).map(Text::from)
}

/// True for an element of that local name, in any namespace.
pub(crate) fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name().eq_ignore_ascii_case(name)
}

/// The child elements of that name, in document order.
pub(crate) fn children<'a, 'd>(
    node: Node<'a, 'd>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'd>> + Clone + use<'a, 'd> {
    node.children().filter(move |child| is(*child, name))
}

/// What is made of each of the elements, in a list with room for no more: steps are large.
pub(crate) fn each<'a, 'd: 'a, T>(
    elements: impl Iterator<Item = Node<'a, 'd>> + Clone,
    make: impl FnMut(Node<'a, 'd>) -> T,
) -> Vec<T> {
    let mut all = Vec::with_capacity(elements.clone().count());
    all.extend(elements.map(make));
    all
}

/// The first child element of that name.
pub(crate) fn child<'a, 'd>(node: Node<'a, 'd>, name: &'static str) -> Option<Node<'a, 'd>> {
    children(node, name).next()
}

/// The element's own text, trimmed; `None` when it is blank.
pub(crate) fn text(node: Node<'_, '_>) -> Option<Text> {
    Some(Text::from(texts::trimmed(&raw_text(node)))).filter(|text| !text.is_empty())
}

/// Like [`text`], borrowed where that can be.
pub(crate) fn own_text<'a>(node: Node<'a, '_>) -> Option<Cow<'a, str>> {
    let text = match raw_text(node) {
        Cow::Borrowed(text) => Cow::Borrowed(texts::trimmed(text)),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    };
    Some(text).filter(|text| !text.is_empty())
}

/// The element's own text as it stands: in measured texts white space counts.
pub(crate) fn raw_text<'a>(node: Node<'a, '_>) -> Cow<'a, str> {
    let mut pieces = node.children().filter(Node::is_text).filter_map(|text| text.text());
    match (pieces.next(), pieces.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => Cow::Owned([first, second].into_iter().chain(pieces).collect()),
    }
}

/// All that stands in an element, in one line.
pub(crate) fn words(node: Node<'_, '_>) -> String {
    let inner = node.descendants().flat_map(|it| {
        let attributes = it.attributes().map(|it| format!("{}={}", it.name(), it.value()));
        attributes.chain(it.text().filter(|_| it.is_text()).map(|text| text.trim().to_owned()))
    });
    inner.filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Siblings are counted this far: who asks for many paths must not count for ever.
const MOST_SIBLINGS: usize = 1000;

/// Where an element stands: `/Reports/Report[2]/Prop[5]`.
pub(crate) fn path(node: Node<'_, '_>) -> String {
    let mut steps = Vec::new();
    for element in node.ancestors().filter(Node::is_element) {
        let name = element.tag_name().name();
        let same = |other: &Node<'_, '_>| other.is_element() && other.tag_name().name() == name;
        let before = element.prev_siblings().skip(1).take(MOST_SIBLINGS).filter(same).count();
        let mut after = element.next_siblings().skip(1).take(MOST_SIBLINGS);
        let alone = before == 0 && !after.any(|other| same(&other));
        let far = element.prev_siblings().nth(MOST_SIBLINGS + 1).is_some();
        steps.push(match (far, alone) {
            (true, _) => format!("{name}[>{before}]"),
            (false, true) => name.to_owned(),
            (false, false) => format!("{name}[{}]", before + 1),
        });
    }
    steps.iter().rev().map(|step| format!("/{step}")).collect()
}

/// The root is not that of the format.
pub(crate) fn wrong_root(root: Node<'_, '_>, expected: &str) -> ConvertError {
    let name = root.tag_name().name();
    ConvertError::new(ErrorKind::WrongFormat, format!("the root element is {name}"))
        .expected(expected)
        .help("Check that the right converter is set for this folder.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_decoded_as_it_declares() {
        let mut warnings = Vec::new();
        for (bytes, text) in [
            // Valid UTF-8 by chance.
            (&b"<?xml version='1.0' encoding=\"iso-8859-1\" ?><a>\xc2\xb5</a>"[..], "\u{c2}\u{b5}"),
            (b"<?xml version='1.0' encoding='windows-1251'?><a>\xb5\xc1</a>", "\u{b5}\u{411}"),
            (b"<?xml version='1.0' encoding='utf-8'?><a>\xb5</a>", "\u{b5}"),
            (b"\xef\xbb\xbf<?xml version='1.0' encoding='iso-8859-1'?><a>\xc2\xb5</a>", "\u{b5}"),
            (b"<?xml version='1.0' encoding='utf-16'?><a>\xc2\xb5</a>", "\u{b5}"),
            (b"<?xml version='1.0' encoding='no such'?><a>\xb5</a>", "\u{b5}"),
            (b"<a>\xc2\xb5&#1;</a>", "\u{b5}"),
            (b"\r\n <?xml version='1.0' encoding='windows-1251'?><a>\xc1</a>", "\u{411}"),
            (b"\xff\xfe<\0a\0>\0\xb5\0<\0/\0a\0>\0", "\u{b5}"),
        ] {
            let read = read(bytes, &mut warnings).unwrap();
            let document = parse(&read).unwrap();
            assert_eq!(raw_text(document.root_element()), text);
        }
        assert_eq!(warnings, ["characters that XML forbids were removed"]);
    }

    #[test]
    fn an_element_is_named_with_its_place_among_its_like() {
        let document = parse("<a><b/><c/><b><d/></b></a>").unwrap();
        let last = document.descendants().next_back().unwrap();
        assert_eq!(path(last), "/a/b[2]/d");
    }

    #[test]
    fn forbidden_characters_are_removed_raw_and_as_references() {
        assert_eq!(clean("a&#x1;b\u{2}c&#10;&#;&#xZ;&").as_deref(), Some("abc&#10;&#;&#xZ;&"));
        assert_eq!(clean("a&#181;"), None);
    }

    #[test]
    fn endless_nesting_is_refused_before_it_costs_stack() {
        let deep = "<a>\n".repeat(300_000);
        assert_eq!(parse(&deep).unwrap_err().kind, ErrorKind::TooLarge);
        // Neither can quotes of both kinds hide it.
        let hidden = r#"<a b="'" c='/>'>"#.repeat(300_000);
        assert_eq!(parse(&hidden).unwrap_err().kind, ErrorKind::TooLarge);
        // Namespaces would cost the square of the depth in memory.
        let named: String = (0..60_000).map(|number| format!("<a xmlns:n{number}='n{number}'>\n")).collect();
        let error = parse(&named).unwrap_err();
        assert_eq!(
            (error.kind, error.place.unwrap().to_string().as_str()),
            (ErrorKind::TooLarge, "line 201")
        );
        let whole = format!("{}<b/>{}", "<a>".repeat(MAX_DEPTH), "</a>".repeat(MAX_DEPTH));
        assert!(parse(&whole).is_ok());
        let deeper = format!("<a>{whole}</a>");
        assert_eq!(parse(&deeper).unwrap_err().kind, ErrorKind::TooLarge);
        let flat = format!("<a>{}</a>", "<b c='>' d=\"'\"/><b><!-- <x> --></b>".repeat(5_000));
        assert!(parse(&flat).is_ok());
    }

    #[test]
    fn damage_is_named_with_its_place() {
        assert_eq!(parse("<a><b></a>").unwrap_err().place.unwrap().to_string(), "line 1, column 7");
        assert_eq!(parse("<a><b>").unwrap_err().kind, ErrorKind::NotYet);
        for joined in ["<a b='1'/>\n<a/>", "<a/>\n<?xml version='1.0'?><a/>"] {
            let error = parse(joined).unwrap_err();
            assert!(
                error.to_string().starts_with("line 2, column 1: a second document begins, at"),
                "{error}"
            );
        }
        assert!(parse("<a/>\n<b/>").unwrap_err().to_string().contains("the XML is damaged: unknown token"));
        assert!(parse("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>").unwrap_err().to_string().contains("DTD"));
    }
}
