//! Finds objects on a token, and reads their attributes.

use std::collections::BTreeMap;

use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::token::{Attribute, KeyFacts, TokenAnswer, TokenError, TokenObject, is_stray};
use cryptoki_sys::*;

use super::calls::{Session, Value};
use super::text::plain;

const fn kind(attribute: Attribute) -> CK_ATTRIBUTE_TYPE {
    match attribute {
        Attribute::Token => CKA_TOKEN,
        Attribute::Private => CKA_PRIVATE,
        Attribute::Modifiable => CKA_MODIFIABLE,
        Attribute::Copyable => CKA_COPYABLE,
        Attribute::Sensitive => CKA_SENSITIVE,
        Attribute::Extractable => CKA_EXTRACTABLE,
        Attribute::WrapWithTrusted => CKA_WRAP_WITH_TRUSTED,
        Attribute::AlwaysSensitive => CKA_ALWAYS_SENSITIVE,
        Attribute::NeverExtractable => CKA_NEVER_EXTRACTABLE,
        Attribute::Local => CKA_LOCAL,
        Attribute::Sign => CKA_SIGN,
        Attribute::SignRecover => CKA_SIGN_RECOVER,
        Attribute::Decrypt => CKA_DECRYPT,
        Attribute::Unwrap => CKA_UNWRAP,
        Attribute::Derive => CKA_DERIVE,
        Attribute::Verify => CKA_VERIFY,
        Attribute::VerifyRecover => CKA_VERIFY_RECOVER,
        Attribute::Encrypt => CKA_ENCRYPT,
        Attribute::Wrap => CKA_WRAP,
        Attribute::Trusted => CKA_TRUSTED,
    }
}

/// A template's entry for an attribute.
pub(super) fn value(attribute: Attribute, value: bool) -> Value {
    Value::flag(kind(attribute), value)
}

/// CKA_ID and CKA_LABEL of what is generated.
pub(super) fn named(id: &Octets, label: &str) -> [Value; 2] {
    [Value::octets(CKA_ID, &id.0), Value::octets(CKA_LABEL, label.as_bytes())]
}

/// A number of objects, as answers have it.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads a boolean attribute; `None` if the object does not have it.
pub(super) fn flag(
    session: &Session,
    object: CK_OBJECT_HANDLE,
    kind: CK_ATTRIBUTE_TYPE,
) -> Result<Option<bool>, TokenError> {
    let told = session.read(object, kind)?;
    Ok(told.and_then(|octets| octets.first().map(|octet| *octet != 0)))
}

/// Objects with this CKA_ID.
pub(super) fn with_id(
    session: &Session,
    id: &Octets,
    also: &[Value],
) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
    let mut template = vec![Value::octets(CKA_ID, &id.0)];
    template.extend_from_slice(also);
    session.find(&template)
}

/// Finds objects of a class with neither CKA_ID nor CKA_LABEL. CKA_TOKEN is not compared: SoftHSM
/// keeps them on the token although it returns false.
pub(super) fn nameless(
    session: &Session,
    class: CK_OBJECT_CLASS,
) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
    let mut found = Vec::new();
    for handle in session.find(&[Value::number(CKA_CLASS, class)])? {
        let object = describe(session, handle)?;
        if object.id.0.is_empty() && object.label.is_empty() {
            found.push(handle);
        }
    }
    Ok(found)
}

/// Finds what the generation of a key pair with this label may have left without a CKA_ID.
pub(super) fn strays(session: &Session, label: &str) -> Result<Vec<CK_OBJECT_HANDLE>, TokenError> {
    let mut found = Vec::new();
    for handle in session.find(&[])? {
        if is_stray(&describe(session, handle)?, label) {
            found.push(handle);
        }
    }
    Ok(found)
}

/// Reads class, CKA_ID and CKA_LABEL of an object.
fn describe(session: &Session, handle: CK_OBJECT_HANDLE) -> Result<TokenObject, TokenError> {
    let class = session.read(handle, CKA_CLASS)?;
    let class = class.and_then(|octets| octets.as_slice().try_into().ok());
    let id = session.read(handle, CKA_ID)?.map(|id| id.to_vec()).unwrap_or_default();
    let label = session.read(handle, CKA_LABEL)?;
    Ok(TokenObject {
        class: class_name(class.map(CK_OBJECT_CLASS::from_ne_bytes)).into(),
        id: Octets(id),
        label: label.map(|label| plain(&label)).unwrap_or_default(),
    })
}

/// Lists every object of the token, in order of class, id and label. CKA_TOKEN is not compared: the
/// remains of an interrupted C_UnwrapKey may say that they are not on the token. Objects that every
/// token has by itself are left out: mechanisms, hardware features, profiles.
pub(super) fn list(session: &Session) -> Result<TokenAnswer, TokenError> {
    let mut objects = Vec::new();
    for handle in session.find(&[])? {
        let object = describe(session, handle)?;
        if object.class != OF_THE_TOKEN {
            objects.push(object);
        }
    }
    objects.sort();
    Ok(TokenAnswer::Objects { objects })
}

const OF_THE_TOKEN: &str = "of the token";

const fn class_name(class: Option<CK_OBJECT_CLASS>) -> &'static str {
    match class {
        Some(CKO_PRIVATE_KEY) => "private-key",
        Some(CKO_PUBLIC_KEY) => "public-key",
        Some(CKO_SECRET_KEY) => "secret-key",
        Some(CKO_DATA) => "data",
        Some(CKO_CERTIFICATE) => "certificate",
        Some(CKO_MECHANISM | CKO_HW_FEATURE | CKO_PROFILE) => OF_THE_TOKEN,
        Some(_) => "other",
        None => "none",
    }
}

/// Reads the objects with this CKA_ID, complete or not, and counts the strays of this label.
pub(super) fn inspect(
    session: &Session,
    id: &Octets,
    curve: Curve,
    label: &str,
) -> Result<KeyFacts, TokenError> {
    let of_class = |class| with_id(session, id, &[Value::number(CKA_CLASS, class)]);
    let (privates, publics) = (of_class(CKO_PRIVATE_KEY)?, of_class(CKO_PUBLIC_KEY)?);
    let mut facts = KeyFacts {
        privates: count(privates.len()),
        publics: count(publics.len()),
        parameters: Octets(Vec::new()),
        point: Octets(Vec::new()),
        labels: Vec::new(),
        private: BTreeMap::new(),
        public: BTreeMap::new(),
        strays: count(strays(session, label)?.len()),
    };
    for (handles, private) in [(&privates, true), (&publics, false)] {
        for handle in handles {
            let attributes = key(session, *handle, curve, &mut facts)?;
            let side = if private { &mut facts.private } else { &mut facts.public };
            *side = attributes;
        }
    }
    Ok(facts)
}

fn key(
    session: &Session,
    handle: CK_OBJECT_HANDLE,
    curve: Curve,
    facts: &mut KeyFacts,
) -> Result<BTreeMap<Attribute, bool>, TokenError> {
    if let Some(label) = session.read(handle, CKA_LABEL)? {
        facts.labels.push(plain(&label));
    }
    if let Some(parameters) = session.read(handle, CKA_EC_PARAMS)? {
        facts.parameters = Octets(parameters.to_vec());
    }
    if let Some(point) = session.read(handle, CKA_EC_POINT)? {
        facts.point = Octets(uncompressed(curve, point.to_vec()));
    }
    attributes(session, handle)
}

/// Reads every attribute of [`Attribute`] that the object has.
pub(super) fn attributes(
    session: &Session,
    handle: CK_OBJECT_HANDLE,
) -> Result<BTreeMap<Attribute, bool>, TokenError> {
    let mut attributes = BTreeMap::new();
    for attribute in Attribute::ALL {
        if let Some(told) = flag(session, handle, kind(attribute))? {
            attributes.insert(attribute, told);
        }
    }
    Ok(attributes)
}

/// Returns the point from CKA_EC_POINT, a DER OCTET STRING; some modules leave out its header.
pub(super) fn uncompressed(curve: Curve, octets: Vec<u8>) -> Vec<u8> {
    let length = curve.point_octets();
    let head = octets.len().checked_sub(length).filter(|head| *head > 0);
    match head.and_then(|head| Some((octets.get(..head)?, octets.get(head..)?))) {
        Some(([0x04, size], point)) if usize::from(*size) == length => point.to_vec(),
        Some(([0x04, 0x81, size], point)) if usize::from(*size) == length => point.to_vec(),
        Some(_) | None => octets,
    }
}

/// Returns the values of the data objects with this label.
pub(super) fn heads(
    session: &Session,
    label: &str,
) -> Result<Vec<(CK_OBJECT_HANDLE, Octets)>, TokenError> {
    let asked = [Value::number(CKA_CLASS, CKO_DATA), Value::octets(CKA_LABEL, label.as_bytes())];
    let mut heads = Vec::new();
    for handle in session.find(&asked)? {
        if let Some(value) = session.read(handle, CKA_VALUE)? {
            heads.push((handle, Octets(value.to_vec())));
        }
    }
    heads.sort_by(|(_, a), (_, b)| a.cmp(b));
    Ok(heads)
}
