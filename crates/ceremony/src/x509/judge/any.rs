//! What RFC 5280 and ISO/IEC 18013-5 Annex B ask of the structures of any IACA in the world.
//!
//! No value of a policy is needed here, so `validate` judges the structures of every CA by these
//! rules, and `check` judges by the same ones and by those of its own CA.
//!
//! **Deliberately absent:** what only one CA asks: the lengths of its serial numbers, its Name, its
//! addresses, its validity periods.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use der::Encode as _;
use spki::SubjectPublicKeyInfoRef;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, CrlDistributionPoints};

use super::address::{general_names as names_of, reachable, uri};
use super::certificate::{
    COMMON_NAME, COUNTRY, Kind, STATE, basic_constraints, key_usage, name_lengths, name_strings,
    subject_key_identifier, unique_identifiers, validity_of_iso, version,
};
use super::issued::{ds_key_usage, ds_validity_of_iso, purpose_of, signs_nothing};
use super::reading::{
    AUTHORITY_KEY_IDENTIFIER, CRL_DISTRIBUTION_POINTS, Certificate, Crl, ISSUER_ALT_NAME,
    Judgement, SUBJECT_KEY_IDENTIFIER, extension, oid, once_each, rule, time_form,
};
use super::words::{general_names, name};
use super::{DOCUMENT_SIGNER, Held, Layer, crl};
use crate::hex;
use crate::key::SignerKey;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::time::Offset;
use crate::x509::{EC_PUBLIC_KEY, algorithm};

/// The rules that a certificate of this kind was judged by, with what came out.
pub(super) fn certificate(certificate: &Certificate, kind: Kind, offset: Offset) -> Vec<Held> {
    let validity = certificate.validity();
    let times = [validity.not_before, validity.not_after];
    let structure = [
        (RuleId::R_V3, version(certificate)),
        (RuleId::P_SERIAL, serial(certificate)),
        (RuleId::P_NAME_STRING, name_strings(certificate)),
        (RuleId::P_NAME_LENGTH, name_lengths(certificate)),
        (RuleId::P_TIME_FORM, time_form(times.into_iter(), offset)),
        (RuleId::P_UNIQUE_ID, unique_identifiers(certificate)),
        (RuleId::P_EXT_UNIQUE, once_each(certificate.extensions())),
        (RuleId::P_URI, addresses(certificate)),
    ];
    let annex_b = [
        (RuleId::I_COUNTRY, country(certificate)),
        (RuleId::I_NAME, names(certificate)),
        (RuleId::I_ROOT_SKI, subject_key_identifier(certificate)),
        (RuleId::I_AKI, authority_key_identifier(certificate, kind)),
        (RuleId::I_ROOT_IAN, issuer_alt_name(certificate)),
        (RuleId::I_ROOT_CDP, distribution_points(certificate, kind)),
        (further(kind), forbidden(certificate, kind)),
    ];
    let of_the_kind = match kind {
        Kind::Root => Vec::from([
            (RuleId::I_ROOT_VALIDITY, validity_of_iso(certificate, offset)),
            (RuleId::I_ROOT_KEY_USAGE, key_usage(certificate)),
            (RuleId::I_ROOT_BASIC_CONSTRAINTS, basic_constraints(certificate)),
        ]),
        Kind::Link => Vec::from([
            (RuleId::I_ROOT_KEY_USAGE, key_usage(certificate)),
            (RuleId::I_ROOT_BASIC_CONSTRAINTS, basic_constraints(certificate)),
        ]),
        Kind::Ds => Vec::from([
            (RuleId::I_STATE, state(certificate)),
            (RuleId::I_DS_KEY, ds_key(certificate)),
            (RuleId::I_DS_KEY_USAGE, ds_key_usage(certificate)),
            (RuleId::R_DS_NOT_CA, signs_nothing(certificate)),
            (RuleId::I_DS_EKU, purpose_of(certificate, DOCUMENT_SIGNER)),
            (RuleId::I_DS_VALIDITY, ds_validity_of_iso(certificate, offset)),
        ]),
    };
    let structure = structure.into_iter().map(held(Layer::Structure));
    let annex_b = annex_b.into_iter().chain(of_the_kind).map(held(Layer::AnnexB));
    structure.chain(annex_b).collect()
}

/// The rules that a CRL was judged by, with what came out.
pub(super) fn list(list: &Crl, offset: Offset) -> Vec<Held> {
    let revoked = list.revoked_certificates.iter().flatten().map(|entry| entry.revocation_date);
    let times = [Some(list.this_update), list.next_update].into_iter().flatten().chain(revoked);
    let structure = [
        (RuleId::R_CRL, crl::version(list)),
        (RuleId::P_TIME_FORM, time_form(times, offset)),
        (RuleId::P_EXT_UNIQUE, once_each(list.crl_extensions.as_ref())),
        (RuleId::P_CRL_KEY, crl::names_its_key(list)),
        (RuleId::P_CRL_NUMBER, crl::number_length(list)),
        (RuleId::P_CRL_EMPTY, crl::empty(list)),
        (RuleId::P_CRL_DATES, crl::dates(list, offset)),
        (RuleId::P_CRL_ONCE, crl::once(list)),
    ];
    let annex_b = [
        (RuleId::I_CRL_NEXT_UPDATE, crl::next_update_of_iso(list, offset)),
        (RuleId::I_CRL_EXT, crl::extensions(list)),
        (RuleId::I_CRL_ENTRY_EXT, crl::no_empty_extensions(list)),
    ];
    let structure = structure.into_iter().map(held(Layer::Structure));
    structure.chain(annex_b.into_iter().map(held(Layer::AnnexB))).collect()
}

fn held(layer: Layer) -> impl Fn((RuleId, Judgement)) -> Held {
    move |(rule, judgement)| Held { layer, rule, fault: judgement.err() }
}

fn serial(certificate: &Certificate) -> Judgement {
    let octets = certificate.serial_number().as_bytes();
    let positive = octets.first().is_some_and(|first| *first <= 0x7f)
        && octets.iter().any(|octet| *octet != 0);
    let asked = || says!("20 オクテット以下の正の数", "a positive number of at most 20 octets");
    rule(RuleId::P_SERIAL, positive && octets.len() <= 20, asked, || {
        says!("{} オクテット: {}", "{} octets: {}", octets.len(), hex::encode(octets))
    })
}

fn country(certificate: &Certificate) -> Judgement {
    let of = |name: &x509_cert::name::Name| -> Vec<Vec<u8>> {
        let found = name.iter().filter(|attribute| attribute.oid.to_string() == COUNTRY);
        found.map(|attribute| attribute.value.to_der().unwrap_or_default()).collect()
    };
    let (issuer, subject) = (of(certificate.issuer()), of(certificate.subject()));
    // A PrintableString of two capital letters, as DER.
    let capital = |value: &[u8]| match value {
        [0x13, 2, one, two] => one.is_ascii_uppercase() && two.is_ascii_uppercase(),
        _ => false,
    };
    let holds = issuer == subject && matches!(issuer.as_slice(), [one] if capital(one));
    let asked = || {
        says!(
            "発行者と主体者に共通の、大文字 2 字の PrintableString の C を 1 つ",
            "one C, a PrintableString of two capitals, the same in issuer and subject"
        )
    };
    rule(RuleId::I_COUNTRY, holds, asked, || {
        let (issuer, subject) = (name(certificate.issuer()), name(certificate.subject()));
        says!("発行者 {issuer}、主体者 {subject}", "issuer {issuer}, subject {subject}")
    })
}

/// I-NAME: a commonName in every Name.
fn names(certificate: &Certificate) -> Judgement {
    let (issuer, subject) = (certificate.issuer(), certificate.subject());
    for found in [issuer, subject] {
        let mut common = found.iter().filter(|attribute| attribute.oid.to_string() == COMMON_NAME);
        let holds = common.any(|attribute| !attribute.value.value().is_empty());
        let asked = || says!("空でない CN", "a CN that is not empty");
        rule(RuleId::I_NAME, holds, asked, || Bilingual::plain(name(found)))?;
    }
    Ok(())
}

/// I-STATE: a Document Signer has the stateOrProvinceName of its issuer, and none if that has none.
fn state(certificate: &Certificate) -> Judgement {
    let (issuer, subject) = (certificate.issuer(), certificate.subject());
    let state = |found: &x509_cert::name::Name| -> Vec<Vec<u8>> {
        let found = found.iter().filter(|attribute| attribute.oid.to_string() == STATE);
        found.map(|attribute| attribute.value.value().to_vec()).collect()
    };
    let holds = state(issuer) == state(subject);
    let asked =
        || says!("発行者と同じ ST(なければなし)", "the ST of the issuer, none if it has none");
    rule(RuleId::I_STATE, holds, asked, || Bilingual::plain(name(subject)))
}

/// The keyIdentifier of a link or a Document Signer; a root may have its own (RFC 5280 4.2.1.1).
fn authority_key_identifier(certificate: &Certificate, kind: Kind) -> Judgement {
    let all = certificate.extensions();
    let has = all.into_iter().flatten().any(|one| oid(one) == AUTHORITY_KEY_IDENTIFIER);
    if kind == Kind::Root && !has {
        return Ok(());
    }
    let asked = || match kind {
        Kind::Root => says!(
            "自身の鍵の識別子(critical でない)",
            "the identifier of its own key, not critical"
        ),
        Kind::Link | Kind::Ds => {
            says!(
                "署名した鍵の識別子(critical でない)",
                "the signing key's identifier, not critical"
            )
        }
    };
    let wanted = (RuleId::I_AKI, AUTHORITY_KEY_IDENTIFIER, false);
    let found: AuthorityKeyIdentifier = extension(all, wanted, asked)?;
    let own = all.into_iter().flatten().find(|one| oid(one) == SUBJECT_KEY_IDENTIFIER);
    let own = own.map(|one| one.extn_value.as_bytes());
    let holds = found.key_identifier.as_ref().is_some_and(|identifier| {
        kind != Kind::Root || identifier.to_der().is_ok_and(|der| Some(der.as_slice()) == own)
    });
    rule(RuleId::I_AKI, holds, asked, || match &found.key_identifier {
        Some(identifier) => Bilingual::plain(hex::encode(identifier.as_bytes())),
        None => says!("鍵の識別子なし", "no key identifier"),
    })
}

fn issuer_alt_name(certificate: &Certificate) -> Judgement {
    let kind = (RuleId::I_ROOT_IAN, ISSUER_ALT_NAME, false);
    let asked =
        || says!("URI 又はメールアドレス(critical でない)", "URIs or mail addresses, not critical");
    let found: GeneralNames = extension(certificate.extensions(), kind, asked)?;
    let reaches = |name: &GeneralName| {
        matches!(name, GeneralName::UniformResourceIdentifier(_) | GeneralName::Rfc822Name(_))
    };
    let holds = !found.is_empty() && found.iter().all(reaches);
    rule(RuleId::I_ROOT_IAN, holds, asked, || general_names(&found))
}

/// I-ROOT-CDP: the first edition asks a root for it and the second advises against it, so a root
/// may be without.
fn distribution_points(certificate: &Certificate, kind: Kind) -> Judgement {
    let all = certificate.extensions();
    let has = all.into_iter().flatten().any(|one| oid(one) == CRL_DISTRIBUTION_POINTS);
    if kind == Kind::Root && !has {
        return Ok(());
    }
    let asked = || {
        says!(
            "URI だけで示す配布点(reasons と cRLIssuer なし、critical でない)",
            "distribution points by URIs alone, no reasons, no cRLIssuer, not critical"
        )
    };
    let wanted = (RuleId::I_ROOT_CDP, CRL_DISTRIBUTION_POINTS, false);
    let found: CrlDistributionPoints = extension(all, wanted, asked)?;
    let holds = !found.0.is_empty()
        && found.0.iter().all(|point| {
            let named = match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => {
                    !names.is_empty() && names.iter().all(|name| uri(name).is_some())
                }
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => false,
            };
            named && point.reasons.is_none() && point.crl_issuer.is_none()
        });
    rule(RuleId::I_ROOT_CDP, holds, asked, || super::words::points(&found.0))
}

/// P-URI: every URI is absolute; an http or https one names a host (RFC 5280 4.2.1.6, 4.2.1.13).
fn addresses(certificate: &Certificate) -> Judgement {
    for found in names_of(certificate).iter().filter_map(uri) {
        let scheme = found.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let absolute = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let holds = if ["http", "https"].contains(&scheme) {
            reachable(found)
        } else {
            absolute && found.chars().all(|c| c.is_ascii_graphic())
        };
        let asked = || {
            says!(
                "絶対形の URI(http と https はホスト名を持つもの)",
                "an absolute URI; of http or https, with a host"
            )
        };
        rule(RuleId::P_URI, holds, asked, || Bilingual::plain(found))?;
    }
    Ok(())
}

const fn further(kind: Kind) -> RuleId {
    match kind {
        Kind::Root | Kind::Link => RuleId::I_ROOT_EXT,
        Kind::Ds => RuleId::I_DS_EXT,
    }
}

/// nameConstraints, policyMappings, policyConstraints, freshestCRL, inhibitAnyPolicy.
const FORBIDDEN: [&str; 5] = ["2.5.29.30", "2.5.29.33", "2.5.29.36", "2.5.29.46", "2.5.29.54"];

/// Annex B forbids five extensions. Others that are not critical may be there (B.1.1).
fn forbidden(certificate: &Certificate, kind: Kind) -> Judgement {
    let found: Vec<_> = certificate.extensions().into_iter().flatten().map(oid).collect();
    let found: Vec<_> = found.into_iter().filter(|one| FORBIDDEN.contains(&one.as_str())).collect();
    let asked = || {
        says!(
            "nameConstraints、policyMappings、policyConstraints、freshestCRL、inhibitAnyPolicy なし",
            "no nameConstraints, policyMappings, policyConstraints, freshestCRL, inhibitAnyPolicy"
        )
    };
    rule(further(kind), found.is_empty(), asked, || Bilingual::plain(found.join(", ")))
}

fn ds_key(certificate: &Certificate) -> Judgement {
    let spki = certificate.subject_public_key_info().to_der().unwrap_or_default();
    let holds = signer_key(&spki);
    let asked = || {
        says!(
            "P-256、P-384、P-521 若しくは brainpool の曲線上の非圧縮の点、Ed25519 又は Ed448",
            "an uncompressed point on P-256, P-384, P-521 or a brainpool curve; Ed25519 or Ed448"
        )
    };
    rule(RuleId::I_DS_KEY, holds, asked, || super::words::key(&spki))
}

/// Whether this is a key that a Document Signer may have.
///
/// A point must be on its curve. Of the kinds on which nothing is verified here, only the form is
/// judged.
fn signer_key(spki: &[u8]) -> bool {
    if SignerKey::from_info(spki).is_some() {
        return true;
    }
    let Ok(info) = SubjectPublicKeyInfoRef::try_from(spki) else { return false };
    let Some(key) = info.subject_public_key.as_bytes() else { return false };
    if info.algorithm.oid == EC_PUBLIC_KEY {
        let curve = info.algorithm.parameters_oid().ok();
        let length = curve.and_then(algorithm::unverified);
        return key.first() == Some(&4) && length == Some(key.len());
    }
    info.algorithm.parameters.is_none()
        && algorithm::unverified(info.algorithm.oid) == Some(key.len())
}

/// Whether a broken rule, mostly of the CA, says more than this one, which need not be said too.
pub(super) fn includes(stricter: RuleId, general: RuleId) -> bool {
    let further = [RuleId::I_ROOT_EXT, RuleId::I_DS_EXT].contains(&general);
    let extensions = [RuleId::R_NO_CONSTRAINT_EXT, RuleId::R_NO_POLICY_EXT];
    stricter == general
        || (stricter == RuleId::R_SERIAL && general == RuleId::P_SERIAL)
        || (stricter == RuleId::R_DN && general == RuleId::I_NAME)
        || (stricter == RuleId::I_DS_KEY_USAGE && general == RuleId::R_DS_NOT_CA)
        || (stricter == RuleId::I_ROOT_EXT && general == RuleId::I_AKI)
        || (further && extensions.contains(&stricter))
}
