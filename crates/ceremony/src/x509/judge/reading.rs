//! Reading octets for judgement: strictly DER, with the types of `x509-cert`, and nothing repaired.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::{Decode, Encode};
use x509_cert::certificate::{Raw, TbsCertificateInner};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, CrlNumber, CrlReason,
    ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier, name::GeneralNames,
};
use x509_cert::time::Time;

use crate::fault::Fault;
use crate::rule::RuleId;
use crate::time::Instant;

pub(super) type Certificate = TbsCertificateInner<Raw>;
pub(super) type Crl = TbsCertList<Raw>;

/// What a rule comes to.
pub(super) type Judgement = Result<(), Fault>;

pub(super) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub(super) const KEY_USAGE: &str = "2.5.29.15";
pub(super) const ISSUER_ALT_NAME: &str = "2.5.29.18";
pub(super) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(super) const CRL_NUMBER: &str = "2.5.29.20";
pub(super) const REASON_CODE: &str = "2.5.29.21";
pub(super) const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub(super) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(super) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";

/// A rule holds, or it was asked for one thing and found another.
pub(super) fn rule(
    rule: RuleId,
    holds: bool,
    asked: &str,
    found: impl FnOnce() -> String,
) -> Judgement {
    if holds {
        return Ok(());
    }
    Err(Fault { rule, asked: asked.to_string(), found: found() })
}

/// P-DER: the octets are a TBSCertificate, and encoding it again gives the same.
pub(super) fn certificate(tbs: &[u8]) -> Result<Certificate, Fault> {
    let certificate: Certificate = same_again(tbs, "a TBSCertificate")?;
    certificate.extensions().into_iter().flatten().try_for_each(known_value)?;
    Ok(certificate)
}

/// P-DER: the octets are a TBSCertList, and encoding it again gives the same.
pub(super) fn crl(tbs: &[u8]) -> Result<Crl, Fault> {
    let crl: Crl = same_again(tbs, "a TBSCertList")?;
    let entries = crl.revoked_certificates.iter().flatten();
    let of_entries = entries.flat_map(|entry| entry.crl_entry_extensions.iter().flatten());
    crl.crl_extensions.iter().flatten().chain(of_entries).try_for_each(known_value)?;
    Ok(crl)
}

fn same_again<'a, T>(octets: &'a [u8], what: &str) -> Result<T, Fault>
where
    T: Decode<'a, Error = der::Error> + Encode,
{
    let asked = || format!("{what} in DER");
    let broken =
        |error: der::Error| Fault { rule: RuleId::P_DER, asked: asked(), found: error.to_string() };
    let value = T::from_der(octets).map_err(broken)?;
    if value.to_der().map_err(broken)? == octets {
        return Ok(value);
    }
    let found = "octets that are not what encoding the same value gives".to_string();
    Err(Fault { rule: RuleId::P_DER, asked: asked(), found })
}

/// The value of an extension that some rule looks into is DER as well.
fn known_value(extension: &Extension) -> Judgement {
    let value = extension.extn_value.as_bytes();
    match oid(extension).as_str() {
        SUBJECT_KEY_IDENTIFIER => {
            same_again::<SubjectKeyIdentifier>(value, "a key identifier").map(drop)
        }
        KEY_USAGE => same_again::<KeyUsage>(value, "a key usage").map(drop),
        ISSUER_ALT_NAME => same_again::<GeneralNames>(value, "general names").map(drop),
        BASIC_CONSTRAINTS => same_again::<BasicConstraints>(value, "basic constraints").map(drop),
        CRL_NUMBER => same_again::<CrlNumber>(value, "a CRL number").map(drop),
        REASON_CODE => same_again::<CrlReason>(value, "a reason of RFC 5280 5.3.1").map(drop),
        CRL_DISTRIBUTION_POINTS => {
            same_again::<CrlDistributionPoints>(value, "distribution points").map(drop)
        }
        EXTENDED_KEY_USAGE => same_again::<ExtendedKeyUsage>(value, "key purposes").map(drop),
        AUTHORITY_KEY_IDENTIFIER => {
            same_again::<AuthorityKeyIdentifier>(value, "an authority key identifier").map(drop)
        }
        _ => Ok(()),
    }
}

pub(super) fn oid(extension: &Extension) -> String {
    extension.extn_id.to_string()
}

/// The value of the first extension of a kind, which shall stand and be critical or not as
/// `critical` says.
pub(super) fn extension<'a, T>(
    extensions: Option<&'a Vec<Extension>>,
    (rule, kind, critical): (RuleId, &str, bool),
    asked: &str,
) -> Result<T, Fault>
where
    T: Decode<'a, Error = der::Error>,
{
    let broken = |found: String| Fault { rule, asked: asked.to_string(), found };
    let extension = extensions
        .into_iter()
        .flatten()
        .find(|extension| oid(extension) == kind)
        .ok_or_else(|| broken("no such extension".to_string()))?;
    if extension.critical != critical {
        let found = if extension.critical { "it is critical" } else { "it is not critical" };
        return Err(broken(found.to_string()));
    }
    T::from_der(extension.extn_value.as_bytes()).map_err(|error| broken(error.to_string()))
}

/// Seconds since 1970; a time that X.509 can write always has them.
pub(super) fn instant(time: Time) -> Option<Instant> {
    Instant::from_unix(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
}

pub(super) fn shown(time: Option<Time>) -> String {
    time.and_then(instant).map_or_else(|| "nothing".to_string(), |at| at.to_string())
}

/// P-TIME-FORM: UTCTime through 2049, GeneralizedTime from 2050.
pub(super) fn time_form(times: impl Iterator<Item = Time>) -> Judgement {
    for time in times {
        let early = time.to_date_time().year() <= 2049;
        let (holds, form) = match time {
            Time::UtcTime(_) => (early, "UTCTime"),
            Time::GeneralTime(_) => (!early, "GeneralizedTime"),
        };
        let asked = "UTCTime through 2049, GeneralizedTime from 2050";
        rule(RuleId::P_TIME_FORM, holds, asked, || format!("{form} for {}", shown(Some(time))))?;
    }
    Ok(())
}

/// P-EXT-UNIQUE: no extension stands twice.
pub(super) fn once_each(extensions: Option<&Vec<Extension>>) -> Judgement {
    let mut seen: Vec<String> = extensions.into_iter().flatten().map(oid).collect();
    seen.sort();
    let twice = seen.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(one.clone()),
        _ => None,
    });
    rule(RuleId::P_EXT_UNIQUE, twice.is_none(), "no extension twice", || {
        format!("{} twice", twice.clone().unwrap_or_default())
    })
}
