//! What a token is asked, and what it answers: the whole of PKCS #11 that a ceremony needs.
//!
//! **Invariants.** Only this crate makes a [`TokenRequest`], a [`CopyRequest`] or a
//! [`CopyRemains`]: they are `#[non_exhaustive]`. A token takes them by value and they are not
//! `Clone`, so there is no signature without an operation, and none twice. Answers are claims: the
//! run judges each of them, and believes none.
//!
//! **Deliberately absent:** PINs. A login is asked for; who types what is between the room and the
//! token. And a key in any form, encrypted or not (CP/CPS 5.4.1, 6.2.6): a copy goes from token to
//! token, and what was wrapped is in no answer.

mod attribute;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use attribute::Attribute;
use serde::{Deserialize, Serialize};

use crate::hex::{Digest, Octets};
use crate::key::{Curve, PublicKey};
use crate::language::Bilingual;
use crate::name::Name;
use crate::says;

/// Which token: the root CA's, or another that holds a copy of a key, by its name in plans and
/// rooms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The root token, on which keys are made and which the ceremony is held with.
    Root,
    /// A token that holds copies.
    Spare(Name),
}

impl Holder {
    /// What an operation's name ends with: nothing for the root token.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Spare(name) => format!("-{name}"),
        }
    }
}

/// What a token is asked to do, in one operation of a ceremony.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenRequest {
    /// Find the one token with this serial number and say what it is. A read.
    #[non_exhaustive]
    Identify {
        /// CK_TOKEN_INFO serialNumber, without trailing spaces.
        serial: String,
    },
    /// Log the user in (CKU_USER).
    #[non_exhaustive]
    Login {},
    /// List every object, in a fresh session. A read.
    #[non_exhaustive]
    List {},
    /// Make a key pair, after seeing that no object bears its CKA_ID; then read it back in a fresh
    /// session.
    #[non_exhaustive]
    Generate {
        /// What is made.
        key: KeyTemplate,
    },
    /// Read back whatever bears this CKA_ID, in a fresh session. A read.
    #[non_exhaustive]
    Inspect {
        /// CKA_ID.
        id: Octets,
        /// The curve that is expected.
        curve: Curve,
        /// CKA_LABEL that was asked for: whatever bears it and no CKA_ID is counted as a stray.
        label: String,
    },
    /// Negative step: try to read the private key's CKA_VALUE. Must fail.
    #[non_exhaustive]
    ReadValue {
        /// CKA_ID.
        id: Octets,
    },
    /// Negative step: try to wrap the private key under an ordinary AES session key made for this.
    /// Must fail.
    #[non_exhaustive]
    Wrap {
        /// CKA_ID.
        id: Octets,
    },
    /// Sign digests one after another with CKM_ECDSA.
    #[non_exhaustive]
    Sign {
        /// CKA_ID.
        id: Octets,
        /// The key's curve; every digest has its length.
        curve: Curve,
        /// The digests, in order.
        digests: Vec<Vec<u8>>,
    },
    /// Write the ledger head as a data object: make the new one, read it back, destroy the older
    /// ones.
    #[non_exhaustive]
    WriteHead {
        /// CKA_LABEL and CKA_APPLICATION.
        label: String,
        /// CKA_VALUE.
        value: Octets,
    },
    /// Read the data objects with this label. A read.
    #[non_exhaustive]
    ReadHead {
        /// CKA_LABEL.
        label: String,
    },
    /// Destroy every object that bears this CKA_ID, of whatever class, then look for it in a fresh
    /// session. Only a logged-in user sees them all: without one it is refused.
    #[non_exhaustive]
    Destroy {
        /// CKA_ID.
        id: Octets,
        /// The strays of a key pair with this CKA_LABEL as well (see [`is_stray`]).
        strays: Option<String>,
    },
    /// Log out and close every session.
    #[non_exhaustive]
    Logout {},
}

/// A key pair that shall be made. What must be true is said, and what must be false where a token
/// may take it for true; what PKCS #11 has false by itself is left out, because modules refuse
/// attributes that they do not know (decision 0060). Everything is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyTemplate {
    /// CKA_ID of both objects.
    pub id: Octets,
    /// CKA_LABEL of both objects.
    pub label: String,
    /// CKA_EC_PARAMS, as a named curve.
    pub curve: Curve,
    /// Attributes set on the private key.
    pub private: BTreeMap<Attribute, bool>,
    /// Attributes set on the public key.
    pub public: BTreeMap<Attribute, bool>,
    /// What must be read back of the private key: what was set, what was left out, and what the
    /// token sets itself.
    pub expected_private: BTreeMap<Attribute, bool>,
    /// What must be read back of the public key.
    pub expected_public: BTreeMap<Attribute, bool>,
    /// Those that the policy says this token's module cannot tell: they may be absent.
    pub not_told: BTreeSet<Attribute>,
    /// For the rehearsal token only: which of the rehearsal's derived keys this is.
    pub rehearsal: crate::rehearsal::RehearsalKey,
}

impl KeyTemplate {
    /// The same key as a copy holds it: the token that unwrapped it did not make it, and cannot
    /// know where it has been.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = self.clone();
        copy.expected_private.extend([
            (Attribute::AlwaysSensitive, false),
            (Attribute::NeverExtractable, false),
            (Attribute::Local, false),
        ]);
        copy
    }
}

/// Copy a key pair from one token to another, under a key that both agree on (CP/CPS 6.2.4): a
/// backup, or a restore.
///
/// It is asked of two tokens, so it is no [`TokenRequest`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyRequest {
    /// The copy: CKA_ID, label and attributes as on the source, and what is read back of it.
    pub key: KeyTemplate,
    /// The public key that the source must hold, an uncompressed point.
    pub point: Octets,
    /// The key that it travels under.
    pub kek: KekTemplate,
}

impl CopyRequest {
    /// The request that copies the key made by this template, which has this public key.
    #[must_use]
    pub fn of(made: &KeyTemplate, public: &PublicKey) -> Self {
        Self {
            key: made.copied(),
            point: Octets(public.point().to_vec()),
            kek: KekTemplate::of(made),
        }
    }
}

/// Remove what an interrupted copy has left: what bears the key's CKA_ID on the target, and what
/// bears the agreed key's on either token. The source's own key is not looked for.
///
/// The target's key is destroyed even if it is whole, so it is asked only where the records show
/// that the target held no such key before the copy was begun.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyRemains {
    /// CKA_ID of the copy.
    pub id: Octets,
    /// CKA_ID of everything that was made to agree on a key.
    pub kek: Octets,
}

impl CopyRemains {
    /// The request that removes what a copy of the key made by this template has left.
    #[must_use]
    pub fn of(made: &KeyTemplate) -> Self {
        Self { id: made.id.clone(), kek: KekTemplate::of(made).id }
    }
}

/// The key-encryption key of one copy: AES-256, agreed by ECDH, a session object of both tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KekTemplate {
    /// CKA_ID of it, and of the key pairs that it is agreed with.
    pub id: Octets,
    /// CKA_LABEL of the same.
    pub label: String,
    /// Its attributes on the source, set and expected back: it wraps, and nothing else.
    pub wrapping: BTreeMap<Attribute, bool>,
    /// Its attributes on the target: it unwraps, and nothing else.
    pub unwrapping: BTreeMap<Attribute, bool>,
}

impl KekTemplate {
    fn of(made: &KeyTemplate) -> Self {
        let id = Digest::of_parts("gishiki agreement v1", &[&made.id.0]);
        Self {
            id: Octets(id.0.into_iter().take(20).collect()),
            label: alloc::format!("{} agreement", made.label),
            wrapping: kek_attributes(Attribute::Wrap),
            unwrapping: kek_attributes(Attribute::Unwrap),
        }
    }
}

/// CKA_TRUSTED is set by a security officer, who sees no private objects: so it is none.
fn kek_attributes(only: Attribute) -> BTreeMap<Attribute, bool> {
    let never = [
        Attribute::Token,
        Attribute::Private,
        Attribute::Extractable,
        Attribute::Sign,
        Attribute::Verify,
        Attribute::Encrypt,
        Attribute::Decrypt,
        Attribute::Wrap,
        Attribute::Unwrap,
        Attribute::Derive,
    ];
    let mut attributes: BTreeMap<_, _> = never.into_iter().map(|name| (name, false)).collect();
    attributes.extend([(Attribute::Sensitive, true), (Attribute::Trusted, true), (only, true)]);
    attributes
}

/// What a token says it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "token", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TokenAnswer {
    /// To [`TokenRequest::Identify`].
    Identity(TokenIdentity),
    /// To [`TokenRequest::Login`] and [`TokenRequest::Logout`].
    Done {},
    /// To [`TokenRequest::List`], in order of class, id and label.
    Objects {
        /// Every object that a logged-in session sees.
        objects: Vec<TokenObject>,
    },
    /// To [`TokenRequest::Generate`] and [`TokenRequest::Inspect`].
    Key(KeyFacts),
    /// To the negative steps: the token refused, and said so.
    Denied {
        /// The name of the return value (`CKR_KEY_UNEXTRACTABLE`), [`NO_VALUE`] or [`NO_WRAPPING`]:
        /// one of those of [`keeps_value`] or [`keeps_key`].
        code: String,
    },
    /// To the negative steps: the token did what it must never do. The octets are gone already.
    Yielded {
        /// How many octets came out.
        octets: u32,
    },
    /// To [`TokenRequest::Sign`]: raw r‖s, one for each digest.
    Signatures {
        /// In the order of the digests.
        signatures: Vec<Octets>,
    },
    /// To [`TokenRequest::WriteHead`] and [`TokenRequest::ReadHead`]: the values now on the token,
    /// in order.
    Heads {
        /// CKA_VALUE of every data object with that label.
        values: Vec<Octets>,
    },
    /// To [`TokenRequest::Destroy`]: what is left with that CKA_ID. To [`CopyRemains`]: what is
    /// left of the copy on both tokens.
    Left {
        /// How many objects still bear the CKA_ID.
        objects: u32,
    },
    /// To [`CopyRequest`].
    Copied(CopyFacts),
}

/// What a token says it is (CK_TOKEN_INFO, trailing spaces removed).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenIdentity {
    /// label
    pub label: String,
    /// manufacturerID
    pub manufacturer: String,
    /// model
    pub model: String,
    /// serialNumber
    pub serial: String,
    /// hardwareVersion, `major.minor`
    pub hardware: String,
    /// firmwareVersion, `major.minor`
    pub firmware: String,
    /// Whether CKM_ECDSA and CKM_EC_KEY_PAIR_GEN are offered, by name, in this order; only those
    /// offered are named.
    pub mechanisms: Vec<String>,
}

/// One object on a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenObject {
    /// `private-key`, `public-key`, `secret-key`, `data`, `certificate`, `other`, or `none` where
    /// it does not say its class.
    pub class: String,
    /// CKA_ID; empty where there is none.
    pub id: Octets,
    /// CKA_LABEL; empty where there is none.
    pub label: String,
}

/// Whether an object may be what an interrupted or failed making of a key pair has left: a key, or
/// something without a class, that bears no CKA_ID, and no CKA_LABEL or the one that was asked for.
#[must_use]
pub fn is_stray(object: &TokenObject, label: &str) -> bool {
    let begun = ["private-key", "public-key", "none"].contains(&object.class.as_str());
    begun && object.id.0.is_empty() && (object.label.is_empty() || object.label == label)
}

/// What bears a CKA_ID, read back in a fresh session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyFacts {
    /// How many private key objects bear it.
    pub privates: u32,
    /// How many public key objects bear it.
    pub publics: u32,
    /// CKA_EC_PARAMS of the public key (of the private key where there is no public one), in DER.
    pub parameters: Octets,
    /// The uncompressed point, out of CKA_EC_POINT; empty where there is no public key.
    pub point: Octets,
    /// CKA_LABEL of the objects found, in order, private ones first.
    pub labels: Vec<String>,
    /// Every attribute of [`Attribute`] that the private key answers; an absent one is left out.
    pub private: BTreeMap<Attribute, bool>,
    /// The same for the public key.
    pub public: BTreeMap<Attribute, bool>,
    /// How many strays of this key pair are on the token (see [`is_stray`]).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strays: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// What two tokens say of a copy that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CopyFacts {
    /// The copy, read back in a fresh session of the target.
    pub key: KeyFacts,
    /// The mechanisms by name: of the agreement, then of the wrapping.
    pub mechanisms: Vec<String>,
    /// What the source said of the agreed key before it wrapped.
    pub wrapping: BTreeMap<Attribute, bool>,
    /// What the target said of the agreed key before it unwrapped.
    pub unwrapping: BTreeMap<Attribute, bool>,
    /// What is left of the agreement, found in a fresh session of the source.
    pub source_left: u32,
    /// The same of the target.
    pub target_left: u32,
}

/// Whether a token says by this that it keeps a value to itself. Any other return value says that
/// something failed, and nothing of what the token would do.
#[must_use]
pub fn keeps_value(code: &str) -> bool {
    [NO_VALUE, "CKR_ATTRIBUTE_SENSITIVE"].contains(&code)
}

/// A read that gave nothing.
pub const NO_VALUE: &str = "no value";
/// A token that offers no way to wrap.
pub const NO_WRAPPING: &str = "no wrapping mechanism";

/// Whether a token says by this that the key is not to be wrapped, or not in this way at all.
///
/// The wrapping key was made in the same session a moment before, so what a module says of it is
/// said of the pair: this key does not wrap that one. What may be a failure of the device or of the
/// session (CKR_KEY_HANDLE_INVALID, CKR_FUNCTION_FAILED, CKR_MECHANISM_PARAM_INVALID) is none.
#[must_use]
pub fn keeps_key(code: &str) -> bool {
    [
        NO_WRAPPING,
        // Of the key: it never leaves, its kind does not, policy forbids it.
        "CKR_KEY_UNEXTRACTABLE",
        "CKR_KEY_NOT_WRAPPABLE",
        "CKR_KEY_FUNCTION_NOT_PERMITTED",
        "CKR_ATTRIBUTE_SENSITIVE",
        "CKR_ACTION_PROHIBITED",
        // Of the way: this mechanism wraps no such key.
        "CKR_KEY_SIZE_RANGE",
        "CKR_KEY_TYPE_INCONSISTENT",
        "CKR_MECHANISM_INVALID",
        "CKR_FUNCTION_NOT_SUPPORTED",
        // Of the wrapping key, which is whole and of this session (kryoptic says the first).
        "CKR_WRAPPING_KEY_HANDLE_INVALID",
        "CKR_WRAPPING_KEY_SIZE_RANGE",
        "CKR_WRAPPING_KEY_TYPE_INCONSISTENT",
    ]
    .contains(&code)
}

/// A token did not do what it was asked, and said so.
///
/// **Invariant:** records have the English words; the Japanese ones are for the room alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {code}")]
pub struct TokenError {
    /// The PKCS #11 function, or what was looked for.
    pub call: String,
    /// The return value's name, or what was found.
    pub code: String,
    /// The same in Japanese.
    ja: String,
}

impl TokenError {
    /// What was found in this call.
    #[must_use]
    pub fn new(call: &str, found: Bilingual) -> Self {
        let Bilingual { ja, en } = found;
        Self { call: String::from(call), code: en, ja }
    }

    /// What was found, in both languages of the room.
    #[must_use]
    pub fn found(&self) -> Bilingual {
        Bilingual { ja: self.ja.clone(), en: self.code.clone() }
    }

    /// The same, after its call.
    #[must_use]
    pub fn said(&self) -> Bilingual {
        let found = self.found();
        says!(found; "{}: {found}", "{}: {found}", self.call)
    }
}
