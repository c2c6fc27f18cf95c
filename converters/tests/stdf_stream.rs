//! A lot of 100,000 parts is handed over part by part: memory does not grow with their number.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

mod support;

use support::convert::file;
use support::stdf::Stdf;
use wats_converters::{Arguments, find};

const PARTS: u32 = 100_000;

/// What this process holds, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// The only test of its process, so that what it measures is its own.
#[test]
fn memory_does_not_grow_with_the_number_of_parts() {
    let mut stdf = Stdf::lot(true);
    for part in 0..PARTS {
        // Four sites at once, with texts that have to be cut.
        let site = u8::try_from(part % 4).unwrap();
        stdf.pir(site);
        for test in 0..3 {
            stdf.short_ptr(site, test, 0, 1.5, &"long ".repeat(25));
        }
        if site == 3 {
            (0..4).for_each(|site| stdf.prr(site, 0, &format!("part {part} {site}")));
        }
    }
    stdf.mrr();
    let input = file("lot.stdf", &stdf.bytes);
    drop(stdf);
    let converter = find("stdf").unwrap();
    let arguments = Arguments::defaults(converter.about().arguments);
    let (mut count, mut early, mut most) = (0, 0, 0);
    let warnings = converter
        .convert_each(input, &arguments, &mut |report| {
            assert_eq!(report.root.unwrap().children().len(), 3);
            count += 1;
            if count == PARTS / 10 {
                early = resident();
            }
            if count % 1000 == 0 {
                most = most.max(resident());
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(count, PARTS);
    assert!(most - early < 2 << 20, "{early} bytes after a tenth of the parts, then {most}");
    assert!(warnings.len() < 10, "{warnings:?}");
}
