//! What the tests of converters of logs share: made files, what becomes of them, and real ones with their ground truth.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wats::Report;
use wats::report::{Status, Step};
use wats_converters::{
    Arguments, Companion, Conversion, ConvertError, Input, Station, catalogue, choose, find,
};

use super::{Unit, units};

/// A file of that name as a station in Oslo reads it.
pub(crate) fn file(name: &str, bytes: &[u8]) -> Input {
    Input {
        file_name: name.to_owned(),
        bytes: bytes.to_vec(),
        companions: Vec::new(),
        modified: "2026-01-02T03:04:05Z".parse().unwrap(),
        station: Station {
            name: "ST1".to_owned(),
            location: "Lab".to_owned(),
            purpose: "Production".to_owned(),
            time_zone: jiff::tz::TimeZone::get("Europe/Oslo").unwrap(),
        },
        now: "2026-01-02T03:05:00Z".parse().unwrap(),
    }
}

pub(crate) fn with_companions(mut input: Input, companions: &[(&str, &[u8])]) -> Input {
    let companion =
        |(name, bytes): &(&str, &[u8])| Companion { name: (*name).to_owned(), bytes: bytes.to_vec() };
    input.companions = companions.iter().map(companion).collect();
    input
}

/// What a converter makes of a file; every report is one that a server takes.
pub(crate) fn convert_with(
    converter: &str,
    input: &Input,
    given: &[(&str, &str)],
) -> Result<Conversion, ConvertError> {
    let converter = find(converter).unwrap();
    let given: BTreeMap<String, String> =
        given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let arguments = Arguments::new(converter.about().arguments, &given).unwrap();
    let conversion = converter.convert(input, &arguments)?;
    assert!(!conversion.reports.is_empty());
    for report in &conversion.reports {
        let problems = wats::validate::problems(report, wats::validate::Strictness::Observed);
        assert!(problems.iter().all(|p| p.path == "id"), "{}: {problems:?}", input.file_name);
        assert!(wats::wsjf::read(&wats::wsjf::write(report).unwrap()).is_ok());
    }
    Ok(conversion)
}

pub(crate) fn convert(converter: &str, input: &Input) -> Result<Conversion, ConvertError> {
    convert_with(converter, input, &[])
}

#[track_caller]
pub(crate) fn fails(converter: &str, input: &Input, expected: &str) {
    let error = convert(converter, input).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[track_caller]
pub(crate) fn warns(conversion: &Conversion, expected: &str) {
    let count = conversion.warnings.iter().filter(|warning| warning.contains(expected)).count();
    assert_eq!(count, 1, "{expected:?} in {:?}", conversion.warnings);
}

/// The steps of a report that are no sequences.
pub(crate) fn leaves(report: &Report) -> Vec<&Step> {
    report.root.as_ref().unwrap().walk().filter(|step| step.seq_call.is_none()).collect()
}

pub(crate) fn step<'a>(report: &'a Report, name: &str) -> &'a Step {
    leaves(report).into_iter().find(|step| step.name == name).unwrap_or_else(|| panic!("no step {name}"))
}

pub(crate) fn failed(steps: &[&Step]) -> usize {
    steps.iter().filter(|step| step.status == Status::Failed).count()
}

pub(crate) fn real(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples/real").join(path)
}

/// The real files of a folder, with what they give and what stands in them; each is recognised as its own.
pub(crate) fn real_files(folder: &str, converter: &str) -> Vec<(Conversion, Vec<Unit>)> {
    let mut files: Vec<(String, Vec<Unit>)> = Vec::new();
    for unit in units(folder) {
        match files.last_mut() {
            Some((path, units)) if *path == unit.path => units.push(unit),
            _ => files.push((unit.path.clone(), vec![unit])),
        }
    }
    let read = |(path, units): (String, Vec<Unit>)| {
        let input = super::input(&real(&path));
        recognised(&input, converter);
        let conversion = convert(converter, &input).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(conversion.reports.len(), units.len(), "{path}");
        for (report, unit) in conversion.reports.iter().zip(&units) {
            assert_eq!(report.result.letter(), unit.result, "{path} {}", unit.serial);
            let user = report.uut.as_ref().unwrap().user.clone().unwrap();
            assert_eq!(user, unit.operator.as_deref().unwrap_or(&user), "{path} {}", unit.serial);
            let station = unit.station.as_deref().unwrap_or(&report.machine_name);
            assert_eq!(report.machine_name, station, "{path} {}", unit.serial);
            if let Some(start) = &unit.start_time {
                // A time without an offset is local to the station, whose zone is UTC here.
                let zoned =
                    start.ends_with('Z') || start.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
                let stated: jiff::Timestamp =
                    if zoned { start.parse() } else { format!("{start}Z").parse() }.unwrap();
                assert_eq!(
                    report.start.as_ref().unwrap().instant().unwrap(),
                    stated,
                    "{path} {}",
                    unit.serial
                );
            }
        }
        (conversion, units)
    };
    files.into_iter().map(read).collect()
}

/// Sure to be its own, and nobody else's.
#[track_caller]
pub(crate) fn recognised(input: &Input, converter: &str) {
    assert_eq!(choose(input).map(|it| it.about().name), Some(converter), "{}", input.file_name);
    for other in catalogue() {
        let answer = other.qualify(input);
        let own = other.about().name == converter;
        assert!(
            if own { answer.confidence >= 0.9 } else { !answer.is_yes() },
            "{} {answer:?}",
            other.about().name
        );
    }
}

/// Files that are nobody's: the converter refuses them in words, and claims none.
pub(crate) fn refuses_what_is_no_log(converter: &str) {
    let long = "x".repeat(100_000);
    for bytes in [
        &b""[..],
        b"   \r\n",
        b"\0\x01\x02\x03binary",
        b"hello\n",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"<a/>",
        long.as_bytes(),
    ] {
        let input = file("unit.txt", bytes);
        assert!(!find(converter).unwrap().qualify(&input).is_yes(), "{converter}");
        let error = convert(converter, &input).unwrap_err();
        assert!(!error.problem.is_empty());
    }
}

/// Broken off anywhere, a file gives an error or fewer reports, and never a panic or one that a server refuses.
pub(crate) fn may_break_off_anywhere(converter: &str, path: &str) {
    let whole = super::input(&real(path));
    let all = convert(converter, &whole).unwrap().reports.len();
    for at in (0..40).map(|part| whole.bytes.len() * part / 40) {
        let mut input = whole.clone();
        input.bytes.truncate(at);
        if let Ok(conversion) = convert(converter, &input) {
            assert!(conversion.reports.len() <= all);
        }
        // One damaged byte.
        let mut input = whole.clone();
        if let Some(byte) = input.bytes.get_mut(at) {
            *byte ^= 0x55;
        }
        drop(convert(converter, &input));
    }
}
