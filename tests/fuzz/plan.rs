//! Fuzzes the reader of `plan.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::plan::Plan;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Plan, octets, Plan::parse);
});
