//! WATS Standard XML: the server's own XML format (WSXF), from files.
//!
//! This file reads the document and what is common to all reports; `steps` reads the tree of a test,
//! `repair` what only repairs have.
//!
//! The codec `wats::wsxf` reads and writes exactly what stands there and refuses the rest. This converter is for
//! what testers write: names in any letter case, statuses left out, limits in the wrong column, local times.

mod repair;
mod steps;

use roxmltree::Node;
use uuid::Uuid;
use wats::report::{
    AdditionalData, Asset, Double, Extra, MiscInfo, Property, Report, ReportType, Status, SubUnit, Text,
    Time, Uut,
};

use crate::kit::leftover::Elements;
use crate::kit::xml::{attribute, child, children, is, owned};
use crate::kit::{build, header, property, stated, text, time, tree, units, xml};
use crate::teststand_xml;
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct WatsXml;

const ABOUT: About = About {
    name: "wats-xml",
    title: "WATS Standard XML (WSXF)",
    vendor: "WATS",
    description: "XML with Report elements under Reports, as WATS servers and clients export it; several reports a file.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xml", "*.wsxf"],
    arguments: &[Argument {
        name: "defaultProcessCode",
        description: "Process code of test reports that name none",
        default: "10",
        kind: ArgumentKind::ProcessCode,
    }],
    manual: Manual {
        setup: "Let the WATS client or the station's own program write its reports as WSXF files into the watched folder.",
        mapping: &[
            ("Report attributes", "the header"),
            ("Report/UUT, Report/UUR", "uut, uur"),
            ("Step", "root and its steps"),
            ("NumericLimit, PassFail, StringValue", "the measurements of the step"),
        ],
        limits: &[
            "Of a file that breaks off the units that are complete are reported, with a warning for the rest; with none there is no report.",
            "Where statuses contradict each other the worse one counts: what the file states is in the report text then, and there is a warning.",
            "Loops that a server would refuse, as its own exports have them, are numbered anew or become plain steps.",
            "The members MeasIndex, StepIndex and module_time, and the file name of a sequence beside its path, have no place on a server.",
        ],
    },
};

/// What stands in a report and is read.
const OF_REPORT: &[&str] = &[
    "UUT",
    "UUR",
    "Process",
    "MiscInfo",
    "ReportUnitHierarchy",
    "PartInfo",
    "Asset",
    "AdditionalData",
    "Failures",
    "Binary",
    "Step",
];

/// What the two namespaces of WATS documents (WSXF and WRML) begin with.
const NAMESPACE: &str = "http://wats.virinco.com/schemas/WATS/Report";

impl Converter for WatsXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let Some(root) = xml::root_tag(&text) else { return Qualification::none("no XML") };
        let name = root.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default();
        let local = name.rsplit(':').next().unwrap_or_default();
        let namespace = root.split('>').next().is_some_and(|tag| tag.contains(NAMESPACE));
        if !local.eq_ignore_ascii_case("Reports") && !namespace {
            return Qualification::none(format!("the root element is {local}, not Reports"));
        }
        if !namespace && teststand_xml::is_own(&text) {
            return Qualification::none("a Reports element of TestStand");
        }
        let report = root.split('<').skip(1).any(|tag| {
            let name = tag.split([' ', '\t', '\r', '\n', '/', '>']).next().unwrap_or_default();
            name.rsplit(':').next().is_some_and(|local| local.eq_ignore_ascii_case("Report"))
        });
        match (report, namespace) {
            (true, true) => Qualification::new(0.98, "a Reports element of WATS with a Report"),
            (true, false) => Qualification::new(0.85, "a Reports element without namespace with a Report"),
            (false, _) if local.eq_ignore_ascii_case("Report") => {
                Qualification::new(0.6, "a Report of WATS without a Reports element around it")
            }
            (false, _) => Qualification::new(0.6, "a Reports element without a Report near its beginning"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let mut mended = None;
        let document = units::parse(&decoded, "Report", &mut mended, &mut warnings)?;
        let root = document.root_element();
        let nodes: Vec<Node<'_, '_>> =
            if is(root, "Report") { vec![root] } else { children(root, "Report").collect() };
        if nodes.is_empty() {
            return Err(ConvertError::new(
                ErrorKind::WrongFormat,
                format!("the element {} holds no Report", root.tag_name().name()),
            )
            .expected("Report elements under a Reports element")
            .help("Check that the right converter is set for this folder."));
        }
        let mut reports = Vec::with_capacity(nodes.len());
        let mut unknown = Elements::default();
        for (index, node) in nodes.iter().enumerate() {
            let path = format!("/Reports/Report[{}]", index + 1);
            let (warnings, unknown) = (&mut warnings, &mut unknown);
            let mut reading = Reading { input, arguments, path: path.clone(), warnings, unknown };
            let report = reading.report(*node).map_err(|error| match error.place {
                None => error.at_path(path),
                Some(_) => error,
            })?;
            reports.push(report);
        }
        unknown.warn("kept as additional data or additional results", &mut warnings);
        Ok(Conversion { reports, warnings })
    }
}

/// What is needed while one report is read.
struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    /// The report's path, for warnings.
    path: String,
    warnings: &'a mut Vec<String>,
    unknown: &'a mut Elements,
}

impl Reading<'_> {
    fn warn(&mut self, text: impl std::fmt::Display) {
        self.warnings.push(format!("{}: {text}", self.path));
    }

    fn report(&mut self, node: Node<'_, '_>) -> Result<Report, ConvertError> {
        let mut report = Report::without_root(
            attribute(node, "PN").unwrap_or_default(),
            attribute(node, "SN").unwrap_or_default(),
            attribute(node, "Rev").unwrap_or("1"),
        );
        report.report_type = self.report_type(node)?;
        report.id = self.uuid(node, "ID");
        report.machine_name = owned(node, "MachineName").unwrap_or_default();
        report.location = owned(node, "Location").unwrap_or_default();
        report.purpose = owned(node, "Purpose").unwrap_or_default();
        report.start = self.start(node);
        let process = child(node, "Process");
        report.process_code = process.and_then(|process| self.whole(process, "Code"));
        report.process_code_format = process.and_then(|process| owned(process, "CodeFormat"));
        report.process_name = process.and_then(|process| owned(process, "Name"));
        report.misc_infos = children(node, "MiscInfo").map(|info| self.misc_info(info)).collect();
        let units = node.children().filter(|unit| is(*unit, "ReportUnitHierarchy") || is(*unit, "PartInfo"));
        report.sub_units = units.map(|unit| self.sub_unit(unit)).collect();
        report.assets = children(node, "Asset").map(|asset| self.asset(asset)).collect();
        report.additional_data = children(node, "AdditionalData").map(additional_data).collect();
        match report.report_type {
            ReportType::Test => self.test(node, &mut report)?,
            ReportType::Repair => self.repair(node, &mut report),
        }
        self.others(node, &mut report);
        stated::settle(&mut report, self.warnings);
        header::complete(&mut report, self.input, self.warnings)?;
        Ok(report)
    }

    fn report_type(&self, node: Node<'_, '_>) -> Result<ReportType, ConvertError> {
        let Some(word) = attribute(node, "type") else {
            let repair = child(node, "UUR").is_some() && child(node, "UUT").is_none();
            return Ok(if repair { ReportType::Repair } else { ReportType::Test });
        };
        match word.to_ascii_lowercase().as_str() {
            "uut" | "t" | "u" | "test" => Ok(ReportType::Test),
            "uur" | "r" | "repair" => Ok(ReportType::Repair),
            _ => Err(ConvertError::new(ErrorKind::Malformed, format!("\"{word}\" is no type of report"))
                .at_path(format!("{}/@type", self.path))
                .expected("UUT for a test or UUR for a repair")),
        }
    }

    /// `Start` wins over `Start_utc`; years before 1970 are how some writers say "not set".
    fn start(&mut self, node: Node<'_, '_>) -> Option<Time> {
        let zone = self.input.station.time_zone.clone();
        for (name, zone) in [("Start", zone), ("Start_utc", jiff::tz::TimeZone::UTC)] {
            let Some(written) = attribute(node, name) else { continue };
            let time = time::parse(written, &zone);
            match time.filter(|time| time.instant().is_some_and(|at| at.as_second() >= 0)) {
                Some(time) => return Some(time),
                None => self.warn(format!("{name} \"{written}\" is no time that can be used")),
            }
        }
        None
    }

    fn test(&mut self, node: Node<'_, '_>, report: &mut Report) -> Result<(), ConvertError> {
        if report.process_code.is_none() {
            report.process_code = self.arguments.process_code("defaultProcessCode").map(i32::from);
        }
        if let Some(uut) = child(node, "UUT") {
            report.uut = Some(self.uut(uut));
        }
        let word = attribute(node, "Result");
        let stated = word.and_then(Status::from_word).filter(|status| {
            matches!(status, Status::Passed | Status::Failed | Status::Error | Status::Terminated)
        });
        let mut steps = self.steps(node)?;
        report.result = stated.unwrap_or_else(|| match steps.as_slice() {
            // A unit that was skipped has not passed.
            [only] if matches!(only.status, Status::Terminated | Status::Skipped) => Status::Terminated,
            steps => tree::rolled_up(steps),
        });
        if stated.is_none() {
            self.warn(format!(
                "the result \"{}\" is not known; {} is what the steps say",
                word.unwrap_or_default(),
                report.result.word()
            ));
        }
        report.root = Some(match (steps.pop(), steps.is_empty()) {
            (Some(only), true) if only.seq_call.is_some() => only,
            (last, _) => {
                steps.extend(last);
                let mut root = wats::report::Step::sequence("MainSequence Callback");
                root.status = tree::root(&steps, report.result);
                root.steps = Some(steps);
                root
            }
        });
        Ok(())
    }

    fn uut(&mut self, node: Node<'_, '_>) -> Uut {
        let comment = child(node, "Comment").and_then(xml::text).or_else(|| owned(node, "Comment"));
        Uut {
            user: Some(self.fit(attribute(node, "UserLoginName").unwrap_or_default(), 100, "user")),
            exec_time: self.number(node, "ExecutionTime"),
            exec_time_format: owned(node, "ExecutionTimeFormat"),
            test_socket_index: self.whole(node, "TestSocketIndex"),
            test_socket_index_format: owned(node, "TestSocketIndexFormat"),
            batch_sn: self.short(node, "BatchSN", 100),
            comment: comment.map(|comment| self.fit(&comment, 5000, "comment")),
            error_code: self.whole(node, "ErrorCode"),
            error_code_format: owned(node, "ErrorCodeFormat"),
            error_message: self.short(node, "ErrorMessage", 500),
            fixture_id: self.short(node, "FixtureId", 100),
            batch_fail_count: self.whole(node, "BatchFailCount"),
            batch_fail_count_format: owned(node, "BatchFailCountFormat"),
            batch_loop_index: self.whole(node, "BatchLoopIndex"),
            batch_loop_index_format: owned(node, "BatchLoopIndexFormat"),
            step_id_caused_uut_failure: self.whole(node, "StepIdCausedUUTFailure"),
            ..Uut::default()
        }
    }

    /// A number without a text becomes the text, which is what people search for.
    fn misc_info(&mut self, node: Node<'_, '_>) -> MiscInfo {
        let description = self.short(node, "Description", 100).unwrap_or_else(|| {
            self.warn("a MiscInfo has no Description: it is called MiscInfo");
            "MiscInfo".into()
        });
        let own = xml::text(node);
        let numeric = if own.is_some() { self.whole(node, "Numeric") } else { None };
        let value = own.or_else(|| owned(node, "Numeric")).unwrap_or_default();
        MiscInfo {
            text: Some(self.fit(&value, 100, &description)),
            description: Some(description),
            numeric,
            numeric_format: owned(node, "NumericFormat"),
            typedef: owned(node, "Typedef"),
            id: self.uuid(node, "Id"),
            extra: Extra::new(),
        }
    }

    /// What else stands in a report: a pair of `ReportInfo` is a misc info, what is not known additional data.
    fn others(&mut self, node: Node<'_, '_>, report: &mut Report) {
        for other in node.children().filter(Node::is_element) {
            if is(other, "ReportInfo") {
                let key = attribute(other, "key").unwrap_or("ReportInfo");
                report.misc_infos.push(build::info(key, attribute(other, "value").unwrap_or_default()));
            } else if !OF_REPORT.iter().any(|known| is(other, known)) {
                self.unknown.add(other);
                let name = other.tag_name().name();
                report.additional_data.push(property::named(name, vec![property::of_element(other, 0)]));
            }
        }
    }

    fn sub_unit(&mut self, node: Node<'_, '_>) -> SubUnit {
        SubUnit {
            part_type: self.short(node, "PartType", 50),
            pn: self.short(node, "PN", 100),
            sn: self.short(node, "SN", 100),
            rev: self.short(node, "Rev", 100),
            idx: self.whole(node, "Idx"),
            parent_idx: self.whole(node, "ParentIDX"),
            // Writers put 0 on every sub unit: it says nothing.
            position: self.whole(node, "Position").filter(|position| *position != 0),
            replaced_idx: self.whole(node, "ReplacedIDX"),
            ..SubUnit::default()
        }
    }

    fn asset(&mut self, node: Node<'_, '_>) -> Asset {
        Asset {
            asset_sn: self.short(node, "AssetSN", 100),
            usage_count: self.whole(node, "UsageCount"),
            usage_count_format: owned(node, "UsageCountFormat"),
            extra: Extra::new(),
        }
    }

    /// A text cut to what the server takes.
    fn fit(&mut self, value: &str, limit: usize, what: &str) -> Text {
        if !text::needs_fit(value, limit) {
            return value.into();
        }
        text::fit(value, limit, &format!("{}: {what}", self.path), self.warnings)
    }

    /// An attribute cut to what the server takes.
    fn short(&mut self, node: Node<'_, '_>, name: &str, limit: usize) -> Option<Text> {
        attribute(node, name).map(|value| self.fit(value, limit, name))
    }

    fn whole(&mut self, node: Node<'_, '_>, name: &str) -> Option<i32> {
        let value = attribute(node, name)?;
        let whole = value.parse().ok();
        if whole.is_none() {
            self.warn(format!("{}{name} \"{value}\" is no whole number; left out", whose(node)));
        }
        whole
    }

    fn number(&mut self, node: Node<'_, '_>, name: &str) -> Option<Double> {
        let value = attribute(node, name)?;
        let number = text::number(value).map(Double::new);
        if number.is_none() {
            self.warn(format!("{}{name} \"{value}\" is no number; left out", whose(node)));
        }
        number
    }

    fn uuid(&mut self, node: Node<'_, '_>, name: &str) -> Option<Uuid> {
        let value = attribute(node, name)?;
        let uuid = Uuid::parse_str(value).ok();
        if uuid.is_none() {
            self.warn(format!("{name} \"{value}\" is no report id; left out"));
        }
        uuid
    }
}

/// The step that a warning is about, if it is about one.
fn whose(node: Node<'_, '_>) -> String {
    let step = node.ancestors().find(|it| is(*it, "Step"));
    step.and_then(|step| attribute(step, "Name")).map(|name| format!("step {name}: ")).unwrap_or_default()
}

/// A free XML tree as a free tree of properties.
fn additional_data(node: Node<'_, '_>) -> AdditionalData {
    AdditionalData {
        name: owned(node, "Name"),
        props: node.children().filter(Node::is_element).map(property).collect(),
        extra: Extra::new(),
    }
}

fn property(node: Node<'_, '_>) -> Property {
    let value = child(node, "Value").and_then(xml::text).or_else(|| xml::text(node));
    let inner: Vec<Property> =
        node.children().filter(|inner| inner.is_element() && !is(*inner, "Value")).map(property).collect();
    let kind = if inner.is_empty() { "String" } else { "Obj" };
    Property {
        name: owned(node, "Name").or_else(|| Some(node.tag_name().name().into())),
        property_type: owned(node, "Type").or_else(|| Some(kind.into())),
        value: value.or_else(|| owned(node, "Value")),
        props: Some(inner).filter(|inner| !inner.is_empty()),
        ..Property::default()
    }
}
