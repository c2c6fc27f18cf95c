//! Seica flying probe testers: XML with the root `R`, one `BI` for each board of the panel.

use jiff::Timestamp;
use roxmltree::Node;
use wats::report::{Double, MiscInfo, Report, Status, Step, Time, Uut};

use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, text, time, tree, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct SeicaXml;

const ABOUT: About = About {
    name: "seica-xml",
    title: "Seica flying probe (XML)",
    vendor: "Seica",
    description: "XML with ST, BI and TEST elements under R, as Seica's testers write it; one report for each board of a panel.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xml"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the test sequence; SoftwareName stands for the program's own name",
            default: OWN_NAME,
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence; SoftwareVersion stands for 1.0",
            default: OWN_VERSION,
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Switch on the XML report in the tester's software and let it write into the watched folder.",
        mapping: &[
            ("ST NM, up to the first `_` or blank", "pn"),
            ("ST NM, the piece after it", "rev; 1 when there is none"),
            ("ST OP", "uut.user and misc info Operator"),
            ("ST NMP", "misc info Board Name"),
            ("BI BCP", "sn"),
            ("BI SD", "start"),
            ("ET ED less BI SD", "uut.execTime, with a single board"),
            ("ET NF", "result, with a single board; else a board fails with its tests"),
            ("TEST F", "a sequence whenever it changes"),
            ("TEST NM, MR, ML, MH, MU", "a numeric test: name, value, limits, unit"),
            ("TEST TR", "status: 0 is passed"),
            ("TEST TT", "totTime, in ms; 0 is none"),
        ],
        limits: &[
            "The barcode in BI BC is not used.",
            "A file that breaks off gives no report: ET, which decides over a single board, stands at its end.",
            "A panel has one ET for all boards, so its times are not known per board.",
        ],
    },
};

const OWN_NAME: &str = "SoftwareName";
const OWN_VERSION: &str = "SoftwareVersion";
const FORMATS: &[&str] = &["%d-%m-%Y %H:%M:%S"];

impl Converter for SeicaXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        match xml::root_name(&text) {
            None => Qualification::none("no XML"),
            Some("R") => match (text.contains("<ST "), text.contains("<BI ")) {
                (true, true) => Qualification::new(0.95, "an element R with ST and BI"),
                (true, false) => Qualification::new(0.5, "an element R with ST and no BI near its beginning"),
                (false, _) => Qualification::new(0.3, "an element R without ST"),
            },
            Some(other) => Qualification::none(format!("the root element is {other}, not R")),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let document = xml::parse(&decoded)?;
        let root = document.root_element();
        if !is(root, "R") {
            let name = root.tag_name().name();
            return Err(ConvertError::new(ErrorKind::WrongFormat, format!("the root element is {name}"))
                .expected("R, as in files of a Seica tester")
                .help("Check that the right converter is set for this folder."));
        }
        let missing = |what: &str| {
            ConvertError::new(ErrorKind::Missing, format!("there is no element {what}")).at_path("/R")
        };
        let head = child(root, "ST").ok_or_else(|| missing("ST"))?;
        let boards: Vec<Node<'_, '_>> = children(root, "BI").collect();
        if boards.is_empty() {
            return Err(missing("BI"));
        }
        let known = ["PrgC", "FidMrk", "ST", "BI", "ET"];
        let mut kept = Vec::new();
        for other in root.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            if !known.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                warnings.push(format!("/R/{name} is not known; its text is kept as misc info"));
                kept.push(build::info(name, &xml::text(other).unwrap_or_default()));
            }
        }
        let file = File { input, arguments, head, end: child(root, "ET"), alone: boards.len() == 1, kept };
        let mut reports = Vec::with_capacity(boards.len());
        for (index, board) in boards.iter().enumerate() {
            let report = file.board(*board, &mut warnings);
            reports.push(report.map_err(|error| error.at_path(format!("/R/BI[{}]", index + 1)))?);
        }
        Ok(Conversion { reports, warnings })
    }
}

/// What all boards of a file share.
struct File<'a, 'd> {
    input: &'a Input,
    arguments: &'a Arguments,
    head: Node<'a, 'd>,
    end: Option<Node<'a, 'd>>,
    /// True for a file with a single board: the end of the file is then its end.
    alone: bool,
    kept: Vec<MiscInfo>,
}

impl File<'_, '_> {
    fn board(&self, board: Node<'_, '_>, warnings: &mut Vec<String>) -> Result<Report, ConvertError> {
        let program = attribute(self.head, "NM").unwrap_or_default();
        let mut pieces = program.split(|c: char| c == '_' || c.is_whitespace()).filter(|it| !it.is_empty());
        let part_number = pieces.next().unwrap_or_default();
        let serial_number = attribute(board, "BCP").unwrap_or_default();
        let mut report = Report::uut(part_number, serial_number, pieces.next().unwrap_or("1"));
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.machine_name = "Seica".into();
        report.location = "Production".into();
        report.purpose = "ICT Test".into();
        report.start = self.local(board, "SD", warnings);
        let operator = attribute(self.head, "OP");
        let infos = [("Board Name", attribute(self.head, "NMP")), ("Operator", operator)];
        report.misc_infos =
            infos.iter().filter_map(|(name, text)| Some(build::info(name, (*text)?))).collect();
        report.misc_infos.extend(self.kept.iter().cloned());

        let steps = groups(board, warnings);
        let of_end = self.end.filter(|_| self.alone);
        let stated = of_end.and_then(|end| attribute(end, "NF")).map(verdict);
        report.result = stated.unwrap_or_else(|| tree::rolled_up(&steps));
        report.uut = Some(Uut {
            user: Some(operator.unwrap_or_default().into()),
            exec_time: of_end
                .and_then(|end| self.local(end, "ED", warnings))
                .and_then(|end| seconds(report.start.as_ref()?.instant()?, end.instant()?)),
            ..Uut::default()
        });
        let name = match self.arguments.text("sequenceName") {
            OWN_NAME | "" => program,
            other => other,
        };
        let version = match self.arguments.text("sequenceVersion") {
            OWN_VERSION | "" => "1.0",
            other => other,
        };
        let status = tree::root(&steps, report.result);
        report.root = Some(Step { status, ..build::sequence(name, name, version, steps) });
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    fn local(&self, node: Node<'_, '_>, name: &str, warnings: &mut Vec<String>) -> Option<Time> {
        let written = attribute(node, name)?;
        let time = time::parse_as(written, FORMATS, &self.input.station.time_zone);
        if time.is_none() {
            warnings.push(format!("{name} \"{written}\" is no time like 19-02-2025 10:30:02"));
        }
        time
    }
}

fn seconds(start: Timestamp, end: Timestamp) -> Option<Double> {
    let seconds = end.duration_since(start).as_secs_f64();
    (seconds >= 0.0).then_some(Double(seconds))
}

fn verdict(written: &str) -> Status {
    if written.parse() == Ok(0.0) { Status::Passed } else { Status::Failed }
}

/// The tests, in a sequence of their own as long as their group stays the same.
fn groups(board: Node<'_, '_>, warnings: &mut Vec<String>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut group: Option<(String, Vec<Step>)> = None;
    let close = |group: Option<(String, Vec<Step>)>, steps: &mut Vec<Step>| match group {
        Some((name, inner)) if name.is_empty() => steps.extend(inner),
        Some((name, inner)) => steps.push(build::sequence(&name, &format!("{name}.seq"), "1.0.0", inner)),
        None => {}
    };
    for node in board.children().filter(Node::is_element) {
        if !is(node, "TEST") {
            let name = node.tag_name().name();
            warnings.push(format!("/R/BI/{name} is not known and left out"));
            continue;
        }
        let name = attribute(node, "F").unwrap_or_default();
        let test = test(node, warnings);
        match &mut group {
            Some((current, inner)) if *current == name => inner.push(test),
            _ => close(group.replace((name.to_owned(), vec![test])), &mut steps),
        }
    }
    close(group, &mut steps);
    steps
}

fn test(node: Node<'_, '_>, warnings: &mut Vec<String>) -> Step {
    let name = attribute(node, "NM").unwrap_or("Test");
    let status = match attribute(node, "TR") {
        Some(written) => verdict(written),
        None => {
            warnings.push(format!("test {name} has no result TR: it counts as failed"));
            Status::Failed
        }
    };
    let mut number = |attribute_name: &str| {
        let written = attribute(node, attribute_name)?;
        let number = text::number(written);
        if number.is_none() && attribute_name != "MR" {
            warnings.push(format!(
                "test {name}: the limit {attribute_name} \"{written}\" is no number; left out"
            ));
        }
        number
    };
    let mut step = match number("MR") {
        Some(value) => {
            let limits = (number("ML"), number("MH"));
            let unit = attribute(node, "MU").unwrap_or_default();
            build::numeric(name, status, vec![build::number(None, status, value, unit, limits)])
        }
        None => {
            let mut step = build::pass_fail(name, status);
            step.report_text = attribute(node, "MR").map(Into::into);
            step
        }
    };
    // The tester writes 0 where it did not measure the time.
    step.tot_time = number("TT").filter(|it| *it > 0.0).map(|milliseconds| Double(milliseconds / 1000.0));
    step
}
