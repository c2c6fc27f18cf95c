//! Numbers joined by semicolons, each in its shortest form with at least one decimal, as series of charts want them.

use std::fmt::Write as _;

use super::text;

/// The numbers of one axis of a series.
#[derive(Debug, Default)]
pub(crate) struct Points(String);

impl Points {
    /// With room for numbers that are written in a text of that length.
    pub(crate) fn for_text(length: usize) -> Self {
        Self(String::with_capacity(length))
    }

    /// Adds a number.
    pub(crate) fn add(&mut self, number: f64) {
        self.separate();
        match number {
            f64::INFINITY => self.0.push_str("Infinity"),
            f64::NEG_INFINITY => self.0.push_str("-Infinity"),
            // Writing to a text cannot fail.
            _ => write!(self.0, "{number:?}").unwrap_or_default(),
        }
    }

    /// Adds a number as it is written; false, and nothing is added, when it is none.
    pub(crate) fn add_written(&mut self, written: &str) -> bool {
        let written = text::trimmed(written);
        if let Some((digits, fraction)) = shortest(written) {
            self.separate();
            self.0.push_str(digits);
            self.0.push('.');
            self.0.push_str(if fraction.is_empty() { "0" } else { fraction });
            return true;
        }
        text::number(written).map(|number| self.add(number)).is_some()
    }

    pub(crate) fn text(self) -> String {
        self.0
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.push(';');
        }
    }
}

/// What stands before and behind the point of a number that is in its shortest form when zeros at its end are taken
/// off: read and written again it would be the same, which takes ten times as long.
fn shortest(written: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text::plain_number(written)?;
    let digits = match whole.as_bytes() {
        [b'-', digits @ ..] => digits,
        digits => digits,
    };
    let zeros = fraction.bytes().rev().take_while(|byte| *byte == b'0').count();
    let fraction = fraction.get(..fraction.len() - zeros)?;
    let usual = match digits {
        [b'0'] => !matches!(fraction.as_bytes(), [b'0', b'0', b'0', ..]),
        [first, ..] => *first != b'0',
        [] => false,
    };
    // So many digits survive being read.
    (usual && digits.len() + fraction.len() <= 15).then_some((whole, fraction))
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
