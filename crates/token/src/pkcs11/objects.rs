//! Objects on a token: finding them, and reading what they say of themselves.

use std::collections::BTreeMap;

use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::token::{Attribute, KeyFacts, TokenAnswer, TokenError, TokenObject};
use cryptoki::object::{Attribute as Value, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::failed;

const ALL: [Attribute; 19] = [
    Attribute::Token,
    Attribute::Private,
    Attribute::Modifiable,
    Attribute::Sensitive,
    Attribute::Extractable,
    Attribute::WrapWithTrusted,
    Attribute::AlwaysSensitive,
    Attribute::NeverExtractable,
    Attribute::Local,
    Attribute::Sign,
    Attribute::SignRecover,
    Attribute::Decrypt,
    Attribute::Unwrap,
    Attribute::Derive,
    Attribute::Verify,
    Attribute::VerifyRecover,
    Attribute::Encrypt,
    Attribute::Wrap,
    Attribute::Trusted,
];

/// An attribute with its value, as the token is asked to set it.
pub(super) const fn value(attribute: Attribute, value: bool) -> Value {
    match attribute {
        Attribute::Token => Value::Token(value),
        Attribute::Private => Value::Private(value),
        Attribute::Modifiable => Value::Modifiable(value),
        Attribute::Sensitive => Value::Sensitive(value),
        Attribute::Extractable => Value::Extractable(value),
        Attribute::WrapWithTrusted => Value::WrapWithTrusted(value),
        Attribute::AlwaysSensitive => Value::AlwaysSensitive(value),
        Attribute::NeverExtractable => Value::NeverExtractable(value),
        Attribute::Local => Value::Local(value),
        Attribute::Sign => Value::Sign(value),
        Attribute::SignRecover => Value::SignRecover(value),
        Attribute::Decrypt => Value::Decrypt(value),
        Attribute::Unwrap => Value::Unwrap(value),
        Attribute::Derive => Value::Derive(value),
        Attribute::Verify => Value::Verify(value),
        Attribute::VerifyRecover => Value::VerifyRecover(value),
        Attribute::Encrypt => Value::Encrypt(value),
        Attribute::Wrap => Value::Wrap(value),
        Attribute::Trusted => Value::Trusted(value),
    }
}

/// Objects with this CKA_ID.
pub(super) fn with_id(
    session: &Session,
    id: &Octets,
    also: &[Value],
) -> Result<Vec<ObjectHandle>, TokenError> {
    let mut template = vec![Value::Id(id.0.clone())];
    template.extend_from_slice(also);
    session.find_objects(&template).map_err(|e| failed("C_FindObjects", &e))
}

/// Private keys with neither CKA_ID nor CKA_LABEL. CKA_TOKEN is not asked: SoftHSM keeps them on
/// the token, and says that they are not.
pub(super) fn nameless(session: &Session) -> Result<Vec<ObjectHandle>, TokenError> {
    let template = [Value::Class(ObjectClass::PRIVATE_KEY)];
    let mut found = session.find_objects(&template).map_err(|e| failed("C_FindObjects", &e))?;
    let mut named = Vec::new();
    for handle in &found {
        let values = read(session, *handle, &[AttributeType::Id, AttributeType::Label])?;
        let says = |value: &Value| match value {
            Value::Id(octets) | Value::Label(octets) => !octets.is_empty(),
            _ => false,
        };
        if values.iter().any(says) {
            named.push(*handle);
        }
    }
    found.retain(|handle| !named.contains(handle));
    Ok(found)
}

/// Every object of the token, in order of class, id and label. CKA_TOKEN is not asked: what an
/// interrupted C_UnwrapKey has left may say that it is not there.
pub(super) fn list(session: &Session) -> Result<TokenAnswer, TokenError> {
    let found = session.find_objects(&[]).map_err(|e| failed("C_FindObjects", &e))?;
    let mut objects = Vec::new();
    for handle in found {
        let mut object =
            TokenObject { class: "other".into(), id: Octets(Vec::new()), label: String::new() };
        let asked = [AttributeType::Class, AttributeType::Id, AttributeType::Label];
        for value in read(session, handle, &asked)? {
            match value {
                Value::Class(class) => object.class = class_name(class).into(),
                Value::Id(id) => object.id = Octets(id),
                Value::Label(label) => object.label = String::from_utf8_lossy(&label).into_owned(),
                _ => {}
            }
        }
        objects.push(object);
    }
    objects.sort();
    Ok(TokenAnswer::Objects { objects })
}

fn class_name(class: ObjectClass) -> &'static str {
    match class {
        ObjectClass::PRIVATE_KEY => "private-key",
        ObjectClass::PUBLIC_KEY => "public-key",
        ObjectClass::SECRET_KEY => "secret-key",
        ObjectClass::DATA => "data",
        ObjectClass::CERTIFICATE => "certificate",
        _ => "other",
    }
}

/// What bears this CKA_ID, in whatever state it is.
pub(super) fn inspect(
    session: &Session,
    id: &Octets,
    curve: Curve,
) -> Result<KeyFacts, TokenError> {
    let privates = with_id(session, id, &[Value::Class(ObjectClass::PRIVATE_KEY)])?;
    let publics = with_id(session, id, &[Value::Class(ObjectClass::PUBLIC_KEY)])?;
    let mut facts = KeyFacts {
        privates: u32::try_from(privates.len()).unwrap_or(u32::MAX),
        publics: u32::try_from(publics.len()).unwrap_or(u32::MAX),
        parameters: Octets(Vec::new()),
        point: Octets(Vec::new()),
        labels: Vec::new(),
        private: BTreeMap::new(),
        public: BTreeMap::new(),
    };
    for (handles, private) in [(&privates, true), (&publics, false)] {
        for handle in handles {
            let attributes = describe(session, *handle, curve, &mut facts)?;
            let side = if private { &mut facts.private } else { &mut facts.public };
            *side = attributes;
        }
    }
    Ok(facts)
}

fn describe(
    session: &Session,
    handle: ObjectHandle,
    curve: Curve,
    facts: &mut KeyFacts,
) -> Result<BTreeMap<Attribute, bool>, TokenError> {
    let asked = [AttributeType::Label, AttributeType::EcParams, AttributeType::EcPoint];
    for value in read(session, handle, &asked)? {
        match value {
            Value::Label(label) => facts.labels.push(String::from_utf8_lossy(&label).into_owned()),
            Value::EcParams(parameters) => facts.parameters = Octets(parameters),
            Value::EcPoint(point) => facts.point = Octets(uncompressed(curve, point)),
            _ => {}
        }
    }
    attributes(session, handle)
}

/// Every attribute of ours that the object has.
pub(super) fn attributes(
    session: &Session,
    handle: ObjectHandle,
) -> Result<BTreeMap<Attribute, bool>, TokenError> {
    let mut attributes = BTreeMap::new();
    for attribute in ALL {
        let asked = value(attribute, true);
        let kind = asked.attribute_type();
        if let Some(found) = read(session, handle, &[kind])?.into_iter().next() {
            attributes.insert(attribute, found == asked);
        }
    }
    Ok(attributes)
}

/// Attributes that the object has; those it has not are left out.
pub(super) fn read(
    session: &Session,
    handle: ObjectHandle,
    asked: &[AttributeType],
) -> Result<Vec<Value>, TokenError> {
    session.get_attributes(handle, asked).map_err(|e| failed("C_GetAttributeValue", &e))
}

/// CKA_EC_POINT is a DER OCTET STRING; some modules leave its head away.
pub(super) fn uncompressed(curve: Curve, octets: Vec<u8>) -> Vec<u8> {
    let length = curve.point_octets();
    let head = octets.len().checked_sub(length).filter(|head| *head > 0);
    match head.and_then(|head| Some((octets.get(..head)?, octets.get(head..)?))) {
        Some(([0x04, size], point)) if usize::from(*size) == length => point.to_vec(),
        Some(([0x04, 0x81, size], point)) if usize::from(*size) == length => point.to_vec(),
        Some(_) | None => octets,
    }
}

/// The data objects with this label, by value.
pub(super) fn heads(
    session: &Session,
    label: &str,
) -> Result<Vec<(ObjectHandle, Octets)>, TokenError> {
    let template = [Value::Class(ObjectClass::DATA), Value::Label(label.as_bytes().to_vec())];
    let found = session.find_objects(&template).map_err(|e| failed("C_FindObjects", &e))?;
    let mut heads = Vec::new();
    for handle in found {
        for value in read(session, handle, &[AttributeType::Value])? {
            if let Value::Value(octets) = value {
                heads.push((handle, Octets(octets)));
            }
        }
    }
    heads.sort_by(|(_, a), (_, b)| a.cmp(b));
    Ok(heads)
}
