//! Fuzzes the reader of `room.toml`.
#![no_main]

#[path = "shared/document.rs"]
mod document;

use ceremony::room::Room;
use ceremony::violation::Input;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    document::round_trip(Input::Room, octets, Room::parse);
});
