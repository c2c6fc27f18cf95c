//! The other style: records `{@BTEST|R101|R|M:100.5|L:90|H:110|P}`, with words for verdicts.

use wats::report::{Report, Status, Step, Uut};

use super::{digits, lines, station, stem};
use crate::kit::leftover::{Unknown, Unread};
use crate::kit::records::{Record, parse};
use crate::kit::{build, header, time, tree};
use crate::{Arguments, ConvertError, ErrorKind, Input};

/// True when a text has records of this style: tests with marked values or words for verdicts.
///
/// The records of the i3070 have the same names, and numbers for verdicts.
pub(crate) fn are_these(text: &str) -> bool {
    // To tell that there is no record at all is much faster than to look for the first.
    memchr::memmem::find(text.as_bytes(), b"{@").is_some()
        && text.split("{@").skip(1).any(|record| {
            let record = record.split(['}', '{', '\n']).next().unwrap_or_default();
            let mut fields = record.split('|').map(str::trim);
            match fields.next() {
                // An i3070 has the board's status where these have the type of the test.
                Some("BTEST") => {
                    let kind = fields.nth(1).unwrap_or_default();
                    let is_status = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_digit());
                    !is_status && fields.any(|field| is_marked(field) || verdict(field).is_some())
                }
                Some("BLOCK") => {
                    fields.next_back().is_some_and(|last| matches!(last, "P" | "F" | "E"))
                        && fields.next().is_some()
                }
                _ => false,
            }
        })
}

fn is_marked(field: &str) -> bool {
    ["M:", "L:", "H:"].iter().any(|mark| field.starts_with(mark))
}

fn verdict(field: &str) -> Option<Status> {
    match field.to_ascii_uppercase().as_str() {
        "P" | "PASS" | "PASSED" => Some(Status::Passed),
        "F" | "FAIL" | "FAILED" => Some(Status::Failed),
        _ => None,
    }
}

/// The one report of a file of records.
pub(super) fn report(
    text: &str,
    input: &Input,
    arguments: &Arguments,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let parsed = parse(text)?;
    if let Some(line) = parsed.open {
        return Err(ConvertError::new(ErrorKind::NotYet, "the file ends inside of a record")
            .at_line(line, None)
            .expected("a closing brace")
            .help("Perhaps it was still being written; drop the whole file again."));
    }
    if let Some(line) = parsed.first_stray {
        let count = parsed.stray;
        warnings.push(format!(
            "{count} texts stand outside of records and are left out, the first in line {line}"
        ));
    }
    let name = stem(&input.file_name);
    let mut file = Tests {
        part_number: String::new(),
        steps: Vec::new(),
        groups: Vec::new(),
        unread: Unread::default(),
    };
    let mut unknown = Unknown::default();
    let mut all: Vec<&Record<'_>> = Vec::new();
    flatten(&parsed.records, &mut all);
    for record in all {
        match record.name {
            "@BATCH" => record.field(0).clone_into(&mut file.part_number),
            "@BLOCK" => file.block(record),
            "@BTEST" => file.test(record, warnings),
            _ => unknown.add(record.name.trim_start_matches('@'), &record.fields.join("|")),
        }
    }
    let Tests { part_number, mut steps, groups, unread } = file;
    for (letter, inner) in groups {
        steps.push(build::sequence(&format!("{letter}-Group"), &format!("{letter}_tests.seq"), "1.0", inner));
    }
    steps.extend(unread.step("tests with a reference and a type", warnings));

    let part_number = if part_number.is_empty() { name.to_owned() } else { part_number };
    let start = time::of_file(input);
    warnings
        .push("the records have no start time and no serial number: the time of the file is used".to_owned());
    let mut report = Report::without_root(part_number, digits(&start), arguments.text("partRevision"));
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    report.machine_name = station(arguments).into();
    report.start = Some(start);
    report.result = tree::rolled_up(&steps);
    report.uut = Some(Uut { user: Some(arguments.text("operator").into()), ..Uut::default() });
    unknown.warn(warnings);
    report.misc_infos = unknown.infos().collect();
    report.root = Some(build::sequence(name, name, arguments.text("sequenceVersion"), steps));
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}

/// All records in the order in which they begin.
fn flatten<'r, 'a>(records: &'r [Record<'a>], all: &mut Vec<&'r Record<'a>>) {
    for record in records {
        all.push(record);
        flatten(&record.children, all);
    }
}

struct Tests {
    part_number: String,
    steps: Vec<Step>,
    /// By the first character of the references, in the order of their first tests.
    groups: Vec<(char, Vec<Step>)>,
    unread: Unread,
}

impl Tests {
    fn block(&mut self, record: &Record<'_>) {
        // Error counts as failed: a pass/fail test knows nothing else.
        let last = record.fields.last().map_or("", |field| field.trim());
        let status = if matches!(last, "F" | "E") { Status::Failed } else { Status::Passed };
        let name = if record.field(0).is_empty() { "BLOCK" } else { record.field(0) };
        self.steps.push(build::pass_fail(name, status));
    }

    fn test(&mut self, record: &Record<'_>, warnings: &mut Vec<String>) {
        let (reference, kind) = (record.field(0), record.field(1));
        let Some(letter) = reference.chars().next() else {
            self.unread.add(record.line, &record.shown());
            return;
        };
        let (mut value, mut low, mut high, mut stated) = (None, None, None, None);
        let mut others: Vec<&str> = Vec::new();
        for field in record.fields.iter().skip(2).map(|field| field.trim()).filter(|field| !field.is_empty())
        {
            let mut number = |written: &str| {
                let number = lines::number(written);
                if number.is_none() && !written.trim().is_empty() {
                    warnings.push(format!("line {}: \"{written}\" is no number", record.line));
                    others.push(field);
                }
                number
            };
            match (field.get(..2), field.get(2..)) {
                (Some("M:"), Some(written)) => value = number(written),
                (Some("L:"), Some(written)) => low = number(written),
                (Some("H:"), Some(written)) => high = number(written),
                _ => match verdict(field) {
                    Some(status) => stated = Some(status),
                    None => others.push(field),
                },
            }
        }
        let name = if kind.is_empty() { reference.to_owned() } else { format!("{reference}({kind})") };
        let mut step = match value {
            Some(value) => {
                let (operator, first, second) = tree::limits("", low, high);
                let status = stated.unwrap_or_else(|| tree::numeric(&operator, value, first, second));
                let number = build::number(None, status, value, unit(kind), (low, high));
                build::numeric(&name, status, [number])
            }
            None => build::pass_fail(&name, stated.unwrap_or(Status::Passed)),
        };
        step.report_text = (!others.is_empty()).then(|| others.join("\n")).map(Into::into);
        match self.groups.iter_mut().find(|(of, _)| *of == letter) {
            Some((_, steps)) => steps.push(step),
            None => self.groups.push((letter, vec![step])),
        }
    }
}

fn unit(kind: &str) -> &'static str {
    match kind {
        "AC" | "DC" => "V",
        "CP" => "F",
        "R" => "ohm",
        _ => "",
    }
}
