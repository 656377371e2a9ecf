//! The boolean attributes of a key that a ceremony sets or reads back.

use serde::{Deserialize, Serialize};

/// A boolean attribute of a key, by its PKCS #11 name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// CKA_TOKEN
    Token,
    /// CKA_PRIVATE
    Private,
    /// CKA_MODIFIABLE
    Modifiable,
    /// CKA_COPYABLE
    Copyable,
    /// CKA_SENSITIVE
    Sensitive,
    /// CKA_EXTRACTABLE
    Extractable,
    /// CKA_WRAP_WITH_TRUSTED
    WrapWithTrusted,
    /// CKA_ALWAYS_SENSITIVE, set by the token
    AlwaysSensitive,
    /// CKA_NEVER_EXTRACTABLE, set by the token
    NeverExtractable,
    /// CKA_LOCAL, set by the token
    Local,
    /// CKA_SIGN
    Sign,
    /// CKA_SIGN_RECOVER
    SignRecover,
    /// CKA_DECRYPT
    Decrypt,
    /// CKA_UNWRAP
    Unwrap,
    /// CKA_DERIVE
    Derive,
    /// CKA_VERIFY
    Verify,
    /// CKA_VERIFY_RECOVER
    VerifyRecover,
    /// CKA_ENCRYPT
    Encrypt,
    /// CKA_WRAP
    Wrap,
    /// CKA_TRUSTED
    Trusted,
}

impl Attribute {
    /// Every one, in the order of this enum.
    pub const ALL: [Self; 20] = [
        Self::Token,
        Self::Private,
        Self::Modifiable,
        Self::Copyable,
        Self::Sensitive,
        Self::Extractable,
        Self::WrapWithTrusted,
        Self::AlwaysSensitive,
        Self::NeverExtractable,
        Self::Local,
        Self::Sign,
        Self::SignRecover,
        Self::Decrypt,
        Self::Unwrap,
        Self::Derive,
        Self::Verify,
        Self::VerifyRecover,
        Self::Encrypt,
        Self::Wrap,
        Self::Trusted,
    ];

    /// Whether the attribute says what else a key can be used for, or whether it can be changed. A
    /// module may not know such an attribute without the key being less safe, so only these may be
    /// named in the policy's `not-told`.
    #[must_use]
    pub const fn is_usage(self) -> bool {
        match self {
            Self::Modifiable
            | Self::Copyable
            | Self::SignRecover
            | Self::Decrypt
            | Self::Unwrap
            | Self::Derive
            | Self::Verify
            | Self::VerifyRecover
            | Self::Encrypt
            | Self::Wrap => true,
            Self::Token
            | Self::Private
            | Self::Sensitive
            | Self::Extractable
            | Self::WrapWithTrusted
            | Self::AlwaysSensitive
            | Self::NeverExtractable
            | Self::Local
            | Self::Sign
            | Self::Trusted => false,
        }
    }

    /// The attribute's name as graphs and records write it: PKCS #11's, without `CKA_`, in small
    /// letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Private => "private",
            Self::Modifiable => "modifiable",
            Self::Copyable => "copyable",
            Self::Sensitive => "sensitive",
            Self::Extractable => "extractable",
            Self::WrapWithTrusted => "wrap-with-trusted",
            Self::AlwaysSensitive => "always-sensitive",
            Self::NeverExtractable => "never-extractable",
            Self::Local => "local",
            Self::Sign => "sign",
            Self::SignRecover => "sign-recover",
            Self::Decrypt => "decrypt",
            Self::Unwrap => "unwrap",
            Self::Derive => "derive",
            Self::Verify => "verify",
            Self::VerifyRecover => "verify-recover",
            Self::Encrypt => "encrypt",
            Self::Wrap => "wrap",
            Self::Trusted => "trusted",
        }
    }
}
