//! The documented limits of products, over a token that has none of them: `FAULTY_CHARACTER`.
//!
//! - `pin-pad`: the PIN is typed at the device, and a program that brings one is refused (Luna with
//!   a PED: "a NULL pointer for pPin"). What is typed there is `FAULTY_PIN`.
//! - `card-set`: one card of N and its passphrase (nShield, 1-of-N).
//! - `card-set-of-k`: K cards of N that nobody has loaded: C_Login cannot ask for them (nShield).
//! - `card-set-preloaded`: the same after `preload`: the passphrase is asked for and not looked at.
//! - `no-wrap-trusted`: YubiHSM 2: no session keys, no CKA_WRAP_WITH_TRUSTED, CKA_SIGN_RECOVER or
//!   CKA_VERIFY_RECOVER in a template, no data objects.
//! - `keys-and-certificates`: CloudHSM: no CKA_SIGN_RECOVER or CKA_VERIFY_RECOVER, CKA_PRIVATE only
//!   TRUE, no data objects.
//! - `card`: SmartCard-HSM behind OpenSC: a key is made from its CKA_ID and CKA_LABEL, lasts
//!   whatever CKA_TOKEN says, and may derive; no data objects.
//! - `encrypts-only`: its AES is for octets: no mechanism wraps, and C_WrapKey fails as it can.
//! - `always-authenticates`: every use of a private key wants the PIN again.

use std::ffi::c_void;

use cryptoki_sys::*;

use super::{around, real};

/// Whose limits the module has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Character {
    PinPad,
    CardSet,
    CardSetOfK,
    CardSetPreloaded,
    NoWrapTrusted,
    KeysAndCertificates,
    Card,
    AlwaysAuthenticates,
    EncryptsOnly,
}

pub(crate) fn character() -> Option<Character> {
    Some(match std::env::var("FAULTY_CHARACTER").ok()?.as_str() {
        "pin-pad" => Character::PinPad,
        "card-set" => Character::CardSet,
        "card-set-of-k" => Character::CardSetOfK,
        "card-set-preloaded" => Character::CardSetPreloaded,
        "no-wrap-trusted" => Character::NoWrapTrusted,
        "keys-and-certificates" => Character::KeysAndCertificates,
        "card" => Character::Card,
        "always-authenticates" => Character::AlwaysAuthenticates,
        "encrypts-only" => Character::EncryptsOnly,
        _ => return None,
    })
}

/// The flags of CK_TOKEN_INFO as the product has them.
pub(crate) fn token_flags(info: &mut CK_TOKEN_INFO) {
    if character() == Some(Character::PinPad) {
        info.flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    }
}

/// What the product says to a login by itself, if it does.
pub(crate) fn says_to_login(with_a_pin: bool) -> Option<CK_RV> {
    match character()? {
        // CKR_PIN_INCORRECT would count as a wrong PIN.
        Character::PinPad if with_a_pin => Some(CKR_ARGUMENTS_BAD),
        Character::CardSetOfK => Some(CKR_TOKEN_NOT_RECOGNIZED),
        Character::PinPad
        | Character::CardSet
        | Character::CardSetPreloaded
        | Character::NoWrapTrusted
        | Character::KeysAndCertificates
        | Character::Card
        | Character::AlwaysAuthenticates
        | Character::EncryptsOnly => None,
    }
}

/// Whether the product takes whatever passphrase it is given.
pub(crate) fn is_preloaded() -> bool {
    character() == Some(Character::CardSetPreloaded)
}

/// What the product says to a wrapping by itself, if it does.
pub(crate) fn says_to_wrap() -> Option<CK_RV> {
    (character() == Some(Character::EncryptsOnly)).then_some(CKR_FUNCTION_FAILED)
}

pub(crate) unsafe extern "C" fn C_GetMechanismInfo(
    slot: CK_SLOT_ID,
    mechanism: CK_MECHANISM_TYPE,
    info: *mut CK_MECHANISM_INFO,
) -> CK_RV {
    around("C_GetMechanismInfo", |_| match real().and_then(|real| real.C_GetMechanismInfo) {
        Some(call) => {
            // SAFETY: the arguments are the program's, passed on as they are.
            let result = unsafe { call(slot, mechanism, info) };
            // SAFETY: the program's place for what a token says of a mechanism, or nothing.
            if let (Some(info), Some(_)) = (unsafe { info.as_mut() }, says_to_wrap()) {
                info.flags &= !(CKF_WRAP | CKF_UNWRAP);
            }
            result
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

/// Whether the product keeps such an object.
pub(crate) fn refuses_object(template: &[CK_ATTRIBUTE]) -> Option<CK_RV> {
    let data = number(template, CKA_CLASS) == Some(CKO_DATA);
    match character()? {
        Character::NoWrapTrusted | Character::KeysAndCertificates | Character::Card if data => {
            Some(CKR_TEMPLATE_INCONSISTENT)
        }
        Character::PinPad
        | Character::CardSet
        | Character::CardSetOfK
        | Character::CardSetPreloaded
        | Character::NoWrapTrusted
        | Character::KeysAndCertificates
        | Character::Card
        | Character::AlwaysAuthenticates
        | Character::EncryptsOnly => None,
    }
}

/// Whether the product makes a key pair of these templates.
pub(crate) fn refuses_pair(public: &[CK_ATTRIBUTE], private: &[CK_ATTRIBUTE]) -> Option<CK_RV> {
    let has = |template, kind| flag(template, kind).is_some();
    match character()? {
        Character::NoWrapTrusted => {
            if flag(public, CKA_TOKEN) == Some(false) || flag(private, CKA_TOKEN) == Some(false) {
                return Some(CKR_ATTRIBUTE_VALUE_INVALID);
            }
            let unknown = has(private, CKA_WRAP_WITH_TRUSTED)
                || has(private, CKA_SIGN_RECOVER)
                || has(public, CKA_VERIFY_RECOVER);
            unknown.then_some(CKR_ATTRIBUTE_TYPE_INVALID)
        }
        Character::KeysAndCertificates => {
            if has(private, CKA_SIGN_RECOVER) || has(public, CKA_VERIFY_RECOVER) {
                return Some(CKR_ATTRIBUTE_TYPE_INVALID);
            }
            (flag(public, CKA_PRIVATE) == Some(false)).then_some(CKR_ATTRIBUTE_VALUE_INVALID)
        }
        Character::PinPad
        | Character::CardSet
        | Character::CardSetOfK
        | Character::CardSetPreloaded
        | Character::Card
        | Character::AlwaysAuthenticates
        | Character::EncryptsOnly => None,
    }
}

/// The templates as the product understands them.
pub(crate) fn understood(
    public: &[CK_ATTRIBUTE],
    private: &[CK_ATTRIBUTE],
) -> (Vec<CK_ATTRIBUTE>, Vec<CK_ATTRIBUTE>) {
    let (mut public, mut private) = (public.to_vec(), private.to_vec());
    match character() {
        Some(Character::Card) => {
            let kept = |attribute: &CK_ATTRIBUTE| {
                [CKA_ID, CKA_LABEL, CKA_EC_PARAMS].contains(&attribute.type_)
            };
            public.retain(kept);
            private.retain(kept);
            let never = |kinds: &[CK_ATTRIBUTE_TYPE]| -> Vec<CK_ATTRIBUTE> {
                kinds.iter().map(|kind| set(*kind, false)).collect()
            };
            public.extend([set(CKA_TOKEN, true), set(CKA_VERIFY, true)]);
            public.extend(never(&[CKA_PRIVATE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_ENCRYPT]));
            public.extend(never(&[CKA_WRAP, CKA_VERIFY_RECOVER]));
            for kind in [CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE, CKA_SIGN, CKA_DERIVE] {
                private.push(set(kind, true));
            }
            private.extend(never(&[CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DECRYPT]));
            private.extend(never(&[CKA_UNWRAP, CKA_SIGN_RECOVER]));
        }
        // SoftHSM would give what is not said.
        Some(Character::NoWrapTrusted) => {
            public.push(set(CKA_VERIFY_RECOVER, false));
            private.push(set(CKA_SIGN_RECOVER, false));
        }
        Some(Character::KeysAndCertificates) => {
            public.extend([set(CKA_VERIFY_RECOVER, false), set(CKA_PRIVATE, true)]);
            private.push(set(CKA_SIGN_RECOVER, false));
        }
        Some(Character::AlwaysAuthenticates) => private.push(set(CKA_ALWAYS_AUTHENTICATE, true)),
        Some(
            Character::PinPad
            | Character::CardSet
            | Character::CardSetOfK
            | Character::CardSetPreloaded
            | Character::EncryptsOnly,
        )
        | None => {}
    }
    (public, private)
}

/// Whether the product does not know this attribute, and says so when it is read.
pub(crate) fn knows_not(asked: &[CK_ATTRIBUTE]) -> bool {
    let recovers = |attribute: &CK_ATTRIBUTE| {
        [CKA_SIGN_RECOVER, CKA_VERIFY_RECOVER].contains(&attribute.type_)
    };
    let simple = [Some(Character::NoWrapTrusted), Some(Character::KeysAndCertificates)];
    simple.contains(&character()) && asked.iter().any(recovers)
}

static YES: CK_BBOOL = CK_TRUE;
static NO: CK_BBOOL = CK_FALSE;

const fn set(type_: CK_ATTRIBUTE_TYPE, value: bool) -> CK_ATTRIBUTE {
    let place = if value { &raw const YES } else { &raw const NO };
    CK_ATTRIBUTE { type_, pValue: place.cast_mut().cast::<c_void>(), ulValueLen: 1 }
}

/// A boolean attribute of a template.
fn flag(template: &[CK_ATTRIBUTE], kind: CK_ATTRIBUTE_TYPE) -> Option<bool> {
    let attribute = template.iter().find(|attribute| attribute.type_ == kind)?;
    let one = attribute.ulValueLen == 1 && !attribute.pValue.is_null();
    // SAFETY: the program says that one octet is there.
    one.then(|| unsafe { *attribute.pValue.cast::<CK_BBOOL>() } != CK_FALSE)
}

/// A numeric attribute of a template.
fn number(template: &[CK_ATTRIBUTE], kind: CK_ATTRIBUTE_TYPE) -> Option<CK_ULONG> {
    let attribute = template.iter().find(|attribute| attribute.type_ == kind)?;
    let whole = attribute.ulValueLen as usize == size_of::<CK_ULONG>();
    // SAFETY: the program says that as many octets are there.
    whole.then(|| unsafe { attribute.pValue.cast::<CK_ULONG>().read_unaligned() })
}

pub(crate) unsafe extern "C" fn C_CreateObject(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
    object: *mut CK_OBJECT_HANDLE,
) -> CK_RV {
    around("C_CreateObject", |_| match real().and_then(|real| real.C_CreateObject) {
        Some(call) => {
            // SAFETY: `template` has `count` attributes, says the program.
            let asked = unsafe { std::slice::from_raw_parts(template, count as usize) };
            if let Some(value) = refuses_object(asked) {
                return value;
            }
            // SAFETY: the arguments are the program's, passed on as they are.
            unsafe { call(session, template, count, object) }
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}
