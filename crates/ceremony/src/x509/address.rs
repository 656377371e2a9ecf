//! The addresses in certificates: where the issuer is found, and where its CRLs are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

/// What issuerAltName holds (ISO/IEC 18013-5 B.1.2): a URI, an e-mail address, or both.
///
/// An empty one can be written down, and is refused by I-ROOT-IAN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerAltName {
    /// uniformResourceIdentifier, which stands first.
    pub uri: Option<String>,
    /// rfc822Name.
    pub email: Option<String>,
}

impl IssuerAltName {
    /// Whether it can be written as IA5String (RFC 5280 4.2.1.6).
    pub(crate) fn is_ascii(&self) -> bool {
        self.uri.iter().chain(&self.email).all(|text| text.is_ascii())
    }
}

impl fmt::Display for IssuerAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = self.uri.iter().map(|uri| format!("URI {uri}"));
        let email = self.email.iter().map(|email| format!("email {email}"));
        f.write_str(&uri.chain(email).collect::<Vec<_>>().join(", "))
    }
}

/// Shows the addresses of CRLs, in their order.
pub(crate) fn shown_urls<'a>(urls: impl IntoIterator<Item = &'a String>) -> String {
    urls.into_iter().map(|url| format!("URI {url}")).collect::<Vec<_>>().join(", ")
}
