//! The ids of the rules: what a fault, a message, a document and a refused test case call a rule.
//!
//! What a rule asks, when it is judged, and which clause is behind it, is in [`crate::rules`].

use core::fmt;

/// The id of a rule. There is no other way to name one.
///
/// `R-…` are the CP/CPS's, `I-…` are of ISO/IEC 18013-5 Annex B, `P-…` of RFC 5280, `S-…` are
/// gishiki's own safety.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(&'static str);

impl RuleId {
    /// The id as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The rule that is written so, if there is one.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.0 == text)
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

macro_rules! ids {
    ($($name:ident = $text:literal,)*) => {
        #[allow(missing_docs, reason = "a rule's sentence stands in its table")]
        impl RuleId {
            $(pub const $name: Self = Self($text);)*

            /// Every id, in order.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

ids! {
    I_AKI = "I-AKI",
    I_COUNTRY = "I-COUNTRY",
    I_CRL_ENTRY_EXT = "I-CRL-ENTRY-EXT",
    I_CRL_EXT = "I-CRL-EXT",
    I_CRL_NEXT_UPDATE = "I-CRL-NEXT-UPDATE",
    I_DS_AKI = "I-DS-AKI",
    I_DS_CDP = "I-DS-CDP",
    I_DS_EKU = "I-DS-EKU",
    I_DS_EXT = "I-DS-EXT",
    I_DS_IAN = "I-DS-IAN",
    I_DS_KEY = "I-DS-KEY",
    I_DS_KEY_USAGE = "I-DS-KEY-USAGE",
    I_DS_SKI = "I-DS-SKI",
    I_DS_VALIDITY = "I-DS-VALIDITY",
    I_ROOT_BASIC_CONSTRAINTS = "I-ROOT-BASIC-CONSTRAINTS",
    I_ROOT_CDP = "I-ROOT-CDP",
    I_ROOT_EXT = "I-ROOT-EXT",
    I_ROOT_IAN = "I-ROOT-IAN",
    I_ROOT_KEY_USAGE = "I-ROOT-KEY-USAGE",
    I_ROOT_SKI = "I-ROOT-SKI",
    I_ROOT_VALIDITY = "I-ROOT-VALIDITY",
    P_CRL_DATES = "P-CRL-DATES",
    P_CRL_EMPTY = "P-CRL-EMPTY",
    P_CRL_KEY = "P-CRL-KEY",
    P_CRL_NUMBER = "P-CRL-NUMBER",
    P_CRL_ONCE = "P-CRL-ONCE",
    P_CRL_TIME = "P-CRL-TIME",
    P_DER = "P-DER",
    P_EXT_UNIQUE = "P-EXT-UNIQUE",
    P_ISSUER = "P-ISSUER",
    P_NAME_LENGTH = "P-NAME-LENGTH",
    P_NAME_STRING = "P-NAME-STRING",
    P_PATH_CA = "P-PATH-CA",
    P_PATH_CRL = "P-PATH-CRL",
    P_PATH_ISSUER = "P-PATH-ISSUER",
    P_PATH_KEY = "P-PATH-KEY",
    P_PATH_SIGNATURE = "P-PATH-SIGNATURE",
    P_PATH_TIME = "P-PATH-TIME",
    P_REASON = "P-REASON",
    P_REVOKED = "P-REVOKED",
    P_TIME_FORM = "P-TIME-FORM",
    P_UNIQUE_ID = "P-UNIQUE-ID",
    P_URI = "P-URI",
    R_ACTIVATE = "R-ACTIVATE",
    R_AIRGAP = "R-AIRGAP",
    R_ALG = "R-ALG",
    R_APPLY_DS = "R-APPLY-DS",
    R_APPLY_SAME_ORG = "R-APPLY-SAME-ORG",
    R_APPOINT = "R-APPOINT",
    R_APPROVE = "R-APPROVE",
    R_AUTHN = "R-AUTHN",
    R_BACKUP = "R-BACKUP",
    R_CERT_KINDS = "R-CERT-KINDS",
    R_COMPLETE = "R-COMPLETE",
    R_COMPROMISE = "R-COMPROMISE",
    R_COMPROMISE_JUDGE = "R-COMPROMISE-JUDGE",
    R_CPS_IN_FORCE = "R-CPS-IN-FORCE",
    R_CRL = "R-CRL",
    R_CRL_CADENCE = "R-CRL-CADENCE",
    R_CRL_COVER = "R-CRL-COVER",
    R_CSR_INTAKE = "R-CSR-INTAKE",
    R_DEACTIVATE = "R-DEACTIVATE",
    R_DESTROY = "R-DESTROY",
    R_DN = "R-DN",
    R_DN_FIXED = "R-DN-FIXED",
    R_DS = "R-DS",
    R_DS_COMPROMISE = "R-DS-COMPROMISE",
    R_DS_KEY_STAYS = "R-DS-KEY-STAYS",
    R_DS_NOT_CA = "R-DS-NOT-CA",
    R_ELIGIBLE = "R-ELIGIBLE",
    R_EMERGENCY = "R-EMERGENCY",
    R_ENTRY_RIGHT = "R-ENTRY-RIGHT",
    R_EXAMINE = "R-EXAMINE",
    R_FACILITY = "R-FACILITY",
    R_FINGERPRINT = "R-FINGERPRINT",
    R_HSM_DEDICATED = "R-HSM-DEDICATED",
    R_KEY_IN_HSM = "R-KEY-IN-HSM",
    R_KEYGEN = "R-KEYGEN",
    R_KEYLIFE = "R-KEYLIFE",
    R_LINK = "R-LINK",
    R_MULTI = "R-MULTI",
    R_NO_CONSTRAINT_EXT = "R-NO-CONSTRAINT-EXT",
    R_NO_OCSP = "R-NO-OCSP",
    R_NO_POLICY_EXT = "R-NO-POLICY-EXT",
    R_NO_RENEW = "R-NO-RENEW",
    R_NO_TRANSFER = "R-NO-TRANSFER",
    R_NO_UNREVOKE = "R-NO-UNREVOKE",
    R_OID = "R-OID",
    R_ORGANIZATIONS = "R-ORGANIZATIONS",
    R_RECOVER = "R-RECOVER",
    R_REKEY = "R-REKEY",
    R_RENEW_WHEN = "R-RENEW-WHEN",
    R_REVOKE = "R-REVOKE",
    R_REVOKE_GROUND = "R-REVOKE-GROUND",
    R_REVOKE_TARGET = "R-REVOKE-TARGET",
    R_ROLES = "R-ROLES",
    R_ROLLOVER = "R-ROLLOVER",
    R_ROLLOVER_EARLY = "R-ROLLOVER-EARLY",
    R_ROLLOVER_LATEST = "R-ROLLOVER-LATEST",
    R_ROLLOVER_LINK = "R-ROLLOVER-LINK",
    R_ROOT = "R-ROOT",
    R_SEPARATE = "R-SEPARATE",
    R_SERIAL = "R-SERIAL",
    R_STAFF_CREDENTIAL = "R-STAFF-CREDENTIAL",
    R_STANDARDS = "R-STANDARDS",
    R_TIME = "R-TIME",
    R_TRAINED = "R-TRAINED",
    R_V3 = "R-V3",
    R_VERIFIER = "R-VERIFIER",
    R_WHO_OPERATES = "R-WHO-OPERATES",
    R_WITNESS = "R-WITNESS",
    S_ABANDONED = "S-ABANDONED",
    S_AFTER = "S-AFTER",
    S_ANCHOR = "S-ANCHOR",
    S_ANSWER = "S-ANSWER",
    S_ARTEFACT = "S-ARTEFACT",
    S_ATTEMPTS = "S-ATTEMPTS",
    S_AUDIT_CURVE = "S-AUDIT-CURVE",
    S_BUILT = "S-BUILT",
    S_BUSY = "S-BUSY",
    S_CLOCK = "S-CLOCK",
    S_COMMAND_LINE = "S-COMMAND-LINE",
    S_CRL_BATCH = "S-CRL-BATCH",
    S_CRL_END = "S-CRL-END",
    S_CRL_URL = "S-CRL-URL",
    S_DAEMON = "S-DAEMON",
    S_DRILL = "S-DRILL",
    S_DRIVER = "S-DRIVER",
    S_DUTY = "S-DUTY",
    S_EMPTY = "S-EMPTY",
    S_END = "S-END",
    S_EXCEPTION = "S-EXCEPTION",
    S_FILE = "S-FILE",
    S_FORM = "S-FORM",
    S_HEADS = "S-HEADS",
    S_IMAGE = "S-IMAGE",
    S_INPUTS = "S-INPUTS",
    S_JOURNAL = "S-JOURNAL",
    S_KEY_ABSENT = "S-KEY-ABSENT",
    S_KEY_LEFT = "S-KEY-LEFT",
    S_KEYS = "S-KEYS",
    S_LEDGER = "S-LEDGER",
    S_LEDGER_HEAD = "S-LEDGER-HEAD",
    S_LINK = "S-LINK",
    S_LIVE = "S-LIVE",
    S_LOCK = "S-LOCK",
    S_LOCKDOWN = "S-LOCKDOWN",
    S_MEDIUM = "S-MEDIUM",
    S_MODE = "S-MODE",
    S_MODULES = "S-MODULES",
    S_NAME = "S-NAME",
    S_NO_NETWORK = "S-NO-NETWORK",
    S_NO_SWAP = "S-NO-SWAP",
    S_NONCE = "S-NONCE",
    S_NOTED = "S-NOTED",
    S_OPENED = "S-OPENED",
    S_ORDER = "S-ORDER",
    S_ORPHAN = "S-ORPHAN",
    S_OUT = "S-OUT",
    S_PAPERS = "S-PAPERS",
    S_PARTICIPANT = "S-PARTICIPANT",
    S_PIN = "S-PIN",
    S_PLANS = "S-PLANS",
    S_PUBLIC_KEY = "S-PUBLIC-KEY",
    S_RECIPE = "S-RECIPE",
    S_RECORD = "S-RECORD",
    S_REFERENCE = "S-REFERENCE",
    S_REFUSED = "S-REFUSED",
    S_REHEARSAL_KEY = "S-REHEARSAL-KEY",
    S_RELEASE = "S-RELEASE",
    S_ROOM = "S-ROOM",
    S_ROSTER = "S-ROSTER",
    S_SEAL = "S-SEAL",
    S_SELF_TEST = "S-SELF-TEST",
    S_SEQUENCE = "S-SEQUENCE",
    S_SERIALS = "S-SERIALS",
    S_SIGNATURE = "S-SIGNATURE",
    S_SOURCES = "S-SOURCES",
    S_SPARE = "S-SPARE",
    S_STALE = "S-STALE",
    S_STICK = "S-STICK",
    S_STRUCTURE = "S-STRUCTURE",
    S_TERMINAL = "S-TERMINAL",
    S_TEXT = "S-TEXT",
    S_TIME_BACK = "S-TIME-BACK",
    S_TOKEN = "S-TOKEN",
    S_TOKEN_MECHANISM = "S-TOKEN-MECHANISM",
    S_TOKEN_POLICY = "S-TOKEN-POLICY",
    S_TOKEN_SERIAL = "S-TOKEN-SERIAL",
    S_WINDOW = "S-WINDOW",
    S_WORDS = "S-WORDS",
}
