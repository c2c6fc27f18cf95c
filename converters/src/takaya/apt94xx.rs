//! `.ATD` of APT-94xx testers: step lines with quoted fields.

use wats::report::{Double, Loop, Report, Status, Step, Uut};

use super::frame::{self, Group};
use super::{Function, Grouped, Quantity, Row, atd, is_designator, say, warn_of_missing};
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, text, tree};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};

pub(crate) struct TakayaApt94xx;

const ABOUT: About = About {
    name: "takaya-apt94xx",
    title: "Takaya flying probe APT-94xx (ATD)",
    vendor: "Takaya",
    description: "ATD files of Takaya's APT-94xx testers, whose steps have quoted fields; one report for each group of each block.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.atd"],
    arguments: &[
        Argument {
            name: "operationTypeCodeTop",
            description: "Process code of the reports, but for the bottom side",
            default: "30",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "operationTypeCodeBottom",
            description: "Process code of the reports of the bottom side",
            default: "31",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "GroupByComponentType",
            description: "Put the steps in a sequence for each type of component",
            default: "true",
            kind: ArgumentKind::Flag,
        },
        Argument {
            name: "stationNameFromOperator",
            description: "The first word in the brackets of the serial number is the station, the second the operator",
            default: "false",
            kind: ArgumentKind::Flag,
        },
        Argument {
            name: "partRevision",
            description: "Revision of units whose model names none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator where the serial number has none in brackets",
            default: "",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Switch on the saving of test data (`.ATD`) in the tester's settings, and let it write into the watched folder. Enter serial \
                numbers as `batch - serial (operator)`; what is left out stays empty.",
        mapping: &[
            ("Serial No.: before and after the dash", "uut.batchSN and sn; all of it is sn without a dash"),
            ("Serial No.: in brackets", "uut.user and misc info Operator 2"),
            ("Model: up to the first `_`, without a final T or B", "pn"),
            ("Model: T or B after a digit there", "misc info Side, and which process code"),
            ("Model: after it, without PANEL_ and SINGLE_", "rev"),
            ("the revision before and after its point", "version and name of the root sequence"),
            ("DATE, day first", "start"),
            ("Test ID :", "machineName; else as `stationNameFromOperator` says, else the station's name"),
            ("number of the group", "uut.testSocketIndex"),
            ("verdict of the group", "result: PASS, else failed"),
            ("times of the steps, added up", "uut.execTime"),
            ("parts and comment, else comment and value", "name of the step"),
            ("judgement", "status: PASS, `......` skipped, else failed"),
            ("second value, else first", "the value; NaN when there is none"),
            ("two values", "a loop of two: the first judged by the limits, the second by the tester"),
            (
                "function, reference, tolerances",
                "limits: `**` and D within the tolerances, E at most, F at least, SH below 10 Ohm, OP above 100 Ohm; JP skipped",
            ),
        ],
        limits: &["Counters and the program's path are not taken over."],
    },
};

impl Converter for TakayaApt94xx {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        if text.lines().find(|line| !line.trim().is_empty()).is_none_or(|line| line.trim() != "@") {
            return Qualification::none("does not begin with a line @");
        }
        if text.lines().any(is_step) {
            return Qualification::new(0.95, "blocks between lines @, with quoted steps");
        }
        let alike = text.contains("Model:") && !text.contains("Test time:") && !text.contains('\t');
        if alike && text.contains("Serial No.:") {
            return Qualification::new(0.5, "a block between lines @, and no step near the beginning");
        }
        Qualification::none("blocks between lines @ without quoted steps")
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let groups = frame::groups(&decoded, &mut warnings)?;
        let mut decimals = Decimals::default();
        let reports = frame::reports(&groups, &mut warnings, |group, warnings| {
            report(group, input, arguments, &mut decimals, warnings)
        })?;
        warnings.extend(decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

/// True for six digits and a quoted field.
fn is_step(line: &str) -> bool {
    let digits = line.trim_start().split_once('"').map(|(digits, _)| digits.trim());
    !line.contains('\t') && digits.is_some_and(|it| it.len() == 6 && it.bytes().all(|b| b.is_ascii_digit()))
}

fn report(
    group: &Group<'_>,
    input: &Input,
    arguments: &Arguments,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let serial = Serial::read(group.serial);
    let model = Model::read(group.head.model);
    let revision = if model.revision.is_empty() { arguments.text("partRevision") } else { &model.revision };
    let mut report = Report::without_root(model.part_number, serial.number, revision);
    let process =
        if model.side == Some("Bottom") { "operationTypeCodeBottom" } else { "operationTypeCodeTop" };
    report.process_code = arguments.process_code(process).map(i32::from);
    let (station, operator, second) = if arguments.flag("stationNameFromOperator") {
        (serial.tokens[0], serial.tokens[1], None)
    } else {
        (None, serial.tokens[0], serial.tokens[1])
    };
    report.machine_name = station.unwrap_or_default().into();
    report.misc_infos.extend(second.map(|operator| build::info("Operator 2", operator)));
    report.misc_infos.extend(model.side.map(|side| build::info("Side", side)));

    let mut grouped = Grouped::new(arguments.flag("GroupByComponentType"), group.steps.len());
    let (mut missing, mut seconds) = (0, None);
    let mut unread = Unread::default();
    let mut fields = Fields::default();
    for (number, line) in &group.steps {
        let Some(row) = row(line, &mut fields, decimals) else {
            unread.add(*number, line);
            continue;
        };
        missing += usize::from(row.lacks_value());
        seconds = row.seconds.map(|of_row| of_row + seconds.unwrap_or(0.0)).or(seconds);
        let parts = row.parts;
        tries(row, |step| grouped.add(parts, step));
    }
    warn_of_missing(missing, group.serial, warnings);
    report.uut = Some(Uut {
        user: operator.map(Into::into),
        batch_sn: serial.batch.map(Into::into),
        exec_time: seconds.map(Double::new),
        ..Uut::default()
    });
    let mut steps = grouped.steps();
    steps.extend(unread.step("steps of an APT-94xx file", warnings));
    let (version, name) = model.revision.split_once('.').unwrap_or((&model.revision, ""));
    let name = if name.is_empty() { "MainSequence" } else { name };
    let version = if version.is_empty() { "1.0.0" } else { version };
    let root = build::sequence(name, name, version, steps);
    group.report(report, root, input, arguments, warnings)
}

/// `<batch> - <serial> (<token> - <token>)`, of which only the serial number must be there.
struct Serial<'a> {
    batch: Option<&'a str>,
    number: &'a str,
    tokens: [Option<&'a str>; 2],
}

impl<'a> Serial<'a> {
    fn read(written: &'a str) -> Self {
        let brackets = written.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
        let (rest, tokens) = brackets.unwrap_or((written, ""));
        let filled = |text: &'a str| Some(text.trim()).filter(|text| !text.is_empty());
        let tokens = match tokens.split_once(" - ") {
            Some((first, second)) => [filled(first), filled(second)],
            None => [filled(tokens), None],
        };
        // A dash between blanks is the divider where there is one: numbers may have dashes themselves.
        let (batch, number) = match rest.split_once(" - ").or_else(|| rest.split_once('-')) {
            Some((batch, number)) if !number.trim().is_empty() => (filled(batch), number.trim()),
            _ => (None, rest.trim()),
        };
        Self { batch, number, tokens }
    }
}

/// `<part>[T|B][_PANEL|_SINGLE]_<version>.<file>`.
struct Model<'a> {
    part_number: &'a str,
    side: Option<&'static str>,
    revision: String,
}

impl<'a> Model<'a> {
    fn read(written: &'a str) -> Self {
        let (part, rest) = written.split_once('_').unwrap_or_else(|| {
            // Without a version there is only the file's ending, which says nothing.
            written.rsplit_once('.').map_or((written, ""), |(part, _)| (part, ""))
        });
        let side = [('T', "Top"), ('B', "Bottom")].into_iter().find_map(|(letter, side)| {
            let shorter = part.strip_suffix(letter)?;
            shorter.ends_with(|c: char| c.is_ascii_digit()).then_some((shorter, side))
        });
        Self {
            part_number: side.map_or(part, |(shorter, _)| shorter),
            side: side.map(|(_, side)| side),
            revision: rest.replace("PANEL_", "").replace("SINGLE_", ""),
        }
    }
}

/// The quoted fields in their order: parts, value, comment, reference, two values, judgement, mode, range, time, probes.
const FIELDS: usize = 8;

/// What stands between quotes in a line, and the words outside of them; all lines share the lists.
#[derive(Default)]
struct Fields<'a> {
    quoted: Vec<&'a str>,
    bare: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// False for a line with a quote that is never closed.
    fn read(&mut self, line: &'a str) -> bool {
        self.quoted.clear();
        self.bare.clear();
        let mut is_quoted = false;
        let mut rest = line;
        loop {
            let end = rest.bytes().position(|byte| byte == b'"');
            let (piece, after) =
                end.and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)))).unwrap_or((rest, None));
            if is_quoted {
                self.quoted.push(text::trimmed(piece));
            } else {
                self.bare.extend(piece.split_ascii_whitespace());
            }
            match after {
                Some(after) => rest = after,
                None => return !is_quoted,
            }
            is_quoted = !is_quoted;
        }
    }
}

fn row<'a>(line: &'a str, fields: &mut Fields<'a>, decimals: &mut Decimals) -> Option<Row<'a>> {
    if !is_step(line) || !fields.read(line) || fields.quoted.len() < FIELDS {
        return None;
    }
    let Fields { quoted, bare } = fields;
    let at = |field: usize| quoted.get(field).copied().unwrap_or_default();
    let bare_at = |field: usize| bare.get(field).copied().unwrap_or_default();
    let code = quoted.iter().rev().find(|it| matches!(**it, "**" | "OP" | "SH" | "JP" | "D" | "E" | "F"));
    let function = Function::from_atd(code.copied().unwrap_or_default());
    let mut percents =
        bare.iter().filter_map(|it| text::number(it.strip_suffix('%')?.trim_start_matches('+')));
    let (plus, minus) = (percents.next(), percents.next());
    let (parts, value, comment, judgement) = (at(0), at(1), at(2), at(6));
    let name = if is_designator(parts) {
        text::joined(&[parts, "_", comment])
    } else {
        text::joined(&[comment, "_", value])
    };
    let status = match judgement {
        _ if function == Function::Jump => Status::Skipped,
        "PASS" => Status::Passed,
        jumped if jumped.chars().all(|c| c == '.') => Status::Skipped,
        _ => Status::Failed,
    };
    let said = [
        ("Step: ", bare_at(0)),
        ("Parts: ", parts),
        ("Value: ", value),
        ("Comment: ", comment),
        ("Judgement: ", judgement),
        ("Function: ", code.copied().unwrap_or_default()),
        ("Reference: ", at(3)),
        ("Value 1: ", at(4)),
        ("Value 2: ", at(5)),
        ("H-pin: ", bare_at(1)),
        ("L-pin: ", bare_at(2)),
        ("Tolerance +: ", bare_at(3)),
        ("Tolerance -: ", bare_at(4)),
        ("Mode: ", at(7)),
        ("Range: ", at(8)),
        ("Probes: ", at(10)),
    ];
    let mut all = String::with_capacity(250);
    for (name, said) in said.iter().filter(|(_, said)| !said.bytes().all(|b| b == b'.')) {
        say(&mut all, name, [said, ""]);
    }
    Some(Row {
        parts,
        name,
        text: all,
        function,
        status,
        reference: quantity(at(3), decimals),
        tolerances: (plus.map(f64::abs), minus.map(|minus| -minus.abs())),
        values: [quantity(at(4), decimals), quantity(at(5), decimals)],
        seconds: atd::milliseconds(at(9)),
    })
}

/// A number and its unit: `409.5 O`.
fn quantity<'a>(written: &'a str, decimals: &mut Decimals) -> Option<Quantity<'a>> {
    let (number, unit) = written.split_once(char::is_whitespace).unwrap_or_else(|| {
        let end = written.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(written.len());
        written.split_at_checked(end).unwrap_or((written, ""))
    });
    Some(Quantity::new(decimals.read(number)?, unit))
}

/// A step; measured twice: its summary, then both tries.
fn tries(row: Row<'_>, mut add: impl FnMut(Step)) {
    let (values, status) = (row.values, row.status);
    let mut summary = row.step(false);
    for meas in &mut summary.numeric_meas {
        meas.unit.iter_mut().for_each(|unit| unit.make_ascii_uppercase());
    }
    let [Some(first), Some(last)] = values else { return add(summary) };
    if status == Status::Skipped {
        return add(summary);
    }
    let mut second = Step { report_text: None, tot_time: None, ..summary.clone() };
    let meas = second.numeric_meas.first();
    let limits = meas.map_or((None, None), |meas| (meas.low_limit, meas.high_limit));
    // Both tries are compared with the same limits, so they are shown in the same unit.
    let value = first.scaled(last.factor);
    let operator = meas.map_or("LOG", |meas| meas.comp_op.as_str());
    let judged = tree::numeric(operator, value, limits.0.map(|it| it.get()), limits.1.map(|it| it.get()));
    let mut before = second.clone();
    before.status = judged;
    for meas in &mut before.numeric_meas {
        meas.status = judged;
        meas.value = Double::new(value);
    }
    let passed = [judged, status].iter().filter(|status| **status == Status::Passed).count();
    let passed = i32::try_from(passed).unwrap_or_default();
    summary.loop_ = Some(Box::new(Loop {
        num: Some(2),
        ending_index: Some(1),
        passed: Some(passed),
        failed: Some(2 - passed),
        ..Loop::default()
    }));
    before.loop_ = Some(Box::new(Loop { idx: Some(0), ..Loop::default() }));
    second.loop_ = Some(Box::new(Loop { idx: Some(1), ..Loop::default() }));
    [summary, before, second].into_iter().for_each(add);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_and_models_are_taken_apart() {
        for (written, shown) in [
            ("11111-BV0001 (AT33)", "11111 BV0001 AT33 -"),
            ("12345 - SN0001 (FP1 - OP01)", "12345 SN0001 FP1 OP01"),
            ("12-345 - SN-1", "12-345 SN-1 - -"),
            ("SN1 (OP686+AT21)", "- SN1 OP686+AT21 -"),
            ("SN1", "- SN1 - -"),
            ("", "-  - -"),
        ] {
            let it = Serial::read(written);
            let or = |text: Option<&str>| text.unwrap_or("-").to_owned();
            let read = format!("{} {} {} {}", or(it.batch), it.number, or(it.tokens[0]), or(it.tokens[1]));
            assert_eq!(read, shown, "{written}");
        }
        for (written, shown) in [
            ("DEMO-PANEL-C_V1.SWX2", "DEMO-PANEL-C None V1.SWX2"),
            ("AB12T_PANEL_V3.SW01", "AB12 Some(\"Top\") V3.SW01"),
            ("AB12B_SINGLE_2.0.SW01", "AB12 Some(\"Bottom\") 2.0.SW01"),
            ("ROBOT_V1.S", "ROBOT None V1.S"),
            ("AB12.SWX", "AB12 None "),
        ] {
            let it = Model::read(written);
            assert_eq!(format!("{} {:?} {}", it.part_number, it.side, it.revision), shown);
        }
    }
}
