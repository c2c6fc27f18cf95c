//! From bytes to text, and texts cut to what the server takes.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use wats::report::{Double, Text};

use crate::{ConvertError, ErrorKind};

/// Decodes a file: by its byte-order mark, else as UTF-8, else as Windows-1252. Lines end in LF afterwards.
///
/// # Errors
/// For bytes that no text file has.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ConvertError> {
    plain(without_filling(if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        // To tell that nothing is wrong takes less time than to look for what is.
        std::str::from_utf8(rest).map_or_else(|_| String::from_utf8_lossy(rest), Cow::Borrowed)
    } else if let Some(rest) = bytes.strip_prefix(b"\xff\xfe").or_else(|| unmarked_utf16(bytes, [1, 3, 5])) {
        UTF_16LE.decode_without_bom_handling(rest).0
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff").or_else(|| unmarked_utf16(bytes, [0, 2, 4])) {
        UTF_16BE.decode_without_bom_handling(rest).0
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(error) => match bytes.get(..error.valid_up_to()).map(std::str::from_utf8) {
                // UTF-8 that breaks off inside of a character is UTF-8 all the same.
                Some(Ok(text)) if error.error_len().is_none() && !text.is_ascii() => Cow::Borrowed(text),
                _ => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            },
        }
    }))
    .map(|text| match text.contains('\n') || !text.contains('\r') {
        true => text,
        false => Cow::Owned(text.replace('\r', "\n")),
    })
}

/// The bytes, when their first characters can only be UTF-16: in ASCII every second byte is 0, at these places.
fn unmarked_utf16(bytes: &[u8], zeros: [usize; 3]) -> Option<&[u8]> {
    let first = bytes.get(..6)?;
    let text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
    first
        .iter()
        .enumerate()
        .all(|(at, byte)| if zeros.contains(&at) { *byte == 0 } else { text(*byte) })
        .then_some(bytes)
}

/// The text without what fills a file up behind it: zeros after a power cut, and the end mark of DOS.
fn without_filling(text: Cow<'_, str>) -> Cow<'_, str> {
    let kept = text.trim_end_matches(['\0', '\u{1a}']);
    // Binary files may end in zeros as well.
    if kept.len() == text.len() || !kept.chars().all(allowed) {
        return text;
    }
    let length = kept.len();
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..length).unwrap_or(text)),
        Cow::Owned(mut text) => {
            text.truncate(length);
            Cow::Owned(text)
        }
    }
}

/// A decoded text that a person could have written.
///
/// # Errors
/// For characters that no text file has, and for an empty file.
pub(crate) fn plain(text: Cow<'_, str>) -> Result<Cow<'_, str>, ConvertError> {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        return Err(ConvertError::new(ErrorKind::WrongFormat, "the file is binary")
            .expected("a text file")
            .help("Check that the right converter is set for this folder."));
    }
    if is_blank(&text) {
        return Err(ConvertError::new(ErrorKind::NotYet, "the file is empty"));
    }
    Ok(text)
}

/// What stands at a place of a text, both counted from 1: as much of it as an error has room for.
pub(crate) fn excerpt(text: &str, line: usize, column: usize) -> String {
    let line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    line.chars().skip(column.saturating_sub(1)).take(40).collect::<String>().trim_end().to_owned()
}

/// True for what the server takes.
pub(crate) fn allowed(c: char) -> bool {
    !matches!(c, '\u{fffe}' | '\u{ffff}') && (!c.is_control() || matches!(c, '\t' | '\n' | '\r'))
}

/// True where nothing to be seen is left of a text once it is [`fit`] for the server.
pub(crate) fn vanishes(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || !allowed(c))
}

/// A text without the characters that the server refuses, cut to `limit` characters, with a warning for each loss.
pub(crate) fn fit(text: &str, limit: usize, what: &str, warnings: &mut Vec<String>) -> Text {
    if !needs_fit(text, limit) {
        return text.into();
    }
    let mut clean: Text = text.chars().filter(|c| allowed(*c)).collect();
    if clean.chars().count() != text.chars().count() {
        warnings.push(format!("{what}: characters that the server refuses were removed"));
    }
    if clean.chars().count() > limit {
        clean = clean.chars().take(limit).collect();
        warnings.push(format!("{what}: cut to {limit} characters"));
    }
    clean
}

/// False for a text that is as the server wants it; true for one that [`fit`] may have to change.
///
/// Nearly every text is fine as it is, and most have no character beyond ASCII.
pub(crate) fn needs_fit(text: &str, limit: usize) -> bool {
    text.len() > limit || (!is_plain(text.as_bytes()) && text.chars().any(|c| !allowed(c)))
}

/// The lowest bit of each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// True for ASCII without control characters other than tabs and line ends; short texts with these may be missed.
fn is_plain(bytes: &[u8]) -> bool {
    const SHORT: usize = 32;
    let is_plain = |byte: u8| (byte.wrapping_sub(0x20) < 0x5f) | matches!(byte, b'\t' | b'\n' | b'\r');
    if bytes.len() > SHORT {
        // Without leaving the loop early, so that many bytes are looked at together.
        return bytes.iter().fold(true, |plain, byte| plain & is_plain(*byte));
    }
    let eight = |eight: &[u8; 8]| {
        let all = u64::from_le_bytes(*eight);
        // Bytes below a blank borrow, those above `~` carry into the highest bit; the others beyond ASCII have it.
        (all.wrapping_sub(EACH * 0x20) | all | all.wrapping_add(EACH)) & (EACH * 0x80) == 0
    };
    // The last ones may be among those before as well.
    match (bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(last), ..) => bytes.as_chunks().0.iter().all(eight) && eight(last),
        (None, Some([a, b, c, d]), Some([e, f, g, h])) => eight(&[*a, *b, *c, *d, *e, *f, *g, *h]),
        _ => bytes.iter().all(|byte| is_plain(*byte)),
    }
}

/// Puts the cells of a line into a list, which a reader keeps for all its lines, without the blanks around them.
pub(crate) fn cells<'a>(line: &'a str, separator: u8, cells: &mut Vec<&'a str>) {
    cells.clear();
    each_cell(line, separator, |cell| cells.push(trimmed(cell)));
}

/// Hands over the cells of a line, between ASCII signs.
///
/// Cells are short: to look at eight bytes together takes less time than to search for each next separator.
#[inline]
pub(crate) fn each_cell<'a>(line: &'a str, separator: u8, mut each: impl FnMut(&'a str)) {
    let mut begin = 0;
    let mut end_at = |end: usize| {
        each(line.get(begin..end).unwrap_or_default());
        begin = end + 1;
    };
    let (eights, rest) = line.as_bytes().as_chunks::<8>();
    for (eight, at) in eights.iter().zip((0..).step_by(8)) {
        let differences = u64::from_le_bytes(*eight) ^ (EACH * u64::from(separator));
        // Where there is none, no bit carries into the highest one of the byte, nor stands there.
        let highest = EACH * 0x80;
        let mut found = !(((differences & !highest) + !highest) | differences) & highest;
        while found != 0 {
            end_at(at + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
    }
    for (byte, at) in rest.iter().zip(line.len() - rest.len()..) {
        if *byte == separator {
            end_at(at);
        }
    }
    end_at(line.len());
}

/// How often an ASCII sign stands in a text.
///
/// In pieces whose count fits a byte, so that many bytes are looked at together.
pub(crate) fn count(text: &str, sign: u8) -> usize {
    let of_piece = |piece: &[u8]| piece.iter().fold(0_u8, |count, byte| count + u8::from(*byte == sign));
    text.as_bytes().chunks(255).map(|piece| usize::from(of_piece(piece))).sum()
}

/// Texts put together, as `format!` does it at several times the cost.
#[inline]
pub(crate) fn joined(texts: &[&str]) -> Text {
    // As long as a text may be that stands in place.
    let mut short = [0; size_of::<Text>()];
    let mut end = 0;
    for text in texts {
        let begin = end;
        end += text.len();
        let Some(place) = short.get_mut(begin..end) else { return texts.concat().into() };
        place.copy_from_slice(text.as_bytes());
    }
    let joined = short.get(..end).map(std::str::from_utf8);
    joined.and_then(Result::ok).map(Text::from).unwrap_or_default()
}

/// As [`joined`], for who has very many: in a buffer that serves for all of them.
#[inline]
pub(crate) fn joined_in(buffer: &mut String, texts: &[&str]) -> Text {
    buffer.clear();
    texts.iter().for_each(|text| buffer.push_str(text));
    Text::from(buffer.as_str())
}

/// The lines of a text with their line ends, found faster than by the standard library.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let length = memchr::memchr(b'\n', rest.as_bytes()).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(length).filter(|_| length > 0)?;
        rest = after;
        Some(line)
    })
}

/// What stands before an ASCII sign and behind it. In short texts it is found faster than by the standard library.
#[inline]
pub(crate) fn split_once(text: &str, sign: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == sign)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The text without the blanks before it, of which there may be many.
pub(crate) fn trimmed_start(text: &str) -> &str {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let blanks = text.bytes().take_while(is_blank).count();
    let rest = text.get(blanks..).unwrap_or(text);
    if rest.as_bytes().first().is_none_or(u8::is_ascii_graphic) { rest } else { rest.trim_start() }
}

/// True for a text without anything but blanks, which few are.
pub(crate) fn is_blank(text: &str) -> bool {
    !text.as_bytes().first().is_some_and(u8::is_ascii_graphic) && text.trim_start().is_empty()
}

/// The text without blanks around it, which most have not.
pub(crate) fn trimmed(text: &str) -> &str {
    if has_no_blanks(text) {
        return text;
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    let bytes = text.as_bytes();
    let begin = bytes.iter().take_while(|byte| is_blank(byte)).count();
    let end = bytes.iter().rposition(|byte| !is_blank(byte)).map_or(begin, |last| last + 1);
    let text = text.get(begin..end).unwrap_or(text);
    if has_no_blanks(text) { text } else { text.trim() }
}

/// True when neither the first nor the last character can be a blank.
fn has_no_blanks(text: &str) -> bool {
    let is_graphic = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    is_graphic(text.as_bytes().first()) && is_graphic(text.as_bytes().last())
}

/// A number with a decimal point; a single decimal comma is read as one.
pub(crate) fn number(text: &str) -> Option<f64> {
    decimal(text).map(|(number, _)| number)
}

/// A number as [`number`] reads it, and whether it has a decimal comma.
pub(crate) fn decimal(text: &str) -> Option<(f64, bool)> {
    let text = trimmed(text);
    // What testers write for no number, which need not be looked at any further.
    if matches!(text.as_bytes(), [] | [b'-', b'-', ..] | [b'.', b'.', ..]) {
        return None;
    }
    let pointed = Double::parse(text).map(|number| (number.get(), false));
    pointed.or_else(|| Some((with_comma(text)?.get(), true))).or_else(|| Some((not_finite(text)?, false)))
}

fn with_comma(text: &str) -> Option<Double> {
    let (whole, fraction) = split_once(text, b',')?;
    if whole.contains('.') || fraction.contains([',', '.']) {
        return None;
    }
    Double::parse(&joined(&[whole, ".", fraction]))
}

/// What is written for numbers that are none, also by the C libraries of testers: `-nan(ind)`, `1.#INF`.
fn not_finite(text: &str) -> Option<f64> {
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let word = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(word));
    if is(&["nan", "nan(ind)", "nan(snan)", "ind", "1.#qnan", "1.#snan", "1.#ind"]) {
        return Some(f64::NAN);
    }
    let infinite = if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    is(&["inf", "infinity", "1.#inf"]).then_some(infinite)
}

/// True for what [`number`] reads, mostly without reading it.
pub(crate) fn is_number(text: &str) -> bool {
    plain_number(trimmed(text)).is_some() || number(text).is_some()
}

/// What stands before and behind the point, or the decimal comma, of a number that is nothing but digits.
///
/// By bytes: files with curves have tens of thousands of numbers.
pub(crate) fn plain_number(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let digits = bytes.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at_checked(sign + digits).filter(|_| digits > 0)?;
    match rest.as_bytes() {
        [] => Some((whole, "")),
        [b'.' | b',', fraction @ ..] if fraction.iter().all(u8::is_ascii_digit) => {
            Some((whole, rest.get(1..)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_decoded_by_mark_then_utf8_then_windows_1252() {
        for (bytes, text) in [
            (&b"\xef\xbb\xbf5 \xc2\xb5A"[..], "5 µA"),
            (&b"5 \xc2\xb5A"[..], "5 µA"),
            (&b"5 \xb5A"[..], "5 µA"),
            (&b"\xff\xfe5\0 \0\xb5\0A\0"[..], "5 µA"),
            (b"<\0?\0a\0", "<?a"),
            (b"\0<\0?\0a", "<?a"),
            (&b"\xfe\xff\x005\x00 \x00\xb5\x00A"[..], "5 µA"),
        ] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert_eq!((excerpt("a\nbcde\r\n", 2, 3).as_str(), excerpt("a", 7, 7).as_str()), ("de", ""));
        assert_eq!(decode(b"MZ\0\0\x03").unwrap_err().kind, ErrorKind::WrongFormat);
        assert_eq!(decode(b" \r\n").unwrap_err().kind, ErrorKind::NotYet);
    }

    #[test]
    fn files_that_break_off_or_were_filled_up_are_text_still() {
        for (bytes, text) in [
            // Inside of the second character.
            (&b"5 \xc2\xb5A 6 \xc2"[..], "5 µA 6 "),
            (b"abc\xc2", "abcÂ"),
            (b"a\r\n\0\0\0", "a\r\n"),
            (b"a\r\n\x1a", "a\r\n"),
            (b"a\rb\r", "a\nb\n"),
            (b"a\0b\0\n\0", "ab\n"),
            (b"\0a\0b\0\n", "ab\n"),
        ] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        // The first bytes of an STDF file.
        assert_eq!(decode(b"\0\x02\0\x0a\x01\x04").unwrap_err().kind, ErrorKind::WrongFormat);
    }

    #[test]
    fn cells_are_those_of_a_split() {
        let mut read = Vec::new();
        let long = "a;bcdefghijk;;;l;\u{bb};:<;".repeat(3);
        for line in ["", ";", "a; b ;\u{a0}c\u{a0};µ;;d e", " x ", "a;b\r", "1234567;", "12345678;9;", &long]
        {
            cells(line, b';', &mut read);
            assert_eq!(read, line.split(';').map(str::trim).collect::<Vec<_>>(), "{line:?}");
        }
    }

    #[test]
    fn lines_are_those_of_a_split() {
        for text in ["", "a", "a\n", "\n", "a\r\n\nb", "\n\n", "a\rb\nµ"] {
            let split: Vec<&str> = text.split_inclusive('\n').collect();
            assert_eq!(lines(text).collect::<Vec<_>>(), split, "{text:?}");
        }
    }

    #[test]
    fn texts_are_joined_and_split() {
        let long = "x".repeat(23);
        for texts in [&["", ""][..], &["µ", "(", "R", ")"], &[&long, "µ"], &[&long, "y"], &[]] {
            assert_eq!(joined(texts), texts.concat());
            assert_eq!(joined_in(&mut "before".to_owned(), texts), texts.concat());
        }
        for text in ["", "=", "a=b=c", "µ=", "ab"] {
            assert_eq!(split_once(text, b'='), text.split_once('='));
        }
    }

    #[test]
    fn blanks_are_taken_off_as_by_the_standard_library() {
        for text in ["", " ", "a", " a b ", "\t\r\n a\t", "\u{a0} a \u{a0}", " \u{a0}", "\u{b}a", "µ ", " é"]
        {
            assert_eq!((trimmed(text), trimmed_start(text)), (text.trim(), text.trim_start()), "{text:?}");
            assert_eq!(is_blank(text), text.trim().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn a_text_needs_to_fit_for_any_of_its_characters() {
        for length in [1, 7, 8, 9, 20, 32, 33, 70] {
            for place in 0..length {
                for character in (0..300).filter_map(char::from_u32) {
                    let mut text = vec!['x'; length];
                    text[place] = character;
                    let text: String = text.iter().collect();
                    assert_eq!(needs_fit(&text, 100), !allowed(character), "{text:?}");
                }
            }
        }
        assert!(!needs_fit("", 0) && !needs_fit("ab", 2) && needs_fit("abc", 2));
    }

    #[test]
    fn signs_are_counted() {
        for length in [0, 1, 254, 255, 256, 1000] {
            assert_eq!((count(&",".repeat(length), b','), count(&"x".repeat(length), b',')), (length, 0));
        }
    }

    #[test]
    fn numbers_are_read_with_point_or_comma_and_never_guessed() {
        assert_eq!(number(" 1.5e-3 "), Some(0.0015));
        assert_eq!(number("1,5"), Some(1.5));
        assert_eq!(number("-Infinity"), Some(f64::NEG_INFINITY));
        for (written, read) in
            [("Inf", f64::INFINITY), ("-1.#INF", f64::NEG_INFINITY), ("+inf", f64::INFINITY)]
        {
            assert_eq!(number(written), Some(read), "{written}");
        }
        for none in ["nan", "-NAN", "-nan(ind)", "1.#QNAN", "-1.#IND"] {
            assert!(number(none).is_some_and(f64::is_nan), "{none}");
        }
        for wrong in ["", "-", "--", "--5", "..", "..5", ".", ",", "n/a", "1,234.5", "1,2,3", "12V"] {
            assert_eq!((number(wrong), is_number(wrong)), (None, false), "{wrong}");
        }
        for right in [" 1.5e-3 ", "-12.50", "7", "1,5", "Infinity"] {
            assert!(is_number(right), "{right}");
        }
    }
}
