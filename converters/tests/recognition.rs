//! Every sample is recognised as its own format and as no other: the confusion matrix of all formats.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use support::convert::file;
use support::stdf::Stdf;
use wats_converters::{Input, catalogue, recognise};

/// The folders of samples and the format of the files in them.
const FOLDERS: &[(&str, &str)] = &[
    ("converters/wats-json", "wats-json"),
    ("converters/wats-text", "wats-text"),
    ("converters/wats-xml", "wats-xml"),
    ("converters/keysight-testexec-sl", "keysight-testexec-sl"),
    ("converters/seica-xml", "seica-xml"),
    ("converters/xjtag", "xjtag"),
    ("converters/klippel", "klippel"),
    ("converters/spea", "spea"),
    ("converters/teradyne-spectrum-ict", "teradyne-spectrum"),
    ("converters/teradyne-ict", "teradyne-ict"),
    ("converters/atml", "atml"),
    ("converters/example-csv", "example-csv"),
    ("reports/generated", "wats-json"),
    ("real/atml", "atml"),
    ("real/klippel", "klippel"),
    ("real/listen-soundcheck", "listen-soundcheck"),
    ("real/saki-xml", "saki-xml"),
    ("real/sigmaquest-xml", "sigmaquest-xml"),
    ("real/spea-3030", "spea"),
    ("real/stdf", "stdf"),
    ("real/stepwize", "stepwize"),
    ("real/takaya-apt94xx", "takaya-apt94xx"),
    ("real/takaya-atd", "takaya-atd"),
    ("real/takaya-atdx", "takaya-atdx"),
    ("real/teradyne-gr228x", "teradyne-ict"),
    ("real/teradyne-spectrum", "teradyne-spectrum"),
    ("real/teststand-xml", "teststand-xml"),
    ("real/xjtag", "xjtag"),
];

/// Samples that lie alone, or whose name says nothing of their format.
const FILES: &[(&str, &str)] = &[
    ("reports/new_report_example.json", "wats-json"),
    ("reports/uur_example.json", "wats-json"),
    ("reports/uut-wsjf-export.json", "wats-json"),
    ("reports/uut-wsxf-export.xml", "wats-xml"),
    ("converters/ai/mystery-a.txt", "spea"),
    ("converters/ai/mystery-b.xml", "seica-xml"),
    ("converters/ai/mystery-c.bin", ""),
];

/// Made files of formats that have no sample, and of none; `""` is nobody's.
fn made() -> Vec<(&'static str, Input)> {
    let mut lot = Stdf::lot(false);
    lot.pir(0);
    lot.prr(0, 0, "A");
    lot.mrr();
    let text = |format: &'static str, name: &str, text: &str| (format, file(name, text.as_bytes()));
    let long = "lorem ipsum, dolor; sit|amet\tconsectetur\r\n".repeat(1000);
    vec![
        ("stdf", file("lot.std", &lot.bytes)),
        text("example-csv", "a.csv", "sn;pn;name;value\r\n1;P;U;5\r\n"),
        text(
            "keysight-i3070",
            "board17",
            "{@BATCH|PCB7|A|12|1||ICT|B77|anna|hp1|plan|3||\n{@BTEST|SN1|0|250102030405|12|0|all||N|N|250102030417||1|\n{@BLOCK|r101|0\n{@A-RES|0|+4.7E+03|{@LIM2|4.9E+3|4.4E+3}}}}}\n",
        ),
        text(
            "teradyne-nano-51e",
            "A%PN123%20240115%SN0001_NG_20240131081502.csv",
            "Name,Value,Low,High,Result\nR101[Resistors],4.71kOhm,4.465kOhm,4.935kOhm,PASS\nC7[Capacitors],81.2nF,90nF,110nF,FAIL\n",
        ),
        text(
            "",
            "notes.txt",
            "Meeting notes\n\n- START; with the agenda\n- Serial number of the tester: 17\n",
        ),
        text("", "long.log", &long),
        text(
            "",
            "page.html",
            "<!DOCTYPE html>\n<html><head><title>Report</title></head><body>Passed</body></html>",
        ),
        text("", "other.xml", "<?xml version=\"1.0\"?><catalog><book id=\"1\"/></catalog>"),
        text("", "package.json", "{\"name\": \"a\", \"version\": \"1.0.0\", \"dependencies\": {}}"),
        text("", "list.csv", "name,street,town\nA,B,C\n"),
        text("", "ini.txt", "[station]\nname=ST1\noperator=anna\n"),
        ("", file("empty.txt", b"")),
        ("", file("blank.xml", b" \r\n")),
        ("", file("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01")),
        ("", file("archive.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")),
        (
            "",
            file("packed.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0"),
        ),
        ("", file("program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0")),
    ]
}

/// The inputs among the files of a folder of samples.
fn inputs(folder: &str) -> Vec<PathBuf> {
    let beside = [".expected.json", ".intended.json", ".note.md", ".rejection.txt"];
    let is_input = |path: &PathBuf| {
        let name = path.to_string_lossy().into_owned();
        path.is_file() && !beside.iter().any(|other| name.ends_with(other))
    };
    let found: Vec<PathBuf> = support::samples(folder).into_iter().filter(is_input).collect();
    assert!(!found.is_empty(), "no sample in {folder}");
    found
}

/// All files, each with its format.
fn corpus() -> Vec<(&'static str, Input)> {
    let mut files = made();
    for (folder, format) in FOLDERS {
        files.extend(inputs(folder).iter().map(|path| (*format, support::input(path))));
    }
    for (path, format) in FILES {
        let (folder, name) = path.rsplit_once('/').unwrap();
        let path = support::samples(folder).into_iter().find(|it| it.ends_with(name)).unwrap();
        files.push((*format, support::input(&path)));
    }
    // What is written about samples looks like none.
    for (folder, _) in FOLDERS.iter().filter(|(folder, _)| folder.starts_with("converters/")) {
        let notes =
            support::samples(folder).into_iter().filter(|path| path.to_string_lossy().ends_with(".note.md"));
        files.extend(notes.map(|path| ("", support::input(&path))));
    }
    files
}

#[test]
fn every_file_is_recognised_as_its_own_format_and_no_other() {
    let formats: Vec<&str> = catalogue().iter().map(|it| it.about().name).collect();
    let (mut matrix, mut wrong) = (BTreeMap::<(usize, usize), usize>::new(), Vec::new());
    let none = formats.len();
    let files = corpus();
    let place = |format: &str| formats.iter().position(|it| *it == format).unwrap_or(none);
    for (format, input) in &files {
        // A sample may be there before its converter.
        if !format.is_empty() && !formats.contains(format) {
            continue;
        }
        let recognition = recognise(input);
        let claims: Vec<_> = recognition.candidates.iter().filter(|it| it.answer.is_yes()).collect();
        for claim in &claims {
            *matrix.entry((place(format), place(claim.name()))).or_default() += 1;
        }
        if claims.is_empty() {
            *matrix.entry((place(format), none)).or_default() += 1;
        }
        let is_right = match (claims.as_slice(), *format) {
            ([], "") => true,
            ([only], format) => only.name() == format,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{} is {format:?}; claimed by {claims:?}", input.file_name));
        }
    }
    // Past the test harness, which shows nothing of a test that passes.
    std::io::stdout().write_all(table(&formats, &matrix).as_bytes()).unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Each format has at least one file that shows it.
    for (at, format) in formats.iter().enumerate() {
        assert!(matrix.contains_key(&(at, at)), "no file of {format} is tried");
    }
}

/// Rows are what the files are, columns who claims them.
fn table(formats: &[&str], matrix: &BTreeMap<(usize, usize), usize>) -> String {
    let names: Vec<&str> = formats.iter().copied().chain(["nobody"]).collect();
    let mut shown =
        format!("\nfiles by format (rows) and by who claims them (columns, same order)\n{:22}", "");
    (0..names.len()).for_each(|column| shown.push_str(&format!("{:>4}", column + 1)));
    for (row, name) in names.iter().enumerate() {
        shown.push_str(&format!("\n{:>2} {name:19}", row + 1));
        for column in 0..names.len() {
            let count = matrix.get(&(row, column)).map_or("·".to_owned(), ToString::to_string);
            shown.push_str(&format!("{count:>4}"));
        }
    }
    shown.push('\n');
    shown
}

#[test]
fn the_order_is_stable_and_near_ties_are_known() {
    let path =
        support::samples("converters/ai").into_iter().find(|it| it.ends_with("mystery-a.txt")).unwrap();
    let input = support::input(&path);
    let names = || -> Vec<&str> { recognise(&input).candidates.iter().map(|it| it.name()).collect() };
    assert_eq!(names(), names());
    assert_eq!((names()[0], names().len()), ("spea", catalogue().len()));
    let recognition = recognise(&input);
    assert_eq!(recognition.rivals().count(), 0);
    // As if another were nearly as sure.
    let mut recognition = recognition;
    recognition.candidates[1].answer.confidence = 0.9;
    recognition.candidates[2].answer.confidence = 0.89;
    assert_eq!(
        recognition.rivals().map(|it| it.name()).collect::<Vec<_>>(),
        [recognition.candidates[1].name()]
    );
}

#[test]
fn what_nobody_knows_names_the_nearest() {
    for (name, text, expected) in [
        (
            "a.csv",
            "serial_number,colour\n1,red\n",
            "no format fits the file; nearest is example-csv (30 %): a column for serial",
        ),
        ("a.atdx", "text", "no format fits the file; by its name it could be takaya-atdx (0 %): "),
        (
            "a.json",
            "{\"sn\":1}\n{\"sn\":2}",
            "no format fits the file; by its name it could be wats-json (0 %): begins like JSON, and cannot be read as a whole: ",
        ),
        ("a.none", "text", "no format fits the file, neither by its content nor by its name"),
    ] {
        let recognition = recognise(&file(name, text.as_bytes()));
        assert!(recognition.chosen().is_none());
        assert!(recognition.refusal().starts_with(expected), "{}", recognition.refusal());
    }
}
