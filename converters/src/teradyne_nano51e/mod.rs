//! Teradyne Nano 51e: rows of measurements, and a file name that says whose they are.
//!
//! `rows` reads a row and makes its step.

mod rows;

use std::collections::HashMap;

use wats::report::{Report, Status, Step, Uut};

use self::rows::{Row, Separator};
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, header, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct TeradyneNano51e;

const ABOUT: About = About {
    name: "teradyne-nano-51e",
    title: "Teradyne Nano 51e",
    vendor: "Teradyne",
    description: "Result files of Nano 51e testers, named A%part%date%serial_status_time.csv; one report for each.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.csv"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "30",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "operator",
            description: "Operator, whom the files do not name",
            default: "sysoper",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceFileName",
            description: "Name of the test sequence; empty: the part number",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence; empty: 1.0.0",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "revision",
            description: "Revision of the units, which the files do not name",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "groupSteps",
            description: "A sequence for each group that stands in brackets behind a name; else all steps stand in the root",
            default: "true",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Let the tester write its result files into the watched folder under their own names: part number, production date, serial number, \
                result and time stand only there.",
        mapping: &[
            ("file name: part number, serial number", "pn, sn"),
            ("file name: status", "result: OK passed, all else failed"),
            ("file name: time (yyyyMMddHHmmss)", "start, local to the station"),
            ("file name: date behind the part number", "misc info SMT Production Date"),
            ("the first line", "tells what separates the columns: comma, semicolon or tab"),
            ("name[group]", "a step with that name, in a sequence for the group"),
            (
                "value and its unit",
                "the measured value; what is none stands in the reportText of a pass/fail step",
            ),
            ("low and high limit", "limits in the unit of the value, each by its own prefix"),
            ("PASS", "passed; every other word failed"),
            ("further columns", "reportText"),
        ],
        limits: &[
            "Decimal commas need quoted columns, or semicolons between columns, or a comma in each of the three numbers of a row.",
            "A limit whose unit is another than the value's, prefixes apart, stands in the reportText, with a warning.",
            "No genuine file was at hand: the converter is built and tested by the description of the format.",
        ],
    },
};

impl Converter for TeradyneNano51e {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        if Name::parse(&input.file_name).is_none() {
            return Qualification::none(format!("the name is not like {LIKE}"));
        }
        let beginning = input.bytes.get(..8192).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let separator = Separator::of(&text);
        let mut decimals = Decimals::default();
        let is_row = |line: &str| Row::parse(line, separator).is_some_and(|row| row.has_group(&mut decimals));
        if text.lines().any(is_row) {
            Qualification::new(0.95, "the name, and rows name[group], value, limits, verdict")
        } else {
            Qualification::none(
                "the name is right, and there are no rows name[group], value, limits, verdict",
            )
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let name = Name::parse(&input.file_name).ok_or_else(|| {
            ConvertError::new(
                ErrorKind::WrongFormat,
                format!(
                    "the file name \"{}\" has no part number, serial number, status and time",
                    input.file_name
                ),
            )
            .expected(format!("a name like {LIKE}"))
            .help("Leave the files the names that the tester gives them.")
        })?;
        let mut warnings = Vec::new();
        let steps = steps(&decoded, arguments.flag("groupSteps"), &mut warnings)?;
        let mut report = Report::without_root(name.part, name.serial, arguments.text("revision"));
        report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
        report.start = time::parse_as(name.time, &["%Y%m%d%H%M%S"], &input.station.time_zone);
        report.result = if name.status.eq_ignore_ascii_case("OK") { Status::Passed } else { Status::Failed };
        report.uut = Some(Uut { user: Some(arguments.text("operator").into()), ..Uut::default() });
        if !name.produced.is_empty() {
            report.misc_infos.push(build::info("SMT Production Date", name.produced));
        }
        if !["OK", "NG"].iter().any(|it| it.eq_ignore_ascii_case(name.status)) {
            warnings.push(format!(
                "the status \"{}\" of the file name is neither OK nor NG: failed",
                name.status
            ));
            report.misc_infos.push(build::info("Status", name.status));
        }
        let or = |set: &'static str, default: &str| match arguments.text(set) {
            "" => default.to_owned(),
            set => set.to_owned(),
        };
        let sequence = or("sequenceFileName", name.part);
        let mut root = build::sequence(&sequence, &sequence, &or("sequenceVersion", "1.0.0"), steps);
        root.status = report.result;
        report.root = Some(root);
        header::complete(&mut report, input, &mut warnings)?;
        Ok(Conversion { reports: vec![report], warnings })
    }
}

const LIKE: &str = "A%PN123%20240115%SN0001_OK_20240131081502.csv";

/// What a file's name says.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Name<'a> {
    part: &'a str,
    produced: &'a str,
    serial: &'a str,
    status: &'a str,
    time: &'a str,
}

impl<'a> Name<'a> {
    /// Reads a name from its end: part and serial numbers may have the signs that separate.
    fn parse(name: &'a str) -> Option<Self> {
        let (name, ending) = name.rsplit_once('.')?;
        let (rest, time) = name.strip_prefix("A%")?.rsplit_once('_')?;
        let (rest, status) = rest.rsplit_once('_')?;
        let (rest, serial) = rest.rsplit_once('%')?;
        let (part, produced) = rest.rsplit_once('%')?;
        let dated = time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit());
        let whole = ![part, serial, status].iter().any(|text| text.trim().is_empty());
        (dated && whole && ending.eq_ignore_ascii_case("csv")).then_some(Self {
            part,
            produced,
            serial,
            status,
            time,
        })
    }
}

/// The rows as steps, in their groups in the order of the first of each.
fn steps(text: &str, grouped: bool, warnings: &mut Vec<String>) -> Result<Vec<Step>, ConvertError> {
    let separator = Separator::of(text);
    let mut steps: Vec<Step> = Vec::new();
    let mut groups: HashMap<String, usize> = HashMap::new();
    let mut decimals = Decimals::default();
    let mut unread = Unread::default();
    let mut rows = 0_usize;
    let cut = !text.ends_with('\n');
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let mut first = true;
    while let Some((index, line)) = lines.next() {
        let number = index + 1;
        let row = Row::parse(line, separator);
        if std::mem::take(&mut first) && !row.as_ref().is_some_and(|row| row.has_group(&mut decimals)) {
            continue;
        }
        let Some(row) = row.filter(|row| !cut || lines.peek().is_some() || row.has_whole_verdict()) else {
            if cut && lines.peek().is_none() {
                return Err(ConvertError::new(ErrorKind::NotYet, "the file ends inside of a row")
                    .at_line(number, Some(line.chars().count() + 1))
                    .expected("name[group], value, low limit, high limit, PASS or FAIL")
                    .help("Perhaps it was still being written; drop the whole file again."));
            }
            unread.add(number, line);
            continue;
        };
        rows += 1;
        let step = row.step(number, &mut decimals, warnings);
        let Some(group) = row.group.filter(|_| grouped) else {
            steps.push(step);
            continue;
        };
        let at = *groups.entry(group.clone()).or_insert_with(|| {
            steps.push(build::sequence(&group, &group, "1.0.0", Vec::new()));
            steps.len() - 1
        });
        if let Some(inner) = steps.get_mut(at).and_then(|group| group.steps.as_mut()) {
            inner.push(step);
        }
    }
    if rows == 0 {
        return Err(ConvertError::new(ErrorKind::NotYet, "there is no row with a measurement")
            .expected("name[group], value, low limit, high limit, PASS or FAIL")
            .help("Perhaps the file was still being written; drop the whole file again."));
    }
    for group in steps.iter_mut().filter(|step| step.steps.is_some()) {
        group.status = tree::rolled_up(group.children());
    }
    steps.extend(unread.step("rows name[group], value, low limit, high limit, verdict", warnings));
    warnings.extend(decimals.warning());
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_from_its_end() {
        let shown = |name: &'static str| {
            Name::parse(name).map(|it| [it.part, it.produced, it.serial, it.status, it.time].join(" "))
        };
        for (name, expected) in [
            (
                "A%PN123%20240115%SN0001_NG_20240131081502.csv",
                Some("PN123 20240115 SN0001 NG 20240131081502"),
            ),
            ("A%P_N%1%x%S_1_OK_20240131081502.CSV", Some("P_N%1 x S_1 OK 20240131081502")),
            ("A%PN%%S_OK_20240131081502.csv", Some("PN  S OK 20240131081502")),
            ("A%PN%1%S_OK_2024013108150.csv", None),
            ("A%PN%1%_OK_20240131081502.csv", None),
            ("A%PN%S_OK_20240131081502.csv", None),
            ("PN%1%S_OK_20240131081502.csv", None),
            ("A%PN%1%S_OK_20240131081502.txt", None),
            ("A%PN%1%S_OK_20240131081502", None),
        ] {
            assert_eq!(shown(name).as_deref(), expected, "{name}");
        }
    }
}
