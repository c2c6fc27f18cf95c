//! Listen SoundCheck: tab-separated results and curves that AutoSave steps append to a text file.
//!
//! This file gathers the lines of a unit and makes its report; `lines` reads a line, `dates` the order of dates.

mod dates;
mod lines;

use std::collections::HashSet;

use wats::report::{Chart, Report, Series, Status, Step, Text, Uut};

use self::dates::Order;
use self::lines::{CurveTitle, Data, Line, Lines, Measured, Unit};
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, header, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct ListenSoundCheck;

const ABOUT: About = About {
    name: "listen-soundcheck",
    title: "Listen SoundCheck",
    vendor: "Listen",
    description: "Text files that AutoSave steps of SoundCheck append results and curves to; one report for each serial number in turn.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.txt"],
    arguments: &[
        Argument {
            name: "partNumber",
            description: "Part number of units whose lot column is empty",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units; the files have none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "operator",
            description: "Operator where the file has no such column",
            default: "oper",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceName",
            description: "Name of the test sequence",
            default: "SoundCheckSeq",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "sequenceVersion",
            description: "Version of the test sequence",
            default: "1.0.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "dateOrder",
            description: "Which part of a date comes first; auto: as the dates, AM or PM and decimal commas of the file tell",
            default: "auto",
            kind: ArgumentKind::Choice(&["auto", "month", "day"]),
        },
    ],
    manual: Manual {
        setup: "Give the SoundCheck sequence AutoSave steps that append results and curves as text, with serial number, time and lot, and let \
                them write into the watched folder. Begin a new file for each unit or batch: a file is taken once it no longer grows.",
        mapping: &[
            ("`Serial #:`", "sn; UNKNOWN when it is empty"),
            ("`Time:` of the unit's first line", "start"),
            ("`Lot #:`", "pn"),
            ("`Operator:`, where there is one", "uut.user"),
            ("another column before the name", "misc info"),
            ("another serial number or lot, or a later time at which a name comes again", "a new report"),
            ("a result", "a numeric test; its status is the word, an unknown one is Error"),
            ("Limits as `high/low`", "GELE; other words stand in the report text"),
            ("PASS and FAIL of the results", "result: Failed when any failed"),
            ("a curve: two lines of numbers", "a step with a chart, without a verdict"),
            ("x axis and y axis, lin or log", "the chart's type"),
        ],
        limits: &[
            "Third (z) lines of a curve are read as the first of a further curve.",
            "Dates like 3/4/2025 without AM or PM are read month first, those with `.` or `-` day first, unless another date of the file \
             or a decimal comma tells better.",
            "A result whose word is neither passed, failed nor skipped has its value in the report text: the server takes no such status with one.",
        ],
    },
};

impl Converter for ListenSoundCheck {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..4096).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        match (first.starts_with("Serial #:"), first.contains('\t')) {
            (true, true) if first.contains("Time:") => {
                Qualification::new(0.95, "begins with the titles Serial #: and Time:")
            }
            (true, true) => Qualification::new(0.5, "begins with the title Serial #:, but has no Time:"),
            _ => Qualification::none("does not begin with the title Serial #:"),
        }
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let mut decimals = Decimals::default();
        let Lines { lines, cut } = Lines::read(&decoded)?;
        let order = Order::of(&lines, arguments.text("dateOrder"));
        let mut gathered = gather(lines, &mut decimals, &mut warnings);
        if let Some((line, serial)) = cut {
            let broken = gathered.pop_if(|last| last.of.serial.starts_with(serial));
            if gathered.is_empty() {
                return Err(ConvertError::new(ErrorKind::NotYet, "the file ends in the middle of a line")
                    .at_line(line, None)
                    .help("Perhaps it was still being written; drop the whole file again."));
            }
            let unit = broken.map_or(serial, |unit| unit.of.serial);
            warnings.push(format!(
                "the last unit, {unit}, ends in the middle of line {line}: the {} before it are taken",
                gathered.len()
            ));
        }
        if gathered.is_empty() {
            return Err(ConvertError::new(
                ErrorKind::NotYet,
                "the file has titles, and neither results nor curves",
            )
            .help("Perhaps it was still being written; drop the whole file again."));
        }
        let mut reports = Vec::with_capacity(gathered.len());
        for unit in gathered {
            reports.push(report(unit, order, input, arguments, &mut warnings)?);
        }
        warnings.extend(decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

/// A unit and what was measured on it.
struct Gathered<'a> {
    of: Unit<'a>,
    /// The names that titles and results gave.
    names: HashSet<&'a str>,
    steps: Vec<Step>,
    unread: Unread,
}

fn gather<'a>(
    lines: Vec<(usize, Line<'a>)>,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Vec<Gathered<'a>> {
    let mut units: Vec<Gathered<'a>> = Vec::new();
    let mut title = CurveTitle::default();
    // A title names the curve that follows it; further curves take the name over.
    let mut fresh = false;
    let mut first_half: Option<(usize, Data<'a>)> = None;
    let mut before = 0;
    for (number, line) in lines {
        if !matches!(line, Line::Data(_))
            && let Some((number, _)) = first_half.take()
        {
            warnings.push(format!("line {number} has numbers without a second line to them: left out"));
        }
        match line {
            Line::Curve(of) => {
                title = of;
                fresh = true;
            }
            Line::Result(result) => {
                let unit = unit(&mut units, &result.of, Some(result.name));
                unit.steps.push(test(&result, decimals));
            }
            Line::Data(data) => match first_half.take() {
                None => first_half = Some((number, data)),
                Some((before, first)) if first.of.serial != data.of.serial => {
                    warnings
                        .push(format!("line {before} has numbers without a second line to them: left out"));
                    first_half = Some((number, data));
                }
                Some((_, first)) => {
                    let name = fresh.then_some(title.name);
                    let unit = unit(&mut units, &first.of, name);
                    unit.steps.push(curve(&title, first, data, number, decimals, warnings));
                    fresh = false;
                }
            },
            Line::Other(text) => match units.last_mut() {
                Some(unit) => unit.unread.add(number, text),
                None => before += 1,
            },
        }
    }
    if before > 0 {
        warnings.push(format!("{before} lines stand before the first unit and are left out"));
    }
    if let Some((number, _)) = first_half {
        warnings.push(format!("line {number} has numbers without a second line to them: left out"));
    }
    units
}

/// The unit that a line belongs to: the last one, or a new one.
///
/// The same serial number at a later time is the same unit until something is measured again.
fn unit<'a, 'b>(
    units: &'b mut Vec<Gathered<'a>>,
    of: &Unit<'a>,
    name: Option<&'a str>,
) -> &'b mut Gathered<'a> {
    let goes_on = units.last().is_some_and(|last| {
        let again = || name.is_some_and(|name| last.names.contains(name));
        last.of.serial == of.serial && last.of.lot == of.lot && (last.of.time == of.time || !again())
    });
    if !goes_on {
        units.push(Gathered {
            of: of.clone(),
            names: HashSet::new(),
            steps: Vec::new(),
            unread: Unread::default(),
        });
    }
    let end = units.len().saturating_sub(1);
    #[expect(clippy::indexing_slicing, reason = "there is a last one: it was there, or was pushed")]
    let unit = &mut units[end];
    unit.names.extend(name);
    unit
}

fn test(result: &Measured<'_>, decimals: &mut Decimals) -> Step {
    let name = if result.name.is_empty() { "Result" } else { result.name };
    let mut verdict = Text::from(result.verdict);
    verdict.make_ascii_lowercase();
    let status = match verdict.as_str() {
        "passed" | "pass" => Status::Passed,
        "failed" | "fail" => Status::Failed,
        "terminated" => Status::Terminated,
        "done" => Status::Done,
        "skipped" => Status::Skipped,
        _ => Status::Error,
    };
    let high_low = result.limits.split_once('/').map(|(high, low)| (decimals.read(low), decimals.read(high)));
    let limits = high_low.unwrap_or_default();
    let mut said = Text::default();
    let mut say = |texts: &[&str]| {
        for text in texts.iter().filter(|text| !text.is_empty()) {
            if !said.is_empty() {
                said.push_str(", ");
            }
            said.push_str(text);
        }
    };
    if limits == (None, None) {
        say(&[result.kind, result.limits]);
    }
    let value = decimals.read(result.value);
    // What a step without a measurement has no place for.
    let unmeasured = if limits == (None, None) { "" } else { result.limits };
    let mut step = match value {
        Some(value) if matches!(status, Status::Passed | Status::Failed | Status::Skipped) => {
            build::numeric(name, status, [build::number(None, status, value, result.unit, limits)])
        }
        None if matches!(status, Status::Passed | Status::Failed) => {
            say(&[result.value, result.unit, unmeasured]);
            build::pass_fail(name, status)
        }
        _ => {
            say(&[result.verdict, result.value, result.unit, unmeasured]);
            Step::new("ET_NLT", name, status)
        }
    };
    say(&result.others);
    step.report_text = Some(said).filter(|said| !said.is_empty());
    step
}

/// A chart shows no more than this.
const MAX_POINTS: usize = 10_000;

fn curve(
    title: &CurveTitle<'_>,
    x: Data<'_>,
    y: Data<'_>,
    line: usize,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Step {
    let name = if title.name.is_empty() { "Curve" } else { title.name };
    let mut step = Step::new("ET_NLT", name, Status::Done);
    if x.count != y.count {
        warnings.push(format!(
            "line {line}: curve {name} has {} x and {} y values; the shorter line decides",
            x.count, y.count
        ));
    }
    let length = x.count.min(y.count);
    if length > MAX_POINTS {
        warnings.push(format!("line {line}: curve {name} shows the first {MAX_POINTS} of {length} points"));
    }
    let mut points = |data: Data<'_>| {
        let (points, commas) = data.points(length.min(MAX_POINTS));
        decimals.count(commas);
        Some(points.text().into())
    };
    let series = Series {
        data_type: Some("XYG".into()),
        name: Some(name.into()),
        xdata: points(x),
        ydata: points(y),
        ..Series::default()
    };
    let kind = match (title.x_axis.ends_with("log"), title.y_axis.ends_with("log")) {
        (true, true) => "LineLogXY",
        (true, false) => "LineLogX",
        (false, true) => "LineLogY",
        (false, false) => "Line",
    };
    step.rare.chart = Some(Box::new(Chart {
        chart_type: Some(kind.into()),
        label: Some(name.into()),
        x_label: Some("X".into()),
        x_unit: Some(title.x_unit.into()),
        y_label: Some("Y".into()),
        y_unit: Some(title.y_unit.into()),
        series: vec![series],
        ..Chart::default()
    }));
    let said = [title.x_data, title.y_data].into_iter().filter(|text| !text.is_empty());
    let said = said.collect::<Vec<_>>().join(", ");
    step.report_text = (!said.is_empty()).then_some(said.into());
    step
}

fn report(
    unit: Gathered<'_>,
    order: Order,
    input: &Input,
    arguments: &Arguments,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let Gathered { of, mut steps, unread, .. } = unit;
    steps.extend(unread.step("results or curves", warnings));
    let mut or_unknown = |found: [&str; 2], what: &str| {
        let found = found.into_iter().find(|text| !text.is_empty());
        found.map(ToOwned::to_owned).unwrap_or_else(|| {
            warnings.push(format!("a unit has no {what}: UNKNOWN is used"));
            "UNKNOWN".to_owned()
        })
    };
    let serial = or_unknown([of.serial, ""], "serial number");
    let part_number = or_unknown([of.lot, arguments.text("partNumber")], "lot");
    let mut report = Report::without_root(part_number, serial, arguments.text("partRevision"));
    report.process_code = arguments.process_code("operationTypeCode").map(i32::from);
    report.start = order.read(of.time, &input.station.time_zone);
    if report.start.is_none() && !of.time.is_empty() {
        warnings.push(format!("\"{}\" is no time like 11/2/2020 4:36:07 PM", of.time));
    }
    let operator = of.operator.filter(|it| !it.is_empty()).unwrap_or(arguments.text("operator"));
    report.uut = Some(Uut { user: Some(operator.into()), ..Uut::default() });
    for (name, text) in of.others.iter().filter(|(_, text)| !text.is_empty()) {
        report.misc_infos.push(build::info(name, text));
    }
    let terminated = steps.iter().any(|step| step.status == Status::Terminated);
    report.result = match tree::rolled_up(&steps) {
        Status::Passed if terminated => Status::Terminated,
        status => status,
    };
    let or = |name: &str, default: &str| match arguments.text(name) {
        "" => default.to_owned(),
        given => given.to_owned(),
    };
    let name = or("sequenceName", "SoundCheckSeq");
    let root = build::sequence(&name, &name, &or("sequenceVersion", "1.0.0"), steps);
    report.root = Some(Step { status: report.result, ..root });
    header::complete(&mut report, input, warnings)?;
    Ok(report)
}
