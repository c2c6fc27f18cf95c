//! Lines of tests: `R102=4.702K(4465,4935)R` and `(S nodes…`, and the steps that they become.

use std::collections::BTreeMap;

use compact_str::ToCompactString;
use wats::report::{BooleanMeas, Double, Extra, Status, Step, StringMeas, Text};

use crate::kit::leftover::Unread;
use crate::kit::{build, si, text, tree};

/// What lines among the tests should be.
const EXPECTED: &str = "tests of a Teradyne in-circuit tester";
/// The server takes no longer text as a value.
const MAX_VALUE: usize = 100;

/// A number with its prefix: as reports show it, and the power of ten that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quantity {
    value: f64,
    symbol: &'static str,
    exponent: i32,
}

impl Quantity {
    /// Reads `4.702K`.
    fn parse(written: &str) -> Option<Self> {
        let written = text::trimmed(written);
        let letters = written.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let (digits, prefix) = written.split_at_checked(written.len() - letters)?;
        let value = Double::parse(digits).filter(|_| !digits.ends_with(char::is_whitespace))?;
        Self::new(value, prefix)
    }

    fn new(value: Double, prefix: &str) -> Option<Self> {
        let (symbol, exponent) = match prefix.as_bytes() {
            [] => ("", 0),
            [b'P' | b'p'] => ("p", -12),
            [b'N' | b'n'] => ("n", -9),
            [b'U' | b'u'] => ("µ", -6),
            // M is milli.
            [b'M' | b'm'] => ("m", -3),
            [b'K' | b'k'] => ("K", 3),
            _ if prefix.eq_ignore_ascii_case("MEG") => ("M", 6),
            _ => return None,
        };
        Some(Self { value: value.get(), symbol, exponent })
    }

    /// Reads what stands before a sign, where blanks are none; answers with what stands behind the sign.
    #[inline]
    fn before(sign: u8, text: &str) -> Option<(Option<Self>, &str)> {
        // Nearly all are found while they are read.
        let usual = Double::split(text).and_then(|(value, rest)| {
            let (prefix, rest) = text::split_once(rest, sign)?;
            Some((Some(Self::new(value, prefix)?), rest))
        });
        usual.or_else(|| {
            let (written, rest) = text::split_once(text, sign)?;
            let quantity = if text::is_blank(written) { None } else { Some(Self::parse(written)?) };
            Some((quantity, rest))
        })
    }

    fn scaled(self, exponent: i32) -> f64 {
        si::rescale(self.value, self.exponent, exponent)
    }
}

/// A component and what was measured of it.
#[derive(Debug, Clone, PartialEq)]
struct Measurement<'a> {
    reference: &'a str,
    /// `=` in limits, `#` not judged, `<` below, `>` above, `%` failed.
    mark: u8,
    value: Option<Quantity>,
    low: Option<Quantity>,
    high: Option<Quantity>,
    kind: &'a str,
    message: &'a str,
}

impl<'a> Measurement<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let ends = |byte| matches!(byte, b'=' | b'#' | b'<' | b'>' | b'%' | b' ' | b'\t');
        let (reference, rest) = line.split_at_checked(line.bytes().position(ends)?)?;
        let (reference, rest) = (text::trimmed(reference), text::trimmed_start(rest));
        let mark = rest.bytes().next().filter(|mark| matches!(mark, b'=' | b'#' | b'<' | b'>' | b'%'))?;
        let rest = text::trimmed(rest.get(1..)?);
        if reference.is_empty() {
            return None;
        }
        if rest.is_empty() {
            return Some(Self { reference, mark, value: None, low: None, high: None, kind: "", message: "" });
        }
        let (value, rest) = Quantity::before(b'(', rest)?;
        let (low, rest) = Quantity::before(b',', rest)?;
        let (high, rest) = Quantity::before(b')', rest)?;
        let end = rest.bytes().position(|byte| matches!(byte, b' ' | b'\t' | b'=')).unwrap_or(rest.len());
        let (kind, message) = rest.split_at_checked(end)?;
        let message = message.trim_matches(|c: char| c == '=' || c.is_whitespace());
        Some(Self { reference, mark, value, low, high, kind, message })
    }

    fn status(&self) -> Status {
        if matches!(self.mark, b'=' | b'#') { Status::Passed } else { Status::Failed }
    }

    /// Set-up of a source, which measures nothing.
    fn is_set_up(&self) -> bool {
        self.value.is_none() && matches!(self.kind, "IS" | "VS") && self.status() == Status::Passed
    }

    /// Adds the step, which is filled where it is: it is large, and to move it costs as much as to read its line.
    fn add_to(&self, steps: &mut Vec<Step>, base_units: bool, buffer: &mut String) {
        let name = match self.kind {
            "" => Text::from(self.reference),
            kind => text::joined_in(buffer, &[self.reference, "(", kind, ")"]),
        };
        let (kind, status) = match self.value {
            Some(_) => ("ET_NLT", self.status()),
            None if self.mark == b'#' => ("Action", Status::Done),
            None => ("ET_PFT", self.status()),
        };
        steps.push(Step::new(kind, name, status));
        let Some(step) = steps.last_mut() else { return };
        if let Some(value) = self.value {
            let exponent = if base_units { 0 } else { value.exponent };
            let limit = |limit: Option<Quantity>| limit.map(|limit| limit.scaled(exponent));
            let unit = match (base_units, self.kind) {
                (true, kind) => Text::from(base_unit(kind)),
                (false, "") => value.symbol.into(),
                (false, kind) => text::joined_in(buffer, &[value.symbol, "(", kind, ")"]),
            };
            let limits = (limit(self.low), limit(self.high));
            let mut number = build::number(None, status, value.scaled(exponent), "", limits);
            number.unit = Some(unit);
            step.numeric_meas = build::only(number);
        } else if self.mark != b'#' {
            step.boolean_meas = build::only(BooleanMeas { name: None, status, extra: Extra::new() });
        }
        step.report_text = Some(self.message).filter(|text| !text.is_empty()).map(Into::into);
    }
}

/// The unit of a type of test without a prefix; nothing for counts and ratios.
pub(super) fn base_unit(kind: &str) -> &'static str {
    match kind {
        "R" | "RP" | "RS" | "ZM" | "XS" | "XP" => "Ohm",
        "CP" | "CS" => "F",
        "LP" | "LS" => "H",
        "V" | "DC" | "VS" | "AC" | "AV" => "V",
        "I" | "IS" | "AI" => "A",
        "HZ" => "Hz",
        "S" | "TI" => "s",
        _ => "",
    }
}

/// A test of the whole board that failed: `(S` and the nodes.
fn board_failure(line: &str) -> Option<Step> {
    let rest = line.strip_prefix('(')?;
    let (kind, text) = rest.split_at_checked(1)?;
    let name = match kind {
        "S" => "SHORTS test, failed",
        "O" => "OPENS test, failed",
        "B" => "BUSTEST, failure caused by bus",
        "C" => "SCRATCHPROBING connection failure",
        "F" => "CONTACT fixture failure",
        _ => return None,
    };
    if !(text.is_empty() || text.starts_with([' ', '\t'])) {
        return None;
    }
    let text = text.trim();
    let mut step = Step::new("ET_SVT", name, Status::Failed);
    let end = text.char_indices().nth(MAX_VALUE).map(|(at, _)| at);
    // A long list of nodes is no value any more.
    step.report_text = end.map(|_| text.into());
    step.string_meas = [StringMeas {
        comp_op: "LOG".into(),
        name: None,
        status: Status::Failed,
        value: text.get(..end.unwrap_or(text.len())).map(Text::from),
        limit: None,
        extra: Extra::new(),
    }]
    .into();
    Some(step)
}

/// The tests as steps, the components in groups that begin anew with each change of their first character.
pub(super) fn steps(tests: &[(usize, &str)], base_units: bool, warnings: &mut Vec<String>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut counts: BTreeMap<char, usize> = BTreeMap::new();
    // The first character of the open group, and where it stands.
    let mut open: Option<(char, usize)> = None;
    let mut unread = Unread::default();
    let mut buffer = String::with_capacity(64);
    for (index, (number, line)) in tests.iter().enumerate() {
        if let Some(step) = board_failure(line) {
            steps.push(step);
            continue;
        }
        // A line begins with its reference, and never with a blank.
        let (Some(first), Some(test)) = (line.chars().next(), Measurement::parse(line)) else {
            unread.add(*number, line);
            continue;
        };
        let at = match open {
            Some((letter, at)) if letter == first => at,
            _ => {
                let count = counts.entry(first).or_default();
                *count += 1;
                let mut letter = [0; 4];
                let letter = &*first.encode_utf8(&mut letter);
                let name = text::joined_in(&mut buffer, &[letter, "-Group", &count.to_compact_string()]);
                let file = text::joined_in(&mut buffer, &[letter, "_tests.seq"]);
                let begins = |(_, other): &&(usize, &str)| other.bytes().next() == line.bytes().next();
                let inner = Vec::with_capacity(tests.iter().skip(index).take_while(begins).count());
                steps.push(build::sequence(&name, &file, "1.0", inner));
                open = Some((first, steps.len() - 1));
                steps.len() - 1
            }
        };
        let group = steps.get_mut(at).and_then(|group| group.steps.as_mut());
        if let Some(group) = group.filter(|_| !test.is_set_up()) {
            test.add_to(group, base_units, &mut buffer);
        }
    }
    // A group of nothing but set-ups is none.
    steps.retain(|step| step.steps.as_ref().is_none_or(|inner| !inner.is_empty()));
    for group in steps.iter_mut().filter(|step| step.steps.is_some()) {
        group.status = tree::rolled_up(group.children());
    }
    steps.extend(unread.step(EXPECTED, warnings));
    steps
}

/// A number of the records of this tester, which may have its prefix.
pub(super) fn number(written: &str) -> Option<f64> {
    Quantity::parse(written).map(|quantity| quantity.scaled(0))
}

/// True for a line that only a component's test has.
pub(super) fn is_test(line: &str) -> bool {
    board_failure(line).is_some() || Measurement::parse(line).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m_is_milli_and_meg_is_mega() {
        for (written, expected) in [
            ("62.5M", Some((62.5, -3))),
            ("1.05MEG", Some((1.05, 6))),
            ("-500m", Some((-500.0, -3))),
            ("1.5E-3", Some((0.0015, 0))),
            ("1.5E+3K", Some((1500.0, 3))),
            ("10U", Some((10.0, -6))),
            ("+-", None),
            ("5X", None),
            ("5 K", None),
            ("inf", None),
            ("1,5", None),
            ("", None),
        ] {
            let read = Quantity::parse(written).map(|it| (it.value, it.exponent));
            assert_eq!(read, expected, "{written}");
        }
    }

    #[test]
    fn a_line_is_a_test_only_as_a_whole() {
        for line in
            ["D103_B1=", "PS_OFF=(1.6,5.5)V ", "U3%(,)TI", "R1>412.2(90,110)R ==== R1 open?", "R1#1(,)"]
        {
            assert!(is_test(line), "{line}");
        }
        for line in
            ["R1=5", "R1=x(1,2)R", "R1=5(1)R", "=5(1,2)R", "some words = x", "R1=5(1,2", "(X nodes", "(Sx"]
        {
            assert!(!is_test(line), "{line}");
        }
        let test = Measurement::parse("R1>412.2(90,110)R ==== R1 open joint?").unwrap();
        assert_eq!((test.kind, test.message, test.mark), ("R", "R1 open joint?", b'>'));
    }
}
