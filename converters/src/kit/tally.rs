//! Warnings of a file with very many units: each is said once, with how often it was.

use std::collections::HashMap;

/// As many different warnings are told apart; genuine files have a handful.
const MOST: usize = 100;

/// Counts warnings; its memory does not grow with their number.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// In the order in which they came first.
    kept: Vec<(String, usize)>,
    places: HashMap<String, usize>,
    beyond: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, warning: String) {
        if let Some(kept) = self.places.get(&warning).and_then(|place| self.kept.get_mut(*place)) {
            kept.1 += 1;
        } else if self.kept.len() < MOST {
            self.places.insert(warning.clone(), self.kept.len());
            self.kept.push((warning, 1));
        } else {
            self.beyond += 1;
        }
    }

    /// All of them; `what` is what is counted: `units`.
    pub(crate) fn warnings(self, what: &str) -> Vec<String> {
        let said = |(warning, count): (String, usize)| match count {
            1 => warning,
            _ => format!("{warning} ({count} {what})"),
        };
        let mut warnings: Vec<String> = self.kept.into_iter().map(said).collect();
        if self.beyond > 0 {
            warnings.push(format!("{} further warnings were left out", self.beyond));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_is_said_once_and_their_number_is_bounded() {
        let mut tally = Tally::default();
        for warning in ["b", "a", "b"] {
            tally.add(warning.to_owned());
        }
        for number in 0..1000 {
            tally.add(format!("n{number}"));
        }
        let warnings = tally.warnings("units");
        assert_eq!((warnings[0].as_str(), warnings[1].as_str()), ("b (2 units)", "a"));
        assert_eq!((warnings.len(), warnings[100].as_str()), (101, "902 further warnings were left out"));
    }
}
