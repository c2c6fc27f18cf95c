//! Numbers joined by semicolons, each in its shortest form with at least one decimal, as series of charts want them.

use std::io::Write as _;

use super::text;

/// The numbers of one axis of a series.
#[derive(Debug, Default)]
pub(crate) struct Points {
    /// ASCII, with a semicolon behind each number.
    written: Vec<u8>,
}

impl Points {
    /// The numbers of a line, and how many there are; `None` when a cell is neither a number nor empty, which is a point
    /// without a value.
    pub(crate) fn of_cells(line: &str, separator: u8) -> Option<(Self, usize)> {
        let (mut points, mut count) = (Self::default(), 0);
        let mut rest = Some(line).filter(|line| !line.is_empty());
        while let Some(line) = rest {
            let end = line.bytes().position(|byte| byte == separator).unwrap_or(line.len());
            let cell = line.get(..end)?;
            if !points.add_written(cell) {
                if !text::is_blank(cell) {
                    return None;
                }
                points.add(f64::NAN);
            }
            if count == 0 {
                points.written.reserve(line.len() + 1);
            }
            count += 1;
            rest = line.get(end + 1..);
        }
        (count > 0).then_some((points, count))
    }

    /// With room for numbers that are written in a text of that length.
    pub(crate) fn with_room(length: usize) -> Self {
        Self { written: Vec::with_capacity(length) }
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, number: f64) {
        match number {
            f64::INFINITY => self.written.extend_from_slice(b"Infinity"),
            f64::NEG_INFINITY => self.written.extend_from_slice(b"-Infinity"),
            // Writing to a list of bytes cannot fail.
            _ => write!(self.written, "{number:?}").unwrap_or_default(),
        }
        self.written.push(b';');
    }

    /// Adds a number as it is written; false, and nothing is added, when it is none.
    pub(crate) fn add_written(&mut self, written: &str) -> bool {
        let Some((whole, shortest)) = shortest(written) else {
            return text::number(written).map(|number| self.add(number)).is_some();
        };
        let begin = self.written.len();
        self.written.extend_from_slice(shortest);
        match self.written.get_mut(begin + whole) {
            Some(point) => *point = b'.',
            None => self.written.push(b'.'),
        }
        if self.written.len() == begin + whole + 1 {
            self.written.push(b'0');
        }
        self.written.push(b';');
        true
    }

    /// Adds all of others.
    pub(crate) fn add_all(&mut self, others: &Self) {
        self.written.extend_from_slice(&others.written);
    }

    pub(crate) fn clear(&mut self) {
        self.written.clear();
    }

    pub(crate) fn text(mut self) -> String {
        self.written.pop();
        String::from_utf8(self.written).unwrap_or_default()
    }
}

/// How many signs stand before the point of a number that is in its shortest form when zeros at its end are taken off,
/// and the number without them: read and written again it would be the same, which takes ten times as long.
fn shortest(written: &str) -> Option<(usize, &[u8])> {
    let bytes = written.as_bytes();
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let mut point = bytes.len();
    for (at, byte) in bytes.iter().enumerate().skip(sign) {
        match byte {
            b'0'..=b'9' => {}
            b'.' | b',' if point == bytes.len() => point = at,
            _ => return None,
        }
    }
    let (whole, fraction) = (bytes.get(sign..point)?, bytes.get(point + 1..).unwrap_or_default());
    let zeros = fraction.iter().rev().take_while(|digit| **digit == b'0').count();
    let fraction = fraction.get(..fraction.len() - zeros)?;
    let usual = match whole {
        [b'0'] => !matches!(fraction, [b'0', b'0', b'0', ..]),
        [first, ..] => *first != b'0',
        [] => false,
    };
    // So many digits survive being read.
    (usual && whole.len() + fraction.len() <= 15).then_some((point, bytes.get(..bytes.len() - zeros)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(written: &str) -> String {
        let mut points = Points::default();
        points.add_written(written);
        points.text()
    }

    #[test]
    fn a_number_has_its_shortest_form_with_a_decimal() {
        for (written, shown) in [
            ("20", "20.0"),
            ("26.990", "26.99"),
            ("-0.50", "-0.5"),
            ("3,5", "3.5"),
            ("0", "0.0"),
            ("-0", "-0.0"),
            ("0.001", "0.001"),
            ("0.00001", "1e-5"),
            ("1.5E+3", "1500.0"),
            ("007", "7.0"),
            (".5", "0.5"),
            ("5.", "5.0"),
            ("0.1234567890123456789", "0.12345678901234568"),
            ("NaN", "NaN"),
            ("-INF", "-Infinity"),
            ("1.2.3", ""),
            ("-", ""),
            ("", ""),
        ] {
            assert_eq!(points(written), shown, "{written}");
        }
        let mut both = Points::default();
        assert!(both.add_written("1") && !both.add_written("x") && both.add_written("2.50"));
        assert_eq!(both.text(), "1.0;2.5");
    }

    proptest! {
        /// A number that is not read is written as if it had been.
        #[test]
        fn the_short_way_agrees_with_the_long_one(written in "-?[0-9]{0,17}([.,][0-9]{0,17})?") {
            let long = text::number(&written).map(|number| format!("{number:?}")).unwrap_or_default();
            prop_assert_eq!(points(&written), long);
        }
    }
}
