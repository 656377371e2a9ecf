//! The rules of one CA, taken from its policy: what it asks beyond RFC 5280 and Annex B.
//!
//! The values that only a plan knows, such as dates and numbers, are accepted as they are.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use der::Decode as _;
use der::oid::AssociatedOid as _;
use sha1::{Digest as _, Sha1};
use spki::SubjectPublicKeyInfoRef;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::name::DistributionPointName;
use x509_cert::name::Name;

use super::Role;
use super::reading::{Certificate, Crl};
use crate::fault::Fault;
use crate::key::Curve;
use crate::policy::{Policy, ReasonCodes, rdns};
use crate::time::{CalendarSpan, Offset};
use crate::x509::{DirectoryName, DirectoryNameError, IssuerAltName, Rdn, judge};

/// What the policy of one CA asks of its certificates and CRLs.
#[derive(Debug, Clone)]
pub struct Ca {
    offset: Offset,
    name: Vec<u8>,
    of_signers: Vec<Rdn>,
    country: String,
    curve: Curve,
    validity: CalendarSpan,
    issuer_alt_name: IssuerAltName,
    crl_urls: Vec<String>,
    authority_key_identifier: bool,
    max_days: u32,
    purpose: String,
    crl_validity: CalendarSpan,
    reasons: judge::EntryReasons,
}

impl Ca {
    /// Takes the values from a policy.
    ///
    /// # Errors
    /// If the policy's RDNs form no Name.
    pub fn of(policy: &Policy) -> Result<Self, DirectoryNameError> {
        let name = DirectoryName::new(&rdns(&policy.ca.name))?;
        let urls = policy.root.crl_urls.get_ref().iter();
        Ok(Self {
            offset: *policy.ca.offset.get_ref(),
            name: name.der().to_vec(),
            of_signers: rdns(&policy.ds.name),
            country: name.country().to_string(),
            curve: *policy.root.curve.get_ref(),
            validity: policy.root.validity.get_ref().clone(),
            issuer_alt_name: policy.root.issuer_alt_name.get_ref().clone(),
            crl_urls: urls.map(|url| url.get_ref().clone()).collect(),
            authority_key_identifier: policy.root.authority_key_identifier,
            max_days: *policy.ds.max_days.get_ref(),
            purpose: policy.ds.extended_key_usage.get_ref().clone(),
            crl_validity: policy.crl.validity.get_ref().clone(),
            reasons: match policy.crl.reason_codes.get_ref() {
                ReasonCodes::Include => judge::EntryReasons::Include,
                ReasonCodes::Omit => judge::EntryReasons::Omit,
            },
        })
    }

    /// The faults of a certificate in this role by the rules of the CA.
    pub(super) fn certificate(&self, certificate: &Certificate, role: Role) -> Vec<Fault> {
        let key = Sha1::digest(key_octets(certificate));
        let issuer_key = identifier(certificate.signer_identifier());
        let (not_before, not_after) = certificate.validity();
        let (not_before, not_after) = (not_before.at(self.offset), not_after.at(self.offset));
        let crl_urls = self.crl_urls_of(certificate);
        match role {
            Role::Root => {
                let expected = judge::ExpectedRoot {
                    ca: self.name.clone(),
                    country: self.country.clone(),
                    curve: self.curve,
                    not_before,
                    validity: self.validity.clone(),
                    issuer_alt_name: self.issuer_alt_name.clone(),
                    crl_urls,
                    authority_key_identifier: self.authority_key_identifier,
                };
                judge::root(certificate.tbs(), &expected)
            }
            Role::Link => {
                let expected = judge::ExpectedLink {
                    ca: self.name.clone(),
                    country: self.country.clone(),
                    curve: self.curve,
                    subject_key: key.into(),
                    issuer_key,
                    not_before,
                    not_after,
                    issuer_alt_name: self.issuer_alt_name.clone(),
                    crl_urls,
                };
                judge::link(certificate.tbs(), &expected)
            }
            Role::Signer => {
                let expected = judge::ExpectedDs {
                    ca: self.name.clone(),
                    country: self.country.clone(),
                    subject: self.subject_of(certificate.subject()),
                    public_key: certificate.key().to_vec(),
                    issuer_curve: self.curve,
                    issuer_key,
                    not_before,
                    max_days: self.max_days,
                    root_ends: not_after,
                    purpose: self.purpose.clone(),
                    issuer_alt_name: self.issuer_alt_name.clone(),
                    crl_urls,
                };
                judge::ds(certificate.tbs(), &expected)
            }
        }
    }

    /// The faults of a CRL by the rules of the CA.
    pub(super) fn crl(&self, crl: &Crl) -> Vec<Fault> {
        let number = crl.number_octets().unwrap_or_default();
        let number = number.iter().skip_while(|octet| **octet == 0).copied().collect::<Vec<_>>();
        let number = number
            .iter()
            .try_fold(0_u64, |sum, octet| sum.checked_mul(256).map(|sum| sum | u64::from(*octet)));
        let serials = crl.entries().iter().map(|entry| entry.serial.as_slice().try_into());
        let (this_update, next_update) = crl.updates();
        let next_update = next_update.unwrap_or(this_update);
        let expected = judge::ExpectedCrl {
            ca: self.name.clone(),
            curve: self.curve,
            key_identifier: identifier(crl.signer_identifier()),
            this_update: this_update.at(self.offset),
            validity: self.crl_validity.clone(),
            // The last CRLs of a key end with its root: whether this one does is not known here, so
            // one that ends early is taken.
            root_ends: next_update.plus_seconds(-1).at(self.offset),
            // A number of the CA has at most 8 octets.
            number: number.unwrap_or_default(),
            reasons: self.reasons,
            revoked: serials.filter_map(Result::ok).collect(),
        };
        judge::crl(crl.tbs(), &expected)
    }

    /// The subject of the policy with what stands for its `{number}` in this one; with `{number}`
    /// in it if that gives another subject.
    fn subject_of(&self, found: &[u8]) -> Vec<u8> {
        let of = |number: &str| -> Vec<u8> {
            let rdns = self.of_signers.iter().map(|rdn| rdn.replaced("{number}", number));
            let name = DirectoryName::new(&rdns.collect::<Vec<_>>());
            name.map(|name| name.der().to_vec()).unwrap_or_default()
        };
        let name = Name::from_der(found).unwrap_or_default();
        let texts = name.iter().map(|one| core::str::from_utf8(one.value.value()));
        let texts: Vec<&str> = texts.flatten().collect();
        let numbers = self.of_signers.iter().flat_map(|rdn| {
            let parts = rdn.value().split_once("{number}");
            let parts = parts.into_iter();
            let pairs = parts.flat_map(|parts| texts.iter().map(move |text| (parts, *text)));
            pairs.filter_map(|((before, after), text)| {
                text.strip_prefix(before)?.strip_suffix(after)
            })
        });
        numbers.map(of).find(|one| one == found).unwrap_or_else(|| of("{number}"))
    }

    /// The addresses of the policy for the key that the certificate's own addresses name; with
    /// `{key}` in them if those are no addresses of the policy for one key.
    fn crl_urls_of(&self, certificate: &Certificate) -> Vec<String> {
        let found = distribution_uris(certificate);
        let keys = self.crl_urls.iter().zip(&found).map(|(url, found)| {
            let (before, after) = url.split_once("{key}")?;
            found.strip_prefix(before)?.strip_suffix(after)
        });
        let one = |key: &str| -> Vec<String> {
            self.crl_urls.iter().map(|url| url.replace("{key}", key)).collect()
        };
        let mut urls = keys.flatten().map(one);
        urls.find(|urls| *urls == found).unwrap_or_else(|| self.crl_urls.clone())
    }
}

fn key_octets(certificate: &Certificate) -> Vec<u8> {
    let info = SubjectPublicKeyInfoRef::try_from(certificate.key()).ok();
    info.map(|info| info.subject_public_key.raw_bytes().to_vec()).unwrap_or_default()
}

/// An identifier of 20 octets; zeros for any other, which no key of the CA has.
fn identifier(found: Option<Vec<u8>>) -> [u8; 20] {
    found.and_then(|octets| octets.try_into().ok()).unwrap_or_default()
}

/// The URIs of the only distribution point, if it has no other names.
fn distribution_uris(certificate: &Certificate) -> Vec<String> {
    let value = certificate.extension(&CrlDistributionPoints::OID.to_string());
    let points = value.and_then(|value| CrlDistributionPoints::from_der(value).ok());
    let points = points.map(|points| points.0).unwrap_or_default();
    let [point] = points.as_slice() else { return Vec::new() };
    match &point.distribution_point {
        Some(DistributionPointName::FullName(names)) => {
            let uris = names.iter().map(|name| judge::uri(name).map(String::from));
            uris.collect::<Option<_>>().unwrap_or_default()
        }
        Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => Vec::new(),
    }
}
