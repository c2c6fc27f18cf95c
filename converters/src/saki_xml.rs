//! Saki inspection machines: XML with the root `Panel` and what was found on each image of it.

use roxmltree::Node;
use wats::report::{Extra, Report, Status, Step, StringMeas, SubUnit, Time, Uut};

use crate::kit::leftover::Elements;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, property, time, tree, verdict, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct SakiXml;

const ABOUT: About = About {
    name: "saki-xml",
    title: "Saki AOI (XML)",
    vendor: "Saki",
    description: "XML results of Saki's inspection machines, root Panel with Program and Image; one report for each panel, or for each image with a barcode.",
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
            name: "partRevision",
            description: "Revision of the units, which the file does not have",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the sequence when the file names no program",
            default: "SoftwareName",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the sequence when the program has none",
            default: "1.0.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "reportPerImage",
            description: "Whether each image with a barcode of its own has a report; else there is one of the panel, with such images as sub units",
            default: "false",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Switch on the XML output of the inspection results and let the machine write into the watched folder, one file for each panel.",
        mapping: &[
            ("Panel barcode", "sn"),
            ("Panel side", "pn"),
            ("Panel operator", "uut.user"),
            ("Panel startDate, startTime (month first, or the year; 24 hours, or AM and PM)", "start"),
            ("Panel result", "result"),
            ("Program name, ver", "the root's sequence and its version"),
            ("Image id, result", "a sequence call Image with the id, and its status"),
            (
                "Image barcode, unless it is N/A",
                "a sub unit, or sn of a report of its own by the argument reportPerImage",
            ),
            ("FalseCalls", "a sequence False Calls of passed steps"),
            ("Failed", "a sequence Failed of failed steps"),
            ("Reference designator", "a text step without a value"),
            ("Reference partNumber, package, description", "reportText of the step"),
        ],
        limits: &[
            "The file does not say when the inspection ended or on which machine it was: the station's settings name it.",
            "Components that passed at once are not in the file.",
        ],
    },
};

const ROOT: &str = "Panel";

impl Converter for SakiXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &[ROOT], |beginning| match (beginning.has("Program"), beginning.has("Image")) {
            (true, true) => Qualification::new(0.98, "an element Panel with Program and Image"),
            (false, true) => Qualification::new(0.5, "an element Panel with Image and no Program"),
            (_, false) => Qualification::new(0.3, "an element Panel without Image near its beginning"),
        })
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let document = xml::parse_as(&decoded, &[ROOT], "files of Saki")?;
        let panel = document.root_element();
        let images: Vec<Node<'_, '_>> = children(panel, "Image").collect();
        if images.is_empty() {
            return Err(ConvertError::new(ErrorKind::Missing, "there is no element Image")
                .at_path(xml::path(panel))
                .expected("an Image for each board of the panel"));
        }
        let mut reading = Reading { input, arguments, warnings, unknown: Elements::default() };
        let reports = reading.panel(panel, &images)?;
        let Reading { mut warnings, unknown, .. } = reading;
        unknown.warn("kept as additional data, or as steps without a verdict", &mut warnings);
        Ok(Conversion { reports, warnings })
    }
}

struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: Vec<String>,
    unknown: Elements,
}

/// The barcode of an image that has one of its own.
fn barcode<'a>(image: Node<'a, '_>, panel: Node<'_, '_>) -> Option<&'a str> {
    let barcode = attribute(image, "barcode").filter(|it| !it.eq_ignore_ascii_case("N/A"))?;
    (attribute(panel, "barcode") != Some(barcode)).then_some(barcode)
}

/// Elements of a panel that the format does not describe.
fn others<'a, 'd>(panel: Node<'a, 'd>) -> impl Iterator<Item = Node<'a, 'd>> {
    panel.children().filter(|it| it.is_element() && !is(*it, "Program") && !is(*it, "Image"))
}

impl Reading<'_> {
    /// The panel as one report, or those of its images that have barcodes each as one, in the order of the file.
    fn panel(&mut self, panel: Node<'_, '_>, images: &[Node<'_, '_>]) -> Result<Vec<Report>, ConvertError> {
        others(panel).for_each(|other| self.unknown.add(other));
        let start = self.start(panel);
        let by_image = self.arguments.flag("reportPerImage");
        let mut reports = Vec::new();
        let mut rest = Vec::new();
        for image in images {
            match barcode(*image, panel).filter(|_| by_image) {
                Some(barcode) => {
                    let step = self.image(*image)?;
                    let result = step.status;
                    let mut report = self.report(panel, barcode, start.clone());
                    self.complete(panel, &mut report, vec![step], result)?;
                    reports.push(report);
                }
                None => rest.push(*image),
            }
        }
        if rest.is_empty() {
            return Ok(reports);
        }
        let mut steps = Vec::with_capacity(rest.len());
        let mut report = self.report(panel, attribute(panel, "barcode").unwrap_or_default(), start);
        for image in rest {
            let step = self.image(image)?;
            if let Some(barcode) = barcode(image, panel) {
                report.sub_units.push(SubUnit {
                    part_type: Some(step.name.clone()),
                    pn: Some(report.pn.clone()),
                    sn: Some(barcode.into()),
                    ..SubUnit::default()
                });
            }
            steps.push(step);
        }
        let stated = self.verdict(panel);
        // Images with reports of their own do not count for the rest of the panel.
        let stated = stated.filter(|_| reports.is_empty());
        let result = stated.unwrap_or_else(|| tree::rolled_up(&steps));
        self.complete(panel, &mut report, steps, result)?;
        reports.push(report);
        Ok(reports)
    }

    fn report(&self, panel: Node<'_, '_>, serial_number: &str, start: Option<Time>) -> Report {
        let part_number = attribute(panel, "side").unwrap_or_default();
        let mut report =
            Report::without_root(part_number, serial_number, self.arguments.text("partRevision"));
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.start = start;
        report.uut = Some(Uut { user: xml::owned(panel, "operator"), ..Uut::default() });
        report
    }

    fn complete(
        &mut self,
        panel: Node<'_, '_>,
        report: &mut Report,
        steps: Vec<Step>,
        result: Status,
    ) -> Result<(), ConvertError> {
        let program = child(panel, "Program");
        let of_program = |name: &str, argument: &str| {
            program.and_then(|it| attribute(it, name)).unwrap_or_else(|| self.arguments.text(argument))
        };
        let (name, version) = (of_program("name", "sequenceName"), of_program("ver", "sequenceVersion"));
        report.result = result;
        report.root = Some(Step { status: result, ..build::sequence(name, name, version, steps) });
        for other in others(panel) {
            let name = other.tag_name().name();
            report.additional_data.push(property::named(name, vec![property::of_element(other, 0)]));
        }
        let known = ["barcode", "result", "startDate", "startTime", "side", "operator"];
        let attributes = panel.attributes().filter(|it| !known.contains(&it.name()));
        report.misc_infos.extend(attributes.map(|it| build::info(it.name(), it.value())));
        header::complete(report, self.input, &mut self.warnings)
            .map_err(|error| error.at_path(xml::path(panel)))
    }

    /// The date has the month first, whatever the station's own habit.
    fn start(&mut self, panel: Node<'_, '_>) -> Option<Time> {
        let (date, clock) =
            (attribute(panel, "startDate")?, attribute(panel, "startTime").unwrap_or("00:00:00"));
        let written = format!("{date} {clock}");
        let formats = ["%m/%d/%Y %H:%M:%S%.f", "%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d %H:%M:%S%.f"];
        let time = time::parse_as(&written, &formats, &self.input.station.time_zone);
        if time.is_none() {
            self.warnings.push(format!("the start \"{written}\" is no time like 01/31/2024 08:59:14"));
        }
        time
    }

    /// The stated verdict of a panel or an image.
    fn verdict(&mut self, node: Node<'_, '_>) -> Option<Status> {
        let word = attribute(node, "result")?;
        let status = match Status::from_word(word) {
            Some(Status::Done | Status::Skipped | Status::Unknown) | None => None,
            stated => stated,
        };
        if status.is_none() {
            self.warnings.push(format!(
                "{}/@result: \"{word}\" is neither passed nor failed; what was found decides",
                xml::path(node)
            ));
        }
        status
    }

    fn image(&mut self, image: Node<'_, '_>) -> Result<Step, ConvertError> {
        let results = child(image, "Results").ok_or_else(|| {
            ConvertError::new(ErrorKind::Missing, "there is no element Results")
                .at_path(xml::path(image))
                .expected("Results with FalseCalls and Failed, or empty")
        })?;
        let mut steps = Vec::new();
        for list in results.children().filter(Node::is_element) {
            let written = list.tag_name().name();
            let (name, status) = if is(list, "FalseCalls") {
                ("False Calls", Status::Passed)
            } else if is(list, "Failed") {
                ("Failed", Status::Failed)
            } else {
                self.unknown.add(list);
                (written, Status::Done)
            };
            let found = xml::each(children(list, "Reference"), |it| reference(it, status));
            for other in list.children().filter(|it| it.is_element() && !is(*it, "Reference")) {
                self.unknown.add(other);
            }
            if !found.is_empty() || status == Status::Done {
                steps.push(Step { status, ..build::sequence(name, name, "1.0.0", found) });
            }
        }
        let name = attribute(image, "id").map_or_else(|| "Image".to_owned(), |id| format!("Image {id}"));
        let mut step = build::sequence(&name, &name, "1.0.0", steps);
        if let Some(stated) = self.verdict(image) {
            step.status = stated;
        }
        for other in image.children().filter(|it| it.is_element() && !is(*it, "Results")) {
            self.unknown.add(other);
            let name = other.tag_name().name();
            step.rare.additional_results.push(property::named(name, vec![property::of_element(other, 0)]));
        }
        Ok(step)
    }
}

/// A component that was looked at: a text step without a value.
fn reference(node: Node<'_, '_>, status: Status) -> Step {
    let mut step = Step::new("ET_SVT", attribute(node, "designator").unwrap_or("Reference"), status);
    if status == Status::Done {
        step.step_type = "Action".into();
    } else {
        step.string_meas = [StringMeas {
            comp_op: "LOG".into(),
            name: None,
            status,
            value: None,
            limit: None,
            extra: Extra::new(),
        }]
        .into();
    }
    let named = [("partNumber", "Part number"), ("package", "Package"), ("description", "Description")];
    for (name, title) in named {
        if let Some(text) = attribute(node, name) {
            verdict::add_named(&mut step, title, text);
        }
    }
    let known = |name: &str| name == "designator" || named.iter().any(|(known, _)| *known == name);
    for other in node.attributes().filter(|it| !known(it.name())) {
        verdict::add_named(&mut step, other.name(), other.value());
    }
    step
}
