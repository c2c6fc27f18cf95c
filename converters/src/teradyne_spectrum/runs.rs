//! The runs of a file, with their sections and steps, from either dialect.

use std::borrow::Cow;

use wats::report::Status;

use super::items::{Item, Outer};
use super::pages::status;

/// A step of the program, with the items of its pages.
#[derive(Debug, Default)]
pub(super) struct Main<'i, 'a> {
    pub(super) section: usize,
    pub(super) line: usize,
    pub(super) time: Cow<'a, str>,
    pub(super) name: Cow<'a, str>,
    pub(super) description: Cow<'a, str>,
    /// With nested pages, what it says of itself.
    pub(super) status: Option<Status>,
    pub(super) nested: bool,
    pub(super) pages: Vec<Vec<&'i Item<'a>>>,
}

/// A run of a program: a unit.
#[derive(Debug, Default)]
pub(super) struct Run<'i, 'a> {
    pub(super) program: Option<Cow<'a, str>>,
    /// The first, without a name, has the steps before all sections.
    pub(super) sections: Vec<Cow<'a, str>>,
    pub(super) steps: Vec<Main<'i, 'a>>,
    pub(super) users: Vec<Cow<'a, str>>,
}

impl Run<'_, '_> {
    /// The value of a USER line; the last one wins.
    pub(super) fn user(&self, key: &str) -> Option<&str> {
        let pairs = self.users.iter().rev().filter_map(|line| line.split_once(':'));
        pairs
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, value)| !key.is_empty() && name.eq_ignore_ascii_case(key) && !value.is_empty())
            .map(|(_, value)| value)
    }
}

/// The runs of a file: a program's name after steps begins a new one.
pub(super) fn runs<'i, 'a>(items: &'i [Outer<'a>], warnings: &mut Vec<String>) -> Vec<Run<'i, 'a>> {
    let mut runs: Vec<Run<'i, 'a>> = Vec::new();
    let new = || Run { sections: vec![Cow::default()], ..Run::default() };
    let mut unknown = std::collections::BTreeSet::new();
    // The line up to which items belong to the page that began on it.
    let mut page_line = 0;
    for Outer { item, lines } in items {
        if runs.is_empty()
            || (item.is("PROGRAM_NAME") && runs.last().is_some_and(|run| !run.steps.is_empty()))
        {
            runs.push(new());
        }
        let Some(run) = runs.last_mut() else { continue };
        let section = run.sections.len() - 1;
        match &*item.name() {
            "PROGRAM_NAME" => run.program = Some(item.text()),
            "SECTION_NAME" => run.sections.push(item.text()),
            "SUBPROGRAM_NAME" | "TYPE" => {}
            "USER" => run.users.push(item.text()),
            "STEP" => run.steps.push(nested(item, lines.0, section)),
            "TIME" => run.steps.push(Main { section, line: lines.0, time: item.text(), ..Main::default() }),
            key => {
                let Some(step) = run.steps.last_mut().filter(|step| !step.nested) else {
                    unknown.insert(key.to_owned());
                    continue;
                };
                match key {
                    "SNAME" => step.name = item.text(),
                    "DESC" => step.description = item.text(),
                    "PAGE" => {}
                    "PAGE_NAME" => {
                        page_line = lines.1;
                        step.pages.push(vec![item]);
                    }
                    // The status and the comment of a page stand on its line; a page without is none.
                    "STAT" | "COMMENT" if lines.0 != page_line => {
                        unknown.insert(key.to_owned());
                    }
                    _ => {
                        // A group has its status on its line as well.
                        if lines.0 == page_line || key == "GROUP_NAME" {
                            page_line = lines.1;
                        }
                        match step.pages.last_mut() {
                            Some(page) => page.push(item),
                            None => {
                                unknown.insert(key.to_owned());
                            }
                        }
                    }
                }
            }
        }
    }
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.into_iter().collect();
        warnings.push(format!("items that belong to no page are left out: {}", names.join(", ")));
    }
    runs.retain(|run| run.program.is_some() || !run.steps.is_empty());
    runs
}

fn nested<'i, 'a>(item: &'i Item<'a>, line: usize, section: usize) -> Main<'i, 'a> {
    let text = |key: &str| item.child(key).map(Item::text).unwrap_or_default();
    Main {
        section,
        line,
        time: text("TIME"),
        name: text("SNAME"),
        description: text("DESC"),
        status: item.child("STAT").map(|word| status(&word.text())),
        nested: true,
        pages: item.items.iter().filter(|it| it.is("PAGE")).map(|page| page.items.iter().collect()).collect(),
    }
}
