//! What a batch of CRLs revokes, as text below its table.
//!
//! CRLs that follow each other in the batch and have the same issuer and entries share one list.
//! Their octets are compared before anything is decoded, so a batch of a hundred long CRLs costs
//! one of them.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, Tagged as _};
use x509_cert::certificate::Raw;
use x509_cert::crl::RevokedCert;
use x509_cert::name::Name;

use super::{BatchRow, name, time};
use crate::hex;
use crate::time::Offset;
use crate::x509::revocation::Reason;

const REASON: &str = "2.5.29.21";

/// The parts of a CRL's TBSCertList (RFC 5280 5.1.2) that the text shows, not yet decoded.
#[derive(PartialEq, Eq)]
struct Parts<'a> {
    issuer: AnyRef<'a>,
    /// The contents of revokedCertificates, or nothing.
    entries: &'a [u8],
}

/// Returns, for each run of CRLs that revoke the same, their names, issuer and entries.
pub(super) fn lists(rows: &[BatchRow<'_>]) -> String {
    let mut lists = String::new();
    let mut rest = rows;
    while let Some((first, others)) = rest.split_first() {
        let Ok(found) = parts(first.der) else {
            lists.push_str(&format!("\n{} is no CRL\n", first.name));
            rest = others;
            continue;
        };
        let same = |row: &&BatchRow<'_>| parts(row.der).is_ok_and(|parts| parts == found);
        let more = others.iter().take_while(same).count();
        let last = more.checked_sub(1).and_then(|at| others.get(at));
        let names = match last {
            Some(last) => format!("{} to {} ({} CRLs)", first.name, last.name, more + 1),
            None => first.name.clone(),
        };
        lists.push_str(&format!("\n{names}\n"));
        match list(&found, first.this_update.offset()) {
            Ok(text) => lists.push_str(&text),
            Err(error) => lists.push_str(&format!("cannot be decoded: {error}\n")),
        }
        rest = others.get(more..).unwrap_or_default();
    }
    lists
}

/// Finds the parts in a CRL's octets.
fn parts(der: &[u8]) -> der::Result<Parts<'_>> {
    let crl = AnyRef::from_der(der)?;
    let tbs = SliceReader::new(crl.value())?.decode::<AnyRef<'_>>()?;
    let mut fields = SliceReader::new(tbs.value())?;
    let _version: AnyRef<'_> = fields.decode()?;
    let _signature: AnyRef<'_> = fields.decode()?;
    let issuer = fields.decode()?;
    let _this_update: AnyRef<'_> = fields.decode()?;
    let _next_update: AnyRef<'_> = fields.decode()?;
    let entries = match fields.is_finished() {
        true => None,
        false => Some(fields.decode::<AnyRef<'_>>()?).filter(|any| any.tag() == Tag::Sequence),
    };
    Ok(Parts { issuer, entries: entries.map(|any| any.value()).unwrap_or_default() })
}

fn list(parts: &Parts<'_>, offset: Offset) -> der::Result<String> {
    let issuer: Name = parts.issuer.decode_as()?;
    let mut text = format!("issuer   {}\n", name(&issuer));
    if parts.entries.is_empty() {
        text.push_str("revokes  nothing\n");
        return Ok(text);
    }
    let mut reader = SliceReader::new(parts.entries)?;
    while !reader.is_finished() {
        let entry: RevokedCert<Raw> = reader.decode()?;
        text.push_str(&format!(
            "revokes  {}  on {}, {}\n",
            both_bases(entry.serial_number.as_bytes()),
            time(entry.revocation_date, offset),
            reason(&entry)
        ));
    }
    Ok(text)
}

fn reason(entry: &RevokedCert<Raw>) -> String {
    let mut extensions = entry.crl_entry_extensions.iter().flatten();
    let Some(found) = extensions.find(|found| found.extn_id.to_string() == REASON) else {
        return "without a reason".into();
    };
    let value = found.extn_value.as_bytes();
    let reason = Reason::from_der(value);
    reason.map_or_else(|_| format!("reason #{}", hex::encode(value)), |r| r.name().into())
}

/// Writes a number's octets in hexadecimal and in decimal: tools show the one or the other.
pub(super) fn both_bases(octets: &[u8]) -> String {
    format!("{} = {}", hex::encode(octets), decimal(octets))
}

/// Writes big-endian octets as a decimal number.
pub(in crate::x509) fn decimal(octets: &[u8]) -> String {
    // Digits from the lowest; each octet multiplies what is there by 256 and is added.
    let mut digits: Vec<u8> = Vec::from([0]);
    for octet in octets {
        let mut carry = u32::from(*octet);
        for digit in &mut digits {
            let sum = u32::from(*digit) * 256 + carry;
            *digit = u8::try_from(sum % 10).unwrap_or_default();
            carry = sum / 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test stops where it fails")]
mod tests {
    use alloc::collections::BTreeMap;

    use super::*;
    use crate::key::{Curve, PublicKey, Signature};
    use crate::rehearsal::{RehearsalKey, RehearsalUse};
    use crate::time::Instant;
    use crate::x509::crl::ToBeSignedCrl;
    use crate::x509::revocation::Revoked;
    use crate::x509::{DirectoryName, Rdn, assemble};

    fn at() -> Instant {
        "2026-04-01T00:00:00+09:00".parse().unwrap()
    }

    fn key() -> PublicKey {
        let (usage, curve) = (RehearsalUse::Audit, Curve::P256);
        RehearsalKey { ca: Vec::new(), usage, generation: 1, attempt: 0, curve }.public().unwrap()
    }

    fn crl(revoked: &[(u8, Option<Reason>)]) -> Vec<u8> {
        let entry = |(octet, reason)| Revoked { serial: [octet; 20], date: at(), reason };
        let tbs = ToBeSignedCrl {
            name: "crl".parse().unwrap(),
            issuer: DirectoryName::new(&[
                Rdn::C("JP".into()),
                Rdn::O("機構".into()),
                Rdn::Cn("Sample CA".into()),
            ])
            .unwrap(),
            issuer_key: "g1".parse().unwrap(),
            issuer_curve: Curve::P256,
            this_update: at(),
            next_update: at(),
            revoked: revoked.iter().copied().map(entry).collect(),
            extensions: Vec::new(),
        };
        let keys = BTreeMap::from([("g1".parse().unwrap(), key())]);
        let tbs = tbs.to_der(1, &keys).unwrap();
        assemble(&tbs, Curve::P256, &Signature::from_raw(Curve::P256, &[1; 64]).unwrap())
    }

    fn row<'a>(name: &str, der: &'a [u8]) -> BatchRow<'a> {
        let (this_update, next_update, next_release, signed_at) = (at(), at(), at(), at());
        let name = name.to_string();
        let (number, entries) = (1, 0);
        BatchRow { name, number, this_update, next_update, next_release, entries, signed_at, der }
    }

    #[test]
    fn crls_that_revoke_the_same_share_one_list() {
        let none = crl(&[]);
        let two = crl(&[(0x01, Some(Reason::KeyCompromise)), (0x02, None)]);
        let rows = [row("a", &none), row("b", &two), row("c", &two), row("d", &two)];
        let on = "on 2026-04-01T00:00:00+09:00 = 2026-03-31T15:00:00Z";
        let asked = format!(
            "\na\nissuer   C=JP, O=機構, CN=Sample CA\nrevokes  nothing\n\
             \nb to d (3 CRLs)\nissuer   C=JP, O=機構, CN=Sample CA\n\
             revokes  {}  {on}, keyCompromise\nrevokes  {}  {on}, without a reason\n",
            both_bases(&[1; 20]),
            both_bases(&[2; 20])
        );
        assert_eq!(lists(&rows), asked);
    }

    #[test]
    fn numbers_are_written_in_both_bases() {
        assert_eq!(both_bases(&[0]), "00 = 0");
        assert_eq!(both_bases(&[1, 0, 0]), "010000 = 65536");
        let largest = "1461501637330902918203684832716283019655932542975";
        assert_eq!(decimal(&[0xff; 20]), largest);
    }
}
