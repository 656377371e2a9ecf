//! A PIN on its way from the keyboard into the token.

use zeroize::Zeroizing;

/// The most octets that a PIN can have.
pub const LONGEST: usize = 256;

/// A PIN. It cannot be copied or shown, and is overwritten when it is dropped.
///
/// **Invariant:** its octets are in one place from the first to the last. The room for them never
/// grows, because what grows is moved, and leaves itself behind where it was.
pub struct Pin {
    room: Box<Zeroizing<[u8; LONGEST]>>,
    length: usize,
}

/// The error of an octet for which a PIN has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

impl Pin {
    /// A PIN of no octets yet.
    #[must_use]
    pub fn empty() -> Self {
        Self { room: Box::new(Zeroizing::new([0; LONGEST])), length: 0 }
    }

    /// Takes its next octet.
    ///
    /// # Errors
    ///
    /// Where it has no room for one more.
    pub fn push(&mut self, octet: u8) -> Result<(), TooLong> {
        *self.room.get_mut(self.length).ok_or(TooLong)? = octet;
        self.length += 1;
        Ok(())
    }

    /// A PIN of these octets.
    ///
    /// # Errors
    ///
    /// Where it has no room for them.
    pub fn of(octets: &[u8]) -> Result<Self, TooLong> {
        let mut pin = Self::empty();
        octets.iter().try_for_each(|octet| pin.push(*octet))?;
        Ok(pin)
    }

    /// Whether it has no octet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether this is what people type who have no PIN: an empty line, or a no.
    #[must_use]
    pub fn is_no_pin(&self) -> bool {
        let no = ["", "no", "いいえ"].map(str::as_bytes);
        no.iter().any(|no| self.octets().eq_ignore_ascii_case(no))
    }

    /// Returns the octets: for the token, and for whoever reads a share of a PIN as words.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a PIN")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]
    use super::*;

    #[test]
    fn a_pin_stays_where_it_is_and_does_not_grow() {
        let mut pin = Pin::empty();
        let room = pin.octets().as_ptr();
        for _ in 0..LONGEST {
            pin.push(b'7').unwrap();
        }
        assert_eq!(pin.push(b'7'), Err(TooLong));
        assert_eq!((pin.octets().as_ptr(), pin.octets()), (room, [b'7'; LONGEST].as_slice()));
        assert_eq!(format!("{pin:?}"), "a PIN");
    }
}
