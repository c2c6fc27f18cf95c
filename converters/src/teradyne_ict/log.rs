//! The log: which lines belong to which unit.

use jiff::civil::DateTime;

use crate::kit::pattern::Pattern;
use crate::kit::{text, time};
use crate::{ConvertError, ErrorKind};

/// A test of a unit, from its `@` line to the line of the event that ends it.
#[derive(Debug, Default)]
pub(super) struct Run<'a> {
    /// Where it begins, from 1.
    pub(super) line: usize,
    pub(super) program: Option<Program<'a>>,
    pub(super) start: Stamp<'a>,
    pub(super) serial: Option<&'a str>,
    /// What stands on the `@` line beside time and serial number.
    pub(super) note: Option<&'a str>,
    /// `WATS_name=value` lines.
    pub(super) settings: Vec<(&'a str, &'a str)>,
    /// Letters of positions on a panel.
    pub(super) sockets: Vec<&'a str>,
    pub(super) tests: Vec<(usize, &'a str)>,
    /// Its first character is the event.
    pub(super) event: char,
    pub(super) end: Stamp<'a>,
}

/// A test program, which many tests in a row have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Program<'a> {
    pub(super) path: &'a str,
    /// What the path's file name tells of the units, if it does.
    pub(super) part_number: Option<&'a str>,
}

impl<'a> Program<'a> {
    pub(super) fn new(path: &'a str, patterns: &Patterns) -> Self {
        Self { path, part_number: patterns.part_number.find(Self { path, part_number: None }.name()) }
    }

    /// The name of its file without the ending.
    pub(super) fn name(self) -> &'a str {
        stem(self.path.rsplit(['\\', '/']).next().unwrap_or(self.path))
    }
}

/// A file's name up to its first dot.
pub(super) fn stem(name: &str) -> &str {
    name.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// A date and a time as they stand in the file, and as they are read.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Stamp<'a> {
    pub(super) written: &'a str,
    pub(super) time: Option<DateTime>,
}

impl<'a> Stamp<'a> {
    /// Reads `31-JUL-23  14:18:51` from the beginning of a text, and answers with what follows it.
    fn split(text: &'a str) -> Option<(Self, &'a str)> {
        let text = text::trimmed(text);
        // As the testers write it.
        if let Some((written, rest)) = text.split_at_checked("31-JUL-23  14:18:51".len())
            && (rest.is_empty() || rest.starts_with([' ', '\t']))
            && let Some(time) = time::exactly(written, "%d-%b-%y  %H:%M:%S")
        {
            return Some((Self { written, time: Some(time) }, rest.trim_start()));
        }
        let mut rest = text;
        let mut word = || {
            let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(length)?;
            rest = after.trim_start();
            word.starts_with(|c: char| c.is_ascii_digit()).then_some(word)
        };
        let (date, clock) = (word()?, word()?);
        if text::count(date, b'-') != 2 {
            return None;
        }
        let written = text.get(..text.len() - rest.len())?.trim_end();
        let words = text::joined(&[date, " ", clock]);
        let time = time::civil(&words, &["%d-%b-%y %H:%M:%S", "%d-%b-%Y %H:%M:%S"]);
        Some((Self { written, time }, rest))
    }
}

/// What ends a unit.
fn is_event_sign(sign: &u8) -> bool {
    matches!(sign, b'"' | b'/' | b'?' | b'!' | b'*' | b'&' | b']')
}

/// The expressions that a person may set.
pub(super) struct Patterns {
    pub(super) program: Pattern,
    pub(super) part_number: Pattern,
    pub(super) socket: Pattern,
}

/// The units of a file that are complete, in its order.
pub(super) fn runs<'a>(
    text: &'a str,
    patterns: &Patterns,
    warnings: &mut Vec<String>,
) -> Result<Vec<Run<'a>>, ConvertError> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    let mut open: Option<Run<'a>> = None;
    let mut program = None;
    let mut outside: Option<(usize, usize)> = None;
    // Few logs are of panels, and few lines name a program.
    let socket = Some(&patterns.socket).filter(|socket| socket.is_in(text));
    let mut next_program = Some(&patterns.program).filter(|program| program.is_in(text));
    let mut end = 0;
    for (number, written) in (1..).zip(text::lines(text)) {
        end += written.len();
        let line = text::trimmed(written);
        if line.is_empty() {
            continue;
        }
        if let Some(found) = next_program.and_then(|program| program.find(line)) {
            program = Some(Program::new(found, patterns));
            let rest = text.get(end..).unwrap_or_default();
            next_program = next_program.filter(|program| program.is_in(rest));
        } else if let Some(run) = start(line, number, program) {
            if let Some(unfinished) = open.replace(run) {
                warnings.push(format!(
                    "the test from line {} on has no line that ends it: terminated",
                    unfinished.line
                ));
                // As if it had been aborted: nothing says how it went.
                runs.push(Run { event: '?', ..unfinished });
            }
        } else if let Some((event, end)) = event(line, written.ends_with('\n')) {
            match open.take() {
                Some(run) => runs.push(Run { event, end, ..run }),
                // The operator went back to diagnosis: no unit was tested.
                None if event == ']' => {}
                None => outside = Some(outside.map_or((1, number), |(count, first)| (count + 1, first))),
            }
        } else if let Some(run) = &mut open {
            if line.starts_with("WATS_") {
                run.settings.extend(settings(line));
            } else if let Some(socket) = socket.and_then(|socket| socket.find(line)) {
                run.sockets.push(socket);
            } else {
                run.tests.push((number, line));
            }
        } else {
            outside = Some(outside.map_or((1, number), |(count, first)| (count + 1, first)));
        }
    }
    if let Some((count, first)) = outside {
        warnings.push(format!("{count} lines belong to no test and are left out, the first is line {first}"));
    }
    match open {
        Some(run) if runs.is_empty() => {
            Err(ConvertError::new(ErrorKind::NotYet, "the file ends before the line that ends the test")
                .at_line(run.line, None)
                .expected("one of \" / ? ! & * with date and time, after each line @")
                .help("Perhaps it was still being written; drop the whole file again."))
        }
        Some(run) => {
            warnings.push(format!(
                "the last test, from line {} on, is not complete: the {} before it are taken",
                run.line,
                runs.len()
            ));
            Ok(runs)
        }
        None if runs.is_empty() => Err(nothing(program.is_some())),
        None => Ok(runs),
    }
}

fn nothing(has_program: bool) -> ConvertError {
    if has_program {
        ConvertError::new(ErrorKind::NotYet, "the log has a program, and no test of a unit")
            .expected("a line like @31-JUL-23  14:18:51 SN A1234")
            .help("Perhaps it was still being written; drop the whole file again.")
    } else {
        ConvertError::new(ErrorKind::WrongFormat, "there is neither a program nor a test of a unit")
            .expected("the log of a Teradyne in-circuit tester")
            .help("Check that the right converter is set for this folder.")
    }
}

/// Reads `@31-JUL-23  14:18:51 SN A1234`.
fn start<'a>(line: &'a str, number: usize, program: Option<Program<'a>>) -> Option<Run<'a>> {
    let (start, rest) = Stamp::split(line.strip_prefix('@')?)?;
    let mut run = Run { line: number, program, start, tests: Vec::with_capacity(16), ..Run::default() };
    let named = rest.split_at_checked(2).filter(|(name, serial)| {
        let ends = serial.is_empty() || serial.starts_with([' ', '\t', ':', '=']);
        ends && name.eq_ignore_ascii_case("SN")
    });
    let Some((_, serial)) = named else {
        run.note = Some(rest).filter(|note| !note.is_empty());
        return Some(run);
    };
    let serial = serial.trim_start_matches([' ', '\t', ':', '=']);
    let (serial, note) = serial.split_once([' ', '\t']).unwrap_or((serial, ""));
    run.serial = Some(serial).filter(|serial| !serial.is_empty());
    run.note = Some(note.trim()).filter(|note| !note.is_empty());
    Some(run)
}

/// Reads `"31-JUL-23  14:18:59`. A line without its line end may have lost its tail: it is not `whole`.
fn event(line: &str, whole: bool) -> Option<(char, Stamp<'_>)> {
    let event = line.bytes().next().filter(is_event_sign).map(char::from)?;
    let (stamp, rest) = Stamp::split(line.get(1..)?)?;
    let clock = stamp.written.rsplit([' ', '\t']).next().unwrap_or_default();
    ((whole || clock.len() == "10:00:00".len()) && rest.is_empty()).then_some((event, stamp))
}

/// Reads `WATS_partNumber=A WATS_operator=ann lee`.
fn settings(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest?;
        let next = text.get(1..).and_then(|tail| tail.find(" WATS_")).map(|at| at + 1);
        let (this, after) = match next {
            Some(at) => (text.get(..at)?, text.get(at + 1..)),
            None => (text, None),
        };
        rest = after;
        let (name, value) = this.split_once('=').unwrap_or((this, ""));
        Some((name.trim().strip_prefix("WATS_").unwrap_or(name), value.trim()))
    })
}

/// True when a line begins a unit, for a look at the beginning of a file.
pub(super) fn is_start(line: &str) -> bool {
    start(line.trim(), 0, None).is_some()
}

/// True when a line ends a unit.
pub(super) fn is_event(line: &str) -> bool {
    event(line.trim(), true).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_begins_with_its_time_and_serial_number() {
        for (line, expected) in [
            ("@31-JUL-23  14:18:51 SN A1", Some(("2023-07-31T14:18:51", Some("A1"), None))),
            ("@1-jul-99 4:18:51 sn: A1 again", Some(("1999-07-01T04:18:51", Some("A1"), Some("again")))),
            ("@31-JUL-2023 14:18:51", Some(("2023-07-31T14:18:51", None, None))),
            ("@31-JUL-23 14:18:51 SN", Some(("2023-07-31T14:18:51", None, None))),
            ("@31-JUL-23 14:18:51 B7", Some(("2023-07-31T14:18:51", None, Some("B7")))),
            ("@31-OKT-23 14:18:51 SN A1", Some(("", Some("A1"), None))),
            ("@", None),
            ("@today now", None),
        ] {
            let run = start(line, 1, None);
            let time = |run: &Run<'_>| run.start.time.map_or(String::new(), |time| time.to_string());
            let found = run.as_ref().map(|run| (time(run), run.serial, run.note));
            let found = found.as_ref().map(|(time, serial, note)| (time.as_str(), *serial, *note));
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn an_event_ends_it() {
        for (line, whole, expected) in [
            ("\"31-JUL-23  14:18:59", true, true),
            ("]31-jul-12  14:32:13", true, true),
            ("?31-XXX-23  14:18:59", true, true),
            ("\"31-JUL-23  14:18:5", false, false),
            ("\"31-JUL-23  14:18:59", false, true),
            ("\"31-JUL-23", true, false),
            ("\"31-JUL-23  14:18:59 more", true, false),
            ("'31-JUL-23  14:18:59", true, false),
        ] {
            assert_eq!(event(line, whole).is_some(), expected, "{line}");
        }
    }

    #[test]
    fn settings_may_share_a_line() {
        let read: Vec<_> = settings("WATS_partNumber=A B WATS_operator=ann  WATS_x").collect();
        assert_eq!(read, [("partNumber", "A B"), ("operator", "ann"), ("x", "")]);
    }
}
