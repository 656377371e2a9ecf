//! The requests of a probe, and the token's answers.

use alloc::string::String;
use alloc::vec::Vec;

use crate::hex::Octets;
use crate::name::Name;
use crate::token::{Attribute, KeyTemplate, TokenAnswer, TokenError, TokenRequest};

/// One thing that a token is asked before the day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeStep {
    /// Identity and mechanisms. Needs no login.
    Identify,
    /// The token's flags. Needs no login.
    Condition,
    /// The mechanisms that a copy needs. Needs no login.
    Copy,
    /// Login of the user.
    Login,
    /// The objects on the token.
    Inventory,
    /// The ledger head, which must be that of the ledger at hand. Asked if the ceremony asks it.
    Head,
    /// A session key pair with the template of this planned key.
    Make(Name),
    /// Which attributes of the template the token refuses. Asked if the pair could not be made.
    Refused(Name),
    /// A signature by it, verified in software.
    Sign(Name),
    /// Negative step: reading the private value must fail.
    ReadValue(Name),
    /// Negative step: wrapping the key must fail.
    Wrap(Name),
    /// A session data object with the form of the ledger head.
    Data,
    /// Destruction of everything that the probe made.
    Forget,
    /// The objects on the token again, which must be the same as before.
    Unchanged,
    /// Logout of the user.
    Logout,
}

/// The request of a step.
#[derive(Debug, PartialEq, Eq)]
pub enum ProbeRequest {
    /// A request as a ceremony makes it: a read, a login, or one on a key of the probe.
    Token(TokenRequest),
    /// Tell the flags of CK_TOKEN_INFO. A read.
    #[non_exhaustive]
    Condition {
        /// CK_TOKEN_INFO serialNumber, without trailing spaces.
        serial: String,
    },
    /// Say whether the token offers the mechanisms that a copy needs. A read.
    #[non_exhaustive]
    Copy {},
    /// Make a key pair of session objects, and read it back in another session.
    #[non_exhaustive]
    Make {
        /// The key to make; its CKA_TOKEN is false.
        key: KeyTemplate,
    },
    /// Make session key pairs with as few attributes as possible and one more each, and destroy
    /// them.
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
    /// Destroy everything that the probe made, and close its sessions.
    #[non_exhaustive]
    Forget {
        /// CKA_ID of every key pair.
        ids: Vec<Octets>,
        /// CKA_LABEL of the data object.
        label: String,
    },
}

/// The token's answer to a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeAnswer {
    /// An answer as in a ceremony.
    Token(TokenAnswer),
    /// The token's flags.
    Condition(TokenCondition),
    /// Whether it offers the mechanisms that a copy needs.
    CanCopy,
    /// The attributes with which no session key pair could be made.
    Refused {
        /// Why not even a pair with the fewest attributes could be made; nothing is known of the
        /// others then.
        bare: Option<TokenError>,
        /// Of the private key.
        private: Vec<Attribute>,
        /// Of the public key.
        public: Vec<Attribute>,
    },
}

/// The flags of CK_TOKEN_INFO that matter to a ceremony.
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

/// The flags that are set, in order.
pub type TokenCondition = Vec<TokenFlag>;
