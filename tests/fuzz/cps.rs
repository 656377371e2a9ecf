//! Fuzzes the reader of `cps.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::cps::Cps;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Cps, octets, Cps::parse);
});
