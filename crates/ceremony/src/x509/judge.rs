//! Judges whether a certificate or CRL that is to be signed keeps every rule of its profile.
//!
//! A judge gets only the encoded structure and a few facts from policy and plan. It decodes with
//! the types of `x509-cert`, not with the code that encoded the structure, and states every rule
//! independently. So the same mistake would have to be made twice to go unnoticed.
//!
//! What RFC 5280 and ISO/IEC 18013-5 ask of every IACA needs no such facts. [`certificate`] and
//! [`list`] judge that of any CA in the world; the judges of this CA begin with it.
//!
//! **Invariant:** every rule has one id, listed in [`RULES`]; every fault names one of them.
//! **Deliberately absent:** the profiles from which structures are built, signatures, and rules
//! about more than one structure.

pub(crate) mod address;
mod any;
mod certificate;
mod crl;
mod expected;
mod issued;
mod reading;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub(crate) use address::{reachable, retrievable, uri};
pub use certificate::Kind;
pub use expected::{EntryReasons, ExpectedCrl, ExpectedDs, ExpectedLink, ExpectedRoot};
pub(crate) use reading::{instant, known_value, same_again};

use alloc::vec::Vec;

use crate::fault::Fault;
use crate::language::{Sentence, both};
use crate::rule::RuleId;
use crate::time::Offset;

/// The extended key usage of a Document Signer (ISO/IEC 18013-5 B.1.4; D15).
const DOCUMENT_SIGNER: &str = "1.0.18013.5.1.2";

/// Where the rules that a structure is judged by come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Path validation: RFC 5280 6, and RFC 9810 4.4 of links.
    Path,
    /// The structures of RFC 5280 4 and 5.
    Structure,
    /// The profiles of ISO/IEC 18013-5 Annex B.
    AnnexB,
    /// The CP/CPS and the policy of one CA.
    Ca,
}

/// One rule that a structure was judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Where the rule comes from.
    pub layer: Layer,
    /// The rule.
    pub rule: RuleId,
    /// What breaks it; `None` if it is kept.
    pub fault: Option<Fault>,
}

/// Judges the TBSCertificate of a root. Returns every fault; none if it keeps every rule.
#[must_use]
pub fn root(tbs: &[u8], expected: &ExpectedRoot) -> Vec<Fault> {
    faults(tbs, Kind::Root, expected.not_before.offset(), |certificate| {
        certificate::faults(certificate, expected)
    })
}

/// Judges the TBSCertificate of a link certificate. Returns every fault.
#[must_use]
pub fn link(tbs: &[u8], expected: &ExpectedLink) -> Vec<Fault> {
    faults(tbs, Kind::Link, expected.not_before.offset(), |certificate| {
        issued::link(certificate, expected)
    })
}

/// Judges the TBSCertificate of a Document Signer certificate. Returns every fault.
#[must_use]
pub fn ds(tbs: &[u8], expected: &ExpectedDs) -> Vec<Fault> {
    faults(tbs, Kind::Ds, expected.not_before.offset(), |certificate| {
        issued::ds(certificate, expected)
    })
}

/// Judges the TBSCertList of a CRL. Returns every fault; none if it keeps every rule.
#[must_use]
pub fn crl(tbs: &[u8], expected: &ExpectedCrl) -> Vec<Fault> {
    match reading::crl(tbs) {
        Ok(crl) => {
            both_layers(crl::faults(&crl, expected), any::list(&crl, expected.this_update.offset()))
        }
        Err(fault) => Vec::from([fault]),
    }
}

/// Judges the TBSCertificate of any IACA by the rules of RFC 5280 and Annex B. Calendar years are
/// counted, and times shown, in this offset.
#[must_use]
pub fn certificate(tbs: &[u8], kind: Kind, offset: Offset) -> Vec<Held> {
    match reading::certificate(tbs) {
        Ok(certificate) => any::certificate(&certificate, kind, offset),
        Err(fault) => unread(fault),
    }
}

/// Judges the TBSCertList of any IACA by the rules of RFC 5280 and Annex B. Times are shown in this
/// offset.
#[must_use]
pub fn list(tbs: &[u8], offset: Offset) -> Vec<Held> {
    match reading::crl(tbs) {
        Ok(crl) => any::list(&crl, offset),
        Err(fault) => unread(fault),
    }
}

fn unread(fault: Fault) -> Vec<Held> {
    Vec::from([Held { layer: Layer::Structure, rule: fault.rule, fault: Some(fault) }])
}

fn faults(
    tbs: &[u8],
    kind: Kind,
    offset: Offset,
    of_the_ca: impl FnOnce(&reading::Certificate) -> Vec<Fault>,
) -> Vec<Fault> {
    match reading::certificate(tbs) {
        Ok(certificate) => {
            both_layers(of_the_ca(&certificate), any::certificate(&certificate, kind, offset))
        }
        Err(fault) => Vec::from([fault]),
    }
}

/// The faults of the CA's rules, and those of the general rules that none of them includes.
fn both_layers(of_the_ca: Vec<Fault>, general: Vec<Held>) -> Vec<Fault> {
    let mut all = of_the_ca;
    // The policy names the purpose of its Document Signers itself (D15).
    let general = general.into_iter().filter(|held| held.rule != RuleId::I_DS_EKU);
    for fault in general.filter_map(|held| held.fault) {
        if !all.iter().any(|known| any::includes(known.rule, fault.rule)) {
            all.push(fault);
        }
    }
    all
}

/// Every rule that is judged here: its id, its clause, and what it requires.
pub const RULES: &[(RuleId, &str, Sentence)] = &[
    (
        RuleId::P_DER,
        "RFC 5280 4.1, X.690 10, 11",
        both(
            "構造と拡張は DER で、後に続くものはない",
            "the structure and its extensions are DER and nothing follows",
        ),
    ),
    (
        RuleId::R_V3,
        "CP/CPS, RFC 5280 4.1.2.1",
        both("証明書は version 3 である", "a certificate is version 3"),
    ),
    (
        RuleId::R_SERIAL,
        "CP/CPS, RFC 5280 4.1.2.2",
        both(
            "シリアル番号は 20 オクテット、2^152 以上の正の数である",
            "a serial number is positive, of 20 octets, from 2^152 up",
        ),
    ),
    (
        RuleId::R_ALG,
        "CP/CPS, RFC 5758 3.2, RFC 5480 2",
        both(
            "鍵と署名アルゴリズムはその曲線のものである",
            "key and signature algorithm are those of the curve",
        ),
    ),
    (
        RuleId::R_DN,
        "ISO 18013-5 B.1.2, B.1.4, CP/CPS",
        both(
            "名称は CN を含み、C、ST、L、O、OU、CN、serialNumber を 1 つずつの RDN とし、空のものはない",
            "names have a CN, and are RDNs of one C, ST, L, O, OU, CN or serialNumber, none empty",
        ),
    ),
    (
        RuleId::R_DN_FIXED,
        "CP/CPS",
        both(
            "主体者は認証局の名称とオクテット単位で一致する",
            "the subject is the CA's Name, octet for octet",
        ),
    ),
    (
        RuleId::R_ROOT,
        "CP/CPS",
        both(
            "ルート証明書は、発行の日からポリシーの期間有効である",
            "a root is valid from its day of issue for the span of the policy",
        ),
    ),
    (
        RuleId::R_LINK,
        "CP/CPS, RFC 4210 4.4.1, RFC 9810 4.4",
        both(
            "リンク証明書は一方のルート鍵でもう一方を証明し、証明される鍵の日に始まり古いルートの終わりまで有効である",
            "a link certifies one root key by another, from the certified key's day to the old root's end",
        ),
    ),
    (
        RuleId::R_DS,
        "CP/CPS",
        both(
            "DS 証明書は発行要求の鍵と計画の日付を持ち、ルートより後に終わらない",
            "a DS certificate has its request's key and the planned dates, and does not outlive the root",
        ),
    ),
    (
        RuleId::R_DS_NOT_CA,
        "CP/CPS, ISO 18013-5 B.1.4",
        both(
            "DS 証明書は認証局のものではなく、basicConstraints を持たない",
            "a DS certificate is not a CA's and has no basicConstraints",
        ),
    ),
    (
        RuleId::R_NO_POLICY_EXT,
        "CP/CPS",
        both("certificatePolicies はない", "no certificatePolicies"),
    ),
    (
        RuleId::R_NO_CONSTRAINT_EXT,
        "CP/CPS",
        both(
            "nameConstraints と policyConstraints はない",
            "no nameConstraints, no policyConstraints",
        ),
    ),
    (
        RuleId::R_NO_OCSP,
        "CP/CPS",
        both(
            "OCSP への参照も OCSP の用途もない",
            "no reference to OCSP, and no extended key usage for OCSP",
        ),
    ),
    (
        RuleId::R_CERT_KINDS,
        "CP/CPS",
        both(
            "ルート証明書は拡張鍵用途でほかの用途を示さない",
            "a root names no other use by an extended key usage",
        ),
    ),
    (
        RuleId::R_CRL,
        "CP/CPS, RFC 5280 5.1.2.1",
        both(
            "CRL は version 2 で、求めた日付と番号を持つ",
            "a CRL is version 2, with the dates and the number asked for",
        ),
    ),
    (
        RuleId::R_CRL_COVER,
        "CP/CPS",
        both(
            "CRL は失効して満了していない証明書をすべて持ち、ほかは持たない",
            "a CRL holds every revoked certificate that has not expired, and no other",
        ),
    ),
    (
        RuleId::R_NO_UNREVOKE,
        "CP/CPS",
        both("certificateHold と removeFromCRL はない", "no certificateHold, no removeFromCRL"),
    ),
    (
        RuleId::I_COUNTRY,
        "ISO 18013-5 B.1.2",
        both(
            "国名は 1 つで、発行国を表す大文字 2 字の PrintableString である",
            "one country, a PrintableString of two capitals, the issuing country",
        ),
    ),
    (
        RuleId::I_STATE,
        "ISO 18013-5 B.1.4",
        both(
            "DS の名称の ST は発行者のものと同じであり、発行者になければない",
            "a Document Signer has the ST of its issuer, and none if that has none",
        ),
    ),
    (
        RuleId::I_ROOT_SKI,
        "ISO 18013-5 B.1.2, RFC 5280 4.2.1.2 (1)",
        both(
            "subjectKeyIdentifier は鍵の SHA-1 で、critical でない",
            "subjectKeyIdentifier: SHA-1 of the key, not critical",
        ),
    ),
    (
        RuleId::I_ROOT_KEY_USAGE,
        "ISO 18013-5 B.1.2",
        both(
            "keyUsage は keyCertSign と cRLSign だけで、critical である",
            "keyUsage: exactly keyCertSign and cRLSign, critical",
        ),
    ),
    (
        RuleId::I_ROOT_BASIC_CONSTRAINTS,
        "ISO 18013-5 B.1.2",
        both(
            "basicConstraints は cA、pathLenConstraint 0 で、critical である",
            "basicConstraints: cA, pathLenConstraint 0, critical",
        ),
    ),
    (
        RuleId::I_ROOT_IAN,
        "ISO 18013-5 B.1.2",
        both(
            "issuerAltName はポリシーの URI、メールアドレス、又はその両方だけで、critical でない",
            "issuerAltName: the policy's URI, e-mail address or both, nothing else, not critical",
        ),
    ),
    (
        RuleId::I_ROOT_CDP,
        "ISO 18013-5:2021 B.1.2",
        both(
            "cRLDistributionPoints は 1 つで、この鍵の CRL の URI だけである",
            "cRLDistributionPoints: one, by the URIs of this key's CRL alone",
        ),
    ),
    (
        RuleId::I_ROOT_EXT,
        "ISO 18013-5 B.1.1, B.1.2",
        both(
            "ほかの拡張はない。authorityKeyIdentifier はポリシーのとおりに持つ",
            "no other extension; an authorityKeyIdentifier as the policy says",
        ),
    ),
    (
        RuleId::I_AKI,
        "ISO 18013-5 B.1.4, RFC 5280 4.2.1.1",
        both(
            "authorityKeyIdentifier は署名した鍵の識別子だけで、critical でない",
            "authorityKeyIdentifier: the signing key's identifier alone, not critical",
        ),
    ),
    (
        RuleId::I_DS_KEY_USAGE,
        "ISO 18013-5 B.1.4",
        both(
            "keyUsage は digitalSignature だけで、critical である",
            "keyUsage: digitalSignature alone, critical",
        ),
    ),
    (
        RuleId::I_DS_EKU,
        "ISO 18013-5 B.1.4",
        both(
            "extKeyUsage はポリシーの用途 1 つだけで、critical である",
            "extKeyUsage: the one purpose of the policy, critical",
        ),
    ),
    (
        RuleId::I_DS_VALIDITY,
        "ISO 18013-5 B.1.4",
        both("有効期間は 457 日以内である", "at most 457 days"),
    ),
    (RuleId::I_DS_EXT, "ISO 18013-5 B.1.1, B.1.4", both("ほかの拡張はない", "no other extension")),
    (
        RuleId::I_ROOT_VALIDITY,
        "ISO 18013-5 B.1.2",
        both("有効期間は 20 年以内である", "at most 20 years"),
    ),
    (
        RuleId::I_CRL_EXT,
        "ISO 18013-5 B.1",
        both(
            "拡張は authorityKeyIdentifier と cRLNumber だけで、critical でない",
            "exactly authorityKeyIdentifier and cRLNumber, not critical",
        ),
    ),
    (
        RuleId::I_CRL_ENTRY_EXT,
        "ISO 18013-5 B.1, CP/CPS",
        both(
            "項目の拡張はポリシーのとおりで、失効事由か、なしである",
            "entry extensions as the policy says: a reason or none",
        ),
    ),
    (
        RuleId::I_CRL_NEXT_UPDATE,
        "ISO 18013-5 B.1",
        both(
            "nextUpdate があり、thisUpdate より後、90 日以内である",
            "nextUpdate is present, after thisUpdate, by at most 90 days",
        ),
    ),
    (
        RuleId::P_TIME_FORM,
        "RFC 5280 4.1.2.5, 5.1.2.4",
        both(
            "時刻は 2049 年まで UTCTime、2050 年から GeneralizedTime である",
            "UTCTime through 2049, GeneralizedTime from 2050",
        ),
    ),
    (
        RuleId::P_ISSUER,
        "RFC 5280 4.1.2.4, 5.1.2.3",
        both(
            "発行者は認証局の名称とオクテット単位で一致する",
            "the issuer is the CA's Name, octet for octet",
        ),
    ),
    (
        RuleId::P_NAME_STRING,
        "RFC 5280 4.1.2.4, A.1",
        both(
            "C と serialNumber 以外の文字列は UTF8String か PrintableString、serialNumber は PrintableString である",
            "strings are UTF8String or PrintableString; serialNumber is PrintableString",
        ),
    ),
    (
        RuleId::P_NAME_LENGTH,
        "RFC 5280 A.1",
        both(
            "ST と L は 128 文字以下、O、OU、CN、serialNumber は 64 文字以下である",
            "ST and L have at most 128 characters; O, OU, CN and serialNumber at most 64",
        ),
    ),
    (
        RuleId::P_UNIQUE_ID,
        "RFC 5280 4.1.2.8",
        both("issuerUniqueID と subjectUniqueID はない", "no issuerUniqueID, no subjectUniqueID"),
    ),
    (
        RuleId::P_EXT_UNIQUE,
        "RFC 5280 4.2",
        both("同じ拡張は 2 度現れない", "no extension stands twice"),
    ),
    (
        RuleId::P_URI,
        "RFC 5280 4.2.1.6, 4.2.1.13, RFC 3986",
        both(
            "URI は絶対形の http か https でホスト名を持つ。CRL のものは ldap でもよい",
            "URIs are absolute, http or https, with a host; that of a CRL may be ldap",
        ),
    ),
    (
        RuleId::P_CRL_EMPTY,
        "RFC 5280 5.1.2.6",
        both(
            "失効がなければ revokedCertificates はない",
            "revokedCertificates is absent if there is no revocation",
        ),
    ),
    (
        RuleId::P_CRL_DATES,
        "RFC 5280 5.1.2.6",
        both("失効日は thisUpdate より後にならない", "nothing was revoked after thisUpdate"),
    ),
    (
        RuleId::P_CRL_ONCE,
        "RFC 5280 5.3",
        both("同じシリアル番号は 2 度現れない", "no serial number occurs twice"),
    ),
    (
        RuleId::P_CRL_KEY,
        "RFC 5280 5.2.1",
        both(
            "authorityKeyIdentifier は署名した鍵を識別子だけで示す",
            "authorityKeyIdentifier names the signing key, by its identifier alone",
        ),
    ),
    (
        RuleId::P_CRL_NUMBER,
        "RFC 5280 5.2.3",
        both("CRL 番号は 20 オクテット以下である", "a CRL number has at most 20 octets"),
    ),
    (
        RuleId::P_REASON,
        "RFC 5280 5.3.1",
        both(
            "失効事由は CP/CPS のもので、unspecified は書かない",
            "a reason is one of those of the CP/CPS; unspecified is left out",
        ),
    ),
];
