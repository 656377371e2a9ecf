//! Fuzzes the reader of `policy.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::policy::Policy;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Policy, octets, Policy::parse);
});
