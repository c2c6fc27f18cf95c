//! Every text of a report cut to what the server takes, so that a long text does not cost the unit.

use wats::report::{RareMembers, Report, Step, Text};

use super::text::{fit, needs_fit};

/// Cuts over-long texts and removes forbidden characters, with a warning for each.
pub(crate) fn cut(report: &mut Report, warnings: &mut Vec<String>) {
    for (text, what) in [
        (&mut report.machine_name, "station name"),
        (&mut report.location, "location"),
        (&mut report.purpose, "purpose"),
        (&mut report.sn, "serial number"),
        (&mut report.pn, "part number"),
        (&mut report.rev, "revision"),
    ] {
        one(text, 100, what, warnings);
    }
    for info in &mut report.misc_infos {
        some(info.description.as_mut(), 100, "misc info", warnings);
        some(info.text.as_mut(), 100, info.description.as_deref().unwrap_or("misc info"), warnings);
    }
    for unit in &mut report.sub_units {
        some(unit.part_type.as_mut(), 50, "sub unit type", warnings);
        for text in [&mut unit.pn, &mut unit.sn, &mut unit.rev] {
            some(text.as_mut(), 100, "sub unit", warnings);
        }
    }
    if let Some(uut) = &mut report.uut {
        some(uut.user.as_mut(), 100, "operator", warnings);
        some(uut.comment.as_mut(), 5000, "comment", warnings);
        some(uut.batch_sn.as_mut(), 100, "batch", warnings);
        some(uut.fixture_id.as_mut(), 100, "fixture", warnings);
        some(uut.error_message.as_mut(), 500, "error message", warnings);
    }
    if let Some(uur) = &mut report.uur {
        some(uur.user.as_mut(), 100, "operator", warnings);
        some(uur.comment.as_mut(), 5000, "comment", warnings);
    }
    if let Some(root) = &mut report.root {
        step(root, warnings);
    }
}

/// Recursion is bounded: readers refuse steps that are nested too deep.
fn step(this: &mut Step, warnings: &mut Vec<String>) {
    one(&mut this.name, 100, "step name", warnings);
    let at = What("step ", &this.name);
    some(this.report_text.as_mut(), 100_000, at, warnings);
    if let Some(call) = &mut this.seq_call {
        some(call.path.as_mut(), 500, at, warnings);
        some(call.name.as_mut(), 200, at, warnings);
        some(call.version.as_mut(), 30, at, warnings);
    }
    for meas in &mut this.numeric_meas {
        some(meas.name.as_mut(), 100, at, warnings);
        some(meas.unit.as_mut(), 20, at, warnings);
    }
    for meas in &mut this.string_meas {
        some(meas.name.as_mut(), 100, at, warnings);
        some(meas.value.as_mut(), 100, at, warnings);
        some(meas.limit.as_mut(), 100, at, warnings);
    }
    for meas in &mut this.boolean_meas {
        some(meas.name.as_mut(), 100, at, warnings);
    }
    if let Some(rare) = this.rare.get_mut() {
        self::rare(rare, at, warnings);
    }
    for child in this.steps.iter_mut().flatten() {
        step(child, warnings);
    }
}

fn rare(this: &mut RareMembers, at: What<'_>, warnings: &mut Vec<String>) {
    some(this.error_message.as_mut(), 200, at, warnings);
    if let Some(popup) = &mut this.message_popup {
        some(popup.response.as_mut(), 200, at, warnings);
    }
    if let Some(chart) = &mut this.chart {
        some(chart.label.as_mut(), 100, at, warnings);
        for (text, limit) in [
            (&mut chart.x_label, 50),
            (&mut chart.y_label, 50),
            (&mut chart.x_unit, 20),
            (&mut chart.y_unit, 20),
        ] {
            some(text.as_mut(), limit, at, warnings);
        }
        for series in &mut chart.series {
            some(series.name.as_mut(), 100, at, warnings);
        }
    }
}

/// What a text is, put together only where it is said.
#[derive(Clone, Copy)]
struct What<'a>(&'static str, &'a str);

impl<'a> From<&'a str> for What<'a> {
    fn from(what: &'a str) -> Self {
        Self("", what)
    }
}

/// Nearly all texts are absent or fit, which is found out where they are.
#[inline]
fn some<'a>(text: Option<&mut Text>, limit: usize, what: impl Into<What<'a>>, warnings: &mut Vec<String>) {
    if let Some(text) = text {
        one(text, limit, what, warnings);
    }
}

#[inline]
fn one<'a>(text: &mut Text, limit: usize, what: impl Into<What<'a>>, warnings: &mut Vec<String>) {
    if needs_fit(text, limit) {
        shorten(text, limit, what.into(), warnings);
    }
}

#[cold]
fn shorten(text: &mut Text, limit: usize, What(kind, name): What<'_>, warnings: &mut Vec<String>) {
    *text = fit(text, limit, &format!("{kind}{name}"), warnings);
}
