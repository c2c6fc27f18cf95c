//! Converters of files of records and tables: samples, real files, and the corners of each format.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    reason = "a test stops at what it did not expect"
)]

mod klippel;
#[path = "../support/mod.rs"]
mod support;
mod xjtag;

use support::convert::*;

#[test]
fn what_is_no_test_log_is_refused() {
    for converter in ["xjtag", "klippel"] {
        refuses_what_is_no_log(converter);
    }
}

#[test]
fn a_file_may_break_off_anywhere() {
    for (converter, path) in [
        ("xjtag", "xjtag/567567_14_29_24_17_06_2020_Pass.xml"),
        ("xjtag", "xjtag/1234_14_25_32_10.08.2018_Pass.xjlog"),
        ("klippel", "klippel/DUT xyz115 2020-05-14 10-01-37-5 UTC+0200.txt"),
    ] {
        may_break_off_anywhere(converter, path);
    }
}
