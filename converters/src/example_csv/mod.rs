//! Example CSV: a header row that names its columns, and a row for each test.

mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;

use wats::report::{BooleanMeas, Double, Extra, Group, Report, Status, Step, StringMeas, Text};

use self::rows::Row;
use crate::kit::tally::Tally;
use crate::kit::{build, header, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct ExampleCsv;

const ABOUT: About = About {
    name: "example-csv",
    title: "Example CSV",
    vendor: "WATS",
    description: "Comma-separated files with a row of column names and a row for each test; rows of the same unit make one report.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.csv"],
    arguments: &[
        Argument {
            name: "delimiter",
            description: "What stands between the columns: a character, or Tab; Auto takes what the first row has",
            default: "Auto",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operationTypeCode",
            description: "Process code where the file has no column process",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "encoding",
            description: "Encoding of files without a byte-order mark; Auto takes UTF-8, or Windows-1252 where that is not possible",
            default: "Auto",
            kind: ArgumentKind::Choice(&["Auto", "utf-8", "utf-16", "latin-1", "cp1252"]),
        },
        Argument {
            name: "skip_empty_rows",
            description: "Skip rows without any text; else such a row is an error",
            default: "true",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Write a row of column names and below it a row for each test, in this form:\n\n\
                ```text\nserial_number,part_number,station,process,test_name,value,unit,low_limit,high_limit,status\n\
                SN001,PN-123,Station1,10,Voltage,5.2,V,4.5,5.5,P\n```\n\n\
                Columns may have any order; those that are not needed may be missing. A text with the delimiter, a quote or a line end stands in \
                double quotes, quotes in it are doubled.",
        mapping: &[
            (
                "serial_number or sn, part_number or pn",
                "sn, pn; rows with the same two are one report, in the order of their first rows",
            ),
            ("station, process", "machineName, processCode"),
            ("test_name or name", "name of the step"),
            ("value, a number", "numeric step; low_limit and high_limit decide its operator"),
            ("value, another text", "string step that is only logged"),
            ("value, empty", "pass/fail step"),
            ("unit", "unit of the number"),
            (
                "status, else result",
                "status of the step: P, PASS, PASSED, OK; F, FAIL, FAILED; else Done, which a number's limits decide",
            ),
            ("status, else result, failed in any row", "result failed, else passed"),
            ("group", "setup, main or cleanup where it says so"),
            ("the file's time", "start"),
            ("any other column", "misc info of the unit, its first value"),
        ],
        limits: &[
            "A number has a decimal point; one with a comma is a text.",
            "A group that is none of setup, main and cleanup is not taken over.",
            "A single measurement cannot be Done on a server: such a step has the status that its measurement has.",
        ],
    },
};

impl Converter for ExampleCsv {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..20_000).unwrap_or(&input.bytes);
        let Ok(text) = rows::decode(beginning, "Auto") else { return Qualification::none("no text") };
        let mut lines = text.lines().skip_while(|line| is_before_titles(line));
        let titles = lines.next().unwrap_or_default();
        let has_row = lines.any(|line| !line.trim().is_empty());
        let columns = Columns::new(&rows::cells(titles, rows::delimiter(titles, &is_title)));
        let unit = [columns.serial, columns.part].iter().flatten().count();
        match (unit, columns.name.is_some(), has_row) {
            (2, true, true) => {
                Qualification::new(0.95, "columns for serial number, part number and test name")
            }
            (2, _, true) => Qualification::new(0.7, "columns for serial number and part number"),
            (1, _, true) => Qualification::new(0.3, "a column for serial number or part number, not both"),
            (0, ..) => Qualification::none("no columns serial_number and part_number"),
            _ => Qualification::none("titles of columns without a row below"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let text = rows::decode(&input.bytes, arguments.text("encoding"))?;
        let first = text.lines().find(|line| !is_before_titles(line)).unwrap_or_default();
        let delimiter = match rows::named(arguments.text("delimiter"))? {
            Some(delimiter) => delimiter,
            None => rows::delimiter(first, &is_title),
        };
        let mut rows = rows::Rows::new(&text, delimiter);
        let mut row = Row { cells: Vec::with_capacity(16), ..Row::default() };
        while rows.read(&mut row)?
            && (row.is_empty() || row.cells.first().is_some_and(|cell| is_for_excel(cell)))
        {}
        let titles = row.cells;
        row.cells = Vec::with_capacity(titles.len());
        let columns = Columns::new(&titles);
        if columns.serial.is_none() || columns.part.is_none() {
            let shown: String = first.chars().take(80).collect();
            return Err(ConvertError::new(
                ErrorKind::WrongFormat,
                format!("the first row \"{shown}\" does not name the columns"),
            )
            .at_line(1, None)
            .expected("titles with serial_number and part_number, or sn and pn")
            .help("Set the argument delimiter if the columns are separated by something else."));
        }
        let mut units = Units::default();
        let mut tally = Tally::default();
        while rows.read(&mut row)? {
            if row.is_empty() {
                if !arguments.flag("skip_empty_rows") {
                    return Err(ConvertError::new(ErrorKind::Malformed, "the row is empty")
                        .at_line(row.line, None)
                        .help("Set the argument skip_empty_rows to true to skip such rows."));
                }
                continue;
            }
            if row.is_last && row.cells.len() < titles.len() {
                return Err(ConvertError::new(
                    ErrorKind::NotYet,
                    format!("the last row ends after {} of {} columns", row.cells.len(), titles.len()),
                )
                .at_line(row.line, None)
                .expected("a row that ends with a line end, or has all columns")
                .help("Perhaps the file was still being written; drop the whole file again."));
            }
            units.add(&columns, &titles, &row, &mut tally)?;
        }
        if units.units.is_empty() {
            return Err(ConvertError::new(ErrorKind::NotYet, "the file has titles and no row below them"));
        }
        let mut reports = Vec::with_capacity(units.units.len());
        for unit in units.units {
            let mut warnings = Vec::new();
            reports.push(unit.report(input, arguments, &mut warnings)?);
            warnings.into_iter().for_each(|warning| tally.add(warning));
        }
        Ok(Conversion { reports, warnings: tally.warnings("times") })
    }
}

/// True for what may stand before the titles: empty lines, and `sep=;` for Excel.
fn is_before_titles(line: &str) -> bool {
    line.trim().is_empty() || is_for_excel(line)
}

fn is_for_excel(line: &str) -> bool {
    line.trim().get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("sep="))
}

/// Where the columns stand that mean something.
#[derive(Default)]
struct Columns {
    serial: Option<usize>,
    part: Option<usize>,
    station: Option<usize>,
    process: Option<usize>,
    name: Option<usize>,
    value: Option<usize>,
    unit: Option<usize>,
    status: Option<usize>,
    result: Option<usize>,
    group: Option<usize>,
    low: Option<usize>,
    high: Option<usize>,
    others: Vec<usize>,
}

/// A title in small letters, with `_` between its words; nothing for one that is longer than all that are known.
fn plain<'b>(title: &str, buffer: &'b mut [u8; 16]) -> &'b [u8] {
    let title = text::trimmed(title).as_bytes();
    let Some(plain) = buffer.get_mut(..title.len()) else { return &[] };
    for (place, byte) in plain.iter_mut().zip(title) {
        *place = if matches!(byte, b' ' | b'-') { b'_' } else { byte.to_ascii_lowercase() };
    }
    plain
}

fn is_title(title: &str) -> bool {
    Columns::new(&[title.into()]).others.is_empty()
}

impl Columns {
    fn new(titles: &[Cow<'_, str>]) -> Self {
        let mut columns = Self::default();
        for (at, title) in titles.iter().enumerate() {
            let place = match plain(title, &mut [0; 16]) {
                b"serial_number" | b"sn" => &mut columns.serial,
                b"part_number" | b"pn" => &mut columns.part,
                b"station" => &mut columns.station,
                b"process" => &mut columns.process,
                b"test_name" | b"name" => &mut columns.name,
                b"value" => &mut columns.value,
                b"unit" => &mut columns.unit,
                b"status" => &mut columns.status,
                b"result" => &mut columns.result,
                b"group" => &mut columns.group,
                b"low_limit" => &mut columns.low,
                b"high_limit" => &mut columns.high,
                _ => {
                    columns.others.push(at);
                    continue;
                }
            };
            match place {
                None => *place = Some(at),
                Some(_) => columns.others.push(at),
            }
        }
        columns
    }
}

/// The units in the order of their first rows.
#[derive(Default)]
struct Units {
    units: Vec<Unit>,
    places: BTreeMap<(Text, Text), usize>,
    /// The unit of the row before: mostly the next is one of the same.
    last: usize,
}

#[derive(Default)]
struct Unit {
    serial: Text,
    part: Text,
    station: Text,
    process: Text,
    has_failed: bool,
    steps: Vec<Step>,
    /// Columns that mean nothing to a report.
    others: Vec<(Text, Text)>,
}

impl Units {
    fn add(
        &mut self,
        columns: &Columns,
        titles: &[Cow<'_, str>],
        row: &Row<'_>,
        tally: &mut Tally,
    ) -> Result<(), ConvertError> {
        let at = |column: Option<usize>| {
            column.and_then(|at| row.cells.get(at)).map(|cell| text::trimmed(cell)).unwrap_or_default()
        };
        let (serial, part) = (at(columns.serial), at(columns.part));
        for (value, what) in [(serial, "serial number"), (part, "part number")] {
            if value.is_empty() {
                return Err(ConvertError::new(ErrorKind::Missing, format!("the row has no {what}"))
                    .at_line(row.line, None)
                    .help("Each row needs both, so that it can be told which unit it belongs to."));
            }
        }
        if self.units.get(self.last).is_none_or(|last| (&*last.serial, &*last.part) != (serial, part)) {
            let key = (Text::from(serial), Text::from(part));
            self.last = *self.places.entry(key).or_insert(self.units.len());
            if self.last == self.units.len() {
                // Room for the steps that the unit before has, of which another may have none.
                let steps = Vec::with_capacity(self.units.last().map_or(0, |last| last.steps.len().min(32)));
                self.units.push(Unit { serial: serial.into(), part: part.into(), steps, ..Unit::default() });
            }
        }
        let Some(unit) = self.units.get_mut(self.last) else { return Ok(()) };
        for (place, column) in [(&mut unit.station, columns.station), (&mut unit.process, columns.process)] {
            if place.is_empty() {
                *place = at(column).into();
            }
        }
        let [status, result] = [columns.status, columns.result].map(|column| verdict(at(column)));
        // A unit that its tester calls failed has failed, whatever its rows say.
        unit.has_failed |= status == Some(Status::Failed) || result == Some(Status::Failed);
        for other in &columns.others {
            unit.keep(titles.get(*other).map_or("", |title| title), at(Some(*other)), tally);
        }
        for (number, cell) in row.cells.iter().enumerate().skip(titles.len()) {
            unit.keep(&format!("Column {}", number + 1), cell.trim(), tally);
        }
        let written = [at(columns.status), at(columns.result)].into_iter().find(|word| !word.is_empty());
        let status = if at(columns.status).is_empty() { result } else { status };
        if let (None, Some(word)) = (status, written.filter(|word| word.contains(char::is_alphanumeric))) {
            tally.add(format!(
                "the status \"{word}\" is none of P, PASS, PASSED, OK, F, FAIL and FAILED: read as Done"
            ));
        }
        let (name, value) = (at(columns.name), at(columns.value));
        if name.is_empty() && value.is_empty() {
            return Ok(());
        }
        let name =
            if name.is_empty() { Cow::Owned(format!("Row {}", row.line)) } else { Cow::Borrowed(name) };
        let limits = [columns.low, columns.high].map(|column| match at(column) {
            "" => None,
            limit => {
                let number = number(limit);
                if number.is_none() {
                    tally.add(format!("line {}: the limit \"{limit}\" is no number and left out", row.line));
                }
                number
            }
        });
        let Some(step) = add_step(&mut unit.steps, &name, value, at(columns.unit), limits, status) else {
            return Ok(());
        };
        let is_group = |words: [&str; 2]| words.iter().any(|it| it.eq_ignore_ascii_case(at(columns.group)));
        if is_group(["setup", "s"]) {
            step.group = Group::Setup;
        } else if is_group(["cleanup", "c"]) {
            step.group = Group::Cleanup;
        }
        unit.has_failed |= step.status == Status::Failed;
        Ok(())
    }
}

/// With a decimal point, or one of the words for what is not finite; one with a comma is a text.
fn number(written: &str) -> Option<f64> {
    text::decimal(written).filter(|(_, has_comma)| !has_comma).map(|(number, _)| number)
}

/// `None`: none that is known.
fn verdict(written: &str) -> Option<Status> {
    let is = |words: &[&str]| words.iter().any(|it| it.eq_ignore_ascii_case(written));
    if is(&["p", "pass", "passed", "ok"]) {
        Some(Status::Passed)
    } else {
        is(&["f", "fail", "failed"]).then_some(Status::Failed)
    }
}

/// Adds a step by what its value is, filled where it is: to move it costs as much as to read its row.
///
/// One with a single measurement has its status: a server takes no other.
fn add_step<'s>(
    steps: &'s mut Vec<Step>,
    name: &str,
    value: &str,
    unit: &str,
    [low, high]: [Option<f64>; 2],
    status: Option<Status>,
) -> Option<&'s mut Step> {
    let number = number(value);
    let kind = match (value, number) {
        ("", _) => "ET_PFT",
        (_, Some(_)) => "ET_NLT",
        (_, None) => "ET_SVT",
    };
    steps.push(Step::new(kind, name, status.unwrap_or(Status::Passed)));
    let step = steps.last_mut()?;
    match (value, number) {
        ("", _) => match status {
            Some(status) => {
                step.boolean_meas = build::only(BooleanMeas { name: None, status, extra: Extra::new() });
            }
            None => step.status = Status::Done,
        },
        (_, Some(number)) => {
            let mut measured = build::number(None, step.status, number, unit, (low, high));
            measured.unit = measured.unit.filter(|unit| !unit.is_empty());
            if status.is_none() {
                let limit = |limit: Option<Double>| limit.map(|limit| limit.get());
                let (low, high) = (limit(measured.low_limit), limit(measured.high_limit));
                measured.status = tree::numeric(&measured.comp_op, number, low, high);
                step.status = measured.status;
            }
            step.numeric_meas = build::only(measured);
        }
        (_, None) => {
            step.string_meas = build::only(StringMeas {
                comp_op: "LOG".into(),
                name: None,
                status: step.status,
                value: Some(value.into()),
                limit: None,
                extra: Extra::new(),
            });
        }
    }
    Some(step)
}

impl Unit {
    /// Keeps the first value of a column that is not known.
    fn keep(&mut self, title: &str, value: &str, tally: &mut Tally) {
        if value.is_empty() {
            return;
        }
        match self.others.iter().find(|(known, _)| known == title) {
            None => {
                tally.add(format!("column \"{title}\" is not known: kept as misc info"));
                self.others.push((title.into(), value.into()));
            }
            Some((_, first)) if first != value => {
                tally.add(format!("column \"{title}\" has several values in a unit: the first is kept"));
            }
            Some(_) => {}
        }
    }

    fn report(
        self,
        input: &Input,
        arguments: &Arguments,
        warnings: &mut Vec<String>,
    ) -> Result<Report, ConvertError> {
        let mut report = Report::uut(self.part, self.serial, arguments.text("partRevision"));
        report.machine_name = self.station;
        report.start = Some(crate::kit::time::of_file(input));
        report.process_code = match self.process.parse::<i16>() {
            Ok(code) if code > 0 => Some(code),
            _ => {
                if !self.process.is_empty() {
                    warnings.push(format!("the process \"{}\" is no process code: not used", self.process));
                }
                arguments.process_code("operationTypeCode")
            }
        }
        .map(i32::from);
        report.result = if self.has_failed { Status::Failed } else { Status::Passed };
        report.misc_infos = self.others.iter().map(|(title, value)| build::info(title, value)).collect();
        if let Some(root) = &mut report.root {
            root.status = report.result;
            root.steps = Some(self.steps);
        }
        header::complete(&mut report, input, warnings)?;
        Ok(report)
    }
}
