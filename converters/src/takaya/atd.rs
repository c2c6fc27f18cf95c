//! Tab-separated `.ATD`: a line of titles, then a line for each step.

use wats::report::{Double, Report, Status, Uut};

use super::frame::{self, Group};
use super::{Function, Grouped, Quantity, Row, is_designator, say, split, warn_of_missing};
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, text};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, Input, Manual,
    Qualification,
};

pub(crate) struct TakayaAtd;

const ABOUT: About = About {
    name: "takaya-atd",
    title: "Takaya flying probe (ATD)",
    vendor: "Takaya",
    description: "Tab-separated .ATD files of Takaya flying probe testers; one report for each group, which is a board of the panel.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*.atd"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports; files with _debug in their names have 10",
            default: "30",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "GroupByComponentType",
            description: "Put the steps in a sequence for each type of component",
            default: "false",
            kind: ArgumentKind::Flag,
        },
        Argument {
            name: "UnitCalcPreference",
            description: "Units of the values: Base (Ohm, F, H, V), Measures (as measured) or Limits (as the reference)",
            default: "Base",
            kind: ArgumentKind::Choice(&["Base", "Measures", "Limits"]),
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
            default: "MainSequence",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator where the file has no user name",
            default: "",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Switch on the saving of test data as text (`.ATD`) with all columns in the tester's settings, and let it write into the watched \
                folder.",
        mapping: &[
            ("Model:", "pn and the version of the root sequence"),
            ("Serial No.: of the group", "sn; a group without one is left out, with a warning"),
            ("DATE, day first", "start, the same for all groups"),
            ("Test time:", "uut.execTime"),
            ("Test ID :", "machineName; the station's name when there is none"),
            ("User name :", "uut.user"),
            ("number of the group", "uut.testSocketIndex"),
            ("verdict of the group", "result: PASS, else failed; also NO-TEST"),
            ("verdict that differs from the steps'", "misc info TesterStatus"),
            ("Parts (else Comment), nets of H-pin and L-pin", "name of the step"),
            ("Judgement", "status: PASS, `......` skipped, else failed"),
            ("Test_Value_2, else Test_Value_1", "the value; NaN when there is none"),
            (
                "Function, reference, tolerances",
                "limits: `**` and D within the tolerances, E at most, F at least, SH below 10 Ohm, OP above 100 Ohm; JP skipped",
            ),
            ("Measuring_time", "totTime of the step"),
            ("number, comment, tolerances, pins, nets, mode, first try", "reportText of the step"),
        ],
        limits: &[
            "Counters, coordinates, the program's path and the rack are not taken over.",
            "The tester does not say when each board of a panel was tested.",
        ],
    },
};

impl Converter for TakayaAtd {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..10_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        if text.lines().find(|line| !line.trim().is_empty()).is_none_or(|line| line.trim() != "@") {
            return Qualification::none("does not begin with a line @");
        }
        if text.lines().any(|line| line.starts_with("Group_No.\t")) {
            return Qualification::new(0.95, "blocks between lines @, with tab-separated steps");
        }
        if text.contains("Model:") && text.contains("Test time:") {
            return Qualification::new(
                0.5,
                "a block between lines @ with a test time, and no step near the beginning",
            );
        }
        Qualification::none("blocks between lines @ without the titles of tab-separated steps")
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

fn report(
    group: &Group<'_>,
    input: &Input,
    arguments: &Arguments,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Result<Report, ConvertError> {
    let head = &group.head;
    let mut report = Report::without_root(head.model, group.serial, arguments.text("partRevision"));
    let is_debug = input.file_name.to_lowercase().contains("_debug");
    report.process_code = if is_debug { Some(10) } else { None }
        .or_else(|| arguments.process_code("operationTypeCode"))
        .map(i32::from);
    report.uut = Some(Uut {
        user: Some(head.user.to_owned()).filter(|user| !user.is_empty()).map(Into::into),
        exec_time: head.seconds().map(Double::new),
        ..Uut::default()
    });
    let preference = arguments.text("UnitCalcPreference");
    let columns = Columns::new(group.titles);
    let mut grouped = Grouped::new(arguments.flag("GroupByComponentType"), group.steps.len());
    let mut missing = 0;
    let mut unread = Unread::default();
    let mut cells: Vec<&str> = Vec::with_capacity(64);
    for (number, line) in &group.steps {
        text::cells(line, b'\t', &mut cells);
        if cells.len() <= columns.judgement {
            unread.add(*number, line);
            continue;
        }
        let row = columns.row(&cells, preference == "Base", decimals);
        missing += usize::from(row.lacks_value());
        grouped.add(row.parts, row.step(preference == "Limits"));
    }
    warn_of_missing(missing, group.serial, warnings);
    let name = match arguments.text("sequenceName") {
        "" => "MainSequence",
        given => given,
    };
    let mut steps = grouped.steps();
    steps.extend(unread.step("steps of a tab-separated ATD file", warnings));
    let root = build::sequence(name, name, head.model, steps);
    group.report(report, root, input, arguments, warnings)
}

/// Where the columns stand: by their titles, else in the order of the format.
struct Columns {
    step: usize,
    parts: usize,
    value: usize,
    comment: usize,
    location: usize,
    high: usize,
    low: usize,
    guards: [usize; 2],
    judgement: usize,
    reference: usize,
    tests: [usize; 2],
    mode: usize,
    range: usize,
    time: usize,
    plus: usize,
    minus: usize,
    function: usize,
    debug: usize,
}

impl Columns {
    fn new(titles: &str) -> Self {
        let titles: Vec<&str> = titles.split('\t').map(str::trim).collect();
        let of = |title: &str, usual: usize| titles.iter().position(|it| *it == title).unwrap_or(usual);
        Self {
            step: of("Step_number", 1),
            parts: of("Parts", 2),
            value: of("Value", 3),
            comment: of("Comment", 5),
            location: of("Location", 6),
            high: of("H-pin", 7),
            low: of("L-pin", 9),
            guards: [of("G-P1", 11), of("G-P2", 13)],
            judgement: of("Judgement", 15),
            reference: of("Ref._Value_(EL)", 16),
            tests: [of("Test_Value_1_(EL)", 20), of("Test_Value_2_(EL)", 24)],
            mode: of("Measuring_mode", 30),
            range: of("Measuring_range", 31),
            time: of("Measuring_time", 32),
            plus: of("Tolerance_(+)%", 33),
            minus: of("Tolerance_(-)%", 34),
            function: of("Function", 55),
            debug: of("Debug_status(Comment)", 56),
        }
    }

    fn row<'a>(&self, cells: &[&'a str], base: bool, decimals: &mut Decimals) -> Row<'a> {
        let at = |column: usize| cells.get(column).copied().unwrap_or_default();
        let mut quantity = |column: usize| -> Option<Quantity<'a>> {
            // Kind, the number in the base unit, the number as shown, its unit.
            let (number, shown, unit) = (at(column + 1), at(column + 2), at(column + 3));
            let value = decimals.read(shown);
            if base {
                let (factor, name) = split(unit);
                // Dots stand for no value, with a 0 before them.
                let number = decimals.read(number).filter(|_| !shown.starts_with(".."));
                return number.or(value.map(|value| value * factor)).map(|value| Quantity {
                    value,
                    factor: 1.0,
                    prefix: "",
                    unit: name,
                });
            }
            value.map(|value| Quantity::new(value, unit))
        };
        let reference = quantity(self.reference);
        let values = [quantity(self.tests[0]), quantity(self.tests[1])];
        let parts = at(self.parts);
        let function = Function::from_atd(at(self.function));
        let what = if is_designator(parts) { parts } else { at(self.comment) };
        let what = if what.is_empty() { at(self.step) } else { what };
        let percent = |column: usize, sign: f64| {
            let number = text::number(at(column).trim_end_matches('%').trim_start_matches('+'))?;
            Some(number.abs() * sign)
        };
        Row {
            parts,
            name: text::joined(&[what, "_", at(self.high + 1), "_", at(self.low + 1)]),
            text: self.text(cells),
            function,
            status: match at(self.judgement) {
                _ if function == Function::Jump => Status::Skipped,
                "PASS" => Status::Passed,
                jumped if jumped.chars().all(|c| c == '.') => Status::Skipped,
                _ => Status::Failed,
            },
            reference,
            tolerances: (percent(self.plus, 1.0), percent(self.minus, -1.0)),
            values,
            seconds: milliseconds(at(self.time)),
        }
    }

    fn text(&self, cells: &[&str]) -> String {
        let at = |column: usize| cells.get(column).copied().unwrap_or_default();
        let two = |column: usize| [at(column), at(column + 1)];
        let one = |column: usize| [at(column), ""];
        // A guard pin 0 is none.
        let guard = |column: usize| if at(column) == "0" { ["", ""] } else { two(column) };
        let lines = [
            ("Step: ", one(self.step)),
            ("Parts: ", one(self.parts)),
            ("Value: ", two(self.value)),
            ("Comment: ", one(self.comment)),
            ("Location: ", one(self.location)),
            ("Judgement: ", one(self.judgement)),
            ("Function: ", one(self.function)),
            ("Reference: ", two(self.reference + 2)),
            ("Tolerance: ", [at(self.plus), at(self.minus)]),
            ("Test value 1: ", two(self.tests[0] + 2)),
            ("Test value 2: ", two(self.tests[1] + 2)),
            ("H-pin: ", two(self.high)),
            ("L-pin: ", two(self.low)),
            ("Guard: ", guard(self.guards[0])),
            ("Guard: ", guard(self.guards[1])),
            ("Mode: ", [at(self.mode), at(self.range)]),
            ("Debug comment: ", one(self.debug)),
        ];
        let empty = |text: &&str| text.bytes().all(|b| matches!(b, b'.' | b'*' | b'-' | b' '));
        let mut text = String::with_capacity(300);
        for (name, said) in lines.iter().filter(|(_, said)| !said.iter().all(empty)) {
            say(&mut text, name, *said);
        }
        text
    }
}

/// `1.0 ms` in seconds.
pub(super) fn milliseconds(written: &str) -> Option<f64> {
    let number = written.trim().strip_suffix("ms")?;
    text::number(number).filter(|it| *it >= 0.0).map(|milliseconds| milliseconds / 1000.0)
}
