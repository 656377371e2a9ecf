//! What every document holds: one that is read has a canonical text, which is read too, and which
//! is its own canonical text.

use ceremony::canonical::canonical;
use ceremony::violation::{Input, Violation};

/// Reads a document, and what comes of writing it again.
pub fn round_trip<T>(input: Input, octets: &[u8], parse: fn(&[u8]) -> Result<T, Violation>) {
    if let Err(violation) = parse(octets) {
        // A refusal is shown with its place, which must lie within what was read.
        assert!(violation.place.span.end <= octets.len(), "{violation:?}");
        return;
    }
    let text = canonical(input, octets).expect("what was read has a canonical text");
    let again = canonical(input, text.as_bytes()).expect("a canonical text is one");
    assert_eq!(again, text);
    if let Err(violation) = parse(text.as_bytes()) {
        panic!("a canonical text is refused: {violation:?}\n{text}");
    }
}
