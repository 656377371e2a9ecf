//! Fuzzes the reader of `anchor.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::anchor::Anchor;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Anchor, octets, Anchor::parse);
});
