//! Results of steps, `TEResult`, and the steps below them.

use roxmltree::Node;
use wats::report::{Double, Extra, SequenceCall, Status, Step};
use wats::wsjf::MAX_DEPTH;

use super::unit::Clock;
use super::{Reading, props};
use crate::kit::{build, loops, teststand, tree, verdict, xml};
use crate::{ConvertError, ErrorKind};

impl Reading<'_> {
    /// A result as a step. One that measured and also called a sequence, or has actions after it, becomes two of one
    /// name: what it measured, and the sequence call.
    pub(super) fn step(
        &mut self,
        result: Node<'_, '_>,
        clock: Option<&Clock>,
        depth: usize,
    ) -> Result<Vec<Step>, ConvertError> {
        if depth + 1 >= MAX_DEPTH {
            let problem = format!("steps are nested more than {MAX_DEPTH} deep");
            return Err(ConvertError::new(ErrorKind::TooLarge, problem).at_path(xml::path(result)));
        }
        let kind = props::text(result, "TS.StepType").unwrap_or_default();
        let name = props::text(result, "TS.StepName")
            .unwrap_or_else(|| if kind.is_empty() { "Step".into() } else { kind.clone() });
        let word = props::text(result, "Status");
        let stated = word.as_deref().and_then(Status::from_word).filter(|it| *it != Status::Unknown);
        let status = stated.unwrap_or(Status::Done);

        let mut step =
            Step::new(if kind.is_empty() { "Action" } else { tree::step_type(&kind) }, name, status);
        if status != Status::Skipped {
            self.data(result, &mut step);
        }
        if let (Some(word), None) = (&word, stated) {
            self.warnings.push(format!(
                "step {}: the status \"{word}\" is not known; read as Done, or as its steps give it",
                step.name
            ));
            verdict::add_text(&mut step, &format!("Status {word}"));
        }
        common(result, clock, &mut step);
        let measured =
            !(step.numeric_meas.is_empty() && step.string_meas.is_empty() && step.boolean_meas.is_empty());

        let call = props::find(result, "TS.SequenceCall");
        let after = self.list(props::find(result, "TS.PostAction"), clock, depth)?;
        let mut steps = self.list(call, clock, depth)?;
        let is_call = call.is_some() || !after.is_empty();
        if !is_call {
            // The summary of a loop of sequence calls has none of its own, but stands for those of the turns.
            if step.loop_.is_some() && step.step_type == "SequenceCall" {
                step.seq_call = build::sequence(&step.name, &step.name, "1.0.0", Vec::new()).seq_call;
            }
            verdict::agree(&mut step, &mut self.warnings);
            return Ok(vec![step]);
        }
        steps.extend(after);
        loops::settle(&mut steps, &mut self.warnings);
        let text = |path: &str| call.and_then(|it| props::text(it, path));
        let sequence = text("Sequence").unwrap_or_else(|| step.name.clone());
        let seq_call = Some(Box::new(SequenceCall {
            path: Some(text("SequenceFile").unwrap_or_else(|| sequence.clone())),
            name: Some(sequence),
            version: Some(text("SequenceFileVersion").unwrap_or_else(|| "1.0.0".into())),
            extra: Extra::new(),
        }));
        // A status that is not stated, or not known, is that of the steps.
        let status = stated.unwrap_or_else(|| tree::rolled_up(&steps));
        if !measured && step.rare.chart.is_none() && step.rare.attachment.is_none() {
            let step_type = "SequenceCall".to_owned();
            return Ok(vec![Step {
                step_type: step_type.into(),
                status,
                seq_call,
                steps: Some(steps),
                ..step
            }]);
        }
        let sequence = Step {
            group: step.group,
            start: step.start.clone(),
            tot_time: step.tot_time,
            seq_call,
            steps: Some(steps),
            ..Step::new("SequenceCall", step.name.clone(), status)
        };
        verdict::agree(&mut step, &mut self.warnings);
        Ok(vec![step, sequence])
    }

    /// The results in the `ResultList` of a call or of actions after a step.
    fn list(
        &mut self,
        parent: Option<Node<'_, '_>>,
        clock: Option<&Clock>,
        depth: usize,
    ) -> Result<Vec<Step>, ConvertError> {
        let mut steps = Vec::new();
        let list = parent.and_then(|it| props::find(it, "ResultList"));
        for result in list.into_iter().flat_map(props::objects) {
            steps.extend(self.step(result, clock, depth + 1)?);
        }
        Ok(steps)
    }
}

/// What every result has about its step.
fn common(result: Node<'_, '_>, clock: Option<&Clock>, step: &mut Step) {
    let Some(ts) = props::find(result, "TS") else { return };
    step.group = props::text(ts, "StepGroup").and_then(|it| teststand::group(&it)).unwrap_or_default();
    step.tot_time = props::number(ts, "TotalTime").filter(|it| *it >= 0.0).map(Double::new);
    step.start = props::number(ts, "StartTime").and_then(|seconds| clock?.at(seconds));
    step.ts_guid = props::text(ts, "StepId").map(Into::into);
    step.caused_seq_failure = props::is_true(ts, "StepCausedSequenceFailure").then_some(true);
    step.rare.set(|rare| &mut rare.interactive_exe_num, props::whole(ts, "InteractiveExeNum"));
    let code = props::whole(result, "Error.Code").filter(|code| *code != 0);
    let message = props::text(result, "Error.Msg");
    if code.is_some() || message.is_some() || props::is_true(result, "Error.Occurred") {
        step.error_code = code;
        step.rare.set(|rare| &mut rare.error_message, message);
    }
    teststand::set_turn(step, teststand::turn(|name| props::number(ts, name)));
}
