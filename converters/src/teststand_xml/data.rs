//! What a step measured or did.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use wats::report::{
    Attachment, BooleanMeas, CallExe, Double, Extra, MessagePopup, NumericMeas, Status, Step, StringMeas,
    Text,
};

use super::{Reading, chart, props};
use crate::kit::xml::{attribute, children};
use crate::kit::{build, property, teststand, tree, verdict};

/// Properties of a result that are read, or that say nothing of the unit.
const KNOWN: &[&str] = &[
    "Error",
    "Status",
    "ReportText",
    "Common",
    "TS",
    "Numeric",
    "Units",
    "Limits",
    "RawLimits",
    "Comp",
    "PassFail",
    "String",
    "Measurement",
    "Chart",
    "ButtonHit",
    "Response",
    "ExitCode",
    "AttachedFileData",
    "XMLString",
    "AdditionalResults",
    "ThresholdType",
];

impl Reading<'_> {
    pub(super) fn data(&mut self, result: Node<'_, '_>, step: &mut Step) {
        if let Some(text) = props::raw(result, "ReportText").filter(|text| !text.trim().is_empty()) {
            verdict::add_text(step, &text);
        }
        self.measurements(result, step);
        if let Some(chart) = props::find(result, "Chart") {
            let chart = chart::read(chart, &step.name, &mut self.warnings).map(Box::new);
            step.rare.set(|rare| &mut rare.chart, chart);
        }
        let button = props::whole(result, "ButtonHit");
        let response = props::text(result, "Response");
        if button.is_some() || response.is_some() {
            step.rare.message_popup =
                Some(Box::new(MessagePopup { response, button, button_format: None, extra: Extra::new() }));
        }
        if let Some(code) = props::number(result, "ExitCode") {
            step.rare.call_exe = Some(Box::new(CallExe {
                exit_code: Some(Double::new(code)),
                exit_code_format: None,
                extra: Extra::new(),
            }));
        }
        self.files(result, step);
        if let Some(results) = props::find(result, "AdditionalResults").filter(|it| !props::is_empty(*it)) {
            for inner in children(results, "Prop").chain(props::objects(results)) {
                let name = attribute(inner, "Name").unwrap_or("AdditionalResults");
                step.rare.additional_results.push(property::named(name, vec![props::property(inner, 0)]));
            }
        }
        for other in children(result, "Prop").filter(|it| !props::is_empty(*it)) {
            let name = attribute(other, "Name").unwrap_or_default();
            if KNOWN.contains(&name) {
                continue;
            }
            // Property loaders have these; there is no place of their own for them.
            if !["NumPropertiesRead", "NumPropertiesApplied"].contains(&name) {
                self.unknown.add_as(name, other);
            }
            step.rare.additional_results.push(property::named(name, vec![props::property(other, 0)]));
        }
    }

    fn measurements(&mut self, result: Node<'_, '_>, step: &mut Step) {
        let status = if step.status == Status::Failed { Status::Failed } else { Status::Passed };
        let list = props::find(result, "Measurement").map(|list| props::objects(list).collect::<Vec<_>>());
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            self.several(&list, step);
        } else if props::find(result, "Numeric").is_some() {
            let value = self.number(result, "Numeric", &step.name);
            step.numeric_meas.push(numeric(result, None, value, status));
        } else if let Some(value) = props::raw(result, "String") {
            let limit = props::raw(result, "Limits.String").map(|limit| limit.into_owned());
            step.string_meas.push(string(result, None, value.into_owned(), limit.map(Into::into), status));
        } else if props::find(result, "PassFail").is_some() {
            step.boolean_meas.push(BooleanMeas { name: None, status, extra: Extra::new() });
        } else {
            return;
        }
        let one =
            |several: bool, single: &str, multiple: &str| if several { multiple } else { single }.to_owned();
        let kinds = [
            (step.numeric_meas.len(), "ET_NLT", "ET_MNLT"),
            (step.string_meas.len(), "ET_SVT", "ET_MSVT"),
            (step.boolean_meas.len(), "ET_PFT", "ET_MPFT"),
        ];
        // A type of the customer's own is kept.
        let usual = ["ET_", "NI_MultipleNumericLimitTest", "WATS_XYGMNLT", "SequenceCall", "Action"];
        let kind = kinds.into_iter().find(|(count, ..)| *count > 0);
        if let Some((count, single, multiple)) = kind
            && usual.iter().any(|usual| step.step_type.starts_with(usual))
        {
            step.step_type = one(count > 1, single, multiple).into();
        }
    }

    /// The measurements of a step with several; a status that is not known counts as failed.
    fn several(&mut self, list: &[Node<'_, '_>], step: &mut Step) {
        let single = list.len() == 1;
        let mut names = build::Names::default();
        let mut others = Vec::new();
        for entry in list {
            let name = attribute(*entry, "Name").map(ToOwned::to_owned);
            let name = props::text(*entry, "MeasName").or(name.map(Into::into)).unwrap_or_default();
            let name = (!single).then(|| names.unique(&name));
            let status = match props::text(*entry, "Status").as_deref().and_then(Status::from_word) {
                Some(Status::Passed | Status::Done) => Status::Passed,
                Some(Status::Skipped) => Status::Skipped,
                _ => Status::Failed,
            };
            if props::find(*entry, "Data").is_some() {
                let value = self.number(*entry, "Data", &step.name);
                step.numeric_meas.push(numeric(*entry, name.as_deref(), value, status));
            } else if let Some(value) = props::raw(*entry, "StringData") {
                let limit = props::raw(*entry, "StringLimit").or_else(|| props::raw(*entry, "Limits.String"));
                let limit = limit.map(|limit| limit.into_owned());
                step.string_meas.push(string(
                    *entry,
                    name,
                    value.into_owned(),
                    limit.map(Into::into),
                    status,
                ));
            } else if props::find(*entry, "PassFail").is_some() {
                step.boolean_meas.push(BooleanMeas { name, status, extra: Extra::new() });
            } else {
                others.push(props::property(*entry, 0));
            }
        }
        // A step has one kind of measurements; what is of another is kept beside it.
        if !step.numeric_meas.is_empty() {
            others.extend(step.string_meas.drain(..).map(|it| {
                property::value(&it.name.unwrap_or_default(), "String", &it.value.unwrap_or_default())
            }));
        }
        if !(step.numeric_meas.is_empty() && step.string_meas.is_empty()) {
            others.extend(
                step.boolean_meas
                    .drain(..)
                    .map(|it| property::value(&it.name.unwrap_or_default(), "Bool", it.status.word())),
            );
        }
        if !others.is_empty() {
            self.warnings.push(format!(
                "step {}: {} measurements are of no kind that goes with the others; kept as additional results",
                step.name,
                others.len()
            ));
            step.rare.additional_results.push(property::named("Measurement", others));
        }
        let names = step.numeric_meas.iter_mut().map(|it| &mut it.name);
        let names = names.chain(step.string_meas.iter_mut().map(|it| &mut it.name));
        let mut names: Vec<_> = names.chain(step.boolean_meas.iter_mut().map(|it| &mut it.name)).collect();
        if let [only] = names.as_mut_slice() {
            **only = None;
        }
    }

    fn number(&mut self, node: Node<'_, '_>, path: &str, step: &str) -> f64 {
        props::number(node, path).unwrap_or_else(|| {
            let written = props::text(node, path).unwrap_or_default();
            self.warnings.push(format!("step {step}: the value \"{written}\" is no number; NaN is sent"));
            f64::NAN
        })
    }

    /// Attached files are on the tester; a text that was attached is here.
    fn files(&mut self, result: Node<'_, '_>, step: &mut Step) {
        if let Some(file) = props::find(result, "AttachedFileData") {
            let name = props::text(file, "FileName").or_else(|| props::text(file, "FullFileName"));
            if let Some(name) = name {
                self.warnings
                    .push(format!("step {}: the attached file {name} is not in the report", step.name));
                verdict::add_text(step, &format!("Attached file: {name}"));
            }
        }
        let Some(text) = props::raw(result, "XMLString").filter(|text| !text.trim().is_empty()) else {
            return;
        };
        if step.rare.chart.is_some() {
            step.rare
                .additional_results
                .push(property::named("XMLString", vec![property::value("XMLString", "String", &text)]));
            return;
        }
        step.rare.attachment = Some(Box::new(Attachment {
            name: Some("stepdata.xml".into()),
            content_type: Some("text/xml".into()),
            data: Some(STANDARD.encode(text.as_bytes()).into()),
            extra: Extra::new(),
        }));
    }
}

/// A number with its limits.
fn numeric(node: Node<'_, '_>, name: Option<&str>, value: f64, status: Status) -> NumericMeas {
    let limit = |path: &str| props::number(node, path).filter(|it| !it.is_nan());
    let written = props::text(node, "Comp").unwrap_or_default();
    let (low, high) = (limit("Limits.Low"), limit("Limits.High"));
    let around = if written.eq_ignore_ascii_case("EQT") { threshold(node) } else { None };
    let (comp_op, low, high) = match around {
        Some((low, high)) => tree::limits("GELE", Some(low), Some(high)),
        None if written.eq_ignore_ascii_case("EQT") => {
            tree::limits("EQ", limit("Limits.Nominal").or(low), None)
        }
        None => tree::limits(&written, low, high),
    };
    let unit = props::text(node, "Units").unwrap_or_default();
    NumericMeas {
        comp_op,
        low_limit: low.map(Double::new),
        high_limit: high.map(Double::new),
        ..build::number(name, status, value, &unit, (None, None))
    }
}

/// Limits around a nominal value: from the raw limits where they are written, else from the limits themselves.
fn threshold(node: Node<'_, '_>) -> Option<(f64, f64)> {
    let places = ["Limits.ThresholdType", "RawLimits.ThresholdType", "ThresholdType"];
    let kind = places.iter().find_map(|path| props::text(node, path))?;
    ["RawLimits", "Limits"].iter().find_map(|place| {
        let limits = props::find(node, place)?;
        let number = |name: &str| props::number(limits, name);
        teststand::threshold(&kind, number("Nominal")?, number("Low")?, number("High")?)
    })
}

/// A text with its limit.
fn string(
    node: Node<'_, '_>,
    name: Option<Text>,
    value: String,
    limit: Option<Text>,
    status: Status,
) -> StringMeas {
    let written = props::text(node, "Comp").unwrap_or_default();
    let comp_op = match written.to_ascii_uppercase().as_str() {
        "CASEINSENSITIVE" => "IGNORECASE",
        _ => tree::string_operator(&written, limit.as_deref()),
    };
    StringMeas {
        comp_op: comp_op.into(),
        name,
        status,
        value: Some(value.into()),
        limit: limit.filter(|_| comp_op != "LOG"),
        extra: Extra::new(),
    }
}
