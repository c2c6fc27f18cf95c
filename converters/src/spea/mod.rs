//! SPEA in-circuit testers: semicolon-separated lines, a unit from `START` to `END`, in two dialects.
//!
//! Files with a `FORMAT` line, or with a version in `START`, come from the 3030 and are mapped as its users know them;
//! all others as at Bitron.
//! `lines` reads a test line.

mod lines;

use wats::report::{Double, MiscInfo, Report, Status, Step, Time, Uut};

use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unknown;
use crate::kit::{build, header, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct Spea;

const ABOUT: About = About {
    name: "spea",
    title: "SPEA in-circuit test",
    vendor: "SPEA",
    description: "Semicolon-separated result files of SPEA testers, of the 3030 as well; one report for each START … END.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.csv", "*.log", "*.txt"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "31",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "dialect",
            description: "How the START line is read; auto: as 3030 when the file has a FORMAT line, or START the program twice and a version",
            default: "auto",
            kind: ArgumentKind::Choice(&["auto", "bitron", "3030"]),
        },
        Argument {
            name: "partNumber",
            description: "Part number of units of a 3030, whose files have none; empty: the program's name",
            default: "PN1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "stationNamePrefix",
            description: "Stands before the station's number of the START line; not with a 3030",
            default: "U62P-ICT-0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "location",
            description: "Location of the station; empty: the station's own setting",
            default: "Production",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "purpose",
            description: "Purpose of the station; empty: the station's own setting",
            default: "ICT Test",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Let the tester write its result file (`.csv`, `.log` or `.txt`) into the watched folder. A 3030 appends each test to one file; \
                have it begin a new one for each board or batch, because a file is taken once it no longer grows.",
        mapping: &[
            ("START, 2nd and 3rd field", "name of the root: folder/testplan; with a 3030 the program (3rd)"),
            (
                "START, 4th field",
                "machineName, after the prefix; with a 3030 the version of the root sequence",
            ),
            ("START, 5th field", "pn; with a 3030 misc info Product"),
            ("START, 6th field", "uut.user; `operator` when it is empty"),
            ("START, 7th and 8th field", "start"),
            ("LOT", "uut.batchSN and misc info Batch Serial"),
            ("SN", "sn; UNKNOWN when there is none"),
            ("ANL and FUNC, site of the first", "uut.testSocketIndex"),
            ("ANL and FUNC, letters that the task begins with", "a sequence for each kind of component"),
            (
                "ANL and FUNC, test name, measure, limits, unit",
                "a numeric test; all zero or Automatic: pass/fail",
            ),
            (
                "BOARDRESULT (3030: END)",
                "result: PASS; ERROR and NONE error; INTERRUPTED terminated; else failed",
            ),
            ("END less START", "uut.execTime and the root's totTime"),
            ("lines with another first word", "misc info, with a warning"),
        ],
        limits: &[
            "Task and test numbers, test points and program lines are not taken over.",
            "Dates are read month first, unless FORMAT says ddmm or one of the file can only be read day first.",
            "A test that was interrupted has no measurement in the report: the server takes no such status with one. Its value stands in the report text.",
            "Files that are not of a 3030: lines whose test name begins with NUL and lines of the tasks END and RETURN are no tests.",
        ],
    },
};

/// A test file: the lines of one unit from START to END.
#[derive(Debug, Default)]
struct Test<'a> {
    /// Where START stands.
    line: usize,
    /// What the last FORMAT line before it says of dates.
    format: Option<&'a str>,
    start: Vec<&'a str>,
    lot: &'a str,
    serial: &'a str,
    board_result: Option<&'a str>,
    end: Option<Vec<&'a str>>,
    tests: Vec<(usize, &'a str)>,
    unknown: Unknown,
}

impl Test<'_> {
    /// A 3030 writes its program twice, and a version where others have the number of the station.
    fn looks_like_3030(&self) -> bool {
        let start = |field: usize| self.start.get(field).copied().unwrap_or_default();
        start(2) == start(4) && start(3).contains('.')
    }
}

impl Converter for Spea {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..8192).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let keys: Vec<Vec<&str>> = text.lines().map(fields).collect();
        let Some(start) = keys.iter().find(|line| key(line) == "START") else {
            return Qualification::none("no line START;");
        };
        let has = |wanted: &[&str]| keys.iter().any(|line| wanted.contains(&key(line)));
        let dated = start.get(6).is_some_and(|date| date.contains('/'));
        match (dated, has(&["ANL", "FUNC"])) {
            (true, true) => Qualification::new(0.95, "a START line with a date, and tests after it"),
            (true, false) if has(&["SN", "LOT", "BOARDRESULT", "END"]) => {
                Qualification::new(0.7, "a START line with a date, and no test near the beginning")
            }
            (_, true) => Qualification::new(0.6, "a START line and tests, but no date where it should be"),
            _ => Qualification::none("a START line, and nothing that follows it in files of SPEA"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let file = Lines::read(&decoded, &mut warnings)?;
        let is_3030 = match arguments.text("dialect") {
            "bitron" => false,
            "3030" => true,
            _ => {
                file.tests.iter().any(|test| test.format.is_some())
                    || file.tests.iter().all(Test::looks_like_3030)
            }
        };
        let day_first = day_first(&file);
        let mut unit = Unit { input, arguments, is_3030, day_first, decimals: Decimals::default() };
        let mut reports = Vec::with_capacity(file.tests.len());
        for test in &file.tests {
            let report = unit.report(test, &mut warnings);
            reports.push(report.map_err(|error| error.at_line(test.line, None))?);
        }
        warnings.extend(unit.decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

fn fields(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    text::cells(line, b';', &mut fields);
    fields
}

fn key<'a>(line: &[&'a str]) -> &'a str {
    line.first().copied().unwrap_or_default()
}

/// A file's tests in their order.
struct Lines<'a> {
    tests: Vec<Test<'a>>,
}

impl<'a> Lines<'a> {
    fn read(text: &'a str, warnings: &mut Vec<String>) -> Result<Self, ConvertError> {
        let mut file = Self { tests: Vec::new() };
        let mut format = None;
        let mut open: Option<Test<'a>> = None;
        let mut outside = 0_usize;
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            if line.trim().is_empty() {
                continue;
            }
            let first = line.split_once(';').map_or(line, |(first, _)| first).trim();
            if let ("ANL" | "FUNC", Some(test)) = (first, &mut open) {
                test.tests.push((number, line));
                continue;
            }
            let line = fields(line);
            let value = line.get(1).copied().unwrap_or_default();
            match (first, &mut open) {
                ("FORMAT", _) => format = Some(value),
                ("START", _) => {
                    let test = Test { line: number, format, start: line, ..Test::default() };
                    if let Some(unfinished) = open.replace(test) {
                        file.unfinished(unfinished, warnings);
                    }
                }
                ("LOT", Some(test)) => test.lot = value,
                ("SN", Some(test)) => test.serial = value,
                ("BOARDRESULT", Some(test)) => test.board_result = Some(value),
                ("END", Some(test)) => {
                    test.end = Some(line);
                    file.tests.extend(open.take());
                }
                (other, Some(test)) => {
                    test.unknown.add(other, &line.get(1..).unwrap_or_default().join(";"));
                }
                (_, None) => outside += 1,
            }
        }
        if outside > 0 {
            warnings.push(format!("{outside} lines stand outside of START and END and are left out"));
        }
        let broken = || {
            ConvertError::new(ErrorKind::NotYet, "the file ends before the END line")
                .expected("a line END; for each START;")
                .help("Perhaps it was still being written; drop the whole file again.")
        };
        // A last line without its line end may have lost its tail.
        let cut = !text.ends_with('\n')
            && open.is_none()
            && file.tests.last().and_then(|test| test.end.as_ref()).is_some_and(|end| !is_whole(end));
        let unfinished = if cut { file.tests.pop() } else { open };
        match unfinished {
            Some(test) if file.tests.is_empty() => return Err(broken().at_line(test.line, None)),
            Some(test) => warnings.push(format!(
                "the last test, from line {} on, has no END line: the {} before it are taken",
                test.line,
                file.tests.len()
            )),
            None => {}
        }
        if file.tests.is_empty() {
            return Err(ConvertError::new(ErrorKind::WrongFormat, "there is no line START;")
                .expected("a result file of a SPEA tester")
                .help("Check that the right converter is set for this folder."));
        }
        Ok(file)
    }

    /// A test that another one followed: the tester gave it up, or lost its END line.
    fn unfinished(&mut self, test: Test<'a>, warnings: &mut Vec<String>) {
        if test.board_result.is_some() {
            warnings.push(format!("the test from line {} on has no END line", test.line));
            self.tests.push(test);
        } else {
            warnings.push(format!(
                "the test from line {} on has neither BOARDRESULT nor END and is left out",
                test.line
            ));
        }
    }
}

/// True for an END line whose time is all there.
fn is_whole(end: &[&str]) -> bool {
    matches!(end, [_, _, _, time, ..] if time.len() == 8)
}

const MONTH_FIRST: &str = "%m/%d/%Y %H:%M:%S";
const DAY_FIRST: &str = "%d/%m/%Y %H:%M:%S";

/// True when the dates of the file can only be read day first.
fn day_first(file: &Lines<'_>) -> bool {
    let reads = |format: &str| {
        file.tests
            .iter()
            .flat_map(|test| [stamp(&test.start, 6), test.end.as_ref().and_then(|end| stamp(end, 2))])
            .flatten()
            .all(|written| jiff::civil::DateTime::strptime(format, written).is_ok())
    };
    !reads(MONTH_FIRST) && reads(DAY_FIRST)
}

/// Date and time of a line, from the field on.
fn stamp(line: &[&str], field: usize) -> Option<String> {
    let date = line.get(field).filter(|date| !date.is_empty())?;
    Some(format!("{date} {}", line.get(field + 1).copied().unwrap_or("00:00:00")))
}

/// What all units of a file share.
struct Unit<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    is_3030: bool,
    day_first: bool,
    decimals: Decimals,
}

impl Unit<'_> {
    fn report(&mut self, test: &Test<'_>, warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
        let start = |field: usize| test.start.get(field).copied().unwrap_or_default();
        let or = |value: &str, default: &str| if value.is_empty() { default } else { value }.to_owned();
        if test.serial.is_empty() {
            warnings
                .push(format!("the test from line {} on has no serial number: UNKNOWN is used", test.line));
        }
        let set = self.arguments.text("partNumber");
        let part_number = if self.is_3030 && !set.is_empty() { set } else { start(4) };
        let mut report = Report::without_root(or(part_number, "UNKNOWN"), or(test.serial, "UNKNOWN"), "1.0");
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        if !self.is_3030 && !start(3).is_empty() {
            report.machine_name = format!("{}{}", self.arguments.text("stationNamePrefix"), start(3)).into();
        }
        report.location = self.arguments.text("location").into();
        report.purpose = self.arguments.text("purpose").into();
        report.start = self.time(test, stamp(&test.start, 6), warnings);
        let end = test.end.as_ref().and_then(|end| self.time(test, stamp(end, 2), warnings));
        let seconds = report.start.as_ref().and_then(Time::instant).zip(end.as_ref().and_then(Time::instant));
        let seconds = seconds.map(|(from, to)| to.duration_since(from).as_secs_f64()).filter(|it| *it >= 0.0);

        let steps = lines::steps(test, self.is_3030, &mut self.decimals, warnings);
        report.result = self.result(test, &steps, warnings);
        let socket =
            test.tests.first().and_then(|(_, line)| line.split(';').nth(1)?.trim().parse::<i16>().ok());
        report.uut = Some(Uut {
            user: Some(or(start(5), "operator").into()),
            exec_time: seconds.map(Double::new),
            batch_sn: Some(test.lot.to_owned()).filter(|lot| !lot.is_empty()).map(Into::into),
            test_socket_index: socket.map(i32::from),
            ..Uut::default()
        });
        report.misc_infos = self.infos(test, warnings);

        let (name, file, version) = if self.is_3030 {
            (start(2).to_owned(), start(2), or(start(3), "1.0.0"))
        } else {
            (format!("{}/{}", start(1), start(2)), self.input.file_name.as_str(), "1.0.0".to_owned())
        };
        let mut root = build::sequence(&or(&name, "SPEA"), &or(file, "SPEA"), &version, steps);
        root.status = match (self.is_3030, root.steps.as_deref()) {
            (false, Some(steps)) => tree::root(steps, report.result),
            // A board passes although a test failed that was repeated later.
            _ => report.result,
        };
        root.tot_time = seconds.map(Double::new);
        report.root = Some(root);
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    fn time(&self, test: &Test<'_>, written: Option<String>, warnings: &mut Vec<String>) -> Option<Time> {
        let written = written?;
        let day_first = match test.format {
            Some(format) if format.eq_ignore_ascii_case("ddmm") => true,
            Some(format) if format.eq_ignore_ascii_case("mmdd") => false,
            _ => self.day_first,
        };
        // The likely one first.
        let order = if day_first { [DAY_FIRST, MONTH_FIRST] } else { [MONTH_FIRST, DAY_FIRST] };
        let read = time::parse_as(&written, &order, &self.input.station.time_zone);
        if read.is_none() {
            warnings.push(format!(
                "the test from line {} on: \"{written}\" is no time like 11/28/2024 14:07:31",
                test.line
            ));
        }
        read
    }

    fn result(&self, test: &Test<'_>, steps: &[Step], warnings: &mut Vec<String>) -> Status {
        let of_end = test.end.as_ref().and_then(|end| verdict(end.get(1)?));
        let of_board = test.board_result.and_then(verdict);
        if let (Some(end), Some(board)) = (of_end, of_board)
            && end != board
        {
            warnings.push(format!(
                "the test from line {} on: BOARDRESULT and END differ; {} counts",
                test.line,
                if self.is_3030 { "END" } else { "BOARDRESULT" }
            ));
        }
        let stated = if self.is_3030 { of_end.or(of_board) } else { of_board.or(of_end) };
        stated.unwrap_or_else(|| {
            warnings.push(format!("the test from line {} on states no result: its tests decide", test.line));
            tree::rolled_up(steps)
        })
    }

    fn infos(&self, test: &Test<'_>, warnings: &mut Vec<String>) -> Vec<MiscInfo> {
        let mut infos = vec![
            build::info("Source File", &self.input.file_name),
            build::info("Converter", "SPEA Converter (Bitron ICT) v2.0.0"),
        ];
        if !test.lot.is_empty() {
            infos.push(build::info("Batch Serial", test.lot));
        }
        if self.is_3030 {
            let of_start = [("Programme Type", 1), ("Product", 4)];
            infos.extend(of_start.iter().filter_map(|(name, field)| {
                test.start.get(*field).filter(|text| !text.is_empty()).map(|text| build::info(name, text))
            }));
        }
        infos.extend(test.unknown.infos());
        test.unknown.warn(warnings);
        infos
    }
}

/// What a word says of a board; nothing when there is none.
fn verdict(word: &str) -> Option<Status> {
    Some(match word.to_ascii_uppercase().as_str() {
        "" => return None,
        "PASS" | "PASSED" => Status::Passed,
        "ERROR" | "NONE" => Status::Error,
        "INTERRUPTED" | "TERMINATED" => Status::Terminated,
        _ => Status::Failed,
    })
}
