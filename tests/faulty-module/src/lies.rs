//! What a module says that is not so.
//!
//! - of C_Sign: `other-digest`, `truncate`, `zero-r`, `zero-s`, `r-is-n`, `s-is-n`, `der` (the same
//!   signature as a DER SEQUENCE), `repeat` (the signature before it once more);
//! - of C_SignInit: `other-key` (a key that nobody has asked for signs);
//! - of C_GenerateKeyPair, C_UnwrapKey and C_DestroyObject: `nothing` (success, and nothing was
//!   done); of C_UnwrapKey also `unfinished` (SoftHSM fails in its middle, and leaves what it has
//!   made so far);
//! - of C_GenerateKeyPair also `nameless` (the pair is made without CKA_ID and CKA_LABEL, and the
//!   device says that it failed);
//! - of C_GetTokenInfo: `flags=100` (these hexadecimal flags are said as well), `odd` (a model with
//!   NULs, control and no characters, a time that is none), `longest-pin=8` (hexadecimal as well);
//! - of C_FindObjects: `other-object` (the first key pair's private key, whatever was looked for);
//! - of C_GetSlotList and C_GetMechanismList: `boasts` (so many that no memory would hold them);
//! - of C_WrapKey: `octets` (success, and something came out);
//! - of C_GetAttributeValue: `flip=103` (a boolean attribute, by its hexadecimal number, is told
//!   wrong), `other-point` (another public key on P-384).

use std::sync::Mutex;

use cryptoki_sys::*;

use super::{around, real};

/// How many octets a signature on P-384 in DER may have more than a raw one.
pub(crate) const DER_MORE: CK_ULONG = 16;

/// The orders of P-256 and P-384 (SEC 2).
const N_256: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const N_384: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                     581a0db248b0a77aecec196accc52973";
/// The base point of P-384.
const G_384: &str = "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38\
                     5502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29\
                     f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
/// OBJECT IDENTIFIER secp384r1.
const P384: [u8; 7] = [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];

static LAST: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static MADE: Mutex<Option<CK_OBJECT_HANDLE>> = Mutex::new(None);
/// The CKA_ID under which a session signs.
static UNDER: Mutex<Vec<(CK_SESSION_HANDLE, String)>> = Mutex::new(Vec::new());

fn decode(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn encode(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// A signature as the lie has it.
pub(crate) fn about(signature: &[u8], lie: Option<&str>) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let n = || if r.len() == 32 { decode(N_256) } else { decode(N_384) };
    let last = || LAST.lock().map(|last| last.clone()).unwrap_or_default();
    let signed = match lie {
        Some("truncate") => signature[..signature.len() - 1].to_vec(),
        Some("zero-r") => [&vec![0; r.len()], s].concat(),
        Some("zero-s") => [r, &vec![0; s.len()]].concat(),
        Some("r-is-n") => [&n(), s].concat(),
        Some("s-is-n") => [r, &n()].concat(),
        Some("der") => {
            let numbers = [integer(r), integer(s)].concat();
            [&[0x30, numbers.len() as u8], numbers.as_slice()].concat()
        }
        Some("repeat") => last(),
        Some(_) | None => signature.to_vec(),
    };
    if let Ok(mut last) = LAST.lock() {
        *last = signature.to_vec();
    }
    signed
}

/// A positive INTEGER in DER.
fn integer(octets: &[u8]) -> Vec<u8> {
    let mut octets: Vec<u8> = octets.iter().copied().skip_while(|octet| *octet == 0).collect();
    if octets.first().is_none_or(|first| *first > 0x7f) {
        octets.insert(0, 0);
    }
    [&[0x02, octets.len() as u8], octets.as_slice()].concat()
}

/// Tells an attribute wrong.
pub(crate) fn about_attribute(attribute: &mut CK_ATTRIBUTE, lie: &str) {
    if attribute.pValue.is_null() {
        return;
    }
    let flipped = lie.strip_prefix("flip=").map(super::value);
    if flipped == Some(attribute.type_) && attribute.ulValueLen == 1 {
        // SAFETY: the module wrote one octet there.
        unsafe { *attribute.pValue.cast::<u8>() ^= 1 };
    }
    let point = [&[0x04, 0x61, 0x04], decode(G_384).as_slice()].concat();
    let as_long = attribute.ulValueLen as usize == point.len();
    if lie == "other-point" && attribute.type_ == CKA_EC_POINT && as_long {
        // SAFETY: the module wrote as many octets there.
        unsafe { attribute.pValue.cast::<u8>().copy_from(point.as_ptr(), point.len()) };
    }
}

/// What a token says of itself, as the lie has it.
pub(crate) fn about_token(info: &mut CK_TOKEN_INFO, lie: &str) {
    if let Some(flags) = lie.strip_prefix("flags=") {
        info.flags |= super::value(flags);
    }
    if let Some(longest) = lie.strip_prefix("longest-pin=") {
        info.ulMaxPinLen = super::value(longest);
    }
    if lie == "odd" {
        info.model = *b"A\0\x1b[2J\xff\xfe B\0\0\0\0\0\0";
        info.utcTime = *b"never\0\xff         ";
        info.flags |= CKF_CLOCK_ON_TOKEN;
    }
}

/// Takes CKA_ID and CKA_LABEL out of a template; how many attributes are left.
///
/// # Safety
///
/// The template has as many attributes as is said.
pub(crate) unsafe fn without_names(template: *mut CK_ATTRIBUTE, count: CK_ULONG) -> CK_ULONG {
    // SAFETY: says the caller.
    let template = unsafe { std::slice::from_raw_parts_mut(template, count as usize) };
    let mut left = 0;
    for index in 0..template.len() {
        if ![CKA_ID, CKA_LABEL].contains(&template[index].type_) {
            template[left] = template[index];
            left += 1;
        }
    }
    left as CK_ULONG
}

/// Remembers the first key pair's private key.
pub(crate) fn remember(key: CK_OBJECT_HANDLE) {
    if let Ok(mut made) = MADE.lock() {
        made.get_or_insert(key);
    }
}

pub(crate) fn remembered() -> Option<CK_OBJECT_HANDLE> {
    *MADE.lock().ok()?
}

/// One attribute of an object, as the real module tells it.
fn read(
    real: &CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    type_: CK_ATTRIBUTE_TYPE,
) -> Option<Vec<u8>> {
    let mut octets = vec![0_u8; 256];
    let pValue = octets.as_mut_ptr().cast();
    let mut asked = CK_ATTRIBUTE { type_, pValue, ulValueLen: octets.len() as CK_ULONG };
    // SAFETY: one attribute with room for as many octets as it says.
    let result = unsafe { (real.C_GetAttributeValue?)(session, object, &raw mut asked, 1) };
    (result == CKR_OK).then(|| octets[..asked.ulValueLen as usize].to_vec())
}

/// An object's class by its name.
pub(crate) fn class(
    real: &CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
) -> Option<&'static str> {
    let octets = read(real, session, object, CKA_CLASS)?;
    Some(match CK_OBJECT_CLASS::from_ne_bytes(octets.try_into().ok()?) {
        CKO_DATA => "data",
        CKO_PUBLIC_KEY => "public-key",
        CKO_PRIVATE_KEY => "private-key",
        CKO_SECRET_KEY => "secret-key",
        _ => return None,
    })
}

/// Notes under which key a session signs next.
pub(crate) fn sign_under(
    real: &CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
    key: CK_OBJECT_HANDLE,
) {
    let id = read(real, session, key, CKA_ID).unwrap_or_default();
    if let Ok(mut under) = UNDER.lock() {
        under.retain(|(other, _)| *other != session);
        under.push((session, encode(&id)));
    }
}

/// Key, digest and signature in one line.
pub(crate) fn signed(session: CK_SESSION_HANDLE, digest: &[u8], signature: &[u8]) -> String {
    let under = UNDER.lock().ok();
    let under = under.as_ref().and_then(|under| under.iter().find(|(of, _)| *of == session));
    let id = under.map_or("-", |(_, id)| id.as_str());
    format!("{id} {} {}", encode(digest), encode(signature))
}

/// A fresh key on P-384 in this session, which nobody has asked for.
pub(crate) fn other_key(
    real: &CK_FUNCTION_LIST,
    session: CK_SESSION_HANDLE,
) -> Option<CK_OBJECT_HANDLE> {
    let (mut curve, mut yes) = (P384, CK_TRUE);
    let mut mechanism = CK_MECHANISM {
        mechanism: CKM_EC_KEY_PAIR_GEN,
        pParameter: std::ptr::null_mut(),
        ulParameterLen: 0,
    };
    let mut public = CK_ATTRIBUTE {
        type_: CKA_EC_PARAMS,
        pValue: curve.as_mut_ptr().cast(),
        ulValueLen: curve.len() as CK_ULONG,
    };
    let mut private =
        CK_ATTRIBUTE { type_: CKA_SIGN, pValue: (&raw mut yes).cast(), ulValueLen: 1 };
    let (mut public_key, mut private_key) = (0, 0);
    let (public, private) = (&raw mut public, &raw mut private);
    let (to_public, to_private) = (&raw mut public_key, &raw mut private_key);
    // SAFETY: templates and places live over the call.
    let result = unsafe {
        (real.C_GenerateKeyPair?)(
            session,
            &raw mut mechanism,
            public,
            1,
            private,
            1,
            to_public,
            to_private,
        )
    };
    (result == CKR_OK).then_some(private_key)
}

/// `boasts`: more than any module has.
const BOASTED: CK_ULONG = 1 << 40;

/// What a list's length is called, where the module boasts and only its length is asked for.
///
/// # Safety
///
/// `count` is the program's place for a number, or nothing.
unsafe fn boast<T>(lie: Option<&str>, list: *mut T, count: *mut CK_ULONG) {
    // SAFETY: says the caller.
    if let (Some("boasts"), true, Some(count)) = (lie, list.is_null(), unsafe { count.as_mut() }) {
        *count = BOASTED;
    }
}

pub(crate) unsafe extern "C" fn C_GetSlotList(
    present: CK_BBOOL,
    slots: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    around("C_GetSlotList", |lie| match real().and_then(|real| real.C_GetSlotList) {
        Some(call) => {
            // SAFETY: the arguments are the program's, passed on as they are.
            let result = unsafe { call(present, slots, count) };
            // SAFETY: the same place for the same number.
            unsafe { boast(lie, slots, count) };
            result
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

pub(crate) unsafe extern "C" fn C_GetMechanismList(
    slot: CK_SLOT_ID,
    list: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    around("C_GetMechanismList", |lie| match real().and_then(|real| real.C_GetMechanismList) {
        Some(call) => {
            // SAFETY: the arguments are the program's, passed on as they are.
            let result = unsafe { call(slot, list, count) };
            // SAFETY: the same place for the same number.
            unsafe { boast(lie, list, count) };
            result
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}
