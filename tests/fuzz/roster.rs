//! Fuzzes the reader of `roster.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::roster::Roster;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Roster, octets, Roster::parse);
});
