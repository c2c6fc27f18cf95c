//! One test of one part: records PTR, MPR and FTR, and what later ones take over from the first.

use std::collections::HashMap;
use std::rc::Rc;

use compact_str::{ToCompactString, format_compact};
use wats::report::{BooleanMeas, Double, Extra, List, NumericMeas, Status, Step, Text};

use super::fields::{self, Fields, Short};
use crate::kit::build::Names;
use crate::kit::tree;

const PASS_FAIL: &str = "ET_PFT";

/// As many tests are remembered; of one that is not, nothing can be taken over.
const MOST_TESTS: usize = 100_000;
/// As many texts of one test number are told apart.
const MOST_TEXTS: usize = 64;

/// A test of a part, from which its step is made where that stays: steps are large.
pub(super) struct Tested {
    pub(super) head: u8,
    pub(super) site: u8,
    test: Rc<Test>,
    flags: Flags,
    /// Of a test that only passed or failed there are no numbers.
    step_type: &'static str,
    numbers: List<NumericMeas>,
    remarks: Text,
}

impl Tested {
    /// The part of the test's text before `: `.
    pub(super) fn group(&self) -> Option<&str> {
        self.test.group.as_deref()
    }

    pub(super) fn step(self) -> Step {
        let status = match self.flags.verdict() {
            Verdict::Passed => Status::Passed,
            Verdict::Failed => Status::Failed,
            Verdict::NotExecuted => Status::Skipped,
            Verdict::Aborted => Status::Terminated,
            // What was logged counts as passed.
            Verdict::None if !self.numbers.is_empty() => Status::Passed,
            Verdict::None => Status::Done,
        };
        let mut step = Step::new(self.step_type, self.test.name.as_str(), status);
        // A step with a measurement would have to have its verdict.
        if self.step_type == PASS_FAIL && matches!(status, Status::Passed | Status::Failed) {
            step.boolean_meas = [BooleanMeas { name: None, status, extra: Extra::new() }].into();
        }
        step.numeric_meas = self.numbers;
        step.report_text = Some(self.remarks).filter(|remarks| !remarks.is_empty());
        step
    }
}

/// What is known of the tests of a lot.
#[derive(Default)]
pub(super) struct Tests {
    /// By number, those with different texts.
    known: HashMap<u32, Vec<Known>>,
    count: usize,
}

struct Known {
    text: Vec<u8>,
    /// The record's end, as the first record had it.
    tail: Vec<u8>,
    test: Rc<Test>,
}

/// What the optional fields of a record say.
#[derive(Debug, Clone, Default)]
struct Test {
    group: Option<Text>,
    name: Text,
    unit: Text,
    low: Option<f64>,
    high: Option<f64>,
    /// The same limits as the server wants them.
    operator: Text,
    limits: (Option<f64>, Option<f64>),
    /// Of a test with several numbers.
    pins: Vec<u16>,
    /// Said in the step's text.
    remarks: Text,
}

/// The names of the pins.
pub(super) type Pins = HashMap<u16, String>;

/// What the flags of a record say of its test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failed,
    NotExecuted,
    Aborted,
    None,
}

/// The flags that all three records have.
#[derive(Debug, Clone, Copy)]
struct Flags {
    test: u8,
    parametric: u8,
}

impl Flags {
    fn verdict(self) -> Verdict {
        let is = |bit: u8| self.test >> bit & 1 == 1;
        match () {
            () if is(4) => Verdict::NotExecuted,
            // Bit 7 says nothing where bit 6 is set.
            () if is(7) && !is(6) => Verdict::Failed,
            () if is(5) => Verdict::Aborted,
            () if is(6) => Verdict::None,
            () => Verdict::Passed,
        }
    }

    fn is_invalid(self) -> bool {
        self.test >> 1 & 1 == 1
    }

    /// What a person should know of the measurement beside its verdict.
    fn remarks(self, alarm: &[u8]) -> Text {
        const TEST: &[(u8, &str)] = &[
            (1, "The tester says that the result is invalid"),
            (2, "The tester says that the result is unreliable"),
            (3, "Timeout"),
            (5, "Aborted"),
        ];
        const PARAMETRIC: &[(u8, &str)] = &[
            (0, "Scale error"),
            (1, "Drift error"),
            (2, "Oscillation detected"),
            (5, "Passed alternate limits"),
        ];
        if self.test & 0b0010_1111 == 0 && self.parametric & 0b0010_0111 == 0 && alarm.is_empty() {
            return Text::default();
        }
        let mut said = Text::default();
        if self.test & 1 == 1 || !alarm.is_empty() {
            say(&mut said, format!("Alarm {}", fields::text(alarm)).trim_end());
        }
        for (flags, names) in [(self.test, TEST), (self.parametric, PARAMETRIC)] {
            for (_, words) in names.iter().filter(|(bit, _)| flags >> bit & 1 == 1) {
                say(&mut said, words);
            }
        }
        said
    }
}

fn say(text: &mut Text, line: &str) {
    if !line.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
}

impl Tests {
    /// What is known of a test, with what the end of this record adds.
    fn look_up(
        &mut self,
        number: u32,
        text: &[u8],
        tail: Fields<'_>,
        names: &HashMap<u32, String>,
        read: impl Fn(Fields<'_>, &mut Test) -> Result<(), Short>,
    ) -> Result<Rc<Test>, Short> {
        let known = self.known.get(&number).map(Vec::as_slice).unwrap_or_default();
        let same = known.iter().position(|it| it.text == text || text.is_empty());
        let nearest = same.and_then(|at| known.get(at)).or(known.first());
        if let Some(known) = nearest.filter(|_| same.is_some())
            && (tail.rest().is_empty() || known.tail == tail.rest())
        {
            return Ok(known.test.clone());
        }
        let mut test = nearest.map(|known| Test::clone(&known.test)).unwrap_or_default();
        if same.is_none() {
            let named = fields::text(text);
            match names.get(&number) {
                Some(name) if named.is_empty() => test.name(number, name),
                _ => test.name(number, &named),
            }
        }
        read(tail, &mut test)?;
        (test.operator, test.limits.0, test.limits.1) = tree::limits("", test.low, test.high);
        let test = Rc::new(test);
        let (tail, kept) = (tail.rest().to_vec(), test.clone());
        match same {
            // One without limits came first, perhaps of another kind.
            Some(at) => {
                let known = self.known.get_mut(&number).and_then(|known| known.get_mut(at));
                if let Some(known) = known.filter(|known| known.tail.is_empty()) {
                    (known.tail, known.test) = (tail, kept);
                }
            }
            None if self.count < MOST_TESTS && known.len() < MOST_TEXTS => {
                self.count += 1;
                self.known.entry(number).or_default().push(Known { text: text.to_vec(), tail, test: kept });
            }
            None => {}
        }
        Ok(test)
    }

    /// A parametric test: one number.
    pub(super) fn parametric(
        &mut self,
        mut fields: Fields<'_>,
        names: &HashMap<u32, String>,
    ) -> Result<Tested, Short> {
        let (number, head, site, flags) = head(&mut fields, true)?;
        let value = fields.r4()?.filter(|_| !flags.is_invalid());
        let (text, alarm) = (fields.bn()?, fields.bn()?);
        let test = self.look_up(number, text, fields, names, |mut fields, test| {
            let opt = fields.u1()?;
            let (_, _, _) = (fields.i1()?, fields.i1()?, fields.i1()?);
            let limits = [fields.r4()?, fields.r4()?];
            let unit = fields.bn()?;
            let (_, _, _) = (fields.bn()?, fields.bn()?, fields.bn()?);
            test.optional(opt, limits, unit, [fields.r4()?, fields.r4()?]);
            Ok(())
        })?;
        let mut remarks = flags.remarks(alarm);
        say(&mut remarks, &test.remarks);
        let value = value.unwrap_or(f64::NAN);
        let numbers: List<_> = match flags.verdict() {
            Verdict::Passed => [test.number(None, Status::Passed, value)].into(),
            Verdict::Failed => [test.number(None, Status::Failed, value)].into(),
            Verdict::None => {
                say(&mut remarks, &test.without_verdict());
                [test.logged(None, value)].into()
            }
            Verdict::NotExecuted => List::new(),
            // A number would have to have a verdict.
            Verdict::Aborted => {
                say(&mut remarks, format!("Value {value} {}", test.unit).trim_end());
                List::new()
            }
        };
        Ok(Tested { head, site, test, flags, step_type: "ET_NLT", numbers, remarks })
    }

    /// A test with a number for each of several pins.
    pub(super) fn multiple(
        &mut self,
        mut fields: Fields<'_>,
        names: &HashMap<u32, String>,
        pins: &Pins,
    ) -> Result<Tested, Short> {
        let (number, head, site, flags) = head(&mut fields, true)?;
        let (states, count) = (fields.u2()?.unwrap_or_default(), fields.u2()?.unwrap_or_default());
        fields.nibbles(states)?;
        let values = fields.r4s(count)?;
        let (text, alarm) = (fields.bn()?, fields.bn()?);
        let test = self.look_up(number, text, fields, names, |mut fields, test| {
            let opt = fields.u1()?;
            let (_, _, _) = (fields.i1()?, fields.i1()?, fields.i1()?);
            let limits = [fields.r4()?, fields.r4()?];
            let (start, step) = (fields.r4()?, fields.r4()?);
            let pins = fields.u2s(states)?;
            if !pins.is_empty() {
                test.pins = pins;
            }
            let (unit, input) = (fields.bn()?, fields.cn()?);
            let (_, _, _) = (fields.bn()?, fields.bn()?, fields.bn()?);
            test.optional(opt, limits, unit, [fields.r4()?, fields.r4()?]);
            let is_input = opt.is_some_and(|opt| opt >> 1 & 1 == 0);
            if let (Some(start), Some(step), true) = (start, step, is_input) {
                say(&mut test.remarks, format!("Input from {start} in steps of {step} {input}").trim_end());
            }
            Ok(())
        })?;
        let mut remarks = flags.remarks(alarm);
        say(&mut remarks, &test.remarks);
        let value = |value: f64| if flags.is_invalid() { f64::NAN } else { value };
        let several = values.len() > 1;
        let names = if several { pin_names(values.len(), &test.pins, pins) } else { vec![Text::default()] };
        let named = names
            .iter()
            .zip(&values)
            .map(|(name, number)| (several.then_some(name.as_str()), value(*number)));
        let numbers = match flags.verdict() {
            Verdict::Passed => named.map(|(name, it)| test.number(name, Status::Passed, it)).collect(),
            Verdict::Failed => {
                let judged = |(name, it)| {
                    test.number(name, tree::numeric(&test.operator, it, test.limits.0, test.limits.1), it)
                };
                let mut numbers: List<NumericMeas> = named.map(judged).collect();
                // The tester does not say which of them failed.
                if numbers.iter().all(|it| it.status == Status::Passed) {
                    numbers.iter_mut().for_each(|it| it.status = Status::Failed);
                }
                numbers
            }
            Verdict::None => {
                say(&mut remarks, &test.without_verdict());
                named.map(|(name, it)| test.logged(name, it)).collect()
            }
            Verdict::NotExecuted => List::new(),
            Verdict::Aborted => {
                let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
                say(&mut remarks, format!("Values {} {}", shown.join(", "), test.unit).trim_end());
                List::new()
            }
        };
        let step_type = match values.len() {
            0 => PASS_FAIL,
            1 => "ET_NLT",
            _ => "ET_MNLT",
        };
        Ok(Tested { head, site, test, flags, step_type, numbers, remarks })
    }

    /// A functional test: passed or failed.
    pub(super) fn functional(
        &mut self,
        mut fields: Fields<'_>,
        names: &HashMap<u32, String>,
        pins: &Pins,
    ) -> Result<Tested, Short> {
        let (number, head, site, flags) = head(&mut fields, false)?;
        let opt = fields.u1()?.unwrap_or(255);
        let counts = [
            ("Cycles", 0, fields.u4()?.map(i64::from)),
            ("Relative vector address", 1, fields.u4()?.map(i64::from)),
            ("Repeats", 2, fields.u4()?.map(i64::from)),
            ("Failing pins", 3, fields.u4()?.map(i64::from)),
            ("X address of the failure", 4, fields.i4()?.map(i64::from)),
            ("Y address of the failure", 4, fields.i4()?.map(i64::from)),
            ("Offset from the vector", 5, fields.i2()?.map(i64::from)),
        ];
        let (returned, programmed) = (fields.u2()?.unwrap_or_default(), fields.u2()?.unwrap_or_default());
        let (_, _) = (fields.u2s(returned)?, fields.nibbles(returned)?);
        let (_, _) = (fields.u2s(programmed)?, fields.nibbles(programmed)?);
        let failing = fields.dn()?;
        let texts = [("Vector", fields.cn()?), ("Time set", fields.cn()?), ("Operation", fields.cn()?)];
        let (text, alarm) = (fields.bn()?, fields.bn()?);
        let more = [("Program", fields.cn()?), ("Result", fields.cn()?)];
        let nothing = fields.of(&[]);
        let text = match &texts {
            // A test without a name has that of its vectors.
            [(_, vector), ..]
                if text.is_empty() && !self.known.contains_key(&number) && !names.contains_key(&number) =>
            {
                vector.as_bytes()
            }
            _ => text,
        };
        let test = self.look_up(number, text, nothing, names, |_, _| Ok(()))?;
        let mut remarks = flags.remarks(alarm);
        for (name, count) in counts
            .iter()
            .filter_map(|(name, bit, count)| count.filter(|_| opt >> bit & 1 == 0).map(|count| (name, count)))
        {
            say(&mut remarks, &format!("{name}: {count}"));
        }
        for (name, text) in texts.iter().chain(&more).filter(|(_, text)| !text.is_empty()) {
            say(&mut remarks, &format!("{name}: {text}"));
        }
        if !failing.is_empty() {
            let shown: Vec<String> = failing.iter().map(|pin| pin_name(*pin, pins)).collect();
            say(&mut remarks, &format!("Pins that failed: {}", shown.join(", ")));
        }
        Ok(Tested { head, site, test, flags, step_type: PASS_FAIL, numbers: List::new(), remarks })
    }

    /// A scan test of V4-2007: passed or failed. `None` for a record that another of the same test follows.
    pub(super) fn scan(
        &mut self,
        mut fields: Fields<'_>,
        names: &HashMap<u32, String>,
    ) -> Result<Option<Tested>, Short> {
        if fields.u1()?.is_some_and(|goes_on| goes_on != 0) {
            return Ok(None);
        }
        let (number, head, site) = (fields.u4()?, fields.u1()?, fields.u1()?);
        let (_, flags) = (fields.u2()?, fields.u1()?);
        let flags = Flags { test: flags.unwrap_or_default(), parametric: 0 };
        let log = fields.cn()?;
        let (text, alarm) = (fields.bn()?, fields.bn()?);
        let texts = [("Log", log), ("Program", fields.cn()?), ("Result", fields.cn()?)];
        let test = self.look_up(number.unwrap_or_default(), text, fields.of(&[]), names, |_, _| Ok(()))?;
        let mut remarks = flags.remarks(alarm);
        for (name, text) in texts.iter().filter(|(_, text)| !text.is_empty()) {
            say(&mut remarks, &format!("{name}: {text}"));
        }
        let (head, site) = (head.unwrap_or(1), site.unwrap_or_default());
        let numbers = List::new();
        Ok(Some(Tested { head, site, test, flags, step_type: PASS_FAIL, numbers, remarks }))
    }
}

/// The beginning of all three records.
fn head(fields: &mut Fields<'_>, is_parametric: bool) -> Result<(u32, u8, u8, Flags), Short> {
    let (number, head, site) = (fields.u4()?, fields.u1()?, fields.u1()?);
    let test = fields.u1()?;
    let parametric = if is_parametric { fields.u1()? } else { None };
    let flags = Flags { test: test.unwrap_or_default(), parametric: parametric.unwrap_or_default() };
    Ok((number.unwrap_or_default(), head.unwrap_or(1), site.unwrap_or_default(), flags))
}

fn pin_name(index: u16, pins: &Pins) -> String {
    pins.get(&index).cloned().unwrap_or_else(|| format!("Pin {index}"))
}

/// A name for each value, each once.
fn pin_names(count: usize, indexes: &[u16], pins: &Pins) -> Vec<Text> {
    let name = |at: usize| match indexes.get(at) {
        Some(index) => pin_name(*index, pins),
        None => format!("Value {}", at + 1),
    };
    let mut names = Names::default();
    (0..count).map(|at| names.unique(&name(at))).collect()
}

impl Test {
    /// `Group: name` is a test in a sequence.
    fn name(&mut self, number: u32, text: &str) {
        let (group, name) = match text.split_once(": ") {
            Some((group, name)) if !group.trim().is_empty() && !name.trim().is_empty() => {
                (Some(group.trim().to_owned()), name.trim())
            }
            _ => (None, text),
        };
        self.group = group.map(Into::into);
        self.name =
            if name.is_empty() { number.to_compact_string() } else { format_compact!("{number} - {name}") };
    }

    /// Limits and unit; what the record marks as invalid, or has not, stays as it was.
    fn optional(&mut self, opt: Option<u8>, limits: [Option<f64>; 2], unit: &[u8], spec: [Option<f64>; 2]) {
        let Some(opt) = opt else { return };
        let is = |bit: u8| opt >> bit & 1 == 1;
        for (place, limit, usual, none) in
            [(&mut self.low, limits[0], 4, 6), (&mut self.high, limits[1], 5, 7)]
        {
            if is(none) {
                *place = None;
            } else if !is(usual) && limit.is_some() {
                // An infinite limit is none.
                *place = limit.filter(|limit| limit.is_finite());
            }
        }
        if !unit.is_empty() {
            self.unit = fields::text(unit).into();
        }
        let spec = [spec[0].filter(|_| !is(2)), spec[1].filter(|_| !is(3))];
        self.remarks.clear();
        if spec.iter().any(Option::is_some) {
            self.remarks = format_compact!("Limits of the specification: {}", range(spec, &self.unit));
        }
    }

    fn number(&self, name: Option<&str>, status: Status, value: f64) -> NumericMeas {
        NumericMeas {
            comp_op: self.operator.clone(),
            name: name.map(Into::into),
            status,
            unit: Some(self.unit.clone()).filter(|unit| !unit.is_empty()),
            value: Double::new(value),
            high_limit: self.limits.1.map(Double::new),
            low_limit: self.limits.0.map(Double::new),
            formats: None,
            extra: Extra::new(),
        }
    }

    /// A number that the tester did not judge.
    fn logged(&self, name: Option<&str>, value: f64) -> NumericMeas {
        let number = self.number(name, Status::Passed, value);
        NumericMeas { comp_op: "LOG".into(), low_limit: None, high_limit: None, ..number }
    }

    fn without_verdict(&self) -> Text {
        match [self.low, self.high] {
            [None, None] => Text::default(),
            limits => {
                format_compact!("The tester did not judge the value; limits: {}", range(limits, &self.unit))
            }
        }
    }
}

/// `0.5 to 1.5 v`
fn range(limits: [Option<f64>; 2], unit: &str) -> Text {
    let shown = match limits {
        [Some(low), Some(high)] => format!("{low} to {high} {unit}"),
        [Some(low), None] => format!("from {low} {unit}"),
        [None, Some(high)] => format!("to {high} {unit}"),
        [None, None] => return Text::default(),
    };
    shown.trim_end().into()
}
