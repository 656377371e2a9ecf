//! What a probe asks a token, and what the token says to it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::hex::Octets;
use crate::name::Name;
use crate::token::{Attribute, KeyTemplate, TokenAnswer, TokenError, TokenRequest};

/// One thing that a token is asked before the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeStep {
    /// What it says it is, and its mechanisms. Needs no login.
    Identify,
    /// Its flags. Needs no login.
    Condition,
    /// The mechanisms that a copy takes. Needs no login.
    Copy,
    /// The user logs in.
    Login,
    /// What is on it.
    Inventory,
    /// The ledger head on it is that of the ledger at hand; asked where the ceremony asks it.
    Head,
    /// A session key pair as this planned key will be made.
    Make(Name),
    /// Which attributes of its template are refused; asked where it could not be made.
    Refused(Name),
    /// A signature by it, verified in software.
    Sign(Name),
    /// Negative step: its value is read.
    ReadValue(Name),
    /// Negative step: it is wrapped.
    Wrap(Name),
    /// A session data object, as the ledger head will be written.
    Data,
    /// Whatever the probe has made is destroyed.
    Forget,
    /// What is on it now is what was on it before.
    Unchanged,
    /// The user logs out.
    Logout,
}

/// What a token is asked for a step.
#[derive(Debug, PartialEq, Eq)]
pub enum ProbeRequest {
    /// A request as a ceremony makes it: a read, a login, or about a key of the probe.
    Token(TokenRequest),
    /// Tell the flags of CK_TOKEN_INFO. A read.
    #[non_exhaustive]
    Condition {
        /// CK_TOKEN_INFO serialNumber, without trailing spaces.
        serial: String,
    },
    /// Say whether the token offers what a copy takes. A read.
    #[non_exhaustive]
    Copy {},
    /// Make a key pair of session objects, and read it back in another session.
    #[non_exhaustive]
    Make {
        /// What is made; CKA_TOKEN is false.
        key: KeyTemplate,
    },
    /// Make session key pairs with few attributes and one more each, and destroy them.
    #[non_exhaustive]
    Refused {
        /// The template that was refused.
        key: KeyTemplate,
    },
    /// Make a data object of the session, read it back in another, and destroy it.
    #[non_exhaustive]
    Data {
        /// CKA_LABEL and CKA_APPLICATION.
        label: String,
        /// CKA_VALUE.
        value: Octets,
    },
    /// Destroy everything of the probe, and close its sessions.
    #[non_exhaustive]
    Forget {
        /// CKA_ID of every key pair.
        ids: Vec<Octets>,
        /// CKA_LABEL of the data object.
        label: String,
    },
}

/// What a token says to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// As it says it in a ceremony.
    Token(TokenAnswer),
    /// Its flags.
    Condition(TokenCondition),
    /// It offers what a copy takes.
    CanCopy,
    /// Attributes with which no session key pair could be made.
    Refused {
        /// Why none could be made with fewest attributes; then nothing is known of the others.
        bare: Option<TokenError>,
        /// Of the private key.
        private: Vec<Attribute>,
        /// Of the public key.
        public: Vec<Attribute>,
    },
}

/// The flags of CK_TOKEN_INFO that a ceremony has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenFlag {
    /// CKF_WRITE_PROTECTED
    WriteProtected,
    /// CKF_LOGIN_REQUIRED
    LoginRequired,
    /// CKF_USER_PIN_INITIALIZED
    PinInitialized,
    /// CKF_PROTECTED_AUTHENTICATION_PATH
    ProtectedPath,
    /// CKF_TOKEN_INITIALIZED
    Initialized,
    /// CKF_USER_PIN_COUNT_LOW
    PinCountLow,
    /// CKF_USER_PIN_FINAL_TRY
    PinFinalTry,
    /// CKF_USER_PIN_LOCKED
    PinLocked,
    /// CKF_USER_PIN_TO_BE_CHANGED
    PinToBeChanged,
    /// CKF_ERROR_STATE
    ErrorState,
}

impl TokenFlag {
    /// The flag's name in PKCS #11.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WriteProtected => "CKF_WRITE_PROTECTED",
            Self::LoginRequired => "CKF_LOGIN_REQUIRED",
            Self::PinInitialized => "CKF_USER_PIN_INITIALIZED",
            Self::ProtectedPath => "CKF_PROTECTED_AUTHENTICATION_PATH",
            Self::Initialized => "CKF_TOKEN_INITIALIZED",
            Self::PinCountLow => "CKF_USER_PIN_COUNT_LOW",
            Self::PinFinalTry => "CKF_USER_PIN_FINAL_TRY",
            Self::PinLocked => "CKF_USER_PIN_LOCKED",
            Self::PinToBeChanged => "CKF_USER_PIN_TO_BE_CHANGED",
            Self::ErrorState => "CKF_ERROR_STATE",
        }
    }
}

/// Those flags that are set, in order.
pub type TokenCondition = Vec<TokenFlag>;
