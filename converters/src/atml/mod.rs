//! ATML test results (IEEE 1636.1) as NI TestStand writes them: versions 2.02, 5.00 and 6.01.

mod data;
mod limits;
mod measured;
mod results;
mod steps;
mod unit;

use roxmltree::Node;

use crate::kit::leftover::Elements;
use crate::kit::time::Times;
use crate::kit::xml::{children, is};
use crate::kit::{units, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct Atml;

const ABOUT: About = About {
    name: "atml",
    title: "ATML test results (IEEE 1636.1)",
    vendor: "IEEE, National Instruments",
    description: "XML with the root TestResults or TestResultsCollection, versions 2.02, 5.00 and 6.01, with the extensions of NI TestStand; one report for each TestResults.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xml", "*.atml"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "partNumber",
            description: "Part number of a unit whose file names none",
            default: "NA",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the root sequence when the file names none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator when the file names none",
            default: "",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "In TestStand choose an ATML report (5.00 or 6.01 rather than 2.02) in the report options and let it write into the watched folder. \
Keep the TestStand extensions on (*Include TestStand extension elements*): step types, groups and thresholds come from them.",
        mapping: &[
            ("Personnel SystemOperator name, else ID", "uut.user"),
            ("UUT SerialNumber", "sn; NA when there is none"),
            ("UUT IdentificationNumber, the first", "pn; further ones are misc infos"),
            ("UUT AdditionalData of TestStand", "misc infos; an item within an item as outer.inner"),
            ("TestStation SerialNumber", "machineName"),
            ("TestStation AdditionalData of TestStand", "additionalData Station info"),
            ("ResultSet name, before and after `#`", "the root's sequence and name"),
            ("ResultSet startDateTime, endDateTime", "start, uut.execTime"),
            ("ResultSet Outcome", "result and the root's status"),
            ("TestSocketIndex, BatchSerialNumber", "uut.testSocketIndex, uut.batchSN"),
            (
                "TestGroup",
                "a sequence call, named by callerName, else by its sequence; SeqFileVersion is its version",
            ),
            (
                "a TestGroup with a measurement of its own",
                "a measuring step and a sequence call of the same name",
            ),
            (
                "SessionAction",
                "a step of the kind that StepType names, else Action; popups and called programs with their answers",
            ),
            (
                "Test with numbers",
                "ET_NLT, or ET_MNLT for several and for step types that list them, whatever the step type is called",
            ),
            ("Test with texts and limits", "ET_SVT or ET_MSVT"),
            ("Test with a Measurement list (MeasName, Status …)", "ET_MNLT, ET_MSVT or ET_MPFT"),
            ("any other Test", "ET_PFT; steps that were skipped keep their kind"),
            ("LimitPair, SingleLimit, Expected", "comparison operator and limits; log only without"),
            ("Expected with ThresholdType and RawLimits", "GELE around the nominal value"),
            ("Outcome NotStarted", "Skipped"),
            (
                "Outcome Aborted, UserDefined",
                "what the qualifier says; a bare Aborted is Terminated, an unknown qualifier Done",
            ),
            ("LoopingProperties", "loop"),
            ("ReportText, TotalTime, StepGroup, StepId, StepCausedSequenceFailure", "the same of the step"),
            ("results without limits beside others with them", "additional results"),
        ],
        limits: &[
            "Times have no offset in most files and are read in the station's zone.",
            "In a step with several measurements that have no outcome of their own, those with GELE limits are judged by them and the others have the step's status.",
            "Regular expressions as limits of texts become CASESENSIT or IGNORECASE, with a warning: servers know no others.",
            "Of a file that breaks off the units that are complete are reported, with a warning for the rest; with none there is no report.",
            "A step with a single value cannot be in Error or Terminated on a server: its value is in the report text.",
        ],
    },
};

const ROOTS: [&str; 2] = ["TestResults", "TestResultsCollection"];
const NAMESPACES: [&str; 2] = ["IEEE-1636.1", "ieee.org/ATML"];

impl Converter for Atml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        xml::qualify(input, &ROOTS, |beginning| {
            let root = beginning.root;
            let tag = xml::root_tag(beginning.text).and_then(|tag| tag.split('>').next()).unwrap_or_default();
            if NAMESPACES.iter().any(|namespace| tag.contains(namespace)) {
                return Qualification::new(0.98, format!("an element {root} in a namespace of ATML"));
            }
            if root.eq_ignore_ascii_case("TestResultsCollection") || beginning.has("ResultSet") {
                return Qualification::new(
                    0.5,
                    format!("an element {root} like ATML's, without its namespace"),
                );
            }
            Qualification::none(format!("an element {root} without a namespace of ATML"))
        })
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let mut mended = None;
        let document = units::parse(&decoded, "TestResults", &mut mended, &mut warnings)?;
        let root = document.root_element();
        if !ROOTS.iter().any(|name| is(root, name)) {
            return Err(xml::wrong_root(root, "TestResults or TestResultsCollection, as in ATML"));
        }
        let units: Vec<Node<'_, '_>> =
            if is(root, "TestResults") { vec![root] } else { children(root, "TestResults").collect() };
        if units.is_empty() {
            let problem = "there is no element TestResults";
            return Err(ConvertError::new(ErrorKind::Missing, problem).at_path(xml::path(root)));
        }
        let (unknown, times) = (Elements::default(), Times::of(input));
        let mut reading = Reading { input, arguments, warnings, unknown, patterns: 0, times };
        for other in root.children().filter(|node| node.is_element() && units != [root]) {
            // The table of a batch stands in the extension; each unit repeats what matters of it.
            if !is(other, "TestResults") && !is(other, "Extension") {
                reading.unknown.add(other);
            }
        }
        let mut reports = Vec::with_capacity(units.len());
        for unit in units {
            reports.push(reading.unit(unit)?);
        }
        let Reading { mut warnings, unknown, patterns, times, .. } = reading;
        unknown.warn("kept as additional data or additional results", &mut warnings);
        if patterns > 0 {
            warnings.push(format!(
                "{patterns} texts were compared with a regular expression, which servers do not know: CASESENSIT or IGNORECASE stands for it"
            ));
        }
        times.warn("of steps", &mut warnings);
        Ok(Conversion { reports, warnings })
    }
}

/// What is needed at every element, and what is said at the end.
struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: Vec<String>,
    unknown: Elements,
    /// Texts that were compared with a regular expression.
    patterns: usize,
    /// Those of steps.
    times: Times,
}
