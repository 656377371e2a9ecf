//! Fuzzes the reader of a record: what is read is written as a line that is read as the same
//! record.
#![no_main]

use ceremony::record::{GENESIS, Record};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Ok(record) = Record::read(text) else { return };
    let line = record.to_line(GENESIS);
    let again = Record::read(line.trim_end()).expect("a line that was written");
    assert_eq!(again, record);
    assert_eq!(again.to_line(GENESIS), line);
});
