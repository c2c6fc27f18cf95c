//! What every fuzz target does: any bytes give reports that a server takes, or an error in words.
//!
//! The tests of the converters include this file as well, so that the same is tried where no fuzzer is installed.

use wats_converters::{Arguments, Companion, Converter, Input, Station, find, recognise};

/// The families of formats, one target each; `recognise` asks all of them.
pub const FAMILIES: &[(&str, &[&str])] = &[
    ("wats", &["wats-json", "wats-text", "wats-xml"]),
    (
        "xml",
        &[
            "keysight-testexec-sl",
            "seica-xml",
            "atml",
            "teststand-xml",
            "saki-xml",
            "sigmaquest-xml",
            "stepwize",
        ],
    ),
    ("lines", &["klippel", "spea", "teradyne-spectrum", "teradyne-ict", "keysight-i3070"]),
    (
        "tables",
        &[
            "takaya-atd",
            "takaya-apt94xx",
            "takaya-atdx",
            "listen-soundcheck",
            "example-csv",
            "teradyne-nano-51e",
        ],
    ),
    ("stdf", &["stdf"]),
    ("packed", &["xjtag"]),
    ("recognise", &["auto"]),
];

/// Stands between the files of a unit of several; a fuzzer finds it in the seeds.
pub const NEXT_FILE: &[u8] = b"\n%%%%NEXT FILE%%%%\n";

/// Tries the bytes on all formats of a family.
///
/// # Panics
/// When a converter does, and when a report breaks the server's rules.
pub fn run(family: &str, bytes: &[u8]) {
    let input = input(bytes);
    let (_, formats) = FAMILIES.iter().find(|(name, _)| *name == family).expect("a family");
    for converter in formats.iter().filter_map(|format| find(format)) {
        let answer = converter.qualify(&input);
        assert!((0.0..=1.0).contains(&answer.confidence) && !answer.message.is_empty());
        convert(converter, &input);
    }
    if family == "recognise" {
        let recognition = recognise(&input);
        assert!(recognition.chosen().is_some() || !recognition.refusal().is_empty());
    }
}

fn convert(converter: &dyn Converter, input: &Input) {
    let name = converter.about().name;
    let arguments = Arguments::defaults(converter.about().arguments);
    let mut count = 0_usize;
    let converted = converter.convert_each(input.clone(), &arguments, &mut |report| {
        count += 1;
        let problems = wats::validate::problems(&report, wats::validate::Strictness::Observed);
        // Ids are given by whoever stores the reports.
        let problems: Vec<String> =
            problems.iter().filter(|it| it.path != "id").map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{name}: {problems:?}");
        let written = wats::wsjf::write(&report).expect("a report that can be written");
        assert!(wats::wsjf::read(&written).is_ok(), "{name}: a report that cannot be read back");
        Ok(())
    });
    match converted {
        Ok(_) => assert!(count > 0, "{name}: neither a report nor an error"),
        Err(error) => assert!(!error.to_string().is_empty() && !error.to_string().contains('\n'), "{name}"),
    }
}

/// The first file, and the others as those of its folder.
fn input(bytes: &[u8]) -> Input {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(NEXT_FILE.len()).position(|window| window == NEXT_FILE) {
        files.push(&rest[..at]);
        rest = &rest[at + NEXT_FILE.len()..];
    }
    files.push(rest);
    let companion = |(number, bytes): (usize, &&[u8])| Companion {
        name: format!("{}-data.txt", number + 1),
        bytes: bytes.to_vec(),
    };
    Input {
        file_name: "unit 17 (FP1 - OP01).dat".to_owned(),
        bytes: files[0].to_vec(),
        companions: files.iter().skip(1).enumerate().map(companion).collect(),
        modified: "2026-01-02T03:04:05Z".parse().expect("a time"),
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Production".to_owned(),
            time_zone: jiff::tz::TimeZone::get("Europe/Oslo").expect("a zone"),
        },
        now: "2026-01-02T03:05:00Z".parse().expect("a time"),
    }
}
