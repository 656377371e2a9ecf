//! Performs the requests of a probe, with session objects only.
//!
//! A key of the probe lives as long as the session that made it, which is kept open here; whatever
//! is asked of it goes through the functions of the ceremony, in sessions of their own: session
//! objects are seen by every session of the application (PKCS #11 5.6). A module that makes
//! lasting objects all the same is cleaned as well.
//!
//! **Deliberately absent:** what an answer means.

use ceremony::hex::Octets;
use ceremony::run::{ProbeAnswer, ProbeRequest, TokenCondition, TokenFlag};
use ceremony::token::{Attribute, KeyTemplate, TokenAnswer, TokenError};
use cryptoki_sys::*;

use super::calls::Value;
use super::{Pkcs11Token, make_pair, objects};

impl Pkcs11Token {
    /// Performs a request of a probe.
    pub fn probe(&mut self, request: ProbeRequest) -> Result<ProbeAnswer, TokenError> {
        match request {
            ProbeRequest::Token(request) => self.perform(request).map(ProbeAnswer::Token),
            ProbeRequest::Condition { serial, .. } => {
                self.condition(&serial).map(ProbeAnswer::Condition)
            }
            ProbeRequest::Copy { .. } => self.can_copy().map(|()| ProbeAnswer::CanCopy),
            ProbeRequest::Make { key, .. } => {
                let session = self.session()?;
                let made = make_pair(&session, &key);
                self.probing.push(session);
                made?;
                self.inspect(&key.id, key.curve, &key.label).map(ProbeAnswer::Token)
            }
            ProbeRequest::Refused { key, .. } => self.refused(&key),
            ProbeRequest::Data { label, value, .. } => self.data(&label, &value),
            ProbeRequest::Forget { ids, label, .. } => {
                let objects = self.forget(&ids, &label)?;
                Ok(ProbeAnswer::Token(TokenAnswer::Left { objects }))
            }
        }
    }

    fn condition(&self, serial: &str) -> Result<TokenCondition, TokenError> {
        let (slot, _) = self.find(serial)?;
        let set = self.calls.token_info(slot)?.flags;
        let flags = [
            (TokenFlag::WriteProtected, CKF_WRITE_PROTECTED),
            (TokenFlag::LoginRequired, CKF_LOGIN_REQUIRED),
            (TokenFlag::PinInitialized, CKF_USER_PIN_INITIALIZED),
            (TokenFlag::ProtectedPath, CKF_PROTECTED_AUTHENTICATION_PATH),
            (TokenFlag::Initialized, CKF_TOKEN_INITIALIZED),
            (TokenFlag::PinCountLow, CKF_USER_PIN_COUNT_LOW),
            (TokenFlag::PinFinalTry, CKF_USER_PIN_FINAL_TRY),
            (TokenFlag::PinLocked, CKF_USER_PIN_LOCKED),
            (TokenFlag::PinToBeChanged, CKF_USER_PIN_TO_BE_CHANGED),
            (TokenFlag::ErrorState, CKF_ERROR_STATE),
        ];
        Ok(flags.into_iter().filter(|(_, flag)| set & *flag != 0).map(|(flag, _)| flag).collect())
    }

    /// Generates a pair with the fewest attributes, then one for each further attribute of the
    /// template.
    fn refused(&self, key: &KeyTemplate) -> Result<ProbeAnswer, TokenError> {
        let fewest =
            |attribute: &Attribute| [Attribute::Token, Attribute::Sign].contains(attribute);
        let mut bare = key.clone();
        bare.private.retain(|attribute, _| fewest(attribute));
        bare.public.retain(|attribute, _| fewest(attribute));
        let tries = |key: &KeyTemplate| {
            let session = self.session()?;
            let made = make_pair(&session, key);
            // A module that makes lasting objects all the same.
            for object in objects::with_id(&session, &key.id, &[])? {
                let _ = session.destroy(object);
            }
            made
        };
        if let Err(error) = tries(&bare) {
            let bare = Some(error);
            return Ok(ProbeAnswer::Refused { bare, private: Vec::new(), public: Vec::new() });
        }
        let (mut private, mut public) = (Vec::new(), Vec::new());
        for (attribute, value) in key.private.iter().filter(|(name, _)| !fewest(name)) {
            let mut one = bare.clone();
            one.private.insert(*attribute, *value);
            if tries(&one).is_err() {
                private.push(*attribute);
            }
        }
        for (attribute, value) in key.public.iter().filter(|(name, _)| !fewest(name)) {
            let mut one = bare.clone();
            one.public.insert(*attribute, *value);
            if tries(&one).is_err() {
                public.push(*attribute);
            }
        }
        Ok(ProbeAnswer::Refused { bare: None, private, public })
    }

    fn data(&mut self, label: &str, value: &Octets) -> Result<ProbeAnswer, TokenError> {
        let session = self.session()?;
        let made = session.create(&[
            Value::number(CKA_CLASS, CKO_DATA),
            Value::flag(CKA_TOKEN, false),
            Value::flag(CKA_PRIVATE, true),
            Value::flag(CKA_MODIFIABLE, false),
            Value::octets(CKA_LABEL, label.as_bytes()),
            Value::octets(CKA_APPLICATION, label.as_bytes()),
            Value::octets(CKA_VALUE, &value.0),
        ]);
        self.probing.push(session);
        made?;
        self.heads(label).map(ProbeAnswer::Token)
    }

    /// Closes the sessions of the probe, and destroys objects with its names that are still there.
    /// Returns how many are left.
    fn forget(&mut self, ids: &[Octets], label: &str) -> Result<u32, TokenError> {
        self.probing.clear();
        let mut left = 0;
        for id in ids {
            left += self.destroy(id, None)?;
        }
        let session = self.user_session()?;
        for (object, _) in objects::heads(&session, label)? {
            session.destroy(object)?;
        }
        let data = objects::heads(&self.user_session()?, label)?.len();
        Ok(left + objects::count(data))
    }
}
