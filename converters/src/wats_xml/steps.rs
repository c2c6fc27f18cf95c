//! The steps of a test report and their data.

use roxmltree::Node;
use wats::report::{
    Attachment, BooleanMeas, CallExe, Chart, Double, Extra, Formats, Group, List, Loop, MessagePopup,
    NumericMeas, RareMembers, SequenceCall, Series, Status, Step, StringMeas, Text,
};
use wats::wsjf::MAX_DEPTH;

use super::repair::base64;
use super::{Reading, additional_data, whose};
use crate::kit::xml::{attribute, child, children, is, owned};
use crate::kit::{property, text, time, tree, verdict, xml};
use crate::{ConvertError, ErrorKind};

/// What stands in a step and is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Step,
    SequenceCall,
    NumericLimit,
    PassFail,
    StringValue,
    ReportText,
    Loop,
    Chart,
    Attachment,
    AdditionalResults,
    Callexe,
    MessagePopup,
    Other,
}

const PARTS: [(&str, Part); 12] = [
    ("Step", Part::Step),
    ("SequenceCall", Part::SequenceCall),
    ("NumericLimit", Part::NumericLimit),
    ("PassFail", Part::PassFail),
    ("StringValue", Part::StringValue),
    ("ReportText", Part::ReportText),
    ("Loop", Part::Loop),
    ("Chart", Part::Chart),
    ("Attachment", Part::Attachment),
    ("AdditionalResults", Part::AdditionalResults),
    ("Callexe", Part::Callexe),
    ("MessagePopup", Part::MessagePopup),
];

/// The elements of a step, which are looked at once: most steps have few kinds of them.
struct Parts<'a, 'd>(Vec<(Part, Node<'a, 'd>)>);

impl<'a, 'd> Parts<'a, 'd> {
    fn of(step: Node<'a, 'd>) -> Self {
        let part = |element: Node<'_, '_>| {
            let name = element.tag_name().name();
            PARTS
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map_or(Part::Other, |(_, it)| *it)
        };
        Self(step.children().filter(Node::is_element).map(|element| (part(element), element)).collect())
    }

    fn all(&self, part: Part) -> impl Iterator<Item = Node<'a, 'd>> {
        self.0.iter().filter(move |(it, _)| *it == part).map(|(_, element)| *element)
    }

    /// Room for what is made of the elements of a kind, and no more: there may be very many steps.
    fn list<T>(&self, part: Part) -> List<T> {
        List::with_capacity(self.all(part).count())
    }

    fn first(&self, part: Part) -> Option<Node<'a, 'd>> {
        self.all(part).next()
    }
}

impl Reading<'_> {
    /// The steps directly below the report.
    pub(super) fn steps(&mut self, report: Node<'_, '_>) -> Result<Vec<Step>, ConvertError> {
        children(report, "Step").map(|step| self.step(step, 1)).collect()
    }

    fn step(&mut self, node: Node<'_, '_>, depth: usize) -> Result<Step, ConvertError> {
        // One level is kept for a root that may have to be made.
        if depth >= MAX_DEPTH {
            let problem = format!("steps are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_path(self.path.clone()));
        }
        let written = attribute(node, "StepType").unwrap_or_default();
        let name = attribute(node, "Name").or(attribute(node, "StepType")).unwrap_or("Step");
        let name = self.fit(name, 100, "step name");
        let mut step = Step::new(tree::step_type(written), name, Status::Passed);
        let parts = Parts::of(node);
        step.numeric_meas = self.numbers(node, &parts);
        step.boolean_meas = self.booleans(node, &parts);
        step.string_meas = self.strings(node, &parts);
        settle_type(&mut step);
        let mut nested = Vec::with_capacity(parts.all(Part::Step).count());
        for inner in parts.all(Part::Step) {
            nested.push(self.step(inner, depth + 1)?);
        }
        self.sequence(&parts, &mut step, nested);
        self.common(node, &parts, &mut step);
        self.settle_status(node, &mut step);
        step.rare = self.extras(node, &parts).into();
        Ok(step)
    }

    /// Children make a sequence only of steps that say so: wait steps may have some, too.
    fn sequence(&mut self, parts: &Parts<'_, '_>, step: &mut Step, nested: Vec<Step>) {
        let call = parts.first(Part::SequenceCall);
        if step.step_type.is_empty() {
            step.step_type =
                if call.is_some() || !nested.is_empty() { "SequenceCall" } else { "Action" }.into();
        }
        let is_sequence = step.step_type == "SequenceCall" || call.is_some();
        if is_sequence {
            let find = |name| call.and_then(|call| attribute(call, name));
            let own = step.name.as_str();
            let name = find("Filename").or(find("Name")).unwrap_or(own);
            let path = find("Filepath").or(find("Filename")).or(find("Name")).unwrap_or(own);
            step.seq_call = Some(Box::new(SequenceCall {
                path: Some(self.fit(path, 500, "sequence path")),
                name: Some(self.fit(name, 200, "sequence name")),
                version: Some(self.fit(find("Version").unwrap_or("1.0.0"), 30, "sequence version")),
                extra: Extra::new(),
            }));
        }
        if is_sequence || !nested.is_empty() {
            step.steps = Some(nested);
        }
    }

    /// A stated status is kept; else children or measurements decide, and a step without either is Done.
    fn settle_status(&mut self, node: Node<'_, '_>, step: &mut Step) {
        let word = attribute(node, "Status");
        if let Some(stated) = word.and_then(Status::from_word) {
            step.status = stated;
            return;
        }
        if let Some(word) = word {
            self.warn(format!("step {}: the status \"{word}\" is not known", step.name));
            verdict::add_text(step, &format!("Status {word}"));
        }
        let numeric = step.numeric_meas.iter().map(|m| m.status);
        let boolean = step.boolean_meas.iter().map(|m| m.status);
        let string = step.string_meas.iter().map(|m| m.status);
        let measured: Vec<Status> = numeric.chain(boolean).chain(string).collect();
        step.status = match (&step.steps, measured.as_slice()) {
            (Some(nested), []) => tree::rolled_up(nested),
            (None, []) => Status::Done,
            (_, [only]) => *only,
            (_, several) if several.contains(&Status::Error) => Status::Error,
            (_, several) if several.contains(&Status::Failed) => Status::Failed,
            _ => Status::Passed,
        };
    }

    fn common(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>, step: &mut Step) {
        step.id = self.whole(node, "Id");
        step.group = attribute(node, "Group").map_or(Group::Main, |written| {
            group(written).unwrap_or_else(|| {
                let other = written.to_ascii_lowercase();
                self.warn(format!("step {}: the group \"{other}\" is read as Main", step.name));
                Group::Main
            })
        });
        step.start = attribute(node, "Start").and_then(|at| {
            let time = time::parse(at, &self.input.station.time_zone);
            if time.is_none() {
                self.warn(format!("step {}: Start \"{at}\" is no time; left out", step.name));
            }
            time
        });
        step.tot_time = self.number(node, "total_time");
        step.error_code = self.whole(node, "StepErrorCode");
        let report_text = parts.first(Part::ReportText).and_then(xml::text);
        step.report_text = report_text.map(|text| self.fit(&text, 100_000, "report text"));
        step.ts_guid = owned(node, "TSGuid").map(Into::into);
        step.caused_seq_failure = boolean(node, "StepCausedSequenceFailure");
        step.caused_uut_failure = boolean(node, "StepCausedUUTFailure");
        step.loop_ = parts.first(Part::Loop).map(|turn| {
            Box::new(Loop {
                idx: self.whole(turn, "index").or_else(|| self.whole(turn, "idx")),
                num: self.whole(turn, "num"),
                ending_index: self.whole(turn, "ending_index"),
                passed: self.whole(turn, "passed"),
                failed: self.whole(turn, "failed"),
                extra: Extra::new(),
            })
        });
    }

    fn extras(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>) -> RareMembers {
        let mut rare = RareMembers {
            tot_time_format: owned(node, "total_timeFormat"),
            error_code_format: owned(node, "StepErrorCodeFormat"),
            error_message: self.short(node, "StepErrorMessage", 200),
            interactive_exe_num: self.whole(node, "InteractiveExeNum"),
            chart: parts.first(Part::Chart).map(|chart| Box::new(self.chart(chart))),
            additional_results: parts.all(Part::AdditionalResults).map(additional_data).collect(),
            ..RareMembers::default()
        };
        rare.call_exe = parts.first(Part::Callexe).map(|exe| {
            Box::new(CallExe {
                exit_code: self.number(exe, "ExitCode"),
                exit_code_format: owned(exe, "ExitCodeFormat"),
                extra: Extra::new(),
            })
        });
        rare.message_popup = parts.first(Part::MessagePopup).map(|popup| {
            Box::new(MessagePopup {
                response: self.short(popup, "Response", 200),
                button: self.whole(popup, "Button"),
                button_format: owned(popup, "ButtonFormat"),
                extra: Extra::new(),
            })
        });
        rare.attachment = parts.first(Part::Attachment).map(|file| {
            Box::new(Attachment {
                name: self.short(file, "Name", 100),
                content_type: owned(file, "ContentType"),
                data: base64(file),
                extra: Extra::new(),
            })
        });
        for other in parts.all(Part::Other) {
            // There is no place of its own for what a property loader did.
            if !is(other, "PropertyLoader") {
                self.unknown.add(other);
            }
            let name = other.tag_name().name();
            rare.additional_results.push(property::named(name, vec![property::of_element(other, 0)]));
        }
        rare
    }

    fn chart(&mut self, node: Node<'_, '_>) -> Chart {
        let series = children(node, "Series").map(|series| Series {
            data_type: Some(attribute(series, "DataType").unwrap_or("XYG").into()),
            name: owned(series, "Name"),
            xdata: child(series, "xdata").and_then(xml::text).map(points),
            ydata: child(series, "ydata").and_then(xml::text).map(points),
            extra: Extra::new(),
        });
        Chart {
            chart_type: Some(attribute(node, "ChartType").unwrap_or("Line").into()),
            series: series.collect(),
            label: self.short(node, "Label", 100).or_else(|| self.short(node, "PlotName", 100)),
            x_label: self.short(node, "XLabel", 50),
            x_unit: self.short(node, "XUnit", 20),
            y_label: self.short(node, "YLabel", 50),
            y_unit: self.short(node, "YUnit", 20),
            extra: Extra::new(),
        }
    }

    fn numbers(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>) -> List<NumericMeas> {
        let mut all = parts.list(Part::NumericLimit);
        for meas in parts.all(Part::NumericLimit) {
            let written = attribute(meas, "NumericValue").unwrap_or_default();
            let value = text::number(written).unwrap_or_else(|| {
                self.warn(format!("{}the value \"{written}\" is no number; NaN is sent", whose(meas)));
                f64::NAN
            });
            let operator = attribute(meas, "CompOperator").unwrap_or_default();
            let low = self.number(meas, "LowLimit").map(|limit| limit.get());
            let high = self.number(meas, "HighLimit").map(|limit| limit.get());
            let (comp_op, low, high) = tree::limits(operator, low, high);
            let computed = tree::numeric(&comp_op, value, low, high);
            all.push(NumericMeas {
                comp_op,
                name: self.short(meas, "Name", 100),
                status: stated(meas, node, computed),
                unit: self.short(meas, "Units", 20),
                value: Double::new(value),
                high_limit: high.map(Double::new),
                low_limit: low.map(Double::new),
                formats: Formats {
                    value: owned(meas, "NumericValueFormat"),
                    high_limit: owned(meas, "HighLimitFormat"),
                    low_limit: owned(meas, "LowLimitFormat"),
                }
                .boxed(),
                extra: Extra::new(),
            });
        }
        all
    }

    fn booleans(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>) -> List<BooleanMeas> {
        let mut all = parts.list(Part::PassFail);
        for meas in parts.all(Part::PassFail) {
            all.push(BooleanMeas {
                name: self.short(meas, "Name", 100),
                status: stated(meas, node, Status::Passed),
                extra: Extra::new(),
            });
        }
        all
    }

    fn strings(&mut self, node: Node<'_, '_>, parts: &Parts<'_, '_>) -> List<StringMeas> {
        let mut all = parts.list(Part::StringValue);
        for meas in parts.all(Part::StringValue) {
            // White space counts in what was measured: the raw attribute, not the trimmed one.
            let raw = |name: &str| meas.attribute(name).or_else(|| attribute(meas, name));
            let value = raw("StringValue").unwrap_or_default();
            let limit = raw("StringLimit").filter(|limit| !limit.is_empty());
            let operator = tree::string_operator(attribute(meas, "CompOperator").unwrap_or_default(), limit);
            let computed = tree::string(operator, value, limit.unwrap_or_default());
            all.push(StringMeas {
                comp_op: operator.into(),
                name: self.short(meas, "Name", 100),
                status: stated(meas, node, computed),
                value: Some(self.fit(value, 100, "text value")),
                limit: limit.map(|limit| self.fit(limit, 100, "text limit")),
                extra: Extra::new(),
            });
        }
        all
    }
}

/// The measurement's own status; else that of its step where it fits a measurement; else the computed one.
fn stated(measurement: Node<'_, '_>, step: Node<'_, '_>, computed: Status) -> Status {
    let read = |node| attribute(node, "Status").and_then(Status::from_word);
    let of_step = || read(step).filter(|status| matches!(status, Status::Passed | Status::Failed));
    read(measurement).or_else(of_step).unwrap_or(computed)
}

/// Several measurements make the step a multiple one, whatever its type says.
fn settle_type(step: &mut Step) {
    let several = step.numeric_meas.len().max(step.boolean_meas.len()).max(step.string_meas.len()) > 1;
    let pairs = [("ET_NLT", "ET_MNLT"), ("ET_PFT", "ET_MPFT"), ("ET_SVT", "ET_MSVT")];
    let data = [!step.numeric_meas.is_empty(), !step.boolean_meas.is_empty(), !step.string_meas.is_empty()];
    for ((single, multiple), present) in pairs.into_iter().zip(data) {
        if present && (step.step_type == single || step.step_type.is_empty()) {
            step.step_type = if several { multiple } else { single }.into();
        }
    }
}

fn boolean(node: Node<'_, '_>, name: &str) -> Option<bool> {
    let written = attribute(node, name)?;
    let is = |words: [&str; 2]| words.iter().any(|it| it.eq_ignore_ascii_case(written));
    is(["true", "1"]).then_some(true).or_else(|| is(["false", "0"]).then_some(false))
}

fn group(written: &str) -> Option<Group> {
    let is = |words: [&str; 2]| words.iter().any(|it| it.eq_ignore_ascii_case(written));
    match () {
        () if is(["main", "m"]) => Some(Group::Main),
        () if is(["setup", "s"]) => Some(Group::Setup),
        () if is(["cleanup", "c"]) => Some(Group::Cleanup),
        () => None,
    }
}

/// The points of a series with at least one decimal each; what is no list of numbers is kept as it is.
fn points(written: Text) -> Text {
    tree::points(&written).map_or(written, Into::into)
}
