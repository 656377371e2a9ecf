//! The rules of a CRL, one function each.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::Decode as _;
use x509_cert::certificate::{Raw, Version};
use x509_cert::crl::RevokedCert;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber, CrlReason};

use super::certificate::issuer;
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, Crl, Judgement, REASON_CODE, instant, oid, once_each,
    rule, shown, time_form,
};
use super::{EntryReasons, ExpectedCrl};
use crate::fault::Fault;
use crate::hex;
use crate::key::Curve;
use crate::rule::RuleId;
use crate::x509::signature_algorithm;

/// Every rule of a CRL.
pub(super) fn faults(crl: &Crl, expected: &ExpectedCrl) -> Vec<Fault> {
    let revoked = entries(crl).map(|entry| entry.revocation_date);
    let times = [Some(crl.this_update), crl.next_update].into_iter().flatten().chain(revoked);
    let judgements = [
        version(crl),
        algorithm(crl, expected.curve),
        issuer(&crl.issuer, &expected.ca),
        time_form(times),
        this_update(crl, expected),
        next_update(crl, expected),
        next_update_of_iso(crl),
        once_each(crl.crl_extensions.as_ref()),
        extensions(crl),
        signing_key(crl, expected),
        number_length(crl),
        number(crl, expected),
        empty(crl),
        dates(crl),
        once(crl),
        cover(crl, expected),
        entry_extensions(crl, expected.reasons),
        never_undone(crl),
        reasons(crl),
    ];
    judgements.into_iter().filter_map(Result::err).collect()
}

fn entries(crl: &Crl) -> impl Iterator<Item = &RevokedCert<Raw>> {
    crl.revoked_certificates.iter().flatten()
}

fn serial(entry: &RevokedCert<Raw>) -> String {
    hex::encode(entry.serial_number.as_bytes())
}

fn version(crl: &Crl) -> Judgement {
    rule(RuleId::R_CRL, crl.version == Version::V2, "version 2", || format!("{:?}", crl.version))
}

fn algorithm(crl: &Crl, curve: Curve) -> Judgement {
    let found = &crl.signature;
    let holds = found.oid == signature_algorithm(curve) && found.parameters.is_none();
    let asked = format!("{} without parameters", signature_algorithm(curve));
    rule(RuleId::R_ALG, holds, &asked, || {
        format!("{}, parameters: {}", found.oid, found.parameters.is_some())
    })
}

fn this_update(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let holds = instant(crl.this_update) == Some(expected.this_update);
    let asked = format!("thisUpdate {}", expected.this_update);
    rule(RuleId::R_CRL, holds, &asked, || shown(Some(crl.this_update)))
}

/// CP/CPS 7.2.2 (D1, D37): days are counted from the day of effect, also when the list takes effect
/// during the day.
fn next_update(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    // Its absence is a fault by ISO's rule alone.
    let Some(found) = crl.next_update else { return Ok(()) };
    let day = expected.this_update.day().plus_days(i64::from(expected.validity_days));
    let end = day.ok().map(|day| day.start());
    let asked = format!("nextUpdate {} days from the day of effect", expected.validity_days);
    rule(RuleId::R_CRL, end.is_some() && instant(found) == end, &asked, || shown(Some(found)))
}

fn next_update_of_iso(crl: &Crl) -> Judgement {
    let first = instant(crl.this_update);
    let last = crl.next_update.and_then(instant);
    let latest = first.map(|first| first.plus_seconds(90 * 86_400));
    let holds = last.is_some() && last > first && last <= latest;
    let asked = "a nextUpdate after thisUpdate, at most 90 days";
    rule(RuleId::I_CRL_NEXT_UPDATE, holds, asked, || shown(crl.next_update))
}

fn extensions(crl: &Crl) -> Judgement {
    let found = || crl.crl_extensions.iter().flatten();
    let kinds: BTreeSet<String> = found().map(oid).collect();
    let asked = [AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER].map(String::from);
    let holds = kinds == BTreeSet::from(asked) && found().all(|extension| !extension.critical);
    rule(RuleId::I_CRL_EXT, holds, "authorityKeyIdentifier and cRLNumber, not critical", || {
        let shown = found().map(|extension| {
            format!("{}{}", oid(extension), if extension.critical { " critical" } else { "" })
        });
        shown.collect::<Vec<_>>().join(", ")
    })
}

/// The value of an extension, if it stands; whether it stands is for [`extensions`] to say.
fn value<'a, T>(crl: &'a Crl, kind: &str) -> Option<T>
where
    T: der::Decode<'a, Error = der::Error>,
{
    let mut found = crl.crl_extensions.iter().flatten();
    let found = found.find(|extension| oid(extension) == kind)?;
    T::from_der(found.extn_value.as_bytes()).ok()
}

fn signing_key(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let Some(found) = value::<AuthorityKeyIdentifier>(crl, AUTHORITY_KEY_IDENTIFIER) else {
        return Ok(());
    };
    let identifier = found.key_identifier.as_ref().map_or(&[][..], |octets| octets.as_bytes());
    let alone =
        found.authority_cert_issuer.is_none() && found.authority_cert_serial_number.is_none();
    let holds = identifier == expected.key_identifier && alone;
    rule(RuleId::P_CRL_KEY, holds, &hex::encode(&expected.key_identifier), || {
        let more = if alone { "" } else { " and an issuer or serial number" };
        format!("{}{more}", hex::encode(identifier))
    })
}

fn number_length(crl: &Crl) -> Judgement {
    let Some(CrlNumber(found)) = value(crl, CRL_NUMBER) else { return Ok(()) };
    let length = der_length(found.as_bytes());
    rule(RuleId::P_CRL_NUMBER, length <= 20, "at most 20 octets", || format!("{length} octets"))
}

/// The octets of an INTEGER: one more where the first bit would be read as a sign.
fn der_length(octets: &[u8]) -> usize {
    octets.len() + usize::from(octets.first().is_some_and(|octet| octet >> 7 == 1))
}

fn number(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let Some(CrlNumber(found)) = value(crl, CRL_NUMBER) else { return Ok(()) };
    let asked = expected.number.to_be_bytes();
    let asked: Vec<u8> = asked.into_iter().skip_while(|octet| *octet == 0).collect();
    let octets = found.as_bytes();
    // A number that is too long is a fault by its length alone; zero is written as one octet.
    let holds = der_length(octets) > 20 || octets.iter().skip_while(|o| **o == 0).eq(&asked);
    rule(RuleId::R_CRL, holds, &format!("CRL number {}", expected.number), || hex::encode(octets))
}

fn empty(crl: &Crl) -> Judgement {
    let holds = crl.revoked_certificates.as_ref().is_none_or(|entries| !entries.is_empty());
    rule(RuleId::P_CRL_EMPTY, holds, "no revokedCertificates field", || "an empty one".to_string())
}

fn dates(crl: &Crl) -> Judgement {
    let update = instant(crl.this_update);
    for entry in entries(crl) {
        let date = entry.revocation_date;
        rule(
            RuleId::P_CRL_DATES,
            instant(date) <= update,
            "no revocation after thisUpdate",
            || format!("{} revoked {}", serial(entry), shown(Some(date))),
        )?;
    }
    Ok(())
}

fn once(crl: &Crl) -> Judgement {
    let mut seen = BTreeSet::new();
    for entry in entries(crl) {
        let first = seen.insert(entry.serial_number.as_bytes());
        rule(RuleId::P_CRL_ONCE, first, "each serial number once", || {
            format!("{} twice", serial(entry))
        })?;
    }
    Ok(())
}

fn cover(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let found: BTreeSet<&[u8]> = entries(crl).map(|entry| entry.serial_number.as_bytes()).collect();
    let asked: BTreeSet<&[u8]> = expected.revoked.iter().map(<[u8; 20]>::as_slice).collect();
    let asks = format!("the {} revoked certificates and no other", asked.len());
    rule(RuleId::R_CRL_COVER, found == asked, &asks, || {
        let list = |octets: Vec<&&[u8]>| {
            let shown: Vec<_> = octets.iter().take(3).map(|o| hex::encode(o)).collect();
            format!("{} ({})", octets.len(), shown.join(", "))
        };
        let (missing, more) = (asked.difference(&found), found.difference(&asked));
        format!("missing {}, not asked for {}", list(missing.collect()), list(more.collect()))
    })
}

fn entry_extensions(crl: &Crl, reasons: EntryReasons) -> Judgement {
    let most = match reasons {
        EntryReasons::Include => 1,
        EntryReasons::Omit => 0,
    };
    for entry in entries(crl) {
        let Some(found) = &entry.crl_entry_extensions else { continue };
        let reason = found.iter().all(|one| oid(one) == REASON_CODE && !one.critical);
        let holds = reason && !found.is_empty() && found.len() <= most;
        let asked = match reasons {
            EntryReasons::Include => "a reason code, not critical, and nothing else",
            EntryReasons::Omit => "no entry extension",
        };
        rule(RuleId::I_CRL_ENTRY_EXT, holds, asked, || {
            let shown: Vec<_> = found.iter().map(oid).collect();
            format!("{}: {}", serial(entry), shown.join(", "))
        })?;
    }
    Ok(())
}

/// The reason of an entry, if it has one that RFC 5280 knows.
fn reason(entry: &RevokedCert<Raw>) -> Option<CrlReason> {
    let mut found = entry.crl_entry_extensions.iter().flatten();
    let found = found.find(|extension| oid(extension) == REASON_CODE)?;
    CrlReason::from_der(found.extn_value.as_bytes()).ok()
}

fn never_undone(crl: &Crl) -> Judgement {
    for entry in entries(crl) {
        let found = reason(entry);
        let undone = [Some(CrlReason::CertificateHold), Some(CrlReason::RemoveFromCRL)];
        rule(RuleId::R_NO_UNREVOKE, !undone.contains(&found), "a revocation for good", || {
            format!("{}: {found:?}", serial(entry))
        })?;
    }
    Ok(())
}

fn reasons(crl: &Crl) -> Judgement {
    for entry in entries(crl) {
        let found = reason(entry);
        let foreign = [Some(CrlReason::Unspecified), Some(CrlReason::AaCompromise)];
        rule(
            RuleId::P_REASON,
            !foreign.contains(&found),
            "a reason of the CP/CPS, or none",
            || format!("{}: {found:?}", serial(entry)),
        )?;
    }
    Ok(())
}
