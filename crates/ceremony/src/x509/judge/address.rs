//! The rules of the addresses in a certificate: issuerAltName and cRLDistributionPoints.

use alloc::string::String;
use alloc::vec::Vec;

use der::Decode as _;
use x509_cert::ext::pkix::CrlDistributionPoints;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName, GeneralNames};

use super::reading::{
    CRL_DISTRIBUTION_POINTS, Certificate, ISSUER_ALT_NAME, Judgement, extension, oid, rule,
};
use super::words;
use crate::language::Bilingual;
use crate::rule::RuleId;
use crate::says;
use crate::x509::{IssuerAltName, shown_urls};

/// I-ROOT-IAN: the policy's URI and e-mail address, at least one of them, and nothing else.
pub(super) fn issuer_alt_name(certificate: &Certificate, expected: &IssuerAltName) -> Judgement {
    let kind = (RuleId::I_ROOT_IAN, ISSUER_ALT_NAME, false);
    let names = || {
        let one = expected.uri.is_some() || expected.email.is_some();
        if one {
            Bilingual::plain(expected)
        } else {
            says!("URI 又は email", "a URI or an email")
        }
    };
    let asked = || {
        let names = names();
        says!(names; "{names}(critical でない)", "{names}, not critical")
    };
    let found: GeneralNames = extension(certificate.extensions(), kind, asked)?;
    let uris = expected.uri.iter().map(|uri| Some(Address::Uri(uri)));
    let emails = expected.email.iter().map(|email| Some(Address::Email(email)));
    let same = !found.is_empty() && found.iter().map(address).eq(uris.chain(emails));
    rule(RuleId::I_ROOT_IAN, same, asked, || words::general_names(&found))?;
    let asked = || {
        says!(
            "表示名のない `local@domain` の形のアドレス",
            "an address of the form `local@domain`, without a display name"
        )
    };
    let mailboxes = found.iter().filter_map(email).all(mailbox);
    rule(RuleId::I_ROOT_IAN, mailboxes, asked, || words::general_names(&found))
}

/// I-ROOT-CDP: one distribution point, by the policy's URIs alone.
pub(super) fn distribution_points(certificate: &Certificate, urls: &[String]) -> Judgement {
    let kind = (RuleId::I_ROOT_CDP, CRL_DISTRIBUTION_POINTS, false);
    let expected = shown_urls(urls);
    let asked = || {
        says!(
            "{expected}(reasons と cRLIssuer なし、critical でない)",
            "{expected}, no reasons, no cRLIssuer, not critical"
        )
    };
    let found: CrlDistributionPoints = extension(certificate.extensions(), kind, asked)?;
    let holds = match found.0.as_slice() {
        [point] => {
            let names = match &point.distribution_point {
                Some(DistributionPointName::FullName(names)) => names.as_slice(),
                Some(DistributionPointName::NameRelativeToCRLIssuer(_)) | None => &[],
            };
            let alone = point.reasons.is_none() && point.crl_issuer.is_none();
            let urls = urls.iter().map(|url| Some(Address::Uri(url)));
            alone && !names.is_empty() && names.iter().map(address).eq(urls)
        }
        _ => false,
    };
    rule(RuleId::I_ROOT_CDP, holds, asked, || words::points(&found.0))
}

/// A name that a policy can write down: each is compared as it is, never as it is shown.
#[derive(PartialEq, Eq)]
enum Address<'a> {
    Uri(&'a str),
    Email(&'a str),
}

fn address(name: &GeneralName) -> Option<Address<'_>> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(Address::Uri(uri.as_str())),
        GeneralName::Rfc822Name(address) => Some(Address::Email(address.as_str())),
        GeneralName::OtherName(_)
        | GeneralName::DnsName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::IpAddress(_)
        | GeneralName::RegisteredId(_) => None,
    }
}

/// The URI that a name is, if it is one.
pub(crate) fn uri(name: &GeneralName) -> Option<&str> {
    match address(name)? {
        Address::Uri(uri) => Some(uri),
        Address::Email(_) => None,
    }
}

fn email(name: &GeneralName) -> Option<&str> {
    match address(name)? {
        Address::Email(email) => Some(email),
        Address::Uri(_) => None,
    }
}

/// The names in issuerAltName and in the distribution points.
pub(super) fn general_names(certificate: &Certificate) -> Vec<GeneralName> {
    let mut names = Vec::new();
    for extension in certificate.extensions().into_iter().flatten() {
        let value = extension.extn_value.as_bytes();
        match oid(extension).as_str() {
            ISSUER_ALT_NAME => names.extend(GeneralNames::from_der(value).unwrap_or_default()),
            CRL_DISTRIBUTION_POINTS => {
                let points = CrlDistributionPoints::from_der(value).unwrap_or_default().0;
                for point in points {
                    if let Some(DistributionPointName::FullName(full)) = point.distribution_point {
                        names.extend(full);
                    }
                }
            }
            _ => (),
        }
    }
    names
}

/// P-URI: every URI leads somewhere.
pub(super) fn uris(certificate: &Certificate) -> Judgement {
    for extension in certificate.extensions().into_iter().flatten() {
        let value = extension.extn_value.as_bytes();
        match oid(extension).as_str() {
            ISSUER_ALT_NAME => {
                let names = GeneralNames::from_der(value).unwrap_or_default();
                let asked = || {
                    says!(
                        "http:// 又は https:// とホスト名から成り、RFC 3986 の禁じる文字のない URI",
                        "http:// or https://, a host, no character that RFC 3986 forbids"
                    )
                };
                for uri in names.iter().filter_map(uri) {
                    rule(RuleId::P_URI, reachable(uri), asked, || Bilingual::plain(uri))?;
                }
            }
            CRL_DISTRIBUTION_POINTS => {
                for point in CrlDistributionPoints::from_der(value).unwrap_or_default().0 {
                    if let Some(DistributionPointName::FullName(full)) = point.distribution_point {
                        addresses_of_crls(&full)?;
                    }
                }
            }
            _ => (),
        }
    }
    Ok(())
}

fn addresses_of_crls(names: &[GeneralName]) -> Judgement {
    let asked = || {
        says!(
            "http://、https:// とホスト名、又は ldap://ホスト名/DN?属性 から成り、RFC 3986 の禁じる文字のない URI",
            "http:// or https:// with a host, or ldap://host/DN?attribute, no character that RFC 3986 forbids"
        )
    };
    for uri in names.iter().filter_map(uri) {
        rule(RuleId::P_URI, retrievable(uri), asked, || Bilingual::plain(uri))?;
    }
    Ok(())
}

/// Whether a URI is http or https with a host, in characters of RFC 3986.
///
/// A placeholder `{key}` that was not replaced is refused too.
pub(crate) fn reachable(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    host.is_some_and(|host| !host.is_empty()) && of_rfc_3986(uri)
}

/// Whether a CRL can be had from a URI: as [`reachable`], or by LDAP.
///
/// RFC 5280 4.2.1.13: an LDAP URI has a DN and one attribute, and should have a host; here it must,
/// because relying parties have no directory of their own.
pub(crate) fn retrievable(uri: &str) -> bool {
    let ldap = uri.strip_prefix("ldap://").and_then(|rest| rest.split_once('/'));
    let Some((host, entry)) = ldap else { return reachable(uri) };
    let mut parts = entry.split('?');
    let (name, attribute) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let one = !attribute.is_empty() && !attribute.contains(',');
    !host.is_empty() && !name.is_empty() && one && of_rfc_3986(uri)
}

fn of_rfc_3986(uri: &str) -> bool {
    uri.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
}

/// Whether a text is a Mailbox of RFC 2821 4.1.2, as RFC 5280 4.2.1.6 asks of an rfc822Name: no
/// display name and no angle brackets. A quoted local part is refused, because nobody has one.
fn mailbox(address: &str) -> bool {
    let Some((local, domain)) = address.split_once('@') else { return false };
    let of_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let atom = |part: &str| !part.is_empty() && part.chars().all(of_atom);
    let label = |part: &str| {
        let inside = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        inside && (1..=63).contains(&part.len()) && !part.starts_with('-') && !part.ends_with('-')
    };
    let (local_fits, domain_fits) = (local.len() <= 64, domain.len() <= 255);
    local_fits && domain_fits && local.split('.').all(atom) && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn an_address_of_a_crl_leads_to_one() {
        for good in [
            "http://crl.example/g1.crl",
            "https://crl.example",
            "ldap://ldap.example/cn=CA,c=JP?certificateRevocationList;binary",
            "ldap://ldap.example:389/cn=CA?certificateRevocationList;binary?base?(cn=*)",
        ] {
            assert!(retrievable(good), "{good}");
        }
        for bad in [
            "ftp://crl.example/g1.crl",
            "http:///g1.crl",
            "http://crl.example/{key}.crl",
            "ldap://ldap.example",
            "ldap://ldap.example/cn=CA",
            "ldap://ldap.example/?certificateRevocationList",
            "ldap:///cn=CA?certificateRevocationList",
            "ldap://ldap.example/cn=CA?a,b",
            "ldap://ldap.example/cn={key}?certificateRevocationList",
            "ldaps://ldap.example/cn=CA?certificateRevocationList",
        ] {
            assert!(!retrievable(bad), "{bad}");
        }
        assert!(!reachable("ldap://ldap.example/cn=CA?certificateRevocationList"));
    }

    #[test]
    fn an_address_is_a_mailbox() {
        for good in ["iaca@utopia.example", "first.last+mdl@a-b.example", "a@b"] {
            assert!(mailbox(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "A <a@b>",
            "a..b@c",
            ".a@c",
            "a@-b",
            "a@b-",
            "a@b..c",
            "a@b.",
            "\"a b\"@c",
        ] {
            assert!(!mailbox(bad), "{bad}");
        }
        assert!(!mailbox(&format!("{}@b", "a".repeat(65))));
        assert!(!mailbox(&format!("a@{}", "b".repeat(64))));
    }
}
