//! The frame of `.ATD` files: blocks between `@` lines, each with a header and one or several groups.
//!
//! ```text
//! @  verdict, counters, Model:, DATE, Test time:, Test ID :, User name :
//! @  * GROUP No.1 *, verdict, counters, Serial No.:, step lines; then the next group
//! @
//! ```

use wats::report::{Report, Status, Step, Uut};

use super::moment;
use crate::kit::leftover::Unknown;
use crate::kit::{build, header, tree};
use crate::{Arguments, ConvertError, ErrorKind, Input};

/// What stands before the groups.
#[derive(Debug, Clone, Default)]
pub(super) struct Head<'a> {
    pub(super) verdict: &'a str,
    pub(super) model: &'a str,
    pub(super) date: &'a str,
    /// Such as `73 s`.
    pub(super) test_time: &'a str,
    pub(super) test_id: &'a str,
    pub(super) user: &'a str,
    /// Lines with a name that is not known.
    pub(super) unknown: Unknown,
}

/// A board: one of a panel, or the only one.
#[derive(Debug, Clone)]
pub(super) struct Group<'a> {
    /// Where it begins.
    pub(super) line: usize,
    pub(super) head: Head<'a>,
    pub(super) number: Option<i32>,
    pub(super) verdict: &'a str,
    pub(super) serial: &'a str,
    /// The titles of the columns.
    pub(super) titles: &'a str,
    pub(super) steps: Vec<(usize, &'a str)>,
}

/// Where in a block a line stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Outside,
    Head,
    Groups,
}

/// The boards of a file that are complete, in its order.
pub(super) fn groups<'a>(text: &'a str, warnings: &mut Vec<String>) -> Result<Vec<Group<'a>>, ConvertError> {
    let mut done = Vec::new();
    let mut open: Option<Group<'a>> = None;
    let mut head = Head::default();
    let mut place = Place::Outside;
    let mut seen = false;
    let mut before = 0;
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
        let line = line.trim_end();
        if line.trim().is_empty() {
            continue;
        }
        if line.trim() == "@" {
            seen = true;
            place = match place {
                Place::Outside => {
                    head = Head::default();
                    Place::Head
                }
                Place::Head => {
                    head.unknown.warn(warnings);
                    Place::Groups
                }
                Place::Groups => {
                    done.extend(open.take());
                    Place::Outside
                }
            };
            continue;
        }
        if let Some(group) = group_number(line) {
            done.extend(open.take());
            place = Place::Groups;
            open = Some(Group {
                line: number,
                head: head.clone(),
                number: group,
                verdict: "",
                serial: "",
                titles: "",
                steps: Vec::new(),
            });
            continue;
        }
        match (&mut open, place) {
            (Some(group), Place::Groups) => group.take(number, line),
            (None, Place::Groups) => {
                before += 1;
            }
            (_, Place::Head) => head.take(line),
            (_, Place::Outside) if seen => {
                // Two blocks may share the line between them.
                head = Head::default();
                head.take(line);
                place = Place::Head;
            }
            (_, Place::Outside) => {}
        }
    }
    if before > 0 {
        warnings.push(format!("{before} lines stand before the first group and are left out"));
    }
    match open {
        Some(group) if done.is_empty() => {
            return Err(ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of a group")
                .at_line(group.line, None)
                .expected("a last line @")
                .help("Perhaps it was still being written; drop the whole file again."));
        }
        Some(group) => warnings.push(format!(
            "the last group, from line {} on, is not complete: the {} before it are taken",
            group.line,
            done.len()
        )),
        None => {}
    }
    if done.is_empty() {
        let error = if seen {
            ConvertError::new(ErrorKind::NotYet, "the file has no group of tests")
                .help("Perhaps it was still being written; drop the whole file again.")
        } else {
            ConvertError::new(ErrorKind::WrongFormat, "there is no line @")
                .help("Check that the right converter is set for this folder.")
        };
        return Err(error.expected("blocks between lines @, as Takaya testers write them"));
    }
    Ok(done)
}

/// The number of a `* GROUP No.1 *` line; no number for one that cannot be read.
fn group_number(line: &str) -> Option<Option<i32>> {
    let inner = line.trim().strip_prefix('*')?.trim().strip_prefix("GROUP")?;
    let digits: String =
        inner.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    Some(digits.parse::<i16>().ok().map(i32::from))
}

/// The words of a `* PASS *` line.
fn verdict(line: &str) -> Option<&str> {
    let line = line.trim();
    (!line.contains(['\t', '"'])).then_some(())?;
    Some(line.strip_prefix('*')?.strip_suffix('*')?.trim())
}

fn is_counters(line: &str) -> bool {
    line.trim_start().starts_with("D.T:")
}

impl<'a> Head<'a> {
    fn take(&mut self, line: &'a str) {
        if let Some(verdict) = verdict(line) {
            self.verdict = verdict;
        } else if let Some(date) = line.trim().strip_prefix("DATE") {
            self.date = date.trim_start_matches([':', ' ']);
        } else if !is_counters(line) {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let (name, value) = (name.trim(), value.trim());
            match name.to_ascii_lowercase().as_str() {
                "model" => self.model = value,
                "test time" => self.test_time = value,
                "test id" => self.test_id = value,
                "user name" => self.user = value,
                _ => self.unknown.add(name, value),
            }
        }
    }

    /// The test time in seconds.
    pub(super) fn seconds(&self) -> Option<f64> {
        crate::kit::text::number(self.test_time.trim_end_matches(['s', ' '])).filter(|it| *it >= 0.0)
    }
}

impl<'a> Group<'a> {
    fn take(&mut self, number: usize, line: &'a str) {
        if let Some(verdict) = verdict(line) {
            self.verdict = verdict;
        } else if let Some(serial) = line.trim().strip_prefix("Serial No.") {
            self.serial = serial.trim_start_matches(':').trim();
        } else if line.starts_with("Group_No.") {
            self.titles = line;
        } else if !is_counters(line) {
            self.steps.push((number, line));
        }
    }

    /// The board's own verdict; that of the block where it has none.
    fn result(&self) -> Option<Status> {
        let stated = if self.verdict.is_empty() { self.head.verdict } else { self.verdict };
        match stated {
            "" => None,
            "PASS" => Some(Status::Passed),
            // Also NO-TEST: the board did not pass.
            _ => Some(Status::Failed),
        }
    }

    /// The report without what the two formats have in their own way: number, process and sequence of the program.
    pub(super) fn report(
        &self,
        mut report: Report,
        root: Step,
        input: &Input,
        arguments: &Arguments,
        warnings: &mut Vec<String>,
    ) -> Result<Report, ConvertError> {
        let computed = tree::rolled_up(root.children());
        report.result = self.result().unwrap_or_else(|| {
            warnings.push(format!("the group from line {} on states no result: its steps decide", self.line));
            computed
        });
        if report.result != computed {
            let text = format!("{}; by its steps: {computed:?}", self.verdict);
            report.misc_infos.push(build::info("TesterStatus", &text));
        }
        report.root = Some(Step { status: report.result, ..root });
        let uut = report.uut.get_or_insert_with(Uut::default);
        uut.test_socket_index = self.number;
        if uut.user.is_none() {
            uut.user = Some(arguments.text("operator").into());
        }
        if !self.head.test_id.is_empty() {
            report.machine_name = self.head.test_id.into();
        }
        report.start = moment(self.head.date, &input.station.time_zone);
        if report.start.is_none() && !self.head.date.is_empty() {
            warnings.push(format!("the date \"{}\" is none like 20/4/2023 13:02:39", self.head.date));
        }
        report.misc_infos.extend(self.head.unknown.infos());
        header::complete(&mut report, input, warnings)?;
        Ok(report)
    }
}

/// The reports of the boards that have a serial number; the others are named.
pub(super) fn reports<'a>(
    groups: &[Group<'a>],
    warnings: &mut Vec<String>,
    mut report: impl FnMut(&Group<'a>, &mut Vec<String>) -> Result<Report, ConvertError>,
) -> Result<Vec<Report>, ConvertError> {
    let mut reports = Vec::with_capacity(groups.len());
    let mut first_error = None;
    for group in groups {
        match report(group, warnings) {
            Ok(report) => reports.push(report),
            Err(error) if error.kind == ErrorKind::Missing => {
                warnings
                    .push(format!("the group from line {} on is left out: {}", group.line, error.problem));
                first_error.get_or_insert(error.at_line(group.line, None));
            }
            Err(error) => return Err(error.at_line(group.line, None)),
        }
    }
    match first_error {
        Some(error) if reports.is_empty() => Err(error),
        _ => Ok(reports),
    }
}
