//! The requests to a token and its answers: everything of PKCS #11 that a ceremony needs.
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

/// Which token: the root CA's, or one that holds copies of keys, by its name in plans and rooms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// The root token, on which keys are generated and by which the ceremony signs.
    Root,
    /// A token that holds copies.
    Spare(Name),
}

impl Holder {
    /// The ending of an operation's name: empty for the root token.
    #[must_use]
    pub fn suffix(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Spare(name) => format!("-{name}"),
        }
    }
}

/// What a token is asked to do in one operation of a ceremony.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenRequest {
    /// Find the one token with this serial number and return its identity. A read.
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
    /// Generate a key pair after checking that no object has its CKA_ID, and read it back in a
    /// fresh session.
    #[non_exhaustive]
    Generate {
        /// What is made.
        key: KeyTemplate,
    },
    /// Read back the objects with this CKA_ID in a fresh session. A read.
    #[non_exhaustive]
    Inspect {
        /// CKA_ID.
        id: Octets,
        /// The curve that is expected.
        curve: Curve,
        /// The requested CKA_LABEL. Objects with it and without a CKA_ID are counted as strays.
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
    /// Destroy all objects with this CKA_ID, of every class, and look for them again in a fresh
    /// session. Only a logged-in user sees all of them, so it is refused without a login.
    #[non_exhaustive]
    Destroy {
        /// CKA_ID.
        id: Octets,
        /// Also the strays of a key pair with this CKA_LABEL (see [`is_stray`]).
        strays: Option<String>,
    },
    /// Log out and close every session.
    #[non_exhaustive]
    Logout {},
}

/// A key pair to be generated. The template sets what must be true, and to false what a token may
/// set to true by itself. What PKCS #11 makes false by default is left out, because modules refuse
/// attributes that they do not know.
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
    /// What must be read back of the private key: the attributes that were set, those left out, and
    /// those that the token sets itself.
    pub expected_private: BTreeMap<Attribute, bool>,
    /// What must be read back of the public key.
    pub expected_public: BTreeMap<Attribute, bool>,
    /// Attributes that this token's module cannot return according to the policy: they may be
    /// absent.
    pub not_told: BTreeSet<Attribute>,
    /// The derived key of a rehearsal that a rehearsal token uses instead.
    pub rehearsal: crate::rehearsal::RehearsalKey,
}

impl KeyTemplate {
    /// The template as the holder of a copy has it: a token that unwrapped a key did not generate
    /// it and cannot know its past.
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

/// Copy a key pair from one token to another under a key that both agree on (CP/CPS 6.2.4): for a
/// backup or a restore.
///
/// It is asked of two tokens, so it is no [`TokenRequest`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyRequest {
    /// The copy: CKA_ID, label and attributes of the original, and what must be read back.
    pub key: KeyTemplate,
    /// The public key that the source must hold, an uncompressed point.
    pub point: Octets,
    /// The key that wraps it.
    pub kek: KekTemplate,
}

impl CopyRequest {
    /// Makes the request that copies the key with this template and public key.
    #[must_use]
    pub fn of(made: &KeyTemplate, public: &PublicKey) -> Self {
        Self {
            key: made.copied(),
            point: Octets(public.point().to_vec()),
            kek: KekTemplate::of(made),
        }
    }
}

/// Remove what an interrupted copy has left: objects with the key's CKA_ID on the target, and with
/// the agreed key's on either token. The source's own key is not touched.
///
/// The target's key is destroyed even if it is whole, so it is asked only where the records show
/// that the target held no such key before the copy was begun.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyRemains {
    /// CKA_ID of the copy.
    pub id: Octets,
    /// CKA_ID of everything that was made for the key agreement.
    pub kek: Octets,
}

impl CopyRemains {
    /// Makes the request that removes the remains of a copy of the key with this template.
    #[must_use]
    pub fn of(made: &KeyTemplate) -> Self {
        Self { id: made.id.clone(), kek: KekTemplate::of(made).id }
    }
}

/// The key-encryption key of one copy: AES-256, agreed by ECDH, a session object on both tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KekTemplate {
    /// Its CKA_ID, which the key pairs of the agreement have too.
    pub id: Octets,
    /// CKA_LABEL of the same.
    pub label: String,
    /// Its attributes on the source, set and read back: it can wrap, and nothing else.
    pub wrapping: BTreeMap<Attribute, bool>,
    /// Its attributes on the target: it can unwrap, and nothing else.
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

/// The attributes of a key-encryption key. It is not a private object, because a security officer
/// sets CKA_TRUSTED and sees no private objects.
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
    /// To the negative steps: the token refused.
    Denied {
        /// The name of the return value (such as `CKR_KEY_UNEXTRACTABLE`), [`NO_VALUE`] or
        /// [`NO_WRAPPING`]: one that [`keeps_value`] or [`keeps_key`] accepts.
        code: String,
    },
    /// To the negative steps: the token gave out what it must never give out. The octets were
    /// overwritten.
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
    /// To [`TokenRequest::Destroy`]: the number of objects that still have the CKA_ID. To
    /// [`CopyRemains`]: the number of objects of the copy on both tokens.
    Left {
        /// How many objects are left.
        objects: u32,
    },
    /// To [`CopyRequest`].
    Copied(CopyFacts),
}

/// The identity of a token (CK_TOKEN_INFO, without trailing spaces).
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
    /// Those of CKM_ECDSA and CKM_EC_KEY_PAIR_GEN that are offered, by name, in this order.
    pub mechanisms: Vec<String>,
}

/// One object on a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TokenObject {
    /// `private-key`, `public-key`, `secret-key`, `data`, `certificate`, `other`, or `none` if it
    /// does not return its class.
    pub class: String,
    /// CKA_ID; empty where there is none.
    pub id: Octets,
    /// CKA_LABEL; empty where there is none.
    pub label: String,
}

/// Whether an object may be the remains of an interrupted or failed key generation: a key, or an
/// object without a class, that has no CKA_ID, and has no CKA_LABEL or the requested one.
#[must_use]
pub fn is_stray(object: &TokenObject, label: &str) -> bool {
    let begun = ["private-key", "public-key", "none"].contains(&object.class.as_str());
    begun && object.id.0.is_empty() && (object.label.is_empty() || object.label == label)
}

/// The objects with one CKA_ID, read back in a fresh session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KeyFacts {
    /// The number of private key objects.
    pub privates: u32,
    /// The number of public key objects.
    pub publics: u32,
    /// CKA_EC_PARAMS of the public key in DER, or of the private key if there is no public one.
    pub parameters: Octets,
    /// The uncompressed point from CKA_EC_POINT; empty if there is no public key.
    pub point: Octets,
    /// CKA_LABEL of the objects found, in order, private ones first.
    pub labels: Vec<String>,
    /// Every attribute of [`Attribute`] that the private key returns.
    pub private: BTreeMap<Attribute, bool>,
    /// The same for the public key.
    pub public: BTreeMap<Attribute, bool>,
    /// The number of strays of this key pair on the token (see [`is_stray`]).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub strays: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The answers of two tokens about a copy that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CopyFacts {
    /// The copy, read back in a fresh session of the target.
    pub key: KeyFacts,
    /// The mechanisms by name: of the agreement, then of the wrapping.
    pub mechanisms: Vec<String>,
    /// The attributes of the agreed key on the source before it wrapped.
    pub wrapping: BTreeMap<Attribute, bool>,
    /// The attributes of the agreed key on the target before it unwrapped.
    pub unwrapping: BTreeMap<Attribute, bool>,
    /// The number of objects of the agreement found in a fresh session of the source.
    pub source_left: u32,
    /// The same of the target.
    pub target_left: u32,
}

/// Whether this return value means that the token refuses to give out a value. Any other means that
/// something failed, and says nothing of what the token would do.
#[must_use]
pub fn keeps_value(code: &str) -> bool {
    [NO_VALUE, "CKR_ATTRIBUTE_SENSITIVE"].contains(&code)
}

/// Whether an attempt is lost because the token rejected a PIN: its cause names the return value.
#[must_use]
pub fn is_of_wrong_pin(cause: &str) -> bool {
    cause.contains("CKR_PIN_INCORRECT")
}

/// A read that gave nothing.
pub const NO_VALUE: &str = "no value";
/// Stands for the return value of a token that offers no way to wrap.
pub const NO_WRAPPING: &str = "no wrapping mechanism";

/// Whether this return value means that the token refuses to wrap the key, or to wrap in this way
/// at all.
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

/// A token did not do what it was asked, and returned why.
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
    /// Makes the error of this call with what was found.
    #[must_use]
    pub fn new(call: &str, found: Bilingual) -> Self {
        let Bilingual { ja, en } = found;
        Self { call: String::from(call), code: en, ja }
    }

    /// Words what was found, in both languages.
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
