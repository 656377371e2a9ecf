//! The PIN of a token itself: which lengths it may have, whether one is right, and a new one.
//!
//! **Deliberately absent:** retries. A wrong PIN is given once.

use ceremony::says;
use ceremony::token::TokenError;
use cryptoki_sys::*;

use super::calls::{Session, said};
use super::described::Described;
use super::{Module, Pkcs11Token};
use crate::{Pin, Who};

/// Why a token may not have the new PIN.
#[derive(Debug)]
pub enum Unchanged {
    /// It refused before anything was changed: it has the PIN before.
    Refused(TokenError),
    /// It failed so that nobody knows which of the two PINs it has.
    Unknown(TokenError),
}

/// Return values of C_SetPIN by which PKCS #11 says that it did nothing.
const REFUSALS: [&str; 11] = [
    "CKR_PIN_INCORRECT",
    "CKR_PIN_INVALID",
    "CKR_PIN_LEN_RANGE",
    "CKR_PIN_LOCKED",
    "CKR_PIN_TOO_WEAK",
    "CKR_ARGUMENTS_BAD",
    "CKR_ACTION_PROHIBITED",
    "CKR_FUNCTION_NOT_SUPPORTED",
    "CKR_SESSION_READ_ONLY",
    "CKR_TOKEN_WRITE_PROTECTED",
    "CKR_USER_NOT_LOGGED_IN",
];

impl Module {
    /// Serial number and label of every initialised token that is there now. A read.
    pub fn plates(&self) -> Result<Vec<(String, String)>, TokenError> {
        let mut found = Vec::new();
        for slot in self.calls.slots()? {
            let info = self.calls.token_info(slot)?;
            if info.flags & CKF_TOKEN_INITIALIZED != 0 {
                let Described { serial, label, .. } = Described::of(&info);
                found.push((serial, label));
            }
        }
        Ok(found)
    }

    /// Returns the one token with this serial number, found in its slot. A read.
    pub fn token_with(&self, serial: &str) -> Result<Pkcs11Token, TokenError> {
        let mut token = self.token(None);
        token.identify(serial)?;
        Ok(token)
    }
}

impl Pkcs11Token {
    /// The least and the most octets of its PINs; a most that it does not tell is none.
    pub fn pin_lengths(&self) -> Result<(usize, usize), TokenError> {
        let info = self.calls.token_info(self.slot()?)?;
        let most = match info.ulMaxPinLen {
            CK_UNAVAILABLE_INFORMATION | 0 => usize::MAX,
            most => usize::try_from(most).unwrap_or(usize::MAX),
        };
        Ok((usize::try_from(info.ulMinPinLen).unwrap_or(0), most))
    }

    /// Logs in with this PIN once, and out again.
    pub fn try_pin(&self, who: Who, pin: &Pin) -> Result<(), TokenError> {
        let session = self.logged_in(who, pin)?;
        // What was to be known is known, whatever the token says of being left.
        let _ = session.log_out();
        Ok(())
    }

    /// Gives the token a new PIN, and logs in with it once.
    pub fn change_pin(&self, who: Who, old: &Pin, new: &Pin) -> Result<(), Unchanged> {
        let session = self.logged_in(who, old).map_err(Unchanged::Refused)?;
        let set = session.set_pin(old.octets(), new.octets());
        let _ = session.log_out();
        drop(session);
        match set {
            Ok(()) => self.try_pin(who, new).map_err(Unchanged::Unknown),
            Err(error) if REFUSALS.contains(&error.code.as_str()) => Err(Unchanged::Refused(error)),
            Err(error) => Err(Unchanged::Unknown(error)),
        }
    }

    /// A session in which somebody logged in with this very PIN.
    fn logged_in(&self, who: Who, pin: &Pin) -> Result<Session, TokenError> {
        let session = self.session()?;
        match session.state()? {
            CKS_RW_PUBLIC_SESSION => {}
            // A login would succeed with any PIN.
            state => {
                let found = says!(
                    "既に誰かがログインしているトークン(状態 {state})",
                    "somebody is logged in already (state {state})"
                );
                return Err(said("C_GetSessionInfo", found));
            }
        }
        let user = match who {
            Who::User => CKU_USER,
            Who::Officer => CKU_SO,
        };
        session.log_in(user, Some(pin.octets()))?;
        Ok(session)
    }
}
