//! Which format a file has, by its content.

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Converter, Input, Qualification, catalogue};

/// Answers this near to the surest one are named beside it.
const NEAR: f64 = 0.05;

/// What the converters say of a file, the surest first.
///
/// Among equally sure ones those come first whose file patterns fit the name, then those that come first in the catalogue.
#[derive(Debug)]
pub struct Recognition {
    pub candidates: Vec<Candidate>,
}

/// What one of them says.
pub struct Candidate {
    pub converter: &'static dyn Converter,
    pub answer: Qualification,
    /// True when the file's name is one that the format usually has, and not every file.
    pub fits_name: bool,
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("converter", &self.name()).field("answer", &self.answer).finish()
    }
}

/// `spea (95 %): a START line with a date, and tests after it`
impl std::fmt::Display for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({:.0} %): {}", self.name(), self.answer.confidence * 100.0, self.answer.message)
    }
}

impl Candidate {
    pub fn name(&self) -> &'static str {
        self.converter.about().name
    }
}

/// Asks every converter whether the file is its own.
pub fn recognise(input: &Input) -> Recognition {
    let ask = |converter: &&'static dyn Converter| Candidate {
        converter: *converter,
        // A converter that crashes on a file does not know it.
        answer: catch_unwind(AssertUnwindSafe(|| converter.qualify(input)))
            .unwrap_or_else(|_| Qualification::none("its converter crashed on the file")),
        fits_name: converter.about().file_patterns != ["*"] && converter.about().fits_name(&input.file_name),
    };
    let mut candidates: Vec<Candidate> = catalogue().iter().map(ask).collect();
    candidates.sort_by(|a, b| {
        let surer = b.answer.confidence.total_cmp(&a.answer.confidence);
        surer.then(Reverse(a.fits_name).cmp(&Reverse(b.fits_name)))
    });
    Recognition { candidates }
}

/// The converter that is surest that the file is its own; `None` when nobody does better than a guess.
pub fn choose(input: &Input) -> Option<&'static dyn Converter> {
    recognise(input).chosen().map(|it| it.converter)
}

impl Recognition {
    /// The surest one; `None` when nobody does better than a guess.
    pub fn chosen(&self) -> Option<&Candidate> {
        self.candidates.first().filter(|it| it.answer.is_yes())
    }

    /// Those that are nearly as sure as the one that was chosen.
    pub fn rivals(&self) -> impl Iterator<Item = &Candidate> {
        let surest = self.chosen().map_or(f64::INFINITY, |it| it.answer.confidence);
        let near =
            move |it: &&Candidate| it.answer.is_yes() && surest - it.answer.confidence <= NEAR + f64::EPSILON;
        self.candidates.iter().skip(1).filter(near)
    }

    /// Who comes nearest when nobody was chosen: by content, else by the file's name.
    pub fn nearest(&self) -> Option<&Candidate> {
        let by_content = self.candidates.first().filter(|it| it.answer.confidence > 0.0);
        by_content.or_else(|| self.candidates.iter().find(|it| it.fits_name))
    }

    /// Why nobody was chosen, in words for a person.
    pub fn refusal(&self) -> String {
        match self.nearest() {
            Some(nearest) if nearest.answer.confidence > 0.0 => {
                format!("no format fits the file; nearest is {nearest}")
            }
            Some(nearest) => format!("no format fits the file; by its name it could be {nearest}"),
            None => "no format fits the file, neither by its content nor by its name".to_owned(),
        }
    }
}
