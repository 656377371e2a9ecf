//! The rules of a CRL, one function each.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use der::Decode as _;
use x509_cert::certificate::{Raw, Version};
use x509_cert::crl::RevokedCert;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlNumber, CrlReason};

use super::certificate::{issuer, there};
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, Crl, Judgement, REASON_CODE, instant, oid, rule, shown,
};
use super::{EntryReasons, ExpectedCrl, words};
use crate::fault::Fault;
use crate::hex;
use crate::key::Curve;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::Offset;
use crate::x509::signature_algorithm;

/// Judges a CRL by every rule of its CA.
pub(super) fn faults(crl: &Crl, expected: &ExpectedCrl) -> Vec<Fault> {
    let judgements = [
        algorithm(crl, expected.curve),
        issuer(&crl.issuer, &expected.ca),
        this_update(crl, expected),
        next_update(crl, expected),
        signing_key(crl, expected),
        number(crl, expected),
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

pub(super) fn version(crl: &Crl) -> Judgement {
    let found = crl.version;
    let asked = || Bilingual::plain("version 2");
    rule(RuleId::R_CRL, found == Version::V2, asked, || words::version(found))
}

fn algorithm(crl: &Crl, curve: Curve) -> Judgement {
    let found = &crl.signature;
    let holds = found.oid == signature_algorithm(curve) && found.parameters.is_none();
    let asked =
        || says!("{}(パラメーターなし)", "{} without parameters", signature_algorithm(curve));
    rule(RuleId::R_ALG, holds, asked, || {
        let (oid, some) = (found.oid, found.parameters.is_some());
        let is = there(some);
        says!("{oid}、パラメーター{is}", "{oid}, parameters: {some}")
    })
}

fn this_update(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let offset = expected.this_update.offset();
    let holds = instant(crl.this_update, offset) == Some(expected.this_update);
    let asked = || Bilingual::plain(format_args!("thisUpdate {}", expected.this_update));
    rule(RuleId::R_CRL, holds, asked, || shown(Some(crl.this_update), offset))
}

/// Judges nextUpdate (D1, D37). The span is counted from the day of thisUpdate, even if thisUpdate
/// is later than 00:00 on that day; the last CRLs of a key end with its root.
fn next_update(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    // The absence of nextUpdate is a fault of I-CRL-NEXT-UPDATE only.
    let Some(found) = crl.next_update else { return Ok(()) };
    let offset = expected.this_update.offset();
    let day = expected.this_update.day().plus(&expected.validity, 1);
    let over = expected.root_ends.plus_seconds(1);
    let end = day.ok().map(|day| day.start(offset).min(over));
    let asked = || {
        let validity = expected.validity.said();
        says!(
            validity;
            "効力を生じる日から {validity} 後、遅くともルート証明書の終わる {over} の nextUpdate",
            "nextUpdate {validity} from the day of effect, but at {over}, as the root ends, at most"
        )
    };
    let holds = end.is_some() && instant(found, offset) == end;
    rule(RuleId::R_CRL, holds, asked, || shown(Some(found), offset))
}

pub(super) fn next_update_of_iso(crl: &Crl, offset: Offset) -> Judgement {
    let first = instant(crl.this_update, offset);
    let last = crl.next_update.and_then(|last| instant(last, offset));
    let latest = first.map(|first| first.plus_seconds(90 * 86_400));
    let holds = last.is_some() && last > first && last <= latest;
    let asked = || {
        says!(
            "thisUpdate より後、90 日以内の nextUpdate",
            "a nextUpdate after thisUpdate, at most 90 days"
        )
    };
    rule(RuleId::I_CRL_NEXT_UPDATE, holds, asked, || shown(crl.next_update, offset))
}

pub(super) fn extensions(crl: &Crl) -> Judgement {
    let found = || crl.crl_extensions.iter().flatten();
    let kinds: BTreeSet<String> = found().map(oid).collect();
    let asked = [AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER].map(String::from);
    let holds = kinds == BTreeSet::from(asked) && found().all(|extension| !extension.critical);
    let asked = || {
        says!(
            "authorityKeyIdentifier と cRLNumber(critical でない)",
            "authorityKeyIdentifier and cRLNumber, not critical"
        )
    };
    rule(RuleId::I_CRL_EXT, holds, asked, || {
        let shown = found().map(|extension| {
            format!("{}{}", oid(extension), if extension.critical { " critical" } else { "" })
        });
        Bilingual::plain(shown.collect::<Vec<_>>().join(", "))
    })
}

/// The value of an extension, if it is present. [`extensions`] judges whether it is.
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
    let asked = || Bilingual::plain(hex::encode(&expected.key_identifier));
    rule(RuleId::P_CRL_KEY, holds, asked, || {
        let found = hex::encode(identifier);
        if alone {
            return Bilingual::plain(found);
        }
        says!("{found} と、発行者又はシリアル番号", "{found} and an issuer or serial number")
    })
}

/// P-CRL-KEY: the signing key is named by its identifier. [`extensions`] judges the presence.
pub(super) fn names_its_key(crl: &Crl) -> Judgement {
    let found = value::<AuthorityKeyIdentifier>(crl, AUTHORITY_KEY_IDENTIFIER);
    let holds = found.is_none_or(|found| found.key_identifier.is_some());
    let asked = || says!("署名した鍵の識別子", "the identifier of the signing key");
    rule(RuleId::P_CRL_KEY, holds, asked, Bilingual::none)
}

/// I-CRL-ENTRY-EXT: an entry without extensions has no field for them (RFC 5280 5.1).
pub(super) fn no_empty_extensions(crl: &Crl) -> Judgement {
    let empty = entries(crl)
        .find(|entry| entry.crl_entry_extensions.as_ref().is_some_and(|found| found.is_empty()));
    let asked =
        || says!("空でないエントリーの拡張", "no empty field for the extensions of an entry");
    rule(RuleId::I_CRL_ENTRY_EXT, empty.is_none(), asked, || {
        let serial = empty.map(serial).unwrap_or_default();
        says!("{serial} の空の拡張", "an empty field of {serial}")
    })
}

pub(super) fn number_length(crl: &Crl) -> Judgement {
    let Some(CrlNumber(found)) = value(crl, CRL_NUMBER) else { return Ok(()) };
    let length = der_length(found.as_bytes());
    let asked = || says!("20 オクテット以下", "at most 20 octets");
    let found = || says!("{length} オクテット", "{length} octets");
    rule(RuleId::P_CRL_NUMBER, length <= 20, asked, found)
}

/// The length of an INTEGER in DER: one octet more if the first bit would be read as a sign.
fn der_length(octets: &[u8]) -> usize {
    octets.len() + usize::from(octets.first().is_some_and(|octet| octet >> 7 == 1))
}

fn number(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let Some(CrlNumber(found)) = value(crl, CRL_NUMBER) else { return Ok(()) };
    let asked = expected.number.to_be_bytes();
    let asked: Vec<u8> = asked.into_iter().skip_while(|octet| *octet == 0).collect();
    let octets = found.as_bytes();
    // A number that is too long is a fault of `number_length` only. Zero is encoded as one octet.
    let holds = der_length(octets) > 20 || octets.iter().skip_while(|o| **o == 0).eq(&asked);
    let asked = || {
        let number = words::number(&asked);
        says!("CRL 番号 {number}", "CRL number {number}")
    };
    rule(RuleId::R_CRL, holds, asked, || Bilingual::plain(words::number(octets)))
}

pub(super) fn empty(crl: &Crl) -> Judgement {
    let holds = crl.revoked_certificates.as_ref().is_none_or(|entries| !entries.is_empty());
    let asked = || says!("revokedCertificates なし", "no revokedCertificates field");
    rule(RuleId::P_CRL_EMPTY, holds, asked, || says!("空の revokedCertificates", "an empty field"))
}

pub(super) fn dates(crl: &Crl, offset: Offset) -> Judgement {
    let update = instant(crl.this_update, offset);
    for entry in entries(crl) {
        let date = entry.revocation_date;
        let asked = || says!("thisUpdate 以前の失効年月日", "no revocation after thisUpdate");
        rule(RuleId::P_CRL_DATES, instant(date, offset) <= update, asked, || {
            let at = shown(Some(date), offset);
            says!(at; "{} の失効年月日 {at}", "{} revoked {at}", serial(entry))
        })?;
    }
    Ok(())
}

pub(super) fn once(crl: &Crl) -> Judgement {
    let mut seen = BTreeSet::new();
    for entry in entries(crl) {
        let first = seen.insert(entry.serial_number.as_bytes());
        let asked = || says!("重複のないシリアル番号", "each serial number once");
        let found = || says!("{} の重複", "{} twice", serial(entry));
        rule(RuleId::P_CRL_ONCE, first, asked, found)?;
    }
    Ok(())
}

fn cover(crl: &Crl, expected: &ExpectedCrl) -> Judgement {
    let found: BTreeSet<&[u8]> = entries(crl).map(|entry| entry.serial_number.as_bytes()).collect();
    let asked: BTreeSet<&[u8]> = expected.revoked.iter().map(<[u8; 20]>::as_slice).collect();
    let asks = || {
        says!(
            "失効した電子証明書 {} 件だけ",
            "the {} revoked certificates and no other",
            asked.len()
        )
    };
    rule(RuleId::R_CRL_COVER, found == asked, asks, || {
        let list = |octets: Vec<&&[u8]>| {
            let shown: Vec<_> = octets.iter().take(3).map(|o| hex::encode(o)).collect();
            says!("{} 件({})", "{} ({})", octets.len(), shown.join(", "))
        };
        let (missing, more) = (asked.difference(&found), found.difference(&asked));
        let (missing, more) = (list(missing.collect()), list(more.collect()));
        says!(missing, more; "不足 {missing}、余分 {more}", "missing {missing}, not asked for {more}")
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
        let asked = || match reasons {
            EntryReasons::Include => says!(
                "失効事由(critical でない)だけ",
                "a reason code, not critical, and nothing else"
            ),
            EntryReasons::Omit => says!("エントリーの拡張なし", "no entry extension"),
        };
        rule(RuleId::I_CRL_ENTRY_EXT, holds, asked, || {
            let shown: Vec<_> = found.iter().map(oid).collect();
            Bilingual::plain(format_args!("{}: {}", serial(entry), shown.join(", ")))
        })?;
    }
    Ok(())
}

/// The reason code of an entry, if it has one that RFC 5280 defines.
fn reason(entry: &RevokedCert<Raw>) -> Option<CrlReason> {
    let mut found = entry.crl_entry_extensions.iter().flatten();
    let found = found.find(|extension| oid(extension) == REASON_CODE)?;
    CrlReason::from_der(found.extn_value.as_bytes()).ok()
}

fn never_undone(crl: &Crl) -> Judgement {
    for entry in entries(crl) {
        let found = reason(entry);
        let undone = [Some(CrlReason::CertificateHold), Some(CrlReason::RemoveFromCRL)];
        let asked = || says!("取り消されない失効", "a permanent revocation");
        rule(RuleId::R_NO_UNREVOKE, !undone.contains(&found), asked, || {
            Bilingual::plain(format_args!("{}: {}", serial(entry), words::reason(found)))
        })?;
    }
    Ok(())
}

fn reasons(crl: &Crl) -> Judgement {
    for entry in entries(crl) {
        let found = reason(entry);
        let foreign = [Some(CrlReason::Unspecified), Some(CrlReason::AaCompromise)];
        let asked =
            || says!("CP/CPS の失効事由、又は失効事由なし", "a reason of the CP/CPS, or none");
        rule(RuleId::P_REASON, !foreign.contains(&found), asked, || {
            Bilingual::plain(format_args!("{}: {}", serial(entry), words::reason(found)))
        })?;
    }
    Ok(())
}
