use std::io::Write;

use wats::report::Status;
use wats_converters::ErrorKind;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::support::check;
use super::{convert, convert_with, failed, fails, file, leaves, real_files, recognised, step, warns};

#[test]
fn samples() {
    check("xjtag", "xjtag", "");
}

#[test]
fn real_logs() {
    for (conversion, units) in real_files("xjtag", "xjtag") {
        for (report, unit) in conversion.reports.iter().zip(units) {
            assert_eq!(report.sn, unit.serial);
            let steps = leaves(report);
            assert_eq!((Some(steps.len()), Some(failed(&steps))), (unit.rows, unit.failed_rows), "{unit:?}");
            let skipped = steps.iter().filter(|step| step.status == Status::Skipped).count();
            assert!(unit.notes.ends_with(&format!("skipped={skipped}")), "{unit:?}");
        }
        assert_eq!(conversion.warnings, Vec::<String>::new());
    }
}

fn run(inner: &str) -> String {
    format!(
        "<testrun datetime='2025-06-03T08:17:00'>{inner}<testruninfo><user>u</user><serial>S1</serial>\
         <xjlink-name/><result>Passed</result></testruninfo></testrun>"
    )
}

fn zipped(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn archive(count: &str, runs: &[&str]) -> Vec<u8> {
    let info = format!("<LogFileInfo><TestRunCount>{count}</TestRunCount></LogFileInfo>");
    let names: Vec<String> = (1..=runs.len()).map(|number| format!("Run {number}.xml")).collect();
    let mut entries = vec![("Info.xml", info.as_str())];
    entries.extend(names.iter().map(String::as_str).zip(runs.iter().copied()));
    zipped(&entries)
}

#[test]
fn a_run_without_a_station_has_the_station_of_the_settings_and_its_local_time() {
    let input = file("a.xjlog", &archive("1", &[&run("")]));
    recognised(&input, "xjtag");
    let report = convert("xjtag", &input).unwrap().reports.remove(0);
    assert_eq!((report.machine_name.as_str(), report.pn.as_str()), ("ST1", "PN"));
    assert_eq!(report.start.unwrap().as_str(), "2025-06-03T08:17:00+02:00");
    let report =
        convert_with("xjtag", &input, &[("location", ""), ("partNumber", "A1")]).unwrap().reports.remove(0);
    assert_eq!((report.location.as_str(), report.pn.as_str()), ("Lab", "A1"));
}

#[test]
fn functions_say_all_that_they_said() {
    let text = run("<text-output>Flash skipped</text-output><testgroup name='G'>\
         <testfunction name='A'><text-output>one</text-output><text-output>two</text-output><odd/>\
         <conntest-errors><error><error-message>net X open</error-message><net-detail><net board='b' name='X'><pin board='b' component='U1' pin='3'/>\
         <pin board='b' component='U2' pin='A4'/></net></net-detail></error></conntest-errors><result value='Failed'/></testfunction>\
         <testfunction name='B'><plain-text> p </plain-text><result value='Aborted'/></testfunction>\
         <testgroup name='Inner'><testfunction name='C'><result value='Passed'/></testfunction></testgroup><odder/></testgroup>");
    let conversion = convert("xjtag", &file("a.xml", text.as_bytes())).unwrap();
    let report = &conversion.reports[0];
    let shown: Vec<String> = leaves(report)
        .iter()
        .map(|step| format!("{} {} {:?}", step.name, step.status.letter(), step.report_text))
        .collect();
    assert_eq!(
        shown,
        ["A F Some(\"one\\ntwo\\nnet X open\\nX: U1.3, U2.A4\")", "B T Some(\"p\")", "C P None"]
    );
    assert_eq!(report.root.as_ref().unwrap().report_text.as_deref(), Some("Flash skipped"));
    // The tester's verdict counts, and its groups show what failed.
    assert_eq!((report.result, report.root.as_ref().unwrap().status), (Status::Passed, Status::Failed));
    warns(&conversion, "elements odd are not known (1, the first is /testrun/testgroup/testfunction[1]/odd)");
    warns(&conversion, "elements odder are not known");
    assert_eq!(step(report, "A").rare.additional_results[0].name.as_deref(), Some("odd"));
}

#[test]
fn a_count_that_lies_loses_nothing() {
    let (a, b) = (run(""), run("").replace("S1", "S2"));
    let conversion = convert("xjtag", &file("a.zip", &archive("1", &[&a, &b]))).unwrap();
    assert_eq!(conversion.reports.len(), 2);
    warns(&conversion, "Info.xml speaks of 1 runs, the archive holds 2");
    let conversion = convert("xjtag", &file("a.zip", &archive("3", &[&a, &b]))).unwrap();
    warns(&conversion, "Run 3.xml is missing");
    let conversion = convert("xjtag", &file("a.zip", &archive("99999999999", &[&a]))).unwrap();
    assert_eq!(conversion.warnings.len(), 10);
    let conversion = convert("xjtag", &file("a.zip", &archive("many", &[&a]))).unwrap();
    warns(&conversion, "speaks of many runs");
    // Entries stand in any order; runs do not.
    let shuffled = zipped(&[
        ("Run 2.xml", &b),
        ("Run 1.checksum", ""),
        ("Run 10.xml", &b),
        ("INFO.XML", "<x><LogFileInfo><TestRunCount>10</TestRunCount></LogFileInfo></x>"),
        ("Run 1.xml", &a),
    ]);
    let serials: Vec<_> = convert("xjtag", &file("a.zip", &shuffled))
        .unwrap()
        .reports
        .into_iter()
        .map(|report| report.sn)
        .collect();
    assert_eq!(serials, ["S1", "S2", "S2"]);
}

#[test]
fn other_archives_are_not_claimed() {
    for bytes in [
        zipped(&[("report.txt", "x")]),
        zipped(&[("Info.xml", "<Other/>"), ("Run 1.xml", "<testrun/>")]),
        zipped(&[("Info.xml", "no xml")]),
        archive("1", &[]),
    ] {
        let input = file("a.zip", &bytes);
        assert!(!wats_converters::find("xjtag").unwrap().qualify(&input).is_yes());
        assert!(convert("xjtag", &input).is_err());
    }
    fails(
        "xjtag",
        &file("a.zip", &archive("1", &["<testrun><broken"])),
        "no run can be read; Run 1.xml: the file ends",
    );
    fails("xjtag", &file("a.xml", b"<testgroup/>"), "the root element is testgroup; expected testrun");
}

#[test]
fn a_bomb_is_refused() {
    let bomb = "0".repeat(40 << 20);
    let bytes = archive("1", &[&bomb]);
    assert!(bytes.len() < 100_000);
    let error = convert("xjtag", &file("a.zip", &bytes)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    // Many entries that are each small enough.
    let half = "0".repeat(15 << 20);
    let error = convert("xjtag", &file("a.zip", &archive("4", &[&half, &half, &half, &half]))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLarge);
    let names: Vec<String> = (0..10_001).map(|number| format!("{number}")).collect();
    let entries: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    fails(
        "xjtag",
        &file("a.zip", &zipped(&entries)),
        "the archive has 10001 entries; expected at most 10000",
    );
}

#[test]
fn encrypted_and_damaged_archives_are_named() {
    let whole = archive("1", &[&run("")]);
    let mut encrypted = whole.clone();
    for mark in [&b"PK\x03\x04"[..], b"PK\x01\x02"] {
        let flags = if mark == b"PK\x03\x04" { 6 } else { 8 };
        let places: Vec<usize> = (0..whole.len() - 4).filter(|at| &whole[*at..at + 4] == mark).collect();
        places.iter().for_each(|at| encrypted[at + flags] |= 1);
    }
    fails(
        "xjtag",
        &file("a.zip", &encrypted),
        "the entry \"Info.xml\" is encrypted; expected an archive without password",
    );
    let error = convert("xjtag", &file("a.zip", &whole[..whole.len() / 2])).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotYet, "{error}");
    let mut damaged = whole;
    let at = damaged.windows(9).position(|window| window == b"Run 1.xml").unwrap() + 20;
    damaged[at] ^= 0xff;
    fails("xjtag", &file("a.zip", &damaged), "Run 1.xml");
}

/// Older versions write the faults of a connection test into HTML alone.
#[test]
fn a_function_that_failed_says_why_even_in_html() {
    let text = run("<testgroup name='G'><testfunction name='A'>\
         <html-output><![CDATA[<h2>Fault</h2><a href='x'>R&amp;D net</a><br/>open]]></html-output><result value='Failed'/></testfunction>\
         <testfunction name='B'><html-output><![CDATA[<b>fine</b>]]></html-output><result value='Passed'/></testfunction>\
         <testfunction name='C'><text-output><![CDATA[ &gt;&gt;&gt;&gt; mark ]]></text-output><result value='Passed'/></testfunction></testgroup>");
    let report = convert("xjtag", &file("a.xml", text.as_bytes())).unwrap().reports.remove(0);
    let texts: Vec<_> =
        leaves(&report).iter().map(|step| step.report_text.clone().unwrap_or_default()).collect();
    assert_eq!(texts, ["Fault\nR&D net\nopen", "", ">>>> mark"]);
}
