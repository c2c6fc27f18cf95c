//! A row: `R101[Resistors],4.71kOhm,4.465kOhm,4.935kOhm,PASS`.

use wats::report::{Status, Step};

use crate::kit::decimal::Decimals;
use crate::kit::{build, si};

/// What stands between the columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Separator(char);

impl Separator {
    /// The one that the first line has most of.
    pub(super) fn of(text: &str) -> Self {
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let count = |separator: char| first.matches(separator).count();
        let most = [',', ';', '\t'].into_iter().rev().max_by_key(|separator| count(*separator));
        Self(most.unwrap_or(','))
    }

    /// The columns of a line; quotes may stand around one.
    fn split(self, line: &str) -> Vec<String> {
        let mut columns = vec![String::new()];
        let mut quoted = false;
        let mut signs = line.chars().peekable();
        while let Some(sign) = signs.next() {
            let Some(column) = columns.last_mut() else { return columns };
            match sign {
                '"' if quoted && signs.peek() == Some(&'"') => {
                    signs.next();
                    column.push('"');
                }
                '"' if quoted || column.trim().is_empty() => quoted = !quoted,
                sign if sign == self.0 && !quoted => columns.push(String::new()),
                sign => column.push(sign),
            }
        }
        columns.iter_mut().for_each(|column| *column = column.trim().to_owned());
        columns
    }
}

/// A number and the unit behind it.
#[derive(Debug, Clone, PartialEq)]
struct Quantity {
    number: f64,
    unit: String,
}

impl Quantity {
    /// Reads `4.71kOhm`, `-1e-9 F` or `95%`.
    fn parse(written: &str, decimals: &mut Decimals) -> Option<Self> {
        let written = written.trim();
        let number = number(written);
        let unit = written.get(number.len()..)?.trim();
        Some(Self { number: decimals.read(number)?, unit: unit.to_owned() })
    }

    /// The power of ten of the prefix, and the unit without it.
    fn split(&self) -> (i32, &str) {
        let unit = self.unit.as_str();
        let known = |unit: &str| {
            UNITS.iter().any(|it| *it == unit || (it.len() > 1 && it.eq_ignore_ascii_case(unit)))
        };
        if UNITS.contains(&unit) || unit.is_empty() {
            return (0, unit);
        }
        if let Some((prefix, rest)) = unit.split_at_checked(3)
            && prefix.eq_ignore_ascii_case("meg")
        {
            return (6, rest);
        }
        let first = unit.chars().next().map_or(0, char::len_utf8);
        let (prefix, rest) = unit.split_at_checked(first).unwrap_or((unit, ""));
        let exponent = match prefix {
            // Nobody measures that many farads.
            "P" => Some(-12),
            "N" => Some(-9),
            prefix => si::exponent(prefix),
        };
        match exponent {
            Some(exponent) if rest.is_empty() || known(rest) => (exponent, rest),
            _ => (0, unit),
        }
    }
}

const UNITS: &[&str] =
    &["Ohm", "\u{3a9}", "\u{2126}", "R", "F", "H", "V", "A", "Hz", "s", "W", "S", "dB", "%", "°C", "C"];

/// Ohm has several spellings.
fn same_unit(one: &str, other: &str) -> bool {
    let is_ohm =
        |unit: &str| unit.eq_ignore_ascii_case("ohm") || matches!(unit, "\u{3a9}" | "\u{2126}" | "R");
    one.eq_ignore_ascii_case(other) || (is_ohm(one) && is_ohm(other))
}

/// The number that a text begins with.
fn number(text: &str) -> &str {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let sign = |at: usize| usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
    let mut at = sign(0);
    while digit(at)
        || (matches!(bytes.get(at), Some(b'.' | b',')) && (digit(at + 1) || digit(at.wrapping_sub(1))))
    {
        at += 1;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let digits = at + 1 + sign(at + 1);
        let length = (digits..bytes.len()).take_while(|at| digit(*at)).count();
        if length > 0 {
            at = digits + length;
        }
    }
    text.get(..at).unwrap_or_default()
}

/// The columns of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    name: String,
    pub(super) group: Option<String>,
    value: String,
    low: String,
    high: String,
    verdict: String,
    others: Vec<String>,
}

impl Row {
    pub(super) fn parse(line: &str, separator: Separator) -> Option<Self> {
        let mut columns = separator.split(line);
        // Three numbers with decimal commas look like six columns.
        let is_number = |at: usize| {
            columns.get(at).is_some_and(|column| column.starts_with(|c: char| c.is_ascii_digit()))
        };
        if separator == Separator(',') && columns.len() >= 8 && [2, 4, 6].into_iter().all(is_number) {
            let joined: Vec<String> = columns.drain(1..7).collect();
            let numbers = joined.chunks(2).map(|pair| pair.join(","));
            columns.splice(1..1, numbers.collect::<Vec<_>>());
        }
        if columns.len() < 5 {
            return None;
        }
        let mut columns = columns.into_iter();
        let mut next = || columns.next().unwrap_or_default();
        let (first, value, low, high, verdict) = (next(), next(), next(), next(), next());
        let grouped = first.strip_suffix(']').and_then(|text| text.rsplit_once('['));
        let grouped = grouped.filter(|(name, group)| !name.trim().is_empty() && !group.trim().is_empty());
        let (name, group) = match grouped {
            Some((name, group)) => (name.trim().to_owned(), Some(group.trim().to_owned())),
            None => (first, None),
        };
        if name.is_empty() || verdict.is_empty() {
            return None;
        }
        let others = columns.filter(|column| !column.is_empty()).collect();
        Some(Self { name, group, value, low, high, verdict, others })
    }

    /// True for a row as it is described: with a group, a number and a verdict.
    pub(super) fn has_group(&self, decimals: &mut Decimals) -> bool {
        self.group.is_some() && Quantity::parse(&self.value, decimals).is_some()
    }

    /// False when the verdict may have lost its tail.
    pub(super) fn has_whole_verdict(&self) -> bool {
        ["PASS", "PASSED", "FAIL", "FAILED", "NG"].iter().any(|word| self.verdict.eq_ignore_ascii_case(word))
            || !self.others.is_empty()
    }

    pub(super) fn step(&self, line: usize, decimals: &mut Decimals, warnings: &mut Vec<String>) -> Step {
        let passed = self.verdict.eq_ignore_ascii_case("PASS") || self.verdict.eq_ignore_ascii_case("PASSED");
        let status = if passed { Status::Passed } else { Status::Failed };
        let mut notes = Vec::new();
        let mut read = |what: &str, written: &str| {
            let quantity = Quantity::parse(written, decimals);
            if quantity.is_none() && !written.is_empty() {
                warnings.push(format!("line {line}: {what} \"{written}\" is no number with a unit"));
                notes.push(format!("{what}: {written}"));
            }
            quantity
        };
        let value = read("Measured", &self.value);
        let limits = [("Low limit", &self.low), ("High limit", &self.high)];
        let limits = limits.map(|(what, written)| (what, written, read(what, written)));
        let mut step = match value {
            Some(mut value) => {
                // A number without a unit has that of the others.
                if value.unit.is_empty() {
                    let units =
                        limits.iter().filter_map(|(.., limit)| limit.as_ref()).map(|it| it.unit.clone());
                    value.unit = units.into_iter().find(|unit| !unit.is_empty()).unwrap_or_default();
                }
                let (exponent, unit) = value.split();
                let [low, high] = limits.map(|(what, written, limit)| {
                    let limit = limit?;
                    let (own, base) = if limit.unit.is_empty() { (exponent, unit) } else { limit.split() };
                    if same_unit(base, unit) {
                        return Some(si::rescale(limit.number, own, exponent));
                    }
                    warnings.push(format!(
                        "line {line}: {what} \"{written}\" has another unit than \"{}\"",
                        self.value
                    ));
                    notes.push(format!("{what}: {written}"));
                    None
                });
                let number = build::number(None, status, value.number, &value.unit, (low, high));
                build::numeric(&self.name, status, [number])
            }
            None => {
                let read = limits.iter().filter(|(.., limit)| limit.is_some());
                notes.extend(read.map(|(what, written, _)| format!("{what}: {written}")));
                build::pass_fail(&self.name, status)
            }
        };
        if !passed && !matches!(self.verdict.to_ascii_uppercase().as_str(), "FAIL" | "FAILED" | "NG") {
            notes.push(format!("Result: {}", self.verdict));
        }
        notes.extend(self.others.iter().cloned());
        step.report_text = (!notes.is_empty()).then(|| notes.join("\n")).map(Into::into);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_its_unit_begins() {
        for (written, expected) in [
            ("4.71kOhm", Some((4.71, 3, "Ohm"))),
            ("-1e-9 F", Some((-1e-9, 0, "F"))),
            ("1E3", Some((1000.0, 0, ""))),
            ("2Eps", Some((2.0, 0, "Eps"))),
            ("95%", Some((95.0, 0, "%"))),
            ("4,71MegOhm", Some((4.71, 6, "Ohm"))),
            ("82PF", Some((82.0, -12, "F"))),
            ("82pF", Some((82.0, -12, "F"))),
            ("3mV", Some((3.0, -3, "V"))),
            ("3MHZ", Some((3.0, 6, "HZ"))),
            ("7Pa", Some((7.0, 0, "Pa"))),
            ("5µ", Some((5.0, -6, ""))),
            (".5V", Some((0.5, 0, "V"))),
            ("OVER", None),
            ("-", None),
            ("", None),
        ] {
            let read = Quantity::parse(written, &mut Decimals::default());
            let found = read.as_ref().map(|it| (it.number, it.split().0, it.split().1));
            assert_eq!(found, expected, "{written}");
        }
    }

    #[test]
    fn columns_may_be_quoted_and_have_decimal_commas() {
        let row = |line: &str, separator: char| {
            let row = Row::parse(line, Separator(separator))?;
            let group = row.group.unwrap_or_default();
            Some([row.name, group, row.value, row.low, row.high, row.verdict, row.others.join("+")].join("|"))
        };
        for (line, separator, expected) in [
            ("R1[Res], 1k ,2k,3k,PASS", ',', Some("R1|Res|1k|2k|3k|PASS|")),
            ("\"R 1[a]\",\"1,5k\",2k,\"3 \"\"k\"\"\",FAIL,x,,y", ',', Some("R 1|a|1,5k|2k|3 \"k\"|FAIL|x+y")),
            ("R1[Res],1,5k,2,0k,3,0k,PASS", ',', Some("R1|Res|1,5k|2,0k|3,0k|PASS|")),
            ("R1[0][a];1,5;;;PASS", ';', Some("R1[0]|a|1,5|||PASS|")),
            ("R1;1;2;3;PASS", ';', Some("R1||1|2|3|PASS|")),
            ("R1[a],1,2,3", ',', None),
            ("R1[a],1,2,3,", ',', None),
            (",1,2,3,PASS", ',', None),
        ] {
            assert_eq!(row(line, separator).as_deref(), expected, "{line}");
        }
        for (line, separator) in
            [("Name,Value", ','), ("Name;Value,unit;Low", ';'), ("A\tB", '\t'), ("A", ',')]
        {
            assert_eq!(Separator::of(line), Separator(separator), "{line}");
        }
    }
}
