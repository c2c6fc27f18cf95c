//! Klippel QC: a result file of `Key=Value` lines and a folder of data files beside it.
//!
//! This file reads the result file; `data` makes steps of the data files.

mod data;

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use wats::report::{Report, Status, Step, Time, Uut};

use crate::converter::Unit;
use crate::kit::{build, header, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct Klippel;

const ABOUT: About = About {
    name: "klippel",
    title: "Klippel QC",
    vendor: "Klippel",
    description: "The result file of a tested loudspeaker (.txt, .log) with the folder of its data files beside it.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.txt", "*.log"],
    arguments: &[
        Argument {
            name: "partNumber",
            description: "Part number of the units; the files have none",
            default: "PartNumber1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the test sequence",
            default: "SequenceName1",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence",
            default: "1.0.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "700",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "keepOtherKeys",
            description: "Keep the keys that are not read as misc infos, instead of only naming unknown ones in a warning",
            default: "false",
            kind: ArgumentKind::Flag,
        },
    ],
    manual: Manual {
        setup: "Switch on the logging of results and of data as text in the QC software. For each unit it writes `NAME.txt` and a \
                folder `NAME` beside it; watch the folder that holds both. The file is converted when its folder is complete.",
        mapping: &[
            ("Cfg_SerialNumber", "sn; UNKNOWN when there is none"),
            ("Cfg_UserName", "uut.user and misc info Operator"),
            ("Cfg_DutStartTime", "start, with its own UTC offset"),
            (
                "Ctrl_OverallVerdict",
                "result: 1 passed, 0 fail, 2 warning and 3 noise failed, 4 invalid error, -1 void terminated",
            ),
            ("Cfg_LoginMode, Cfg_Speaker, the file's name", "misc infos"),
            ("a data file's name up to the first hyphen", "a sequence, as long as it stays the same"),
            (
                "data file `name value max min`",
                "a numeric test for each line; limits when both are there, a unit when there is a column `unit`",
            ),
            (
                "data file `frq CURVE max min`",
                "avg, min and max of the curve, the number of points out of bounds, and a chart",
            ),
            (
                "Results_Pass, Results_Fail and the other lists",
                "status of the steps with these names; a pass/fail step for a name without data",
            ),
        ],
        limits: &[
            "The database (.kdbx) is not read.",
            "A value with only one limit is logged without it, because it cannot be told which of the two it is.",
            "Points without a value are left out of statistics, count and chart.",
        ],
    },
};

/// The keys that every version writes and that no report needs.
const NOT_READ: &[&str] = &[
    "Cfg_DatabasePath",
    "Cfg_LimitCalcMode",
    "Cfg_LimitCalibMode",
    "Cfg_LimitsAvail",
    "Cfg_MonitorID",
    "Cfg_PCName",
    "Cfg_ExecutionMode",
    "Ctrl_ErrorGeneral",
    "Ctrl_Repeat",
    "Ctrl_SaveData",
    "Ctrl_LogFolder",
];
const READ: &[&str] = &[
    "Cfg_SerialNumber",
    "Cfg_UserName",
    "Cfg_DutStartTime",
    "Cfg_LoginMode",
    "Cfg_Speaker",
    "Ctrl_OverallVerdict",
];
/// The lists of results, and what being in one means.
const LISTS: &[(&str, Status)] = &[
    ("Results_Pass", Status::Passed),
    ("Results_Fail", Status::Failed),
    ("Results_Warning", Status::Failed),
    ("Results_Noise", Status::Failed),
    ("Results_Invalid", Status::Failed),
    ("Results_Void", Status::Skipped),
];
const MARKS: [&str; 3] = ["Cfg_DutStartTime", "Cfg_SerialNumber", "Ctrl_OverallVerdict"];

impl Converter for Klippel {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn unit(&self) -> Unit {
        Unit::FileAndFolder
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..20_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let keys = keys(&text);
        match MARKS.iter().filter(|mark| keys.contains_key(**mark)).count() {
            3 if input.companions.is_empty() => {
                Qualification::new(0.9, "has the keys of a Klippel result file")
            }
            3 => Qualification::new(0.95, "has the keys of a Klippel result file and its data files"),
            2 => Qualification::new(0.5, "has two of the three keys of a Klippel result file"),
            1 => Qualification::new(0.4, "has one of the three keys of a Klippel result file"),
            _ => Qualification::none("has no key of a Klippel result file"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let text = text::decode(&input.bytes)?;
        let keys = keys(&text);
        if !MARKS.iter().any(|mark| keys.contains_key(*mark)) {
            return Err(ConvertError::new(ErrorKind::WrongFormat, "there is no Cfg_SerialNumber= line")
                .expected("the result file of a Klippel QC test")
                .help("Check that the right converter is set for this folder."));
        }
        let mut warnings = Vec::new();
        let result = verdict(&keys, &mut warnings)?;
        if input.companions.is_empty() {
            let warning = "there are no data files: the report has no measurements";
            if result != Status::Terminated {
                return Err(no_data(&input.file_name));
            }
            warnings.push(warning.to_owned());
        }
        let report = report(input, arguments, &keys, result, &mut warnings)?;
        Ok(Conversion { reports: vec![report], warnings })
    }
}

/// The lines `Key=Value`; a later one of the same key wins.
fn keys(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.filter_map(|line| line.split_once('=')).map(|(key, value)| (key.trim(), value.trim())).collect()
}

fn verdict(keys: &BTreeMap<&str, &str>, warnings: &mut Vec<String>) -> Result<Status, ConvertError> {
    let expected = "-1, 0, 1, 2, 3 or 4";
    let Some(written) = keys.get("Ctrl_OverallVerdict").filter(|written| !written.is_empty()) else {
        return Err(ConvertError::new(ErrorKind::NotYet, "there is no Ctrl_OverallVerdict")
            .expected(format!("a line Ctrl_OverallVerdict= with {expected}"))
            .help("Perhaps the file was still being written; drop the whole file and its folder again."));
    };
    match *written {
        "-1" => Ok(Status::Terminated),
        "1" => Ok(Status::Passed),
        "0" | "2" | "3" => Ok(Status::Failed),
        "4" => Ok(Status::Error),
        // Only 1 passes; a number of a later version of the program is a unit all the same.
        other if other.parse::<i64>().is_ok() => {
            warnings
                .push(format!("Ctrl_OverallVerdict is {other}, not {expected}: the unit counts as failed"));
            Ok(Status::Failed)
        }
        other => {
            let problem = format!("Ctrl_OverallVerdict is \"{other}\"");
            Err(ConvertError::new(ErrorKind::Malformed, problem).expected(expected))
        }
    }
}

fn no_data(file_name: &str) -> ConvertError {
    let folder = file_name.rsplit_once('.').map_or(file_name, |(stem, _)| stem);
    ConvertError::new(ErrorKind::NotYet, "the unit has no data files")
        .expected(format!("a folder \"{folder}\" beside the file, with the unit's data files (.txt)"))
        .help("Drop the file and its folder together.")
}

fn report(
    input: &Input,
    arguments: &Arguments,
    keys: &BTreeMap<&str, &str>,
    result: Status,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let value = |key: &str| keys.get(key).copied().filter(|value| !value.is_empty());
    let argument = |name: &str, default: &str| match arguments.text(name) {
        "" => default.to_owned(),
        given => given.to_owned(),
    };
    let serial_number = value("Cfg_SerialNumber").unwrap_or_else(|| {
        warnings.push("the file has no serial number: UNKNOWN is used".to_owned());
        "UNKNOWN"
    });
    let mut report = Report::without_root(
        argument("partNumber", "PartNumber1"),
        serial_number,
        argument("partRevision", "1.0"),
    );
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    report.machine_name = "Klippel".into();
    report.location = "Production".into();
    report.purpose = "Functional Test".into();
    report.result = result;
    report.start = value("Cfg_DutStartTime").and_then(|written| {
        let read = start(written);
        if read.is_none() {
            warnings.push(format!("Cfg_DutStartTime \"{written}\" is no time of the form year-month-week-…"));
        }
        read
    });
    report.uut = Some(Uut { user: value("Cfg_UserName").map(Into::into), ..Uut::default() });
    report.misc_infos.push(build::info("FileName", &input.file_name));
    for (key, name) in
        [("Cfg_LoginMode", "Cfg_LoginMode"), ("Cfg_Speaker", "Cfg_Speaker"), ("Cfg_UserName", "Operator")]
    {
        report.misc_infos.extend(value(key).map(|text| build::info(name, text)));
    }
    let read = |key: &str| READ.contains(&key) || LISTS.iter().any(|(list, _)| *list == key);
    let others = keys.iter().filter(|(key, value)| !read(key) && !value.is_empty());
    if arguments.flag("keepOtherKeys") {
        report.misc_infos.extend(others.map(|(key, value)| build::info(key, value)));
    } else {
        let unknown: Vec<&str> = others.map(|(key, _)| *key).filter(|key| !NOT_READ.contains(key)).collect();
        if !unknown.is_empty() {
            warnings.push(format!("keys that are not known are left out: {}", unknown.join(", ")));
        }
    }

    let steps = data::steps(&input.companions, verdicts(keys), warnings);
    let status = tree::root(&steps, result);
    let name = argument("sequenceName", "SequenceName1");
    let version = argument("sequenceVersion", "1.0.0");
    report.root = Some(Step { status, ..build::sequence(&name, &name, &version, steps) });
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}

/// The verdict of each result that the file lists, by its name.
fn verdicts<'a>(keys: &BTreeMap<&str, &'a str>) -> BTreeMap<&'a str, Status> {
    let mut verdicts = BTreeMap::new();
    for (list, status) in LISTS {
        let names = keys.get(list).copied().unwrap_or_default();
        for name in names.split('\t').map(str::trim).filter(|name| !name.is_empty()) {
            verdicts.insert(name, *status);
        }
    }
    verdicts
}

/// Reads SciLab's date vector: year, month, week, day of the year, weekday, day, hour, minute, second,
/// millisecond, and the UTC offset in minutes, joined by hyphens. Numbers may be negative.
fn start(written: &str) -> Option<Time> {
    let mut numbers: Vec<i32> = Vec::new();
    let mut rest = written.trim();
    while numbers.len() < 11 {
        let length =
            rest.char_indices().skip(1).find(|(_, c)| !c.is_ascii_digit()).map_or(rest.len(), |(at, _)| at);
        let (number, after) = rest.split_at_checked(length)?;
        numbers.push(number.parse().ok()?);
        rest = match after.strip_prefix('-') {
            Some(next) => next,
            None if after.is_empty() && numbers.len() == 11 => "",
            None => return None,
        };
    }
    let [year, month, _, _, _, day, hour, minute, second, millisecond, offset] = numbers.try_into().ok()?;
    let small = |number: i32| i8::try_from(number).ok();
    let local = DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        millisecond.checked_mul(1_000_000)?,
    );
    let offset = Offset::from_seconds(offset.checked_mul(60)?).ok()?;
    let zoned = local.ok()?.to_zoned_datetime(TimeZone::fixed(offset)).ok()?;
    Some(Time::from_zoned(&zoned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_vector_may_have_negative_numbers_and_a_twelfth() {
        for (written, read) in [
            ("2020-5-20-135-5-14-10-1-37-563-120-1.589E+09", Some("2020-05-14T10:01:37.563+02:00")),
            ("2020-5--2--1-5-14-10-1-37-0--300", Some("2020-05-14T10:01:37-05:00")),
            ("2025-13-1-1-1-1-1-1-1-1-0", None),
            ("2025-1-1-1-1-1-1-1-1-1", None),
            ("2025-1-1-1-1-1-1-1-1-1-99999999", None),
            ("today", None),
            ("", None),
        ] {
            assert_eq!(start(written).as_ref().map(Time::as_str), read, "{written}");
        }
    }
}
