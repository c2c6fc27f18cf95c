//! Test lines: `ANL;site;task;task number;test number;name;…;result;measure;low;high;unit;…`.

use wats::report::{Status, Step};

use super::Test;
use crate::kit::decimal::Decimals;
use crate::kit::leftover::Unread;
use crate::kit::{build, text};

/// The first fields up to the result, without which a line says nothing.
const FIELDS: usize = 8;
const EXPECTED: &str = "test lines with at least 8 fields";
/// The tester writes this for "no limit".
const NO_LIMIT: f64 = 1e10;

/// The tests as steps, in a sequence of their own as long as the kind of component stays the same.
pub(super) fn steps(
    test: &Test<'_>,
    is_3030: bool,
    decimals: &mut Decimals,
    warnings: &mut Vec<String>,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut group: Option<(&str, Vec<Step>)> = None;
    let mut unread = Unread::default();
    let mut fields = Vec::new();
    for (number, written) in &test.tests {
        text::cells(written, b';', &mut fields);
        let line = Line { number: *number, fields: &fields, is_3030 };
        let kind = line.kind();
        if !is_3030 && (line.at(5).starts_with("NUL ") || matches!(line.letters(), "END" | "RETURN")) {
            continue;
        }
        if line.fields.len() < FIELDS {
            unread.add(line.number, written);
            continue;
        }
        let step = line.step(kind, decimals, warnings);
        match (&mut group, kind) {
            (Some((current, inner)), Kind::Component(name)) if *current == name => inner.push(step),
            (_, Kind::Component(name)) => close(group.replace((name, vec![step])), &mut steps),
            _ => {
                close(group.take(), &mut steps);
                steps.push(step);
            }
        }
    }
    close(group, &mut steps);
    steps.extend(unread.step(EXPECTED, warnings));
    steps
}

fn close(group: Option<(&str, Vec<Step>)>, steps: &mut Vec<Step>) {
    if let Some((name, inner)) = group {
        let file = format!("{}.seq", name.replace(' ', "_"));
        steps.push(build::sequence(name, &file, "1.0", inner));
    }
}

/// What the first letters of a task stand for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind<'a> {
    Action,
    Component(&'a str),
    None,
}

struct Line<'a, 'b> {
    number: usize,
    fields: &'b [&'a str],
    is_3030: bool,
}

impl<'a> Line<'a, '_> {
    fn at(&self, field: usize) -> &'a str {
        self.fields.get(field).copied().unwrap_or_default()
    }

    /// The letters that the task begins with; with a 3030 its first letters wherever they stand.
    fn letters(&self) -> &'a str {
        let letter = |c: char| c.is_ascii_alphabetic();
        let mut task = self.at(2);
        if self.is_3030 {
            task = task.trim_start_matches(|c: char| !letter(c));
        }
        task.split(|c: char| !letter(c)).next().unwrap_or_default()
    }

    fn kind(&self) -> Kind<'a> {
        let letters = self.letters();
        let of = |table: &'static [(&str, &'static str)]| {
            table.iter().find(|(prefix, _)| *prefix == letters).map(|(_, name)| *name)
        };
        match (self.is_3030, letters) {
            (_, "") => Kind::None,
            (true, _) => Kind::Component(of(GROUPS_3030).unwrap_or(letters)),
            (false, _) if ACTIONS.contains(&letters) => Kind::Action,
            (false, _) => of(CATEGORIES).map_or(Kind::None, Kind::Component),
        }
    }

    fn step(&self, kind: Kind<'_>, decimals: &mut Decimals, warnings: &mut Vec<String>) -> Step {
        let named = [self.at(5), self.at(2)].into_iter().find(|name| !name.is_empty());
        let name = named.unwrap_or("Test");
        let result = self.at(7);
        let is = |word: &str| result.eq_ignore_ascii_case(word);
        let status = if is("INTERRUPTED") || is("TERMINATED") {
            Status::Terminated
        } else if result.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("PASS")) {
            Status::Passed
        } else {
            Status::Failed
        };
        if kind == Kind::Action {
            return Step::new("Action", name, status);
        }
        let (measure, unit) = (self.at(8), self.at(11));
        let automatic = measure.eq_ignore_ascii_case("Automatic");
        let mut number = |field: usize| if automatic { 0.0 } else { self.number(field, decimals, warnings) };
        let (value, low, high) = (number(8), number(9), number(10));
        let is_flag = value == 0.0 && low == 0.0 && high == 0.0;
        if status == Status::Terminated {
            // A measurement can only have passed or failed, and this one has done neither.
            let mut step = Step::new(if is_flag { "ET_PFT" } else { "ET_NLT" }, name, status);
            step.report_text = (!is_flag)
                .then(|| {
                    format!("{result}: measured {measure} {unit}, limits {} to {}", self.at(9), self.at(10))
                })
                .map(Into::into);
            return step;
        }
        if is_flag {
            return build::pass_fail(name, status);
        }
        let limits = self.limits(low, high);
        build::numeric(name, status, [build::number(None, status, value, unit, limits)])
    }

    fn limits(&self, low: f64, high: f64) -> (Option<f64>, Option<f64>) {
        let limit = |limit: f64| (limit.abs() < NO_LIMIT).then_some(limit);
        let (low, high) = (limit(low), limit(high));
        match (low, high) {
            // A 3030 writes 0 for "no limit"; from -1 to 0 is a range all the same.
            (Some(0.0), Some(0.0)) if self.is_3030 => (None, None),
            (Some(low), Some(0.0)) if self.is_3030 && low > 0.0 => (Some(low), None),
            (Some(0.0), Some(high)) if self.is_3030 && high > 0.0 => (None, Some(high)),
            limits => limits,
        }
    }

    /// A number; what is none counts as 0, as the tester itself reads its files.
    fn number(&self, field: usize, decimals: &mut Decimals, warnings: &mut Vec<String>) -> f64 {
        let written = self.at(field);
        let word = written.trim_start_matches(['+', '-']).to_ascii_uppercase();
        if word.starts_with("NAN") || word.starts_with("1.#QNAN") || word.starts_with("1.#IND") {
            return f64::NAN;
        }
        if word.starts_with("INF") || word.starts_with("1.#INF") {
            return if written.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        decimals.read(written).unwrap_or_else(|| {
            if !written.is_empty() {
                warnings.push(format!("line {}: \"{written}\" is no number and is read as 0", self.number));
            }
            0.0
        })
    }
}

const ACTIONS: &[&str] =
    &["Start", "Counter", "DISCHARGE", "Close", "Open", "Board", "Components", "End", "Connect", "Sconnect"];

const CATEGORIES: &[(&str, &str)] = &[
    ("Power", "Power"),
    ("A", "Assembly"),
    ("AT", "Attenuator or isolator"),
    ("BR", "Bridge rectifier"),
    ("BT", "Battery"),
    ("C", "Capacitor"),
    ("CS", "Capacitor"),
    ("CP", "Capacitor"),
    ("DSC", "Capacitor"),
    ("CN", "Capacitor network"),
    ("CON", "Connector"),
    ("D", "Diode"),
    ("CR", "Diode"),
    ("DL", "Delay line"),
    ("DS", "Display"),
    ("DZ", "ZenerDiode"),
    ("F", "Fuse"),
    ("FB", "Ferrite bead"),
    ("FD", "Fiducial"),
    ("FL", "Filter"),
    ("G", "Generator or oscillator"),
    ("GL", "Graphical logo"),
    ("GN", "General network"),
    ("H", "Hardware"),
    ("HY", "Circulator or directional coupler"),
    ("IR", "Infrared diode"),
    ("ISO", "Isolators"),
    ("J", "Jack"),
    ("JP", "Jumper (link)"),
    ("JSCAN", "JSCAN - ESD check"),
    ("K", "Relay or contactor"),
    ("L", "Inductor"),
    ("LNK", "Link"),
    ("LS", "Loudspeaker or buzzer"),
    ("M", "Motor"),
    ("MK", "Microphone"),
    ("MP", "Mechanical part"),
    ("OP", "Opto-isolator"),
    ("P", "Plug"),
    ("PS", "Power supply"),
    ("PTC", "PTC"),
    ("Q", "Transistor"),
    ("R", "Resistor"),
    ("RP", "Resistor"),
    ("RS", "Resistor"),
    ("RN", "Resistor network"),
    ("RT", "Thermistor"),
    ("RV", "Varistor"),
    ("S", "Switch"),
    ("SW", "Switch"),
    ("SHO", "Short"),
    ("T", "Transformer"),
    ("TC", "Thermocouple"),
    ("TP", "Test point"),
    ("TUN", "Tuner"),
    ("U", "Integrated circuit (IC)"),
    ("V", "Variator"),
    ("VR", "Voltage regulator"),
    ("X", "Socket connector"),
    ("XTAL", "Crystal"),
    ("Y", "Crystal or oscillator"),
    ("Z", "Zenerdiode"),
];

const GROUPS_3030: &[(&str, &str)] = &[
    ("R", "Resistors"),
    ("RP", "Resistors"),
    ("RS", "Resistors"),
    ("C", "Capacitors"),
    ("CS", "Capacitors"),
    ("CP", "Capacitors"),
    ("DSC", "Capacitors"),
    ("L", "Inductors"),
    ("D", "Diodes"),
    ("DZ", "ZenerDiodes"),
    ("Q", "Transistors"),
    ("U", "ICs"),
    ("CON", "Connectors"),
    ("SHO", "Short"),
    ("TC", "Thermocouple"),
    ("PTC", "PTC"),
    ("F", "Fuses"),
    ("J", "Jumpers"),
    ("T", "Transformers"),
    ("ISO", "Isolators"),
];
