//! Lines of a SoundCheck file: titles of results and of curves, results, numbers of curves.

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

#[derive(Debug, Clone)]
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
#[derive(Debug, Clone)]
pub(super) struct Data<'a> {
    pub(super) of: Unit<'a>,
    pub(super) numbers: Vec<&'a str>,
}

#[derive(Debug, Clone)]
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
    columns: usize,
    is_title: bool,
    serial: &'a str,
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
        for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line)) {
            if line.trim().is_empty() {
                continue;
            }
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            let is_title = line.starts_with("Serial #");
            // Titles have no serial number, and what follows them may be of any unit.
            let serial = if is_title { "" } else { cells.first().copied().unwrap_or_default() };
            last = Last { number, columns: cells.len(), is_title, serial };
            if is_title {
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
            file.lines.push((number, leading.line(line, &cells, &places)));
        }
        // A line without its end is whole when it has all columns that the titles announce, or as many as its other half.
        let before = file.lines.len().checked_sub(2).and_then(|index| file.lines.get(index));
        let whole = match (file.lines.last(), before) {
            _ if last.is_title => false,
            (Some((_, Line::Data(second))), Some((_, Line::Data(first)))) => {
                second.numbers.len() >= first.numbers.len()
            }
            (Some((_, Line::Result(_))), _) => last.columns >= columns.min(leading.0.len() + RESULT.len()),
            _ => false,
        };
        if !text.ends_with('\n') && !whole {
            file.cut = Some((last.number, last.serial));
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

    fn unit(&self, cells: &[&'a str]) -> Unit<'a> {
        let mut unit = Unit::default();
        for (title, cell) in self.0.iter().zip(cells) {
            match *title {
                "Serial #" => unit.serial = cell,
                "Time" => unit.time = cell,
                "Lot #" => unit.lot = cell,
                "Operator" => unit.operator = Some(cell),
                other => unit.others.push((other, cell)),
            }
        }
        unit
    }

    /// A line of numbers alone belongs to a curve; a result has a word for its verdict.
    fn line(&self, line: &'a str, cells: &[&'a str], places: &[usize; 6]) -> Line<'a> {
        let rest = cells.get(self.0.len()..).unwrap_or_default();
        let last = rest.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
        let rest = rest.get(..last).unwrap_or_default();
        let is_number = |cell: &&str| text::is_number(cell) || is_none(cell);
        if !rest.is_empty() && rest.iter().all(is_number) {
            return Line::Data(Data { of: self.unit(cells), numbers: rest.to_vec() });
        }
        let at = |place: usize| rest.get(place).copied().unwrap_or_default();
        let [name, value, unit, verdict, kind, limits] = places.map(at);
        if verdict.is_empty() || text::number(verdict).is_some() {
            return Line::Other(line.trim_end());
        }
        let known = places.iter().max().map_or(0, |last| last + 1);
        let others = rest.get(known..).unwrap_or_default().to_vec();
        Line::Result(Measured { of: self.unit(cells), name, value, unit, verdict, kind, limits, others })
    }
}

/// True for a point that has no value.
fn is_none(cell: &str) -> bool {
    cell.is_empty()
        || cell.eq_ignore_ascii_case("nan")
        || cell.eq_ignore_ascii_case("-inf")
        || cell.eq_ignore_ascii_case("inf")
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
