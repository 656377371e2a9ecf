//! The structures of RFC 5280 as they are written here: only the fields that a profile of ours can
//! hold.
//!
//! A field that no profile has cannot be encoded by mistake, because there is no place for it.
//! **Deliberately absent:** reading. What was written is judged with other types.

use alloc::vec::Vec;
use core::time::Duration;

use der::asn1::{Any, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString, Uint, UtcTime};
use der::{Choice, DateTime, Encode as _, Sequence, Tag};

use super::EncodeError;
use crate::time::Instant;

/// TBSCertificate (4.1), without the unique identifiers, which must not be generated (4.1.2.8).
#[derive(Debug, Clone, Sequence)]
pub(super) struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) version: u8,
    pub(super) serial_number: Uint,
    pub(super) signature: AlgorithmIdentifier,
    pub(super) issuer: Any,
    pub(super) validity: Validity,
    pub(super) subject: Any,
    pub(super) subject_public_key_info: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(super) extensions: Vec<EncodedExtension>,
}

/// TBSCertList (5.1). The entries are encoded one by one, because there may be a million of them.
#[derive(Debug, Clone, Sequence)]
pub(super) struct TbsCertList {
    pub(super) version: u8,
    pub(super) signature: AlgorithmIdentifier,
    pub(super) issuer: Any,
    pub(super) this_update: Time,
    pub(super) next_update: Time,
    pub(super) revoked_certificates: Option<Any>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) crl_extensions: Vec<EncodedExtension>,
}

/// An entry of revokedCertificates (5.1.2.6).
#[derive(Debug, Clone, Sequence)]
pub(super) struct RevokedCertificate {
    pub(super) user_certificate: Uint,
    pub(super) revocation_date: Time,
    pub(super) crl_entry_extensions: Option<Vec<EncodedExtension>>,
}

/// AlgorithmIdentifier (4.1.1.2); RFC 5758 3.2 leaves out the parameters.
#[derive(Debug, Clone, Sequence)]
pub(super) struct AlgorithmIdentifier {
    pub(super) algorithm: ObjectIdentifier,
}

/// Validity (4.1.2.5).
#[derive(Debug, Clone, Sequence)]
pub(super) struct Validity {
    pub(super) not_before: Time,
    pub(super) not_after: Time,
}

/// Time (4.1.2.5).
#[derive(Debug, Clone, Copy, Choice)]
pub(super) enum Time {
    #[asn1(type = "UTCTime")]
    Utc(UtcTime),
    #[asn1(type = "GeneralizedTime")]
    Generalized(GeneralizedTime),
}

/// Extension (4.1), its value already in DER.
#[derive(Debug, Clone, Sequence)]
pub(super) struct EncodedExtension {
    pub(super) extn_id: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    pub(super) critical: bool,
    pub(super) extn_value: OctetString,
}

/// AuthorityKeyIdentifier (4.2.1.1) by the key alone.
#[derive(Debug, Clone, Sequence)]
pub(super) struct AuthorityKeyIdentifier {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    pub(super) key_identifier: OctetString,
}

/// BasicConstraints (4.2.1.9).
#[derive(Debug, Clone, Sequence)]
pub(super) struct BasicConstraints {
    #[asn1(default = "Default::default")]
    pub(super) ca: bool,
    pub(super) path_len_constraint: Option<u8>,
}

/// GeneralName (4.2.1.6) that is a URI.
#[derive(Debug, Clone, Choice)]
pub(super) enum GeneralName {
    #[asn1(context_specific = "6", tag_mode = "IMPLICIT")]
    Uri(Ia5String),
}

/// DistributionPoint (4.2.1.13) without reasons and cRLIssuer.
#[derive(Debug, Clone, Sequence)]
pub(super) struct DistributionPoint {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) distribution_point: DistributionPointName,
}

/// DistributionPointName (4.2.1.13) that is a full name.
#[derive(Debug, Clone, Choice)]
pub(super) enum DistributionPointName {
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true")]
    FullName(Vec<GeneralName>),
}

impl Time {
    /// UTCTime through 2049, GeneralizedTime from 2050 (4.1.2.5).
    pub(super) fn of(at: Instant) -> Result<Self, EncodeError> {
        let refused = |_| EncodeError::Time { found: at };
        let seconds = u64::try_from(at.unix()).map_err(|_| EncodeError::Time { found: at })?;
        let date = DateTime::from_unix_duration(Duration::from_secs(seconds)).map_err(refused)?;
        if date.year() <= UtcTime::MAX_YEAR {
            return UtcTime::from_date_time(date).map(Self::Utc).map_err(refused);
        }
        Ok(Self::Generalized(GeneralizedTime::from_date_time(date)))
    }
}

/// A SEQUENCE of parts that are in DER already.
pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    let value = parts.concat();
    // Only a structure of more than 256 MiB fails, and no signature is ever asked for over such a
    // one.
    Any::new(Tag::Sequence, value).and_then(|any| any.to_der()).unwrap_or_default()
}
