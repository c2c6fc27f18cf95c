//! What only repair reports have: the repair itself, failures and files.

use jiff::tz::TimeZone;
use roxmltree::Node;
use uuid::Uuid;
use wats::report::{BinaryData, Failure, Report, Status, SubUnit, Text, Time, Uur};

use super::Reading;
use crate::kit::xml::{attribute, child, children, owned};
use crate::kit::{time, xml};

impl Reading<'_> {
    pub(super) fn repair(&mut self, node: Node<'_, '_>, report: &mut Report) {
        report.uut = None;
        report.result = attribute(node, "Result").and_then(Status::from_word).unwrap_or(Status::Passed);
        report.uur = Some(child(node, "UUR").map(|uur| self.uur(uur)).unwrap_or_default());
        let mut attached: Vec<(i32, BinaryData)> = Vec::new();
        for binary in children(node, "Binary") {
            let file = self.binary(binary);
            match self.whole(binary, "FailIdx").filter(|index| *index >= 0) {
                Some(index) => attached.push((index, file)),
                None => report.binary_data.push(file),
            }
        }
        for (position, failure) in children(node, "Failures").enumerate() {
            let index = self.whole(failure, "Idx").or_else(|| i32::try_from(position).ok());
            let part = self.whole(failure, "PartIdx").unwrap_or(0);
            let mut failure = self.failure(failure);
            for (_, file) in attached.extract_if(.., |(at, _)| Some(*at) == index) {
                failure.attachments.get_or_insert_default().push(file);
            }
            self.unit(report, part).failures.get_or_insert_default().push(failure);
        }
        // Files of a failure that is not there still belong to the report.
        report.binary_data.extend(attached.into_iter().map(|(_, file)| file));
    }

    /// The sub unit with that index; index 0 is the repaired unit itself.
    fn unit<'r>(&mut self, report: &'r mut Report, part: i32) -> &'r mut SubUnit {
        let at = report.sub_units.iter().position(|unit| unit.idx.unwrap_or(0) == part);
        let at = at.unwrap_or_else(|| {
            if part != 0 {
                self.warn(format!("a failure names the unit {part}, which is not listed"));
            }
            report.sub_units.push(SubUnit {
                part_type: Some(if part == 0 { "Main" } else { "Unknown" }.into()),
                pn: Some(report.pn.clone()),
                sn: Some(report.sn.clone()),
                rev: Some(report.rev.clone()),
                idx: Some(part),
                ..SubUnit::default()
            });
            report.sub_units.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
        &mut report.sub_units[at]
    }

    fn uur(&mut self, node: Node<'_, '_>) -> Uur {
        let process = child(node, "Process");
        let parents: Vec<Uuid> = children(node, "Children")
            .filter_map(xml::text)
            .filter_map(|text| Uuid::parse_str(&text).ok())
            .collect();
        Uur {
            user: Some(owned(node, "UserLoginName").unwrap_or_default()),
            comment: child(node, "Comment")
                .and_then(xml::text)
                .map(|comment| self.fit(&comment, 5000, "comment")),
            process_code: process.and_then(|process| self.whole(process, "Code")),
            process_code_format: process.and_then(|process| owned(process, "CodeFormat")),
            process_name: process.and_then(|process| owned(process, "Name")),
            ref_uut: self.uuid(node, "ReferencedUUT"),
            confirm_date: self.date(node, "ConfirmDate"),
            finalize_date: self.date(node, "FinalizeDate"),
            exec_time: self.number(node, "ExecutionTime"),
            parent: self.uuid(node, "Parent"),
            children: Some(parents).filter(|ids| !ids.is_empty()),
            ..Uur::default()
        }
    }

    /// The dates of a repair are UTC.
    fn date(&mut self, node: Node<'_, '_>, name: &str) -> Option<Time> {
        let written = attribute(node, name)?;
        let time = time::parse(written, &TimeZone::UTC);
        if time.is_none() {
            self.warn(format!("{name} \"{written}\" is no time; left out"));
        }
        time
    }

    fn failure(&mut self, node: Node<'_, '_>) -> Failure {
        Failure {
            category: owned(node, "Category"),
            code: owned(node, "Code").or_else(|| owned(node, "Failcode")),
            comment: child(node, "Comment").and_then(xml::text).or_else(|| owned(node, "Comment")),
            com_ref: owned(node, "CompRef"),
            func_block: self.short(node, "FunctionBlock", 100),
            ref_step_id: self.whole(node, "StepID"),
            ref_step_name: owned(node, "StepName"),
            art_number: self.short(node, "ArticleNumber", 100),
            art_rev: self.short(node, "ArticleRevision", 100),
            art_vendor: self.short(node, "ArticleVendor", 500),
            art_description: self.short(node, "ArticleDescription", 500),
            ..Failure::default()
        }
    }

    fn binary(&mut self, node: Node<'_, '_>) -> BinaryData {
        let data = child(node, "Data").unwrap_or(node);
        BinaryData {
            id: self.uuid(data, "BinaryDataGUID"),
            name: owned(data, "FileName").or_else(|| owned(data, "Name")),
            content_type: owned(data, "ContentType"),
            data: base64(data),
            ..BinaryData::default()
        }
    }
}

/// The element's base64 text without the line breaks that writers put into it.
pub(super) fn base64(node: Node<'_, '_>) -> Option<Text> {
    xml::text(node).map(|text| text.split_whitespace().collect())
}
