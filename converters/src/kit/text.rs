//! From bytes to text, and texts cut to what the server takes.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use wats::report::Text;

use crate::{ConvertError, ErrorKind};

/// Decodes a file: by its byte-order mark, else as UTF-8, else as Windows-1252.
///
/// # Errors
/// For bytes that no text file has.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ConvertError> {
    plain(if let Some(rest) = bytes.strip_prefix(b"\xef\xbb\xbf") {
        String::from_utf8_lossy(rest)
    } else if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        UTF_16LE.decode_without_bom_handling(rest).0
    } else if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        UTF_16BE.decode_without_bom_handling(rest).0
    } else if bytes.starts_with(b"<\0?\0") {
        // An XML declaration tells what it is written in without a mark.
        UTF_16LE.decode_without_bom_handling(bytes).0
    } else if bytes.starts_with(b"\0<\0?") {
        UTF_16BE.decode_without_bom_handling(bytes).0
    } else {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        }
    })
}

/// A decoded text that a person could have written.
///
/// # Errors
/// For characters that no text file has, and for an empty file.
pub(crate) fn plain(text: Cow<'_, str>) -> Result<Cow<'_, str>, ConvertError> {
    if text.contains('\0') {
        return Err(ConvertError::new(ErrorKind::WrongFormat, "the file is binary")
            .expected("a text file")
            .help("Check that the right converter is set for this folder."));
    }
    if text.trim().is_empty() {
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

/// A text without the characters that the server refuses, cut to `limit` characters, with a warning for each loss.
pub(crate) fn fit(text: &str, limit: usize, what: &str, warnings: &mut Vec<String>) -> Text {
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

/// A number with a decimal point; a single decimal comma is read as one.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    wats::report::Double::parse(text)
        .or_else(|| {
            let comma = text.matches(',').count() == 1 && !text.contains('.');
            comma.then(|| wats::report::Double::parse(&text.replace(',', "."))).flatten()
        })
        .map(|double| double.0)
}

/// True for what [`number`] reads, mostly without reading it.
pub(crate) fn is_number(text: &str) -> bool {
    plain_number(text.trim()).is_some() || number(text).is_some()
}

/// What stands before and behind the point, or the decimal comma, of a number that is nothing but digits.
pub(crate) fn plain_number(text: &str) -> Option<(&str, &str)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.bytes().position(|byte| !byte.is_ascii_digit()) {
        None if digits.is_empty() => return None,
        Some(0) => return None,
        None => (text, ""),
        Some(at) => {
            let (whole, rest) = text.split_at_checked(text.len() - digits.len() + at)?;
            (whole, rest.strip_prefix('.').or_else(|| rest.strip_prefix(','))?)
        }
    };
    fraction.bytes().all(|byte| byte.is_ascii_digit()).then_some((whole, fraction))
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
        assert_eq!(decode(b"MZ\0\0").unwrap_err().kind, ErrorKind::WrongFormat);
        assert_eq!(decode(b" \r\n").unwrap_err().kind, ErrorKind::NotYet);
    }

    #[test]
    fn numbers_are_read_with_point_or_comma_and_never_guessed() {
        assert_eq!(number(" 1.5e-3 "), Some(0.0015));
        assert_eq!(number("1,5"), Some(1.5));
        assert_eq!(number("-Infinity"), Some(f64::NEG_INFINITY));
        for wrong in ["", "n/a", "1,234.5", "1,2,3", "12V"] {
            assert_eq!((number(wrong), is_number(wrong)), (None, false), "{wrong}");
        }
        for right in [" 1.5e-3 ", "-12.50", "7", "1,5", "Infinity"] {
            assert!(is_number(right), "{right}");
        }
    }
}
