//! What a converter is, and what it answers.

use crate::{Argument, Arguments, ConvertError, Input};

/// One file format that can be read.
pub trait Converter: Sync {
    /// Who it is and what it takes; the same at every call.
    fn about(&self) -> &'static About;

    /// What makes up one unit; the same at every call.
    fn unit(&self) -> Unit {
        Unit::File
    }

    /// How sure it is that the file is its format; looks at the beginning and is quick.
    fn qualify(&self, input: &Input) -> Qualification;

    /// Reads the whole file.
    ///
    /// # Errors
    /// When the file is not this format, is damaged, or lacks what no setting can replace. An error
    /// means that no report of the file may be used.
    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError>;

    /// Reads the whole file and hands over each report as soon as it is complete; answers with the warnings.
    ///
    /// Formats with very many units in a file do so without holding more than one; for others the file's bytes are gone
    /// before the first report is handed over.
    ///
    /// # Errors
    /// As [`Self::convert`], and what `each` answers; reports handed over before an error may not be used either.
    fn convert_each(
        &self,
        input: Input,
        arguments: &Arguments,
        each: &mut dyn FnMut(wats::Report) -> Result<(), ConvertError>,
    ) -> Result<Vec<String>, ConvertError> {
        let Conversion { reports, warnings } = self.convert(&input, arguments)?;
        drop(input);
        reports.into_iter().try_for_each(each)?;
        Ok(warnings)
    }
}

/// What belongs together and comes as one [`Input`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A file; no companions.
    File,
    /// A file, and as companions all in the folder beside it that has its name without the ending.
    FileAndFolder,
    /// A folder: its first file that fits the patterns, and as companions all others in it.
    Folder,
}

/// A converter's entry in the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Stable name, as in the configuration: `wats-json`.
    pub name: &'static str,
    /// As users know the format: `WATS Standard JSON (WSJF)`.
    pub title: &'static str,
    /// Who makes the tester or the format: `Keysight`.
    pub vendor: &'static str,
    /// One or two sentences: which files, from where.
    pub description: &'static str,
    pub version: &'static str,
    /// Patterns of file names that it usually takes: `*.json`, in lower case.
    pub file_patterns: &'static [&'static str],
    pub arguments: &'static [Argument],
    pub manual: Manual,
}

/// What the format's page in the documentation says beside the rest of [`About`].
#[derive(Debug, Clone, Copy)]
pub struct Manual {
    /// How to set the tester up so that it writes such files, in Markdown paragraphs.
    pub setup: &'static str,
    /// From what stands in the file to what stands in the report: `("Header/SerialNumber", "sn")`.
    pub mapping: &'static [(&'static str, &'static str)],
    /// What the converter does not do, a sentence each.
    pub limits: &'static [&'static str],
}

impl About {
    /// True when the file's name fits one of the patterns; letter case does not matter.
    pub fn fits_name(&self, file_name: &str) -> bool {
        let name = file_name.to_lowercase();
        self.file_patterns.iter().any(|pattern| match pattern.strip_prefix('*') {
            Some(ending) => name.ends_with(ending),
            None => name == *pattern,
        })
    }
}

/// The answer to "is this file yours?".
#[derive(Debug, Clone, PartialEq)]
pub struct Qualification {
    /// From 0, certainly not, to 1, certainly.
    pub confidence: f64,
    /// Why, in words for a person.
    pub message: String,
}

impl Qualification {
    /// At most this confidence means no: an answer like "could be anything".
    pub const NO: f64 = 0.3;

    /// An answer; a confidence outside 0 to 1 is moved to the nearer end.
    pub fn new(confidence: f64, message: impl Into<String>) -> Self {
        Self { confidence: confidence.clamp(0.0, 1.0), message: message.into() }
    }

    /// "Not mine."
    pub fn none(message: impl Into<String>) -> Self {
        Self::new(0.0, message)
    }

    /// True when the answer is more than a guess.
    pub fn is_yes(&self) -> bool {
        self.confidence > Self::NO
    }
}

/// What a file gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversion {
    /// One per unit, in the order of the file; never empty.
    ///
    /// A report whose file names no id has none: ids are given by whoever stores the reports.
    pub reports: Vec<wats::Report>,
    /// What was repaired, cut or left out, in sentences for a test engineer.
    pub warnings: Vec<String>,
}
