//! What NI TestStand writes alike in all of its formats.

use wats::report::{Group, Loop, Step};

use super::text;

/// A number as TestStand writes it: also hexadecimal, and the words for what is no number.
pub(crate) fn number(written: &str) -> Option<f64> {
    let written = written.trim();
    if let Some(number) = text::number(written) {
        return Some(number);
    }
    let (sign, unsigned) = match written.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, written.strip_prefix('+').unwrap_or(written)),
    };
    let lower = unsigned.to_ascii_lowercase();
    if let Some(digits) = lower.strip_prefix("0x") {
        return radix(digits, 16).map(|number| sign * number);
    }
    match lower.trim_start_matches("1.#") {
        "inf" | "infinity" => Some(sign * f64::INFINITY),
        "nan" | "qnan" | "snan" | "ind" | "nan(ind)" => Some(f64::NAN),
        _ => None,
    }
}

/// Digits of another base than ten.
pub(crate) fn radix(digits: &str, base: u32) -> Option<f64> {
    let add = |sum: f64, digit: char| Some(sum * f64::from(base) + f64::from(digit.to_digit(base)?));
    Some(digits).filter(|digits| !digits.is_empty())?.chars().try_fold(0.0, add)
}

/// The limits around a nominal value: as a share of it, or as distances from it. `None` for another type of threshold.
pub(crate) fn threshold(kind: &str, nominal: f64, low: f64, high: f64) -> Option<(f64, f64)> {
    let scale = match kind.trim().to_ascii_lowercase().as_str() {
        "percentage" | "percent" => nominal.abs() / 100.0,
        "ppm" => nominal.abs() / 1_000_000.0,
        "delta" => 1.0,
        _ => return None,
    };
    Some((nominal - low * scale, nominal + high * scale))
}

/// A whole number of the report model's kind.
pub(crate) fn whole(number: f64) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "just found to be whole and in range")]
    let whole = (number.fract() == 0.0 && number.abs() <= f64::from(i32::MAX)).then_some(number as i32);
    whole
}

/// What a step says about looping on itself: its summary counts the turns, a turn knows which one it is.
pub(crate) fn turn(setting: impl Fn(&'static str) -> Option<f64>) -> Option<Loop> {
    let number = |name| setting(name).and_then(whole);
    let turn = match number("LoopIndex") {
        Some(idx) => Loop { idx: Some(idx), ..Loop::default() },
        None => Loop {
            num: number("NumLoops"),
            ending_index: number("EndingLoopIndex"),
            passed: number("NumPassed"),
            failed: number("NumFailed"),
            ..Loop::default()
        },
    };
    (turn != Loop::default()).then_some(turn)
}

/// Gives a step its loop; all turns of a loop have one name.
pub(crate) fn set_turn(step: &mut Step, turn: Option<Loop>) {
    step.loop_ = turn.map(Box::new);
    if step.loop_.as_ref().is_some_and(|turn| turn.idx.is_some())
        && let Some((name, _)) = step.name.rsplit_once(" (Loop Index:")
    {
        step.name = name.into();
    }
}

/// The group of a step within its sequence.
pub(crate) fn group(word: &str) -> Option<Group> {
    match word.trim().to_ascii_lowercase().as_str() {
        "setup" => Some(Group::Setup),
        "main" => Some(Group::Main),
        "cleanup" => Some(Group::Cleanup),
        _ => None,
    }
}

/// A text with the escapes of TestStand's expressions: `\n`, `\t`, `\"`, `\x41` and so on.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut chars = after.chars();
        let hexadecimal = after.strip_prefix('x').and_then(|digits| digits.split_at_checked(2));
        let code = hexadecimal.and_then(|(digits, tail)| Some((u8::from_str_radix(digits, 16).ok()?, tail)));
        rest = match (code, chars.next()) {
            (Some((code, tail)), _) => {
                plain.push(char::from(code));
                tail
            }
            (None, Some('n')) => put(&mut plain, '\n', chars.as_str()),
            (None, Some('r')) => put(&mut plain, '\r', chars.as_str()),
            (None, Some('t')) => put(&mut plain, '\t', chars.as_str()),
            (None, Some(c @ ('\\' | '"' | '\''))) => put(&mut plain, c, chars.as_str()),
            (None, _) => put(&mut plain, '\\', after),
        };
    }
    plain.push_str(rest);
    plain
}

fn put<'a>(plain: &mut String, c: char, rest: &'a str) -> &'a str {
    plain.push(c);
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_hexadecimal_or_words() {
        for (written, read) in [
            (" 1.5e-3 ", Some(0.0015)),
            ("1,5", Some(1.5)),
            ("0xA5", Some(165.0)),
            ("-0x10", Some(-16.0)),
            ("INF", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("-1.#INF", Some(f64::NEG_INFINITY)),
            ("0x", None),
            ("five", None),
            ("", None),
        ] {
            assert_eq!(number(written), read, "{written}");
        }
        for written in ["NaN", "IND", "-1.#IND", "1.#QNAN"] {
            assert!(number(written).is_some_and(f64::is_nan), "{written}");
        }
    }

    #[test]
    fn thresholds_are_a_share_of_the_nominal_value_or_a_distance_from_it() {
        assert_eq!(threshold("Percentage", -100.0, 9.0, 11.0), Some((-109.0, -89.0)));
        assert_eq!(threshold("PPM", 5.0, 10.0, 10.0), Some((4.99995, 5.00005)));
        assert_eq!(threshold("delta", 5.0, 10.0, 10.0), Some((-5.0, 15.0)));
        assert_eq!(threshold("none", 5.0, 10.0, 10.0), None);
    }

    #[test]
    fn escapes_are_resolved_and_others_kept() {
        assert_eq!(unescape(r#"a\r\n\tb\\n \"q\" \x41 \y \"#), "a\r\n\tb\\n \"q\" A \\y \\");
    }
}
