//! A token behind a PKCS #11 module.
//!
//! Each request is one thing the token does, and what it says is read back in a fresh session: a
//! module that says success without a key is seen by whoever judges the answer. Nothing is retried
//! here.
//!
//! **Deliberately absent:** slot numbers (they move; a token is found by its serial number), object
//! handles across sessions (but in [`copy`], whose keys live in one), and every decision.

#![expect(clippy::wildcard_enum_match_arm, reason = "cryptoki's enums are not ours, and grow")]

mod copy;
mod objects;
mod probe;
mod raw;

use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::Sender;

use ceremony::hex::Octets;
use ceremony::key::Curve;
use ceremony::token::{
    KeyTemplate, NO_VALUE, NO_WRAPPING, TokenAnswer, TokenError, TokenIdentity, TokenRequest,
    keeps_key, keeps_value,
};
use cryptoki::context::{CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute as Value, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;

use crate::Pin;
use raw::Raw;

/// A PKCS #11 module, loaded and initialised once: `C_Initialize` refuses a second time, and both
/// tokens of a copy may be behind one module.
#[derive(Debug, Clone)]
pub struct Module {
    calls: Pkcs11,
    raw: Rc<Raw>,
}

impl Module {
    /// Loads and initialises a module. `initialize` goes into the reserved field of
    /// `C_Initialize`, as NSS wants.
    pub fn open(module: &Path, initialize: Option<&str>) -> Result<Self, TokenError> {
        let calls = Pkcs11::new(module).map_err(|e| failed("dlopen", &e))?;
        let args = raw::initialize_args(CInitializeFlags::OS_LOCKING_OK, initialize)?;
        calls.initialize(args.args()).map_err(|e| failed("C_Initialize", &e))?;
        let raw = Rc::new(Raw::load(module)?);
        Ok(Self { calls, raw })
    }

    /// One of its tokens, which is found when it is identified. Where the module has several of one
    /// serial number, `label` says which.
    #[must_use]
    pub fn token(&self, label: Option<&str>) -> Pkcs11Token {
        Pkcs11Token {
            module: self.calls.clone(),
            raw: Rc::clone(&self.raw),
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

/// A token behind a PKCS #11 module.
#[derive(Debug)]
pub struct Pkcs11Token {
    module: Pkcs11,
    raw: Rc<Raw>,
    slot: Option<Slot>,
    /// Keeps the login alive: PKCS #11 logs out when the last session is closed.
    login: Option<Session>,
    /// Keeps the session objects of a probe alive.
    probing: Vec<Session>,
    label: Option<String>,
    pin: Option<Pin>,
    so_pin: Option<Pin>,
    watcher: Option<Sender<Octets>>,
}

impl Pkcs11Token {
    /// Holds a PIN for the next login, which uses it up.
    pub fn hold_pin(&mut self, pin: Pin) {
        self.pin = Some(pin);
    }

    /// Holds a security officer's PIN for the next copy, which uses it up.
    pub fn hold_so_pin(&mut self, pin: Pin) {
        self.so_pin = Some(pin);
    }

    /// Sends a copy of each signature of the next signing request as it comes.
    pub fn watch(&mut self, watcher: Sender<Octets>) {
        self.watcher = Some(watcher);
    }

    /// Performs a request.
    pub fn perform(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        match request {
            TokenRequest::Identify { serial, .. } => self.identify(&serial),
            TokenRequest::Login { .. } => self.log_in(),
            TokenRequest::Logout { .. } => Ok(self.log_out()),
            TokenRequest::List { .. } => objects::list(&self.session()?),
            TokenRequest::Generate { key, .. } => self.generate(&key),
            TokenRequest::Inspect { id, curve, .. } => {
                objects::inspect(&self.session()?, &id, curve).map(TokenAnswer::Key)
            }
            TokenRequest::ReadValue { id, .. } => self.read_value(&id),
            TokenRequest::Wrap { id, .. } => self.wrap(&id),
            TokenRequest::Sign { id, curve, digests, .. } => self.sign(&id, curve, &digests),
            TokenRequest::WriteHead { label, value, .. } => self.write_head(&label, &value),
            TokenRequest::ReadHead { label, .. } => {
                let values = objects::heads(&self.session()?, &label)?;
                Ok(TokenAnswer::Heads {
                    values: values.into_iter().map(|(_, value)| value).collect(),
                })
            }
            TokenRequest::Destroy { id, .. } => {
                self.destroy(&id).map(|objects| TokenAnswer::Left { objects })
            }
        }
    }

    fn identify(&mut self, serial: &str) -> Result<TokenAnswer, TokenError> {
        let (slot, info) = self.find(serial)?;
        self.slot = Some(slot);
        let version = |v: cryptoki::types::Version| format!("{}.{}", v.major(), v.minor());
        Ok(TokenAnswer::Identity(TokenIdentity {
            label: info.label().trim_end().to_string(),
            manufacturer: info.manufacturer_id().trim_end().to_string(),
            model: info.model().trim_end().to_string(),
            serial: serial.to_string(),
            hardware: version(info.hardware_version()),
            firmware: version(info.firmware_version()),
            mechanisms: self.raw.signing_mechanisms(slot.id())?,
        }))
    }

    /// The one token with this serial number, over all slots. A read.
    pub(crate) fn find(&self, serial: &str) -> Result<(Slot, TokenInfo), TokenError> {
        let slots = self.module.get_slots_with_token().map_err(|e| failed("C_GetSlotList", &e))?;
        let mut found = Vec::new();
        let mut others = Vec::new();
        for slot in slots {
            let Ok(info) = self.module.get_token_info(slot) else { continue };
            let this = info.serial_number().trim_end().to_string();
            let named = self.label.as_deref().is_none_or(|label| label == info.label().trim_end());
            if this == serial && named {
                found.push((slot, info));
            } else if !this.is_empty() {
                others.push(this);
            }
        }
        let code = match (found.len(), found.pop()) {
            (1, Some(only)) => return Ok(only),
            (0, _) => format!("no token with serial number {serial}; found {}", others.join(", ")),
            (many, _) => format!("{many} tokens with serial number {serial}"),
        };
        Err(TokenError { call: "C_GetTokenInfo".into(), code })
    }

    /// A fresh session.
    fn session(&self) -> Result<Session, TokenError> {
        let slot = self.slot.ok_or_else(|| TokenError {
            call: "C_OpenSession".into(),
            code: "no token was identified".into(),
        })?;
        self.module.open_rw_session(slot).map_err(|e| failed("C_OpenSession", &e))
    }

    /// One login with the held PIN, which is gone afterwards. Never retried.
    fn log_in(&mut self) -> Result<TokenAnswer, TokenError> {
        let pin = held(self.pin.take(), "no PIN was given")?;
        let session = self.session()?;
        log_in(&session, UserType::User, pin)?;
        self.login = Some(session);
        Ok(TokenAnswer::Done {})
    }

    /// After a restart nobody is logged in; then there is nothing to do.
    fn log_out(&mut self) -> TokenAnswer {
        if let Some(session) = self.login.take() {
            // Closing the last session logs out as well.
            let _ = session.logout();
        }
        TokenAnswer::Done {}
    }

    fn generate(&self, key: &KeyTemplate) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let there = objects::with_id(&session, &key.id, &[])?;
        if !there.is_empty() {
            return Err(TokenError {
                call: "C_FindObjects".into(),
                code: format!("{} objects with this CKA_ID already", there.len()),
            });
        }
        make_pair(&session, key)?;
        drop(session);
        objects::inspect(&self.session()?, &key.id, key.curve).map(TokenAnswer::Key)
    }

    /// The one private key with this CKA_ID.
    fn private_key(session: &Session, id: &Octets) -> Result<ObjectHandle, TokenError> {
        let found = objects::with_id(session, id, &[Value::Class(ObjectClass::PRIVATE_KEY)])?;
        let [key] = found.as_slice() else {
            let code = format!("{} private keys with this CKA_ID", found.len());
            return Err(TokenError { call: "C_FindObjects".into(), code });
        };
        Ok(*key)
    }

    fn read_value(&self, id: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        let values = match session.get_attributes(key, &[AttributeType::Value]) {
            Ok(values) => values,
            Err(error) => return denied("C_GetAttributeValue", code(&error), keeps_value),
        };
        let yielded = values.into_iter().find_map(|value| match value {
            Value::Value(octets) => Some(zeroize::Zeroizing::new(octets).len()),
            _ => None,
        });
        Ok(match yielded {
            Some(octets) if octets > 0 => yielded_octets(octets),
            Some(_) | None => TokenAnswer::Denied { code: NO_VALUE.into() },
        })
    }

    /// Tries every AES wrapping that the token offers, under a session key made for this. Each must
    /// be refused; where one fails otherwise, nobody knows what the token would have done.
    fn wrap(&self, id: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let key = Self::private_key(&session, id)?;
        let slot = self.slot.map(|slot| slot.id()).unwrap_or_default();
        let mut first = None;
        for mechanism in self.raw.wrapping_mechanisms(slot)? {
            let template = [
                Value::Token(false),
                Value::Wrap(true),
                Value::ValueLen(32.into()),
                Value::Sensitive(true),
                Value::Extractable(false),
            ];
            let wrapping = session
                .generate_key(&Mechanism::AesKeyGen, &template)
                .map_err(|e| failed("C_GenerateKey", &e))?;
            let result =
                self.raw.wrap(session.handle(), mechanism, wrapping.handle(), key.handle());
            let _ = session.destroy_object(wrapping);
            match result {
                Ok(wrapped) => return Ok(yielded_octets(wrapped.len())),
                Err(code) => {
                    let denied = denied("C_WrapKey", code, keeps_key)?;
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
        let sign = |digest: &Vec<u8>| {
            if digest.len() != curve.field_octets() {
                let code = format!("a digest of {} octets for {}", digest.len(), curve.name());
                return Err(TokenError { call: "C_Sign".into(), code });
            }
            let raw =
                session.sign(&Mechanism::Ecdsa, key, digest).map_err(|e| failed("C_Sign", &e))?;
            // Whoever watches may have gone; the signature is answered all the same.
            let _ = watcher.as_ref().map(|watcher| watcher.send(Octets(raw.clone())));
            Ok(Octets(raw))
        };
        let signatures = digests.iter().map(sign).collect::<Result<_, _>>()?;
        Ok(TokenAnswer::Signatures { signatures })
    }

    /// The new head is made and read back before the old ones are destroyed.
    fn write_head(&self, label: &str, value: &Octets) -> Result<TokenAnswer, TokenError> {
        let session = self.session()?;
        let template = [
            Value::Class(ObjectClass::DATA),
            Value::Token(true),
            Value::Private(true),
            Value::Modifiable(false),
            Value::Label(label.as_bytes().to_vec()),
            Value::Application(label.as_bytes().to_vec()),
            Value::Value(value.0.clone()),
        ];
        session.create_object(&template).map_err(|e| failed("C_CreateObject", &e))?;
        drop(session);
        let session = self.session()?;
        let now = objects::heads(&session, label)?;
        if now.iter().any(|(_, found)| found == value) {
            let mut kept = false;
            for (handle, found) in now {
                if found == *value && !kept {
                    kept = true;
                } else {
                    session.destroy_object(handle).map_err(|e| failed("C_DestroyObject", &e))?;
                }
            }
        }
        let values = objects::heads(&self.session()?, label)?;
        Ok(TokenAnswer::Heads { values: values.into_iter().map(|(_, value)| value).collect() })
    }

    /// A fresh session in which the user is logged in: without one, a search that finds nothing
    /// shows nothing.
    fn user_session(&self) -> Result<Session, TokenError> {
        let session = self.session()?;
        let state = session.get_session_info().map_err(|e| failed("C_GetSessionInfo", &e))?;
        match state.session_state() {
            SessionState::RwUser => Ok(session),
            other => Err(TokenError {
                call: "C_GetSessionInfo".into(),
                code: format!("a session of the user is wanted, this is {other:?}"),
            }),
        }
    }

    /// Destroys what bears this CKA_ID; how much still bears it in a fresh session.
    fn destroy(&self, id: &Octets) -> Result<u32, TokenError> {
        let session = self.user_session()?;
        for object in objects::with_id(&session, id, &[])? {
            session.destroy_object(object).map_err(|e| failed("C_DestroyObject", &e))?;
        }
        drop(session);
        self.count(id)
    }

    /// How many objects bear this CKA_ID in a fresh session of the user.
    fn count(&self, id: &Octets) -> Result<u32, TokenError> {
        let found = objects::with_id(&self.user_session()?, id, &[])?;
        Ok(u32::try_from(found.len()).unwrap_or(u32::MAX))
    }
}

/// Makes a key pair as the template has it.
fn make_pair(session: &Session, key: &KeyTemplate) -> Result<(), TokenError> {
    let common = || vec![Value::Id(key.id.0.clone()), Value::Label(key.label.clone().into_bytes())];
    let mut public = common();
    public.push(Value::EcParams(ceremony::x509::curve_parameters(key.curve)));
    public.extend(key.public.iter().map(|(name, value)| objects::value(*name, *value)));
    let mut private = common();
    private.extend(key.private.iter().map(|(name, value)| objects::value(*name, *value)));
    let made = session.generate_key_pair(&Mechanism::EccKeyPairGen, &public, &private);
    made.map(drop).map_err(|e| failed("C_GenerateKeyPair", &e))
}

fn held(pin: Option<Pin>, absent: &str) -> Result<Pin, TokenError> {
    pin.ok_or_else(|| TokenError { call: "C_Login".into(), code: absent.into() })
}

/// One login with this PIN, which is gone afterwards. Never retried.
fn log_in(session: &Session, user: UserType, pin: Pin) -> Result<(), TokenError> {
    let octets = RawAuthPin::from(Box::new(pin.octets().to_vec()));
    session.login_with_raw(user, &octets).map_err(|e| failed("C_Login", &e))
}

/// A refusal, if the token says by this return value that it is one; else a failure.
fn denied(call: &str, code: String, keeps: fn(&str) -> bool) -> Result<TokenAnswer, TokenError> {
    if keeps(&code) {
        return Ok(TokenAnswer::Denied { code });
    }
    Err(TokenError { call: call.into(), code })
}

fn yielded_octets(octets: usize) -> TokenAnswer {
    TokenAnswer::Yielded { octets: u32::try_from(octets).unwrap_or(u32::MAX) }
}

fn failed(call: &str, error: &Error) -> TokenError {
    TokenError { call: call.to_string(), code: code(error) }
}

/// The return value by its PKCS #11 name, or what else went wrong.
fn code(error: &Error) -> String {
    match error {
        Error::Pkcs11(RvError::VendorDefined(value), _) => format!("CKR 0x{value:08x}"),
        Error::Pkcs11(value, _) => raw::name(&format!("{value:?}")),
        other => other.to_string(),
    }
}
