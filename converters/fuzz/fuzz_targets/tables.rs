#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| wats_converters_fuzz::run("tables", bytes));
