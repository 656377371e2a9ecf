//! A PIN on its way from the keyboard into the token.

use zeroize::Zeroizing;

/// A PIN. It cannot be copied or shown, and is overwritten when it is dropped.
pub struct Pin(Zeroizing<Vec<u8>>);

impl Pin {
    /// Takes the octets of a PIN.
    #[must_use]
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The octets, for the token alone.
    pub(crate) fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a PIN")
    }
}
