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
        let number = text::number(written)?;
        self.count(written);
        Some(number)
    }

    /// Counts a number that was read elsewhere.
    pub(crate) fn count(&mut self, written: &str) {
        self.commas += usize::from(written.contains(','));
    }

    /// The warning about decimal commas, if there were any.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.commas > 0)
            .then(|| format!("{} numbers with a decimal comma were read as with a point", self.commas))
    }
}
