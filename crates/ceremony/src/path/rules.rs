//! The rules of whoever relies on a certificate: id, clause, what it refuses.

use crate::rule::RuleId;

/// Every rule that is judged in [`super`] and nowhere else.
pub const RULES: &[(RuleId, &str, &str)] = &[
    (
        RuleId::P_PATH_ISSUER,
        "RFC 5280 6.1.3 (a) (4)",
        "a certificate or CRL of a Name under which no key is trusted",
    ),
    (
        RuleId::P_PATH_KEY,
        "RFC 5280 4.2.1.1, 5.2.1",
        "a certificate or CRL of a key that is not trusted",
    ),
    (
        RuleId::P_PATH_CA,
        "RFC 5280 6.1.4 (k), (n)",
        "a key that may not sign certificates, where it signed one or shall sign them",
    ),
    (
        RuleId::P_PATH_SIGNATURE,
        "RFC 5280 6.1.3 (a) (1), 6.3.3 (g)",
        "a signature that does not verify under the trusted key",
    ),
    (
        RuleId::P_PATH_TIME,
        "RFC 5280 6.1.3 (a) (2)",
        "a certificate that is not valid yet, or not any more",
    ),
    (
        RuleId::R_VERIFIER,
        "4.5.2, 7.1.9",
        "a critical extension that is unknown, or whose content cannot be processed",
    ),
    (
        RuleId::P_PATH_CRL,
        "4.5.2, 4.9.6, RFC 5280 6.3.3",
        "a certificate without a CRL of its day by the key that signed it",
    ),
    (
        RuleId::P_CRL_TIME,
        "7.2.2, RFC 5280 5.1.2.4, 5.1.2.5",
        "a CRL before its thisUpdate, or from its nextUpdate on",
    ),
    (
        RuleId::P_REVOKED,
        "4.9.5, 4.9.6, RFC 5280 6.3.3 (i)",
        "a certificate that a CRL of a trusted key names, of its day or not",
    ),
    (
        RuleId::R_LINK,
        "7.1.2.2, RFC 9810 4.4",
        "a link certificate that is not one key of the CA by another of its keys",
    ),
    (
        RuleId::R_DS_NOT_CA,
        "1.4.1 (3), 1.6",
        "a Document Signer that could certify: cA, keyCertSign or cRLSign",
    ),
    (
        RuleId::I_DS_KEY,
        "ISO 18013-5 B.1.4",
        "a Document Signer's key on another curve than P-256, P-384, P-521",
    ),
    (
        RuleId::I_DS_KEY_USAGE,
        "ISO 18013-5 B.1.4",
        "a keyUsage that is not digitalSignature alone, critical",
    ),
    (
        RuleId::I_DS_EKU,
        "ISO 18013-5 B.1.4; D15",
        "an extended key usage that is not 1.0.18013.5.1.2 alone, critical",
    ),
    (
        RuleId::I_DS_SKI,
        "ISO 18013-5 B.1.4, RFC 5280 4.2.1.2 (1)",
        "a subject key identifier that is not SHA-1 of the key",
    ),
    (
        RuleId::I_DS_AKI,
        "ISO 18013-5 B.1.4, RFC 5280 4.2.1.1",
        "an authority key identifier that is critical, or has more than the key's",
    ),
    (
        RuleId::I_DS_IAN,
        "ISO 18013-5 B.1.4",
        "an issuer alternative name that is absent, critical, or neither URI nor address",
    ),
    (RuleId::I_DS_CDP, "ISO 18013-5 B.1.4", "distribution points that are not one URI"),
    (
        RuleId::I_DS_VALIDITY,
        "ISO 18013-5 B.1.4; D42",
        "a Document Signer that is valid for more than 457 days",
    ),
    (RuleId::I_DS_EXT, "ISO 18013-5 B.1.1, B.1.4", "a further extension in a Document Signer"),
];
