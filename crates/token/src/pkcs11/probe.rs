//! What a token is asked before the day, with objects of the session only.
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
use cryptoki::object::{Attribute as Value, ObjectClass};

use super::{Pkcs11Token, failed, make_pair, objects};

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
                let facts = objects::inspect(&self.session()?, &key.id, key.curve)?;
                Ok(ProbeAnswer::Token(TokenAnswer::Key(facts)))
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
        let (_, info) = self.find(serial)?;
        let flags = [
            (TokenFlag::WriteProtected, info.write_protected()),
            (TokenFlag::LoginRequired, info.login_required()),
            (TokenFlag::PinInitialized, info.user_pin_initialized()),
            (TokenFlag::ProtectedPath, info.protected_authentication_path()),
            (TokenFlag::Initialized, info.token_initialized()),
            (TokenFlag::PinCountLow, info.user_pin_count_low()),
            (TokenFlag::PinFinalTry, info.user_pin_final_try()),
            (TokenFlag::PinLocked, info.user_pin_locked()),
            (TokenFlag::PinToBeChanged, info.user_pin_to_be_changed()),
            (TokenFlag::ErrorState, info.error_state()),
        ];
        Ok(flags.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect())
    }

    fn can_copy(&self) -> Result<(), TokenError> {
        let slot = self.slot.ok_or_else(|| TokenError {
            call: "C_GetMechanismList".into(),
            code: "no token was identified".into(),
        })?;
        self.raw.can_copy(slot.id())
    }

    /// Makes a pair with the fewest attributes, then one for each further one of the template.
    fn refused(&self, key: &KeyTemplate) -> Result<ProbeAnswer, TokenError> {
        let fewest = |attribute: &Attribute| {
            [Attribute::Token, Attribute::Sign, Attribute::Verify].contains(attribute)
        };
        let mut bare = key.clone();
        bare.private.retain(|attribute, _| fewest(attribute));
        bare.public.retain(|attribute, _| fewest(attribute));
        let tries = |key: &KeyTemplate| {
            let session = self.session()?;
            let made = make_pair(&session, key);
            // A module that makes lasting objects all the same.
            for object in objects::with_id(&session, &key.id, &[])? {
                let _ = session.destroy_object(object);
            }
            made
        };
        if let Err(error) = tries(&bare) {
            let bare = Some(error.to_string());
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
        let template = [
            Value::Class(ObjectClass::DATA),
            Value::Token(false),
            Value::Private(true),
            Value::Modifiable(false),
            Value::Label(label.as_bytes().to_vec()),
            Value::Application(label.as_bytes().to_vec()),
            Value::Value(value.0.clone()),
        ];
        let made = session.create_object(&template).map_err(|e| failed("C_CreateObject", &e));
        self.probing.push(session);
        made?;
        let heads = objects::heads(&self.session()?, label)?;
        let values = heads.into_iter().map(|(_, found)| found).collect();
        Ok(ProbeAnswer::Token(TokenAnswer::Heads { values }))
    }

    /// Ends the sessions of the probe; what bears one of its names all the same is destroyed. How
    /// much is left then.
    fn forget(&mut self, ids: &[Octets], label: &str) -> Result<u32, TokenError> {
        self.probing.clear();
        let mut left = 0;
        for id in ids {
            left += self.destroy(id)?;
        }
        let session = self.user_session()?;
        for (object, _) in objects::heads(&session, label)? {
            session.destroy_object(object).map_err(|e| failed("C_DestroyObject", &e))?;
        }
        let data = objects::heads(&self.user_session()?, label)?.len();
        Ok(left + u32::try_from(data).unwrap_or(u32::MAX))
    }
}
