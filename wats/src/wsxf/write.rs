//! From a report to XML.

use compact_str::{ToCompactString, format_compact};

use super::NAMESPACE;
use super::write_steps::step;
use super::xml::{Xml, is_name, rest_of};
use crate::report::*;

/// Writes a report as a document of its own, as the server takes it.
///
/// Texts lose the characters that XML forbids. `Start_utc`, which the server demands, is made from the start where
/// the report has none. `refUURs`, `assetStats` and unknown members that came from JSON have no XML form.
pub fn write(report: &Report) -> String {
    write_all(std::slice::from_ref(report))
}

/// Writes several reports as one document: for files, because the server takes one at a time.
pub fn write_all(reports: &[Report]) -> String {
    let mut xml = Xml { out: String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>") };
    xml.element("Reports", &[("xmlns", Some(NAMESPACE.into()))], &Extra::new(), |xml| {
        reports.iter().for_each(|report| write_report(xml, report));
    });
    xml.out
}

pub(super) fn text(value: &str) -> Option<Text> {
    Some(value.into())
}

pub(super) fn int(value: Option<i32>) -> Option<Text> {
    value.map(|value| value.to_compact_string())
}

pub(super) fn double(value: Option<Double>) -> Option<Text> {
    value.map(|value| match value.get() {
        value if value.is_nan() => "NaN".into(),
        f64::INFINITY => "INF".into(),
        f64::NEG_INFINITY => "-INF".into(),
        value if value != 0.0 && !(1e-5..1e16).contains(&value.abs()) => format_compact!("{value:E}"),
        value => value.to_compact_string(),
    })
}

pub(super) fn flag(value: Option<bool>) -> Option<Text> {
    value.map(|value| value.to_compact_string())
}

fn uuid(value: Option<uuid::Uuid>) -> Option<Text> {
    value.map(|value| value.to_string().to_uppercase().into())
}

pub(super) fn time(value: Option<&Time>) -> Option<Text> {
    value.map(|time| time.as_str().into())
}

pub(super) fn word(status: Status) -> Option<Text> {
    text(status.word())
}

fn write_report(xml: &mut Xml, report: &Report) {
    let kind = match report.report_type {
        ReportType::Test => "UUT",
        ReportType::Repair => "UUR",
    };
    let start_utc = report.start_utc.clone().or_else(|| report.start.as_ref().and_then(Time::utc));
    let attributes = [
        ("type", text(kind)),
        ("ID", uuid(report.id)),
        ("Start", time(report.start.as_ref())),
        ("Start_utc", time(start_utc.as_ref())),
        ("Result", word(report.result)),
        ("SN", text(&report.sn)),
        ("PN", text(&report.pn)),
        ("Rev", text(&report.rev)),
        ("origin", report.origin.clone()),
        ("MachineName", text(&report.machine_name)),
        ("Location", text(&report.location)),
        ("Purpose", text(&report.purpose)),
        ("ProductName", report.product_name.clone()),
    ];
    xml.element("Report", &attributes, &report.extra, |xml| {
        if let Some(uut) = &report.uut {
            write_uut(xml, uut);
        }
        if let Some(uur) = &report.uur {
            write_uur(xml, uur);
        }
        xml.empty(
            "Process",
            &[
                ("Code", int(report.process_code)),
                ("CodeFormat", report.process_code_format.clone()),
                ("Name", report.process_name.clone()),
            ],
            rest_of(&report.extra, "Process").unwrap_or(&Extra::new()),
        );
        for data in &report.additional_data {
            additional_data(xml, "AdditionalData", data);
        }
        for asset in &report.assets {
            xml.empty(
                "Asset",
                &[
                    ("AssetSN", asset.asset_sn.clone()),
                    ("UsageCount", int(asset.usage_count)),
                    ("UsageCountFormat", asset.usage_count_format.clone()),
                ],
                &asset.extra,
            );
        }
        for info in &report.misc_infos {
            misc_info(xml, info);
        }
        units(xml, report);
        if let Some(root) = &report.root {
            step(xml, root);
        }
    });
}

fn write_uut(xml: &mut Xml, uut: &Uut) {
    let attributes = [
        ("UserLoginName", uut.user.clone()),
        ("BatchSN", uut.batch_sn.clone()),
        ("TestSocketIndex", int(uut.test_socket_index)),
        ("TestSocketIndexFormat", uut.test_socket_index_format.clone()),
        ("ExecutionTime", double(uut.exec_time)),
        ("ExecutionTimeFormat", uut.exec_time_format.clone()),
        ("FixtureId", uut.fixture_id.clone()),
        ("ErrorCode", int(uut.error_code)),
        ("ErrorCodeFormat", uut.error_code_format.clone()),
        ("ErrorMessage", uut.error_message.clone()),
        ("BatchLoopIndex", int(uut.batch_loop_index)),
        ("BatchLoopIndexFormat", uut.batch_loop_index_format.clone()),
        ("BatchFailCount", int(uut.batch_fail_count)),
        ("BatchFailCountFormat", uut.batch_fail_count_format.clone()),
        ("StepIdCausedUUTFailure", int(uut.step_id_caused_uut_failure)),
    ];
    xml.element("UUT", &attributes, &uut.extra, |xml| {
        xml.text("Comment", uut.comment.as_ref(), &uut.extra);
    });
}

fn write_uur(xml: &mut Xml, uur: &Uur) {
    let attributes = [
        ("UserLoginName", uur.user.clone()),
        ("ConfirmDate", time(uur.confirm_date.as_ref())),
        ("FinalizeDate", time(uur.finalize_date.as_ref())),
        ("ExecutionTime", double(uur.exec_time)),
        ("ReferencedUUT", uuid(uur.ref_uut)),
        ("Parent", uuid(uur.parent)),
    ];
    xml.element("UUR", &attributes, &uur.extra, |xml| {
        for id in uur.children.iter().flatten() {
            xml.text("Children", Some(&id.to_string().to_uppercase().into()), &Extra::new());
        }
        xml.text("Comment", uur.comment.as_ref(), &uur.extra);
        xml.empty(
            "Process",
            &[
                ("Code", int(uur.process_code)),
                ("CodeFormat", uur.process_code_format.clone()),
                ("Name", uur.process_name.clone()),
            ],
            rest_of(&uur.extra, "Process").unwrap_or(&Extra::new()),
        );
    });
}

fn misc_info(xml: &mut Xml, info: &MiscInfo) {
    let attributes = [
        ("Typedef", info.typedef.clone()),
        ("Id", uuid(info.id)),
        ("Description", info.description.clone()),
        ("Numeric", int(info.numeric)),
        ("NumericFormat", info.numeric_format.clone()),
    ];
    xml.element("MiscInfo", &attributes, &info.extra, |xml| {
        xml.escaped(info.text.as_deref().unwrap_or_default(), false);
    });
}

/// Units, then failures numbered through the report, then the files, which name their failure.
fn units(xml: &mut Xml, report: &Report) {
    for unit in &report.sub_units {
        let attributes = [
            ("Idx", int(unit.idx)),
            ("ParentIDX", int(unit.parent_idx)),
            ("ReplacedIDX", int(unit.replaced_idx)),
            ("PartType", unit.part_type.clone()),
            ("PN", unit.pn.clone()),
            ("SN", unit.sn.clone()),
            ("Rev", unit.rev.clone()),
            ("Position", int(unit.position)),
        ];
        let old = unit.extra.get("<").is_some_and(|name| name == "PartInfo");
        let name = if old { "PartInfo" } else { "ReportUnitHierarchy" };
        xml.empty(name, &attributes, &unit.extra);
    }
    let mut files: Vec<(Option<Text>, &BinaryData)> = Vec::new();
    let failures =
        report.sub_units.iter().flat_map(|unit| unit.failures.iter().flatten().map(move |f| (unit, f)));
    for (index, (unit, failure)) in (0_i32..).zip(failures) {
        // A number that was read stays, because it may be out of order.
        let read = failure.extra.get("@Idx").and_then(|idx| idx.as_str()).map(Text::from);
        let index = read.or_else(|| int(Some(index)));
        let attributes = [
            ("Category", failure.category.clone()),
            ("Code", failure.code.clone()),
            ("Idx", index.clone()),
            ("PartIdx", int(unit.idx)),
            ("CompRef", failure.com_ref.clone()),
            ("StepID", int(failure.ref_step_id)),
            ("StepName", failure.ref_step_name.clone()),
            ("FunctionBlock", failure.func_block.clone()),
            ("ArticleNumber", failure.art_number.clone()),
            ("ArticleRevision", failure.art_rev.clone()),
            ("ArticleVendor", failure.art_vendor.clone()),
            ("ArticleDescription", failure.art_description.clone()),
        ];
        xml.element("Failures", &attributes, &failure.extra, |xml| {
            xml.text("Comment", failure.comment.as_ref(), &failure.extra);
        });
        files.extend(failure.attachments.iter().flatten().map(|file| (index.clone(), file)));
    }
    files.extend(report.binary_data.iter().map(|file| (None, file)));
    for (failure, file) in files {
        let rest = rest_of(&file.extra, "Binary");
        xml.element("Binary", &[("FailIdx", failure)], rest.unwrap_or(&Extra::new()), |xml| {
            let attributes = [
                ("BinaryDataGUID", uuid(file.id)),
                ("ContentType", file.content_type.clone()),
                ("FileName", file.name.clone()),
            ];
            xml.element("Data", &attributes, &file.extra, |xml| {
                xml.escaped(file.data.as_deref().unwrap_or_default(), false);
            });
        });
    }
}

pub(super) fn additional_data(xml: &mut Xml, name: &str, data: &AdditionalData) {
    xml.element(name, &[("Name", data.name.clone())], &data.extra, |xml| {
        data.props.iter().for_each(|prop| property(xml, prop));
    });
}

fn property(xml: &mut Xml, prop: &Property) {
    let element = prop.extra.get("<").and_then(|name| name.as_str());
    let element = element.filter(|name| is_name(name)).unwrap_or("Prop");
    let attributes = [
        ("Name", prop.name.clone().filter(|name| name != element)),
        ("Type", prop.property_type.clone()),
        ("Flags", int(prop.flags)),
        ("NumFormat", prop.num_format.clone()),
        ("Comment", prop.comment.clone()),
    ];
    xml.element(element, &attributes, &prop.extra, |xml| {
        match (&prop.value, prop.extra.get("<Value").is_some_and(|kept| *kept == false)) {
            (Some(value), true) => xml.escaped(value, false),
            (value, _) => xml.text("Value", value.as_ref(), &prop.extra),
        }
        if let Some(array) = &prop.array {
            self::array(xml, array);
        }
        prop.props.iter().flatten().for_each(|inner| property(xml, inner));
    });
}

/// In a form of our own: no export with an array is known.
fn array(xml: &mut Xml, array: &PropertyArray) {
    let attributes = [("Dimension", int(array.dimension)), ("Type", array.element_type.clone())];
    xml.element("Array", &attributes, &array.extra, |xml| {
        for item in &array.indexes {
            let indexes: Vec<String> = item.indexes.iter().map(ToString::to_string).collect();
            let attributes = [("Text", item.text.clone()), ("Indexes", Some(indexes.join(" ").into()))];
            xml.element("Item", &attributes, &item.extra, |xml| {
                item.value.iter().for_each(|value| property(xml, value));
            });
        }
    });
}
