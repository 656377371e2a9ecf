//! A person's card: any PKCS #11 token that holds the key which the roster names. It is found by
//! that key, in whichever reader it is.

use ceremony::key::{Curve, PublicKey};
use ceremony::says;
use ceremony::token::TokenError;
use ceremony::x509::{curve_parameters, subject_public_key_info};
use cryptoki_sys::*;

use super::calls::{Session, Value, said};
use super::described::Described;
use super::{Module, Pkcs11Token, objects};
use crate::{Entry, Pin, Who};

/// A person's card, as it was found in a reader.
#[derive(Debug)]
pub struct Card {
    token: Pkcs11Token,
    key: PublicKey,
    /// CKA_ID of the object that shows the public key.
    id: Vec<u8>,
    /// CK_TOKEN_INFO label and serialNumber.
    pub name: (String, String),
}

impl Module {
    /// Looks for the card with this public key, in every slot that has a token now. A read, without
    /// login: a card shows its public key or its certificate to everybody.
    ///
    /// A slot that cannot be read has no card of anybody.
    pub fn card(&self, key: &PublicKey) -> Result<Option<Card>, TokenError> {
        for slot in self.calls.slots()? {
            let Ok(session) = Session::open(&self.calls, slot) else { continue };
            let Ok(Some(id)) = shown(&session, key) else { continue };
            let Ok(info) = self.calls.token_info(slot) else { continue };
            let described = Described::of(&info);
            let token = Pkcs11Token { slot: Some(slot), ..self.token(None) };
            let name = (described.label, described.serial);
            return Ok(Some(Card { token, key: key.clone(), id, name }));
        }
        Ok(None)
    }
}

/// A token, and what it shows without login.
#[derive(Debug)]
pub struct Shown {
    /// CK_TOKEN_INFO label.
    pub label: String,
    /// CK_TOKEN_INFO serialNumber.
    pub serial: String,
    /// Its public keys on P-256 and P-384.
    pub keys: Vec<PublicKey>,
}

impl Module {
    /// Every token that is there now, with the public keys on P-256 and P-384 that it shows.
    pub fn cards(&self) -> Result<Vec<Shown>, TokenError> {
        let mut found = Vec::new();
        for slot in self.calls.slots()? {
            let info = self.calls.token_info(slot)?;
            if info.flags & CKF_TOKEN_INITIALIZED == 0 {
                continue;
            }
            let described = Described::of(&info);
            let session = Session::open(&self.calls, slot)?;
            let mut keys = Vec::new();
            for handle in session.find(&[Value::number(CKA_CLASS, CKO_PUBLIC_KEY)])? {
                let Some(point) = session.read(handle, CKA_EC_POINT)? else { continue };
                let read = [Curve::P256, Curve::P384].map(|curve| {
                    let point = objects::uncompressed(curve, point.to_vec());
                    PublicKey::from_point(curve, &point)
                });
                keys.extend(read.into_iter().flatten());
            }
            found.push(Shown { label: described.label, serial: described.serial, keys });
        }
        Ok(found)
    }

    /// Makes a key pair for a person on a token that is empty, for a drill: keys of real cards are
    /// made by their own tools.
    ///
    /// # Errors
    ///
    /// What the token says; nothing is repeated.
    pub fn make_card(
        &self,
        serial: &str,
        pin: &Pin,
        person: &str,
    ) -> Result<PublicKey, TokenError> {
        let mut token = self.token(None);
        token.identify(serial)?;
        let session = token.session()?;
        session.log_in(CKU_USER, Some(pin.octets()))?;
        let parameters = curve_parameters(Curve::P256);
        let common = |class| {
            [
                Value::number(CKA_CLASS, class),
                Value::flag(CKA_TOKEN, true),
                Value::octets(CKA_ID, person.as_bytes()),
                Value::octets(CKA_LABEL, person.as_bytes()),
            ]
        };
        let public = [Value::octets(CKA_EC_PARAMS, &parameters), Value::flag(CKA_VERIFY, true)];
        let private = [
            Value::flag(CKA_PRIVATE, true),
            Value::flag(CKA_SENSITIVE, true),
            Value::flag(CKA_EXTRACTABLE, false),
            Value::flag(CKA_SIGN, true),
        ];
        let [made, _] = session.generate_pair(
            &[common(CKO_PUBLIC_KEY).as_slice(), &public].concat(),
            &[common(CKO_PRIVATE_KEY).as_slice(), &private].concat(),
        )?;
        let point = session.read(made, CKA_EC_POINT)?;
        let point = point.map_or_else(Vec::new, |point| point.to_vec());
        let point = objects::uncompressed(Curve::P256, point);
        PublicKey::from_point(Curve::P256, &point)
            .map_err(|error| said("C_GetAttributeValue", error.said()))
    }
}

/// Returns CKA_ID of a public key object with this key, or of a certificate of it.
fn shown(session: &Session, key: &PublicKey) -> Result<Option<Vec<u8>>, TokenError> {
    let id = |handle| Ok(session.read(handle, CKA_ID)?.map(|id| id.to_vec()));
    for handle in session.find(&[Value::number(CKA_CLASS, CKO_PUBLIC_KEY)])? {
        let point = session.read(handle, CKA_EC_POINT)?;
        let point = point.map(|octets| objects::uncompressed(key.curve(), octets.to_vec()));
        if point.is_some_and(|point| point == key.point()) {
            return id(handle);
        }
    }
    // Whether the certificate is really of this key is seen when its signature is verified.
    let info = subject_public_key_info(key);
    for handle in session.find(&[Value::number(CKA_CLASS, CKO_CERTIFICATE)])? {
        let value = session.read(handle, CKA_VALUE)?;
        if value.is_some_and(|value| value.windows(info.len()).any(|part| part == info)) {
            return id(handle);
        }
    }
    Ok(None)
}

impl Card {
    /// How this card takes its PIN now.
    pub fn entry(&self) -> Result<Entry, TokenError> {
        self.token.entry(Who::User)
    }

    /// Signs one message with the hash function of the key's curve. The person is logged in for
    /// this signature only.
    ///
    /// # Errors
    ///
    /// What the card says; nothing is repeated.
    pub fn sign(&self, message: &[u8], pin: Option<&Pin>) -> Result<Vec<u8>, TokenError> {
        let session = self.token.session()?;
        let pin = pin.map(Pin::octets);
        session.log_in(CKU_USER, pin)?;
        let signed = self.signed(&session, message, pin);
        // The signature counts, whatever the card says of being left.
        let _ = session.log_out();
        signed
    }

    fn signed(
        &self,
        session: &Session,
        message: &[u8],
        pin: Option<&[u8]>,
    ) -> Result<Vec<u8>, TokenError> {
        let private = Value::number(CKA_CLASS, CKO_PRIVATE_KEY);
        let found = session.find(&[private, Value::octets(CKA_ID, &self.id)])?;
        let [key] = found.as_slice() else {
            let count = found.len();
            let found = says!(
                "このカードの公開鍵に対応する秘密鍵 {count} 個",
                "{count} private keys for the public key that this card shows"
            );
            return Err(said("C_FindObjects", found));
        };
        let always = objects::flag(session, *key, CKA_ALWAYS_AUTHENTICATE)? == Some(true);
        let authenticate = |session: &Session| match always {
            true => session.log_in(CKU_CONTEXT_SPECIFIC, pin),
            false => Ok(()),
        };
        session.sign(*key, &self.key.curve().digest(message), authenticate)
    }
}
