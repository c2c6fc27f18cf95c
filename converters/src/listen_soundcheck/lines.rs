//! Lines of a SoundCheck file: titles of results and of curves, results, numbers of curves.

use crate::kit::points::Points;
use crate::kit::text;
use crate::{ConvertError, ErrorKind};

/// What stands at the beginning of every line.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit<'a> {
    pub(super) serial: &'a str,
    pub(super) time: &'a str,
    pub(super) lot: &'a str,
    pub(super) operator: Option<&'a str>,
    /// Columns that only some stations have.
    pub(super) others: Vec<(&'a str, &'a str)>,
}

#[derive(Debug)]
pub(super) struct Measured<'a> {
    pub(super) of: Unit<'a>,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    pub(super) unit: &'a str,
    pub(super) verdict: &'a str,
    pub(super) kind: &'a str,
    pub(super) limits: &'a str,
    /// What stands behind the last column that is known.
    pub(super) others: Vec<&'a str>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CurveTitle<'a> {
    pub(super) name: &'a str,
    pub(super) x_data: &'a str,
    pub(super) y_data: &'a str,
    pub(super) x_axis: &'a str,
    pub(super) y_axis: &'a str,
    pub(super) x_unit: &'a str,
    pub(super) y_unit: &'a str,
}

/// A line of numbers: one half of a curve.
#[derive(Debug)]
pub(super) struct Data<'a> {
    pub(super) of: Unit<'a>,
    /// As they stand, with tabs between them: there may be thousands.
    pub(super) written: &'a str,
    pub(super) count: usize,
    points: Points,
}

impl Data<'_> {
    /// No more than so many of them as points of a chart, and how many of these have a decimal comma.
    pub(super) fn points(self, most: usize) -> (Points, usize) {
        if self.count <= most {
            return (self.points, text::count(self.written, b','));
        }
        let end = self.written.match_indices('\t').nth(most - 1).map_or(self.written.len(), |(end, _)| end);
        let taken = self.written.get(..end).unwrap_or_default();
        (
            Points::of_cells(taken, b'\t').map(|(points, _)| points).unwrap_or_default(),
            text::count(taken, b','),
        )
    }
}

#[derive(Debug)]
pub(super) enum Line<'a> {
    Curve(CurveTitle<'a>),
    Result(Measured<'a>),
    Data(Data<'a>),
    Other(&'a str),
}

/// The lines of a file, each with its number.
#[derive(Debug, Default)]
pub(super) struct Lines<'a> {
    pub(super) lines: Vec<(usize, Line<'a>)>,
    /// The last line, when it has lost its end: its number, and what is left of its serial number.
    pub(super) cut: Option<(usize, &'a str)>,
}

/// The line read last.
#[derive(Debug, Default)]
struct Last<'a> {
    number: usize,
    line: &'a str,
    is_title: bool,
}

/// The titles before the name: each ends with a colon.
#[derive(Debug, Clone)]
struct Leading<'a>(Vec<&'a str>);

/// The titles of the columns of a result.
const RESULT: [&str; 6] = ["Name", "Margin", "Unit", "Result", "Tolerance", "Limits"];

impl<'a> Lines<'a> {
    /// # Errors
    /// When the file does not begin with titles.
    pub(super) fn read(text: &'a str) -> Result<Self, ConvertError> {
        let mut file = Self::default();
        let mut leading = Leading(vec!["Serial #", "Time", "Lot #"]);
        let mut places = [0, 1, 2, 3, 4, 5];
        let mut begun = false;
        let mut columns = 0;
        let mut last = Last::default();
        let mut cells = Vec::new();
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            if text::is_blank(line) {
                continue;
            }
            let is_title = line.starts_with("Serial #");
            last = Last { number, line, is_title };
            if is_title {
                text::cells(line, b'\t', &mut cells);
                begun = true;
                columns = cells.len();
                leading = Leading::read(&cells);
                let titles = cells.get(leading.0.len()..).unwrap_or_default();
                if titles.contains(&"Result") || titles.first() == Some(&"Name") {
                    for (place, (usual, title)) in places.iter_mut().zip(RESULT.iter().enumerate()) {
                        *place = titles.iter().position(|it| it == title).unwrap_or(usual);
                    }
                } else {
                    file.lines.push((number, Line::Curve(CurveTitle::read(titles))));
                }
                continue;
            }
            if !begun {
                return Err(ConvertError::new(ErrorKind::WrongFormat, "the file does not begin with titles")
                    .at_line(number, None)
                    .expected("a line Serial #:, Time:, Lot #: …, as SoundCheck writes it")
                    .help("Check that the right converter is set for this folder."));
            }
            file.lines.push((number, leading.line(line, &places, &mut cells)));
        }
        // A line without its end is whole when it has all columns that the titles announce, or as many as its other half.
        let before = file.lines.len().checked_sub(2).and_then(|index| file.lines.get(index));
        let whole = match (file.lines.last(), before) {
            _ if last.is_title => false,
            (Some((_, Line::Data(second))), Some((_, Line::Data(first)))) => second.count >= first.count,
            (Some((_, Line::Result(_))), _) => {
                last.line.split('\t').count() >= columns.min(leading.0.len() + RESULT.len())
            }
            _ => false,
        };
        if !text.ends_with('\n') && !whole {
            // Titles have no serial number, and what follows them may be of any unit.
            let serial =
                if last.is_title { "" } else { last.line.split('\t').next().unwrap_or_default().trim() };
            file.cut = Some((last.number, serial));
            file.lines.pop_if(|(_, line)| matches!(line, Line::Other(_)));
        }
        Ok(file)
    }
}

impl<'a> Leading<'a> {
    fn read(cells: &[&'a str]) -> Self {
        let titles = cells.iter().take_while(|cell| cell.ends_with(':'));
        Self(titles.map(|title| title.trim_end_matches(':').trim()).collect())
    }

    /// What stands at the beginning of a line, and what follows it.
    fn split(&self, line: &'a str) -> (Unit<'a>, &'a str) {
        let mut unit = Unit::default();
        let mut rest = line;
        for title in &self.0 {
            let (cell, after) = rest.split_once('\t').unwrap_or((rest, ""));
            rest = after;
            let cell = text::trimmed(cell);
            match *title {
                "Serial #" => unit.serial = cell,
                "Time" => unit.time = cell,
                "Lot #" => unit.lot = cell,
                "Operator" => unit.operator = Some(cell),
                other => unit.others.push((other, cell)),
            }
        }
        (unit, rest)
    }

    /// A line of numbers alone belongs to a curve; a result has a word for its verdict. `cells` is what all lines share.
    fn line(&self, line: &'a str, places: &[usize; 6], cells: &mut Vec<&'a str>) -> Line<'a> {
        let (of, rest) = self.split(line);
        // Empty columns at the end are padding.
        let written = rest.trim_end();
        if let Some((points, count)) = Points::of_cells(written, b'\t') {
            return Line::Data(Data { of, written, count, points });
        }
        text::cells(written, b'\t', cells);
        let at = |place: usize| cells.get(place).copied().unwrap_or_default();
        let [name, value, unit, verdict, kind, limits] = places.map(at);
        if verdict.is_empty() || text::is_number(verdict) {
            return Line::Other(line.trim_end());
        }
        let known = places.iter().max().map_or(0, |last| last + 1);
        let others = cells.get(known..).unwrap_or_default().to_vec();
        Line::Result(Measured { of, name, value, unit, verdict, kind, limits, others })
    }
}

impl<'a> CurveTitle<'a> {
    /// Name, kinds of data, axes, units: three of each, with an empty column between them.
    fn read(titles: &[&'a str]) -> Self {
        let at = |place: usize| titles.get(place).copied().unwrap_or_default();
        let of =
            |title: &str, usual: usize| titles.iter().position(|it| it.starts_with(title)).unwrap_or(usual);
        let (data, axis) = (of("x data", 2), of("x axis", 6));
        Self {
            name: at(0),
            x_data: at(data),
            y_data: at(data + 1),
            x_axis: at(axis),
            y_axis: at(axis + 1),
            x_unit: at(axis + 4),
            y_unit: at(axis + 5),
        }
    }
}
