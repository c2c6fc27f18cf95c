//! XJTAG: archives of runs that XJRunner keeps, and single runs exported as XML.
//!
//! This file reads the archive and the unit; `functions` below a run are the steps.

mod functions;

use roxmltree::Node;
use wats::report::{Report, Status, Text, Uut};

use crate::kit::archive::{self, Archive};
use crate::kit::leftover::Elements;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, time, tree, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct Xjtag;

const ABOUT: About = About {
    name: "xjtag",
    title: "XJTAG boundary scan",
    vendor: "XJTAG",
    description: "Log archives of XJRunner and XJDeveloper (.xjlog, .zip) and single runs exported as XML; one report for each run.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xjlog", "*.zip", "*.xml"],
    arguments: &[
        Argument {
            name: "partNumber",
            description: "Part number of the units; the files have none",
            default: "PN",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "210",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the test sequence",
            default: "JTAGSeq1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence",
            default: "1.0.0",
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
            default: "JTAG Boundary Scan",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "In XJRunner, let each finished test save a log file (`.xjlog`) into the watched folder. One folder for each product is \
                best: part number and revision do not stand in the file and are set here.",
        mapping: &[
            ("`Run n.xml` in the archive, or the exported XML", "one report each, in the order of n"),
            ("testrun datetime", "start"),
            ("testruninfo serial", "sn; UNKNOWN when there is none"),
            ("testruninfo user", "uut.user"),
            ("testruninfo xjlink-name", "machineName; the station's name when it is empty"),
            ("testruninfo result", "result: Passed, Aborted (terminated), anything else failed"),
            ("testruninfo time-taken", "uut.execTime and the root's totTime, from ms"),
            (
                "testruninfo xjlink-serial, xjtag-version, project-description, and what is not known",
                "misc infos",
            ),
            ("testgroup", "a sequence"),
            ("testfunction", "a pass/fail step; Skipped and Not run are skipped"),
            ("text-output (else plain-text), error-message and net of a testfunction", "reportText"),
            ("text-output directly in testrun", "reportText of the root"),
        ],
        limits: &[
            "HTML outputs are read only of functions that did not pass and say nothing else; the summary, snippets and the raw pin data are not read.",
            "A function without a result is left out, with a warning.",
            "An archive with a password is refused.",
        ],
    },
};

impl Converter for Xjtag {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        if archive::is_zip(&input.bytes) {
            return match Archive::open(&input.bytes)
                .and_then(|mut archive| Ok((runs(&mut archive)?, archive)))
            {
                Ok((runs, _)) if runs.present.is_empty() => Qualification::none("an archive without runs"),
                Ok((runs, _)) if runs.missing.is_empty() => {
                    Qualification::new(0.95, "an archive of XJTAG runs")
                }
                Ok(_) => Qualification::new(0.7, "an archive of XJTAG runs of which some are missing"),
                Err(error) => Qualification::none(format!("no archive of XJTAG runs: {}", error.problem)),
            };
        }
        xml::qualify(input, &["testrun"], |beginning| {
            // Other tools call their reports testrun, too.
            if ["testgroup", "testruninfo", "text-output"].iter().any(|name| beginning.has(name)) {
                Qualification::new(0.95, "an XJTAG run as XML")
            } else {
                Qualification::new(0.3, "an element testrun without testgroup near its beginning")
            }
        })
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let file = File { input, arguments };
        let mut warnings = Vec::new();
        if !archive::is_zip(&input.bytes) {
            let report = file.run(&input.bytes, &mut warnings)?;
            return Ok(Conversion { reports: vec![report], warnings });
        }
        let mut archive = Archive::open(&input.bytes)?;
        let runs = runs(&mut archive)?;
        for number in &runs.missing {
            warnings.push(format!("Run {number}.xml is missing in the archive"));
        }
        if let Some(declared) = runs.other_count {
            warnings.push(format!(
                "Info.xml speaks of {declared} runs, the archive holds {}: all of them are taken",
                runs.present.len()
            ));
        }
        let mut reports = Vec::new();
        let mut first_error = None;
        for number in runs.present {
            let name = format!("Run {number}.xml");
            let mut of_run = Vec::new();
            let report = archive
                .read(&name)
                .map(Option::unwrap_or_default)
                .and_then(|bytes| file.run(&bytes, &mut of_run));
            match report {
                Ok(report) => {
                    reports.push(report);
                    warnings.extend(of_run.into_iter().map(|warning| format!("{name}: {warning}")));
                }
                Err(error) if error.kind == ErrorKind::TooLarge => return Err(error),
                Err(error) => {
                    warnings.push(format!("{name} is left out: {error}"));
                    first_error.get_or_insert((name, error));
                }
            }
        }
        match first_error {
            Some((name, error)) if reports.is_empty() => {
                let problem = format!("no run can be read; {name}: {}", error.problem);
                Err(ConvertError { problem, ..error })
            }
            _ if reports.is_empty() => Err(ConvertError::new(ErrorKind::Missing, "the archive has no run")
                .expected("Run 1.xml")
                .help("Check that the right converter is set for this folder.")),
            _ => Ok(Conversion { reports, warnings }),
        }
    }
}

/// Which runs an archive holds.
struct Runs {
    /// In rising order.
    present: Vec<usize>,
    /// Numbers up to the declared count without an entry.
    missing: Vec<usize>,
    /// The declared count, when the archive has more runs, or when it cannot be read.
    other_count: Option<String>,
}

fn runs(archive: &mut Archive<'_>) -> Result<Runs, ConvertError> {
    let wrong = |problem: &str| {
        ConvertError::new(ErrorKind::WrongFormat, problem)
            .expected("Info.xml with LogFileInfo, as in XJTAG archives")
            .help("Check that the right converter is set for this folder.")
    };
    let bytes = archive.read("Info.xml")?.ok_or_else(|| wrong("the archive has no Info.xml"))?;
    let info = xml::read(&bytes, &mut Vec::new())?;
    let document = xml::parse(&info)?;
    let root = document.root_element();
    let info = if is(root, "LogFileInfo") { Some(root) } else { child(root, "LogFileInfo") };
    let info = info.ok_or_else(|| wrong("Info.xml has no LogFileInfo"))?;
    let declared = child(info, "TestRunCount").and_then(xml::text).unwrap_or_default();

    let mut present: Vec<usize> = archive
        .names()
        .filter_map(|name| name.strip_prefix("run ")?.strip_suffix(".xml")?.trim().parse().ok())
        .collect();
    present.sort_unstable();
    let count = declared.parse::<usize>().ok();
    // A count that lies must not make a list of its length: the last gap that is named is the tenth.
    let missing: Vec<usize> =
        (1..=count.unwrap_or(0)).filter(|number| present.binary_search(number).is_err()).take(10).collect();
    let more = count.is_none_or(|count| present.last().is_some_and(|last| *last > count));
    Ok(Runs { present, missing, other_count: more.then(|| declared.into()) })
}

/// What all runs of a file share.
struct File<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
}

impl File<'_> {
    fn run(&self, bytes: &[u8], warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
        let decoded = xml::read(bytes, warnings)?;
        let document = xml::parse_as(&decoded, &["testrun"], "runs of XJTAG")?;
        let root = document.root_element();
        let info = child(root, "testruninfo").ok_or_else(|| {
            ConvertError::new(ErrorKind::Missing, "there is no element testruninfo").at_path("/testrun")
        })?;
        let value = |name: &'static str| child(info, name).and_then(xml::text);
        let serial_number = value("serial").unwrap_or_else(|| {
            warnings.push("the run has no serial number: UNKNOWN is used".to_owned());
            "UNKNOWN".into()
        });
        let mut report =
            Report::without_root(self.argument("partNumber"), serial_number, self.argument("partRevision"));
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.machine_name = value("xjlink-name").unwrap_or_default();
        report.location = self.argument("location").into();
        report.purpose = self.argument("purpose").into();
        report.start = attribute(root, "datetime").and_then(|written| {
            let read = time::parse(written, &self.input.station.time_zone);
            if read.is_none() {
                warnings.push(format!("the time \"{written}\" cannot be read"));
            }
            read
        });
        let seconds = functions::seconds(info, "the run", warnings);
        report.uut = Some(Uut { user: value("user"), exec_time: seconds, ..Uut::default() });
        report.misc_infos = vec![
            build::info("Source File", &self.input.file_name),
            build::info("Converter", "XJTAG Converter v2.0.0"),
        ];
        let named = [
            ("xjlink-serial", "XJLink Serial"),
            ("xjtag-version", "XJTAG Version"),
            ("project-description", "Project Description"),
        ];
        for (element, name) in named {
            report.misc_infos.extend(value(element).map(|text| build::info(name, &text)));
        }
        let read = ["serial", "user", "xjlink-name", "result", "time-taken"];
        for other in info.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            let known = read.iter().chain(named.iter().map(|(element, _)| element));
            if !known.clone().any(|known| name.eq_ignore_ascii_case(known)) {
                report.misc_infos.extend(xml::text(other).map(|text| build::info(name, &text)));
            }
        }

        let version = self.argument("sequenceVersion");
        let mut sequence =
            build::sequence(&self.argument("sequenceName"), &self.input.file_name, &version, Vec::new());
        let mut unknown = Elements::default();
        functions::groups(root, &mut sequence, &mut unknown, warnings);
        unknown.warn("kept as additional results", warnings);
        report.result = match value("result") {
            Some(word) => verdict(&word),
            None => {
                warnings.push("the run states no result: its functions decide".to_owned());
                sequence.status
            }
        };
        sequence.status = tree::root(sequence.children(), report.result);
        sequence.tot_time = seconds;
        // These tell of functions that were skipped.
        let notes: Vec<Text> = children(root, "text-output").filter_map(xml::text).collect();
        sequence.report_text = (!notes.is_empty()).then(|| notes.join("\n")).map(Into::into);
        report.root = Some(sequence);
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    /// A text argument; where an empty one makes no sense, its default.
    fn argument(&self, name: &str) -> String {
        let given = self.arguments.text(name);
        let of_station = matches!(name, "location" | "purpose");
        let default =
            ABOUT.arguments.iter().find(|argument| argument.name == name).map(|argument| argument.default);
        if given.is_empty() && !of_station {
            default.unwrap_or_default().to_owned()
        } else {
            given.to_owned()
        }
    }
}

fn verdict(word: &str) -> Status {
    match Status::from_word(word) {
        Some(status @ (Status::Passed | Status::Terminated)) => status,
        _ => Status::Failed,
    }
}
