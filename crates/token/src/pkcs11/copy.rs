//! Copies a key from one token to another (CP/CPS 6.2.4).
//!
//! It leaves the source wrapped under a key that the two tokens agreed on and that exists nowhere
//! else: in sessions of their security officers each makes an ECDH pair, the public points are
//! exchanged here, and each derives the same AES-256 key. It is CKA_TRUSTED, wraps on the source
//! and unwraps on the target, and is a session object of both: a power cut destroys it.
//!
//! **Invariants.** There is one way, by name: CKM_ECDH1_DERIVE on P-384, then CKM_AES_KEY_WRAP_PAD
//! (RFC 5649). A token that cannot make a TRUSTED key, or wraps under one that is not, is refused.
//! What was wrapped is in this process' memory only, is overwritten, and is in no answer or error.
//!
//! **Deliberately absent:** whether the copy signs as the original does. That is shown by a
//! signature, in operations of their own.

use std::collections::BTreeMap;

use ceremony::hex::Octets;
use ceremony::key::{Curve, PublicKey};
use ceremony::language::{Bilingual, Sentence};
use ceremony::says;
use ceremony::token::{
    Attribute, CopyFacts, CopyRemains, CopyRequest, KekTemplate, KeyFacts, TokenAnswer, TokenError,
};
use cryptoki_sys::*;

use super::calls::{Session, Value, said};
use super::described::Described;
use super::{Pkcs11Token, log_in, objects};
use crate::{Pin, Who};

/// What the two tokens agree on.
const AGREED: Sentence = Sentence { ja: "合意した鍵", en: "the agreed key" };
/// What is copied.
const SOURCE: Sentence = Sentence { ja: "複製元の鍵", en: "the source's key" };

/// The curve of the key agreement, as strong as the keys that are copied.
const AGREEMENT: Curve = Curve::P384;

impl Pkcs11Token {
    /// Copies a key to another token. All users are logged out first, because a security officer
    /// can log in only then.
    pub fn copy(&mut self, to: &mut Self, request: CopyRequest) -> Result<TokenAnswer, TokenError> {
        let pins = (self.pins()?, to.pins()?);
        apart(self, to)?;
        for token in [&*self, &*to] {
            token.can_copy()?;
            drop(token.session()?);
        }
        self.log_out();
        to.log_out();
        let (copied, from_login, to_login) = copied(self, to, pins, request)?;
        self.login = Some(from_login);
        to.login = Some(to_login);
        Ok(TokenAnswer::Copied(copied))
    }

    /// Removes what an interrupted copy has left: on the target, and of the agreement on both.
    pub fn clear(
        &mut self,
        to: &mut Self,
        remains: CopyRemains,
    ) -> Result<TokenAnswer, TokenError> {
        apart(self, to)?;
        let left = [
            to.destroy(&remains.id, None)?,
            to.destroy_nameless()?,
            self.destroy(&remains.kek, None)?,
            to.destroy(&remains.kek, None)?,
        ];
        Ok(TokenAnswer::Left { objects: left.into_iter().fold(0, u32::saturating_add) })
    }

    /// Destroys private keys with neither CKA_ID nor CKA_LABEL, which a ceremony never makes: a
    /// module that fails inside C_UnwrapKey leaves such an object. Returns how many are left.
    fn destroy_nameless(&self) -> Result<u32, TokenError> {
        let session = self.user_session()?;
        for object in objects::nameless(&session, CKO_PRIVATE_KEY)? {
            session.destroy(object)?;
        }
        drop(session);
        let left = objects::nameless(&self.user_session()?, CKO_PRIVATE_KEY)?;
        Ok(objects::count(left.len()))
    }

    /// Refuses a token that cannot agree on a key by ECDH or cannot wrap under it by RFC 5649. PKCS
    /// #11 3.0 has a new name for that (CKM_AES_KEY_WRAP_KWP); tokens know this one.
    pub(super) fn can_copy(&self) -> Result<(), TokenError> {
        let offered = self.calls.mechanisms(self.slot()?)?;
        for (name, mechanism) in [
            ("CKM_EC_KEY_PAIR_GEN", CKM_EC_KEY_PAIR_GEN),
            ("CKM_ECDH1_DERIVE", CKM_ECDH1_DERIVE),
            ("CKM_AES_KEY_WRAP_PAD", CKM_AES_KEY_WRAP_PAD),
        ] {
            if !offered.contains(&mechanism) {
                let found = says!(
                    "{name} なし(より弱い方法は用いない)",
                    "{name} is not offered; there is no weaker way"
                );
                return Err(said("C_GetMechanismList", found));
            }
        }
        Ok(())
    }

    fn pins(&mut self) -> Result<Pins, TokenError> {
        Ok(Pins { officer: self.credential(Who::Officer)?, user: self.credential(Who::User)? })
    }
}

/// The PINs of one token, each for one login; `None` if the device asks for it.
struct Pins {
    officer: Option<Pin>,
    user: Option<Pin>,
}

/// Refuses to copy from a token to itself, even if it is reached through two modules.
fn apart(from: &Pkcs11Token, to: &Pkcs11Token) -> Result<(), TokenError> {
    let named = |token: &Pkcs11Token| {
        let found = Described::of(&token.calls.token_info(token.slot()?)?);
        Ok([found.manufacturer, found.model, found.serial, found.label])
    };
    if named(from)? == named(to)? {
        let found = says!("複製元と複製先が同じトークン", "a copy wants two tokens, this is one");
        return Err(said("C_GetTokenInfo", found));
    }
    Ok(())
}

/// Returns the copy's facts, and a session of each token that keeps its user logged in.
fn copied(
    from: &Pkcs11Token,
    to: &Pkcs11Token,
    (from_pins, to_pins): (Pins, Pins),
    request: CopyRequest,
) -> Result<(CopyFacts, Session, Session), TokenError> {
    let kek = &request.kek;
    let source = Side::begin(from, from_pins.officer, kek)?;
    let target = Side::begin(to, to_pins.officer, kek)?;
    let (wrapping, wraps) = source.agree(from, &target.public, kek, &kek.wrapping)?;
    let (unwrapping, unwraps) = target.agree(to, &source.public, kek, &kek.unwrapping)?;
    source.change_to(from_pins.user)?;
    target.change_to(to_pins.user)?;

    transfer(from, to, (&source.session, wrapping), (&target.session, unwrapping), &request)?;

    for (side, agreed) in [(&source, wrapping), (&target, unwrapping)] {
        side.session.destroy(agreed)?;
    }
    let logins = (from.user_session()?, to.user_session()?);
    drop((source, target));
    let facts = CopyFacts {
        key: inspected(to, &request)?,
        mechanisms: ["CKM_ECDH1_DERIVE", "CKM_AES_KEY_WRAP_PAD"].map(String::from).to_vec(),
        wrapping: wraps,
        unwrapping: unwraps,
        source_left: from.count(&kek.id)?,
        target_left: to.count(&kek.id)?,
    };
    Ok((facts, logins.0, logins.1))
}

/// One token's side of the agreement: the session that its keys belong to. Dropping it destroys
/// them.
struct Side {
    session: Session,
    pair: [CK_OBJECT_HANDLE; 2],
    public: PublicKey,
}

impl Side {
    /// Logs the security officer in and generates the pair.
    fn begin(
        token: &Pkcs11Token,
        officer: Option<Pin>,
        kek: &KekTemplate,
    ) -> Result<Self, TokenError> {
        let session = token.session()?;
        log_in(&session, CKU_SO, officer)?;
        let common = || {
            let fixed = [Value::flag(CKA_TOKEN, false), Value::flag(CKA_PRIVATE, false)];
            objects::named(&kek.id, &kek.label).into_iter().chain(fixed)
        };
        let mut public: Vec<Value> = common().collect();
        let parameters = ceremony::x509::curve_parameters(AGREEMENT);
        public.push(Value::octets(CKA_EC_PARAMS, &parameters));
        let mut private: Vec<Value> = common().collect();
        private.extend([
            Value::flag(CKA_SENSITIVE, true),
            Value::flag(CKA_EXTRACTABLE, false),
            Value::flag(CKA_DERIVE, true),
            Value::flag(CKA_SIGN, false),
            Value::flag(CKA_DECRYPT, false),
            Value::flag(CKA_UNWRAP, false),
        ]);
        let [public, private] = session.generate_pair(&public, &private)?;
        let point = session.read(public, CKA_EC_POINT)?;
        let point = point.map(|octets| objects::uncompressed(AGREEMENT, octets.to_vec()));
        let public_key = PublicKey::from_point(AGREEMENT, &point.unwrap_or_default())
            .map_err(|error| said("C_GenerateKeyPair", error.said()))?;
        Ok(Self { session, pair: [private, public], public: public_key })
    }

    /// Derives the agreed key, checks that it is exactly what was asked for, and destroys the pair.
    /// Returns the key, and its attributes as another session reads them.
    fn agree(
        &self,
        token: &Pkcs11Token,
        peer: &PublicKey,
        kek: &KekTemplate,
        attributes: &BTreeMap<Attribute, bool>,
    ) -> Result<(CK_OBJECT_HANDLE, BTreeMap<Attribute, bool>), TokenError> {
        let mut template: Vec<Value> = objects::named(&kek.id, &kek.label).to_vec();
        template.extend([
            Value::number(CKA_CLASS, CKO_SECRET_KEY),
            Value::number(CKA_KEY_TYPE, CKK_AES),
            Value::number(CKA_VALUE_LEN, 32),
        ]);
        template.extend(attributes.iter().map(|(name, value)| objects::value(*name, *value)));
        let [private, _] = self.pair;
        let agreed = self.session.derive(private, peer.point(), &template).map_err(|error| {
            let found = error.found();
            let found = says!(
                found;
                "{found}: TRUSTED の鍵ができないので複製しない",
                "{found}: no TRUSTED key, no copy"
            );
            said("C_DeriveKey", found)
        })?;
        let found = objects::attributes(&token.session()?, agreed)?;
        as_asked(attributes, &found, &AGREED)?;
        for object in self.pair {
            self.session.destroy(object)?;
        }
        Ok((agreed, found))
    }

    /// Logs the security officer out and the user in. The agreed key is a public object, so it
    /// stays.
    fn change_to(&self, user: Option<Pin>) -> Result<(), TokenError> {
        self.session.log_out()?;
        log_in(&self.session, CKU_USER, user)
    }
}

/// Wraps on the source and unwraps on the target, after every check that can refuse it.
fn transfer(
    from: &Pkcs11Token,
    to: &Pkcs11Token,
    (source, wrapping): (&Session, CK_OBJECT_HANDLE),
    (target, unwrapping): (&Session, CK_OBJECT_HANDLE),
    request: &CopyRequest,
) -> Result<(), TokenError> {
    let key = &request.key;
    let there = to.count(&key.id)?;
    if there != 0 {
        let found = says!(
            "この CKA_ID のオブジェクトが複製先に既に {there} 個",
            "{there} objects with this CKA_ID on the target already"
        );
        return Err(said("C_FindObjects", found));
    }
    let facts = inspected(from, request)?;
    is_the_key(&facts, request)?;
    if let TokenAnswer::Yielded { octets } = from.wrap(&key.id)? {
        let found = says!(
            "TRUSTED でない鍵で渡された {octets} オクテット(複製しない)",
            "{octets} octets under a key that is not TRUSTED: no copy"
        );
        return Err(said("C_WrapKey", found));
    }
    let original = Pkcs11Token::private_key(source, &key.id)?;
    let wrapped = source.wrap(CKM_AES_KEY_WRAP_PAD, wrapping, original)?;
    let mut private = objects::named(&key.id, &key.label).to_vec();
    private
        .extend([Value::number(CKA_CLASS, CKO_PRIVATE_KEY), Value::number(CKA_KEY_TYPE, CKK_EC)]);
    // CKA_MODIFIABLE comes last: SoftHSM sets one attribute after the other, and none after that.
    let (last, first): (Vec<_>, Vec<_>) =
        key.private.iter().partition(|(name, _)| **name == Attribute::Modifiable);
    private.extend(first.into_iter().chain(last).map(|(n, value)| objects::value(*n, *value)));
    target.unwrap_padded(unwrapping, &wrapped, &private)?;
    drop(wrapped);
    let mut public = objects::named(&key.id, &key.label).to_vec();
    public.extend([
        Value::number(CKA_CLASS, CKO_PUBLIC_KEY),
        Value::number(CKA_KEY_TYPE, CKK_EC),
        Value::octets(CKA_EC_PARAMS, &ceremony::x509::curve_parameters(key.curve)),
        Value::octets(CKA_EC_POINT, &octet_string(&request.point)),
    ]);
    public.extend(key.public.iter().map(|(name, value)| objects::value(*name, *value)));
    target.create(&public)
}

/// Reads the key of a copy back in a fresh session of the user.
fn inspected(token: &Pkcs11Token, request: &CopyRequest) -> Result<KeyFacts, TokenError> {
    let key = &request.key;
    objects::inspect(&token.user_session()?, &key.id, key.curve, &key.label)
}

/// Refuses a key that is not the requested one, or that can leave its token in a weaker way.
fn is_the_key(facts: &KeyFacts, request: &CopyRequest) -> Result<(), TokenError> {
    if (facts.privates, facts.publics) != (1, 1) || facts.point != request.point {
        let (privates, publics) = (facts.privates, facts.publics);
        let found = if facts.point == request.point {
            says!(
                "この CKA_ID の秘密鍵 {privates} 個と公開鍵 {publics} 個(公開鍵は求めたもの)",
                "{privates} private and {publics} public keys with this CKA_ID, the public key that was asked for"
            )
        } else {
            says!(
                "この CKA_ID の秘密鍵 {privates} 個と公開鍵 {publics} 個(公開鍵は求めたものと異なる)",
                "{privates} private and {publics} public keys with this CKA_ID, not the public key that was asked for"
            )
        };
        return Err(said("C_FindObjects", found));
    }
    let guarded = [Attribute::Sensitive, Attribute::Extractable, Attribute::WrapWithTrusted];
    as_asked(&guarded.map(|name| (name, true)).into(), &facts.private, &SOURCE)?;
    as_asked(&request.key.private, &facts.private, &SOURCE)
}

fn as_asked(
    asked: &BTreeMap<Attribute, bool>,
    found: &BTreeMap<Attribute, bool>,
    what: &Sentence,
) -> Result<(), TokenError> {
    let wrong = asked.iter().find(|(name, value)| found.get(name) != Some(value));
    wrong.map_or(Ok(()), |(name, value)| {
        let told = found.get(name).map_or_else(Bilingual::nothing, Bilingual::plain);
        let (Sentence { ja, en }, name) = (what, name.name());
        let found = says!(
            told;
            "{ja}: {name} は {value} を求めたが {told}",
            "{en}: {name} {value} was asked, {told} found"
        );
        Err(said("C_GetAttributeValue", found))
    })
}

/// Wraps a point in the DER OCTET STRING of CKA_EC_POINT; a point has less than 128 octets.
fn octet_string(point: &Octets) -> Vec<u8> {
    let length = u8::try_from(point.0.len()).unwrap_or(u8::MAX);
    [&[4, length], point.0.as_slice()].concat()
}
