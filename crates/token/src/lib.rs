//! Performs requests on tokens, and decides nothing.
//!
//! Two tokens answer the same [`TokenRequest`]s: a PKCS #11 module, and the rehearsal token, which
//! is no mock but a token of its own, in this process, with keys that everyone can derive.
//!
//! **Deliberately absent:** plans, judgement, messages. What an answer is worth is said by the
//! ceremony's run.

mod pin;
mod pkcs11;
mod rehearsal;

pub use pin::{LONGEST, Pin, TooLong};
pub use pkcs11::{Card, Module, Pkcs11Token, Shown, Unchanged};
pub use rehearsal::{RehearsalToken, sign_as};

use std::sync::mpsc::Sender;

use ceremony::hex::Octets;
use ceremony::run::{ProbeAnswer, ProbeRequest};
use ceremony::says;
use ceremony::token::{CopyRemains, CopyRequest, TokenAnswer, TokenError, TokenRequest};

/// A token.
#[derive(Debug)]
pub enum Token {
    /// The rehearsal token.
    Rehearsal(RehearsalToken),
    /// Behind a PKCS #11 module.
    Pkcs11(Box<Pkcs11Token>),
}

impl Token {
    /// Checks that there is exactly one token with this serial number. A read, before anything is
    /// begun.
    pub fn is_there(&self, serial: &str) -> Result<(), TokenError> {
        match self {
            Self::Rehearsal(_) => Ok(()),
            Self::Pkcs11(token) => token.is_there(serial),
        }
    }

    /// Performs a request. It is taken by value, so that no request is performed twice.
    pub fn perform(&mut self, request: TokenRequest) -> Result<TokenAnswer, TokenError> {
        match self {
            Self::Rehearsal(token) => token.perform(request),
            Self::Pkcs11(token) => token.perform(request),
        }
    }

    /// Performs a request of a probe.
    pub fn probe(&mut self, request: ProbeRequest) -> Result<ProbeAnswer, TokenError> {
        match self {
            Self::Rehearsal(_) => {
                let found = says!(
                    "リハーサルのトークン(当日の前に調べるものではない)",
                    "the rehearsal's token is none to be asked before the day"
                );
                Err(TokenError::new("probe", found))
            }
            Self::Pkcs11(token) => token.probe(request),
        }
    }

    /// Sends a copy of each signature as it is made, so that it can be verified during the next
    /// one. If the receiver is gone, nothing is sent, and the answer is complete all the same.
    pub fn watch(&mut self, watcher: Sender<Octets>) {
        match self {
            Self::Rehearsal(token) => token.watch(watcher),
            Self::Pkcs11(token) => token.watch(watcher),
        }
    }

    /// Its label and its serial number, as people are told whose PIN is asked for; `None` before
    /// it was identified.
    #[must_use]
    pub fn plate(&self) -> Option<(String, String)> {
        match self {
            Self::Rehearsal(_) => None,
            Self::Pkcs11(token) => token.plate(),
        }
    }

    /// How this token takes a PIN now: it is asked before people are.
    pub fn entry(&self, who: Who) -> Result<Entry, TokenError> {
        match self {
            Self::Rehearsal(_) => Ok(Entry { at_the_device: false, tries: Tries::Enough }),
            Self::Pkcs11(token) => token.entry(who),
        }
    }

    /// Whether this request needs a PIN besides that of the login, because its key authenticates
    /// always.
    pub fn wants_pin(&self, request: &TokenRequest) -> Result<bool, TokenError> {
        match self {
            Self::Rehearsal(_) => Ok(false),
            Self::Pkcs11(token) => token.wants_pin(request),
        }
    }

    /// Holds a PIN for the next request that uses one; that request consumes it.
    pub fn hold_pin(&mut self, pin: Pin) {
        match self {
            Self::Rehearsal(_) => drop(pin),
            Self::Pkcs11(token) => token.hold_pin(pin),
        }
    }

    /// Holds a security officer's PIN for the next copy, which consumes it.
    pub fn hold_so_pin(&mut self, pin: Pin) {
        match self {
            Self::Rehearsal(_) => drop(pin),
            Self::Pkcs11(token) => token.hold_so_pin(pin),
        }
    }
}

/// Whose PIN a token takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// The user's (CKU_USER).
    User,
    /// The security officer's (CKU_SO).
    Officer,
}

/// How a token takes a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Whether it is entered on the device (CKF_PROTECTED_AUTHENTICATION_PATH), so that nobody
    /// types it here.
    pub at_the_device: bool,
    /// What it says of wrong ones.
    pub tries: Tries,
}

/// What a token reports about wrong PINs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// Nothing.
    Enough,
    /// There was a wrong PIN since the last right one.
    Low,
    /// The next wrong PIN locks it.
    Last,
    /// It is locked.
    Locked,
}

/// Copies a key from one token to another, under a key that both agree on. Each token wants both
/// its PINs held, the security officer's and the user's. Afterwards the users are logged in; if it
/// failed, nobody is.
pub fn copy(
    from: &mut Token,
    to: &mut Token,
    request: CopyRequest,
) -> Result<TokenAnswer, TokenError> {
    match (from, to) {
        (Token::Rehearsal(from), Token::Rehearsal(to)) => from.copy(to, request),
        (Token::Pkcs11(from), Token::Pkcs11(to)) => from.copy(to, request),
        (Token::Rehearsal(_), Token::Pkcs11(_)) | (Token::Pkcs11(_), Token::Rehearsal(_)) => {
            Err(two_kinds())
        }
    }
}

/// Removes what an interrupted copy has left on both tokens, whose users are logged in. Returns how
/// much is left. It can be repeated.
pub fn clear(
    from: &mut Token,
    to: &mut Token,
    remains: CopyRemains,
) -> Result<TokenAnswer, TokenError> {
    match (from, to) {
        (Token::Rehearsal(_), Token::Rehearsal(to)) => to.clear(remains),
        (Token::Pkcs11(from), Token::Pkcs11(to)) => from.clear(to, remains),
        (Token::Rehearsal(_), Token::Pkcs11(_)) | (Token::Pkcs11(_), Token::Rehearsal(_)) => {
            Err(two_kinds())
        }
    }
}

fn two_kinds() -> TokenError {
    let found = says!(
        "一方だけがリハーサルのものである 2 つのトークン",
        "one of the two tokens is the rehearsal's, the other is none"
    );
    TokenError::new("C_WrapKey", found)
}
