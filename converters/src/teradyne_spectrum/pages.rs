//! Pages: what one of them measured, and the step that it becomes.

use std::collections::HashSet;

use wats::report::{List, NumericMeas, Status, Step, Text};

use super::items::Item;
use crate::kit::decimal::Decimals;
use crate::kit::text::joined;
use crate::kit::{build, si};

/// A number with its unit, and the prefix of the unit as a power of ten.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    value: f64,
    exponent: i32,
    /// With its prefix, and without.
    unit: Text,
    base: Text,
}

/// One value of a page.
#[derive(Debug, Clone)]
struct Value {
    name: Text,
    status: Option<Status>,
    quantity: Quantity,
    /// Low and high, where the page has others for its other values.
    limits: Option<[Option<Quantity>; 2]>,
}

/// A page, or a part of one that is a step of its own.
#[derive(Debug, Clone)]
pub(super) struct Page {
    pub(super) name: Text,
    pub(super) status: Status,
    comment: Text,
    /// Kept as report text behind the comment.
    notes: Vec<String>,
    values: Vec<Value>,
    low: Option<Quantity>,
    high: Option<Quantity>,
    nominal: Option<Quantity>,
}

pub(super) fn status(word: &str) -> Status {
    let failed = ["FAIL", "FAILED", "F", "ERROR", "E"].iter().any(|it| it.eq_ignore_ascii_case(word.trim()));
    if failed { Status::Failed } else { Status::Passed }
}

impl Page {
    pub(super) fn new(name: &str, status: Status) -> Self {
        Self {
            name: if name.is_empty() { "Page" } else { name }.into(),
            status,
            comment: Text::default(),
            notes: Vec::new(),
            values: Vec::new(),
            low: None,
            high: None,
            nominal: None,
        }
    }

    pub(super) fn comment(&mut self, written: &str) {
        self.comment = written.replace("Analysis Comments:", "").replace("Testable.", "").trim().into();
    }

    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// The step; the description of its main step stands before the comment.
    pub(super) fn step(&self, description: &str, base_units: bool) -> Step {
        // Limits that cannot be compared with the value.
        let mut others: Vec<String> = Vec::new();
        let mut measurement = |value: &Value, name: Option<&str>, status: Status| {
            self.measurement(value, name, status, base_units, &mut others)
        };
        let mut step = match self.values.as_slice() {
            [] => build::pass_fail(&self.name, self.status),
            [only] => build::numeric(&self.name, self.status, [measurement(only, None, self.status)]),
            several => {
                let mut names = HashSet::new();
                let numbers = several.iter().enumerate().map(|(index, value)| {
                    let mut name = value.name.clone();
                    if name.is_empty() || !names.insert(name.clone()) {
                        name = format!("{name} {}", index + 1).trim().into();
                    }
                    measurement(value, Some(&name), value.status.unwrap_or(self.status))
                });
                build::numeric(&self.name, self.status, numbers.collect::<List<_>>())
            }
        };
        // A step that failed needs a measurement that did.
        if step.numeric_meas.len() > 1 && step.numeric_meas.iter().all(|meas| meas.status == Status::Passed) {
            step.numeric_meas.iter_mut().for_each(|meas| meas.status = self.status);
        } else if step.numeric_meas.iter().any(|meas| meas.status == Status::Failed) {
            step.status = Status::Failed;
        }
        let mut text = Text::default();
        let mut say = |line: &str| {
            if !(text.is_empty() || line.is_empty()) {
                text.push('\n');
            }
            text.push_str(line);
        };
        say(description);
        say(&self.comment);
        if let Some(nominal) = &self.nominal {
            say(&format!("Nominal value: {}", nominal.shown()));
        }
        if self.values.is_empty() {
            for (name, limit) in [("Low limit", &self.low), ("High limit", &self.high)] {
                if let Some(limit) = limit {
                    say(&joined(&[name, ": ", &limit.shown()]));
                }
            }
        }
        others.iter().for_each(|line| say(line));
        self.notes.iter().for_each(|line| say(line));
        step.report_text = Some(text).filter(|text| !text.is_empty());
        step
    }

    fn measurement(
        &self,
        value: &Value,
        name: Option<&str>,
        status: Status,
        base_units: bool,
        others: &mut Vec<String>,
    ) -> NumericMeas {
        let quantity = &value.quantity;
        let (exponent, unit) =
            if base_units { (0, &quantity.base) } else { (quantity.exponent, &quantity.unit) };
        let own = value.limits.as_ref();
        let mut limit = |what: &str, limit: Option<&Quantity>| {
            let limit = limit?;
            if limit.compares_with(quantity) {
                return Some(limit.scaled(exponent));
            }
            others.push(format!("{what}: {}", limit.shown()));
            None
        };
        let [low, high] = own.map_or([&self.low, &self.high], |[low, high]| [low, high]);
        let limits = (limit("Low limit", low.as_ref()), limit("High limit", high.as_ref()));
        build::number(name, status, quantity.scaled(exponent), unit, limits)
    }
}

impl Quantity {
    /// Reads `(VAL: n) [(SCALE: s)] [(UNIT: u)]`, or a bare number.
    fn read(item: &Item<'_>, decimals: &mut Decimals) -> Option<Self> {
        let of = |key: &str| item.child(key).map(Item::text);
        let value = decimals.read(&of("VAL").unwrap_or_else(|| item.text()))?;
        let scale = of("SCALE").unwrap_or_default();
        let unit = of("UNIT").unwrap_or_default();
        let unit = if unit == "O" { "Ohm" } else { &unit };
        Some(Self { value, exponent: exponent(&scale), unit: joined(&[&scale, unit]), base: unit.into() })
    }

    /// False when the units are others, prefixes apart; a number without a unit has that of the other.
    fn compares_with(&self, other: &Self) -> bool {
        self.base.is_empty() || other.base.is_empty() || self.base.eq_ignore_ascii_case(&other.base)
    }

    /// The value in a unit with that prefix.
    fn scaled(&self, exponent: i32) -> f64 {
        si::rescale(self.value, self.exponent, exponent)
    }

    fn shown(&self) -> String {
        format!("{} {}", self.value, self.unit).trim().to_owned()
    }
}

fn exponent(scale: &str) -> i32 {
    match scale {
        "p" | "P" => return -12,
        "n" | "N" => return -9,
        "u" | "U" | "µ" | "μ" => return -6,
        "m" => return -3,
        "k" | "K" => return 3,
        "M" => return 6,
        "g" | "G" => return 9,
        _ => {}
    }
    if scale.is_empty() {
        return 0;
    }
    match scale.to_ascii_lowercase().as_str() {
        "pico" => -12,
        "nano" => -9,
        "micro" => -6,
        "milli" => -3,
        "kilo" => 3,
        "meg" | "mega" => 6,
        "giga" => 9,
        _ => 0,
    }
}

/// Reads what stands below a page, or behind its name where items are not nested.
///
/// Groups and pins become pages of their own behind the last one.
pub(super) fn measure(items: &[&Item<'_>], pages: &mut Vec<Page>, decimals: &mut Decimals) {
    let mut rest = items;
    while let Some((item, after)) = rest.split_first() {
        rest = after;
        let key = item.name();
        let Some(page) = pages.last_mut() else { return };
        match &*key {
            "LOLIM" | "LOW" => page.low = Quantity::read(item, decimals).or(page.low.take()),
            "HILIM" | "HIGH" => page.high = Quantity::read(item, decimals).or(page.high.take()),
            "NOMVAL" => page.nominal = Quantity::read(item, decimals),
            "MEASVAL" | "MEAS_VAL" => {
                page.values = page.value(item, Text::default(), None, decimals).into_iter().collect()
            }
            "THRESH" => page.low = Quantity::read(item, decimals).or(page.low.take()),
            "RES_LIMIT" | "CAP_LIMIT" => {
                let limit = Quantity::read(item, decimals);
                page.notes.extend(limit.map(|limit| format!("{key}: {}", limit.shown())));
            }
            "PROG_NAME" => page.note(format!("EXT_PROG: {}", item.text())),
            "FAIL_MSG" => page.note(item.text().into_owned()),
            "FAULT" => page.note(format!("FAULT: {}", item.text())),
            "CONNECTED_NODES" => {
                if let Some(name) = item.word("TPNAME") {
                    page.name = joined(&[&page.name, " - ", name]);
                }
            }
            "INTC" => interconnections(item, pages, decimals),
            // What a digital test captured: its value judges nothing by the limits of the page.
            "RESULT" if item.child("VAL").is_some() => {
                let words = item.raw.split_whitespace().collect::<Vec<_>>().join(" ");
                page.note(format!("RESULT: {words}"));
            }
            "INTC_RESULT" => {
                let node = |key: &str| item.child(key).and_then(|nodes| nodes.word("TPNAME"));
                let nodes = [node("LOWR_FROM_NODES"), node("LOWR_TO_NODES")];
                let name = Text::from(nodes.into_iter().flatten().collect::<Vec<_>>().join(" - "));
                let stated = item.child("STAT").map(|word| status(&word.text()));
                for of_result in item.items.split_inclusive(|it| it.is("MEASVAL")) {
                    let Some((last, before)) = of_result.split_last() else { continue };
                    let measured = last.is("MEASVAL");
                    measure(&all(if measured { before } else { of_result }), pages, decimals);
                    if let Some(page) = pages.last_mut().filter(|_| measured) {
                        let value = page.value(last, name.clone(), stated, decimals);
                        page.values.extend(value);
                    }
                }
            }
            "FSCAN_PIN" => {
                let of_pin = item.child("STAT").map_or(page.status, |word| status(&word.text()));
                let name = item.word("TPNAME").or_else(|| item.word("PIN")).unwrap_or("Pin");
                pages.push(Page::new(name, of_pin));
                measure(&all(&item.items), pages, decimals);
            }
            "GROUP_NAME" => {
                let end = after.iter().position(|it| it.is("GROUP_NAME")).unwrap_or(after.len());
                let (own, others) = after.split_at_checked(end).unwrap_or((after, &[]));
                let of_group = own.iter().find(|it| it.is("STAT"));
                let mut group =
                    Page::new(&item.text(), of_group.map_or(page.status, |word| status(&word.text())));
                // The limit of the page holds for its groups.
                group.high = pages.first().and_then(|first| first.high.clone());
                pages.push(group);
                measure(own, pages, decimals);
                rest = others;
            }
            _ => measure(&all(&item.items), pages, decimals),
        }
    }
}

/// Reads one of the interconnection tests of a page, each of which has limits of its own.
fn interconnections(item: &Item<'_>, pages: &mut Vec<Page>, decimals: &mut Decimals) {
    let at = pages.len() - 1;
    let Some(page) = pages.get_mut(at) else { return };
    let before = [page.low.take(), page.high.take()];
    let values = page.values.len();
    measure(&all(&item.items), pages, decimals);
    let Some(page) = pages.get_mut(at) else { return };
    let limits = [page.low.clone(), page.high.clone()];
    for value in page.values.iter_mut().skip(values) {
        value.limits = Some(limits.clone());
    }
    // Where nothing is measured, the limits of each stand in the text once.
    for (name, earlier, own) in
        [("Low limit", &before[0], &mut page.low), ("High limit", &before[1], &mut page.high)]
    {
        let Some(earlier) = earlier else { continue };
        if own.is_none() {
            *own = Some(earlier.clone());
        } else if page.values.is_empty() && own.as_ref() != Some(earlier) {
            page.notes.push(format!("{name}: {}", earlier.shown()));
        }
    }
}

fn all<'i, 'a>(items: &'i [Item<'a>]) -> Vec<&'i Item<'a>> {
    items.iter().collect()
}

impl Page {
    /// A measured value; what is no number stays in the text.
    fn value(
        &mut self,
        item: &Item<'_>,
        name: Text,
        status: Option<Status>,
        decimals: &mut Decimals,
    ) -> Option<Value> {
        let quantity = Quantity::read(item, decimals);
        if quantity.is_none() {
            self.note(format!("Measured: {}", item.text()));
        }
        Some(Value { name, status, quantity: quantity?, limits: None })
    }
}
