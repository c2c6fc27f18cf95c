//! XML reports of NI TestStand, and the dump that WATS steps for TestStand write: trees of `Prop` elements.

mod chart;
mod data;
mod props;
mod steps;
mod unit;

use std::borrow::Cow;

use roxmltree::Node;

use crate::kit::leftover::Elements;
use crate::kit::xml::{attribute, child, children, is};
use crate::kit::{text, units, xml};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct TestStandXml;

const ABOUT: About = About {
    name: "teststand-xml",
    title: "NI TestStand XML report",
    vendor: "National Instruments",
    description: "XML reports of TestStand (Reports with Report and Prop elements) and dumps with the root TSReport; one report for each Report of a unit.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.xml"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code where the file names none",
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
            description: "Revision of a unit whose file names none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "location",
            description: "Location when the file says nothing of the station; empty is that of the station's settings",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "purpose",
            description: "Purpose when the file says nothing of the station; empty is that of the station's settings",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "convertAdditionalDataToMiscInfo",
            description: "Whether the unit's AdditionalData become misc infos; else they are additional data",
            default: "false",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "In TestStand's report options choose the XML report and let it write into the watched folder, best a file for each unit. \
Include all measurements and *times*; the part number comes from the UUT's `PartNumber` property.",
        mapping: &[
            ("ReportInfo ID", "id"),
            ("ReportInfo Start; else StartDate and StartTime", "start"),
            (
                "StationInfo StationID, LoginName, Location, Purpose",
                "machineName, uut.user, location, purpose",
            ),
            ("StationInfo AdditionalData", "additionalData Station info"),
            ("UUT UUTPartNumber, PartNumber; ReportInfo PN", "pn, the first that is there"),
            ("UUT SerialNumber, UUTPartRevisionNumber, UUTOperationType", "sn, rev, processCode"),
            ("UUT Comment, UUT_Fixture_ID, BatchSerialNumber", "uut.comment, uut.fixtureId, uut.batchSN"),
            (
                "UUT TestSocketIndex, UUTLoopIndex, BatchFailCount",
                "uut.testSocketIndex, uut.batchLoopIndex, uut.batchFailCount",
            ),
            ("UUT MiscUUTResult Misc_UUT_Info, UUT_Part_Info", "misc infos, sub units"),
            ("UUT AdditionalData", "additionalData, or misc infos by argument"),
            (
                "Status, TS.TotalTime, Error of the main sequence",
                "result, uut.execTime, uut.errorCode, uut.errorMessage",
            ),
            ("TEResult", "a step; TS.SequenceCall.ResultList are its steps"),
            ("TS.PostAction.ResultList", "a sequence call of the step's name"),
            ("Numeric, Limits, Comp, Units", "ET_NLT; Comp EQT with its threshold becomes GELE"),
            ("String, Limits.String, Comp", "ET_SVT"),
            ("PassFail", "ET_PFT"),
            ("Measurement", "ET_MNLT, ET_MSVT or ET_MPFT"),
            ("Chart", "chart"),
            ("ButtonHit, Response; ExitCode", "messagePopup; callExe"),
            ("XMLString", "attachment stepdata.xml"),
            ("AdditionalResults, and properties that are not known", "additional results"),
            ("NumLoops, LoopIndex …", "loop"),
            (
                "ReportText, Error, TotalTime, StartTime, StepId, StepGroup, StepCausedSequenceFailure",
                "the same of the step",
            ),
        ],
        limits: &[
            "Files that a step attached are on the tester and not in the report: their names are in the report text.",
            "A plain report has no offset: its times are read in the station's zone.",
            "Of a file that breaks off the units that are complete are reported, with a warning for the rest; with none there is no report.",
            "A step with a single value cannot be in Error or Terminated on a server: its value is in the report text.",
        ],
    },
};

/// True for a text whose root is a `TSReport`, or a `Reports` with a `Report` of TestStand.
///
/// WATS XML has the same `Reports`; its `Report` starts with other elements than `Prop` or `ReportInfo`.
pub(crate) fn is_own(text: &str) -> bool {
    let text = without_old_stylesheet(text);
    match xml::root_name(&text) {
        Some("TSReport") => true,
        Some("Reports") => {
            let report =
                text.split("<Report").skip(1).find(|rest| rest.starts_with([' ', '\t', '\r', '\n', '>']));
            let Some((tag, inside)) = report.and_then(|rest| rest.split_once('>')) else { return false };
            tag.contains("UUTResult") || inside.trim_start().starts_with("<Prop")
        }
        _ => false,
    }
}

/// Old versions write a `<?xml:stylesheet …>` that is no XML, some even before the declaration.
fn without_old_stylesheet(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text.trim_start());
    while let Some((before, rest)) = text.split_once("<?xml:stylesheet") {
        let Some((_, after)) = rest.split_once('>') else { break };
        text = Cow::Owned(format!("{before}{after}").trim_start().to_owned());
    }
    text
}

impl Converter for TestStandXml {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        if is_own(&text) {
            return Qualification::new(0.98, "a report of TestStand, with Prop elements");
        }
        match xml::root_name(&text) {
            None => Qualification::none("no XML"),
            Some("Reports") => Qualification::none("a Reports element without a Report of TestStand"),
            Some(other) => {
                Qualification::none(format!("the root element is {other}, not Reports or TSReport"))
            }
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let mut warnings = Vec::new();
        let decoded = xml::read(&input.bytes, &mut warnings)?;
        let decoded = without_old_stylesheet(&decoded);
        let mut mended = None;
        let document = units::parse(&decoded, "Report", &mut mended, &mut warnings)?;
        let root = document.root_element();
        let units: Vec<Node<'_, '_>> = if is(root, "TSReport") {
            vec![root]
        } else if is(root, "Reports") {
            let of_unit = |it: &Node<'_, '_>| {
                attribute(*it, "Type").is_none_or(|kind| kind.eq_ignore_ascii_case("UUT"))
            };
            children(root, "Report").filter(of_unit).collect()
        } else {
            return Err(xml::wrong_root(root, "Reports or TSReport, as in reports of TestStand"));
        };
        if units.is_empty() {
            let batch = children(root, "Report").any(|it| child(it, "BatchTable").is_some());
            let words = if batch {
                "this is the overview of a batch: the reports of its units are in the files that it names"
            } else {
                "there is no Report of a unit"
            };
            return Err(ConvertError::new(ErrorKind::Missing, words)
                .at_path(xml::path(root))
                .expected("an element Report with Type='UUT'"));
        }
        let mut reading = Reading { input, arguments, warnings, unknown: Elements::default() };
        let mut reports = Vec::with_capacity(units.len());
        for unit in units {
            reports.push(reading.unit(unit)?);
        }
        let Reading { mut warnings, unknown, .. } = reading;
        unknown.warn("kept as additional data or additional results", &mut warnings);
        Ok(Conversion { reports, warnings })
    }
}

/// What is needed at every element.
struct Reading<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    warnings: Vec<String>,
    unknown: Elements,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_teststand_are_told_from_those_of_wats() {
        for (text, own) in [
            ("<TSReport><Prop/></TSReport>", true),
            ("<Reports><Report Type='UUT' UUTResult='Passed'>", true),
            (
                "<?xml:stylesheet href='a'>\n<?xml version='1.0'?><Reports>\n<Report>\n<Prop Name='UUT'/>",
                true,
            ),
            (
                "<Reports><Report type='UUT'><UUT/><AdditionalData><Prop/></AdditionalData></Report></Reports>",
                false,
            ),
            ("<Reports/>", false),
            ("<Report><Prop/></Report>", false),
            ("", false),
        ] {
            assert_eq!(is_own(text), own, "{text}");
        }
    }
}
