//! What a token calls text.

/// Returns a text of a token without the blanks at its end, and without the NULs that some modules
/// write instead.
pub(super) fn field(octets: &[u8]) -> String {
    let end = octets.iter().rposition(|octet| ![b' ', 0].contains(octet));
    plain(end.and_then(|last| octets.get(..=last)).unwrap_or_default())
}

/// Returns octets as text. What is not a character, or is invisible, is written as `\xNN`, octet by
/// octet.
pub(super) fn plain(octets: &[u8]) -> String {
    let mut text = String::new();
    for chunk in octets.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || ceremony::text::is_refused(character) || character == '\\'
            {
                let mut room = [0; 4];
                escape(character.encode_utf8(&mut room).as_bytes(), &mut text);
            } else {
                text.push(character);
            }
        }
        escape(chunk.invalid(), &mut text);
    }
    text
}

fn escape(octets: &[u8], text: &mut String) {
    for octet in octets {
        text.push_str(&format!("\\x{octet:02x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_token_is_shown_as_it_is_or_octet_by_octet() {
        assert_eq!(field(b"SoftHSM v2      "), "SoftHSM v2");
        assert_eq!(field(b"SW   TPM\0\0\0\0\0\0\0\0"), "SW   TPM");
        assert_eq!(field(b"\0\0  "), "");
        assert_eq!(field(b"A\0B\x1b[2J\\"), "A\\x00B\\x1b[2J\\x5c");
        assert_eq!(field(b"\xff\xfe ok"), "\\xff\\xfe ok");
        assert_eq!(field("\u{202e}txt".as_bytes()), "\\xe2\\x80\\xaetxt");
        assert_eq!(field("鍵 1".as_bytes()), "鍵 1");
    }
}
