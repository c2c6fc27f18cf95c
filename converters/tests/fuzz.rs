//! The fuzz targets without a fuzzer: each family of formats on samples that are cut, changed and joined at random.
//!
//! `./just fuzz` runs the same with coverage, for as long as one likes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

#[path = "../fuzz/src/lib.rs"]
#[allow(unreachable_pub, reason = "a library in its own package")]
mod fuzz;
mod support;

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use fuzz::{FAMILIES, NEXT_FILE};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use support::stdf::Stdf;
use wats_converters::catalogue;

/// Of a larger sample the beginning is enough.
const LARGEST: usize = 30_000;
/// No small file takes as long, on however slow a machine.
const HANG: Duration = Duration::from_secs(20);

/// A sample as one text: the files of its folder follow it.
fn seed(path: &Path) -> Vec<u8> {
    let input = support::input(path);
    let mut bytes = if input.bytes.starts_with(b"\x1f\x8b") {
        let mut unpacked = Vec::new();
        let limit = u64::try_from(LARGEST).unwrap();
        flate2::read::GzDecoder::new(&*input.bytes).take(limit).read_to_end(&mut unpacked).unwrap();
        unpacked
    } else {
        input.bytes
    };
    // The list of entries of an archive stands at its end.
    if !bytes.starts_with(b"PK") {
        bytes.truncate(LARGEST);
    }
    for companion in input.companions.iter().take(3) {
        bytes.extend_from_slice(NEXT_FILE);
        bytes.extend_from_slice(companion.bytes.get(..2000).unwrap_or(&companion.bytes));
    }
    bytes
}

/// The samples of a family: of the folders in which a format of it is at home, and made ones.
fn seeds(family: &str) -> Vec<Vec<u8>> {
    let folders: &[&str] = match family {
        "wats" => &["converters/wats-json", "converters/wats-text", "converters/wats-xml"],
        "xml" => &[
            "converters/keysight-testexec-sl",
            "converters/seica-xml",
            "converters/atml",
            "real/atml",
            "real/teststand-xml",
            "real/saki-xml",
            "real/sigmaquest-xml",
            "real/stepwize",
        ],
        "lines" => &[
            "converters/klippel",
            "converters/spea",
            "converters/teradyne-spectrum-ict",
            "converters/teradyne-ict",
            "real/klippel",
            "real/spea-3030",
            "real/teradyne-spectrum",
            "real/teradyne-gr228x",
        ],
        "tables" => &[
            "converters/example-csv",
            "real/takaya-atd",
            "real/takaya-apt94xx",
            "real/takaya-atdx",
            "real/listen-soundcheck",
        ],
        "stdf" => &["real/stdf"],
        "packed" => &["converters/xjtag", "real/xjtag"],
        "recognise" => &["converters/ai", "converters/spea", "real/saki-xml", "converters/xjtag"],
        other => panic!("no seeds for {other}"),
    };
    let is_input = |path: &Path| {
        let name = path.to_string_lossy();
        path.is_file()
            && ![".expected.json", ".intended.json", ".note.md"].iter().any(|it| name.ends_with(it))
    };
    let mut seeds: Vec<Vec<u8>> = folders
        .iter()
        .flat_map(|folder| support::samples(folder))
        .filter(|path| is_input(path))
        .map(|path| seed(&path))
        .collect();
    if matches!(family, "stdf" | "recognise") {
        seeds.extend([true, false].map(made_lot));
    }
    assert!(!seeds.is_empty());
    seeds
}

fn made_lot(big: bool) -> Vec<u8> {
    let mut lot = Stdf::lot(big);
    lot.pir(0);
    lot.pir(1);
    lot.ptr(0, 1, 1.5, "Group: V", 0x0e, (1.0, 2.0));
    lot.short_ptr(1, 1, 0x80, 3.0, "");
    lot.prr(0, 0, "A");
    lot.prr(1, 8, "B");
    lot.mrr();
    lot.bytes
}

/// One change of a file.
#[derive(Debug, Clone)]
enum Change {
    Cut(prop::sample::Index),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let words: Vec<&[u8]> = vec![
        b"\n",
        b"\t",
        b";",
        b"\"",
        b"<",
        b">",
        b"&",
        b"|",
        b"{@",
        b"}",
        b"\0",
        b"\xff\xff\xff\xff",
        b"-1",
        b"1e999",
        b"NaN",
        b"9999999999999999999",
        b"\xef\xbb\xbf",
        b"\xc3",
        b"<!--",
        b"]]>",
    ];
    prop_oneof![
        1 => at().prop_map(Change::Cut),
        6 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (at(), prop::sample::select(words)).prop_map(|(at, word)| Change::Insert(at, word.to_vec())),
        2 => (at(), 1..200_usize).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => (at(), 1..200_usize, 2..20_usize).prop_map(|(at, count, times)| Change::Repeat(at, count, times)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        match change {
            Change::Cut(at) => bytes.truncate(at.index(length)),
            Change::Set(at, byte) => bytes[at.index(length)] = *byte,
            Change::Insert(at, word) => {
                let at = at.index(length);
                bytes.splice(at..at, word.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = at.index(length);
                bytes.drain(at..(at + count).min(length));
            }
            Change::Repeat(at, count, times) => {
                let at = at.index(length);
                let piece = bytes[at..(at + count).min(length)].repeat(*times);
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// As many changed samples of each family are tried; `FUZZ_CASES` says how many others.
fn cases() -> u32 {
    std::env::var("FUZZ_CASES").map_or(150, |cases| cases.parse().expect("FUZZ_CASES is a number"))
}

/// Tries a family; the cases are the same at every run.
fn try_family(family: &str) {
    let seeds = seeds(family);
    for seed in &seeds {
        fuzz::run(family, seed);
    }
    let mut runner = TestRunner::new_with_rng(
        Config { cases: cases(), failure_persistence: None, max_shrink_iters: 200, ..Config::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let cases = (prop::sample::select(seeds), prop::collection::vec(change(), 1..12));
    let outcome = runner.run(&cases, |(seed, changes)| {
        let bytes = changed(seed, &changes);
        let started = Instant::now();
        fuzz::run(family, &bytes);
        prop_assert!(started.elapsed() < HANG, "{} bytes took {:?}", bytes.len(), started.elapsed());
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn wats() {
    try_family("wats");
}

#[test]
fn xml() {
    try_family("xml");
}

#[test]
fn lines() {
    try_family("lines");
}

#[test]
fn tables() {
    try_family("tables");
}

#[test]
fn stdf() {
    try_family("stdf");
}

#[test]
fn packed() {
    try_family("packed");
}

#[test]
fn recognise() {
    try_family("recognise");
}

#[test]
fn every_format_is_in_a_family_and_every_family_is_a_target() {
    for converter in catalogue() {
        let name = converter.about().name;
        let count = FAMILIES.iter().filter(|(_, formats)| formats.contains(&name)).count();
        assert_eq!(count, 1, "{name} is in {count} families of converters/fuzz/src/lib.rs");
    }
    let manifest = include_str!("../fuzz/Cargo.toml");
    for (family, _) in FAMILIES {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{family}.rs\"")), "{family} is no target");
    }
}

/// Writes the seeds for the fuzzer, one file each, into the folder that `FUZZ_CORPUS` names.
#[test]
fn seeds_are_written_where_the_fuzzer_looks() {
    let set = std::env::var_os("FUZZ_CORPUS").map(std::path::PathBuf::from);
    let folder = set.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-corpus"));
    for (family, _) in FAMILIES {
        let folder = folder.join(family);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds(family).iter().enumerate() {
            let mut file = std::fs::File::create(folder.join(format!("seed-{number}"))).unwrap();
            file.write_all(seed).unwrap();
        }
        assert!(std::fs::read_dir(&folder).unwrap().count() > 0, "{family}");
    }
}
