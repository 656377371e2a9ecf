//! The part of BER that LDAP uses (RFC 4511 5.1): definite lengths, primitive strings.

/// Writes an element.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = content.len().to_be_bytes();
            let length: Vec<u8> = octets.into_iter().skip_while(|octet| *octet == 0).collect();
            out.push(0x80 | u8::try_from(length.len()).unwrap_or(u8::MAX));
            out.extend(length);
        }
    }
    out.extend_from_slice(content);
    out
}

/// Writes a SEQUENCE, or another constructed element, of these parts.
pub(super) fn of(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// Writes an OCTET STRING.
pub(super) fn string(octets: impl AsRef<[u8]>) -> Vec<u8> {
    element(0x04, octets.as_ref())
}

/// Writes an INTEGER from 0 to 127, or an ENUMERATED.
pub(super) fn small(tag: u8, value: u8) -> Vec<u8> {
    element(tag, &[value & 0x7f])
}

/// Reads the head of an element: its tag, the length of the head, and that of the content; `None`
/// if more octets are needed.
pub(super) fn head(octets: &[u8]) -> Option<(u8, usize, usize)> {
    let (&tag, &first) = (octets.first()?, octets.get(1)?);
    if first < 0x80 {
        return Some((tag, 2, first.into()));
    }
    let count = usize::from(first & 0x7f);
    let length = octets.get(2..2 + count)?;
    let value = |sum: usize, octet: &u8| {
        sum.checked_mul(256).and_then(|sum| sum.checked_add(usize::from(*octet)))
    };
    // A length that no machine has is longer than everything that is read.
    let length = length.iter().try_fold(0, value).unwrap_or(usize::MAX);
    Some((tag, 2 + count, length))
}

/// Takes the first element: its tag and its content.
pub(super) fn take<'o>(octets: &mut &'o [u8]) -> Option<(u8, &'o [u8])> {
    let (tag, begins, length) = head(octets)?;
    let content = octets.get(begins..begins.checked_add(length)?)?;
    *octets = octets.get(begins + length..)?;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let written = string(&content);
            let mut rest = written.as_slice();
            assert_eq!(take(&mut rest).unwrap(), (0x04, content.as_slice()));
            assert!(rest.is_empty());
            let cut = written.get(..written.len() - 1).unwrap();
            assert_eq!(take(&mut &*cut), None);
        }
    }

    #[test]
    fn a_length_in_five_octets_is_read_as_servers_write_it() {
        let mut octets: &[u8] = &[0x30, 0x84, 0, 0, 0, 2, 5, 0];
        assert_eq!(take(&mut octets), Some((0x30, &[5, 0][..])));
        let mut huge: &[u8] = &[0x30, 0x88, 255, 255, 255, 255, 255, 255, 255, 255];
        assert_eq!(take(&mut huge), None);
    }
}
