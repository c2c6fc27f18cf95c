//! Documented rules for single members: what is required, how long a text and how large a number may be.
//!
//! A server states these limits in its description of the format; the wording of the answers is ours, because no
//! genuine one is known.

use super::Found;
use crate::report::*;

/// Fractions of seconds aside, a server counts in 16 bits where it says `int16`.
const INT16: std::ops::RangeInclusive<i32> = -32768..=32767;
const SERIES: usize = 10;
const POINTS: usize = 10_000;
const OPERATORS: &[&str] = &[
    "LOG", "EQ", "NE", "GT", "GE", "LT", "LE", "GTLT", "GTLE", "GELT", "GELE", "LTGT", "LTGE", "LEGT", "LEGE",
];
const TEXT_OPERATORS: &[&str] = &["LOG", "EQ", "NE", "CASESENSIT", "IGNORECASE"];

impl Found {
    fn length(&mut self, path: &str, name: &str, text: Option<&Text>, most: usize) {
        // Bytes are never fewer than characters, and counting is for the long ones.
        if text.is_some_and(|text| text.len() > most && text.chars().count() > most) {
            self.add(path, format!("{name} is longer than {most} characters"));
        }
    }

    fn lengths(&mut self, path: &str, texts: &[(&str, &Option<Text>, usize)]) {
        for (name, text, most) in texts {
            self.length(path, name, text.as_ref(), *most);
        }
    }

    fn int16(&mut self, path: &str, name: &str, value: Option<i32>) {
        if value.is_some_and(|value| !INT16.contains(&value)) {
            self.add(path, format!("{name} must be a whole number from -32768 to 32767"));
        }
    }

    fn not_negative(&mut self, path: &str, name: &str, value: Option<Double>) {
        if value.is_some_and(|value| value.get() < 0.0 || value.get().is_nan()) {
            self.add(path, format!("{name} cannot be negative"));
        }
    }

    fn required(&mut self, path: &str, name: &str, present: bool) {
        if !present {
            self.add(path, format!("{name} is required"));
        }
    }

    /// Everything beside the steps.
    pub(super) fn header_members(&mut self, report: &Report) {
        self.int16("processCode", "The value", report.process_code);
        if let Some(uut) = &report.uut {
            self.lengths(
                "uut",
                &[
                    ("user", &uut.user, 100),
                    ("batchSN", &uut.batch_sn, 100),
                    ("comment", &uut.comment, 5000),
                    ("errorMessage", &uut.error_message, 500),
                    ("fixtureId", &uut.fixture_id, 100),
                ],
            );
            self.int16("uut", "testSocketIndex", uut.test_socket_index);
            self.not_negative("uut", "execTime", uut.exec_time);
        }
        for (index, info) in report.misc_infos.iter().enumerate() {
            let path = format!("miscInfos -> Index {index}");
            self.required(&path, "description", is_set(&info.description));
            self.required(&path, "text or numeric", info.text.is_some() || info.numeric.is_some());
            self.lengths(
                &path,
                &[
                    ("description", &info.description, 100),
                    ("text", &info.text, 100),
                    ("typedef", &info.typedef, 30),
                ],
            );
            self.int16(&path, "numeric", info.numeric);
        }
        for (index, asset) in report.assets.iter().enumerate() {
            let path = format!("assets -> Index {index}");
            self.required(&path, "assetSN", is_set(&asset.asset_sn));
            self.length(&path, "assetSN", asset.asset_sn.as_ref(), 100);
            self.required(&path, "usageCount", asset.usage_count.is_some());
        }
        for (index, unit) in report.sub_units.iter().enumerate() {
            self.sub_unit(&format!("subUnits -> Index {index}"), unit);
        }
        self.additional("additionalData", &report.additional_data);
        match report.report_type {
            ReportType::Repair => self.repair(report),
            ReportType::Test if !report.binary_data.is_empty() => {
                self.add("binaryData", "Files are allowed only in a repair report");
            }
            ReportType::Test => {}
        }
    }

    fn sub_unit(&mut self, path: &str, unit: &SubUnit) {
        for (name, text) in [("partType", &unit.part_type), ("pn", &unit.pn), ("sn", &unit.sn)] {
            self.required(path, name, is_set(text));
        }
        self.lengths(
            path,
            &[
                ("partType", &unit.part_type, 50),
                ("pn", &unit.pn, 100),
                ("sn", &unit.sn, 100),
                ("rev", &unit.rev, 100),
            ],
        );
        self.int16(path, "position", unit.position);
        for (index, failure) in unit.failures.iter().flatten().enumerate() {
            let path = format!("{path} -> failures -> Index {index}");
            self.required(&path, "category", is_set(&failure.category));
            self.required(&path, "code", is_set(&failure.code));
            self.lengths(
                &path,
                &[
                    ("comRef", &failure.com_ref, 50),
                    ("funcBlock", &failure.func_block, 100),
                    ("artNumber", &failure.art_number, 100),
                    ("artRev", &failure.art_rev, 100),
                    ("artVendor", &failure.art_vendor, 500),
                    ("artDescription", &failure.art_description, 500),
                ],
            );
            self.files(&format!("{path} -> attachments"), failure.attachments.iter().flatten());
        }
    }

    /// A unit 0 that is the repaired one, units that exist, and what only a repair must have.
    fn repair(&mut self, report: &Report) {
        if report.root.is_some() || report.uut.is_some() {
            self.add("uur", "A repair report cannot have uut or root");
        }
        if let Some(uur) = &report.uur {
            self.required("uur", "user", uur.user.is_some());
            self.required("uur", "processCode", uur.process_code.is_some());
            self.required("uur", "confirmDate", uur.confirm_date.is_some());
            self.required("uur", "finalizeDate", uur.finalize_date.is_some());
            self.required("uur", "execTime", uur.exec_time.is_some());
            for (name, time) in [("confirmDate", &uur.confirm_date), ("finalizeDate", &uur.finalize_date)] {
                if time.as_ref().is_some_and(|time| time.instant().is_none()) {
                    self.add("uur", format!("{name} is no date with an offset"));
                }
            }
            self.int16("uur", "processCode", uur.process_code);
            self.not_negative("uur", "execTime", uur.exec_time);
            self.lengths("uur", &[("user", &uur.user, 100), ("comment", &uur.comment, 5000)]);
        }
        let mut seen = std::collections::HashSet::new();
        for (index, unit) in report.sub_units.iter().enumerate() {
            let path = format!("subUnits -> Index {index}");
            match unit.idx {
                None => self.add(&path, "idx is required"),
                Some(idx) if !seen.insert(idx) => {
                    self.add(&path, format!("idx {idx} is required to be unique"))
                }
                Some(_) => {}
            }
        }
        if !report.sub_units.is_empty() && !seen.contains(&0) {
            self.add("subUnits", "The repaired unit, with idx 0, is required");
        }
        for (index, unit) in report.sub_units.iter().enumerate() {
            let others = [("parentIdx", unit.parent_idx), ("replacedIdx", unit.replaced_idx)];
            for (name, other) in others {
                if other.is_some_and(|other| !seen.contains(&other)) {
                    self.add(&format!("subUnits -> Index {index}"), format!("{name} names no unit"));
                }
            }
        }
        self.files("binaryData", report.binary_data.iter());
    }

    fn files<'a>(&mut self, path: &str, files: impl Iterator<Item = &'a BinaryData>) {
        for (index, file) in files.enumerate() {
            let path = format!("{path} -> Index {index}");
            for (name, text) in
                [("name", &file.name), ("contentType", &file.content_type), ("data", &file.data)]
            {
                self.required(&path, name, is_set(text));
            }
            self.length(&path, "contentType", file.content_type.as_ref(), 100);
        }
    }

    fn additional(&mut self, path: &str, all: &[AdditionalData]) {
        for (index, data) in all.iter().enumerate() {
            let path = format!("{path} -> Index {index}");
            self.required(&path, "name", is_set(&data.name));
            self.length(&path, "name", data.name.as_ref(), 200);
        }
    }

    /// The members of one step, its measurements and its data.
    pub(super) fn step_members(&mut self, path: &str, step: &Step) {
        if step.name.trim().is_empty() {
            self.add(path, "name is required");
        }
        self.length(path, "name", Some(&step.name), 100);
        self.length(path, "stepType", Some(&step.step_type), 100);
        self.length(path, "errorMessage", step.rare.error_message.as_ref(), 200);
        self.length(path, "reportText", step.report_text.as_ref(), 100_000);
        self.not_negative(path, "totTime", step.tot_time);
        if step.start.as_ref().is_some_and(|start| start.instant().is_none()) {
            self.add(path, "start is no date with an offset");
        }
        if let Some(turn) = &step.loop_ {
            for (name, value) in [
                ("idx", turn.idx),
                ("num", turn.num),
                ("endingIndex", turn.ending_index),
                ("passed", turn.passed),
                ("failed", turn.failed),
            ] {
                self.int16(path, name, value);
            }
        }
        if let Some(call) = &step.seq_call {
            self.lengths(
                path,
                &[("path", &call.path, 500), ("name", &call.name, 200), ("version", &call.version, 30)],
            );
        }
        self.measurement_members(path, step);
        if let Some(popup) = &step.rare.message_popup {
            self.length(path, "response", popup.response.as_ref(), 200);
            self.int16(path, "button", popup.button);
        }
        if let Some(file) = &step.rare.attachment {
            self.required(path, "attachment name", is_set(&file.name));
            self.lengths(
                path,
                &[("attachment name", &file.name, 256), ("contentType", &file.content_type, 100)],
            );
        }
        if let Some(chart) = &step.rare.chart {
            self.chart(path, chart);
        }
        self.additional(&format!("{path} -> additionalResults"), &step.rare.additional_results);
    }

    fn measurement_members(&mut self, path: &str, step: &Step) {
        for meas in &step.numeric_meas {
            let path = super::measurement_path(path, "numericMeas", meas.name.as_deref());
            self.measurement(&path, meas.name.as_ref(), meas.status);
            self.length(&path, "unit", meas.unit.as_ref(), 20);
            let (low, high) = (meas.low_limit.is_some(), meas.high_limit.is_some());
            match meas.comp_op.as_str() {
                op if !OPERATORS.contains(&op) => {
                    self.add(&path, format!("compOp must be one of {}", OPERATORS.join(", ")));
                }
                "LOG" if low || high => self.add(&path, "LOG takes no limit"),
                "LOG" => {}
                op if op.len() == 2 && (!low || high) => {
                    self.add(&path, format!("{op} takes its limit in lowLimit"));
                }
                op if op.len() == 4 && !(low && high) => self.add(&path, format!("{op} takes both limits")),
                _ => {}
            }
        }
        for meas in &step.string_meas {
            let path = super::measurement_path(path, "stringMeas", meas.name.as_deref());
            self.measurement(&path, meas.name.as_ref(), meas.status);
            self.lengths(&path, &[("value", &meas.value, 100), ("limit", &meas.limit, 100)]);
            if !TEXT_OPERATORS.iter().any(|op| op.eq_ignore_ascii_case(&meas.comp_op)) {
                self.add(&path, format!("compOp must be one of {}", TEXT_OPERATORS.join(", ")));
            }
        }
        for meas in &step.boolean_meas {
            let path = super::measurement_path(path, "booleanMeas", meas.name.as_deref());
            self.measurement(&path, meas.name.as_ref(), meas.status);
        }
    }

    fn measurement(&mut self, path: &str, name: Option<&Text>, status: Status) {
        self.length(path, "name", name, 100);
        if !matches!(status, Status::Passed | Status::Failed | Status::Skipped) {
            self.add(path, "status must be one of P, F, S");
        }
    }

    fn chart(&mut self, path: &str, chart: &Chart) {
        let path = format!("{path} -> chart");
        self.required(&path, "chartType", is_set(&chart.chart_type));
        self.lengths(
            &path,
            &[
                ("chartType", &chart.chart_type, 30),
                ("label", &chart.label, 100),
                ("xLabel", &chart.x_label, 50),
                ("yLabel", &chart.y_label, 50),
                ("xUnit", &chart.x_unit, 20),
                ("yUnit", &chart.y_unit, 20),
            ],
        );
        if chart.series.len() > SERIES {
            self.add(&path, format!("More than {SERIES} series"));
        }
        for series in &chart.series {
            let path = format!("{path} -> series {}", series.name.as_deref().unwrap_or_default());
            self.lengths(&path, &[("name", &series.name, 100), ("dataType", &series.data_type, 10)]);
            let points = |data: &Option<Text>| data.as_deref().filter(|data| !data.is_empty()).map(count);
            let (x, y) = (points(&series.xdata), points(&series.ydata));
            if x.max(y).is_some_and(|points| points > POINTS) {
                self.add(&path, format!("More than {POINTS} points"));
            }
            if x.is_some() && x != y {
                self.add(&path, "xdata and ydata are required to have the same number of points");
            }
        }
    }
}

fn count(data: &str) -> usize {
    data.trim_end_matches(';').split(';').count()
}

fn is_set(text: &Option<Text>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}
