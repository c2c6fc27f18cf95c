//! Unit reports of SigmaQuest (SigmaSure): XML with the root `UnitReport` and nested test runs.

mod runs;
mod values;

use roxmltree::Node;
use wats::report::{Report, Status, Step, SubUnit, Text, Time, Uut};

use crate::kit::leftover::Elements;
use crate::kit::time::{Times, seconds};
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{build, header, property, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct SigmaQuestXml;

const ABOUT: About = About {
    name: "sigmaquest-xml",
    title: "SigmaQuest unit report (XML)",
    vendor: "SigmaQuest",
    description: "XML unit reports of SigmaQuest and SigmaSure, root UnitReport; one report for each file.",
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
            name: "zeroLimits",
            description: "What a limit of 0 means. Auto: none where the other limit, or the value and its grade, contradict it. None: never a limit. Limit: always one",
            default: "Auto",
            kind: ArgumentKind::Choice(&["Auto", "None", "Limit"]),
        },
    ],
    manual: Manual {
        setup: "Let the test software write its unit reports into the watched folder as well, one XML file for each unit.",
        mapping: &[
            ("the first Product: part-no, serial-no, version", "pn, sn, rev"),
            ("further Products", "sub units"),
            ("Operator name, Station name", "uut.user, machineName"),
            ("Station property Location", "location"),
            ("UnitReport start-time, end-time", "start, uut.execTime"),
            ("the top TestRun: name, grade", "the root and its sequence, result"),
            (
                "UnitReport software-version, else the station property Test Software",
                "version of the root sequence",
            ),
            (
                "mode, and values in properties of report, station, operator, category and product",
                "misc infos",
            ),
            ("TestRun with TestRuns in it", "a sequence call"),
            ("TestRun with values in Result", "a test: one value single, several named"),
            ("TestRun with values in SetUp", "the same, in the group Setup"),
            (
                "ValueDouble, ValueInteger: lsl, usl, uom",
                "a number with GELE, GE or LE, or as the property Comparison (COMP) says",
            ),
            ("ValueString: usl, else lsl", "a text with IGNORECASE"),
            ("ValueBoolean", "a pass/fail measurement"),
            ("TestRun without values", "a pass/fail step"),
            (
                "grade PASS, DONE; FAIL; INCOMPLETE, ABORTED; SKIPPED; PENDING",
                "Passed; Failed; Terminated; Skipped; Error",
            ),
            ("other properties, and values that do not fit the others", "reportText"),
            ("ValueAttachment", "its name and place in reportText"),
            ("Error Message", "errorMessage"),
        ],
        limits: &[
            "Attached files are on other machines and are not read.",
            "A value without a grade of its own is judged by its limits when its test run failed.",
            "A step with a single value cannot be in Error or Terminated on a server: its value is in the report text.",
        ],
    },
};

const ROOT: &str = "UnitReport";
const KNOWN: &[&str] = &["Station", "Operator", "Category", "Product", "Property", "TestRun"];

impl Converter for SigmaQuestXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &[ROOT], |_| Qualification::new(0.98, format!("an element {ROOT}")))
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let document = xml::parse_as(&decoded, &[ROOT], "files of SigmaQuest")?;
        let (unknown, times) = (Elements::default(), Times::of(input));
        let mut reading = Reading { input, arguments, warnings, unknown, attachments: 0, times };
        let report = reading.report(document.root_element())?;
        let Reading { mut warnings, unknown, attachments, times, .. } = reading;
        unknown.warn("kept as additional data or additional results", &mut warnings);
        if attachments > 0 {
            warnings.push(format!(
                "{attachments} attached files are on other machines: their names are in the report texts"
            ));
        }
        times.warn("of test runs", &mut warnings);
        Ok(Conversion { reports: vec![report], warnings })
    }
}

struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: Vec<String>,
    unknown: Elements,
    /// Files that are named and not there.
    attachments: usize,
    times: Times,
}

impl Reading<'_> {
    fn report(&mut self, node: Node<'_, '_>) -> Result<Report, ConvertError> {
        let missing = |what: &str, expected: &str| {
            ConvertError::new(ErrorKind::Missing, format!("there is no element {what}"))
                .at_path(xml::path(node))
                .expected(expected)
        };
        let mut products = node.descendants().filter(|it| is(*it, "Product"));
        let product = products
            .next()
            .ok_or_else(|| missing("Product", "a Product with part-no and serial-no in a Category"))?;
        let runs: Vec<Node<'_, '_>> = children(node, "TestRun").collect();
        if runs.is_empty() {
            return Err(missing("TestRun", "the test run of the unit"));
        }
        let of = |node, name: &str| attribute(node, name).unwrap_or_default().to_owned();
        let mut report =
            Report::without_root(of(product, "part-no"), of(product, "serial-no"), of(product, "version"));
        for part in products {
            let set = |name: &str| Some(attribute(part, name).unwrap_or("Unknown").to_owned());
            report.sub_units.push(SubUnit {
                part_type: set("name").map(Into::into),
                pn: set("part-no").map(Into::into),
                sn: set("serial-no").map(Into::into),
                rev: attribute(part, "version").map(Into::into),
                ..SubUnit::default()
            });
        }
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        let station = child(node, "Station");
        report.machine_name = station.map(|it| of(it, "name")).unwrap_or_default().into();
        let of_station = |name: &str| {
            let mut all = station.into_iter().flat_map(values::of_properties);
            all.find(|it| values::name(*it).eq_ignore_ascii_case(name)).and_then(xml::text)
        };
        report.location = of_station("Location").unwrap_or_default();
        self.infos(node, product, &mut report);

        let first = runs.first().copied();
        report.start =
            self.time(node, "start-time").or_else(|| first.and_then(|run| self.time(run, "start-time")));
        let end = self.time(node, "end-time");
        report.uut = Some(Uut {
            user: child(node, "Operator").map(|it| of(it, "name")).map(Into::into),
            exec_time: seconds(report.start.as_ref(), end.as_ref()),
            ..Uut::default()
        });
        let version = attribute(node, "software-version").map(Text::from);
        let version = version.or_else(|| of_station("Test Software"));
        let mut root = self.root(&runs)?;
        if let (Some(version), Some(call)) = (version, &mut root.seq_call) {
            call.version = Some(version);
        }
        report.result = match root.status {
            Status::Done | Status::Unknown => Status::Passed,
            Status::Skipped => Status::Terminated,
            status => status,
        };
        root.status = report.result;
        report.root = Some(root);
        header::complete(&mut report, self.input, &mut self.warnings)
            .map_err(|error| error.at_path(xml::path(product)))?;
        Ok(report)
    }

    /// The top test run as the root; several stand below a root of their own.
    fn root(&mut self, runs: &[Node<'_, '_>]) -> Result<Step, ConvertError> {
        let mut steps = Vec::new();
        for run in runs {
            steps.extend(self.run(*run, 1)?);
        }
        let name = runs.first().and_then(|run| attribute(*run, "name")).unwrap_or("MainSequence");
        let is_call = steps.last().is_some_and(|last| last.seq_call.is_some());
        let mut root = match steps.pop() {
            Some(last) if runs.len() == 1 && is_call => last,
            Some(last) => {
                let graded = (runs.len() == 1).then_some(last.status);
                steps.push(last);
                let all = build::sequence(name, name, "1.0.0", std::mem::take(&mut steps));
                Step { status: graded.unwrap_or(all.status), ..all }
            }
            None => Step::sequence(name),
        };
        // Values of the top test run itself have no place but below it.
        if !steps.is_empty() {
            steps.append(root.steps.get_or_insert_default());
            root.steps = Some(steps);
        }
        // The report says so itself.
        (root.start, root.tot_time) = (None, None);
        Ok(root)
    }

    fn infos(&mut self, node: Node<'_, '_>, product: Node<'_, '_>, report: &mut Report) {
        report.misc_infos.extend(attribute(node, "mode").map(|mode| build::info("Mode", mode)));
        let known = ["part-no", "serial-no", "version", "name"];
        let others = product.attributes().filter(|it| !known.contains(&it.name()) && it.value() != "None");
        report.misc_infos.extend(others.map(|it| build::info(it.name(), it.value())));
        let places = [Some(node), child(node, "Station"), child(node, "Operator")];
        let categories = node.descendants().filter(|it| is(*it, "Category") || is(*it, "Product"));
        for place in places.into_iter().flatten().chain(categories) {
            for value in values::of_properties(place) {
                let text = match is(value, "ValueAttachment") {
                    true => attribute(value, "fqn").unwrap_or_default().into(),
                    false => xml::text(value).unwrap_or_default(),
                };
                report.misc_infos.push(build::info(values::name(value), &text));
            }
        }
        for other in node.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            if !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                self.unknown.add(other);
                report.additional_data.push(property::named(name, vec![property::of_element(other, 0)]));
            }
        }
    }

    fn time(&mut self, node: Node<'_, '_>, name: &str) -> Option<Time> {
        self.times.read(attribute(node, name)?)
    }
}
