//! Reads the octets that are judged: strictly as DER, with the types of `x509-cert`.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::{Decode, Encode, ErrorKind, Tag};
use x509_cert::certificate::{Raw, TbsCertificateInner};
use x509_cert::crl::TbsCertList;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, CrlNumber, CrlReason,
    ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier, name::GeneralNames,
};
use x509_cert::time::Time;

use crate::fault::Fault;
use crate::language::{Bilingual, Sentence, both};
use crate::rule::RuleId;
use crate::says;
use crate::time::{Instant, Offset};

pub(super) type Certificate = TbsCertificateInner<Raw>;
pub(super) type Crl = TbsCertList<Raw>;

/// The result of one rule.
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

/// Returns the fault of a rule that does not hold, with what was asked and what was found.
pub(super) fn rule(
    rule: RuleId,
    holds: bool,
    asked: impl FnOnce() -> Bilingual,
    found: impl FnOnce() -> Bilingual,
) -> Judgement {
    if holds {
        return Ok(());
    }
    Err(Fault::new(rule, asked(), found()))
}

/// P-DER: reads a TBSCertificate; encoding it again must give the same octets.
pub(super) fn certificate(tbs: &[u8]) -> Result<Certificate, Fault> {
    let certificate: Certificate = same_again(tbs, both("TBSCertificate", "a TBSCertificate"))?;
    certificate.extensions().into_iter().flatten().try_for_each(known_value)?;
    Ok(certificate)
}

/// P-DER: reads a TBSCertList; encoding it again must give the same octets.
pub(super) fn crl(tbs: &[u8]) -> Result<Crl, Fault> {
    let crl: Crl = same_again(tbs, both("TBSCertList", "a TBSCertList"))?;
    let entries = crl.revoked_certificates.iter().flatten();
    let of_entries = entries.flat_map(|entry| entry.crl_entry_extensions.iter().flatten());
    crl.crl_extensions.iter().flatten().chain(of_entries).try_for_each(known_value)?;
    Ok(crl)
}

/// Reads DER; encoding the value again must give the same octets.
pub(crate) fn same_again<'a, T>(octets: &'a [u8], what: Sentence) -> Result<T, Fault>
where
    T: Decode<'a, Error = der::Error> + Encode,
{
    let Sentence { ja, en } = what;
    let asked = || says!("{ja}(DER)", "{en} in DER");
    let broken = |error: der::Error| Fault::new(RuleId::P_DER, asked(), unreadable(&error));
    let value = T::from_der(octets).map_err(broken)?;
    if value.to_der().map_err(broken)? == octets {
        return Ok(value);
    }
    let found = says!(
        "同じ値を符号化したものと異なるオクテット列",
        "octets that are not what encoding the same value gives"
    );
    Err(Fault::new(RuleId::P_DER, asked(), found))
}

/// What is wrong with octets that cannot be read.
///
/// The reader knows the dates of 1970 to 9999. Others are DER too, so they are not called broken.
fn unreadable(error: &der::Error) -> Bilingual {
    let kind = error.kind();
    let dates = [Tag::UtcTime, Tag::GeneralizedTime].map(|tag| ErrorKind::Value { tag });
    if kind == ErrorKind::DateTime || dates.contains(&kind) {
        return says!(
            "DER だが、このプログラムの読み取れない日時(1970 年より前など)",
            "DER with a date that this program cannot read, such as one before 1970"
        );
    }
    Bilingual::plain(error)
}

fn read<'a, T>(octets: &'a [u8], what: Sentence) -> Judgement
where
    T: Decode<'a, Error = der::Error> + Encode,
{
    same_again::<T>(octets, what).map(drop)
}

/// P-DER: the value of an extension that some rule examines must be DER as well.
pub(crate) fn known_value(extension: &Extension) -> Judgement {
    let value = extension.extn_value.as_bytes();
    match oid(extension).as_str() {
        SUBJECT_KEY_IDENTIFIER => read::<SubjectKeyIdentifier>(
            value,
            both("subjectKeyIdentifier の値", "a key identifier"),
        ),
        KEY_USAGE => read::<KeyUsage>(value, both("keyUsage の値", "a key usage")),
        ISSUER_ALT_NAME => read::<GeneralNames>(value, both("GeneralNames", "general names")),
        BASIC_CONSTRAINTS => {
            read::<BasicConstraints>(value, both("basicConstraints の値", "basic constraints"))
        }
        CRL_NUMBER => read::<CrlNumber>(value, both("CRL 番号", "a CRL number")),
        REASON_CODE => read::<CrlReason>(
            value,
            both("RFC 5280 5.3.1 の失効事由", "a reason of RFC 5280 5.3.1"),
        ),
        CRL_DISTRIBUTION_POINTS => read::<CrlDistributionPoints>(
            value,
            both("cRLDistributionPoints の値", "distribution points"),
        ),
        EXTENDED_KEY_USAGE => {
            read::<ExtendedKeyUsage>(value, both("extKeyUsage の値", "key purposes"))
        }
        AUTHORITY_KEY_IDENTIFIER => read::<AuthorityKeyIdentifier>(
            value,
            both("authorityKeyIdentifier の値", "an authority key identifier"),
        ),
        _ => Ok(()),
    }
}

pub(super) fn oid(extension: &Extension) -> String {
    extension.extn_id.to_string()
}

/// Returns the value of the first extension of a kind.
///
/// # Errors
/// A fault of the given rule if the extension is absent, its criticality is not `critical`, or its
/// value cannot be decoded.
pub(super) fn extension<'a, T>(
    extensions: Option<&'a Vec<Extension>>,
    (rule, kind, critical): (RuleId, &str, bool),
    asked: impl FnOnce() -> Bilingual,
) -> Result<T, Fault>
where
    T: Decode<'a, Error = der::Error>,
{
    let broken = |found: Bilingual| Fault::new(rule, asked(), found);
    let found = extensions.into_iter().flatten().find(|extension| oid(extension) == kind);
    let Some(extension) = found else {
        return Err(broken(says!("この拡張なし", "no such extension")));
    };
    if extension.critical != critical {
        return Err(broken(if extension.critical {
            says!("critical なもの", "it is critical")
        } else {
            says!("critical でないもの", "it is not critical")
        }));
    }
    T::from_der(extension.extn_value.as_bytes()).map_err(|error| broken(Bilingual::plain(error)))
}

/// The last second that an [`Instant`] can be: 26 hours before the end of the year 9999, so that it
/// is in that year at every offset.
const LAST: i64 = 253_402_207_200;

/// Converts a time of X.509, to be counted and shown in this offset. Every such time can be
/// represented, so the result is never `None`.
///
/// 99991231235959Z, which means "no end" (RFC 5280 4.1.2.5), becomes the last instant.
pub(crate) fn instant(time: Time, offset: Offset) -> Option<Instant> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    Instant::from_unix(seconds.min(LAST), offset).ok()
}

pub(super) fn shown(time: Option<Time>, offset: Offset) -> Bilingual {
    time.and_then(|time| instant(time, offset)).map_or_else(Bilingual::nothing, Bilingual::plain)
}

/// A period, in words.
pub(super) fn period(first: Time, last: Time, offset: Offset) -> Bilingual {
    let (first, last) = (shown(Some(first), offset), shown(Some(last), offset));
    says!(first, last; "{first} から {last} まで", "{first} to {last}")
}

/// P-TIME-FORM: UTCTime through 2049, GeneralizedTime from 2050.
pub(super) fn time_form(times: impl Iterator<Item = Time>, offset: Offset) -> Judgement {
    for time in times {
        let early = time.to_date_time().year() <= 2049;
        let (holds, form) = match time {
            Time::UtcTime(_) => (early, "UTCTime"),
            Time::GeneralTime(_) => (!early, "GeneralizedTime"),
        };
        let asked = || {
            says!(
                "2049 年までの UTCTime、2050 年からの GeneralizedTime",
                "UTCTime through 2049, GeneralizedTime from 2050"
            )
        };
        rule(RuleId::P_TIME_FORM, holds, asked, || {
            let at = shown(Some(time), offset);
            says!(at; "{form} の {at}", "{form} for {at}")
        })?;
    }
    Ok(())
}

/// P-EXT-UNIQUE: no extension occurs twice.
pub(super) fn once_each(extensions: Option<&Vec<Extension>>) -> Judgement {
    let mut seen: Vec<String> = extensions.into_iter().flatten().map(oid).collect();
    seen.sort();
    let twice = seen.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(one.clone()),
        _ => None,
    });
    let asked = || says!("重複のない拡張", "no extension twice");
    rule(RuleId::P_EXT_UNIQUE, twice.is_none(), asked, || {
        says!("{} の重複", "{} twice", twice.clone().unwrap_or_default())
    })
}
