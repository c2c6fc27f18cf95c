//! What a good file holds beside what its format describes: kept in the report, and said once.

use std::collections::BTreeMap;

use roxmltree::Node;
use wats::report::{MiscInfo, Status, Step};

use super::{build, xml};

/// As many different names are kept; genuine files have a handful.
const MOST_NAMES: usize = 50;
/// As much text is kept; the server takes no more in a report text.
const MOST_TEXT: usize = 100_000;

/// Lines with a name that is not known: the first of each becomes a misc info.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unknown {
    /// In the order of the file.
    kept: Vec<(String, String)>,
    counts: BTreeMap<String, usize>,
    beyond: usize,
}

impl Unknown {
    pub(crate) fn add(&mut self, name: &str, text: &str) {
        let name = if name.is_empty() { "Line" } else { name };
        if let Some(count) = self.counts.get_mut(name) {
            *count += 1;
        } else if self.counts.len() < MOST_NAMES {
            self.counts.insert(name.to_owned(), 1);
            self.kept.push((name.to_owned(), text.to_owned()));
        } else {
            self.beyond += 1;
        }
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = MiscInfo> + '_ {
        self.kept.iter().map(|(name, text)| build::info(name, text))
    }

    pub(crate) fn warn(&self, warnings: &mut Vec<String>) {
        for (name, _) in &self.kept {
            let count = self.counts.get(name).copied().unwrap_or_default();
            let kept = if count > 1 { "the first is kept as misc info" } else { "kept as misc info" };
            warnings.push(format!("lines \"{name}\" are not known ({count}): {kept}"));
        }
        if self.beyond > 0 {
            warnings.push(format!("{} lines of further names are not known and left out", self.beyond));
        }
    }
}

/// Lines among the tests of a unit that are none: together they become the text of a step without a verdict.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unread {
    first: Option<usize>,
    count: usize,
    text: String,
}

impl Unread {
    pub(crate) fn add(&mut self, line: usize, text: &str) {
        self.first.get_or_insert(line);
        self.count += 1;
        if self.text.len() < MOST_TEXT {
            self.text.push_str(&format!("{line}: {}\n", text.trim()));
        }
    }

    /// The step, if there were such lines, and the warning; `expected` is what they are not.
    pub(crate) fn step(self, expected: &str, warnings: &mut Vec<String>) -> Option<Step> {
        let first = self.first?;
        warnings.push(format!(
            "{} lines are no {expected}, the first is line {first}: kept as text, without a verdict",
            self.count
        ));
        let mut step = Step::new("Action", "Lines that are no tests", Status::Done);
        step.report_text = Some(self.text.trim_end().chars().take(MOST_TEXT).collect());
        Some(step)
    }
}

/// Elements of XML that a format does not describe: whoever finds one keeps it, and each name is said once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Elements {
    /// By name: how many there were, and where the first stands.
    found: BTreeMap<String, (usize, String)>,
    beyond: usize,
}

impl Elements {
    pub(crate) fn add(&mut self, node: Node<'_, '_>) {
        self.add_as(node.tag_name().name(), node);
    }

    /// Like [`Self::add`], for an element that has its name in an attribute.
    pub(crate) fn add_as(&mut self, name: &str, node: Node<'_, '_>) {
        if let Some((count, _)) = self.found.get_mut(name) {
            *count += 1;
        } else if self.found.len() < MOST_NAMES {
            self.found.insert(name.to_owned(), (1, xml::path(node)));
        } else {
            self.beyond += 1;
        }
    }

    /// A warning for each name; `kept` says where the elements are now: `kept as additional data`.
    pub(crate) fn warn(&self, kept: &str, warnings: &mut Vec<String>) {
        for (name, (count, path)) in &self.found {
            warnings.push(format!("elements {name} are not known ({count}, the first is {path}): {kept}"));
        }
        if self.beyond > 0 {
            warnings.push(format!("{} elements of further names are not known: {kept}", self.beyond));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_kept_and_said_once() {
        let mut unknown = Unknown::default();
        for name in ["A", "", "A"] {
            unknown.add(name, "text");
        }
        for number in 0..1000 {
            unknown.add(&format!("N{number}"), "text");
        }
        let mut warnings = Vec::new();
        unknown.warn(&mut warnings);
        assert_eq!((unknown.infos().count(), warnings.len()), (50, 51));
        assert_eq!(warnings[0], "lines \"A\" are not known (2): the first is kept as misc info");
        assert_eq!(warnings[1], "lines \"Line\" are not known (1): kept as misc info");
        assert_eq!(warnings[50], "952 lines of further names are not known and left out");
    }

    #[test]
    fn each_element_is_said_once_with_its_place() {
        let document = xml::parse("<a><b/><c/><b/></a>").unwrap();
        let mut elements = Elements::default();
        document.descendants().filter(|node| xml::is(*node, "b")).for_each(|node| elements.add(node));
        let mut warnings = Vec::new();
        elements.warn("kept", &mut warnings);
        assert_eq!(warnings, ["elements b are not known (2, the first is /a/b[1]): kept"]);
    }

    #[test]
    fn lines_that_are_no_tests_are_one_step() {
        let mut warnings = Vec::new();
        assert_eq!(Unread::default().step("test lines", &mut warnings), None);
        let mut unread = Unread::default();
        unread.add(7, " odd ");
        unread.add(9, "lines");
        let step = unread.step("test lines", &mut warnings).unwrap();
        assert_eq!(step.report_text.as_deref(), Some("7: odd\n9: lines"));
        assert_eq!(
            warnings,
            ["2 lines are no test lines, the first is line 7: kept as text, without a verdict"]
        );
    }
}
