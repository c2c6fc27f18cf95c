//! Seica flying probe testers: XML with the root `R`, one `BI` for each board of the panel.

use roxmltree::Node;
use wats::report::{Double, MiscInfo, Report, Status, Step, Time, Uut};

use crate::kit::time::seconds;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, text, time, tree, units, verdict, xml};
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
            "The barcode in BI BC stands in only for a missing BCP.",
            "Of a panel that breaks off the boards that are complete are reported, with a warning for the rest; a single board only when ET, which decides over it, is there.",
            "A panel has one ET for all boards, so its times are not known per board.",
        ],
    },
};

const ROOT: &str = "R";
const OWN_NAME: &str = "SoftwareName";
const OWN_VERSION: &str = "SoftwareVersion";
const FORMATS: &[&str] = &["%d-%m-%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S"];

impl Converter for SeicaXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &[ROOT], |beginning| match (beginning.has("ST"), beginning.has("BI")) {
            (true, true) => Qualification::new(0.95, "an element R with ST and BI"),
            (true, false) => Qualification::new(0.5, "an element R with ST and no BI near its beginning"),
            (false, _) => Qualification::new(0.3, "an element R without ST"),
        })
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let mut mended = None;
        let document = units::parse(&decoded, "BI", &mut mended, &mut warnings)?;
        let root = document.root_element();
        if !is(root, ROOT) {
            return Err(xml::wrong_root(root, "R, as in files of a Seica tester"));
        }
        let missing = |what: &str| {
            ConvertError::new(ErrorKind::Missing, format!("there is no element {what}")).at_path("/R")
        };
        let head = child(root, "ST").ok_or_else(|| missing("ST"))?;
        let boards: Vec<Node<'_, '_>> = children(root, "BI").collect();
        if boards.is_empty() {
            return Err(missing("BI"));
        }
        let end = child(root, "ET");
        let breaks_off = !std::ptr::eq(document.input_text(), &*decoded);
        let alone = if breaks_off { units::begun(&decoded, "BI") } else { boards.len() } == 1;
        if breaks_off && alone && end.is_none() {
            return Err(ConvertError::new(
                ErrorKind::NotYet,
                "the file ends before ET, which decides over its only board",
            )
            .expected("ET and the end of R")
            .help("Perhaps it was still being written; drop the whole file again."));
        }
        let mut kept = unknown_attributes(head, &["NM", "OP", "NMP"], &mut warnings);
        kept.extend(end.into_iter().flat_map(|end| unknown_attributes(end, &["ED", "NF"], &mut warnings)));
        let known = ["PrgC", "FidMrk", "ST", "BI", "ET"];
        kept.extend(unknown_elements(root, &known, &mut warnings));
        let file = File { input, arguments, head, end, alone, kept };
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
        let other_code = attribute(board, "BC").unwrap_or_default();
        let serial_number = attribute(board, "BCP").unwrap_or_else(|| {
            if !other_code.is_empty() {
                warnings
                    .push(format!("a board has no barcode BCP: the other one, BC \"{other_code}\", is used"));
            }
            other_code
        });
        let mut report = Report::without_root(part_number, serial_number, pieces.next().unwrap_or("1"));
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
        report.misc_infos.extend(unknown_attributes(board, &["BC", "BCP", "SD"], warnings));
        report.misc_infos.extend(unknown_elements(board, &["TEST"], warnings));

        let steps = groups(board, warnings);
        let of_end = self.end.filter(|_| self.alone);
        let stated = of_end.and_then(|end| attribute(end, "NF")).map(stated);
        if stated.is_none() && steps.is_empty() {
            warnings
                .push(format!("board {serial_number} has no TEST, and passes for want of one that failed"));
        }
        report.result = stated.unwrap_or_else(|| tree::rolled_up(&steps));
        report.uut = Some(Uut {
            user: Some(operator.unwrap_or_default().into()),
            exec_time: of_end
                .and_then(|end| self.local(end, "ED", warnings))
                .and_then(|end| seconds(report.start.as_ref(), Some(&end))),
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

/// Elements that the format does not describe, as misc infos.
fn unknown_elements(parent: Node<'_, '_>, known: &[&str], warnings: &mut Vec<String>) -> Vec<MiscInfo> {
    let others = parent.children().filter(|it| it.is_element() && !known.iter().any(|name| is(*it, name)));
    let mut kept = Vec::new();
    for other in others {
        let name = other.tag_name().name();
        warnings.push(format!("{} is not known; its text is kept as misc info", xml::path(other)));
        kept.push(build::info(name, &xml::words(other)));
    }
    kept
}

fn is_one_of(name: &str, known: &[&str]) -> bool {
    known.contains(&name) || known.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Attributes that the format does not describe, as misc infos.
fn unknown_attributes(node: Node<'_, '_>, known: &[&str], warnings: &mut Vec<String>) -> Vec<MiscInfo> {
    let mut kept = Vec::new();
    for other in node.attributes().filter(|it| !is_one_of(it.name(), known)) {
        let element = node.tag_name().name();
        let name = format!("{element} {}", other.name());
        warnings.push(format!("the attribute {} of {element} is not known; kept as misc info", other.name()));
        kept.push(build::info(&name, other.value()));
    }
    kept
}

fn stated(written: &str) -> Status {
    if written.parse() == Ok(0.0) { Status::Passed } else { Status::Failed }
}

/// The tests, in a sequence of their own as long as their group stays the same.
fn groups(board: Node<'_, '_>, warnings: &mut Vec<String>) -> Vec<Step> {
    fn group<'a>(test: &Node<'a, '_>) -> &'a str {
        attribute(*test, "F").unwrap_or_default()
    }
    let tests: Vec<Node<'_, '_>> = children(board, "TEST").collect();
    let mut steps = Vec::new();
    for together in tests.chunk_by(|before, after| group(before) == group(after)) {
        let inner = together.iter().map(|node| test(*node, warnings));
        match together.first().map(group).unwrap_or_default() {
            "" => steps.extend(inner),
            name => steps.push(build::sequence(name, &format!("{name}.seq"), "1.0.0", inner.collect())),
        }
    }
    steps
}

fn test(node: Node<'_, '_>, warnings: &mut Vec<String>) -> Step {
    let name = attribute(node, "NM").unwrap_or("Test");
    let status = match attribute(node, "TR") {
        Some(written) => stated(written),
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
            build::numeric(name, status, [build::number(None, status, value, unit, limits)])
        }
        None => {
            let mut step = build::pass_fail(name, status);
            step.report_text = attribute(node, "MR").map(Into::into);
            step
        }
    };
    let known = ["F", "NM", "MR", "ML", "MH", "MU", "TR", "TT"];
    for other in node.attributes().filter(|it| !is_one_of(it.name(), &known)) {
        verdict::add_named(&mut step, other.name(), other.value());
    }
    // The tester writes 0 where it did not measure the time.
    step.tot_time =
        number("TT").filter(|it| *it > 0.0).map(|milliseconds| Double::new(milliseconds / 1000.0));
    step
}
