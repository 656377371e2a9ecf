//! Fuzzes the reader of unified kernel images: whatever a file says of its sections, it is
//! measured in the time and the space of its own length, and twice alike.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    if let Ok(measured) = image::measure(octets) {
        assert_eq!(image::measure(octets).unwrap(), measured);
    }
});
