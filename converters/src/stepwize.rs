//! StepWize: `.XSPC` files, XML with a header and one element for each result.

use roxmltree::Node;
use wats::report::{AdditionalData, Double, Extra, Report, Status, Step, StringMeas, Text, Time, Uut};

use crate::kit::leftover::Elements;
use crate::kit::time::{Times, seconds};
use crate::kit::xml::{child, children};
use crate::kit::{build, header, property, text, tree, verdict, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct StepWize;

const ABOUT: About = About {
    name: "stepwize",
    title: "StepWize (XSPC)",
    vendor: "StepWize",
    description: "Files named *_CONFIG_AND_RESULTS.XSPC: XML with the root ConfigAndResultsDataFile; one report for each ConfigandResultsData, which is a unit.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xspc"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of operations that have none in operationCodes",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "operationCodes",
            description: "Process codes by the name of the operation, like Final Test=60; SW Debug=70",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator when the file names none",
            default: "oper",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the sequence, which the file does not have",
            default: "1.0.0",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Let StepWize save its results and copy or move the *_CONFIG_AND_RESULTS.XSPC files into the watched folder. \
Give the process code of each operation in `operationCodes`.",
        mapping: &[
            ("partNumber, revision, serialNumber", "pn, rev, sn"),
            ("operation", "processCode by the argument operationCodes, and misc info"),
            ("sourceFile", "the root's sequence"),
            ("sequencePF", "result: Pass, Fail; Incomplete is Terminated"),
            ("operatorStamp, assetID of the first result", "uut.user, machineName"),
            ("startDateTime of the first result, endDateTime of the last", "start, uut.execTime"),
            ("the header's other elements", "misc infos, when not empty"),
            ("stepName", "a sequence whenever it changes"),
            ("subItemName", "the step's name; stepName when it is empty"),
            ("dataType 0: stepValue, units, lowerLimit, upperLimit, limitMode", "ET_NLT"),
            ("dataType 1", "ET_PFT"),
            ("dataType 2", "Action"),
            ("any other dataType: stringValue, Expected_String", "ET_SVT, with a warning"),
            (
                "stepOutcome, measurementOutcome",
                "status: failed where stepOutcome is not Pass, or measurementOutcome is Fail",
            ),
            ("measurementOutcome Performed- Record Only", "a number without limits"),
            ("stepNotes, causeText, testCondition", "reportText"),
        ],
        limits: &[
            "Times have no offset in the file and are read in the station's zone.",
            "SI_Prefix is for the display only: values are in the base unit and stay so.",
        ],
    },
};

const ROOT: &str = "ConfigAndResultsDataFile";
/// Elements of the header that are read, or that are no data of the unit.
const HEADER: &[&str] =
    &["partNumber", "revision", "serialNumber", "sourceFile", "sequencePF", "Config_and_Result_Data"];
/// Elements of the header that become misc infos.
const INFOS: &[&str] = &[
    "Organization",
    "resultSetID",
    "modelNumber",
    "partDescription",
    "label",
    "description",
    "operation",
    "build",
    "softwarePN",
    "workOrder",
    "factoryNumber",
    "exportRestriction",
    "plantName",
    "alternatePartNumber",
    "alternateModelNumber",
    "resultFile",
    "partRev",
    "version",
];
/// Elements of a result that are read, or that only say how it is shown.
const RESULT: &[&str] = &[
    "stepName",
    "stepNum",
    "stepID",
    "stepResultID",
    "stepIndex",
    "subItemName",
    "genus",
    "lowerLimit",
    "upperLimit",
    "limitMode",
    "startDateTime",
    "totalTime",
    "iteration",
    "stepValue",
    "precision",
    "sciFormat",
    "units",
    "stringValue",
    "boolValue",
    "stepOutcome",
    "assetID",
    "operator",
    "operatorStamp",
    "testCondition",
    "station",
    "operation",
    "redline",
    "modified",
    "archive",
    "cause",
    "causeText",
    "dataType",
    "measurementGUID",
    "measurementTypeGUID",
    "Choices",
    "Choice_Type",
    "OOF_Limit_1",
    "OOF_Limit_2",
    "Expected_String",
    "Expected_Boolean",
    "Case_Sensitive",
    "Allow_Other_",
    "Order_By",
    "SI_Prefix",
    "endDateTime",
    "measurementOutcome",
    "Apply_OOF",
    "stepNotes",
];

impl Converter for StepWize {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &[ROOT], |_| Qualification::new(0.98, format!("an element {ROOT}")))
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let document = xml::parse_as(&decoded, &[ROOT], "files of StepWize")?;
        let root = document.root_element();
        let missing = |node: Node<'_, '_>, what: &str| {
            ConvertError::new(ErrorKind::Missing, format!("there is no element {what}"))
                .at_path(xml::path(node))
        };
        let (unknown, times) = (Elements::default(), Times::of(input));
        let mut reading = Reading { input, arguments, warnings, unknown, times };
        let mut reports = Vec::new();
        for head in children(root, "ConfigandResultsData") {
            let data = child(head, "Config_and_Result_Data")
                .ok_or_else(|| missing(head, "Config_and_Result_Data"))?;
            if child(head, "sequencePF").is_none() {
                return Err(missing(head, "sequencePF").expected("Pass, Fail or Incomplete in it"));
            }
            reports.push(reading.report(head, data).map_err(|error| match error.place {
                None => error.at_path(xml::path(head)),
                Some(_) => error,
            })?);
        }
        if reports.is_empty() {
            return Err(missing(root, "ConfigandResultsData"));
        }
        let Reading { mut warnings, unknown, times, .. } = reading;
        unknown.warn("kept as misc info or additional results", &mut warnings);
        times.warn("of results", &mut warnings);
        Ok(Conversion { reports, warnings })
    }
}

struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: Vec<String>,
    unknown: Elements,
    times: Times,
}

/// The text of a child that is not blank.
fn value(node: Node<'_, '_>, name: &'static str) -> Option<Text> {
    child(node, name).and_then(xml::text)
}

impl Reading<'_> {
    fn report(&mut self, head: Node<'_, '_>, data: Node<'_, '_>) -> Result<Report, ConvertError> {
        let results: Vec<Node<'_, '_>> = children(data, "Config_and_Data_Result").collect();
        let of_first = |name| results.first().and_then(|first| value(*first, name));
        let mut report = Report::without_root(
            value(head, "partNumber").unwrap_or_default(),
            value(head, "serialNumber").unwrap_or_default(),
            value(head, "revision").unwrap_or_default(),
        );
        report.process_code = self.process(value(head, "operation").as_deref());
        report.machine_name = of_first("assetID").unwrap_or_default();
        self.infos(head, &results, &mut report);
        report.start = results.first().and_then(|first| self.time(*first, "startDateTime"));
        let end = results.last().and_then(|last| self.time(*last, "endDateTime"));
        report.uut = Some(Uut {
            user: Some(of_first("operatorStamp").unwrap_or_else(|| self.arguments.text("operator").into())),
            exec_time: seconds(report.start.as_ref(), end.as_ref()),
            ..Uut::default()
        });

        let steps = self.sequences(&results);
        let word = value(head, "sequencePF").unwrap_or_default();
        report.result = match word.to_ascii_lowercase().as_str() {
            "incomplete" => Status::Terminated,
            other => match Status::from_word(other) {
                Some(status @ (Status::Passed | Status::Failed | Status::Error | Status::Terminated)) => {
                    status
                }
                _ => {
                    self.warnings.push(format!(
                        "sequencePF \"{word}\" is none of Pass, Fail and Incomplete; the steps decide"
                    ));
                    tree::rolled_up(&steps)
                }
            },
        };
        let file = value(head, "sourceFile").unwrap_or_else(|| "MainSequence".into());
        let status = tree::root(&steps, report.result);
        let version = self.arguments.text("sequenceVersion");
        report.root = Some(Step { status, ..build::sequence(&file, &file, version, steps) });
        header::complete(&mut report, self.input, &mut self.warnings)?;
        Ok(report)
    }

    /// The process code that the argument gives to the operation, else the one for all others.
    fn process(&mut self, operation: Option<&str>) -> Option<i32> {
        let operation = operation.unwrap_or_default();
        let mut found = None;
        let pairs = self.arguments.text("operationCodes").split(';').map(str::trim);
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let parsed = pair.rsplit_once('=').map(|(name, code)| (name.trim(), code.trim().parse::<i16>()));
            match parsed {
                Some((name, Ok(code))) if code > 0 => {
                    if name.eq_ignore_ascii_case(operation) {
                        found = Some(i32::from(code));
                    }
                }
                _ => self
                    .warnings
                    .push(format!("operationCodes: \"{pair}\" is no name and code like Final Test=60")),
            }
        }
        found.or_else(|| self.arguments.process_code("operationTypeCode").map(i32::from))
    }

    fn infos(&mut self, head: Node<'_, '_>, results: &[Node<'_, '_>], report: &mut Report) {
        for name in INFOS {
            report.misc_infos.extend(value(head, name).map(|text| build::info(name, &text)));
        }
        for other in head.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            let known = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
            if !known(HEADER) && !known(INFOS) && other.children().any(|it| it.is_element() || it.is_text()) {
                self.unknown.add(other);
                report.misc_infos.push(build::info(name, &xml::words(other)));
            }
        }
        // Equipment can change during a run; the station's name is the first.
        let mut assets: Vec<Text> = Vec::new();
        for asset in results.iter().filter_map(|result| value(*result, "assetID")) {
            if assets.last() != Some(&asset) && !assets.contains(&asset) {
                assets.push(asset);
            }
            if assets.len() > 20 {
                break;
            }
        }
        if assets.len() > 1 {
            report.misc_infos.push(build::info("assetID", &assets.join(", ")));
        }
    }

    fn time(&mut self, node: Node<'_, '_>, name: &'static str) -> Option<Time> {
        self.times.read(&value(node, name)?)
    }

    /// The results, in a sequence of their own as long as the step stays the same.
    fn sequences(&mut self, results: &[Node<'_, '_>]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut open: Option<(Text, Vec<Step>)> = None;
        let close = |open: Option<(Text, Vec<Step>)>, steps: &mut Vec<Step>| {
            if let Some((name, inner)) = open {
                steps.push(build::sequence(&name, &name, "1.0.0", inner));
            }
        };
        for result in results {
            let name = value(*result, "stepName").unwrap_or_else(|| "Step".into());
            let step = self.step(*result, &name);
            match &mut open {
                Some((current, inner)) if *current == name => inner.push(step),
                _ => close(open.replace((name, vec![step])), &mut steps),
            }
        }
        close(open, &mut steps);
        steps
    }

    fn step(&mut self, node: Node<'_, '_>, step_name: &str) -> Step {
        let name = value(node, "subItemName").unwrap_or_else(|| step_name.into());
        let outcome = value(node, "measurementOutcome").unwrap_or_default();
        let step_outcome = value(node, "stepOutcome");
        let measured = Status::from_word(&outcome);
        // Whichever of the two says that it failed is believed.
        let status = match (step_outcome.as_deref(), measured) {
            (_, Some(Status::Failed)) => Status::Failed,
            (Some(word), _) if !word.eq_ignore_ascii_case("pass") => Status::Failed,
            (None, measured) if measured != Some(Status::Passed) => Status::Failed,
            _ => Status::Passed,
        };
        let record_only = outcome.to_ascii_lowercase().contains("record only");
        let kind = value(node, "dataType").unwrap_or_default();
        let mut step = match kind.as_str() {
            "0" => self.number(node, &name, status, record_only),
            "1" => build::pass_fail(&name, status),
            "2" => {
                let mut step = Step::new("Action", name.as_str(), status);
                // An overall outcome has its verdict in words here.
                if let Some(text) =
                    value(node, "stringValue").filter(|text| Some(text) != step_outcome.as_ref())
                {
                    verdict::add_text(&mut step, &text);
                }
                step
            }
            other => {
                self.warnings
                    .push(format!("step {name}: the data type \"{other}\" is not known; kept as a text"));
                text_step(node, &name, status)
            }
        };
        let (start, end) = (self.time(node, "startDateTime"), self.time(node, "endDateTime"));
        step.tot_time = seconds(start.as_ref(), end.as_ref());
        step.start = start;
        for note in ["stepNotes", "causeText", "testCondition"] {
            if let Some(text) = value(node, note) {
                verdict::add_text(&mut step, &text);
            }
        }
        for other in node.children().filter(Node::is_element) {
            let name = other.tag_name().name();
            if !RESULT.iter().any(|known| known.eq_ignore_ascii_case(name)) && !xml::words(other).is_empty() {
                self.unknown.add(other);
                let kept: AdditionalData = property::named(name, vec![property::of_element(other, 0)]);
                step.rare.additional_results.push(kept);
            }
        }
        step
    }

    fn number(&mut self, node: Node<'_, '_>, name: &str, status: Status, record_only: bool) -> Step {
        let mut read = |element: &'static str| {
            let written = value(node, element)?;
            let number = text::number(&written);
            if number.is_none() {
                self.warnings.push(format!("step {name}: {element} \"{written}\" is no number"));
            }
            number
        };
        let measured = read("stepValue").unwrap_or(f64::NAN);
        let (low, high) = (read("lowerLimit"), read("upperLimit"));
        let mode = value(node, "limitMode").unwrap_or_default();
        let unit = value(node, "units").unwrap_or_default();
        let mut number = build::number(None, status, measured, &unit, (None, None));
        let mut unread = None;
        if !record_only {
            match limits(&mode, low, high) {
                Some((operator, low, high)) => {
                    let (comp_op, low, high) = tree::limits(&operator, low, high);
                    number.comp_op = comp_op;
                    (number.low_limit, number.high_limit) = (low.map(Double::new), high.map(Double::new));
                }
                None => unread = Some(mode),
            }
        }
        let mut step = build::numeric(name, status, [number]);
        if let Some(mode) = unread {
            self.warnings
                .push(format!("step {name}: the limit mode \"{mode}\" is not known; the value is logged"));
            let shown = |limit: Option<f64>| limit.map(|limit| limit.to_string()).unwrap_or_default();
            verdict::add_text(&mut step, &format!("{mode} (LL {}, UL {})", shown(low), shown(high)));
        }
        step
    }
}

/// Operator and limits of a mode like `LL <= Value < UL`; `None` for one that is not understood.
fn limits(mode: &str, low: Option<f64>, high: Option<f64>) -> Option<(String, Option<f64>, Option<f64>)> {
    let signs = ['<', '>', '=', '!'];
    let mut spaced = String::new();
    let mut in_sign = false;
    for letter in mode.chars() {
        if signs.contains(&letter) != in_sign {
            in_sign = !in_sign;
            spaced.push(' ');
        }
        spaced.push(letter);
    }
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let limit = |word: &str| match word.to_ascii_uppercase().as_str() {
        "LL" => Some(low),
        "UL" => Some(high),
        _ => None,
    };
    let is_value = |word: &str| word.eq_ignore_ascii_case("Value");
    let operator = |word: &str| match word {
        "<" => Some("LT"),
        "<=" => Some("LE"),
        ">" => Some("GT"),
        ">=" => Some("GE"),
        "=" | "==" => Some("EQ"),
        "!=" | "<>" => Some("NE"),
        _ => None,
    };
    // What stands before the value is turned around.
    let turned = |operator: &'static str| match operator {
        "LT" => "GT",
        "LE" => "GE",
        "GT" => "LT",
        "GE" => "LE",
        other => other,
    };
    match words.as_slice() {
        [] => Some(("LOG".to_owned(), None, None)),
        [only] if only.eq_ignore_ascii_case("none") => Some(("LOG".to_owned(), None, None)),
        ["No" | "no", "Limit" | "Limits" | "limit" | "limits"] => Some(("LOG".to_owned(), None, None)),
        [value, op, other] if is_value(value) => Some((operator(op)?.to_owned(), limit(other)?, None)),
        [other, op, value] if is_value(value) => {
            Some((turned(operator(op)?).to_owned(), limit(other)?, None))
        }
        [first, before, value, after, second] if is_value(value) => {
            Some(both((turned(operator(before)?), limit(first)?), (operator(after)?, limit(second)?), 'G'))
        }
        [value, first_op, first, word, again, second_op, second] if is_value(value) && is_value(again) => {
            let begins = match word.to_ascii_lowercase().as_str() {
                "or" => 'L',
                "and" => 'G',
                _ => return None,
            };
            let first = (operator(first_op)?, limit(first)?);
            Some(both(first, (operator(second_op)?, limit(second)?), begins))
        }
        _ => None,
    }
}

/// Two comparisons as one operator: it begins with the one with the low limit, which is G inside of limits and L outside.
fn both(
    first: (&'static str, Option<f64>),
    second: (&'static str, Option<f64>),
    begins: char,
) -> (String, Option<f64>, Option<f64>) {
    let turned = !first.0.starts_with(begins) && second.0.starts_with(begins);
    let (first, second) = if turned { (second, first) } else { (first, second) };
    (format!("{}{}", first.0, second.0), first.1, second.1)
}

fn text_step(node: Node<'_, '_>, name: &str, status: Status) -> Step {
    let limit = value(node, "Expected_String");
    let sensitive = value(node, "Case_Sensitive").is_none_or(|it| it.eq_ignore_ascii_case("t"));
    let operator = match (&limit, sensitive) {
        (None, _) => "LOG",
        (Some(_), true) => "CASESENSIT",
        (Some(_), false) => "IGNORECASE",
    };
    let mut step = Step::new("ET_SVT", name, status);
    step.string_meas.push(StringMeas {
        comp_op: operator.into(),
        name: None,
        status,
        value: Some(value(node, "stringValue").unwrap_or_default()),
        limit,
        extra: Extra::new(),
    });
    step
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_modes_are_read_from_both_sides() {
        for (mode, expected) in [
            ("LL <= Value <= UL", Some("GELE Some(1.0) Some(2.0)")),
            ("LL < Value < UL", Some("GTLT Some(1.0) Some(2.0)")),
            ("Value <= UL", Some("LE Some(2.0) None")),
            ("Value < UL", Some("LT Some(2.0) None")),
            ("Value > LL", Some("GT Some(1.0) None")),
            ("LL <= Value", Some("GE Some(1.0) None")),
            ("Value == LL", Some("EQ Some(1.0) None")),
            ("UL >= Value > LL", Some("GTLE Some(1.0) Some(2.0)")),
            ("LL<=Value<UL", Some("GELT Some(1.0) Some(2.0)")),
            ("Value < LL or Value >= UL", Some("LTGE Some(1.0) Some(2.0)")),
            ("Value > UL OR Value < LL", Some("LTGT Some(1.0) Some(2.0)")),
            ("Value >= LL and Value < UL", Some("GELT Some(1.0) Some(2.0)")),
            ("", Some("LOG None None")),
            ("No Limits", Some("LOG None None")),
            ("Value ~ LL", None),
            ("within", None),
        ] {
            let read = limits(mode, Some(1.0), Some(2.0));
            let shown = read.map(|(operator, low, high)| format!("{operator} {low:?} {high:?}"));
            assert_eq!(shown.as_deref(), expected, "{mode}");
        }
    }
}
