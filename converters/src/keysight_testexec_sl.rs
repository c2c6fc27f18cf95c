//! Keysight TestExec SL: XML with a header, a unit, nested tests and a summary, under names that vary by site.

use roxmltree::Node;
use wats::report::{Double, List, MiscInfo, NumericMeas, Report, Status, Step, Text, Time, Uut};

use crate::kit::xml::{attribute, child};
use crate::kit::{build, header, text, time, tree, verdict, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};

pub(crate) struct KeysightTestExecSl;

const ABOUT: About = About {
    name: "keysight-testexec-sl",
    title: "Keysight TestExec SL",
    vendor: "Keysight",
    description: "XML results of TestExec SL: TestResults, TestExecResults, Results or TestExecSL with a header, a unit and tests.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xml", "*.txsl"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "20",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "defaultStation",
            description: "Station of a file that names none",
            default: "TestExec SL",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "includePassedMeasurements",
            description: "Whether tests that passed are in the report, too",
            default: "true",
            kind: ArgumentKind::Flag,
        },
        Argument {
            name: "treatMissingLimitsAsPassFail",
            description: "Whether a value without limits becomes a pass/fail test; else it is logged as a number",
            default: "true",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Let TestExec SL write its results as XML, one file for each unit, into the watched folder.",
        mapping: &[
            ("Header: ProgramName or its other names", "root and its sequence"),
            ("Header: StationID, Operator, Location, StartTime", "machineName, uut.user, location, start"),
            ("UUT: SerialNumber, PartNumber, Revision, Batch", "sn, pn, rev, uut.batchSN"),
            ("Summary: Status, Duration", "result, uut.execTime"),
            (
                "TestGroup, Group, Sequence, SubSection",
                "a sequence; its Status where it states one, else that of what is in it",
            ),
            ("Test, TestStep, Step, Measurement", "a numeric test by its limits, or pass/fail"),
        ],
        limits: &[
            "Times have no offset in the file and are read in the station's zone.",
            "A file without a serial number gets its own name as one.",
        ],
    },
};

const ROOTS: [&str; 4] = ["TestResults", "TestExecResults", "Results", "TestExecSL"];
const HEADERS: [&str; 3] = ["Header", "TestHeader", "FileHeader"];
const UNITS: [&str; 5] = ["UUT", "Unit", "DUT", "Device", "Product"];
const SUMMARIES: [&str; 3] = ["Summary", "TestSummary", "Results"];
const SEQUENCES: [&str; 5] = ["TestSequence", "Tests", "TestResults", "Sequence", "Steps"];
const TESTS: [&str; 4] = ["test", "teststep", "step", "measurement"];
const GROUPS: [&str; 4] = ["testgroup", "group", "sequence", "subsection"];
const GROUP_NAMES: [&str; 3] = ["Name", "GroupName", "Title"];
const TEST_NAMES: [&str; 3] = ["Name", "TestName", "StepName"];
const VERDICTS: [&str; 3] = ["Status", "Result", "Outcome"];
const DATA: [&str; 4] = ["Measurement", "Measurements", "Data", "Value"];
const VALUES: [&str; 4] = ["Value", "MeasuredValue", "Result", "Data"];
const UNITS_OF: [&str; 3] = ["Units", "Unit", "MeasurementUnit"];
const LOWS: [&str; 4] = ["LowLimit", "LowerLimit", "Min", "LL"];
const HIGHS: [&str; 5] = ["HighLimit", "UpperLimit", "Max", "HL", "UL"];
const FORMATS: [&str; 7] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%dT%H:%M:%S%.f%:z",
];

impl Converter for KeysightTestExecSl {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &ROOTS, |beginning| {
            let root = beginning.root;
            // ATML has a root of the same name.
            if ["IEEE-1636.1", "ieee.org/ATML"].iter().any(|mark| beginning.text.contains(mark))
                || beginning.has("ResultSet")
            {
                return Qualification::none("the marks of ATML");
            }
            let has = |names: &[&str]| names.iter().any(|name| beginning.has(name));
            let parts = [has(&HEADERS), has(&UNITS), has(&TESTS)];
            match parts.iter().filter(|present| **present).count() {
                3 => Qualification::new(0.95, format!("an element {root} with header, unit and tests")),
                2 => Qualification::new(0.7, format!("an element {root} with two of header, unit and tests")),
                _ => Qualification::new(0.3, format!("an element {root} without header and unit")),
            }
        })
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let document = xml::parse_as(&decoded, &ROOTS, "files of TestExec SL")?;
        let root = document.root_element();
        let report = Reading { input, arguments, warnings: &mut warnings }.report(root)?;
        Ok(Conversion { reports: vec![report], warnings })
    }
}

/// The first child of one of these names, or the element itself.
fn part<'a, 'd>(node: Node<'a, 'd>, names: &[&'static str]) -> Node<'a, 'd> {
    names.iter().find_map(|name| child(node, name)).unwrap_or(node)
}

/// The text of the first child that has one, else the attribute of one of the names.
fn value(node: Node<'_, '_>, names: &[&'static str]) -> Option<Text> {
    let of_child = names.iter().find_map(|name| child(node, name).and_then(xml::text));
    of_child.or_else(|| names.iter().find_map(|name| attribute(node, name)).map(Into::into))
}

/// The first word as a number: behind it may stand a unit, with or without a blank.
fn number(written: &str) -> Option<f64> {
    let word = written.split_whitespace().next()?;
    text::number(word).or_else(|| {
        let end = word.rfind(|c: char| c.is_ascii_digit())? + 1;
        let (digits, unit) = word.split_at_checked(end)?;
        unit.chars().all(|c| !matches!(c, '.' | ',' | '+' | '-')).then(|| text::number(digits)).flatten()
    })
}

fn whole(written: &str) -> Option<u64> {
    written.chars().filter(char::is_ascii_digit).collect::<String>().parse().ok()
}

fn is_pass(word: &str) -> bool {
    ["pass", "passed", "p", "true", "1", "ok"].iter().any(|known| known.eq_ignore_ascii_case(word.trim()))
}

/// True for an element that has tests or groups in it.
fn has_steps(node: Node<'_, '_>) -> bool {
    node.children().any(|inner| is_any(inner, &TESTS) || is_any(inner, &GROUPS))
}

/// True for a test that is made of tests: it is a group.
fn has_tests(test: Node<'_, '_>) -> bool {
    test.children().any(|inner| is_any(inner, &["test", "teststep", "step"]))
}

/// What a word says of a unit or a group.
fn verdict_of(word: &str) -> Option<Status> {
    match word.trim().to_ascii_lowercase().as_str() {
        "pass" | "passed" | "p" | "true" | "1" | "ok" | "success" => Some(Status::Passed),
        "fail" | "failed" | "f" | "false" | "0" | "error" | "ng" => Some(Status::Failed),
        "terminated" | "aborted" | "abort" | "cancelled" | "canceled" => Some(Status::Terminated),
        _ => None,
    }
}

/// The verdict that an element states in an attribute or a child.
fn stated(node: Node<'_, '_>) -> Option<Status> {
    let of_attribute = || attribute(node, "status").or_else(|| attribute(node, "result"));
    let of_child = || value(node, &VERDICTS).as_deref().and_then(verdict_of);
    of_attribute().and_then(verdict_of).or_else(of_child)
}

struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: &'a mut Vec<String>,
}

impl Reading<'_> {
    fn report(&mut self, root: Node<'_, '_>) -> Result<Report, ConvertError> {
        let head = part(root, &HEADERS);
        let unit = part(root, &UNITS);
        let named = UNITS.into_iter().find(|name| child(root, name).is_some());
        let units = named.map_or(0, |name| xml::children(root, name).count());
        if units > 1 {
            self.warnings.push(format!(
                "{} holds {units} elements {}, and one set of tests: it is reported of the first. Let each unit have a file of its own",
                xml::path(root),
                unit.tag_name().name()
            ));
        }
        let summary = part(root, &SUMMARIES);
        let program = value(head, &["ProgramName", "TestProgram", "SequenceName", "Name"]);
        let file_name =
            self.input.file_name.rsplit_once('.').map_or(&*self.input.file_name, |(stem, _)| stem);
        let serial_number = value(unit, &["SerialNumber", "Serial", "SN", "UnitSerial", "UnitID"]);
        if serial_number.is_none() {
            self.warnings.push("no serial number in the file: its name is used".to_owned());
        }
        let part_number = value(unit, &["PartNumber", "Part", "PN", "ProductNumber", "Model"]);
        let mut report = Report::without_root(
            part_number.or_else(|| program.clone()).unwrap_or_default(),
            serial_number.unwrap_or_else(|| file_name.into()),
            value(unit, &["Revision", "Rev", "Version", "HWRevision"]).unwrap_or_else(|| "1".into()),
        );
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.machine_name = value(head, &["StationID", "Station", "StationName", "TestStation"])
            .unwrap_or_else(|| self.arguments.text("defaultStation").into());
        report.location = value(head, &["Location", "Site", "Facility"]).unwrap_or_default();
        report.purpose = "Functional Test".into();
        let start = value(head, &["StartTime", "Start", "TestStart", "BeginTime"]);
        report.start = start.as_deref().and_then(|start| self.time(start));
        if let (Some(start), None) = (&start, &report.start) {
            self.warnings.push(format!("the start time \"{start}\" cannot be read"));
        }

        let name = SEQUENCES.into_iter().find(|name| child(root, name).is_some());
        let mut kept = Vec::new();
        let steps = match name {
            Some(name) => {
                xml::children(root, name).flat_map(|tests| self.steps(tests, Some(&mut kept))).collect()
            }
            None => self.steps(root, None),
        };
        let operator = value(head, &["Operator", "OperatorID", "User", "Technician"]);
        let duration = value(summary, &["Duration", "TestTime", "ExecutionTime", "TotalTime"])
            .filter(|written| !written.contains(':'))
            .and_then(|written| number(&written));
        let end = value(head, &["EndTime", "End", "TestEnd", "FinishTime"]).and_then(|end| self.time(&end));
        let elapsed = time::seconds(report.start.as_ref(), end.as_ref());
        let total = value(summary, &["TotalTests", "Total", "TestCount"]).and_then(|written| whole(&written));
        report.result = self.result(root, summary, total, &steps);
        let info = |(name, text): (&str, Option<Text>)| {
            Some(MiscInfo { description: Some(name.into()), text: Some(text?), ..MiscInfo::default() })
        };
        report.misc_infos = [
            ("Operator", operator.clone()),
            ("Test Program", program.clone()),
            ("Total Tests", total.map(|total| total.to_string().into())),
            ("Test Duration (s)", duration.map(|seconds| format!("{seconds:?}").into())),
        ]
        .into_iter()
        .filter_map(info)
        .chain(kept)
        .collect();
        report.uut = Some(Uut {
            user: Some(operator.unwrap_or_default()),
            exec_time: duration.filter(|seconds| *seconds >= 0.0).map(Double::new).or(elapsed),
            batch_sn: value(unit, &["Batch", "Lot", "BatchNumber", "LotNumber"]),
            ..Uut::default()
        });
        let name = program.unwrap_or_else(|| "MainSequence".into());
        let version = value(head, &["ProgramVersion", "Version", "SequenceVersion"]);
        let status = tree::root(&steps, report.result);
        let sequence = build::sequence(&name, &name, version.as_deref().unwrap_or("1.0.0"), steps);
        report.root = Some(Step { status, ..sequence });
        header::complete(&mut report, self.input, self.warnings)?;
        Ok(report)
    }

    fn time(&self, written: &str) -> Option<Time> {
        let zone = &self.input.station.time_zone;
        time::parse(written, zone).or_else(|| time::parse_as(written, &FORMATS, zone))
    }

    /// The stated verdict, else that of the counts, the root's own, or the tests.
    fn result(
        &mut self,
        root: Node<'_, '_>,
        summary: Node<'_, '_>,
        total: Option<u64>,
        steps: &[Step],
    ) -> Status {
        let count = |names: &[&'static str]| value(summary, names).and_then(|written| whole(&written));
        let word = value(summary, &["Status", "Result", "Outcome", "FinalResult"]);
        if let Some(stated) = word.as_deref().and_then(verdict_of) {
            return stated;
        }
        if let Some(word) = word {
            self.warnings.push(format!("the result \"{word}\" is not known; the tests decide"));
        }
        if count(&["FailedTests", "Failed", "FailCount"]).is_some_and(|failed| failed > 0) {
            return Status::Failed;
        }
        if total.is_some() && total == count(&["PassedTests", "Passed", "PassCount"]) {
            return Status::Passed;
        }
        let own = attribute(root, "status").and_then(verdict_of);
        own.unwrap_or_else(|| tree::rolled_up(steps))
    }

    /// Tests and groups below an element. Others are kept as misc infos, but not where the root itself is read: header,
    /// unit and summary stand there.
    fn steps(&mut self, node: Node<'_, '_>, mut kept: Option<&mut Vec<MiscInfo>>) -> Vec<Step> {
        let mut steps = Vec::new();
        for inner in node.children().filter(Node::is_element) {
            let is_test = is_any(inner, &TESTS);
            if is_test && !has_tests(inner) {
                steps.extend(self.test(inner));
            } else if is_test || is_any(inner, &GROUPS) || (kept.is_some() && has_steps(inner)) {
                let name = attribute(inner, "name").map(Text::from);
                let name = name.or_else(|| value(inner, &GROUP_NAMES)).unwrap_or_else(|| "TestGroup".into());
                if !is_test && !is_any(inner, &GROUPS) {
                    let element = inner.tag_name().name();
                    self.warnings.push(format!(
                        "an element {element} among the tests is not known: it has tests, and is read as group {name}"
                    ));
                }
                let mut others = Vec::new();
                let nested = self.steps(inner, Some(&mut others));
                let group = build::sequence(&name, &format!("{name}.seq"), "1.0.0", nested);
                let status = stated(inner).unwrap_or(group.status);
                steps.push(Step { status, ..group });
                kept.as_deref_mut().into_iter().for_each(|kept| kept.append(&mut others));
            } else if let Some(kept) = kept.as_deref_mut()
                && !is_any(inner, &GROUP_NAMES)
                && !(is_any(node, &GROUPS)
                    && is_any(inner, &VERDICTS)
                    && verdict_of(&xml::words(inner)).is_some())
            {
                let element = inner.tag_name().name();
                self.warnings.push(format!(
                    "an element {element} among the tests is not known: its text is kept as misc info"
                ));
                kept.push(build::info(element, &xml::words(inner)));
            }
        }
        steps
    }

    /// `None` for a test that passed where those are left out.
    fn test<'a, 'd>(&mut self, node: Node<'a, 'd>) -> Option<Step> {
        let name = attribute(node, "name").map(Text::from);
        let name = name.or_else(|| value(node, &TEST_NAMES)).unwrap_or_else(|| "Test".into());
        let word = attribute(node, "status").or_else(|| attribute(node, "result")).map(Text::from);
        let word = word.or_else(|| value(node, &VERDICTS));
        // A result may be the value and no verdict: then the limits decide.
        let is_value = |word: &Text| number(word).is_some() && !is_pass(word) && word != "0";
        let judged = word.as_ref().is_some_and(is_value);
        let passed = word.filter(|word| !is_value(word)).as_deref().is_none_or(is_pass);
        let status = if passed { Status::Passed } else { Status::Failed };
        let list = |of: Node<'a, 'd>| xml::children(of, "Measurement");
        let several: Vec<Node<'_, '_>> =
            list(node).chain(child(node, "Measurements").into_iter().flat_map(list)).collect();
        let mut step = match several.as_slice() {
            [_, _, ..] => self.several(&name, status, &several),
            [only] => self.single(&name, status, node, Some(*only)),
            [] => {
                let data = ["Measurements", "Data", "Value"].iter().find_map(|name| child(node, name));
                self.single(&name, status, node, data)
            }
        };
        if let (true, [only]) = (judged, step.numeric_meas.as_mut_slice()) {
            let limit = |limit: Option<Double>| limit.map(|limit| limit.get());
            let (low, high) = (limit(only.low_limit), limit(only.high_limit));
            only.status = tree::numeric(&only.comp_op, only.value.get(), low, high);
            step.status = only.status;
        }
        if step.status == Status::Passed && !self.arguments.flag("includePassedMeasurements") {
            return None;
        }
        let read = |inner: &Node<'_, '_>| {
            [&TEST_NAMES[..], &VERDICTS, &DATA, &VALUES, &LOWS, &HIGHS, &UNITS_OF]
                .iter()
                .any(|it| is_any(*inner, it))
        };
        for other in node.children().filter(|inner| inner.is_element() && !read(inner)) {
            let text = xml::words(other);
            if !text.is_empty() {
                verdict::add_text(&mut step, &format!("{}: {text}", other.tag_name().name()));
            }
        }
        Some(step)
    }

    /// A test with one value or none: in its data, else in the test itself.
    fn single(&self, name: &str, status: Status, test: Node<'_, '_>, data: Option<Node<'_, '_>>) -> Step {
        let inner = data.filter(has_values);
        // In the test itself a result may be its verdict.
        let of_test =
            |name: &&str| *name != "Result" || !value(test, &["Result"]).is_some_and(|it| is_verdict(&it));
        let names: Vec<&'static str> = match inner {
            Some(_) => VALUES.to_vec(),
            None => VALUES.into_iter().filter(of_test).collect(),
        };
        let mut read = Self::measured(inner.unwrap_or(test), &names);
        if let (None, Some(data)) = (inner, data.and_then(xml::text)) {
            // The data is nothing but the value.
            read.value = number(&data).or(read.value);
            read.unread = if read.value.is_none() { Some(data) } else { None };
        }
        let mut step = match (read.value, read.limits) {
            (None, _) => build::pass_fail(name, status),
            (Some(_), (None, None)) if self.arguments.flag("treatMissingLimitsAsPassFail") => {
                build::pass_fail(name, status)
            }
            (Some(value), limits) => {
                build::numeric(name, status, [build::number(None, status, value, &read.unit, limits)])
            }
        };
        if let Some(unread) = read.unread {
            verdict::add_text(&mut step, &format!("Value: {unread}"));
        }
        step
    }

    /// Several measurements of one test, each judged by its own limits.
    fn several(&mut self, name: &str, status: Status, measurements: &[Node<'_, '_>]) -> Step {
        let mut numbers: List<NumericMeas> = List::new();
        let mut texts = Vec::new();
        for (index, node) in measurements.iter().enumerate() {
            let read = Self::measured(*node, &VALUES);
            let own = attribute(*node, "name").map(Text::from).or_else(|| value(*node, &["Name"]));
            let mut own = own.unwrap_or_else(|| format!("Measurement {}", index + 1).into());
            if numbers.iter().any(|other| other.name.as_deref() == Some(&own)) {
                own = format!("{own} ({})", index + 1).into();
            }
            let measured = read.value.or_else(|| number(&xml::text(*node)?)).unwrap_or(f64::NAN);
            if let Some(unread) = read.unread {
                texts.push(format!("{own}: {unread}"));
            }
            let mut number = build::number(Some(&own), Status::Passed, measured, &read.unit, read.limits);
            let limit = |limit: Option<Double>| limit.map(|limit| limit.get());
            let (low, high) = (limit(number.low_limit), limit(number.high_limit));
            number.status = tree::numeric(&number.comp_op, measured, low, high);
            // What the file says to have failed does not pass.
            let word = attribute(*node, "status").map(Text::from).or_else(|| value(*node, &["Status"]));
            if word.is_some_and(|word| !is_pass(&word)) {
                number.status = Status::Failed;
            }
            numbers.push(number);
        }
        // A failed test must have a failed measurement, or no server takes the report.
        if status == Status::Failed && numbers.iter().all(|number| number.status != Status::Failed) {
            self.warnings
                .push(format!("test {name} failed although all its measurements are within their limits"));
            if let Some(last) = numbers.last_mut() {
                last.status = Status::Failed;
            }
        }
        let failed = numbers.iter().any(|number| number.status == Status::Failed);
        let mut step = build::numeric(name, if failed { Status::Failed } else { status }, numbers);
        texts.iter().for_each(|text| verdict::add_text(&mut step, text));
        step
    }

    /// Value, unit and limits of an element.
    fn measured(data: Node<'_, '_>, names: &[&'static str]) -> Measured {
        let mut unread = None;
        let mut read = |names: &[&'static str]| {
            let written = names.iter().filter_map(|name| value(data, &[name]));
            let mut written = written.filter(|it| !is_verdict(it) || number(it).is_some()).peekable();
            let first = written.peek().cloned();
            let number = written.find_map(|it| number(&it));
            if number.is_none() {
                unread = unread.take().or(first);
            }
            number
        };
        let measured = read(names);
        let limits = (read(&LOWS), read(&HIGHS));
        Measured { value: measured, unit: value(data, &UNITS_OF).unwrap_or_default(), limits, unread }
    }
}

/// What an element says of a measurement.
struct Measured {
    value: Option<f64>,
    unit: Text,
    limits: (Option<f64>, Option<f64>),
    /// What stands where a number should.
    unread: Option<Text>,
}

fn is_any(node: Node<'_, '_>, names: &[&str]) -> bool {
    names.iter().any(|name| xml::is(node, name))
}

/// Values stand in elements or attributes; a text alone is the value of the test itself.
fn has_values(node: &Node<'_, '_>) -> bool {
    node.attributes().len() > 0 || node.children().any(|child| child.is_element())
}

/// A test's own element may have its verdict where a value would stand.
fn is_verdict(word: &str) -> bool {
    is_pass(word)
        || ["fail", "failed", "f", "false", "error", "ng"].iter().any(|it| it.eq_ignore_ascii_case(word))
}
