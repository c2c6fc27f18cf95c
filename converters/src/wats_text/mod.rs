//! WATS Standard Text: the server's own tab-separated format.
//!
//! A file holds reports one after the other, each a header, a table of steps and a footer between
//! markers. This file reads the markers and the headers; `steps` reads the table.

mod steps;

use wats::report::{Double, MiscInfo, Report, Status, SubUnit, Text, Time};

use crate::kit::{header, text, time, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};
use steps::Steps;

pub(crate) struct WatsText;

const ABOUT: About = About {
    name: "wats-text",
    title: "WATS Standard Text (WSTF)",
    vendor: "WATS",
    description: "Tab-separated text with --Header-Start-- and --Step-Data-Start-- markers; several reports a file.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.txt", "*.wstf"],
    arguments: &[Argument {
        name: "defaultOperationTypeCode",
        description: "Process code of reports that name none",
        default: "10",
        kind: ArgumentKind::ProcessCode,
    }],
    manual: Manual {
        setup: "Let the station's program write tab-separated WSTF files into the watched folder; a file may hold several units.",
        mapping: &[
            ("between --Header-Start-- and --Step-Data-Start--", "the header"),
            ("each line of the step data", "one step, or one more measurement of the step before"),
        ],
        limits: &[],
    },
};

const HEADER: &str = "--Header-Start--";
const STEPS: &str = "--Step-Data-Start--";
const FOOTER: &str = "--Step-Data-End--";
const ENDS: [&str; 2] = ["--UUT-End--", "-- UUT-End--"];

impl Converter for WatsText {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        match (text.contains(HEADER), text.contains(STEPS)) {
            (true, true) => Qualification::new(0.98, "has the markers of WATS Standard Text"),
            (true, false) => Qualification::new(0.85, "has the header marker of WATS Standard Text"),
            _ => Qualification::none("has no --Header-Start-- marker"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let text = text::decode(&input.bytes)?;
        let mut reading = Reading {
            input,
            arguments,
            part: Part::Outside,
            current: None,
            done: Vec::new(),
            warnings: Vec::new(),
        };
        let mut lines = text.lines().enumerate().peekable();
        let mut fields = Vec::with_capacity(14);
        while let Some((index, line)) = lines.next() {
            // A last line without its line end may have lost its tail.
            let whole = text.ends_with('\n') || lines.peek().is_some();
            // Every marker has these, and few other lines do.
            if line.contains("--") && reading.marker(line, index + 1)? {
                continue;
            }
            text::cells(line, b'\t', &mut fields);
            reading.fields(&fields, index + 1, whole)?;
        }
        reading.end_of_file()?;
        if reading.done.is_empty() {
            return Err(ConvertError::new(ErrorKind::WrongFormat, "there is no --Header-Start-- marker")
                .expected("a file in WATS Standard Text")
                .help("Check that the right converter is set for this folder."));
        }
        Ok(Conversion { reports: reading.done, warnings: reading.warnings })
    }
}

/// Which part of a report the current line belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Outside,
    Header,
    Steps,
    Footer,
}

struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    part: Part,
    current: Option<Current>,
    done: Vec<Report>,
    warnings: Vec<String>,
}

/// The report that is being read.
struct Current {
    report: Report,
    steps: Steps,
    first_line: usize,
    start: Option<Time>,
    start_utc: Option<Time>,
    software: (Option<Text>, Option<Text>),
    result_stated: bool,
}

impl Reading<'_> {
    /// Goes on to another part where a line says so; false for all other lines.
    fn marker(&mut self, line: &str, number: usize) -> Result<bool, ConvertError> {
        if line.contains(HEADER) {
            if self.current.is_some() && self.part != Part::Header {
                self.warnings
                    .push(format!("line {number}: a report begins before --UUT-End-- of the one before"));
                self.finish()?;
            }
            self.current.get_or_insert_with(|| Current::new(number));
            self.part = Part::Header;
        } else if self.current.is_none() {
            return Ok(false);
        } else if line.contains(STEPS) {
            self.part = Part::Steps;
        } else if line.contains(FOOTER) {
            self.part = Part::Footer;
        } else if ENDS.iter().any(|end| line.contains(end)) {
            self.finish()?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn fields(&mut self, fields: &[&str], number: usize, whole: bool) -> Result<(), ConvertError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let Some((key, values)) = fields.split_first() else { return Ok(()) };
        if fields.iter().all(|field| field.is_empty()) {
            return Ok(());
        }
        match self.part {
            Part::Outside => {}
            Part::Header => current.header(key, values, self.input, number, &mut self.warnings),
            Part::Footer if !whole && values.first().copied().and_then(Status::from_word).is_none() => {
                self.warnings.push(format!("line {number} may have lost its end, and is not read"));
            }
            Part::Footer => current.verdict(key, values, number, &mut self.warnings),
            // Some testers write the verdict of the unit among the steps.
            Part::Steps if key.eq_ignore_ascii_case("UUTStatus") => {
                current.verdict(key, values, number, &mut self.warnings);
            }
            Part::Steps => current.steps.row(fields, number, &mut self.warnings)?,
        }
        Ok(())
    }

    /// A report that the file breaks off in is not used; one that lacks only its last marker is.
    fn end_of_file(&mut self) -> Result<(), ConvertError> {
        let Some(current) = &self.current else { return Ok(()) };
        if self.part == Part::Footer {
            let words = "the last report has no --UUT-End-- marker; check that the file is complete";
            self.warnings.push(words.to_owned());
            return self.finish();
        }
        let problem =
            format!("the file ends in the middle of the report that begins at line {}", current.first_line);
        if self.done.is_empty() {
            return Err(ConvertError::new(ErrorKind::NotYet, problem)
                .expected(format!("{FOOTER} and {}", ENDS[0]))
                .help("Perhaps it was still being written; drop the whole file again."));
        }
        self.warnings
            .push(format!("{problem}: that report is left out, the {} before it are used", self.done.len()));
        Ok(())
    }

    /// Ends the current report.
    fn finish(&mut self) -> Result<(), ConvertError> {
        self.part = Part::Outside;
        let Some(mut current) = self.current.take() else { return Ok(()) };
        let report = &mut current.report;
        report.process_code = report
            .process_code
            .or_else(|| self.arguments.process_code("defaultOperationTypeCode").map(i32::from));
        report.start = current.start.or(current.start_utc);
        let children = current.steps.into_tree(&mut self.warnings);
        if !current.result_stated {
            report.result = tree::rolled_up(&children);
        }
        if let Some(root) = &mut report.root {
            root.status = tree::root(&children, report.result);
            root.steps = Some(children);
            if let Some(call) = &mut root.seq_call {
                if let (Some(name), _) = &current.software {
                    call.path = Some(text::fit(name, 200, "SoftwareName", &mut self.warnings));
                    call.name.clone_from(&call.path);
                }
                if let (_, Some(version)) = &current.software {
                    call.version = Some(text::fit(version, 30, "SoftwareVersion", &mut self.warnings));
                }
            }
        }
        header::complete(report, self.input, &mut self.warnings)
            .map_err(|error| error.at_line(current.first_line, None))?;
        self.done.push(current.report);
        Ok(())
    }
}

impl Current {
    fn new(first_line: usize) -> Self {
        Self {
            report: Report::uut("", "", "1"),
            steps: Steps::new(),
            first_line,
            start: None,
            start_utc: None,
            software: (None, None),
            result_stated: false,
        }
    }

    fn header(
        &mut self,
        key: &str,
        values: &[&str],
        input: &Input,
        number: usize,
        warnings: &mut Vec<String>,
    ) {
        let value = values.first().copied().unwrap_or_default();
        if key.is_empty() {
            warnings.push(format!("line {number}: \"{value}\" has no key before it; ignored"));
            return;
        }
        let mut lower = Text::from(key);
        lower.make_ascii_lowercase();
        if lower == "subunit" {
            self.sub_unit(values, number, warnings);
            return;
        }
        if value.is_empty() {
            return;
        }
        let owned = Text::from(value);
        let unreadable = |what: &str| format!("line {number}: {key} \"{value}\" is no {what}; ignored");
        let uut = self.report.uut.get_or_insert_default();
        match lower.as_str() {
            "serialnumber" => self.report.sn = owned,
            "partnumber" => self.report.pn = owned,
            "revision" => self.report.rev = owned,
            "stationname" => self.report.machine_name = owned,
            "operatorname" => uut.user = Some(text::fit(value, 100, key, warnings)),
            "batchserialnumber" => uut.batch_sn = Some(text::fit(value, 100, key, warnings)),
            "comment" => uut.comment = Some(text::fit(value, 5000, key, warnings)),
            "fixtureid" => uut.fixture_id = Some(text::fit(value, 100, key, warnings)),
            "softwarename" => self.software.0 = Some(owned),
            "softwareversion" => self.software.1 = Some(owned),
            "operationtypename" => self.report.process_name = Some(owned),
            "convertermode" => self.steps.set_mode(value),
            "operationtypecode" => match value.parse() {
                Ok(code) => self.report.process_code = Some(code),
                Err(_) => warnings.push(unreadable("process code")),
            },
            "testsocketindex" => match value.parse() {
                Ok(index) => uut.test_socket_index = Some(index),
                Err(_) => warnings.push(unreadable("whole number")),
            },
            "startdatetime" => match time::parse(value, &input.station.time_zone) {
                Some(time) => self.start = Some(time),
                None => warnings.push(unreadable("time")),
            },
            "utcstartdatetime" => match time::parse(value, &jiff::tz::TimeZone::UTC) {
                Some(time) => self.start_utc = Some(time),
                None => warnings.push(unreadable("time")),
            },
            "uutstatus" | "errorcode" | "errormessage" | "executiontime" => {
                self.verdict(key, values, number, warnings);
            }
            _ => {
                let info = MiscInfo {
                    description: Some(text::fit(key, 100, "misc info", warnings)),
                    text: Some(text::fit(value, 100, key, warnings)),
                    ..MiscInfo::default()
                };
                self.report.misc_infos.push(info);
            }
        }
    }

    fn sub_unit(&mut self, values: &[&str], number: usize, warnings: &mut Vec<String>) {
        let [part_type, pn, sn, rest @ ..] = values else {
            warnings.push(format!(
                "line {number}: a sub unit needs type, part number and serial number; ignored"
            ));
            return;
        };
        self.report.sub_units.push(SubUnit {
            part_type: Some(text::fit(part_type, 50, "sub unit type", warnings)),
            pn: Some(text::fit(pn, 100, "sub unit part number", warnings)),
            sn: Some(text::fit(sn, 100, "sub unit serial number", warnings)),
            rev: rest.first().map(|rev| text::fit(rev, 100, "sub unit revision", warnings)),
            ..SubUnit::default()
        });
    }

    /// The keys that header and footer share; the last one in the file wins.
    fn verdict(&mut self, key: &str, values: &[&str], number: usize, warnings: &mut Vec<String>) {
        let value = values.first().copied().unwrap_or_default();
        if value.is_empty() {
            return;
        }
        let uut = self.report.uut.get_or_insert_default();
        let mut lower = Text::from(key);
        lower.make_ascii_lowercase();
        match lower.as_str() {
            "uutstatus" => {
                self.result_stated = true;
                self.report.result = match Status::from_word(value) {
                    Some(s @ (Status::Passed | Status::Failed | Status::Error | Status::Terminated)) => s,
                    _ => {
                        warnings.push(format!("line {number}: unit status \"{value}\" is read as Passed"));
                        Status::Passed
                    }
                };
            }
            "errorcode" => match value.parse() {
                Ok(code) => uut.error_code = Some(code),
                Err(_) => warnings
                    .push(format!("line {number}: error code \"{value}\" is no whole number; ignored")),
            },
            "errormessage" => uut.error_message = Some(text::fit(value, 200, key, warnings)),
            "executiontime" => match text::number(value) {
                Some(seconds) => uut.exec_time = Some(Double::new(seconds)),
                None => {
                    warnings.push(format!("line {number}: time \"{value}\" is no number of seconds; ignored"))
                }
            },
            _ => {}
        }
    }
}
