//! Keysight (Agilent, HP) i3070 in-circuit testers: log records in braces, a unit for each `@BTEST`.
//!
//! The notation is read by `kit::records`. `board` has what a report's head needs, `steps` and `analog` make the tests.

mod analog;
mod board;
mod steps;

use wats::report::{Double, Report, Step, Text, Time, Uut};

use self::board::{Batch, Board};
use self::steps::Tests;
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unknown;
use crate::kit::records::{Parsed, Record, parse};
use crate::kit::{build, header, text};
use crate::{
    About, Argument, ArgumentKind, Arguments, Conversion, ConvertError, Converter, ErrorKind, Input, Manual,
    Qualification,
};

pub(crate) struct KeysightI3070;

const ABOUT: About = About {
    name: "keysight-i3070",
    title: "Keysight i3070 in-circuit test (log records)",
    vendor: "Keysight",
    description: "Log records of i3070 (HP and Agilent 3070) in-circuit testers: {@BATCH|…{@BTEST|…; one report for each board.",
    version: env!("CARGO_PKG_VERSION"),
    file_patterns: &["*"],
    arguments: &[
        Argument {
            name: "operationTypeCode",
            description: "Process code of the reports",
            default: "10",
            kind: ArgumentKind::ProcessCode,
        },
        Argument {
            name: "numberFormatMode",
            description: "prefix: values and limits get the prefix that suits the low limit, as in kΩ; base: all are in F, H, V, A, Ω",
            default: "prefix",
            kind: ArgumentKind::Choice(&["prefix", "base"]),
        },
        Argument {
            name: "partNumber",
            description: "Part number where @BATCH has neither a version label nor a UUT type",
            default: "",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "partRevision",
            description: "Revision of the units where @BATCH has none",
            default: "1.0",
            kind: ArgumentKind::Text,
        },
        Argument {
            name: "operator",
            description: "Operator where @BATCH has none",
            default: "sysoper",
            kind: ArgumentKind::Text,
        },
    ],
    manual: Manual {
        setup: "Have the test plan log its data as records, of all tests and not only of those that fail (log level `all`), and let the tester write \
                the files to the watched folder, or bring them there. The version label of `@BATCH` is the part number; without one the UUT type is.",
        mapping: &[
            ("@BATCH version label, else UUT type", "pn"),
            ("@BATCH testplan revision, else revision of the UUT type", "rev"),
            (
                "@BATCH controller, operator id, batch id, fixture id",
                "machineName, uut.user, uut.batchSN, uut.fixtureId",
            ),
            ("@BATCH testplan id and revision", "name and version of the root"),
            ("@BATCH process step, testhead, parent panel type", "misc infos"),
            (
                "@BTEST board id, start, duration",
                "sn, start, uut.execTime; without a board id the start time is the sn",
            ),
            (
                "@BTEST status",
                "result: 0 passed; 11, 12, 80 error; 81, 82 terminated; 13 (crossed out) gives no report; others failed. The code and its meaning are uut.errorCode and uut.errorMessage",
            ),
            ("@BTEST board number, else the digits before % in designators", "uut.testSocketIndex"),
            ("@BTEST parent panel id, learning, known good, log level …", "misc infos"),
            ("records of the same name in a row", "a sequence with that name: A-RES"),
            (
                "A-CAP, A-RES, A-MEA … with @LIM2 or @LIM3",
                "a numeric test named by its block; nominal value in the reportText",
            ),
            (
                "several of them in a block, with subtest designators",
                "one test with several numbers, named by the designators",
            ),
            (
                "@D-T, @TS, @TJET, @CCHK, @PF, @BS-CON, @PRB, @ARRAY",
                "a test with their counts and the test status as numbers",
            ),
            ("@PCHK; @D-PLD; a block without a test", "a pass/fail test"),
            ("pins, nodes, devices and notes of a test", "reportText"),
            ("@RPT", "uut.comment; a comment over 5000 characters in the root's reportText as a whole"),
            ("other records", "misc infos, with a warning"),
        ],
        limits: &[
            "Alarms and network records (@ALM, @AID, @NETV) are no data of a board and are left out.",
            "What was logged before a @RETEST of the board is void and left out, with a warning.",
            "A test that the operator stopped (status 11) has no measurement in the report: the server takes no such status with one.",
            "No genuine file was at hand: the converter is built and tested by the description of the log records.",
        ],
    },
};

impl Converter for KeysightI3070 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn qualify(&self, input: &Input) -> Qualification {
        let beginning = input.bytes.get(..50_000).unwrap_or(&input.bytes);
        let Ok(text) = text::decode(beginning) else { return Qualification::none("no text") };
        // At the beginning of a line, or behind another record.
        let begins = |(at, _)| {
            let before = text.get(..at).unwrap_or_default().trim_end_matches([' ', '\t']);
            before.is_empty() || before.ends_with(['\n', '}'])
        };
        if !["{@BATCH|", "{@BTEST|"].iter().any(|record| text.match_indices(record).any(begins)) {
            return Qualification::none("no line begins with a record {@BATCH| or {@BTEST|");
        }
        if crate::teradyne_ict::has_words_for_verdicts(&text) {
            return Qualification::none("records with words for verdicts, where an i3070 has numbers");
        }
        Qualification::new(0.95, "records @BATCH or @BTEST")
    }

    fn convert(&self, input: &Input, arguments: &Arguments) -> Result<Conversion, ConvertError> {
        let decoded = text::decode(&input.bytes)?;
        let mut warnings = Vec::new();
        let parsed = parse(&decoded)?;
        let boards = boards(&parsed, &mut warnings)?;
        let count = boards.len();
        let mut file = File {
            input,
            arguments,
            decimals: Decimals::default(),
            only_board: count == 1,
            prefixes: arguments.text("numberFormatMode") == "prefix",
        };
        let mut reports = Vec::with_capacity(count);
        for (batch, record) in boards {
            let board = Board::new(record);
            if board.status == Some(board::CROSSED_OUT) {
                warnings.push(format!(
                    "line {}: the board was crossed out and not tested: no report of it",
                    record.line
                ));
                continue;
            }
            let report = file.report(&batch, &board, record, &mut warnings);
            reports.push(report.map_err(|error| error.at_line(record.line, None))?);
        }
        if reports.is_empty() {
            return Err(ConvertError::new(
                ErrorKind::Missing,
                "all boards of the file were crossed out: none was tested",
            ));
        }
        warnings.extend(file.decimals.warning());
        Ok(Conversion { reports, warnings })
    }
}

/// The complete boards of a file with the batch of each.
fn boards<'p, 'a>(
    parsed: &'p Parsed<'a>,
    warnings: &mut Vec<String>,
) -> Result<Vec<(Batch<'a>, &'p Record<'a>)>, ConvertError> {
    let mut all: Vec<(Batch<'a>, &'p Record<'a>)> = Vec::new();
    let mut others = Unknown::default();
    for record in &parsed.records {
        if record.is("@BTEST") {
            all.push((Batch::default(), record));
        } else if record.is("@BATCH") {
            let batch = Batch::new(record);
            for child in &record.children {
                if child.is("@BTEST") {
                    all.push((batch, child));
                } else if !steps::is_no_board_data(child) {
                    others.add(child.name, "");
                }
            }
        } else if !steps::is_no_board_data(record) {
            others.add(record.name, "");
        }
    }
    let outside: Vec<Text> = others.infos().filter_map(|info| info.description).collect();
    if !outside.is_empty() {
        warnings.push(format!("records outside of boards are left out: {}", outside.join(", ")));
    }
    if let Some(line) = parsed.first_stray {
        let count = parsed.stray;
        warnings.push(format!(
            "{count} texts or braces belong to no record and are left out, the first is in line {line}"
        ));
    }
    let found = all.len();
    all.retain(|(_, board)| board.complete);
    match parsed.open {
        Some(line) if all.is_empty() => {
            return Err(ConvertError::new(ErrorKind::NotYet, "the file ends before the closing brace of a record")
                .at_line(line, None)
                .expected("a closing brace for each {@BTEST")
                .help("Perhaps it was still being written; drop the whole file again."));
        }
        Some(line) if found > all.len() => warnings.push(format!(
            "the last board is not complete, its record of line {line} has no end: the {} before it are taken",
            all.len()
        )),
        Some(line) => warnings.push(format!("the record of line {line} has no closing brace")),
        None => {}
    }
    if all.is_empty() {
        return Err(ConvertError::new(ErrorKind::WrongFormat, "there is no record @BTEST")
            .expected("log records of an i3070: {@BATCH|…{@BTEST|…")
            .help("Check that the right converter is set for this folder."));
    }
    Ok(all)
}

/// What all boards of a file share.
struct File<'a> {
    input: &'a Input,
    arguments: &'a Arguments,
    decimals: Decimals,
    only_board: bool,
    prefixes: bool,
}

impl File<'_> {
    fn report(
        &mut self,
        batch: &Batch<'_>,
        board: &Board<'_>,
        record: &Record<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Report, ConvertError> {
        let or =
            |values: &[&str]| values.iter().find(|it| !it.is_empty()).copied().unwrap_or_default().to_owned();
        let zone = &self.input.station.time_zone;
        let start = board.time(board.start, zone, warnings);
        let serial = self.serial(board, warnings);
        let part_number = or(&[batch.version_label, batch.uut_type, self.arguments.text("partNumber")]);
        if part_number.is_empty() {
            return Err(ConvertError::new(ErrorKind::Missing, "the file has no part number")
                .expected("a version label or a UUT type in @BATCH")
                .help("Set the argument partNumber."));
        }
        let revision = or(&[batch.testplan_rev, batch.uut_rev, self.arguments.text("partRevision")]);
        let mut report = Report::without_root(part_number, serial, revision);
        report.process_code = self.arguments.process_code("operationTypeCode").map(i32::from);
        report.machine_name = batch.controller.into();
        let end = if board.end.is_empty() { None } else { board.time(board.end, zone, warnings) };
        let between = start.as_ref().and_then(Time::instant).zip(end.as_ref().and_then(Time::instant));
        let between = between.map(|(from, to)| to.duration_since(from).as_secs_f64());
        let seconds = text::number(board.duration).or(between).filter(|seconds| *seconds >= 0.0);
        report.start = start;

        let mut tests = Tests::new(&mut self.decimals, self.prefixes, warnings);
        tests.read(&record.children);
        let Tests { groups, comments, socket, unknown, .. } = tests;
        for line in cuts(record) {
            warnings
                .push(format!("line {line}: the tester was cut off in this record; what is before is taken"));
        }
        let steps: Vec<Step> =
            groups.into_iter().map(|(name, steps)| build::sequence(&name, &name, "1.0.0", steps)).collect();
        report.result = board.result(&steps, warnings);
        let socket = board.number.filter(|number| !(*number == 1 && self.only_board)).or(socket);
        let comment = comments.join("\n");
        report.uut = Some(Uut {
            user: Some(or(&[batch.operator, self.arguments.text("operator")]).into()),
            exec_time: seconds.map(Double::new),
            batch_sn: Some(batch.batch_id.to_owned()).filter(|it| !it.is_empty()).map(Into::into),
            fixture_id: Some(batch.fixture.to_owned()).filter(|it| !it.is_empty()).map(Into::into),
            test_socket_index: socket,
            error_code: board.status.filter(|status| *status != 0),
            error_message: board.status.and_then(board::meaning).map(Into::into),
            comment: Some(comment.chars().take(MAX_COMMENT).collect())
                .filter(|it: &String| !it.is_empty())
                .map(Into::into),
            ..Uut::default()
        });
        report.misc_infos = batch.infos().chain(board.infos()).collect();
        report.misc_infos.extend(unknown.infos());
        unknown.warn(warnings);

        let name = or(&[batch.testplan, "MainSequence"]);
        let mut root = build::sequence(&name, &name, &or(&[batch.testplan_rev, "1.0.0"]), steps);
        root.status = report.result;
        root.tot_time = seconds.map(Double::new);
        root.report_text = (comment.chars().count() > MAX_COMMENT).then_some(comment.into());
        report.root = Some(root);
        header::complete(&mut report, self.input, warnings)?;
        Ok(report)
    }

    fn serial(&self, board: &Board<'_>, warnings: &mut Vec<String>) -> String {
        if !board.id.is_empty() {
            return board.id.to_owned();
        }
        warnings.push(format!(
            "line {}: the board has no id: its start time is used as the serial number",
            board.line
        ));
        if board.start.is_empty() {
            let written = self.input.modified.to_zoned_datetime(self.input.station.time_zone.clone());
            return written.strftime("%y%m%d%H%M%S").to_string();
        }
        board.start.to_owned()
    }
}

/// The server takes no longer comment.
const MAX_COMMENT: usize = 5000;

/// The lines where the tester was cut off.
fn cuts(record: &Record<'_>) -> Vec<usize> {
    let own = record.cut.into_iter();
    own.chain(record.children.iter().flat_map(cuts)).take(20).collect()
}
