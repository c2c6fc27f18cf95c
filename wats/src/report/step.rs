//! The step tree: what was done and measured.

use serde::{Deserialize, Serialize};

use super::{Double, Extra, List, Rare, Status, Text, Time};

/// One node of the tree.
///
/// What data a step carries decides what it is: `step_type` only selects an icon. Children may stand under
/// any step, because genuine exports hold them under wait steps as well. What most steps do not have stands in a box: there
/// may be very many steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Unique within the report; numbered in document order from 1 by exports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// Setup, main or cleanup.
    pub group: Group,
    /// An open set: `SequenceCall`, `ET_NLT`, `NI_Wait` …
    pub step_type: Text,
    /// At most 100 characters; unique among siblings, iterations of a loop excepted.
    pub name: Text,
    /// Any of the statuses; with one measurement, that of the measurement.
    pub status: Status,
    /// When the step began, with its offset from UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Time>,
    /// Seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tot_time: Option<Double>,
    /// The error's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<i32>,
    /// Free text with LF line ends, at most 100 000 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report_text: Option<Text>,
    /// TestStand's id of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ts_guid: Option<Box<str>>,
    /// True when the step made its sequence fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caused_seq_failure: Option<bool>,
    /// The first step in which this is true is shown as the cause of the failure.
    #[serde(rename = "causedUUTFailure", skip_serializing_if = "Option::is_none")]
    pub caused_uut_failure: Option<bool>,
    /// Marks a loop's summary and its iterations.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub loop_: Option<Box<Loop>>,
    /// Present in containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_call: Option<Box<SequenceCall>>,
    /// Children. `None` and an empty list are told apart, because exports do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
    /// Numbers with limits.
    #[serde(skip_serializing_if = "List::is_empty")]
    pub numeric_meas: List<NumericMeas>,
    /// Texts with the expected text.
    #[serde(skip_serializing_if = "List::is_empty")]
    pub string_meas: List<StringMeas>,
    /// Pass/fail measurements.
    #[serde(skip_serializing_if = "List::is_empty")]
    pub boolean_meas: List<BooleanMeas>,
    /// What most steps do not have.
    #[serde(flatten)]
    pub rare: Rare,
}

/// The part of a sequence that a step belongs to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Group {
    /// Before the test.
    #[serde(rename = "S")]
    Setup,
    /// The test itself.
    #[default]
    #[serde(rename = "M")]
    Main,
    /// After the test, whatever its outcome.
    #[serde(rename = "C")]
    Cleanup,
}

/// Marks a step as part of a loop: the summary carries the counts, each iteration its `idx`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Loop {
    /// Index of the iteration, from 0; `None` in the summary.
    #[serde(default)]
    pub idx: Option<i32>,
    /// Summary: number of iterations.
    #[serde(default)]
    pub num: Option<i32>,
    /// Summary: the highest `idx`.
    #[serde(default)]
    pub ending_index: Option<i32>,
    /// Summary: iterations that passed.
    #[serde(default)]
    pub passed: Option<i32>,
    /// Summary: iterations that failed.
    #[serde(default)]
    pub failed: Option<i32>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// What a sequence step called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SequenceCall {
    /// File path, at most 500 characters.
    #[serde(default)]
    pub path: Option<Text>,
    /// At most 200 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// At most 30 characters.
    #[serde(default)]
    pub version: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A number with its limits.
///
/// The limit of a one-limit operator stands in `low_limit`, that of LT and LE included.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NumericMeas {
    /// `LOG`, `EQ`, `GELE` …
    pub comp_op: Text,
    /// Required and unique when a step has several; `None` when it has one.
    pub name: Option<Text>,
    /// Passed, Failed or Skipped.
    pub status: Status,
    /// At most 20 characters.
    pub unit: Option<Text>,
    /// NaN and the infinities are allowed.
    pub value: Double,
    /// Only for operators with two limits.
    pub high_limit: Option<Double>,
    /// The lower limit, or the only one.
    pub low_limit: Option<Double>,
    /// How to display the numbers.
    #[serde(flatten)]
    pub formats: Option<Box<Formats>>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// How to display the numbers of a measurement, as TestStand writes it; without effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Formats {
    /// That of the value.
    #[serde(rename = "valueFormat", skip_serializing_if = "Option::is_none")]
    pub value: Option<Text>,
    /// That of the higher limit.
    #[serde(rename = "highLimitFormat", skip_serializing_if = "Option::is_none")]
    pub high_limit: Option<Text>,
    /// That of the lower limit.
    #[serde(rename = "lowLimitFormat", skip_serializing_if = "Option::is_none")]
    pub low_limit: Option<Text>,
}

impl Formats {
    /// `None` where there is none.
    pub fn boxed(self) -> Option<Box<Self>> {
        let any = self.value.is_some() || self.high_limit.is_some() || self.low_limit.is_some();
        any.then(|| Box::new(self))
    }
}

/// A text with the text that was expected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StringMeas {
    /// `LOG`, `EQ`, `NE`, `CASESENSIT`, `IGNORECASE`; case does not matter on reading.
    #[serde(default)]
    pub comp_op: Text,
    /// Required and unique when a step has several; at most 100 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// Passed, Failed or Skipped.
    pub status: Status,
    /// At most 100 characters.
    #[serde(default)]
    pub value: Option<Text>,
    /// The expected text, at most 100 characters.
    #[serde(default)]
    pub limit: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A pass/fail measurement: its status is its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BooleanMeas {
    /// Required and unique when a step has several; at most 100 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// Passed, Failed or Skipped.
    pub status: Status,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A program that was run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallExe {
    /// What the program returned.
    #[serde(default)]
    pub exit_code: Option<Double>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code_format: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A question to the operator, with the answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessagePopup {
    /// What the operator typed, at most 200 characters.
    #[serde(default)]
    pub response: Option<Text>,
    /// Index of the button that was pressed.
    #[serde(default)]
    pub button: Option<i32>,
    /// How to display the number, as TestStand writes it; without effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button_format: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Curves: at most 10 series of at most 10 000 points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chart {
    /// `Line`, `LineLogXY`, `LineLogX`, `LineLogY`.
    #[serde(default)]
    pub chart_type: Option<Text>,
    /// Title, at most 100 characters.
    #[serde(default)]
    pub label: Option<Text>,
    /// At most 50 characters.
    #[serde(default)]
    pub x_label: Option<Text>,
    /// At most 20 characters.
    #[serde(default)]
    pub x_unit: Option<Text>,
    /// At most 50 characters.
    #[serde(default)]
    pub y_label: Option<Text>,
    /// At most 20 characters.
    #[serde(default)]
    pub y_unit: Option<Text>,
    /// The curves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<Series>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One curve. Numbers are joined by `;`, with a decimal point.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Series {
    /// `XYG`.
    #[serde(default)]
    pub data_type: Option<Text>,
    /// At most 100 characters.
    #[serde(default)]
    pub name: Option<Text>,
    /// `None`: 0, 1, 2 …
    #[serde(default)]
    pub xdata: Option<Text>,
    /// As many points as `xdata`.
    #[serde(default)]
    pub ydata: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A file that hangs on a step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// File name; 100 characters are safe.
    #[serde(default)]
    pub name: Option<Text>,
    /// MIME type.
    #[serde(default)]
    pub content_type: Option<Text>,
    /// Base64.
    #[serde(default)]
    pub data: Option<Text>,
    /// Members that the model does not know.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Step {
    /// A step without data.
    pub fn new(step_type: impl Into<Text>, name: impl Into<Text>, status: Status) -> Self {
        Self {
            id: None,
            group: Group::Main,
            step_type: step_type.into(),
            name: name.into(),
            status,
            start: None,
            tot_time: None,
            error_code: None,
            report_text: None,
            ts_guid: None,
            caused_seq_failure: None,
            caused_uut_failure: None,
            loop_: None,
            seq_call: None,
            steps: None,
            numeric_meas: List::new(),
            string_meas: List::new(),
            boolean_meas: List::new(),
            rare: Rare::new(),
        }
    }

    /// A sequence call without children, named after itself, version 1.0.0.
    pub fn sequence(name: impl Into<Text>) -> Self {
        let name = name.into();
        let call = SequenceCall {
            path: Some(name.clone()),
            name: Some(name.clone()),
            version: Some("1.0.0".into()),
            extra: Extra::new(),
        };
        Self {
            seq_call: Some(Box::new(call)),
            steps: Some(Vec::new()),
            ..Self::new("SequenceCall", name, Status::Passed)
        }
    }

    /// The children, none included.
    pub fn children(&self) -> &[Step] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// This step and everything below it, in document order.
    pub fn walk(&self) -> impl Iterator<Item = &Step> {
        let mut stack = vec![self];
        std::iter::from_fn(move || {
            let step = stack.pop()?;
            stack.extend(step.children().iter().rev());
            Some(step)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report may have hundreds of thousands of these, and a worker has them all in memory.
    #[test]
    fn steps_and_numbers_stay_small() {
        assert_eq!((size_of::<Step>(), size_of::<NumericMeas>()), (208, 120));
    }
}
