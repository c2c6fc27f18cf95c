//! The steps of the samples are found again in the files that they came from.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::{input, samples};
use wats_converters::places::{Sought, find as find_places};
use wats_converters::{Arguments, find};

/// How many of the steps below the roots are found, in per cent; each in a line that shows its name or its number.
fn found(folder: &str, ending: &str, converter: &str) -> usize {
    let converter = find(converter).unwrap();
    let arguments = Arguments::defaults(converter.about().arguments);
    let (mut all, mut located) = (0, 0);
    for path in samples(folder).into_iter().filter(|path| path.to_string_lossy().ends_with(ending)) {
        let input = input(&path);
        let Ok(conversion) = converter.convert(&input, &arguments) else { continue };
        let steps: Vec<_> =
            conversion.reports.iter().flat_map(|it| it.root.iter().flat_map(|it| it.walk())).collect();
        // The topmost step is often the converter's own.
        let roots: Vec<_> = conversion.reports.iter().filter_map(|it| it.root.as_ref()).collect();
        let sought: Vec<_> = steps.iter().map(|step| Sought::from(*step)).collect();
        let places = find_places(&input.bytes, &sought);
        let below = steps
            .iter()
            .zip(&places)
            .filter(|(step, _)| !roots.iter().any(|root| std::ptr::eq(*root, **step)));
        all += below.clone().count();
        located += below.filter(|(_, place)| place.is_some()).count();
        let mut last = 0;
        for (step, place) in steps.iter().zip(&places) {
            let Some(place) = place else { continue };
            assert!(place.line >= last, "{}: {} goes back to line {}", path.display(), step.name, place.line);
            last = place.line;
            let plain = place
                .text
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
                .replace("\\/", "/");
            assert!(plain.contains(step.name.as_str()), "{}: {:?} in {plain}", path.display(), step.name);
            if converter.about().name == "wats-json" {
                let text = String::from_utf8_lossy(&input.bytes);
                let line = text.lines().nth(place.line - 1).unwrap();
                let before: String =
                    line.chars().take(place.column - 1).filter(|c| !c.is_whitespace()).collect();
                assert!(before.ends_with("\"name\":\""), "{}: {before}", path.display());
            }
        }
    }
    assert!(all > 0, "no steps in {folder}");
    100 * located / all
}

#[test]
fn steps_of_line_formats_are_found() {
    for (folder, ending, converter, least) in [
        ("converters/wats-text", ".txt", "wats-text", 95),
        ("converters/spea", ".txt", "spea", 60),
        ("converters/teradyne-spectrum-ict", ".txt", "teradyne-spectrum", 80),
    ] {
        let percent = found(folder, ending, converter);
        println!("{converter}: {percent} %");
        assert!(percent >= least, "{converter}: {percent} %");
    }
}

#[test]
fn steps_of_json_and_xml_are_found() {
    for (folder, ending, converter, least) in [
        ("converters/wats-json", ".json", "wats-json", 85),
        ("converters/wats-xml", ".xml", "wats-xml", 75),
        ("reports", "export.json", "wats-json", 85),
        ("reports", "export.xml", "wats-xml", 75),
        ("converters/seica-xml", "ml", "seica-xml", 60),
        ("converters/keysight-testexec-sl", ".xml", "keysight-testexec-sl", 60),
    ] {
        let percent = found(folder, ending, converter);
        println!("{folder} {converter}: {percent} %");
        assert!(percent >= least, "{folder}: {percent} %");
    }
}
