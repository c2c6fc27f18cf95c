//! Numbers of a file that may have decimal commas, which is said once.

use super::text;

/// Reads the numbers of one file.
#[derive(Debug, Default)]
pub(crate) struct Decimals {
    commas: usize,
}

impl Decimals {
    /// A number with a decimal point or a decimal comma.
    pub(crate) fn read(&mut self, written: &str) -> Option<f64> {
        let (number, has_comma) = text::decimal(written)?;
        self.commas += usize::from(has_comma);
        Some(number)
    }

    /// Counts numbers with a decimal comma that were read elsewhere.
    pub(crate) fn count(&mut self, commas: usize) {
        self.commas += commas;
    }

    /// The warning about decimal commas, if there were any.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.commas > 0)
            .then(|| format!("{} numbers with a decimal comma were read as with a point", self.commas))
    }
}
