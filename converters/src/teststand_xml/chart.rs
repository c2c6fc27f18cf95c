//! Charts of a step: plots of points.

use roxmltree::Node;
use wats::report::{Chart, Extra, Series};

use super::props;
use crate::kit::points::Points;
use crate::kit::teststand;
use crate::kit::xml;

/// A server takes as many series and points.
const SERIES: usize = 10;
const POINTS: usize = 10_000;
const TYPES: [&str; 4] = ["Line", "LineLogXY", "LineLogX", "LineLogY"];

/// The chart, if it has plots.
pub(super) fn read(node: Node<'_, '_>, step: &str, warnings: &mut Vec<String>) -> Option<Chart> {
    let plots: Vec<Node<'_, '_>> = props::find(node, "Plots").map(|it| props::objects(it).collect())?;
    if plots.is_empty() {
        return None;
    }
    if plots.len() > SERIES {
        warnings.push(format!("step {step}: {} plots; the first {SERIES} are kept", plots.len()));
    }
    let text = |name: &str| props::text(node, name);
    let written = text("ChartType").unwrap_or_default();
    let chart_type = TYPES.iter().find(|known| known.eq_ignore_ascii_case(&written)).unwrap_or(&"Line");
    Some(Chart {
        chart_type: Some((*chart_type).into()),
        label: Some(text("ChartLabel").unwrap_or_default()),
        x_label: text("Xlabel"),
        x_unit: text("Xunit"),
        y_label: text("Ylabel"),
        y_unit: text("Yunit"),
        series: plots.into_iter().take(SERIES).map(|plot| series(plot, step, warnings)).collect(),
        extra: Extra::new(),
    })
}

fn series(plot: Node<'_, '_>, step: &str, warnings: &mut Vec<String>) -> Series {
    let name = props::text(plot, "PlotName").unwrap_or_default();
    let (mut x, mut y) = props::find(plot, "PlotData").map(points).unwrap_or_default();
    if y.len() > POINTS {
        warnings
            .push(format!("step {step}: plot {name} has {} points; the first {POINTS} are kept", y.len()));
        y.truncate(POINTS);
    }
    // Without an x for each y the points are numbered.
    x.truncate(POINTS);
    let xdata = (x.len() == y.len()).then(|| joined(&x)).filter(|x| !x.is_empty());
    Series {
        data_type: Some(props::text(plot, "PlotDataType").unwrap_or_else(|| "XYG".into())),
        name: Some(name),
        xdata: xdata.map(Into::into),
        ydata: Some(joined(&y).into()),
        extra: Extra::new(),
    }
}

/// The x and y of the points. The array has a row of x and one of y, or a row for each point.
fn points(array: Node<'_, '_>) -> (Vec<f64>, Vec<f64>) {
    let mut cells: Vec<(usize, usize, f64)> = Vec::new();
    for (index, value) in props::elements(array) {
        let mut numbers = index.split(['[', ']']).filter_map(|piece| piece.parse::<usize>().ok());
        let (Some(first), second) = (numbers.next(), numbers.next()) else { continue };
        let number = teststand::number(&xml::raw_text(value)).unwrap_or(f64::NAN);
        match second {
            Some(column) => cells.push((first, column, number)),
            None => cells.push((0, first, number)),
        }
    }
    cells.sort_by_key(|(row, column, _)| (*row, *column));
    let rows = cells.iter().map(|(row, ..)| *row).max().map_or(0, |last| last.saturating_add(1));
    let columns = cells.iter().map(|(_, column, _)| *column).max().map_or(0, |last| last.saturating_add(1));
    let row = |at: usize| cells.iter().filter(|cell| cell.0 == at).map(|cell| cell.2).collect::<Vec<_>>();
    let column = |at: usize| cells.iter().filter(|cell| cell.1 == at).map(|cell| cell.2).collect::<Vec<_>>();
    match (rows, columns) {
        (0, _) => (Vec::new(), Vec::new()),
        (1, _) => (Vec::new(), row(0)),
        (2, _) => (row(0), row(1)),
        (_, 2) => (column(0), column(1)),
        _ => (row(0), row(1)),
    }
}

/// Numbers joined by semicolons, each with at least one decimal.
fn joined(numbers: &[f64]) -> String {
    let mut points = Points::default();
    numbers.iter().for_each(|number| points.add(*number));
    points.text()
}
