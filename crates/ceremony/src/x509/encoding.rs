//! The structures of RFC 5280 for encoding, with only the fields that a profile of this CA uses.
//!
//! A field that no profile uses cannot be encoded by mistake, because it does not exist here.
//! **Deliberately absent:** decoding. Encoded structures are judged with other types.

use alloc::vec::Vec;
use core::time::Duration;

use der::asn1::{
    Any, AnyRef, BitStringRef, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString, Uint,
    UintRef, UtcTime,
};
use der::{
    Choice, DateTime, Encode, EncodeValue, ErrorKind, FixedTag, Length, Sequence, Tag, Writer,
};

use super::EncodeError;
use super::revocation::{Reason, Revoked};
use crate::certain::Certain as _;
use crate::time::Instant;

/// id-ce-cRLReasons (RFC 5280 5.3.1).
const REASON_CODE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.21");

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

/// TBSCertList (5.1).
#[derive(Debug, EncodeValue)]
pub(super) struct TbsCertList<'a> {
    pub(super) version: u8,
    pub(super) signature: AlgorithmIdentifier,
    pub(super) issuer: Any,
    pub(super) this_update: Time,
    pub(super) next_update: Time,
    pub(super) revoked_certificates: Option<Entries<'a>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(super) crl_extensions: Vec<EncodedExtension>,
}

/// revokedCertificates (5.1.2.6). Each entry is encoded straight into the output, because there may
/// be a million of them.
#[derive(Debug)]
pub(super) struct Entries<'a>(pub(super) &'a [Revoked]);

/// An entry of revokedCertificates (5.1.2.6).
#[derive(EncodeValue)]
struct RevokedCertificate<'a> {
    user_certificate: UintRef<'a>,
    revocation_date: Time,
    crl_entry_extensions: Option<[ReasonCode; 1]>,
}

/// The extension reasonCode (5.3.1), not critical.
#[derive(EncodeValue)]
struct ReasonCode {
    extn_id: ObjectIdentifier,
    extn_value: Holding<Reason>,
}

/// An OCTET STRING that holds a structure in DER.
struct Holding<T>(T);

/// Certificate (4.1) or CertificateList (5.1), with the octets exactly as they were signed.
#[derive(EncodeValue)]
pub(super) struct Assembled<'a> {
    pub(super) tbs: AnyRef<'a>,
    pub(super) algorithm: AlgorithmIdentifier,
    pub(super) signature: BitStringRef<'a>,
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

/// Extension (4.1), with its value already in DER.
#[derive(Debug, Clone, Sequence)]
pub(super) struct EncodedExtension {
    pub(super) extn_id: ObjectIdentifier,
    #[asn1(default = "Default::default")]
    pub(super) critical: bool,
    pub(super) extn_value: OctetString,
}

/// AuthorityKeyIdentifier (4.2.1.1) with keyIdentifier only.
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

/// GeneralName (4.2.1.6) that is an e-mail address or a URI.
#[derive(Debug, Clone, Choice)]
pub(super) enum GeneralName {
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT")]
    Email(Ia5String),
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
    /// Returns UTCTime through 2049, and GeneralizedTime from 2050 (4.1.2.5).
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

impl FixedTag for TbsCertList<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl FixedTag for Entries<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl FixedTag for RevokedCertificate<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl FixedTag for ReasonCode {
    const TAG: Tag = Tag::Sequence;
}

impl<T> FixedTag for Holding<T> {
    const TAG: Tag = Tag::OctetString;
}

impl FixedTag for Assembled<'_> {
    const TAG: Tag = Tag::Sequence;
}

impl EncodeValue for Entries<'_> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.iter().try_fold(Length::ZERO, |sum, entry| sum + entry_of(entry)?.encoded_len()?)
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.0.iter().try_for_each(|entry| entry_of(entry)?.encode(writer))
    }
}

fn entry_of(entry: &Revoked) -> der::Result<RevokedCertificate<'_>> {
    let code = |reason| [ReasonCode { extn_id: REASON_CODE, extn_value: Holding(reason) }];
    Ok(RevokedCertificate {
        user_certificate: UintRef::new(&entry.serial)?,
        revocation_date: Time::of(entry.date).map_err(|_| ErrorKind::DateTime)?,
        crl_entry_extensions: entry.reason.map(code),
    })
}

impl<T: Encode> EncodeValue for Holding<T> {
    fn value_len(&self) -> der::Result<Length> {
        self.0.encoded_len()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        self.0.encode(writer)
    }
}

/// Returns a SEQUENCE of parts that are DER already.
pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    let value = parts.concat();
    let any = Any::new(Tag::Sequence, value).and_then(|any| any.to_der());
    any.certain("inputs have bounds far below the 256 MiB that DER of this crate takes")
}
