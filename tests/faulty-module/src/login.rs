//! What a token says of itself and of its PIN, and the login.

use cryptoki_sys::*;

use super::{around, character, lies, memory, real};

pub(crate) unsafe extern "C" fn C_GetTokenInfo(
    slot: CK_SLOT_ID,
    info: *mut CK_TOKEN_INFO,
) -> CK_RV {
    around("C_GetTokenInfo", |lie| match real().and_then(|real| real.C_GetTokenInfo) {
        Some(call) => {
            // SAFETY: the arguments are the program's, passed on as they are.
            let result = unsafe { call(slot, info) };
            // SAFETY: the program's place for what a token says of itself, or nothing.
            if let Some(info) = unsafe { info.as_mut() } {
                character::token_flags(info);
                lies::about_token(info, lie.unwrap_or_default());
            }
            result
        }
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}

pub(crate) unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
) -> CK_RV {
    around("C_Login", |_| {
        let Some(call) = real().and_then(|real| real.C_Login) else {
            return CKR_FUNCTION_NOT_SUPPORTED;
        };
        if let Some(said) = character::says_to_login(!pin.is_null()) {
            return said;
        }
        if !pin.is_null() {
            // SAFETY: the program's PIN has `length` octets.
            memory::keep(unsafe { std::slice::from_raw_parts(pin, length as usize) });
        }
        // What people enter at the device.
        let entered = std::env::var("FAULTY_PIN").map(String::into_bytes);
        match entered {
            // SoftHSM has no key that wants this; here the PIN is compared, and it is done.
            Ok(entered) if user == CKU_CONTEXT_SPECIFIC => {
                // SAFETY: the program's PIN has `length` octets, if there is one.
                let given = (!pin.is_null())
                    .then(|| unsafe { std::slice::from_raw_parts(pin, length as usize) });
                match given.is_none_or(|given| given == entered) {
                    true => CKR_OK,
                    false => CKR_PIN_INCORRECT,
                }
            }
            Ok(mut entered) if pin.is_null() || character::is_preloaded() => {
                let length = entered.len() as CK_ULONG;
                // SAFETY: `entered` lives over the call, the rest is the program's.
                unsafe { call(session, user, entered.as_mut_ptr(), length) }
            }
            // SAFETY: the arguments are the program's, passed on as they are.
            Ok(_) | Err(_) => unsafe { call(session, user, pin, length) },
        }
    })
}

pub(crate) unsafe extern "C" fn C_SetPIN(
    session: CK_SESSION_HANDLE,
    old: *mut CK_UTF8CHAR,
    of_old: CK_ULONG,
    new: *mut CK_UTF8CHAR,
    of_new: CK_ULONG,
) -> CK_RV {
    memory::look();
    around("C_SetPIN", |_| match real().and_then(|real| real.C_SetPIN) {
        // SAFETY: the arguments are the program's, passed on as they are.
        Some(call) => unsafe { call(session, old, of_old, new, of_new) },
        None => CKR_FUNCTION_NOT_SUPPORTED,
    })
}
