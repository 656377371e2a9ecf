//! A token that is reached through a PKCS #11 module.
//!
//! Each request is one thing the token does, and what it says is read back in a fresh session: a
//! module that says success without a key is seen by whoever judges the answer. Nothing is retried
//! here.
//!
//! **Deliberately absent:** slot numbers (they move; a token is found by its serial number), object
//! handles across sessions (but in [`copy`], whose keys live in one), and every decision.

mod activation;
mod calls;
mod card;
mod codes;
mod copy;
mod described;
mod objects;
mod probe;
mod text;

use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::Sender;

pub use activation::Unchanged;
pub use card::{Card, Shown};

use calls::{Calls, Session, Value, returned, said};
use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::says;
use ceremony::token::{
    KeyTemplate, NO_VALUE, NO_WRAPPING, TokenAnswer, TokenError, TokenIdentity, TokenRequest,
    keeps_key, keeps_value,
};
use cryptoki_sys::*;

use crate::{Entry, Pin, Tries, Who};

/// A PKCS #11 module, loaded and initialised once: a second `C_Initialize` is refused, and both
/// tokens of a copy may be reached through one module.
#[derive(Debug, Clone)]
pub struct Module {
    calls: Rc<Calls>,
}

impl Module {
    /// Loads and initialises a module. `initialize` is the string for the reserved field of
    /// `C_Initialize`, which NSS needs.
    pub fn open(module: &Path, initialize: Option<&str>) -> Result<Self, TokenError> {
        Ok(Self { calls: Rc::new(Calls::open(module, initialize)?) })
    }

    /// Returns one of its tokens, which is looked for when it is identified. If the module gives
    /// several tokens one serial number, `label` tells them apart.
    #[must_use]
    pub fn token(&self, label: Option<&str>) -> Pkcs11Token {
        Pkcs11Token {
            calls: Rc::clone(&self.calls),
            slot: None,
            login: None,
            probing: Vec::new(),
            label: label.map(String::from),
            pin: None,
            so_pin: None,
            watcher: None,
        }
    }
}

/// A token that is reached through a PKCS #11 module.
#[derive(Debug)]
pub struct Pkcs11Token {
    calls: Rc<Calls>,
    slot: Option<CK_SLOT_ID>,
    /// Keeps the user logged in: PKCS #11 logs out when the last session is closed.
    login: Option<Session>,
    /// Keeps the session objects of a probe.
    probing: Vec<Session>,
    label: Option<String>,
    pin: Option<Pin>,
    so_pin: Option<Pin>,
    watcher: Option<Sender<Octets>>,
}

impl Pkcs11Token {
    /// Holds a PIN for the next request that uses one; that request consumes it.
    pub fn hold_pin(&mut self, pin: Pin) {
        self.pin = Some(pin);
    }

    /// Holds a security officer's PIN for the next copy, which consumes it.
    pub fn hold_so_pin(&mut self, pin: Pin) {
        self.so_pin = Some(pin);
    }

    /// Sends a copy of each signature of the next signing request as it is made.
    pub fn watch(&mut self, watcher: Sender<Octets>) {
        self.watcher = Some(watcher);
    }

    /// Its label and its serial number. A read.
    #[must_use]
    pub fn plate(&self) -> Option<(String, String)> {
        let info = self.calls.token_info(self.slot?).ok()?;
        let described = described::Described::of(&info);
        Some((described.label, described.serial))
    }

    /// How this token takes a PIN now, and how many wrong ones are left. A read, before people are
    /// asked for it.
    pub fn entry(&self, who: Who) -> Result<Entry, TokenError> {
        let flags = self.calls.token_info(self.slot()?)?.flags;
        let (locked, last, low) = match who {
            Who::User => (CKF_USER_PIN_LOCKED, CKF_USER_PIN_FINAL_TRY, CKF_USER_PIN_COUNT_LOW),
            Who::Officer => (CKF_SO_PIN_LOCKED, CKF_SO_PIN_FINAL_TRY, CKF_SO_PIN_COUNT_LOW),
        };
        let is = |flag: CK_FLAGS| flags & flag != 0;
        let tries = match (is(locked), is(last), is(low)) {
            (true, _, _) => Tries::Locked,
            (false, true, _) => Tries::Last,
            (false, false, true) => Tries::Low,
            (false, false, false) => Tries::Enough,
        };
        Ok(Entry { at_the_device: is(CKF_PROTECTED_AUTHENTICATION_PATH), tries })
    }

    /// Whether the key of this request needs the user's PIN before each signature
    /// (CKA_ALWAYS_AUTHENTICATE). A read, before people are asked for it.
    pub fn wants_pin(&self, request: &TokenRequest) -> Result<bool, TokenError> {
        let TokenRequest::Sign { id, .. } = request else { return Ok(false) };
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        objects::flag(&session, key, CKA_ALWAYS_AUTHENTICATE).map(|told| told == Some(true))
    }

    /// Performs a request.
    pub fn perform(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        match request {
            TokenRequest::Identify { serial, .. } => self.identify(&serial),
            TokenRequest::Login { .. } => self.log_in(),
            TokenRequest::Logout { .. } => Ok(self.log_out()),
            TokenRequest::List { .. } => objects::list(&self.session()?),
            TokenRequest::Generate { key, .. } => self.generate(&key),
            TokenRequest::Inspect { id, curve, label, .. } => self.inspect(&id, curve, &label),
            TokenRequest::ReadValue { id, .. } => self.read_value(&id),
            TokenRequest::Wrap { id, .. } => self.wrap(&id),
            TokenRequest::Sign { id, curve, digests, .. } => self.sign(&id, curve, &digests),
            TokenRequest::WriteHead { label, value, .. } => self.write_head(&label, &value),
            TokenRequest::ReadHead { label, .. } => self.heads(&label),
            TokenRequest::Destroy { id, strays, .. } => {
                self.destroy(&id, strays.as_deref()).map(|objects| TokenAnswer::Left { objects })
            }
        }
    }

    fn identify(&mut self, serial: &str) -> Result<TokenAnswer, TokenError> {
        let (slot, described) = self.find(serial)?;
        self.slot = Some(slot);
        let offered = self.calls.mechanisms(slot)?;
        let known = [("CKM_EC_KEY_PAIR_GEN", CKM_EC_KEY_PAIR_GEN), ("CKM_ECDSA", CKM_ECDSA)];
        let named = known.into_iter().filter(|(_, mechanism)| offered.contains(mechanism));
        Ok(TokenAnswer::Identity(TokenIdentity {
            label: described.label,
            manufacturer: described.manufacturer,
            model: described.model,
            serial: described.serial,
            hardware: described.hardware,
            firmware: described.firmware,
            mechanisms: named.map(|(name, _)| name.to_string()).collect(),
        }))
    }

    fn slot(&self) -> Result<CK_SLOT_ID, TokenError> {
        self.slot.ok_or_else(|| {
            let found = says!("確認されたトークンなし", "no token was identified");
            said("C_OpenSession", found)
        })
    }

    /// A fresh session.
    fn session(&self) -> Result<Session, TokenError> {
        Session::open(&self.calls, self.slot()?)
    }

    /// Logs in once: with the held PIN, which is consumed, or on the device. Never retried.
    fn log_in(&mut self) -> Result<TokenAnswer, TokenError> {
        let pin = self.credential(Who::User)?;
        let session = self.session()?;
        log_in(&session, CKU_USER, pin)?;
        self.login = Some(session);
        Ok(TokenAnswer::Done {})
    }

    /// Returns the held PIN, or none if it is entered on the device. A locked token is not asked
    /// for a login.
    fn credential(&mut self, who: Who) -> Result<Option<Pin>, TokenError> {
        let (pin, flag, absent) = match who {
            Who::User => {
                let absent = says!("PIN の入力なし", "no PIN was given");
                (self.pin.take(), "CKF_USER_PIN_LOCKED", absent)
            }
            Who::Officer => {
                let absent = says!("SO PIN の入力なし", "no PIN of the security officer was given");
                (self.so_pin.take(), "CKF_SO_PIN_LOCKED", absent)
            }
        };
        let entry = self.entry(who)?;
        match (entry.tries, entry.at_the_device, pin) {
            (Tries::Locked, _, _) => Err(returned("C_GetTokenInfo", flag)),
            (_, true, _) => Ok(None),
            (_, false, Some(pin)) => Ok(Some(pin)),
            (_, false, None) => Err(said("C_Login", absent)),
        }
    }

    /// Logs out. After a restart nobody is logged in, and there is nothing to do.
    fn log_out(&mut self) -> TokenAnswer {
        if let Some(session) = self.login.take() {
            // Closing the last session logs out as well.
            let _ = session.log_out();
        }
        TokenAnswer::Done {}
    }

    fn generate(&self, key: &KeyTemplate) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let there = objects::with_id(&session, &key.id, &[])?;
        if !there.is_empty() {
            let found = says!(
                "この CKA_ID のオブジェクトが既に {} 個",
                "{} objects with this CKA_ID already",
                there.len()
            );
            return Err(said("C_FindObjects", found));
        }
        make_pair(&session, key)?;
        drop(session);
        self.inspect(&key.id, key.curve, &key.label)
    }

    fn inspect(&self, id: &Octets, curve: Curve, label: &str) -> Result<TokenAnswer, TokenError> {
        objects::inspect(&self.session()?, id, curve, label).map(TokenAnswer::Key)
    }

    /// Finds the one private key with this CKA_ID.
    fn private_key(session: &Session, id: &Octets) -> Result<CK_OBJECT_HANDLE, TokenError> {
        let private = Value::number(CKA_CLASS, CKO_PRIVATE_KEY);
        let found = objects::with_id(session, id, &[private])?;
        let [key] = found.as_slice() else {
            let found = says!(
                "この CKA_ID の秘密鍵 {} 個",
                "{} private keys with this CKA_ID",
                found.len()
            );
            return Err(said("C_FindObjects", found));
        };
        Ok(*key)
    }

    fn read_value(&self, id: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        Ok(match session.read(key, CKA_VALUE) {
            Ok(Some(octets)) if !octets.is_empty() => yielded_octets(octets.len()),
            Ok(Some(_) | None) => TokenAnswer::Denied { code: NO_VALUE.into() },
            Err(error) => return denied(error, keeps_value),
        })
    }

    /// Tries every AES mechanism that may wrap, under a session key made for this. The token must
    /// refuse each. If one fails in another way, it is unknown what the token would have done,
    /// unless it says that the mechanism cannot wrap: then this is only confirmed.
    fn wrap(&self, id: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        let slot = self.slot()?;
        let offered = self.calls.mechanisms(slot)?;
        let mut first = None;
        for mechanism in
            [CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKM_AES_KEY_WRAP, CKM_AES_CBC_PAD]
        {
            if !offered.contains(&mechanism) {
                continue;
            }
            let wraps = self.calls.wraps_by(slot, mechanism).unwrap_or(true);
            match wrapped_by(&session, mechanism, key) {
                Ok(octets) => return Ok(yielded_octets(octets)),
                Err(_) if !wraps => {}
                Err(error) => {
                    let denied = denied(error, keeps_key)?;
                    first.get_or_insert(denied);
                }
            }
        }
        Ok(first.unwrap_or_else(|| TokenAnswer::Denied { code: NO_WRAPPING.into() }))
    }

    fn sign(
        &mut self,
        id: &Octets,
        curve: Curve,
        digests: &[Vec<u8>],
    ) -> Result<TokenAnswer, TokenError> {
        let watcher = self.watcher.take();
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        let always = objects::flag(&session, key, CKA_ALWAYS_AUTHENTICATE)? == Some(true);
        // Held for this request alone.
        let pin = if always { self.credential(Who::User)? } else { None };
        let authenticate = |session: &Session| match always {
            true => session.log_in(CKU_CONTEXT_SPECIFIC, pin.as_ref().map(Pin::octets)),
            false => Ok(()),
        };
        let sign = |digest: &Vec<u8>| {
            if digest.len() != curve.field_octets() {
                let found = says!(
                    "{1} に対する {0} オクテットのダイジェスト",
                    "a digest of {} octets for {}",
                    digest.len(),
                    curve.name()
                );
                return Err(said("C_Sign", found));
            }
            let raw = session.sign(key, digest, authenticate)?;
            // Whoever watches may have gone; the signature is answered all the same.
            let _ = watcher.as_ref().map(|watcher| watcher.send(Octets(raw.clone())));
            Ok(Octets(raw))
        };
        let signatures = digests.iter().map(sign).collect::<Result<_, _>>()?;
        Ok(TokenAnswer::Signatures { signatures })
    }

    /// Makes the new head and reads it back before the old ones are destroyed, together with what
    /// an interrupted write has left: a data object without a label, which a ceremony never makes.
    fn write_head(&self, label: &str, value: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        session.create(&[
            Value::number(CKA_CLASS, CKO_DATA),
            Value::flag(CKA_TOKEN, true),
            Value::flag(CKA_PRIVATE, true),
            Value::flag(CKA_MODIFIABLE, false),
            Value::octets(CKA_LABEL, label.as_bytes()),
            Value::octets(CKA_APPLICATION, label.as_bytes()),
            Value::octets(CKA_VALUE, &value.0),
        ])?;
        drop(session);
        let session = self.session()?;
        let now = objects::heads(&session, label)?;
        if now.iter().any(|(_, found)| found == value) {
            let mut kept = false;
            for (handle, found) in now {
                if found == *value && !kept {
                    kept = true;
                } else {
                    session.destroy(handle)?;
                }
            }
            for handle in objects::nameless(&session, CKO_DATA)? {
                session.destroy(handle)?;
            }
        }
        self.heads(label)
    }

    fn heads(&self, label: &str) -> Result<TokenAnswer, TokenError> {
        let values = objects::heads(&self.session()?, label)?;
        Ok(TokenAnswer::Heads { values: values.into_iter().map(|(_, value)| value).collect() })
    }

    /// Opens a fresh session in which the user is logged in. Without a login, a search that finds
    /// nothing proves nothing.
    fn user_session(&self) -> Result<Session, TokenError> {
        let session = self.session()?;
        match session.state()? {
            CKS_RW_USER_FUNCTIONS => Ok(session),
            other => {
                let found = says!(
                    "利用者のセッションでないもの(状態 {other})",
                    "a session of the user is wanted, this is in state {other}"
                );
                Err(said("C_GetSessionInfo", found))
            }
        }
    }

    /// Destroys the objects with this CKA_ID, and the strays of this label if one is given. Returns
    /// how many are still there in a fresh session.
    fn destroy(&self, id: &Octets, strays: Option<&str>) -> Result<u32, TokenError> {
        let session = self.user_session()?;
        for object in objects::with_id(&session, id, &[])? {
            session.destroy(object)?;
        }
        if let Some(label) = strays {
            for object in objects::strays(&session, label)? {
                session.destroy(object)?;
            }
        }
        drop(session);
        let left = match strays {
            Some(label) => objects::strays(&self.user_session()?, label)?.len(),
            None => 0,
        };
        Ok(self.count(id)?.saturating_add(objects::count(left)))
    }

    /// Counts the objects with this CKA_ID in a fresh session of the user.
    fn count(&self, id: &Octets) -> Result<u32, TokenError> {
        Ok(objects::count(objects::with_id(&self.user_session()?, id, &[])?.len()))
    }
}

/// Generates a key pair by the template.
fn make_pair(session: &Session, key: &KeyTemplate) -> Result<(), TokenError> {
    let common = objects::named(&key.id, &key.label);
    let parameters = ceremony::x509::curve_parameters(key.curve);
    let mut public = common.to_vec();
    public.push(Value::octets(CKA_EC_PARAMS, &parameters));
    public.extend(key.public.iter().map(|(name, value)| objects::value(*name, *value)));
    let mut private = common.to_vec();
    private.extend(key.private.iter().map(|(name, value)| objects::value(*name, *value)));
    session.generate_pair(&public, &private).map(drop)
}

/// Logs in once with this PIN, which is consumed, or on the device. Never retried.
fn log_in(session: &Session, user: CK_USER_TYPE, pin: Option<Pin>) -> Result<(), TokenError> {
    session.log_in(user, pin.as_ref().map(Pin::octets))
}

/// Returns how many octets come out when a key is wrapped under a key of the session.
fn wrapped_by(
    session: &Session,
    mechanism: CK_MECHANISM_TYPE,
    key: CK_OBJECT_HANDLE,
) -> Result<usize, TokenError> {
    let wrapping = session.generate_aes(&[
        Value::flag(CKA_TOKEN, false),
        Value::flag(CKA_WRAP, true),
        Value::number(CKA_VALUE_LEN, 32),
        Value::flag(CKA_SENSITIVE, true),
        Value::flag(CKA_EXTRACTABLE, false),
    ])?;
    let result = session.wrap(mechanism, wrapping, key);
    let _ = session.destroy(wrapping);
    result.map(|wrapped| wrapped.len())
}

fn denied(error: TokenError, keeps: fn(&str) -> bool) -> Result<TokenAnswer, TokenError> {
    if keeps(&error.code) { Ok(TokenAnswer::Denied { code: error.code }) } else { Err(error) }
}

fn yielded_octets(octets: usize) -> TokenAnswer {
    TokenAnswer::Yielded { octets: objects::count(octets) }
}
