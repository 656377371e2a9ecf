//! What every document holds: one that is read has a canonical text, which is read too, and which
//! is its own canonical text.

use ceremony::canonical::canonical;
use ceremony::violation::{Input, Violation};

/// Reads a document, and what comes of writing it again.
pub fn round_trip<T>(input: Input, octets: &[u8], parse: fn(&[u8]) -> Result<T, Vec<Violation>>) {
    if let Err(violations) = parse(octets) {
        // A refusal is shown with its places, which must lie within what was read, in their order.
        assert!(violations.iter().all(|v| v.place.span.end <= octets.len()), "{violations:?}");
        assert!(!violations.is_empty() && violations.is_sorted_by_key(|v| v.place.span.start));
        return;
    }
    let text = canonical(input, octets).expect("what was read has a canonical text");
    let again = canonical(input, text.as_bytes()).expect("a canonical text is one");
    assert_eq!(again, text);
    if let Err(violations) = parse(text.as_bytes()) {
        panic!("a canonical text is refused: {violations:?}\n{text}");
    }
}
