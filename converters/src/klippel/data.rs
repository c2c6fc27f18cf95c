//! The data files of a unit: single values, and curves over frequency.

use std::collections::BTreeMap;

use wats::report::{Chart, Series, Status, Step, Text};

use crate::Companion;
use crate::kit::decimal::Decimals;
use crate::kit::points::Points;
use crate::kit::{build, text};

/// Points of a series that the server takes.
const MAX_POINTS: usize = 10_000;

/// The steps of all data files, in a sequence for each task.
///
/// `verdicts` holds what the tester says of results, by their names; it decides over what the limits say.
pub(super) fn steps(
    companions: &[Companion],
    verdicts: BTreeMap<&str, Status>,
    warnings: &mut Vec<String>,
) -> Vec<Step> {
    let mut files: Vec<&Companion> = companions.iter().collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut reading = Reading { left: verdicts.clone(), verdicts, decimals: Decimals::default(), warnings };
    let mut groups: Vec<(String, Vec<Step>)> = Vec::new();
    for file in files {
        let Some(stem) = stem(&file.name) else {
            reading.warnings.push(format!("{} is no data file (.txt); it is not read", file.name));
            continue;
        };
        let Some(steps) = reading.file(stem, file) else { continue };
        let task = stem.split('-').next().unwrap_or(stem).trim();
        match groups.last_mut() {
            Some((last, group)) if last == task => group.extend(steps),
            _ => groups.push((task.to_owned(), steps)),
        }
    }
    let warning = reading.decimals.warning();
    // What the tester judged and no file has, such as a value derived from a failed measurement.
    let rest: Vec<Step> = reading.left.iter().map(|(name, status)| only_verdict(name, *status)).collect();
    if !rest.is_empty() {
        groups.push(("Results without data".to_owned(), rest));
    }
    warnings.extend(warning);
    groups
        .into_iter()
        .map(|(task, steps)| build::sequence(&task, &format!("{task}.seq"), "1.0", steps))
        .collect()
}

/// The file's name without `.txt`; `None` for other files and for those in folders further down.
fn stem(name: &str) -> Option<&str> {
    let (stem, ending) = name.rsplit_once('.')?;
    (ending.eq_ignore_ascii_case("txt") && !name.contains('/')).then_some(stem)
}

fn only_verdict(name: &str, status: Status) -> Step {
    let measured = if status == Status::Failed { Status::Failed } else { Status::Passed };
    Step { status, ..build::pass_fail(name, measured) }
}

struct Reading<'a, 'w> {
    verdicts: BTreeMap<&'a str, Status>,
    /// The verdicts that no step has yet.
    left: BTreeMap<&'a str, Status>,
    decimals: Decimals,
    warnings: &'w mut Vec<String>,
}

impl Reading<'_, '_> {
    /// The steps of a file; `None` for one that is neither values nor a curve.
    fn file(&mut self, stem: &str, file: &Companion) -> Option<Vec<Step>> {
        let text = match text::decode(&file.bytes) {
            Ok(text) => text,
            Err(error) => {
                self.warnings.push(format!("{}: {error}; it is not read", file.name));
                return None;
            }
        };
        let mut lines = text.lines();
        let mut titles = Vec::new();
        text::cells(lines.next()?, b'\t', &mut titles);
        let columns = Columns::of(&titles);
        let shown = text.lines().next_back().map_or(0, |line| line.split('\t').count());
        if !text.ends_with('\n') && shown < titles.len() {
            self.warnings.push(format!(
                "{}: the last line has {shown} of {} columns and no line end: perhaps the file was still being written",
                file.name,
                titles.len()
            ));
        }
        let unknown: Vec<&str> = columns.unknown(&titles).collect();
        if !unknown.is_empty() {
            self.warnings.push(format!(
                "{}: columns that are not known are left out: {}",
                file.name,
                unknown.join(", ")
            ));
        }
        let rows = (2..).zip(lines);
        let first = titles.first().copied().unwrap_or_default();
        if first.eq_ignore_ascii_case("name") {
            let mut steps = Vec::new();
            each(rows, |row| steps.extend(self.value(&file.name, row, &columns)));
            Some(steps)
        } else if first.eq_ignore_ascii_case("frq") {
            let name = titles.get(1).copied().filter(|name| !name.is_empty()).unwrap_or(stem);
            // The numbers of a column take about a fourth of the text.
            let curve = Curve { room: text.len() / 4, ..Curve::default() };
            Some(self.curve(curve, stem, name, rows, &columns, &file.name))
        } else {
            self.warnings.push(format!(
                "{}: the first column is \"{}\", neither name nor frq; the file is not read",
                file.name,
                first.to_ascii_lowercase()
            ));
            None
        }
    }

    fn verdict(&mut self, name: &str) -> Option<Status> {
        self.left.remove(name);
        self.verdicts.get(name).copied()
    }

    /// A line of single values.
    fn value(&mut self, file: &str, row: &Row<'_>, columns: &Columns) -> Option<Step> {
        let name = row.at(0);
        let (written, low, high) = (row.at(1), row.at(columns.min), row.at(columns.max));
        if name.is_empty() {
            if row.cells.iter().any(|cell| !cell.is_empty()) {
                self.warnings.push(format!("{file}, line {}: a value without a name is left out", row.line));
            }
            return None;
        }
        let stated = self.verdict(name);
        let unit = row.at(columns.unit);
        let mut limit = |cell: &str| self.decimals.read(cell).filter(|number| !number.is_nan());
        let limits = match (limit(low), limit(high)) {
            (Some(low), Some(high)) => (Some(low), Some(high)),
            _ => (None, None),
        };
        let Some(value) = self.decimals.read(written).filter(|number| !number.is_nan()) else {
            if !matches!(written, "" | "-") {
                self.warnings.push(format!("{file}, line {}: {name} \"{written}\" is no number", row.line));
            }
            // The tester could not measure it: that is a failure only when the tester says so.
            return match stated {
                None if written.is_empty() => None,
                Some(Status::Failed) => {
                    let number = build::number(None, Status::Failed, f64::NAN, unit, limits);
                    Some(build::numeric(name, Status::Failed, [number]))
                }
                _ => Some(Step::new("ET_NLT", name, Status::Skipped)),
            };
        };
        let inside = limits.0.is_none_or(|low| value >= low) && limits.1.is_none_or(|high| value <= high);
        let status = stated.unwrap_or(if inside { Status::Passed } else { Status::Failed });
        let measured = if status == Status::Skipped { Status::Passed } else { status };
        let number = build::number(None, measured, value, unit, limits);
        Some(build::numeric(name, status, [number]))
    }

    /// A curve: its statistics with a chart, and how many of its points are out of bounds.
    fn curve<'r>(
        &mut self,
        mut curve: Curve,
        stem: &str,
        name: &str,
        rows: impl Iterator<Item = (usize, &'r str)>,
        columns: &Columns,
        file: &str,
    ) -> Vec<Step> {
        let places = [1, columns.max, columns.min];
        each(rows, |row| {
            if row.cells.len() < 2 {
                return;
            }
            let mut cell =
                |column: usize| self.decimals.read(row.at(column)).filter(|number| number.is_finite());
            if cell(0).is_none() {
                self.warnings.push(format!(
                    "{file}, line {}: the frequency \"{}\" is no number",
                    row.line,
                    row.at(0)
                ));
                return;
            }
            let numbers = [cell(places[0]), cell(places[1]), cell(places[2])];
            curve.add(row.at(0), places.map(|place| row.at(place)), numbers);
        });
        let stated = self.verdict(name);
        let outside = if curve.outside == 0.0 || stated == Some(Status::Passed) {
            Status::Passed
        } else {
            Status::Failed
        };
        let status = stated.unwrap_or(outside);
        let number = |of: &str, value| {
            let mut number = build::number(Some(of), Status::Passed, value, "", (None, None));
            number.comp_op = "LOG".into();
            number
        };
        let (avg, min, max) = curve.statistics();
        let mut step =
            build::numeric(name, status, [number("avg", avg), number("min", min), number("max", max)]);
        let mut count = build::number(None, outside, curve.outside, "#", (Some(0.0), None));
        step.rare.chart = Some(Box::new(curve.chart(stem, name, self.warnings)));
        count.comp_op = "EQ".into();
        vec![step, build::numeric("OutOfBounds", outside, [count])]
    }
}

/// Where the limits stand, by their titles: files of values and of curves have them in different orders.
struct Columns {
    max: usize,
    min: usize,
    /// Of a file of values; most have none.
    unit: usize,
}

impl Columns {
    fn of(titles: &[&str]) -> Self {
        let of = |name: &str| {
            titles.iter().skip(2).position(|title| title.eq_ignore_ascii_case(name)).map(|at| at + 2)
        };
        // A column that is not there: every cell in it is empty.
        let [max, min] = ["max", "min"].map(|name| of(name).unwrap_or(usize::MAX));
        let has_values = titles.first().is_some_and(|first| first.eq_ignore_ascii_case("name"));
        Self { max, min, unit: of("unit").filter(|_| has_values).unwrap_or(usize::MAX) }
    }

    /// The titles of the others, behind the first two.
    fn unknown<'t>(&self, titles: &[&'t str]) -> impl Iterator<Item = &'t str> {
        let known = [self.max, self.min, self.unit];
        let others = titles.iter().enumerate().skip(2).filter(move |(at, _)| !known.contains(at));
        others.map(|(_, title)| *title).filter(|title| !title.is_empty())
    }
}

/// Takes the lines of a file cell by cell, each with its number.
fn each<'a>(lines: impl Iterator<Item = (usize, &'a str)>, mut take: impl FnMut(&Row<'a>)) {
    let mut row = Row { line: 0, cells: Vec::new() };
    for (number, line) in lines {
        row.line = number;
        text::cells(line, b'\t', &mut row.cells);
        take(&row);
    }
}

struct Row<'a> {
    line: usize,
    cells: Vec<&'a str>,
}

impl Row<'_> {
    fn at(&self, column: usize) -> &str {
        self.cells.get(column).copied().unwrap_or_default()
    }
}

#[derive(Default)]
struct Curve {
    /// How much may be needed for the numbers of a column.
    room: usize,
    /// The one of the point that is being added.
    frequency: Points,
    values: Vec<f64>,
    /// Of the values, of max, and of min.
    lines: [Line; 3],
    /// How many points are above max or below min.
    outside: f64,
}

/// The points of a series.
#[derive(Default)]
struct Line {
    x: Points,
    y: Points,
    count: usize,
}

impl Line {
    /// A point as it is written: to write a number takes longer than to read it.
    fn add(&mut self, x: &Points, y: &str, room: usize) {
        if self.count == 0 {
            (self.x, self.y) = (Points::with_room(room), Points::with_room(room));
        }
        if self.count < MAX_POINTS {
            self.x.add_all(x);
            self.y.add_written(y);
        }
        self.count += 1;
    }
}

impl Curve {
    /// Value, max and min at a frequency, as they are written and as they are read.
    fn add(&mut self, frequency: &str, written: [&str; 3], read: [Option<f64>; 3]) {
        self.frequency.clear();
        self.frequency.add_written(frequency);
        for ((line, written), _) in self.lines.iter_mut().zip(written).zip(read).filter(|it| it.1.is_some()) {
            line.add(&self.frequency, written, self.room);
        }
        let [Some(value), max, min] = read else { return };
        self.values.push(value);
        if max.is_some_and(|max| value > max) || min.is_some_and(|min| value < min) {
            self.outside += 1.0;
        }
    }

    /// Average, least and greatest value; NaN of a curve without points.
    fn statistics(&self) -> (f64, f64, f64) {
        let values = || self.values.iter().copied();
        let count = values().fold(0.0, |count, _| count + 1.0);
        (values().sum::<f64>() / count, values().fold(f64::NAN, f64::min), values().fold(f64::NAN, f64::max))
    }

    fn chart(self, label: &str, name: &str, warnings: &mut Vec<String>) -> Chart {
        let mut series = Vec::new();
        let most = self.lines.iter().map(|line| line.count).max().unwrap_or_default();
        if most > MAX_POINTS {
            warnings.push(format!("{label}: the chart shows the first {MAX_POINTS} of {most} points"));
        }
        for (title, line) in [name, "max", "min"].into_iter().zip(self.lines) {
            if line.count == 0 {
                continue;
            }
            series.push(Series {
                data_type: Some("XYG".into()),
                name: Some(title.into()),
                xdata: Some(line.x.text().into()),
                ydata: Some(line.y.text().into()),
                ..Series::default()
            });
        }
        Chart {
            chart_type: Some("LineLogX".into()),
            label: Some(label.into()),
            x_label: Some("Frequency".into()),
            x_unit: Some("Hz".into()),
            y_label: Some(name.into()),
            y_unit: Some(Text::default()),
            series,
            ..Chart::default()
        }
    }
}
