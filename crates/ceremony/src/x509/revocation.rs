//! A CRL entry: the revocation of one certificate.

use der::Enumerated;

use crate::time::Instant;

/// One entry of a CRL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// The serial number of the certificate.
    pub serial: [u8; 20],
    /// When it was revoked.
    pub date: Instant,
    /// The reason; `None` is *unspecified*, which must not be written (RFC 5280 5.3.1).
    pub reason: Option<Reason>,
}

/// The reasons that this CA gives (RFC 5280 5.3.1; profiles D20).
///
/// certificateHold and removeFromCRL are not among them: a revocation is never undone (CP/CPS
/// 4.9.5, 4.9.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enumerated)]
#[repr(u8)]
pub enum Reason {
    /// The private key is compromised, or a compromise is suspected.
    KeyCompromise = 1,
    /// The private key of a CA is compromised; for root and link certificates only.
    CaCompromise = 2,
    /// The certified data changed.
    AffiliationChanged = 3,
    /// A new certificate replaces it.
    Superseded = 4,
    /// The certificate is no longer used.
    CessationOfOperation = 5,
    /// The CP/CPS was violated, or the content is wrong.
    PrivilegeWithdrawn = 9,
}

impl Reason {
    /// Returns the reason's name in RFC 5280 5.3.1.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
        }
    }
}
