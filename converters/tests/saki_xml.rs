//! Saki: the real file, and corners of the format that it does not show.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::{
    convert, convert_with, failed, fails, file, leaves, may_break_off_anywhere, real_files,
    refuses_what_is_no_log, step, warns,
};
use wats::Report;
use wats::report::Status;
use wats_converters::Input;

const NAME: &str = "saki-xml";

fn image(id: &str, barcode: &str, result: &str, inside: &str) -> String {
    format!(r#"<Image id="{id}" barcode="{barcode}" result="{result}"><Results>{inside}</Results></Image>"#)
}

const FAILED: &str = r#"<Failed><Reference designator="R1" partNumber="4" package="0603" description="d" height="2"/></Failed>"#;

fn document(result: &str, images: &[String]) -> Input {
    let text = format!(
        r#"<Panel barcode="PANEL1" result="{result}" startDate="07/10/2024" startTime="08:59:14" side="PN1" operator="me" line="L4"><Program name="Prog" ver="3"/>{}</Panel>"#,
        images.concat()
    );
    file("a.xml", text.as_bytes())
}

fn all(report: &Report) -> Vec<String> {
    report
        .root
        .as_ref()
        .unwrap()
        .walk()
        .map(|it| format!("{} {} {}", it.name, it.step_type, it.status.letter()))
        .collect()
}

#[test]
fn the_real_file_says_what_stands_in_it() {
    let files = real_files("saki-xml", NAME);
    assert_eq!(files.len(), 1);
    let (conversion, units) = &files[0];
    let (report, unit) = (&conversion.reports[0], &units[0]);
    assert_eq!(conversion.warnings, Vec::<String>::new());
    assert_eq!(
        (report.sn.as_str(), Some(report.pn.as_str())),
        (unit.serial.as_str(), unit.part_number.as_deref())
    );
    let steps = leaves(report);
    assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows));
    let root = report.root.as_ref().unwrap();
    let images: Vec<_> = root
        .children()
        .iter()
        .map(|it| (it.name.as_str(), it.status.letter(), it.children().len()))
        .collect();
    assert_eq!(images, [("Image 1", "F", 2), ("Image 2", "P", 1), ("Image 3", "P", 1)]);
    let call = root.seq_call.as_ref().unwrap();
    assert_eq!((call.name.as_deref(), call.version.as_deref()), (Some("Test Sequence"), Some("1.0.0")));
    let first = step(report, "R1165");
    assert_eq!(
        first.report_text.as_deref(),
        Some("Part number: 4123456\nPackage: 4123456_R0603\nDescription: Description text")
    );
    assert!(report.sub_units.is_empty());
}

#[test]
fn the_panel_is_one_report_and_images_with_barcodes_are_sub_units() {
    let images = [image("1", "B1", "failed", FAILED), image("2", "N/A", "passed", "<FalseCalls/>")];
    let conversion = convert(NAME, &document("failed", &images)).unwrap();
    let report = &conversion.reports[0];
    assert_eq!((conversion.reports.len(), report.sn.as_str(), report.result), (1, "PANEL1", Status::Failed));
    assert_eq!(
        all(report),
        [
            "Prog SequenceCall F",
            "Image 1 SequenceCall F",
            "Failed SequenceCall F",
            "R1 ET_SVT F",
            "Image 2 SequenceCall P"
        ]
    );
    // In the station's zone, in summer; July is the month.
    assert_eq!(report.start.as_ref().unwrap().as_str(), "2024-07-10T08:59:14+02:00");
    let unit = &report.sub_units[0];
    assert_eq!(
        (unit.part_type.as_deref(), unit.pn.as_deref(), unit.sn.as_deref()),
        (Some("Image 1"), Some("PN1"), Some("B1"))
    );
    assert!(step(report, "R1").report_text.as_ref().unwrap().ends_with("height: 2"));
    assert_eq!(report.misc_infos[0].text.as_deref(), Some("L4"));
}

#[test]
fn images_with_barcodes_may_have_reports_of_their_own() {
    let given = [("reportPerImage", "yes"), ("partRevision", "C"), ("operationTypeCode", "20")];
    let images =
        [image("1", "B1", "failed", FAILED), image("2", "B2", "passed", ""), image("3", "N/A", "passed", "")];
    let conversion = convert_with(NAME, &document("failed", &images), &given).unwrap();
    let shown: Vec<_> = conversion
        .reports
        .iter()
        .map(|it| (it.sn.as_str(), it.result.letter(), it.rev.as_str(), it.process_code))
        .collect();
    let code = Some(20);
    assert_eq!(shown, [("B1", "F", "C", code), ("B2", "P", "C", code), ("PANEL1", "P", "C", code)]);
    let conversion = convert_with(NAME, &document("failed", &images[..2]), &given).unwrap();
    assert_eq!(conversion.reports.len(), 2);
    assert_eq!(all(&conversion.reports[1]), ["Prog SequenceCall P", "Image 2 SequenceCall P"]);
}

#[test]
fn what_is_not_known_is_kept_and_said() {
    let odd = r#"<Repaired><Reference designator="C9"/></Repaired>"#;
    let conversion =
        convert(NAME, &document("odd", &[image("1", "N/A", "failed", odd), "<Camera>2</Camera>".to_owned()]))
            .unwrap();
    let report = &conversion.reports[0];
    assert_eq!(
        all(report),
        ["Prog SequenceCall F", "Image 1 SequenceCall F", "Repaired SequenceCall D", "C9 Action D"]
    );
    assert_eq!(report.additional_data[0].name.as_deref(), Some("Camera"));
    warns(&conversion, "elements Repaired are not known (1, the first is /Panel/Image/Results/Repaired)");
    warns(&conversion, "elements Camera are not known");
    warns(&conversion, "/Panel/@result: \"odd\" is neither passed nor failed");
}

#[test]
fn broken_and_hostile_files_are_refused_in_words() {
    let whole = String::from_utf8(document("passed", &[image("1", "N/A", "passed", "")]).bytes).unwrap();
    let bad = |text: &str| file("a.xml", text.as_bytes());
    fails(NAME, &bad("<R/>"), "the root element is R; expected Panel");
    fails(NAME, &bad("<Panel/>"), "/Panel: there is no element Image; expected an Image for each board");
    fails(
        NAME,
        &bad(&whole.replace("Results", "Other")),
        "/Panel/Image: there is no element Results; expected Results with FalseCalls",
    );
    fails(NAME, &bad(&whole.replace("PANEL1", "")), "/Panel: the file has no serial number");
    fails(NAME, &bad(&whole.replace("side=\"PN1\"", "")), "/Panel: the file has no part number");
    fails(NAME, &bad(whole.split("</Panel>").next().unwrap()), "ends in the middle");
    fails(NAME, &bad("<!DOCTYPE a [<!ENTITY b 'c'>]><Panel>&b;</Panel>"), "DTD");
    fails(NAME, &bad(&whole.replace("<Results>", &"<Results>".repeat(100_000))), "nested more than 200 deep");
    let afternoon = convert(NAME, &bad(&whole.replace("08:59:14", "1:02:03 PM"))).unwrap();
    assert_eq!(afternoon.reports[0].start.as_ref().unwrap().as_str(), "2024-07-10T13:02:03+02:00");
    let year_first = convert(NAME, &bad(&whole.replace("07/10/2024", "2024-07-10"))).unwrap();
    assert_eq!(year_first.reports[0].start.as_ref().unwrap().as_str(), "2024-07-10T08:59:14+02:00");
    let conversion = convert(NAME, &bad(&whole.replace("07/10/2024", "31.12.2024"))).unwrap();
    warns(&conversion, "the start \"31.12.2024 08:59:14\" is no time like 01/31/2024");
}

#[test]
fn files_of_others_and_broken_ones_are_never_a_panic() {
    refuses_what_is_no_log(NAME);
    may_break_off_anywhere(NAME, &real_files("saki-xml", NAME)[0].1[0].path);
}
